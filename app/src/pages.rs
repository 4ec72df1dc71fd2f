//! The pages: functions of [`crate::model::Page`], complete without JavaScript. They ask nobody anything.

mod alerts;
mod boxes;
mod charts;
mod derived;
mod door;
mod escape;
mod field;
mod frame;
mod icons;
mod message;
mod notes;
mod overview;
mod pills;
mod realtime;
mod script;
mod scripts;
mod sets;
mod settings;
mod statistic;
mod table;
#[cfg(test)]
mod tests;
mod users;

use leptos::prelude::*;

use crate::{
    islands::frame::FrameLive,
    model::{FiringNow, Frame, May, MessagePage, Numbers, Page, Tab, Taste, Theme},
    shown::short,
};

/// Leptos waits for an idle moment before it starts the islands, and a page that draws no frames may never be told of one: it gets a
/// bound.
const SOON: &str = "{const idle=window.requestIdleCallback;if(idle)window.requestIdleCallback=act=>idle.call(window,act,{timeout:200})}";

/// The whole document. The server provides the [`Frame`] and the [`Page`] as context before it renders.
pub fn shell(options: LeptosOptions) -> impl IntoView {
    let frame = use_context::<Frame>().unwrap_or_else(bare_frame);
    let page = use_context::<Page>().unwrap_or_else(|| Page::Message(unfilled()));
    let zone = (!frame.taste.zone.is_empty()).then(|| frame.taste.zone.clone());
    let numbers = (frame.taste.numbers != Numbers::default()).then(|| frame.taste.numbers.as_str());
    let may = frame.user.is_some().then(|| frame.may.as_str());
    let theme = (frame.theme != Theme::Auto).then(|| frame.theme.as_str());
    view! {
        <!DOCTYPE html>
        <html lang="en" data-theme=theme>
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <meta name="color-scheme" content="light dark" />
                <meta name="referrer" content="same-origin" />
                <meta name="description" content="Statistics of SIP servers, live and recorded" />
                <title>{title(&page)}</title>
                <link rel="icon" type="image/svg+xml" href="/cp/assets/mark.svg" />
                <link rel="stylesheet" href="/cp/assets/tickmark.css" />
                <script nonce=use_nonce() inner_html=SOON></script>
                {hands(&page)} <HydrationScripts options islands=true root="/cp" />
            </head>
            <body data-may=may data-zone=zone data-numbers=numbers>
                {frame::header(&frame)} {frame::lost(&frame)} {body(&frame, page)} {frame::help()} <FrameLive />
            </body>
        </html>
    }
}

/// What hands do, on the pages that have something for them.
fn hands(page: &Page) -> Option<impl IntoView + use<>> {
    let has = matches!(page, Page::Charts(_) | Page::Statistic(_) | Page::Sets(_) | Page::Derived(_) | Page::Alerts(_));
    has.then(|| view! { <script type="module" src="/cp/assets/hands.js"></script> })
}

fn body(frame: &Frame, page: Page) -> AnyView {
    match page {
        Page::Realtime(page) => realtime::page(frame, &page).into_any(),
        Page::Charts(page) => charts::page(frame, &page).into_any(),
        Page::Overview(page) => overview::page(frame, &page).into_any(),
        Page::Boxes(page) => boxes::page(frame, &page).into_any(),
        Page::Statistic(page) => statistic::page(frame, &page).into_any(),
        Page::Scripts(page) => scripts::page(frame, &page).into_any(),
        Page::Script(page) => script::page(frame, &page).into_any(),
        Page::Settings(page) => settings::page(frame, &page).into_any(),
        Page::Sets(page) => sets::page(frame, &page).into_any(),
        Page::Notes(page) => notes::page(frame, &page).into_any(),
        Page::Users(page) => users::page(frame, &page).into_any(),
        Page::Alerts(page) => alerts::page(frame, &page).into_any(),
        Page::Derived(page) => derived::page(frame, &page).into_any(),
        Page::Login(page) => door::login(frame, page).into_any(),
        Page::Setup(page) => door::setup(frame, page).into_any(),
        Page::Message(page) => message::page(frame, page).into_any(),
    }
}

/// What the browser's tab says: the particular first.
fn title(page: &Page) -> String {
    match page {
        Page::Realtime(page) => match &page.current {
            Some(current) => format!("{} · Realtime Statistics · Tickmark", current.name),
            None => "Realtime Statistics · Tickmark".to_owned(),
        },
        Page::Charts(page) => match &page.current {
            Some(name) => format!("{name} · Statistics Charts · Tickmark"),
            None => "Statistics Charts · Tickmark".to_owned(),
        },
        Page::Overview(_) => "Overview · Tickmark".to_owned(),
        Page::Statistic(page) => format!("{} · {} · Tickmark", short(&page.row.name), page.current.name),
        Page::Boxes(_) => "Boxes · Tickmark".to_owned(),
        Page::Scripts(_) => "Scripts · Tickmark".to_owned(),
        Page::Script(page) => format!("{} · Scripts · Tickmark", page.form.name),
        Page::Settings(_) => "Settings · Tickmark".to_owned(),
        Page::Sets(_) => "Chart sets · Tickmark".to_owned(),
        Page::Notes(_) => "Notes · Tickmark".to_owned(),
        Page::Users(_) => "Users · Tickmark".to_owned(),
        Page::Alerts(_) => "Alerts · Tickmark".to_owned(),
        Page::Derived(_) => "Derived statistics · Tickmark".to_owned(),
        Page::Login(_) => "Sign in · Tickmark".to_owned(),
        Page::Setup(_) => "First account · Tickmark".to_owned(),
        Page::Message(page) => format!("{} · Tickmark", page.title),
    }
}

fn bare_frame() -> Frame {
    Frame {
        tab: Tab::None,
        user: None,
        may: May::default(),
        theme: Theme::Auto,
        here: "/cp".to_owned(),
        notice: None,
        alert: None,
        fault: None,
        firing: FiringNow::default(),
        taste: Taste::default(),
    }
}

/// Shown when the server forgot to provide a page: a fault of the program, but still a page.
fn unfilled() -> MessagePage {
    MessagePage {
        status: 500,
        title: "This page is empty".to_owned(),
        text: "The panel gave this page nothing to show. Its log says more; going back usually helps.".to_owned(),
        next: None,
    }
}
