//! Reads what a series came to in each minute or hour: from the roll-ups where they are stored, else from the samples. It must not know how
//! that is drawn.

use app::model::Gap;

use super::bytes::Damage;
use super::marks::Marks;
use super::read::{Ask, ChunkRow, Piece};
use super::roll::{Buckets, Grid, Rolled};
use super::rollup::{Part, Rollup};
use super::tier::Tier;
use super::types::SeriesId;
use super::{Store, StoreError};

impl Store {
    /// What a series did in the buckets of a tier that touch `from_ms..to_ms`. Where only a coarser one is left, its buckets. A series that is
    /// not there did nothing. What does not decode is made anew from the samples; where these are damaged too, or gone,
    /// [`Rollup::damaged`] names it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn rollup(&self, series: SeriesId, from_ms: i64, to_ms: i64, tier: Tier) -> Result<Rollup, StoreError> {
        let Some(box_id) = self.box_of(series).await? else { return Ok(Rollup::default()) };
        let ask = Ask { box_id, series, from_ms, to_ms, tiers: tier.preferred().collect() };
        let stored = self.stored(&ask).await?;
        let coarsest = stored.rows.iter().filter_map(|row| Tier::of_number(row.tier)).fold(tier, Ord::max);
        let marks = self.marks_of(box_id, from_ms, to_ms).await?;
        let mut parts = Vec::with_capacity(stored.rows.len() + stored.recent.len());
        let mut damaged = stored.damaged;
        for row in &stored.rows {
            match self.part(&ask, row, coarsest, &marks).await? {
                Ok(part) => parts.extend(part),
                Err(gap) => damaged.push(gap),
            }
        }
        parts.extend(stored.recent.iter().filter_map(|piece| rolled(piece, &ask, coarsest, &marks)));
        Ok(Rollup { damaged, ..Rollup::of(&parts, coarsest, from_ms, to_ms) })
    }

    /// A chunk, rolled up.
    async fn part(&self, ask: &Ask, row: &ChunkRow, tier: Tier, marks: &Marks) -> Result<Result<Option<Part>, Gap>, StoreError> {
        let damage = match self.decoded(ask, row, tier, marks) {
            Ok(part) => return Ok(Ok(part)),
            Err(damage) => damage,
        };
        if row.tier != Tier::Raw.number() {
            let raw = Ask { from_ms: row.start_ms, to_ms: row.start_ms.saturating_add(1), tiers: vec![Tier::Raw], ..*ask };
            let samples = self.stored(&raw).await?.rows.into_iter().find(|sample| (sample.start_ms, sample.seq) == (row.start_ms, row.seq));
            if let Some(part) = samples.and_then(|samples| self.decoded(ask, &samples, tier, marks).ok()) {
                tracing::error!(
                    series = ask.series.0,
                    start_ms = row.start_ms,
                    "roll-ups are damaged and made from the samples: {}",
                    damage.0
                );
                return Ok(Ok(part));
            }
        }
        Ok(Err(row.gap(ask, damage.0)))
    }

    fn decoded(&self, ask: &Ask, row: &ChunkRow, tier: Tier, marks: &Marks) -> Result<Option<Part>, Damage> {
        match Tier::of_number(row.tier).ok_or(Damage("its tier is of a newer Tickmark"))? {
            Tier::Raw => Ok(rolled(&self.piece(ask.box_id, row)?, ask, tier, marks)),
            stored => {
                let buckets = Buckets::decode(row.times.as_deref().ok_or(Damage("its span is missing"))?, stored.bucket_ms())?;
                let rolled = Rolled::decode(&row.payload, &buckets)?;
                Ok(Some(Part { buckets, rolled }))
            }
        }
    }
}

/// Samples, rolled up; none where none lies in the span.
fn rolled(piece: &Piece, ask: &Ask, tier: Tier, marks: &Marks) -> Option<Part> {
    let within = piece.times.within(ask.from_ms, ask.to_ms);
    if within.is_empty() {
        return None;
    }
    let (times, column) = (piece.times.part(within.clone()), piece.column.part(within));
    let grid = Grid::new(&times, tier);
    let rolled = grid.roll(&column, marks.of(ask.series));
    Some(Part { rolled, buckets: grid.buckets })
}
