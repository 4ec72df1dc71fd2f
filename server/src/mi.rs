//! The management interface: the panel's own statistics, told as OpenSIPS tells its own, so that its tools work on them. JSON-RPC over HTTP,
//! datagrams and a FIFO, and the ways of OpenSIPS 2.x. Knows no page; each request has its bounds in bytes and time.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use app::model::Kind;

use crate::{engine::Engine, source::Secret, store::Store};

mod commands;
mod datagram;
mod directory;
mod door;
mod fifo;
mod frames;
mod http;
mod listen;
mod old;
mod rpc;
#[cfg(test)]
mod stage;

use directory::Directory;
pub use listen::{Listening, MiError};

/// No request is larger.
pub(crate) const MAX_REQUEST: usize = 1 << 20;
/// Computed statistics are looked at again when they are older.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// A request of more bytes is a large one.
const LARGE_REQUEST: usize = 32 << 10;

/// The interface, whatever it is reached by.
pub struct Mi {
    engine: Arc<Engine>,
    store: Store,
    /// Whether a GET may change something.
    get_writes: bool,
    /// Who asks over HTTP must know it.
    token: Option<Secret>,
    directory: Mutex<Option<Arc<Directory>>>,
    looked: tokio::sync::Mutex<Option<Instant>>,
    large: tokio::sync::Semaphore,
}

/// Whether a request may take a while: it is long, or a batch.
fn is_large(request: &[u8]) -> bool {
    request.len() > LARGE_REQUEST || request.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[')
}

/// What OpenSIPS calls the kinds.
fn word_of(kind: Kind) -> &'static str {
    match kind {
        Kind::Counter => "incremental",
        Kind::Gauge => "non-incremental",
    }
}

impl Mi {
    /// An interface to an engine. `get_writes`: a GET may change something, as in 2.x. `token`: HTTP must tell it.
    #[must_use]
    pub fn new(engine: Arc<Engine>, store: Store, get_writes: bool, token: Option<Secret>) -> Arc<Self> {
        let (directory, looked, large) = (Mutex::default(), tokio::sync::Mutex::default(), tokio::sync::Semaphore::new(1));
        Arc::new(Self { engine, store, get_writes, token, directory, looked, large })
    }

    /// Every statistic there is now.
    fn directory(&self) -> Arc<Directory> {
        let mut kept = self.directory.lock().unwrap_or_else(PoisonError::into_inner);
        match &*kept {
            Some(directory) if directory.changes == self.engine.changes() => Arc::clone(directory),
            _ => Arc::clone(kept.insert(Arc::new(Directory::of(&self.engine)))),
        }
    }

    /// Looks at the host and the store, unless that was done a moment ago.
    async fn look(&self) {
        // Whoever comes while another looks is told what was seen before.
        let Ok(mut looked) = self.looked.try_lock() else { return };
        if looked.is_some_and(|at| at.elapsed() < LOOK_EVERY) {
            return;
        }
        let Ok(stats) = self.store.stats().await else { return };
        let engine = Arc::clone(&self.engine);
        // Reading the host opens files.
        let _ = tokio::task::spawn_blocking(move || engine.look(stats, Instant::now())).await;
        *looked = Some(Instant::now());
    }

    /// Works on a request: a large one off the runtime's threads, one at a time.
    async fn work<T: Send + 'static>(self: &Arc<Self>, large: bool, work: impl FnOnce(&Self) -> T + Send + 'static) -> Option<T> {
        self.look().await;
        if !large {
            return Some(work(self));
        }
        let _one_at_a_time = self.large.acquire().await.ok()?;
        let mi = Arc::clone(self);
        tokio::task::spawn_blocking(move || work(&mi)).await.ok()
    }
}
