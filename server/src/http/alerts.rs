//! What the page of alerts shows, from what the desk knows.

use app::{
    chart::{self, Chart, How, Line, Palette},
    model::{
        AlertForm, AlertMark, AlertRow, AlertsPage, BoxKind, DestinationForm, DestinationRow, Fired, FiringRow, MessageRow, Mode, Origin,
        Series,
    },
};

use super::App;
use crate::{
    alerts::{Destination, DestinationKind, Message, Rule},
    catalogue, clock,
    desk::{Desk, RuleView},
    problem::Problem,
    store::{AlertEvent, Delivery, Silence},
};

/// So much of the history is shown, of so long.
const MOST: i64 = 50;
const SINCE_MS: i64 = 7 * 24 * 3_600_000;
/// So many messages are shown.
const MESSAGES: i64 = 20;
/// The chart of the last week, in pixels.
const WEEK: (u32, u32) = (960, 220);
/// All of it, with forms as they were filled in.
pub(super) async fn page(app: &App, form: AlertForm, destination: DestinationForm, box_name: &str) -> Result<AlertsPage, Problem> {
    let now_ms = clock::now_ms();
    let boxes: Vec<(String, BoxKind)> =
        app.desk.board.all().iter().map(|entry| entry.lock()).map(|now| (now.stored.spec.name.clone(), now.stored.spec.kind)).collect();
    let chosen = boxes.iter().find(|(name, _)| name == box_name);
    let chosen = chosen.or_else(|| boxes.iter().find(|(_, kind)| *kind != BoxKind::Tickmark)).or_else(|| boxes.first());
    let (box_name, kind) = chosen.cloned().unwrap_or((String::new(), BoxKind::Tickmark));
    let (firing, pending) = app.desk.firing().await?;
    let has_box = |name: &str| boxes.iter().any(|(known, _)| known == name);
    let row = |event: AlertEvent, silence: Option<Silence>| FiringRow {
        has_box: has_box(&event.box_name),
        rule: event.rule,
        box_name: event.box_name,
        severity: event.severity,
        text: event.message,
        fired_ms: event.fired_ms,
        ended_ms: event.ended_ms,
        acknowledged_by: event.acknowledged_by,
        silenced: silence.map(|silence| silence.to_ms),
    };
    let rules = app.desk.alerts().await?;
    let fires = |name: &str| firing.iter().filter(|one| one.event.rule == name).count();
    let rows = rules.iter().map(|view| alert_row(&app.desk, view, fires(&view.name))).collect();
    let ready = catalogue::alerts().iter().filter(|ready| ready.is_for(kind));
    let ready = ready.map(|ready| (ready.name.clone(), ready.title.clone(), rules.iter().any(|view| view.name == ready.name)));
    let destinations = app.desk.destinations().await?;
    let lacks_pictures = !app.pictures.are_offered() && destinations.iter().any(|view| !view.destination.carries_pictures());
    let destinations = destinations.into_iter().map(|view| DestinationRow {
        kind: serde_json::to_value(view.destination.kind).ok().and_then(|kind| kind.as_str().map(str::to_owned)).unwrap_or_default(),
        place: place(&view.destination),
        newest: view.failing.as_ref().map(|failing| waits(failing, view.waiting)).or_else(|| view.newest.as_ref().map(state)),
        is_of_file: view.origin == Origin::Config,
        paused: view.destination.paused,
        name: view.name,
    });
    let messages = app.desk.deliveries(None, MESSAGES).await?.into_iter().map(|delivery| MessageRow {
        state: state(&delivery),
        title: serde_json::from_str::<Message>(&delivery.body).map(|message| message.title()).unwrap_or_default(),
        made_ms: delivery.made_ms,
        destination: delivery.destination,
    });
    let history = app.desk.alert_history(now_ms - SINCE_MS, now_ms + 1, MOST).await?;
    Ok(AlertsPage {
        rules: rows,
        ready: ready.collect(),
        destinations: destinations.collect(),
        lacks_pictures,
        messages: messages.collect(),
        history: history.into_iter().map(|event| row(event, None)).collect(),
        firing: firing.into_iter().map(|one| row(one.event, one.silence)).collect(),
        pending,
        box_name,
        form,
        destination,
        now_ms,
        boxes: boxes.iter().map(|(name, _)| name.clone()).collect(),
    })
}

fn alert_row(desk: &Desk, view: &RuleView, fires: usize) -> AlertRow {
    let rule = &view.rule;
    let hold = if rule.hold_ms() == 0 { String::new() } else { format!(" for {}", rule.hold) };
    let labels: Vec<String> = rule.boxes.labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let boxes: Vec<String> = rule.boxes.names.iter().cloned().chain(labels).collect();
    AlertRow {
        name: view.name.clone(),
        formula: rule.formula.clone(),
        condition: format!("{}{hold}", rule.condition.words()),
        severity: rule.severity.as_str().to_owned(),
        boxes: if boxes.is_empty() { "all".to_owned() } else { boxes.join(", ") },
        paused: rule.paused,
        origin: view.origin,
        fires,
        silences: rule.silences.clone(),
        missing: desk.missing(view),
    }
}

/// Where a destination is, without what is secret.
fn place(destination: &Destination) -> String {
    match destination.kind {
        DestinationKind::Mail => format!("{} by {}", destination.to, destination.server),
        DestinationKind::Telegram => format!("chat {}", destination.to),
        _ => destination.url.clone(),
    }
}

/// What keeps a destination from being told, and how much waits.
fn waits(failing: &Delivery, waiting: i64) -> (String, bool) {
    let more = if waiting > 1 { format!(" ({waiting} messages wait)") } else { String::new() };
    (format!("fails: {}{more}", state(failing).0), true)
}

/// What became of a message, and whether that is bad.
fn state(delivery: &Delivery) -> (String, bool) {
    match (delivery.done_ms, &delivery.reason) {
        (Some(_), None) => ("arrived".to_owned(), false),
        (Some(_), Some(reason)) => (format!("given up: {reason}"), true),
        (None, Some(reason)) => (format!("tried {} times, and again: {reason}", delivery.tries), true),
        (None, None) => ("on its way".to_owned(), false),
    }
}

/// The chart of what a rule looked at in the last week, with its bounds, and when it would have fired.
pub(super) fn week(rule: &Rule, series: &Series, spans: &[(i64, i64, Option<f64>)]) -> String {
    let (above, below) = rule.condition.bounds();
    let fired = spans.iter().map(|&(from, to, _)| Fired { from, to }).collect();
    let alerts = [AlertMark { rule: String::new(), unit: String::new(), above, below, fired }];
    chart::draw(&Chart {
        lines: &[Line { label: &rule.formula, columns: &series.columns, gaps: &series.gaps, unit: "" }],
        before: None,
        gaps: &series.gaps,
        resets: &series.resets,
        from_ms: series.from,
        to_ms: series.to,
        mode: Mode::Value,
        how: How { alerts: &alerts, ..How::default() },
        unit: "",
        width: WEEK.0,
        height: WEEK.1,
        palette: Palette::Page,
        offset_ms: &|_| 0,
        zone: "UTC",
        with_facts: false,
    })
}
