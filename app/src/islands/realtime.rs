//! Realtime Statistics in the browser: values live, ticks at once, search as one types. It draws no rows: it writes into those of the page.

#[cfg(feature = "hydrate")]
pub(super) mod about;
#[cfg(feature = "hydrate")]
mod folds;
#[cfg(feature = "hydrate")]
mod live;
#[cfg(feature = "hydrate")]
mod picks;
#[cfg(feature = "hydrate")]
mod rows;
#[cfg(feature = "hydrate")]
mod search;
#[cfg(feature = "hydrate")]
mod sight;
#[cfg(feature = "hydrate")]
mod state;
#[cfg(feature = "hydrate")]
mod ticks;
#[cfg(feature = "hydrate")]
mod view;

use leptos::prelude::*;

/// Follows the box whose rows the page shows.
#[island]
pub fn RealtimeLive() -> impl IntoView {
    #[cfg(feature = "hydrate")]
    live::start();
    view! { <span hidden></span> }
}
