//! Chart sets: those of the catalogue for a box, each one click away, and those that people put together.

use leptos::prelude::*;

use super::{
    field::{self, Field},
    frame,
    pills::pills,
    table::{ACTIONS, card},
};
use crate::{
    links,
    model::{ChartSpec, Frame, ReadySet, SetRow, SetsPage},
    wording::sentence,
};

/// Draws it.
pub(super) fn page(frame: &Frame, page: &SetsPage) -> AnyView {
    let current = page.current.as_deref().unwrap_or_default();
    let (first, second) = if page.form.is_open { (Some(form(page)), None) } else { (None, Some(form(page))) };
    view! {
        {pills(&page.boxes, page.current.as_deref(), None, &|name| links::with_query(links::SETS, &[("box", name)]))}
        <main id="main" class="sheet">
            <h1 class="vh">"Chart sets"</h1>
            {frame::notices(frame)} {first} {own(page, current)} {ready(page, current)} {second} {file(page)}
        </main>
    }
    .into_any()
}

fn own(page: &SetsPage, current: &str) -> Option<AnyView> {
    let last = page.own.len().checked_sub(1)?;
    let rows = page.own.iter().enumerate().map(|(place, set)| own_row(set, current, place > 0, place < last)).collect_view();
    let table = card("own-title", "Your sets".to_owned(), &["Set", "Charts", ACTIONS], rows.into_any());
    Some(view! { <div data-orders>{table}</div> }.into_any())
}

fn own_row(set: &SetRow, current: &str, can_rise: bool, can_sink: bool) -> AnyView {
    let about = || view! { <span class="vh">" " {set.name.clone()}</span> };
    let edit = links::with_query(links::SETS, &[("box", current), ("edit", &set.name)]);
    let button = |word: &'static str, label: &'static str, text: &'static str| {
        // What is read out has the words that are seen; an arrow has none.
        let seen = if text.is_ascii() { format!("{text} {}: {label}", set.name) } else { format!("{label}: {}", set.name) };
        view! { <button class="ghost" name="do" value=word title=label aria-label=seen>{text}</button> }
    };
    let (pin, pin_label, pin_text) =
        if set.is_pinned { ("unpin", "Take it off the start page", "Unpin") } else { ("pin", "Show it on the start page", "Pin") };
    view! {
        <tr>
            <th scope="row" class="who">
                <a href=links::with_charts(&links::with_query(links::CHARTS, &[("box", current)]), &set.charts)>{set.name.clone()}</a>
                <small>"by " {set.by.clone()}</small>
            </th>
            <td data-label="Charts">{names(&set.charts)}</td>
            <td class="acts for-tick">
                <form method="post" action=links::SETS class="buttons">
                    <input type="hidden" name="of" value=set.name.clone() />
                    <input type="hidden" name="box" value=current.to_owned() />
                    {can_rise.then(|| button("up", "Further up", "↑"))} {can_sink.then(|| button("down", "Further down", "↓"))}
                    {(!current.is_empty()).then(|| button("tick", "Record all that it shows", "Tick"))} {button(pin, pin_label, pin_text)}
                    <a class="ghost" href=edit>"Edit" {about()}</a> {button("duplicate", "Make another one like it", "Duplicate")}
                    {button("remove", "Remove it; what it ticked stays ticked", "Remove")}
                </form>
            </td>
        </tr>
    }
    .into_any()
}

/// What the charts of a set are called.
fn names(charts: &[ChartSpec]) -> String {
    let name = |chart: &ChartSpec| {
        if chart.title.is_empty() {
            chart.statistics.iter().map(|wanted| wanted.word.clone()).collect::<Vec<_>>().join(" and ")
        } else {
            chart.title.clone()
        }
    };
    charts.iter().map(name).collect::<Vec<_>>().join(", ")
}

fn ready(page: &SetsPage, current: &str) -> AnyView {
    if page.ready.is_empty() {
        let text = if current.is_empty() {
            "Choose a box to see the ready-made sets for it."
        } else {
            "The catalogue has no set for what this box tells."
        };
        return view! { <p class="note">{text}</p> }.into_any();
    }
    let cards = page.ready.iter().map(|set| ready_card(set, current)).collect_view();
    view! {
        <section aria-labelledby="ready-title">
            <h2 id="ready-title" class="between">"Ready-made for " {current.to_owned()}</h2>
            <div class="ready">{cards}</div>
        </section>
    }
    .into_any()
}

fn ready_card(set: &ReadySet, current: &str) -> AnyView {
    let charts = links::with_charts(&links::with_query(links::CHARTS, &[("box", current)]), &set.charts);
    view! {
        <article class="card">
            <h3><a href=charts.clone()>{set.name.clone()}</a></h3>
            <p>{set.purpose.clone()}</p>
            <p class="muted">{names(&set.charts)}</p>
            <form method="post" action=links::SETS class="buttons">
                <input type="hidden" name="box" value=current.to_owned() />
                <input type="hidden" name="id" value=set.id.clone() />
                <button class="btn main for-tick" name="do" value="ready">"Record and open"</button>
                <a class="ghost" href=charts>"Open" <span class="vh">" " {set.name.clone()}</span></a>
                <button class="ghost for-tick" name="do" value="copy">"Copy" <span class="vh">" " {set.name.clone()} " to your sets"</span></button>
            </form>
        </article>
    }
    .into_any()
}

fn form(page: &SetsPage) -> AnyView {
    let form = &page.form;
    let title = if form.of.is_empty() { "Put a set together".to_owned() } else { format!("Change {}", form.of) };
    let wrong = |name: &str| form.errors.iter().find(|(field, _)| *field == name).map(|(_, text)| text.as_str());
    let general = form.errors.iter().find(|(field, _)| !["name", "charts"].contains(field)).map(|(_, text)| field::general_error(text));
    let cancel = (!form.of.is_empty()).then(|| view! { <a class="ghost" href=links::SETS>"Cancel"</a> });
    view! {
        <section class="card form for-tick" id="compose" aria-labelledby="compose-title">
            <h2 id="compose-title">{title}</h2>
            <p class="muted">
                "A line is a chart: its statistics or patterns, of the box that is looked at or of one named before a slash, then how it is drawn: "
                <code>".rate .value .increase .of=shmem:total_size .stacked .sum .average .maximum .log .zero .fitted"</code> " and "
                <code>"\".title=SIP traffic\""</code> "."
            </p>
            <form method="post" action=links::SETS autocomplete="off">
                {general} <input type="hidden" name="of" value=form.of.clone() />
                <input type="hidden" name="box" value=page.current.clone().unwrap_or_default() />
                <div class="fields">
                    {Field {
                        form: "s",
                        name: "name",
                        value: &form.name,
                        label: "Name",
                        example: "Morning round",
                        hint: "Up to 60 letters",
                        is_required: true,
                    }
                        .draw(wrong("name"))}
                </div>
                <div class="field">
                    <label for="s-charts">"Charts, one a line"</label>
                    <textarea
                        id="s-charts"
                        name="charts"
                        rows="8"
                        spellcheck="false"
                        autocapitalize="none"
                        aria-invalid=wrong("charts").map(|_| "true")
                        data-lines
                        required
                        placeholder="core:rcv_requests core:rcv_replies .rate \".title=Received\"&#10;dialog:active_dialogs .zero"
                    >
                        {form.charts.clone()}
                    </textarea>
                    {wrong("charts").map(|text| view! { <p class="problem">{sentence(text)}</p> })}
                </div>
                <label class="check">
                    <input type="checkbox" name="pinned" value="yes" checked=form.is_pinned />
                    "Show it on the start page"
                </label>
                <div class="buttons"><button class="btn main" name="do" value="save">"Keep it"</button> {cancel}</div>
            </form>
        </section>
    }
    .into_any()
}

fn file(page: &SetsPage) -> AnyView {
    let export = (!page.own.is_empty()).then(|| {
        view! { <p><a class="btn" href="/cp/api/v1/sets.toml" download="tickmark-sets.toml">"Save all sets as a file"</a></p> }
    });
    let is_wrong = page.file_error.is_some();
    let wrong = page.file_error.as_deref().map(|text| view! { <p class="problem">{sentence(text)}</p> });
    view! {
        <section class="card form for-tick" aria-labelledby="file-title">
            <h2 id="file-title">"As a file"</h2>
            {export}
            <details open=is_wrong>
                <summary>"Take sets from a file"</summary>
                <form method="post" action=links::SETS>
                    <div class="field">
                        <label for="s-file">"The file's text, TOML; sets of the same name are replaced"</label>
                        <textarea id="s-file" name="file" rows="8" spellcheck="false" aria-invalid=is_wrong.then_some("true") required>
                            {page.file.clone()}
                        </textarea>
                        {wrong}
                    </div>
                    <div class="buttons"><button class="btn" name="do" value="take">"Take them"</button></div>
                </form>
            </details>
        </section>
    }
    .into_any()
}
