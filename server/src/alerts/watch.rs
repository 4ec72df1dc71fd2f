//! The rules of each box, put to its newest answer in place. They are found by the box whose answer came, and their formulas are put to its
//! names only when these change: an answer costs a few nanoseconds a rule. What changes is handed on; nothing here waits.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
};

use app::model::{BoxState, FiringNow};
use tokio::sync::mpsc;

use super::{Phase, Rule, Turn, Verdict, condition::Seen, past::Past};
use crate::{
    board::{BoxNow, Definition},
    formula::{Bound, Formula, FormulaError, GROUP, Known, NONE, Reference},
};

/// So many changes wait to be kept. One that finds no room is found again at the next answer.
const MAX_CHANGES: usize = 16_384;

/// A rule that is ready to be put to boxes.
#[derive(Debug)]
pub struct Ready {
    /// Its name.
    pub name: Arc<str>,
    /// What it says.
    pub rule: Rule,
    formula: Option<Formula>,
    /// As it is written, where it names derived statistics.
    written: Option<Formula>,
    hold_ms: i64,
    within_ms: Option<i64>,
}

impl Ready {
    /// Reads a rule, with what the derived statistics that it names are computed by; none where a newer Tickmark wrote what this one cannot
    /// read.
    #[must_use]
    pub fn of(name: &str, rule: Rule, definitions: &[Definition]) -> Option<Self> {
        let formula = if rule.formula.is_empty() { None } else { Some(looked_at(&rule.formula, definitions).ok()?) };
        let written = Formula::parse_with_derived(&rule.formula).ok().filter(|written| formula.as_ref() != Some(written));
        let (hold_ms, within_ms) = (rule.hold_ms(), rule.condition.within_ms());
        Some(Self { name: name.into(), rule, formula, written, hold_ms, within_ms })
    }

    /// What it computes.
    #[must_use]
    pub fn formula(&self) -> Option<&Formula> {
        self.formula.as_ref()
    }

    /// Its formula as it is written, and with what derived statistics are computed by.
    fn formulas(&self) -> impl Iterator<Item = &Formula> {
        self.written.iter().chain(&self.formula)
    }

    /// Whether it names a statistic of a box that it is put to.
    fn names(&self, box_name: &str, labels: &BTreeMap<String, String>, full: &str) -> bool {
        let is_of = |reference: &Reference| match &reference.boxes {
            None => self.rule.boxes.are(box_name, labels),
            Some(boxes) => boxes.matches(box_name),
        };
        let mut references = self.formulas().flat_map(Formula::references);
        references.any(|reference| reference.name.matches(full) && is_of(reference))
    }

    /// Whether it looks at a statistic itself, and computes nothing; and then whether at its rate.
    #[must_use]
    pub fn looks_at(&self, full: &str) -> Option<bool> {
        let single = self.formulas().filter_map(Formula::single).find(|single| single.name.exact().as_deref() == Some(full));
        single.map(|single| single.rate)
    }

    /// Whether it is put to several boxes at once, as one of the panel's own box.
    #[must_use]
    pub fn is_across(&self) -> bool {
        self.formula.as_ref().is_some_and(Formula::is_across)
    }
}

/// What became of a rule on a box.
#[derive(Clone, Debug)]
pub struct Change {
    /// The rule; none: it is no more, or not for this box.
    pub ready: Option<Arc<Ready>>,
    /// The name of the rule.
    pub rule: Arc<str>,
    /// The box.
    pub box_id: i64,
    /// The name of the box.
    pub box_name: String,
    /// How it stood.
    pub before: Turn,
    /// How it stands.
    pub after: Turn,
    /// When that was seen, epoch milliseconds.
    pub at_ms: i64,
    /// The value, where there is one.
    pub value: Option<f64>,
}

/// What was computed of rules over several boxes, by their names.
pub type Across = HashMap<Arc<str>, f64>;

/// A rule on a box.
struct Item {
    ready: Arc<Ready>,
    bound: Option<Bound>,
    turn: Turn,
    past: Past,
}

/// The rules of a box.
#[derive(Default)]
struct OfBox {
    version: u64,
    names: Option<Arc<[Arc<str>]>>,
    box_name: String,
    labels: BTreeMap<String, String>,
    items: Vec<Item>,
    /// How rules stood that are not among the items yet.
    turns: HashMap<Arc<str>, Turn>,
}

#[derive(Default)]
struct Rules {
    version: u64,
    all: Vec<Arc<Ready>>,
}

/// All rules, and how they stand on the boxes that this panel polls.
pub struct Watching {
    rules: RwLock<Arc<Rules>>,
    boxes: Mutex<HashMap<i64, Arc<Mutex<OfBox>>>>,
    /// What a value was so long ago as the rule names, by rule and box.
    before: RwLock<HashMap<(Arc<str>, i64), f64>>,
    changes: mpsc::Sender<Change>,
    /// What fires on all boxes.
    firing: RwLock<FiringNow>,
}

impl Watching {
    /// Without rules yet; changes come out of the receiver.
    #[must_use]
    pub fn new() -> (Arc<Self>, mpsc::Receiver<Change>) {
        let (changes, changed) = mpsc::channel(MAX_CHANGES);
        let watching =
            Self { rules: RwLock::default(), boxes: Mutex::default(), before: RwLock::default(), changes, firing: RwLock::default() };
        (Arc::new(watching), changed)
    }

    /// What fires on all boxes.
    #[must_use]
    pub fn firing(&self) -> FiringNow {
        self.firing.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes what fires.
    pub fn set_firing(&self, firing: FiringNow) {
        *self.firing.write().unwrap_or_else(PoisonError::into_inner) = firing;
    }

    /// Takes the rules that there are now, and the derived statistics that they may name.
    pub fn set_rules(&self, all: Vec<(String, Rule)>, definitions: &[Definition]) {
        let mut rules = self.rules.write().unwrap_or_else(PoisonError::into_inner);
        let known: HashMap<&str, &Arc<Ready>> = rules.all.iter().map(|ready| (&*ready.name, ready)).collect();
        let ready = all.into_iter().filter(|(_, rule)| !rule.paused).filter_map(|(name, rule)| {
            // What stays the same stays the very same: what it remembers goes on.
            let same = known.get(name.as_str()).filter(|ready| ready.rule == rule);
            if let Some(same) = same.filter(|_| !rule.formula.contains(GROUP)) {
                return Some(Arc::clone(same));
            }
            let new = Ready::of(&name, rule, definitions)?;
            let same = same.filter(|ready| ready.formula == new.formula);
            Some(same.map_or_else(|| Arc::new(new), |ready| Arc::clone(ready)))
        });
        let ready: Vec<Arc<Ready>> = ready.collect();
        let same = ready.len() == rules.all.len() && ready.iter().zip(&rules.all).all(|(one, other)| Arc::ptr_eq(one, other));
        if !same {
            *rules = Arc::new(Rules { version: rules.version + 1, all: ready });
        }
    }

    /// The rules that name a statistic of a box, in the order of their names.
    #[must_use]
    pub fn naming(&self, box_name: &str, labels: &BTreeMap<String, String>, full: &str) -> Vec<Arc<Ready>> {
        self.rules().all.iter().filter(|ready| ready.names(box_name, labels, full)).map(Arc::clone).collect()
    }

    /// The rules that compare with what was, each with a box of this panel that it is put to.
    pub fn comparing(&self) -> Vec<(Arc<Ready>, i64)> {
        let boxes: Vec<(i64, Arc<Mutex<OfBox>>)> = locked(&self.boxes).iter().map(|(&id, of_box)| (id, Arc::clone(of_box))).collect();
        let mut comparing = Vec::new();
        for (id, of_box) in boxes {
            let of_box = locked(&of_box);
            let items = of_box.items.iter().filter(|item| item.ready.rule.condition.ago_ms().is_some());
            comparing.extend(items.map(|item| (Arc::clone(&item.ready), id)));
        }
        comparing
    }

    /// Takes what values were so long ago.
    pub fn set_before(&self, before: HashMap<(Arc<str>, i64), f64>) {
        *self.before.write().unwrap_or_else(PoisonError::into_inner) = before;
    }

    /// Begins to look at a box, whose rules stand as was kept.
    pub fn take_up(&self, box_id: i64, turns: HashMap<Arc<str>, Turn>) {
        locked(&self.boxes).insert(box_id, Arc::new(Mutex::new(OfBox { turns, ..OfBox::default() })));
    }

    /// Looks at a box no more: another panel does.
    pub fn leave(&self, box_id: i64) {
        locked(&self.boxes).remove(&box_id);
    }

    /// What rules over several boxes come to. Asked before the box that shows them is locked.
    pub fn across(&self, board: &crate::board::Board) -> Across {
        let rules = self.rules();
        let across = rules.all.iter().filter(|ready| ready.is_across());
        let value = |ready: &Arc<Ready>| {
            let tried = ready.formula.as_ref().and_then(|formula| board.try_formula(formula, None).ok());
            (Arc::clone(&ready.name), tried.and_then(|tried| tried.value).unwrap_or(NONE))
        };
        across.map(value).collect()
    }

    /// Puts the rules of a box to its newest answer, or to there being none.
    pub fn look(&self, now: &BoxNow, at_ms: i64, across: &Across) {
        let Some(of_box) = locked(&self.boxes).get(&now.stored.id).cloned() else { return };
        let mut of_box = locked(&of_box);
        let rules = self.rules();
        let gone = of_box.follow(&rules, now);
        for (name, before) in gone {
            let change = of_box.change(None, name, now, (before, Turn::default()), at_ms, NONE);
            // Where there is no room it stays as it is kept, and the next start finds it.
            let _ = self.changes.try_send(change);
        }
        let is_up = now.state == BoxState::Up;
        let up_ms = now.started_at_ms.map(|started| at_ms.saturating_sub(started));
        let OfBox { items, box_name, .. } = &mut *of_box;
        for item in items {
            let value = if is_up { item.value(now, across) } else { NONE };
            let range = item.ready.within_ms.and_then(|within_ms| item.past.add(at_ms, value, within_ms));
            let before = item.ready.rule.condition.ago_ms().and_then(|_| self.before(&item.ready.name, now.stored.id));
            let seen = Seen { value, is_up, up_ms, range, before };
            let verdict = item.ready.rule.condition.judge(seen, item.turn.phase == Phase::Firing);
            self.turn(item, verdict, (now.stored.id, box_name), at_ms, value);
        }
    }

    /// The box was not asked, so that nobody can say how its rules stand: what is pending is not known to go on.
    pub fn look_away(&self, box_id: i64, at_ms: i64) {
        let Some(of_box) = locked(&self.boxes).get(&box_id).cloned() else { return };
        let OfBox { items, box_name, .. } = &mut *locked(&of_box);
        for item in items {
            self.turn(item, Verdict::Unknown, (box_id, box_name), at_ms, NONE);
        }
    }

    fn turn(&self, item: &mut Item, verdict: Verdict, (box_id, box_name): (i64, &str), at_ms: i64, value: f64) {
        let after = item.turn.next(verdict, at_ms, item.ready.hold_ms);
        if after == item.turn {
            return;
        }
        let change = Change {
            rule: Arc::clone(&item.ready.name),
            ready: Some(Arc::clone(&item.ready)),
            box_id,
            box_name: box_name.to_owned(),
            before: item.turn,
            after,
            at_ms,
            value: (!value.is_nan()).then_some(value),
        };
        // Where there is no room it is found again at the next answer.
        if self.changes.try_send(change).is_ok() {
            item.turn = after;
        }
    }

    fn before(&self, rule: &Arc<str>, box_id: i64) -> Option<f64> {
        self.before.read().unwrap_or_else(PoisonError::into_inner).get(&(Arc::clone(rule), box_id)).copied()
    }

    fn rules(&self) -> Arc<Rules> {
        Arc::clone(&self.rules.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl OfBox {
    /// Puts rules to the names of the box, where either changed. Answers how those stood that are not for it any more.
    fn follow(&mut self, rules: &Rules, now: &BoxNow) -> Vec<(Arc<str>, Turn)> {
        let spec = &now.stored.spec;
        let is_same = self.names.as_ref().is_some_and(|names| Arc::ptr_eq(names, &now.layout.asked))
            && self.version == rules.version
            && self.box_name == spec.name
            && self.labels == spec.labels;
        if is_same {
            return Vec::new();
        }
        (self.version, self.names) = (rules.version, Some(Arc::clone(&now.layout.asked)));
        (self.box_name, self.labels) = (spec.name.clone(), spec.labels.clone());
        let mut known: HashMap<Arc<str>, Item> = self.items.drain(..).map(|item| (Arc::clone(&item.ready.name), item)).collect();
        let place = |full: &str| now.layout.place(full).filter(|place| *place < now.layout.asked.len());
        let of_box = [Known { box_name: &self.box_name, names: &now.layout.asked, place: &place }];
        for ready in &rules.all {
            let is_for = if ready.is_across() { now.is_builtin() } else { ready.rule.boxes.are(&self.box_name, &self.labels) };
            if !is_for {
                continue;
            }
            let formula = ready.formula.as_ref().filter(|_| !ready.is_across());
            let bound = formula.and_then(|formula| formula.bind(&of_box, Some(0)).ok());
            let (turn, past) = match known.remove(&ready.name) {
                Some(item) => (item.turn, if Arc::ptr_eq(&item.ready, ready) { item.past } else { Past::default() }),
                None => (self.turns.remove(&ready.name).unwrap_or_default(), Past::default()),
            };
            // Of what a box does not have, nothing is missed, but where it did fire, or is to be told by its name.
            let is_missed = ready.is_across() || formula.is_none() || turn.phase != Phase::Fine || !ready.rule.boxes.names.is_empty();
            if bound.is_some() || is_missed {
                self.items.push(Item { ready: Arc::clone(ready), bound, turn, past });
            }
        }
        let gone = known.into_values().map(|item| (Arc::clone(&item.ready.name), item.turn));
        let gone: Vec<_> = gone.chain(self.turns.drain()).filter(|(_, turn)| turn.phase != Phase::Fine).collect();
        gone
    }

    fn change(
        &self,
        ready: Option<Arc<Ready>>,
        rule: Arc<str>,
        now: &BoxNow,
        (before, after): (Turn, Turn),
        at_ms: i64,
        value: f64,
    ) -> Change {
        let value = (!value.is_nan()).then_some(value);
        Change { ready, rule, box_id: now.stored.id, box_name: self.box_name.clone(), before, after, at_ms, value }
    }
}

impl Item {
    fn value(&self, now: &BoxNow, across: &Across) -> f64 {
        match &self.bound {
            Some(bound) => bound.value(&|input: usize| {
                let input = bound.inputs[input];
                if input.rate {
                    now.rates[input.place].unwrap_or(NONE)
                } else {
                    now.values[input.place].map_or(NONE, app::model::Number::as_f64)
                }
            }),
            None => across.get(&self.ready.name).copied().unwrap_or(NONE),
        }
    }
}

/// What a rule looks at: its formula, with what the derived statistics that it names are computed by.
///
/// # Errors
/// What is wrong with it, and where.
pub fn looked_at(text: &str, definitions: &[Definition]) -> Result<Formula, FormulaError> {
    let find = |name: &str| definitions.iter().find(|definition| *definition.full == *name).map(|definition| &definition.formula);
    Formula::parse_with_derived(text)?.put_in(&find)
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
