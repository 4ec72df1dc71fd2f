//! `tickmark check`: reads the whole database back and reports.

use std::{io::Write, process::ExitCode};

use clap::Args;

use super::{CliError, Place};
use crate::store::CheckReport;

/// Whether it only looks.
#[derive(Args, Debug)]
pub struct CheckArgs {
    /// First make damaged roll-ups anew from the samples; nothing else is touched
    #[arg(long)]
    repair: bool,
}

pub(super) async fn run(place: &mut Place<'_>, args: &CheckArgs, out: &mut dyn Write) -> Result<ExitCode, CliError> {
    let store = place.store().await?;
    if args.repair {
        let mended = store.repair().await?;
        for one in &mended {
            writeln!(out, "mended: {one}")?;
        }
        if mended.is_empty() {
            writeln!(out, "Nothing could be mended, or needed to be: roll-ups are, where the samples they came from are there.")?;
        }
    }
    let mut progress = Progress::new("checked");
    let report = store.check(|part| progress.tell(part)).await;
    progress.end();
    store.close().await;
    print(&report?, out)
}

/// How far something is, in one line that is written over.
pub(super) struct Progress {
    word: &'static str,
    shown: Option<u8>,
}

impl Progress {
    /// `word` says what is done, such as `checked`.
    pub(super) fn new(word: &'static str) -> Self {
        Self { word, shown: None }
    }

    /// From 0 to 1.
    pub(super) fn tell(&mut self, part: f64) {
        let percent = percent(part);
        if self.shown != Some(percent) {
            self.shown = Some(percent);
            eprint!("\r{} {percent} %", self.word);
        }
    }

    pub(super) fn end(&mut self) {
        if self.shown.take().is_some() {
            eprintln!();
        }
    }
}

fn print(report: &CheckReport, out: &mut dyn Write) -> Result<ExitCode, CliError> {
    let CheckReport { series, chunks, chunk_samples, head_rows, head_samples, faults } = report;
    writeln!(out, "{series} series: {chunk_samples} samples in {chunks} chunks, {head_samples} in {head_rows} rows of the head.")?;
    for fault in faults {
        writeln!(out, "fault: {fault}")?;
    }
    if faults.is_empty() {
        writeln!(out, "Everything could be read back.")?;
        return Ok(ExitCode::SUCCESS);
    }
    writeln!(out, "{} faults: what they name is lost, all else can be read.", faults.len())?;
    Ok(ExitCode::FAILURE)
}

fn percent(part: f64) -> u8 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0 to 100 before")]
    let percent = (part.clamp(0.0, 1.0) * 100.0) as u8;
    percent
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_told_and_decide_the_exit_code() {
        let printed = |faults: &[&str]| {
            let faults = faults.iter().map(|fault| (*fault).to_owned()).collect();
            let report = CheckReport { series: 2, chunks: 3, chunk_samples: 400, head_rows: 5, head_samples: 10, faults };
            let mut out = Vec::new();
            let code = print(&report, &mut out).unwrap();
            (code, String::from_utf8(out).unwrap())
        };
        let (code, text) = printed(&[]);
        assert_eq!(code, ExitCode::SUCCESS);
        assert_eq!(text, "2 series: 400 samples in 3 chunks, 10 in 5 rows of the head.\nEverything could be read back.\n");
        let (code, text) = printed(&["chunk 7 of core:x"]);
        assert_eq!(code, ExitCode::FAILURE);
        assert!(text.contains("fault: chunk 7 of core:x\n1 faults"), "{text}");
    }

    #[test]
    fn percents_stay_within_bounds() {
        assert_eq!([percent(-1.0), percent(0.5), percent(2.0), percent(f64::NAN)], [0, 50, 100, 0]);
    }
}
