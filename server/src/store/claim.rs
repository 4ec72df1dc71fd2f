//! One panel a PostgreSQL database: the connection that writes holds a lock, so that whoever writes has it. It must not know what is
//! written.
//!
//! SQLite needs none of this: there the panel locks a file.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use sqlx::{AnyConnection, Executor};

use super::locked;

/// The first half of the lock's number; the second is that of a table, so that each schema of a database has its own.
const LOCK_CLASS: i32 = i32::from_be_bytes(*b"tick");

/// Whether this process is to be the only panel, and whether it is.
#[derive(Default)]
pub(super) struct Claim {
    wanted: AtomicBool,
    lost: AtomicBool,
    /// The server's process that held the lock last, and when that began.
    session: Mutex<Option<(i64, String)>>,
}

impl Claim {
    /// Another panel has the database.
    pub(super) fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Relaxed)
    }

    /// Takes the lock, and from now on with every connection that writes anew. Says whether it could be had.
    pub(super) async fn take(&self, connection: &mut AnyConnection) -> Result<bool, sqlx::Error> {
        let taken = self.lock(connection).await?;
        self.wanted.store(taken, Ordering::Relaxed);
        Ok(taken)
    }

    /// Takes the lock again, where it is wanted. Without it the connection writes nothing.
    pub(super) async fn renew(&self, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
        if !self.wanted.load(Ordering::Relaxed) {
            return Ok(());
        }
        let taken = self.lock(connection).await?;
        self.lost.store(!taken, Ordering::Relaxed);
        if !taken {
            connection.execute("set default_transaction_read_only = on").await?;
        }
        Ok(())
    }

    async fn lock(&self, connection: &mut AnyConnection) -> Result<bool, sqlx::Error> {
        let before = locked(&self.session).clone();
        if let Some((process, began)) = before {
            // The server may not have noticed that the connection before is gone. With it ends whatever it may still be doing.
            let end = "select pg_terminate_backend(pid) from pg_stat_activity where pid = $1 and backend_start::text = $2";
            sqlx::query(end).bind(process).bind(began).execute(&mut *connection).await?;
        }
        // A panel that was killed a moment ago may still have it.
        connection.execute("set lock_timeout = '3s'").await?;
        let lock = sqlx::query("select pg_advisory_lock($1, 'revision'::regclass::oid::integer)").bind(LOCK_CLASS);
        let taken = match lock.execute(&mut *connection).await {
            Ok(_) => true,
            Err(error) if is_lock_timeout(&error) => false,
            Err(error) => return Err(error),
        };
        connection.execute("set lock_timeout = '5s'").await?;
        if taken {
            let this = "select pid::bigint, backend_start::text from pg_stat_activity where pid = pg_backend_pid()";
            *locked(&self.session) = sqlx::query_as(this).fetch_optional(connection).await?;
        }
        Ok(taken)
    }
}

fn is_lock_timeout(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|error| error.code().as_deref() == Some("55P03"))
}
