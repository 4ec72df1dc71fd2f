//! Statistics that are computed from others, as somebody wrote them. It must not know what a formula means.

use app::model::Origin;
use sqlx::FromRow;

use super::types::origin_of;
use super::{Store, StoreError, taken};

/// A derived statistic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredDerived {
    /// Its name, without the group.
    pub name: String,
    /// What it is computed by.
    pub formula: String,
    /// The unit; empty when there is none.
    pub unit: String,
    /// What it means; empty when nobody said.
    pub meaning: String,
    /// Who made it.
    pub origin: Origin,
}

#[derive(FromRow)]
struct Row {
    name: String,
    formula: String,
    unit: String,
    meaning: String,
    origin: String,
}

impl Store {
    /// All of them, in the order of their names.
    ///
    /// # Errors
    /// When the database fails, or holds an origin that this version does not know.
    pub async fn derived(&self) -> Result<Vec<StoredDerived>, StoreError> {
        let select = sqlx::query_as("select name, formula, unit, meaning, origin from derived order by name");
        let rows: Vec<Row> = select.fetch_all(&self.inner.read).await?;
        let stored = |Row { name, formula, unit, meaning, origin }: Row| {
            let origin = origin_of(&origin, || format!("the derived statistic {name}"))?;
            Ok(StoredDerived { name, formula, unit, meaning, origin })
        };
        rows.into_iter().map(stored).collect()
    }

    /// Adds one.
    ///
    /// # Errors
    /// [`StoreError::Taken`] when there is one of this name.
    pub async fn add_derived(&self, derived: &StoredDerived, now_ms: i64) -> Result<(), StoreError> {
        let mut change = self.begin_change().await?;
        let insert = "insert into derived (name, formula, unit, meaning, origin, created_ms) values ($1, $2, $3, $4, $5, $6)";
        let insert = sqlx::query(insert).bind(&derived.name).bind(&derived.formula).bind(&derived.unit).bind(&derived.meaning);
        let insert = insert.bind(derived.origin.as_str()).bind(now_ms).execute(&mut *change).await;
        insert.map_err(|error| taken(error, "a derived statistic named", &derived.name))?;
        Ok(change.commit().await?)
    }

    /// Replaces what one is.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when it is not there.
    pub async fn change_derived(&self, derived: &StoredDerived) -> Result<(), StoreError> {
        let mut change = self.begin_change().await?;
        let update = "update derived set formula = $1, unit = $2, meaning = $3, origin = $4 where name = $5";
        let update = sqlx::query(update).bind(&derived.formula).bind(&derived.unit).bind(&derived.meaning);
        let update = update.bind(derived.origin.as_str()).bind(&derived.name).execute(&mut *change).await?;
        if update.rows_affected() == 0 {
            return Err(StoreError::Missing(format!("the derived statistic {}", derived.name)));
        }
        Ok(change.commit().await?)
    }

    /// Removes one, with its ticks; `full` is the name by which these have it.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when it is not there.
    pub async fn remove_derived(&self, name: &str, full: &str) -> Result<(), StoreError> {
        let mut change = self.begin_change().await?;
        let delete = sqlx::query("delete from derived where name = $1").bind(name).execute(&mut *change).await?;
        if delete.rows_affected() == 0 {
            return Err(StoreError::Missing(format!("the derived statistic {name}")));
        }
        sqlx::query("delete from tick where pattern = $1").bind(full).execute(&mut *change).await?;
        Ok(change.commit().await?)
    }
}
