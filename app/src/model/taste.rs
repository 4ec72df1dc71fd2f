//! How somebody likes pages to look: how close rows stand, which columns tables have, light or dark, the zone of times, the span of charts, how
//! numbers are written.

use serde::{Deserialize, Serialize};

use super::{Numbers, Theme};

/// The spans to choose from, each with its words.
pub const SPANS: [(&str, &str); 6] =
    [("1h", "hour"), ("6h", "6 hours"), ("24h", "24 hours"), ("7d", "7 days"), ("30d", "30 days"), ("1y", "year")];

/// The span of charts for who never chose one.
pub const USUAL_SPAN: &str = "24h";

/// Whether a word is one of the spans to choose from.
#[must_use]
pub fn is_span(word: &str) -> bool {
    SPANS.iter().any(|(span, _)| *span == word)
}

/// How close rows stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub enum Density {
    /// Easily read and pressed.
    #[default]
    Comfortable,
    /// As many rows as fit.
    Compact,
}

impl Density {
    /// The word used in forms and attributes.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Comfortable => "comfortable",
            Self::Compact => "compact",
        }
    }
}

/// A column that can be left out; names and check boxes cannot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema), schema(as = TableColumn))]
pub enum Column {
    /// What the statistic means, beside its name.
    Meaning,
    /// The spark line.
    Course,
    /// The newest value.
    Value,
    /// The increase per second.
    Rate,
}

impl Column {
    /// All of them in their order.
    pub const ALL: [Self; 4] = [Self::Meaning, Self::Course, Self::Value, Self::Rate];

    /// The word used in forms and attributes.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Meaning => "meaning",
            Self::Course => "course",
            Self::Value => "value",
            Self::Rate => "rate",
        }
    }
}

/// All of it. The default shows everything, comfortably.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub struct Taste {
    /// How close rows stand.
    pub density: Density,
    /// The columns that are left out.
    pub without: Vec<Column>,
    /// Light or dark; `auto`: as this browser chose last, or its system.
    pub theme: Theme,
    /// The zone of times, such as `Europe/Berlin` or `UTC`; empty: that of the browser.
    pub zone: String,
    /// The span that charts begin with; empty: a day.
    pub span: String,
    /// How numbers are written.
    pub numbers: Numbers,
}

impl Taste {
    /// The span that charts begin with.
    #[must_use]
    pub fn span(&self) -> &str {
        if self.span.is_empty() { USUAL_SPAN } else { &self.span }
    }

    /// Whether a column is shown.
    #[must_use]
    pub fn shows(&self, column: Column) -> bool {
        !self.without.contains(&column)
    }

    /// The words of what is left out, with spaces between, as the style knows them.
    #[must_use]
    pub fn without(&self) -> String {
        self.without.iter().map(|column| column.as_str()).collect::<Vec<_>>().join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn taste_is_kept_as_words() {
        let taste = Taste { density: Density::Compact, without: vec![Column::Course, Column::Rate], ..Taste::default() };
        let text = serde_json::to_string(&taste).unwrap();
        assert_eq!(text, r#"{"density":"compact","without":["course","rate"],"theme":"auto","zone":"","span":"","numbers":"spaces"}"#);
        assert_eq!(serde_json::from_str::<Taste>(&text).unwrap(), taste);
        assert_eq!(serde_json::from_str::<Taste>("{}").unwrap(), Taste::default());
        assert_eq!((taste.without().as_str(), taste.shows(Column::Value), taste.shows(Column::Rate)), ("course rate", true, false));
    }
}
