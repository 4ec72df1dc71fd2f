//! The URL of a PostgreSQL database: what may stand in it, and how it is shown. Pure: connecting is the store's.

use std::fmt;

use percent_encoding::percent_decode_str;
use url::Url;

use crate::source::Secret;

/// What may stand behind the question mark, as libpq names it. Others are refused: who connects would leave them out, and say so in
/// the log with their values.
const PARAMETERS: [&str; 12] = [
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "sslmode",
    "sslrootcert",
    "sslcert",
    "sslkey",
    "application_name",
    "options",
];

/// The values of `sslmode`.
const SSL_MODES: [&str; 6] = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"];

/// How the server names the panel's connections, unless the URL says otherwise.
const APPLICATION: &str = "tickmark";

/// Such a URL. It may hold a password, and shows none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostgresUrl {
    /// As it was written.
    written: Secret,
    /// For who connects.
    complete: Secret,
    name: String,
    host: String,
    user: Option<String>,
    files: Vec<String>,
}

impl PostgresUrl {
    /// Reads `postgres://USER:PASSWORD@HOST:PORT/NAME?…` or `postgresql://…`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let example = "write such as postgres://USER:PASSWORD@HOST/NAME, with %23 for # and so on in a password";
        let mut url = Url::parse(text).map_err(|error| format!("this PostgreSQL URL cannot be read ({error}): {example}"))?;
        if url.cannot_be_a_base() || url.fragment().is_some() {
            return Err(format!("this PostgreSQL URL cannot be read: {example}"));
        }
        let pairs: Vec<(String, String)> = url.query_pairs().map(|(key, value)| (key.into_owned(), value.into_owned())).collect();
        for (key, value) in &pairs {
            let is_option = key.starts_with("options[") && key.ends_with(']');
            if !is_option && !PARAMETERS.contains(&key.as_str()) {
                return Err(format!("{key:?} is no parameter of a PostgreSQL URL: {} are", PARAMETERS.join(", ")));
            }
            if key == "sslmode" && !SSL_MODES.contains(&value.as_str()) {
                return Err(format!("{value:?} is no sslmode: {} are", SSL_MODES.join(", ")));
            }
            if key == "port" && value.parse::<u16>().is_err() {
                return Err(format!("{value:?} is no port"));
            }
        }
        let asked = |names: &[&str]| pairs.iter().rev().find(|(key, _)| names.contains(&key.as_str())).map(|(_, value)| value.clone());
        let decoded = |text: &str| (!text.is_empty()).then(|| percent_decode_str(text).decode_utf8_lossy().into_owned());
        let user = asked(&["user"]).or_else(|| decoded(url.username()));
        let Some(name) = asked(&["dbname"]).or_else(|| decoded(url.path().trim_start_matches('/'))) else {
            return Err(format!("this PostgreSQL URL names no database: {example}"));
        };
        let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
        let host = asked(&["host", "hostaddr"]).or_else(|| decoded(url.host_str().unwrap_or_default()));
        let host = host.map_or_else(|| "this host".to_owned(), |host| host + port.as_str());
        let files = pairs
            .iter()
            .filter(|(key, value)| matches!(key.as_str(), "sslrootcert" | "sslcert" | "sslkey") && !value.contains("-----BEGIN"));
        let files = files.map(|(_, path)| path.clone()).collect();
        if asked(&["application_name"]).is_none() {
            url.query_pairs_mut().append_pair("application_name", APPLICATION);
        }
        Ok(Self { written: Secret(text.to_owned()), complete: Secret(url.into()), name, host, user, files })
    }

    /// As it was written, with the password.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.written.0
    }

    /// For who connects, with the password.
    #[must_use]
    pub fn to_connect(&self) -> &str {
        &self.complete.0
    }

    /// The name of the database.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Who signs in, where the URL says so.
    #[must_use]
    pub fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// The files that it names: certificates and keys.
    #[must_use]
    pub fn files(&self) -> &[String] {
        &self.files
    }
}

/// As people read it.
impl fmt::Display for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the PostgreSQL database {} at {}", self.name, self.host)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, shown: &str, user: Option<&str>) {
        let url = PostgresUrl::parse(text).unwrap();
        assert_eq!((url.to_string().as_str(), url.user()), (shown, user));
        assert_eq!(url.as_str(), text);
        for said in [format!("{url:?}"), url.to_string()] {
            assert!(!said.contains("s3cret"), "{said}");
        }
    }

    #[test]
    fn a_url_is_shown_without_its_password() {
        check("postgres://tick:s3cret@db.example/tickmark", "the PostgreSQL database tickmark at db.example", Some("tick"));
        check("postgresql://db.example:5433/t%20m", "the PostgreSQL database t m at db.example:5433", None);
        check("postgres:///tm?host=/run/postgresql&user=a&password=s3cret", "the PostgreSQL database tm at /run/postgresql", Some("a"));
        check("postgres:///tm", "the PostgreSQL database tm at this host", None);
    }

    #[test]
    fn the_server_is_told_who_connects() {
        let url = PostgresUrl::parse("postgres:///tm?sslmode=require").unwrap();
        assert_eq!(url.to_connect(), "postgres:///tm?sslmode=require&application_name=tickmark");
        assert_eq!(PostgresUrl::parse("postgres:///tm?application_name=x").unwrap().to_connect(), "postgres:///tm?application_name=x");
    }

    #[test]
    fn what_cannot_be_meant_is_refused_without_quoting_a_password() {
        for (text, words) in [
            ("postgres://db.example", "names no database"),
            ("postgres://tick:s3cret@db:port/x", "cannot be read"),
            ("postgres://tick:s3#cret@db/x", "%23"),
            ("postgres://db/x?sslmode=yes", "\"yes\" is no sslmode"),
            ("postgres://db/x?pasword=s3cret", "\"pasword\" is no parameter"),
            ("postgres:x", "cannot be read"),
        ] {
            let error = PostgresUrl::parse(text).unwrap_err();
            assert!(error.contains(words) && !error.contains("s3"), "{text}: {error}");
        }
    }
}
