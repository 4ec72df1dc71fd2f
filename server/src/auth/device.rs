//! A cookie by which a browser that signed in before is told from strangers at its address. It decides whose wrong passwords are
//! counted, and nothing else: it lets nobody in. Pure but for random bytes.

use axum::http::{HeaderMap, HeaderValue};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::session::cookies;
use crate::source::Secret;

/// The name of the cookie.
const COOKIE: &str = "tickmark_device";
/// How long it is kept: a year.
const MAX_AGE_S: u32 = 365 * 24 * 3_600;
/// Random bytes that tell one browser from another.
const NUMBER_BYTES: usize = 16;

/// A browser that signed in before, as the account that signs in now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Device([u8; NUMBER_BYTES]);

/// Makes such cookies and knows them again.
pub(super) struct Devices(Secret);

impl Devices {
    /// With a key that stays the same for as long as cookies are to be known.
    pub(super) fn new(key: Secret) -> Self {
        Self(key)
    }

    /// A `Set-Cookie` header's value for a browser that signed in as `user`.
    pub(super) fn cookie(&self, user: &str, secure: bool) -> Result<HeaderValue, getrandom::Error> {
        let mut number = [0; NUMBER_BYTES];
        getrandom::fill(&mut number)?;
        let sealed = self.mac(number, user).map(|mac| mac.finalize().into_bytes());
        let value = URL_SAFE_NO_PAD.encode([&number[..], sealed.as_deref().unwrap_or_default()].concat());
        let secure = if secure { "; Secure" } else { "" };
        // Only the form of the login asks for it, hence `Strict`.
        let cookie = format!("{COOKIE}={value}; Path=/cp; Max-Age={MAX_AGE_S}; HttpOnly; SameSite=Strict{secure}");
        // Made of base64url and constants, so it always is a header value.
        Ok(HeaderValue::from_str(&cookie).unwrap_or(HeaderValue::from_static("")))
    }

    /// The browser that sends these headers, if it signed in as `user` before.
    pub(super) fn known(&self, headers: &HeaderMap, user: &str) -> Option<Device> {
        cookies(headers, COOKIE).find_map(|value| {
            let bytes = URL_SAFE_NO_PAD.decode(value).ok()?;
            let (number, sealed) = bytes.split_first_chunk()?;
            self.mac(*number, user)?.verify_slice(sealed).is_ok().then_some(Device(*number))
        })
    }

    /// The number has always the same length, so that nothing of it can be taken for a part of the name.
    fn mac(&self, number: [u8; NUMBER_BYTES], user: &str) -> Option<Hmac<Sha256>> {
        let mac = Hmac::<Sha256>::new_from_slice(self.0.0.as_bytes()).ok()?;
        Some(mac.chain_update(number).chain_update(user))
    }
}

#[cfg(test)]
mod tests {
    use axum::http::header;

    use super::*;

    fn devices(key: &str) -> Devices {
        Devices::new(Secret(key.repeat(43)))
    }

    fn sent(cookie: &str) -> HeaderMap {
        [(header::COOKIE, cookie.split(';').next().unwrap().parse().unwrap())].into_iter().collect()
    }

    #[test]
    fn a_browser_is_known_as_who_signed_in() {
        let devices = devices("k");
        let (first, second) = (devices.cookie("anna", false).unwrap(), devices.cookie("anna", true).unwrap());
        let (first, second) = (first.to_str().unwrap(), second.to_str().unwrap());
        assert!(first.ends_with("; HttpOnly; SameSite=Strict") && second.ends_with("; Secure"), "{first} {second}");
        let known = devices.known(&sent(first), "anna").unwrap();
        assert_ne!(devices.known(&sent(second), "anna").unwrap(), known);
        assert_eq!(devices.known(&sent(&format!("theme=dark; {first}")), "anna"), None, "cut at the first semicolon");
        assert_eq!(devices.known(&sent(first), "admin"), None);
        assert_eq!(self::devices("l").known(&sent(first), "anna"), None);
        assert_eq!(devices.known(&HeaderMap::new(), "anna"), None);
    }

    #[test]
    fn nothing_else_is_taken_for_it() {
        let devices = devices("k");
        let good = devices.cookie("anna", false).unwrap().to_str().unwrap().split(';').next().unwrap().to_owned();
        let flipped = if good.ends_with('A') { good.replacen("A", "B", 1) } else { format!("{}A", &good[..good.len() - 1]) };
        for cookie in [&good[..good.len() - 4], &flipped, "tickmark_device=", "tickmark_device=AAAA", "tickmark_device=\u{e9}"] {
            assert_eq!(devices.known(&sent(cookie), "anna"), None, "{cookie}");
        }
    }
}
