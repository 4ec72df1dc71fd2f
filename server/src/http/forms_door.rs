//! Forms of the door: login, logout, setup.

use std::net::SocketAddr;

use app::model::{LoginPage, Page, SetupPage, Tab};
use axum::{
    extract::{ConnectInfo, State},
    http::{HeaderMap, HeaderValue, Uri, header},
    response::Response,
};

use super::{
    App, Shared,
    forms::Form,
    render::{self, back},
};
use crate::{auth::Caller, clock, problem::Problem, source::Secret};

/// Signs in and goes on to where one wanted to go.
pub(super) async fn login(
    State(app): State<Shared>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    form: Form,
) -> Result<Response, Problem> {
    let (user, next) = (form.text("user"), form.text("next"));
    match app.sign_in(&headers, peer, user, form.text("password")).await {
        Ok(cookie) => Ok(with_cookie(back(next, &Ok(String::new())), cookie)),
        Err(error) => {
            let needs_setup = app.auth.needs_setup().await?;
            let page = LoginPage { user: user.to_owned(), next: next.to_owned(), error: Some(error.to_string()), needs_setup };
            Ok(door(&app, &headers, "/cp/login", Page::Login(page)).await)
        }
    }
}

/// Makes the first account by the setup link, and signs it in.
pub(super) async fn setup(State(app): State<Shared>, headers: HeaderMap, form: Form) -> Result<Response, Problem> {
    let (token, user, password) = (form.text("token"), form.text("user").trim(), form.text("password"));
    let done = if password == form.text("again") {
        let password = Secret(password.to_owned());
        app.auth.setup(&headers, token, user, &password, clock::now_ms()).await.map_err(|error| error.to_string())
    } else {
        Err("the two passwords differ: type the same twice".to_owned())
    };
    match done {
        Ok(cookie) => {
            let welcome = "Welcome: tick a statistic, and it is recorded from now on".to_owned();
            Ok(with_cookie(back("/cp", &Ok(welcome)), cookie.header()))
        }
        Err(error) => {
            let allowed = app.auth.setup_allowed(token).await?;
            let page = SetupPage { token: token.to_owned(), user: user.to_owned(), error: Some(error), allowed };
            Ok(door(&app, &headers, "/cp/setup", Page::Setup(page)).await)
        }
    }
}

/// Signs out.
pub(super) async fn logout(State(app): State<Shared>, _: Caller, headers: HeaderMap) -> Result<Response, Problem> {
    let cookie = app.auth.logout(&headers).await?;
    Ok(with_cookie(back("/cp/login", &Ok(String::new())), cookie.header()))
}

fn with_cookie(mut response: Response, cookie: HeaderValue) -> Response {
    response.headers_mut().append(header::SET_COOKIE, cookie);
    response
}

async fn door(app: &App, headers: &HeaderMap, here: &'static str, page: Page) -> Response {
    let frame = render::frame(Tab::None, None, headers, &Uri::from_static(here));
    render::page(app, frame, page, render::request_for(here)).await
}
