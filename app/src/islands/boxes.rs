//! The page Boxes in the browser: "Find out" answers in place, so that a password typed already is not lost.

use leptos::prelude::*;

/// Listens to the button "Find out".
#[island]
pub fn BoxesLive() -> impl IntoView {
    #[cfg(feature = "hydrate")]
    Effect::new(move |_| browser::start());
    view! { <span hidden></span> }
}

#[cfg(feature = "hydrate")]
mod browser {
    use leptos::{prelude::document, task::spawn_local};
    use wasm_bindgen::JsCast;
    use web_sys::{Element, Event, HtmlInputElement};

    use crate::{islands::dom, links, model::ProbeReport, wording};

    pub(super) fn start() {
        let Some(button) = dom::one("#box-form button[value=probe]") else { return };
        let target = button.clone();
        dom::on::<Event>(&target, "click", move |event| {
            let address = value("address");
            if address.trim().is_empty() {
                // The browser says itself that it is missing.
                return;
            }
            event.prevent_default();
            let button = button.clone();
            spawn_local(async move {
                let _ = button.set_attribute("aria-busy", "true");
                panel("note", "Asking…", &[]);
                let question = serde_json::json!({ "address": address, "user": filled("user"), "password": filled("password") });
                match dom::request("POST", &format!("{}/boxes/probe", links::API), Some(&question.to_string())).await {
                    Ok(answer) => match serde_json::from_str::<ProbeReport>(&answer) {
                        Ok(report) => found(&button, &report),
                        Err(_) => panel("note bad", "The panel's answer could not be read. Reload the page.", &[]),
                    },
                    Err(why) => panel("note bad", &why, &[]),
                }
                let _ = button.remove_attribute("aria-busy");
            });
        });
    }

    fn input(name: &str) -> Option<HtmlInputElement> {
        dom::one(&format!("#f-{name}"))?.dyn_into().ok()
    }

    fn value(name: &str) -> String {
        input(name).map(|input| input.value()).unwrap_or_default()
    }

    fn filled(name: &str) -> Option<String> {
        Some(value(name)).filter(|value| !value.is_empty())
    }

    fn found(button: &Element, report: &ProbeReport) {
        let (class, title, next) = wording::probe(report);
        panel(class, &title, &[&report.message, next]);
        let Some(kind) = report.kind else { return };
        if let Some(option) = dom::one(&format!("#f-kind option[value={}]", kind.as_str())) {
            let _ = option.set_attribute("selected", "");
        }
        if let Some(address) = input("address").filter(|_| !report.address.is_empty()) {
            address.set_value(&report.address);
        }
        if let Some(name) = input("name").filter(|name| name.value().is_empty()) {
            let taken: Vec<String> = dom::all("tr[data-box]").iter().filter_map(|row| row.get_attribute("data-box")).collect();
            let taken: Vec<&str> = taken.iter().map(String::as_str).collect();
            name.set_value(&wording::free_name(kind, &taken));
        }
        button.set_class_name("btn");
        if let Some(add) = dom::one("#box-form button[value=add]") {
            add.set_class_name("btn main");
        }
    }

    /// Fills the panel with texts, never with HTML.
    fn panel(class: &str, title: &str, texts: &[&str]) {
        let (Some(place), Ok(panel)) = (dom::one("#probe"), document().create_element("div")) else { return };
        panel.set_class_name(class);
        let _ = panel.set_attribute("role", "status");
        for (tag, text) in std::iter::once(("b", title)).chain(texts.iter().map(|text| ("span", *text))) {
            if let Ok(line) = document().create_element(tag) {
                line.set_text_content(Some(text));
                let _ = panel.append_child(&line);
            }
        }
        place.set_text_content(None);
        let _ = place.append_child(&panel);
    }
}
