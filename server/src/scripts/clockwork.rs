//! Begins runs when they are due and when something happens: on the panel that counts what is pushed, where several share a database.
//! It must not know what a script says.

use std::{collections::HashMap, sync::Arc, time::Duration};

use app::model::BoxState;
use tokio_util::sync::CancellationToken;

use super::{
    Began, Scripts,
    schedule::{Happening, Missed, Schedule},
};
use crate::{
    clock,
    store::{AlertNews, StoreError, StoredScript},
};

/// Scripts are looked at this often: whatever is due is not much later.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Runs that ended with their panel are looked for every so many of these.
const TURNS_PER_TIDYING: u32 = 60;
/// What is later than this was missed.
const MISSED_AFTER_MS: i64 = 60_000;
/// A start instant that moved by more than this is a restart.
const RESTART_MS: i64 = 3_000;

/// What happened to a box, or to an alert.
#[derive(Clone, Debug, PartialEq)]
pub struct Happened {
    /// What.
    pub what: Happening,
    /// To which box; empty where it is of none.
    pub box_name: String,
    /// More about it, such as why a box is down, or what an alert says.
    pub text: String,
    /// What an alert did.
    pub alert: Option<AlertNews>,
}

/// What was seen of a box last.
struct Seen {
    state: BoxState,
    started_ms: Option<i64>,
}

/// Looks at the clock until it is stopped.
pub(super) async fn keep_time(scripts: Arc<Scripts>, stop: CancellationToken) {
    let mut turns = tokio::time::interval(LOOK_EVERY);
    turns.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let (mut revision, mut known) = (None, Vec::new());
    // A file has one panel: whatever ran there ended with the one before.
    let mut ended_ms = if scripts.parts.store.is_shared() { clock::now_ms() } else { i64::MAX };
    let mut turn = 0_u32;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = turns.tick() => {}
        }
        if !scripts.parts.engine.counts_pushed() {
            continue;
        }
        if turn.is_multiple_of(TURNS_PER_TIDYING) {
            let interrupted = scripts.parts.store.interrupt_runs(ended_ms).await.unwrap_or_default();
            if interrupted > 0 {
                tracing::warn!(interrupted, "runs of scripts ended with their panel");
            }
        }
        turn = turn.wrapping_add(1);
        ended_ms = clock::now_ms();
        if let Err(error) = look(&scripts, &mut revision, &mut known).await {
            tracing::debug!(%error, "it cannot be seen which scripts are due");
        }
    }
}

async fn look(
    scripts: &Arc<Scripts>,
    revision: &mut Option<i64>,
    known: &mut Vec<(StoredScript, Schedule, i64)>,
) -> Result<(), StoreError> {
    let now_ms = clock::now_ms();
    let newest = scripts.parts.store.revision().await?;
    if *revision != Some(newest) {
        *known = scripts.scheduled().await?;
        *revision = Some(newest);
    }
    for (script, schedule, next_ms) in known.iter_mut() {
        // The clock may have been set back: what was claimed is not due again.
        if now_ms < *next_ms {
            continue;
        }
        let after_ms = script.due_ms.unwrap_or(script.since_ms);
        if let Some(due_ms) = schedule.last_between(after_ms, now_ms) {
            script.due_ms = Some(due_ms);
            if scripts.parts.store.claim_due(script.id, due_ms).await? {
                begin(scripts, script, schedule, due_ms, now_ms).await?;
            }
        }
        *next_ms = schedule.next_after(now_ms).unwrap_or(i64::MAX);
    }
    Ok(())
}

async fn begin(scripts: &Arc<Scripts>, script: &StoredScript, schedule: &Schedule, due_ms: i64, now_ms: i64) -> Result<(), StoreError> {
    let began = Began::Due { schedule: schedule.to_string(), due_ms };
    if schedule.missed() == Missed::Skip && now_ms - due_ms > MISSED_AFTER_MS {
        return scripts.skip(script, &began, "it was due while no panel was there to run it").await;
    }
    scripts.begin(script.name.clone(), began);
    Ok(())
}

/// Watches the boxes until it is stopped.
pub(super) async fn watch_boxes(scripts: Arc<Scripts>, stop: CancellationToken) {
    let board = Arc::clone(&scripts.parts.desk.board);
    let mut version = board.watch();
    let mut seen: HashMap<i64, Seen> = HashMap::new();
    loop {
        let mut happened = Vec::new();
        let boxes = board.all();
        for entry in &boxes {
            let now = entry.lock();
            let new = Seen { state: now.state, started_ms: now.started_at_ms };
            let before = seen.insert(now.stored.id, new);
            let Some(before) = before else { continue };
            let name = &now.stored.spec.name;
            let whats = changes(&before, now.state, now.started_at_ms);
            happened.extend(whats.map(|what| Happened {
                what,
                box_name: name.clone(),
                text: now.reason.clone().filter(|_| what == Happening::BoxDown).unwrap_or_default(),
                alert: None,
            }));
        }
        if seen.len() > boxes.len() {
            let ids: Vec<i64> = boxes.iter().map(|entry| entry.lock().stored.id).collect();
            seen.retain(|id, _| ids.contains(id));
        }
        for one in happened {
            scripts.happened(&one).await;
        }
        tokio::select! {
            () = stop.cancelled() => return,
            changed = version.changed() => if changed.is_err() { return },
        }
    }
}

/// Hears what alerts do until it is stopped: one after the other, each once the scripts that ran for the one before have ended.
pub(super) async fn hear_alerts(scripts: Arc<Scripts>, stop: CancellationToken) {
    let mut turns = tokio::time::interval(LOOK_EVERY);
    turns.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    while stop.run_until_cancelled(turns.tick()).await.is_some() {
        while !stop.is_cancelled() && scripts.parts.engine.counts_pushed() {
            match scripts.parts.store.take_alert_news().await {
                Ok(Some(news)) => {
                    let (box_name, text) = (news.box_name.clone(), news.text.clone());
                    scripts.happened_to_alert(&Happened { what: Happening::Alert, box_name, text, alert: Some(news) }).await;
                }
                Ok(None) => break,
                Err(error) => {
                    tracing::debug!(%error, "it cannot be seen what alerts did");
                    break;
                }
            }
        }
    }
}

/// What happened to a box between two looks.
fn changes(before: &Seen, state: BoxState, started_ms: Option<i64>) -> impl Iterator<Item = Happening> + use<> {
    let turned = match (before.state, state) {
        (BoxState::Up, BoxState::Down) => Some(Happening::BoxDown),
        (BoxState::Down, BoxState::Up) => Some(Happening::BoxUp),
        _ => None,
    };
    let restarted = before.started_ms.zip(started_ms).is_some_and(|(before, now)| now - before > RESTART_MS);
    turned.into_iter().chain(restarted.then_some(Happening::Restart))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_happens_to_a_box_is_seen_once() {
        let seen = |state, started_ms| Seen { state, started_ms };
        let told = |before: Seen, state, started_ms| changes(&before, state, started_ms).map(Happening::as_str).collect::<Vec<_>>();
        assert_eq!(told(seen(BoxState::Up, Some(1)), BoxState::Down, Some(1)), ["box_down"]);
        assert_eq!(told(seen(BoxState::Down, Some(1)), BoxState::Up, Some(5_000)), ["box_up", "restart"]);
        assert_eq!(told(seen(BoxState::Up, Some(1)), BoxState::Up, Some(3_001)), [""; 0]);
        assert_eq!(told(seen(BoxState::Waiting, None), BoxState::Down, None), [""; 0]);
        assert_eq!(told(seen(BoxState::Up, None), BoxState::Up, Some(9_000)), [""; 0]);
        assert_eq!(told(seen(BoxState::Up, Some(9_000)), BoxState::Up, Some(1)), [""; 0]);
    }
}
