//! Gives the room of months back: of one of which nothing is kept at once, and of one of which little is left by packing that. Whoever is in
//! the way is not waited for: it is tried again with the next tidying.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use sqlx::{AnyConnection, AssertSqlSafe, Executor};

use super::super::dialect::Dialect;
use super::super::health::Trouble;
use super::super::retention::{Cutoffs, Retention};
use super::super::tier::Tier;
use super::super::{DAY_MS, Store, StoreError, locked};
use super::{Part, WHILE_DROPPING};

/// So long others may be waited for; whoever comes meanwhile waits behind, the recording too.
const PATIENCE: &str = "set local lock_timeout = '100ms'";

/// A month of which no more than this is left is packed: whoever reads it waits for so long.
const MAX_PACKED_BYTES: i64 = 256 << 20;

/// A month is packed when what is left takes less than half of its room, and more than this is won.
const MIN_WON_BYTES: i64 = 1 << 20;

/// What a row takes beside its payload, with its place in the index.
const ROW_BYTES: i64 = 170;

/// A month in which something may still be recorded or merged is not packed.
const SETTLED_MS: i64 = 3 * DAY_MS;

/// All months are looked at no more often than this: boxes have their turns one after the other.
const LOOK_EVERY_MS: i64 = 600_000;
/// Where somebody held one, it is looked again so soon.
const LOOK_AGAIN_MS: i64 = 5_000;

/// What is known of the room that can be given back.
pub(in crate::store) struct Given {
    /// Whether something was deleted since it was last looked for; after a start, nobody knows.
    deleted: AtomicBool,
    /// When it was looked for, and after how long it is again.
    looked: Mutex<Option<(i64, i64)>>,
    /// When it was last looked for what is older than these rules say.
    asked: Mutex<Option<(i64, Retention)>>,
    /// The day on which a part was packed, and the bytes that were left in it: its size may not tell.
    packed: Mutex<HashMap<Part, (i64, i64)>>,
}

impl Default for Given {
    fn default() -> Self {
        Self { deleted: AtomicBool::new(true), looked: Mutex::default(), asked: Mutex::default(), packed: Mutex::default() }
    }
}

impl Given {
    /// Something was deleted.
    pub(in crate::store) fn note_deletion(&self) {
        self.deleted.store(true, Ordering::Relaxed);
    }

    /// Much was deleted, and somebody waits for its room.
    pub(in crate::store) fn note_removal(&self) {
        *locked(&self.looked) = None;
        self.note_deletion();
    }

    fn is_due(&self, now_ms: i64) -> bool {
        let is_over = |(at_ms, for_ms): (i64, i64)| !(at_ms..at_ms.saturating_add(for_ms)).contains(&now_ms);
        self.deleted.load(Ordering::Relaxed) && locked(&self.looked).is_none_or(is_over)
    }

    /// Whether it was looked for what is older than these rules say, lately.
    fn was_asked(&self, retention: &Retention, now_ms: i64) -> bool {
        let mut asked = locked(&self.asked);
        let lately = |(at_ms, of): &(i64, Retention)| of == retention && (*at_ms..at_ms.saturating_add(LOOK_EVERY_MS)).contains(&now_ms);
        let was_asked = asked.as_ref().is_some_and(lately);
        if !was_asked {
            *asked = Some((now_ms, retention.clone()));
        }
        was_asked
    }

    /// Whether a part is to be left as it was packed: it was today, or not half of what there was then has gone since.
    fn is_packed(&self, part: Part, day: i64, bytes: i64) -> bool {
        locked(&self.packed).get(&part).is_some_and(|&(on, left)| on == day || bytes > left / 2)
    }
}

/// What came of trying to drop or to pack a month.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Done,
    /// There is nothing to be done.
    Stays,
    /// Somebody holds it.
    Held,
}

impl Store {
    /// Gives the room of what was deleted back.
    pub(in crate::store) async fn give_months_back(&self, now_ms: i64) -> Result<(), StoreError> {
        let given = &self.inner.given;
        if !given.is_due(now_ms) {
            return Ok(());
        }
        given.deleted.store(false, Ordering::Relaxed);
        *locked(&given.looked) = Some((now_ms, LOOK_EVERY_MS));
        for part in self.parts().await.inspect_err(|_| given.note_deletion())? {
            let outcome = match self.drop_empty(part).await {
                Ok(Outcome::Stays) => self.pack(part, now_ms).await,
                outcome => outcome,
            };
            if unheld(outcome).inspect_err(|_| given.note_deletion())? == Outcome::Held {
                *locked(&given.looked) = Some((now_ms, LOOK_AGAIN_MS));
                given.note_deletion();
                break;
            }
        }
        Ok(())
    }

    /// Drops the months of which nothing is kept by whatever rule, whole and unread. What is left goes row by row.
    pub(in crate::store) async fn drop_old_months(&self, retention: &Retention, now_ms: i64) -> Result<(), StoreError> {
        if self.inner.dialect == Dialect::Sqlite || self.inner.given.was_asked(retention, now_ms) {
            return Ok(());
        }
        let cutoffs = retention.longest().cutoffs(now_ms, Some(i64::MAX));
        for part in self.parts().await? {
            if part.month.bounds().1.is_some_and(|to_ms| to_ms <= cutoffs.latest(part.tier))
                && unheld(self.drop_old(part, &cutoffs).await)? == Outcome::Held
            {
                break;
            }
        }
        Ok(())
    }

    async fn parts(&self) -> Result<Vec<Part>, StoreError> {
        let names = "select child.relname::text from pg_catalog.pg_inherits join pg_catalog.pg_class child on child.oid = inhrelid \
                     where inhparent in ('chunk_raw'::regclass, 'chunk_minute'::regclass, 'chunk_hour'::regclass) order by 1";
        let names: Vec<String> = sqlx::query_scalar(names).fetch_all(&self.inner.read).await?;
        Ok(names.iter().filter_map(|name| Part::of_chunks(name)).collect())
    }

    async fn drop_empty(&self, part: Part) -> Result<Outcome, StoreError> {
        let mut connection = self.inner.read.acquire().await?;
        if !part.is_empty(&mut connection).await? {
            return Ok(Outcome::Stays);
        }
        drop(connection);
        // Not by the connection that records: nobody waits for those whom this one waits for.
        let mut change = self.inner.read.begin().await?;
        if !part.lock(&mut change).await? {
            return Ok(Outcome::Held);
        }
        if !part.is_there(&mut change).await? || !part.is_empty(&mut change).await? {
            return Ok(Outcome::Stays);
        }
        part.remove(&mut change).await?;
        change.commit().await?;
        Ok(Outcome::Done)
    }

    async fn drop_old(&self, part: Part, cutoffs: &Cutoffs) -> Result<Outcome, StoreError> {
        let mut connection = self.inner.read.acquire().await?;
        if part.keeps_something(&mut connection, cutoffs).await? {
            return Ok(Outcome::Stays);
        }
        drop(connection);
        let mut change = self.inner.read.begin().await?;
        if !part.lock(&mut change).await? {
            return Ok(Outcome::Held);
        }
        if !part.is_there(&mut change).await? || part.keeps_something(&mut change, cutoffs).await? {
            return Ok(Outcome::Stays);
        }
        if let (Tier::Raw, (_, Some(to_ms))) = (part.tier, part.month.bounds()) {
            let gone = format!(
                "update box set raw_from_ms = $1 where coalesce(raw_from_ms, $2) < $1 and box_id in (select box_id from {})",
                part.name("span")
            );
            sqlx::query(AssertSqlSafe(gone)).bind(to_ms).bind(i64::MIN).persistent(false).execute(&mut *change).await?;
        }
        part.remove(&mut change).await?;
        change.commit().await?;
        Ok(Outcome::Done)
    }

    /// Packs what is left of a month, when that is little.
    async fn pack(&self, part: Part, now_ms: i64) -> Result<Outcome, StoreError> {
        let (from_ms, to_ms) = part.month.bounds();
        let is_over = to_ms.is_some_and(|to_ms| to_ms.saturating_add(SETTLED_MS) <= now_ms);
        if !is_over && from_ms.is_none_or(|from_ms| from_ms <= now_ms) {
            return Ok(Outcome::Stays);
        }
        let mut connection = self.inner.read.acquire().await?;
        let (bytes, size) = part.sizes(&mut connection).await?;
        let day = now_ms.div_euclid(DAY_MS);
        let is_little = |size: i64, left: i64| left <= MAX_PACKED_BYTES && size - left > left.max(MIN_WON_BYTES);
        if !is_little(size, bytes) || self.inner.given.is_packed(part, day, bytes) {
            return Ok(Outcome::Stays);
        }
        // Pages of what lies outside of its row are not filled to the last byte.
        let left = bytes + bytes / 8 + part.rows(&mut connection).await? * ROW_BYTES;
        if !is_little(size, left) {
            return Ok(Outcome::Stays);
        }
        // It is not for others afterwards, with what it was told.
        connection.close_on_drop();
        connection.execute("set lock_timeout = '100ms'; set statement_timeout = 0").await?;
        let pack = format!("vacuum (full, analyze) {}, {}", part.name("span"), part.name("chunk"));
        connection.execute(AssertSqlSafe(pack)).await?;
        // While somebody still sees what was deleted, it is packed along.
        let (_, after) = part.sizes(&mut connection).await?;
        let is_seen = is_little(after, left);
        if is_seen {
            // It is looked again, though nothing more is deleted: the server's own tidying sees what was, too.
            self.inner.given.note_deletion();
        }
        let packed = if is_seen { i64::MAX } else { bytes };
        locked(&self.inner.given.packed).insert(part, (day, packed));
        tracing::info!(month = part.name("chunk"), before_bytes = size, after_bytes = after, "what is left of a month was packed");
        Ok(Outcome::Done)
    }
}

impl Part {
    /// Waits a little for whoever stores spans, and keeps others from it. Says whether nobody holds its tier: who reads for long is seen
    /// without waiting, so that others do not wait behind each time that it is tried.
    async fn lock(self, change: &mut AnyConnection) -> Result<bool, sqlx::Error> {
        change.execute(PATIENCE).await?;
        sqlx::query(WHILE_DROPPING).execute(&mut *change).await?;
        let held = format!(
            "select count(*) from pg_catalog.pg_locks where locktype = 'relation' and granted and pid <> pg_backend_pid() \
             and database = (select oid from pg_catalog.pg_database where datname = current_database()) \
             and relation in ('span_{tier}'::regclass, 'chunk_{tier}'::regclass)",
            tier = self.tier.as_str()
        );
        Ok(self.ask(change, held).await? == 0)
    }

    async fn remove(self, change: &mut AnyConnection) -> Result<(), sqlx::Error> {
        change.execute(AssertSqlSafe(format!("drop table {}, {}", self.name("span"), self.name("chunk")))).await?;
        tracing::info!(month = self.name("chunk"), "a month of which nothing is kept is dropped");
        Ok(())
    }

    /// Asks for one number; names and numbers of this module alone are put together in the question.
    async fn ask(self, connection: &mut AnyConnection, question: String) -> Result<i64, sqlx::Error> {
        sqlx::query_scalar(AssertSqlSafe(question)).persistent(false).fetch_one(connection).await
    }

    async fn is_empty(self, connection: &mut AnyConnection) -> Result<bool, sqlx::Error> {
        // Nearly always a span tells.
        let rows = |whole: &str| format!("select count(*) from (select 1 from {} limit 1) as one", self.name(whole));
        Ok(self.ask(connection, rows("span")).await? == 0 && self.ask(connection, rows("chunk")).await? == 0)
    }

    async fn rows(self, connection: &mut AnyConnection) -> Result<i64, sqlx::Error> {
        let rows = |whole: &str| format!("select count(*) from {}", self.name(whole));
        Ok(self.ask(connection, rows("span")).await? + self.ask(connection, rows("chunk")).await?)
    }

    /// The bytes of its spans and chunks, and those that they take on the disk.
    async fn sizes(self, connection: &mut AnyConnection) -> Result<(i64, i64), sqlx::Error> {
        let bytes = format!("select coalesce(sum(bytes), 0)::bigint from {}", self.name("span"));
        let size = |whole: &str| format!("pg_total_relation_size('{}'::regclass)", self.name(whole));
        let size = format!("select {} + {}", size("span"), size("chunk"));
        Ok((self.ask(connection, bytes).await?, self.ask(connection, size).await?))
    }

    /// Whether some span of it is kept by what holds for the longest, where what is coarser is there in its stead. A span that is there in a
    /// tier has had the chunks of all series there: those that have gone since went by rules that let the finer ones go as well.
    async fn keeps_something(self, connection: &mut AnyConnection, cutoffs: &Cutoffs) -> Result<bool, sqlx::Error> {
        let (from_ms, to_ms) = self.month.bounds();
        let has = |other: Tier| {
            format!(
                "exists (select 1 from span other where other.box_id = kept.box_id and other.tier = {} \
                 and other.start_ms = kept.start_ms and other.seq = kept.seq and other.start_ms >= {} and other.start_ms < {})",
                other.number(),
                from_ms.map_or_else(|| "'-9223372036854775808'::bigint".to_owned(), |ms| ms.to_string()),
                to_ms.unwrap_or(i64::MAX),
            )
        };
        let kept = format!(
            "select count(*) from (select 1 from {} kept join box on box.box_id = kept.box_id \
             where kept.end_ms >= coalesce(box.merged_ms, $4) or not (kept.end_ms < $1 or (kept.end_ms < $2 and {}) \
             or (kept.end_ms < $3 and {})) limit 1) as one",
            self.name("span"),
            has(Tier::Minutes),
            has(Tier::Hours),
        );
        let before = |other| cutoffs.before(self.tier, other);
        let kept = sqlx::query_scalar(AssertSqlSafe(kept)).bind(before(None)).bind(before(Some(Tier::Minutes)));
        let kept: i64 = kept.bind(before(Some(Tier::Hours))).bind(i64::MIN).persistent(false).fetch_one(connection).await?;
        Ok(kept > 0)
    }
}

/// Who holds a month is no failure, and neither is that another panel dropped it meanwhile.
fn unheld(outcome: Result<Outcome, StoreError>) -> Result<Outcome, StoreError> {
    match outcome {
        Err(StoreError::Unwritable(Trouble::Locked)) => Ok(Outcome::Held),
        Err(StoreError::Sql(error)) if is_gone(&error) => Ok(Outcome::Done),
        outcome => outcome,
    }
}

fn is_gone(error: &sqlx::Error) -> bool {
    error.as_database_error().and_then(sqlx::error::DatabaseError::code).as_deref() == Some("42P01")
}
