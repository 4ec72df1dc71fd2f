//! `tickmark import FILE`: brings what `tickmark export` wrote into an empty database.

use std::{io::Write, path::PathBuf, process::ExitCode};

use clap::{Args, ValueHint};

use super::{CliError, Place, check::Progress};
use crate::{
    config::Database,
    serve::{ServeError, lock::lock},
    store::{ExportFile, ImportStep, Imported, Store, StoreError},
};

/// Where from.
#[derive(Args, Debug)]
pub struct ImportArgs {
    /// The file that `tickmark export` wrote
    #[arg(value_hint = ValueHint::FilePath)]
    file: PathBuf,
}

pub(super) async fn run(args: &ImportArgs, place: &mut Place<'_>, out: &mut dyn Write) -> Result<ExitCode, CliError> {
    // Before a database is made for it.
    let mut progress = Progress::new("checked");
    let file = ExportFile::open(&args.file, |part| progress.tell(part));
    progress.end();
    let file = file?;
    let database = place.database()?;
    let store = Store::open_to_import(database.url()).await?;
    let imported = import(&store, &database, &file).await;
    store.close().await;
    let path = args.file.display();
    match imported? {
        Imported::Before => writeln!(out, "{path} was brought into {database} before: nothing is left to do.")?,
        Imported::Whole(exported) => {
            writeln!(out, "{database} holds all of {path}, compared row by row: {exported}.")?;
            writeln!(out, "The passwords of boxes open only with the key file of the panel they come from: name it with --key-file.")?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn import(store: &Store, database: &Database, file: &ExportFile) -> Result<Imported, CliError> {
    // No panel, and no other import, may use it meanwhile.
    let refused = |error: ServeError| CliError::Failed(error.to_string());
    let _one_alone = database.file().map(lock).transpose().map_err(refused)?;
    if !store.claim_alone().await? {
        return Err(refused(ServeError::Running(database.to_string())));
    }
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
