//! Alerts: rules over what boxes tell, what became of each on each box, and the messages that go out. A rule is put to a box when an answer
//! of it comes, by the panel that polls it; what changes is kept with the messages in one transaction, and a message is sent by the panel
//! that claims it. Knows no wire of a box and no SQL.
//!
//! A value's way here: [`Watching::look`] (rules of the box, computed in place) → [`Change`] → `keep` (state, history, outbox) → `outbox`
//! (claims, sends, tries again) → `destination` (what each kind is told).

mod before;
mod condition;
mod destination;
mod keep;
mod late;
mod message;
mod outbox;
mod past;
mod picture;
mod quiet;
mod rule;
mod state;
#[cfg(test)]
mod tests;
mod watch;

pub use before::follow_before;
pub use condition::{Condition, judge_point};
pub use destination::{Destination, Kind as DestinationKind, Tls};
pub use keep::{Alerts, silences};
pub use late::{LateBox, LatePoll};
pub use message::{Message, Told};
pub use outbox::{Draw, Outbox, send_test};
pub use picture::{NotShown, Pictured, Pictures};
pub use quiet::Quiet;
pub use rule::{Boxes, MAX_RULES, Rule, Severity};
pub use state::{Phase, Turn, Verdict};
pub use watch::{Across, Change, Ready, Watching, looked_at};
