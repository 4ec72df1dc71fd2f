//! The axis of values on the right: which lines have it, and its ticks. Lines are placed on it by themselves; the plot's own axis is the
//! left one.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::axis::ValueAxis;
use super::palette::{Role, font};
use super::{Area, Chart, Failure, LABEL_GAP, Line, UNITS};
use crate::format;
use crate::model::Mode;

/// Whether a line has it: its unit is another than the first one's.
pub(super) fn is_on(chart: &Chart<'_>, line: &Line<'_>) -> bool {
    chart.lines.first().is_some_and(|first| first.unit != line.unit)
}

/// Whether any line has it.
pub(super) fn has_one(chart: &Chart<'_>) -> bool {
    chart.lines.iter().any(|line| is_on(chart, line))
}

/// The unit of the left axis.
pub(super) fn first_unit<'a>(chart: &Chart<'a>) -> &'a str {
    if has_one(chart) { chart.lines.first().map_or("", |line| line.unit) } else { chart.unit }
}

/// Its unit; empty where the lines on it have several.
pub(super) fn unit<'a>(chart: &Chart<'a>) -> &'a str {
    let mut units = chart.lines.iter().filter(|line| is_on(chart, line)).map(|line| line.unit);
    let first = units.next().unwrap_or_default();
    if units.all(|unit| unit == first) { first } else { "" }
}

/// What is told in a unit.
pub(super) fn mode(unit: &str) -> Mode {
    if format::is_rate(unit) { Mode::Rate } else { Mode::Value }
}

/// Draws its ticks right of the plot, which ends at `x` and goes from `top` to `bottom`, in pixels.
pub(super) fn paint(axis: &ValueAxis, root: &Area<'_, plotters::coord::Shift>, (x, top, bottom): (i32, i32, i32)) -> Result<(), Failure> {
    let style = font(Role::Label).pos(Pos::new(HPos::Left, VPos::Center));
    for (share, label) in axis.ticks().filter(|(share, _)| (-0.001..=1.001).contains(share)) {
        #[expect(clippy::cast_possible_truncation, reason = "within the plot")]
        let y = bottom * UNITS - (share * f64::from((bottom - top) * UNITS)).round() as i32;
        let tick = [(x * UNITS, y), ((x + LABEL_GAP / 2) * UNITS, y)];
        root.draw(&PathElement::new(tick, Role::Axis.color().stroke_width(UNITS.unsigned_abs())))?;
        root.draw(&Text::new(label.to_owned(), ((x + LABEL_GAP) * UNITS, y), style.clone()))?;
    }
    Ok(())
}
