//! The page of derived statistics and its form. Each does what the API does.

use app::{
    format,
    model::{DerivedForm, DerivedPage, DerivedRow, Page, ReadyRow, Tab},
};
use axum::{
    extract::{Request, State},
    http::{HeaderMap, StatusCode, Uri},
    response::Response,
};

use super::{
    App, Shared,
    forms::Form,
    render::{self, back},
};
use crate::{
    api::Ask,
    auth::Caller,
    board::full_name,
    catalogue,
    desk::{DerivedInput, DeskError, Word},
    problem::Problem,
};

const HERE: &str = "/cp/derived";

/// Derived statistics; `edit` fills the form with one, `formula` with a formula.
pub(super) async fn derived(State(app): State<Shared>, caller: Caller, ask: Ask, request: Request) -> Result<Response, Problem> {
    let frame = render::frame(Tab::Settings, Some(&caller), request.headers(), request.uri());
    let mut form = DerivedForm { formula: ask.get("formula").unwrap_or_default().to_owned(), ..DerivedForm::default() };
    if let Some(name) = ask.get("edit")
        && let Ok(view) = app.desk.derived_named(name).await
    {
        let stored = view.stored;
        let (name, formula, unit, meaning) = (stored.name, stored.formula, stored.unit, stored.meaning);
        form = DerivedForm { editing: true, name, formula, unit, meaning, ..DerivedForm::default() };
    }
    let page = page(&app, form, ask.get("box").unwrap_or_default()).await?;
    Ok(render::page(&app, frame, Page::Derived(Box::new(page)), request).await)
}

/// Tries a formula, saves or removes one, or takes a ready-made one.
pub(super) async fn define(State(app): State<Shared>, caller: Caller, headers: HeaderMap, form: Form) -> Result<Response, Problem> {
    let text = |name: &str| form.text(name).trim().to_owned();
    let (box_name, editing) = (text("box"), !form.text("editing").is_empty());
    let input = DerivedInput { name: text("name"), formula: text("formula"), unit: text("unit"), meaning: text("meaning") };
    match form.text("do") {
        "remove" => {
            let told = app.desk.remove_derived(&input.name).await.map(|()| format!("{} is removed. What was recorded stays", input.name));
            return Ok(back(HERE, &told.map_err(|error| error.to_string())));
        }
        "ready" => return Ok(back(HERE, &take_ready(&app, &text("id"), &box_name).await)),
        _ => {}
    }
    let save = form.text("do") == "save";
    let outcome = match (save, editing) {
        (true, true) => app.desk.change_derived(&input).await,
        (true, false) => app.desk.add_derived(&input).await,
        (false, _) => Ok(()),
    };
    let mut filled = DerivedForm {
        editing,
        name: input.name.clone(),
        formula: input.formula.clone(),
        unit: input.unit.clone(),
        meaning: input.meaning.clone(),
        ..DerivedForm::default()
    };
    match outcome {
        Ok(()) if save => return Ok(back(HERE, &Ok(format!("derived:{} is computed now wherever a box has what it names", input.name)))),
        Ok(()) => {}
        Err(DeskError::Invalid { field, message }) if field != "formula" => filled.errors.push((field, message)),
        Err(DeskError::Invalid { .. }) => {}
        Err(DeskError::Taken(message)) => filled.errors.push(("name", message)),
        Err(error @ (DeskError::NotFound(_) | DeskError::Full(_) | DeskError::ReadOnly(_))) => filled.errors.push(("", error.to_string())),
        Err(error) => return Err(error.into()),
    }
    let checked = app.desk.check_formula(&input.formula, Some(box_name.as_str()).filter(|name| !name.is_empty()))?;
    filled.at = checked.error.as_ref().map(|error| error.at);
    match &checked.error {
        Some(error) => filled.errors.push(("formula", error.to_string())),
        None => filled.tried = Some(checked.comes_to(&box_name, &input.unit)),
    }
    let status = if filled.errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let frame = render::frame(Tab::Settings, Some(&caller), &headers, &Uri::from_static(HERE));
    let page = page(&app, filled, &box_name).await?;
    Ok(render::page_as(&app, status, frame, Page::Derived(Box::new(page)), render::request_for(HERE)).await)
}

/// Adds a ready-made one, if it is not there yet, and ticks it where it can be computed.
async fn take_ready(app: &App, id: &str, box_name: &str) -> Result<String, String> {
    let ready = catalogue::derived().iter().find(|one| one.id == id).ok_or("there is no such ready-made one")?;
    let input =
        DerivedInput { name: ready.id.clone(), formula: ready.formula.clone(), unit: ready.unit.clone(), meaning: ready.meaning.clone() };
    match app.desk.add_derived(&input).await {
        Ok(()) | Err(DeskError::Taken(_)) => {}
        Err(error) => return Err(error.to_string()),
    }
    let full = full_name(&ready.id);
    app.desk.tick(box_name, &[Word::Name(&full)], true).await.map_err(|error| error.to_string())?;
    Ok(format!("{full} is recorded of {box_name} now, as soon as the box has what it names"))
}

async fn page(app: &App, form: DerivedForm, box_name: &str) -> Result<DerivedPage, Problem> {
    let boxes: Vec<(String, app::model::BoxKind)> =
        app.desk.board.all().iter().map(|entry| entry.lock()).map(|now| (now.stored.spec.name.clone(), now.stored.spec.kind)).collect();
    // The one that was chosen, else a SIP server if there is one.
    let chosen = boxes.iter().find(|(name, _)| name == box_name);
    let chosen = chosen.or_else(|| boxes.iter().find(|(_, kind)| *kind != app::model::BoxKind::Tickmark)).or_else(|| boxes.first());
    let (box_name, kind) = chosen.cloned().unwrap_or((String::new(), app::model::BoxKind::Tickmark));
    let views = app.desk.derived().await?;
    let ready = catalogue::derived().iter().filter(|one| one.is_for(kind) && views.iter().all(|view| view.stored.name != one.id));
    let ready = ready.map(|one| {
        let checked = app.desk.check_formula(&one.formula, Some(&box_name)).unwrap_or_default();
        let here = match (checked.error, checked.value) {
            (Some(error), _) => Err(error.message),
            (None, Some(value)) => Ok(format::short(value, &one.unit)),
            (None, None) => Ok(checked.reason.unwrap_or_default()),
        };
        let (id, title, meaning, formula) = (one.id.clone(), one.name.clone(), one.meaning.clone(), one.formula.clone());
        ReadyRow { id, title, meaning, formula, here }
    });
    let mut ready: Vec<ReadyRow> = ready.collect();
    ready.sort_by_key(|one| one.here.is_err());
    let rows = views.into_iter().map(|view| {
        let statistic = full_name(&view.stored.name).to_string();
        let values = view.boxes.iter().filter_map(|name| {
            let entry = app.desk.board.find(name)?;
            let now = entry.lock();
            let row = now.row(now.layout.place(&statistic)?);
            Some((name.clone(), row.value, row.unit))
        });
        let boxes = values.collect();
        let stored = view.stored;
        DerivedRow { name: stored.name, statistic, formula: stored.formula, meaning: stored.meaning, origin: stored.origin, boxes }
    });
    Ok(DerivedPage { rows: rows.collect(), ready, boxes: boxes.into_iter().map(|(name, _)| name).collect(), box_name, form })
}
