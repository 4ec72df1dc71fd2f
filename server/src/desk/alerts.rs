//! Alerts: defined, changed, removed, silenced, acknowledged; what fires, and what they look at in vain.

use std::time::Duration;

use app::{
    model::{AlertMark, Fired, FiringNow, Mode, Origin},
    shown::short,
};

use super::{Desk, DeskError, check_not_of_file, destinations::no_such_destination};
use crate::{
    alerts::{MAX_RULES, Quiet, Rule, looked_at, silences},
    board::Definition,
    clock,
    formula::Formula,
    store::{AlertEvent, Silence, StoreError, StoredRule},
};

/// A chart shows so many rules, and of each so many spans in which it fired.
const MAX_MARKS: usize = 8;
const MAX_SPANS: i64 = 200;

/// A rule with its name.
#[derive(Clone, Debug)]
pub struct RuleView {
    /// Its name.
    pub name: String,
    /// What it says.
    pub rule: Rule,
    /// Who made it.
    pub origin: Origin,
    /// What it looks at, with what derived statistics are computed by.
    formula: Option<Formula>,
}

/// What fires, and what keeps it silent.
#[derive(Clone, Debug)]
pub struct Firing {
    /// What it did.
    pub event: AlertEvent,
    /// What silences it.
    pub silence: Option<Silence>,
}

impl Desk {
    /// All rules, in the order of their names.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn alerts(&self) -> Result<Vec<RuleView>, DeskError> {
        let definitions: Vec<_> = self.store.derived().await?.iter().filter_map(Definition::of_stored).collect();
        let rules = self.store.alert_rules().await?.into_iter().filter_map(|stored| {
            let rule: Rule = serde_json::from_str(&stored.body).ok()?;
            let formula = looked_at(&rule.formula, &definitions).ok();
            Some(RuleView { name: stored.name, rule, origin: stored.origin, formula })
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
    /// When a field is wrong, it is not there, or the configuration file has it.
    pub async fn change_alert(&self, name: &str, rule: &Rule) -> Result<(), DeskError> {
        self.own_alert(name).await?;
        let stored = self.checked_rule(name, rule).await?;
        self.store.change_alert_rule(&stored).await?;
        Ok(self.sampler.reload().await?)
    }

    /// Removes a rule; what it did stays in the history.
    ///
    /// # Errors
    /// When it is not there, or the configuration file has it.
    pub async fn remove_alert(&self, name: &str) -> Result<(), DeskError> {
        self.own_alert(name).await?;
        self.store.remove_alert_rule(name, clock::now_ms()).await?;
        Ok(self.sampler.reload().await?)
    }

    /// One that people may change here.
    async fn own_alert(&self, name: &str) -> Result<RuleView, DeskError> {
        let view = self.alert(name).await?;
        check_not_of_file(name, view.origin)?;
        Ok(view)
    }

    /// What a rule looks at, with what the derived statistics that it names are computed by.
    pub(super) async fn looked_at(&self, formula: &str) -> Result<Formula, DeskError> {
        let definitions: Vec<_> = self.store.derived().await?.iter().filter_map(Definition::of_stored).collect();
        looked_at(formula, &definitions).map_err(|error| DeskError::invalid("formula", error.to_string()))
    }

    async fn checked_rule(&self, name: &str, rule: &Rule) -> Result<StoredRule, DeskError> {
        rule.check(name).map_err(|(field, message)| DeskError::invalid(field, message))?;
        if !rule.formula.is_empty() {
            self.looked_at(&rule.formula).await?;
        }
        let known = self.store.destinations().await?;
        if let Some(missing) = rule.destinations.iter().find(|name| known.iter().all(|one| one.name != **name)) {
            return Err(DeskError::invalid("destinations", no_such_destination(missing)));
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
        let events = self.store.alerts_firing().await?;
        let rules = if events.is_empty() { Vec::new() } else { self.alerts().await? };
        let by_schedule = |event: &AlertEvent| {
            let rule = &rules.iter().find(|view| view.name == event.rule)?.rule;
            let to_ms = Some(rule.silent_until_ms(&event.box_name, now_ms)?);
            Some(Silence { silence_id: 0, rule: event.rule.clone(), box_id: None, from_ms: now_ms, to_ms, by_whom: None })
        };
        let with = |event: AlertEvent| {
            let silence = all.iter().find(|silence| silences(silence, &event.rule, event.box_id, now_ms)).cloned();
            Firing { silence: silence.or_else(|| by_schedule(&event)), event }
        };
        let firing = events.into_iter().map(with).collect();
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

    /// The alerts that fire, as far as this panel knows.
    #[must_use]
    pub fn firing_now(&self) -> FiringNow {
        self.sampler.shared().watching.firing()
    }

    pub(super) fn name_of(&self, box_id: i64) -> String {
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

    /// Silences a rule again and again, such as `weekly SUN 02:00 Europe/Berlin for 4h`. `end`: no more.
    ///
    /// # Errors
    /// When there is no such rule, the configuration file has it, or the text is wrong.
    pub async fn silence_by_schedule(&self, rule: &str, text: &str, end: bool) -> Result<(), DeskError> {
        let RuleView { name, mut rule, .. } = self.own_alert(rule).await?;
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        Quiet::parse(&text).map_err(|message| DeskError::invalid("schedule", message))?;
        rule.silences.retain(|known| *known != text);
        if !end {
            rule.silences.push(text);
        }
        self.change_alert(&name, &rule).await?;
        self.board.tell();
        Ok(())
    }

    /// What of a rule there is not, where that is known: of the boxes that it names, each with why; where it names none, why no box has it.
    #[must_use]
    pub fn missing(&self, view: &RuleView) -> Vec<(String, String)> {
        let RuleView { rule, formula: Some(formula), .. } = view else { return self.missing_boxes(&view.rule) };
        if formula.is_across() {
            let tried = self.board.try_formula(formula, None).err();
            return tried.map(|error| (String::new(), error.message)).into_iter().collect();
        }
        let mut missing = Vec::new();
        for entry in self.board.all() {
            let (name, is_for) = {
                let now = entry.lock();
                // What never gave an answer may have it.
                let has_answered = !now.layout.asked.is_empty();
                (now.stored.spec.name.clone(), has_answered && rule.boxes.are(&now.stored.spec.name, &now.stored.spec.labels))
            };
            if !is_for {
                continue;
            }
            match self.board.try_formula(formula, Some(&entry)) {
                // One that has it is enough, where none is named.
                Ok(_) if rule.boxes.names.is_empty() => return Vec::new(),
                Ok(_) => {}
                Err(error) => missing.push((name, error.message)),
            }
        }
        if rule.boxes.names.is_empty() {
            missing.truncate(1);
            missing.iter_mut().for_each(|(name, _)| name.clear());
        }
        missing.extend(self.missing_boxes(rule));
        missing
    }

    fn missing_boxes(&self, rule: &Rule) -> Vec<(String, String)> {
        let gone = rule.boxes.names.iter().filter(|name| self.board.find(name).is_none());
        gone.map(|name| (name.clone(), "there is no such box".to_owned())).collect()
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

    /// What the rules of alerts say of a series as it is told, and when they fired.
    pub(super) async fn alert_marks(
        &self,
        box_name: &str,
        full: &str,
        (mode, unit): (Mode, &str),
        (from_ms, to_ms): (i64, i64),
    ) -> Result<Vec<AlertMark>, DeskError> {
        let (box_id, labels) = {
            let entry = self.entry(box_name)?;
            let now = entry.lock();
            (now.stored.id, now.stored.spec.labels.clone())
        };
        let mut marks = Vec::new();
        for ready in self.sampler.shared().watching.naming(box_name, &labels, full).into_iter().take(MAX_MARKS) {
            let on = Some(box_id).filter(|_| !ready.is_across());
            let spans = self.store.alert_spans(&ready.name, on, (from_ms, to_ms), MAX_SPANS).await?;
            let fired = spans.into_iter().map(|(fired, ended)| Fired { from: fired.max(from_ms), to: ended.unwrap_or(to_ms).min(to_ms) });
            let is_told_so = match ready.looks_at(full) {
                Some(true) => mode == Mode::Rate,
                Some(false) => mode == Mode::Value,
                None => false,
            };
            let (above, below) = if is_told_so { ready.rule.condition.bounds() } else { (None, None) };
            marks.push(AlertMark { rule: ready.name.to_string(), unit: unit.to_owned(), above, below, fired: fired.collect() });
        }
        Ok(marks)
    }
}
