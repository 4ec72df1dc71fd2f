//! Replies to statistics: bytes in, names and readings out. It sends nothing and reads no clock.
//!
//! A reply nearly always repeats the names of the one before in the same order. [`Memory`] keeps that order as the bytes the
//! server wrote, and [`recognise`] reads a reply by comparing with it, without a name being made anew. Whatever differs is
//! read by `serde_json`. Invariant: what `recognise` accepts, `serde_json` reads the same (a property test holds it to that).

mod envelope;
mod value;

use std::{collections::HashMap, sync::Arc, time::Duration};

use app::model::{BoxKind, Kind, Number};

pub(crate) use envelope::{WireError, request, result};

use self::{
    envelope::{Kinds, Pairs},
    value::Value,
};
use super::{Answer, Reading, SourceError, Unknown};

/// How a compact reply begins.
const HEAD: &[u8] = br#"{"jsonrpc":"2.0","result":{"#;
/// What stands between the last value and the id.
const TAIL: &[u8] = br#"},"id":"#;
/// No number that a server writes is longer.
const MAX_NUMBER_BYTES: usize = 40;
/// So many decimal digits always fit into `i64`.
const SAFE_DIGITS: usize = 18;
/// The seconds since the start, which OpenSIPS has among its statistics.
const UPTIME: &str = "core:timestamp";

/// The names of the last reply, and how the server wrote them.
pub(crate) struct Memory {
    kind: BoxKind,
    names: Arc<[Arc<str>]>,
    /// `"name":` of every name, one after the other; empty when a name came twice.
    keys: Vec<u8>,
    /// Where each of them ends.
    ends: Vec<usize>,
    /// Which name is the uptime.
    uptime: Option<usize>,
    /// What of the last reply was left out, in a sentence.
    left_out: Option<String>,
}

impl Memory {
    /// Nothing is known yet.
    pub(crate) fn new(kind: BoxKind) -> Self {
        Self { kind, names: Arc::new([]), keys: Vec::new(), ends: Vec::new(), uptime: None, left_out: None }
    }

    /// The names of the last reply; the same `Arc` as long as nothing changes.
    pub(crate) fn names(&self) -> Arc<[Arc<str>]> {
        Arc::clone(&self.names)
    }

    /// What of the last reply was left out, in a sentence.
    pub(crate) fn left_out(&self) -> Option<String> {
        self.left_out.clone()
    }

    /// Seconds since the server's start, when they are among the values.
    pub(crate) fn uptime_s(&self, values: &[Reading]) -> Option<i64> {
        match values.get(self.uptime?)? {
            Ok(Number::Int(seconds)) => Some(*seconds),
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
            self.uptime = names.iter().position(|name| &**name == UPTIME).filter(|_| self.kind == BoxKind::Opensips);
            self.names = names.into();
        }
    }
}

/// Reads the reply to request `id` and remembers its names; `values` is filled with a reading for each of [`Memory::names`].
pub(crate) fn statistics(
    body: &[u8],
    method: &'static str,
    id: i32,
    memory: &mut Memory,
    values: &mut Vec<Reading>,
) -> Result<(), WireError> {
    values.clear();
    if recognise(body, id, memory, values).is_some() {
        memory.left_out = None;
        return Ok(());
    }
    values.clear();
    let Some(Names { written, full, left_out }) = read(body, method, id, memory.kind, values)? else {
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

/// The members of `group` in a reply to a question for that group alone.
pub(crate) fn group(
    body: &[u8],
    method: &'static str,
    id: i32,
    kind: BoxKind,
    group: &str,
) -> Result<HashMap<Arc<str>, Reading>, WireError> {
    let mut values = Vec::new();
    let Some(names) = read(body, method, id, kind, &mut values)? else { return Ok(HashMap::new()) };
    let pairs = names.full.into_iter().zip(values);
    Ok(pairs.filter(|(name, _)| app::model::split_name(name).0 == group).collect())
}

/// The names of a reply.
struct Names {
    /// As the server wrote them.
    written: Vec<String>,
    /// The full names, each once.
    full: Vec<Arc<str>>,
    /// What was left out, in a sentence.
    left_out: Option<String>,
}

/// Reads any reply. A name that came twice is one name: its value where both agree, else unknown.
fn read(body: &[u8], method: &'static str, id: i32, kind: BoxKind, values: &mut Vec<Reading>) -> Result<Option<Names>, WireError> {
    let Some(pairs) = result::<Pairs>(body, method, id)? else { return Ok(None) };
    if pairs.too_many {
        let most = envelope::MAX_NAMES;
        return Err(WireError::TooLarge(format!("the server has more than {most} statistics, which Tickmark does not take")));
    }
    let left_out = pairs.left_out();
    let mut places: HashMap<Arc<str>, usize> = HashMap::with_capacity(pairs.items.len());
    let mut names = Vec::with_capacity(pairs.items.len());
    let mut written = Vec::with_capacity(pairs.items.len());
    for (name, reading) in pairs.items {
        let full = full_name(kind, &name);
        written.push(name);
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

/// Kamailio writes `group.name`; everywhere else in Tickmark it is `group:name`. What no page and no database can hold is replaced.
fn full_name(kind: BoxKind, written: &str) -> Arc<str> {
    if written.contains('\0') {
        return full_name(kind, &written.replace('\0', "\u{fffd}"));
    }
    match (kind, written.split_once('.')) {
        (BoxKind::Kamailio, Some((group, name))) => format!("{group}:{name}").into(),
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

/// Which statistics count and which show a level, in the reply to `list_statistics`.
pub(crate) fn kinds(body: &[u8], method: &'static str, id: i32) -> Result<Vec<(Arc<str>, Kind)>, WireError> {
    let kinds: Option<Kinds> = result(body, method, id)?;
    Ok(kinds.unwrap_or_default().0)
}

/// The seconds since the start, in the reply to `uptime` (`"Up time":"81 [sec]"`) or `core.uptime` (`"uptime":81`).
pub(crate) fn uptime_s(body: &[u8], method: &'static str, id: i32) -> Option<i64> {
    let result: serde_json::Value = result(body, method, id).ok()??;
    let seconds = result.get("uptime").or_else(|| result.get("Up time"))?;
    seconds.as_i64().or_else(|| seconds.as_str()?.split_whitespace().next()?.parse().ok())
}

/// Reads one reply after the other as a [`super::Source`] does, without a connection: `make bench` measures it.
pub struct Replies(Memory);

impl Replies {
    /// Of a server of this kind.
    #[must_use]
    pub fn new(kind: BoxKind) -> Self {
        Self(Memory::new(kind))
    }

    /// Reads the reply to request `id`, given at an instant.
    ///
    /// # Errors
    /// When it is no reply to that.
    pub fn read(&mut self, body: &[u8], id: i32, at_ms: i64) -> Result<Answer, SourceError> {
        let mut values = Vec::with_capacity(self.0.names().len());
        statistics(body, "get_statistics", id, &mut self.0, &mut values)?;
        let started_at_ms = self.0.uptime_s(&values).map(|seconds| at_ms - seconds * 1000);
        Ok(Answer { at_ms, took: Duration::ZERO, started_at_ms, names: self.0.names(), values, left_out: self.0.left_out() })
    }
}

#[cfg(test)]
mod tests;
