//! The JSON API under `/cp/api/v1`: reads questions, asks the desk, writes answers. Knows no SQL and no wire.
//!
//! Who may is decided by [`crate::auth::guard`] from method and path, before what is asked for is looked up.

mod alerts;
mod ask;
mod boxes;
mod charts;
mod derived;
mod description;
mod destinations;
mod export;
mod notes;
mod pictures;
mod problems;
mod pushing;
mod resetting;
mod retention;
mod scripts;
mod series;
mod session;
mod sets;
mod statistics;
mod ticks;

use std::sync::Arc;

use axum::{Json, Router, extract::State};
use utoipa::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) use ask::unread;
pub use ask::{Ask, Body, Path};
pub use charts::drawing;
pub use pictures::Album;

use crate::http::{App, Shared};
use description::Description;

/// The handlers and their description, which is made from them.
pub fn routes() -> (Router<Shared>, utoipa::openapi::OpenApi) {
    let inside = OpenApiRouter::new()
        .routes(routes!(session::login))
        .routes(routes!(session::logout))
        .routes(routes!(session::me))
        .routes(routes!(session::settings, session::change_settings))
        .routes(routes!(boxes::list, boxes::add))
        .routes(routes!(boxes::probe))
        .routes(routes!(boxes::get, boxes::change, boxes::remove))
        .routes(routes!(boxes::refresh))
        .routes(routes!(statistics::list))
        .routes(routes!(statistics::correct, pushing::remove))
        .routes(routes!(pushing::update))
        .routes(routes!(resetting::reset))
        .routes(routes!(ticks::list, ticks::tick_matching))
        .routes(routes!(ticks::tick, ticks::untick))
        .routes(routes!(series::series))
        .routes(routes!(charts::lines))
        .routes(routes!(charts::svg))
        .routes(routes!(charts::png))
        .routes(routes!(export::lines))
        .routes(routes!(export::export))
        .routes(routes!(notes::list, notes::add))
        .routes(routes!(notes::change, notes::remove))
        .routes(routes!(alerts::list, alerts::add))
        .routes(routes!(alerts::firing))
        .routes(routes!(alerts::history))
        .routes(routes!(alerts::preview))
        .routes(routes!(alerts::get, alerts::change, alerts::remove))
        .routes(routes!(alerts::silence))
        .routes(routes!(alerts::acknowledge))
        .routes(routes!(destinations::list, destinations::add))
        .routes(routes!(destinations::get, destinations::change, destinations::remove))
        .routes(routes!(destinations::test))
        .routes(routes!(destinations::deliveries))
        .routes(routes!(derived::list, derived::add))
        .routes(routes!(derived::check))
        .routes(routes!(derived::get, derived::change, derived::remove))
        .routes(routes!(sets::list, sets::add))
        .routes(routes!(sets::get, sets::change, sets::remove))
        .routes(routes!(sets::file, sets::take))
        .routes(routes!(retention::list, retention::set))
        .routes(routes!(retention::preview))
        .routes(routes!(scripts::list, scripts::add))
        .routes(routes!(scripts::get, scripts::change, scripts::remove))
        .routes(routes!(scripts::run))
        .routes(routes!(scripts::runs))
        .routes(routes!(scripts::hosts, scripts::set_hosts))
        .routes(routes!(openapi));
    // Its address goes to others: it lies with the page.
    let beside = OpenApiRouter::new().routes(routes!(pictures::picture));
    let whole = OpenApiRouter::with_openapi(Description::openapi()).nest("/cp/api/v1", inside).merge(beside);
    let (router, mut openapi) = whole.split_for_parts();
    description::complete(&mut openapi);
    (router, openapi)
}

/// This description.
#[utoipa::path(get, path = "/openapi.json", tag = "about", responses((status = 200, description = "OpenAPI 3.1", body = Object)))]
async fn openapi(State(app): State<Arc<App>>) -> Json<utoipa::openapi::OpenApi> {
    Json(app.openapi.clone())
}
