//! The time axis: its ticks at round local times. It knows instants, offsets and pixels, and no time zone: the offset is passed in.

use std::ops::Range;

use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};

use super::words::text_width;
use crate::format::{self, DAY_MS};
use crate::model::{Columns, Gap};

/// Pixels between two ticks, at least.
const SPACING: i64 = 60;
/// The same where the labels have seconds.
const SPACING_SECONDS: i64 = 84;
/// Instants beyond this are no times: where JavaScript's dates end.
pub(super) const FARTHEST_MS: i64 = 8_640_000_000_000_000;
/// The shortest span that is drawn.
const SHORTEST_MS: i64 = 1000;
/// The shortest axis of a young series: two samples a second apart should not look like a day.
const YOUNG_MS: i64 = 10_000;
/// A gap that ends this long before a sample, or later, was ended by it.
const TOUCHING_MS: i64 = 60_000;
/// The largest offset of local time that is believed.
const OFFSET_MAX_MS: i64 = DAY_MS;
const SECOND: i64 = 1000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
/// Steps between ticks.
const STEPS: [i64; 25] = [
    SECOND,
    2 * SECOND,
    5 * SECOND,
    10 * SECOND,
    15 * SECOND,
    30 * SECOND,
    MINUTE,
    2 * MINUTE,
    5 * MINUTE,
    10 * MINUTE,
    15 * MINUTE,
    30 * MINUTE,
    HOUR,
    2 * HOUR,
    3 * HOUR,
    6 * HOUR,
    12 * HOUR,
    DAY_MS,
    2 * DAY_MS,
    7 * DAY_MS,
    14 * DAY_MS,
    28 * DAY_MS,
    56 * DAY_MS,
    91 * DAY_MS,
    182 * DAY_MS,
];
/// The first Monday: weeks count from here.
const MONDAY_MS: i64 = 4 * DAY_MS;

/// The span a chart covers: what was asked, or only what there is when that is less than half of it.
/// `first` is the first sample, or the start of the first gap that is known.
#[must_use]
pub fn time_range(from_ms: i64, to_ms: i64, first: Option<i64>) -> (i64, i64) {
    let (from, to) = sane(from_ms, to_ms);
    match first {
        Some(first) if first > from && first <= to && to - first < (to - from) / 2 => (first.min(to - YOUNG_MS).max(from), to),
        _ => (from, to),
    }
}

/// The instant from which something is known: the first value, or the gap that it ended. An older gap of the box tells nothing of a
/// series that is younger.
#[must_use]
pub fn first_known(columns: &Columns, gaps: &[Gap]) -> Option<i64> {
    let first = columns.t.iter().zip(&columns.last).find(|(_, value)| value.is_some()).map(|(at, _)| *at)?;
    let ended = gaps.iter().filter(|gap| gap.from < first && gap.to >= first.saturating_sub(TOUCHING_MS));
    Some(ended.map(|gap| gap.from).min().unwrap_or(first))
}

/// Two instants in order, apart, and within what a calendar can tell.
pub(super) fn sane(from_ms: i64, to_ms: i64) -> (i64, i64) {
    let from = from_ms.clamp(-FARTHEST_MS, FARTHEST_MS - SHORTEST_MS);
    (from, to_ms.clamp(-FARTHEST_MS, FARTHEST_MS).max(from + SHORTEST_MS))
}

/// The axis of time, with its labels.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct TimeAxis {
    from: i64,
    to: i64,
    ticks: Vec<(i64, String)>,
}

impl TimeAxis {
    /// The axis between two pixels of a picture of `width`; labels that would leave the picture are left out.
    pub(super) fn new(from: i64, to: i64, offset_ms: &dyn Fn(i64) -> i64, left: i32, right: i32, width: i32) -> Self {
        let pixels = i64::from((right - left).max(1));
        let step = step(to - from, pixels);
        let axis = Self { from, to, ticks: Vec::new() };
        let spacing = pixels * step / (to - from).max(1);
        let ticks = instants(from, to, step, offset_ms)
            .into_iter()
            .map(|at| (at, label(at + offset(offset_ms, at), step, spacing)))
            .filter(|(at, label)| {
                let (x, half) = (axis.map(at, (left, right)), text_width(label) / 2);
                x - half >= 0 && x + half <= width
            })
            .collect();
        Self { ticks, ..axis }
    }

    /// The ends of the axis.
    pub(super) fn ends(&self) -> (i64, i64) {
        (self.from, self.to)
    }
}

impl Ranged for TimeAxis {
    type FormatOption = NoDefaultFormatting;
    type ValueType = i64;

    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "a share of a few thousand pixels")]
    fn map(&self, value: &i64, limit: (i32, i32)) -> i32 {
        let share = (value.saturating_sub(self.from) as f64 / (self.to - self.from) as f64).clamp(0.0, 1.0);
        limit.0 + (share * f64::from(limit.1 - limit.0)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<i64> {
        if hint.weight().allow_light_points() { Vec::new() } else { self.ticks.iter().map(|(at, _)| *at).collect() }
    }

    fn range(&self) -> Range<i64> {
        self.from..self.to
    }
}

impl ValueFormatter<i64> for TimeAxis {
    fn format_ext(&self, value: &i64) -> String {
        self.ticks.iter().find(|(tick, _)| tick == value).map(|(_, label)| label.clone()).unwrap_or_default()
    }
}

/// The smallest step that needs no more ticks than there is room for.
fn step(span: i64, pixels: i64) -> i64 {
    let most = |step: i64| (pixels / if step < MINUTE { SPACING_SECONDS } else { SPACING }).max(1);
    let fitting = STEPS.into_iter().find(|step| span / step <= most(*step));
    fitting.unwrap_or_else(|| (span / most(DAY_MS) / (364 * DAY_MS) + 1) * 364 * DAY_MS)
}

/// The instants of a span whose local time is a multiple of the step, also across a change of the clocks.
fn instants(from: i64, to: i64, step: i64, offset_ms: &dyn Fn(i64) -> i64) -> Vec<i64> {
    // Days count in weeks from a Monday; a shorter step divides the day and does not care.
    let phase = |at: i64| (at + offset(offset_ms, at) - MONDAY_MS).rem_euclid(step);
    let mut at = from - phase(from) - step;
    let mut out = Vec::new();
    while at <= to {
        let wrong = phase(at);
        // After the clocks changed, local multiples lie beside the old ones: go to the nearer.
        let aligned = if wrong <= step / 2 { at - wrong } else { at + step - wrong };
        if aligned >= from && aligned <= to && phase(aligned) == 0 && out.last().is_none_or(|last| *last < aligned) {
            out.push(aligned);
        }
        at = aligned.max(at - step / 2) + step;
    }
    out
}

fn offset(offset_ms: &dyn Fn(i64) -> i64, at: i64) -> i64 {
    offset_ms(at).clamp(-OFFSET_MAX_MS, OFFSET_MAX_MS)
}

/// A tick's words: the time, or the day where one begins.
fn label(local: i64, step: i64, spacing: i64) -> String {
    let midnight = local.rem_euclid(DAY_MS) == 0;
    if step > 28 * DAY_MS {
        let (year, month, _) = format::civil(local.div_euclid(DAY_MS));
        return format!("{year}-{month:02}");
    }
    if step >= DAY_MS || midnight {
        let day = format::day(local);
        return if spacing >= 84 { format!("{} {day}", format::weekday(local)) } else { day };
    }
    format::clock(local, step < MINUTE)
}

#[cfg(test)]
mod tests;
