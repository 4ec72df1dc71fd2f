//! Which database, by its URL. Pure: opening it is the store's.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use super::PostgresUrl;

/// Where samples are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Database {
    /// A file.
    Sqlite {
        /// The URL as it was written, for the store.
        url: String,
        /// The file.
        path: PathBuf,
    },
    /// SQLite in memory, gone with the process: for trying out and for tests.
    Memory,
    /// PostgreSQL.
    Postgres(PostgresUrl),
}

impl Database {
    /// Reads `sqlite:PATH`, `sqlite://PATH`, `sqlite::memory:` or `postgres://…`. The path is taken letter by letter; a `?` ends it, and
    /// of the parameters that other programs write there only `mode=rwc` is taken, which is what happens anyway.
    ///
    /// # Errors
    /// A sentence that says what is allowed. It quotes nothing that may hold a password.
    pub fn parse(text: &str) -> Result<Self, String> {
        if let Some(rest) = text.strip_prefix("sqlite:") {
            let path = rest.strip_prefix("//").unwrap_or(rest);
            let (path, parameters) = path.split_once('?').unwrap_or((path, ""));
            if !matches!(parameters, "" | "mode=rwc") {
                return Err(format!("{text:?} has parameters that cannot be had: write no more than sqlite:{path}"));
            }
            return match path {
                ":memory:" => Ok(Self::Memory),
                "" => Err(format!("{text:?} names no file: write such as sqlite:tickmark.db")),
                path => Ok(Self::Sqlite { url: text.to_owned(), path: PathBuf::from(path) }),
            };
        }
        let scheme = text.split_once(':').map(|(scheme, _)| scheme);
        if matches!(scheme, Some("postgres" | "postgresql")) {
            return PostgresUrl::parse(text).map(Self::Postgres);
        }
        let allowed = "sqlite:PATH or postgres://… is allowed";
        match scheme {
            Some(scheme) => Err(format!("{scheme:?} is no kind of database: {allowed}")),
            None => Err(format!("{text:?} is no database: {allowed}")),
        }
    }

    /// The URL for the store.
    #[must_use]
    pub fn url(&self) -> &str {
        match self {
            Self::Sqlite { url, .. } => url,
            Self::Memory => "sqlite::memory:",
            Self::Postgres(url) => url.as_str(),
        }
    }

    /// The file of SQLite; none for one in memory or on a server.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::Sqlite { path, .. } => Some(path),
            Self::Memory | Self::Postgres(_) => None,
        }
    }

    /// The key file that seals the passwords of boxes: `tickmark.key` beside the database's file, and in the working folder for one on a
    /// server, which must not have it; none for one in memory.
    #[must_use]
    pub fn key_file(&self) -> Option<PathBuf> {
        match self {
            Self::Sqlite { path, .. } => Some(path.with_file_name(KEY_FILE)),
            Self::Memory => None,
            Self::Postgres(_) => Some(PathBuf::from(KEY_FILE)),
        }
    }
}

/// As people read it.
impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite { path, .. } => path.display().fmt(f),
            Self::Memory => f.write_str("a database in memory"),
            Self::Postgres(url) => url.fmt(f),
        }
    }
}

/// The name of the key file.
const KEY_FILE: &str = "tickmark.key";

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, path: &str, key: &str) {
        let database = Database::parse(text).unwrap();
        assert_eq!(database, Database::Sqlite { url: text.to_owned(), path: PathBuf::from(path) });
        assert_eq!(database.key_file(), Some(PathBuf::from(key)));
        assert_eq!(database.url(), text);
    }

    #[test]
    fn sqlite() {
        check("sqlite:tickmark.db", "tickmark.db", "tickmark.key");
        check("sqlite:/var/lib/tickmark/t.db", "/var/lib/tickmark/t.db", "/var/lib/tickmark/tickmark.key");
        check("sqlite:///var/lib/t.db?mode=rwc", "/var/lib/t.db", "/var/lib/tickmark.key");
        check("sqlite://data/t.db", "data/t.db", "data/tickmark.key");
        assert_eq!(Database::parse("sqlite::memory:"), Ok(Database::Memory));
        assert_eq!(Database::Memory.key_file(), None);
        assert!(Database::parse("sqlite:").unwrap_err().contains("names no file"));
        assert!(Database::parse("sqlite:?mode=rwc").unwrap_err().contains("names no file"));
        let error = Database::parse("sqlite:t.db?mode=ro").unwrap_err();
        assert_eq!(error, "\"sqlite:t.db?mode=ro\" has parameters that cannot be had: write no more than sqlite:t.db");
    }

    #[test]
    fn postgres() {
        let url = "postgres://tick:s3cret@db.example/tickmark";
        let database = Database::parse(url).unwrap();
        assert_eq!((database.url(), database.file()), (url, None));
        assert_eq!(database.key_file(), Some(PathBuf::from("tickmark.key")));
        assert!(!format!("{database:?}").contains("s3cret"));
    }

    #[test]
    fn other_databases_are_refused_without_quoting_a_password() {
        let error = Database::parse("mysql://tick:s3cret@db.example/tickmark").unwrap_err();
        assert_eq!(error, "\"mysql\" is no kind of database: sqlite:PATH or postgres://… is allowed");
        assert!(Database::parse("tickmark.db").unwrap_err().contains("sqlite:PATH"));
        assert!(!Database::parse("postgres://tick:s3cret@db:port/x").unwrap_err().contains("s3cret"));
    }
}
