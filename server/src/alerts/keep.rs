//! What changed is kept: how rules stand, what they did, and the messages that tell of it, in one transaction. Changes that come within a
//! moment are told together. While the database is away they wait, in their order.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use app::{
    links,
    model::{FiringLine, FiringNow},
};
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;

use super::{Change, Destination, Message, Phase, Rule, Severity, Told, Watching};
use crate::{
    board::Board,
    clock,
    store::{AlertEvent, AlertNews, AlertStep, KeptStep, NewDelivery, Silence, StepTo, Store, StoreError, ToTell},
};

/// What changes within this time of a first change is told with it.
const TOGETHER: Duration = Duration::from_millis(200);
/// So many changes are kept at once.
const BATCH: usize = 1_000;
/// A database that is away is tried again after this.
const AGAIN_AFTER: Duration = Duration::from_secs(1);
/// How often it is looked for what is to be told again.
const REPEATS_EVERY: Duration = Duration::from_secs(5);
/// How often old messages are forgotten, in turns of the repeats.
const FORGET_TURNS: u32 = 720;
/// Every page lists so many that fire.
const LISTED: usize = 8;
/// One message tells so many alerts at most.
const MAX_TOLD: usize = 100;

/// Keeps what changes.
pub struct Alerts {
    /// Where it is kept.
    pub store: Store,
    /// The boxes.
    pub board: Arc<Board>,
    /// The rules.
    pub watching: Arc<Watching>,
    /// Where people find this panel.
    pub url: String,
    /// Wakes whoever sends messages.
    pub wake: Arc<Notify>,
}

/// What is needed to tell of changes.
pub(super) struct Telling {
    pub(super) rules: HashMap<String, Rule>,
    silences: Vec<Silence>,
    /// Their names, and how long what they are told waits for more.
    destinations: Vec<(String, i64)>,
    now_ms: i64,
}

impl Telling {
    pub(super) fn is_silenced(&self, rule: &str, box_id: i64, box_name: &str) -> bool {
        self.silences.iter().any(|silence| silences(silence, rule, box_id, self.now_ms))
            || self.rules.get(rule).is_some_and(|rule| rule.silent_until_ms(box_name, self.now_ms).is_some())
    }

    /// The destinations of a rule that there are.
    fn destinations_of<'a>(&'a self, rule: &'a str) -> impl Iterator<Item = (&'a str, i64)> {
        let own = self.rules.get(rule).map(|rule| rule.destinations.as_slice()).unwrap_or_default();
        let is_own = move |(name, _): &&(String, i64)| own.is_empty() || own.contains(name);
        self.destinations.iter().filter(is_own).map(|(name, wait_ms)| (name.as_str(), *wait_ms))
    }
}

/// Whether a silence is of this.
#[must_use]
pub fn silences(silence: &Silence, rule: &str, box_id: i64, now_ms: i64) -> bool {
    silence.rule == rule
        && silence.box_id.is_none_or(|of| of == box_id)
        && silence.from_ms <= now_ms
        && silence.to_ms.is_none_or(|to_ms| now_ms < to_ms)
}

impl Alerts {
    /// Keeps changes and tells of them until it is stopped.
    pub async fn run(self: Arc<Self>, mut changed: mpsc::Receiver<Change>, stop: CancellationToken) {
        let mut turns = tokio::time::interval(REPEATS_EVERY);
        turns.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut turn = 0_u32;
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                first = changed.recv() => {
                    let Some(first) = first else { break };
                    let mut batch = vec![first];
                    gather(&mut changed, &mut batch).await;
                    self.keep(&batch, &stop).await;
                }
                _ = turns.tick() => {
                    if let Err(error) = self.repeat().await {
                        tracing::debug!(%error, "alerts that fire on could not be told again");
                    }
                    if turn.is_multiple_of(FORGET_TURNS) {
                        let _ = self.store.forget_deliveries(clock::now_ms()).await;
                        let _ = self.store.end_alerts_of_removed_boxes(clock::now_ms()).await;
                    }
                    turn = turn.wrapping_add(1);
                }
            }
        }
        // What changed until the end is kept.
        let mut rest = Vec::new();
        while let Ok(change) = changed.try_recv() {
            rest.push(change);
        }
        if !rest.is_empty()
            && let Err(error) = self.try_keep(&rest).await
        {
            tracing::error!(%error, changes = rest.len(), "what alerts did last could not be kept; it is found again at the next start");
        }
    }

    async fn keep(&self, batch: &[Change], stop: &CancellationToken) {
        let mut is_said = false;
        while let Err(error) = self.try_keep(batch).await {
            if !is_said {
                tracing::warn!(%error, changes = batch.len(), "what alerts do cannot be kept; it is tried again");
                is_said = true;
            }
            if stop.run_until_cancelled(tokio::time::sleep(AGAIN_AFTER)).await.is_none() {
                return;
            }
        }
    }

    pub(super) async fn telling(&self) -> Result<Telling, StoreError> {
        let now_ms = clock::now_ms();
        let rules = self.store.alert_rules().await?.into_iter();
        let rules = rules.filter_map(|stored| Some((stored.name, serde_json::from_str(&stored.body).ok()?)));
        let destinations = self.store.destinations().await?.into_iter();
        let destinations = destinations.filter_map(|stored| Some((Destination::told_within(&stored)?, stored.name)));
        let destinations = destinations.map(|(wait_ms, name)| (name, wait_ms));
        Ok(Telling { rules: rules.collect(), silences: self.store.silences(now_ms).await?, destinations: destinations.collect(), now_ms })
    }

    async fn try_keep(&self, batch: &[Change]) -> Result<(), StoreError> {
        let telling = self.telling().await?;
        let steps: Vec<AlertStep> = batch.iter().map(|change| step(change, &telling)).collect();
        let tell = |kept: &[KeptStep]| ToTell {
            deliveries: self.deliveries(kept.iter().filter_map(KeptStep::event), &telling),
            news: batch.iter().zip(kept).filter_map(|(change, kept)| news(change, kept)).collect(),
        };
        let kept = self.store.keep_alert_steps(&steps, tell, telling.now_ms).await?;
        for event in kept.iter().filter_map(KeptStep::event) {
            let AlertEvent { rule, box_name, message, ended_ms, .. } = event;
            match ended_ms {
                None => tracing::warn!(rule, box_name, message, "an alert fires"),
                Some(_) => tracing::info!(rule, box_name, "an alert is over"),
            }
        }
        if kept.iter().any(|kept| kept.event().is_some()) {
            self.count(&self.store.alerts_firing().await?);
            self.wake.notify_one();
            self.board.tell();
        }
        Ok(())
    }

    /// For the pages.
    fn count(&self, firing: &[AlertEvent]) {
        let line = |event: &AlertEvent| FiringLine {
            severity: event.severity.clone(),
            text: event.message.clone(),
            rule: event.rule.clone(),
            box_name: event.box_name.clone(),
        };
        let is_critical = firing.iter().any(|event| event.severity == "critical");
        self.watching.set_firing(FiringNow { count: firing.len(), is_critical, newest: firing.iter().take(LISTED).map(line).collect() });
    }

    /// Tells again what fires on and nobody looks after.
    async fn repeat(&self) -> Result<(), StoreError> {
        let firing = self.store.alerts_firing().await?;
        self.count(&firing);
        if firing.iter().any(|event| self.board.by_id(event.box_id).is_none()) {
            self.store.end_alerts_of_removed_boxes(clock::now_ms()).await?;
        }
        if firing.is_empty() {
            return Ok(());
        }
        let telling = self.telling().await?;
        for event in firing.iter().filter(|event| event.acknowledged_ms.is_none() && self.store.lease(event.box_id).is_some()) {
            let Some(rule) = telling.rules.get(&event.rule) else { continue };
            let last_ms = event.told_ms.unwrap_or(event.fired_ms);
            // What was silenced when it fired, and is not any more, is told as well.
            let is_due = match rule.repeat_ms() {
                _ if telling.is_silenced(&event.rule, event.box_id, &event.box_name) => false,
                _ if !event.was_told() => true,
                Some(repeat_ms) => telling.now_ms.saturating_sub(last_ms) >= repeat_ms,
                None => false,
            };
            if !is_due {
                continue;
            }
            let told = [self.told(event, &telling, event.was_told())];
            let deliveries = telling.destinations_of(&event.rule).filter_map(|destination| self.delivery(destination, &told));
            if self.store.tell_again(event, &deliveries.collect::<Vec<_>>(), telling.now_ms).await? {
                self.wake.notify_one();
            }
        }
        Ok(())
    }

    fn told(&self, event: &AlertEvent, telling: &Telling, again: bool) -> Told {
        let rule = telling.rules.get(&event.rule);
        let chart = rule.and_then(|rule| crate::formula::Formula::parse_with_derived(&rule.formula).ok()).and_then(|formula| {
            let mut exact = formula.references().iter().filter(|reference| reference.boxes.is_none());
            exact.find_map(|reference| reference.name.exact())
        });
        let page = match &chart {
            Some(name) => links::statistic(&event.box_name, name),
            None => links::statistics_of(&event.box_name),
        };
        let severity = match event.severity.as_str() {
            "critical" => Severity::Critical,
            "info" => Severity::Info,
            _ => Severity::Warning,
        };
        Told {
            id: event.event_id,
            rule: event.rule.clone(),
            box_name: event.box_name.clone(),
            severity,
            resolved: event.ended_ms.is_some(),
            value: event.value(),
            text: event.message.clone(),
            since: event.since_ms,
            fired: event.fired_ms,
            ended: event.ended_ms,
            link: format!("{}{}", self.url.trim_end_matches("/cp"), page),
            chart,
            // It is made when it is sent, for those that take it.
            picture: None,
            again,
            notice: false,
        }
    }

    /// The messages that tell of what fired or is over, where somebody is told.
    pub(super) fn deliveries<'a>(&self, events: impl Iterator<Item = &'a AlertEvent>, telling: &Telling) -> Vec<NewDelivery> {
        let mut told: BTreeMap<(&str, i64), Vec<Told>> = BTreeMap::new();
        for event in events.filter(|event| event.was_told()) {
            for destination in telling.destinations_of(&event.rule) {
                told.entry(destination).or_default().push(self.told(event, telling, false));
            }
        }
        let parts = told.iter().flat_map(|(destination, told)| told.chunks(MAX_TOLD).map(|told| self.delivery(*destination, told)));
        parts.flatten().collect()
    }

    fn delivery(&self, (destination, wait_ms): (&str, i64), told: &[Told]) -> Option<NewDelivery> {
        let message = Message { panel: self.url.clone(), alerts: told.to_vec() };
        let body = serde_json::to_string(&message).ok()?;
        Some(NewDelivery { destination: destination.to_owned(), body, wait_ms })
    }
}

/// What comes within a moment.
async fn gather(changed: &mut mpsc::Receiver<Change>, batch: &mut Vec<Change>) {
    let end = tokio::time::sleep(TOGETHER);
    tokio::pin!(end);
    while batch.len() < BATCH {
        tokio::select! {
            () = &mut end => return,
            next = changed.recv() => match next {
                Some(change) => batch.push(change),
                None => return,
            },
        }
    }
}

/// What scripts are told of a change.
fn news(change: &Change, kept: &KeptStep) -> Option<AlertNews> {
    let state = match kept {
        KeptStep::Same => return None,
        KeptStep::Event(event) => return Some(event.news(if event.ended_ms.is_some() { "resolved" } else { "firing" }, change.at_ms)),
        KeptStep::Pending => "pending",
        KeptStep::Calm => "fine",
    };
    let rule = change.ready.as_ref().map(|ready| &ready.rule);
    Some(AlertNews {
        rule: change.rule.to_string(),
        box_name: change.box_name.clone(),
        state: state.to_owned(),
        severity: rule.map(|rule| rule.severity).unwrap_or_default().as_str().to_owned(),
        text: rule.map(|rule| rule.told(&change.rule, &change.box_name, change.value, "")).unwrap_or_default(),
        value: change.value,
        at_ms: change.at_ms,
    })
}

fn step(change: &Change, telling: &Telling) -> AlertStep {
    let to = match (&change.ready, change.after.phase) {
        (None, _) | (_, Phase::Fine) => StepTo::Fine,
        (_, Phase::Pending) => StepTo::Pending(change.after.since_ms),
        (Some(ready), Phase::Firing) => StepTo::Firing {
            since_ms: change.after.since_ms,
            box_name: change.box_name.clone(),
            severity: ready.rule.severity.as_str().to_owned(),
            message: ready.rule.told(&ready.name, &change.box_name, change.value, ""),
            value: change.value,
            told: !telling.is_silenced(&ready.name, change.box_id, &change.box_name),
        },
    };
    AlertStep { rule: change.rule.to_string(), box_id: change.box_id, to, at_ms: change.at_ms }
}
