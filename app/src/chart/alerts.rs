//! What rules of alerts say of the lines: where these must not be, and when a rule fired. Faint: the lines tell more.

use plotters::prelude::*;

use super::axis::Extent;
use super::marks::Words;
use super::palette::Role;
use super::{Chart, Failure, Plan, Plot, UNITS, second, words};
use crate::model::AlertMark;

/// The lower and the upper edge of the plot.
const LOW: f64 = 0.0;
const HIGH: f64 = 1.0;
/// How much of its colour a band has, and a span in which a rule fired.
const BAND: f64 = 0.06;
const FIRED: f64 = 0.09;
/// The bar below such a span, in pixels, and its least width.
const BAR: i32 = 3;
const LEAST: i32 = 2;
/// So many rules are shown, and so many spans of each.
const RULES_MAX: usize = 8;
const SPANS_MAX: usize = 200;

/// Draws the bands where lines must not be, and shades when rules fired: once, however many rules say so.
pub(super) fn bands(chart: &Chart<'_>, plan: &Plan, plot: &Plot<'_, '_>) -> Result<(), Failure> {
    let area = plot.plotting_area();
    let (from, to) = plan.time.ends();
    let mut spans: Vec<(i64, i64)> = shown(chart).flat_map(|mark| fired(mark, plan)).collect();
    spans.sort_unstable();
    spans.dedup_by(|next, before| {
        let meet = next.0 <= before.1;
        before.1 = if meet { before.1.max(next.1) } else { before.1 };
        meet
    });
    for (span_from, span_to) in spans {
        area.draw(&Rectangle::new([(span_from, HIGH), (span_to, LOW)], Role::Warn.color().mix(FIRED).filled()))?;
    }
    let bounds: Vec<(f64, f64)> = shown(chart).flat_map(|mark| bounds(chart, plan, mark)).collect();
    for edge in [HIGH, LOW] {
        let farthest = bounds
            .iter()
            .filter(|bound| bound.1 == edge)
            .map(|bound| bound.0)
            .reduce(|one, other| if edge == HIGH { one.min(other) } else { one.max(other) });
        if let Some(bound) = farthest {
            area.draw(&Rectangle::new([(from, bound), (to, edge)], Role::Warn.color().mix(BAND).filled()))?;
        }
    }
    for (bound, _) in bounds {
        area.draw(&PathElement::new([(from, bound), (to, bound)], Role::Warn.color().mix(0.6).stroke_width(10)))?;
    }
    Ok(())
}

/// Draws a bar below each span in which a rule fired, with its name where there is room.
pub(super) fn labels(chart: &Chart<'_>, plan: &Plan, words: &mut Words<'_, '_, '_>) -> Result<(), Failure> {
    let area = words.plot.plotting_area();
    let x_of = |at: i64| area.map_coordinate(&(at, HIGH)).0 / UNITS;
    let root = area.strip_coord_spec();
    let origin = root.get_base_pixel();
    let bottom = plan.height - super::BOTTOM;
    let corner = |x: i32, y: i32| (x * UNITS - origin.0, y * UNITS - origin.1);
    for mark in shown(chart) {
        for (from, to) in fired(mark, plan) {
            let (left, right) = (x_of(from), x_of(to));
            let right = right.max(left + LEAST);
            root.draw(&Rectangle::new([corner(left, bottom - BAR), corner(right, bottom)], Role::Warn.color().filled()))?;
            if !mark.rule.is_empty() {
                words.beside(left, words::clean(&mark.rule), (Role::Warn, Role::WarnEnd))?;
            }
        }
    }
    Ok(())
}

fn shown<'a>(chart: &Chart<'a>) -> impl Iterator<Item = &'a AlertMark> {
    chart.how.alerts.iter().take(RULES_MAX)
}

/// When it fired, within the axis.
fn fired(mark: &AlertMark, plan: &Plan) -> impl Iterator<Item = (i64, i64)> {
    let (from, to) = plan.time.ends();
    let inside = mark.fired.iter().filter(move |span| span.to >= from && span.from <= to);
    inside.take(SPANS_MAX).map(move |span| (span.from.max(from), span.to.min(to)))
}

/// What an axis is to hold, with the bounds of it that are not far off.
pub(super) fn near(chart: &Chart<'_>, second: bool, extent: Extent) -> Extent {
    let is_on = |mark: &&AlertMark| is_plain(chart) && on_second(chart, mark) == Some(second);
    shown(chart).filter(is_on).flat_map(|mark| [mark.above, mark.below]).flatten().fold(extent, Extent::near)
}

/// Whether the lines lie where their values are.
fn is_plain(chart: &Chart<'_>) -> bool {
    !chart.how.stacked && chart.how.every_ms.is_none()
}

/// Whether a rule's bounds are of the axis on the right; none: they are of neither.
fn on_second(chart: &Chart<'_>, mark: &AlertMark) -> Option<bool> {
    match (second::has_one(chart), mark.unit == second::first_unit(chart)) {
        (false, _) | (true, true) => Some(false),
        (true, false) => (mark.unit == second::unit(chart)).then_some(true),
    }
}

/// The bounds that lie within the plot, as shares of its height, each with the edge that it is broken towards.
fn bounds(chart: &Chart<'_>, plan: &Plan, mark: &AlertMark) -> impl Iterator<Item = (f64, f64)> {
    let axis = match on_second(chart, mark).filter(|_| is_plain(chart)) {
        Some(true) => plan.second.as_ref(),
        Some(false) => Some(&plan.value),
        None => None,
    };
    let place = move |bound: Option<f64>, edge: f64| {
        let share = axis?.place(bound?);
        (LOW..=HIGH).contains(&share).then_some((share, edge))
    };
    [place(mark.above, HIGH), place(mark.below, LOW)].into_iter().flatten()
}
