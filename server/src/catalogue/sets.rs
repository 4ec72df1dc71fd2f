//! The chart sets of the catalogue: which statistics are drawn together, and what for. Knows names alone.

use std::sync::LazyLock;

use app::{matching::Pattern, model::BoxKind};
use serde::Deserialize;

/// Sets of charts, each of one or more statistics. Its head says what the fields mean.
const PRESETS: &str = include_str!("presets.toml");

#[derive(Deserialize)]
struct File {
    preset: Vec<Preset>,
}

#[derive(Deserialize)]
struct Preset {
    name: String,
    systems: Vec<String>,
    chart: Vec<Chart>,
}

#[derive(Deserialize)]
struct Chart {
    title: String,
    systems: Option<Vec<String>>,
    statistics: Vec<String>,
}

/// One chart of a set.
#[derive(Debug)]
pub struct Set {
    /// The name of the set.
    pub name: String,
    /// The title of the chart.
    pub title: String,
    systems: Vec<String>,
    /// The statistics that are drawn together: full names or patterns.
    pub statistics: Vec<(String, Pattern)>,
}

static SETS: LazyLock<Vec<Set>> = LazyLock::new(|| {
    // The tests read it: what is built reads it too.
    let file: File = toml::from_str(PRESETS).unwrap_or(File { preset: Vec::new() });
    let mut sets = Vec::new();
    for preset in file.preset {
        for Chart { title, systems, statistics } in preset.chart {
            let statistics = statistics.into_iter().map(|word| (word.clone(), Pattern::parse(&word))).collect();
            sets.push(Set { name: preset.name.clone(), title, systems: systems.unwrap_or_else(|| preset.systems.clone()), statistics });
        }
    }
    sets
});

/// The charts of sets in which a statistic of a box of this kind is drawn.
pub fn sets_of(kind: BoxKind, full: &str) -> impl Iterator<Item = &'static Set> {
    let system = match kind {
        BoxKind::Opensips | BoxKind::Opensips2 => "opensips",
        BoxKind::Kamailio => "kamailio",
        BoxKind::Prometheus | BoxKind::Tickmark => "",
    };
    SETS.iter().filter(move |set| {
        set.systems.iter().any(|other| other == system) && set.statistics.iter().any(|(_, pattern)| pattern.matches(full))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_set_is_read() {
        let charts = PRESETS.lines().filter(|line| *line == "[[preset.chart]]").count();
        assert!(charts > 50 && SETS.len() == charts, "{charts}");
        for set in SETS.iter() {
            assert!(!set.statistics.is_empty() && set.systems.iter().all(|system| system == "opensips" || system == "kamailio"), "{set:?}");
        }
    }

    #[test]
    fn a_statistic_is_found_in_its_sets() {
        let named = |kind, full| sets_of(kind, full).map(|set| set.name.as_str()).collect::<Vec<_>>();
        assert_eq!(named(BoxKind::Opensips, "core:rcv_replies"), ["SIP traffic"]);
        assert_eq!(named(BoxKind::Opensips, "load:load1m-proc-7"), ["Process load"]);
        assert_eq!(named(BoxKind::Kamailio, "tmx:5xx_transactions"), ["Reply codes"]);
        assert_eq!(named(BoxKind::Opensips, "tmx:5xx_transactions"), Vec::<&str>::new());
        assert_eq!(named(BoxKind::Tickmark, "core:rcv_replies"), Vec::<&str>::new());
    }
}
