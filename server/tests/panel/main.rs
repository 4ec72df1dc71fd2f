//! Whole-program tests: a panel on a port of its own, with its database in a folder of its own, asked over HTTP as people and
//! tools ask it. Laid out like the URLs.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test ends where something is not as it must be")]

mod alerts;
#[path = "../source/bad.rs"]
#[expect(dead_code, reason = "how each failure is counted is looked at elsewhere")]
mod bad;
mod boxes;
mod certificates;
mod charts;
mod closely;
mod continuity;
mod derived;
mod description;
mod destinations;
mod door;
mod events;
mod fake_box;
mod faults;
mod hostile;
mod https;
mod late;
mod left_out;
mod logins;
mod mail;
mod mi;
mod mi_fifo;
mod notes;
mod overview;
mod pictures;
mod problems;
mod pushing;
mod receiver;
#[path = "../source/replay.rs"]
#[expect(dead_code, reason = "what servers have seen is looked at elsewhere")]
mod replay;
mod resets;
mod retention;
mod rules;
mod scripts;
mod scripts_seen;
mod series;
mod sets;
mod statistic;
mod stop;
mod stuck;
mod support;
mod ticks;
mod told;
mod users;
