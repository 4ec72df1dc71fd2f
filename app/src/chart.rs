//! Columns + size + theme → SVG. Pure: the same code draws on the server and in the browser; it does no I/O and reads no clock.
//!
//! `plotters` counts in whole numbers, so everything is drawn in tenths of a pixel ([`UNITS`]) and the view box scales it back:
//! lines of 1.4 px, and no stairs in slow slopes.

mod axis;
mod facts;
mod legend;
mod line;
mod marks;
mod palette;
mod time;
mod words;
pub mod zoom;

use plotters::prelude::*;

use crate::model::{Columns, Gap, Mode, Reset};
use axis::ValueAxis;
pub use facts::{Facts, facts};
use legend::Legend;
use palette::{Role, font};
use time::TimeAxis;
pub use time::{first_known, time_range};

/// Units of the drawing in one CSS pixel.
const UNITS: i32 = 10;
/// The widest chart; whatever asks for more gets this.
pub const MAX_WIDTH: u32 = 4096;
/// The highest chart.
pub const MAX_HEIGHT: u32 = 2048;
/// The narrowest chart.
pub const MIN_WIDTH: u32 = 120;
/// The lowest chart.
pub const MIN_HEIGHT: u32 = 60;
/// Pixels above the plot: half a line of text.
const TOP: i32 = 8;
/// Pixels above the plot when the facts stand there.
const TOP_WITH_FACTS: i32 = 26;
/// Pixels below the plot: ticks and one line of text.
const BOTTOM: i32 = 24;
/// Pixels left of the facts where they need all the room.
const FACTS_LEFT: i32 = 2;
/// Pixels right of the plot.
const RIGHT: i32 = 8;
/// How much of its colour a line has that is drawn faintly.
const FAINT: f64 = 0.4;
/// Pixels from a label of the value axis to the plot.
const LABEL_GAP: i32 = 8;
/// The narrowest room for labels of the value axis: charts below each other mostly begin at the same place.
const LEFT_MIN: i32 = 44;

/// Whether pictures that stand alone can be drawn here: the browser, which draws into a page, does not carry what they need besides.
const PICTURES: bool = cfg!(not(target_arch = "wasm32"));

/// One line of a chart.
#[derive(Clone, Copy, Debug)]
pub struct Line<'a> {
    /// What the legend calls it.
    pub label: &'a str,
    /// Its columns.
    pub columns: &'a Columns,
    /// Spans over which it is not drawn.
    pub gaps: &'a [Gap],
    /// The unit of its numbers, such as `bytes` or `requests/s`.
    pub unit: &'a str,
}

/// The colours of a chart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Palette {
    /// CSS variables (`var(--s1)`): inline SVG that follows the page.
    Page,
    /// Fixed light colours, for images.
    Light,
    /// Fixed dark colours.
    Dark,
    /// Light, or dark where the system says so: an image with its own media query.
    Auto,
}

/// Everything a chart is drawn from.
pub struct Chart<'a> {
    /// One or more lines on one axis.
    pub lines: &'a [Line<'a>],
    /// What the first of them did some time before, at the times of now: drawn faintly behind it.
    pub before: Option<Line<'a>>,
    /// Spans to shade.
    pub gaps: &'a [Gap],
    /// Instants to mark.
    pub resets: &'a [Reset],
    /// The start of the time axis, epoch milliseconds.
    pub from_ms: i64,
    /// Its end.
    pub to_ms: i64,
    /// Values or rates.
    pub mode: Mode,
    /// The unit of the axis; empty where lines have different ones.
    pub unit: &'a str,
    /// Width in CSS pixels.
    pub width: u32,
    /// Height in CSS pixels.
    pub height: u32,
    /// The colours.
    pub palette: Palette,
    /// The offset of local time from UTC at an instant, in milliseconds; `|_| 0` for UTC.
    pub offset_ms: &'a dyn Fn(i64) -> i64,
    /// The name of that local time, to be written at the axis; empty where the page around it says it.
    pub zone: &'a str,
    /// Whether now/min/mean/max, and which line is which, are written above the plot (images without a page around them).
    pub with_facts: bool,
}

/// A drawn chart, and where its plot lies: what a cross-hair needs.
#[derive(Clone, Debug, PartialEq)]
pub struct Drawn {
    /// The whole `<svg>` element.
    pub svg: String,
    /// The plot's left edge in CSS pixels; its right edge is [`Self::right`].
    pub left: f64,
    /// The plot's right edge.
    pub right: f64,
}

/// Draws it.
#[must_use]
pub fn draw(chart: &Chart<'_>) -> String {
    draw_placed(chart).svg
}

/// Draws it, and tells where the plot lies.
#[must_use]
pub fn draw_placed(chart: &Chart<'_>) -> Drawn {
    let plan = Plan::of(chart);
    let size = (plan.width * UNITS, plan.height * UNITS);
    let mut body = String::with_capacity(32 * 1024);
    // Writing into a string cannot fail; were it to, the words below the picture still say what it shows.
    let drawn = {
        let root = SVGBackend::with_string(&mut body, (size.0.unsigned_abs(), size.1.unsigned_abs())).into_drawing_area();
        plan.paint(chart, &root).and_then(|()| root.present())
    };
    if drawn.is_err() {
        body.clear();
    }
    let svg = palette::finish(&body, chart.palette, (plan.width, plan.height), &words::summary(chart, &plan.time));
    Drawn { svg, left: f64::from(plan.left), right: f64::from(plan.width - RIGHT) }
}

/// A drawing area of ours.
type Area<'a, T> = DrawingArea<SVGBackend<'a>, T>;
/// What can go wrong with it.
type Failure = DrawingAreaErrorKind<std::io::Error>;
/// The coordinates of the plot.
type Plane = Cartesian2d<TimeAxis, ValueAxis>;
/// The plot.
type Plot<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Plane>;

/// What is decided before anything is drawn. Lengths are CSS pixels.
struct Plan {
    width: i32,
    height: i32,
    left: i32,
    top: i32,
    legend: Legend,
    time: TimeAxis,
    value: ValueAxis,
    /// The points of each line, in runs without a gap.
    lines: Vec<Vec<line::Run>>,
    /// Those of what was before.
    before: Vec<line::Run>,
}

impl Plan {
    fn of(chart: &Chart<'_>) -> Self {
        let width = i32::try_from(chart.width.clamp(MIN_WIDTH, MAX_WIDTH)).unwrap_or(0);
        let height = i32::try_from(chart.height.clamp(MIN_HEIGHT, MAX_HEIGHT)).unwrap_or(0);
        let with_facts = PICTURES && chart.with_facts;
        let legend = if with_facts { Legend::of(chart, width, height) } else { Legend::default() };
        let top = match with_facts {
            true if legend.is_empty() => TOP_WITH_FACTS,
            true => legend.height(),
            false => TOP,
        };
        let plot_height = height - top - BOTTOM;
        let value = ValueAxis::of(chart, plot_height, !(chart.gaps.is_empty() && chart.resets.is_empty()));
        let left = (value.label_width() + LABEL_GAP + 2).max(LEFT_MIN).min(width / 3);
        let (from, to) = time::sane(chart.from_ms, chart.to_ms);
        let time = TimeAxis::new(from, to, chart.offset_ms, left, width - RIGHT, width);
        let columns = usize::try_from(width - RIGHT - left).unwrap_or(1).max(1);
        let runs = |line: &Line<'_>, resets: &[Reset]| line::runs(line.columns, line.gaps, resets, (from, to), columns);
        let lines = chart.lines.iter().map(|line| runs(line, chart.resets)).collect();
        let before = chart.before.iter().flat_map(|line| runs(line, &[])).collect();
        Self { width, height, left, top, legend, time, value, lines, before }
    }

    fn paint(&self, chart: &Chart<'_>, root: &Area<'_, plotters::coord::Shift>) -> Result<(), Failure> {
        if chart.palette != Palette::Page {
            root.fill(&Role::Sheet.color())?;
        }
        if PICTURES
            && chart.with_facts
            && let Some(text) = words::facts_line(chart, self.width - RIGHT - FACTS_LEFT)
        {
            // In a narrow picture they begin left of the plot.
            let x = (self.width - RIGHT - words::text_width(&text)).clamp(FACTS_LEFT, self.left);
            root.draw(&Text::new(text, (x * UNITS, 6 * UNITS), font(Role::Facts)))?;
        }
        if PICTURES {
            self.legend.paint(root)?;
        }
        let mut plot = ChartBuilder::on(root)
            .margin_top(self.top * UNITS)
            .margin_right(RIGHT * UNITS)
            .set_label_area_size(LabelAreaPosition::Left, self.left * UNITS)
            .set_label_area_size(LabelAreaPosition::Bottom, BOTTOM * UNITS)
            .build_cartesian_2d(self.time.clone(), self.value.clone())?;
        self.mesh(&mut plot)?;
        if !chart.zone.is_empty() {
            // Left of the axis, where no label of it comes.
            let place = (4 * UNITS, (self.height - BOTTOM + LABEL_GAP) * UNITS);
            root.draw(&Text::new(chart.zone, place, font(Role::Label)))?;
        }
        marks::gaps(chart, self, &plot)?;
        self.draw_lines(&mut plot)?;
        marks::labels(chart, self, &plot)?;
        if self.lines.iter().all(Vec::is_empty) {
            let middle = ((self.left + self.width - RIGHT) / 2 * UNITS, (self.top + (self.height - BOTTOM - self.top) * 3 / 5) * UNITS);
            root.draw(&Text::new(words::nothing(chart), middle, font(Role::Note)))?;
        }
        Ok(())
    }

    fn mesh(&self, plot: &mut Plot<'_, '_>) -> Result<(), Failure> {
        let thin = UNITS.unsigned_abs();
        // An axis that is not drawn has no labels either: that of values is drawn, in no colour.
        plot.configure_mesh()
            .disable_x_mesh()
            .disable_x_axis()
            .light_line_style(TRANSPARENT)
            .bold_line_style(Role::Grid.color().stroke_width(thin))
            .axis_style(TRANSPARENT)
            .label_style(font(Role::Label))
            .set_all_tick_mark_size(LABEL_GAP * UNITS / 2)
            .draw()?;
        plot.configure_mesh()
            .disable_mesh()
            .disable_y_axis()
            .axis_style(Role::Axis.color().stroke_width(thin))
            .label_style(font(Role::Label))
            .set_all_tick_mark_size(LABEL_GAP * UNITS / 2)
            .draw()
    }

    fn draw_lines(&self, plot: &mut Plot<'_, '_>) -> Result<(), Failure> {
        let floor = self.value.baseline();
        let single = self.lines.len() == 1;
        for run in &self.before {
            plot.draw_series(LineSeries::new(run.line.iter().copied(), Role::line(0).color().mix(FAINT).stroke_width(14)))?;
        }
        for (index, runs) in self.lines.iter().enumerate() {
            let color = Role::line(index).color();
            for run in runs {
                if let [(x, y)] = run.line.as_slice() {
                    plot.draw_series(std::iter::once(Circle::new((*x, *y), 2 * UNITS, color.filled())))?;
                    continue;
                }
                if let (true, Some(floor)) = (single, floor) {
                    plot.draw_series(AreaSeries::new(run.outline.iter().copied(), floor, color.mix(0.09)))?;
                }
                plot.draw_series(LineSeries::new(run.line.iter().copied(), color.stroke_width(14)))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
