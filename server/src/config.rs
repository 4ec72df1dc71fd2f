//! What the panel is told by flags, `TICKMARK_…` variables and the configuration file, in that precedence.
//! It must not act on it: it opens no socket and no database.
//!
//! Each option has one name: `mi_listen` is `--mi-listen`, `TICKMARK_MI_LISTEN`, and `mi_listen = "…"` in the file.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use clap::{Args, ValueHint};

use crate::{
    auth::{FIRST_ACCOUNT, check_password},
    scripts::Hosts,
    source::Secret,
};

mod database;
mod duration;
mod layers;
mod names;
mod postgres;
mod provided;

pub use database::Database;
pub use duration::{MAX_DURATION, MAX_INTERVAL, MIN_INTERVAL, format_duration, parse_duration, parse_instant, parse_interval};
pub use layers::{ConfigError, Environment};
pub use names::{BUILTIN_BOX, MAX_NAME_LEN, check_account_name, check_box_name, check_script_name, check_token_name, nearest};
pub use postgres::PostgresUrl;
pub use provided::{Provided, ProvidedAlert, ProvidedBox, ProvidedDerived, ProvidedDestination, ProvidedPassword, ProvidedUser};

use layers::{ADMIN_PASSWORD, Layers, OPTIONS};

/// Where the panel listens unless told otherwise.
pub const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8888);
/// Where OpenSIPS's tools reach it unless told otherwise.
pub const DEFAULT_MI: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8081);
/// A shorter token could be guessed.
const MIN_MI_TOKEN: usize = 16;
/// The database unless told otherwise.
pub const DEFAULT_DATABASE: &str = "sqlite:tickmark.db";
/// How often a box is asked unless told otherwise.
pub const DEFAULT_INTERVAL: Duration = Duration::from_secs(10);
/// The configuration file that is read without being named, when it is there.
pub const DEFAULT_CONFIG: &str = "tickmark.toml";
/// What is logged unless told otherwise.
pub const DEFAULT_LOG_FILTER: &str = "info";

/// Options of every command that needs the database, as written on the command line.
#[derive(Args, Clone, Default)]
pub struct CommonFlags {
    /// The database: `sqlite:PATH` or `postgres://USER:PASSWORD@HOST/NAME`
    /// [env: TICKMARK_DATABASE] [default: sqlite:tickmark.db]
    #[arg(long, global = true, value_name = "URL", verbatim_doc_comment)]
    pub database: Option<String>,
    /// The configuration file [env: TICKMARK_CONFIG] [default: tickmark.toml, when it is there]
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub config: Option<String>,
    /// The file with the key that seals the passwords of boxes
    /// [env: TICKMARK_KEY_FILE] [default: tickmark.key, beside the database's file]
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath, verbatim_doc_comment)]
    pub key_file: Option<String>,
}

impl std::fmt::Debug for CommonFlags {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The URL of a database may hold a password.
        let database = self.database.clone().map(Secret);
        let mut fields = f.debug_struct("CommonFlags");
        fields.field("database", &database).field("config", &self.config).field("key_file", &self.key_file).finish()
    }
}

/// Options of `tickmark serve`, as written on the command line.
#[derive(Args, Clone, Debug, Default)]
pub struct ServeFlags {
    /// Where the panel listens [env: TICKMARK_LISTEN] [default: 127.0.0.1:8888]
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub listen: Option<String>,
    /// The address by which people reach the panel, for links in messages [env: TICKMARK_PUBLIC_URL] [default: where it listens]
    #[arg(long, value_name = "URL")]
    pub public_url: Option<String>,
    /// How often a box is asked unless it has its own interval, 200ms to 1h [env: TICKMARK_INTERVAL] [default: 10s]
    #[arg(long, value_name = "DURATION")]
    pub interval: Option<String>,
    /// Where OpenSIPS's tools reach the panel's own statistics, or off [env: TICKMARK_MI_LISTEN] [default: 127.0.0.1:8081]
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub mi_listen: Option<String>,
    /// A FIFO on which they reach them, too; it is made [env: TICKMARK_MI_FIFO]
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath)]
    pub mi_fifo: Option<String>,
    /// What a GET may do there: read, or write as with OpenSIPS 2.x [env: TICKMARK_MI_GET] [default: read]
    #[arg(long, value_name = "read|write")]
    pub mi_get: Option<String>,
    /// Hosts that scripts may reach, besides those of the page Scripts [env: TICKMARK_SCRIPT_HOSTS]
    #[arg(long, value_name = "HOSTS")]
    pub script_hosts: Option<String>,
    /// The certificate for HTTPS and its chain, PEM; read again when it changes [env: TICKMARK_TLS_CERT]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub tls_cert: Option<String>,
    /// Its private key, PEM [env: TICKMARK_TLS_KEY]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub tls_key: Option<String>,
    /// How the log is written, text or json [env: TICKMARK_LOG] [default: text]
    #[arg(long, value_name = "FORMAT")]
    pub log: Option<String>,
}

impl ServeFlags {
    /// Fills what is not set from others.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            listen: self.listen.or(other.listen),
            public_url: self.public_url.or(other.public_url),
            interval: self.interval.or(other.interval),
            mi_listen: self.mi_listen.or(other.mi_listen),
            mi_fifo: self.mi_fifo.or(other.mi_fifo),
            mi_get: self.mi_get.or(other.mi_get),
            script_hosts: self.script_hosts.or(other.script_hosts),
            tls_cert: self.tls_cert.or(other.tls_cert),
            tls_key: self.tls_key.or(other.tls_key),
            log: self.log.or(other.log),
        }
    }

    /// The first flag that is set.
    #[must_use]
    pub fn first(&self) -> Option<&'static str> {
        let set = [
            (&self.listen, "--listen"),
            (&self.public_url, "--public-url"),
            (&self.interval, "--interval"),
            (&self.mi_listen, "--mi-listen"),
            (&self.mi_fifo, "--mi-fifo"),
            (&self.mi_get, "--mi-get"),
            (&self.script_hosts, "--script-hosts"),
            (&self.tls_cert, "--tls-cert"),
            (&self.tls_key, "--tls-key"),
            (&self.log, "--log"),
        ];
        set.into_iter().find(|(value, _)| value.is_some()).map(|(_, flag)| flag)
    }
}

/// How the log is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// Lines for people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// What is logged, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogConfig {
    /// `--log`, `TICKMARK_LOG`, `log`; default `text`.
    pub format: LogFormat,
    /// `TICKMARK_LOG_FILTER`, `log_filter`: a filter of `tracing-subscriber`, such as `info,server=debug`; default `info`.
    pub filter: String,
}

/// Where the management interface listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MiAddress {
    /// Nowhere.
    Off,
    /// There, if nobody else does: it was not asked for.
    Default(SocketAddr),
    /// There, or the panel does not begin.
    Asked(SocketAddr),
}

/// The management interface, on which the panel speaks what OpenSIPS speaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MiConfig {
    /// `--mi-listen`, `TICKMARK_MI_LISTEN`, `mi_listen`; default `127.0.0.1:8081`.
    pub listen: MiAddress,
    /// `--mi-fifo`, `TICKMARK_MI_FIFO`, `mi_fifo`; default none.
    pub fifo: Option<PathBuf>,
    /// `--mi-get`, `TICKMARK_MI_GET`, `mi_get`: whether a GET may change something; default `read`.
    pub get_writes: bool,
    /// `TICKMARK_MI_TOKEN`, `mi_token`: what HTTP must tell; default none.
    pub token: Option<Secret>,
}

/// The files of `--tls-cert` and `--tls-key`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate, and those between it and one that browsers trust.
    pub cert: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// All that `tickmark serve` is told.
#[derive(Clone, Debug, PartialEq)]
pub struct ServeConfig {
    /// `--listen`, `TICKMARK_LISTEN`, `listen`; default `127.0.0.1:8888`.
    pub listen: SocketAddr,
    /// `--public-url`, `TICKMARK_PUBLIC_URL`, `public_url`: the address of `/cp` as people reach it, for links in messages; default: where
    /// it listens.
    pub public_url: Option<String>,
    /// `--database`, `TICKMARK_DATABASE`, `database`; default `sqlite:tickmark.db`.
    pub database: Database,
    /// `--key-file`, `TICKMARK_KEY_FILE`, `key_file`; default `tickmark.key` beside the database's file, in the working folder for one on
    /// a server, none for one in memory.
    pub key_file: Option<PathBuf>,
    /// `--interval`, `TICKMARK_INTERVAL`, `interval`; default `10s`.
    pub interval: Duration,
    /// What is logged.
    pub log: LogConfig,
    /// `TICKMARK_ADMIN_PASSWORD`: the password of `admin`, used when there is no account yet; default none. None as well when the file
    /// declares `admin`.
    pub admin_password: Option<Secret>,
    /// The management interface.
    pub mi: MiConfig,
    /// `--script-hosts`, `TICKMARK_SCRIPT_HOSTS`, `script_hosts`: what scripts may reach by HTTP; default none.
    pub script_hosts: Hosts,
    /// `--tls-cert` and `--tls-key`, `TICKMARK_TLS_CERT` and `TICKMARK_TLS_KEY`, `tls_cert` and `tls_key`: HTTPS; default none.
    pub tls: Option<TlsFiles>,
    /// `[[box]]`, `[[user]]` and what else the configuration file declares.
    pub provided: Provided,
    /// Lines to print at the start: what is set and does nothing yet, variables that are none.
    pub notices: Vec<String>,
}

impl ServeConfig {
    /// Reads everything.
    ///
    /// # Errors
    /// Names the option, variable or key, the value, and what is allowed.
    pub fn load(flags: &ServeFlags, common: &CommonFlags, env: &Environment) -> Result<Self, ConfigError> {
        let layers = Layers::read(common, env)?;
        let database = database(&layers, common)?;
        let mut config = Self {
            listen: layers.value("listen", flags.listen.as_deref(), parse_listen)?.unwrap_or(DEFAULT_LISTEN),
            public_url: layers.value("public_url", flags.public_url.as_deref(), parse_public_url)?,
            key_file: key_file(&layers, common, &database)?,
            database,
            interval: layers.value("interval", flags.interval.as_deref(), parse_interval)?.unwrap_or(DEFAULT_INTERVAL),
            log: LogConfig {
                format: layers.value("log", flags.log.as_deref(), parse_log)?.unwrap_or_default(),
                filter: layers.value("log_filter", None, parse_filter)?.unwrap_or_else(|| DEFAULT_LOG_FILTER.to_owned()),
            },
            admin_password: admin_password(env)?,
            mi: MiConfig {
                listen: layers.value("mi_listen", flags.mi_listen.as_deref(), parse_mi_listen)?.unwrap_or(MiAddress::Default(DEFAULT_MI)),
                fifo: layers.value("mi_fifo", flags.mi_fifo.as_deref(), parse_path)?,
                get_writes: layers.value("mi_get", flags.mi_get.as_deref(), parse_mi_get)?.unwrap_or_default(),
                token: layers.value("mi_token", None, parse_mi_token)?,
            },
            script_hosts: layers.value("script_hosts", flags.script_hosts.as_deref(), Hosts::parse)?.unwrap_or_default(),
            tls: tls(&layers, flags)?,
            provided: layers.provided()?,
            notices: env.strangers(),
        };
        if config.admin_password.is_some() && config.provided.users.iter().any(|user| user.name == FIRST_ACCOUNT) {
            config.admin_password = None;
            config
                .notices
                .push(format!("{ADMIN_PASSWORD} is set and not used: the configuration file says the password of {FIRST_ACCOUNT}."));
        }
        Ok(config)
    }
}

/// Both files, or none.
fn tls(layers: &Layers<'_>, flags: &ServeFlags) -> Result<Option<TlsFiles>, ConfigError> {
    let cert = layers.value("tls_cert", flags.tls_cert.as_deref(), parse_path)?;
    let key = layers.value("tls_key", flags.tls_key.as_deref(), parse_path)?;
    match (cert, key) {
        (None, None) => Ok(None),
        (Some(cert), Some(key)) => Ok(Some(TlsFiles { cert, key })),
        (Some(cert), None) => Err(ConfigError::Value(format!("tls_cert is {}, and tls_key is missing: give both", cert.display()))),
        (None, Some(key)) => Err(ConfigError::Value(format!("tls_key is {}, and tls_cert is missing: give both", key.display()))),
    }
}

/// The database alone, for commands beside a running panel.
///
/// # Errors
/// As [`ServeConfig::load`].
pub fn load_database(common: &CommonFlags, env: &Environment) -> Result<Database, ConfigError> {
    database(&Layers::read(common, env)?, common)
}

/// The key file alone, for commands beside a running panel.
///
/// # Errors
/// As [`ServeConfig::load`].
pub fn load_key_file(common: &CommonFlags, env: &Environment) -> Result<Option<PathBuf>, ConfigError> {
    let layers = Layers::read(common, env)?;
    key_file(&layers, common, &database(&layers, common)?)
}

/// The names of all options, as the configuration file writes them.
pub fn option_names() -> impl Iterator<Item = &'static str> {
    OPTIONS.into_iter()
}

fn database(layers: &Layers<'_>, common: &CommonFlags) -> Result<Database, ConfigError> {
    let given = layers.value("database", common.database.as_deref(), Database::parse)?;
    given.map_or_else(|| Database::parse(DEFAULT_DATABASE).map_err(ConfigError::Value), Ok)
}

fn key_file(layers: &Layers<'_>, common: &CommonFlags, database: &Database) -> Result<Option<PathBuf>, ConfigError> {
    let given = layers.value("key_file", common.key_file.as_deref(), parse_path)?;
    Ok(given.or_else(|| database.key_file()))
}

fn admin_password(env: &Environment) -> Result<Option<Secret>, ConfigError> {
    let Some(password) = env.get(ADMIN_PASSWORD).map(|password| Secret(password.to_owned())) else { return Ok(None) };
    check_password(&password).map_err(|error| ConfigError::Value(format!("{ADMIN_PASSWORD}: {error}")))?;
    Ok(Some(password))
}

fn parse_listen(text: &str) -> Result<SocketAddr, String> {
    let numeric = text.strip_prefix("localhost:").map(|port| format!("127.0.0.1:{port}"));
    numeric.as_deref().unwrap_or(text).parse().map_err(|_| {
        format!("{text:?} is no address and port: write such as 127.0.0.1:8888, 0.0.0.0:8888 (every address of this host) or [::1]:8888")
    })
}

/// The address of `/cp`, whether that was written or not.
fn parse_public_url(text: &str) -> Result<String, String> {
    let url = url::Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    let url = url.ok_or_else(|| format!("{text:?} is no address of the web: write such as https://panel.example.org"))?;
    // What holds a password is not quoted back.
    if !url.username().is_empty() || url.password().is_some() {
        return Err("an address for everybody holds no user and no password: write such as https://panel.example.org".to_owned());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(format!("{text:?} goes on behind the path: write such as https://panel.example.org"));
    }
    let base = url.as_str().trim_end_matches('/');
    Ok(format!("{}/cp", base.strip_suffix("/cp").unwrap_or(base)))
}

fn parse_mi_listen(text: &str) -> Result<MiAddress, String> {
    if text == "off" {
        return Ok(MiAddress::Off);
    }
    parse_listen(text).map(MiAddress::Asked).map_err(|reason| format!("{reason}; or off"))
}

fn parse_mi_get(text: &str) -> Result<bool, String> {
    match text {
        "read" => Ok(false),
        "write" => Ok(true),
        _ => Err(format!("{text:?} is neither read nor write")),
    }
}

fn parse_mi_token(text: &str) -> Result<Secret, String> {
    let good = text.len() >= MIN_MI_TOKEN && text.bytes().all(|byte| byte.is_ascii_graphic());
    // What was given is a secret.
    good.then(|| Secret(text.to_owned())).ok_or_else(|| format!("a token has at least {MIN_MI_TOKEN} characters of ASCII, and no spaces"))
}

fn parse_log(text: &str) -> Result<LogFormat, String> {
    match text {
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        _ => Err(format!("{text:?} is no log format: text or json is allowed")),
    }
}

fn parse_filter(text: &str) -> Result<String, String> {
    match text.parse::<tracing_subscriber::filter::Targets>() {
        Ok(_) => Ok(text.to_owned()),
        Err(error) => Err(format!("{text:?} is no log filter ({error}): write such as info, or info,server=debug")),
    }
}

#[expect(clippy::unnecessary_wraps, reason = "it stands beside parsers that can fail")]
fn parse_path(text: &str) -> Result<PathBuf, String> {
    Ok(PathBuf::from(text))
}

#[cfg(test)]
mod tests;
