//! Columns + size + theme → SVG. Pure: the same code draws on the server and in the browser; it does no I/O and reads no clock.
//!
//! `plotters` counts in whole numbers, so everything is drawn in tenths of a pixel ([`UNITS`]) and the view box scales it back:
//! lines of 1.4 px, and no stairs in slow slopes.

mod alerts;
mod axis;
mod facts;
mod how;
mod legend;
mod line;
mod marks;
mod names;
mod palette;
mod parts;
mod second;
mod stack;
pub mod tail;
mod time;
mod words;
pub mod zoom;

use plotters::prelude::*;

use crate::model::{Axis, Columns, Gap, Mode, Reset};
use axis::{Asked, Extent, ValueAxis};
pub use facts::{Facts, facts};
pub use how::How;
use legend::Legend;
pub use names::labels;
use palette::{Role, font};
use parts::Part;
use time::TimeAxis;
pub use time::{first_known, time_range};

/// Units of the drawing in one CSS pixel.
pub(crate) const UNITS: i32 = 10;
/// The widest chart; whatever asks for more gets this.
pub const MAX_WIDTH: u32 = 4096;
/// The highest chart.
pub const MAX_HEIGHT: u32 = 4096;
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
/// Pixels right of the plot, where no second axis is.
const RIGHT: i32 = 8;
/// Pixels of a title in the picture.
const TITLE: i32 = 20;
/// The widest bar of an increase that touches the next one, in pixels.
const THIN_BAR: i32 = 3;
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
    /// One or more lines. Those with another unit than the first have an axis of their own, on the right.
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
    /// What the lines tell.
    pub mode: Mode,
    /// How they are drawn.
    pub how: How<'a>,
    /// The unit of the axis, where there is one.
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
    Drawn { svg, left: f64::from(plan.left), right: f64::from(plan.width - plan.right) }
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
    /// From the plot to the picture's right edge.
    right: i32,
    top: i32,
    legend: Legend,
    time: TimeAxis,
    value: ValueAxis,
    second: Option<ValueAxis>,
    /// What each line is drawn of, as shares of its axis.
    lines: Vec<Drawing>,
    /// Those of what was before.
    before: Vec<line::Run>,
}

/// What a line is drawn of.
enum Drawing {
    /// Points in runs without a gap.
    Line(Vec<line::Run>),
    /// The same, and what lies below it down to the line under it.
    Layers(Vec<stack::Layer>),
    /// From when to when, from where to where.
    Bars(Vec<[(i64, f64); 2]>),
}

impl Drawing {
    fn is_empty(&self) -> bool {
        match self {
            Self::Line(runs) => runs.is_empty(),
            Self::Layers(layers) => layers.is_empty(),
            Self::Bars(bars) => bars.is_empty(),
        }
    }
}

impl Plan {
    fn of(chart: &Chart<'_>) -> Self {
        let width = i32::try_from(chart.width.clamp(MIN_WIDTH, MAX_WIDTH)).unwrap_or(0);
        let height = i32::try_from(chart.height.clamp(MIN_HEIGHT, MAX_HEIGHT)).unwrap_or(0);
        let with_facts = PICTURES && chart.with_facts;
        let title = if with_facts && !chart.how.title.is_empty() { TITLE } else { 0 };
        let legend = if with_facts { Legend::of(chart, width, height, title) } else { Legend::default() };
        let top = match with_facts {
            true if legend.is_empty() => TOP_WITH_FACTS + title,
            true => legend.height() + title,
            false => TOP,
        };
        let plot_height = height - top - BOTTOM;
        let stacks = stack::stacks(chart);
        let axis = |second| ValueAxis::of(&asked(chart, second, &stacks, plot_height));
        let (value, second) = (axis(false), second::has_one(chart).then(|| axis(true)));
        let left = (value.label_width() + LABEL_GAP + 2).max(LEFT_MIN).min(width / 3);
        let right = second.as_ref().map_or(RIGHT, |axis| (axis.label_width() + LABEL_GAP + 2).max(LEFT_MIN).min(width / 3));
        let (from, to) = time::sane(chart.from_ms, chart.to_ms);
        let time = TimeAxis::new(from, to, chart.offset_ms, left, width - right, width);
        let pixels = usize::try_from(width - right - left).unwrap_or(1).max(1);
        let runs = |line: &Line<'_>, resets: &[Reset], axis: &ValueAxis| {
            let mut runs = line::runs(line.columns, line.gaps, resets, (from, to), pixels);
            runs.iter_mut().for_each(|run| run.place(axis));
            runs
        };
        let drawing = |(index, line): (usize, &Line<'_>)| {
            let axis = second.as_ref().filter(|_| second::is_on(chart, line)).unwrap_or(&value);
            if chart.how.hides(index) {
                return Drawing::Line(Vec::new());
            }
            if let Some(every_ms) = chart.how.every_ms {
                return Drawing::Bars(stack::bars(chart, index, &stacks, axis, every_ms));
            }
            match stacks.get(index).and_then(Option::as_ref) {
                Some(layer) => {
                    let runs = line::runs(&layer.upper, line.gaps, chart.resets, (from, to), pixels);
                    Drawing::Layers(runs.into_iter().map(|run| layer.of(run, axis)).collect())
                }
                None => Drawing::Line(runs(line, chart.resets, axis)),
            }
        };
        let lines = chart.lines.iter().enumerate().map(drawing).collect();
        let before = chart.before.iter().flat_map(|line| runs(line, &[], &value)).collect();
        Self { width, height, left, right, top, legend, time, value, second, lines, before }
    }

    fn paint(&self, chart: &Chart<'_>, root: &Area<'_, plotters::coord::Shift>) -> Result<(), Failure> {
        if chart.palette != Palette::Page {
            root.fill(&Role::Sheet.color())?;
        }
        if PICTURES && chart.with_facts {
            self.words_above(chart, root)?;
        }
        let mut plot = ChartBuilder::on(root)
            .margin_top(self.top * UNITS)
            .margin_right(self.right * UNITS)
            .set_label_area_size(LabelAreaPosition::Left, self.left * UNITS)
            .set_label_area_size(LabelAreaPosition::Bottom, BOTTOM * UNITS)
            .build_cartesian_2d(self.time.clone(), self.value.clone())?;
        self.mesh(&mut plot, chart, root)?;
        if let Some(axis) = &self.second {
            second::paint(axis, root, (self.width - self.right, self.top, self.height - BOTTOM))?;
        }
        if !chart.zone.is_empty() {
            // Left of the axis, where no label of it comes.
            let place = (4 * UNITS, (self.height - BOTTOM + LABEL_GAP) * UNITS);
            root.draw(&Text::new(chart.zone, place, font(Role::Label)))?;
        }
        Part::Plot.mark(chart, root)?;
        marks::gaps(chart, self, &plot)?;
        alerts::bands(chart, self, &plot)?;
        self.draw_lines(&mut plot)?;
        marks::labels(chart, self, &plot)?;
        Part::PlotEnd.mark(chart, root)?;
        if self.lines.iter().all(Drawing::is_empty) {
            let middle =
                ((self.left + self.width - self.right) / 2 * UNITS, (self.top + (self.height - BOTTOM - self.top) * 3 / 5) * UNITS);
            root.draw(&Text::new(words::nothing(chart), middle, font(Role::Note)))?;
        }
        Ok(())
    }

    /// The title, the facts and the legend, above the plot.
    fn words_above(&self, chart: &Chart<'_>, root: &Area<'_, plotters::coord::Shift>) -> Result<(), Failure> {
        let mut top = 6;
        if !chart.how.title.is_empty() {
            let title = words::fitted(words::clean(chart.how.title), (self.width - 2 * RIGHT) * 11 / 14);
            root.draw(&Text::new(title, (RIGHT * UNITS, top * UNITS), font(Role::Title)))?;
            top += TITLE;
        }
        if let Some(text) = words::facts_line(chart, self.width - RIGHT - FACTS_LEFT) {
            // In a narrow picture they begin left of the plot.
            let x = (self.width - RIGHT - words::text_width(&text)).clamp(FACTS_LEFT, self.left);
            root.draw(&Text::new(text, (x * UNITS, top * UNITS), font(Role::Facts)))?;
        }
        self.legend.paint(root)
    }

    fn mesh(&self, plot: &mut Plot<'_, '_>, chart: &Chart<'_>, root: &Area<'_, plotters::coord::Shift>) -> Result<(), Failure> {
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
        Part::Times.mark(chart, root)?;
        plot.configure_mesh()
            .disable_mesh()
            .disable_y_axis()
            .axis_style(Role::Axis.color().stroke_width(thin))
            .label_style(font(Role::Label))
            .set_all_tick_mark_size(LABEL_GAP * UNITS / 2)
            .draw()?;
        Part::End.mark(chart, root)
    }

    fn draw_lines(&self, plot: &mut Plot<'_, '_>) -> Result<(), Failure> {
        let floor = self.value.baseline();
        let single = self.lines.len() == 1;
        for run in &self.before {
            plot.draw_series(LineSeries::new(run.line.iter().copied(), Role::line(0).color().mix(FAINT).stroke_width(14)))?;
        }
        for (index, drawing) in self.lines.iter().enumerate() {
            let color = Role::line(index).color();
            match drawing {
                Drawing::Line(runs) => {
                    for run in runs {
                        draw_run(plot, run, color, floor.filter(|_| single))?;
                    }
                }
                Drawing::Layers(layers) => {
                    for layer in layers {
                        plot.draw_series(std::iter::once(Polygon::new(layer.outline.clone(), color.mix(0.35))))?;
                        plot.draw_series(LineSeries::new(layer.line.iter().copied(), color.stroke_width(10)))?;
                    }
                }
                Drawing::Bars(bars) => {
                    plot.draw_series(bars.iter().map(|bar| Rectangle::new(*bar, color.mix(0.8).filled())))?;
                }
            }
        }
        Ok(())
    }
}

/// What one of the axes is to hold.
fn asked<'a>(chart: &'a Chart<'_>, second: bool, stacks: &[Option<stack::Stack>], height: i32) -> Asked<'a> {
    let own = || chart.lines.iter().enumerate().filter(|(index, line)| second::is_on(chart, line) == second && !chart.how.hides(*index));
    let before = chart.before.iter().filter(|_| !second).map(|line| line.columns);
    let shown = own().map(|(index, line)| stacks.get(index).and_then(Option::as_ref).map_or(line.columns, |layer| &layer.upper));
    let unit = if second { second::unit(chart) } else { second::first_unit(chart) };
    // Beside another axis each has lines of its own kind.
    let mode = if second::has_one(chart) && chart.how.every_ms.is_none() { second::mode(unit) } else { chart.mode };
    let is_count = matches!(mode, Mode::Value | Mode::Increase);
    Asked {
        extent: Extent::of_columns(shown.chain(before)).map(|extent| alerts::near(chart, second, extent)),
        whole: is_count && own().all(|(_, line)| axis::is_whole(&line.columns.max)),
        mode,
        unit,
        height,
        marked: !(chart.gaps.is_empty() && chart.resets.is_empty()),
        scale: chart.how.scale,
        begins: if chart.how.stacked || chart.how.every_ms.is_some() { Axis::Zero } else { chart.how.axis },
    }
}

/// A line without a gap, with the area below it where there is a floor; one point alone is a dot.
fn draw_run(plot: &mut Plot<'_, '_>, run: &line::Run, color: RGBColor, floor: Option<f64>) -> Result<(), Failure> {
    if let [(x, y)] = run.line.as_slice() {
        plot.draw_series(std::iter::once(Circle::new((*x, *y), 2 * UNITS, color.filled())))?;
        return Ok(());
    }
    if let Some(floor) = floor {
        plot.draw_series(AreaSeries::new(run.outline.iter().copied(), floor, color.mix(0.09)))?;
    }
    plot.draw_series(LineSeries::new(run.line.iter().copied(), color.stroke_width(14)))?;
    Ok(())
}

#[cfg(test)]
mod tests;
