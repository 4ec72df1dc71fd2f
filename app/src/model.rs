//! The words of the API and the pages: plain data, the same in the server and the browser.

#[cfg(feature = "ssr")]
mod alerts_page;
mod boxes;
#[cfg(any(feature = "ssr", feature = "hydrate"))]
mod certificates;
mod chart_spec;
#[cfg(feature = "ssr")]
mod choice;
#[cfg(feature = "ssr")]
mod composed;
#[cfg(feature = "ssr")]
mod derived_page;
mod notes;
mod number;
#[cfg(feature = "ssr")]
mod overview;
#[cfg(feature = "ssr")]
mod page;
#[cfg(feature = "ssr")]
mod processes;
#[cfg(feature = "ssr")]
mod scripts;
mod series;
#[cfg(feature = "ssr")]
mod sets;
#[cfg(feature = "ssr")]
mod settings_page;
pub mod spark;
mod statistic;
#[cfg(feature = "ssr")]
mod statistic_page;
#[cfg(feature = "ssr")]
mod taste;
#[cfg(feature = "ssr")]
mod users;

#[cfg(feature = "ssr")]
pub use alerts_page::{AlertForm, AlertRow, AlertsPage, DestinationForm, DestinationRow, FiringLine, FiringNow, FiringRow, MessageRow};
pub use boxes::{BoxKind, BoxState, BoxView, Origin, ProbeReport, Verdict};
#[cfg(any(feature = "ssr", feature = "hydrate"))]
pub use certificates::Certificates;
pub use chart_spec::{Axis, CHART_STATISTICS_MAX, ChartSpec, Combine, Scale, SpecError, Wanted};
#[cfg(feature = "ssr")]
pub use choice::{By, Choice, Hide, Show, Sort};
#[cfg(feature = "ssr")]
pub use composed::Composed;
#[cfg(feature = "ssr")]
pub use derived_page::{DerivedForm, DerivedPage, DerivedRow, ReadyRow};
pub use notes::Note;
#[cfg(feature = "ssr")]
pub use notes::{NoteForm, NotesPage};
pub use number::{Number, Numbers};
#[cfg(feature = "ssr")]
pub use overview::{NumberView, Order, OverviewPage, Size, TileView};
#[cfg(feature = "ssr")]
pub use page::{
    BoxForm, BoxesPage, ChartView, ChartsPage, Closely, Frame, GroupView, LoginPage, MessagePage, Page, PushForm, RealtimePage,
    ResetQuestion, RowView, SetupPage, Tab, Theme,
};
#[cfg(feature = "ssr")]
pub use processes::Processes;
#[cfg(feature = "ssr")]
pub use scripts::{PostRow, ReadyScript, RunRow, ScriptForm, ScriptPage, ScriptRow, ScriptsPage, VersionRow};
pub use series::{AlertMark, COMPARED, ChartLines, Columns, Fired, Gap, Mode, Reset, ResetCause, Series};
#[cfg(feature = "ssr")]
pub use sets::{ReadySet, SetForm, SetRow, SetsPage};
#[cfg(feature = "ssr")]
pub use settings_page::{KeepForm, KeepRow, SettingsPage, UsageRow};
pub use spark::{SPARK_POINTS, Spark};
pub use statistic::{Fault, Kind, LiveStatistic, LiveValues, Recorded, Removed, Statistic, Statistics, split_name};
#[cfg(feature = "ssr")]
pub use statistic_page::{MarkView, NearView, StatisticPage, Ticked};
#[cfg(feature = "ssr")]
pub use taste::{Column, Density, SPANS, Taste, USUAL_SPAN, is_span};
#[cfg(feature = "ssr")]
pub use users::{Asked, May, PersonRow, TokenRow, Typed, UsersPage};
