//! `tickmark user …`: accounts, beside a running panel.

use std::{io::Write, process::ExitCode};

use app::model::Origin;
use clap::Subcommand;

use super::{CliError, Place, secret::new_password};
use crate::{
    auth::{Passwords, SETUP_SETTING, check_password},
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
    },
    /// List the accounts
    List,
    /// Change the password of an account, and end its sessions; asked for or read as by `add`
    Password {
        /// Its name
        name: String,
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
        UserCommand::Add { name } => {
            if store.account(&name).await?.is_some() {
                return Err(CliError::Failed(format!("the account {name} exists already: see tickmark user password {name}")));
            }
            let hash = hash_new_password(&name).await?;
            store.add_account(&name, &hash, place.now_ms).await?;
            // With an account there, the setup link must not make another one.
            if store.setting(SETUP_SETTING).await?.is_some() {
                store.set_setting(SETUP_SETTING, None).await?;
            }
            writeln!(out, "Added the account {name}.")?;
        }
        UserCommand::List => {
            for account in store.accounts().await? {
                writeln!(out, "{}", account.name)?;
            }
        }
        UserCommand::Password { name } => {
            must_be_changeable(&store, &name).await?;
            let hash = hash_new_password(&name).await?;
            store.set_password(&name, &hash).await?;
            writeln!(out, "Changed the password of {name}; its sessions have ended.")?;
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
