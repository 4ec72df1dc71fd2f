//! The stored format of roll-ups: the buckets of a span, and what one series did in each. Each list is what is left over a guess that is
//! mostly right, so that a series that hardly changes takes a few bytes a day. It must not know SQL.

use super::bytes::{Damage, Decoded, Reader, put_varint, verified, with_checksum};
use super::cell::Cell;
use super::guess::{Packed, guesses, lower, upper};
use super::pack::{Listed, get_list, put_list};
use super::roll::{Buckets, MarkedStep, Record, Records, Rolled};
use super::steps::{Step, Steps};

/// The first byte of what this version writes.
const FORMAT: u8 = 1;

/// A span has at most so many buckets: more than the minutes of a day.
const MAX_BUCKETS: usize = 1 << 16;

/// What a chunk says of itself, a bit each.
const FLOATS: u8 = 1;
const BEGINS_KNOWN: u8 = 2;
const ENDS_KNOWN: u8 = 4;
/// It has falls.
const FALLS: u8 = 8;
/// It has steps that marks lie in.
const MARKED: u8 = 16;
/// Its samples are not those of all polls.
const PARTLY: u8 = 32;
/// Falls are not kept apart.
const MIXED: u8 = 64;
/// It has sums.
const SUMS: u8 = 128;

impl Buckets {
    /// The bytes of a span.
    pub(super) fn encode(&self, bucket_ms: i64) -> Vec<u8> {
        let mut body = vec![FORMAT];
        let numbers: Vec<i64> = self.start_ms.iter().map(|start| start.div_euclid(bucket_ms)).collect();
        put_list(&mut body, &steps_of(&numbers));
        put_list(&mut body, &zipped(&self.first_ms, &self.start_ms, i64::wrapping_sub));
        put_list(&mut body, &zipped(&self.last_ms, &self.start_ms, |last, start| bucket_ms.wrapping_sub(last.wrapping_sub(start))));
        put_list(&mut body, &self.polls);
        put_list(&mut body, &self.interval_ms);
        with_checksum(&[], &body)
    }

    /// Reads the bytes of a span.
    pub(super) fn decode(bytes: &[u8], bucket_ms: i64) -> Decoded<Self> {
        let mut reader = body(bytes)?;
        let mut start_ms: Vec<i64> = get_list(&mut reader, MAX_BUCKETS)?;
        let count = start_ms.len();
        let mut number = 0_i64;
        for step in &mut start_ms {
            number = number.wrapping_add(*step);
            *step = number.wrapping_mul(bucket_ms);
        }
        let mut list = || get_list(&mut reader, count).and_then(|list: Vec<i64>| counted(list, count));
        let (first, last, polls, interval_ms) = (list()?, list()?, list()?, list()?);
        if !reader.is_empty() || !start_ms.is_sorted_by(|a, b| a < b) {
            return Err(Damage("its buckets do not grow"));
        }
        let first_ms = zipped(&start_ms, &first, i64::wrapping_add);
        let last_ms = zipped(&start_ms, &last, |start, left| start.wrapping_add(bucket_ms.wrapping_sub(left)));
        Ok(Self { start_ms, first_ms, last_ms, polls, interval_ms })
    }
}

impl Rolled {
    /// The bytes of a chunk.
    pub(super) fn encode(&self, buckets: &Buckets) -> Vec<u8> {
        let mut body = vec![FORMAT];
        match &self.records {
            Records::Ints(records) => self.put(&mut body, records, buckets, 0),
            Records::Floats(records) => self.put(&mut body, records, buckets, FLOATS),
        }
        with_checksum(&[], &body)
    }

    fn put<T: Packed>(&self, out: &mut Vec<u8>, records: &[Record<T>], buckets: &Buckets, sort: u8) {
        let falls = records.iter().any(|record| record.falls.count != 0);
        let whole = records.iter().enumerate().all(|(i, record)| {
            record.samples == buckets.polls[i]
                && record.unknown == 0
                && record.first_ms == buckets.first_ms[i]
                && record.last_ms == buckets.last_ms[i]
        });
        let flag = |is: bool, bit: u8| if is { bit } else { 0 };
        let flags = [(falls, FALLS), (!whole, PARTLY), (!self.marked.is_empty(), MARKED), (!self.apart, MIXED), (self.sums, SUMS)];
        let known = flag(self.begins_known, BEGINS_KNOWN) | flag(self.ends_known, ENDS_KNOWN);
        out.push(flags.iter().fold(sort | known, |all, &(is, bit)| all | flag(is, bit)));
        put_varint(out, records.len() as u64);
        let ints = |out: &mut Vec<u8>, of: &dyn Fn(usize, &Record<T>) -> i64| {
            let list: Vec<i64> = records.iter().enumerate().map(|(i, record)| of(i, record)).collect();
            put_list(out, &list);
        };
        let amounts = |out: &mut Vec<u8>, of: &dyn Fn(usize, &Record<T>) -> T| {
            let list: Vec<T> = records.iter().enumerate().map(|(i, record)| of(i, record)).collect();
            put_list(out, &list);
        };
        if !whole {
            ints(out, &|i, record| buckets.polls[i].wrapping_sub(record.samples));
            ints(out, &|_, record| record.unknown);
            ints(out, &|i, record| record.first_ms.wrapping_sub(buckets.first_ms[i]));
            ints(out, &|i, record| buckets.last_ms[i].wrapping_sub(record.last_ms));
        }
        let guesses = guesses(records);
        amounts(out, &|i, record| if record.is_known() { record.first.over(guesses[i].last) } else { T::default() });
        amounts(out, &|_, record| record.last.over(record.first));
        amounts(out, &|_, record| lower(record).over(record.min));
        amounts(out, &|_, record| record.max.over(upper(record)));
        if self.sums {
            amounts(out, &|_, record| record.excess.over(T::linear(record)));
        }
        ints(out, &|i, record| guesses[i].count.wrapping_sub(record.rises.count).wrapping_sub(record.falls.count));
        ints(out, &|i, record| guesses[i].took_ms.wrapping_sub(record.rises.took_ms).wrapping_sub(record.falls.took_ms));
        amounts(out, &|i, record| record.rises.increase.over(T::risen(record, guesses[i].last)));
        extremes(out, records, buckets, |record| &record.rises);
        if falls {
            ints(out, &|_, record| record.falls.count);
            ints(out, &|_, record| record.falls.took_ms);
            amounts(out, &|_, record| record.falls.increase);
            extremes(out, records, buckets, |record| &record.falls);
        }
        if !self.marked.is_empty() {
            put_marked(out, &self.marked);
        }
    }

    /// Reads the bytes of a chunk.
    pub(super) fn decode(bytes: &[u8], buckets: &Buckets) -> Decoded<Self> {
        let mut reader = body(bytes)?;
        let flags = reader.byte()?;
        if reader.count(MAX_BUCKETS)? != buckets.len() {
            return Err(Damage("it has more or fewer buckets than its span"));
        }
        let records = if flags & FLOATS == 0 {
            Records::Ints(take(&mut reader, buckets, flags)?)
        } else {
            Records::Floats(take(&mut reader, buckets, flags)?)
        };
        let marked = if flags & MARKED == 0 { Vec::new() } else { get_marked(&mut reader)? };
        if !reader.is_empty() {
            return Err(Damage("bytes are left over"));
        }
        Ok(Self {
            records,
            marked,
            begins_known: flags & BEGINS_KNOWN != 0,
            ends_known: flags & ENDS_KNOWN != 0,
            apart: flags & MIXED == 0,
            sums: flags & SUMS != 0,
        })
    }

    /// The samples it is of.
    pub(super) fn samples(&self) -> i64 {
        match &self.records {
            Records::Ints(records) => records.iter().map(|record| record.samples).sum(),
            Records::Floats(records) => records.iter().map(|record| record.samples).sum(),
        }
    }
}

fn take<T: Packed>(reader: &mut Reader<'_>, buckets: &Buckets, flags: u8) -> Decoded<Vec<Record<T>>> {
    let count = buckets.len();
    let mut records: Vec<Record<T>> = vec![Record::default(); count];
    let partly = flags & PARTLY != 0;
    let none = || Ok(vec![0; count]);
    let missing = if partly { ints(reader, count)? } else { none()? };
    let unknown = if partly { ints(reader, count)? } else { none()? };
    let late = if partly { ints(reader, count)? } else { none()? };
    let early = if partly { ints(reader, count)? } else { none()? };
    for (i, record) in records.iter_mut().enumerate() {
        record.samples = buckets.polls[i].wrapping_sub(missing[i]);
        record.unknown = unknown[i];
        record.first_ms = buckets.first_ms[i].wrapping_add(late[i]);
        record.last_ms = buckets.last_ms[i].wrapping_sub(early[i]);
    }
    let mut last = T::default();
    let (first, span) = (amounts::<T>(reader, count)?, amounts::<T>(reader, count)?);
    for (i, record) in records.iter_mut().enumerate().filter(|(_, record)| record.is_known()) {
        record.first = first[i].back(last);
        record.last = span[i].back(record.first);
        last = record.last;
    }
    let (low, high) = (amounts::<T>(reader, count)?, amounts::<T>(reader, count)?);
    let excess = if flags & SUMS == 0 { None } else { Some(amounts::<T>(reader, count)?) };
    for (i, record) in records.iter_mut().enumerate() {
        record.min = low[i].under(lower(record));
        record.max = high[i].back(upper(record));
        record.excess = excess.as_ref().map_or_else(T::default, |excess| excess[i].back(T::linear(record)));
    }
    let guesses = guesses(&records);
    let (counts, took, risen) = (ints(reader, count)?, ints(reader, count)?, amounts::<T>(reader, count)?);
    take_extremes(reader, &mut records, buckets, |record| &mut record.rises)?;
    if flags & FALLS != 0 {
        let (counts, took, increase) = (ints(reader, count)?, ints(reader, count)?, amounts::<T>(reader, count)?);
        for (i, record) in records.iter_mut().enumerate() {
            (record.falls.count, record.falls.took_ms, record.falls.increase) = (counts[i], took[i], increase[i]);
        }
        take_extremes(reader, &mut records, buckets, |record| &mut record.falls)?;
    }
    for (i, record) in records.iter_mut().enumerate() {
        record.rises.count = guesses[i].count.wrapping_sub(counts[i]).wrapping_sub(record.falls.count);
        record.rises.took_ms = guesses[i].took_ms.wrapping_sub(took[i]).wrapping_sub(record.falls.took_ms);
        record.rises.increase = risen[i].back(T::risen(record, guesses[i].last));
        for steps in [&mut record.rises, &mut record.falls] {
            if steps.count == 0 {
                (steps.least, steps.most) = Default::default();
            }
        }
    }
    Ok(records)
}

/// The steps with the lowest and the highest rate; their times less the interval, which they mostly are.
fn extremes<T: Packed>(out: &mut Vec<u8>, records: &[Record<T>], buckets: &Buckets, of: impl Fn(&Record<T>) -> &Steps<T>) {
    for step in [|steps: &Steps<T>| steps.least, |steps: &Steps<T>| steps.most] {
        let steps: Vec<(Step<T>, bool)> = records.iter().map(|record| (step(of(record)), of(record).count != 0)).collect();
        put_list(out, &steps.iter().map(|(step, _)| step.increase).collect::<Vec<T>>());
        let took = steps.iter().zip(&buckets.interval_ms);
        put_list(
            out,
            &took.map(|((step, any), &interval)| if *any { step.took_ms.wrapping_sub(interval) } else { 0 }).collect::<Vec<i64>>(),
        );
    }
}

fn take_extremes<T: Packed>(
    reader: &mut Reader<'_>,
    records: &mut [Record<T>],
    buckets: &Buckets,
    of: impl Fn(&mut Record<T>) -> &mut Steps<T>,
) -> Decoded<()> {
    let (least, least_took) = (amounts::<T>(reader, records.len())?, ints(reader, records.len())?);
    let (most, most_took) = (amounts::<T>(reader, records.len())?, ints(reader, records.len())?);
    for (i, record) in records.iter_mut().enumerate() {
        let interval_ms = buckets.interval_ms[i];
        let steps = of(record);
        steps.least = Step { increase: least[i], took_ms: least_took[i].wrapping_add(interval_ms) };
        steps.most = Step { increase: most[i], took_ms: most_took[i].wrapping_add(interval_ms) };
    }
    Ok(())
}

fn put_marked(out: &mut Vec<u8>, marked: &[MarkedStep]) {
    put_varint(out, marked.len() as u64);
    let (from, to): (Vec<i64>, Vec<i64>) = marked.iter().map(|step| (step.from_ms, step.to_ms)).unzip();
    put_list(out, &from);
    put_list(out, &to);
    let mut cell = Cell::default();
    for step in marked {
        cell.put(out, Some(step.before));
        cell.put(out, Some(step.value));
    }
}

fn get_marked(reader: &mut Reader<'_>) -> Decoded<Vec<MarkedStep>> {
    let count = reader.count(MAX_BUCKETS << 4)?;
    let (from, to) = (ints(reader, count)?, ints(reader, count)?);
    let mut cell = Cell::default();
    let mut value = || cell.get(reader).and_then(|value| value.ok_or(Damage("a marked step has no value")));
    let step = |(from_ms, to_ms)| Ok(MarkedStep { from_ms, before: value()?, to_ms, value: value()? });
    from.into_iter().zip(to).map(step).collect()
}

fn ints(reader: &mut Reader<'_>, count: usize) -> Decoded<Vec<i64>> {
    amounts(reader, count)
}

fn amounts<T: Listed>(reader: &mut Reader<'_>, count: usize) -> Decoded<Vec<T>> {
    counted(get_list(reader, count)?, count)
}

fn counted<T>(list: Vec<T>, count: usize) -> Decoded<Vec<T>> {
    if list.len() == count { Ok(list) } else { Err(Damage("a list has a wrong length")) }
}

fn zipped(one: &[i64], other: &[i64], by: impl Fn(i64, i64) -> i64) -> Vec<i64> {
    one.iter().zip(other).map(|(&one, &other)| by(one, other)).collect()
}

/// Each less the one before.
fn steps_of(numbers: &[i64]) -> Vec<i64> {
    let mut before = 0_i64;
    numbers.iter().map(|&number| number.wrapping_sub(std::mem::replace(&mut before, number))).collect()
}

fn body(bytes: &[u8]) -> Decoded<Reader<'_>> {
    let mut reader = Reader::new(verified(&[], bytes)?);
    if reader.byte()? == FORMAT { Ok(reader) } else { Err(Damage("it is of a newer format")) }
}

#[cfg(test)]
mod tests {
    use app::model::Number;
    use proptest::prelude::*;

    use super::*;
    use crate::store::cell::tests::any_value;
    use crate::store::chunk::{Column, Times};
    use crate::store::roll::Grid;
    use crate::store::tier::Tier;

    /// Polls with jitter, gaps and another interval, and what they said of a series; none: it was not ticked.
    fn any_span() -> impl Strategy<Value = (Times, Column)> {
        let near = (-50_i64..50).prop_map(|int| Some(Number::Int(int)));
        let slot = prop_oneof![8 => near.prop_map(Some), 1 => any_value().prop_map(Some), 1 => Just(None), 1 => Just(Some(None))];
        let step = prop_oneof![30 => 990_i64..1_010, 1 => 20_000_i64..200_000];
        prop::collection::vec((step, slot, prop_oneof![20 => Just(1_000_i64), 1 => Just(30_000_i64)]), 1..400).prop_map(|polls| {
            let mut at = 1_700_000_000_000;
            let (mut at_ms, mut interval_ms, mut column) = (Vec::new(), Vec::new(), Column::default());
            for (step, slot, interval) in polls {
                at += step;
                at_ms.push(at);
                interval_ms.push(interval);
                match slot {
                    Some(value) => column.push(value),
                    None => column.push_absent(1),
                }
            }
            (Times::new(at_ms, &interval_ms), column)
        })
    }

    proptest! {
        #[test]
        fn what_was_rolled_up_comes_back((times, column) in any_span(), marks in prop::collection::vec(0_usize..400, 0..4)) {
            let mut marks: Vec<i64> = marks.into_iter().filter_map(|poll| times.at_ms.get(poll).copied()).collect();
            marks.sort_unstable();
            for tier in Tier::ROLLED {
                let grid = Grid::new(&times, tier);
                let buckets = Buckets::decode(&grid.buckets.encode(tier.bucket_ms()), tier.bucket_ms());
                prop_assert_eq!(buckets.as_ref(), Ok(&grid.buckets));
                let rolled = grid.roll(&column, &marks).for_storage();
                let back = Rolled::decode(&rolled.encode(&grid.buckets), &grid.buckets).unwrap();
                prop_assert_eq!(back.samples(), i64::try_from(column.samples()).unwrap());
                // By their text, in which numbers that are equal to the bit are equal.
                prop_assert_eq!(format!("{back:?}"), format!("{rolled:?}"));
            }
        }

        #[test]
        fn damage_never_panics((times, column) in any_span(), place: prop::sample::Index, byte: u8) {
            let grid = Grid::new(&times, Tier::Minutes);
            for bytes in [grid.roll(&column, &[]).for_storage().encode(&grid.buckets), grid.buckets.encode(60_000)] {
                let mut body = verified(&[], &bytes).unwrap().to_vec();
                let place = place.index(body.len());
                body[place] = byte;
                let damaged = with_checksum(&[], &body);
                let _ = Rolled::decode(&damaged, &grid.buckets);
                let _ = Buckets::decode(&damaged, 60_000);
            }
        }
    }
}
