//! Who may: accounts, sessions, tokens, the setup link, and what guards writes. It must not know what is done once somebody may.

use std::{
    net::{IpAddr, SocketAddr},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use subtle::ConstantTimeEq;
use tokio::sync::watch;

use self::{device::Devices, known::Known};
use crate::{
    config::check_account_name,
    problem::{Problem, problem},
    source::Secret,
    store::{Account, Store, StoreError},
};

mod caller;
mod device;
mod guard;
mod known;
mod origin;
mod password;
mod people;
mod session;
mod throttle;
mod token;

pub use caller::Caller;
pub use device::Device;
pub use guard::{Door, FIRST_PAGE, LOGIN_PAGE, Refusal, door, guard, judge, local_next, right_for};
pub use origin::{CrossSite, is_form, is_safe, same_origin};
pub use password::{MAX_PASSWORD_BYTES, MIN_PASSWORD_CHARS, PasswordError, Passwords, check_password, is_password_hash};
pub use people::{PeopleError, account_scope};
pub use session::{COOKIE, SESSION_LIFETIME_MS, SessionCookie, is_https, session_secret};
pub use throttle::{Client, Throttle};
pub use token::{Right, Scope, TOKEN_PREFIX, hash_secret, looks_like_token, new_secret, new_token};

/// The setting that keeps the hash of the setup link's token, in hexadecimal.
pub const SETUP_SETTING: &str = "setup_token_hash";
/// The setting that keeps the key by which browsers that signed in before are known.
const DEVICE_SETTING: &str = "device_key";
/// The account that `TICKMARK_ADMIN_PASSWORD` makes.
pub const FIRST_ACCOUNT: &str = "admin";

/// Why it cannot be told who may, or be changed.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The password was too weak, or could not be hashed.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// The system gave no random bytes.
    #[error("the system gave no random bytes: {0}")]
    Random(#[from] getrandom::Error),
}

/// Why a login failed.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// The user name or the password.
    #[error("The user name or the password is wrong.")]
    Wrong,
    /// Too many wrong ones from this address.
    #[error("Too many wrong passwords came from this address. Try again in {} s.", .0.as_millis().div_ceil(1000))]
    Wait(Duration),
    /// The panel cannot tell.
    #[error("The login cannot be checked: {0}.")]
    Failed(#[from] AuthError),
}

/// Why the first account was not made.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The link was used, is an older one, or is none.
    #[error("This setup link is not valid any more. Sign in, or start the panel again and take the link it prints.")]
    BadToken,
    /// The user name; the text says what is allowed.
    #[error("{0}")]
    Name(String),
    /// The panel cannot do it; of passwords, the text says what is allowed.
    #[error("{0}")]
    Failed(#[from] AuthError),
}

/// Knows accounts, sessions and tokens, and slows guessing.
pub struct Auth {
    store: Store,
    passwords: Passwords,
    throttle: Mutex<Throttle>,
    devices: tokio::sync::OnceCell<Devices>,
    /// Held while the first account is made, so that one link makes one account.
    setup: tokio::sync::Mutex<()>,
    /// Counts those who left.
    left: watch::Sender<u64>,
    known: Known,
}

impl Auth {
    /// Over the accounts of a store.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self {
            store,
            passwords: Passwords::default(),
            throttle: Mutex::default(),
            devices: tokio::sync::OnceCell::new(),
            setup: tokio::sync::Mutex::default(),
            left: watch::Sender::new(0),
            known: Known::default(),
        }
    }

    /// Changes whenever somebody leaves: what is still open for them is to be closed.
    #[must_use]
    pub fn doors(&self) -> watch::Receiver<u64> {
        self.left.subscribe()
    }

    /// Hashes and checks passwords within the panel's bounds.
    #[must_use]
    pub fn passwords(&self) -> &Passwords {
        &self.passwords
    }

    /// Signs in: a new session, and the end of the one the browser had. `headers` are the request's, `peer` whom the connection is with.
    ///
    /// # Errors
    /// When name or password are wrong, the address has to wait, or the database fails.
    pub async fn login(
        &self,
        headers: &HeaderMap,
        peer: IpAddr,
        user: &str,
        password: &Secret,
        now_ms: i64,
    ) -> Result<SessionCookie, LoginError> {
        // Without the database nobody is known, and nobody gets in.
        let device = self.devices().await.ok().and_then(|devices| devices.known(headers, user));
        let client = Client::new(peer, headers, device);
        self.throttle().begin(client, now_ms).map_err(LoginError::Wait)?;
        match self.check(user, password).await {
            Ok(Some(account)) => {
                self.throttle().succeeded(client);
                Ok(self.begin_session(headers, account.id, now_ms).await?)
            }
            Ok(None) => {
                tracing::warn!(%client, "a login failed: wrong user name or password");
                Err(LoginError::Wrong)
            }
            Err(error) => {
                self.throttle().not_checked(client);
                Err(error.into())
            }
        }
    }

    /// A `Set-Cookie` header's value by which the browser of `user`, who just signed in, is known at its next login; none when it is
    /// known already.
    pub async fn device_cookie(&self, headers: &HeaderMap, user: &str) -> Option<HeaderValue> {
        let devices = self.devices().await.inspect_err(|error| tracing::warn!(%error, "no browser can be known again")).ok()?;
        if devices.known(headers, user).is_some() {
            return None;
        }
        devices.cookie(user, is_https(headers)).inspect_err(|error| tracing::warn!(%error, "the system gave no random bytes")).ok()
    }

    async fn devices(&self) -> Result<&Devices, AuthError> {
        let read = async || {
            let key = self.store.setting_or(DEVICE_SETTING, &new_secret()?.0).await?;
            Ok(Devices::new(Secret(key)))
        };
        self.devices.get_or_try_init(read).await
    }

    /// Ends the session that a request carries.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn logout(&self, headers: &HeaderMap) -> Result<SessionCookie, AuthError> {
        if let Some(secret) = session_secret(headers) {
            self.store.remove_session(&hash_secret(secret)).await?;
            self.known.forget(&hash_secret(secret));
            self.somebody_left();
        }
        Ok(SessionCookie::end())
    }

    /// Makes the first account by the one-time link, and signs in with it.
    ///
    /// # Errors
    /// When the link is not valid (any more), the name or the password not allowed, or the database fails.
    pub async fn setup(
        &self,
        headers: &HeaderMap,
        token: &str,
        user: &str,
        password: &Secret,
        now_ms: i64,
    ) -> Result<SessionCookie, SetupError> {
        let _one = self.setup.lock().await;
        if !self.setup_allowed(token).await? {
            return Err(SetupError::BadToken);
        }
        check_account_name(user).map_err(SetupError::Name)?;
        let hash = self.passwords.hash(password).await.map_err(AuthError::from)?;
        let id = self.store.add_account(user, &hash, now_ms).await.map_err(AuthError::from)?;
        self.store.set_setting(SETUP_SETTING, None).await.map_err(AuthError::from)?;
        tracing::info!(user, "the first account was made by the setup link");
        Ok(self.begin_session(headers, id, now_ms).await?)
    }

    /// Whether a setup link's token is good at this moment.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn setup_allowed(&self, token: &str) -> Result<bool, AuthError> {
        let Some(stored) = self.store.setting(SETUP_SETTING).await? else { return Ok(false) };
        let matches: bool = hex(&hash_secret(token)).as_bytes().ct_eq(stored.as_bytes()).into();
        Ok(matches && self.needs_setup().await?)
    }

    /// Whether there is no account yet.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn needs_setup(&self) -> Result<bool, AuthError> {
        Ok(self.store.accounts().await?.is_empty())
    }

    /// At the start: while there is no account, makes `admin` with the password given, or a new setup link to print.
    /// Only the link's hash is kept, so each start until the first account makes a new one.
    ///
    /// # Errors
    /// When the password is too weak, or the database fails.
    pub async fn first_start(
        &self,
        admin_password: Option<&Secret>,
        listen: (&str, SocketAddr),
        now_ms: i64,
    ) -> Result<Option<String>, AuthError> {
        if !self.needs_setup().await? {
            self.forget_setup().await?;
            return Ok(None);
        }
        if let Some(password) = admin_password {
            self.make_admin(password, now_ms).await?;
            self.forget_setup().await?;
            return Ok(None);
        }
        let token = new_secret()?;
        self.store.set_setting(SETUP_SETTING, Some(&hex(&hash_secret(&token.0)))).await?;
        Ok(Some(setup_link(listen, &token)))
    }

    /// Makes `admin`, while there is no account, and says whether it did.
    ///
    /// # Errors
    /// When the password is too weak, or the database fails.
    pub async fn make_admin(&self, password: &Secret, now_ms: i64) -> Result<bool, AuthError> {
        if !self.needs_setup().await? {
            return Ok(false);
        }
        let hash = self.passwords.hash(password).await?;
        self.store.add_account(FIRST_ACCOUNT, &hash, now_ms).await?;
        Ok(true)
    }

    async fn forget_setup(&self) -> Result<(), AuthError> {
        if self.store.setting(SETUP_SETTING).await?.is_some() {
            self.store.set_setting(SETUP_SETTING, None).await?;
        }
        Ok(())
    }

    /// What is open for them is to be closed, or opened anew for what they may now.
    fn somebody_left(&self) {
        self.left.send_modify(|left| *left += 1);
    }

    async fn check(&self, user: &str, password: &Secret) -> Result<Option<Account>, AuthError> {
        let account = self.store.account(user).await?;
        let right = self.passwords.verify(password, account.as_ref().map(|account| account.password_hash.as_str())).await?;
        Ok(account.filter(|_| right))
    }

    async fn begin_session(&self, headers: &HeaderMap, account_id: i64, now_ms: i64) -> Result<SessionCookie, AuthError> {
        if let Some(old) = session_secret(headers) {
            self.store.remove_session(&hash_secret(old)).await?;
            self.known.forget(&hash_secret(old));
        }
        let secret = new_secret()?;
        let expires_ms = now_ms.saturating_add(SESSION_LIFETIME_MS);
        self.store.add_session(&hash_secret(&secret.0), account_id, now_ms, expires_ms).await?;
        Ok(SessionCookie::begin(&secret, is_https(headers)))
    }

    fn throttle(&self) -> MutexGuard<'_, Throttle> {
        // Counts of failures stay meaningful whatever happened to who held them.
        self.throttle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl From<LoginError> for Problem {
    fn from(error: LoginError) -> Self {
        let text = error.to_string();
        match error {
            LoginError::Wrong => problem(StatusCode::UNAUTHORIZED, "wrong user name or password", text),
            LoginError::Wait(wait) => {
                let seconds = u64::try_from(wait.as_millis().div_ceil(1000)).unwrap_or(u64::MAX);
                problem(StatusCode::TOO_MANY_REQUESTS, "too many tries", text).with_header(header::RETRY_AFTER, HeaderValue::from(seconds))
            }
            LoginError::Failed(_) => problem(StatusCode::SERVICE_UNAVAILABLE, "not now", text),
        }
    }
}

/// The link to print at the first start. Where the panel listens on every address, one of this host is named.
fn setup_link((scheme, listen): (&str, SocketAddr), token: &Secret) -> String {
    let host = if listen.ip().is_unspecified() { format!("localhost:{}", listen.port()) } else { listen.to_string() };
    format!("{scheme}://{host}/cp/setup?token={}", token.0)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
