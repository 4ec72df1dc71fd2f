//! The value axis: from where to where it goes, and its ticks. It knows values and pixels, nothing of time or colour.

use std::ops::Range;

use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};

use super::words::text_width;
use crate::format;
use crate::model::{Axis, Columns, Mode, Number, Scale};

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

/// What an axis is made for.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    /// What lies on it.
    pub(super) extent: Option<Extent>,
    /// Whether all of that is whole.
    pub(super) whole: bool,
    pub(super) mode: Mode,
    pub(super) unit: &'a str,
    /// Pixels that it has.
    pub(super) height: i32,
    /// Whether marks have their words at its upper end.
    pub(super) marked: bool,
    pub(super) scale: Scale,
    pub(super) begins: Axis,
}

/// From where to where values go.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Extent {
    pub(super) low: f64,
    pub(super) high: f64,
    /// The smallest that is above zero.
    positive: Option<f64>,
}

impl Extent {
    /// That of one value.
    fn of(v: f64) -> Self {
        Self { low: v, high: v, positive: Some(v).filter(|v| *v > 0.0) }
    }

    /// That of both.
    fn and(self, other: Self) -> Self {
        let positive = match (self.positive, other.positive) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        Self { low: self.low.min(other.low), high: self.high.max(other.high), positive }
    }

    /// The same with a bound that lies no farther off than what there is spans, seen from zero.
    pub(super) fn near(self, bound: f64) -> Self {
        let low = self.low.min(0.0);
        let span = self.high.max(0.0) - low;
        if (low - span..=self.high + span).contains(&bound) { self.and(Self::of(bound)) } else { self }
    }

    /// That of columns.
    pub(super) fn of_columns<'a>(columns: impl Iterator<Item = &'a Columns>) -> Option<Self> {
        let values = columns.flat_map(|c| [&c.first, &c.min, &c.max, &c.last]).flatten().filter_map(|number| drawable(*number));
        values.map(Self::of).reduce(Self::and)
    }
}

/// The axis of values, with its labels. Values are placed on it as shares of its length.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ValueAxis {
    low: f64,
    high: f64,
    scale: Scale,
    ticks: Vec<(f64, String)>,
}

impl ValueAxis {
    pub(super) fn of(asked: &Asked<'_>) -> Self {
        let Some(extent) = asked.extent else {
            return Self { low: 0.0, high: 1.0, scale: Scale::Linear, ticks: Vec::new() };
        };
        if let (Scale::Log, Some(least)) = (asked.scale, extent.positive) {
            return Self::log(least, extent.high, asked);
        }
        let (low, mut high, cut) = floor(extent.low, extent.high, asked);
        if asked.marked {
            high += (high - low) * HEADROOM / f64::from(asked.height.max(40));
        }
        let most = (asked.height / SPACING).clamp(1, 12);
        let (low, high, step) = nice(low, high, most, asked.unit, asked.whole, cut);
        let ticks = ticks(low, high, step, asked.unit);
        Self { low, high, scale: Scale::Linear, ticks }
    }

    /// Equal ratios, between powers of what people count in. What is not above zero lies at its lower end.
    fn log(least: f64, most: f64, asked: &Asked<'_>) -> Self {
        let base = if format::is_bytes(asked.unit) { 16.0 } else { 10.0 };
        let marked = if asked.marked { (most / least).powf(HEADROOM / f64::from(asked.height.max(40))) } else { 1.0 };
        let low = power_of(base, least);
        let mut powers = vec![low];
        // A float has some three hundred powers of ten.
        while let Some(last) = powers.last().copied().filter(|last| *last < most * marked && powers.len() < 640) {
            powers.push(last * base);
        }
        if powers.len() == 1 {
            powers.push(low * base);
        }
        let high = powers.last().copied().unwrap_or(low * base);
        let room = usize::try_from((asked.height / SPACING).clamp(1, 12)).unwrap_or(1);
        let every = (powers.len() - 1).div_ceil(room);
        // Between few powers there is room for what lies between.
        let values: Vec<f64> = if base < 16.0 && (powers.len() - 1) * 3 <= room {
            let below = powers.iter().take(powers.len() - 1).flat_map(|power| [*power, power * 2.0, power * 5.0]);
            below.chain([high]).collect()
        } else {
            powers.iter().copied().step_by(every).collect()
        };
        let texts = labels(&values, asked.unit, 3);
        Self { low, high, scale: Scale::Log, ticks: values.into_iter().zip(texts).collect() }
    }

    /// Where the area below a line ends, as a share: at zero, or nowhere when the axis does not show it.
    pub(super) fn baseline(&self) -> Option<f64> {
        match self.scale {
            Scale::Log => Some(0.0),
            Scale::Linear => (self.low <= 0.0 && self.high >= 0.0).then(|| self.place(0.0)),
        }
    }

    /// Where a value lies, as a share of the axis.
    pub(super) fn place(&self, v: f64) -> f64 {
        match self.scale {
            Scale::Linear => (v - self.low) / (self.high - self.low),
            Scale::Log if v <= self.low => 0.0,
            Scale::Log => (v / self.low).ln() / (self.high / self.low).ln(),
        }
    }

    /// Its ticks: where they are, as shares, and their words.
    pub(super) fn ticks(&self) -> impl Iterator<Item = (f64, &str)> {
        self.ticks.iter().map(|(value, label)| (self.place(*value), label.as_str()))
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
    fn map(&self, share: &f64, limit: (i32, i32)) -> i32 {
        limit.0 + (share.clamp(-0.1, 1.1) * f64::from(limit.1 - limit.0)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        if hint.weight().allow_light_points() { Vec::new() } else { self.ticks().map(|(share, _)| share).collect() }
    }

    fn range(&self) -> Range<f64> {
        0.0..1.0
    }
}

impl ValueFormatter<f64> for ValueAxis {
    fn format_ext(&self, share: &f64) -> String {
        self.ticks().find(|(tick, _)| tick == share).map(|(_, label)| label.to_owned()).unwrap_or_default()
    }
}

/// A number as it can be drawn.
pub(super) fn drawable(number: Option<Number>) -> Option<f64> {
    number.map(Number::as_f64).filter(|v| v.is_finite()).map(|v| v.clamp(-HUGE, HUGE))
}

/// Whether all of a column is whole.
pub(super) fn is_whole(column: &[Option<Number>]) -> bool {
    column.iter().flatten().all(|number| matches!(number, Number::Int(_)))
}

/// Where the axis must reach: to zero, except for a level that stays far from it, or where it is to be fitted; and whether zero was left out.
fn floor(low: f64, high: f64, asked: &Asked<'_>) -> (f64, f64, bool) {
    let is_level = matches!(asked.mode, Mode::Value | Mode::Percent);
    let far = is_level && high - low < FAR_FROM_ZERO * low.abs().max(high.abs()) && low * high > 0.0;
    let cut = match asked.begins {
        Axis::Auto => far,
        Axis::Zero => false,
        Axis::Fitted => true,
    };
    if cut && high > low {
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

fn power_of_ten(v: f64) -> f64 {
    power_of(10.0, v)
}

/// The largest power of a base that is not above `v`, which is positive. By steps, so that it is the same wherever it runs.
fn power_of(base: f64, v: f64) -> f64 {
    let powers = || std::iter::successors(Some(1.0), |power| Some(power * base));
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
