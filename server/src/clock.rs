//! The wall clock, read at the edges only: everything deeper is told the time.

use std::time::{SystemTime, UNIX_EPOCH};

/// Now, in epoch milliseconds.
#[must_use]
pub fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
