//! Small steps on the document that several islands take: finding, listening, writing, telling the person. Knows no page.

use std::time::Duration;

use crate::{model::Fault, reading};
use leptos::prelude::{document, set_timeout};
use wasm_bindgen::{JsCast, prelude::Closure};
use web_sys::{Element, Event, EventTarget, HtmlElement, Node, NodeList};

/// How long a message stays on the screen.
const MESSAGE_TIME: Duration = Duration::from_secs(6);

/// The first element that a selector finds in the page.
pub(super) fn one(selector: &str) -> Option<Element> {
    document().query_selector(selector).ok().flatten()
}

/// The same as an HTML element.
pub(super) fn one_html(selector: &str) -> Option<HtmlElement> {
    one(selector)?.dyn_into().ok()
}

/// All elements that a selector finds in the page.
pub(super) fn all(selector: &str) -> Vec<Element> {
    document().query_selector_all(selector).map(elements).unwrap_or_default()
}

/// All elements that a selector finds below `root`.
pub(super) fn all_in(root: &Element, selector: &str) -> Vec<Element> {
    root.query_selector_all(selector).map(elements).unwrap_or_default()
}

#[expect(clippy::needless_pass_by_value, reason = "a handle, mapped over the result that holds it")]
fn elements(list: NodeList) -> Vec<Element> {
    (0..list.length()).filter_map(|i| list.item(i)?.dyn_into().ok()).collect()
}

/// Listens for as long as the page lives.
pub(super) fn on<E: JsCast + 'static>(target: &EventTarget, event: &str, mut heard: impl FnMut(E) + 'static) {
    let heard = Closure::<dyn FnMut(Event)>::new(move |event: Event| {
        if let Ok(event) = event.dyn_into::<E>() {
            heard(event);
        }
    });
    // Failing is impossible for a function; were it not, the page would still work without this island.
    let _ = target.add_event_listener_with_callback(event, heard.into_js_value().unchecked_ref());
}

/// The same for an event that does not bubble, of all that is inside.
pub(super) fn on_capture(target: &EventTarget, event: &str, heard: impl FnMut(Event) + 'static) {
    let heard = Closure::<dyn FnMut(Event)>::new(heard).into_js_value();
    let _ = target.add_event_listener_with_callback_and_bool(event, heard.unchecked_ref(), true);
}

/// The element an event happened on, or the nearest around it that a selector finds.
pub(super) fn origin(event: &Event, selector: &str) -> Option<Element> {
    event.target()?.dyn_into::<Element>().ok()?.closest(selector).ok().flatten()
}

/// A length as styles write it.
#[expect(clippy::cast_possible_truncation, reason = "a screen has few pixels")]
pub(super) fn px(x: f64) -> String {
    format!("{}px", x.round() as i64)
}

/// Shows or hides an element.
pub(super) fn show(element: &Element, shown: bool) {
    let _ = if shown { element.remove_attribute("hidden") } else { element.set_attribute("hidden", "") };
}

/// Writes a text where it differs: an unchanged cell costs no layout.
pub(super) fn write(element: &Element, text: &str) {
    let _ = rewrote(element, text);
}

/// The same; answers whether it differed.
pub(super) fn rewrote(element: &Element, text: &str) -> bool {
    let differs = element.text_content().as_deref() != Some(text);
    if differs {
        // Into the node that is there: for another one the browser would ask all selectors again that go by what is in something.
        match element.first_child().filter(|node| node.node_type() == Node::TEXT_NODE && node.next_sibling().is_none()) {
            Some(node) => node.set_node_value(Some(text)),
            None => element.set_text_content(Some(text)),
        }
    }
    differs
}

/// Whether new values arrive, in a word.
pub(super) fn write_live(connected: bool) {
    if let Some(word) = one("#live [data-live]") {
        show(&word, true);
        write(&word, if connected { "live" } else { "not connected" });
    }
    if let Some(pulse) = one("#live .pulse") {
        show(&pulse, connected);
    }
}

/// Says something at the edge of the screen and to screen readers: what went well for a while, what went wrong until it is put away.
pub(super) fn say(text: &str, bad: bool) {
    let (Some(place), Some(toast)) = (one("#say"), one("#toast")) else { return };
    place.set_text_content(Some(text));
    toast.set_class_name(if bad { "toast shown bad" } else { "toast shown" });
    if let Some(button) = one("#toast button") {
        show(&button, bad);
    }
    if bad {
        return;
    }
    let said = text.to_owned();
    set_timeout(
        move || {
            // A later message has its own time.
            if place.text_content().as_deref() == Some(said.as_str()) {
                put_away();
            }
        },
        MESSAGE_TIME,
    );
}

/// Shows why nothing can be recorded, or takes that back: the data of a `fault` event.
pub(super) fn fault(data: &str) {
    let (Some(place), Some(fault)) = (one("#fault"), reading::read::<Fault>(data)) else { return };
    show(&place, fault.message.is_some());
    write(&place, fault.message.as_deref().unwrap_or_default());
}

/// Ends what was said last; answers whether there was something.
pub(super) fn put_away() -> bool {
    let (Some(place), Some(toast)) = (one("#say"), one("#toast")) else { return false };
    if let Some(button) = one("#toast button") {
        show(&button, false);
    }
    place.set_text_content(None);
    let was_shown = toast.class_list().contains("shown");
    toast.set_class_name("toast");
    was_shown
}

/// Says something to screen readers alone: what changed on the page while they were elsewhere, never values.
pub(super) fn hear(text: &str) {
    let Some(place) = one("#heard") else { return };
    let Ok(line) = document().create_element("p") else { return };
    line.set_text_content(Some(text));
    let _ = place.append_child(&line);
    set_timeout(move || line.remove(), MESSAGE_TIME);
}

/// The same in place of what was said before: of a value that keys move through, only the last matters.
pub(super) fn hear_last(text: &str) {
    if let Some(place) = one("#heard") {
        place.set_text_content(None);
    }
    hear(text);
}
