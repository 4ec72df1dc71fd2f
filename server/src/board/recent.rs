//! The newest answers of a box by their times: what a page shows is one of them, and who has one is told only what changed since. It knows
//! neither names nor values.

use std::collections::VecDeque;

/// So many are remembered.
pub const MAX_RECENT: usize = 16;

/// Times of answers, epoch milliseconds, and their numbers.
#[derive(Clone, Debug, Default)]
pub struct Recent(VecDeque<(i64, u64)>);

impl Recent {
    /// Takes the newest. Where the clock was set back a time may come twice: it stands for neither then.
    pub(super) fn push(&mut self, at_ms: i64, answer: u64) {
        let before = self.0.len();
        self.0.retain(|(other_ms, _)| *other_ms != at_ms);
        if self.0.len() == before {
            self.0.push_back((at_ms, answer));
        }
        if self.0.len() > MAX_RECENT {
            self.0.pop_front();
        }
    }

    /// None of them is good any more: names, and with them places, are others now.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// The number of the answer of this time.
    #[must_use]
    pub fn number(&self, at_ms: i64) -> Option<u64> {
        self.0.iter().find(|(other_ms, _)| *other_ms == at_ms).map(|(_, answer)| *answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_few_are_known_and_of_two_at_one_time_none() {
        let mut recent = Recent::default();
        for answer in 1..=20 {
            recent.push(i64::try_from(answer).unwrap() * 1_000, answer);
        }
        assert_eq!([4_000, 5_000, 20_000, 20_001].map(|at_ms| recent.number(at_ms)), [None, Some(5), Some(20), None]);
        recent.push(19_000, 21);
        assert_eq!([19_000, 20_000].map(|at_ms| recent.number(at_ms)), [None, Some(20)]);
        recent.clear();
        assert_eq!(recent.number(20_000), None);
    }
}
