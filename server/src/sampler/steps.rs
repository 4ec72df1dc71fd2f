//! Steps of this host's clock, seen by comparing it with the one that never steps. Pure.

use std::time::{Duration, Instant};

/// Less than this is the clock being disciplined, or an answer that took its time.
const TOLERANCE_MS: i64 = 3_000;

/// What the clock did between two polls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Clock {
    /// It ran on.
    Steady,
    /// It was set back.
    Back,
    /// It was set forward by so much.
    Forward(Duration),
}

/// Compares two polls, each by the monotonic clock and by the wall clock (epoch milliseconds).
#[must_use]
pub(super) fn between(before: (Instant, i64), now: (Instant, i64)) -> Clock {
    let elapsed = now.0.saturating_duration_since(before.0);
    let elapsed_ms = i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX);
    let step_ms = now.1.saturating_sub(before.1).saturating_sub(elapsed_ms);
    match step_ms {
        ..0 if step_ms < -TOLERANCE_MS => Clock::Back,
        TOLERANCE_MS.. => Clock::Forward(Duration::from_millis(step_ms.unsigned_abs())),
        _ => Clock::Steady,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_what_the_monotonic_clock_did_not_see() {
        let began = Instant::now();
        let later = began + Duration::from_secs(10);
        let check = |at_ms: i64, expect: Clock| assert_eq!(between((began, 1_000_000), (later, at_ms)), expect);
        check(1_010_000, Clock::Steady);
        check(1_008_000, Clock::Steady);
        check(1_012_000, Clock::Steady);
        check(1_006_000, Clock::Back);
        check(-2_590_000, Clock::Back);
        check(1_013_000, Clock::Forward(Duration::from_secs(3)));
        check(87_410_000, Clock::Forward(Duration::from_secs(86_400)));
    }
}
