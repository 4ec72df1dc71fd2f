//! The task of one box: waits until it is due, asks, puts the answer on the board, and queues what is to be recorded.

mod around;

use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

use app::model::{BoxKind, BoxState, ResetCause};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{
    Ask, Shared,
    continuity::{Begin, Continuity},
    phase::until_due,
    queue::{Queue, queue},
    recorder::Recording,
    unasked::LEASE_IS_OVER,
};
use crate::{
    alerts::Across,
    board::{Entry, Layout, ResetHere},
    clock,
    source::{Answer, Resetting, Source},
    store::StoredBox,
};

/// A box that is new on the board is asked within this time, whatever its phase, so that a person need not wait for it.
const FIRST_POLL_WITHIN: Duration = Duration::from_millis(300);
/// So many statistics that are ticked and no longer there are recorded as unknown. Of the others, which only a server has that names
/// its statistics anew at each poll, the samples just end.
const MAX_LOST: usize = 4_096;
/// So long a poll of the built-in box waits at most until what was pushed is kept.
const KEEP_LIMIT: Duration = Duration::from_secs(1);
/// The layout of a larger answer is made off the runtime's threads, which all boxes share.
const LARGE_NAMES: usize = 4_096;

/// The kind of a failure that says nothing of the box.
const NOT_ASKED: &str = "lease";

/// One box's task.
pub(super) struct Task {
    pub(super) shared: Arc<Shared>,
    pub(super) entry: Arc<Entry>,
    pub(super) stored: StoredBox,
    interval: Duration,
    /// Of the lease, where panels share the database.
    generation: i64,
    pub(super) source: Option<Source>,
    /// There are names whose kind the box was not asked for yet.
    kinds_wanted: bool,
    kinds_asked: Option<Instant>,
    /// It was asked for its processes since it began.
    pub(super) processes_asked: bool,
    /// The engine's changes when it was asked for its kinds.
    kinds_of: Option<u64>,
    continuity: Continuity,
    pub(super) layout: Arc<Layout>,
    /// The names of what is recorded: the ticked ones, then those that are lost.
    recorded: Arc<[Arc<str>]>,
    /// Ticked statistics that the box no longer names.
    lost: Vec<Arc<str>>,
}

impl Task {
    pub(super) fn new(shared: Arc<Shared>, entry: Arc<Entry>, stored: StoredBox, begin: Begin, generation: i64) -> Self {
        let interval = entry.lock().interval;
        let layout = Arc::new(Layout::empty());
        Self {
            shared,
            entry,
            stored,
            interval,
            generation,
            source: None,
            kinds_wanted: false,
            kinds_asked: None,
            processes_asked: false,
            kinds_of: None,
            continuity: Continuity::new(begin),
            layout,
            recorded: Arc::new([]),
            lost: Vec::new(),
        }
    }

    /// Runs until it is stopped; what was answered by then is recorded.
    pub(super) async fn run(mut self, mut asked: mpsc::Receiver<Ask>, stop: CancellationToken) {
        let shared = Arc::clone(&self.shared);
        let (entry, box_id) = (Arc::clone(&self.entry), self.stored.id);
        let of_box = (box_id, self.stored.spec.name.as_str());
        let (queue, drain) = queue(of_box, shared.room.clone(), Arc::clone(&shared.engine), shared.recorder.trouble());
        let ended = stop.clone();
        let asking = async move {
            let mut queue = queue;
            self.look_back().await;
            self.take_up_alerts().await;
            self.ask_until(&mut asked, &stop, &mut queue).await;
            self.shared.watching.leave(self.stored.id);
        };
        tokio::join!(asking, drain.run(&shared.recorder, &entry, box_id, &ended));
    }

    async fn ask_until(&mut self, asked: &mut mpsc::Receiver<Ask>, stop: &CancellationToken, queue: &mut Queue) {
        let name = self.stored.spec.name.clone();
        let mut due = Instant::now() + until_due(&name, self.interval, clock::now_ms()).min(FIRST_POLL_WITHIN);
        let mut asks = VecDeque::new();
        loop {
            if asks.is_empty() {
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = tokio::time::sleep_until(due.into()) => {}
                    Some(ask) = asked.recv() => asks.push_back(ask),
                }
            }
            let (began, began_ms) = (Instant::now(), clock::now_ms());
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.answer_to(&mut asks, asked, queue) => {}
            }
            let missed = missed(began.elapsed(), until_due(&name, self.interval, began_ms), self.interval);
            self.overran(missed, began_ms, queue);
            due = Instant::now() + until_due(&name, self.interval, clock::now_ms());
        }
    }

    /// Asks the box, for whoever waits first: a reset, or else all who want to see it refreshed by then.
    async fn answer_to(&mut self, asks: &mut VecDeque<Ask>, asked: &mut mpsc::Receiver<Ask>, queue: &mut Queue) {
        match asks.pop_front() {
            // Whoever asked may have gone meanwhile.
            Some(Ask::Reset { names, by, tell }) => drop(tell.send(self.reset(&names, &by, queue).await)),
            first => {
                let done = self.poll(None, queue).await.map(drop);
                asks.extend(first);
                while let Ok(ask) = asked.try_recv() {
                    asks.push_back(ask);
                }
                for ask in std::mem::take(asks) {
                    match ask {
                        Ask::Refresh(tell) => drop(tell.send(done.clone())),
                        reset @ Ask::Reset { .. } => asks.push_back(reset),
                    }
                }
            }
        }
    }

    /// Each due time that passed while a poll ran is a failure of its own, and tells of the gap that it leaves.
    fn overran(&mut self, missed: u128, began_ms: i64, queue: &Queue) {
        for _ in 0..missed {
            self.shared.engine.counts.poll_failed("overrun");
        }
        if missed > 0 {
            let mut now = self.entry.lock();
            now.polls.overrun = now.polls.overrun.saturating_add(u64::try_from(missed).unwrap_or(u64::MAX));
        }
        self.continuity.overran(missed, began_ms, clock::now_ms()).iter().for_each(|gap| queue.gap(gap));
    }

    /// Asks once and takes the answer. What is being reset is compared with it first, so that the answer is taken as one across a reset.
    pub(super) async fn poll(&mut self, resetting: Option<(&mut Resetting, &Arc<str>)>, queue: &mut Queue) -> Result<Answer, String> {
        let sent = Instant::now();
        let sent_ms = clock::now_ms();
        if !self.shared.store.leases_last(sent) {
            return Err(self.lease_is_over(queue));
        }
        let asked = self.ask().await;
        if !self.shared.store.leases_last(Instant::now()) {
            // This process may have been stopped meanwhile, and another panel have the box.
            return Err(self.lease_is_over(queue));
        }
        match asked {
            Ok(answer) => {
                // The answer's time is by the wall clock; on the monotonic one it lies between sending and now.
                let after = Duration::from_millis(u64::try_from(answer.at_ms - sent_ms).unwrap_or(0));
                let instant = (sent + after).min(Instant::now());
                self.shared.engine.counts.polls_answered.count();
                if let Some((resetting, by)) = resetting {
                    let done = resetting.check(&answer);
                    self.remember(done.iter(), by, true);
                }
                self.answered(&answer, instant, queue).await;
                Ok(answer)
            }
            Err((kind, reason)) => {
                self.shared.engine.counts.poll_failed(kind);
                if let Some((resetting, by)) = resetting {
                    self.remember(resetting.told(), by, false);
                    resetting.give_up(&reason);
                }
                self.failed(kind, &reason, queue);
                Err(reason)
            }
        }
    }

    /// The box is not polled: another panel may do that by now.
    fn lease_is_over(&mut self, queue: &Queue) -> String {
        self.failed(NOT_ASKED, LEASE_IS_OVER, queue);
        LEASE_IS_OVER.to_owned()
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
        let (answer, resets) = read.await.map_err(|error| ("protocol", error.to_string()))?;
        self.entry.lock().resets.extend(resets.into_iter().map(|(full, by)| (full, ResetHere { by, certain: true })));
        // Kept before a sample of it is recorded: what was pushed never begins again below its last sample.
        let (engine, store) = (&self.shared.engine, &self.shared.store);
        if store.trouble().borrow().is_none() && engine.counts_pushed() {
            // Where it fails, that is said by whoever keeps it regularly.
            let _ = tokio::time::timeout(KEEP_LIMIT, engine.keep(store)).await;
        }
        Ok(answer)
    }

    fn connect(&self) -> Result<Source, String> {
        self.shared.source(&self.stored, self.interval)
    }

    async fn answered(&mut self, answer: &Answer, instant: Instant, queue: &mut Queue) {
        let planned = self.plan(answer).await;
        let across = self.look_around();
        let (applied, mut recording, first) = {
            let entry = Arc::clone(&self.entry);
            let mut now = entry.lock();
            if !now.stored.spec.is_same_server(&self.stored.spec) {
                // It was changed while this answer was under way: another task asks there now.
                return;
            }
            let first = now.server.is_none();
            let applied = now.apply(answer, planned, instant);
            self.follow_layout(&now);
            self.shared.watching.look(&now, answer.at_ms, &across);
            (applied.clone(), Recording::of(&now, answer.at_ms, &applied, &self.recorded), first)
        };
        self.shared.board.tell();
        let before = self.continuity.answered(instant, answer.at_ms, answer.started_at_ms);
        before.gaps.iter().for_each(|gap| queue.gap(gap));
        if before.marks.contains(&ResetCause::Clock) {
            tracing::warn!(name = self.stored.spec.name, "this host's clock was set back: times repeat from here on");
        }
        recording.marks.extend(before.marks);
        recording.started_ms = before.started_ms;
        recording.generation = Some(self.generation);
        queue.samples(recording);
        if applied.restarted {
            tracing::info!(name = self.stored.spec.name, "the box restarted");
        } else if applied.is_other {
            tracing::warn!(name = self.stored.spec.name, "another server answers at the address of the box than before");
        }
        self.ask_around(&applied, first).await;
    }

    /// The layout of very many new names, made while nobody waits for the box.
    async fn plan(&self, answer: &Answer) -> Option<Arc<Layout>> {
        if answer.names.len() <= LARGE_NAMES {
            return None;
        }
        let plan = self.entry.lock().plan(answer)?;
        // Were this to fail, it is made later.
        tokio::task::spawn_blocking(plan).await.ok()
    }

    /// Remembers what was recorded, so that a ticked statistic that vanishes is recorded as unknown and not silently left out.
    fn follow_layout(&mut self, now: &crate::board::BoxNow) {
        if Arc::ptr_eq(&self.layout, &now.layout) {
            return;
        }
        self.layout = Arc::clone(&now.layout);
        let is_lost = |full: &&Arc<str>| now.layout.place(full).is_none() && now.layout.records(full);
        self.lost = self.recorded.iter().filter(is_lost).take(MAX_LOST).cloned().collect();
        // Those that went last come first, so that each is recorded as unknown once at least.
        self.recorded = if self.lost.is_empty() {
            Arc::clone(&now.layout.ticked_names)
        } else {
            now.layout.ticked_names.iter().chain(&self.lost).cloned().collect()
        };
    }

    fn failed(&mut self, kind: &'static str, reason: &str, queue: &Queue) {
        let was_up = {
            let mut now = self.entry.lock();
            let was_up = now.state != BoxState::Down;
            now.fail(reason.to_owned());
            if kind == NOT_ASKED {
                self.shared.watching.look_away(self.stored.id, clock::now_ms());
            } else {
                self.shared.watching.look(&now, clock::now_ms(), &Across::default());
            }
            was_up
        };
        self.shared.board.tell();
        if was_up {
            tracing::warn!(name = self.stored.spec.name, kind, reason, "the box gives no answer");
        }
        self.continuity.failed(kind, reason, clock::now_ms()).iter().for_each(|gap| queue.gap(gap));
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
            SourceError::Timeout(Duration::ZERO, ""),
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
