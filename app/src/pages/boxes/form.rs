//! The form to add or edit a box, and what a probe found.

use leptos::prelude::*;

use super::certificates;
use crate::{
    links,
    model::{BoxForm, BoxKind, BoxView, BoxesPage, Origin, ProbeReport},
    wording,
};

/// The fields in their order.
const FIELDS: [&str; 10] = ["address", "name", "kind", "interval", "labels", "user", "password", "ca", "cert", "key"];

/// Draws it.
pub(super) fn form(page: &BoxesPage) -> AnyView {
    let (title, action) = match &page.editing {
        Some(name) => (format!("Edit {name}"), "/cp/boxes/edit"),
        None => ("Add a box".to_owned(), "/cp/boxes"),
    };
    let lead = page.editing.is_none().then(|| {
        view! { <p class="muted">"A box is a SIP server, or whatever tells metrics. Enter where it answers, then let the panel find out what it is."</p> }
    });
    view! {
        <section class="card form" id="form" aria-labelledby="form-title">
            <h2 id="form-title">{title}</h2>
            {lead}
            <form id="box-form" method="post" action=action autocomplete="off">
                {page.editing.clone().map(|name| view! { <input type="hidden" name="box" value=name /> })}
                <input type="hidden" name="return" value=links::BOXES />
                {general_error(&page.form)}
                <div class="fields">{fields(page, focus(page))}</div>
                <div id="probe">{page.probe.as_ref().map(found)}</div>
                {buttons(page)}
            </form>
        </section>
    }
    .into_any()
}

/// The field where one goes on: the first that is wrong, the name after a box was found, the first when one came to change
/// it or to add the first box.
fn focus(page: &BoxesPage) -> Option<&'static str> {
    let wrong = FIELDS.into_iter().find(|field| is_wrong(&page.form, field));
    let found = page.probe.as_ref().map(|probe| if probe.kind.is_some() { "name" } else { "address" });
    let editing = edited(page).map(|one| if one.origin == Origin::Builtin { "interval" } else { "address" });
    // Who has no box yet came to add one.
    let first = (page.boxes.len() == 1).then_some("address");
    wrong.or(found).or(editing).or(first)
}

fn buttons(page: &BoxesPage) -> AnyView {
    if page.editing.is_some() {
        return view! {
            <div class="buttons">
                <button class="btn main">"Save changes"</button>
                <a class="ghost" href=links::BOXES>"Cancel"</a>
            </div>
        }
        .into_any();
    }
    // Enter presses the first button: finding out changes nothing.
    let (find, add) = match &page.probe {
        Some(ProbeReport { kind: Some(_), .. }) => ("btn", "btn main"),
        _ => ("btn main", "btn"),
    };
    view! {
        <div class="buttons">
            <button class=find name="do" value="probe">"Find out"</button>
            <button class=add name="do" value="add">"Add box"</button>
        </div>
    }
    .into_any()
}

fn fields(page: &BoxesPage, focus: Option<&str>) -> AnyView {
    let form = &page.form;
    let interval =
        field(form, focus, "interval", "Asked every", &form.interval, &page.default_interval, "200ms to 1h. Empty: the default.");
    let labels = field(form, focus, "labels", "Labels", &form.labels, "site=fra, role=edge", "As key=value, commas between.");
    if edited(page).is_some_and(|one| one.origin == Origin::Builtin) {
        return view! { {interval} {labels} }.into_any();
    }
    let found = page.probe.as_ref().and_then(|probe| probe.kind);
    let kind = if form.kind.is_empty() { found.map(BoxKind::as_str).unwrap_or_default() } else { form.kind.as_str() };
    let taken: Vec<&str> = page.boxes.iter().map(|one| one.name.as_str()).collect();
    let name = match found {
        Some(kind) if form.name.is_empty() => wording::free_name(kind, &taken),
        _ => form.name.clone(),
    };
    let option = |value: &'static str, text: &'static str| view! { <option value=value selected={kind == value}>{text}</option> };
    view! {
        {field(form, focus, "address", "Address", &form.address, "http://10.0.0.5:8888/mi", "Or fifo:/…, udp://…, unix:/…, xmlrpc+http://…, prometheus+http://…: each is explained below. A login in it, as http://user:password@…, is kept apart.")}
        {field(form, focus, "name", "Name", &name, "sip1", "A letter, then letters, digits, . _ -")}
        <div class="field">
            <label for="f-kind">"Kind"</label>
            <select id="f-kind" name="kind" aria-describedby=described(form, "kind") aria-invalid=is_wrong(form, "kind").then_some("true") autofocus={focus == Some("kind")}>
                {option("", "find out")} {BoxKind::REMOTE.map(|kind| option(kind.as_str(), wording::kind_name(kind))).into_iter().collect_view()}
            </select>
            {problem(form, "kind")}
            <p class="hint" id="h-kind">"What it is, if you know."</p>
        </div>
        {interval} {labels} {access(page, focus)} {certificates::section(form, focus)}
    }
    .into_any()
}

/// The box that is changed.
fn edited(page: &BoxesPage) -> Option<&BoxView> {
    page.editing.as_deref().and_then(|name| page.boxes.iter().find(|one| one.name == name))
}

/// User and password: folded away while not used, as most servers ask for none.
fn access(page: &BoxesPage, focus: Option<&str>) -> AnyView {
    let form = &page.form;
    let has_password = edited(page).is_some_and(|one| one.has_password);
    let lost = is_wrong(form, "password");
    let open = has_password || !form.user.is_empty() || lost || is_wrong(form, "user");
    let hint = if has_password { "One is kept. Leave empty to keep it." } else { "Kept encrypted, never shown again." };
    let forget = has_password.then(|| {
        view! {
            <label class="check"><input type="checkbox" name="forget_password" value="true" /> "Forget the kept password"</label>
        }
    });
    let had = lost.then(|| view! { <input type="hidden" name="had_password" value="true" /> });
    view! {
        <details class="field wide" open=open>
            <summary>"User and password"</summary>
            <div class="fields">
                {field(form, focus, "user", "User", &form.user, "", "For HTTP Basic authentication.")}
                <div class="field">
                    <label for="f-password">"Password"</label>
                    <input
                        id="f-password"
                        name="password"
                        type="password"
                        autocomplete="off"
                        aria-describedby=described(form, "password")
                        aria-invalid=lost.then_some("true")
                        autofocus={focus == Some("password")}
                    />
                    {problem(form, "password")}
                    <p class="hint" id="h-password">{hint}</p>
                    {forget} {had}
                </div>
            </div>
        </details>
    }
    .into_any()
}

pub(super) fn is_wrong(form: &BoxForm, name: &str) -> bool {
    form.errors.iter().any(|(field, _)| *field == name)
}

/// The elements that say more of a field.
fn described(form: &BoxForm, name: &str) -> String {
    if is_wrong(form, name) { format!("e-{name} h-{name}") } else { format!("h-{name}") }
}

pub(super) fn field(
    form: &BoxForm,
    focus: Option<&str>,
    name: &'static str,
    label: &'static str,
    value: &str,
    example: &str,
    hint: &'static str,
) -> AnyView {
    let required = matches!(name, "address");
    view! {
        <div class="field">
            <label for=format!("f-{name}")>{label}</label>
            <input
                id=format!("f-{name}")
                name=name
                value=value.to_owned()
                placeholder=example.to_owned()
                aria-describedby=described(form, name)
                aria-invalid=is_wrong(form, name).then_some("true")
                required=required
                autocomplete="off"
                autocapitalize="none"
                spellcheck="false"
                autofocus={focus == Some(name)}
            />
            {problem(form, name)}
            <p class="hint" id=format!("h-{name}")>{hint}</p>
        </div>
    }
    .into_any()
}

/// What is wrong with a field, at that field.
fn problem(form: &BoxForm, name: &'static str) -> Option<impl IntoView + use<>> {
    let (_, text) = form.errors.iter().find(|(field, _)| *field == name)?;
    Some(view! { <p class="problem" id=format!("e-{name}")>{wording::sentence(text)}</p> })
}

/// What is wrong that belongs to no field shown here.
fn general_error(form: &BoxForm) -> Option<impl IntoView + use<>> {
    let texts: Vec<_> = form.errors.iter().filter(|(field, _)| !FIELDS.contains(field)).map(|(_, text)| text.as_str()).collect();
    (!texts.is_empty()).then(|| view! { <p class="note bad" role="alert">{texts.join(" ")}</p> })
}

/// What the last probe found, and what to press now.
fn found(probe: &ProbeReport) -> impl IntoView + use<> {
    let (class, title, next) = wording::probe(probe);
    view! {
        <div class=class role="status">
            <b>{title}</b>
            <span>{wording::sentence(&probe.message)}</span>
            <span>{next}</span>
        </div>
    }
}
