//! What the panel that polls a box shows of it, for the other panels of the database. It must not know what that is: bytes.

use std::collections::HashMap;

use sqlx::AssertSqlSafe;

use super::{Store, StoreError};

/// So many boxes are told in one statement.
const BOXES_PER_INSERT: usize = 64;

/// A box as its panel shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
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
            let row = |row: usize| {
                let first = row * 5;
                format!(
                    "(${}::bigint, ${}::bigint, ${}::bytea, ${}::bigint, ${}::bytea)",
                    first + 1,
                    first + 2,
                    first + 3,
                    first + 4,
                    first + 5
                )
            };
            let rows: Vec<String> = (0..some.len()).map(row).collect();
            // Names that are not told are those that are there. A box may be removed meanwhile.
            let insert = format!(
                "insert into live (box_id, version, payload, names_version, names) \
                 select told.box_id, told.version, told.payload, told.names_version, coalesce(told.names, ''::bytea) \
                 from (values {}) as told (box_id, version, payload, names_version, names) join box on box.box_id = told.box_id \
                 on conflict (box_id) do update set version = excluded.version, payload = excluded.payload, \
                 names_version = excluded.names_version, \
                 names = case when excluded.names = ''::bytea then live.names else excluded.names end",
                rows.join(", ")
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
    pub async fn live(&self, boxes: &[i64], seen: &HashMap<i64, (i64, i64)>) -> Result<Vec<Live>, StoreError> {
        let versions: Vec<(i64, i64, i64)> =
            sqlx::query_as("select box_id, version, names_version from live").fetch_all(&self.inner.side).await?;
        let mut news = Vec::new();
        for (box_id, version, names_version) in versions {
            let known = seen.get(&box_id);
            if !boxes.contains(&box_id) || known.is_some_and(|&(known, _)| known == version) {
                continue;
            }
            let with_names = known.is_none_or(|&(_, names)| names != names_version);
            let select = sqlx::query_as(
                "select version, payload, names_version, case when $2 then names else ''::bytea end from live where box_id = $1",
            );
            let row: Option<(i64, Vec<u8>, i64, Vec<u8>)> = select.bind(box_id).bind(with_names).fetch_optional(&self.inner.side).await?;
            let Some((version, payload, now_names, names)) = row else { continue };
            if !with_names && now_names != names_version {
                // They changed meanwhile: the next time.
                continue;
            }
            news.push(Live { box_id, version, payload, names_version: now_names, names: with_names.then_some(names) });
        }
        Ok(news)
    }
}
