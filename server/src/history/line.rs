//! The values to draw, as compact as they can be. It must not know where they come from.

use std::borrow::Cow;

use app::model::Number;

use super::{drawable, rates::PlainSteps};
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
        }
    }

    /// The same in another order.
    pub(super) fn in_order(&self, order: &[usize]) -> Line<'static> {
        match self {
            Self::Ints(ints) => Line::Ints(order.iter().map(|&i| ints[i]).collect()),
            Self::Steps(steps) => Line::Rates(order.iter().map(|&i| steps.get(i)).collect()),
            Self::Rates(rates) => Line::Rates(order.iter().map(|&i| rates[i]).collect()),
            Self::Numbers(numbers) => Line::Numbers(order.iter().map(|&i| numbers[i]).collect()),
        }
    }
}

fn number(float: f64) -> Option<Number> {
    (!float.is_nan()).then_some(Number::Float(float))
}
