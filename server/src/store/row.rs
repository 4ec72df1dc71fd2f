//! The packed row of one poll: a cell per series of its layout, each the difference to the row before. It must not know SQL.

use app::model::Number;

use super::bytes::{Damage, Decoded, Reader, put_varint, unzigzag, verified, with_checksum, zigzag};
use super::cell::Cell;
use super::types::SeriesId;

/// A layout has at most so many series.
const MAX_SERIES: usize = 1 << 20;

/// What stands beside the packed cells of a row, and is covered by its check sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RowHead {
    /// The number of the poll among those of its box.
    pub(super) seq: i64,
    /// Epoch milliseconds.
    pub(super) at_ms: i64,
    /// Milliseconds.
    pub(super) interval_ms: i64,
    /// Which series the cells belong to.
    pub(super) layout_id: i64,
    /// Whether the cells are differences to nothing, not to the row before.
    pub(super) is_key: bool,
}

impl RowHead {
    fn context(&self) -> [u8; 33] {
        let mut bytes = [u8::from(self.is_key); 33];
        for (place, field) in bytes.chunks_exact_mut(8).zip([self.seq, self.at_ms, self.interval_ms, self.layout_id]) {
            place.copy_from_slice(&field.to_le_bytes());
        }
        bytes
    }
}

/// Packs the values of a poll; `cells` is what the run remembers, one for each value.
pub(super) fn encode_row(head: &RowHead, cells: &mut [Cell], values: &[(SeriesId, Option<Number>)]) -> Vec<u8> {
    let mut body = Vec::with_capacity(values.len() * 2);
    for (cell, (_, value)) in cells.iter_mut().zip(values) {
        cell.put(&mut body, *value);
    }
    with_checksum(&head.context(), &body)
}

/// Unpacks a row into `values`, one for each cell.
pub(super) fn decode_row(head: &RowHead, payload: &[u8], cells: &mut [Cell], values: &mut Vec<Option<Number>>) -> Decoded<()> {
    let mut reader = Reader::new(verified(&head.context(), payload)?);
    values.clear();
    for cell in cells {
        values.push(cell.get(&mut reader)?);
    }
    if reader.is_empty() { Ok(()) } else { Err(Damage("cells are left over")) }
}

/// The bytes of a layout.
pub(super) fn encode_layout(series: &[SeriesId]) -> Vec<u8> {
    let mut body = Vec::with_capacity(series.len() + 4);
    put_varint(&mut body, series.len() as u64);
    let mut before = 0;
    for id in series {
        put_varint(&mut body, zigzag(id.0.wrapping_sub(before)));
        before = id.0;
    }
    with_checksum(&[], &body)
}

/// Reads the bytes of a layout.
pub(super) fn decode_layout(bytes: &[u8]) -> Decoded<Vec<SeriesId>> {
    let mut reader = Reader::new(verified(&[], bytes)?);
    let count = reader.count(MAX_SERIES)?;
    let mut before = 0_i64;
    let mut series = Vec::new();
    for _ in 0..count {
        before = before.wrapping_add(unzigzag(reader.varint()?));
        series.push(SeriesId(before));
    }
    if reader.is_empty() { Ok(series) } else { Err(Damage("series are left over")) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::store::cell::tests::{any_value, bits};

    proptest! {
        #[test]
        fn rows_come_back(rows in prop::collection::vec(prop::collection::vec(any_value(), 7), 1..30), at: i64) {
            let (mut writing, mut reading) = ([Cell::default(); 7], [Cell::default(); 7]);
            let mut back = Vec::new();
            for (seq, row) in (1..).zip(&rows) {
                let head = RowHead { seq, at_ms: at, interval_ms: 10_000, layout_id: 3, is_key: seq == 1 };
                let values: Vec<_> = row.iter().map(|&value| (SeriesId(1), value)).collect();
                let payload = encode_row(&head, &mut writing, &values);
                prop_assert_eq!(decode_row(&head, &payload, &mut reading, &mut back), Ok(()));
                prop_assert!(row.iter().zip(&back).all(|(a, b)| bits(*a) == bits(*b)));
                let moved = RowHead { at_ms: at ^ 1, ..head };
                prop_assert!(decode_row(&moved, &payload, &mut [Cell::default(); 7], &mut back).is_err());
            }
        }

        #[test]
        fn layouts_come_back(ids in prop::collection::vec(any::<i64>().prop_map(SeriesId), 0..100)) {
            prop_assert_eq!(decode_layout(&encode_layout(&ids)), Ok(ids));
        }
    }
}
