//! Tests of the binary as a process: what a person at a shell meets, and what it leaves behind when it is ended at any instant.

#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

mod client;
mod clock;
#[path = "../support/cluster.rs"]
mod cluster;
mod commands;
mod events;
#[path = "../panel/fake_box.rs"]
#[expect(dead_code, reason = "other tests need more of it")]
mod fake_box;
mod full_disk;
mod killed;
mod late_alerts;
#[path = "../panel/left_out.rs"]
mod left_out;
mod mariadb;
mod ocp;
mod openmetrics;
mod panels;
mod postgres;
mod pushed;
mod schedules;
mod served;
mod spooled;
mod two_clocks;
mod watcher;
