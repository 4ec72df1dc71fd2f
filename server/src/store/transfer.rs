//! Moves a whole database through a file, also from SQLite to PostgreSQL and back: what is packed is copied as it is, never decoded. The
//! format is described in `migrations/README.md`. It must not know what the tables mean.

use sqlx::Executor;

use super::{Store, StoreError};

mod export;
mod file;
mod import;
mod table;
pub(super) mod tables;

pub use export::Exported;
pub use file::ExportFile;
pub use import::{ImportStep, Imported};

/// The setting that says which export was brought in, and how far; it is of this database alone, and is never moved.
const IMPORT: &str = "import";
/// What it says once all is there.
const DONE: &str = "done";

impl Store {
    /// Begins a transaction that reads everything there is, of one instant.
    async fn begin_reading_all(&self) -> Result<sqlx::Transaction<'static, sqlx::Any>, StoreError> {
        let mut view = self.begin_read().await?;
        if let Some(take_time) = self.inner.dialect.take_time() {
            view.execute(take_time).await?;
        }
        Ok(view)
    }

    /// Refuses a database into which an export was brought by half.
    pub(super) async fn refuse_half(&self) -> Result<(), StoreError> {
        match self.setting(IMPORT).await? {
            Some(state) if !state.ends_with(DONE) => Err(StoreError::Open(
                "an import into this database has not ended: run the same tickmark import again, and it goes on where it stopped"
                    .to_owned(),
            )),
            _ => Ok(()),
        }
    }
}
