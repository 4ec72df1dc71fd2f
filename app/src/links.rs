//! The addresses of pages and of the API, as links and islands name them. Knows no page and no island.

use std::fmt::Write;

use crate::model::ChartSpec;

/// The page that shows live values.
pub const REALTIME: &str = "/cp";
/// The page of charts.
pub const CHARTS: &str = "/cp/charts";
/// The page with a tile for every box.
pub const OVERVIEW: &str = "/cp/overview";
/// The page of boxes.
pub const BOXES: &str = "/cp/boxes";
/// The page of scripts.
pub const SCRIPTS: &str = "/cp/scripts";
/// The page of settings.
pub const SETTINGS: &str = "/cp/settings";
/// The page of accounts and tokens.
pub const USERS: &str = "/cp/users";
/// The page of chart sets.
pub const SETS: &str = "/cp/sets";
/// The page of notes.
pub const NOTES: &str = "/cp/notes";
/// The page of alerts.
pub const ALERTS: &str = "/cp/alerts";
/// What the addresses of pictures of alerts begin with; each of them is signed.
pub const PICTURES: &str = "/cp/alerts/picture";
/// The page of statistics that are computed from others.
pub const DERIVED: &str = "/cp/derived";
/// The page to sign in.
pub const LOGIN: &str = "/cp/login";
/// What the API's paths begin with.
pub const API: &str = "/cp/api/v1";

/// Adds `text` percent-encoded, fit for a path segment and for a query value alike.
fn push_encoded(out: &mut String, text: &str) {
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            // Legible in an address bar and without a meaning in a query.
            b':' | b'*' | b'/' => out.push(char::from(byte)),
            _ => {
                // Writing to a string cannot fail.
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
}

/// A path segment: nothing in it parts a path.
#[must_use]
pub fn segment(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    push_encoded(&mut out, text);
    out.replace('/', "%2F")
}

/// A path with those of the pairs that have a value.
#[must_use]
pub fn with_query(path: &str, pairs: &[(&str, &str)]) -> String {
    let mut out = String::with_capacity(path.len() + 48);
    out.push_str(path);
    let mut sign = '?';
    for (key, value) in pairs.iter().filter(|(_, value)| !value.is_empty()) {
        out.push(sign);
        out.push_str(key);
        out.push('=');
        push_encoded(&mut out, value);
        sign = '&';
    }
    out
}

/// An address of the same, but with another word for `key`, where it stood or else at the end; without one where the word is empty.
#[must_use]
pub fn with_word(address: &str, key: &str, word: &str) -> String {
    let (path, query) = address.split_once('?').unwrap_or((address, ""));
    let mut pair = String::new();
    if !word.is_empty() {
        pair.push_str(key);
        pair.push('=');
        push_encoded(&mut pair, word);
    }
    let is_of_key = |other: &str| other.split('=').next() == Some(key);
    let has_one = query.split('&').any(is_of_key);
    let pairs = query.split('&').map(|other| if is_of_key(other) { std::mem::take(&mut pair) } else { other.to_owned() });
    let mut pairs: Vec<String> = pairs.collect();
    if !has_one {
        pairs.push(pair);
    }
    pairs.retain(|pair| !pair.is_empty());
    if pairs.is_empty() { path.to_owned() } else { format!("{path}?{}", pairs.join("&")) }
}

/// An address with these charts in it; spaces are pluses, as forms write them: several words stay legible.
#[must_use]
pub fn with_charts(address: &str, charts: &[ChartSpec]) -> String {
    charts.iter().fold(address.to_owned(), |address, chart| with_chart(&address, &chart.to_string()))
}

/// An address with one more chart, as its text says it. Spaces are pluses, as forms write them: several words stay legible.
#[must_use]
pub fn with_chart(address: &str, chart: &str) -> String {
    let sign = if address.contains('?') { '&' } else { '?' };
    let mut text = String::with_capacity(chart.len() + 16);
    push_encoded(&mut text, chart);
    format!("{address}{sign}chart={}", text.replace("%20", "+"))
}

/// An address of the same, but of another span: from one instant to another, epoch milliseconds, or up to now, such as `24h`.
#[must_use]
pub fn with_span(address: &str, range: Option<(i64, i64)>, span: &str) -> String {
    let (path, query) = address.split_once('?').unwrap_or((address, ""));
    let is_of_span = |pair: &&str| ["span", "from", "to"].contains(&pair.split('=').next().unwrap_or_default());
    let mut pairs: Vec<String> = query.split('&').filter(|pair| !pair.is_empty() && !is_of_span(pair)).map(str::to_owned).collect();
    match range {
        Some((from, to)) => pairs.extend([format!("from={from}"), format!("to={to}")]),
        None if span.is_empty() => {}
        None => pairs.push(format!("span={span}")),
    }
    if pairs.is_empty() { path.to_owned() } else { format!("{path}?{}", pairs.join("&")) }
}

/// The span of an address, where it goes from one instant to another.
#[must_use]
pub fn range_of(query: &str) -> Option<(i64, i64)> {
    let read =
        |name: &str| query.trim_start_matches('?').split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=')?.parse().ok());
    read("from").zip(read("to")).filter(|(from, to)| from < to)
}

/// Realtime Statistics; `show` is left out when it is the default, `all`.
#[must_use]
pub fn realtime(box_name: &str, search: &str, show: &str) -> String {
    let show = if show == "all" { "" } else { show };
    with_query(REALTIME, &[("box", box_name), ("match", search), ("show", show)])
}

/// Asks before counters are set to zero: those that `words` match.
#[must_use]
pub fn reset(box_name: &str, words: &str) -> String {
    with_query(REALTIME, &[("box", box_name), ("reset", words)])
}

/// The notes of a box, or of all, that have something in them.
#[must_use]
pub fn notes(box_name: &str, search: &str) -> String {
    with_query(NOTES, &[("box", box_name), ("match", search)])
}

/// A chart set, on a box.
#[must_use]
pub fn set(box_name: &str, name: &str) -> String {
    with_query(&format!("{SETS}/{}", segment(name)), &[("box", box_name)])
}

/// The page of one script.
#[must_use]
pub fn script(name: &str) -> String {
    format!("{SCRIPTS}/{}", segment(name))
}

/// The form to change a box.
#[must_use]
pub fn edit_box(name: &str) -> String {
    with_query(BOXES, &[("edit", name)])
}

/// The chart of one statistic.
#[must_use]
pub fn chart_of(box_name: &str, full: &str) -> String {
    with_query(CHARTS, &[("box", box_name), ("match", &crate::matching::quoted(full))])
}

/// What the paths of a box's statistics begin with.
#[must_use]
pub fn statistics_of(box_name: &str) -> String {
    format!("{BOXES}/{}/", segment(box_name))
}

/// The page of one statistic. A name that a path would take for a step to elsewhere, or for nothing, stands after the sign that takes it
/// as it is.
#[must_use]
pub fn statistic(box_name: &str, full: &str) -> String {
    let sign = if matches!(full, "" | "." | "..") { "=" } else { "" };
    format!("{}{sign}{}", statistics_of(box_name), segment(full))
}

/// The API's path of one tick.
#[must_use]
pub fn tick(box_name: &str, full: &str) -> String {
    format!("{API}/boxes/{}/ticks/{}", segment(box_name), segment(full))
}

/// A path of one box in the API, such as `…/refresh`.
#[must_use]
pub fn box_path(box_name: &str, what: &str) -> String {
    format!("{API}/boxes/{}/{what}", segment(box_name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_cannot_leave_their_place() {
        assert_eq!(
            with_query("/cp", &[("box", "sip1"), ("none", ""), ("match", "a&b=c #d+é")]),
            "/cp?box=sip1&match=a%26b%3Dc%20%23d%2B%C3%A9"
        );
        assert_eq!(segment("a/../b?c"), "a%2F..%2Fb%3Fc");
        assert_eq!(tick("sip1", "my \"group\":a/b"), "/cp/api/v1/boxes/sip1/ticks/my%20%22group%22:a%2Fb");
    }

    #[test]
    fn an_address_takes_another_span() {
        let day = "/cp/charts?box=sip1&span=24h&match=a%26b";
        let zoomed = with_span(day, Some((5, 9)), "24h");
        assert_eq!(zoomed, "/cp/charts?box=sip1&match=a%26b&from=5&to=9");
        assert_eq!(range_of(zoomed.split_once('?').unwrap().1), Some((5, 9)));
        assert_eq!(with_span(&zoomed, None, "7d"), "/cp/charts?box=sip1&match=a%26b&span=7d");
        assert_eq!((with_span("/cp/charts", None, ""), with_span("/cp/charts?to=3", None, "")), ("/cp/charts".into(), "/cp/charts".into()));
        assert_eq!((range_of("?from=9&to=5"), range_of("?from=x&to=5"), range_of("")), (None, None, None));
    }

    #[test]
    fn an_address_takes_another_word() {
        let here = "/cp?box=sip1&match=a%26b&show=moving";
        assert_eq!(with_word(here, "match", "c d"), "/cp?box=sip1&match=c%20d&show=moving");
        assert_eq!(with_word(here, "match", ""), "/cp?box=sip1&show=moving");
        assert_eq!(with_word(here, "sort", "-rate"), "/cp?box=sip1&match=a%26b&show=moving&sort=-rate");
        assert_eq!(with_word("/cp?match=a&match=b", "match", "c"), "/cp?match=c");
        assert_eq!((with_word("/cp", "match", "a"), with_word("/cp?match=a", "match", "")), ("/cp?match=a".into(), "/cp".into()));
    }

    #[test]
    fn defaults_stay_out_of_the_address() {
        assert_eq!(realtime("sip1", "", "all"), "/cp?box=sip1");
        assert_eq!(realtime("sip1", "dialog:", "moving"), "/cp?box=sip1&match=dialog:&show=moving");
    }

    #[test]
    fn a_statistic_has_a_path_that_stays_where_it_is() {
        assert_eq!(statistic("sip1", "core:rcv_requests"), "/cp/boxes/sip1/core:rcv_requests");
        assert_eq!(statistic("sip1", "a/../b?c#d %2F"), "/cp/boxes/sip1/a%2F..%2Fb%3Fc%23d%20%252F");
        assert_eq!(statistic("sip1", ".."), "/cp/boxes/sip1/=..");
        assert_eq!(statistic("sip1", "\0<\n"), "/cp/boxes/sip1/%00%3C%0A");
    }

    #[test]
    fn a_chart_link_matches_the_one_name() {
        assert_eq!(chart_of("sip1", "x:a, b"), "/cp/charts?box=sip1&match=%22x:a%2C%20b%22");
        assert_eq!(chart_of("sip1", "x:*"), "/cp/charts?box=sip1&match=%3Dx:*");
    }
}
