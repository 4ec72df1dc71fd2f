//! `tickmark watch ADDRESS`: asks a server again and again. On a terminal the values are painted over themselves, with what changed and
//! how quickly; elsewhere what changed is written line by line.

mod paint;

use std::{
    collections::{HashMap, VecDeque},
    io::{self, IsTerminal, Write},
    process::ExitCode,
    time::Duration,
};

use app::{
    format,
    model::{Kind, Number},
};
use chrono::{DateTime, Utc};
use clap::Args;
use serde_json::{Map, Value, json};
use tokio::signal::unix::{SignalKind, signal};

use super::{AskArgs, CliError, Kinds, Line, json, matching, open, print_json, print_values, value};
use crate::{
    config::{Environment, parse_interval},
    source::{Answer, Reading, SourceError},
};

/// A rate is that of so long, where polls come more often.
const RATE_OVER_MS: i64 = 1_000;

/// Whom to ask for what, and how often.
#[derive(Args, Debug)]
pub struct WatchArgs {
    /// Whom and what.
    #[command(flatten)]
    ask: AskArgs,
    /// How often, 200ms to 1h
    #[arg(long, alias = "interval", value_parser = parse_interval, default_value = "1s", value_name = "DURATION")]
    every: Duration,
}

pub(in crate::cli) async fn watch(args: WatchArgs, env: &Environment, out: &mut dyn Write) -> Result<ExitCode, CliError> {
    let (mut source, system) = open(&args.ask, env).await?;
    let kinds = Kinds::ask(&mut source, system).await?;
    let mut due = tokio::time::interval(args.every);
    due.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    let mut interrupted = signal(SignalKind::interrupt())?;
    let mut ended = signal(SignalKind::terminate())?;
    let mut seen = Seen::default();
    let in_place = !args.ask.json && io::stdout().is_terminal();
    let mut screen = None;
    loop {
        tokio::select! {
            _ = interrupted.recv() => break,
            _ = ended.recv() => break,
            _ = due.tick() => {}
        }
        // A server that is slow to answer does not keep anyone.
        let polled = tokio::select! {
            _ = interrupted.recv() => break,
            _ = ended.recv() => break,
            polled = source.poll() => polled,
        };
        match polled {
            Ok(answer) => {
                seen.take(&answer, &args.ask.names, &kinds);
                if in_place {
                    let screen = screen.get_or_insert_with(|| paint::Screen::new(&source.address().to_string(), args.every));
                    screen.paint(&seen.rows, answer.at_ms, None, out)?;
                } else {
                    write_changes(&seen, answer.at_ms, args.ask.json, out)?;
                }
            }
            // The first failure is most likely a slip of the command line; later ones pass.
            Err(error) if seen.polls == 0 => return Err(error.into()),
            Err(error) => match &mut screen {
                Some(screen) => screen.paint(&seen.rows, Utc::now().timestamp_millis(), Some(&error), out)?,
                None => report(&error, args.ask.json, out)?,
            },
        }
    }
    if let Some(screen) = screen {
        // What was seen last stays to be read.
        screen.close(out)?;
        print_values(out, &seen.rows.iter().map(Row::line).collect::<Vec<_>>())?;
    }
    Ok(ExitCode::SUCCESS)
}

/// A statistic as it is shown.
#[derive(Clone, Debug, PartialEq)]
struct Row {
    /// The full name.
    name: String,
    reading: Reading,
    /// How much a counter grows a second.
    rate: Option<f64>,
    /// Whether it is other than at the poll before, and where to.
    change: Change,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    /// It was not there before.
    New,
    None,
    Up,
    Down,
    /// It is known now, or not any more.
    Other,
}

impl Row {
    fn line(&self) -> Line {
        super::line(&self.name, &self.reading)
    }
}

/// What was read so far.
#[derive(Default)]
struct Seen {
    polls: u64,
    rows: Vec<Row>,
    /// The values of a counter within [`RATE_OVER_MS`], with their times.
    lately: HashMap<String, VecDeque<(i64, Number)>>,
}

impl Seen {
    fn take(&mut self, answer: &Answer, words: &[String], kinds: &Kinds) {
        self.polls += 1;
        let before: HashMap<String, Reading> = self.rows.drain(..).map(|row| (row.name, row.reading)).collect();
        let mut lately = std::mem::take(&mut self.lately);
        for (name, &reading) in matching(answer, words) {
            let change = match (before.get(name), reading) {
                (None, _) => Change::New,
                (Some(before), now) if *before == now => Change::None,
                (Some(Ok(before)), Ok(now)) if now.as_f64() > before.as_f64() => Change::Up,
                (Some(Ok(_)), Ok(_)) => Change::Down,
                _ => Change::Other,
            };
            let mut rate = None;
            if let Some(number) = reading.ok().filter(|_| kinds.of(name) == Kind::Counter) {
                let mut values = lately.remove(name).unwrap_or_default();
                rate = grown(&mut values, answer.at_ms, number);
                self.lately.insert(name.to_owned(), values);
            }
            self.rows.push(Row { name: name.to_owned(), reading, rate, change });
        }
    }
}

/// Adds a value; answers how much the counter grows a second. Across a fall there is no growth.
fn grown(values: &mut VecDeque<(i64, Number)>, at_ms: i64, number: Number) -> Option<f64> {
    if values.back().is_some_and(|(at, before)| *at >= at_ms || before.as_f64() > number.as_f64()) {
        values.clear();
    }
    // The one that is older than the span, so that the whole of it is looked at.
    while values.get(1).is_some_and(|(at, _)| at_ms - at >= RATE_OVER_MS) {
        values.pop_front();
    }
    values.push_back((at_ms, number));
    let (from_ms, first) = *values.front()?;
    #[expect(clippy::cast_precision_loss, reason = "milliseconds between two polls")]
    let seconds = (at_ms - from_ms) as f64 / 1000.0;
    (seconds > 0.0).then(|| (number.as_f64() - first.as_f64()) / seconds)
}

/// What is other than at the poll before; nothing when nothing is.
fn write_changes(seen: &Seen, at_ms: i64, as_json: bool, out: &mut dyn Write) -> Result<(), CliError> {
    let changed: Vec<&Row> = seen.rows.iter().filter(|row| row.change != Change::None).collect();
    if changed.is_empty() {
        return Ok(());
    }
    if as_json {
        let values: Map<String, Value> = changed.iter().map(|row| (row.name.clone(), json(&row.reading))).collect();
        let rates: Map<String, Value> = changed.iter().filter_map(|row| Some((row.name.clone(), row.rate?.into()))).collect();
        print_json(out, &json!({ "at": at_ms, "values": values, "rates": rates }))?;
    } else {
        writeln!(out, "-- {}", time(at_ms))?;
        let line = |row: &&Row| {
            let (name, value) = row.line();
            (name, row.rate.map_or_else(|| value.clone(), |rate| format!("{value}  {}", format::rate(rate))))
        };
        print_values(out, &changed.iter().map(line).collect::<Vec<_>>())?;
    }
    Ok(out.flush()?)
}

fn report(error: &SourceError, as_json: bool, out: &mut dyn Write) -> Result<(), CliError> {
    let at_ms = Utc::now().timestamp_millis();
    if as_json {
        print_json(out, &json!({ "at": at_ms, "error": error.to_string() }))?;
        out.flush()?;
    } else {
        eprintln!("-- {}: {error}", time(at_ms));
    }
    Ok(())
}

fn time(at_ms: i64) -> String {
    DateTime::<Utc>::from_timestamp_millis(at_ms).map(|at| at.format("%Y-%m-%d %H:%M:%S UTC").to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
