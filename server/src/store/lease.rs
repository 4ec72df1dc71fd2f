//! Leases: which of the panels that share a PostgreSQL database polls which box. It must not know how boxes are polled.
//!
//! Each panel takes a *turn* every second: it says that it lives, buries panels that did not for long, and takes or offers boxes until each
//! panel has its share. All turns come one after the other. Time between panels is the server's alone; a panel's own lease lasts by its
//! own monotonic clock, shorter than others wait, so that it knows of its end before anybody takes its boxes.
//!
//! What keeps a panel that was stopped for a while from writing over who came after it: its session with the server is ended before its
//! boxes are taken; each poll is written only where its number still stands among the panels; and polls of later generations have later
//! numbers.
//!
//! A panel that is alone keeps its boxes also while the server cannot be reached: nobody is there to take them. One that joins meanwhile
//! and reaches the server takes them all the same once the other was not seen for long.

use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use sqlx::{AnyConnection, AssertSqlSafe};

use super::claim::{Claim, Session, end_session};
use super::dialect::Dialect;
use super::{Store, StoreError, locked};

/// A lease lasts so long after the question that renewed it was asked.
pub const LEASE: Duration = Duration::from_secs(10);

/// A panel that was not seen for so long is dead. More than [`LEASE`], and with a turn of the others less than fifteen seconds.
const DEAD_AFTER_MS: i64 = 12_000;

/// So long the end of a dead panel's session may take before it is tried again.
const END_LIMIT: Duration = Duration::from_secs(2);

/// Polls of a new generation leave so many numbers for what the panel before may still bring.
const ROOM: i64 = 1 << 20;

/// The first half of the lock of turns; the second is that of a table, so that each schema of a database has its own.
const TURN_CLASS: i32 = i32::from_be_bytes(*b"turn");

/// A panel that shares the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PanelSeen {
    /// Its number.
    pub id: i64,
    /// Where people find it.
    pub url: String,
}

/// How a panel is known to the others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PanelName {
    /// Where people find it.
    pub url: String,
    /// Whoever begins with the same is the same panel: the one before has ended.
    pub identity: String,
}

/// What came out of a turn.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Turn {
    /// All panels that live, this one among them.
    pub panels: Vec<PanelSeen>,
    /// Who polls each box that somebody polls.
    pub polled_by: BTreeMap<i64, i64>,
    /// This panel's boxes, each with its generation.
    pub held: BTreeMap<i64, i64>,
    /// Those of them that others should have: to be released once nothing of them waits.
    pub surplus: Vec<i64>,
}

/// What this panel holds.
#[derive(Default)]
pub(super) struct Leases {
    held: Mutex<HashMap<i64, Held>>,
    until: Mutex<Until>,
}

#[derive(Clone, Copy)]
pub(super) struct Held {
    pub(super) generation: i64,
    pub(super) first_seq: i64,
}

/// Up to when leases last.
#[derive(Clone, Copy, Default)]
enum Until {
    /// There is none.
    #[default]
    Over,
    Instant(Instant),
    /// Nobody else is there.
    Alone,
}

/// A lease as it is stored.
#[derive(sqlx::FromRow)]
struct LeaseRow {
    box_id: i64,
    panel_id: Option<i64>,
    generation: Option<i64>,
    first_seq: Option<i64>,
}

impl Leases {
    /// The number of the first poll that this panel may record of a box.
    pub(super) fn first_seq(&self, box_id: i64) -> Option<i64> {
        self.of(box_id).map(|held| held.first_seq)
    }

    /// The lease of a box.
    pub(super) fn of(&self, box_id: i64) -> Option<Held> {
        locked(&self.held).get(&box_id).copied()
    }
}

impl Store {
    /// Whether the database can be shared by several panels.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        self.inner.dialect == Dialect::Postgres
    }

    /// The generation in which this panel polls a box; none: it does not.
    #[must_use]
    pub fn lease(&self, box_id: i64) -> Option<i64> {
        if self.is_shared() { self.inner.leases.of(box_id).map(|held| held.generation) } else { Some(0) }
    }

    /// Whether this process keeps the history of a box tidy: whoever polls it does, or whoever has the database without sharing it.
    pub(super) fn tends(&self, box_id: i64) -> bool {
        self.inner.claim.panel().is_none() || self.lease(box_id).is_some()
    }

    /// Whether the leases of this panel last at an instant.
    #[must_use]
    pub fn leases_last(&self, instant: Instant) -> bool {
        !self.is_shared()
            || match *locked(&self.inner.leases.until) {
                Until::Over => false,
                Until::Instant(until) => instant < until,
                Until::Alone => true,
            }
    }

    /// Says that this panel, `me`, lives, and takes or offers boxes. Where the database is not shared there is
    /// nothing to say.
    ///
    /// # Errors
    /// When the database fails: leases then last as long as they did.
    pub async fn take_turn(&self, me: &PanelName) -> Result<Turn, StoreError> {
        if !self.is_shared() {
            return Ok(Turn::default());
        }
        let asked = Instant::now();
        let (turn, leases, panel) = self.inner.dialect.within(self.turn(me)).await?;
        *locked(&self.inner.leases.until) = if turn.panels.len() == 1 { Until::Alone } else { Until::Instant(asked + LEASE) };
        *locked(&self.inner.leases.held) = leases;
        // Not before: polls of leases that are gone must not pass as those of a panel that stands.
        self.inner.claim.set_panel(Some(panel));
        Ok(turn)
    }

    async fn turn(&self, name: &PanelName) -> Result<(Turn, HashMap<i64, Held>, i64), StoreError> {
        let claim = &self.inner.claim;
        self.end_dead_sessions(name).await?;
        let mut change = self.inner.side.begin().await?;
        let lock = sqlx::query("select pg_advisory_xact_lock($1, 'panel'::regclass::oid::integer)").bind(TURN_CLASS);
        lock.execute(&mut *change).await?;
        let now_ms: i64 = sqlx::query_scalar(NOW_MS).fetch_one(&mut *change).await?;
        let (me, is_new) = register(claim, &mut change, name, now_ms).await?;
        let buried = bury(&mut change, now_ms).await?;
        let panels: Vec<(i64, String)> =
            sqlx::query_as("select panel_id, url from panel order by panel_id").fetch_all(&mut *change).await?;
        // What is not polled needs no lease.
        let idle = "update lease set panel_id = null where panel_id = $1 and box_id in \
                    (select box_id from box where removed_ms is not null or purging = 1 or paused = 1)";
        sqlx::query(idle).bind(me).execute(&mut *change).await?;
        let boxes = "select box.box_id, lease.panel_id, lease.generation, lease.first_seq from box \
                     left join lease on lease.box_id = box.box_id \
                     where box.removed_ms is null and box.purging = 0 and box.paused = 0 order by box.box_id";
        let rows: Vec<LeaseRow> = sqlx::query_as(boxes).fetch_all(&mut *change).await?;
        let rank = panels.iter().position(|&(id, _)| id == me).unwrap_or_default();
        let share = share(rows.len(), panels.len().max(1), rank);
        let mut polled_by = BTreeMap::new();
        let mut held = HashMap::new();
        for row in &rows {
            if let (Some(panel), Some(generation), Some(first_seq)) = (row.panel_id, row.generation, row.first_seq) {
                polled_by.insert(row.box_id, panel);
                if panel == me {
                    held.insert(row.box_id, Held { generation, first_seq });
                }
            }
        }
        let mut mine: Vec<i64> = held.keys().copied().collect();
        mine.sort_unstable();
        let surplus = mine.split_off(share.min(mine.len()));
        let mut taken = 0;
        if held.len() < share {
            let take = i64::try_from(share - held.len()).unwrap_or(i64::MAX);
            for (box_id, generation, first_seq) in take_boxes(&mut change, me, take).await? {
                polled_by.insert(box_id, me);
                held.insert(box_id, Held { generation, first_seq });
                taken += 1;
            }
        }
        if is_new || buried > 0 || taken > 0 {
            sqlx::query(TELL).execute(&mut *change).await?;
        }
        change.commit().await?;
        let generations = held.iter().map(|(&box_id, held)| (box_id, held.generation)).collect();
        let panels = panels.into_iter().map(|(id, url)| PanelSeen { id, url }).collect();
        Ok((Turn { panels, polled_by, held: generations, surplus }, held, me))
    }

    /// Gives boxes back, so that others may take them: nothing of them waits any more.
    ///
    /// # Errors
    /// When the database fails: they are still this panel's then.
    pub async fn release(&self, boxes: &[i64]) -> Result<(), StoreError> {
        let Some(me) = self.inner.claim.panel() else { return Ok(()) };
        let work = async {
            let mut change = self.inner.side.begin().await?;
            for box_id in boxes {
                let release = sqlx::query("update lease set panel_id = null where box_id = $1 and panel_id = $2").bind(box_id).bind(me);
                release.execute(&mut *change).await?;
            }
            sqlx::query(TELL).execute(&mut *change).await?;
            Ok(change.commit().await?)
        };
        self.inner.dialect.within(work).await?;
        locked(&self.inner.leases.held).retain(|box_id, _| !boxes.contains(box_id));
        Ok(())
    }

    /// Takes leave of the other panels, which may take all boxes at once.
    ///
    /// # Errors
    /// When the database fails: the others find out by themselves then.
    pub async fn leave(&self) -> Result<(), StoreError> {
        let Some(me) = self.inner.claim.panel() else { return Ok(()) };
        let work = async {
            let mut change = self.inner.side.begin().await?;
            sqlx::query("delete from panel where panel_id = $1").bind(me).execute(&mut *change).await?;
            sqlx::query(TELL).execute(&mut *change).await?;
            Ok(change.commit().await?)
        };
        self.inner.dialect.within(work).await?;
        *locked(&self.inner.leases.until) = Until::Over;
        locked(&self.inner.leases.held).clear();
        Ok(())
    }

    /// Ends what dead panels still have with the server: one that was stopped may be amid a transaction. Waits for the end.
    async fn end_dead_sessions(&self, name: &PanelName) -> Result<(), StoreError> {
        let dead = format!(
            "select process, process_began from panel join pg_stat_activity on pid = process and backend_start::text = process_began \
             where panel_id <> $2 and (identity = $3 or seen_ms < ({NOW_MS}) - $1)"
        );
        let me = self.inner.claim.panel().unwrap_or_default();
        let began = Instant::now();
        while began.elapsed() < END_LIMIT {
            // Only constants are put together here.
            let sessions = sqlx::query_as(AssertSqlSafe(dead.clone())).bind(DEAD_AFTER_MS).bind(me).bind(&name.identity);
            let sessions: Vec<Session> = sessions.fetch_all(&self.inner.side).await?;
            if sessions.is_empty() {
                return Ok(());
            }
            let mut connection = self.inner.side.acquire().await?;
            for session in &sessions {
                // Who may not end it is told so once; what it writes is refused all the same.
                if let Err(error) = end_session(session, &mut connection).await {
                    tracing::warn!(%error, "the session of a panel that was given up could not be ended");
                    return Ok(());
                }
            }
            drop(connection);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }
}

/// The time by the server's clock, which goes on within a transaction.
const NOW_MS: &str = "select cast(extract(epoch from clock_timestamp()) * 1000 as bigint)";

/// Wakes the other panels.
pub(super) const TELL: &str = "select pg_notify('tickmark', current_schema())";

/// This panel's number, and whether it is a new one: the others may have given up the one before.
async fn register(claim: &Claim, change: &mut AnyConnection, name: &PanelName, now_ms: i64) -> Result<(i64, bool), StoreError> {
    if let Some(me) = claim.panel() {
        let seen = sqlx::query("update panel set seen_ms = $1 where panel_id = $2").bind(now_ms).bind(me).execute(&mut *change).await?;
        if seen.rows_affected() > 0 {
            return Ok((me, false));
        }
        tracing::warn!("the other panels gave this one up: it was not seen for long; it begins anew");
    }
    // Whoever had the lock of this panel before has it no more: it has ended.
    sqlx::query("delete from panel where identity = $1").bind(&name.identity).execute(&mut *change).await?;
    let (process, began) = claim.session().unzip();
    let insert = "insert into panel (url, identity, seen_ms, process, process_began) values ($1, $2, $3, $4, $5) returning panel_id";
    let insert = sqlx::query_scalar(insert).bind(&name.url).bind(&name.identity).bind(now_ms).bind(process).bind(began);
    Ok((insert.fetch_one(change).await?, true))
}

/// Removes the panels that were not seen for long; their boxes are nobody's then. Says how many.
async fn bury(change: &mut AnyConnection, now_ms: i64) -> Result<usize, StoreError> {
    let delete = sqlx::query_as("delete from panel where seen_ms < $1 returning panel_id, url").bind(now_ms - DEAD_AFTER_MS);
    let buried: Vec<(i64, String)> = delete.fetch_all(change).await?;
    for (panel, url) in &buried {
        tracing::warn!(panel, url, "a panel was not seen for {} s: its boxes are taken over", DEAD_AFTER_MS / 1_000);
    }
    Ok(buried.len())
}

/// Takes boxes that nobody polls.
async fn take_boxes(change: &mut AnyConnection, me: i64, most: i64) -> Result<Vec<(i64, i64, i64)>, StoreError> {
    let take = "with free as ( \
                select box.box_id, greatest(box.sealed_seq, coalesce(lease.first_seq, 0), \
                coalesce((select max(seq) from head where head.box_id = box.box_id), 0)) as last_seq \
                from box left join lease on lease.box_id = box.box_id where box.removed_ms is null and box.purging = 0 \
                and box.paused = 0 and lease.panel_id is null order by box.box_id limit $2) \
                insert into lease (box_id, panel_id, generation, first_seq) select box_id, $1, 1, last_seq + $3 from free \
                on conflict (box_id) do update set panel_id = excluded.panel_id, generation = lease.generation + 1, \
                first_seq = excluded.first_seq returning box_id, generation, first_seq";
    Ok(sqlx::query_as(take).bind(me).bind(most).bind(ROOM).fetch_all(change).await?)
}

/// How many boxes a panel should have: all have the same, but for those that are left over.
const fn share(boxes: usize, panels: usize, rank: usize) -> usize {
    boxes / panels + if rank < boxes % panels { 1 } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_are_shared_evenly() {
        for (boxes, panels) in [(100, 3), (0, 2), (1, 2), (7, 7), (8, 3)] {
            let shares: Vec<usize> = (0..panels).map(|rank| share(boxes, panels, rank)).collect();
            assert_eq!(shares.iter().sum::<usize>(), boxes);
            assert!(shares.iter().max().unwrap() - shares.iter().min().unwrap() <= 1, "{shares:?}");
        }
    }
}
