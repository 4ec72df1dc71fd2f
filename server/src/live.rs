//! Newest values to watchers: one Server-Sent Events stream a page. A stream keeps what it has told and compares; it has no
//! queue, so a slow reader skips to the newest and neither slows the sampler nor grows memory.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::{Duration, Instant},
};

use app::model::{Fault, LiveStatistic, LiveValues, Recorded, Removed};
use axum::response::sse::Event;
use futures::Stream;
use tokio::{sync::watch, time::MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use crate::{
    board::{Board, BoxNow, Entry, Layout},
    engine::Engine,
    source::Reading,
    store::Trouble,
};

mod build;

/// How often a watcher hears something, whatever happens.
pub const PING_EVERY: Duration = Duration::from_secs(15);
/// So many pages may watch at once; more are refused, so that streams cannot use up memory or sockets.
pub const MAX_WATCHERS: u64 = 2_000;

/// What one stream has told of one box.
struct Told {
    name: String,
    answers: u64,
    changes: u64,
    recorded_at_ms: Option<i64>,
    layout: Arc<Layout>,
    values: Vec<(Reading, Option<f64>)>,
}

/// Counts a watcher for as long as its stream lives.
struct Watcher(Arc<Engine>);

impl Drop for Watcher {
    fn drop(&mut self) {
        self.0.counts.watchers_closed.count();
    }
}

/// What is told while nothing can be recorded.
#[must_use]
pub fn fault(trouble: &Trouble) -> String {
    format!("Nothing is recorded at this moment: {trouble}. What the boxes answer waits, within bounds, and is recorded afterwards.")
}

/// Whether one more watcher is too many.
#[must_use]
pub fn is_full(engine: &Engine) -> bool {
    engine.counts.watchers_opened.get().saturating_sub(engine.counts.watchers_closed.get()) >= MAX_WATCHERS
}

/// What one stream is told, and by whom.
pub struct Watch<A> {
    /// The boxes.
    pub board: Arc<Board>,
    /// Where watchers are counted.
    pub engine: Arc<Engine>,
    /// Everything of this box alone, and of others that their state changed; none: of all.
    pub only: Option<i64>,
    /// What keeps samples from being recorded.
    pub trouble: watch::Receiver<Option<Trouble>>,
    /// Whether the watcher still may. Asked at each ping, and when `doors` changes.
    pub allowed: A,
    /// Changes when somebody leaves.
    pub doors: watch::Receiver<u64>,
    /// Ends the stream.
    pub stop: CancellationToken,
}

/// A snapshot first, then which build this is, then what changed.
pub fn events<A: AsyncFn() -> bool>(watch: Watch<A>) -> impl Stream<Item = Event> {
    let Watch { board, engine, only, mut trouble, allowed, mut doors, stop } = watch;
    async_stream::stream! {
        engine.counts.watchers_opened.count();
        let _watcher = Watcher(engine);
        let mut version = board.watch();
        let mut pings = tokio::time::interval_at(tokio::time::Instant::now() + PING_EVERY, PING_EVERY);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut told: HashMap<i64, Told> = HashMap::new();
        let mut told_fault = None;
        let mut build = Some(build::event());
        loop {
            version.mark_unchanged();
            let boxes = board.all();
            for entry in &boxes {
                for event in news(entry, only, &mut told) {
                    yield event;
                }
            }
            for (id, name) in removed(&boxes, &mut told) {
                yield event("removed", &Removed { box_name: name });
                if only == Some(id) {
                    return;
                }
            }
            let message = trouble.borrow_and_update().as_ref().map(fault);
            if message != told_fault {
                yield event("fault", &Fault { message: message.clone() });
                told_fault = message;
            }
            if let Some(event) = build.take() {
                yield event;
            }
            let still = tokio::select! {
                () = stop.cancelled() => break,
                changed = version.changed() => changed.is_ok(),
                changed = trouble.changed() => changed.is_ok(),
                changed = doors.changed() => changed.is_ok() && allowed().await,
                _ = pings.tick() => {
                    yield Event::default().event("ping").data("{}");
                    allowed().await
                }
            };
            if !still {
                break;
            }
        }
    }
}

/// The boxes that this stream told of and that are no more.
fn removed(boxes: &[Arc<Entry>], told: &mut HashMap<i64, Told>) -> Vec<(i64, String)> {
    if told.len() <= boxes.len() && boxes.iter().filter(|entry| told.contains_key(&entry.lock().stored.id)).count() == told.len() {
        return Vec::new();
    }
    let there: HashSet<i64> = boxes.iter().map(|entry| entry.lock().stored.id).collect();
    let gone: Vec<i64> = told.keys().copied().filter(|id| !there.contains(id)).collect();
    gone.into_iter().filter_map(|id| Some((id, told.remove(&id)?.name))).collect()
}

/// What is new of a box since this stream told of it.
fn news(entry: &Entry, only: Option<i64>, told: &mut HashMap<i64, Told>) -> Vec<Event> {
    let now = entry.lock();
    let mut events = Vec::new();
    let before = told.get(&now.stored.id);
    let whole = only.is_none_or(|id| id == now.stored.id);
    if before.map_or(whole, |before| before.changes != now.changes) {
        events.push(event("box", &now.view(Instant::now())));
    }
    let at_ms = now.moment.map(|moment| moment.at_ms).filter(|_| whole);
    if let Some(at) = at_ms.filter(|_| before.is_none_or(|before| before.answers != now.answers)) {
        events.push(event("values", &values(&now, before, at)));
    }
    if let Some(at) = now.recorded_at_ms.filter(|_| whole && before.is_some_and(|before| before.recorded_at_ms != now.recorded_at_ms)) {
        events.push(event("recorded", &Recorded { box_name: now.stored.spec.name.clone(), at }));
    }
    if !events.is_empty() || before.is_none() {
        let values = if whole { now.values.iter().copied().zip(now.rates.iter().copied()).collect() } else { Vec::new() };
        let told_now = Told {
            name: now.stored.spec.name.clone(),
            answers: now.answers,
            changes: now.changes,
            recorded_at_ms: now.recorded_at_ms,
            layout: Arc::clone(&now.layout),
            values,
        };
        told.insert(now.stored.id, told_now);
    }
    events
}

/// Everything at first and whenever the names changed; else what changed.
fn values(now: &BoxNow, before: Option<&Told>, at: i64) -> LiveValues {
    let before = before.filter(|before| Arc::ptr_eq(&before.layout.names, &now.layout.names));
    let news = |place: &usize| before.is_none_or(|before| before.values[*place] != (now.values[*place], now.rates[*place]));
    let statistic = |place: usize| LiveStatistic {
        name: now.layout.names[place].to_string(),
        value: now.values[place].ok(),
        rate: now.rates[place],
        spark: if before.is_none() { now.spark(place) } else { Vec::new() },
    };
    LiveValues {
        box_name: now.stored.spec.name.clone(),
        at,
        snapshot: before.is_none(),
        statistics: (0..now.values.len()).filter(news).map(statistic).collect(),
    }
}

fn event(name: &str, data: &impl serde::Serialize) -> Event {
    let json = serde_json::to_string(data).unwrap_or_else(|_| "{}".into());
    Event::default().event(name).data(json)
}
