//! A reply of JSON-RPC 2.0, as OpenSIPS and Kamailio write it. It knows nothing of what carries it.

use std::{fmt, sync::Arc};

use app::model::Kind;
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, MapAccess, Visitor},
};

use super::{
    members::Pairs,
    value::{Id, KindWord, Value},
};
use crate::source::{MAX_NAME_BYTES, text::shown};

/// More statistics than any server has; a larger answer is refused.
pub(crate) const MAX_NAMES: usize = 200_000;
/// The error that means "no such statistics".
const NOT_FOUND: i64 = 404;

/// Why a reply could not be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum WireError {
    /// No JSON-RPC reply at all.
    #[error("the answer is not what a SIP server gives ({0}); check that the address is that of its management interface")]
    Malformed(String),
    /// Another request's reply, or none of ours.
    #[error("the answer belongs to another request (id {0} instead of {1}); check that nothing between caches or mixes answers")]
    WrongId(String, i32),
    /// The server says why it does not answer.
    #[error("the server refused {method}: {message} (error {code}){}", advice(*.code))]
    Refused {
        /// What was asked.
        method: &'static str,
        /// The code of JSON-RPC, or of the server.
        code: i64,
        /// Its own words.
        message: String,
    },
    /// A bound was reached.
    #[error("{0}")]
    TooLarge(String),
}

fn advice(code: i64) -> &'static str {
    match code {
        -32601 => "; load the module that has it (OpenSIPS: mi_http with its core commands, Kamailio: kex)",
        _ => "",
    }
}

#[derive(Deserialize)]
struct Reply<T> {
    #[serde(default)]
    id: Id,
    result: Option<T>,
    error: Option<RpcError>,
}

#[derive(Deserialize)]
pub(super) struct RpcError {
    pub(super) code: i64,
    #[serde(default)]
    pub(super) message: String,
}

/// The id of a reply, and nothing else of it.
#[derive(Deserialize)]
struct Tag {
    #[serde(default)]
    id: Id,
}

/// Whether a reply may be the one to request `id`: it has that id, or says in the server's own way that it could not be read.
pub(super) fn may_answer(body: &[u8], id: i32) -> bool {
    let text = String::from_utf8_lossy(body);
    match serde_json::from_str::<Tag>(&text) {
        Ok(tag) => tag.id.is(id) || tag.id.is_missing(),
        Err(_) => bare(&text).is_some(),
    }
}

/// What is wrong with a text that is no JSON.
pub(super) fn malformed(text: &str, error: &serde_json::Error) -> WireError {
    let begin = text.trim_start();
    WireError::Malformed(if begin.is_empty() {
        "it is empty".into()
    } else if begin.starts_with('<') {
        "it is a web page".into()
    } else if let Some(words) = bare(begin) {
        words
    } else {
        shown(&error.to_string())
    })
}

/// What OpenSIPS answers a datagram without JSON: `400 Parse_error`, or `500 Internal error` when its answer would be too long.
fn bare(text: &str) -> Option<String> {
    let (code, _) = text.split_once(' ')?;
    match code {
        "400" => Some(shown(text.lines().next()?)),
        "500" => Some(format!("{}: it may be longer than a datagram, and fit through HTTP or a FIFO", shown(text.lines().next()?))),
        _ => None,
    }
}

/// Reads the reply to request `id`; none where the server says 404.
pub(crate) fn result<T: DeserializeOwned>(body: &[u8], method: &'static str, id: i32) -> Result<Option<T>, WireError> {
    // A script may name a statistic in any encoding; that must not hide all the others.
    let text = String::from_utf8_lossy(body);
    let reply: Reply<T> = serde_json::from_str(&text).map_err(|error| malformed(&text, &error))?;
    if let Some(error) = reply.error {
        let code = error.code;
        return if code == NOT_FOUND { Ok(None) } else { Err(WireError::Refused { method, code, message: shown(&error.message) }) };
    }
    if !reply.id.is(id) {
        return Err(WireError::WrongId(reply.id.to_string(), id));
    }
    reply.result.map(Some).ok_or_else(|| WireError::Malformed("it has no result".into()))
}

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(PairsVisitor)
    }
}

struct PairsVisitor;

impl<'de> Visitor<'de> for PairsVisitor {
    type Value = Pairs;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of names and values")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs, A::Error> {
        let mut pairs = Pairs::default();
        while let Some((name, value)) = map.next_entry::<String, Value>()? {
            pairs.push(name, value.0);
        }
        Ok(pairs)
    }
}

/// The object of names and kinds that `list_statistics` gives: within the bounds, without what is no kind.
#[derive(Default)]
pub(super) struct Kinds(pub(super) Vec<(Arc<str>, Kind)>);

impl<'de> Deserialize<'de> for Kinds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(KindsVisitor)
    }
}

struct KindsVisitor;

impl<'de> Visitor<'de> for KindsVisitor {
    type Value = Kinds;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of names and kinds")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Kinds, A::Error> {
        let mut kinds = Vec::new();
        while let Some((name, KindWord(kind))) = map.next_entry::<String, KindWord>()? {
            if let Some(kind) = kind.filter(|_| name.len() <= MAX_NAME_BYTES && kinds.len() < MAX_NAMES) {
                kinds.push((name.into(), kind));
            }
        }
        Ok(Kinds(kinds))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(body: &str, expect: &str) {
        let error = result::<serde_json::Value>(body.as_bytes(), "get_statistics", 7).unwrap_err();
        assert!(error.to_string().contains(expect), "{error}");
    }

    #[test]
    fn what_is_no_reply() {
        refused("", "empty");
        refused(" \n", "empty");
        refused("<html>", "web page");
        refused("{", "EOF");
        refused("400 Parse_error", "400 Parse_error");
        refused("500 Internal error", "longer than a datagram");
        refused(r#"{"jsonrpc":"2.0","id":7}"#, "no result");
        refused(r#"{"jsonrpc":"2.0","result":{},"id":8}"#, "id 8 instead of 7");
        refused(r#"{"jsonrpc":"2.0","result":{},"id":"7"}"#, "another request");
        refused(r#"{"jsonrpc":"2.0","result":{},"id":7.0}"#, "another request");
        refused(r#"{"jsonrpc":"2.0","result":{},"id":[7,[7]]}"#, "another request");
        refused(r#"{"jsonrpc":"2.0","result":{},"id":{"id":7}}"#, "another request");
        refused(r#"{"jsonrpc":"2.0","result":{}}"#, "another request");
        refused(r#"{"jsonrpc":"2.0","result":{},"id":7} x"#, "trailing");
        refused(r#"{"jsonrpc":"2.0","result":{},"result":{},"id":7}"#, "duplicate field");
        refused(r#"{"jsonrpc":"2.0","error":{"code":-32700,"message":"Parse error"},"id":null}"#, "Parse error");
        refused(r#"{"jsonrpc":"2.0","error":{"code":-32601,"message":"Method not found"},"id":7}"#, "load the module");
    }

    #[test]
    fn replies_to_others_are_told_apart() {
        let may = |body: &str| may_answer(body.as_bytes(), 7);
        assert!(may(r#"{"result":{"a":1},"id":7}"#) && may(r#"{"error":{},"id":null}"#) && may("{}"));
        assert!(!may(r#"{"result":{},"id":8}"#) && !may(r#"{"result":{},"id":"7"}"#) && !may("") && !may("noise"));
        assert!(may("400 Parse_error") && may("500 Internal error"));
    }

    #[test]
    fn no_such_statistics_is_an_answer() {
        let body = br#"{"jsonrpc":"2.0","error":{"code":404,"message":"Statistics Not Found"},"id":7}"#;
        assert_eq!(result::<serde_json::Value>(body, "get_statistics", 7), Ok(None));
    }

    #[test]
    fn words_of_the_server_are_bounded() {
        let body = format!(r#"{{"error":{{"code":1,"message":"{}\u001b[31m"}},"id":7}}"#, "x".repeat(10_000));
        let error = result::<serde_json::Value>(body.as_bytes(), "version", 7).unwrap_err().to_string();
        assert!(error.len() < 400 && !error.contains('\u{1b}'), "{error}");
    }
}
