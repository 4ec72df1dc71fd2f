//! Alerts and destinations: defined, changed, removed, silenced, acknowledged, tried.

use std::time::Duration;

use app::{
    model::{Gap, Number, Origin},
    shown::short,
};

use super::{Desk, DeskError, SeriesAsk};
use crate::{
    alerts::{Condition, Destination, MAX_RULES, Phase, Rule, Turn, judge_point, send_test, silences},
    board::Definition,
    clock,
    formula::Formula,
    source::Secret,
    store::{AlertEvent, Delivery, Silence, StoreError, StoredDestination, StoredRule},
};

/// So many destinations there are at most.
const MAX_DESTINATIONS: usize = 200;
/// The preview looks at so many points of the last week: one a minute.
const PREVIEW_POINTS: usize = 7 * 24 * 60;
/// So long back the preview looks.
const PREVIEW_MS: i64 = 7 * 24 * 3_600_000;

/// A rule with its name.
#[derive(Clone, Debug)]
pub struct RuleView {
    /// Its name.
    pub name: String,
    /// What it says.
    pub rule: Rule,
    /// Who made it.
    pub origin: Origin,
}

/// What fires, and what keeps it silent.
#[derive(Clone, Debug)]
pub struct Firing {
    /// What it did.
    pub event: AlertEvent,
    /// What silences it.
    pub silence: Option<Silence>,
}

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
}

/// When a rule would have fired.
#[derive(Clone, Debug, Default)]
pub struct Preview {
    /// From when to when, with the value by which.
    pub spans: Vec<(i64, i64, Option<f64>)>,
    /// Why nothing can be said.
    pub reason: Option<String>,
}

impl Desk {
    /// All rules, in the order of their names.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn alerts(&self) -> Result<Vec<RuleView>, DeskError> {
        let rules = self.store.alert_rules().await?.into_iter().filter_map(|stored| {
            let rule = serde_json::from_str(&stored.body).ok()?;
            Some(RuleView { name: stored.name, rule, origin: stored.origin })
        });
        Ok(rules.collect())
    }

    /// One rule.
    ///
    /// # Errors
    /// When there is none of the name.
    pub async fn alert(&self, name: &str) -> Result<RuleView, DeskError> {
        let found = self.alerts().await?.into_iter().find(|view| view.name == name);
        found.ok_or_else(|| DeskError::NotFound(format!("there is no alert {:?}: GET alerts lists them", short(name))))
    }

    /// Adds a rule.
    ///
    /// # Errors
    /// When a field is wrong or the name is taken.
    pub async fn add_alert(&self, name: &str, rule: &Rule) -> Result<(), DeskError> {
        let stored = self.checked_rule(name, rule).await?;
        if self.store.alert_rules().await?.len() >= MAX_RULES {
            return Err(DeskError::Full(format!("there are {MAX_RULES} alerts already: remove some")));
        }
        match self.store.add_alert_rule(&stored, clock::now_ms()).await {
            Err(StoreError::Taken(what)) => return Err(DeskError::Taken(format!("{what} exists already: choose another name"))),
            other => other?,
        }
        Ok(self.sampler.reload().await?)
    }

    /// Replaces what a rule says; how it stands goes on.
    ///
    /// # Errors
    /// When a field is wrong or it is not there.
    pub async fn change_alert(&self, name: &str, rule: &Rule) -> Result<(), DeskError> {
        let stored = self.checked_rule(name, rule).await?;
        self.store.change_alert_rule(&stored).await?;
        Ok(self.sampler.reload().await?)
    }

    /// Removes a rule; what it did stays in the history.
    ///
    /// # Errors
    /// When it is not there.
    pub async fn remove_alert(&self, name: &str) -> Result<(), DeskError> {
        self.alert(name).await?;
        self.store.remove_alert_rule(name, clock::now_ms()).await?;
        Ok(self.sampler.reload().await?)
    }

    async fn checked_rule(&self, name: &str, rule: &Rule) -> Result<StoredRule, DeskError> {
        rule.check(name).map_err(|(field, message)| DeskError::invalid(field, message))?;
        let known = self.store.destinations().await?;
        if let Some(missing) = rule.destinations.iter().find(|name| known.iter().all(|one| one.name != **name)) {
            return Err(DeskError::invalid("destinations", format!("there is no destination {:?}", short(missing))));
        }
        let body = serde_json::to_string(rule).map_err(|error| DeskError::invalid("condition", error.to_string()))?;
        Ok(StoredRule { name: name.to_owned(), body, origin: Origin::Panel })
    }

    /// What fires, the newest first, and what waits to: rule, box, since when.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn firing(&self) -> Result<(Vec<Firing>, Vec<(String, String, i64)>), DeskError> {
        let now_ms = clock::now_ms();
        let all = self.store.silences(now_ms).await?;
        let with = |event: AlertEvent| {
            let silence = all.iter().find(|silence| silences(silence, &event.rule, event.box_id, now_ms)).cloned();
            Firing { event, silence }
        };
        let firing = self.store.alerts_firing().await?.into_iter().map(with).collect();
        let pending = self.store.alerts_pending().await?.into_iter();
        let pending = pending.map(|(rule, box_id, since_ms)| (rule, self.name_of(box_id), since_ms)).collect();
        Ok((firing, pending))
    }

    /// What fired in a span, the newest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn alert_history(&self, from_ms: i64, to_ms: i64, most: i64) -> Result<Vec<AlertEvent>, DeskError> {
        Ok(self.store.alert_events(from_ms, to_ms, most).await?)
    }

    /// How many alerts fire, as far as this panel knows, and whether one is critical.
    #[must_use]
    pub fn firing_now(&self) -> (usize, bool) {
        self.sampler.shared().watching.firing()
    }

    fn name_of(&self, box_id: i64) -> String {
        self.board.by_id(box_id).map_or_else(|| format!("box {box_id}"), |entry| entry.lock().stored.spec.name.clone())
    }

    /// Silences a rule, on one box or on all: for a span, or until it is over. `end`: no more.
    ///
    /// # Errors
    /// When there is no such rule or box.
    pub async fn silence(&self, rule: &str, box_name: Option<&str>, span: Option<Duration>, end: bool, who: &str) -> Result<(), DeskError> {
        self.alert(rule).await?;
        let box_id = box_name.map(|name| self.entry(name)).transpose()?.map(|entry| entry.lock().stored.id);
        let from_ms = clock::now_ms();
        let to_ms = span.map(|span| from_ms.saturating_add(i64::try_from(span.as_millis()).unwrap_or(i64::MAX)));
        let silence = Silence { silence_id: 0, rule: rule.to_owned(), box_id, from_ms, to_ms, by_whom: Some(who.to_owned()) };
        self.store.silence(&silence, end).await?;
        self.board.tell();
        Ok(())
    }

    /// Somebody looks after what fires of a rule; answers how much that is.
    ///
    /// # Errors
    /// When there is no such rule or box.
    pub async fn acknowledge(&self, rule: &str, box_name: Option<&str>, who: &str) -> Result<u64, DeskError> {
        self.alert(rule).await?;
        let box_id = box_name.map(|name| self.entry(name)).transpose()?.map(|entry| entry.lock().stored.id);
        Ok(self.store.acknowledge(rule, box_id, who, clock::now_ms()).await?)
    }

    /// When a rule would have fired on a box in the last week, as far as its history tells.
    ///
    /// # Errors
    /// When there is no such box or a field is wrong.
    pub async fn preview(&self, rule: &Rule, box_name: &str) -> Result<Preview, DeskError> {
        rule.check("tried").map_err(|(field, message)| DeskError::invalid(field, message))?;
        let now_ms = clock::now_ms();
        let from_ms = now_ms - PREVIEW_MS;
        if !rule.condition.is_of_value() {
            return self.preview_of_box(rule, box_name, from_ms, now_ms).await;
        }
        let formula = Formula::parse(&rule.formula).map_err(|error| DeskError::invalid("formula", error.to_string()))?;
        let asked = if formula.is_across() { crate::config::BUILTIN_BOX } else { box_name };
        let definition = Definition::new("preview", formula, "", "");
        let ask = |from_ms: i64, to_ms: i64| SeriesAsk {
            box_name: asked.to_owned(),
            name: "derived:preview".to_owned(),
            from_ms,
            to_ms,
            points: PREVIEW_POINTS,
            ..SeriesAsk::default()
        };
        let series = self.computed(&ask(from_ms, now_ms), &definition).await?;
        let ago_ms = rule.condition.ago_ms();
        let before = match ago_ms {
            Some(ago_ms) => Some(self.computed(&ask(from_ms - ago_ms, now_ms - ago_ms), &definition).await?),
            None => None,
        };
        let columns = &series.columns;
        let float = |column: &[Option<Number>], point: usize| column[point].map_or(f64::NAN, Number::as_f64);
        let (mut turn, mut spans, mut past) = (Turn::default(), Vec::<(i64, i64, Option<f64>)>::new(), Vec::new());
        for (point, &at_ms) in columns.t.iter().enumerate() {
            let (low, high) = (float(&columns.min, point), float(&columns.max, point));
            let earlier = before.as_ref().and_then(|before| mean_at(before, at_ms - ago_ms.unwrap_or_default()));
            past.push((at_ms, low, high));
            let verdict = judge_point(&rule.condition, (low, high), &past, earlier, turn.phase == Phase::Firing);
            let after = turn.next(verdict, at_ms, rule.hold_ms());
            if after.phase == Phase::Firing && turn.phase != Phase::Firing {
                let value = if matches!(rule.condition, Condition::Below { .. }) { low } else { high };
                spans.push((at_ms, now_ms, (!value.is_nan()).then_some(value)));
            } else if turn.phase == Phase::Firing
                && after.phase != Phase::Firing
                && let Some(last) = spans.last_mut()
            {
                last.1 = at_ms;
            }
            turn = after;
        }
        let nothing = columns.last.iter().all(Option::is_none);
        let reason = nothing.then(|| {
            series.gaps.first().map_or_else(|| "nothing of it was recorded in the last week".to_owned(), |gap| gap.reason.clone())
        });
        Ok(Preview { spans, reason: reason.filter(|_| !matches!(rule.condition, Condition::NoData)) })
    }

    /// The gaps of a box are when it gave no answer.
    async fn preview_of_box(&self, rule: &Rule, box_name: &str, from_ms: i64, now_ms: i64) -> Result<Preview, DeskError> {
        let id = self.entry(box_name)?.lock().stored.id;
        if rule.condition != Condition::BoxDown {
            return Ok(Preview { spans: Vec::new(), reason: Some("restarts are marked on the charts".to_owned()) });
        }
        let gaps = self.store.gaps(id, from_ms, now_ms).await?;
        let is_silent = |gap: &Gap| gap.reason != "paused" && !gap.reason.starts_with("Tickmark") && gap.to - gap.from >= rule.hold_ms();
        let spans = gaps.into_iter().filter(is_silent).map(|gap| (gap.from + rule.hold_ms(), gap.to, None));
        Ok(Preview { spans: spans.collect(), reason: None })
    }

    /// All destinations with their newest messages.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn destinations(&self) -> Result<Vec<DestinationView>, DeskError> {
        let mut views = Vec::new();
        for stored in self.store.destinations().await? {
            let Ok(destination) = serde_json::from_str(&stored.body) else { continue };
            let newest = self.store.deliveries(Some(&stored.name), 1).await?.into_iter().next();
            let (name, origin) = (stored.name, stored.origin);
            views.push(DestinationView { name, destination, has_secret: stored.secret_sealed.is_some(), origin, newest });
        }
        Ok(views)
    }

    /// One destination.
    ///
    /// # Errors
    /// When there is none of the name.
    pub async fn destination(&self, name: &str) -> Result<DestinationView, DeskError> {
        let found = self.destinations().await?.into_iter().find(|view| view.name == name);
        found.ok_or_else(|| DeskError::NotFound(format!("there is no destination {:?}: GET destinations lists them", short(name))))
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
    /// When a field is wrong or it is not there.
    pub async fn change_destination(&self, name: &str, destination: &Destination, secret: Option<&Secret>) -> Result<(), DeskError> {
        let all = self.store.destinations().await?;
        let before = all.into_iter().find(|stored| stored.name == name);
        let before = before.ok_or_else(|| DeskError::NotFound(format!("there is no destination {:?}", short(name))))?;
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
    /// When it is not there.
    pub async fn remove_destination(&self, name: &str) -> Result<(), DeskError> {
        self.destination(name).await?;
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
        let stored = stored.ok_or_else(|| DeskError::NotFound(format!("there is no destination {:?}", short(name))))?;
        let panel = &self.sampler.shared().name.url;
        Ok(send_test(&stored, &self.vault, panel).await.map_err(|refused| refused.reason))
    }

    /// What became of messages, the newest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn deliveries(&self, destination: Option<&str>, most: i64) -> Result<Vec<Delivery>, DeskError> {
        Ok(self.store.deliveries(destination, most).await?)
    }

    /// What a formula came to around an instant; none where that is not known.
    pub(crate) async fn mean_around(&self, formula: &Formula, box_id: i64, at_ms: i64, half_ms: i64) -> Option<f64> {
        let definition = Definition::new("before", formula.clone(), "", "");
        let box_name = self.name_of(box_id);
        let (from_ms, to_ms) = (at_ms - half_ms, at_ms + half_ms);
        let ask = SeriesAsk { box_name, name: "derived:before".to_owned(), from_ms, to_ms, points: 1, ..SeriesAsk::default() };
        let series = self.computed(&ask, &definition).await.ok()?;
        series.columns.mean.iter().flatten().next().map(|mean| mean.as_f64())
    }
}

/// The mean of the point in which an instant lies, and of five before and after it.
fn mean_at(series: &app::model::Series, at_ms: i64) -> Option<f64> {
    let place = series.columns.t.partition_point(|&start| start <= at_ms);
    let around = place.saturating_sub(6)..(place + 5).min(series.columns.t.len());
    let known: Vec<f64> = series.columns.mean[around].iter().flatten().map(|mean| mean.as_f64()).collect();
    #[expect(clippy::cast_precision_loss, reason = "eleven at most")]
    let mean = known.iter().sum::<f64>() / known.len() as f64;
    (!known.is_empty()).then_some(mean)
}
