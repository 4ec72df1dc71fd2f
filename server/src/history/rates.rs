//! Increases per second, and the drops of counters that nobody marked.

use std::ops::Range;

use app::model::{Kind, Number, Reset, ResetCause};

use super::{drawable, is_apart, line::Line};
use crate::store::{Rates, Rollup, Samples, Values};

/// The rate at each sample, which are in the order of their recording; no number at the first, after a gap, beside an unknown value,
/// where a counter fell for no known reason, and where the clock was set back. `in_order`: it never was.
pub(super) fn rates<'a>(samples: &'a Samples, breaks: &[usize], in_order: bool, resets: &[Reset], kind: Kind) -> Line<'a> {
    let mut steps = Steps { samples, breaks, marks: Marks::new(samples, resets), kind };
    match &samples.values {
        Values::Ints(ints) if in_order && !overflows(ints) => {
            let mut unlike: Vec<(usize, f64)> = breaks.iter().map(|&sample| (sample, f64::NAN)).collect();
            let marked = resets.iter().map(|reset| samples.at_ms.partition_point(|&at| at < reset.at));
            unlike.extend(marked.filter(|sample| (1..ints.len()).contains(sample)).map(|sample| (sample, steps.rate(sample))));
            unlike.sort_by_key(|&(sample, _)| sample);
            unlike.dedup_by_key(|(sample, _)| *sample);
            let lowest = if kind == Kind::Gauge { f64::NEG_INFINITY } else { 0.0 };
            Line::Steps(PlainSteps { at_ms: &samples.at_ms, ints, lowest, unlike })
        }
        values => Line::Rates((0..values.len()).map(|sample| steps.rate(sample)).collect()),
    }
}

/// Whether a difference of neighbours is none of 64 bits.
fn overflows(ints: &[i64]) -> bool {
    let overflow = |pair: &[i64]| {
        let difference = pair[1].wrapping_sub(pair[0]);
        (pair[0] ^ pair[1]) & (pair[1] ^ difference)
    };
    // Without a branch, since this is looked at for each sample: the sign bit tells.
    ints.windows(2).fold(0, |any, pair| any | overflow(pair)) < 0
}

/// Rates of whole numbers in the order of their times, worked out when they are asked for: a day has many, and each is asked for once.
#[derive(Clone, Debug)]
pub(super) struct PlainSteps<'a> {
    at_ms: &'a [i64],
    ints: &'a [i64],
    /// Of an increase; less gives no rate.
    lowest: f64,
    /// The samples whose rate gaps and marks say, in their order.
    unlike: Vec<(usize, f64)>,
}

impl PlainSteps<'_> {
    /// The rate at a sample, or no number.
    pub(super) fn get(&self, sample: usize) -> f64 {
        if let Ok(place) = self.unlike.binary_search_by_key(&sample, |&(sample, _)| sample) {
            return self.unlike[place].1;
        }
        let Some(last) = sample.checked_sub(1) else { return f64::NAN };
        self.plain((self.at_ms[last], self.at_ms[sample]), (self.ints[last], self.ints[sample]))
    }

    /// Gives those of a range to `sink`.
    pub(super) fn for_each(&self, range: Range<usize>, mut sink: impl FnMut(f64)) {
        let like = range.start > 0
            && self.unlike.partition_point(|&(sample, _)| sample < range.start)
                == self.unlike.partition_point(|&(sample, _)| sample < range.end);
        if !like {
            range.for_each(|sample| sink(self.get(sample)));
            return;
        }
        let (at_ms, ints) = (&self.at_ms[range.start - 1..range.end], &self.ints[range.start - 1..range.end]);
        for (times, values) in at_ms.windows(2).zip(ints.windows(2)) {
            sink(self.plain((times[0], times[1]), (values[0], values[1])));
        }
    }

    /// By how much all grew in the steps to the samples of a range; none where no step is known.
    pub(super) fn increase(&self, range: Range<usize>) -> Option<Number> {
        let range = range.start.max(1)..range.end;
        let plain = |sample: usize| {
            let (took_ms, grew) = (self.at_ms[sample] - self.at_ms[sample - 1], self.ints[sample] - self.ints[sample - 1]);
            // Of a counter: what falls did not grow.
            (took_ms > 0 && (grew >= 0 || self.lowest < 0.0)).then_some(grew)
        };
        let (mut sum, mut steps) = (0_i128, 0_usize);
        for sample in range.clone() {
            let grew = plain(sample);
            sum += i128::from(grew.unwrap_or_default());
            steps += usize::from(grew.is_some());
        }
        let place = |sample: usize| self.unlike.partition_point(|&(unlike, _)| unlike < sample);
        for &(sample, rate) in &self.unlike[place(range.start)..place(range.end.max(range.start))] {
            if let Some(grew) = plain(sample) {
                sum -= i128::from(grew);
                steps -= 1;
            }
            if rate.is_finite() {
                sum += whole(rate * seconds(self.at_ms[sample] - self.at_ms[sample - 1]));
                steps += 1;
            }
        }
        (steps > 0).then(|| i64::try_from(sum).map_or(Number::Float(sum as f64), Number::Int))
    }

    /// As if there were neither gaps nor marks.
    #[expect(clippy::cast_precision_loss, reason = "a rate is a float; milliseconds between two polls")]
    #[inline]
    fn plain(&self, times: (i64, i64), values: (i64, i64)) -> f64 {
        let (took_ms, increase) = (times.1 - times.0, (values.1 - values.0) as f64);
        if increase >= self.lowest && took_ms > 0 { per_second(increase, took_ms) } else { f64::NAN }
    }
}

/// A count that went through a rate.
#[expect(clippy::cast_possible_truncation, reason = "a float that is too large becomes the largest")]
fn whole(count: f64) -> i128 {
    count.round() as i128
}

/// Milliseconds between two samples, in seconds.
#[expect(clippy::cast_precision_loss, reason = "milliseconds between two polls")]
pub(super) fn seconds(ms: i64) -> f64 {
    ms as f64 / 1_000.0
}

/// With one division, which takes as long as all else that is done for a sample.
#[expect(clippy::cast_precision_loss, reason = "milliseconds between two polls")]
fn per_second(increase: f64, took_ms: i64) -> f64 {
    increase * 1_000.0 / took_ms as f64
}

/// From one sample to the next.
struct Steps<'a> {
    samples: &'a Samples,
    breaks: &'a [usize],
    marks: Marks<'a>,
    kind: Kind,
}

impl Steps<'_> {
    /// The rate of the step to a sample; asked of one after the other.
    fn rate(&mut self, sample: usize) -> f64 {
        let Some(last) = sample.checked_sub(1) else { return f64::NAN };
        let (from, to) = (self.samples.at_ms[last], self.samples.at_ms[sample]);
        let mark = self.marks.between(from, to);
        let (before, value) = (drawable(self.samples.values.get(last)), drawable(self.samples.values.get(sample)));
        let (Some(before), Some(value)) = (before, value) else { return f64::NAN };
        if mark.unclear || is_apart(self.breaks, sample) {
            return f64::NAN;
        }
        let rate = increase(before, value, mark, self.kind).filter(|_| to > from).map(|increase| per_second(increase, to - from));
        rate.filter(|rate| rate.is_finite()).unwrap_or(f64::NAN)
    }
}

/// By how much a statistic grew in a step; none where that is not known.
fn increase(before: Number, value: Number, mark: Between, kind: Kind) -> Option<f64> {
    match kind {
        Kind::Gauge => Some(difference(value, before)),
        Kind::Counter if mark.cause.is_some_and(ResetCause::began_anew) => Some(value.as_f64()),
        Kind::Counter => Some(difference(value, before)).filter(|increase| *increase >= 0.0),
    }
}

/// The steps of a roll-up that no bucket has, as rates at their ends, in the order of time.
pub(super) fn of_steps(rollup: &Rollup, resets: &[Reset], kind: Kind) -> Vec<(i64, Rates)> {
    let mut marks = Marks { all: resets, rest: resets, repeated: rollup.repeated.clone() };
    let mut rates = Vec::with_capacity(rollup.steps.len());
    let mut last_ms = i64::MIN;
    for step in &rollup.steps {
        if step.from_ms < last_ms {
            marks.rest = marks.all;
        }
        last_ms = step.to_ms;
        let mark = marks.between(step.from_ms, step.to_ms);
        let took_ms = step.to_ms - step.from_ms;
        let (Some(before), Some(value)) = (drawable(Some(step.before)), drawable(Some(step.value))) else { continue };
        let increase = increase(before, value, mark, kind).filter(|_| took_ms > 0 && !mark.unclear);
        rates.extend(increase.map(|increase| (step.to_ms, Rates::of_one(increase, took_ms))));
    }
    rates.retain(|(_, rates)| rates.most.is_finite());
    rates.sort_by_key(|&(at_ms, _)| at_ms);
    rates
}

/// The marks, and one for each fall of a counter that has none.
pub(super) fn with_drops(samples: &Samples, resets: &[Reset]) -> Vec<Reset> {
    let mut all = resets.to_vec();
    let mut marks = Marks::new(samples, resets);
    for sample in falls(&samples.values) {
        let (from, to) = (samples.at_ms[sample - 1], samples.at_ms[sample]);
        if from < to && marks.between(from, to).cause.is_none() {
            all.push(Reset { at: to, cause: ResetCause::Drop, by: None });
        }
    }
    all.sort_by_key(|reset| reset.at);
    all
}

/// The samples that are less than the one before.
fn falls(values: &Values) -> Vec<usize> {
    match values {
        Values::Ints(ints) => {
            let pairs = ints.windows(2).enumerate();
            pairs.filter(|(_, pair)| pair[1] < pair[0]).map(|(last, _)| last + 1).collect()
        }
        Values::Numbers(numbers) => {
            let fell = |sample: &usize| match (drawable(numbers[sample - 1]), drawable(numbers[*sample])) {
                (Some(before), Some(value)) => difference(value, before) < 0.0,
                _ => false,
            };
            (1..numbers.len()).filter(fell).collect()
        }
    }
}

/// Exact between integers.
fn difference(value: Number, before: Number) -> f64 {
    match (value, before) {
        #[expect(clippy::cast_precision_loss, reason = "a rate is a float")]
        (Number::Int(value), Number::Int(before)) => match value.checked_sub(before) {
            Some(difference) => difference as f64,
            None => (i128::from(value) - i128::from(before)) as f64,
        },
        _ => value.as_f64() - before.as_f64(),
    }
}

/// What marks say of the step from one sample to the next.
#[derive(Clone, Copy, Debug, Default)]
struct Between {
    /// Why a counter began anew; a known cause goes before a drop.
    cause: Option<ResetCause>,
    /// Nothing can be said of the step: the box is another one, or the clock ran through this time twice, and to which of the two
    /// the mark belongs is not known.
    unclear: bool,
}

/// Walks along the marks as time goes on, and begins again where it was set back.
struct Marks<'a> {
    all: &'a [Reset],
    rest: &'a [Reset],
    /// Spans that the clock ran through more than once.
    repeated: Vec<(i64, i64)>,
}

impl<'a> Marks<'a> {
    fn new(samples: &Samples, resets: &'a [Reset]) -> Self {
        let back = samples.at_ms.windows(2).filter(|pair| pair[1] < pair[0]);
        Self { all: resets, rest: resets, repeated: back.map(|pair| (pair[1], pair[0])).collect() }
    }

    /// What the marks after one sample and up to the next say.
    fn between(&mut self, after: i64, up_to: i64) -> Between {
        if up_to < after {
            self.rest = self.all;
            return Between::default();
        }
        self.rest = &self.rest[self.rest.iter().take_while(|reset| reset.at <= after).count()..];
        let between = self.rest.iter().take_while(|reset| reset.at <= up_to);
        let marked = between.filter(|reset| reset.cause != ResetCause::Clock).map(|reset| reset.cause);
        let cause = marked.reduce(|cause, other| if cause == ResetCause::Drop || other == ResetCause::Moved { other } else { cause });
        let unclear =
            cause == Some(ResetCause::Moved) || cause.is_some() && self.repeated.iter().any(|&(from, to)| after <= to && up_to >= from);
        Between { cause, unclear }
    }
}
