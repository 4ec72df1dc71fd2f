//! Derived statistics on the board: which of those that are defined a box has, what they need to be recorded, and their newest values.
//! Knows no SQL.

use std::{collections::HashMap, sync::Arc};

use app::model::{Number, split_name};

use super::{BoxNow, Layout, Rules};
use crate::{
    formula::{Bound, Cause, Formula, GROUP, Glob, Input, Known, MAX_INPUTS, NONE, Unbound, Why},
    source::{Reading, Unknown},
    store::StoredDerived,
};

/// A derived statistic as somebody defined it.
#[derive(Clone, Debug, PartialEq)]
pub struct Definition {
    /// Its name as statistics have it: `derived:NAME`.
    pub full: Arc<str>,
    /// What it is computed by.
    pub formula: Formula,
    /// The unit; empty when there is none.
    pub unit: String,
    /// What it means; empty when nobody said.
    pub meaning: String,
}

impl Definition {
    /// One of this name.
    #[must_use]
    pub fn new(name: &str, formula: Formula, unit: &str, meaning: &str) -> Self {
        Self { full: full_name(name), formula, unit: unit.to_owned(), meaning: meaning.to_owned() }
    }

    /// One as it is stored; none, and it is said, where a newer Tickmark wrote what this one cannot read.
    #[must_use]
    pub fn of_stored(stored: &StoredDerived) -> Option<Self> {
        match Formula::parse(&stored.formula) {
            Ok(formula) => Some(Self::new(&stored.name, formula, &stored.unit, &stored.meaning)),
            Err(error) => {
                tracing::error!(name = stored.name, %error, "a derived statistic cannot be read and is left out");
                None
            }
        }
    }
}

/// The full name of a derived statistic.
#[must_use]
pub fn full_name(name: &str) -> Arc<str> {
    format!("{GROUP}:{name}").into()
}

/// What of the derived statistics concerns one box.
#[derive(Clone, Debug, Default)]
pub struct Extra {
    /// All that are computed of one box alone.
    pub(super) own: Arc<[Arc<Definition>]>,
    /// Those of several boxes that can be computed now, where this is the box that shows them.
    pub(super) across: Vec<Arc<Definition>>,
    /// All of several boxes, where this is the box that shows them.
    pub(super) all_across: Arc<[Arc<Definition>]>,
    /// What of this box is recorded for ticks of those.
    pub(super) wanted: Vec<Glob>,
}

impl PartialEq for Extra {
    fn eq(&self, other: &Self) -> bool {
        let same = |ours: &[Arc<Definition>], theirs: &[Arc<Definition>]| {
            ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(ours, theirs)| Arc::ptr_eq(ours, theirs))
        };
        same(&self.own, &other.own)
            && same(&self.across, &other.across)
            && same(&self.all_across, &other.all_across)
            && self.wanted == other.wanted
    }
}

/// One that a box has.
#[derive(Clone, Debug)]
pub struct Derived {
    /// What it is.
    pub definition: Arc<Definition>,
    from: From,
}

#[derive(Clone, Debug)]
enum From {
    /// The box's own values.
    Own(Bound),
    /// What was computed of several boxes, in this place.
    Across(usize),
}

/// What was computed of several boxes.
#[derive(Clone, Debug)]
pub(super) struct Around {
    pub(super) value: f64,
    pub(super) why: Option<String>,
}

impl Extra {
    /// Those that a box of these names has.
    pub(super) fn of(&self, box_name: &str, names: &[Arc<str>], index: &HashMap<Arc<str>, u32>) -> Vec<Derived> {
        let place = |name: &str| index.get(name).map(|&place| place as usize);
        let known = [Known { box_name, names, place: &place }];
        let own = self.own.iter().filter_map(|definition| {
            let bound = definition.formula.bind(&known, Some(0)).ok()?;
            Some(Derived { definition: Arc::clone(definition), from: From::Own(bound) })
        });
        let across = self.across.iter().enumerate();
        let across = across.map(|(place, definition)| Derived { definition: Arc::clone(definition), from: From::Across(place) });
        // What a box itself tells goes before what somebody called the same.
        own.chain(across).filter(|derived| !index.contains_key(&derived.definition.full)).collect()
    }

    /// What is recorded for ticks of derived statistics.
    pub(super) fn wants(&self, rules: &Rules) -> Wants {
        let mut wants = Wants { always: self.wanted.clone(), ..Wants::default() };
        for definition in self.own.iter().filter(|definition| rules.ticked(&definition.full)) {
            let names = definition.formula.references().iter().map(|reference| reference.name.clone());
            let by_name = rules.names_one(&definition.full);
            if by_name { wants.always.extend(names) } else { wants.unless_excepted.extend(names) }
        }
        wants
    }

    /// One by its full name, whether the box has it now or not.
    fn find(&self, full: &str) -> Option<&Arc<Definition>> {
        self.own.iter().chain(self.all_across.iter()).find(|definition| *definition.full == *full)
    }
}

/// What is recorded beside what is ticked itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Wants {
    always: Vec<Glob>,
    /// A pattern ticked the derived statistic: what was excepted from patterns stays so.
    unless_excepted: Vec<Glob>,
}

impl Wants {
    /// Whether all that a pattern may match is recorded.
    #[must_use]
    pub fn record_all(&self, rules: &Rules, of: &Glob) -> bool {
        rules.tick_all(of) || self.always.contains(of)
    }

    /// Whether a statistic is recorded.
    #[must_use]
    pub fn record(&self, rules: &Rules, full: &str) -> bool {
        let any = |globs: &[Glob]| globs.iter().any(|glob| glob.matches(full));
        rules.ticked(full) || any(&self.always) || (any(&self.unless_excepted) && !rules.names_one(full))
    }
}

impl Derived {
    /// Its newest value, from those of its box.
    pub(super) fn reading(&self, values: &[Reading], rates: &[Option<f64>], around: &[Around]) -> Reading {
        let value = match &self.from {
            From::Own(bound) => bound.value(&|input: usize| newest(values, rates, bound.inputs[input])),
            From::Across(place) => around.get(*place).map_or(NONE, |around| around.value),
        };
        if value.is_nan() { Err(Unknown::NotComputed) } else { Ok(Number::Float(value)) }
    }

    /// The places of what it is computed from, where that is of its own box.
    pub fn inputs(&self) -> impl Iterator<Item = usize> {
        let inputs = match &self.from {
            From::Own(bound) => bound.inputs.as_slice(),
            From::Across(_) => &[],
        };
        inputs.iter().map(|input| input.place)
    }
}

pub(super) fn newest(values: &[Reading], rates: &[Option<f64>], input: Input) -> f64 {
    if input.rate { rates[input.place].unwrap_or(NONE) } else { values[input.place].map_or(NONE, Number::as_f64) }
}

/// Why a formula comes to nothing, in words. `name` is the one of an input.
#[must_use]
pub fn reason(why: Why, name: impl FnOnce(usize) -> String) -> String {
    match why {
        Why::Missing(input) => format!("{} has no value", name(input)),
        Why::Zero(at) => format!("its divisor is 0 (the / at character {})", at + 1),
        Why::TooLarge(at) => format!("it is no finite number (character {})", at + 1),
        Why::Nothing(at) => format!("nothing matches (character {})", at + 1),
    }
}

/// Why a formula cannot be computed, in words.
#[must_use]
pub fn unbound_reason(formula: &Formula, unbound: &Unbound) -> String {
    let text = &formula.references()[unbound.reference].text;
    match unbound.cause {
        Cause::NoBox => format!("there is no box for {{{text}}}"),
        Cause::NoStatistic => format!("there is no statistic {{{text}}}"),
        Cause::NoMatch => format!("nothing matches {{{text}}} and what it is paired with"),
        Cause::TooMany => format!("{{{text}}} matches too many: at most {MAX_INPUTS} values are computed with"),
    }
}

impl BoxNow {
    /// A derived statistic by its full name, whether it can be computed now or not; none where the box itself tells one of that name.
    #[must_use]
    pub fn derived(&self, full: &str) -> Option<Arc<Definition>> {
        if split_name(full).0 != GROUP || self.layout.place(full).is_some_and(|place| place < self.layout.asked.len()) {
            return None;
        }
        self.extra.find(full).cloned()
    }

    /// Why a derived statistic of the layout has no value; none where it has one, and where the place is another statistic's.
    #[must_use]
    pub fn why_not_computed(&self, place: usize) -> Option<String> {
        why_not_computed(&self.layout, place, &self.values, &self.rates, &self.around)
    }

    /// Computes what is derived from the newest values.
    pub(super) fn compute(&mut self) {
        let layout = Arc::clone(&self.layout);
        for (place, derived) in (layout.asked.len()..).zip(layout.derived.iter()) {
            let reading = derived.reading(&self.values, &self.rates, &self.around);
            self.moved[place] = self.moment.is_some() && self.values[place].is_ok() && self.values[place] != reading;
            if self.values[place] != reading {
                self.changed_at[place] = self.answers;
            }
            self.values[place] = reading;
            self.rates[place] = None;
        }
    }
}

/// See [`BoxNow::why_not_computed`].
pub(super) fn why_not_computed(
    layout: &Layout,
    place: usize,
    values: &[Reading],
    rates: &[Option<f64>],
    around: &[Around],
) -> Option<String> {
    let derived = layout.derived.get(place.checked_sub(layout.asked.len())?)?;
    match &derived.from {
        From::Own(bound) => {
            let why = bound.why(&|input: usize| newest(values, rates, bound.inputs[input]))?;
            Some(reason(why, |input| input_words(&layout.names[bound.inputs[input].place], bound.inputs[input].rate)))
        }
        From::Across(place) => around.get(*place)?.why.clone(),
    }
}

/// An input as it is told.
#[must_use]
pub fn input_words(name: &str, rate: bool) -> String {
    let name = app::shown::short(name);
    if rate { format!("rate({{{name}}})") } else { format!("{{{name}}}") }
}
