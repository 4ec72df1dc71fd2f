//! Brings an export into an empty database: in steps that each note how far they came, so that one that was interrupted goes on. Then
//! all is read back and compared.

use sqlx::{AnyConnection, Executor};

use super::super::{Store, StoreError, months};
use super::export::Exported;
use super::file::{ExportFile, Part, Record, row_of, share};
use super::table::{Value, encode};
use super::tables::TABLES;
use super::{DONE, IMPORT};

/// So many rows, or bytes, share a transaction.
const STEP_ROWS: usize = 4096;
const STEP_BYTES: usize = 4 << 20;

/// How an import ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Imported {
    /// All is there, and was compared.
    Whole(Exported),
    /// It was there before.
    Before,
}

/// What an import does at this moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImportStep {
    /// It writes what is in the file.
    Writing,
    /// It reads back what it wrote.
    Comparing,
}

/// What is there of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nothing of it is there.
    Fresh,
    /// So many records of the file were taken.
    Taken(u64),
    Done,
}

impl Store {
    /// Brings an export in; `progress` is told what it does, and how far that is, from 0 to 1.
    ///
    /// # Errors
    /// [`StoreError::Open`] when the database holds something else; others when it fails, and then the same import goes on later.
    pub async fn import(&self, file: &ExportFile, mut progress: impl FnMut(ImportStep, f64)) -> Result<Imported, StoreError> {
        let taken = match self.import_state(file).await? {
            State::Done => return Ok(Imported::Before),
            State::Fresh => {
                self.refuse_full().await?;
                0
            }
            State::Taken(records) => records,
        };
        self.take_all(file, taken, |part| progress(ImportStep::Writing, part)).await?;
        if let (Some(analyze), Some(take_time)) = (self.inner.dialect.analyze(), self.inner.dialect.take_time()) {
            let mut change = self.begin_write().await?;
            change.execute(take_time).await?;
            change.execute(analyze).await?;
            change.commit().await?;
        }
        self.compare(file, |part| progress(ImportStep::Comparing, part)).await?;
        self.end_import(file).await?;
        self.sync().await?;
        Ok(Imported::Whole(Exported::of(&file.parts)))
    }

    async fn import_state(&self, file: &ExportFile) -> Result<State, StoreError> {
        let Some(state) = self.setting(IMPORT).await? else { return Ok(State::Fresh) };
        let (id, far) = state.split_once(' ').unwrap_or_default();
        match (id == file.id(), far) {
            (true, DONE) => Ok(State::Done),
            // What was brought in long ago says nothing: whatever is there is looked at.
            (false, DONE) => Ok(State::Fresh),
            (true, records) => records.parse().map(State::Taken).map_err(|_| StoreError::Damaged(format!("the setting {IMPORT}"))),
            (false, _) => Err(StoreError::Open(
                "the import of another file into this database has not ended: run that one again, or name an empty database".to_owned(),
            )),
        }
    }

    /// Refuses a database that holds anything: numbers of boxes and series are taken over as they are.
    async fn refuse_full(&self) -> Result<(), StoreError> {
        let mut view = self.begin_read().await?;
        for table in TABLES {
            if !table.is_empty(&mut view).await? {
                let names: Vec<String> = sqlx::query_scalar("select name from box order by box_id limit 4").fetch_all(&mut *view).await?;
                let what = if names.is_empty() { "settings or accounts".to_owned() } else { format!("boxes ({})", names.join(", ")) };
                return Err(StoreError::Open(format!(
                    "this database holds {what} already, and an import needs an empty one: name another with --database, \
                     such as sqlite:new.db, or one that createdb has just made"
                )));
            }
        }
        Ok(())
    }

    /// Takes what the file has behind so many records, which are there already.
    async fn take_all(&self, file: &ExportFile, taken: u64, mut progress: impl FnMut(f64)) -> Result<(), StoreError> {
        let mut records = file.records()?;
        let mut step = Step::default();
        for part in &file.parts {
            // Its table record.
            records.next()?;
            while let Record::Row(bytes) = records.next()? {
                if records.count <= taken {
                    continue;
                }
                step.bytes += bytes.len();
                step.rows.push(row_of(part, &records, &bytes)?);
                if step.rows.len() >= STEP_ROWS || step.bytes >= STEP_BYTES {
                    self.take(file, part, &mut step, records.count).await?;
                    progress(share(records.at, file.bytes));
                }
            }
            if !step.rows.is_empty() {
                self.take(file, part, &mut step, records.count).await?;
                progress(share(records.at, file.bytes));
            }
        }
        progress(1.0);
        Ok(())
    }

    /// Adds the rows of a step, and notes in the same transaction that they are there.
    async fn take(&self, file: &ExportFile, part: &Part, step: &mut Step, records: u64) -> Result<(), StoreError> {
        let mut change = self.begin_write().await?;
        for (tier, start_ms) in part.table.starts(&part.columns, &step.rows) {
            months::make(&mut change, tier, start_ms).await?;
        }
        let at_once = (self.inner.dialect.values_at_once() / part.columns.len()).max(1);
        for rows in step.rows.chunks(at_once) {
            part.table.insert(&mut change, &part.columns, rows).await?;
        }
        note(&mut change, &format!("{} {records}", file.id())).await?;
        change.commit().await?;
        *step = Step::default();
        Ok(())
    }

    /// Reads back what was written: count and check sum of each table must be those of the file.
    async fn compare(&self, file: &ExportFile, mut progress: impl FnMut(f64)) -> Result<(), StoreError> {
        let all: u64 = file.parts.iter().map(|part| part.rows).sum();
        let mut read = 0;
        let mut view = self.begin_reading_all().await?;
        for part in &file.parts {
            let (mut rows, mut sum) = (0, crc32fast::Hasher::new());
            let each = part.table.each_row(&mut view, &part.columns, |row| {
                sum.update(&encode(row));
                rows += 1;
                read += 1;
                progress(share(read, all));
                Ok(())
            });
            each.await?;
            if (rows, sum.finalize()) != (part.rows, part.sum) {
                return Err(StoreError::Damaged(format!(
                    "the table {} has not what the file has ({rows} rows of {}): something else wrote here meanwhile; \
                     import into another, empty database",
                    part.table.name, part.rows
                )));
            }
        }
        view.commit().await?;
        progress(1.0);
        Ok(())
    }

    /// From now on a panel may use the database.
    async fn end_import(&self, file: &ExportFile) -> Result<(), StoreError> {
        let mut change = self.begin_change().await?;
        for table in TABLES.iter().filter(|table| table.is_numbered) {
            if let Some(go_on) = self.inner.dialect.go_on_numbering(table.name, table.columns[0].0) {
                change.execute(sqlx::AssertSqlSafe(go_on)).await?;
            }
        }
        note(&mut change, &format!("{} {DONE}", file.id())).await?;
        Ok(change.commit().await?)
    }
}

/// Rows of one table that share a transaction.
#[derive(Default)]
struct Step {
    rows: Vec<Vec<Value>>,
    bytes: usize,
}

async fn note(change: &mut AnyConnection, state: &str) -> Result<(), StoreError> {
    let note = "insert into setting (setting_key, setting_value) values ($1, $2) \
                on conflict (setting_key) do update set setting_value = excluded.setting_value";
    sqlx::query(note).bind(IMPORT).bind(state).execute(change).await?;
    Ok(())
}
