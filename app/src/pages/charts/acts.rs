//! What can be done with one chart as it stands. The link is one without JavaScript; with it, `hands.js` copies it and does the rest.

use leptos::prelude::*;

use crate::pages::icons::{Icon, icon};

/// Its link, on paper, and on the whole screen.
pub(in crate::pages) fn acts(link: String, name: &str) -> AnyView {
    let label = |what: &str| format!("{what}: {name}");
    view! {
        <span class="chart-acts">
            <a class="ghost" href=link data-copy title="Copy the link" aria-label=label("Link")>{icon(Icon::Link)}</a>
            <button class="ghost" type="button" data-print title="Print" aria-label=label("Print")>{icon(Icon::Print)}</button>
            <button class="ghost" type="button" data-fill title="Full screen" aria-label=label("Full screen")>{icon(Icon::Fill)}</button>
        </span>
    }
    .into_any()
}
