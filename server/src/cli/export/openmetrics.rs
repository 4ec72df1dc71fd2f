//! `tickmark export openmetrics`: the samples of a box as text, series after series, a day of each at a time.

use std::{
    fs::OpenOptions,
    io::{BufWriter, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use app::{matching::Pattern, model::Kind};
use clap::{Args, ValueHint};

use super::super::{CliError, Place, boxes, check::Progress};
use crate::{
    board::Kinds,
    config::parse_instant,
    openmetrics::{END, Spelled, Writer},
    store::{SeriesId, Store, StoredBox},
};

/// So much is read at once.
const SLICE_MS: i64 = 24 * 3_600 * 1_000;

/// Which samples, and where to.
#[derive(Args, Debug)]
pub(super) struct OpenmetricsArgs {
    /// The box
    #[arg(long = "box", value_name = "NAME")]
    box_name: String,
    /// Only these statistics: a group (dialog:), a name, or a pattern (rcv_*); may be given more than once
    #[arg(long = "match", value_name = "WORD")]
    words: Vec<String>,
    /// From this instant on, such as 2026-11-24T08:00:00Z or epoch milliseconds [default: the first sample]
    #[arg(long, value_name = "INSTANT", value_parser = instant, allow_hyphen_values = true)]
    from: Option<i64>,
    /// Up to before this instant [default: the last sample]
    #[arg(long, value_name = "INSTANT", value_parser = instant, allow_hyphen_values = true)]
    to: Option<i64>,
    /// The file to write, which must not be there yet; - is standard output
    #[arg(value_hint = ValueHint::FilePath, default_value = "-")]
    file: PathBuf,
}

fn instant(text: &str) -> Result<i64, String> {
    parse_instant(text)
}

/// A series to write.
struct Chosen {
    spelled: Spelled,
    kind: Option<Kind>,
    series: SeriesId,
}

pub(super) async fn run(args: &OpenmetricsArgs, place: &Place<'_>, out: &mut dyn Write) -> Result<ExitCode, CliError> {
    let store = place.store().await?;
    let stored = boxes::named(&store, &args.box_name).await?;
    let chosen = chosen(&store, &stored, &args.words).await?;
    if args.file == Path::new("-") {
        write_all(&store, &stored, &chosen, args, out).await?;
        store.close().await;
        return Ok(ExitCode::SUCCESS);
    }
    let path = args.file.display();
    let failed = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => CliError::Failed(format!("{path} is there already: name a file that is not")),
        _ => CliError::Failed(format!("cannot write {path}: {error}")),
    };
    let mut file = BufWriter::new(OpenOptions::new().write(true).create_new(true).open(&args.file).map_err(failed)?);
    let written = async {
        let samples = write_all(&store, &stored, &chosen, args, &mut file).await?;
        file.flush().and_then(|()| file.get_ref().sync_all()).map_err(failed)?;
        Ok(samples)
    };
    let written: Result<u64, CliError> = written.await;
    store.close().await;
    match written {
        Ok(samples) => {
            writeln!(out, "{path} holds {samples} samples of {} series of the box {}.", chosen.len(), args.box_name)?;
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => {
            // Nobody takes the part for the whole.
            let _ = std::fs::remove_file(&args.file);
            Err(error)
        }
    }
}

/// The series that are asked for, those of one metric and one kind together.
async fn chosen(store: &Store, stored: &StoredBox, words: &[String]) -> Result<Vec<Chosen>, CliError> {
    let corrected = store.kinds(stored.id).await?.into_iter().collect();
    let kinds = Kinds { corrected, ..Kinds::default() };
    let patterns: Vec<Pattern> = words.iter().map(|word| Pattern::parse(word)).collect();
    let all = store.series_of(stored.id).await?;
    for (word, pattern) in words.iter().zip(&patterns) {
        if !all.iter().any(|(_, name)| pattern.matches(name)) {
            return Err(CliError::Failed(format!("nothing was recorded of {} that matches {word:?}", stored.spec.name)));
        }
    }
    let is_asked = |name: &str| patterns.is_empty() || patterns.iter().any(|pattern| pattern.matches(name));
    let all = all.into_iter().filter(|(_, name)| is_asked(name));
    let chosen = all.map(|(series, name)| Chosen { spelled: Spelled::of(&name), kind: kinds.told(&name, stored.spec.kind), series });
    let mut chosen: Vec<Chosen> = chosen.collect();
    chosen.sort_by_cached_key(|one| (one.spelled.metric().to_owned(), one.kind.map(Kind::as_str), one.spelled.clone()));
    Ok(chosen)
}

async fn write_all(
    store: &Store,
    stored: &StoredBox,
    chosen: &[Chosen],
    args: &OpenmetricsArgs,
    out: &mut dyn Write,
) -> Result<u64, CliError> {
    let mut progress = Progress::new("exported");
    let within = store.recorded_within(stored.id).await?.unwrap_or_default();
    let (from_ms, to_ms) = (args.from.unwrap_or(within.0).max(within.0), args.to.unwrap_or(i64::MAX).min(within.1.saturating_add(1)));
    let (mut writer, mut text, mut samples) = (Writer::default(), String::new(), 0);
    for (done, Chosen { spelled, kind, series }) in chosen.iter().enumerate() {
        writer.kind(&mut text, spelled, *kind);
        let mut start_ms = from_ms;
        while start_ms < to_ms {
            let end_ms = start_ms.saturating_add(SLICE_MS).min(to_ms);
            let read = store.samples(*series, start_ms, end_ms).await?;
            if let Some(gap) = read.damaged.first() {
                return Err(CliError::Failed(format!("{}; tickmark check tells all that is damaged", gap.reason)));
            }
            Writer::samples(&mut text, spelled, &read);
            samples += read.at_ms.len() as u64;
            out.write_all(text.as_bytes())?;
            text.clear();
            start_ms = end_ms;
            #[expect(clippy::cast_precision_loss, reason = "it is only shown")]
            let (within, all) = ((start_ms - from_ms) as f64 / (to_ms - from_ms) as f64, chosen.len() as f64);
            #[expect(clippy::cast_precision_loss, reason = "it is only shown")]
            progress.tell((done as f64 + within) / all);
        }
    }
    out.write_all(END.as_bytes())?;
    progress.end();
    Ok(samples)
}
