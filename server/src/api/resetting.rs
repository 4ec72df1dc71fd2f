//! Counters that are set to zero.

use std::sync::Arc;

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Body, Path};
use crate::{auth::Caller, http::App, problem::Problem};

/// What is to be reset.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Reset {
    /// Full names, `group:name`: 1 to 1000.
    statistics: Vec<String>,
}

/// What became of it.
#[derive(Serialize, ToSchema)]
pub(super) struct ResetReport {
    /// The full names of what was set to zero: read again, and seen there.
    reset: Vec<String>,
    /// What was not.
    refused: Vec<RefusedReset>,
}

/// A statistic that was not reset.
#[derive(Serialize, ToSchema)]
pub(super) struct RefusedReset {
    /// Its full name.
    name: String,
    /// Why: it is a gauge, its name alone reaches another group's statistic, the server does not let it.
    reason: String,
}

/// Sets counters to zero. The server is read again, since its "OK" proves nothing; what is recorded is marked with who did it.
#[utoipa::path(post, path = "/boxes/{box}/reset", tag = "statistics", params(("box" = String, Path, description = "Name or number")),
    request_body = Reset, responses((status = 200, body = ResetReport), (status = 404, description = "No such box"),
    (status = 409, description = "The box is paused"), (status = 502, description = "The box gives no answer")))]
pub(super) async fn reset(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    caller: Caller,
    Body(reset): Body<Reset>,
) -> Result<Json<ResetReport>, Problem> {
    let done = app.desk.reset(&name, reset.statistics, &caller.who()).await?;
    let refused = done.refused.into_iter().map(|refused| RefusedReset { name: refused.name, reason: refused.reason }).collect();
    Ok(Json(ResetReport { reset: done.reset, refused }))
}
