//! The sealed formats: the poll times of a span, and the values of one series in it. It must not know SQL.

use std::ops::Range;

use app::model::Number;

use super::bytes::{Damage, Decoded, Reader, put_varint, verified, with_checksum};
use super::pack::{get_list, put_list};

/// A chunk has at most so many polls: a day at the shortest interval, and room for merges.
pub(super) const MAX_CHUNK_POLLS: usize = 1 << 20;

/// The first byte of what this version writes.
const FORMAT: u8 = 1;

/// What a slot (one poll of one series) holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Sort {
    #[default]
    Absent,
    Unknown,
    Int,
    Float,
}

impl Sort {
    fn code(self) -> u64 {
        match self {
            Self::Absent => 0,
            Self::Unknown => 1,
            Self::Int => 2,
            Self::Float => 3,
        }
    }

    fn of_code(code: u64) -> Self {
        match code & 3 {
            0 => Self::Absent,
            1 => Self::Unknown,
            2 => Self::Int,
            _ => Self::Float,
        }
    }
}

/// Neighbouring slots of one sort.
#[derive(Clone, Copy, Debug)]
pub(super) enum Slots<'a> {
    /// The series was not ticked.
    Absent,
    /// The box gave no value.
    Unknown,
    /// Whole numbers.
    Ints(&'a [i64]),
    /// Others.
    Floats(&'a [f64]),
}

/// The slots of one series in a span, integers and floats apart.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Column {
    runs: Vec<(Sort, usize)>,
    ints: Vec<i64>,
    floats: Vec<f64>,
    polls: usize,
}

impl Column {
    /// Adds what the next poll, at which the series was ticked, said of it.
    pub(super) fn push(&mut self, value: Option<Number>) {
        let sort = match value {
            None => Sort::Unknown,
            Some(Number::Int(int)) => {
                self.ints.push(int);
                Sort::Int
            }
            Some(Number::Float(float)) => {
                self.floats.push(float);
                Sort::Float
            }
        };
        self.push_run(sort, 1);
    }

    /// Adds polls at which the series was not ticked.
    pub(super) fn push_absent(&mut self, polls: usize) {
        if polls > 0 {
            self.push_run(Sort::Absent, polls);
        }
    }

    fn push_run(&mut self, sort: Sort, length: usize) {
        self.polls += length;
        match self.runs.last_mut() {
            Some((last, count)) if *last == sort => *count += length,
            _ => self.runs.push((sort, length)),
        }
    }

    /// Adds the polls of another after its own.
    pub(super) fn append(&mut self, other: &Self) {
        other.runs.iter().for_each(|&(sort, length)| self.push_run(sort, length));
        self.ints.extend_from_slice(&other.ints);
        self.floats.extend_from_slice(&other.floats);
    }

    /// The polls it covers.
    pub(super) fn polls(&self) -> usize {
        self.polls
    }

    /// Whether all that it knows is whole, and the sum of their differences is so as well.
    pub(super) fn sums_fit(&self) -> bool {
        let (Some(&min), Some(&max)) = (self.ints.iter().min(), self.ints.iter().max()) else { return self.floats.is_empty() };
        let widest = (i128::from(max) - i128::from(min)) * self.ints.len() as i128;
        self.floats.is_empty() && widest < i128::from(i64::MAX >> 2)
    }

    /// The slots that are samples.
    pub(super) fn samples(&self) -> usize {
        self.runs.iter().filter(|(sort, _)| *sort != Sort::Absent).map(|(_, length)| length).sum()
    }

    /// Gives the polls `range` to `sink`, a run of one sort at a time.
    pub(super) fn for_each_run(&self, range: Range<usize>, mut sink: impl FnMut(Range<usize>, Slots<'_>)) {
        let (mut poll, mut int, mut float) = (0, 0, 0);
        for &(sort, length) in &self.runs {
            if poll >= range.end {
                break;
            }
            let low = range.start.clamp(poll, poll + length) - poll;
            let high = range.end.clamp(poll, poll + length) - poll;
            let slots = match sort {
                Sort::Absent => Slots::Absent,
                Sort::Unknown => Slots::Unknown,
                Sort::Int => Slots::Ints(&self.ints[int + low..int + high]),
                Sort::Float => Slots::Floats(&self.floats[float + low..float + high]),
            };
            if low < high {
                sink(poll + low..poll + high, slots);
            }
            match sort {
                Sort::Int => int += length,
                Sort::Float => float += length,
                Sort::Absent | Sort::Unknown => {}
            }
            poll += length;
        }
    }

    /// Gives the samples of the polls `range` to `sink`, with the number of their poll.
    pub(super) fn for_each(&self, range: Range<usize>, mut sink: impl FnMut(usize, Option<Number>)) {
        self.for_each_run(range, |polls, slots| match slots {
            Slots::Absent => {}
            Slots::Unknown => polls.for_each(|poll| sink(poll, None)),
            Slots::Ints(ints) => polls.zip(ints).for_each(|(poll, &int)| sink(poll, Some(Number::Int(int)))),
            Slots::Floats(floats) => polls.zip(floats).for_each(|(poll, &float)| sink(poll, Some(Number::Float(float)))),
        });
    }

    /// The slots of some of its polls.
    pub(super) fn part(&self, range: Range<usize>) -> Self {
        if range == (0..self.polls) {
            return self.clone();
        }
        let mut part = Self::default();
        let mut next = range.start;
        self.for_each(range.clone(), |poll, value| {
            part.push_absent(poll - next);
            part.push(value);
            next = poll + 1;
        });
        part.push_absent(range.end.min(self.polls).saturating_sub(next));
        part
    }

    /// The bytes of a chunk.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut body = vec![FORMAT];
        put_varint(&mut body, self.polls as u64);
        put_varint(&mut body, self.runs.len() as u64);
        for &(sort, length) in &self.runs {
            put_varint(&mut body, (length as u64) << 2 | sort.code());
        }
        if !self.ints.is_empty() {
            put_list(&mut body, &self.ints);
        }
        if !self.floats.is_empty() {
            put_list(&mut body, &self.floats);
        }
        with_checksum(&[], &body)
    }

    /// Reads the bytes of a chunk whose span has so many polls.
    pub(super) fn of_span(bytes: &[u8], polls: usize) -> Decoded<Self> {
        let column = Self::decode(bytes)?;
        if column.polls == polls { Ok(column) } else { Err(Damage("it has more or fewer polls than its span")) }
    }

    /// Reads the bytes of a chunk.
    pub(super) fn decode(bytes: &[u8]) -> Decoded<Self> {
        let mut reader = body(bytes)?;
        let polls = reader.count(MAX_CHUNK_POLLS)?;
        let mut column = Self::default();
        let (mut ints, mut floats) = (0, 0);
        for _ in 0..reader.count(polls)? {
            let run = reader.varint()?;
            let sort = Sort::of_code(run);
            let length = usize::try_from(run >> 2).ok().filter(|&length| length > 0 && length <= polls - column.polls);
            let length = length.ok_or(Damage("a run of slots has a wrong length"))?;
            match sort {
                Sort::Int => ints += length,
                Sort::Float => floats += length,
                Sort::Absent | Sort::Unknown => {}
            }
            column.push_run(sort, length);
        }
        if ints > 0 {
            column.ints = get_list(&mut reader, ints)?;
        }
        if floats > 0 {
            column.floats = get_list(&mut reader, floats)?;
        }
        if column.polls != polls || column.ints.len() != ints || column.floats.len() != floats || !reader.is_empty() {
            return Err(Damage("the slots and the values differ in number"));
        }
        Ok(column)
    }
}

/// The poll times of a span, and the interval at each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Times {
    /// Epoch milliseconds, strictly growing.
    pub(super) at_ms: Vec<i64>,
    /// The intervals: from which poll on, and milliseconds. The first run begins with the first poll.
    pub(super) intervals: Vec<(usize, i64)>,
}

impl Times {
    /// The bytes of a span.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut body = vec![FORMAT];
        put_list(&mut body, &self.at_ms);
        put_list(&mut body, &self.interval_ms());
        with_checksum(&[], &body)
    }

    /// Reads the bytes of a span.
    pub(super) fn decode(bytes: &[u8]) -> Decoded<Self> {
        let mut reader = body(bytes)?;
        let at_ms: Vec<i64> = get_list(&mut reader, MAX_CHUNK_POLLS)?;
        let interval_ms: Vec<i64> = get_list(&mut reader, at_ms.len())?;
        if interval_ms.len() != at_ms.len() || !reader.is_empty() {
            return Err(Damage("times and intervals differ in number"));
        }
        if at_ms.is_empty() || !at_ms.is_sorted_by(|a, b| a < b) {
            return Err(Damage("the times do not grow"));
        }
        Ok(Self::new(at_ms, &interval_ms))
    }

    /// Of polls and the interval at each.
    pub(super) fn new(at_ms: Vec<i64>, interval_ms: &[i64]) -> Self {
        let mut intervals = Vec::new();
        let mut from = 0;
        for run in interval_ms.chunk_by(|one, next| one == next) {
            intervals.push((from, run[0]));
            from += run.len();
        }
        Self { at_ms, intervals }
    }

    /// Those of spans that follow one another.
    pub(super) fn joined(spans: &[Self]) -> Self {
        let at_ms = spans.iter().flat_map(|times| times.at_ms.iter().copied()).collect();
        let interval_ms: Vec<i64> = spans.iter().flat_map(Self::interval_ms).collect();
        Self::new(at_ms, &interval_ms)
    }

    /// The interval at each poll.
    fn interval_ms(&self) -> Vec<i64> {
        let mut all = Vec::with_capacity(self.at_ms.len());
        self.for_each_interval(0..self.at_ms.len(), |polls, interval_ms| all.extend(polls.map(|_| interval_ms)));
        all
    }

    /// Gives the polls `range` to `sink`, those of one interval at a time.
    pub(super) fn for_each_interval(&self, range: Range<usize>, mut sink: impl FnMut(Range<usize>, i64)) {
        let ends = self.intervals.iter().skip(1).map(|&(from, _)| from).chain([self.at_ms.len()]);
        for (&(from, interval_ms), end) in self.intervals.iter().zip(ends) {
            let polls = range.start.max(from)..range.end.min(end);
            if !polls.is_empty() {
                sink(polls, interval_ms);
            }
        }
    }

    /// The interval at a poll.
    pub(super) fn interval_at(&self, poll: usize) -> i64 {
        let run = self.intervals.partition_point(|&(from, _)| from <= poll);
        run.checked_sub(1).map_or(0, |run| self.intervals[run].1)
    }

    /// Some of its polls.
    pub(super) fn part(&self, range: Range<usize>) -> Self {
        let mut interval_ms = Vec::with_capacity(range.len());
        self.for_each_interval(range.clone(), |polls, interval| interval_ms.extend(polls.map(|_| interval)));
        Self::new(self.at_ms[range].to_vec(), &interval_ms)
    }

    /// The polls with `from_ms <= at_ms < to_ms`.
    pub(super) fn within(&self, from_ms: i64, to_ms: i64) -> Range<usize> {
        let start = self.at_ms.partition_point(|&at| at < from_ms);
        start..self.at_ms.partition_point(|&at| at < to_ms).max(start)
    }
}

fn body(bytes: &[u8]) -> Decoded<Reader<'_>> {
    let mut reader = Reader::new(verified(&[], bytes)?);
    if reader.byte()? == FORMAT { Ok(reader) } else { Err(Damage("it is of a newer format")) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::store::cell::tests::{any_value, bits};

    /// None: the series was not ticked.
    fn any_slot() -> impl Strategy<Value = Option<Option<Number>>> {
        prop_oneof![5 => any_value().prop_map(Some), 1 => Just(None)]
    }

    fn column(slots: &[Option<Option<Number>>]) -> Column {
        let mut column = Column::default();
        for slot in slots {
            match slot {
                Some(value) => column.push(*value),
                None => column.push_absent(1),
            }
        }
        column
    }

    proptest! {
        #[test]
        fn slots_come_back(slots in prop::collection::vec((any_slot(), 1_usize..20), 0..60), from in 0_usize..400, length in 0_usize..400) {
            let slots: Vec<_> = slots.into_iter().flat_map(|(slot, times)| std::iter::repeat_n(slot, times)).collect();
            let back = Column::decode(&column(&slots).encode()).unwrap();
            prop_assert_eq!(back.polls(), slots.len());
            let expected: Vec<_> = slots.iter().enumerate().skip(from).take(length)
                .filter_map(|(i, slot)| slot.map(|value| (i, bits(value)))).collect();
            let mut got = Vec::new();
            back.for_each(from..from + length, |i, value| got.push((i, bits(value))));
            prop_assert_eq!(got, expected);
        }

        #[test]
        fn jittered_times_come_back(steps in prop::collection::vec((1_i64..20_000, 200_i64..203), 1..500), start in -5_i64..1_700_000_000_000) {
            let (mut at_ms, mut interval_ms) = (Vec::new(), Vec::new());
            let mut at = start;
            for (step, interval) in steps {
                at_ms.push(at);
                interval_ms.push(interval);
                at += step;
            }
            let times = Times::new(at_ms, &interval_ms);
            prop_assert_eq!(times.interval_ms(), interval_ms);
            prop_assert_eq!(Times::decode(&times.encode()), Ok(times));
        }

        #[test]
        fn damage_never_panics(slots in prop::collection::vec(any_slot(), 0..60), place: prop::sample::Index, byte: u8) {
                        // The check sum is made anew, so that what lies behind it meets the damage.
            let bytes = column(&slots).encode();
            let mut body = verified(&[], &bytes).unwrap().to_vec();
            let place = place.index(body.len());
            body[place] = byte;
            let _ = Column::decode(&with_checksum(&[], &body));
            let _ = Times::decode(&with_checksum(&[], &body));
        }
    }

    #[test]
    fn times_that_stand_still_are_damage() {
        let times = Times::new(vec![5, 5], &[1, 1]);
        assert_eq!(Times::decode(&times.encode()), Err(Damage("the times do not grow")));
    }
}
