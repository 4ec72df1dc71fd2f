//! Mends what [`Store::check`] finds and what can be made anew: roll-ups, from the samples they came from. Nothing else is touched, so that it
//! never makes anything worse. It must not know who asks for it.

use super::check::{read_chunk, read_spans, tier_name};
use super::chunk::{Column, Times};
use super::roll::Grid;
use super::tier::Tier;
use super::types::SeriesId;
use super::{Store, StoreError};

/// Where a span is: its box, tier, start and number.
#[derive(Clone, Copy)]
struct Place {
    box_id: i64,
    tier: Tier,
    start_ms: i64,
    seq: i64,
}

impl Store {
    /// Makes damaged roll-ups anew from the samples; says what was mended, each with its place.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn repair(&self) -> Result<Vec<String>, StoreError> {
        let mut mended = Vec::new();
        let boxes: Vec<i64> = sqlx::query_scalar("select box_id from box order by box_id").fetch_all(&self.inner.read).await?;
        for box_id in boxes {
            let spans = read_spans(&self.inner.read, box_id).await?;
            for (&(tier, start_ms, seq), span) in &spans {
                let Some(tier) = Tier::of_number(tier).filter(|tier| *tier != Tier::Raw && span.is_err()) else { continue };
                if self.mend_span(Place { box_id, tier, start_ms, seq }).await? {
                    mended.push(format!("the span of {} of box {box_id} that begins at {start_ms}", tier_name(tier.number())));
                }
            }
            // Those of mended spans as well.
            let spans = read_spans(&self.inner.read, box_id).await?;
            for (series, name) in self.series_of(box_id).await? {
                let chunks = "select tier, start_ms, seq, samples, payload from chunk where series_id = $1 and tier > 0";
                let chunks: Vec<(i64, i64, i64, i64, Vec<u8>)> = sqlx::query_as(chunks).bind(series.0).fetch_all(&self.inner.read).await?;
                for (number, start_ms, seq, samples, payload) in chunks {
                    let (Some(span), Some(tier)) = (spans.get(&(number, start_ms, seq)), Tier::of_number(number)) else { continue };
                    let place = Place { box_id, tier, start_ms, seq };
                    if span.is_ok() && read_chunk(Some(span), &payload, samples).is_err() && self.mend_chunk(place, series).await? {
                        mended.push(format!("the chunk of {} of {name} of box {box_id} that begins at {start_ms}", tier_name(number)));
                    }
                }
            }
        }
        mended.sort_unstable();
        Ok(mended)
    }

    /// The poll times that a roll-up was made of; none where they are gone or damaged themselves.
    async fn times_of(&self, place: Place) -> Result<Option<Times>, StoreError> {
        let times = "select payload from span where box_id = $1 and tier = 0 and start_ms = $2 and seq = $3";
        let times = sqlx::query_scalar(times).bind(place.box_id).bind(place.start_ms).bind(place.seq);
        let times: Option<Vec<u8>> = times.fetch_optional(&self.inner.read).await?;
        Ok(times.and_then(|times| Times::decode(&times).ok()))
    }

    async fn mend_span(&self, place: Place) -> Result<bool, StoreError> {
        let Some(times) = self.times_of(place).await? else { return Ok(false) };
        let buckets = Grid::new(&times, place.tier).buckets;
        let update = "update span set payload = $1, polls = $2, end_ms = $3 where box_id = $4 and tier = $5 and start_ms = $6 and seq = $7";
        let update = sqlx::query(update).bind(buckets.encode(place.tier.bucket_ms()));
        let update = update.bind(i64::try_from(buckets.len()).unwrap_or(i64::MAX)).bind(times.at_ms.last().copied());
        let update = update.bind(place.box_id).bind(place.tier.number()).bind(place.start_ms).bind(place.seq);
        Ok(update.execute(&self.inner.write).await?.rows_affected() > 0)
    }

    async fn mend_chunk(&self, place: Place, series: SeriesId) -> Result<bool, StoreError> {
        let Some(times) = self.times_of(place).await? else { return Ok(false) };
        let column = "select payload from chunk where series_id = $1 and tier = 0 and start_ms = $2 and seq = $3";
        let column = sqlx::query_scalar(column).bind(series.0).bind(place.start_ms).bind(place.seq);
        let column: Option<Vec<u8>> = column.fetch_optional(&self.inner.read).await?;
        let Some(column) = column.and_then(|bytes| Column::of_span(&bytes, times.at_ms.len()).ok()) else { return Ok(false) };
        let (Some(&first_ms), Some(&last_ms)) = (times.at_ms.first(), times.at_ms.last()) else { return Ok(false) };
        let marks = self.marks_of(place.box_id, first_ms, last_ms).await?;
        let grid = Grid::new(&times, place.tier);
        let payload = grid.roll(&column, marks.of(series)).for_storage().encode(&grid.buckets);
        let update = "update chunk set payload = $1, samples = $2 where series_id = $3 and tier = $4 and start_ms = $5 and seq = $6";
        let update = sqlx::query(update).bind(payload).bind(i64::try_from(column.samples()).unwrap_or(i64::MAX)).bind(series.0);
        let update = update.bind(place.tier.number()).bind(place.start_ms).bind(place.seq);
        Ok(update.execute(&self.inner.write).await?.rows_affected() > 0)
    }
}
