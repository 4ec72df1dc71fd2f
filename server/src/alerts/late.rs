//! Rules and polls that are recorded late: those that a panel left when it ended while the database was away, or made before another one
//! took the box. They are put to the rules as if they came now, on a board of their own, and what the rules did then is kept with its true
//! times. What of a poll was not recorded is not known any more: rules over that say nothing.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::{Duration, Instant},
};

use app::model::Number;

use super::{Across, Alerts, Change, Phase, Ready, Rule, Turn, Watching};
use crate::{
    board::{BoxNow, Definition, Entry, Rules},
    clock,
    formula::Known,
    source::{Answer, Unknown},
    store::{AlertEvent, AlertNews, LateAlert, LateAlerts, LateEvent, StoreError, StoredBox, ToTell},
};

/// A poll as it was recorded.
#[derive(Clone, Debug)]
pub struct LatePoll {
    /// Its time, epoch milliseconds.
    pub at_ms: i64,
    /// When the box started, where that was news.
    pub started_ms: Option<i64>,
    /// Full names; the very same as the poll before when they are.
    pub names: Arc<[Arc<str>]>,
    /// A value each.
    pub values: Vec<Option<Number>>,
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
    /// Puts rules to polls of a box that are recorded late, in their order. `goes_on`: this panel looks at the box from there on, and did not
    /// begin; else another one did already.
    ///
    /// # Errors
    /// When the database fails: the same polls may come again.
    pub async fn judge_late(&self, box_id: i64, polls: &[LatePoll], goes_on: bool) -> Result<(), StoreError> {
        let (Some(first), Some(last)) = (polls.first(), polls.last()) else { return Ok(()) };
        let Some(stored) = self.store.boxes().await?.into_iter().find(|one| one.id == box_id) else { return Ok(()) };
        let telling = self.telling().await?;
        let derived = self.store.derived().await?;
        let definitions: Vec<Definition> = derived.iter().filter_map(crate::sampler::definition).collect();
        let mut names: Vec<&Arc<[Arc<str>]>> = polls.iter().map(|poll| &poll.names).collect();
        names.dedup_by(|one, other| Arc::ptr_eq(one, other));
        // What was not there yet is not asked what it would have said.
        let made = self.store.alert_rules_made_by(first.at_ms).await?;
        let rules = telling.rules.iter().filter(|(name, rule)| made.contains(name) && !rule.paused);
        let rules = rules.filter(|(name, rule)| is_told(name, rule, &stored, &names, &definitions));
        let rules: Vec<(String, Rule)> = rules.map(|(name, rule)| (name.clone(), rule.clone())).collect();
        if rules.is_empty() {
            return Ok(());
        }
        let turns = self.store.alert_turns_at(box_id, first.at_ms).await?.into_iter();
        let turns = turns.filter(|(name, ..)| rules.iter().any(|(rule, _)| rule == name));
        let turn = |(name, since_ms, fires): (String, i64, bool)| {
            (name.into(), Turn { phase: if fires { Phase::Firing } else { Phase::Pending }, since_ms })
        };
        let turns = turns.map(turn).collect();
        let kinds = self.store.kinds(box_id).await?;
        let (watching, mut changed) = Watching::new();
        watching.set_rules(rules, &definitions);
        watching.take_up(box_id, turns);
        let entry = Entry::new(BoxNow::new(stored.clone(), Rules::default(), kinds, self.board.default_interval_ms()));
        let mut played = Played::default();
        for (poll, instant) in polls.iter().zip(instants(polls)) {
            {
                let mut now = entry.lock();
                let started_ms = poll.started_ms.or(now.started_at_ms);
                now.apply(&answer(poll, started_ms), None, instant);
                watching.look(&now, poll.at_ms, &Across::default());
            }
            while let Ok(change) = changed.try_recv() {
                played.take(&change, |rule| !telling.is_silenced(rule, box_id, &stored.spec.name));
            }
        }
        let pending = played.pending.into_iter().map(|(rule, since_ms)| (rule.to_string(), since_ms)).collect();
        let late = LateAlerts { box_id, box_name: stored.spec.name, alerts: played.alerts, pending, last_ms: last.at_ms, goes_on };
        let tell = |new: &[LateEvent]| ToTell {
            deliveries: self.deliveries(new.iter().map(|late| &late.event), &telling),
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

impl Played {
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

/// Whether what was recorded says what a rule looks at.
fn is_told(name: &str, rule: &Rule, stored: &StoredBox, names: &[&Arc<[Arc<str>]>], definitions: &[Definition]) -> bool {
    let Some(ready) = Ready::of(name, rule.clone(), definitions) else { return false };
    // What others answered then, and what was a day before, is not at hand.
    if ready.is_across() || rule.condition.ago_ms().is_some() {
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

fn answer(poll: &LatePoll, started_at_ms: Option<i64>) -> Answer {
    Answer {
        at_ms: poll.at_ms,
        took: Duration::ZERO,
        started_at_ms,
        names: Arc::clone(&poll.names),
        values: poll.values.iter().map(|value| value.ok_or(Unknown::NotKept)).collect(),
        left_out: None,
    }
}

/// Instants as far from each other as the polls were.
fn instants(polls: &[LatePoll]) -> impl Iterator<Item = Instant> {
    let (begin, first_ms) = (Instant::now(), polls.first().map_or(0, |poll| poll.at_ms));
    let after = move |poll: &LatePoll| Duration::from_millis(u64::try_from(poll.at_ms.saturating_sub(first_ms)).unwrap_or(0));
    polls.iter().map(move |poll| begin + after(poll))
}
