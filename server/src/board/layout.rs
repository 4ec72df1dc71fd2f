//! The names of a box's answer in their order, and what is known of each. Rebuilt only when names, ticks or kinds change.

use std::{collections::HashMap, sync::Arc};

use app::model::{BoxKind, Kind, split_name};

use super::{Rules, by_name};
use crate::{catalogue, engine};

/// What is known of one statistic, apart from its value.
#[derive(Clone, Debug)]
pub struct Slot {
    /// Counter or gauge.
    pub kind: Kind,
    /// The unit; empty when there is none.
    pub unit: &'static str,
    /// What it means; empty when it is not known.
    pub description: &'static str,
    /// Whether it is recorded.
    pub ticked: bool,
    /// Whether it goes on where it was when its box begins anew.
    pub survives: bool,
}

/// The statistics of one box.
#[derive(Clone, Debug)]
pub struct Layout {
    /// Full names in the order of the answer.
    pub names: Arc<[Arc<str>]>,
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
}

impl Layout {
    /// A layout of no names.
    #[must_use]
    pub fn empty() -> Self {
        Self {
            names: Arc::new([]),
            slots: Vec::new(),
            sorted: Arc::new([]),
            ticked: Arc::new([]),
            ticked_names: Arc::new([]),
            unseen: Vec::new(),
            index: Arc::default(),
            kinds: Arc::default(),
            rules: Arc::default(),
        }
    }

    /// Looks everything up for the names of an answer: some milliseconds for each ten thousand of them.
    #[must_use]
    pub fn new(names: Arc<[Arc<str>]>, system: BoxKind, kinds: Arc<Kinds>, rules: Arc<Rules>) -> Self {
        let index: HashMap<Arc<str>, u32> = names.iter().cloned().zip(0..).collect();
        let mut sorted: Vec<u32> = index.values().copied().collect();
        sorted.sort_unstable_by(|&a, &b| by_name(&names[a as usize], &names[b as usize]));
        let known = Self { names, sorted: sorted.into(), index: Arc::new(index), ..Self::empty() };
        known.with(system, kinds, rules)
    }

    /// The same names after ticks or kinds changed.
    #[must_use]
    pub fn with(&self, system: BoxKind, kinds: Arc<Kinds>, rules: Arc<Rules>) -> Self {
        let slots: Vec<Slot> = if Arc::ptr_eq(&kinds, &self.kinds) && !self.slots.is_empty() {
            let ticking = self.names.iter().zip(&self.slots);
            ticking.map(|(full, slot)| Slot { ticked: rules.ticked(full), ..slot.clone() }).collect()
        } else {
            self.names.iter().map(|full| slot(full, system, &kinds, &rules)).collect()
        };
        let ticked: Arc<[u32]> = (0..).zip(&slots).filter(|(_, slot)| slot.ticked).map(|(place, _)| place).collect();
        Self {
            names: Arc::clone(&self.names),
            unseen: rules.unseen(&self.names, |full| self.index.contains_key(full)),
            ticked_names: ticked.iter().map(|&place| Arc::clone(&self.names[place as usize])).collect(),
            ticked,
            slots,
            sorted: Arc::clone(&self.sorted),
            index: Arc::clone(&self.index),
            kinds,
            rules,
        }
    }

    /// The same statistics under other ticks.
    #[must_use]
    pub fn with_rules(&self, system: BoxKind, rules: Arc<Rules>) -> Self {
        self.with(system, Arc::clone(&self.kinds), rules)
    }

    /// Whether it was made from these kinds and ticks.
    #[must_use]
    pub fn is_of(&self, kinds: &Arc<Kinds>, rules: &Arc<Rules>) -> bool {
        Arc::ptr_eq(&self.kinds, kinds) && Arc::ptr_eq(&self.rules, rules)
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

fn slot(full: &str, system: BoxKind, kinds: &Kinds, rules: &Rules) -> Slot {
    let (group, name) = split_name(full);
    let known = known(system, group, name);
    let (_, unit, description) = known.unwrap_or((Kind::Gauge, "", ""));
    let survives = system == BoxKind::Tickmark && engine::survives(group, name);
    Slot { kind: kinds.of_known(full, known), unit, description, ticked: rules.ticked(full), survives }
}
