use proptest::prelude::*;
use serde_json::Value;

use super::*;

/// The same by serde's words.
fn as_value(json: &Json<'_>) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(is) => Value::Bool(*is),
        // Not by serde_json's own reading, which is not exact in the last digit.
        Json::Number(_) => json.int().map(Value::from).or_else(|| json.float().map(Value::from)).expect("a number"),
        Json::Text(text) => Value::String(text.clone()),
        Json::List(items) => items.iter().map(as_value).collect(),
        Json::Object(fields) => fields.iter().map(|(key, value)| (key.clone(), as_value(value))).collect(),
    }
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 64, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            prop::collection::btree_map(any::<String>(), inner, 0..8).prop_map(|fields| fields.into_iter().collect()),
        ]
    })
}

proptest! {
    #[test]
    fn what_serde_writes_is_read(value in values()) {
        for text in [value.to_string(), serde_json::to_string_pretty(&value).unwrap()] {
            prop_assert_eq!(Json::parse(&text).map(|json| as_value(&json)), Some(value.clone()));
        }
    }

    /// Cut anywhere, with anything in the middle: no panic, and nothing is read that serde refuses.
    #[test]
    fn what_is_no_json_is_refused(value in values(), place in any::<prop::sample::Index>(), noise in r#"[\[\]{}",:\\u.+ -]{0,6}"#) {
        let text = value.to_string();
        let letters: Vec<char> = text.chars().collect();
        let (head, tail) = letters.split_at(place.index(letters.len() + 1));
        let text: String = head.iter().copied().chain(noise.chars()).chain(tail.iter().copied()).collect();
        if Json::parse(&text).is_some() {
            prop_assert!(serde_json::from_str::<Value>(&text).is_ok(), "{}", text);
        }
    }

    #[test]
    fn a_quoted_text_is_that_text(text in any::<String>()) {
        prop_assert_eq!(serde_json::from_str::<String>(&quoted(&text)).ok(), Some(text));
    }
}

#[test]
fn whole_numbers_stay_exact() {
    for exact in [i64::MAX, i64::MIN, (1 << 53) + 1, -1, 0] {
        assert_eq!(Json::parse(&exact.to_string()).and_then(|json| json.int()), Some(exact));
    }
    let beyond = Json::parse("18446744073709551615").unwrap();
    assert_eq!((beyond.int(), beyond.float()), (None, Some(18_446_744_073_709_551_615.0)));
    assert_eq!(Json::parse("5.0").unwrap().int(), None, "what was written as a float is one");
    assert_eq!(Json::parse("1e999").unwrap().float(), None, "no value is better than one without end");
}

#[test]
fn letters_beyond_ascii_are_read_in_every_form() {
    let text = r#""\u00e9\ud83d\ude00\"\\\/\b\f\n\r\té😀""#;
    assert_eq!(Json::parse(text), Some(Json::Text("é😀\"\\/\u{8}\u{c}\n\r\té😀".to_owned())));
    for broken in [r#""\ud83d""#, r#""\ud83d\u0041""#, r#""\ude00""#, r#""\u00g0""#, r#""\u12"#, r#""\é""#, "\"", "\"\\"] {
        assert_eq!(Json::parse(broken), None, "{broken}");
    }
}

#[test]
fn what_lies_too_deep_is_refused() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(Json::parse(&nested(15)).is_some());
    assert!(Json::parse(&nested(100_000)).is_none());
}

#[test]
fn a_field_that_is_not_there_is_null() {
    let json = Json::parse(r#"{"a":[1,true,"x"]}"#).unwrap();
    assert_eq!(json.get("a").list().map(<[Json<'_>]>::len), Some(3));
    assert_eq!(*json.get("b"), Json::Null);
    assert_eq!((json.get("a").text(), json.get("a").int(), json.get("a").bool(), json.list()), (None, None, None, None));
}
