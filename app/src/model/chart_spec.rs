//! What somebody wants to see in one chart: which statistics, of which boxes, and how they are drawn. It has one text form, which stands in
//! addresses and in what people type: words with spaces or commas between, statistics as searches name them, with their box before a
//! slash where it matters, and what begins with a dot says how:
//!
//! `core:rcv_requests sip2/core:rcv_requests .rate .stacked ".title=SIP traffic"`

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Mode;
use crate::matching::{self, Pattern};

/// So many statistics or patterns one chart can name.
pub const CHART_STATISTICS_MAX: usize = 12;
/// The longest title, in characters.
const TITLE_MAX: usize = 120;
/// What a word begins with that says how the chart is drawn.
const OPTION: char = '.';
/// What stands between a box and a statistic of it. No box's name holds it.
const OF_BOX: char = '/';

/// What one chart shows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChartSpec {
    /// What stands above it; empty: the names.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// What it shows.
    pub statistics: Vec<Wanted>,
    /// Values, rates, increases or shares; none: each by its kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// The full name of the statistic, of the same box, that they are shares of, where the mode is [`Mode::Percent`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    /// How several become one.
    #[serde(default, skip_serializing_if = "is_default")]
    pub combine: Combine,
    /// How values lie on the axis.
    #[serde(default, skip_serializing_if = "is_default")]
    pub scale: Scale,
    /// Where the axis begins.
    #[serde(default, skip_serializing_if = "is_default")]
    pub axis: Axis,
}

/// A statistic, or a pattern that several match; of one box, or of those that the page shows. Text, also in files: `core:rcv_*`,
/// `sip1/core:rcv_*`; what holds a slash itself has one before it: `/path:a/b`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Wanted {
    /// The name of the box; none: those that the page shows.
    pub box_name: Option<String>,
    /// A word as [`Pattern::parse`] reads it.
    pub word: String,
}

/// How several statistics become one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub enum Combine {
    /// Not at all: a line each.
    #[default]
    None,
    /// One upon the other.
    Stacked,
    /// One line: what they are together.
    Sum,
    /// One line: their mean.
    Average,
    /// One line: the largest of them.
    Maximum,
}

/// How values lie on their axis.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub enum Scale {
    /// Equal steps.
    #[default]
    Linear,
    /// Equal ratios.
    Log,
}

/// Where the axis of values begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub enum Axis {
    /// At zero, unless the values stay far from it.
    #[default]
    Auto,
    /// At zero.
    Zero,
    /// At the smallest value.
    Fitted,
}

impl Combine {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::None, Self::Stacked, Self::Sum, Self::Average, Self::Maximum];

    /// The word of addresses and files.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Stacked => "stacked",
            Self::Sum => "sum",
            Self::Average => "average",
            Self::Maximum => "maximum",
        }
    }

    /// Whether one line stands for all.
    #[must_use]
    pub fn is_one_line(self) -> bool {
        matches!(self, Self::Sum | Self::Average | Self::Maximum)
    }
}

impl Scale {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Linear, Self::Log];

    /// The word of addresses and files.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Linear => "linear",
            Self::Log => "log",
        }
    }
}

impl Axis {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Auto, Self::Zero, Self::Fitted];

    /// The word of addresses and files.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Zero => "zero",
            Self::Fitted => "fitted",
        }
    }
}

fn is_default<T: Default + PartialEq>(one: &T) -> bool {
    *one == T::default()
}

impl Wanted {
    /// One statistic of one box, by its full name.
    #[must_use]
    pub fn one(box_name: &str, full: &str) -> Self {
        Self { box_name: Some(box_name.to_owned()), word: matching::word_of(full).into_owned() }
    }

    /// What it matches.
    #[must_use]
    pub fn pattern(&self) -> Pattern {
        Pattern::parse(&self.word)
    }
}

/// What the text of a chart cannot be read for, in words for whoever wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpecError(pub String);

impl fmt::Display for SpecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for SpecError {}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(box_name) = &self.box_name {
            f.write_str(box_name)?;
        }
        // Without a box the slash is there where the word would else be read as something else.
        if self.box_name.is_some() || self.word.contains(OF_BOX) || self.word.starts_with(OPTION) {
            write!(f, "{OF_BOX}")?;
        }
        f.write_str(&self.word)
    }
}

impl FromStr for Wanted {
    type Err = SpecError;

    fn from_str(text: &str) -> Result<Self, SpecError> {
        let (box_name, word) = match text.split_once(OF_BOX) {
            Some(("", word)) => (None, word),
            Some((box_name, word)) => (Some(box_name), word),
            None => (None, text),
        };
        let is_name = |name: &str| name.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'_' | b'.' | b'-'));
        match box_name {
            Some(name) if !is_name(name) => {
                Err(SpecError(format!("{name:?} is no name of a box: put a / before a statistic whose name has one in it")))
            }
            _ if word.is_empty() => Err(SpecError(format!("{text:?} names no statistic: write one such as core:rcv_requests"))),
            _ => Ok(Self { box_name: box_name.map(str::to_owned), word: word.to_owned() }),
        }
    }
}

impl From<Wanted> for String {
    fn from(wanted: Wanted) -> Self {
        wanted.to_string()
    }
}

impl TryFrom<String> for Wanted {
    type Error = SpecError;

    fn try_from(text: String) -> Result<Self, SpecError> {
        text.parse()
    }
}

impl ChartSpec {
    /// A chart of one statistic of one box.
    #[must_use]
    pub fn one(box_name: &str, full: &str) -> Self {
        Self { statistics: vec![Wanted::one(box_name, full)], ..Self::default() }
    }

    /// Whether it can be drawn: what is read from a file or a database is asked this once.
    ///
    /// # Errors
    /// When one thing in it excludes another, or there is too much or too little of it.
    pub fn check(&self) -> Result<(), SpecError> {
        let wrong = |text: &str| Err(SpecError(text.to_owned()));
        match self.statistics.len() {
            0 => return wrong("a chart shows at least one statistic: name one, such as core:rcv_requests"),
            1..=CHART_STATISTICS_MAX => {}
            many => return Err(SpecError(format!("a chart names at most {CHART_STATISTICS_MAX} statistics, and this one names {many}"))),
        }
        if self.title.chars().count() > TITLE_MAX {
            return Err(SpecError(format!("a title has at most {TITLE_MAX} characters")));
        }
        match (self.mode, self.of.as_deref()) {
            (Some(Mode::Percent), None | Some("")) => {
                return wrong("a share is one of another statistic: say which, such as .of=shmem:total_size");
            }
            (mode, Some(_)) if mode != Some(Mode::Percent) => {
                return wrong("only a share is one of another statistic: leave out of, or add .percent");
            }
            _ => {}
        }
        if (self.combine, self.scale) == (Combine::Stacked, Scale::Log) {
            return wrong("what is stacked has no logarithmic scale: choose one of both");
        }
        Ok(())
    }

    /// The chart with one more statistic, unless it has that one.
    #[must_use]
    pub fn with(mut self, wanted: Wanted) -> Self {
        if !self.statistics.contains(&wanted) {
            self.statistics.push(wanted);
        }
        self
    }

    /// The chart without one of its statistics.
    #[must_use]
    pub fn without(mut self, place: usize) -> Self {
        if place < self.statistics.len() {
            self.statistics.remove(place);
        }
        self
    }

    /// How it is drawn, in the words of its text form.
    fn options(&self) -> Vec<String> {
        let mut options = Vec::new();
        options.extend(self.mode.map(|mode| format!("{OPTION}{}", mode.as_str())));
        options.extend(self.of.as_ref().map(|of| format!("{OPTION}of={of}")));
        let choices = [
            (!is_default(&self.combine)).then(|| self.combine.as_str()),
            (!is_default(&self.scale)).then(|| self.scale.as_str()),
            (!is_default(&self.axis)).then(|| self.axis.as_str()),
        ];
        options.extend(choices.into_iter().flatten().map(|choice| format!("{OPTION}{choice}")));
        if !self.title.is_empty() {
            options.push(format!("{OPTION}title={}", self.title));
        }
        options
    }

    /// Takes a word after the dot.
    fn option(&mut self, option: &str) -> Result<(), SpecError> {
        if let Some(title) = option.strip_prefix("title=") {
            title.clone_into(&mut self.title);
        } else if let Some(of) = option.strip_prefix("of=") {
            self.of = Some(of.to_owned());
            self.mode = Some(Mode::Percent);
        } else if let Some(mode) = Mode::parse(option) {
            self.mode = Some(mode);
        } else if let Some(combine) = Combine::ALL.into_iter().find(|one| one.as_str() == option) {
            self.combine = combine;
        } else if let Some(scale) = Scale::ALL.into_iter().find(|one| one.as_str() == option) {
            self.scale = scale;
        } else if let Some(axis) = Axis::ALL.into_iter().find(|one| one.as_str() == option) {
            self.axis = axis;
        } else {
            let modes = "value, rate, increase, percent and of=STATISTIC, stacked, sum, average, maximum, log, zero, fitted and title=TEXT";
            return Err(SpecError(format!("{OPTION}{option} says nothing known: after the dot stand {modes}")));
        }
        Ok(())
    }
}

impl fmt::Display for ChartSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let statistics = self.statistics.iter().map(ToString::to_string);
        let words: Vec<String> = statistics.chain(self.options()).map(|word| matching::quoted_word(&word)).collect();
        f.write_str(&words.join(" "))
    }
}

impl FromStr for ChartSpec {
    type Err = SpecError;

    fn from_str(text: &str) -> Result<Self, SpecError> {
        let mut spec = Self::default();
        for word in matching::words(text) {
            match word.strip_prefix(OPTION) {
                Some(option) => spec.option(option)?,
                None => spec.statistics.push(word.parse()?),
            }
        }
        spec.check()?;
        Ok(spec)
    }
}

#[cfg(test)]
mod tests;
