//! `tickmark export FILE`: the whole database in a file that `tickmark import` reads.

use std::{io::Write, path::PathBuf, process::ExitCode};

use clap::{Args, ValueHint};

use super::{CliError, Place, check::Progress};

/// Where to.
#[derive(Args, Debug)]
pub struct ExportArgs {
    /// The file to write, which must not be there yet
    #[arg(value_hint = ValueHint::FilePath)]
    file: PathBuf,
}

pub(super) async fn run(args: &ExportArgs, place: &mut Place<'_>, out: &mut dyn Write) -> Result<ExitCode, CliError> {
    let store = place.store().await?;
    let mut progress = Progress::new("exported");
    let exported = store.export(&args.file, |part| progress.tell(part)).await;
    progress.end();
    store.close().await;
    let exported = exported?;
    let path = args.file.display();
    writeln!(out, "{path} holds {exported}. Bring it into an empty database: tickmark import {path} --database URL")?;
    writeln!(out, "The passwords of boxes open only with the key file: copy that as well, and name it there with --key-file.")?;
    Ok(ExitCode::SUCCESS)
}
