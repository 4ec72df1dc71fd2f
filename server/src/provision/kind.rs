//! Finds out what the boxes are of which the configuration file names no kind: as it was found before, else by asking, else by a guess,
//! and then the box is asked again until it answers. It must not know what else the file declares of them.

use std::time::Duration;

use app::model::{BoxKind, Origin};
use futures::future::join_all;

use crate::{
    config::ProvidedBox,
    source,
    store::{BoxSpec, Store, StoreError, StoredBox},
};

/// A box that is a guess is asked again after this time, then after twice as long …
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// … and so on, but never later than this.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// The dialect and the address at which it is spoken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) kind: BoxKind,
    pub(super) address: String,
    /// The file's address at which it was found by asking; none: the file said it, or it is a guess.
    pub(super) found_for: Option<String>,
    /// Why it is a guess.
    pub(super) notice: Option<String>,
}

/// A box of the file that is taken for what it may not be.
#[derive(Clone, Debug)]
pub struct Guess {
    id: i64,
    wanted: ProvidedBox,
}

/// Finds out the kind of a box; `found_for` is what the store remembers of it.
pub(super) async fn find_out(wanted: &ProvidedBox, stored: Option<&StoredBox>, found_for: Option<&str>) -> Found {
    let address = wanted.address.to_string();
    if let Some(kind) = wanted.kind {
        return Found { kind, address, found_for: None, notice: None };
    }
    let before = stored.filter(|stored| stored.spec.origin == Origin::Config && found_for == Some(&address));
    if let Some(StoredBox { spec, .. }) = before {
        return Found { kind: spec.kind, address: spec.address.clone(), found_for: Some(address), notice: None };
    }
    if let Some(kind) = wanted.address.kind() {
        return Found { kind, address, found_for: None, notice: None };
    }
    if wanted.paused {
        // A box that is to be left alone is not asked for this either.
        return Found { kind: BoxKind::Opensips, address, found_for: None, notice: None };
    }
    let report = source::probe(&address, wanted.user.as_deref(), wanted.password.as_ref()).await;
    if let Some(kind) = report.kind {
        return Found { kind, address: report.address, found_for: Some(address), notice: None };
    }
    let notice = format!(
        "The box {} of the configuration file is taken for OpenSIPS until it answers, as it could not be found out what it is: {}. Add \
         kind = \"opensips\", \"opensips2\" or \"kamailio\" to it.",
        wanted.name, report.message
    );
    Found { kind: BoxKind::Opensips, address, found_for: None, notice: Some(notice) }
}

/// Has the store remember what was found out and for which address, and says which boxes are guesses that may be asked.
pub(super) async fn remember(store: &Store, boxes: &[ProvidedBox], found: &[Found]) -> Result<Vec<Guess>, StoreError> {
    let stored = store.boxes().await?;
    let remembered = store.found_for().await?;
    let mut guesses = Vec::new();
    for (wanted, found) in boxes.iter().zip(found) {
        let Some(id) = stored.iter().find(|stored| stored.spec.name == wanted.name).map(|stored| stored.id) else { continue };
        if remembered.get(&id) != found.found_for.as_ref() {
            store.set_found_for(id, found.found_for.as_deref()).await?;
        }
        if found.notice.is_some() {
            guesses.push(Guess { id, wanted: wanted.clone() });
        }
    }
    Ok(guesses)
}

/// Asks each box that is a guess again and again until it answers, and changes it in the store then, where the sampler notices.
pub async fn find_out_later(store: Store, guesses: Vec<Guess>) {
    join_all(guesses.iter().map(|guess| guess.until_found(&store))).await;
}

impl Guess {
    async fn until_found(&self, store: &Store) {
        let mut wait = FIRST_WAIT;
        loop {
            tokio::time::sleep(wait).await;
            match self.ask_again(store).await {
                Ok(true) => return,
                Ok(false) => {}
                Err(error) => tracing::error!(name = self.wanted.name, %error, "what the box is could not be stored; it is tried again"),
            }
            wait = (wait * 2).min(LONGEST_WAIT);
        }
    }

    /// Says whether there is nothing left to ask.
    async fn ask_again(&self, store: &Store) -> Result<bool, StoreError> {
        let Self { id, wanted } = self;
        let report = source::probe(&wanted.address.to_string(), wanted.user.as_deref(), wanted.password.as_ref()).await;
        let Some(kind) = report.kind else { return Ok(false) };
        let Some(stored) = store.boxes().await?.into_iter().find(|stored| stored.id == *id) else { return Ok(true) };
        let spec = BoxSpec { kind, address: report.address, ..stored.spec.clone() };
        if spec != stored.spec {
            store.change_box(*id, &spec).await?;
        }
        store.set_found_for(*id, Some(&wanted.address.to_string())).await?;
        tracing::info!(name = wanted.name, kind = kind.as_str(), address = spec.address, "it was found out what the box is");
        Ok(true)
    }
}
