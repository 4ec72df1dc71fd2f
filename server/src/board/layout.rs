//! The names of a box's answer in their order, and what is known of each. Rebuilt only when names, ticks or kinds change.

use std::{borrow::Cow, collections::HashMap, sync::Arc};

use app::model::{BoxKind, Kind, split_name};

use super::{
    Derived, Rules, Wants, by_name,
    derived::{Definition, Extra},
};
use crate::{catalogue, engine, formula::Glob};

/// What is known of one statistic, apart from its value.
#[derive(Clone, Debug)]
pub struct Slot {
    /// Counter or gauge.
    pub kind: Kind,
    /// The unit; empty when there is none.
    pub unit: Cow<'static, str>,
    /// What it means; empty when it is not known.
    pub description: Cow<'static, str>,
    /// Whether it is recorded.
    pub ticked: bool,
    /// Whether it goes on where it was when its box begins anew.
    pub survives: bool,
}

/// The statistics of one box.
#[derive(Clone, Debug)]
pub struct Layout {
    /// Full names in the order of the answer.
    pub asked: Arc<[Arc<str>]>,
    /// The same, and behind them those of `derived`: the very same where there are none.
    pub names: Arc<[Arc<str>]>,
    /// What is computed of them.
    pub derived: Arc<[Derived]>,
    /// What is known of each.
    pub slots: Vec<Slot>,
    /// Their places, in the order of their names.
    pub sorted: Arc<[u32]>,
    /// The places of the ticked ones, and their names: the very same as long as they stay.
    pub ticked: Arc<[u32]>,
    /// See `ticked`.
    pub ticked_names: Arc<[Arc<str>]>,
    /// Ticked names and patterns that match none of them.
    pub unseen: Vec<String>,
    index: Arc<HashMap<Arc<str>, u32>>,
    kinds: Arc<Kinds>,
    rules: Arc<Rules>,
    extra: Arc<Extra>,
    wants: Arc<Wants>,
}

impl Layout {
    /// A layout of no names.
    #[must_use]
    pub fn empty() -> Self {
        let none: Arc<[Arc<str>]> = Arc::new([]);
        Self {
            asked: Arc::clone(&none),
            names: none,
            derived: Arc::new([]),
            slots: Vec::new(),
            sorted: Arc::new([]),
            ticked: Arc::new([]),
            ticked_names: Arc::new([]),
            unseen: Vec::new(),
            index: Arc::default(),
            kinds: Arc::default(),
            rules: Arc::default(),
            extra: Arc::default(),
            wants: Arc::default(),
        }
    }

    /// Looks everything up for the names of an answer: some milliseconds for each ten thousand of them.
    #[must_use]
    pub fn new(asked: Arc<[Arc<str>]>, of: &OfBox) -> Self {
        let mut index: HashMap<Arc<str>, u32> = asked.iter().cloned().zip(0..).collect();
        let derived: Arc<[Derived]> = of.extra.of(&of.name, &asked, &index).into();
        let names: Arc<[Arc<str>]> = if derived.is_empty() {
            Arc::clone(&asked)
        } else {
            asked.iter().chain(derived.iter().map(|derived| &derived.definition.full)).cloned().collect()
        };
        for (place, full) in (0..).zip(names.iter()).skip(asked.len()) {
            index.insert(Arc::clone(full), place);
        }
        let mut sorted: Vec<u32> = index.values().copied().collect();
        sorted.sort_unstable_by(|&a, &b| by_name(&names[a as usize], &names[b as usize]));
        let extra = Arc::clone(&of.extra);
        let known = Self { asked, names, derived, sorted: sorted.into(), index: Arc::new(index), extra, ..Self::empty() };
        known.with(of)
    }

    /// The same after ticks or kinds changed.
    #[must_use]
    pub fn with(&self, of: &OfBox) -> Self {
        let OfBox { system, kinds, rules, extra, .. } = of;
        if !Arc::ptr_eq(extra, &self.extra) {
            return Self::new(Arc::clone(&self.asked), of);
        }
        let wants = extra.wants(rules);
        let is_ticked = |place: usize, full: &str| if place < self.asked.len() { wants.record(rules, full) } else { rules.ticked(full) };
        let names = self.names.iter().enumerate();
        let slots: Vec<Slot> = if Arc::ptr_eq(kinds, &self.kinds) && !self.slots.is_empty() {
            let ticking = names.zip(&self.slots);
            ticking.map(|((place, full), slot)| Slot { ticked: is_ticked(place, full), ..slot.clone() }).collect()
        } else {
            let slot = |(place, full): (usize, &Arc<str>)| {
                let ticked = is_ticked(place, full);
                match place.checked_sub(self.asked.len()).and_then(|place| self.derived.get(place)) {
                    Some(derived) => derived_slot(&derived.definition, ticked),
                    None => slot(full, *system, kinds, ticked),
                }
            };
            names.map(slot).collect()
        };
        let recorded = (0..).zip(&slots[..self.asked.len().min(slots.len())]);
        let ticked: Arc<[u32]> = recorded.filter(|(_, slot)| slot.ticked).map(|(place, _)| place).collect();
        Self {
            asked: Arc::clone(&self.asked),
            names: Arc::clone(&self.names),
            derived: Arc::clone(&self.derived),
            unseen: rules.unseen(&self.names, |full| self.index.contains_key(full)),
            ticked_names: ticked.iter().map(|&place| Arc::clone(&self.names[place as usize])).collect(),
            ticked,
            slots,
            sorted: Arc::clone(&self.sorted),
            index: Arc::clone(&self.index),
            kinds: Arc::clone(kinds),
            rules: Arc::clone(rules),
            extra: Arc::clone(extra),
            wants: Arc::new(wants),
        }
    }

    /// The same statistics under other ticks.
    #[must_use]
    pub fn with_rules(&self, system: BoxKind, rules: Arc<Rules>) -> Self {
        let (kinds, extra) = (Arc::clone(&self.kinds), Arc::clone(&self.extra));
        self.with(&OfBox { name: String::new(), system, kinds, rules, extra })
    }

    /// Whether it was made from these.
    #[must_use]
    pub fn is_of(&self, of: &OfBox) -> bool {
        Arc::ptr_eq(&self.kinds, &of.kinds) && Arc::ptr_eq(&self.rules, &of.rules) && Arc::ptr_eq(&self.extra, &of.extra)
    }

    /// A ticked derived statistic for which one is recorded, by its full name.
    #[must_use]
    pub fn recorded_for(&self, full: &str) -> Option<&Arc<str>> {
        let names = |definition: &Definition| definition.formula.references().iter().any(|reference| reference.name.matches(full));
        let ticked = self.extra.own.iter().filter(|definition| self.rules.ticked(&definition.full));
        ticked.map(|definition| &**definition).find(|definition| names(definition)).map(|definition| &definition.full)
    }

    /// Whether a statistic of the box is recorded: it is ticked, or what is derived from it is.
    #[must_use]
    pub fn records(&self, full: &str) -> bool {
        self.wants.record(&self.rules, full)
    }

    /// Whether all statistics of the box that a pattern of a formula may match are recorded, also those that it did not name yet.
    #[must_use]
    pub fn records_all(&self, of: &Glob) -> bool {
        self.wants.record_all(&self.rules, of)
    }

    /// The place of a full name.
    #[must_use]
    pub fn place(&self, full: &str) -> Option<usize> {
        self.index.get(full).map(|&place| place as usize)
    }

    /// The name as it is kept here already.
    #[must_use]
    pub fn kept(&self, full: &str) -> Option<&Arc<str>> {
        self.index.get_key_value(full).map(|(name, _)| name)
    }
}

/// What a layout is made from, beside the names.
#[derive(Clone, Debug)]
pub struct OfBox {
    /// The name of the box.
    pub name: String,
    /// What it runs.
    pub system: BoxKind,
    /// How its statistics count.
    pub kinds: Arc<Kinds>,
    /// What is ticked.
    pub rules: Arc<Rules>,
    /// What of the derived statistics concerns it.
    pub extra: Arc<Extra>,
}

/// What says whether a statistic counts.
#[derive(Clone, Debug, Default)]
pub struct Kinds {
    /// Corrections by an operator: these win.
    pub corrected: HashMap<String, Kind>,
    /// What the box itself says.
    pub said: HashMap<Arc<str>, Kind>,
}

impl Kinds {
    /// The kind of a statistic: corrected, said by the box, known, or assumed.
    #[must_use]
    pub fn of(&self, full: &str, system: BoxKind) -> Kind {
        let (group, name) = split_name(full);
        self.of_known(full, known(system, group, name))
    }

    /// The kind of a statistic, where it is not only assumed.
    #[must_use]
    pub fn told(&self, full: &str, system: BoxKind) -> Option<Kind> {
        let (group, name) = split_name(full);
        self.corrected_or_said(full).or_else(|| known(system, group, name).map(|(kind, _, _)| kind))
    }

    fn corrected_or_said(&self, full: &str) -> Option<Kind> {
        self.corrected.get(full).or_else(|| self.said.get(full)).copied()
    }

    fn of_known(&self, full: &str, known: Option<Known>) -> Kind {
        self.corrected_or_said(full)
            .unwrap_or_else(|| known.map_or_else(|| catalogue::kind_of_unknown(split_name(full).0), |(kind, _, _)| kind))
    }
}

/// Kind, unit and meaning.
type Known = (Kind, &'static str, &'static str);

/// Kind, unit and meaning of a statistic, from the catalogue or, for the panel's own, from the engine.
#[must_use]
pub(super) fn known(system: BoxKind, group: &str, name: &str) -> Option<Known> {
    if system == BoxKind::Tickmark {
        return engine::describe(group, name);
    }
    catalogue::lookup(system, group, name).map(|entry| (entry.kind, entry.unit, entry.description))
}

fn slot(full: &str, system: BoxKind, kinds: &Kinds, ticked: bool) -> Slot {
    let (group, name) = split_name(full);
    let known = known(system, group, name);
    let (_, unit, description) = known.unwrap_or((Kind::Gauge, "", ""));
    let survives = system == BoxKind::Tickmark && engine::survives(group, name);
    Slot { kind: kinds.of_known(full, known), unit: unit.into(), description: description.into(), ticked, survives }
}

fn derived_slot(definition: &Definition, ticked: bool) -> Slot {
    let (unit, description) = (definition.unit.clone().into(), definition.meaning.clone().into());
    Slot { kind: Kind::Gauge, unit, description, ticked, survives: false }
}
