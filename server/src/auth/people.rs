//! Accounts and tokens as administrators keep them: who is added, changed and taken away. It must not know pages.

use app::model::{Origin, SPANS, Taste, is_span};
use axum::http::HeaderMap;

use super::{Auth, AuthError, Caller, Scope, SessionCookie, hash_secret, new_token};
use crate::{
    clock,
    config::{check_account_name, check_token_name},
    source::Secret,
    store::{Account, StoreError, Token},
};

/// Why somebody was not added, changed or taken away.
#[derive(Debug, thiserror::Error)]
pub enum PeopleError {
    /// A field is wrong.
    #[error("{message}")]
    Invalid {
        /// The field.
        field: &'static str,
        /// What is wrong with it, and what is allowed.
        message: String,
    },
    /// It cannot be done to this one.
    #[error("{0}")]
    Refused(String),
    /// The panel cannot do it.
    #[error(transparent)]
    Failed(#[from] AuthError),
}

impl From<StoreError> for PeopleError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Taken(what) => Self::Invalid { field: "name", message: format!("there is {what} already: choose another name") },
            StoreError::Missing(what) => Self::Refused(format!("{what} does not exist any more")),
            other => Self::Failed(other.into()),
        }
    }
}

fn invalid(field: &'static str, message: impl Into<String>) -> PeopleError {
    PeopleError::Invalid { field, message: message.into() }
}

fn last(name: &str) -> PeopleError {
    PeopleError::Refused(format!("{name} is the last account that may do everything: give that to another one first"))
}

/// What a person may; `push` is for tools alone.
///
/// # Errors
/// A sentence that says what is allowed.
pub fn account_scope(word: &str) -> Result<Scope, String> {
    match Scope::parse(word) {
        Ok(scope) if scope != Scope::Push => Ok(scope),
        _ => Err(format!("{word:?} is nothing that a person may: read, tick or admin is allowed")),
    }
}

impl Auth {
    /// Everybody who can sign in, by name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn accounts(&self) -> Result<Vec<Account>, AuthError> {
        Ok(self.store.accounts().await?)
    }

    /// What an account may; nothing, when it is gone again.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn scope_of(&self, name: &str) -> Result<String, AuthError> {
        Ok(self.store.account(name).await?.map(|account| account.scope).unwrap_or_default())
    }

    /// Every token, by name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn tokens(&self) -> Result<Vec<Token>, AuthError> {
        Ok(self.store.tokens().await?)
    }

    /// Adds an account.
    ///
    /// # Errors
    /// When a field is wrong, or the database fails.
    pub async fn add_account(&self, name: &str, password: &Secret, scope: &str) -> Result<(), PeopleError> {
        check_account_name(name).map_err(|message| invalid("name", message))?;
        let scope = account_scope(scope).map_err(|message| invalid("scope", message))?;
        let hash = self.hash(password).await?;
        self.store.add_account_as(name, &hash, scope.as_str(), clock::now_ms()).await?;
        Ok(())
    }

    /// Changes what an account may; it holds at its next click.
    ///
    /// # Errors
    /// When it is the file's, or would leave nobody who may do everything; when the database fails.
    pub async fn set_account_scope(&self, name: &str, scope: &str) -> Result<(), PeopleError> {
        let scope = account_scope(scope).map_err(|message| invalid("scope", message))?;
        self.changeable(name).await?;
        if !self.store.set_account_scope(name, scope.as_str()).await? {
            return Err(last(name));
        }
        self.somebody_left();
        Ok(())
    }

    /// Changes an account's password and ends its sessions.
    ///
    /// # Errors
    /// When it is the file's, or the password is too weak; when the database fails.
    pub async fn set_account_password(&self, name: &str, password: &Secret) -> Result<(), PeopleError> {
        self.changeable(name).await?;
        let hash = self.hash(password).await?;
        self.store.set_password(name, &hash).await?;
        self.somebody_left();
        Ok(())
    }

    /// Removes an account and ends its sessions.
    ///
    /// # Errors
    /// When it is the file's, or the last one that may do everything; when the database fails.
    pub async fn remove_account(&self, name: &str) -> Result<(), PeopleError> {
        self.changeable(name).await?;
        if !self.store.remove_account_but_the_last(name).await? {
            return Err(last(name));
        }
        self.somebody_left();
        Ok(())
    }

    /// Changes one's own password, which the old one allows; other sessions of the account end, this browser gets a new one.
    ///
    /// # Errors
    /// When the old one is wrong, the new one too weak, or the account is the file's; when the database fails.
    pub async fn change_own_password(
        &self,
        headers: &HeaderMap,
        name: &str,
        old: &Secret,
        new: &Secret,
    ) -> Result<SessionCookie, PeopleError> {
        let account = self.changeable(name).await?;
        let right = self.passwords.verify(old, Some(&account.password_hash)).await.map_err(AuthError::from)?;
        if !right {
            return Err(invalid("old", "this is not the password you have now"));
        }
        let hash = self.hash(new).await?;
        self.store.set_password(name, &hash).await?;
        self.somebody_left();
        Ok(self.begin_session(headers, account.id, clock::now_ms()).await?)
    }

    /// Makes a token and gives its secret, which is not kept.
    ///
    /// # Errors
    /// When a field is wrong, or the database fails.
    pub async fn add_token(&self, name: &str, scope: &str) -> Result<Secret, PeopleError> {
        check_token_name(name).map_err(|message| invalid("token", message))?;
        let scope = Scope::parse(scope).map_err(|message| invalid("token-scope", message))?;
        let secret = new_token().map_err(AuthError::from)?;
        let token = Token { name: name.to_owned(), scope: scope.as_str().to_owned(), created_ms: clock::now_ms() };
        self.store.add_token(&token, &hash_secret(&secret.0)).await.map_err(|error| match PeopleError::from(error) {
            PeopleError::Invalid { message, .. } => invalid("token", message),
            other => other,
        })?;
        Ok(secret)
    }

    /// Takes a token back.
    ///
    /// # Errors
    /// When there is none of this name, or the database fails.
    pub async fn revoke_token(&self, name: &str) -> Result<(), PeopleError> {
        self.store.revoke_token(name).await?;
        self.somebody_left();
        Ok(())
    }

    /// Keeps how pages look for somebody.
    ///
    /// # Errors
    /// When a field is wrong, a token asks, or the database fails.
    pub async fn keep_taste(&self, caller: &Caller, taste: &Taste) -> Result<(), PeopleError> {
        let Caller::Account { id, .. } = caller else {
            return Err(PeopleError::Refused("a token has no pages: sign in as the account whose settings these are".to_owned()));
        };
        if !taste.zone.is_empty() && taste.zone.parse::<chrono_tz::Tz>().is_err() {
            return Err(invalid(
                "zone",
                format!("{:?} is no time zone: write one such as Europe/Berlin, or UTC", app::shown::short(&taste.zone)),
            ));
        }
        if !is_span(taste.span()) {
            let allowed = SPANS.map(|(word, _)| word).join(", ");
            return Err(invalid("span", format!("is {:?}; allowed are {allowed}", app::shown::short(&taste.span))));
        }
        let mut taste = taste.clone();
        taste.without.sort_unstable_by_key(|column| column.as_str());
        taste.without.dedup();
        // Words and lists: it can always be written.
        self.store.set_taste(*id, &serde_json::to_string(&taste).unwrap_or_default()).await?;
        Ok(())
    }

    async fn hash(&self, password: &Secret) -> Result<String, PeopleError> {
        self.passwords.hash(password).await.map_err(|error| match error {
            super::PasswordError::Weak(message) => invalid("password", message),
            other => PeopleError::Failed(other.into()),
        })
    }

    async fn changeable(&self, name: &str) -> Result<Account, PeopleError> {
        let account = self.store.account(name).await?;
        let account = account.ok_or_else(|| PeopleError::Refused(format!("the account {name} does not exist any more")))?;
        if account.origin == Origin::Config {
            return Err(PeopleError::Refused(format!("the account {name} comes from the configuration file: change it there")));
        }
        Ok(account)
    }
}
