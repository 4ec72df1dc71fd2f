//! A server's own words, made fit to be shown: bounded, without control characters and what else acts unseen.

use app::{model::BoxKind, shown::visible};

/// The longest text of a server that is shown.
const MAX_SHOWN_CHARS: usize = 160;
/// The longest name and version of a server that is kept.
const MAX_SERVER_CHARS: usize = 80;

/// At most so many characters of a text, without control characters.
fn bounded(text: &str, chars: usize) -> String {
    let begin: String = text.trim().chars().filter(|c| !c.is_control()).take(chars + 1).collect();
    let mut kept = visible(&begin).into_owned();
    if let Some((end, _)) = kept.char_indices().nth(chars) {
        kept.truncate(end);
        kept.push('…');
    }
    kept
}

/// What a server said, for a sentence.
pub(super) fn shown(text: &str) -> String {
    bounded(text, MAX_SHOWN_CHARS)
}

/// `OpenSIPS 4.0.1` from `OpenSIPS (4.0.1 (x86_64/linux))`, `Kamailio 5.6.3` from `kamailio 5.6.3 (x86_64/linux) `;
/// anything else as it is.
fn server_name(kind: BoxKind, text: &str) -> String {
    let (word, name) = match kind {
        BoxKind::Kamailio => ("kamailio", "Kamailio"),
        BoxKind::Opensips | BoxKind::Tickmark => ("opensips", "OpenSIPS"),
    };
    let mut words = text.split(|c: char| c.is_whitespace() || c == '(' || c == ')').filter(|part| !part.is_empty());
    match (words.next(), words.next()) {
        (Some(first), Some(version)) if first.eq_ignore_ascii_case(word) => bounded(&format!("{name} {version}"), MAX_SERVER_CHARS),
        _ => bounded(text, MAX_SERVER_CHARS),
    }
}

/// What the server calls itself, in the result of `version` or `core.version`.
pub(super) fn name_in(kind: BoxKind, result: Option<&serde_json::Value>) -> Option<String> {
    let text = match kind {
        BoxKind::Kamailio => result?.as_str()?,
        BoxKind::Opensips | BoxKind::Tickmark => result?.get("Server")?.as_str()?,
    };
    let name = server_name(kind, text);
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(kind: BoxKind, text: &str, expect: &str) {
        assert_eq!(server_name(kind, text), expect);
    }

    #[test]
    fn names_and_versions() {
        check(BoxKind::Opensips, "OpenSIPS (4.0.1 (x86_64/linux))", "OpenSIPS 4.0.1");
        check(BoxKind::Opensips, "OpenSIPS (3.6.0-dev (x86_64/linux))", "OpenSIPS 3.6.0-dev");
        check(BoxKind::Kamailio, "kamailio 5.6.3 (x86_64/linux) ", "Kamailio 5.6.3");
        check(BoxKind::Opensips, "Tickmark 0.1", "Tickmark 0.1");
        check(BoxKind::Opensips, "", "");
    }

    #[test]
    fn lengths_and_control_characters_are_not_trusted() {
        check(BoxKind::Opensips, "a\u{1b}[31mb\nc", "a[31mbc");
        assert_eq!(server_name(BoxKind::Kamailio, &format!("kamailio {}", "9".repeat(5000))).chars().count(), MAX_SERVER_CHARS + 1);
        assert_eq!(shown(&"é".repeat(500)).chars().count(), MAX_SHOWN_CHARS + 1);
    }
}
