//! Turns heads into spans and chunks, and rolls them up into minutes meanwhile, in one transaction each, so that a kill at any point leaves either. It must not know who calls
//! it and when.

use sqlx::{AnyConnection, AssertSqlSafe};

use super::bytes::Damage;
use super::chunk::{Column, Times};
use super::head::Head;
use super::marks::Marks;
use super::read::refresh;
use super::roll::Grid;
use super::tier::Tier;
use super::types::SeriesId;
use super::{Store, StoreError, months};

/// A head is sealed when its oldest row is this old …
const SEAL_AFTER_MS: u64 = 3_600_000;

/// … plus up to so much, by box, so that boxes take turns …
const STAGGER_MS: u64 = 600_000;

/// … or when its rows have so many bytes.
const SEAL_BYTES: i64 = 4 << 20;

/// No span covers more than this: a reader looks so far back for the chunk that covers its start.
pub(super) const MAX_SPAN_MS: i64 = 86_400_000;

/// No span has more polls than this.
pub(super) const MAX_SPAN_POLLS: usize = 1 << 16;

/// So many chunks go into one statement; more would take longer, as SQLite looks for the name of each value among all.
const CHUNKS_PER_INSERT: usize = 20;

/// A box, the time of the oldest row of its head, the bytes counted at its first and its last row, and the number of the first.
type HeadEnds = (i64, Option<i64>, Option<i64>, Option<i64>, Option<i64>);

/// A span of a tier and its chunks, ready to be stored.
pub(super) struct Sealed {
    pub(super) tier: Tier,
    pub(super) start_ms: i64,
    pub(super) end_ms: i64,
    pub(super) seq: i64,
    pub(super) polls: i64,
    pub(super) times: Vec<u8>,
    pub(super) chunks: Vec<SealedChunk>,
}

impl Sealed {
    /// The bytes that it takes with its chunks.
    pub(super) fn bytes(&self) -> i64 {
        number(self.times.len() + self.chunks.iter().map(|chunk| chunk.payload.len()).sum::<usize>())
    }
}

pub(super) struct SealedChunk {
    pub(super) series: SeriesId,
    pub(super) samples: i64,
    pub(super) payload: Vec<u8>,
}

impl Store {
    /// Seals the heads that are due: at most one box a call. Says whether more is due.
    ///
    /// # Errors
    /// When a head was due and none could be sealed.
    pub async fn seal_due(&self, now_ms: i64) -> Result<bool, StoreError> {
        let due = self.due(now_ms).await?;
        let mut failure = None;
        for (done, &box_id) in due.iter().enumerate() {
            match self.seal_box(box_id).await {
                Ok(()) => return Ok(done + 1 < due.len()),
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        failure.map_or(Ok(false), Err)
    }

    /// The boxes whose heads are old or large enough.
    async fn due(&self, now_ms: i64) -> Result<Vec<i64>, StoreError> {
        let ends = "select box_id, \
                    (select at_ms from head where head.box_id = box.box_id order by seq limit 1), \
                    (select total_bytes from head where head.box_id = box.box_id order by seq limit 1), \
                    (select total_bytes from head where head.box_id = box.box_id order by seq desc limit 1), \
                    (select seq from head where head.box_id = box.box_id order by seq limit 1) \
                    from box where purging = 0 order by box_id";
        let ends: Vec<HeadEnds> = sqlx::query_as(ends).fetch_all(&self.inner.read).await?;
        let is_due = |&(box_id, oldest, first, last, first_seq): &HeadEnds| {
            // What a panel before recorded is sealed at once: what it may still bring lies behind it.
            let is_of_another = first_seq.zip(self.inner.leases.first_seq(box_id)).is_some_and(|(first, ours)| first < ours);
            // A clock that stepped back can leave rows of the future behind: they are old as well.
            is_of_another
                || oldest.is_some_and(|oldest| now_ms.abs_diff(oldest) >= SEAL_AFTER_MS + stagger_ms(box_id))
                || first.zip(last).is_some_and(|(first, last)| last.saturating_sub(first) >= SEAL_BYTES)
        };
        Ok(ends.into_iter().filter(|ends| self.tends(ends.0) && is_due(ends)).map(|(id, ..)| id).collect())
    }

    /// Seals all rows that a box has at this moment; the writer goes on meanwhile.
    pub(super) async fn seal_box(&self, box_id: i64) -> Result<(), StoreError> {
        let last = "select seq from head where box_id = $1 order by seq desc limit 1";
        let last = async { Ok(sqlx::query_scalar(last).bind(box_id).fetch_optional(&self.inner.write).await?) };
        // The row after the last one to seal must not build on it.
        let Some(last_seq) = self.inner.writer.cut(box_id, self.inner.dialect.within(last)).await? else { return Ok(()) };
        let head = self.take_head(box_id).await?;
        for fault in &head.faults {
            tracing::error!(box_id, "a poll was lost, stored bytes are damaged: {}", fault.why);
        }
        let (first_ms, last_ms) = head.within().unwrap_or_default();
        let marks = self.marks_of(box_id, first_ms, last_ms).await?;
        let sealed = tokio::task::spawn_blocking(move || seal(&head, last_seq, &marks)).await;
        let sealed = sealed.map_err(|error| StoreError::Damaged(format!("sealing box {box_id}: {error}")))?;
        let sealed = sealed.map_err(|Damage(why)| StoreError::Damaged(format!("sealing box {box_id}: {why}")))?;
        let replaced = self.inner.dialect.within(self.replace_head(box_id, last_seq, &sealed));
        let chunks = self.inner.writer.cut(box_id, replaced).await?;
        self.inner.writer.count_sealed(chunks);
        Ok(())
    }

    /// The head of a box, taken from memory: readers do not wait for the sealing.
    async fn take_head(&self, box_id: i64) -> Result<Head, StoreError> {
        let shared = self.head_of(box_id);
        let mut head = shared.lock().await;
        let mut view = self.begin_read().await?;
        refresh(&mut view, box_id, &mut head).await?;
        view.commit().await?;
        Ok(std::mem::take(&mut *head))
    }

    /// Stores spans and chunks, and deletes the rows that they came from.
    async fn replace_head(&self, box_id: i64, last_seq: i64, sealed: &[Sealed]) -> Result<usize, StoreError> {
        let mut change = self.begin_write().await?;
        let mut chunks = 0;
        for span in sealed {
            insert_sealed(&mut change, box_id, span).await?;
            chunks += span.chunks.len();
        }
        let delete = sqlx::query("delete from head where box_id = $1 and seq <= $2").bind(box_id).bind(last_seq);
        delete.execute(&mut *change).await?;
        let next = "select is_key from head where box_id = $1 order by seq limit 1";
        let next: Option<i64> = sqlx::query_scalar(next).bind(box_id).fetch_optional(&mut *change).await?;
        if next == Some(0) {
            change.rollback().await?;
            return Err(StoreError::Conflict(format!("box {box_id} was not sealed: another process records into this database")));
        }
        let unused = "delete from layout where box_id = $1 and layout_id not in (select layout_id from head where box_id = $1)";
        sqlx::query(unused).bind(box_id).execute(&mut *change).await?;
        let update = sqlx::query("update box set sealed_seq = $1, sealed_ms = coalesce($2, sealed_ms) where box_id = $3");
        let update = update.bind(last_seq).bind(sealed.last().map(|span| span.end_ms)).bind(box_id);
        update.execute(&mut *change).await?;
        change.commit().await?;
        Ok(chunks)
    }
}

/// Spreads boxes over [`STAGGER_MS`]: multiples of the golden ratio keep apart, however many there are.
fn stagger_ms(box_id: i64) -> u64 {
    let fraction = box_id.cast_unsigned().wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    (fraction * STAGGER_MS) >> 32
}

/// The spans and chunks of the rows up to `last_seq`, of samples and of minutes.
fn seal(head: &Head, last_seq: i64, marks: &Marks) -> Result<Vec<Sealed>, Damage> {
    let polls = head.polls_up_to(last_seq);
    let stretches = head.stretches(polls, MAX_SPAN_POLLS, MAX_SPAN_MS);
    let times: Vec<Times> = stretches.iter().map(|stretch| head.times(*stretch)).collect();
    let mut spans: Vec<Sealing<'_>> = Vec::with_capacity(times.len());
    for (stretch, times) in stretches.iter().zip(&times) {
        spans.push(Sealing::new(times, head.seq(stretch.start).unwrap_or_default(), &[Tier::Minutes]));
    }
    let mut series: Vec<SeriesId> = head.series().collect();
    series.sort_unstable();
    for series in series {
        let whole = head.column(series, polls)?;
        for (stretch, span) in stretches.iter().zip(&mut spans) {
            span.add(series, &whole.part(stretch.start..stretch.end), marks);
        }
    }
    Ok(spans.into_iter().flat_map(Sealing::done).collect())
}

/// A span that is being made, with the tiers that are worth it.
pub(super) struct Sealing<'a> {
    raw: Sealed,
    tiers: Vec<(Sealed, Grid<'a>)>,
}

impl<'a> Sealing<'a> {
    /// Of these polls; `seq` is the number of the first.
    pub(super) fn new(times: &'a Times, seq: i64, tiers: &[Tier]) -> Self {
        let raw = Sealed {
            tier: Tier::Raw,
            start_ms: times.at_ms.first().copied().unwrap_or_default(),
            end_ms: times.at_ms.last().copied().unwrap_or_default(),
            seq,
            polls: number(times.at_ms.len()),
            times: times.encode(),
            chunks: Vec::new(),
        };
        let grids = tiers.iter().map(|&tier| (tier, Grid::new(times, tier))).filter(|(_, grid)| grid.buckets.are_worth_it(times));
        let tiers = grids.map(|(tier, grid)| {
            let (polls, times) = (number(grid.buckets.len()), grid.buckets.encode(tier.bucket_ms()));
            (Sealed { tier, polls, times, chunks: Vec::new(), ..raw }, grid)
        });
        Self { tiers: tiers.collect(), raw }
    }

    /// Adds what the polls said of a series.
    pub(super) fn add(&mut self, series: SeriesId, column: &Column, marks: &Marks) {
        let samples = number(column.samples());
        if samples == 0 {
            return;
        }
        self.raw.chunks.push(SealedChunk { series, samples, payload: column.encode() });
        for (sealed, grid) in &mut self.tiers {
            let payload = grid.roll(column, marks.of(series)).for_storage().encode(&grid.buckets);
            sealed.chunks.push(SealedChunk { series, samples, payload });
        }
    }

    /// The samples alone.
    pub(super) fn into_samples(self) -> Sealed {
        self.raw
    }

    /// The samples, then the tiers.
    pub(super) fn done(self) -> impl Iterator<Item = Sealed> {
        std::iter::once(self.raw).chain(self.tiers.into_iter().map(|(sealed, _)| sealed))
    }
}

/// Stores a span and its chunks, in the month where they belong.
pub(super) async fn insert_sealed(connection: &mut AnyConnection, box_id: i64, span: &Sealed) -> Result<(), StoreError> {
    months::make(connection, span.tier, span.start_ms).await?;
    insert_span(connection, box_id, span).await?;
    for some in span.chunks.chunks(CHUNKS_PER_INSERT) {
        insert_chunks(connection, span, some).await?;
    }
    Ok(())
}

async fn insert_span(connection: &mut AnyConnection, box_id: i64, span: &Sealed) -> Result<(), StoreError> {
    let insert = "insert into span (box_id, tier, start_ms, seq, end_ms, polls, payload, bytes) \
                  values ($1, $2, $3, $4, $5, $6, $7, $8)";
    let insert = sqlx::query(insert).bind(box_id).bind(span.tier.number()).bind(span.start_ms).bind(span.seq);
    insert.bind(span.end_ms).bind(span.polls).bind(&span.times[..]).bind(span.bytes()).execute(connection).await?;
    Ok(())
}

/// One statement for many rows: several times quicker than a statement each.
async fn insert_chunks(connection: &mut AnyConnection, span: &Sealed, chunks: &[SealedChunk]) -> Result<(), StoreError> {
    let rows: Vec<String> =
        (0..chunks.len()).map(|i| format!("(${}, $1, $2, $3, $4, ${}, ${})", 5 + i * 3, 6 + i * 3, 7 + i * 3)).collect();
    let insert = format!("insert into chunk (series_id, tier, start_ms, seq, end_ms, samples, payload) values {}", rows.join(", "));
    // Only numbers of placeholders are put together here.
    let mut insert = sqlx::query(AssertSqlSafe(insert)).bind(span.tier.number()).bind(span.start_ms).bind(span.seq).bind(span.end_ms);
    for chunk in chunks {
        insert = insert.bind(chunk.series.0).bind(chunk.samples).bind(&chunk.payload[..]);
    }
    insert.execute(connection).await?;
    Ok(())
}

fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_take_turns() {
        let turns: std::collections::BTreeSet<u64> = (1..=20).map(|box_id| stagger_ms(box_id) / (STAGGER_MS / 10)).collect();
        assert!(turns.len() >= 9, "{turns:?}");
    }
}
