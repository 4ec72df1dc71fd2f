//! `tickmark import FILE`: brings what `tickmark export` wrote into an empty database; and history of other programs into one that is there.

use std::{
    fs::File,
    io::Write,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Args, Subcommand, ValueHint};

use super::{CliError, Place, check::Progress};
use crate::{
    config::Database,
    serve::{ServeError, lock::lock},
    store::{ExportFile, ImportStep, Imported, Store, StoreError},
};

mod bringing;
mod ocp;
mod openmetrics;

/// What, and where from.
#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct ImportArgs {
    /// History of other programs.
    #[command(subcommand)]
    format: Option<ImportFormat>,
    /// The file that `tickmark export` wrote (one of the name of a command: ./openmetrics)
    #[arg(value_hint = ValueHint::FilePath, required = true)]
    file: Option<PathBuf>,
}

/// History of other programs.
#[derive(Subcommand, Debug)]
enum ImportFormat {
    /// Bring boxes, ticks and history of OpenSIPS Control Panel in, from its tables
    Ocp(ocp::OcpArgs),
    /// Bring samples in OpenMetrics into a box, as `promtool tsdb dump-openmetrics` and `export openmetrics` write them
    Openmetrics(openmetrics::OpenmetricsArgs),
}

pub(super) async fn run(args: &ImportArgs, place: &mut Place<'_>, out: &mut dyn Write) -> Result<ExitCode, CliError> {
    match (&args.format, &args.file) {
        (Some(ImportFormat::Ocp(args)), _) => ocp::run(args, place, out).await,
        (Some(ImportFormat::Openmetrics(args)), _) => openmetrics::run(args, place, out).await,
        (None, Some(file)) => whole(file, place, out).await,
        (None, None) => Err(CliError::Usage("name the file to import".to_owned())),
    }
}

async fn whole(path: &Path, place: &Place<'_>, out: &mut dyn Write) -> Result<ExitCode, CliError> {
    // Before a database is made for it.
    let mut progress = Progress::new("checked");
    let file = ExportFile::open(path, |part| progress.tell(part));
    progress.end();
    let file = file?;
    let database = place.database()?;
    let store = Store::open_to_import(database.url()).await?;
    let imported = import(&store, &database, &file).await;
    store.close().await;
    let path = path.display();
    match imported? {
        Imported::Before => writeln!(out, "{path} was brought into {database} before: nothing is left to do.")?,
        Imported::Whole(exported) => {
            writeln!(out, "{database} holds all of {path}, compared row by row: {exported}.")?;
            writeln!(out, "The passwords of boxes open only with the key file of the panel they come from: name it with --key-file.")?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// No panel, and no other import, may use a database as long as what is answered is held.
async fn alone(store: &Store, database: &Database) -> Result<Option<File>, CliError> {
    let refused = |error: ServeError| CliError::Failed(error.to_string());
    let locked = database.file().map(lock).transpose().map_err(refused)?;
    if store.claim_alone().await? { Ok(locked) } else { Err(refused(ServeError::Running(database.to_string()))) }
}

async fn import(store: &Store, database: &Database, file: &ExportFile) -> Result<Imported, CliError> {
    let _one_alone = alone(store, database).await?;
    let mut progress = Progress::new("imported");
    let mut now = ImportStep::Writing;
    let told = |step, part| {
        if step != now {
            progress.end();
            (now, progress) = (step, Progress::new("compared"));
        }
        progress.tell(part);
    };
    let imported = store.import(file, told).await;
    progress.end();
    imported.map_err(|error| match error {
        error @ (StoreError::Sql(_) | StoreError::Unwritable(_)) => {
            CliError::Failed(format!("{error}; run the same import again, and it goes on where it stopped"))
        }
        error => error.into(),
    })
}
