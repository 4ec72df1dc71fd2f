//! Single values as JSON writes them: a reading, a kind, an id. Whatever else stands there is read past and not kept, since it may be
//! of any size. It knows nothing of names.

use std::fmt;

use app::model::{Kind, Number};
use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor},
};

use crate::source::{Reading, Unknown, text::shown};

/// Servers keep unsigned 64-bit values; at or above this a value was a negative one.
const WRAP: f64 = 9_223_372_036_854_775_808.0;
/// From 2^63 to 2^64 every `f64` is a multiple of this.
const FLOAT_STEP: u64 = 2048;

/// A reading that serde can fill from any JSON value.
pub(super) struct Value(pub(super) Reading);

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor).map(Self)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Reading;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }
    fn visit_i64<E>(self, value: i64) -> Result<Reading, E> {
        Ok(Ok(Number::Int(value)))
    }
    fn visit_u64<E>(self, value: u64) -> Result<Reading, E> {
        Ok(of_written(value))
    }
    fn visit_f64<E>(self, value: f64) -> Result<Reading, E> {
        Ok(of_float(value))
    }
    fn visit_str<E>(self, value: &str) -> Result<Reading, E> {
        Ok(of_text(value))
    }
    fn visit_bool<E>(self, _value: bool) -> Result<Reading, E> {
        Ok(Err(Unknown::NotANumber))
    }
    fn visit_unit<E>(self) -> Result<Reading, E> {
        Ok(Err(Unknown::NotANumber))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Reading, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Err(Unknown::NotANumber))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Reading, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Err(Unknown::NotANumber))
    }
}

/// The word of `list_statistics` for a kind; none where the server wrote anything else.
pub(super) struct KindWord(pub(super) Option<Kind>);

impl<'de> Deserialize<'de> for KindWord {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let kind = |written: Written<'_>| match written {
            Written::Text(word) => kind_of_word(word),
            _ => None,
        };
        deserializer.deserialize_any(Kept(kind)).map(Self)
    }
}

/// The kind that a word of `list_statistics` names.
pub(super) fn kind_of_word(word: &str) -> Option<Kind> {
    match word {
        "incremental" => Some(Kind::Counter),
        "non-incremental" => Some(Kind::Gauge),
        _ => None,
    }
}

/// A text, or a whole number as text; empty where the server wrote anything else.
pub(super) struct Text(pub(super) String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = |written: Written<'_>| match written {
            Written::Text(text) => text.to_owned(),
            Written::Whole(number) => number.to_string(),
            Written::Null | Written::Else => String::new(),
        };
        deserializer.deserialize_any(Kept(text)).map(Self)
    }
}

/// The id of a reply.
#[derive(Debug, Default)]
pub(super) enum Id {
    Number(i64),
    /// No number: what it is, for a sentence.
    Other(String),
    #[default]
    Missing,
}

impl Id {
    /// Whether it is none at all: servers answer so what they could not read.
    pub(super) fn is_missing(&self) -> bool {
        matches!(self, Self::Missing)
    }

    /// Whether it is this request's.
    pub(super) fn is(&self, id: i32) -> bool {
        matches!(self, Self::Number(number) if *number == i64::from(id))
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Other(what) => f.write_str(what),
            Self::Missing => f.write_str("none"),
        }
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let id = |written: Written<'_>| match written {
            Written::Whole(number) => Self::Number(number),
            Written::Text(text) => Self::Other(format!("{:?}", shown(text))),
            Written::Null => Self::Missing,
            Written::Else => Self::Other("that is no number".to_owned()),
        };
        deserializer.deserialize_any(Kept(id))
    }
}

/// What stands somewhere in JSON, as far as it is kept.
enum Written<'a> {
    Whole(i64),
    Text(&'a str),
    Null,
    Else,
}

/// Makes something of whatever stands there.
struct Kept<F>(F);

impl<'de, T, F: FnOnce(Written<'_>) -> T> Visitor<'de> for Kept<F> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }
    fn visit_i64<E>(self, value: i64) -> Result<T, E> {
        Ok((self.0)(Written::Whole(value)))
    }
    fn visit_u64<E>(self, value: u64) -> Result<T, E> {
        Ok((self.0)(i64::try_from(value).map_or(Written::Else, Written::Whole)))
    }
    fn visit_f64<E>(self, _value: f64) -> Result<T, E> {
        Ok((self.0)(Written::Else))
    }
    fn visit_str<E>(self, value: &str) -> Result<T, E> {
        Ok((self.0)(Written::Text(value)))
    }
    fn visit_bool<E>(self, _value: bool) -> Result<T, E> {
        Ok((self.0)(Written::Else))
    }
    fn visit_unit<E>(self) -> Result<T, E> {
        Ok((self.0)(Written::Null))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<T, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok((self.0)(Written::Else))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<T, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok((self.0)(Written::Else))
    }
}

/// A whole number in JSON. Both servers print through a float, which is exact up to 2^53 only: digits from 2^63 on that
/// a float can hold may be rounded, and are not trusted; digits that no float can hold were never rounded.
fn of_written(value: u64) -> Reading {
    match i64::try_from(value) {
        Ok(value) => Ok(Number::Int(value)),
        Err(_) if value.is_multiple_of(FLOAT_STEP) => Err(Unknown::Inexact),
        Err(_) => Ok(Number::Int(value.cast_signed())),
    }
}

fn of_float(value: f64) -> Reading {
    if value >= WRAP { Err(Unknown::Inexact) } else { Ok(Number::Float(value)) }
}

/// Digits in a string were never a float: the box printed its own integer.
pub(super) fn of_text(text: &str) -> Reading {
    let text = text.trim_ascii();
    if !text.starts_with(|c: char| c == '-' || c.is_ascii_digit()) {
        return Err(Unknown::NotANumber);
    }
    if let Ok(value) = text.parse::<i64>() {
        return Ok(Number::Int(value));
    }
    if let Ok(value) = text.parse::<u64>() {
        return Ok(Number::Int(value.cast_signed()));
    }
    serde_json::from_str::<f64>(text).map_or(Err(Unknown::NotANumber), of_float)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn int(value: i64) -> Reading {
        Ok(Number::Int(value))
    }

    #[track_caller]
    fn check(json: &str, expect: Reading) {
        assert_eq!(serde_json::from_str::<Value>(json).unwrap().0, expect, "{json}");
    }

    #[test]
    fn integers_keep_their_digits() {
        check("0", int(0));
        check("-5", int(-5));
        check("9007199254740993", int(9_007_199_254_740_993));
        check("9223372036854775807", int(i64::MAX));
        check("-9223372036854775808", int(i64::MIN));
    }

    #[test]
    fn from_2_63_on_a_value_was_negative_where_its_digits_are_exact() {
        check("18446744073709551611", int(-5));
        check("18446744073709551615", int(-1));
        check("9223372036854775809", int(i64::MIN + 1));
        // What a float makes of -10, of -3000 and of 2^63.
        check("18446744073709551616", Err(Unknown::Inexact));
        check("18446744073709547520", Err(Unknown::Inexact));
        check("9223372036854775808", Err(Unknown::Inexact));
        check("1.844674e+19", Err(Unknown::Inexact));
        check("1e300", Err(Unknown::Inexact));
    }

    #[test]
    fn strings_are_exact() {
        check("\"184\"", int(184));
        check("\"18446744073709551611\"", int(-5));
        check("\"18446744073709547520\"", int(-4096));
        check("\"1.844674e+19\"", Err(Unknown::Inexact));
        check("\"99999999999999999999999\"", Err(Unknown::Inexact));
        check("\"0.5\"", Ok(Number::Float(0.5)));
        for no in ["\"\"", "\"abc\"", "\"81 [sec]\"", "\"-\"", "\"+5\"", "\"NaN\"", "\"inf\"", "\"1,2\""] {
            check(no, Err(Unknown::NotANumber));
        }
    }

    #[test]
    fn floats_stay_floats_and_the_rest_is_no_number() {
        check("0.25", Ok(Number::Float(0.25)));
        check("6.000000e+09", Ok(Number::Float(6e9)));
        check("-1e19", Ok(Number::Float(-1e19)));
        for no in ["null", "true", "[1,[2]]", "{\"a\":{\"b\":1}}"] {
            check(no, Err(Unknown::NotANumber));
        }
    }
}
