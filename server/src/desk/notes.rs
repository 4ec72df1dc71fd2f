//! What people write on an instant or a span of a box: checked here, kept by the store, drawn on every chart of the box.

use app::model::Note;

use super::{Desk, DeskError};
use crate::{
    clock,
    store::{NoteSearch, StoreError},
};

/// The longest note, letters: a remark, no report.
pub const MAX_NOTE_LETTERS: usize = 500;
/// So many notes a box has; there are more only by mistake.
const MAX_NOTES: u64 = 10_000;

/// A note, as it was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NoteInput {
    /// The instant, or the start of the span, epoch milliseconds.
    pub from_ms: i64,
    /// The end of the span; none: an instant.
    pub to_ms: Option<i64>,
    /// What it says.
    pub text: String,
}

impl NoteInput {
    fn checked(&self, id: i64, by: &str) -> Result<Note, DeskError> {
        let text = self.text.trim();
        if text.is_empty() {
            return Err(DeskError::invalid("text", "is missing: say what happened"));
        }
        if text.chars().count() > MAX_NOTE_LETTERS {
            return Err(DeskError::invalid("text", format!("has more than {MAX_NOTE_LETTERS} letters")));
        }
        let to = self.to_ms.unwrap_or(self.from_ms);
        if to < self.from_ms {
            return Err(DeskError::invalid("to", "lies before from"));
        }
        Ok(Note { id, from: self.from_ms, to, text: text.to_owned(), by: by.to_owned() })
    }
}

impl Desk {
    /// The notes that are looked for with the names of their boxes, the newest first; and how many there are in all.
    ///
    /// # Errors
    /// When there is no such box, or the database fails.
    pub async fn notes(&self, box_name: Option<&str>, search: NoteSearch) -> Result<(Vec<(String, Note)>, u64), DeskError> {
        let box_id = box_name.map(|name| self.entry(name)).transpose()?.map(|entry| entry.lock().stored.id);
        let (notes, all) = self.store.notes(&NoteSearch { box_id, ..search }).await?;
        let name = |id: i64| self.board.by_id(id).map(|entry| entry.lock().stored.spec.name.clone());
        Ok((notes.into_iter().filter_map(|(id, note)| Some((name(id)?, note))).collect(), all))
    }

    /// One note with the name of its box.
    ///
    /// # Errors
    /// When it is not there, or the database fails.
    pub async fn note(&self, id: i64) -> Result<(String, Note), DeskError> {
        let missing = || DeskError::NotFound(format!("the note {id} does not exist"));
        let (box_id, note) = self.store.note_of(id).await?.ok_or_else(missing)?;
        let entry = self.board.by_id(box_id).ok_or_else(missing)?;
        let name = entry.lock().stored.spec.name.clone();
        Ok((name, note))
    }

    /// Writes a note.
    ///
    /// # Errors
    /// When there is no such box, a field is wrong, there are too many, or the database fails.
    pub async fn add_note(&self, box_name: &str, input: &NoteInput, by: &str) -> Result<Note, DeskError> {
        let box_id = self.entry(box_name)?.lock().stored.id;
        let note = input.checked(0, by)?;
        let (_, all) = self.store.notes(&NoteSearch { box_id: Some(box_id), ..NoteSearch::default() }).await?;
        if all >= MAX_NOTES {
            return Err(DeskError::Full(format!("{box_name} has {MAX_NOTES} notes already: remove some")));
        }
        let id = self.store.add_note(box_id, &note, clock::now_ms()).await?;
        self.board.tell();
        Ok(Note { id, ..note })
    }

    /// Writes it anew.
    ///
    /// # Errors
    /// When it is not there, a field is wrong, or the database fails.
    pub async fn change_note(&self, id: i64, input: &NoteInput, by: &str) -> Result<Note, DeskError> {
        let note = input.checked(id, by)?;
        self.store.change_note(&note, clock::now_ms()).await.map_err(missing)?;
        self.board.tell();
        Ok(note)
    }

    /// Takes it away.
    ///
    /// # Errors
    /// When it is not there, or the database fails.
    pub async fn remove_note(&self, id: i64) -> Result<(), DeskError> {
        self.store.remove_note(id).await.map_err(missing)?;
        self.board.tell();
        Ok(())
    }
}

fn missing(error: StoreError) -> DeskError {
    match error {
        StoreError::Missing(what) => DeskError::NotFound(format!("{what} does not exist")),
        other => DeskError::Store(other),
    }
}
