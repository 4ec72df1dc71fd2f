//! One HTTP connection to one box: a request out, an answer in, within the bounds. It knows nothing of what the bodies say.
//!
//! Invariants: one connection and one request in flight per box (`&mut self`); redirects and proxies are never followed; an
//! answer other than 200 is judged by its status line and its body is not waited for, since OpenSIPS announces bodies that never end.

use std::{
    error::Error,
    fs::File,
    io::Read,
    path::Path,
    sync::{Arc, Mutex, Once, PoisonError},
    time::{Duration, Instant},
};

use reqwest::{Certificate, Client, Identity, Response, StatusCode, header, redirect};
use tower::util::MapResponseLayer;
use url::Url;

use super::{Bodies, Timing, local::words, midway_ms, too_large};
use crate::source::{Secret, SourceError, address::Tls, dialect::Message, text::shown};

/// The largest body of a refusal that a probe looks into.
const MAX_REFUSAL_BYTES: u64 = 1024;
/// A SIP server is near: a connection that takes longer will not come.
const MAX_CONNECT_LIMIT: Duration = Duration::from_secs(5);
/// What an exporter of metrics is asked for; others do not look at it.
const ACCEPT: &str = "text/plain;version=0.0.4, application/openmetrics-text;version=1.0.0;q=0.5, */*;q=0.1";
/// No file of certificates is larger.
const MAX_PEM_BYTES: u64 = 1 << 20;
/// An idle connection is given back after this; Kamailio closes its own after 120 s.
const IDLE_LIMIT: Duration = Duration::from_secs(60);

/// An answer; its body is in the buffer.
#[derive(Debug)]
pub(in crate::source) struct Exchange {
    pub(in crate::source) status: StatusCode,
    /// The header `Server`, if it is text.
    pub(in crate::source) server: Option<String>,
    pub(in crate::source) timing: Timing,
}

/// A client for one box.
pub(in crate::source) struct Http {
    client: Client,
    url: Url,
    tls: Tls,
    user: Option<String>,
    password: Option<Secret>,
    /// How long a question may take.
    time_limit: Duration,
    /// When the connection was made, if the request in flight had to make one.
    connected: Arc<Mutex<Option<Instant>>>,
}

impl Http {
    /// Prepares a client for questions that may take `time_limit` each; nothing is sent yet.
    pub(in crate::source) fn new(
        url: Url,
        tls: Tls,
        login: (Option<String>, Option<Secret>),
        time_limit: Duration,
    ) -> Result<Self, SourceError> {
        let connected = Arc::new(Mutex::new(None));
        let client = client(&url, &tls, time_limit, &connected)?;
        let (user, password) = login;
        Ok(Self { client, url, tls, user, password, time_limit, connected })
    }

    /// Gives up the connection: what comes over it belongs to an earlier request, and so would all that follows.
    pub(in crate::source) fn disconnect(&mut self) {
        // It worked once for this address. Were it not to now, the next answer would be refused like this one.
        if let Ok(client) = client(&self.url, &self.tls, self.time_limit, &self.connected) {
            self.client = client;
        }
    }

    /// Where this one asks.
    pub(in crate::source) fn url(&self) -> &Url {
        &self.url
    }

    /// Sends a question, and puts the body of an answer with status 200 into `into`.
    pub(in crate::source) async fn exchange(&self, message: &Message, bodies: Bodies, into: &mut Vec<u8>) -> Result<Exchange, SourceError> {
        let url = &self.url_of(message);
        into.clear();
        let (response, sent) = match self.send(message, url).await {
            Ok(sent) => sent,
            // The connection had been idle, and the server had closed it meanwhile: that says nothing about the server now.
            Err((error, true)) if !error.is_connect() && !error.is_timeout() => {
                self.send(message, url).await.map_err(|(error, _)| failure(&error, url))?
            }
            Err((error, _)) => return Err(failure(&error, url)),
        };
        let first_byte = Instant::now();
        let mut timing = Timing { at_ms: midway_ms(sent, first_byte), took: Duration::ZERO };
        let status = response.status();
        let server = response.headers().get(header::SERVER).and_then(|value| value.to_str().ok()).map(shown);
        let small = response.content_length().is_some_and(|length| length <= MAX_REFUSAL_BYTES);
        if status == StatusCode::OK || (bodies == Bodies::Refusals && small) {
            read_body(response, bodies.limit(), into).await?;
        }
        timing.took = sent.elapsed();
        Ok(Exchange { status, server, timing })
    }

    /// Where a question goes: what a command adds to the path and a query are its own.
    fn url_of(&self, message: &Message) -> Url {
        let mut url = self.url.clone();
        if let Message::Get { command, query } = message {
            if !command.is_empty() {
                url.set_path(&format!("{}/{command}", self.url.path().trim_end_matches('/')));
            }
            if let Some(query) = query {
                url.set_query(Some(query.as_str()).filter(|query| !query.is_empty()));
            }
        }
        url
    }

    /// Sends once and waits for the head of the answer; says when it was sent. An error comes with whether the connection was an old one.
    async fn send(&self, message: &Message, url: &Url) -> Result<(Response, Instant), (reqwest::Error, bool)> {
        let made = || *self.connected.lock().unwrap_or_else(PoisonError::into_inner);
        *self.connected.lock().unwrap_or_else(PoisonError::into_inner) = None;
        let begun = Instant::now();
        let mut request = match message {
            Message::Post { content_type, body } => {
                self.client.post(url.clone()).header(header::CONTENT_TYPE, *content_type).body(body.clone())
            }
            Message::Get { .. } | Message::Frame { .. } => self.client.get(url.clone()).header(header::ACCEPT, ACCEPT),
        };
        if let Some(user) = &self.user {
            request = request.basic_auth(user, self.password.as_ref().map(|secret| &secret.0));
        }
        let response = request.send().await.map_err(|error| (error, made().is_none()))?;
        Ok((response, made().unwrap_or(begun)))
    }
}

/// How long a connection may take to be made: less than the whole question, so that a host that cannot be reached and a server that
/// does not answer are told apart.
fn connect_limit(time_limit: Duration) -> Duration {
    (time_limit * 3 / 4).min(MAX_CONNECT_LIMIT)
}

async fn read_body(mut response: Response, limit: usize, into: &mut Vec<u8>) -> Result<(), SourceError> {
    if response.content_length().is_some_and(|length| length > limit as u64) {
        return Err(too_large(limit));
    }
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if into.len() + chunk.len() > limit => return Err(too_large(limit)),
            Ok(Some(chunk)) => into.extend_from_slice(&chunk),
            Ok(None) => return Ok(()),
            Err(_) => {
                return Err(SourceError::Closed(
                    "the server closed the connection in the middle of its answer; it may be restarting".into(),
                ));
            }
        }
    }
}

/// A client that keeps one connection to this address, and notes when it makes one.
fn client(url: &Url, tls: &Tls, time_limit: Duration, connected: &Arc<Mutex<Option<Instant>>>) -> Result<Client, SourceError> {
    static PROVIDER: Once = Once::new();
    // A provider that is there already serves as well.
    PROVIDER.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));

    let noted = Arc::clone(connected);
    let mut builder = Client::builder()
        .user_agent(concat!("tickmark/", env!("CARGO_PKG_VERSION")))
        .http1_only()
        .redirect(redirect::Policy::none())
        .retry(reqwest::retry::never())
        .no_proxy()
        .referer(false)
        .connect_timeout(connect_limit(time_limit))
        .pool_max_idle_per_host(1)
        .pool_idle_timeout(IDLE_LIMIT)
        .connector_layer(MapResponseLayer::new(move |connection| {
            *noted.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
            connection
        }));
    if url.scheme() != "https" || tls.is_unchecked {
        // Without this, a machine without root certificates could not ask by plain HTTP either.
        builder = builder.tls_certs_only([]).tls_danger_accept_invalid_certs(tls.is_unchecked);
    }
    if let Some(path) = &tls.ca {
        let certificates = Certificate::from_pem_bundle(&read_file(path)?).ok().filter(|certificates| !certificates.is_empty());
        builder = builder.tls_certs_only(certificates.ok_or_else(|| no_pem(path, "certificate"))?);
    }
    if let Some(path) = &tls.cert {
        let mut pem = read_file(path)?;
        if let Some(path) = &tls.key {
            pem.push(b'\n');
            pem.extend(read_file(path)?);
        }
        builder = builder.identity(Identity::from_pem(&pem).map_err(|_| no_pem(path, "certificate with its key"))?);
    }
    builder.build().map_err(|error| {
        SourceError::Tls(format!(
            "TLS could not be prepared ({}); install root certificates (package ca-certificates) or name a file of them in SSL_CERT_FILE",
            causes(&error)
        ))
    })
}

fn read_file(path: &Path) -> Result<Vec<u8>, SourceError> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MAX_PEM_BYTES).read_to_end(&mut bytes));
    match read {
        Ok(_) => Ok(bytes),
        Err(error) => Err(SourceError::Tls(format!(
            "{} cannot be read ({}); check the path in the address, and let the panel read it",
            path.display(),
            words(&error)
        ))),
    }
}

fn no_pem(path: &Path, what: &str) -> SourceError {
    SourceError::Tls(format!("{} holds no {what} in PEM, which begins with -----BEGIN", path.display()))
}

/// What an answer other than 200 means.
pub(in crate::source) fn refusal(status: StatusCode, url: &Url) -> Option<SourceError> {
    let path = url.path();
    Some(match status.as_u16() {
        200 => return None,
        401 => SourceError::Password(
            "the server wants a user name and a password, or other ones; give those of its management interface".into(),
        ),
        403 => SourceError::Password(
            "the server forbids it (HTTP 403); check user name and password, the port, and which addresses it lets in".into(),
        ),
        400 | 404 => SourceError::WrongPath(format!(
            "the server answers, but not at {path} (HTTP {status}); OpenSIPS's path is /mi unless mi_http's parameter root says otherwise, OpenSIPS 2.x has /json (mi_json), and Kamailio's is what its event_route[xhttp:request] dispatches, usually /RPC"
        )),
        202 | 204 => SourceError::Protocol(format!(
            "the server took the request and gave no answer (HTTP {status}); check that the address is that of its management interface"
        )),
        300..=399 => SourceError::Status(format!(
            "the server points to another address (HTTP {status}), which is not followed; give the final address"
        )),
        405 | 406 => SourceError::Status(format!(
            "the server takes no requests of this kind at {path} (HTTP {status}); check the path and the kind: /mi for OpenSIPS 3 and later, /json for OpenSIPS 2.x, /RPC for Kamailio"
        )),
        500 => SourceError::Status(format!(
            "the server failed (HTTP {status}); OpenSIPS: raise httpd's buf_size, its answer may not fit; Kamailio: load the module kex, which has the statistics"
        )),
        429 | 503 => SourceError::Status(format!("the server is too busy (HTTP {status}); ask it less often")),
        _ => SourceError::Status(format!("the server answered HTTP {status}; look into its log")),
    })
}

/// What it means that no answer came.
fn failure(error: &reqwest::Error, url: &Url) -> SourceError {
    let host = format!("{}:{}", url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or_default());
    if let Some(tls) = find_tls(error) {
        return SourceError::Tls(match tls {
            rustls::Error::InvalidCertificate(why) => format!(
                "the certificate of {host} is not trusted ({}); name a file with its issuer behind the address, as #ca=/etc/tickmark/ca.pem, or add it to the system's certificates, or name a file with it in SSL_CERT_FILE, and start Tickmark again",
                shown(&why.to_string())
            ),
            rustls::Error::InvalidMessage(_) => format!("{host} does not speak TLS; write http:// instead of https://"),
            other => format!("TLS with {host} failed ({}); check its certificate and that it is https", shown(&other.to_string())),
        });
    }
    if error.is_connect() && error.is_timeout() {
        return SourceError::Unreachable(format!("{host} does not answer; check the address, its network and firewall"));
    }
    if error.is_connect() {
        let why = causes(error);
        return SourceError::Unreachable(format!(
            "nothing can be reached at {host} ({why}); check host and port, and that the server runs"
        ));
    }
    if error.is_builder() {
        return SourceError::Protocol(format!("the request could not be made ({}); check address, user name and password", causes(error)));
    }
    let other = if url.scheme() == "http" { "https://" } else { "http://" };
    let why = causes(error);
    SourceError::Closed(format!("{host} gave no whole HTTP answer ({why}); look whether it is restarting, or whether it wants {other}"))
}

/// The error of TLS among the causes; an `io::Error` hides what it wraps from `source()`.
fn find_tls(error: &reqwest::Error) -> Option<&rustls::Error> {
    let mut cause: Option<&(dyn Error + 'static)> = error.source();
    while let Some(error) = cause {
        if let Some(tls) = error.downcast_ref() {
            return Some(tls);
        }
        let inner = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        cause = inner.map_or_else(|| error.source(), |inner| Some(inner));
    }
    None
}

/// The last cause, which is the one that says something.
fn causes(error: &reqwest::Error) -> String {
    let mut last: &dyn Error = error;
    while let Some(cause) = last.source() {
        last = cause;
    }
    // The system's number says nothing that its words do not.
    let text = last.to_string();
    shown(text.split(" (os error ").next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_may_take_less_than_the_question() {
        for ms in [1, 50, 2_000, 2_500, 8_000, 10_000, 60_000] {
            let limit = Duration::from_millis(ms);
            assert!(connect_limit(limit) < limit && connect_limit(limit) <= MAX_CONNECT_LIMIT, "{limit:?}");
        }
    }

    #[test]
    fn every_status_but_200_is_refused() {
        let url = Url::parse("http://h/RPC").unwrap();
        assert!(refusal(StatusCode::OK, &url).is_none());
        for (status, kind) in [
            (202, "protocol"),
            (301, "status"),
            (400, "wrong_path"),
            (401, "password"),
            (403, "password"),
            (404, "wrong_path"),
            (405, "status"),
            (406, "status"),
            (500, "status"),
            (503, "status"),
        ] {
            assert_eq!(refusal(StatusCode::from_u16(status).unwrap(), &url).unwrap().kind(), kind, "{status}");
        }
    }
}
