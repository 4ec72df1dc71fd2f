//! Takes in polls that come late: a panel answered for them before another one took the box, and could not write them in time. They get
//! their place before what the other one recorded, each instant once. It must not know why they are late.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::AnyConnection;

use super::bytes::Damage;
use super::chunk::{Column, Times};
use super::insert::{MARKS_PER_INSERT, insert_marks};
use super::marks::Marks;
use super::merge::{SpanRow, delete_tiers};
use super::record::ordered;
use super::seal::{MAX_SPAN_MS, Sealed, Sealing, insert_sealed};
use super::tier::Tier;
use super::types::{PollRecord, SeriesId};
use super::{DAY_MS, Store, StoreError};

impl Store {
    /// Takes in polls of one box and one lease that is over. Says whether that can be done: not before the panel that has the box now
    /// sealed what was recorded before it.
    ///
    /// # Errors
    /// When the database fails, or what it holds of the time is damaged: nothing is taken in then.
    pub async fn record_late(&self, polls: Vec<PollRecord>) -> Result<bool, StoreError> {
        let done = self.inner.dialect.within(self.take_in(polls)).await;
        self.note(done)
    }

    async fn take_in(&self, polls: Vec<PollRecord>) -> Result<bool, StoreError> {
        let mut by_time: BTreeMap<i64, PollRecord> = polls.into_iter().map(|poll| (poll.at_ms, ordered(poll))).collect();
        let (Some((&from_ms, first)), Some((&to_ms, _))) = (by_time.first_key_value(), by_time.last_key_value()) else { return Ok(true) };
        let (box_id, generation) = (first.box_id, first.generation);
        let mut change = self.begin_write().await?;
        self.lock_box(&mut change, box_id).await?;
        let lease = sqlx::query_as("select generation, first_seq from lease where box_id = $1").bind(box_id);
        let lease: Option<(i64, i64)> = lease.fetch_optional(&mut *change).await?;
        let Some((_, first_seq)) = lease.filter(|&(newer, _)| generation.is_none_or(|ours| newer > ours)) else { return Ok(false) };
        let unsealed = sqlx::query_scalar("select count(*) from head where box_id = $1 and seq < $2").bind(box_id).bind(first_seq);
        let unsealed: i64 = unsealed.fetch_one(&mut *change).await?;
        if unsealed > 0 {
            return Ok(false);
        }
        let spans = spans(&mut change, box_id, from_ms, to_ms).await?;
        for at_ms in instants(&mut change, box_id, &spans, from_ms, to_ms).await? {
            by_time.remove(&at_ms);
        }
        let polls: Vec<PollRecord> = by_time.into_values().collect();
        let Some(first) = polls.first() else {
            change.rollback().await?;
            return Ok(true);
        };
        let count = i64::try_from(polls.len()).unwrap_or(i64::MAX);
        let behind = "select max(seq + polls) from span where box_id = $1 and tier = $2 and seq < $3";
        let behind: Option<i64> = sqlx::query_scalar(behind).bind(box_id).bind(Tier::RAW).bind(first_seq).fetch_one(&mut *change).await?;
        let mut seq = behind.unwrap_or_default().min(first_seq - count).max(1);
        // What was brought in from elsewhere has numbers below, and is read by its times. A day that was merged meanwhile has both what was recorded before and after in one span: it is parted again.
        let around =
            spans.iter().find(|span| (1..first_seq).contains(&span.seq) && span.start_ms < first.at_ms && first.at_ms < span.end_ms);
        if let Some(span) = around {
            seq = part(&mut change, box_id, span, first.at_ms, count).await?;
        }
        insert_sealed(&mut change, box_id, &sealed(&polls, seq)).await?;
        for poll in &polls {
            for some in poll.marks.chunks(MARKS_PER_INSERT) {
                insert_marks(&mut change, box_id, some).await?;
            }
        }
        // Its days are merged and rolled up anew.
        let day_ms = first.at_ms - first.at_ms.rem_euclid(DAY_MS);
        let again = sqlx::query("update box set merged_ms = $1 where box_id = $2 and merged_ms > $1").bind(day_ms).bind(box_id);
        again.execute(&mut *change).await?;
        change.commit().await?;
        Ok(true)
    }
}

/// The spans of samples that touch a time.
async fn spans(change: &mut AnyConnection, box_id: i64, from_ms: i64, to_ms: i64) -> Result<Vec<SpanRow>, StoreError> {
    let select = "select start_ms, seq, end_ms, polls, payload from span where box_id = $1 and tier = $2 and start_ms <= $3 and start_ms >= $5 and end_ms >= $4 \
                  order by seq";
    let select = sqlx::query_as(select).bind(box_id).bind(Tier::RAW).bind(to_ms).bind(from_ms).bind(from_ms.saturating_sub(MAX_SPAN_MS));
    Ok(select.fetch_all(change).await?)
}

/// The instants of a time at which the box was recorded already.
async fn instants(
    change: &mut AnyConnection,
    box_id: i64,
    spans: &[SpanRow],
    from_ms: i64,
    to_ms: i64,
) -> Result<BTreeSet<i64>, StoreError> {
    let head = sqlx::query_scalar("select at_ms from head where box_id = $1 and at_ms between $2 and $3").bind(box_id);
    let head: Vec<i64> = head.bind(from_ms).bind(to_ms).fetch_all(change).await?;
    let mut all: BTreeSet<i64> = head.into_iter().collect();
    for span in spans {
        all.extend(Times::decode(&span.payload).map_err(|damage| damaged(box_id, span, &damage))?.at_ms);
    }
    Ok(all)
}

/// Parts a span before an instant, with room for so many polls in between. Says from which number on that is.
async fn part(change: &mut AnyConnection, box_id: i64, span: &SpanRow, at_ms: i64, room: i64) -> Result<i64, StoreError> {
    let failed = |damage: Damage| damaged(box_id, span, &damage);
    let times = Times::decode(&span.payload).map_err(failed)?;
    let place = times.at_ms.partition_point(|&at| at < at_ms);
    let seq = span.seq + i64::try_from(place).unwrap_or(i64::MAX);
    let (before, after) = (times.part(0..place), times.part(place..times.at_ms.len()));
    let mut parts = [Sealing::new(&before, span.seq, &[]), Sealing::new(&after, seq + room, &[])];
    let chunks = Store::chunks_of_span(change, box_id, span.start_ms, span.seq).await?;
    let marks = Marks::default();
    for (series, payload) in chunks {
        let column = Column::of_span(&payload, times.at_ms.len()).map_err(failed)?;
        let [one, other] = &mut parts;
        one.add(series, &column.part(0..place), &marks);
        other.add(series, &column.part(place..times.at_ms.len()), &marks);
    }
    delete_tiers(change, box_id, span.start_ms, span.seq).await?;
    for sealed in parts.into_iter().flat_map(Sealing::done) {
        insert_sealed(change, box_id, &sealed).await?;
    }
    Ok(seq)
}

/// The polls as a span of samples; merging its day rolls it up.
fn sealed(polls: &[PollRecord], seq: i64) -> Sealed {
    let at_ms = polls.iter().map(|poll| poll.at_ms).collect();
    let intervals: Vec<i64> = polls.iter().map(|poll| poll.interval_ms).collect();
    let times = Times::new(at_ms, &intervals);
    let mut columns: BTreeMap<SeriesId, Column> = BTreeMap::new();
    for (place, poll) in polls.iter().enumerate() {
        for &(series, value) in &poll.values {
            let column = columns.entry(series).or_default();
            column.push_absent(place - column.polls());
            column.push(value);
        }
    }
    let mut sealing = Sealing::new(&times, seq, &[]);
    let marks = Marks::default();
    for (series, mut column) in columns {
        column.push_absent(polls.len() - column.polls());
        sealing.add(series, &column, &marks);
    }
    sealing.into_samples()
}

fn damaged(box_id: i64, span: &SpanRow, damage: &Damage) -> StoreError {
    StoreError::Damaged(format!("what box {box_id} has from {} on ({} polls): {}", span.start_ms, span.polls, damage.0))
}
