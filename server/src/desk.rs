//! What people and tools change: boxes, ticks, kinds. Each change is checked here, made in the store, and then seen on the
//! board; the API, the forms and the command line call the same functions. Knows no HTTP.

mod alerts;
mod boxes;
mod charting;
mod combining;
mod computed;
mod computing;
mod derived;
mod destinations;
mod notes;
mod preview;
mod pushing;
mod reading;
mod resetting;
mod retention;
mod sets;
mod ticks;

use std::{sync::Arc, time::Duration};

use app::model::Origin;

use crate::{
    board::{Board, Entry, RuleError},
    provision::FileTicks,
    sampler::{CloseUp, Sampler},
    store::{Store, StoreError},
    vault::Vault,
};
pub use alerts::{Firing, RuleView};
pub use boxes::{BoxInput, BoxPatch};
pub use charting::{ChartAsk, MAX_LINES, begins_late, charted, shown_of};
pub(crate) use computing::{Computing, Question, StoredInput, each};
pub use derived::{Checked, DerivedInput, DerivedView, check_derived_name};
pub use destinations::DestinationView;
pub use notes::{MAX_NOTE_LETTERS, NoteInput};
pub use preview::Preview;
pub use reading::{MAX_POINTS, SeriesAsk, unit_of};
pub use resetting::MAX_RESETS;
pub use retention::{KEEP_FIELDS, KeepInput, written};
pub use sets::{MAX_SET_CHARTS, SetInput};
pub use ticks::Word;

/// Why a change or a question was refused.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// A field is wrong.
    #[error("{message}")]
    Invalid {
        /// The field, as the API names it.
        field: &'static str,
        /// What is wrong with it and what is allowed.
        message: String,
    },
    /// There is no such thing.
    #[error("{0}")]
    NotFound(String),
    /// The name is taken.
    #[error("{0}")]
    Taken(String),
    /// It is provided by the configuration file, or built in.
    #[error("{0}")]
    ReadOnly(String),
    /// There are too many already.
    #[error("{0}")]
    Full(String),
    /// The box is not asked.
    #[error("{0}")]
    Paused(String),
    /// The box did not answer.
    #[error("{0}")]
    NoAnswer(String),
    /// The store failed.
    #[error(transparent)]
    Store(StoreError),
}

impl From<StoreError> for DeskError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Taken(what) => Self::Taken(format!("a box named {what} exists already: choose another name")),
            StoreError::Missing(what) => Self::NotFound(format!("{what} does not exist")),
            other => Self::Store(other),
        }
    }
}

impl From<RuleError> for DeskError {
    fn from(error: RuleError) -> Self {
        Self::invalid("match", error.to_string())
    }
}

impl DeskError {
    /// A wrong field.
    pub fn invalid(field: &'static str, message: impl Into<String>) -> Self {
        Self::Invalid { field, message: message.into() }
    }
}

/// What the configuration file declares is changed there alone.
fn check_not_of_file(name: &str, origin: Origin) -> Result<(), DeskError> {
    match origin {
        Origin::Config => Err(DeskError::ReadOnly(format!("{name} comes from the configuration file: change it there"))),
        Origin::Panel | Origin::Builtin => Ok(()),
    }
}

/// A box of a board by name or number.
fn entry(board: &Board, name: &str) -> Result<Arc<Entry>, DeskError> {
    board.find(name).ok_or_else(|| DeskError::NotFound(format!("there is no box {name:?}: GET boxes lists them")))
}

/// The desk.
pub struct Desk {
    /// What is known of the boxes.
    pub board: Arc<Board>,
    sampler: Arc<Sampler>,
    store: Store,
    vault: Vault,
    file_ticks: FileTicks,
    reading: tokio::sync::Semaphore,
}

impl Desk {
    /// A desk over a running sampler; what the configuration file ticks stays ticked.
    #[must_use]
    pub fn new(sampler: Arc<Sampler>, file_ticks: FileTicks) -> Self {
        let shared = Arc::clone(sampler.shared());
        Self {
            board: Arc::clone(&shared.board),
            store: shared.store.clone(),
            vault: shared.vault.clone(),
            sampler,
            file_ticks,
            reading: tokio::sync::Semaphore::new(reading::READERS),
        }
    }

    /// A box by name or number.
    ///
    /// # Errors
    /// When there is none.
    pub fn entry(&self, name: &str) -> Result<Arc<Entry>, DeskError> {
        entry(&self.board, name)
    }

    /// Asks a box once, now.
    ///
    /// # Errors
    /// When there is no such box, it is paused, or it gives no answer.
    pub async fn refresh(&self, name: &str) -> Result<(), DeskError> {
        let (id, _) = self.asked(name)?;
        self.sampler.refresh(id).await.map_err(DeskError::NoAnswer)
    }

    /// Looks closely at groups of a box, as long as what is answered is held; none: too many others look at something else.
    #[must_use]
    pub fn look_closely(&self, entry: &Arc<Entry>, groups: Vec<String>, every: Duration) -> Option<Arc<CloseUp>> {
        self.sampler.look_closely(entry, groups, every)
    }

    /// The number and the name of a box that is asked.
    fn asked(&self, name: &str) -> Result<(i64, String), DeskError> {
        let entry = self.entry(name)?;
        let now = entry.lock();
        if now.stored.spec.paused {
            return Err(DeskError::Paused(format!("{} is paused: resume it to ask it", now.stored.spec.name)));
        }
        Ok((now.stored.id, now.stored.spec.name.clone()))
    }
}
