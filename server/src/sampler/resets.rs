//! Setting statistics of a box to zero from its task, so that no poll of its own comes between. Knows no wire.

use std::sync::Arc;

use super::{ResetDone, queue::Queue, task::Task};
use crate::{board::ResetHere, source::Resetting};

impl Task {
    /// Sets to zero what may be, and reads it again: the polls before and after are recorded like any other.
    pub(super) async fn reset(&mut self, names: &[String], by: &Arc<str>, queue: &mut Queue) -> Result<ResetDone, String> {
        let before = self.poll(None, queue).await?;
        let mut resetting = {
            let now = self.entry.lock();
            Resetting::new(&before, names, |full| now.kind_of(full))
        };
        while resetting.goes_on() {
            match &mut self.source {
                Some(source) => source.reset(&mut resetting).await,
                None => resetting.tell(|full| self.shared.engine.reset_named(full, Some(by))),
            }
            if self.poll(Some((&mut resetting, by)), queue).await.is_err() {
                break;
            }
        }
        let (reset, refused) = resetting.end();
        Ok(ResetDone { reset, refused })
    }

    /// Remembers what was reset for the next answer: it goes on from there, and says by whom.
    pub(super) fn remember<'a>(&self, names: impl Iterator<Item = &'a Arc<str>>, by: &Arc<str>, certain: bool) {
        let resets = names.map(|full| (full.to_string(), ResetHere { by: Some(Arc::clone(by)), certain }));
        self.entry.lock().resets.extend(resets);
    }
}
