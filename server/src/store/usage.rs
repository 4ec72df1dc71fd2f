//! What the history takes: by box and tier, and how it grows. It must not know who asks.

use super::tier::Tier;
use super::{DAY_MS, Store, StoreError};

/// Growth is that of so many days.
const GROWTH_DAYS: i64 = 7;

/// What one tier of one box takes.
#[derive(Clone, Debug, PartialEq)]
pub struct Usage {
    /// The box.
    pub box_id: i64,
    /// Its name, also when it was removed and its history kept.
    pub box_name: String,
    /// The tier.
    pub tier: Tier,
    /// Bytes of spans and chunks.
    pub bytes: i64,
    /// The first instant of it, epoch milliseconds.
    pub from_ms: i64,
    /// By how many bytes it grew a day, lately; none where there is no whole day yet.
    pub bytes_a_day: Option<i64>,
}

impl Store {
    /// What is sealed, by box and tier.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn usage(&self, now_ms: i64) -> Result<Vec<Usage>, StoreError> {
        let lately_ms = now_ms.saturating_sub(GROWTH_DAYS * DAY_MS);
        let select = "select box.box_id, box.name, span.tier, cast(sum(span.bytes) as bigint), min(span.start_ms), \
                      cast(sum(case when span.start_ms >= $1 then span.bytes else 0 end) as bigint) \
                      from box join span on span.box_id = box.box_id where box.purging = 0 \
                      group by box.box_id, box.name, span.tier order by box.name, box.box_id, span.tier";
        let rows: Vec<(i64, String, i64, i64, i64, i64)> = sqlx::query_as(select).bind(lately_ms).fetch_all(&self.inner.read).await?;
        let usage = |(box_id, box_name, tier, bytes, from_ms, lately): (i64, String, i64, i64, i64, i64)| {
            let days_ms = now_ms.saturating_sub(from_ms.max(lately_ms));
            let bytes_a_day = (days_ms >= DAY_MS).then(|| i64::try_from(i128::from(lately) * i128::from(DAY_MS) / i128::from(days_ms)));
            let bytes_a_day = bytes_a_day.and_then(Result::ok);
            Some(Usage { box_id, box_name, tier: Tier::of_number(tier)?, bytes, from_ms, bytes_a_day })
        };
        Ok(rows.into_iter().filter_map(usage).collect())
    }
}
