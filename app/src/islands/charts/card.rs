//! One chart of the page: what it is of, what was loaded, and how it is drawn into its figure.

mod lines;
mod loading;
mod moving;
mod telling;

use leptos::prelude::document;
use wasm_bindgen::prelude::*;
use web_sys::{Element, HtmlElement};

use crate::chart::{
    self, Chart, Line, Palette,
    zoom::{self, Span},
};
use crate::format;
use crate::islands::{browser, dom};
use crate::links;
use crate::model::{Axis, COMPARED, ChartLines, Combine, LiveStatistic, Mode, Number, Scale, Series};
use crate::shown::short;

use self::loading::Asking;
use super::legend::{self, Chosen};
use super::table;

/// The lowest and the highest chart; between them it takes the place of its picture.
const HEIGHT: (i32, i32) = (150, 420);
/// The height of the line above a chart, which the picture has inside.
const FACTS_HEIGHT: i32 = 18;
/// The width of a chart that the page does not tell.
const WIDTH: u32 = 640;
/// What lies over the drawing, and stays when it is drawn again.
const OVER: &str = ":scope > .hair, :scope > .pin, :scope > .selection";
/// How much wider a chart must become before it is loaded anew.
const WIDER: f64 = 1.25;

/// A chart of the page.
pub(super) struct Card {
    figure: HtmlElement,
    plot: HtmlElement,
    pub(super) box_name: String,
    pub(super) name: String,
    /// What it is of, as an address says it: HTML cannot hold every name as it is.
    query: String,
    mode: Option<Mode>,
    /// It is of several statistics, which the panel reads together.
    composed: bool,
    scale: Scale,
    axis: Axis,
    combine: Combine,
    chosen: Chosen,
    unit: String,
    span: String,
    /// From one instant to another instead of up to now.
    range: Option<Span>,
    /// It is compared with what was so many milliseconds before.
    compare_ms: Option<i64>,
    height: u32,
    /// Whether it is in the window, or nearly.
    pub(super) visible: bool,
    /// Whether newer samples are known of.
    pub(super) stale: bool,
    /// Whether it must be drawn.
    pub(super) dirty: bool,
    loading: bool,
    /// Its box is no longer in the panel.
    gone: bool,
    /// How often loading failed in a row.
    pub(super) failures: u32,
    /// When it may load next, epoch milliseconds.
    pub(super) not_before_ms: f64,
    /// When newer samples are worth a request, epoch milliseconds.
    next_ms: f64,
    loaded_width: u32,
    drawn_size: (u32, u32),
    /// What was drawn; what is seen differs from it while hands move it.
    drawn_span: Span,
    /// The first line.
    series: Option<Series>,
    /// The lines after it, with what is shaded and marked in all of them.
    others: ChartLines,
    /// What was before, at the times of now.
    before: Option<Series>,
    /// That is to be loaded, or is on its way.
    before_wanted: bool,
    /// What is on its way.
    asking: Asking,
    /// What is there is no longer enough: all of it is to be loaded.
    whole_wanted: bool,
    /// How often something was joined to it since it was loaded.
    joins: u32,
    /// The value told last, which may be newer than what was loaded.
    newest: Option<Number>,
    view: Option<View>,
}

/// What is seen: where a pixel lies in time.
#[derive(Clone, Copy)]
pub(super) struct View {
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) span: Span,
}

impl View {
    /// Where a pixel lies in the span, as a share of its width.
    pub(super) fn share(&self, x: f64) -> f64 {
        (x - self.left) / (self.right - self.left).max(1.0)
    }

    /// The pixel of an instant.
    pub(super) fn x(&self, at: i64) -> f64 {
        self.left + zoom::share(self.span, at) * (self.right - self.left)
    }
}

impl Card {
    /// Every chart of the page.
    pub(super) fn all() -> Vec<Self> {
        let Ok(found) = document().query_selector_all("figure[data-query]") else { return Vec::new() };
        let figures = (0..found.length()).filter_map(|index| found.get(index)?.dyn_into::<HtmlElement>().ok());
        // All are measured before one is changed: else the browser lays the page out again for each.
        let measured: Vec<_> = figures
            .map(|figure| {
                let img = figure.query_selector("img").ok().flatten();
                let height = img.map_or(0, |img| img.client_height() - FACTS_HEIGHT).clamp(HEIGHT.0, HEIGHT.1);
                (figure, height)
            })
            .collect();
        measured.into_iter().filter_map(|(figure, height)| Self::of(figure, height.unsigned_abs())).collect()
    }

    fn of(figure: HtmlElement, height: u32) -> Option<Self> {
        let read = |name: &str| figure.get_attribute(name).unwrap_or_default();
        let plot: HtmlElement = document().create_element("div").ok()?.dyn_into().ok()?;
        plot.set_class_name("plot");
        plot.set_tab_index(0);
        plot.set_attribute("role", "group").ok()?;
        plot.set_attribute("aria-label", &format!("{}: read values with the arrow keys", short(&read("data-name")))).ok()?;
        match figure.query_selector("picture").ok().flatten() {
            // The picture stays until there is something better: all of it, as its image alone would be the one for wide windows.
            Some(picture) => {
                picture.replace_with_with_node_1(&plot).ok()?;
                plot.append_child(&picture).ok()?;
            }
            None => {
                figure.append_child(&plot).ok()?;
            }
        }
        let mode = Mode::parse(&read("data-mode"));
        let (box_name, name, unit, span) = (read("data-box"), read("data-name"), read("data-unit"), read("data-span"));
        let query = read("data-query");
        let range = links::range_of(&read("data-range"));
        let compare = read("data-compare");
        let compare_ms = COMPARED.iter().find(|(word, _)| *word == compare).map(|&(_, ms)| ms);
        let span = if span.is_empty() { "24h".to_owned() } else { span };
        let composed = box_name.is_empty();
        let word = |name: &str| figure.get_attribute(name).unwrap_or_default();
        let scale = Scale::ALL.into_iter().find(|one| one.as_str() == word("data-scale")).unwrap_or_default();
        let axis = Axis::ALL.into_iter().find(|one| one.as_str() == word("data-axis")).unwrap_or_default();
        let combine = Combine::ALL.into_iter().find(|one| one.as_str() == word("data-combine")).unwrap_or_default();
        // Of several lines nothing is drawn that was before.
        let compare_ms = compare_ms.filter(|_| !composed || combine.is_one_line());
        Some(Self {
            figure,
            plot,
            box_name,
            name,
            query,
            mode,
            composed,
            scale,
            axis,
            combine,
            chosen: Chosen::default(),
            unit,
            span,
            range,
            compare_ms,
            height,
            visible: false,
            stale: true,
            dirty: false,
            loading: false,
            gone: false,
            failures: 0,
            not_before_ms: 0.0,
            next_ms: 0.0,
            loaded_width: 0,
            drawn_size: (0, 0),
            drawn_span: (0, 0),
            series: None,
            others: ChartLines { lines: Vec::new(), gaps: Vec::new(), resets: Vec::new(), notes: Vec::new(), alerts: Vec::new() },
            before: None,
            before_wanted: false,
            asking: Asking::Whole(None),
            whole_wanted: true,
            joins: 0,
            newest: None,
            view: None,
        })
    }

    pub(super) fn figure(&self) -> &Element {
        &self.figure
    }

    pub(super) fn plot(&self) -> &HtmlElement {
        &self.plot
    }

    pub(super) fn drawn(&self) -> Option<(&Series, View)> {
        self.series.as_ref().zip(self.view)
    }

    /// The panel is there again: what failed need not wait, and what is there may have changed.
    pub(super) fn panel_is_back(&mut self) {
        self.whole_wanted = true;
        if self.failures > 0 {
            self.not_before_ms = 0.0;
        }
    }

    /// Whether it is seen, behind, and not being loaded already. What only came since waits while the charts are held.
    pub(super) fn wants(&self, held: bool) -> bool {
        let is_behind = self.before_wanted || (self.stale && (!held || self.whole_wanted));
        self.visible && is_behind && !self.loading && !self.gone
    }

    pub(super) fn wants_drawing(&self) -> bool {
        self.visible && self.dirty && self.series.is_some()
    }

    /// Shows another span from now on: at once as far as it is loaded, and then all of it.
    pub(super) fn look_at(&mut self, range: Option<Span>) {
        let was_moved = self.view.is_some_and(|view| view.span != self.drawn_span);
        self.dirty |= self.range != range || was_moved;
        self.range = range;
    }

    /// The span that was looked at has settled: it is loaded, and what leads elsewhere from here leads there.
    pub(super) fn settle(&mut self) {
        (self.stale, self.whole_wanted) = (true, true);
        // What is compared with now is of another span.
        self.before_wanted = false;
        self.not_before_ms = 0.0;
        let card = self.figure.closest("article, section").ok().flatten();
        for link in card.iter().flat_map(|card| dom::all_in(card, "footer a, .chart-acts a")) {
            if let Some(href) = link.get_attribute("href") {
                let _ = link.set_attribute("href", &links::with_span(&href, self.range, &self.span));
            }
        }
    }

    /// Whether what is recorded from now on is in its span.
    pub(super) fn grows(&self) -> bool {
        self.range.is_none()
    }

    /// With what it is compared, in words.
    pub(super) fn compared_with(&self) -> String {
        self.compare_ms.map(format::before).unwrap_or_default()
    }

    /// What was before, at the times of now.
    pub(super) fn before(&self) -> Option<&Series> {
        self.before.as_ref()
    }

    /// The unit of its numbers.
    pub(super) fn unit(&self) -> &str {
        self.series.as_ref().map_or(&self.unit, |series| if series.unit.is_empty() { &self.unit } else { &series.unit })
    }

    /// Takes the newest value ahead of the series it belongs to.
    pub(super) fn now(&mut self, statistic: &LiveStatistic) {
        let mode = self.mode.or_else(|| self.series.as_ref().map(|series| series.mode));
        let newest = if mode == Some(Mode::Rate) { statistic.rate.map(Number::Float) } else { statistic.value };
        if newest.is_some() {
            self.newest = newest;
            self.write_facts();
        }
    }

    /// Its box is no longer in the panel.
    pub(super) fn removed(&mut self) {
        self.gone = true;
        self.message(&format!("{} was removed from the panel: this is the last known of it.", self.box_name));
    }

    fn width(&self) -> u32 {
        let width = u32::try_from(self.plot.client_width()).unwrap_or(0);
        if width == 0 { WIDTH } else { width.clamp(chart::MIN_WIDTH, chart::MAX_WIDTH) }
    }

    /// As high as there is room for where it fills the screen, else as its picture was.
    fn height(&self) -> u32 {
        let fills = self.figure.closest(":fullscreen").ok().flatten().is_some();
        let room = u32::try_from(self.plot.client_height()).unwrap_or(0);
        if fills { room.clamp(HEIGHT.0.unsigned_abs(), chart::MAX_HEIGHT) } else { self.height }
    }

    /// Asks to be drawn again if its size is no longer what was drawn.
    pub(super) fn resized(&mut self) {
        self.dirty |= self.drawn_size.0 > 0 && (self.width(), self.height()) != self.drawn_size;
    }

    /// Draws what was loaded at the width of now.
    pub(super) fn draw(&mut self) {
        self.dirty = false;
        let (width, height) = (self.width(), self.height());
        let Some(series) = &self.series else { return };
        let (from_ms, to_ms) = shown(series, self.range);
        let unit = if series.unit.is_empty() { &self.unit } else { &series.unit };
        let label = self.compared_with();
        let labels = self.labels();
        let told = self.lines();
        let unit_of = |one: &'_ Series| if one.unit.is_empty() { unit.clone() } else { one.unit.clone() };
        let units: Vec<String> = told.iter().map(|one| unit_of(one)).collect();
        let lines: Vec<Line<'_>> = told.iter().zip(&labels).zip(&units).map(|((one, label), unit)| line(one, label, unit)).collect();
        let same = self.others.lines.iter().all(|one| one.mode == series.mode);
        let drawn = chart::draw_placed(&Chart {
            lines: &lines,
            before: self.before.as_ref().map(|before| Line { label: &label, columns: &before.columns, gaps: &before.gaps, unit }),
            gaps: &self.others.gaps,
            resets: &self.others.resets,
            from_ms,
            to_ms,
            mode: if same { series.mode } else { Mode::Value },
            how: chart::How {
                scale: self.scale,
                axis: self.axis,
                stacked: self.combine == Combine::Stacked,
                every_ms: series.every_ms,
                notes: &self.others.notes,
                alerts: &self.others.alerts,
                hidden: self.chosen.hidden,
                ..chart::How::default()
            },
            unit,
            width,
            height,
            palette: Palette::Page,
            offset_ms: &browser::offset_ms,
            zone: "",
            with_facts: false,
        });
        let over = dom::all_in(&self.plot, OVER);
        self.plot.set_inner_html(&drawn.svg);
        over.iter().for_each(|element| drop(self.plot.append_child(element)));
        (self.drawn_size, self.drawn_span) = ((width, height), (from_ms, to_ms));
        self.view = Some(View { left: drawn.left, right: drawn.right, span: (from_ms, to_ms) });
        if f64::from(width) > f64::from(self.loaded_width) * WIDER {
            (self.stale, self.whole_wanted) = (true, true);
        }
        legend::write(self, &self.lines(), &self.labels(), self.chosen);
        table::offer(self);
        self.write_table();
        self.write_facts();
    }
}

fn line<'a>(series: &'a Series, label: &'a str, unit: &'a str) -> Line<'a> {
    Line { label, columns: &series.columns, gaps: &series.gaps, unit }
}

/// The time axis of a series: the span that was chosen, or what there is of it up to now.
fn shown(series: &Series, range: Option<Span>) -> Span {
    range.unwrap_or_else(|| chart::time_range(series.from, series.to, chart::first_known(&series.columns, &series.gaps)))
}
