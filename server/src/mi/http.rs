//! HTTP: `POST /mi` with JSON-RPC, and `GET /json/COMMAND?params=` and `/xml/COMMAND?params=` as OpenSIPS 2.x had them, down to their status
//! codes. It must not know what the commands do.

use std::{sync::Arc, time::Duration};

use axum::{
    body::{Body, Bytes, to_bytes},
    http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header},
};
use percent_encoding::percent_decode_str;

use super::{
    MAX_REQUEST, Mi, door,
    door::Closed,
    is_large,
    old::{self, Fault},
    rpc::{self, Answer},
};

/// A body must have come within this time.
const BODY_LIMIT: Duration = Duration::from_secs(5);
const JSON: &str = "application/json";
const HTML: &str = "text/html";
const XML: &str = "text/xml; charset=utf-8";
const TEXT: &str = "text/plain; charset=utf-8";

fn respond(status: StatusCode, kind: &'static str, body: impl Into<Bytes>) -> Response<Body> {
    let mut response = Response::new(Body::from(body.into()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// And the connection ends.
fn last(mut response: Response<Body>) -> Response<Body> {
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

/// Answers a request.
pub(super) async fn serve(mi: Arc<Mi>, request: Request<Body>) -> Response<Body> {
    if let Err(closed) = door::enter(request.headers(), mi.token.as_ref()) {
        return turned_away(closed);
    }
    let path = request.uri().path();
    if path == "/mi" || path.starts_with("/mi/") {
        return match *request.method() {
            Method::POST => post(mi, request).await,
            Method::GET => last(respond(StatusCode::METHOD_NOT_ALLOWED, TEXT, "POST JSON-RPC here.\n")),
            _ => unsupported(),
        };
    }
    let Some((dialect, command)) = path.trim_start_matches('/').split_once('/').or(path.strip_prefix('/').map(|dialect| (dialect, "")))
    else {
        return lost();
    };
    let write = match dialect {
        "json" => (old::json as fn(&_) -> String, JSON),
        "xml" => (old::xml as fn(&_) -> String, XML),
        _ => return lost(),
    };
    let done = match *request.method() {
        Method::GET if command.is_empty() => Err(Fault::new(500, "Internal server error")),
        Method::GET => get(&mi, command, request.uri().query().unwrap_or_default()).await,
        Method::POST => Err(Fault::new(406, "Unexpected method")),
        _ => return unsupported(),
    };
    last(respond(StatusCode::OK, write.1, write.0(&done)))
}

fn turned_away(closed: Closed) -> Response<Body> {
    let status = if closed == Closed::Token { StatusCode::UNAUTHORIZED } else { StatusCode::FORBIDDEN };
    let mut response = last(respond(status, TEXT, format!("{}\n", closed.sentence())));
    if closed == Closed::Token {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"Tickmark MI\""));
    }
    response
}

fn lost() -> Response<Body> {
    last(respond(StatusCode::BAD_REQUEST, HTML, "<html><body>Unable to parse URL!</body></html>"))
}

fn unsupported() -> Response<Body> {
    last(respond(StatusCode::NOT_ACCEPTABLE, HTML, "<html><body>Unsupported HTTP request!</body></html>"))
}

/// A type that no form of a web page can send; OpenSIPS takes the same.
fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    matches!(kind.as_str(), "application/json" | "application/json-rpc" | "application/jsonrequest" | "text/xml" | "text/json")
}

async fn post(mi: Arc<Mi>, request: Request<Body>) -> Response<Body> {
    let refuse = |why: &'static str| last(respond(StatusCode::BAD_REQUEST, TEXT, why));
    if !is_json(request.headers()) {
        return refuse("Say Content-Type: application/json.\n");
    }
    let body = match tokio::time::timeout(BODY_LIMIT, to_bytes(request.into_body(), MAX_REQUEST)).await {
        Ok(Ok(body)) if !body.is_empty() => body,
        Ok(Ok(_)) => return refuse("There is no request.\n"),
        Ok(Err(_)) => return refuse("The request is larger than 1 MiB, or did not come whole.\n"),
        Err(_) => return refuse("The request did not come within 5 s.\n"),
    };
    match mi.work(is_large(&body), move |mi| rpc::answer(mi, &body)).await {
        Some(Answer::Json(text) | Answer::Unreadable(text)) => respond(StatusCode::OK, JSON, text),
        Some(Answer::None) => respond(StatusCode::ACCEPTED, JSON, Bytes::new()),
        None => last(respond(StatusCode::INTERNAL_SERVER_ERROR, TEXT, "The request failed.\n")),
    }
}

/// The command of a path, with `params`: words between commas, percent-encoded.
async fn get(mi: &Arc<Mi>, command: &str, query: &str) -> Result<old::Reply, Fault> {
    let params = query.split('&').find_map(|pair| pair.strip_prefix("params=")).unwrap_or_default();
    let decode = |text: &str| percent_decode_str(text).decode_utf8().map(String::from).map_err(|_| Fault::new(400, "Not UTF-8"));
    let (command, params) = (decode(command)?, decode(params)?);
    let words: Vec<String> = params.split(',').filter(|word| !word.is_empty()).map(str::to_owned).collect();
    let may_write = mi.get_writes;
    let done = mi.work(false, move |mi| old::run(mi, &command, words, may_write)).await;
    done.unwrap_or_else(|| Err(Fault::new(500, "Internal server error")))
}
