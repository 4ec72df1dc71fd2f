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
    sampler::LEASE_IS_OVER,
    store::{AlertNews, BoxNews, BoxSeen, News, StoreError, StoredScript},
};

/// Scripts are looked at this often: whatever is due is not much later.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Runs that ended with their panel are looked for every so many of these.
const TURNS_PER_TIDYING: u32 = 60;
/// What is later than this was missed.
const MISSED_AFTER_MS: i64 = 60_000;
/// A start instant that moved by more than this is a restart.
const RESTART_MS: i64 = 3_000;
/// A start instant that is further from the one that is noted is noted anew: servers tell it to the second.
const DRIFT_MS: u64 = 1_500;
/// The words for how a box stands.
const UP: &str = "up";
const DOWN: &str = "down";

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
    started_ms: Option<i64>,
    /// As it stands in the database.
    noted: BoxSeen,
}

/// Looks at the clock until it is stopped.
pub(super) async fn keep_time(scripts: Arc<Scripts>, stop: CancellationToken) {
    let mut turns = tokio::time::interval(LOOK_EVERY);
    turns.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let (mut revision, mut known) = (None, Vec::new());
    let mut ended_ms = clock::now_ms();
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
            interrupt(&scripts, ended_ms).await;
        }
        turn = turn.wrapping_add(1);
        ended_ms = clock::now_ms();
        if let Err(error) = look(&scripts, &mut revision, &mut known).await {
            tracing::debug!(%error, "it cannot be seen which scripts are due");
        }
    }
}

/// Begins with what an earlier panel left: a file has one panel, and whatever ran there ended with the one before.
pub(super) async fn begin_anew(scripts: &Scripts) {
    if !scripts.parts.store.is_shared() {
        interrupt(scripts, i64::MAX).await;
    }
}

async fn interrupt(scripts: &Scripts, ended_ms: i64) {
    let interrupted = scripts.parts.store.interrupt_runs(ended_ms).await.unwrap_or_default();
    if interrupted > 0 {
        tracing::warn!(interrupted, "runs of scripts ended with their panel");
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

/// Watches the boxes until it is stopped, and notes what happens to them. What happened while no panel was there is seen afterwards.
pub(super) async fn watch_boxes(scripts: Arc<Scripts>, stop: CancellationToken) {
    let mut version = scripts.parts.desk.board.watch();
    let mut seen = None;
    loop {
        if !scripts.parts.engine.counts_pushed() {
            // Another panel notes it meanwhile.
            seen = None;
        } else if let Err(error) = see_boxes(&scripts, &mut seen).await {
            tracing::debug!(%error, "what happens to boxes could not be noted; it is tried again");
            seen = None;
            if stop.run_until_cancelled(tokio::time::sleep(LOOK_EVERY)).await.is_none() {
                return;
            }
            continue;
        }
        tokio::select! {
            () = stop.cancelled() => return,
            changed = version.changed() => if changed.is_err() { return },
        }
    }
}

/// Looks at all boxes. `seen`: what was noted of them; none: it has to be read.
async fn see_boxes(scripts: &Scripts, seen: &mut Option<HashMap<i64, Seen>>) -> Result<(), StoreError> {
    let store = &scripts.parts.store;
    let known = match seen {
        Some(known) => known,
        None => {
            let noted = store.boxes_seen().await?;
            seen.insert(noted.into_iter().map(|(id, noted)| (id, Seen { started_ms: noted.started_ms, noted })).collect())
        }
    };
    let boxes = scripts.parts.desk.board.all();
    for entry in &boxes {
        let (id, name, is_builtin, after, reason) = {
            let now = entry.lock();
            let Some(state) = state(now.state, now.reason.as_deref()) else { continue };
            let (id, spec, started_ms) = (now.stored.id, &now.stored.spec, now.started_at_ms);
            if let Some(before) = known.get_mut(&id)
                && before.stands(state, started_ms, &spec.address)
            {
                before.started_ms = started_ms;
                continue;
            }
            let after = BoxSeen { state: state.to_owned(), started_ms, address: spec.address.clone() };
            (id, spec.name.clone(), now.is_builtin(), after, now.reason.clone())
        };
        let before = known.get(&id);
        // At another address there is another server: nothing happened to it yet.
        let same = before.filter(|before| before.noted.address == after.address);
        let whats = same.into_iter().flat_map(|before| changes(before, &after));
        // The start of the panel's own box is the panel's.
        let whats = whats.filter(|what| !(is_builtin && *what == Happening::Restart));
        let news = whats.map(|what| BoxNews {
            what: what.as_str().to_owned(),
            box_name: name.clone(),
            text: reason.clone().filter(|_| what == Happening::BoxDown).unwrap_or_default(),
        });
        let nothing = BoxSeen::default();
        if !store.see_box(id, before.map_or(&nothing, |before| &before.noted), &after, &news.collect::<Vec<_>>()).await? {
            // Another panel did, or the box is gone.
            *seen = None;
            return Ok(());
        }
        known.insert(id, Seen { started_ms: after.started_ms, noted: after });
    }
    if known.len() > boxes.len() {
        let ids: Vec<i64> = boxes.iter().map(|entry| entry.lock().stored.id).collect();
        known.retain(|id, _| ids.contains(id));
    }
    Ok(())
}

/// The word for how a box stands; none where nobody can say.
fn state(state: BoxState, reason: Option<&str>) -> Option<&'static str> {
    match state {
        BoxState::Up => Some(UP),
        BoxState::Down => (reason != Some(LEASE_IS_OVER)).then_some(DOWN),
        BoxState::Paused => Some("paused"),
        BoxState::Waiting => None,
    }
}

/// Hears what happens until it is stopped: one after the other, each once the scripts that ran for the one before have ended.
pub(super) async fn hear_news(scripts: Arc<Scripts>, stop: CancellationToken) {
    let mut turns = tokio::time::interval(LOOK_EVERY);
    turns.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    while stop.run_until_cancelled(turns.tick()).await.is_some() {
        while !stop.is_cancelled() && scripts.parts.engine.counts_pushed() {
            match hear(&scripts).await {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    tracing::debug!(%error, "it cannot be seen what happened");
                    break;
                }
            }
        }
    }
}

/// Hears the oldest that waits; false: there is none, or it must come again.
async fn hear(scripts: &Scripts) -> Result<bool, StoreError> {
    let Some((id, news)) = scripts.parts.store.oldest_news().await? else { return Ok(false) };
    let happened = match news {
        News::Alert(alert) => {
            let (box_name, text) = (alert.box_name.clone(), alert.text.clone());
            Some(Happened { what: Happening::Alert, box_name, text, alert: Some(alert) })
        }
        News::Box(BoxNews { what, box_name, text }) => {
            let what = Happening::ALL.into_iter().find(|known| known.as_str() == what);
            what.map(|what| Happened { what, box_name, text, alert: None })
        }
    };
    if let Some(happened) = happened
        && !scripts.answer(id, &happened).await?
    {
        return Ok(false);
    }
    scripts.parts.store.settle_news(id).await?;
    Ok(true)
}

impl Seen {
    /// Whether the box stands as was noted. Clocks drift: the start is noted anew before that looks like a restart.
    fn stands(&self, state: &str, started_ms: Option<i64>, address: &str) -> bool {
        let is_start = match (self.noted.started_ms, started_ms) {
            (Some(noted), Some(now)) => noted.abs_diff(now) <= DRIFT_MS,
            (noted, now) => noted == now,
        };
        is_start && self.noted.state == state && self.noted.address == address
    }
}

/// What happened to a box between two looks.
fn changes(before: &Seen, after: &BoxSeen) -> impl Iterator<Item = Happening> + use<> {
    let turned = match (&*before.noted.state, &*after.state) {
        (UP, DOWN) => Some(Happening::BoxDown),
        (DOWN, UP) => Some(Happening::BoxUp),
        _ => None,
    };
    let restarted = before.started_ms.zip(after.started_ms).is_some_and(|(before, now)| now - before > RESTART_MS);
    turned.into_iter().chain(restarted.then_some(Happening::Restart))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_happens_to_a_box_is_seen_once() {
        let noted = |state: &str, started_ms| BoxSeen { state: state.to_owned(), started_ms, address: String::new() };
        let told = |before: (&str, Option<i64>), after: (&str, Option<i64>)| {
            let before = Seen { started_ms: before.1, noted: noted(before.0, before.1) };
            changes(&before, &noted(after.0, after.1)).map(Happening::as_str).collect::<Vec<_>>()
        };
        assert_eq!(told((UP, Some(1)), (DOWN, Some(1))), ["box_down"]);
        assert_eq!(told((DOWN, Some(1)), (UP, Some(5_000))), ["box_up", "restart"]);
        assert_eq!(told((UP, Some(1)), (UP, Some(3_001))), [""; 0]);
        assert_eq!(told(("paused", None), (DOWN, None)), [""; 0]);
        assert_eq!(told((UP, None), (UP, Some(9_000))), [""; 0]);
        assert_eq!(told((UP, Some(9_000)), (UP, Some(1))), [""; 0]);
        assert_eq!(state(BoxState::Waiting, None), None);
        assert_eq!(state(BoxState::Down, Some(LEASE_IS_OVER)), None, "that the database is away says nothing of the box");
    }

    #[test]
    fn a_clock_that_drifts_is_no_restart() {
        let noted = |started_ms| BoxSeen { state: UP.to_owned(), started_ms: Some(started_ms), address: String::new() };
        let mut seen = Seen { started_ms: Some(0), noted: noted(0) };
        for started_ms in (0..60_000).step_by(100) {
            let after = noted(started_ms);
            assert_eq!(changes(&seen, &after).count(), 0, "{started_ms}");
            let stands = seen.stands(UP, after.started_ms, "");
            seen = Seen { started_ms: Some(started_ms), noted: if stands { seen.noted } else { after } };
            // A panel that begins here knows what is noted alone.
            assert!(started_ms - seen.noted.started_ms.unwrap() <= DRIFT_MS.cast_signed());
        }
    }
}
