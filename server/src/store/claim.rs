//! Who may write to a PostgreSQL database: the connection that writes holds a lock, shared by all panels, or alone for an import; and a
//! panel that the others gave up writes nothing more. It must not know what is written, and which panel polls what.
//!
//! SQLite needs none of this: there the panel locks a file.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use sqlx::{AnyConnection, Executor};

use super::locked;

/// The first half of the lock's number; the second is that of a table, so that each schema of a database has its own.
const LOCK_CLASS: i32 = i32::from_be_bytes(*b"tick");

/// A process of the server, and when it began: numbers come again.
pub(super) type Session = (i64, String);

/// With whom a database is shared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Share {
    /// With other panels.
    Panels,
    /// With nobody.
    Alone,
}

/// What this process has of the database.
#[derive(Default)]
pub(super) struct Claim {
    wanted: Mutex<Option<Share>>,
    lost: AtomicBool,
    /// The number of this panel among those that share the database.
    panel: Mutex<Option<i64>>,
    /// The server's process that held the lock last.
    session: Mutex<Option<Session>>,
}

impl Claim {
    /// Whoever has the database now, it is not this process.
    pub(super) fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Relaxed)
    }

    /// The number of this panel, where it shares the database with others.
    pub(super) fn panel(&self) -> Option<i64> {
        *locked(&self.panel)
    }

    /// The others know it by this number from now on.
    pub(super) fn set_panel(&self, panel: Option<i64>) {
        *locked(&self.panel) = panel;
    }

    /// The server's process that writes for this one.
    pub(super) fn session(&self) -> Option<Session> {
        locked(&self.session).clone()
    }

    /// Takes the lock, and from now on with every connection that writes anew. Says whether it could be had.
    pub(super) async fn take(&self, share: Share, connection: &mut AnyConnection) -> Result<bool, sqlx::Error> {
        let taken = self.lock(share, connection).await?;
        *locked(&self.wanted) = taken.then_some(share);
        Ok(taken)
    }

    /// Takes the lock again, where it is wanted, unless the others gave this panel up. Without it the connection writes nothing.
    pub(super) async fn renew(&self, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
        let wanted = *locked(&self.wanted);
        let Some(share) = wanted else { return Ok(()) };
        let taken = self.lock(share, connection).await? && self.tell_session(connection).await?;
        self.lost.store(!taken, Ordering::Relaxed);
        if !taken {
            connection.execute("set default_transaction_read_only = on").await?;
        }
        Ok(())
    }

    /// Tells the other panels which of the server's processes writes for this one. Says whether they still know it.
    async fn tell_session(&self, connection: &mut AnyConnection) -> Result<bool, sqlx::Error> {
        let (Some(panel), Some((process, began))) = (self.panel(), self.session()) else { return Ok(true) };
        let tell = sqlx::query("update panel set process = $1, process_began = $2 where panel_id = $3");
        let told = tell.bind(process).bind(began).bind(panel).execute(connection).await?;
        Ok(told.rows_affected() > 0)
    }

    async fn lock(&self, share: Share, connection: &mut AnyConnection) -> Result<bool, sqlx::Error> {
        if let Some(before) = self.session() {
            // The server may not have noticed that the connection before is gone. With it ends whatever it may still be doing.
            end_session(&before, connection).await?;
        }
        // A panel that was killed a moment ago may still have it.
        connection.execute("set lock_timeout = '3s'").await?;
        let lock = match share {
            Share::Panels => "select pg_advisory_lock_shared($1, 'revision'::regclass::oid::integer)",
            Share::Alone => "select pg_advisory_lock($1, 'revision'::regclass::oid::integer)",
        };
        let taken = match sqlx::query(lock).bind(LOCK_CLASS).execute(&mut *connection).await {
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

/// Ends a process of the server, if it is still there.
pub(super) async fn end_session((process, began): &Session, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    let end = "select pg_terminate_backend(pid) from pg_stat_activity where pid = $1 and backend_start::text = $2";
    sqlx::query(end).bind(process).bind(began).execute(connection).await?;
    Ok(())
}

fn is_lock_timeout(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|error| error.code().as_deref() == Some("55P03"))
}
