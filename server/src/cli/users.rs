//! `tickmark user …`: accounts, beside a running panel.

use std::{io::Write, process::ExitCode};

use app::model::Origin;
use clap::Subcommand;

use super::{CliError, Place, print_table, secret::new_password};
use crate::{
    auth::{Passwords, SETUP_SETTING, Scope, account_scope, check_password},
    config::check_account_name,
};

/// What to do with accounts.
#[derive(Subcommand, Debug)]
pub enum UserCommand {
    /// Add an account; its password is asked for, or read from the first line of standard input (10 characters at least)
    Add {
        /// Its name: letters, digits, _ . - and @
        #[arg(value_parser = account_name)]
        name: String,
        /// What it may do: read (see everything), tick (also choose what is recorded), admin (everything)
        #[arg(long, value_parser = account_scope, value_name = "read|tick|admin", default_value = "admin")]
        scope: Scope,
    },
    /// List the accounts
    List,
    /// Change the password of an account, and end its sessions; asked for or read as by `add`
    Password {
        /// Its name
        name: String,
    },
    /// Change what an account may do
    Scope {
        /// Its name
        name: String,
        /// read, tick or admin
        #[arg(value_parser = account_scope, value_name = "read|tick|admin")]
        scope: Scope,
    },
    /// Remove an account, and end its sessions
    Remove {
        /// Its name
        name: String,
    },
}

pub(super) async fn run(command: UserCommand, place: &mut Place<'_>, out: &mut dyn Write) -> Result<ExitCode, CliError> {
    let is_new = matches!(command, UserCommand::Add { .. });
    let store = if is_new { place.store_or_new().await? } else { place.store().await? };
    match command {
        UserCommand::Add { name, scope } => {
            if store.account(&name).await?.is_some() {
                return Err(CliError::Failed(format!("the account {name} exists already: see tickmark user password {name}")));
            }
            let hash = hash_new_password(&name).await?;
            store.add_account_as(&name, &hash, scope.as_str(), place.now_ms).await?;
            // With an account there, the setup link must not make another one.
            if store.setting(SETUP_SETTING).await?.is_some() {
                store.set_setting(SETUP_SETTING, None).await?;
            }
            writeln!(out, "Added the account {name}.")?;
        }
        UserCommand::List => {
            let heads = ["NAME", "SCOPE"].map(str::to_owned).to_vec();
            let rows = store.accounts().await?.into_iter().map(|account| vec![account.name, account.scope]);
            print_table(out, &std::iter::once(heads).chain(rows).collect::<Vec<_>>())?;
        }
        UserCommand::Password { name } => {
            must_be_changeable(&store, &name).await?;
            let hash = hash_new_password(&name).await?;
            store.set_password(&name, &hash).await?;
            writeln!(out, "Changed the password of {name}; its sessions have ended.")?;
        }
        UserCommand::Scope { name, scope } => {
            must_be_changeable(&store, &name).await?;
            if !store.set_account_scope(&name, scope.as_str()).await? {
                return Err(CliError::Failed(format!("{name} is the last account with the scope admin: give it to another one first")));
            }
            writeln!(out, "{name} has the scope {} now.", scope.as_str())?;
        }
        UserCommand::Remove { name } => {
            must_be_changeable(&store, &name).await?;
            store.remove_account(&name).await?;
            writeln!(out, "Removed the account {name}.")?;
            if store.accounts().await?.is_empty() {
                writeln!(out, "No account is left: the next start of the panel prints a setup link.")?;
            }
        }
    }
    store.close().await;
    Ok(ExitCode::SUCCESS)
}

async fn must_be_changeable(store: &crate::store::Store, name: &str) -> Result<(), CliError> {
    match store.account(name).await?.map(|account| account.origin) {
        None => Err(CliError::Failed(format!("there is no account {name:?}: see tickmark user list"))),
        Some(Origin::Config) => Err(CliError::Failed(format!("the account {name} comes from the configuration file: change it there"))),
        Some(Origin::Panel | Origin::Builtin) => Ok(()),
    }
}

async fn hash_new_password(name: &str) -> Result<String, CliError> {
    let password = new_password(name)?;
    check_password(&password)?;
    Ok(Passwords::default().hash(&password).await?)
}

fn account_name(text: &str) -> Result<String, String> {
    check_account_name(text).map(|()| text.to_owned())
}
