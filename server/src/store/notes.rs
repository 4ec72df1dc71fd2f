//! What people wrote on instants and spans, as it is kept. It must not know charts.

use app::model::Note;

use super::{Store, StoreError};

type Row = (i64, i64, i64, i64, String, String);

/// What may be in a page of notes at once.
const MOST: i64 = 10_000;

/// More than these no chart could show.
const MOST_DRAWN: i64 = 500;

/// Which notes are looked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NoteSearch {
    /// Of one box; none: of all that are there.
    pub box_id: Option<i64>,
    /// Those that reach into the span from here …
    pub from_ms: Option<i64>,
    /// … to here.
    pub to_ms: Option<i64>,
    /// Whose text has this in it, in whatever case.
    pub text: String,
    /// At most so many, the newest first.
    pub most: usize,
}

impl Store {
    /// The notes that are looked for with the number of their box, the newest first; and how many there are in all.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn notes(&self, search: &NoteSearch) -> Result<(Vec<(i64, Note)>, u64), StoreError> {
        let of = "from note join box on box.box_id = note.box_id and box.removed_ms is null \
                  where ($1 = 0 or note.box_id = $1) and to_ms >= $2 and from_ms <= $3 \
                  and ($4 = '' or lower(text) like $4 escape '\\' or lower(by_whom) like $4 escape '\\')";
        let select =
            format!("select note.box_id, note_id, from_ms, to_ms, text, by_whom {of} order by from_ms desc, note_id desc limit $5");
        let count = format!("select count(*) {of}");
        let box_id = search.box_id.unwrap_or_default();
        let (from_ms, to_ms) = (search.from_ms.unwrap_or(i64::MIN), search.to_ms.unwrap_or(i64::MAX));
        let like = like(&search.text);
        let most = i64::try_from(search.most).unwrap_or(MOST).min(MOST);
        let select = sqlx::query_as(sqlx::AssertSqlSafe(select)).bind(box_id).bind(from_ms).bind(to_ms).bind(&like).bind(most);
        let rows: Vec<Row> = select.fetch_all(&self.inner.read).await?;
        let count = sqlx::query_scalar(sqlx::AssertSqlSafe(count)).bind(box_id).bind(from_ms).bind(to_ms).bind(&like);
        let all: i64 = count.fetch_one(&self.inner.read).await?;
        let note = |(box_id, id, from, to, text, by): Row| (box_id, Note { id, from, to, text, by });
        Ok((rows.into_iter().map(note).collect(), u64::try_from(all).unwrap_or_default()))
    }

    /// Those of a box that reach into a span, in the order of time.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn notes_in(&self, box_id: i64, from_ms: i64, to_ms: i64) -> Result<Vec<Note>, StoreError> {
        let select = "select box_id, note_id, from_ms, to_ms, text, by_whom from note \
                      where box_id = $1 and from_ms <= $3 and to_ms >= $2 order by from_ms, note_id limit $4";
        let select = sqlx::query_as(select).bind(box_id).bind(from_ms).bind(to_ms).bind(MOST_DRAWN);
        let rows: Vec<Row> = select.fetch_all(&self.inner.read).await?;
        Ok(rows.into_iter().map(|(_, id, from, to, text, by)| Note { id, from, to, text, by }).collect())
    }

    /// One note, with the number of its box.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn note_of(&self, id: i64) -> Result<Option<(i64, Note)>, StoreError> {
        let select = "select box_id, note_id, from_ms, to_ms, text, by_whom from note where note_id = $1";
        let row: Option<Row> = sqlx::query_as(select).bind(id).fetch_optional(&self.inner.read).await?;
        Ok(row.map(|(box_id, id, from, to, text, by)| (box_id, Note { id, from, to, text, by })))
    }

    /// Writes a note and gives its number; its own is not looked at.
    ///
    /// # Errors
    /// When the database fails, such as for a box that is not there.
    pub async fn add_note(&self, box_id: i64, note: &Note, now_ms: i64) -> Result<i64, StoreError> {
        let mut change = self.begin_change().await?;
        let insert =
            "insert into note (box_id, from_ms, to_ms, text, by_whom, written_ms) values ($1, $2, $3, $4, $5, $6) returning note_id";
        let insert = sqlx::query_scalar(insert).bind(box_id).bind(note.from).bind(note.to).bind(&note.text).bind(&note.by).bind(now_ms);
        let id = insert.fetch_one(&mut *change).await?;
        change.commit().await?;
        Ok(id)
    }

    /// Writes another text, or other instants, under the same number.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when it is not there.
    pub async fn change_note(&self, note: &Note, now_ms: i64) -> Result<(), StoreError> {
        let mut change = self.begin_change().await?;
        let update = "update note set from_ms = $1, to_ms = $2, text = $3, by_whom = $4, written_ms = $5 where note_id = $6";
        let update = sqlx::query(update).bind(note.from).bind(note.to).bind(&note.text).bind(&note.by).bind(now_ms).bind(note.id);
        if update.execute(&mut *change).await?.rows_affected() == 0 {
            return Err(missing(note.id));
        }
        Ok(change.commit().await?)
    }

    /// Takes a note away.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when it is not there.
    pub async fn remove_note(&self, id: i64) -> Result<(), StoreError> {
        let mut change = self.begin_change().await?;
        if sqlx::query("delete from note where note_id = $1").bind(id).execute(&mut *change).await?.rows_affected() == 0 {
            return Err(missing(id));
        }
        Ok(change.commit().await?)
    }
}

fn missing(id: i64) -> StoreError {
    StoreError::Missing(format!("the note {id}"))
}

/// What `like` takes for a text somewhere in another; empty for anything.
fn like(text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    let mut pattern = String::from("%");
    for letter in text.to_lowercase().chars() {
        if matches!(letter, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern.push('%');
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_searched_text_means_itself() {
        assert_eq!(like(""), "");
        assert_eq!(like("50 %_Done\\"), "%50 \\%\\_done\\\\%");
    }
}
