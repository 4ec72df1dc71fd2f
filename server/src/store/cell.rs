//! One value in about one byte: the difference from the value before it in the same run. It must not know rows, series or SQL.

use app::model::Number;

use super::bytes::{Decoded, Reader, put_varint, unzigzag, zigzag};

/// The box named no value.
const UNKNOWN: u64 = 0;
/// Eight bytes of a float follow.
const FLOAT: u64 = 1;
/// Eight bytes of an integer follow: its difference is too far for the codes that are left.
const INT: u64 = 2;
/// The float before, once more.
const SAME_FLOAT: u64 = 3;
/// From here on: the zigzag difference from the integer before.
const DIFFERENCE: u64 = 4;

/// What a run remembers of one series.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cell {
    int: i64,
    float_bits: Option<u64>,
}

impl Cell {
    /// Writes a value.
    pub(super) fn put(&mut self, out: &mut Vec<u8>, value: Option<Number>) {
        match value {
            None => put_varint(out, UNKNOWN),
            Some(Number::Float(float)) => {
                let bits = float.to_bits();
                if self.float_bits.replace(bits) == Some(bits) {
                    put_varint(out, SAME_FLOAT);
                } else {
                    put_varint(out, FLOAT);
                    out.extend_from_slice(&bits.to_le_bytes());
                }
            }
            Some(Number::Int(int)) => {
                let difference = zigzag(int.wrapping_sub(self.int));
                self.int = int;
                if let Some(code) = difference.checked_add(DIFFERENCE) {
                    put_varint(out, code);
                } else {
                    put_varint(out, INT);
                    out.extend_from_slice(&int.to_le_bytes());
                }
            }
        }
    }

    /// Reads the value that [`Self::put`] wrote in the same state.
    pub(super) fn get(&mut self, reader: &mut Reader<'_>) -> Decoded<Option<Number>> {
        match reader.varint()? {
            UNKNOWN => Ok(None),
            FLOAT => {
                let bits = u64::from_le_bytes(reader.eight()?);
                self.float_bits = Some(bits);
                Ok(Some(Number::Float(f64::from_bits(bits))))
            }
            INT => {
                self.int = i64::from_le_bytes(reader.eight()?);
                Ok(Some(Number::Int(self.int)))
            }
            SAME_FLOAT => Ok(self.float_bits.map(|bits| Number::Float(f64::from_bits(bits)))),
            code => {
                self.int = self.int.wrapping_add(unzigzag(code - DIFFERENCE));
                Ok(Some(Number::Int(self.int)))
            }
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Any value: integers near each other, the ends of `i64`, any float but NaN, unknown.
    pub(in super::super) fn any_value() -> impl Strategy<Value = Option<Number>> + Clone {
        prop_oneof![
            6 => (-70_i64..70).prop_map(|int| Some(Number::Int(int))),
            2 => any::<i64>().prop_map(|int| Some(Number::Int(int))),
            1 => prop_oneof![Just(i64::MIN), Just(i64::MAX), Just(i64::MIN + 1), Just(i64::MAX - 1)].prop_map(|int| Some(Number::Int(int))),
            2 => prop_oneof![any::<f64>(), Just(-0.0), Just(f64::INFINITY), Just(f64::NEG_INFINITY), Just(f64::MIN_POSITIVE)]
                .prop_filter("NaN is unknown", |float| !float.is_nan())
                .prop_map(|float| Some(Number::Float(float))),
            1 => Just(None),
        ]
    }

    /// Equal to the bit: -0.0 is not 0.0.
    pub(in super::super) fn bits(value: Option<Number>) -> (u8, u64) {
        match value {
            None => (0, 0),
            Some(Number::Int(int)) => (1, int.cast_unsigned()),
            Some(Number::Float(float)) => (2, float.to_bits()),
        }
    }

    proptest! {
        #[test]
        fn values_come_back(values in prop::collection::vec(any_value(), 0..200)) {
            let mut bytes = Vec::new();
            let mut cell = Cell::default();
            for &value in &values {
                cell.put(&mut bytes, value);
            }
            let (mut cell, mut reader) = (Cell::default(), Reader::new(&bytes));
            for &value in &values {
                prop_assert_eq!(cell.get(&mut reader).map(bits), Ok(bits(value)));
            }
            prop_assert!(reader.is_empty());
        }
    }

    #[test]
    fn a_small_step_is_one_byte() {
        let mut bytes = Vec::new();
        let mut cell = Cell::default();
        for value in [0, 61, 0, 61, 61] {
            cell.put(&mut bytes, Some(Number::Int(value)));
        }
        cell.put(&mut bytes, None);
        assert_eq!(bytes.len(), 6);
    }
}
