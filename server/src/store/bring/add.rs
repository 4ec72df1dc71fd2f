//! Adds a slice of a day to what is stored of a box, in one transaction.

use std::collections::{BTreeMap, HashMap};

use super::super::bytes::Damage;
use super::super::chunk::{Column, Times};
use super::super::marks::Marks;
use super::super::merge::{MAX_MERGED_POLLS, delete_tiers};
use super::super::seal::{MAX_SPAN_MS, Sealed, Sealing, insert_sealed};
use super::super::tier::Tier;
use super::super::types::SeriesId;
use super::super::{DAY_MS, Store, StoreError};
use super::place::{Held, Key, Run, Span, column, joined, place, rhythm};
use super::{Brought, Sample};

/// A chunk as it is stored: series, tier, start, number, end, payload.
type ChunkRow = (i64, i64, i64, i64, i64, Vec<u8>);

/// A box that history is brought in of.
pub(super) struct Adding<'a> {
    store: &'a Store,
    pub(super) box_id: i64,
    /// The lowest number of its spans.
    lowest: i64,
    last_day_ms: Option<i64>,
}

impl<'a> Adding<'a> {
    /// Seals what is not yet, so that all that is there is in spans.
    pub(super) async fn begin(store: &'a Store, box_id: i64) -> Result<Self, StoreError> {
        store.seal_box(box_id).await?;
        let lowest = sqlx::query_scalar("select min(seq) from span where box_id = $1").bind(box_id);
        let lowest: Option<i64> = lowest.fetch_one(&store.inner.read).await?;
        Ok(Self { store, box_id, lowest: lowest.unwrap_or(1).min(1), last_day_ms: None })
    }

    /// A box of which nothing was recorded yet is merged up to here: there is nothing that would have to be.
    pub(super) async fn end(self, now_ms: i64) -> Result<(), StoreError> {
        let Some(last_day_ms) = self.last_day_ms else { return Ok(()) };
        let merged_ms = last_day_ms.saturating_add(DAY_MS).min(now_ms - now_ms.rem_euclid(DAY_MS));
        let update = "update box set merged_ms = $1 where box_id = $2 and coalesce(merged_ms, $3) < $1 \
                      and not exists (select 1 from span where span.box_id = $2 and span.seq > 0)";
        let update = sqlx::query(update).bind(merged_ms).bind(self.box_id).bind(i64::MIN);
        update.execute(&self.store.inner.write).await?;
        Ok(())
    }

    pub(super) async fn add(&mut self, mut samples: Vec<Sample>) -> Result<Brought, StoreError> {
        samples.sort_by_key(|&(series, at_ms, _)| (series, at_ms));
        let all = samples.len() as u64;
        // Of what comes twice, the first stands.
        samples.dedup_by_key(|&mut (series, at_ms, _)| (series, at_ms));
        let times = samples.iter().map(|&(_, at_ms, _)| at_ms);
        let (Some(first_ms), Some(last_ms)) = (times.clone().min(), times.max()) else { return Ok(Brought::default()) };
        self.last_day_ms = self.last_day_ms.max(Some(last_ms - last_ms.rem_euclid(DAY_MS)));
        let (spans, held) = self.there(first_ms, last_ms).await?;
        let placed = place(&samples, &spans, &held);
        let known = all - samples.len() as u64 + placed.known;
        drop(samples);
        let mut made = Vec::new();
        for group in placed.new {
            let times = rhythm(group.at_ms);
            let columns = group.members.iter().map(|(series, run)| (*series, column(&times.at_ms, run)));
            let seq = self.lowest - 1;
            made.extend(self.sealed(&times, columns, |part| seq - part).await?);
            self.lowest = made.last().map_or(self.lowest, |sealed: &Sealed| sealed.seq.min(self.lowest));
        }
        let mut replaced = Vec::new();
        for (key, runs) in placed.into {
            let Some(span) = spans.iter().find(|span| span.key == key) else { continue };
            made.extend(self.rewritten(span, runs).await?);
            replaced.push(key);
        }
        self.store(&replaced, &made).await?;
        Ok(Brought { added: all - known, known })
    }

    /// The spans of samples near these times, and what is there in them and in their roll-ups, series by series.
    async fn there(&self, first_ms: i64, last_ms: i64) -> Result<(Vec<Span>, HashMap<SeriesId, Vec<Held>>), StoreError> {
        let near = "select tier, start_ms, seq, end_ms, payload from span where box_id = $1 and start_ms >= $2 and start_ms <= $3 \
                    and end_ms >= $4 order by start_ms, seq";
        let near = sqlx::query_as(near).bind(self.box_id).bind(first_ms.saturating_sub(MAX_SPAN_MS)).bind(last_ms).bind(first_ms);
        let rows: Vec<(i64, i64, i64, i64, Vec<u8>)> = near.fetch_all(&self.store.inner.read).await?;
        let mut held: HashMap<SeriesId, Vec<Held>> = HashMap::new();
        if rows.is_empty() {
            return Ok((Vec::new(), held));
        }
        let mut spans = Vec::new();
        for (_, start_ms, seq, end_ms, payload) in rows.into_iter().filter(|row| row.0 == Tier::RAW) {
            let times = Times::decode(&payload).map_err(|damage| self.damaged(start_ms, damage))?;
            spans.push(Span { key: (start_ms, seq), end_ms, times });
        }
        let near = "select chunk.series_id, chunk.tier, chunk.start_ms, chunk.seq, chunk.end_ms, chunk.payload \
                    from series join chunk on chunk.series_id = series.series_id where series.box_id = $1 \
                    and chunk.start_ms >= $2 and chunk.start_ms <= $3 and chunk.end_ms >= $4 order by chunk.series_id, chunk.tier";
        let near = sqlx::query_as(near).bind(self.box_id).bind(first_ms.saturating_sub(MAX_SPAN_MS)).bind(last_ms).bind(first_ms);
        let rows: Vec<ChunkRow> = near.fetch_all(&self.store.inner.read).await?;
        for (series, tier, start_ms, seq, end_ms, payload) in rows {
            let (key, of_series) = ((start_ms, seq), held.entry(SeriesId(series)).or_default());
            if tier != Tier::RAW {
                if !of_series.iter().any(|held| held.key == key) {
                    of_series.push(Held { key, within: (start_ms, end_ms), at_ms: None });
                }
                continue;
            }
            let span = spans.iter().find(|span| span.key == key);
            let span = span.ok_or_else(|| self.damaged(start_ms, Damage("a span is missing")))?;
            let column = Column::of_span(&payload, span.times.at_ms.len()).map_err(|damage| self.damaged(start_ms, damage))?;
            let mut at_ms = Vec::with_capacity(column.samples());
            column.for_each(0..column.polls(), |poll, _| at_ms.push(span.times.at_ms[poll]));
            of_series.push(Held { key, within: (start_ms, end_ms), at_ms: Some(at_ms) });
        }
        Ok((spans, held))
    }

    /// A span that is there, with more samples.
    async fn rewritten(&self, span: &Span, runs: Vec<(SeriesId, Run)>) -> Result<Vec<Sealed>, StoreError> {
        let (start_ms, seq) = span.key;
        let rows = Store::chunks_of_span(&mut *self.store.inner.read.acquire().await?, self.box_id, start_ms, seq).await?;
        let mut all: BTreeMap<SeriesId, Run> = BTreeMap::new();
        for (series, payload) in rows {
            let column = Column::of_span(&payload, span.times.at_ms.len()).map_err(|damage| self.damaged(start_ms, damage))?;
            let run = all.entry(series).or_default();
            column.for_each(0..column.polls(), |poll, value| run.push((span.times.at_ms[poll], value)));
        }
        let times = joined(&span.times, runs.iter().flat_map(|(_, run)| run.iter().map(|(at_ms, _)| *at_ms)));
        for (series, more) in runs {
            let run = all.entry(series).or_default();
            run.extend(more);
            run.sort_by_key(|(at_ms, _)| *at_ms);
        }
        let columns = all.into_iter().map(|(series, run)| (series, column(&times.at_ms, &run)));
        self.sealed(&times, columns, |_| seq).await
    }

    /// Spans of samples and of roll-ups; `seq` says the number of a part, where there are too many polls for one.
    async fn sealed(
        &self,
        times: &Times,
        columns: impl Iterator<Item = (SeriesId, Column)>,
        seq: impl Fn(i64) -> i64,
    ) -> Result<Vec<Sealed>, StoreError> {
        let polls = times.at_ms.len();
        let (Some(&first_ms), Some(&last_ms)) = (times.at_ms.first(), times.at_ms.last()) else { return Ok(Vec::new()) };
        let marks: Marks = self.store.marks_of(self.box_id, first_ms, last_ms).await?;
        let most = usize::try_from(MAX_MERGED_POLLS).unwrap_or(usize::MAX);
        let ranges: Vec<_> = (0..polls).step_by(most).map(|start| start..(start + most).min(polls)).collect();
        let parts: Vec<Times> = ranges.iter().map(|range| times.part(range.clone())).collect();
        let mut sealing: Vec<Sealing<'_>> = Vec::with_capacity(parts.len());
        for (number, part) in (0..).zip(&parts) {
            sealing.push(Sealing::new(part, seq(number), &Tier::ROLLED));
        }
        for (series, column) in columns {
            for (range, part) in ranges.iter().zip(&mut sealing) {
                part.add(series, &column.part(range.clone()), &marks);
            }
        }
        Ok(sealing.into_iter().flat_map(Sealing::done).collect())
    }

    async fn store(&self, replaced: &[Key], made: &[Sealed]) -> Result<(), StoreError> {
        if made.is_empty() {
            return Ok(());
        }
        let mut change = self.store.begin_write().await?;
        self.store.lock_box(&mut change, self.box_id).await?;
        for &(start_ms, seq) in replaced {
            delete_tiers(&mut change, self.box_id, start_ms, seq).await?;
        }
        for span in made {
            insert_sealed(&mut change, self.box_id, span).await?;
        }
        Ok(change.commit().await?)
    }

    fn damaged(&self, start_ms: i64, Damage(why): Damage) -> StoreError {
        StoreError::Damaged(format!(
            "what box {} has from {start_ms} on, to which history was to be added: {why}; tickmark check tells all that is",
            self.box_id
        ))
    }
}
