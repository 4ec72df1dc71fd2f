//! The JSON API under `/cp/api/v1`: reads questions, asks the desk, writes answers. Knows no SQL and no wire.
//!
//! Who may is decided by [`crate::auth::guard`] from method and path, before what is asked for is looked up.

mod ask;
mod boxes;
mod charts;
mod export;
mod problems;
mod series;
mod session;
mod statistics;
mod ticks;

use std::sync::Arc;

use axum::{Json, Router, extract::State};
use utoipa::{OpenApi, openapi::security::SecurityRequirement};
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) use ask::unread;
pub use ask::{Ask, Body, Path};

use crate::http::{App, Shared};

/// What the description says of the whole API.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Tickmark",
        description = "Statistics of SIP servers: live values, what is recorded, and its history. Times are epoch milliseconds UTC in answers, RFC 3339 or epoch milliseconds in questions; intervals and spans are written 500ms, 10s, 24h. Errors are application/problem+json."
    ),
    modifiers(&Doors),
    security(("session" = []), ("token" = []))
)]
struct Description;

/// The two ways to be let in.
struct Doors;

impl utoipa::Modify for Doors {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};
        let components = openapi.components.get_or_insert_default();
        let cookie = SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(crate::auth::COOKIE)));
        components.add_security_scheme("session", cookie);
        components.add_security_scheme("token", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
    }
}

/// The handlers and their description, which is made from them.
pub fn routes() -> (Router<Shared>, utoipa::openapi::OpenApi) {
    let inside = OpenApiRouter::new()
        .routes(routes!(session::login))
        .routes(routes!(session::logout))
        .routes(routes!(session::me))
        .routes(routes!(boxes::list, boxes::add))
        .routes(routes!(boxes::probe))
        .routes(routes!(boxes::get, boxes::change, boxes::remove))
        .routes(routes!(boxes::refresh))
        .routes(routes!(statistics::list))
        .routes(routes!(statistics::correct))
        .routes(routes!(ticks::list, ticks::tick_matching))
        .routes(routes!(ticks::tick, ticks::untick))
        .routes(routes!(series::series))
        .routes(routes!(charts::svg))
        .routes(routes!(charts::png))
        .routes(routes!(export::export))
        .routes(routes!(openapi));
    let (router, mut openapi) = OpenApiRouter::with_openapi(Description::openapi()).nest("/cp/api/v1", inside).split_for_parts();
    for item in openapi.paths.paths.values_mut() {
        // `security(())` is written as a list of one empty requirement, which tools read as "a session is optional".
        if let Some(login) = item.post.as_mut().filter(|post| post.security.as_deref() == Some(&[SecurityRequirement::default()])) {
            login.security = Some(Vec::new());
        }
    }
    (router, openapi)
}

/// This description.
#[utoipa::path(get, path = "/openapi.json", tag = "about", responses((status = 200, description = "OpenAPI 3.1", body = Object)))]
async fn openapi(State(app): State<Arc<App>>) -> Json<utoipa::openapi::OpenApi> {
    Json(app.openapi.clone())
}
