//! Choosing many rows, to do one thing with all of them. The island shows both the button and the bar; without it each row, each group
//! and each search has what the bar offers.

use leptos::prelude::*;

/// Begins to choose, and ends it.
pub(super) fn button() -> impl IntoView {
    view! {
        <button class="btn" type="button" title="Choose rows, and do something with all of them (x)" data-select aria-pressed="false" hidden>
            "Select"
        </button>
    }
}

/// What can be done with those that are chosen.
pub(super) fn bar() -> impl IntoView {
    view! {
        <div class="save picks" id="picks" role="toolbar" aria-label="Chosen rows" hidden>
            <b></b>
            <button class="btn main" name="tick" value="">"Tick"</button>
            <button class="btn" name="untick" value="">"Untick"</button>
            <a class="btn" data-to="charts">"Chart together"</a>
            <a class="btn" data-to="closely">"Watch closely"</a>
            <a class="btn" data-to="reset">"Reset…"</a>
            <button class="btn" type="button" data-copy>"Copy"</button>
            <button class="ghost" type="button" data-end>"Done"</button>
        </div>
    }
}
