//! Takes in what rules did on polls that came late: it gets its place in the history beside what was kept meanwhile, once. It must not know
//! what a rule means.

use sqlx::AnyConnection;

use super::alerts::{AlertEvent, EVENT};
use super::deliveries::insert_deliveries;
use super::news::insert_news;
use super::tier::Tier;
use super::{Store, StoreError, ToTell};

/// What is new by polls that came late.
#[derive(Clone, Debug, PartialEq)]
pub struct LateEvent {
    /// What fired.
    pub event: AlertEvent,
    /// That it fired is new; else that it is over.
    pub is_new: bool,
}

/// What a rule did on a box, by polls that came late.
#[derive(Clone, Debug, PartialEq)]
pub struct LateAlert {
    /// The rule.
    pub rule: String,
    /// How bad it is.
    pub severity: String,
    /// What it says.
    pub message: String,
    /// The value by which it fired.
    pub value: Option<f64>,
    /// Since when it was broken, epoch milliseconds.
    pub since_ms: i64,
    /// When it fired.
    pub fired_ms: i64,
    /// When it was over; none: not by then.
    pub ended_ms: Option<i64>,
    /// It fired before these polls, and was kept then.
    pub is_known: bool,
    /// Whether somebody is told.
    pub told: bool,
}

/// What rules did on a box, by polls that came late.
#[derive(Clone, Debug, Default)]
pub struct LateAlerts {
    /// The box.
    pub box_id: i64,
    /// The name of the box.
    pub box_name: String,
    /// What they did, in its order.
    pub alerts: Vec<LateAlert>,
    /// Since when each was broken at the end, and not for long enough; none: it was not.
    pub pending: Vec<(String, Option<i64>)>,
    /// The time of the last poll, epoch milliseconds.
    pub last_ms: i64,
    /// This panel looks at the box from there on, and did not begin.
    pub goes_on: bool,
    /// What another panel saw begin so soon after the end is what was not over by then, milliseconds.
    pub within_ms: i64,
}

impl Store {
    /// How rules stood on a box at an instant, as far as that is known still: since when, and whether they fired.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn alert_turns_at(&self, box_id: i64, at_ms: i64) -> Result<Vec<(String, i64, bool)>, StoreError> {
        let fired = "select rule, since_ms from alert_event where box_id = $1 and fired_ms <= $2 and (ended_ms is null or ended_ms >= $2)";
        let pending = "select rule, since_ms from alert_state where box_id = $1 and since_ms <= $2 and event_id is null";
        let mut turns = Vec::new();
        for (select, fires) in [(pending, false), (fired, true)] {
            let rows: Vec<(String, i64)> = sqlx::query_as(select).bind(box_id).bind(at_ms).fetch_all(&self.inner.read).await?;
            turns.extend(rows.into_iter().map(|(rule, since_ms)| (rule, since_ms, fires)));
        }
        Ok(turns)
    }

    /// Keeps what rules did on polls that came late, with the messages that `tell` makes of it, all or none. What was kept already stays as
    /// it is, or begins or ends earlier. Answers what is new.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn keep_late_alerts(
        &self,
        late: &LateAlerts,
        tell: impl FnOnce(&[LateEvent]) -> ToTell,
        now_ms: i64,
    ) -> Result<Vec<LateEvent>, StoreError> {
        let outcome = self.try_keep_late_alerts(late, tell, now_ms).await;
        self.note(outcome)
    }

    async fn try_keep_late_alerts(
        &self,
        late: &LateAlerts,
        tell: impl FnOnce(&[LateEvent]) -> ToTell,
        now_ms: i64,
    ) -> Result<Vec<LateEvent>, StoreError> {
        let mut change = self.begin_write().await?;
        if self.is_shared() {
            // Whoever has the box keeps what its rules do before this, or after.
            let lock = sqlx::query("select box_id from lease where box_id = $1 for update").bind(late.box_id);
            lock.execute(&mut *change).await?;
        }
        let goes_on = late.goes_on && self.has_lease(&mut change, late.box_id).await?;
        let end_ms = if goes_on { None } else { Some(next_poll(&mut change, late).await?.unwrap_or(late.last_ms)) };
        let mut new = Vec::new();
        for alert in &late.alerts {
            if let Some((event, is_new)) = keep(&mut change, late, alert, end_ms).await? {
                let select = format!("select {EVENT} from alert_event where event_id = $1");
                let event = sqlx::query_as(sqlx::AssertSqlSafe(select)).bind(event).fetch_one(&mut *change).await?;
                new.push(LateEvent { event, is_new });
            }
        }
        if goes_on {
            for (rule, since_ms) in &late.pending {
                let delete = sqlx::query("delete from alert_state where rule = $1 and box_id = $2 and event_id is null");
                delete.bind(rule).bind(late.box_id).execute(&mut *change).await?;
                if let Some(since_ms) = since_ms {
                    let insert =
                        "insert into alert_state (rule, box_id, since_ms) values ($1, $2, $3) on conflict (rule, box_id) do nothing";
                    sqlx::query(insert).bind(rule).bind(late.box_id).bind(since_ms).execute(&mut *change).await?;
                }
            }
        }
        let ToTell { deliveries, news } = tell(&new);
        insert_deliveries(&mut change, &deliveries, now_ms).await?;
        insert_news(&mut change, &news).await?;
        change.commit().await?;
        Ok(new)
    }
}

/// When the box was polled next, by whoever had it then.
async fn next_poll(change: &mut AnyConnection, late: &LateAlerts) -> Result<Option<i64>, StoreError> {
    let head = sqlx::query_scalar("select min(at_ms) from head where box_id = $1 and at_ms > $2").bind(late.box_id).bind(late.last_ms);
    let head: Option<i64> = head.fetch_one(&mut *change).await?;
    let span = "select min(start_ms) from span where box_id = $1 and start_ms > $2 and tier = $3";
    let span = sqlx::query_scalar(span).bind(late.box_id).bind(late.last_ms).bind(Tier::RAW);
    let span: Option<i64> = span.fetch_one(&mut *change).await?;
    Ok(head.into_iter().chain(span).min())
}

/// Keeps one. `end_ms`: when it was over at the latest; none: it may go on. Answers its number where it is news, and whether it is new itself.
async fn keep(
    change: &mut AnyConnection,
    late: &LateAlerts,
    alert: &LateAlert,
    end_ms: Option<i64>,
) -> Result<Option<(i64, bool)>, StoreError> {
    let LateAlert { rule, since_ms, fired_ms, .. } = alert;
    let ended_ms = alert.ended_ms.or(end_ms);
    let same = "select event_id, since_ms, fired_ms, ended_ms from alert_event where rule = $1 and box_id = $2 and since_ms <= $3 and \
                (ended_ms is null or ended_ms >= $4) order by since_ms limit 1";
    let latest_ms = alert.ended_ms.or(end_ms.map(|end_ms| end_ms.saturating_add(late.within_ms))).unwrap_or(i64::MAX);
    let same = sqlx::query_as(same).bind(rule).bind(late.box_id).bind(latest_ms).bind(since_ms);
    let same: Option<(i64, i64, i64, Option<i64>)> = same.fetch_optional(&mut *change).await?;
    let Some((event, since_before_ms, fired_before_ms, ended_before_ms)) = same else {
        return if alert.is_known { Ok(None) } else { Ok(Some((insert(change, late, alert, ended_ms).await?, true))) };
    };
    // Whoever had the box then saw it go on: it is not over by these polls, but where the same panel goes on after them.
    let is_end = alert.ended_ms.filter(|_| since_before_ms <= *since_ms && (ended_before_ms.is_some() || end_ms.is_none()));
    let ended_ms = is_end.map_or(ended_before_ms, |end| Some(ended_before_ms.map_or(end, |before| before.min(end))));
    let fired_ms = if alert.is_known { fired_before_ms } else { fired_before_ms.min(*fired_ms) };
    let update = "update alert_event set since_ms = $1, fired_ms = $2, ended_ms = $3 where event_id = $4";
    let update = sqlx::query(update).bind(since_before_ms.min(*since_ms)).bind(fired_ms).bind(ended_ms).bind(event);
    update.execute(&mut *change).await?;
    if ended_before_ms.is_some() || ended_ms.is_none() {
        return Ok(None);
    }
    let delete = sqlx::query("delete from alert_state where rule = $1 and box_id = $2 and event_id = $3");
    delete.bind(rule).bind(late.box_id).bind(event).execute(&mut *change).await?;
    Ok(Some((event, false)))
}

async fn insert(change: &mut AnyConnection, late: &LateAlerts, alert: &LateAlert, ended_ms: Option<i64>) -> Result<i64, StoreError> {
    let insert = "insert into alert_event (rule, box_id, box_name, severity, message, value, since_ms, fired_ms, ended_ms, told, told_ms) \
                  values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $8) returning event_id";
    let insert = sqlx::query_scalar(insert).bind(&alert.rule).bind(late.box_id).bind(&late.box_name).bind(&alert.severity);
    let insert = insert.bind(&alert.message).bind(alert.value.map(|value| value.to_string())).bind(alert.since_ms).bind(alert.fired_ms);
    let event: i64 = insert.bind(ended_ms).bind(i64::from(alert.told)).fetch_one(&mut *change).await?;
    if ended_ms.is_none() {
        let state = "insert into alert_state (rule, box_id, since_ms, event_id) values ($1, $2, $3, $4) \
                     on conflict (rule, box_id) do update set since_ms = excluded.since_ms, event_id = excluded.event_id";
        sqlx::query(state).bind(&alert.rule).bind(late.box_id).bind(alert.since_ms).bind(event).execute(change).await?;
    }
    Ok(event)
}
