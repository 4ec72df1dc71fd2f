//! Which build of the panel answers, so that pages that stayed open while it was replaced can load anew.

use std::{
    fs,
    sync::LazyLock,
    time::{Duration, UNIX_EPOCH},
};

use axum::response::sse::Event;

/// How long a browser waits before it connects again.
const RECONNECT_AFTER: Duration = Duration::from_secs(1);

static BUILD: LazyLock<String> = LazyLock::new(|| {
    // The running binary itself, also when another has taken its name since.
    let running = fs::metadata("/proc/self/exe").ok();
    let made = running.and_then(|file| Some((file.modified().ok()?.duration_since(UNIX_EPOCH).ok()?.as_nanos(), file.len())));
    made.map_or_else(|| env!("CARGO_PKG_VERSION").to_owned(), |(time, size)| format!("{time:x}-{size:x}"))
});

/// The event `build`: the same text for as long as the same binary runs, whenever it was started.
pub(super) fn event() -> Event {
    Event::default().event("build").retry(RECONNECT_AFTER).data(format!("{{\"id\":\"{}\"}}", *BUILD))
}
