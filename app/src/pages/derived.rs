//! Derived statistics: those that there are, the form for more, and ready-made ones.

use leptos::prelude::*;

use super::{
    field::{self, Field},
    frame,
    table::{ACTIONS, card},
};
use crate::{
    format, links,
    model::{DerivedForm, DerivedPage, DerivedRow, Frame, Number, Origin, ReadyRow},
    wording,
};

/// Draws it.
pub(super) fn page(frame: &Frame, page: &DerivedPage) -> AnyView {
    // The form stands first while it is what one came for.
    let form_view = Some(form(page));
    let busy = page.form.editing || page.form.tried.is_some() || !page.form.errors.is_empty() || page.rows.is_empty();
    let (first, second) = if busy { (form_view, list(page)) } else { (list(page), form_view) };
    view! {
        <main id="main" class="sheet">
            <h1 class="vh">"Derived statistics"</h1>
            {frame::notices(frame)} {first} {second} {ready(page)} {language()}
        </main>
    }
    .into_any()
}

fn list(page: &DerivedPage) -> Option<AnyView> {
    if page.rows.is_empty() {
        return None;
    }
    let rows = page.rows.iter().map(row).collect_view();
    Some(card("derived-title", "Derived statistics".to_owned(), &["Name", "Formula", "Newest value", ACTIONS], rows.into_any()))
}

fn row(row: &DerivedRow) -> AnyView {
    let values = row.boxes.iter().map(|(box_name, value, unit)| {
        let words = value.map_or_else(|| "no value".to_owned(), |value| in_words(value, unit));
        view! { <span class="line"><a href=links::statistic(box_name, &row.statistic)>{box_name.clone()}</a> " " {words}</span> }
    });
    let values = if row.boxes.is_empty() {
        view! { <span class="muted">"no box has what it names"</span> }.into_any()
    } else {
        view! { {values.collect_view()} }.into_any()
    };
    let about = format!(" {}", row.name);
    let acts = if row.origin == Origin::Config {
        view! { <span class="muted">"from the configuration file"</span> }.into_any()
    } else {
        view! {
            <div class="buttons">
                <a class="ghost" href=links::with_query(links::DERIVED, &[("edit", &row.name)])>"Change" <span class="vh">{about.clone()}</span></a>
                <form method="post" action=links::DERIVED>
                    <input type="hidden" name="name" value=row.name.clone() />
                    <button class="ghost" name="do" value="remove">"Remove" <span class="vh">{about}</span></button>
                </form>
            </div>
        }
        .into_any()
    };
    view! {
        <tr>
            <th scope="row" class="who"><b>{row.name.clone()}</b> <small>{row.meaning.clone()}</small></th>
            <td data-label="Formula"><code class="formula">{row.formula.clone()}</code></td>
            <td data-label="Newest value">{values}</td>
            <td class="acts">{acts}</td>
        </tr>
    }
    .into_any()
}

fn in_words(value: Number, unit: &str) -> String {
    format::short(value.as_f64(), unit)
}

fn form(page: &DerivedPage) -> AnyView {
    let form = &page.form;
    let title = if form.editing { format!("Change {}", form.name) } else { "Compute one from others".to_owned() };
    let save = if form.editing { "Save" } else { "Add" };
    let cancel = form.editing.then(|| view! { <a class="ghost" href=links::DERIVED>"Cancel"</a> });
    let name = if form.editing {
        view! { <input type="hidden" name="name" value=form.name.clone() /> }.into_any()
    } else {
        field(form, ("name", &form.name), "Name", "shm_free_percent", "Boxes show it as derived:NAME")
    };
    view! {
        <section class="card form" id="define" aria-labelledby="form-title">
            <h2 id="form-title">{title}</h2>
            <form method="post" action=links::DERIVED autocomplete="off">
                <input type="hidden" name="editing" value={if form.editing { "yes" } else { "" }} />
                {general_error(form)}
                <div class="fields">
                    {name}
                    {formula(form)}
                    {field(form, ("unit", &form.unit), "Unit", "percent", "Such as percent, seconds or bytes; empty: none")}
                    {field(form, ("meaning", &form.meaning), "Meaning", "Room left in the shared pool", "A sentence for those who see it")}
                    {choice(page)}
                </div>
                {form.tried.as_ref().map(|words| view! { <p class="note good" role="status">{words.clone()}</p> })}
                <div class="buttons">
                    <button class="btn" name="do" value="check">"Check"</button>
                    <button class="btn main" name="do" value="save">{save}</button>
                    {cancel}
                </div>
            </form>
        </section>
    }
    .into_any()
}

/// The formula, and below it a mark where something is wrong.
fn formula(form: &DerivedForm) -> AnyView {
    let wrong = wrong(form, "formula");
    let described = if wrong.is_some() { "de-formula dh-formula" } else { "dh-formula" };
    let pointed = form.at.filter(|_| wrong.is_some()).map(|at| {
        let line: String = form.formula.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
        view! { <pre class="pointed" aria-hidden="true">{format!("{line}\n{}^", " ".repeat(at))}</pre> }
    });
    view! {
        <div class="field wide">
            <label for="d-formula">"Formula"</label>
            <textarea
                id="d-formula"
                name="formula"
                rows="2"
                placeholder="100 * {shmem:free_size} / {shmem:total_size}"
                aria-describedby=described
                aria-invalid=wrong.is_some().then_some("true")
                required
                autocapitalize="none"
                spellcheck="false"
                autofocus=wrong.is_some()
            >
                {form.formula.clone()}
            </textarea>
            {pointed}
            {wrong.map(|text| view! { <p class="problem" id="de-formula">{wording::sentence(text)}</p> })}
            <div data-checks role="status"></div>
            <p class="hint" id="dh-formula">"Statistics stand in braces; how more is written is below"</p>
        </div>
    }
    .into_any()
}

fn choice(page: &DerivedPage) -> AnyView {
    let boxes = page.boxes.iter().map(|name| {
        view! { <option value=name.clone() selected={*name == page.box_name}>{name.clone()}</option> }
    });
    view! {
        <div class="field">
            <label for="d-box">"Check it on"</label>
            <select id="d-box" name="box">{boxes.collect_view()}</select>
            <p class="hint">"All boxes get it that have what it names"</p>
        </div>
    }
    .into_any()
}

fn wrong<'a>(form: &'a DerivedForm, name: &str) -> Option<&'a str> {
    form.errors.iter().find(|(field, _)| *field == name).map(|(_, text)| text.as_str())
}

/// What is wrong that belongs to no field.
fn general_error(form: &DerivedForm) -> Option<AnyView> {
    let (_, text) = form.errors.iter().find(|(field, _)| !["name", "formula", "unit", "meaning"].contains(field))?;
    Some(field::general_error(text))
}

fn field(
    form: &DerivedForm,
    (name, value): (&'static str, &str),
    label: &'static str,
    example: &'static str,
    hint: &'static str,
) -> AnyView {
    Field { form: "d", name, value, label, example, hint, is_required: name == "name" }.draw(wrong(form, name))
}

fn ready(page: &DerivedPage) -> AnyView {
    let boxes = page.boxes.iter().map(|name| (links::with_query(links::DERIVED, &[("box", name)]), name.clone(), *name == page.box_name));
    let rows = page.ready.iter().map(|one| ready_row(one, &page.box_name)).collect_view();
    let none = page.ready.is_empty().then(|| {
        view! { <p class="muted">"There are none for this kind of box: ready-made ones are for OpenSIPS and Kamailio."</p> }
    });
    view! {
        <section class="card list" aria-labelledby="ready-title">
            <h2 id="ready-title">"Ready-made"</h2>
            {frame::switch("Ready-made ones for", boxes.collect())}
            {none}
            <ul class="ready">{rows}</ul>
        </section>
    }
    .into_any()
}

fn ready_row(one: &ReadyRow, box_name: &str) -> AnyView {
    let (can, words) = match &one.here {
        Ok(value) => (true, format!("{value} now")),
        Err(why) => (false, format!("Not now on {box_name}: {why}")),
    };
    let about = format!(" {}", one.title);
    view! {
        <li>
            <div>
                <b>{one.title.clone()}</b>
                <p>{one.meaning.clone()}</p>
                <code class="formula">{one.formula.clone()}</code>
                <p class="hint">{words}</p>
            </div>
            <form method="post" action=links::DERIVED>
                <input type="hidden" name="id" value=one.id.clone() />
                <input type="hidden" name="box" value=box_name.to_owned() />
                <button class="btn" name="do" value="ready">{if can { "Add and record" } else { "Add" }} <span class="vh">{about}</span></button>
            </form>
        </li>
    }
    .into_any()
}

/// The language, in short.
fn language() -> AnyView {
    let word = |word: &'static str, what: &'static str| view! { <div><dt><code>{word}</code></dt><dd>{what}</dd></div> };
    view! {
        <section class="card" aria-labelledby="language-title">
            <h2 id="language-title">"How formulas are written"</h2>
            <dl class="keys wide">
                {word("100 * ({a:b} - {c:d}) / 2.5", "numbers, + - * / and brackets, as in arithmetic")}
                {word("{shmem:used_size}", "the newest value of a statistic of the box")}
                {word("rate({core:rcv_requests})", "the increase per second of one that counts")}
                {word("max({load:load-proc-*})", "all that match, in max(), min(), sum() or avg()")}
                {word("max({pkmem:*-used_size} / {pkmem:*-total_size})", "two patterns are paired by what the * stands for")}
                {word("{sip1/core:rcv_requests}", "a statistic of another box: its name and a / before it")}
                {word("sum({*/dialog:active_dialogs})", "over all boxes; the box tickmark shows what is of several")}
                {word("{/a/b:c}", "of the own box, where the group has a / itself")}
                {word(r"{script:a\*b}", r"\ takes the next character as it is")}
            </dl>
            <p class="muted">
                "Where an input has no value, or the divisor is 0, there is no value either. Ticking a derived statistic records what its formula names, \
                and its chart is computed from that: sample by sample, and for long spans from the means of each point, as the chart's data say."
            </p>
        </section>
    }
    .into_any()
}
