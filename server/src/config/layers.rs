//! Finds where each option is given: flags before variables before the file, and says so when a value is wrong.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use super::{CommonFlags, DEFAULT_CONFIG, Provided, nearest, provided};

/// Every option that the file may hold, besides what it declares, such as `[[box]]`; all but `log_filter` and `mi_token` are flags, too.
pub(super) const OPTIONS: [&str; 14] = [
    "listen",
    "public_url",
    "database",
    "key_file",
    "interval",
    "mi_listen",
    "mi_fifo",
    "mi_get",
    "mi_token",
    "script_hosts",
    "tls_cert",
    "tls_key",
    "log",
    "log_filter",
];
/// The variable with the password of the first account.
pub(super) const ADMIN_PASSWORD: &str = "TICKMARK_ADMIN_PASSWORD";
/// Variables that are no option of the file.
const OTHER_VARIABLES: [&str; 2] = ["TICKMARK_CONFIG", ADMIN_PASSWORD];
/// What all variables begin with.
const PREFIX: &str = "TICKMARK_";
/// What those of the build begin with: who builds and runs in one go has them set, too.
const BUILD_PREFIX: &str = "TICKMARK_CLIENT_";

/// Why the configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A wrong value, with where it was given and what is allowed.
    #[error("{0}")]
    Value(String),
    /// The file cannot be read.
    #[error("the configuration file {} cannot be read: {error}", .path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// The file is not TOML.
    #[error("the configuration file {} is not TOML: {message}", .path.display())]
    Toml {
        /// Which file.
        path: PathBuf,
        /// What is wrong, with the line.
        message: String,
    },
    /// A key that the file cannot have.
    #[error("{0}")]
    Key(String),
}

/// The environment's variables, passed in so that tests have their own.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<String, String>);

impl std::fmt::Debug for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Values may be passwords.
        f.debug_set().entries(self.0.keys().filter(|name| name.starts_with(PREFIX))).finish()
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Environment {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(variables: I) -> Self {
        Self(variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

impl Environment {
    /// The process's own; variables that are not UTF-8 are left out.
    #[must_use]
    pub fn of_process() -> Self {
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?))).collect()
    }

    /// A variable; an empty one counts as not set.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// A line for each `TICKMARK_…` variable that is none of ours: most likely a slip.
    pub(super) fn strangers(&self) -> Vec<String> {
        let known: Vec<String> = OPTIONS.iter().map(|option| variable_of(option)).chain(OTHER_VARIABLES.map(str::to_owned)).collect();
        let strange = self.0.keys().filter(|name| name.starts_with(PREFIX) && !name.starts_with(BUILD_PREFIX) && !known.contains(name));
        let hint =
            |name: &str| nearest(name, known.iter().map(String::as_str)).map(|near| format!(", did you mean {near}?")).unwrap_or_default();
        strange.map(|name| format!("The variable {name} is set, but there is no such option{}", hint(name))).collect()
    }
}

/// The configuration file, read.
struct File {
    path: PathBuf,
    table: toml::Table,
}

/// All places where an option can be given, but the flags themselves.
pub(super) struct Layers<'a> {
    env: &'a Environment,
    file: Option<File>,
}

impl<'a> Layers<'a> {
    /// Reads the file, if there is one, and checks its keys.
    pub(super) fn read(common: &CommonFlags, env: &'a Environment) -> Result<Self, ConfigError> {
        let named = common.config.as_deref().or_else(|| env.get("TICKMARK_CONFIG"));
        let path = Path::new(named.unwrap_or(DEFAULT_CONFIG));
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound && named.is_none() => return Ok(Self { env, file: None }),
            Err(error) => return Err(ConfigError::Read { path: path.to_owned(), error }),
        };
        let table = text.parse::<toml::Table>();
        let table = table.map_err(|error| ConfigError::Toml { path: path.to_owned(), message: error.to_string().trim_end().to_owned() })?;
        let allowed: Vec<&str> = OPTIONS.into_iter().chain(["box", "user", "derived", "alert", "destination"]).collect();
        check_keys(&path.display().to_string(), &table, &allowed)?;
        Ok(Self { env, file: Some(File { path: path.to_owned(), table }) })
    }

    /// An option's value from the first place that gives one.
    pub(super) fn value<T>(
        &self,
        option: &'static str,
        flag: Option<&str>,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<Option<T>, ConfigError> {
        let given = |place: String, text: &str| match parse(text) {
            Ok(value) => Ok(Some(value)),
            Err(reason) => Err(ConfigError::Value(format!("{place}: {reason}"))),
        };
        if let Some(text) = flag {
            return given(format!("--{}", option.replace('_', "-")), text);
        }
        let variable = variable_of(option);
        if let Some(text) = self.env.get(&variable) {
            return given(variable, text);
        }
        let Some(file) = &self.file else { return Ok(None) };
        let place = format!("{}: {option}", file.path.display());
        match file.table.get(option) {
            None => Ok(None),
            Some(toml::Value::String(text)) => given(place, text),
            Some(other) => Err(not_text(&place, other)),
        }
    }

    /// The boxes and users of the file.
    pub(super) fn provided(&self) -> Result<Provided, ConfigError> {
        match &self.file {
            Some(file) => provided::read(&file.path, &file.table),
            None => Ok(Provided::default()),
        }
    }
}

/// Refuses a key that is not allowed, naming the nearest one that is.
pub(super) fn check_keys(place: &str, table: &toml::Table, allowed: &[&str]) -> Result<(), ConfigError> {
    let Some(key) = table.keys().find(|key| !allowed.contains(&key.as_str())) else { return Ok(()) };
    let hint = nearest(key, allowed.iter().copied()).map(|near| format!(" did you mean {near:?}?")).unwrap_or_default();
    Err(ConfigError::Key(format!("{place}: there is no key {key:?};{hint} allowed are {}", allowed.join(", "))))
}

/// A value of another type than text.
pub(super) fn not_text(place: &str, value: &toml::Value) -> ConfigError {
    ConfigError::Value(format!("{place}: {value} is no text: write it in quotes"))
}

fn variable_of(option: &str) -> String {
    format!("{PREFIX}{}", option.to_ascii_uppercase())
}
