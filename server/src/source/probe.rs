//! Finds out what an address is. It asks little: a name, a version, how many statistics; it keeps nothing.

use std::time::{Duration, Instant};

use app::model::{BoxKind, ProbeReport, Verdict};
use url::Url;

use super::{
    Secret, Source, SourceError, Target,
    address::parse_address,
    http::{Bodies, Exchange, Http, refusal},
    text::{name_in, shown},
    wire,
};

/// The whole search takes no longer.
const PROBE_LIMIT: Duration = Duration::from_secs(8);
/// One path of it takes no longer: Kamailio does not answer at all what it does not understand.
const PATH_LIMIT: Duration = Duration::from_millis(2500);
/// Where the servers' management interfaces usually are.
const USUAL_PATHS: [&str; 2] = ["/mi", "/RPC"];
/// What OpenSIPS's httpd says at a path that no module has.
const HTTPD_REFUSAL: &[u8] = b"Unable to parse URL!";
/// What mi_html's pages hold: OpenSIPS 2.x has them at /mi.
const MI_HTML: &[u8] = b"OpenSIPS Management Interface";
/// Where OpenSIPS 2.x tells its version.
const VERSION_2X: &str = "/json/version";

/// A server whose dialect is spoken.
struct Found {
    url: Url,
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

/// Finds out what an address is: tries the dialects and the usual paths, within a few seconds.
pub async fn probe(address: &str, user: Option<&str>, password: Option<&Secret>) -> ProbeReport {
    let url = match parse_address(address) {
        Ok(url) => url,
        // What stands before an @ may be a password.
        Err(sentence) => return report(shown(address.rsplit('@').next().unwrap_or_default()), Verdict::Unreachable, sentence),
    };
    let begun = Instant::now();
    match tokio::time::timeout(PROBE_LIMIT, search(&url, user, password, begun)).await {
        Ok(report) => report,
        Err(_) => silent(&url),
    }
}

fn report(address: String, verdict: Verdict, message: String) -> ProbeReport {
    ProbeReport { address, verdict, kind: None, server: None, statistics: None, message }
}

fn silent(url: &Url) -> ProbeReport {
    let message = "something takes the connection and never answers; the server may be stopped or overloaded, or it is a Kamailio whose event_route[xhttp:request] does not dispatch this path".into();
    report(url.to_string(), Verdict::Unreachable, message)
}

async fn search(url: &Url, user: Option<&str>, password: Option<&Secret>, begun: Instant) -> ProbeReport {
    let given = url.path() != "/";
    let mut others = Vec::new();
    for candidate in candidates(url) {
        match ask(candidate.clone(), user, password).await {
            Path::Found(found) => {
                let wrong = (given && found.url != *url).then_some(url);
                return tell(found, wrong, user, password, PROBE_LIMIT.saturating_sub(begun.elapsed())).await;
            }
            Path::Other(error @ SourceError::Password(_), _) => return report(candidate.into(), Verdict::NeedsPassword, error.to_string()),
            // What is wrong with the connection is wrong with it at every path.
            Path::Other(error @ (SourceError::Unreachable(_) | SourceError::Tls(_)), _) => {
                return report(url.to_string(), Verdict::Unreachable, error.to_string());
            }
            Path::Other(error, hint) => others.push((error, hint)),
        }
    }
    if others.iter().all(|(error, _)| matches!(error, SourceError::Timeout(_))) {
        return silent(url);
    }
    if let Some(server) = opensips_2x(url, user, password).await {
        let message = format!("this is {server}; Tickmark speaks with OpenSIPS 3 and later, and does not speak the dialect of 2.x yet");
        return ProbeReport { server: Some(server), ..report(url.to_string(), Verdict::NotSip, message) };
    }
    verdict_without_answer(url, &others)
}

/// The address itself when it has a path, then the usual paths.
fn candidates(url: &Url) -> Vec<Url> {
    let mut candidates = Vec::new();
    if url.path() != "/" {
        candidates.push(url.clone());
    }
    for path in USUAL_PATHS {
        let mut other = url.clone();
        other.set_path(path);
        other.set_query(None);
        if !candidates.contains(&other) {
            candidates.push(other);
        }
    }
    candidates
}

/// Asks one path in both dialects.
async fn ask(url: Url, user: Option<&str>, password: Option<&Secret>) -> Path {
    let http = match Http::new(url.clone(), user.map(Into::into), password.cloned(), PATH_LIMIT) {
        Ok(http) => http,
        Err(error) => return Path::Other(error, None),
    };
    match tokio::time::timeout(PATH_LIMIT, dialects(&http)).await {
        Ok(path) => path,
        Err(_) => Path::Other(SourceError::Timeout(PATH_LIMIT), None),
    }
}

async fn dialects(http: &Http) -> Path {
    let mut body = Vec::new();
    let mut last = (SourceError::Protocol("nothing was asked".into()), None);
    for (kind, method) in [(BoxKind::Opensips, "version"), (BoxKind::Kamailio, "core.version")] {
        let exchange = match http.post(&wire::request(method, None, 1), Bodies::Refusals, &mut body).await {
            Ok(exchange) => exchange,
            Err(error) => return Path::Other(error, None),
        };
        let hint = hint(&exchange, &body);
        match refusal(exchange.status, http.url()) {
            // Kamailio says 500 to a method that it does not know.
            Some(error @ SourceError::Status(_)) => last = (error, hint),
            Some(error) => return Path::Other(error, hint),
            None => match wire::result::<serde_json::Value>(&body, method, 1) {
                Ok(result) => match name_in(kind, result.as_ref()) {
                    Some(server) => return Path::Found(Found { url: http.url().clone(), kind, server }),
                    None => last = (SourceError::Protocol("it does not say what it is".into()), hint),
                },
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

/// Counts the statistics of a server that answers, and says it all.
async fn tell(found: Found, wrong: Option<&Url>, user: Option<&str>, password: Option<&Secret>, left: Duration) -> ProbeReport {
    let Found { url, kind, server } = found;
    let target =
        Target { kind, url: url.clone(), user: user.map(Into::into), password: password.cloned(), time_limit: left.min(PATH_LIMIT) };
    let counted = match Source::new(target) {
        Ok(mut source) => source.poll().await.map(|answer| answer.names.len()),
        Err(error) => Err(error),
    };
    let (verdict, mut message) = match (wrong, kind) {
        (Some(wrong), _) => (Verdict::WrongPath, format!("{server} answers at {}, not at {}; use {url}", url.path(), wrong.path())),
        (None, BoxKind::Kamailio) => (Verdict::Kamailio, format!("{server} answers at {url}")),
        (None, _) => (Verdict::Opensips, format!("{server} answers at {url}")),
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
    ProbeReport { address: url.into(), verdict, kind: Some(kind), server: Some(server), statistics, message }
}

/// The version of an OpenSIPS 2.x, which tells it by GET.
async fn opensips_2x(url: &Url, user: Option<&str>, password: Option<&Secret>) -> Option<String> {
    let http = Http::new(url.clone(), user.map(Into::into), password.cloned(), PATH_LIMIT).ok()?;
    let mut body = Vec::new();
    let exchange = tokio::time::timeout(PATH_LIMIT, http.get(VERSION_2X, &mut body)).await.ok()?.ok()?;
    if !exchange.status.is_success() {
        return None;
    }
    let value: serde_json::Value = serde_json::from_slice(&body).ok()?;
    name_in(BoxKind::Opensips, Some(&value))
}

/// Something answered, but no path brought a dialect that is spoken.
fn verdict_without_answer(url: &Url, others: &[(SourceError, Option<Hint>)]) -> ProbeReport {
    let address = url.to_string();
    let tried = if url.path() == "/" { "/mi and /RPC".to_owned() } else { format!("{}, /mi and /RPC", url.path()) };
    match others.iter().find_map(|(_, hint)| *hint) {
        Some(Hint::OpensipsHttpd) => report(
            address,
            Verdict::WrongPath,
            format!("this is the HTTP server of an OpenSIPS, but mi_http is not at {tried}; load mi_http, or give the path that its parameter root names"),
        ),
        Some(Hint::OpensipsPages) => report(
            address,
            Verdict::NotSip,
            "this is an OpenSIPS with the pages of mi_html but without mi_http, as OpenSIPS 2.x is, whose dialect is not spoken yet; load mi_http (OpenSIPS 3 and later)".into(),
        ),
        Some(Hint::Kamailio) => report(
            address,
            Verdict::WrongPath,
            format!("this is a Kamailio, but it does not dispatch JSON-RPC at {tried}; give the path that its event_route[xhttp:request] passes to jsonrpc_dispatch()"),
        ),
        None => {
            let why = others.iter().map(|(error, _)| error).find(|error| !matches!(error, SourceError::Timeout(_)));
            let why = why.map(|error| format!(": {error}")).unwrap_or_default();
            report(address, Verdict::NotSip, format!("something answers, but neither OpenSIPS nor Kamailio at {tried}{why}"))
        }
    }
}
