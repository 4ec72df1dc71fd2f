//! One span for all charts of the page, and one cross-hair: which gesture leads to which span, and where that stands in the address, so that
//! the browser's own "back" goes back, and a copied address shows the same.

use std::rc::Rc;
use std::time::Duration;

use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen::prelude::*;
use web_sys::{Element, Event, HtmlInputElement, KeyboardEvent, MouseEvent, PointerEvent, WheelEvent};

use super::card::View;
use super::gesture::{self, Gesture, Meaning};
use super::live::{self, Live};
use super::readout::{self, Readout};
use crate::chart::zoom::{self, Span};
use crate::format;
use crate::islands::{browser, dom, realtime::about};
use crate::links;

/// A wheel that has not turned for so long has settled.
const WHEEL_RESTS: Duration = Duration::from_millis(160);
/// A finger that taps so near to the cross-hair means it.
const TAP_PX: f64 = 16.0;

/// What is looked at, and where.
#[derive(Default)]
pub(super) struct Zooming {
    gesture: Gesture,
    pub(super) readout: Readout,
    /// The chart that somebody is at, which is drawn first.
    pub(super) active: Option<usize>,
    /// The span of all charts; none: up to now.
    range: Option<Span>,
    /// The one that hands rested at last: where what they begin leads to nothing, it is shown again.
    rested: Option<Span>,
    /// So many steps back lead to where this page began.
    steps: u32,
    /// Turns of the wheel, so that only the last one settles.
    turns: u32,
    /// The wheel has turned and does not rest yet.
    turning: bool,
    /// Something was recorded while somebody pointed at a chart.
    pub(super) missed: bool,
}

impl Zooming {
    /// Whether the charts stand still: somebody points at one.
    pub(super) fn is_held(&self) -> bool {
        self.readout.at.is_some() || self.gesture.lasts() || self.turning
    }

    /// Whether hands move what is looked at: pictures move with them, and are drawn anew when they rest.
    pub(super) fn moves(&self) -> bool {
        self.gesture.moves() || self.turning
    }
}

/// Begins to hear what hands do.
pub(super) fn listen(live: &Rc<Live>) {
    let hear = |target: &web_sys::EventTarget, name: &str, act: fn(&Rc<Live>, &Event)| {
        let live = Rc::clone(live);
        dom::on(target, name, move |event: Event| act(&live, &event));
    };
    if let Some(main) = dom::one("#main") {
        hear(&main, "pointerdown", |live, event| live.pointer(event));
        hear(&main, "pointerup", |live, event| live.pointer(event));
        hear(&main, "pointercancel", |live, event| live.pointer(event));
        // Not on the window, where a browser takes it for granted that nobody keeps the page from scrolling.
        hear(&main, "wheel", |live, event| live.wheel(event));
        hear(&main, "dblclick", |live, event| live.double_click(event));
    }
    hear(&window(), "pointermove", |live, event| live.pointer(event));
    hear(&window(), "keydown", |live, event| live.key(event));
    hear(&window(), "focusout", |live, _| live.leave());
    hear(&window(), "popstate", |live, _| live.went_back());
    if let Some(again) = dom::one("[data-live-again]") {
        hear(&again, "click", |live, event| {
            event.prevent_default();
            live.settle(None);
        });
    }
    if let Some(custom) = dom::one("[data-custom]") {
        hear(&custom, "toggle", |live, _| live.fill_custom());
        hear(&custom, "submit", |live, event| live.take_custom(event));
    }
    {
        let mut zooming = live.zooming.borrow_mut();
        zooming.range = links::range_of(&query());
        zooming.rested = zooming.range;
    }
    live.write_range();
}

impl Live {
    /// The chart that an event happened in, and what is seen there.
    fn chart_of(&self, event: &Event) -> Option<(usize, View)> {
        let plot = event.target()?.dyn_into::<Element>().ok()?.closest(".plot").ok()??;
        let cards = self.cards.try_borrow().ok()?;
        let index = cards.iter().position(|card| AsRef::<Element>::as_ref(card.plot()) == &plot)?;
        Some((index, cards[index].drawn()?.1))
    }

    fn pointer(self: &Rc<Self>, event: &Event) {
        if event.type_() == "pointerdown" {
            self.rest();
        }
        let (Some(pointer), Ok(mut zooming)) = (event.dyn_ref::<PointerEvent>(), self.zooming.try_borrow_mut()) else { return };
        if zooming.gesture.lasts() && event.type_() != "pointerdown" {
            let index = zooming.gesture.card;
            let meaning = match self.cards.borrow().get(index) {
                Some(card) if event.type_() == "pointermove" => zooming.gesture.moved(card.plot(), pointer),
                Some(card) => zooming.gesture.up(card.plot(), pointer),
                None => Meaning::Nothing,
            };
            let lasts = zooming.gesture.lasts();
            drop(zooming);
            self.mean(meaning, index, pointer.pointer_type() != "mouse");
            if !lasts {
                self.ended();
            }
            return;
        }
        let Some((index, view)) = self.chart_of(event) else {
            drop(zooming);
            return self.leave();
        };
        zooming.active = Some(index);
        if event.type_() == "pointerdown" {
            if let Some(card) = self.cards.borrow().get(index) {
                zooming.gesture.down(index, card.plot(), view, pointer);
            }
            return;
        }
        if pointer.pointer_type() == "mouse" {
            let x = self.place_in(index, pointer).clamp(view.left, view.right);
            zooming.readout.at = Some(zoom::instant(view.span, view.share(x)));
            zooming.readout.show(&self.cards.borrow(), Some(index));
        }
    }

    fn place_in(&self, index: usize, event: &MouseEvent) -> f64 {
        let left = self.cards.borrow().get(index).map_or(0.0, |card| card.plot().get_bounding_client_rect().left());
        f64::from(event.client_x()) - left
    }

    fn wheel(self: &Rc<Self>, event: &Event) {
        let (Some(wheel), Some((index, view))) = (event.dyn_ref::<WheelEvent>(), self.chart_of(event)) else { return };
        let meaning = self.cards.borrow().get(index).map_or(Meaning::Nothing, |card| gesture::wheel(card.plot(), view, wheel));
        let Meaning::Look(span) = meaning else { return };
        event.prevent_default();
        let turn = {
            let mut zooming = self.zooming.borrow_mut();
            if zooming.gesture.lasts() {
                return;
            }
            (zooming.active, zooming.turning) = (Some(index), true);
            zooming.turns = zooming.turns.wrapping_add(1);
            zooming.turns
        };
        self.move_to(span);
        let live = Rc::downgrade(self);
        set_timeout(
            move || {
                if let Some(live) = live.upgrade().filter(|live| live.zooming.borrow().turns == turn) {
                    live.rest();
                }
            },
            WHEEL_RESTS,
        );
    }

    /// What the wheel led to stands.
    fn rest(self: &Rc<Self>) {
        let range = {
            let zooming = self.zooming.borrow();
            zooming.range.filter(|_| zooming.turning)
        };
        if range.is_some() {
            self.settle(range);
        }
    }

    /// A gesture is over: where it led to nothing, what was seen before is seen again. What waited for its end is drawn and loaded.
    fn ended(self: &Rc<Self>) {
        let (range, rested) = {
            let zooming = self.zooming.borrow();
            (zooming.range, zooming.rested)
        };
        if range == rested {
            self.ask_frame();
            self.load();
        } else {
            self.settled(rested);
        }
    }

    fn double_click(self: &Rc<Self>, event: &Event) {
        if self.chart_of(event).is_some() {
            // What the two clicks pinned.
            self.zooming.borrow_mut().readout.unpin();
            self.show_readout();
            self.back();
        }
    }

    fn key(self: &Rc<Self>, event: &Event) {
        let (Some(key), Some((index, view))) = (event.dyn_ref::<KeyboardEvent>(), self.chart_of(event)) else { return };
        if key.alt_key() || key.meta_key() || key.ctrl_key() {
            return;
        }
        let (stepped, meaning) = {
            let mut zooming = self.zooming.borrow_mut();
            zooming.active = Some(index);
            let stepped = zooming.readout.step(view, &key.key(), key.shift_key());
            zooming.readout.at = stepped.or(zooming.readout.at);
            let meaning = match key.key().as_str() {
                "Escape" if zooming.readout.unpin() => Meaning::Nothing,
                "Escape" if zooming.range.is_some() => Meaning::Back,
                _ => gesture::key(view, zooming.readout.at, key),
            };
            (stepped, meaning)
        };
        if stepped.is_some() {
            event.prevent_default();
            self.show_readout();
            // Keys are pressed to hear a value, a pointer moves to see it.
            if let (Some(at), Some(card)) = (stepped, self.cards.borrow().get(index))
                && let Some((series, _)) = card.drawn()
            {
                dom::hear_last(&self.zooming.borrow().readout.text(card, series, at, true));
            }
            return;
        }
        if meaning != Meaning::Nothing {
            event.prevent_default();
            self.mean(meaning, index, false);
        } else if key.key() == "Escape" {
            self.show_readout();
        }
    }

    fn mean(self: &Rc<Self>, meaning: Meaning, index: usize, by_finger: bool) {
        match meaning {
            Meaning::Nothing => {}
            Meaning::Look(span) => self.move_to(span),
            Meaning::Settle(span) => self.settle(Some(span)),
            Meaning::Back => self.back(),
            Meaning::Click(x) => {
                let Some(view) = self.cards.borrow().get(index).and_then(|card| Some(card.drawn()?.1)) else { return };
                let at = zoom::instant(view.span, view.share(x.clamp(view.left, view.right)));
                let mut zooming = self.zooming.borrow_mut();
                // A finger has no way to point without touching: the first tap points, the second pins.
                let points = by_finger && zooming.readout.at.is_none_or(|now| (view.x(now) - x).abs() > TAP_PX);
                if points {
                    zooming.readout.at = Some(at);
                } else {
                    dom::hear_last(zooming.readout.pin(at));
                }
                drop(zooming);
                self.show_readout();
            }
        }
    }

    fn show_readout(&self) {
        if let (Ok(zooming), Ok(cards)) = (self.zooming.try_borrow(), self.cards.try_borrow()) {
            zooming.readout.show(&cards, zooming.active);
        }
    }

    /// Nobody is at a chart any more: what was held back comes now.
    fn leave(self: &Rc<Self>) {
        let missed = {
            let Ok(mut zooming) = self.zooming.try_borrow_mut() else { return };
            if zooming.readout.at.take().is_none() {
                return;
            }
            std::mem::take(&mut zooming.missed)
        };
        readout::clear();
        self.show_readout();
        live::say_held(false);
        if missed {
            self.mark(None);
        } else {
            self.load();
        }
    }

    /// Pictures follow the hands.
    fn move_to(&self, span: Span) {
        self.zooming.borrow_mut().range = Some(span);
        self.cards.borrow_mut().iter_mut().for_each(|card| card.follow(span));
        self.write_range();
        self.show_readout();
    }

    /// A span is looked at from now on, and stands in the address.
    fn settle(self: &Rc<Self>, range: Option<Span>) {
        if links::range_of(&query()) != range {
            let span = dom::one("figure[data-span]").and_then(|figure| figure.get_attribute("data-span")).unwrap_or_default();
            let here = window().location().pathname().unwrap_or_default() + &query();
            let address = links::with_span(&here, range, &span);
            let pushed = window().history().and_then(|history| history.push_state_with_url(&JsValue::NULL, "", Some(&address)));
            if pushed.is_ok() {
                self.zooming.borrow_mut().steps += 1;
            }
        }
        self.settled(range);
    }

    fn settled(self: &Rc<Self>, range: Option<Span>) {
        {
            let mut zooming = self.zooming.borrow_mut();
            (zooming.range, zooming.rested, zooming.turning) = (range, range, false);
        }
        for card in self.cards.borrow_mut().iter_mut() {
            card.look_at(range);
            card.settle();
        }
        self.write_range();
        self.ask_frame();
        self.load();
        // What happened is told of the same span.
        spawn_local(about::renew());
    }

    /// Back to the span before.
    fn back(self: &Rc<Self>) {
        let (steps, range) = {
            let zooming = self.zooming.borrow();
            (zooming.steps, zooming.range)
        };
        if steps > 0 {
            let went = window().history().and_then(|history| history.back());
            debug_assert!(went.is_ok());
        } else if range.is_some() {
            self.settle(None);
        }
    }

    fn went_back(self: &Rc<Self>) {
        {
            let mut zooming = self.zooming.borrow_mut();
            zooming.steps = zooming.steps.saturating_sub(1);
        }
        self.settled(links::range_of(&query()));
    }

    /// Says above the charts which span it is.
    fn write_range(&self) {
        let range = self.zooming.borrow().range;
        if let (Some(place), Some(words)) = (dom::one("[data-looked-at]"), dom::one("[data-looked-at-words]")) {
            let local = |at: i64| at + browser::offset_ms(at);
            if let Some((from, to)) = range {
                dom::write(&words, &format::span(local(from), local(to), true));
            }
            dom::show(&place, range.is_some());
        }
    }

    /// The span that is seen, in local time, in the fields for another.
    fn fill_custom(&self) {
        let seen = self.cards.borrow().iter().find_map(|card| Some(card.drawn()?.1.span));
        let Some((from, to)) = self.zooming.borrow().range.or(seen) else { return };
        for (name, at) in [("from", from), ("to", to)] {
            let field = dom::one(&format!("[data-custom] input[name={name}]")).and_then(|field| field.dyn_into::<HtmlInputElement>().ok());
            if let Some(field) = field {
                field.set_value(&format::for_field(at + browser::offset_ms(at)));
            }
        }
        if let (Some(place), Some(zone)) = (dom::one("[data-custom-zone]"), browser::zone()) {
            dom::write(&place, &format!("Times in {zone}"));
        }
    }

    fn take_custom(self: &Rc<Self>, event: &Event) {
        let entered = |name: &str| {
            let field = dom::one(&format!("[data-custom] input[name={name}]"))?.dyn_into::<HtmlInputElement>().ok()?;
            browser::instant(&field.value())
        };
        // Without both, the form is sent, and answered with what is wrong.
        let Some((from, to)) = entered("from").zip(entered("to")).filter(|(from, to)| from < to) else { return };
        event.prevent_default();
        if let Some(custom) = dom::one("[data-custom]") {
            let _ = custom.remove_attribute("open");
        }
        self.settle(Some((from, to)));
    }
}

/// The query of this page's address.
fn query() -> String {
    window().location().search().unwrap_or_default()
}
