//! Which chart loads and draws when: at most two requests at a time, one drawing a frame, and nothing that nobody sees.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen::prelude::*;
use web_sys::{Element, Event, IntersectionObserver, IntersectionObserverEntry, IntersectionObserverInit};

use super::card::Card;
use super::legend;
use super::zooming::{self, Zooming};
use crate::islands::feed::{Feed, Heard};
use crate::islands::{browser, dom, pills};
use crate::links;
use crate::model::{ChartLines, LiveValues, Recorded};
use crate::reading::{self, BoxNews};

/// How many requests may be under way.
const IN_FLIGHT_MAX: usize = 2;
/// The longest pause after failures, in milliseconds.
const PAUSE_MAX_MS: f64 = 60_000.0;
/// How far from the window charts already load.
const MARGIN: &str = "300px 0px";

/// All charts of a page.
pub(super) struct Live {
    pub(super) cards: RefCell<Vec<Card>>,
    pub(super) zooming: RefCell<Zooming>,
    work: RefCell<Work>,
}

/// What is under way.
#[derive(Default)]
struct Work {
    in_flight: usize,
    frame_asked: bool,
    /// When the next look is due, if one is.
    wake_ms: Option<f64>,
    feed: Option<Rc<Feed>>,
}

/// Finds the charts of the page and begins.
pub(super) fn start() {
    let live = Rc::new(Live { cards: RefCell::new(Card::all()), zooming: RefCell::default(), work: RefCell::default() });
    if let (Some(place), Some(zone)) = (dom::one("#live [data-zone]"), browser::zone()) {
        dom::write(&place, &format!("times in {zone}"));
    }
    if live.cards.borrow().is_empty() {
        return;
    }
    live.watch();
    live.follow();
    let on = |name: &str, act: fn(&Rc<Live>, &Event)| {
        let live = Rc::clone(&live);
        dom::on(&window(), name, move |event| act(&live, &event));
    };
    on("resize", |live, _| live.resized());
    on("fullscreenchange", |live, _| live.resized());
    on("visibilitychange", |live, _| live.load());
    on("click", |live, event| live.pressed(event, false));
    on("dblclick", |live, event| live.pressed(event, true));
    // It does not bubble.
    let opened = Rc::clone(&live);
    for figure in dom::all("figure[data-query]") {
        let opened = Rc::clone(&opened);
        dom::on_capture(&figure, "toggle", move |_| opened.cards.borrow().iter().for_each(Card::write_table));
    }
    zooming::listen(&live);
}

/// Whether charts stand still because somebody points at one, where it is said whether they are live.
pub(super) fn say_held(held: bool) {
    let (before, now) = if held { ("live", "held") } else { ("held", "live") };
    if let Some(word) = dom::one("#live [data-live]").filter(|word| word.text_content().as_deref() == Some(before)) {
        dom::write(&word, now);
    }
}

impl Live {
    fn watch(self: &Rc<Self>) {
        let live = Rc::clone(self);
        let seen = Closure::<dyn Fn(js_sys::Array)>::new(move |entries: js_sys::Array| {
            for entry in entries.iter().filter_map(|entry| entry.dyn_into::<IntersectionObserverEntry>().ok()) {
                live.seen(&entry.target(), entry.is_intersecting());
            }
            live.load();
            live.ask_frame();
        });
        let init = IntersectionObserverInit::new();
        init.set_root_margin(MARGIN);
        // For as long as the page lives.
        let seen = seen.into_js_value();
        let Ok(observer) = IntersectionObserver::new_with_options(seen.unchecked_ref(), &init) else {
            return;
        };
        self.cards.borrow().iter().for_each(|card| observer.observe(card.figure()));
    }

    fn seen(&self, figure: &Element, visible: bool) {
        if let Some(card) = self.cards.borrow_mut().iter_mut().find(|card| card.figure() == figure) {
            card.visible = visible;
        }
    }

    fn follow(self: &Rc<Self>) {
        let heard = |name: &'static str, act: fn(&Rc<Live>, &str)| -> Heard {
            let live = Rc::downgrade(self);
            (name, Rc::new(move |data: String| live.upgrade().into_iter().for_each(|live| act(&live, &data))))
        };
        let heard = vec![
            heard("open", |live, _| {
                dom::write_live(true);
                pills::begin();
                live.cards.borrow_mut().iter_mut().for_each(Card::panel_is_back);
                // What was recorded before is not told again.
                live.mark(None);
            }),
            heard("error", |_, _| dom::write_live(false)),
            heard("recorded", |live, data| {
                if let Some(event) = reading::read::<Recorded>(data) {
                    live.mark(Some(&event.box_name));
                }
            }),
            heard("values", |live, data| {
                if let Some(news) = reading::read(data) {
                    live.values(&news);
                }
            }),
            heard("box", |live, data| {
                let Some(news) = reading::read::<BoxNews>(data) else { return };
                let before = pills::update(&news);
                if before.is_some_and(|before| live.cards.borrow().iter().any(|card| card.box_name == before)) {
                    pills::follow(&news.name);
                }
            }),
            heard("removed", |live, data| {
                if let Some(name) = pills::removed(data) {
                    live.box_removed(&name);
                }
            }),
            heard("build", |live, _| pills::complete().iter().for_each(|name| live.box_removed(name))),
        ];
        let feed = Feed::follow(
            {
                let url = self.events_url();
                move || url.clone()
            },
            heard,
        );
        self.work.borrow_mut().feed = Some(feed);
    }

    /// The newest values, ahead of the next drawing.
    fn values(&self, news: &LiveValues) {
        // While a chart is drawn the next poll has to do.
        let Ok(mut cards) = self.cards.try_borrow_mut() else { return };
        for card in cards.iter_mut().filter(|card| card.box_name == news.box_name) {
            if let Some(statistic) = news.statistics.iter().find(|statistic| statistic.name == card.name) {
                card.now(statistic);
            }
        }
    }

    /// A box that is gone has no charts that grow.
    fn box_removed(&self, name: &str) {
        self.cards.borrow_mut().iter_mut().filter(|card| card.box_name == name).for_each(Card::removed);
    }

    /// Of one box alone when the page shows no other.
    fn events_url(&self) -> String {
        let cards = self.cards.borrow();
        match cards.split_first() {
            Some((first, rest)) if !first.box_name.is_empty() && rest.iter().all(|card| card.box_name == first.box_name) => {
                links::with_query("/cp/events", &[("box", &pills::id_of(&first.box_name)), ("show", "recorded")])
            }
            _ => "/cp/events?show=recorded".to_owned(),
        }
    }

    /// Marks the charts of a box, or all, as behind.
    pub(super) fn mark(self: &Rc<Self>, box_name: Option<&str>) {
        if self.zooming.try_borrow_mut().is_ok_and(|mut zooming| {
            let held = zooming.is_held();
            zooming.missed |= held;
            held
        }) {
            // Whoever points at an instant wants it to stay where it is.
            say_held(true);
            return;
        }
        for card in self.cards.borrow_mut().iter_mut().filter(|card| box_name.is_none_or(|name| card.is_of(name))) {
            card.stale |= card.grows();
        }
        self.load();
    }

    /// A line of a legend, or a head of it, is pressed: with alt, or twice, the line is left alone.
    fn pressed(self: &Rc<Self>, event: &Event, twice: bool) {
        let Some(button) = dom::origin(event, ".legend button") else { return };
        let (Some(pressed), Some(figure)) = (legend::pressed(&button), button.closest("figure").ok().flatten()) else { return };
        let alone = twice || event.dyn_ref::<web_sys::MouseEvent>().is_some_and(web_sys::MouseEvent::alt_key);
        if let Some(card) = self.cards.borrow_mut().iter_mut().find(|card| *card.figure() == figure) {
            card.press(&pressed, alone);
        }
        self.ask_frame();
    }

    fn resized(self: &Rc<Self>) {
        self.cards.borrow_mut().iter_mut().for_each(Card::resized);
        self.ask_frame();
    }

    /// Whether charts stand still: somebody points at one.
    fn is_held(&self) -> bool {
        self.zooming.try_borrow().is_ok_and(|zooming| zooming.is_held())
    }

    /// Whether hands move what is looked at.
    fn moves(&self) -> bool {
        self.zooming.try_borrow().is_ok_and(|zooming| zooming.moves())
    }

    /// Starts what may be loaded now, and comes back when more may.
    #[expect(clippy::cast_possible_truncation, reason = "milliseconds since 1970 fit")]
    pub(super) fn load(self: &Rc<Self>) {
        if self.moves() {
            return;
        }
        let now = browser::now_ms();
        let held = self.is_held();
        while !browser::is_hidden() && self.work.borrow().in_flight < IN_FLIGHT_MAX {
            let next = {
                let mut cards = self.cards.borrow_mut();
                let waiting = cards.iter_mut().enumerate().filter(|(_, card)| card.wants(held) && card.not_before_ms <= now);
                waiting.min_by(|a, b| a.1.not_before_ms.total_cmp(&b.1.not_before_ms)).map(|(index, card)| (index, card.ask(now as i64)))
            };
            let Some((index, url)) = next else { break };
            self.work.borrow_mut().in_flight += 1;
            let live = Rc::clone(self);
            spawn_local(async move {
                let answer = browser::get_json::<ChartLines>(&url).await;
                live.answered(index, answer);
            });
        }
        let next = self.cards.borrow().iter().filter(|card| card.wants(held)).map(|card| card.not_before_ms).reduce(f64::min);
        if let Some(at) = next.filter(|at| *at > now) {
            self.wake(at, now);
        }
    }

    fn answered(self: &Rc<Self>, index: usize, answer: Result<ChartLines, browser::Failure>) {
        self.work.borrow_mut().in_flight -= 1;
        let held = self.is_held();
        if let Some(card) = self.cards.borrow_mut().get_mut(index) {
            let now = browser::now_ms();
            match answer {
                Ok(_) if held && card.is_joining() => card.put_off(),
                Ok(lines) => card.take(lines, now),
                Err(failure) => {
                    card.failures = card.failures.saturating_add(1);
                    let pause = f64::from(1000_u32 << card.failures.min(16)).min(PAUSE_MAX_MS);
                    card.not_before_ms = now + pause;
                    card.fail(&failure, pause);
                }
            }
        }
        self.ask_frame();
        self.load();
    }

    fn wake(self: &Rc<Self>, at: f64, now: f64) {
        if self.work.borrow().wake_ms.is_some_and(|wake| wake <= at && wake > now) {
            return;
        }
        self.work.borrow_mut().wake_ms = Some(at);
        let live = Rc::downgrade(self);
        set_timeout(
            move || {
                if let Some(live) = live.upgrade() {
                    live.work.borrow_mut().wake_ms = None;
                    live.load();
                }
            },
            Duration::from_secs_f64(((at - now) / 1000.0).max(0.01)),
        );
    }

    /// Draws one chart in the next frame, and asks again while there are more. While hands move what is looked at, none is drawn.
    pub(super) fn ask_frame(self: &Rc<Self>) {
        let wanted = !self.moves() && self.cards.borrow().iter().any(Card::wants_drawing);
        if !wanted || std::mem::replace(&mut self.work.borrow_mut().frame_asked, true) {
            return;
        }
        let live = Rc::downgrade(self);
        request_animation_frame(move || {
            let Some(live) = live.upgrade() else { return };
            live.work.borrow_mut().frame_asked = false;
            live.draw_one();
            live.ask_frame();
            live.load();
        });
    }

    /// Draws one chart: the one that somebody is at before all others.
    fn draw_one(&self) {
        let (mut cards, zooming) = (self.cards.borrow_mut(), self.zooming.borrow());
        if zooming.moves() {
            return;
        }
        let active = zooming.active.filter(|&index| cards.get(index).is_some_and(Card::wants_drawing));
        let Some(index) = active.or_else(|| cards.iter().position(Card::wants_drawing)) else { return };
        cards[index].draw();
        zooming.readout.show(&cards[index..=index], zooming.active.filter(|&active| active == index).map(|_| 0));
    }
}
