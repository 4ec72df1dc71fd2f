//! What the pages of scripts show.

/// `/cp/scripts`
#[derive(Clone, Debug, Default)]
pub struct ScriptsPage {
    /// All scripts, in the order of their names.
    pub scripts: Vec<ScriptRow>,
    /// Those that are ready to be added.
    pub ready: Vec<ReadyScript>,
    /// The hosts that scripts may reach, as they were last filled in.
    pub hosts: String,
    /// What is wrong with them.
    pub hosts_error: Option<String>,
    /// Those that the configuration allows besides.
    pub configured: Vec<String>,
    /// The newest of what scripts posted.
    pub posts: Vec<PostRow>,
    /// Whether whoever looks may change something.
    pub may_write: bool,
    /// Now, epoch milliseconds.
    pub now_ms: i64,
}

/// A script in the list.
#[derive(Clone, Debug, Default)]
pub struct ScriptRow {
    /// Its name.
    pub name: String,
    /// When it runs by itself; empty: never.
    pub schedule: String,
    /// When that is next, epoch milliseconds.
    pub next_ms: Option<i64>,
    /// Its newest run.
    pub last: Option<RunRow>,
}

/// A script that is ready to be added.
#[derive(Clone, Debug, Default)]
pub struct ReadyScript {
    /// The name that it is added by.
    pub name: String,
    /// What it does.
    pub about: String,
    /// When it runs.
    pub schedule: String,
    /// A script of this name is there.
    pub is_added: bool,
}

/// Something that a script posted.
#[derive(Clone, Debug, Default)]
pub struct PostRow {
    /// The script.
    pub script: String,
    /// Where it goes.
    pub url: String,
    /// When it was posted, epoch milliseconds.
    pub at_ms: i64,
    /// How often it was tried.
    pub attempts: i64,
    /// `waiting`, `delivered` or `given up`.
    pub outcome: String,
    /// What came of the last try.
    pub answer: String,
    /// When it is tried next.
    pub next_ms: Option<i64>,
}

/// `/cp/scripts/{name}`
#[derive(Clone, Debug, Default)]
pub struct ScriptPage {
    /// The form, as it is or as it was last filled in.
    pub form: ScriptForm,
    /// There is no such script yet.
    pub is_new: bool,
    /// The number of the newest version.
    pub version: i64,
    /// When it runs next, epoch milliseconds.
    pub next_ms: Option<i64>,
    /// What a run or a dry run that was just made came to.
    pub done: Option<RunRow>,
    /// The runs that are kept, the newest first.
    pub runs: Vec<RunRow>,
    /// The versions that are kept, the newest first.
    pub versions: Vec<VersionRow>,
    /// It is asked whether it is to be removed.
    pub is_removing: bool,
    /// Whether whoever looks may change something.
    pub may_write: bool,
    /// Now, epoch milliseconds.
    pub now_ms: i64,
}

/// The fields of a script as a person typed them, and what is wrong with them.
#[derive(Clone, Debug, Default)]
pub struct ScriptForm {
    /// The name.
    pub name: String,
    /// What it says.
    pub source: String,
    /// When it runs by itself.
    pub schedule: String,
    /// The fields that are wrong, and why.
    pub errors: Vec<(&'static str, String)>,
    /// Where the source is wrong: line and column, from 1.
    pub place: Option<(usize, usize)>,
    /// The form shows an older version.
    pub of_version: Option<i64>,
}

/// A run.
#[derive(Clone, Debug, Default)]
pub struct RunRow {
    /// When it began, epoch milliseconds.
    pub at_ms: i64,
    /// How long it took; none: it goes on.
    pub took_ms: Option<i64>,
    /// What began it, in words.
    pub began: String,
    /// `running`, `ok`, `failed`, `skipped`, `interrupted`, or `dry`.
    pub outcome: String,
    /// What it wrote.
    pub output: String,
    /// What it changed, a line each.
    pub changed: Vec<String>,
    /// What went wrong, with its place.
    pub error: Option<String>,
    /// Where, line and column, from 1.
    pub place: Option<(usize, usize)>,
}

/// A version.
#[derive(Clone, Debug, Default)]
pub struct VersionRow {
    /// Its number.
    pub version: i64,
    /// When it was written, epoch milliseconds.
    pub at_ms: i64,
    /// Who wrote it.
    pub by: String,
}
