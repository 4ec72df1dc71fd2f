//! The cookie of a session. Pure: who it belongs to is the store's to know.

use axum::http::{HeaderMap, HeaderValue, header};

use super::token::looks_like_secret;
use crate::source::Secret;

/// The name of the cookie.
pub const COOKIE: &str = "tickmark_session";
/// How long a session lasts, milliseconds: 30 days from the login.
pub const SESSION_LIFETIME_MS: i64 = 30 * 24 * 60 * 60 * 1000;

/// A `Set-Cookie` header's value: a new session, or the end of one.
#[derive(Clone, PartialEq, Eq)]
pub struct SessionCookie(String);

impl std::fmt::Debug for SessionCookie {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SessionCookie(…)")
    }
}

impl SessionCookie {
    /// Begins a session. `Lax`: a link from a chat into the panel finds the person signed in; writes are checked apart.
    #[must_use]
    pub fn begin(secret: &Secret, secure: bool) -> Self {
        let (secret, max_age) = (&secret.0, SESSION_LIFETIME_MS / 1000);
        Self(format!("{COOKIE}={secret}; Path=/; Max-Age={max_age}; HttpOnly; SameSite=Lax{}", if secure { "; Secure" } else { "" }))
    }

    /// Ends it in the browser.
    #[must_use]
    pub fn end() -> Self {
        Self(format!("{COOKIE}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"))
    }

    /// The value for `Set-Cookie`.
    #[must_use]
    pub fn header(&self) -> HeaderValue {
        // Made of base64url and constants, so it always is a header value.
        HeaderValue::from_str(&self.0).unwrap_or(HeaderValue::from_static(""))
    }
}

/// The secret of the session that a request carries, when it looks like one.
#[must_use]
pub fn session_secret(headers: &HeaderMap) -> Option<&str> {
    cookies(headers, COOKIE).find(|secret| looks_like_secret(secret))
}

/// The values of the cookies of one name.
pub(super) fn cookies<'a>(headers: &'a HeaderMap, wanted: &str) -> impl Iterator<Item = &'a str> {
    let pairs = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(';'));
    pairs.filter_map(|pair| pair.trim().split_once('=')).filter(move |(name, _)| *name == wanted).map(|(_, value)| value)
}

/// Whether the browser speaks https, perhaps with a proxy in front. Both signs can be made up, but only by the client itself and
/// for its own cookie, which `Secure` can but confine; so they are believed from everywhere.
#[must_use]
pub fn is_https(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let proto = text("x-forwarded-proto").split(',').next().unwrap_or_default().trim();
    proto.eq_ignore_ascii_case("https") || text("origin").starts_with("https://")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn the_cookie_is_confined() {
        let secret = Secret("a".repeat(43));
        let cookie = SessionCookie::begin(&secret, false).header();
        let expect = format!("tickmark_session={}; Path=/; Max-Age=2592000; HttpOnly; SameSite=Lax", secret.0);
        assert_eq!(cookie, expect.as_str());
        assert_eq!(SessionCookie::begin(&secret, true).header(), format!("{expect}; Secure").as_str());
        assert!(SessionCookie::end().header().to_str().unwrap().contains("Max-Age=0"));
        assert!(!format!("{:?}", SessionCookie::begin(&secret, true)).contains("aaa"));
    }

    #[test]
    fn it_is_found_among_others() {
        let secret = "b".repeat(43);
        let ours = format!("tickmark_session={secret}");
        assert_eq!(session_secret(&headers(&[("cookie", &ours)])), Some(&*secret));
        assert_eq!(session_secret(&headers(&[("cookie", &format!("theme=dark;{ours}; x=y"))])), Some(&*secret));
        assert_eq!(session_secret(&headers(&[("cookie", "theme=dark"), ("cookie", &ours)])), Some(&*secret));
        assert_eq!(session_secret(&headers(&[("cookie", &format!("x{ours}"))])), None);
        assert_eq!(session_secret(&headers(&[("cookie", "tickmark_session=short")])), None);
        assert_eq!(session_secret(&headers(&[])), None);
    }

    #[test]
    fn https_is_seen_through_a_proxy() {
        assert!(is_https(&headers(&[("x-forwarded-proto", "https")])));
        assert!(is_https(&headers(&[("origin", "https://panel.example")])));
        assert!(!is_https(&headers(&[("x-forwarded-proto", "http"), ("origin", "http://panel.example")])));
        assert!(!is_https(&headers(&[])));
    }
}
