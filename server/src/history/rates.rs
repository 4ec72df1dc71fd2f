//! Increases per second, and the drops of counters that nobody marked.

use app::model::{Kind, Number, Reset, ResetCause};

use super::{apart, drawable};
use crate::store::Samples;

/// The rate at each sample; none at the first, after a gap, beside an unknown value, and where a counter fell for no known reason.
pub(super) fn rates(samples: &Samples, resets: &[Reset], kind: Kind) -> Vec<Option<Number>> {
    let mut rates = Vec::with_capacity(samples.values.len());
    let mut marks = Marks::new(resets);
    let mut before = None;
    for (i, &value) in samples.values.iter().enumerate() {
        let value = drawable(value);
        let began_anew = i > 0 && marks.began_anew(samples.at_ms[i - 1], samples.at_ms[i]).is_some_and(|cause| cause != ResetCause::Drop);
        let rate = match (before, value) {
            (Some(before), Some(value)) if !apart(samples, i) => {
                let increase = match kind {
                    Kind::Gauge => Some(difference(value, before)),
                    Kind::Counter if began_anew => Some(value.as_f64()),
                    Kind::Counter => Some(difference(value, before)).filter(|increase| *increase >= 0.0),
                };
                #[expect(clippy::cast_precision_loss, reason = "milliseconds between two polls")]
                let seconds = (samples.at_ms[i] - samples.at_ms[i - 1]) as f64 / 1_000.0;
                increase.map(|increase| Number::Float(increase / seconds))
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
    let mut marks = Marks::new(resets);
    for (i, pair) in samples.values.windows(2).enumerate() {
        let (from, to) = (samples.at_ms[i], samples.at_ms[i + 1]);
        let fell = match (drawable(pair[0]), drawable(pair[1])) {
            (Some(before), Some(value)) => difference(value, before) < 0.0,
            _ => false,
        };
        if fell && marks.began_anew(from, to).is_none() {
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

/// Walks along the marks as time goes on.
struct Marks<'a> {
    rest: &'a [Reset],
}

impl<'a> Marks<'a> {
    fn new(resets: &'a [Reset]) -> Self {
        Self { rest: resets }
    }

    /// Why a counter began anew after one sample and up to the next; a known cause goes before a drop.
    fn began_anew(&mut self, after: i64, up_to: i64) -> Option<ResetCause> {
        self.rest = &self.rest[self.rest.iter().take_while(|reset| reset.at <= after).count()..];
        let between = self.rest.iter().take_while(|reset| reset.at <= up_to).map(|reset| reset.cause);
        between.reduce(|cause, other| if cause == ResetCause::Drop { other } else { cause })
    }
}
