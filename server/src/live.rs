//! Newest values to watchers: one Server-Sent Events stream a page. A stream keeps what it has told and compares; it has no
//! queue, so a slow reader skips to the newest and neither slows the sampler nor grows memory.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use app::model::{LiveStatistic, LiveValues, Recorded};
use axum::response::sse::Event;
use futures::Stream;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::{
    board::{Board, BoxNow, Entry, Layout},
    engine::Engine,
    source::Reading,
};

/// How often a watcher hears something, whatever happens.
pub const PING_EVERY: Duration = Duration::from_secs(15);
/// So many pages may watch at once; more are refused, so that streams cannot use up memory or sockets.
pub const MAX_WATCHERS: u64 = 2_000;

/// What one stream has told of one box.
struct Told {
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

/// Whether one more watcher is too many.
#[must_use]
pub fn is_full(engine: &Engine) -> bool {
    engine.counts.watchers_opened.get().saturating_sub(engine.counts.watchers_closed.get()) >= MAX_WATCHERS
}

/// The events of one box, or of all: a snapshot first, then what changed, until `stop`.
pub fn events(board: Arc<Board>, engine: Arc<Engine>, only: Option<i64>, stop: CancellationToken) -> impl Stream<Item = Event> {
    async_stream::stream! {
        engine.counts.watchers_opened.count();
        let _watcher = Watcher(engine);
        let mut version = board.watch();
        let mut pings = tokio::time::interval_at(tokio::time::Instant::now() + PING_EVERY, PING_EVERY);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut told: HashMap<i64, Told> = HashMap::new();
        loop {
            version.mark_unchanged();
            for entry in watched(&board, only) {
                for event in news(&entry, &mut told) {
                    yield event;
                }
            }
            tokio::select! {
                () = stop.cancelled() => break,
                changed = version.changed() => if changed.is_err() { break },
                _ = pings.tick() => yield Event::default().event("ping").data("{}"),
            }
        }
    }
}

fn watched(board: &Board, only: Option<i64>) -> Vec<Arc<Entry>> {
    only.map_or_else(|| board.all(), |id| board.by_id(id).into_iter().collect())
}

/// What is new of a box since this stream told of it.
fn news(entry: &Entry, told: &mut HashMap<i64, Told>) -> Vec<Event> {
    let now = entry.lock();
    let mut events = Vec::new();
    let before = told.get(&now.stored.id);
    if before.is_none_or(|before| before.changes != now.changes) {
        events.push(event("box", &now.view(Instant::now())));
    }
    let at_ms = now.moment.map(|moment| moment.at_ms);
    if let Some(at) = at_ms.filter(|_| before.is_none_or(|before| before.answers != now.answers)) {
        events.push(event("values", &values(&now, before, at)));
    }
    if let Some(at) = now.recorded_at_ms.filter(|_| before.is_some_and(|before| before.recorded_at_ms != now.recorded_at_ms)) {
        events.push(event("recorded", &Recorded { box_name: now.stored.spec.name.clone(), at }));
    }
    if !events.is_empty() {
        let values = now.values.iter().copied().zip(now.rates.iter().copied()).collect();
        let layout = Arc::clone(&now.layout);
        let state = Told { answers: now.answers, changes: now.changes, recorded_at_ms: now.recorded_at_ms, layout, values };
        told.insert(now.stored.id, state);
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
