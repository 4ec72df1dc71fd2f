//! Ready-made derived statistics: formulas worth having for a kind of box. Knows names alone.

use std::sync::LazyLock;

use app::model::BoxKind;
use serde::Deserialize;

/// Formulas by what they tell.
const DERIVED: &str = include_str!("derived.toml");

#[derive(Deserialize)]
struct File {
    derived: Vec<ReadyMade>,
}

/// One of them.
#[derive(Clone, Debug, Deserialize)]
pub struct ReadyMade {
    /// The name that it gets.
    pub id: String,
    /// What it tells, in some words.
    pub name: String,
    systems: Vec<String>,
    /// The unit.
    pub unit: String,
    /// The formula.
    pub formula: String,
    /// What it means.
    pub meaning: String,
}

impl ReadyMade {
    /// Whether boxes of this kind may have what it is computed from.
    #[must_use]
    pub fn is_for(&self, kind: BoxKind) -> bool {
        let system = match kind {
            BoxKind::Opensips | BoxKind::Opensips2 => "opensips",
            BoxKind::Kamailio => "kamailio",
            BoxKind::Prometheus | BoxKind::Tickmark => return false,
        };
        self.systems.iter().any(|other| other == system)
    }
}

static READY_MADE: LazyLock<Vec<ReadyMade>> = LazyLock::new(|| {
    // The tests read it: what is built reads it too.
    toml::from_str(DERIVED).map_or_else(|_| Vec::new(), |file: File| file.derived)
});

/// All of them.
#[must_use]
pub fn derived() -> &'static [ReadyMade] {
    &READY_MADE
}
