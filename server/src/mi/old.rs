//! How OpenSIPS 2.x wrote answers: JSON whose values are strings, lines of text; and the same as XML. It must not know how they travel.

use std::fmt::Write as _;

use app::model::Number;
use serde_json::Value;

use super::{
    Mi,
    commands::{Ask, Command, Refusal},
};

pub(super) use super::commands::Reply;

/// What is said of an unknown command.
pub(super) const UNKNOWN: &str = "Command not found";

/// Why there is no answer: the code and the words of 2.x.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) code: u16,
    pub(super) message: String,
}

impl Fault {
    pub(super) fn new(code: u16, message: &str) -> Self {
        Self { code, message: message.to_owned() }
    }

    fn unknown() -> Self {
        Self::new(500, UNKNOWN)
    }
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NotFound => Self::new(404, "Statistics Not Found"),
            Refusal::Parameters(message) if message == super::commands::COUNT => Self::new(400, "Too few or too many arguments"),
            Refusal::Parameters(message) => Self { code: 400, message },
            Refusal::NeverPicked(message) => Self { code: 404, message },
            Refusal::Forbidden(message) => Self { code: 403, message },
        }
    }
}

/// Does what 2.x would: statistics of which none is known are an error.
pub(super) fn run(mi: &Mi, command: &str, words: Vec<String>, may_write: bool) -> Result<Reply, Fault> {
    let command = Command::parse(command).ok_or_else(Fault::unknown)?;
    if command.writes() && !may_write {
        return Err(Fault::new(403, "a GET changes nothing here: POST to /mi, or start tickmark with --mi-get write"));
    }
    let reply = mi.run(ask(command, words)?)?;
    match &reply {
        Reply::Values(_, values) if values.is_empty() => Err(Fault::new(404, "Statistics Not Found")),
        Reply::Kinds(kinds) if kinds.is_empty() => Err(Fault::new(404, "Statistics Not Found")),
        _ => Ok(reply),
    }
}

/// A word that begins so, after the destinations, tells their weights: `weights=2/1`.
const WEIGHTS: &str = "weights=";

fn ask(command: Command, mut words: Vec<String>) -> Result<Ask, Fault> {
    let mut weights = Vec::new();
    let told = words.last().and_then(|word| word.strip_prefix(WEIGHTS)).filter(|_| command == Command::Select);
    if let Some(told) = told {
        let wrong = || Fault::new(400, "the weights are no numbers: write one for each destination, such as weights=2/1");
        weights = told.split('/').map(|weight| weight.parse().map_err(|_| wrong())).collect::<Result<_, _>>()?;
        words.pop();
    }
    Ok(Ask { command, words, weights })
}

/// A value as text.
fn number(value: Number) -> String {
    match value {
        Number::Int(value) => value.to_string(),
        Number::Float(value) => value.to_string(),
    }
}

/// What an answer consists of: names with values, or a list of words alone.
fn pairs(reply: &Reply) -> Vec<(String, String)> {
    match reply {
        Reply::Done => Vec::new(),
        Reply::Values(directory, values) => {
            let pair = |(place, value): &(u32, Number)| (directory.get(*place).statistic.name().to_owned(), number(*value));
            values.iter().map(pair).collect()
        }
        Reply::Kinds(kinds) => kinds.iter().map(|(name, kind)| (name.clone(), super::word_of(*kind).to_owned())).collect(),
        Reply::Facts(facts) => facts.iter().map(|(name, fact)| ((*name).to_owned(), fact.clone())).collect(),
        Reply::Words(words) => words.iter().map(|word| (String::new(), (*word).to_owned())).collect(),
        Reply::Parameters(ways) => ways.iter().map(|names| (String::new(), names.join(" "))).collect(),
        Reply::Load { destination, load } => {
            vec![("destination".to_owned(), destination.clone()), ("load".to_owned(), load.to_string())]
        }
        Reply::Released(count) => vec![("released".to_owned(), count.to_string())],
        Reply::Process(pid) => vec![("Process".to_owned(), format!("ID=0 PID={pid} Type=Tickmark"))],
    }
}

/// JSON: an object whose values are strings; nothing at all where something was done.
pub(super) fn json(done: &Result<Reply, Fault>) -> String {
    let text = |text: &str| Value::from(text).to_string().replace('/', "\\/");
    match done {
        Ok(Reply::Done) => String::new(),
        Ok(Reply::Process(pid)) => {
            format!("{{\"Process\": [{{\"attributes\":{{\"ID\": \"0\", \"PID\": \"{pid}\", \"Type\": \"Tickmark\"}}}}]}}")
        }
        Ok(reply @ (Reply::Words(_) | Reply::Parameters(_))) => {
            let words: Vec<String> = pairs(reply).iter().map(|(_, word)| format!("{{\"value\":{}}}", text(word))).collect();
            format!("{{\"\": [{}]}}", words.join(", "))
        }
        Ok(reply) => {
            let members: Vec<String> =
                pairs(reply).iter().map(|(name, value)| format!("{}: {}", Value::from(name.as_str()), text(value))).collect();
            format!("{{{}}}", members.join(", "))
        }
        Err(fault) => format!("{{\"error\": {{\"code\": {}, \"message\": {}}}}}", fault.code, text(&fault.message)),
    }
}

/// Lines of text, with an empty one at the end.
pub(super) fn text(done: &Result<Reply, Fault>) -> String {
    // A line break in a name would be read as the end of its line.
    let line = |text: &str| text.replace(['\n', '\r'], " ");
    match done {
        Ok(reply) => {
            let mut lines = String::from("200 OK\n");
            for (name, value) in pairs(reply) {
                let value = line(&value);
                // Writing to a string cannot fail, here and below.
                let _ = if name.is_empty() { writeln!(lines, "{value}") } else { writeln!(lines, "{}:: {value}", line(&name)) };
            }
            lines.push('\n');
            lines
        }
        Err(fault) => format!("{} {}\n\n", fault.code, line(&fault.message)),
    }
}

/// XML: one element a name.
pub(super) fn xml(done: &Result<Reply, Fault>) -> String {
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    match done {
        Ok(reply) => {
            text.push_str("<reply>\n");
            for (name, value) in pairs(reply) {
                let _ = if name.is_empty() {
                    writeln!(text, "<value>{}</value>", escaped(&value))
                } else {
                    writeln!(text, "<value name=\"{}\">{}</value>", escaped(&name), escaped(&value))
                };
            }
            text.push_str("</reply>\n");
        }
        Err(fault) => {
            let _ = writeln!(text, "<error code=\"{}\">{}</error>", fault.code, escaped(&fault.message));
        }
    }
    text
}

/// Text in XML; what XML cannot hold at all becomes a question mark in a box.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\t' | '\n' | '\r' => {
                let _ = write!(escaped, "&#{};", u32::from(c));
            }
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests;
