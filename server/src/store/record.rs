//! The one writer of polls: gathers those that wait into one transaction, packs each into a row of its box's head. It must not know
//! what is read, and when a head is sealed.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use app::model::Number;
use sqlx::{AnyConnection, AnyPool};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

use super::claim::Claim;
use super::dialect::Dialect;
use super::doubt::{Doubt, Witness};
use super::health::{Health, Trouble};
use super::insert::{MARKS_PER_INSERT, ROWS_PER_INSERT, Row, insert_marks, insert_rows, stands};
use super::lease::Leases;
use super::tail::{Tails, goes_on, load_tail};
use super::types::{PollRecord, StoreStats};
use super::{Store, StoreError, locked};

/// So many polls may wait to be committed; further ones are dropped and counted.
pub const QUEUE_POLLS: usize = 1024;

/// So many polls share a transaction at most.
pub const MAX_BATCH_POLLS: usize = 256;

/// A poll waits so long for others to share its transaction with: a commit costs about as much as a poll.
const BATCH_WAIT: Duration = Duration::from_millis(50);

impl Store {
    /// Records a poll. Answers once it is committed, which polls within 50 ms may share. Dropping the future does not take it back.
    ///
    /// # Errors
    /// [`StoreError::Full`] when too many wait; [`StoreError::Missing`] when the box, or a series in it, is not there.
    pub async fn record(&self, poll: PollRecord) -> Result<(), StoreError> {
        self.inner.writer.record(ordered(poll)).await
    }
}

/// The handle of the writer's task.
pub(super) struct Writer {
    polls: mpsc::Sender<Waiting>,
    state: Arc<State>,
    closing: CancellationToken,
    task: Mutex<Option<JoinHandle<()>>>,
}

struct Waiting {
    poll: PollRecord,
    answer: oneshot::Sender<Result<(), StoreError>>,
}

/// What says whether this process may write, where a server is shared by several panels.
pub(super) struct Sharing {
    pub(super) claim: Arc<Claim>,
    pub(super) leases: Arc<Leases>,
}

/// What the task shares with the handle.
struct State {
    write: AnyPool,
    dialect: Dialect,
    health: Arc<Health>,
    sharing: Sharing,
    /// Locked after `tails`.
    doubt: tokio::sync::Mutex<Doubt>,
    /// Whoever locks it may take a connection then, never the other way round.
    tails: tokio::sync::Mutex<Tails>,
    dropped_polls: AtomicU64,
    samples: AtomicU64,
    commits: AtomicU64,
    chunks_sealed: AtomicU64,
}

impl Writer {
    pub(super) fn start(write: AnyPool, dialect: Dialect, health: Arc<Health>, sharing: Sharing) -> Self {
        let (polls, queue) = mpsc::channel(QUEUE_POLLS);
        let state = Arc::new(State {
            write,
            dialect,
            health,
            sharing,
            doubt: tokio::sync::Mutex::default(),
            tails: tokio::sync::Mutex::default(),
            dropped_polls: AtomicU64::new(0),
            samples: AtomicU64::new(0),
            commits: AtomicU64::new(0),
            chunks_sealed: AtomicU64::new(0),
        });
        let closing = CancellationToken::new();
        let task = tokio::spawn(run(queue, Arc::clone(&state), closing.clone()));
        Self { polls, state, closing, task: Mutex::new(Some(task)) }
    }

    async fn record(&self, poll: PollRecord) -> Result<(), StoreError> {
        let (answer, answered) = oneshot::channel();
        match self.polls.try_send(Waiting { poll, answer }) {
            Ok(()) => answered.await.unwrap_or(Err(StoreError::Closed)),
            Err(mpsc::error::TrySendError::Closed(_)) => Err(StoreError::Closed),
            Err(mpsc::error::TrySendError::Full(_)) => {
                self.state.dropped_polls.fetch_add(1, Ordering::Relaxed);
                Err(StoreError::Full)
            }
        }
    }

    pub(super) async fn close(&self) {
        self.closing.cancel();
        let task = locked(&self.task).take();
        if let Some(task) = task
            && let Err(error) = task.await
        {
            tracing::error!(%error, "the writer of the database ended badly");
        }
    }

    pub(super) fn stats(&self) -> StoreStats {
        StoreStats {
            queue_depth: (self.polls.max_capacity() - self.polls.capacity()) as u64,
            dropped_polls: self.state.dropped_polls.load(Ordering::Relaxed),
            samples: self.state.samples.load(Ordering::Relaxed),
            commits: self.state.commits.load(Ordering::Relaxed),
            chunks_sealed: self.state.chunks_sealed.load(Ordering::Relaxed),
            ..StoreStats::default()
        }
    }

    pub(super) fn count_sealed(&self, chunks: usize) {
        self.state.chunks_sealed.fetch_add(chunks as u64, Ordering::Relaxed);
    }

    /// Makes the next row of a box a key, and keeps the writer out while `work` runs.
    pub(super) async fn cut<T>(&self, box_id: i64, work: impl Future<Output = T>) -> T {
        let mut tails = self.state.tails.lock().await;
        tails.remove(&box_id);
        work.await
    }
}

async fn run(mut queue: mpsc::Receiver<Waiting>, state: Arc<State>, closing: CancellationToken) {
    loop {
        let first = tokio::select! {
            biased;
            waiting = queue.recv() => waiting,
            () = closing.cancelled(), if !queue.is_closed() => {
                queue.close();
                continue;
            }
        };
        let Some(first) = first else { return };
        let batch = gather(first, &mut queue, &closing).await;
        state.commit(batch).await;
    }
}

/// Waits for polls that may share the transaction of the first.
async fn gather(first: Waiting, queue: &mut mpsc::Receiver<Waiting>, closing: &CancellationToken) -> Vec<Waiting> {
    let deadline = Instant::now() + BATCH_WAIT;
    let mut batch = vec![first];
    while batch.len() < MAX_BATCH_POLLS {
        tokio::select! {
            biased;
            next = timeout_at(deadline, queue.recv()) => match next {
                Ok(Some(waiting)) => batch.push(waiting),
                Ok(None) | Err(_) => break,
            },
            () = closing.cancelled() => break,
        }
    }
    batch
}

impl State {
    /// Commits a batch; when that fails, each poll by itself, so that one bad poll takes nobody else down.
    async fn commit(&self, batch: Vec<Waiting>) {
        let polls: Vec<&PollRecord> = batch.iter().map(|waiting| &waiting.poll).collect();
        let results = match self.try_commit(&polls).await {
            Ok(()) => polls.iter().map(|_| Ok(())).collect(),
            Err(error) if polls.len() == 1 => vec![Err(error)],
            // Nobody can write at this moment: asking again for each poll would only make all wait longer.
            Err(StoreError::Unwritable(trouble)) => polls.iter().map(|_| Err(StoreError::Unwritable(trouble.clone()))).collect(),
            Err(_) => {
                let mut results = Vec::with_capacity(polls.len());
                for poll in &polls {
                    results.push(self.try_commit(&[poll]).await);
                }
                results
            }
        };
        for (waiting, result) in batch.into_iter().zip(results) {
            // Whoever asked may have left; the poll is recorded all the same.
            let _ = waiting.answer.send(result);
        }
    }

    async fn try_commit(&self, polls: &[&PollRecord]) -> Result<(), StoreError> {
        // Looked at before, so that nothing is stored twice should the file come back, and after, so that nothing is said to be recorded
        // that nobody finds again.
        let here = || if self.health.is_removed() { Err(StoreError::Unwritable(Trouble::Removed)) } else { Ok(()) };
        let mut tails = self.tails.lock().await;
        let mut doubt = self.doubt.lock().await;
        let mut witness = None;
        let work = async {
            here()?;
            doubt.resolve(&self.write, &self.sharing.leases).await?;
            let new: Vec<&PollRecord> = polls.iter().copied().filter(|poll| !doubt.has_landed(poll)).collect();
            if !new.is_empty() {
                self.write_all(&mut tails, &new, &mut witness).await?;
            }
            here()
        };
        let result = self.dialect.within(work).await;
        match &result {
            Ok(()) => {
                doubt.forget(polls);
                let samples: usize = polls.iter().map(|poll| poll.values.len()).sum();
                self.samples.fetch_add(samples as u64, Ordering::Relaxed);
                self.commits.fetch_add(1, Ordering::Relaxed);
                self.health.good();
            }
            Err(error) => {
                // What they remember was not stored.
                polls.iter().for_each(|poll| drop(tails.remove(&poll.box_id)));
                if let StoreError::Unwritable(trouble) = error {
                    if let (Trouble::Lost(_), Some(witness)) = (trouble, witness) {
                        doubt.raise(witness, polls);
                    }
                    self.health.bad(trouble);
                }
            }
        }
        result
    }

    /// Polls that only go on with what their boxes recorded before need no questions; a few are one statement, its own transaction.
    /// Names a row of the transaction as soon as there may be one.
    async fn write_all(&self, tails: &mut Tails, polls: &[&PollRecord], witness: &mut Option<Witness>) -> Result<(), StoreError> {
        let panel = self.sharing.claim.panel();
        if panel.is_some() {
            self.refuse_older(tails, polls)?;
        }
        if polls.iter().all(|poll| goes_on(tails, poll)) {
            let rows: Vec<Row> = polls.iter().filter_map(|poll| Some(tails.get_mut(&poll.box_id)?.next(poll))).collect();
            *witness = rows.first().map(Witness::of);
            if rows.len() <= ROWS_PER_INSERT {
                return insert_rows(&self.write, &rows, panel).await;
            }
            let mut change = self.write.begin_with(self.dialect.begin_write()).await?;
            for some in rows.chunks(ROWS_PER_INSERT) {
                insert_rows(&mut *change, some, panel).await?;
            }
            return Ok(change.commit().await?);
        }
        let mut change = self.write.begin_with(self.dialect.begin_write()).await?;
        if let Some(panel) = panel {
            stands(&mut change, panel).await?;
        }
        for poll in polls {
            match write_poll(&mut change, tails, poll, &self.sharing.leases).await {
                Ok(row) => *witness = row.or(*witness),
                Err(error) => {
                    // A transaction that is not committed is rolled back, whether or not this succeeds.
                    let _ = change.rollback().await;
                    return Err(error);
                }
            }
        }
        Ok(change.commit().await?)
    }
}

impl State {
    /// Refuses polls of an older lease than this panel has, and forgets what is remembered of one: others polled the box meanwhile.
    fn refuse_older(&self, tails: &mut Tails, polls: &[&PollRecord]) -> Result<(), StoreError> {
        for PollRecord { box_id, generation, .. } in polls {
            let lease = self.sharing.leases.of(*box_id);
            if generation.is_some() && *generation != lease.map(|lease| lease.generation) {
                return Err(StoreError::Superseded);
            }
            if tails.get(box_id).is_some_and(|tail| !tail.is_of(lease.map(|lease| lease.first_seq))) {
                tails.remove(box_id);
            }
        }
        Ok(())
    }
}

async fn write_poll(
    connection: &mut AnyConnection,
    tails: &mut Tails,
    poll: &PollRecord,
    leases: &Leases,
) -> Result<Option<Witness>, StoreError> {
    for some in poll.marks.chunks(MARKS_PER_INSERT) {
        insert_marks(connection, poll.box_id, some).await?;
    }
    if let Some(started_ms) = poll.started_ms {
        sqlx::query("update box set started_ms = $1 where box_id = $2")
            .bind(started_ms)
            .bind(poll.box_id)
            .execute(&mut *connection)
            .await?;
    }
    if poll.values.is_empty() {
        return Ok(None);
    }
    let tail = match tails.entry(poll.box_id) {
        std::collections::hash_map::Entry::Occupied(entry) => entry.into_mut(),
        std::collections::hash_map::Entry::Vacant(entry) => entry.insert(load_tail(connection, poll.box_id, leases).await?),
    };
    tail.fit(connection, poll).await?;
    let row = tail.next(poll);
    let witness = Witness::of(&row);
    insert_rows(connection, &[row], None).await?;
    Ok(Some(witness))
}

/// A poll with its values in the order of the series, each once, and what is no number as unknown.
pub(super) fn ordered(mut poll: PollRecord) -> PollRecord {
    for (_, value) in &mut poll.values {
        *value = value.filter(|number| !matches!(number, Number::Float(float) if float.is_nan()));
    }
    if !poll.values.is_sorted_by(|(one, _), (next, _)| one < next) {
        poll.values.sort_by_key(|(series, _)| *series);
        poll.values.dedup_by_key(|(series, _)| *series);
    }
    poll
}
