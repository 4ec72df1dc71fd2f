//! `tickmark backup FILE`: a copy of the database that a panel can be started with.

use std::{io::Write, path::PathBuf, process::ExitCode};

use clap::{Args, ValueHint};

use super::{CliError, Place, check::Progress};
use crate::store::Store;

/// Where to.
#[derive(Args, Debug)]
pub struct BackupArgs {
    /// The file to write, which must not be there yet
    #[arg(value_hint = ValueHint::FilePath)]
    file: PathBuf,
}

pub(super) async fn run(args: &BackupArgs, place: &mut Place<'_>, out: &mut dyn Write) -> Result<ExitCode, CliError> {
    let store = place.store().await?;
    let mut progress = Progress::new("copied");
    let copied = store.backup(&args.file, |part| progress.tell(part)).await;
    progress.end();
    store.close().await;
    copied?;
    // A copy that cannot be read is none: it is read back before it is called one.
    let path = args.file.display();
    let copy = Store::open(&format!("sqlite:{path}")).await?;
    let mut progress = Progress::new("checked");
    let report = copy.check(|part| progress.tell(part)).await;
    progress.end();
    copy.close().await;
    let report = report?;
    if let Some(fault) = report.faults.first() {
        return Err(CliError::Failed(format!(
            "{path} is a copy with faults, as the database has them ({fault}): tickmark check tells all"
        )));
    }
    let samples = report.chunk_samples + report.head_samples;
    writeln!(
        out,
        "{path} holds {} series with {samples} samples. Start a panel with it: tickmark --database sqlite:{path}",
        report.series
    )?;
    writeln!(out, "The passwords of boxes open only with the key file beside the database: keep a copy of that as well, elsewhere.")?;
    Ok(ExitCode::SUCCESS)
}
