//! One panel a database: two would record everything twice. It must not know what is in the database.

use std::{
    fs::{self, File, TryLockError},
    io::{self, Read as _, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use super::ServeError;
use crate::auth::new_secret;

/// The lock file of a database that is there: its file's own name, whatever links lead to it, and `.lock`.
fn lock_file(database: &Path) -> io::Result<PathBuf> {
    let mut name = fs::canonicalize(database)?.into_os_string();
    name.push(".lock");
    Ok(name.into())
}

/// Locks a database until the file is dropped, or the process ends. The file stays: taking it away could let two in.
pub(crate) fn lock(database: &Path) -> Result<File, ServeError> {
    let path = lock_file(database).map_err(|error| ServeError::Lock { path: database.to_owned(), error })?;
    let failed = |error| ServeError::Lock { path: path.clone(), error };
    let file = fs::OpenOptions::new().append(true).create(true).mode(0o600).open(&path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(ServeError::Running(database.display().to_string())),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

/// So many panels may begin in one folder.
const MAX_PANELS: usize = 100;

/// Which of the panels this is.
pub(crate) struct Identity {
    /// By this the other panels of a database on a server know it when it begins again.
    pub(crate) identity: String,
    /// The file that says so, beside the key file, and its lock, which says that the one before has ended. Without a place for it, it is a
    /// new one each time.
    pub(crate) path: Option<PathBuf>,
    pub(crate) lock: Option<File>,
}

/// Finds out which of the panels this is.
pub(crate) fn identity(key_file: Option<&Path>) -> Result<Identity, ServeError> {
    let new = || new_secret().map(|secret| secret.0).map_err(|error| ServeError::Io(io::Error::other(error)));
    let nameless = || Ok(Identity { identity: new()?, path: None, lock: None });
    let Some(key_file) = key_file else { return nameless() };
    for number in 1..=MAX_PANELS {
        let mut name = key_file.as_os_str().to_owned();
        name.push(if number == 1 { ".panel".to_owned() } else { format!(".panel-{number}") });
        let path = PathBuf::from(name);
        let opened = fs::OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(&path);
        let mut file = match opened {
            Ok(file) => file,
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "after a crash, other panels will wait some seconds for this one");
                return nameless();
            }
        };
        let failed = |error| ServeError::Lock { path: path.clone(), error };
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => continue,
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        let mut identity = String::new();
        file.read_to_string(&mut identity).map_err(failed)?;
        if identity.is_empty() {
            identity = new()?;
            file.write_all(identity.as_bytes()).map_err(failed)?;
        }
        // A folder may have been copied to another host.
        let host = fs::read_to_string("/etc/hostname").unwrap_or_default();
        return Ok(Identity { identity: format!("{identity}@{}", host.trim()), path: Some(path), lock: Some(file) });
    }
    nameless()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_panel_that_begins_again_is_known_again_and_two_are_two() {
        let folder = tempfile::tempdir().unwrap();
        let key_file = folder.path().join("tickmark.key");
        let one = identity(Some(&key_file)).unwrap();
        let other = identity(Some(&key_file)).unwrap();
        assert_ne!(one.identity, other.identity);
        drop(one.lock);
        assert_eq!(identity(Some(&key_file)).unwrap().identity, one.identity);
    }

    #[test]
    fn each_database_of_a_folder_has_a_lock_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let (a, b, link) = (folder.path().join("a.db"), folder.path().join("b.db"), folder.path().join("link.db"));
        for path in [&a, &b] {
            fs::write(path, "").unwrap();
        }
        std::os::unix::fs::symlink(&a, &link).unwrap();
        let held = lock(&a).unwrap();
        let _other = lock(&b).unwrap();
        for same in [&a, &link] {
            let Err(ServeError::Running(named)) = lock(same) else { panic!("{} is served already", same.display()) };
            assert_eq!(named, same.display().to_string());
        }
        assert_eq!(fs::metadata(folder.path().join("a.db.lock")).unwrap().permissions().mode() & 0o777, 0o600);
        drop(held);
        lock(&a).unwrap();
    }
}
