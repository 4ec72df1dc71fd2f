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

/// How numbers are written: what parts thousands, and what a fraction begins with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub enum Numbers {
    /// `1 234.5`, with a thin space, which neither a comma nor a dot country reads as a fraction.
    #[default]
    Spaces,
    /// `1,234.5`
    Commas,
    /// `1 234,5`
    SpacesComma,
    /// `1.234,5`
    DotsComma,
    /// `1234.5`
    Plain,
}

impl Numbers {
    /// All of them, in the order of choices.
    pub const ALL: [Self; 5] = [Self::Spaces, Self::Commas, Self::SpacesComma, Self::DotsComma, Self::Plain];

    /// The word used in forms and attributes.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Spaces => "spaces",
            Self::Commas => "commas",
            Self::SpacesComma => "spaces_comma",
            Self::DotsComma => "dots_comma",
            Self::Plain => "plain",
        }
    }

    /// What a word means; the usual one, where it means nothing.
    #[must_use]
    pub fn parse(word: &str) -> Self {
        Self::ALL.into_iter().find(|one| one.as_str() == word).unwrap_or_default()
    }

    /// What parts thousands, if anything.
    #[must_use]
    pub fn between_thousands(self) -> Option<char> {
        match self {
            Self::Spaces | Self::SpacesComma => Some('\u{2009}'),
            Self::Commas => Some(','),
            Self::DotsComma => Some('.'),
            Self::Plain => None,
        }
    }

    /// What a fraction begins with.
    #[must_use]
    pub fn before_fraction(self) -> char {
        if matches!(self, Self::SpacesComma | Self::DotsComma) { ',' } else { '.' }
    }
}
