//! Many patterns at once. Those without `*` are looked up and not tried one by one, so that a box of many names and many ticks
//! is gone through in one pass. Knows neither rules nor values.

use std::collections::HashSet;

use app::{matching::Pattern, model::split_name};

/// Patterns, of which any may match.
#[derive(Clone, Debug, Default)]
pub(super) struct Patterns {
    all: bool,
    groups: HashSet<String>,
    names: HashSet<String>,
    globs: Vec<Pattern>,
}

/// How a pattern is found.
enum Way<'a> {
    /// It matches everything.
    All,
    /// By its group alone.
    Group(&'a str),
    /// By its name in any group.
    Name(&'a str),
    /// By trying it.
    Glob,
}

fn way(pattern: &Pattern) -> Way<'_> {
    match (pattern.group(), pattern.name()) {
        (None, None) => Way::All,
        (Some(group), None) if !group.contains('*') => Way::Group(group),
        (None, Some(name)) if !name.contains('*') => Way::Name(name),
        _ => Way::Glob,
    }
}

impl<'a> FromIterator<&'a Pattern> for Patterns {
    fn from_iter<T: IntoIterator<Item = &'a Pattern>>(patterns: T) -> Self {
        let mut all = Self::default();
        for pattern in patterns {
            match way(pattern) {
                Way::All => all.all = true,
                Way::Group(group) => {
                    all.groups.insert(group.to_owned());
                }
                Way::Name(name) => {
                    all.names.insert(name.to_owned());
                }
                Way::Glob => all.globs.push(pattern.clone()),
            }
        }
        all
    }
}

impl Patterns {
    /// Whether one of them takes all of a group.
    pub(super) fn takes(&self, group: Option<&str>) -> bool {
        self.all || group.is_some_and(|group| self.groups.contains(group))
    }

    /// How many must be tried on each name.
    pub(super) fn tried(&self) -> usize {
        self.globs.len()
    }

    /// Whether any matches a full name.
    pub(super) fn matches(&self, full: &str) -> bool {
        let (group, name) = split_name(full);
        self.all || self.groups.contains(group) || self.names.contains(name) || self.globs.iter().any(|glob| glob.matches(full))
    }

    /// Whether everything that a pattern can match is matched by one of these.
    pub(super) fn cover(&self, narrower: &Pattern) -> bool {
        self.all
            || narrower.group().is_some_and(|group| self.groups.contains(group))
            || narrower.name().is_some_and(|name| self.names.contains(name))
            || self.globs.iter().any(|glob| glob.covers(narrower))
    }
}

/// The groups and the names of a box, to tell of many patterns whether they match anything.
pub(super) struct Seen<'a> {
    full: &'a [std::sync::Arc<str>],
    groups: HashSet<&'a str>,
    names: HashSet<&'a str>,
}

impl<'a> Seen<'a> {
    pub(super) fn of(full: &'a [std::sync::Arc<str>]) -> Self {
        let (groups, names) = full.iter().map(|full| split_name(full)).unzip();
        Self { full, groups, names }
    }

    /// Whether a pattern matches any.
    pub(super) fn by(&self, pattern: &Pattern) -> bool {
        match way(pattern) {
            Way::All => !self.full.is_empty(),
            Way::Group(group) => self.groups.contains(group),
            Way::Name(name) => self.names.contains(name),
            Way::Glob => self.full.iter().any(|full| pattern.matches(full)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;

    fn word() -> impl Strategy<Value = String> {
        "[ab*]{0,2}:?[ab*]{0,2}"
    }

    proptest! {
        #[test]
        fn many_at_once_are_as_each_by_itself(words in proptest::collection::vec(word(), 0..5), full in word(), narrow in word()) {
            let patterns: Vec<Pattern> = words.iter().map(|word| Pattern::parse(word)).collect();
            let narrow = Pattern::parse(&narrow);
            let many: Patterns = patterns.iter().collect();
            prop_assert_eq!(many.matches(&full), patterns.iter().any(|pattern| pattern.matches(&full)));
            prop_assert_eq!(many.cover(&narrow), patterns.iter().any(|pattern| pattern.covers(&narrow)));
            let names: [Arc<str>; 1] = [full.as_str().into()];
            for pattern in &patterns {
                prop_assert_eq!(Seen::of(&names).by(pattern), pattern.matches(&full));
            }
        }
    }
}
