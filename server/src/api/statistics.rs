//! Statistics with their newest values, and the correction of their kinds.

use std::{sync::Arc, time::Instant};

use app::{
    matching::Query,
    model::{Kind, Statistics},
};
use axum::{Json, extract::State, http::StatusCode};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{Ask, Body, Path};
use crate::{http::App, problem::Problem};

/// The statistics of a box with their newest values; the box is not asked.
#[utoipa::path(get, path = "/boxes/{box}/statistics", tag = "statistics", params(("box" = String, Path, description = "Name or number"),
    ("match" = Option<String>, Query, description = "Groups (`dialog:`), names and patterns (`rcv_*`), with commas between")),
    responses((status = 200, body = Statistics), (status = 404, description = "No such box")))]
pub(super) async fn list(State(app): State<Arc<App>>, Path(name): Path<String>, ask: Ask) -> Result<Json<Statistics>, Problem> {
    let entry = app.desk.entry(&name)?;
    let words: Vec<&str> = ask.all("match").collect();
    let statistics = entry.lock().statistics(&Query::parse(&words.join(",")), Instant::now());
    Ok(Json(statistics))
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
