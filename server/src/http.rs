//! The web: pages, forms, the live stream, health and metrics. Fills pages from the board and the desk; draws nothing itself.

mod alerts;
mod box_fields;
mod compose;
mod forms;
mod forms_alerts;
mod forms_boxes;
mod forms_derived;
mod forms_door;
mod forms_notes;
mod forms_push;
mod forms_scripts;
mod forms_sets;
mod forms_settings;
mod forms_users;
mod metrics;
mod overview;
mod pages;
mod people;
mod render;
mod rows;
mod statistic;

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Redirect, Response, sse::Sse},
    routing::{get, post},
};
use futures::StreamExt;
use leptos::config::LeptosOptions;
use tokio_util::sync::CancellationToken;
use tower_http::{
    catch_panic::CatchPanicLayer,
    compression::{
        CompressionLayer, CompressionLevel,
        predicate::{NotForContentType, Predicate, SizeAbove},
    },
    set_header::SetResponseHeaderLayer,
};

use crate::{
    alerts::Pictures,
    api::{self, Album, Ask},
    assets,
    auth::{self, Auth, LoginError},
    clock,
    desk::Desk,
    engine::Engine,
    live,
    problem::{Problem, problem},
    scripts::Scripts,
    source::Secret,
    store::Store,
};

/// No form and no JSON body is larger than this.
pub(crate) const MAX_BODY: usize = 1024 * 1024;
/// But for the form of all ticks: it holds every name of a page several times, percent-encoded, see [`pages`].
const MAX_TICKS_FORM: usize = 4 * 1024 * 1024;
/// How hard pages are compressed: a third less is sent than by the quickest way, for half as much time again, a fraction of a millisecond.
const COMPRESSION: CompressionLevel = CompressionLevel::Precise(3);
/// The database answers within this time, or the panel is not ready.
const READY_LIMIT: std::time::Duration = std::time::Duration::from_secs(2);

/// What every handler shares.
pub struct App {
    /// What people and tools change and read.
    pub desk: Arc<Desk>,
    /// Who may.
    pub auth: Arc<Auth>,
    /// What is counted.
    pub engine: Arc<Engine>,
    /// The scripts.
    pub scripts: Arc<Scripts>,
    /// For health alone.
    pub store: Store,
    /// The API's description.
    pub openapi: utoipa::openapi::OpenApi,
    /// Where the client's files are, for the pages.
    pub leptos: LeptosOptions,
    /// Ends streams.
    pub stop: CancellationToken,
    /// The rows that were drawn last.
    pub rows: rows::Rows,
    /// PNGs are drawn one at a time.
    pub painting: tokio::sync::Mutex<()>,
    /// Pictures of alerts that have an address.
    pub pictures: Pictures,
    /// Those of them that were drawn lately.
    pub album: Album,
}

/// The state of the router.
pub type Shared = Arc<App>;

/// The parts from which an [`App`] is made.
pub struct Parts {
    /// The desk.
    pub desk: Arc<Desk>,
    /// The door.
    pub auth: Arc<Auth>,
    /// The engine.
    pub engine: Arc<Engine>,
    /// The scripts.
    pub scripts: Arc<Scripts>,
    /// The store.
    pub store: Store,
    /// Pictures of alerts that have an address.
    pub pictures: Pictures,
    /// Ends streams.
    pub stop: CancellationToken,
}

/// The whole web.
pub fn router(parts: Parts) -> Router {
    let Parts { desk, auth, engine, scripts, store, pictures, stop } = parts;
    // Leptos spawns through this; a second router in one process finds it there already.
    let _ = any_spawner::Executor::init_tokio();
    let (api, openapi) = api::routes();
    let leptos = LeptosOptions::builder().output_name("tickmark").site_pkg_dir("assets").build();
    let app = Arc::new(App {
        desk,
        auth,
        engine,
        scripts,
        store,
        openapi,
        leptos,
        stop,
        rows: rows::Rows::default(),
        painting: tokio::sync::Mutex::default(),
        pictures,
        album: Album::default(),
    });
    let inside = Router::new()
        .route("/", get(to_first))
        .route("/cp/", get(to_first))
        .route("/cp", get(pages::realtime))
        .route("/cp/charts", get(pages::charts))
        .route("/cp/overview", get(overview::overview))
        .route("/cp/boxes/{box}/{name}", get(statistic::statistic))
        .route("/cp/boxes", get(pages::boxes).post(forms_boxes::add))
        .route("/cp/boxes/edit", post(forms_boxes::edit).get(to_boxes))
        .route("/cp/boxes/pause", post(forms_boxes::pause).get(to_boxes))
        .route("/cp/boxes/remove", post(forms_boxes::remove).get(to_boxes))
        .route("/cp/scripts", get(forms_scripts::list).post(forms_scripts::change))
        .route("/cp/scripts/{name}", get(forms_scripts::script).post(forms_scripts::edit))
        .route("/cp/settings", get(forms_settings::settings).post(forms_settings::set))
        .route("/cp/sets", get(forms_sets::sets).post(forms_sets::change))
        .route("/cp/sets/{name}", get(forms_sets::open))
        .route("/cp/notes", get(forms_notes::notes).post(forms_notes::write))
        .route("/cp/users", get(forms_users::users).post(forms_users::change))
        .route("/cp/password", post(forms_users::own_password).get(to_first))
        .route("/cp/alerts", get(forms_alerts::alerts).post(forms_alerts::act))
        .route("/cp/derived", get(forms_derived::derived).post(forms_derived::define))
        .route("/cp/login", get(pages::login).post(forms_door::login))
        .route("/cp/setup", get(pages::setup).post(forms_door::setup))
        .route("/cp/logout", post(forms_door::logout).get(to_first))
        .route("/cp/ticks", post(forms::ticks).get(to_first).layer(DefaultBodyLimit::max(MAX_TICKS_FORM)))
        .route("/cp/refresh", post(forms::refresh).get(to_first))
        .route("/cp/reset", post(forms::reset).get(to_first))
        .route("/cp/kind", post(forms::kind).get(to_first))
        .route("/cp/push", post(forms_push::push).get(to_boxes))
        .route("/cp/taste", post(forms::taste).get(to_first))
        .route("/cp/theme", post(forms::theme).get(to_first))
        .route("/cp/events", get(events))
        .route("/cp/assets/{file}", get(assets::serve))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics::metrics))
        .merge(api)
        .fallback(pages::not_found)
        .method_not_allowed_fallback(method_not_allowed);
    // A stream must leave as it comes: a compressor would hold events back. Assets are compressed already.
    let compress = SizeAbove::new(512).and(NotForContentType::new("text/event-stream")).and(NotForContentType::new("image/png"));
    inside
        // For whoever reads a body, so that the guard decides first and the answer is a problem like others.
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(middleware::from_fn(people::numbers))
        .layer(CatchPanicLayer::custom(people::broken))
        .layer(middleware::from_fn_with_state(Arc::clone(&app.auth), auth::guard))
        .layer(middleware::from_fn_with_state(Arc::clone(&app), count))
        .layer(middleware::from_fn_with_state(Arc::clone(&app), people::pages))
        .layer(CompressionLayer::new().quality(COMPRESSION).compress_when(compress))
        .layer(header_layer(header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"))
        .layer(header_layer(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(header_layer(header::REFERRER_POLICY, "same-origin"))
        .layer(header_layer(header::CACHE_CONTROL, "no-store"))
        .with_state(app)
}

fn header_layer(name: HeaderName, value: &'static str) -> SetResponseHeaderLayer<HeaderValue> {
    SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value))
}

async fn count(State(app): State<Shared>, request: Request, next: Next) -> Response {
    app.engine.counts.requests.count();
    next.run(request).await
}

async fn ready(State(app): State<Shared>) -> Response {
    let answered = tokio::time::timeout(READY_LIMIT, app.store.ping()).await;
    let error = match answered {
        Ok(Ok(())) => app.fault(),
        Ok(Err(error)) => Some(error.to_string()),
        Err(_) => Some("the database does not answer".to_owned()),
    };
    match error {
        None => "ready\n".into_response(),
        Some(error) => {
            tracing::warn!(error, "not ready");
            (StatusCode::SERVICE_UNAVAILABLE, format!("{error}\n")).into_response()
        }
    }
}

async fn events(State(app): State<Shared>, ask: Ask, request: Request) -> Result<Response, Problem> {
    let entry = ask.get("box").map(|name| app.desk.entry(name)).transpose()?;
    let shown = live::Shown::asked(&ask);
    if live::is_full(&app.engine) {
        let detail = format!("{} pages watch already: close some", live::MAX_WATCHERS);
        return Err(problem(StatusCode::SERVICE_UNAVAILABLE, "Too many watchers", detail));
    }
    let close_up = entry.as_ref().and_then(|entry| {
        let (groups, every) = live::closely(&entry.lock(), &shown, &ask)?;
        app.desk.look_closely(entry, groups, every)
    });
    let (auth, headers) = (Arc::clone(&app.auth), request.headers().clone());
    // A browser that connects again by itself asks as at first, and says beside that what it heard since.
    let heard = headers.get("last-event-id").and_then(|id| id.to_str().ok()?.parse().ok());
    let have = ask.get("have").and_then(|at| at.parse().ok()).map(|at| heard.unwrap_or(at));
    let events = live::events(live::Watch {
        board: Arc::clone(&app.desk.board),
        engine: Arc::clone(&app.engine),
        only: entry.map(|entry| entry.lock().stored.id),
        shown,
        have,
        close_up,
        trouble: app.store.trouble(),
        allowed: async move || matches!(auth.caller(&headers, clock::now_ms()).await, Ok(Some(_))),
        notices: app.scripts.notices().listen(),
        doors: app.auth.doors(),
        stop: app.stop.clone(),
    });
    let mut response = Sse::new(events.map(Ok::<_, std::convert::Infallible>)).into_response();
    // Proxies such as nginx would collect the stream otherwise.
    response.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response)
}

/// Where a form's address leads whoever opens it, by a reload or from the history.
async fn to_first() -> Redirect {
    Redirect::to("/cp")
}

async fn to_boxes() -> Redirect {
    Redirect::to("/cp/boxes")
}

async fn method_not_allowed() -> Problem {
    problem(StatusCode::METHOD_NOT_ALLOWED, "Not like this", "this path does not take that method: see /cp/api/v1/openapi.json".to_owned())
}

impl App {
    /// Why nothing can be recorded at this moment, and how much waits for it or is lost.
    #[must_use]
    pub fn fault(&self) -> Option<String> {
        let text = self.store.trouble().borrow().as_ref().map(live::fault)?;
        let counts = &self.engine.counts;
        Some(format!("{text} Answers that wait: {}; lost since the start: {}.", counts.polls_waiting(), counts.polls_lost.get()))
    }

    /// Signs in; answers the values for `Set-Cookie`, the session's first.
    ///
    /// # Errors
    /// When the name or password is wrong, or this address has tried too often.
    pub async fn sign_in(&self, headers: &HeaderMap, peer: SocketAddr, user: &str, password: &str) -> Result<Vec<HeaderValue>, LoginError> {
        let password = Secret(password.to_owned());
        match self.auth.login(headers, peer.ip(), user, &password, clock::now_ms()).await {
            Ok(session) => Ok(self.cookies(&session, headers, user).await),
            Err(error) => {
                self.engine.counts.logins_failed.count();
                Err(error)
            }
        }
    }

    /// What a browser gets that signed in: its session, and the cookie by which it is known next time.
    pub async fn cookies(&self, session: &auth::SessionCookie, headers: &HeaderMap, user: &str) -> Vec<HeaderValue> {
        let device = self.auth.device_cookie(headers, user).await;
        std::iter::once(session.header()).chain(device).collect()
    }
}
