//! `[[alert]]` and `[[destination]]`: as the API takes them, checked in the same way.

use serde::de::DeserializeOwned;

use super::{ConfigError, Section};
use crate::{
    alerts::{Destination, Rule},
    source::Secret,
};

pub(super) const ALERT_KEYS: [&str; 11] =
    ["name", "formula", "condition", "hold", "severity", "boxes", "text", "destinations", "repeat", "silences", "paused"];
pub(super) const DESTINATION_KEYS: [&str; 13] =
    ["name", "kind", "url", "secret", "secret_file", "server", "tls", "user", "from", "to", "ca", "together", "paused"];

/// One `[[alert]]`.
#[derive(Clone, Debug, PartialEq)]
pub struct ProvidedAlert {
    /// `name`, required.
    pub name: String,
    /// The rest, as `POST alerts` takes it.
    pub rule: Rule,
}

/// One `[[destination]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProvidedDestination {
    /// `name`, required.
    pub name: String,
    /// The rest, as `POST destinations` takes it.
    pub destination: Destination,
    /// `secret`, or the first line of `secret_file`; default none.
    pub secret: Option<Secret>,
}

impl Section<'_> {
    pub(super) fn provided_alert(&self) -> Result<ProvidedAlert, ConfigError> {
        let name = self.required("name", |text| Ok(text.to_owned()))?;
        let rule: Rule = self.whole(&["name"])?;
        rule.check(&name).map_err(|(field, message)| self.wrong(field, &message))?;
        Ok(ProvidedAlert { name, rule })
    }

    pub(super) fn provided_destination(&self) -> Result<ProvidedDestination, ConfigError> {
        let name = self.required("name", |text| Ok(text.to_owned()))?;
        let plain = self.text("secret")?.map(|secret| Secret(secret.to_owned()));
        if plain.is_some() && self.table.contains_key("secret_file") {
            return Err(self.wrong("secret", "give either secret or secret_file"));
        }
        let secret = plain.or(self.first_line("secret_file")?).filter(|secret| !secret.0.is_empty());
        let destination: Destination = self.whole(&["name", "secret", "secret_file"])?;
        destination.check(&name, secret.is_some()).map_err(|(field, message)| self.wrong(field, &message))?;
        Ok(ProvidedDestination { name, destination, secret })
    }

    /// All of the table but these keys.
    fn whole<T: DeserializeOwned>(&self, but: &[&str]) -> Result<T, ConfigError> {
        let table: toml::Table =
            self.table.iter().filter(|(key, _)| !but.contains(&key.as_str())).map(|(key, value)| (key.clone(), value.clone())).collect();
        T::deserialize(table).map_err(|error| {
            let lines: Vec<String> = error.to_string().lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect();
            ConfigError::Value(format!("{}: {}", self.place, lines.join(" ")))
        })
    }
}
