//! One script: what it says, with line numbers, a dry run, its runs and its versions. Complete without JavaScript.

use leptos::prelude::*;

use super::{
    escape::push_text,
    field::Field,
    frame,
    scripts::{general_error, outcome, wrong},
    table::instant,
};
use crate::{
    links,
    model::{Frame, RunRow, ScriptForm, ScriptPage},
    wording,
};

/// Words that a script is given: how each is written, and what it does.
const WORDS: [(&str, &str); 18] = [
    ("stat(\"method:INVITE\")", "a value, of the panel or the one box that has it"),
    ("stat(\"sip1\", \"core:rcv_requests\")", "a value of a box; stat_or(…, 0) where it may not be there"),
    ("rate(\"sip1\", \"core:rcv_requests\")", "its increase per second"),
    ("for s in stat_iter(\"method\") { … s.name … s.value … }", "every member that a group has by then; s.bare is the name in its group"),
    ("history(\"sip1\", \"dialog:active_dialogs\", \"24h\")", ".min .mean .max .total .first .last of what was recorded"),
    ("update_stat(\"calls:failed\", +1)", "counts in a statistic of your own, made when it is new"),
    ("set_stat(\"calls:mean\", 4.2)", "sets one, as a whole number"),
    ("reset_stat(\"method:INVITE\")", "sets a counter to zero; with a box before it, one of a box"),
    ("pick(\"load_%u\", [\"sip:a\", \"sip:b\"], [2, 1])", "the least loaded, which has one more then"),
    ("release(\"load_%u\", \"sip:a\")", "one less"),
    ("http_post(url, #{ a: 1 })", "hands JSON over to be delivered at least once"),
    ("http_get(url)", ".status .body .json"),
    ("xlog(\"L_WARN\", …)", "a line in the panel's log; print(…) in the run's alone"),
    ("notify(\"warning\", …)", "tells the destinations of alerts, or the one that a third word names: info, warning, critical"),
    ("to_json(…), parse_json(…)", "JSON"),
    ("time(\"Europe/Berlin\").date", "and .hour .minute .weekday .text; since_midnight(zone), now()"),
    ("event.what, event.box", "what began this run; dry is true in a dry run"),
    (
        "event.alert, event.state",
        "what an alert did: pending, firing, acknowledged, resolved, fine (it did not last); .severity .value .text besides",
    ),
];

/// Draws it.
pub(super) fn page(frame: &Frame, page: &ScriptPage) -> AnyView {
    let title = if page.is_new { "New script".to_owned() } else { page.form.name.clone() };
    view! {
        <main id="main" class="sheet scripts">
            <div class="above">
                <h1><a href=links::SCRIPTS>"Scripts"</a> <span aria-hidden="true">" / "</span> {title}</h1>
                {page.next_ms.map(|next_ms| view! { <p class="muted">"Next run " {instant(next_ms)}</p> })}
            </div>
            {frame::notices(frame)} {removing(page)} {done(page)} {editor(page)} {runs(page)} {versions(page)} {words()}
        </main>
    }
    .into_any()
}

fn action(page: &ScriptPage) -> String {
    if page.is_new { links::SCRIPTS.to_owned() } else { links::script(&page.form.name) }
}

fn editor(page: &ScriptPage) -> AnyView {
    let form = &page.form;
    let older = form.of_version.map(|version| {
        view! {
            <p class="note warn">
                {format!("This is version {version}. Save it to make it the newest again.")} " "
                <a href=links::script(&form.name)>"Back to the newest"</a>
            </p>
        }
    });
    view! {
        <section class="card form" aria-label="The script">
            <form method="post" action=action(page) autocomplete="off">
                {general_error(&form.errors)} {older}
                <div class="fields two">{name(page)} {schedule(form)}</div>
                {source(page)} {page.may_write.then(|| buttons(page))}
            </form>
        </section>
    }
    .into_any()
}

/// The name, of a new one.
fn name(page: &ScriptPage) -> Option<AnyView> {
    let field = Field {
        form: "s",
        name: "name",
        value: &page.form.name,
        label: "Name",
        example: "daily_stat_push",
        hint: "A letter first, then letters, digits, _ . or -",
        is_required: true,
    };
    page.is_new.then(|| field.draw(wrong(&page.form.errors, "name")))
}

fn schedule(form: &ScriptForm) -> AnyView {
    let field = Field {
        form: "s",
        name: "schedule",
        value: &form.schedule,
        label: "Runs",
        example: "cron 0 0 * * * Europe/Berlin",
        hint: "every 10m, cron with a time zone, or on box_down, box_up, restart, alert; late or skip behind it says what becomes of missed \
               runs. Empty: by hand",
        is_required: false,
    };
    field.draw(wrong(&form.errors, "schedule"))
}

/// What it says, and what is wrong with that.
fn source(page: &ScriptPage) -> AnyView {
    let form = &page.form;
    let source_wrong = wrong(&form.errors, "source");
    // Within this element nothing is escaped by itself, and a line break at its beginning is not its own.
    let mut source = String::from("\n");
    push_text(&mut source, &form.source);
    let described = if source_wrong.is_some() { "se-source sh-source" } else { "sh-source" };
    view! {
        <div class="field wide code">
            <label for="s-source">"Script"</label>
            <textarea
                id="s-source"
                name="source"
                wrap="off"
                rows="20"
                spellcheck="false"
                autocapitalize="none"
                aria-describedby=described
                aria-invalid=source_wrong.map(|_| "true")
                readonly=!page.may_write
                inner_html=source
            ></textarea>
            {source_wrong.map(|text| view! { <p class="problem" id="se-source">{wording::sentence(text)}</p> })}
            {excerpt(form, form.place)}
            <p class="hint" id="sh-source">"In the language Rhai. A dry run changes nothing and says what would be."</p>
        </div>
    }
    .into_any()
}

fn buttons(page: &ScriptPage) -> AnyView {
    let remove = (!page.is_new).then(|| {
        view! { <a class="ghost" href=links::with_query(&links::script(&page.form.name), &[("remove", "yes")])>"Remove…"</a> }
    });
    let run = (!page.is_new).then(|| view! { <button class="btn" name="do" value="run">"Save and run"</button> });
    view! {
        <div class="buttons">
            <button class="btn main" name="do" value="save">"Save"</button>
            <button class="btn" name="do" value="dry">"Dry run"</button>
            {run} {remove}
        </div>
    }
    .into_any()
}

/// The line that is wrong with the one before it, and a mark below the column.
fn excerpt(form: &ScriptForm, place: Option<(usize, usize)>) -> Option<AnyView> {
    let (line, column) = place?;
    let lines: Vec<&str> = form.source.lines().collect();
    let shown = |number: usize| number.checked_sub(1).and_then(|place| lines.get(place)).map(|text| format!("{number:>5}  {text}\n"));
    let before = shown(line.checked_sub(1)?).unwrap_or_default();
    let wrong = shown(line)?;
    // Tabs stay tabs, so that the mark stands below its character.
    let indent: String = lines.get(line - 1)?.chars().take(column.saturating_sub(1)).map(|c| if c == '\t' { c } else { ' ' }).collect();
    Some(view! { <pre class="where" aria-hidden="true">{before} <b>{wrong}</b> {format!("       {indent}")} <b>"▲"</b></pre> }.into_any())
}

fn done(page: &ScriptPage) -> Option<AnyView> {
    let run = page.done.as_ref()?;
    let is_dry = run.outcome == "dry";
    let title = match (&run.error, is_dry) {
        (None, true) => "The dry run came to its end",
        (None, false) => "The run came to its end",
        (Some(_), true) => "The dry run failed",
        (Some(_), false) => "The run failed",
    };
    let class = if run.error.is_some() { "card form result bad" } else { "card form result good" };
    Some(
        view! {
            <section class=class role="status" tabindex="-1" autofocus aria-labelledby="done-title">
                <h2 id="done-title">{title}</h2>
                {run.error.as_deref().map(|error| view! { <p class="problem">{wording::sentence(error)}</p> })}
                {excerpt(&page.form, run.place.filter(|_| run.error.is_some()))} {details(run, is_dry)}
            </section>
        }
        .into_any(),
    )
}

fn details(run: &RunRow, is_dry: bool) -> AnyView {
    let head = if is_dry { "Would change" } else { "Changed" };
    let changed = if run.changed.is_empty() {
        view! { <p class="muted">{if is_dry { "It would change nothing." } else { "It changed nothing." }}</p> }.into_any()
    } else {
        let lines = run.changed.iter().map(|line| view! { <li>{line.clone()}</li> }).collect_view();
        view! { <h3>{head}</h3><ul class="changes">{lines}</ul> }.into_any()
    };
    let output = (!run.output.is_empty()).then(|| view! { <h3>"Output"</h3><pre class="output" tabindex="0">{run.output.clone()}</pre> });
    view! { {changed} {output} }.into_any()
}

fn runs(page: &ScriptPage) -> Option<AnyView> {
    if page.is_new {
        return None;
    }
    let rows = page.runs.iter().map(|run| {
        let more = !run.output.is_empty() || !run.changed.is_empty();
        let more = more.then(|| view! { <details><summary>"What it did"</summary>{details(run, false)}</details> });
        view! { <li>{outcome(run, page.now_ms)} {more}</li> }
    });
    let list = if page.runs.is_empty() {
        view! { <p class="muted">"It has not run yet."</p> }.into_any()
    } else {
        view! { <ol class="runs">{rows.collect_view()}</ol> }.into_any()
    };
    Some(view! { <section class="card form" aria-labelledby="runs-title"><h2 id="runs-title">"Runs"</h2>{list}</section> }.into_any())
}

fn versions(page: &ScriptPage) -> Option<AnyView> {
    if page.versions.len() < 2 {
        return None;
    }
    let rows = page.versions.iter().map(|version| {
        let href = links::with_query(&links::script(&page.form.name), &[("version", &version.version.to_string())]);
        view! { <li><a href=href>{format!("Version {}", version.version)}</a> <small>{instant(version.at_ms)} {format!(", {}", version.by)}</small></li> }
    });
    Some(
        view! {
            <section class="card form" aria-labelledby="versions-title">
                <h2 id="versions-title">"Versions"</h2>
                <ol class="runs">{rows.collect_view()}</ol>
            </section>
        }
        .into_any(),
    )
}

fn removing(page: &ScriptPage) -> Option<AnyView> {
    page.is_removing.then(|| {
        view! {
            <section class="card ask" role="alert" tabindex="-1" autofocus>
                <h2>{format!("Remove {}?", page.form.name)}</h2>
                <p>"Its versions and its runs go with it, for good. What it posted is delivered all the same."</p>
                <form class="buttons" method="post" action=links::script(&page.form.name)>
                    <button class="btn danger" name="do" value="remove">"Remove"</button>
                    <a class="ghost" href=links::script(&page.form.name)>"Cancel"</a>
                </form>
            </section>
        }
        .into_any()
    })
}

fn words() -> AnyView {
    let rows = WORDS.iter().map(|(word, what)| view! { <div><dt><code>{*word}</code></dt><dd>{*what}</dd></div> }).collect_view();
    view! {
        <section class="card form hints">
            <details>
                <summary>"Words that a script knows"</summary>
                <dl class="words">{rows}</dl>
            </details>
        </section>
    }
    .into_any()
}
