//! The row of tools above the groups: search, which rows, the state of the box, refresh.

use leptos::prelude::*;

use super::{
    super::{
        frame::{ago, search, switch},
        icons::{Icon, icon},
    },
    picks, view,
};
use crate::{
    links,
    model::{BoxView, Closely, Frame, Hide, RealtimePage, Show},
    wording,
};

/// Draws it.
pub(super) fn tools(frame: &Frame, page: &RealtimePage, current: &BoxView) -> AnyView {
    let (all, recorded, moving) = page.counts;
    let here = super::here(page, current);
    let choice = |show: Show, count: usize| {
        let word = show.as_str();
        (
            links::with_word(&here, "show", if show == Show::All { "" } else { word }),
            wording::show_count(word, count),
            page.choice.show == show,
        )
    };
    let switch = switch("Which rows", vec![choice(Show::All, all), choice(Show::Recorded, recorded), choice(Show::Moving, moving)]);
    let show = if page.choice.show == Show::All { "" } else { page.choice.show.as_str() };
    let clear = links::with_word(&here, "match", "");
    let (hide, sort) = (page.choice.hide.as_str(), page.choice.sort.word());
    let hidden = [("box", current.name.as_str()), ("show", show), ("hide", hide), ("sort", &sort), ("every", page.closely.every())];
    view! {
        <div class="tools">
            {search(links::REALTIME, "Find statistics", &page.search, &hidden, clear)} {switch} {without(page, &here)} {view::menu(frame)} {state(current)} {refresh(frame, page, current)}
        </div>
    }
    .into_any()
}

/// What can be left out, where there is any of it: those that never moved, and ticks without a statistic.
fn without(page: &RealtimePage, here: &str) -> AnyView {
    let hide = page.choice.hide;
    let toggle = |is: bool, turned: Hide, count: usize, word: &'static str, title: &'static str| {
        (is || count > 0).then(|| {
            let text = if is { format!("without {word}") } else { format!("hide {word}") };
            view! {
                <a class="btn toggle" class:on=is aria-current=is.then_some("true") href=links::with_word(here, "hide", turned.as_str()) title=title>
                    {text}
                    " "
                    <span class="count">{count}</span>
                </a>
            }
        })
    };
    let still = "Counters at zero, and levels that have not changed since they were first seen";
    let gone = "Ticked statistics that the box does not report now";
    view! {
        <span class="toggles">
            {toggle(hide.still, Hide { still: !hide.still, ..hide }, page.still, "idle", still)}
            {toggle(hide.gone, Hide { gone: !hide.gone, ..hide }, page.unseen.len() + page.unseen_left_out, "vanished", gone)}
        </span>
    }
    .into_any()
}

/// How it does, how often and how long ago it answered, and who it is. The island keeps all of it true.
pub(in crate::pages) fn state(current: &BoxView) -> AnyView {
    let ago = ago(current.at, current.age_ms);
    let up_ms = current.at.zip(current.started_at).map(|(at, started)| at - started + current.age_ms.unwrap_or_default());
    let up_ms = up_ms.filter(|up| *up >= 0);
    let server = current.server.clone().map(|server| {
        view! {
            <span class="hide">
                {server} <span data-up>{up_ms.map(wording::up_since)}</span>
            </span>
        }
    });
    view! {
        <div
            class="state"
            id="live"
            data-state=wording::state_key(current.state)
            data-age-ms=current.age_ms.map(|age| age.to_string())
            data-up-ms=up_ms.map(|up| up.to_string())
        >
            <span class="pulse" hidden></span>
            <span data-live>{wording::state_look(current.state).1}</span>
            " "
            <span class="hide" data-every>{wording::every(current.state, &current.interval)}</span>
            " "
            <span data-age>{ago}</span>
            " "
            {server}
        </div>
    }
    .into_any()
}

/// The link that has what is shown asked many times a second, and back. It is of use to the island alone, which shows it.
fn closely(page: &RealtimePage, current: &BoxView) -> impl IntoView + use<> {
    let here = super::here(page, current);
    let link = |every: &str| links::with_word(&here, "every", every);
    let title = format!("{} is asked for what is shown here, as long as this page is looked at. Recording goes on as it is.", current.name);
    let link = match &page.closely {
        Closely::No => None,
        Closely::Offered(every) => Some(view! { <a class="btn" href=link(every) title=title>"Watch closely"</a> }.into_any()),
        Closely::On(every) => {
            let words = format!("Every {}", wording::spaced(every));
            let title = format!("{title} Press to end that.");
            Some(view! { <a class="btn on" aria-current="true" href=link("") title=title>{words}</a> }.into_any())
        }
    };
    view! { <span id="closely" hidden>{link}</span> }
}

fn refresh(frame: &Frame, page: &RealtimePage, current: &BoxView) -> AnyView {
    view! {
        <form class="refresh" method="post" action="/cp/refresh">
            <input type="hidden" name="box" value=current.name.clone() />
            <input type="hidden" name="return" value=frame.here.clone() />
            <button class="btn" type="button" title="Stops what is shown here; recording goes on" data-pause hidden>"Pause"</button>
            {picks::button()} {closely(page, current)}
            <button class="btn">{icon(Icon::Refresh)} <span>"Refresh" <span class="more">" Statistics Values"</span></span></button>
        </form>
    }
    .into_any()
}
