//! Which part of a drawing is which: a page moves the plot and the time axis with the hands that are at them, without drawing anew.

use plotters::prelude::*;

use super::{Area, Chart, Failure, Palette};

/// Where a part begins or ends.
#[derive(Clone, Copy, Debug)]
pub(super) enum Part {
    /// The time axis, its ticks and their labels.
    Times,
    /// What lies in the plot. Two groups: the outer one can be cut at the edges, the inner one moves.
    Plot,
    End,
    PlotEnd,
}

impl Part {
    const ALL: [Self; 4] = [Self::Times, Self::Plot, Self::End, Self::PlotEnd];

    /// No picture means this colour.
    fn color(self) -> RGBColor {
        RGBColor(1, 3, self as u8 + 1)
    }

    fn tag(self) -> &'static str {
        match self {
            Self::Times => "<g class=\"times\">",
            Self::Plot => "<g class=\"inside\"><g class=\"moves\">",
            Self::End => "</g>",
            Self::PlotEnd => "</g></g>",
        }
    }

    /// Marks this place in a drawing for a page: `plotters` knows no groups. Other pictures have no parts.
    pub(super) fn mark(self, chart: &Chart<'_>, root: &Area<'_, plotters::coord::Shift>) -> Result<(), Failure> {
        if chart.palette == Palette::Page { root.draw_pixel((0, 0), &self.color()) } else { Ok(()) }
    }
}

/// Puts groups in place of the marks.
pub(super) fn group(mut body: String) -> String {
    for part in Part::ALL {
        let RGBColor(red, green, blue) = part.color();
        // With its quotes: in words, which are escaped, it is only written about.
        let mark = format!("\"#{red:02X}{green:02X}{blue:02X}\"");
        let mut from = 0;
        while let Some(at) = body[from..].find(&mark).map(|at| from + at) {
            let (Some(start), Some(end)) = (body[..at].rfind('<'), body[at..].find('>').map(|end| at + end + 1)) else { break };
            body.replace_range(start..end, part.tag());
            from = start;
        }
    }
    body
}
