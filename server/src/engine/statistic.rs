//! One statistic: a counter, which is added to and set, or a computed one, which a function tells when it is read.
//! It must not know which others there are.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, Ordering, fence},
    },
};

use app::model::{Kind, Number};

use super::cells::{Place, Slot};

/// What tells a computed statistic; none where it is not known at the time. It is called by whoever reads, on any thread.
pub type Compute = dyn Fn() -> Option<Number> + Send + Sync;

/// What a statistic is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Traits {
    /// Whether it counts, or shows a level.
    pub kind: Kind,
    /// [`Statistic::reset`] leaves it as it is.
    pub no_reset: bool,
    /// It is on no page and in no list: only who asks for it by its name is told.
    pub hidden: bool,
}

impl Traits {
    /// Counts, may be reset, is seen.
    pub const COUNTER: Self = Self { kind: Kind::Counter, no_reset: false, hidden: false };
    /// Shows a level, which a reset leaves alone.
    pub const GAUGE: Self = Self { kind: Kind::Gauge, no_reset: true, hidden: false };

    /// The same, in no list.
    #[must_use]
    pub const fn hidden(self) -> Self {
        Self { hidden: true, ..self }
    }

    /// The same, not to be reset.
    #[must_use]
    pub const fn not_reset(self) -> Self {
        Self { no_reset: true, ..self }
    }
}

/// It is computed: it can neither be added to nor set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the statistic is computed when it is read: it can neither be added to nor set")]
pub struct Computed;

/// A statistic. Cheap to clone: all clones are the same one, also after it was removed from its registry.
#[derive(Clone)]
pub struct Statistic(pub(super) Arc<Entry>);

/// A held handle of a statistic that counts: the quickest way to add.
#[derive(Clone)]
pub struct Counter {
    place: Place,
    statistic: Statistic,
}

pub(super) struct Entry {
    name: Box<str>,
    group_len: u16,
    traits: Traits,
    removed: AtomicBool,
    source: Source,
}

/// Where the value comes from.
pub(super) enum Source {
    /// From cells; `base` is added to their sum, so that setting it need not touch the cells of other threads.
    Cells { base: AtomicI64, slot: Slot },
    /// Boxed twice, so that the many that count need not have the room of a wide pointer.
    Computed(Box<Box<Compute>>),
}

impl Entry {
    /// `name` is a full name whose group has `group_len` bytes.
    pub(super) fn new(name: &str, group_len: u16, traits: Traits, source: Source) -> Self {
        Self { name: name.into(), group_len, traits, removed: AtomicBool::new(false), source }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn is_removed(&self) -> bool {
        self.removed.load(Ordering::Relaxed)
    }

    pub(super) fn mark_removed(&self) {
        self.removed.store(true, Ordering::Relaxed);
    }

    pub(super) fn add(&self, by: i64) -> Result<(), Computed> {
        let Source::Cells { slot, .. } = &self.source else { return Err(Computed) };
        slot.place().add(by);
        Ok(())
    }
}

impl Source {
    /// Cells that sum up to a value now, whatever was counted in them before.
    pub(super) fn cells(slot: Slot, value: i64) -> Self {
        let base = value.wrapping_sub(slot.place().sum());
        Self::Cells { base: AtomicI64::new(base), slot }
    }
}

/// The value: the base is read again after the cells, since whoever sets it has read these, too.
fn counted(base: &AtomicI64, place: Place) -> i64 {
    let mut before = base.load(Ordering::Acquire);
    loop {
        let sum = place.sum();
        fence(Ordering::Acquire);
        let after = base.load(Ordering::Relaxed);
        if after == before {
            return before.wrapping_add(sum);
        }
        before = after;
    }
}

impl Statistic {
    /// The full name, `group:name`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The group.
    #[must_use]
    pub fn group(&self) -> &str {
        &self.0.name[..usize::from(self.0.group_len)]
    }

    /// The name in its group.
    #[must_use]
    pub fn bare_name(&self) -> &str {
        &self.0.name[usize::from(self.0.group_len) + 1..]
    }

    /// What it is like.
    #[must_use]
    pub fn traits(&self) -> Traits {
        self.0.traits
    }

    /// Whether it is computed when it is read.
    #[must_use]
    pub fn is_computed(&self) -> bool {
        matches!(self.0.source, Source::Computed(_))
    }

    /// The value now; none where a computed one does not know it. What this thread counted before is in it.
    #[must_use]
    pub fn value(&self) -> Option<Number> {
        match &self.0.source {
            Source::Cells { base, slot } => Some(Number::Int(counted(base, slot.place()))),
            Source::Computed(compute) => compute(),
        }
    }

    /// Adds, or with a negative number subtracts. Beyond 2^63 it wraps.
    ///
    /// # Errors
    /// When it is computed.
    pub fn add(&self, by: i64) -> Result<(), Computed> {
        self.0.add(by)
    }

    /// Sets the value. What other threads add at the same time counts after it.
    ///
    /// # Errors
    /// When it is computed.
    pub fn set(&self, value: i64) -> Result<(), Computed> {
        let Source::Cells { base, slot } = &self.0.source else { return Err(Computed) };
        base.store(value.wrapping_sub(slot.place().sum()), Ordering::Release);
        Ok(())
    }

    /// Sets it to zero and says so, unless it is computed or its traits say no.
    pub fn reset(&self) -> bool {
        !self.0.traits.no_reset && self.set(0).is_ok()
    }

    /// Its held handle; none when it is computed.
    #[must_use]
    pub fn counter(&self) -> Option<Counter> {
        match &self.0.source {
            Source::Cells { slot, .. } => Some(Counter { place: slot.place(), statistic: self.clone() }),
            Source::Computed(_) => None,
        }
    }

    /// Whether it was removed from its registry. It still counts for those who hold it, and nobody else sees it.
    #[must_use]
    pub fn is_removed(&self) -> bool {
        self.0.is_removed()
    }
}

impl fmt::Debug for Statistic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Statistic").field("name", &self.name()).field("value", &self.value()).finish()
    }
}

impl Counter {
    /// Counts one.
    #[inline]
    pub fn count(&self) {
        self.place.add(1);
    }

    /// Adds, or with a negative number subtracts: one relaxed addition to a cell that this thread alone writes.
    #[inline]
    pub fn add(&self, by: i64) {
        self.place.add(by);
    }

    /// Sets the value. What other threads add at the same time counts after it.
    pub fn set(&self, value: i64) {
        // It counts: that is what this is a handle of.
        let _ = self.statistic.set(value);
    }

    /// The value now.
    #[must_use]
    pub fn get(&self) -> i64 {
        match &self.statistic.0.source {
            Source::Cells { base, .. } => counted(base, self.place),
            Source::Computed(_) => 0,
        }
    }

    /// The statistic.
    #[must_use]
    pub fn statistic(&self) -> &Statistic {
        &self.statistic
    }
}

impl fmt::Debug for Counter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.statistic.fmt(f)
    }
}
