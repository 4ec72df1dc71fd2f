//! The names of a box's answer in their order, and what is known of each. Rebuilt only when names, ticks or kinds change.

use std::{collections::HashMap, sync::Arc};

use app::model::{BoxKind, Kind, split_name};

use super::Rules;
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
    /// Ticked names and patterns that match none of them.
    pub unseen: Vec<String>,
    index: Arc<HashMap<Arc<str>, u32>>,
}

impl Layout {
    /// A layout of no names.
    #[must_use]
    pub fn empty() -> Self {
        Self { names: Arc::new([]), slots: Vec::new(), sorted: Arc::new([]), unseen: Vec::new(), index: Arc::default() }
    }

    /// Looks everything up for the names of an answer.
    #[must_use]
    pub fn new(names: Arc<[Arc<str>]>, system: BoxKind, kinds: &Kinds, rules: &Rules) -> Self {
        let slots = names.iter().map(|full| slot(full, system, kinds, rules)).collect();
        let index: HashMap<Arc<str>, u32> = names.iter().cloned().zip(0..).collect();
        let mut sorted: Vec<u32> = index.values().copied().collect();
        sorted.sort_unstable_by(|&a, &b| names[a as usize].cmp(&names[b as usize]));
        let unseen = rules.unseen(&names, |full| index.contains_key(full));
        Self { names, slots, sorted: sorted.into(), unseen, index: Arc::new(index) }
    }

    /// The same statistics under other rules.
    #[must_use]
    pub fn with_rules(&self, rules: &Rules) -> Self {
        let slots = self.names.iter().zip(&self.slots).map(|(full, slot)| Slot { ticked: rules.ticked(full), ..slot.clone() });
        let unseen = rules.unseen(&self.names, |full| self.index.contains_key(full));
        Self { slots: slots.collect(), unseen, ..self.clone() }
    }

    /// The place of a full name.
    #[must_use]
    pub fn place(&self, full: &str) -> Option<usize> {
        self.index.get(full).map(|&place| place as usize)
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
        let told = self.corrected.get(full).or_else(|| self.said.get(full)).copied();
        told.unwrap_or_else(|| known(system, group, name).map_or_else(|| catalogue::kind_of_unknown(group), |(kind, _, _)| kind))
    }
}

/// Kind, unit and meaning of a statistic, from the catalogue or, for the panel's own, from the engine.
#[must_use]
pub(super) fn known(system: BoxKind, group: &str, name: &str) -> Option<(Kind, &'static str, &'static str)> {
    if system == BoxKind::Tickmark {
        return engine::describe(group, name);
    }
    catalogue::lookup(system, group, name).map(|entry| (entry.kind, entry.unit, entry.description))
}

fn slot(full: &str, system: BoxKind, kinds: &Kinds, rules: &Rules) -> Slot {
    let (group, name) = split_name(full);
    let (unit, description) = known(system, group, name).map_or(("", ""), |(_, unit, description)| (unit, description));
    Slot { kind: kinds.of(full, system), unit, description, ticked: rules.ticked(full) }
}
