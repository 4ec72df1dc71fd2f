//! The cross-hair: the instant below the pointer, or where the arrow keys stand, in every chart of the page, with the value of each there;
//! and up to two instants that are pinned, to compare with.

use leptos::prelude::document;
use wasm_bindgen::prelude::*;
use web_sys::{Element, HtmlElement};

use super::card::{Card, View};
use crate::chart::zoom;
use crate::format;
use crate::islands::{
    browser,
    dom::{self, px},
};
use crate::model::{Number, Series};
use crate::shown;

/// How far an arrow key goes, in pixels; with shift ten times as far.
const STEP_PX: f64 = 2.0;

/// Where the cross-hair is, and what it is compared with.
#[derive(Clone, Copy, Default)]
pub(super) struct Readout {
    /// The instant, epoch milliseconds.
    pub(super) at: Option<i64>,
    /// The instants that are pinned; the second one stands still, as what it is compared with does.
    pins: [Option<i64>; 2],
}

impl Readout {
    /// Pins an instant; the third time nothing is pinned any more. Says what happened.
    pub(super) fn pin(&mut self, at: i64) -> &'static str {
        match self.pins {
            [None, _] => {
                self.pins[0] = Some(at);
                "Pinned. Values are compared with this instant; pin a second one to hold the comparison."
            }
            [Some(_), None] => {
                self.pins[1] = Some(at);
                "Two instants are compared."
            }
            _ => {
                self.pins = [None; 2];
                "Nothing is pinned any more."
            }
        }
    }

    /// Unpins all; says whether anything was pinned.
    pub(super) fn unpin(&mut self) -> bool {
        std::mem::take(&mut self.pins)[0].is_some()
    }

    /// Where a key leads from here, in the chart that it was pressed in.
    pub(super) fn step(&self, view: View, key: &str, far: bool) -> Option<i64> {
        let step = if far { STEP_PX * 10.0 } else { STEP_PX };
        let now = self.at.map_or(view.right, |at| view.x(at)).clamp(view.left, view.right);
        let x = match key {
            "ArrowLeft" => now - step,
            "ArrowRight" => now + step,
            "Home" => view.left,
            "End" => view.right,
            _ => return None,
        };
        Some(zoom::instant(view.span, view.share(x.clamp(view.left, view.right))))
    }

    /// Shows it in all charts that are drawn and seen; `active` is the one that somebody is at.
    pub(super) fn show(&self, cards: &[Card], active: Option<usize>) {
        for (index, card) in cards.iter().enumerate().filter(|(_, card)| card.visible) {
            let is_active = active == Some(index);
            if let Some((series, view)) = card.drawn() {
                // A failure leaves a chart without its hair; nothing depends on it.
                let _ = self.show_in(card, series, view, is_active);
            }
        }
    }

    fn show_in(&self, card: &Card, series: &Series, view: View, is_active: bool) -> Option<()> {
        let within = |at: &i64| (view.span.0..=view.span.1).contains(at);
        for (pin, class) in self.pins.iter().zip(["pin", "pin second"]) {
            let selector = if class == "pin" { ":scope > .pin:not(.second)" } else { ":scope > .pin.second" };
            match pin.filter(within) {
                Some(at) => place(card.plot(), selector, class)?.0.style().set_property("left", &px(view.x(at))).ok()?,
                None => remove(card.plot(), selector),
            }
        }
        // Two that are pinned are compared with each other, wherever the pointer goes.
        let at = self.pins[1].or(self.at);
        let Some(at) = at.filter(within) else {
            remove(card.plot(), ":scope > .hair");
            return Some(());
        };
        let (hair, output) = place(card.plot(), ":scope > .hair", "hair")?;
        let x = view.x(at);
        hair.style().set_property("left", &px(x)).ok()?;
        dom::write(&output, &self.text(card, series, at, is_active));
        let side = if x > (view.left + view.right) / 2.0 { "readout ahead" } else { "readout" };
        output.set_class_name(side);
        Some(())
    }

    /// The value at an instant, what it is compared with, and where somebody is at it, when that was.
    pub(super) fn text(&self, card: &Card, series: &Series, at: i64, with_time: bool) -> String {
        if card.lines().len() > 1 {
            return self.text_of_all(card, at, with_time);
        }
        let unit = card.unit();
        let found = nearest(series, at);
        let gap = series.gaps.iter().find(|gap| gap.from < at && at < gap.to);
        let (Some(found), None) = (found, gap) else {
            let when = if with_time { format!("{}  ", stamp(at)) } else { String::new() };
            return format!("{when}{}", gap.map_or_else(|| "no value".to_owned(), |gap| shown::short(&gap.reason).into_owned()));
        };
        let mut text = if with_time { format!("{}  ", stamp(series.columns.t[found])) } else { String::new() };
        let pick = |column: &[Option<Number>]| column.get(found).copied().flatten();
        let c = &series.columns;
        let write = |n| format::fact(n, unit);
        match (pick(&c.last), pick(&c.min), pick(&c.max)) {
            (Some(last), Some(min), Some(max)) if min != max => {
                text.push_str(&format!("{} ({} to {})", write(last), write(min), write(max)));
            }
            (Some(last), ..) => text.push_str(&write(last)),
            _ => text.push_str("no value"),
        }
        if let Some(before) = card.before().and_then(|before| before.columns.last.get(nearest(before, at)?).copied().flatten()) {
            text.push_str(&format!("\n{} {}", card.compared_with(), write(before)));
        }
        if let Some(pinned) = self.pins[0] {
            text.push_str(&compared(series, unit, pinned, found).unwrap_or_default());
        }
        text
    }
}

impl Readout {
    /// The value of each line that is shown, and what it is compared with.
    fn text_of_all(&self, card: &Card, at: i64, with_time: bool) -> String {
        let mut text = if with_time { stamp(at) } else { String::new() };
        for (index, (line, label)) in card.lines().into_iter().zip(card.labels()).enumerate() {
            if card.chosen().hides(index) {
                continue;
            }
            let found = nearest(line, at);
            let value = found.and_then(|found| line.columns.last.get(found).copied().flatten());
            let value = value.filter(|_| !line.gaps.iter().any(|gap| gap.from < at && at < gap.to));
            if !text.is_empty() {
                text.push('\n');
            }
            text.push_str(&format!("{}  {label}", value.map_or_else(|| "–".to_owned(), |value| format::fact(value, &line.unit))));
            if let (Some(pinned), Some(found)) = (self.pins[0], found) {
                text.push_str(&compared(line, &line.unit, pinned, found).unwrap_or_default());
            }
        }
        text
    }
}

/// The difference to a pinned instant: in all, per second where that says something, in percent.
fn compared(series: &Series, unit: &str, pinned: i64, found: usize) -> Option<String> {
    let c = &series.columns;
    let before = nearest(series, pinned)?;
    let (from, to) = (c.last.get(before).copied().flatten()?, c.last.get(found).copied().flatten()?);
    let difference = match (from, to) {
        (Number::Int(from), Number::Int(to)) => Number::Int(to.checked_sub(from)?),
        _ => Number::Float(to.as_f64() - from.as_f64()),
    };
    let sign = if difference.as_f64() > 0.0 { "+" } else { "" };
    let mut text = format!("\nΔ {sign}{}", format::fact(difference, unit));
    #[expect(clippy::cast_precision_loss, reason = "spans are far below what a float can count")]
    let seconds = (c.t[found] - c.t[before]) as f64 / 1000.0;
    // A rate per second per second tells nobody anything.
    if seconds != 0.0 && !format::is_rate(unit) {
        text.push_str(&format!(", {}", format::rate(difference.as_f64() / seconds)));
    }
    if from.as_f64() != 0.0 {
        let percent = difference.as_f64() / from.as_f64().abs() * 100.0;
        text.push_str(&format!(", {sign}{}", format::value(Number::Float((percent * 10.0).round() / 10.0), "percent")));
    }
    text.push_str(&format!(" in {}", format::age((c.t[found] - c.t[before]).abs())));
    Some(text)
}

/// The place of the column that is nearest to an instant.
fn nearest(series: &Series, at: i64) -> Option<usize> {
    let t = &series.columns.t;
    let after = t.partition_point(|t| *t < at);
    [after.saturating_sub(1), after].into_iter().filter(|&index| index < t.len()).min_by_key(|&index| (t[index] - at).abs())
}

/// Removes cross-hair, pins and selection from all charts.
pub(super) fn clear() {
    dom::all(".plot > .hair").iter().for_each(Element::remove);
}

/// A line over the drawing, with its words.
fn place(plot: &HtmlElement, selector: &str, class: &str) -> Option<(HtmlElement, Element)> {
    if let Some(hair) = plot.query_selector(selector).ok()? {
        return Some((hair.clone().dyn_into().ok()?, hair.first_element_child()?));
    }
    let hair: HtmlElement = document().create_element("div").ok()?.dyn_into().ok()?;
    hair.set_class_name(class);
    let output = document().create_element("div").ok()?;
    if class == "hair" {
        output.set_class_name("readout");
    }
    hair.append_child(&output).ok()?;
    plot.append_child(&hair).ok()?;
    Some((hair, output))
}

fn remove(plot: &HtmlElement, selector: &str) {
    if let Ok(Some(found)) = plot.query_selector(selector) {
        found.remove();
    }
}

fn stamp(at: i64) -> String {
    let local = at + browser::offset_ms(at);
    format!("{} {} {}", format::weekday(local), format::day(local), format::clock(local, true))
}
