//! Values of scripts as JSON and back. Pure.

use app::model::Number;
use rhai::{Dynamic, Map};
use serde_json::{Number as JsonNumber, Value};

/// JSON may be so deep.
const MAX_DEPTH: usize = 32;

/// A statistic, as `stat_iter` gives it.
#[derive(Clone, Debug)]
pub(super) struct Item {
    /// The box; none: the panel's own.
    pub(super) box_name: Option<String>,
    /// The full name.
    pub(super) name: String,
    pub(super) value: Option<Number>,
}

/// A value, or `()` where it is not known.
pub(super) fn dynamic(value: Option<Number>) -> Dynamic {
    match value {
        Some(Number::Int(value)) => value.into(),
        Some(Number::Float(value)) => value.into(),
        None => Dynamic::UNIT,
    }
}

/// JSON of a value.
///
/// # Errors
/// When it holds what JSON cannot.
pub(super) fn json_of(value: &Dynamic) -> Result<Value, String> {
    json_within(value, 0)
}

fn json_within(value: &Dynamic, depth: usize) -> Result<Value, String> {
    if depth > MAX_DEPTH {
        return Err(format!("it is more than {MAX_DEPTH} deep"));
    }
    if value.is_unit() {
        return Ok(Value::Null);
    }
    if let Ok(value) = value.as_bool() {
        return Ok(value.into());
    }
    if let Ok(value) = value.as_int() {
        return Ok(value.into());
    }
    if let Ok(value) = value.as_float() {
        return Ok(JsonNumber::from_f64(value).map_or(Value::Null, Value::Number));
    }
    if let Ok(value) = value.as_char() {
        return Ok(value.to_string().into());
    }
    if let Ok(text) = value.as_immutable_string_ref() {
        return Ok(text.as_str().into());
    }
    if let Ok(list) = value.as_array_ref() {
        return list.iter().map(|member| json_within(member, depth + 1)).collect::<Result<_, _>>().map(Value::Array);
    }
    if let Ok(map) = value.as_map_ref() {
        let member = |(key, value): (&_, &Dynamic)| Ok((ToString::to_string(key), json_within(value, depth + 1)?));
        return map.iter().map(|(key, value)| member((key, value))).collect::<Result<_, String>>().map(Value::Object);
    }
    if let Some(item) = value.read_lock::<Item>() {
        return Ok(serde_json::json!({ "name": item.name, "value": item.value }));
    }
    Err(format!("JSON has no {}", value.type_name()))
}

/// A value of JSON.
pub(super) fn value_of(json: Value) -> Dynamic {
    match json {
        Value::Null => Dynamic::UNIT,
        Value::Bool(value) => value.into(),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => whole.into(),
            (None, Some(float)) => float.into(),
            (None, None) => Dynamic::UNIT,
        },
        Value::String(text) => text.into(),
        Value::Array(list) => list.into_iter().map(value_of).collect::<rhai::Array>().into(),
        Value::Object(map) => map.into_iter().map(|(key, value)| (key.into(), value_of(value))).collect::<Map>().into(),
    }
}

/// A text, or the JSON of anything else.
///
/// # Errors
/// As [`json_of`].
pub(super) fn text_of(value: &Dynamic) -> Result<String, String> {
    match value.as_immutable_string_ref() {
        Ok(text) => Ok(text.to_string()),
        Err(_) => json_of(value).map(|json| json.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_comes_back() {
        let text = r#"{"a":[1,2.5,null,true,"ü\"\n",{"b":{}}],"z":-9223372036854775808}"#;
        let value = value_of(serde_json::from_str(text).unwrap());
        assert_eq!(json_of(&value).unwrap().to_string(), text);
        assert_eq!(text_of(&"as it is".into()).unwrap(), "as it is");
        assert_eq!(json_of(&f64::NAN.into()).unwrap(), Value::Null);
    }

    #[test]
    fn what_json_has_not_is_refused() {
        let deep = (0..40).fold(Dynamic::UNIT, |within, _| vec![within].into());
        assert!(json_of(&deep).unwrap_err().contains("32 deep"));
        assert!(json_of(&Dynamic::from(std::time::Instant::now())).unwrap_err().contains("JSON has no"));
    }
}
