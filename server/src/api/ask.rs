//! Reading questions: paths, query strings and JSON bodies, with errors that name the field and what is allowed.

use app::model::Mode;
use axum::{
    extract::{FromRequest, FromRequestParts, Request},
    http::{StatusCode, request::Parts},
};
use serde::de::DeserializeOwned;

use crate::{
    config::{parse_duration, parse_instant},
    http::MAX_BODY,
    problem::{Problem, problem},
};

/// The longest span by name; `desk` bounds the rest.
const DEFAULT_SPAN: &str = "24h";

/// A query string, in which names may repeat.
#[derive(Clone, Debug, Default)]
pub struct Ask(Vec<(String, String)>);

impl<S: Sync> FromRequestParts<S> for Ask {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self::parse(parts.uri.query().unwrap_or_default()))
    }
}

impl Ask {
    /// Reads `a=1&b=2`.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        Self(url::form_urlencoded::parse(text.as_bytes()).into_owned().collect())
    }

    /// The first value of a name, unless it is empty.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, value)| key == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }

    /// The first value of a name, also an empty one.
    #[must_use]
    pub fn given(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Every value of a name.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> + 'a {
        self.0.iter().filter(move |(key, value)| key == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }

    /// The first value of a name that must be there.
    ///
    /// # Errors
    /// When it is missing.
    pub fn need(&self, name: &'static str) -> Result<&str, Problem> {
        self.get(name).ok_or_else(|| wrong(name, "is missing"))
    }

    /// A whole number within bounds.
    ///
    /// # Errors
    /// When it is not one.
    pub fn number(&self, name: &'static str, default: u32, allowed: std::ops::RangeInclusive<u32>) -> Result<u32, Problem> {
        let Some(text) = self.get(name) else { return Ok(default) };
        let number = text.parse().ok().filter(|number| allowed.contains(number));
        number.ok_or_else(|| wrong(name, &format!("is {text:?}; allowed are whole numbers from {} to {}", allowed.start(), allowed.end())))
    }

    /// `true` or `false`, which it is when left out.
    ///
    /// # Errors
    /// When it is something else.
    pub fn flag(&self, name: &'static str) -> Result<bool, Problem> {
        match self.get(name) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(other) => Err(wrong(name, &format!("is {other:?}; allowed are true and false"))),
        }
    }

    /// `mode=value|rate|increase|percent`.
    ///
    /// # Errors
    /// When it is something else.
    pub fn mode(&self) -> Result<Option<Mode>, Problem> {
        let Some(word) = self.get("mode") else { return Ok(None) };
        Mode::parse(word).map(Some).ok_or_else(|| not_one_of("mode", word, &Mode::ALL.map(Mode::as_str)))
    }

    /// One of several words, the default when left out.
    ///
    /// # Errors
    /// When it is something else.
    pub fn choice<T: Copy + Default>(&self, name: &'static str, all: &[T], word_of: fn(T) -> &'static str) -> Result<T, Problem> {
        let Some(word) = self.get(name) else { return Ok(T::default()) };
        let found = all.iter().copied().find(|one| word_of(*one) == word);
        found.ok_or_else(|| not_one_of(name, word, &all.iter().map(|one| word_of(*one)).collect::<Vec<_>>()))
    }

    /// `from=&to=`, or `span=` up to `to` or now.
    ///
    /// # Errors
    /// When a time or a span is not one, or both are given.
    pub fn span(&self, now_ms: i64) -> Result<(i64, i64), Problem> {
        let to_ms = self.get("to").map(|text| instant("to", text)).transpose()?.unwrap_or(now_ms);
        match (self.get("from"), self.get("span")) {
            (Some(_), Some(_)) => Err(wrong("span", "cannot be given together with from")),
            (Some(from), None) => Ok((instant("from", from)?, to_ms)),
            (None, span) => {
                let span = parse_duration(span.unwrap_or(DEFAULT_SPAN)).map_err(|message| wrong("span", &message))?;
                if span.is_zero() {
                    return Err(wrong("span", "is longer than zero, such as 1h"));
                }
                Ok((to_ms.saturating_sub(i64::try_from(span.as_millis()).unwrap_or(i64::MAX)), to_ms))
            }
        }
    }

    /// `from=&to=` of a page, also as a form of it sends them: without a zone, in UTC; none where neither is given.
    ///
    /// # Errors
    /// When a time is not one, one of them is missing, or they are in the wrong order.
    pub fn range(&self) -> Result<Option<(i64, i64)>, Problem> {
        match (self.get("from"), self.get("to")) {
            (None, None) => Ok(None),
            (Some(from), Some(to)) => {
                let (from, to) = (entered("from", from)?, entered("to", to)?);
                if from < to { Ok(Some((from, to))) } else { Err(wrong("to", "is not after from: choose a later end")) }
            }
            (Some(_), None) => Err(wrong("to", "is missing: give both ends of the span, or none")),
            (None, Some(_)) => Err(wrong("from", "is missing: give both ends of the span, or none")),
        }
    }
}

/// As browsers send what was entered as a date and a time, without a zone: UTC is meant.
const ENTERED: [&str; 2] = ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M"];

/// What a page's field says.
fn entered(field: &'static str, text: &str) -> Result<i64, Problem> {
    let without_zone = ENTERED.iter().find_map(|form| chrono::NaiveDateTime::parse_from_str(text, form).ok());
    without_zone.map_or_else(|| instant(field, text), |at| Ok(at.and_utc().timestamp_millis()))
}

/// A word that is none of those that are allowed.
fn not_one_of(field: &str, word: &str, allowed: &[&str]) -> Problem {
    let (last, others) = allowed.split_last().unwrap_or((&"", &[]));
    wrong(field, &format!("is {word:?}; allowed are {} and {last}", others.join(", ")))
}

/// A problem with one field.
pub(super) fn wrong(field: &str, message: &str) -> Problem {
    problem(StatusCode::BAD_REQUEST, "The question is not right", format!("{field} {message}"))
}

/// RFC 3339 or epoch milliseconds.
fn instant(field: &'static str, text: &str) -> Result<i64, Problem> {
    // A plus sign that was not percent-encoded arrives as a space.
    parse_instant(&text.replace(' ', "+")).map_err(|message| wrong(field, &message))
}

/// What a path names, percent-decoded.
pub struct Path<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match axum::extract::Path::<T>::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(value)) => Ok(Self(value)),
            Err(rejection) => {
                let detail = format!("{} holds no UTF-8 text: percent-encode names as UTF-8", parts.uri.path());
                Err(problem(rejection.status(), "The path is not right", detail))
            }
        }
    }
}

/// A JSON body. Refuses other content types, so that no form of another site can pass for it.
pub struct Body<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        match axum::Json::<T>::from_request(request, state).await {
            Ok(axum::Json(value)) => Ok(Self(value)),
            Err(rejection) => {
                let status = match rejection.status() {
                    StatusCode::UNPROCESSABLE_ENTITY => StatusCode::BAD_REQUEST,
                    other => other,
                };
                Err(unread(status, "The body is not right", rejection.body_text()))
            }
        }
    }
}

/// Why a body could not be read.
pub(crate) fn unread(status: StatusCode, title: &str, why: String) -> Problem {
    if status == StatusCode::PAYLOAD_TOO_LARGE {
        let detail = format!("the body is too large: send less than {} KiB at once", MAX_BODY / 1024);
        return problem(status, "Too large", detail);
    }
    problem(status, title, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(query: &str, expect: (i64, i64)) {
        assert_eq!(Ask::parse(query).span(1_000_000_000_000).unwrap(), expect);
    }

    #[test]
    fn spans() {
        check("", (1_000_000_000_000 - 86_400_000, 1_000_000_000_000));
        check("span=1h", (1_000_000_000_000 - 3_600_000, 1_000_000_000_000));
        check("from=5&to=7", (5, 7));
        check("from=2001-09-09T01:46:40Z&to=1000000001000", (1_000_000_000_000, 1_000_000_001_000));
        check("from=2001-09-09T03:46:40+02:00", (1_000_000_000_000, 1_000_000_000_000));
    }

    #[test]
    fn wrong_fields_are_named() {
        for (query, field) in
            [("from=yesterday", "from"), ("span=long", "span"), ("span=0s", "span is longer than zero"), ("from=1&span=1h", "span")]
        {
            let problem = Ask::parse(query).span(0).unwrap_err();
            assert!(problem.detail.starts_with(field), "{}", problem.detail);
        }
        assert!(Ask::parse("mode=both").mode().unwrap_err().detail.contains("value, rate, increase and percent"));
        assert!(Ask::parse("points=0").number("points", 1, 1..=9).unwrap_err().detail.contains("from 1 to 9"));
        assert!(Ask::parse("").need("box").unwrap_err().detail.contains("box is missing"));
    }
}
