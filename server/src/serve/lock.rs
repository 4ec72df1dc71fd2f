//! One panel a database: two would record everything twice. It must not know what is in the database.

use std::{
    fs::{self, File, TryLockError},
    io,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use super::ServeError;

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

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

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
