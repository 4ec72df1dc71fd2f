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
    use std::{cell::Cell, time::Duration};

    use leptos::{
        prelude::{document, set_interval, set_timeout},
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

    /// How long typing must rest before an address is asked.
    const REST: Duration = Duration::from_millis(700);

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
        let (target, asking) = (button.clone(), button.clone());
        dom::on::<Event>(&target, "click", move |event| {
            part_login();
            if let Some(address) = address() {
                event.prevent_default();
                spawn_local(probe(asking.clone(), address, begin(), true));
            }
        });
        let Some(field) = input("address") else { return };
        dom::on::<Event>(&field, "input", move |_| {
            let (turn, button) = (begin(), button.clone());
            panel("", "", &[]);
            let _ = button.remove_attribute("aria-busy");
            set_timeout(
                move || {
                    if let Some(address) = address().filter(|address| is_turn(turn) && may_be_asked(address)) {
                        spawn_local(probe(button, address, turn, false));
                    }
                },
                REST,
            );
        });
    }

    thread_local! {
        /// Counts what was typed and pressed: an answer to anything but the last comes too late.
        static TURN: Cell<u32> = const { Cell::new(0) };
    }

    fn begin() -> u32 {
        TURN.set(TURN.get().wrapping_add(1));
        TURN.get()
    }

    fn is_turn(turn: u32) -> bool {
        TURN.get() == turn
    }

    /// What is to be asked; none where it is missing, which the browser says itself, or where the panel has to bring two together.
    fn address() -> Option<String> {
        let (typed, told) = (value("address").trim().to_owned(), certificates());
        let is_clear = !typed.is_empty() && (!typed.contains('#') || told.is_empty());
        is_clear.then(|| told.behind(&typed))
    }

    /// Whether an address is asked as it is typed: one of HTTP that could be whole. What half a name of a FIFO or a socket would reach is
    /// not for this to find out, and half a login is nobody's business.
    fn may_be_asked(address: &str) -> bool {
        let (scheme, rest) = address.split_once("://").unwrap_or(("http", address));
        scheme.contains("http")
            && rest.len() > 3
            && !rest.contains(":/")
            && !rest.starts_with('/')
            && !rest.ends_with(['.', ':'])
            && !rest.contains(['@', ' '])
    }

    /// Asks what is there, and says it. Who `pressed` for that has the form filled in as well.
    async fn probe(button: Element, address: String, turn: u32, pressed: bool) {
        let _ = button.set_attribute("aria-busy", "true");
        panel("note", "Asking…", &[]);
        let (user, password) = (filled("user"), filled("password"));
        let question = format!("{{\"address\":{},\"user\":{user},\"password\":{password}}}", quoted(&address));
        let answer = browser::request("POST", &format!("{}/boxes/probe", links::API), Some(&question)).await;
        if !is_turn(turn) {
            return;
        }
        let _ = button.remove_attribute("aria-busy");
        match answer {
            Ok(answer) => match reading::read::<ProbeReport>(&answer) {
                Some(report) => found(&button, &report, pressed),
                None => panel("note bad", "The panel's answer could not be read. Reload the page.", &[]),
            },
            // Who may not ask did not ask for this either.
            Err(why) if !pressed && why.status == 403 => panel("", "", &[]),
            Err(why) => panel("note bad", &why.text, &[]),
        }
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

    fn found(button: &Element, report: &ProbeReport, pressed: bool) {
        let (class, title, next) = wording::probe(report);
        panel(class, &title, &[&wording::sentence(&report.message), next]);
        let Some(kind) = report.kind else { return };
        // Nothing is changed that somebody may still be typing.
        if let Some(choice) = dom::one("#f-kind").filter(|_| pressed).and_then(|choice| choice.dyn_into::<HtmlSelectElement>().ok()) {
            choice.set_value(kind.as_str());
        }
        if let Some(address) = input("address").filter(|_| pressed && !report.address.is_empty()) {
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
        if !title.is_empty() {
            let _ = place.append_child(&panel);
        }
    }
}
