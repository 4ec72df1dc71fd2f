//! The panel's own statistics engine, behind the built-in box `tickmark`: what the panel does, and how its host fares.
//! Anyone may count here without waiting; reading takes a picture of everything. Knows nothing of boxes or pages.

mod host;

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use app::model::{Kind, Number};

use crate::{
    source::{Answer, Reading},
    store::StoreStats,
};
use host::Host;

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Counts one.
    pub fn count(&self) {
        self.add(1);
    }

    /// Counts several.
    pub fn add(&self, by: u64) {
        self.0.fetch_add(by, Ordering::Relaxed);
    }

    /// The count so far.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Ways in which a poll fails: those of [`crate::source::SourceError::kind`], and the sampler's own.
pub const FAILURE_KINDS: [&str; 10] =
    ["unreachable", "timeout", "closed", "password", "wrong_path", "tls", "too_large", "status", "protocol", "overrun"];

/// What the panel counts.
#[derive(Debug, Default)]
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
    pub polls_failed: [Counter; FAILURE_KINDS.len()],
    /// Polls that were queued to be recorded.
    pub polls_queued: Counter,
    /// Polls that left that queue, recorded or lost.
    pub polls_settled: Counter,
    /// Polls whose samples could not be recorded.
    pub polls_lost: Counter,
}

impl Counts {
    /// Counts a failed poll.
    pub fn poll_failed(&self, kind: &str) {
        if let Some(place) = FAILURE_KINDS.iter().position(|&known| known == kind) {
            self.polls_failed[place].count();
        }
    }
}

/// The engine.
pub struct Engine {
    /// What the panel counts.
    pub counts: Counts,
    started: Instant,
    host: Mutex<Host>,
    names: Mutex<Arc<[Arc<str>]>>,
}

type Row = (&'static str, &'static str, Kind, &'static str, &'static str);

/// Every statistic of the engine but those by failure kind, which [`failure`] describes: group, name, kind, unit, meaning.
const TABLE: &[Row] = &[
    ("panel", "uptime", Kind::Gauge, "seconds", "How long this panel has been running."),
    ("panel", "requests", Kind::Counter, "requests", "HTTP requests that the panel answered."),
    ("panel", "watchers", Kind::Gauge, "watchers", "Pages that watch live values now."),
    ("panel", "logins_failed", Kind::Counter, "logins", "Logins with a wrong name or password."),
    ("panel", "memory", Kind::Gauge, "bytes", "Memory that the panel itself uses (resident)."),
    ("polls", "answered", Kind::Counter, "polls", "Questions to boxes that were answered."),
    ("polls", "lost", Kind::Counter, "polls", "Answers whose samples could not be recorded, and are lost."),
    ("store", "size", Kind::Gauge, "bytes", "Size of the database with its log."),
    ("store", "samples", Kind::Counter, "samples", "Samples recorded since the start."),
    ("store", "commits", Kind::Counter, "commits", "Transactions of samples since the start."),
    ("store", "queue_depth", Kind::Gauge, "polls", "Polls that wait to be committed."),
    ("store", "chunks_sealed", Kind::Counter, "chunks", "Chunks packed since the start."),
    ("host", "load_1m", Kind::Gauge, "", "Processes that want to run, mean of a minute."),
    ("host", "load_5m", Kind::Gauge, "", "Processes that want to run, mean of five minutes."),
    ("host", "load_15m", Kind::Gauge, "", "Processes that want to run, mean of fifteen minutes."),
    ("host", "cpu_used", Kind::Gauge, "%", "Share of all processors that is busy."),
    ("host", "memory_total", Kind::Gauge, "bytes", "Memory of this host."),
    ("host", "memory_used", Kind::Gauge, "bytes", "Memory that is in use."),
    ("host", "swap_used", Kind::Gauge, "bytes", "Swap that is in use."),
    ("host", "uptime", Kind::Gauge, "seconds", "How long this host has been running."),
    ("network", "received", Kind::Counter, "bytes", "Bytes that came in over all network interfaces."),
    ("network", "sent", Kind::Counter, "bytes", "Bytes that went out over all network interfaces."),
    ("network", "packets_received", Kind::Counter, "packets", "Packets that came in over all network interfaces."),
    ("network", "packets_sent", Kind::Counter, "packets", "Packets that went out over all network interfaces."),
    ("network", "errors", Kind::Counter, "packets", "Packets that were lost to errors, in and out."),
    ("disk", "total", Kind::Gauge, "bytes", "Size of the disk with the panel's folder."),
    ("disk", "free", Kind::Gauge, "bytes", "Room left on the disk with the panel's folder."),
];

/// Kind, unit and meaning of a statistic of the engine.
#[must_use]
pub fn describe(group: &str, name: &str) -> Option<(Kind, &'static str, &'static str)> {
    if group == "polls" && name.starts_with("failed_") {
        return failure(name).map(|text| (Kind::Counter, "polls", text));
    }
    TABLE.iter().find(|row| row.0 == group && row.1 == name).map(|row| (row.2, row.3, row.4))
}

fn failure(name: &str) -> Option<&'static str> {
    Some(match name.strip_prefix("failed_")? {
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
    #[must_use]
    pub fn new(started: Instant) -> Self {
        Self { counts: Counts::default(), started, host: Mutex::new(Host::new()), names: Mutex::new(Arc::new([])) }
    }

    /// How long the panel has been running.
    #[must_use]
    pub fn uptime(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.started)
    }

    /// A picture of everything, as if a box had answered. Reads the host: up to some milliseconds.
    #[must_use]
    pub fn answer(&self, store: StoreStats, now: Instant, now_ms: i64) -> Answer {
        let uptime = self.uptime(now);
        let mut pairs = self.panel(store, uptime);
        pairs.extend(self.host.lock().unwrap_or_else(PoisonError::into_inner).read());
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        let same = names.len() == pairs.len() && names.iter().zip(&pairs).all(|(known, (name, _))| known.as_ref() == name);
        if !same {
            *names = pairs.iter().map(|(name, _)| Arc::from(name.as_str())).collect();
        }
        Answer {
            at_ms: now_ms,
            took: now.elapsed(),
            started_at_ms: Some(now_ms - i64::try_from(uptime.as_millis()).unwrap_or(i64::MAX)),
            names: Arc::clone(&names),
            values: pairs.into_iter().map(|(_, reading)| reading).collect(),
            left_out: None,
        }
    }

    fn panel(&self, store: StoreStats, uptime: Duration) -> Vec<(String, Reading)> {
        let counts = &self.counts;
        let watchers = counts.watchers_opened.get().saturating_sub(counts.watchers_closed.get());
        let waiting = counts.polls_queued.get().saturating_sub(counts.polls_settled.get());
        let mut pairs = vec![
            ("panel:uptime".to_owned(), whole(uptime.as_secs())),
            ("panel:requests".to_owned(), whole(counts.requests.get())),
            ("panel:watchers".to_owned(), whole(watchers)),
            ("panel:logins_failed".to_owned(), whole(counts.logins_failed.get())),
            ("polls:answered".to_owned(), whole(counts.polls_answered.get())),
            ("polls:lost".to_owned(), whole(counts.polls_lost.get())),
        ];
        let failed = FAILURE_KINDS.iter().zip(&counts.polls_failed);
        pairs.extend(failed.map(|(kind, count)| (format!("polls:failed_{kind}"), whole(count.get()))));
        pairs.extend([
            ("store:size".to_owned(), whole(store.size_bytes)),
            ("store:samples".to_owned(), whole(store.samples)),
            ("store:commits".to_owned(), whole(store.commits)),
            ("store:queue_depth".to_owned(), whole(waiting)),
            ("store:chunks_sealed".to_owned(), whole(store.chunks_sealed)),
        ]);
        pairs
    }
}

/// A count as a value; counts stay far below 2^63.
fn whole(count: u64) -> Reading {
    Ok(Number::Int(i64::try_from(count).unwrap_or(i64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_statistic_is_described_and_every_described_one_is_there() {
        let engine = Engine::new(Instant::now());
        let answer = engine.answer(StoreStats::default(), Instant::now(), 1_000);
        for full in answer.names.iter() {
            let (group, name) = app::model::split_name(full);
            assert!(describe(group, name).is_some(), "{full}");
        }
        for (group, name, ..) in TABLE {
            let full = format!("{group}:{name}");
            assert!(answer.names.iter().any(|known| known.as_ref() == full), "{full}");
        }
        assert_eq!(answer.names.len(), answer.values.len());
        assert_eq!(answer.names.len(), TABLE.len() + FAILURE_KINDS.len());
    }

    #[test]
    fn the_names_stay_the_same_list() {
        let engine = Engine::new(Instant::now());
        let first = engine.answer(StoreStats::default(), Instant::now(), 1_000);
        engine.counts.requests.count();
        engine.counts.poll_failed("timeout");
        let second = engine.answer(StoreStats::default(), Instant::now(), 2_000);
        assert!(Arc::ptr_eq(&first.names, &second.names));
        let value = |answer: &Answer, full: &str| answer.values[answer.names.iter().position(|name| name.as_ref() == full).unwrap()];
        assert_eq!(value(&second, "panel:requests"), Ok(Number::Int(1)));
        assert_eq!(value(&second, "polls:failed_timeout"), Ok(Number::Int(1)));
        assert_eq!(value(&first, "polls:failed_timeout"), Ok(Number::Int(0)));
    }
}
