//! Signing in and out by JSON, and who one is.

use std::{net::SocketAddr, sync::Arc};

use app::model::{Column, Density, Numbers, Taste, Theme};
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

/// How one's pages look.
#[utoipa::path(get, path = "/me/settings", tag = "session", responses((status = 200, body = Taste)))]
pub(super) async fn settings(caller: Caller) -> Json<Taste> {
    Json(caller.taste())
}

/// Some of how one's pages look; what is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TasteChange {
    density: Option<Density>,
    without: Option<Vec<Column>>,
    theme: Option<Theme>,
    zone: Option<String>,
    span: Option<String>,
    numbers: Option<Numbers>,
}

/// Changes it; it is kept with the account, on the server.
#[utoipa::path(patch, path = "/me/settings", tag = "session", request_body = TasteChange, responses((status = 200, body = Taste)))]
pub(super) async fn change_settings(
    State(app): State<Arc<App>>,
    caller: Caller,
    Body(change): Body<TasteChange>,
) -> Result<Json<Taste>, Problem> {
    let before = caller.taste();
    let TasteChange { density, without, theme, zone, span, numbers } = change;
    let taste = Taste {
        density: density.unwrap_or(before.density),
        without: without.unwrap_or(before.without),
        theme: theme.unwrap_or(before.theme),
        zone: zone.unwrap_or(before.zone),
        span: span.unwrap_or(before.span),
        numbers: numbers.unwrap_or(before.numbers),
    };
    app.auth.keep_taste(&caller, &taste).await?;
    Ok(Json(taste))
}

/// Who one is.
#[utoipa::path(get, path = "/me", tag = "session", responses((status = 200, body = Me)))]
pub(super) async fn me(caller: Caller) -> Json<Me> {
    Json(Me::from(&caller))
}
