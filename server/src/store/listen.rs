//! Hears at once what other panels change, where a server tells it (LISTEN and NOTIFY). It must not know what is changed: that is
//! read anew.

use std::time::Duration;

use sqlx::postgres::PgListener;

use super::{Store, StoreError};
use crate::config::PostgresUrl;

/// The channel; what is said on it is the schema.
const CHANNEL: &str = "tickmark";

/// A server that is away is tried again after this.
const AGAIN_AFTER: Duration = Duration::from_secs(1);

/// What tells of changes.
pub struct Changes {
    /// None: nobody tells.
    url: Option<PostgresUrl>,
    listener: Option<PgListener>,
}

impl Store {
    /// Tells of changes to boxes, ticks, kinds, accounts and tokens, and of boxes that change hands. A file tells nothing.
    #[must_use]
    pub fn changes(&self) -> Changes {
        Changes { url: self.inner.url.clone(), listener: None }
    }
}

impl Changes {
    /// Waits for the next change, or for the moment from which on they are told again: some may have been missed before.
    pub async fn next(&mut self) {
        let Some(url) = &self.url else { return std::future::pending().await };
        loop {
            let Some(listener) = &mut self.listener else {
                match listen(url).await {
                    Ok(listener) => {
                        self.listener = Some(listener);
                        return;
                    }
                    Err(error) => tracing::debug!(%error, "changes are not told: they are asked for"),
                }
                tokio::time::sleep(AGAIN_AFTER).await;
                continue;
            };
            match listener.try_recv().await {
                Ok(Some(_)) => return,
                // The connection is gone.
                Ok(None) | Err(_) => self.listener = None,
            }
        }
    }
}

async fn listen(url: &PostgresUrl) -> Result<PgListener, StoreError> {
    let mut listener = PgListener::connect(url.to_connect()).await?;
    listener.listen(CHANNEL).await?;
    Ok(listener)
}
