//! Which line is which, above the plot of a picture that has more than one: a piece of the line, its name, and its numbers where there
//! is room. In a page this is written in HTML.

use plotters::prelude::*;

use super::palette::{Role, font};
use super::words::{self, Detail, text_width};
use super::{Area, Chart, Failure, RIGHT, UNITS, second};

/// Pixels of a row.
const ROW: i32 = 16;
/// Pixels above and below the rows.
const PAD: i32 = 6;
/// Pixels left of the rows.
const LEFT: i32 = 8;
/// Pixels of the piece of a line: two dashes of the longest pattern.
const SWATCH: i32 = 24;
/// Pixels between it and its words.
const TO_WORDS: i32 = 6;
/// Pixels between two entries of a row.
const BETWEEN: i32 = 18;
/// Rows take at most this part of the height.
const SHARE: i32 = 3;

/// The legend of a chart; empty where there is none.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Legend {
    entries: Vec<Entry>,
    /// Pixels above it.
    top: i32,
}

#[derive(Debug, PartialEq)]
struct Entry {
    /// The line; none: a note on what is left out.
    line: Option<usize>,
    text: String,
    x: i32,
    row: i32,
}

impl Entry {
    /// Where its words begin.
    fn words(&self) -> i32 {
        self.x + if self.line.is_some() { SWATCH + TO_WORDS } else { 0 }
    }

    fn end(&self) -> i32 {
        self.words() + text_width(&self.text)
    }
}

/// Pixels for the words of an entry that has a row for itself.
fn room(width: i32) -> i32 {
    width - LEFT - RIGHT - SWATCH - TO_WORDS
}

impl Legend {
    /// The legend below `top`.
    pub(super) fn of(chart: &Chart<'_>, width: i32, height: i32, top: i32) -> Self {
        if chart.lines.len() < 2 {
            return Self::default();
        }
        Self { top, ..Self::fitting(chart, width, height) }
    }

    /// As much as there is room for.
    fn fitting(chart: &Chart<'_>, width: i32, height: i32) -> Self {
        let lines = chart.lines.len();
        let most = (height / SHARE / ROW).max(1);
        let texts = |detail, shown: usize| {
            chart.lines.iter().take(shown).map(move |line| words::entry(line, detail, second::is_on(chart, line))).collect::<Vec<_>>()
        };
        for detail in [Detail::Facts, Detail::Now] {
            let texts = texts(detail, lines);
            let whole = texts.iter().all(|text| text_width(text) <= room(width));
            let legend = Self::flow(texts, width);
            if whole && legend.rows() <= most {
                return legend;
            }
        }
        let names = |shown: usize| match lines - shown {
            0 => Self::flow(texts(Detail::Name, shown), width),
            more => Self::flow(texts(Detail::Name, shown), width).with_note(format!("and {more} more"), width),
        };
        let fitting = (1..=lines).rev().map(names).find(|legend| legend.rows() <= most);
        fitting.unwrap_or_else(|| Self::default().with_note(format!("{lines} lines"), width))
    }

    /// Pixels that it takes, with what is around it.
    pub(super) fn height(&self) -> i32 {
        self.rows() * ROW + 2 * PAD
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn rows(&self) -> i32 {
        self.entries.last().map_or(0, |entry| entry.row + 1)
    }

    /// Entries from left to right, row by row.
    fn flow(texts: Vec<String>, width: i32) -> Self {
        let mut legend = Self::default();
        for (line, text) in texts.into_iter().enumerate() {
            legend.push(Some(line), words::fitted(text, room(width)), width);
        }
        legend
    }

    fn with_note(mut self, text: String, width: i32) -> Self {
        self.push(None, text, width);
        self
    }

    fn push(&mut self, line: Option<usize>, text: String, width: i32) {
        let (mut x, mut row) = self.entries.last().map_or((LEFT, 0), |last| (last.end() + BETWEEN, last.row));
        let wide = SWATCH + TO_WORDS + text_width(&text);
        if x > LEFT && x + wide > width - RIGHT {
            (x, row) = (LEFT, row + 1);
        }
        self.entries.push(Entry { line, text, x, row });
    }

    pub(super) fn paint(&self, root: &Area<'_, plotters::coord::Shift>) -> Result<(), Failure> {
        for entry in &self.entries {
            let (x, y) = (entry.x, self.top + PAD + entry.row * ROW);
            if let Some(line) = entry.line {
                let middle = (y + ROW / 2 - 2) * UNITS;
                let piece = [(x * UNITS, middle), ((x + SWATCH) * UNITS, middle)];
                root.draw(&PathElement::new(piece, Role::line(line).color().stroke_width(20)))?;
            }
            root.draw(&Text::new(entry.text.clone(), (entry.words() * UNITS, y * UNITS), font(Role::Facts)))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
