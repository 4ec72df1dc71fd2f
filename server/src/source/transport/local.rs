//! Files that are made for one question and are gone after it, however it ends, and what goes wrong with files.

use std::{
    io,
    path::{Path, PathBuf},
};

use crate::source::SourceError;

/// A file of our own, which is removed when this is dropped.
pub(super) struct Own {
    path: PathBuf,
    name: String,
}

impl Own {
    /// A name in `folder` that nobody else has or guesses: letters, digits and `_` only, as OpenSIPS wants it. Nothing is made yet.
    pub(super) fn new(folder: &Path) -> Result<Self, SourceError> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).map_err(|error| SourceError::Protocol(format!("the system gives no random numbers ({error})")))?;
        let name = format!("tickmark_{:032x}", u128::from_ne_bytes(bytes));
        Ok(Self { path: folder.join(&name), name })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        // It may never have been made.
        drop(std::fs::remove_file(&self.path));
    }
}

/// What it means that nothing can be made in the folder for answers.
pub(super) fn no_room(folder: &Path, error: &io::Error) -> SourceError {
    SourceError::Unreachable(format!(
        "nothing can be made in {} to take answers ({}); let the panel write there, or name another folder with reply_dir in the address",
        folder.display(),
        words(error)
    ))
}

/// What the system says, without its number.
pub(super) fn words(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error ").next().unwrap_or_default().to_owned()
}
