//! What a roll-up's numbers are guessed to be from those around them: the format keeps only what is left over. It must not know SQL.

use super::pack::Listed;
use super::roll::Record;
use super::steps::Amount;

/// What follows from the bucket before when nothing is left out.
pub(super) struct Guess<T> {
    /// The last value before.
    pub(super) last: Option<T>,
    pub(super) count: i64,
    pub(super) took_ms: i64,
}

pub(super) fn guesses<T: Packed>(records: &[Record<T>]) -> Vec<Guess<T>> {
    let mut before: Option<&Record<T>> = None;
    let guess = |record: &Record<T>, before: Option<&Record<T>>| Guess {
        last: before.map(|before| before.last),
        count: record.samples.saturating_sub(i64::from(before.is_none())).max(0),
        took_ms: record.last_ms.wrapping_sub(before.map_or(record.first_ms, |before| before.last_ms)),
    };
    let mut guesses = Vec::with_capacity(records.len());
    for record in records {
        guesses.push(guess(record, before));
        if record.is_known() {
            before = Some(record);
        }
    }
    guesses
}

/// A number that is stored as what is left over a guess.
pub(super) trait Packed: Amount + Listed {
    /// What is left; the guess is there again by [`Self::back`].
    fn over(self, guess: impl Into<Option<Self>>) -> Self;
    fn back(self, guess: impl Into<Option<Self>>) -> Self;
    /// The number that a guess is so much [`over`](Self::over).
    fn under(self, guess: Self) -> Self;
    /// The excess of a straight line from the first value to the last.
    fn linear(record: &Record<Self>) -> Self;
    /// By how much it rose, when it did what the ends say.
    fn risen(record: &Record<Self>, before: Option<Self>) -> Self;
}

impl Packed for i64 {
    fn over(self, guess: impl Into<Option<Self>>) -> Self {
        self.wrapping_sub(guess.into().unwrap_or_default())
    }

    fn back(self, guess: impl Into<Option<Self>>) -> Self {
        self.wrapping_add(guess.into().unwrap_or_default())
    }

    fn under(self, guess: Self) -> Self {
        guess.wrapping_sub(self)
    }

    fn linear(record: &Record<Self>) -> Self {
        record.last.wrapping_sub(record.first).wrapping_mul(record.samples.wrapping_sub(record.unknown)) / 2
    }

    fn risen(record: &Record<Self>, before: Option<Self>) -> Self {
        record.last.wrapping_sub(before.unwrap_or(record.first)).wrapping_sub(record.falls.increase)
    }
}

/// Of floats the bits that differ, since a difference would not be exact.
impl Packed for f64 {
    fn over(self, guess: impl Into<Option<Self>>) -> Self {
        Self::from_bits(self.to_bits() ^ guess.into().unwrap_or_default().to_bits())
    }

    fn back(self, guess: impl Into<Option<Self>>) -> Self {
        self.over(guess)
    }

    fn under(self, guess: Self) -> Self {
        self.over(guess)
    }

    fn linear(_record: &Record<Self>) -> Self {
        0.0
    }

    fn risen(_record: &Record<Self>, _before: Option<Self>) -> Self {
        0.0
    }
}

pub(super) fn lower<T: Amount>(record: &Record<T>) -> T {
    if record.last < record.first { record.last } else { record.first }
}

pub(super) fn upper<T: Amount>(record: &Record<T>) -> T {
    if record.last > record.first { record.last } else { record.first }
}
