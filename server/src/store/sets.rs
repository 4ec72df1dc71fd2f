//! Chart sets that people put together, as they are kept: in their order. It must not know what a chart shows.

use app::model::ChartSpec;

use super::{Store, StoreError, taken};

/// A chart set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChartSet {
    /// Its name, unique.
    pub name: String,
    /// Whether the start page leads to it.
    pub pinned: bool,
    /// Its charts.
    pub charts: Vec<ChartSpec>,
    /// Who changed it last.
    pub by: String,
}

type Row = (String, i64, String, String);

impl ChartSet {
    fn of_row((name, pinned, body, by): Row) -> Result<Self, StoreError> {
        let charts = serde_json::from_str(&body).map_err(|error| StoreError::Damaged(format!("the chart set {name}: {error}")))?;
        Ok(Self { name, pinned: pinned != 0, charts, by })
    }

    fn body(&self) -> String {
        // Text and lists alone: it can always be written.
        serde_json::to_string(&self.charts).unwrap_or_default()
    }
}

impl Store {
    /// All sets in their order.
    ///
    /// # Errors
    /// When the database fails, or holds what this version cannot read.
    pub async fn sets(&self) -> Result<Vec<ChartSet>, StoreError> {
        let select = sqlx::query_as("select name, pinned, body, by_whom from chart_set order by place, name");
        let rows: Vec<Row> = select.fetch_all(&self.inner.read).await?;
        rows.into_iter().map(ChartSet::of_row).collect()
    }

    /// The names of those that are pinned, in their order.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn pinned_sets(&self) -> Result<Vec<String>, StoreError> {
        let select = sqlx::query_scalar("select name from chart_set where pinned = 1 order by place, name");
        Ok(select.fetch_all(&self.inner.read).await?)
    }

    /// Adds a set after the others.
    ///
    /// # Errors
    /// [`StoreError::Taken`] when there is one of this name.
    pub async fn add_set(&self, set: &ChartSet, now_ms: i64) -> Result<(), StoreError> {
        let mut change = self.begin_change().await?;
        let last: Option<i64> = sqlx::query_scalar("select max(place) from chart_set").fetch_one(&mut *change).await?;
        let insert = "insert into chart_set (name, place, pinned, body, by_whom, changed_ms) values ($1, $2, $3, $4, $5, $6)";
        let insert = sqlx::query(insert).bind(&set.name).bind(last.map_or(0, |last| last + 1)).bind(i64::from(set.pinned));
        let insert = insert.bind(set.body()).bind(&set.by).bind(now_ms).execute(&mut *change).await;
        insert.map_err(|error| taken(error, "a chart set named", &set.name))?;
        Ok(change.commit().await?)
    }

    /// Replaces the set of a name; it may get another one.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when it is not there, [`StoreError::Taken`] when another one has the new name.
    pub async fn change_set(&self, name: &str, set: &ChartSet, now_ms: i64) -> Result<(), StoreError> {
        let mut change = self.begin_change().await?;
        let update = "update chart_set set name = $1, pinned = $2, body = $3, by_whom = $4, changed_ms = $5 where name = $6";
        let update = sqlx::query(update).bind(&set.name).bind(i64::from(set.pinned)).bind(set.body()).bind(&set.by).bind(now_ms);
        let update = update.bind(name).execute(&mut *change).await;
        let updated = update.map_err(|error| taken(error, "a chart set named", &set.name))?;
        if updated.rows_affected() == 0 {
            return Err(missing(name));
        }
        Ok(change.commit().await?)
    }

    /// Puts a set so many places further up or, negative, down.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when it is not there.
    pub async fn move_set(&self, name: &str, up: i64) -> Result<(), StoreError> {
        let mut change = self.begin_change().await?;
        let select = sqlx::query_scalar("select name from chart_set order by place, name");
        let mut names: Vec<String> = select.fetch_all(&mut *change).await?;
        let from = names.iter().position(|other| other == name).ok_or_else(|| missing(name))?;
        let last = i64::try_from(names.len()).unwrap_or(i64::MAX) - 1;
        let to = i64::try_from(from).unwrap_or(i64::MAX).saturating_sub(up).clamp(0, last);
        let moved = names.remove(from);
        names.insert(usize::try_from(to).unwrap_or_default(), moved);
        for (place, name) in (0_i64..).zip(&names) {
            sqlx::query("update chart_set set place = $1 where name = $2").bind(place).bind(name).execute(&mut *change).await?;
        }
        Ok(change.commit().await?)
    }

    /// Removes a set.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when it is not there.
    pub async fn remove_set(&self, name: &str) -> Result<(), StoreError> {
        let mut change = self.begin_change().await?;
        if sqlx::query("delete from chart_set where name = $1").bind(name).execute(&mut *change).await?.rows_affected() == 0 {
            return Err(missing(name));
        }
        Ok(change.commit().await?)
    }
}

fn missing(name: &str) -> StoreError {
    StoreError::Missing(format!("the chart set {name}"))
}
