//! Why a time has no sample though the box may have been well: it was not asked, or what it answered was not recorded.

/// Somebody paused it.
pub(super) const PAUSED: &str = "paused";
/// No panel was there to ask.
pub(super) const NOT_RUNNING: &str = "Tickmark was not running";
/// Between two panels nobody asked.
pub(super) const OTHER_PANEL: &str = "it went from one panel to another";
/// What is said of a box that is not asked, as another panel may ask it.
pub(crate) const LEASE_IS_OVER: &str = "the database cannot be reached, and another panel may poll this box by now";
/// What it answered found no room.
pub(super) const NO_ROOM: &str = "too much waited for the database";
/// There was no such time; by how much the clock went on follows.
pub(super) const CLOCK_FORWARD: &str = "this host's clock was set forward";
/// It was still being asked.
pub(super) const OVERRUN: &str = "a poll took longer than the interval";

/// Whether the reason of a gap says nothing of the box itself.
pub(crate) fn is_not_of_the_box(reason: &str) -> bool {
    [PAUSED, NOT_RUNNING, OTHER_PANEL, LEASE_IS_OVER, NO_ROOM, CLOCK_FORWARD, OVERRUN].iter().any(|begin| reason.starts_with(begin))
}
