//! What islands ask of the browser: JSON over fetch, one event stream, the time zone. It knows nothing of what it carries.

use std::cell::RefCell;

use leptos::prelude::window;
use serde::de::DeserializeOwned;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Event, EventSource, MessageEvent, Response};

/// Why a request brought nothing, in a sentence for the reader of the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    /// The status of the answer; zero when there was none.
    pub(crate) status: u16,
    /// What went wrong and what to do.
    pub(crate) text: String,
}

/// What a refused request says of itself.
#[derive(serde::Deserialize)]
struct Problem {
    detail: String,
}

/// Reads JSON from this server.
pub(crate) async fn get_json<T: DeserializeOwned>(url: &str) -> Result<T, Failure> {
    let lost = |_| Failure { status: 0, text: "The panel does not answer.".to_owned() };
    let answer = JsFuture::from(window().fetch_with_str(url)).await.map_err(lost)?;
    let response: Response = answer.dyn_into().map_err(lost)?;
    let status = response.status();
    let body = JsFuture::from(response.text().map_err(lost)?).await.map_err(lost)?.as_string().unwrap_or_default();
    if status == 401 {
        return Err(Failure { status, text: "The session has ended: log in again.".to_owned() });
    }
    if !response.ok() {
        let text =
            serde_json::from_str::<Problem>(&body).map_or_else(|_| format!("The panel answered {status}."), |problem| problem.detail);
        return Err(Failure { status, text });
    }
    serde_json::from_str(&body).map_err(|_| Failure { status, text: "The answer cannot be read: reload the page.".to_owned() })
}

/// A value as part of a URL.
pub(crate) fn encode(text: &str) -> String {
    js_sys::encode_uri_component(text).into()
}

/// Now, epoch milliseconds.
pub(crate) fn now_ms() -> f64 {
    js_sys::Date::now()
}

/// The offset of this browser's time from UTC at an instant, in milliseconds.
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "dates are floats in JavaScript")]
pub(crate) fn offset_ms(at: i64) -> i64 {
    let minutes = js_sys::Date::new(&JsValue::from_f64(at as f64)).get_timezone_offset();
    if minutes.is_finite() { -(minutes * 60_000.0) as i64 } else { 0 }
}

/// Whether nobody sees the page.
pub(crate) fn is_hidden() -> bool {
    window().document().is_some_and(|document| document.hidden())
}

thread_local! {
    /// The build of the panel that this page heard of first.
    static BUILD: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Loads the page anew once another build of the panel answers: this code and that panel may not understand each other.
pub(crate) fn follow_build(build: String) {
    let first = BUILD.with_borrow_mut(|first| first.get_or_insert_with(|| build.clone()).clone());
    if first != build {
        let reloaded = window().location().reload();
        debug_assert!(reloaded.is_ok());
    }
}

/// An open event stream; dropping it closes it.
pub(crate) struct Stream {
    source: EventSource,
    handlers: Vec<Closure<dyn Fn(Event)>>,
}

impl Stream {
    /// Opens a stream. The browser reconnects by itself, unless the server refused: see [`Self::is_closed`].
    pub(crate) fn open(url: &str) -> Option<Self> {
        Some(Self { source: EventSource::new(url).ok()?, handlers: Vec::new() }.on("build", follow_build))
    }

    /// Calls with the data of each event of a name; `open` and `error` have none.
    pub(crate) fn on(mut self, name: &str, act: impl Fn(String) + 'static) -> Self {
        let handler = Closure::<dyn Fn(Event)>::new(move |event: Event| {
            act(event.dyn_ref::<MessageEvent>().and_then(|message| message.data().as_string()).unwrap_or_default());
        });
        let added = self.source.add_event_listener_with_callback(name, handler.as_ref().unchecked_ref());
        debug_assert!(added.is_ok());
        self.handlers.push(handler);
        self
    }

    /// Whether the browser has given up.
    pub(crate) fn is_closed(&self) -> bool {
        self.source.ready_state() == EventSource::CLOSED
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.source.close();
    }
}
