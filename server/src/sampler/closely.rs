//! Looking closely: some groups of a box are asked far more often than it is recorded, over a connection of their own, as long as
//! somebody looks. The recording knows nothing of it.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, Weak},
    time::{Duration, Instant},
};

use tokio::{sync::watch, time::MissedTickBehavior};

use super::{Sampler, Shared};
use crate::{
    board::{Entry, MAX_GAP_INTERVALS},
    clock,
    source::{Answer, Source},
    store::StoredBox,
};

/// So many statistics are looked at closely by one page at most.
pub const MAX_CLOSELY: usize = 500;
/// So many different looks there are at once; others who want the same share one.
const MAX_CLOSE_UPS: usize = 32;

/// The looks there are: at which box, how often, at which groups.
pub(super) type CloseUps = HashMap<(i64, Duration, Vec<String>), Weak<CloseUp>>;

/// A box as it is looked at closely. It is asked until nobody holds this any more.
pub struct CloseUp {
    /// The box, with the values that are asked here.
    pub entry: Entry,
    version: watch::Sender<u64>,
}

impl CloseUp {
    /// Wakes whenever something is new.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.version.subscribe()
    }
}

impl Sampler {
    /// Looks closely at groups of a box, with others who do; none: too many others look at something else.
    #[must_use]
    pub fn look_closely(self: &Arc<Self>, entry: &Arc<Entry>, groups: Vec<String>, every: Duration) -> Option<Arc<CloseUp>> {
        let mut all = self.close_ups.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, close_up| close_up.strong_count() > 0);
        let key = (entry.lock().stored.id, every, groups);
        if let Some(close_up) = all.get(&key).and_then(Weak::upgrade) {
            return Some(close_up);
        }
        if all.len() >= MAX_CLOSE_UPS {
            return None;
        }
        let close_up = Arc::new(CloseUp { entry: Entry::new(entry.lock().closely(every)), version: watch::Sender::new(0) });
        let looking = Looking {
            shared: Arc::clone(&self.shared),
            entry: Arc::clone(entry),
            close_up: Arc::downgrade(&close_up),
            groups: key.2.clone(),
            every,
            source: None,
        };
        all.insert(key, Arc::downgrade(&close_up));
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = looking.run() => {}
            }
        });
        Some(close_up)
    }
}

/// The task of one look.
struct Looking {
    shared: Arc<Shared>,
    /// The box as it is recorded.
    entry: Arc<Entry>,
    close_up: Weak<CloseUp>,
    groups: Vec<String>,
    every: Duration,
    source: Option<Source>,
}

impl Looking {
    async fn run(mut self) {
        let mut turns = tokio::time::interval(self.every);
        turns.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            turns.tick().await;
            let Some(close_up) = self.close_up.upgrade() else { return };
            let Some(stored) = self.follow(&close_up) else { continue };
            // What is told meanwhile is told to whoever still looks: holding it would ask a box for nobody.
            drop(close_up);
            let sent = Instant::now();
            let answer = self.ask(&stored).await;
            let Some(close_up) = self.close_up.upgrade() else { return };
            {
                let mut now = close_up.entry.lock();
                match answer {
                    Ok(answer) => drop(now.apply(&answer, None, sent + answer.took / 2)),
                    Err(reason) => now.fail(reason),
                }
            }
            close_up.version.send_modify(|version| *version += 1);
        }
    }

    /// Takes over what has changed of the box; none: it is not to be asked.
    fn follow(&mut self, close_up: &CloseUp) -> Option<StoredBox> {
        let recorded = self.entry.lock();
        let mut now = close_up.entry.lock();
        if !now.is_close_up_of(&recorded) {
            let (answers, changes) = (now.answers, now.changes + 1);
            *now = recorded.closely(self.every);
            (now.answers, now.changes) = (answers, changes);
            self.source = None;
        }
        (!recorded.stored.spec.paused).then(|| recorded.stored.clone())
    }

    async fn ask(&mut self, stored: &StoredBox) -> Result<Answer, String> {
        if stored.spec.kind == app::model::BoxKind::Tickmark {
            return Ok(self.shared.engine.picture(Instant::now(), clock::now_ms()));
        }
        let source = match &mut self.source {
            Some(source) => source,
            none => none.insert(self.shared.source(stored, self.every.saturating_mul(MAX_GAP_INTERVALS))?),
        };
        source.poll_groups(&self.groups).await.map_err(|error| error.to_string())
    }
}
