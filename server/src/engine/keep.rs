//! Keeps what scripts pushed in the store: soon after it changed, before a sample of it is recorded, and at the end.
//! It must not know how it is counted.

use std::{sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;

use super::Engine;
use crate::store::{Store, StoreError};

/// What was pushed is kept within this time: half of what a killed process may lose, so that a slow disk has the other half.
const KEEP_EVERY: Duration = Duration::from_millis(500);

impl Engine {
    /// Takes up what was kept, and counts this start.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn take_up(&self, store: &Store) -> Result<(), StoreError> {
        self.take_up_pushed(store).await?;
        self.began(store.count_start().await?);
        Ok(())
    }

    /// Takes up what was pushed, here or to another panel of the database.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn take_up_pushed(&self, store: &Store) -> Result<(), StoreError> {
        if let Err(error) = self.customs.restore(&self.registry, store.custom().await?) {
            tracing::error!(%error, "some of the statistics that were pushed could not be taken up");
        }
        Ok(())
    }

    /// Leaves what is pushed to another panel of the database, which people find there.
    pub fn leave_pushed_to(&self, url: &str) {
        self.customs.leave_to(&self.registry, url);
    }

    /// Whether what is pushed is counted here, and not by another panel of the database.
    #[must_use]
    pub fn counts_pushed(&self) -> bool {
        self.customs.is_here()
    }

    /// Keeps what was pushed since the last time. All that was pushed before the call is kept after it.
    ///
    /// # Errors
    /// When the database fails: it is tried again the next time.
    pub async fn keep(&self, store: &Store) -> Result<(), StoreError> {
        let _one_at_a_time = self.keeping.lock().await;
        let unkept = self.customs.unkept();
        if unkept.is_empty() {
            return Ok(());
        }
        let gone: Vec<String> = unkept.gone.iter().map(|(full, _)| full.clone()).collect();
        store.save_custom(&unkept.changed, &gone).await?;
        self.customs.kept(&unkept);
        Ok(())
    }
}

/// Keeps what is pushed until it is stopped.
pub async fn keep_going(engine: Arc<Engine>, store: Store, stop: CancellationToken) {
    let mut turns = tokio::time::interval(KEEP_EVERY);
    turns.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut failing = false;
    while stop.run_until_cancelled(turns.tick()).await.is_some() {
        match engine.keep(&store).await {
            Ok(()) => failing = false,
            Err(error) => {
                if !std::mem::replace(&mut failing, true) {
                    tracing::error!(%error, "what scripts pushed could not be kept; it is tried again");
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use app::model::{Kind, Number};

    use super::*;
    use crate::{engine::Push, store::StoreStats};

    /// The engine of a panel that begins with this database.
    async fn start(store: &Store) -> Engine {
        let engine = Engine::new(Instant::now()).unwrap();
        engine.take_up(store).await.unwrap();
        engine
    }

    fn value(engine: &Engine, full: &str) -> Option<Number> {
        let (answer, _) = engine.answer(StoreStats::default(), Instant::now(), 1_000);
        let place = answer.names.iter().position(|name| name.as_ref() == full)?;
        answer.values[place].ok()
    }

    #[tokio::test]
    async fn what_was_kept_goes_on_and_what_was_not_is_lost() {
        let store = Store::open("sqlite::memory:").await.unwrap();
        let first = start(&store).await;
        first.push("calls:failed", Push::By(i64::MAX - 1), None, None).unwrap();
        first.push("room:heat", Push::To(-3), None, None).unwrap();
        first.push("room:gone", Push::To(1), None, None).unwrap();
        first.pick("load_%u", &["sip:a".to_owned()], &[]).unwrap();
        first.keep(&store).await.unwrap();
        first.remove("room:gone").unwrap();
        first.counts.requests.count();
        first.keep(&store).await.unwrap();
        first.push("calls:failed", Push::By(1), None, None).unwrap();

        let second = start(&store).await;
        assert_eq!(value(&second, "calls:failed"), Some(Number::Int(i64::MAX - 1)));
        assert_eq!(value(&second, "room:heat"), Some(Number::Int(-3)));
        assert_eq!((value(&second, "room:gone"), value(&second, "panel:requests")), (None, Some(Number::Int(0))));
        assert_eq!((value(&first, "panel:restarts"), value(&second, "panel:restarts")), (Some(Number::Int(0)), Some(Number::Int(1))));
        assert_eq!(
            second.pushed_kinds(),
            [("calls:failed".into(), Kind::Counter), ("room:heat".into(), Kind::Gauge), ("script:load_sip:a".into(), Kind::Gauge)]
        );
        // Calls go on while the panel does not.
        assert_eq!(second.release("load_%u", "sip:a"), Ok(0));
        second.push("calls:failed", Push::By(1), None, None).unwrap();
        assert_eq!(value(&second, "calls:failed"), Some(Number::Int(i64::MAX)));
    }
}
