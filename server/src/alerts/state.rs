//! What became of a rule on a box: fine, pending, firing, and fine again. Pure; time is passed in.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a condition says of one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is as it must not be.
    Broken,
    /// It is well.
    Fine,
    /// Nobody can say: what fires goes on, and nothing begins.
    Unknown,
}

/// How it stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Well.
    #[default]
    Fine,
    /// Broken, but not for long enough yet.
    Pending,
    /// Broken for long enough.
    Firing,
}

/// How it stands since when, epoch milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Turn {
    /// How.
    pub phase: Phase,
    /// Since when it is broken.
    pub since_ms: i64,
}

impl Turn {
    /// What comes of another verdict; the same where nothing changes.
    #[must_use]
    pub fn next(self, verdict: Verdict, at_ms: i64, hold_ms: i64) -> Self {
        let broken = |since_ms: i64| {
            let phase = if at_ms.saturating_sub(since_ms) >= hold_ms { Phase::Firing } else { Phase::Pending };
            Self { phase, since_ms }
        };
        match (self.phase, verdict) {
            (Phase::Firing, Verdict::Broken | Verdict::Unknown) => self,
            (Phase::Fine, Verdict::Broken) => broken(at_ms),
            // A clock that was set back: it is broken from now on.
            (Phase::Pending, Verdict::Broken) => broken(self.since_ms.min(at_ms)),
            (_, Verdict::Fine) | (Phase::Fine | Phase::Pending, Verdict::Unknown) => Self::default(),
        }
    }
}
