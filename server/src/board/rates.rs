//! Restarts and rates: what two neighbouring answers of one box say about its counters. Pure; time is passed in.

use std::time::{Duration, Instant};

use app::model::Number;

use crate::source::Reading;

/// A start instant that moves by more than this is a restart; uptimes are whole seconds, and answers take a while.
pub const RESTART_TOLERANCE: Duration = Duration::from_secs(3);
/// A rate is never drawn across a gap of more intervals than this.
pub const MAX_GAP_INTERVALS: u32 = 3;

/// When an answer was given and how long the box had been up.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// The poll's time on a clock that never steps.
    pub instant: Instant,
    /// The poll's time, epoch milliseconds.
    pub at_ms: i64,
    /// How long the box had been up, where it says so.
    pub uptime_ms: Option<i64>,
}

/// Whether the box restarted between two answers. Compares uptimes with the monotonic clock, so that neither a step of this
/// host's clock nor a long outage (after which the uptime may be larger than before) is taken for something else.
#[must_use]
pub(super) fn restarted(before: &Moment, now: &Moment) -> bool {
    let (Some(up_before), Some(up_now)) = (before.uptime_ms, now.uptime_ms) else { return false };
    let elapsed = now.instant.saturating_duration_since(before.instant);
    let elapsed_ms = i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX);
    let tolerance_ms = i64::try_from(RESTART_TOLERANCE.as_millis()).unwrap_or(i64::MAX);
    up_before.saturating_add(elapsed_ms).saturating_sub(up_now) > tolerance_ms
}

/// What two neighbouring values of a counter say.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Step {
    /// The increase per second.
    Rate(f64),
    /// It fell without a restart: no rate, and a mark.
    Drop,
    /// Nothing can be said.
    Nothing,
}

/// The step of a counter. After a restart the increase is the new value itself.
#[must_use]
pub(super) fn step(before: Reading, now: Reading, elapsed: Duration, interval: Duration, restarted: bool) -> Step {
    if elapsed.is_zero() || elapsed > interval.saturating_mul(MAX_GAP_INTERVALS) {
        return Step::Nothing;
    }
    let (Ok(before), Ok(now)) = (before, now) else { return Step::Nothing };
    let increase = match (before, now) {
        (_, now) if restarted => now.as_f64(),
        (Number::Int(before), Number::Int(now)) if now < before => return Step::Drop,
        #[expect(clippy::cast_precision_loss, reason = "a rate is a float")]
        (Number::Int(before), Number::Int(now)) => now.wrapping_sub(before).cast_unsigned() as f64,
        (before, now) if now.as_f64() < before.as_f64() => return Step::Drop,
        (before, now) => now.as_f64() - before.as_f64(),
    };
    if increase < 0.0 {
        return Step::Drop;
    }
    Step::Rate(increase / elapsed.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Unknown;

    const INTERVAL: Duration = Duration::from_secs(10);

    #[track_caller]
    fn check(before: i64, now: i64, elapsed_s: u64, restarted: bool, expect: Step) {
        let got = step(Ok(Number::Int(before)), Ok(Number::Int(now)), Duration::from_secs(elapsed_s), INTERVAL, restarted);
        assert_eq!(got, expect);
    }

    #[test]
    fn steps_of_a_counter() {
        check(100, 150, 10, false, Step::Rate(5.0));
        check(100, 100, 10, false, Step::Rate(0.0));
        check(100, 99, 10, false, Step::Drop);
        check(100, 30, 10, true, Step::Rate(3.0));
        check(100, 130, 10, true, Step::Rate(13.0));
        check(100, 400, 30, false, Step::Rate(10.0));
        check(100, 400, 31, false, Step::Nothing);
        check(100, 400, 0, false, Step::Nothing);
        check(i64::MIN, i64::MAX, 1, false, Step::Rate(18_446_744_073_709_551_615.0));
    }

    #[test]
    fn an_unknown_value_gives_no_rate() {
        let unknown: Reading = Err(Unknown::Inexact);
        assert_eq!(step(unknown, Ok(Number::Int(1)), INTERVAL, INTERVAL, false), Step::Nothing);
        assert_eq!(step(Ok(Number::Int(1)), unknown, INTERVAL, INTERVAL, false), Step::Nothing);
    }

    #[track_caller]
    fn check_restart(up_before_s: i64, elapsed_s: u64, up_now_s: i64, expect: bool) {
        let instant = Instant::now();
        let before = Moment { instant, at_ms: 0, uptime_ms: Some(up_before_s * 1000) };
        // The wall clock steps wildly: it must not matter.
        let now = Moment { instant: instant + Duration::from_secs(elapsed_s), at_ms: -3_600_000, uptime_ms: Some(up_now_s * 1000) };
        assert_eq!(restarted(&before, &now), expect);
    }

    #[test]
    fn a_restart_is_a_start_instant_that_moves() {
        check_restart(100, 10, 110, false);
        check_restart(100, 10, 107, false);
        check_restart(100, 10, 106, true);
        check_restart(100, 10, 2, true);
        // After a long outage the uptime may be larger than before and still be a restart.
        check_restart(100, 1000, 500, true);
        check_restart(100, 1000, 1100, false);
    }
}
