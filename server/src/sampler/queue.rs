//! What the store is to be told of one box, in order: a bounded queue that outlasts a database which cannot be written for a while.
//! It must not know how boxes are asked.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{
    continuity::Gap,
    recorder::{Recorder, Recording},
};
use crate::{
    board::Entry,
    engine::Engine,
    store::{StoreError, Trouble},
};

/// So many polls of a box may wait for the store: an hour of one a second. Further ones are dropped and counted, the newest first.
const MAX_WAITING_POLLS: usize = 3_600;
/// So many samples of all boxes together may wait: some forty megabytes.
const MAX_WAITING_SAMPLES: usize = 1_000_000;
/// What could not be written is tried again after this, or as soon as something else was written.
const AGAIN_AFTER: Duration = Duration::from_secs(1);
/// So long it is tried to bring what was polled before another panel took the box.
const LATE_LIMIT: Duration = Duration::from_secs(600);

/// What the store is to be told.
enum Work {
    Samples(Recording),
    Gap(Gap),
}

/// The queue's end that is filled.
pub(super) struct Queue {
    work: mpsc::Sender<Work>,
    budget: Budget,
    engine: Arc<Engine>,
    box_name: String,
    /// The time of the last poll that was taken.
    last_ms: Option<i64>,
    /// Since when polls are dropped: the time of the last poll before.
    lost_since_ms: Option<i64>,
}

/// The queue's end that is emptied.
pub(super) struct Drain {
    work: mpsc::Receiver<Work>,
    budget: Budget,
    engine: Arc<Engine>,
}

/// How many samples wait, of all boxes together.
#[derive(Clone, Debug, Default)]
pub struct Budget(Arc<AtomicUsize>);

/// A queue for one box.
pub(super) fn queue(box_name: &str, budget: Budget, engine: Arc<Engine>) -> (Queue, Drain) {
    let (sender, receiver) = mpsc::channel(MAX_WAITING_POLLS);
    let drain = Drain { work: receiver, budget: budget.clone(), engine: Arc::clone(&engine) };
    let queue = Queue { work: sender, budget, engine, box_name: box_name.to_owned(), last_ms: None, lost_since_ms: None };
    (queue, drain)
}

impl Budget {
    fn take(&self, samples: usize) -> bool {
        let within = |waiting: usize| Some(waiting + samples).filter(|&all| all <= MAX_WAITING_SAMPLES || waiting == 0);
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, within).is_ok()
    }

    fn give_back(&self, samples: usize) {
        self.0.fetch_sub(samples, Ordering::Relaxed);
    }
}

impl Queue {
    /// The samples of a poll; where there is no room they are dropped and counted, and a gap tells of it later.
    pub(super) fn samples(&mut self, recording: Recording) {
        let at_ms = recording.at_ms;
        if self.try_samples(recording) {
            self.last_ms = Some(at_ms);
            return;
        }
        self.engine.counts.polls_lost.count();
        if self.lost_since_ms.is_none() {
            self.lost_since_ms = Some(self.last_ms.unwrap_or(at_ms));
            tracing::error!(name = self.box_name, "too much waits for the database: samples are dropped until there is room");
        }
    }

    fn try_samples(&mut self, recording: Recording) -> bool {
        // Room for the gap as well, so that it comes before what follows it.
        if self.work.capacity() < 2 || !self.budget.take(recording.values.len()) {
            return false;
        }
        if let Some(from_ms) = self.lost_since_ms.take() {
            self.gap(&Gap { from_ms, to_ms: recording.at_ms, reason: "too much waited for the database".to_owned() });
        }
        self.engine.counts.polls_queued.count();
        let samples = recording.values.len();
        let taken = self.work.try_send(Work::Samples(recording)).is_ok();
        if !taken {
            self.budget.give_back(samples);
            self.engine.counts.polls_settled.count();
        }
        taken
    }

    /// A span without values. One that finds no room is extended, or told of, by the next.
    pub(super) fn gap(&self, gap: &Gap) {
        if gap.from_ms < gap.to_ms {
            let _ = self.work.try_send(Work::Gap(gap.clone()));
        }
    }
}

impl Drain {
    /// Tells the store what comes, in order, until the queue's other end is gone and all is told. After `stop` nothing is tried twice.
    pub(super) async fn run(mut self, recorder: &Recorder, entry: &Entry, box_id: i64, stop: &CancellationToken) {
        let mut trouble = recorder.trouble();
        while let Some(work) = self.work.recv().await {
            let mut outcome = tell(recorder, entry, box_id, &work).await;
            while matches!(outcome, Err(StoreError::Unwritable(_) | StoreError::Full)) && !stop.is_cancelled() {
                wait(&mut trouble, stop).await;
                outcome = tell(recorder, entry, box_id, &work).await;
            }
            let is_unwritable = matches!(outcome, Err(StoreError::Unwritable(_)));
            match (outcome, work) {
                (Err(StoreError::Superseded), Work::Samples(first)) => self.bring_late(recorder, entry, first, box_id).await,
                (outcome, work) => self.settle(&work, &outcome, box_id),
            }
            if stop.is_cancelled() && is_unwritable {
                self.give_up(box_id);
            }
        }
    }

    /// Another panel took the box: all that waits was polled before, and has its place before what that one recorded.
    async fn bring_late(&mut self, recorder: &Recorder, entry: &Entry, first: Recording, box_id: i64) {
        let mut recordings = vec![first];
        let mut gaps = Vec::new();
        while let Ok(work) = self.work.try_recv() {
            match work {
                Work::Samples(recording) => recordings.push(recording),
                gap @ Work::Gap(_) => gaps.push(gap),
            }
        }
        let began = Instant::now();
        let outcome = loop {
            match recorder.record_late(&recordings).await {
                Ok(true) => break Ok(()),
                // The task of this box has ended, by this very loss: what is waited for is the panel that has it now, or the database.
                Ok(false) | Err(StoreError::Unwritable(_) | StoreError::Full) if began.elapsed() < LATE_LIMIT => {
                    tokio::time::sleep(AGAIN_AFTER).await;
                }
                Ok(false) => break Err(StoreError::Superseded),
                Err(error) => break Err(error),
            }
        };
        if outcome.is_ok() {
            tracing::info!(box_id, polls = recordings.len(), "polls from before another panel took the box are recorded late");
        }
        for recording in recordings {
            self.settle(&Work::Samples(recording), &outcome, box_id);
        }
        for gap in gaps {
            self.settle(&gap, &tell(recorder, entry, box_id, &gap).await, box_id);
        }
    }

    fn settle(&self, work: &Work, outcome: &Result<(), StoreError>, box_id: i64) {
        match work {
            Work::Samples(recording) => {
                self.budget.give_back(recording.values.len());
                self.engine.counts.polls_settled.count();
                if let Err(error) = outcome {
                    self.engine.counts.polls_lost.count();
                    tracing::error!(box_id, at_ms = recording.at_ms, samples = recording.values.len(), %error, "samples are lost");
                }
            }
            Work::Gap(Gap { from_ms, to_ms, reason }) => {
                if let Err(error) = outcome {
                    tracing::error!(box_id, from_ms, to_ms, reason, %error, "a gap could not be recorded");
                }
            }
        }
    }

    /// The process ends and nothing can be written: what waits is counted as lost.
    fn give_up(&mut self, box_id: i64) {
        let mut polls = 0;
        while let Ok(work) = self.work.try_recv() {
            if let Work::Samples(recording) = work {
                self.budget.give_back(recording.values.len());
                self.engine.counts.polls_settled.count();
                self.engine.counts.polls_lost.count();
                polls += 1;
            }
        }
        tracing::error!(box_id, polls, "polls that waited for the database are lost: it could not be written to the end");
    }
}

async fn tell(recorder: &Recorder, entry: &Entry, box_id: i64, work: &Work) -> Result<(), StoreError> {
    match work {
        Work::Samples(recording) => recorder.record(entry, recording).await,
        Work::Gap(gap) => recorder.gap(box_id, gap.from_ms, gap.to_ms, &gap.reason).await,
    }
}

async fn wait(trouble: &mut tokio::sync::watch::Receiver<Option<Trouble>>, stop: &CancellationToken) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = tokio::time::sleep(AGAIN_AFTER) => {}
        Ok(_) = trouble.wait_for(Option::is_none) => {}
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    fn recording(at_ms: i64, samples: usize) -> Recording {
        let names = (0..samples).map(|i| Arc::from(format!("s:{i}"))).collect();
        let values = vec![None; samples];
        let (marks, dropped, anew) = (Vec::new(), Vec::new(), Vec::new());
        Recording { box_id: 1, at_ms, interval_ms: 10, names, values, marks, dropped, anew, started_ms: None, generation: None }
    }

    fn next(drain: &mut Drain) -> Option<(i64, i64)> {
        Some(match drain.work.try_recv().ok()? {
            Work::Samples(recording) => {
                drain.budget.give_back(recording.values.len());
                (recording.at_ms, recording.at_ms)
            }
            Work::Gap(gap) => (gap.from_ms, gap.to_ms),
        })
    }

    #[test]
    fn what_finds_no_room_is_counted_and_told_as_a_gap() {
        let engine = Arc::new(Engine::new(Instant::now()).unwrap());
        let (mut queue, mut drain) = queue("sip1", Budget::default(), Arc::clone(&engine));
        let polls = i64::try_from(MAX_WAITING_POLLS).unwrap() + 9;
        (1..=polls).for_each(|at| queue.samples(recording(at, 1)));
        assert_eq!(engine.counts.polls_lost.get(), 10);
        let last = polls - 10;
        for at in 1..=last {
            assert_eq!(next(&mut drain), Some((at, at)));
        }
        assert_eq!(next(&mut drain), None);
        queue.samples(recording(polls + 5, 1));
        assert_eq!(next(&mut drain), Some((last, polls + 5)));
        assert_eq!(next(&mut drain), Some((polls + 5, polls + 5)));
        assert_eq!(next(&mut drain), None);
    }

    #[test]
    fn the_bound_of_samples_is_shared_by_all_boxes() {
        let (engine, budget) = (Arc::new(Engine::new(Instant::now()).unwrap()), Budget::default());
        let (mut one, mut first) = queue("a", budget.clone(), Arc::clone(&engine));
        let (mut other, _second) = queue("b", budget, Arc::clone(&engine));
        // A single poll is taken, however large it is.
        one.samples(recording(1, MAX_WAITING_SAMPLES + 1));
        other.samples(recording(1, 1));
        assert_eq!(engine.counts.polls_lost.get(), 1);
        assert_eq!(next(&mut first), Some((1, 1)));
        other.samples(recording(2, 1));
        assert_eq!(engine.counts.polls_lost.get(), 1);
    }
}
