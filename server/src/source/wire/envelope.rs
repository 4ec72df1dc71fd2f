//! JSON-RPC 2.0 as both servers speak it: one request out, one reply in. It knows nothing of HTTP.

use std::{fmt, sync::Arc};

use app::model::Kind;
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, MapAccess, Visitor},
};

use super::value::{Id, KindWord, Value};
use crate::source::{MAX_NAME_BYTES, Reading, text::shown};

/// More statistics than any server has; a larger answer is refused.
pub(crate) const MAX_NAMES: usize = 200_000;
/// The error that means "no such statistics".
const NOT_FOUND: i64 = 404;

/// Why a reply could not be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum WireError {
    /// No JSON-RPC reply at all.
    #[error("the answer is not what a SIP server's JSON-RPC gives ({0}); check that the address is that of its management interface")]
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

/// The text of a request. Never a batch and never without `method`: either crashes OpenSIPS 4.0.1 on other transports.
pub(crate) fn request(method: &str, params: Option<&str>, id: i32) -> String {
    match params {
        Some(params) => format!(r#"{{"jsonrpc":"2.0","method":"{method}","params":{params},"id":{id}}}"#),
        None => format!(r#"{{"jsonrpc":"2.0","method":"{method}","id":{id}}}"#),
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
struct RpcError {
    code: i64,
    #[serde(default)]
    message: String,
}

/// Reads the reply to request `id`; none where the server says 404.
pub(crate) fn result<T: DeserializeOwned>(body: &[u8], method: &'static str, id: i32) -> Result<Option<T>, WireError> {
    if body.trim_ascii().is_empty() {
        return Err(WireError::Malformed("it is empty".into()));
    }
    // A script may name a statistic in any encoding; that must not hide all the others.
    let text = String::from_utf8_lossy(body);
    let reply: Reply<T> = serde_json::from_str(&text).map_err(|error| {
        let page = text.trim_start().starts_with('<');
        WireError::Malformed(if page { "it is a web page".into() } else { shown(&error.to_string()) })
    })?;
    if let Some(error) = reply.error {
        let code = error.code;
        return if code == NOT_FOUND { Ok(None) } else { Err(WireError::Refused { method, code, message: shown(&error.message) }) };
    }
    if !reply.id.is(id) {
        return Err(WireError::WrongId(reply.id.to_string(), id));
    }
    reply.result.map(Some).ok_or_else(|| WireError::Malformed("it has no result".into()))
}

/// An object of names and values: in its order, with duplicates, within the bounds.
pub(super) struct Pairs {
    pub(super) items: Vec<(String, Reading)>,
    /// There were more than [`MAX_NAMES`].
    pub(super) too_many: bool,
    /// How many names were longer than [`MAX_NAME_BYTES`].
    pub(super) too_long: usize,
    /// One of these.
    example: String,
}

impl Pairs {
    /// What was left out, in a sentence.
    pub(super) fn left_out(&self) -> Option<String> {
        let (count, kib, example) = (self.too_long, MAX_NAME_BYTES >> 10, &self.example);
        let subject = if count == 1 { "1 statistic is".to_owned() } else { format!("{count} statistics are") };
        (count > 0).then(|| format!("{subject} left out, for a name longer than {kib} KiB ({example}); shorten it in the script"))
    }
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
        let mut pairs = Pairs { items: Vec::new(), too_many: false, too_long: 0, example: String::new() };
        while let Some((name, value)) = map.next_entry::<String, Value>()? {
            if name.len() > MAX_NAME_BYTES {
                if pairs.too_long == 0 {
                    pairs.example = shown(&name);
                }
                pairs.too_long += 1;
            } else if pairs.items.len() == MAX_NAMES {
                pairs.too_many = true;
            } else {
                pairs.items.push((name, value.0));
            }
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

    #[test]
    fn requests_are_whole_and_small() {
        let text = request("get_statistics", Some(r#"{"statistics":["all"]}"#), i32::MAX);
        assert_eq!(text, r#"{"jsonrpc":"2.0","method":"get_statistics","params":{"statistics":["all"]},"id":2147483647}"#);
        assert_eq!(request("version", None, 1), r#"{"jsonrpc":"2.0","method":"version","id":1}"#);
    }

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
