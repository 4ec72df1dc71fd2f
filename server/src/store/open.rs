//! Opens the database, brings it up to date, closes it. It must not know what is in it.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sqlx::any::AnyPoolOptions;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::{AnyConnection, AnyPool, Connection, Executor};

use super::health::Health;
use super::{BEGIN_WRITE, Inner, Store, StoreError, StoreStats, record};
use crate::config::Database;

static MIGRATIONS: Migrator = sqlx::migrate!("../migrations/sqlite");

/// Connections that read; more than cores would only wait for each other.
const READ_CONNECTIONS: u32 = 4;

/// Whoever waits longer than this for a connection is told that there is none.
const ACQUIRE_LIMIT: Duration = Duration::from_secs(15);

/// What each connection is told. Pages of 16 kB keep the file near its payload; `synchronous = normal` survives `kill -9`, and a power
/// loss may take the last commits but corrupts nothing; another process's short transaction is waited for.
const PRAGMAS: &str = "pragma busy_timeout = 5000; pragma page_size = 16384; pragma auto_vacuum = incremental; pragma journal_mode = wal; \
                       pragma synchronous = normal; pragma foreign_keys = on; pragma journal_size_limit = 67108864;";

impl Store {
    /// Opens, or makes, the database of a URL (as [`Database::parse`] reads it), and brings it up to date.
    ///
    /// # Errors
    /// [`StoreError::Open`] names the database and what to do; [`StoreError::Migrate`] when a migration fails.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        sqlx::any::install_default_drivers();
        let path = path_of(url)?;
        let shown = path.as_ref().map_or_else(|| "the database in memory".to_owned(), |path| path.display().to_string());
        let connect = connect_url(path.as_deref());
        if let Some(path) = &path {
            look_at(path)?;
            make_private(path)
                .map_err(|error| StoreError::Open(format!("cannot make {shown}: {error}; check the folder's permissions")))?;
            // A pool would try again and again where one connection fails at once.
            let mut first = AnyConnection::connect(&connect).await.map_err(|error| refusal(&shown, &error))?;
            first.execute(PRAGMAS).await.map_err(|error| refusal(&shown, &error))?;
            first.close().await.map_err(|error| refusal(&shown, &error))?;
        }
        let health = Arc::new(Health::new(path.clone()));
        let write = pool(1, &health).connect(&connect).await.map_err(|error| refusal(&shown, &error))?;
        migrate(&write, &shown).await?;
        let read = match &path {
            Some(_) => pool(READ_CONNECTIONS, &health).connect(&connect).await.map_err(|error| refusal(&shown, &error))?,
            None => write.clone(),
        };
        let writer = record::Writer::start(write.clone(), Arc::clone(&health));
        let inner = Inner {
            write,
            read,
            path,
            writer,
            health,
            heads: Mutex::default(),
            series_boxes: Mutex::default(),
            raw_from: Mutex::default(),
            spans: Mutex::default(),
        };
        let store = Self { inner: inner.into() };
        store.finish_purges().await?;
        Ok(store)
    }

    /// Commits what waits, and ends the writer. Later calls fail with `Closed`.
    pub async fn close(&self) {
        self.inner.writer.close().await;
        self.inner.read.close().await;
        self.inner.write.close().await;
    }

    /// Has everything committed so far written to the disk itself: a power loss takes no more than what came after.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sync(&self) -> Result<(), StoreError> {
        self.inner.read.execute("pragma wal_checkpoint(passive)").await?;
        Ok(())
    }

    /// Sizes and counts for the panel's own statistics.
    ///
    /// # Errors
    /// When the size of the file cannot be read.
    pub async fn stats(&self) -> Result<StoreStats, StoreError> {
        let mut stats = self.inner.writer.stats();
        if let Some(path) = &self.inner.path {
            stats.size_bytes = tokio::fs::metadata(path).await.map_err(sqlx::Error::Io)?.len();
            let mut log = path.clone().into_os_string();
            log.push("-wal");
            stats.size_bytes += tokio::fs::metadata(&log).await.map_or(0, |log| log.len());
        }
        Ok(stats)
    }
}

/// A connection of a database in memory is the database: it is never let go.
fn pool(connections: u32, health: &Arc<Health>) -> AnyPoolOptions {
    let health = Arc::clone(health);
    let options = AnyPoolOptions::new().max_connections(connections).min_connections(1).idle_timeout(None).max_lifetime(None);
    // A file does not hang up: what may be wrong with a connection is looked at when it comes back.
    let options = options.test_before_acquire(false);
    let options = options.acquire_timeout(ACQUIRE_LIMIT).after_connect(|connection, _| {
        Box::pin(async move {
            connection.execute(PRAGMAS).await?;
            Ok(())
        })
    });
    options.after_release(move |connection, meta| {
        let suspect = health.suspects(meta.age);
        Box::pin(async move {
            if connection.is_in_transaction() {
                // A rollback that waits its turn is done first.
                connection.ping().await?;
            }
            // SQLite ends a transaction by itself when the disk is full or fails, and refuses the rollback that follows: the connection
            // would be taken to be in that transaction for ever.
            Ok(!suspect && !connection.is_in_transaction())
        })
    })
}

/// The file that a URL names; none for a database in memory.
fn path_of(url: &str) -> Result<Option<PathBuf>, StoreError> {
    match Database::parse(url).map_err(StoreError::Open)? {
        Database::Sqlite { path, .. } => Ok(Some(path)),
        Database::Memory => Ok(None),
        Database::Postgres(_) => {
            Err(StoreError::Open("PostgreSQL comes in a later version of Tickmark; use sqlite:PATH for now".to_owned()))
        }
    }
}

fn connect_url(path: Option<&Path>) -> String {
    path.map_or_else(
        || "sqlite::memory:".to_owned(),
        |path| {
            let encoded = percent_encoding::percent_encode(path.as_os_str().as_encoded_bytes(), percent_encoding::NON_ALPHANUMERIC);
            format!("sqlite:{encoded}?mode=rwc")
        },
    )
}

/// Makes the file for its owner alone, since it holds password hashes; SQLite gives its log the same mode. One that is there stays as it is.
pub(super) fn make_private(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    match std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// Finds what SQLite would only call "unable to open database file".
fn look_at(path: &Path) -> Result<(), StoreError> {
    let refuse = |why: String| Err(StoreError::Open(why));
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    if !folder.is_dir() {
        return refuse(format!(
            "cannot open {}: the folder {} does not exist; make it, or name another path",
            path.display(),
            folder.display()
        ));
    }
    if path.is_dir() {
        return refuse(format!(
            "cannot open {}: it is a folder; name a file in it, such as {}",
            path.display(),
            path.join("tickmark.db").display()
        ));
    }
    match std::fs::OpenOptions::new().append(true).open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => refuse(format!(
            "cannot open {}: {error}; give the user that runs tickmark the right to write it, or name another path",
            path.display()
        )),
    }
}

/// Says what the database could not be opened for, and what to do.
fn refusal(shown: &str, error: &sqlx::Error) -> StoreError {
    let text = error.to_string();
    StoreError::Open(if text.contains("not a database") {
        format!("{shown} is not a database; name another path, or move that file away")
    } else if text.contains("locked") {
        format!("{shown} is locked by another program; stop it, or wait until it is done")
    } else if text.contains("unable to open") || text.contains("readonly") {
        format!("cannot write {shown}; give the user that runs tickmark the right to write it and its folder, or name another path")
    } else {
        format!("cannot open {shown}: {text}")
    })
}

/// Brings the schema up to date under the write lock, so that two processes that start at once do it one after the other.
async fn migrate(write: &AnyPool, shown: &str) -> Result<(), StoreError> {
    let mut change = write.begin_with(BEGIN_WRITE).await.map_err(|error| refusal(shown, &error))?;
    refuse_strangers(&mut change, shown).await?;
    let connection: &mut AnyConnection = &mut change;
    match MIGRATIONS.run(connection).await {
        Ok(()) => {}
        Err(MigrateError::VersionMissing(version)) => {
            return Err(StoreError::Open(format!(
                "{shown} was written by a newer Tickmark (schema {version}, this one knows up to {}); run that version, or name another path",
                MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or_default()
            )));
        }
        Err(MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _)) if error.to_string().contains("readonly") => {
            return Err(refusal(shown, &error));
        }
        Err(error) => return Err(error.into()),
    }
    Ok(change.commit().await?)
}

/// Another program's database is left alone.
async fn refuse_strangers(connection: &mut AnyConnection, shown: &str) -> Result<(), StoreError> {
    let count = "select count(*) from sqlite_master where type = 'table' and name not like 'sqlite_%'";
    let tables: i64 = sqlx::query_scalar(count).fetch_one(&mut *connection).await.map_err(|error| refusal(shown, &error))?;
    let ours = "select count(*) from sqlite_master where type = 'table' and name = '_sqlx_migrations'";
    let ours: i64 = sqlx::query_scalar(ours).fetch_one(connection).await.map_err(|error| refusal(shown, &error))?;
    if tables > 0 && ours == 0 {
        return Err(StoreError::Open(format!("{shown} is the database of another program; name another path")));
    }
    Ok(())
}
