//! What the configuration file declares: boxes, users, derived statistics, alerts, destinations. Bringing the store in line with them is the server's.

use std::{collections::BTreeMap, fs, path::Path, time::Duration};

use app::model::BoxKind;

mod alerts;

use super::{
    ConfigError, check_account_name, check_box_name,
    layers::{check_keys, not_text},
    parse_interval,
};
use crate::{
    auth,
    board::Rules,
    desk::DerivedInput,
    source::{Address, Secret, Typed},
};

use alerts::{ALERT_KEYS, DESTINATION_KEYS};
pub use alerts::{ProvidedAlert, ProvidedDestination};

const BOX_KEYS: [&str; 10] = ["name", "address", "kind", "interval", "user", "password", "password_file", "labels", "paused", "ticks"];
const USER_KEYS: [&str; 5] = ["name", "password", "password_hash", "password_file", "scope"];
const DERIVED_KEYS: [&str; 4] = ["name", "formula", "unit", "meaning"];

/// What the file declares.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Provided {
    /// `[[box]]`, names unique.
    pub boxes: Vec<ProvidedBox>,
    /// `[[user]]`, names unique.
    pub users: Vec<ProvidedUser>,
    /// `[[derived]]`, names unique.
    pub derived: Vec<ProvidedDerived>,
    /// `[[destination]]`, names unique.
    pub destinations: Vec<ProvidedDestination>,
    /// `[[alert]]`, names unique.
    pub alerts: Vec<ProvidedAlert>,
}

/// One `[[box]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProvidedBox {
    /// `name`, required.
    pub name: String,
    /// `address`, required; a login that it holds is taken out of it.
    pub address: Address,
    /// `kind`: `opensips`, `opensips2`, `kamailio` or `prometheus`; default: find out.
    pub kind: Option<BoxKind>,
    /// `interval`; default: the panel's.
    pub interval: Option<Duration>,
    /// `user` for Basic auth, or that of the address; default none.
    pub user: Option<String>,
    /// `password`, the first line of `password_file`, or that of the address; default none.
    pub password: Option<Secret>,
    /// `labels = { site = "north" }`; default none.
    pub labels: BTreeMap<String, String>,
    /// `paused`; default false.
    pub paused: bool,
    /// `ticks = ["dialog:", "core:rcv_requests"]`: names and patterns to record; default: those ticked in the panel.
    pub ticks: Option<Vec<String>>,
}

/// One `[[derived]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProvidedDerived {
    /// `name`, required.
    pub name: String,
    /// `formula`, required.
    pub formula: String,
    /// `unit`; default none.
    pub unit: String,
    /// `meaning`, a sentence; default none.
    pub meaning: String,
}

/// One `[[user]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProvidedUser {
    /// `name`, required.
    pub name: String,
    /// One of `password`, `password_hash` and `password_file`, required.
    pub password: ProvidedPassword,
    /// `scope`: `read`, `tick` or `admin`; default `admin`.
    pub scope: auth::Scope,
}

/// A password as the file gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProvidedPassword {
    /// Itself.
    Plain(Secret),
    /// Its argon2id hash in PHC form. Kept from logs, too: it can be guessed at.
    Hash(Secret),
}

/// Reads the file's tables. Relative paths of password files start at the file's own folder.
pub(super) fn read(path: &Path, table: &toml::Table) -> Result<Provided, ConfigError> {
    let mut provided = Provided::default();
    for section in sections(path, table, "box", &BOX_KEYS)? {
        let found = section.provided_box()?;
        if provided.boxes.iter().any(|other| other.name == found.name) {
            return Err(section.wrong("name", &format!("there are two boxes called {:?}", found.name)));
        }
        provided.boxes.push(found);
    }
    for section in sections(path, table, "user", &USER_KEYS)? {
        let found = section.provided_user()?;
        if provided.users.iter().any(|other| other.name == found.name) {
            return Err(section.wrong("name", &format!("there are two users called {:?}", found.name)));
        }
        provided.users.push(found);
    }
    for section in sections(path, table, "derived", &DERIVED_KEYS)? {
        let found = section.provided_derived()?;
        if provided.derived.iter().any(|other| other.name == found.name) {
            return Err(section.wrong("name", &format!("there are two derived statistics called {:?}", found.name)));
        }
        provided.derived.push(found);
    }
    for section in sections(path, table, "destination", &DESTINATION_KEYS)? {
        let found = section.provided_destination()?;
        if provided.destinations.iter().any(|other| other.name == found.name) {
            return Err(section.wrong("name", &format!("there are two destinations called {:?}", found.name)));
        }
        provided.destinations.push(found);
    }
    for section in sections(path, table, "alert", &ALERT_KEYS)? {
        let found = section.provided_alert()?;
        if provided.alerts.iter().any(|other| other.name == found.name) {
            return Err(section.wrong("name", &format!("there are two alerts called {:?}", found.name)));
        }
        provided.alerts.push(found);
    }
    Ok(provided)
}

/// One table of the file, and how messages call it.
struct Section<'a> {
    path: &'a Path,
    place: String,
    table: &'a toml::Table,
}

fn sections<'a>(path: &'a Path, table: &'a toml::Table, key: &str, keys: &[&str]) -> Result<Vec<Section<'a>>, ConfigError> {
    let wrong = || ConfigError::Value(format!("{}: {key} is no list of tables: write [[{key}]] and its keys below", path.display()));
    let Some(list) = table.get(key) else { return Ok(Vec::new()) };
    let list = list.as_array().ok_or_else(wrong)?;
    let mut sections = Vec::with_capacity(list.len());
    for (index, value) in list.iter().enumerate() {
        let table = value.as_table().ok_or_else(wrong)?;
        let name =
            table.get("name").and_then(toml::Value::as_str).map_or_else(|| format!("number {}", index + 1), |name| format!("{name:?}"));
        let place = format!("{}: [[{key}]] {name}", path.display());
        check_keys(&place, table, keys)?;
        sections.push(Section { path, place, table });
    }
    Ok(sections)
}

impl Section<'_> {
    fn provided_box(&self) -> Result<ProvidedBox, ConfigError> {
        let plain = self.text("password")?.map(|password| Secret(password.to_owned()));
        if plain.is_some() && self.table.contains_key("password_file") {
            return Err(self.wrong("password", "give either password or password_file"));
        }
        let text = self.required("address", |text| Ok(text.to_owned()))?;
        let password = plain.or(self.first_line("password_file")?);
        let typed = Typed::read(&text, self.text("user")?, password.as_ref());
        let Typed { address, user, password } = typed.map_err(|error| self.wrong(error.field(), &error.to_string()))?;
        let kind = self.parsed("kind", parse_kind)?;
        kind.map_or(Ok(()), |kind| address.check_kind(kind)).map_err(|reason| self.wrong("kind", &reason))?;
        Ok(ProvidedBox {
            name: self.required("name", |name| check_box_name(name).map(|()| name.to_owned()))?,
            address,
            kind,
            interval: self.parsed("interval", parse_interval)?,
            user,
            password,
            labels: self.labels()?,
            paused: self.flag("paused")?,
            ticks: self.ticks()?,
        })
    }

    fn provided_user(&self) -> Result<ProvidedUser, ConfigError> {
        let name = self.required("name", |name| check_account_name(name).map(|()| name.to_owned()))?;
        let plain = self.text("password")?.map(|password| Secret(password.to_owned()));
        let hash = self.text("password_hash")?;
        let password = match (plain, hash, self.first_line("password_file")?) {
            (Some(plain), None, None) => self.strong("password", plain)?,
            (None, None, Some(plain)) => self.strong("password_file", plain)?,
            (None, Some(hash), None) if auth::is_password_hash(hash) => ProvidedPassword::Hash(Secret(hash.to_owned())),
            (None, Some(_), None) => return Err(self.wrong("password_hash", "this is no argon2id hash: it begins with $argon2id$v=19$")),
            _ => return Err(self.wrong("password", "give exactly one of password, password_hash and password_file")),
        };
        let scope = self.parsed("scope", auth::account_scope)?.unwrap_or(auth::Scope::Admin);
        Ok(ProvidedUser { name, password, scope })
    }

    fn provided_derived(&self) -> Result<ProvidedDerived, ConfigError> {
        let text = |key: &str| Ok(self.text(key)?.unwrap_or_default().trim().to_owned());
        let input = DerivedInput {
            name: self.required("name", |text| Ok(text.to_owned()))?,
            formula: self.required("formula", |text| Ok(text.to_owned()))?,
            unit: text("unit")?,
            meaning: text("meaning")?,
        };
        let DerivedInput { name, formula, unit, meaning } = input.checked().map_err(|(field, message)| self.wrong(field, &message))?;
        Ok(ProvidedDerived { name, formula, unit, meaning })
    }

    fn strong(&self, key: &str, password: Secret) -> Result<ProvidedPassword, ConfigError> {
        auth::check_password(&password).map_err(|error| self.wrong(key, &error.to_string()))?;
        Ok(ProvidedPassword::Plain(password))
    }

    fn wrong(&self, key: &str, reason: &str) -> ConfigError {
        ConfigError::Value(format!("{}: {key}: {reason}", self.place))
    }

    fn text(&self, key: &str) -> Result<Option<&str>, ConfigError> {
        match self.table.get(key) {
            None => Ok(None),
            Some(toml::Value::String(text)) => Ok(Some(text)),
            // A password that is a number must not be quoted back.
            Some(_) if key.starts_with("password") || key.starts_with("secret") => {
                Err(self.wrong(key, "the value is no text: write it in quotes"))
            }
            Some(other) => Err(not_text(&format!("{}: {key}", self.place), other)),
        }
    }

    fn parsed<T>(&self, key: &str, parse: impl FnOnce(&str) -> Result<T, String>) -> Result<Option<T>, ConfigError> {
        self.text(key)?.map(parse).transpose().map_err(|reason| self.wrong(key, &reason))
    }

    fn required<T>(&self, key: &str, parse: impl FnOnce(&str) -> Result<T, String>) -> Result<T, ConfigError> {
        self.parsed(key, parse)?.ok_or_else(|| self.wrong(key, "it is missing, and each table needs it"))
    }

    fn flag(&self, key: &str) -> Result<bool, ConfigError> {
        match self.table.get(key) {
            None => Ok(false),
            Some(toml::Value::Boolean(flag)) => Ok(*flag),
            Some(other) => Err(self.wrong(key, &format!("{other} is neither true nor false (without quotes)"))),
        }
    }

    fn texts(&self, key: &str) -> Result<Option<Vec<String>>, ConfigError> {
        let Some(value) = self.table.get(key) else { return Ok(None) };
        let list = value.as_array().map(|list| list.iter().map(|text| text.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>());
        list.flatten()
            .map(Some)
            .ok_or_else(|| self.wrong(key, &format!("{value} is no list of texts: write such as [\"dialog:\", \"core:rcv_*\"]")))
    }

    fn ticks(&self) -> Result<Option<Vec<String>>, ConfigError> {
        let Some(words) = self.texts("ticks")? else { return Ok(None) };
        let all: Vec<&str> = words.iter().map(String::as_str).collect();
        Rules::default().tick(&all).map_err(|error| self.wrong("ticks", &error.to_string()))?;
        // As the rules take them: what is compared with them later must be the same.
        Ok(Some(words.iter().map(|word| word.trim().to_owned()).collect()))
    }

    fn labels(&self) -> Result<BTreeMap<String, String>, ConfigError> {
        let Some(value) = self.table.get("labels") else { return Ok(BTreeMap::new()) };
        let pairs = value.as_table().map(|table| {
            table.iter().map(|(key, label)| Some((key.clone(), label.as_str()?.to_owned()))).collect::<Option<BTreeMap<_, _>>>()
        });
        pairs.flatten().ok_or_else(|| self.wrong("labels", &format!("{value} is no table of texts: write such as {{ site = \"north\" }}")))
    }

    /// The first line of the file that a key names.
    fn first_line(&self, key: &str) -> Result<Option<Secret>, ConfigError> {
        let Some(name) = self.text(key)? else { return Ok(None) };
        let path = self.path.parent().unwrap_or(Path::new("")).join(name);
        let text = fs::read_to_string(&path);
        let text = text.map_err(|error| self.wrong(key, &format!("{} cannot be read: {error}", path.display())))?;
        Ok(Some(Secret(text.lines().next().unwrap_or_default().to_owned())))
    }
}

fn parse_kind(text: &str) -> Result<BoxKind, String> {
    match BoxKind::parse(text) {
        Some(kind) if kind != BoxKind::Tickmark => Ok(kind),
        _ => Err(format!("{text:?} is no kind of box: opensips, opensips2, kamailio or prometheus is allowed")),
    }
}

#[cfg(test)]
mod tests;
