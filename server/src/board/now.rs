//! One box at this moment: its newest answer, the rates since the one before, and how it does.

use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

use app::model::{BoxKind, BoxState, Kind};

use super::{
    Layout, Rules,
    layout::Kinds,
    rates::{self, Moment, Step},
};
use crate::{
    source::{Answer, Reading, Unknown},
    store::{LastKnown, StoredBox},
};

/// So many points a spark line has.
pub const SPARK_POINTS: usize = 40;
/// Spark lines are kept for so many statistics of a box: beyond that they would cost more memory than they tell.
const MAX_SPARKS: usize = 4_096;

/// What an answer brought, for the sampler.
#[derive(Clone, Debug, Default)]
pub struct Applied {
    /// The box restarted since the answer before.
    pub restarted: bool,
    /// Counters that fell without a restart, by full name.
    pub dropped: Vec<Arc<str>>,
    /// Names that were not in the answer before.
    pub new_names: bool,
}

/// What is known of one box.
pub struct BoxNow {
    /// The box as it is stored.
    pub stored: StoredBox,
    /// How often it is asked.
    pub interval: Duration,
    /// What is ticked.
    pub rules: Arc<Rules>,
    /// How it does.
    pub state: BoxState,
    /// Why it is down.
    pub reason: Option<String>,
    /// What it calls itself.
    pub server: Option<String>,
    /// When it started, epoch milliseconds.
    pub started_at_ms: Option<i64>,
    /// The newest answer's time.
    pub moment: Option<Moment>,
    /// The newest answer's names.
    pub layout: Arc<Layout>,
    /// The newest values, in the layout's order.
    pub values: Vec<Reading>,
    /// The increase per second of counters.
    pub rates: Vec<Option<f64>>,
    /// Whether each changed at the last poll.
    pub moved: Vec<bool>,
    /// The newest points of each spark line.
    pub sparks: Vec<VecDeque<Option<f32>>>,
    /// Counts answers.
    pub answers: u64,
    /// Counts changes of the state, so that watchers know what they have told.
    pub changes: u64,
    /// The time of the newest committed samples.
    pub recorded_at_ms: Option<i64>,
    kinds: Kinds,
}

impl BoxNow {
    /// A box that was not asked yet.
    #[must_use]
    pub fn new(stored: StoredBox, rules: Rules, corrected: Vec<(String, Kind)>, default_interval_ms: i64) -> Self {
        let mut now = Self {
            stored,
            interval: Duration::ZERO,
            rules: Arc::default(),
            state: BoxState::Waiting,
            reason: None,
            server: None,
            started_at_ms: None,
            moment: None,
            layout: Arc::new(Layout::empty()),
            values: Vec::new(),
            rates: Vec::new(),
            moved: Vec::new(),
            sparks: Vec::new(),
            answers: 0,
            changes: 0,
            recorded_at_ms: None,
            kinds: Kinds::default(),
        };
        let stored = now.stored.clone();
        now.redescribe(stored, rules, corrected, default_interval_ms);
        now
    }

    /// Takes a changed description, changed ticks or corrected kinds. At another address there is another server: nothing that is
    /// known of the one before holds for it.
    pub fn redescribe(&mut self, stored: StoredBox, rules: Rules, corrected: Vec<(String, Kind)>, default_interval_ms: i64) {
        if stored.spec.address != self.stored.spec.address || stored.spec.kind != self.stored.spec.kind {
            let (answers, changes, recorded_at_ms) = (self.answers, self.changes + 1, self.recorded_at_ms);
            *self = Self { answers, changes, recorded_at_ms, ..Self::new(stored, rules, corrected, default_interval_ms) };
            return;
        }
        let interval_ms = stored.spec.interval_ms.unwrap_or(default_interval_ms);
        self.interval = Duration::from_millis(u64::try_from(interval_ms).unwrap_or(1));
        if stored.spec.paused {
            self.state = BoxState::Paused;
            self.reason = None;
        } else if self.state == BoxState::Paused {
            self.state = BoxState::Waiting;
        }
        self.stored = stored;
        let corrected = corrected.into_iter().collect();
        // A change anywhere has all boxes described anew: what stays the same is not worked out again.
        if *self.rules != rules || self.kinds.corrected != corrected {
            self.rules = Arc::new(rules);
            self.kinds.corrected = corrected;
            self.relayout(Arc::clone(&self.layout.names));
        }
        self.changes += 1;
    }

    /// Replaces what is ticked. `before` is the layout that `layout` was made from, without the lock that guards this box.
    pub fn set_rules(&mut self, rules: Rules, before: &Arc<Layout>, layout: Layout) {
        self.rules = Arc::new(rules);
        if Arc::ptr_eq(&self.layout, before) {
            self.layout = Arc::new(layout);
        } else {
            // An answer with other names came meanwhile.
            self.relayout(Arc::clone(&self.layout.names));
        }
        self.changes += 1;
    }

    /// Takes what the box says of its kinds.
    pub fn set_kinds(&mut self, said: impl IntoIterator<Item = (Arc<str>, Kind)>) {
        self.kinds.said = said.into_iter().collect();
        self.relayout(Arc::clone(&self.layout.names));
    }

    /// The kind of a statistic, also of one that the newest answer does not name.
    #[must_use]
    pub fn kind_of(&self, full: &str) -> Kind {
        self.kinds.of(full, self.stored.spec.kind)
    }

    /// How old the newest answer is at an instant.
    #[must_use]
    pub fn age(&self, instant: Instant) -> Option<Duration> {
        self.moment.map(|moment| instant.saturating_duration_since(moment.instant))
    }

    /// Takes an answer. `instant` is its time on the monotonic clock.
    pub fn apply(&mut self, answer: &Answer, instant: Instant) -> Applied {
        let moment = Moment { instant, at_ms: answer.at_ms, uptime_ms: answer.started_at_ms.map(|start| answer.at_ms - start) };
        let mut applied = Applied { restarted: self.moment.is_some_and(|before| rates::restarted(&before, &moment)), ..Applied::default() };
        if !Arc::ptr_eq(&self.layout.names, &answer.names) {
            applied.new_names = answer.names.iter().any(|full| self.layout.place(full).is_none());
            self.carry_over(Arc::clone(&answer.names));
        }
        let elapsed = self.moment.map(|before| instant.saturating_duration_since(before.instant)).unwrap_or_default();
        for (place, &reading) in answer.values.iter().enumerate() {
            let before = self.values[place];
            self.moved[place] = self.moment.is_some() && before.is_ok() && before != reading;
            self.rates[place] = None;
            if self.layout.slots[place].kind == Kind::Counter {
                match rates::step(before, reading, elapsed, self.interval, applied.restarted) {
                    Step::Rate(rate) => self.rates[place] = Some(rate),
                    Step::Drop => applied.dropped.push(Arc::clone(&answer.names[place])),
                    Step::Nothing => {}
                }
            }
            self.values[place] = reading;
        }
        self.push_sparks();
        if self.state != BoxState::Up || self.started_at_ms.is_none() || applied.restarted {
            self.started_at_ms = answer.started_at_ms;
            self.state = BoxState::Up;
            self.reason = None;
            self.changes += 1;
        }
        self.moment = Some(moment);
        self.answers += 1;
        applied
    }

    /// Takes what was recorded last, before this process began: the pages show it, as old as it is, until the box answers.
    pub fn seed(&mut self, last: &LastKnown, instant: Instant, now_ms: i64) {
        let Ok(age_ms) = u64::try_from(now_ms - last.at_ms) else { return };
        let Some(instant) = instant.checked_sub(Duration::from_millis(age_ms)).filter(|_| self.moment.is_none()) else { return };
        self.carry_over(last.values.iter().map(|(full, _)| Arc::clone(full)).collect());
        self.values = last.values.iter().map(|(_, value)| value.ok_or(Unknown::NotKept)).collect();
        self.moment = Some(Moment { instant, at_ms: last.at_ms, uptime_ms: last.started_ms.map(|start| last.at_ms - start) });
        // Watchers are shown them as they are shown an answer.
        self.answers += 1;
        self.changes += 1;
    }

    /// Takes a failed poll: the values stay, as old as they are.
    pub fn fail(&mut self, reason: String) {
        if self.state != BoxState::Down || self.reason.as_deref() != Some(&reason) {
            self.changes += 1;
        }
        self.state = BoxState::Down;
        self.reason = Some(reason);
    }

    fn relayout(&mut self, names: Arc<[Arc<str>]>) {
        self.layout = Arc::new(Layout::new(names, self.stored.spec.kind, &self.kinds, &self.rules));
    }

    /// A layout of new names: values, rates and spark lines move along with their names.
    fn carry_over(&mut self, names: Arc<[Arc<str>]>) {
        let before = Arc::clone(&self.layout);
        self.relayout(names);
        let places: Vec<Option<usize>> = self.layout.names.iter().map(|full| before.place(full)).collect();
        let unseen: Reading = Err(Unknown::NotTold);
        self.values = places.iter().map(|place| place.map_or(unseen, |place| self.values[place])).collect();
        self.moved = vec![false; places.len()];
        self.rates = vec![None; places.len()];
        let mut sparks = std::mem::take(&mut self.sparks);
        let moved = |place: &Option<usize>| place.and_then(|place| sparks.get_mut(place).map(std::mem::take)).unwrap_or_default();
        self.sparks = places.iter().take(MAX_SPARKS).map(moved).collect();
    }

    /// A counter's line shows its rate, a gauge's its value.
    fn push_sparks(&mut self) {
        for (place, spark) in self.sparks.iter_mut().enumerate() {
            let point = match self.layout.slots[place].kind {
                Kind::Counter => self.rates[place],
                Kind::Gauge => self.values[place].ok().map(app::model::Number::as_f64),
            };
            if spark.len() == SPARK_POINTS {
                spark.pop_front();
            }
            #[expect(clippy::cast_possible_truncation, reason = "a spark line is 18 pixels high")]
            spark.push_back(point.map(|point| point as f32));
        }
    }

    /// Whether the box is asked in this process.
    #[must_use]
    pub fn is_builtin(&self) -> bool {
        self.stored.spec.kind == BoxKind::Tickmark
    }

    /// The ticked statistics: places by name, for the recorder.
    #[must_use]
    pub fn ticked(&self) -> Vec<(Arc<str>, usize)> {
        let ticked = self.layout.slots.iter().enumerate().filter(|(_, slot)| slot.ticked);
        ticked.map(|(place, _)| (Arc::clone(&self.layout.names[place]), place)).collect()
    }
}

#[cfg(test)]
#[path = "now_tests.rs"]
mod tests;
