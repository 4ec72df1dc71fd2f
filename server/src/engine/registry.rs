//! The statistics of one engine by name, in the order in which they were made. It must not know what they mean.

use std::{
    borrow::{Borrow, Cow},
    collections::HashMap,
    hash::{Hash, Hasher},
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

use app::model::{Kind, Number};
use foldhash::fast::RandomState;
use papaya::HashSet;

use super::{
    cells::{MAX_SLOTS, Slot},
    statistic::{Computed, Counter, Entry, Source, Statistic, Traits},
};
use crate::source::MAX_NAME_BYTES;

/// The group of names that name none.
pub const DEFAULT_GROUP: &str = "dynamic";

/// Why a statistic was not made or changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RegistryError {
    /// Group or name is empty, or the name is too long.
    #[error("a statistic is named group:name, at most {MAX_NAME_BYTES} bytes long")]
    Name,
    /// There is another statistic of this name.
    #[error("{0} exists already")]
    Taken(String),
    /// It cannot be added to or set.
    #[error("{0} is computed when it is read: it can neither be added to nor set")]
    Computed(String),
    /// There are too many.
    #[error("there are {MAX_SLOTS} counters already")]
    Full,
}

/// Statistics by name. Looking one up, adding and reading wait for nobody; making, removing and listing take a lock.
#[derive(Default)]
pub struct Registry {
    index: HashSet<Named, RandomState>,
    order: RwLock<Order>,
    changes: AtomicU64,
}

/// An entry in the index, which compares by name.
struct Named(Arc<Entry>);

impl Borrow<str> for Named {
    fn borrow(&self) -> &str {
        self.0.name()
    }
}

impl Hash for Named {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.name().hash(state);
    }
}

impl PartialEq for Named {
    fn eq(&self, other: &Self) -> bool {
        self.0.name() == other.0.name()
    }
}

impl Eq for Named {}

/// Groups as they were first named, each with its statistics as they were made.
#[derive(Default)]
struct Order {
    groups: Vec<Group>,
    places: HashMap<Arc<str>, usize>,
    /// Statistics in all.
    count: usize,
    /// Groups without any.
    empty: usize,
}

struct Group {
    name: Arc<str>,
    /// Also the removed ones, until they are half of all.
    members: Vec<Arc<Entry>>,
    removed: usize,
}

/// The full name and the length of its group.
pub(super) fn full_name(name: &str) -> Result<(Cow<'_, str>, u16), RegistryError> {
    let full = if name.contains(':') { Cow::Borrowed(name) } else { Cow::Owned(format!("{DEFAULT_GROUP}:{name}")) };
    let Some((group, bare)) = full.split_once(':') else { return Err(RegistryError::Name) };
    if group.is_empty() || bare.is_empty() || full.len() > MAX_NAME_BYTES {
        return Err(RegistryError::Name);
    }
    let group_len = u16::try_from(group.len()).map_err(|_| RegistryError::Name)?;
    Ok((full, group_len))
}

impl Registry {
    /// A registry without statistics.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The counter of a name (`group:name`; without a group, of [`DEFAULT_GROUP`]), which is made at 0 when there is none. Its group exists
    /// by being named.
    ///
    /// # Errors
    /// When the name cannot be one, a computed statistic has it, or there are too many.
    pub fn counter(&self, name: &str) -> Result<Counter, RegistryError> {
        self.counter_with(name, Traits::COUNTER, 0)
    }

    /// The counter of a name; when there is none it is made with these traits and this value.
    ///
    /// # Errors
    /// As [`Self::counter`].
    pub fn counter_with(&self, name: &str, traits: Traits, value: i64) -> Result<Counter, RegistryError> {
        let (full, group_len) = full_name(name)?;
        let computed = || RegistryError::Computed(full.to_string());
        if let Some(found) = self.find(&full) {
            return found.counter().ok_or_else(computed);
        }
        let mut order = self.order.write().unwrap_or_else(PoisonError::into_inner);
        // Another thread may have made it meanwhile.
        if let Some(found) = self.find(&full) {
            return found.counter().ok_or_else(computed);
        }
        let slot = Slot::take().ok_or(RegistryError::Full)?;
        let entry = Arc::new(Entry::new(&full, group_len, traits, Source::cells(slot, value)));
        self.insert(&mut order, &entry, group_len);
        Statistic(entry).counter().ok_or_else(computed)
    }

    /// Makes a computed statistic: the function is asked whenever it is read.
    ///
    /// # Errors
    /// When the name cannot be one, or is taken.
    pub fn computed(
        &self,
        name: &str,
        kind: Kind,
        compute: impl Fn() -> Option<Number> + Send + Sync + 'static,
    ) -> Result<Statistic, RegistryError> {
        self.computed_with(name, Traits { kind, ..Traits::GAUGE }, compute)
    }

    /// Makes a computed statistic with these traits; a reset leaves it as it is in any case.
    ///
    /// # Errors
    /// As [`Self::computed`].
    pub fn computed_with(
        &self,
        name: &str,
        traits: Traits,
        compute: impl Fn() -> Option<Number> + Send + Sync + 'static,
    ) -> Result<Statistic, RegistryError> {
        let (full, group_len) = full_name(name)?;
        let mut order = self.order.write().unwrap_or_else(PoisonError::into_inner);
        if self.find(&full).is_some() {
            return Err(RegistryError::Taken(full.into_owned()));
        }
        let entry = Arc::new(Entry::new(&full, group_len, traits, Source::Computed(Box::new(Box::new(compute)))));
        self.insert(&mut order, &entry, group_len);
        Ok(Statistic(entry))
    }

    fn insert(&self, order: &mut Order, entry: &Arc<Entry>, group_len: u16) {
        order.push(entry, &entry.name()[..usize::from(group_len)]);
        self.index.pin().insert(Named(Arc::clone(entry)));
        self.changes.fetch_add(1, Ordering::Release);
    }

    /// The statistic of a full name.
    #[must_use]
    pub fn find(&self, full: &str) -> Option<Statistic> {
        self.index.pin().get(full).map(|named| Statistic(Arc::clone(&named.0)))
    }

    /// The first statistic, in order, that has this name in its group. Looks at each group.
    #[must_use]
    pub fn find_bare(&self, bare: &str) -> Option<Statistic> {
        let order = self.order.read().unwrap_or_else(PoisonError::into_inner);
        order.groups.iter().find_map(|group| self.find(&format!("{}:{bare}", group.name)))
    }

    /// Adds to the counter of a full name that is worked out at run time; it is made when there is none.
    ///
    /// # Errors
    /// As [`Self::counter`].
    pub fn add(&self, full: &str, by: i64) -> Result<(), RegistryError> {
        let index = self.index.pin();
        let Some(named) = index.get(full) else {
            drop(index);
            return self.counter(full).map(|counter| counter.add(by));
        };
        named.0.add(by).map_err(|Computed| RegistryError::Computed(full.to_owned()))
    }

    /// Removes the statistic of a full name, and says whether there was one. Who still holds it counts into the void.
    pub fn remove(&self, full: &str) -> bool {
        let mut order = self.order.write().unwrap_or_else(PoisonError::into_inner);
        let Some(found) = self.find(full) else { return false };
        found.0.mark_removed();
        self.index.pin().remove(full);
        order.forget(found.group());
        self.changes.fetch_add(1, Ordering::Release);
        true
    }

    /// Sets every counter to zero whose traits allow it; answers how many.
    pub fn reset_all(&self) -> usize {
        self.statistics().iter().filter(|statistic| statistic.reset()).count()
    }

    /// All statistics: groups as they were first named, in each its statistics as they were made.
    #[must_use]
    pub fn statistics(&self) -> Vec<Statistic> {
        let order = self.order.read().unwrap_or_else(PoisonError::into_inner);
        let mut all = Vec::with_capacity(order.count);
        all.extend(order.groups.iter().flat_map(Group::members));
        all
    }

    /// The statistics of a group as they were made.
    #[must_use]
    pub fn group(&self, name: &str) -> Vec<Statistic> {
        let order = self.order.read().unwrap_or_else(PoisonError::into_inner);
        order.places.get(name).map(|&place| order.groups[place].members().collect()).unwrap_or_default()
    }

    /// The groups that have statistics, as they were first named.
    #[must_use]
    pub fn groups(&self) -> Vec<Arc<str>> {
        let order = self.order.read().unwrap_or_else(PoisonError::into_inner);
        let full = order.groups.iter().filter(|group| group.members.len() > group.removed);
        full.map(|group| Arc::clone(&group.name)).collect()
    }

    /// How many statistics there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.order.read().unwrap_or_else(PoisonError::into_inner).count
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Counts what was made and removed: while it stays, so do the names.
    #[must_use]
    pub fn changes(&self) -> u64 {
        self.changes.load(Ordering::Acquire)
    }
}

impl Order {
    fn push(&mut self, entry: &Arc<Entry>, group: &str) {
        let place = self.places.get(group).copied().unwrap_or_else(|| {
            let name: Arc<str> = group.into();
            self.groups.push(Group { name: Arc::clone(&name), members: Vec::new(), removed: 0 });
            self.places.insert(name, self.groups.len() - 1);
            self.empty += 1;
            self.groups.len() - 1
        });
        let group = &mut self.groups[place];
        if group.members.is_empty() {
            self.empty -= 1;
        }
        group.members.push(Arc::clone(entry));
        self.count += 1;
    }

    /// One of a group was marked as removed.
    fn forget(&mut self, group: &str) {
        self.count -= 1;
        let Some(&place) = self.places.get(group) else { return };
        let group = &mut self.groups[place];
        group.removed += 1;
        // Not at each: many that are removed one by one would be moved each time.
        if group.removed * 2 > group.members.len() {
            group.members.retain(|entry| !entry.is_removed());
            group.removed = 0;
            self.empty += usize::from(group.members.is_empty());
        }
        if self.empty * 2 > self.groups.len() {
            self.groups.retain(|group| !group.members.is_empty());
            self.places = self.groups.iter().map(|group| Arc::clone(&group.name)).zip(0..).collect();
            self.empty = 0;
        }
    }
}

impl Group {
    fn members(&self) -> impl Iterator<Item = Statistic> {
        self.members.iter().filter(|entry| !entry.is_removed()).map(|entry| Statistic(Arc::clone(entry)))
    }
}

#[cfg(test)]
mod tests;
