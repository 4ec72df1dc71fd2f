//! A million statistics in one registry: making, reading, memory.

use std::{fs, hint::black_box, thread, time::Instant};

use server::engine::{Registry, Statistic};

use crate::{Outcome, table::Spread};

const MANY: u32 = 1_000_000;
/// Groups that they are in.
const GROUPS: u32 = 100;
/// Threads that count in each.
const THREADS: usize = 4;
/// Readings of all.
const READINGS: usize = 7;

pub(crate) struct Million {
    /// Nanoseconds.
    pub(crate) make: Spread,
    /// Milliseconds for all.
    pub(crate) read: Spread,
    /// Bytes.
    pub(crate) memory: Spread,
}

pub(crate) fn measure() -> Outcome<Million> {
    let before = resident_bytes()?;
    let name = |number| format!("group_{:03}:name_{number:07}", number % GROUPS);
    let begun = Instant::now();
    let registry = Registry::new();
    for number in 0..MANY {
        registry.counter(&name(number))?;
    }
    let make = begun.elapsed().as_secs_f64() * 1e9 / f64::from(MANY);
    let count = || (0..MANY).try_for_each(|number| registry.add(&name(number), 1));
    thread::scope(|scope| {
        let counting: Vec<_> = (0..THREADS).map(|_| scope.spawn(count)).collect();
        counting.into_iter().try_for_each(|thread| thread.join().unwrap_or(Ok(())))
    })?;
    let grown = resident_bytes()? - before;
    let read = (0..READINGS).map(|_| {
        let begun = Instant::now();
        black_box(registry.statistics().iter().filter_map(Statistic::value).count());
        begun.elapsed().as_secs_f64() * 1e3
    });
    let read = Spread::of(read.collect());
    Ok(Million { make: Spread::exact(make), read, memory: Spread::exact(grown / f64::from(MANY)) })
}

/// Memory of this process that is there, in bytes; what was let go and not yet given back counts as well.
fn resident_bytes() -> Outcome<f64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
    let kilobytes: f64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kilobytes * 1024.0)
}
