//! Clocks: wall time, the processor time of a thread, of this process and of another one. They must not know what is timed.

use std::{fs, time::Instant};

use rustix::time::{ClockId, clock_gettime};

use crate::Outcome;

/// Microseconds of processor time that this thread has used.
pub(crate) fn thread_us() -> f64 {
    microseconds(ClockId::ThreadCPUTime)
}

/// Microseconds of processor time that this process has used, all its threads together.
pub(crate) fn process_us() -> f64 {
    microseconds(ClockId::ProcessCPUTime)
}

#[expect(clippy::cast_precision_loss, reason = "processor time of minutes")]
fn microseconds(clock: ClockId) -> f64 {
    let time = clock_gettime(clock);
    time.tv_sec as f64 * 1e6 + time.tv_nsec as f64 / 1e3
}

/// Microseconds of processor time that the living threads of another process have used, in the kernel too.
pub(crate) fn process_of_us(pid: u32) -> Outcome<f64> {
    let mut sum = 0.0;
    for thread in fs::read_dir(format!("/proc/{pid}/task"))? {
        // A thread may end while it is looked at.
        let Ok(text) = fs::read_to_string(thread?.path().join("schedstat")) else { continue };
        sum += text.split_whitespace().next().unwrap_or_default().parse::<f64>().unwrap_or_default() / 1e3;
    }
    Ok(sum)
}

/// Megabytes of memory that another process has, by a field of `/proc/PID/status` such as `VmRSS`.
pub(crate) fn memory_of_mb(pid: u32, field: &str) -> Outcome<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':')).ok_or("a process without that field")?;
    let kilobytes: f64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kilobytes * 1024.0 / 1e6)
}

/// Milliseconds that something takes, of wall time.
pub(crate) fn wall_ms<T>(work: impl FnOnce() -> T) -> (f64, T) {
    let begun = Instant::now();
    let done = work();
    (begun.elapsed().as_secs_f64() * 1e3, done)
}
