//! Statistics with their newest values, and the correction of their kinds.

use std::{sync::Arc, time::Instant};

use app::{
    matching::Query,
    model::{Kind, Statistics},
};
use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{Ask, Body, Path};
use crate::{
    board::Picture,
    http::App,
    problem::{Problem, problem},
};

/// An answer of more statistics than this is written elsewhere.
const MANY: usize = 5_000;

/// The statistics of a box with their newest values; the box is not asked.
#[utoipa::path(get, path = "/boxes/{box}/statistics", tag = "statistics", params(("box" = String, Path, description = "Name or number"),
    ("match" = Option<String>, Query, description = "Groups (`dialog:`), names and patterns (`rcv_*`), with commas between")),
    responses((status = 200, body = Statistics), (status = 404, description = "No such box")))]
pub(super) async fn list(State(app): State<Arc<App>>, Path(name): Path<String>, ask: Ask) -> Result<Response, Problem> {
    let entry = app.desk.entry(&name)?;
    let words: Vec<&str> = ask.all("match").collect();
    let query = Query::parse(&words.join(","));
    let picture = entry.lock().picture(Instant::now());
    written(picture, query).await
}

/// The statistics of a picture that match, as JSON.
pub(super) async fn written(picture: Picture, query: Query) -> Result<Response, Problem> {
    if picture.values.len() <= MANY {
        return Ok(Json(picture.statistics(&query)).into_response());
    }
    // A tenth of a second for the largest boxes: off the runtime's threads, which polls need.
    let written = tokio::task::spawn_blocking(move || serde_json::to_vec(&picture.statistics(&query))).await;
    let failed = |detail: String| problem(StatusCode::INTERNAL_SERVER_ERROR, "The answer could not be written", detail);
    let json = written.map_err(|error| failed(error.to_string()))?.map_err(|error| failed(error.to_string()))?;
    Ok(([(header::CONTENT_TYPE, "application/json")], json).into_response())
}

/// A corrected kind.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Correction {
    /// `counter` or `gauge`; `null`: as the box or the catalogue says.
    kind: Option<Kind>,
}

/// Corrects whether a statistic counts.
#[utoipa::path(patch, path = "/boxes/{box}/statistics/{name}", tag = "statistics", params(("box" = String, Path, description = "Name or number"),
    ("name" = String, Path, description = "`group:name`, percent-encoded")), request_body = Correction,
    responses((status = 204, description = "Corrected"), (status = 404, description = "No such box or statistic")))]
pub(super) async fn correct(
    State(app): State<Arc<App>>,
    Path((name, full)): Path<(String, String)>,
    Body(correction): Body<Correction>,
) -> Result<StatusCode, Problem> {
    app.desk.set_kind(&name, &full, correction.kind).await?;
    Ok(StatusCode::NO_CONTENT)
}
