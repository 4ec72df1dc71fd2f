//! What scripts tell people: into the panel's log, to open pages and tools over the stream of events, and to whoever else listens, which
//! is where destinations of alerts take it up. It must not know scripts.

use serde::Serialize;
use tokio::sync::broadcast;

/// A listener that is slower misses the oldest of so many.
const KEPT: usize = 256;

/// What a script tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Notice {
    /// The name of the script.
    pub script: String,
    /// `info`, `warning` or `critical`.
    pub severity: String,
    /// The words.
    pub text: String,
    /// When, epoch milliseconds.
    pub at: i64,
}

/// Where notices are told. All clones are the same place.
#[derive(Clone)]
pub struct Notices(broadcast::Sender<Notice>);

impl Default for Notices {
    fn default() -> Self {
        Self(broadcast::Sender::new(KEPT))
    }
}

impl Notices {
    /// Tells one.
    pub fn tell(&self, notice: Notice) {
        let (script, text) = (notice.script.as_str(), notice.text.as_str());
        match notice.severity.as_str() {
            "critical" => tracing::error!(script, "{text}"),
            "warning" => tracing::warn!(script, "{text}"),
            _ => tracing::info!(script, "{text}"),
        }
        // Nobody may listen.
        let _ = self.0.send(notice);
    }

    /// Hears those that are told from now on.
    #[must_use]
    pub fn listen(&self) -> broadcast::Receiver<Notice> {
        self.0.subscribe()
    }
}
