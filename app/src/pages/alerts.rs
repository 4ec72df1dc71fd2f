//! Alerts: what fires, the rules, the form for more, what fired, and where messages go.

mod destinations;
mod form;

use leptos::prelude::*;

use super::{
    frame,
    table::{ACTIONS, card, instant, table},
};
use crate::{
    format, links,
    model::{AlertRow, AlertsPage, FiringRow, Frame, Origin},
};

/// Draws it.
pub(super) fn page(frame: &Frame, page: &AlertsPage) -> AnyView {
    // The form stands first while it is what one came for.
    let busy = page.form.editing || page.form.would.is_some() || page.form.would_not.is_some() || !page.form.errors.is_empty();
    let form = form::rule(page);
    let (first, last) = if busy { (Some(form), None) } else { (None, Some(form)) };
    view! {
        <main id="main" class="sheet">
            <h1 class="vh">"Alerts"</h1>
            {frame::notices(frame)} {first} {firing(page)} {rules(page)} {last} {ready(page)} {destinations::list(page)}
            {destinations::form(&page.destination)} {history(page)} {destinations::messages(page)}
        </main>
    }
    .into_any()
}

/// A severity with a sign of its own, so that no colour alone tells it.
pub(super) fn severity(word: &str) -> AnyView {
    let sign = match word {
        "critical" => "▲▲",
        "warning" => "▲",
        _ => "●",
    };
    view! { <span class="severity" data-severity=word.to_owned()><span aria-hidden="true">{sign}</span> " " {word.to_owned()}</span> }
        .into_any()
}

fn box_link(row: &FiringRow) -> AnyView {
    if row.has_box {
        view! { <a href=links::realtime(&row.box_name, "", "all")>{row.box_name.clone()}</a> }.into_any()
    } else {
        view! { {row.box_name.clone()} }.into_any()
    }
}

fn firing(page: &AlertsPage) -> AnyView {
    let rows = page.firing.iter().map(|row| firing_row(row, page.now_ms)).collect_view();
    let none = page.firing.is_empty().then(|| {
        let words =
            if page.rules.is_empty() { "Nothing is looked at yet: take ready-made alerts below, or write one." } else { "Nothing fires." };
        view! { <p class="muted">{words}</p> }
    });
    let table = (!page.firing.is_empty()).then(|| table("firing-title", &["Alert", "Says", "Box", "For", ACTIONS], rows.into_any()));
    let pending = page.pending.iter().map(|(rule, box_name, since_ms)| {
        view! { <li>{rule.clone()} " on " {box_name.clone()} ", broken for " {format::age(page.now_ms - since_ms)}</li> }
    });
    let pending = (!page.pending.is_empty()).then(|| view! { <h3>"Not for long enough yet"</h3><ul>{pending.collect_view()}</ul> });
    view! {
        <section class="card list" aria-labelledby="firing-title">
            <h2 id="firing-title">{format!("Firing ({})", page.firing.len())}</h2>
            {none} {table} {pending}
        </section>
    }
    .into_any()
}

fn firing_row(row: &FiringRow, now_ms: i64) -> AnyView {
    let button = |what: &'static str, label: &'static str| {
        let about = format!(" {} on {}", row.rule, row.box_name);
        view! {
            <form method="post" action=links::ALERTS>
                <input type="hidden" name="name" value=row.rule.clone() />
                <input type="hidden" name="box" value=row.box_name.clone() />
                <button class="ghost" name="do" value=what>{label} <span class="vh">{about}</span></button>
            </form>
        }
    };
    let state = match (&row.acknowledged_by, row.silenced) {
        (_, Some(Some(to_ms))) => Some(view! { <small>"nobody is told until " {instant(to_ms)}</small> }.into_any()),
        (_, Some(None)) => Some(view! { <small>"nobody is told until it is over"</small> }.into_any()),
        (Some(who), None) => Some(view! { <small>{format!("{who} looks after it")}</small> }.into_any()),
        (None, None) => None,
    };
    let acknowledge = row.acknowledged_by.is_none().then(|| button("acknowledge", "I look after it"));
    let silence = if row.silenced.is_some() {
        button("speak", "Tell again").into_any()
    } else {
        view! { {button("silence", "Silence for 1 h")} {button("once", "Silence until over")} }.into_any()
    };
    let actions = row.has_box.then(|| view! { <div class="buttons">{acknowledge} {silence}</div> });
    view! {
        <tr>
            <th scope="row" class="who">{severity(&row.severity)} " " <b>{row.rule.clone()}</b></th>
            <td data-label="Says">{row.text.clone()} " " {state}</td>
            <td data-label="Box">{box_link(row)}</td>
            <td data-label="For">{format::age(now_ms - row.fired_ms)} " " <small>"since " {instant(row.fired_ms)}</small></td>
            <td class="acts">{actions}</td>
        </tr>
    }
    .into_any()
}

fn rules(page: &AlertsPage) -> Option<AnyView> {
    if page.rules.is_empty() {
        return None;
    }
    let rows = page.rules.iter().map(rule).collect_view();
    Some(card("rules-title", format!("Rules ({})", page.rules.len()), &["Name", "Fires when", "Boxes", ACTIONS], rows.into_any()))
}

fn rule(row: &AlertRow) -> AnyView {
    let about = format!(" {}", row.name);
    let fires = (row.fires > 0).then(|| view! { <small>{format!("fires on {}", row.fires)}</small> });
    let paused = row.paused.then(|| view! { <small>"paused"</small> });
    let formula = (!row.formula.is_empty()).then(|| view! { <code class="formula">{row.formula.clone()}</code> });
    let silences = row.silences.iter().map(|text| view! { <small>"nobody is told " {text.clone()}</small> }).collect_view();
    let missing = row.missing.iter().map(|(name, reason)| {
        let words = if name.is_empty() { format!("looked at on no box: {reason}") } else { format!("not on {name}: {reason}") };
        view! { <small class="problem">{words}</small> }
    });
    let acts = if row.origin == Origin::Config {
        view! { <span class="muted">"from the configuration file"</span> }.into_any()
    } else {
        view! {
            <div class="buttons">
                <a class="ghost" href=links::with_query(links::ALERTS, &[("edit", &row.name)])>"Change" <span class="vh">{about.clone()}</span></a>
                <form method="post" action=links::ALERTS>
                    <input type="hidden" name="name" value=row.name.clone() />
                    <button class="ghost" name="do" value="remove">"Remove" <span class="vh">{about}</span></button>
                </form>
            </div>
        }
        .into_any()
    };
    view! {
        <tr>
            <th scope="row" class="who">{severity(&row.severity)} " " <b>{row.name.clone()}</b> " " {fires} {paused}</th>
            <td data-label="Fires when">{formula} " " {row.condition.clone()} {silences} {missing.collect_view()}</td>
            <td data-label="Boxes">{row.boxes.clone()}</td>
            <td class="acts">{acts}</td>
        </tr>
    }
    .into_any()
}

/// One click takes all that are not there yet.
fn ready(page: &AlertsPage) -> AnyView {
    let boxes = page.boxes.iter().map(|name| (links::with_query(links::ALERTS, &[("box", name)]), name.clone(), *name == page.box_name));
    let rows = page.ready.iter().map(|(name, title, is_there)| {
        view! { <li><b>{name.clone()}</b> " " {title.clone()} " " {is_there.then_some("(is there)")}</li> }
    });
    let some = page.ready.iter().any(|(.., is_there)| !is_there);
    view! {
        <section class="card list" aria-labelledby="ready-title">
            <h2 id="ready-title">"Ready-made alerts"</h2>
            {frame::switch("Ready-made alerts for", boxes.collect())}
            <ul>{rows.collect_view()}</ul>
            <form method="post" action=links::ALERTS>
                <input type="hidden" name="box" value=page.box_name.clone() />
                <p class="hint">"They are put to every box that has what they name."</p>
                <div class="buttons"><button class="btn" name="do" value="ready" disabled=!some>"Add those that are not there"</button></div>
            </form>
        </section>
    }
    .into_any()
}

fn history(page: &AlertsPage) -> Option<AnyView> {
    if page.history.is_empty() {
        return None;
    }
    let rows = page.history.iter().map(|row| {
        let lasted = match row.ended_ms {
            Some(ended_ms) => format::age(ended_ms - row.fired_ms),
            None => "fires".to_owned(),
        };
        view! {
            <tr>
                <th scope="row" class="who">{severity(&row.severity)} " " <b>{row.rule.clone()}</b></th>
                <td data-label="Said">{row.text.clone()}</td>
                <td data-label="Box">{box_link(row)}</td>
                <td data-label="Fired">{instant(row.fired_ms)}</td>
                <td data-label="Lasted">{lasted}</td>
            </tr>
        }
    });
    Some(card("history-title", "What fired".to_owned(), &["Alert", "Said", "Box", "Fired", "Lasted"], rows.collect_view().into_any()))
}
