//! The page Notes and its form.

use app::model::{NoteForm, NotesPage, Page, Tab};
use axum::{
    extract::{Request, State},
    http::{HeaderMap, StatusCode, Uri},
    response::Response,
};

use super::{
    App, Shared,
    forms::Form,
    render::{self, back},
};
use crate::{
    api::Ask,
    auth::Caller,
    config::parse_instant,
    desk::{DeskError, NoteInput},
    problem::Problem,
    store::NoteSearch,
};

const HERE: &str = "/cp/notes";
/// So many notes are on one page.
const MOST: usize = 200;

/// Notes; `change` fills the form with one, `from` and `to` with a time.
pub(super) async fn notes(State(app): State<Shared>, caller: Caller, ask: Ask, request: Request) -> Result<Response, Problem> {
    let frame = render::frame(Tab::Notes, Some(&caller), request.headers(), request.uri());
    let current = ask.get("box");
    if let Some(name) = current.filter(|name| app.desk.board.find(name).is_none()) {
        return Ok(super::pages::no_such_box(&app, &caller, request, name).await);
    }
    let form = match ask.get("change").and_then(|id| id.parse().ok()) {
        Some(id) => {
            let (box_name, note) = app.desk.note(id).await?;
            let to = if note.to > note.from { note.to.to_string() } else { String::new() };
            NoteForm { id: Some(id), box_name, from: note.from.to_string(), to, text: note.text, errors: Vec::new() }
        }
        None => {
            let given = |name: &str| ask.get(name).map(str::to_owned);
            let box_name = given("box").unwrap_or_default();
            NoteForm { box_name, from: given("from").unwrap_or_default(), to: given("to").unwrap_or_default(), ..NoteForm::default() }
        }
    };
    let page = page(&app, current, ask.get("match").unwrap_or_default(), form).await?;
    Ok(render::page(&app, frame, Page::Notes(page), request).await)
}

/// Writes, changes or removes a note.
pub(super) async fn write(State(app): State<Shared>, caller: Caller, headers: HeaderMap, form: Form) -> Result<Response, Problem> {
    let id: Option<i64> = form.text("id").parse().ok();
    if form.text("do") == "remove" {
        let done = app.desk.remove_note(id.unwrap_or_default()).await;
        let told = done.map(|()| "The note is removed".to_owned()).map_err(|error| error.to_string());
        return Ok(back(form.text("return"), &told));
    }
    let text = |name: &str| form.text(name).trim().to_owned();
    let (box_name, from, to) = (text("box"), text("from"), text("to"));
    let written = async {
        let from_ms = instant("from", &from)?;
        let to_ms = (!to.is_empty()).then(|| instant("to", &to)).transpose()?;
        let input = NoteInput { from_ms, to_ms, text: text("text") };
        match id {
            Some(id) => app.desk.change_note(id, &input, &caller.who()).await,
            None => app.desk.add_note(&box_name, &input, &caller.who()).await,
        }
    };
    let wrong = match written.await {
        Ok(_) => return Ok(back(HERE, &Ok("The note stands on every chart of its box".to_owned()))),
        Err(DeskError::Invalid { field, message }) => (field, message),
        Err(error @ (DeskError::NotFound(_) | DeskError::Full(_))) => ("", error.to_string()),
        Err(error) => return Err(error.into()),
    };
    let form = NoteForm { id, box_name, from, to, text: text("text"), errors: vec![wrong] };
    let frame = render::frame(Tab::Notes, Some(&caller), &headers, &Uri::from_static(HERE));
    let page = page(&app, None, "", form).await?;
    Ok(render::page_as(&app, StatusCode::UNPROCESSABLE_ENTITY, frame, Page::Notes(page), render::request_for(HERE)).await)
}

/// An instant as an island sends it, or as a browser without one has it: UTC without saying so, perhaps without seconds.
fn instant(field: &'static str, text: &str) -> Result<i64, DeskError> {
    if text.is_empty() {
        return Err(DeskError::invalid(field, "is missing: say when"));
    }
    let ways = [text.to_owned(), format!("{text}Z"), format!("{text}:00Z")];
    let read = ways.iter().find_map(|way| parse_instant(way).ok());
    read.ok_or_else(|| DeskError::invalid(field, parse_instant(text).err().unwrap_or_default()))
}

async fn page(app: &App, current: Option<&str>, search: &str, form: NoteForm) -> Result<NotesPage, Problem> {
    let found = NoteSearch { text: search.to_owned(), most: MOST, ..NoteSearch::default() };
    let (notes, all) = app.desk.notes(current, found).await?;
    let left_out = all.saturating_sub(notes.len() as u64);
    Ok(NotesPage { boxes: app.boxes(), current: current.map(str::to_owned), search: search.to_owned(), notes, left_out, form })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_without_a_zone_is_in_utc() {
        for text in ["1764244800000", "2025-11-27T12:00:00Z", "2025-11-27T12:00:00", "2025-11-27T12:00"] {
            assert_eq!(instant("from", text).unwrap(), 1_764_244_800_000, "{text}");
        }
        assert!(instant("from", "").is_err() && instant("from", "noon").is_err());
    }
}
