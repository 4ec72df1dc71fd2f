//! The file that a database is moved in: a line that says what it is, then records, each with a check sum. It must not know databases.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, Write};
use std::path::{Path, PathBuf};

use super::super::StoreError;
use super::super::bytes::{Damage, Decoded, Reader, put_varint};
use super::super::open::schema;
use super::table::{Column, Table, Value, decode};
use super::tables::TABLES;

/// What the first line begins with; the number of the format follows.
const MAGIC: &str = "tickmark export ";
/// The format that is written, and the newest that is read.
const FORMAT: u64 = 1;
/// The first line is no longer.
const MAX_LINE_BYTES: u64 = 64;
/// No record is longer.
const MAX_RECORD_BYTES: usize = 128 << 20;
/// The buffers of the file.
const BUFFER_BYTES: usize = 1 << 20;

/// Where a file comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Origin {
    /// Drawn at random, so that an import knows its file again.
    pub(super) id: [u8; 16],
    /// The last migration of the database.
    pub(super) schema: u64,
}

/// A record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Record {
    Origin(Origin),
    /// The rows that follow are of this table, and have these columns.
    Table(String, Vec<String>),
    Row(Vec<u8>),
    /// So many rows followed, and the check sum of all.
    TableEnd(u64, u32),
    /// Nothing follows.
    End,
}

impl Record {
    fn kind(&self) -> u8 {
        match self {
            Self::Origin(_) => 1,
            Self::Table(..) => 2,
            Self::Row(_) => 3,
            Self::TableEnd(..) => 4,
            Self::End => 5,
        }
    }

    fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        match self {
            Self::Origin(Origin { id, schema }) => {
                out.extend_from_slice(id);
                put_varint(&mut out, *schema);
            }
            Self::Table(name, columns) => {
                for text in std::iter::once(name).chain(columns) {
                    put_varint(&mut out, text.len() as u64);
                    out.extend_from_slice(text.as_bytes());
                }
            }
            Self::Row(bytes) => out.extend_from_slice(bytes),
            Self::TableEnd(rows, sum) => {
                put_varint(&mut out, *rows);
                out.extend_from_slice(&sum.to_le_bytes());
            }
            Self::End => {}
        }
        out
    }

    fn decode(kind: u8, body: Vec<u8>) -> Decoded<Self> {
        let mut reader = Reader::new(&body);
        let record = match kind {
            1 => {
                let id = reader.take(16)?.try_into().map_err(|_| Damage("bytes are missing"))?;
                Self::Origin(Origin { id, schema: reader.varint()? })
            }
            2 => {
                let mut texts = Vec::new();
                while !reader.is_empty() {
                    let length = reader.count(MAX_RECORD_BYTES)?;
                    let text = String::from_utf8(reader.take(length)?.to_vec());
                    texts.push(text.map_err(|_| Damage("a name is no UTF-8"))?);
                }
                if texts.is_empty() {
                    return Err(Damage("a table has no name"));
                }
                Self::Table(texts.remove(0), texts)
            }
            3 => return Ok(Self::Row(body)),
            4 => {
                let rows = reader.varint()?;
                Self::TableEnd(rows, u32::from_le_bytes(reader.take(4)?.try_into().map_err(|_| Damage("bytes are missing"))?))
            }
            5 => Self::End,
            _ => return Err(Damage("it is of no known kind")),
        };
        if reader.is_empty() { Ok(record) } else { Err(Damage("it has too many bytes")) }
    }
}

/// The check sum of a record, which is another one at another place.
fn sum_of(number: u64, kind: u8, body: &[u8]) -> u32 {
    let mut sum = crc32fast::Hasher::new();
    sum.update(&number.to_le_bytes());
    sum.update(&[kind]);
    sum.update(body);
    sum.finalize()
}

/// Writes records.
pub(super) struct Writer<W> {
    out: W,
    records: u64,
}

impl<W: Write> Writer<W> {
    pub(super) fn new(mut out: W) -> io::Result<Self> {
        writeln!(out, "{MAGIC}{FORMAT}")?;
        Ok(Self { out, records: 0 })
    }

    pub(super) fn put(&mut self, record: &Record) -> io::Result<()> {
        let (kind, body) = (record.kind(), record.encode());
        if body.len() > MAX_RECORD_BYTES {
            return Err(io::Error::other("a row is longer than any can be: run tickmark check"));
        }
        let mut frame = vec![kind];
        put_varint(&mut frame, body.len() as u64);
        frame.extend_from_slice(&sum_of(self.records, kind, &body).to_le_bytes());
        self.out.write_all(&frame)?;
        self.out.write_all(&body)?;
        self.records += 1;
        Ok(())
    }

    pub(super) fn into_inner(self) -> W {
        self.out
    }
}

/// Reads records, and knows where they are.
pub(super) struct Records<'a> {
    path: &'a Path,
    input: BufReader<&'a File>,
    /// How far the file is read.
    pub(super) at: u64,
    /// How many records were read.
    pub(super) count: u64,
}

impl<'a> Records<'a> {
    /// From the beginning, behind the first line.
    fn new(path: &'a Path, mut file: &'a File) -> Result<Self, StoreError> {
        let failed = |error| unreadable(path, &error);
        file.rewind().map_err(failed)?;
        let mut input = BufReader::with_capacity(BUFFER_BYTES, file);
        let mut line = Vec::new();
        (&mut input).take(MAX_LINE_BYTES).read_until(b'\n', &mut line).map_err(failed)?;
        let text = std::str::from_utf8(&line).ok();
        let format = text.and_then(|text| text.strip_prefix(MAGIC)?.strip_suffix('\n')?.parse::<u64>().ok());
        let path_shown = path.display();
        match format {
            Some(FORMAT) => Ok(Self { path, input, at: line.len() as u64, count: 0 }),
            Some(newer) if newer > FORMAT => Err(StoreError::File(format!(
                "{path_shown} was written by a newer Tickmark (format {newer}, this one knows {FORMAT}): import it with that version"
            ))),
            _ => Err(StoreError::File(format!("{path_shown} is no export of Tickmark: tickmark export FILE makes one"))),
        }
    }

    /// The next record. After the last there is none.
    pub(super) fn next(&mut self) -> Result<Record, StoreError> {
        let (at, number) = (self.at, self.count);
        let failed = |error: io::Error| match error.kind() {
            io::ErrorKind::UnexpectedEof => damaged(self.path, at, number, "it ends there, though more must follow"),
            _ => unreadable(self.path, &error),
        };
        let kind = byte(&mut self.input).map_err(failed)?;
        let mut length = Vec::with_capacity(10);
        while length.len() < 10 && length.last().is_none_or(|byte| byte & 0x80 != 0) {
            length.push(byte(&mut self.input).map_err(failed)?);
        }
        let bad = |Damage(why)| damaged(self.path, at, number, why);
        let body_bytes = Reader::new(&length).count(MAX_RECORD_BYTES).map_err(bad)?;
        let mut sum = [0; 4];
        self.input.read_exact(&mut sum).map_err(failed)?;
        // No more than is there: a wrong length must not take memory for nothing.
        let mut body = Vec::with_capacity(body_bytes.min(BUFFER_BYTES));
        (&mut self.input).take(body_bytes as u64).read_to_end(&mut body).map_err(failed)?;
        if body.len() < body_bytes {
            return Err(failed(io::ErrorKind::UnexpectedEof.into()));
        }
        if u32::from_le_bytes(sum) != sum_of(number, kind, &body) {
            return Err(bad(Damage("the check sum is wrong")));
        }
        let record = Record::decode(kind, body).map_err(bad)?;
        self.at += (1 + length.len() + sum.len() + body_bytes) as u64;
        self.count += 1;
        Ok(record)
    }

    fn is_at_end(&mut self) -> Result<bool, StoreError> {
        Ok(self.input.fill_buf().map_err(|error| unreadable(self.path, &error))?.is_empty())
    }

    /// The record that was read last is wrong.
    pub(super) fn damaged(&self, why: &str) -> StoreError {
        damaged(self.path, self.at, self.count, why)
    }
}

fn byte(input: &mut impl Read) -> io::Result<u8> {
    let mut byte = [0];
    input.read_exact(&mut byte)?;
    Ok(byte[0])
}

fn unreadable(path: &Path, error: &io::Error) -> StoreError {
    StoreError::File(format!("cannot read {}: {error}", path.display()))
}

fn damaged(path: &Path, at: u64, number: u64, why: &str) -> StoreError {
    StoreError::File(format!("{} is damaged at byte {at}, record {number}: {why}; copy it again, or export anew", path.display()))
}

/// What a file has of a table.
pub(super) struct Part {
    pub(super) table: &'static Table,
    pub(super) columns: Vec<Column>,
    pub(super) rows: u64,
    pub(super) sum: u32,
}

/// A file that was read through and is whole.
pub struct ExportFile {
    path: PathBuf,
    file: File,
    pub(super) bytes: u64,
    pub(super) origin: Origin,
    pub(super) parts: Vec<Part>,
}

impl ExportFile {
    /// Reads it through; `progress` is told how far that is, from 0 to 1.
    ///
    /// # Errors
    /// [`StoreError::File`] when it cannot be read, is damaged, says where, or is of a newer Tickmark.
    pub fn open(path: &Path, mut progress: impl FnMut(f64)) -> Result<Self, StoreError> {
        let failed = |error| unreadable(path, &error);
        let file = File::open(path).map_err(failed)?;
        let meta = file.metadata().map_err(failed)?;
        if !meta.is_file() {
            return Err(StoreError::File(format!("{} is no file: it is read more than once, so a pipe will not do", path.display())));
        }
        let bytes = meta.len();
        let mut records = Records::new(path, &file)?;
        let Record::Origin(origin) = records.next()? else { return Err(records.damaged("it does not say where it is from")) };
        if origin.schema > schema() {
            return Err(StoreError::File(format!(
                "{} was written by a newer Tickmark (schema {}, this one knows up to {}): import it with that version",
                path.display(),
                origin.schema,
                schema()
            )));
        }
        let parts = read_parts(&mut records, |at| progress(share(at, bytes)))?;
        progress(1.0);
        Ok(Self { path: path.to_owned(), file, bytes, origin, parts })
    }

    /// Its records once more, after the first.
    pub(super) fn records(&self) -> Result<Records<'_>, StoreError> {
        let mut records = Records::new(&self.path, &self.file)?;
        records.next()?;
        Ok(records)
    }

    /// The id, as the database keeps it.
    pub(super) fn id(&self) -> String {
        self.origin.id.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// The share of a whole, from 0 to 1.
pub(super) fn share(part: u64, whole: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "it is only shown")]
    let share = part as f64 / whole.max(1) as f64;
    share
}

fn read_parts(records: &mut Records<'_>, mut progress: impl FnMut(u64)) -> Result<Vec<Part>, StoreError> {
    let mut parts: Vec<Part> = Vec::new();
    loop {
        match records.next()? {
            Record::Table(name, columns) => {
                let table = Table::of(&name).filter(|table| !parts.iter().any(|part| part.table.name == table.name));
                let table = table.ok_or_else(|| records.damaged("a table is not known, or there twice"))?;
                let columns = table.columns_of(&columns).ok_or_else(|| records.damaged("a column is not known"))?;
                parts.push(read_part(records, table, columns, &mut progress)?);
            }
            Record::End if parts.len() < TABLES.len() => return Err(records.damaged("a table is missing")),
            Record::End if records.is_at_end()? => return Ok(parts),
            Record::End => return Err(records.damaged("something follows its end")),
            _ => return Err(records.damaged("a record is out of place")),
        }
    }
}

fn read_part(
    records: &mut Records<'_>,
    table: &'static Table,
    columns: Vec<Column>,
    progress: &mut impl FnMut(u64),
) -> Result<Part, StoreError> {
    let (mut rows, mut sum) = (0, crc32fast::Hasher::new());
    loop {
        match records.next()? {
            Record::Row(bytes) => {
                decode(&columns, &bytes).map_err(|Damage(why)| records.damaged(why))?;
                sum.update(&bytes);
                rows += 1;
                progress(records.at);
            }
            Record::TableEnd(said, said_sum) => {
                let sum = sum.finalize();
                if (said, said_sum) != (rows, sum) {
                    return Err(records.damaged("a table has other rows than it says"));
                }
                return Ok(Part { table, columns, rows, sum });
            }
            _ => return Err(records.damaged("a record is out of place")),
        }
    }
}

/// The row of a record, which was looked at before.
pub(super) fn row_of(part: &Part, records: &Records<'_>, bytes: &[u8]) -> Result<Vec<Value>, StoreError> {
    decode(&part.columns, bytes).map_err(|Damage(why)| records.damaged(why))
}

#[cfg(test)]
mod tests;
