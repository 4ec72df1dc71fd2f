//! Who may ask over HTTP: programs, and people who open an address; no page of another site in a browser. Pure.

use std::net::IpAddr;

use axum::http::{HeaderMap, header};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use subtle::ConstantTimeEq as _;

use crate::source::Secret;

/// Why somebody may not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Closed {
    /// A page in a browser asks.
    Page,
    /// The name that was asked for may be anybody's: a page could have it lead here.
    Host,
    /// The token is missing or wrong.
    Token,
}

impl Closed {
    pub(super) fn sentence(self) -> &'static str {
        match self {
            Self::Page => "Pages in a browser may not ask the management interface of Tickmark.",
            Self::Host => {
                "Ask for the management interface of Tickmark by an address such as 127.0.0.1 or by localhost; by another name only with its token."
            }
            Self::Token => "The management interface of Tickmark needs its token (mi_token): as Authorization: Bearer, or as password.",
        }
    }
}

/// Lets in who may.
pub(super) fn enter(headers: &HeaderMap, token: Option<&Secret>) -> Result<(), Closed> {
    let site = headers.get("sec-fetch-site").map(|site| site.as_bytes());
    if headers.contains_key(header::ORIGIN) || site.is_some_and(|site| site != b"none") {
        return Err(Closed::Page);
    }
    match token {
        // Who knows it is no page, whatever the name.
        Some(token) if told(headers).is_some_and(|told| told.as_bytes().ct_eq(token.0.as_bytes()).into()) => Ok(()),
        Some(_) => Err(Closed::Token),
        None if is_own_host(headers) => Ok(()),
        None => Err(Closed::Host),
    }
}

/// The token that comes along: a bearer's, or the password of Basic auth whatever the user.
fn told(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, rest) = value.split_once(' ')?;
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(rest.trim().to_owned());
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let pair = String::from_utf8(STANDARD.decode(rest.trim()).ok()?).ok()?;
    pair.split_once(':').map(|(_, password)| password.to_owned())
}

/// Whether `Host` is an address, or this host's own name for itself. Without one (HTTP/1.0) it is no browser.
fn is_own_host(headers: &HeaderMap) -> bool {
    let Some(host) = headers.get(header::HOST) else { return true };
    let Ok(host) = host.to_str() else { return false };
    let name = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _)) => return address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[track_caller]
    fn check(pairs: &[(&'static str, &str)], token: Option<&str>, expect: Result<(), Closed>) {
        let token = token.map(|token| Secret(token.to_owned()));
        assert_eq!(enter(&headers(pairs), token.as_ref()), expect, "{pairs:?}");
    }

    #[test]
    fn programs_come_in_and_pages_do_not() {
        for host in ["127.0.0.1:8081", "localhost:8081", "LOCALHOST", "[::1]:8081", "10.0.0.5", "[fe80::1]"] {
            check(&[("host", host)], None, Ok(()));
            check(&[("host", host), ("sec-fetch-site", "none")], None, Ok(()));
            check(&[("host", host), ("origin", "http://127.0.0.1:8081")], None, Err(Closed::Page));
            check(&[("host", host), ("sec-fetch-site", "cross-site")], None, Err(Closed::Page));
            check(&[("host", host), ("sec-fetch-site", "same-origin")], None, Err(Closed::Page));
        }
        check(&[], None, Ok(()));
    }

    #[test]
    fn a_name_that_may_be_anybodys_is_refused() {
        for host in ["evil.example", "evil.example:8081", "127.0.0.1.evil.example", "localhost.evil.example", "[evil]", "", "1.2.3.4.5"] {
            check(&[("host", host)], None, Err(Closed::Host));
        }
    }

    #[test]
    fn where_there_is_a_token_it_must_be_told() {
        let basic = |text: &str| format!("Basic {}", STANDARD.encode(text));
        let host = ("host", "stats.example");
        for good in ["Bearer s3cret", "bearer  s3cret", &basic("any:s3cret"), &basic(":s3cret")] {
            check(&[host, ("authorization", good)], Some("s3cret"), Ok(()));
            check(&[host, ("authorization", good), ("origin", "http://x")], Some("s3cret"), Err(Closed::Page));
        }
        for bad in ["Bearer s3cre", "Bearer", "Basic !", &basic("s3cret"), "Digest s3cret", ""] {
            check(&[("host", "127.0.0.1"), ("authorization", bad)], Some("s3cret"), Err(Closed::Token));
        }
        check(&[("host", "127.0.0.1")], Some("s3cret"), Err(Closed::Token));
    }
}
