//! Rules and polls that are recorded late: those that a panel left when it ended while the database was away, or made before another one
//! took the box. They are put to the rules as if they came now, on a board of their own, and what the rules did then is kept with its true
//! times.
//!
//! A rule of one box is put to each of its polls; what that was a day or a week before is read from the history once a minute, as it is
//! for what comes in time. One over several boxes is put to the instants of all polls that came late of the boxes that it names, and of the
//! panel's own box, which is where such rules stand: what the others had then is read from their history.
//!
//! What cannot be decided, since nothing but what is recorded is known of that time:
//!
//! - A rule over a statistic that is not ticked says nothing. Neither does one over a pattern of statistics (`{pkmem:*-used_size}`) whose
//!   group is not ticked as a whole: its other members are not known. Nor one over a pattern of boxes (`{*/dialog:active_dialogs}`), unless
//!   each of them records the statistic wherever it has it: whether a box has what is not ticked there, nobody can say.
//! - At an instant at which another box has a gap, or was not recorded, a rule over both says nothing: what fires goes on, and nothing
//!   begins. That holds for "no value" as well: what is missing in the history may have been there.
//! - A rule that compares says nothing where the history has nothing of the day before.
//! - That a box gave no answer is no poll: a rule on that is told of what the panel saw until it ended, and of nothing that comes late.

mod across;
mod earlier;
mod recorded;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, atomic::AtomicUsize},
    time::{Duration, Instant},
};

use app::model::Number;

use self::{
    across::Stored,
    earlier::{Before, Definitions},
    recorded::{Recorded, names},
};
use super::{Across, Alerts, Change, Phase, Ready, Rule, Turn, Watching, keep::Telling};
use crate::{
    board::{BoxNow, Entry, Rules},
    clock,
    formula::{Formula, Known},
    history,
    source::{Answer, Unknown},
    store::{AlertEvent, AlertNews, LateAlert, LateAlerts, LateEvent, StoreError, StoredBox, ToTell},
};

/// A poll as it was recorded.
#[derive(Clone, Copy, Debug)]
pub struct LatePoll<'a> {
    /// Its time, epoch milliseconds.
    pub at_ms: i64,
    /// When the box started, where that was news.
    pub started_ms: Option<i64>,
    /// Full names; the very same as the poll before when they are.
    pub names: &'a Arc<[Arc<str>]>,
    /// A value each.
    pub values: &'a [Option<Number>],
}

/// Polls of a box that are recorded late, in their order.
#[derive(Clone, Debug)]
pub struct LateBox<'a> {
    /// The box.
    pub box_id: i64,
    /// The polls.
    pub polls: Vec<LatePoll<'a>>,
}

/// What is read once for all that came late together.
struct Stage {
    recorded: Recorded,
    telling: Telling,
    /// The rules that are looked at, and when each was made.
    rules: Vec<(i64, Arc<Ready>)>,
    /// So often it may still be read what values were so long before.
    readings: AtomicUsize,
    /// This panel looks at the boxes from there on, and did not begin.
    goes_on: bool,
}

/// What rules did on late polls of a box.
#[derive(Default)]
struct Played {
    alerts: Vec<LateAlert>,
    /// What fires at the end, by the place among the alerts.
    open: HashMap<Arc<str>, usize>,
    /// Since when it is broken and not for long enough.
    pending: BTreeMap<Arc<str>, Option<i64>>,
}

impl Alerts {
    /// Puts rules to polls that are recorded late, each box's in their order. `goes_on`: this panel looks at the boxes from there on, and did
    /// not begin; else another one did already.
    ///
    /// # Errors
    /// When the database fails: the same polls may come again.
    pub async fn judge_late(&self, late: &[LateBox<'_>], goes_on: bool) -> Result<(), StoreError> {
        if late.iter().all(|one| one.polls.is_empty()) {
            return Ok(());
        }
        let stage = self.stage(goes_on).await?;
        if stage.rules.is_empty() {
            return Ok(());
        }
        for one in late {
            let Some(entry) = stage.recorded.board.by_id(one.box_id) else { continue };
            let stored = entry.lock().stored.clone();
            self.judge_box(&stage, one, &entry, stored).await?;
        }
        let Some(builtin) = stage.recorded.builtin() else { return Ok(()) };
        for (made_ms, ready) in stage.rules.iter().filter(|(_, ready)| ready.is_across()) {
            let Some(formula) = ready.formula().filter(|formula| stage.recorded.tells_across(formula)) else { continue };
            let instants = stage.instants_of(late, formula);
            // What was not there yet is not asked what it would have said.
            if instants.first().is_some_and(|first_ms| made_ms <= first_ms) {
                self.judge_across(&stage, ready, formula, &instants, &builtin).await?;
            }
        }
        Ok(())
    }

    async fn stage(&self, goes_on: bool) -> Result<Stage, StoreError> {
        let telling = self.telling().await?;
        let made = self.store.alert_rules_made().await?;
        let recorded = Recorded::read(&self.store, self.board.default_interval_ms()).await?;
        let rules = telling.rules.iter().filter(|(_, rule)| !rule.paused);
        let rules =
            rules.filter_map(|(name, rule)| Some((*made.get(name)?, Arc::new(Ready::of(name, rule.clone(), &recorded.definitions)?))));
        let rules = rules.collect();
        Ok(Stage { recorded, telling, rules, readings: AtomicUsize::new(earlier::MAX_READINGS), goes_on })
    }

    /// The rules of one box alone.
    async fn judge_box(&self, stage: &Stage, late: &LateBox<'_>, known: &Entry, stored: StoredBox) -> Result<(), StoreError> {
        let (box_id, polls) = (late.box_id, &late.polls);
        let (Some(first), Some(last)) = (polls.first(), polls.last()) else { return Ok(()) };
        let mut all_names: Vec<&Arc<[Arc<str>]>> = polls.iter().map(|poll| poll.names).collect();
        all_names.dedup_by(|one, other| Arc::ptr_eq(one, other));
        // What was not there yet is not asked what it would have said.
        let rules = stage.rules.iter().filter(|(made_ms, ready)| *made_ms <= first.at_ms && is_told(ready, &stored, &all_names));
        let rules = rules.map(|(_, ready)| ready);
        let is_whole = |ready: &&Arc<Ready>| ready.formula().is_none_or(|formula| stage.recorded.tells_patterns(formula, known));
        let rules: Vec<&Arc<Ready>> = rules.filter(is_whole).collect();
        if rules.is_empty() {
            return Ok(());
        }
        let kinds = self.store.kinds(box_id).await?;
        let (watching, mut changed) = self.watching(stage, &rules, box_id, first.at_ms).await?;
        let before = Definitions::of(&rules);
        let mut before = Before::of(stage, &before, &stored).await?;
        let entry = Entry::new(BoxNow::new(stored.clone(), Rules::default(), kinds, self.board.default_interval_ms()));
        let mut played = Played::default();
        for (poll, instant) in polls.iter().zip(instants(polls.iter().map(|poll| poll.at_ms))) {
            before.tell(stage, &watching, box_id, poll.at_ms).await?;
            {
                let mut now = entry.lock();
                let started_ms = poll.started_ms.or(now.started_at_ms);
                now.apply(&answer(poll, started_ms), None, instant);
                watching.look(&now, poll.at_ms, &Across::default());
            }
            played.take_all(&mut changed, stage, &stored);
        }
        self.keep_late(stage, played, &stored, last.at_ms, 0).await
    }

    /// A rule over several boxes, at some instants.
    async fn judge_across(
        &self,
        stage: &Stage,
        ready: &Arc<Ready>,
        formula: &Formula,
        at: &[i64],
        builtin: &Entry,
    ) -> Result<(), StoreError> {
        let (Some(&first_ms), Some(&last_ms)) = (at.first(), at.last()) else { return Ok(()) };
        let Some(across) = Stored::find(&stage.recorded, formula).await? else { return Ok(()) };
        let (stored, interval_ms) = {
            let now = builtin.lock();
            (now.stored.clone(), now.interval_ms())
        };
        let (watching, mut changed) = self.watching(stage, &[ready], stored.id, first_ms).await?;
        let before = Definitions::of(&[ready]);
        let mut before = Before::of(stage, &before, &stored).await?;
        let entry = Entry::new(BoxNow::new(stored.clone(), Rules::default(), Vec::new(), self.board.default_interval_ms()));
        let (mut played, none) = (Played::default(), Arc::new([]) as Arc<[Arc<str>]>);
        let mut instants = instants(at.iter().copied());
        for part in across.parts(at) {
            let values = across.at(&self.store, part).await?;
            for (&at_ms, value) in part.iter().zip(values) {
                before.tell(stage, &watching, stored.id, at_ms).await?;
                let instant = instants.next().unwrap_or_else(Instant::now);
                let poll = LatePoll { at_ms, started_ms: None, names: &none, values: &[] };
                {
                    let mut now = entry.lock();
                    now.apply(&answer(&poll, None), None, instant);
                    if value.is_nan() {
                        watching.look_away(stored.id, at_ms);
                    } else {
                        watching.look(&now, at_ms, &Across::from([(Arc::clone(&ready.name), value)]));
                    }
                }
                played.take_all(&mut changed, stage, &stored);
            }
        }
        // Whoever has the panel's own box puts the rule to the others when that is polled, which is some time after they are.
        let within_ms = history::lookback_ms(interval_ms);
        self.keep_late(stage, played, &stored, last_ms, within_ms).await
    }

    /// Rules that stand as is known of an instant.
    async fn watching(
        &self,
        stage: &Stage,
        rules: &[&Arc<Ready>],
        box_id: i64,
        at_ms: i64,
    ) -> Result<(Arc<Watching>, tokio::sync::mpsc::Receiver<Change>), StoreError> {
        let turns = self.store.alert_turns_at(box_id, at_ms).await?.into_iter();
        let turns = turns.filter(|(name, ..)| rules.iter().any(|ready| *ready.name == **name));
        let turn = |(name, since_ms, fires): (String, i64, bool)| {
            (name.into(), Turn { phase: if fires { Phase::Firing } else { Phase::Pending }, since_ms })
        };
        let turns = turns.map(turn).collect();
        let (watching, changed) = Watching::new();
        let rules: Vec<(String, Rule)> = rules.iter().map(|ready| (ready.name.to_string(), ready.rule.clone())).collect();
        watching.set_rules(rules, &stage.recorded.definitions);
        watching.take_up(box_id, turns);
        Ok((watching, changed))
    }

    /// Keeps what rules did, and tells of what is new.
    async fn keep_late(&self, stage: &Stage, played: Played, stored: &StoredBox, last_ms: i64, within_ms: i64) -> Result<(), StoreError> {
        let pending = played.pending.into_iter().map(|(rule, since_ms)| (rule.to_string(), since_ms)).collect();
        let (box_id, box_name, goes_on) = (stored.id, stored.spec.name.clone(), stage.goes_on);
        let late = LateAlerts { box_id, box_name, alerts: played.alerts, pending, last_ms, goes_on, within_ms };
        let tell = |new: &[LateEvent]| ToTell {
            deliveries: self.deliveries(new.iter().map(|late| &late.event), &stage.telling),
            news: new.iter().flat_map(news).collect(),
        };
        let new = self.store.keep_late_alerts(&late, tell, clock::now_ms()).await?;
        for LateEvent { event: AlertEvent { rule, box_name, fired_ms, ended_ms, .. }, .. } in &new {
            tracing::warn!(rule, box_name, fired_ms, ended_ms, "what an alert did is known by polls that came late");
        }
        if !new.is_empty() {
            self.wake.notify_one();
        }
        Ok(())
    }
}

impl Stage {
    /// When boxes that a formula names, or the panel's own, were polled, by what came late.
    fn instants_of(&self, late: &[LateBox<'_>], formula: &Formula) -> Vec<i64> {
        let is_named = |one: &&LateBox<'_>| {
            let entry = self.recorded.board.by_id(one.box_id);
            entry.is_some_and(|entry| entry.lock().is_builtin() || formula.references().iter().any(|reference| names(reference, &entry)))
        };
        let polls = late.iter().filter(is_named).flat_map(|one| &one.polls);
        let mut all: Vec<i64> = polls.map(|poll| poll.at_ms).collect();
        all.sort_unstable();
        all.dedup();
        all
    }
}

impl Played {
    /// Takes what rules did at an instant.
    fn take_all(&mut self, changed: &mut tokio::sync::mpsc::Receiver<Change>, stage: &Stage, stored: &StoredBox) {
        while let Ok(change) = changed.try_recv() {
            self.take(&change, |rule| !stage.telling.is_silenced(rule, stored.id, &stored.spec.name));
        }
    }

    fn take(&mut self, change: &Change, is_told: impl FnOnce(&str) -> bool) {
        let Some(ready) = &change.ready else { return };
        let alert = || LateAlert {
            rule: change.rule.to_string(),
            severity: ready.rule.severity.as_str().to_owned(),
            message: ready.rule.told(&ready.name, &change.box_name, change.value, ""),
            value: change.value,
            since_ms: change.after.since_ms,
            fired_ms: change.at_ms,
            ended_ms: None,
            is_known: false,
            told: is_told(&change.rule),
        };
        let is_pending = (change.after.phase == Phase::Pending).then_some(change.after.since_ms);
        self.pending.insert(Arc::clone(&change.rule), is_pending);
        match (change.before.phase, change.after.phase) {
            (_, Phase::Firing) => {
                self.open.insert(Arc::clone(&change.rule), self.alerts.len());
                self.alerts.push(alert());
            }
            (Phase::Firing, _) => match self.open.remove(&change.rule) {
                Some(place) => self.alerts[place].ended_ms = Some(change.at_ms),
                None => {
                    let (since_ms, ended_ms) = (change.before.since_ms, Some(change.at_ms));
                    self.alerts.push(LateAlert { since_ms, fired_ms: since_ms, ended_ms, is_known: true, ..alert() });
                }
            },
            _ => {}
        }
    }
}

/// Whether what was recorded of a box says what a rule of it looks at.
fn is_told(ready: &Ready, stored: &StoredBox, names: &[&Arc<[Arc<str>]>]) -> bool {
    if ready.is_across() || !ready.rule.boxes.are(&stored.spec.name, &stored.spec.labels) {
        return false;
    }
    let Some(formula) = ready.formula() else { return true };
    names.iter().all(|names| {
        let place = |full: &str| names.iter().position(|name| **name == *full);
        formula.bind(&[Known { box_name: &stored.spec.name, names, place: &place }], Some(0)).is_ok()
    })
}

/// What scripts are told.
fn news(late: &LateEvent) -> impl Iterator<Item = AlertNews> {
    let fired = late.is_new.then(|| late.event.news("firing", late.event.fired_ms));
    fired.into_iter().chain(late.event.ended_ms.map(|ended_ms| late.event.news("resolved", ended_ms)))
}

fn answer(poll: &LatePoll<'_>, started_at_ms: Option<i64>) -> Answer {
    Answer {
        at_ms: poll.at_ms,
        took: Duration::ZERO,
        started_at_ms,
        names: Arc::clone(poll.names),
        values: poll.values.iter().map(|value| value.ok_or(Unknown::NotKept)).collect(),
        left_out: None,
    }
}

/// Instants as far from each other as these times are.
fn instants(at_ms: impl Iterator<Item = i64>) -> impl Iterator<Item = Instant> {
    let (begin, mut first_ms) = (Instant::now(), None);
    at_ms.map(move |at_ms| {
        let after_ms = at_ms.saturating_sub(*first_ms.get_or_insert(at_ms));
        begin + Duration::from_millis(u64::try_from(after_ms).unwrap_or(0))
    })
}
