//! Boxes: added, changed, removed, revived. It must not know how they are asked.

use std::collections::BTreeMap;

use app::model::BoxKind;
use sqlx::FromRow;

use super::types::{BoxSpec, StoredBox, origin_of};
use super::{Store, StoreError, locked, taken};

#[derive(FromRow)]
struct BoxRow {
    box_id: i64,
    name: String,
    address: String,
    kind: String,
    interval_ms: Option<i64>,
    labels: String,
    paused: i64,
    origin: String,
    user_name: Option<String>,
    password_sealed: Option<Vec<u8>>,
}

impl Store {
    /// The boxes that are not removed, in the order of their numbers.
    ///
    /// # Errors
    /// When the database fails, or holds a kind or an origin that this version does not know.
    pub async fn boxes(&self) -> Result<Vec<StoredBox>, StoreError> {
        let select = "select box_id, name, address, kind, interval_ms, labels, paused, origin, user_name, password_sealed \
                      from box where removed_ms is null order by box_id";
        let rows: Vec<BoxRow> = sqlx::query_as(select).fetch_all(&self.inner.read).await?;
        rows.into_iter().map(stored).collect()
    }

    /// Adds a box; one that was removed with its history kept is revived under its old number when the name is the same.
    ///
    /// # Errors
    /// [`StoreError::Taken`] when there is a box of this name.
    pub async fn add_box(&self, spec: &BoxSpec, now_ms: i64) -> Result<i64, StoreError> {
        let mut change = self.begin_change().await?;
        let removed = "select box_id from box where name = $1 and removed_ms is not null and purging = 0 order by removed_ms desc limit 1";
        let removed: Option<i64> = sqlx::query_scalar(removed).bind(&spec.name).fetch_optional(&mut *change).await?;
        let id = match removed {
            Some(id) => {
                sqlx::query("update box set removed_ms = null where box_id = $1")
                    .bind(id)
                    .execute(&mut *change)
                    .await
                    .map_err(|error| taken(error, "a box named", &spec.name))?;
                id
            }
            None => {
                let insert = "insert into box (name, address, kind, labels, paused, origin, created_ms) \
                              values ($1, $2, $3, '{}', 0, $4, $5) returning box_id";
                let insert = sqlx::query_scalar(insert).bind(&spec.name).bind(&spec.address).bind(spec.kind.as_str());
                let insert = insert.bind(spec.origin.as_str()).bind(now_ms).fetch_one(&mut *change);
                insert.await.map_err(|error| taken(error, "a box named", &spec.name))?
            }
        };
        write_spec(&mut change, id, spec).await?;
        change.commit().await?;
        Ok(id)
    }

    /// Replaces what a box is; its ticks and history stay.
    ///
    /// # Errors
    /// [`StoreError::Taken`] when another box has the name, [`StoreError::Missing`] when the box is not there.
    pub async fn change_box(&self, id: i64, spec: &BoxSpec) -> Result<(), StoreError> {
        let mut change = self.begin_change().await?;
        write_spec(&mut change, id, spec).await?;
        Ok(change.commit().await?)
    }

    /// For which address of the configuration file the kind of a box was found out by asking, by the number of the box; those whose kind
    /// was told or guessed have none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn found_for(&self) -> Result<BTreeMap<i64, String>, StoreError> {
        let select = "select box_id, found_for from box where found_for is not null";
        let rows: Vec<(i64, String)> = sqlx::query_as(select).fetch_all(&self.inner.read).await?;
        Ok(rows.into_iter().collect())
    }

    /// Remembers it; none: told or guessed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_found_for(&self, id: i64, address: Option<&str>) -> Result<(), StoreError> {
        let update = sqlx::query("update box set found_for = $1 where box_id = $2").bind(address).bind(id);
        update.execute(&self.inner.write).await?;
        Ok(())
    }

    /// Removes a box with its ticks; its history only where `delete_history`, and then so that a kill on the way is made good at the
    /// next start.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when the box is not there.
    pub async fn remove_box(&self, id: i64, delete_history: bool, now_ms: i64) -> Result<(), StoreError> {
        let mut change = self.begin_change().await?;
        let update = "update box set removed_ms = $1, purging = $2, password_sealed = null where box_id = $3 and removed_ms is null";
        let update = sqlx::query(update).bind(now_ms).bind(i64::from(delete_history)).bind(id).execute(&mut *change).await?;
        if update.rows_affected() == 0 {
            return Err(StoreError::Missing(format!("box {id}")));
        }
        sqlx::query("delete from tick where box_id = $1").bind(id).execute(&mut *change).await?;
        change.commit().await?;
        if delete_history { self.purge(id).await } else { Ok(()) }
    }

    /// Ends the deletions that a kill interrupted.
    pub(super) async fn finish_purges(&self) -> Result<(), StoreError> {
        let boxes: Vec<i64> = sqlx::query_scalar("select box_id from box where purging = 1").fetch_all(&self.inner.read).await?;
        for id in boxes {
            self.purge(id).await?;
        }
        Ok(())
    }

    /// Deletes the history of a box series by series, each in a transaction of its own, so that recording never waits long for it.
    async fn purge(&self, id: i64) -> Result<(), StoreError> {
        // Until the head is gone, a poll that was under way could still be sealed into new chunks.
        let mut change = self.begin_change().await?;
        self.lock_box(&mut change, id).await?;
        for delete in ["delete from head where box_id = $1", "delete from layout where box_id = $1"] {
            sqlx::query(delete).bind(id).execute(&mut *change).await?;
        }
        change.commit().await?;
        for (series, _) in self.series_of(id).await? {
            sqlx::query("delete from chunk where series_id = $1").bind(series.0).execute(&self.inner.write).await?;
            // Here, as a server looks into every month for what refers to it: of all together that would take long. What was sealed meanwhile
            // still does, and goes below.
            let gone = sqlx::query("delete from series where series_id = $1").bind(series.0).execute(&self.inner.write).await;
            let is_referred_to =
                |error: &sqlx::Error| error.as_database_error().is_some_and(sqlx::error::DatabaseError::is_foreign_key_violation);
            if let Err(error) = gone
                && !is_referred_to(&error)
            {
                return Err(error.into());
            }
            locked(&self.inner.series_boxes).remove(&series);
        }
        let deletes = [
            "delete from head where box_id = $1",
            "delete from layout where box_id = $1",
            "delete from chunk where series_id in (select series_id from series where box_id = $1)",
            "delete from series where box_id = $1",
            "delete from span where box_id = $1",
            "delete from gap where box_id = $1",
            "delete from mark where box_id = $1",
            "delete from note where box_id = $1",
            "delete from kind where box_id = $1",
            "delete from retention where box_id = $1",
            "delete from tick where box_id = $1",
            "delete from live where box_id = $1",
            "delete from lease where box_id = $1",
            "delete from box where box_id = $1",
        ];
        let last = async {
            let mut change = self.begin_change().await?;
            self.lock_box(&mut change, id).await?;
            for delete in deletes {
                sqlx::query(delete).bind(id).execute(&mut *change).await?;
            }
            Ok::<_, StoreError>(change.commit().await?)
        };
        self.inner.writer.cut(id, self.inner.dialect.within(last)).await?;
        locked(&self.inner.heads).remove(&id);
        self.inner.given.note_removal();
        Ok(())
    }

    /// Keeps other processes from adding to a box, or deleting it, until the transaction ends.
    pub(super) async fn lock_box(&self, connection: &mut sqlx::AnyConnection, id: i64) -> Result<(), StoreError> {
        if let Some(lock) = self.inner.dialect.lock_box() {
            sqlx::query(lock).bind(id).execute(connection).await?;
        }
        Ok(())
    }
}

async fn write_spec(connection: &mut sqlx::AnyConnection, id: i64, spec: &BoxSpec) -> Result<(), StoreError> {
    let labels = serde_json::to_string(&spec.labels).map_err(|error| sqlx::Error::Encode(error.into()))?;
    let update = "update box set name = $1, address = $2, kind = $3, interval_ms = $4, labels = $5, paused = $6, origin = $7, \
                  user_name = $8, password_sealed = $9 where box_id = $10 and removed_ms is null";
    let update = sqlx::query(update).bind(&spec.name).bind(&spec.address).bind(spec.kind.as_str()).bind(spec.interval_ms).bind(labels);
    let update = update.bind(i64::from(spec.paused)).bind(spec.origin.as_str()).bind(spec.user.as_deref());
    let update = update.bind(spec.password_sealed.as_deref()).bind(id).execute(connection);
    let updated = update.await.map_err(|error| taken(error, "a box named", &spec.name))?;
    if updated.rows_affected() == 0 { Err(StoreError::Missing(format!("box {id}"))) } else { Ok(()) }
}

fn stored(row: BoxRow) -> Result<StoredBox, StoreError> {
    let id = row.box_id;
    let unknown = |what: &str, word: &str| StoreError::Damaged(format!("box {id} has the {what} {word}, which this version does not know"));
    let kind = BoxKind::parse(&row.kind).ok_or_else(|| unknown("kind", &row.kind))?;
    let origin = origin_of(&row.origin, || format!("box {id}"))?;
    let labels: BTreeMap<String, String> = serde_json::from_str(&row.labels).map_err(|_| unknown("labels", &row.labels))?;
    let spec = BoxSpec {
        name: row.name,
        address: row.address,
        kind,
        interval_ms: row.interval_ms,
        labels,
        paused: row.paused != 0,
        origin,
        user: row.user_name,
        password_sealed: row.password_sealed,
    };
    Ok(StoredBox { id, spec })
}
