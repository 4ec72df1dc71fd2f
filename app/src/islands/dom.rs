//! Small steps on the document that several islands take: finding, listening, asking the server, telling the person. Knows no page.

use std::time::Duration;

use crate::model::Fault;
use leptos::prelude::{document, set_timeout, window};
use wasm_bindgen::{JsCast, JsValue, prelude::Closure};
use web_sys::{Element, Event, EventTarget, Headers, HtmlElement, NodeList, RequestInit, Response};

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

/// The element an event happened on, or the nearest around it that a selector finds.
pub(super) fn origin(event: &Event, selector: &str) -> Option<Element> {
    event.target()?.dyn_into::<Element>().ok()?.closest(selector).ok().flatten()
}

/// Shows or hides an element.
pub(super) fn show(element: &Element, shown: bool) {
    let _ = if shown { element.remove_attribute("hidden") } else { element.set_attribute("hidden", "") };
}

/// Writes a text where it differs: an unchanged cell costs no layout.
pub(super) fn write(element: &Element, text: &str) {
    if element.text_content().as_deref() != Some(text) {
        element.set_text_content(Some(text));
    }
}

/// Says something at the edge of the screen and to screen readers, for a while.
pub(super) fn say(text: &str, bad: bool) {
    let Some(place) = one("#say") else { return };
    place.set_text_content(Some(text));
    place.set_class_name(if bad { "toast shown bad" } else { "toast shown" });
    let said = text.to_owned();
    set_timeout(
        move || {
            // A later message has its own time.
            if place.text_content().as_deref() == Some(said.as_str()) {
                place.set_class_name("toast");
                place.set_text_content(None);
            }
        },
        MESSAGE_TIME,
    );
}

/// Shows why nothing can be recorded, or takes that back: the data of a `fault` event.
pub(super) fn fault(data: &str) {
    let (Some(place), Ok(fault)) = (one("#fault"), serde_json::from_str::<Fault>(data)) else { return };
    show(&place, fault.message.is_some());
    write(&place, fault.message.as_deref().unwrap_or_default());
}

/// Asks the server.
///
/// # Errors
/// A sentence for the person: the server's own where it gave one.
pub(super) async fn request(method: &str, url: &str, json: Option<&str>) -> Result<String, String> {
    const LOST: &str = "The panel did not answer. Is it still running?";
    let init = RequestInit::new();
    init.set_method(method);
    if let Some(json) = json {
        init.set_body(&JsValue::from_str(json));
        let headers = Headers::new().map_err(|_| LOST)?;
        headers.set("Content-Type", "application/json").map_err(|_| LOST)?;
        init.set_headers(&headers);
    }
    let answer = window().fetch_with_str_and_init(url, &init).await.map_err(|_| LOST)?;
    let answer: Response = answer.dyn_into().map_err(|_| LOST)?;
    let body = answer.text().map_err(|_| LOST)?.await.map_err(|_| LOST)?.as_string().unwrap_or_default();
    if answer.status() == 401 || answer.url().contains("/cp/login") {
        return Err("You are signed out. Reload the page to sign in.".to_owned());
    }
    if answer.ok() { Ok(body) } else { Err(problem(&body, answer.status())) }
}

#[derive(serde::Deserialize)]
struct Problem {
    detail: String,
}

fn problem(body: &str, status: u16) -> String {
    match serde_json::from_str::<Problem>(body) {
        Ok(problem) => problem.detail,
        Err(_) => format!("The panel refused this (status {status})."),
    }
}
