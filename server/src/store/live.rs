//! What the panel that polls a box shows of it, for the other panels of the database. It must not know what that is: bytes.

use std::collections::{BTreeSet, HashMap};

use sqlx::AssertSqlSafe;

use super::insert::placeholders;
use super::{Store, StoreError};

/// So many boxes are told, or asked for, in one statement.
const BOXES_PER_INSERT: usize = 64;

/// A box as its panel shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct Live {
    /// The box.
    pub box_id: i64,
    /// Grows with each change of it.
    pub version: i64,
    /// What it shows but for the names.
    pub payload: Vec<u8>,
    /// Grows with each change of the names.
    pub names_version: i64,
    /// The names; none where whoever asks knows them, or they are as they were told last.
    pub names: Option<Vec<u8>>,
}

impl Store {
    /// Tells the other panels what this one shows of its boxes.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn tell_live(&self, boxes: &[Live]) -> Result<(), StoreError> {
        let mut change = self.inner.side.begin().await?;
        for some in boxes.chunks(BOXES_PER_INSERT) {
            let rows = placeholders(some.len(), &["bigint", "bigint", "bytea", "bigint", "bytea"]);
            // Names that are not told are those that are there. A box may be removed meanwhile.
            let insert = format!(
                "insert into live (box_id, version, payload, names_version, names) \
                 select told.box_id, told.version, told.payload, told.names_version, coalesce(told.names, ''::bytea) \
                 from (values {rows}) as told (box_id, version, payload, names_version, names) join box on box.box_id = told.box_id \
                 on conflict (box_id) do update set version = excluded.version, payload = excluded.payload, \
                 names_version = excluded.names_version, \
                 names = case when excluded.names = ''::bytea then live.names else excluded.names end"
            );
            // Only numbers of placeholders are put together here.
            let mut insert = sqlx::query(AssertSqlSafe(insert));
            for one in some {
                insert =
                    insert.bind(one.box_id).bind(one.version).bind(&one.payload[..]).bind(one.names_version).bind(one.names.as_deref());
            }
            insert.execute(&mut *change).await?;
        }
        Ok(change.commit().await?)
    }

    /// What other panels show of their boxes and this one has not seen: `seen` has the version and the version of the names of each.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn live(&self, boxes: &BTreeSet<i64>, seen: &HashMap<i64, (i64, i64)>) -> Result<Vec<Live>, StoreError> {
        let mut news = Vec::new();
        for some in boxes.iter().collect::<Vec<_>>().chunks(BOXES_PER_INSERT) {
            let rows = placeholders(some.len(), &["bigint", "bigint", "bigint"]);
            let select = format!(
                "select live.box_id, live.version, live.payload, live.names_version, \
                 case when live.names_version <> seen.names_version then live.names end as names \
                 from (values {rows}) as seen (box_id, version, names_version) join live on live.box_id = seen.box_id \
                 where live.version <> seen.version"
            );
            // Only numbers of placeholders are put together here.
            let mut select = sqlx::query_as(AssertSqlSafe(select));
            for box_id in some {
                // Versions begin above 0.
                let (version, names_version) = seen.get(box_id).copied().unwrap_or_default();
                select = select.bind(box_id).bind(version).bind(names_version);
            }
            let rows: Vec<Live> = select.fetch_all(&self.inner.side).await?;
            news.extend(rows);
        }
        Ok(news)
    }
}
