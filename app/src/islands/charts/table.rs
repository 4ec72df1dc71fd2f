//! The numbers of a chart as a table, for whoever reads them or takes them elsewhere. It is made when it is opened, and with what is drawn
//! then.

use leptos::prelude::document;
use web_sys::Element;

use super::card::Card;
use super::legend::escaped;
use crate::format;
use crate::islands::{browser, dom};
use crate::model::Series;
use crate::order;

/// So many rows are shown: the newest.
const ROWS_MAX: usize = 500;

/// Puts the place for it below a chart.
pub(super) fn offer(card: &Card) {
    if card.figure().query_selector(".numbers").ok().flatten().is_some() {
        return;
    }
    let Ok(details) = document().create_element("details") else { return };
    details.set_class_name("numbers");
    details.set_inner_html("<summary class=\"ghost\">table</summary><div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"Numbers of the chart\"></div>");
    let _ = card.figure().append_child(&details);
}

/// Writes it, where it is open.
pub(super) fn write(figure: &Element, lines: &[&Series], labels: &[String], (from, to): (i64, i64)) {
    let Ok(Some(place)) = figure.query_selector(".numbers[open] .wide") else { return };
    let Some(first) = lines.first() else { return };
    let times: Vec<i64> = lines.iter().flat_map(|line| line.columns.t.iter().copied()).filter(|at| (from..=to).contains(at)).collect();
    let sorted = order::places(times.len(), &|a, b| times[a] < times[b]);
    let mut times: Vec<i64> = sorted.into_iter().map(|place| times[place]).collect();
    times.dedup();
    let left_out = times.len().saturating_sub(ROWS_MAX);
    let cell = |line: &Series, at: i64| {
        let c = &line.columns;
        let point = c.t.binary_search(&at).ok();
        let number = point.and_then(|point| c.mean.get(point).copied().flatten().or_else(|| c.last.get(point).copied().flatten()));
        format!("<td>{}</td>", number.map(|n| format::fact(n, &line.unit)).unwrap_or_default())
    };
    let row = |at: i64| {
        let local = at + browser::offset_ms(at);
        let cells: String = lines.iter().map(|line| cell(line, at)).collect();
        format!("<tr><th scope=\"row\">{} {}</th>{cells}</tr>", format::day(local), format::clock(local, true))
    };
    let heads: String = labels.iter().map(|label| format!("<th scope=\"col\">{}</th>", escaped(label))).collect();
    let rows: String = times.iter().rev().take(ROWS_MAX).map(|at| row(*at)).collect();
    let more = if left_out > 0 {
        format!("<p class=\"muted\">{left_out} earlier ones are left out: look closer, or take the CSV.</p>")
    } else {
        String::new()
    };
    let caption = if first.columns.t.len() > 1 { "Means of each point, the newest first" } else { "The newest first" };
    place.set_inner_html(&format!(
        "<table><caption>{caption}</caption><thead><tr><th scope=\"col\">time</th>{heads}</tr></thead><tbody>{rows}</tbody></table>{more}"
    ));
    dom::show(&place, true);
}
