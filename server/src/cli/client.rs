//! `tickmark get|list|reset|watch ADDRESS`: asks a server directly, without any panel, as opensipsctl did.

mod reset;
mod watch;

use std::{
    collections::HashMap,
    io::{self, Write},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use app::{
    matching::{Pattern, Query, quoted_word},
    model::{BoxKind, Kind},
    shown::visible,
};
use clap::Args;
use serde_json::Value;

use super::{CliError, boxes::KindArg, print_table, secret::BoxLogin};
use crate::{
    catalogue,
    config::Environment,
    source::{self, Answer, Reading, Source, Target, Typed},
};

pub use reset::ResetArgs;
pub(super) use reset::reset;
pub use watch::WatchArgs;
pub(super) use watch::watch;

/// How long one answer may take.
const TIME_LIMIT: Duration = Duration::from_secs(10);

/// Whom to ask for what.
#[derive(Args, Debug)]
pub struct AskArgs {
    /// Such as <http://10.0.0.5:8888/mi>
    address: String,
    /// Which statistics: dialog: for a group, names, * for anything; all without any
    names: Vec<String>,
    /// Print JSON, with null for what is unknown
    #[arg(long)]
    json: bool,
    /// Which dialect it speaks [default: find out]
    #[arg(long, value_enum)]
    kind: Option<KindArg>,
    /// User and password.
    #[command(flatten)]
    login: BoxLogin,
}

pub(super) async fn get(args: AskArgs, env: &Environment, out: &mut dyn Write) -> Result<ExitCode, CliError> {
    let (mut source, _) = open(&args, env).await?;
    let answer = source.poll().await?;
    report_left_out(&answer);
    let readings = matching(&answer, &args.names);
    if args.json {
        print_json(out, &Value::Object(readings.map(|(name, reading)| (name.to_owned(), json(reading))).collect()))?;
    } else {
        print_values(out, &readings.map(|(name, reading)| line(name, reading)).collect::<Vec<_>>())?;
    }
    Ok(report_missing(&answer, &args.names))
}

pub(super) async fn list(args: AskArgs, env: &Environment, out: &mut dyn Write) -> Result<ExitCode, CliError> {
    let (mut source, system) = open(&args, env).await?;
    let kinds = Kinds::ask(&mut source, system).await?;
    let answer = source.poll().await?;
    report_left_out(&answer);
    let rows = matching(&answer, &args.names).map(|(name, _)| (name, kinds.of(name).as_str()));
    if args.json {
        print_json(out, &Value::Object(rows.map(|(name, kind)| (name.to_owned(), kind.into())).collect()))?;
    } else {
        print_table(out, &rows.map(|(name, kind)| vec![name.to_owned(), kind.to_owned()]).collect::<Vec<_>>())?;
    }
    Ok(report_missing(&answer, &args.names))
}

/// What each statistic is: as the server says, else as the catalogue knows it.
struct Kinds {
    said: HashMap<Arc<str>, Kind>,
    system: BoxKind,
}

impl Kinds {
    async fn ask(source: &mut Source, system: BoxKind) -> Result<Self, CliError> {
        Ok(Self { said: source.kinds().await?.into_iter().collect(), system })
    }

    fn of(&self, name: &str) -> Kind {
        let (group, short) = app::model::split_name(name);
        let known = self.said.get(name).copied().or_else(|| catalogue::lookup(self.system, group, short).map(|entry| entry.kind));
        known.unwrap_or_else(|| catalogue::kind_of_unknown(group))
    }
}

async fn open(args: &AskArgs, env: &Environment) -> Result<(Source, BoxKind), CliError> {
    let Typed { mut address, user, password } = args.login.typed(&args.address, env)?;
    let kind = if let Some(kind) = args.kind {
        address.check_kind(kind.into()).map_err(|reason| CliError::Usage(format!("--kind: {reason}")))?;
        kind.into()
    } else {
        let report = source::probe(&address.to_string(), user.as_deref(), password.as_ref()).await;
        let kind = report.kind.ok_or_else(|| CliError::Failed(report.message.clone()))?;
        address = source::parse_address(&report.address).map_err(CliError::Failed)?;
        kind
    };
    let target = Target { kind, address, user, password, time_limit: TIME_LIMIT };
    Ok((Source::new(target)?, kind))
}

fn query(names: &[String]) -> Query {
    // A name is one argument, whatever is in it.
    let words: Vec<String> = names.iter().map(|name| quoted_word(name)).collect();
    Query::parse(&words.join(" "))
}

fn matching<'a>(answer: &'a Answer, names: &[String]) -> impl Iterator<Item = (&'a str, &'a Reading)> {
    let query = query(names);
    let readings = answer.names.iter().zip(&answer.values);
    readings.filter(move |(name, _)| query.matches(name)).map(|(name, reading)| (&**name, reading))
}

/// A full name, and its value as it is printed.
type Line = (String, String);

fn line(name: &str, reading: &Reading) -> Line {
    (visible(name).into_owned(), value(reading))
}

fn value(reading: &Reading) -> String {
    match reading {
        // JSON writes numbers exactly.
        Ok(number) => serde_json::to_string(number).unwrap_or_default(),
        Err(unknown) => format!("? ({})", unknown.sentence()),
    }
}

fn json(reading: &Reading) -> Value {
    reading.ok().and_then(|number| serde_json::to_value(number).ok()).unwrap_or_default()
}

fn print_json(out: &mut dyn Write, json: &Value) -> io::Result<()> {
    writeln!(out, "{json}")
}

fn print_values(out: &mut dyn Write, lines: &[Line]) -> io::Result<()> {
    let width = lines.iter().map(|(name, _)| name.chars().count()).max().unwrap_or_default();
    lines.iter().try_for_each(|(name, value)| writeln!(out, "{name:<width$} = {value}"))
}

fn report_left_out(answer: &Answer) {
    if let Some(sentence) = &answer.left_out {
        eprintln!("tickmark: {sentence}");
    }
}

/// Names that match nothing are told, and are a failure.
fn report_missing(answer: &Answer, names: &[String]) -> ExitCode {
    let missing = missing(answer, names);
    for name in &missing {
        eprintln!("tickmark: the server has no statistic {:?}", visible(name));
    }
    if missing.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn missing<'a>(answer: &Answer, names: &'a [String]) -> Vec<&'a str> {
    let is_missing = |name: &&String| {
        let pattern = Pattern::parse(name);
        !answer.names.iter().any(|full| pattern.matches(full))
    };
    names.iter().filter(is_missing).map(String::as_str).collect()
}

#[cfg(test)]
mod tests {
    use app::model::Number;

    use super::*;
    use crate::source::Unknown;

    fn answer(readings: &[(&str, Reading)]) -> Answer {
        Answer {
            at_ms: 0,
            took: Duration::ZERO,
            started_at_ms: None,
            names: readings.iter().map(|(name, _)| Arc::from(*name)).collect(),
            values: readings.iter().map(|(_, reading)| *reading).collect(),
            left_out: None,
        }
    }

    fn words(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn values_are_printed_exactly_and_aligned() {
        let answer = answer(&[
            ("core:rcv_requests", Ok(Number::Int(i64::MAX))),
            ("load:load", Ok(Number::Float(0.25))),
            ("shmem:free", Err(Unknown::Inexact)),
        ]);
        let rows: Vec<_> = matching(&answer, &[]).map(|(name, reading)| line(name, reading)).collect();
        let mut out = Vec::new();
        print_values(&mut out, &rows).unwrap();
        let expect = "core:rcv_requests = 9223372036854775807\nload:load         = 0.25\n\
                      shmem:free        = ? (negative, but the box rounded it away)\n";
        assert_eq!(String::from_utf8(out).unwrap(), expect);
    }

    #[test]
    fn names_choose() {
        let answer = answer(&[("core:a", Ok(Number::Int(1))), ("core:b", Ok(Number::Int(2))), ("my group:c d", Ok(Number::Int(3)))]);
        let chosen = |names: &[&str]| matching(&answer, &words(names)).map(|(name, _)| name.to_owned()).collect::<Vec<_>>();
        assert_eq!(chosen(&[]).len(), 3);
        assert_eq!(chosen(&["core:"]), ["core:a", "core:b"]);
        assert_eq!(chosen(&["b", "my group:c d"]), ["core:b", "my group:c d"]);
        assert_eq!(missing(&answer, &words(&["core:", "x", "dialog:"])), ["x", "dialog:"]);
    }

    #[test]
    fn a_terminal_is_told_nothing_but_text() {
        let name = "x:\u{1b}[2J\u{202e}a\nb\u{9b}31m";
        let mut out = Vec::new();
        print_values(&mut out, &[line(name, &Ok(Number::Int(1)))]).unwrap();
        print_table(&mut out, &[vec![name.to_owned(), "counter".to_owned()]]).unwrap();
        let out = String::from_utf8(out).unwrap();
        assert_eq!(out, "x:␛[2J⟨U+202E⟩a␊b⟨U+009B⟩31m = 1\nx:␛[2J⟨U+202E⟩a␊b⟨U+009B⟩31m  counter\n");
        let answer = answer(&[(name, Ok(Number::Int(1))), ("x:say \"hi\"", Ok(Number::Int(2)))]);
        assert_eq!(matching(&answer, &words(&["x:say \"hi\""])).count(), 1);
        assert_eq!(matching(&answer, &words(&[name])).count(), 1);
    }
}
