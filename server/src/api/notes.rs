//! What people wrote on instants and spans of boxes.

use std::sync::Arc;

use app::model::Note;
use axum::{Json, extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Ask, Body, Path, ask::wrong};
use crate::{auth::Caller, config::parse_instant, desk::NoteInput, http::App, problem::Problem, store::NoteSearch};

/// So many notes are in one answer unless asked otherwise.
const MOST: u32 = 1_000;

/// A note to write.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewNote {
    /// The instant, or the start of the span: RFC 3339 or epoch milliseconds.
    from: When,
    /// The end of the span; left out for an instant.
    to: Option<When>,
    /// What it says: at most 500 letters.
    text: String,
}

/// RFC 3339, or epoch milliseconds.
#[derive(Deserialize, ToSchema)]
#[serde(untagged)]
enum When {
    Ms(i64),
    Text(String),
}

impl When {
    fn ms(&self, field: &'static str) -> Result<i64, Problem> {
        match self {
            Self::Ms(ms) => Ok(*ms),
            Self::Text(text) => parse_instant(text).map_err(|message| wrong(field, &message)),
        }
    }
}

impl NewNote {
    fn input(self) -> Result<NoteInput, Problem> {
        let to_ms = self.to.map(|to| to.ms("to")).transpose()?;
        Ok(NoteInput { from_ms: self.from.ms("from")?, to_ms, text: self.text })
    }
}

/// Notes, the newest first.
#[derive(Serialize, ToSchema)]
pub(super) struct Notes {
    items: Vec<Note>,
    /// How many there are in all.
    all: u64,
}

/// What was written on a box.
#[utoipa::path(get, path = "/boxes/{box}/notes", tag = "history", params(
    ("box" = String, Path, description = "Name or number"),
    ("from" = Option<String>, Query, description = "Those that reach to here or further: RFC 3339 or epoch milliseconds"),
    ("to" = Option<String>, Query, description = "Those that begin here or before"),
    ("match" = Option<String>, Query, description = "Whose text, or who wrote it, has this in it"),
    ("most" = Option<u32>, Query, description = "At most so many, 1,000 when left out")),
    responses((status = 200, body = Notes), (status = 404, description = "No such box")))]
pub(super) async fn list(State(app): State<Arc<App>>, Path(name): Path<String>, ask: Ask) -> Result<Json<Notes>, Problem> {
    let instant = |name: &'static str| ask.get(name).map(parse_instant).transpose().map_err(|message| wrong(name, &message));
    let text = ask.get("match").unwrap_or_default().to_owned();
    let most = ask.number("most", MOST, 1..=10_000)? as usize;
    let search = NoteSearch { box_id: None, from_ms: instant("from")?, to_ms: instant("to")?, text, most };
    let (notes, all) = app.desk.notes(Some(&name), search).await?;
    Ok(Json(Notes { items: notes.into_iter().map(|(_, note)| note).collect(), all }))
}

/// Writes a note on an instant or a span: it is on every chart of the box.
#[utoipa::path(post, path = "/boxes/{box}/notes", tag = "history", params(("box" = String, Path, description = "Name or number")),
    request_body = NewNote, responses((status = 201, body = Note), (status = 404, description = "No such box")))]
pub(super) async fn add(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
    Body(note): Body<NewNote>,
) -> Result<(StatusCode, Json<Note>), Problem> {
    Ok((StatusCode::CREATED, Json(app.desk.add_note(&name, &note.input()?, &caller.who()).await?)))
}

/// Writes it anew.
#[utoipa::path(put, path = "/boxes/{box}/notes/{id}", tag = "history", params(("box" = String, Path, description = "Name or number"),
    ("id" = i64, Path, description = "Its number")),
    request_body = NewNote, responses((status = 200, body = Note), (status = 404, description = "No such note")))]
pub(super) async fn change(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((name, id)): Path<(String, i64)>,
    Body(note): Body<NewNote>,
) -> Result<Json<Note>, Problem> {
    of_box(&app, &name, id).await?;
    Ok(Json(app.desk.change_note(id, &note.input()?, &caller.who()).await?))
}

/// Takes it away.
#[utoipa::path(delete, path = "/boxes/{box}/notes/{id}", tag = "history", params(("box" = String, Path, description = "Name or number"),
    ("id" = i64, Path, description = "Its number")),
    responses((status = 204, description = "Gone"), (status = 404, description = "No such note")))]
pub(super) async fn remove(State(app): State<Arc<App>>, Path((name, id)): Path<(String, i64)>) -> Result<StatusCode, Problem> {
    of_box(&app, &name, id).await?;
    app.desk.remove_note(id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// It is of the box that the path names.
async fn of_box(app: &App, name: &str, id: i64) -> Result<(), Problem> {
    let entry = app.desk.entry(name)?;
    let wanted = entry.lock().stored.spec.name.clone();
    let (found, _) = app.desk.note(id).await?;
    if found == wanted { Ok(()) } else { Err(crate::desk::DeskError::NotFound(format!("the note {id} is not of {wanted}")).into()) }
}
