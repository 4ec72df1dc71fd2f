//! Datagrams, by UDP or over a unix socket: a question in one, the answer in another.
//!
//! Each question has a socket of its own. What comes late for an earlier one, or a second time, comes to a socket that is gone.

use std::{
    io::{self, ErrorKind},
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::Instant,
};

use tokio::net::{UdpSocket, UnixDatagram, lookup_host};

use super::{
    MayAnswer, Timing,
    local::{Own, no_room, words},
    midway_ms, too_large,
};
use crate::source::SourceError;

/// No server sends longer datagrams: OpenSIPS and Kamailio stop at 64 KiB.
const MAX_DATAGRAM_BYTES: usize = 128 << 10;

/// Where datagrams go.
pub(super) enum To {
    Udp { host: String, port: u16 },
    Unix { path: PathBuf, reply_dir: PathBuf },
}

/// The way to one server by datagrams.
pub(in crate::source) struct Datagram {
    to: To,
}

impl Datagram {
    pub(super) fn new(to: To) -> Self {
        Self { to }
    }

    /// Sends `question` and waits for an answer to it; answers to others are passed over.
    pub(super) async fn exchange(&self, question: &str, may_answer: MayAnswer<'_>, into: &mut Vec<u8>) -> Result<Timing, SourceError> {
        let timing = match &self.to {
            To::Udp { host, port } => udp(host, *port, question, may_answer, into).await,
            To::Unix { path, reply_dir } => unix(path, reply_dir, question, may_answer, into).await,
        }?;
        if into.len() > MAX_DATAGRAM_BYTES {
            return Err(too_large(MAX_DATAGRAM_BYTES));
        }
        Ok(timing)
    }
}

async fn udp(host: &str, port: u16, question: &str, may_answer: MayAnswer<'_>, into: &mut Vec<u8>) -> Result<Timing, SourceError> {
    let place = format!("{host}:{port}");
    let unreachable = |why: &str| {
        SourceError::Unreachable(format!("nothing can be reached at {place} by UDP ({why}); check host and port, and that the server runs"))
    };
    let addresses = lookup_host(&place).await.map_err(|error| unreachable(&words(&error)))?;
    let mut last = unreachable("no such host");
    for address in addresses {
        match ask_at(address, question, may_answer, into).await {
            Ok(timing) => return Ok(timing),
            // A name may be that of several addresses, of which the server uses one.
            Err(error) => last = unreachable(&words(&error)),
        }
    }
    Err(last)
}

async fn ask_at(address: SocketAddr, question: &str, may_answer: MayAnswer<'_>, into: &mut Vec<u8>) -> io::Result<Timing> {
    let own: SocketAddr = if address.is_ipv4() { (Ipv4Addr::UNSPECIFIED, 0).into() } else { (Ipv6Addr::UNSPECIFIED, 0).into() };
    let socket = UdpSocket::bind(own).await?;
    // Connected, so that the system passes over what comes from another address or port, and tells when nobody listens.
    socket.connect(address).await?;
    let sent = Instant::now();
    socket.send(question.as_bytes()).await?;
    loop {
        into.resize(MAX_DATAGRAM_BYTES + 1, 0);
        let length = socket.recv(into).await?;
        into.truncate(length);
        if may_answer(into) {
            return Ok(Timing { at_ms: midway_ms(sent, Instant::now()), took: sent.elapsed() });
        }
    }
}

async fn unix(path: &Path, reply_dir: &Path, question: &str, may_answer: MayAnswer<'_>, into: &mut Vec<u8>) -> Result<Timing, SourceError> {
    let own = Own::new(reply_dir)?;
    let socket = UnixDatagram::bind(own.path()).map_err(|error| no_room(reply_dir, &error))?;
    // Whoever the server runs as may answer.
    std::fs::set_permissions(own.path(), std::fs::Permissions::from_mode(0o666)).map_err(|error| no_room(reply_dir, &error))?;
    // Not connected: both servers answer from a socket other than the one they are asked at, which a connected one would not take.
    // Our name is one that nobody guesses.
    let sent = Instant::now();
    socket.send_to(question.as_bytes(), path).await.map_err(|error| {
        let path = path.display();
        let why = match error.kind() {
            ErrorKind::NotFound => {
                "it is not there; check the path, and that the server runs and has loaded its module for datagrams".into()
            }
            ErrorKind::ConnectionRefused => "no server reads it; check that the server runs, and that this is its socket".into(),
            ErrorKind::PermissionDenied => {
                "the panel may not write into it; let it, by the server's settings for the socket's mode and group".into()
            }
            _ => words(&error),
        };
        SourceError::Unreachable(format!("the socket {path} cannot be used: {why}"))
    })?;
    loop {
        into.resize(MAX_DATAGRAM_BYTES + 1, 0);
        let received = socket.recv(into).await;
        let length = received.map_err(|error| SourceError::Closed(format!("no answer can be read ({})", words(&error))))?;
        into.truncate(length);
        if may_answer(into) {
            return Ok(Timing { at_ms: midway_ms(sent, Instant::now()), took: sent.elapsed() });
        }
    }
}
