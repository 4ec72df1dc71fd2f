//! The value below the pointer, or where the arrow keys stand, in the chart that has it.

use leptos::prelude::document;
use wasm_bindgen::prelude::*;
use web_sys::{Element, Event, HtmlElement, KeyboardEvent, MouseEvent};

use super::card::{Card, View};
use crate::format;
use crate::islands::{browser, dom};
use crate::model::Series;

/// How far an arrow key goes, in pixels; with shift ten times as far.
const STEP_PX: f64 = 2.0;

/// Shows, moves or removes the readout.
pub(super) fn handle(cards: &[Card], event: &Event) {
    let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
    let plot = target.and_then(|element| element.closest(".plot").ok().flatten());
    let card = plot.and_then(|plot| cards.iter().find(|card| AsRef::<Element>::as_ref(card.plot()) == &plot));
    let Some(card) = card.filter(|_| event.type_() != "focusout") else {
        clear(None);
        return;
    };
    let Some((series, view)) = card.drawn() else { return };
    let x = match (event.dyn_ref::<KeyboardEvent>(), event.dyn_ref::<MouseEvent>()) {
        (Some(key), _) => {
            let step = if key.shift_key() { STEP_PX * 10.0 } else { STEP_PX };
            let now = card.plot().get_attribute("data-x").and_then(|x| x.parse().ok()).map_or(view.right, |x: i32| f64::from(x));
            match key.key().as_str() {
                "ArrowLeft" => now - step,
                "ArrowRight" => now + step,
                "Home" => view.left,
                "End" => view.right,
                _ => return,
            }
        }
        (_, Some(mouse)) => f64::from(mouse.client_x()) - card.plot().get_bounding_client_rect().left(),
        _ => return,
    };
    clear(Some(card));
    let x = x.clamp(view.left, view.right);
    let text = text(series, view, x);
    let _ = show(card, &text, view, x);
    if event.type_() == "keydown" {
        event.prevent_default();
        // Keys are pressed to hear a value, a pointer moves to see it.
        dom::hear_last(&text);
    }
}

/// Removes the readouts of all charts but one.
fn clear(but: Option<&Card>) {
    let Ok(found) = document().query_selector_all(".plot > .hair") else { return };
    for hair in (0..found.length()).filter_map(|index| found.get(index)?.dyn_into::<Element>().ok()) {
        if but.is_none_or(|card| hair.parent_element().as_ref() != Some(card.plot().as_ref())) {
            hair.remove();
        }
    }
}

fn show(card: &Card, text: &str, view: View, x: f64) -> Option<()> {
    let (hair, output) = match card.plot().query_selector(".hair").ok()? {
        Some(hair) => (hair.clone().dyn_into::<HtmlElement>().ok()?, hair.first_element_child()?),
        None => {
            let hair: HtmlElement = document().create_element("div").ok()?.dyn_into().ok()?;
            hair.set_class_name("hair");
            let output = document().create_element("div").ok()?;
            output.set_class_name("readout");
            hair.append_child(&output).ok()?;
            card.plot().append_child(&hair).ok()?;
            (hair, output)
        }
    };
    card.plot().set_attribute("data-x", &format!("{x:.0}")).ok()?;
    output.set_text_content(Some(text));
    let side = if x > (view.left + view.right) / 2.0 { "readout ahead" } else { "readout" };
    output.set_class_name(side);
    hair.style().set_property("left", &format!("{x:.0}px")).ok()
}

/// The time at a place and the value there.
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "spans are far below what a float can count")]
fn text(series: &Series, view: View, x: f64) -> String {
    let width = (view.right - view.left).max(1.0);
    let span = (view.to_ms - view.from_ms) as f64;
    let at = view.from_ms + ((x - view.left) / width * span) as i64;
    let c = &series.columns;
    let after = c.t.partition_point(|t| *t < at);
    let near = [after.saturating_sub(1), after].into_iter().filter(|index| *index < c.t.len()).min_by_key(|index| (c.t[*index] - at).abs());
    let local = |at: i64| at + browser::offset_ms(at);
    let Some(index) = near else { return stamp(local(at)) };
    let pick = |column: &[Option<crate::model::Number>]| column.get(index).copied().flatten();
    let when = stamp(local(c.t[index]));
    match (pick(&c.last), pick(&c.min), pick(&c.max)) {
        (Some(last), Some(min), Some(max)) if min != max => {
            let write = |n| format::fact(n, &series.unit);
            format!("{when}  {} ({} to {})", write(last), write(min), write(max))
        }
        (Some(last), ..) => format!("{when}  {}", format::fact(last, &series.unit)),
        _ => format!("{when}  no value"),
    }
}

fn stamp(local: i64) -> String {
    format!("{} {} {}", format::weekday(local), format::day(local), format::clock(local, true))
}
