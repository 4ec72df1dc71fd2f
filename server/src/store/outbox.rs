//! What scripts send, until it is delivered: it survives the panel's end. It must not know how it is delivered.

use super::{Store, StoreError};

/// So many that are over are kept, for people to see.
const KEPT_OVER: i64 = 500;
/// So many may wait: a receiver that is away for long must not fill the disk.
pub const MAX_WAITING: i64 = 10_000;

/// What is to be sent.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Outgoing {
    /// Its number, in the order of sending.
    #[sqlx(rename = "outbox_id")]
    pub id: i64,
    /// The script that sends it.
    pub script_name: String,
    /// The line of the script.
    pub line: Option<i64>,
    /// By which the receiver knows what it has already.
    pub idempotency_key: String,
    /// Where it goes.
    pub url: String,
    /// What it is.
    pub content_type: String,
    /// The body.
    pub body: String,
    /// When the script sent it.
    pub created_ms: i64,
    /// How often it was tried.
    pub attempts: i64,
    /// When it is tried next; none: it is over.
    pub next_ms: Option<i64>,
    /// `waiting`, `delivered` or `given up`.
    pub outcome: String,
    /// What came of the last try.
    pub answer: String,
}

const OUTGOING: &str = "select outbox_id, script_name, line, idempotency_key, url, content_type, body, created_ms, attempts, next_ms, outcome, \
                        answer from script_outbox";

impl Store {
    /// Takes something to be sent at once.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when too much waits already.
    pub async fn send_later(&self, one: &Outgoing) -> Result<(), StoreError> {
        let waiting: i64 =
            sqlx::query_scalar("select count(*) from script_outbox where next_ms is not null").fetch_one(&self.inner.read).await?;
        if waiting >= MAX_WAITING {
            return Err(StoreError::Conflict(format!("{MAX_WAITING} posts of scripts wait to be delivered already")));
        }
        let insert = "insert into script_outbox (script_name, line, idempotency_key, url, content_type, body, created_ms, attempts, next_ms, \
                      outcome, answer) values ($1, $2, $3, $4, $5, $6, $7, 0, $7, 'waiting', '')";
        let insert = sqlx::query(insert).bind(&one.script_name).bind(one.line).bind(&one.idempotency_key).bind(&one.url);
        insert.bind(&one.content_type).bind(&one.body).bind(one.created_ms).execute(&self.inner.write).await?;
        Ok(())
    }

    /// Takes up to so many that are due, for one panel alone until `again_ms`: then they are due again, should it not say what came of them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn take_outgoing(&self, now_ms: i64, again_ms: i64, at_most: i64) -> Result<Vec<Outgoing>, StoreError> {
        let select = format!("{OUTGOING} where next_ms <= $1 order by next_ms, outbox_id limit $2");
        let due: Vec<Outgoing> = sqlx::query_as(sqlx::AssertSqlSafe(select)).bind(now_ms).bind(at_most).fetch_all(&self.inner.read).await?;
        let mut taken = Vec::with_capacity(due.len());
        for one in due {
            let take =
                "update script_outbox set next_ms = $1, attempts = attempts + 1 where outbox_id = $2 and attempts = $3 and next_ms = $4";
            let take = sqlx::query(take).bind(again_ms).bind(one.id).bind(one.attempts).bind(one.next_ms);
            // Another panel may have been quicker.
            if take.execute(&self.inner.write).await?.rows_affected() == 1 {
                taken.push(Outgoing { attempts: one.attempts + 1, next_ms: Some(again_ms), ..one });
            }
        }
        Ok(taken)
    }

    /// Says what came of a try: it is tried again at `next_ms`, or it is over.
    ///
    /// # Errors
    /// When the database fails: it is tried again.
    pub async fn settle_outgoing(&self, id: i64, outcome: &str, answer: &str, next_ms: Option<i64>, now_ms: i64) -> Result<(), StoreError> {
        let mut change = self.begin_write().await?;
        let update = "update script_outbox set next_ms = $1, outcome = $2, answer = $3, ended_ms = $4 where outbox_id = $5";
        let ended = next_ms.is_none().then_some(now_ms);
        sqlx::query(update).bind(next_ms).bind(outcome).bind(answer).bind(ended).bind(id).execute(&mut *change).await?;
        if ended.is_some() {
            let old = "delete from script_outbox where next_ms is null and outbox_id <= \
                       (select outbox_id from script_outbox where next_ms is null order by outbox_id desc limit 1 offset $1)";
            sqlx::query(old).bind(KEPT_OVER).execute(&mut *change).await?;
        }
        Ok(change.commit().await?)
    }

    /// The newest of what scripts sent, whatever became of it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn outgoing(&self, at_most: i64) -> Result<Vec<Outgoing>, StoreError> {
        let select = sqlx::AssertSqlSafe(format!("{OUTGOING} order by outbox_id desc limit $1"));
        Ok(sqlx::query_as(select).bind(at_most).fetch_all(&self.inner.read).await?)
    }

    /// When the next is to be sent.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn next_outgoing_ms(&self) -> Result<Option<i64>, StoreError> {
        Ok(sqlx::query_scalar("select min(next_ms) from script_outbox where next_ms is not null").fetch_one(&self.inner.read).await?)
    }
}
