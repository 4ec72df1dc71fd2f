//! Restarts and rates: what two neighbouring answers of one box say about its counters. Pure; time is passed in.

use std::time::{Duration, Instant};

use app::model::Number;

use crate::source::Reading;

/// A start instant that moves by more than this is a restart; uptimes are whole seconds, and answers take a while.
pub const RESTART_TOLERANCE: Duration = Duration::from_secs(3);
/// A start that lies further than this before what it can be is another server's: a server's own clock may be corrected by less.
const OTHER_TOLERANCE: Duration = Duration::from_secs(60);
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

/// Who gave an answer, by the start that it tells and the one that the answer before told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    /// The same run of the same server, or nobody says.
    Same,
    /// The same server, which started after the answer before.
    Anew,
    /// Another server, which ran while the one before still answered: the address was given to it.
    Other,
}

/// Compares uptimes with the monotonic clock, so that neither a step of this host's clock nor a long outage (after which the uptime may
/// be larger than before) is taken for a restart. Another server is one by the wall clock as well, since the monotonic one stands still
/// while this host sleeps.
#[must_use]
pub(super) fn start(before: &Moment, now: &Moment) -> Start {
    let (Some(up_before), Some(up_now)) = (before.uptime_ms, now.uptime_ms) else { return Start::Same };
    let elapsed = now.instant.saturating_duration_since(before.instant);
    let elapsed_ms = i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX);
    let longest_ms = elapsed_ms.max(now.at_ms.saturating_sub(before.at_ms));
    let tolerance_ms = i64::try_from(RESTART_TOLERANCE.as_millis()).unwrap_or(i64::MAX);
    let is_later = up_before.saturating_add(elapsed_ms).saturating_sub(up_now) > tolerance_ms;
    let other_ms = i64::try_from(OTHER_TOLERANCE.as_millis()).unwrap_or(i64::MAX);
    let is_earlier = up_now.saturating_sub(longest_ms.saturating_add(up_before)) > other_ms;
    let ran_before = up_now.saturating_sub(longest_ms) > other_ms;
    match (is_later, ran_before) {
        (true, true) => Start::Other,
        (true, false) => Start::Anew,
        (false, _) if is_earlier => Start::Other,
        (false, _) => Start::Same,
    }
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
    fn check_start(up_before_s: i64, elapsed_s: u64, up_now_s: i64, expect: Start) {
        let instant = Instant::now();
        let at = |at_ms| {
            let before = Moment { instant, at_ms: 0, uptime_ms: Some(up_before_s * 1000) };
            let now = Moment { instant: instant + Duration::from_secs(elapsed_s), at_ms, uptime_ms: Some(up_now_s * 1000) };
            start(&before, &now)
        };
        assert_eq!(at(i64::try_from(elapsed_s).unwrap() * 1000), expect, "{up_before_s} {elapsed_s} {up_now_s}");
        // A wall clock that is set back does not matter.
        assert_eq!(at(-3_600_000), expect, "{up_before_s} {elapsed_s} {up_now_s}");
    }

    #[test]
    fn a_restart_is_a_start_after_the_answer_before() {
        check_start(100, 10, 110, Start::Same);
        check_start(100, 10, 107, Start::Same);
        check_start(100, 10, 113, Start::Same);
        check_start(100, 10, 13, Start::Anew);
        check_start(100, 10, 2, Start::Anew);
        // After a long outage the uptime may be larger than before and still be a restart.
        check_start(100, 1000, 500, Start::Anew);
        check_start(100, 1000, 1100, Start::Same);
    }

    #[test]
    fn who_ran_while_another_answered_is_another() {
        check_start(100, 10, 106, Start::Other);
        check_start(100, 10, 71, Start::Other);
        check_start(100, 10, 171, Start::Other);
        // Within what a clock may be corrected by.
        check_start(100, 10, 14, Start::Anew);
        check_start(100, 10, 114, Start::Same);
        check_start(100, 10, 100_000, Start::Other);
        check_start(1_000, 1_000, 1_500, Start::Other);
        // This host slept for an hour, which only its wall clock tells, or that was set forward.
        let before = Moment { instant: Instant::now(), at_ms: 0, uptime_ms: Some(100_000) };
        let now = |uptime_ms| Moment { at_ms: 3_600_000, uptime_ms: Some(uptime_ms), ..before };
        assert_eq!(start(&before, &now(3_700_000)), Start::Same);
        assert_eq!(start(&before, &now(100_000)), Start::Same);
        assert_eq!(start(&before, &now(7_000_000)), Start::Other);
        assert_eq!(start(&before, &Moment { uptime_ms: None, ..now(0) }), Start::Same);
    }
}
