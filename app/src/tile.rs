//! What a tile of the Overview says, in words that the page writes first and its island writes again. Knows no HTML.

use crate::{
    format,
    model::{BoxState, BoxView, Kind, Number},
    wording,
};

/// Which boxes come first: those that give no answer, those that have not been asked, those of whose answer something is to be said, and
/// those that rest. The rest is well.
#[must_use]
pub const fn rank(state: BoxState, has_notice: bool) -> u8 {
    match state {
        BoxState::Down => 0,
        BoxState::Waiting => 1,
        BoxState::Up if has_notice => 2,
        BoxState::Paused => 3,
        BoxState::Up => 4,
    }
}

/// A number as a tile shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// What is seen: a rate, a level, or a share.
    pub text: String,
    /// The same in full: in its tip.
    pub more: String,
}

/// A counter as its rate, a gauge as its level, or as the share that it is of another number. `None` where there is nothing to show yet.
#[must_use]
pub fn number(kind: Kind, unit: &str, value: Option<Number>, rate: Option<f64>, of: Option<Option<Number>>) -> Option<Told> {
    let value = value?;
    let full = |value: Number| {
        let text = format::value(value, unit);
        let reading = format::reading(value, unit).map(|reading| format!(" ({reading})")).unwrap_or_default();
        if unit.is_empty() || text.ends_with('%') { text } else { format!("{text} {unit}{reading}") }
    };
    if let Some(of) = of {
        let whole = of.filter(|whole| whole.as_f64() > 0.0)?;
        let share = 100.0 * value.as_f64() / whole.as_f64();
        return Some(Told {
            text: format::short(share, "%"),
            more: format!("{} of {}", format::fact(value, unit), format::fact(whole, unit)),
        });
    }
    Some(match kind {
        Kind::Counter => Told { text: format::short(rate?, &format!("{unit}/s")), more: full(value) },
        Kind::Gauge => Told { text: format::fact(value, unit), more: full(value) },
    })
}

/// What is said where [`number`] says nothing: why, in a few words.
#[must_use]
pub fn missing(kind: Kind, value: Option<Number>, is_share: bool, reason: Option<&str>) -> String {
    match value {
        None => reason.unwrap_or("the box did not say a value").to_owned(),
        Some(_) if is_share => "what it is a share of is not known".to_owned(),
        Some(_) if kind == Kind::Counter => "its rate shows with the next answer".to_owned(),
        Some(_) => String::new(),
    }
}

/// What a search looks through: all that is written of a box, but for its state.
#[must_use]
pub fn words(view: &BoxView) -> String {
    let mut out = format!("{}\n{}\n{}", view.name, wording::kind_name(view.kind), view.address);
    if let Some(server) = &view.server {
        out.push('\n');
        out.push_str(server);
    }
    for (key, value) in &view.labels {
        out.push('\n');
        out.push_str(key);
        out.push('=');
        out.push_str(value);
    }
    lower(&out)
}

/// In small letters. The browser has the tables for that itself.
#[cfg(target_arch = "wasm32")]
fn lower(text: &str) -> String {
    js_sys::JsString::from(text).to_lower_case().into()
}

#[cfg(not(target_arch = "wasm32"))]
fn lower(text: &str) -> String {
    text.to_lowercase()
}

/// Whether a box is found: each word of the search is in its words, or in that of its state.
#[must_use]
pub fn finds(search: &str, words: &str, state: BoxState) -> bool {
    let state = [wording::state_look(state).1, wording::state_key(state)];
    lower(search).split_whitespace().all(|part| words.contains(part) || state.iter().any(|word| word.contains(part)))
}

/// How many boxes do how, the worst first; none of a state is not said.
#[must_use]
pub fn tally(states: &[BoxState]) -> String {
    let words =
        [(BoxState::Down, "no answer"), (BoxState::Waiting, "not answered yet"), (BoxState::Paused, "paused"), (BoxState::Up, "answering")];
    let counted = words.iter().map(|(state, word)| (states.iter().filter(|other| *other == state).count(), *word));
    let told: Vec<String> = counted.filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")).collect();
    told.join(" · ")
}

/// How much a search found, to be heard.
#[must_use]
pub fn found(count: usize) -> String {
    match count {
        0 => "No box matches.".to_owned(),
        1 => "One box is shown.".to_owned(),
        many => format!("{many} boxes are shown."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn int(value: i64) -> Option<Number> {
        Some(Number::Int(value))
    }

    #[test]
    fn counters_rates_gauges_levels_and_shares() {
        let told = |kind, unit, value, rate, of| number(kind, unit, value, rate, of).map(|told| (told.text, told.more));
        let pair = |text: &str, more: &str| Some((text.to_owned(), more.to_owned()));
        assert_eq!(told(Kind::Counter, "requests", int(10_661_087), Some(184.0), None), pair("184/s", "10\u{2009}661\u{2009}087 requests"));
        assert_eq!(told(Kind::Counter, "requests", int(5), None, None), None);
        assert_eq!(told(Kind::Gauge, "", int(1_318), None, None), pair("1\u{2009}318", "1\u{2009}318"));
        assert_eq!(told(Kind::Gauge, "percent", int(7), None, None), pair("7\u{2009}%", "7\u{2009}%"));
        assert_eq!(told(Kind::Gauge, "bytes", int(1 << 28), None, Some(int(1 << 30))), pair("25 %", "256 MiB of 1 GiB"));
        assert_eq!(told(Kind::Gauge, "bytes", int(1), None, Some(None)), None);
        assert_eq!(told(Kind::Gauge, "bytes", int(1), None, Some(int(0))), None);
        assert_eq!(told(Kind::Gauge, "bytes", None, None, None), None);
    }

    #[test]
    fn what_is_missing_says_why() {
        assert_eq!(missing(Kind::Gauge, None, false, Some("the box gave no number")), "the box gave no number");
        assert_eq!(missing(Kind::Counter, int(1), false, None), "its rate shows with the next answer");
        assert!(missing(Kind::Gauge, int(1), true, None).contains("share"));
    }

    #[test]
    fn problems_come_first() {
        let all =
            [(BoxState::Down, false), (BoxState::Waiting, false), (BoxState::Up, true), (BoxState::Paused, true), (BoxState::Up, false)];
        assert!(all.windows(2).all(|pair| rank(pair[0].0, pair[0].1) < rank(pair[1].0, pair[1].1)));
    }

    #[test]
    fn each_word_of_a_search_is_found_somewhere() {
        let words = "sip1\nopensips\nhttp://10.0.0.5:8888/mi\nsite=fra";
        for search in ["", " SIP1", "fra opensips", "site=fra no answer", "down"] {
            assert!(finds(search, words, BoxState::Down), "{search}");
        }
        for search in ["sip2", "sip1 ber", "paused"] {
            assert!(!finds(search, words, BoxState::Down), "{search}");
        }
    }

    #[test]
    fn the_worst_are_counted_first() {
        let states = [BoxState::Up, BoxState::Down, BoxState::Up, BoxState::Paused];
        assert_eq!(tally(&states), "1 no answer · 1 paused · 2 answering");
        assert_eq!(tally(&[]), "");
    }
}
