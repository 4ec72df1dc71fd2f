//! A value as a box gave it: an integer exactly, or a float.

use serde::{Deserialize, Serialize};

/// One value. Integers stay exact over the whole of `i64`; JSON writes them as they are.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Number {
    /// A whole number.
    Int(i64),
    /// A number with a fraction, or one the box wrote as a float.
    Float(f64),
}

// Written by hand: derived, it would be "exactly one of integer and number", which refuses every integer.
#[cfg(feature = "utoipa")]
impl utoipa::PartialSchema for Number {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        let number = utoipa::openapi::ObjectBuilder::new().schema_type(utoipa::openapi::schema::Type::Number);
        number.description(Some("An integer, exact over the whole of 64 bits, or a float, as the box gave it.")).into()
    }
}

#[cfg(feature = "utoipa")]
impl utoipa::ToSchema for Number {}

impl Number {
    /// The nearest float: for drawing, rates and means, never for storing.
    #[must_use]
    pub fn as_f64(self) -> f64 {
        match self {
            #[expect(clippy::cast_precision_loss, reason = "that is what this function is for")]
            Self::Int(value) => value as f64,
            Self::Float(value) => value,
        }
    }
}

impl From<i64> for Number {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<f64> for Number {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}
