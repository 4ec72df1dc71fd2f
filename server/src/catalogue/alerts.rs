//! Ready-made alerts: rules worth having for a kind of box. Knows names alone.

use std::sync::LazyLock;

use app::model::BoxKind;
use serde::Deserialize;

use crate::alerts::{Boxes, Condition, Rule, Severity};

/// Rules by what they warn of.
const ALERTS: &str = include_str!("alerts.toml");

#[derive(Deserialize)]
struct File {
    alert: Vec<Written>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: String,
    title: String,
    systems: Vec<String>,
    #[serde(default)]
    formula: String,
    condition: Condition,
    #[serde(default)]
    hold: String,
    severity: Severity,
    text: String,
}

/// One of them.
#[derive(Clone, Debug)]
pub struct ReadyAlert {
    /// The name that it gets.
    pub name: String,
    /// What it warns of, in some words.
    pub title: String,
    systems: Vec<String>,
    /// What it says.
    pub rule: Rule,
}

impl ReadyAlert {
    /// Whether it is for boxes of this kind.
    #[must_use]
    pub fn is_for(&self, kind: BoxKind) -> bool {
        let system = match kind {
            BoxKind::Opensips | BoxKind::Opensips2 => "opensips",
            BoxKind::Kamailio => "kamailio",
            BoxKind::Prometheus => "prometheus",
            BoxKind::Tickmark => "tickmark",
        };
        self.systems.iter().any(|other| other == system)
    }
}

static READY: LazyLock<Vec<ReadyAlert>> = LazyLock::new(|| {
    // The tests read it: what is built reads it too.
    let file: File = toml::from_str(ALERTS).unwrap_or(File { alert: Vec::new() });
    let ready = file.alert.into_iter().map(|written| {
        let Written { name, title, systems, formula, condition, hold, severity, text } = written;
        let (boxes, destinations, repeat) = (Boxes::default(), Vec::new(), String::new());
        ReadyAlert {
            name,
            title,
            systems,
            rule: Rule { formula, condition, hold, severity, boxes, text, destinations, repeat, silences: Vec::new(), paused: false },
        }
    });
    ready.collect()
});

/// All of them.
#[must_use]
pub fn alerts() -> &'static [ReadyAlert] {
    &READY
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_ready_made_one_can_be() {
        assert_eq!(alerts().len(), ALERTS.matches("[[alert]]").count());
        for one in alerts() {
            assert_eq!(one.rule.check(&one.name), Ok(()), "{}", one.name);
        }
    }
}
