//! Accounts, sessions, tokens and small settings, as they are kept: hashes, never secrets. It must not know how they are checked.

use app::model::Origin;

use super::types::{Account, Token, origin_of};
use super::{Store, StoreError, taken};

/// The scope of whoever may do everything.
const ADMIN: &str = "admin";

type AccountRow = (i64, String, String, String, String, String);
type TokenRow = (String, String, i64);

fn account_of((id, name, password_hash, origin, scope, taste): AccountRow) -> Result<Account, StoreError> {
    let origin = origin_of(&origin, || format!("the account {name}"))?;
    Ok(Account { id, name, password_hash, origin, scope, taste })
}

fn token_of((name, scope, created_ms): TokenRow) -> Token {
    Token { name, scope, created_ms }
}

impl Store {
    /// All accounts, in the order of their names.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn accounts(&self) -> Result<Vec<Account>, StoreError> {
        let select = "select account_id, name, password_hash, origin, scope, taste from account order by name";
        let rows: Vec<AccountRow> = sqlx::query_as(select).fetch_all(&self.inner.read).await?;
        rows.into_iter().map(account_of).collect()
    }

    /// The account of a name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn account(&self, name: &str) -> Result<Option<Account>, StoreError> {
        let select = sqlx::query_as("select account_id, name, password_hash, origin, scope, taste from account where name = $1").bind(name);
        let row: Option<AccountRow> = select.fetch_optional(&self.inner.read).await?;
        row.map(account_of).transpose()
    }

    /// Adds an account that may do everything, for now of the panel, and gives its number.
    ///
    /// # Errors
    /// [`StoreError::Taken`] when there is an account of this name.
    pub async fn add_account(&self, name: &str, password_hash: &str, now_ms: i64) -> Result<i64, StoreError> {
        self.add_account_as(name, password_hash, ADMIN, now_ms).await
    }

    /// The same for one that may less.
    ///
    /// # Errors
    /// [`StoreError::Taken`] when there is an account of this name.
    pub async fn add_account_as(&self, name: &str, password_hash: &str, scope: &str, now_ms: i64) -> Result<i64, StoreError> {
        let mut change = self.begin_change().await?;
        let insert =
            "insert into account (name, password_hash, origin, scope, created_ms) values ($1, $2, $3, $4, $5) returning account_id";
        let insert = sqlx::query_scalar(insert).bind(name).bind(password_hash).bind(Origin::Panel.as_str()).bind(scope).bind(now_ms);
        let id = insert.fetch_one(&mut *change).await.map_err(|error| taken(error, "an account named", name))?;
        change.commit().await?;
        Ok(id)
    }

    /// Changes the password and ends the account's sessions.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when the account is not there.
    pub async fn set_password(&self, name: &str, password_hash: &str) -> Result<(), StoreError> {
        let mut change = self.begin_change().await?;
        end_sessions(&mut change, name).await?;
        let update = sqlx::query("update account set password_hash = $1 where name = $2").bind(password_hash).bind(name);
        let updated = update.execute(&mut *change).await?.rows_affected();
        if updated == 0 {
            return Err(StoreError::Missing(format!("the account {name}")));
        }
        Ok(change.commit().await?)
    }

    /// Changes how an account's pages look. No other process need hear of it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_taste(&self, account_id: i64, taste: &str) -> Result<(), StoreError> {
        let mut change = self.begin_write().await?;
        sqlx::query("update account set taste = $1 where account_id = $2").bind(taste).bind(account_id).execute(&mut *change).await?;
        Ok(change.commit().await?)
    }

    /// Changes who provides an account.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when the account is not there.
    pub async fn set_account_origin(&self, name: &str, origin: Origin) -> Result<(), StoreError> {
        let mut change = self.begin_change().await?;
        let update = sqlx::query("update account set origin = $1 where name = $2").bind(origin.as_str()).bind(name);
        if update.execute(&mut *change).await?.rows_affected() == 0 {
            return Err(StoreError::Missing(format!("the account {name}")));
        }
        Ok(change.commit().await?)
    }

    /// Changes what an account may; false when nobody were left who may do everything.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when the account is not there.
    pub async fn set_account_scope(&self, name: &str, scope: &str) -> Result<bool, StoreError> {
        let mut change = self.begin_change().await?;
        if scope != ADMIN && !has_other_admin(&mut change, name).await? {
            return Ok(false);
        }
        let update = sqlx::query("update account set scope = $1 where name = $2").bind(scope).bind(name);
        if update.execute(&mut *change).await?.rows_affected() == 0 {
            return Err(StoreError::Missing(format!("the account {name}")));
        }
        change.commit().await?;
        Ok(true)
    }

    /// Removes an account with its sessions, unless nobody were left who may do everything: then false.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when the account is not there.
    pub async fn remove_account_but_the_last(&self, name: &str) -> Result<bool, StoreError> {
        let mut change = self.begin_change().await?;
        if !has_other_admin(&mut change, name).await? {
            return Ok(false);
        }
        remove_account(change, name).await?;
        Ok(true)
    }

    /// Removes an account with its sessions, also the last one.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when the account is not there.
    pub async fn remove_account(&self, name: &str) -> Result<(), StoreError> {
        remove_account(self.begin_change().await?, name).await
    }

    /// Keeps a session under the hash of its secret, and forgets those that have expired.
    ///
    /// # Errors
    /// When the database fails, such as for an account that is not there.
    pub async fn add_session(&self, hash: &[u8], account_id: i64, now_ms: i64, expires_ms: i64) -> Result<(), StoreError> {
        let mut change = self.begin_write().await?;
        sqlx::query("delete from session where expires_ms <= $1").bind(now_ms).execute(&mut *change).await?;
        let insert = "insert into session (session_hash, account_id, created_ms, expires_ms) values ($1, $2, $3, $4)";
        sqlx::query(insert).bind(hash).bind(account_id).bind(now_ms).bind(expires_ms).execute(&mut *change).await?;
        Ok(change.commit().await?)
    }

    /// The account of a session that has not expired.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn session(&self, hash: &[u8], now_ms: i64) -> Result<Option<Account>, StoreError> {
        let select = "select account.account_id, account.name, account.password_hash, account.origin, account.scope, account.taste from session \
                      join account on account.account_id = session.account_id \
                      where session.session_hash = $1 and session.expires_ms > $2";
        let row: Option<AccountRow> = sqlx::query_as(select).bind(hash).bind(now_ms).fetch_optional(&self.inner.read).await?;
        row.map(account_of).transpose()
    }

    /// Ends a session; one that is not there is no error.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn remove_session(&self, hash: &[u8]) -> Result<(), StoreError> {
        sqlx::query("delete from session where session_hash = $1").bind(hash).execute(&self.inner.write).await?;
        Ok(())
    }

    /// Keeps a token under the hash of its secret.
    ///
    /// # Errors
    /// [`StoreError::Taken`] when there is a token of this name.
    pub async fn add_token(&self, token: &Token, hash: &[u8]) -> Result<(), StoreError> {
        let mut change = self.begin_change().await?;
        let insert = "insert into token (name, scope, token_hash, created_ms) values ($1, $2, $3, $4)";
        let insert = sqlx::query(insert).bind(&token.name).bind(&token.scope).bind(hash).bind(token.created_ms);
        insert.execute(&mut *change).await.map_err(|error| taken(error, "a token named", &token.name))?;
        Ok(change.commit().await?)
    }

    /// The token whose secret has this hash.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn token(&self, hash: &[u8]) -> Result<Option<Token>, StoreError> {
        let select = sqlx::query_as("select name, scope, created_ms from token where token_hash = $1").bind(hash);
        let row: Option<TokenRow> = select.fetch_optional(&self.inner.read).await?;
        Ok(row.map(token_of))
    }

    /// All tokens, in the order of their names.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn tokens(&self) -> Result<Vec<Token>, StoreError> {
        let select = sqlx::query_as("select name, scope, created_ms from token order by name");
        let rows: Vec<TokenRow> = select.fetch_all(&self.inner.read).await?;
        Ok(rows.into_iter().map(token_of).collect())
    }

    /// Takes a token back.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when the token is not there.
    pub async fn revoke_token(&self, name: &str) -> Result<(), StoreError> {
        let mut change = self.begin_change().await?;
        let revoked = sqlx::query("delete from token where name = $1").bind(name).execute(&mut *change).await?.rows_affected();
        if revoked == 0 {
            return Err(StoreError::Missing(format!("the token {name}")));
        }
        Ok(change.commit().await?)
    }

    /// A small setting, such as the hash of the setup token.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn setting(&self, key: &str) -> Result<Option<String>, StoreError> {
        let select = sqlx::query_scalar("select setting_value from setting where setting_key = $1").bind(key);
        Ok(select.fetch_optional(&self.inner.read).await?)
    }

    /// What it is, which is `value` from now on where it was not set: the same for all who ask at once.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn setting_or(&self, key: &str, value: &str) -> Result<String, StoreError> {
        if let Some(known) = self.setting(key).await? {
            return Ok(known);
        }
        let insert = "insert into setting (setting_key, setting_value) values ($1, $2) on conflict (setting_key) do nothing";
        sqlx::query(insert).bind(key).bind(value).execute(&self.inner.write).await?;
        Ok(self.setting(key).await?.unwrap_or_else(|| value.to_owned()))
    }

    /// Sets it; none removes it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_setting(&self, key: &str, value: Option<&str>) -> Result<(), StoreError> {
        let query = match value {
            Some(value) => {
                let insert = "insert into setting (setting_key, setting_value) values ($1, $2) \
                              on conflict (setting_key) do update set setting_value = excluded.setting_value";
                sqlx::query(insert).bind(key).bind(value)
            }
            None => sqlx::query("delete from setting where setting_key = $1").bind(key),
        };
        query.execute(&self.inner.write).await?;
        Ok(())
    }
}

async fn end_sessions(connection: &mut sqlx::AnyConnection, account: &str) -> Result<(), StoreError> {
    let delete = "delete from session where account_id in (select account_id from account where name = $1)";
    sqlx::query(delete).bind(account).execute(connection).await?;
    Ok(())
}

async fn has_other_admin(connection: &mut sqlx::AnyConnection, name: &str) -> Result<bool, StoreError> {
    // Changes come one after the other: each counts itself first, in one row.
    let count = sqlx::query_scalar("select count(*) from account where scope = $1 and name <> $2").bind(ADMIN).bind(name);
    let others: i64 = count.fetch_one(connection).await?;
    Ok(others > 0)
}

async fn remove_account(mut change: sqlx::Transaction<'static, sqlx::Any>, name: &str) -> Result<(), StoreError> {
    end_sessions(&mut change, name).await?;
    let removed = sqlx::query("delete from account where name = $1").bind(name).execute(&mut *change).await?.rows_affected();
    if removed == 0 {
        return Err(StoreError::Missing(format!("the account {name}")));
    }
    Ok(change.commit().await?)
}
