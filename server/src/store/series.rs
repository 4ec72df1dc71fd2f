//! The numbers of series. It must not know their samples.

use std::collections::HashMap;

use sqlx::AnyConnection;

use super::types::SeriesId;
use super::{Store, StoreError};

impl Store {
    /// The numbers of a box's series by full name, in the order of `names`; those not there yet are made.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when the box is not there.
    pub async fn series_ids(&self, box_id: i64, names: &[&str]) -> Result<Vec<SeriesId>, StoreError> {
        let known = self.series_by_name(box_id).await?;
        let missing: Vec<&str> = names.iter().filter(|name| !known.contains_key(**name)).copied().collect();
        let known = if missing.is_empty() {
            known
        } else {
            self.add_series(box_id, &missing).await?;
            self.series_by_name(box_id).await?
        };
        let number =
            |name: &&str| known.get(*name).copied().ok_or_else(|| StoreError::Missing(format!("the series {name} of box {box_id}")));
        names.iter().map(number).collect()
    }

    /// All series of a box that were ever recorded, in the order in which they were made.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn series_of(&self, box_id: i64) -> Result<Vec<(SeriesId, String)>, StoreError> {
        let mut view = self.inner.read.acquire().await?;
        series_in(&mut view, box_id).await
    }

    async fn series_by_name(&self, box_id: i64) -> Result<HashMap<String, SeriesId>, StoreError> {
        Ok(self.series_of(box_id).await?.into_iter().map(|(id, name)| (name, id)).collect())
    }

    async fn add_series(&self, box_id: i64, names: &[&str]) -> Result<(), StoreError> {
        let mut change = self.inner.write.begin_with(super::BEGIN_WRITE).await?;
        let select = sqlx::query_scalar("select box_id from box where box_id = $1 and purging = 0").bind(box_id);
        let found: Option<i64> = select.fetch_optional(&mut *change).await?;
        if found.is_none() {
            return Err(StoreError::Missing(format!("box {box_id}")));
        }
        for name in names {
            let insert = "insert into series (box_id, name) values ($1, $2) on conflict do nothing";
            sqlx::query(insert).bind(box_id).bind(*name).execute(&mut *change).await?;
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
