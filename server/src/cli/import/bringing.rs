//! What every import of other programs' history does: lines are read one by one, wait, and are brought in; what is wrong with one is said.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read, Write},
    path::Path,
};

use app::{model::Number, shown::visible};
use clap::Args;

use super::super::{CliError, check::Progress};
use crate::store::{Brought, Incoming, Store, StoreError};

/// No line is longer: the longest name, each byte of it escaped, and some.
const MAX_LINE_BYTES: usize = 64 << 10;
/// How far reading is, is said so often.
const TOLD_LINES: u64 = 100_000;
/// So many lines that were left out are said one by one.
const TOLD_BAD: u64 = 10;

/// What to do with lines that are wrong.
#[derive(Args, Debug)]
pub(super) struct Care {
    /// Leave lines out that are wrong, and say how many, instead of stopping at the first
    #[arg(long)]
    skip_bad: bool,
}

/// Lines of a file, or of standard input.
pub(super) struct Lines {
    input: Box<dyn BufRead>,
    line: Vec<u8>,
    /// How many were read.
    pub(super) count: u64,
}

impl Lines {
    /// Of a file; `-` is standard input.
    pub(super) fn of(path: &Path) -> Result<Self, CliError> {
        let input: Box<dyn BufRead> = if path == Path::new("-") {
            Box::new(BufReader::with_capacity(1 << 20, io::stdin()))
        } else {
            let failed = |error| CliError::Failed(format!("cannot read {}: {error}", path.display()));
            Box::new(BufReader::with_capacity(1 << 20, File::open(path).map_err(failed)?))
        };
        Ok(Self { input, line: Vec::new(), count: 0 })
    }

    /// The next line, without its end.
    pub(super) fn next(&mut self) -> Result<Option<&[u8]>, CliError> {
        self.line.clear();
        let most = u64::try_from(MAX_LINE_BYTES).unwrap_or(u64::MAX);
        if self.input.by_ref().take(most).read_until(b'\n', &mut self.line)? == 0 {
            if self.count >= TOLD_LINES {
                eprintln!("\rread {} lines", self.count);
            }
            return Ok(None);
        }
        self.count += 1;
        if self.count.is_multiple_of(TOLD_LINES) {
            eprint!("\rread {} lines", self.count);
        }
        if self.line.len() == MAX_LINE_BYTES && self.line.last() != Some(&b'\n') {
            return Err(CliError::Failed(format!("line {}: it is longer than {MAX_LINE_BYTES} bytes", self.count)));
        }
        let line = self.line.strip_suffix(b"\n").unwrap_or(&self.line);
        Ok(Some(line.strip_suffix(b"\r").unwrap_or(line)))
    }
}

/// Samples on their way into the store.
pub(super) struct Bringing<'a> {
    store: &'a Store,
    incoming: Incoming,
    now_ms: i64,
    care: &'a Care,
    brought: Brought,
    bad: u64,
}

impl<'a> Bringing<'a> {
    pub(super) fn new(store: &'a Store, care: &'a Care, now_ms: i64) -> Result<Self, CliError> {
        Ok(Self { store, incoming: Incoming::new()?, now_ms, care, brought: Brought::default(), bad: 0 })
    }

    pub(super) async fn sample(&mut self, box_id: i64, name: &str, at_ms: i64, value: Option<Number>) -> Result<(), CliError> {
        self.incoming.push(box_id, name, at_ms, value)?;
        if self.incoming.is_full() { self.flush().await } else { Ok(()) }
    }

    /// Refuses a line, or leaves it out.
    pub(super) fn refuse(&mut self, place: &str, why: &str) -> Result<(), CliError> {
        if !self.care.skip_bad {
            return Err(CliError::Failed(format!(
                "{place}: {}; correct or delete it and run the same import again, or add --skip-bad, which leaves such lines out",
                visible(why)
            )));
        }
        self.bad += 1;
        if self.bad <= TOLD_BAD {
            eprintln!("left out: {place}: {}", visible(why));
        }
        Ok(())
    }

    async fn flush(&mut self) -> Result<(), CliError> {
        let mut progress = Progress::new("imported");
        let brought = self.store.bring_in(&mut self.incoming, self.now_ms, |part| progress.tell(part)).await;
        progress.end();
        self.brought += brought.map_err(|error| match error {
            error @ (StoreError::Sql(_) | StoreError::Unwritable(_) | StoreError::File(_)) => {
                CliError::Failed(format!("{error}; run the same import again, and it goes on where it stopped"))
            }
            error => error.into(),
        })?;
        Ok(())
    }

    /// Brings in what waits, and says what was done.
    pub(super) async fn end(mut self, out: &mut dyn Write) -> Result<(), CliError> {
        self.flush().await?;
        let Brought { added, known } = self.brought;
        writeln!(out, "{added} samples were imported; {known} were there already.")?;
        if self.bad > 0 {
            writeln!(out, "{} lines were left out.", self.bad)?;
        }
        Ok(())
    }
}
