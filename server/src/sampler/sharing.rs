//! Sharing the boxes with other panels of the same database: takes this panel's turns, starts and ends the tasks that follow from them,
//! tells the others what its boxes show, and shows what theirs do. Knows no SQL.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, PoisonError, atomic::Ordering},
    time::Duration,
};

use super::{Sampler, relay};
use crate::{
    config::BUILTIN_BOX,
    store::{StoreError, Turn},
};

/// How often the others are told what this panel's boxes show, and it is looked at what theirs do.
const RELAY_EVERY: Duration = Duration::from_millis(500);
/// A turn comes every so many of these, or at once when something was changed.
const RELAYS_PER_TURN: u32 = 2;

/// What is known of the other panels.
#[derive(Default)]
pub(super) struct Others {
    turn: Turn,
    /// Boxes that are on their way to other panels: not polled any more, and not released yet.
    leaving: BTreeSet<i64>,
    told: HashMap<i64, relay::Told>,
    seen: HashMap<i64, relay::Seen>,
}

impl Sampler {
    /// Takes the first turn, so that boxes are polled from the start on.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn join(&self) -> Result<(), StoreError> {
        let turn = self.shared.store.take_turn(&self.shared.name).await?;
        self.lock_others().turn = turn;
        self.follow_pushed().await
    }

    /// Takes leave of the other panels: their turn comes at once.
    pub async fn leave(&self) {
        if let Err(error) = self.shared.store.leave().await {
            tracing::warn!(%error, "the other panels could not be told of the end: they find out by themselves");
        }
    }

    /// Whether this panel polls a box.
    pub(super) fn polls(&self, box_id: i64) -> bool {
        self.shared.store.lease(box_id).is_some() && !self.lock_others().leaving.contains(&box_id)
    }

    /// Where people find the other panel that polls a box.
    pub(super) fn polled_at(&self, box_id: i64) -> Option<String> {
        let others = self.lock_others();
        let panel = others.turn.polled_by.get(&box_id)?;
        others.turn.panels.iter().find(|one| one.id == *panel).map(|one| one.url.clone())
    }

    /// Takes turns and relays until the sampler is stopped, where the database is shared at all.
    pub(super) fn share(self: &Arc<Self>) {
        if !self.shared.store.is_shared() {
            return;
        }
        let sampler = Arc::clone(self);
        self.tasks.spawn(async move {
            let mut turns = tokio::time::interval(RELAY_EVERY);
            turns.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            let mut relays = 0_u32;
            while !sampler.stopped_before(turns.tick()).await {
                let at_once = sampler.at_once.swap(false, Ordering::Relaxed);
                if at_once || relays.is_multiple_of(RELAYS_PER_TURN) {
                    sampler.turn().await;
                }
                relays = relays.wrapping_add(1);
                sampler.relay().await;
            }
        });
    }

    /// Something was changed by another panel: the next turn does not wait.
    pub(super) fn look_at_once(&self) {
        self.at_once.store(true, Ordering::Relaxed);
    }

    async fn turn(self: &Arc<Self>) {
        let turn = match self.shared.store.take_turn(&self.shared.name).await {
            Ok(turn) => turn,
            Err(error) => {
                tracing::debug!(%error, "no turn could be taken");
                return;
            }
        };
        let surplus = turn.surplus.clone();
        let is_new = {
            let mut others = self.lock_others();
            others.leaving.retain(|box_id| turn.held.contains_key(box_id));
            let is_new = others.turn.held != turn.held || others.turn.polled_by != turn.polled_by;
            others.turn = turn;
            is_new
        };
        if is_new {
            if let Err(error) = self.follow_pushed().await {
                tracing::error!(%error, "what scripts pushed could not be taken up; it is tried again");
                // So that it is news again.
                self.lock_others().turn = Turn::default();
            }
            if let Err(error) = self.reload().await {
                tracing::error!(%error, "boxes that changed hands could not be read; it is tried again");
                self.lock_others().turn = Turn::default();
            }
        }
        if !surplus.is_empty() {
            self.give(surplus).await;
        }
    }

    /// Ends the tasks of boxes, and releases them once nothing of them waits.
    async fn give(self: &Arc<Self>, boxes: Vec<i64>) {
        let boxes: Vec<i64> = boxes.into_iter().filter(|&box_id| self.lock_others().leaving.insert(box_id)).collect();
        if boxes.is_empty() {
            return;
        }
        let mut ends = Vec::new();
        {
            let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
            for task in boxes.iter().filter_map(|box_id| running.remove(box_id)) {
                task.stop.cancel();
                ends.push(task.ended);
            }
        }
        let sampler = Arc::clone(self);
        // A store that cannot be written must not hold up the turns: without them all boxes are lost.
        self.tasks.spawn(async move {
            futures::future::join_all(ends).await;
            let engine = &sampler.shared.engine;
            let builtin = sampler.shared.board.find(BUILTIN_BOX).map(|entry| entry.lock().stored.id);
            let done = async {
                if builtin.is_some_and(|id| boxes.contains(&id)) {
                    engine.keep(&sampler.shared.store).await?;
                    engine.leave_pushed_to("another address");
                }
                sampler.shared.store.release(&boxes).await
            };
            if let Err(error) = done.await {
                tracing::warn!(%error, "boxes could not be left to another panel; it is tried again");
            }
            let mut others = sampler.lock_others();
            others.leaving.retain(|box_id| !boxes.contains(box_id));
        });
    }

    /// What is pushed is counted by the panel that polls the built-in box.
    async fn follow_pushed(&self) -> Result<(), StoreError> {
        let shared = &self.shared;
        let Some(builtin) = shared.store.boxes().await?.into_iter().find(|one| one.spec.name == BUILTIN_BOX) else { return Ok(()) };
        if self.polls(builtin.id) {
            if !shared.engine.counts_pushed() {
                shared.engine.take_up_pushed(&shared.store).await?;
            }
        } else {
            let url = self.polled_at(builtin.id).unwrap_or_else(|| "another address".to_owned());
            shared.engine.leave_pushed_to(&url);
        }
        Ok(())
    }

    async fn relay(&self) {
        let is_alone = self.lock_others().turn.panels.len() < 2;
        let all = self.shared.board.all().into_iter().map(|entry| entry.lock().stored.id);
        let foreign: BTreeSet<i64> = all.filter(|&box_id| !self.polls(box_id)).collect();
        let done = async {
            if !is_alone {
                self.tell_others().await?;
            }
            if !foreign.is_empty() {
                self.show_others(&foreign).await?;
            }
            Ok::<_, StoreError>(())
        };
        if let Err(error) = done.await {
            tracing::debug!(%error, "what boxes show could not be passed on");
        }
    }

    async fn tell_others(&self) -> Result<(), StoreError> {
        let mut news = Vec::new();
        {
            let mut others = self.lock_others();
            let Others { turn, told, .. } = &mut *others;
            told.retain(|box_id, _| turn.held.contains_key(box_id));
            for (&box_id, &generation) in &turn.held {
                let Some(entry) = self.shared.board.by_id(box_id) else { continue };
                let told = told.entry(box_id).or_insert_with(|| relay::Told::new(generation));
                let now = entry.lock();
                news.extend(told.news(&now));
            }
        }
        if news.is_empty() {
            return Ok(());
        }
        let outcome = self.shared.store.tell_live(&news).await;
        if outcome.is_err() {
            // All of it is told again.
            self.lock_others().told.clear();
        }
        outcome
    }

    async fn show_others(&self, foreign: &BTreeSet<i64>) -> Result<(), StoreError> {
        let versions = {
            let mut others = self.lock_others();
            others.seen.retain(|box_id, _| foreign.contains(box_id));
            others.seen.iter().map(|(&box_id, seen)| (box_id, seen.versions())).collect()
        };
        let news = self.shared.store.live(foreign, &versions).await?;
        let mut is_new = false;
        if !news.is_empty() {
            self.shared.board.look_around();
        }
        for live in news {
            // It may have come to this panel meanwhile.
            if self.polls(live.box_id) {
                continue;
            }
            if let Some(entry) = self.shared.board.by_id(live.box_id) {
                let mut others = self.lock_others();
                let seen = others.seen.entry(live.box_id).or_default();
                is_new |= seen.show(&live, &mut entry.lock());
            }
        }
        if is_new {
            self.shared.board.tell();
        }
        Ok(())
    }

    fn lock_others(&self) -> std::sync::MutexGuard<'_, Others> {
        self.others.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
