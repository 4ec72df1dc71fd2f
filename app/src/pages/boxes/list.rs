//! The table of boxes.

use leptos::prelude::*;

use super::{super::frame::ago, return_to};
use crate::{
    links,
    model::{BoxState, BoxView, BoxesPage, Origin},
    wording,
};

/// Draws it.
pub(super) fn list(page: &BoxesPage) -> AnyView {
    let rows = page.boxes.iter().map(row).collect_view();
    view! {
        <section class="card list">
            <table aria-label="Boxes">
                <thead>
                    <tr>
                        <th scope="col">"Box"</th>
                        <th scope="col">"State"</th>
                        <th scope="col">"Server"</th>
                        <th scope="col" class="num">"Statistics"</th>
                        <th scope="col" class="num">"Recorded"</th>
                        <th scope="col">"Asked"</th>
                        <th scope="col"><span class="vh">"Actions"</span></th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </section>
    }
    .into_any()
}

fn row(one: &BoxView) -> AnyView {
    let labels = one.labels.iter().map(|(key, value)| view! { <span class="label">{format!("{key}={value}")}</span> }).collect_view();
    let (dot, word) = wording::state_look(one.state);
    let server = one.server.clone().unwrap_or_else(|| wording::kind_name(one.kind).to_owned());
    let address = if one.origin == Origin::Builtin { "the panel itself and its host".to_owned() } else { one.address.clone() };
    view! {
        <tr data-box=one.name.clone() data-state=wording::state_key(one.state)>
            <th scope="row" class="who">
                <a href=links::realtime(&one.name, "", "all")>{one.name.clone()}</a>
                <small>{address}</small>
                {labels}
            </th>
            <td class="how">
                <span class="state-word"><span class=dot></span> <span data-word>{word}</span></span>
                <small data-age>{ago(one.at, one.age_ms)}</small>
                <small class="reason" data-reason>{one.reason.as_deref().map(wording::sentence)}</small>
            </td>
            <td data-label="Server">{server}</td>
            <td class="num" data-label="Statistics">{one.statistics}</td>
            <td class="num" data-label="Recorded">
                <a href=links::realtime(&one.name, "", "recorded")><span>{one.recorded}</span> <span class="vh">" recorded on " {one.name.clone()}</span></a>
            </td>
            <td data-label="Asked">{asked(one)}</td>
            <td class="acts">{actions(one)}</td>
        </tr>
    }
    .into_any()
}

fn asked(one: &BoxView) -> String {
    if one.state == BoxState::Paused { "paused".to_owned() } else { wording::every(one.state, &one.interval) }
}

/// What can be done to it here, or who else decides.
fn actions(one: &BoxView) -> AnyView {
    match one.origin {
        Origin::Config => view! { <span class="muted">"from the configuration file"</span> }.into_any(),
        Origin::Panel | Origin::Builtin => {
            let name = || view! { <span class="vh">" " {one.name.clone()}</span> };
            let (paused, word) = if one.paused { ("false", "Resume") } else { ("true", "Pause") };
            let remove = (one.origin == Origin::Panel).then(|| {
                view! { <a class="ghost" href=links::with_query(links::BOXES, &[("remove", &one.name)])>"Remove…" {name()}</a> }
            });
            view! {
                <div class="buttons">
                    <a class="ghost" href=links::edit_box(&one.name)>"Edit" {name()}</a>
                    <form method="post" action="/cp/boxes/pause">
                        <input type="hidden" name="box" value=one.name.clone() />
                        <input type="hidden" name="return" value=return_to() />
                        <button class="ghost" name="paused" value=paused>{word} {name()}</button>
                    </form>
                    {remove}
                </div>
            }
            .into_any()
        }
    }
}
