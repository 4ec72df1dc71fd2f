//! Brings alerts and destinations in line with the file: what it declares is added or taken over, and what leaves it goes.

use std::collections::BTreeSet;

use app::model::Origin;

use super::ProvisionError;
use crate::{
    config::{ProvidedAlert, ProvidedDestination},
    store::{Store, StoredDestination, StoredRule},
    vault::Vault,
};

/// Adds and changes what the file declares, and removes what it declared before.
pub(super) async fn provide_destinations(
    store: &Store,
    vault: &Vault,
    provided: &[ProvidedDestination],
    now_ms: i64,
) -> Result<(), ProvisionError> {
    let existing = store.destinations().await?;
    for gone in existing.iter().filter(|one| one.origin == Origin::Config && provided.iter().all(|wanted| wanted.name != one.name)) {
        store.remove_destination(&gone.name, now_ms).await?;
    }
    for wanted in provided {
        let before = existing.iter().find(|one| one.name == wanted.name);
        let sealed = before.and_then(|before| before.secret_sealed.as_ref());
        let secret_sealed = match (&wanted.secret, sealed) {
            (None, _) => None,
            // Sealed anew it would be other bytes, and look like a change at each start.
            (Some(secret), Some(sealed)) if vault.unseal_destination(sealed).is_ok_and(|known| known == *secret) => Some(sealed.clone()),
            (Some(secret), _) => Some(vault.seal_destination(secret)?),
        };
        let body = serde_json::to_string(&wanted.destination).unwrap_or_default();
        let wanted = StoredDestination { name: wanted.name.clone(), body, secret_sealed, origin: Origin::Config };
        match before {
            None => store.add_destination(&wanted, now_ms).await?,
            Some(before) if *before != wanted => store.change_destination(&wanted).await?,
            Some(_) => {}
        }
    }
    Ok(())
}

/// The same of alerts. Answers what is to be said of them.
pub(super) async fn provide_alerts(store: &Store, provided: &[ProvidedAlert], now_ms: i64) -> Result<Vec<String>, ProvisionError> {
    let existing = store.alert_rules().await?;
    for gone in existing.iter().filter(|one| one.origin == Origin::Config && provided.iter().all(|wanted| wanted.name != one.name)) {
        store.remove_alert_rule(&gone.name, now_ms).await?;
    }
    let destinations: BTreeSet<String> = store.destinations().await?.into_iter().map(|one| one.name).collect();
    let mut notices = Vec::new();
    for ProvidedAlert { name, rule } in provided {
        let missing = rule.destinations.iter().filter(|destination| !destinations.contains(*destination));
        notices.extend(missing.map(|missing| {
            format!("the alert {name} of the configuration file tells the destination {missing}, which there is not: add it, or another")
        }));
        let body = serde_json::to_string(rule).unwrap_or_default();
        let wanted = StoredRule { name: name.clone(), body, origin: Origin::Config };
        match existing.iter().find(|one| one.name == *name) {
            None => store.add_alert_rule(&wanted, now_ms).await?,
            Some(before) if *before != wanted => store.change_alert_rule(&wanted).await?,
            Some(_) => {}
        }
    }
    Ok(notices)
}
