//! Gaps, resets and notes in the plot, with their words where there is room.

use plotters::prelude::*;

use super::palette::{Role, font};
use super::words::{self, text_width};
use super::{Chart, Failure, Plan, Plot, UNITS, alerts};
use crate::order;

/// The lower and the upper edge of the plot.
const LOW: f64 = 0.0;
const HIGH: f64 = 1.0;
/// Resets nearer to each other than this many pixels are drawn as one.
const NEAREST: i32 = 3;
/// The most marks of a kind in one picture.
const MARKS_MAX: usize = 500;
/// Pixels between a mark and its words.
const PAD: i32 = 5;
/// The bar over the span of a note, and the flag at its instant, in pixels.
const BAR: i32 = 3;
const FLAG: i32 = 5;
/// Rows of words.
const ROWS: i32 = 2;
/// Pixels between them.
const ROW: i32 = 14;

/// Shades the gaps.
pub(super) fn gaps(chart: &Chart<'_>, plan: &Plan, plot: &Plot<'_, '_>) -> Result<(), Failure> {
    for (from, to, _) in spans(chart, plan) {
        plot.plotting_area().draw(&Rectangle::new([(from, HIGH), (to, LOW)], Role::Gap.color().filled()))?;
    }
    Ok(())
}

/// Draws the lines of resets and notes, and all words.
pub(super) fn labels(chart: &Chart<'_>, plan: &Plan, plot: &Plot<'_, '_>) -> Result<(), Failure> {
    let area = plot.plotting_area();
    let x_of = |at: i64| area.map_coordinate(&(at, HIGH)).0 / UNITS;
    let mut words = Words { plan, plot, taken: Vec::new() };
    for (from, to, reason) in spans(chart, plan) {
        words.inside(x_of(from), x_of(to), reason)?;
    }
    let mut resets = visible_resets(chart, plan);
    resets.dedup_by(|b, a| x_of(b.at) - x_of(a.at) < NEAREST);
    words.taken.extend(resets.iter().flat_map(|reset| (0..ROWS).map(move |row| (row, x_of(reset.at), x_of(reset.at)))));
    for reset in resets {
        let x = x_of(reset.at);
        // The palette makes it dashed: one element instead of one for each dash.
        area.draw(&PathElement::new([(reset.at, HIGH), (reset.at, LOW)], Role::Warn.color().stroke_width(10)))?;
        words.beside(x, words::reset(reset, chart), (Role::Warn, Role::WarnEnd))?;
    }
    notes(chart, plan, &mut words)?;
    alerts::labels(chart, plan, &mut words)
}

/// Draws what people noted: a line at an instant, or two and a bar between them at the upper edge.
fn notes(chart: &Chart<'_>, plan: &Plan, words: &mut Words<'_, '_, '_>) -> Result<(), Failure> {
    let (from, to) = plan.time.ends();
    let area = words.plot.plotting_area();
    let x_of = |at: i64| area.map_coordinate(&(at, HIGH)).0 / UNITS;
    let root = area.strip_coord_spec();
    let origin = root.get_base_pixel();
    for note in chart.how.notes.iter().filter(|note| note.to >= from && note.from <= to).take(MARKS_MAX) {
        let ends = [note.from, note.to];
        let ends = if note.to > note.from { &ends[..] } else { &ends[..1] };
        for &at in ends.iter().filter(|&&at| at >= from && at <= to) {
            area.draw(&PathElement::new([(at, HIGH), (at, LOW)], Role::Remark.color().stroke_width(10)))?;
        }
        let (left, right) = (x_of(note.from.max(from)), x_of(note.to.min(to)));
        // A bar, or a flag at an instant.
        let right_end = right.max(left + FLAG);
        let corner = |x: i32, y: i32| (x * UNITS - origin.0, y * UNITS - origin.1);
        root.draw(&Rectangle::new([corner(left, plan.top), corner(right_end, plan.top + BAR)], Role::Remark.color().filled()))?;
        words.beside(left, words::clean(&note.text), (Role::Remark, Role::RemarkEnd))?;
    }
    Ok(())
}

/// Words in rows at the upper edge of the plot, none over another.
pub(super) struct Words<'a, 'b, 'c> {
    plan: &'a Plan,
    pub(super) plot: &'a Plot<'b, 'c>,
    /// The row, and from where to where it is taken.
    taken: Vec<(i32, i32, i32)>,
}

impl Words<'_, '_, '_> {
    /// Writes between two edges, if the words fit.
    fn inside(&mut self, left: i32, right: i32, text: String) -> Result<(), Failure> {
        let (middle, half) = ((left + right) / 2, text_width(&text) / 2 + PAD);
        if half * 2 > right - left {
            return Ok(());
        }
        self.write(0, (middle - half, middle + half), middle, text, Role::Reason)
    }

    /// Writes right of a line, or left of it, in the first row that has room.
    pub(super) fn beside(&mut self, x: i32, text: String, (right, left): (Role, Role)) -> Result<(), Failure> {
        let width = text_width(&text);
        let (after, ahead) = ((x + 1, x + PAD + width), (x - PAD - width, x - 1));
        for row in 0..ROWS {
            if self.is_free(row, after) {
                return self.write(row, after, x + PAD, text, right);
            }
            if self.is_free(row, ahead) {
                return self.write(row, ahead, x - PAD, text, left);
            }
        }
        Ok(())
    }

    fn is_free(&self, row: i32, (from, to): (i32, i32)) -> bool {
        from >= self.plan.left
            && to <= self.plan.width - self.plan.right
            && self.taken.iter().all(|taken| taken.0 != row || to < taken.1 || taken.2 < from)
    }

    fn write(&mut self, row: i32, span: (i32, i32), x: i32, text: String, role: Role) -> Result<(), Failure> {
        self.taken.push((row, span.0, span.1));
        let root = self.plot.plotting_area().strip_coord_spec();
        let origin = root.get_base_pixel();
        let y = self.plan.top + PAD + row * ROW;
        root.draw(&Text::new(text, (x * UNITS - origin.0, y * UNITS - origin.1), font(role)))
    }
}

/// The gaps within the axis.
fn spans(chart: &Chart<'_>, plan: &Plan) -> Vec<(i64, i64, String)> {
    let (from, to) = plan.time.ends();
    let inside = chart.gaps.iter().filter(|gap| gap.to > from && gap.from < to && gap.from < gap.to);
    inside.take(MARKS_MAX).map(|gap| (gap.from.max(from), gap.to.min(to), words::clean(&gap.reason))).collect()
}

/// The resets within the axis, in order.
fn visible_resets<'a>(chart: &Chart<'a>, plan: &Plan) -> Vec<&'a crate::model::Reset> {
    let (from, to) = plan.time.ends();
    let resets: Vec<_> = chart.resets.iter().filter(|reset| reset.at >= from && reset.at <= to).take(MARKS_MAX).collect();
    order::places(resets.len(), &|a, b| resets[a].at < resets[b].at).into_iter().map(|place| resets[place]).collect()
}
