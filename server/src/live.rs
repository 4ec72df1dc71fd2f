//! Newest values to watchers: one Server-Sent Events stream a page. A stream remembers which answer it told last and tells what
//! changed since; it has no queue, so a slow reader skips to the newest and neither slows the sampler nor grows memory. A page that shows
//! an answer already says which one, and its stream begins with what changed since that.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::{Duration, Instant},
};

use app::{
    matching::Query,
    model::{BoxState, BoxView, Fault, LiveStatistic, LiveValues, Recorded, Removed, Spark, split_name},
};
use axum::response::sse::Event;
use futures::Stream;
use tokio::{
    sync::{broadcast, watch},
    time::MissedTickBehavior,
};
use tokio_util::sync::CancellationToken;

use crate::{
    api::Ask,
    board::{Board, BoxNow, Entry, Layout},
    config::parse_interval,
    engine::Engine,
    sampler::{CloseUp, MAX_CLOSELY},
    scripts::Notice,
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
    /// Whoever watches had it before, and waits for each point of its spark lines.
    is_had: bool,
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
    /// Those that the Overview shows, and no others.
    pub chosen: bool,
}

impl Shown {
    /// As `match` and `show` say.
    #[must_use]
    pub fn asked(ask: &Ask) -> Self {
        let show = ask.get("show");
        Self { search: ask.get("match").map(Query::search), recorded: show == Some("recorded"), chosen: show == Some("overview") }
    }
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
    /// The time of the answer of that one box that the watcher has, epoch milliseconds. Then each answer says its own, so that a browser
    /// which connects again by itself says the newest it heard.
    pub have: Option<i64>,
    /// Where the values of that one box are taken from, when somebody looks at it closely; none: from the board.
    pub close_up: Option<Arc<CloseUp>>,
    /// What keeps samples from being recorded.
    pub trouble: watch::Receiver<Option<Trouble>>,
    /// What scripts tell people.
    pub notices: broadcast::Receiver<Notice>,
    /// Whether the watcher still may. Asked at each ping, and when `doors` changes.
    pub allowed: A,
    /// Changes when somebody leaves.
    pub doors: watch::Receiver<u64>,
    /// Ends the stream.
    pub stop: CancellationToken,
}

/// All boxes and a snapshot first, or what changed since the answer that the watcher has; then which build this is, then what changed.
pub fn events<A: AsyncFn() -> bool>(watch: Watch<A>) -> impl Stream<Item = Event> {
    let Watch { board, engine, only, shown, have, close_up, mut trouble, mut notices, allowed, mut doors, stop } = watch;
    async_stream::stream! {
        engine.counts.watchers_opened.count();
        let _watcher = Watcher(engine);
        let mut version = board.watch();
        let mut closer = close_up.as_ref().map(|close_up| close_up.watch());
        let mut pings = tokio::time::interval_at(tokio::time::Instant::now() + PING_EVERY, PING_EVERY);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let have = have.filter(|_| close_up.is_none());
        let mut told: HashMap<i64, Told> = HashMap::new();
        told.extend(have.and_then(|at_ms| board.all().iter().find_map(|entry| {
            let now = entry.lock();
            if only == Some(now.stored.id) { had(&now, &shown, at_ms) } else { None }
        })));
        let mut told_fault = None;
        let mut build = Some(build::event());
        loop {
            version.mark_unchanged();
            closer.iter_mut().for_each(watch::Receiver::mark_unchanged);
            let boxes = board.all();
            for entry in &boxes {
                for event in news(entry, close_up.as_deref(), only, &shown, have.is_some(), &mut told) {
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
                () = changed(&mut closer) => true,
                changed = trouble.changed() => changed.is_ok(),
                told = notices.recv() => {
                    // Of those that were missed the log tells.
                    let goes_on = !matches!(told, Err(broadcast::error::RecvError::Closed));
                    if let Ok(notice) = told {
                        yield event("notice", &notice);
                    }
                    goes_on
                }
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

/// Waits for something new of what is looked at closely, if anything is.
async fn changed(closer: &mut Option<watch::Receiver<u64>>) {
    let came = match closer {
        Some(closer) => closer.changed().await.is_ok(),
        None => false,
    };
    if !came {
        std::future::pending::<()>().await;
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

/// What a watcher has who has the answer of this time, if it is known still.
fn had(now: &BoxNow, shown: &Shown, at_ms: i64) -> Option<(i64, Told)> {
    let told = Told {
        name: now.stored.spec.name.clone(),
        answers: now.recent.number(at_ms)?,
        // How the box does is told anyway.
        changes: u64::MAX,
        recorded_at_ms: now.recorded_at_ms,
        places: places(&now.layout, shown),
        layout: Arc::clone(&now.layout),
        is_had: true,
    };
    Some((now.stored.id, told))
}

/// What is new of a box since this stream told of it. Written out only when the box is free again.
fn news(
    entry: &Entry,
    close_up: Option<&CloseUp>,
    only: Option<i64>,
    shown: &Shown,
    with_ids: bool,
    told: &mut HashMap<i64, Told>,
) -> Vec<Event> {
    let mut now = entry.lock();
    // They change with an answer, and are looked at while the box is held anyway.
    let chosen = shown.chosen.then(|| Arc::clone(&now.chosen().places));
    let now = now;
    let id = now.stored.id;
    let close_up = close_up.filter(|_| only == Some(id)).map(|close_up| close_up.entry.lock());
    // The values of which there are newer ones elsewhere are not told.
    let valued = close_up.as_deref().unwrap_or(&now);
    let before = told.remove(&id);
    let whole = only.is_none_or(|only| only == id);
    let changes = now.changes + close_up.as_deref().map_or(0, |close_up| close_up.changes);
    let changed = before.as_ref().is_none_or(|before| before.changes != changes);
    let view = changed.then(|| {
        let view = now.view(Instant::now());
        match close_up.as_deref().filter(|close_up| close_up.state == BoxState::Down) {
            Some(close_up) => BoxView { state: BoxState::Down, reason: close_up.reason.clone(), ..view },
            None => view,
        }
    });
    let places = match &before {
        _ if chosen.is_some() => chosen,
        Some(before) if Arc::ptr_eq(&before.layout, &valued.layout) => before.places.clone(),
        _ => places(&valued.layout, shown),
    };
    let at_ms = valued.moment.map(|moment| moment.at_ms).filter(|_| whole);
    // Where others are chosen than were told of, these are told at once and as a whole.
    let like_before = before.as_ref().filter(|before| !shown.chosen || before.places == places);
    let at_ms = at_ms.filter(|_| like_before.is_none_or(|before| before.answers != valued.answers));
    let values = at_ms.map(|at| values(valued, like_before, places.as_deref().unwrap_or(&valued.layout.sorted), at));
    let committed = whole && before.as_ref().is_some_and(|before| before.recorded_at_ms != now.recorded_at_ms);
    let name = now.stored.spec.name.clone();
    let recorded = now.recorded_at_ms.filter(|_| committed).map(|at| Recorded { box_name: name.clone(), at });
    let (layout, answers, recorded_at_ms) = (Arc::clone(&valued.layout), valued.answers, now.recorded_at_ms);
    drop((close_up, now));
    told.insert(id, Told { name, answers, changes, recorded_at_ms, layout, places, is_had: false });
    let view = view.map(|view| event("box", &view));
    let values = values.map(|values| {
        let event = event("values", &values);
        if with_ids && only == Some(id) { event.id(values.at.to_string()) } else { event }
    });
    let recorded = recorded.map(|recorded| event("recorded", &recorded));
    [view, values, recorded].into_iter().flatten().collect()
}

/// The groups that `every` asks to look at closely, and how often: where it is more often than the box is asked anyway, and little
/// enough is shown.
#[must_use]
pub fn closely(now: &BoxNow, shown: &Shown, ask: &Ask) -> Option<(Vec<String>, Duration)> {
    let every = ask.get("every").and_then(|text| parse_interval(text).ok()).filter(|every| *every < now.interval)?;
    groups(now, shown).map(|groups| (groups, every))
}

/// Whether what is shown of a box can be looked at closely: the box is asked, and it is little enough.
#[must_use]
pub fn can_be_close(now: &BoxNow, shown: &Shown) -> bool {
    few_places(now, shown).is_some()
}

fn few_places(now: &BoxNow, shown: &Shown) -> Option<Arc<[u32]>> {
    let places = places(&now.layout, shown).unwrap_or_else(|| Arc::clone(&now.layout.sorted));
    (!now.stored.spec.paused && (1..=MAX_CLOSELY).contains(&places.len())).then_some(places)
}

/// The groups of what is shown of a box, when that can be looked at closely.
fn groups(now: &BoxNow, shown: &Shown) -> Option<Vec<String>> {
    let places = few_places(now, shown)?;
    let mut groups: Vec<String> = Vec::new();
    for &place in places.iter() {
        // What is derived is asked for by what it is computed from.
        let asked = now.layout.asked.len();
        let derived = (place as usize).checked_sub(asked).and_then(|place| now.layout.derived.get(place));
        let inputs = derived.into_iter().flat_map(|derived| derived.inputs());
        let own = derived.is_none().then_some(place as usize);
        for group in own.into_iter().chain(inputs).map(|place| split_name(&now.layout.names[place]).0) {
            if groups.last().is_none_or(|last| last != group) {
                groups.push(group.to_owned());
            }
        }
    }
    groups.sort_unstable();
    groups.dedup();
    Some(groups)
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
    // So many points of each spark line whoever watches does not have.
    let missed =
        before.filter(|before| before.is_had).map_or(0, |before| usize::try_from(now.answers - before.answers).unwrap_or_default());
    let mut told =
        LiveValues { box_name: now.stored.spec.name.clone(), at, snapshot: before.is_none(), left_out: 0, missed, statistics: Vec::new() };
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
        let line = now.sparks.line(place);
        let had = match before {
            None => 0,
            // One point alone is the value or the rate.
            Some(_) if missed < 2 => line.len(),
            Some(_) => line.len().saturating_sub(missed),
        };
        told.statistics.push(LiveStatistic {
            name: name.to_string(),
            value: now.values[place].ok(),
            rate: now.rates[place],
            spark: Spark::of(line.skip(had)),
        });
    }
    told
}

fn event(name: &str, data: &impl serde::Serialize) -> Event {
    let json = serde_json::to_string(data).unwrap_or_else(|_| "{}".into());
    Event::default().event(name).data(json)
}

#[cfg(test)]
mod tests;
