//! Names and texts, which is what every answer of OpenSIPS 2.x and of XML-RPC comes down to, and the bounds on what is taken of them.

use std::sync::Arc;

use app::model::Kind;

use super::{
    envelope::{MAX_NAMES, WireError},
    value::{kind_of_word, of_text},
};
use crate::source::{MAX_NAME_BYTES, Reading, text::shown};

/// The error that means "no such statistics".
const NOT_FOUND: i64 = 404;

/// Names and texts in the order of an answer.
pub(super) type Members = Vec<(String, String)>;

/// What an error of the server's own means for a question for statistics: none of that name are there, or it refuses.
pub(super) fn refused<T>(method: &'static str, code: i64, message: &str) -> Result<Option<T>, WireError> {
    if code == NOT_FOUND { Ok(None) } else { Err(WireError::Refused { method, code, message: shown(message) }) }
}

/// Names and readings, with duplicates, within the bounds.
#[derive(Default)]
pub(super) struct Pairs {
    pub(super) items: Vec<(String, Reading)>,
    /// There were more than [`MAX_NAMES`].
    pub(super) too_many: bool,
    /// How many names were longer than [`MAX_NAME_BYTES`].
    pub(super) too_long: usize,
    /// One of these.
    example: String,
    /// How many lines could not be read.
    unread: usize,
    /// The first of these.
    unread_example: String,
}

impl Pairs {
    pub(super) fn push(&mut self, name: String, reading: Reading) {
        if name.len() > MAX_NAME_BYTES {
            if self.too_long == 0 {
                self.example = shown(&name);
            }
            self.too_long += 1;
        } else if self.items.len() == MAX_NAMES {
            self.too_many = true;
        } else {
            self.items.push((name, reading));
        }
    }

    /// A line that should hold a statistic and does not.
    pub(super) fn not_read(&mut self, line: &str) {
        if self.unread == 0 {
            self.unread_example = shown(line);
        }
        self.unread += 1;
    }

    pub(super) fn has_unread(&self) -> bool {
        self.unread > 0
    }

    /// What was left out, in a sentence.
    pub(super) fn left_out(&self) -> Option<String> {
        if self.unread > 0 {
            let subject = if self.unread == 1 { "1 line is".to_owned() } else { format!("{} lines are", self.unread) };
            return Some(format!("{subject} left out, as no metric can be read from it, such as: {}", self.unread_example));
        }
        let (count, kib, example) = (self.too_long, MAX_NAME_BYTES >> 10, &self.example);
        let subject = if count == 1 { "1 statistic is".to_owned() } else { format!("{count} statistics are") };
        (count > 0).then(|| format!("{subject} left out, for a name longer than {kib} KiB ({example}); shorten it in the script"))
    }
}

/// The texts read as numbers.
pub(super) fn pairs(members: Members) -> Pairs {
    let mut pairs = Pairs::default();
    for (name, text) in members {
        let reading = of_text(&text);
        pairs.push(name, reading);
    }
    pairs
}

/// The texts read as words for a kind, without what is none.
pub(super) fn kinds(members: Members) -> Vec<(Arc<str>, Kind)> {
    let kinds = members.into_iter().filter(|(name, _)| name.len() <= MAX_NAME_BYTES);
    kinds.filter_map(|(name, text)| Some((name.into(), kind_of_word(&text)?))).take(MAX_NAMES).collect()
}

/// The text of one name.
pub(super) fn text_of<'a>(members: &'a Members, name: &str) -> Option<&'a str> {
    members.iter().find(|(other, _)| other == name).map(|(_, text)| text.as_str())
}
