//! `tickmark box …`: writes to the store beside a running panel, which notices within a second.

use std::{collections::BTreeMap, io::Write, process::ExitCode, time::Duration};

use app::model::{BoxKind, Origin, Verdict};
use clap::{Args, Subcommand, ValueEnum};

use super::{CliError, Place, print_table, secret::BoxLogin};
use crate::{
    config::{check_box_name, format_duration, parse_interval},
    source::{self, Secret, Typed},
    store::{BoxSpec, Store, StoredBox},
    vault::Vault,
};

/// What to do with boxes.
#[derive(Subcommand, Debug)]
pub enum BoxCommand {
    /// Add a box; without --kind it is asked what it is
    Add(AddArgs),
    /// List the boxes
    List,
    /// Remove a box
    Remove {
        /// Its name
        name: String,
        /// What becomes of what was recorded
        #[arg(long, value_enum)]
        history: History,
    },
    /// Find out what an address is
    Probe {
        /// Such as 10.0.0.5:8888, fifo:/tmp/opensips_fifo or udp://10.0.0.5:8080
        address: String,
        /// User and password.
        #[command(flatten)]
        login: BoxLogin,
    },
}

/// A box to add.
#[derive(Args, Debug)]
pub struct AddArgs {
    /// Its name: a letter first, then letters, digits, _ . or -
    #[arg(value_parser = box_name)]
    name: String,
    /// Such as <http://10.0.0.5:8888/mi>; may hold user:password@ before the host, which ps shows, too
    address: String,
    /// Which dialect it speaks
    #[arg(long, value_enum)]
    kind: Option<KindArg>,
    /// How often it is asked, 200ms to 1h [default: the panel's]
    #[arg(long, value_parser = parse_interval, value_name = "DURATION")]
    interval: Option<Duration>,
    /// User and password.
    #[command(flatten)]
    login: BoxLogin,
    /// A label of your own; may be repeated
    #[arg(long = "label", value_parser = label, value_name = "KEY=VALUE")]
    labels: Vec<(String, String)>,
    /// Leave it alone for now
    #[arg(long)]
    paused: bool,
}

/// What becomes of what was recorded.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum History {
    /// It stays, and comes back when a box of this name is added again
    Keep,
    /// It is deleted for good
    Delete,
}

/// A dialect, as the command line names it.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum KindArg {
    /// OpenSIPS 3.x or 4.x
    Opensips,
    /// OpenSIPS 2.x
    Opensips2,
    /// Kamailio with jsonrpcs
    Kamailio,
    /// An exporter of metrics
    Prometheus,
}

impl From<KindArg> for BoxKind {
    fn from(kind: KindArg) -> Self {
        match kind {
            KindArg::Opensips => Self::Opensips,
            KindArg::Opensips2 => Self::Opensips2,
            KindArg::Kamailio => Self::Kamailio,
            KindArg::Prometheus => Self::Prometheus,
        }
    }
}

pub(super) async fn run(command: BoxCommand, place: &mut Place<'_>, out: &mut dyn Write) -> Result<ExitCode, CliError> {
    match command {
        BoxCommand::Add(args) => add(args, place, out).await?,
        BoxCommand::List => list(&place.store().await?, out).await?,
        BoxCommand::Remove { name, history } => {
            let store = place.store().await?;
            let found = find(&store, &name).await?;
            store.remove_box(found.id, history == History::Delete, place.now_ms).await?;
            let what = if history == History::Delete { "with all that was recorded of it" } else { "; what was recorded of it stays" };
            writeln!(out, "Removed the box {name}{}{what}.", if history == History::Delete { " " } else { "" })?;
            store.close().await;
        }
        BoxCommand::Probe { address, login } => return probe(&address, &login, place, out).await,
    }
    Ok(ExitCode::SUCCESS)
}

async fn add(args: AddArgs, place: &Place<'_>, out: &mut dyn Write) -> Result<(), CliError> {
    let Typed { address: typed, user, password } = args.login.typed(&args.address, place.env)?;
    let (kind, address, said) = if let Some(kind) = args.kind {
        typed.check_kind(kind.into()).map_err(|reason| CliError::Usage(format!("--kind: {reason}")))?;
        (kind.into(), typed.to_string(), None)
    } else {
        let report = source::probe(&typed.to_string(), user.as_deref(), password.as_ref()).await;
        let Some(kind) = report.kind else {
            let hint = "If it is the right address, add --kind opensips, opensips2 or kamailio to add it all the same.";
            return Err(CliError::Failed(format!("{}. Nothing was added. {hint}", report.message.trim_end_matches('.'))));
        };
        (kind, report.address, Some(report.message))
    };
    let spec = BoxSpec {
        name: args.name,
        address,
        kind,
        interval_ms: args.interval.map(millis),
        labels: args.labels.into_iter().collect::<BTreeMap<_, _>>(),
        paused: args.paused,
        origin: Origin::Panel,
        user,
        password_sealed: password.as_ref().map(|password| seal(place, password)).transpose()?,
    };
    let store = place.store_or_new().await?;
    store.add_box(&spec, place.now_ms).await?;
    if let Some(said) = said {
        writeln!(out, "{said}")?;
    }
    writeln!(out, "Added the box {} ({}, {}).", spec.name, spec.kind.as_str(), spec.address)?;
    store.close().await;
    Ok(())
}

fn seal(place: &Place<'_>, password: &Secret) -> Result<Vec<u8>, CliError> {
    let vault = match crate::config::load_key_file(place.common, place.env)? {
        Some(path) => Vault::open(&path)?,
        None => Vault::in_memory()?,
    };
    Ok(vault.seal(password)?)
}

async fn list(store: &Store, out: &mut dyn Write) -> Result<(), CliError> {
    let heads = ["NAME", "KIND", "ADDRESS", "INTERVAL", "LABELS", "NOTES"].map(str::to_owned).to_vec();
    let rows = store.boxes().await?;
    let rows: Vec<Vec<String>> = std::iter::once(heads).chain(rows.iter().map(|row| cells(&row.spec))).collect();
    print_table(out, &rows)?;
    store.close().await;
    Ok(())
}

fn cells(spec: &BoxSpec) -> Vec<String> {
    let interval = spec.interval_ms.and_then(|ms| u64::try_from(ms).ok());
    let labels: Vec<String> = spec.labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let notes = [
        (spec.paused, "paused"),
        (spec.origin == Origin::Config, "from the configuration file"),
        (spec.origin == Origin::Builtin, "built in"),
        (spec.password_sealed.is_some(), "with a password"),
    ];
    let notes: Vec<&str> = notes.into_iter().filter(|(holds, _)| *holds).map(|(_, note)| note).collect();
    vec![
        spec.name.clone(),
        spec.kind.as_str().to_owned(),
        spec.address.clone(),
        interval.map_or_else(|| "default".to_owned(), |ms| format_duration(Duration::from_millis(ms))),
        labels.join(","),
        notes.join(", "),
    ]
}

/// The box of a name.
pub(super) async fn named(store: &Store, name: &str) -> Result<StoredBox, CliError> {
    let found = store.boxes().await?.into_iter().find(|stored| stored.spec.name == name);
    found.ok_or_else(|| CliError::Failed(format!("there is no box {name:?}: see tickmark box list")))
}

async fn find(store: &Store, name: &str) -> Result<StoredBox, CliError> {
    let found = named(store, name).await?;
    match found.spec.origin {
        Origin::Panel => Ok(found),
        Origin::Config => Err(CliError::Failed(format!("the box {name} comes from the configuration file: take it out there"))),
        Origin::Builtin => Err(CliError::Failed(format!("the box {name} is built in: it cannot be removed, but paused in the panel"))),
    }
}

async fn probe(address: &str, login: &BoxLogin, place: &Place<'_>, out: &mut dyn Write) -> Result<ExitCode, CliError> {
    let Typed { address, user, password } = login.typed(address, place.env)?;
    let report = source::probe(&address.to_string(), user.as_deref(), password.as_ref()).await;
    writeln!(out, "{}", report.message)?;
    Ok(if matches!(report.verdict, Verdict::Opensips | Verdict::Kamailio | Verdict::Prometheus) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

fn box_name(text: &str) -> Result<String, String> {
    check_box_name(text).map(|()| text.to_owned())
}

fn label(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or_else(|| format!("{text:?} is no label: write KEY=VALUE, such as site=north"))?;
    if key.trim().is_empty() {
        Err(format!("{text:?} has no key: write KEY=VALUE"))
    } else {
        Ok((key.trim().to_owned(), value.trim().to_owned()))
    }
}
