//! What alerts did, for the scripts that run then: noted in the transaction of what it tells of, and taken once, by the panel that runs
//! scripts. It must not know what a script makes of it.

use serde::{Deserialize, Serialize};

use super::{Store, StoreError};

/// So much waits at most; what finds no room is told in the log.
const MAX_WAITING: i64 = 10_000;

/// What an alert did.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AlertNews {
    /// The rule.
    pub rule: String,
    /// The name of the box.
    pub box_name: String,
    /// `pending`, `firing`, `resolved`, `fine` (it was pending, and did not fire) or `acknowledged`.
    pub state: String,
    /// How bad it is.
    pub severity: String,
    /// What it says.
    pub text: String,
    /// The value, where there is one.
    pub value: Option<f64>,
    /// When, epoch milliseconds.
    pub at_ms: i64,
}

/// Notes it in the transaction of what it tells of, where a script waits for it.
pub(super) async fn insert_news(change: &mut sqlx::AnyConnection, all: &[AlertNews]) -> Result<(), StoreError> {
    if all.is_empty() {
        return Ok(());
    }
    let wanted = "select count(*) from script where schedule like 'on alert%'";
    let wanted: i64 = sqlx::query_scalar(wanted).fetch_one(&mut *change).await?;
    if wanted == 0 {
        return Ok(());
    }
    let waiting: i64 = sqlx::query_scalar("select count(*) from alert_news").fetch_one(&mut *change).await?;
    let room = usize::try_from(MAX_WAITING - waiting).unwrap_or_default();
    if all.len() > room {
        tracing::warn!(lost = all.len() - room, MAX_WAITING, "scripts are not told of all that alerts did: too much of it waits for them");
    }
    for news in all.iter().take(room) {
        let body = serde_json::to_string(news).unwrap_or_default();
        sqlx::query("insert into alert_news (body) values ($1)").bind(body).execute(&mut *change).await?;
    }
    Ok(())
}

impl Store {
    /// Takes the oldest, for one panel alone: it is nobody else's, and not told again.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn take_alert_news(&self) -> Result<Option<AlertNews>, StoreError> {
        loop {
            let oldest: Option<(i64, String)> =
                sqlx::query_as("select news_id, body from alert_news order by news_id limit 1").fetch_optional(&self.inner.read).await?;
            let Some((id, body)) = oldest else { return Ok(None) };
            let taken = sqlx::query("delete from alert_news where news_id = $1").bind(id).execute(&self.inner.write).await?;
            // Another panel may have been quicker, and another version may have written what this one cannot read.
            if taken.rows_affected() == 1
                && let Ok(news) = serde_json::from_str(&body)
            {
                return Ok(Some(news));
            }
        }
    }
}
