//! The table of boxes.

use leptos::prelude::*;

use super::{
    super::{frame::ago, realtime::spaced},
    return_to,
};
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
    let every = if one.state == BoxState::Paused { "paused".to_owned() } else { format!("every {}", spaced(&one.interval)) };
    view! {
        <tr data-box=one.name.clone()>
            <th scope="row" class="who">
                <a href=links::realtime(&one.name, "", "all")>{one.name.clone()}</a>
                <small>{one.address.clone()}</small>
                {labels}
            </th>
            <td class="how">
                <span class="state-word"><span class=dot></span> {word}</span>
                <small>{ago(one.at, one.age_ms).map(|ago| view! { {ago} })}</small>
                {one.reason.as_deref().map(|reason| view! { <small class="reason">{wording::sentence(reason)}</small> })}
            </td>
            <td data-label="Server">{server}</td>
            <td class="num" data-label="Statistics">{one.statistics}</td>
            <td class="num" data-label="Recorded">
                <a href=links::realtime(&one.name, "", "recorded") aria-label=format!("{} recorded on {}", one.recorded, one.name)>{one.recorded}</a>
            </td>
            <td data-label="Asked">{every}</td>
            <td class="acts">{actions(one)}</td>
        </tr>
    }
    .into_any()
}

/// What can be done to it here, or who else decides.
fn actions(one: &BoxView) -> AnyView {
    match one.origin {
        Origin::Builtin => view! { <span class="muted">"built in"</span> }.into_any(),
        Origin::Config => view! { <span class="muted">"from the configuration file"</span> }.into_any(),
        Origin::Panel => {
            let name = || view! { <span class="vh">" " {one.name.clone()}</span> };
            let (paused, word) = if one.paused { ("false", "Resume") } else { ("true", "Pause") };
            view! {
                <div class="buttons">
                    <a class="ghost" href=format!("{}#form", links::with_query(links::BOXES, &[("edit", &one.name)]))>"Edit" {name()}</a>
                    <form method="post" action="/cp/boxes/pause">
                        <input type="hidden" name="box" value=one.name.clone() />
                        <input type="hidden" name="return" value=return_to() />
                        <button class="ghost" name="paused" value=paused>{word} {name()}</button>
                    </form>
                    <a class="ghost" href=links::with_query(links::BOXES, &[("remove", &one.name)])>"Remove…" {name()}</a>
                </div>
            }
            .into_any()
        }
    }
}
