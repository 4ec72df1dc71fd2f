//! Forms of the door: login, logout, setup.

use std::net::SocketAddr;

use app::{
    model::{LoginPage, Page, SetupPage, Tab},
    wording::sentence,
};
use axum::{
    extract::{ConnectInfo, State},
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};

use super::{
    App, Shared,
    forms::Form,
    render::{self, back},
};
use crate::{
    auth::Caller,
    clock,
    problem::{Problem, problem},
    source::Secret,
};

/// Signs in and goes on to where one wanted to go.
pub(super) async fn login(
    State(app): State<Shared>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    form: Form,
) -> Result<Response, Problem> {
    let (user, next) = (form.text("user"), form.text("next"));
    match app.sign_in(&headers, peer, user, form.text("password")).await {
        Ok(cookies) => Ok(with_cookies(back(next, &Ok(String::new())), cookies)),
        Err(error) => {
            let needs_setup = app.auth.needs_setup().await?;
            let refused = Problem::from(error);
            let error = Some(refused.detail.clone());
            let page = LoginPage { user: user.to_owned(), next: next.to_owned(), error, again: false, needs_setup };
            Ok(door(&app, &headers, "/cp/login", Page::Login(page), refused).await)
        }
    }
}

/// Makes the first account by the setup link, and signs it in.
pub(super) async fn setup(State(app): State<Shared>, headers: HeaderMap, form: Form) -> Result<Response, Problem> {
    let (token, user, password) = (form.text("token"), form.text("user").trim(), form.text("password"));
    let done = if password == form.text("again") {
        let password = Secret(password.to_owned());
        app.auth.setup(&headers, token, user, &password, clock::now_ms()).await.map_err(|error| sentence(&error.to_string()))
    } else {
        Err("The two passwords differ: type the same twice.".to_owned())
    };
    match done {
        Ok(session) => {
            let cookies = app.cookies(&session, &headers, user).await;
            let welcome = format!("Welcome. The account {user} is made, and you are signed in.");
            Ok(with_cookies(back("/cp", &Ok(welcome)), cookies))
        }
        Err(error) => {
            let allowed = app.auth.setup_allowed(token).await?;
            let page = SetupPage { token: token.to_owned(), user: user.to_owned(), error: Some(error.clone()), allowed };
            let refused = problem(StatusCode::UNPROCESSABLE_ENTITY, "The account was not made", error);
            Ok(door(&app, &headers, "/cp/setup", Page::Setup(page), refused).await)
        }
    }
}

/// Signs out.
pub(super) async fn logout(State(app): State<Shared>, _: Caller, headers: HeaderMap) -> Result<Response, Problem> {
    let cookie = app.auth.logout(&headers).await?;
    Ok(with_cookies(back("/cp/login", &Ok(String::new())), vec![cookie.header()]))
}

fn with_cookies(mut response: Response, cookies: Vec<HeaderValue>) -> Response {
    for cookie in cookies {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

/// The form again, with the status and the headers of what refused it.
async fn door(app: &App, headers: &HeaderMap, here: &'static str, page: Page, refused: Problem) -> Response {
    let frame = render::frame(Tab::None, None, headers, &Uri::from_static(here));
    let refused = refused.into_response();
    let mut response = render::page_as(app, refused.status(), frame, page, render::request_for(here)).await;
    if let Some(wait) = refused.headers().get(header::RETRY_AFTER) {
        response.headers_mut().insert(header::RETRY_AFTER, wait.clone());
    }
    response
}
