//! What every page gains in the browser: keys, local times, and a place for messages.

use leptos::prelude::*;

/// Draws the place for messages; in the browser listens for `/` and `?`.
#[island]
pub fn FrameLive() -> impl IntoView {
    #[cfg(feature = "hydrate")]
    Effect::new(move |_| browser::start());
    view! { <div id="say" class="toast" role="status" aria-live="polite"></div> }
}

#[cfg(feature = "hydrate")]
mod browser {
    use leptos::prelude::document;
    use wasm_bindgen::{JsCast, JsValue};
    use web_sys::{Event, HtmlElement, HtmlInputElement, KeyboardEvent};

    use crate::islands::dom;

    pub(super) fn start() {
        local_times();
        dom::on::<KeyboardEvent>(&document(), "keydown", |event| keys(&event));
        if let Some(asked) = dom::one_html("[data-focus]") {
            let _ = asked.focus();
        }
    }

    fn keys(event: &KeyboardEvent) {
        if event.ctrl_key() || event.meta_key() || event.alt_key() || typing(event) {
            return;
        }
        let done = match event.key().as_str() {
            "/" => dom::one("[data-search]").and_then(|search| search.dyn_into::<HtmlInputElement>().ok()).map(|search| {
                let _ = search.focus();
                search.select();
            }),
            "?" => dom::one_html("#help").map(|help| {
                let _ = help.toggle_popover();
            }),
            _ => None,
        };
        if done.is_some() {
            event.prevent_default();
        }
    }

    /// Whether the key belongs to a text field.
    fn typing(event: &Event) -> bool {
        dom::origin(event, "input:not([type=checkbox]), textarea, select").is_some()
    }

    /// Times are written in UTC by the server, which does not know where the reader is.
    fn local_times() {
        for time in dom::all("time[data-ms]") {
            let Some(ms) = time.get_attribute("data-ms").and_then(|ms| ms.parse::<f64>().ok()) else { continue };
            if let (Some(local), Ok(time)) = (local(ms), time.dyn_into::<HtmlElement>()) {
                time.set_title(&local);
            }
        }
    }

    /// By the browser's own words and zone.
    fn local(ms: f64) -> Option<String> {
        let date = js_sys::Date::new(&JsValue::from_f64(ms));
        let format = js_sys::Reflect::get(&date, &JsValue::from_str("toLocaleString")).ok()?;
        format.dyn_into::<js_sys::Function>().ok()?.call0(&date).ok()?.as_string()
    }
}
