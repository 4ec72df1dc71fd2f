//! Where there are no values, and why.

use std::ops::Range;

use app::model::Gap;

use super::{NO_VALUE, NOT_RECORDED, Span, drawable, is_apart};
use crate::store::{Samples, Values};

/// The gaps of a span, whose samples are `range`: between samples too far apart, around unknown values, and before and after the
/// samples where the box has gaps on record.
pub(super) fn gaps(samples: &Samples, breaks: &[usize], box_gaps: &[Gap], span: Span, range: Range<usize>) -> Vec<Gap> {
    let mut gaps = Vec::new();
    match samples.at_ms[..range.end].last() {
        // No sample, and none shortly before: what is known of the box.
        None => on_record(box_gaps, span.from_ms, span.to_ms, &mut gaps),
        Some(&last) => {
            if range.start == 0 {
                on_record(box_gaps, span.from_ms, samples.at_ms[0], &mut gaps);
            }
            between(samples, breaks, box_gaps, range.clone(), &mut gaps);
            unknown(samples, breaks, range, &mut gaps);
            on_record(box_gaps, last, span.to_ms, &mut gaps);
        }
    }
    cut(gaps, span)
}

/// Gaps cut to a span, in the order of their starts.
pub(super) fn cut(mut gaps: Vec<Gap>, span: Span) -> Vec<Gap> {
    for gap in &mut gaps {
        gap.from = gap.from.max(span.from_ms);
        gap.to = gap.to.min(span.to_ms);
    }
    gaps.retain(|gap| gap.from < gap.to);
    gaps.sort_by_key(|gap| gap.from);
    gaps
}

/// The gaps of the box, cut to where there are no samples.
pub(super) fn on_record(box_gaps: &[Gap], from: i64, to: i64, gaps: &mut Vec<Gap>) {
    gaps.extend(box_gaps.iter().map(|gap| Gap { from: gap.from.max(from), to: gap.to.min(to), reason: gap.reason.clone() }));
}

/// From the last sample before a gap to the first one after it; the first may lie just before the span.
fn between(samples: &Samples, breaks: &[usize], box_gaps: &[Gap], range: Range<usize>, gaps: &mut Vec<Gap>) {
    for &i in breaks.iter().filter(|i| range.contains(i)) {
        let (from, to) = (samples.at_ms[i - 1], samples.at_ms[i]);
        gaps.push(Gap { from, to, reason: reason(box_gaps, from, to) });
    }
}

/// Why there is a gap: what covers most of it on record.
pub(super) fn reason(box_gaps: &[Gap], from: i64, to: i64) -> String {
    let overlap = |gap: &&Gap| gap.to.min(to).saturating_sub(gap.from.max(from));
    let reason = box_gaps.iter().filter(|gap| overlap(gap) > 0).max_by_key(overlap);
    reason.map_or(NOT_RECORDED, |gap| &gap.reason).to_owned()
}

/// Around each run of samples without a value, up to the samples beside it.
fn unknown(samples: &Samples, breaks: &[usize], range: Range<usize>, gaps: &mut Vec<Gap>) {
    let Values::Numbers(values) = &samples.values else { return };
    let mut i = range.start;
    while i < range.end {
        if drawable(values[i]).is_some() {
            i += 1;
            continue;
        }
        let first = i;
        while i < range.end && drawable(values[i]).is_none() && (i == first || !is_apart(breaks, i)) {
            i += 1;
        }
        let from = if first > 0 && !is_apart(breaks, first) { first - 1 } else { first };
        let to = if i < samples.at_ms.len() && !is_apart(breaks, i) { i } else { i - 1 };
        gaps.push(Gap { from: samples.at_ms[from], to: samples.at_ms[to], reason: NO_VALUE.to_owned() });
    }
}
