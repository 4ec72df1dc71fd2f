//! What names a question may use: full and bare names, groups, `all`. It must not know how a question came.

use std::collections::HashMap;

use crate::engine::{Engine, Statistic};

/// Every statistic with what is needed to find and to tell it; made anew when one is made or removed.
pub(super) struct Directory {
    /// [`Engine::changes`] when it was made.
    pub(super) changes: u64,
    pub(super) all: Vec<Listed>,
    /// The first that has a name in its group.
    bare: HashMap<Box<str>, u32>,
    full: HashMap<Box<str>, u32>,
    /// By the name of the group in small letters.
    groups: HashMap<String, Vec<u32>>,
    seen: Vec<u32>,
}

/// A statistic.
pub(super) struct Listed {
    pub(super) statistic: Statistic,
    /// Its full name as a key of JSON, with the colon that follows.
    pub(super) key: Box<str>,
}

/// What a word names.
pub(super) enum Found<'a> {
    One(u32),
    /// A group, or all.
    Many(&'a [u32]),
    Nothing,
}

impl Directory {
    pub(super) fn of(engine: &Engine) -> Self {
        // Read before the list: what is made meanwhile is found the next time.
        let changes = engine.changes();
        let list = |statistic: Statistic| Listed { key: format!("{}:", serde_json::Value::from(statistic.name())).into(), statistic };
        let all: Vec<Listed> = engine.statistics().into_iter().map(list).collect();
        let mut directory =
            Self { changes, all: Vec::new(), bare: HashMap::new(), full: HashMap::new(), groups: HashMap::new(), seen: Vec::new() };
        for (place, Listed { statistic, .. }) in (0..).zip(&all) {
            directory.bare.entry(statistic.bare_name().into()).or_insert(place);
            directory.full.insert(statistic.name().into(), place);
            if !statistic.traits().hidden {
                directory.groups.entry(statistic.group().to_lowercase()).or_default().push(place);
                directory.seen.push(place);
            }
        }
        Self { all, ..directory }
    }

    /// A full name comes before a bare one that looks the same.
    pub(super) fn find(&self, word: &str) -> Found<'_> {
        if word == "all" {
            return Found::Many(&self.seen);
        }
        if let Some(group) = word.strip_suffix(':') {
            return self.groups.get(&group.to_lowercase()).map_or(Found::Nothing, |members| Found::Many(members));
        }
        self.one(word).map_or(Found::Nothing, Found::One)
    }

    /// The one statistic that a word names.
    pub(super) fn one(&self, word: &str) -> Option<u32> {
        self.full.get(word).or_else(|| self.bare.get(word)).copied()
    }

    /// Those that are in lists.
    pub(super) fn seen(&self) -> &[u32] {
        &self.seen
    }

    pub(super) fn get(&self, place: u32) -> &Listed {
        &self.all[place as usize]
    }
}
