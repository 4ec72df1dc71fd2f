//! Destinations of alerts: defined, changed, removed, tried; and what became of messages.

use app::{model::Origin, shown::short};

use super::{Desk, DeskError, check_not_of_file};
use crate::{
    alerts::{Destination, send_test},
    clock,
    source::Secret,
    store::{Delivery, StoreError, StoredDestination},
};

/// So many destinations there are at most.
const MAX_DESTINATIONS: usize = 200;

/// A destination as it is shown.
#[derive(Clone, Debug)]
pub struct DestinationView {
    /// Its name.
    pub name: String,
    /// What it is.
    pub destination: Destination,
    /// Whether it has a secret.
    pub has_secret: bool,
    /// Who made it.
    pub origin: Origin,
    /// The newest message to it.
    pub newest: Option<Delivery>,
    /// The message that was tried in vain and is tried again, before all that waits.
    pub failing: Option<Delivery>,
    /// How many wait.
    pub waiting: i64,
}

/// What is said of a name that no destination has.
pub(super) fn no_such_destination(name: &str) -> String {
    format!("there is no destination {:?}: GET destinations lists them", short(name))
}

impl Desk {
    /// All destinations with their newest messages.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn destinations(&self) -> Result<Vec<DestinationView>, DeskError> {
        let mut views = Vec::new();
        for stored in self.store.destinations().await? {
            let Ok(destination) = serde_json::from_str(&stored.body) else { continue };
            let newest = self.store.deliveries(Some(&stored.name), 1).await?.into_iter().next();
            let (first, waiting) = self.store.waiting(&stored.name).await?;
            let failing = first.filter(|first| first.reason.is_some());
            let (name, origin) = (stored.name, stored.origin);
            let has_secret = stored.secret_sealed.is_some();
            views.push(DestinationView { name, destination, has_secret, origin, newest, failing, waiting });
        }
        Ok(views)
    }

    /// One destination.
    ///
    /// # Errors
    /// When there is none of the name.
    pub async fn destination(&self, name: &str) -> Result<DestinationView, DeskError> {
        let found = self.destinations().await?.into_iter().find(|view| view.name == name);
        found.ok_or_else(|| DeskError::NotFound(no_such_destination(name)))
    }

    /// Adds a destination; its secret is sealed.
    ///
    /// # Errors
    /// When a field is wrong or the name is taken.
    pub async fn add_destination(&self, name: &str, destination: &Destination, secret: Option<&Secret>) -> Result<(), DeskError> {
        let stored = self.checked_destination(name, destination, secret, None)?;
        if self.store.destinations().await?.len() >= MAX_DESTINATIONS {
            return Err(DeskError::Full(format!("there are {MAX_DESTINATIONS} destinations already: remove some")));
        }
        match self.store.add_destination(&stored, clock::now_ms()).await {
            Err(StoreError::Taken(what)) => Err(DeskError::Taken(format!("{what} exists already: choose another name"))),
            other => Ok(other?),
        }
    }

    /// Replaces what a destination is; without a secret its own stays, and an empty one takes it away.
    ///
    /// # Errors
    /// When a field is wrong, it is not there, or the configuration file has it.
    pub async fn change_destination(&self, name: &str, destination: &Destination, secret: Option<&Secret>) -> Result<(), DeskError> {
        let all = self.store.destinations().await?;
        let before = all.into_iter().find(|stored| stored.name == name);
        let before = before.ok_or_else(|| DeskError::NotFound(no_such_destination(name)))?;
        check_not_of_file(name, before.origin)?;
        // A secret was given for where it went: it does not go elsewhere unless it is told anew.
        let was: Option<Destination> = serde_json::from_str(&before.body).ok();
        let moved = was.is_none_or(|was| (was.kind, &was.url, &was.server) != (destination.kind, &destination.url, &destination.server));
        if moved && secret.is_none() && before.secret_sealed.is_some() {
            return Err(DeskError::invalid("secret", "is to be entered again: it goes elsewhere than before"));
        }
        let stored = self.checked_destination(name, destination, secret, before.secret_sealed)?;
        Ok(self.store.change_destination(&stored).await?)
    }

    /// Removes a destination.
    ///
    /// # Errors
    /// When it is not there, or the configuration file has it.
    pub async fn remove_destination(&self, name: &str) -> Result<(), DeskError> {
        check_not_of_file(name, self.destination(name).await?.origin)?;
        Ok(self.store.remove_destination(name, clock::now_ms()).await?)
    }

    fn checked_destination(
        &self,
        name: &str,
        destination: &Destination,
        secret: Option<&Secret>,
        before: Option<Vec<u8>>,
    ) -> Result<StoredDestination, DeskError> {
        let sealed = match secret {
            None => before,
            Some(secret) if secret.0.is_empty() => None,
            Some(secret) => Some(self.vault.seal_destination(secret).map_err(|error| DeskError::invalid("secret", error.to_string()))?),
        };
        destination.check(name, sealed.is_some()).map_err(|(field, message)| DeskError::invalid(field, message))?;
        let body = serde_json::to_string(destination).map_err(|error| DeskError::invalid("kind", error.to_string()))?;
        Ok(StoredDestination { name: name.to_owned(), body, secret_sealed: sealed, origin: Origin::Panel })
    }

    /// Sends a test to a destination; answers why it did not arrive.
    ///
    /// # Errors
    /// When it is not there.
    pub async fn test_destination(&self, name: &str) -> Result<Result<(), String>, DeskError> {
        let all = self.store.destinations().await?;
        let stored = all.into_iter().find(|stored| stored.name == name);
        let stored = stored.ok_or_else(|| DeskError::NotFound(no_such_destination(name)))?;
        let panel = &self.sampler.shared().url;
        Ok(send_test(&stored, &self.vault, panel).await.map_err(|refused| refused.reason))
    }

    /// What became of messages, the newest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn deliveries(&self, destination: Option<&str>, most: i64) -> Result<Vec<Delivery>, DeskError> {
        Ok(self.store.deliveries(destination, most).await?)
    }
}
