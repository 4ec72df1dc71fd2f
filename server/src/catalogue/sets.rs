//! The chart sets of the catalogue: which statistics are drawn together, and what for. Knows names alone.

use std::sync::LazyLock;

use app::{
    matching::Pattern,
    model::{BoxKind, ChartSpec, Combine, Mode, Wanted},
};
use serde::Deserialize;

/// Sets of charts, each of one or more statistics. Its head says what the fields mean.
const PRESETS: &str = include_str!("presets.toml");

#[derive(Deserialize)]
struct File {
    preset: Vec<Preset>,
}

/// A set of charts as the catalogue has it.
#[derive(Clone, Debug, Deserialize)]
pub struct Preset {
    /// The word by which it is known.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What it is for, a sentence.
    pub purpose: String,
    systems: Vec<String>,
    chart: Vec<Chart>,
}

#[derive(Clone, Debug, Deserialize)]
struct Chart {
    title: String,
    mode: String,
    of: Option<String>,
    #[serde(default)]
    share: bool,
    systems: Option<Vec<String>>,
    statistics: Vec<String>,
}

impl Chart {
    fn spec(&self) -> ChartSpec {
        // What is a percentage already is drawn as it is; shares of all that the chart shows are seen when they are stacked.
        let (mode, combine) = match (self.mode.as_str(), &self.of) {
            (_, Some(_)) => (Mode::Percent, Combine::None),
            (_, None) if self.share => (Mode::Rate, Combine::Stacked),
            ("rate", None) => (Mode::Rate, Combine::None),
            (_, None) => (Mode::Value, Combine::None),
        };
        let statistics = self.statistics.iter().map(|word| Wanted { box_name: None, word: word.clone() }).collect();
        ChartSpec { title: self.title.clone(), statistics, mode: Some(mode), of: self.of.clone(), combine, ..ChartSpec::default() }
    }
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

static FILE: LazyLock<Vec<Preset>> = LazyLock::new(|| {
    // The tests read it: what is built reads it too.
    toml::from_str(PRESETS).unwrap_or(File { preset: Vec::new() }).preset
});

static SETS: LazyLock<Vec<Set>> = LazyLock::new(|| {
    let mut sets = Vec::new();
    for preset in FILE.iter() {
        for Chart { title, systems, statistics, .. } in &preset.chart {
            let statistics = statistics.iter().map(|word| (word.clone(), Pattern::parse(word))).collect();
            let systems = systems.as_ref().unwrap_or(&preset.systems).clone();
            sets.push(Set { name: preset.name.clone(), title: title.clone(), systems, statistics });
        }
    }
    sets
});

/// How the catalogue calls what a kind of box runs.
fn system_of(kind: BoxKind) -> &'static str {
    match kind {
        BoxKind::Opensips | BoxKind::Opensips2 => "opensips",
        BoxKind::Kamailio => "kamailio",
        BoxKind::Prometheus | BoxKind::Tickmark => "",
    }
}

/// The sets for boxes of a kind, with those of their charts that are for it.
pub fn presets_of(kind: BoxKind) -> impl Iterator<Item = (&'static Preset, Vec<ChartSpec>)> {
    let system = system_of(kind);
    FILE.iter().map(move |preset| {
        let is_for = |chart: &&Chart| chart.systems.as_ref().unwrap_or(&preset.systems).iter().any(|other| other == system);
        (preset, preset.chart.iter().filter(is_for).map(Chart::spec).collect())
    })
}

/// The charts of sets in which a statistic of a box of this kind is drawn.
pub fn sets_of(kind: BoxKind, full: &str) -> impl Iterator<Item = &'static Set> {
    let system = system_of(kind);
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
    fn every_chart_of_a_set_can_be_drawn() {
        for kind in [BoxKind::Opensips, BoxKind::Kamailio] {
            for (preset, charts) in presets_of(kind) {
                assert!(!preset.id.is_empty() && !preset.purpose.is_empty());
                for chart in charts {
                    assert_eq!(chart.to_string().parse::<ChartSpec>().as_ref(), Ok(&chart), "{}: {chart}", preset.name);
                }
            }
        }
        assert!(presets_of(BoxKind::Tickmark).all(|(_, charts)| charts.is_empty()));
        assert!(presets_of(BoxKind::Kamailio).filter(|(_, charts)| !charts.is_empty()).count() > 5);
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
