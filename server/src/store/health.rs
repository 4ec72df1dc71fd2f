//! Whether the database can be written, and what keeps it from being: noted by whoever writes, told to whoever must say so. It must
//! not know what is written.

use std::{
    fs::OpenOptions,
    io::ErrorKind,
    path::PathBuf,
    sync::Mutex,
    time::{Duration, Instant},
};

use tokio::sync::watch;

use super::locked;

/// What keeps the database from being written. All of these pass by themselves, or when somebody mends them: what could not be
/// written is worth another try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// No room on the disk.
    Full,
    /// The file, its folder or its disk may not be written.
    ReadOnly,
    /// Another process holds it.
    Locked,
    /// The disk fails.
    Disk(String),
}

impl Trouble {
    /// What a database's error says of it; none where it is about what was asked.
    pub(super) fn of(error: &sqlx::Error) -> Option<Self> {
        // SQLite's primary result codes: the lowest byte of an extended one. (https://www.sqlite.org/rescode.html)
        const BUSY: i64 = 5;
        const LOCKED: i64 = 6;
        const READONLY: i64 = 8;
        const IOERR: i64 = 10;
        const FULL: i64 = 13;
        const CANTOPEN: i64 = 14;
        let error = match error {
            sqlx::Error::PoolTimedOut => return Some(Self::Disk("no connection could be had in time".to_owned())),
            sqlx::Error::Io(error) => return Some(Self::Disk(error.to_string())),
            other => other.as_database_error()?,
        };
        let code: i64 = error.code()?.parse().ok()?;
        match code & 0xff {
            BUSY | LOCKED => Some(Self::Locked),
            READONLY => Some(Self::ReadOnly),
            FULL => Some(Self::Full),
            IOERR | CANTOPEN => Some(Self::Disk(error.message().to_owned())),
            _ => None,
        }
    }

    /// The kind, as logs and gaps name it.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Full => "the disk is full",
            Self::ReadOnly => "the database is read-only",
            Self::Locked => "another program holds the database",
            Self::Disk(_) => "the disk failed",
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
            Self::Locked => f.write_str("another program holds the database locked: end that program, or wait until it is done"),
            Self::Disk(why) => write!(f, "the disk with the database fails ({why}): see to the disk"),
        }
    }
}

/// The newest word on whether the database can be written.
pub(super) struct Health {
    newest: watch::Sender<Option<Trouble>>,
    /// The file; none in memory.
    path: Option<PathBuf>,
    last_bad: Mutex<Option<Instant>>,
}

impl Health {
    pub(super) fn new(path: Option<PathBuf>) -> Self {
        Self { newest: watch::Sender::new(None), path, last_bad: Mutex::default() }
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

    /// SQLite calls it a failing disk, too, where the file may just not be written any more.
    fn looked_at(&self, trouble: &Trouble) -> Trouble {
        let (Trouble::Disk(_), Some(path)) = (trouble, &self.path) else { return trouble.clone() };
        match OpenOptions::new().append(true).open(path) {
            Err(error) if matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem) => Trouble::ReadOnly,
            _ => trouble.clone(),
        }
    }
}
