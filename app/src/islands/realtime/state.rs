//! What stands around the rows of a box: how it does, how old its values are, how long it runs, and the banner. Knows no rows and no
//! stream.

use std::cell::{Cell, RefCell};

use crate::{
    format,
    islands::{browser, dom},
    links,
    model::BoxState,
    reading::BoxNews,
    wording,
};

/// The words around the rows, and what they are made of. Instants are by this browser's clock, epoch milliseconds.
pub(super) struct Around {
    name: String,
    state: Cell<BoxState>,
    reason: RefCell<Option<String>>,
    answered_ms: Cell<Option<f64>>,
    started_ms: Cell<Option<f64>>,
    connected: Cell<bool>,
    held: Cell<bool>,
    gone: Cell<bool>,
}

impl Around {
    /// As the page says it.
    #[expect(clippy::cast_precision_loss, reason = "ages")]
    pub(super) fn read(name: &str) -> Self {
        let told = |what: &str| dom::one("#live").and_then(|live| live.get_attribute(what));
        let since = |what: &str| Some(browser::now_ms() - told(what)?.parse::<i64>().ok()? as f64);
        let states = [BoxState::Up, BoxState::Down, BoxState::Paused];
        let state = told("data-state").and_then(|key| states.into_iter().find(|state| wording::state_key(*state) == key));
        Self {
            name: name.to_owned(),
            state: Cell::new(state.unwrap_or(BoxState::Waiting)),
            reason: RefCell::new(None),
            answered_ms: Cell::new(since("data-age-ms")),
            started_ms: Cell::new(since("data-up-ms")),
            connected: Cell::new(false),
            held: Cell::new(false),
            gone: Cell::new(false),
        }
    }

    /// The stream was opened, or broke off.
    pub(super) fn connected(&self, connected: bool) {
        self.connected.set(connected);
        self.write_state();
    }

    /// Somebody stopped what is shown here, or lets it go on.
    pub(super) fn hold(&self, held: bool) {
        self.held.set(held);
        self.write_state();
        dom::hear(if held { "Values stand still on this page. Recording goes on." } else { "Values move again." });
    }

    /// The box answered a poll this moment.
    pub(super) fn answered_now(&self) {
        self.answered_ms.set(Some(browser::now_ms()));
        self.write_ages();
    }

    /// The box changed. Answers whether its state did.
    #[expect(clippy::cast_precision_loss, reason = "ages")]
    pub(super) fn changed(&self, news: &BoxNews) -> bool {
        let before = self.state.replace(news.state);
        self.reason.replace(news.reason.clone());
        let answered = news.age_ms.map(|age| browser::now_ms() - age as f64);
        if answered.is_some() {
            self.answered_ms.set(answered);
        }
        let ran = news.at.zip(news.started_at).map(|(at, started)| (at - started) as f64);
        self.started_ms.set(answered.zip(ran).map(|(answered, ran)| answered - ran));
        if let Some(every) = dom::one("[data-every]") {
            dom::write(&every, &wording::every(news.state, &news.interval));
        }
        self.write_state();
        self.write_ages();
        self.write_banner();
        before != news.state
    }

    /// The box is no longer in the panel.
    pub(super) fn removed(&self) {
        self.gone.set(true);
        self.write_state();
        self.write_banner();
    }

    fn write_state(&self) {
        let live = self.connected.get() && !self.held.get() && !self.gone.get() && self.state.get() == BoxState::Up;
        let word = if self.gone.get() {
            "removed"
        } else if self.held.get() {
            "stopped here"
        } else if !self.connected.get() {
            "not connected"
        } else if live {
            "live"
        } else {
            wording::state_look(self.state.get()).1
        };
        if let Some(label) = dom::one("[data-live]") {
            dom::write(&label, word);
        }
        if let Some(pulse) = dom::one("#live .pulse") {
            dom::show(&pulse, live);
        }
    }

    /// Writes what time alone changes.
    pub(super) fn write_ages(&self) {
        if let (Some(place), Some(age)) = (dom::one("[data-age]"), since(self.answered_ms.get())) {
            dom::write(&place, &format!("{} ago", format::age(age)));
        }
        let runs = since(self.started_ms.get()).filter(|_| self.state.get() == BoxState::Up && !self.gone.get());
        if let (Some(place), Some(runs)) = (dom::one("[data-up]"), runs) {
            dom::write(&place, &wording::up_since(runs));
        }
        if !self.gone.get() && matches!(self.state.get(), BoxState::Down | BoxState::Paused) && self.reason_is_known() {
            self.write_banner();
        }
    }

    /// Until the stream tells why, the page's own words stand.
    fn reason_is_known(&self) -> bool {
        self.state.get() == BoxState::Paused || self.reason.borrow().is_some()
    }

    fn write_banner(&self) {
        let Some(banner) = dom::one("#banner") else { return };
        let removed = self.gone.get();
        let text = if removed {
            Some(format!("{} What is shown is the last known.", wording::removed_news(&self.name)))
        } else {
            wording::banner(self.state.get(), since(self.answered_ms.get()), self.reason.borrow().as_deref())
        };
        dom::show(&banner, text.is_some());
        if let (Some(place), Some(text)) = (dom::one("[data-banner]"), text) {
            dom::write(&place, &text);
        }
        if let Some(link) = dom::one("#banner a").filter(|_| removed) {
            let _ = link.set_attribute("href", links::REALTIME);
            dom::write(&link, "Realtime Statistics");
        }
    }
}

/// How long ago an instant was, in milliseconds.
fn since(at: Option<f64>) -> Option<i64> {
    #[expect(clippy::cast_possible_truncation, reason = "milliseconds since 1970 fit")]
    at.map(|at| (browser::now_ms() - at).max(0.0) as i64)
}
