//! The door: decides from method, path and headers alone who may, before routing looks anything up. Pure but for [`guard`] itself.

use std::sync::Arc;

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
        "/cp/api/v1/login" if *method == Method::POST => Door::Open,
        _ if path.starts_with("/cp/assets/") => Door::Open,
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
        (Some("me" | "logout"), _) | (_, "/cp/logout" | "/cp/theme") => return None,
        _ if is_safe(method) => return Some(Right::Read),
        (_, "/cp/refresh") => return Some(Right::Read),
        (_, "/cp/ticks" | "/cp/kind") => return Some(Right::Tick),
        _ => {}
    }
    let words: Vec<&str> = api.unwrap_or_default().split('/').collect();
    Some(match words[..] {
        ["boxes", _, "refresh"] => Right::Read,
        ["boxes", _, "ticks"] | ["boxes", _, "ticks" | "statistics", _] => Right::Tick,
        ["push"] | ["push", _] | ["boxes", "tickmark", "push"] => Right::Push,
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
    /// A tool that is not known.
    Unknown,
    /// A token of too small a scope.
    Forbidden(Right),
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
        (None, Door::Page) => return Err(Refusal::Login(place_of(method, uri))),
        (None, Door::Tool) => return Err(Refusal::Unknown),
        (Some(caller), Door::Page | Door::Tool) => {
            if let Some(right) = right_for(method, path).filter(|right| !caller.may(*right)) {
                return Err(Refusal::Forbidden(right));
            }
        }
        (_, Door::Open) => {}
    }
    if path.starts_with("/cp/api/v1/") && !is_safe(method) && is_form(headers) {
        return Err(Refusal::FormBody);
    }
    Ok(())
}

/// The page to come back to: that which was asked for, when asking again harms nothing.
fn place_of(method: &Method, uri: &Uri) -> Option<String> {
    let place = uri.path_and_query()?.as_str();
    (is_safe(method) && place != FIRST_PAGE).then(|| local_next(place)).flatten().map(str::to_owned)
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
    if let Some(caller) = caller {
        request.extensions_mut().insert(caller);
    }
    next.run(request).await
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
            Self::Login(place) => to_login(place.as_deref()),
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

fn to_login(place: Option<&str>) -> Response {
    let next = place.map(|place| format!("?next={}", utf8_percent_encode(place, IN_NEXT))).unwrap_or_default();
    // Escaped, so it always is a header value.
    let location = HeaderValue::from_str(&format!("{LOGIN_PAGE}{next}")).unwrap_or(HeaderValue::from_static(LOGIN_PAGE));
    let headers = [(header::LOCATION, location), (header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    (StatusCode::SEE_OTHER, headers).into_response()
}

#[cfg(test)]
mod tests;
