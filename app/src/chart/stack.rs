//! What lies one upon the other: layers of a stack, and bars beside or upon each other. It knows values and shares, nothing of colour.

use super::axis::{ValueAxis, drawable};
use super::line::{Point, Run};
use super::{Chart, Line, THIN_BAR, second};
use crate::model::{Columns, Number};

/// A line of a stack: from what is below it up to both together.
pub(super) struct Stack {
    pub(super) upper: Columns,
    lower: Vec<Option<f64>>,
}

/// A part of it without a gap, in shares of the axis.
pub(super) struct Layer {
    /// Its upper edge.
    pub(super) line: Vec<Point>,
    /// All around it.
    pub(super) outline: Vec<Point>,
}

/// The layers of a chart whose lines lie one upon the other, each of those that have the first axis. Where one has no value neither has
/// what lies above it.
pub(super) fn stacks(chart: &Chart<'_>) -> Vec<Option<Stack>> {
    if !chart.how.stacked {
        return Vec::new();
    }
    let mut below: Vec<Option<f64>> = chart.lines.first().map_or_else(Vec::new, |line| vec![Some(0.0); line.columns.t.len()]);
    let stack = |(index, line): (usize, &Line<'_>)| {
        if chart.how.hides(index) || second::is_on(chart, line) || line.columns.t.len() != below.len() {
            return None;
        }
        let sum = |(point, below): (usize, &Option<f64>)| Some((*below)? + value(line.columns, point)?);
        let upper: Vec<Option<f64>> = below.iter().enumerate().map(sum).collect();
        let column: Vec<Option<Number>> = upper.iter().map(|v| v.map(Number::Float)).collect();
        let lower = std::mem::replace(&mut below, upper);
        let t = line.columns.t.clone();
        let upper = Columns { t, first: column.clone(), min: column.clone(), max: column.clone(), mean: Vec::new(), last: column };
        Some(Stack { upper, lower })
    };
    chart.lines.iter().enumerate().map(stack).collect()
}

/// The number that stands for a point.
fn value(columns: &Columns, point: usize) -> Option<f64> {
    let of = |column: &[Option<Number>]| drawable(column.get(point).copied().flatten());
    of(&columns.mean).or_else(|| of(&columns.last))
}

impl Stack {
    /// What is to draw of a run of its upper edge.
    pub(super) fn of(&self, mut run: Run, axis: &ValueAxis) -> Layer {
        let lower = |at: &i64| {
            let point = self.upper.t.binary_search(at).ok()?;
            self.lower.get(point).copied().flatten()
        };
        let below: Vec<Point> = run.outline.iter().rev().map(|(at, _)| (*at, axis.place(lower(at).unwrap_or(0.0)))).collect();
        run.place(axis);
        let mut outline = run.outline;
        outline.extend(below);
        Layer { line: run.line, outline }
    }
}

/// The bars of a line: beside those of the others, or upon them.
pub(super) fn bars(chart: &Chart<'_>, index: usize, stacks: &[Option<Stack>], axis: &ValueAxis, every_ms: i64) -> Vec<[(i64, f64); 2]> {
    let Some(line) = chart.lines.get(index) else { return Vec::new() };
    let stack = stacks.get(index).and_then(Option::as_ref);
    let (count, place) = if stack.is_some() { (1, 0) } else { (chart.lines.len(), index) };
    let (count, place) = (i64::try_from(count).unwrap_or(1), i64::try_from(place).unwrap_or(0));
    let every_ms = every_ms.max(1);
    // Some air between bars that are wide enough.
    let bars = (chart.to_ms.saturating_sub(chart.from_ms) / every_ms).max(1).saturating_mul(count);
    let air = if i64::from(chart.width) / bars > i64::from(THIN_BAR) { every_ms / 20 } else { 0 };
    let wide = (every_ms - 2 * air) / count;
    let within = |at: i64| at.saturating_add(every_ms) > chart.from_ms && at < chart.to_ms;
    let bar = |(point, &at): (usize, &i64)| {
        let (lower, upper) = match stack {
            Some(stack) => (stack.lower.get(point).copied().flatten()?, drawable(stack.upper.last.get(point).copied().flatten())?),
            None => (0.0, value(line.columns, point)?),
        };
        let from = at.saturating_add(air).saturating_add(wide * place);
        within(at).then(|| [(from, axis.place(upper)), (from.saturating_add(wide), axis.place(lower))])
    };
    line.columns.t.iter().enumerate().filter_map(bar).collect()
}
