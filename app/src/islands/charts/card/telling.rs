//! What stands around a chart in words: its numbers above it, and what went wrong below it.

use leptos::prelude::document;

use super::Card;
use crate::chart::facts;
use crate::format;
use crate::islands::dom;
use crate::model::Number;

impl Card {
    /// Now, min, mean and max above the plot; the newest value counts too.
    pub(super) fn write_facts(&self) {
        let (Some(series), Ok(Some(place))) = (&self.series, self.figure.query_selector(".facts")) else { return };
        if !self.others.lines.is_empty() {
            // The legend says them of each line.
            place.set_text_content(None);
            return;
        }
        let Some(facts) = facts(&series.columns) else {
            // The line stays free, so that charts beside each other begin at the same height.
            dom::write(&place, "\u{a0}");
            return;
        };
        let unit = if series.unit.is_empty() { &self.unit } else { &series.unit };
        // Of a span that is over, the last value in it.
        let newest = self.newest.filter(|_| self.grows());
        let now = newest.unwrap_or(facts.now);
        let min = if now.as_f64() < facts.min.as_f64() { now } else { facts.min };
        let max = if now.as_f64() > facts.max.as_f64() { now } else { facts.max };
        let write = |word: &str, n: Number| format!("<span>{word} <b>{}</b></span>", format::fact(n, unit));
        let mean = write("mean", Number::Float(facts.mean));
        let word = if self.grows() { "now" } else { "last" };
        // Of a rate, what it adds up to: a count, whose unit is no rate.
        let counted = unit.strip_suffix("/s").unwrap_or(unit);
        let total = series.total.map(|total| format!(" <span>total <b>{}</b></span>", format::fact(total, counted))).unwrap_or_default();
        place.set_inner_html(&format!("{} {} {mean} {}{total}", write(word, now), write("min", min), write("max", max)));
    }

    /// Writes below the chart, or removes what stands there.
    pub(super) fn message(&self, text: &str) {
        let found = self.figure.query_selector(".chart-error").ok().flatten();
        match (found, text.is_empty()) {
            (Some(place), true) => place.remove(),
            (Some(place), false) => place.set_text_content(Some(text)),
            (None, true) => {}
            (None, false) => {
                if let Ok(place) = document().create_element("p") {
                    place.set_class_name("chart-error");
                    place.set_text_content(Some(text));
                    let _ = self.figure.append_child(&place);
                }
            }
        }
    }
}
