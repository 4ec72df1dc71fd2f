//! Samples to columns for drawing: first, min, max, mean, last per bucket; rates across resets; gaps kept as gaps. Reads no clock.

use std::borrow::Cow;

use app::model::{Columns, Gap, Kind, Mode, Number, Reset};

use crate::store::Samples;

mod buckets;
mod gaps;
mod rates;
#[cfg(test)]
mod tests;

/// Samples further apart than so many intervals have a gap between them, and no rate across it.
pub const GAP_INTERVALS: i64 = 3;

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

/// What there is to draw of a series over a span.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    /// The columns; of samples themselves when there are no more than asked for.
    pub columns: Columns,
    /// Where there are no values and why, cut to the span, in the order of their starts.
    pub gaps: Vec<Gap>,
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
    let values: Cow<'_, [Option<Number>]> = match span.mode {
        Mode::Value => Cow::Borrowed(&samples.values),
        Mode::Rate => Cow::Owned(rates::rates(samples, resets, kind)),
    };
    let mut marks: Vec<Reset> = match kind {
        Kind::Counter => rates::with_drops(samples, resets),
        Kind::Gauge => resets.to_vec(),
    };
    marks.retain(|reset| (span.from_ms..span.to_ms).contains(&reset.at));
    if samples.at_ms.is_sorted() {
        return drawn(samples, &values, box_gaps, marks, span);
    }
    let mut order: Vec<usize> = (0..samples.at_ms.len()).collect();
    order.sort_by_key(|&i| samples.at_ms[i]);
    let values: Vec<Option<Number>> = order.iter().map(|&i| values[i]).collect();
    drawn(&samples.in_order(&order), &values, box_gaps, marks, span)
}

/// What there is to draw of samples in the order of their times.
fn drawn(samples: &Samples, values: &[Option<Number>], box_gaps: &[Gap], resets: Vec<Reset>, span: Span) -> History {
    let start = samples.at_ms.partition_point(|&at| at < span.from_ms);
    let end = samples.at_ms.partition_point(|&at| at < span.to_ms).max(start);
    let gaps = gaps::gaps(samples, box_gaps, span, start..end);
    let columns = if end - start <= span.points {
        themselves(samples, values, start..end)
    } else {
        buckets::buckets(&samples.at_ms[start..end], &values[start..end], span)
    };
    History { columns, gaps, resets }
}

/// Whether two neighbouring samples have a gap between them.
fn apart(samples: &Samples, later: usize) -> bool {
    let interval_ms = samples.interval_ms[later].max(samples.interval_ms[later - 1]);
    samples.at_ms[later].saturating_sub(samples.at_ms[later - 1]) > interval_ms.saturating_mul(GAP_INTERVALS)
}

/// What can be drawn: neither unknown nor infinite.
fn drawable(value: Option<Number>) -> Option<Number> {
    value.filter(|number| !matches!(number, Number::Float(float) if !float.is_finite()))
}

/// A row per sample.
fn themselves(samples: &Samples, values: &[Option<Number>], range: std::ops::Range<usize>) -> Columns {
    let column: Vec<Option<Number>> = values[range.clone()].iter().map(|&value| drawable(value)).collect();
    let t = samples.at_ms[range].to_vec();
    Columns { t, first: column.clone(), min: column.clone(), max: column.clone(), mean: column.clone(), last: column }
}
