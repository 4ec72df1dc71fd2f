//! Login and Setup: the two pages for people without a session.

use leptos::{either::Either, prelude::*};

use super::frame;
use crate::model::{Frame, LoginPage, SetupPage};

/// The shortest password an account may have, in characters; the server checks it.
pub(super) const PASSWORD_MIN_CHARS: usize = 10;

/// `/cp/login`
pub(super) fn login(frame: &Frame, page: LoginPage) -> AnyView {
    let known = !page.user.is_empty();
    let content = if page.needs_setup {
        Either::Left(view! {
            <h1>"No account yet"</h1>
            <p>"Open the setup link that the panel printed when it started: it makes the first account."</p>
            <p class="muted">
                "The link is gone? Start the panel again and it prints a new one, or set "<code>"TICKMARK_ADMIN_PASSWORD"</code>
                " before it starts to give "<code>"admin"</code>" that password."
            </p>
        })
    } else {
        Either::Right(view! {
            <h1>"Sign in"</h1>
            {page.again.then(|| view! { <p class="note warn" role="status">"Your session had ended, so that was not done. Sign in, then do it again."</p> })}
            {error(page.error)}
            <form method="post" action="/cp/login">
                <input type="hidden" name="next" value=page.next />
                <label for="user">"User"</label>
                <input
                    id="user"
                    name="user"
                    value=page.user
                    autocomplete="username"
                    autocapitalize="none"
                    spellcheck="false"
                    required
                    autofocus=!known
                />
                <label for="password">"Password"</label>
                <input id="password" name="password" type="password" autocomplete="current-password" required autofocus=known />
                <button class="btn main">"Sign in"</button>
            </form>
        })
    };
    view! { <main id="main" class="door">{frame::notices(frame)} <section class="card">{content}</section></main> }.into_any()
}

/// `/cp/setup`
pub(super) fn setup(frame: &Frame, page: SetupPage) -> AnyView {
    let content = if page.allowed {
        let named = !page.user.is_empty();
        Either::Left(view! {
            <h1>"The first account"</h1>
            <p class="muted">"Whoever has this link can make it, once. You are signed in right after."</p>
            {error(page.error)}
            <form method="post" action="/cp/setup">
                <input type="hidden" name="token" value=page.token />
                <label for="user">"User"</label>
                <input
                    id="user"
                    name="user"
                    value=page.user
                    autocomplete="username"
                    autocapitalize="none"
                    spellcheck="false"
                    required
                    autofocus=!named
                />
                <label for="password">"Password"</label>
                <input
                    id="password"
                    name="password"
                    type="password"
                    autocomplete="new-password"
                    minlength=PASSWORD_MIN_CHARS.to_string()
                    aria-describedby="password-hint"
                    required
                    autofocus=named
                />
                <p id="password-hint" class="hint">{format!("At least {PASSWORD_MIN_CHARS} characters; a few words are best.")}</p>
                <label for="again">"The password again"</label>
                <input
                    id="again"
                    name="again"
                    type="password"
                    autocomplete="new-password"
                    minlength=PASSWORD_MIN_CHARS.to_string()
                    required
                />
                <button class="btn main">"Make the account"</button>
            </form>
        })
    } else {
        Either::Right(view! {
            <h1>"This setup link is not valid"</h1>
            {error(page.error)}
            <p>"Each link works once and only for the run of the panel that printed it. Use the newest link in the panel's output."</p>
            <p class="muted">
                "If an account exists already, "<a href="/cp/login">"sign in"</a>". Otherwise start the panel again for a new link, or set "
                <code>"TICKMARK_ADMIN_PASSWORD"</code>" before it starts."
            </p>
        })
    };
    view! { <main id="main" class="door">{frame::notices(frame)} <section class="card">{content}</section></main> }.into_any()
}

fn error(text: Option<String>) -> Option<impl IntoView + use<>> {
    text.map(|text| view! { <p class="note bad" role="alert">{text}</p> })
}
