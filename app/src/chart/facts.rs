//! Now, min, mean and max of a series.

use crate::model::{Columns, Number};

/// What stands above a chart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Facts {
    /// The newest value.
    pub now: Number,
    /// The smallest.
    pub min: Number,
    /// The mean over the columns.
    pub mean: f64,
    /// The largest.
    pub max: Number,
}

/// The facts of columns; `None` when they hold no number.
#[must_use]
pub fn facts(columns: &Columns) -> Option<Facts> {
    let finite = |number: &Option<Number>| number.filter(|n| n.as_f64().is_finite());
    let now = columns.last.iter().rev().find_map(finite)?;
    let min = columns.min.iter().filter_map(finite).reduce(|a, b| if less(b, a) { b } else { a })?;
    let max = columns.max.iter().filter_map(finite).reduce(|a, b| if less(a, b) { b } else { a })?;
    // The mean of means, kept by steps: a sum of huge values would leave the floats.
    let mut mean = 0.0;
    let mut count = 0.0;
    for number in columns.mean.iter().filter_map(finite) {
        count += 1.0;
        mean += number.as_f64() / count - mean / count;
    }
    Some(Facts { now, min, mean: if count > 0.0 { mean } else { now.as_f64() }, max })
}

/// Whether one number is below another, exactly where both are whole.
fn less(a: Number, b: Number) -> bool {
    match (a, b) {
        (Number::Int(a), Number::Int(b)) => a < b,
        _ => a.as_f64() < b.as_f64(),
    }
}
