//! Boxes: list, add, look at, change, remove, probe, refresh.

use std::{collections::BTreeMap, sync::Arc, time::Instant};

use app::model::{BoxKind, BoxView, ProbeReport, Statistics};
use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Ask, Body, Path, ask::wrong, statistics};
use crate::{
    desk::{BoxInput, BoxPatch},
    http::App,
    problem::Problem,
    source::{self, Secret, Typed},
};

/// Boxes, in the order of their numbers.
#[derive(Serialize, ToSchema)]
pub(super) struct Boxes {
    items: Vec<BoxView>,
}

/// A new box.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewBox {
    /// Its name: `[A-Za-z][A-Za-z0-9_.-]*`, not `probe`.
    name: String,
    /// Its address: `http://10.0.0.5:8888/mi`, `fifo:/tmp/opensips_fifo`, `udp://10.0.0.5:8080`, `unix:/run/kamailio/rpc.sock`,
    /// `xmlrpc+http://10.0.0.5:8888/RPC2` or `prometheus+http://10.0.0.5:9100/metrics`. A login in it (`http://user:password@…`) is
    /// taken out of it and kept as `user` and `password`.
    address: String,
    /// `opensips` (3.x and 4.x), `opensips2`, `kamailio` or `prometheus`; none: find out.
    kind: Option<BoxKind>,
    /// How often it is asked, `200ms` to `1h`; none: the panel's default.
    interval: Option<String>,
    /// The user name for Basic auth.
    user: Option<String>,
    /// The password for Basic auth; kept encrypted, never shown.
    password: Option<String>,
    /// Labels of your own.
    #[serde(default)]
    labels: BTreeMap<String, String>,
    /// Whether to leave it alone at first.
    #[serde(default)]
    paused: bool,
}

/// What is to change of a box; a field that is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct BoxChange {
    name: Option<String>,
    address: Option<String>,
    kind: Option<BoxKind>,
    /// Empty: the panel's default.
    interval: Option<String>,
    /// Empty: none.
    user: Option<String>,
    /// Empty: none.
    password: Option<String>,
    labels: Option<BTreeMap<String, String>>,
    paused: Option<bool>,
}

/// An address to find out about.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ProbeAsk {
    /// Such as `10.0.0.5:8888` or `fifo:/tmp/opensips_fifo`.
    address: String,
    user: Option<String>,
    password: Option<String>,
}

/// All boxes with their states.
#[utoipa::path(get, path = "/boxes", tag = "boxes", responses((status = 200, body = Boxes)))]
pub(super) async fn list(State(app): State<Arc<App>>) -> Result<Json<Boxes>, Problem> {
    let now = Instant::now();
    Ok(Json(Boxes { items: app.desk.board.all().iter().map(|entry| entry.lock().view(now)).collect() }))
}

/// Adds a box and begins to ask it.
#[utoipa::path(post, path = "/boxes", tag = "boxes", request_body = NewBox, responses(
    (status = 201, body = BoxView), (status = 409, description = "The name is taken")))]
pub(super) async fn add(State(app): State<Arc<App>>, Body(new): Body<NewBox>) -> Result<impl IntoResponse, Problem> {
    let input = BoxInput {
        name: new.name,
        address: new.address,
        kind: new.kind,
        interval: new.interval,
        user: new.user,
        password: new.password.map(Secret),
        labels: new.labels,
        paused: new.paused,
    };
    let view = app.desk.add_box(input).await?;
    let location = format!("/cp/api/v1/boxes/{}", view.name);
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(view)))
}

/// Finds out what an address is.
#[utoipa::path(post, path = "/boxes/probe", tag = "boxes", request_body = ProbeAsk, responses((status = 200, body = ProbeReport)))]
pub(super) async fn probe(Body(ask): Body<ProbeAsk>) -> Result<Json<ProbeReport>, Problem> {
    let password = ask.password.map(Secret);
    // Else what is wrong with the question would be told as what was found.
    let typed = Typed::read(&ask.address, ask.user.as_deref(), password.as_ref());
    let Typed { address, user, password } = typed.map_err(|error| wrong(&format!("{}:", error.field()), &error.to_string()))?;
    Ok(Json(source::probe(&address.to_string(), user.as_deref(), password.as_ref()).await))
}

/// One box with its state.
#[utoipa::path(get, path = "/boxes/{box}", tag = "boxes", params(("box" = String, Path, description = "Name or number")), responses(
    (status = 200, body = BoxView), (status = 404, description = "No such box")))]
pub(super) async fn get(State(app): State<Arc<App>>, Path(name): Path<String>) -> Result<Json<BoxView>, Problem> {
    let entry = app.desk.entry(&name)?;
    let view = entry.lock().view(Instant::now());
    Ok(Json(view))
}

/// Changes a box.
#[utoipa::path(patch, path = "/boxes/{box}", tag = "boxes", params(("box" = String, Path, description = "Name or number")),
    request_body = BoxChange, responses((status = 200, body = BoxView), (status = 404, description = "No such box"),
    (status = 409, description = "The name is taken")))]
pub(super) async fn change(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    Body(change): Body<BoxChange>,
) -> Result<Json<BoxView>, Problem> {
    let patch = BoxPatch {
        name: change.name,
        address: change.address,
        kind: change.kind,
        interval: change.interval,
        user: change.user,
        password: change.password.map(Secret),
        labels: change.labels,
        paused: change.paused,
    };
    Ok(Json(app.desk.change_box(&name, patch).await?))
}

/// Removes a box. Its history is kept unless `history=delete` says otherwise.
#[utoipa::path(delete, path = "/boxes/{box}", tag = "boxes", params(("box" = String, Path, description = "Name or number"),
    ("history" = Option<String>, Query, description = "`keep` or `delete`; `keep` when left out")), responses(
    (status = 204, description = "Removed"), (status = 404, description = "No such box")))]
pub(super) async fn remove(State(app): State<Arc<App>>, Path(name): Path<String>, ask: Ask) -> Result<StatusCode, Problem> {
    let delete_history = match ask.get("history") {
        None | Some("keep") => false,
        Some("delete") => true,
        Some(other) => return Err(wrong("history", &format!("is {other:?}; allowed are keep and delete"))),
    };
    app.desk.remove_box(&name, delete_history).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Asks a box once, now, and answers with what it said.
#[utoipa::path(post, path = "/boxes/{box}/refresh", tag = "boxes", params(("box" = String, Path, description = "Name or number")), responses(
    (status = 200, body = Statistics), (status = 404, description = "No such box"), (status = 409, description = "The box is paused"),
    (status = 502, description = "The box gives no answer")))]
pub(super) async fn refresh(State(app): State<Arc<App>>, Path(name): Path<String>) -> Result<Response, Problem> {
    app.desk.refresh(&name).await?;
    let entry = app.desk.entry(&name)?;
    let picture = entry.lock().picture(Instant::now());
    statistics::written(picture, app::matching::Query::default()).await
}
