//! The door: decides from method, path and headers alone who may, before routing looks anything up. Pure but for [`guard`] itself.

use std::sync::Arc;

use app::links;
use axum::{
    extract::{FromRequestParts, Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::{
    Auth, Caller,
    origin::{CrossSite, is_form, is_safe, same_origin},
    token::Right,
};
use crate::problem::{Problem, problem};

/// The page to sign in.
pub const LOGIN_PAGE: &str = "/cp/login";
/// Where one lands without a better place.
pub const FIRST_PAGE: &str = "/cp";
/// The longest place to come back to after the login, bytes.
const MAX_NEXT_LEN: usize = 2048;
/// What need not be escaped in `next=`.
const IN_NEXT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// What somebody who is not known is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// What is asked for: it is for everybody.
    Open,
    /// The way to the login, as people ask here.
    Page,
    /// 401, as tools ask here.
    Tool,
}

/// How this path is guarded. What is not named here is guarded as a page is.
#[must_use]
pub fn door(method: &Method, path: &str) -> Door {
    match path {
        "/healthz" | "/readyz" | LOGIN_PAGE | "/cp/setup" => Door::Open,
        // Light or dark is nobody's secret, and the login has the switch too.
        "/cp/theme" if *method == Method::POST => Door::Open,
        "/cp/api/v1/login" if *method == Method::POST => Door::Open,
        _ if path.starts_with("/cp/assets/") => Door::Open,
        // Each address is signed, for receivers of messages.
        _ if is_safe(method) && path.strip_prefix(links::PICTURES).is_some_and(|rest| rest.starts_with('/')) => Door::Open,
        "/metrics" | "/cp/events" | "/cp/api" | "/mi" => Door::Tool,
        _ if ["/cp/api/", "/cp/events/", "/metrics/", "/json/"].iter().any(|tools| path.starts_with(tools)) => Door::Tool,
        _ => Door::Page,
    }
}

/// What a caller must be allowed; none: being known is enough. A write that is not named here is for `admin`.
#[must_use]
pub fn right_for(method: &Method, path: &str) -> Option<Right> {
    let api = path.strip_prefix("/cp/api/v1/");
    match (api, path) {
        (Some("me" | "me/settings" | "logout"), _) | (_, "/cp/logout" | "/cp/theme" | "/cp/password" | "/cp/taste") => return None,
        _ if is_safe(method) => return Some(Right::Read),
        (_, "/cp/refresh") => return Some(Right::Read),
        (_, "/cp/ticks" | "/cp/kind" | "/cp/notes" | "/cp/sets") => return Some(Right::Tick),
        (_, "/cp/push") => return Some(Right::Push),
        _ => {}
    }
    let words: Vec<&str> = api.unwrap_or_default().split('/').collect();
    Some(match words[..] {
        ["boxes", _, "refresh"] | ["derived", "check"] | ["alerts", "preview"] => Right::Read,
        ["boxes", _, "statistics", _] if *method == Method::DELETE => Right::Push,
        ["boxes", _, "ticks"] | ["boxes", _, "ticks" | "statistics", _] => Right::Tick,
        ["sets" | "sets.toml"] | ["sets", _] => Right::Tick,
        ["boxes", _, "notes"] | ["boxes", _, "notes", _] => Right::Tick,
        ["boxes", _, "update"] => Right::Push,
        _ => Right::Admin,
    })
}

/// Why a request goes no further.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Another site sent it.
    CrossSite(CrossSite),
    /// A form's body for the API.
    FormBody,
    /// Somebody has to sign in first; then they come back to the place, when there is one to come back to.
    Login(Option<String>),
    /// The same for a form that was sent without a session, most likely after it ended: it has to be sent again from its page.
    LoginAgain(Option<String>),
    /// A tool that is not known.
    Unknown,
    /// A token of too small a scope.
    Forbidden(Right),
    /// An account that may not do this.
    NotFor(Right),
}

/// Decides over a request. `caller` is who sent it, where that is known.
///
/// # Errors
/// Why it goes no further.
pub fn judge(method: &Method, uri: &Uri, headers: &HeaderMap, caller: Option<&Caller>) -> Result<(), Refusal> {
    let path = uri.path();
    same_origin(method, headers).map_err(Refusal::CrossSite)?;
    let door = door(method, path);
    match (caller, door) {
        // Who signs out after the session's end has what they wanted.
        (None, Door::Page) if path == "/cp/logout" => return Err(Refusal::Login(None)),
        (None, Door::Page) if is_safe(method) => return Err(Refusal::Login(place_of(uri))),
        (None, Door::Page) => return Err(Refusal::LoginAgain(page_of(headers))),
        (None, Door::Tool) => return Err(Refusal::Unknown),
        (Some(caller), Door::Page | Door::Tool) => {
            if let Some(right) = right_for(method, path).filter(|right| !caller.may(*right)) {
                return Err(match caller {
                    Caller::Account { .. } => Refusal::NotFor(right),
                    Caller::Token { .. } => Refusal::Forbidden(right),
                });
            }
        }
        (_, Door::Open) => {}
    }
    if path.starts_with("/cp/api/v1/") && !is_safe(method) && is_form(headers) {
        return Err(Refusal::FormBody);
    }
    Ok(())
}

/// The page to come back to: that which was asked for.
fn place_of(uri: &Uri) -> Option<String> {
    let place = uri.path_and_query()?.as_str();
    (place != FIRST_PAGE).then(|| local_next(place)).flatten().map(str::to_owned)
}

/// The page that a form was on, as the browser tells it.
fn page_of(headers: &HeaderMap) -> Option<String> {
    let referer: Uri = headers.get(header::REFERER)?.to_str().ok()?.parse().ok()?;
    place_of(&referer)
}

/// A place to go after the login: a path of the panel's own pages, never another site.
#[must_use]
pub fn local_next(next: &str) -> Option<&str> {
    let rest = next.strip_prefix(FIRST_PAGE)?;
    let path = next.split(['?', '#']).next().unwrap_or_default();
    let decoded = percent_decode_str(path).decode_utf8().ok()?;
    let climbs = decoded.contains("//") || decoded.contains('\\') || decoded.split('/').any(|word| word == "..");
    let odd = next.len() > MAX_NEXT_LEN || next.chars().chain(decoded.chars()).any(char::is_control);
    let begins = rest.is_empty() || rest.starts_with(['/', '?', '#']);
    (begins && !climbs && !odd && door(&Method::GET, path) == Door::Page).then_some(next)
}

/// Lets requests through that may go on, with their [`Caller`] as an extension, and answers the others.
pub async fn guard(State(auth): State<Arc<Auth>>, mut request: Request, next: Next) -> Response {
    let open = door(request.method(), request.uri().path()) == Door::Open;
    let caller = if open {
        None
    } else {
        match auth.caller(request.headers(), chrono::Utc::now().timestamp_millis()).await {
            Ok(caller) => caller,
            Err(error) => {
                tracing::error!(%error, "cannot tell who asks");
                return problem(StatusCode::SERVICE_UNAVAILABLE, "no database", "The database does not answer. Try again.").into_response();
            }
        }
    };
    if let Err(refusal) = judge(request.method(), request.uri(), request.headers(), caller.as_ref()) {
        return refusal.into_response();
    }
    let Some(caller) = caller else { return next.run(request).await };
    request.extensions_mut().insert(caller.clone());
    let mut response = next.run(request).await;
    // What is drawn around a refusal says who is signed in.
    response.extensions_mut().insert(caller);
    response
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Self::CrossSite(reason) => problem(StatusCode::FORBIDDEN, "cross-site write refused", reason.to_string()).into_response(),
            Self::FormBody => problem(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "JSON expected",
                "The API reads JSON, not forms: send the header Content-Type: application/json.",
            )
            .into_response(),
            Self::Unknown => unknown().into_response(),
            Self::Forbidden(right) => {
                let right = right.as_str();
                let detail =
                    format!("The token's scope does not cover this: it needs {right} (tickmark token create NAME --scope {right}).");
                problem(StatusCode::FORBIDDEN, "not allowed", detail).into_response()
            }
            Self::NotFor(right) => {
                let detail = format!(
                    "Your account may not do this: it needs {}. Somebody who may do everything gives it to you on the page Users.",
                    right.as_str()
                );
                problem(StatusCode::FORBIDDEN, "not allowed", detail).into_response()
            }
            Self::Login(place) => to_login(place.as_deref(), false),
            Self::LoginAgain(place) => to_login(place.as_deref(), true),
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        parts.extensions.get::<Self>().cloned().ok_or_else(unknown)
    }
}

fn unknown() -> Problem {
    let detail = "Sign in, or send the header Authorization: Bearer with a token (tickmark token create NAME --scope read).";
    let challenge = HeaderValue::from_static("Bearer realm=\"tickmark\"");
    problem(StatusCode::UNAUTHORIZED, "not signed in", detail).with_header(header::WWW_AUTHENTICATE, challenge)
}

fn to_login(place: Option<&str>, again: bool) -> Response {
    let next = place.map(|place| format!("next={}", utf8_percent_encode(place, IN_NEXT)));
    let query: Vec<String> = again.then(|| "again=1".to_owned()).into_iter().chain(next).collect();
    let sign = if query.is_empty() { "" } else { "?" };
    // Escaped, so it always is a header value.
    let location = format!("{LOGIN_PAGE}{sign}{}", query.join("&"));
    let location = HeaderValue::from_str(&location).unwrap_or(HeaderValue::from_static(LOGIN_PAGE));
    let headers = [(header::LOCATION, location), (header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    (StatusCode::SEE_OTHER, headers).into_response()
}

#[cfg(test)]
mod tests;
