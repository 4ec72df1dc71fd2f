//! Increases per second, and the drops of counters that nobody marked.

use app::model::{Kind, Number, Reset, ResetCause};

use super::{apart, drawable};
use crate::store::Samples;

/// The rate at each sample, which are in the order of their recording; none at the first, after a gap, beside an unknown value, where
/// a counter fell for no known reason, and where the clock was set back.
pub(super) fn rates(samples: &Samples, resets: &[Reset], kind: Kind) -> Vec<Option<Number>> {
    let mut rates = Vec::with_capacity(samples.values.len());
    let mut marks = Marks::new(samples, resets);
    let mut before = None;
    for (i, &value) in samples.values.iter().enumerate() {
        let value = drawable(value);
        let mark = if i > 0 { marks.between(samples.at_ms[i - 1], samples.at_ms[i]) } else { Between::default() };
        let rate = match (before, value) {
            (Some(before), Some(value)) if !apart(samples, i) && !mark.unclear => {
                let increase = match kind {
                    Kind::Gauge => Some(difference(value, before)),
                    Kind::Counter if mark.cause.is_some_and(ResetCause::began_anew) => Some(value.as_f64()),
                    Kind::Counter => Some(difference(value, before)).filter(|increase| *increase >= 0.0),
                };
                #[expect(clippy::cast_precision_loss, reason = "milliseconds between two polls")]
                let seconds = (samples.at_ms[i] - samples.at_ms[i - 1]) as f64 / 1_000.0;
                increase.filter(|_| seconds > 0.0).map(|increase| Number::Float(increase / seconds))
            }
            _ => None,
        };
        rates.push(drawable(rate));
        before = value;
    }
    rates
}

/// The marks, and one for each fall of a counter that has none.
pub(super) fn with_drops(samples: &Samples, resets: &[Reset]) -> Vec<Reset> {
    let mut all = resets.to_vec();
    let mut marks = Marks::new(samples, resets);
    for (i, pair) in samples.values.windows(2).enumerate() {
        let (from, to) = (samples.at_ms[i], samples.at_ms[i + 1]);
        let fell = match (drawable(pair[0]), drawable(pair[1])) {
            (Some(before), Some(value)) => from < to && difference(value, before) < 0.0,
            _ => false,
        };
        if fell && marks.between(from, to).cause.is_none() {
            all.push(Reset { at: to, cause: ResetCause::Drop, by: None });
        }
    }
    all.sort_by_key(|reset| reset.at);
    all
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
