//! Writes a whole database into a file, as it is at one instant, while it goes on being written.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use sqlx::AnyConnection;

use super::super::open::schema;
use super::super::{Store, StoreError};
use super::file::{Origin, Part, Record, Writer, share};
use super::table::{Table, Value, encode};
use super::tables::TABLES;

/// The buffer of the file.
const BUFFER_BYTES: usize = 1 << 20;

/// What was moved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exported {
    /// Boxes, also those that were removed and their history kept.
    pub boxes: u64,
    /// Their series.
    pub series: u64,
    /// Sealed chunks.
    pub chunks: u64,
    /// Rows of the head.
    pub head_rows: u64,
}

impl Exported {
    pub(super) fn of(parts: &[Part]) -> Self {
        let mut exported = Self::default();
        parts.iter().for_each(|part| exported.count(part.table, part.rows));
        exported
    }

    fn count(&mut self, table: &Table, rows: u64) {
        match table.name {
            "box" => self.boxes = rows,
            "series" => self.series = rows,
            "chunk" => self.chunks = rows,
            "head" => self.head_rows = rows,
            _ => {}
        }
    }
}

/// As people read it.
impl fmt::Display for Exported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { boxes, series, chunks, head_rows } = self;
        write!(f, "{boxes} boxes with {series} series, {chunks} chunks and {head_rows} rows of the head")
    }
}

impl Store {
    /// Writes the whole database into a file that is not there yet. It is there once it is whole and on the disk; `progress` is told
    /// how far it is, from 0 to 1.
    ///
    /// # Errors
    /// [`StoreError::File`] when the file exists or cannot be written; others when the database cannot be read.
    pub async fn export(&self, to: &Path, mut progress: impl FnMut(f64)) -> Result<Exported, StoreError> {
        let failed = |error| unwritable(to, &error);
        if to.exists() {
            return Err(StoreError::File(format!("{} is there already: name a file that is not", to.display())));
        }
        let part = part_of(to);
        // What an interrupted export left is of no use: it was of another instant.
        match std::fs::remove_file(&part) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
        // Nobody else may read the hashes and tokens in it.
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&part).map_err(failed)?;
        let written = self.export_into(&file, to, &mut progress).await;
        // Another export to the same place would have begun anew with a file of its own.
        let is_ours = file.metadata().and_then(|ours| Ok(ours.ino() == std::fs::metadata(&part)?.ino())).unwrap_or(false);
        let whole = written.and_then(|exported| {
            if !is_ours || to.exists() {
                return Err(StoreError::File(format!("another export writes {}: name another file", to.display())));
            }
            std::fs::rename(&part, to).map_err(failed)?;
            Ok(exported)
        });
        if whole.is_err() && is_ours {
            let _ = std::fs::remove_file(&part);
        }
        whole
    }

    async fn export_into(&self, file: &File, to: &Path, progress: &mut impl FnMut(f64)) -> Result<Exported, StoreError> {
        let failed = |error| unwritable(to, &error);
        let mut id = [0; 16];
        getrandom::fill(&mut id).map_err(|error| failed(io::Error::other(error)))?;
        let mut out = Writer::new(BufWriter::with_capacity(BUFFER_BYTES, file)).map_err(failed)?;
        out.put(&Record::Origin(Origin { id, schema: schema() })).map_err(failed)?;
        progress(0.0);
        let mut exported = Exported::default();
        let mut view = self.begin_reading_all().await?;
        let last = "select coalesce(max(series_id), 0) from series";
        let last_series: i64 = sqlx::query_scalar(last).fetch_one(&mut *view).await?;
        for table in TABLES {
            let rows = export_table(&mut view, table, &mut out, to, |row| {
                // Nearly all there is are chunks, which come in the order of their series.
                if let ("chunk", Some(Value::Int(series))) = (table.name, row.first()) {
                    progress(share(series.unsigned_abs(), last_series.unsigned_abs() + 1));
                }
            });
            exported.count(table, rows.await?);
        }
        view.commit().await?;
        out.put(&Record::End).map_err(failed)?;
        let mut out = out.into_inner();
        out.flush().and_then(|()| out.get_ref().sync_all()).map_err(failed)?;
        progress(1.0);
        Ok(exported)
    }
}

async fn export_table(
    view: &mut AnyConnection,
    table: &Table,
    out: &mut Writer<BufWriter<&File>>,
    to: &Path,
    mut tell: impl FnMut(&[Value]),
) -> Result<u64, StoreError> {
    let failed = |error| unwritable(to, &error);
    let columns = table.columns.iter().map(|(name, _)| (*name).to_owned()).collect();
    out.put(&Record::Table(table.name.to_owned(), columns)).map_err(failed)?;
    let (mut rows, mut sum) = (0, crc32fast::Hasher::new());
    let each = table.each_row(view, table.columns, |row| {
        tell(row);
        let bytes = encode(row);
        sum.update(&bytes);
        rows += 1;
        out.put(&Record::Row(bytes)).map_err(failed)
    });
    each.await?;
    out.put(&Record::TableEnd(rows, sum.finalize())).map_err(failed)?;
    Ok(rows)
}

fn unwritable(to: &Path, error: &io::Error) -> StoreError {
    StoreError::File(format!("cannot write {}: {error}", to.display()))
}

fn part_of(to: &Path) -> PathBuf {
    let mut name = to.as_os_str().to_owned();
    name.push(".part");
    name.into()
}
