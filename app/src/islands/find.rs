//! The field of a page's search: how it is emptied, and what else on the page says where the page is. Knows no page.

use leptos::prelude::window;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Event, HtmlInputElement};

use super::dom;
use crate::links;

/// The field.
pub(super) fn field() -> Option<HtmlInputElement> {
    dom::one("[data-search]")?.dyn_into().ok()
}

/// Has the button beside the field empty it, as if somebody had typed that.
pub(super) fn clear_by_button(field: &HtmlInputElement) {
    if let Some(clear) = dom::one("[data-clear]") {
        let field = field.clone();
        dom::on::<Event>(&clear, "click", move |event| {
            event.prevent_default();
            field.set_value("");
            let _ = field.focus();
            let _ = Event::new("input").map(|input| field.dispatch_event(&input));
        });
    }
}

/// The address of the page as it is now: path and query.
pub(super) fn here() -> String {
    let location = window().location();
    let part = |part: Result<String, JsValue>| part.unwrap_or_default();
    part(location.pathname()) + &part(location.search())
}

/// The page is here from now on: its address says so, and what leads back comes back here.
pub(super) fn say_where(here: &str) {
    if let Ok(history) = window().history() {
        let _ = history.replace_state_with_url(&JsValue::NULL, "", Some(here));
    }
    for back in dom::all("input[name=return]") {
        let _ = back.set_attribute("value", here);
    }
    if let Some(login) = dom::one("#lost a") {
        let _ = login.set_attribute("href", &links::with_query(links::LOGIN, &[("next", here)]));
    }
}
