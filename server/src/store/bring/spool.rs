//! Where samples wait, those of each box and day together: in one file that has no name, so that it goes when the process does, however
//! that ends. It must not know series, only their places in a list.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::ops::Range;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};

use app::model::Number;

use super::super::bytes::{Damage, Decoded, Reader, put_varint, unzigzag, zigzag};
use super::super::types::SeriesId;
use super::super::{DAY_MS, StoreError};
use super::Sample;

/// So many bytes of a day are written at once, …
const BLOCK_BYTES: usize = 16 << 10;

/// … and so many of all days are in memory at most.
const BUFFERED_BYTES: usize = 32 << 20;

/// Samples that wait.
pub(super) struct Spool {
    file: File,
    end: u64,
    buffered: usize,
    days: BTreeMap<(i64, i64), Day>,
}

/// The samples of a box and a day, in the order in which they came.
#[derive(Default)]
struct Day {
    samples: u64,
    /// Where in the file they are, and how many bytes.
    blocks: Vec<(u64, usize)>,
    /// Those that are not there yet.
    buffer: Vec<u8>,
}

impl Spool {
    pub(super) fn new() -> Result<Self, StoreError> {
        let mut random = [0; 8];
        getrandom::fill(&mut random).map_err(|error| StoreError::File(format!("there are no random bytes: {error}")))?;
        let path = std::env::temp_dir().join(format!("tickmark-import-{:016x}", u64::from_le_bytes(random)));
        let failed = |error| StoreError::File(format!("cannot write {}: {error}; TMPDIR names another folder", path.display()));
        let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path).map_err(failed)?;
        std::fs::remove_file(&path).map_err(failed)?;
        Ok(Self { file, end: 0, buffered: 0, days: BTreeMap::new() })
    }

    /// Adds a sample of the series at a place.
    pub(super) fn push(&mut self, box_id: i64, place: u32, at_ms: i64, value: Option<Number>) -> Result<(), StoreError> {
        let day = self.days.entry((box_id, at_ms.div_euclid(DAY_MS))).or_default();
        let before = day.buffer.len();
        put_varint(&mut day.buffer, u64::from(place));
        put_varint(&mut day.buffer, at_ms.rem_euclid(DAY_MS).unsigned_abs());
        match value {
            None => day.buffer.push(0),
            Some(Number::Int(int)) => {
                day.buffer.push(1);
                put_varint(&mut day.buffer, zigzag(int));
            }
            Some(Number::Float(float)) => {
                day.buffer.push(2);
                day.buffer.extend_from_slice(&float.to_le_bytes());
            }
        }
        day.samples += 1;
        self.buffered += day.buffer.len() - before;
        if day.buffer.len() >= BLOCK_BYTES {
            self.buffered -= day.buffer.len();
            write(&self.file, &mut self.end, day)?;
        }
        if self.buffered >= BUFFERED_BYTES {
            for day in self.days.values_mut().filter(|day| !day.buffer.is_empty()) {
                write(&self.file, &mut self.end, day)?;
            }
            self.buffered = 0;
        }
        Ok(())
    }

    /// The bytes of the file.
    pub(super) fn bytes(&self) -> u64 {
        self.end
    }

    /// How many samples wait.
    pub(super) fn samples(&self) -> u64 {
        self.days.values().map(|day| day.samples).sum()
    }

    /// How many of a box and a day.
    pub(super) fn samples_of(&self, box_id: i64, day: i64) -> u64 {
        self.days.get(&(box_id, day)).map_or(0, |day| day.samples)
    }

    /// The boxes, and the days of each in their order, counted from 1970 on.
    pub(super) fn days(&self) -> Vec<(i64, i64)> {
        self.days.keys().copied().collect()
    }

    /// The samples of a box and a day within a span, in the order in which they came; `series` says which series is at a place.
    pub(super) fn read(&self, box_id: i64, day: i64, within: Range<i64>, series: &[SeriesId]) -> Result<Vec<Sample>, StoreError> {
        let Some(waiting) = self.days.get(&(box_id, day)) else { return Ok(Vec::new()) };
        let mut samples = Vec::new();
        let mut take = |bytes: &[u8]| {
            let read = each(bytes, day * DAY_MS, |place, at_ms, value| {
                if within.contains(&at_ms) {
                    samples.push((series.get(place).copied().ok_or(Damage("a series is not there"))?, at_ms, value));
                }
                Ok(())
            });
            read.map_err(|Damage(why)| StoreError::File(format!("the file in which samples wait is damaged: {why}")))
        };
        let mut block = Vec::new();
        for &(start, length) in &waiting.blocks {
            block.resize(length, 0);
            let failed = |error| StoreError::File(format!("the file in which samples wait cannot be read: {error}"));
            self.file.read_exact_at(&mut block, start).map_err(failed)?;
            take(&block)?;
        }
        take(&waiting.buffer)?;
        Ok(samples)
    }

    /// Forgets all of them.
    pub(super) fn clear(&mut self) -> Result<(), StoreError> {
        self.days.clear();
        (self.end, self.buffered) = (0, 0);
        self.file.set_len(0).map_err(|error| StoreError::File(format!("the file in which samples wait cannot be emptied: {error}")))
    }
}

fn write(file: &File, end: &mut u64, day: &mut Day) -> Result<(), StoreError> {
    let failed = |error| StoreError::File(format!("samples cannot wait: {error}; TMPDIR names another folder"));
    file.write_all_at(&day.buffer, *end).map_err(failed)?;
    day.blocks.push((*end, day.buffer.len()));
    *end += day.buffer.len() as u64;
    day.buffer = Vec::new();
    Ok(())
}

fn each(bytes: &[u8], day_ms: i64, mut tell: impl FnMut(usize, i64, Option<Number>) -> Decoded<()>) -> Decoded<()> {
    let mut reader = Reader::new(bytes);
    while !reader.is_empty() {
        let place = reader.count(usize::MAX)?;
        let at_ms = day_ms + i64::try_from(reader.varint()?).map_err(|_| Damage("a time is too large"))?;
        let value = match reader.byte()? {
            0 => None,
            1 => Some(Number::Int(unzigzag(reader.varint()?))),
            _ => {
                let bytes = reader.take(8)?.try_into().map_err(|_| Damage("a float is too short"))?;
                Some(Number::Float(f64::from_le_bytes(bytes)))
            }
        };
        tell(place, at_ms, value)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_come_back_day_by_day_in_the_order_in_which_they_came() {
        let mut spool = Spool::new().unwrap();
        let values = [None, Some(Number::Int(i64::MIN)), Some(Number::Float(-0.5)), Some(Number::Int(7))];
        let all: Vec<_> = (0..40_000_i64).map(|i| (1 + i % 2, i * 7_919 % (3 * DAY_MS) - DAY_MS, values[(i % 4) as usize])).collect();
        all.iter().for_each(|&(box_id, at_ms, value)| spool.push(box_id, 1, at_ms, value).unwrap());
        assert!(spool.bytes() > 0 && spool.samples() == 40_000);
        let series = [SeriesId(5), SeriesId(6)];
        let mut count = 0;
        for (box_id, day) in spool.days() {
            let half = day * DAY_MS + DAY_MS / 2;
            for within in [day * DAY_MS..half, half..(day + 1) * DAY_MS] {
                let read = spool.read(box_id, day, within.clone(), &series).unwrap();
                let expect = all.iter().filter(|(of, at_ms, _)| *of == box_id && within.contains(at_ms));
                assert_eq!(read, expect.map(|&(_, at_ms, value)| (SeriesId(6), at_ms, value)).collect::<Vec<_>>());
                count += read.len();
            }
        }
        assert_eq!(count, 40_000);
        spool.clear().unwrap();
        assert!(spool.days().is_empty() && spool.bytes() == 0);
    }
}
