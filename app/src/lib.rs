//! Tickmark's pages, islands and charts, and the words that the server and the browser share.
//!
//! The server half (`ssr`) draws whole pages that need no JavaScript. The browser half (`hydrate`) is the islands alone.
//! Nothing here knows the database, the runtime or a wire format: pages are functions of [`model`].

pub mod chart;
pub mod course;
pub mod format;
#[cfg(any(feature = "ssr", feature = "hydrate"))]
pub mod islands;
#[cfg(any(feature = "hydrate", test))]
mod json;
pub mod links;
pub mod matching;
pub mod model;
mod order;
#[cfg(feature = "ssr")]
pub mod pages;
#[cfg(feature = "ssr")]
pub mod processes;
#[cfg(any(feature = "hydrate", test))]
mod reading;
pub mod shown;
pub mod tile;
pub mod wording;

/// Starts the islands of a page; the browser calls it once the client is loaded.
#[cfg(feature = "hydrate")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    let body = leptos::prelude::document().body();
    format::write_numbers(model::Numbers::parse(&body.and_then(|body| body.get_attribute("data-numbers")).unwrap_or_default()));
    leptos::mount::hydrate_islands();
}
