//! Destinations, and messages on their way to them: kept with what they tell of, claimed by whoever sends them, tried again. It must not
//! know what a message says.

use app::model::Origin;
use sqlx::FromRow;

use super::types::origin_of;
use super::{MAX_WAITING, Store, StoreError, taken};

/// A message is given up after so long.
const GIVEN_UP_AFTER_MS: i64 = 24 * 3_600_000;
/// What became of messages is kept so long.
const KEPT_MS: i64 = 30 * 24 * 3_600_000;

/// A destination as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredDestination {
    /// Its name.
    pub name: String,
    /// What it is, as JSON.
    pub body: String,
    /// Its secret, sealed.
    pub secret_sealed: Option<Vec<u8>>,
    /// Who made it.
    pub origin: Origin,
}

/// A message to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewDelivery {
    /// Where to.
    pub destination: String,
    /// What it says, as JSON.
    pub body: String,
    /// It waits so long for others, to be told with them.
    pub wait_ms: i64,
}

/// A message on its way, or what became of it.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Delivery {
    /// Its number.
    pub delivery_id: i64,
    /// Where to.
    pub destination: String,
    /// What it says, as JSON.
    pub body: String,
    /// When it was made, epoch milliseconds.
    pub made_ms: i64,
    /// When it is tried again.
    pub due_ms: i64,
    /// Until when somebody sends it.
    pub claimed_ms: i64,
    /// How often it was tried in vain.
    pub tries: i64,
    /// When it arrived, or was given up.
    pub done_ms: Option<i64>,
    /// Why it did not arrive, the last time.
    pub reason: Option<String>,
}

const DELIVERY: &str = "delivery_id, destination, body, made_ms, due_ms, claimed_ms, tries, done_ms, reason";

/// Adds messages in the transaction of what they tell of.
pub(super) async fn insert_deliveries(change: &mut sqlx::AnyConnection, deliveries: &[NewDelivery], now_ms: i64) -> Result<(), StoreError> {
    for delivery in deliveries {
        let insert = sqlx::query("insert into delivery (destination, body, made_ms, due_ms) values ($1, $2, $3, $4)");
        let insert = insert.bind(&delivery.destination).bind(&delivery.body).bind(now_ms);
        insert.bind(now_ms.saturating_add(delivery.wait_ms)).execute(&mut *change).await?;
    }
    Ok(())
}

impl Store {
    /// Takes messages that tell of nothing that is kept besides.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when too many wait already.
    pub async fn deliver(&self, deliveries: &[NewDelivery], now_ms: i64) -> Result<(), StoreError> {
        if deliveries.is_empty() {
            return Ok(());
        }
        let mut change = self.begin_write().await?;
        let waiting: i64 = sqlx::query_scalar("select count(*) from delivery where done_ms is null").fetch_one(&mut *change).await?;
        if waiting >= MAX_WAITING {
            return Err(StoreError::Conflict(format!("{MAX_WAITING} messages wait to be delivered already")));
        }
        insert_deliveries(&mut change, deliveries, now_ms).await?;
        Ok(change.commit().await?)
    }

    /// The destinations, in the order of their names.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn destinations(&self) -> Result<Vec<StoredDestination>, StoreError> {
        let select = sqlx::query_as("select name, body, secret_sealed, origin from destination order by name");
        let rows: Vec<(String, String, Option<Vec<u8>>, String)> = select.fetch_all(&self.inner.read).await?;
        let stored = |(name, body, secret_sealed, origin): (String, String, Option<Vec<u8>>, String)| {
            let origin = origin_of(&origin, || format!("the destination {name}"))?;
            Ok(StoredDestination { name, body, secret_sealed, origin })
        };
        rows.into_iter().map(stored).collect()
    }

    /// Adds a destination.
    ///
    /// # Errors
    /// [`StoreError::Taken`] when there is one of this name.
    pub async fn add_destination(&self, destination: &StoredDestination, now_ms: i64) -> Result<(), StoreError> {
        let mut change = self.begin_change().await?;
        let insert = sqlx::query("insert into destination (name, body, secret_sealed, origin, created_ms) values ($1, $2, $3, $4, $5)");
        let insert = insert.bind(&destination.name).bind(&destination.body).bind(destination.secret_sealed.as_deref());
        let insert = insert.bind(destination.origin.as_str()).bind(now_ms).execute(&mut *change).await;
        insert.map_err(|error| taken(error, "a destination named", &destination.name))?;
        Ok(change.commit().await?)
    }

    /// Replaces what a destination is.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when it is not there.
    pub async fn change_destination(&self, destination: &StoredDestination) -> Result<(), StoreError> {
        let mut change = self.begin_change().await?;
        let update = sqlx::query("update destination set body = $1, secret_sealed = $2, origin = $3 where name = $4");
        let update = update.bind(&destination.body).bind(destination.secret_sealed.as_deref()).bind(destination.origin.as_str());
        let update = update.bind(&destination.name).execute(&mut *change).await?;
        if update.rows_affected() == 0 {
            return Err(StoreError::Missing(format!("the destination {}", destination.name)));
        }
        Ok(change.commit().await?)
    }

    /// Removes a destination; what waits for it is given up.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when it is not there.
    pub async fn remove_destination(&self, name: &str, now_ms: i64) -> Result<(), StoreError> {
        let mut change = self.begin_change().await?;
        let delete = sqlx::query("delete from destination where name = $1").bind(name).execute(&mut *change).await?;
        if delete.rows_affected() == 0 {
            return Err(StoreError::Missing(format!("the destination {name}")));
        }
        let give_up = "update delivery set done_ms = $1, reason = 'the destination was removed' where destination = $2 and done_ms is null";
        sqlx::query(give_up).bind(now_ms).bind(name).execute(&mut *change).await?;
        Ok(change.commit().await?)
    }

    /// Claims the first message of each destination, where it is due and nobody sends it, until `until_ms`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn claim_deliveries(&self, now_ms: i64, until_ms: i64) -> Result<Vec<Delivery>, StoreError> {
        let select = format!(
            "select {DELIVERY} from delivery where delivery_id in \
             (select min(delivery_id) from delivery where done_ms is null group by destination) and due_ms <= $1 and claimed_ms <= $1"
        );
        let due: Vec<Delivery> = sqlx::query_as(sqlx::AssertSqlSafe(select)).bind(now_ms).fetch_all(&self.inner.read).await?;
        let mut claimed = Vec::with_capacity(due.len());
        for delivery in due {
            let claim = sqlx::query("update delivery set claimed_ms = $1 where delivery_id = $2 and claimed_ms = $3 and done_ms is null");
            let claim = claim.bind(until_ms).bind(delivery.delivery_id).bind(delivery.claimed_ms).execute(&self.inner.write).await?;
            if claim.rows_affected() == 1 {
                claimed.push(Delivery { claimed_ms: until_ms, ..delivery });
            }
        }
        Ok(claimed)
    }

    /// Claims what waits behind a message that was claimed, up to so many, to be told with it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn claim_behind(&self, first: &Delivery, now_ms: i64, most: i64) -> Result<Vec<Delivery>, StoreError> {
        let update = format!(
            "update delivery set claimed_ms = $1 where delivery_id in (select delivery_id from delivery where destination = $2 and \
             done_ms is null and claimed_ms <= $3 and delivery_id > $4 order by delivery_id limit $5) returning {DELIVERY}"
        );
        let update = sqlx::query_as(sqlx::AssertSqlSafe(update)).bind(first.claimed_ms).bind(&first.destination).bind(now_ms);
        let mut behind: Vec<Delivery> = update.bind(first.delivery_id).bind(most).fetch_all(&self.inner.write).await?;
        behind.sort_by_key(|delivery| delivery.delivery_id);
        Ok(behind)
    }

    /// A claimed message arrived.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delivered(&self, delivery: &Delivery, now_ms: i64) -> Result<(), StoreError> {
        let update = sqlx::query("update delivery set done_ms = $1, reason = null where delivery_id = $2 and done_ms is null");
        update.bind(now_ms).bind(delivery.delivery_id).execute(&self.inner.write).await?;
        Ok(())
    }

    /// A claimed message did not arrive: it is tried again after `again_ms`, unless that is of no use or took too long.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn not_delivered(&self, delivery: &Delivery, reason: &str, again_ms: Option<i64>, now_ms: i64) -> Result<(), StoreError> {
        let is_late = now_ms.saturating_sub(delivery.made_ms) > GIVEN_UP_AFTER_MS;
        let due_ms = now_ms.saturating_add(again_ms.unwrap_or_default());
        let done_ms = (is_late || again_ms.is_none()).then_some(now_ms);
        let update = "update delivery set tries = tries + 1, reason = $1, due_ms = $2, claimed_ms = 0, done_ms = $3 \
                      where delivery_id = $4 and done_ms is null";
        let update = sqlx::query(update).bind(reason).bind(due_ms).bind(done_ms).bind(delivery.delivery_id);
        update.execute(&self.inner.write).await?;
        Ok(())
    }

    /// What is on its way and what became of the rest, the newest first; of one destination or of all.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn deliveries(&self, destination: Option<&str>, most: i64) -> Result<Vec<Delivery>, StoreError> {
        let select =
            format!("select {DELIVERY} from delivery where destination = coalesce($1, destination) order by delivery_id desc limit $2");
        let select = sqlx::query_as(sqlx::AssertSqlSafe(select)).bind(destination).bind(most);
        Ok(select.fetch_all(&self.inner.read).await?)
    }

    /// The message of a destination that is to go first, and how many wait with it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn waiting(&self, destination: &str) -> Result<(Option<Delivery>, i64), StoreError> {
        let select = format!("select {DELIVERY} from delivery where destination = $1 and done_ms is null order by delivery_id limit 1");
        let first = sqlx::query_as(sqlx::AssertSqlSafe(select)).bind(destination).fetch_optional(&self.inner.read).await?;
        let count = sqlx::query_scalar("select count(*) from delivery where destination = $1 and done_ms is null").bind(destination);
        Ok((first, count.fetch_one(&self.inner.read).await?))
    }

    /// Forgets what became of messages long ago.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_deliveries(&self, now_ms: i64) -> Result<(), StoreError> {
        let delete = sqlx::query("delete from delivery where done_ms < $1").bind(now_ms.saturating_sub(KEPT_MS));
        delete.execute(&self.inner.write).await?;
        Ok(())
    }
}
