//! What each page shows. The server fills these from the board and the store; pages only draw them.

use super::{
    AlertsPage, Axis, BoxView, Certificates, Choice, Composed, DerivedPage, FiringNow, Kind, May, Mode, NotesPage, Number, OverviewPage,
    ProbeReport, Processes, Scale, ScriptPage, ScriptsPage, SetsPage, SettingsPage, StatisticPage, Taste, UsersPage,
};

/// A tab of the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tab {
    /// Realtime Statistics.
    Realtime,
    /// Statistics Charts.
    Charts,
    /// Overview.
    Overview,
    /// Boxes.
    Boxes,
    /// Alerts.
    Alerts,
    /// Scripts, by the account's menu.
    Scripts,
    /// Settings, by the account's menu.
    Settings,
    /// Users, by the account's menu.
    Users,
    /// Notes, from the charts.
    Notes,
    /// A page outside the tabs: login, setup, an error.
    None,
}

/// Light or dark, as kept in the cookie `theme`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub enum Theme {
    /// As the system says.
    #[default]
    Auto,
    /// Always light.
    Light,
    /// Always dark.
    Dark,
}

impl Theme {
    /// The word used in the cookie, in forms and in `data-theme`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// The theme a word names; anything unknown is `Auto`.
    #[must_use]
    pub fn parse(word: &str) -> Self {
        match word {
            "light" => Self::Light,
            "dark" => Self::Dark,
            _ => Self::Auto,
        }
    }
}

/// What every page has around it.
#[derive(Clone, Debug)]
pub struct Frame {
    /// The tab that is open.
    pub tab: Tab,
    /// Who is signed in.
    pub user: Option<String>,
    /// What they may.
    pub may: May,
    /// Light or dark.
    pub theme: Theme,
    /// Path and query of this page, for forms that come back to it.
    pub here: String,
    /// A sentence to show once at the top: what the last form did.
    pub notice: Option<String>,
    /// Like `notice`, for what went wrong.
    pub alert: Option<String>,
    /// Why nothing can be recorded at this moment.
    pub fault: Option<String>,
    /// How who is signed in likes tables to look.
    pub taste: Taste,
    /// The alerts that fire.
    pub firing: FiringNow,
}

/// A page: its frame is beside it.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one a request, and it is moved twice")]
pub enum Page {
    /// `/cp`
    Realtime(RealtimePage),
    /// `/cp/charts`
    Charts(ChartsPage),
    /// `/cp/overview`
    Overview(OverviewPage),
    /// `/cp/boxes`
    Boxes(BoxesPage),
    /// `/cp/boxes/{box}/{group:name}`
    Statistic(Box<StatisticPage>),
    /// `/cp/scripts`
    Scripts(ScriptsPage),
    /// `/cp/scripts/{name}`
    Script(ScriptPage),
    /// `/cp/settings`
    Settings(SettingsPage),
    /// `/cp/users`
    Users(UsersPage),
    /// `/cp/sets`
    Sets(Box<SetsPage>),
    /// `/cp/notes`
    Notes(NotesPage),
    /// `/cp/alerts`
    Alerts(Box<AlertsPage>),
    /// `/cp/derived`
    Derived(Box<DerivedPage>),
    /// `/cp/login`
    Login(LoginPage),
    /// `/cp/setup`
    Setup(SetupPage),
    /// Not found, or a fault.
    Message(MessagePage),
}

/// `/cp?box=&match=&show=&hide=&sort=`
#[derive(Clone, Debug)]
pub struct RealtimePage {
    /// All boxes, for the choice.
    pub boxes: Vec<BoxView>,
    /// The one shown.
    pub current: Option<BoxView>,
    /// The search, as typed.
    pub search: String,
    /// Which rows are shown, and in what order.
    pub choice: Choice,
    /// How many statistics there are: all, recorded, moving.
    pub counts: (usize, usize, usize),
    /// How many of them never moved.
    pub still: usize,
    /// The rows, by group.
    pub groups: std::sync::Arc<[GroupView]>,
    /// Ticks whose statistic has not been seen yet, or is no longer there.
    pub unseen: Vec<String>,
    /// How many more of these there are.
    pub unseen_left_out: usize,
    /// How many rows matched beyond the bound of one page and are left out.
    pub left_out: usize,
    /// What is to be set to zero: asked before it is done.
    pub resetting: Option<ResetQuestion>,
    /// Whether what is shown is looked at closely.
    pub closely: Closely,
    /// The chart sets that this page leads to.
    pub pinned: std::sync::Arc<[String]>,
}

/// Looking closely: what is shown is asked far more often than it is recorded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Closely {
    /// It cannot be: too much is shown, or the box is not asked, or it is asked as often anyway.
    #[default]
    No,
    /// It can be, so often.
    Offered(String),
    /// It is, so often.
    On(String),
}

impl Closely {
    /// How often, while it is so; else empty.
    #[must_use]
    pub fn every(&self) -> &str {
        if let Self::On(every) = self { every } else { "" }
    }
}

/// What somebody wants to set to zero.
#[derive(Clone, Debug, Default)]
pub struct ResetQuestion {
    /// The counters, by full name; no more than are reset at once.
    pub counters: Vec<String>,
    /// How many counters there are beyond that.
    pub left_out: usize,
    /// How many gauges match as well, which stay as they are.
    pub gauges: usize,
    /// Where the answer leads back to.
    pub back: String,
}

/// One group of a box.
#[derive(Clone, Debug)]
pub struct GroupView {
    /// The group's name; may be empty.
    pub name: String,
    /// How many statistics it has, shown here or not.
    pub total: usize,
    /// How many of all these are recorded.
    pub recorded: usize,
    /// The rows that are shown.
    pub rows: Vec<RowView>,
    /// What the processes of the box are, for statistics that it has once per process.
    pub processes: std::sync::Arc<Processes>,
    /// Their HTML, once it is drawn.
    pub table: std::sync::OnceLock<String>,
}

/// One statistic.
#[derive(Clone, Debug)]
pub struct RowView {
    /// The full name, `group:name`.
    pub name: String,
    /// The newest value.
    pub value: Option<Number>,
    /// The increase per second.
    pub rate: Option<f64>,
    /// Counter or gauge.
    pub kind: Kind,
    /// The unit of the value.
    pub unit: String,
    /// Whether it is recorded.
    pub ticked: bool,
    /// Whether it changed at the last poll.
    pub moved: bool,
    /// What it means.
    pub description: String,
    /// Why there is no value.
    pub reason: Option<String>,
    /// The latest points, oldest first.
    pub spark: Vec<Option<f32>>,
}

/// `/cp/charts?span=&mode=&box=&name=`
#[derive(Clone, Debug)]
pub struct ChartsPage {
    /// All boxes, for the choice.
    pub boxes: Vec<BoxView>,
    /// The box whose charts are shown; all of them when none is chosen.
    pub current: Option<String>,
    /// The span: `1h`, `6h`, `24h`, `7d`, `30d` or `1y`.
    pub span: String,
    /// The one that pages begin with: it stays out of their addresses.
    pub usual_span: String,
    /// From one instant to another instead, epoch milliseconds.
    pub range: Option<(i64, i64)>,
    /// Rate or value for all charts; each by its kind when none is chosen.
    pub mode: Option<Mode>,
    /// What was so long before is drawn too: `1h`, `24h` or `7d`.
    pub compare: Option<String>,
    /// A search over the names, as typed.
    pub search: String,
    /// How values lie on the axes.
    pub scale: Scale,
    /// Where the axes begin.
    pub axis: Axis,
    /// The charts that somebody put together; where there are any, the page shows these.
    pub composed: Vec<Composed>,
    /// What is recorded, to choose from: with its box.
    pub names: Vec<String>,
    /// One chart a ticked statistic.
    pub charts: Vec<ChartView>,
    /// How many matched beyond the bound of one page and are left out.
    pub left_out: usize,
}

/// One chart card. Its numbers come with the picture, so that the page reads no series.
#[derive(Clone, Debug)]
pub struct ChartView {
    /// The name of the box.
    pub box_name: String,
    /// The full name of the statistic.
    pub name: String,
    /// Counter or gauge.
    pub kind: Kind,
    /// Rate or value.
    pub mode: Mode,
    /// The unit of what is drawn, such as `bytes` or `requests/s`.
    pub unit: String,
    /// What the statistic means.
    pub description: String,
}

/// `/cp/boxes?edit=&remove=`
#[derive(Clone, Debug)]
pub struct BoxesPage {
    /// All boxes.
    pub boxes: Vec<BoxView>,
    /// The form to add or edit with, as last filled in.
    pub form: BoxForm,
    /// The name of the box that is edited, when one is.
    pub editing: Option<String>,
    /// The box that is to be removed and how: asked before it is done.
    pub removing: Option<BoxView>,
    /// What the last probe found.
    pub probe: Option<ProbeReport>,
    /// The form to push a value with.
    pub push: PushForm,
    /// How often a box is asked that has no interval of its own, such as `10s`.
    pub default_interval: String,
}

/// The fields of a box as a person typed them, and what is wrong with them.
#[derive(Clone, Debug, Default)]
pub struct BoxForm {
    /// Its name.
    pub name: String,
    /// Its address, without what stands behind a `#`.
    pub address: String,
    /// What stands there.
    pub certificates: Certificates,
    /// The word of its kind; empty: find out.
    pub kind: String,
    /// How often, such as `10s`; empty: as the panel's default says.
    pub interval: String,
    /// The user name for Basic auth.
    pub user: String,
    /// `key=value` pairs with commas between.
    pub labels: String,
    /// What is wrong, by the name of the field.
    pub errors: Vec<(&'static str, String)>,
}

/// The fields of a value to push, as a person typed them.
#[derive(Clone, Debug, Default)]
pub struct PushForm {
    /// The statistic.
    pub name: String,
    /// `+1`, `-4` or `=7`.
    pub value: String,
    /// The field that is wrong, or none of them, and what is wrong.
    pub wrong: Option<(&'static str, String)>,
}

/// `/cp/login`
#[derive(Clone, Debug, Default)]
pub struct LoginPage {
    /// The user name as typed.
    pub user: String,
    /// Where to go after the login.
    pub next: String,
    /// What went wrong.
    pub error: Option<String>,
    /// Whether a form was sent after the session had ended, and was not taken.
    pub again: bool,
    /// Whether no account exists yet, so that the setup link is needed first.
    pub needs_setup: bool,
}

/// `/cp/setup?token=`
#[derive(Clone, Debug, Default)]
pub struct SetupPage {
    /// The one-time token of the link.
    pub token: String,
    /// The user name as typed; `admin` at first.
    pub user: String,
    /// What went wrong.
    pub error: Option<String>,
    /// Whether the token is good; else the page says how to get one.
    pub allowed: bool,
}

/// A page that only says something.
#[derive(Clone, Debug)]
pub struct MessagePage {
    /// The HTTP status.
    pub status: u16,
    /// The heading.
    pub title: String,
    /// What to do.
    pub text: String,
    /// Where that is done: the words of a link, and where it leads.
    pub next: Option<(String, String)>,
}
