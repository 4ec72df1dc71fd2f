//! The task of one box: waits until it is due, asks, puts the answer on the board, and queues what is to be recorded.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use app::model::{BoxKind, BoxState, ResetCause};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::{
    Refreshed, Shared,
    phase::until_due,
    queue::{Queue, queue},
    recorder::Recording,
    steps::{self, Clock},
};
use crate::{
    board::{Applied, Entry, Layout, MAX_GAP_INTERVALS, RESTART_TOLERANCE},
    clock,
    config::format_duration,
    source::{Answer, Source, Target, parse_address},
    store::StoredBox,
};

/// A poll may take as long as the interval, within these bounds.
const MIN_TIME_LIMIT: Duration = Duration::from_secs(2);
const MAX_TIME_LIMIT: Duration = Duration::from_secs(10);
/// A box that is new on the board is asked within this time, whatever its phase, so that a person need not wait for it.
const FIRST_POLL_WITHIN: Duration = Duration::from_millis(300);
/// Kinds are asked again for names that are new, but not more often than this.
const KINDS_EVERY: Duration = Duration::from_secs(60);
/// Why there are no values while a poll takes longer than the interval.
const OVERRUN: &str = "a poll took longer than the interval";

/// How a task begins.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Begin {
    /// Why the box was not asked before, where that is known.
    pub(super) idle_because: Option<&'static str>,
    /// Its address or its kind was changed: what it answers has nothing to do with what it answered before.
    pub(super) moved: bool,
}

/// A span without answers that has not ended.
struct OpenGap {
    from_ms: i64,
    reason: String,
}

/// One box's task.
pub(super) struct Task {
    shared: Arc<Shared>,
    entry: Arc<Entry>,
    stored: StoredBox,
    interval: Duration,
    begin: Begin,
    source: Option<Source>,
    /// There are names whose kind the box was not asked for yet.
    kinds_wanted: bool,
    kinds_asked: Option<Instant>,
    gap: Option<OpenGap>,
    /// The last answer by both clocks; after a start by the wall clock alone.
    last_answer: Option<Instant>,
    last_good_ms: Option<i64>,
    /// The start of the box that the store knows.
    known_start_ms: Option<i64>,
    /// Since when polls take longer than the interval.
    slow_since_ms: Option<i64>,
    layout: Arc<Layout>,
    recorded: Vec<Arc<str>>,
    lost: Vec<Arc<str>>,
}

impl Task {
    pub(super) fn new(shared: Arc<Shared>, entry: Arc<Entry>, stored: StoredBox, begin: Begin) -> Self {
        let interval = entry.lock().interval;
        let layout = Arc::new(Layout::empty());
        Self {
            shared,
            entry,
            stored,
            interval,
            begin,
            source: None,
            kinds_wanted: false,
            kinds_asked: None,
            gap: None,
            last_answer: None,
            last_good_ms: None,
            known_start_ms: None,
            slow_since_ms: None,
            layout,
            recorded: Vec::new(),
            lost: Vec::new(),
        }
    }

    /// Runs until it is stopped; what was answered by then is recorded.
    pub(super) async fn run(mut self, mut asked: mpsc::Receiver<oneshot::Sender<Refreshed>>, stop: CancellationToken) {
        let shared = Arc::clone(&self.shared);
        let (entry, box_id) = (Arc::clone(&self.entry), self.stored.id);
        let (queue, drain) = queue(&self.stored.spec.name, shared.waiting.clone(), Arc::clone(&shared.engine));
        let ended = stop.clone();
        let asking = async move {
            let mut queue = queue;
            self.look_back().await;
            self.ask_until(&mut asked, &stop, &mut queue).await;
        };
        tokio::join!(asking, drain.run(&shared.recorder, &entry, box_id, &ended));
    }

    async fn ask_until(&mut self, asked: &mut mpsc::Receiver<oneshot::Sender<Refreshed>>, stop: &CancellationToken, queue: &mut Queue) {
        let name = self.stored.spec.name.clone();
        let mut due = Instant::now() + until_due(&name, self.interval, clock::now_ms()).min(FIRST_POLL_WITHIN);
        loop {
            let mut waiting = Vec::new();
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep_until(due.into()) => {}
                Some(ask) = asked.recv() => waiting.push(ask),
            }
            let (began, began_ms) = (Instant::now(), clock::now_ms());
            let done = tokio::select! {
                () = stop.cancelled() => return,
                done = self.poll(queue) => done,
            };
            while let Ok(ask) = asked.try_recv() {
                waiting.push(ask);
            }
            for ask in waiting {
                // Whoever asked may have gone meanwhile.
                let _ = ask.send(done.clone());
            }
            let missed = missed(began.elapsed(), until_due(&name, self.interval, began_ms), self.interval);
            self.overran(missed, began_ms, queue);
            due = Instant::now() + until_due(&name, self.interval, clock::now_ms());
        }
    }

    /// Each due time that passed while a poll ran is a failure of its own, and tells of the gap that it leaves.
    fn overran(&mut self, missed: u128, began_ms: i64, queue: &Queue) {
        if missed == 0 {
            self.slow_since_ms = None;
            return;
        }
        for _ in 0..missed {
            self.shared.engine.counts.poll_failed("overrun");
        }
        // Fewer leave no gap in the history; a box that does not answer has a gap already.
        if missed >= u128::from(MAX_GAP_INTERVALS) && self.gap.is_none() {
            queue.gap(*self.slow_since_ms.get_or_insert(began_ms), clock::now_ms(), OVERRUN);
        }
    }

    async fn poll(&mut self, queue: &mut Queue) -> Refreshed {
        let sent = Instant::now();
        let sent_ms = clock::now_ms();
        match self.ask().await {
            Ok(answer) => {
                // The answer's time is by the wall clock; on the monotonic one it lies between sending and now.
                let after = Duration::from_millis(u64::try_from(answer.at_ms - sent_ms).unwrap_or(0));
                let instant = (sent + after).min(Instant::now());
                self.shared.engine.counts.polls_answered.count();
                self.answered(&answer, instant, queue).await;
                Ok(())
            }
            Err((kind, reason)) => {
                self.shared.engine.counts.poll_failed(kind);
                self.failed(kind, &reason, queue);
                Err(reason)
            }
        }
    }

    async fn ask(&mut self) -> Result<Answer, (&'static str, String)> {
        if self.stored.spec.kind == BoxKind::Tickmark {
            return self.ask_engine().await;
        }
        if self.source.is_none() {
            self.source = Some(self.connect().map_err(|reason| ("protocol", reason))?);
        }
        let Some(source) = &mut self.source else { return Err(("protocol", "no source".into())) };
        source.poll().await.map_err(|error| (error.kind(), error.to_string()))
    }

    async fn ask_engine(&self) -> Result<Answer, (&'static str, String)> {
        let stats = self.shared.store.stats().await.map_err(|error| ("protocol", error.to_string()))?;
        let engine = Arc::clone(&self.shared.engine);
        // Reading the host opens files: off the runtime's threads.
        let read = tokio::task::spawn_blocking(move || engine.answer(stats, Instant::now(), clock::now_ms()));
        read.await.map_err(|error| ("protocol", error.to_string()))
    }

    fn connect(&self) -> Result<Source, String> {
        let spec = &self.stored.spec;
        let time_limit = self.interval.clamp(MIN_TIME_LIMIT, MAX_TIME_LIMIT);
        let url = parse_address(&spec.address)?;
        let password = self.shared.password(&self.stored)?;
        let target = Target { kind: spec.kind, url, user: spec.user.clone(), password, time_limit };
        Source::new(target).map_err(|error| error.to_string())
    }

    async fn answered(&mut self, answer: &Answer, instant: Instant, queue: &mut Queue) {
        let (applied, mut recording, first) = {
            let entry = Arc::clone(&self.entry);
            let mut now = entry.lock();
            if now.stored.spec.address != self.stored.spec.address || now.stored.spec.kind != self.stored.spec.kind {
                // It was changed while this answer was under way: another task asks there now.
                return;
            }
            let first = now.server.is_none();
            let applied = now.apply(answer, instant);
            self.follow_layout(&now);
            (applied.clone(), Recording::of(&now, answer.at_ms, &applied, &self.lost), first)
        };
        self.shared.board.tell();
        self.close_gap(answer.at_ms, queue);
        recording.marks.extend(self.marks(instant, answer.at_ms, queue));
        recording.started_ms = self.new_start(answer.started_at_ms);
        self.last_answer = Some(instant);
        self.last_good_ms = Some(answer.at_ms);
        queue.samples(recording);
        if applied.restarted {
            tracing::info!(name = self.stored.spec.name, "the box restarted");
        }
        self.ask_around(&applied, first).await;
    }

    /// What else an answer brings for the whole box: that it is another one, and what this host's clock did since the one before.
    fn marks(&mut self, instant: Instant, at_ms: i64, queue: &Queue) -> Vec<ResetCause> {
        let mut marks = Vec::new();
        if std::mem::take(&mut self.begin.moved) {
            marks.push(ResetCause::Moved);
        }
        let clock = match (self.last_answer, self.last_good_ms) {
            (Some(before), Some(before_ms)) => steps::between((before, before_ms), (instant, at_ms)),
            // From before the start: only that it goes back can be told.
            (None, Some(before_ms)) => steps::between((instant, before_ms), (instant, at_ms.min(before_ms))),
            _ => Clock::Steady,
        };
        match clock {
            Clock::Steady => {}
            Clock::Back => {
                tracing::warn!(name = self.stored.spec.name, "this host's clock was set back: times repeat from here on");
                marks.push(ResetCause::Clock);
            }
            Clock::Forward(by) => {
                let by = format_duration(Duration::from_secs(by.as_secs()));
                tracing::warn!(name = self.stored.spec.name, by, "this host's clock was set forward");
                queue.gap(self.last_good_ms.unwrap_or(at_ms), at_ms, &format!("this host's clock was set forward by {by}"));
            }
        }
        marks
    }

    /// The start of the box where the store knows another one.
    fn new_start(&mut self, started_ms: Option<i64>) -> Option<i64> {
        let tolerance_ms = RESTART_TOLERANCE.as_millis();
        let news = started_ms.filter(|start| self.known_start_ms.is_none_or(|known| u128::from(known.abs_diff(*start)) > tolerance_ms));
        self.known_start_ms = news.or(self.known_start_ms);
        news
    }

    /// Asks what the box calls itself and how its statistics count, when that may be new.
    async fn ask_around(&mut self, applied: &Applied, first: bool) {
        let Some(source) = &mut self.source else {
            if first {
                self.entry.lock().server = Some(format!("Tickmark {}", env!("CARGO_PKG_VERSION")));
            }
            return;
        };
        if first || applied.restarted {
            match source.server().await {
                Ok(server) => {
                    let mut now = self.entry.lock();
                    now.server = Some(server);
                    now.changes += 1;
                }
                Err(error) => tracing::debug!(name = self.stored.spec.name, %error, "the box does not say what it is"),
            }
        }
        self.kinds_wanted |= applied.new_names || applied.restarted;
        let due = self.kinds_asked.is_none_or(|asked| asked.elapsed() >= KINDS_EVERY);
        if self.kinds_wanted && (due || applied.restarted) {
            self.kinds_asked = Some(Instant::now());
            match source.kinds().await {
                Ok(kinds) => {
                    self.kinds_wanted = false;
                    self.entry.lock().set_kinds(kinds);
                }
                Err(error) => tracing::debug!(name = self.stored.spec.name, %error, "the box does not say its kinds"),
            }
        }
        self.shared.board.tell();
    }

    /// Remembers what was recorded, so that a ticked statistic that vanishes is recorded as unknown and not silently left out.
    fn follow_layout(&mut self, now: &crate::board::BoxNow) {
        if Arc::ptr_eq(&self.layout, &now.layout) {
            return;
        }
        self.layout = Arc::clone(&now.layout);
        let ticked = now.ticked();
        self.recorded.retain(|full| now.rules.ticked(full));
        self.lost = self.recorded.iter().filter(|full| now.layout.place(full).is_none()).cloned().collect();
        self.recorded = self.lost.iter().cloned().chain(ticked.into_iter().map(|(full, _)| full)).collect();
    }

    fn failed(&mut self, kind: &'static str, reason: &str, queue: &Queue) {
        let was_up = {
            let mut now = self.entry.lock();
            let was_up = now.state != BoxState::Down;
            now.fail(reason.to_owned());
            was_up
        };
        self.shared.board.tell();
        if was_up {
            tracing::warn!(name = self.stored.spec.name, kind, reason, "the box gives no answer");
        }
        let now_ms = clock::now_ms();
        if self.gap.as_ref().is_some_and(|gap| gap.reason != reason) {
            self.close_gap(now_ms, queue);
            self.last_good_ms = Some(now_ms);
        }
        let from_ms = self.last_good_ms.unwrap_or(now_ms);
        let gap = self.gap.get_or_insert_with(|| OpenGap { from_ms, reason: reason.to_owned() });
        queue.gap(gap.from_ms, now_ms, &gap.reason);
    }

    fn close_gap(&mut self, to_ms: i64, queue: &Queue) {
        if let Some(gap) = self.gap.take() {
            queue.gap(gap.from_ms, to_ms, &gap.reason);
        }
    }

    /// What the store remembers of the box: its last values, for the pages until it answers; when it last started; and since when there
    /// is a gap whose reason is known, since the box was paused or this panel not running.
    async fn look_back(&mut self) {
        let last = match self.shared.store.last_known(self.stored.id).await {
            Ok(last) => last,
            Err(error) => {
                tracing::error!(name = self.stored.spec.name, %error, "what was recorded last could not be read");
                return;
            }
        };
        let Some(last) = last else { return };
        self.last_good_ms = Some(last.at_ms);
        if self.begin.moved {
            return;
        }
        self.known_start_ms = last.started_ms;
        self.entry.lock().seed(&last, Instant::now(), clock::now_ms());
        self.shared.board.tell();
        let longest = i64::try_from(self.interval.saturating_mul(MAX_GAP_INTERVALS).as_millis()).unwrap_or(i64::MAX);
        if let Some(reason) = self.begin.idle_because
            && !self.entry.lock().rules.is_empty()
            && clock::now_ms().saturating_sub(last.at_ms) > longest
        {
            self.gap = Some(OpenGap { from_ms: last.at_ms, reason: reason.to_owned() });
        }
    }
}

/// How many due times passed while a poll ran; `first` is how long after its beginning the first of them was.
fn missed(took: Duration, first: Duration, interval: Duration) -> u128 {
    took.checked_sub(first).map_or(0, |after| after.as_nanos() / interval.as_nanos().max(1) + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{engine::FAILURE_KINDS, source::SourceError};

    #[test]
    fn due_times_that_pass_while_a_poll_runs_are_missed() {
        let ms = Duration::from_millis;
        let check = |took, first, expect| assert_eq!(missed(ms(took), ms(first), ms(200)), expect, "{took} {first}");
        check(150, 200, 0);
        check(200, 200, 1);
        check(399, 200, 1);
        check(900, 200, 4);
        // A refresh between two due times.
        check(40, 50, 0);
        check(60, 50, 1);
    }

    #[test]
    fn every_failure_of_a_source_is_counted_under_its_kind() {
        let text = String::new;
        let errors = [
            SourceError::Unreachable(text()),
            SourceError::Timeout(Duration::ZERO),
            SourceError::Closed(text()),
            SourceError::Password(text()),
            SourceError::WrongPath(text()),
            SourceError::Tls(text()),
            SourceError::TooLarge(text()),
            SourceError::Status(text()),
            SourceError::Protocol(text()),
        ];
        for error in errors {
            assert!(FAILURE_KINDS.contains(&error.kind()), "{}", error.kind());
        }
    }
}
