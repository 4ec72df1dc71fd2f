//! What SQLite and PostgreSQL say differently: the one place that knows both. Everything else is written once, in words that both take:
//! `$1` for what is bound, whole numbers of 64 bits, bytes, text.

use std::time::Duration;

use super::{StoreError, Trouble};

/// So long a server may take over a transaction of the writer before the connection is given up: it may hang without a word. More than the
/// server itself gives a statement (see [`super::postgres`]), so that a slow one ends in the server's own words.
const ANSWER_LIMIT: Duration = Duration::from_secs(30);

/// Which of the two a database is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    Sqlite,
    Postgres,
}

impl Dialect {
    /// Begins a transaction that will write. SQLite's takes the one write lock at once, so that it cannot fail half-way for want of it;
    /// PostgreSQL's locks row by row.
    pub(super) const fn begin_write(self) -> &'static str {
        match self {
            Self::Sqlite => "begin immediate",
            Self::Postgres => "begin",
        }
    }

    /// Begins a transaction whose questions all see the same state.
    pub(super) const fn begin_read(self) -> &'static str {
        match self {
            Self::Sqlite => "begin",
            Self::Postgres => "begin isolation level repeatable read read only",
        }
    }

    /// Counts a change of what [`super::Store::revision`] counts. Panels that share a server are woken when it is committed.
    pub(super) const fn count_change(self) -> &'static str {
        match self {
            Self::Sqlite => "update revision set changes = changes + 1 where revision_id = 1",
            Self::Postgres => {
                "with counted as (update revision set changes = changes + 1 where revision_id = 1 returning 1) \
                 select pg_notify('tickmark', current_schema()) from counted"
            }
        }
    }

    /// Keeps others from adding to a box until the transaction ends. In SQLite nobody else writes then anyway.
    pub(super) const fn lock_box(self) -> Option<&'static str> {
        match self {
            Self::Sqlite => None,
            Self::Postgres => Some("select box_id from box where box_id = $1 for update"),
        }
    }

    /// Keeps other processes from bringing the schema up to date until the transaction ends, and gives it the time that it needs.
    pub(super) const fn lock_schema(self) -> Option<&'static str> {
        match self {
            Self::Sqlite => None,
            Self::Postgres => Some(
                "set local statement_timeout = 0; set local lock_timeout = '60s'; \
                 select pg_advisory_xact_lock(hashtext('tickmark schema'), hashtext(current_schema()))",
            ),
        }
    }

    /// Counts the tables of whatever program.
    pub(super) const fn count_tables(self) -> &'static str {
        match self {
            Self::Sqlite => "select count(*) from sqlite_master where type = 'table' and name not like 'sqlite_%'",
            Self::Postgres => "select count(*) from pg_catalog.pg_tables where schemaname = current_schema()",
        }
    }

    /// Counts the table in which the migrations that were done are noted.
    pub(super) const fn count_histories(self) -> &'static str {
        match self {
            Self::Sqlite => "select count(*) from sqlite_master where type = 'table' and name = '_sqlx_migrations'",
            Self::Postgres => {
                "select count(*) from pg_catalog.pg_tables where schemaname = current_schema() and tablename = '_sqlx_migrations'"
            }
        }
    }

    /// So many values are bound in one statement. SQLite looks for the name of each among all; to a server, each statement is a way.
    pub(super) const fn values_at_once(self) -> usize {
        match self {
            Self::Sqlite => 64,
            Self::Postgres => 2048,
        }
    }

    /// Gives a transaction that reads or looks at everything the time that it needs, however slow the disk is that it is written to.
    pub(super) const fn take_time(self) -> Option<&'static str> {
        match self {
            Self::Sqlite => None,
            Self::Postgres => Some("set local statement_timeout = 0; set local idle_in_transaction_session_timeout = 0"),
        }
    }

    /// Has the database look at what it holds, so that it finds good ways through it.
    pub(super) const fn analyze(self) -> Option<&'static str> {
        match self {
            Self::Sqlite => None,
            Self::Postgres => Some("analyze box, series, head, span, chunk, mark"),
        }
    }

    /// Has the numbering of a table go on after rows that came with their numbers. SQLite sees them.
    pub(super) fn go_on_numbering(self, table: &str, column: &str) -> Option<String> {
        match self {
            Self::Sqlite => None,
            Self::Postgres => Some(format!(
                "select setval(pg_get_serial_sequence('{table}', '{column}'), max({column})) from {table} having max({column}) is not null"
            )),
        }
    }

    /// Does the work, but gives up on a server that does not answer. What was asked of it may yet happen.
    pub(super) async fn within<T>(self, work: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        if self == Self::Sqlite {
            return work.await;
        }
        let late = |_| Err(StoreError::Unwritable(Trouble::Lost(format!("no answer within {} s", ANSWER_LIMIT.as_secs()))));
        tokio::time::timeout(ANSWER_LIMIT, work).await.unwrap_or_else(late)
    }
}
