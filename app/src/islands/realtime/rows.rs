//! The rows of the page by name, and writing what is new into their cells: those in sight at once, the others some a frame, so that nobody
//! who scrolls is held up. Knows no stream.

use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Element, HtmlInputElement};

use super::sight::Sight;

use crate::{
    course, format,
    islands::dom,
    json::float,
    model::{LiveStatistic, LiveValues, Number, SPARK_POINTS, Spark},
    reading,
};

/// So many rows are written at once.
const ROWS_AT_ONCE: usize = 150;

/// One row with the cells that change.
pub(super) struct Row {
    /// The full name.
    pub(super) name: String,
    /// The row itself.
    pub(super) element: Element,
    value: Element,
    rate: Element,
    path: Element,
    beside: Element,
    unit: String,
    counter: bool,
    points: Vec<Option<f32>>,
    newest: Option<Number>,
    /// It is as the page writes it, which rounds floats.
    is_written: bool,
    speed: Option<f64>,
    /// The part of the table that it is in.
    part: Option<Element>,
    /// Whether it moved at the last poll, and whether it shows that.
    moves: bool,
    shows_moving: bool,
    /// What of it is still to be written.
    waits: Waits,
}

/// What of a row is still to be written.
#[derive(Clone, Copy, Default, PartialEq)]
struct Waits {
    value: bool,
    course: bool,
}

/// What stands for all processes: the highest of their values.
struct Fold {
    value: Element,
    unit: String,
    members: Vec<usize>,
}

/// All rows of the page, in its order.
#[derive(Default)]
pub(super) struct Rows {
    list: Vec<Row>,
    /// The browser's own: one of ours would weigh more than all else here.
    by_name: js_sys::Map,
    moved: Vec<usize>,
    folds: Vec<Fold>,
    /// The places of rows that wait to be written.
    waiting: Vec<usize>,
    sight: Sight,
}

impl Rows {
    /// Reads them from the document.
    pub(super) fn read() -> Self {
        let list: Vec<Row> = dom::all("#rows tr[data-name]").into_iter().filter_map(Row::read).collect();
        let by_name = js_sys::Map::new();
        for (i, row) in list.iter().enumerate() {
            by_name.set(&JsValue::from_str(&row.name), &JsValue::from(i));
        }
        let moved = (0..list.len()).filter(|i| list[*i].element.class_list().contains("moved")).collect();
        let sight = Sight::of(&dom::all("#rows .part"));
        let mut rows = Self { list, by_name, moved, folds: Vec::new(), waiting: Vec::new(), sight };
        rows.folds = dom::all("#rows .family").iter().filter_map(|family| rows.fold(family)).collect();
        rows
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it was a place when it was put there")]
    fn place(&self, name: &str) -> Option<usize> {
        self.by_name.get(&JsValue::from_str(name)).as_f64().map(|place| place as usize)
    }

    fn fold(&self, family: &Element) -> Option<Fold> {
        let value = family.query_selector(".fold .val b").ok()??;
        let members = dom::all_in(family, "tr[data-name]");
        let members = members.iter().filter_map(|row| self.place(&row.get_attribute("data-name")?)).collect();
        Some(Fold { unit: value.parent_element()?.get_attribute("data-unit")?, value, members })
    }

    /// All of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Row> + Clone {
        self.list.iter()
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Takes what a poll brought; answers the names that have no row here. It is written by [`Self::write_some`].
    pub(super) fn update(&mut self, news: LiveValues) -> Vec<String> {
        let mut strangers = Vec::new();
        let mut seen = vec![false; self.list.len()];
        let mut moved = Vec::new();
        for statistic in news.statistics {
            // The page cannot hold NUL; see how it escapes.
            let Some(i) = self.place(&statistic.name.replace('\0', "\u{fffd}")) else {
                strangers.push(statistic.name);
                continue;
            };
            seen[i] = true;
            if self.list[i].take(&statistic, news.snapshot) {
                moved.push(i);
            }
        }
        if !news.snapshot {
            // What did not change still took part in the poll, or in those that were missed.
            for (row, _) in self.list.iter_mut().zip(&seen).filter(|(_, seen)| !**seen) {
                (0..news.missed.max(1)).for_each(|_| row.stand_still());
            }
            self.mark_moved(moved);
        }
        self.waiting = (0..self.list.len()).filter(|i| self.list[*i].is_waiting()).collect();
        for fold in &self.folds {
            let values = fold.members.iter().filter_map(|i| self.list[*i].newest);
            if let Some(highest) = values.reduce(|one, other| if other.as_f64() > one.as_f64() { other } else { one }) {
                dom::write(&fold.value, &format::value(highest, &fold.unit));
            }
        }
        strangers
    }

    /// How many moved at the last poll.
    pub(super) fn moved(&self) -> usize {
        self.moved.len()
    }

    fn mark_moved(&mut self, moved: Vec<usize>) {
        self.moved.iter().for_each(|i| self.list[*i].moves = false);
        moved.iter().for_each(|i| self.list[*i].moves = true);
        self.moved = moved;
    }

    /// Writes some of the rows that wait, those in sight first. Answers whether others still wait.
    pub(super) fn write_some(&mut self) -> bool {
        let (sight, list) = (&self.sight, &self.list);
        let (near, far): (Vec<usize>, Vec<usize>) =
            self.waiting.drain(..).partition(|i| list[*i].part.as_ref().is_none_or(|part| sight.has(part)));
        let mut order = near.into_iter().chain(far);
        for i in order.by_ref().take(ROWS_AT_ONCE) {
            self.list[i].write();
        }
        self.waiting = order.collect();
        !self.waiting.is_empty()
    }
}

impl Row {
    fn read(element: Element) -> Option<Self> {
        let cell = |selector: &str| element.query_selector(selector).ok().flatten();
        let (value, path) = (cell(".val b")?, cell(".spark path")?);
        Some(Self {
            name: element.get_attribute("data-name")?,
            newest: value.text_content().as_deref().and_then(reading::written),
            is_written: true,
            points: drawn(&path),
            value,
            rate: cell(".rate")?,
            path,
            beside: cell(".unit")?,
            unit: cell(".val").and_then(|value| value.get_attribute("data-unit")).unwrap_or_default(),
            counter: element.get_attribute("data-kind").as_deref() == Some("counter"),
            speed: None,
            part: element.closest(".part").ok().flatten(),
            moves: element.class_list().contains("moved"),
            shows_moving: element.class_list().contains("moved"),
            waits: Waits::default(),
            element,
        })
    }

    /// What is copied of it: `group:name value`, with digits alone.
    pub(super) fn line(&self) -> String {
        let value = self.newest.map(|value| format::value(value, &self.unit)).or_else(|| self.value.text_content());
        format!("{} {}", self.name, format::bare(&value.unwrap_or_default()))
    }

    /// The check box.
    pub(super) fn check_box(&self) -> Option<HtmlInputElement> {
        self.element.query_selector("input[name=on]").ok().flatten()?.dyn_into().ok()
    }

    /// Takes the news; answers whether the value changed.
    fn take(&mut self, news: &LiveStatistic, snapshot: bool) -> bool {
        let text = |value: Option<Number>| value.map(|value| format::value(value, &self.unit));
        let is_same = self.newest == news.value || (self.is_written && text(self.newest) == text(news.value));
        self.is_written = false;
        self.newest = news.value;
        self.speed = if self.counter { news.rate } else { None };
        self.waits.value = true;
        let told = news.spark.as_ref().map(Spark::points);
        if snapshot {
            self.points = told.unwrap_or_default();
            self.waits.course = true;
        } else if let Some(missed) = told {
            missed.into_iter().for_each(|point| self.push(point));
        } else {
            let point = if self.counter { news.rate } else { news.value.map(Number::as_f64) };
            #[expect(clippy::cast_possible_truncation, reason = "a spark line is 18 pixels high")]
            self.push(point.map(|point| point as f32));
        }
        !is_same && !snapshot
    }

    fn is_waiting(&self) -> bool {
        self.waits != Waits::default() || self.moves != self.shows_moving
    }

    /// Writes what is new.
    fn write(&mut self) {
        let waits = std::mem::take(&mut self.waits);
        if waits.value {
            let text = self.newest.map_or_else(|| "unknown".to_owned(), |value| format::value(value, &self.unit));
            if dom::rewrote(&self.value, &text) {
                self.known(self.newest.is_some());
                self.write_reading(self.newest.and_then(|value| format::reading(value, &self.unit)).as_deref());
            }
            dom::write(&self.rate, &self.speed.map(format::rate).unwrap_or_default());
        }
        if waits.course {
            let _ = self.path.set_attribute("d", &course::path(&self.points));
        }
        if self.moves != self.shows_moving {
            self.shows_moving = self.moves;
            let _ = self.element.class_list().toggle_with_force("moved", self.moves);
        }
    }

    /// An unknown value was explained by its tip and its hidden text; a known one needs neither.
    fn known(&self, known: bool) {
        let Some(cell) = self.value.parent_element() else { return };
        let _ = cell.class_list().toggle_with_force("unknown", !known);
        if known {
            let _ = cell.remove_attribute("title");
            if let Ok(Some(reason)) = cell.query_selector(".vh") {
                reason.remove();
            }
        }
    }

    /// Many bytes in words: as a tip, and where there is room in the place of the unit.
    fn write_reading(&self, reading: Option<&str>) {
        let before = self.value.get_attribute("title");
        if reading == before.as_deref() {
            return;
        }
        let _ = match reading {
            Some(reading) => self.value.set_attribute("title", reading),
            None => self.value.remove_attribute("title"),
        };
        dom::write(&self.beside, reading.unwrap_or(&self.unit));
    }

    fn stand_still(&mut self) {
        if let Some(last) = self.points.last().copied() {
            self.push(last);
        }
    }

    fn push(&mut self, point: Option<f32>) {
        // Of very many statistics not all have a line.
        if self.points.is_empty() {
            return;
        }
        let flat = self.points.iter().all(|old| *old == point);
        if self.points.len() >= SPARK_POINTS {
            self.points.remove(0);
        }
        let grew = self.points.len() + 1 < SPARK_POINTS;
        self.points.push(point);
        self.waits.course |= !flat || grew;
    }
}

/// The points of the line that the page has.
#[expect(clippy::cast_possible_truncation, reason = "they were written as such floats")]
fn drawn(path: &Element) -> Vec<Option<f32>> {
    let attribute = |name: &str| path.get_attribute(name).unwrap_or_default();
    let ends = attribute("data-ends");
    let (low, high) = ends.split_once(' ').unwrap_or((&ends, &ends));
    match float(low).zip(float(high)) {
        Some((low, high)) => course::points(&attribute("d"), (low as f32, high as f32)),
        None => Vec::new(),
    }
}
