//! A chart while hands move what is looked at: the picture that is there is moved and stretched, and drawn anew when they rest.

use web_sys::Element;

use super::{Card, View};
use crate::chart::{UNITS, zoom::Span};
use crate::islands::dom;
use crate::json::float;

/// What of the picture moves, what it is cut by, and the time axis.
const MOVES: &str = ":scope > svg > .inside > .moves";
const TIMES: &str = ":scope > svg > .times";
/// How far lines may reach over the edges of the plot, in pixels: half of what they are wide, and more.
const OVER_EDGE: f64 = 2.0;
/// Words in the plot are shown as long as they are stretched no more than that.
const STRETCHED: f64 = 0.02;

/// From a place in the picture that was drawn to where it is now, in its units.
#[derive(Clone, Copy)]
struct Stretch {
    times: f64,
    by: f64,
}

impl Stretch {
    #[expect(clippy::cast_precision_loss, reason = "spans are far below what a float can count")]
    fn of(view: View, drawn: Span) -> Self {
        let length = |span: Span| span.1.saturating_sub(span.0).max(1) as f64;
        let times = length(drawn) / length(view.span);
        let units = f64::from(UNITS);
        Self { times, by: (view.x(drawn.0) - times * view.left) * units }
    }

    fn place(self, x: f64) -> f64 {
        self.times * x + self.by
    }
}

impl Card {
    /// Shows another span for as long as hands are at it: nothing is drawn and nothing asked for.
    pub(in crate::islands::charts) fn follow(&mut self, span: Span) {
        self.range = Some(span);
        if let Some(view) = &mut self.view {
            view.span = span;
            let stretch = Stretch::of(*view, self.drawn_span);
            if self.visible {
                // Without it the picture stands still until it is drawn anew.
                let _ = self.stretch(stretch);
            }
        }
    }

    fn stretch(&self, stretch: Stretch) -> Option<()> {
        let view = self.view?;
        let moves = self.plot.query_selector(MOVES).ok()??;
        // As many digits as there are: to round them brings code that nothing else of the client needs.
        let Stretch { times, by } = stretch;
        moves.set_attribute("transform", &format!("matrix({times} 0 0 1 {by} 0)")).ok()?;
        let is_stretched = (times - 1.0).abs() > STRETCHED;
        moves.class_list().toggle_with_force("stretched", is_stretched).ok()?;
        let inside = moves.parent_element()?;
        if !inside.has_attribute("clip-path") {
            let units = f64::from(UNITS);
            let (left, right) = ((view.left - OVER_EDGE) * units, (f64::from(self.drawn_size.0) - view.right - OVER_EDGE) * units);
            inside.set_attribute("clip-path", &format!("inset(0px {right}px 0px {left}px) view-box")).ok()?;
        }
        self.move_times(view, stretch)
    }

    /// Moves the ticks and their labels, which keep their shape; where they come too close, only some are shown.
    fn move_times(&self, view: View, stretch: Stretch) -> Option<()> {
        let units = f64::from(UNITS);
        let edges = (view.left - OVER_EDGE) * units..=(view.right + OVER_EDGE) * units;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small number above zero")]
        let nth = (1.0 / stretch.times).ceil().clamp(1.0, 1000.0) as usize;
        let times = self.plot.query_selector(TIMES).ok()??;
        // The line of the axis comes first; then a label and its tick, in turns.
        for (index, one) in dom::all_in(&times, ":scope > *").iter().enumerate().skip(1) {
            let Some(x) = place_of(one) else { continue };
            let now = stretch.place(x);
            let is_shown = (index - 1) / 2 % nth == 0 && edges.contains(&now);
            one.set_attribute("transform", &format!("translate({} 0)", now - x)).ok()?;
            one.set_attribute("visibility", if is_shown { "visible" } else { "hidden" }).ok()?;
        }
        Some(())
    }
}

/// Where a label or a tick of the time axis was drawn.
fn place_of(one: &Element) -> Option<f64> {
    let x = one.get_attribute("x").or_else(|| one.get_attribute("points"))?;
    float(x.split(',').next()?)
}
