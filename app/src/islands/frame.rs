//! What every page gains in the browser: keys, local times, menus that close, and a place for messages.

use leptos::prelude::*;

/// Draws the places for messages: the seen one, and the one that is only heard. In the browser listens for keys.
#[island]
pub fn FrameLive() -> impl IntoView {
    #[cfg(feature = "hydrate")]
    browser::start();
    view! {
        <div id="toast" class="toast">
            <div id="say" role="status" aria-live="polite"></div>
            <button type="button" hidden aria-label="Put this message away">"✕"</button>
        </div>
        <div id="heard" class="vh" role="status" aria-live="polite"></div>
    }
}

#[cfg(feature = "hydrate")]
pub(super) use browser::local_times;

#[cfg(feature = "hydrate")]
mod browser {
    use leptos::prelude::document;
    use wasm_bindgen::{JsCast, JsValue};
    use web_sys::{Element, Event, HtmlElement, HtmlInputElement, KeyboardEvent, Node};

    use crate::{
        format,
        islands::{browser as asked, dom},
    };

    pub(super) fn start() {
        local_times();
        local_fields();
        dom::on::<Event>(&document(), "submit", |event| send_instants(&event));
        dom::on::<KeyboardEvent>(&document(), "keydown", |event| keys(&event));
        dom::on::<Event>(&document(), "click", |event| {
            if dom::origin(&event, "#toast button").is_some() {
                dom::put_away();
            }
            close_menus(&event);
        });
    }

    fn keys(event: &KeyboardEvent) {
        if event.ctrl_key() || event.meta_key() || event.alt_key() {
            return;
        }
        let key = event.key();
        let done = match key.as_str() {
            "Escape" => escape(event),
            _ if typing(event) => false,
            "/" => search().is_some_and(|search| {
                search.select();
                search.focus().is_ok()
            }),
            // The dialog takes the focus, and gives it back when it closes.
            "?" => dom::one_html("#help").is_some_and(|help| help.toggle_popover().is_ok()),
            _ => false,
        };
        if done {
            event.prevent_default();
        }
    }

    /// Closes a menu, clears the search, or puts a message away; answers whether there was one. Dialogs close by themselves.
    fn escape(event: &Event) -> bool {
        if let Some(menu) = dom::one("details.kind[open]") {
            let _ = menu.remove_attribute("open");
            return dom::all_in(&menu, "summary")
                .first()
                .and_then(|mark| mark.dyn_ref::<HtmlElement>())
                .is_some_and(|mark| mark.focus().is_ok());
        }
        if let Some(search) = search().filter(|search| dom::origin(event, "[data-search]").is_some() && !search.value().is_empty()) {
            search.set_value("");
            return Event::new("input").is_ok_and(|input| search.dispatch_event(&input).is_ok());
        }
        dom::one(":popover-open").is_none() && dom::put_away()
    }

    fn search() -> Option<HtmlInputElement> {
        dom::one("[data-search]")?.dyn_into().ok()
    }

    /// A menu stays open for those who are in it.
    fn close_menus(event: &Event) {
        let target = event.target().and_then(|target| target.dyn_into::<Node>().ok());
        let outside = |menu: &Element| !menu.contains(target.as_ref());
        for menu in dom::all("details.kind[open]").iter().filter(|menu| outside(menu)) {
            let _ = menu.remove_attribute("open");
        }
    }

    /// Whether the key belongs to a text field.
    fn typing(event: &Event) -> bool {
        dom::origin(event, "input:not([type=checkbox]), textarea, select").is_some()
    }

    /// Times are written in UTC by the server, which does not know where the reader is.
    pub(in crate::islands) fn local_times() {
        if let (Some(place), Some(zone)) = (dom::one("[data-times]"), asked::zone()) {
            dom::write(&place, &format!("times in {zone}"));
        }
        for time in dom::all("time[data-ms]") {
            let Some(ms) = time.get_attribute("data-ms").and_then(|ms| ms.parse().ok()) else { continue };
            if time.has_attribute("data-clock") {
                dom::write(&time, &format::day_and_clock(ms + asked::offset_ms(ms)));
            }
            if let (Some(local), Ok(time)) = (local(ms), time.dyn_into::<HtmlElement>()) {
                time.set_title(&local);
            }
        }
    }

    /// Fields for instants show them in local time, as they are read.
    fn local_fields() {
        if let (Some(hint), Some(zone)) = (dom::one("[data-times-hint]"), asked::zone()) {
            dom::write(&hint, &format!("Times in {zone}"));
        }
        for field in dom::all("input[data-ms]") {
            let Some(ms) = field.get_attribute("data-ms").and_then(|ms| ms.parse::<i64>().ok()) else { continue };
            if let Ok(field) = field.dyn_into::<HtmlInputElement>() {
                field.set_value(&format::for_field(ms + asked::offset_ms(ms)));
            }
        }
    }

    /// What was typed in local time is sent as an instant: the server does not know where the reader is.
    fn send_instants(event: &Event) {
        let Some(form) = dom::origin(event, "form[data-local-times]") else { return };
        for field in dom::all_in(&form, "input[type=datetime-local]") {
            let Ok(field) = field.dyn_into::<HtmlInputElement>() else { continue };
            if let Some(at) = asked::instant(&field.value()) {
                field.set_type("hidden");
                field.set_value(&at.to_string());
            }
        }
    }

    /// By the browser's own words and zone.
    #[expect(clippy::cast_precision_loss, reason = "dates are floats in JavaScript")]
    fn local(ms: i64) -> Option<String> {
        let date = js_sys::Date::new(&JsValue::from_f64(ms as f64));
        let format = js_sys::Reflect::get(&date, &JsValue::from_str("toLocaleString")).ok()?;
        let format = format.dyn_into::<js_sys::Function>().ok()?;
        format.call2(&date, &JsValue::UNDEFINED, &asked::of_zone()).ok()?.as_string()
    }
}
