//! Bytes as the stored formats write them: varints, zigzag, check sums. It must not know what they mean.

/// Stored bytes that do not decode, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Damage(pub(super) &'static str);

/// What decoding gives.
pub(super) type Decoded<T> = Result<T, Damage>;

/// The length of a check sum.
const CHECKSUM_BYTES: usize = 4;

/// Writes seven bits a byte, the lowest first; the top bit says that more follow.
pub(super) fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        #[expect(clippy::cast_possible_truncation, reason = "the low seven bits are what is written")]
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    #[expect(clippy::cast_possible_truncation, reason = "less than 0x80")]
    out.push(value as u8);
}

/// Small numbers of either sign become small numbers without one.
#[expect(clippy::cast_sign_loss, reason = "zigzag moves the sign into the lowest bit")]
pub(super) const fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

/// The way back from [`zigzag`].
#[expect(clippy::cast_possible_wrap, reason = "zigzag moves the sign into the lowest bit")]
pub(super) const fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

/// Puts the check sum of `body`, and of `context` that is stored elsewhere, before it.
pub(super) fn with_checksum(context: &[u8], body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(CHECKSUM_BYTES + body.len());
    out.extend_from_slice(&checksum(context, body).to_le_bytes());
    out.extend_from_slice(body);
    out
}

/// The body, when its check sum is right.
pub(super) fn verified<'a>(context: &[u8], bytes: &'a [u8]) -> Decoded<&'a [u8]> {
    let Some((sum, body)) = bytes.split_first_chunk::<CHECKSUM_BYTES>() else { return Err(Damage("too short for a check sum")) };
    if u32::from_le_bytes(*sum) == checksum(context, body) { Ok(body) } else { Err(Damage("the check sum is wrong")) }
}

/// The check sum that bytes say they have.
pub(super) fn sum_of(bytes: &[u8]) -> u32 {
    bytes.first_chunk::<CHECKSUM_BYTES>().map_or(0, |sum| u32::from_le_bytes(*sum))
}

fn checksum(context: &[u8], body: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(context);
    hasher.update(body);
    hasher.finalize()
}

/// Reads bytes from the front; never past the end.
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(super) fn byte(&mut self) -> Decoded<u8> {
        let (&first, rest) = self.rest.split_first().ok_or(Damage("bytes are missing"))?;
        self.rest = rest;
        Ok(first)
    }

    pub(super) fn varint(&mut self) -> Decoded<u64> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            if shift == 63 && byte > 1 {
                break;
            }
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(Damage("a number is too long"))
    }

    /// A count or a length that is at most `limit`.
    pub(super) fn count(&mut self, limit: usize) -> Decoded<usize> {
        usize::try_from(self.varint()?).ok().filter(|&count| count <= limit).ok_or(Damage("a count is too large"))
    }

    pub(super) fn take(&mut self, length: usize) -> Decoded<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(Damage("bytes are missing"))?;
        self.rest = rest;
        Ok(taken)
    }

    pub(super) fn eight(&mut self) -> Decoded<[u8; 8]> {
        let (eight, rest) = self.rest.split_first_chunk::<8>().ok_or(Damage("bytes are missing"))?;
        self.rest = rest;
        Ok(*eight)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn numbers_come_back(value: u64, signed: i64) {
            let mut bytes = Vec::new();
            put_varint(&mut bytes, value);
            put_varint(&mut bytes, zigzag(signed));
            let mut reader = Reader::new(&bytes);
            prop_assert_eq!(reader.varint(), Ok(value));
            prop_assert_eq!(reader.varint().map(unzigzag), Ok(signed));
            prop_assert!(reader.is_empty());
        }

        #[test]
        fn a_changed_bit_is_found(body: Vec<u8>, context: Vec<u8>, place: prop::sample::Index, bit in 0_u32..8) {
            let mut bytes = with_checksum(&context, &body);
            prop_assert_eq!(verified(&context, &bytes), Ok(&body[..]));
            let place = place.index(bytes.len());
            bytes[place] ^= 1_u8 << bit;
            prop_assert!(verified(&context, &bytes).is_err());
        }

        #[test]
        fn nonsense_does_not_panic(bytes: Vec<u8>) {
            let mut reader = Reader::new(&bytes);
            while reader.varint().is_ok() {}
        }
    }
}
