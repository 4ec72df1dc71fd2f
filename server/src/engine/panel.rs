//! The panel's own box: what the panel counts, and how its host fares, as statistics of a [`Registry`]. Reading takes a picture of
//! everything. Knows nothing of pages.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use app::model::{Kind, Number};

use super::{
    Counter, Push, PushError, Registry, RegistryError, Statistic, Traits, custom::Customs, dispatch::Dispatch, host::Host,
    registry::full_name,
};
use crate::{
    source::{Answer, Unknown},
    store::StoreStats,
};

/// Ways in which a poll fails: those of [`crate::source::SourceError::kind`], and the sampler's own.
pub const FAILURE_KINDS: [&str; 10] =
    ["unreachable", "timeout", "closed", "password", "wrong_path", "tls", "too_large", "status", "protocol", "overrun"];

/// What the panel counts.
#[derive(Debug)]
pub struct Counts {
    /// HTTP requests answered.
    pub requests: Counter,
    /// Watchers that came.
    pub watchers_opened: Counter,
    /// Watchers that left.
    pub watchers_closed: Counter,
    /// Logins that failed.
    pub logins_failed: Counter,
    /// Polls answered.
    pub polls_answered: Counter,
    /// Polls failed, by kind, in the order of [`FAILURE_KINDS`].
    pub polls_failed: Vec<Counter>,
    /// Polls that were queued to be recorded.
    pub polls_queued: Counter,
    /// Polls that left that queue, recorded or lost.
    pub polls_settled: Counter,
    /// Polls whose samples could not be recorded.
    pub polls_lost: Counter,
}

impl Counts {
    fn new(registry: &Registry) -> Result<Self, RegistryError> {
        let within = |name: &str| registry.counter_with(name, Traits::COUNTER.hidden().not_reset(), 0);
        let failed = FAILURE_KINDS.iter().map(|kind| registry.counter(&format!("polls:failed_{kind}")));
        Ok(Self {
            requests: registry.counter("panel:requests")?,
            logins_failed: registry.counter("panel:logins_failed")?,
            polls_answered: registry.counter("polls:answered")?,
            polls_lost: registry.counter("polls:lost")?,
            polls_failed: failed.collect::<Result<_, _>>()?,
            watchers_opened: within("panel:watchers_opened")?,
            watchers_closed: within("panel:watchers_closed")?,
            polls_queued: within("polls:queued")?,
            polls_settled: within("polls:settled")?,
        })
    }

    /// Counts a failed poll.
    pub fn poll_failed(&self, kind: &str) {
        if let Some(place) = FAILURE_KINDS.iter().position(|&known| known == kind) {
            self.polls_failed[place].count();
        }
    }

    /// Pages that watch now.
    #[must_use]
    pub fn watchers(&self) -> i64 {
        // Whoever left had come before: read first, they are never more.
        let left = self.watchers_closed.get();
        self.watchers_opened.get() - left
    }

    /// Polls that wait to be committed.
    #[must_use]
    pub fn polls_waiting(&self) -> i64 {
        let settled = self.polls_settled.get();
        self.polls_queued.get() - settled
    }
}

/// The engine of this process.
pub struct Engine {
    /// What the panel counts.
    pub counts: Arc<Counts>,
    pub(super) registry: Registry,
    pub(super) customs: Customs,
    pub(super) dispatch: Dispatch,
    /// Held by whoever writes what was pushed to the store.
    pub(super) keeping: tokio::sync::Mutex<()>,
    started: Instant,
    host: Mutex<Host>,
    told: Arc<Told>,
    shown: Mutex<Shown>,
    /// The counters that were reset since the last picture, and by whom.
    resets: Mutex<ResetBy>,
}

/// Counters that were reset, by full name, and by whom where that is known.
pub(crate) type ResetBy = BTreeMap<String, Option<Arc<str>>>;

/// What was told last, by full name: what the computed statistics answer with. Missing is not known.
#[derive(Default)]
struct Told(Mutex<HashMap<&'static str, Number>>);

/// The statistics that are seen, as long as none is made or removed.
struct Shown {
    changes: Option<u64>,
    statistics: Arc<[Statistic]>,
    names: Arc<[Arc<str>]>,
}

type Row = (&'static str, Kind, &'static str, &'static str);

/// Every statistic of the engine but those by failure kind, which [`failure`] describes: name, kind, unit, meaning.
const TABLE: &[Row] = &[
    ("panel:uptime", Kind::Gauge, "seconds", "How long this panel has been running."),
    ("panel:requests", Kind::Counter, "requests", "HTTP requests that the panel answered."),
    ("panel:watchers", Kind::Gauge, "watchers", "Pages that watch live values now."),
    ("panel:logins_failed", Kind::Counter, "logins", "Logins with a wrong name or password."),
    ("panel:restarts", Kind::Counter, "starts", "How often a panel began with this database, after the first time."),
    ("panel:memory", Kind::Gauge, "bytes", "Memory that the panel itself uses (resident)."),
    ("polls:answered", Kind::Counter, "polls", "Questions to boxes that were answered."),
    ("polls:lost", Kind::Counter, "polls", "Answers whose samples could not be recorded, and are lost."),
    ("store:size", Kind::Gauge, "bytes", "Size of the database with its log."),
    ("store:samples", Kind::Counter, "samples", "Samples recorded since the start."),
    ("store:commits", Kind::Counter, "commits", "Transactions of samples since the start."),
    ("store:queue_depth", Kind::Gauge, "polls", "Polls that wait to be committed."),
    ("store:chunks_sealed", Kind::Counter, "chunks", "Chunks packed since the start."),
    ("host:load_1m", Kind::Gauge, "", "Processes that want to run, mean of a minute."),
    ("host:load_5m", Kind::Gauge, "", "Processes that want to run, mean of five minutes."),
    ("host:load_15m", Kind::Gauge, "", "Processes that want to run, mean of fifteen minutes."),
    ("host:cpu_used", Kind::Gauge, "%", "Share of all processors that is busy."),
    ("host:memory_total", Kind::Gauge, "bytes", "Memory of this host."),
    ("host:memory_used", Kind::Gauge, "bytes", "Memory that is in use."),
    ("host:swap_used", Kind::Gauge, "bytes", "Swap that is in use."),
    ("host:uptime", Kind::Gauge, "seconds", "How long this host has been running."),
    ("network:received", Kind::Counter, "bytes", "Bytes that came in over all network interfaces."),
    ("network:sent", Kind::Counter, "bytes", "Bytes that went out over all network interfaces."),
    ("network:packets_received", Kind::Counter, "packets", "Packets that came in over all network interfaces."),
    ("network:packets_sent", Kind::Counter, "packets", "Packets that went out over all network interfaces."),
    ("network:errors", Kind::Counter, "packets", "Packets that were lost to errors, in and out."),
    ("disk:total", Kind::Gauge, "bytes", "Size of the disk with the panel's folder."),
    ("disk:free", Kind::Gauge, "bytes", "Room left on the disk with the panel's folder."),
];

/// The full name of the statistic that counts starts.
const RESTARTS: &str = "panel:restarts";

/// Kind, unit and meaning of a statistic of the engine; none of one that was pushed from outside.
#[must_use]
pub fn describe(group: &str, name: &str) -> Option<(Kind, &'static str, &'static str)> {
    if let Some(kind) = name.strip_prefix("failed_").filter(|_| group == "polls") {
        return failure(kind).map(|text| (Kind::Counter, "polls", text));
    }
    TABLE.iter().find(|row| row.0.split_once(':') == Some((group, name))).map(|row| (row.1, row.2, row.3))
}

/// The full names of what the engine tells but for what was pushed from outside.
pub fn own_names() -> impl Iterator<Item = String> {
    let failures = FAILURE_KINDS.iter().map(|kind| format!("polls:failed_{kind}"));
    TABLE.iter().map(|row| row.0.to_owned()).chain(failures)
}

/// Whether a statistic goes on where it was when the panel begins anew: what was pushed does, and what the panel counts begins at 0.
#[must_use]
pub fn survives(group: &str, name: &str) -> bool {
    (group, name) == ("panel", "restarts") || describe(group, name).is_none()
}

fn failure(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "unreachable" => "Polls of boxes that nothing answered for.",
        "timeout" => "Polls without a whole answer in time.",
        "closed" => "Polls whose connection was closed.",
        "password" => "Polls refused for want of a password.",
        "wrong_path" => "Polls at a path that is no management interface.",
        "tls" => "Polls whose certificate was not trusted.",
        "too_large" => "Polls with an answer beyond the bound.",
        "status" => "Polls answered with another HTTP status.",
        "protocol" => "Polls whose answer made no sense.",
        "overrun" => "Polls that were due while the one before still ran.",
        _ => return None,
    })
}

impl Engine {
    /// Starts counting. `started` is when the process began.
    ///
    /// # Errors
    /// When the process has no room for further counters.
    pub fn new(started: Instant) -> Result<Self, RegistryError> {
        let registry = Registry::new();
        let counts = Arc::new(Counts::new(&registry)?);
        let told = Arc::new(Told::default());
        for &(full, kind, ..) in TABLE.iter().filter(|row| registry.find(row.0).is_none()) {
            let (told, counts) = (Arc::clone(&told), Arc::clone(&counts));
            match full {
                "panel:watchers" => registry.computed(full, kind, move || Some(Number::Int(counts.watchers())))?,
                "store:queue_depth" => registry.computed(full, kind, move || Some(Number::Int(counts.polls_waiting())))?,
                _ => registry.computed(full, kind, move || told.lock().get(full).copied())?,
            };
        }
        // OpenSIPS's tools ask for it by name, to see a restart.
        let up = move || i64::try_from(started.elapsed().as_secs()).ok().map(Number::Int);
        registry.computed_with("core:timestamp", Traits::GAUGE.hidden(), up)?;
        let shown = Shown { changes: None, statistics: Arc::new([]), names: Arc::new([]) };
        let (customs, dispatch, keeping, host) =
            (Customs::default(), Dispatch::default(), tokio::sync::Mutex::default(), Mutex::new(Host::new()));
        Ok(Self { counts, registry, customs, dispatch, keeping, started, host, told, shown: Mutex::new(shown), resets: Mutex::default() })
    }

    /// A panel has begun with this database so many times before.
    pub(super) fn began(&self, before: i64) {
        self.told.lock().insert(RESTARTS, Number::Int(before));
    }

    /// Pushes to a statistic of a script's own, `group:name`; answers the value then. One that is new is made: of this kind or, when none
    /// is said, as a gauge where its value is set and else as a counter. It survives the panel's end. `by` is who did it.
    ///
    /// # Errors
    /// When the name cannot be one or is the panel's own, there are too many, or the value has no room.
    pub fn push(&self, name: &str, push: Push, kind: Option<Kind>, by: Option<&str>) -> Result<i64, PushError> {
        if push != Push::To(0) {
            return self.customs.push(&self.registry, name, push, kind);
        }
        // A reset by another name.
        let mut resets = self.resets.lock().unwrap_or_else(PoisonError::into_inner);
        let value = self.customs.push(&self.registry, name, push, kind)?;
        let statistic = full_name(name).ok().and_then(|(full, _)| self.registry.find(&full));
        let statistic = statistic.filter(|statistic| !statistic.traits().no_reset);
        resets.extend(statistic.map(|statistic| (statistic.name().to_owned(), by.map(Arc::from))));
        Ok(value)
    }

    /// Removes what was pushed under a name.
    ///
    /// # Errors
    /// When there is nothing, or it is the panel's own.
    pub fn remove(&self, name: &str) -> Result<(), PushError> {
        self.customs.remove(&self.registry, name)
    }

    /// Sets a statistic that is seen to zero, by its full name; see [`Self::reset`].
    ///
    /// # Errors
    /// A sentence: why that may not be.
    pub fn reset_named(&self, full: &str, by: Option<&str>) -> Result<(), &'static str> {
        let statistic = self.registry.find(full).filter(|statistic| !statistic.traits().hidden);
        let statistic = statistic.ok_or("there is no such statistic any more")?;
        if self.reset(&statistic, by) { Ok(()) } else { Err("it is not meant to be set to zero") }
    }

    /// All statistics, also hidden ones, in their order.
    #[must_use]
    pub fn statistics(&self) -> Vec<Statistic> {
        self.registry.statistics()
    }

    /// Sets every counter to zero that may be; answers how many.
    pub fn reset_all(&self, by: Option<&str>) -> usize {
        self.registry.statistics().iter().filter(|statistic| self.reset(statistic, by)).count()
    }

    /// Counts the statistics that were made and removed.
    #[must_use]
    pub fn changes(&self) -> u64 {
        self.registry.changes()
    }

    /// The kinds of what was pushed, by full name.
    #[must_use]
    pub fn pushed_kinds(&self) -> Vec<(Arc<str>, Kind)> {
        self.customs.kinds().into_iter().map(|(full, kind)| (full.into(), kind)).collect()
    }

    /// How long the panel has been running.
    #[must_use]
    pub fn uptime(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.started)
    }

    /// Looks at the host and at what is told of the store, for the computed statistics. Reads files: up to some milliseconds.
    pub fn look(&self, store: StoreStats, now: Instant) {
        let host = self.host.lock().unwrap_or_else(PoisonError::into_inner).read();
        let mut told = self.told.lock();
        for (full, value) in host {
            match value {
                Some(value) => told.insert(full, value),
                None => told.remove(full),
            };
        }
        let counted = [
            ("panel:uptime", self.uptime(now).as_secs()),
            ("store:size", store.size_bytes),
            ("store:samples", store.samples),
            ("store:commits", store.commits),
            ("store:chunks_sealed", store.chunks_sealed),
        ];
        told.extend(counted.map(|(full, count)| (full, whole(count))));
    }

    /// A picture of everything, as if a box had answered, and the full names of the counters that were reset since the picture before.
    /// Looks first, see [`Self::look`].
    #[must_use]
    pub fn answer(&self, store: StoreStats, now: Instant, now_ms: i64) -> (Answer, ResetBy) {
        self.look(store, now);
        // Held while they are read: what is reset meanwhile belongs to the next picture, with its value.
        let mut resets = self.resets.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = self.picture(now, now_ms);
        (answer, std::mem::take(&mut *resets))
    }

    /// A picture as [`Self::answer`] gives it, for somebody who only looks. What the host tells is as it was looked at last.
    #[must_use]
    pub fn picture(&self, now: Instant, now_ms: i64) -> Answer {
        let (names, statistics) = self.shown();
        let values = statistics.iter().map(|statistic| statistic.value().ok_or(Unknown::NotTold)).collect();
        let uptime_ms = i64::try_from(self.uptime(now).as_millis()).unwrap_or(i64::MAX);
        let started_at_ms = Some(now_ms - uptime_ms);
        Answer { at_ms: now_ms, took: now.elapsed(), started_at_ms, names, values, left_out: None }
    }

    /// Sets a counter to zero, unless that may not be; says whether it did. The next picture tells of it, and of who did it.
    pub fn reset(&self, statistic: &Statistic, by: Option<&str>) -> bool {
        let mut resets = self.resets.lock().unwrap_or_else(PoisonError::into_inner);
        let done = statistic.reset();
        // Of a removed one there is no picture.
        if done && !statistic.is_removed() {
            resets.insert(statistic.name().to_owned(), by.map(Arc::from));
        }
        done
    }

    /// The statistics that are seen, with their names: the very same lists while none is made or removed.
    fn shown(&self) -> (Arc<[Arc<str>]>, Arc<[Statistic]>) {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        // Read before the list: what is made meanwhile is found the next time.
        let changes = self.registry.changes();
        if shown.changes != Some(changes) {
            shown.statistics = self.registry.statistics().into_iter().filter(|statistic| !statistic.traits().hidden).collect();
            shown.names = shown.statistics.iter().map(|statistic| statistic.name().into()).collect();
            shown.changes = Some(changes);
        }
        (Arc::clone(&shown.names), Arc::clone(&shown.statistics))
    }
}

impl Told {
    fn lock(&self) -> MutexGuard<'_, HashMap<&'static str, Number>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A count as a value; counts stay far below 2^63.
pub(super) fn whole(count: u64) -> Number {
    Number::Int(i64::try_from(count).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_statistic_is_described_and_every_described_one_is_there() {
        let engine = Engine::new(Instant::now()).unwrap();
        let (answer, _) = engine.answer(StoreStats::default(), Instant::now(), 1_000);
        for full in answer.names.iter() {
            let (group, name) = app::model::split_name(full);
            let (kind, ..) = describe(group, name).unwrap_or_else(|| panic!("{full}"));
            assert_eq!(engine.registry.find(full).unwrap().traits().kind, kind, "{full}");
        }
        for (full, ..) in TABLE {
            assert!(answer.names.iter().any(|known| known.as_ref() == *full), "{full}");
        }
        assert_eq!(answer.names.len(), answer.values.len());
        assert_eq!(answer.names.len(), TABLE.len() + FAILURE_KINDS.len());
    }

    #[test]
    fn the_names_stay_the_same_list_and_resets_are_told() {
        let engine = Engine::new(Instant::now()).unwrap();
        let (first, _) = engine.answer(StoreStats::default(), Instant::now(), 1_000);
        engine.counts.requests.add(5);
        assert!(engine.reset(engine.counts.requests.statistic(), Some("ada")));
        engine.counts.requests.count();
        engine.counts.poll_failed("timeout");
        let (second, resets) = engine.answer(StoreStats::default(), Instant::now(), 2_000);
        assert!(Arc::ptr_eq(&first.names, &second.names));
        assert_eq!(resets.into_iter().collect::<Vec<_>>(), [("panel:requests".to_owned(), Some("ada".into()))]);
        let value = |answer: &Answer, full: &str| answer.values[answer.names.iter().position(|name| name.as_ref() == full).unwrap()];
        assert_eq!(value(&second, "panel:requests"), Ok(Number::Int(1)));
        assert_eq!(value(&second, "polls:failed_timeout"), Ok(Number::Int(1)));
        assert_eq!(value(&first, "polls:failed_timeout"), Ok(Number::Int(0)));
    }
}
