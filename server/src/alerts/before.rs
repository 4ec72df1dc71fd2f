//! What values were a day or a week ago, for rules that compare with that: read every minute, apart from the answers, which wait for nothing.

use std::{collections::HashMap, sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;

use super::Watching;
use crate::{clock, desk::Desk};

/// How often it is read, milliseconds.
pub(super) const EVERY_MS: i64 = 60_000;
/// The mean of so long before and after the instant is taken.
pub(super) const HALF_MS: i64 = 5 * 60_000;

/// Reads it until it is stopped.
pub async fn follow_before(desk: Arc<Desk>, watching: Arc<Watching>, stop: CancellationToken) {
    let mut turns = tokio::time::interval(Duration::from_millis(EVERY_MS.unsigned_abs()));
    turns.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    while stop.run_until_cancelled(turns.tick()).await.is_some() {
        let mut before = HashMap::new();
        for (ready, box_id) in watching.comparing() {
            if stop.is_cancelled() {
                return;
            }
            let (Some(formula), Some(ago_ms)) = (ready.formula(), ready.rule.condition.ago_ms()) else { continue };
            if let Some(mean) = desk.mean_around(formula, box_id, clock::now_ms() - ago_ms, HALF_MS).await {
                before.insert((Arc::clone(&ready.name), box_id), mean);
            }
        }
        watching.set_before(before);
    }
}
