//! `tickmark export FILE`: the whole database in a file that `tickmark import` reads; and samples for other programs.

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Args, Subcommand, ValueHint};

use super::{CliError, Place, check::Progress};

mod openmetrics;

/// What, and where to.
#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct ExportArgs {
    /// Samples, for other programs.
    #[command(subcommand)]
    format: Option<ExportFormat>,
    /// The file to write, which must not be there yet (one of the name of a command: ./openmetrics)
    #[arg(value_hint = ValueHint::FilePath, required = true)]
    file: Option<PathBuf>,
}

/// Samples, for other programs.
#[derive(Subcommand, Debug)]
enum ExportFormat {
    /// Write the samples of a box as OpenMetrics, which `promtool tsdb create-blocks-from openmetrics` and `import openmetrics` read
    Openmetrics(openmetrics::OpenmetricsArgs),
}

pub(super) async fn run(args: &ExportArgs, place: &mut Place<'_>, out: &mut dyn Write) -> Result<ExitCode, CliError> {
    match (&args.format, &args.file) {
        (Some(ExportFormat::Openmetrics(args)), _) => openmetrics::run(args, place, out).await,
        (None, Some(file)) => whole(file, place, out).await,
        (None, None) => Err(CliError::Usage("name the file to write".to_owned())),
    }
}

async fn whole(file: &Path, place: &Place<'_>, out: &mut dyn Write) -> Result<ExitCode, CliError> {
    let store = place.store().await?;
    let mut progress = Progress::new("exported");
    let exported = store.export(file, |part| progress.tell(part)).await;
    progress.end();
    store.close().await;
    let exported = exported?;
    let path = file.display();
    writeln!(out, "{path} holds {exported}. Bring it into an empty database: tickmark import {path} --database URL")?;
    writeln!(out, "The passwords of boxes open only with the key file: copy that as well, and name it there with --key-file.")?;
    Ok(ExitCode::SUCCESS)
}
