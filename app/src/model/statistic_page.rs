//! What a statistic's own page shows.

use super::{BoxView, ChartsPage, Origin, ResetCause, RowView};

/// `/cp/boxes/{box}/{group:name}?span=&mode=`
#[derive(Clone, Debug)]
pub struct StatisticPage {
    /// The box.
    pub current: BoxView,
    /// The boxes that have a statistic of this name, by name.
    pub also_on: Vec<String>,
    /// The statistic, as a row of Realtime Statistics has it.
    pub row: RowView,
    /// Why it is recorded, or why not.
    pub ticked: Ticked,
    /// Whether anything was ever recorded of it.
    pub recorded: bool,
    /// Its chart, as Statistics Charts shows one, with all boxes.
    pub chart: ChartsPage,
    /// What happened in the span of the chart, the newest first.
    pub marks: Vec<MarkView>,
    /// How many more there were.
    pub marks_left_out: usize,
    /// Chart sets of the catalogue that it belongs to: the set, and the chart in it.
    pub sets: Vec<(String, String)>,
    /// Others that are worth a look.
    pub near: Vec<NearView>,
    /// The stream that brings what is on this page, and no more.
    pub events: String,
}

/// Why a statistic is recorded, or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ticked {
    /// Nothing ticks it.
    No,
    /// By its own name, and who did.
    ByName(Origin),
    /// By patterns that stand, and who ticked each.
    ByPatterns(Vec<(String, Origin)>),
    /// It was unticked, though these patterns match it.
    Excepted(Vec<String>),
}

/// Something that happened: a mark or a gap of the chart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MarkView {
    /// A counter began anew, or the clock was set back.
    Reset {
        /// When it was seen, epoch milliseconds.
        at: i64,
        /// Why.
        cause: ResetCause,
        /// Who did it, when it was somebody.
        by: Option<String>,
    },
    /// There are no values.
    Gap {
        /// Its start, epoch milliseconds.
        from: i64,
        /// Its end.
        to: i64,
        /// Why.
        reason: String,
    },
}

impl MarkView {
    /// When it began, epoch milliseconds.
    #[must_use]
    pub fn at(&self) -> i64 {
        match self {
            Self::Reset { at, .. } => *at,
            Self::Gap { from, .. } => *from,
        }
    }
}

/// Statistics beside this one.
#[derive(Clone, Debug)]
pub struct NearView {
    /// What they have in common.
    pub title: String,
    /// Their rows.
    pub rows: Vec<RowView>,
    /// Where all of them are, and how many.
    pub all: Option<(String, usize)>,
}
