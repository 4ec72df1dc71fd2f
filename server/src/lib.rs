//! Tickmark's server. The modules stand in the order a sample travels:
//! a box is asked ([`source`], or [`engine`] for the panel itself), the [`board`] keeps what it answered, the [`sampler`] decides
//! what is recorded, the [`store`] keeps it, [`history`] makes columns of it, [`live`] tells watchers, [`mi`] tells
//! OpenSIPS's tools; [`auth`] guards [`api`] and [`http`], which serve it all.

pub mod alerts;
pub mod api;
pub mod assets;
pub mod auth;
pub mod board;
pub mod catalogue;
pub mod cli;
pub mod clock;
pub mod config;
pub mod desk;
pub mod engine;
pub mod formula;
pub mod history;
pub mod http;
pub mod live;
pub mod mi;
pub mod ocp;
pub mod openmetrics;
pub mod png;
pub mod problem;
pub mod provision;
pub mod runtime;
pub mod sampler;
pub mod scripts;
pub mod serve;
pub mod source;
pub mod store;
pub mod vault;

/// As the program has it: tests see what a script takes of memory.
#[cfg(test)]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;
