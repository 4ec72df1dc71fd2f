//! Words that a page writes and an island writes again when something changes: one place, so that both say the same.

use crate::{
    format,
    model::{BoxKind, BoxState, ProbeReport},
};

/// What a kind of server calls itself.
#[must_use]
pub fn kind_name(kind: BoxKind) -> &'static str {
    match kind {
        BoxKind::Opensips => "OpenSIPS",
        BoxKind::Opensips2 => "OpenSIPS 2.x",
        BoxKind::Kamailio => "Kamailio",
        BoxKind::Prometheus => "Prometheus",
        BoxKind::Tickmark => "Tickmark",
    }
}

/// A reason as a sentence of its own: reasons are written to follow a colon.
#[must_use]
pub fn sentence(reason: &str) -> String {
    let mut letters = reason.trim().chars();
    let Some(first) = letters.next() else { return String::new() };
    // A name or an address keeps its first letter.
    let word = reason.split_whitespace().next().unwrap_or_default();
    let first = if word.chars().all(|letter| letter.is_ascii_lowercase()) { first.to_ascii_uppercase() } else { first };
    let end = if reason.trim_end().ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{first}{}{end}", letters.as_str())
}

/// How a state looks: the class of its dot, and the word for it beside a name.
#[must_use]
pub fn state_look(state: BoxState) -> (&'static str, &'static str) {
    match state {
        BoxState::Waiting => ("dot waiting", "no answer yet"),
        BoxState::Up => ("dot", "answers"),
        BoxState::Down => ("dot down", "no answer"),
        BoxState::Paused => ("dot paused", "paused"),
    }
}

/// A state as an attribute says it.
#[must_use]
pub fn state_key(state: BoxState) -> &'static str {
    match state {
        BoxState::Waiting => "waiting",
        BoxState::Up => "up",
        BoxState::Down => "down",
        BoxState::Paused => "paused",
    }
}

/// What is said when a box comes into a state.
#[must_use]
pub fn state_news(name: &str, state: BoxState, reason: Option<&str>) -> String {
    match state {
        BoxState::Waiting => format!("{name} is asked again."),
        BoxState::Up => format!("{name} answers."),
        BoxState::Down => match reason {
            Some(reason) => format!("{name} gives no answer: {}.", reason.trim_end_matches('.')),
            None => format!("{name} gives no answer."),
        },
        BoxState::Paused => format!("{name} is paused."),
    }
}

/// What is said when a box is new.
#[must_use]
pub fn added_news(name: &str) -> String {
    format!("{name} was added to the panel.")
}

/// What is said when a box has another name.
#[must_use]
pub fn renamed_news(before: &str, now: &str) -> String {
    format!("{before} is named {now} now.")
}

/// What is said when a box is removed.
#[must_use]
pub fn removed_news(name: &str) -> String {
    format!("{name} was removed from the panel.")
}

/// How often a box is asked, in words; nothing while it is not.
#[must_use]
pub fn every(state: BoxState, interval: &str) -> String {
    match state {
        BoxState::Paused => String::new(),
        _ => format!("every {}", spaced(interval)),
    }
}

/// How long a server runs, to stand after its name.
#[must_use]
pub fn up_since(up_ms: i64) -> String {
    format!(", up {}", format::age(up_ms))
}

/// `10s` as `10 s`: the number and its unit apart.
#[must_use]
pub fn spaced(interval: &str) -> String {
    let unit = interval.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(interval.len());
    let (number, unit) = interval.split_at(unit);
    format!("{number} {unit}").trim().to_owned()
}

/// The class of a state's word: a box that answers needs no word to be seen, one that does not says so in words too.
#[must_use]
pub fn state_word_class(state: BoxState) -> &'static str {
    if state == BoxState::Up { "vh" } else { "word" }
}

/// What stands above values that are no longer true for sure. `age_ms` is the age of the last answer; without one there is nothing to say here.
#[must_use]
pub fn banner(state: BoxState, age_ms: Option<i64>, reason: Option<&str>) -> Option<String> {
    let age = format::age(age_ms?);
    match state {
        BoxState::Up | BoxState::Waiting => None,
        BoxState::Paused => Some(format!("Paused: not asked for {age}. The values below are the last known ones.")),
        BoxState::Down => {
            let reason = reason.map(|reason| format!(": {}", reason.trim_end_matches('.'))).unwrap_or_default();
            Some(format!("No answer for {age}{reason}. The values below are the last known ones."))
        }
    }
}

/// How many statistics a group has, and how many are recorded.
#[must_use]
pub fn group_count(total: usize, recorded: usize) -> String {
    if recorded > 0 { format!("{total} · {recorded} recorded") } else { total.to_string() }
}

/// The choices of rows with their counts.
#[must_use]
pub fn show_count(show: &str, count: usize) -> String {
    format!("{show} {count}")
}

/// How much a search found, to be heard.
#[must_use]
pub fn found(count: usize) -> String {
    match count {
        0 => "Nothing matches.".to_owned(),
        1 => "One statistic is shown.".to_owned(),
        many => format!("{many} statistics are shown."),
    }
}

/// How many rows are chosen, and how to choose some.
#[must_use]
pub fn chosen(count: usize) -> String {
    match count {
        0 => "Press rows to choose them, with ⇧ a range.".to_owned(),
        1 => "1 chosen".to_owned(),
        many => format!("{many} chosen"),
    }
}

/// The button that ticks all that a search shows.
#[must_use]
pub fn tick_matching(count: usize) -> String {
    format!("Tick all {count} that match")
}

/// What a probe found: the class of its panel, a title, and what to do next.
#[must_use]
pub fn probe(report: &ProbeReport) -> (&'static str, String, &'static str) {
    if report.kind.is_none() {
        return ("note bad", "No box found there".to_owned(), "");
    }
    let server = report.server.as_deref().unwrap_or("a SIP server");
    ("note good", format!("Found {server}"), "Press Add box; the name can be another.")
}

/// A name for a box that is free, to be changed by whoever has a better one.
#[must_use]
pub fn free_name(kind: BoxKind, taken: &[&str]) -> String {
    let mut number = 1;
    loop {
        let name = format!("{}{number}", kind.as_str());
        if !taken.iter().any(|other| other.eq_ignore_ascii_case(&name)) {
            return name;
        }
        number += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_free_name_is_free() {
        assert_eq!(free_name(BoxKind::Kamailio, &[]), "kamailio1");
        assert_eq!(free_name(BoxKind::Opensips, &["OpenSIPS1", "opensips2"]), "opensips3");
    }

    #[test]
    fn a_reason_becomes_a_sentence() {
        assert_eq!(sentence("nothing can be reached; check the port"), "Nothing can be reached; check the port.");
        assert_eq!(sentence("It did not answer."), "It did not answer.");
        assert_eq!(sentence("mi_http answers otherwise "), "mi_http answers otherwise.");
        assert_eq!(sentence(" "), "");
    }

    #[test]
    fn intervals_are_spaced() {
        assert_eq!(spaced("10s"), "10 s");
        assert_eq!(spaced("500ms"), "500 ms");
        assert_eq!(spaced(""), "");
        assert_eq!(every(BoxState::Up, "1h"), "every 1 h");
        assert_eq!(every(BoxState::Paused, "1h"), "");
    }

    #[test]
    fn a_change_of_state_is_said_in_a_sentence() {
        assert_eq!(state_news("sip1", BoxState::Down, Some("it is busy.")), "sip1 gives no answer: it is busy.");
        assert_eq!(state_news("sip1", BoxState::Up, None), "sip1 answers.");
    }

    #[test]
    fn the_banner_says_since_when_and_why() {
        let age = format::age(180_000);
        let text = banner(BoxState::Down, Some(180_000), Some("the connection was refused."));
        assert_eq!(text, Some(format!("No answer for {age}: the connection was refused. The values below are the last known ones.")));
        assert_eq!(banner(BoxState::Up, Some(1), None), None);
        assert_eq!(banner(BoxState::Down, None, Some("x")), None);
    }
}
