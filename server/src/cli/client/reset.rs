//! `tickmark reset ADDRESS NAMES…`: has counters of a server set to zero, and says of each what became of it.

use std::{io::Write, process::ExitCode};

use app::{model::Kind, shown::visible};
use clap::Args;
use serde_json::json;

use super::{AskArgs, CliError, Kinds, matching, missing, open, print_json};
use crate::{
    config::Environment,
    source::{Answer, Refused, Resetting},
};

/// Whom to tell, and what.
#[derive(Args, Debug)]
pub struct ResetArgs {
    /// Whom and what.
    #[command(flatten)]
    ask: AskArgs,
}

pub(in crate::cli) async fn reset(args: ResetArgs, env: &Environment, out: &mut dyn Write) -> Result<ExitCode, CliError> {
    let ResetArgs { ask } = args;
    if ask.names.is_empty() {
        return Err(CliError::Usage("name what is to be reset: names, dialog: for the counters of a group, '*' for every counter".into()));
    }
    let (mut source, system) = open(&ask, env).await?;
    let kinds = Kinds::ask(&mut source, system).await?;
    let before = source.poll().await?;
    let chosen = chosen(&before, &ask.names, |name| kinds.of(name));
    let mut resetting = Resetting::new(&before, &chosen, |name| kinds.of(name));
    while resetting.goes_on() {
        source.reset(&mut resetting).await;
        match source.poll().await {
            Ok(answer) => drop(resetting.check(&answer)),
            Err(error) => resetting.give_up(&error.to_string()),
        }
    }
    let (reset, mut refused) = resetting.end();
    refused.extend(
        missing(&before, &ask.names)
            .into_iter()
            .map(|name| Refused { name: name.to_owned(), reason: "the server has no such statistic".into() }),
    );
    report(&reset, &refused, ask.json, out)?;
    Ok(if refused.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What the words choose: of groups and patterns the counters, and what is named itself, whatever it is.
fn chosen(answer: &Answer, words: &[String], kind: impl Fn(&str) -> Kind) -> Vec<String> {
    let (names, patterns): (Vec<String>, Vec<String>) = words.iter().cloned().partition(|word| is_name(word));
    // Without words everything would match.
    let of = |words: &[String]| -> Vec<String> {
        if words.is_empty() { Vec::new() } else { matching(answer, words).map(|(name, _)| name.to_owned()).collect() }
    };
    let mut chosen = of(&names);
    chosen.extend(of(&patterns).into_iter().filter(|name| kind(name) == Kind::Counter));
    chosen
}

/// Whether a word names one statistic, and not a group or whatever fits.
fn is_name(word: &str) -> bool {
    word.starts_with('=') || !(word.ends_with(':') || word.contains('*') || word == "all")
}

fn report(reset: &[String], refused: &[Refused], as_json: bool, out: &mut dyn Write) -> Result<(), CliError> {
    if as_json {
        let refused: Vec<_> = refused.iter().map(|Refused { name, reason }| json!({ "name": name, "reason": reason })).collect();
        return Ok(print_json(out, &json!({ "reset": reset, "refused": refused }))?);
    }
    for name in reset {
        writeln!(out, "{} was set to zero", visible(name))?;
    }
    for Refused { name, reason } in refused {
        eprintln!("tickmark: {} was not set to zero: {reason}", visible(name));
    }
    if reset.is_empty() && refused.is_empty() {
        eprintln!("tickmark: none of what matches is a counter, and only counters can be set to zero");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use app::model::Number;

    use super::*;

    #[test]
    fn a_group_means_its_counters_and_a_name_itself() {
        let names: Arc<[Arc<str>]> = ["core:count", "core:level", "dialog:level", "x:y"].map(Arc::from).into();
        let values = vec![Ok(Number::Int(1)); 4];
        let answer = Answer { at_ms: 0, took: Duration::ZERO, started_at_ms: None, names, values, left_out: None };
        let check = |words: &[&str], expect: &[&str]| {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            let kind = |name: &str| if name.ends_with("level") { Kind::Gauge } else { Kind::Counter };
            assert_eq!(chosen(&answer, &words, kind), expect, "{words:?}");
        };
        check(&["core:"], &["core:count"]);
        check(&["*"], &["core:count", "x:y"]);
        check(&["level"], &["core:level", "dialog:level"]);
        check(&["core:level", "dialog:"], &["core:level"]);
        check(&["nothing"], &[]);
    }
}
