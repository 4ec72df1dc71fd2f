//! The server of PostgreSQL: how its connections are made and told, what it must be, and what is said when it cannot be had. It must
//! not know what is stored.

use std::sync::Arc;
use std::time::Duration;

use sqlx::any::AnyPoolOptions;
use sqlx::{AnyConnection, Connection, Executor};

use super::StoreError;
use super::claim::Claim;
use crate::config::PostgresUrl;

/// Whoever waits longer than this for a connection is told that there is none. A server that starts again is back within some seconds.
const ACQUIRE_LIMIT: Duration = Duration::from_secs(5);

/// So long a connection that comes back may take to say that it is fit: one on which nothing answers is given up.
const RELEASE_LIMIT: Duration = Duration::from_secs(2);

/// The oldest version that has all that is used, as the server counts them.
const OLDEST: i64 = 130_000;

/// What each connection is told. Nobody waits without end: not for a statement, nor for a lock; and whoever hangs in a transaction
/// loses it. Whether a commit reaches the disk at once is the server's to say (`synchronous_commit`).
const SETTINGS: &str = "set statement_timeout = '20s'; set lock_timeout = '5s'; set idle_in_transaction_session_timeout = '60s'; \
                        set default_transaction_isolation = 'read committed'; set client_min_messages = 'warning'";

/// Finds out at once what is wrong with the server: a pool would try again and again.
pub(super) async fn prepare(url: &PostgresUrl) -> Result<(), StoreError> {
    for path in url.files() {
        if let Err(error) = std::fs::File::open(path) {
            return Err(StoreError::Open(format!("cannot read {path}, which the database's URL names: {error}")));
        }
    }
    let mut first = connect(url).await.map_err(|error| refusal(url, &error))?;
    let asked = async {
        let version = "select current_setting('server_version_num')::bigint, current_setting('server_version'), \
                       current_setting('server_encoding')";
        let version: (i64, String, String) = sqlx::query_as(version).fetch_one(&mut first).await?;
        first.close().await?;
        Ok(version)
    };
    let (number, version, encoding) = asked.await.map_err(|error| refusal(url, &error))?;
    suits(url, number, &version, &encoding)
}

/// Whether a server of this version, and a database of this encoding, will do.
fn suits(url: &PostgresUrl, number: i64, version: &str, encoding: &str) -> Result<(), StoreError> {
    if number < OLDEST {
        let oldest = OLDEST / 10_000;
        return Err(StoreError::Open(format!(
            "{url} is on PostgreSQL {version}, and {oldest} or later is needed: upgrade that server, or name another"
        )));
    }
    if encoding != "UTF8" {
        return Err(StoreError::Open(format!(
            "{url} stores text as {encoding}: make one that can hold every name, with createdb --template=template0 --encoding=UTF8"
        )));
    }
    Ok(())
}

async fn connect(url: &PostgresUrl) -> Result<AnyConnection, sqlx::Error> {
    let late = |_| Err(sqlx::Error::PoolTimedOut);
    tokio::time::timeout(ACQUIRE_LIMIT, AnyConnection::connect(url.to_connect())).await.unwrap_or_else(late)
}

/// A pool that keeps what it has, but asks whether it is still there: a server may have been started again meanwhile. It makes none
/// ahead of need: it would go on trying that while others wait.
pub(super) fn pool(connections: u32, claim: Option<Arc<Claim>>) -> AnyPoolOptions {
    let options = AnyPoolOptions::new().max_connections(connections).min_connections(0).idle_timeout(None).max_lifetime(None);
    let options = options.acquire_timeout(ACQUIRE_LIMIT).test_before_acquire(true);
    let claimed = claim.clone();
    let options = options.after_connect(move |connection, _| {
        let claim = claim.clone();
        Box::pin(async move {
            connection.execute(SETTINGS).await?;
            match claim {
                Some(claim) => claim.renew(connection).await,
                None => Ok(()),
            }
        })
    });
    options.after_release(move |connection, _| {
        let is_fit = claimed.as_ref().is_none_or(|claim| !claim.is_lost());
        Box::pin(async move {
            let late = |_| Err(sqlx::Error::PoolTimedOut);
            tokio::time::timeout(RELEASE_LIMIT, connection.ping()).await.unwrap_or_else(late)?;
            Ok(is_fit)
        })
    })
}

/// Says what the database could not be opened for, and what to do. The server's own words never hold the password.
pub(super) fn refusal(url: &PostgresUrl, error: &sqlx::Error) -> StoreError {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    let said = error.as_database_error().map_or_else(|| error.to_string(), |error| error.message().to_owned());
    let (name, user) = (url.name(), url.user().unwrap_or("the user that tickmark signs in as"));
    StoreError::Open(match (code.as_deref(), error) {
        (Some("28P01" | "28000"), _) => {
            format!("{url} refuses to let tickmark in: {said}; check user and password in --database, and the server's pg_hba.conf")
        }
        (Some("3D000"), _) => {
            format!("the server of {url} has no such database: make it with createdb --owner={user} {name}, or name another")
        }
        (Some("42501"), _) => format!(
            "{url} does not let tickmark make its tables: {said}; as the owner of the database: grant create, usage on schema public to {user}"
        ),
        (Some("3F000"), _) => format!("{url} has no schema to make tables in: {said}; check the search_path of {user}"),
        (Some("25006"), _) => format!("{url} takes no writes: {said}; is it a standby? Name the server that is not"),
        (Some("57P03" | "53300"), _) => format!("{url} takes nobody in at this moment: {said}; try again"),
        (_, sqlx::Error::Tls(why)) => format!("cannot speak TLS with {url}: {why}; check sslmode and sslrootcert in --database"),
        (_, sqlx::Error::Io(why)) if is_of_tls(why) => {
            format!("cannot speak TLS with {url}: {why}; check host, sslmode and sslrootcert in --database")
        }
        (_, sqlx::Error::Io(why)) => {
            format!(
                "cannot reach {url}: {why}; start the server, or check host and port in --database (a socket's folder: ?host=/run/postgresql)"
            )
        }
        (_, sqlx::Error::PoolTimedOut) => format!("{url} did not answer within {} s; check host and port", ACQUIRE_LIMIT.as_secs()),
        _ => format!("cannot open {url}: {said}"),
    })
}

/// Whether the handshake failed: that comes as a failure to read or write.
fn is_of_tls(error: &std::io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<rustls::Error>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Database;

    #[test]
    fn an_old_server_is_refused() {
        let Database::Postgres(url) = Database::parse("postgres://tick:s3cret@db/tm").unwrap() else { panic!("a PostgreSQL URL") };
        let told = |number, version, encoding| suits(&url, number, version, encoding).map_err(|error| error.to_string());
        assert_eq!(told(130_000, "13.0", "UTF8"), Ok(()));
        let refused = told(120_022, "12.22 (Debian 12.22-1)", "UTF8").unwrap_err();
        let words = "tm at db is on PostgreSQL 12.22 (Debian 12.22-1), and 13 or later is needed: upgrade that server";
        assert!(refused.contains(words) && !refused.contains("s3cret"), "{refused}");
    }
}
