//! The statistics engine: statistics by name, which anyone may count in without waiting, and on top of it the panel's own box
//! `tickmark`. Knows no page and no wire.
//!
//! The engine proper is the [`Registry`], which other programs can use as well:
//!
//! ```
//! use app::model::{Kind, Number};
//! use server::engine::{Registry, Traits};
//!
//! let registry = Registry::new();
//! // A held handle: one relaxed addition to a cell of this thread's own.
//! let answered = registry.counter("calls:answered")?;
//! answered.count();
//! answered.add(-1);
//! // A name that is worked out at run time; its group exists by being named.
//! registry.add(&format!("method:{}", "INVITE"), 1)?;
//! // A level that is computed when it is read.
//! registry.computed("calls:active", Kind::Gauge, || Some(Number::Int(3)))?;
//! // In no list, told to whoever names it, and not to be reset.
//! registry.counter_with("calls:seed", Traits::COUNTER.hidden().not_reset(), 40)?;
//!
//! for statistic in registry.statistics() {
//!     println!("{} = {:?}", statistic.name(), statistic.value());
//! }
//! # assert_eq!(registry.find("method:INVITE").and_then(|found| found.value()), Some(Number::Int(1)));
//! # Ok::<(), server::engine::RegistryError>(())
//! ```
//!
//! A value is a signed integer of 64 bits, exact over all of them; a computed one may also be a float, or not known.

mod cells;
mod registry;
mod statistic;

pub use registry::{DEFAULT_GROUP, Registry, RegistryError};
pub use statistic::{Compute, Computed, Counter, Statistic, Traits};

mod asking;
mod custom;
mod dispatch;
mod host;
mod keep;
mod panel;

pub use custom::{MAX_CUSTOM, MAX_CUSTOM_NAME_BYTES, Push, PushError, Unkept};
pub use dispatch::{DISPATCH_GROUP, DispatchError, MAX_DESTINATIONS, Picked};
pub use keep::keep_going;
pub use panel::{Counts, Engine, FAILURE_KINDS, describe, own_names, survives};
