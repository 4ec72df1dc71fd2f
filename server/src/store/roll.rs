//! Rolls the samples of one series up: what they come to in each minute or hour, so that a burst of one second is still seen and every
//! rate is still right. It knows neither kinds nor why a counter began anew: steps up and down are kept apart, and steps that marks lie in
//! are kept as they are, so that whoever reads decides. It must not know SQL.

use std::ops::Range;

use app::model::Number;

use super::chunk::{Column, Slots, Times};
use super::steps::{Amount, Gathered, Step, Steps};
use super::tier::Tier;

/// Samples further apart than so many intervals have a gap between them, and no rate across it.
pub const GAP_INTERVALS: i64 = 3;

/// Roll-ups are made where a bucket has at least so many polls on average: fewer take less room themselves.
const WORTH_POLLS: usize = 16;

/// What falls more often than once in so many steps, and not only now and then, is no counter.
const FALLS_OF: i64 = 64;
const FALLS_NOW_AND_THEN: i64 = 16;

/// The buckets that the polls of a span fall into.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Buckets {
    /// Their starts, epoch milliseconds.
    pub(super) start_ms: Vec<i64>,
    /// The first and the last poll of each.
    pub(super) first_ms: Vec<i64>,
    pub(super) last_ms: Vec<i64>,
    /// How many polls each has.
    pub(super) polls: Vec<i64>,
    /// The longest interval in each.
    pub(super) interval_ms: Vec<i64>,
}

impl Buckets {
    /// Those of a tier.
    pub(super) fn of(times: &Times, tier: Tier) -> Self {
        let mut buckets = Self::default();
        let length = tier.bucket_ms().max(1);
        times.for_each_interval(0..times.at_ms.len(), |polls, interval_ms| {
            for &at in &times.at_ms[polls] {
                let start = at.saturating_sub(at.rem_euclid(length));
                let here = buckets.start_ms.len();
                if buckets.start_ms.last() == Some(&start) {
                    buckets.last_ms[here - 1] = at;
                    buckets.polls[here - 1] += 1;
                    buckets.interval_ms[here - 1] = buckets.interval_ms[here - 1].max(interval_ms);
                } else {
                    buckets.start_ms.push(start);
                    buckets.first_ms.push(at);
                    buckets.last_ms.push(at);
                    buckets.polls.push(1);
                    buckets.interval_ms.push(interval_ms);
                }
            }
        });
        buckets
    }

    /// Whether roll-ups take less room than the samples.
    pub(super) fn are_worth_it(&self, times: &Times) -> bool {
        times.at_ms.len() >= self.start_ms.len().saturating_mul(WORTH_POLLS)
    }

    pub(super) fn len(&self) -> usize {
        self.start_ms.len()
    }
}

/// What a series did in a bucket.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Record<T> {
    /// Its first and last sample.
    pub(super) first_ms: i64,
    pub(super) last_ms: i64,
    /// Its samples, and those that have no value.
    pub(super) samples: i64,
    pub(super) unknown: i64,
    /// Of the values; where there is none, of no meaning.
    pub(super) first: T,
    pub(super) last: T,
    pub(super) min: T,
    pub(super) max: T,
    /// The sum of what each value is more than the first.
    pub(super) excess: T,
    /// The steps to its samples, also that from the bucket before; across gaps there is none.
    pub(super) rises: Steps<T>,
    pub(super) falls: Steps<T>,
}

impl<T> Record<T> {
    /// Whether it has a value.
    pub(super) fn is_known(&self) -> bool {
        self.samples != self.unknown
    }
}

/// A step that a mark lies in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MarkedStep {
    /// The sample before, epoch milliseconds.
    pub from_ms: i64,
    /// Its value.
    pub before: Number,
    /// The sample, epoch milliseconds.
    pub to_ms: i64,
    /// Its value.
    pub value: Number,
}

/// What a series did in each bucket of a span.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Rolled {
    pub(super) records: Records,
    pub(super) marked: Vec<MarkedStep>,
    /// Whether the very first and the very last sample have a value.
    pub(super) begins_known: bool,
    pub(super) ends_known: bool,
    /// Whether falls are kept apart from rises; else `rises` are all steps.
    pub(super) apart: bool,
    /// Whether the sums of the values are kept.
    pub(super) sums: bool,
}

impl Rolled {
    /// Leaves out what a series of its sort is not asked for, as that would take most of the room: the sums of a counter, which never
    /// falls; of a gauge, which does all the time, which steps were falls.
    pub(super) fn for_storage(mut self) -> Self {
        match &mut self.records {
            Records::Ints(records) => (self.apart, self.sums) = leave_out(records),
            Records::Floats(records) => (self.apart, self.sums) = leave_out(records),
        }
        self
    }
}

/// Says whether falls are kept apart, and whether sums are kept.
fn leave_out<T: Amount>(records: &mut [Record<T>]) -> (bool, bool) {
    let count = |of: fn(&Record<T>) -> i64| records.iter().map(of).sum::<i64>();
    let (rises, falls) = (count(|record| record.rises.count), count(|record| record.falls.count));
    let (apart, sums) = (falls <= FALLS_NOW_AND_THEN || falls.saturating_mul(FALLS_OF) <= rises + falls, falls > 0);
    for record in records {
        if !apart {
            record.rises = record.rises.and(record.falls);
            record.falls = Steps::default();
        }
        if !sums {
            record.excess = T::default();
        }
    }
    (apart, sums)
}

/// Whole numbers, where all are and their sums fit; else floats.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Records {
    Ints(Vec<Record<i64>>),
    Floats(Vec<Record<f64>>),
}

/// What the roll-ups of all series of a span share.
pub(super) struct Grid<'a> {
    times: &'a Times,
    pub(super) buckets: Buckets,
    /// The poll behind each bucket.
    ends: Vec<usize>,
    /// The polls that have a gap before them.
    breaks: Vec<usize>,
}

impl<'a> Grid<'a> {
    pub(super) fn new(times: &'a Times, tier: Tier) -> Self {
        let buckets = Buckets::of(times, tier);
        let ends = buckets.polls.iter().scan(0, |end, &polls| {
            *end += usize::try_from(polls).unwrap_or_default();
            Some(*end)
        });
        let ends = ends.collect();
        let apart = |&poll: &usize| is_apart(times, poll - 1, poll);
        Self { times, buckets, ends, breaks: (1..times.at_ms.len()).filter(apart).collect() }
    }

    /// The samples of a series, rolled up. `marks`: when something of the series or its box began anew, in the order of time.
    pub(super) fn roll(&self, column: &Column, marks: &[i64]) -> Rolled {
        if column.sums_fit() {
            let mut roller = Roller::<i64>::new(self, marks);
            column.for_each_run(0..column.polls(), |polls, slots| match slots {
                Slots::Ints(ints) => roller.ints(polls, ints),
                Slots::Absent => {}
                Slots::Unknown | Slots::Floats(_) => polls.for_each(|poll| roller.push(poll, None)),
            });
            roller.done(Records::Ints)
        } else {
            let mut roller = Roller::<f64>::new(self, marks);
            column.for_each(0..column.polls(), |poll, value| roller.push(poll, value.and_then(f64::of)));
            roller.done(Records::Floats)
        }
    }
}

/// Whether there is a gap between two polls.
fn is_apart(times: &Times, last: usize, poll: usize) -> bool {
    let longest_ms = times.interval_at(last).max(times.interval_at(poll)).saturating_mul(GAP_INTERVALS);
    times.at_ms[poll].saturating_sub(times.at_ms[last]) > longest_ms
}

struct Roller<'a, T> {
    grid: &'a Grid<'a>,
    marks: &'a [i64],
    records: Vec<Record<T>>,
    /// The bucket that is filled.
    bucket: usize,
    /// The sample before: its poll, and what it said.
    before: Option<(usize, Option<T>)>,
    marked: Vec<MarkedStep>,
    begins_known: bool,
}

impl<'a, T: Amount> Roller<'a, T> {
    fn new(grid: &'a Grid<'a>, marks: &'a [i64]) -> Self {
        let records = vec![Record::default(); grid.buckets.len()];
        Self { grid, marks, records, bucket: 0, before: None, marked: Vec::new(), begins_known: false }
    }

    /// Adds the next sample.
    fn push(&mut self, poll: usize, value: Option<T>) {
        while self.grid.ends.get(self.bucket).is_some_and(|&end| end <= poll) {
            self.bucket += 1;
        }
        let at_ms = self.grid.times.at_ms[poll];
        match self.before {
            None => self.begins_known = value.is_some(),
            Some((last, Some(before))) => {
                if let Some(value) = value {
                    self.step(last, poll, before, value);
                }
            }
            Some((_, None)) => {}
        }
        self.before = Some((poll, value));
        let record = &mut self.records[self.bucket];
        if record.samples == 0 {
            record.first_ms = at_ms;
        }
        record.last_ms = at_ms;
        let is_first = record.samples == record.unknown;
        record.samples += 1;
        let Some(value) = value else {
            record.unknown += 1;
            return;
        };
        if is_first {
            (record.first, record.min, record.max) = (value, value, value);
        }
        record.last = value;
        if value < record.min {
            record.min = value;
        }
        if value > record.max {
            record.max = value;
        }
        record.excess = record.excess + (value - record.first);
    }

    fn step(&mut self, last: usize, poll: usize, before: T, value: T) {
        if is_apart(self.grid.times, last, poll) {
            return;
        }
        let (from_ms, to_ms) = (self.grid.times.at_ms[last], self.grid.times.at_ms[poll]);
        if self.is_marked(from_ms, to_ms) {
            self.marked.push(MarkedStep { from_ms, before: before.number(), to_ms, value: value.number() });
            return;
        }
        let step = Step { increase: value - before, took_ms: to_ms - from_ms };
        if !step.rate().is_finite() {
            return;
        }
        let record = &mut self.records[self.bucket];
        let steps = if value < before { &mut record.falls } else { &mut record.rises };
        let mut gathered = Gathered::on(*steps);
        gathered.add(step);
        *steps = gathered.steps;
    }

    /// Whether a mark lies after one instant and up to another.
    fn is_marked(&self, from_ms: i64, to_ms: i64) -> bool {
        let next = self.marks.partition_point(|&at| at <= from_ms);
        self.marks.get(next).is_some_and(|&at| at <= to_ms)
    }

    fn done(self, records: impl FnOnce(Vec<Record<T>>) -> Records) -> Rolled {
        let ends_known = matches!(self.before, Some((_, Some(_))));
        Rolled { records: records(self.records), marked: self.marked, begins_known: self.begins_known, ends_known, apart: true, sums: true }
    }
}

impl Roller<'_, i64> {
    /// Adds neighbouring polls that all have whole numbers, a bucket at a time: nearly all samples there are.
    fn ints(&mut self, polls: Range<usize>, ints: &[i64]) {
        let mut poll = polls.start;
        while poll < polls.end {
            // The first of a bucket may follow on anything.
            self.push(poll, Some(ints[poll - polls.start]));
            let end = self.grid.ends[self.bucket].min(polls.end);
            let rest = poll + 1..end;
            poll = end;
            if rest.is_empty() {
                continue;
            }
            let values = &ints[rest.start - 1 - polls.start..rest.end - polls.start];
            if self.is_plain(&rest) {
                self.records[self.bucket].add_plain(&self.grid.times.at_ms[rest.start - 1..rest.end], values);
                self.before = Some((rest.end - 1, values.last().copied()));
            } else {
                rest.zip(&values[1..]).for_each(|(poll, &value)| self.push(poll, Some(value)));
            }
        }
    }

    /// Whether no gap and no mark lies in the steps to these polls.
    fn is_plain(&self, polls: &Range<usize>) -> bool {
        let at_ms = &self.grid.times.at_ms;
        let gap = self.grid.breaks.partition_point(|&poll| poll < polls.start);
        self.grid.breaks.get(gap).is_none_or(|&poll| poll >= polls.end) && !self.is_marked(at_ms[polls.start - 1], at_ms[polls.end - 1])
    }
}

impl Record<i64> {
    /// Adds the samples after the first of these, which is in it already; each step counts.
    fn add_plain(&mut self, at_ms: &[i64], ints: &[i64]) {
        let (mut rises, mut falls) = (Gathered::on(self.rises), Gathered::on(self.falls));
        let (mut min, mut max, mut sum) = (self.min, self.max, 0_i64);
        for (times, values) in at_ms.windows(2).zip(ints.windows(2)) {
            let step = Step { increase: values[1] - values[0], took_ms: times[1] - times[0] };
            min = min.min(values[1]);
            max = max.max(values[1]);
            sum = sum.wrapping_add(values[1]);
            if step.increase < 0 {
                falls.add(step);
            } else {
                rises.add(step);
            }
        }
        let count = i64::try_from(ints.len() - 1).unwrap_or_default();
        (self.rises, self.falls, self.min, self.max) = (rises.steps, falls.steps, min, max);
        self.samples += count;
        self.excess = self.excess.wrapping_add(sum.wrapping_sub(self.first.wrapping_mul(count)));
        self.last = ints.last().copied().unwrap_or(self.last);
        self.last_ms = at_ms.last().copied().unwrap_or(self.last_ms);
    }
}
