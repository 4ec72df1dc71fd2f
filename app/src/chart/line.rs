//! Columns → points to draw: at most four for each pixel column, so that no spike is lost and no picture grows without bound.

use super::axis::drawable;
use crate::model::{Columns, Gap, Reset};

/// A point: epoch milliseconds and a value, which is placed on its axis later.
pub(super) type Point = (i64, f64);

/// Points without a gap between them.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Run {
    /// The line.
    pub(super) line: Vec<Point>,
    /// The upper edge of the area below it: one point for each pixel column, which the line covers.
    pub(super) outline: Vec<Point>,
}

impl Run {
    /// Its values become shares of an axis.
    pub(super) fn place(&mut self, axis: &super::axis::ValueAxis) {
        self.line.iter_mut().chain(&mut self.outline).for_each(|(_, v)| *v = axis.place(*v));
    }
}

/// What falls into one pixel column.
#[derive(Clone, Copy)]
struct Bucket {
    pixel: i64,
    first: Point,
    min: Point,
    max: Point,
    last: Point,
}

impl Bucket {
    fn take(&mut self, point: Point) {
        if point.1 < self.min.1 {
            self.min = point;
        }
        if point.1 > self.max.1 {
            self.max = point;
        }
        self.last = point;
    }
}

/// The runs of a line within a span, for a plot that many pixels wide. A gap between two points breaks it; so does `null`, where a gap or
/// a reset tells why. Any other `null` is a bucket between two samples: that the box was asked less often than it has pixels is no hole.
pub(super) fn runs(columns: &Columns, gaps: &[Gap], resets: &[Reset], (from, to): (i64, i64), pixels: usize) -> Vec<Run> {
    let pixels = i64::try_from(pixels).unwrap_or(1).max(1);
    // Wide spans would overflow: they are counted in coarser steps.
    let width = ((to - from) / pixels).max(1);
    let mut runs = Vec::new();
    let mut run = Run::default();
    let mut bucket: Option<Bucket> = None;
    let mut before: Option<i64> = None;
    let mut skipped = false;
    let mut gaps = gaps;
    for (index, at) in columns.t.iter().copied().enumerate() {
        if at < from || at > to {
            close(&mut runs, &mut run, &mut bucket);
            continue;
        }
        let Some(values) = values(columns, index) else {
            skipped = true;
            continue;
        };
        let skipped = std::mem::take(&mut skipped);
        if let Some(before) = before.replace(at) {
            gaps = &gaps[gaps.iter().take_while(|gap| gap.to <= before).count()..];
            let by_gap = gaps.iter().take_while(|gap| gap.from < at).any(|gap| skipped || (gap.from <= before && gap.to >= at));
            if by_gap || (skipped && resets.iter().any(|reset| reset.at > before && reset.at <= at)) {
                close(&mut runs, &mut run, &mut bucket);
            }
        }
        for v in values {
            let (point, pixel) = ((at, v), (at - from) / width);
            match &mut bucket {
                Some(open) if open.pixel == pixel => open.take(point),
                _ => {
                    flush(&mut run, &mut bucket);
                    bucket = Some(Bucket { pixel, first: point, min: point, max: point, last: point });
                }
            }
        }
    }
    close(&mut runs, &mut run, &mut bucket);
    runs
}

/// The values of a bucket in the order a line takes them; `None` where there are none.
fn values(columns: &Columns, index: usize) -> Option<[f64; 4]> {
    let pick = |column: &[Option<crate::model::Number>]| drawable(column.get(index).copied().flatten());
    let (first, min, max, last) = (pick(&columns.first), pick(&columns.min), pick(&columns.max), pick(&columns.last));
    let any = first.or(last).or(max).or(min)?;
    let (first, last) = (first.unwrap_or(any), last.unwrap_or(any));
    let (min, max) = (min.unwrap_or(any), max.unwrap_or(any));
    // The shorter way: towards the end that is nearer to the start.
    Some(if first <= last { [first, min, max, last] } else { [first, max, min, last] })
}

fn flush(run: &mut Run, bucket: &mut Option<Bucket>) {
    let Some(bucket) = bucket.take() else { return };
    let inner = if bucket.min.0 < bucket.max.0 || (bucket.min.0 == bucket.max.0 && bucket.first.1 <= bucket.last.1) {
        [bucket.min, bucket.max]
    } else {
        [bucket.max, bucket.min]
    };
    for point in [bucket.first, inner[0], inner[1], bucket.last] {
        if run.line.last() != Some(&point) {
            run.line.push(point);
        }
    }
    if run.outline.is_empty() && bucket.first.0 < bucket.last.0 {
        run.outline.push(bucket.first);
    }
    run.outline.push(bucket.last);
}

fn close(runs: &mut Vec<Run>, run: &mut Run, bucket: &mut Option<Bucket>) {
    flush(run, bucket);
    if !run.line.is_empty() {
        runs.push(std::mem::take(run));
    }
}
