//! Brings derived statistics in line with the file: what it declares is added or taken over, and what leaves it goes.

use app::model::Origin;

use crate::{
    board::full_name,
    config::ProvidedDerived,
    store::{Store, StoreError, StoredDerived},
};

/// Adds and changes what the file declares, and removes what it declared before.
pub(super) async fn provide_derived(store: &Store, provided: &[ProvidedDerived], now_ms: i64) -> Result<(), StoreError> {
    let existing = store.derived().await?;
    for gone in existing.iter().filter(|one| one.origin == Origin::Config && provided.iter().all(|wanted| wanted.name != one.name)) {
        store.remove_derived(&gone.name, &full_name(&gone.name)).await?;
    }
    for ProvidedDerived { name, formula, unit, meaning } in provided.iter().cloned() {
        let wanted = StoredDerived { name, formula, unit, meaning, origin: Origin::Config };
        match existing.iter().find(|one| one.name == wanted.name) {
            None => store.add_derived(&wanted, now_ms).await?,
            Some(before) if *before != wanted => store.change_derived(&wanted).await?,
            Some(_) => {}
        }
    }
    Ok(())
}
