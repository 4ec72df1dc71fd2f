//! Resets: somebody has counters of a box set to zero.

use super::{Desk, DeskError};
use crate::sampler::ResetDone;

/// So many statistics are reset at once at most: a server is told a few dozen in one request, and answers nobody else meanwhile.
pub const MAX_RESETS: usize = 1_000;

impl Desk {
    /// Sets counters of a box to zero and reads them again; `by` is who wants it. What cannot be reset is told with the reason.
    ///
    /// # Errors
    /// When there is no such box, it is paused, nothing or too much is named, or it gives no answer.
    pub async fn reset(&self, box_name: &str, statistics: Vec<String>, by: &str) -> Result<ResetDone, DeskError> {
        if statistics.is_empty() {
            return Err(DeskError::invalid("statistics", "name at least one, as group:name"));
        }
        if statistics.len() > MAX_RESETS {
            return Err(DeskError::invalid("statistics", format!("at most {MAX_RESETS} at once: name fewer, or reset group by group")));
        }
        let (id, name) = self.asked(box_name)?;
        let done = self.sampler.reset(id, statistics, by.into()).await.map_err(DeskError::NoAnswer)?;
        let (reset, refused) = (done.reset.len(), done.refused.len());
        tracing::info!(name, by, reset, refused, "statistics were reset");
        Ok(done)
    }
}
