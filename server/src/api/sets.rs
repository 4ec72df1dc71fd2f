//! Chart sets: list, add, look at, change, remove; as a file.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::IntoResponse,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Body, Path};
use crate::{auth::Caller, desk::SetInput, http::App, problem::Problem, store::ChartSet};

/// A chart set.
#[derive(Serialize, ToSchema)]
pub(super) struct Set {
    /// Its name.
    name: String,
    /// Whether the start page leads to it.
    pinned: bool,
    /// Its charts, each as a line: statistics or patterns, with their box before a slash where it matters, then how it is drawn:
    /// `core:rcv_requests sip2/core:rcv_requests .rate .stacked ".title=SIP traffic"`.
    charts: Vec<String>,
    /// Who changed it last.
    by: String,
}

/// All of them, in their order.
#[derive(Serialize, ToSchema)]
pub(super) struct Sets {
    items: Vec<Set>,
}

/// How many sets a file had.
#[derive(Serialize, ToSchema)]
pub(super) struct Taken {
    sets: usize,
}

fn shown(set: &ChartSet) -> Set {
    let SetInput { name, pinned, charts } = SetInput::of(set);
    Set { name, pinned, charts, by: set.by.clone() }
}

/// The chart sets that people put together.
#[utoipa::path(get, path = "/sets", tag = "charts", responses((status = 200, body = Sets)))]
pub(super) async fn list(State(app): State<Arc<App>>) -> Result<Json<Sets>, Problem> {
    Ok(Json(Sets { items: app.desk.sets().await?.iter().map(shown).collect() }))
}

/// Adds one, after the others.
#[utoipa::path(post, path = "/sets", tag = "charts", request_body = SetInput, responses(
    (status = 201, body = Set), (status = 409, description = "The name is taken, or there are too many")))]
pub(super) async fn add(
    State(app): State<Arc<App>>,
    caller: Caller,
    Body(set): Body<SetInput>,
) -> Result<(StatusCode, Json<Set>), Problem> {
    app.desk.add_set(&set, &caller.who()).await?;
    Ok((StatusCode::CREATED, Json(shown(&app.desk.set(set.name.trim()).await?))))
}

/// One of them.
#[utoipa::path(get, path = "/sets/{name}", tag = "charts", params(("name" = String, Path, description = "Its name")),
    responses((status = 200, body = Set), (status = 404, description = "No such set")))]
pub(super) async fn get(State(app): State<Arc<App>>, Path(name): Path<String>) -> Result<Json<Set>, Problem> {
    Ok(Json(shown(&app.desk.set(&name).await?)))
}

/// Replaces it; its name may be another one then.
#[utoipa::path(put, path = "/sets/{name}", tag = "charts", params(("name" = String, Path, description = "Its name")),
    request_body = SetInput, responses((status = 200, body = Set), (status = 404, description = "No such set"),
    (status = 409, description = "The new name is taken")))]
pub(super) async fn change(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
    Body(set): Body<SetInput>,
) -> Result<Json<Set>, Problem> {
    app.desk.change_set(&name, &set, &caller.who()).await?;
    Ok(Json(shown(&app.desk.set(set.name.trim()).await?)))
}

/// Removes it. What it ticked stays ticked.
#[utoipa::path(delete, path = "/sets/{name}", tag = "charts", params(("name" = String, Path, description = "Its name")),
    responses((status = 204, description = "Gone"), (status = 404, description = "No such set")))]
pub(super) async fn remove(State(app): State<Arc<App>>, Path(name): Path<String>) -> Result<StatusCode, Problem> {
    app.desk.remove_set(&name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// All of them as a file, which another panel takes.
#[utoipa::path(get, path = "/sets.toml", tag = "charts", responses((status = 200, description = "TOML", body = String, content_type = "application/toml")))]
pub(super) async fn file(State(app): State<Arc<App>>) -> Result<impl IntoResponse, Problem> {
    let headers = [
        (header::CONTENT_TYPE, "application/toml; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"tickmark-sets.toml\""),
    ];
    Ok((headers, app.desk.sets_file().await?))
}

/// A file of sets.
#[derive(serde::Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SetFile {
    /// As `GET sets.toml` gives it.
    toml: String,
}

/// Takes the sets of a file; those of the same name are replaced. All of them, or none.
#[utoipa::path(post, path = "/sets.toml", tag = "charts", request_body = SetFile, responses((status = 200, body = Taken)))]
pub(super) async fn take(State(app): State<Arc<App>>, caller: Caller, Body(file): Body<SetFile>) -> Result<Json<Taken>, Problem> {
    Ok(Json(Taken { sets: app.desk.take_sets(&file.toml, &caller.who()).await? }))
}
