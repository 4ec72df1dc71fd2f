//! A span of one series, as charts and the API read it.

use serde::{Deserialize, Serialize};

use super::{Note, Number};

/// What is asked of a series: its values, or what they come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub enum Mode {
    /// The values as the box gave them.
    Value,
    /// The increase per second.
    Rate,
    /// The increase over each of equal stretches of time.
    Increase,
    /// The share that it is of another statistic, in percent.
    Percent,
}

impl Mode {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Value, Self::Rate, Self::Increase, Self::Percent];

    /// The word used in URLs and forms.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Value => "value",
            Self::Rate => "rate",
            Self::Increase => "increase",
            Self::Percent => "percent",
        }
    }

    /// The mode that a word of URLs and forms names.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.as_str() == word)
    }
}

/// How long before charts can be compared with, as addresses say it, and milliseconds.
pub const COMPARED: [(&str, i64); 3] = [("1h", 3_600_000), ("24h", 86_400_000), ("7d", 604_800_000)];

/// Equally long columns: of samples themselves (then all five value columns are equal), or of buckets. `null`: there is no value.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub struct Columns {
    /// Times, epoch milliseconds: of samples, or the starts of buckets.
    pub t: Vec<i64>,
    /// The first value in each bucket.
    pub first: Vec<Option<Number>>,
    /// The smallest.
    pub min: Vec<Option<Number>>,
    /// The largest.
    pub max: Vec<Option<Number>>,
    /// The mean.
    pub mean: Vec<Option<Number>>,
    /// The last.
    pub last: Vec<Option<Number>>,
}

/// A span without values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub struct Gap {
    /// Its start, epoch milliseconds.
    pub from: i64,
    /// Its end, epoch milliseconds.
    pub to: i64,
    /// Why there are no values, in a few words.
    pub reason: String,
}

/// What happened at an instant that changes how the samples around it are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub enum ResetCause {
    /// The box restarted.
    Restart,
    /// The counter fell for a reason that was not seen: a script, or somebody else's reset.
    Drop,
    /// Somebody reset it here.
    Person,
    /// A schedule reset it.
    Schedule,
    /// No counter began anew, but the panel's clock was set back: from here on, times repeat.
    Clock,
    /// Another server answers from here on: the address or the kind of the box was changed, or a server answered at the same address
    /// that ran already while the one before answered.
    Moved,
}

impl Series {
    /// The same so many milliseconds later: what was, at the times of now.
    #[must_use]
    pub fn later(mut self, by_ms: i64) -> Self {
        let later = |at: &mut i64| *at = at.saturating_add(by_ms);
        self.columns.t.iter_mut().for_each(later);
        self.gaps.iter_mut().for_each(|gap| {
            later(&mut gap.from);
            later(&mut gap.to);
        });
        self.resets.iter_mut().for_each(|reset| later(&mut reset.at));
        self.notes.iter_mut().for_each(|note| {
            later(&mut note.from);
            later(&mut note.to);
        });
        later(&mut self.from);
        later(&mut self.to);
        self
    }
}

impl ResetCause {
    /// The word used in the store.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Restart => "restart",
            Self::Drop => "drop",
            Self::Person => "person",
            Self::Schedule => "schedule",
            Self::Clock => "clock",
            Self::Moved => "moved",
        }
    }

    /// Whether a counter is known to have begun anew: its increase is the new value then. A drop alone does not tell.
    #[must_use]
    pub fn began_anew(self) -> bool {
        matches!(self, Self::Restart | Self::Person | Self::Schedule)
    }

    /// The cause that a word of the store names.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "restart" => Some(Self::Restart),
            "drop" => Some(Self::Drop),
            "person" => Some(Self::Person),
            "schedule" => Some(Self::Schedule),
            "clock" => Some(Self::Clock),
            "moved" => Some(Self::Moved),
            _ => None,
        }
    }
}

/// An instant at which a counter began anew, or the clock was set back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub struct Reset {
    /// When it was seen, epoch milliseconds.
    pub at: i64,
    /// Why.
    pub cause: ResetCause,
    /// Who did it, when it was somebody.
    pub by: Option<String>,
}

/// What a rule of an alert says of a series, and when it fired.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub struct AlertMark {
    /// The rule.
    pub rule: String,
    /// The unit of the bounds: that of the series.
    pub unit: String,
    /// It is broken above this, where the rule looks at the series itself and as it is told here.
    pub above: Option<f64>,
    /// It is broken below this.
    pub below: Option<f64>,
    /// When it fired, within the span.
    pub fired: Vec<Fired>,
}

/// A span in which an alert fired.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub struct Fired {
    /// Its start, epoch milliseconds.
    pub from: i64,
    /// Its end; of one that fires, that of the span that was asked for.
    pub to: i64,
}

/// What `GET series` answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub struct Series {
    /// The name of the box.
    #[serde(rename = "box")]
    pub box_name: String,
    /// The full name, `group:name`.
    pub name: String,
    /// What was asked of it.
    pub mode: Mode,
    /// The name of the statistic of the same box that it is a share of, in the mode `percent`.
    pub of: Option<String>,
    /// How long each stretch is that an increase is told of, milliseconds, in the mode `increase`: the first begins at the first time of the
    /// columns, and all begin at whole multiples of it (UTC).
    pub every_ms: Option<i64>,
    /// The unit of the columns, such as `bytes` or `requests/s`.
    pub unit: String,
    /// The start of the span, epoch milliseconds.
    pub from: i64,
    /// Its end.
    pub to: i64,
    /// What the columns were made of: `raw` for samples, `minute` and `hour` for roll-ups: the coarsest that still has two in each point.
    /// Where fewer samples than points lie in the span, and where samples are asked for more closely, it is `raw`.
    pub tier: String,
    /// The columns.
    pub columns: Columns,
    /// Where there are no values, and why.
    pub gaps: Vec<Gap>,
    /// Of a counter, in the modes `rate` and `increase`: by how much it grew over the span, resets and restarts considered. What lies in gaps is not in it.
    pub total: Option<Number>,
    /// Where the counter began anew, and where the clock was set back.
    pub resets: Vec<Reset>,
    /// What people wrote on instants and spans of the box, in the order of time.
    #[serde(default)]
    pub notes: Vec<Note>,
    /// The rules of alerts that look at it.
    #[serde(default)]
    pub alerts: Vec<AlertMark>,
    /// Of a derived statistic: each point was computed from the means of its inputs in it, and not sample by sample, so that its `min` and
    /// `max` are that mean as well.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub of_means: bool,
}

/// What `GET chart` answers: a chart of several statistics.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub struct ChartLines {
    /// A series for each line. One that stands for several says so in its name, and has no box where they are of several.
    pub lines: Vec<Series>,
    /// Where no line has values; of what is put together, where one of them is missing, and which.
    pub gaps: Vec<Gap>,
    /// The marks of all of them.
    pub resets: Vec<Reset>,
    /// What people wrote on instants and spans of their boxes.
    #[serde(default)]
    pub notes: Vec<Note>,
    /// The rules of alerts that look at them.
    #[serde(default)]
    pub alerts: Vec<AlertMark>,
}
