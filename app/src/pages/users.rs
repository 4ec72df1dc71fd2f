//! Users: who can sign in and what they may, the tokens of tools, and one's own password.

use leptos::prelude::*;

use super::{
    door::PASSWORD_MIN_CHARS,
    field::{self, Field},
    frame,
    table::{ACTIONS, card, instant},
};
use crate::{
    links,
    model::{Asked, Frame, PersonRow, TokenRow, UsersPage},
    wording::sentence,
};

/// What a person may: the word, and what it means.
const SCOPES: [(&str, &str); 3] = [("read", "see everything"), ("tick", "also choose what is recorded"), ("admin", "everything")];
/// What tools may: the same, and one more that people have no use for.
const TOKEN_SCOPES: [(&str, &str); 4] = [SCOPES[0], SCOPES[1], ("push", "only push statistics"), SCOPES[2]];

/// Draws it.
pub(super) fn page(frame: &Frame, page: &UsersPage) -> AnyView {
    let all = page.is_admin.then(|| view! { {accounts(page)} {add(page)} {tokens(page)} {add_token(page)} });
    view! {
        <main id="main" class="sheet">
            <h1 class="vh">"Users"</h1>
            {frame::notices(frame)} {made(page)} {general_error(page)} {question(page)} {all} {own(page)}
        </main>
    }
    .into_any()
}

fn accounts(page: &UsersPage) -> AnyView {
    let rows = page.accounts.iter().map(|one| person(page, one)).collect_view();
    card("people-title", "Who can sign in".to_owned(), &["User", "May", ACTIONS], rows.into_any())
}

fn person(page: &UsersPage, one: &PersonRow) -> AnyView {
    let me = (one.name == page.me).then(|| view! { <small>"this is you"</small> });
    let about = || view! { <span class="vh">" of " {one.name.clone()}</span> };
    let of = |what: &str| links::with_query(links::USERS, &[(what, &one.name)]);
    let (may, acts) = if one.is_from_file {
        (view! { {meaning(&one.scope)} }.into_any(), view! { <span class="muted">"from the configuration file"</span> }.into_any())
    } else {
        let id = format!("scope-{}", one.name);
        (
            view! {
                <form method="post" action=links::USERS class="choose">
                    <input type="hidden" name="name" value=one.name.clone() />
                    <label class="vh" for=id.clone()>"What " {one.name.clone()} " may"</label>
                    <select id=id name="scope">{options(&SCOPES, &one.scope)}</select>
                    <button class="ghost" name="do" value="scope">"Change" {about()}</button>
                </form>
            }
            .into_any(),
            view! {
                <div class="buttons">
                    <a class="ghost" href=of("password")>"New password…" {about()}</a>
                    <a class="ghost" href=of("remove")>"Remove…" {about()}</a>
                </div>
            }
            .into_any(),
        )
    };
    view! {
        <tr>
            <th scope="row" class="who"><b>{one.name.clone()}</b> {me}</th>
            <td data-label="May">{may}</td>
            <td class="acts">{acts}</td>
        </tr>
    }
    .into_any()
}

fn options(scopes: &'static [(&'static str, &'static str)], chosen: &str) -> AnyView {
    let option = |&(word, what): &(&'static str, &'static str)| {
        view! { <option value=word selected={word == chosen}>{format!("{word}: {what}")}</option> }
    };
    scopes.iter().map(option).collect_view().into_any()
}

fn meaning(scope: &str) -> String {
    let known = TOKEN_SCOPES.iter().find(|(word, _)| *word == scope);
    known.map_or_else(|| scope.to_owned(), |(word, what)| format!("{word}: {what}"))
}

fn add(page: &UsersPage) -> AnyView {
    let chosen = if page.typed.scope.is_empty() { "read" } else { &page.typed.scope };
    view! {
        <section class="card form" id="add" aria-labelledby="add-title">
            <h2 id="add-title">"Add somebody"</h2>
            <form method="post" action=links::USERS autocomplete="off">
                <div class="fields">
                    {text(page, ("name", &page.typed.name), "User", "ann", "Letters, digits, _ . - and @")}
                    {password(page, "password", "Password", "new-password")}
                    {scope(page, ("scope", "u"), &SCOPES, chosen)}
                </div>
                <div class="buttons"><button class="btn main" name="do" value="add">"Add"</button></div>
            </form>
        </section>
    }
    .into_any()
}

fn tokens(page: &UsersPage) -> Option<AnyView> {
    if page.tokens.is_empty() {
        return None;
    }
    let rows = page.tokens.iter().map(token).collect_view();
    Some(card("tokens-title", "Tokens of tools".to_owned(), &["Token", "May", "Made", ACTIONS], rows.into_any()))
}

fn token(one: &TokenRow) -> AnyView {
    let revoke = links::with_query(links::USERS, &[("revoke", &one.name)]);
    view! {
        <tr>
            <th scope="row" class="who"><b>{one.name.clone()}</b></th>
            <td data-label="May">{meaning(&one.scope)}</td>
            <td data-label="Made">
                {instant(one.created_ms)}
            </td>
            <td class="acts">
                <div class="buttons"><a class="ghost" href=revoke>"Revoke…" <span class="vh">" " {one.name.clone()}</span></a></div>
            </td>
        </tr>
    }
    .into_any()
}

fn add_token(page: &UsersPage) -> AnyView {
    let chosen = if page.typed.token_scope.is_empty() { "read" } else { &page.typed.token_scope };
    view! {
        <section class="card form" id="token" aria-labelledby="token-title">
            <h2 id="token-title">"Make a token for a tool"</h2>
            <p class="muted">"Scripts send it as " <code>"Authorization: Bearer TOKEN"</code> ". It is shown once, when it is made."</p>
            <form method="post" action=links::USERS autocomplete="off">
                <div class="fields">
                    {text(page, ("token", &page.typed.token), "Token", "nightly-report", "A name to know it by: letters, digits, _ . and -")}
                    {scope(page, ("token-scope", "t"), &TOKEN_SCOPES, chosen)}
                </div>
                <div class="buttons"><button class="btn main" name="do" value="token">"Make it"</button></div>
            </form>
        </section>
    }
    .into_any()
}

/// One's own password.
fn own(page: &UsersPage) -> AnyView {
    if !page.has_password {
        return view! { <p class="muted">"Your password is the configuration file's, or you came with a token: it is not changed here."</p> }.into_any();
    }
    view! {
        <section class="card form mine" id="own" aria-labelledby="own-title">
            <h2 id="own-title">"Your password"</h2>
            <form method="post" action="/cp/password" class="own">
                <input class="vh" type="text" name="username" value=page.me.clone() autocomplete="username" readonly tabindex="-1" aria-hidden="true" />
                <div class="fields">
                    {password(page, "old", "The password now", "current-password")} {password(page, "new", "The new one", "new-password")}
                    {password(page, "again", "The new one again", "new-password")}
                </div>
                <div class="buttons"><button class="btn main">"Change it"</button></div>
            </form>
        </section>
    }
    .into_any()
}

/// What a link asked for, in front of everything.
fn question(page: &UsersPage) -> Option<AnyView> {
    let cancel = || view! { <a class="ghost" href=links::USERS>"Cancel"</a> };
    let (title, text, name, button) = match &page.asked {
        Asked::Nothing => return None,
        Asked::Password(name) => {
            return Some(
                view! {
                    <section class="card form" aria-labelledby="new-title">
                        <h2 id="new-title">"A new password for " {name.clone()}</h2>
                        <p class="muted">"Whoever is signed in as " {name.clone()} " has to sign in again."</p>
                        <form method="post" action=links::USERS>
                            <input type="hidden" name="name" value=name.clone() />
                            <div class="fields">{password(page, "fresh", "New password", "new-password")}</div>
                            <div class="buttons"><button class="btn main" name="do" value="password">"Change it"</button> {cancel()}</div>
                        </form>
                    </section>
                }
                .into_any(),
            );
        }
        Asked::Remove(name) => (
            format!("Remove {name}?"),
            "Nobody can sign in by this name any more, and who is signed in is not from then on.",
            name,
            "remove",
        ),
        Asked::Revoke(name) => (format!("Revoke the token {name}?"), "Whatever uses it may nothing any more.", name, "revoke"),
    };
    let label = if button == "remove" { "Remove" } else { "Revoke" };
    Some(
        view! {
            <section class="card ask" role="alertdialog" aria-labelledby="ask-title" aria-describedby="ask-text" tabindex="-1" autofocus>
                <h2 id="ask-title">{title}</h2>
                <p id="ask-text">{text}</p>
                <form method="post" action=links::USERS class="buttons">
                    <input type="hidden" name="name" value=name.clone() />
                    <button class="btn danger" name="do" value=button>{label}</button>
                    {cancel()}
                </form>
            </section>
        }
        .into_any(),
    )
}

/// The secret of a new token: here and never again.
fn made(page: &UsersPage) -> Option<AnyView> {
    let (name, secret) = page.made.clone()?;
    Some(
        view! {
            <section class="card ask" role="status" aria-labelledby="made-title" tabindex="-1" autofocus>
                <h2 id="made-title">"The token " {name}</h2>
                <p>"Copy it now: it is not shown again."</p>
                <p><code class="secret">{secret}</code></p>
            </section>
        }
        .into_any(),
    )
}

fn general_error(page: &UsersPage) -> Option<AnyView> {
    let (_, text) = page.errors.iter().find(|(field, _)| field.is_empty())?;
    Some(field::general_error(text))
}

fn wrong<'a>(page: &'a UsersPage, name: &str) -> Option<&'a str> {
    page.errors.iter().find(|(field, _)| *field == name).map(|(_, text)| text.as_str())
}

fn text(page: &UsersPage, (name, value): (&'static str, &str), label: &'static str, example: &'static str, hint: &'static str) -> AnyView {
    Field { form: "u", name, value, label, example, hint, is_required: true }.draw(wrong(page, name))
}

fn password(page: &UsersPage, name: &'static str, label: &'static str, kind: &'static str) -> AnyView {
    let wrong = wrong(page, name);
    let (id, error, hint) = (format!("u-{name}"), format!("ue-{name}"), format!("uh-{name}"));
    let is_new = kind == "new-password";
    let told = if wrong.is_some() { error.clone() } else { hint.clone() };
    let hint =
        is_new.then(|| view! { <p class="hint" id=hint>{format!("At least {PASSWORD_MIN_CHARS} characters; a few words are best.")}</p> });
    view! {
        <div class="field">
            <label for=id.clone()>{label}</label>
            <input
                id=id
                name=name
                type="password"
                autocomplete=kind
                minlength=is_new.then(|| PASSWORD_MIN_CHARS.to_string())
                aria-describedby=(is_new || wrong.is_some()).then_some(told)
                aria-invalid=wrong.map(|_| "true")
                autofocus=wrong.is_some()
                required
            />
            {wrong.map(|text| view! { <p class="problem" id=error>{sentence(text)}</p> })}
            {hint}
        </div>
    }
    .into_any()
}

fn scope(
    page: &UsersPage,
    (name, form): (&'static str, &'static str),
    scopes: &'static [(&'static str, &'static str)],
    chosen: &str,
) -> AnyView {
    let id = format!("{form}-{name}");
    let wrong = wrong(page, name).map(|text| view! { <p class="problem">{sentence(text)}</p> });
    view! {
        <div class="field">
            <label for=id.clone()>"May"</label>
            <select id=id name=name>{options(scopes, chosen)}</select>
            {wrong}
        </div>
    }
    .into_any()
}
