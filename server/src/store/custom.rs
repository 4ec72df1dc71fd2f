//! The statistics that scripts push, as they were last, and how often a panel began with this database.
//! It must not know how they are counted.

use app::model::Kind;

use super::{Store, StoreError};

/// The setting that counts starts.
const STARTS: &str = "starts";
/// So many rows are written by one statement.
const ROWS: usize = 100;

/// A statistic that scripts push.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Custom {
    /// The full name.
    pub name: String,
    /// Counter or gauge.
    pub kind: Kind,
    /// The value.
    pub value: i64,
}

impl Store {
    /// All of them, in the order of their names.
    ///
    /// # Errors
    /// When the database fails, or holds a kind that this version does not know.
    pub async fn custom(&self) -> Result<Vec<Custom>, StoreError> {
        let select = sqlx::query_as("select name, kind, value from custom order by name");
        let rows: Vec<(String, String, i64)> = select.fetch_all(&self.inner.read).await?;
        let custom = |(name, kind, value): (String, String, i64)| {
            let parsed = Kind::parse(&kind).ok_or_else(|| StoreError::Damaged(format!("the kind {kind} of the statistic {name}")))?;
            Ok(Custom { name, kind: parsed, value })
        };
        rows.into_iter().map(custom).collect()
    }

    /// Writes those that changed and takes away those that are gone, all or none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn save_custom(&self, changed: &[Custom], gone: &[String]) -> Result<(), StoreError> {
        self.note(self.write_custom(changed, gone).await.map_err(StoreError::from))
    }

    async fn write_custom(&self, changed: &[Custom], gone: &[String]) -> Result<(), sqlx::Error> {
        let mut change = self.begin_write().await?;
        for name in gone {
            sqlx::query("delete from custom where name = $1").bind(name).execute(&mut *change).await?;
        }
        for rows in changed.chunks(ROWS) {
            let values: Vec<String> = (0..rows.len()).map(|row| row * 3).map(|n| format!("(${}, ${}, ${})", n + 1, n + 2, n + 3)).collect();
            let insert = format!(
                "insert into custom (name, kind, value) values {} \
                 on conflict (name) do update set kind = excluded.kind, value = excluded.value",
                values.join(", ")
            );
            let insert = sqlx::query(sqlx::AssertSqlSafe(insert));
            let insert = rows.iter().fold(insert, |insert, row| insert.bind(&row.name).bind(row.kind.as_str()).bind(row.value));
            insert.execute(&mut *change).await?;
        }
        change.commit().await
    }

    /// Counts a start of the panel with this database; answers how many there were before.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count_start(&self) -> Result<i64, StoreError> {
        let before = self.setting(STARTS).await?.and_then(|text| text.parse().ok()).unwrap_or(0_i64);
        self.set_setting(STARTS, Some(&before.saturating_add(1).to_string())).await?;
        Ok(before)
    }
}
