//! What is known of the statistics of OpenSIPS and Kamailio: kind, unit and meaning. Knows nothing of boxes.

mod alerts;
mod chosen;
mod derived;
mod sets;

use std::{
    collections::{HashMap, HashSet},
    sync::LazyLock,
};

use app::{
    matching::Pattern,
    model::{BoxKind, Kind},
};

pub use alerts::{ReadyAlert, alerts};
pub use chosen::{Choice, chosen};
pub use derived::{ReadyMade, derived};
pub use sets::{Preset, Set, presets_of, sets_of};

/// One row per statistic: system, group, name, kind, unit, resettable, since, description, what to watch with it.
const STATISTICS: &str = include_str!("catalogue/statistics.tsv");

/// What is known of one statistic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Counter or gauge.
    pub kind: Kind,
    /// The unit; empty when there is none.
    pub unit: &'static str,
    /// A sentence.
    pub description: &'static str,
    /// Statistics worth watching with it, full names or patterns, with commas between.
    pub watch_with: &'static str,
}

/// The rows of one system, ready to be asked.
#[derive(Default)]
struct System {
    exact: HashMap<&'static str, HashMap<&'static str, Entry>>,
    /// Rows with a `*` in group or name, in the order of the file.
    globs: Vec<(Pattern, Entry)>,
    /// Groups that hold gauges and nothing else.
    gauges: HashSet<&'static str>,
}

impl System {
    fn read(word: &str) -> Self {
        let mut system = Self::default();
        let mut counting = HashSet::new();
        for line in STATISTICS.lines().skip(1) {
            let mut fields = line.split('\t');
            let mut next = || fields.next().unwrap_or_default();
            let (of, group, name, kind, unit) = (next(), next(), next(), next(), next());
            let (_resettable, _since, description, watch_with) = (next(), next(), next(), next());
            let Some(kind) = Kind::parse(kind) else { continue };
            if of != word && of != "both" {
                continue;
            }
            match kind {
                Kind::Counter => counting.insert(group),
                Kind::Gauge => system.gauges.insert(group),
            };
            // The file writes 1 for a bare number, which no page needs to say.
            let entry = Entry { kind, unit: if unit == "1" { "" } else { unit }, description, watch_with };
            if group.contains('*') || name.contains('*') {
                system.globs.push((Pattern::parse(&format!("{group}:{name}")), entry));
            } else {
                system.exact.entry(group).or_default().insert(name, entry);
            }
        }
        system.gauges.retain(|group| !counting.contains(group));
        system
    }

    fn lookup(&self, group: &str, name: &str) -> Option<&Entry> {
        if let Some(entry) = self.exact.get(group).and_then(|names| names.get(name)) {
            return Some(entry);
        }
        self.globs.iter().find(|(pattern, _)| pattern.matches_name_of(group, name)).map(|(_, entry)| entry)
    }
}

static OPENSIPS: LazyLock<System> = LazyLock::new(|| System::read("opensips"));
static KAMAILIO: LazyLock<System> = LazyLock::new(|| System::read("kamailio"));

/// What is known of `group:name` on a box of this kind; an exact name beats a glob.
#[must_use]
pub fn lookup(system: BoxKind, group: &str, name: &str) -> Option<&'static Entry> {
    match system {
        BoxKind::Opensips | BoxKind::Opensips2 => OPENSIPS.lookup(group, name),
        BoxKind::Kamailio => KAMAILIO.lookup(group, name),
        BoxKind::Prometheus | BoxKind::Tickmark => None,
    }
}

/// The kind to assume of a statistic that neither the box nor the catalogue knows: groups made by scripts count,
/// a group of which only gauges are known shows levels.
#[must_use]
pub fn kind_of_unknown(group: &str) -> Kind {
    if OPENSIPS.gauges.contains(group) || KAMAILIO.gauges.contains(group) { Kind::Gauge } else { Kind::Counter }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(system: BoxKind, full: &str, expect: Option<(Kind, &str)>) {
        let (group, name) = app::model::split_name(full);
        assert_eq!(lookup(system, group, name).map(|entry| (entry.kind, entry.unit)), expect, "{full}");
    }

    #[test]
    fn every_row_is_read() {
        let rows = STATISTICS.lines().skip(1).filter(|line| line.starts_with("both") || line.starts_with("opensips")).count();
        let read = OPENSIPS.exact.values().map(HashMap::len).sum::<usize>() + OPENSIPS.globs.len();
        assert_eq!(read, rows);
        for line in STATISTICS.lines().skip(1) {
            let fields: Vec<_> = line.split('\t').collect();
            assert_eq!(fields.len(), 9, "{line}");
            assert!(Kind::parse(fields[3]).is_some() && !fields[7].is_empty(), "{line}");
        }
    }

    #[test]
    fn names_globs_and_systems() {
        check(BoxKind::Opensips, "core:rcv_requests", Some((Kind::Counter, "requests")));
        check(BoxKind::Kamailio, "core:rcv_requests", Some((Kind::Counter, "requests")));
        check(BoxKind::Opensips, "core:timestamp", Some((Kind::Gauge, "seconds")));
        check(BoxKind::Kamailio, "core:timestamp", None);
        check(BoxKind::Opensips, "load:load1m-proc-12", Some((Kind::Gauge, "percent")));
        check(BoxKind::Opensips, "shmem_group_dialog:fragments", Some((Kind::Gauge, "fragments")));
        check(BoxKind::Opensips, "pkmem:3-real_used_size", Some((Kind::Gauge, "bytes")));
        check(BoxKind::Kamailio, "script:my_own", Some((Kind::Counter, "")));
        check(BoxKind::Opensips, "nowhere:nothing", None);
        check(BoxKind::Tickmark, "core:rcv_requests", None);
    }

    #[test]
    fn an_exact_name_beats_a_glob() {
        // `usrloc:*-users` is a glob, `usrloc:registered_users` an exact name.
        check(BoxKind::Opensips, "usrloc:location-users", Some((Kind::Gauge, "users")));
        // Kamailio 5.6 writes `location_users`, a glob too, beside the same exact name.
        check(BoxKind::Kamailio, "usrloc:location_users", Some((Kind::Gauge, "users")));
        for system in [BoxKind::Opensips, BoxKind::Kamailio] {
            assert!(lookup(system, "usrloc", "registered_users").is_some_and(|entry| entry.description.contains("all location tables")));
        }
        // A name that holds a colon is one name.
        check(BoxKind::Opensips, "dynamic:a:b", Some((Kind::Counter, "")));
    }

    #[test]
    fn unknown_names_take_after_their_group() {
        assert_eq!(kind_of_unknown("pkmem"), Kind::Gauge);
        assert_eq!(kind_of_unknown("shmem"), Kind::Gauge);
        assert_eq!(kind_of_unknown("core"), Kind::Counter);
        assert_eq!(kind_of_unknown("dynamic"), Kind::Counter);
        assert_eq!(kind_of_unknown("a script's own"), Kind::Counter);
    }
}
