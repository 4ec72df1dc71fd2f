//! Scripts: what there is, when it runs and what came of it; what can be added; where scripts may post, and what they posted.

use leptos::prelude::*;

use super::{field, frame, table::instant};
use crate::{
    format, links,
    model::{Frame, PostRow, ReadyScript, RunRow, ScriptRow, ScriptsPage},
    wording,
};

/// Draws it.
pub(super) fn page(frame: &Frame, page: &ScriptsPage) -> AnyView {
    view! {
        <main id="main" class="sheet scripts">
            <div class="above">
                <h1>"Scripts"</h1>
                {page.may_write.then(|| view! { <a class="btn main" href=links::with_query(links::SCRIPTS, &[("new", "yes")])>"New script"</a> })}
            </div>
            {frame::notices(frame)} {list(page)} {ready(page)} {hosts(page)} {posts(page)}
        </main>
    }
    .into_any()
}

fn list(page: &ScriptsPage) -> AnyView {
    if page.scripts.is_empty() {
        return view! {
            <section class="card form">
                <h2>"There are no scripts yet"</h2>
                <p class="muted">
                    "A script does what you would do with statistics in opensips.cfg, cron and shell: it keeps tallies, resets and pushes them,
                    computes statistics from others. Add one that is ready below, or write your own."
                </p>
            </section>
        }
        .into_any();
    }
    let rows = page.scripts.iter().map(|script| row(script, page)).collect_view();
    view! {
        <section class="card list">
            <table aria-label="Scripts">
                <thead>
                    <tr>
                        <th scope="col">"Script"</th>
                        <th scope="col">"Runs"</th>
                        <th scope="col">"Last run"</th>
                        <th scope="col">"Next"</th>
                        <th scope="col"><span class="vh">"Actions"</span></th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </section>
    }
    .into_any()
}

fn row(script: &ScriptRow, page: &ScriptsPage) -> AnyView {
    let name = script.name.clone();
    let schedule = if script.schedule.is_empty() { "by hand".to_owned() } else { script.schedule.clone() };
    let last =
        script.last.as_ref().map_or_else(|| view! { <span class="muted">"never"</span> }.into_any(), |run| outcome(run, page.now_ms));
    let next = script.next_ms.map(|next_ms| view! { {instant(next_ms)} <small>{within(next_ms - page.now_ms)}</small> });
    let run = page.may_write.then(|| {
        view! {
            <form method="post" action=links::SCRIPTS>
                <input type="hidden" name="name" value=name.clone() />
                <button class="ghost" name="do" value="run">"Run" <span class="vh">" " {name.clone()}</span></button>
            </form>
        }
    });
    view! {
        <tr>
            <th scope="row" class="who"><a href=links::script(&script.name)>{script.name.clone()}</a></th>
            <td data-label="Runs"><code>{schedule}</code></td>
            <td class="how">{last}</td>
            <td data-label="Next">{next}</td>
            <td class="acts"><div class="buttons"><a class="ghost" href=links::script(&script.name)>{if page.may_write { "Edit" } else { "Show" }} <span class="vh">" " {name}</span></a> {run}</div></td>
        </tr>
    }
    .into_any()
}

/// How a run ended, and when it was.
pub(super) fn outcome(run: &RunRow, now_ms: i64) -> AnyView {
    let (dot, word) = match run.outcome.as_str() {
        "ok" => ("dot", "ran"),
        "failed" => ("dot down", "failed"),
        "running" => ("dot waiting", "runs now"),
        "skipped" => ("dot paused", "skipped"),
        "dry" => ("dot paused", "dry run"),
        _ => ("dot down", "interrupted"),
    };
    let took = run.took_ms.filter(|_| run.outcome != "skipped").map(|ms| format!(" in {}", span(ms)));
    view! {
        <span class="state-word"><span class=dot></span> <span>{word} {took}</span></span>
        <small>{frame::ago(Some(run.at_ms), Some((now_ms - run.at_ms).max(0)))} {(!run.began.is_empty()).then(|| format!(", {}", run.began))}</small>
        {run.error.as_deref().map(|error| view! { <small class="reason">{wording::sentence(error)}</small> })}
    }
    .into_any()
}

/// How long, in words.
pub(super) fn span(ms: i64) -> String {
    if ms < 1_000 { format!("{ms} ms") } else { format::age(ms) }
}

fn within(ms: i64) -> String {
    if ms <= 0 { "now".to_owned() } else { format!("in {}", format::age(ms)) }
}

fn ready(page: &ScriptsPage) -> AnyView {
    let cards = page.ready.iter().map(|ready| ready_card(ready, page.may_write)).collect_view();
    view! {
        <section class="card form" aria-labelledby="ready-title">
            <h2 id="ready-title">"Ready to add"</h2>
            <p class="muted">"Each says in its first lines what to change: a receiver, groups, counters."</p>
            <ul class="ready">{cards}</ul>
        </section>
    }
    .into_any()
}

fn ready_card(ready: &ReadyScript, may_write: bool) -> AnyView {
    let add = if ready.is_added {
        view! { <a class="ghost" href=links::script(&ready.name)>"Added" <span class="vh">" " {ready.name.clone()}</span></a> }.into_any()
    } else {
        let name = ready.name.clone();
        may_write
            .then(|| {
                view! {
                    <form method="post" action=links::SCRIPTS>
                        <input type="hidden" name="name" value=name.clone() />
                        <button class="btn" name="do" value="ready">"Add" <span class="vh">" " {name.clone()}</span></button>
                    </form>
                }
            })
            .into_any()
    };
    view! {
        <li>
            <div><b>{ready.name.clone()}</b> <code>{ready.schedule.clone()}</code><p>{ready.about.clone()}</p></div>
            {add}
        </li>
    }
    .into_any()
}

fn hosts(page: &ScriptsPage) -> AnyView {
    let wrong = page.hosts_error.as_deref();
    let configured = (!page.configured.is_empty()).then(|| {
        view! { <p class="hint">"The configuration allows " <code>{page.configured.join(" ")}</code> " besides."</p> }
    });
    let described = if wrong.is_some() { "he-hosts hh-hosts" } else { "hh-hosts" };
    let form = view! {
        <form method="post" action=links::SCRIPTS autocomplete="off">
            <div class="field">
                <label for="h-hosts">"Hosts"</label>
                <input
                    id="h-hosts"
                    name="hosts"
                    value=page.hosts.clone()
                    placeholder="hooks.example.com 10.0.0.5:8080"
                    aria-describedby=described
                    aria-invalid=wrong.map(|_| "true")
                    autocapitalize="none"
                    spellcheck="false"
                    readonly=!page.may_write
                />
                {wrong.map(|text| view! { <p class="problem" id="he-hosts">{wording::sentence(text)}</p> })}
                <p class="hint" id="hh-hosts">
                    "Names and addresses between spaces, with a port where it is of one alone. A name may lead to a private address only where
                    that address stands here, too."
                </p>
                {configured}
            </div>
            {page.may_write.then(|| view! { <div class="buttons"><button class="btn" name="do" value="hosts">"Save"</button></div> })}
        </form>
    };
    view! {
        <section class="card form" id="hosts" aria-labelledby="hosts-title">
            <h2 id="hosts-title">"Where scripts may post and ask"</h2>
            <p class="muted">"Scripts reach no host but these. While there is none, http_post and http_get are refused."</p>
            {form}
        </section>
    }
    .into_any()
}

fn posts(page: &ScriptsPage) -> Option<AnyView> {
    if page.posts.is_empty() {
        return None;
    }
    let rows = page.posts.iter().map(|post| post_row(post, page.now_ms)).collect_view();
    Some(
        view! {
            <section class="card list" aria-labelledby="posts-title">
                <h2 id="posts-title">"What was posted"</h2>
                <p class="muted">"What is not taken is sent again, after ever longer waits, for three days."</p>
                <table aria-labelledby="posts-title">
                    <thead>
                        <tr>
                            <th scope="col">"Script"</th>
                            <th scope="col">"To"</th>
                            <th scope="col">"Became"</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </section>
        }
        .into_any(),
    )
}

fn post_row(post: &PostRow, now_ms: i64) -> AnyView {
    let dot = match post.outcome.as_str() {
        "delivered" => "dot",
        "waiting" if post.attempts == 0 => "dot waiting",
        _ => "dot down",
    };
    let tries = match post.attempts {
        0 | 1 => String::new(),
        many => format!(", {many} tries"),
    };
    let next = post.next_ms.filter(|_| post.attempts > 0).map(|next_ms| format!("again {}", within(next_ms - now_ms)));
    view! {
        <tr>
            <th scope="row" class="who">{post.script.clone()}<small>{frame::ago(Some(post.at_ms), Some((now_ms - post.at_ms).max(0)))}</small></th>
            <td class="how"><span class="url">{post.url.clone()}</span></td>
            <td class="how">
                <span class="state-word"><span class=dot></span> <span>{post.outcome.clone()} {tries}</span></span>
                <small class="reason">{post.answer.clone()} " " {next}</small>
            </td>
        </tr>
    }
    .into_any()
}

/// What is wrong with a field of a form.
pub(super) fn wrong<'a>(errors: &'a [(&'static str, String)], name: &str) -> Option<&'a str> {
    errors.iter().find(|(field, _)| *field == name).map(|(_, text)| text.as_str())
}

/// What is wrong that belongs to no field.
pub(super) fn general_error(errors: &[(&'static str, String)]) -> Option<AnyView> {
    wrong(errors, "").map(field::general_error)
}
