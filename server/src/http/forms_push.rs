//! The form of the page Boxes that pushes a value to a statistic of one's own. Refused, it comes back as it was filled in.

use app::{
    model::{BoxForm, BoxesPage, Page, PushForm, Tab},
    shown::short,
};
use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, Uri},
    response::Response,
};

use super::{
    App, Shared,
    forms::Form,
    render::{self, back},
};
use crate::{auth::Caller, config::BUILTIN_BOX, desk::DeskError, engine::Push};

const HERE: &str = "/cp/boxes";

/// Pushes a value, or removes what was pushed; the page shows it at once.
pub(super) async fn push(State(app): State<Shared>, caller: Caller, headers: HeaderMap, form: Form) -> Response {
    match done(&app, &caller, &form) {
        Ok(told) => {
            // A paused box shows it when it goes on.
            let _ = app.desk.refresh(BUILTIN_BOX).await;
            back(form.text("return"), &Ok(told))
        }
        Err(error) => refused(&app, &caller, &headers, &form, &error).await,
    }
}

fn done(app: &App, caller: &Caller, form: &Form) -> Result<String, DeskError> {
    let (name, value) = (form.text("name"), form.text("value"));
    if form.text("do") == "remove" {
        app.desk.remove_pushed(BUILTIN_BOX, name)?;
        return Ok(format!("{} is removed. What was recorded of it stays", short(name)));
    }
    let push = Push::parse(value).ok_or_else(|| DeskError::invalid("value", format!("{value:?} is none: write such as +1, -4 or =7")))?;
    let value = app.desk.push(BUILTIN_BOX, name, push, None, &caller.who())?;
    Ok(format!("{} is {value} now", short(name)))
}

async fn refused(app: &App, caller: &Caller, headers: &HeaderMap, form: &Form, error: &DeskError) -> Response {
    let wrong = match error {
        // The API has a field for what is added, and this form one for both.
        DeskError::Invalid { field: "by", message } => ("value", message.clone()),
        DeskError::Invalid { field, message } => (*field, message.clone()),
        DeskError::ReadOnly(message) | DeskError::NotFound(message) => ("name", message.clone()),
        other => ("", other.to_string()),
    };
    let push = PushForm { name: form.text("name").to_owned(), value: form.text("value").to_owned(), wrong: Some(wrong) };
    let frame = render::frame(Tab::Boxes, Some(caller), headers, &Uri::from_static(HERE));
    let page = BoxesPage { push, ..app.boxes_page(BoxForm::default()) };
    render::page_as(app, StatusCode::UNPROCESSABLE_ENTITY, frame, Page::Boxes(page), render::request_for(HERE)).await
}
