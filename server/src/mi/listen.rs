//! Where the management interface listens: HTTP and datagrams on one port, and a FIFO. Bounded in connections and time.
//! It must not know what is asked.

use std::{io, net::SocketAddr, path::Path, sync::Arc, time::Duration};

use axum::body::Body;
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream, UdpSocket},
    sync::Semaphore,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{Mi, datagram, fifo::Fifo, http};
use crate::config::{MiAddress, MiConfig};

/// So many connections are open at once; further ones wait.
const MAX_CONNECTIONS: usize = 64;
/// A request's head must have come within this time; so long an idle connection stays as well.
const HEAD_LIMIT: Duration = Duration::from_secs(5);
/// After this time a connection takes no further request: whoever reads nothing does not keep the place for ever.
const CONNECTION_LIMIT: Duration = Duration::from_secs(60);
/// The answer under way must have been taken within this time then.
const ANSWER_LIMIT: Duration = Duration::from_secs(20);
/// After it is stopped, requests in flight get this long.
const GRACE: Duration = Duration::from_millis(300);

/// It cannot listen where it was told to.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct MiError(String);

/// An interface that listens.
#[derive(Default)]
pub struct Listening {
    tcp: Option<TcpListener>,
    udp: Option<UdpSocket>,
    fifo: Option<Fifo>,
}

impl Listening {
    /// Listens. Where another program has the port, that is an error if the port was asked for; else it is said, and the panel does without.
    ///
    /// # Errors
    /// Says what is in the way, and the flag to change it.
    pub async fn begin(config: &MiConfig) -> Result<Self, MiError> {
        let mut listening = Self::default();
        let (address, asked) = match config.listen {
            MiAddress::Off => (None, false),
            MiAddress::Default(address) => (Some(address), false),
            MiAddress::Asked(address) => (Some(address), true),
        };
        if let Some(address) = address {
            match bind(address, config.token.is_none()).await {
                Ok((tcp, udp)) => (listening.tcp, listening.udp) = (Some(tcp), udp),
                Err(error) if asked => return Err(MiError(in_the_way(address, &error))),
                Err(error) => tracing::warn!("{}; going on without it", in_the_way(address, &error)),
            }
        }
        if let Some(path) = &config.fifo {
            listening.fifo = Some(Fifo::open(Path::new(path)).map_err(MiError)?);
        }
        Ok(listening)
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> Option<SocketAddr> {
        self.tcp.as_ref().and_then(|tcp| tcp.local_addr().ok())
    }

    /// Answers until it is stopped and what was asked by then is answered.
    pub async fn serve(self, mi: Arc<Mi>, stop: CancellationToken) {
        let tasks = TaskTracker::new();
        if let Some(tcp) = self.tcp {
            tasks.spawn(connections(tcp, Arc::clone(&mi), stop.clone(), tasks.clone()));
        }
        if let Some(udp) = self.udp {
            tasks.spawn(datagram::serve(Arc::clone(&mi), udp, stop.clone()));
        }
        if let Some(fifo) = self.fifo {
            tasks.spawn(fifo.serve(mi, stop.clone()));
        }
        stop.cancelled().await;
        tasks.close();
        let _ = tokio::time::timeout(GRACE, tasks.wait()).await;
    }
}

/// One port for connections and, unless a token is needed, which they have no place for, for datagrams.
async fn bind(address: SocketAddr, datagrams: bool) -> io::Result<(TcpListener, Option<UdpSocket>)> {
    let tcp = TcpListener::bind(address).await?;
    let udp = if datagrams { Some(UdpSocket::bind(tcp.local_addr()?).await?) } else { None };
    Ok((tcp, udp))
}

fn in_the_way(address: SocketAddr, error: &io::Error) -> String {
    let why = match error.kind() {
        io::ErrorKind::AddrInUse => "another program listens there already".to_owned(),
        io::ErrorKind::PermissionDenied => "this user may not listen there (ports below 1024 are root's)".to_owned(),
        io::ErrorKind::AddrNotAvailable => "this host has no such address".to_owned(),
        _ => error.to_string(),
    };
    format!(
        "OpenSIPS's tools cannot reach the panel's own statistics on {address}: {why}; choose another with --mi-listen, such as \
         --mi-listen 127.0.0.1:8082, or --mi-listen off"
    )
}

async fn connections(tcp: TcpListener, mi: Arc<Mi>, stop: CancellationToken, tasks: TaskTracker) {
    let room = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let next = async {
            let permit = Arc::clone(&room).acquire_owned().await;
            (permit, tcp.accept().await)
        };
        let Some((permit, accepted)) = stop.run_until_cancelled(next).await else { return };
        match accepted {
            Ok((stream, _)) => {
                let (mi, stop) = (Arc::clone(&mi), stop.clone());
                tasks.spawn(async move {
                    connection(stream, mi, stop).await;
                    drop(permit);
                });
            }
            // Such as no more file descriptors: those that end give theirs back.
            Err(error) => {
                tracing::warn!(%error, "a connection to the management interface could not be taken");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

async fn connection(stream: TcpStream, mi: Arc<Mi>, stop: CancellationToken) {
    let answer = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
        let mi = Arc::clone(&mi);
        async move { Ok::<_, std::convert::Infallible>(http::serve(mi, request.map(Body::new)).await) }
    });
    let mut server = http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(HEAD_LIMIT);
    let serving = server.serve_connection(TokioIo::new(stream), answer);
    let mut serving = std::pin::pin!(serving);
    tokio::select! {
        // A connection that fails concerns nobody else.
        _ = serving.as_mut() => return,
        () = stop.cancelled() => {}
        () = tokio::time::sleep(CONNECTION_LIMIT) => {}
    }
    serving.as_mut().graceful_shutdown();
    let _ = tokio::time::timeout(ANSWER_LIMIT, serving).await;
}
