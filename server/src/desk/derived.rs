//! Derived statistics: defined, changed, removed, and tried before that.

use app::{format, model::Origin, shown::short};

use super::{Desk, DeskError, check_not_of_file};
use crate::{
    board::{Tried, full_name},
    clock,
    config::MAX_NAME_LEN,
    formula::{Formula, FormulaError},
    store::{StoreError, StoredDerived},
};

/// So many there are at most: each is put to every box.
const MAX_DERIVED: usize = 1_000;
/// The longest unit and the longest meaning, bytes.
const MAX_UNIT_LEN: usize = 32;
const MAX_MEANING_LEN: usize = 1_000;

/// A derived statistic as somebody wants it.
#[derive(Clone, Debug, Default)]
pub struct DerivedInput {
    /// Its name, without the group.
    pub name: String,
    /// What it is computed by.
    pub formula: String,
    /// The unit; empty: none.
    pub unit: String,
    /// What it means; empty: nothing is said.
    pub meaning: String,
}

/// One, and who has it.
#[derive(Clone, Debug)]
pub struct DerivedView {
    /// As it is stored.
    pub stored: StoredDerived,
    /// The boxes that have it now.
    pub boxes: Vec<String>,
}

/// What a formula comes to.
#[derive(Clone, Debug, Default)]
pub struct Checked {
    /// The newest value, where there is one.
    pub value: Option<f64>,
    /// Why there is none.
    pub reason: Option<String>,
    /// What it names, as it is written.
    pub uses: Vec<String>,
    /// What is wrong with it, and at which character.
    pub error: Option<FormulaError>,
}

impl Checked {
    /// What it comes to on a box, as a sentence, where nothing is wrong with it.
    #[must_use]
    pub fn comes_to(&self, box_name: &str, unit: &str) -> String {
        match (self.value, &self.reason) {
            (Some(value), _) if box_name.is_empty() => format!("It comes to {} now.", format::short(value, unit)),
            (Some(value), _) => format!("It comes to {} on {box_name} now.", format::short(value, unit)),
            (None, Some(reason)) => format!("It can be computed, and has no value on {box_name} now: {reason}."),
            (None, None) => "It can be computed.".to_owned(),
        }
    }
}

impl Desk {
    /// All of them, in the order of their names.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn derived(&self) -> Result<Vec<DerivedView>, DeskError> {
        let entries = self.board.all();
        let view = |stored: StoredDerived| {
            let full = full_name(&stored.name);
            let boxes = entries.iter().filter_map(|entry| {
                let now = entry.lock();
                now.layout.place(&full).map(|_| now.stored.spec.name.clone())
            });
            DerivedView { boxes: boxes.collect(), stored }
        };
        Ok(self.store.derived().await?.into_iter().map(view).collect())
    }

    /// One by its name.
    ///
    /// # Errors
    /// When there is none.
    pub async fn derived_named(&self, name: &str) -> Result<DerivedView, DeskError> {
        let found = self.derived().await?.into_iter().find(|view| view.stored.name == name);
        found.ok_or_else(|| missing(name))
    }

    /// Adds one.
    ///
    /// # Errors
    /// When a field is wrong, or the name is taken, also by a statistic that a box tells itself.
    pub async fn add_derived(&self, input: &DerivedInput) -> Result<(), DeskError> {
        let stored = checked(input)?;
        let full = full_name(&stored.name);
        for entry in self.board.all() {
            let now = entry.lock();
            if now.layout.place(&full).is_some_and(|place| place < now.layout.asked.len()) {
                let box_name = &now.stored.spec.name;
                return Err(DeskError::Taken(format!("the box {box_name} tells a statistic {full} itself: choose another name")));
            }
        }
        if self.store.derived().await?.len() >= MAX_DERIVED {
            return Err(DeskError::Full(format!("there are {MAX_DERIVED} derived statistics already: remove some")));
        }
        match self.store.add_derived(&stored, clock::now_ms()).await {
            Err(StoreError::Taken(what)) => return Err(DeskError::Taken(format!("{what} exists already: choose another name"))),
            other => other?,
        }
        Ok(self.sampler.reload().await?)
    }

    /// Replaces what one is; its name stays.
    ///
    /// # Errors
    /// When a field is wrong, it is not there, or the configuration file has it.
    pub async fn change_derived(&self, input: &DerivedInput) -> Result<(), DeskError> {
        let stored = checked(input)?;
        self.own_derived(&stored.name).await?;
        self.store.change_derived(&stored).await?;
        Ok(self.sampler.reload().await?)
    }

    /// Removes one with its ticks. What was recorded of its inputs stays.
    ///
    /// # Errors
    /// When it is not there, or the configuration file has it.
    pub async fn remove_derived(&self, name: &str) -> Result<(), DeskError> {
        self.own_derived(name).await?;
        self.store.remove_derived(name, &full_name(name)).await?;
        Ok(self.sampler.reload().await?)
    }

    async fn own_derived(&self, name: &str) -> Result<(), DeskError> {
        let stored = self.derived_named(name).await?.stored;
        check_not_of_file(name, stored.origin)
    }

    /// What a formula comes to now: of one box, or, where it names boxes, of those. Without a box it is only read.
    ///
    /// # Errors
    /// When there is no such box. What is wrong with the formula is part of the answer.
    pub fn check_formula(&self, text: &str, box_name: Option<&str>) -> Result<Checked, DeskError> {
        let entry = box_name.map(|name| self.entry(name)).transpose()?;
        let formula = match Formula::parse(text) {
            Ok(formula) => formula,
            Err(error) => return Ok(Checked { error: Some(error), ..Checked::default() }),
        };
        let mut uses: Vec<String> = formula.references().iter().map(|reference| reference.text.clone()).collect();
        let mut seen = std::collections::HashSet::new();
        uses.retain(|one| seen.insert(one.clone()));
        if entry.is_none() && !formula.is_across() {
            return Ok(Checked { uses, ..Checked::default() });
        }
        Ok(match self.board.try_formula(&formula, entry.as_ref()) {
            Ok(Tried { value, reason }) => Checked { value, reason, uses, error: None },
            Err(error) => Checked { uses, error: Some(error), ..Checked::default() },
        })
    }
}

fn missing(name: &str) -> DeskError {
    DeskError::NotFound(format!("there is no derived statistic {:?}: GET derived lists them", short(name)))
}

/// What is stored of it.
fn checked(input: &DerivedInput) -> Result<StoredDerived, DeskError> {
    let input = input.clone().checked().map_err(|(field, message)| DeskError::invalid(field, message))?;
    let DerivedInput { name, formula, unit, meaning } = input;
    Ok(StoredDerived { name, formula, unit, meaning, origin: Origin::Panel })
}

impl DerivedInput {
    /// The same without spaces around, when every field is right.
    ///
    /// # Errors
    /// The field that is not, and why.
    pub fn checked(self) -> Result<Self, (&'static str, String)> {
        check_derived_name(&self.name).map_err(|message| ("name", message))?;
        let formula = self.formula.trim().to_owned();
        Formula::parse(&formula).map_err(|error| ("formula", error.to_string()))?;
        let text = |field: &'static str, text: &str, most: usize| {
            if text.len() > most {
                return Err((field, format!("has at most {most} bytes")));
            }
            let has_breaks = text.chars().any(char::is_control);
            if has_breaks { Err((field, "has no line breaks".to_owned())) } else { Ok(text.trim().to_owned()) }
        };
        let (unit, meaning) = (text("unit", &self.unit, MAX_UNIT_LEN)?, text("meaning", &self.meaning, MAX_MEANING_LEN)?);
        Ok(Self { name: self.name, formula, unit, meaning })
    }
}

/// Whether a derived statistic may be called so.
///
/// # Errors
/// A sentence: what is allowed.
pub fn check_derived_name(name: &str) -> Result<(), String> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let is_good = name != "check" && !name.is_empty() && name.len() <= MAX_NAME_LEN && name.chars().all(allowed);
    if is_good {
        Ok(())
    } else {
        Err(format!("is 1 to {MAX_NAME_LEN} of A-Z, a-z, 0-9, _ - and ., and not check: such as shm_free_percent"))
    }
}
