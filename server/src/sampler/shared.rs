//! What the tasks of all boxes share.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::{Room, recorder::Recorder};
use crate::{
    alerts::Watching,
    board::{Board, Entry},
    clock,
    engine::Engine,
    source::{Secret, Source, Target, parse_address},
    store::{PanelName, Store, StoredBox},
    vault::Vault,
};

/// A poll may take as long as the interval, within these bounds.
const MIN_TIME_LIMIT: Duration = Duration::from_secs(2);
const MAX_TIME_LIMIT: Duration = Duration::from_secs(10);

/// Everything tasks share.
pub struct Shared {
    /// Where answers go.
    pub board: Arc<Board>,
    /// Where samples go.
    pub recorder: Recorder,
    /// Where boxes and ticks are kept.
    pub store: Store,
    /// What opens the passwords of boxes.
    pub vault: Vault,
    /// The built-in box's statistics, and what is counted.
    pub engine: Arc<Engine>,
    /// Where what waits for the store may be.
    pub room: Room,
    /// How other panels of the same database know this one.
    pub name: PanelName,
    /// Where people find it, which is what messages link to.
    pub url: String,
    /// The rules that are put to answers.
    pub watching: Arc<Watching>,
}

impl Shared {
    /// Shows what was recorded last of a box that is not asked.
    pub(super) async fn show_last(&self, entry: &Entry, box_id: i64) {
        match self.store.last_known(box_id).await {
            Ok(Some(last)) => {
                entry.lock().seed(&last, Instant::now(), clock::now_ms());
                self.board.tell();
            }
            Ok(None) => {}
            Err(error) => tracing::error!(box_id, %error, "what was recorded last could not be read"),
        }
    }

    /// The way to a box that is asked so often.
    ///
    /// # Errors
    /// A sentence: why there is none.
    pub(super) fn source(&self, stored: &StoredBox, interval: Duration) -> Result<Source, String> {
        let spec = &stored.spec;
        let time_limit = interval.clamp(MIN_TIME_LIMIT, MAX_TIME_LIMIT);
        let address = parse_address(&spec.address)?;
        let password = self.password(stored)?;
        let target = Target { kind: spec.kind, address, user: spec.user.clone(), password, time_limit };
        Source::new(target).map_err(|error| error.to_string())
    }

    /// The password of a box, opened with the key file.
    ///
    /// # Errors
    /// A sentence: the key file is another one.
    pub fn password(&self, stored: &StoredBox) -> Result<Option<Secret>, String> {
        let sealed = stored.spec.password_sealed.as_deref();
        sealed.map(|sealed| self.vault.unseal(sealed).map_err(|error| error.to_string())).transpose()
    }
}
