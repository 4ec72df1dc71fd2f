//! What the store is to be told of one box, in order: a bounded queue that outlasts a database which cannot be written for a while.
//! It must not know how boxes are asked.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::{
    continuity::Gap,
    recorder::{Recorder, Recording},
    spool::{Place, Spool, Spooled},
    unasked::NO_ROOM,
};
use crate::{
    board::Entry,
    engine::Engine,
    store::{StoreError, Trouble},
};

/// So many polls of a box may wait for the store: a day of one a second. Further ones are dropped and counted, the newest first.
const MAX_WAITING_POLLS: usize = 86_400;
/// So much may wait in memory, of all boxes together: some forty megabytes.
const MAX_WAITING_SAMPLES: usize = 1_000_000;
/// A poll takes so much of it beside its samples.
const SAMPLES_A_POLL: usize = 8;
/// What could not be written is tried again after this, or as soon as something else was written.
const AGAIN_AFTER: Duration = Duration::from_secs(1);
/// What is not written within this time waits in a file meanwhile.
const SLOW: Duration = Duration::from_secs(1);
/// So long it is tried to bring what was polled before another panel took the box.
const LATE_LIMIT: Duration = Duration::from_secs(600);
/// So many polls are brought late at once.
const LATE_POLLS: usize = 1_000;

/// What the store is to be told.
enum Work {
    Samples(Box<Recording>),
    Gap(Gap),
    /// It waits in a file.
    Spooled(Place),
}

/// What the store is told now, and where else it waits.
struct Item {
    work: Told,
    place: Option<Place>,
    /// It was counted with what waits in memory.
    is_budgeted: bool,
}

enum Told {
    Samples(Box<Recording>),
    Gap(Gap),
}

/// The queue's end that is filled.
pub(super) struct Queue {
    work: mpsc::Sender<Work>,
    /// How much was put in and is not settled.
    unsettled: Arc<AtomicUsize>,
    room: Room,
    engine: Arc<Engine>,
    trouble: watch::Receiver<Option<Trouble>>,
    box_id: i64,
    box_name: String,
    /// The time of the last poll that was taken.
    last_ms: Option<i64>,
    /// Since when polls are dropped: the time of the last poll before.
    lost_since_ms: Option<i64>,
}

/// The queue's end that is emptied.
pub(super) struct Drain {
    work: mpsc::Receiver<Work>,
    unsettled: Arc<AtomicUsize>,
    room: Room,
    engine: Arc<Engine>,
}

/// How many samples wait in memory, of all boxes together.
#[derive(Clone, Debug, Default)]
pub struct Budget(Arc<AtomicUsize>);

/// Where what waits may be.
#[derive(Clone, Default)]
pub struct Room {
    /// In memory.
    pub budget: Budget,
    /// On this host's disk.
    pub spool: Spool,
}

/// A queue for one box.
pub(super) fn queue(
    (box_id, box_name): (i64, &str),
    room: Room,
    engine: Arc<Engine>,
    trouble: watch::Receiver<Option<Trouble>>,
) -> (Queue, Drain) {
    let (sender, receiver) = mpsc::channel(MAX_WAITING_POLLS);
    let unsettled = Arc::<AtomicUsize>::default();
    let drain = Drain { work: receiver, unsettled: Arc::clone(&unsettled), room: room.clone(), engine: Arc::clone(&engine) };
    let box_name = box_name.to_owned();
    let queue = Queue { work: sender, unsettled, room, engine, trouble, box_id, box_name, last_ms: None, lost_since_ms: None };
    (queue, drain)
}

impl Budget {
    fn take(&self, recording: &Recording) -> bool {
        let samples = cost(recording);
        let within = |waiting: usize| Some(waiting + samples).filter(|&all| all <= MAX_WAITING_SAMPLES || waiting == 0);
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, within).is_ok()
    }

    fn give_back(&self, recording: &Recording) {
        self.0.fetch_sub(cost(recording), Ordering::Relaxed);
    }
}

fn cost(recording: &Recording) -> usize {
    recording.values.len() + SAMPLES_A_POLL
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
        if self.work.capacity() < 2 {
            return false;
        }
        let place = self.will_wait().then(|| self.room.spool.put(&recording)).flatten();
        if place.is_none() && !self.room.budget.take(&recording) {
            return false;
        }
        if let Some(from_ms) = self.lost_since_ms.take() {
            self.gap(&Gap { from_ms, to_ms: recording.at_ms, reason: NO_ROOM.to_owned() });
        }
        self.engine.counts.polls_queued.count();
        // It is full never, as nobody else fills it, and open until this end is gone.
        self.send(place.map_or_else(|| Work::Samples(Box::new(recording)), Work::Spooled));
        true
    }

    /// A span without values. One that finds no room is extended, or told of, by the next.
    pub(super) fn gap(&self, gap: &Gap) {
        if gap.from_ms < gap.to_ms && self.work.capacity() > 0 {
            let place = self.will_wait().then(|| self.room.spool.put_gap(self.box_id, gap)).flatten();
            self.send(place.map_or_else(|| Work::Gap(gap.clone()), Work::Spooled));
        }
    }

    /// Whether what is put in now will not be told at once.
    fn will_wait(&self) -> bool {
        self.unsettled.load(Ordering::Relaxed) > 0 || self.trouble.borrow().is_some()
    }

    fn send(&self, work: Work) {
        self.unsettled.fetch_add(1, Ordering::Relaxed);
        if self.work.try_send(work).is_err() {
            self.unsettled.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl Drain {
    /// Tells the store what comes, in order, until the queue's other end is gone and all is told. After `stop` nothing is tried twice.
    pub(super) async fn run(mut self, recorder: &Recorder, entry: &Entry, box_id: i64, stop: &CancellationToken) {
        let mut trouble = recorder.trouble();
        while let Some(work) = self.work.recv().await {
            let Some(mut item) = self.load(work, box_id) else { continue };
            let mut outcome = self.tell(recorder, entry, box_id, &mut item, stop).await;
            while is_passing(&outcome) && !stop.is_cancelled() {
                self.room.keep(box_id, &item.work, &mut item.place);
                wait(&mut trouble, stop).await;
                outcome = self.tell(recorder, entry, box_id, &mut item, stop).await;
            }
            let is_unwritable = matches!(outcome, Err(StoreError::Unwritable(_)));
            match outcome {
                Err(StoreError::Superseded) if matches!(item.work, Told::Samples(_)) => {
                    self.bring_late(recorder, entry, item, box_id).await;
                }
                outcome => self.settle(item, &outcome, box_id),
            }
            if stop.is_cancelled() && is_unwritable {
                self.give_up(box_id);
            }
        }
    }

    /// What is to be told, out of its file where it waits in one.
    fn load(&self, work: Work, box_id: i64) -> Option<Item> {
        let place = match work {
            Work::Samples(recording) => return Some(Item { work: Told::Samples(recording), place: None, is_budgeted: true }),
            Work::Gap(gap) => return Some(Item { work: Told::Gap(gap), place: None, is_budgeted: false }),
            Work::Spooled(place) => place,
        };
        let work = match self.room.spool.get(&place) {
            Some(Spooled::Poll(recording)) => Told::Samples(Box::new(recording)),
            Some(Spooled::Gap(_, gap)) => Told::Gap(gap),
            None => {
                self.unsettled.fetch_sub(1, Ordering::Relaxed);
                self.engine.counts.polls_settled.count();
                self.engine.counts.polls_lost.count();
                tracing::error!(box_id, "samples that waited for the database are lost: their file is damaged");
                self.room.spool.settle(&place);
                return None;
            }
        };
        Some(Item { work, place: Some(place), is_budgeted: false })
    }

    /// Tells the store; what takes long waits in a file meanwhile.
    async fn tell(
        &self,
        recorder: &Recorder,
        entry: &Entry,
        box_id: i64,
        item: &mut Item,
        stop: &CancellationToken,
    ) -> Result<(), StoreError> {
        let Item { work, place, .. } = item;
        let telling = tell(recorder, entry, box_id, work);
        tokio::pin!(telling);
        tokio::select! {
            biased;
            outcome = &mut telling => return outcome,
            () = tokio::time::sleep(SLOW) => {}
            () = stop.cancelled() => {}
        }
        self.room.keep(box_id, work, place);
        telling.await
    }

    /// Another panel took the box: all that waits was polled before, and has its place before what that one recorded.
    async fn bring_late(&mut self, recorder: &Recorder, entry: &Entry, first: Item, box_id: i64) {
        let began = Instant::now();
        let mut items = vec![first];
        while !items.is_empty() {
            while items.len() < LATE_POLLS
                && let Ok(work) = self.work.try_recv()
            {
                items.extend(self.load(work, box_id));
            }
            let recordings: Vec<&Recording> = items.iter().filter_map(Item::recording).collect();
            let outcome = loop {
                let brought = async {
                    let is_recorded = recorder.record_late(&recordings).await?;
                    if is_recorded {
                        recorder.judge_late(&recordings, false).await?;
                    }
                    Ok(is_recorded)
                };
                match brought.await {
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
            for item in items.drain(..) {
                if let Told::Gap(_) = item.work {
                    let told = tell(recorder, entry, box_id, &item.work).await;
                    self.settle(item, &told, box_id);
                } else {
                    self.settle(item, &outcome, box_id);
                }
            }
            if let Ok(work) = self.work.try_recv() {
                items.extend(self.load(work, box_id));
            }
        }
    }

    /// It is told, or lost, or stays in its file for the next start.
    fn settle(&self, item: Item, outcome: &Result<(), StoreError>, box_id: i64) {
        let Item { work, place, is_budgeted } = item;
        self.unsettled.fetch_sub(1, Ordering::Relaxed);
        let stays = place.is_some() && (is_passing(outcome) || matches!(outcome, Err(StoreError::Closed)));
        if let Some(place) = place.filter(|_| !stays) {
            self.room.spool.settle(&place);
        }
        match &work {
            Told::Samples(recording) => {
                if is_budgeted {
                    self.room.budget.give_back(recording);
                }
                self.engine.counts.polls_settled.count();
                if let Err(error) = outcome
                    && !stays
                {
                    self.engine.counts.polls_lost.count();
                    tracing::error!(box_id, at_ms = recording.at_ms, samples = recording.values.len(), %error, "samples are lost");
                }
            }
            Told::Gap(Gap { from_ms, to_ms, reason }) => {
                if let Err(error) = outcome
                    && !stays
                {
                    tracing::error!(box_id, from_ms, to_ms, reason, %error, "a gap could not be recorded");
                }
            }
        }
    }

    /// The process ends and nothing can be written: what waits is left in its file, or counted as lost.
    fn give_up(&mut self, box_id: i64) {
        let (mut kept, mut lost) = (0, 0);
        while let Ok(work) = self.work.try_recv() {
            let place = match work {
                Work::Spooled(place) => Some(place),
                Work::Gap(gap) => self.room.spool.put_gap(box_id, &gap),
                Work::Samples(recording) => {
                    self.room.budget.give_back(&recording);
                    let place = self.room.spool.put(&recording);
                    if place.is_none() {
                        self.engine.counts.polls_lost.count();
                        lost += 1;
                    }
                    place
                }
            };
            self.engine.counts.polls_settled.count();
            kept += usize::from(place.is_some());
        }
        if kept > 0 {
            tracing::warn!(box_id, kept, "what waited for the database is recorded when the panel begins again");
        }
        if lost > 0 {
            tracing::error!(box_id, polls = lost, "polls that waited for the database are lost: it could not be written to the end");
        }
    }
}

impl Room {
    /// It waits in a file, where there is room, if it does not yet.
    fn keep(&self, box_id: i64, work: &Told, place: &mut Option<Place>) {
        if place.is_none() {
            *place = match work {
                Told::Samples(recording) => self.spool.put(recording),
                Told::Gap(gap) => self.spool.put_gap(box_id, gap),
            };
        }
    }
}

impl Item {
    fn recording(&self) -> Option<&Recording> {
        if let Told::Samples(recording) = &self.work { Some(recording) } else { None }
    }
}

/// Whether it is worth another try.
fn is_passing(outcome: &Result<(), StoreError>) -> bool {
    matches!(outcome, Err(StoreError::Unwritable(_) | StoreError::Full))
}

async fn tell(recorder: &Recorder, entry: &Entry, box_id: i64, work: &Told) -> Result<(), StoreError> {
    match work {
        Told::Samples(recording) => recorder.record(entry, recording).await,
        Told::Gap(gap) => recorder.gap(box_id, gap.from_ms, gap.to_ms, &gap.reason).await,
    }
}

async fn wait(trouble: &mut watch::Receiver<Option<Trouble>>, stop: &CancellationToken) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = tokio::time::sleep(AGAIN_AFTER) => {}
        Ok(_) = trouble.wait_for(Option::is_none) => {}
    }
}

#[cfg(test)]
mod tests;
