//! What stands below a chart of several lines: which is which, their numbers in view, and which are shown. A click hides a line, a double
//! click or one with alt leaves it alone; a click on a head sorts.

use leptos::prelude::document;
use web_sys::Element;

use super::card::Card;
use crate::chart::{Facts, facts};
use crate::format;
use crate::islands::dom;
use crate::matching::quoted_word;
use crate::model::{Number, Series, Wanted};
use crate::order;

/// What can be sorted by, and told of each line.
const HEADS: [&str; 6] = ["name", "now", "min", "mean", "max", "total"];

/// What somebody chose in a legend.
#[derive(Clone, Copy, Default)]
pub(super) struct Chosen {
    /// The lines that are hidden, a bit each.
    pub(super) hidden: u64,
    /// The head that it is sorted by; none: in the order of the chart.
    sorted: Option<usize>,
}

/// What a press in a legend meant.
pub(super) enum Pressed {
    Line(usize),
    Head(usize),
}

impl Chosen {
    /// Hides a line, or shows it again; `alone`: all others instead.
    pub(super) fn press(&mut self, pressed: &Pressed, alone: bool, count: usize) {
        match pressed {
            Pressed::Head(head) => self.sorted = if self.sorted == Some(*head) { None } else { Some(*head) },
            Pressed::Line(line) => {
                let bit = 1_u64 << (line % 64);
                let all = (1_u64 << count.min(63)) - 1;
                let others = all & !bit;
                self.hidden = match (alone, self.hidden == others) {
                    (true, true) => 0,
                    (true, false) => others,
                    (false, _) => self.hidden ^ bit,
                };
            }
        }
    }

    pub(super) fn hides(self, line: usize) -> bool {
        self.hidden & (1 << (line % 64)) != 0
    }
}

/// What was pressed, if it is in a legend.
pub(super) fn pressed(button: &Element) -> Option<Pressed> {
    let read = |name: &str| button.get_attribute(name)?.parse().ok();
    read("data-line").map(Pressed::Line).or_else(|| read("data-head").map(Pressed::Head))
}

/// Writes the legend of a card, or nothing where one line is all.
pub(super) fn write(card: &Card, lines: &[&Series], labels: &[String], chosen: Chosen) {
    let Some(place) = place(card) else { return };
    if lines.len() < 2 {
        dom::show(&place, false);
        return;
    }
    dom::show(&place, true);
    let told: Vec<Option<Facts>> = lines.iter().map(|line| facts(&line.columns)).collect();
    let number = |line: usize, head: usize| -> Option<Number> {
        let facts = told.get(line)?.as_ref();
        match head {
            1 => facts.map(|facts| facts.now),
            2 => facts.map(|facts| facts.min),
            3 => facts.map(|facts| Number::Float(facts.mean)),
            4 => facts.map(|facts| facts.max),
            _ => lines.get(line)?.total,
        }
    };
    let order = order::places(lines.len(), &|a, b| match chosen.sorted {
        Some(0) => labels[a] < labels[b],
        // The largest first; what has none comes last.
        Some(head) => {
            let value = |line: usize| number(line, head).map_or(f64::NEG_INFINITY, Number::as_f64);
            value(a) > value(b)
        }
        None => false,
    });
    // The button that somebody is at is made anew: they stay at it.
    let focused = document().active_element().filter(|active| place.contains(Some(active)));
    let focused = focused.map(|active| active.get_attribute("data-key").unwrap_or_default());
    let heads = HEADS.iter().enumerate().map(|(head, word)| {
        let sort =
            if chosen.sorted == Some(head) { if head == 0 { " aria-sort=\"ascending\"" } else { " aria-sort=\"descending\"" } } else { "" };
        format!("<th scope=\"col\"{sort}><button type=\"button\" data-head=\"{head}\" data-key=\"h{head}\">{word}</button></th>")
    });
    let rows = order.iter().map(|&line| row(line, lines[line], &labels[line], chosen, |head| number(line, head)));
    let html = format!("<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>", heads.collect::<String>(), rows.collect::<String>());
    place.set_inner_html(&html);
    if let Some(key) = focused
        && let Ok(Some(button)) = place.query_selector(&format!("[data-key=\"{key}\"]"))
        && let Some(button) = wasm_bindgen::JsCast::dyn_ref::<web_sys::HtmlElement>(&button)
    {
        let _ = button.focus();
    }
}

fn row(line: usize, series: &Series, label: &str, chosen: Chosen, number: impl Fn(usize) -> Option<Number>) -> String {
    // What a rate adds up to is a count.
    let counted = series.unit.strip_suffix("/s").unwrap_or(&series.unit);
    let cell = |head: usize| {
        let unit = if head == 5 { counted } else { &series.unit };
        format!("<td>{}</td>", number(head).map(|n| format::fact(n, unit)).unwrap_or_default())
    };
    let shown = !chosen.hides(line);
    let cells: String = (1..HEADS.len()).map(cell).collect();
    // What several come to together is none that another chart could have.
    let word = (!series.box_name.is_empty()).then(|| quoted_word(&Wanted::one(&series.box_name, &series.name).to_string()));
    let word = word.map(|word| format!(" draggable=\"true\" data-word=\"{}\"", escaped(&word))).unwrap_or_default();
    format!(
        "<tr{word}><th scope=\"row\"><button type=\"button\" data-line=\"{line}\" data-key=\"l{line}\" aria-pressed=\"{shown}\">\
         <i class=\"line-{}\"></i>{}</button></th>{cells}</tr>",
        line % 6 + 1,
        escaped(label),
    )
}

fn place(card: &Card) -> Option<Element> {
    let figure = card.figure();
    if let Some(found) = figure.query_selector(".legend").ok()? {
        return Some(found);
    }
    let made = document().create_element("div").ok()?;
    made.set_class_name("legend");
    figure.append_child(&made).ok()?;
    Some(made)
}

/// Text as HTML takes it.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
