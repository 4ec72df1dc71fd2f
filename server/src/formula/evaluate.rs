//! Computing what a bound formula comes to. Where there is no value it goes on with [`NONE`], which costs nothing; why there is none is
//! found out when somebody asks.

use super::{Fold, Sign};

/// No value: whatever is computed from it is none either.
pub const NONE: f64 = f64::NAN;

/// The values that a formula is computed from.
pub trait Inputs {
    /// The value of an input; [`NONE`] where it has none.
    fn value(&self, input: usize) -> f64;

    /// Whether an input did not exist then, so that a function over many leaves it out.
    fn is_absent(&self, _input: usize) -> bool {
        false
    }
}

impl<F: Fn(usize) -> f64> Inputs for F {
    fn value(&self, input: usize) -> f64 {
        self(input)
    }
}

/// Why there is no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// An input has none.
    Missing(usize),
    /// The divisor of the sign at this character is 0.
    Zero(usize),
    /// What is computed by the sign or function at this character is no finite number.
    TooLarge(usize),
    /// Of all that a function is of, none existed.
    Nothing(usize),
}

/// A formula with its inputs in their places.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    Number(f64),
    Input(usize),
    Negative(Box<Node>),
    Pair { sign: Sign, at: usize, both: Box<(Node, Node)> },
    Fold { fold: Fold, at: usize, terms: Vec<Node> },
}

impl Node {
    pub(super) fn value(&self, inputs: &impl Inputs) -> f64 {
        match self {
            Self::Number(number) => *number,
            Self::Input(input) => finite(inputs.value(*input)),
            Self::Negative(inner) => -inner.value(inputs),
            Self::Pair { sign, both, .. } => pair(*sign, both.0.value(inputs), both.1.value(inputs)),
            Self::Fold { fold, terms, .. } => {
                let there = terms.iter().filter(|term| !term.is_absent(inputs));
                folded(*fold, there.map(|term| term.value(inputs)))
            }
        }
    }

    fn is_absent(&self, inputs: &impl Inputs) -> bool {
        match self {
            Self::Number(_) | Self::Fold { .. } => false,
            Self::Input(input) => inputs.is_absent(*input),
            Self::Negative(inner) => inner.is_absent(inputs),
            Self::Pair { both, .. } => both.0.is_absent(inputs) || both.1.is_absent(inputs),
        }
    }

    /// Why there is no value; none where there is one.
    pub(super) fn why(&self, inputs: &impl Inputs) -> Option<Why> {
        if !self.value(inputs).is_nan() {
            return None;
        }
        match self {
            Self::Number(_) => None,
            Self::Input(input) => Some(Why::Missing(*input)),
            Self::Negative(inner) => inner.why(inputs),
            Self::Pair { sign, at, both } => both.0.why(inputs).or_else(|| both.1.why(inputs)).or_else(|| {
                let is_zero = *sign == Sign::Divided && both.1.value(inputs) == 0.0;
                Some(if is_zero { Why::Zero(*at) } else { Why::TooLarge(*at) })
            }),
            Self::Fold { at, terms, .. } => {
                let mut there = terms.iter().filter(|term| !term.is_absent(inputs)).peekable();
                if there.peek().is_none() {
                    return Some(Why::Nothing(*at));
                }
                there.find_map(|term| term.why(inputs)).or(Some(Why::TooLarge(*at)))
            }
        }
    }
}

fn finite(value: f64) -> f64 {
    if value.is_finite() { value } else { NONE }
}

fn pair(sign: Sign, one: f64, other: f64) -> f64 {
    finite(match sign {
        Sign::Plus => one + other,
        Sign::Minus => one - other,
        Sign::Times => one * other,
        // 1/0 is infinite, and 0/0 none: both are none.
        Sign::Divided => one / other,
    })
}

fn folded(fold: Fold, values: impl Iterator<Item = f64>) -> f64 {
    let mut count = 0.0;
    let mut all = NONE;
    for value in values {
        if value.is_nan() {
            return NONE;
        }
        count += 1.0;
        all = match fold {
            _ if all.is_nan() => value,
            Fold::Max => all.max(value),
            Fold::Min => all.min(value),
            Fold::Sum | Fold::Avg => all + value,
        };
    }
    finite(if fold == Fold::Avg { all / count } else { all })
}
