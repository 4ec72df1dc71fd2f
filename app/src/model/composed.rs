//! A chart of a page's address: what it says, or why it says nothing.

use super::{ChartSpec, SpecError};

/// A chart that somebody put together.
#[derive(Clone, Debug)]
pub struct Composed {
    /// Its text, as the address has it.
    pub text: String,
    /// What that says, or why it says nothing.
    pub spec: Result<ChartSpec, String>,
}

impl Composed {
    /// That of a chart.
    #[must_use]
    pub fn of(spec: ChartSpec) -> Self {
        Self { text: spec.to_string(), spec: Ok(spec) }
    }

    /// Reads the text of an address.
    #[must_use]
    pub fn read(text: &str) -> Self {
        Self { text: text.to_owned(), spec: text.parse().map_err(|error: SpecError| crate::wording::sentence(&error.0)) }
    }
}
