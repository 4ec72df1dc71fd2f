//! The smallest and the largest value of the last while, in bounded room. Pure; time is passed in.

use std::collections::VecDeque;

/// So many parts a while has: what is older than it goes part by part.
const PARTS: i64 = 60;

/// The values of the last while.
#[derive(Clone, Debug, Default)]
pub(super) struct Past {
    /// The begin of each part, its smallest and its largest value.
    parts: VecDeque<(i64, f64, f64)>,
}

impl Past {
    /// The smallest and the largest value of the last while, without the one that comes now; then that is remembered as well.
    pub(super) fn add(&mut self, at_ms: i64, value: f64, within_ms: i64) -> Option<(f64, f64)> {
        while self.parts.front().is_some_and(|(begin, ..)| *begin < at_ms.saturating_sub(within_ms)) {
            self.parts.pop_front();
        }
        let range = self.parts.iter().map(|&(_, low, high)| (low, high)).reduce(|one, other| (one.0.min(other.0), one.1.max(other.1)));
        if value.is_nan() {
            return range;
        }
        let part_ms = (within_ms / PARTS).max(1);
        match self.parts.back_mut() {
            Some((begin, low, high)) if at_ms.saturating_sub(*begin) < part_ms => {
                *low = low.min(value);
                *high = high.max(value);
            }
            _ => self.parts.push_back((at_ms, value, value)),
        }
        range
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_forgets_what_is_older_and_stays_small() {
        let mut past = Past::default();
        assert_eq!(past.add(0, 5.0, 60_000), None);
        assert_eq!(past.add(1_000, 1.0, 60_000), Some((5.0, 5.0)));
        assert_eq!(past.add(2_000, f64::NAN, 60_000), Some((1.0, 5.0)));
        assert_eq!(past.add(60_500, 3.0, 60_000), Some((1.0, 1.0)));
        for at_ms in 0..100_000 {
            past.add(100_000 + at_ms, 1.0, 60_000);
        }
        assert!(past.parts.len() <= 62, "{}", past.parts.len());
    }
}
