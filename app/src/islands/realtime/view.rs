//! How the table looks: columns and density, by the menu "View". The browser remembers what differs from what is usual.

use wasm_bindgen::JsCast;
use web_sys::{Event, HtmlInputElement};

use super::folds::storage;
use crate::islands::dom;

/// What the browser calls it: the words of columns that are left out, and of a density.
const KEY: &str = "tickmark.taste";

/// Shows the menu, and the table as it was liked before.
pub(super) fn start() {
    let Some(menu) = dom::one("#view") else { return };
    dom::show(&menu, true);
    if let Some(kept) = storage().and_then(|storage| storage.get_item(KEY).ok()?) {
        for (input, is_column) in inputs() {
            let is_kept = kept.split(' ').any(|word| word == input.value());
            input.set_checked(is_kept != is_column);
        }
        apply();
    }
    dom::on::<Event>(&menu, "change", |_| {
        let kept = apply();
        if let Some(storage) = storage() {
            // A full storage is as good as none.
            let _ = storage.set_item(KEY, &kept);
        }
    });
}

/// The check boxes of the menu, and whether each is of a column, which is usually there.
fn inputs() -> impl Iterator<Item = (HtmlInputElement, bool)> {
    let inputs = dom::all("#view input").into_iter().filter_map(|input| input.dyn_into::<HtmlInputElement>().ok());
    inputs.map(|input| {
        let is_column = input.name() == "column";
        (input, is_column)
    })
}

/// Has the table look so; answers the words for it.
fn apply() -> String {
    let unusual: Vec<String> = inputs().filter(|(input, usual)| input.checked() != *usual).map(|(input, _)| input.value()).collect();
    let words = unusual.join(" ");
    if let Some(rows) = dom::one("#rows") {
        // A density is a word among them: which is whose, the style knows.
        let _ = rows.set_attribute("data-without", &words);
        let _ = rows.remove_attribute("data-density");
    }
    words
}
