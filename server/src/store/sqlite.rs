//! The file of SQLite: how its connections are made and told, and what is said when it cannot be had. It must not know what is in it.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sqlx::any::AnyPoolOptions;
use sqlx::{AnyConnection, Connection, Executor};

use super::StoreError;
use super::health::Health;

/// Whoever waits longer than this for a connection is told that there is none.
const ACQUIRE_LIMIT: Duration = Duration::from_secs(15);

/// What each connection is told. Pages of 16 kB keep the file near its payload; `synchronous = normal` survives `kill -9`, and a power
/// loss may take the last commits but corrupts nothing; another process's short transaction is waited for.
const PRAGMAS: &str = "pragma busy_timeout = 5000; pragma page_size = 16384; pragma journal_mode = wal; \
                       pragma synchronous = normal; pragma foreign_keys = on; pragma journal_size_limit = 67108864;";

/// What a new file is told first, so that it can shrink. Of one that is not new it would be a write, which waits for whoever holds it.
const NEW_FILE: &str = "pragma page_size = 16384; pragma auto_vacuum = incremental;";

/// Makes the file where there is none, and finds out at once what is wrong with it: a pool would try again and again.
pub(super) async fn prepare(path: &Path, connect: &str) -> Result<(), StoreError> {
    look_at(path)?;
    let shown = path.display();
    make_private(path).map_err(|error| StoreError::Open(format!("cannot make {shown}: {error}; check the folder's permissions")))?;
    let told = async {
        let mut first = AnyConnection::connect(connect).await?;
        let pages: i64 = sqlx::query_scalar("pragma page_count").fetch_one(&mut first).await?;
        if pages == 0 {
            first.execute(NEW_FILE).await?;
        }
        first.execute(PRAGMAS).await?;
        first.close().await
    };
    told.await.map_err(|error| refusal(&shown.to_string(), &error))
}

/// A connection of a database in memory is the database: it is never let go.
pub(super) fn pool(connections: u32, health: &Arc<Health>) -> AnyPoolOptions {
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

pub(super) fn connect_url(path: Option<&Path>) -> String {
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
pub(super) fn refusal(shown: &str, error: &sqlx::Error) -> StoreError {
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
