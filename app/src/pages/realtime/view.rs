//! The menu for how the table looks: its columns, and how close its rows stand. It is of use to the island alone, which shows it.

use leptos::prelude::*;

use crate::model::{Column, Density, Frame};

/// Draws it.
pub(super) fn menu(frame: &Frame) -> AnyView {
    let choice = |name: &'static str, value: &'static str, checked: bool, words: &'static str| {
        view! { <label><input type="checkbox" name=name value=value checked=checked />{words}</label> }
    };
    let columns = Column::ALL.map(|column| {
        let words = match column {
            Column::Meaning => "Meaning",
            Column::Course => "Course",
            Column::Value => "Value",
            Column::Rate => "Per second",
        };
        choice("column", column.as_str(), frame.taste.shows(column), words)
    });
    view! {
        <details class="kind" id="view" hidden>
            <summary class="btn">"View"</summary>
            <form class="menu" autocomplete="off">
                <fieldset>
                    <legend>"Columns"</legend>
                    {columns.into_iter().collect_view()}
                </fieldset>
                <fieldset>
                    <legend>"Rows"</legend>
                    {choice("density", "compact", frame.taste.density == Density::Compact, "Compact")}
                </fieldset>
            </form>
        </details>
    }
    .into_any()
}
