//! How the lines of a chart are drawn, where that is not as usual.

use crate::model::{AlertMark, Axis, Note, Scale};

/// How lines are drawn, where that is not as usual.
#[derive(Clone, Copy, Debug, Default)]
pub struct How<'a> {
    /// What stands above the picture; nothing in a page.
    pub title: &'a str,
    /// Equal steps or equal ratios.
    pub scale: Scale,
    /// Where the axis begins.
    pub axis: Axis,
    /// Lines of one unit lie one upon the other. They have the same times.
    pub stacked: bool,
    /// Bars as wide as so many milliseconds: what grew over each of these.
    pub every_ms: Option<i64>,
    /// What people wrote on instants and spans.
    pub notes: &'a [Note],
    /// What rules of alerts say of the lines, and when they fired.
    pub alerts: &'a [AlertMark],
    /// The lines that are not drawn, a bit each from the first on; they keep their colours.
    pub hidden: u64,
}

impl How<'_> {
    /// Whether a line is not drawn.
    pub(super) fn hides(&self, line: usize) -> bool {
        line < 64 && self.hidden & (1 << line) != 0
    }
}
