//! How long history is kept, and what it takes.

use std::sync::Arc;

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Body;
use crate::{
    desk::{KeepInput, written},
    http::App,
    problem::Problem,
    store::{DEFAULT_KEEP, Kept},
};

/// How long some statistics are kept. Of what a rule does not say, the next one says it that is less particular.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Keep {
    /// The name of the box; none: all boxes.
    #[serde(rename = "box")]
    box_name: Option<String>,
    /// A full name or a pattern such as `dialog:`; none: all statistics.
    #[serde(rename = "match")]
    pattern: Option<String>,
    /// Samples: `90d`, `2y`, `ever`; 2 days and more.
    raw: Option<String>,
    /// Roll-ups of a minute.
    minute: Option<String>,
    /// Roll-ups of an hour.
    hour: Option<String>,
}

/// The rules, and what holds where none does.
#[derive(Serialize, ToSchema)]
pub(super) struct Rules {
    items: Vec<Keep>,
    default: Keep,
    /// What is sealed takes so much.
    usage: Vec<TierUsage>,
}

/// What a tier of a box takes.
#[derive(Serialize, ToSchema)]
pub(super) struct TierUsage {
    /// The name of the box, also of one that was removed and its history kept.
    #[serde(rename = "box")]
    box_name: String,
    /// `raw`, `minute` or `hour`.
    tier: String,
    /// Bytes.
    bytes: i64,
    /// The first instant of it, epoch milliseconds.
    from: i64,
    /// Bytes a day, lately; none where there is no whole day yet.
    bytes_a_day: Option<i64>,
}

/// What a rule would free, in bytes.
#[derive(Serialize, ToSchema)]
pub(super) struct Freed {
    raw: i64,
    minute: i64,
    hour: i64,
}

impl Keep {
    fn input(self) -> KeepInput {
        let [raw, minute, hour] = [self.raw, self.minute, self.hour].map(Option::unwrap_or_default);
        KeepInput { box_name: self.box_name.unwrap_or_default(), pattern: self.pattern.unwrap_or_default(), keep: [raw, minute, hour] }
    }
}

/// The rules by which history is kept, and what it takes.
#[utoipa::path(get, path = "/retention", tag = "history", responses((status = 200, body = Rules)))]
pub(super) async fn list(State(app): State<Arc<App>>) -> Result<Json<Rules>, Problem> {
    let usage = app.desk.usage().await?;
    let name_of = |id: String| app.desk.board.find(&id).map_or(id, |entry| entry.lock().stored.spec.name.clone());
    let items = app.desk.retention().await?.rules.into_iter().map(|rule| {
        let [raw, minute, hour] = rule.keep.map(|kept| kept.map(written));
        Keep { box_name: rule.box_id.map(|id| name_of(id.to_string())), pattern: rule.pattern, raw, minute, hour }
    });
    let [raw, minute, hour] = DEFAULT_KEEP.0.map(|keep| Some(written(Kept::of(keep))));
    let usage = usage.into_iter().map(|usage| TierUsage {
        box_name: usage.box_name,
        tier: usage.tier.as_str().to_owned(),
        bytes: usage.bytes,
        from: usage.from_ms,
        bytes_a_day: usage.bytes_a_day,
    });
    let default = Keep { box_name: None, pattern: None, raw, minute, hour };
    Ok(Json(Rules { items: items.collect(), default, usage: usage.collect() }))
}

/// Sets a rule in place of the one for the same box and statistics; one that says nothing removes it. What is older goes within a minute.
#[utoipa::path(put, path = "/retention", tag = "history", request_body = Keep, responses(
    (status = 204, description = "It holds"), (status = 404, description = "No such box")))]
pub(super) async fn set(State(app): State<Arc<App>>, Body(keep): Body<Keep>) -> Result<axum::http::StatusCode, Problem> {
    app.desk.set_retention(&keep.input()).await?;
    Ok(axum::http::StatusCode::NO_CONTENT)
}

/// What a rule would free. It changes nothing.
#[utoipa::path(post, path = "/retention/preview", tag = "history", request_body = Keep, responses(
    (status = 200, body = Freed), (status = 404, description = "No such box")))]
pub(super) async fn preview(State(app): State<Arc<App>>, Body(keep): Body<Keep>) -> Result<Json<Freed>, Problem> {
    let [raw, minute, hour] = app.desk.would_free(&keep.input()).await?;
    Ok(Json(Freed { raw, minute, hour }))
}
