//! Tells writes that the panel's own pages make from those that another site makes a browser send. Pure.

use axum::http::{HeaderMap, HeaderValue, Method, header};
use url::Url;

/// Why a write was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CrossSite {
    /// The browser says that another site sent it.
    #[error("This write came from another site. Open the panel itself and do it there.")]
    OtherSite,
    /// `Origin` is not what `Host` says. A proxy that changes `Host` does this, too.
    #[error(
        "This write came from a page of another address than the one it was sent to. Open the panel by its own address; \
         behind a proxy, let it pass the Host header on."
    )]
    OtherOrigin,
}

/// Whether a method only reads.
#[must_use]
pub fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE)
}

/// Refuses writes that another site may have made a browser send.
///
/// `Sec-Fetch-Site` decides where there is one: pages cannot set it, and a proxy that changes `Host` does not harm it. Browsers leave it
/// out on plain http, and then send `Origin` with each write. What has neither is a script or tool: no browser of the last years. It
/// passes; the session's cookie is `SameSite` besides, so that an older browser would not have sent it from another site.
///
/// # Errors
/// Says what gave it away.
pub fn same_origin(method: &Method, headers: &HeaderMap) -> Result<(), CrossSite> {
    if is_safe(method) {
        return Ok(());
    }
    if let Some(site) = headers.get("sec-fetch-site") {
        return if site == "same-origin" || site == "none" { Ok(()) } else { Err(CrossSite::OtherSite) };
    }
    if let Some(origin) = headers.get(header::ORIGIN) {
        return if is_origin_of_host(origin, headers.get(header::HOST)) { Ok(()) } else { Err(CrossSite::OtherOrigin) };
    }
    Ok(())
}

/// Whether a body is of a type that forms can send, hence another site's page without asking first.
#[must_use]
pub fn is_form(headers: &HeaderMap) -> bool {
    matches!(media_type(headers).as_deref(), Some("application/x-www-form-urlencoded" | "multipart/form-data" | "text/plain"))
}

fn media_type(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    Some(value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
}

/// Compares host and port; where one of them names no port, the scheme of the origin tells it.
fn is_origin_of_host(origin: &HeaderValue, host: Option<&HeaderValue>) -> bool {
    let text = |value: &HeaderValue| value.to_str().ok().map(str::to_owned);
    let (Some(origin), Some(host)) = (text(origin), host.and_then(text)) else { return false };
    let Ok(origin) = Url::parse(&origin) else { return false };
    if !matches!(origin.scheme(), "http" | "https") {
        return false;
    }
    // A Host is host and port alone; anything that would be read as user, path or query is a trick.
    if host.is_empty() || host.contains(['/', '?', '#', '@', '\\']) {
        return false;
    }
    let Ok(host) = Url::parse(&format!("{}://{host}", origin.scheme())) else { return false };
    origin.host() == host.host() && origin.port_or_known_default() == host.port_or_known_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: (&str, &str) = ("host", "panel.example:8888");
    const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
    const JSON: (&str, &str) = ("content-type", "application/json; charset=utf-8");
    const COOKIE: (&str, &str) = ("cookie", "tickmark_session=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[track_caller]
    fn check(method: &Method, pairs: &[(&'static str, &str)], expect: Result<(), CrossSite>) {
        assert_eq!(same_origin(method, &headers(pairs)), expect, "{method} {pairs:?}");
    }

    #[test]
    fn reading_is_never_refused() {
        for method in [Method::GET, Method::HEAD, Method::OPTIONS] {
            check(&method, &[HERE, ("sec-fetch-site", "cross-site"), ("origin", "http://evil.example")], Ok(()));
        }
    }

    #[test]
    fn what_the_browser_says_of_the_site_decides() {
        for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            check(&method, &[HERE, COOKIE, ("sec-fetch-site", "same-origin")], Ok(()));
            check(&method, &[HERE, COOKIE, ("sec-fetch-site", "none")], Ok(()));
            check(&method, &[HERE, COOKIE, ("sec-fetch-site", "same-site")], Err(CrossSite::OtherSite));
            check(&method, &[HERE, JSON, ("sec-fetch-site", "cross-site")], Err(CrossSite::OtherSite));
            check(&method, &[HERE, ("sec-fetch-site", "cross-site")], Err(CrossSite::OtherSite));
        }
        check(&Method::POST, &[HERE, ("sec-fetch-site", "cross-site"), ("origin", "http://panel.example:8888")], Err(CrossSite::OtherSite));
        // A proxy changed Host; the browser still knows.
        check(&Method::POST, &[("host", "127.0.0.1:8888"), ("origin", "https://x.example"), ("sec-fetch-site", "same-origin")], Ok(()));
    }

    #[test]
    fn else_origin_must_be_the_host() {
        let origin = |origin, host, expect| check(&Method::POST, &[("host", host), ("origin", origin), FORM], expect);
        origin("http://panel.example:8888", "panel.example:8888", Ok(()));
        origin("http://PANEL.example:8888", "panel.EXAMPLE:8888", Ok(()));
        origin("http://panel.example", "panel.example:80", Ok(()));
        origin("https://panel.example", "panel.example", Ok(()));
        origin("https://panel.example", "panel.example:443", Ok(()));
        origin("http://[::1]:8888", "[::1]:8888", Ok(()));
        for (other, host) in [
            ("http://evil.example", "panel.example"),
            ("http://panel.example:8889", "panel.example:8888"),
            ("http://panel.example.evil.example:8888", "panel.example:8888"),
            ("null", "panel.example:8888"),
            ("", "panel.example:8888"),
            ("file://panel.example", "panel.example"),
            ("https://panel.example", "panel.example:80"),
            ("http://evil.example", "panel.example@evil.example"),
            ("http://evil.example", "evil.example/panel.example"),
        ] {
            origin(other, host, Err(CrossSite::OtherOrigin));
        }
        check(&Method::POST, &[("origin", "http://panel.example")], Err(CrossSite::OtherOrigin));
        check(&Method::DELETE, &[HERE, JSON, ("origin", "http://evil.example")], Err(CrossSite::OtherOrigin));
    }

    #[test]
    fn tools_need_neither() {
        check(&Method::POST, &[HERE, FORM], Ok(()));
        check(&Method::POST, &[HERE, JSON], Ok(()));
        check(&Method::POST, &[HERE, ("authorization", "Bearer tmk_x"), COOKIE], Ok(()));
        check(&Method::POST, &[HERE, COOKIE, JSON], Ok(()));
        check(&Method::DELETE, &[HERE, COOKIE], Ok(()));
        check(&Method::POST, &[HERE, COOKIE, FORM], Ok(()));
        check(&Method::POST, &[HERE, COOKIE], Ok(()));
    }

    #[test]
    fn types_that_forms_send() {
        for form in ["application/x-www-form-urlencoded", "Multipart/Form-Data; boundary=x", "text/plain;charset=utf-8"] {
            assert!(is_form(&headers(&[("content-type", form)])), "{form}");
        }
        assert!(!is_form(&headers(&[JSON])) && !is_form(&headers(&[])));
    }
}
