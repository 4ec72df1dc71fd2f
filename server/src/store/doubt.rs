//! A transaction whose end is not known: the connection was lost between the question to commit and the answer. Its polls come again,
//! and are stored once all the same. It must not know why they come again.
//!
//! A transaction is there as a whole or not at all: one row of it tells. By the time that it is looked for, nothing of the lost
//! connection is under way any more: the claim sees to that.

use std::collections::VecDeque;

use sqlx::AnyPool;

use super::StoreError;
use super::insert::Row;
use super::lease::Leases;
use super::types::PollRecord;

/// So many polls that landed are remembered until they come again; whoever gave them up never brings them.
const MAX_LANDED: usize = 4 * super::MAX_BATCH_POLLS;

/// What is not known, and what came out of it.
#[derive(Default)]
pub(super) struct Doubt {
    open: Option<(Witness, Vec<PollRecord>)>,
    landed: VecDeque<PollRecord>,
}

/// A row of a transaction, that tells whether it is there.
#[derive(Clone, Copy)]
pub(super) struct Witness {
    box_id: i64,
    seq: i64,
    at_ms: i64,
}

impl Witness {
    pub(super) fn of(row: &Row) -> Self {
        Self { box_id: row.box_id, seq: row.head.seq, at_ms: row.head.at_ms }
    }
}

impl Doubt {
    /// The end of a transaction with these polls is not known. Those of it that landed earlier are known already.
    pub(super) fn raise(&mut self, witness: Witness, polls: &[&PollRecord]) {
        let new = polls.iter().filter(|poll| !self.has_landed(poll)).map(|&poll| poll.clone()).collect();
        self.open = Some((witness, new));
    }

    /// Finds out what became of it, where it is not known.
    pub(super) async fn resolve(&mut self, write: &AnyPool, leases: &Leases) -> Result<(), StoreError> {
        let Some((Witness { box_id, seq, at_ms }, _)) = self.open else { return Ok(()) };
        if leases.first_seq(box_id).is_some_and(|first| seq < first) {
            // Another panel polled it meanwhile: how far it is sealed tells nothing any more. What is said twice is left out where late
            // polls are taken in.
            self.open = None;
            return Ok(());
        }
        // What is sealed is no row any more.
        let count = "select (select count(*) from head where box_id = $1 and seq = $2 and at_ms = $3) \
                     + (select count(*) from box where box_id = $1 and sealed_seq >= $2)";
        let count: i64 = sqlx::query_scalar(count).bind(box_id).bind(seq).bind(at_ms).fetch_one(write).await?;
        let polls = self.open.take().map(|(_, polls)| polls).unwrap_or_default();
        if count > 0 {
            self.landed.extend(polls);
            let too_many = self.landed.len().saturating_sub(MAX_LANDED);
            self.landed.drain(..too_many);
        }
        Ok(())
    }

    /// Whether a poll is stored already.
    pub(super) fn has_landed(&self, poll: &PollRecord) -> bool {
        self.landed.contains(poll)
    }

    /// These have been answered for.
    pub(super) fn forget(&mut self, polls: &[&PollRecord]) {
        if !self.landed.is_empty() {
            self.landed.retain(|landed| !polls.contains(&landed));
        }
    }
}
