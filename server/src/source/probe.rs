//! Finds out what an address is. It asks little: a name, a version, how many statistics; it keeps nothing.

use std::time::{Duration, Instant};

use app::model::{BoxKind, ProbeReport, Verdict};
use url::Url;

use super::{
    Secret, Source, SourceError, Target,
    address::{Address, Content, Tls, Typed, without_login},
    dialect::{Carrier, Dialect, Question},
    text::shown,
    transport::{
        Bodies,
        http::{Exchange, Http, refusal},
    },
    wire,
};

/// The whole search takes no longer.
const PROBE_LIMIT: Duration = Duration::from_secs(8);
/// So much before that what is known is told.
const MARGIN: Duration = Duration::from_millis(500);
/// One path of it takes no longer: Kamailio does not answer at all what it does not understand.
const PATH_LIMIT: Duration = Duration::from_millis(2500);
/// Where the servers' management interfaces usually are.
const USUAL_PATHS: [&str; 2] = ["/mi", "/RPC"];
/// What OpenSIPS's httpd says at a path that no module has.
const HTTPD_REFUSAL: &[u8] = b"Unable to parse URL!";
/// What mi_html's pages hold: OpenSIPS 2.x has them at /mi.
const MI_HTML: &[u8] = b"OpenSIPS Management Interface";
/// Where OpenSIPS 2.x answers JSON …
const PATH_2X: &str = "/json";
/// … and every OpenSIPS XML-RPC, and where exporters have their metrics.
const PATH_XML_RPC: &str = "/RPC2";
const PATH_METRICS: &str = "/metrics";
/// One dialect over a FIFO or by datagram takes no longer: what a server does not understand, it mostly does not answer.
const DIALECT_LIMIT: Duration = Duration::from_secs(2);
/// OpenSIPS 2.x may be wedged by what it does not understand, and the others are not by its text.
const FIFO_ORDER: [BoxKind; 3] = [BoxKind::Opensips2, BoxKind::Opensips, BoxKind::Kamailio];
/// By datagram the first two answer each other's questions with errors.
const DATAGRAM_ORDER: [BoxKind; 3] = [BoxKind::Opensips, BoxKind::Kamailio, BoxKind::Opensips2];

/// User and password to ask with.
#[derive(Clone, Copy)]
struct Login<'a> {
    user: Option<&'a str>,
    password: Option<&'a Secret>,
}

/// A server whose dialect is spoken.
struct Found {
    address: Address,
    kind: BoxKind,
    server: String,
}

/// What hints at a SIP server that does not answer as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hint {
    /// OpenSIPS's HTTP server, at a path that no module has.
    OpensipsHttpd,
    /// The pages of mi_html.
    OpensipsPages,
    /// Kamailio, at a path that its script does not dispatch.
    Kamailio,
}

/// What asking one path brought.
enum Path {
    Found(Found),
    /// Nothing that is understood; why, and a hint at what it is.
    Other(SourceError, Option<Hint>),
}

/// Finds out what an address is, which may hold a login: tries the dialects and the usual paths, within a few seconds.
pub async fn probe(address: &str, user: Option<&str>, password: Option<&Secret>) -> ProbeReport {
    let typed = match Typed::read(address, user, password) {
        Ok(typed) => typed,
        Err(error) => return report(shown(&without_login(address)), Verdict::Unreachable, error.to_string()),
    };
    let parsed = typed.address;
    let (begun, login) = (Instant::now(), Login { user: typed.user.as_deref(), password: typed.password.as_ref() });
    let search = async {
        match &parsed {
            Address::Http { url, content: Content::Json, tls } => search_http((url, tls), login, begun).await,
            _ => search_kinds(&parsed, login, begun).await,
        }
    };
    match tokio::time::timeout(PROBE_LIMIT, search).await {
        Ok(report) => report,
        Err(_) => silent(&parsed),
    }
}

fn report(address: String, verdict: Verdict, message: String) -> ProbeReport {
    ProbeReport { address, verdict, kind: None, server: None, statistics: None, message }
}

fn silent(address: &Address) -> ProbeReport {
    let message = "something takes the connection and never answers; the server may be stopped or overloaded, or it is a Kamailio whose event_route[xhttp:request] does not dispatch this path".into();
    report(address.to_string(), Verdict::Unreachable, message)
}

/// Where the address says over what to ask: tries the kinds that can be there, one after the other.
async fn search_kinds(address: &Address, login: Login<'_>, begun: Instant) -> ProbeReport {
    let told = address.kind();
    let kinds: &[BoxKind] = match (&told, address) {
        (Some(kind), _) => std::slice::from_ref(kind),
        (None, Address::Fifo(_)) => &FIFO_ORDER,
        (None, Address::Http { .. }) => &[BoxKind::Opensips],
        (None, _) => &DATAGRAM_ORDER,
    };
    let mut errors = Vec::new();
    for &kind in kinds {
        match server_at(kind, address, login, DIALECT_LIMIT).await {
            Ok(found) => return tell(found, None, login, begun).await,
            // What is wrong with the way is wrong with it for every kind.
            Err(error @ (SourceError::Unreachable(_) | SourceError::Tls(_) | SourceError::Closed(_))) => {
                return report(address.to_string(), Verdict::Unreachable, error.to_string());
            }
            Err(error @ SourceError::Password(_)) => return report(address.to_string(), Verdict::NeedsPassword, error.to_string()),
            Err(error @ SourceError::WrongPath(_)) => return report(address.to_string(), Verdict::WrongPath, error.to_string()),
            Err(error) => errors.push(error),
        }
    }
    // What was answered says more than silence.
    let is_silence = |error: &SourceError| matches!(error, SourceError::Timeout(..));
    let verdict = if errors.iter().all(is_silence) { Verdict::Unreachable } else { Verdict::NotSip };
    let error = errors.iter().find(|error| !is_silence(error)).or(errors.first());
    report(address.to_string(), verdict, error.map_or_else(String::new, SourceError::to_string))
}

/// The server at an address, if it is of this kind.
async fn server_at(kind: BoxKind, address: &Address, login: Login<'_>, limit: Duration) -> Result<Found, SourceError> {
    let mut source = Source::new(target(kind, address, login, limit))?;
    let server = source.server().await?;
    if kind == BoxKind::Prometheus && source.poll().await?.names.is_empty() {
        return Err(SourceError::Protocol("there are no metrics".into()));
    }
    // XML-RPC is the same for all versions, but for how names are given.
    let is_2x = |server: &str| server.strip_prefix("OpenSIPS ").is_some_and(|version| version.starts_with(['1', '2']));
    let kind = if kind == BoxKind::Opensips && is_2x(&server) { BoxKind::Opensips2 } else { kind };
    Ok(Found { address: address.clone(), kind, server })
}

fn target(kind: BoxKind, address: &Address, login: Login<'_>, time_limit: Duration) -> Target {
    Target { kind, address: address.clone(), user: login.user.map(Into::into), password: login.password.cloned(), time_limit }
}

async fn search_http((url, tls): (&Url, &Tls), login: Login<'_>, begun: Instant) -> ProbeReport {
    let address = json_at(url.clone(), tls);
    let mut others = Vec::new();
    for candidate in candidates(url, &USUAL_PATHS) {
        match ask(candidate.clone(), tls, login).await {
            Path::Found(found) => return tell(found, Some(&address), login, begun).await,
            Path::Other(error @ SourceError::Password(_), _) => {
                return report(json_at(candidate, tls).to_string(), Verdict::NeedsPassword, error.to_string());
            }
            // What is wrong with the connection is wrong with it at every path.
            Path::Other(error @ (SourceError::Unreachable(_) | SourceError::Tls(_)), _) => {
                return report(address.to_string(), Verdict::Unreachable, error.to_string());
            }
            Path::Other(error, hint) => others.push((error, hint)),
        }
    }
    if others.iter().all(|(error, _)| matches!(error, SourceError::Timeout(..))) {
        return silent(&address);
    }
    // What was found out so far is said in time, whatever the other dialects take.
    let left = PROBE_LIMIT.saturating_sub(begun.elapsed() + MARGIN);
    if let Ok(Some(found)) = tokio::time::timeout(left, other_dialects(url, tls, login)).await {
        return tell(found, Some(&address), login, begun).await;
    }
    verdict_without_answer(url, &others)
}

fn json_at(url: Url, tls: &Tls) -> Address {
    Address::Http { url, content: Content::Json, tls: tls.clone() }
}

/// What else than JSON-RPC a server may answer: JSON of OpenSIPS 2.x, XML-RPC, metrics.
async fn other_dialects(url: &Url, tls: &Tls, login: Login<'_>) -> Option<Found> {
    let ways = [
        (BoxKind::Opensips2, Content::Json, PATH_2X),
        (BoxKind::Opensips, Content::XmlRpc, PATH_XML_RPC),
        (BoxKind::Prometheus, Content::Prometheus, PATH_METRICS),
    ];
    for (kind, content, path) in ways {
        for url in candidates(url, &[path]) {
            if let Ok(found) = server_at(kind, &Address::Http { url, content, tls: tls.clone() }, login, DIALECT_LIMIT).await {
                return Some(found);
            }
        }
    }
    None
}

/// The address itself when it has a path, then the usual paths.
fn candidates(url: &Url, paths: &[&str]) -> Vec<Url> {
    let mut candidates = Vec::new();
    if url.path() != "/" {
        candidates.push(url.clone());
    }
    for path in paths {
        let mut other = url.clone();
        other.set_path(path);
        other.set_query(None);
        if !candidates.contains(&other) {
            candidates.push(other);
        }
    }
    candidates
}

/// Asks one path in both dialects of JSON-RPC.
async fn ask(url: Url, tls: &Tls, login: Login<'_>) -> Path {
    let address = json_at(url.clone(), tls);
    let (user, password) = (login.user.map(Into::into), login.password.cloned());
    let http = match Http::new(url, tls.clone(), (user, password), PATH_LIMIT) {
        Ok(http) => http,
        Err(error) => return Path::Other(error, None),
    };
    match tokio::time::timeout(PATH_LIMIT, dialects(&http, &address)).await {
        Ok(path) => path,
        Err(_) => Path::Other(SourceError::Timeout(PATH_LIMIT, "the server does not answer at this path"), None),
    }
}

async fn dialects(http: &Http, address: &Address) -> Path {
    let mut body = Vec::new();
    let mut last = (SourceError::Protocol("nothing was asked".into()), None);
    for (kind, dialect) in [(BoxKind::Opensips, Dialect::Opensips), (BoxKind::Kamailio, Dialect::Kamailio)] {
        let Some(message) = dialect.write(Question::Version, 1, Carrier::Http) else { continue };
        let exchange = match http.exchange(&message, Bodies::Refusals, &mut body).await {
            Ok(exchange) => exchange,
            Err(error) => return Path::Other(error, None),
        };
        let hint = hint(&exchange, &body);
        match refusal(exchange.status, http.url()) {
            // Kamailio says 500 to a method that it does not know.
            Some(error @ SourceError::Status(_)) => last = (error, hint),
            Some(error) => return Path::Other(error, hint),
            None => match wire::server(&body, dialect, 1) {
                Ok(server) => return Path::Found(Found { address: address.clone(), kind, server }),
                Err(error) => last = (error.into(), hint),
            },
        }
    }
    Path::Other(last.0, last.1)
}

fn hint(exchange: &Exchange, body: &[u8]) -> Option<Hint> {
    let holds = |what: &[u8]| body.windows(what.len()).any(|window| window == what);
    if holds(HTTPD_REFUSAL) {
        Some(Hint::OpensipsHttpd)
    } else if holds(MI_HTML) {
        Some(Hint::OpensipsPages)
    } else if exchange.server.as_deref().is_some_and(|server| server.to_ascii_lowercase().contains("kamailio")) {
        Some(Hint::Kamailio)
    } else {
        None
    }
}

/// Counts the statistics of a server that answers, and says it all; `typed` is what was asked, when that may have been another path.
async fn tell(found: Found, typed: Option<&Address>, login: Login<'_>, begun: Instant) -> ProbeReport {
    let Found { address, kind, server } = found;
    let left = PROBE_LIMIT.saturating_sub(begun.elapsed()).min(PATH_LIMIT);
    let counted = match Source::new(target(kind, &address, login, left)) {
        Ok(mut source) => source.poll().await.map(|answer| answer.names.len()),
        Err(error) => Err(error),
    };
    let verdict = match kind {
        BoxKind::Kamailio => Verdict::Kamailio,
        BoxKind::Prometheus => Verdict::Prometheus,
        BoxKind::Opensips | BoxKind::Opensips2 | BoxKind::Tickmark => Verdict::Opensips,
    };
    let path = |address: &Address| if let Address::Http { url, .. } = address { url.path().to_owned() } else { String::new() };
    let wrong = typed.filter(|typed| path(typed) != "/" && **typed != address);
    let (verdict, mut message) = match (wrong, &address) {
        (Some(typed), Address::Http { content: Content::Json, .. }) => {
            (Verdict::WrongPath, format!("{server} answers at {}, not at {}; use {address}", path(&address), path(typed)))
        }
        (Some(typed), _) => (verdict, format!("{server} answers at {typed}, when the address is written as {address}")),
        (None, _) => (verdict, format!("{server} answers at {address}")),
    };
    let statistics = match counted {
        Ok(count) => {
            message.push_str(&format!("; it has {count} statistics"));
            Some(count)
        }
        Err(error) => {
            message.push_str(&format!("; its statistics could not be read: {error}"));
            None
        }
    };
    ProbeReport { address: address.to_string(), verdict, kind: Some(kind), server: Some(server), statistics, message }
}

/// Something answered, but no path brought a dialect that is spoken.
fn verdict_without_answer(url: &Url, others: &[(SourceError, Option<Hint>)]) -> ProbeReport {
    let address = url.to_string();
    let tried = if url.path() == "/" { "/mi, /RPC and /json".to_owned() } else { format!("{}, /mi, /RPC and /json", url.path()) };
    match others.iter().find_map(|(_, hint)| *hint) {
        Some(Hint::OpensipsHttpd) => report(
            address,
            Verdict::WrongPath,
            format!("this is the HTTP server of an OpenSIPS, but mi_http is not at {tried}; load mi_http (OpenSIPS 2.x: mi_json), or give the path that its parameter root names"),
        ),
        Some(Hint::OpensipsPages) => report(
            address,
            Verdict::NotSip,
            "this is an OpenSIPS with the pages of mi_html but without an interface for programs; load mi_http (OpenSIPS 3 and later) or mi_json (OpenSIPS 2.x)".into(),
        ),
        Some(Hint::Kamailio) => report(
            address,
            Verdict::WrongPath,
            format!("this is a Kamailio, but it does not dispatch JSON-RPC at {tried}; give the path that its event_route[xhttp:request] passes to jsonrpc_dispatch()"),
        ),
        None => {
            let why = others.iter().map(|(error, _)| error).find(|error| !matches!(error, SourceError::Timeout(..)));
            let why = why.map(|error| format!(": {error}")).unwrap_or_default();
            report(address, Verdict::NotSip, format!("something answers, but neither OpenSIPS nor Kamailio at {tried}{why}"))
        }
    }
}
