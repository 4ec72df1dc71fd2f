//! What alerts did, as it is read. It must not know what a rule means.

use super::alerts::{AlertEvent, EVENT};
use super::{Store, StoreError};

impl Store {
    /// Something that fires, or fired.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn alert_event(&self, event_id: i64) -> Result<Option<AlertEvent>, StoreError> {
        let select = format!("select {EVENT} from alert_event where event_id = $1");
        Ok(sqlx::query_as(sqlx::AssertSqlSafe(select)).bind(event_id).fetch_optional(&self.inner.read).await?)
    }

    /// What fired in a span, the newest first; at most so many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn alert_events(&self, from_ms: i64, to_ms: i64, most: i64) -> Result<Vec<AlertEvent>, StoreError> {
        let select = format!(
            "select {EVENT} from alert_event where fired_ms < $2 and (ended_ms is null or ended_ms >= $1) \
             order by fired_ms desc, event_id desc limit $3"
        );
        let select = sqlx::query_as(sqlx::AssertSqlSafe(select)).bind(from_ms).bind(to_ms).bind(most);
        Ok(select.fetch_all(&self.inner.read).await?)
    }

    /// From when to when a rule fired in a span, on one box or on any; the first so many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn alert_spans(
        &self,
        rule: &str,
        box_id: Option<i64>,
        (from_ms, to_ms): (i64, i64),
        most: i64,
    ) -> Result<Vec<(i64, Option<i64>)>, StoreError> {
        let select = "select fired_ms, ended_ms from alert_event where rule = $1 and box_id = coalesce($2, box_id) and fired_ms < $4 \
                      and (ended_ms is null or ended_ms >= $3) order by fired_ms limit $5";
        let select = sqlx::query_as(select).bind(rule).bind(box_id).bind(from_ms).bind(to_ms).bind(most);
        Ok(select.fetch_all(&self.inner.read).await?)
    }
}
