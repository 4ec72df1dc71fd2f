//! How rules of alerts stand, what they did, and who is silenced. It must not know what a rule means.

use sqlx::FromRow;

use super::deliveries::{NewDelivery, insert_deliveries};
use super::news::{AlertNews, insert_news};
use super::{Store, StoreError};

/// How a rule stands on a box where it is not well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertTurn {
    /// The rule.
    pub rule: String,
    /// Since when it is broken, epoch milliseconds.
    pub since_ms: i64,
    /// Whether it fires.
    pub fires: bool,
}

/// What became of a rule on a box, to be kept.
#[derive(Clone, Debug)]
pub struct AlertStep {
    /// The rule.
    pub rule: String,
    /// The box.
    pub box_id: i64,
    /// How it stands from now on.
    pub to: StepTo,
    /// When, epoch milliseconds.
    pub at_ms: i64,
}

/// How a rule stands from now on.
#[derive(Clone, Debug)]
pub enum StepTo {
    /// Broken since an instant, and not for long enough.
    Pending(i64),
    /// It fires; what there is to say of it.
    Firing {
        /// Since when it is broken.
        since_ms: i64,
        /// The name of the box.
        box_name: String,
        /// How bad it is.
        severity: String,
        /// What it says.
        message: String,
        /// The value.
        value: Option<f64>,
        /// Whether somebody is told.
        told: bool,
    },
    /// It is well.
    Fine,
}

/// What became of a step.
#[derive(Clone, Debug, PartialEq)]
pub enum KeptStep {
    /// It was kept before, or is another panel's.
    Same,
    /// It is broken, and did not fire yet.
    Pending,
    /// It was, and did not fire.
    Calm,
    /// It fires, or that is over.
    Event(Box<AlertEvent>),
}

impl KeptStep {
    /// What fires, or did.
    #[must_use]
    pub fn event(&self) -> Option<&AlertEvent> {
        match self {
            Self::Event(event) => Some(event.as_ref()),
            _ => None,
        }
    }
}

/// What is told of steps, in their transaction.
#[derive(Clone, Debug, Default)]
pub struct ToTell {
    /// To destinations.
    pub deliveries: Vec<NewDelivery>,
    /// To scripts.
    pub news: Vec<AlertNews>,
}

/// What a rule did on a box.
#[derive(Clone, Debug, PartialEq, FromRow)]
pub struct AlertEvent {
    /// Its number.
    pub event_id: i64,
    /// The rule.
    pub rule: String,
    /// The box.
    pub box_id: i64,
    /// The name that the box had.
    pub box_name: String,
    /// How bad it was.
    pub severity: String,
    /// What it said.
    pub message: String,
    value: Option<String>,
    /// Since when it was broken, epoch milliseconds.
    pub since_ms: i64,
    /// When it fired.
    pub fired_ms: i64,
    /// When it was over; none: it fires.
    pub ended_ms: Option<i64>,
    told: i64,
    /// When it was told last.
    pub told_ms: Option<i64>,
    /// Who looks after it.
    pub acknowledged_by: Option<String>,
    /// Since when.
    pub acknowledged_ms: Option<i64>,
}

impl AlertEvent {
    /// The value by which it fired.
    #[must_use]
    pub fn value(&self) -> Option<f64> {
        self.value.as_ref().and_then(|text| text.parse().ok())
    }

    /// What scripts are told of it.
    #[must_use]
    pub fn news(&self, state: &str, at_ms: i64) -> AlertNews {
        AlertNews {
            rule: self.rule.clone(),
            box_name: self.box_name.clone(),
            state: state.to_owned(),
            severity: self.severity.clone(),
            text: self.message.clone(),
            value: self.value(),
            at_ms,
        }
    }

    /// Whether somebody was told.
    #[must_use]
    pub fn was_told(&self) -> bool {
        self.told != 0
    }
}

/// Nobody is told of a rule.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Silence {
    /// Its number.
    pub silence_id: i64,
    /// The rule.
    pub rule: String,
    /// The box; none: on all.
    pub box_id: Option<i64>,
    /// From when on, epoch milliseconds.
    pub from_ms: i64,
    /// Until when; none: until it is over.
    pub to_ms: Option<i64>,
    /// Who wanted it.
    pub by_whom: Option<String>,
}

pub(super) const EVENT: &str = "event_id, rule, box_id, box_name, severity, message, value, since_ms, fired_ms, ended_ms, told, told_ms, acknowledged_by, \
                     acknowledged_ms";

impl Store {
    /// How rules stand on a box, where they are not well.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn alert_turns(&self, box_id: i64) -> Result<Vec<AlertTurn>, StoreError> {
        let select = sqlx::query_as("select rule, since_ms, event_id from alert_state where box_id = $1").bind(box_id);
        let rows: Vec<(String, i64, Option<i64>)> = select.fetch_all(&self.inner.read).await?;
        let turn = |(rule, since_ms, event): (String, i64, Option<i64>)| AlertTurn { rule, since_ms, fires: event.is_some() };
        Ok(rows.into_iter().map(turn).collect())
    }

    /// Keeps what became of rules, with the messages that `tell` makes of it, all or none. A step that another panel has the box for by now,
    /// or that was kept already, is left out.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn keep_alert_steps(
        &self,
        steps: &[AlertStep],
        tell: impl FnOnce(&[KeptStep]) -> ToTell,
        now_ms: i64,
    ) -> Result<Vec<KeptStep>, StoreError> {
        let outcome = self.try_keep_alert_steps(steps, tell, now_ms).await;
        self.note(outcome)
    }

    async fn try_keep_alert_steps(
        &self,
        steps: &[AlertStep],
        tell: impl FnOnce(&[KeptStep]) -> ToTell,
        now_ms: i64,
    ) -> Result<Vec<KeptStep>, StoreError> {
        let mut change = self.begin_write().await?;
        let mut kept = Vec::with_capacity(steps.len());
        for step in steps {
            let is_mine = self.has_lease(&mut change, step.box_id).await?;
            kept.push(if is_mine { self.keep_step(&mut change, step).await? } else { KeptStep::Same });
        }
        let ToTell { deliveries, news } = tell(&kept);
        insert_deliveries(&mut change, &deliveries, now_ms).await?;
        insert_news(&mut change, &news).await?;
        change.commit().await?;
        Ok(kept)
    }

    /// Whether this panel polls the box still, as the server sees it.
    pub(super) async fn has_lease(&self, change: &mut sqlx::AnyConnection, box_id: i64) -> Result<bool, StoreError> {
        if !self.is_shared() {
            return Ok(true);
        }
        let select = sqlx::query_scalar("select generation from lease where box_id = $1 for share").bind(box_id);
        let generation: Option<i64> = select.fetch_optional(change).await?;
        Ok(generation.is_some() && generation == self.lease(box_id))
    }

    async fn keep_step(&self, change: &mut sqlx::AnyConnection, step: &AlertStep) -> Result<KeptStep, StoreError> {
        let AlertStep { rule, box_id, to, at_ms } = step;
        let select = sqlx::query_scalar("select event_id from alert_state where rule = $1 and box_id = $2").bind(rule).bind(box_id);
        let before: Option<Option<i64>> = select.fetch_optional(&mut *change).await?;
        match to {
            StepTo::Pending(since_ms) => {
                if before.is_some() {
                    return Ok(KeptStep::Same);
                }
                let insert = sqlx::query("insert into alert_state (rule, box_id, since_ms) values ($1, $2, $3)");
                insert.bind(rule).bind(box_id).bind(since_ms).execute(change).await?;
                Ok(KeptStep::Pending)
            }
            StepTo::Firing { .. } if before.flatten().is_some() => Ok(KeptStep::Same),
            StepTo::Firing { since_ms, box_name, severity, message, value, told } => {
                let insert = "insert into alert_event (rule, box_id, box_name, severity, message, value, since_ms, fired_ms, told, told_ms) \
                              values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $8) returning event_id";
                let insert = sqlx::query_scalar(insert).bind(rule).bind(box_id).bind(box_name).bind(severity).bind(message);
                let insert = insert.bind(value.map(|value| value.to_string())).bind(since_ms).bind(at_ms).bind(i64::from(*told));
                let event: i64 = insert.fetch_one(&mut *change).await?;
                sqlx::query("delete from alert_state where rule = $1 and box_id = $2")
                    .bind(rule)
                    .bind(box_id)
                    .execute(&mut *change)
                    .await?;
                let state = sqlx::query("insert into alert_state (rule, box_id, since_ms, event_id) values ($1, $2, $3, $4)");
                state.bind(rule).bind(box_id).bind(since_ms).bind(event).execute(&mut *change).await?;
                self.event_in(change, event).await
            }
            StepTo::Fine => {
                sqlx::query("delete from alert_state where rule = $1 and box_id = $2")
                    .bind(rule)
                    .bind(box_id)
                    .execute(&mut *change)
                    .await?;
                let Some(before) = before else { return Ok(KeptStep::Same) };
                let Some(event) = before else { return Ok(KeptStep::Calm) };
                let end = sqlx::query("update alert_event set ended_ms = $1 where event_id = $2 and ended_ms is null");
                end.bind(at_ms).bind(event).execute(&mut *change).await?;
                // Silenced until it is over: it is.
                let once = "delete from alert_silence where rule = $1 and to_ms is null and (box_id is null or box_id = $2)";
                sqlx::query(once).bind(rule).bind(box_id).execute(&mut *change).await?;
                self.event_in(change, event).await
            }
        }
    }

    async fn event_in(&self, view: &mut sqlx::AnyConnection, event: i64) -> Result<KeptStep, StoreError> {
        let select = format!("select {EVENT} from alert_event where event_id = $1");
        let event = sqlx::query_as(sqlx::AssertSqlSafe(select)).bind(event).fetch_optional(view).await?;
        Ok(event.map_or(KeptStep::Same, |event| KeptStep::Event(Box::new(event))))
    }

    /// What fires, the newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn alerts_firing(&self) -> Result<Vec<AlertEvent>, StoreError> {
        let select = format!("select {EVENT} from alert_event where ended_ms is null order by fired_ms desc, event_id desc");
        Ok(sqlx::query_as(sqlx::AssertSqlSafe(select)).fetch_all(&self.inner.read).await?)
    }

    /// What waits to fire: rule, box, and since when.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn alerts_pending(&self) -> Result<Vec<(String, i64, i64)>, StoreError> {
        let select = "select rule, box_id, since_ms from alert_state where event_id is null order by since_ms desc";
        Ok(sqlx::query_as(select).fetch_all(&self.inner.read).await?)
    }

    /// Somebody looks after what fires of a rule, on one box or on all; answers how much that is.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn acknowledge(&self, rule: &str, box_id: Option<i64>, who: &str, now_ms: i64) -> Result<u64, StoreError> {
        let mut change = self.begin_change().await?;
        let update = format!(
            "update alert_event set acknowledged_by = $1, acknowledged_ms = $2 \
             where rule = $3 and ended_ms is null and box_id = coalesce($4, box_id) returning {EVENT}"
        );
        let update = sqlx::query_as(sqlx::AssertSqlSafe(update)).bind(who).bind(now_ms).bind(rule).bind(box_id);
        let events: Vec<AlertEvent> = update.fetch_all(&mut *change).await?;
        let news: Vec<AlertNews> = events.iter().map(|event| event.news("acknowledged", now_ms)).collect();
        insert_news(&mut change, &news).await?;
        change.commit().await?;
        Ok(events.len() as u64)
    }

    /// Says again what fires, when nobody did since `before_ms`, and tells it by `deliveries`. Says whether it was this that said it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn tell_again(&self, event: &AlertEvent, deliveries: &[NewDelivery], now_ms: i64) -> Result<bool, StoreError> {
        let mut change = self.begin_write().await?;
        let update = "update alert_event set told_ms = $1, told = 1 where event_id = $2 and told_ms = $3 and ended_ms is null";
        let update = sqlx::query(update).bind(now_ms).bind(event.event_id).bind(event.told_ms).execute(&mut *change).await?;
        if update.rows_affected() == 0 {
            return Ok(false);
        }
        insert_deliveries(&mut change, deliveries, now_ms).await?;
        change.commit().await?;
        Ok(true)
    }

    /// The silences that are not over.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn silences(&self, now_ms: i64) -> Result<Vec<Silence>, StoreError> {
        let select = "select silence_id, rule, box_id, from_ms, to_ms, by_whom from alert_silence \
                      where to_ms is null or to_ms > $1 order by silence_id";
        Ok(sqlx::query_as(select).bind(now_ms).fetch_all(&self.inner.read).await?)
    }

    /// Silences a rule, in place of what silenced the same before; `to_ms` none: until it is over. `end`: it is silenced no more.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn silence(&self, silence: &Silence, end: bool) -> Result<(), StoreError> {
        let mut change = self.begin_change().await?;
        let delete = sqlx::query("delete from alert_silence where rule = $1 and coalesce(box_id, 0) = coalesce($2, 0)");
        delete.bind(&silence.rule).bind(silence.box_id).execute(&mut *change).await?;
        if !end {
            let insert = "insert into alert_silence (rule, box_id, from_ms, to_ms, by_whom) values ($1, $2, $3, $4, $5)";
            let insert = sqlx::query(insert).bind(&silence.rule).bind(silence.box_id).bind(silence.from_ms).bind(silence.to_ms);
            insert.bind(silence.by_whom.as_deref()).execute(&mut *change).await?;
        }
        Ok(change.commit().await?)
    }

    /// What fires of rules on boxes that are no more is over.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end_alerts_of_removed_boxes(&self, now_ms: i64) -> Result<(), StoreError> {
        let mut change = self.begin_write().await?;
        let gone = "select box_id from box where removed_ms is null";
        let end = format!("update alert_event set ended_ms = $1 where ended_ms is null and box_id not in ({gone})");
        sqlx::query(sqlx::AssertSqlSafe(end)).bind(now_ms).execute(&mut *change).await?;
        let states = format!("delete from alert_state where box_id not in ({gone})");
        sqlx::query(sqlx::AssertSqlSafe(states)).execute(&mut *change).await?;
        Ok(change.commit().await?)
    }
}
