//! The statistics that scripts push, and what of them is not kept yet. It must not know where they are kept.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use app::{model::Kind, shown::visible};

use super::{Counter, Registry, RegistryError, Traits, registry::full_name};
use crate::store;

/// So many statistics scripts may push. Each is on the pages, and in every picture of the box.
pub const MAX_CUSTOM: usize = 10_000;
/// The longest name of one, with its group, in bytes.
pub const MAX_CUSTOM_NAME_BYTES: usize = 255;

/// What is pushed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Push {
    /// Added to the value; a negative number is taken away.
    By(i64),
    /// The new value.
    To(i64),
}

impl Push {
    /// Reads `+1`, `-4`, `=7`; a number without a sign is added.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        match text.strip_prefix('=') {
            Some(to) => to.trim().parse().ok().map(Self::To),
            None => text.parse().ok().map(Self::By),
        }
    }
}

/// Why a push was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PushError {
    /// The name cannot be one.
    #[error("{0}")]
    Name(String),
    /// It is one of the panel's own.
    #[error("{0} is the panel's own statistic: push to another name")]
    Own(String),
    /// No such statistic was pushed.
    #[error("nothing named {0} was pushed")]
    Missing(String),
    /// There are too many.
    #[error("{MAX_CUSTOM} statistics are pushed already: remove those that are not needed any more")]
    TooMany,
    /// Another panel of the database counts what is pushed.
    #[error("what is pushed is counted by the panel at {0}: push there")]
    Elsewhere(String),
    /// The sum does not fit.
    #[error("the value would leave the range of 64 bits, -9223372036854775808 to 9223372036854775807")]
    Range,
}

/// What was pushed.
#[derive(Default)]
pub(super) struct Customs(Mutex<Held>);

#[derive(Default)]
struct Held {
    pushed: BTreeMap<String, Custom>,
    /// Removed, and perhaps kept still; with the number of the removal.
    gone: BTreeMap<String, u64>,
    removals: u64,
    /// Another panel, found there, counts what is pushed.
    elsewhere: Option<String>,
}

struct Custom {
    counter: Counter,
    kind: Kind,
    kept: Option<i64>,
}

/// What is not kept yet.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Unkept {
    /// New ones, and those with another value.
    pub changed: Vec<store::Custom>,
    /// Removed ones, with the number of the removal. What is gone and changed came again.
    pub gone: Vec<(String, u64)>,
}

impl Unkept {
    /// Whether all is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changed.is_empty() && self.gone.is_empty()
    }
}

/// The full name of a statistic that may be pushed.
pub(super) fn pushable(name: &str) -> Result<String, PushError> {
    let (full, _) = full_name(name).map_err(|_| PushError::Name("a statistic is named group:name, or name alone".to_owned()))?;
    if full.len() > MAX_CUSTOM_NAME_BYTES {
        return Err(PushError::Name(format!("the name has {} bytes; at most {MAX_CUSTOM_NAME_BYTES} are allowed", full.len())));
    }
    if full.chars().any(char::is_control) {
        return Err(PushError::Name(format!("the name {} holds control characters", visible(&full))));
    }
    Ok(full.into_owned())
}

impl Customs {
    fn lock(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Pushes; a name that is new is made, as a gauge where a value is set and else as a counter, unless its kind is said.
    pub(super) fn push(&self, registry: &Registry, name: &str, push: Push, kind: Option<Kind>) -> Result<i64, PushError> {
        let full = pushable(name)?;
        let mut held = self.lock();
        held.is_here()?;
        if !held.pushed.contains_key(&full) {
            if registry.find(&full).is_some() {
                return Err(PushError::Own(full));
            }
            let kind = kind.unwrap_or(match push {
                Push::By(_) => Kind::Counter,
                Push::To(_) => Kind::Gauge,
            });
            held.add(registry, &full, kind, None)?;
        }
        let Some(custom) = held.pushed.get(&full) else { return Err(PushError::Missing(full)) };
        match push {
            Push::By(by) => {
                custom.counter.get().checked_add(by).ok_or(PushError::Range)?;
                custom.counter.add(by);
            }
            Push::To(to) => custom.counter.set(to),
        }
        Ok(custom.counter.get())
    }

    pub(super) fn remove(&self, registry: &Registry, name: &str) -> Result<(), PushError> {
        let full = pushable(name)?;
        let mut held = self.lock();
        held.is_here()?;
        if held.pushed.remove(&full).is_none() {
            return Err(if registry.find(&full).is_some() { PushError::Own(full) } else { PushError::Missing(full) });
        }
        registry.remove(&full);
        held.removals += 1;
        let number = held.removals;
        held.gone.insert(full, number);
        Ok(())
    }

    /// Takes up what was kept. What is pushed already stays as it is.
    pub(super) fn restore(&self, registry: &Registry, kept: Vec<store::Custom>) -> Result<(), PushError> {
        let mut held = self.lock();
        held.elsewhere = None;
        for store::Custom { name, kind, value } in kept {
            if registry.find(&name).is_none() {
                held.add(registry, &name, kind, Some(value))?;
            }
        }
        Ok(())
    }

    /// Whether what is pushed is counted here.
    pub(super) fn is_here(&self) -> bool {
        self.lock().elsewhere.is_none()
    }

    /// Whether something of this full name was pushed.
    pub(super) fn has(&self, full: &str) -> bool {
        self.lock().pushed.contains_key(full)
    }

    /// Says where else what is pushed is counted, if it is.
    pub(super) fn here(&self) -> Result<(), PushError> {
        self.lock().is_here()
    }

    /// Forgets what was pushed: another panel, found there, counts it from now on.
    pub(super) fn leave_to(&self, registry: &Registry, url: &str) {
        let mut held = self.lock();
        for full in std::mem::take(&mut held.pushed).into_keys() {
            registry.remove(&full);
        }
        held.gone.clear();
        held.elsewhere = Some(url.to_owned());
    }

    pub(super) fn kinds(&self) -> Vec<(String, Kind)> {
        self.lock().pushed.iter().map(|(full, custom)| (full.clone(), custom.kind)).collect()
    }

    pub(super) fn unkept(&self) -> Unkept {
        let held = self.lock();
        let changed = held.pushed.iter().map(|(full, custom)| (full, custom, custom.counter.get()));
        let changed = changed.filter(|(full, custom, value)| custom.kept != Some(*value) || held.gone.contains_key(*full));
        let changed = changed.map(|(full, custom, value)| store::Custom { name: full.clone(), kind: custom.kind, value });
        Unkept { changed: changed.collect(), gone: held.gone.iter().map(|(full, number)| (full.clone(), *number)).collect() }
    }

    /// These are kept now.
    pub(super) fn kept(&self, kept: &Unkept) {
        let mut held = self.lock();
        for store::Custom { name, value, .. } in &kept.changed {
            if let Some(custom) = held.pushed.get_mut(name) {
                custom.kept = Some(*value);
            }
        }
        // One that went again meanwhile is not kept so.
        held.gone.retain(|full, number| !kept.gone.iter().any(|(name, kept)| name == full && kept == number));
    }
}

impl Held {
    fn is_here(&self) -> Result<(), PushError> {
        self.elsewhere.as_ref().map_or(Ok(()), |url| Err(PushError::Elsewhere(url.clone())))
    }

    fn add(&mut self, registry: &Registry, full: &str, kind: Kind, kept: Option<i64>) -> Result<(), PushError> {
        if self.pushed.len() >= MAX_CUSTOM {
            return Err(PushError::TooMany);
        }
        let traits = match kind {
            Kind::Counter => Traits::COUNTER,
            Kind::Gauge => Traits::GAUGE,
        };
        let counter = registry.counter_with(full, traits, kept.unwrap_or(0)).map_err(|error| match error {
            RegistryError::Full => PushError::TooMany,
            other => PushError::Name(other.to_string()),
        })?;
        self.pushed.insert(full.to_owned(), Custom { counter, kind, kept });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Stage {
        registry: Registry,
        customs: Customs,
    }

    impl Stage {
        fn new() -> Self {
            let registry = Registry::new();
            registry.counter("panel:requests").unwrap();
            Self { registry, customs: Customs::default() }
        }

        fn push(&self, name: &str, push: Push) -> Result<i64, PushError> {
            self.customs.push(&self.registry, name, push, None)
        }

        fn changed(&self) -> Vec<(String, i64)> {
            self.customs.unkept().changed.into_iter().map(|one| (one.name, one.value)).collect()
        }
    }

    #[test]
    fn what_is_pushed_is_made_counted_and_set() {
        let stage = Stage::new();
        assert_eq!(stage.push("calls", Push::By(2)), Ok(2));
        assert_eq!(stage.push("dynamic:calls", Push::By(-5)), Ok(-3));
        assert_eq!(stage.push("room:heat", Push::To(21)), Ok(21));
        assert_eq!(stage.push("room:heat", Push::By(1)), Ok(22));
        let kinds = stage.customs.kinds();
        assert_eq!(kinds, [("dynamic:calls".to_owned(), Kind::Counter), ("room:heat".to_owned(), Kind::Gauge)]);
        assert!(stage.registry.find("dynamic:calls").unwrap().reset() && !stage.registry.find("room:heat").unwrap().reset());
    }

    #[test]
    fn what_is_refused_changes_nothing() {
        let stage = Stage::new();
        stage.push("a:b", Push::To(i64::MAX)).unwrap();
        assert_eq!(stage.push("a:b", Push::By(1)), Err(PushError::Range));
        assert_eq!(stage.push("panel:requests", Push::By(1)), Err(PushError::Own("panel:requests".into())));
        assert_eq!(stage.customs.remove(&stage.registry, "panel:requests"), Err(PushError::Own("panel:requests".into())));
        assert_eq!(stage.customs.remove(&stage.registry, "a:c"), Err(PushError::Missing("a:c".into())));
        for name in ["", ":", "a:", "a:b\nc", &"x".repeat(10_000)] {
            assert!(matches!(stage.push(name, Push::By(1)), Err(PushError::Name(_))), "{name:.9}");
        }
        assert_eq!((stage.registry.len(), stage.changed()), (2, vec![("a:b".to_owned(), i64::MAX)]));
    }

    #[test]
    fn there_is_an_end_to_what_scripts_may_make() {
        let stage = Stage::new();
        (0..MAX_CUSTOM).for_each(|number| assert_eq!(stage.push(&format!("a:{number}"), Push::By(1)), Ok(1)));
        assert_eq!(stage.push("a:more", Push::By(1)), Err(PushError::TooMany));
        assert_eq!(stage.push("a:7", Push::By(1)), Ok(2));
        stage.customs.remove(&stage.registry, "a:7").unwrap();
        assert_eq!(stage.push("a:more", Push::By(1)), Ok(1));
    }

    #[test]
    fn only_what_is_not_kept_is_to_be_kept() {
        let stage = Stage::new();
        stage.push("a:b", Push::By(1)).unwrap();
        let first = stage.customs.unkept();
        stage.push("a:b", Push::By(1)).unwrap();
        stage.customs.kept(&first);
        assert_eq!(stage.changed(), [("a:b".to_owned(), 2)]);
        stage.customs.kept(&stage.customs.unkept());
        assert!(stage.customs.unkept().is_empty());
        stage.registry.find("a:b").unwrap().reset();
        assert_eq!(stage.changed(), [("a:b".to_owned(), 0)]);
    }

    #[test]
    fn what_goes_and_comes_while_it_is_being_kept_is_kept_as_it_is_then() {
        let stage = Stage::new();
        stage.push("a:b", Push::By(1)).unwrap();
        let in_flight = stage.customs.unkept();
        stage.customs.remove(&stage.registry, "a:b").unwrap();
        let removed = stage.customs.unkept();
        assert_eq!((removed.changed.len(), removed.gone.len()), (0, 1));
        stage.push("a:b", Push::By(1)).unwrap();
        stage.customs.kept(&in_flight);
        // The removal is still to be written, and so is what came after it.
        assert_eq!((stage.changed(), stage.customs.unkept().gone.len()), (vec![("a:b".to_owned(), 1)], 1));
        stage.customs.remove(&stage.registry, "a:b").unwrap();
        stage.customs.kept(&removed);
        assert_eq!(stage.customs.unkept().gone.len(), 1);
        stage.customs.kept(&stage.customs.unkept());
        assert!(stage.customs.unkept().is_empty());
    }
}
