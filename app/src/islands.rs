//! The only code that runs in the browser: each island adds to a page that works without it.

pub mod boxes;
#[cfg(feature = "hydrate")]
mod browser;
pub mod charts;
#[cfg(feature = "hydrate")]
mod dom;
pub mod frame;
pub mod realtime;
