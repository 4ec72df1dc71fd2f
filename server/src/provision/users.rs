//! The accounts that the configuration file declares: made, changed, and taken away with it. It must not touch those of the panel
//! that the file never named.

use app::model::Origin;

use super::ProvisionError;
use crate::{
    auth::Passwords,
    config::{ProvidedPassword, ProvidedUser},
    store::Store,
};

/// Removes the accounts that the file declared before, with their sessions, and makes and changes those it declares now.
pub(super) async fn provide_users(store: &Store, passwords: &Passwords, users: &[ProvidedUser], now_ms: i64) -> Result<(), ProvisionError> {
    for account in store.accounts().await? {
        if account.origin == Origin::Config && !users.iter().any(|user| user.name == account.name) {
            store.remove_account(&account.name).await?;
            tracing::info!(user = account.name, "the account is not in the configuration file any more: it was removed");
        }
    }
    for user in users {
        provide_user(store, passwords, user, now_ms).await?;
    }
    Ok(())
}

async fn provide_user(store: &Store, passwords: &Passwords, user: &ProvidedUser, now_ms: i64) -> Result<(), ProvisionError> {
    let account = store.account(&user.name).await?;
    match (&account, new_hash(passwords, user, account.as_ref().map(|account| account.password_hash.as_str())).await?) {
        (None, Some(hash)) => drop(store.add_account_as(&user.name, &hash, user.scope.as_str(), now_ms).await?),
        // It ends the account's sessions, so it is done only for another password.
        (Some(_), Some(hash)) => store.set_password(&user.name, &hash).await?,
        (_, None) => {}
    }
    if account.as_ref().is_some_and(|account| account.scope != user.scope.as_str())
        && !store.set_account_scope(&user.name, user.scope.as_str()).await?
    {
        // Somebody must be able to give rights: the next start tries again.
        tracing::warn!(user = user.name, "the account keeps the scope admin: no other one has it");
    }
    // One that was made in the panel is the file's from now on, as a box is.
    if account.is_none_or(|account| account.origin != Origin::Config) {
        store.set_account_origin(&user.name, Origin::Config).await?;
    }
    Ok(())
}

/// The hash to store; none when the one that is known is of the same password.
async fn new_hash(passwords: &Passwords, user: &ProvidedUser, known: Option<&str>) -> Result<Option<String>, ProvisionError> {
    Ok(match (&user.password, known) {
        (ProvidedPassword::Hash(hash), Some(known)) if hash.0 == known => None,
        (ProvidedPassword::Hash(hash), _) => Some(hash.0.clone()),
        (ProvidedPassword::Plain(plain), Some(known)) if passwords.verify(plain, Some(known)).await? => None,
        (ProvidedPassword::Plain(plain), _) => Some(passwords.hash(plain).await?),
    })
}
