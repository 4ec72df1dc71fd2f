//! Scripts: what administrators would do with statistics in `opensips.cfg`, cron and shell, kept with versions and run by the panel. Knows no
//! HTTP of its own pages and no SQL.
//!
//! A run has a thread and bounds of its own ([`sandbox`]), is given words ([`words`]) that act on its host ([`host`]), and is begun by people,
//! tools, the clock or what happens ([`clockwork`]). What it posts is delivered by [`deliver`], to hosts that [`reach`] allows.

mod clockwork;
mod deliver;
mod host;
mod notices;
mod reach;
mod ready;
mod running;
mod sandbox;
mod schedule;
mod values;
mod words;

use std::sync::{Arc, Mutex};

use rhai::{Dynamic, Map};
use tokio::sync::{Notify, Semaphore};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub use clockwork::Happened;
pub use host::Change;
pub use notices::{Notice, Notices};
pub use reach::Hosts;
pub use ready::{READY, Ready};
pub use sandbox::{Fault, MAX_SOURCE, Stop, TIME_LIMIT};
pub use schedule::{Happening, Missed, Schedule};

use crate::{
    clock,
    config::check_script_name,
    desk::Desk,
    engine::Engine,
    store::{AlertNews, Outgoing, ScriptRun, ScriptVersion, Store, StoreError, StoredScript},
};
use reach::Reach;

/// So many scripts there may be.
pub const MAX_SCRIPTS: usize = 500;
/// So many runs at once; more wait.
const RUNS_AT_ONCE: usize = 4;
/// The setting with the hosts that scripts may reach.
const HOSTS: &str = "script_hosts";

/// Why something was refused.
#[derive(Debug, thiserror::Error)]
pub enum ScriptError {
    /// A field is wrong.
    #[error("{field}: {message}")]
    Invalid {
        /// The field, as the API names it.
        field: &'static str,
        /// What is wrong with it and what is allowed.
        message: String,
    },
    /// The script cannot be read.
    #[error("source: {}", told(.0))]
    Syntax(Fault),
    /// There is no such script.
    #[error("there is no script {0:?}: GET scripts lists them")]
    NotFound(String),
    /// The name is taken.
    #[error("a script named {0} exists already: choose another name, or PUT scripts/{0} to change it")]
    Taken(String),
    /// There are too many already.
    #[error("there are {MAX_SCRIPTS} scripts already: remove those that are not needed any more")]
    Full,
    /// It runs at this moment.
    #[error("{0} is running at this moment: runs do not overlap")]
    Busy(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A fault as a sentence, with its place.
#[must_use]
pub fn told(fault: &Fault) -> String {
    match (fault.line, fault.column) {
        (Some(line), Some(column)) => format!("line {line}, column {column}: {}", fault.message),
        (Some(line), None) => format!("line {line}: {}", fault.message),
        _ => fault.message.clone(),
    }
}

/// What scripts act on.
pub struct Parts {
    desk: Arc<Desk>,
    engine: Arc<Engine>,
    store: Store,
    reach: Reach,
    /// The hosts that the configuration allows.
    hosts: Hosts,
    /// Where `notify` tells.
    pub notices: Notices,
    /// Something is to be delivered.
    posted: Notify,
    /// Where people find this panel.
    url: String,
    /// Wakes whoever sends messages to destinations.
    wake: Arc<Notify>,
}

impl Parts {
    /// Lets scripts reach what the configuration and the page allow now.
    async fn take_hosts(&self) -> Result<(), StoreError> {
        let named = self.store.setting(HOSTS).await?.unwrap_or_default();
        self.reach.allow(self.hosts.with(&Hosts::parse(&named).unwrap_or_default()));
        Ok(())
    }
}

/// What a script is to be.
#[derive(Clone, Debug, Default)]
pub struct ScriptInput {
    /// The name.
    pub name: String,
    /// What it says.
    pub source: String,
    /// When it runs by itself, as people write it; empty: never.
    pub schedule: String,
}

/// What began a run.
#[derive(Clone, Debug, PartialEq)]
pub enum Began {
    /// Its schedule.
    Due {
        /// As it is written.
        schedule: String,
        /// For when.
        due_ms: i64,
    },
    /// Something happened.
    Event(Happened),
    /// Somebody on the page.
    Hand(String),
    /// A tool.
    Api(String),
}

impl Began {
    fn words(&self) -> (&'static str, String) {
        match self {
            Self::Due { schedule, .. } => ("due", schedule.clone()),
            Self::Event(Happened { alert: Some(AlertNews { rule, box_name, state, .. }), .. }) => {
                ("event", format!("alert {rule} on {box_name}: {state}"))
            }
            Self::Event(happened) if happened.box_name.is_empty() => ("event", happened.what.as_str().to_owned()),
            Self::Event(happened) => ("event", format!("{} {}", happened.what.as_str(), happened.box_name)),
            Self::Hand(by) => ("hand", by.clone()),
            Self::Api(by) => ("api", by.clone()),
        }
    }

    /// What the script is told of it, as the constant `event`.
    fn event(&self) -> Map {
        let (kind, by) = self.words();
        let mut map = Map::new();
        map.insert("kind".into(), kind.into());
        map.insert("by".into(), by.into());
        match self {
            Self::Due { due_ms, .. } => drop(map.insert("due".into(), (*due_ms).into())),
            Self::Event(happened) => {
                map.insert("what".into(), happened.what.as_str().into());
                map.insert("box".into(), happened.box_name.clone().into());
                map.insert("text".into(), happened.text.clone().into());
                if let Some(AlertNews { rule, state, severity, value, at_ms, .. }) = &happened.alert {
                    map.insert("alert".into(), rule.clone().into());
                    map.insert("state".into(), state.clone().into());
                    map.insert("severity".into(), severity.clone().into());
                    map.insert("value".into(), value.map_or(Dynamic::UNIT, Dynamic::from));
                    map.insert("at".into(), (*at_ms).into());
                }
            }
            Self::Hand(_) | Self::Api(_) => {}
        }
        map
    }
}

/// What a run came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Done {
    /// What it wrote.
    pub output: String,
    /// What it changed; of a dry run, what it would have.
    pub changed: Vec<Change>,
    /// What went wrong.
    pub error: Option<Fault>,
    /// How long it took, in milliseconds.
    pub took_ms: i64,
}

/// A script that runs when something happens: its name, what, and to which box alone.
type Waiting = (String, Happening, Option<String>);

/// The scripts.
pub struct Scripts {
    parts: Arc<Parts>,
    room: Semaphore,
    stop: Stop,
    tasks: TaskTracker,
    /// The scripts that run when something happens, as of a revision of the database.
    on_events: Mutex<(Option<i64>, Arc<[Waiting]>)>,
}

impl Scripts {
    /// Scripts that do nothing yet: see [`Self::go_on`]. `hosts` may be reached whatever the page says. `url` is where people find this
    /// panel, and `wake` wakes whoever sends messages to destinations.
    ///
    /// # Errors
    /// When HTTP cannot be prepared.
    pub fn new(
        desk: Arc<Desk>,
        engine: Arc<Engine>,
        store: Store,
        hosts: Hosts,
        (url, wake): (String, Arc<Notify>),
    ) -> Result<Arc<Self>, String> {
        let reach = Reach::new().map_err(|error| format!("HTTP for scripts cannot be prepared: {error}"))?;
        let parts = Parts { desk, engine, store, reach, hosts, notices: Notices::default(), posted: Notify::new(), url, wake };
        Ok(Arc::new(Self {
            parts: Arc::new(parts),
            room: Semaphore::new(RUNS_AT_ONCE),
            stop: Stop::default(),
            tasks: TaskTracker::new(),
            on_events: Mutex::default(),
        }))
    }

    /// Begins to run what is due and to deliver what was posted, until it is stopped.
    pub fn go_on(self: &Arc<Self>, stop: &CancellationToken) {
        let (scripts, stopped) = (Arc::clone(self), stop.clone());
        self.tasks.spawn(async move {
            clockwork::begin_anew(&scripts).await;
            tokio::join!(clockwork::keep_time(Arc::clone(&scripts), stopped.clone()), clockwork::hear_news(scripts, stopped));
        });
        self.tasks.spawn(clockwork::watch_boxes(Arc::clone(self), stop.clone()));
        self.tasks.spawn(deliver::go_on(Arc::clone(&self.parts), stop.clone()));
    }

    /// Ends what runs, and waits until it is noted.
    pub async fn end(&self) {
        self.stop.stop();
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Where scripts tell people.
    #[must_use]
    pub fn notices(&self) -> &Notices {
        &self.parts.notices
    }

    // What there is.

    /// All scripts with their last runs, in the order of their names.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list(&self) -> Result<Vec<(StoredScript, Option<ScriptRun>)>, ScriptError> {
        let mut runs = self.parts.store.last_script_runs().await?;
        let last = |script: StoredScript| {
            let place = runs.iter().position(|(id, _)| *id == script.id);
            let run = place.map(|place| runs.swap_remove(place).1);
            (script, run)
        };
        Ok(self.parts.store.scripts().await?.into_iter().map(last).collect())
    }

    /// One script.
    ///
    /// # Errors
    /// When there is none of this name.
    pub async fn get(&self, name: &str) -> Result<StoredScript, ScriptError> {
        self.parts.store.script(name).await?.ok_or_else(|| ScriptError::NotFound(name.to_owned()))
    }

    /// Its versions, the newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn versions(&self, script: &StoredScript) -> Result<Vec<ScriptVersion>, ScriptError> {
        Ok(self.parts.store.script_versions(script.id).await?)
    }

    /// Its runs, the newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn runs(&self, script: &StoredScript) -> Result<Vec<ScriptRun>, ScriptError> {
        Ok(self.parts.store.script_runs(script.id, crate::store::KEPT_RUNS).await?)
    }

    /// The newest of what scripts posted.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn posts(&self, at_most: i64) -> Result<Vec<Outgoing>, ScriptError> {
        Ok(self.parts.store.outgoing(at_most).await?)
    }

    /// When a script is due next, epoch milliseconds.
    #[must_use]
    pub fn next_due_ms(script: &StoredScript, now_ms: i64) -> Option<i64> {
        let schedule = Schedule::parse(&script.schedule).ok()??;
        schedule.next_after(now_ms.max(script.due_ms.unwrap_or(i64::MIN)))
    }

    /// The hosts that scripts may reach: those of the configuration, and those of the page as they are written there.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn hosts(&self) -> Result<(Vec<String>, Vec<String>), ScriptError> {
        let named = self.parts.store.setting(HOSTS).await?.unwrap_or_default();
        let named = Hosts::parse(&named).unwrap_or_default();
        Ok((self.parts.hosts.words().collect(), named.words().collect()))
    }

    // Changing it.

    /// Sets the hosts that scripts may reach besides those of the configuration.
    ///
    /// # Errors
    /// When one is no host.
    pub async fn set_hosts(&self, text: &str) -> Result<(), ScriptError> {
        let hosts = Hosts::parse(text).map_err(|message| ScriptError::Invalid { field: "hosts", message })?;
        let words: Vec<String> = hosts.words().collect();
        self.parts.store.set_setting(HOSTS, Some(words.join(" ")).filter(|text| !text.is_empty()).as_deref()).await?;
        Ok(())
    }

    /// Adds a script. `by` is who does it.
    ///
    /// # Errors
    /// When a field is wrong, it cannot be read, the name is taken, or there are too many.
    pub async fn add(&self, input: &ScriptInput, by: &str) -> Result<(), ScriptError> {
        check_script_name(&input.name).map_err(|message| ScriptError::Invalid { field: "name", message })?;
        let schedule = checked(input)?;
        if self.parts.store.scripts().await?.len() >= MAX_SCRIPTS {
            return Err(ScriptError::Full);
        }
        let added = self.parts.store.add_script(&input.name, &input.source, &schedule, by, clock::now_ms()).await;
        added.map_err(|error| match error {
            StoreError::Taken(_) => ScriptError::Taken(input.name.clone()),
            error => error.into(),
        })?;
        tracing::info!(name = input.name, by, schedule, "a script was added");
        Ok(())
    }

    /// Gives a script its next version.
    ///
    /// # Errors
    /// As [`Self::add`], and when there is none of this name.
    pub async fn change(&self, input: &ScriptInput, by: &str) -> Result<(), ScriptError> {
        self.get(&input.name).await?;
        let schedule = checked(input)?;
        let changed = self.parts.store.change_script(&input.name, &input.source, &schedule, by, clock::now_ms()).await;
        changed.map_err(|error| missing(error, &input.name))?;
        tracing::info!(name = input.name, by, schedule, "a script was changed");
        Ok(())
    }

    /// Removes a script with its versions and runs.
    ///
    /// # Errors
    /// When there is none of this name.
    pub async fn remove(&self, name: &str, by: &str) -> Result<(), ScriptError> {
        self.parts.store.remove_script(name).await.map_err(|error| missing(error, name))?;
        tracing::info!(name, by, "a script was removed");
        Ok(())
    }
}

/// The schedule as it is stored.
fn checked(input: &ScriptInput) -> Result<String, ScriptError> {
    let schedule = Schedule::parse(&input.schedule).map_err(|message| ScriptError::Invalid { field: "schedule", message })?;
    if input.source.contains('\0') {
        return Err(ScriptError::Invalid { field: "source", message: "it holds a character of code 0, which no script has".to_owned() });
    }
    sandbox::check(&input.source).map_err(ScriptError::Syntax)?;
    Ok(schedule.map(|schedule| schedule.to_string()).unwrap_or_default())
}

fn missing(error: StoreError, name: &str) -> ScriptError {
    match error {
        StoreError::Missing(_) => ScriptError::NotFound(name.to_owned()),
        error => error.into(),
    }
}
