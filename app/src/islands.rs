//! The only code that runs in the browser: each island adds to a page that works without it.

pub mod boxes;
#[cfg(feature = "hydrate")]
mod browser;
pub mod charts;
#[cfg(feature = "hydrate")]
mod connection;
#[cfg(feature = "hydrate")]
mod dom;
#[cfg(feature = "hydrate")]
mod feed;
#[cfg(feature = "hydrate")]
mod find;
pub mod frame;
pub mod overview;
#[cfg(feature = "hydrate")]
mod pills;
pub mod realtime;
