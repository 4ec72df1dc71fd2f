//! Hands samples to the store in order, and says when they are committed.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
};

use app::model::{Number, ResetCause};
use tokio::sync::watch;

use crate::{
    alerts::{Alerts, LateBox, LatePoll},
    board::{Applied, Entry},
    store::{Mark, PollRecord, SeriesId, Store, StoreError, Trouble},
};

/// So many series a box may have in the database, all that it ever had; further ones are not recorded, and it is said. A server
/// that names its statistics anew at each poll would fill any disk otherwise.
const MAX_SERIES: usize = 200_000;
/// The names of all series of a box have so many bytes at most.
const MAX_SERIES_BYTES: usize = 32 << 20;
/// So many marks of counters that fell are kept of one poll. Where more fell at once, the samples themselves show it.
const MAX_DROP_MARKS: usize = 256;

/// Names in the order of a recording, and the number of each.
type Names = (Arc<[Arc<str>]>, Arc<[Option<SeriesId>]>);

/// The numbers of the series of a box, by full name.
#[derive(Default)]
struct Known {
    ids: HashMap<Arc<str>, SeriesId>,
    name_bytes: usize,
    /// The names that were recorded last, and their numbers.
    last: Option<Names>,
}

impl Known {
    fn learn(&mut self, full: Arc<str>, id: SeriesId) {
        let bytes = full.len();
        if self.ids.insert(full, id).is_none() {
            self.name_bytes += bytes;
        }
    }

    /// Those of `names` that there is room for.
    fn room_for(&self, names: Vec<Arc<str>>) -> Vec<Arc<str>> {
        let (mut count, mut bytes) = (self.ids.len(), self.name_bytes);
        let fits = |full: &Arc<str>| {
            count += 1;
            bytes += full.len();
            count <= MAX_SERIES && bytes <= MAX_SERIES_BYTES
        };
        names.into_iter().take_while(fits).collect()
    }
}

/// Hands samples to the store. Cheap to clone.
#[derive(Clone)]
pub struct Recorder {
    store: Store,
    board: Arc<crate::board::Board>,
    known: Arc<Mutex<HashMap<i64, Known>>>,
    /// What is told of polls that come late.
    alerts: Option<Arc<Alerts>>,
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
    /// Full names; the very same as the poll before when they are.
    pub names: Arc<[Arc<str>]>,
    /// A value each.
    pub values: Vec<Option<Number>>,
    /// What happened to the whole box since the poll before.
    pub marks: Vec<ResetCause>,
    /// Counters that fell; they are among the names.
    pub dropped: Vec<Arc<str>>,
    /// Statistics that began anew, where not all of the box did.
    pub anew: Vec<Anew>,
    /// When the box started, epoch milliseconds, where that is news.
    pub started_ms: Option<i64>,
    /// The generation of the lease in which the box was polled, where panels share the database.
    pub generation: Option<i64>,
}

/// A statistic that began anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anew {
    /// Its full name.
    pub full: Arc<str>,
    /// Why.
    pub cause: ResetCause,
    /// Who did it, where somebody did.
    pub by: Option<Arc<str>>,
}

impl Recording {
    /// What is ticked of the newest answer of a box. `names` are the ticked ones, then ticked ones that the box no longer names: these
    /// are recorded as unknown.
    #[must_use]
    pub fn of(now: &crate::board::BoxNow, at_ms: i64, applied: &Applied, names: &Arc<[Arc<str>]>) -> Self {
        let mut values = Vec::with_capacity(names.len());
        values.extend(now.ticked().map(|(_, place)| now.values[place].ok()));
        values.resize(names.len(), None);
        let dropped = applied.dropped.iter().filter(|full| now.layout.records(full)).take(MAX_DROP_MARKS).cloned().collect();
        let interval_ms = now.interval_ms();
        let mut marks = Vec::new();
        let reset = applied.reset.iter().filter(|(full, _)| now.layout.records(full));
        let reset = reset.map(|(full, by)| Anew { full: Arc::clone(full), cause: ResetCause::Person, by: by.clone() });
        let mut anew: Vec<_> = reset.collect();
        if applied.restarted && now.is_builtin() {
            let restarted = now.layout.asked.iter().zip(&now.layout.slots).filter(|(_, slot)| slot.ticked && !slot.survives);
            anew.extend(restarted.map(|(full, _)| Anew { full: Arc::clone(full), cause: ResetCause::Restart, by: None }));
        } else if applied.restarted {
            marks.push(ResetCause::Restart);
        } else if applied.is_other {
            marks.push(ResetCause::Moved);
        }
        Self {
            box_id: now.stored.id,
            at_ms,
            interval_ms,
            names: Arc::clone(names),
            values,
            marks,
            dropped,
            anew,
            started_ms: None,
            generation: None,
        }
    }
}

impl Recorder {
    /// A recorder for a store.
    #[must_use]
    pub fn new(store: Store, board: Arc<crate::board::Board>) -> Self {
        Self { store, board, known: Arc::default(), alerts: None }
    }

    /// One that tells alerts of polls that come late.
    #[must_use]
    pub fn telling(self, alerts: Arc<Alerts>) -> Self {
        Self { alerts: Some(alerts), ..self }
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
        let unrecorded = self.commit(recording).await?.map(unrecorded);
        if !recording.values.is_empty() {
            let mut now = entry.lock();
            // Not the largest: a clock may have been set back.
            now.recorded_at_ms = Some(recording.at_ms);
            if now.unrecorded != unrecorded {
                now.unrecorded = unrecorded;
                now.changes += 1;
            }
            drop(now);
            self.board.tell();
        }
        Ok(())
    }

    /// Records what was polled before another panel took the box. Says whether that can be done already.
    ///
    /// # Errors
    /// When it is not recorded.
    pub async fn record_late(&self, recordings: &[&Recording]) -> Result<bool, StoreError> {
        let mut polls = Vec::with_capacity(recordings.len());
        for recording in recordings {
            polls.push(self.by_number(recording).await?.0);
        }
        self.store.record_late(polls).await
    }

    /// Puts the rules of alerts to polls that are recorded late by now, those of a box in their order. `goes_on`: this panel polls the boxes
    /// from there on, and did not begin. The same polls may come again.
    ///
    /// # Errors
    /// When it is worth another try.
    pub async fn judge_late(&self, recordings: &[&Recording], goes_on: bool) -> Result<(), StoreError> {
        let Some(alerts) = &self.alerts else { return Ok(()) };
        let mut late: BTreeMap<i64, Vec<LatePoll<'_>>> = BTreeMap::new();
        for Recording { box_id, at_ms, started_ms, names, values, .. } in recordings {
            late.entry(*box_id).or_default().push(LatePoll { at_ms: *at_ms, started_ms: *started_ms, names, values });
        }
        let late: Vec<LateBox<'_>> = late.into_iter().map(|(box_id, polls)| LateBox { box_id, polls }).collect();
        match alerts.judge_late(&late, goes_on).await {
            Err(error @ (StoreError::Unwritable(_) | StoreError::Full)) => Err(error),
            Err(error) => {
                // They are recorded, which is more.
                tracing::error!(boxes = late.len(), %error, "alerts could not be put to polls that came late");
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    /// Answers how many values there was no room for, if any.
    async fn commit(&self, recording: &Recording) -> Result<Option<usize>, StoreError> {
        let (record, refused) = self.by_number(recording).await?;
        self.store.record(record).await?;
        Ok((refused > 0).then_some(refused))
    }

    /// A recording with the numbers of its series, and how many values there is no room for.
    async fn by_number(&self, recording: &Recording) -> Result<(PollRecord, usize), StoreError> {
        let &Recording { box_id, at_ms, interval_ms, started_ms, generation, .. } = recording;
        let ids = self.ids(recording).await?;
        let numbered = {
            let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            let id = |full: &Arc<str>| known.get(&box_id)?.ids.get(full).copied();
            let whole_box = recording.marks.iter().map(|&cause| Mark { series: None, at_ms, cause, by: None });
            let of_series = recording.dropped.iter().map(|full| (full, ResetCause::Drop, None));
            let of_series = of_series.chain(recording.anew.iter().map(|anew| (&anew.full, anew.cause, anew.by.as_deref())));
            let of_series =
                of_series.filter_map(|(full, cause, by)| Some(Mark { series: Some(id(full)?), at_ms, cause, by: by.map(str::to_owned) }));
            let marks = whole_box.chain(of_series).collect();
            let values: Vec<_> = ids.iter().zip(&recording.values).filter_map(|(id, value)| Some(((*id)?, *value))).collect();
            let refused = recording.values.len() - values.len();
            (PollRecord { box_id, at_ms, interval_ms, values, marks, started_ms, generation }, refused)
        };
        Ok(numbered)
    }

    /// The numbers of the names of a recording, which are mostly those of the recording before; none where there is no room.
    async fn ids(&self, recording: &Recording) -> Result<Arc<[Option<SeriesId>]>, StoreError> {
        let box_id = recording.box_id;
        {
            let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            let last = known.get(&box_id).and_then(|of_box| of_box.last.as_ref());
            if let Some((_, ids)) = last.filter(|(names, _)| Arc::ptr_eq(names, &recording.names)) {
                return Ok(Arc::clone(ids));
            }
        }
        self.learn_ids(box_id, &recording.names).await?;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let of_box = known.entry(box_id).or_default();
        let ids: Arc<[Option<SeriesId>]> = recording.names.iter().map(|full| of_box.ids.get(full).copied()).collect();
        of_box.last = Some((Arc::clone(&recording.names), Arc::clone(&ids)));
        Ok(ids)
    }

    /// Finds the numbers of names, and makes those that are new, as long as there is room.
    async fn learn_ids(&self, box_id: i64, names: &[Arc<str>]) -> Result<(), StoreError> {
        let is_known = {
            let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            known.contains_key(&box_id)
        };
        if !is_known {
            // All at once, so that names beyond the bound are never looked for again.
            let all = self.store.series_of(box_id).await?;
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            let of_box = known.entry(box_id).or_default();
            all.into_iter().for_each(|(id, full)| of_box.learn(full.into(), id));
        }
        let missing = {
            let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(of_box) = known.get(&box_id) else { return Ok(()) };
            of_box.room_for(names.iter().filter(|full| !of_box.ids.contains_key(*full)).cloned().collect())
        };
        if missing.is_empty() {
            return Ok(());
        }
        let names: Vec<&str> = missing.iter().map(AsRef::as_ref).collect();
        let found = self.store.series_ids(box_id, &names).await?;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let of_box = known.entry(box_id).or_default();
        missing.into_iter().zip(found).for_each(|(full, id)| of_box.learn(full, id));
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
        self.known.lock().unwrap_or_else(PoisonError::into_inner).remove(&box_id);
    }
}

fn unrecorded(refused: usize) -> String {
    format!(
        "{refused} ticked statistics are not recorded: this box had {MAX_SERIES} different ones already, or their names are too long; \
         untick those that come and go, or remove the box with its history and add it anew"
    )
}
