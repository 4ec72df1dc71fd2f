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
    Link,
    Print,
    Fill,
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
            Self::Link => r#"<path d="m8.5 11.5 3-3M7 9 5 11a2.8 2.8 0 0 0 4 4l2-2M13 11l2-2a2.8 2.8 0 0 0-4-4L9 7"/>"#,
            Self::Print => r#"<path d="M6 8V3.5h8V8M6 14H3.5V8h13v6H14M6 12h8v4.5H6z"/>"#,
            Self::Fill => r#"<path d="M3.5 7.5v-4h4M12.5 3.5h4v4M16.5 12.5v4h-4M7.5 16.5h-4v-4"/>"#,
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
