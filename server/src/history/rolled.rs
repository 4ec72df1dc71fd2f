//! Minutes and hours to columns for drawing: as samples are, but that a point begins and ends with whole buckets.

use app::model::{Columns, Gap, Kind, Mode, Number, Reset, ResetCause};

use super::{GAP_INTERVALS, History, NO_VALUE, Span, gaps, grows, increases, line::counted, rates};
use crate::store::{Bucket, Rates, Rollup, Summary, Tier};

/// Why there is no rate where it is not kept which steps went down.
const FELL_OFTEN: &str = "a counter that fell so often: how it grew is told of shorter spans";

/// Columns, gaps and resets of one series over a span, from its roll-up. Buckets that begin before the span or end after it are drawn
/// whole. Of rates, `first` and `last` are the mean of the first and the last bucket, all else is as of samples. What grew and never fell has
/// no mean of its values. Gaps shorter than a bucket are not told.
#[must_use]
pub fn columns_of_rollup(rollup: &Rollup, box_gaps: &[Gap], resets: &[Reset], kind: Kind, span: Span) -> History {
    let touches = |bucket: &&Bucket| bucket.last_ms >= span.from_ms && bucket.first_ms < span.to_ms;
    let buckets: Vec<&Bucket> = rollup.buckets.iter().filter(touches).collect();
    let points = match span.mode {
        Mode::Value | Mode::Percent => values(&buckets, &places(rollup, span)),
        Mode::Rate | Mode::Increase => {
            rates_of(&buckets, rates::of_steps(rollup, resets, kind), kind, &places(rollup, span), span.mode == Mode::Increase)
        }
    };
    let mut marks = resets.to_vec();
    if kind == Kind::Counter {
        marks.extend(drops(&buckets));
    }
    marks.retain(|reset| (span.from_ms..span.to_ms).contains(&reset.at));
    marks.sort_by_key(|reset| reset.at);
    let mut gaps = told(&buckets, box_gaps, span);
    let counts = kind == Kind::Counter && grows(span.mode);
    if counts {
        gaps.extend(gaps::cut(runs(&buckets, |bucket| bucket.mixed.count > 0, FELL_OFTEN), span));
        gaps.sort_by_key(|gap| gap.from);
    }
    let total = counts.then(|| total(&buckets, &rates::of_steps(rollup, resets, kind))).flatten();
    History { columns: points, gaps, total, resets: marks }
}

/// By how much a counter grew in these buckets and in the steps between what is stored of them; none where it is not all known.
fn total(buckets: &[&Bucket], steps: &[(i64, Rates)]) -> Option<Number> {
    let (first, last) = (buckets.first()?, buckets.last()?);
    if buckets.iter().any(|bucket| bucket.mixed.count > 0) {
        return None;
    }
    let between = steps.iter().filter(|(at_ms, _)| (first.first_ms..=last.last_ms).contains(at_ms)).map(|(_, rates)| rates);
    let all = buckets.iter().map(|bucket| &bucket.rises).chain(between).filter(|rates| rates.count > 0);
    all.map(|rates| rates.increase).reduce(|sum, more| sum + more).map(counted)
}

/// The starts and ends of the points: none is shorter than a bucket, so that no hole is drawn where there is none.
fn places(rollup: &Rollup, span: Span) -> Vec<(i64, i64)> {
    let bucket_ms = rollup.tier.map_or(1, Tier::bucket_ms).max(1);
    let most = span.to_ms.saturating_sub(span.from_ms) / bucket_ms;
    let points = usize::try_from(most).unwrap_or(usize::MAX).clamp(1, span.points.max(1));
    Span { points, ..span }.buckets().collect()
}

fn values(buckets: &[&Bucket], places: &[(i64, i64)]) -> Columns {
    let mut columns = Columns::default();
    let mut rest = buckets.iter().map(|bucket| (bucket.first_ms, bucket.values)).peekable();
    for &(start_ms, end_ms) in places {
        let mut all: Option<Summary> = None;
        while let Some((_, values)) = rest.next_if(|&(at_ms, _)| at_ms < end_ms) {
            all = match (all, values) {
                (Some(all), Some(more)) => Some(all.then(more)),
                (all, more) => all.or(more),
            };
        }
        columns.t.push(start_ms);
        columns.first.push(all.map(|all| all.first));
        columns.min.push(all.map(|all| all.min));
        columns.max.push(all.map(|all| all.max));
        columns.mean.push(all.and_then(|all| all.mean).map(Number::Float));
        columns.last.push(all.map(|all| all.last));
    }
    columns
}

/// What grew, per second or in all.
fn rates_of(buckets: &[&Bucket], steps: Vec<(i64, Rates)>, kind: Kind, places: &[(i64, i64)], in_all: bool) -> Columns {
    // None: something of it is not known, so that what is would mislead.
    let of_bucket = |bucket: &&Bucket| match kind {
        Kind::Counter => (bucket.mixed.count == 0).then_some(bucket.rises),
        Kind::Gauge => Some(bucket.rises.and(bucket.falls).and(bucket.mixed)),
    };
    let mut all: Vec<(i64, Option<Rates>)> = buckets.iter().map(|bucket| (bucket.first_ms, of_bucket(bucket))).collect();
    let from_ms = places.first().map_or(i64::MAX, |&(from_ms, _)| from_ms);
    all.extend(steps.into_iter().filter(|&(at_ms, _)| at_ms >= from_ms).map(|(at_ms, rates)| (at_ms, Some(rates))));
    all.retain(|(_, rates)| rates.is_none_or(|rates| rates.count > 0));
    all.sort_by_key(|&(at_ms, _)| at_ms);
    let mut columns = Columns::default();
    let mut rest = all.into_iter().peekable();
    for &(start_ms, end_ms) in places {
        let mut sum = Rates::default();
        let (mut first, mut last, mut is_known) = (None, None, true);
        while let Some((_, rates)) = rest.next_if(|&(at_ms, _)| at_ms < end_ms) {
            is_known &= rates.is_some();
            let rates = rates.unwrap_or_default();
            sum = sum.and(rates);
            last = rates.mean();
            first = first.or(last);
        }
        if !is_known {
            (sum, first, last) = (Rates::default(), None, None);
        }
        if in_all {
            increases::push(&mut columns, start_ms, (sum.count > 0).then(|| counted(sum.increase)));
            continue;
        }
        let some = |rate: f64| (sum.count > 0).then_some(Number::Float(rate));
        columns.t.push(start_ms);
        columns.first.push(first.map(Number::Float));
        columns.min.push(some(sum.least));
        columns.max.push(some(sum.most));
        columns.mean.push(sum.mean().map(Number::Float));
        columns.last.push(last.map(Number::Float));
    }
    columns
}

/// A mark for each bucket in which a counter fell and no mark says why.
fn drops(buckets: &[&Bucket]) -> impl Iterator<Item = Reset> {
    let fell = buckets.iter().filter(|bucket| bucket.falls.count > 0);
    fell.map(|bucket| Reset { at: bucket.last_ms, cause: ResetCause::Drop, by: None })
}

/// Where there are no values, and why.
fn told(buckets: &[&Bucket], box_gaps: &[Gap], span: Span) -> Vec<Gap> {
    let mut told = Vec::new();
    let (Some(first), Some(last)) = (buckets.first(), buckets.last()) else {
        gaps::on_record(box_gaps, span.from_ms, span.to_ms, &mut told);
        return gaps::cut(told, span);
    };
    gaps::on_record(box_gaps, span.from_ms, first.first_ms, &mut told);
    for pair in buckets.windows(2) {
        let (from, to) = (pair[0].last_ms, pair[1].first_ms);
        if to.saturating_sub(from) > pair[0].interval_ms.max(pair[1].interval_ms).saturating_mul(GAP_INTERVALS) {
            told.push(Gap { from, to, reason: gaps::reason(box_gaps, from, to) });
        }
    }
    told.extend(runs(buckets, |bucket| bucket.values.is_none(), NO_VALUE));
    gaps::on_record(box_gaps, last.last_ms, span.to_ms, &mut told);
    gaps::cut(told, span)
}

/// A gap for each run of buckets of which something is true.
fn runs(buckets: &[&Bucket], is: fn(&Bucket) -> bool, reason: &str) -> Vec<Gap> {
    let runs = buckets.chunk_by(|one, next| is(one) == is(next)).filter(|run| is(run[0]));
    runs.map(|run| Gap { from: run[0].first_ms, to: run[run.len() - 1].last_ms, reason: reason.to_owned() }).collect()
}
