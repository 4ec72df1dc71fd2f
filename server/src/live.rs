//! Newest values to watchers: one Server-Sent Events stream a page. A stream remembers which answer it told last and tells what
//! changed since; it has no queue, so a slow reader skips to the newest and neither slows the sampler nor grows memory.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::{Duration, Instant},
};

use app::{
    matching::Query,
    model::{Fault, LiveStatistic, LiveValues, Recorded, Removed, Spark},
};
use axum::response::sse::Event;
use futures::Stream;
use tokio::{sync::watch, time::MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use crate::{
    board::{Board, BoxNow, Entry, Layout},
    engine::Engine,
    store::Trouble,
};

mod build;

/// How often a watcher hears something, whatever happens.
pub const PING_EVERY: Duration = Duration::from_secs(15);
/// So many pages may watch at once; more are refused, so that streams cannot use up memory or sockets.
pub const MAX_WATCHERS: i64 = 2_000;
/// So many statistics one event tells of: more than a page shows, and no more than a browser reads in a moment.
pub const MAX_TOLD: usize = 10_000;
/// Their names have so many bytes at most.
const MAX_TOLD_BYTES: usize = 1 << 20;

/// What one stream has told of one box.
struct Told {
    name: String,
    answers: u64,
    changes: u64,
    recorded_at_ms: Option<i64>,
    layout: Arc<Layout>,
    /// The places that are watched, in the order of their names; none: all of the layout.
    places: Option<Arc<[u32]>>,
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
    engine.counts.watchers() >= MAX_WATCHERS
}

/// What of the values is told.
#[derive(Clone, Debug, Default)]
pub struct Shown {
    /// The statistics that a search finds; none: all.
    pub search: Option<Query>,
    /// Those that are recorded, and no others.
    pub recorded: bool,
}

/// What one stream is told, and by whom.
pub struct Watch<A> {
    /// The boxes.
    pub board: Arc<Board>,
    /// Where watchers are counted.
    pub engine: Arc<Engine>,
    /// Everything of this box alone, and of others that their state changed; none: of all.
    pub only: Option<i64>,
    /// Which values.
    pub shown: Shown,
    /// What keeps samples from being recorded.
    pub trouble: watch::Receiver<Option<Trouble>>,
    /// Whether the watcher still may. Asked at each ping, and when `doors` changes.
    pub allowed: A,
    /// Changes when somebody leaves.
    pub doors: watch::Receiver<u64>,
    /// Ends the stream.
    pub stop: CancellationToken,
}

/// All boxes and a snapshot first, then which build this is, then what changed.
pub fn events<A: AsyncFn() -> bool>(watch: Watch<A>) -> impl Stream<Item = Event> {
    let Watch { board, engine, only, shown, mut trouble, allowed, mut doors, stop } = watch;
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
                for event in news(entry, only, &shown, &mut told) {
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

/// What is new of a box since this stream told of it. Written out only when the box is free again.
fn news(entry: &Entry, only: Option<i64>, shown: &Shown, told: &mut HashMap<i64, Told>) -> Vec<Event> {
    let now = entry.lock();
    let id = now.stored.id;
    let before = told.remove(&id);
    let whole = only.is_none_or(|only| only == id);
    let changed = before.as_ref().is_none_or(|before| before.changes != now.changes);
    let view = changed.then(|| now.view(Instant::now()));
    let places = match &before {
        Some(before) if Arc::ptr_eq(&before.layout, &now.layout) => before.places.clone(),
        _ => places(&now.layout, shown),
    };
    let at_ms = now.moment.map(|moment| moment.at_ms).filter(|_| whole);
    let at_ms = at_ms.filter(|_| before.as_ref().is_none_or(|before| before.answers != now.answers));
    let values = at_ms.map(|at| values(&now, before.as_ref(), places.as_deref().unwrap_or(&now.layout.sorted), at));
    let committed = whole && before.as_ref().is_some_and(|before| before.recorded_at_ms != now.recorded_at_ms);
    let name = now.stored.spec.name.clone();
    let recorded = now.recorded_at_ms.filter(|_| committed).map(|at| Recorded { box_name: name.clone(), at });
    let layout = Arc::clone(&now.layout);
    let (answers, changes, recorded_at_ms) = (now.answers, now.changes, now.recorded_at_ms);
    drop(now);
    told.insert(id, Told { name, answers, changes, recorded_at_ms, layout, places });
    let view = view.map(|view| event("box", &view));
    let values = values.map(|values| event("values", &values));
    let recorded = recorded.map(|recorded| event("recorded", &recorded));
    [view, values, recorded].into_iter().flatten().collect()
}

/// The places that somebody watches.
fn places(layout: &Layout, shown: &Shown) -> Option<Arc<[u32]>> {
    if shown.search.is_none() && !shown.recorded {
        return None;
    }
    let fits = |place: usize| {
        (!shown.recorded || layout.slots[place].ticked) && shown.search.as_ref().is_none_or(|search| search.matches(&layout.names[place]))
    };
    Some(layout.sorted.iter().copied().filter(|&place| fits(place as usize)).collect())
}

/// Everything at first and whenever the names changed; else what changed. The first of them, where there are very many.
fn values(now: &BoxNow, before: Option<&Told>, places: &[u32], at: i64) -> LiveValues {
    let before = before.filter(|before| Arc::ptr_eq(&before.layout.names, &now.layout.names));
    let mut told =
        LiveValues { box_name: now.stored.spec.name.clone(), at, snapshot: before.is_none(), left_out: 0, statistics: Vec::new() };
    let mut bytes = 0;
    for place in places.iter().map(|&place| place as usize) {
        if before.is_some_and(|before| now.changed_at[place] <= before.answers) {
            continue;
        }
        let name = &now.layout.names[place];
        bytes += name.len();
        if told.statistics.len() == MAX_TOLD || bytes > MAX_TOLD_BYTES {
            told.left_out += 1;
            continue;
        }
        told.statistics.push(LiveStatistic {
            name: name.to_string(),
            value: now.values[place].ok(),
            rate: now.rates[place],
            spark: now.sparks.get(place).filter(|_| before.is_none()).and_then(|spark| Spark::of(spark.iter().copied())),
        });
    }
    told
}

fn event(name: &str, data: &impl serde::Serialize) -> Event {
    let json = serde_json::to_string(data).unwrap_or_else(|_| "{}".into());
    Event::default().event(name).data(json)
}
