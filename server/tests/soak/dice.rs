//! Random numbers that can be had again.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Says where the numbers begin.
const SEED: &str = "TICKMARK_SOAK_SEED";

pub(crate) struct Dice(u64);

impl Dice {
    /// Other ones each time, unless the variable says which.
    pub(crate) fn new() -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
        let seed = std::env::var(SEED).map_or(now as u64, |text| text.parse().unwrap());
        println!("{SEED}={seed}");
        Self(seed)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }

    /// A time that is shorter, in steps of a hundred microseconds.
    pub(crate) fn time_below(&mut self, bound: Duration) -> Duration {
        Duration::from_micros(self.below(bound.as_micros() as u64 / 100 + 1) * 100)
    }
}
