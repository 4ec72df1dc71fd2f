//! Merges the spans of a day that is over, and their chunks, into one: it takes less room and is read at once. In one transaction each, so
//! that a kill at any point leaves either. What it means stays the same, to the last sample and to the order of recording.

use std::collections::BTreeMap;

use super::bytes::Damage;
use super::chunk::{Column, Times};
use super::seal::{MAX_SPAN_MS, Sealed, SealedChunk, insert_sealed};
use super::types::SeriesId;
use super::{BEGIN_WRITE, Store, StoreError, TIER_RAW};

/// A day, which begins at midnight UTC.
const DAY_MS: i64 = 86_400_000;

/// A day is merged when it is over for so long: by then what was recorded in it is sealed.
const AFTER_MS: i64 = 2 * 3_600_000;

/// No merged span has more polls than this: a day at the shortest interval, and some.
const MAX_MERGED_POLLS: i64 = 450_000;

/// So many values are merged at once, decoded: half a gigabyte.
const MAX_MERGED_VALUES: i64 = 64 << 20;

/// A span as it is stored.
#[derive(sqlx::FromRow)]
struct SpanRow {
    start_ms: i64,
    seq: i64,
    end_ms: i64,
    polls: i64,
    payload: Vec<u8>,
}

/// A chunk as it is stored.
type ChunkRow = (i64, i64, Vec<u8>);

impl Store {
    /// Merges the next day of a box that is due, if there is any; says whether one was.
    ///
    /// # Errors
    /// When the database fails. Days that do not decode are left as they are, and logged.
    pub async fn merge_due(&self, now_ms: i64) -> Result<bool, StoreError> {
        // A box is merged up to `merged_ms`; the first span after that says which day is next.
        let next = "select box_id, (select min(start_ms) from span where span.box_id = box.box_id and tier = $1 \
                    and start_ms >= coalesce(box.merged_ms, $2)) from box where purging = 0 order by box_id";
        let next: Vec<(i64, Option<i64>)> = sqlx::query_as(next).bind(TIER_RAW).bind(i64::MIN).fetch_all(&self.inner.read).await?;
        for (box_id, first_ms) in next {
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
        for group in groups(self.spans_of_day(box_id, day_ms).await?, day_ms, most) {
            match self.merged(box_id, &group).await {
                Ok(Some(merged)) => self.replace(box_id, &group, &merged).await?,
                Ok(None) => {}
                Err(StoreError::Damaged(why)) => tracing::error!(box_id, day_ms, why, "a day is left unmerged"),
                Err(error) => return Err(error),
            }
        }
        let done = sqlx::query("update box set merged_ms = $1 where box_id = $2").bind(day_ms + DAY_MS).bind(box_id);
        done.execute(&self.inner.write).await?;
        Ok(())
    }

    /// The spans that begin in a day, and whatever was recorded between them, in the order of recording.
    async fn spans_of_day(&self, box_id: i64, day_ms: i64) -> Result<Vec<SpanRow>, StoreError> {
        let ends = "select min(seq), max(seq) from span where box_id = $1 and tier = $2 and start_ms >= $3 and start_ms < $4";
        let ends = sqlx::query_as(ends).bind(box_id).bind(TIER_RAW).bind(day_ms).bind(day_ms + DAY_MS);
        let (Some(first), Some(last)): (Option<i64>, Option<i64>) = ends.fetch_one(&self.inner.read).await? else { return Ok(Vec::new()) };
        let spans = "select start_ms, seq, end_ms, polls, payload from span where box_id = $1 and tier = $2 and seq between $3 and $4 \
                     order by seq";
        let spans = sqlx::query_as(spans).bind(box_id).bind(TIER_RAW).bind(first).bind(last);
        Ok(spans.fetch_all(&self.inner.read).await?)
    }

    /// Spans and their chunks as one; none: that would take more room.
    async fn merged(&self, box_id: i64, group: &[SpanRow]) -> Result<Option<Sealed>, StoreError> {
        let (Some(first), Some(last)) = (group.first(), group.last()) else { return Ok(None) };
        let mut times = Vec::with_capacity(group.len());
        for span in group {
            let decoded = Times::decode(&span.payload).map_err(|Damage(why)| damaged(box_id, span.start_ms, why))?;
            times.push(decoded);
        }
        let polls: Vec<usize> = times.iter().map(|times| times.at_ms.len()).collect();
        let whole = Times::joined(&times);
        let mut sealed = Sealed {
            start_ms: first.start_ms,
            end_ms: last.end_ms,
            seq: first.seq,
            polls: group.iter().map(|span| span.polls).sum(),
            times: whole.encode(),
            chunks: Vec::new(),
        };
        let mut before: usize = group.iter().map(|span| span.payload.len()).sum();
        let places: BTreeMap<(i64, i64), usize> =
            group.iter().enumerate().map(|(place, span)| ((span.start_ms, span.seq), place)).collect();
        for (series, _) in self.series_of(box_id).await? {
            let rows = "select start_ms, seq, payload from chunk where series_id = $1 and tier = $2 and start_ms between $3 and $4";
            let rows = sqlx::query_as(rows).bind(series.0).bind(TIER_RAW).bind(first.start_ms).bind(last.start_ms);
            let mut parts: Vec<Option<Vec<u8>>> = vec![None; group.len()];
            let rows: Vec<ChunkRow> = rows.fetch_all(&self.inner.read).await?;
            for (start_ms, seq, payload) in rows {
                if let Some(&place) = places.get(&(start_ms, seq)) {
                    before += payload.len();
                    parts[place] = Some(payload);
                }
            }
            if parts.iter().all(Option::is_none) {
                continue;
            }
            let polls = polls.clone();
            let joined = tokio::task::spawn_blocking(move || join(series, &parts, &polls)).await;
            let joined = joined.map_err(|error| StoreError::Damaged(format!("merging series {}: {error}", series.0)))?;
            sealed.chunks.push(joined.map_err(|Damage(why)| damaged(box_id, first.start_ms, why))?);
        }
        let after = sealed.times.len() + sealed.chunks.iter().map(|chunk| chunk.payload.len()).sum::<usize>();
        Ok((after < before).then_some(sealed))
    }

    /// Stores the merged span in place of those that it came from.
    async fn replace(&self, box_id: i64, group: &[SpanRow], merged: &Sealed) -> Result<(), StoreError> {
        let mut change = self.inner.write.begin_with(BEGIN_WRITE).await?;
        let mut deleted = 0;
        for span in group {
            let delete = "delete from chunk where tier = $1 and start_ms = $2 and seq = $3 \
                          and series_id in (select series_id from series where box_id = $4)";
            sqlx::query(delete).bind(TIER_RAW).bind(span.start_ms).bind(span.seq).bind(box_id).execute(&mut *change).await?;
            let delete = "delete from span where box_id = $1 and tier = $2 and start_ms = $3 and seq = $4";
            let delete = sqlx::query(delete).bind(box_id).bind(TIER_RAW).bind(span.start_ms).bind(span.seq);
            deleted += delete.execute(&mut *change).await?.rows_affected();
        }
        if usize::try_from(deleted) != Ok(group.len()) {
            // The box was removed with its history meanwhile.
            change.rollback().await?;
            return Ok(());
        }
        insert_sealed(&mut change, box_id, merged).await?;
        change.commit().await?;
        Ok(())
    }
}

/// The spans that can be one: recorded one after the other, of one day, and growing in time; each at least two.
fn groups(spans: Vec<SpanRow>, day_ms: i64, most_polls: i64) -> Vec<Vec<SpanRow>> {
    let mut groups: Vec<Vec<SpanRow>> = vec![Vec::new()];
    for span in spans {
        let is_of_day = (day_ms..day_ms + DAY_MS).contains(&span.start_ms);
        let fits = groups.last().is_some_and(|group| {
            let polls: i64 = group.iter().map(|span| span.polls).sum();
            let within = group.first().is_none_or(|first| span.end_ms - first.start_ms <= MAX_SPAN_MS && polls + span.polls <= most_polls);
            within && group.last().is_none_or(|last| last.end_ms < span.start_ms)
        });
        if !fits || !is_of_day {
            groups.push(Vec::new());
        }
        if is_of_day && let Some(group) = groups.last_mut() {
            group.push(span);
        }
    }
    groups.retain(|group| group.len() > 1);
    groups
}

/// The chunks of one series as one; where there is none, it was not ticked.
fn join(series: SeriesId, parts: &[Option<Vec<u8>>], polls: &[usize]) -> Result<SealedChunk, Damage> {
    let mut whole = Column::default();
    for (part, &polls) in parts.iter().zip(polls) {
        match part {
            None => whole.push_absent(polls),
            Some(bytes) => {
                let column = Column::decode(bytes)?;
                if column.polls() != polls {
                    return Err(Damage("it has more or fewer polls than its span"));
                }
                whole.append(&column);
            }
        }
    }
    let samples = i64::try_from(whole.samples()).unwrap_or(i64::MAX);
    Ok(SealedChunk { series, samples, payload: whole.encode() })
}

fn damaged(box_id: i64, start_ms: i64, why: &str) -> StoreError {
    StoreError::Damaged(format!("merging what box {box_id} has from {start_ms} on: {why}"))
}
