//! Which boxes exist, what each last answered and when, and what is ticked. Pages read it; it asks nobody and knows no SQL.
//!
//! Watchers are told that something is new, not what: each compares with what it has seen, so that a slow one skips to the
//! newest instead of queueing.

mod around;
mod chosen;
mod derived;
mod layout;
mod now;
mod order;
mod patterns;
mod rates;
mod recent;
mod relayout;
mod rules;
mod sparks;
mod view;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
};

use tokio::sync::watch;

pub use around::Tried;
pub use chosen::{Chosen, ChosenNumber};
pub use derived::{Definition, Derived, Wants, full_name, input_words, reason, unbound_reason};
pub use layout::{Kinds, Layout, Slot};
pub use now::{Applied, BoxNow, Polls, ResetHere};
pub use order::by_name;
pub use rates::{MAX_GAP_INTERVALS, Moment, RESTART_TOLERANCE};
pub use recent::{MAX_RECENT, Recent};
pub use rules::{RuleError, Rules};
pub use sparks::{SPARK_POINTS, Sparks};
pub use view::Picture;

use crate::store::StoredBox;

/// One box on the board. Locks are held for microseconds and never across an await.
pub struct Entry {
    now: Mutex<BoxNow>,
}

impl Entry {
    /// A box that is on no board.
    #[must_use]
    pub fn new(now: BoxNow) -> Self {
        Self { now: Mutex::new(now) }
    }

    /// What is known of the box, to read or change at once.
    pub fn lock(&self) -> MutexGuard<'_, BoxNow> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// All boxes.
pub struct Board {
    boxes: RwLock<BTreeMap<i64, Arc<Entry>>>,
    default_interval_ms: i64,
    derived: Mutex<around::DerivedState>,
    /// The chart sets that the start page leads to, by name.
    pinned: RwLock<Arc<[String]>>,
    version: watch::Sender<u64>,
}

impl Board {
    /// An empty board.
    #[must_use]
    pub fn new(default_interval_ms: i64) -> Self {
        Self {
            boxes: RwLock::default(),
            default_interval_ms,
            derived: Mutex::default(),
            pinned: RwLock::default(),
            version: watch::Sender::new(0),
        }
    }

    /// The interval of boxes that name none, in milliseconds.
    #[must_use]
    pub fn default_interval_ms(&self) -> i64 {
        self.default_interval_ms
    }

    /// Every box, in the order of their numbers.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<Entry>> {
        self.boxes.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// A box by its number.
    #[must_use]
    pub fn by_id(&self, id: i64) -> Option<Arc<Entry>> {
        self.boxes.read().unwrap_or_else(PoisonError::into_inner).get(&id).cloned()
    }

    /// A box by its name or its number, as URLs name it.
    #[must_use]
    pub fn find(&self, name_or_id: &str) -> Option<Arc<Entry>> {
        let by_id = name_or_id.parse().ok().and_then(|id| self.by_id(id));
        by_id.or_else(|| self.all().into_iter().find(|entry| entry.lock().stored.spec.name == name_or_id))
    }

    /// Puts a box on the board, or takes its changed description.
    pub fn put(&self, stored: StoredBox, rules: Rules, corrected: Vec<(String, app::model::Kind)>) {
        let mut boxes = self.boxes.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = boxes.get(&stored.id) {
            entry.lock().redescribe(stored, rules, corrected, self.default_interval_ms);
        } else {
            let now = BoxNow::new(stored, rules, corrected, self.default_interval_ms);
            boxes.insert(now.stored.id, Arc::new(Entry::new(now)));
        }
        drop(boxes);
        self.tell();
    }

    /// Takes the boxes off the board that are not among `ids`.
    pub fn keep_only(&self, ids: &[i64]) {
        self.boxes.write().unwrap_or_else(PoisonError::into_inner).retain(|id, _| ids.contains(id));
        self.tell();
    }

    /// The chart sets that the start page leads to.
    #[must_use]
    pub fn pinned(&self) -> Arc<[String]> {
        Arc::clone(&self.pinned.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes them.
    pub fn pin(&self, sets: Vec<String>) {
        *self.pinned.write().unwrap_or_else(PoisonError::into_inner) = sets.into();
    }

    /// Tells watchers that something is new.
    pub fn tell(&self) {
        self.version.send_modify(|version| *version += 1);
    }

    /// Wakes whenever something is new.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.version.subscribe()
    }
}
