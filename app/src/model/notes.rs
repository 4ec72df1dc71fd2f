//! What people write on an instant or a span.

use serde::{Deserialize, Serialize};

/// A note, as charts and the API tell it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub struct Note {
    /// Its number.
    pub id: i64,
    /// The instant it is of, or the start of its span, epoch milliseconds.
    pub from: i64,
    /// The end of its span; the same as `from` for an instant.
    pub to: i64,
    /// What it says.
    pub text: String,
    /// Who wrote it.
    pub by: String,
}

/// `/cp/notes`
#[cfg(feature = "ssr")]
#[derive(Clone, Debug, Default)]
pub struct NotesPage {
    /// All boxes.
    pub boxes: Vec<super::BoxView>,
    /// The box whose notes are shown; none: all.
    pub current: Option<String>,
    /// What is searched for.
    pub search: String,
    /// The newest first, each with the name of its box.
    pub notes: Vec<(String, Note)>,
    /// So many more match.
    pub left_out: u64,
    /// The form, as last filled in.
    pub form: NoteForm,
}

/// The form of a note.
#[cfg(feature = "ssr")]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NoteForm {
    /// The note that is changed; none: a new one.
    pub id: Option<i64>,
    /// The box.
    pub box_name: String,
    /// When it begins: epoch milliseconds where known, else as typed.
    pub from: String,
    /// When it ends; empty for an instant.
    pub to: String,
    /// What it says.
    pub text: String,
    /// What is wrong, by the name of the field.
    pub errors: Vec<(&'static str, String)>,
}
