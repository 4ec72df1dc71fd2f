//! What the page of chart sets shows.

use super::{BoxView, ChartSpec};

/// `/cp/sets`
#[derive(Clone, Debug, Default)]
pub struct SetsPage {
    /// All boxes.
    pub boxes: Vec<BoxView>,
    /// The box that sets are opened for.
    pub current: Option<String>,
    /// Those that people put together, in their order.
    pub own: Vec<SetRow>,
    /// Those of the catalogue that the box has something for.
    pub ready: Vec<ReadySet>,
    /// The form, as last filled in.
    pub form: SetForm,
    /// What is wrong with a file.
    pub file_error: Option<String>,
    /// The file, as it was given.
    pub file: String,
}

/// A set, as it is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SetRow {
    /// Its name.
    pub name: String,
    /// Whether the start page leads to it.
    pub is_pinned: bool,
    /// Its charts.
    pub charts: Vec<ChartSpec>,
    /// Who changed it last.
    pub by: String,
}

/// A set of the catalogue, for a box.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReadySet {
    /// The word by which it is known.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub purpose: String,
    /// Its charts.
    pub charts: Vec<ChartSpec>,
}

/// The form of a set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SetForm {
    /// The set that is changed, by its name; empty: a new one.
    pub of: String,
    /// Its name.
    pub name: String,
    /// Its charts, one a line.
    pub charts: String,
    /// Whether the start page leads to it.
    pub is_pinned: bool,
    /// What is wrong, by the name of the field.
    pub errors: Vec<(&'static str, String)>,
    /// Whether it is asked for.
    pub is_open: bool,
}
