//! Derived statistics over several boxes: which there are, what of which box they need, and what they come to. No two boxes are locked at
//! once. Knows neither the language of formulas nor the store.

use std::{collections::HashMap, sync::Arc, time::Instant};

use app::model::{BoxState, Kind};

use super::{
    Board, BoxNow, Definition, Entry, Layout, MAX_GAP_INTERVALS,
    derived::{Around, Extra, newest},
    input_words, reason, unbound_reason,
};
use crate::{
    config::BUILTIN_BOX,
    formula::{Bound, Formula, FormulaError, Input, Known, NONE, Unbound},
    source::Reading,
};

/// A box as it was when formulas over several were put to it.
struct SeenBox {
    id: i64,
    name: String,
    layout: Arc<Layout>,
}

impl SeenBox {
    fn of(entry: &Arc<Entry>) -> Self {
        let now = entry.lock();
        Self { id: now.stored.id, name: now.stored.spec.name.clone(), layout: Arc::clone(&now.layout) }
    }
}

/// All derived statistics, and how those over several boxes are computed.
#[derive(Default)]
pub(super) struct DerivedState {
    own: Arc<[Arc<Definition>]>,
    across: Arc<[Arc<Definition>]>,
    /// The boxes to which `bound` was put.
    seen: Vec<SeenBox>,
    bound: Vec<(Arc<Definition>, Bound)>,
}

impl Board {
    /// Takes what is defined now. [`Self::settle`] brings it to the boxes.
    pub fn define(&self, definitions: Vec<Definition>) {
        let mut state = self.lock_derived();
        let known: Vec<Arc<Definition>> = state.own.iter().chain(state.across.iter()).cloned().collect();
        // What stays the same stays the very same: nothing is then worked out anew for it.
        let kept = |one: Definition| known.iter().find(|before| ***before == one).cloned().unwrap_or_else(|| Arc::new(one));
        let (across, own): (Vec<_>, Vec<_>) = definitions.into_iter().map(kept).partition(|one| one.formula.is_across());
        state.own = own.into();
        if state.across.len() != across.len() || state.across.iter().zip(&across).any(|(before, now)| !Arc::ptr_eq(before, now)) {
            state.across = across.into();
            state.seen.clear();
        }
    }

    /// Tells each box what of the derived statistics concerns it: after definitions, boxes or ticks of the built-in box changed.
    pub fn settle(&self) {
        let entries = self.all();
        let (own, across) = {
            let state = self.lock_derived();
            (Arc::clone(&state.own), Arc::clone(&state.across))
        };
        let builtin = self.find(BUILTIN_BOX);
        let ticked: Vec<Arc<Definition>> = builtin.as_ref().map_or_else(Vec::new, |entry| {
            let now = entry.lock();
            across.iter().filter(|definition| now.rules.ticked(&definition.full)).cloned().collect()
        });
        for entry in &entries {
            let mut now = entry.lock();
            let is_builtin = now.is_builtin();
            let name = now.stored.spec.name.clone();
            let references = ticked.iter().flat_map(|definition| definition.formula.references());
            let here = references.filter(|reference| match &reference.boxes {
                None => is_builtin,
                Some(boxes) => boxes.matches(&name),
            });
            let wanted = here.map(|reference| reference.name.clone()).collect();
            let mut extra = Extra { own: Arc::clone(&own), wanted, ..Extra::default() };
            if is_builtin {
                extra.all_across = Arc::clone(&across);
                extra.across = now.extra.across.iter().filter(|one| across.iter().any(|other| Arc::ptr_eq(one, other))).cloned().collect();
            }
            now.set_extra(extra);
        }
        self.look_around();
    }

    /// Computes what is derived from several boxes, for the box that shows it. No two boxes are locked at once.
    pub fn look_around(&self) {
        let mut state = self.lock_derived();
        if state.across.is_empty() && state.bound.is_empty() {
            return;
        }
        let Some(builtin) = self.find(BUILTIN_BOX) else { return };
        let entries = self.all();
        let is_new = state.seen.len() != entries.len()
            || state.seen.iter().zip(&entries).any(|(seen, entry)| {
                let now = entry.lock();
                now.stored.id != seen.id || now.stored.spec.name != seen.name || !Arc::ptr_eq(&now.layout.asked, &seen.layout.asked)
            });
        if is_new {
            state.seen = entries.iter().map(SeenBox::of).collect();
            state.bound = bind_across(&state.across, &state.seen);
        }
        let mut picked = Picking { entries: &entries, picked: HashMap::new() };
        let around = state.bound.iter().map(|(_, bound)| picked.compute(bound, &state.seen, true));
        let around: Vec<Around> = around.collect();
        let across: Vec<Arc<Definition>> = state.bound.iter().map(|(definition, _)| Arc::clone(definition)).collect();
        drop(state);
        builtin.lock().set_around(across, around);
    }

    /// What a formula comes to now, of one box or of all. Where it names no box, `entry` is the one that it is asked of.
    ///
    /// # Errors
    /// What of it there is not, and where it is named.
    pub fn try_formula(&self, formula: &Formula, entry: Option<&Arc<Entry>>) -> Result<Tried, FormulaError> {
        let is_across = formula.is_across();
        let entries = match entry {
            Some(entry) if !is_across => vec![Arc::clone(entry)],
            _ => self.all(),
        };
        let seen: Vec<SeenBox> = entries.iter().map(SeenBox::of).collect();
        let own = if is_across { seen.iter().position(|one| one.name == BUILTIN_BOX) } else { Some(0) };
        let bound = bind(formula, &seen, own).map_err(|unbound| {
            let mut message = unbound_reason(formula, &unbound);
            if let (Some(name), [seen]) = (formula.references()[unbound.reference].name.exact(), seen.as_slice())
                && let Some(near) = near(seen, &name)
            {
                message = format!("{message}: did you mean {{{near}}}?");
            }
            FormulaError { at: formula.references()[unbound.reference].at, message }
        })?;
        for input in bound.inputs.iter().filter(|input| input.rate) {
            let layout = &seen[input.of].layout;
            if layout.slots.get(input.place).is_some_and(|slot| slot.kind == Kind::Gauge) {
                let name = app::shown::short(&layout.asked[input.place]).into_owned();
                let message = format!("{name} shows a level, and rate() is of what counts; its kind can be corrected on its page");
                return Err(FormulaError { at: formula.references()[input.reference].at, message });
            }
        }
        let around = Picking { entries: &entries, picked: HashMap::new() }.compute(&bound, &seen, is_across);
        Ok(Tried { value: (!around.value.is_nan()).then_some(around.value), reason: around.why })
    }

    fn lock_derived(&self) -> std::sync::MutexGuard<'_, DerivedState> {
        self.derived.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// What a formula comes to.
#[derive(Clone, Debug, PartialEq)]
pub struct Tried {
    /// The value, where there is one.
    pub value: Option<f64>,
    /// Why there is none.
    pub reason: Option<String>,
}

/// The newest values of boxes, each taken when it is first needed.
struct Picking<'a> {
    entries: &'a [Arc<Entry>],
    picked: HashMap<usize, Picked>,
}

impl Picking<'_> {
    /// `named`: reasons name boxes.
    fn compute(&mut self, bound: &Bound, seen: &[SeenBox], named: bool) -> Around {
        for input in &bound.inputs {
            self.picked.entry(input.of).or_insert_with(|| Picked::of(&self.entries[input.of].lock()));
        }
        let picked = &self.picked;
        let values = |input: usize| picked.get(&bound.inputs[input].of).map_or(NONE, |picked| picked.value(bound.inputs[input]));
        let why = bound.why(&values).map(|why| {
            reason(why, |input| {
                let Input { of, place, rate, .. } = bound.inputs[input];
                let name = seen[of].layout.asked.get(place).map_or("", |name| name);
                if named { input_words(&format!("{}/{name}", seen[of].name), rate) } else { input_words(name, rate) }
            })
        });
        Around { value: bound.value(&values), why }
    }
}

/// The newest values of a box; none while it gives no answer, since a sum with what was before would be no sum.
struct Picked {
    values: Vec<Reading>,
    rates: Vec<Option<f64>>,
}

impl Picked {
    fn of(now: &BoxNow) -> Self {
        let longest = now.interval.saturating_mul(MAX_GAP_INTERVALS);
        let is_fresh = now.state == BoxState::Up && now.age(Instant::now()).is_some_and(|age| age <= longest);
        if is_fresh {
            Self { values: now.values.clone(), rates: now.rates.clone() }
        } else {
            Self { values: Vec::new(), rates: Vec::new() }
        }
    }

    fn value(&self, input: Input) -> f64 {
        if input.place < self.values.len() { newest(&self.values, &self.rates, input) } else { NONE }
    }
}

/// A statistic of the same name in another group, for one that is not there.
fn near(seen: &SeenBox, name: &str) -> Option<Arc<str>> {
    let own = app::model::split_name(name).1;
    seen.layout.asked.iter().find(|full| app::model::split_name(full).1 == own).cloned()
}

fn bind(formula: &Formula, seen: &[SeenBox], own: Option<usize>) -> Result<Bound, Unbound> {
    let places: Vec<_> =
        seen.iter().map(|one| |name: &str| one.layout.place(name).filter(|place| *place < one.layout.asked.len())).collect();
    let known = seen.iter().zip(&places).map(|(one, place)| Known { box_name: &one.name, names: &one.layout.asked, place });
    formula.bind(&known.collect::<Vec<_>>(), own)
}

fn bind_across(definitions: &[Arc<Definition>], seen: &[SeenBox]) -> Vec<(Arc<Definition>, Bound)> {
    let own = seen.iter().position(|one| one.name == BUILTIN_BOX);
    definitions.iter().filter_map(|one| Some((Arc::clone(one), bind(&one.formula, seen, own).ok()?))).collect()
}
