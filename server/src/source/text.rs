//! A server's own words, made fit to be shown: bounded, without control characters and what else acts unseen.

use app::shown::visible;

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
pub(super) fn server_name(text: &str) -> String {
    let mut words = text.split(|c: char| c.is_whitespace() || c == '(' || c == ')').filter(|part| !part.is_empty());
    let name = match words.next().unwrap_or_default().to_ascii_lowercase().as_str() {
        "kamailio" => "Kamailio",
        "opensips" => "OpenSIPS",
        _ => return bounded(text, MAX_SERVER_CHARS),
    };
    match words.next() {
        Some(version) => bounded(&format!("{name} {version}"), MAX_SERVER_CHARS),
        None => bounded(text, MAX_SERVER_CHARS),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: &str) {
        assert_eq!(server_name(text), expect);
    }

    #[test]
    fn names_and_versions() {
        check("OpenSIPS (4.0.1 (x86_64/linux))", "OpenSIPS 4.0.1");
        check("OpenSIPS (3.6.0-dev (x86_64/linux))", "OpenSIPS 3.6.0-dev");
        check("kamailio 5.6.3 (x86_64/linux) ", "Kamailio 5.6.3");
        check("Tickmark 0.1", "Tickmark 0.1");
        check("", "");
    }

    #[test]
    fn lengths_and_control_characters_are_not_trusted() {
        check("a\u{1b}[31mb\nc", "a[31mbc");
        assert_eq!(server_name(&format!("kamailio {}", "9".repeat(5000))).chars().count(), MAX_SERVER_CHARS + 1);
        assert_eq!(shown(&"é".repeat(500)).chars().count(), MAX_SHOWN_CHARS + 1);
    }
}
