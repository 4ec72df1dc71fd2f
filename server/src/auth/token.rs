//! Secrets of sessions, tokens and the setup link, of which only hashes are kept; and what a token may do. Pure but for random bytes.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

use crate::source::Secret;

/// Random bytes in each secret: nothing to guess, so a plain hash is enough to keep it.
const SECRET_BYTES: usize = 32;
/// The length of such a secret in base64url.
const SECRET_CHARS: usize = 43;
/// What tokens begin with, so that scanners of leaked secrets find them.
pub const TOKEN_PREFIX: &str = "tmk_";

/// Draws a secret: 32 random bytes as base64url.
///
/// # Errors
/// When the system gives no random bytes.
pub fn new_secret() -> Result<Secret, getrandom::Error> {
    let mut bytes = [0; SECRET_BYTES];
    getrandom::fill(&mut bytes)?;
    Ok(Secret(URL_SAFE_NO_PAD.encode(bytes)))
}

/// Draws a token for tools, such as `tmk_MN2…`.
///
/// # Errors
/// When the system gives no random bytes.
pub fn new_token() -> Result<Secret, getrandom::Error> {
    Ok(Secret(format!("{TOKEN_PREFIX}{}", new_secret()?.0)))
}

/// What is kept of a secret.
#[must_use]
pub fn hash_secret(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}

/// Whether a text can be a secret at all; whatever else is sent is not looked up.
#[must_use]
pub(super) fn looks_like_secret(text: &str) -> bool {
    text.len() == SECRET_CHARS && text.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-' || c == b'_')
}

/// Whether a text can be a token at all.
#[must_use]
pub fn looks_like_token(text: &str) -> bool {
    text.strip_prefix(TOKEN_PREFIX).is_some_and(looks_like_secret)
}

/// What somebody wants to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    /// See statistics, charts and boxes, and ask for a poll now.
    Read,
    /// Choose what is recorded, and correct kinds.
    Tick,
    /// Push custom statistics.
    Push,
    /// Everything else: boxes, accounts, settings.
    Admin,
}

impl Right {
    /// The scope that is named to those who lack it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Tick => "tick",
            Self::Push => "push",
            Self::Admin => "admin",
        }
    }
}

/// What a token may do. `read` < `tick` < `admin` and `push` < `admin`: each may what those below it may.
/// `push` may not read: it lies about in scripts on other hosts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// See everything, change nothing.
    Read,
    /// Also choose what is recorded.
    Tick,
    /// Only push custom statistics.
    Push,
    /// All that an account may.
    Admin,
}

impl Scope {
    /// Every scope, in the order help texts name them.
    pub const ALL: [Self; 4] = [Self::Read, Self::Tick, Self::Push, Self::Admin];

    /// Whether it covers a right.
    #[must_use]
    pub fn allows(self, right: Right) -> bool {
        match self {
            Self::Read => right == Right::Read,
            Self::Tick => matches!(right, Right::Read | Right::Tick),
            Self::Push => right == Right::Push,
            Self::Admin => true,
        }
    }

    /// The word used on the command line and in the store.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Tick => "tick",
            Self::Push => "push",
            Self::Admin => "admin",
        }
    }

    /// The scope that a word names.
    ///
    /// # Errors
    /// A sentence that says what is allowed.
    pub fn parse(word: &str) -> Result<Self, String> {
        let scope = Self::ALL.into_iter().find(|scope| scope.as_str() == word);
        scope.ok_or_else(|| format!("{word:?} is no scope: read, tick, push or admin is allowed"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_differ_and_look_like_secrets() {
        let (one, other) = (new_secret().unwrap(), new_secret().unwrap());
        assert_ne!(one.0, other.0);
        assert!(looks_like_secret(&one.0));
        let token = new_token().unwrap();
        assert!(looks_like_token(&token.0) && !looks_like_secret(&token.0) && !looks_like_token(&one.0));
        for text in ["", "tmk_", "x", &"ä".repeat(43), &"x".repeat(44), &format!("{}+", &one.0[1..])] {
            assert!(!looks_like_secret(text), "{text}");
        }
    }

    #[test]
    fn the_hash_is_sha_256() {
        assert_eq!(hash_secret("abc")[..4], [0xba, 0x78, 0x16, 0xbf]);
    }

    #[test]
    fn scopes_cover_what_lies_below_them() {
        use Right::{Admin, Push, Read, Tick};
        let rights = |scope: Scope| [Read, Tick, Push, Admin].into_iter().filter(|right| scope.allows(*right)).collect::<Vec<_>>();
        assert_eq!(rights(Scope::Read), [Read]);
        assert_eq!(rights(Scope::Tick), [Read, Tick]);
        assert_eq!(rights(Scope::Push), [Push]);
        assert_eq!(rights(Scope::Admin), [Read, Tick, Push, Admin]);
    }

    #[test]
    fn scopes_have_words() {
        for scope in Scope::ALL {
            assert_eq!(Scope::parse(scope.as_str()), Ok(scope));
        }
        assert_eq!(Scope::parse("root").unwrap_err(), "\"root\" is no scope: read, tick, push or admin is allowed");
    }
}
