//! How the table looks: columns and density, by the menu "View". The server keeps it with the account.

use wasm_bindgen::JsCast;
use web_sys::{Event, HtmlInputElement};

use crate::{
    islands::{browser, dom},
    links,
};

/// Shows the menu.
pub(super) fn start() {
    let Some(menu) = dom::one("#view") else { return };
    dom::show(&menu, true);
    dom::on::<Event>(&menu, "change", |_| {
        apply();
        leptos::task::spawn_local(async {
            // Where it cannot be kept the table looks so until it is left.
            let _ = browser::request("PATCH", &format!("{}/me/settings", links::API), Some(&told())).await;
        });
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

/// What is chosen, as the API takes it. The words are plain.
fn told() -> String {
    let is_compact = inputs().any(|(input, is_column)| !is_column && input.checked());
    let without = inputs().filter(|(input, is_column)| *is_column && !input.checked()).map(|(input, _)| format!("\"{}\"", input.value()));
    let without = without.collect::<Vec<_>>().join(",");
    format!("{{\"density\":\"{}\",\"without\":[{without}]}}", if is_compact { "compact" } else { "comfortable" })
}

/// Has the table look so.
fn apply() {
    let unusual: Vec<String> = inputs().filter(|(input, usual)| input.checked() != *usual).map(|(input, _)| input.value()).collect();
    let words = unusual.join(" ");
    if let Some(rows) = dom::one("#rows") {
        // A density is a word among them: which is whose, the style knows.
        let _ = rows.set_attribute("data-without", &words);
        let _ = rows.remove_attribute("data-density");
    }
}
