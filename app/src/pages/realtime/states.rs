//! What Realtime Statistics says when there are no rows, no answer, or no ticks yet. Each text names what to do.

use leptos::prelude::*;

use crate::{
    links,
    model::{BoxState, BoxView, Origin, RealtimePage, Show},
    wording,
};

/// What is wrong with the box, above its last values. The island fills it when the state changes.
pub(in crate::pages) fn banner(current: &BoxView) -> impl IntoView + use<> {
    let text = wording::banner(current.state, current.age_ms, current.reason.as_deref());
    let hidden = text.is_none();
    view! {
        <div class="note warn" id="banner" hidden=hidden>
            <span data-banner>{text}</span>
            <a href=links::BOXES>"Boxes"</a>
        </div>
    }
}

/// What of the last answer is not as one would expect.
pub(super) fn notice(current: &BoxView) -> Option<impl IntoView + use<>> {
    current.notice.as_deref().map(wording::sentence).map(|text| view! { <p class="note warn" id="notice">{text}</p> })
}

/// For the first minutes: what this page is for, while nothing is ticked.
pub(super) fn hint(page: &RealtimePage) -> Option<impl IntoView + use<>> {
    let rows = page.groups.iter().any(|group| !group.rows.is_empty());
    let alone = page.boxes.len() == 1;
    let charts = || view! { <a href=links::CHARTS>"Statistics Charts"</a> };
    (page.counts.1 == 0 && page.unseen.is_empty() && rows).then(|| {
        let own = alone.then(|| {
            view! {
                <span>
                    "These are the panel's and its host's own numbers. Add your SIP server to see its statistics. "
                    <a class="btn main" href=format!("{}#form", links::BOXES)>"Add a SIP server"</a>
                </span>
            }
        });
        // When the first tick is made the words change, and no row moves under the pointer.
        view! {
            <p class="note good" id="first">
                {own}
                <span data-before>
                    <b>"Tick a statistic to record it. "</b> "From then on its values are kept, and their history is drawn on " {charts()} "."
                </span>
                <span data-after hidden>
                    <b>"Recorded from now on. "</b> "Its history grows with each poll: see " {charts()} "."
                </span>
            </p>
        }
    })
}

/// When no row is shown: why, and what to do.
pub(super) fn empty(page: &RealtimePage, current: &BoxView) -> Option<impl IntoView + use<>> {
    if page.groups.iter().any(|group| !group.rows.is_empty()) {
        return None;
    }
    let name = &current.name;
    let all = (links::realtime(name, "", "all"), "Show all statistics".to_owned());
    let boxes = match current.origin {
        Origin::Panel => (links::edit_box(name), "Check its address".to_owned()),
        _ => (links::BOXES.to_owned(), "Open Boxes".to_owned()),
    };
    let (title, text, link) = if page.counts.0 > 0 && !page.search.is_empty() {
        let text = "Try a part of the name, dialog: for a whole group, or rcv_* for names that begin with rcv_.";
        (format!("Nothing on {name} matches “{}”", page.search), text.to_owned(), Some(all))
    } else if page.counts.0 > 0 && page.choice.hide.still && page.still == page.counts.0 {
        let text = "Counters at zero and levels that stay as they are, are hidden.";
        (format!("Nothing on {name} has ever moved"), text.to_owned(), Some(all))
    } else if page.counts.0 > 0 && page.choice.show == Show::Recorded {
        (format!("Nothing is recorded on {name} yet"), "Show all statistics and tick those whose history you want.".to_owned(), Some(all))
    } else if page.counts.0 > 0 && page.choice.show == Show::Moving {
        (format!("Nothing moved on {name} at the last poll"), "Counters of an idle server stand still.".to_owned(), Some(all))
    } else {
        match current.state {
            BoxState::Waiting => {
                let text =
                    format!("It is asked every {}; its statistics show here with its first answer.", wording::spaced(&current.interval));
                (format!("{name} has not answered yet"), text, None)
            }
            BoxState::Down => {
                let reason = current.reason.as_deref().unwrap_or("it did not answer; check its address");
                (format!("{name} has never answered"), wording::sentence(reason), Some(boxes))
            }
            BoxState::Paused => {
                (format!("{name} is paused"), "It has not been asked yet. Resume it to see its statistics.".to_owned(), Some(boxes))
            }
            BoxState::Up => (
                format!("{name} answers, but has no statistics"),
                "Load the modules whose statistics you want on that server.".to_owned(),
                None,
            ),
        }
    };
    let link = link.map(|(href, text)| view! { <a class="btn" href=href>{text}</a> });
    Some(view! { <section class="empty"><h2>{title}</h2><p>{text}</p>{link}</section> })
}

/// When not all rows that match fit one page.
pub(super) fn left_out(page: &RealtimePage) -> Option<impl IntoView + use<>> {
    (page.left_out > 0).then(|| {
        let shown: usize = page.groups.iter().map(|group| group.rows.len()).sum();
        let text = format!(
            "{shown} rows are shown, {} more match: search for a part of a name, or dialog: for a whole group, to see them.",
            page.left_out
        );
        view! { <p class="note">{text}</p> }
    })
}

/// When there is no box at all.
pub(super) fn no_box() -> impl IntoView + use<> {
    view! {
        <section class="empty">
            <h2>"No box to show"</h2>
            <p>"A box is a SIP server that is asked for its statistics. Add one to begin."</p>
            <a class="btn main" href=links::BOXES>"Add a box"</a>
        </section>
    }
}
