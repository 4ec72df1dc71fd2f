//! A copy of the whole database, as it was at one instant, while it goes on being written. It must not know what is in it.

use std::{
    io,
    path::{Path, PathBuf},
};

use super::{Store, StoreError, dialect::Dialect, sqlite::make_private};

/// How a database on a server is copied: its own tool does that as consistently, and whoever keeps a server knows it.
const PG_DUMP: &str = "a database on a PostgreSQL server is copied with its own tools, while the panel goes on: \
                       pg_dump --format=custom --file=FILE URL, with the URL of --database; pg_restore brings it back";

impl Store {
    /// Copies the database into a file that is not there yet. It is there once it is whole and on the disk; `progress` is told how far
    /// it is, from 0 to 1.
    ///
    /// # Errors
    /// When the file exists or cannot be written, or the database cannot be read; and for one on a server, which has a tool of its own.
    pub async fn backup(&self, to: &Path, mut progress: impl FnMut(f64)) -> Result<(), StoreError> {
        if self.inner.dialect == Dialect::Postgres {
            return Err(StoreError::Open(PG_DUMP.to_owned()));
        }
        let failed = |error: io::Error| StoreError::Open(format!("cannot write {}: {error}", to.display()));
        if to.exists() {
            return Err(StoreError::Open(format!("{} is there already: name a file that is not", to.display())));
        }
        let part = part_of(to);
        // What an interrupted copy left is of no use.
        match std::fs::remove_file(&part) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
        // Nobody else may read the hashes and tokens in it, from its first byte on; SQLite takes a file that is empty.
        make_private(&part).map_err(failed)?;
        let copied = self.copy_into(&part, &mut progress).await;
        let whole = copied.and_then(|()| {
            std::fs::File::open(&part).and_then(|file| file.sync_all()).map_err(failed)?;
            std::fs::rename(&part, to).map_err(failed)
        });
        if whole.is_err() {
            // What is not whole is of no use.
            let _ = std::fs::remove_file(&part);
        }
        whole
    }

    async fn copy_into(&self, part: &Path, progress: &mut impl FnMut(f64)) -> Result<(), StoreError> {
        let path = part.to_str().ok_or_else(|| StoreError::Open(format!("{} is no Unicode: choose another name", part.display())))?;
        let copying = sqlx::query("vacuum into $1").bind(path).execute(&self.inner.read);
        tokio::pin!(copying);
        let size = self.stats().await?.size_bytes.max(1);
        let mut turns = tokio::time::interval(std::time::Duration::from_millis(250));
        loop {
            tokio::select! {
                copied = &mut copying => {
                    copied?;
                    progress(1.0);
                    return Ok(());
                }
                _ = turns.tick() => {
                    let written = std::fs::metadata(part).map_or(0, |file| file.len());
                    #[expect(clippy::cast_precision_loss, reason = "it is only shown")]
                    progress((written as f64 / size as f64).min(0.99));
                }
            }
        }
    }
}

fn part_of(to: &Path) -> PathBuf {
    let mut name = to.as_os_str().to_owned();
    name.push(".part");
    name.into()
}
