//! What islands ask of the browser: requests, one event stream, the clock and the time zone. It knows nothing of what they carry.

use std::cell::RefCell;

use leptos::prelude::window;
use wasm_bindgen::prelude::*;
use web_sys::{Event, EventSource, Headers, MessageEvent, RequestInit, Response};

use super::connection;
use crate::reading::{self, Problem, Read};

/// Why a request brought nothing, in a sentence for the reader of the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    /// The status of the answer; zero when there was none.
    pub(crate) status: u16,
    /// What went wrong and what to do.
    pub(crate) text: String,
}

/// Asks this server. Whether it answered, and still knows the session, is told to [`connection`].
pub(crate) async fn request(method: &str, url: &str, json: Option<&str>) -> Result<String, Failure> {
    let (status, body) = match fetch(method, url, json).await {
        Ok(answer) => answer,
        Err(_) => {
            connection::lost();
            return Err(Failure { status: 0, text: "The panel does not answer.".to_owned() });
        }
    };
    if status == 401 {
        connection::ended();
        return Err(Failure { status, text: "Your session has ended: sign in again.".to_owned() });
    }
    connection::found();
    if (200..300).contains(&status) {
        return Ok(body);
    }
    let told = reading::read(&body).map(|Problem(detail)| crate::wording::sentence(&detail));
    Err(Failure { status, text: told.unwrap_or_else(|| format!("The panel refused this (status {status}).")) })
}

/// The status of the answer and its body. One that leads to the login is as good as a refusal.
async fn fetch(method: &str, url: &str, json: Option<&str>) -> Result<(u16, String), JsValue> {
    let init = RequestInit::new();
    init.set_method(method);
    if let Some(json) = json {
        init.set_body(&JsValue::from_str(json));
        let headers = Headers::new()?;
        headers.set("Content-Type", "application/json")?;
        init.set_headers(&headers);
    }
    let answer: Response = window().fetch_with_str_and_init(url, &init).await?.dyn_into()?;
    let status = if answer.url().contains(crate::links::LOGIN) { 401 } else { answer.status() };
    Ok((status, answer.text()?.await?.as_string().unwrap_or_default()))
}

/// Reads JSON from this server.
pub(crate) async fn get_json<T: Read>(url: &str) -> Result<T, Failure> {
    let body = request("GET", url, None).await?;
    reading::read(&body).ok_or_else(|| Failure { status: 200, text: "The answer cannot be read: reload the page.".to_owned() })
}

/// Now, epoch milliseconds.
pub(crate) fn now_ms() -> f64 {
    js_sys::Date::now()
}

thread_local! {
    /// The zone that whoever is signed in chose, if they did.
    static CHOSEN: Option<String> = window().document().and_then(|document| document.body()?.get_attribute("data-zone"));
    /// Its offsets, by quarters of an hour: to ask for one takes a while. A chart asks for a few again and again.
    static OFFSETS: RefCell<Vec<(i64, i64)>> = RefCell::default();
}

/// So many offsets are remembered.
const MAX_OFFSETS: usize = 64;
/// Offsets change at quarters of an hour.
const QUARTER_MS: i64 = 900_000;

/// The offset of the reader's time from UTC at an instant, in milliseconds.
pub(crate) fn offset_ms(at: i64) -> i64 {
    CHOSEN.with(|zone| match zone {
        None => offset_here(at),
        Some(zone) => OFFSETS.with_borrow_mut(|known| {
            let quarter = at.div_euclid(QUARTER_MS);
            if let Some(&(_, offset)) = known.iter().find(|(other, _)| *other == quarter) {
                return offset;
            }
            let offset = offset_in(zone, quarter * QUARTER_MS).unwrap_or_else(|| offset_here(at));
            if known.len() >= MAX_OFFSETS {
                known.clear();
            }
            known.push((quarter, offset));
            offset
        }),
    })
}

/// The instant that a field for a local time says.
#[expect(clippy::cast_possible_truncation, reason = "dates are floats in JavaScript")]
pub(crate) fn instant(local: &str) -> Option<i64> {
    let at = js_sys::Date::parse(&format!("{local}Z"));
    // An hour that comes twice, or never, is read as either.
    at.is_finite().then_some(at as i64).map(|as_utc| as_utc - offset_ms(as_utc - offset_ms(as_utc)))
}

/// What a date is written with so that it is in the reader's zone.
pub(crate) fn of_zone() -> js_sys::Object {
    let options = js_sys::Object::new();
    CHOSEN.with(|zone| {
        if let Some(zone) = zone {
            let _ = js_sys::Reflect::set(&options, &JsValue::from_str("timeZone"), &JsValue::from_str(zone));
        }
    });
    options
}

/// Sweden writes dates as machines read them.
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "dates are floats in JavaScript")]
fn offset_in(zone: &str, at: i64) -> Option<i64> {
    debug_assert!(!zone.is_empty());
    let text = js_sys::Date::new(&JsValue::from_f64(at as f64)).to_locale_string("sv-SE", &of_zone()).as_string()?;
    let there = js_sys::Date::parse(&format!("{}Z", text.replace(' ', "T")));
    there.is_finite().then(|| there as i64 - at)
}

/// The offset of this browser's time.
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "dates are floats in JavaScript")]
fn offset_here(at: i64) -> i64 {
    let minutes = js_sys::Date::new(&JsValue::from_f64(at as f64)).get_timezone_offset();
    if minutes.is_finite() { -(minutes * 60_000.0) as i64 } else { 0 }
}

/// The name of the reader's time zone, such as `Europe/Berlin`.
pub(crate) fn zone() -> Option<String> {
    if let Some(zone) = CHOSEN.with(Clone::clone) {
        return Some(zone);
    }
    let format = js_sys::Intl::DateTimeFormat::new(&js_sys::Array::new(), &js_sys::Object::new());
    js_sys::Reflect::get(&format.resolved_options(), &JsValue::from_str("timeZone")).ok()?.as_string()
}

/// Now, as a clock on the wall shows it here.
pub(crate) fn wall_clock() -> String {
    #[expect(clippy::cast_possible_truncation, reason = "milliseconds since 1970 fit")]
    let now = now_ms() as i64;
    crate::format::clock(now + offset_ms(now), true)
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
fn follow_build(build: &str) {
    let is_first = BUILD.with_borrow_mut(|first| first.get_or_insert_with(|| build.to_owned()) == build);
    if !is_first {
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
        Some(Self { source: EventSource::new(url).ok()?, handlers: Vec::new() }.on("build", |build| follow_build(&build)))
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
