//! The Overview in the browser: tiles that stay true, move to where they belong, and are found as one types. It draws none: what is new
//! is asked of the server.

#[cfg(feature = "hydrate")]
mod live;
#[cfg(feature = "hydrate")]
mod search;
#[cfg(feature = "hydrate")]
mod tiles;

use leptos::prelude::*;

/// Follows every box of the page.
#[island]
pub fn OverviewLive() -> impl IntoView {
    #[cfg(feature = "hydrate")]
    live::start();
    view! { <span hidden></span> }
}
