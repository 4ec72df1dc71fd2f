//! Reads samples from chunks and head as one, and gaps and marks. It must not know how samples are drawn.

use std::{fmt::Write, ops::Range, sync::Arc};

use app::model::{Gap, Number, Reset, ResetCause};
use sqlx::{AnyConnection, AssertSqlSafe, FromRow};

use super::bytes::{Damage, sum_of, verified};
use super::chunk::{Column, Slots, Times};
use super::head::{Head, HeadFault};
use super::row::{RowHead, decode_layout};
use super::samples::Samples;
use super::seal::{MAX_SPAN_MS, MAX_SPAN_POLLS};
use super::tier::Tier;
use super::types::SeriesId;
use super::{Store, StoreError, locked};

/// A row of the head.
#[derive(FromRow)]
pub(super) struct HeadRow {
    pub(super) seq: i64,
    at_ms: i64,
    interval_ms: i64,
    pub(super) layout_id: i64,
    is_key: i64,
    pub(super) payload: Vec<u8>,
}

impl HeadRow {
    pub(super) fn head(&self) -> RowHead {
        let Self { seq, at_ms, interval_ms, layout_id, .. } = *self;
        RowHead { seq, at_ms, interval_ms, layout_id, is_key: self.is_key != 0 }
    }
}

/// A run of samples with growing times.
pub(super) struct Piece {
    pub(super) times: Arc<Times>,
    pub(super) column: Column,
}

/// What is stored of a series in a span.
pub(super) struct Stored {
    /// What is sealed, in the order of recording.
    pub(super) rows: Vec<ChunkRow>,
    /// What is not, recorded after it.
    pub(super) recent: Vec<Piece>,
    /// What of the head is damaged.
    pub(super) damaged: Vec<Gap>,
}

impl Store {
    /// The samples of a series with `from_ms <= at_ms < to_ms`, from chunks and head as one, in the order of their recording: where
    /// a clock was set back, times go back with it and no sample takes another's place. A series that is not there has none. What does not
    /// decode is left out, and [`Samples::damaged`] names it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn samples(&self, series: SeriesId, from_ms: i64, to_ms: i64) -> Result<Samples, StoreError> {
        let Some(box_id) = self.box_of(series).await? else { return Ok(Samples::default()) };
        let ask = Ask { box_id, series, from_ms, to_ms, tiers: vec![Tier::Raw] };
        let Stored { rows, recent, mut damaged } = self.stored(&ask).await?;
        let mut pieces = Vec::with_capacity(rows.len() + recent.len());
        for row in &rows {
            match self.piece(box_id, row) {
                Ok(piece) => pieces.push(piece),
                Err(Damage(why)) => damaged.push(row.gap(&ask, why)),
            }
        }
        pieces.extend(recent);
        let mut samples = Samples::with_room_for(pieces.iter().map(|piece| piece.column.samples()).sum());
        pieces.iter().for_each(|piece| piece.append(&mut samples, from_ms, to_ms));
        samples.damaged = damaged;
        Ok(samples)
    }

    /// Chunks and head, as of one state.
    pub(super) async fn stored(&self, ask: &Ask) -> Result<Stored, StoreError> {
        let shared = self.head_of(ask.box_id);
        let mut head = shared.lock().await;
        // One statement sees one state: mostly the head in memory is that of the state already.
        let mut rows = ask.chunks(&self.inner.read).await?;
        if !rows.first().is_some_and(|row| head.is_at(row.head_first, row.head_last)) {
            let mut view = self.begin_read().await?;
            refresh(&mut view, ask.box_id, &mut head).await?;
            rows = ask.chunks(&mut *view).await?;
            view.commit().await?;
        }
        let (recent, damaged) = head_pieces(&head, ask);
        Ok(Stored { rows, recent, damaged })
    }

    pub(super) fn piece(&self, box_id: i64, row: &ChunkRow) -> Result<Piece, Damage> {
        let bytes = row.times.as_deref().ok_or(Damage("its span is missing"))?;
        let key = (box_id, row.start_ms, row.seq, sum_of(verified(&[], bytes).map(|_| bytes)?));
        let kept = locked(&self.inner.spans).get(key);
        let times = match kept {
            Some(times) => times,
            None => {
                let times = Arc::new(Times::decode(bytes)?);
                locked(&self.inner.spans).put(key, Arc::clone(&times));
                times
            }
        };
        let column = Column::of_span(&row.payload, times.at_ms.len())?;
        Ok(Piece { times, column })
    }

    /// The gaps of a box that touch a span, in the order of their starts.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn gaps(&self, box_id: i64, from_ms: i64, to_ms: i64) -> Result<Vec<Gap>, StoreError> {
        let select = "select from_ms, to_ms, reason from gap where box_id = $1 and from_ms < $2 and to_ms >= $3 order by from_ms";
        let rows: Vec<(i64, i64, String)> =
            sqlx::query_as(select).bind(box_id).bind(to_ms).bind(from_ms).fetch_all(&self.inner.read).await?;
        Ok(rows.into_iter().map(|(from, to, reason)| Gap { from, to, reason }).collect())
    }

    /// Begins or extends a gap of a box: the same `from_ms` again moves its end and reason.
    ///
    /// # Errors
    /// When the database fails, such as for a box that is not there.
    pub async fn record_gap(&self, box_id: i64, from_ms: i64, to_ms: i64, reason: &str) -> Result<(), StoreError> {
        let insert = "insert into gap (box_id, from_ms, to_ms, reason) values ($1, $2, $3, $4) \
                      on conflict (box_id, from_ms) do update set to_ms = excluded.to_ms, reason = excluded.reason";
        sqlx::query(insert).bind(box_id).bind(from_ms).bind(to_ms).bind(reason).execute(&self.inner.write).await?;
        Ok(())
    }

    /// The marks of a series, and of its whole box, in a span, in the order of their times.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn resets(&self, box_id: i64, series: SeriesId, from_ms: i64, to_ms: i64) -> Result<Vec<Reset>, StoreError> {
        let select = "select at_ms, cause, by_whom from mark where box_id = $1 and at_ms >= $2 and at_ms < $3 \
                      and (series_id is null or series_id = $4) order by at_ms, mark_id";
        let rows = sqlx::query_as(select).bind(box_id).bind(from_ms).bind(to_ms).bind(series.0);
        let rows: Vec<(i64, String, Option<String>)> = rows.fetch_all(&self.inner.read).await?;
        let reset = |(at, cause, by): (i64, String, Option<String>)| {
            let cause =
                ResetCause::parse(&cause).ok_or_else(|| StoreError::Damaged(format!("a mark of box {box_id} has the cause {cause}")))?;
            Ok(Reset { at, cause, by })
        };
        rows.into_iter().map(reset).collect()
    }

    /// The times of the first and the last poll of a box that samples are there of; none where there are none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn recorded_within(&self, box_id: i64) -> Result<Option<(i64, i64)>, StoreError> {
        let ends = "select (select min(start_ms) from span where box_id = $1 and tier = 0), \
                    (select max(end_ms) from span where box_id = $1 and tier = 0), \
                    (select min(at_ms) from head where box_id = $1), (select max(at_ms) from head where box_id = $1)";
        let ends = sqlx::query_as(ends).bind(box_id).fetch_one(&self.inner.read).await?;
        let (first, last, head_first, head_last): (Option<i64>, Option<i64>, Option<i64>, Option<i64>) = ends;
        let first = first.into_iter().chain(head_first).min();
        Ok(first.zip(last.into_iter().chain(head_last).max()))
    }

    /// The chunks of samples of a span, by series.
    pub(super) async fn chunks_of_span(
        view: &mut AnyConnection,
        box_id: i64,
        start_ms: i64,
        seq: i64,
    ) -> Result<Vec<(SeriesId, Vec<u8>)>, StoreError> {
        let chunks = "select chunk.series_id, chunk.payload from series join chunk on chunk.series_id = series.series_id \
                      where series.box_id = $1 and chunk.tier = $2 and chunk.start_ms = $3 and chunk.seq = $4 order by chunk.series_id";
        let chunks = sqlx::query_as(chunks).bind(box_id).bind(Tier::Raw.number()).bind(start_ms).bind(seq);
        let chunks: Vec<(i64, Vec<u8>)> = chunks.fetch_all(view).await?;
        Ok(chunks.into_iter().map(|(series, payload)| (SeriesId(series), payload)).collect())
    }

    pub(super) async fn box_of(&self, series: SeriesId) -> Result<Option<i64>, StoreError> {
        if let Some(&box_id) = locked(&self.inner.series_boxes).get(&series) {
            return Ok(Some(box_id));
        }
        let select = sqlx::query_scalar("select box_id from series where series_id = $1").bind(series.0);
        let box_id: Option<i64> = select.fetch_optional(&self.inner.read).await?;
        if let Some(box_id) = box_id {
            locked(&self.inner.series_boxes).insert(series, box_id);
        }
        Ok(box_id)
    }
}

/// Brings a head in memory to the state that `view` sees.
pub(super) async fn refresh(view: &mut AnyConnection, box_id: i64, head: &mut Head) -> Result<(), StoreError> {
    let ends = "select (select seq from head where box_id = $1 order by seq limit 1), \
                (select seq from head where box_id = $1 order by seq desc limit 1)";
    let ends: (Option<i64>, Option<i64>) = sqlx::query_as(ends).bind(box_id).fetch_one(&mut *view).await?;
    let (Some(first), Some(last)) = ends else {
        *head = Head::default();
        return Ok(());
    };
    if head.first_seq != first || head.last_seq > last {
        // It was sealed meanwhile.
        *head = Head::default();
    }
    if head.last_seq == last {
        return Ok(());
    }
    let rows = "select seq, at_ms, interval_ms, layout_id, is_key, payload from head where box_id = $1 and seq > $2 order by seq";
    let rows: Vec<HeadRow> = sqlx::query_as(rows).bind(box_id).bind(head.last_seq).fetch_all(&mut *view).await?;
    if rows.iter().any(|row| !head.knows_layout(row.layout_id)) {
        let layouts = sqlx::query_as("select layout_id, series from layout where box_id = $1").bind(box_id);
        let layouts: Vec<(i64, Vec<u8>)> = layouts.fetch_all(view).await?;
        for (layout_id, bytes) in layouts {
            if let Ok(series) = decode_layout(&bytes) {
                head.learn_layout(layout_id, &series);
            }
        }
    }
    for row in rows {
        head.push(&row.head(), &row.payload);
    }
    Ok(())
}

fn head_pieces(head: &Head, ask: &Ask) -> (Vec<Piece>, Vec<Gap>) {
    let &Ask { box_id, series, from_ms, to_ms, .. } = ask;
    let within = head.faults.iter().filter(|fault| (from_ms..to_ms).contains(&fault.at_ms));
    let gap = |fault: &HeadFault| Gap {
        from: fault.at_ms,
        to: fault.at_ms.saturating_add(fault.interval_ms),
        reason: format!("box {box_id}, {}", fault.why),
    };
    let mut damaged: Vec<Gap> = within.map(gap).collect();
    let stretches = head.stretches(head.polls(), MAX_SPAN_POLLS, MAX_SPAN_MS);
    let mut whole = None;
    let mut pieces = Vec::new();
    for stretch in stretches {
        let times = head.times(stretch);
        if times.within(from_ms, to_ms).is_empty() {
            continue;
        }
        let column = match &whole {
            Some(column) => column,
            None => match head.column(series, head.polls()) {
                Ok(column) => whole.insert(column),
                Err(Damage(why)) => {
                    let (from, to) = (times.at_ms.first().copied().unwrap_or(from_ms), to_ms);
                    damaged.push(Gap { from, to, reason: format!("the head of series {} of box {box_id}: {why}", series.0) });
                    break;
                }
            },
        };
        pieces.push(Piece { times: Arc::new(times), column: column.part(stretch.start..stretch.end) });
    }
    (pieces, damaged)
}

/// A chunk and its span as they are stored, and where the head of the box begins and ends in the same state.
#[derive(FromRow)]
pub(super) struct ChunkRow {
    head_first: Option<i64>,
    head_last: Option<i64>,
    pub(super) tier: i64,
    pub(super) start_ms: i64,
    pub(super) seq: i64,
    end_ms: i64,
    pub(super) times: Option<Vec<u8>>,
    pub(super) payload: Vec<u8>,
}

impl ChunkRow {
    /// The gap that its damage leaves.
    pub(super) fn gap(&self, ask: &Ask, why: &str) -> Gap {
        let reason = format!("the chunk of series {} of box {} that begins at {}: {why}", ask.series.0, ask.box_id, self.start_ms);
        Gap { from: self.start_ms, to: self.end_ms.saturating_add(1), reason }
    }
}

/// What is asked for.
pub(super) struct Ask {
    pub(super) box_id: i64,
    pub(super) series: SeriesId,
    pub(super) from_ms: i64,
    pub(super) to_ms: i64,
    /// The tiers that serve, the best first: of each span the first that is there.
    pub(super) tiers: Vec<Tier>,
}

impl Ask {
    /// The chunks that touch the span, in the order in which they were recorded.
    async fn chunks<'e>(&self, view: impl sqlx::Executor<'e, Database = sqlx::Any>) -> Result<Vec<ChunkRow>, StoreError> {
        let select = self.tiers.iter().enumerate().map(|(place, tier)| chunks_of(*tier, &self.tiers[..place]));
        let select = select.collect::<Vec<String>>().join(" union all ");
        // Only numbers of tiers are put together here.
        let select = sqlx::query_as(AssertSqlSafe(select)).bind(self.box_id).bind(self.series.0);
        let mut rows: Vec<ChunkRow> = select.bind(self.from_ms.saturating_sub(MAX_SPAN_MS)).bind(self.to_ms).fetch_all(view).await?;
        rows.retain(|row| row.end_ms >= self.from_ms);
        Ok(in_order(rows))
    }
}

/// Chunks in the order in which they were recorded; those that were brought in, which are numbered from 0 down, where their time is.
fn in_order(rows: Vec<ChunkRow>) -> Vec<ChunkRow> {
    let (mut brought, mut recorded): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| row.seq <= 0);
    recorded.sort_by_key(|row| (row.seq, row.start_ms));
    if brought.is_empty() {
        return recorded;
    }
    brought.sort_by_key(|row| row.start_ms);
    let mut rows = Vec::with_capacity(brought.len() + recorded.len());
    let mut brought = brought.into_iter().peekable();
    for row in recorded {
        while let Some(before) = brought.next_if(|before| before.start_ms < row.start_ms) {
            rows.push(before);
        }
        rows.push(row);
    }
    rows.extend(brought);
    rows
}

/// The question for the chunks of a tier whose spans have none of other tiers. What it compares is all in the index, so that of chunks that
/// do not serve nothing is read; and it says of each table from when to when, so that of months that lie elsewhere nothing is looked at.
pub(super) fn chunks_of(tier: Tier, others: &[Tier]) -> String {
    let tier = tier.number();
    let mut select = format!(
        "select (select seq from head where box_id = $1 order by seq limit 1) as head_first, \
         (select seq from head where box_id = $1 order by seq desc limit 1) as head_last, \
         chunk.tier, chunk.start_ms, chunk.seq, chunk.end_ms, span.payload as times, chunk.payload from chunk left join span \
         on span.box_id = $1 and span.tier = {tier} and span.start_ms = chunk.start_ms and span.seq = chunk.seq \
         and span.start_ms >= $3 and span.start_ms < $4 \
         where chunk.series_id = $2 and chunk.tier = {tier} and chunk.start_ms >= $3 and chunk.start_ms < $4"
    );
    for other in others {
        let _ = write!(
            select,
            " and not exists (select 1 from chunk better where better.series_id = $2 and better.tier = {} \
             and better.start_ms >= $3 and better.start_ms < $4 and better.start_ms = chunk.start_ms and better.seq = chunk.seq)",
            other.number()
        );
    }
    select
}

impl Piece {
    /// Adds what lies in the span. A sample that repeats the one before (a statistic ticked twice between two polls) is one sample.
    fn append(&self, samples: &mut Samples, from_ms: i64, to_ms: i64) {
        let mut range = self.times.within(from_ms, to_ms);
        if self.repeats(range.start, samples) {
            range.start += 1;
        }
        self.put(range, samples);
    }

    /// Whether a poll says once more what was said last.
    fn repeats(&self, poll: usize, samples: &Samples) -> bool {
        let at = self.times.at_ms.get(poll);
        if at.is_none() || at != samples.at_ms.last() {
            return false;
        }
        let mut again = None;
        self.column.for_each(poll..poll + 1, |_, value| again = Some(value));
        again.is_some_and(|value| !samples.values.is_empty() && samples.values.get(samples.values.len() - 1) == value)
    }

    fn put(&self, range: Range<usize>, samples: &mut Samples) {
        self.column.for_each_run(range, |polls, slots| {
            if matches!(slots, Slots::Absent) {
                return;
            }
            self.times.for_each_interval(polls.clone(), |polls, interval_ms| {
                samples.interval_from_here(interval_ms);
                samples.at_ms.extend_from_slice(&self.times.at_ms[polls]);
            });
            match slots {
                Slots::Absent => {}
                Slots::Unknown => polls.for_each(|_| samples.values.push(None)),
                Slots::Ints(ints) => samples.values.extend(ints),
                Slots::Floats(floats) => floats.iter().for_each(|&float| samples.values.push(Some(Number::Float(float)))),
            }
        });
    }
}
