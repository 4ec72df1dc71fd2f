//! Hashes and checks passwords of accounts with argon2id, a bounded number at a time, off the threads that serve requests.

use std::sync::Arc;

use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::source::Secret;

/// How many passwords are hashed at the same time: each takes 19 MiB and a core.
pub(super) const MAX_CONCURRENT_HASHES: usize = 2;
/// How many may be hashed or wait for it; beyond that the answer is "busy".
pub(super) const MAX_PENDING_HASHES: usize = 32;
/// The shortest password, in characters.
pub const MIN_PASSWORD_CHARS: usize = 10;
/// The longest password, in bytes.
pub const MAX_PASSWORD_BYTES: usize = 1024;

/// Checked for accounts that don't exist, so that they cost the same time. No password is known to match; a match would not count.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5aXNoZXJlISEhIQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Why a password was not hashed or checked.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// Too short or too long; the text says what is allowed.
    #[error("{0}")]
    Weak(String),
    /// Too many at once.
    #[error("too many passwords are being checked at this moment: try again in a few seconds")]
    Busy,
    /// The stored hash is not argon2id in PHC form, or hashing failed.
    #[error("the password could not be hashed: {0}")]
    Hash(String),
}

/// Whether a new password is long enough.
///
/// # Errors
/// A sentence that says what is allowed.
pub fn check_password(password: &Secret) -> Result<(), PasswordError> {
    if password.0.chars().count() < MIN_PASSWORD_CHARS {
        return Err(PasswordError::Weak(format!("the password is too short: at least {MIN_PASSWORD_CHARS} characters are needed")));
    }
    if password.0.len() > MAX_PASSWORD_BYTES {
        return Err(PasswordError::Weak(format!("the password is too long: at most {MAX_PASSWORD_BYTES} bytes are allowed")));
    }
    Ok(())
}

/// Whether a text is an argon2id hash in PHC form, as a configuration file may give it.
#[must_use]
pub fn is_password_hash(text: &str) -> bool {
    PasswordHash::new(text).is_ok_and(|hash| hash.algorithm.as_str() == "argon2id" && hash.hash.is_some())
}

/// Hashes and checks passwords; clones share the bounds.
#[derive(Clone, Debug)]
pub struct Passwords {
    pending: Arc<Semaphore>,
    running: Arc<Semaphore>,
}

impl Default for Passwords {
    fn default() -> Self {
        Self { pending: Arc::new(Semaphore::new(MAX_PENDING_HASHES)), running: Arc::new(Semaphore::new(MAX_CONCURRENT_HASHES)) }
    }
}

impl Passwords {
    /// Hashes a new password, in PHC form.
    ///
    /// # Errors
    /// When it is too short or too long, or too many wait.
    pub async fn hash(&self, password: &Secret) -> Result<String, PasswordError> {
        check_password(password)?;
        let password = password.clone();
        self.run(move || {
            let hash: PasswordHash =
                Argon2::default().hash_password(password.0.as_bytes()).map_err(|error| PasswordError::Hash(error.to_string()))?;
            Ok(hash.to_string())
        })
        .await
    }

    /// Whether a password matches a stored hash. Without one, as for an account that does not exist, it takes as long and is false.
    ///
    /// # Errors
    /// When too many wait, or the hash is none.
    pub async fn verify(&self, password: &Secret, stored: Option<&str>) -> Result<bool, PasswordError> {
        if password.0.len() > MAX_PASSWORD_BYTES {
            return Ok(false);
        }
        let (password, exists) = (password.clone(), stored.is_some());
        let stored = stored.unwrap_or(NOBODY).to_owned();
        self.run(move || {
            let hash = PasswordHash::new(&stored).map_err(|error| PasswordError::Hash(error.to_string()))?;
            Ok(Argon2::default().verify_password(password.0.as_bytes(), &hash).is_ok() && exists)
        })
        .await
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> Result<T, PasswordError> + Send + 'static) -> Result<T, PasswordError> {
        let _pending = self.pending.clone().try_acquire_owned().map_err(|_| PasswordError::Busy)?;
        let running = self.running.clone().acquire_owned().await.map_err(|_| PasswordError::Busy)?;
        let done = tokio::task::spawn_blocking(move || holding(running, work)).await;
        done.map_err(|error| PasswordError::Hash(error.to_string()))?
    }
}

/// The place is held by the work itself: a caller that goes away does not free it while the work still runs.
fn holding<T>(_place: OwnedSemaphorePermit, work: impl FnOnce() -> T) -> T {
    work()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Secret {
        Secret(text.to_owned())
    }

    #[tokio::test]
    async fn a_password_matches_its_own_hash_only() {
        let passwords = Passwords::default();
        let hash = passwords.hash(&secret("correct horse")).await.unwrap();
        assert!(is_password_hash(&hash), "{hash}");
        assert!(passwords.verify(&secret("correct horse"), Some(&hash)).await.unwrap());
        assert!(!passwords.verify(&secret("wrong horse"), Some(&hash)).await.unwrap());
        assert!(!passwords.verify(&secret("correct horse"), None).await.unwrap());
        assert!(matches!(passwords.verify(&secret("x"), Some("plain")).await, Err(PasswordError::Hash(_))));
    }

    #[tokio::test]
    async fn an_unknown_account_costs_what_a_known_one_does() {
        let hash = Passwords::default().hash(&secret("correct horse")).await.unwrap();
        let parameters = |hash: &str| hash.split('$').take(4).map(str::to_owned).collect::<Vec<_>>();
        let lengths = |hash: &str| hash.split('$').map(str::len).collect::<Vec<_>>();
        assert_eq!(parameters(&hash), parameters(NOBODY));
        assert_eq!(lengths(&hash), lengths(NOBODY));
        assert!(is_password_hash(NOBODY));
    }

    #[tokio::test]
    async fn what_is_beyond_the_bound_is_busy() {
        let passwords = Passwords::default();
        let all = u32::try_from(MAX_PENDING_HASHES).unwrap();
        let held = passwords.pending.clone().try_acquire_many_owned(all).unwrap();
        assert!(matches!(passwords.verify(&secret("x"), None).await, Err(PasswordError::Busy)));
        drop(held);
        assert!(!passwords.verify(&secret("x"), None).await.unwrap());
    }

    #[test]
    fn lengths() {
        assert!(check_password(&secret("ten chars!")).is_ok());
        assert!(check_password(&secret("ten chärs!")).is_ok());
        assert!(check_password(&secret("nine char")).unwrap_err().to_string().contains("at least 10"));
        assert!(check_password(&secret(&"x".repeat(1025))).unwrap_err().to_string().contains("at most 1024"));
    }

    #[test]
    fn other_hashes_are_none() {
        for text in ["", "secret", "$2b$12$abc", "$argon2i$v=19$m=19456,t=2,p=1$bm9ib2R5aXNoZXJlISEhIQ$AAAA", "$argon2id$v=19$m=1"] {
            assert!(!is_password_hash(text), "{text}");
        }
    }
}
