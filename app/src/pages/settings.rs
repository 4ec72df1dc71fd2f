//! Settings: how long history is kept, and what it takes.

use leptos::prelude::*;

use super::{
    field::{self, Field},
    frame,
};
use crate::{
    format, links,
    model::{Column, Density, Frame, KeepForm, KeepRow, Number, Numbers, SPANS, SettingsPage, Taste, Theme, UsageRow},
};

/// The tiers as columns: the field of each, its name, and what it is.
const TIERS: [(&str, &str, &str); 3] =
    [("raw", "Samples", "as they were polled"), ("minute", "Minutes", "one-minute roll-ups"), ("hour", "Hours", "one-hour roll-ups")];

/// Zones that are offered; any other can be typed.
const ZONES: [&str; 14] = [
    "UTC",
    "Europe/London",
    "Europe/Berlin",
    "Europe/Paris",
    "Europe/Madrid",
    "Europe/Bucharest",
    "Europe/Athens",
    "America/New_York",
    "America/Chicago",
    "America/Los_Angeles",
    "America/Sao_Paulo",
    "Asia/Kolkata",
    "Asia/Singapore",
    "Australia/Sydney",
];

/// Draws it.
pub(super) fn page(frame: &Frame, page: &SettingsPage) -> AnyView {
    // The form stands first while it is what one came for.
    let busy = page.form.frees.is_some() || !page.form.errors.is_empty() || !page.form.rule.keep.iter().all(String::is_empty);
    let (first, second) = if busy { (form(page), rules(page)) } else { (rules(page), form(page)) };
    view! {
        <main id="main" class="sheet">
            <h1 class="vh">"Settings"</h1>
            {frame::notices(frame)} {taste(frame)} {first} {second} {usage(page)}
        </main>
    }
    .into_any()
}

/// How pages look for who reads this.
fn taste(frame: &Frame) -> AnyView {
    let Taste { density, theme, zone, .. } = &frame.taste;
    let span = frame.taste.span();
    let column = |column: Column| {
        let words = match column {
            Column::Meaning => "Meaning",
            Column::Course => "Spark line",
            Column::Value => "Value",
            Column::Rate => "Per second",
        };
        view! {
            <label class="check">
                <input type="checkbox" name="column" value=column.as_str() checked=frame.taste.shows(column) />
                {words}
            </label>
        }
    };
    let theme_option = |one: Theme, words: &'static str| view! { <option value=one.as_str() selected={*theme == one}>{words}</option> };
    let numbers_option = |one: Numbers| {
        let example =
            format::with_numbers(one, || [Number::Int(12_345), Number::Float(0.5)].map(|number| format::value(number, "")).join(" and "));
        view! { <option value=one.as_str() selected={frame.taste.numbers == one}>{example}</option> }
    };
    let spans = SPANS.iter().map(|(word, words)| view! { <option value=*word selected={*word == span}>{*words}</option> });
    view! {
        <section class="card form mine" id="taste" aria-labelledby="taste-title">
            <h2 id="taste-title">"For you"</h2>
            <form method="post" action="/cp/taste" class="own">
                <div class="fields">
                    <div class="field">
                        <label for="v-theme">"Colours"</label>
                        <select id="v-theme" name="theme">
                            {theme_option(Theme::Auto, "As the browser")} {theme_option(Theme::Light, "Light")} {theme_option(Theme::Dark, "Dark")}
                        </select>
                    </div>
                    <div class="field">
                        <label for="v-zone">"Time zone"</label>
                        <input id="v-zone" name="zone" value=zone.clone() placeholder="that of the browser" list="zones" spellcheck="false" aria-describedby="v-zone-hint" />
                        <datalist id="zones">{ZONES.iter().map(|zone| view! { <option value=*zone></option> }).collect_view()}</datalist>
                        <p class="hint" id="v-zone-hint">"Such as Europe/Berlin, or UTC; empty: that of the browser"</p>
                    </div>
                    <div class="field">
                        <label for="v-span">"Charts begin with"</label>
                        <select id="v-span" name="span">{spans.collect_view()}</select>
                    </div>
                    <div class="field">
                        <label for="v-numbers">"Numbers"</label>
                        <select id="v-numbers" name="numbers">{Numbers::ALL.map(numbers_option).into_iter().collect_view()}</select>
                    </div>
                    <div class="field">
                        <label for="v-density">"Rows"</label>
                        <select id="v-density" name="density">
                            <option value="comfortable" selected={*density == Density::Comfortable}>"Comfortable"</option>
                            <option value="compact" selected={*density == Density::Compact}>"Compact"</option>
                        </select>
                    </div>
                    <fieldset class="field">
                        <legend>"Columns"</legend>
                        {Column::ALL.map(column).into_iter().collect_view()}
                    </fieldset>
                </div>
                <div class="buttons"><button class="btn main">"Keep it"</button></div>
            </form>
        </section>
    }
    .into_any()
}

fn rules(page: &SettingsPage) -> AnyView {
    let rows = page.rules.iter().map(rule).collect_view();
    let heads = TIERS.map(|(_, name, what)| view! { <th scope="col">{name} <small>{what}</small></th> }).collect_view();
    view! {
        <section class="card list" aria-labelledby="keep-title">
            <h2 id="keep-title">"How long history is kept"</h2>
            <table aria-labelledby="keep-title">
                <thead>
                    <tr>
                        <th scope="col">"Of"</th>
                        {heads}
                        <th scope="col"><span class="vh">"Actions"</span></th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </section>
    }
    .into_any()
}

fn rule(rule: &KeepRow) -> AnyView {
    let (statistics, of_box) = of(rule);
    let cells = TIERS.iter().zip(&rule.keep).map(|(&(_, name, _), kept)| {
        let words = if kept.is_empty() {
            view! { <span class="muted">"as below"</span> }.into_any()
        } else {
            view! { {kept_words(kept)} }.into_any()
        };
        view! { <td data-label=name>{words}</td> }
    });
    let change = links::with_query(links::SETTINGS, &[("box", &rule.box_name), ("match", &rule.pattern), ("change", "yes")]);
    let about = format!(" {statistics} of {of_box}");
    let remove = (!rule.is_default).then(|| {
        view! {
            <form method="post" action=links::SETTINGS>
                <input type="hidden" name="box" value=rule.box_name.clone() />
                <input type="hidden" name="match" value=rule.pattern.clone() />
                <button class="ghost" name="do" value="remove">"Remove" <span class="vh">{about.clone()}</span></button>
            </form>
        }
    });
    view! {
        <tr>
            <th scope="row" class="who"><b>{statistics}</b> <small>{of_box}</small></th>
            {cells.collect_view()}
            <td class="acts">
                <div class="buttons"><a class="ghost" href=change>"Change" <span class="vh">{about}</span></a> {remove}</div>
            </td>
        </tr>
    }
    .into_any()
}

/// What a rule is of, in words: the statistics, and the box.
fn of(rule: &KeepRow) -> (String, String) {
    let statistics = if rule.pattern.is_empty() { "Every statistic".to_owned() } else { rule.pattern.clone() };
    let of_box = if rule.box_name.is_empty() { "all boxes".to_owned() } else { rule.box_name.clone() };
    (statistics, of_box)
}

fn kept_words(kept: &str) -> String {
    if kept == "ever" { "for ever".to_owned() } else { kept.to_owned() }
}

fn form(page: &SettingsPage) -> AnyView {
    let form = &page.form;
    let boxes = page.boxes.iter().map(|name| {
        view! { <option value=name.clone() selected={*name == form.rule.box_name}>{name.clone()}</option> }
    });
    let times = TIERS.iter().zip(&form.rule.keep).map(|(&(name, label, what), kept)| field(form, (name, kept), label, "90d", what));
    view! {
        <section class="card form" id="keep" aria-labelledby="form-title">
            <h2 id="form-title">"Keep some longer, or not so long"</h2>
            <p class="muted">
                "Write a time such as " <code>"90d"</code> " or " <code>"2y"</code> ", or " <code>"ever"</code>
                ". What is left empty is as a less particular rule says. Charts of times whose samples are gone are drawn from minutes, then hours."
            </p>
            <form method="post" action=links::SETTINGS autocomplete="off">
                {general_error(form)} {question(form)}
                <div class="fields">
                    <div class="field">
                        <label for="k-box">"Box"</label>
                        <select id="k-box" name="box">
                            <option value="" selected=form.rule.box_name.is_empty()>"All boxes"</option>
                            {boxes.collect_view()}
                        </select>
                    </div>
                    {field(form, ("match", &form.rule.pattern), "Statistics", "dialog:", "A name, a group: or a pattern; empty: all")}
                    {times.collect_view()}
                </div>
                <div class="buttons">
                    <button class="btn" class:main=form.frees.is_none() name="do" value="preview">"See what goes"</button>
                </div>
            </form>
        </section>
    }
    .into_any()
}

/// What goes when the rule holds, and the button that makes it so.
fn question(form: &KeepForm) -> Option<AnyView> {
    let frees = form.frees?;
    let parts: Vec<String> = TIERS
        .iter()
        .zip(frees)
        .filter(|(_, bytes)| *bytes > 0)
        .map(|((_, name, _), bytes)| format!("{} of {}", size(bytes), name.to_lowercase()))
        .collect();
    let words = if parts.is_empty() {
        "Nothing goes by this now.".to_owned()
    } else {
        format!("This deletes {}, for good. Nothing is deleted yet.", parts.join(" and "))
    };
    let class = if parts.is_empty() { "btn main" } else { "btn danger" };
    Some(
        view! {
            <div class="note warn" role="alert" tabindex="-1" autofocus>
                <p>{words}</p>
                <div class="buttons">
                    <button class=class name="do" value="set">"Keep it so"</button>
                    <a class="ghost" href=links::SETTINGS>"Cancel"</a>
                </div>
            </div>
        }
        .into_any(),
    )
}

/// What is wrong that belongs to no field.
fn general_error(form: &KeepForm) -> Option<AnyView> {
    let known = |field: &str| field == "match" || TIERS.iter().any(|(name, ..)| *name == field);
    let (_, text) = form.errors.iter().find(|(field, _)| !known(field))?;
    Some(field::general_error(text))
}

fn field(form: &KeepForm, (name, value): (&'static str, &str), label: &'static str, example: &'static str, hint: &'static str) -> AnyView {
    let wrong = form.errors.iter().find(|(field, _)| *field == name).map(|(_, text)| text.as_str());
    Field { form: "k", name, value, label, example, hint, is_required: false }.draw(wrong)
}

fn usage(page: &SettingsPage) -> AnyView {
    let heads = TIERS.map(|(_, name, _)| view! { <th scope="col" class="num">{name}</th> }).collect_view();
    let rows = page.usage.iter().map(usage_row).collect_view();
    let table = (!page.usage.is_empty()).then(|| {
        view! {
            <table aria-labelledby="usage-title">
                <thead>
                    <tr>
                        <th scope="col">"Box"</th>
                        {heads}
                        <th scope="col" class="num">"A day"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        }
    });
    let newest = if page.usage.is_empty() {
        "Nothing is packed yet: what was recorded in the last hour is not counted here."
    } else {
        "What was recorded in the last hour is not counted yet."
    };
    view! {
        <section class="card list" aria-labelledby="usage-title">
            <h2 id="usage-title">"What history takes"</h2>
            <p class="muted">{format!("The database has {} with all there is in it. {newest}", size(i64::try_from(page.file_bytes).unwrap_or(i64::MAX)))}</p>
            {table}
        </section>
    }
    .into_any()
}

fn usage_row(row: &UsageRow) -> AnyView {
    let cells = TIERS.iter().zip(row.bytes).zip(row.from_ms).map(|((&(_, name, _), bytes), from_ms)| {
        let since = from_ms.map(|from_ms| view! { <small>"since " {day(from_ms)}</small> });
        let bytes = if from_ms.is_some() { size(bytes) } else { "–".to_owned() };
        view! { <td class="num" data-label=name>{bytes} {since}</td> }
    });
    view! {
        <tr>
            <th scope="row" class="who">{row.box_name.clone()}</th>
            {cells.collect_view()}
            <td class="num" data-label="A day">{row.bytes_a_day.map_or_else(|| "–".to_owned(), size)}</td>
        </tr>
    }
    .into_any()
}

#[expect(clippy::cast_precision_loss, reason = "three digits of it are shown")]
fn size(bytes: i64) -> String {
    format::short(bytes as f64, "bytes")
}

/// The day of an instant.
fn day(ms: i64) -> String {
    let mut text = format::utc(ms);
    text.truncate("2026-01-01".len());
    text
}
