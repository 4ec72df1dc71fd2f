//! Notes: what people wrote on instants and spans of boxes, and the form to write.

use leptos::prelude::*;

use super::{
    field::{self, Field},
    frame::{self, search_like},
    pills::pills,
};
use crate::{
    format, links,
    model::{Frame, Note, NoteForm, NotesPage},
    wording::sentence,
};

/// Draws it.
pub(super) fn page(frame: &Frame, page: &NotesPage) -> AnyView {
    let current = page.current.as_deref().unwrap_or_default();
    let clear = links::notes(current, "");
    let hidden = [("box", current)];
    let rows = page.notes.iter().map(|(box_name, note)| row(page, box_name, note)).collect_view();
    let left_out = (page.left_out > 0).then(|| {
        let text = format!("{} notes are shown, {} more match: choose a box or narrow the search.", page.notes.len(), page.left_out);
        view! { <p class="note">{text}</p> }
    });
    let form_first = page.form.id.is_some() || !page.form.errors.is_empty() || !page.form.from.is_empty();
    let (first, second) = if form_first { (form(page), list(page, rows.into_any())) } else { (list(page, rows.into_any()), form(page)) };
    view! {
        {pills(&page.boxes, page.current.as_deref(), Some(links::notes("", &page.search)), &|name| links::notes(name, &page.search))}
        <main id="main" class="sheet">
            <h1 class="vh">"Notes"</h1>
            {frame::notices(frame)}
            <div class="tools">{search_like(links::NOTES, "Find notes", "carrier  upgrade", &page.search, &hidden, clear)}</div> {first} {left_out} {second}
        </main>
    }
    .into_any()
}

fn list(page: &NotesPage, rows: AnyView) -> AnyView {
    if page.notes.is_empty() {
        let text = if page.search.is_empty() {
            "Nothing is noted yet. A note says what happened at an instant or over a span: an upgrade, a carrier's fault, a campaign. It stands on every chart of its box."
        } else {
            "No note has this in it."
        };
        return view! { <p class="note">{text}</p> }.into_any();
    }
    view! {
        <section class="card list">
            <table aria-label="Notes">
                <thead>
                    <tr>
                        <th scope="col">"When"</th>
                        <th scope="col">"Box"</th>
                        <th scope="col">"Note"</th>
                        <th scope="col">"By"</th>
                        <th scope="col"><span class="vh">"Actions"</span></th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </section>
    }
    .into_any()
}

fn row(page: &NotesPage, box_name: &str, note: &Note) -> AnyView {
    let change = links::with_query(links::NOTES, &[("change", &note.id.to_string())]);
    // Wide enough to see what was before and after.
    let around = ((note.to - note.from) / 2).max(1_800_000);
    let chart = links::with_span(&links::with_query(links::CHARTS, &[("box", box_name)]), Some((note.from - around, note.to + around)), "");
    let about = || view! { <span class="vh">" the note " {note.text.clone()}</span> };
    let end = (note.to > note.from).then(|| view! { <small>"to " {time(note.to)}</small> });
    view! {
        <tr>
            <th scope="row" class="when"><a href=chart title="The charts of this time">{time(note.from)}</a> {end}</th>
            <td data-label="Box">{box_name.to_owned()}</td>
            <td class="said">{note.text.clone()}</td>
            <td data-label="By">{note.by.clone()}</td>
            <td class="acts for-tick">
                <div class="buttons">
                    <a class="ghost" href=change>"Change" {about()}</a>
                    <form method="post" action=links::NOTES>
                        <input type="hidden" name="id" value=note.id.to_string() />
                        <input type="hidden" name="return" value=links::notes(page.current.as_deref().unwrap_or_default(), &page.search) />
                        <button class="ghost" name="do" value="remove">"Remove" {about()}</button>
                    </form>
                </div>
            </td>
        </tr>
    }
    .into_any()
}

/// An instant: in UTC until the page's island makes it local.
fn time(ms: i64) -> AnyView {
    let utc = format::utc(ms);
    let machine = format!("{}Z", format::for_field(ms));
    view! { <time datetime=machine data-ms=ms.to_string() data-clock>{utc}</time> }.into_any()
}

fn form(page: &NotesPage) -> AnyView {
    let form = &page.form;
    let boxes = page.boxes.iter().map(|one| &one.name);
    let boxes = boxes.map(|name| view! { <option value=name.clone() selected={*name == form.box_name}>{name.clone()}</option> });
    let (title, button) = if form.id.is_some() { ("Change the note", "Change it") } else { ("Write a note", "Write it") };
    let box_field = match form.id {
        Some(id) => view! { <input type="hidden" name="id" value=id.to_string() /> }.into_any(),
        None => view! {
            <div class="field">
                <label for="n-box">"Box"</label>
                <select id="n-box" name="box">{boxes.collect_view()}</select>
            </div>
        }
        .into_any(),
    };
    let cancel = form.id.map(|_| view! { <a class="ghost" href=links::NOTES>"Cancel"</a> });
    view! {
        <section class="card form for-tick" id="write" aria-labelledby="write-title">
            <h2 id="write-title">{title}</h2>
            <form method="post" action=links::NOTES autocomplete="off" data-local-times>
                {general_error(form)}
                <div class="fields">
                    {box_field} {instant(form, "from", &form.from, "When", "Times in UTC", true)}
                    {instant(form, "to", &form.to, "Until", "Empty: an instant", false)}
                    {Field {
                        form: "n",
                        name: "text",
                        value: &form.text,
                        label: "Note",
                        example: "Carrier B moved to the new trunk",
                        hint: "Up to 500 letters; it stands on every chart of the box",
                        is_required: true,
                    }
                        .draw(wrong(form, "text"))}
                </div>
                <div class="buttons"><button class="btn main" name="do" value="write">{button}</button> {cancel}</div>
            </form>
        </section>
    }
    .into_any()
}

fn wrong<'a>(form: &'a NoteForm, name: &str) -> Option<&'a str> {
    form.errors.iter().find(|(field, _)| *field == name).map(|(_, text)| text.as_str())
}

fn general_error(form: &NoteForm) -> Option<AnyView> {
    let (_, text) = form.errors.iter().find(|(field, _)| !["from", "to", "text"].contains(field))?;
    Some(field::general_error(text))
}

/// A field for an instant. Where islands are it is filled in, and read, in local time.
fn instant(form: &NoteForm, name: &'static str, value: &str, label: &'static str, hint: &'static str, is_required: bool) -> AnyView {
    let ms: Option<i64> = value.parse().ok();
    let shown = ms.map_or_else(|| value.to_owned(), format::for_field);
    let wrong = wrong(form, name);
    view! {
        <div class="field">
            <label for=format!("n-{name}")>{label}</label>
            <input
                id=format!("n-{name}")
                name=name
                type="datetime-local"
                step="1"
                value=shown
                data-ms=ms.map(|ms| ms.to_string())
                aria-describedby=format!("nh-{name}")
                aria-invalid=wrong.map(|_| "true")
                required=is_required
            />
            {wrong.map(|text| view! { <p class="problem">{sentence(text)}</p> })}
            <p class="hint" id=format!("nh-{name}") data-times-hint=is_required>{hint}</p>
        </div>
    }
    .into_any()
}
