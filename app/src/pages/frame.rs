//! What is around every page: the header with its menus, notices, and the help. Knows no page.

use leptos::{either::Either, prelude::*};

use super::{
    alerts,
    icons::{Icon, icon},
};
use crate::{
    links,
    model::{FiringLine, FiringNow, Frame, Tab, Theme},
    wording,
};

/// The header: tabs for those who are signed in, help, theme, account.
pub(super) fn header(frame: &Frame) -> AnyView {
    let tabs = frame.user.is_some().then(|| {
        // The words in spans are only read out where there is no room for them.
        let current = |tab: Tab| (frame.tab == tab).then_some("page");
        view! {
            <nav class="tabs" aria-label="Pages">
                <a href=links::REALTIME aria-current=current(Tab::Realtime)>"Realtime"<span>" Statistics"</span></a>
                <a href=links::CHARTS aria-current=current(Tab::Charts)><span>"Statistics "</span>"Charts"</a>
                <a href=links::OVERVIEW aria-current=current(Tab::Overview)>"Overview"</a>
                <a href=links::BOXES aria-current=current(Tab::Boxes)>"Boxes"</a>
                <a href=links::ALERTS aria-current=current(Tab::Alerts)>"Alerts"</a>
            </nav>
        }
    });
    let help = frame.user.is_some().then(|| {
        view! {
            <button class="ghost" type="button" popovertarget="help" data-help aria-label="Help: words of the search, keys" title="Help (?)">
                {icon(Icon::Help)}
            </button>
        }
    });
    view! {
        <a class="skip" href="#main">"Skip to the content"</a>
        <header class="head">
            <a class="mark" href=links::REALTIME aria-label="Tickmark">
                {icon(Icon::Mark)}
                <span>"Tickmark"</span>
            </a>
            {tabs}
            <div class="end">{firing(frame)} {help} {theme_menu(frame)} {account_menu(frame)}</div>
        </header>
    }
    .into_any()
}

/// What fires, on every page: how much, and behind that a list of the newest.
fn firing(frame: &Frame) -> Option<impl IntoView + use<>> {
    let FiringNow { count, is_critical, newest } = frame.firing.clone();
    if count == 0 || frame.user.is_none() {
        return None;
    }
    let words = match (count, is_critical) {
        (1, true) => "1 alert fires, and is critical".to_owned(),
        (1, false) => "1 alert fires".to_owned(),
        (many, true) => format!("{many} alerts fire, some of them critical"),
        (many, false) => format!("{many} alerts fire"),
    };
    let more = count.saturating_sub(newest.len());
    let rows = newest.into_iter().map(|FiringLine { severity, text, rule, box_name }| {
        view! { <li>{alerts::severity(&severity)} " " <b>{rule}</b> " on " {box_name} <small>{text}</small></li> }
    });
    let rows = rows.collect_view();
    let all = if more > 0 { format!("All alerts, {more} more") } else { "All alerts".to_owned() };
    Some(view! {
        <button class="ghost" type="button" popovertarget="fires" aria-label=words.clone() title=words.clone()>
            <b class="badge" data-critical=is_critical.then_some("yes")>{count}</b>
        </button>
        <div id="fires" class="menu fires" popover="auto" role="dialog" aria-label=words>
            <ul>{rows}</ul>
            <a href=links::ALERTS>{all}</a>
        </div>
    })
}

/// Stands above every page while the panel does not answer, or after the session has ended. The islands show and fill it.
pub(super) fn lost(frame: &Frame) -> Option<impl IntoView + use<>> {
    let login = links::with_query(links::LOGIN, &[("next", &frame.here)]);
    frame.user.is_some().then(|| {
        view! {
            <aside id="lost" class="note bad lost" aria-label="Connection" hidden>
                <span></span>
                <a href=login>"Sign in"</a>
            </aside>
        }
    })
}

fn theme_menu(frame: &Frame) -> AnyView {
    let choice = |theme: Theme, label: &'static str| {
        let pressed = if frame.theme == theme { "true" } else { "false" };
        view! { <button name="theme" value=theme.as_str() aria-pressed=pressed>{label}</button> }
    };
    view! {
        <button class="ghost" type="button" popovertarget="theme" aria-label="Light or dark" title="Light or dark">
            {icon(Icon::Half)}
        </button>
        <form id="theme" class="menu" popover="auto" method="post" action="/cp/theme">
            <input type="hidden" name="return" value=frame.here.clone() />
            {choice(Theme::Auto, "As the system")} {choice(Theme::Light, "Light")} {choice(Theme::Dark, "Dark")}
        </form>
    }
    .into_any()
}

fn account_menu(frame: &Frame) -> Option<impl IntoView + use<>> {
    let user = frame.user.clone()?;
    let users = if frame.may.admin { "Users" } else { "Your password" };
    Some(view! {
        <button class="ghost account" type="button" popovertarget="account" aria-label=format!("Account {user}")>
            {icon(Icon::Person)}
            <span class="hide">{user.clone()}</span>
        </button>
        <form id="account" class="menu" popover="auto" method="post" action="/cp/logout">
            <p>"Signed in as " <b>{user}</b></p>
            <a href=links::SCRIPTS aria-current=(frame.tab == Tab::Scripts).then_some("page")>"Scripts"</a>
            <a href=links::SETTINGS aria-current=(frame.tab == Tab::Settings).then_some("page")>"Settings"</a>
            <a href=links::USERS aria-current=(frame.tab == Tab::Users).then_some("page")>{users}</a>
            <a href=links::DERIVED>"Derived statistics"</a>
            <button>"Sign out"</button>
        </form>
    })
}

/// What the last form did, in words; each page places it at its top.
pub(super) fn notices(frame: &Frame) -> impl IntoView + use<> {
    let alert = frame.alert.as_deref().map(wording::sentence).map(|text| view! { <p class="note bad" role="alert">{text}</p> });
    let notice = frame.notice.as_deref().map(wording::sentence).map(|text| view! { <p class="note good" role="status">{text}</p> });
    // Always there, so that the stream can show it and take it back.
    let fault = view! { <p class="note bad" id="fault" role="alert" hidden=frame.fault.is_none()>{frame.fault.clone()}</p> };
    view! { {fault} {alert} {notice} }
}

/// A tip box of the platform: it opens without JavaScript, and `?` opens it with.
pub(super) fn help() -> AnyView {
    let row = |keys: &'static [&'static str], what: &'static str| {
        let keys = keys.iter().map(|key| view! { <kbd>{*key}</kbd> }).collect_view();
        view! { <div><dt>{keys}</dt><dd>{what}</dd></div> }
    };
    let word = |word: &'static str, what: &'static str| view! { <div><dt><code>{word}</code></dt><dd>{what}</dd></div> };
    view! {
        <div id="help" class="dialog" popover="auto" role="dialog" aria-labelledby="help-title" tabindex="-1" autofocus>
            <h2 id="help-title">"Help"</h2>
            <button class="ghost close" type="button" popovertarget="help" popovertargetaction="hide" aria-label="Close">{icon(Icon::Close)}</button>
            <h3>"Words of the search"</h3>
            <dl class="keys">
                {word("rcv", "names with rcv in them")} {word("dialog:", "the whole group dialog")}
                {word("core:rcv_*", "names of core that begin with rcv_")} {word("tm: dialog:", "either of the two")}
            </dl>
            <h3>"Keys"</h3>
            <dl class="keys">
                {row(&["/"], "to the search")} {row(&["↑", "↓"], "from row to row")} {row(&["Space"], "tick or untick the row")}
                {row(&["x"], "choose the row, to do something with many")} {row(&["c"], "copy the row, or all that are chosen")}
                {row(&["←", "→"], "fold or unfold the group; in a chart, read its values")} {row(&["?"], "this help")}
                {row(&["Esc"], "close, or clear the search")}
            </dl>
            <h3>"Charts"</h3>
            <dl class="keys">
                {row(&["drag"], "look closer")} {row(&["⇧", "drag"], "move, as a finger and a sideways wheel do")}
                {row(&["click"], "pin an instant to compare with")} {row(&["+", "-"], "closer, wider")}
                {row(&["PgUp", "PgDn"], "earlier, later")} {row(&["Enter"], "pin where the arrow keys stand")}
                {row(&["Esc"], "let go of what is pinned; back")}
            </dl>
            <h3>"Ticks"</h3>
            <p>
                "A ticked statistic is recorded at each poll, from the value on the screen on. Its history is drawn on "
                <a href=links::CHARTS>"Statistics Charts"</a>
                ". Ticking a whole group or a search also records what appears in it later."
            </p>
        </div>
    }
    .into_any()
}

/// The search of a page: `hidden` are the other words of its address, `clear` is the page without a search.
pub(super) fn search(action: &'static str, label: &'static str, value: &str, hidden: &[(&'static str, &str)], clear: String) -> AnyView {
    search_like(action, label, "dialog:  rcv_*  used_size", value, hidden, clear)
}

/// The same with other words as an example.
pub(super) fn search_like(
    action: &'static str,
    label: &'static str,
    example: &'static str,
    value: &str,
    hidden: &[(&'static str, &str)],
    clear: String,
) -> AnyView {
    let hidden = hidden.iter().filter(|(_, value)| !value.is_empty());
    let hidden = hidden.map(|&(name, value)| view! { <input type="hidden" name=name value=value.to_owned() /> }).collect_view();
    view! {
        <form class="find" method="get" action=action role="search">
            {hidden}
            <div class="seek">
                {icon(Icon::Search)}
                <input
                    class="search"
                    type="search"
                    name="match"
                    value=value.to_owned()
                    placeholder=example
                    aria-label=label
                    autocomplete="off"
                    autocapitalize="none"
                    spellcheck="false"
                    data-search
                />
                <kbd class="hide" aria-hidden="true">"/"</kbd>
                <a class="clear" href=clear aria-label="Clear the search" title="Clear the search" data-clear>{icon(Icon::Close)}</a>
            </div>
            <noscript><button class="btn">"Find"</button></noscript>
        </form>
    }
    .into_any()
}

/// The button that saves the check boxes where no island does.
pub(super) fn save_by_hand() -> impl IntoView {
    view! {
        <noscript>
            <div class="save">
                <span>"Check boxes are saved by this button."</span>
                <button class="btn main">"Save ticks"</button>
            </div>
        </noscript>
    }
}

/// A switch of links of which one is chosen.
pub(super) fn switch(label: &'static str, choices: Vec<(String, String, bool)>) -> AnyView {
    let links = choices
        .into_iter()
        .map(|(href, text, chosen)| view! { <a href=href aria-current=chosen.then_some("true")>{text}</a> })
        .collect_view();
    view! { <nav class="switch" aria-label=label>{links}</nav> }.into_any()
}

/// An age as an element that says the instant too, when it is known. The frame's island makes that instant local.
pub(super) fn ago(at_ms: Option<i64>, age_ms: Option<i64>) -> Option<impl IntoView + use<>> {
    let age = crate::format::age(age_ms?);
    Some(match at_ms {
        Some(at) => {
            let utc = crate::format::utc(at);
            Either::Left(view! { <time datetime=utc.replace(" UTC", "Z") data-ms=at.to_string() title=utc>{age} " ago"</time> })
        }
        None => Either::Right(view! { <span>{age} " ago"</span> }),
    })
}
