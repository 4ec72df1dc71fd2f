//! Decides when each box is asked and what of its answer is recorded: one task a box, at its own phase, one poll in flight.
//! A slow or dead box delays nobody but itself. Knows no wire format and no SQL.

mod closely;
mod continuity;
mod leftover;
mod phase;
mod processes;
mod queue;
mod recorder;
mod relay;
mod resets;
mod shared;
mod sharing;
mod spool;
mod steps;
mod task;
mod unasked;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, atomic::AtomicBool},
    time::Duration,
};

use tokio::sync::{Notify, mpsc, oneshot};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    alerts::Rule,
    board::{Definition, Rules},
    clock,
    source::Refused,
    store::{StoreError, StoredBox, StoredRule},
};
use closely::CloseUps;
pub use closely::{CloseUp, MAX_CLOSELY};
use continuity::Begin;
pub use queue::Room;
pub use recorder::{Recorder, Recording};
pub use shared::Shared;
use sharing::Others;
pub(crate) use spool::Spool;
use task::Task;
pub(crate) use unasked::{LEASE_IS_OVER, is_not_of_the_box};
use unasked::{NOT_RUNNING, OTHER_PANEL, PAUSED};

/// How often the store is asked whether somebody else changed boxes, ticks or kinds.
const REVISION_EVERY: Duration = Duration::from_millis(500);
/// How often heads are looked at for sealing, one box after the other, and what is committed is written to the disk itself.
const TIDY_EVERY: Duration = Duration::from_secs(5);
/// So many people may wait for one box at once; more are told to try again.
const MAX_ASKS: usize = 64;

/// What a refresh brought: nothing, or why the box gave no answer.
pub type Refreshed = Result<(), String>;

/// What became of statistics that were to be set to zero.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResetDone {
    /// The full names of those that were; they were read again.
    pub reset: Vec<String>,
    /// Those that were not, and why.
    pub refused: Vec<Refused>,
}

/// What somebody wants of a box at once.
enum Ask {
    /// One poll.
    Refresh(oneshot::Sender<Refreshed>),
    /// That statistics are set to zero.
    Reset { names: Vec<String>, by: Arc<str>, tell: oneshot::Sender<Result<ResetDone, String>> },
}

/// A box's task, from outside.
struct Running {
    stored: StoredBox,
    /// In which it is polled, where panels share the database.
    generation: i64,
    stop: CancellationToken,
    asking: mpsc::Sender<Ask>,
    /// Ends once nothing waits for the store any more.
    ended: tokio::task::JoinHandle<()>,
}

/// The sampler of all boxes.
pub struct Sampler {
    shared: Arc<Shared>,
    running: Mutex<HashMap<i64, Running>>,
    close_ups: Mutex<CloseUps>,
    /// What is known of the other panels that share the database.
    others: Mutex<Others>,
    /// The revision that was last read; held while boxes and ticks are read or changed.
    reloading: tokio::sync::Mutex<i64>,
    /// Another panel changed something.
    at_once: AtomicBool,
    /// Wakes whoever looks for what was changed.
    told: Notify,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Sampler {
    /// A sampler that asks nobody yet: see [`Self::reload`] and [`Self::follow`].
    #[must_use]
    pub fn new(shared: Shared) -> Arc<Self> {
        Arc::new(Self {
            shared: Arc::new(shared),
            running: Mutex::default(),
            close_ups: Mutex::default(),
            others: Mutex::default(),
            reloading: tokio::sync::Mutex::new(-1),
            at_once: AtomicBool::new(false),
            told: Notify::new(),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
        })
    }

    /// Reads boxes, ticks and kinds again and starts, changes and stops tasks to match.
    ///
    /// # Errors
    /// When the store cannot be read: everything then stays as it is.
    pub async fn reload(&self) -> Result<(), StoreError> {
        let mut seen = self.reloading.lock().await;
        let revision = self.shared.store.revision().await?;
        let boxes = self.shared.store.boxes().await?;
        self.shared.board.pin(self.shared.store.pinned_sets().await?);
        let mut described = Vec::with_capacity(boxes.len());
        for stored in boxes {
            let rules = Rules::new(self.shared.store.ticks(stored.id).await?);
            let kinds = self.shared.store.kinds(stored.id).await?;
            described.push((stored, rules, kinds));
        }
        let definitions: Vec<Definition> = self.shared.store.derived().await?.iter().filter_map(Definition::of_stored).collect();
        let rules = self.shared.store.alert_rules().await?;
        let ids: Vec<i64> = described.iter().map(|(stored, ..)| stored.id).collect();
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.retain(|id, task| {
            let stays = ids.contains(id) && self.polls(*id);
            if !stays {
                task.stop.cancel();
            }
            stays
        });
        for (stored, rules, kinds) in described {
            self.shared.board.put(stored.clone(), rules, kinds);
            self.match_task(&mut running, stored);
        }
        drop(running);
        self.shared.board.keep_only(&ids);
        self.shared.watching.set_rules(rules.into_iter().filter_map(rule).collect(), &definitions);
        self.shared.board.define(definitions);
        self.shared.board.settle();
        *seen = revision;
        Ok(())
    }

    /// Holds back reloads: what is changed in the store and on the board meanwhile is not overtaken by an older reading.
    pub async fn hold(&self) -> tokio::sync::MutexGuard<'_, i64> {
        self.reloading.lock().await
    }

    /// Starts, restarts or stops the task of one box.
    fn match_task(&self, running: &mut HashMap<i64, Running>, stored: StoredBox) {
        let id = stored.id;
        let Some(generation) = self.shared.store.lease(id).filter(|_| self.polls(id)).or(stored.spec.paused.then_some(0)) else {
            // Another panel polls it.
            return;
        };
        let begin = match running.get_mut(&id) {
            Some(task) if task.generation == generation && same_polling(&task.stored, &stored) => {
                task.stored = stored;
                return;
            }
            Some(task) => {
                task.stop.cancel();
                Begin { idle_because: task.stored.spec.paused.then_some(PAUSED), moved: !task.stored.spec.is_same_server(&stored.spec) }
            }
            None if generation > 1 => Begin { idle_because: Some(OTHER_PANEL), moved: false },
            None => Begin { idle_because: Some(NOT_RUNNING), moved: false },
        };
        let stop = self.stop.child_token();
        let (asking, asked) = mpsc::channel(MAX_ASKS);
        let Some(entry) = self.shared.board.by_id(id) else { return };
        let ended = if stored.spec.paused {
            let shared = Arc::clone(&self.shared);
            self.tasks.spawn(async move { shared.show_last(&entry, id).await })
        } else {
            let task = Task::new(Arc::clone(&self.shared), entry, stored.clone(), begin, generation);
            let stop = stop.clone();
            self.tasks.spawn(async move { task.run(asked, stop).await })
        };
        running.insert(id, Running { stored, generation, stop, asking, ended });
    }

    /// Follows changes that other processes make, and keeps the store tidy, until the sampler is stopped.
    pub fn follow(self: &Arc<Self>) {
        let sampler = Arc::clone(self);
        self.tasks.spawn(async move {
            let mut turns = tokio::time::interval(REVISION_EVERY);
            let next = async |turns: &mut tokio::time::Interval| {
                tokio::select! {
                    _ = turns.tick() => {}
                    () = sampler.told.notified() => {}
                }
            };
            while !sampler.stopped_before(next(&mut turns)).await {
                sampler.reload_if_changed().await;
            }
        });
        let sampler = Arc::clone(self);
        self.tasks.spawn(async move {
            let mut changes = sampler.shared.store.changes();
            while !sampler.stopped_before(changes.next()).await {
                sampler.look_at_once();
                sampler.told.notify_one();
            }
        });
        self.share();
        let sampler = Arc::clone(self);
        self.tasks.spawn(async move {
            let mut turns = tokio::time::interval(TIDY_EVERY);
            while !sampler.stopped_before(turns.tick()).await {
                sampler.tidy().await;
            }
        });
    }

    async fn stopped_before(&self, turn: impl Future) -> bool {
        tokio::select! {
            () = self.stop.cancelled() => true,
            _ = turn => false,
        }
    }

    async fn tidy(&self) {
        let spool = self.shared.room.spool.clone();
        if let Err(error) = tokio::task::spawn_blocking(move || spool.sync()).await {
            tracing::error!(%error, "what waits for the database could not be written to the disk itself");
        }
        let store = &self.shared.store;
        loop {
            match store.seal_due(clock::now_ms()).await {
                Ok(true) if !self.stop.is_cancelled() => {}
                Ok(_) => break,
                Err(error) => {
                    tracing::error!(%error, "a head could not be sealed; it is tried again");
                    break;
                }
            }
        }
        if let Err(error) = store.merge_due(clock::now_ms()).await {
            tracing::error!(%error, "a day that is over could not be merged; it is tried again");
        }
        if let Err(error) = store.retain_due(clock::now_ms()).await {
            tracing::error!(%error, "what is older than it is kept could not be deleted; it is tried again");
        }
        self.give_back().await;
        store.probe_trouble().await;
        if let Err(error) = store.sync().await {
            tracing::error!(%error, "what is committed could not be written to the disk; it is tried again");
        }
    }

    async fn give_back(&self) {
        loop {
            match self.shared.store.give_back(clock::now_ms()).await {
                Ok(true) if !self.stop.is_cancelled() => {}
                Ok(_) => return,
                Err(error) => {
                    tracing::error!(%error, "the room of what was deleted could not be given back; it is tried again");
                    return;
                }
            }
        }
    }

    async fn reload_if_changed(&self) {
        let changed = match self.shared.store.revision().await {
            Ok(revision) => revision != *self.reloading.lock().await,
            Err(error) => {
                tracing::warn!(%error, "the database could not be asked for changes");
                false
            }
        };
        if changed && let Err(error) = self.reload().await {
            tracing::error!(%error, "changed boxes and ticks could not be read");
        }
    }

    /// Asks a box once, now; waits for the answer.
    ///
    /// # Errors
    /// A sentence: why there is no answer.
    pub async fn refresh(&self, box_id: i64) -> Refreshed {
        self.ask(box_id, Ask::Refresh).await
    }

    /// Has statistics of a box set to zero, and read again; `by` is who wants it. What is ticked is marked.
    ///
    /// # Errors
    /// A sentence: why the box gives no answer.
    pub async fn reset(&self, box_id: i64, names: Vec<String>, by: Arc<str>) -> Result<ResetDone, String> {
        self.ask(box_id, |tell| Ask::Reset { names, by, tell }).await
    }

    async fn ask<T>(&self, box_id: i64, ask: impl FnOnce(oneshot::Sender<Result<T, String>>) -> Ask) -> Result<T, String> {
        let asking = {
            let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(task) = running.get(&box_id) else {
                return Err(self.polled_at(box_id).map_or_else(
                    || "the box does not exist".to_owned(),
                    |url| format!("the panel at {url} polls this box: ask it there"),
                ));
            };
            if task.stored.spec.paused {
                return Err("the box is paused: resume it on the page Boxes".into());
            }
            task.asking.clone()
        };
        let (tell, told) = oneshot::channel();
        asking.try_send(ask(tell)).map_err(|_| "too many wait for it already: try again in a second")?;
        told.await.unwrap_or_else(|_| Err("the box was changed meanwhile: try again".into()))
    }

    /// Ends all tasks; the poll in flight is given up, and what was answered is recorded.
    pub async fn stop(&self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// What tasks share.
    #[must_use]
    pub fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }
}

/// A rule as answers take it; none, and it is said, where a newer Tickmark wrote what this one cannot read.
fn rule(stored: StoredRule) -> Option<(String, Rule)> {
    match serde_json::from_str(&stored.body) {
        Ok(rule) => Some((stored.name, rule)),
        Err(error) => {
            tracing::error!(name = stored.name, %error, "an alert cannot be read and is left out");
            None
        }
    }
}

/// Whether a changed box is still asked in the same way; else its task starts anew.
fn same_polling(before: &StoredBox, now: &StoredBox) -> bool {
    let (a, b) = (&before.spec, &now.spec);
    a.is_asked_like(b) && a.interval_ms == b.interval_ms && a.paused == b.paused
}
