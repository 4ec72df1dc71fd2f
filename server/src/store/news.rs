//! What alerts did and what happened to boxes, for the scripts that run then: noted in the transaction of what it tells of, and there until
//! the panel that runs scripts has begun them. It must not know what a script makes of it.

use std::collections::HashMap;

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

/// What happened to a box.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BoxNews {
    /// The word for it, as schedules have it.
    pub what: String,
    /// The name of the box.
    pub box_name: String,
    /// More about it.
    pub text: String,
}

/// What scripts may wait for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum News {
    /// Of an alert.
    Alert(AlertNews),
    /// Of a box.
    Box(BoxNews),
}

/// How a box stood when what happened to it was noted last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BoxSeen {
    /// Its word; empty: nothing was noted yet.
    pub state: String,
    /// When it started, epoch milliseconds.
    pub started_ms: Option<i64>,
    /// Its address then.
    pub address: String,
}

/// Notes what alerts did in the transaction of what it tells of, where a script waits for it.
pub(super) async fn insert_news(change: &mut sqlx::AnyConnection, all: &[AlertNews]) -> Result<(), StoreError> {
    if all.is_empty() || !is_waited_for(change, "alert").await? {
        return Ok(());
    }
    insert(change, all.iter().cloned().map(News::Alert)).await
}

/// Whether a script waits for what has this word.
async fn is_waited_for(change: &mut sqlx::AnyConnection, what: &str) -> Result<bool, StoreError> {
    let waiting = "select count(*) from script where schedule = $1 or schedule like $2";
    let waiting = sqlx::query_scalar(waiting).bind(format!("on {what}")).bind(format!("on {what} %"));
    let waiting: i64 = waiting.fetch_one(&mut *change).await?;
    Ok(waiting > 0)
}

async fn insert(change: &mut sqlx::AnyConnection, all: impl ExactSizeIterator<Item = News>) -> Result<(), StoreError> {
    let waiting: i64 = sqlx::query_scalar("select count(*) from alert_news").fetch_one(&mut *change).await?;
    let room = usize::try_from(MAX_WAITING - waiting).unwrap_or_default();
    if all.len() > room {
        tracing::warn!(lost = all.len() - room, MAX_WAITING, "scripts are not told of all that happened: too much of it waits for them");
    }
    for news in all.take(room) {
        let body = serde_json::to_string(&news).unwrap_or_default();
        sqlx::query("insert into alert_news (body) values ($1)").bind(body).execute(&mut *change).await?;
    }
    Ok(())
}

impl Store {
    /// How boxes stood when what happened to them was noted last.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn boxes_seen(&self) -> Result<HashMap<i64, BoxSeen>, StoreError> {
        let select = "select box_id, seen_state, seen_started_ms, coalesce(seen_address, '') from box \
                      where removed_ms is null and seen_state is not null";
        let rows: Vec<(i64, String, Option<i64>, String)> = sqlx::query_as(select).fetch_all(&self.inner.read).await?;
        let seen = |(id, state, started_ms, address)| (id, BoxSeen { state, started_ms, address });
        Ok(rows.into_iter().map(seen).collect())
    }

    /// Notes how a box stands now, and with it what happened, where a script waits for that: all of it or none, and once. False: another
    /// panel noted something meanwhile.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn see_box(&self, id: i64, before: &BoxSeen, after: &BoxSeen, news: &[BoxNews]) -> Result<bool, StoreError> {
        let mut change = self.begin_write().await?;
        let update = "update box set seen_state = $1, seen_started_ms = $2, seen_address = $3 where box_id = $4 \
                      and coalesce(seen_state, '') = $5 and coalesce(seen_started_ms, 0) = $6 and coalesce(seen_address, '') = $7";
        let update = sqlx::query(update).bind(&after.state).bind(after.started_ms).bind(&after.address).bind(id);
        let update = update.bind(&before.state).bind(before.started_ms.unwrap_or_default()).bind(&before.address);
        if update.execute(&mut *change).await?.rows_affected() == 0 {
            return Ok(false);
        }
        for news in news {
            if is_waited_for(&mut change, &news.what).await? {
                insert(&mut change, std::iter::once(News::Box(news.clone()))).await?;
            }
        }
        change.commit().await?;
        Ok(true)
    }

    /// The oldest of what waits, and its number. It is there until it is settled: what began a run of a script begins none of it again.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn oldest_news(&self) -> Result<Option<(i64, News)>, StoreError> {
        loop {
            let oldest: Option<(i64, String)> =
                sqlx::query_as("select news_id, body from alert_news order by news_id limit 1").fetch_optional(&self.inner.read).await?;
            let Some((id, body)) = oldest else { return Ok(None) };
            match serde_json::from_str(&body) {
                Ok(news) => return Ok(Some((id, news))),
                // Another version wrote it.
                Err(error) => tracing::warn!(%error, "what happened cannot be read: scripts are not told of it"),
            }
            self.settle_news(id).await?;
        }
    }

    /// All scripts that wait for it have run.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn settle_news(&self, id: i64) -> Result<(), StoreError> {
        sqlx::query("delete from alert_news where news_id = $1").bind(id).execute(&self.inner.write).await?;
        Ok(())
    }
}
