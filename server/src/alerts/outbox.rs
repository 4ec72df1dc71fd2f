//! Messages on their way: claimed, sent, and tried again ever less often. Each destination gets its messages in their order, one at a time,
//! and one that is slow or dead holds up no other.

use std::{sync::Arc, time::Duration};

use reqwest::{Client, redirect::Policy};
use tokio::sync::Notify;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    Destination, Message, Pictures,
    destination::{Parcel, Refused},
};
use crate::{
    clock,
    source::Secret,
    store::{Delivery, Store, StoreError, StoredDestination},
    vault::Vault,
};

/// It is looked so often for what is due, when nobody says that something is.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Whoever claimed a message and does not say what became of it, is given up after this.
const CLAIM_MS: i64 = 60_000;
/// So many are told together at most.
const MOST_TOGETHER: i64 = 50;
/// A message is tried again after so long at first, then twice as long each time, up to the other.
const FIRST_WAIT_MS: i64 = 2_000;
const LONGEST_WAIT_MS: i64 = 30 * 60_000;

/// Draws the chart of a statistic of a box up to an instant, as PNG.
pub type Draw = Arc<dyn Fn(String, String, i64) -> futures::future::BoxFuture<'static, Option<Vec<u8>>> + Send + Sync>;

/// Sends messages.
pub struct Outbox {
    store: Store,
    vault: Vault,
    client: Client,
    wake: Arc<Notify>,
    draw: Draw,
    pictures: Pictures,
}

impl Outbox {
    /// One that is woken by `wake`.
    ///
    /// # Errors
    /// When the system has no certificates to tell others by.
    pub fn new(store: Store, vault: Vault, wake: Arc<Notify>, (draw, pictures): (Draw, Pictures)) -> Result<Self, String> {
        Ok(Self { store, vault, client: client()?, wake, draw, pictures })
    }

    /// Sends what is due until it is stopped; what is under way then is given its time.
    pub async fn run(self, stop: CancellationToken) {
        let outbox = Arc::new(self);
        let tasks = TaskTracker::new();
        while !stop.is_cancelled() {
            if let Err(error) = Self::send_due(&outbox, &tasks).await {
                tracing::debug!(%error, "messages that are due could not be looked for");
            }
            tokio::select! {
                () = stop.cancelled() => break,
                () = outbox.wake.notified() => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
        tasks.close();
        tasks.wait().await;
    }

    async fn send_due(outbox: &Arc<Self>, tasks: &TaskTracker) -> Result<(), StoreError> {
        let now_ms = clock::now_ms();
        let claimed = outbox.store.claim_deliveries(now_ms, now_ms.saturating_add(CLAIM_MS)).await?;
        if claimed.is_empty() {
            return Ok(());
        }
        let destinations = outbox.store.destinations().await?;
        for delivery in claimed {
            let destination = destinations.iter().find(|stored| stored.name == delivery.destination).cloned();
            let outbox = Arc::clone(outbox);
            tasks.spawn(async move { outbox.send(delivery, destination).await });
        }
        Ok(())
    }

    /// A message, and what is told with it.
    async fn together(&self, first: Delivery, destination: Option<&StoredDestination>) -> Vec<Delivery> {
        let waits = destination.and_then(Destination::told_within).is_some_and(|ms| ms > 0);
        let behind = if waits { self.store.claim_behind(&first, clock::now_ms(), MOST_TOGETHER - 1).await } else { Ok(Vec::new()) };
        let behind = behind.unwrap_or_else(|error| {
            tracing::debug!(%error, "what could be told together is told one by one");
            Vec::new()
        });
        std::iter::once(first).chain(behind).collect()
    }

    async fn send(&self, first: Delivery, destination: Option<StoredDestination>) {
        let (name, tries) = (first.destination.clone(), first.tries);
        let parts = self.together(first, destination.as_ref()).await;
        let sent = match destination {
            Some(stored) => self.try_send(&parts, &stored).await,
            None => Err(Refused { reason: "the destination was removed".to_owned(), for_good: true }),
        };
        if let Err(refused) = &sent {
            tracing::warn!(destination = name, reason = refused.reason, tries = tries + 1, "a message did not arrive");
        }
        let now_ms = clock::now_ms();
        for part in &parts {
            let noted = match &sent {
                Ok(()) => self.store.delivered(part, now_ms).await,
                Err(refused) => {
                    let again_ms = (!refused.for_good).then(|| wait_ms(tries));
                    self.store.not_delivered(part, &refused.reason, again_ms, now_ms).await
                }
            };
            if let Err(error) = noted {
                tracing::warn!(%error, "what became of a message could not be kept: it may be sent once more");
            }
        }
        // The next one of the destination.
        self.wake.notify_one();
    }

    /// What parts say together. With the addresses of pictures, which are the same at every try.
    fn whole(&self, parts: &[Delivery], with_addresses: bool) -> Result<Message, serde_json::Error> {
        let mut whole = Message { panel: String::new(), alerts: Vec::new() };
        for part in parts {
            let mut message: Message = serde_json::from_str(&part.body)?;
            if with_addresses {
                message.alerts.iter_mut().for_each(|told| told.picture = self.pictures.address(told, part.made_ms));
            }
            if whole.panel.is_empty() {
                whole.panel = message.panel;
            }
            whole.alerts.extend(message.alerts);
        }
        Ok(whole)
    }

    async fn try_send(&self, parts: &[Delivery], stored: &StoredDestination) -> Result<(), Refused> {
        let for_good = |reason: String| Refused { reason, for_good: true };
        let (Some(first), Some(last)) = (parts.first(), parts.last()) else { return Ok(()) };
        let (destination, secret) = opened(stored, &self.vault).map_err(for_good)?;
        if destination.paused {
            return Err(for_good("the destination is paused".to_owned()));
        }
        let message = self.whole(parts, !destination.carries_pictures()).map_err(|error| for_good(error.to_string()))?;
        let shown = message.alerts.iter().find_map(|told| Some((told.box_name.clone(), told.chart.clone()?)));
        let chart = match shown.filter(|_| destination.carries_pictures()) {
            Some((box_name, name)) => (self.draw)(box_name, name, clock::now_ms()).await,
            None => None,
        };
        let mut key = format!("tickmark-{}-{}", first.made_ms, first.delivery_id);
        if parts.len() > 1 {
            // With more behind it, it is another message.
            key = format!("{key}-{}", last.delivery_id);
        }
        let parcel = Parcel { message: &message, key: &key, now_ms: clock::now_ms(), chart: chart.as_deref() };
        destination.send(&self.client, secret.as_ref(), &parcel).await
    }
}

/// Sends a test at once.
///
/// # Errors
/// Why it did not arrive.
pub async fn send_test(stored: &StoredDestination, vault: &Vault, panel: &str) -> Result<(), Refused> {
    let for_good = |reason: String| Refused { reason, for_good: true };
    let (destination, secret) = opened(stored, vault).map_err(for_good)?;
    let now_ms = clock::now_ms();
    let message = Message::test(panel, now_ms);
    let key = format!("tickmark-test-{now_ms}");
    let parcel = Parcel { message: &message, key: &key, now_ms, chart: None };
    destination.send(&client().map_err(for_good)?, secret.as_ref(), &parcel).await
}

fn opened(stored: &StoredDestination, vault: &Vault) -> Result<(Destination, Option<Secret>), String> {
    let destination = serde_json::from_str(&stored.body).map_err(|error| format!("the destination cannot be read: {error}"))?;
    let secret = stored.secret_sealed.as_deref().map(|sealed| vault.unseal_destination(sealed)).transpose();
    Ok((destination, secret.map_err(|error| error.to_string())?))
}

fn client() -> Result<Client, String> {
    // One that is there already serves as well.
    drop(rustls::crypto::ring::default_provider().install_default());
    // A redirect would take what is told to where nobody wanted it.
    let builder = || Client::builder().redirect(Policy::none()).referer(false).user_agent(concat!("tickmark/", env!("CARGO_PKG_VERSION")));
    // A machine without root certificates can tell whom it reaches by plain HTTP still.
    builder().build().or_else(|_| builder().tls_certs_only([]).build()).map_err(|error| error.to_string())
}

fn wait_ms(tries: i64) -> i64 {
    let doubled = u32::try_from(tries).unwrap_or(u32::MAX).min(20);
    FIRST_WAIT_MS.saturating_mul(1 << doubled).min(LONGEST_WAIT_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_waits_twice_as_long_each_time_and_no_longer_than_half_an_hour() {
        assert_eq!([0, 1, 2, 5].map(wait_ms), [2_000, 4_000, 8_000, 64_000]);
        assert_eq!([20, 1_000_000].map(wait_ms), [LONGEST_WAIT_MS; 2]);
    }
}
