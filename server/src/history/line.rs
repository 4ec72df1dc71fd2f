//! The values to draw, as compact as they can be. It must not know where they come from.

use std::{borrow::Cow, ops::Range};

use app::model::Number;

use super::{
    drawable,
    rates::{PlainSteps, seconds},
};
use crate::store::Values;

/// A value for each sample.
#[derive(Clone, Debug)]
pub(super) enum Line<'a> {
    /// Known and whole, all of them.
    Ints(Cow<'a, [i64]>),
    /// Rates; no number where there is none.
    Rates(Vec<f64>),
    /// Rates that are worked out when they are asked for.
    Steps(PlainSteps<'a>),
    /// Whatever they are.
    Numbers(Cow<'a, [Option<Number>]>),
    /// By how much it grew in the step to each sample.
    Grown(Vec<Option<Number>>),
}

impl<'a> Line<'a> {
    pub(super) fn of(values: &'a Values) -> Self {
        match values {
            Values::Ints(ints) => Self::Ints(Cow::Borrowed(ints)),
            Values::Numbers(numbers) => Self::Numbers(Cow::Borrowed(numbers)),
        }
    }

    /// What can be drawn of a sample.
    pub(super) fn get(&self, sample: usize) -> Option<Number> {
        match self {
            Self::Ints(ints) => Some(Number::Int(ints[sample])),
            Self::Rates(rates) => number(rates[sample]),
            Self::Steps(steps) => number(steps.get(sample)),
            Self::Numbers(numbers) => drawable(numbers[sample]),
            Self::Grown(grown) => drawable(grown[sample]),
        }
    }

    /// Of rates: the increases of their steps, in another order.
    pub(super) fn grown(&self, at_ms: &[i64], order: &[usize]) -> Line<'static> {
        Line::Grown(order.iter().map(|&i| self.increase(at_ms, i..i + 1)).collect())
    }

    /// Of rates: by how much all grew in the steps to the samples of a range; none where no step is known.
    pub(super) fn increase(&self, at_ms: &[i64], range: Range<usize>) -> Option<Number> {
        let rate = |sample: usize| match self {
            Self::Rates(rates) => Some(rates[sample]).filter(|rate| rate.is_finite()),
            _ => None,
        };
        match self {
            Self::Steps(steps) => return steps.increase(range),
            Self::Grown(grown) => {
                let known = grown[range].iter().flatten().map(|grown| grown.as_f64());
                return known.reduce(|sum, step| sum + step).map(counted);
            }
            _ => {}
        }
        let steps = (range.start.max(1)..range.end).filter_map(|sample| Some(rate(sample)? * seconds(at_ms[sample] - at_ms[sample - 1])));
        steps.reduce(|sum, step| sum + step).map(counted)
    }

    /// The same in another order.
    pub(super) fn in_order(&self, order: &[usize]) -> Line<'static> {
        match self {
            Self::Ints(ints) => Line::Ints(order.iter().map(|&i| ints[i]).collect()),
            Self::Steps(steps) => Line::Rates(order.iter().map(|&i| steps.get(i)).collect()),
            Self::Rates(rates) => Line::Rates(order.iter().map(|&i| rates[i]).collect()),
            Self::Numbers(numbers) => Line::Numbers(order.iter().map(|&i| numbers[i]).collect()),
            Self::Grown(grown) => Line::Grown(order.iter().map(|&i| grown[i]).collect()),
        }
    }
}

/// A number that went through floats: whole where it can only have been.
#[expect(clippy::cast_possible_truncation, reason = "below what a float can tell apart from its neighbours")]
pub(super) fn counted(sum: f64) -> Number {
    /// Below this a float tells a thousandth.
    const EXACT: f64 = 1e12;
    if sum.abs() < EXACT && (sum - sum.round()).abs() < 1e-3 { Number::Int(sum.round() as i64) } else { Number::Float(sum) }
}

fn number(float: f64) -> Option<Number> {
    (!float.is_nan()).then_some(Number::Float(float))
}
