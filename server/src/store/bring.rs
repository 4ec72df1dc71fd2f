//! Brings history of other programs in: samples in whatever order become sealed spans and chunks with their roll-ups, beside what was
//! recorded. It must not know how they were written.
//!
//! Samples wait in a spool, day by day. Of each day, what a series has already is left as it is; what lies within a chunk of its own, or at
//! the times of a span that is there, is added to that span; the rest becomes spans of its own, numbered from 0 downwards, which are read
//! where their time is. Each slice of a day is a transaction, so that an import that was killed is simply run again.

use std::collections::HashMap;

use app::model::Number;

use super::types::SeriesId;
use super::{DAY_MS, Store, StoreError};

mod add;
mod place;
mod spool;

use add::Adding;
use spool::Spool;

/// So many bytes wait in the spool's file before they must be brought in.
const SPOOL_BYTES: u64 = 1 << 30;

/// So many samples are sorted in memory at once: some 200 MB.
const SLICE_SAMPLES: u64 = 4 << 20;

/// A sample that is brought in: its series, its time in epoch milliseconds, its value; none where it was not known.
type Sample = (SeriesId, i64, Option<Number>);

/// Samples that wait to be brought in.
pub struct Incoming {
    spool: Spool,
    /// The place of each series in `series`, by box and name.
    places: HashMap<i64, HashMap<String, u32>>,
    series: Vec<(i64, String)>,
    most_bytes: u64,
}

/// What was brought in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Brought {
    /// Samples that were added.
    pub added: u64,
    /// Samples at instants that their series had already.
    pub known: u64,
}

impl std::ops::AddAssign for Brought {
    fn add_assign(&mut self, other: Self) {
        self.added += other.added;
        self.known += other.known;
    }
}

impl Incoming {
    /// None yet; they will wait in a file without a name, in the system's folder for such.
    ///
    /// # Errors
    /// [`StoreError::File`] when there can be no such file.
    pub fn new() -> Result<Self, StoreError> {
        Self::with_room_for(SPOOL_BYTES)
    }

    /// As [`Self::new`], with another bound.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn with_room_for(most_bytes: u64) -> Result<Self, StoreError> {
        Ok(Self { spool: Spool::new()?, places: HashMap::new(), series: Vec::new(), most_bytes })
    }

    /// Adds a sample of a box's statistic.
    ///
    /// # Errors
    /// [`StoreError::File`] when the spool cannot be written.
    pub fn push(&mut self, box_id: i64, name: &str, at_ms: i64, value: Option<Number>) -> Result<(), StoreError> {
        let places = self.places.entry(box_id).or_default();
        let place = match places.get(name) {
            Some(&place) => place,
            None => {
                let place = u32::try_from(self.series.len()).map_err(|_| StoreError::File("there are too many statistics".to_owned()))?;
                places.insert(name.to_owned(), place);
                self.series.push((box_id, name.to_owned()));
                place
            }
        };
        self.spool.push(box_id, place, at_ms, value)
    }

    /// Whether they must be brought in before more are added.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.spool.bytes() >= self.most_bytes
    }
}

impl Store {
    /// Brings all samples in that wait; nobody else may write meanwhile. `progress` is told how far it is, from 0 to 1. After an error, the
    /// same samples may be brought in again.
    ///
    /// # Errors
    /// When the database or the spool fails, or what is stored there already is damaged.
    pub async fn bring_in(&self, incoming: &mut Incoming, now_ms: i64, mut progress: impl FnMut(f64)) -> Result<Brought, StoreError> {
        let all = incoming.spool.samples().max(1);
        let series = self.series_of_incoming(&incoming.series).await?;
        let (mut brought, mut done, mut adding) = (Brought::default(), 0, None::<Adding<'_>>);
        for (box_id, day) in incoming.spool.days() {
            if adding.as_ref().is_none_or(|adding| adding.box_id != box_id) {
                if let Some(adding) = adding.take() {
                    adding.end(now_ms).await?;
                }
                adding = Some(Adding::begin(self, box_id).await?);
            }
            let Some(adding) = &mut adding else { continue };
            let samples = incoming.spool.samples_of(box_id, day);
            let slices = i64::try_from(samples.div_ceil(SLICE_SAMPLES)).unwrap_or(i64::MAX).clamp(1, DAY_MS);
            for slice in 0..slices {
                let within = day * DAY_MS + slice * DAY_MS / slices..day * DAY_MS + (slice + 1) * DAY_MS / slices;
                let samples = incoming.spool.read(box_id, day, within, &series)?;
                done += samples.len() as u64;
                brought += adding.add(samples).await?;
                #[expect(clippy::cast_precision_loss, reason = "it is only shown")]
                progress(done as f64 / all as f64);
            }
        }
        if let Some(adding) = adding {
            adding.end(now_ms).await?;
        }
        incoming.spool.clear()?;
        progress(1.0);
        Ok(brought)
    }

    async fn series_of_incoming(&self, named: &[(i64, String)]) -> Result<Vec<SeriesId>, StoreError> {
        let mut series = vec![SeriesId(0); named.len()];
        let mut boxes: HashMap<i64, Vec<usize>> = HashMap::new();
        named.iter().enumerate().for_each(|(place, (box_id, _))| boxes.entry(*box_id).or_default().push(place));
        for (box_id, places) in boxes {
            let names: Vec<&str> = places.iter().map(|&place| named[place].1.as_str()).collect();
            let ids = self.series_ids(box_id, &names).await?;
            places.iter().zip(ids).for_each(|(&place, id)| series[place] = id);
        }
        Ok(series)
    }
}
