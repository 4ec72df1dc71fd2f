//! Whole-program tests: a panel on a port of its own, with its database in a folder of its own, asked over HTTP as people and
//! tools ask it. Laid out like the URLs.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test ends where something is not as it must be")]

mod boxes;
mod continuity;
mod description;
mod door;
mod events;
mod fake_box;
mod faults;
mod problems;
mod series;
mod stop;
mod support;
mod ticks;
