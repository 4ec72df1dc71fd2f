//! The charts that live: loads what is seen, draws it at its width in local time, and again when samples are recorded.
//! It knows the page only by `figure[data-query]`; without it those figures hold pictures.

#[cfg(feature = "hydrate")]
mod card;
#[cfg(feature = "hydrate")]
mod gesture;
#[cfg(feature = "hydrate")]
mod legend;
#[cfg(feature = "hydrate")]
mod live;
#[cfg(feature = "hydrate")]
mod readout;
#[cfg(feature = "hydrate")]
mod table;
#[cfg(feature = "hydrate")]
mod zooming;

use leptos::prelude::*;

/// Makes every chart of the page live.
#[island]
pub fn LiveCharts() -> impl IntoView {
    #[cfg(feature = "hydrate")]
    live::start();
    view! { <span class="live-charts" hidden="hidden"></span> }
}
