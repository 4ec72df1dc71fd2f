//! The stream of one box and what it brings to its rows; pausing and refreshing what is shown.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Duration,
};

use leptos::{
    prelude::{request_animation_frame, set_interval, window},
    task::spawn_local,
};
use wasm_bindgen::JsValue;
use web_sys::Event;

use super::{about, folds, picks, rows::Rows, search, state::Around, ticks, view};
use crate::{
    islands::{
        browser, dom,
        feed::{Feed, Heard},
        pills,
    },
    links,
    model::{BoxState, LiveValues},
    reading::{self, BoxNews},
};

/// How often ages are written anew.
const AGE_STEP: Duration = Duration::from_secs(1);

/// Of more that move nothing glows: it would tell nobody anything, and has the browser paint all of them in each frame.
const GLOW_MAX: usize = 200;

/// What the island knows of the page.
pub(super) struct Page {
    pub(super) box_name: String,
    pub(super) rows: RefCell<Rows>,
    around: Around,
    feed: RefCell<Option<Rc<Feed>>>,
    held: Cell<bool>,
    /// Something happened to what is shown, of which the next samples bring a mark.
    happened: Cell<bool>,
    /// The names of statistics that have no row here: the browser's own set, as one of ours would weigh more.
    strangers: js_sys::Set,
    /// Turned by each poll, so that what changed again glows again.
    beat: Cell<bool>,
    /// Rows are written in the next frame.
    writing: Cell<bool>,
}

/// Begins to follow the box.
pub(super) fn start() {
    let Some(box_name) = dom::one("#rows input[name=box]").and_then(|field| field.get_attribute("value")) else { return };
    let page = Rc::new(Page {
        around: Around::read(&box_name),
        box_name,
        rows: RefCell::new(Rows::read()),
        feed: RefCell::default(),
        held: Cell::new(false),
        // What led here may have been a reset.
        happened: Cell::new(true),
        strangers: js_sys::Set::new(&JsValue::UNDEFINED),
        beat: Cell::new(false),
        writing: Cell::new(false),
    });
    folds::start();
    view::start();
    settle();
    picks::listen(&page);
    ticks::listen(&page);
    search::listen(&page);
    listen(&page);
    follow(&page);
    let aging = page;
    set_interval(move || aging.around.write_ages(), AGE_STEP);
}

/// Rows are laid out once as they are; from then on the browser may leave those alone that nobody sees, as it knows how high they are. What is
/// seen now stays as it is: it would be gone for a moment.
fn settle() {
    let Some(rows) = dom::one("#rows") else { return };
    let _ = rows.class_list().remove_1("drawn");
    let settled = move || {
        let height = window().inner_height().ok().and_then(|height| height.as_f64()).unwrap_or_default();
        let parts = dom::all_in(&rows, ".part").into_iter().map(|part| (part.get_bounding_client_rect(), part));
        let parts: Vec<_> = parts.map(|(place, part)| (place.bottom() > 0.0 && place.top() < height, part)).collect();
        for (is_seen, part) in parts {
            let _ = part.class_list().toggle_with_force("seen", is_seen);
        }
        let _ = rows.class_list().add_1("drawn");
    };
    request_animation_frame(move || request_animation_frame(settled));
}

fn follow(page: &Rc<Page>) {
    let heard = |name: &'static str, act: fn(&Rc<Page>, &str)| -> Heard {
        let page = Rc::downgrade(page);
        (name, Rc::new(move |data: String| page.upgrade().into_iter().for_each(|page| act(&page, &data))))
    };
    let heard = vec![
        heard("open", |page, _| {
            pills::begin();
            page.around.connected(true);
        }),
        heard("error", |page, _| page.around.connected(false)),
        heard("values", |page, data| {
            if let Some(news) = reading::read(data) {
                page.values(news);
            }
        }),
        heard("box", |page, data| {
            if let Some(news) = reading::read(data) {
                page.box_changed(&news);
            }
        }),
        heard("recorded", |page, _| {
            if page.happened.take() {
                spawn_local(about::renew());
            }
        }),
        heard("removed", |page, data| {
            if let Some(name) = pills::removed(data) {
                page.box_removed(&name);
            }
        }),
        heard("build", |page, _| pills::complete().iter().for_each(|name| page.box_removed(name))),
    ];
    // By number: the box may have another name when the stream is opened again.
    let id = pills::id_of(&page.box_name);
    page.feed.replace(Some(Feed::follow(move || search::events_url(&id), heard)));
}

/// Pause, refresh, and the link to new statistics.
fn listen(page: &Rc<Page>) {
    if let Some(pause) = dom::one("[data-pause]") {
        dom::show(&pause, true);
        let (this, button) = (page.clone(), pause.clone());
        dom::on::<Event>(&pause, "click", move |_| {
            let held = !this.held.get();
            this.held.set(held);
            dom::write(&button, if held { "Resume" } else { "Pause" });
            this.around.hold(held);
            if let Some(feed) = this.feed.borrow().as_ref() {
                feed.hold(held);
            }
        });
    }
    if let Some(refresh) = dom::one("form.refresh") {
        let this = page.clone();
        dom::on::<Event>(&refresh, "submit", move |event| {
            event.prevent_default();
            let this = this.clone();
            spawn_local(async move { this.refresh().await });
        });
    }
    if let Some(new) = dom::one("#new") {
        let this = page.clone();
        dom::on::<Event>(&new, "click", move |event| {
            event.prevent_default();
            search::reload(&this);
        });
    }
}

impl Page {
    fn values(self: &Rc<Self>, news: LiveValues) {
        if news.box_name != self.box_name {
            return;
        }
        // A poll arrives as it happens; what comes first may be of long ago.
        if !news.snapshot && news.missed == 0 {
            self.around.answered_now();
        }
        let (snapshot, at) = (news.snapshot, news.at);
        if !snapshot && about::fell(&news) {
            self.happened.set(true);
        }
        let (strangers, empty, moved) = {
            let mut rows = self.rows.borrow_mut();
            let strangers = rows.update(news);
            (strangers, rows.is_empty(), rows.moved())
        };
        self.write_rows();
        if let Some(rows) = dom::one("#rows") {
            let _ = rows.set_attribute("data-at", &at.to_string());
            if !snapshot {
                self.beat.set(!self.beat.get());
                let _ = rows.set_attribute("data-beat", if self.beat.get() { "1" } else { "0" });
                let _ = rows.class_list().toggle_with_force("crowded", moved > GLOW_MAX);
            }
        }
        if !snapshot && search::shows_everything() {
            ticks::write_choice(2, "moving", moved);
        }
        if search::shows_everything() && !strangers.is_empty() {
            if empty {
                search::reload(self);
                return;
            }
            for name in strangers {
                self.strangers.add(&JsValue::from_str(&name));
            }
        }
        self.offer_new();
    }

    /// Writes rows that wait: some now, and others frame by frame.
    fn write_rows(self: &Rc<Self>) {
        if !self.rows.borrow_mut().write_some() || self.writing.replace(true) {
            return;
        }
        let page = Rc::downgrade(self);
        request_animation_frame(move || {
            if let Some(page) = page.upgrade() {
                page.writing.set(false);
                page.write_rows();
            }
        });
    }

    /// New statistics are offered, not pushed in: rows must not move under a pointer.
    fn offer_new(&self) {
        let count = self.strangers.size();
        let Some(new) = dom::one("#new") else { return };
        dom::show(&new, count > 0);
        if count > 0 {
            let text = if count == 1 { "1 new statistic: show it".to_owned() } else { format!("{count} new statistics: show them") };
            dom::write(&new, &text);
        }
    }

    fn box_changed(&self, news: &BoxNews) {
        if pills::update(news).is_some_and(|before| before == self.box_name) {
            pills::follow(&news.name);
            return;
        }
        if news.name != self.box_name {
            return;
        }
        if let Some(rows) = dom::one("#rows") {
            let stale = news.state != BoxState::Up;
            let _ = rows.class_list().toggle_with_force("stale", stale);
        }
        // A gap begins, or ended.
        if self.around.changed(news) {
            self.happened.set(true);
            spawn_local(about::renew());
        }
    }

    /// What is shown of a box that is gone is the last that is known of it.
    fn box_removed(&self, name: &str) {
        if name != self.box_name {
            return;
        }
        if let Some(rows) = dom::one("#rows") {
            let _ = rows.class_list().add_1("stale");
        }
        self.around.removed();
        self.end();
    }

    fn end(&self) {
        if let Some(feed) = self.feed.borrow().as_ref() {
            feed.end();
        }
    }

    async fn refresh(self: Rc<Self>) {
        let button = dom::one("form.refresh button:not([data-pause])");
        if let Some(button) = &button {
            let _ = button.set_attribute("aria-busy", "true");
        }
        match browser::request("POST", &links::box_path(&self.box_name, "refresh"), None).await {
            Ok(_) if self.held.get() => search::reload(&self),
            Ok(_) => dom::say("The values are fresh.", false),
            Err(why) => dom::say(&why.text, true),
        }
        if let Some(button) = &button {
            let _ = button.remove_attribute("aria-busy");
        }
    }

    /// The rows of the document were replaced.
    pub(super) fn replaced(self: &Rc<Self>) {
        self.rows.replace(Rows::read());
        settle();
        picks::choose(self, false);
        self.strangers.clear();
        self.offer_new();
        // It goes on from the answer that these show.
        if let Some(feed) = self.feed.borrow().as_ref() {
            feed.open();
        }
    }
}
