//! All SQL: boxes, ticks, accounts, what scripts push, and the samples in their packed head and sealed chunks. It must not know wires or pages.
//!
//! A sample's way: [`record`](Store::record) hands a poll to the one writer, which commits it as a row of the box's *head*;
//! [`seal_due`](Store::seal_due) turns a head into a *span* (the poll times) and a *chunk* per series; [`samples`](Store::samples)
//! reads both as one. The formats are described byte by byte in `migrations/README.md`.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sqlx::AnyPool;

mod accounts;
mod alert_history;
mod alert_rules;
mod alerts;
mod backup;
mod boxes;
mod bring;
mod bytes;
mod cell;
mod check;
mod chunk;
mod claim;
mod custom;
mod deliveries;
mod derived;
mod dialect;
mod doubt;
mod guess;
mod head;
mod health;
mod insert;
mod last;
mod late;
mod late_alerts;
mod lease;
mod listen;
mod live;
mod marks;
mod merge;
mod months;
mod news;
mod notes;
mod ocp;
mod open;
mod outbox;
mod pack;
mod postgres;
mod read;
mod record;
mod repair;
mod retention;
mod roll;
mod rolled;
mod rollup;
mod rollups;
mod row;
mod samples;
mod scripts;
mod seal;
mod series;
mod sets;
mod space;
mod spans;
mod sqlite;
mod steps;
mod tail;
#[cfg(test)]
mod tests;
mod ticks;
mod tier;
mod transfer;
mod types;
mod usage;

pub use alert_rules::StoredRule;
pub use alerts::{AlertEvent, AlertStep, AlertTurn, KeptStep, Silence, StepTo, ToTell};
pub use bring::{Brought, Incoming};
pub use custom::Custom;
pub use deliveries::{Delivery, NewDelivery, StoredDestination};
pub use derived::StoredDerived;
pub use health::Trouble;
pub use late_alerts::{LateAlert, LateAlerts, LateEvent};
pub use lease::{LEASE, PanelName, PanelSeen, Turn};
pub use listen::Changes;
pub use live::Live;
pub use news::{AlertNews, BoxNews, BoxSeen, News};
pub use notes::NoteSearch;
pub use ocp::{OcpDatabase, SampleRow};
pub use outbox::{MAX_WAITING, Outgoing};
pub use record::{MAX_BATCH_POLLS, QUEUE_POLLS};
pub use retention::{DEFAULT_KEEP, Keep, KeepRule, Kept, Retention};
pub use roll::{GAP_INTERVALS, MarkedStep};
pub use rollup::{Bucket, Rates, Rollup, Summary};
pub use samples::{Samples, Values};
pub use scripts::{Begun, KEPT_RUNS, KEPT_VERSIONS, ScriptRun, ScriptVersion, StoredScript};
pub use sets::ChartSet;
pub use tier::Tier;
pub use transfer::{ExportFile, Exported, ImportStep, Imported};
pub use types::{Account, BoxSpec, CheckReport, LastKnown, Mark, PollRecord, SeriesId, StoreStats, StoredBox, TickRule, Token};
pub use usage::Usage;

/// A day, which begins at midnight UTC.
const DAY_MS: i64 = 86_400_000;

/// Why the database did not do it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database said no.
    #[error("the database failed: {0}")]
    Sql(#[source] sqlx::Error),
    /// A migration failed.
    #[error("the database could not be brought up to date: {0}")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// The database cannot be opened, or is of a newer Tickmark.
    #[error("{0}")]
    Open(String),
    /// A name that must be unique is taken.
    #[error("{0} exists already")]
    Taken(String),
    /// What was to be changed is not there.
    #[error("{0} does not exist")]
    Missing(String),
    /// Stored bytes that do not decode.
    #[error("damaged: {0}")]
    Damaged(String),
    /// More polls wait to be committed than may; this one was dropped.
    #[error("the database is too slow: {QUEUE_POLLS} polls wait to be written, this one was dropped")]
    Full,
    /// Nothing can be written at this moment; what was to be written is worth another try.
    #[error("the database cannot be written: {0}")]
    Unwritable(Trouble),
    /// The other panels gave this one up, or took the box from it.
    #[error("another panel polls the box by now")]
    Superseded,
    /// Another process wrote what only this one may.
    #[error("{0}")]
    Conflict(String),
    /// A file that is written or read beside the database.
    #[error("{0}")]
    File(String),
    /// The store is closed.
    #[error("the store is closed")]
    Closed,
}

impl StoreError {
    /// The failure kind, as logs and metric labels name it.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Sql(_) => "sql",
            Self::Migrate(_) => "migrate",
            Self::Open(_) => "open",
            Self::Taken(_) => "taken",
            Self::Missing(_) => "missing",
            Self::Damaged(_) => "damaged",
            Self::Full => "full",
            Self::Unwritable(_) => "unwritable",
            Self::Superseded => "superseded",
            Self::Conflict(_) => "conflict",
            Self::File(_) => "file",
            Self::Closed => "closed",
        }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::PoolClosed => Self::Closed,
            error => Trouble::of(&error).map_or_else(|| Self::Sql(error), Self::Unwritable),
        }
    }
}

/// The database. Cheap to clone; all clones share one writer.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    /// The one connection that writes.
    write: AnyPool,
    /// The connections that read; the same as `write` when the database is in memory.
    read: AnyPool,
    /// The connection for what must not wait for the writer: what panels that share a server tell each other.
    side: AnyPool,
    leases: Arc<lease::Leases>,
    dialect: dialect::Dialect,
    /// The file; none in memory or on a server.
    path: Option<PathBuf>,
    /// The server's; none where there is none.
    url: Option<crate::config::PostgresUrl>,
    writer: record::Writer,
    health: Arc<health::Health>,
    claim: Arc<claim::Claim>,
    /// The bytes of a database on a server, as they were last told.
    known_size_bytes: std::sync::atomic::AtomicU64,
    /// The heads of boxes that were read.
    heads: Mutex<HashMap<i64, SharedHead>>,
    /// The box of each series that was read.
    series_boxes: Mutex<HashMap<SeriesId, i64>>,
    /// Before when samples of each box that was asked for are gone.
    raw_from: Mutex<HashMap<i64, Option<i64>>>,
    /// The poll times of spans that were read.
    spans: Mutex<spans::Spans>,
    /// What room of a server may be given back.
    given: months::Given,
}

/// A head in memory. Whoever locks it may take a connection then, never the other way round.
type SharedHead = Arc<tokio::sync::Mutex<head::Head>>;

impl Store {
    /// Begins a transaction that will write.
    async fn begin_write(&self) -> Result<sqlx::Transaction<'static, sqlx::Any>, sqlx::Error> {
        if self.inner.health.is_removed() {
            return Err(sqlx::Error::Io(std::io::ErrorKind::NotFound.into()));
        }
        self.inner.write.begin_with(self.inner.dialect.begin_write()).await
    }

    /// Begins a transaction whose questions all see the same state.
    async fn begin_read(&self) -> Result<sqlx::Transaction<'static, sqlx::Any>, sqlx::Error> {
        self.inner.read.begin_with(self.inner.dialect.begin_read()).await
    }

    fn head_of(&self, box_id: i64) -> SharedHead {
        Arc::clone(locked(&self.inner.heads).entry(box_id).or_default())
    }

    /// A cheap question that shows that the database answers (`/readyz`).
    ///
    /// # Errors
    /// When it does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.revision().await.map(|_| ())
    }

    /// Counts the changes to boxes, ticks, kinds, accounts and tokens, by whatever process: when it moved, read them again.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn revision(&self) -> Result<i64, StoreError> {
        Ok(sqlx::query_scalar("select changes from revision where revision_id = 1").fetch_one(&self.inner.read).await?)
    }

    /// What keeps the database from being written at this moment, and every change of that.
    #[must_use]
    pub fn trouble(&self) -> tokio::sync::watch::Receiver<Option<Trouble>> {
        self.inner.health.watch()
    }

    /// Where the database could not be written: tries again with a small write, so that the end of the trouble is noticed also when
    /// nothing waits.
    pub async fn probe_trouble(&self) {
        if self.inner.health.watch().borrow().is_none() {
            return;
        }
        let write = async {
            let mut change = self.begin_write().await?;
            sqlx::query("update revision set changes = changes where revision_id = 1").execute(&mut *change).await?;
            change.commit().await
        };
        self.note(write.await.map_err(StoreError::from)).unwrap_or_default();
    }

    /// Notes what the outcome of a write says of the database.
    fn note<T>(&self, outcome: Result<T, StoreError>) -> Result<T, StoreError> {
        match &outcome {
            Ok(_) => self.inner.health.good(),
            Err(StoreError::Unwritable(trouble)) => self.inner.health.bad(trouble),
            Err(_) => {}
        }
        outcome
    }

    /// Begins a change of what [`Self::revision`] counts, and counts it.
    async fn begin_change(&self) -> Result<sqlx::Transaction<'static, sqlx::Any>, StoreError> {
        let begin = async {
            let mut change = self.begin_write().await?;
            sqlx::query(self.inner.dialect.count_change()).execute(&mut *change).await?;
            Ok::<_, sqlx::Error>(change)
        };
        let begun = begin.await.map_err(StoreError::from);
        if let Err(StoreError::Unwritable(trouble)) = &begun {
            self.inner.health.bad(trouble);
        }
        begun
    }
}

/// Locks what no panic can leave half-changed.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A unique name that is taken, said with that name; any other error as it is.
fn taken(error: sqlx::Error, what: &str, name: &str) -> StoreError {
    if error.as_database_error().is_some_and(sqlx::error::DatabaseError::is_unique_violation) {
        StoreError::Taken(format!("{what} {name}"))
    } else {
        error.into()
    }
}
