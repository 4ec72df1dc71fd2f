//! The stream of one box and what it changes around the rows: the live state, the age, the pill, the banner.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeSet,
    rc::Rc,
    time::Duration,
};

use leptos::{
    prelude::{StoredValue, WithValue, document, on_cleanup, set_interval_with_handle, set_timeout},
    task::spawn_local,
};
use wasm_bindgen::{JsCast, prelude::Closure};
use web_sys::{Event, EventSource, MessageEvent};

use super::{rows::Rows, search, ticks};
use crate::{
    format,
    islands::{browser, dom},
    links,
    model::{BoxState, BoxView, LiveValues},
    wording,
};

/// How often ages are written anew.
const AGE_STEP: Duration = Duration::from_secs(1);
/// How long after a refused stream another is tried.
const REOPEN_TIME: Duration = Duration::from_secs(5);

/// What the island knows of the page.
pub(super) struct Page {
    pub(super) box_name: String,
    pub(super) rows: RefCell<Rows>,
    stream: RefCell<Option<Stream>>,
    paused: Cell<bool>,
    /// The instant of the last answer by this browser's clock, epoch milliseconds.
    answered_ms: Cell<Option<f64>>,
    state: RefCell<(BoxState, Option<String>)>,
    strangers: RefCell<BTreeSet<String>>,
}

/// An open stream; closed when dropped.
struct Stream {
    source: EventSource,
    _heard: Vec<Closure<dyn FnMut(MessageEvent)>>,
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.source.close();
    }
}

/// Begins to follow the box.
pub(super) fn start() {
    let Some(box_name) = dom::one("#rows input[name=box]").and_then(|field| field.get_attribute("value")) else { return };
    let page = Rc::new(Page {
        box_name,
        rows: RefCell::new(Rows::read()),
        stream: RefCell::new(None),
        paused: Cell::new(false),
        answered_ms: Cell::new(age_on_page().map(|age| js_sys::Date::now() - age)),
        state: RefCell::new((BoxState::Waiting, None)),
        strangers: RefCell::new(BTreeSet::new()),
    });
    ticks::listen(&page);
    search::listen(&page);
    listen(&page);
    page.open();
    let aging = page.clone();
    let handle = set_interval_with_handle(move || aging.write_ages(), AGE_STEP);
    let page = StoredValue::new_local(page);
    on_cleanup(move || {
        page.with_value(|page| page.close());
        if let Ok(handle) = handle {
            handle.clear();
        }
    });
}

fn age_on_page() -> Option<f64> {
    dom::one("#live")?.get_attribute("data-age-ms")?.parse().ok()
}

/// Pause, refresh, the link to new statistics, and a page that goes out of sight.
fn listen(page: &Rc<Page>) {
    let this = page.clone();
    dom::on::<Event>(&document(), "visibilitychange", move |_| {
        if document().hidden() {
            this.close();
        } else if !this.paused.get() {
            this.open();
        }
    });
    if let Some(pause) = dom::one("[data-pause]") {
        dom::show(&pause, true);
        let (this, button) = (page.clone(), pause.clone());
        dom::on::<Event>(&pause, "click", move |_| {
            let paused = !this.paused.get();
            this.paused.set(paused);
            dom::write(&button, if paused { "Resume" } else { "Pause" });
            if paused {
                this.close();
                this.say_live("paused", false);
            } else {
                this.open();
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
    /// Opens the stream anew: it begins with a snapshot.
    pub(super) fn open(self: &Rc<Self>) {
        self.close();
        if self.paused.get() || document().hidden() {
            return;
        }
        let url = links::with_query("/cp/events", &[("box", &self.box_name)]);
        let Ok(source) = EventSource::new(&url) else { return };
        let mut heard = Vec::new();
        let mut on = |event: &str, act: fn(&Rc<Page>, &MessageEvent)| {
            let this = self.clone();
            let closure = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| act(&this, &event));
            let _ = source.add_event_listener_with_callback(event, closure.as_ref().unchecked_ref());
            heard.push(closure);
        };
        on("open", |page, _| page.say_live("live", true));
        on("error", |page, _| page.stream_failed());
        on("build", |_, event| browser::follow_build(event.data().as_string().unwrap_or_default()));
        on("values", |page, event| {
            if let Some(news) = read::<LiveValues>(event) {
                page.values(news);
            }
        });
        on("fault", |_, event| dom::fault(&event.data().as_string().unwrap_or_default()));
        on("box", |page, event| {
            if let Some(news) = read::<BoxView>(event) {
                page.box_changed(news);
            }
        });
        self.stream.replace(Some(Stream { source, _heard: heard }));
    }

    fn close(&self) {
        self.stream.replace(None);
    }

    /// The browser connects again by itself, unless the server refused.
    fn stream_failed(self: &Rc<Self>) {
        self.say_live("connecting again…", false);
        let refused = self.stream.borrow().as_ref().is_some_and(|stream| stream.source.ready_state() == EventSource::CLOSED);
        if refused {
            let this = self.clone();
            set_timeout(move || this.open(), REOPEN_TIME);
        }
    }

    fn values(self: &Rc<Self>, news: LiveValues) {
        if news.box_name != self.box_name {
            return;
        }
        // A poll arrives as it happens; a snapshot may be of long ago.
        if !news.snapshot {
            self.answered_ms.set(Some(js_sys::Date::now()));
            self.write_ages();
        }
        let snapshot = news.snapshot;
        let (strangers, empty, moved) = {
            let mut rows = self.rows.borrow_mut();
            let strangers = rows.update(news);
            (strangers, rows.is_empty(), rows.moved())
        };
        if !snapshot && search::shows_everything() {
            ticks::write_choice(2, "moving", moved);
        }
        if search::shows_everything() && !strangers.is_empty() {
            if empty {
                search::reload(self);
                return;
            }
            self.strangers.borrow_mut().extend(strangers);
        }
        self.offer_new();
    }

    /// New statistics are offered, not pushed in: rows must not move under a pointer.
    fn offer_new(&self) {
        let count = self.strangers.borrow().len();
        let Some(new) = dom::one("#new") else { return };
        dom::show(&new, count > 0);
        if count > 0 {
            let text = if count == 1 { "1 new statistic: show it".to_owned() } else { format!("{count} new statistics: show them") };
            dom::write(&new, &text);
        }
    }

    fn box_changed(&self, news: BoxView) {
        if let Some(pill) = dom::one(&format!("nav.boxes a[data-box=\"{}\"]", news.name)) {
            let (dot, word) = wording::state_look(news.state);
            let spans = dom::all_in(&pill, "span");
            if let [mark, label, ..] = spans.as_slice() {
                mark.set_class_name(dot);
                label.set_class_name(wording::state_word_class(news.state));
                dom::write(label, &format!(" · {word}"));
            }
            let _ = pill.set_attribute("title", news.reason.as_deref().unwrap_or_default());
        }
        if news.name != self.box_name {
            return;
        }
        #[expect(clippy::cast_precision_loss, reason = "an age")]
        if let Some(age) = news.age_ms {
            self.answered_ms.set(Some(js_sys::Date::now() - age as f64));
        }
        if let Some(rows) = dom::one("#rows") {
            let stale = matches!(news.state, BoxState::Down | BoxState::Paused);
            let _ = rows.class_list().toggle_with_force("stale", stale);
        }
        let before = self.state.replace((news.state, news.reason)).0;
        if before != news.state && news.state == BoxState::Down {
            dom::say(&format!("{} does not answer.", self.box_name), true);
        }
        self.write_ages();
    }

    fn age_ms(&self) -> Option<i64> {
        #[expect(clippy::cast_possible_truncation, reason = "milliseconds since 1970 fit")]
        self.answered_ms.get().map(|at| (js_sys::Date::now() - at).max(0.0) as i64)
    }

    fn write_ages(&self) {
        let age = self.age_ms();
        if let (Some(place), Some(age)) = (dom::one("[data-age]"), age) {
            dom::write(&place, &format!("{} ago", format::age(age)));
        }
        let state = self.state.borrow();
        // Until the stream tells of a state, the page's own words stand.
        if state.0 == BoxState::Waiting {
            return;
        }
        let text = wording::banner(state.0, age, state.1.as_deref());
        if let Some(banner) = dom::one("#banner") {
            dom::show(&banner, text.is_some());
        }
        if let (Some(place), Some(text)) = (dom::one("[data-banner]"), text) {
            dom::write(&place, &text);
        }
    }

    fn say_live(&self, word: &str, live: bool) {
        if let Some(label) = dom::one("[data-live]") {
            dom::show(&label, true);
            dom::write(&label, word);
        }
        if let Some(pulse) = dom::one("#live .pulse") {
            dom::show(&pulse, live);
        }
    }

    async fn refresh(self: Rc<Self>) {
        let button = dom::one("form.refresh button:not([data-pause])");
        if let Some(button) = &button {
            let _ = button.set_attribute("aria-busy", "true");
        }
        match dom::request("POST", &links::box_path(&self.box_name, "refresh"), None).await {
            Ok(_) if self.paused.get() => search::reload(&self),
            Ok(_) => dom::say("The values are fresh.", false),
            Err(why) => dom::say(&why, true),
        }
        if let Some(button) = &button {
            let _ = button.remove_attribute("aria-busy");
        }
    }

    /// The rows of the document were replaced.
    pub(super) fn replaced(self: &Rc<Self>) {
        self.rows.replace(Rows::read());
        self.strangers.borrow_mut().clear();
        self.offer_new();
        // The points of the spark lines come with the snapshot.
        self.open();
    }
}

fn read<T: serde::de::DeserializeOwned>(event: &MessageEvent) -> Option<T> {
    serde_json::from_str(&event.data().as_string()?).ok()
}
