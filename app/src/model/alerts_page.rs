//! What the page of alerts shows.

use super::Origin;

/// `/cp/alerts?edit=&box=`
#[derive(Clone, Debug, Default)]
pub struct AlertsPage {
    /// What fires, the newest first.
    pub firing: Vec<FiringRow>,
    /// What is broken and did not fire yet: rule, box, since when.
    pub pending: Vec<(String, String, i64)>,
    /// The rules.
    pub rules: Vec<AlertRow>,
    /// What fired lately, the newest first.
    pub history: Vec<FiringRow>,
    /// Where messages go.
    pub destinations: Vec<DestinationRow>,
    /// One of them takes a picture by its address alone, and the panel has none for everybody.
    pub lacks_pictures: bool,
    /// The newest messages.
    pub messages: Vec<MessageRow>,
    /// Ready-made rules for the kind of the box that is chosen: name, title, and whether it is there.
    pub ready: Vec<(String, String, bool)>,
    /// The names of all boxes.
    pub boxes: Vec<String>,
    /// The one that is chosen.
    pub box_name: String,
    /// The form of a rule, as last filled in.
    pub form: AlertForm,
    /// The form of a destination, as last filled in.
    pub destination: DestinationForm,
    /// The time of the page, epoch milliseconds.
    pub now_ms: i64,
}

/// The alerts that fire, for every page.
#[derive(Clone, Debug, Default)]
pub struct FiringNow {
    /// How many there are.
    pub count: usize,
    /// Whether one of them is critical.
    pub is_critical: bool,
    /// The newest of them.
    pub newest: Vec<FiringLine>,
}

/// One of them, in a line.
#[derive(Clone, Debug)]
pub struct FiringLine {
    /// `info`, `warning` or `critical`.
    pub severity: String,
    /// What it says.
    pub text: String,
    /// The rule.
    pub rule: String,
    /// The box.
    pub box_name: String,
}

/// Something that fires, or fired.
#[derive(Clone, Debug)]
pub struct FiringRow {
    /// The rule.
    pub rule: String,
    /// The box.
    pub box_name: String,
    /// `info`, `warning` or `critical`.
    pub severity: String,
    /// What it says.
    pub text: String,
    /// When it fired, epoch milliseconds.
    pub fired_ms: i64,
    /// When it was over.
    pub ended_ms: Option<i64>,
    /// Who looks after it.
    pub acknowledged_by: Option<String>,
    /// Nobody is told: until when, or until it is over.
    pub silenced: Option<Option<i64>>,
    /// The box is still there.
    pub has_box: bool,
}

/// A rule.
#[derive(Clone, Debug)]
pub struct AlertRow {
    /// Its name.
    pub name: String,
    /// What it looks at.
    pub formula: String,
    /// When it is broken, in words.
    pub condition: String,
    /// `info`, `warning` or `critical`.
    pub severity: String,
    /// The boxes, in words.
    pub boxes: String,
    /// It is not looked at.
    pub paused: bool,
    /// Who made it.
    pub origin: Origin,
    /// On how many boxes it fires.
    pub fires: usize,
    /// When nobody is told, again and again.
    pub silences: Vec<String>,
    /// What it looks at and there is not: the box, where it names some, and what.
    pub missing: Vec<(String, String)>,
}

/// A destination.
#[derive(Clone, Debug)]
pub struct DestinationRow {
    /// Its name.
    pub name: String,
    /// The word of its kind.
    pub kind: String,
    /// Where it is, without what is secret.
    pub place: String,
    /// What became of the newest message, in words, and whether that is bad.
    pub newest: Option<(String, bool)>,
    /// The configuration file has it.
    pub is_of_file: bool,
    /// Nothing is sent there.
    pub paused: bool,
}

/// A message.
#[derive(Clone, Debug)]
pub struct MessageRow {
    /// Where to.
    pub destination: String,
    /// When it was made, epoch milliseconds.
    pub made_ms: i64,
    /// What it says, in a line.
    pub title: String,
    /// What became of it, in words, and whether that is bad.
    pub state: (String, bool),
}

/// The fields of a rule as a person typed them.
#[derive(Clone, Debug, Default)]
pub struct AlertForm {
    /// One that there is is changed.
    pub editing: bool,
    /// Its name.
    pub name: String,
    /// What it looks at.
    pub formula: String,
    /// The word of its condition.
    pub condition: String,
    /// The bound: of the condition, what stands first.
    pub bound: String,
    /// The other: where it is well again, or the upper bound.
    pub other: String,
    /// Within which time, or how long ago.
    pub time: String,
    /// How long it must hold.
    pub hold: String,
    /// `info`, `warning` or `critical`.
    pub severity: String,
    /// The names of boxes with commas between; empty: all.
    pub boxes: String,
    /// `key=value` with commas between.
    pub labels: String,
    /// What is said.
    pub text: String,
    /// The names of destinations with commas between; empty: all.
    pub destinations: String,
    /// How often it is told again.
    pub repeat: String,
    /// When nobody is told, again and again, with semicolons between.
    pub silences: String,
    /// What is wrong, by the name of the field.
    pub errors: Vec<(&'static str, String)>,
    /// When it would have fired in the last week: from when to when, and what it was.
    pub would: Option<Vec<(i64, i64, String)>>,
    /// The chart of that week, with the bounds and when it would have fired.
    pub chart: String,
    /// Why nothing can be said of that.
    pub would_not: Option<String>,
}

/// The fields of a destination as a person typed them. A secret is never among them.
#[derive(Clone, Debug, Default)]
pub struct DestinationForm {
    /// Its name.
    pub name: String,
    /// The word of its kind.
    pub kind: String,
    /// Where it is.
    pub url: String,
    /// The mail server.
    pub server: String,
    /// How the mail server is spoken to.
    pub tls: String,
    /// Who signs in there.
    pub user: String,
    /// The sender.
    pub from: String,
    /// The receivers, or the chat.
    pub to: String,
    /// The file of a private issuer.
    pub ca: String,
    /// Within which time what comes is told together.
    pub together: String,
    /// What is wrong, by the name of the field.
    pub errors: Vec<(&'static str, String)>,
}
