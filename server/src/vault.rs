//! Keeps the passwords of boxes sealed under a key file beside the database, so that the database alone tells none of them.
//! It must not know the store: it turns passwords into bytes and back.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use chacha20poly1305::{
    Key, KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};

use crate::source::Secret;

/// The length of the key, bytes.
const KEY_LEN: usize = 32;
/// The length of the nonce before each sealed password, bytes; long enough to be drawn at random.
const NONCE_LEN: usize = 24;
/// The first byte of what is sealed: room for another cipher.
const VERSION: u8 = 1;
/// Bound into every seal, so that bytes sealed for another use are refused. It leaves out the box: boxes are renamed.
const CONTEXT: &[u8] = b"tickmark box password 1";
/// The same of the secrets of destinations.
const DESTINATION: &[u8] = b"tickmark destination 1";
/// Only its owner may read or write the key file.
const KEY_MODE: u32 = 0o600;

/// Why a password cannot be sealed or opened.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The key file cannot be read or made.
    #[error("the key file {} cannot be {action}: {error}", .path.display())]
    File {
        /// Where it is.
        path: PathBuf,
        /// `read` or `made`.
        action: &'static str,
        /// What the system said.
        error: io::Error,
    },
    /// Others than its owner may read the key file.
    #[error("the key file {path} can be read by others than its owner: run chmod 600 {path}", path = .0.display())]
    Readable(PathBuf),
    /// The key file holds something else.
    #[error(
        "the key file {path} holds no key: put back the file that was made beside the database, \
         or delete it and enter the passwords of the boxes again",
        path = .0.display()
    )]
    NotAKey(PathBuf),
    /// What is stored was sealed with another key, or is damaged.
    #[error("the password was sealed with another key file: enter the password again")]
    OtherKey,
    /// The system gave no random bytes.
    #[error("the system gave no random bytes: {0}")]
    Random(getrandom::Error),
}

/// Seals and opens passwords of boxes.
#[derive(Clone)]
pub struct Vault {
    cipher: XChaCha20Poly1305,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Vault(…)")
    }
}

impl Vault {
    /// Reads the key file; makes one when there is none.
    ///
    /// # Errors
    /// When it can be neither read nor made, others may read it, or it holds no key.
    pub fn open(path: &Path) -> Result<Self, VaultError> {
        match make_key(path) {
            Ok(key) => Ok(Self::with_key(key)),
            Err(VaultError::File { error, .. }) if error.kind() == io::ErrorKind::AlreadyExists => Ok(Self::with_key(read_key(path)?)),
            Err(error) => Err(error),
        }
    }

    /// A vault whose key ends with the process, for a database that does so, too.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn in_memory() -> Result<Self, VaultError> {
        Ok(Self::with_key(random()?))
    }

    fn with_key(key: [u8; KEY_LEN]) -> Self {
        Self { cipher: XChaCha20Poly1305::new(&Key::from(key)) }
    }

    /// Seals a password: a version byte, the nonce, the ciphertext with its tag.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn seal(&self, password: &Secret) -> Result<Vec<u8>, VaultError> {
        self.seal_for(CONTEXT, password)
    }

    /// Seals the secret of a destination.
    ///
    /// # Errors
    /// As [`Self::seal`].
    pub fn seal_destination(&self, secret: &Secret) -> Result<Vec<u8>, VaultError> {
        self.seal_for(DESTINATION, secret)
    }

    /// Opens what [`Self::seal_destination`] made.
    ///
    /// # Errors
    /// As [`Self::unseal`].
    pub fn unseal_destination(&self, sealed: &[u8]) -> Result<Secret, VaultError> {
        self.unseal_for(DESTINATION, sealed)
    }

    fn seal_for(&self, context: &[u8], password: &Secret) -> Result<Vec<u8>, VaultError> {
        let nonce: [u8; NONCE_LEN] = random()?;
        let payload = Payload { msg: password.0.as_bytes(), aad: context };
        // The cipher refuses only more than 256 GB.
        let ciphertext = self.cipher.encrypt(&XNonce::from(nonce), payload).map_err(|_| VaultError::OtherKey)?;
        let mut sealed = Vec::with_capacity(1 + NONCE_LEN + ciphertext.len());
        sealed.push(VERSION);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(&ciphertext);
        Ok(sealed)
    }

    /// Opens what [`Self::seal`] made.
    ///
    /// # Errors
    /// When it was sealed with another key, or is damaged: the password has to be entered again.
    pub fn unseal(&self, sealed: &[u8]) -> Result<Secret, VaultError> {
        self.unseal_for(CONTEXT, sealed)
    }

    fn unseal_for(&self, context: &[u8], sealed: &[u8]) -> Result<Secret, VaultError> {
        let Some((&VERSION, rest)) = sealed.split_first() else {
            return Err(VaultError::OtherKey);
        };
        let (nonce, ciphertext) = rest.split_first_chunk::<NONCE_LEN>().ok_or(VaultError::OtherKey)?;
        let payload = Payload { msg: ciphertext, aad: context };
        let password = self.cipher.decrypt(&XNonce::from(*nonce), payload).map_err(|_| VaultError::OtherKey)?;
        String::from_utf8(password).map(Secret).map_err(|_| VaultError::OtherKey)
    }
}

fn random<const N: usize>() -> Result<[u8; N], VaultError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(VaultError::Random)?;
    Ok(bytes)
}

/// Made whole under another name first: nobody ever finds half a key, whenever this process ends and whoever else begins.
fn make_key(path: &Path) -> Result<[u8; KEY_LEN], VaultError> {
    let failed = |error| VaultError::File { path: path.to_owned(), action: "made", error };
    if path.exists() {
        return Err(failed(io::ErrorKind::AlreadyExists.into()));
    }
    let key: [u8; KEY_LEN] = random()?;
    let mut draft = path.as_os_str().to_owned();
    draft.push(format!(".{}", std::process::id()));
    let draft = PathBuf::from(draft);
    let write = || {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(KEY_MODE).open(&draft)?;
        file.write_all((STANDARD.encode(key) + "\n").as_bytes())?;
        file.sync_all()?;
        // Unlike a renaming, this fails where there is a key already.
        fs::hard_link(&draft, path)
    };
    let written = write().map_err(failed);
    // A draft that stays does no harm.
    let _ = fs::remove_file(&draft);
    written.map(|()| key)
}

fn read_key(path: &Path) -> Result<[u8; KEY_LEN], VaultError> {
    let failed = |error| VaultError::File { path: path.to_owned(), action: "read", error };
    if fs::metadata(path).map_err(failed)?.permissions().mode() & 0o077 != 0 {
        return Err(VaultError::Readable(path.to_owned()));
    }
    let text = fs::read(path).map_err(failed)?;
    let key = STANDARD.decode(text.trim_ascii()).ok().and_then(|key| key.try_into().ok());
    key.ok_or_else(|| VaultError::NotAKey(path.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Secret {
        Secret(text.to_owned())
    }

    #[test]
    fn a_password_survives_a_restart_and_is_not_in_what_is_stored() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tickmark.key");
        let sealed = Vault::open(&path).unwrap().seal(&secret("s3cret pässword")).unwrap();
        assert!(!sealed.windows(6).any(|window| window == b"s3cret"));
        assert_eq!(Vault::open(&path).unwrap().unseal(&sealed).unwrap(), secret("s3cret pässword"));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(fs::read_to_string(&path).unwrap().ends_with("=\n"));
    }

    #[test]
    fn the_same_password_is_sealed_otherwise_each_time() {
        let vault = Vault::in_memory().unwrap();
        assert_ne!(vault.seal(&secret("x")).unwrap(), vault.seal(&secret("x")).unwrap());
    }

    #[test]
    fn another_key_and_damaged_bytes_are_refused() {
        let vault = Vault::in_memory().unwrap();
        let sealed = vault.seal(&secret("x")).unwrap();
        let other = Vault::in_memory().unwrap();
        assert!(other.unseal(&sealed).unwrap_err().to_string().contains("enter the password again"));
        for place in 0..sealed.len() {
            let mut damaged = sealed.clone();
            damaged[place] ^= 1;
            assert!(matches!(vault.unseal(&damaged), Err(VaultError::OtherKey)), "byte {place}");
            assert!(matches!(vault.unseal(&sealed[..place]), Err(VaultError::OtherKey)), "cut at {place}");
        }
    }

    #[test]
    fn a_key_file_that_others_may_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tickmark.key");
        Vault::open(&path).unwrap();
        for mode in [0o640, 0o604, 0o660] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let error = Vault::open(&path).unwrap_err().to_string();
            assert!(error.contains("run chmod 600") && error.contains("tickmark.key"), "{error}");
        }
    }

    #[test]
    fn a_file_that_holds_no_key_is_refused_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tickmark.key");
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).unwrap().write_all(b"hello").unwrap();
        assert!(matches!(Vault::open(&path), Err(VaultError::NotAKey(_))));
        assert_eq!(fs::read(&path).unwrap(), b"hello");
    }

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        let error = Vault::open(Path::new("/nowhere/tickmark.key")).unwrap_err().to_string();
        assert!(error.starts_with("the key file /nowhere/tickmark.key cannot be made"), "{error}");
    }
}
