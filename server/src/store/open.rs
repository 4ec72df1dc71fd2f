//! Opens the database, brings it up to date, closes it. It must not know what is in it.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::{AnyConnection, AnyPool, Executor};

use super::claim::{Claim, Share};
use super::dialect::Dialect;
use super::health::Health;
use super::lease::Leases;
use super::{Inner, Store, StoreError, StoreStats, Trouble, months, postgres, record, sqlite};
use crate::config::{Database, PostgresUrl};

static SQLITE: Migrator = sqlx::migrate!("../migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("../migrations/postgres");

/// The steps from nothing to the schema of this version.
pub(super) fn migrations(dialect: Dialect) -> &'static Migrator {
    match dialect {
        Dialect::Sqlite => &SQLITE,
        Dialect::Postgres => &POSTGRES,
    }
}

/// The number of the last migration, which is the same of both.
pub(super) fn schema() -> u64 {
    SQLITE.iter().map(|migration| migration.version.unsigned_abs()).max().unwrap_or_default()
}

/// Connections that read; more than cores would only wait for each other.
const READ_CONNECTIONS: u32 = 4;

/// Connections of what panels tell each other.
const SIDE_CONNECTIONS: u32 = 2;

/// What is to be opened.
enum Target {
    Memory,
    File(PathBuf),
    Server(PostgresUrl),
}

impl Target {
    fn of(url: &str) -> Result<Self, StoreError> {
        Ok(match Database::parse(url).map_err(StoreError::Open)? {
            Database::Memory => Self::Memory,
            Database::Sqlite { path, .. } => Self::File(path),
            Database::Postgres(url) => Self::Server(url),
        })
    }

    fn dialect(&self) -> Dialect {
        match self {
            Self::Memory | Self::File(_) => Dialect::Sqlite,
            Self::Server(_) => Dialect::Postgres,
        }
    }

    fn migrations(&self) -> &'static Migrator {
        migrations(self.dialect())
    }

    /// As people read it.
    fn shown(&self) -> String {
        match self {
            Self::Memory => "the database in memory".to_owned(),
            Self::File(path) => path.display().to_string(),
            Self::Server(url) => url.to_string(),
        }
    }

    fn refusal(&self, error: &sqlx::Error) -> StoreError {
        match self {
            Self::Memory | Self::File(_) => sqlite::refusal(&self.shown(), error),
            Self::Server(url) => postgres::refusal(url, error),
        }
    }

    /// The pool that writes, the pool that reads, and the one beside them; the same for a database in memory.
    async fn connect(&self, health: &Arc<Health>, claim: &Arc<Claim>) -> Result<[AnyPool; 3], sqlx::Error> {
        match self {
            Self::Memory => {
                let pool = sqlite::pool(1, health).connect(&sqlite::connect_url(None)).await?;
                Ok([pool.clone(), pool.clone(), pool])
            }
            Self::File(path) => {
                let url = sqlite::connect_url(Some(path));
                let read = sqlite::pool(READ_CONNECTIONS, health).connect(&url).await?;
                Ok([sqlite::pool(1, health).connect(&url).await?, read.clone(), read])
            }
            Self::Server(url) => {
                let write = postgres::pool(1, Some(Arc::clone(claim))).connect(url.to_connect()).await?;
                let read = postgres::pool(READ_CONNECTIONS, None).connect(url.to_connect()).await?;
                Ok([write, read, postgres::pool(SIDE_CONNECTIONS, None).connect_lazy(url.to_connect())?])
            }
        }
    }
}

impl Store {
    /// Opens, or makes, the database of a URL (as [`Database::parse`] reads it), and brings it up to date. One on a server is not made,
    /// only its tables.
    ///
    /// # Errors
    /// [`StoreError::Open`] names the database and what to do; [`StoreError::Migrate`] when a migration fails.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        let store = Self::open_to_import(url).await?;
        store.refuse_half().await?;
        store.finish_purges().await?;
        Ok(store)
    }

    /// Opens a database as [`Self::open`] does, also one that was imported by half, and changes no row of it.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub async fn open_to_import(url: &str) -> Result<Self, StoreError> {
        sqlx::any::install_default_drivers();
        let target = Target::of(url)?;
        match &target {
            Target::Memory => {}
            Target::File(path) => sqlite::prepare(path, &sqlite::connect_url(Some(path))).await?,
            Target::Server(url) => postgres::prepare(url).await?,
        }
        let (dialect, claim) = (target.dialect(), Arc::new(Claim::default()));
        let path = if let Target::File(path) = &target { Some(path.clone()) } else { None };
        let health = Arc::new(Health::new(path.clone(), Arc::clone(&claim)));
        let [write, read, side] = target.connect(&health, &claim).await.map_err(|error| target.refusal(&error))?;
        if migrate(&write, &target).await? && target.dialect() == Dialect::Sqlite {
            // What the tables were made through would else take as much of the disk again as they do.
            write.execute("pragma wal_checkpoint(truncate)").await?;
        }
        health.opened();
        let leases = Arc::<Leases>::default();
        let shared = record::Sharing { claim: Arc::clone(&claim), leases: Arc::clone(&leases) };
        let writer = record::Writer::start(write.clone(), dialect, Arc::clone(&health), shared);
        let url = if let Target::Server(url) = &target { Some(url.clone()) } else { None };
        let inner = Inner {
            write,
            read,
            side,
            leases,
            url,
            dialect,
            path,
            writer,
            health,
            claim,
            known_size_bytes: AtomicU64::new(0),
            heads: Mutex::default(),
            series_boxes: Mutex::default(),
            raw_from: Mutex::default(),
            spans: Mutex::default(),
            given: months::Given::default(),
        };
        Ok(Self { inner: inner.into() })
    }

    /// Makes this process the only one that uses a database on a server, as long as it lives; a file is locked by whoever serves it.
    /// Says whether it could: a panel may be there.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn claim_alone(&self) -> Result<bool, StoreError> {
        self.claim(Share::Alone).await
    }

    /// Makes this process one of the panels of a database on a server, as long as it lives. Says whether it could: somebody may have it
    /// alone.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn claim_share(&self) -> Result<bool, StoreError> {
        self.claim(Share::Panels).await
    }

    async fn claim(&self, share: Share) -> Result<bool, StoreError> {
        match self.inner.dialect {
            Dialect::Sqlite => Ok(true),
            Dialect::Postgres => {
                let mut connection = self.inner.write.acquire().await?;
                Ok(self.inner.claim.take(share, &mut connection).await?)
            }
        }
    }

    /// Commits what waits, and ends the writer. Later calls fail with `Closed`.
    pub async fn close(&self) {
        self.inner.writer.close().await;
        self.inner.read.close().await;
        self.inner.side.close().await;
        self.inner.write.close().await;
    }

    /// Has everything committed so far written to the disk itself: a power loss takes no more than what came after. A server does that
    /// at each commit.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sync(&self) -> Result<(), StoreError> {
        if self.inner.dialect == Dialect::Sqlite {
            self.inner.read.execute("pragma wal_checkpoint(passive)").await?;
        }
        Ok(())
    }

    /// Sizes and counts for the panel's own statistics.
    ///
    /// # Errors
    /// When the size of the database cannot be read.
    pub async fn stats(&self) -> Result<StoreStats, StoreError> {
        let mut stats = self.inner.writer.stats();
        if let Some(path) = &self.inner.path {
            let failed = |error: std::io::Error| StoreError::Unwritable(Trouble::Disk(error.to_string()));
            stats.size_bytes = tokio::fs::metadata(path).await.map_err(failed)?.len();
            let mut log = path.clone().into_os_string();
            log.push("-wal");
            stats.size_bytes += tokio::fs::metadata(&log).await.map_or(0, |log| log.len());
        } else if self.inner.dialect == Dialect::Postgres {
            // While the server is away, nobody who wants the other numbers waits for it.
            if self.inner.health.watch().borrow().is_none()
                && let Ok(size) = sqlx::query_scalar("select pg_database_size(current_database())").fetch_one(&self.inner.read).await
            {
                self.inner.known_size_bytes.store(i64::cast_unsigned(size), Ordering::Relaxed);
            }
            stats.size_bytes = self.inner.known_size_bytes.load(Ordering::Relaxed);
        }
        Ok(stats)
    }
}

/// Brings the schema up to date under a lock, so that two processes that start at once do it one after the other.
/// Brings the schema up to date, and says whether there was none before.
async fn migrate(write: &AnyPool, target: &Target) -> Result<bool, StoreError> {
    let dialect = target.dialect();
    let refusal = |error: &sqlx::Error| target.refusal(error);
    let mut change = write.begin_with(dialect.begin_write()).await.map_err(|error| refusal(&error))?;
    if let Some(lock) = dialect.lock_schema() {
        change.execute(lock).await.map_err(|error| refusal(&error))?;
    }
    let is_new = refuse_strangers(&mut change, target).await?;
    let connection: &mut AnyConnection = &mut change;
    match target.migrations().run(connection).await {
        Ok(()) => {}
        Err(MigrateError::VersionMissing(version)) => {
            return Err(StoreError::Open(format!(
                "{} was written by a newer Tickmark (schema {version}, this one knows up to {}); run that version, or name another {}",
                target.shown(),
                target.migrations().iter().map(|migration| migration.version).max().unwrap_or_default(),
                if dialect == Dialect::Sqlite { "path" } else { "database" },
            )));
        }
        Err(MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _)) if is_refused(&error) => {
            return Err(refusal(&error));
        }
        Err(error) => return Err(error.into()),
    }
    change.commit().await?;
    Ok(is_new)
}

/// Whether it is not for what was asked, but because nothing may be written.
fn is_refused(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    error.to_string().contains("readonly") || matches!(code.as_deref(), Some("42501" | "3F000" | "25006"))
}

/// Another program's database is left alone. Says whether there is nothing in it.
async fn refuse_strangers(connection: &mut AnyConnection, target: &Target) -> Result<bool, StoreError> {
    let dialect = target.dialect();
    let refusal = |error: sqlx::Error| target.refusal(&error);
    let tables: i64 = sqlx::query_scalar(dialect.count_tables()).fetch_one(&mut *connection).await.map_err(refusal)?;
    let ours: i64 = sqlx::query_scalar(dialect.count_histories()).fetch_one(connection).await.map_err(refusal)?;
    if tables > 0 && ours == 0 {
        let another = if dialect == Dialect::Sqlite { "path" } else { "database, or a schema with ?options[search_path]=" };
        return Err(StoreError::Open(format!("{} is the database of another program; name another {another}", target.shown())));
    }
    Ok(tables == 0)
}
