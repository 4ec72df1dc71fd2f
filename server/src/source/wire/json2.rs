//! JSON as OpenSIPS 2.x answers a GET: an object of names and strings, and errors that are an object as well, with status 200.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, Visitor},
};

use super::{
    envelope::{RpcError, WireError, malformed},
    members::{Members, refused},
    value::Text,
};

/// A longer answer is no error.
const MAX_ERROR_BYTES: usize = 4096;

#[derive(Deserialize)]
struct Failed {
    error: RpcError,
}

/// Reads an answer; none where the server says 404.
pub(super) fn read(body: &[u8], method: &'static str) -> Result<Option<Members>, WireError> {
    let text = String::from_utf8_lossy(body);
    if text.len() <= MAX_ERROR_BYTES
        && let Ok(Failed { error }) = serde_json::from_str(&text)
    {
        return refused(method, error.code, &error.message);
    }
    let object: Object = serde_json::from_str(&text).map_err(|error| malformed(&text, &error))?;
    Ok(Some(object.0))
}

/// In its order, with duplicates; what is neither text nor a number is empty.
struct Object(Members);

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor)
    }
}

struct ObjectVisitor;

impl<'de> Visitor<'de> for ObjectVisitor {
    type Value = Object;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of names and values")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
        let mut members = Vec::new();
        while let Some((name, Text(text))) = map.next_entry::<String, Text>()? {
            // One more than is taken, so that too many are seen to be too many.
            if members.len() > super::envelope::MAX_NAMES {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                break;
            }
            members.push((name, text));
        }
        Ok(Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_strings() {
        let body = br#"{"a:b": "0", "a:c": 5, "a:b": "18446744073709551611", "x\/y": "OpenSIPS (2.4.11 (x86_64\/linux))", "l": [1]}"#;
        let members = read(body, "get_statistics").unwrap().unwrap();
        let expect = [("a:b", "0"), ("a:c", "5"), ("a:b", "18446744073709551611"), ("x/y", "OpenSIPS (2.4.11 (x86_64/linux))"), ("l", "")];
        assert_eq!(members, expect.map(|(name, text)| (name.to_owned(), text.to_owned())));
        assert_eq!(read(b"{}", "get_statistics"), Ok(Some(Vec::new())));
    }

    #[test]
    fn errors_within_status_200() {
        let not_found = br#"{"error": {"code": 404, "message": "Statistics Not Found"}}"#;
        assert_eq!(read(not_found, "get_statistics"), Ok(None));
        let error = read(br#"{"error": {"code": 500, "message": "Unknown Command"}}"#, "version").unwrap_err().to_string();
        assert!(error.contains("refused version: Unknown Command"), "{error}");
        // A statistic of that name is one.
        assert_eq!(read(br#"{"error": "5"}"#, "get_statistics").unwrap().unwrap().len(), 1);
    }

    #[test]
    fn what_is_no_answer() {
        for (body, expect) in [("", "empty"), ("<html>", "web page"), ("[]", "an object"), ("{\"a\":\"1\"", "EOF"), ("{} {}", "trailing")] {
            let error = read(body.as_bytes(), "get_statistics").unwrap_err().to_string();
            assert!(error.contains(expect), "{body}: {error}");
        }
    }
}
