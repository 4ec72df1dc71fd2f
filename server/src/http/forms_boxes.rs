//! Forms of the page Boxes. A form that is wrong is drawn again as it was filled in, with what is wrong beside each field.

use app::model::{BoxForm, BoxKind, BoxesPage, Page, ProbeReport, Tab};
use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, Uri},
    response::Response,
};

use super::{
    App, Shared,
    box_fields::{address_apart, fields, labels, password, tell_of_password, typed, whole_address, wrong_fields},
    forms::Form,
    pages::own_interval,
    render::{self, back},
};
use crate::{
    auth::Caller,
    desk::{BoxInput, BoxPatch, DeskError},
    problem::Problem,
    source::{self, Secret, Typed},
};

const HERE: &str = "/cp/boxes";
/// Adds a box, or finds out what an address is.
pub(super) async fn add(State(app): State<Shared>, caller: Caller, headers: HeaderMap, form: Form) -> Result<Response, Problem> {
    let mut fields = fields(&form);
    if form.text("do") == "probe" {
        let report = probe(&form, &mut fields).await;
        return Ok(again(&app, &caller, &headers, fields, None, report).await);
    }
    fields.errors = wrong_fields(&form, true);
    if !fields.errors.is_empty() {
        tell_of_password(&form, &mut fields);
        return Ok(again(&app, &caller, &headers, fields, None, None).await);
    }
    let input = BoxInput {
        name: form.text("name").trim().to_owned(),
        address: whole_address(&form).unwrap_or_default(),
        kind: BoxKind::parse(form.text("kind")),
        interval: Some(form.text("interval").trim().to_owned()),
        user: Some(form.text("user").to_owned()),
        password: Some(Secret(form.text("password").to_owned())),
        labels: labels(form.text("labels")).unwrap_or_default(),
        paused: false,
    };
    match app.desk.add_box(input).await {
        Ok(view) => Ok(back(&format!("/cp?box={}", view.name), &Ok(format!("{} was added", view.name)))),
        Err(error) => Ok(refused(&app, &caller, &headers, (fields, &form), None, &error).await),
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
    fields.errors = wrong_fields(&form, false);
    if !fields.errors.is_empty() {
        tell_of_password(&form, &mut fields);
        return Ok(again(&app, &caller, &headers, fields, Some(name), None).await);
    }
    match change(&app, &name, &form).await {
        Ok(name) => Ok(back(HERE, &Ok(format!("{name} was changed")))),
        Err(error) => Ok(refused(&app, &caller, &headers, (fields, &form), Some(name), &error).await),
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
    let address = form.0.get("address").map(|_| whole_address(form)).transpose();
    let address = address.map_err(|(field, message)| DeskError::invalid(field, message))?;
    let interval = form.0.given("interval").map(str::trim).filter(|text| *text != own_interval(&spec));
    let forgotten = (form.text("forget_password") == "true").then(|| Secret(String::new()));
    let user = Some(form.text("user").to_owned()).filter(|user| *user != spec.user.clone().unwrap_or_default());
    let patch = BoxPatch {
        name: differs("name", &spec.name),
        address: address.filter(|address| *address != spec.address),
        kind: BoxKind::parse(form.text("kind")).filter(|kind| *kind != spec.kind),
        interval: interval.map(str::to_owned),
        user,
        password: password(form).or(forgotten),
        labels: Some(labels(form.text("labels")).map_err(|message| DeskError::invalid("labels", message))?),
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
    let Typed { address, user, password } = match typed(form) {
        Ok(typed) => typed,
        Err(wrong) => {
            fields.errors.push(wrong);
            tell_of_password(form, fields);
            return None;
        }
    };
    let report = source::probe(&address.to_string(), user.as_deref(), password.as_ref()).await;
    if let Some(kind) = report.kind {
        fields.kind = kind.as_str().to_owned();
        (fields.address, fields.certificates) = address_apart(&report.address);
        tell_of_password(form, fields);
    }
    Some(report)
}

async fn refused(
    app: &App,
    caller: &Caller,
    headers: &HeaderMap,
    (mut fields, form): (BoxForm, &Form),
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
    tell_of_password(form, &mut fields);
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
    let frame = render::frame(Tab::Boxes, Some(caller), headers, &Uri::from_static(HERE));
    let status = if form.errors.is_empty() || probe.is_some() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let page = BoxesPage { editing, probe, ..app.boxes_page(form) };
    render::page_as(app, status, frame, Page::Boxes(page), render::request_for(HERE)).await
}
