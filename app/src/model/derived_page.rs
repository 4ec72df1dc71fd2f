//! What the page of derived statistics shows.

use super::{Number, Origin};

/// `/cp/derived?edit=&box=`
#[derive(Clone, Debug, Default)]
pub struct DerivedPage {
    /// Those that there are.
    pub rows: Vec<DerivedRow>,
    /// Ready-made ones for the box that is chosen.
    pub ready: Vec<ReadyRow>,
    /// The names of all boxes.
    pub boxes: Vec<String>,
    /// The one that a formula is tried on, and that ready-made ones are for.
    pub box_name: String,
    /// The form, as last filled in.
    pub form: DerivedForm,
}

/// One that there is.
#[derive(Clone, Debug)]
pub struct DerivedRow {
    /// Its name, without the group.
    pub name: String,
    /// The full name.
    pub statistic: String,
    /// What it is computed by.
    pub formula: String,
    /// What it means.
    pub meaning: String,
    /// The configuration file has it.
    pub origin: Origin,
    /// The boxes that have it, with its newest value and unit there.
    pub boxes: Vec<(String, Option<Number>, String)>,
}

/// A ready-made one.
#[derive(Clone, Debug)]
pub struct ReadyRow {
    /// The name that it gets.
    pub id: String,
    /// What it tells, in some words.
    pub title: String,
    /// What it means.
    pub meaning: String,
    /// What it is computed by.
    pub formula: String,
    /// What it comes to on the box; none: why it cannot be computed there.
    pub here: Result<String, String>,
}

/// The fields as a person typed them, what is wrong with them, and what the formula comes to.
#[derive(Clone, Debug, Default)]
pub struct DerivedForm {
    /// One that there is is changed, and not a new one added.
    pub editing: bool,
    /// Its name.
    pub name: String,
    /// What it is computed by.
    pub formula: String,
    /// The unit.
    pub unit: String,
    /// What it means.
    pub meaning: String,
    /// What is wrong, by the name of the field.
    pub errors: Vec<(&'static str, String)>,
    /// Where in the formula that is, in characters.
    pub at: Option<usize>,
    /// What it comes to, once it was tried.
    pub tried: Option<String>,
}
