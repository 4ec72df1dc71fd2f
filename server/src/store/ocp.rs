//! Reads the tables of OpenSIPS Control Panel where it keeps them in PostgreSQL: another program's database, of which nothing is changed.

use futures::{Stream, StreamExt, TryStreamExt};
use serde_json::Value;
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{Connection, Executor, Row as _};

use super::StoreError;
use super::postgres::refusal;
use crate::config::{Database, PostgresUrl};

/// Such a database.
pub struct OcpDatabase {
    url: PostgresUrl,
    connection: PgConnection,
}

/// A row of `ocp_monitoring_stats`, as text: box, name, time, value.
pub type SampleRow = [String; 4];

impl OcpDatabase {
    /// Connects.
    ///
    /// # Errors
    /// [`StoreError::Open`] when it cannot be reached.
    pub async fn connect(url: &str) -> Result<Self, StoreError> {
        let Database::Postgres(url) = Database::parse(url).map_err(StoreError::Open)? else {
            return Err(StoreError::Open(format!("{url} is no URL of PostgreSQL")));
        };
        let opened = async {
            let mut connection = PgConnection::connect(url.to_connect()).await?;
            // Whoever sends must wait while what came is brought in.
            connection.execute("set default_transaction_read_only = on; set statement_timeout = 0").await?;
            Ok(connection)
        };
        let connection = opened.await.map_err(|error| refusal(&url, &error))?;
        Ok(Self { url, connection })
    }

    /// The rows of a table, whichever columns its version has; none where there is no such table.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn boxes(&mut self) -> Result<Vec<Value>, StoreError> {
        self.rows("select row_to_json(one)::text from ocp_boxes_config one order by id").await
    }

    /// As [`Self::boxes`], of what is monitored.
    ///
    /// # Errors
    /// As [`Self::boxes`].
    pub async fn ticks(&mut self) -> Result<Vec<Value>, StoreError> {
        self.rows("select row_to_json(one)::text from ocp_monitored_stats one order by name").await
    }

    async fn rows(&mut self, select: &'static str) -> Result<Vec<Value>, StoreError> {
        let rows: Vec<String> = match sqlx::query_scalar(select).fetch_all(&mut self.connection).await {
            Ok(rows) => rows,
            Err(error) if is_missing(&error) => Vec::new(),
            Err(error) => return Err(failed(&self.url, &error)),
        };
        let read = |row: String| serde_json::from_str(&row).map_err(|error| StoreError::Damaged(format!("a row of {}: {error}", self.url)));
        rows.into_iter().map(read).collect()
    }

    /// How many samples there are, as the server estimates; none where it does not know.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn samples_estimated(&mut self) -> Result<Option<u64>, StoreError> {
        let select = "select reltuples::bigint from pg_class where oid = to_regclass('ocp_monitoring_stats')";
        let rows: Option<i64> =
            sqlx::query_scalar(select).fetch_optional(&mut self.connection).await.map_err(|error| failed(&self.url, &error))?;
        Ok(rows.and_then(|rows| u64::try_from(rows).ok()).filter(|rows| *rows > 0))
    }

    /// All samples, one after the other as they come.
    pub fn samples(&mut self) -> impl Stream<Item = Result<SampleRow, StoreError>> {
        let select = "select box_id::text, name::text, time::text, value::text from ocp_monitoring_stats";
        let url = self.url.clone();
        let text = |row: &PgRow, place| Ok::<_, sqlx::Error>(row.try_get::<Option<String>, _>(place)?.unwrap_or_default());
        let read = move |row: PgRow| Ok([text(&row, 0)?, text(&row, 1)?, text(&row, 2)?, text(&row, 3)?]);
        let rows = sqlx::query(select).fetch(&mut self.connection).map(move |row| row.and_then(&read));
        rows.map_err(move |error| failed(&url, &error))
    }
}

fn is_missing(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|error| error.code().as_deref() == Some("42P01"))
}

fn failed(url: &PostgresUrl, error: &sqlx::Error) -> StoreError {
    if is_missing(error) {
        return StoreError::Open(format!("{url} has no table ocp_monitoring_stats: name the database of OpenSIPS Control Panel"));
    }
    refusal(url, error)
}
