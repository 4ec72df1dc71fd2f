//! The form of a rule, and when it would have fired.

use leptos::prelude::*;

use super::super::{
    field::{self, Field},
    table::instant,
};
use crate::{
    format, links,
    model::{AlertForm, AlertsPage},
};

/// Conditions: the word, and what it says.
const CONDITIONS: [(&str, &str); 9] = [
    ("above", "is above the bound"),
    ("below", "is below the bound"),
    ("outside", "is below the bound or above the other"),
    ("changed", "changed by the bound within a time"),
    ("compared_above", "is the bound in percent above what it was"),
    ("compared_below", "is the bound in percent below what it was"),
    ("no_data", "has no value"),
    ("box_down", "(no formula) the box gives no answer"),
    ("restarted", "(no formula) the box restarted"),
];
const SEVERITIES: [(&str, &str); 3] = [("info", "info"), ("warning", "warning"), ("critical", "critical")];
const FIELDS: [&str; 12] =
    ["name", "formula", "condition", "bound", "time", "hold", "text", "boxes", "labels", "destinations", "repeat", "silences"];

/// Draws it.
pub(super) fn rule(page: &AlertsPage) -> AnyView {
    let form = &page.form;
    let title = if form.editing { format!("Change {}", form.name) } else { "Write an alert".to_owned() };
    let name = if form.editing {
        view! { <input type="hidden" name="name" value=form.name.clone() /> }.into_any()
    } else {
        one(form, "name", &form.name, "Name", "shm_low", "Such as shm_low; messages carry it")
    };
    let general = form.errors.iter().find(|(name, _)| !FIELDS.contains(name)).map(|(_, text)| field::general_error(text));
    let boxes = page.boxes.iter().map(|name| (name.as_str(), name.as_str()));
    let cancel = form.editing.then(|| view! { <a class="ghost" href=links::ALERTS>"Cancel"</a> });
    view! {
        <section class="card form" id="write" aria-labelledby="form-title">
            <h2 id="form-title">{title}</h2>
            <form method="post" action=links::ALERTS autocomplete="off">
                <input type="hidden" name="editing" value={if form.editing { "yes" } else { "" }} />
                {general}
                <div class="fields">
                    {name} {one(form, "formula", &form.formula, "Formula", "100 * {shmem:free_size} / {shmem:total_size}", "As of derived statistics, which it may name, too: {derived:shm_free}")}
                    <div class="field wide" data-checks role="status"></div>
                    {select("condition", "Fires when it", &form.condition, CONDITIONS.into_iter())}
                    {one(form, "bound", &form.bound, "Bound", "10", "A number, or percent where compared")}
                    {one(form, "other", &form.other, "Well again at, or upper bound", "15", "Empty: at the bound")}
                    {one(form, "time", &form.time, "Within, or so long before", "5m", "5m for changes; 24h or 7d for comparisons")}
                    {one(form, "hold", &form.hold, "Must hold for", "30s", "Empty: it fires at once")}
                    {select("severity", "How bad", if form.severity.is_empty() { "warning" } else { &form.severity }, SEVERITIES.into_iter())}
                    {one(form, "boxes", &form.boxes, "Boxes", "sip1, sip2", "Empty: all that have what it names")}
                    {one(form, "labels", &form.labels, "Labels", "site=fra", "Boxes that have them all")}
                    {one(form, "text", &form.text, "Text", "{value} left on {box}", "{value}, {box} and {rule} are put in")}
                    {one(form, "destinations", &form.destinations, "Destinations", "ops", "Empty: all")}
                    {one(form, "repeat", &form.repeat, "Told again every", "4h", "Empty: once")}
                    {one(form, "silences", &form.silences, "Nobody is told", "weekly SUN 02:00 Europe/Berlin for 4h", "Also daily, or cron 0 2 1 * * UTC for 4h; on sip1 behind it: that box alone; several with ; between")}
                    {select("box", "Look back on", &page.box_name, boxes)}
                </div>
                {would(page)}
                <div class="buttons">
                    <button class="btn" name="do" value="preview">"See when it would have fired"</button>
                    <button class="btn main" name="do" value="save">{if form.editing { "Save" } else { "Add" }}</button>
                    {cancel}
                </div>
            </form>
        </section>
    }
    .into_any()
}

fn one(form: &AlertForm, name: &'static str, value: &str, label: &'static str, example: &'static str, hint: &'static str) -> AnyView {
    let wrong = form.errors.iter().find(|(field, _)| *field == name).map(|(_, text)| text.as_str());
    Field { form: "a", name, value, label, example, hint, is_required: name == "name" }.draw(wrong)
}

pub(super) fn select<'a>(
    name: &'static str,
    label: &'static str,
    chosen: &str,
    choices: impl Iterator<Item = (&'a str, &'a str)>,
) -> AnyView {
    let id = format!("a-{name}");
    let options = choices.map(|(word, words)| {
        view! { <option value=word.to_owned() selected={word == chosen}>{words.to_owned()}</option> }
    });
    view! {
        <div class="field">
            <label for=id.clone()>{label}</label>
            <select id=id name=name>{options.collect_view()}</select>
        </div>
    }
    .into_any()
}

/// When it would have fired in the last week, on the chart of what it looks at and in words.
fn would(page: &AlertsPage) -> Option<AnyView> {
    let form = &page.form;
    if let Some(reason) = &form.would_not {
        return Some(
            view! { <p class="note warn" role="status">{format!("Nothing can be said of the last week: {reason}.")}</p> }.into_any(),
        );
    }
    let spans = form.would.as_ref()?;
    let words = match spans.len() {
        0 => format!("In the last week it would not have fired on {}.", page.box_name),
        1 => format!("In the last week it would have fired once on {}:", page.box_name),
        many => format!("In the last week it would have fired {many} times on {}:", page.box_name),
    };
    let rows = spans.iter().take(50).map(|(from, to, value)| {
        view! { <li>{instant(*from)} " for " {format::age(to - from)} " " {value.clone()}</li> }
    });
    Some(view! { <div class="note good" role="status"><p>{words}</p> {(!form.chart.is_empty()).then(|| view! { <div class="week" inner_html=form.chart.clone()></div> })} <ul>{rows.collect_view()}</ul></div> }.into_any())
}
