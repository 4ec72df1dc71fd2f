//! Rules of alerts as people wrote them. It must not know what a rule means.

use std::collections::HashMap;

use app::model::Origin;

use super::types::origin_of;
use super::{Store, StoreError, taken};

/// A rule as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRule {
    /// Its name.
    pub name: String,
    /// What it says, as JSON.
    pub body: String,
    /// Who made it.
    pub origin: Origin,
}

impl Store {
    /// The rules, in the order of their names.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn alert_rules(&self) -> Result<Vec<StoredRule>, StoreError> {
        let select = sqlx::query_as("select name, body, origin from alert_rule order by name");
        let rows: Vec<(String, String, String)> = select.fetch_all(&self.inner.read).await?;
        let stored = |(name, body, origin): (String, String, String)| {
            let origin = origin_of(&origin, || format!("the alert {name}"))?;
            Ok(StoredRule { name, body, origin })
        };
        rows.into_iter().map(stored).collect()
    }

    /// When each was made, epoch milliseconds.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn alert_rules_made(&self) -> Result<HashMap<String, i64>, StoreError> {
        let rows: Vec<(String, i64)> = sqlx::query_as("select name, created_ms from alert_rule").fetch_all(&self.inner.read).await?;
        Ok(rows.into_iter().collect())
    }

    /// Adds a rule.
    ///
    /// # Errors
    /// [`StoreError::Taken`] when there is one of this name.
    pub async fn add_alert_rule(&self, rule: &StoredRule, now_ms: i64) -> Result<(), StoreError> {
        let mut change = self.begin_change().await?;
        let insert = sqlx::query("insert into alert_rule (name, body, origin, created_ms) values ($1, $2, $3, $4)");
        let insert = insert.bind(&rule.name).bind(&rule.body).bind(rule.origin.as_str()).bind(now_ms).execute(&mut *change).await;
        insert.map_err(|error| taken(error, "an alert named", &rule.name))?;
        Ok(change.commit().await?)
    }

    /// Replaces what a rule says.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when it is not there.
    pub async fn change_alert_rule(&self, rule: &StoredRule) -> Result<(), StoreError> {
        let mut change = self.begin_change().await?;
        let update = sqlx::query("update alert_rule set body = $1, origin = $2 where name = $3");
        let update = update.bind(&rule.body).bind(rule.origin.as_str()).bind(&rule.name).execute(&mut *change).await?;
        if update.rows_affected() == 0 {
            return Err(StoreError::Missing(format!("the alert {}", rule.name)));
        }
        Ok(change.commit().await?)
    }

    /// Removes a rule; what it did stays in the history.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when it is not there.
    pub async fn remove_alert_rule(&self, name: &str, now_ms: i64) -> Result<(), StoreError> {
        let mut change = self.begin_change().await?;
        let delete = sqlx::query("delete from alert_rule where name = $1").bind(name).execute(&mut *change).await?;
        if delete.rows_affected() == 0 {
            return Err(StoreError::Missing(format!("the alert {name}")));
        }
        sqlx::query("delete from alert_silence where rule = $1").bind(name).execute(&mut *change).await?;
        sqlx::query("delete from alert_state where rule = $1").bind(name).execute(&mut *change).await?;
        let end = sqlx::query("update alert_event set ended_ms = $1 where rule = $2 and ended_ms is null").bind(now_ms).bind(name);
        end.execute(&mut *change).await?;
        Ok(change.commit().await?)
    }
}
