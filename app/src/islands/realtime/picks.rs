//! Choosing many rows, and copying rows. The bar of what can be done with those that are chosen has the page's own buttons and links: only
//! their words are written here.

use std::{cell::Cell, rc::Rc};

use leptos::prelude::document;
use wasm_bindgen::JsCast;
use web_sys::{Element, Event, HtmlDocument, HtmlElement, HtmlTextAreaElement, KeyboardEvent, MouseEvent};

use super::live::Page;
use crate::{islands::dom, links, matching::quoted, wording};

/// Longer addresses are refused on the way.
const MAX_ADDRESS_BYTES: usize = 12_000;
/// How often what is chosen is asked, when it is looked at closely.
const CLOSELY: &str = "200ms";

thread_local! {
    /// Where the last row was chosen: a range goes on from there.
    static LAST: Cell<usize> = const { Cell::new(0) };
}

/// Shows the button, and listens.
pub(super) fn listen(page: &Rc<Page>) {
    let (Some(form), Some(button)) = (dom::one("#rows"), dom::one("[data-select]")) else { return };
    dom::show(&button, true);
    let this = page.clone();
    dom::on::<Event>(&button, "click", move |_| choose(&this, !is_choosing()));
    let this = page.clone();
    dom::on::<MouseEvent>(&form, "click", move |event| {
        if dom::origin(&event, "[data-end]").is_some() {
            choose(&this, false);
        } else if dom::origin(&event, "[data-copy]").is_some() {
            copy(&this, None);
        } else if let Some(row) = dom::origin(&event, "tr[data-name]") {
            let elsewhere = dom::origin(&event, "a, summary").is_some();
            if !elsewhere && (is_choosing() || event.shift_key()) {
                event.prevent_default();
                choose(&this, true);
                pick(&this, &row, event.shift_key());
            }
        }
    });
    let this = page.clone();
    dom::on::<KeyboardEvent>(&document(), "keydown", move |event| {
        if event.ctrl_key() || event.meta_key() || event.alt_key() {
            return;
        }
        let row = dom::origin(&event, "#rows tr[data-name]");
        match (event.key().as_str(), row) {
            ("x", Some(row)) => {
                choose(&this, true);
                pick(&this, &row, false);
            }
            ("c", Some(row)) => copy(&this, Some(&row).filter(|_| !is_choosing())),
            ("Escape", _) if is_choosing() => choose(&this, false),
            _ => {}
        }
    });
}

fn is_choosing() -> bool {
    dom::one("#rows.selecting").is_some()
}

/// Begins to choose, or ends it: then nothing is chosen any more.
pub(super) fn choose(page: &Page, begins: bool) {
    let (Some(form), Some(button)) = (dom::one("#rows"), dom::one("[data-select]")) else { return };
    let _ = form.class_list().toggle_with_force("selecting", begins);
    // What is said stands above the bar.
    let _ = document().body().is_some_and(|body| body.class_list().toggle_with_force("above-bar", begins).is_ok());
    let _ = button.set_attribute("aria-pressed", if begins { "true" } else { "false" });
    let _ = button.class_list().toggle_with_force("on", begins);
    if !begins {
        for row in dom::all("#rows .picked") {
            let _ = row.class_list().remove_1("picked");
        }
    }
    write(page);
}

/// Chooses a row or lets it go; with a range, also those between it and the last.
fn pick(page: &Page, row: &Element, range: bool) {
    let rows = page.rows.borrow();
    let Some(place) = rows.iter().position(|one| one.element == *row) else { return };
    let last = LAST.replace(place);
    let picked = range || !row.class_list().contains("picked");
    let (from, to) = if range { (last.min(place), last.max(place)) } else { (place, place) };
    for one in rows.iter().take(to + 1).skip(from).filter(|one| is_seen(&one.element)) {
        let _ = one.element.class_list().toggle_with_force("picked", picked);
    }
    drop(rows);
    let count = write(page);
    dom::hear_last(&wording::chosen(count));
}

fn is_seen(row: &Element) -> bool {
    row.dyn_ref::<HtmlElement>().is_some_and(|row| row.offset_parent().is_some())
}

/// Says how many are chosen, and what leads where; answers how many.
fn write(page: &Page) -> usize {
    let Some(bar) = dom::one("#picks") else { return 0 };
    let rows = page.rows.borrow();
    let names: Vec<String> = rows.iter().filter(|row| row.element.class_list().contains("picked")).map(|row| quoted(&row.name)).collect();
    let words = names.join(" ");
    dom::show(&bar, is_choosing());
    for told in dom::all_in(&bar, "b") {
        dom::write(&told, &wording::chosen(names.len()));
    }
    for button in dom::all_in(&bar, "button:not([data-end])") {
        dom::show(&button, !names.is_empty());
        let _ = button.set_attribute("value", &words);
    }
    for link in dom::all_in(&bar, "a") {
        let to = match link.get_attribute("data-to").as_deref() {
            Some("charts") => links::with_query(links::CHARTS, &[("box", &page.box_name), ("match", &words)]),
            Some("reset") => links::reset(&page.box_name, &words),
            _ => links::with_query(links::REALTIME, &[("box", &page.box_name), ("match", &words), ("every", CLOSELY)]),
        };
        dom::show(&link, !names.is_empty() && to.len() < MAX_ADDRESS_BYTES);
        let _ = link.set_attribute("href", &to);
    }
    names.len()
}

/// Copies a row, or all that are chosen: `group:name value`, a line each.
fn copy(page: &Page, row: Option<&Element>) {
    let rows = page.rows.borrow();
    let is_meant = |one: &Element| row.map_or_else(|| one.class_list().contains("picked"), |row| row == one);
    let lines: Vec<String> = rows.iter().filter(|one| is_meant(&one.element)).map(super::rows::Row::line).collect();
    let text = lines.join("\n");
    if !lines.is_empty() && to_clipboard(&text).is_some() {
        dom::say(&if lines.len() == 1 { format!("Copied: {text}") } else { format!("Copied {} lines.", lines.len()) }, false);
    }
}

/// The old way: the new one is refused to pages that come without TLS.
fn to_clipboard(text: &str) -> Option<()> {
    let document = document();
    let before = document.active_element();
    let area = document.create_element("textarea").ok()?;
    area.set_text_content(Some(text));
    area.set_class_name("vh");
    document.body()?.append_child(&area).ok()?;
    let text = area.dyn_ref::<HtmlTextAreaElement>()?;
    text.focus().ok()?;
    text.select();
    let copied = document.dyn_into::<HtmlDocument>().ok()?.exec_command("copy");
    area.remove();
    if let Some(before) = before.and_then(|before| before.dyn_into::<HtmlElement>().ok()) {
        let _ = before.focus();
    }
    copied.ok().filter(|copied| *copied).map(drop)
}
