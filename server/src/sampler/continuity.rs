//! What lies between the answers of one box: gaps with their reasons, steps of this host's clock, restarts that the store has not heard of.
//! Asks nobody; time is passed in.

use std::time::{Duration, Instant};

use app::model::ResetCause;

use super::{
    steps::{self, Clock},
    unasked::{CLOCK_FORWARD, OVERRUN},
};
use crate::{
    board::{MAX_GAP_INTERVALS, RESTART_TOLERANCE},
    config::format_duration,
    store::LastKnown,
};

/// A step of the clock is told in whole seconds: it is set in such, and the polls around it lie a little apart.
const HALF_A_SECOND: Duration = Duration::from_millis(500);
/// The kind of gap of a box that was not asked.
const IDLE: &str = "idle";

/// A span without values, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Gap {
    pub(super) from_ms: i64,
    pub(super) to_ms: i64,
    pub(super) reason: String,
}

/// A gap that has not ended.
struct OpenGap {
    from_ms: i64,
    kind: &'static str,
    reason: String,
}

/// How a task begins.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Begin {
    /// Why the box was not asked before, where that is known.
    pub(super) idle_because: Option<&'static str>,
    /// Its address or its kind was changed: what it answers has nothing to do with what it answered before.
    pub(super) moved: bool,
}

/// What is to be recorded of what lies before an answer.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Before {
    pub(super) gaps: Vec<Gap>,
    pub(super) marks: Vec<ResetCause>,
    /// The start of the box, where it is news to the store.
    pub(super) started_ms: Option<i64>,
}

/// What is remembered of the answers of one box.
#[derive(Default)]
pub(super) struct Continuity {
    begin: Begin,
    open: Option<OpenGap>,
    /// The last answer's time by the clock that never steps; none where it came before this process began.
    last_instant: Option<Instant>,
    /// And by the wall clock, epoch milliseconds.
    last_ms: Option<i64>,
    /// The start of the box that the store knows.
    known_start_ms: Option<i64>,
    /// Since when polls take longer than the interval.
    slow_since_ms: Option<i64>,
}

impl Continuity {
    pub(super) fn new(begin: Begin) -> Self {
        Self { begin, ..Self::default() }
    }

    /// Whether another server answers here than before.
    pub(super) fn moved(&self) -> bool {
        self.begin.moved
    }

    /// Takes up what the store remembers of the box. `recorded` is whether anything of it is ticked, `longest` the time between two
    /// answers that is no gap yet.
    pub(super) fn take_up(&mut self, last: &LastKnown, recorded: bool, longest: Duration, now_ms: i64) {
        self.last_ms = Some(last.at_ms);
        if self.begin.moved {
            return;
        }
        self.known_start_ms = last.started_ms;
        let longest_ms = i64::try_from(longest.as_millis()).unwrap_or(i64::MAX);
        if let Some(reason) = self.begin.idle_because
            && recorded
            && now_ms.saturating_sub(last.at_ms) > longest_ms
        {
            self.open = Some(OpenGap { from_ms: last.at_ms, kind: IDLE, reason: reason.to_owned() });
        }
    }

    /// The box answered.
    pub(super) fn answered(&mut self, instant: Instant, at_ms: i64, started_ms: Option<i64>) -> Before {
        let mut before = Before { started_ms: self.new_start(started_ms), ..Before::default() };
        before.gaps.extend(self.open.take().map(|open| Gap { from_ms: open.from_ms, to_ms: at_ms, reason: open.reason }));
        if std::mem::take(&mut self.begin.moved) {
            before.marks.push(ResetCause::Moved);
        }
        match self.clock(instant, at_ms) {
            Clock::Steady => {}
            Clock::Back => before.marks.push(ResetCause::Clock),
            Clock::Forward(by) => {
                let by = format_duration(Duration::from_secs((by + HALF_A_SECOND).as_secs()));
                let reason = format!("{CLOCK_FORWARD} by {by}");
                before.gaps.push(Gap { from_ms: self.last_ms.unwrap_or(at_ms), to_ms: at_ms, reason });
            }
        }
        self.last_instant = Some(instant);
        self.last_ms = Some(at_ms);
        before
    }

    fn clock(&self, instant: Instant, at_ms: i64) -> Clock {
        match (self.last_instant, self.last_ms) {
            (Some(before), Some(before_ms)) => steps::between((before, before_ms), (instant, at_ms)),
            // From before the start: only that it goes back can be told.
            (None, Some(before_ms)) => steps::between((instant, before_ms), (instant, at_ms.min(before_ms))),
            _ => Clock::Steady,
        }
    }

    /// The start of the box where the store knows another one.
    fn new_start(&mut self, started_ms: Option<i64>) -> Option<i64> {
        let tolerance_ms = RESTART_TOLERANCE.as_millis();
        let news = started_ms.filter(|start| self.known_start_ms.is_none_or(|known| u128::from(known.abs_diff(*start)) > tolerance_ms));
        self.known_start_ms = news.or(self.known_start_ms);
        news
    }

    /// The box did not answer. A gap ends where the kind of its reason does: the words may differ from poll to poll.
    pub(super) fn failed(&mut self, kind: &'static str, reason: &str, now_ms: i64) -> Vec<Gap> {
        let other = self.open.take_if(|open| open.kind != kind);
        let from_ms = if other.is_some() { now_ms } else { self.last_ms.unwrap_or(now_ms) };
        let open = self.open.get_or_insert_with(|| OpenGap { from_ms, kind, reason: String::new() });
        reason.clone_into(&mut open.reason);
        let gaps = other.into_iter().map(|other| Gap { from_ms: other.from_ms, to_ms: now_ms, reason: other.reason });
        gaps.chain([Gap { from_ms: open.from_ms, to_ms: now_ms, reason: open.reason.clone() }]).collect()
    }

    /// A poll that began at `began_ms` has ended, and so many due times passed meanwhile.
    pub(super) fn overran(&mut self, missed: u128, began_ms: i64, now_ms: i64) -> Option<Gap> {
        if missed == 0 {
            self.slow_since_ms = None;
            return None;
        }
        // Fewer leave no gap in the history; a box that does not answer has a gap already.
        if missed < u128::from(MAX_GAP_INTERVALS) || self.open.is_some() {
            return None;
        }
        let from_ms = *self.slow_since_ms.get_or_insert(began_ms);
        Some(Gap { from_ms, to_ms: now_ms, reason: OVERRUN.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: i64 = 1_000_000;

    fn gap(from_ms: i64, to_ms: i64, reason: &str) -> Gap {
        Gap { from_ms, to_ms, reason: reason.to_owned() }
    }

    /// One that was answered at [`AT`].
    fn answered() -> (Continuity, Instant) {
        let (mut continuity, instant) = (Continuity::new(Begin::default()), Instant::now());
        assert_eq!(continuity.answered(instant, AT, None), Before::default());
        (continuity, instant)
    }

    #[test]
    fn a_gap_goes_from_the_last_answer_to_the_next_and_changes_with_its_reason() {
        let (mut continuity, instant) = answered();
        assert_eq!(continuity.failed("closed", "closed", AT + 10), [gap(AT, AT + 10, "closed")]);
        assert_eq!(continuity.failed("closed", "closed", AT + 20), [gap(AT, AT + 20, "closed")]);
        let two = [gap(AT, AT + 30_000, "closed"), gap(AT + 30_000, AT + 30_000, "unreachable")];
        assert_eq!(continuity.failed("unreachable", "unreachable", AT + 30_000), two);
        let before = continuity.answered(instant + Duration::from_secs(40), AT + 40_000, None);
        // Nobody touched the clock meanwhile.
        assert_eq!(before, Before { gaps: vec![gap(AT + 30_000, AT + 40_000, "unreachable")], ..Before::default() });
    }

    #[test]
    fn an_outage_is_one_gap_whatever_words_it_is_told_in() {
        let (mut continuity, _) = answered();
        continuity.failed("protocol", "it answers request 5 instead of 6", AT + 10);
        let gaps = continuity.failed("protocol", "it answers request 6 instead of 7", AT + 20);
        assert_eq!(gaps, [gap(AT, AT + 20, "it answers request 6 instead of 7")]);
    }

    #[test]
    fn a_clock_that_steps_is_told() {
        let (mut continuity, instant) = answered();
        let back = continuity.answered(instant + Duration::from_secs(1), AT - 3_600_000, None);
        assert_eq!(back, Before { marks: vec![ResetCause::Clock], ..Before::default() });
        let forward = continuity.answered(instant + Duration::from_secs(2), AT + 1_000, None);
        assert_eq!(forward.gaps, [gap(AT - 3_600_000, AT + 1_000, "this host's clock was set forward by 1h")]);
    }

    #[test]
    fn what_the_store_remembers_is_taken_up() {
        let last = LastKnown { at_ms: AT, started_ms: Some(500), values: Vec::new() };
        let begin = Begin { idle_because: Some("paused"), moved: false };
        let mut continuity = Continuity::new(begin);
        continuity.take_up(&last, true, Duration::from_secs(3), AT + 9_000);
        let before = continuity.answered(Instant::now(), AT + 10_000, Some(700));
        assert_eq!(before, Before { gaps: vec![gap(AT, AT + 10_000, "paused")], ..Before::default() });
        assert_eq!(continuity.answered(Instant::now(), AT + 10_000, Some(9_000)).started_ms, Some(9_000));
        // Set back while nobody looked.
        let mut continuity = Continuity::new(begin);
        continuity.take_up(&last, false, Duration::from_secs(3), AT - 9_000);
        assert_eq!(continuity.answered(Instant::now(), AT - 9_000, Some(700)).marks, [ResetCause::Clock]);
        let mut continuity = Continuity::new(Begin { moved: true, ..begin });
        continuity.take_up(&last, true, Duration::from_secs(3), AT + 9_000);
        let before = continuity.answered(Instant::now(), AT + 10_000, Some(700));
        assert_eq!((before.gaps, before.marks, before.started_ms), (vec![], vec![ResetCause::Moved], Some(700)));
    }

    #[test]
    fn slow_polls_leave_a_gap_that_grows() {
        let (mut continuity, _) = answered();
        assert_eq!(continuity.overran(0, AT, AT + 9), None);
        assert_eq!(continuity.overran(2, AT, AT + 500), None);
        assert_eq!(continuity.overran(4, AT + 600, AT + 1_500), Some(gap(AT + 600, AT + 1_500, OVERRUN)));
        assert_eq!(continuity.overran(4, AT + 1_600, AT + 2_500), Some(gap(AT + 600, AT + 2_500, OVERRUN)));
        assert_eq!(continuity.overran(0, AT + 2_600, AT + 2_609), None);
        assert_eq!(continuity.overran(3, AT + 3_000, AT + 3_900), Some(gap(AT + 3_000, AT + 3_900, OVERRUN)));
        continuity.failed("timeout", "timeout", AT + 4_000);
        assert_eq!(continuity.overran(9, AT + 3_900, AT + 5_000), None);
    }
}
