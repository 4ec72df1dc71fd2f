//! What hands do to a chart: a drag selects, with shift or a finger it moves, two fingers and the wheel widen and narrow; keys do the same. It
//! knows pixels and pointers, and says which span is meant.

use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement, KeyboardEvent, PointerEvent, WheelEvent};

use super::card::View;
use crate::chart::zoom::{self, Span};
use crate::islands::dom::px;

/// A pointer that moves less than this has clicked.
const CLICK_PX: f64 = 4.0;
/// What a key moves, as a share of the width.
const KEY_MOVES: f64 = 0.25;
/// What a key narrows to.
const KEY_NARROWS: f64 = 0.5;
/// What the wheel widens by for each pixel that it turns.
const WHEEL_WIDENS: f64 = 1.002;

/// What a gesture means.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Meaning {
    Nothing,
    /// This is looked at while the gesture lasts.
    Look(Span),
    /// This is looked at from now on.
    Settle(Span),
    /// A click, at this place.
    Click(f64),
    /// Back to where it was before.
    Back,
}

/// A gesture that has begun.
#[derive(Default)]
pub(super) struct Gesture {
    /// The pointers that are down: where they went down, and where they are.
    pointers: Vec<Pointer>,
    kind: Kind,
    /// What was seen when it began.
    began: Option<View>,
    /// The chart that it began in.
    pub(super) card: usize,
}

#[derive(Clone, Copy)]
struct Pointer {
    id: i32,
    from_x: f64,
    x: f64,
}

#[derive(Clone, Copy, Default, PartialEq)]
enum Kind {
    #[default]
    None,
    Select,
    Move,
    Pinch,
}

impl Gesture {
    /// Whether somebody is amid one.
    pub(super) fn lasts(&self) -> bool {
        self.kind != Kind::None
    }

    /// Whether it moves what is looked at.
    pub(super) fn moves(&self) -> bool {
        matches!(self.kind, Kind::Move | Kind::Pinch)
    }

    /// A pointer goes down in a chart.
    pub(super) fn down(&mut self, card: usize, plot: &HtmlElement, view: View, event: &PointerEvent) {
        if event.button() != 0 {
            return;
        }
        let x = place(plot, event);
        if self.pointers.is_empty() {
            self.card = card;
        } else if self.card != card {
            return;
        }
        // Where it goes from here is told to this chart, also outside it.
        let _ = plot.set_pointer_capture(event.pointer_id());
        self.pointers.push(Pointer { id: event.pointer_id(), from_x: x, x });
        self.began = Some(view);
        self.pointers.iter_mut().for_each(|pointer| pointer.from_x = pointer.x);
        self.kind = match (self.pointers.len(), event.pointer_type().as_str()) {
            (2.., _) => Kind::Pinch,
            (_, "mouse") if !event.shift_key() => Kind::Select,
            _ => Kind::Move,
        };
    }

    /// A pointer moves.
    pub(super) fn moved(&mut self, plot: &HtmlElement, event: &PointerEvent) -> Meaning {
        let x = place(plot, event);
        let Some(pointer) = self.pointers.iter_mut().find(|pointer| pointer.id == event.pointer_id()) else { return Meaning::Nothing };
        pointer.x = x;
        if self.kind == Kind::Select {
            self.draw_selection(plot);
            return Meaning::Nothing;
        }
        self.span().map_or(Meaning::Nothing, Meaning::Look)
    }

    /// A pointer goes up, or is lost.
    pub(super) fn up(&mut self, plot: &HtmlElement, event: &PointerEvent) -> Meaning {
        let Some(at) = self.pointers.iter().position(|pointer| pointer.id == event.pointer_id()) else { return Meaning::Nothing };
        let (span, kind) = (self.span(), self.kind);
        let pointer = self.pointers.remove(at);
        self.end(plot);
        let is_lost = event.type_() == "pointercancel";
        match span {
            // A finger that scrolls the page was taken for one that moves the chart.
            Some(span) if kind != Kind::Select || !is_lost => Meaning::Settle(span),
            None if !is_lost && kind != Kind::Pinch => Meaning::Click(pointer.x),
            _ => Meaning::Nothing,
        }
    }

    /// Gives up what was begun.
    pub(super) fn end(&mut self, plot: &HtmlElement) {
        self.pointers.clear();
        self.kind = Kind::None;
        if let Ok(Some(selection)) = plot.query_selector(":scope > .selection") {
            selection.remove();
        }
    }

    /// The span that the gesture means so far; none: it is a click as yet.
    fn span(&self) -> Option<Span> {
        let view = self.began?;
        let width = (view.right - view.left).max(1.0);
        let shares = |pointer: &Pointer| (view.share(pointer.from_x), view.share(pointer.x));
        match (self.kind, self.pointers.as_slice()) {
            (Kind::Select | Kind::Move, [one]) if (one.x - one.from_x).abs() < CLICK_PX => None,
            (Kind::Select, [one]) => {
                let (from, to) = shares(one);
                zoom::between(view.span, from, to)
            }
            (Kind::Move, [one]) => Some(zoom::moved(view.span, (one.from_x - one.x) / width)),
            (Kind::Pinch, [one, other, ..]) => {
                let ((a0, a1), (b0, b1)) = (shares(one), shares(other));
                let times = (a0 - b0).abs() / (a1 - b1).abs().max(0.01);
                let (middle, now) = (f64::midpoint(a0, b0), f64::midpoint(a1, b1));
                Some(zoom::moved(zoom::scaled(view.span, times, middle), (middle - now) * times))
            }
            _ => None,
        }
    }

    fn draw_selection(&self, plot: &HtmlElement) -> Option<()> {
        let (view, [pointer]) = (self.began?, self.pointers.as_slice()) else { return None };
        if (pointer.x - pointer.from_x).abs() < CLICK_PX {
            return None;
        }
        let selection: HtmlElement = match plot.query_selector(":scope > .selection").ok()? {
            Some(found) => found.dyn_into().ok()?,
            None => {
                let made: HtmlElement = leptos::prelude::document().create_element("div").ok()?.dyn_into().ok()?;
                made.set_class_name("selection");
                plot.append_child(&made).ok()?;
                made
            }
        };
        let (from, to) = (pointer.from_x.min(pointer.x).max(view.left), pointer.from_x.max(pointer.x).min(view.right));
        selection.style().set_property("left", &px(from)).ok()?;
        selection.style().set_property("width", &px((to - from).max(0.0))).ok()
    }
}

/// What a turn of the wheel means: sideways, or with shift, it moves; with ctrl, as pads send what two fingers do, it widens and narrows.
/// Up and down alone is the page's.
pub(super) fn wheel(plot: &HtmlElement, view: View, event: &WheelEvent) -> Meaning {
    // Lines and pages, as some devices count, in pixels.
    let unit = match event.delta_mode() {
        WheelEvent::DOM_DELTA_LINE => 16.0,
        WheelEvent::DOM_DELTA_PAGE => 400.0,
        _ => 1.0,
    };
    let (x, y) = (event.delta_x() * unit, event.delta_y() * unit);
    if event.ctrl_key() {
        let anchor = view.share(f64::from(event.client_x()) - plot.get_bounding_client_rect().left());
        return Meaning::Look(zoom::scaled(view.span, WHEEL_WIDENS.powf(y * 2.0), anchor));
    }
    let by = if event.shift_key() && x == 0.0 { y } else { x };
    if by == 0.0 || (!event.shift_key() && y.abs() > x.abs()) {
        return Meaning::Nothing;
    }
    Meaning::Look(zoom::moved(view.span, by / (view.right - view.left).max(1.0)))
}

/// What a key means, where the cross-hair stands at this instant.
pub(super) fn key(view: View, at: Option<i64>, event: &KeyboardEvent) -> Meaning {
    let anchor = at.map_or(0.5, |at| zoom::share(view.span, at));
    match event.key().as_str() {
        "+" | "=" => Meaning::Settle(zoom::scaled(view.span, KEY_NARROWS, anchor)),
        "-" => Meaning::Settle(zoom::scaled(view.span, 1.0 / KEY_NARROWS, anchor)),
        "PageUp" => Meaning::Settle(zoom::moved(view.span, -KEY_MOVES)),
        "PageDown" => Meaning::Settle(zoom::moved(view.span, KEY_MOVES)),
        "Enter" => Meaning::Click(at.map_or(view.right, |at| view.x(at))),
        "Backspace" => Meaning::Back,
        _ => Meaning::Nothing,
    }
}

fn place(plot: &HtmlElement, event: &PointerEvent) -> f64 {
    f64::from(event.client_x()) - AsRef::<Element>::as_ref(plot).get_bounding_client_rect().left()
}
