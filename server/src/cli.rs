//! The command line: what `tickmark` can be told, and the commands that end by themselves. Serving is not its business: it hands the
//! configuration back.

use std::{
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
};

use app::shown::visible;
use clap::{Parser, Subcommand, ValueHint};

use crate::{
    auth::{AuthError, PasswordError},
    config::{CommonFlags, ConfigError, Database, Environment, ServeConfig, ServeFlags},
    source::SourceError,
    store::{Store, StoreError},
    vault::VaultError,
};

mod backup;
mod boxes;
mod check;
mod client;
mod export;
mod import;
mod manual;
mod secret;
mod tokens;
mod users;

pub use backup::BackupArgs;
pub use boxes::BoxCommand;
pub use check::CheckArgs;
pub use client::{AskArgs, ResetArgs, WatchArgs};
pub use export::ExportArgs;
pub use import::ImportArgs;
pub use tokens::TokenCommand;
pub use users::UserCommand;

/// What stands below `--help`.
const AFTER_HELP: &str = "\
Each option is also a variable, TICKMARK_ and its name in capitals, and a key of the
configuration file, with _ for -.
Flags come before variables, variables before the file.

More variables:
  TICKMARK_ADMIN_PASSWORD  the password of admin, made at the first start;
                           without it, a one-time setup link is printed
  TICKMARK_LOG_FILTER      what is logged, such as info or info,server=debug [default: info]
  TICKMARK_MI_TOKEN        what who asks at --mi-listen over HTTP must tell; datagrams are then off

More in the configuration file (what it declares is read-only in the panel):
  [[box]]   name, address; optional: kind, interval, user, password or password_file, paused,
            labels = { site = \"north\" }, ticks = [\"dialog:\", \"core:rcv_requests\"]
  [[user]]  name; one of password, password_hash (argon2id), password_file

Exit codes: 0 it is done; 1 it failed, or `check` found faults; 2 the command line or the configuration is wrong.";

/// A web control panel for the statistics of SIP servers
///
/// Tickmark asks OpenSIPS and Kamailio servers for their statistics, shows them live, records those that are ticked, and draws their
/// history. Without a command it serves the panel.
#[derive(Parser, Debug)]
#[command(name = "tickmark", version, after_long_help = AFTER_HELP)]
pub struct Cli {
    /// Options of every command.
    #[command(flatten)]
    pub common: CommonFlags,
    /// Options of `serve`, which need not be named.
    #[command(flatten)]
    pub serve: ServeFlags,
    /// What to do.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What to do.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Serve the panel (what happens without a command)
    #[command(after_long_help = AFTER_HELP)]
    Serve(ServeFlags),
    /// Servers that are asked for statistics: add, list, remove, probe
    #[command(subcommand)]
    Box(BoxCommand),
    /// Accounts: add, list, password, remove
    #[command(subcommand)]
    User(UserCommand),
    /// Tokens for tools: create, list, revoke
    #[command(subcommand)]
    Token(TokenCommand),
    /// Read every chunk of the database back and report; exit code 1 when something is wrong
    Check(CheckArgs),
    /// Copy the database into a file, as it is at one instant, also while the panel runs
    Backup(BackupArgs),
    /// Ask a server for statistics and print them
    Get(AskArgs),
    /// Ask a server which statistics it has, and print them with their kind
    List(AskArgs),
    /// Set counters of a server to zero, and read them again to see that they are
    Reset(ResetArgs),
    /// Ask a server again and again, and show what changed and how quickly, until Ctrl-C
    Watch(WatchArgs),
    /// Write the whole database into a file that `import` reads, also while the panel runs
    Export(ExportArgs),
    /// Bring what `export` wrote into an empty database, also of the other kind; goes on where it was interrupted
    Import(ImportArgs),
    /// Print the completions of a shell: where to put them, its documentation says
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
    /// Write the manual pages, one for each command
    Man {
        /// The folder to write them into, such as /usr/local/share/man/man1; it is made when it is not there
        #[arg(value_hint = ValueHint::DirPath)]
        folder: PathBuf,
    },
}

/// What the command line came to.
#[derive(Debug)]
pub enum Outcome {
    /// The panel is to be served.
    Serve(Box<ServeConfig>),
    /// A command ran to its end.
    Done(ExitCode),
}

/// Why a command did not do it.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// The command line is wrong.
    #[error("{0}")]
    Usage(String),
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// It failed; the text says what to do.
    #[error("{0}")]
    Failed(String),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The key file failed.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// A password is too weak, or there were no random bytes.
    #[error(transparent)]
    Auth(#[from] AuthError),
    /// The server that was asked gave no answer.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// Nothing can be printed, or no password be read.
    #[error("reading or writing failed: {0}")]
    Io(#[from] io::Error),
}

impl From<PasswordError> for CliError {
    fn from(error: PasswordError) -> Self {
        Self::Auth(error.into())
    }
}

impl CliError {
    /// The exit code: 2 for a wrong command line or configuration, else 1.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Usage(_) | Self::Config(_) => ExitCode::from(2),
            _ => ExitCode::FAILURE,
        }
    }

    /// Whether the reader of our output went away (`tickmark get … | head`): no failure of ours, and nothing to say.
    #[must_use]
    pub fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Io(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}

/// Runs a command to its end, or says that the panel is to be served.
///
/// # Errors
/// When the command cannot do what it was told; [`CliError::exit_code`] is the code to end with.
pub async fn run(cli: Cli, env: &Environment) -> Result<Outcome, CliError> {
    let Cli { common, serve, command } = cli;
    let command = match command {
        None => return Ok(Outcome::Serve(Box::new(ServeConfig::load(&serve, &common, env)?))),
        Some(Command::Serve(flags)) => return Ok(Outcome::Serve(Box::new(ServeConfig::load(&flags.or(serve), &common, env)?))),
        Some(command) => command,
    };
    if let Some(flag) = serve.first() {
        return Err(CliError::Usage(format!("{flag} is an option of tickmark serve, not of this command")));
    }
    let mut place = Place { common: &common, env, now_ms: chrono::Utc::now().timestamp_millis() };
    let out = &mut io::stdout().lock();
    let code = match command {
        Command::Serve(_) => ExitCode::SUCCESS,
        Command::Box(command) => boxes::run(command, &mut place, out).await?,
        Command::User(command) => users::run(command, &mut place, out).await?,
        Command::Token(command) => tokens::run(command, &mut place, out).await?,
        Command::Check(args) => check::run(&mut place, &args, out).await?,
        Command::Backup(args) => backup::run(&args, &mut place, out).await?,
        Command::Get(args) => client::get(args, env, out).await?,
        Command::List(args) => client::list(args, env, out).await?,
        Command::Reset(args) => client::reset(args, env, out).await?,
        Command::Watch(args) => client::watch(args, env, out).await?,
        Command::Export(args) => export::run(&args, &mut place, out).await?,
        Command::Import(args) => import::run(&args, &mut place, out).await?,
        Command::Completions { shell } => manual::completions(shell, out)?,
        Command::Man { folder } => manual::pages(&folder)?,
    };
    out.flush()?;
    Ok(Outcome::Done(code))
}

/// Where a command works: the configuration, the variables and the time.
struct Place<'a> {
    common: &'a CommonFlags,
    env: &'a Environment,
    now_ms: i64,
}

impl Place<'_> {
    fn database(&self) -> Result<Database, CliError> {
        Ok(crate::config::load_database(self.common, self.env)?)
    }

    /// Opens the database that is there. Listing or removing something in a new, empty one would only hide that it is the wrong one.
    async fn store(&self) -> Result<Store, CliError> {
        if let Database::Sqlite { path, .. } = self.database()?
            && !path.exists()
        {
            let path = path.display();
            return Err(CliError::Failed(format!(
                "there is no database {path}: run this where the panel runs, or name it with --database"
            )));
        }
        self.store_or_new().await
    }

    /// Opens the database, and makes it when it is not there.
    async fn store_or_new(&self) -> Result<Store, CliError> {
        Ok(Store::open(self.database()?.url()).await?)
    }
}

/// Prints rows as columns, each as wide as its widest cell. Nothing in a cell acts on the terminal.
fn print_table(out: &mut dyn Write, rows: &[Vec<String>]) -> io::Result<()> {
    let shown = |row: &Vec<String>| row.iter().map(|cell| visible(cell).into_owned()).collect::<Vec<_>>();
    let rows: Vec<Vec<String>> = rows.iter().map(shown).collect();
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or_default();
    let widths: Vec<usize> = (0..columns).map(width).collect();
    for row in &rows {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        writeln!(out, "{}", cells.join("  ").trim_end())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
