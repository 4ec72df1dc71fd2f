//! Statistics that scripts push.

use std::sync::Arc;

use app::model::Kind;
use axum::{extract::State, http::StatusCode};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{Body, Path, ask::wrong};
use crate::{auth::Caller, engine::Push, http::App, problem::Problem};

/// A value for a statistic: one of `by` and `to`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Update {
    /// `group:name`, at most 255 bytes; without a group it is of the group `dynamic`. It is made when it is not there.
    name: String,
    /// Added to the value; a negative number is taken away.
    by: Option<i64>,
    /// The new value.
    to: Option<i64>,
    /// What a new one is; left out, it is a `counter` where `by` is given and a `gauge` where `to` is.
    kind: Option<Kind>,
}

/// Pushes a value to a statistic of your own, on the box `tickmark`. A token of scope `push` is enough.
#[utoipa::path(post, path = "/boxes/{box}/update", tag = "statistics", params(("box" = String, Path, description = "`tickmark`, or its number")),
    request_body = Update, responses((status = 204, description = "Taken; kept for good within a second"),
    (status = 404, description = "No such box"), (status = 409, description = "There are too many")))]
pub(super) async fn update(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    caller: Caller,
    Body(update): Body<Update>,
) -> Result<StatusCode, Problem> {
    let push = match (update.by, update.to) {
        (Some(by), None) => Push::By(by),
        (None, Some(to)) => Push::To(to),
        _ => return Err(wrong("by", "or to is needed, and not both: by adds to the value, to sets it")),
    };
    app.desk.push(&name, &update.name, push, update.kind, &caller.who())?;
    Ok(StatusCode::NO_CONTENT)
}

/// Removes a statistic that was pushed; what was recorded of it stays.
#[utoipa::path(delete, path = "/boxes/{box}/statistics/{name}", tag = "statistics",
    params(("box" = String, Path, description = "`tickmark`, or its number"), ("name" = String, Path, description = "`group:name`, percent-encoded")),
    responses((status = 204, description = "Removed"), (status = 404, description = "No such box, or nothing of that name was pushed")))]
pub(super) async fn remove(State(app): State<Arc<App>>, Path((name, full)): Path<(String, String)>) -> Result<StatusCode, Problem> {
    app.desk.remove_pushed(&name, &full)?;
    Ok(StatusCode::NO_CONTENT)
}
