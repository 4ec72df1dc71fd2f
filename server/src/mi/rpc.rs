//! JSON-RPC 2.0, as OpenSIPS 3.x and 4.x speak it (its mistakes mended: batches are answered). Bytes to questions, answers to bytes; it must
//! not know how they travel.

use std::fmt::Write as _;

use app::model::Number;
use serde_json::{Value, json};

use super::{
    Mi,
    commands::{Ask, COUNT, Command, Refusal, Reply},
};

/// So many requests a batch may have.
const MAX_BATCH: usize = 100;
/// No answer is larger: what would be gets an error instead.
const MAX_ANSWER: usize = 16 << 20;

const PARSE_ERROR: i64 = -32_700;
const INVALID_REQUEST: i64 = -32_600;
const UNKNOWN_METHOD: i64 = -32_601;
const INVALID_PARAMS: i64 = -32_602;
const TOO_LARGE: i64 = -32_000;

/// What comes back.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// JSON.
    Json(String),
    /// Nobody waits for one.
    None,
    /// JSON too, but the question could not be read.
    Unreadable(String),
}

/// An error of JSON-RPC.
struct Failure {
    code: i64,
    message: &'static str,
    data: Option<String>,
}

fn failure(code: i64, message: &'static str) -> Failure {
    Failure { code, message, data: None }
}

fn wrong(data: impl Into<String>) -> Failure {
    Failure { code: INVALID_PARAMS, message: "Invalid params", data: Some(data.into()) }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NotFound => failure(404, "Statistics Not Found"),
            Refusal::NeverPicked(data) => Failure { data: Some(data), ..failure(404, "Statistics Not Found") },
            Refusal::Parameters(data) => wrong(data),
            Refusal::Forbidden(data) => Self { code: 403, message: "Forbidden", data: Some(data) },
        }
    }
}

impl Failure {
    fn answer(self, id: &Value) -> String {
        let mut error = json!({ "code": self.code, "message": self.message });
        if let Some(data) = self.data {
            error["data"] = data.into();
        }
        format!("{{\"jsonrpc\":\"2.0\",\"error\":{error},\"id\":{id}}}")
    }
}

/// Answers one request or a batch. What follows the first JSON value is not looked at, as OpenSIPS does not.
pub(super) fn answer(mi: &Mi, body: &[u8]) -> Answer {
    let Some(Ok(question)) = serde_json::Deserializer::from_slice(body).into_iter::<Value>().next() else {
        return Answer::Unreadable(failure(PARSE_ERROR, "Parse error").answer(&Value::Null));
    };
    let Value::Array(batch) = question else {
        return one(mi, question).map_or(Answer::None, Answer::Json);
    };
    if batch.is_empty() || batch.len() > MAX_BATCH {
        return Answer::Json(failure(INVALID_REQUEST, "Invalid Request").answer(&Value::Null));
    }
    let mut all = String::from("[");
    for question in batch {
        // What was not looked at before the bound was met is not done either.
        let answer = if all.len() > MAX_ANSWER { refuse(&question) } else { one(mi, question) };
        if let Some(answer) = answer {
            if all.len() > 1 {
                all.push(',');
            }
            all.push_str(&answer);
        }
    }
    all.push(']');
    if all.len() > 2 { Answer::Json(all) } else { Answer::None }
}

fn refuse(question: &Value) -> Option<String> {
    let id = question.get("id").filter(|id| !id.is_object() && !id.is_array())?;
    Some(failure(TOO_LARGE, "Answer too large").answer(id))
}

/// The answer to one request; none where it has no id.
fn one(mi: &Mi, question: Value) -> Option<String> {
    let Value::Object(mut request) = question else { return Some(failure(INVALID_REQUEST, "Invalid Request").answer(&Value::Null)) };
    let id = request.remove("id");
    let shown = id.clone().filter(|id| !id.is_object() && !id.is_array()).unwrap_or(Value::Null);
    let valid = request.get("jsonrpc").and_then(Value::as_str) == Some("2.0") && id.as_ref().is_none_or(|id| *id == shown);
    let params = request.remove("params").unwrap_or(Value::Null);
    let method = request.get("method").and_then(Value::as_str);
    let (Some(method), true, false) = (method, valid, params.is_string() || params.is_number() || params.is_boolean()) else {
        // An answer to somebody else's question is not answered: two of us could go on for ever.
        let is_answer = request.contains_key("result") || request.contains_key("error");
        return (!is_answer).then(|| failure(INVALID_REQUEST, "Invalid Request").answer(&shown));
    };
    let done = Command::parse(method).ok_or_else(|| failure(UNKNOWN_METHOD, "Method not found"));
    let done = done.and_then(|command| Ok(mi.run(ask(command, params)?)?));
    id?;
    Some(match done {
        Ok(reply) => {
            let mut text = String::from("{\"jsonrpc\":\"2.0\",\"result\":");
            write_reply(&reply, &mut text);
            // Writing to a string cannot fail.
            let _ = write!(text, ",\"id\":{shown}}}");
            text
        }
        Err(failure) => failure.answer(&shown),
    })
}

/// The parameters, which come by name or by place.
fn ask(command: Command, params: Value) -> Result<Ask, Failure> {
    let ways = command.parameters();
    let wrong_count = || wrong(command.usage().unwrap_or(COUNT));
    let (names, values): (&[&str], Vec<Value>) = match params {
        Value::Array(values) => {
            let way = ways.iter().find(|names| names.len() == values.len()).ok_or_else(wrong_count)?;
            (way, values)
        }
        Value::Object(mut named) => {
            let way = ways.iter().find(|names| names.len() == named.len()).ok_or_else(wrong_count)?;
            let mismatch = || wrong(command.usage().unwrap_or("Named parameters do not match"));
            let values = way.iter().map(|name| named.remove(*name).ok_or_else(mismatch));
            (way, values.collect::<Result<_, _>>()?)
        }
        _ => (ways.iter().find(|names| names.is_empty()).ok_or_else(wrong_count)?, Vec::new()),
    };
    let mut ask = Ask { command, words: Vec::new(), weights: Vec::new() };
    for (name, value) in names.iter().zip(values) {
        match *name {
            "statistics" | "destinations" => ask.words.extend(list(name, value)?),
            "weights" => ask.weights = weights(value)?,
            _ => ask.words.push(match value {
                Value::String(text) => text,
                Value::Number(number) => number.to_string(),
                _ => return Err(wrong(format!("Bad type for parameter '{name}'"))),
            }),
        }
    }
    Ok(ask)
}

fn weights(value: Value) -> Result<Vec<f64>, Failure> {
    let bad = || wrong("Bad type for parameter 'weights': give an array of numbers, one for each destination, such as [2,1]");
    let Value::Array(items) = value else { return Err(bad()) };
    let weights: Option<Vec<f64>> = items.iter().map(Value::as_f64).collect();
    weights.filter(|weights| !weights.is_empty()).ok_or_else(bad)
}

fn list(name: &str, value: Value) -> Result<Vec<String>, Failure> {
    let Value::Array(items) = value else { return Err(wrong(format!("Bad type for parameter '{name}'"))) };
    if items.is_empty() {
        return Err(wrong(format!("Empty array in parameter '{name}'")));
    }
    let word = |item| match item {
        Value::String(text) => Ok(text),
        Value::Number(number) => Ok(number.to_string()),
        _ => Err(wrong(format!("Bad type for array item in parameter '{name}'"))),
    };
    items.into_iter().map(word).collect()
}

fn write_reply(reply: &Reply, text: &mut String) {
    match reply {
        Reply::Done => text.push_str("\"OK\""),
        Reply::Values(directory, values) => {
            text.reserve(values.len() * 32);
            text.push('{');
            for (place, (listed, value)) in values.iter().map(|(place, value)| (directory.get(*place), value)).enumerate() {
                if place > 0 {
                    text.push(',');
                }
                text.push_str(&listed.key);
                text.push_str(&number(*value));
            }
            text.push('}');
        }
        Reply::Kinds(kinds) => {
            text.push('{');
            for (place, (name, kind)) in kinds.iter().enumerate() {
                let comma = if place > 0 { "," } else { "" };
                let _ = write!(text, "{comma}{}:\"{}\"", Value::from(name.as_str()), super::word_of(*kind));
            }
            text.push('}');
        }
        Reply::Facts(facts) => {
            text.push('{');
            for (place, (name, fact)) in facts.iter().enumerate() {
                let comma = if place > 0 { "," } else { "" };
                let _ = write!(text, "{comma}{}:{}", Value::from(*name), Value::from(fact.as_str()));
            }
            text.push('}');
        }
        Reply::Words(words) => text.push_str(&json!(words).to_string()),
        Reply::Parameters(ways) => {
            let ways: Vec<_> = ways.iter().filter(|names| !names.is_empty()).collect();
            text.push_str(&json!(ways).to_string());
        }
        Reply::Load { destination, load } => {
            let _ = write!(text, "{{\"destination\":{},\"load\":{load}}}", Value::from(destination.as_str()));
        }
        Reply::Released(count) => {
            let _ = write!(text, "{{\"released\":{count}}}");
        }
        Reply::Process(pid) => {
            let _ = write!(text, "{{\"Processes\":[{{\"ID\":0,\"PID\":{pid},\"Type\":\"Tickmark\"}}]}}");
        }
    }
}

/// A number as JSON.
fn number(value: Number) -> String {
    match value {
        Number::Int(value) => value.to_string(),
        Number::Float(value) => serde_json::Number::from_f64(value).map_or_else(|| "null".to_owned(), |number| number.to_string()),
    }
}

#[cfg(test)]
mod tests;
