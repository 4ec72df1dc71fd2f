//! Forms of the page Boxes. A form that is wrong is drawn again as it was filled in, with what is wrong beside each field.

use std::collections::BTreeMap;

use app::model::{BoxForm, BoxKind, BoxesPage, Page, ProbeReport, Tab};
use axum::{
    extract::State,
    http::{HeaderMap, Uri},
    response::Response,
};

use super::{
    App, Shared,
    forms::Form,
    render::{self, back},
};
use crate::{
    auth::Caller,
    desk::{BoxInput, BoxPatch, DeskError},
    problem::Problem,
    source::{self, Secret},
};

const HERE: &str = "/cp/boxes";

/// Adds a box, or finds out what an address is.
pub(super) async fn add(State(app): State<Shared>, caller: Caller, headers: HeaderMap, form: Form) -> Result<Response, Problem> {
    let mut fields = fields(&form);
    if form.text("do") == "probe" {
        let report = probe(&form, &mut fields).await;
        return Ok(again(&app, &caller, &headers, fields, None, report).await);
    }
    let input = match labels(form.text("labels")) {
        Ok(labels) => BoxInput {
            name: form.text("name").trim().to_owned(),
            address: form.text("address").trim().to_owned(),
            kind: BoxKind::parse(form.text("kind")),
            interval: Some(form.text("interval").trim().to_owned()),
            user: Some(form.text("user").to_owned()),
            password: Some(Secret(form.text("password").to_owned())),
            labels,
            paused: false,
        },
        Err(error) => return Ok(refused(&app, &caller, &headers, fields, None, &error).await),
    };
    match app.desk.add_box(input).await {
        Ok(view) => Ok(back(&format!("/cp?box={}", view.name), &Ok(format!("{} was added: tick what is to be recorded", view.name)))),
        Err(error) => Ok(refused(&app, &caller, &headers, fields, None, &error).await),
    }
}

/// Changes a box.
pub(super) async fn edit(State(app): State<Shared>, caller: Caller, headers: HeaderMap, form: Form) -> Result<Response, Problem> {
    let mut fields = fields(&form);
    let name = form.text("box").to_owned();
    if form.text("do") == "probe" {
        let report = probe(&form, &mut fields).await;
        return Ok(again(&app, &caller, &headers, fields, Some(name), report).await);
    }
    match change(&app, &name, &form).await {
        Ok(name) => Ok(back(HERE, &Ok(format!("{name} was changed")))),
        Err(error) => Ok(refused(&app, &caller, &headers, fields, Some(name), &error).await),
    }
}

/// Only fields that differ are changed, so that the built-in box can be given another interval by the same form.
async fn change(app: &App, name: &str, form: &Form) -> Result<String, DeskError> {
    let entry = app.desk.entry(name)?;
    let spec = entry.lock().stored.spec.clone();
    let differs = |field: &str, now: &str| {
        let text = form.0.get(field).map(str::trim);
        text.filter(|text| *text != now).map(str::to_owned)
    };
    let password = form.0.get("password").map(|password| Secret(password.to_owned()));
    let forgotten = (form.text("forget_password") == "true").then(|| Secret(String::new()));
    let user = Some(form.text("user").to_owned()).filter(|user| *user != spec.user.clone().unwrap_or_default());
    let patch = BoxPatch {
        name: differs("name", &spec.name),
        address: differs("address", &spec.address),
        kind: BoxKind::parse(form.text("kind")).filter(|kind| *kind != spec.kind),
        interval: Some(form.text("interval").trim().to_owned()),
        user,
        password: password.or(forgotten),
        labels: Some(labels(form.text("labels"))?),
        paused: None,
    };
    app.desk.change_box(name, patch).await.map(|view| view.name)
}

/// Pauses a box, or resumes it.
pub(super) async fn pause(State(app): State<Shared>, form: Form) -> Result<Response, Problem> {
    let (name, paused) = (form.text("box"), form.text("paused") == "true");
    let patch = BoxPatch { paused: Some(paused), ..BoxPatch::default() };
    let told = app.desk.change_box(name, patch).await.map_err(|error| error.to_string());
    let done = if paused { "is paused: it is not asked until you resume it" } else { "is asked again" };
    Ok(back(HERE, &told.map(|_| format!("{name} {done}"))))
}

/// Removes a box; whether its history stays is chosen in the form.
pub(super) async fn remove(State(app): State<Shared>, form: Form) -> Result<Response, Problem> {
    let name = form.text("box");
    let told = match form.text("history") {
        "keep" => app.desk.remove_box(name, false).await.map(|()| format!("{name} was removed; its history is kept")),
        "delete" => app.desk.remove_box(name, true).await.map(|()| format!("{name} and its history were removed")),
        _ => Err(DeskError::invalid("history", "choose whether the history is kept or deleted")),
    };
    Ok(back(HERE, &told.map_err(|error| error.to_string())))
}

/// Asks an address; what was found fills the form.
async fn probe(form: &Form, fields: &mut BoxForm) -> Option<ProbeReport> {
    if let Err(message) = source::parse_address(form.text("address")) {
        fields.errors.push(("address", message));
        return None;
    }
    let user = form.0.get("user");
    let password = form.0.get("password").map(|password| Secret(password.to_owned()));
    let report = source::probe(form.text("address"), user, password.as_ref()).await;
    if let Some(kind) = report.kind {
        fields.kind = kind.as_str().to_owned();
        fields.address.clone_from(&report.address);
    }
    Some(report)
}

fn fields(form: &Form) -> BoxForm {
    let text = |name: &str| form.text(name).to_owned();
    BoxForm {
        name: text("name"),
        address: text("address"),
        kind: text("kind"),
        interval: text("interval"),
        user: text("user"),
        labels: text("labels"),
        errors: Vec::new(),
    }
}

/// `site=fra, role=edge` as labels.
fn labels(text: &str) -> Result<BTreeMap<String, String>, DeskError> {
    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    parts
        .map(|part| {
            let pair = part.split_once('=').map(|(key, value)| (key.trim().to_owned(), value.trim().to_owned()));
            pair.ok_or_else(|| DeskError::invalid("labels", format!("{part:?} is no label: write them as site=fra, role=edge")))
        })
        .collect()
}

async fn refused(
    app: &App,
    caller: &Caller,
    headers: &HeaderMap,
    mut fields: BoxForm,
    editing: Option<String>,
    error: &DeskError,
) -> Response {
    match error {
        DeskError::Invalid { field, message } => fields.errors.push((field, message.clone())),
        DeskError::Taken(message) => fields.errors.push(("name", message.clone())),
        other => {
            tracing::debug!(error = %other, "a form was refused");
            fields.errors.push(("", other.to_string()));
        }
    }
    again(app, caller, headers, fields, editing, None).await
}

async fn again(
    app: &App,
    caller: &Caller,
    headers: &HeaderMap,
    form: BoxForm,
    editing: Option<String>,
    probe: Option<ProbeReport>,
) -> Response {
    let mut frame = render::frame(Tab::Boxes, Some(caller), headers, &Uri::from_static(HERE));
    frame.alert = form.errors.iter().find(|(field, _)| field.is_empty()).map(|(_, message)| message.clone());
    let page = BoxesPage { boxes: app.boxes(), form, editing, removing: None, probe };
    render::page(app, frame, Page::Boxes(page), render::request_for(HERE)).await
}
