//! `tickmark token …`: tokens for tools, beside a running panel.

use std::{io::Write, process::ExitCode};

use chrono::{DateTime, Utc};
use clap::Subcommand;

use super::{CliError, Place, print_table};
use crate::{
    auth::{Scope, hash_secret, new_token},
    config::check_token_name,
    store::Token,
};

/// What to do with tokens.
#[derive(Subcommand, Debug)]
pub enum TokenCommand {
    /// Make a token and print it; it is shown this once only
    Create {
        /// Its name: letters, digits, _ . and -
        #[arg(value_parser = token_name)]
        name: String,
        /// What it may do: read (see everything), tick (also choose what is recorded), push (only push statistics), admin (everything)
        #[arg(long, value_parser = Scope::parse, value_name = "read|tick|push|admin")]
        scope: Scope,
    },
    /// List the tokens
    List,
    /// Take a token back: whoever has it may nothing any more
    Revoke {
        /// Its name
        name: String,
    },
}

pub(super) async fn run(command: TokenCommand, place: &mut Place<'_>, out: &mut dyn Write) -> Result<ExitCode, CliError> {
    let is_new = matches!(command, TokenCommand::Create { .. });
    let store = if is_new { place.store_or_new().await? } else { place.store().await? };
    match command {
        TokenCommand::Create { name, scope } => {
            let secret = new_token().map_err(crate::auth::AuthError::from)?;
            let token = Token { name, scope: scope.as_str().to_owned(), created_ms: place.now_ms };
            store.add_token(&token, &hash_secret(&secret.0)).await?;
            // Only the token goes to standard output, so that scripts can take it from there.
            writeln!(out, "{}", secret.0)?;
            eprintln!("Keep it: it is not shown again. Send it as Authorization: Bearer TOKEN.");
        }
        TokenCommand::List => {
            let heads = ["NAME", "SCOPE", "CREATED"].map(str::to_owned).to_vec();
            let tokens = store.tokens().await?;
            let rows = tokens.into_iter().map(|token| vec![token.name, token.scope, day(token.created_ms)]);
            print_table(out, &std::iter::once(heads).chain(rows).collect::<Vec<_>>())?;
        }
        TokenCommand::Revoke { name } => {
            store.revoke_token(&name).await?;
            writeln!(out, "Revoked the token {name}.")?;
        }
    }
    store.close().await;
    Ok(ExitCode::SUCCESS)
}

fn day(at_ms: i64) -> String {
    DateTime::<Utc>::from_timestamp_millis(at_ms).map(|at| at.format("%Y-%m-%d %H:%M UTC").to_string()).unwrap_or_default()
}

fn token_name(text: &str) -> Result<String, String> {
    check_token_name(text).map(|()| text.to_owned())
}
