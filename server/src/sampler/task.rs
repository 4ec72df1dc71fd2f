//! The task of one box: waits until it is due, asks, puts the answer on the board, and queues what is to be recorded.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use app::model::{BoxKind, BoxState};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::{
    Refreshed, Shared,
    phase::until_due,
    recorder::{Recorder, Recording},
};
use crate::{
    board::{Applied, Entry, Layout, MAX_GAP_INTERVALS},
    clock,
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
/// So many polls of a box may wait for the store; more are dropped and counted, the newest first.
const MAX_UNRECORDED: usize = 256;

/// What the store is to be told, in order.
enum Work {
    Samples(Recording),
    Gap { from_ms: i64, to_ms: i64, reason: String },
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
    idle_because: &'static str,
    source: Option<Source>,
    kinds_asked: Option<Instant>,
    gap: Option<OpenGap>,
    last_good_ms: Option<i64>,
    layout: Arc<Layout>,
    recorded: Vec<Arc<str>>,
    lost: Vec<Arc<str>>,
}

impl Task {
    pub(super) fn new(shared: Arc<Shared>, entry: Arc<Entry>, stored: StoredBox, idle_because: &'static str) -> Self {
        let interval = entry.lock().interval;
        let layout = Arc::new(Layout::empty());
        Self {
            shared,
            entry,
            stored,
            interval,
            idle_because,
            source: None,
            kinds_asked: None,
            gap: None,
            last_good_ms: None,
            layout,
            recorded: Vec::new(),
            lost: Vec::new(),
        }
    }

    /// Runs until it is stopped; what was answered by then is recorded.
    pub(super) async fn run(mut self, mut asked: mpsc::Receiver<oneshot::Sender<Refreshed>>, stop: CancellationToken) {
        let (queue, work) = mpsc::channel(MAX_UNRECORDED);
        let recorder = record_all(self.shared.recorder.clone(), Arc::clone(&self.entry), self.stored.id, work);
        let asking = async move {
            self.open_idle_gap().await;
            self.ask_until(&mut asked, &stop, &queue).await;
        };
        tokio::join!(asking, recorder);
    }

    async fn ask_until(
        &mut self,
        asked: &mut mpsc::Receiver<oneshot::Sender<Refreshed>>,
        stop: &CancellationToken,
        queue: &mpsc::Sender<Work>,
    ) {
        let name = self.stored.spec.name.clone();
        let mut due = Instant::now() + until_due(&name, self.interval, clock::now_ms()).min(FIRST_POLL_WITHIN);
        loop {
            let mut waiting = Vec::new();
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep_until(due.into()) => {}
                Some(ask) = asked.recv() => waiting.push(ask),
            }
            let began = Instant::now();
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
            self.count_overruns(began.max(due));
            due = Instant::now() + until_due(&name, self.interval, clock::now_ms());
        }
    }

    /// Each due time that passed while a poll ran is a failure of its own.
    fn count_overruns(&self, began: Instant) {
        let intervals = began.elapsed().as_nanos() / self.interval.as_nanos().max(1);
        for _ in 0..intervals {
            self.shared.engine.counts.poll_failed("overrun");
        }
    }

    async fn poll(&mut self, queue: &mpsc::Sender<Work>) -> Refreshed {
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

    async fn answered(&mut self, answer: &Answer, instant: Instant, queue: &mpsc::Sender<Work>) {
        let (applied, recording, first) = {
            let entry = Arc::clone(&self.entry);
            let mut now = entry.lock();
            let first = now.answers == 0 || now.server.is_none();
            let applied = now.apply(answer, instant);
            self.follow_layout(&now);
            (applied.clone(), Recording::of(&now, answer.at_ms, &applied, &self.lost), first)
        };
        self.shared.board.tell();
        self.close_gap(answer.at_ms, queue);
        self.last_good_ms = Some(answer.at_ms);
        self.queue(queue, Work::Samples(recording));
        if applied.restarted {
            tracing::info!(name = self.stored.spec.name, "the box restarted");
        }
        self.ask_around(&applied, first).await;
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
        let due = self.kinds_asked.is_none_or(|asked| asked.elapsed() >= KINDS_EVERY);
        if applied.restarted || (due && applied.new_names) {
            self.kinds_asked = Some(Instant::now());
            match source.kinds().await {
                Ok(kinds) => self.entry.lock().set_kinds(kinds),
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

    fn failed(&mut self, kind: &'static str, reason: &str, queue: &mpsc::Sender<Work>) {
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
        let work = Work::Gap { from_ms: gap.from_ms, to_ms: now_ms, reason: gap.reason.clone() };
        self.queue(queue, work);
    }

    fn close_gap(&mut self, to_ms: i64, queue: &mpsc::Sender<Work>) {
        if let Some(gap) = self.gap.take() {
            self.queue(queue, Work::Gap { from_ms: gap.from_ms, to_ms, reason: gap.reason });
        }
    }

    /// Samples that end long before this task began leave a gap, whose reason is known: paused, or not running.
    async fn open_idle_gap(&mut self) {
        if self.idle_because.is_empty() || self.entry.lock().rules.is_empty() {
            return;
        }
        match self.shared.store.last_record_ms(self.stored.id).await {
            Ok(Some(last_ms)) => {
                self.last_good_ms = Some(last_ms);
                let longest = self.interval.saturating_mul(MAX_GAP_INTERVALS).as_millis();
                if clock::now_ms().saturating_sub(last_ms) > i64::try_from(longest).unwrap_or(i64::MAX) {
                    self.gap = Some(OpenGap { from_ms: last_ms, reason: self.idle_because.to_owned() });
                }
            }
            Ok(None) => {}
            Err(error) => tracing::error!(name = self.stored.spec.name, %error, "the last sample's time could not be read"),
        }
    }

    fn queue(&self, queue: &mpsc::Sender<Work>, work: Work) {
        if queue.try_send(work).is_err() {
            self.shared.engine.counts.polls_lost.count();
            tracing::error!(name = self.stored.spec.name, "the store is too slow: the samples of a poll are dropped");
        }
    }
}

/// Tells the store what comes, in order, until the task ends and all is told.
async fn record_all(recorder: Recorder, entry: Arc<Entry>, box_id: i64, mut work: mpsc::Receiver<Work>) {
    while let Some(work) = work.recv().await {
        match work {
            // A failure is counted and logged by the recorder.
            Work::Samples(recording) => drop(recorder.record(&entry, recording).await),
            Work::Gap { from_ms, to_ms, reason } => recorder.gap(box_id, from_ms, to_ms, &reason).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{engine::FAILURE_KINDS, source::SourceError};

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
