//! Icons and the mark, as inline SVG that takes the colour of its text. Decorations: the words beside them carry the meaning.

use leptos::prelude::*;

/// The mark: bars under a tick.
const MARK: &str = r#"<path d="M2 17h16M4.5 17v-4M10 17v-2M15.5 17v-5"/><path d="m4 7 4 4 8-8.5" stroke-width="2.4"/>"#;

/// What an icon shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Icon {
    Mark,
    Half,
    Help,
    Person,
    Refresh,
    Search,
    Close,
}

impl Icon {
    /// The paths in a box of 20 × 20.
    const fn paths(self) -> &'static str {
        match self {
            Self::Mark => MARK,
            Self::Half => r#"<circle cx="10" cy="10" r="7"/><path d="M10 3a7 7 0 0 1 0 14z" fill="currentColor"/>"#,
            Self::Help => r#"<path d="M7.2 7.4a2.9 2.9 0 1 1 4.4 2.5c-1 .6-1.6 1.1-1.6 2.3M10 15.6v.1"/>"#,
            Self::Person => r#"<circle cx="10" cy="7" r="3.2"/><path d="M3.8 17c.6-3.4 3-5 6.2-5s5.6 1.6 6.2 5"/>"#,
            Self::Refresh => r#"<path d="M16 10a6 6 0 1 1-1.9-4.4M16 3.5v3.5h-3.5"/>"#,
            Self::Search => r#"<circle cx="9" cy="9" r="5"/><path d="m13 13 4 4"/>"#,
            Self::Close => r#"<path d="m5.5 5.5 9 9m0-9-9 9"/>"#,
        }
    }
}

/// Draws an icon.
pub(super) fn icon(which: Icon) -> impl IntoView + use<> {
    view! {
        <svg
            class="icon"
            viewBox="0 0 20 20"
            width="18"
            height="18"
            fill="none"
            stroke="currentColor"
            stroke-width="1.8"
            stroke-linecap="round"
            stroke-linejoin="round"
            aria-hidden="true"
            inner_html=which.paths()
        ></svg>
    }
}
