//! `tickmark import openmetrics`: samples as text, into a box.

use std::{collections::HashMap, io::Write, path::PathBuf, process::ExitCode};

use app::model::Kind;
use clap::{Args, ValueHint};

use super::{
    super::{CliError, Place, boxes},
    alone,
    bringing::{Bringing, Care, Lines},
};
use crate::{
    board::Kinds,
    openmetrics::Reader,
    store::{Store, StoredBox},
};

/// Which box, and where from.
#[derive(Args, Debug)]
pub(super) struct OpenmetricsArgs {
    /// The box, which must be there: tickmark box add, with --paused when nobody answers there
    #[arg(long = "box", value_name = "NAME")]
    box_name: String,
    /// The text; - is standard input
    #[arg(value_hint = ValueHint::FilePath)]
    file: PathBuf,
    /// What to do with lines that are wrong.
    #[command(flatten)]
    care: Care,
}

pub(super) async fn run(args: &OpenmetricsArgs, place: &Place<'_>, out: &mut dyn Write) -> Result<ExitCode, CliError> {
    let mut lines = Lines::of(&args.file)?;
    let store = place.store().await?;
    let imported = import(&store, args, place, &mut lines, out).await;
    store.close().await;
    imported.map(|()| ExitCode::SUCCESS)
}

async fn import(store: &Store, args: &OpenmetricsArgs, place: &Place<'_>, lines: &mut Lines, out: &mut dyn Write) -> Result<(), CliError> {
    let _one_alone = alone(store, &place.database()?).await?;
    let stored = boxes::named(store, &args.box_name).await?;
    let mut bringing = Bringing::new(store, &args.care, place.now_ms)?;
    let (mut reader, mut kinds) = (Reader::default(), HashMap::new());
    loop {
        let number = lines.count + 1;
        let Some(line) = lines.next()? else { break };
        let row = str::from_utf8(line).map_err(|_| "it is no UTF-8 text".to_owned()).and_then(|line| reader.line(line));
        match row {
            Ok(None) => {}
            Ok(Some(row)) => {
                bringing.sample(stored.id, &row.name, row.at_ms, row.value).await?;
                if let Some(kind) = row.kind
                    && kinds.get(&row.name) != Some(&kind)
                {
                    kinds.insert(row.name, kind);
                }
            }
            Err(why) => bringing.refuse(&format!("line {number} of {}", args.file.display()), &why)?,
        }
    }
    bringing.end(out).await?;
    keep_kinds(store, &stored, kinds).await?;
    if !reader.has_ended() {
        eprintln!("{} does not end with # EOF: it may be cut off.", args.file.display());
    }
    Ok(())
}

/// Keeps what the text says of kinds, where nothing else does, or something else does otherwise; what an operator corrected stays.
async fn keep_kinds(store: &Store, stored: &StoredBox, said: HashMap<String, Kind>) -> Result<(), CliError> {
    let known = Kinds { corrected: store.kinds(stored.id).await?.into_iter().collect(), ..Kinds::default() };
    for (name, kind) in said {
        if !known.corrected.contains_key(&name) && known.of(&name, stored.spec.kind) != kind {
            store.set_kind(stored.id, &name, Some(kind)).await?;
        }
    }
    Ok(())
}
