//! The words of a chart: its summary for those who do not see it, its facts, and what stands where there is nothing to draw.

use super::{Chart, Facts, Line, facts, time::TimeAxis};
use crate::format::{self, DAY_MS};
use crate::model::{Mode, Number, Reset, ResetCause};

/// The longest reason of a gap, in characters.
const REASON_MAX: usize = 60;
/// How many lines a summary tells of.
const SUMMARY_LINES: usize = 6;

/// The width of a text in 11 px letters, roughly and rather too much: nothing here can measure.
pub(super) fn text_width(text: &str) -> i32 {
    let tenths: i32 = text
        .chars()
        .map(|c| match c {
            ' ' | '.' | ',' | ':' | 'i' | 'l' | 'I' | '/' | '\'' | '\u{2009}' => 36,
            'm' | 'w' | 'M' | 'W' | '%' => 100,
            c if c.is_ascii_uppercase() => 76,
            c if c.is_ascii() => 68,
            _ => 90,
        })
        .sum();
    tenths / 10 + 1
}

/// What stands between two facts: no-break spaces, as SVG would fold plain ones into one.
const APART: &str = "\u{a0}\u{a0} ";

/// How much an entry of the legend tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Detail {
    /// Now, min, mean and max.
    Facts,
    /// The newest value.
    Now,
    /// The name alone.
    Name,
}

/// `now 184   min 2   mean 97   max 911`; without the mean where so many pixels do not hold it.
pub(super) fn facts_line(chart: &Chart<'_>, pixels: i32) -> Option<String> {
    let line = chart.lines.first().filter(|_| chart.lines.len() == 1)?;
    let [now, min, mean, max] = fact_words(&facts(line.columns)?, |n| format::fact(n, chart.unit));
    let whole = [&*now, &min, &mean, &max].join(APART);
    let told = if text_width(&whole) <= pixels { whole } else { [now, min, max].join(APART) };
    // Where there is room; what is faint is told of in the summary as well.
    let with_before = chart.before.map(|before| format!("{told}{APART}faint: {}", clean(before.label)));
    Some(with_before.filter(|text| text_width(text) <= pixels).unwrap_or(told))
}

/// `now 184`, `min 2`, `mean 97`, `max 911`.
fn fact_words(facts: &Facts, write: impl Fn(Number) -> String) -> [String; 4] {
    let parts = [("now", facts.now), ("min", facts.min), ("mean", Number::Float(facts.mean)), ("max", facts.max)];
    parts.map(|(word, n)| format!("{word} {}", write(n)))
}

/// A line in the legend: `core:rcv_requests   now 184/s   min 2/s   mean 97/s   max 911/s`. Each line says its unit, as the axis may not.
/// One on the axis at the right says so.
pub(super) fn entry(line: &Line<'_>, detail: Detail, right: bool) -> String {
    let mut parts = vec![if right { format!("{} (right)", clean(line.label)) } else { clean(line.label) }];
    match facts(line.columns) {
        _ if detail == Detail::Name => {}
        Some(facts) => {
            let told = fact_words(&facts, |n| with_unit(n, line.unit));
            parts.extend(told.into_iter().take(if detail == Detail::Facts { 4 } else { 1 }));
        }
        None => parts.push("no values".to_owned()),
    }
    parts.join(APART)
}

/// A number that says of itself whether it is a rate.
fn with_unit(n: Number, unit: &str) -> String {
    let text = format::fact(n, unit);
    if format::is_rate(unit) && !format::is_bytes(unit) { format!("{text}/s") } else { text }
}

/// A text cut to so many pixels.
pub(super) fn fitted(mut text: String, pixels: i32) -> String {
    if text_width(&text) <= pixels {
        return text;
    }
    while !text.is_empty() && text_width(&text) + text_width("…") > pixels {
        text.pop();
    }
    text.push('…');
    text
}

/// What to say instead of a line.
pub(super) fn nothing(chart: &Chart<'_>) -> &'static str {
    let times = chart.lines.iter().map(|line| line.columns.t.len()).max().unwrap_or(0);
    match (times, chart.mode) {
        (0, _) => "no samples in this span",
        (1, Mode::Rate) => "waiting for the second sample",
        _ => "no values in this span",
    }
}

/// A mark's words, such as `restart 02:41`.
pub(super) fn reset(reset: &Reset, chart: &Chart<'_>) -> String {
    let local = reset.at.saturating_add((chart.offset_ms)(reset.at).clamp(-DAY_MS, DAY_MS));
    let time = format::clock(local, false);
    let when = if chart.to_ms.saturating_sub(chart.from_ms) > DAY_MS * 3 / 2 { format!("{} {time}", format::day(local)) } else { time };
    match (reset.cause, &reset.by) {
        (ResetCause::Restart, _) => format!("restart {when}"),
        (ResetCause::Drop, _) => format!("drop {when}"),
        (ResetCause::Moved, _) => format!("other server {when}"),
        (ResetCause::Clock, _) => format!("clock set back to {when}"),
        (ResetCause::Person, Some(by)) => format!("reset {when} by {}", clean(by)),
        (ResetCause::Person | ResetCause::Schedule, _) => format!("reset {when}"),
    }
}

/// Text from elsewhere without what XML cannot carry or what acts unseen, and bounded.
pub(super) fn clean(text: &str) -> String {
    let text = crate::shown::visible(text);
    let mut out: String = text.chars().take(REASON_MAX).collect();
    if text.chars().count() > REASON_MAX {
        out.push('…');
    }
    out
}

/// The chart in a sentence.
pub(super) fn summary(chart: &Chart<'_>, axis: &TimeAxis) -> String {
    let (from, to) = axis.ends();
    let local = |at: i64| at.saturating_add((chart.offset_ms)(at).clamp(-DAY_MS, DAY_MS));
    let stamp = |at: i64| format!("{} {}", format::day(local(at)), format::clock(local(at), false));
    let mut out = format!("{} to {}", stamp(from), stamp(to));
    if !chart.zone.is_empty() {
        out.push(' ');
        out.push_str(chart.zone);
    }
    match (chart.mode, chart.how.every_ms) {
        (Mode::Rate, _) if chart.lines.len() == 1 => out.push_str(", per second"),
        (Mode::Increase, Some(every_ms)) => out.push_str(&format!(", increase each {}", format::age(every_ms))),
        _ => {}
    }
    for line in chart.lines.iter().take(SUMMARY_LINES) {
        out.push_str("; ");
        if !line.label.is_empty() {
            out.push_str(&clean(line.label));
            out.push_str(": ");
        }
        match facts(line.columns) {
            Some(f) => {
                // Of a single line, what it is per is said once.
                let write = |n: Number| if chart.lines.len() == 1 { format::fact(n, line.unit) } else { with_unit(n, line.unit) };
                out.push_str(&fact_words(&f, write).join(", "));
            }
            None => out.push_str(nothing(chart)),
        }
    }
    if let Some(before) = chart.before {
        let words = facts(before.columns).map(|f| fact_words(&f, |n| format::fact(n, before.unit))[1..].join(", "));
        out.push_str(&format!("; {}: {}", clean(before.label), words.as_deref().unwrap_or("no values")));
    }
    if chart.lines.is_empty() {
        out.push_str("; no lines");
    }
    for (count, one, many) in
        [(chart.gaps.len(), "gap", "gaps"), (chart.resets.len(), "reset", "resets"), (chart.how.notes.len(), "note", "notes")]
    {
        if count > 0 {
            out.push_str(&format!("; {count} {}", if count == 1 { one } else { many }));
        }
    }
    for mark in chart.how.alerts.iter().filter(|mark| !mark.fired.is_empty()) {
        let rule = if mark.rule.is_empty() { "the rule".to_owned() } else { clean(&mark.rule) };
        out.push_str(&format!("; {rule} fired {} ×", mark.fired.len()));
    }
    out
}
