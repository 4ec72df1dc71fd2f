//! When a box is due: always at the same phase of its interval, which its name decides, so that boxes spread evenly and keep
//! their place over restarts. Pure.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    time::Duration,
};

/// How long from now until a box is due, at most one interval.
#[must_use]
pub(super) fn until_due(name: &str, interval: Duration, now_ms: i64) -> Duration {
    let interval_ms = i64::try_from(interval.as_millis()).unwrap_or(i64::MAX).max(1);
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    let phase_ms = (hasher.finish() % interval_ms.unsigned_abs()).cast_signed();
    let wait_ms = interval_ms - (now_ms - phase_ms).rem_euclid(interval_ms);
    Duration::from_millis(wait_ms.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_phase_is_the_same_at_any_time() {
        for interval_ms in [200, 1_000, 10_000, 3_600_000] {
            let interval = Duration::from_millis(interval_ms);
            let due = |now_ms: i64| (now_ms + until_due("sip1", interval, now_ms).as_millis() as i64).rem_euclid(interval_ms as i64);
            let first = due(0);
            for now_ms in [1, 199, 200, 1_234_567, 1_790_000_000_123, -5] {
                assert_eq!(due(now_ms), first);
                assert!(until_due("sip1", interval, now_ms) <= interval);
                assert!(!until_due("sip1", interval, now_ms).is_zero());
            }
        }
    }

    #[test]
    fn boxes_spread_over_the_interval() {
        let interval = Duration::from_secs(10);
        let mut tenths = [0; 10];
        for number in 0..1_000 {
            let wait = until_due(&format!("box{number}"), interval, 0).as_millis() as usize;
            tenths[(wait - 1) / 1_000] += 1;
        }
        assert!(tenths.iter().all(|&boxes| boxes > 50), "{tenths:?}");
    }
}
