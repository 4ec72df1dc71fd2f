//! Whether the database can be written, and what keeps it from being: noted by whoever writes, told to whoever must say so. It must
//! not know what is written.

use std::{
    fs::OpenOptions,
    io::ErrorKind,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, OnceLock},
    time::{Duration, Instant},
};

use sqlx::{error::DatabaseError, postgres::PgDatabaseError};
use tokio::sync::watch;

use super::{claim::Claim, locked};

/// What keeps the database from being written. All of these pass by themselves, or when somebody mends them: what could not be
/// written is worth another try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// No room on the disk.
    Full,
    /// The file, its folder or its disk may not be written.
    ReadOnly,
    /// The server takes no writes.
    Standby,
    /// The server is not there, or does not answer.
    Lost(String),
    /// Another panel has taken the database.
    Taken,
    /// Another process holds it.
    Locked,
    /// The disk fails.
    Disk(String),
    /// The file was removed, or another one put in its place.
    Removed,
}

impl Trouble {
    /// What a database's error says of it; none where it is about what was asked.
    pub(super) fn of(error: &sqlx::Error) -> Option<Self> {
        match error {
            sqlx::Error::PoolTimedOut => Some(Self::Lost("no connection could be had in time".to_owned())),
            sqlx::Error::Io(error) => Some(Self::Lost(error.to_string())),
            sqlx::Error::Tls(error) => Some(Self::Lost(error.to_string())),
            // Such as of a proxy that takes a connection while it has no server to lead it to.
            sqlx::Error::Protocol(error) => Some(Self::Lost(error.clone())),
            other => {
                let error = other.as_database_error()?;
                match error.try_downcast_ref::<PgDatabaseError>() {
                    Some(error) => Self::of_postgres(error),
                    None => Self::of_sqlite(error),
                }
            }
        }
    }

    fn of_sqlite(error: &dyn DatabaseError) -> Option<Self> {
        // SQLite's primary result codes: the lowest byte of an extended one. (https://www.sqlite.org/rescode.html)
        const BUSY: i64 = 5;
        const LOCKED: i64 = 6;
        const READONLY: i64 = 8;
        const IOERR: i64 = 10;
        const FULL: i64 = 13;
        const CANTOPEN: i64 = 14;
        let code: i64 = error.code()?.parse().ok()?;
        match code & 0xff {
            BUSY | LOCKED => Some(Self::Locked),
            READONLY => Some(Self::ReadOnly),
            FULL => Some(Self::Full),
            IOERR | CANTOPEN => Some(Self::Disk(error.message().to_owned())),
            _ => None,
        }
    }

    fn of_postgres(error: &PgDatabaseError) -> Option<Self> {
        // PostgreSQL's SQLSTATEs, of which the first two letters are the class.
        // (https://www.postgresql.org/docs/current/errcodes-appendix.html)
        match error.code() {
            "53100" => Some(Self::Full),
            "58030" => Some(Self::Disk(error.message().to_owned())),
            "25006" => Some(Self::Standby),
            "42501" => Some(Self::ReadOnly),
            // Two transactions in each other's way, or a lock that was not had in time.
            "40001" | "40P01" | "55P03" => Some(Self::Locked),
            // A database that takes nobody in.
            "55000" => Some(Self::Lost(error.message().to_owned())),
            // A connection that fails; who may sign in; a database that is gone; a statement that took too long; what the server lacks;
            // a server that ends, or begins.
            code if ["08", "28", "3D", "53", "57"].contains(&code.get(..2).unwrap_or_default()) => {
                Some(Self::Lost(error.message().to_owned()))
            }
            _ => None,
        }
    }

    /// The kind, as logs and gaps name it.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Full => "the disk is full",
            Self::ReadOnly | Self::Standby => "the database is read-only",
            Self::Lost(_) => "the database cannot be reached",
            Self::Taken => "another Tickmark serves the database",
            Self::Locked => "another program holds the database",
            Self::Disk(_) => "the disk failed",
            Self::Removed => "the database's file was removed",
        }
    }
}

impl std::fmt::Display for Trouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Full => f.write_str("the disk with the database is full: make room on it"),
            Self::ReadOnly => {
                f.write_str("the database may not be written: give the user that runs tickmark the right to write it and its folder")
            }
            Self::Standby => {
                f.write_str("the database's server takes no writes: it is a standby, or read-only, or another Tickmark has the database")
            }
            Self::Lost(why) => write!(f, "the database cannot be reached ({why}): see to its server, or wait until it is back"),
            Self::Taken => f.write_str("another Tickmark serves the database: end one of the two"),
            Self::Locked => f.write_str("another program holds the database locked: end that program, or wait until it is done"),
            Self::Removed => f.write_str(
                "the database's file was removed, or another one put in its place: put it back, or start the panel again to begin with \
                 what is there",
            ),
            Self::Disk(why) => write!(f, "the disk with the database fails ({why}): see to the disk"),
        }
    }
}

/// The disk of a file and its number there.
type FileId = (u64, u64);

/// Which file there is at a path; none where there is none.
fn file_id(path: &Path) -> Option<FileId> {
    let found = std::fs::metadata(path).ok()?;
    Some((found.dev(), found.ino()))
}

/// The newest word on whether the database can be written.
pub(super) struct Health {
    newest: watch::Sender<Option<Trouble>>,
    /// The file; none in memory or on a server.
    path: Option<PathBuf>,
    /// Which file that is, as it was opened.
    file: OnceLock<FileId>,
    claim: Arc<Claim>,
    last_bad: Mutex<Option<Instant>>,
}

impl Health {
    pub(super) fn new(path: Option<PathBuf>, claim: Arc<Claim>) -> Self {
        Self { newest: watch::Sender::new(None), path, file: OnceLock::new(), claim, last_bad: Mutex::default() }
    }

    /// Remembers which file was opened.
    pub(super) fn opened(&self) {
        if let Some(file) = self.path.as_deref().and_then(file_id) {
            // It is opened once.
            let _ = self.file.set(file);
        }
    }

    /// What is committed goes where nobody finds it again: SQLite goes on with a file that has no name any more.
    pub(super) fn is_removed(&self) -> bool {
        let Some(path) = &self.path else { return false };
        self.file.get().is_some_and(|file| file_id(path).as_ref() != Some(file))
    }

    /// Something was written.
    pub(super) fn good(&self) {
        let was_bad = self.newest.send_if_modified(|trouble| trouble.take().is_some());
        if was_bad {
            tracing::info!("the database can be written again");
        }
    }

    /// Something could not be written.
    pub(super) fn bad(&self, trouble: &Trouble) {
        let trouble = &self.looked_at(trouble);
        *locked(&self.last_bad) = Some(Instant::now());
        let is_new = self.newest.send_if_modified(|known| {
            let is_new = known.as_ref() != Some(trouble);
            *known = Some(trouble.clone());
            is_new
        });
        if is_new {
            tracing::error!("nothing can be written: {trouble}");
        }
    }

    /// Whether a connection of this age may not be what it should: SQLite opens for reading alone what it cannot open for writing, and
    /// stays with that when the trouble is over.
    pub(super) fn suspects(&self, age: Duration) -> bool {
        let begun_before_the_end = || locked(&self.last_bad).is_some_and(|bad| age > bad.elapsed());
        self.path.is_some() && (self.newest.borrow().is_some() || begun_before_the_end())
    }

    pub(super) fn watch(&self) -> watch::Receiver<Option<Trouble>> {
        self.newest.subscribe()
    }

    /// SQLite calls it a failing disk, too, where the file may just not be written any more; and without the claim, a connection writes
    /// nothing.
    fn looked_at(&self, trouble: &Trouble) -> Trouble {
        if *trouble == Trouble::Standby && self.claim.is_lost() {
            return Trouble::Taken;
        }
        if matches!(trouble, Trouble::Lost(_) | Trouble::Disk(_) | Trouble::ReadOnly) && self.is_removed() {
            return Trouble::Removed;
        }
        if let (Trouble::Lost(why), Some(_)) = (trouble, &self.path) {
            // A file has no server.
            return Trouble::Disk(why.clone());
        }
        let (Trouble::Disk(_), Some(path)) = (trouble, &self.path) else { return trouble.clone() };
        match OpenOptions::new().append(true).open(path) {
            Err(error) if matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem) => Trouble::ReadOnly,
            _ => trouble.clone(),
        }
    }
}
