//! Draws a page: its frame and content go to Leptos, its headers are set here.

use app::{
    model::{FiringNow, Frame, May, Page, Tab, Theme},
    pages,
};
use axum::{
    body::Body,
    extract::Request,
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Redirect, Response},
};
use leptos::{context::provide_context, nonce::use_nonce};

use super::App;
use crate::auth::{Caller, Right};

/// The cookie that keeps light or dark.
pub(super) const THEME_COOKIE: &str = "theme";
/// The cookie that carries what the last form did to the next page.
pub(super) const NOTICE_COOKIE: &str = "notice";

/// The longest notice: three times that, percent-encoded, is what every browser keeps.
const MAX_NOTICE_BYTES: usize = 1_000;

/// Draws a page inside its frame.
pub(super) async fn page(app: &App, mut frame: Frame, page: Page, request: Request) -> Response {
    frame.fault = app.fault();
    let status = match &page {
        Page::Message(message) => StatusCode::from_u16(message.status).unwrap_or(StatusCode::OK),
        _ => StatusCode::OK,
    };
    page_as(app, status, frame, page, request).await
}

/// The same with a status of its own: a form that is drawn again was refused.
pub(super) async fn page_as(app: &App, status: StatusCode, mut frame: Frame, page: Page, request: Request) -> Response {
    frame.firing = app.desk.firing_now();
    let had_notice = frame.notice.is_some() || frame.alert.is_some();
    let options = app.leptos.clone();
    let context = move || {
        provide_context(frame.clone());
        provide_context(page.clone());
        let nonce = use_nonce().map(|nonce| nonce.to_string()).unwrap_or_default();
        if let Some(response) = leptos::context::use_context::<leptos_axum::ResponseOptions>() {
            response.set_status(status);
            if let Ok(policy) = HeaderValue::from_str(&policy(&nonce)) {
                response.insert_header(header::CONTENT_SECURITY_POLICY, policy);
            }
        }
    };
    let render = leptos_axum::render_app_async_with_context(context, move || pages::shell(options.clone()));
    let mut response = render(request).await;
    if had_notice && let Ok(gone) = HeaderValue::from_str(&cookie(NOTICE_COOKIE, "", 0)) {
        response.headers_mut().append(header::SET_COOKIE, gone);
    }
    response
}

/// What a page may load and run: its own files, and the inline scripts that start the islands.
fn policy(nonce: &str) -> String {
    format!(
        "default-src 'none'; script-src 'self' 'nonce-{nonce}' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; \
         connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
}

/// The frame of a page.
pub(super) fn frame(tab: Tab, caller: Option<&Caller>, headers: &HeaderMap, uri: &Uri) -> Frame {
    let notice =
        read_cookie(headers, NOTICE_COOKIE).map(|text| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned());
    let (notice, alert) = match notice {
        Some(text) => match text.split_once(' ') {
            Some(("alert", text)) => (None, Some(text.to_owned())),
            Some((_, text)) => (Some(text.to_owned()), None),
            None => (None, None),
        },
        None => (None, None),
    };
    let taste = caller.map(Caller::taste).unwrap_or_default();
    // What the account chose, wherever it signs in; else what this browser did.
    let theme = Some(taste.theme).filter(|theme| *theme != Theme::Auto);
    let theme = theme.or_else(|| read_cookie(headers, THEME_COOKIE).map(Theme::parse)).unwrap_or_default();
    Frame {
        tab,
        user: caller.map(|caller| caller.name().to_owned()),
        may: caller.map(may).unwrap_or_default(),
        theme,
        here: uri.path_and_query().map_or_else(|| "/cp".to_owned(), ToString::to_string),
        notice,
        alert,
        fault: None,
        taste,
        firing: FiringNow::default(),
    }
}

fn may(caller: &Caller) -> May {
    May { tick: caller.may(Right::Tick), admin: caller.may(Right::Admin) }
}

/// The value of a cookie.
pub(super) fn read_cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = cookies.flat_map(|text| text.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.into_iter().find(|(key, _)| *key == name).map(|(_, value)| value)
}

/// A cookie of ours that scripts need not read.
pub(super) fn cookie(name: &str, value: &str, max_age_s: u32) -> String {
    format!("{name}={value}; Path=/; Max-Age={max_age_s}; HttpOnly; SameSite=Lax")
}

/// Back to the page that a form came from, with what it did.
pub(super) fn back(to: &str, told: &Result<String, String>) -> Response {
    let (word, text) = match told {
        Ok(text) => ("notice", text),
        Err(text) => ("alert", text),
    };
    let to = if is_local(to) { to } else { "/cp" };
    let mut response = Redirect::to(to).into_response();
    if !text.is_empty() {
        // Cookies are small: a notice is a sentence, and is cut where it is not.
        let text = &text[..text.floor_char_boundary(MAX_NOTICE_BYTES)];
        let value = percent_encoding::utf8_percent_encode(&format!("{word} {text}"), percent_encoding::NON_ALPHANUMERIC).to_string();
        if let Ok(value) = HeaderValue::from_str(&cookie(NOTICE_COOKIE, &value, 60)) {
            response.headers_mut().append(header::SET_COOKIE, value);
        }
    }
    response
}

/// Whether a path stays in the panel: nobody is sent elsewhere by a form.
pub(super) fn is_local(path: &str) -> bool {
    let inside = path == "/cp" || path.starts_with("/cp/") || path.starts_with("/cp?");
    inside && !path.contains(['\\', '\r', '\n']) && path.parse::<Uri>().is_ok()
}

/// A request for drawing a page after a form: pages need the address only.
pub(super) fn request_for(path: &str) -> Request {
    let mut request = Request::new(Body::empty());
    if let Ok(uri) = path.parse() {
        *request.uri_mut() = uri;
    }
    request
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_lead_back_into_the_panel_alone() {
        for path in ["/cp", "/cp?box=a", "/cp/charts?span=1h"] {
            assert!(is_local(path), "{path}");
        }
        for path in ["", "//evil.example", "/cpx", "https://evil.example/cp", "/cp/\\evil", "/cp/\r\nx: y", "/"] {
            assert!(!is_local(path), "{path}");
        }
    }

    #[test]
    fn a_notice_survives_its_cookie() {
        let response = back("/cp", &Err("it's 5 % broken; käse".into()));
        let set = response.headers()[header::SET_COOKIE].to_str().unwrap().to_owned();
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, HeaderValue::from_str(set.split(';').next().unwrap()).unwrap());
        let frame = frame(Tab::None, None, &headers, &Uri::from_static("/cp?x=1"));
        assert_eq!(frame.alert.as_deref(), Some("it's 5 % broken; käse"));
        assert_eq!((frame.notice, frame.here.as_str()), (None, "/cp?x=1"));
    }
}
