//! Other processes, from outside: the processor time that one has used, and free ports. It must not know what they do.

use std::{fs, net::TcpListener};

use crate::Outcome;

/// The kernel counts processor time for others in hundredths of a second, on every architecture.
const TICK_US: f64 = 10_000.0;

/// Microseconds of processor time that a process has used since it began, in the kernel too, also of threads that ended.
pub(crate) fn cpu_us(pid: u32) -> Outcome<f64> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name of the program may hold anything; what follows its end does not.
    let after = text.rsplit_once(") ").ok_or("no such process")?.1;
    let words: Vec<&str> = after.split(' ').collect();
    let ticks = |place: usize| words.get(place).and_then(|word| word.parse::<f64>().ok()).ok_or("no times of a process");
    Ok((ticks(11)? + ticks(12)?) * TICK_US)
}

/// A port that nobody listens at.
pub(crate) fn free_port() -> Outcome<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
