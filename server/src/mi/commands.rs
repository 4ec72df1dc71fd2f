//! The commands of the management interface, as OpenSIPS has them, and what each answers. It must not know a wire.

use std::{collections::HashSet, sync::Arc};

use app::model::{Kind, Number};
use chrono::{DateTime, Local};

use super::{
    Mi,
    directory::{Directory, Found},
};
use crate::engine::{DispatchError, Push, PushError};

/// By whom a reset is said to be made that came this way: who asks is not known.
const BY: &str = "the management interface";
/// How dates are written: as `ctime` does.
const DATE: &str = "%a %b %e %H:%M:%S %Y";

/// What can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Command {
    Get,
    List,
    Reset,
    ResetAll,
    Update,
    Remove,
    Select,
    Release,
    ReleaseAll,
    Uptime,
    Version,
    Which,
    Ps,
}

/// Each command with its name in 2.x and 3.x, and in 4.x.
const COMMANDS: [(Command, &str, &str); 13] = [
    (Command::Get, "get_statistics", "statistics:get"),
    (Command::List, "list_statistics", "statistics:list"),
    (Command::Reset, "reset_statistics", "statistics:reset"),
    (Command::ResetAll, "reset_all_statistics", "statistics:reset_all"),
    (Command::Update, "update_stat", "statistics:update"),
    (Command::Remove, "remove_stat", "statistics:remove"),
    (Command::Select, "ds_select", "statistics:ds_select"),
    (Command::Release, "ds_release", "statistics:ds_release"),
    (Command::ReleaseAll, "ds_release_all", "statistics:ds_release_all"),
    (Command::Uptime, "uptime", "core:uptime"),
    (Command::Version, "version", "core:version"),
    (Command::Which, "which", "core:which"),
    (Command::Ps, "ps", "core:ps"),
];

impl Command {
    pub(super) fn parse(name: &str) -> Option<Self> {
        COMMANDS.iter().find(|(_, old, new)| *old == name || *new == name).map(|(command, ..)| *command)
    }

    /// Whether it changes something.
    pub(super) fn writes(self) -> bool {
        !matches!(self, Self::Get | Self::List | Self::Uptime | Self::Version | Self::Which | Self::Ps)
    }

    /// How a command that OpenSIPS has not is asked.
    pub(super) fn usage(self) -> Option<&'static str> {
        Some(match self {
            Self::Select => {
                r#"give pattern, destinations and, if you like, weights: {"pattern":"load_%u","destinations":["sip:a","sip:b"],"weights":[2,1]}"#
            }
            Self::Release => r#"give pattern and destination: {"pattern":"load_%u","destination":"sip:a"}"#,
            Self::ReleaseAll => r#"give pattern: {"pattern":"load_%u"}"#,
            _ => return None,
        })
    }

    /// The parameters of each way to call it, by name.
    pub(super) fn parameters(self) -> &'static [&'static [&'static str]] {
        match self {
            Self::Get | Self::Reset => &[&["statistics"]],
            Self::List => &[&[], &["statistics"]],
            Self::Update => &[&["name", "value"]],
            Self::Remove => &[&["name"]],
            Self::Select => &[&["pattern", "destinations"], &["pattern", "destinations", "weights"]],
            Self::Release => &[&["pattern", "destination"]],
            Self::ReleaseAll => &[&["pattern"]],
            Self::Which => &[&[], &["command"]],
            Self::ResetAll | Self::Uptime | Self::Version | Self::Ps => &[&[]],
        }
    }
}

/// A question.
pub(super) struct Ask {
    pub(super) command: Command,
    /// Names of statistics; or the parameters of another command, in their order.
    pub(super) words: Vec<String>,
    /// Of destinations, which are all words but the first.
    pub(super) weights: Vec<f64>,
}

/// What is answered.
pub(super) enum Reply {
    /// It is done.
    Done,
    /// Statistics, by their places in the directory.
    Values(Arc<Directory>, Vec<(u32, Number)>),
    /// Which of them count.
    Kinds(Vec<(String, Kind)>),
    /// Facts by name.
    Facts(Vec<(&'static str, String)>),
    /// Commands.
    Words(Vec<&'static str>),
    /// The parameters of a command.
    Parameters(&'static [&'static [&'static str]]),
    /// A destination and its load.
    Load { destination: String, load: i64 },
    /// So many loads are zero now.
    Released(usize),
    /// The number of the one process there is.
    Process(u32),
}

/// What is answered instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// None of the statistics is known.
    NotFound,
    /// Nor is what is to be released.
    NeverPicked(String),
    /// The parameters are wrong, in OpenSIPS's words.
    Parameters(String),
    /// It may not be done.
    Forbidden(String),
}

impl From<PushError> for Refusal {
    fn from(error: PushError) -> Self {
        match error {
            PushError::Missing(_) => Self::NotFound,
            PushError::Own(_) | PushError::TooMany | PushError::Elsewhere(_) => Self::Forbidden(error.to_string()),
            PushError::Name(_) | PushError::Range => Self::Parameters(error.to_string()),
        }
    }
}

impl From<DispatchError> for Refusal {
    fn from(error: DispatchError) -> Self {
        match error {
            DispatchError::Push(error) => error.into(),
            DispatchError::NeverPicked(_) => Self::NeverPicked(error.to_string()),
            DispatchError::Asked(text) => Self::Parameters(text),
        }
    }
}

/// What is said of too many or too few parameters.
pub(super) const COUNT: &str = "Too few or too many parameters";

impl Mi {
    /// Does what is asked.
    pub(super) fn run(&self, ask: Ask) -> Result<Reply, Refusal> {
        let Ask { command, words, weights } = ask;
        match (command, words.as_slice()) {
            (Command::Get, [_, ..]) => Ok(self.get(&words)),
            (Command::List, _) => Ok(self.list(&words)),
            (Command::Reset, [_, ..]) => self.reset(&words),
            (Command::ResetAll, []) => {
                self.engine.reset_all(Some(BY));
                Ok(Reply::Done)
            }
            (Command::Update, [name, value]) => {
                let refusal = || Refusal::Parameters(format!("the value {value:?} is none: write such as +1, -4 or =7"));
                self.engine.push(name, Push::parse(value).ok_or_else(refusal)?, None, Some(BY))?;
                Ok(Reply::Done)
            }
            (Command::Remove, [name]) => {
                self.engine.remove(name)?;
                Ok(Reply::Done)
            }
            (Command::Select, [pattern, destinations @ ..]) => {
                let picked = self.engine.pick(pattern, destinations, &weights)?;
                Ok(Reply::Load { destination: destinations[picked.place].clone(), load: picked.load })
            }
            (Command::Release, [pattern, destination]) => {
                let load = self.engine.release(pattern, destination)?;
                Ok(Reply::Load { destination: destination.clone(), load })
            }
            (Command::ReleaseAll, [pattern]) => Ok(Reply::Released(self.engine.release_all(pattern, Some(BY))?)),
            (Command::Uptime, []) => Ok(self.uptime()),
            (Command::Version, []) => {
                let (version, machine, system) = (env!("CARGO_PKG_VERSION"), std::env::consts::ARCH, std::env::consts::OS);
                Ok(Reply::Facts(vec![("Server", format!("Tickmark ({version} ({machine}/{system}))"))]))
            }
            (Command::Which, []) => {
                let (old, new) = (COMMANDS.iter().map(|(_, old, _)| *old), COMMANDS.iter().map(|(.., new)| *new));
                Ok(Reply::Words(old.chain(new).collect()))
            }
            (Command::Which, [name]) => {
                Command::parse(name).map(|command| Reply::Parameters(command.parameters())).ok_or(Refusal::NotFound)
            }
            (Command::Ps, []) => Ok(Reply::Process(std::process::id())),
            _ => Err(Refusal::Parameters(command.usage().unwrap_or(COUNT).to_owned())),
        }
    }

    /// Each statistic once, however often and by whatever name it is asked for; one that is not known now is left out.
    fn get(&self, words: &[String]) -> Reply {
        let directory = self.directory();
        let mut taken = vec![false; directory.all.len()];
        let mut values = Vec::new();
        let mut take = |place: u32| {
            if !std::mem::replace(&mut taken[place as usize], true)
                && let Some(value) = directory.get(place).statistic.value()
            {
                values.push((place, value));
            }
        };
        for word in words {
            match directory.find(word) {
                Found::One(place) => take(place),
                Found::Many(places) => places.iter().copied().for_each(&mut take),
                Found::Nothing => {}
            }
        }
        Reply::Values(directory, values)
    }

    fn list(&self, words: &[String]) -> Reply {
        let directory = self.directory();
        let told = |place: &u32| {
            let statistic = &directory.get(*place).statistic;
            (statistic.name().to_owned(), statistic.traits().kind)
        };
        if words.is_empty() {
            return Reply::Kinds(directory.seen().iter().map(told).collect());
        }
        let mut kinds = Vec::new();
        let mut asked = HashSet::new();
        for word in words {
            match directory.find(word) {
                // Under the name that was asked for, as OpenSIPS does.
                Found::One(place) if asked.insert(word.as_str()) => kinds.push((word.clone(), told(&place).1)),
                Found::Many(places) if word != "all" && asked.insert(word.as_str()) => kinds.extend(places.iter().map(told)),
                _ => {}
            }
        }
        Reply::Kinds(kinds)
    }

    /// As OpenSIPS does: done also where part is unknown or cannot be reset; a group is unknown.
    fn reset(&self, words: &[String]) -> Result<Reply, Refusal> {
        let directory = self.directory();
        let mut known = words.iter().filter_map(|word| directory.one(word)).peekable();
        if known.peek().is_none() {
            return Err(Refusal::NotFound);
        }
        known.for_each(|place| {
            self.engine.reset(&directory.get(place).statistic, Some(BY));
        });
        Ok(Reply::Done)
    }

    fn uptime(&self) -> Reply {
        let (now, up) = (Local::now(), self.engine.uptime(std::time::Instant::now()));
        let date = |at: DateTime<Local>| at.format(DATE).to_string();
        Reply::Facts(vec![("Now", date(now)), ("Up since", date(now - up)), ("Up time", format!("{} [sec]", up.as_secs()))])
    }
}

#[cfg(test)]
mod tests;
