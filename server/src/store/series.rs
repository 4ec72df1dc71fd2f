//! The numbers of series. It must not know their samples.

use std::collections::HashMap;

use sqlx::{AnyConnection, AssertSqlSafe};

use super::types::SeriesId;
use super::{Store, StoreError};

/// So many names go into one statement.
const NAMES_PER_QUERY: usize = 200;
/// So many are made in one transaction: polls of other boxes wait no longer than that takes.
const NAMES_PER_CHANGE: usize = 4_000;

impl Store {
    /// The numbers of a box's series by full name, in the order of `names`; those not there yet are made.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when the box is not there.
    pub async fn series_ids(&self, box_id: i64, names: &[&str]) -> Result<Vec<SeriesId>, StoreError> {
        let mut known = self.series_named(box_id, names).await?;
        let missing: Vec<&str> = names.iter().filter(|name| !known.contains_key(**name)).copied().collect();
        if !missing.is_empty() {
            for some in missing.chunks(NAMES_PER_CHANGE) {
                self.add_series(box_id, some).await?;
            }
            known.extend(self.series_named(box_id, &missing).await?);
        }
        let number = |name: &&str| {
            let shown = app::shown::short(name);
            known.get(*name).copied().ok_or_else(|| StoreError::Missing(format!("the series {shown} of box {box_id}")))
        };
        names.iter().map(number).collect()
    }

    /// The number of one series, if there is one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn series_id(&self, box_id: i64, name: &str) -> Result<Option<SeriesId>, StoreError> {
        Ok(self.series_named(box_id, &[name]).await?.into_values().next())
    }

    /// All series of a box that were ever recorded, in the order in which they were made.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn series_of(&self, box_id: i64) -> Result<Vec<(SeriesId, String)>, StoreError> {
        let mut view = self.inner.read.acquire().await?;
        series_in(&mut view, box_id).await
    }

    /// The numbers of those of the names that are there.
    async fn series_named(&self, box_id: i64, names: &[&str]) -> Result<HashMap<String, SeriesId>, StoreError> {
        let mut known = HashMap::with_capacity(names.len());
        for some in names.chunks(NAMES_PER_QUERY) {
            let places: Vec<String> = (0..some.len()).map(|i| format!("${}", i + 2)).collect();
            let select = format!("select series_id, name from series where box_id = $1 and name in ({})", places.join(", "));
            // Only numbers of placeholders are put together here.
            let mut select = sqlx::query_as(AssertSqlSafe(select)).bind(box_id);
            for name in some {
                select = select.bind(*name);
            }
            let rows: Vec<(i64, String)> = select.fetch_all(&self.inner.read).await?;
            known.extend(rows.into_iter().map(|(id, name)| (name, SeriesId(id))));
        }
        Ok(known)
    }

    async fn add_series(&self, box_id: i64, names: &[&str]) -> Result<(), StoreError> {
        let mut change = self.begin_write().await?;
        let select = sqlx::query_scalar("select box_id from box where box_id = $1 and purging = 0").bind(box_id);
        let found: Option<i64> = select.fetch_optional(&mut *change).await?;
        if found.is_none() {
            return Err(StoreError::Missing(format!("box {box_id}")));
        }
        for some in names.chunks(NAMES_PER_QUERY) {
            let rows: Vec<String> = (0..some.len()).map(|i| format!("($1, ${})", i + 2)).collect();
            let insert = format!("insert into series (box_id, name) values {} on conflict do nothing", rows.join(", "));
            let mut insert = sqlx::query(AssertSqlSafe(insert)).bind(box_id);
            for name in some {
                insert = insert.bind(*name);
            }
            insert.execute(&mut *change).await?;
        }
        Ok(change.commit().await?)
    }
}

/// As [`Store::series_of`], in a transaction of the caller's.
pub(super) async fn series_in(view: &mut AnyConnection, box_id: i64) -> Result<Vec<(SeriesId, String)>, StoreError> {
    let select = sqlx::query_as("select series_id, name from series where box_id = $1 order by series_id").bind(box_id);
    let rows: Vec<(i64, String)> = select.fetch_all(view).await?;
    Ok(rows.into_iter().map(|(id, name)| (SeriesId(id), name)).collect())
}
