//! HTTPS: the certificate and its key, read again when their files change, and a listener whose handshakes wait for nobody. It must not
//! know what is served.

use std::{
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use axum::{
    extract::{ConnectInfo, Request, connect_info::Connected},
    http::{HeaderValue, header},
    serve::{IncomingStream, Listener},
};
use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
    sync::{Semaphore, mpsc},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::config::TlsFiles;

/// A handshake takes at most this long.
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(10);
/// So many handshakes go on at once; whoever comes then waits to be accepted.
const MAX_HANDSHAKES: usize = 128;
/// The files are looked at so often at most.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// What a connection begins with that speaks TLS.
const TLS_RECORD: u8 = 0x16;
/// What a browser or tool is told that speaks plain HTTP here.
const NOT_HERE: &[u8] =
    b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 55\r\nConnection: close\r\n\r\n\
    This port speaks HTTPS: write https:// in the address.\n";

/// Why HTTPS cannot be spoken.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("the {what} of --tls-{flag} cannot be read from {}: {error}", .path.display())]
    File {
        /// What it holds.
        what: &'static str,
        /// The flag that names it.
        flag: &'static str,
        /// The file.
        path: PathBuf,
        /// What is wrong.
        error: String,
    },
    /// They do not belong together.
    #[error("the certificate in {} and the private key in {} do not go together: {error}", .cert.display(), .key.display())]
    Pair {
        /// The certificate's file.
        cert: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// What is wrong.
        error: rustls::Error,
    },
}

impl TlsFiles {
    fn changed(&self) -> [Option<SystemTime>; 2] {
        [&self.cert, &self.key].map(|path| path.metadata().and_then(|metadata| metadata.modified()).ok())
    }

    fn read(&self) -> Result<Arc<CertifiedKey>, TlsError> {
        let wrong = |what, flag, path: &Path, error: String| TlsError::File { what, flag, path: path.to_owned(), error };
        let no_cert = |error: String| wrong("certificate", "cert", &self.cert, error);
        let text = std::fs::read(&self.cert).map_err(|error| no_cert(error.to_string()))?;
        let certs: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
        let certs = certs.map_err(|error| no_cert(error.to_string()))?;
        if certs.is_empty() {
            return Err(no_cert("it holds no certificate in PEM: -----BEGIN CERTIFICATE-----".to_owned()));
        }
        let no_key = |error: String| wrong("private key", "key", &self.key, error);
        let text = std::fs::read(&self.key).map_err(|error| no_key(error.to_string()))?;
        let key = PrivateKeyDer::from_pem_slice(&text)
            .map_err(|error| no_key(format!("{error}; it must hold a key in PEM without a password: -----BEGIN PRIVATE KEY-----")))?;
        let pair = CertifiedKey::from_der(certs, key, &ring::default_provider());
        pair.map(Arc::new).map_err(|error| TlsError::Pair { cert: self.cert.clone(), key: self.key.clone(), error })
    }
}

/// The certificate in use. Whoever renews certificates writes new files, and nobody has to be told.
#[derive(Debug)]
struct Certificate {
    files: TlsFiles,
    now: Mutex<Now>,
}

#[derive(Debug)]
struct Now {
    pair: Arc<CertifiedKey>,
    changed: [Option<SystemTime>; 2],
    looked: Instant,
}

impl Certificate {
    fn new(files: TlsFiles) -> Result<Self, TlsError> {
        let changed = files.changed();
        let now = Now { pair: files.read()?, changed, looked: Instant::now() };
        Ok(Self { files, now: Mutex::new(now) })
    }

    /// The pair of the files as they are; while they are wrong, such as half-written ones, the one before.
    fn pair(&self, at: Instant) -> Arc<CertifiedKey> {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        if at.saturating_duration_since(now.looked) >= LOOK_EVERY {
            now.looked = at;
            let changed = self.files.changed();
            if changed != now.changed {
                match self.files.read() {
                    Ok(pair) => {
                        tracing::info!("HTTPS goes on with the new certificate");
                        now.pair = pair;
                        now.changed = changed;
                    }
                    Err(error) => tracing::warn!(%error, "HTTPS goes on with the certificate it has"),
                }
            }
        }
        Arc::clone(&now.pair)
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.pair(Instant::now()))
    }
}

/// Gives connections whose handshake is done.
pub(super) struct TlsListener {
    done: mpsc::Receiver<(TlsStream<TcpStream>, SocketAddr)>,
    address: SocketAddr,
    _end: DropGuard,
}

impl TlsListener {
    /// Over a listener, with a certificate.
    pub(super) fn new(listener: TcpListener, files: TlsFiles) -> Result<Self, super::ServeError> {
        let address = listener.local_addr()?;
        let acceptor = acceptor(files)?;
        let (done, receiver) = mpsc::channel(MAX_HANDSHAKES);
        let end = CancellationToken::new();
        tokio::spawn(end.clone().run_until_cancelled_owned(accept_all(listener, acceptor, done)));
        Ok(Self { done: receiver, address, _end: end.drop_guard() })
    }
}

fn acceptor(files: TlsFiles) -> Result<TlsAcceptor, TlsError> {
    let certificate = Arc::new(Certificate::new(files)?);
    let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
    // The provider has both versions.
    let builder = builder.with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| {
        let TlsFiles { cert, key } = certificate.files.clone();
        TlsError::Pair { cert, key, error }
    })?;
    let mut config = builder.with_no_client_auth().with_cert_resolver(certificate);
    // Over HTTP/2, a browser's streams of many tabs do not wait for each other.
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

async fn accept_all(mut listener: TcpListener, acceptor: TlsAcceptor, done: mpsc::Sender<(TlsStream<TcpStream>, SocketAddr)>) {
    let room = Arc::new(Semaphore::new(MAX_HANDSHAKES));
    loop {
        // It is never closed.
        let Ok(place) = Arc::clone(&room).acquire_owned().await else { return };
        let (stream, peer) = Listener::accept(&mut listener).await;
        let (acceptor, done) = (acceptor.clone(), done.clone());
        tokio::spawn(async move {
            match tokio::time::timeout(HANDSHAKE_LIMIT, shake_hands(stream, &acceptor)).await {
                Ok(Ok(Some(stream))) => drop(done.send((stream, peer)).await),
                Ok(Ok(None)) => {}
                Ok(Err(error)) => tracing::debug!(%peer, %error, "no TLS came about"),
                Err(_) => tracing::debug!(%peer, "a TLS handshake took too long"),
            }
            drop(place);
        });
    }
}

/// None: plain HTTP is spoken, and was answered.
async fn shake_hands(mut stream: TcpStream, acceptor: &TlsAcceptor) -> io::Result<Option<TlsStream<TcpStream>>> {
    let mut first = [0; 1];
    if stream.peek(&mut first).await? == 1 && first[0] != TLS_RECORD {
        stream.write_all(NOT_HERE).await?;
        stream.shutdown().await?;
        // What is unread when a connection is closed takes the answer with it.
        tokio::io::copy(&mut stream, &mut tokio::io::sink()).await?;
        return Ok(None);
    }
    acceptor.accept(stream).await.map(Some)
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, SocketAddr) {
        match self.done.recv().await {
            Some(one) => one,
            // Nobody accepts any more: the panel ends.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}

/// Who is at the other end of a connection over TLS.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer(SocketAddr);

impl Connected<IncomingStream<'_, TlsListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, TlsListener>) -> Self {
        Self(*stream.remote_addr())
    }
}

/// Tells handlers what they would be told without TLS, and by a proxy in front: the peer, the host, and that it is HTTPS.
pub(super) fn as_plain(mut request: Request) -> Request {
    if let Some(ConnectInfo(Peer(peer))) = request.extensions().get::<ConnectInfo<Peer>>().copied() {
        request.extensions_mut().insert(ConnectInfo(peer));
    }
    // HTTP/2 says the host in the address.
    let host = request.uri().authority().and_then(|authority| HeaderValue::from_str(authority.as_str()).ok());
    if let Some(host) = host.filter(|_| !request.headers().contains_key(header::HOST)) {
        request.headers_mut().insert(header::HOST, host);
    }
    request.headers_mut().insert("x-forwarded-proto", HeaderValue::from_static("https"));
    request
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(folder: &Path, name: &str) -> TlsFiles {
        let made = rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap();
        let files = TlsFiles { cert: folder.join("cert.pem"), key: folder.join("key.pem") };
        std::fs::write(&files.cert, made.cert.pem()).unwrap();
        std::fs::write(&files.key, made.signing_key.serialize_pem()).unwrap();
        files
    }

    #[test]
    fn a_renewed_certificate_is_taken_up_and_half_of_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let files = pair(folder.path(), "one.example");
        let certificate = Certificate::new(files.clone()).unwrap();
        let begin = Instant::now();
        let one = certificate.pair(begin).cert[0].clone();
        let touch = |ahead: u64| {
            for path in [&files.cert, &files.key] {
                std::fs::File::options()
                    .write(true)
                    .open(path)
                    .unwrap()
                    .set_modified(SystemTime::now() + Duration::from_secs(ahead))
                    .unwrap();
            }
        };
        let key = std::fs::read(&files.key).unwrap();
        pair(folder.path(), "two.example");
        let other_key = std::fs::read(&files.key).unwrap();
        std::fs::write(&files.key, key).unwrap();
        touch(10);
        assert_eq!(certificate.pair(begin + LOOK_EVERY).cert[0], one, "another's key");
        std::fs::write(&files.key, other_key).unwrap();
        touch(20);
        assert_eq!(certificate.pair(begin + LOOK_EVERY).cert[0], one, "looked at a moment ago");
        assert_ne!(certificate.pair(begin + 2 * LOOK_EVERY).cert[0], one);
    }

    #[test]
    fn what_is_wrong_with_files_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let files = pair(folder.path(), "one.example");
        let said = |files: &TlsFiles| Certificate::new(files.clone()).unwrap_err().to_string();
        let missing = TlsFiles { cert: folder.path().join("none.pem"), ..files.clone() };
        assert!(said(&missing).contains("the certificate of --tls-cert cannot be read from"), "{}", said(&missing));
        let swapped = TlsFiles { cert: files.key.clone(), key: files.cert.clone() };
        assert!(said(&swapped).contains("holds no certificate in PEM"), "{}", said(&swapped));
        let no_key = TlsFiles { key: files.cert.clone(), ..files };
        assert!(said(&no_key).contains("the private key of --tls-key"), "{}", said(&no_key));
    }

    #[test]
    fn plain_http_is_told_a_whole_answer() {
        let text = std::str::from_utf8(NOT_HERE).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("Content-Length: {}", body.len())), "{}", body.len());
    }
}
