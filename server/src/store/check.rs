//! Reads every chunk, span and head row back and compares what must agree. It must not repair.
//!
//! What is compared is read in one transaction a box: a panel that seals meanwhile is no fault.

use std::collections::HashMap;

use sqlx::AnyConnection;

use super::bytes::Damage;
use super::chunk::{Column, Times};
use super::dialect::Dialect;
use super::head::Head;
use super::read::refresh;
use super::roll::{Buckets, Rolled};
use super::series::series_in;
use super::tier::Tier;
use super::types::CheckReport;
use super::{Store, StoreError};

/// Where a span is: tier, start, number of its first poll.
type SpanKey = (i64, i64, i64);

/// What a span says, by which its chunks are read.
pub(super) enum Span {
    /// So many polls.
    Polls(usize),
    Rolled(Buckets),
}

/// The spans of a box, and why those that do not decode do not.
pub(super) type Spans = HashMap<SpanKey, Result<Span, Damage>>;

impl Store {
    /// Reads everything back; `progress` is told how far it is, from 0 to 1.
    ///
    /// # Errors
    /// Only when the database cannot be asked at all: what is wrong in it is in the report.
    pub async fn check(&self, mut progress: impl FnMut(f64)) -> Result<CheckReport, StoreError> {
        let mut report = CheckReport::default();
        progress(0.0);
        self.check_file(&mut report).await;
        let boxes: Vec<i64> = sqlx::query_scalar("select box_id from box order by box_id").fetch_all(&self.inner.read).await?;
        let all: i64 = sqlx::query_scalar("select count(*) from series").fetch_one(&self.inner.read).await?;
        for box_id in boxes {
            let mut view = self.begin_read().await?;
            let spans = check_spans(&mut view, box_id, &mut report).await?;
            for (series, name) in series_in(&mut view, box_id).await? {
                check_series(&mut view, series.0, &format!("{name} of box {box_id}"), &spans, &mut report).await?;
                report.series += 1;
                #[expect(clippy::cast_precision_loss, reason = "it is only shown")]
                progress(report.series as f64 / all.max(1) as f64);
            }
            check_head(&mut view, box_id, &mut report).await?;
            view.commit().await?;
        }
        progress(1.0);
        Ok(report)
    }

    /// SQLite's own check of the file. A server checks what it reads.
    async fn check_file(&self, report: &mut CheckReport) {
        if self.inner.dialect != Dialect::Sqlite {
            return;
        }
        match sqlx::query_scalar::<_, String>("pragma quick_check").fetch_all(&self.inner.read).await {
            Ok(lines) => report.faults.extend(lines.into_iter().filter(|line| line != "ok").map(|line| format!("the file: {line}"))),
            Err(error) => report.faults.push(format!("the file: {error}")),
        }
    }
}

/// The spans of a box; what is wrong with them goes into the report.
async fn check_spans(view: &mut AnyConnection, box_id: i64, report: &mut CheckReport) -> Result<Spans, StoreError> {
    let spans = match read_spans(view, box_id).await {
        Ok(spans) => spans,
        Err(StoreError::Sql(error)) => return unreadable(error, &format!("the spans of box {box_id}"), report),
        Err(error) => return Err(error),
    };
    let mut faults: Vec<(SpanKey, &'static str)> = Vec::new();
    faults.extend(spans.iter().filter_map(|(&key, span)| Some((key, span.as_ref().err()?.0))));
    faults.sort_unstable();
    let fault = |((tier, start_ms, _), why): (SpanKey, &str)| {
        format!("the span of {} of box {box_id} that begins at {start_ms}: {why}", tier_name(tier))
    };
    report.faults.extend(faults.into_iter().map(fault));
    Ok(spans)
}

/// Reads the spans of a box back.
pub(super) async fn read_spans<'e>(view: impl sqlx::Executor<'e, Database = sqlx::Any>, box_id: i64) -> Result<Spans, StoreError> {
    let select = "select tier, start_ms, seq, end_ms, polls, payload from span where box_id = $1";
    let rows: Vec<(i64, i64, i64, i64, i64, Vec<u8>)> = sqlx::query_as(select).bind(box_id).fetch_all(view).await?;
    let span = |(tier, start_ms, seq, end_ms, polls, payload): (i64, i64, i64, i64, i64, Vec<u8>)| {
        ((tier, start_ms, seq), read_span(tier, &payload, (start_ms, end_ms), polls))
    };
    Ok(rows.into_iter().map(span).collect())
}

fn read_span(tier: i64, payload: &[u8], (start_ms, end_ms): (i64, i64), polls: i64) -> Result<Span, Damage> {
    let tier = Tier::of_number(tier).ok_or(Damage("its tier is of a newer Tickmark"))?;
    let (first, last, count, span) = if tier == Tier::Raw {
        let times = Times::decode(payload)?;
        let count = times.at_ms.len();
        (times.at_ms.first().copied(), times.at_ms.last().copied(), count, Span::Polls(count))
    } else {
        let buckets = Buckets::decode(payload, tier.bucket_ms())?;
        (buckets.first_ms.first().copied(), buckets.last_ms.last().copied(), buckets.len(), Span::Rolled(buckets))
    };
    if (first, last) != (Some(start_ms), Some(end_ms)) {
        return Err(Damage("its times are not those it is stored under"));
    }
    if i64::try_from(count) == Ok(polls) { Ok(span) } else { Err(Damage("it has more or fewer polls than it says")) }
}

async fn check_series(
    view: &mut AnyConnection,
    series: i64,
    place: &str,
    spans: &Spans,
    report: &mut CheckReport,
) -> Result<(), StoreError> {
    let select = "select tier, start_ms, seq, samples, payload from chunk where series_id = $1 order by tier, start_ms, seq";
    let rows: Vec<(i64, i64, i64, i64, Vec<u8>)> = match sqlx::query_as(select).bind(series).fetch_all(view).await {
        Ok(rows) => rows,
        Err(error) => return unreadable(error, &format!("the chunks of {place}"), report),
    };
    for (tier, start_ms, seq, samples, payload) in rows {
        report.chunks += 1;
        match read_chunk(spans.get(&(tier, start_ms, seq)), &payload, samples) {
            Ok(found) if tier == Tier::Raw.number() => report.chunk_samples += found,
            Ok(_) => {}
            Err(Damage(why)) => {
                let what = tier_name(tier);
                report.faults.push(format!("the chunk of {what} of {place} that begins at {start_ms}: {why}"));
            }
        }
    }
    Ok(())
}

/// The samples of a chunk, which is read by its span.
pub(super) fn read_chunk(span: Option<&Result<Span, Damage>>, payload: &[u8], samples: i64) -> Result<u64, Damage> {
    let found = match span {
        None => return Err(Damage("its span is missing")),
        Some(Err(_)) => return Err(Damage("its span is damaged")),
        Some(Ok(Span::Polls(polls))) => i64::try_from(Column::of_span(payload, *polls)?.samples()).unwrap_or(i64::MAX),
        Some(Ok(Span::Rolled(buckets))) => Rolled::decode(payload, buckets)?.samples(),
    };
    if found == samples { Ok(found.unsigned_abs()) } else { Err(Damage("it has more or fewer samples than it says")) }
}

pub(super) fn tier_name(tier: i64) -> &'static str {
    match Tier::of_number(tier) {
        Some(Tier::Minutes) => "minutes",
        Some(Tier::Hours) => "hours",
        Some(Tier::Raw) | None => "samples",
    }
}

async fn check_head(view: &mut AnyConnection, box_id: i64, report: &mut CheckReport) -> Result<(), StoreError> {
    let mut head = Head::default();
    match refresh(view, box_id, &mut head).await {
        Ok(()) => {}
        Err(StoreError::Sql(error)) => return unreadable(error, &format!("the head of box {box_id}"), report),
        Err(error) => return Err(error),
    }
    report.head_rows += head.polls() as u64;
    report.head_samples += head.samples() as u64;
    report.faults.extend(head.faults.iter().map(|fault| format!("box {box_id}, {}", fault.why)));
    Ok(())
}

/// What the database cannot read is a fault; that it cannot be asked at all is an error.
fn unreadable<T: Default>(error: sqlx::Error, place: &str, report: &mut CheckReport) -> Result<T, StoreError> {
    if error.as_database_error().is_none() {
        return Err(error.into());
    }
    // PostgreSQL refuses all that follows a failure in its transaction: that is no fault of theirs.
    if error.as_database_error().and_then(sqlx::error::DatabaseError::code).as_deref() != Some("25P02") {
        report.faults.push(format!("{place}: {error}"));
    }
    Ok(T::default())
}
