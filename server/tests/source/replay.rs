//! A server that plays recorded answers back, byte for byte but for the id, and misbehaves as told. It knows nothing of `server`.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpSocket, TcpStream},
    task::JoinHandle,
};
use tokio_rustls::TlsAcceptor;

/// So many requests are kept to be looked at.
const MAX_SEEN: usize = 64;
/// How often a byte drips.
const DRIP: Duration = Duration::from_millis(1);

/// One request as it came in.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// The number of its connection, from 0.
    pub(crate) connection: usize,
    /// Method and path, such as `POST /mi`.
    pub(crate) line: String,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Request {
    /// The method of JSON-RPC; empty when it is no such request.
    pub(crate) fn method(&self) -> String {
        self.json()["method"].as_str().unwrap_or_default().to_owned()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().filter_map(|line| line.split_once(": ")).find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// A recorded answer with this request's id.
    pub(crate) fn recorded(&self, path: &str) -> Action {
        let file = format!("{}/tests/captures/{path}.resp", env!("CARGO_MANIFEST_DIR"));
        let whole = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{file}: {error}"));
        let (head, body) = whole.split_once("\r\n\r\n").unwrap();
        let id = self.json()["id"].to_string();
        let (Some(at), true) = (body.rfind("\"id\":"), head.contains("Content-Length")) else {
            return Action::Answer(whole);
        };
        let digits = |c: char| c.is_ascii_digit();
        let (before, after) = body.split_at(at + "\"id\":".len());
        let start = after.find(digits).unwrap_or(0);
        let end = after.rfind(digits).map_or(0, |last| last + 1);
        let body = format!("{before}{}{id}{}", &after[..start], &after[end..]);
        let head: Vec<_> = head.lines().filter(|line| !line.starts_with("Content-Length")).collect();
        Action::Answer(format!("{}\r\nContent-Length: {}\r\n\r\n{body}", head.join("\r\n"), body.len()))
    }

    /// A recorded answer after which the server closes, as OpenSIPS 2.x does.
    pub(crate) fn recorded_last(&self, path: &str) -> Action {
        match self.recorded(path) {
            Action::Answer(whole) => Action::Last(whole),
            other => other,
        }
    }

    /// An answer with this `result`.
    pub(crate) fn result(&self, result: &str) -> Action {
        ok(&format!(r#"{{"jsonrpc":"2.0","result":{result},"id":{}}}"#, self.json()["id"]))
    }
}

/// An answer of status 200.
pub(crate) fn ok(body: &str) -> Action {
    Action::Answer(format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}", body.len()))
}

/// What is done with a request.
pub(crate) enum Action {
    /// These bytes, and the connection stays.
    Answer(String),
    /// These bytes, and the connection is closed.
    Last(String),
    /// These bytes, over and over, until the client goes.
    Flood(String, Vec<u8>),
    /// These bytes, then one more each millisecond, until the client goes.
    Drip(String, u8),
    /// These bytes, and the connection is reset.
    Reset(String),
    /// Nothing, and the connection stays.
    Silence,
}

/// A running replay server; it ends when this is dropped.
pub(crate) struct Replay {
    pub(crate) address: SocketAddr,
    seen: Arc<Mutex<Vec<Request>>>,
    task: JoinHandle<()>,
}

impl Drop for Replay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Replay {
    pub(crate) async fn start(script: impl Fn(&Request) -> Action + Send + Sync + 'static) -> Self {
        Self::listen(None, script).await
    }

    pub(crate) async fn start_tls(tls: TlsAcceptor, script: impl Fn(&Request) -> Action + Send + Sync + 'static) -> Self {
        Self::listen(Some(tls), script).await
    }

    async fn listen(tls: Option<TlsAcceptor>, script: impl Fn(&Request) -> Action + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (script, kept) = (Arc::new(script), Arc::clone(&seen));
        let task = tokio::spawn(async move {
            // Connections end with the server.
            let mut connections = tokio::task::JoinSet::new();
            for number in 0.. {
                let Ok((stream, _)) = listener.accept().await else { return };
                // Connections that ended leave nothing behind.
                while connections.try_join_next().is_some() {}
                let (script, seen, tls) = (Arc::clone(&script), Arc::clone(&kept), tls.clone());
                connections.spawn(async move {
                    match tls {
                        Some(tls) => {
                            if let Ok(mut stream) = tls.accept(stream).await {
                                serve(&mut stream, number, &*script, &seen).await;
                            }
                        }
                        None => {
                            let mut stream = stream;
                            if serve(&mut stream, number, &*script, &seen).await == End::Reset {
                                stream.set_zero_linger().unwrap();
                            }
                        }
                    }
                });
            }
        });
        Self { address, seen, task }
    }

    pub(crate) fn seen(&self) -> Vec<Request> {
        self.seen.lock().unwrap().clone()
    }

    /// The methods asked for, in their order.
    pub(crate) fn methods(&self) -> Vec<String> {
        self.seen().iter().map(Request::method).collect()
    }
}

/// How a connection is ended.
#[derive(PartialEq, Eq)]
enum End {
    Plain,
    Reset,
}

async fn serve(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    connection: usize,
    script: &(dyn Fn(&Request) -> Action + Send + Sync),
    seen: &Mutex<Vec<Request>>,
) -> End {
    let mut buffer = Vec::new();
    while let Some(request) = read(stream, &mut buffer, connection).await {
        let action = script(&request);
        {
            let mut seen = seen.lock().unwrap();
            if seen.len() < MAX_SEEN {
                seen.push(request);
            }
        }
        match action {
            Action::Answer(bytes) => {
                if stream.write_all(bytes.as_bytes()).await.is_err() {
                    break;
                }
            }
            Action::Last(bytes) => {
                let _ = stream.write_all(bytes.as_bytes()).await;
                let _ = stream.shutdown().await;
                break;
            }
            Action::Flood(head, bytes) => {
                let _ = stream.write_all(head.as_bytes()).await;
                while stream.write_all(&bytes).await.is_ok() {}
                break;
            }
            Action::Drip(head, byte) => {
                let _ = stream.write_all(head.as_bytes()).await;
                let mut drops = tokio::time::interval(DRIP);
                while stream.write_all(&[byte]).await.is_ok() {
                    drops.tick().await;
                }
                break;
            }
            Action::Reset(bytes) => {
                let _ = stream.write_all(bytes.as_bytes()).await;
                return End::Reset;
            }
            Action::Silence => {}
        }
    }
    End::Plain
}

async fn read(stream: &mut (impl AsyncRead + Unpin), buffer: &mut Vec<u8>, connection: usize) -> Option<Request> {
    loop {
        if let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8(buffer[..end].to_vec()).ok()?;
            let line = head.lines().next()?.rsplit_once(' ')?.0.to_owned();
            let mut request = Request { connection, line, head, body: String::new() };
            let length = request.header("content-length").map_or(0, |value| value.parse().unwrap());
            if buffer.len() >= end + 4 + length {
                request.body = String::from_utf8(buffer[end + 4..end + 4 + length].to_vec()).ok()?;
                buffer.drain(..end + 4 + length);
                return Some(request);
            }
        }
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    }
}

/// A host that takes no connection: as many wait to be accepted as may, so that the system drops what else comes.
pub(crate) struct BlackHole {
    pub(crate) address: SocketAddr,
    _listener: TcpListener,
    _waiting: Vec<TcpStream>,
}

impl BlackHole {
    pub(crate) async fn dig() -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        // One more than the number given may wait.
        let listener = socket.listen(1).unwrap();
        let address = listener.local_addr().unwrap();
        let waiting = vec![TcpStream::connect(address).await.unwrap(), TcpStream::connect(address).await.unwrap()];
        Self { address, _listener: listener, _waiting: waiting }
    }
}
