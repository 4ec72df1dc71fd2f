//! Statistics as pages, the API and the live stream tell them.

use serde::{Deserialize, Serialize};

use super::{Number, Spark};

/// Whether a statistic counts up (OpenSIPS: incremental) or shows a level (non-incremental).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub enum Kind {
    /// Grows while the box runs; its rate is what matters.
    Counter,
    /// Goes up and down; its value is what matters.
    Gauge,
}

impl Kind {
    /// The word used in the API, in forms and in the store.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
        }
    }

    /// The kind that a word of the API, a form or the store names.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "counter" => Some(Self::Counter),
            "gauge" => Some(Self::Gauge),
            _ => None,
        }
    }
}

/// One statistic of one box with its newest value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub struct Statistic {
    /// The full name, `group:name`.
    pub name: String,
    /// What stands before the first colon.
    pub group: String,
    /// The newest value; `null` when it is not known, see `reason`.
    pub value: Option<Number>,
    /// The increase per second between the last two polls; only counters have one.
    pub rate: Option<f64>,
    /// Counter or gauge.
    pub kind: Kind,
    /// The unit of `value`, such as `bytes`; empty when it is not known.
    pub unit: String,
    /// Whether it is recorded.
    pub ticked: bool,
    /// What it means, in a sentence; empty when it is not known.
    pub description: String,
    /// Why there is no value, when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What `GET boxes/{box}/statistics` answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub struct Statistics {
    /// When the box was polled, epoch milliseconds; `null` before its first answer.
    pub at: Option<i64>,
    /// How old that answer is, in milliseconds.
    pub age_ms: Option<i64>,
    /// The statistics that match, in the order of their names.
    pub statistics: Vec<Statistic>,
}

/// One changed statistic in a `values` event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub struct LiveStatistic {
    /// The full name, `group:name`.
    pub name: String,
    /// The newest value, `null` when it is not known.
    pub value: Option<Number>,
    /// The increase per second; only counters have one.
    pub rate: Option<f64>,
    /// The latest points of its spark line: the lowest, the highest, and a letter a point; in a snapshot, and of several answers at once
    /// their points.
    #[cfg_attr(feature = "utoipa", schema(value_type = Option<Vec<Object>>))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spark: Option<Spark>,
}

/// The data of a `values` event: all statistics in a snapshot, else those that changed; a bounded number of them.
///
/// Who has an answer already opens the stream with `have` and its `at`: where that is one of the last few, what changed since comes instead of
/// a snapshot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub struct LiveValues {
    /// The name of the box.
    #[serde(rename = "box")]
    pub box_name: String,
    /// The time of the poll, epoch milliseconds.
    pub at: i64,
    /// Whether this is everything, not only what changed.
    pub snapshot: bool,
    /// How many more there were than one event tells.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub left_out: usize,
    /// How many answers there were since the one that whoever opens the stream has; left out of what is told as it happens.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub missed: usize,
    /// What is new.
    pub statistics: Vec<LiveStatistic>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// The data of a `recorded` event: the samples of this poll are committed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub struct Recorded {
    /// The name of the box.
    #[serde(rename = "box")]
    pub box_name: String,
    /// The time of the samples, epoch milliseconds.
    pub at: i64,
}

/// The data of a `removed` event: the box is no more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub struct Removed {
    /// The name it had.
    #[serde(rename = "box")]
    pub box_name: String,
}

/// The data of a `fault` event: whether samples can be recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub struct Fault {
    /// Why not and what to do, in a sentence; none when all is well.
    pub message: Option<String>,
}

/// Splits `group:name` at the first colon; a name without one has an empty group.
#[must_use]
pub fn split_name(full: &str) -> (&str, &str) {
    full.split_once(':').unwrap_or(("", full))
}
