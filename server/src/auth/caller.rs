//! Who sent a request. It must not know what they may.

use std::time::Duration;

use app::model::{Numbers, Taste};
use axum::http::{HeaderMap, header};

use super::{Auth, AuthError, Right, Scope, hash_secret, looks_like_token, session_secret};
use crate::store::{Account, StoreError, Trouble};

/// A database that did not answer before is given so long to say who asks.
const AWAY_LIMIT: Duration = Duration::from_millis(300);

/// Who sent a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caller {
    /// A person who signed in.
    Account {
        /// The account's number.
        id: i64,
        /// Its name.
        name: String,
        /// What it may.
        scope: Scope,
        /// How its pages look.
        taste: Box<Taste>,
    },
    /// A tool with a token.
    Token {
        /// The token's name.
        name: String,
        /// What it may do.
        scope: Scope,
    },
}

impl Caller {
    /// Whether this caller may do something.
    #[must_use]
    pub fn may(&self, right: Right) -> bool {
        let (Self::Account { scope, .. } | Self::Token { scope, .. }) = self;
        scope.allows(right)
    }

    /// Who it is, as marks of charts tell it: a token has a name that an account may have too.
    #[must_use]
    pub fn who(&self) -> String {
        match self {
            Self::Account { name, .. } => name.clone(),
            Self::Token { name, .. } => format!("token {name}"),
        }
    }

    /// How pages look for this caller.
    #[must_use]
    pub fn taste(&self) -> Taste {
        match self {
            Self::Account { taste, .. } => (**taste).clone(),
            Self::Token { .. } => Taste::default(),
        }
    }

    /// How numbers are written for this caller.
    #[must_use]
    pub fn numbers(&self) -> Numbers {
        match self {
            Self::Account { taste, .. } => taste.numbers,
            Self::Token { .. } => Numbers::default(),
        }
    }

    /// The name, as logs and pages tell it.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Account { name, .. } | Self::Token { name, .. } => name,
        }
    }
}

impl Auth {
    /// Who sent a request: the bearer token's name where there is one, else the session's account. While the database cannot be reached,
    /// whom it vouched for last.
    ///
    /// # Errors
    /// When the database fails, and does not know the caller from before.
    pub async fn caller(&self, headers: &HeaderMap, now_ms: i64) -> Result<Option<Caller>, AuthError> {
        let token = bearer(headers);
        let Some(secret) = token.map_or_else(|| session_secret(headers), |token| Some(token).filter(|token| looks_like_token(token)))
        else {
            return Ok(None);
        };
        let hash = hash_secret(secret);
        let asking = async { if token.is_some() { self.token_of(&hash).await } else { self.account_of(&hash, now_ms).await } };
        let known = || self.known.recall(&hash, now_ms);
        let found = match self.is_away().then(known).flatten() {
            // Nobody who is known waits long for a server that is away.
            Some(caller) => match tokio::time::timeout(AWAY_LIMIT, asking).await {
                Ok(found) => found,
                Err(_) => return Ok(Some(caller)),
            },
            None => asking.await,
        };
        match found {
            Ok(caller) => {
                self.known.learn(hash, caller.as_ref(), now_ms);
                Ok(caller)
            }
            Err(error @ StoreError::Unwritable(Trouble::Lost(_))) => known().map_or(Err(error.into()), |caller| Ok(Some(caller))),
            Err(error) => Err(error.into()),
        }
    }

    async fn token_of(&self, hash: &[u8]) -> Result<Option<Caller>, StoreError> {
        let token = self.store.token(hash).await?;
        Ok(token.and_then(|token| Some(Caller::Token { scope: Scope::parse(&token.scope).ok()?, name: token.name })))
    }

    async fn account_of(&self, hash: &[u8], now_ms: i64) -> Result<Option<Caller>, StoreError> {
        let account = self.store.session(hash, now_ms).await?;
        Ok(account.and_then(|Account { id, name, scope, taste, .. }| {
            // What a later version kept is better forgotten than in the way.
            let taste = serde_json::from_str(&taste).unwrap_or_default();
            Some(Caller::Account { id, name, scope: Scope::parse(&scope).ok()?, taste })
        }))
    }

    fn is_away(&self) -> bool {
        matches!(*self.store.trouble().borrow(), Some(Trouble::Lost(_)))
    }
}

/// The token of an `Authorization: Bearer` header; other schemes are a proxy's business.
pub(super) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
