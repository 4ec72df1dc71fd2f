//! Hands samples to the store in order, and says when they are committed.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use app::model::{Number, ResetCause};
use tokio::sync::watch;

use crate::{
    board::{Applied, Entry},
    store::{Mark, PollRecord, SeriesId, Store, StoreError, Trouble},
};

/// The numbers of series, by box and full name.
type Ids = HashMap<(i64, Arc<str>), SeriesId>;

/// Hands samples to the store. Cheap to clone.
#[derive(Clone)]
pub struct Recorder {
    store: Store,
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
    /// What happened to the whole box since the poll before.
    pub marks: Vec<ResetCause>,
    /// Counters that fell.
    pub dropped: Vec<Arc<str>>,
    /// When the box started, epoch milliseconds, where that is news.
    pub started_ms: Option<i64>,
}

impl Recording {
    /// What is ticked of the newest answer of a box. Ticked statistics that the box no longer names are recorded as unknown.
    #[must_use]
    pub fn of(now: &crate::board::BoxNow, at_ms: i64, applied: &Applied, lost: &[Arc<str>]) -> Self {
        let mut values: Vec<_> = now.ticked().into_iter().map(|(full, place)| (full, now.values[place].ok())).collect();
        values.extend(lost.iter().map(|full| (Arc::clone(full), None)));
        let dropped = applied.dropped.iter().filter(|full| now.rules.ticked(full)).cloned().collect();
        let interval_ms = i64::try_from(now.interval.as_millis()).unwrap_or(i64::MAX);
        let marks = applied.restarted.then_some(ResetCause::Restart).into_iter().collect();
        Self { box_id: now.stored.id, at_ms, interval_ms, values, marks, dropped, started_ms: None }
    }
}

impl Recorder {
    /// A recorder for a store.
    #[must_use]
    pub fn new(store: Store, board: Arc<crate::board::Board>) -> Self {
        Self { store, board, ids: Arc::default() }
    }

    /// What keeps the database from being written at this moment.
    #[must_use]
    pub fn trouble(&self) -> watch::Receiver<Option<Trouble>> {
        self.store.trouble()
    }

    /// Records what one poll brought and, once it is committed, tells watchers.
    ///
    /// # Errors
    /// When it is not recorded: whoever asked counts it, or tries again.
    pub async fn record(&self, entry: &Entry, recording: &Recording) -> Result<(), StoreError> {
        if recording.values.is_empty() && recording.marks.is_empty() && recording.started_ms.is_none() {
            return Ok(());
        }
        self.commit(recording).await?;
        if !recording.values.is_empty() {
            // Not the largest: a clock may have been set back.
            entry.lock().recorded_at_ms = Some(recording.at_ms);
            self.board.tell();
        }
        Ok(())
    }

    async fn commit(&self, recording: &Recording) -> Result<(), StoreError> {
        let &Recording { box_id, at_ms, interval_ms, started_ms, .. } = recording;
        self.learn_ids(box_id, recording.values.iter().map(|(full, _)| full).chain(&recording.dropped)).await?;
        let record = {
            let ids = self.ids.lock().unwrap_or_else(PoisonError::into_inner);
            let id = |full: &Arc<str>| ids.get(&(box_id, Arc::clone(full))).copied();
            let whole_box = recording.marks.iter().map(|&cause| Mark { series: None, at_ms, cause, by: None });
            let dropped = recording.dropped.iter().filter_map(id);
            let dropped = dropped.map(|series| Mark { series: Some(series), at_ms, cause: ResetCause::Drop, by: None });
            let marks = whole_box.chain(dropped).collect();
            let values = recording.values.iter().filter_map(|(full, value)| Some((id(full)?, *value))).collect();
            PollRecord { box_id, at_ms, interval_ms, values, marks, started_ms }
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

    /// Begins or extends a gap of a box.
    ///
    /// # Errors
    /// When it is not recorded.
    pub async fn gap(&self, box_id: i64, from_ms: i64, to_ms: i64, reason: &str) -> Result<(), StoreError> {
        self.store.record_gap(box_id, from_ms, to_ms, reason).await
    }

    /// Forgets the numbers of a box's series: its history was deleted.
    pub fn forget(&self, box_id: i64) {
        self.ids.lock().unwrap_or_else(PoisonError::into_inner).retain(|(of, _), _| *of != box_id);
    }
}
