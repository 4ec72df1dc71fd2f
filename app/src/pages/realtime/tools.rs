//! The row of tools above the groups: search, which rows, the state of the box, refresh.

use leptos::prelude::*;

use super::super::{
    frame::{ago, switch},
    icons::{Icon, icon},
};
use crate::{
    format, links,
    model::{BoxState, BoxView, Frame, RealtimePage, Show},
    wording,
};

/// Draws it.
pub(super) fn tools(frame: &Frame, page: &RealtimePage, current: &BoxView) -> AnyView {
    let (all, recorded, moving) = page.counts;
    let choice = |show: Show, count: usize| {
        let word = show.as_str();
        (links::realtime(&current.name, &page.search, word), wording::show_count(word, count), page.show == show)
    };
    let switch = switch("Which rows", vec![choice(Show::All, all), choice(Show::Recorded, recorded), choice(Show::Moving, moving)]);
    let clear = (!page.search.is_empty())
        .then(|| view! { <a class="ghost" href=links::realtime(&current.name, "", page.show.as_str())>"clear"</a> });
    view! {
        <div class="tools">
            <form class="find" method="get" action=links::REALTIME role="search">
                <input type="hidden" name="box" value=current.name.clone() />
                {(page.show != Show::All).then(|| view! { <input type="hidden" name="show" value=page.show.as_str() /> })}
                {icon(Icon::Search)}
                <input
                    class="search"
                    type="search"
                    name="match"
                    value=page.search.clone()
                    placeholder="dialog:  rcv_*  used_size"
                    aria-label="Find statistics"
                    autocomplete="off"
                    autocapitalize="none"
                    spellcheck="false"
                    data-search
                />
                <kbd class="hide" aria-hidden="true">"/"</kbd>
                <noscript><button class="btn">"Find"</button></noscript>
            </form>
            {clear} {switch} {state(current)} {refresh(frame, current)}
        </div>
    }
    .into_any()
}

/// How often, how long ago, who. The island writes the first words and keeps the age.
fn state(current: &BoxView) -> AnyView {
    let every = match current.state {
        BoxState::Paused => "not asked while paused".to_owned(),
        _ => format!("every {}", spaced(&current.interval)),
    };
    let ago = ago(current.at, current.age_ms);
    let server = current.server.clone().map(|server| {
        let up = match (current.at, current.started_at) {
            (Some(at), Some(started)) if at >= started => format!(", up {}", format::age(at - started)),
            _ => String::new(),
        };
        view! { <span class="hide">{server} {up}</span> }
    });
    view! {
        <div
            class="state"
            id="live"
            data-age-ms=current.age_ms.map(|age| age.to_string())
        >
            <span class="pulse" hidden></span>
            <span data-live hidden>"live"</span>
            <span class="hide">{every}</span>
            <span data-age>{ago}</span>
            {server}
        </div>
    }
    .into_any()
}

fn refresh(frame: &Frame, current: &BoxView) -> AnyView {
    view! {
        <form class="refresh" method="post" action="/cp/refresh">
            <input type="hidden" name="box" value=current.name.clone() />
            <input type="hidden" name="return" value=frame.here.clone() />
            <button class="btn" type="button" data-pause hidden>"Pause"</button>
            <button class="btn">{icon(Icon::Refresh)} "Refresh Statistics Values"</button>
        </form>
    }
    .into_any()
}

/// `10s` as `10 s`: the number and its unit apart.
pub(in crate::pages) fn spaced(interval: &str) -> String {
    let unit = interval.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(interval.len());
    let (number, unit) = interval.split_at(unit);
    format!("{number} {unit}").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::spaced;

    #[test]
    fn intervals_are_spaced() {
        assert_eq!(spaced("10s"), "10 s");
        assert_eq!(spaced("500ms"), "500 ms");
        assert_eq!(spaced("1h"), "1 h");
        assert_eq!(spaced(""), "");
    }
}
