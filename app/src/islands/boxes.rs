//! The page Boxes in the browser: the list stays true, and "Find out" answers in place, so that a password typed already is not lost.

use leptos::prelude::*;

/// Keeps the list true, and listens to the button "Find out".
#[island]
pub fn BoxesLive() -> impl IntoView {
    #[cfg(feature = "hydrate")]
    browser::start();
    view! { <span hidden></span> }
}

#[cfg(feature = "hydrate")]
mod browser {
    use std::time::Duration;

    use leptos::{
        prelude::{document, set_interval},
        task::spawn_local,
    };
    use wasm_bindgen::JsCast;
    use web_sys::{Element, Event, HtmlInputElement, HtmlSelectElement, Url};

    use crate::{
        format,
        islands::{browser, dom},
        json::quoted,
        links,
        model::{Certificates, ProbeReport},
        reading::{self, BoxList, BoxNews},
        wording,
    };

    /// How often the list is brought up to date while it is seen.
    const REFRESH_STEP: Duration = Duration::from_secs(5);

    /// Asks how all boxes do.
    async fn refresh() {
        if browser::is_hidden() {
            return;
        }
        // Why not is said above the page.
        let Ok(BoxList(list)) = browser::get_json(&format!("{}/boxes", links::API)).await else { return };
        for row in dom::all("tr[data-box]") {
            let name = row.get_attribute("data-box").unwrap_or_default();
            write(&row, &name, list.iter().find(|one| one.name == name));
        }
    }

    /// Writes how a box does into its row; one that is not there any more was removed.
    fn write(row: &Element, name: &str, one: Option<&BoxNews>) {
        let text = |place: &str, text: &str| {
            if let Ok(Some(place)) = row.query_selector(place) {
                dom::write(&place, text);
            }
        };
        let (dot, word) = one.map_or(("dot down", "removed"), |one| wording::state_look(one.state));
        if let Ok(Some(mark)) = row.query_selector(".dot") {
            mark.set_class_name(dot);
        }
        let reason = one.and_then(|one| one.reason.as_deref());
        text("[data-word]", word);
        text("[data-reason]", &reason.map(wording::sentence).unwrap_or_default());
        if let Some(one) = one {
            text("[data-age]", &one.age_ms.map(|age| format!("{} ago", format::age(age))).unwrap_or_default());
            text("[data-label=Statistics]", &one.statistics.to_string());
            text("[data-label=Recorded] a span", &one.recorded.to_string());
        }
        let key = one.map_or("removed", |one| wording::state_key(one.state));
        if row.get_attribute("data-state").as_deref() != Some(key) {
            let _ = row.set_attribute("data-state", key);
            dom::hear(&one.map_or_else(|| wording::removed_news(name), |one| wording::state_news(name, one.state, reason)));
        }
    }

    pub(super) fn start() {
        set_interval(|| spawn_local(refresh()), REFRESH_STEP);
        let Some(button) = dom::one("#box-form button[value=probe]") else { return };
        let target = button.clone();
        dom::on::<Event>(&target, "click", move |event| {
            part_login();
            let (typed, told) = (value("address").trim().to_owned(), certificates());
            if typed.is_empty() || (typed.contains('#') && !told.is_empty()) {
                // The browser says itself that it is missing, and the panel brings the two together.
                return;
            }
            let address = told.behind(&typed);
            event.prevent_default();
            let button = button.clone();
            spawn_local(async move {
                let _ = button.set_attribute("aria-busy", "true");
                panel("note", "Asking…", &[]);
                let (user, password) = (filled("user"), filled("password"));
                let question = format!("{{\"address\":{},\"user\":{user},\"password\":{password}}}", quoted(&address));
                match browser::request("POST", &format!("{}/boxes/probe", links::API), Some(&question)).await {
                    Ok(answer) => match reading::read::<ProbeReport>(&answer) {
                        Some(report) => found(&button, &report),
                        None => panel("note bad", "The panel's answer could not be read. Reload the page.", &[]),
                    },
                    Err(why) => panel("note bad", &why.text, &[]),
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

    /// What is in a field, as JSON; `null` when it is empty.
    fn filled(name: &str) -> String {
        Some(value(name)).filter(|value| !value.is_empty()).map_or_else(|| "null".to_owned(), |value| quoted(&value))
    }

    /// What the fields of certificates say.
    fn certificates() -> Certificates {
        let file = |name: &str| value(name).trim().to_owned();
        let unchecked = input("verify").is_some_and(|input| input.checked());
        Certificates { ca: file("ca"), cert: file("cert"), key: file("key"), unchecked }
    }

    /// A login that was typed into the address goes into its own fields: the address comes back without it.
    fn part_login() {
        let Some(address) = input("address").filter(|address| address.value().contains('@')) else { return };
        let text = address.value();
        let text = text.trim();
        let Ok(url) = Url::new(&if text.contains("://") { text.to_owned() } else { format!("http://{text}") }) else { return };
        let decoded = |text: String| js_sys::decode_uri_component(&text).map_or(text, String::from);
        let login = [("user", decoded(url.username())), ("password", decoded(url.password()))];
        let given = |name: &str| Some(value(name)).filter(|value| !value.is_empty());
        // Of two that differ the panel says so.
        let differs = login.iter().any(|(name, text)| !text.is_empty() && given(name).is_some_and(|given| given != *text));
        if differs || login.iter().all(|(_, text)| text.is_empty()) {
            return;
        }
        for (name, text) in login.iter().filter(|(_, text)| !text.is_empty()) {
            if let Some(field) = input(name) {
                field.set_value(text);
            }
        }
        url.set_username("");
        url.set_password("");
        address.set_value(&url.href());
        if let Some(details) = input("password").and_then(|field| field.closest("details").ok().flatten()) {
            let _ = details.set_attribute("open", "");
        }
    }

    fn found(button: &Element, report: &ProbeReport) {
        let (class, title, next) = wording::probe(report);
        panel(class, &title, &[&wording::sentence(&report.message), next]);
        let Some(kind) = report.kind else { return };
        if let Some(choice) = dom::one("#f-kind").and_then(|choice| choice.dyn_into::<HtmlSelectElement>().ok()) {
            choice.set_value(kind.as_str());
        }
        if let Some(address) = input("address").filter(|_| !report.address.is_empty()) {
            // What has fields of its own stays there.
            let told = if certificates().is_empty() { None } else { report.address.split('#').next() };
            address.set_value(told.unwrap_or(&report.address));
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
