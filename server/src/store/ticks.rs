//! What is recorded of a box, and the kinds that an operator corrected. It must not know what patterns match.

use std::collections::HashSet;

use app::model::Kind;

use super::types::{TickRule, origin_of};
use super::{Store, StoreError};

impl Store {
    /// The rules of what is recorded of a box, in the order they were made.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn ticks(&self, box_id: i64) -> Result<Vec<TickRule>, StoreError> {
        let select = sqlx::query_as("select pattern, is_exception, origin from tick where box_id = $1 order by tick_id").bind(box_id);
        let rows: Vec<(String, i64, String)> = select.fetch_all(&self.inner.read).await?;
        let rule = |(pattern, except, origin): (String, i64, String)| {
            let origin = origin_of(&origin, || format!("the tick {pattern} of box {box_id}"))?;
            Ok(TickRule { pattern, except: except != 0, origin })
        };
        rows.into_iter().map(rule).collect()
    }

    /// Replaces them in one transaction; a rule that comes twice is kept once. Only what differs is written: a box may have
    /// thousands, and recording waits meanwhile. So rules that stay must come in their order, and new ones after them.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when the box is not there.
    pub async fn replace_ticks(&self, box_id: i64, rules: &[TickRule]) -> Result<(), StoreError> {
        let mut change = self.begin_change().await?;
        has_box(&mut change, box_id).await?;
        let select = sqlx::query_as("select tick_id, pattern, is_exception, origin from tick where box_id = $1").bind(box_id);
        let rows: Vec<(i64, String, i64, String)> = select.fetch_all(&mut *change).await?;
        let named = |rule: &TickRule| (rule.pattern.clone(), i64::from(rule.except), rule.origin.as_str().to_owned());
        let wanted: HashSet<_> = rules.iter().map(named).collect();
        let mut stored = HashSet::with_capacity(rows.len());
        for (tick_id, pattern, except, origin) in rows {
            let rule = (pattern, except, origin);
            if wanted.contains(&rule) {
                stored.insert(rule);
            } else {
                sqlx::query("delete from tick where tick_id = $1").bind(tick_id).execute(&mut *change).await?;
            }
        }
        for rule in rules.iter().filter(|rule| !stored.contains(&named(rule))) {
            let insert = "insert into tick (box_id, pattern, is_exception, origin) values ($1, $2, $3, $4) on conflict do nothing";
            let insert = sqlx::query(insert).bind(box_id).bind(&rule.pattern).bind(i64::from(rule.except));
            insert.bind(rule.origin.as_str()).execute(&mut *change).await?;
        }
        Ok(change.commit().await?)
    }

    /// The kinds that an operator corrected, by full name.
    ///
    /// # Errors
    /// When the database fails, or holds a kind that this version does not know.
    pub async fn kinds(&self, box_id: i64) -> Result<Vec<(String, Kind)>, StoreError> {
        let select = sqlx::query_as("select name, kind from kind where box_id = $1 order by name").bind(box_id);
        let rows: Vec<(String, String)> = select.fetch_all(&self.inner.read).await?;
        let known = |(name, word): (String, String)| match Kind::parse(&word) {
            Some(kind) => Ok((name, kind)),
            None => Err(StoreError::Damaged(format!("{name} of box {box_id} has the kind {word}, which this version does not know"))),
        };
        rows.into_iter().map(known).collect()
    }

    /// Corrects a kind; none: as the box or the catalogue says.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when the box is not there.
    pub async fn set_kind(&self, box_id: i64, name: &str, kind: Option<Kind>) -> Result<(), StoreError> {
        let mut change = self.begin_change().await?;
        has_box(&mut change, box_id).await?;
        // Not `on conflict`: long names are unique by their hash on PostgreSQL.
        sqlx::query("delete from kind where box_id = $1 and name = $2").bind(box_id).bind(name).execute(&mut *change).await?;
        if let Some(kind) = kind {
            let insert = sqlx::query("insert into kind (box_id, name, kind) values ($1, $2, $3)");
            insert.bind(box_id).bind(name).bind(kind.as_str()).execute(&mut *change).await?;
        }
        Ok(change.commit().await?)
    }
}

async fn has_box(connection: &mut sqlx::AnyConnection, box_id: i64) -> Result<(), StoreError> {
    let select = sqlx::query_scalar("select box_id from box where box_id = $1 and removed_ms is null").bind(box_id);
    let found: Option<i64> = select.fetch_optional(connection).await?;
    if found.is_some() { Ok(()) } else { Err(StoreError::Missing(format!("box {box_id}"))) }
}
