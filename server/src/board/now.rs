//! One box at this moment: its newest answer, the rates since the one before, and how it does.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use app::model::{BoxKind, BoxState, Kind, Processes};

use super::{
    Chosen, Layout, Rules,
    derived::{Around, Extra},
    layout::{Kinds, OfBox},
    rates::{self, Moment, Start, Step},
    recent::Recent,
    sparks::Sparks,
};
use crate::{
    source::{Answer, Reading, Unknown},
    store::{LastKnown, StoredBox},
};

/// What an answer brought, for the sampler.
#[derive(Clone, Debug, Default)]
pub struct Applied {
    /// The box restarted since the answer before.
    pub restarted: bool,
    /// Another server answered than before, at the same address.
    pub is_other: bool,
    /// Counters that fell without a restart, by full name.
    pub dropped: Vec<Arc<str>>,
    /// Counters that somebody reset here, by full name, and who.
    pub reset: Vec<(Arc<str>, Option<Arc<str>>)>,
    /// Names that were not in the answer before.
    pub new_names: bool,
}

impl Applied {
    /// Whether what the box told of itself before may not hold any more.
    #[must_use]
    pub fn is_new_run(&self) -> bool {
        self.restarted || self.is_other
    }
}

/// A reset that was made from here.
#[derive(Clone, Debug)]
pub struct ResetHere {
    /// By whom, where that is known.
    pub by: Option<Arc<str>>,
    /// It is known to be done; else it was when the counter fell.
    pub certain: bool,
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
    /// Whether each changed at any poll since it was first seen.
    pub(super) ever_moved: Vec<bool>,
    /// What its processes are, if it was asked for them.
    pub processes: Arc<Processes>,
    /// The number of the answer at which value or rate of each last changed.
    pub changed_at: Vec<u64>,
    /// The newest points of each spark line.
    pub sparks: Sparks,
    /// Counts answers.
    pub answers: u64,
    /// The newest answers under these names.
    pub recent: Recent,
    /// Counts changes of the state, so that watchers know what they have told.
    pub changes: u64,
    /// The time of the newest committed samples.
    pub recorded_at_ms: Option<i64>,
    /// What of the newest answer is left out and why.
    pub left_out: Option<String>,
    /// What of the newest answer is ticked and cannot be recorded, and why.
    pub unrecorded: Option<String>,
    /// How its polls ended since the panel started.
    pub polls: Polls,
    /// Counters that were reset here before the answer that comes next, by full name.
    pub resets: BTreeMap<String, ResetHere>,
    /// What its tile shows, once somebody looked.
    pub(super) chosen: Option<Arc<Chosen>>,
    pub(super) kinds: Arc<Kinds>,
    /// What of the derived statistics concerns it.
    pub(super) extra: Arc<Extra>,
    /// What was computed of several boxes, where this is the one that shows it.
    pub(super) around: Vec<Around>,
}

/// See [`BoxNow::plan_kinds`].
pub struct PlannedKinds {
    before: Arc<Kinds>,
    kinds: Arc<Kinds>,
    layout: Arc<Layout>,
}

/// How the polls of a box ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Polls {
    /// With an answer.
    pub answered: u64,
    /// Without one.
    pub failed: u64,
    /// They were due while the one before still ran.
    pub overrun: u64,
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
            ever_moved: Vec::new(),
            processes: Arc::default(),
            changed_at: Vec::new(),
            sparks: Sparks::default(),
            answers: 0,
            recent: Recent::default(),
            changes: 0,
            recorded_at_ms: None,
            left_out: None,
            unrecorded: None,
            polls: Polls::default(),
            resets: BTreeMap::new(),
            chosen: None,
            kinds: Arc::default(),
            extra: Arc::default(),
            around: Vec::new(),
        };
        let stored = now.stored.clone();
        now.redescribe(stored, rules, corrected, default_interval_ms);
        now
    }

    /// The same box, not asked yet, as it is looked at more often than it is recorded.
    #[must_use]
    pub fn closely(&self, interval: Duration) -> Self {
        let (rules, kinds, extra) = (Arc::clone(&self.rules), Arc::clone(&self.kinds), Arc::clone(&self.extra));
        Self { rules, kinds, extra, interval, ..Self::new(self.stored.clone(), Rules::default(), Vec::new(), 0) }
    }

    /// Whether this is what [`Self::closely`] would make of another box still.
    #[must_use]
    pub fn is_close_up_of(&self, other: &Self) -> bool {
        self.stored.spec.is_asked_like(&other.stored.spec)
            && Arc::ptr_eq(&self.rules, &other.rules)
            && Arc::ptr_eq(&self.kinds, &other.kinds)
            && Arc::ptr_eq(&self.extra, &other.extra)
    }

    /// Takes a changed description, changed ticks or corrected kinds. At another address there is another server: nothing that is
    /// known of the one before holds for it.
    pub fn redescribe(&mut self, stored: StoredBox, rules: Rules, corrected: Vec<(String, Kind)>, default_interval_ms: i64) {
        if !stored.spec.is_same_server(&self.stored.spec) {
            let (answers, changes, recorded_at_ms, polls) = (self.answers, self.changes + 1, self.recorded_at_ms, self.polls);
            *self = Self { answers, changes, recorded_at_ms, polls, ..Self::new(stored, rules, corrected, default_interval_ms) };
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
        if *self.rules != rules {
            self.rules = Arc::new(rules);
        }
        if self.kinds.corrected != corrected {
            self.kinds = Arc::new(Kinds { corrected, said: self.kinds.said.clone() });
        }
        self.relayout();
        self.changes += 1;
    }

    /// Replaces what is ticked. `layout` is the layout under these rules, made without the lock that guards this box.
    pub fn set_rules(&mut self, rules: Arc<Rules>, layout: Layout) {
        self.rules = rules;
        // Else an answer with other names came meanwhile.
        if Arc::ptr_eq(&self.layout.names, &layout.names) {
            self.layout = Arc::new(layout);
        }
        self.relayout();
        self.changes += 1;
    }

    /// What the box says of its kinds, and what follows from it, to be worked out without holding this.
    pub fn plan_kinds(&self, said: Vec<(Arc<str>, Kind)>) -> impl FnOnce() -> PlannedKinds + Send + use<> {
        let (layout, before, of) = (Arc::clone(&self.layout), Arc::clone(&self.kinds), self.of_box());
        move || {
            let kept = |(full, kind): (Arc<str>, Kind)| (layout.kept(&full).cloned().unwrap_or(full), kind);
            let kinds = Arc::new(Kinds { corrected: before.corrected.clone(), said: said.into_iter().map(kept).collect() });
            let layout = Arc::new(layout.with(&OfBox { kinds: Arc::clone(&kinds), ..of }));
            PlannedKinds { before, kinds, layout }
        }
    }

    /// Takes what the box says of its kinds.
    pub fn set_kinds(&mut self, planned: PlannedKinds) {
        if !Arc::ptr_eq(&planned.before, &self.kinds) {
            // An operator corrected one meanwhile.
            self.kinds = Arc::new(Kinds { corrected: self.kinds.corrected.clone(), said: planned.kinds.said.clone() });
        } else {
            self.kinds = planned.kinds;
            if Arc::ptr_eq(&planned.layout.names, &self.layout.names) {
                self.layout = planned.layout;
            }
        }
        self.relayout();
    }

    /// The kind of a statistic, also of one that the newest answer does not name.
    #[must_use]
    pub fn kind_of(&self, full: &str) -> Kind {
        if self.derived(full).is_some() {
            return Kind::Gauge;
        }
        self.kinds.of(full, self.stored.spec.kind)
    }

    /// How old the newest answer is at an instant.
    #[must_use]
    pub fn age(&self, instant: Instant) -> Option<Duration> {
        self.moment.map(|moment| instant.saturating_duration_since(moment.instant))
    }

    /// The layout that an answer needs, if its names are new: what to make it from, so that it can be made without holding this.
    #[must_use]
    pub fn plan(&self, answer: &Answer) -> Option<impl FnOnce() -> Arc<Layout> + Send + use<>> {
        let new = !Arc::ptr_eq(&self.layout.asked, &answer.names);
        new.then(|| {
            let (names, of) = (Arc::clone(&answer.names), self.of_box());
            move || Arc::new(Layout::new(names, &of))
        })
    }

    /// Takes an answer. `instant` is its time on the monotonic clock; `planned` is the layout of [`Self::plan`], if it was made.
    pub fn apply(&mut self, answer: &Answer, planned: Option<Arc<Layout>>, instant: Instant) -> Applied {
        let moment = Moment { instant, at_ms: answer.at_ms, uptime_ms: answer.started_at_ms.map(|start| answer.at_ms - start) };
        let start = self.moment.map_or(Start::Same, |before| rates::start(&before, &moment));
        let (restarted, is_other) = (start == Start::Anew, start == Start::Other);
        let mut applied = Applied { restarted, is_other, ..Applied::default() };
        self.answers += 1;
        if !Arc::ptr_eq(&self.layout.asked, &answer.names) {
            let new = || Layout::new(Arc::clone(&answer.names), &self.of_box());
            let planned = planned.filter(|layout| Arc::ptr_eq(&layout.asked, &answer.names));
            let layout = planned.unwrap_or_else(|| Arc::new(new()));
            applied.new_names = self.carry_over(layout);
            // Ticks or kinds may have changed since it was planned.
            self.relayout();
        }
        let elapsed = self.moment.map(|before| instant.saturating_duration_since(before.instant)).unwrap_or_default();
        let mut resets = std::mem::take(&mut self.resets);
        for (place, &reading) in answer.values.iter().enumerate() {
            let (before, rate_before) = (self.values[place], self.rates[place]);
            self.moved[place] = self.moment.is_some() && before.is_ok() && before != reading;
            self.ever_moved[place] |= self.moved[place];
            self.rates[place] = None;
            let slot = &self.layout.slots[place];
            if slot.kind == Kind::Counter {
                let reset = resets.remove(&*answer.names[place]).filter(|reset| reset.certain || fell(before, reading));
                let is_reset = reset.is_some();
                applied.reset.extend(reset.map(|reset| (Arc::clone(&answer.names[place]), reset.by)));
                let anew = is_reset || (applied.restarted && !slot.survives);
                // What another server counted is no increase of this one's, and no fall either.
                let step = if is_other { Step::Nothing } else { rates::step(before, reading, elapsed, self.interval, anew) };
                match step {
                    Step::Rate(rate) => self.rates[place] = Some(rate),
                    Step::Drop => applied.dropped.push(Arc::clone(&answer.names[place])),
                    Step::Nothing => {}
                }
            }
            self.values[place] = reading;
            if before != reading || rate_before != self.rates[place] {
                self.changed_at[place] = self.answers;
            }
        }
        self.compute();
        self.push_sparks();
        self.recent.push(answer.at_ms, self.answers);
        let is_news = applied.is_new_run() || self.started_at_ms.is_none() || self.left_out != answer.left_out;
        if self.state != BoxState::Up || is_news {
            self.started_at_ms = answer.started_at_ms;
            self.state = BoxState::Up;
            self.reason = None;
            self.left_out.clone_from(&answer.left_out);
            self.changes += 1;
        }
        self.moment = Some(moment);
        self.polls.answered += 1;
        applied
    }

    /// Takes what was recorded last, before this process began: the pages show it, as old as it is, until the box answers.
    pub fn seed(&mut self, last: &LastKnown, instant: Instant, now_ms: i64) {
        let Ok(age_ms) = u64::try_from(now_ms - last.at_ms) else { return };
        let Some(instant) = instant.checked_sub(Duration::from_millis(age_ms)).filter(|_| self.moment.is_none()) else { return };
        // Watchers are shown them as they are shown an answer.
        self.answers += 1;
        let names = last.values.iter().map(|(full, _)| Arc::clone(full)).collect();
        self.carry_over(Arc::new(Layout::new(names, &self.of_box())));
        for (place, (_, value)) in last.values.iter().enumerate() {
            self.values[place] = value.ok_or(Unknown::NotKept);
        }
        self.compute();
        self.moment = Some(Moment { instant, at_ms: last.at_ms, uptime_ms: last.started_ms.map(|start| last.at_ms - start) });
        self.changes += 1;
    }

    /// Takes a failed poll: the values stay, as old as they are.
    pub fn fail(&mut self, reason: String) {
        if self.state != BoxState::Down || self.reason.as_deref() != Some(&reason) {
            self.changes += 1;
        }
        self.state = BoxState::Down;
        self.reason = Some(reason);
        self.polls.failed += 1;
    }

    /// A counter's line shows its rate, a gauge's its value.
    fn push_sparks(&mut self) {
        let of = self.layout.slots.iter().zip(&self.rates).zip(&self.values).map(|((slot, rate), value)| match slot.kind {
            Kind::Counter => *rate,
            Kind::Gauge => value.ok().map(app::model::Number::as_f64),
        });
        self.sparks.push(of);
    }

    /// Whether the box is asked in this process.
    #[must_use]
    pub fn is_builtin(&self) -> bool {
        self.stored.spec.kind == BoxKind::Tickmark
    }

    /// The ticked statistics and their places.
    pub fn ticked(&self) -> impl Iterator<Item = (&Arc<str>, usize)> {
        self.layout.ticked_names.iter().zip(self.layout.ticked.iter().map(|&place| place as usize))
    }
}

/// Whether a counter is lower than it was.
fn fell(before: Reading, after: Reading) -> bool {
    before.is_ok_and(|before| after.is_ok_and(|after| after.as_f64() < before.as_f64()))
}

#[cfg(test)]
#[path = "now_tests.rs"]
mod tests;
