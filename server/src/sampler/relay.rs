//! A box as the panel that polls it shows it, on its way to the others: written as JSON, read back, applied like an answer. Asks nobody.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use app::model::{BoxState, Kind, Number};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    board::BoxNow,
    source::{Answer, Reading, Unknown},
    store::Live,
};

/// Clocks run on differently: beyond this, the time of an answer is taken anew.
const DRIFT: Duration = Duration::from_secs(3);

/// What is told of a box but for its names.
#[derive(Serialize, Deserialize)]
struct Shown {
    at_ms: Option<i64>,
    started_at_ms: Option<i64>,
    /// Why it is down.
    down: Option<String>,
    server: Option<String>,
    left_out: Option<String>,
    recorded_at_ms: Option<i64>,
    unrecorded: Option<String>,
    values: Vec<Value>,
}

/// A name, and how it counts.
type Named = (Arc<str>, Kind);

/// What the others were told of a box that this panel polls.
pub(super) struct Told {
    answers: Option<u64>,
    changes: u64,
    recorded_at_ms: Option<i64>,
    names: Arc<[Arc<str>]>,
    kinds: Vec<Kind>,
    version: i64,
    names_version: i64,
}

impl Told {
    /// Nothing yet. Versions of a later generation are larger than all of an earlier one.
    pub(super) fn new(generation: i64) -> Self {
        let version = generation << 40;
        Self { answers: None, changes: 0, recorded_at_ms: None, names: Arc::new([]), kinds: Vec::new(), version, names_version: version }
    }

    /// What is new of the box.
    pub(super) fn news(&mut self, now: &BoxNow) -> Option<Live> {
        if self.answers == Some(now.answers) && self.changes == now.changes && self.recorded_at_ms == now.recorded_at_ms {
            return None;
        }
        let is_first = self.answers.is_none();
        (self.answers, self.changes, self.recorded_at_ms) = (Some(now.answers), now.changes, now.recorded_at_ms);
        self.version += 1;
        // What is derived each panel computes itself.
        let asked = now.layout.asked.len();
        let kinds = || now.layout.slots.iter().take(asked).map(|slot| slot.kind);
        let mut names = None;
        if is_first || !Arc::ptr_eq(&self.names, &now.layout.asked) || !kinds().eq(self.kinds.iter().copied()) {
            self.names = Arc::clone(&now.layout.asked);
            self.kinds = kinds().collect();
            self.names_version += 1;
            let named: Vec<Named> = self.names.iter().cloned().zip(kinds()).collect();
            names = serde_json::to_vec(&named).ok();
        }
        let shown = Shown {
            at_ms: now.moment.map(|moment| moment.at_ms),
            started_at_ms: now.started_at_ms,
            down: (now.state == BoxState::Down).then(|| now.reason.clone().unwrap_or_default()),
            server: now.server.clone(),
            left_out: now.left_out.clone(),
            recorded_at_ms: now.recorded_at_ms,
            unrecorded: now.unrecorded.clone(),
            values: now.values.iter().take(asked).map(|&reading| written(reading)).collect(),
        };
        let payload = serde_json::to_vec(&shown).ok()?;
        Some(Live { box_id: now.stored.id, version: self.version, payload, names_version: self.names_version, names })
    }
}

/// What this panel has seen of a box that another one polls.
#[derive(Default)]
pub(super) struct Seen {
    version: i64,
    names_version: i64,
    names: Arc<[Arc<str>]>,
    kinds: Option<Vec<Named>>,
    /// The last answer's time by the other panel's clock, and by the clock here that never steps.
    last: Option<(i64, Instant)>,
}

impl Seen {
    /// The versions of it, and of its names.
    pub(super) fn versions(&self) -> (i64, i64) {
        (self.version, self.names_version)
    }

    /// Shows what was told. Says whether it could be read.
    pub(super) fn show(&mut self, live: &Live, now: &mut BoxNow) -> bool {
        if let Some(names) = &live.names {
            let Ok(named) = serde_json::from_slice::<Vec<Named>>(names) else { return false };
            self.names = named.iter().map(|(full, _)| Arc::clone(full)).collect();
            self.kinds = Some(named);
            self.names_version = live.names_version;
        }
        self.version = live.version;
        let Ok(shown) = serde_json::from_slice::<Shown>(&live.payload) else { return false };
        if let Some(at_ms) = shown.at_ms
            && shown.values.len() == self.names.len()
            && self.last.is_none_or(|(last_ms, _)| last_ms != at_ms)
        {
            let instant = self.instant(at_ms);
            let answer = Answer {
                at_ms,
                took: Duration::ZERO,
                started_at_ms: shown.started_at_ms,
                names: Arc::clone(&self.names),
                values: shown.values.iter().map(read).collect(),
                left_out: shown.left_out,
            };
            now.apply(&answer, None, instant);
        }
        if let Some(kinds) = self.kinds.take() {
            let plan = now.plan_kinds(kinds);
            now.set_kinds(plan());
        }
        if let Some(reason) = shown.down {
            now.fail(reason);
        }
        if now.recorded_at_ms != shown.recorded_at_ms || now.unrecorded != shown.unrecorded || now.server != shown.server {
            now.recorded_at_ms = shown.recorded_at_ms;
            now.unrecorded = shown.unrecorded;
            now.server = shown.server;
            now.changes += 1;
        }
        true
    }

    /// When an answer was given: as long after the one before as the other panel says, so that rates are right however long it was
    /// under way.
    fn instant(&mut self, at_ms: i64) -> Instant {
        let here = Instant::now();
        let told = self.last.and_then(|(last_ms, last)| {
            let after = Duration::from_millis(u64::try_from(at_ms - last_ms).ok()?);
            let instant = last + after;
            let drift = instant.saturating_duration_since(here).max(here.saturating_duration_since(instant));
            (drift < DRIFT).then_some(instant)
        });
        let instant = told.unwrap_or(here);
        self.last = Some((at_ms, instant));
        instant.min(here)
    }
}

fn written(reading: Reading) -> Value {
    match reading {
        Ok(Number::Int(int)) => int.into(),
        // JSON has no infinite numbers.
        Ok(Number::Float(float)) => serde_json::Number::from_f64(float).map_or_else(|| float.to_string().into(), Value::Number),
        Err(unknown) => code(unknown).into(),
    }
}

fn read(value: &Value) -> Reading {
    match value {
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(int), _) => Ok(Number::Int(int)),
            (None, Some(float)) => Ok(Number::Float(float)),
            (None, None) => Err(Unknown::NotKept),
        },
        Value::String(text) => match UNKNOWNS.into_iter().find(|&unknown| code(unknown) == text) {
            Some(unknown) => Err(unknown),
            None => text.parse().map_or(Err(Unknown::NotKept), |float| Ok(Number::Float(float))),
        },
        _ => Err(Unknown::NotKept),
    }
}

const UNKNOWNS: [Unknown; 6] =
    [Unknown::Inexact, Unknown::NotANumber, Unknown::NotTold, Unknown::NotKept, Unknown::Ambiguous, Unknown::NotComputed];

const fn code(unknown: Unknown) -> &'static str {
    match unknown {
        Unknown::Inexact => "inexact",
        Unknown::NotANumber => "no number",
        Unknown::NotTold => "not told",
        Unknown::NotKept => "not kept",
        Unknown::Ambiguous => "ambiguous",
        Unknown::NotComputed => "not computed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_as_they_were_written() {
        let floats = [0.5, -1.0, f64::INFINITY, f64::NEG_INFINITY, 1e300].map(|float| Ok(Number::Float(float)));
        let ints = [0, i64::MIN, i64::MAX].map(|int| Ok(Number::Int(int)));
        for reading in floats.into_iter().chain(ints).chain(UNKNOWNS.map(Err)) {
            let text = serde_json::to_string(&written(reading)).unwrap();
            assert_eq!(read(&serde_json::from_str(&text).unwrap()), reading, "{text}");
        }
    }
}
