//! A rule as people write it. Pure; knows no box and no store.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Condition, Quiet, condition::duration_ms};
use crate::{desk::check_derived_name, formula::Formula};

/// So many rules there are at most.
pub const MAX_RULES: usize = 10_000;
/// The longest text of a rule, bytes.
const MAX_TEXT_LEN: usize = 1_000;
/// So many times at which nobody is told.
const MAX_SILENCES: usize = 20;
/// The longest hold and repeat.
const MAX_WAIT_MS: i64 = 31 * 24 * 3_600_000;

/// How bad it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Worth looking at.
    #[default]
    Warning,
    /// Somebody must act.
    Critical,
}

impl Severity {
    /// Its word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

/// The boxes that a rule is put to. Where all is left out: every box that has what it names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AlertBoxes)]
pub struct Boxes {
    /// These alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
    /// Those that have all of these labels.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
}

impl Boxes {
    /// Whether a box is one of them.
    #[must_use]
    pub fn are(&self, name: &str, labels: &BTreeMap<String, String>) -> bool {
        (self.names.is_empty() || self.names.iter().any(|one| one == name))
            && self.labels.iter().all(|(key, value)| labels.get(key) == Some(value))
    }
}

/// What must not be, and who is told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AlertRule)]
pub struct Rule {
    /// What is looked at: a formula, as of derived statistics, which it may name as well. Left out where the condition is of the box itself.
    #[serde(default)]
    pub formula: String,
    /// What of it must not be.
    pub condition: Condition,
    /// How long it must be so: `30s`. Left out: not at all.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub hold: String,
    /// How bad it is.
    #[serde(default)]
    pub severity: Severity,
    /// The boxes.
    #[serde(default)]
    pub boxes: Boxes,
    /// What is said: `{value}`, `{box}` and `{rule}` stand for what they are. Left out: a sentence is made.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
    /// The destinations; left out: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub destinations: Vec<String>,
    /// How often it is said again while it fires and nobody acknowledged it: `4h`. Left out: never.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub repeat: String,
    /// When nobody is told, again and again: `weekly SUN 02:00 Europe/Berlin for 4h`, or `cron 0 2 1 * * UTC for 90m on sip1`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub silences: Vec<String>,
    /// Whether it is not looked at.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub paused: bool,
}

impl Rule {
    /// Whether a rule of this name can be.
    ///
    /// # Errors
    /// The field that is wrong, and why.
    pub fn check(&self, name: &str) -> Result<(), (&'static str, String)> {
        check_derived_name(name).map_err(|message| ("name", message))?;
        if ["firing", "history", "preview"].contains(&name) {
            return Err(("name", format!("is not {name}: choose another")));
        }
        self.condition.check().map_err(|message| ("condition", message))?;
        match (self.condition.is_of_value(), self.formula.trim().is_empty()) {
            (true, true) => return Err(("formula", "is needed: such as {shmem:used_size}".to_owned())),
            (false, false) => return Err(("formula", "is left out where the condition is of the box itself".to_owned())),
            (true, false) => drop(Formula::parse_with_derived(&self.formula).map_err(|error| ("formula", error.to_string()))?),
            (false, true) => {}
        }
        for (field, text) in [("hold", &self.hold), ("repeat", &self.repeat)] {
            if !text.is_empty() && !duration_ms(text).is_some_and(|ms| (0..=MAX_WAIT_MS).contains(&ms)) {
                return Err((field, format!("{text:?} is no time of at most 31d: write such as 30s, 5m or 4h")));
            }
        }
        if duration_ms(&self.repeat).is_some_and(|ms| ms < 10_000) {
            return Err(("repeat", "is 10s at least".to_owned()));
        }
        self.silences.iter().try_for_each(|text| Quiet::parse(text).map(drop)).map_err(|message| ("silences", message))?;
        if self.silences.len() > MAX_SILENCES {
            return Err(("silences", format!("are at most {MAX_SILENCES}")));
        }
        if self.text.len() > MAX_TEXT_LEN {
            return Err(("text", format!("has at most {MAX_TEXT_LEN} bytes")));
        }
        if self.boxes.names.len() > 1_000 || self.boxes.labels.len() > 32 || self.destinations.len() > 100 {
            return Err(("boxes", "are too many: leave them out for all, or use labels".to_owned()));
        }
        Ok(())
    }

    /// How long it must be broken before it fires, in milliseconds.
    #[must_use]
    pub fn hold_ms(&self) -> i64 {
        duration_ms(&self.hold).unwrap_or(0)
    }

    /// How often it is told again, in milliseconds.
    #[must_use]
    pub fn repeat_ms(&self) -> Option<i64> {
        duration_ms(&self.repeat)
    }

    /// Until when nobody is told of it on a box by its own schedule, where that is so now.
    #[must_use]
    pub fn silent_until_ms(&self, box_name: &str, now_ms: i64) -> Option<i64> {
        self.silences.iter().filter_map(|text| Quiet::parse(text).ok()?.until_ms(box_name, now_ms)).max()
    }

    /// What is said of it, with its value.
    #[must_use]
    pub fn told(&self, name: &str, box_name: &str, value: Option<f64>, unit: &str) -> String {
        let value = value.map_or_else(|| "no value".to_owned(), |value| app::format::short(value, unit));
        if !self.text.is_empty() {
            return self.text.replace("{value}", &value).replace("{box}", box_name).replace("{rule}", name);
        }
        match &self.condition {
            Condition::BoxDown => format!("{box_name} gives no answer"),
            Condition::Restarted => format!("{box_name} restarted"),
            condition => format!("{name} on {box_name} is {value}: {}", condition.words()),
        }
    }
}
