//! The pages of scripts and their forms: what is written is checked, tried, run and kept as the API does it.

use std::collections::HashSet;

use app::{
    format,
    model::{Number, Page, PostRow, ReadyScript, RunRow, ScriptForm, ScriptPage, ScriptRow, ScriptsPage, Tab, VersionRow},
};
use axum::{
    extract::{Request, State},
    http::{HeaderMap, StatusCode, Uri},
    response::Response,
};

use super::{
    App, Shared,
    forms::Form,
    pages,
    render::{self, back},
};
use crate::{
    api::{Ask, Path},
    auth::{Caller, Right},
    clock,
    problem::Problem,
    scripts::{Began, Change, Done, Fault, READY, ScriptError, ScriptInput, Scripts, told},
    store::{Outgoing, ScriptRun},
};

const HERE: &str = "/cp/scripts";
/// So many posts are shown.
const POSTS: i64 = 20;
/// So many runs are shown.
const RUNS: usize = 50;
/// What a new script says at first.
const BEGIN: &str =
    "// Every member of a group, whatever it has by then.\nfor s in stat_iter(\"polls\") {\n    print(`${s.name} = ${s.value}`);\n}\n";

/// All scripts; with `new`, the form for another.
pub(super) async fn list(State(app): State<Shared>, caller: Caller, ask: Ask, request: Request) -> Result<Response, Problem> {
    let frame = render::frame(Tab::Scripts, Some(&caller), request.headers(), request.uri());
    if ask.get("new").is_some() {
        let form = ScriptForm { source: BEGIN.to_owned(), ..ScriptForm::default() };
        return Ok(render::page(&app, frame, Page::Script(new_page(form, &caller)), request).await);
    }
    let page = scripts_page(&app, &caller).await?;
    Ok(render::page(&app, frame, Page::Scripts(page), request).await)
}

/// Adds a script, runs one, or says where scripts may post.
pub(super) async fn change(State(app): State<Shared>, caller: Caller, headers: HeaderMap, form: Form) -> Result<Response, Problem> {
    match form.text("do") {
        "ready" => {
            let Some(ready) = READY.iter().find(|ready| ready.name == form.text("name")) else { return Ok(back(HERE, &Ok(String::new()))) };
            let input = ScriptInput { name: ready.name.to_owned(), source: ready.source.to_owned(), schedule: ready.schedule.to_owned() };
            Ok(match app.scripts.add(&input, &caller.who()).await {
                Ok(()) => back(&of(ready.name), &Ok(format!("{} is added. Its first lines say what to change", ready.name))),
                Err(error) => back(HERE, &Err(error.to_string())),
            })
        }
        "run" => {
            let name = form.text("name");
            let told = match app.scripts.run(name, Began::Hand(caller.who())).await {
                Ok(Done { error: None, .. }) => Ok(format!("{name} came to its end")),
                Ok(Done { error: Some(fault), .. }) => Err(format!("{name} failed: {}", told(&fault))),
                Err(error) => Err(error.to_string()),
            };
            Ok(back(HERE, &told))
        }
        "hosts" => {
            let hosts = form.text("hosts").trim().to_owned();
            match app.scripts.set_hosts(&hosts).await {
                Ok(()) => Ok(back(HERE, &Ok("Scripts may reach these hosts now".to_owned()))),
                Err(ScriptError::Invalid { message, .. }) => {
                    let page = ScriptsPage { hosts, hosts_error: Some(message), ..scripts_page(&app, &caller).await? };
                    Ok(refused(&app, &caller, &headers, HERE, Page::Scripts(page)).await)
                }
                Err(error) => Err(error.into()),
            }
        }
        what => {
            let input = ScriptInput {
                name: form.text("name").trim().to_owned(),
                source: lines(form.text("source")),
                schedule: form.text("schedule").trim().to_owned(),
            };
            if what == "dry" {
                let done = app.scripts.dry_run(&input.name, input.source.clone(), &Began::Hand(caller.who())).await?;
                let page = ScriptPage { done: Some(row_of(&done, "dry")), ..new_page(filled(input, None), &caller) };
                return Ok(drawn(&app, &caller, &headers, HERE, StatusCode::OK, Page::Script(page)).await);
            }
            match app.scripts.add(&input, &caller.who()).await {
                Ok(()) => Ok(back(&of(&input.name), &Ok(format!("{} is saved", input.name)))),
                Err(error @ ScriptError::Store(_)) => Err(error.into()),
                Err(error) => {
                    let page = new_page(filled(input, Some(error)), &caller);
                    Ok(refused(&app, &caller, &headers, HERE, Page::Script(page)).await)
                }
            }
        }
    }
}

/// One script; `version` shows an older one, `remove` asks.
pub(super) async fn script(
    State(app): State<Shared>,
    caller: Caller,
    Path(name): Path<String>,
    ask: Ask,
    request: Request,
) -> Result<Response, Problem> {
    let mut page = match script_page(&app, &name, &caller).await {
        Err(ScriptError::NotFound(_)) => {
            let text =
                format!("There is no script named {name}: it may have been removed. Scripts, in the account's menu, lists them all.");
            let next = Some(("Scripts", app::links::SCRIPTS.to_owned()));
            return Ok(pages::message(&app, &caller, request, 404, "No such script", text, next).await);
        }
        page => page?,
    };
    page.is_removing = ask.get("remove").is_some();
    let version = ask.get("version").and_then(|version| version.parse::<i64>().ok()).filter(|version| *version != page.version);
    if let Some(version) = version {
        let stored = app.scripts.get(&name).await?;
        if let Some(old) = app.scripts.versions(&stored).await?.into_iter().find(|one| one.version == version) {
            page.form = ScriptForm { source: old.source, schedule: old.schedule, of_version: Some(version), ..page.form };
        }
    }
    let frame = render::frame(Tab::Scripts, Some(&caller), request.headers(), request.uri());
    Ok(render::page(&app, frame, Page::Script(page), request).await)
}

/// Saves, tries, runs or removes it.
pub(super) async fn edit(
    State(app): State<Shared>,
    caller: Caller,
    Path(name): Path<String>,
    headers: HeaderMap,
    form: Form,
) -> Result<Response, Problem> {
    let (what, here) = (form.text("do"), of(&name));
    if what == "remove" {
        return Ok(match app.scripts.remove(&name, &caller.who()).await {
            Ok(()) => back(HERE, &Ok(format!("{name} is removed"))),
            Err(error) => back(HERE, &Err(error.to_string())),
        });
    }
    let input = ScriptInput { name: name.clone(), source: lines(form.text("source")), schedule: form.text("schedule").trim().to_owned() };
    if what != "dry"
        && let Err(error) = app.scripts.change(&input, &caller.who()).await
    {
        return match error {
            ScriptError::Store(_) => Err(error.into()),
            ScriptError::NotFound(_) => Ok(back(HERE, &Err(format!("{name} was removed meanwhile")))),
            error => {
                let page = ScriptPage { form: filled(input, Some(error)), ..script_page(&app, &name, &caller).await? };
                Ok(refused(&app, &caller, &headers, &here, Page::Script(page)).await)
            }
        };
    }
    let began = Began::Hand(caller.who());
    let done = match what {
        "dry" => app.scripts.dry_run(&name, input.source.clone(), &began).await.map(|done| row_of(&done, "dry")),
        "run" => app.scripts.run(&name, began).await.map(|done| row_of(&done, if done.error.is_none() { "ok" } else { "failed" })),
        _ => return Ok(back(&here, &Ok(format!("{name} is saved")))),
    };
    let done = match done {
        Ok(done) => done,
        Err(error @ ScriptError::Busy(_)) => return Ok(back(&here, &Err(error.to_string()))),
        Err(error) => return Err(error.into()),
    };
    let page = ScriptPage { form: filled(input, None), done: Some(done), ..script_page(&app, &name, &caller).await? };
    Ok(drawn(&app, &caller, &headers, &here, StatusCode::OK, Page::Script(page)).await)
}

fn of(name: &str) -> String {
    app::links::script(name)
}

/// Browsers send line ends of another kind.
fn lines(text: &str) -> String {
    text.replace("\r\n", "\n")
}

async fn refused(app: &App, caller: &Caller, headers: &HeaderMap, here: &str, page: Page) -> Response {
    drawn(app, caller, headers, here, StatusCode::UNPROCESSABLE_ENTITY, page).await
}

/// A page in answer to a form.
async fn drawn(app: &App, caller: &Caller, headers: &HeaderMap, here: &str, status: StatusCode, page: Page) -> Response {
    let uri: Uri = here.parse().unwrap_or_else(|_| Uri::from_static(HERE));
    let frame = render::frame(Tab::Scripts, Some(caller), headers, &uri);
    render::page_as(app, status, frame, page, render::request_for(here)).await
}

fn filled(input: ScriptInput, error: Option<ScriptError>) -> ScriptForm {
    let (errors, place) = match error {
        None => (Vec::new(), None),
        Some(ScriptError::Invalid { field, message }) => (vec![(field, message)], None),
        Some(ScriptError::Syntax(fault)) => (vec![("source", told(&fault))], fault.line.zip(fault.column)),
        Some(ScriptError::Taken(name)) => (vec![("name", format!("a script named {name} exists already: choose another name"))], None),
        Some(other) => (vec![("", other.to_string())], None),
    };
    ScriptForm { name: input.name, source: input.source, schedule: input.schedule, errors, place, of_version: None }
}

fn new_page(form: ScriptForm, caller: &Caller) -> ScriptPage {
    ScriptPage { form, is_new: true, may_write: caller.may(Right::Admin), now_ms: clock::now_ms(), ..ScriptPage::default() }
}

async fn script_page(app: &App, name: &str, caller: &Caller) -> Result<ScriptPage, ScriptError> {
    let script = app.scripts.get(name).await?;
    let now_ms = clock::now_ms();
    let runs = app.scripts.runs(&script).await?.into_iter().take(RUNS).map(run_row).collect();
    let versions = app.scripts.versions(&script).await?.into_iter();
    let versions = versions.map(|one| VersionRow { version: one.version, at_ms: one.created_ms, by: one.by_whom }).collect();
    Ok(ScriptPage {
        version: script.version,
        next_ms: Scripts::next_due_ms(&script, now_ms),
        runs,
        versions,
        may_write: caller.may(Right::Admin),
        now_ms,
        form: ScriptForm { name: script.name, source: script.source, schedule: script.schedule, ..ScriptForm::default() },
        ..ScriptPage::default()
    })
}

async fn scripts_page(app: &App, caller: &Caller) -> Result<ScriptsPage, Problem> {
    let now_ms = clock::now_ms();
    let scripts: Vec<ScriptRow> = app
        .scripts
        .list()
        .await?
        .into_iter()
        .map(|(script, last)| ScriptRow {
            next_ms: Scripts::next_due_ms(&script, now_ms),
            name: script.name,
            schedule: script.schedule,
            last: last.map(run_row),
        })
        .collect();
    let names: HashSet<&str> = scripts.iter().map(|script| script.name.as_str()).collect();
    let ready = READY.iter().map(|ready| ReadyScript {
        name: ready.name.to_owned(),
        about: ready.about.to_owned(),
        schedule: ready.schedule.to_owned(),
        is_added: names.contains(ready.name),
    });
    let ready = ready.collect();
    let (configured, hosts) = app.scripts.hosts().await?;
    let posts = app.scripts.posts(POSTS).await?.into_iter().map(post_row).collect();
    let may_write = caller.may(Right::Admin);
    Ok(ScriptsPage { scripts, ready, hosts: hosts.join(" "), hosts_error: None, configured, posts, may_write, now_ms })
}

fn post_row(post: Outgoing) -> PostRow {
    PostRow {
        script: post.script_name,
        url: post.url,
        at_ms: post.created_ms,
        attempts: post.attempts,
        outcome: post.outcome,
        answer: post.answer,
        next_ms: post.next_ms,
    }
}

fn run_row(run: ScriptRun) -> RunRow {
    let place = |number: Option<i64>| number.and_then(|number| usize::try_from(number).ok());
    let fault = |message| Fault { line: place(run.error_line), column: place(run.error_column), message };
    let changed: Vec<Change> = serde_json::from_str(&run.changed).unwrap_or_default();
    let began = match run.began_by.as_str() {
        "due" => run.by_whom,
        "event" => format!("on {}", run.by_whom),
        _ => format!("by {}", run.by_whom),
    };
    RunRow {
        at_ms: run.started_ms,
        took_ms: run.took_ms,
        began,
        outcome: run.outcome,
        output: run.output,
        changed: changed.iter().map(change_words).collect(),
        place: place(run.error_line).zip(place(run.error_column)),
        error: run.error_message.map(|message| told(&fault(message))),
    }
}

fn row_of(done: &Done, outcome: &str) -> RunRow {
    RunRow {
        at_ms: clock::now_ms(),
        took_ms: Some(done.took_ms),
        began: String::new(),
        outcome: outcome.to_owned(),
        output: done.output.clone(),
        changed: done.changed.iter().map(change_words).collect(),
        error: done.error.as_ref().map(told),
        place: done.error.as_ref().and_then(|fault| fault.line.zip(fault.column)),
    }
}

fn change_words(change: &Change) -> String {
    let number = |value: Option<Number>| value.map_or_else(|| "–".to_owned(), |value| format::value(value, ""));
    let of_box = change.box_name.as_ref().map(|of_box| format!("{of_box} ")).unwrap_or_default();
    match change.to {
        Some(_) => format!("{} {of_box}{}: {} → {}", change.what, change.name, number(change.from), number(change.to)),
        None => format!("{} {of_box}{}", change.what, change.name),
    }
}
