//! Scripts: what they say, when they run, and what came of it.

use std::sync::Arc;

use axum::{Json, extract::State, http::StatusCode};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use super::{Body, Path, ask::wrong};
use crate::{
    auth::Caller,
    clock,
    http::App,
    problem::Problem,
    scripts::{Began, Change, Done, Fault, ScriptInput, Scripts},
    store::{ScriptRun, StoredScript},
};

/// What a script is to be. `schedule`: `every 10m` (counted from 1970, UTC; a number alone is seconds), `cron 0 0 * * * Europe/Berlin` (five
/// fields and a time zone, UTC when none is named) or `on box_down` (`box_up`, `restart`, `alert`; of one box: `on box_down sip1`). `every`
/// and `cron` may end with `late` (what was missed while no panel was there runs once, which is what holds) or `skip`. Empty or `null`:
/// by hand alone.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewScript {
    /// A letter first, then letters, digits, `_`, `.` and `-`; at most 64.
    name: String,
    /// At most 64 KiB, in the language Rhai.
    source: String,
    /// When it runs by itself.
    schedule: Option<String>,
}

/// What a script is to be from now on. What is left out stays as it is; see `NewScript` for `schedule`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ScriptPut {
    /// The same name as in the path, if at all.
    name: Option<String>,
    /// What it says.
    source: Option<String>,
    /// When it runs by itself; `null`: by hand alone.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<String>)]
    schedule: Option<Option<String>>,
}

/// Tells `null` from what is left out.
fn said<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// A script, without what it says.
#[derive(Serialize, ToSchema)]
pub(super) struct ScriptShort {
    name: String,
    /// As it is kept; `null`: by hand alone.
    schedule: Option<String>,
    /// The number of its newest version, from 1.
    version: i64,
    /// When it runs next, epoch milliseconds.
    next_due: Option<i64>,
    /// Its newest run.
    last_run: Option<Run>,
}

/// A script.
#[derive(Serialize, ToSchema)]
pub(super) struct Script {
    name: String,
    /// What it says.
    source: String,
    /// As it is kept; `null`: by hand alone.
    schedule: Option<String>,
    /// The number of its newest version, from 1.
    version: i64,
    /// When it runs next, epoch milliseconds.
    next_due: Option<i64>,
    /// All that it said, the newest first, up to a hundred.
    versions: Vec<Version>,
}

/// A version of a script.
#[derive(Serialize, ToSchema)]
#[schema(as = ScriptVersion)]
pub(super) struct Version {
    version: i64,
    source: String,
    schedule: Option<String>,
    /// Who wrote it.
    by: String,
    /// When, epoch milliseconds.
    at: i64,
}

/// How a script is to be run.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RunAsk {
    /// Nothing is changed: `changed` is what would be.
    #[serde(default)]
    dry: bool,
}

/// What a run came to.
#[derive(Serialize, ToSchema)]
#[schema(as = ScriptResult)]
pub(super) struct RunResult {
    /// It came to its end.
    ok: bool,
    /// What it wrote, at most 64 KiB.
    output: String,
    /// What it changed; of a dry run, what it would have.
    changed: Vec<Change>,
    /// What went wrong; what was changed before stays so.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<RunError>,
}

/// What went wrong in a script.
#[derive(Serialize, ToSchema)]
#[schema(as = ScriptFault)]
pub(super) struct RunError {
    /// From 1; `null` where it is not known.
    line: Option<i64>,
    /// From 1.
    column: Option<i64>,
    /// A sentence.
    message: String,
}

/// A run of a script.
#[derive(Serialize, ToSchema)]
#[schema(as = ScriptRun)]
pub(super) struct Run {
    /// Its number; later ones are greater.
    id: i64,
    /// The version that ran.
    version: i64,
    /// When it began, epoch milliseconds.
    at: i64,
    /// How long it took; `null`: it goes on.
    took_ms: Option<i64>,
    /// What began it: `due`, `event`, `hand` or `api`.
    began_by: String,
    /// Who did, or which schedule or event.
    by: String,
    /// `running`, `ok`, `failed`, `skipped` or `interrupted`.
    outcome: String,
    output: String,
    changed: Vec<Change>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<RunError>,
}

/// A list.
#[derive(Serialize, ToSchema)]
pub(super) struct ScriptList {
    items: Vec<ScriptShort>,
}

/// A list.
#[derive(Serialize, ToSchema)]
pub(super) struct RunList {
    items: Vec<Run>,
}

/// The hosts that scripts may reach by HTTP: names and addresses, each with a port where it is of one alone (`hooks.example.com`,
/// `10.0.0.5:8080`). What a name leads to may be a private address only where that address is named as well.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct HostList {
    /// What the panel's administrators allow.
    hosts: Vec<String>,
    /// What the configuration (`script_hosts`) allows besides; read-only.
    #[serde(default)]
    configured: Vec<String>,
}

impl From<Fault> for RunError {
    fn from(fault: Fault) -> Self {
        let place = |number: Option<usize>| number.and_then(|number| i64::try_from(number).ok());
        Self { line: place(fault.line), column: place(fault.column), message: fault.message }
    }
}

impl From<Done> for RunResult {
    fn from(done: Done) -> Self {
        Self { ok: done.error.is_none(), output: done.output, changed: done.changed, error: done.error.map(Into::into) }
    }
}

impl From<ScriptRun> for Run {
    fn from(run: ScriptRun) -> Self {
        let (line, column) = (run.error_line, run.error_column);
        Self {
            id: run.id,
            version: run.version,
            at: run.started_ms,
            took_ms: run.took_ms,
            began_by: run.began_by,
            by: run.by_whom,
            outcome: run.outcome,
            output: run.output,
            changed: serde_json::from_str(&run.changed).unwrap_or_default(),
            error: run.error_message.map(|message| RunError { line, column, message }),
        }
    }
}

fn some(schedule: &str) -> Option<String> {
    Some(schedule.to_owned()).filter(|text| !text.is_empty())
}

async fn whole(app: &App, script: StoredScript) -> Result<Script, Problem> {
    let versions = app.scripts.versions(&script).await?.into_iter().map(|one| Version {
        version: one.version,
        schedule: some(&one.schedule),
        source: one.source,
        by: one.by_whom,
        at: one.created_ms,
    });
    let versions = versions.collect();
    let next_due = Scripts::next_due_ms(&script, clock::now_ms());
    let schedule = some(&script.schedule);
    Ok(Script { name: script.name, source: script.source, schedule, version: script.version, next_due, versions })
}

/// All scripts, in the order of their names.
#[utoipa::path(get, path = "/scripts", tag = "scripts", responses((status = 200, body = ScriptList)))]
pub(super) async fn list(State(app): State<Arc<App>>) -> Result<Json<ScriptList>, Problem> {
    let now_ms = clock::now_ms();
    let items = app.scripts.list().await?.into_iter().map(|(script, run)| ScriptShort {
        schedule: some(&script.schedule),
        version: script.version,
        next_due: Scripts::next_due_ms(&script, now_ms),
        last_run: run.map(Into::into),
        name: script.name,
    });
    Ok(Json(ScriptList { items: items.collect() }))
}

/// Adds a script. One that cannot be read is refused with `line` and `column`.
#[utoipa::path(post, path = "/scripts", tag = "scripts", request_body = NewScript, responses(
    (status = 201, description = "Added", body = Script), (status = 409, description = "The name is taken, or there are too many")))]
pub(super) async fn add(
    State(app): State<Arc<App>>,
    caller: Caller,
    Body(new): Body<NewScript>,
) -> Result<(StatusCode, Json<Script>), Problem> {
    let input = ScriptInput { name: new.name, source: new.source, schedule: new.schedule.unwrap_or_default() };
    app.scripts.add(&input, &caller.who()).await?;
    let script = app.scripts.get(&input.name).await?;
    Ok((StatusCode::CREATED, Json(whole(&app, script).await?)))
}

/// A script, with what it said before.
#[utoipa::path(get, path = "/scripts/{name}", tag = "scripts", params(("name" = String, Path, description = "The script's name")),
    responses((status = 200, body = Script), (status = 404, description = "No such script")))]
pub(super) async fn get(State(app): State<Arc<App>>, Path(name): Path<String>) -> Result<Json<Script>, Problem> {
    let script = app.scripts.get(&name).await?;
    Ok(Json(whole(&app, script).await?))
}

/// Gives a script its next version, unless it says the same already. Another schedule counts from now on.
#[utoipa::path(put, path = "/scripts/{name}", tag = "scripts", params(("name" = String, Path, description = "The script's name")),
    request_body = ScriptPut, responses((status = 200, body = Script), (status = 404, description = "No such script")))]
pub(super) async fn change(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    caller: Caller,
    Body(put): Body<ScriptPut>,
) -> Result<Json<Script>, Problem> {
    if put.name.is_some_and(|said| said != name) {
        return Err(wrong("name", "cannot be changed: add another script and remove this one"));
    }
    let before = app.scripts.get(&name).await?;
    let schedule = put.schedule.map_or(before.schedule, Option::unwrap_or_default);
    let input = ScriptInput { name, source: put.source.unwrap_or(before.source), schedule };
    app.scripts.change(&input, &caller.who()).await?;
    let script = app.scripts.get(&input.name).await?;
    Ok(Json(whole(&app, script).await?))
}

/// Removes a script with its versions and runs. What it posted is delivered all the same.
#[utoipa::path(delete, path = "/scripts/{name}", tag = "scripts", params(("name" = String, Path, description = "The script's name")),
    responses((status = 204, description = "Removed"), (status = 404, description = "No such script")))]
pub(super) async fn remove(State(app): State<Arc<App>>, Path(name): Path<String>, caller: Caller) -> Result<StatusCode, Problem> {
    app.scripts.remove(&name, &caller.who()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Runs a script now and answers what came of it, within 30 s; with `dry`, what it would change.
#[utoipa::path(post, path = "/scripts/{name}/run", tag = "scripts", params(("name" = String, Path, description = "The script's name")),
    request_body = Option<RunAsk>, responses((status = 200, description = "It ran; ok says whether to its end", body = RunResult),
    (status = 404, description = "No such script"), (status = 409, description = "It is running at this moment")))]
pub(super) async fn run(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    caller: Caller,
    MaybeBody(ask): MaybeBody,
) -> Result<Json<RunResult>, Problem> {
    let began = Began::Api(caller.who());
    let done = if ask.dry {
        let script = app.scripts.get(&name).await?;
        app.scripts.dry_run(&script.name, script.source, &began).await?
    } else {
        app.scripts.run(&name, began).await?
    };
    Ok(Json(done.into()))
}

/// A body, or none, which asks for nothing particular.
pub(super) struct MaybeBody(RunAsk);

impl<S: Send + Sync> axum::extract::FromRequest<S> for MaybeBody {
    type Rejection = Problem;

    async fn from_request(request: axum::extract::Request, state: &S) -> Result<Self, Problem> {
        let headers = request.headers();
        let is_empty = headers.get(axum::http::header::CONTENT_LENGTH).is_none_or(|length| length.as_bytes() == b"0")
            && !headers.contains_key(axum::http::header::TRANSFER_ENCODING);
        if is_empty {
            return Ok(Self(RunAsk::default()));
        }
        Body::<RunAsk>::from_request(request, state).await.map(|Body(ask)| Self(ask))
    }
}

/// The runs of a script, the newest first, up to two hundred. Dry runs are not among them.
#[utoipa::path(get, path = "/scripts/{name}/runs", tag = "scripts", params(("name" = String, Path, description = "The script's name")),
    responses((status = 200, body = RunList), (status = 404, description = "No such script")))]
pub(super) async fn runs(State(app): State<Arc<App>>, Path(name): Path<String>) -> Result<Json<RunList>, Problem> {
    let script = app.scripts.get(&name).await?;
    let items = app.scripts.runs(&script).await?.into_iter().map(Into::into).collect();
    Ok(Json(RunList { items }))
}

/// The hosts that scripts may reach.
#[utoipa::path(get, path = "/script-hosts", tag = "scripts", responses((status = 200, body = HostList)))]
pub(super) async fn hosts(State(app): State<Arc<App>>) -> Result<Json<HostList>, Problem> {
    let (configured, hosts) = app.scripts.hosts().await?;
    Ok(Json(HostList { hosts, configured }))
}

/// Sets them.
#[utoipa::path(put, path = "/script-hosts", tag = "scripts", request_body = HostList, responses((status = 200, body = HostList)))]
pub(super) async fn set_hosts(State(app): State<Arc<App>>, Body(list): Body<HostList>) -> Result<Json<HostList>, Problem> {
    app.scripts.set_hosts(&list.hosts.join(" ")).await?;
    hosts(State(app)).await
}
