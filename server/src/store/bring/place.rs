//! Where samples that are brought in belong: into a span that is there, or into new ones with others of the same rhythm. It must not know
//! SQL.

use std::collections::{BTreeMap, HashMap, HashSet};

use app::model::Number;

use super::super::chunk::{Column, Times};
use super::super::types::SeriesId;
use super::Sample;

/// Where a span is: its start and its number.
pub(super) type Key = (i64, i64);

/// Times and values of one series, in the order of time.
pub(super) type Run = Vec<(i64, Option<Number>)>;

/// An interval is that of so many neighbouring steps, so that it follows one that changes.
const STEPS: usize = 64;

/// What is known of an interval where there is one poll alone.
const INTERVAL_MS: i64 = 60_000;

/// A span of samples that is there.
pub(super) struct Span {
    pub(super) key: Key,
    pub(super) end_ms: i64,
    pub(super) times: Times,
}

/// What is there of a series in a span.
pub(super) struct Held {
    pub(super) key: Key,
    /// From the first to the last instant of that span.
    pub(super) within: (i64, i64),
    /// The times of its samples; none where there are only roll-ups.
    pub(super) at_ms: Option<Vec<i64>>,
}

/// Where everything belongs.
#[derive(Default)]
pub(super) struct Placed {
    /// Into spans that are there.
    pub(super) into: BTreeMap<Key, Vec<(SeriesId, Run)>>,
    /// Into new ones.
    pub(super) new: Vec<Group>,
    /// Samples that are there already.
    pub(super) known: u64,
}

/// A new span.
pub(super) struct Group {
    pub(super) at_ms: Vec<i64>,
    pub(super) members: Vec<(SeriesId, Run)>,
    has: HashSet<SeriesId>,
}

/// Places samples that are in the order of series and time.
pub(super) fn place(samples: &[Sample], spans: &[Span], held: &HashMap<SeriesId, Vec<Held>>) -> Placed {
    let mut placed = Placed::default();
    let mut loose = Vec::new();
    for run in samples.chunk_by(|(one, ..), (next, ..)| one == next) {
        let series = run[0].0;
        let of_series = held.get(&series).map(Vec::as_slice).unwrap_or_default();
        let mut ranges: Vec<(i64, i64)> = of_series.iter().map(|held| held.within).collect();
        let mut left = Run::new();
        for &(_, at_ms, value) in run {
            let mut covering = of_series.iter().filter(|held| (held.within.0..=held.within.1).contains(&at_ms)).peekable();
            if covering.peek().is_none() {
                left.push((at_ms, value));
                continue;
            }
            let covering: Vec<&Held> = covering.collect();
            let is_known = |held: &&Held| held.at_ms.as_ref().is_none_or(|all| all.binary_search(&at_ms).is_ok());
            // What was rolled up and is gone since is known, too.
            if covering.iter().any(is_known) {
                placed.known += 1;
            } else {
                let before =
                    |held: &&&Held| held.at_ms.as_ref().and_then(|all| all[..all.partition_point(|&at| at < at_ms)].last().copied());
                // It follows the sample before it.
                let Some(held) = covering.iter().max_by_key(before) else { continue };
                put(placed.into.entry(held.key).or_default(), series, (at_ms, value));
            }
        }
        for span in spans {
            let (start_ms, end_ms) = (span.key.0, span.end_ms);
            let from = left.partition_point(|(at_ms, _)| *at_ms < start_ms);
            let to = left.partition_point(|(at_ms, _)| *at_ms <= end_ms);
            let is_apart = ranges.iter().all(|&(from_ms, to_ms)| to_ms < start_ms || from_ms > end_ms);
            if from < to && is_apart && fits(&left[from..to], &span.times.at_ms) {
                let into = placed.into.entry(span.key).or_default();
                left.drain(from..to).for_each(|sample| put(into, series, sample));
                ranges.push((start_ms, end_ms));
            }
        }
        // What lies between is recorded: no span may reach across it.
        let passed = |at_ms: i64| ranges.iter().filter(|(_, end_ms)| *end_ms < at_ms).count();
        let runs = left.chunk_by(|(one, _), (next, _)| passed(*one) == passed(*next));
        loose.extend(runs.map(|run| (series, run.to_vec(), ranges.clone())));
    }
    placed.new = groups(loose);
    placed
}

fn put(into: &mut Vec<(SeriesId, Run)>, series: SeriesId, sample: (i64, Option<Number>)) {
    match into.last_mut() {
        Some((last, run)) if *last == series => run.push(sample),
        _ => into.push((series, vec![sample])),
    }
}

/// A run that no span takes, and the ranges in which its series has something.
type Loose = (SeriesId, Run, Vec<(i64, i64)>);

/// Series of the same rhythm share the times of a span.
fn groups(mut runs: Vec<Loose>) -> Vec<Group> {
    runs.sort_by_key(|(_, run, _)| std::cmp::Reverse(run.len()));
    let mut groups: Vec<Group> = Vec::new();
    for (series, run, ranges) in runs {
        let takes = |group: &&mut Group| {
            let (Some(&start_ms), Some(&end_ms)) = (group.at_ms.first(), group.at_ms.last()) else { return false };
            let is_apart = ranges.iter().all(|&(from_ms, to_ms)| to_ms < start_ms || from_ms > end_ms);
            is_apart && !group.has.contains(&series) && fits(&run, &group.at_ms)
        };
        match groups.iter_mut().find(takes) {
            Some(group) => {
                group.has.insert(series);
                group.members.push((series, run));
            }
            None => {
                let at_ms = run.iter().map(|(at_ms, _)| *at_ms).collect();
                groups.push(Group { at_ms, members: vec![(series, run)], has: [series].into() });
            }
        }
    }
    groups
}

/// Whether a run has its samples at some of these times, and not so few of them that each step would be taken for a gap.
fn fits(run: &[(i64, Option<Number>)], times: &[i64]) -> bool {
    let (Some(&(first_ms, _)), Some(&(last_ms, _))) = (run.first(), run.last()) else { return false };
    let within = times.partition_point(|&at_ms| at_ms < first_ms)..times.partition_point(|&at_ms| at_ms <= last_ms);
    if within.len() > run.len() * 2 {
        return false;
    }
    let mut times = times[within].iter();
    run.iter().all(|(at_ms, _)| times.any(|time| time == at_ms))
}

/// What a series says at these times.
pub(super) fn column(at_ms: &[i64], run: &Run) -> Column {
    let mut column = Column::default();
    let mut run = run.iter().peekable();
    for at_ms in at_ms {
        match run.next_if(|(at, _)| at == at_ms) {
            Some((_, value)) => column.push(*value),
            None => column.push_absent(1),
        }
    }
    column
}

/// Times, with the intervals that they show: medians, in two digits, so that what varies a little is one interval.
pub(super) fn rhythm(at_ms: Vec<i64>) -> Times {
    let steps: Vec<i64> = at_ms.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let mut interval_ms = Vec::with_capacity(at_ms.len());
    for some in steps.chunks(STEPS) {
        let last = interval_ms.last().copied();
        // A few at the end say little.
        let interval = last.filter(|_| some.len() < STEPS / 4).unwrap_or_else(|| median(some));
        interval_ms.extend(some.iter().map(|_| interval));
    }
    interval_ms.push(interval_ms.last().copied().unwrap_or(INTERVAL_MS));
    Times::new(at_ms, &interval_ms)
}

fn median(steps: &[i64]) -> i64 {
    let mut sorted = steps.to_vec();
    sorted.sort_unstable();
    let middle = sorted[sorted.len() / 2];
    let unit = 10_i64.pow(middle.max(1).ilog10().saturating_sub(1));
    (middle + unit / 2) / unit * unit
}

/// Times and more of them; each takes the interval of the one before it.
pub(super) fn joined(times: &Times, more: impl Iterator<Item = i64>) -> Times {
    let mut all: Vec<i64> = times.at_ms.iter().copied().chain(more).collect();
    all.sort_unstable();
    all.dedup();
    let interval = |at_ms: &i64| times.interval_at(times.at_ms.partition_point(|time| time <= at_ms).saturating_sub(1));
    let interval_ms: Vec<i64> = all.iter().map(interval).collect();
    Times::new(all, &interval_ms)
}
