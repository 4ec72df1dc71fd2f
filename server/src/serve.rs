//! `tickmark serve`: puts the parts together, listens, and ends in good order.

use std::{
    fs::File,
    io::{self, Write},
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use axum::middleware::map_request;
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::{Notify, mpsc},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    alerts::{Alerts, Change, Outbox, Pictures, Watching, follow_before},
    api,
    auth::Auth,
    board::Board,
    clock,
    config::ServeConfig,
    desk::Desk,
    engine::{self, Engine, RegistryError},
    http,
    mi::{Listening, Mi, MiError},
    provision::{self, Done, ProvisionError},
    sampler::{Recorder, Room, Sampler, Shared, Spool},
    scripts::Scripts,
    store::{PanelName, Store, StoreError},
    vault::{Vault, VaultError},
};

mod door;
pub(crate) mod lock;
mod tls;

use door::Door;
pub use tls::TlsError;
use tls::{Peer, as_plain};

/// After a signal, requests in flight get this long; then connections are dropped. The whole end takes under two seconds.
const GRACE: Duration = Duration::from_millis(500);
/// So long the last messages of alerts may take to be sent.
const LAST_MESSAGES: Duration = Duration::from_millis(300);
/// So long the last samples may take to be written.
const LAST_WRITES: Duration = Duration::from_millis(900);

/// Why the panel does not run.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address is taken or cannot be used.
    #[error("{0}")]
    Listen(String),
    /// The management interface cannot listen where it was told to.
    #[error(transparent)]
    Mi(#[from] MiError),
    /// HTTPS cannot be spoken.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The database cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The key file cannot be used.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// What the configuration file provides cannot be had.
    #[error("the configuration file: {0}")]
    Provision(#[from] ProvisionError),
    /// The door cannot be made.
    #[error(transparent)]
    Auth(#[from] crate::auth::AuthError),
    /// Another panel serves this file, or somebody has the database alone.
    #[error("another Tickmark serves {0} already: stop it first, or name another database with --database")]
    Running(String),
    /// It cannot be found out whether another one does.
    #[error("the lock file of {} cannot be made: {error}; give the user that runs tickmark the right to write its folder", .path.display())]
    Lock {
        /// The database, or its lock file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// Scripts cannot be run.
    #[error("{0}")]
    Scripts(String),
    /// The panel cannot count.
    #[error(transparent)]
    Engine(#[from] RegistryError),
    /// The network failed while serving.
    #[error("serving failed: {0}")]
    Io(#[from] io::Error),
}

/// A panel that is ready to serve: the caller knows its address, and may stop it.
pub struct Panel {
    listener: Door,
    address: SocketAddr,
    setup_link: Option<String>,
    router: axum::Router,
    sampler: Arc<Sampler>,
    store: Store,
    engine: Arc<Engine>,
    scripts: Arc<Scripts>,
    mi: Arc<Mi>,
    mi_listens: Listening,
    stop: CancellationToken,
    /// Keeps and tells what alerts do, until the boxes are asked no more.
    telling: Telling,
    _locks: [Option<File>; 2],
}

/// Keeps what alerts do, and sends the messages that tell of it.
struct Telling {
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Telling {
    fn begin(alerts: Arc<Alerts>, changed: mpsc::Receiver<Change>, outbox: Outbox) -> Self {
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        tasks.spawn(alerts.run(changed, stop.clone()));
        tasks.spawn(outbox.run(stop.clone()));
        Self { tasks, stop }
    }

    async fn end(self) {
        self.stop.cancel();
        self.tasks.close();
        // A message that is under way still is sent again by the next start, under the same key.
        let _ = tokio::time::timeout(LAST_MESSAGES, self.tasks.wait()).await;
    }
}

/// Serves until SIGTERM or SIGINT.
///
/// # Errors
/// When it cannot begin, or the network fails.
pub async fn run(config: ServeConfig) -> Result<(), ServeError> {
    for notice in &config.notices {
        eprintln!("{notice}");
    }
    let panel = Panel::start(config).await?;
    // Heard before anybody knows that there is a panel to end.
    let signals = Signals::hear()?;
    panel.announce()?;
    let stop = panel.stop.clone();
    tokio::spawn(async move {
        signals.any().await;
        tracing::info!("stopping");
        stop.cancel();
    });
    panel.serve().await
}

/// The signals that end the panel.
struct Signals {
    term: Signal,
    int: Signal,
}

impl Signals {
    fn hear() -> io::Result<Self> {
        Ok(Self { term: signal(SignalKind::terminate())?, int: signal(SignalKind::interrupt())? })
    }

    async fn any(mut self) {
        tokio::select! {
            _ = self.term.recv() => {}
            _ = self.int.recv() => {}
        }
    }
}

impl Panel {
    /// Opens the database, listens, and begins to ask the boxes.
    ///
    /// # Errors
    /// When any of that cannot be done.
    pub async fn start(config: ServeConfig) -> Result<Self, ServeError> {
        let (listener, address) = Door::open(config.listen, config.tls.clone()).await?;
        let mi_listens = Listening::begin(&config.mi).await?;
        let store = Store::open(config.database.url()).await?;
        let one_alone = config.database.file().map(lock::lock).transpose()?;
        if !store.claim_share().await? {
            return Err(ServeError::Running(config.database.to_string()));
        }
        let vault = config.key_file.as_deref().map_or_else(Vault::in_memory, Vault::open)?;
        let auth = Arc::new(Auth::new(store.clone()));
        let done = provide(&config, &store, &auth, &vault).await?;
        let setup_link = auth.first_start(config.admin_password.as_ref(), (listener.scheme(), address), clock::now_ms()).await?;

        let engine = Arc::new(Engine::new(Instant::now())?);
        engine.take_up(&store).await?;
        let board = Arc::new(Board::new(i64::try_from(config.interval.as_millis()).unwrap_or(i64::MAX)));
        let me = lock::identity(config.key_file.as_deref())?;
        let (room, left) = room(me.path.as_deref().filter(|_| store.is_shared()), &config.database.to_string());
        let name = PanelName { url: found_at(listener.scheme(), address), identity: me.identity };
        let (watching, changed) = Watching::new();
        let wake = Arc::new(Notify::new());
        let pictures = Pictures::open(&store, config.public_url.clone()).await?;
        let url = config.public_url.unwrap_or_else(|| name.url.clone());
        let alerts = Arc::new(Alerts {
            store: store.clone(),
            board: Arc::clone(&board),
            watching: Arc::clone(&watching),
            url: url.clone(),
            wake: Arc::clone(&wake),
        });
        let shared = Shared {
            recorder: Recorder::new(store.clone(), Arc::clone(&board)).telling(Arc::clone(&alerts)),
            board,
            store: store.clone(),
            vault: vault.clone(),
            engine: Arc::clone(&engine),
            room,
            name,
            url: url.clone(),
            watching: Arc::clone(&watching),
        };
        let sampler = begin(shared, left).await?;
        let stop = CancellationToken::new();
        tokio::spawn(engine::keep_going(Arc::clone(&engine), store.clone(), stop.clone()));
        tokio::spawn(stop.clone().run_until_cancelled_owned(provision::find_out_later(store.clone(), done.guesses)));
        let desk = Arc::new(Desk::new(Arc::clone(&sampler), done.ticks));
        let drawing = (api::drawing(Arc::clone(&desk)), pictures.clone());
        let outbox = Outbox::new(store.clone(), vault, Arc::clone(&wake), drawing).map_err(io::Error::other)?;
        let telling = Telling::begin(alerts, changed, outbox);
        tokio::spawn(follow_before(Arc::clone(&desk), watching, stop.clone()));
        let scripts = Scripts::new(Arc::clone(&desk), Arc::clone(&engine), store.clone(), config.script_hosts, (url, wake));
        let scripts = scripts.map_err(ServeError::Scripts)?;
        scripts.go_on(&stop);
        let mi = Mi::new(Arc::clone(&engine), store.clone(), config.mi.get_writes, config.mi.token);
        let parts = http::Parts {
            desk,
            auth,
            engine: Arc::clone(&engine),
            scripts: Arc::clone(&scripts),
            store: store.clone(),
            pictures,
            stop: stop.clone(),
        };
        let router = http::router(parts);
        let locks = [one_alone, me.lock];
        Ok(Self { listener, address, setup_link, router, sampler, store, engine, scripts, mi, mi_listens, stop, telling, _locks: locks })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The one-time setup link, at first start.
    #[must_use]
    pub fn setup_link(&self) -> Option<&str> {
        self.setup_link.as_deref()
    }

    /// Where the management interface listens, if it does.
    #[must_use]
    pub fn mi_address(&self) -> Option<SocketAddr> {
        self.mi_listens.address()
    }

    /// Ends [`Self::serve`].
    #[must_use]
    pub fn stopper(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Tells where it is, in lines that a person reads and a script can wait for.
    fn announce(&self) -> io::Result<()> {
        let mut out = io::stdout().lock();
        writeln!(out, "Tickmark is at {}://{}/cp", self.listener.scheme(), self.address)?;
        if let Some(link) = &self.setup_link {
            writeln!(out, "Set it up: {link}")?;
        }
        out.flush()
    }

    /// Serves until it is stopped; then ends streams, gives requests a moment, and writes the last samples.
    ///
    /// # Errors
    /// When the network fails.
    pub async fn serve(self) -> Result<(), ServeError> {
        let stop = self.stop.clone();
        let mi = tokio::spawn(self.mi_listens.serve(self.mi, stop.clone()));
        let ended = stop.clone();
        let ended = async move { ended.cancelled().await };
        let serving = async {
            match self.listener {
                Door::Plain(listener) => {
                    let service = self.router.into_make_service_with_connect_info::<SocketAddr>();
                    axum::serve(listener, service).with_graceful_shutdown(ended).await
                }
                Door::Tls(listener) => {
                    let service = self.router.layer(map_request(async |request| as_plain(request)));
                    axum::serve(listener, service.into_make_service_with_connect_info::<Peer>()).with_graceful_shutdown(ended).await
                }
            }
        };
        let served = tokio::select! {
            served = serving => served,
            // A half-sent request would keep the graceful end waiting for ever.
            () = async { stop.cancelled().await; tokio::time::sleep(GRACE).await } => Ok(()),
        };
        let last = async {
            // What is pushed until the end is kept.
            let _ = mi.await;
            // So is what scripts did by then.
            self.scripts.end().await;
            self.sampler.stop().await;
            self.telling.end().await;
            if self.engine.counts_pushed()
                && let Err(error) = self.engine.keep(&self.store).await
            {
                tracing::error!(%error, "the last that scripts pushed could not be kept");
            }
            self.sampler.leave().await;
            self.store.close().await;
        };
        if tokio::time::timeout(LAST_WRITES, last).await.is_err() {
            tracing::error!(limit = ?LAST_WRITES, "the last samples could not be written in time");
        }
        Ok(served?)
    }
}

/// The accounts, boxes and whatever else the first start and the configuration file bring.
async fn provide(config: &ServeConfig, store: &Store, auth: &Auth, vault: &Vault) -> Result<Done, ServeError> {
    provision::builtin(store, clock::now_ms()).await?;
    // Before the accounts of the configuration file, which would make it look like a later start.
    if let Some(password) = &config.admin_password
        && !auth.make_admin(password, clock::now_ms()).await?
    {
        tracing::info!("TICKMARK_ADMIN_PASSWORD is for the first start and not used: `tickmark user password admin` changes the password");
    }
    let done = provision::provision(store, auth.passwords(), vault, &config.provided, clock::now_ms()).await?;
    for notice in &done.notices {
        tracing::warn!("{notice}");
    }
    Ok(done)
}

/// Where what waits for a database's server may be, and what an earlier process left there. A file has no server that may be away; what
/// keeps it from being written would keep another from it as well.
fn room(beside: Option<&Path>, database: &str) -> (Room, Vec<PathBuf>) {
    let (spool, left) = beside.map(|beside| Spool::open(beside, database)).unwrap_or_default();
    (Room { spool, ..Room::default() }, left)
}

/// Begins to ask the boxes, after what an earlier process left has its place.
async fn begin(shared: Shared, left: Vec<PathBuf>) -> Result<Arc<Sampler>, StoreError> {
    let sampler = Sampler::new(shared);
    sampler.join().await?;
    sampler.bring_leftover(left).await;
    sampler.reload().await?;
    sampler.follow();
    Ok(sampler)
}

/// Where people find a panel that listens there: on every address of a host, by its name.
fn found_at(scheme: &str, address: SocketAddr) -> String {
    let host = std::fs::read_to_string("/etc/hostname").ok().map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
    match host {
        Some(host) if address.ip().is_unspecified() => format!("{scheme}://{host}:{}/cp", address.port()),
        _ => format!("{scheme}://{address}/cp"),
    }
}
