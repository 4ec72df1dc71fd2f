//! Destinations of alerts: list, add, look at, change, remove, test; and what became of messages.

use std::sync::Arc;

use app::model::Origin;
use axum::{Json, extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Ask, Body, Path};
use crate::{
    alerts::{Destination, DestinationKind, Tls},
    desk::DestinationView,
    http::App,
    problem::Problem,
    source::Secret,
    store::Delivery,
};

/// A destination, without its secret.
#[derive(Serialize, ToSchema)]
pub(super) struct Shown {
    /// Its name.
    name: String,
    /// `panel`, or `config`.
    origin: Origin,
    /// Whether it has a secret, which is never shown.
    has_secret: bool,
    /// What became of the newest message.
    newest: Option<Message>,
    /// The message that was tried in vain and is tried again; what waits comes behind it.
    failing: Option<Message>,
    /// How many messages wait.
    waiting: i64,
    /// What it is.
    #[serde(flatten)]
    destination: Destination,
}

/// All of them, in the order of their names.
#[derive(Serialize, ToSchema)]
pub(super) struct Destinations {
    items: Vec<Shown>,
}

/// A destination as it shall be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewDestination {
    /// 1 to 64 of `A-Z a-z 0-9 _ - .`; left out where the path has it.
    name: Option<String>,
    kind: DestinationKind,
    #[serde(default)]
    url: String,
    /// What it is opened with; kept encrypted, never shown. Left out in a change: it stays; empty: none.
    secret: Option<String>,
    #[serde(default)]
    server: String,
    #[serde(default)]
    tls: Tls,
    #[serde(default)]
    user: String,
    #[serde(default)]
    from: String,
    #[serde(default)]
    to: String,
    #[serde(default)]
    ca: String,
    /// What comes within such a time is told in one message, such as `30s`.
    #[serde(default)]
    together: String,
    #[serde(default)]
    paused: bool,
}

/// What came of a test.
#[derive(Serialize, ToSchema)]
pub(super) struct Tested {
    /// Whether it arrived.
    ok: bool,
    /// Why not.
    reason: Option<String>,
}

/// A message on its way, or what became of it.
#[derive(Serialize, ToSchema)]
pub(super) struct Message {
    id: i64,
    destination: String,
    /// When it was made, epoch milliseconds.
    made: i64,
    /// `waiting`, `delivered` or `failed`.
    state: &'static str,
    /// How often it was tried in vain.
    tries: i64,
    /// When it arrived or was given up.
    done: Option<i64>,
    /// When it is tried again.
    due: Option<i64>,
    /// Why it did not arrive, the last time.
    reason: Option<String>,
}

/// The newest first.
#[derive(Serialize, ToSchema)]
pub(super) struct Messages {
    items: Vec<Message>,
}

impl NewDestination {
    fn parts(self) -> (Option<String>, Destination, Option<Secret>) {
        let Self { name, kind, url, secret, server, tls, user, from, to, ca, together, paused } = self;
        (name, Destination { kind, url, server, tls, user, from, to, ca, together, paused }, secret.map(Secret))
    }
}

fn message(delivery: Delivery) -> Message {
    let state = match (delivery.done_ms, &delivery.reason) {
        (None, _) => "waiting",
        (Some(_), None) => "delivered",
        (Some(_), Some(_)) => "failed",
    };
    Message {
        id: delivery.delivery_id,
        destination: delivery.destination,
        made: delivery.made_ms,
        state,
        tries: delivery.tries,
        done: delivery.done_ms,
        due: delivery.done_ms.is_none().then_some(delivery.due_ms),
        reason: delivery.reason,
    }
}

fn shown(view: DestinationView) -> Shown {
    let DestinationView { name, destination, has_secret, origin, newest, failing, waiting } = view;
    Shown { name, origin, has_secret, newest: newest.map(message), failing: failing.map(message), waiting, destination }
}

/// Where messages go.
#[utoipa::path(get, path = "/destinations", tag = "alerts", responses((status = 200, body = Destinations)))]
pub(super) async fn list(State(app): State<Arc<App>>) -> Result<Json<Destinations>, Problem> {
    Ok(Json(Destinations { items: app.desk.destinations().await?.into_iter().map(shown).collect() }))
}

/// Adds a destination.
#[utoipa::path(post, path = "/destinations", tag = "alerts", request_body = NewDestination, responses(
    (status = 201, body = Shown), (status = 409, description = "The name is taken")))]
pub(super) async fn add(State(app): State<Arc<App>>, Body(new): Body<NewDestination>) -> Result<(StatusCode, Json<Shown>), Problem> {
    let (name, destination, secret) = new.parts();
    let name = name.unwrap_or_default();
    app.desk.add_destination(&name, &destination, secret.as_ref()).await?;
    Ok((StatusCode::CREATED, Json(shown(app.desk.destination(&name).await?))))
}

/// One destination.
#[utoipa::path(get, path = "/destinations/{name}", tag = "alerts", params(("name" = String, Path)),
    responses((status = 200, body = Shown), (status = 404, description = "No such destination")))]
pub(super) async fn get(State(app): State<Arc<App>>, Path(name): Path<String>) -> Result<Json<Shown>, Problem> {
    Ok(Json(shown(app.desk.destination(&name).await?)))
}

/// Replaces what a destination is.
#[utoipa::path(put, path = "/destinations/{name}", tag = "alerts", params(("name" = String, Path)), request_body = NewDestination,
    responses((status = 200, body = Shown), (status = 404, description = "No such destination")))]
pub(super) async fn change(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    Body(change): Body<NewDestination>,
) -> Result<Json<Shown>, Problem> {
    let (_, destination, secret) = change.parts();
    app.desk.change_destination(&name, &destination, secret.as_ref()).await?;
    Ok(Json(shown(app.desk.destination(&name).await?)))
}

/// Removes a destination; what waits for it is given up.
#[utoipa::path(delete, path = "/destinations/{name}", tag = "alerts", params(("name" = String, Path)),
    responses((status = 204, description = "Removed"), (status = 404, description = "No such destination")))]
pub(super) async fn remove(State(app): State<Arc<App>>, Path(name): Path<String>) -> Result<StatusCode, Problem> {
    app.desk.remove_destination(&name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Sends a test at once, and says what came of it.
#[utoipa::path(post, path = "/destinations/{name}/test", tag = "alerts", params(("name" = String, Path)),
    responses((status = 200, body = Tested), (status = 404, description = "No such destination")))]
pub(super) async fn test(State(app): State<Arc<App>>, Path(name): Path<String>) -> Result<Json<Tested>, Problem> {
    let outcome = app.desk.test_destination(&name).await?;
    Ok(Json(Tested { ok: outcome.is_ok(), reason: outcome.err() }))
}

/// What became of the messages to a destination, the newest first.
#[utoipa::path(get, path = "/destinations/{name}/deliveries", tag = "alerts", params(("name" = String, Path),
    ("limit" = Option<u32>, Query, description = "At most so many, 100 when left out")),
    responses((status = 200, body = Messages), (status = 404, description = "No such destination")))]
pub(super) async fn deliveries(State(app): State<Arc<App>>, Path(name): Path<String>, ask: Ask) -> Result<Json<Messages>, Problem> {
    app.desk.destination(&name).await?;
    let most = ask.number("limit", 100, 1..=1_000)?;
    let items = app.desk.deliveries(Some(&name), i64::from(most)).await?.into_iter().map(message).collect();
    Ok(Json(Messages { items }))
}
