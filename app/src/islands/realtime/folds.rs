//! Which groups a reader has folded, remembered by the browser from one visit to the next, for all boxes: whom `core` does not concern,
//! it does not concern anywhere. A browser that remembers nothing is no worse off than without this.

use std::cell::RefCell;

use leptos::prelude::window;
use wasm_bindgen::{JsCast, prelude::Closure};
use web_sys::{Element, Event, HtmlDetailsElement, Storage};

use crate::{
    islands::dom,
    json::{Json, quoted},
};

/// What the browser calls it: a list of groups as JSON.
const KEY: &str = "tickmark.folded";
/// So many groups are remembered.
const FOLDED_MAX: usize = 1000;

thread_local! {
    /// A list: a set would be code for the same few names.
    static FOLDED: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// Folds what was folded before, and remembers what is folded from now on.
pub(super) fn start() {
    let Some(rows) = dom::one("#rows") else { return };
    FOLDED.replace(remembered().unwrap_or_default());
    apply(&rows);
    let toggled = Closure::<dyn Fn(Event)>::new(|event: Event| {
        if let Some(group) = event.target().and_then(|target| target.dyn_into::<HtmlDetailsElement>().ok()) {
            remember(&group);
        }
    });
    // This event does not rise from where it happens: it is caught on its way down.
    let _ = rows.add_event_listener_with_callback_and_bool("toggle", toggled.into_js_value().unchecked_ref(), true);
}

/// Folds groups that were drawn anew.
pub(super) fn apply(rows: &Element) {
    for group in dom::all_in(rows, "details[data-group]") {
        let folded = group.get_attribute("data-group").is_some_and(|name| FOLDED.with_borrow(|folded| folded.contains(&name)));
        if folded {
            let _ = group.remove_attribute("open");
        }
    }
}

fn remember(group: &HtmlDetailsElement) {
    let Some(name) = group.get_attribute("data-group") else { return };
    FOLDED.with_borrow_mut(|folded| {
        folded.retain(|other| *other != name);
        if !group.open() && folded.len() < FOLDED_MAX {
            folded.push(name);
        }
    });
    if let Some(storage) = storage() {
        let list: Vec<String> = FOLDED.with_borrow(|folded| folded.iter().map(|name| quoted(name)).collect());
        // A full storage is as good as none.
        let _ = storage.set_item(KEY, &format!("[{}]", list.join(",")));
    }
}

fn remembered() -> Option<Vec<String>> {
    let text = storage()?.get_item(KEY).ok()??;
    Some(Json::parse(&text)?.list()?.iter().filter_map(|name| name.text().map(str::to_owned)).collect())
}

/// None where the reader forbids it.
pub(super) fn storage() -> Option<Storage> {
    window().local_storage().ok()?
}
