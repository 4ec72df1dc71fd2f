//! Ticking: a check box writes at once and goes back when the server refuses. Moving between rows by keys.

use std::rc::Rc;

use leptos::{prelude::document, task::spawn_local};
use wasm_bindgen::JsCast;
use web_sys::{Element, Event, HtmlElement, HtmlInputElement, KeyboardEvent, Node};

use super::{about, live::Page};
use crate::{
    islands::{browser, dom},
    json::quoted,
    links,
    matching::{Query, words},
    shown::short,
    wording,
};

/// The check boxes that can be seen, in the page's order.
const SEEN: &str = "#rows details[open]:not([hidden]) tr:not([hidden]) .tick input[type=checkbox]";

/// Begins to listen to the form of the rows.
pub(super) fn listen(page: &Rc<Page>) {
    let Some(form) = dom::one("#rows") else { return };
    let this = page.clone();
    dom::on::<Event>(&form, "change", move |event| {
        if let Some(input) = dom::origin(&event, "input[name=on]").and_then(|input| input.dyn_into::<HtmlInputElement>().ok()) {
            tick(&this, input);
        }
        if let Some(input) = dom::origin(&event, "input[name=on_all]").and_then(|input| input.dyn_into::<HtmlInputElement>().ok()) {
            tick_words(&this, &input, input.checked());
        }
    });
    let this = page.clone();
    dom::on::<Event>(&form, "click", move |event| {
        if let Some(button) = dom::origin(&event, "button[name=tick], button[name=untick]") {
            event.prevent_default();
            tick_words(&this, &button, button.get_attribute("name").as_deref() == Some("tick"));
        }
    });
    dom::on::<KeyboardEvent>(&document(), "keydown", |event| keys(&event));
    // What was ticked before this island was there is not lost.
    for row in page.rows.borrow().iter() {
        if let Some(input) = row.check_box().filter(|input| input.checked() != row.element.class_list().contains("on")) {
            tick(page, input);
        }
    }
}

fn tick(page: &Rc<Page>, input: HtmlInputElement) {
    let (name, ticked) = (input.value(), input.checked());
    mark(&input, ticked);
    write_counts();
    let url = links::tick(&page.box_name, &name);
    let name = short(&name).into_owned();
    spawn_local(async move {
        match browser::request(if ticked { "PUT" } else { "DELETE" }, &url, None).await {
            Ok(_) => {
                let told = if ticked { "is recorded from its present value on." } else { "is no longer recorded. Its history stays." };
                dom::say(&format!("{name} {told}"), false);
                about::renew().await;
            }
            Err(why) => {
                mark(&input, !ticked);
                write_counts();
                dom::say(&format!("{name} could not be {}: {}", if ticked { "ticked" } else { "unticked" }, why.text), true);
            }
        }
    });
}

/// Ticks or unticks all that the words of a button, or of the check box for all processes, match.
fn tick_words(page: &Rc<Page>, button: &Element, ticked: bool) {
    let query = button.get_attribute("value").unwrap_or_default();
    let (page, button) = (page.clone(), button.clone());
    spawn_local(async move {
        let _ = button.set_attribute("aria-busy", "true");
        let words: Vec<String> = words(&query).iter().map(|word| quoted(word)).collect();
        let asked = format!("{{\"match\":[{}],\"ticked\":{ticked}}}", words.join(","));
        match browser::request("POST", &links::box_path(&page.box_name, "ticks"), Some(&asked)).await {
            Ok(_) => {
                let query = Query::parse(&query);
                for row in page.rows.borrow().iter().filter(|row| query.matches(&row.name)) {
                    if let Some(input) = row.check_box() {
                        mark(&input, ticked);
                    }
                }
                write_counts();
                dom::say(
                    if ticked { "Recorded from now on, with what appears later." } else { "No longer recorded. The history stays." },
                    false,
                );
            }
            Err(why) => {
                write_counts();
                dom::say(&format!("Nothing was changed: {}", why.text), true);
            }
        }
        let _ = button.remove_attribute("aria-busy");
    });
}

fn mark(input: &HtmlInputElement, ticked: bool) {
    input.set_checked(ticked);
    if let Ok(Some(row)) = input.closest("tr") {
        let _ = row.class_list().toggle_with_force("on", ticked);
    }
}

/// Counts of groups and of the page, and the buttons that have nothing left to do.
pub(super) fn write_counts() {
    let mut recorded = 0;
    // What stands for all processes is ticked where each of them is.
    for family in dom::all("#rows .family") {
        let is_on = dom::all_in(&family, ".member:not(.on)").is_empty();
        if let Some(input) = dom::all_in(&family, "input[name=on_all]").first().and_then(|input| input.dyn_ref::<HtmlInputElement>()) {
            mark(input, is_on);
        }
    }
    for group in dom::all("#rows details[data-group]") {
        let shown = dom::all_in(&group, ".on[data-name]").len();
        recorded += shown;
        let told = |what: &str| group.get_attribute(what).and_then(|count| count.parse::<usize>().ok()).unwrap_or_default();
        let (total, on) = (told("data-total"), shown + told("data-elsewhere"));
        for count in dom::all_in(&group, ".count") {
            dom::write(&count, &wording::group_count(total, on));
        }
        let _ = group.class_list().toggle_with_force("some", 0 < on && on < total);
        for button in dom::all_in(&group, ".acts button") {
            let useful = if button.get_attribute("name").as_deref() == Some("tick") { on < total } else { on > 0 };
            dom::show(&button, useful);
        }
    }
    if super::search::shows_everything() {
        write_choice(1, "recorded", recorded);
    }
    for (part, is_for_now) in [("before", recorded == 0), ("after", recorded > 0)] {
        if let Some(hint) = dom::one(&format!("#first [data-{part}]")) {
            dom::show(&hint, is_for_now);
        }
    }
}

/// Writes the count of a choice of rows.
pub(super) fn write_choice(place: usize, word: &str, count: usize) {
    if let Some(choice) = dom::all("nav.switch a").get(place) {
        dom::write(choice, &wording::show_count(word, count));
    }
}

fn keys(event: &KeyboardEvent) {
    const PLACES: &str = "#rows .tick input, #rows summary, [data-search]";
    let Some(here) = dom::origin(event, PLACES) else { return };
    let (in_search, in_row) = (here.has_attribute("data-search"), here.has_attribute("name") && !here.has_attribute("data-search"));
    let to = match event.key().as_str() {
        "ArrowDown" => neighbour(&here, true),
        "ArrowUp" if !in_search => neighbour(&here, false),
        // Enter in a search goes to what it found; on a check box it must not send the form.
        "Enter" if in_search => neighbour(&here, true),
        "Enter" if in_row => None,
        "ArrowLeft" if !in_search => fold(&here, true),
        "ArrowRight" if !in_search && !in_row => fold(&here, false),
        _ => return,
    };
    event.prevent_default();
    if let Some(to) = to.as_ref().and_then(|to| to.dyn_ref::<HtmlElement>()) {
        let _ = to.focus();
    }
}

/// The next row that can be seen, or the one before; before the first there is the search.
fn neighbour(here: &Element, down: bool) -> Option<Element> {
    // What is folded away is nowhere.
    let is_seen = |row: &Element| row.dyn_ref::<HtmlElement>().is_some_and(|row| row.offset_parent().is_some());
    let rows: Vec<Element> = dom::all(SEEN).into_iter().filter(is_seen).collect();
    let precedes = |row: &Element| row.compare_document_position(here) & Node::DOCUMENT_POSITION_FOLLOWING != 0;
    let before = rows.iter().take_while(|row| precedes(row)).count();
    let is_row = rows.get(before) == Some(here);
    match (down, before.checked_sub(1)) {
        (true, _) => rows.into_iter().nth(before + usize::from(is_row)),
        (false, Some(above)) => rows.into_iter().nth(above),
        (false, None) => dom::one("[data-search]"),
    }
}

/// Folds the group around a place or unfolds it; answers its heading, where one then stands.
fn fold(here: &Element, folded: bool) -> Option<Element> {
    let group = here.closest("details").ok().flatten()?;
    let _ = if folded { group.remove_attribute("open") } else { group.set_attribute("open", "") };
    group.query_selector("summary").ok().flatten()
}
