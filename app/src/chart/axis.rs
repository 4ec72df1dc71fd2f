//! The value axis: from where to where it goes, and its ticks. It knows values and pixels, nothing of time or colour.

use std::ops::Range;

use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};

use super::{Chart, words::text_width};
use crate::format;
use crate::model::{Mode, Number};

/// Pixels between two grid lines, at least.
const SPACING: i32 = 34;
/// What is beyond is not a number one can draw.
const HUGE: f64 = 1e300;
/// A level whose whole movement is below this share of its size is drawn without its zero.
const FAR_FROM_ZERO: f64 = 0.1;
/// The most digits of a label: what a float can tell apart.
const DIGITS_MAX: usize = 13;
/// Pixels kept free below the plot's upper edge where marks have their words.
const HEADROOM: f64 = 18.0;

/// The axis of values, with its labels.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ValueAxis {
    low: f64,
    high: f64,
    ticks: Vec<(f64, String)>,
}

impl ValueAxis {
    pub(super) fn of(chart: &Chart<'_>, plot_height: i32, marked: bool) -> Self {
        let Some((low, high)) = extent(chart) else {
            return Self { low: 0.0, high: 1.0, ticks: Vec::new() };
        };
        let whole = chart.mode == Mode::Value && chart.lines.iter().all(|line| is_whole(&line.columns.max));
        let (low, mut high, cut) = floor(low, high, chart.mode);
        if marked {
            high += (high - low) * HEADROOM / f64::from(plot_height.max(40));
        }
        let most = (plot_height / SPACING).clamp(1, 12);
        let (low, high, step) = nice(low, high, most, chart.unit, whole, cut);
        let ticks = ticks(low, high, step, chart.unit);
        Self { low, high, ticks }
    }

    /// Where the area below a line ends: at zero, or nowhere when the axis does not show it.
    pub(super) fn baseline(&self) -> Option<f64> {
        (self.low <= 0.0 && self.high >= 0.0).then_some(0.0)
    }

    /// The lowest and the highest value.
    pub(super) fn ends(&self) -> (f64, f64) {
        (self.low, self.high)
    }

    /// The width of the widest label, in pixels.
    pub(super) fn label_width(&self) -> i32 {
        self.ticks.iter().map(|(_, label)| text_width(label)).max().unwrap_or(0)
    }
}

impl Ranged for ValueAxis {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    #[expect(clippy::cast_possible_truncation, reason = "the share is clamped and pixels are few")]
    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        let share = ((value - self.low) / (self.high - self.low)).clamp(-0.1, 1.1);
        limit.0 + (share * f64::from(limit.1 - limit.0)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        if hint.weight().allow_light_points() { Vec::new() } else { self.ticks.iter().map(|(value, _)| *value).collect() }
    }

    fn range(&self) -> Range<f64> {
        self.low..self.high
    }
}

impl ValueFormatter<f64> for ValueAxis {
    fn format_ext(&self, value: &f64) -> String {
        self.ticks.iter().find(|(tick, _)| tick == value).map(|(_, label)| label.clone()).unwrap_or_default()
    }
}

/// A number as it can be drawn.
pub(super) fn drawable(number: Option<Number>) -> Option<f64> {
    number.map(Number::as_f64).filter(|v| v.is_finite()).map(|v| v.clamp(-HUGE, HUGE))
}

fn is_whole(column: &[Option<Number>]) -> bool {
    column.iter().flatten().all(|number| matches!(number, Number::Int(_)))
}

/// The smallest and largest value of all lines.
fn extent(chart: &Chart<'_>) -> Option<(f64, f64)> {
    let columns = chart.lines.iter().chain(&chart.before).map(|line| line.columns);
    let values = columns.flat_map(|c| [&c.first, &c.min, &c.max, &c.last]).flatten().filter_map(|number| drawable(*number));
    values.fold(None, |ends, v| match ends {
        None => Some((v, v)),
        Some((low, high)) => Some((low.min(v), high.max(v))),
    })
}

/// Where the axis must reach: to zero, except for a level that stays far from it; and whether zero was left out.
fn floor(low: f64, high: f64, mode: Mode) -> (f64, f64, bool) {
    let far = mode == Mode::Value && high > low && high - low < FAR_FROM_ZERO * low.abs().max(high.abs()) && low * high > 0.0;
    if far {
        return (low, high, true);
    }
    let (low, high) = (low.min(0.0), high.max(0.0));
    // Nothing but zeros still wants a line above the floor.
    if high - low < 1e-9 { (low, low + 1.0, false) } else { (low, high, false) }
}

/// Rounds the ends outward to multiples of a step that people count in.
fn nice(low: f64, high: f64, most: i32, unit: &str, whole: bool, cut: bool) -> (f64, f64, f64) {
    let mut range = high - low;
    // Below what a float can part, ticks would fall together.
    let least = low.abs().max(high.abs()) * 1e-12;
    if cut && range < least {
        range = least;
    }
    let mut step = nice_step(range / f64::from(most), unit);
    if whole {
        step = step.max(1.0);
    }
    // Rounding outward may add a step at either end; then the next step serves.
    for _ in 0..3 {
        if (high / step).ceil() - (low / step).floor() <= f64::from(most) + 0.5 {
            break;
        }
        step = nice_step(step * 1.01, unit);
    }
    let (bottom, mut top) = ((low / step).floor() * step, (high / step).ceil() * step);
    // Half a step of air is enough: the line should fill the plot.
    if top - high > step * 0.55 && top - step > bottom {
        top -= step / 2.0;
    }
    if format::is_percent(unit) && high <= 100.0 {
        top = top.min(100.0);
    }
    if top <= bottom {
        top = bottom + step;
    }
    (bottom, top, step)
}

/// The smallest step of at least `least` that people count in: of two for bytes, of 1, 2, 2½ and 5 for the rest.
fn nice_step(least: f64, unit: &str) -> f64 {
    let least = least.max(1e-9);
    if format::is_bytes(unit) {
        return std::iter::successors(Some(1.0), |step| Some(step * 2.0)).find(|step| *step >= least).unwrap_or(least);
    }
    let power = power_of_ten(least);
    let choices = [1.0, 2.0, 2.5, 5.0, 10.0];
    choices.into_iter().map(|choice| choice * power).find(|step| *step >= least * (1.0 - 1e-9)).unwrap_or(power * 10.0)
}

/// The largest power of ten that is not above `v`, which is positive. By steps, so that it is the same wherever it runs.
fn power_of_ten(v: f64) -> f64 {
    let powers = || std::iter::successors(Some(1.0), |power| Some(power * 10.0));
    if v >= 1.0 {
        return powers().take_while(|power| *power <= v).last().unwrap_or(1.0);
    }
    powers().map(|power: f64| 1.0 / power).find(|power| *power <= v).unwrap_or(v)
}

fn ticks(low: f64, high: f64, step: f64, unit: &str) -> Vec<(f64, String)> {
    let count = ((high - low) / step + 1e-6).floor().clamp(0.0, 40.0);
    let values: Vec<f64> = (0_u32..).take_while(|index| f64::from(*index) <= count).map(|index| low + f64::from(index) * step).collect();
    // As many digits as part neighbours, no more.
    let digits = (3..=DIGITS_MAX).find(|digits| all_differ(&labels(&values, unit, *digits))).unwrap_or(DIGITS_MAX);
    let texts = labels(&values, unit, digits);
    values.into_iter().zip(texts).collect()
}

/// Rates carry their unit on the uppermost tick alone: the axis stays calm.
fn labels(values: &[f64], unit: &str, digits: usize) -> Vec<String> {
    let bare = if format::is_bytes(unit) || !format::is_rate(unit) { unit } else { "" };
    let last = values.len().saturating_sub(1);
    values.iter().enumerate().map(|(index, v)| format::short_digits(*v, if index == last { unit } else { bare }, digits)).collect()
}

fn all_differ(labels: &[String]) -> bool {
    labels.windows(2).all(|pair| pair.first() != pair.last())
}

#[cfg(test)]
mod tests;
