//! What one statistic is of another, in percent: sample by sample where both were polled at once, as those of a box are. By zero there is no
//! share.

use app::model::{Columns, Gap, Kind, Mode, Number, Reset};

use super::{Grid, History, NO_VALUE, Span, breaks, drawable, drawn, line::Line, rates, rolled, worth_telling};
use crate::store::{Rollup, Samples};

/// Why there is a gap where there is no share.
pub const NO_SHARE: &str = "one of both has no value, or the whole is zero";

/// One of two statistics: what is stored of it, its marks, and what it is.
pub struct Side<'a, T> {
    /// What is stored of it.
    pub stored: &'a T,
    /// Its marks.
    pub resets: &'a [Reset],
    /// Counters are compared by their rates, gauges by their values.
    pub kind: Kind,
}

/// How a statistic of a kind takes part in a share.
fn mode(kind: Kind) -> Mode {
    if kind == Kind::Counter { Mode::Rate } else { Mode::Value }
}

/// The share of each sample of the one that has one of the other at the same instant.
#[must_use]
pub fn shares(part: &Side<'_, Samples>, whole: &Side<'_, Samples>, box_gaps: &[Gap], span: Span, grid: Grid) -> History {
    let mut joint = Samples::default();
    let mut shares = Vec::new();
    let mut others = rows(whole).into_iter().peekable();
    for one in rows(part) {
        while others.next_if(|other| other.at_ms < one.at_ms).is_some() {}
        let Some(all) = others.next_if(|other| other.at_ms == one.at_ms) else { continue };
        // Where a counter has no rate, at its first sample or at a reset, nothing is missing; all else that leaves no share is told.
        let is_zero = all.drawn.is_some_and(|all| all.as_f64() == 0.0);
        let known = one.is_known && all.is_known && !is_zero;
        joint.push(one.at_ms, known.then_some(Number::Int(0)), one.interval_ms.max(all.interval_ms));
        shares.push(share(one.drawn, all.drawn));
    }
    let marks = worth_telling(part.stored, part.resets, part.kind, span);
    let line = Line::Numbers(shares.into());
    let mut history = drawn(&joint, &line, &breaks(&joint), box_gaps, marks, span, grid);
    name_gaps(&mut history.gaps);
    history
}

/// The shares of points of two roll-ups of one tier: of the means, and of what was first and last in each point.
#[must_use]
pub fn shares_of_rollups(part: &Side<'_, Rollup>, whole: &Side<'_, Rollup>, box_gaps: &[Gap], span: Span) -> History {
    let columns = |side: &Side<'_, Rollup>| {
        rolled::columns_of_rollup(side.stored, box_gaps, side.resets, side.kind, Span { mode: mode(side.kind), ..span })
    };
    let (mut history, other) = (columns(part), columns(whole));
    history.columns = of_columns(&history.columns, &other.columns);
    history.gaps.extend(other.gaps);
    history.gaps.sort_by_key(|gap| gap.from);
    history.gaps.dedup();
    name_gaps(&mut history.gaps);
    History { total: None, ..history }
}

/// Each point's share, where both have it.
fn of_columns(part: &Columns, whole: &Columns) -> Columns {
    let mut columns = Columns::default();
    for (point, &at) in part.t.iter().enumerate() {
        let Ok(other) = whole.t.binary_search(&at) else { continue };
        let of = |one: &[Option<Number>], all: &[Option<Number>]| share(one[point], all[other]);
        let (first, last) = (of(&part.first, &whole.first), of(&part.last, &whole.last));
        let mean = of(&part.mean, &whole.mean).or(last);
        let known = || [first, mean, last].into_iter().flatten();
        let pick = |better: fn(f64, f64) -> bool| known().reduce(|a, b| if better(b.as_f64(), a.as_f64()) { b } else { a });
        columns.t.push(at);
        columns.min.push(pick(|a, b| a < b));
        columns.max.push(pick(|a, b| a > b));
        columns.first.push(first);
        columns.mean.push(mean);
        columns.last.push(last);
    }
    columns
}

/// What one number is of another, in percent; none by zero.
fn share(part: Option<Number>, whole: Option<Number>) -> Option<Number> {
    let (part, whole) = (part?.as_f64(), whole?.as_f64());
    let share = part / whole * 100.0;
    (whole != 0.0 && share.is_finite()).then_some(Number::Float(share))
}

fn name_gaps(gaps: &mut [Gap]) {
    for gap in gaps.iter_mut().filter(|gap| gap.reason == NO_VALUE) {
        NO_SHARE.clone_into(&mut gap.reason);
    }
}

/// A sample of a side.
struct Row {
    at_ms: i64,
    /// Its value, or of a counter its rate.
    drawn: Option<Number>,
    /// Whether the box gave a value.
    is_known: bool,
    interval_ms: i64,
}

/// The samples of a side, in the order of their times.
fn rows(side: &Side<'_, Samples>) -> Vec<Row> {
    let samples = side.stored;
    let breaks = breaks(samples);
    let line = match mode(side.kind) {
        Mode::Rate => rates::rates(samples, &breaks, samples.at_ms.is_sorted(), side.resets, side.kind),
        _ => Line::of(&samples.values),
    };
    let row = |(sample, &at_ms): (usize, &i64)| Row {
        at_ms,
        drawn: line.get(sample),
        is_known: drawable(samples.values.get(sample)).is_some(),
        interval_ms: samples.interval_ms(sample),
    };
    let mut rows: Vec<Row> = samples.at_ms.iter().enumerate().map(row).collect();
    rows.sort_by_key(|row| row.at_ms);
    rows
}
