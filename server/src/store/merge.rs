//! Merges the spans of a day that is over, and their chunks, into one: it takes less room and is read at once; and rolls the day up into
//! minutes and hours. In one transaction each, so that a kill at any point leaves either. What it means stays the same, to the last sample and to the order of recording.

use std::collections::BTreeMap;

use sqlx::AnyConnection;

use super::bytes::Damage;
use super::chunk::{Column, Times};
use super::marks::Marks;
use super::seal::{MAX_SPAN_MS, Sealed, Sealing, insert_sealed};
use super::tier::Tier;
use super::types::SeriesId;
use super::{DAY_MS, Store, StoreError};

/// A day is merged when it is over for so long: by then what was recorded in it is sealed.
const AFTER_MS: i64 = 2 * 3_600_000;

/// No merged span has more polls than this: a day at the shortest interval, and some.
pub(super) const MAX_MERGED_POLLS: i64 = 450_000;

/// So many values are merged at once, decoded: half a gigabyte.
const MAX_MERGED_VALUES: i64 = 64 << 20;

/// What the database takes for a chunk beside what is in it, its key in the table and in the index, and for the roll-ups that go with it:
/// about fifty bytes a row. A day of hours has two dozen of each, which weighs more than what `pco` may lose by one look at a whole day.
const CHUNK_BESIDE: usize = 3 * 50;

/// The tier whose spans are merged, as it is stored.
const RAW: i64 = Tier::RAW;

/// A span as it is stored.
#[derive(sqlx::FromRow)]
pub(super) struct SpanRow {
    pub(super) start_ms: i64,
    pub(super) seq: i64,
    pub(super) end_ms: i64,
    pub(super) polls: i64,
    pub(super) payload: Vec<u8>,
}

/// A chunk as it is stored.
type ChunkRow = (i64, i64, Vec<u8>);

impl Store {
    /// Merges the next day of a box that is due, if there is any; says whether one was.
    ///
    /// # Errors
    /// When the database fails. Days that do not decode are left as they are, and logged.
    pub async fn merge_due(&self, now_ms: i64) -> Result<bool, StoreError> {
        // A box is merged up to `merged_ms`; the first span after that says which day is next. What was brought in came merged.
        let next = "select box_id, (select min(start_ms) from span where span.box_id = box.box_id and tier = $1 \
                    and start_ms >= coalesce(box.merged_ms, $2) and seq > 0) from box where purging = 0 order by box_id";
        let next: Vec<(i64, Option<i64>)> = sqlx::query_as(next).bind(RAW).bind(i64::MIN).fetch_all(&self.inner.read).await?;
        for (box_id, first_ms) in next.into_iter().filter(|&(box_id, _)| self.tends(box_id)) {
            let Some(day_ms) = first_ms.map(|first_ms| first_ms - first_ms.rem_euclid(DAY_MS)) else { continue };
            let over = day_ms.saturating_add(DAY_MS + AFTER_MS) <= now_ms;
            if over && !self.is_in_head(box_id, day_ms).await? {
                self.merge_day(box_id, day_ms).await?;
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether something of a day is not sealed yet.
    async fn is_in_head(&self, box_id: i64, day_ms: i64) -> Result<bool, StoreError> {
        let rows = "select count(*) from head where box_id = $1 and at_ms >= $2 and at_ms < $3";
        let rows: i64 = sqlx::query_scalar(rows).bind(box_id).bind(day_ms).bind(day_ms + DAY_MS).fetch_one(&self.inner.read).await?;
        Ok(rows > 0)
    }

    async fn merge_day(&self, box_id: i64, day_ms: i64) -> Result<(), StoreError> {
        let series = "select count(*) from series where box_id = $1";
        let series: i64 = sqlx::query_scalar(series).bind(box_id).fetch_one(&self.inner.read).await?;
        let most = (MAX_MERGED_VALUES / series.max(1)).min(MAX_MERGED_POLLS);
        let brought = self.brought_in(box_id, day_ms).await?;
        for group in groups(self.spans_of_day(box_id, day_ms).await?, &brought, day_ms, most) {
            match self.merge_group(box_id, &group).await {
                Err(StoreError::Damaged(why)) => tracing::error!(box_id, day_ms, why, "a day is left unmerged"),
                outcome => outcome?,
            }
        }
        let done = sqlx::query("update box set merged_ms = $1 where box_id = $2").bind(day_ms + DAY_MS).bind(box_id);
        done.execute(&self.inner.write).await?;
        Ok(())
    }

    /// The spans that begin in a day, and whatever was recorded between them, in the order of recording.
    async fn spans_of_day(&self, box_id: i64, day_ms: i64) -> Result<Vec<SpanRow>, StoreError> {
        let ends = "select min(seq), max(seq) from span where box_id = $1 and tier = $2 and start_ms >= $3 and start_ms < $4 \
                    and seq > 0";
        let ends = sqlx::query_as(ends).bind(box_id).bind(RAW).bind(day_ms).bind(day_ms + DAY_MS);
        let (Some(first), Some(last)): (Option<i64>, Option<i64>) = ends.fetch_one(&self.inner.read).await? else { return Ok(Vec::new()) };
        let spans = "select start_ms, seq, end_ms, polls, payload from span where box_id = $1 and tier = $2 and seq between $3 and $4 \
                     order by seq";
        let spans = sqlx::query_as(spans).bind(box_id).bind(RAW).bind(first).bind(last);
        Ok(spans.fetch_all(&self.inner.read).await?)
    }

    /// Where the spans of a day begin and end that were brought in.
    async fn brought_in(&self, box_id: i64, day_ms: i64) -> Result<Vec<(i64, i64)>, StoreError> {
        let spans = "select start_ms, end_ms from span where box_id = $1 and tier = $2 and start_ms >= $3 and start_ms < $4 and seq <= 0";
        let spans = sqlx::query_as(spans).bind(box_id).bind(RAW).bind(day_ms).bind(day_ms + DAY_MS);
        Ok(spans.fetch_all(&self.inner.read).await?)
    }

    /// Makes one span of some where that takes less room, and rolls up what is there then.
    async fn merge_group(&self, box_id: i64, group: &[SpanRow]) -> Result<(), StoreError> {
        let Some((merged, before)) = self.merged(box_id, group).await? else { return Ok(()) };
        let raw = || merged.iter().filter(|span| span.tier == Tier::Raw);
        let after: i64 = raw().map(Sealed::bytes).sum();
        let beside: usize = raw().map(|span| span.chunks.len() * CHUNK_BESIDE).sum();
        if group.len() > 1 && usize::try_from(after).is_ok_and(|after| after + beside < before) {
            return self.replace(box_id, group, &merged).await;
        }
        if group.len() == 1 {
            return self.roll_up(box_id, &merged).await;
        }
        for span in group {
            if let Some((rolled, _)) = self.merged(box_id, std::slice::from_ref(span)).await? {
                self.roll_up(box_id, &rolled).await?;
            }
        }
        Ok(())
    }

    /// Spans and their chunks as one, rolled up as well; and the bytes that their samples take now.
    async fn merged(&self, box_id: i64, group: &[SpanRow]) -> Result<Option<(Vec<Sealed>, usize)>, StoreError> {
        let (Some(first), Some(last)) = (group.first(), group.last()) else { return Ok(None) };
        let mut times = Vec::with_capacity(group.len());
        for span in group {
            let decoded = Times::decode(&span.payload).map_err(|Damage(why)| damaged(box_id, span.start_ms, why))?;
            times.push(decoded);
        }
        let marks = self.marks_of(box_id, first.start_ms, last.end_ms).await?;
        let mut before: usize = group.iter().map(|span| span.payload.len()).sum();
        let places: BTreeMap<(i64, i64), usize> =
            group.iter().enumerate().map(|(place, span)| ((span.start_ms, span.seq), place)).collect();
        let mut chunks = Vec::new();
        for (series, _) in self.series_of(box_id).await? {
            let rows = "select start_ms, seq, payload from chunk where series_id = $1 and tier = $2 and start_ms between $3 and $4";
            let rows = sqlx::query_as(rows).bind(series.0).bind(RAW).bind(first.start_ms).bind(last.start_ms);
            let mut parts: Vec<Option<Vec<u8>>> = vec![None; group.len()];
            let rows: Vec<ChunkRow> = rows.fetch_all(&self.inner.read).await?;
            for (start_ms, seq, payload) in rows {
                if let Some(&place) = places.get(&(start_ms, seq)) {
                    before += payload.len() + CHUNK_BESIDE;
                    parts[place] = Some(payload);
                }
            }
            if parts.iter().any(Option::is_some) {
                chunks.push((series, parts));
            }
        }
        let (start_ms, seq) = (first.start_ms, first.seq);
        let sealed = tokio::task::spawn_blocking(move || join(&times, seq, &chunks, &marks)).await;
        let sealed = sealed.map_err(|error| StoreError::Damaged(format!("merging what box {box_id} has from {start_ms} on: {error}")))?;
        Ok(Some((sealed.map_err(|Damage(why)| damaged(box_id, start_ms, why))?, before)))
    }

    /// Stores the merged spans in place of those that they came from.
    async fn replace(&self, box_id: i64, group: &[SpanRow], merged: &[Sealed]) -> Result<(), StoreError> {
        let mut change = self.begin_write().await?;
        self.lock_box(&mut change, box_id).await?;
        let mut deleted = 0;
        for span in group {
            deleted += delete_tiers(&mut change, box_id, span.start_ms, span.seq).await?;
        }
        if usize::try_from(deleted) != Ok(group.len()) {
            // The box was removed with its history meanwhile.
            change.rollback().await?;
            return Ok(());
        }
        for span in merged {
            insert_sealed(&mut change, box_id, span).await?;
        }
        change.commit().await?;
        Ok(())
    }

    /// Stores the roll-ups of a span in place of those that it has.
    async fn roll_up(&self, box_id: i64, rolled: &[Sealed]) -> Result<(), StoreError> {
        let mut change = self.begin_write().await?;
        self.lock_box(&mut change, box_id).await?;
        for span in rolled.iter().filter(|span| span.tier != Tier::Raw) {
            let there = "select count(*) from span where box_id = $1 and tier = $2 and start_ms = $3 and seq = $4";
            let there = sqlx::query_scalar(there).bind(box_id).bind(RAW).bind(span.start_ms).bind(span.seq);
            let there: i64 = there.fetch_one(&mut *change).await?;
            if there > 0 {
                delete_span(&mut change, box_id, span.tier, span.start_ms, span.seq).await?;
                insert_sealed(&mut change, box_id, span).await?;
            }
        }
        change.commit().await?;
        Ok(())
    }
}

/// Deletes a span with its roll-ups, and their chunks; says how many spans of samples that were.
pub(super) async fn delete_tiers(connection: &mut AnyConnection, box_id: i64, start_ms: i64, seq: i64) -> Result<u64, StoreError> {
    for tier in Tier::ROLLED {
        delete_span(connection, box_id, tier, start_ms, seq).await?;
    }
    delete_span(connection, box_id, Tier::Raw, start_ms, seq).await
}

/// Deletes a span of a tier and its chunks; says how many spans that were.
async fn delete_span(connection: &mut AnyConnection, box_id: i64, tier: Tier, start_ms: i64, seq: i64) -> Result<u64, StoreError> {
    let delete = "delete from chunk where tier = $1 and start_ms = $2 and seq = $3 \
                  and series_id in (select series_id from series where box_id = $4)";
    sqlx::query(delete).bind(tier.number()).bind(start_ms).bind(seq).bind(box_id).execute(&mut *connection).await?;
    let delete = "delete from span where box_id = $1 and tier = $2 and start_ms = $3 and seq = $4";
    let delete = sqlx::query(delete).bind(box_id).bind(tier.number()).bind(start_ms).bind(seq);
    Ok(delete.execute(connection).await?.rows_affected())
}

/// The spans that can be one: recorded one after the other, of one day, and growing in time, with nothing between them that was brought in.
fn groups(spans: Vec<SpanRow>, brought: &[(i64, i64)], day_ms: i64, most_polls: i64) -> Vec<Vec<SpanRow>> {
    let mut groups: Vec<Vec<SpanRow>> = vec![Vec::new()];
    for span in spans {
        let is_of_day = (day_ms..day_ms + DAY_MS).contains(&span.start_ms);
        let fits = groups.last().is_some_and(|group| {
            let polls: i64 = group.iter().map(|span| span.polls).sum();
            let within = group.first().is_none_or(|first| span.end_ms - first.start_ms <= MAX_SPAN_MS && polls + span.polls <= most_polls);
            let between = |first: &SpanRow| brought.iter().any(|&(from_ms, to_ms)| from_ms > first.start_ms && to_ms < span.end_ms);
            within && !group.first().is_some_and(between) && group.last().is_none_or(|last| last.end_ms < span.start_ms)
        });
        if !fits || !is_of_day {
            groups.push(Vec::new());
        }
        if is_of_day && let Some(group) = groups.last_mut() {
            group.push(span);
        }
    }
    groups.retain(|group| !group.is_empty());
    groups
}

/// A series, and its chunk in each span; none where it was not ticked.
type Parts = (SeriesId, Vec<Option<Vec<u8>>>);

/// Spans that follow one another as one, which begins with the poll `seq`, rolled up as well.
fn join(spans: &[Times], seq: i64, chunks: &[Parts], marks: &Marks) -> Result<Vec<Sealed>, Damage> {
    let times = Times::joined(spans);
    let mut sealing = Sealing::new(&times, seq, &Tier::ROLLED);
    for (series, parts) in chunks {
        let mut whole = Column::default();
        for (part, span) in parts.iter().zip(spans) {
            match part {
                None => whole.push_absent(span.at_ms.len()),
                Some(bytes) => whole.append(&Column::of_span(bytes, span.at_ms.len())?),
            }
        }
        sealing.add(*series, &whole, marks);
    }
    Ok(sealing.done().collect())
}

fn damaged(box_id: i64, start_ms: i64, why: &str) -> StoreError {
    StoreError::Damaged(format!("merging what box {box_id} has from {start_ms} on: {why}"))
}
