//! The page of chart sets and its forms.

use app::{
    links,
    model::{BoxKind, ChartSpec, Page, ReadySet, SetForm, SetRow, SetsPage, Tab},
};
use axum::{
    extract::{Request, State},
    http::{HeaderMap, StatusCode, Uri},
    response::{IntoResponse, Redirect, Response},
};

use super::{
    App, Shared,
    forms::Form,
    render::{self, back},
};
use crate::{
    api::Ask,
    auth::Caller,
    catalogue::Preset,
    desk::{DeskError, SetInput},
    problem::Problem,
};

const HERE: &str = "/cp/sets";

/// Chart sets; `edit` fills the form with one, `chart` with charts of a page.
pub(super) async fn sets(State(app): State<Shared>, caller: Caller, ask: Ask, request: Request) -> Result<Response, Problem> {
    let frame = render::frame(Tab::Charts, Some(&caller), request.headers(), request.uri());
    let mut form = SetForm::default();
    if let Some(name) = ask.get("edit")
        && let Ok(set) = app.desk.set(name).await
    {
        let SetInput { name, pinned, charts } = SetInput::of(&set);
        form = SetForm { of: name.clone(), name, charts: charts.join("\n"), is_pinned: pinned, errors: Vec::new(), is_open: true };
    }
    let charts: Vec<&str> = ask.all("chart").collect();
    if !charts.is_empty() {
        form = SetForm { charts: charts.join("\n"), is_open: true, ..SetForm::default() };
    }
    let page = SetsPage { form, ..page(&app, ask.get("box")).await? };
    Ok(render::page(&app, frame, Page::Sets(Box::new(page)), request).await)
}

/// Keeps, orders, pins, doubles and removes sets, and records what they show.
pub(super) async fn change(State(app): State<Shared>, caller: Caller, headers: HeaderMap, form: Form) -> Result<Response, Problem> {
    let text = |name: &str| form.text(name).trim().to_owned();
    let (of, box_name, by) = (text("of"), text("box"), caller.who());
    let here = links::with_query(HERE, &[("box", &box_name)]);
    let told = match form.text("do") {
        "save" => return save(&app, &caller, &headers, &form).await,
        "take" => return take(&app, &caller, &headers, &form).await,
        "up" => app.desk.move_set(&of, 1).await.map(|()| String::new()),
        "down" => app.desk.move_set(&of, -1).await.map(|()| String::new()),
        "move" => app.desk.move_set(&of, text("by").parse().unwrap_or_default()).await.map(|()| String::new()),
        "pin" => pin(&app, &of, true, &by).await.map(|()| format!("{of} is on the start page")),
        "unpin" => pin(&app, &of, false, &by).await.map(|()| format!("{of} is no longer on the start page")),
        "duplicate" => app.desk.duplicate_set(&of, &by).await.map(|name| format!("{name} is made")),
        "remove" => app.desk.remove_set(&of).await.map(|()| format!("{of} is removed. What it ticked stays ticked")),
        "tick" => match app.desk.set(&of).await {
            Ok(set) => record(&app, &box_name, &set.charts).await,
            Err(error) => Err(error),
        },
        "copy" | "ready" => match ready(&app, &box_name, &text("id")) {
            Ok(set) if form.text("do") == "copy" => {
                let charts = set.charts.iter().map(ToString::to_string).collect();
                let input = SetInput { name: set.name.clone(), pinned: false, charts };
                app.desk.add_set(&input, &by).await.map(|()| format!("{} is among your sets", set.name))
            }
            Ok(set) => match record(&app, &box_name, &set.charts).await {
                Ok(told) => {
                    let charts = links::with_charts(&links::with_query(links::CHARTS, &[("box", &box_name)]), &set.charts);
                    return Ok(back(&charts, &Ok(told)));
                }
                Err(error) => Err(error),
            },
            Err(error) => Err(error),
        },
        other => Err(DeskError::invalid("do", format!("{other:?} is nothing that this page does: reload it"))),
    };
    match told {
        Err(DeskError::Store(error)) => Err(error.into()),
        told => Ok(back(&here, &told.map_err(|error| error.to_string()))),
    }
}

async fn save(app: &App, caller: &Caller, headers: &HeaderMap, form: &Form) -> Result<Response, Problem> {
    let text = |name: &str| form.text(name).trim().to_owned();
    let (of, pinned) = (text("of"), !form.text("pinned").is_empty());
    let charts = form.text("charts").lines().map(str::to_owned).collect();
    let input = SetInput { name: text("name"), pinned, charts };
    let done =
        if of.is_empty() { app.desk.add_set(&input, &caller.who()).await } else { app.desk.change_set(&of, &input, &caller.who()).await };
    let wrong = match done {
        Ok(()) => return Ok(back(&links::with_query(HERE, &[("box", &text("box"))]), &Ok(format!("{} is kept", input.name)))),
        Err(DeskError::Invalid { field, message }) => (field, message),
        Err(DeskError::Taken(message)) => ("name", message),
        Err(error @ (DeskError::NotFound(_) | DeskError::Full(_))) => ("", error.to_string()),
        Err(error) => return Err(error.into()),
    };
    let form =
        SetForm { of, name: input.name, charts: form.text("charts").to_owned(), is_pinned: pinned, errors: vec![wrong], is_open: true };
    let page = SetsPage { form, ..page(app, Some(&text("box"))).await? };
    Ok(again(app, caller, headers, page).await)
}

async fn take(app: &App, caller: &Caller, headers: &HeaderMap, form: &Form) -> Result<Response, Problem> {
    let file = form.text("file").to_owned();
    let wrong = match app.desk.take_sets(&file, &caller.who()).await {
        Ok(1) => return Ok(back(HERE, &Ok("One set is taken".to_owned()))),
        Ok(many) => return Ok(back(HERE, &Ok(format!("{many} sets are taken")))),
        Err(DeskError::Invalid { message, .. } | DeskError::Full(message)) => message,
        Err(error) => return Err(error.into()),
    };
    let page = SetsPage { file, file_error: Some(wrong), ..page(app, None).await? };
    Ok(again(app, caller, headers, page).await)
}

async fn again(app: &App, caller: &Caller, headers: &HeaderMap, page: SetsPage) -> Response {
    let frame = render::frame(Tab::Charts, Some(caller), headers, &Uri::from_static(HERE));
    render::page_as(app, StatusCode::UNPROCESSABLE_ENTITY, frame, Page::Sets(Box::new(page)), render::request_for(HERE)).await
}

async fn pin(app: &App, name: &str, pinned: bool, by: &str) -> Result<(), DeskError> {
    let input = SetInput { pinned, ..SetInput::of(&app.desk.set(name).await?) };
    app.desk.change_set(name, &input, by).await
}

async fn record(app: &App, box_name: &str, charts: &[ChartSpec]) -> Result<String, DeskError> {
    let recorded = app.desk.tick_charts(box_name, charts).await?;
    Ok(format!("{recorded} statistics of {box_name} are recorded now"))
}

fn ready(app: &App, box_name: &str, id: &str) -> Result<ReadySet, DeskError> {
    let found = app.desk.presets(box_name)?.into_iter().find(|(preset, _)| preset.id == id);
    let (preset, charts) = found.ok_or_else(|| DeskError::NotFound(format!("{box_name} has nothing for the ready-made set {id:?}")))?;
    Ok(ready_set(preset, charts))
}

fn ready_set(preset: &Preset, charts: Vec<ChartSpec>) -> ReadySet {
    ReadySet { id: preset.id.clone(), name: preset.name.clone(), purpose: preset.purpose.clone(), charts }
}

async fn page(app: &App, box_name: Option<&str>) -> Result<SetsPage, Problem> {
    let boxes = app.boxes();
    // Without one said, the first that the catalogue knows something for.
    let is_server = |kind: BoxKind| !matches!(kind, BoxKind::Tickmark | BoxKind::Prometheus);
    let said = box_name.filter(|name| boxes.iter().any(|one| one.name == *name)).map(str::to_owned);
    let current = said.or_else(|| boxes.iter().find(|one| is_server(one.kind)).map(|one| one.name.clone()));
    let ready = match &current {
        Some(name) => app.desk.presets(name).unwrap_or_default(),
        None => Vec::new(),
    };
    let ready = ready.into_iter().map(|(preset, charts)| ready_set(preset, charts));
    let own = app.desk.sets().await?.into_iter();
    let own = own.map(|set| SetRow { name: set.name, is_pinned: set.pinned, charts: set.charts, by: set.by });
    Ok(SetsPage { boxes, current, own: own.collect(), ready: ready.collect(), ..SetsPage::default() })
}

/// Opens a set by its name.
pub(super) async fn open(
    State(app): State<Shared>,
    ask: Ask,
    axum::extract::Path(name): axum::extract::Path<String>,
) -> Result<Response, Problem> {
    let set = app.desk.set(&name).await?;
    let charts = links::with_query(links::CHARTS, &[("box", ask.get("box").unwrap_or_default())]);
    Ok(Redirect::to(&links::with_charts(&charts, &set.charts)).into_response())
}
