//! A database of its own for a test: a file of SQLite or, where `TEST_POSTGRES` names a server (see `.ci/postgres.sh`), one
//! there. It goes when the test ends.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::{Connection, Executor, PgConnection};
use tempfile::TempDir;

/// The URL of a server on which tests may make databases.
const SERVER: &str = "TEST_POSTGRES";

/// The server on which tests may make databases, if there is one.
pub(crate) fn server() -> Option<String> {
    std::env::var(SERVER).ok()
}

/// Whether the tests run on a server: what is about files is left out then.
pub(crate) fn is_on_server() -> bool {
    server().is_some()
}

/// A database, and a folder beside it.
pub(crate) struct TestDatabase {
    folder: TempDir,
    /// On the server; none: a file in the folder.
    name: Option<String>,
}

impl TestDatabase {
    pub(crate) fn new() -> Self {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let folder = tempfile::tempdir().unwrap();
        let name = server().map(|_| format!("test_{}_{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed)));
        if let Some(name) = &name {
            ask_server(&format!("create database {name}"));
        }
        Self { folder, name }
    }

    /// A folder that goes with the database.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The file of SQLite; where the database is on a server, none is there.
    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("tickmark.db")
    }

    /// The database on the server, if it is there.
    pub(crate) fn on_server(&self) -> Option<&str> {
        self.name.as_deref()
    }

    pub(crate) fn url(&self) -> String {
        match &self.name {
            Some(name) => url_on_server(name),
            None => format!("sqlite:{}", self.path().display()),
        }
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        if let Some(name) = &self.name {
            ask_server(&format!("drop database if exists {name} with (force)"));
        }
    }
}

/// The URL of another database on the server.
pub(crate) fn url_on_server(name: &str) -> String {
    let server = server().unwrap();
    let (before, after) = server.split_once("/postgres?").unwrap();
    format!("{before}/{name}?{after}")
}

/// Tells the server something, whatever runtime the caller is in, if any.
pub(crate) fn ask_server(statement: &str) {
    let statement = sqlx::AssertSqlSafe(statement.to_owned());
    let ask = async {
        let mut connection = PgConnection::connect(&server().unwrap()).await?;
        connection.execute(statement).await?;
        connection.close().await
    };
    // A runtime does not start another one in its thread.
    std::thread::scope(|scope| {
        let asking = scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(ask).unwrap();
        });
        asking.join().unwrap();
    });
}
