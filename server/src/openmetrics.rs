//! History as OpenMetrics text (1.0): how statistics are spelled in it, written and read. It must not know files or the store.
//!
//! A metric's name is the statistic's name as it stands, with its labels: OpenMetrics allows colons. What it cannot spell, such as
//! `load:load-proc-3`, is `tickmark_value{group="load",name="load-proc-3"}`. The kind is in `# TYPE`. A value that is not known is NaN.

mod line;
mod read;
mod write;

pub(crate) use line::{kind, sample, type_line};
pub(crate) use read::{MAX_SECONDS, value};
pub use read::{Reader, Row};
pub use write::{CONTENT_TYPE, END, Spelled, Writer};

/// The metric that stands for names which OpenMetrics cannot spell, …
const STAND_IN: &str = "tickmark_value";
/// … the label with the group of such a name, where that is not empty, …
const GROUP: &str = "group";
/// … and the one with the rest of it, or with all of it where there is no group.
const NAME: &str = "name";
