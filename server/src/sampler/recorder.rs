//! Hands samples to the store in order, and says when they are committed.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use app::model::{Number, ResetCause};

use crate::{
    board::{Applied, Entry},
    engine::Engine,
    store::{Mark, PollRecord, SeriesId, Store, StoreError},
};

/// The numbers of series, by box and full name.
type Ids = HashMap<(i64, Arc<str>), SeriesId>;

/// Hands samples to the store. Cheap to clone.
#[derive(Clone)]
pub struct Recorder {
    store: Store,
    engine: Arc<Engine>,
    board: Arc<crate::board::Board>,
    ids: Arc<Mutex<Ids>>,
}

/// What is to be recorded of one poll, by name.
#[derive(Clone, Debug)]
pub struct Recording {
    /// The box.
    pub box_id: i64,
    /// The poll's time, epoch milliseconds.
    pub at_ms: i64,
    /// The interval, milliseconds.
    pub interval_ms: i64,
    /// Names and values.
    pub values: Vec<(Arc<str>, Option<Number>)>,
    /// The box restarted.
    pub restarted: bool,
    /// Counters that fell.
    pub dropped: Vec<Arc<str>>,
}

impl Recording {
    /// What is ticked of the newest answer of a box. Ticked statistics that the box no longer names are recorded as unknown.
    #[must_use]
    pub fn of(now: &crate::board::BoxNow, at_ms: i64, applied: &Applied, lost: &[Arc<str>]) -> Self {
        let mut values: Vec<_> = now.ticked().into_iter().map(|(full, place)| (full, now.values[place].ok())).collect();
        values.extend(lost.iter().map(|full| (Arc::clone(full), None)));
        let dropped = applied.dropped.iter().filter(|full| now.rules.ticked(full)).cloned().collect();
        let interval_ms = i64::try_from(now.interval.as_millis()).unwrap_or(i64::MAX);
        Self { box_id: now.stored.id, at_ms, interval_ms, values, restarted: applied.restarted, dropped }
    }
}

impl Recorder {
    /// A recorder for a store.
    #[must_use]
    pub fn new(store: Store, engine: Arc<Engine>, board: Arc<crate::board::Board>) -> Self {
        Self { store, engine, board, ids: Arc::default() }
    }

    /// Records what one poll brought and, once it is committed, tells watchers.
    ///
    /// # Errors
    /// When it is not recorded; this is counted and logged here.
    pub async fn record(&self, entry: &Entry, recording: Recording) -> Result<(), StoreError> {
        if recording.values.is_empty() && !recording.restarted {
            return Ok(());
        }
        let (box_id, at_ms, samples) = (recording.box_id, recording.at_ms, recording.values.len());
        let done = self.commit(recording).await;
        match &done {
            Ok(()) => {
                let mut now = entry.lock();
                now.recorded_at_ms = now.recorded_at_ms.max(Some(at_ms));
                drop(now);
                self.board.tell();
            }
            Err(error) => {
                self.engine.counts.polls_lost.count();
                tracing::error!(box_id, at_ms, samples, %error, "samples could not be recorded");
            }
        }
        done
    }

    async fn commit(&self, recording: Recording) -> Result<(), StoreError> {
        let Recording { box_id, at_ms, interval_ms, values, restarted, dropped } = recording;
        self.learn_ids(box_id, values.iter().map(|(full, _)| full).chain(&dropped)).await?;
        let record = {
            let ids = self.ids.lock().unwrap_or_else(PoisonError::into_inner);
            let id = |full: &Arc<str>| ids.get(&(box_id, Arc::clone(full))).copied();
            let mut marks: Vec<Mark> = Vec::new();
            if restarted {
                marks.push(Mark { series: None, at_ms, cause: ResetCause::Restart, by: None });
            }
            marks
                .extend(dropped.iter().filter_map(|full| Some(Mark { series: Some(id(full)?), at_ms, cause: ResetCause::Drop, by: None })));
            let values = values.iter().filter_map(|(full, value)| Some((id(full)?, *value))).collect();
            PollRecord { box_id, at_ms, interval_ms, values, marks }
        };
        self.store.record(record).await
    }

    async fn learn_ids<'a>(&self, box_id: i64, names: impl Iterator<Item = &'a Arc<str>>) -> Result<(), StoreError> {
        let missing: Vec<Arc<str>> = {
            let ids = self.ids.lock().unwrap_or_else(PoisonError::into_inner);
            names.filter(|full| !ids.contains_key(&(box_id, Arc::clone(full)))).cloned().collect()
        };
        if missing.is_empty() {
            return Ok(());
        }
        let names: Vec<&str> = missing.iter().map(AsRef::as_ref).collect();
        let found = self.store.series_ids(box_id, &names).await?;
        let mut ids = self.ids.lock().unwrap_or_else(PoisonError::into_inner);
        ids.extend(missing.into_iter().map(|full| (box_id, full)).zip(found));
        Ok(())
    }

    /// Begins or extends a gap of a box; a failure is logged here.
    pub async fn gap(&self, box_id: i64, from_ms: i64, to_ms: i64, reason: &str) {
        if let Err(error) = self.store.record_gap(box_id, from_ms, to_ms, reason).await {
            tracing::error!(box_id, from_ms, to_ms, reason, %error, "a gap could not be recorded");
        }
    }

    /// Forgets the numbers of a box's series: its history was deleted.
    pub fn forget(&self, box_id: i64) {
        self.ids.lock().unwrap_or_else(PoisonError::into_inner).retain(|(of, _), _| *of != box_id);
    }
}
