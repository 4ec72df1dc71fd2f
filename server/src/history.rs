//! Samples to columns for drawing: first, min, max, mean, last per bucket; rates across resets; gaps kept as gaps. Reads no clock.

use app::model::{Columns, Gap, Kind, Mode, Number, Reset};

use self::line::Line;
use crate::store::Samples;

pub use increases::{in_stretches, stretch_ms};
pub use rolled::columns_of_rollup;
pub use shares::{NO_SHARE, Side, shares, shares_of_rollups};

mod buckets;
mod gaps;
mod increases;
mod line;
mod rates;
mod rolled;
mod shares;
#[cfg(test)]
mod tests;

pub use crate::store::GAP_INTERVALS;

/// Why there is a gap when the box has none on record.
pub const NOT_RECORDED: &str = "not recorded";

/// Why there is a gap around samples without a value.
pub const NO_VALUE: &str = "the box gave no value";

/// What is asked of a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The start, epoch milliseconds, included.
    pub from_ms: i64,
    /// The end, excluded.
    pub to_ms: i64,
    /// At most so many points.
    pub points: usize,
    /// Values or rates.
    pub mode: Mode,
}

impl Span {
    /// How long a point is.
    #[must_use]
    pub fn width_ms(self) -> i64 {
        let points = i64::try_from(self.points).unwrap_or(i64::MAX).max(1);
        let length_ms = self.to_ms.saturating_sub(self.from_ms).max(0);
        length_ms / points + i64::from(length_ms % points != 0)
    }

    /// The start of each point.
    pub fn starts(self) -> impl Iterator<Item = i64> {
        self.buckets().map(|(start, _)| start)
    }

    /// The start and the end of each point.
    fn buckets(self) -> impl Iterator<Item = (i64, i64)> {
        let width_ms = self.width_ms();
        let starts = std::iter::successors(Some(self.from_ms), move |start| start.checked_add(width_ms));
        let starts = starts.take_while(move |&start| start < self.to_ms && self.points > 0);
        starts.map(move |start| (start, start.saturating_add(width_ms).min(self.to_ms)))
    }
}

/// Where the points of columns lie.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Grid {
    /// At the samples, where there are no more of them than points are asked for.
    #[default]
    Samples,
    /// At equal distances always, so that several series have the same.
    Equal,
}

/// What there is to draw of a series over a span.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    /// The columns; of samples themselves when there are no more than asked for.
    pub columns: Columns,
    /// Where there are no values and why, cut to the span, in the order of their starts.
    pub gaps: Vec<Gap>,
    /// By how much a counter grew, where rates are asked for: gaps are not in it. None where no step of it is known.
    pub total: Option<Number>,
    /// The marks given, and drops of a counter that nobody marked; in the order of their times.
    pub resets: Vec<Reset>,
}

/// How long before a span the samples to give to [`columns`] begin, in milliseconds: the first rate needs the sample before it.
#[must_use]
pub const fn lookback_ms(interval_ms: i64) -> i64 {
    interval_ms.saturating_mul(GAP_INTERVALS)
}

/// Columns, gaps and resets of one series over a span. `samples` and `resets` begin [`lookback_ms`] before it; `box_gaps` are those
/// that touch it. Samples come in the order of their recording, which is what rates and drops are told from, and are drawn in that of
/// their times.
#[must_use]
pub fn columns(samples: &Samples, box_gaps: &[Gap], resets: &[Reset], kind: Kind, span: Span) -> History {
    columns_on(Grid::Samples, samples, box_gaps, resets, kind, span)
}

/// The same in equal buckets, however few samples there are.
#[must_use]
pub fn even_columns(samples: &Samples, box_gaps: &[Gap], resets: &[Reset], kind: Kind, span: Span) -> History {
    columns_on(Grid::Equal, samples, box_gaps, resets, kind, span)
}

/// As [`columns`], with points where they are wanted.
#[must_use]
pub fn columns_on(grid: Grid, samples: &Samples, box_gaps: &[Gap], resets: &[Reset], kind: Kind, span: Span) -> History {
    let breaks = breaks(samples);
    let in_order = samples.at_ms.is_sorted();
    let line = match span.mode {
        // A share needs a second series: see [`shares`].
        Mode::Value | Mode::Percent => Line::of(&samples.values),
        Mode::Rate | Mode::Increase => rates::rates(samples, &breaks, in_order, resets, kind),
    };
    let marks = worth_telling(samples, resets, kind, span);
    let counts = kind == Kind::Counter && grows(span.mode);
    if in_order {
        let mut history = drawn(samples, &line, &breaks, box_gaps, marks, span, grid);
        let (start, end) = (samples.at_ms.partition_point(|&at| at < span.from_ms), samples.at_ms.partition_point(|&at| at < span.to_ms));
        history.total = counts.then(|| line.increase(&samples.at_ms, start..end)).flatten();
        return history;
    }
    // The steps of what repeats are in the order of recording, some of them beyond the span.
    let whole_ms = (samples.at_ms.iter().min(), samples.at_ms.iter().max());
    let is_all = whole_ms.0.is_none_or(|&first| first >= span.from_ms) && whole_ms.1.is_none_or(|&last| last < span.to_ms);
    let total = (counts && is_all).then(|| line.increase(&samples.at_ms, 0..samples.at_ms.len())).flatten();
    let mut order: Vec<usize> = (0..samples.at_ms.len()).collect();
    order.sort_by_key(|&i| samples.at_ms[i]);
    let samples_at = samples.at_ms.clone();
    let samples = samples.in_order(&order);
    // As increases they were worked out in the order of their recording too; only their places are in that of their times.
    let line = if span.mode == Mode::Increase { line.grown(&samples_at, &order) } else { line.in_order(&order) };
    History { total, ..drawn(&samples, &line, &self::breaks(&samples), box_gaps, marks, span, grid) }
}

/// What each sample says, value or rate, in the order of their times; NaN where it says nothing.
#[must_use]
pub fn each(samples: &Samples, resets: &[Reset], kind: Kind, mode: Mode) -> Vec<(i64, f64)> {
    let in_order = samples.at_ms.is_sorted();
    let line = match mode {
        Mode::Value | Mode::Percent => Line::of(&samples.values),
        Mode::Rate | Mode::Increase => rates::rates(samples, &breaks(samples), in_order, resets, kind),
    };
    let value = |sample: usize| line.get(sample).map_or(f64::NAN, Number::as_f64);
    let mut each: Vec<(i64, f64)> = samples.at_ms.iter().enumerate().map(|(sample, &at)| (at, value(sample))).collect();
    if !in_order {
        each.sort_by_key(|&(at, _)| at);
    }
    each
}

/// Whether a mode tells how something grows.
fn grows(mode: Mode) -> bool {
    matches!(mode, Mode::Rate | Mode::Increase)
}

/// The marks of a span, with those of drops that nobody marked.
fn worth_telling(samples: &Samples, resets: &[Reset], kind: Kind, span: Span) -> Vec<Reset> {
    let mut marks: Vec<Reset> = match kind {
        Kind::Counter => rates::with_drops(samples, resets),
        Kind::Gauge => resets.to_vec(),
    };
    marks.retain(|reset| (span.from_ms..span.to_ms).contains(&reset.at));
    marks
}

/// What there is to draw of samples in the order of their times.
fn drawn(samples: &Samples, line: &Line<'_>, breaks: &[usize], box_gaps: &[Gap], resets: Vec<Reset>, span: Span, grid: Grid) -> History {
    let start = samples.at_ms.partition_point(|&at| at < span.from_ms);
    let end = samples.at_ms.partition_point(|&at| at < span.to_ms).max(start);
    let gaps = gaps::gaps(samples, breaks, box_gaps, span, start..end);
    let columns = if span.mode == Mode::Increase {
        increases::increases(&samples.at_ms, line, start..end, span)
    } else if end - start <= span.points && grid == Grid::Samples {
        themselves(samples, line, start..end)
    } else {
        buckets::buckets(&samples.at_ms, line, start..end, span)
    };
    History { columns, gaps, total: None, resets }
}

/// The samples that have a gap before them: they are further from the one before than [`GAP_INTERVALS`] of the longer interval.
fn breaks(samples: &Samples) -> Vec<usize> {
    let mut breaks = Vec::new();
    let at_ms = &samples.at_ms;
    for (run, &(from, interval_ms)) in samples.intervals.iter().enumerate() {
        let end = samples.intervals.get(run + 1).map_or(at_ms.len(), |&(next, _)| next);
        // The first of a run is beside one of another interval.
        if let Some(before) = run.checked_sub(1).map(|before| samples.intervals[before].1)
            && at_ms[from].saturating_sub(at_ms[from - 1]) > lookback_ms(interval_ms.max(before))
        {
            breaks.push(from);
        }
        let longest_ms = lookback_ms(interval_ms);
        let pairs = at_ms[from..end].windows(2).enumerate();
        breaks.extend(pairs.filter(|(_, pair)| pair[1].saturating_sub(pair[0]) > longest_ms).map(|(place, _)| from + place + 1));
    }
    breaks
}

/// Whether a sample has a gap before it.
fn is_apart(breaks: &[usize], sample: usize) -> bool {
    breaks.binary_search(&sample).is_ok()
}

/// What can be drawn: neither unknown nor infinite.
fn drawable(value: Option<Number>) -> Option<Number> {
    value.filter(|number| !matches!(number, Number::Float(float) if !float.is_finite()))
}

/// A row per sample.
fn themselves(samples: &Samples, line: &Line<'_>, range: std::ops::Range<usize>) -> Columns {
    let column: Vec<Option<Number>> = range.clone().map(|sample| line.get(sample)).collect();
    let t = samples.at_ms[range].to_vec();
    Columns { t, first: column.clone(), min: column.clone(), max: column.clone(), mean: column.clone(), last: column }
}
