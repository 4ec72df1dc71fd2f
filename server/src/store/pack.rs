//! Lists of numbers in few bytes: run lengths for what hardly changes, `pco` for the rest. It must not know what the numbers are.

use pco::{ChunkConfig, PagingSpec, wrapped};

use super::bytes::{Damage, Decoded, Reader, put_varint, unzigzag, zigzag};

/// Each number by itself.
const SMALL: u8 = 0;
/// A page of `pco`.
const PCO: u8 = 1;
/// Two lists: the values of runs, and their lengths.
const RUNS: u8 = 2;

/// Fewer numbers than this are not worth the header that `pco` needs, nor the time: some tens of microseconds however few they are.
const PCO_WORTH: usize = 128;
/// Runs are written as such when they are on average at least this long.
const RUN_WORTH: usize = 4;

/// From so many numbers on a list is packed as small as may be: it is of a day, and lasts. Shorter ones are merged into such a list when
/// the day is over; they take half a per cent more, and are packed in two thirds of the time.
const LASTS: usize = 1 << 14;
/// How hard `pco` tries, of 12.
const QUICK: usize = 5;
const SMALLEST: usize = 8;

/// A number that can be listed.
pub(super) trait Listed: pco::data_types::Number {
    /// Equal to the bit.
    fn same(self, other: Self) -> bool;
    /// Writes a few of them plainly.
    fn put_small(out: &mut Vec<u8>, list: &[Self]);
    /// Reads them.
    fn get_small(reader: &mut Reader<'_>, count: usize) -> Decoded<Vec<Self>>;
}

impl Listed for i64 {
    fn same(self, other: Self) -> bool {
        self == other
    }

    fn put_small(out: &mut Vec<u8>, list: &[Self]) {
        let mut before = 0;
        for &int in list {
            put_varint(out, zigzag(int.wrapping_sub(before)));
            before = int;
        }
    }

    fn get_small(reader: &mut Reader<'_>, count: usize) -> Decoded<Vec<Self>> {
        let mut list = Vec::with_capacity(count);
        let mut before = 0_i64;
        for _ in 0..count {
            before = before.wrapping_add(unzigzag(reader.varint()?));
            list.push(before);
        }
        Ok(list)
    }
}

impl Listed for f64 {
    fn same(self, other: Self) -> bool {
        self.to_bits() == other.to_bits()
    }

    fn put_small(out: &mut Vec<u8>, list: &[Self]) {
        for float in list {
            out.extend_from_slice(&float.to_bits().to_le_bytes());
        }
    }

    fn get_small(reader: &mut Reader<'_>, count: usize) -> Decoded<Vec<Self>> {
        (0..count).map(|_| Ok(Self::from_bits(u64::from_le_bytes(reader.eight()?)))).collect()
    }
}

/// Writes a list in whichever way needs the fewest bytes.
pub(super) fn put_list<T: Listed>(out: &mut Vec<u8>, list: &[T]) {
    let runs = 1 + list.windows(2).filter(|pair| !pair[0].same(pair[1])).count();
    if list.is_empty() || runs * RUN_WORTH > list.len() {
        put_plain(out, list);
        return;
    }
    let mut values = Vec::with_capacity(runs);
    let mut lengths: Vec<i64> = Vec::with_capacity(runs);
    for run in list.chunk_by(|a, b| a.same(*b)) {
        values.push(run[0]);
        lengths.push(i64::try_from(run.len()).unwrap_or(i64::MAX));
    }
    out.push(RUNS);
    put_plain(out, &values);
    put_plain(out, &lengths);
}

/// Reads a list of at most `limit` numbers.
pub(super) fn get_list<T: Listed>(reader: &mut Reader<'_>, limit: usize) -> Decoded<Vec<T>> {
    let way = reader.byte()?;
    if way != RUNS {
        return get_plain(reader, way, limit);
    }
    let way = reader.byte()?;
    let values: Vec<T> = get_plain(reader, way, limit)?;
    let way = reader.byte()?;
    let lengths: Vec<i64> = get_plain(reader, way, limit)?;
    if lengths.len() != values.len() {
        return Err(Damage("runs and their lengths differ in number"));
    }
    let mut list = Vec::new();
    for (value, length) in values.into_iter().zip(lengths) {
        let length = usize::try_from(length).ok().filter(|&length| length <= limit - list.len()).ok_or(Damage("a run is too long"))?;
        list.resize(list.len() + length, value);
    }
    Ok(list)
}

fn put_plain<T: Listed>(out: &mut Vec<u8>, list: &[T]) {
    let mut small = Vec::with_capacity(list.len() * 2);
    T::put_small(&mut small, list);
    let packed = if list.len() < PCO_WORTH { None } else { compress(list).filter(|packed| packed.len() < small.len()) };
    let (way, bytes) = packed.map_or((SMALL, small), |packed| (PCO, packed));
    out.push(way);
    put_varint(out, list.len() as u64);
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(&bytes);
}

fn get_plain<T: Listed>(reader: &mut Reader<'_>, way: u8, limit: usize) -> Decoded<Vec<T>> {
    let count = reader.count(limit)?;
    let length = reader.count(usize::MAX)?;
    let bytes = reader.take(length)?;
    match way {
        SMALL => {
            let mut small = Reader::new(bytes);
            let list = T::get_small(&mut small, count)?;
            if small.is_empty() { Ok(list) } else { Err(Damage("bytes are left over")) }
        }
        PCO => decompress(bytes, count),
        _ => Err(Damage("a list is written in an unknown way")),
    }
}

/// One chunk with one page, without the framing of a file of its own. None when `pco` will not.
fn compress<T: Listed>(list: &[T]) -> Option<Vec<u8>> {
    let level = if list.len() < LASTS { QUICK } else { SMALLEST };
    let config = ChunkConfig::default().with_compression_level(level).with_paging_spec(PagingSpec::Exact(vec![list.len()]));
    let file = wrapped::FileCompressor::default();
    let out = file.write_header(Vec::new()).ok()?;
    let mut chunk = file.chunk_compressor(list, &config).ok()?;
    let out = chunk.write_meta(out).ok()?;
    chunk.write_page(0, out).ok()
}

fn decompress<T: Listed>(bytes: &[u8], count: usize) -> Decoded<Vec<T>> {
    let wrong = |_| Damage("a page of pco does not decode");
    let (file, rest) = wrapped::FileDecompressor::new(bytes).map_err(wrong)?;
    let (mut chunk, rest) = file.chunk_decompressor::<T, _>(rest).map_err(wrong)?;
    let mut page = chunk.page_decompressor(rest, count).map_err(wrong)?;
    let mut list = vec![T::default(); count];
    let progress = page.read(&mut list).map_err(wrong)?;
    if progress.n_processed == count && progress.finished { Ok(list) } else { Err(Damage("a page of pco is too short")) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn packed<T: Listed>(list: &[T]) -> Vec<u8> {
        let mut bytes = Vec::new();
        put_list(&mut bytes, list);
        bytes
    }

    #[track_caller]
    fn check<T: Listed>(list: &[T], at_most_bytes: usize) {
        let bytes = packed(list);
        assert!(bytes.len() <= at_most_bytes, "{} bytes", bytes.len());
        let mut reader = Reader::new(&bytes);
        let back: Vec<T> = get_list(&mut reader, list.len()).unwrap();
        assert!(reader.is_empty());
        assert_eq!(back.len(), list.len());
        assert!(back.iter().zip(list).all(|(a, b)| a.same(*b)));
    }

    #[test]
    fn sizes_are_small() {
        check::<i64>(&[], 3);
        check(&[7_i64; 100_000], 12);
        check(&(0..1_000).map(|i| i / 100).collect::<Vec<i64>>(), 40);
        check(&(0..1_000).map(|i| 1_700_000_000_000 + i * 10_000 + i % 3).collect::<Vec<i64>>(), 400);
        check(&(0..1_000).map(|i: i32| f64::from(i % 7) / 8.0).collect::<Vec<f64>>(), 600);
        check(&[i64::MIN, i64::MAX, 0, -1], 50);
    }

    proptest! {
        #[test]
        fn ints_come_back(list in prop::collection::vec(prop_oneof![any::<i64>(), 0_i64..3], 0..400)) {
            let bytes = packed(&list);
            prop_assert_eq!(get_list::<i64>(&mut Reader::new(&bytes), 400), Ok(list));
        }

        #[test]
        fn floats_come_back(list in prop::collection::vec(any::<u64>().prop_map(f64::from_bits), 0..400)) {
            let bytes = packed(&list);
            let back: Vec<f64> = get_list(&mut Reader::new(&bytes), 400).unwrap();
            prop_assert!(back.len() == list.len() && back.iter().zip(&list).all(|(a, b)| a.same(*b)));
        }

        #[test]
        fn longer_than_the_limit_is_refused(list in prop::collection::vec(0_i64..3, 1..400)) {
            let bytes = packed(&list);
            prop_assert!(get_list::<i64>(&mut Reader::new(&bytes), list.len() - 1).is_err());
        }
    }
}
