//! Signing in and out by JSON, and who one is.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Json,
    extract::{ConnectInfo, State},
    http::{HeaderMap, StatusCode, header},
    response::{AppendHeaders, IntoResponse},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Body;
use crate::{auth::Caller, http::App, problem::Problem};

/// Who signs in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Login {
    user: String,
    password: String,
}

/// Who one is.
#[derive(Serialize, ToSchema)]
pub(super) struct Me {
    /// The account's or the token's name.
    name: String,
    /// `account` or `token`.
    kind: &'static str,
    /// What it may: `read`, `tick`, `push`, `admin`.
    scope: String,
}

impl From<&Caller> for Me {
    fn from(caller: &Caller) -> Self {
        match caller {
            Caller::Account { name, scope, .. } => Self { name: name.clone(), kind: "account", scope: scope.as_str().to_owned() },
            Caller::Token { name, scope } => Self { name: name.clone(), kind: "token", scope: scope.as_str().to_owned() },
        }
    }
}

/// Signs in; the answer sets the session cookie.
#[utoipa::path(post, path = "/login", tag = "session", request_body = Login, security(()), responses(
    (status = 200, body = Me), (status = 401, description = "Wrong name or password"), (status = 429, description = "Too many tries from this address: wait")))]
pub(super) async fn login(
    State(app): State<Arc<App>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Body(login): Body<Login>,
) -> Result<impl IntoResponse, Problem> {
    let cookies = app.sign_in(&headers, peer, &login.user, &login.password).await?;
    let scope = app.auth.scope_of(&login.user).await?;
    let me = Me { name: login.user, kind: "account", scope };
    Ok((AppendHeaders(cookies.into_iter().map(|cookie| (header::SET_COOKIE, cookie))), Json(me)))
}

/// Signs out: the session is gone.
#[utoipa::path(post, path = "/logout", tag = "session", responses((status = 204, description = "Signed out")))]
pub(super) async fn logout(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<impl IntoResponse, Problem> {
    let cookie = app.auth.logout(&headers).await?;
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie.header())]))
}

/// Who one is.
#[utoipa::path(get, path = "/me", tag = "session", responses((status = 200, body = Me)))]
pub(super) async fn me(caller: Caller) -> Json<Me> {
    Json(Me::from(&caller))
}
