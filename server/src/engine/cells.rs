//! The cells that counters add to. Each thread has its own, and alone writes them, so that no addition waits for another thread; a
//! value is the sum over all threads. It must not know names.
//!
//! The cells belong to the process, not to one [`Registry`](super::Registry): a thread finds its own with a single look-up, however
//! many registries there are. A thread that ends leaves its cells, with what was counted, to the next one that begins to count.

use std::sync::{
    Mutex, OnceLock, PoisonError,
    atomic::{AtomicI64, Ordering},
};

/// Cells in the first block of a thread; each further block is twice as large as the one before.
const FIRST_BLOCK: u32 = 32;
/// Blocks that a thread may have.
const BLOCKS: usize = 22;
/// So many counters there may be in the process.
pub(super) const MAX_SLOTS: u32 = FIRST_BLOCK * ((1 << BLOCKS) - 1);
/// So many threads have cells of their own; any further ones share some, at the price of shared atomics.
const MAX_THREADS: usize = 512;

/// The cells of one thread. A block is made when its thread first counts in it.
struct Shard {
    blocks: [OnceLock<Box<[AtomicI64]>>; BLOCKS],
}

/// Which cell of a shard.
#[derive(Clone, Copy)]
pub(super) struct Place {
    block: u32,
    offset: u32,
}

/// A counter's number: the same place in each thread's cells. It is free for others once this is dropped.
pub(super) struct Slot(u32);

struct Slots {
    next: u32,
    free: Vec<u32>,
}

struct Threads {
    made: usize,
    idle: Vec<usize>,
}

static SLOTS: Mutex<Slots> = Mutex::new(Slots { next: 0, free: Vec::new() });
static THREADS: Mutex<Threads> = Mutex::new(Threads { made: 0, idle: Vec::new() });
/// The shards of all threads there ever were at once; those made come first.
static SHARDS: [OnceLock<Shard>; MAX_THREADS] = [const { OnceLock::new() }; MAX_THREADS];
/// For threads beyond the bound, and for those that count while they end.
static SHARED: Shard = Shard::new();

thread_local! {
    static MINE: Mine = Mine::take();
}

/// A thread's hold on its shard.
struct Mine {
    /// None: beyond the bound.
    shard: Option<&'static Shard>,
    number: usize,
}

impl Mine {
    fn take() -> Self {
        let mut threads = THREADS.lock().unwrap_or_else(PoisonError::into_inner);
        let number = threads.idle.pop().unwrap_or(threads.made);
        let shard = SHARDS.get(number).map(|shard| shard.get_or_init(Shard::new));
        if shard.is_some() {
            threads.made = threads.made.max(number + 1);
        }
        Self { shard, number }
    }
}

impl Drop for Mine {
    fn drop(&mut self) {
        if self.shard.is_some() {
            THREADS.lock().unwrap_or_else(PoisonError::into_inner).idle.push(self.number);
        }
    }
}

impl Shard {
    const fn new() -> Self {
        Self { blocks: [const { OnceLock::new() }; BLOCKS] }
    }

    #[inline]
    fn cell(&self, place: Place) -> &AtomicI64 {
        let block = match self.blocks[place.block as usize].get() {
            Some(block) => block,
            None => self.make(place),
        };
        &block[place.offset as usize]
    }

    #[cold]
    fn make(&self, place: Place) -> &[AtomicI64] {
        self.blocks[place.block as usize].get_or_init(|| (0..FIRST_BLOCK << place.block).map(|_| AtomicI64::new(0)).collect())
    }

    fn read(&self, place: Place) -> i64 {
        self.blocks[place.block as usize].get().map_or(0, |block| block[place.offset as usize].load(Ordering::Relaxed))
    }
}

impl Slot {
    /// A number that nobody uses; none when all are used. Its cells may hold what was counted there before.
    pub(super) fn take() -> Option<Self> {
        let mut slots = SLOTS.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = slots.free.pop() {
            return Some(Self(slot));
        }
        let slot = Some(slots.next).filter(|&next| next < MAX_SLOTS)?;
        slots.next += 1;
        Some(Self(slot))
    }

    /// Where its cells are.
    #[inline]
    pub(super) fn place(&self) -> Place {
        let shifted = self.0 + FIRST_BLOCK;
        let block = shifted.ilog2() - FIRST_BLOCK.ilog2();
        Place { block, offset: shifted - (FIRST_BLOCK << block) }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        SLOTS.lock().unwrap_or_else(PoisonError::into_inner).free.push(self.0);
    }
}

impl Place {
    /// Adds to this thread's cell; beyond 2^63 it wraps.
    #[inline]
    pub(super) fn add(self, by: i64) {
        let own = MINE.try_with(|mine| match mine.shard {
            Some(shard) => {
                // Nobody else writes it: no locked instruction is needed, and other threads may read at any time.
                let cell = shard.cell(self);
                cell.store(cell.load(Ordering::Relaxed).wrapping_add(by), Ordering::Relaxed);
                true
            }
            None => false,
        });
        if !own.unwrap_or(false) {
            self.add_shared(by);
        }
    }

    #[cold]
    fn add_shared(self, by: i64) {
        SHARED.cell(self).fetch_add(by, Ordering::Relaxed);
    }

    /// The sum over all threads, modulo 2^64.
    pub(super) fn sum(self) -> i64 {
        let made = SHARDS.iter().map_while(OnceLock::get);
        made.map(|shard| shard.read(self)).fold(SHARED.read(self), i64::wrapping_add)
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Barrier, thread};

    use super::*;

    #[test]
    fn every_slot_has_a_place_of_its_own() {
        let mut expect = (0, 0);
        for number in 0..100_000 {
            let slot = std::mem::ManuallyDrop::new(Slot(number));
            let place = slot.place();
            assert_eq!((place.block, place.offset), expect);
            expect.1 += 1;
            if expect.1 == FIRST_BLOCK << expect.0 {
                expect = (expect.0 + 1, 0);
            }
        }
        let last = std::mem::ManuallyDrop::new(Slot(MAX_SLOTS - 1)).place();
        assert_eq!(last.block as usize, BLOCKS - 1);
    }

    #[test]
    fn nothing_is_lost_when_threads_end_and_others_take_their_cells() {
        let place = Slot::take().unwrap();
        let before = place.place().sum();
        for _ in 0..20 {
            let begin = Barrier::new(8);
            thread::scope(|scope| {
                for _ in 0..8 {
                    scope.spawn(|| {
                        begin.wait();
                        (0..10_000).for_each(|_| place.place().add(1));
                        place.place().add(-1);
                    });
                }
            });
        }
        assert_eq!(place.place().sum() - before, 20 * 8 * 9_999);
    }

    #[test]
    fn more_threads_than_have_cells_share_some() {
        let place = Slot::take().unwrap();
        let before = place.place().sum();
        let all_there = Barrier::new(MAX_THREADS + 20);
        thread::scope(|scope| {
            for _ in 0..MAX_THREADS + 20 {
                let count = || {
                    place.place().add(1);
                    all_there.wait();
                    place.place().add(2);
                };
                // Smaller than usual, as there are so many, but 64 kB are not enough for the allocator where it is built without optimisation.
                thread::Builder::new().stack_size(512 << 10).spawn_scoped(scope, count).unwrap();
            }
        });
        assert_eq!(place.place().sum() - before, 3 * (i64::try_from(MAX_THREADS).unwrap() + 20));
    }
}
