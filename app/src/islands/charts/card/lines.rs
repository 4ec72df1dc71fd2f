//! The lines of a chart: what they are called, which are hidden, and their numbers as a table.

use super::Card;
use crate::chart;
use crate::islands::charts::legend::{Chosen, Pressed};
use crate::islands::charts::table;
use crate::model::Series;

impl Card {
    /// All lines that were loaded.
    pub(in crate::islands::charts) fn lines(&self) -> Vec<&Series> {
        self.series.iter().chain(&self.others.lines).collect()
    }

    /// What they are called.
    pub(in crate::islands::charts) fn labels(&self) -> Vec<String> {
        chart::labels(&self.lines())
    }

    /// Which of them are hidden.
    pub(in crate::islands::charts) fn chosen(&self) -> Chosen {
        self.chosen
    }

    /// Whether what is recorded of a box is of it.
    pub(in crate::islands::charts) fn is_of(&self, box_name: &str) -> bool {
        self.composed || self.box_name == box_name
    }

    /// A line of its legend, or a head, was pressed.
    pub(in crate::islands::charts) fn press(&mut self, pressed: &Pressed, alone: bool) {
        self.chosen.press(pressed, alone, self.others.lines.len() + 1);
        self.dirty = true;
    }

    /// Writes its numbers into the table below it, where that is open.
    pub(in crate::islands::charts) fn write_table(&self) {
        if let Some(view) = self.view {
            table::write(&self.figure, &self.lines(), &self.labels(), view.span);
        }
    }
}
