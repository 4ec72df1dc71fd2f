//! Replies to statistics: bytes in, names and readings out. It sends nothing and reads no clock.
//!
//! Each dialect comes down to names and readings in the order of the reply. A reply of JSON-RPC nearly always repeats the names of the one before in the same order. [`Memory`] keeps that order as the bytes the
//! server wrote, and [`recognise`] reads a reply by comparing with it, without a name being made anew. Whatever differs is
//! read by `serde_json`. Invariant: what `recognise` accepts, `serde_json` reads the same (a property test holds it to that).

mod envelope;
mod json2;
mod members;
mod metrics;
mod processes;
mod text2;
mod value;
mod xml;

use std::{collections::HashMap, sync::Arc, time::Duration};

use app::model::{BoxKind, Kind, Number};
use serde::de::IgnoredAny;

pub(crate) use self::processes::processes;
pub(crate) use envelope::WireError;

use self::{
    envelope::{Kinds, result},
    members::{Members, Pairs},
    value::Value,
};
use super::{
    Address, Answer, Reading, SourceError, Unknown,
    dialect::{Dialect, Question},
    text::server_name,
};

/// How a compact reply begins.
const HEAD: &[u8] = br#"{"jsonrpc":"2.0","result":{"#;
/// What stands between the last value and the id.
const TAIL: &[u8] = br#"},"id":"#;
/// No number that a server writes is longer.
const MAX_NUMBER_BYTES: usize = 40;
/// A reply is read twice to see whether it is one, when it is no longer than this.
const MAX_TOLD_APART_BYTES: usize = 256 << 10;
/// So many decimal digits always fit into `i64`.
const SAFE_DIGITS: usize = 18;
/// The seconds since the start, which OpenSIPS has among its statistics.
const UPTIME: &str = "core:timestamp";
/// The same among its metrics …
const UPTIME_METRIC: &str = "opensips:timestamp{group=\"core\"}";
/// … and the time of the start, epoch seconds, which most other exporters have.
const START_METRIC: &str = "process:start_time_seconds";

/// The names of the last reply, and how the server wrote them.
pub(crate) struct Memory {
    dialect: Dialect,
    names: Arc<[Arc<str>]>,
    /// `"name":` of every name, one after the other; empty when a name came twice.
    keys: Vec<u8>,
    /// Where each of them ends.
    ends: Vec<usize>,
    /// Which name tells when the server started.
    start: Option<usize>,
    /// What of the last reply was left out, in a sentence.
    left_out: Option<String>,
}

impl Memory {
    /// Nothing is known yet.
    pub(crate) fn new(dialect: Dialect) -> Self {
        Self { dialect, names: Arc::new([]), keys: Vec::new(), ends: Vec::new(), start: None, left_out: None }
    }

    /// The names of the last reply; the same `Arc` as long as nothing changes.
    pub(crate) fn names(&self) -> Arc<[Arc<str>]> {
        Arc::clone(&self.names)
    }

    /// What of the last reply was left out, in a sentence.
    pub(crate) fn left_out(&self) -> Option<String> {
        self.left_out.clone()
    }

    /// How many milliseconds before the answer of `at_ms` the server started, when that is among the values.
    pub(crate) fn uptime_ms(&self, values: &[Reading], at_ms: i64) -> Option<i64> {
        let place = self.start?;
        match values.get(place)? {
            #[expect(clippy::cast_possible_truncation, reason = "what is out of bounds is not believed later")]
            Ok(epoch_s) if &*self.names[place] == START_METRIC => at_ms.checked_sub((epoch_s.as_f64() * 1000.0) as i64),
            Ok(Number::Int(seconds)) => seconds.checked_mul(1000),
            _ => None,
        }
    }

    fn learn(&mut self, written: &[String], names: Vec<Arc<str>>) {
        self.keys.clear();
        self.ends.clear();
        if written.len() == names.len() {
            for name in written {
                // Both servers escape as serde_json does; where one does not, its replies are read the slower way.
                self.keys.extend(serde_json::to_string(name).unwrap_or_default().into_bytes());
                self.keys.push(b':');
                self.ends.push(self.keys.len());
            }
        }
        if *self.names != *names {
            let tells: &[&str] = match self.dialect {
                Dialect::Kamailio => &[],
                Dialect::Prometheus => &[UPTIME_METRIC, START_METRIC],
                _ => &[UPTIME],
            };
            self.start = names.iter().position(|name| tells.contains(&&**name));
            self.names = names.into();
        }
    }
}

/// Reads the reply to request `id` and remembers its names; `values` is filled with a reading for each of [`Memory::names`].
pub(crate) fn statistics(body: &[u8], id: i32, memory: &mut Memory, values: &mut Vec<Reading>) -> Result<(), WireError> {
    values.clear();
    if recognise(body, id, memory, values).is_some() {
        memory.left_out = None;
        return Ok(());
    }
    values.clear();
    let Some(Names { written, full, left_out }) = read(body, memory.dialect, Question::All, id, values)? else {
        memory.left_out = None;
        memory.learn(&[], Vec::new());
        return Ok(());
    };
    if !values.is_empty() && values.iter().all(|reading| *reading == Err(Unknown::NotANumber)) {
        return Err(WireError::Malformed("none of its values is a number".into()));
    }
    memory.left_out = left_out;
    memory.learn(&written, full);
    Ok(())
}

/// Whether this may be the reply to request `id`, where replies to others may come as well: over a FIFO or by datagram. Large ones are
/// told apart only when they are read.
pub(crate) fn may_answer(body: &[u8], dialect: Dialect, id: i32) -> bool {
    match dialect {
        Dialect::Opensips | Dialect::Kamailio => body.len() > MAX_TOLD_APART_BYTES || envelope::may_answer(body, id),
        _ => text2::may_answer(body),
    }
}

/// The full names and readings in the reply to a question for some.
pub(crate) fn some(body: &[u8], dialect: Dialect, question: Question<'_>, id: i32) -> Result<Vec<(Arc<str>, Reading)>, WireError> {
    let mut values = Vec::new();
    let names = read(body, dialect, question, id, &mut values)?;
    Ok(names.map(|names| names.full.into_iter().zip(values).collect()).unwrap_or_default())
}

/// Whether the server says that it set something to zero; not: that it has none of it.
pub(crate) fn is_reset(body: &[u8], dialect: Dialect, id: i32) -> Result<bool, WireError> {
    let question = Question::Reset(&[]);
    match dialect {
        Dialect::Opensips | Dialect::Kamailio => Ok(result::<IgnoredAny>(body, dialect.method(question), id)?.is_some()),
        // An empty body is its "OK".
        Dialect::Json2 if body.trim_ascii().is_empty() => Ok(true),
        _ => Ok(read_members(body, dialect, question)?.is_some()),
    }
}

/// The names of a reply.
struct Names {
    /// As the server wrote them; empty where the next reply cannot be recognised by them.
    written: Vec<String>,
    /// The full names, each once.
    full: Vec<Arc<str>>,
    /// What was left out, in a sentence.
    left_out: Option<String>,
}

/// Reads any reply. A name that came twice is one name: its value where both agree, else unknown.
fn read(body: &[u8], dialect: Dialect, question: Question<'_>, id: i32, values: &mut Vec<Reading>) -> Result<Option<Names>, WireError> {
    let Some(pairs) = pairs(body, dialect, question, id)? else { return Ok(None) };
    if pairs.too_many {
        let most = envelope::MAX_NAMES;
        return Err(WireError::TooLarge(format!("the server has more than {most} statistics, which Tickmark does not take")));
    }
    let left_out = pairs.left_out();
    let is_compact = matches!(dialect, Dialect::Opensips | Dialect::Kamailio);
    let mut places: HashMap<Arc<str>, usize> = HashMap::with_capacity(pairs.items.len());
    let mut names = Vec::with_capacity(pairs.items.len());
    let mut written = Vec::with_capacity(pairs.items.len());
    for (name, reading) in pairs.items {
        let full = full_name(dialect, &name);
        if is_compact {
            written.push(name);
        }
        if let Some(&place) = places.get(&full) {
            if values[place] != reading {
                values[place] = Err(Unknown::Ambiguous);
            }
            continue;
        }
        places.insert(Arc::clone(&full), names.len());
        names.push(full);
        values.push(reading);
    }
    Ok(Some(Names { written, full: names, left_out }))
}

/// The names and readings of a reply, in its order.
fn pairs(body: &[u8], dialect: Dialect, question: Question<'_>, id: i32) -> Result<Option<Pairs>, WireError> {
    match dialect {
        Dialect::Opensips | Dialect::Kamailio => result(body, dialect.method(question), id),
        Dialect::Prometheus => metrics::read(body).map(Some),
        _ => Ok(read_members(body, dialect, question)?.map(members::pairs)),
    }
}

/// The names and texts of a reply in one of the dialects that have no other values.
fn read_members(body: &[u8], dialect: Dialect, question: Question<'_>) -> Result<Option<Members>, WireError> {
    let method = dialect.method(question);
    match dialect {
        Dialect::Json2 => json2::read(body, method),
        Dialect::Text2 => text2::read(body, method),
        _ => xml::read(body, method),
    }
}

/// Kamailio writes `group.name`; everywhere else in Tickmark it is `group:name`. What no page and no database can hold is replaced.
fn full_name(dialect: Dialect, written: &str) -> Arc<str> {
    if written.contains('\0') {
        return full_name(dialect, &written.replace('\0', "\u{fffd}"));
    }
    match (dialect, written.split_once('.')) {
        (Dialect::Kamailio, Some((group, name))) => format!("{group}:{name}").into(),
        _ => written.into(),
    }
}

/// Reads a reply that has exactly the names that are remembered, in their order, and no space between; none: read it otherwise.
fn recognise(body: &[u8], id: i32, memory: &Memory, values: &mut Vec<Reading>) -> Option<()> {
    if memory.ends.is_empty() {
        return None;
    }
    let mut rest = body.strip_prefix(HEAD)?;
    let mut start = 0;
    values.reserve(memory.ends.len());
    for (index, &end) in memory.ends.iter().enumerate() {
        if index > 0 {
            rest = rest.strip_prefix(b",")?;
        }
        rest = rest.strip_prefix(&memory.keys[start..end])?;
        start = end;
        let (reading, length) = number(rest)?;
        values.push(reading);
        rest = &rest[length..];
    }
    let rest = rest.strip_prefix(TAIL)?;
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (written, rest) = rest.split_at(digits);
    let same = written.first() != Some(&b'0') && std::str::from_utf8(written).ok()?.parse() == Ok(id);
    // What JSON calls white space, and nothing else, may follow.
    let over = rest.strip_prefix(b"}")?.iter().all(|byte| matches!(byte, b' ' | b'\n' | b'\r' | b'\t'));
    (same && over).then_some(())
}

/// The number at the start of `bytes`, and its length.
fn number(bytes: &[u8]) -> Option<(Reading, usize)> {
    let mut value = 0_i64;
    let mut length = 0;
    while let Some(digit @ b'0'..=b'9') = bytes.get(length)
        && length < SAFE_DIGITS
    {
        value = value * 10 + i64::from(digit - b'0');
        length += 1;
    }
    if length > 0 && (length == 1 || bytes[0] != b'0') && matches!(bytes.get(length), Some(b',' | b'}')) {
        return Some((Ok(Number::Int(value)), length));
    }
    // Anything longer is left to serde_json, by itself: a number ends at a comma or a brace.
    if !matches!(bytes.first(), Some(b'-' | b'0'..=b'9')) {
        return None;
    }
    let length = bytes.iter().take(MAX_NUMBER_BYTES).position(|byte| matches!(byte, b',' | b'}'))?;
    let value: Value = serde_json::from_slice(&bytes[..length]).ok()?;
    Some((value.0, length))
}

/// Which statistics count and which show a level, in the reply to the question for that.
pub(crate) fn kinds(body: &[u8], dialect: Dialect, id: i32) -> Result<Vec<(Arc<str>, Kind)>, WireError> {
    match dialect {
        Dialect::Opensips | Dialect::Kamailio => {
            let kinds: Option<Kinds> = result(body, dialect.method(Question::Kinds), id)?;
            Ok(kinds.unwrap_or_default().0)
        }
        Dialect::Prometheus => metrics::kinds(body),
        _ => Ok(read_members(body, dialect, Question::Kinds)?.map(members::kinds).unwrap_or_default()),
    }
}

/// The seconds since the start, in the reply to `uptime` (`"Up time":"81 [sec]"`) or `core.uptime` (`"uptime":81`).
pub(crate) fn uptime_s(body: &[u8], dialect: Dialect, id: i32) -> Option<i64> {
    let first_word = |text: &str| text.split_whitespace().next()?.parse().ok();
    match dialect {
        Dialect::Opensips | Dialect::Kamailio => {
            let result: serde_json::Value = result(body, dialect.method(Question::Uptime), id).ok()??;
            let seconds = result.get("uptime").or_else(|| result.get("Up time"))?;
            seconds.as_i64().or_else(|| first_word(seconds.as_str()?))
        }
        Dialect::Prometheus => None,
        _ => first_word(members::text_of(&read_members(body, dialect, Question::Uptime).ok()??, "Up time")?),
    }
}

/// What the server calls itself, such as `OpenSIPS 4.0.1`, in the reply to the question for that.
pub(crate) fn server(body: &[u8], dialect: Dialect, id: i32) -> Result<String, WireError> {
    let question = Question::Version;
    let words = match dialect {
        Dialect::Opensips | Dialect::Kamailio => {
            let result: Option<serde_json::Value> = result(body, dialect.method(question), id)?;
            let words = result.as_ref().and_then(|result| if dialect == Dialect::Kamailio { Some(result) } else { result.get("Server") });
            words.and_then(serde_json::Value::as_str).map(str::to_owned)
        }
        Dialect::Prometheus => None,
        _ => read_members(body, dialect, question)?.and_then(|members| members::text_of(&members, "Server").map(str::to_owned)),
    };
    let name = words.map(|words| server_name(&words)).filter(|name| !name.is_empty());
    name.ok_or_else(|| WireError::Malformed("it does not say what it is".into()))
}

/// Reads one reply after the other as a [`super::Source`] does, without a connection: `make bench` measures it, `make fuzz` hurts it.
pub struct Replies(Memory);

impl Replies {
    /// Of a server of this kind that is asked over HTTP.
    #[must_use]
    pub fn new(kind: BoxKind) -> Self {
        Self(Memory::new(match kind {
            BoxKind::Kamailio => Dialect::Kamailio,
            BoxKind::Opensips2 => Dialect::Json2,
            BoxKind::Prometheus => Dialect::Prometheus,
            BoxKind::Opensips | BoxKind::Tickmark => Dialect::Opensips,
        }))
    }

    /// Of a box of this kind at this address.
    ///
    /// # Errors
    /// Where no such box can be there.
    pub fn at(kind: BoxKind, address: &Address) -> Result<Self, String> {
        Ok(Self(Memory::new(Dialect::of(kind, address)?)))
    }

    /// Reads a reply that tells which statistics count.
    ///
    /// # Errors
    /// When it is no reply to that.
    pub fn kinds(&self, body: &[u8], id: i32) -> Result<Vec<(Arc<str>, Kind)>, SourceError> {
        Ok(kinds(body, self.0.dialect, id)?)
    }

    /// Reads the reply to request `id`, given at an instant.
    ///
    /// # Errors
    /// When it is no reply to that.
    pub fn read(&mut self, body: &[u8], id: i32, at_ms: i64) -> Result<Answer, SourceError> {
        let mut values = Vec::with_capacity(self.0.names().len());
        statistics(body, id, &mut self.0, &mut values)?;
        let started_at_ms = self.0.uptime_ms(&values, at_ms).map(|uptime_ms| at_ms - uptime_ms);
        Ok(Answer { at_ms, took: Duration::ZERO, started_at_ms, names: self.0.names(), values, left_out: self.0.left_out() })
    }
}

#[cfg(test)]
mod tests;
