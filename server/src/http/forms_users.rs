//! The page Users and its forms: accounts, tokens, one's own password.

use app::model::{Asked, Origin, Page, PersonRow, Tab, TokenRow, Typed, UsersPage};
use axum::{
    extract::{Request, State},
    http::{HeaderMap, StatusCode, Uri, header},
    response::Response,
};

use super::{
    App, Shared,
    forms::Form,
    render::{self, back},
};
use crate::{
    api::Ask,
    auth::{Caller, PeopleError, Right},
    problem::{Problem, problem},
    source::Secret,
};

const HERE: &str = "/cp/users";

/// Users; a link asks for a new password of somebody, or whether to remove.
pub(super) async fn users(State(app): State<Shared>, caller: Caller, ask: Ask, request: Request) -> Result<Response, Problem> {
    let frame = render::frame(Tab::Users, Some(&caller), request.headers(), request.uri());
    let mut page = page(&app, &caller).await?;
    let known = |name: &&str| page.accounts.iter().any(|one| one.name == **name && !one.is_from_file);
    let asked = |what: &str| ask.get(what).map(str::to_owned);
    page.asked = match (ask.get("remove").filter(known), ask.get("password").filter(known), asked("revoke")) {
        (Some(name), ..) => Asked::Remove(name.to_owned()),
        (_, Some(name), _) => Asked::Password(name.to_owned()),
        (_, _, Some(name)) if page.tokens.iter().any(|one| one.name == name) => Asked::Revoke(name),
        _ => Asked::Nothing,
    };
    Ok(render::page(&app, frame, Page::Users(page), request).await)
}

/// Adds, changes and removes accounts and tokens.
pub(super) async fn change(State(app): State<Shared>, caller: Caller, headers: HeaderMap, form: Form) -> Result<Response, Problem> {
    let text = |name: &str| form.text(name).trim().to_owned();
    let secret = |name: &str| Secret(form.text(name).to_owned());
    let (name, scope) = (text("name"), text("scope"));
    let done = match form.text("do") {
        "add" => app.auth.add_account(&name, &secret("password"), &scope).await.map(|()| format!("{name} can sign in now")),
        "scope" => app.auth.set_account_scope(&name, &scope).await.map(|()| format!("{name} may {}", may(&scope))),
        "password" => app
            .auth
            .set_account_password(&name, &secret("fresh"))
            .await
            .map(|()| format!("The password of {name} is changed, and its sessions have ended")),
        "remove" => app.auth.remove_account(&name).await.map(|()| format!("{name} is removed")),
        "revoke" => app.auth.revoke_token(&name).await.map(|()| format!("The token {name} is revoked")),
        "token" => match app.auth.add_token(&text("token"), &text("token-scope")).await {
            Ok(secret) => return made(&app, &caller, &headers, (text("token"), secret.0)).await,
            Err(error) => Err(error),
        },
        other => Err(PeopleError::Refused(format!("{other:?} is nothing that this page does: reload it"))),
    };
    match done {
        Ok(told) => {
            tracing::info!(by = caller.name(), "users: {told}");
            Ok(back(HERE, &Ok(told)))
        }
        Err(error) => {
            let is_weak_new = form.text("do") == "password";
            let typed = Typed { name: name.clone(), scope, token: text("token"), token_scope: text("token-scope") };
            let asked = if is_weak_new { Asked::Password(name) } else { Asked::Nothing };
            let field = move |field: &'static str| if is_weak_new && field == "password" { "fresh" } else { field };
            refused(&app, &caller, &headers, error, |page| UsersPage { asked, typed, ..page }, field).await
        }
    }
}

/// Changes the password of whoever asks.
pub(super) async fn own_password(State(app): State<Shared>, caller: Caller, headers: HeaderMap, form: Form) -> Result<Response, Problem> {
    let Caller::Account { name, .. } = &caller else {
        return Err(problem(StatusCode::FORBIDDEN, "A token has no password", "sign in as the account whose password is to be changed"));
    };
    let secret = |name: &str| Secret(form.text(name).to_owned());
    let done = if form.text("new") == form.text("again") {
        app.auth.change_own_password(&headers, name, &secret("old"), &secret("new")).await
    } else {
        Err(PeopleError::Invalid { field: "again", message: "the two new passwords differ: type the same twice".to_owned() })
    };
    match done {
        Ok(session) => {
            let told = "Your password is changed. Your sessions in other browsers have ended";
            let mut response = back(HERE, &Ok(told.to_owned()));
            response.headers_mut().append(header::SET_COOKIE, session.header());
            Ok(response)
        }
        Err(error) => {
            let field = |field: &'static str| if field == "password" { "new" } else { field };
            refused(&app, &caller, &headers, error, |page| page, field).await
        }
    }
}

fn may(scope: &str) -> &'static str {
    match scope {
        "read" => "see everything now, and change nothing",
        "tick" => "see everything and choose what is recorded now",
        _ => "do everything now",
    }
}

async fn made(app: &App, caller: &Caller, headers: &HeaderMap, made: (String, String)) -> Result<Response, Problem> {
    tracing::info!(by = caller.name(), token = made.0, "a token was made");
    let page = UsersPage { made: Some(made), ..page(app, caller).await? };
    let frame = render::frame(Tab::Users, Some(caller), headers, &Uri::from_static(HERE));
    Ok(render::page(app, frame, Page::Users(page), render::request_for(HERE)).await)
}

/// The page again, with what is wrong where it is wrong.
async fn refused(
    app: &App,
    caller: &Caller,
    headers: &HeaderMap,
    error: PeopleError,
    fill: impl FnOnce(UsersPage) -> UsersPage,
    field_of: impl FnOnce(&'static str) -> &'static str,
) -> Result<Response, Problem> {
    let wrong = match error {
        PeopleError::Invalid { field, message } => (field_of(field), message),
        PeopleError::Refused(message) => ("", message),
        PeopleError::Failed(error) => return Err(error.into()),
    };
    let page = UsersPage { errors: vec![wrong], ..fill(page(app, caller).await?) };
    let frame = render::frame(Tab::Users, Some(caller), headers, &Uri::from_static(HERE));
    Ok(render::page_as(app, StatusCode::UNPROCESSABLE_ENTITY, frame, Page::Users(page), render::request_for(HERE)).await)
}

async fn page(app: &App, caller: &Caller) -> Result<UsersPage, Problem> {
    let accounts = app.auth.accounts().await?;
    let me = caller.name().to_owned();
    let is_person = matches!(caller, Caller::Account { .. });
    let has_password = is_person && accounts.iter().any(|one| one.name == me && one.origin != Origin::Config);
    let is_admin = caller.may(Right::Admin);
    if !is_admin {
        return Ok(UsersPage { me, has_password, ..UsersPage::default() });
    }
    let person = |one: crate::store::Account| PersonRow { name: one.name, scope: one.scope, is_from_file: one.origin == Origin::Config };
    let tokens = app.auth.tokens().await?.into_iter();
    Ok(UsersPage {
        me: if is_person { me } else { String::new() },
        is_admin,
        has_password,
        accounts: accounts.into_iter().map(person).collect(),
        tokens: tokens.map(|one| TokenRow { name: one.name, scope: one.scope, created_ms: one.created_ms }).collect(),
        ..UsersPage::default()
    })
}
