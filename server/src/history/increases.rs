//! By how much a statistic grew in each of equal stretches of time. Sums are exact where the samples are whole numbers.

use std::ops::Range;

use app::model::{Columns, Number};

use super::{Span, line::Line};

/// Stretches that people count in, milliseconds.
const STRETCHES_MS: [i64; 20] = [
    1_000,
    2_000,
    5_000,
    10_000,
    20_000,
    30_000,
    60_000,
    120_000,
    300_000,
    600_000,
    900_000,
    1_800_000,
    3_600_000,
    7_200_000,
    10_800_000,
    21_600_000,
    43_200_000,
    86_400_000,
    604_800_000,
    2_419_200_000,
];

/// The shortest of them that is at least so long.
#[must_use]
pub fn stretch_ms(least_ms: i64) -> i64 {
    let longest = STRETCHES_MS[STRETCHES_MS.len() - 1];
    STRETCHES_MS.into_iter().find(|&stretch| stretch >= least_ms).unwrap_or_else(|| up_to(least_ms, longest))
}

/// A span that is made of whole stretches, each of which is a point of it: from the start of the one that the span begins in to the end of
/// the one that it ends in.
#[must_use]
pub fn in_stretches(span: Span, stretch_ms: i64) -> Span {
    let stretch_ms = stretch_ms.max(1);
    let from_ms = span.from_ms.div_euclid(stretch_ms).saturating_mul(stretch_ms);
    let to_ms = up_to(span.to_ms, stretch_ms);
    let points = usize::try_from(to_ms.saturating_sub(from_ms) / stretch_ms).unwrap_or(1).max(1);
    Span { from_ms, to_ms, points, ..span }
}

/// The multiple of a length that is not below an instant, and nearest to it.
fn up_to(at_ms: i64, length_ms: i64) -> i64 {
    at_ms.saturating_add(length_ms - 1).div_euclid(length_ms).saturating_mul(length_ms)
}

/// The increases of the points of a span. `line` has the rates of samples in the order of their times, `range` those within the span.
pub(super) fn increases(at_ms: &[i64], line: &Line<'_>, range: Range<usize>, span: Span) -> Columns {
    let mut columns = Columns::default();
    let mut sample = range.start;
    for (start_ms, end_ms) in span.buckets() {
        let inside = at_ms[sample..range.end].iter().take_while(|&&at| at < end_ms).count();
        push(&mut columns, start_ms, line.increase(at_ms, sample..sample + inside));
        sample += inside;
    }
    columns
}

/// One number a point, as all that can be said of it.
pub(super) fn push(columns: &mut Columns, start_ms: i64, number: Option<Number>) {
    columns.t.push(start_ms);
    for column in [&mut columns.first, &mut columns.min, &mut columns.max, &mut columns.mean, &mut columns.last] {
        column.push(number);
    }
}
