//! What the processes of a box are: asked once for each time that it begins, and only of a box that has statistics of single processes.

use std::sync::Arc;

use app::{model::Processes, processes::family_of};

use super::task::Task;
use crate::board::Applied;

impl Task {
    /// Asks for them where that is due. Why it fails is shown where they are missed.
    pub(super) async fn follow_processes(&mut self, applied: &Applied, first: bool) {
        if applied.is_new_run() {
            self.processes_asked = false;
            self.entry.lock().processes = Arc::default();
        }
        let may_be_due = !self.processes_asked && (first || applied.new_names || applied.is_new_run());
        if !may_be_due || !self.layout.names.iter().any(|full| family_of(full).is_some()) {
            return;
        }
        let Some(source) = &mut self.source else { return };
        self.processes_asked = true;
        let told = match source.processes().await {
            Ok(types) => Processes { types, unknown: None },
            Err(error) => {
                tracing::debug!(name = self.stored.spec.name, %error, "the box does not say what its processes are");
                Processes { types: Vec::new(), unknown: Some(error.to_string()) }
            }
        };
        self.entry.lock().processes = Arc::new(told);
    }
}
