//! The statements that add rows and marks, many by one. It must not know where they come from.

use sqlx::{AnyConnection, AssertSqlSafe};

use super::StoreError;
use super::row::RowHead;
use super::types::Mark;

/// So many rows of the head, and so many marks, go into one statement. The time to bind its values grows with the square of their count,
/// since SQLite looks for the name of each among all.
pub(super) const ROWS_PER_INSERT: usize = 8;
pub(super) const MARKS_PER_INSERT: usize = 16;

/// A row of the head, ready to be stored.
pub(super) struct Row {
    pub(super) box_id: i64,
    pub(super) head: RowHead,
    pub(super) total_bytes: i64,
    pub(super) payload: Vec<u8>,
}

/// Stores rows; those of a panel that shares the database only while that one stands among the panels, all of them or none.
pub(super) async fn insert_rows<'e>(
    executor: impl sqlx::Executor<'e, Database = sqlx::Any>,
    rows: &[Row],
    panel: Option<i64>,
) -> Result<(), StoreError> {
    let insert = "insert into head (box_id, seq, at_ms, interval_ms, layout_id, is_key, total_bytes, payload) ";
    let insert = match panel {
        None => values(&format!("{insert}values "), rows.len(), 8),
        Some(_) => while_it_stands(insert, rows.len()),
    };
    // Only numbers of placeholders are put together here. Kept prepared is what nearly every commit is.
    let mut insert = sqlx::query(AssertSqlSafe(insert)).persistent(rows.len() == 1 || rows.len() == ROWS_PER_INSERT);
    for Row { box_id, head, total_bytes, payload } in rows {
        insert = insert.bind(box_id).bind(head.seq).bind(head.at_ms).bind(head.interval_ms).bind(head.layout_id);
        insert = insert.bind(i64::from(head.is_key)).bind(total_bytes).bind(&payload[..]);
    }
    if let Some(panel) = panel {
        insert = insert.bind(panel);
    }
    let box_id = rows.first().map_or(0, |row| row.box_id);
    let inserted = insert.execute(executor).await.map_err(|error| missing_box(error, box_id))?.rows_affected();
    if usize::try_from(inserted) == Ok(rows.len()) { Ok(()) } else { Err(StoreError::Superseded) }
}

/// A statement that inserts so many rows while a panel, the last that is bound, stands. Whoever gives it up waits until that is committed.
fn while_it_stands(insert: &str, rows: usize) -> String {
    const COLUMNS: [&str; 8] = ["bigint", "bigint", "bigint", "bigint", "bigint", "bigint", "bigint", "bytea"];
    let values = placeholders(rows, &COLUMNS);
    let panel = rows * COLUMNS.len() + 1;
    format!("{insert}select polled.* from (values {values}) as polled, (select 1 from panel where panel_id = ${panel} for share) as stands")
}

/// Whether a panel stands among those that share the database; it does until the transaction ends.
pub(super) async fn stands(connection: &mut AnyConnection, panel: i64) -> Result<(), StoreError> {
    let stands = sqlx::query("select panel_id from panel where panel_id = $1 for share").bind(panel);
    stands.fetch_optional(connection).await?.map(drop).ok_or(StoreError::Superseded)
}

/// Placeholders for so many rows of values of these types, as PostgreSQL names them.
pub(super) fn placeholders(rows: usize, types: &[&str]) -> String {
    let row = |row: usize| {
        let places = types.iter().enumerate().map(|(place, sort)| format!("${}::{sort}", row * types.len() + place + 1));
        format!("({})", places.collect::<Vec<_>>().join(", "))
    };
    (0..rows).map(row).collect::<Vec<_>>().join(", ")
}

/// A statement with placeholders for so many rows of so many values.
fn values(insert: &str, rows: usize, width: usize) -> String {
    let row = |row: usize| (1..=width).map(|place| format!("${}", row * width + place)).collect::<Vec<_>>().join(", ");
    let rows: Vec<String> = (0..rows).map(|number| format!("({})", row(number))).collect();
    format!("{insert}{}", rows.join(", "))
}

pub(super) async fn insert_marks(connection: &mut AnyConnection, box_id: i64, marks: &[Mark]) -> Result<(), StoreError> {
    let insert = values("insert into mark (box_id, series_id, at_ms, cause, by_whom) values ", marks.len(), 5);
    // Only numbers of placeholders are put together here.
    let mut insert = sqlx::query(AssertSqlSafe(insert)).persistent(marks.len() == 1);
    for mark in marks {
        insert = insert.bind(box_id).bind(mark.series.map(|series| series.0)).bind(mark.at_ms);
        insert = insert.bind(mark.cause.as_str()).bind(mark.by.as_deref());
    }
    insert.execute(connection).await.map_err(|error| missing_box(error, box_id))?;
    Ok(())
}

/// A box that is not there, said so; any other error as it is.
pub(super) fn missing_box(error: sqlx::Error, box_id: i64) -> StoreError {
    if error.as_database_error().is_some_and(sqlx::error::DatabaseError::is_foreign_key_violation) {
        StoreError::Missing(format!("box {box_id}"))
    } else {
        error.into()
    }
}
