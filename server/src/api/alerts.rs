//! Alerts: list, add, look at, change, remove, silence, acknowledge; what fires, and what fired.

use std::sync::Arc;

use app::model::Origin;
use axum::{Json, extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Ask, Body, Path, ask::wrong};
use crate::{
    alerts::{Boxes, Condition, Rule, Severity},
    auth::Caller,
    clock,
    config::parse_duration,
    desk::{Firing, RuleView},
    http::App,
    problem::Problem,
    store::AlertEvent,
};

/// So much of the history is answered at once.
const MOST: u32 = 1_000;

/// A rule with its name.
#[derive(Serialize, ToSchema)]
pub(super) struct Alert {
    /// Its name.
    name: String,
    /// `panel`, or `config`.
    origin: Origin,
    /// What it looks at and there is not.
    missing: Vec<Missing>,
    /// What it says.
    #[serde(flatten)]
    rule: Rule,
}

/// What a rule looks at and there is not.
#[derive(Serialize, ToSchema)]
#[schema(as = AlertMissing)]
pub(super) struct Missing {
    /// On this box; `null`: on no box that the rule is for is there all of it.
    #[serde(rename = "box")]
    box_name: Option<String>,
    /// What there is not.
    reason: String,
}

/// All rules, in the order of their names.
#[derive(Serialize, ToSchema)]
pub(super) struct Alerts {
    items: Vec<Alert>,
}

/// A new rule.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewAlert {
    /// 1 to 64 of `A-Z a-z 0-9 _ - .`, and not `firing`, `history`, `preview` or `check`.
    name: String,
    /// A formula, as of derived statistics; left out where the condition is of the box itself.
    #[serde(default)]
    formula: String,
    /// What of it must not be.
    condition: Condition,
    /// How long it must be so, such as `30s`.
    #[serde(default)]
    hold: String,
    /// `info`, `warning` or `critical`.
    #[serde(default)]
    severity: Severity,
    /// The boxes; left out: all that have what it names.
    #[serde(default)]
    boxes: Boxes,
    /// What is said; `{value}`, `{box}` and `{rule}` stand for what they are.
    #[serde(default)]
    text: String,
    /// The destinations; left out: all.
    #[serde(default)]
    destinations: Vec<String>,
    /// How often it is told again while it fires and nobody acknowledged it, such as `4h`.
    #[serde(default)]
    repeat: String,
    /// When nobody is told, again and again, such as `weekly SUN 02:00 Europe/Berlin for 4h`.
    #[serde(default)]
    silences: Vec<String>,
    /// Whether it is not looked at.
    #[serde(default)]
    paused: bool,
}

/// What one does, and on which box.
#[derive(Serialize, ToSchema)]
pub(super) struct Fires {
    /// Stays the same from its begin to its end.
    id: i64,
    /// The rule.
    rule: String,
    /// The name that the box had.
    #[serde(rename = "box")]
    box_name: String,
    /// `info`, `warning` or `critical`.
    severity: String,
    /// What it says.
    text: String,
    /// The value by which it fired.
    value: Option<f64>,
    /// Since when it was broken, epoch milliseconds.
    since: i64,
    /// When it fired.
    fired: i64,
    /// When it was over; `null`: it fires.
    ended: Option<i64>,
    /// Who looks after it.
    acknowledged_by: Option<String>,
    /// Whether nobody is told of it.
    silenced: bool,
    /// Until when nobody is; `null`: until it is over.
    silenced_until: Option<i64>,
}

/// One that waits to fire.
#[derive(Serialize, ToSchema)]
pub(super) struct Pending {
    rule: String,
    #[serde(rename = "box")]
    box_name: String,
    /// Since when it is broken, epoch milliseconds.
    since: i64,
}

/// What fires, the newest first, and what is broken and did not fire yet.
#[derive(Serialize, ToSchema)]
pub(super) struct AllFiring {
    items: Vec<Fires>,
    pending: Vec<Pending>,
}

/// What fired, the newest first.
#[derive(Serialize, ToSchema)]
pub(super) struct History {
    items: Vec<Fires>,
}

/// For how long nobody is told.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SilenceAsk {
    /// The box; left out: all.
    #[serde(rename = "box")]
    box_name: Option<String>,
    /// Such as `2h`; left out: until it is over.
    #[serde(rename = "for")]
    span: Option<String>,
    /// When nobody is told, again and again, for as long as `for` says: `weekly SUN 02:00 Europe/Berlin` or `cron 0 2 1 * * UTC`.
    schedule: Option<String>,
    /// Nobody is silenced any more; with `schedule`: not by that.
    #[serde(default)]
    end: bool,
}

/// What somebody looks after.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AcknowledgeAsk {
    /// The box; left out: all.
    #[serde(rename = "box")]
    box_name: Option<String>,
}

/// How much that is.
#[derive(Serialize, ToSchema)]
pub(super) struct Acknowledged {
    acknowledged: u64,
}

/// A rule to be tried on the last week of a box.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PreviewAsk {
    /// The box.
    #[serde(rename = "box")]
    box_name: String,
    /// The rule.
    rule: Rule,
}

/// When it would have fired.
#[derive(Serialize, ToSchema)]
pub(super) struct PreviewAnswer {
    items: Vec<WouldFire>,
    /// Why nothing can be said.
    reason: Option<String>,
}

/// From when to when, epoch milliseconds.
#[derive(Serialize, ToSchema)]
pub(super) struct WouldFire {
    from: i64,
    to: i64,
    /// By which value.
    value: Option<f64>,
}

fn shown(app: &App, view: RuleView) -> Alert {
    let missing =
        app.desk.missing(&view).into_iter().map(|(name, reason)| Missing { box_name: Some(name).filter(|name| !name.is_empty()), reason });
    Alert { missing: missing.collect(), name: view.name, origin: view.origin, rule: view.rule }
}

fn fires(event: AlertEvent, silence: Option<crate::store::Silence>) -> Fires {
    let value = event.value();
    Fires {
        id: event.event_id,
        rule: event.rule,
        box_name: event.box_name,
        severity: event.severity,
        text: event.message,
        value,
        since: event.since_ms,
        fired: event.fired_ms,
        ended: event.ended_ms,
        acknowledged_by: event.acknowledged_by,
        silenced: silence.is_some(),
        silenced_until: silence.and_then(|silence| silence.to_ms),
    }
}

/// The rules.
#[utoipa::path(get, path = "/alerts", tag = "alerts", responses((status = 200, body = Alerts)))]
pub(super) async fn list(State(app): State<Arc<App>>) -> Result<Json<Alerts>, Problem> {
    Ok(Json(Alerts { items: app.desk.alerts().await?.into_iter().map(|view| shown(&app, view)).collect() }))
}

/// Adds a rule. It is put to every answer of its boxes from then on.
#[utoipa::path(post, path = "/alerts", tag = "alerts", request_body = NewAlert, responses(
    (status = 201, body = Alert), (status = 409, description = "The name is taken")))]
pub(super) async fn add(State(app): State<Arc<App>>, Body(new): Body<NewAlert>) -> Result<(StatusCode, Json<Alert>), Problem> {
    let NewAlert { name, formula, condition, hold, severity, boxes, text, destinations, repeat, silences, paused } = new;
    let rule = Rule { formula, condition, hold, severity, boxes, text, destinations, repeat, silences, paused };
    app.desk.add_alert(&name, &rule).await?;
    Ok((StatusCode::CREATED, Json(shown(&app, app.desk.alert(&name).await?))))
}

/// One rule.
#[utoipa::path(get, path = "/alerts/{name}", tag = "alerts", params(("name" = String, Path)),
    responses((status = 200, body = Alert), (status = 404, description = "No such alert")))]
pub(super) async fn get(State(app): State<Arc<App>>, Path(name): Path<String>) -> Result<Json<Alert>, Problem> {
    Ok(Json(shown(&app, app.desk.alert(&name).await?)))
}

/// Replaces what a rule says; what fires goes on until the new one says otherwise.
#[utoipa::path(put, path = "/alerts/{name}", tag = "alerts", params(("name" = String, Path)), request_body = Rule,
    responses((status = 200, body = Alert), (status = 404, description = "No such alert")))]
pub(super) async fn change(State(app): State<Arc<App>>, Path(name): Path<String>, Body(rule): Body<Rule>) -> Result<Json<Alert>, Problem> {
    app.desk.alert(&name).await?;
    app.desk.change_alert(&name, &rule).await?;
    Ok(Json(shown(&app, app.desk.alert(&name).await?)))
}

/// Removes a rule; what it did stays in the history.
#[utoipa::path(delete, path = "/alerts/{name}", tag = "alerts", params(("name" = String, Path)),
    responses((status = 204, description = "Removed"), (status = 404, description = "No such alert")))]
pub(super) async fn remove(State(app): State<Arc<App>>, Path(name): Path<String>) -> Result<StatusCode, Problem> {
    app.desk.remove_alert(&name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What fires, and what is broken and did not fire yet.
#[utoipa::path(get, path = "/alerts/firing", tag = "alerts", responses((status = 200, body = AllFiring)))]
pub(super) async fn firing(State(app): State<Arc<App>>) -> Result<Json<AllFiring>, Problem> {
    let (firing, pending) = app.desk.firing().await?;
    let items = firing.into_iter().map(|Firing { event, silence }| fires(event, silence)).collect();
    let pending = pending.into_iter().map(|(rule, box_name, since)| Pending { rule, box_name, since }).collect();
    Ok(Json(AllFiring { items, pending }))
}

/// What fired in a span.
#[utoipa::path(get, path = "/alerts/history", tag = "alerts", params(
    ("from" = Option<String>, Query, description = "RFC 3339 or epoch milliseconds"),
    ("to" = Option<String>, Query, description = "RFC 3339 or epoch milliseconds; now when left out"),
    ("span" = Option<String>, Query, description = "Instead of `from`: `24h` when left out"),
    ("limit" = Option<u32>, Query, description = "At most so many, 100 when left out")),
    responses((status = 200, body = History)))]
pub(super) async fn history(State(app): State<Arc<App>>, ask: Ask) -> Result<Json<History>, Problem> {
    let (from_ms, to_ms) = ask.span(clock::now_ms())?;
    let most = ask.number("limit", 100, 1..=MOST)?;
    let events = app.desk.alert_history(from_ms, to_ms, i64::from(most)).await?;
    Ok(Json(History { items: events.into_iter().map(|event| fires(event, None)).collect() }))
}

/// Nobody is told of a rule for a while, on one box or on all; what fires is shown all the same.
#[utoipa::path(post, path = "/alerts/{name}/silence", tag = "alerts", params(("name" = String, Path)), request_body = SilenceAsk,
    responses((status = 204, description = "So it is"), (status = 404, description = "No such alert or box")))]
pub(super) async fn silence(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
    Body(ask): Body<SilenceAsk>,
) -> Result<StatusCode, Problem> {
    if let Some(schedule) = &ask.schedule {
        let length = ask.span.as_deref().ok_or_else(|| wrong("for", "is needed beside schedule: how long nobody is told each time"))?;
        let on = ask.box_name.as_ref().map(|name| format!(" on {name}")).unwrap_or_default();
        app.desk.silence_by_schedule(&name, &format!("{schedule} for {length}{on}"), ask.end).await?;
        return Ok(StatusCode::NO_CONTENT);
    }
    let span = ask.span.as_deref().map(parse_duration).transpose().map_err(|message| wrong("for", &message))?;
    app.desk.silence(&name, ask.box_name.as_deref(), span, ask.end, &caller.who()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Somebody looks after what fires of a rule: it is not told again, until it fires anew.
#[utoipa::path(post, path = "/alerts/{name}/acknowledge", tag = "alerts", params(("name" = String, Path)), request_body = AcknowledgeAsk,
    responses((status = 200, body = Acknowledged), (status = 404, description = "No such alert or box")))]
pub(super) async fn acknowledge(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
    Body(ask): Body<AcknowledgeAsk>,
) -> Result<Json<Acknowledged>, Problem> {
    let acknowledged = app.desk.acknowledge(&name, ask.box_name.as_deref(), &caller.who()).await?;
    Ok(Json(Acknowledged { acknowledged }))
}

/// When a rule would have fired on a box in the last week. Nothing is changed.
#[utoipa::path(post, path = "/alerts/preview", tag = "alerts", request_body = PreviewAsk,
    responses((status = 200, body = PreviewAnswer), (status = 404, description = "No such box")))]
pub(super) async fn preview(State(app): State<Arc<App>>, Body(ask): Body<PreviewAsk>) -> Result<Json<PreviewAnswer>, Problem> {
    let preview = app.desk.preview(&ask.rule, &ask.box_name).await?;
    let items = preview.spans.into_iter().map(|(from, to, value)| WouldFire { from, to, value }).collect();
    Ok(Json(PreviewAnswer { items, reason: preview.reason }))
}
