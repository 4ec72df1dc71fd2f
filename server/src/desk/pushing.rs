//! Pushing: scripts and people set and count statistics of their own, on the built-in box.

use std::sync::Arc;

use app::model::Kind;

use super::{Desk, DeskError};
use crate::{
    config::BUILTIN_BOX,
    engine::{Engine, Push, PushError},
};

impl From<PushError> for DeskError {
    fn from(error: PushError) -> Self {
        let text = error.to_string();
        match error {
            PushError::Name(_) => Self::invalid("name", text),
            PushError::Range => Self::invalid("by", text),
            PushError::Own(_) => Self::ReadOnly(text),
            PushError::Elsewhere(_) => Self::NoAnswer(text),
            PushError::Missing(_) => Self::NotFound(text),
            PushError::TooMany => Self::Full(text),
        }
    }
}

impl Desk {
    /// Pushes to a statistic of the built-in box; answers its value then; `by` is who does it. See [`Engine::push`].
    ///
    /// # Errors
    /// When it is another box, the name cannot be one or is the panel's own, there are too many, or the value has no room.
    pub fn push(&self, box_name: &str, name: &str, push: Push, kind: Option<Kind>, by: &str) -> Result<i64, DeskError> {
        Ok(self.engine_of(box_name)?.push(name, push, kind, Some(by))?)
    }

    /// Removes what was pushed. What was recorded of it stays.
    ///
    /// # Errors
    /// When it is another box, or nothing of that name was pushed.
    pub fn remove_pushed(&self, box_name: &str, name: &str) -> Result<(), DeskError> {
        Ok(self.engine_of(box_name)?.remove(name)?)
    }

    fn engine_of(&self, box_name: &str) -> Result<Arc<Engine>, DeskError> {
        if !self.entry(box_name)?.lock().is_builtin() {
            let text = format!("{box_name} is a server that tells its own statistics: values are pushed to the box {BUILTIN_BOX}");
            return Err(DeskError::ReadOnly(text));
        }
        Ok(Arc::clone(&self.sampler.shared().engine))
    }
}
