//! The page of alerts and its forms. Each does what the API does.

use std::{collections::BTreeMap, time::Duration};

use app::{
    format,
    model::{AlertForm, DestinationForm, Page, Tab},
};
use axum::{
    extract::{Request, State},
    http::{HeaderMap, StatusCode, Uri},
    response::Response,
};

use super::{
    App, Shared,
    alerts::{page, week},
    forms::Form,
    render::{self, back},
};
use crate::{
    alerts::{Boxes, Condition, Destination, DestinationKind, Rule, Severity, Tls},
    api::Ask,
    auth::Caller,
    catalogue,
    desk::{DeskError, RuleView},
    problem::Problem,
    source::Secret,
};

const HERE: &str = "/cp/alerts";
/// The button silences for so long.
const SILENCED: Duration = Duration::from_secs(3_600);

/// Alerts; `edit` fills the form with a rule, `formula` with a formula.
pub(super) async fn alerts(State(app): State<Shared>, caller: Caller, ask: Ask, request: Request) -> Result<Response, Problem> {
    let frame = render::frame(Tab::Alerts, Some(&caller), request.headers(), request.uri());
    let mut form = AlertForm { formula: ask.get("formula").unwrap_or_default().to_owned(), ..AlertForm::default() };
    if let Some(name) = ask.get("edit")
        && let Ok(view) = app.desk.alert(name).await
    {
        form = form_of(&view);
    }
    let page = page(&app, form, DestinationForm::default(), ask.get("box").unwrap_or_default()).await?;
    Ok(render::page(&app, frame, Page::Alerts(Box::new(page)), request).await)
}

/// Whatever a button of the page says.
pub(super) async fn act(State(app): State<Shared>, caller: Caller, headers: HeaderMap, form: Form) -> Result<Response, Problem> {
    let text = |name: &str| form.text(name).trim().to_owned();
    let (name, box_name) = (text("name"), text("box"));
    let on = Some(box_name.as_str()).filter(|name| !name.is_empty());
    let who = caller.who();
    let told = match form.text("do") {
        "remove" => app.desk.remove_alert(&name).await.map(|()| format!("{name} is removed. What it did stays in the history")),
        "acknowledge" => app.desk.acknowledge(&name, on, &who).await.map(|_| format!("You look after {name} now: it is not told again")),
        "silence" => {
            app.desk.silence(&name, on, Some(SILENCED), false, &who).await.map(|()| format!("Nobody is told of {name} for an hour"))
        }
        "once" => app.desk.silence(&name, on, None, false, &who).await.map(|()| format!("Nobody is told of {name} until it is over")),
        "speak" => app.desk.silence(&name, on, None, true, &who).await.map(|()| format!("{name} is told again")),
        "drop" => app.desk.remove_destination(&name).await.map(|()| format!("{name} is removed")),
        "test" => {
            let outcome = app.desk.test_destination(&name).await;
            return Ok(back(
                HERE,
                &match outcome {
                    Ok(Ok(())) => Ok(format!("{name} took the test")),
                    Ok(Err(reason)) => Err(format!("{name} did not take the test: {reason}")),
                    Err(error) => Err(error.to_string()),
                },
            ));
        }
        "ready" => take_ready(&app, &box_name).await,
        "tell" => return add_destination(&app, &caller, &headers, &form).await,
        _ => return write(&app, &caller, &headers, &form).await,
    };
    Ok(back(HERE, &told.map_err(|error| error.to_string())))
}

/// Takes the ready-made rules for a kind of box that are not there yet.
async fn take_ready(app: &App, box_name: &str) -> Result<String, DeskError> {
    let kind = app.desk.entry(box_name)?.lock().stored.spec.kind;
    let mut added = 0;
    for ready in catalogue::alerts().iter().filter(|ready| ready.is_for(kind)) {
        match app.desk.add_alert(&ready.name, &ready.rule).await {
            Ok(()) => added += 1,
            Err(DeskError::Taken(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(match added {
        0 => "All of them are there already".to_owned(),
        1 => "One alert is looked at now".to_owned(),
        many => format!("{many} alerts are looked at now"),
    })
}

/// Saves a rule, or says when it would have fired.
async fn write(app: &Shared, caller: &Caller, headers: &HeaderMap, form: &Form) -> Result<Response, Problem> {
    let text = |name: &str| form.text(name).trim().to_owned();
    let mut filled = AlertForm {
        editing: !form.text("editing").is_empty(),
        name: text("name"),
        formula: text("formula"),
        condition: text("condition"),
        bound: text("bound"),
        other: text("other"),
        time: text("time"),
        hold: text("hold"),
        severity: text("severity"),
        boxes: text("boxes"),
        labels: text("labels"),
        text: text("text"),
        destinations: text("destinations"),
        repeat: text("repeat"),
        silences: text("silences"),
        ..AlertForm::default()
    };
    let box_name = text("box");
    let save = form.text("do") == "save";
    match rule_of(&filled) {
        Err((field, message)) => filled.errors.push((field, message)),
        Ok(rule) => {
            let outcome = match (save, filled.editing) {
                (true, true) => app.desk.change_alert(&filled.name, &rule).await.map(|()| None),
                (true, false) => app.desk.add_alert(&filled.name, &rule).await.map(|()| None),
                (false, _) => app.desk.preview(&rule, &box_name).await.map(Some),
            };
            match outcome {
                Ok(None) => return Ok(back(HERE, &Ok(format!("{} is looked at now", filled.name)))),
                Ok(Some(preview)) => {
                    let value = |value: Option<f64>| value.map(|value| format!("at {}", format::short(value, ""))).unwrap_or_default();
                    match preview.reason {
                        Some(reason) => filled.would_not = Some(reason),
                        None => {
                            filled.chart = preview.series.as_ref().map(|series| week(&rule, series, &preview.spans)).unwrap_or_default();
                            let spans = preview.spans.into_iter().map(|(from, to, by)| (from, to, value(by)));
                            filled.would = Some(spans.collect());
                        }
                    }
                }
                Err(DeskError::Invalid { field, message }) => filled.errors.push((field, message)),
                Err(DeskError::Taken(message)) => filled.errors.push(("name", message)),
                Err(error @ (DeskError::NotFound(_) | DeskError::Full(_) | DeskError::ReadOnly(_))) => {
                    filled.errors.push(("", error.to_string()));
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
    let status = if filled.errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    drawn(app, caller, headers, status, filled, DestinationForm::default(), &box_name).await
}

async fn add_destination(app: &Shared, caller: &Caller, headers: &HeaderMap, form: &Form) -> Result<Response, Problem> {
    let text = |name: &str| form.text(name).trim().to_owned();
    let mut filled = DestinationForm {
        name: text("name"),
        kind: text("kind"),
        url: text("url"),
        server: text("server"),
        tls: text("tls"),
        user: text("user"),
        from: text("from"),
        to: text("to"),
        ca: text("ca"),
        together: text("together"),
        errors: Vec::new(),
    };
    let word = |word: &str| serde_json::Value::String(word.to_owned());
    let kind = serde_json::from_value::<DestinationKind>(word(&filled.kind));
    let tls = serde_json::from_value::<Tls>(word(&filled.tls)).unwrap_or_default();
    let outcome = match kind {
        Err(_) => Err(DeskError::invalid("kind", "is none of those that there are")),
        Ok(kind) => {
            let DestinationForm { url, server, user, from, to, ca, together, .. } = filled.clone();
            let destination = Destination { kind, url, server, tls, user, from, to, ca, together, paused: false };
            let secret = Some(Secret(text("secret"))).filter(|secret| !secret.0.is_empty());
            app.desk.add_destination(&filled.name, &destination, secret.as_ref()).await
        }
    };
    match outcome {
        Ok(()) => return Ok(back(HERE, &Ok(format!("{} is told from now on: send it a test", filled.name)))),
        Err(DeskError::Invalid { field, message }) => filled.errors.push((field, message)),
        Err(DeskError::Taken(message)) => filled.errors.push(("name", message)),
        Err(error @ DeskError::Full(_)) => filled.errors.push(("", error.to_string())),
        Err(error) => return Err(error.into()),
    }
    drawn(app, caller, headers, StatusCode::UNPROCESSABLE_ENTITY, AlertForm::default(), filled, "").await
}

async fn drawn(
    app: &Shared,
    caller: &Caller,
    headers: &HeaderMap,
    status: StatusCode,
    form: AlertForm,
    destination: DestinationForm,
    box_name: &str,
) -> Result<Response, Problem> {
    let frame = render::frame(Tab::Alerts, Some(caller), headers, &Uri::from_static(HERE));
    let page = page(app, form, destination, box_name).await?;
    Ok(render::page_as(app, status, frame, Page::Alerts(Box::new(page)), render::request_for(HERE)).await)
}

/// The rule that a form says.
fn rule_of(form: &AlertForm) -> Result<Rule, (&'static str, String)> {
    let number = |field: &'static str, text: &str| text.parse::<f64>().map_err(|_| (field, "is needed: a number".to_owned()));
    let bound = || number("bound", &form.bound);
    let other = || if form.other.is_empty() { Ok(None) } else { number("other", &form.other).map(Some) };
    let condition = match form.condition.as_str() {
        "above" => Condition::Above { threshold: bound()?, clear: other()? },
        "below" => Condition::Below { threshold: bound()?, clear: other()? },
        "outside" => Condition::Outside { low: bound()?, high: number("other", &form.other)?, margin: 0.0 },
        "changed" => Condition::Changed { by: bound()?, within: form.time.clone() },
        "compared_above" => Condition::Compared { ago: form.time.clone(), above: Some(bound()?), below: None },
        "compared_below" => Condition::Compared { ago: form.time.clone(), above: None, below: Some(bound()?) },
        "no_data" => Condition::NoData,
        "box_down" => Condition::BoxDown,
        "restarted" => Condition::Restarted,
        _ => return Err(("condition", "is none of those that there are".to_owned())),
    };
    let list = |text: &str| text.split(',').map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned).collect::<Vec<_>>();
    let mut labels = BTreeMap::new();
    for pair in list(&form.labels) {
        let (key, value) = pair.split_once('=').ok_or(("labels", "are key=value with commas between".to_owned()))?;
        labels.insert(key.trim().to_owned(), value.trim().to_owned());
    }
    let severity = match form.severity.as_str() {
        "info" => Severity::Info,
        "critical" => Severity::Critical,
        _ => Severity::Warning,
    };
    Ok(Rule {
        formula: form.formula.clone(),
        condition,
        hold: form.hold.clone(),
        severity,
        boxes: Boxes { names: list(&form.boxes), labels },
        text: form.text.clone(),
        destinations: list(&form.destinations),
        repeat: form.repeat.clone(),
        silences: form.silences.split(';').map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned).collect(),
        paused: false,
    })
}

/// The form as a rule is.
fn form_of(view: &RuleView) -> AlertForm {
    let rule = &view.rule;
    let or_empty = |number: Option<f64>| number.map(|number| number.to_string()).unwrap_or_default();
    let (condition, bound, other, time) = match &rule.condition {
        Condition::Above { threshold, clear } => ("above", Some(*threshold), *clear, ""),
        Condition::Below { threshold, clear } => ("below", Some(*threshold), *clear, ""),
        Condition::Outside { low, high, .. } => ("outside", Some(*low), Some(*high), ""),
        Condition::Changed { by, within } => ("changed", Some(*by), None, within.as_str()),
        Condition::Compared { ago, above: None, below } => ("compared_below", *below, None, ago.as_str()),
        Condition::Compared { ago, above, .. } => ("compared_above", *above, None, ago.as_str()),
        Condition::NoData => ("no_data", None, None, ""),
        Condition::BoxDown => ("box_down", None, None, ""),
        Condition::Restarted => ("restarted", None, None, ""),
    };
    let labels: Vec<String> = rule.boxes.labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
    AlertForm {
        editing: true,
        name: view.name.clone(),
        formula: rule.formula.clone(),
        condition: condition.to_owned(),
        bound: or_empty(bound),
        other: or_empty(other),
        time: time.to_owned(),
        hold: rule.hold.clone(),
        severity: rule.severity.as_str().to_owned(),
        boxes: rule.boxes.names.join(", "),
        labels: labels.join(", "),
        text: rule.text.clone(),
        destinations: rule.destinations.join(", "),
        repeat: rule.repeat.clone(),
        silences: rule.silences.join("; "),
        ..AlertForm::default()
    }
}
