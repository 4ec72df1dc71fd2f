//! Scripts with their versions, when they ran and what came of it. It must not know what a script says or when it is due.

use sqlx::AnyConnection;

use super::{Store, StoreError, taken};

/// So many runs of a script are kept.
pub const KEPT_RUNS: i64 = 200;
/// So many versions of a script are kept.
pub const KEPT_VERSIONS: i64 = 100;

/// A script as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct StoredScript {
    /// Its number, which never changes.
    #[sqlx(rename = "script_id")]
    pub id: i64,
    /// Its name, unlike all others.
    pub name: String,
    /// The number of its newest version.
    pub version: i64,
    /// What it says.
    pub source: String,
    /// When it runs by itself; empty: never.
    pub schedule: String,
    /// Due times after this one count.
    pub since_ms: i64,
    /// The last due time that was claimed.
    pub due_ms: Option<i64>,
    /// No run begins before.
    pub busy_until_ms: Option<i64>,
}

/// A version of a script.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct ScriptVersion {
    /// Its number, from 1.
    pub version: i64,
    /// What the script said.
    pub source: String,
    /// When it ran by itself.
    pub schedule: String,
    /// Who wrote it.
    pub by_whom: String,
    /// When it was written.
    pub created_ms: i64,
}

/// A run of a script.
#[derive(Clone, Debug, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct ScriptRun {
    /// Its number; later ones are greater.
    #[sqlx(rename = "run_id")]
    pub id: i64,
    /// The version that ran.
    pub version: i64,
    /// When it began.
    pub started_ms: i64,
    /// How long it took; none: it goes on.
    pub took_ms: Option<i64>,
    /// What began it: `due`, `event`, `hand` or `api`.
    pub began_by: String,
    /// Who, or which.
    pub by_whom: String,
    /// `running`, `ok`, `failed`, `skipped` or `interrupted`.
    pub outcome: String,
    /// What it wrote.
    pub output: String,
    /// What it changed, as JSON.
    pub changed: String,
    /// Where it went wrong.
    pub error_line: Option<i64>,
    /// And at which column.
    pub error_column: Option<i64>,
    /// And why.
    pub error_message: Option<String>,
    /// The number of what happened, where that began it.
    pub news_id: Option<i64>,
}

/// What came of beginning a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begun {
    /// It began, with this number.
    Run(i64),
    /// Another one goes on.
    Busy,
    /// The same that happened began one before.
    Before,
}

impl Begun {
    /// The number of the run, if there is one.
    #[must_use]
    pub fn run(self) -> Option<i64> {
        match self {
            Self::Run(number) => Some(number),
            Self::Busy | Self::Before => None,
        }
    }
}

const SCRIPT: &str = "select script_id, name, version, source, schedule, since_ms, due_ms, busy_until_ms from script";
const RUN: &str = "select run_id, version, started_ms, took_ms, began_by, by_whom, outcome, output, changed, error_line, error_column, \
                   error_message, news_id from script_run";

impl Store {
    /// All scripts, in the order of their names.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn scripts(&self) -> Result<Vec<StoredScript>, StoreError> {
        Ok(sqlx::query_as(sqlx::AssertSqlSafe(format!("{SCRIPT} order by name"))).fetch_all(&self.inner.read).await?)
    }

    /// The script of a name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn script(&self, name: &str) -> Result<Option<StoredScript>, StoreError> {
        let select = sqlx::query_as(sqlx::AssertSqlSafe(format!("{SCRIPT} where name = $1"))).bind(name);
        Ok(select.fetch_optional(&self.inner.read).await?)
    }

    /// Adds a script; this is its version 1.
    ///
    /// # Errors
    /// [`StoreError::Taken`] when there is one of this name.
    pub async fn add_script(&self, name: &str, source: &str, schedule: &str, by: &str, now_ms: i64) -> Result<(), StoreError> {
        let mut change = self.begin_change().await?;
        let insert = "insert into script (name, version, source, schedule, since_ms, created_ms) values ($1, 1, $2, $3, $4, $4) \
                      returning script_id";
        let insert = sqlx::query_scalar(insert).bind(name).bind(source).bind(schedule).bind(now_ms);
        let id: i64 = insert.fetch_one(&mut *change).await.map_err(|error| taken(error, "a script named", name))?;
        add_version(&mut change, id, 1, (source, schedule, by), now_ms).await?;
        Ok(change.commit().await?)
    }

    /// Gives a script its next version, unless it says the same already. Another schedule counts from now on.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when there is none of this name.
    pub async fn change_script(&self, name: &str, source: &str, schedule: &str, by: &str, now_ms: i64) -> Result<(), StoreError> {
        let mut change = self.begin_change().await?;
        let script = script_of(&mut change, name).await?;
        if script.source == source && script.schedule == schedule {
            return Ok(());
        }
        let version = script.version + 1;
        let update = "update script set version = $1, source = $2, schedule = $3 where script_id = $4";
        sqlx::query(update).bind(version).bind(source).bind(schedule).bind(script.id).execute(&mut *change).await?;
        if script.schedule != schedule {
            let update = sqlx::query("update script set since_ms = $1, due_ms = null where script_id = $2").bind(now_ms).bind(script.id);
            update.execute(&mut *change).await?;
        }
        add_version(&mut change, script.id, version, (source, schedule, by), now_ms).await?;
        let old = sqlx::query("delete from script_version where script_id = $1 and version <= $2").bind(script.id);
        old.bind(version - KEPT_VERSIONS).execute(&mut *change).await?;
        Ok(change.commit().await?)
    }

    /// Removes a script with its versions and its runs. What it sent is delivered all the same.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when there is none of this name.
    pub async fn remove_script(&self, name: &str) -> Result<(), StoreError> {
        let mut change = self.begin_change().await?;
        let id = script_of(&mut change, name).await?.id;
        for delete in [
            "delete from script_run where script_id = $1",
            "delete from script_version where script_id = $1",
            "delete from script where script_id = $1",
        ] {
            sqlx::query(delete).bind(id).execute(&mut *change).await?;
        }
        Ok(change.commit().await?)
    }

    /// The versions of a script that are kept, the newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn script_versions(&self, id: i64) -> Result<Vec<ScriptVersion>, StoreError> {
        let select = "select version, source, schedule, by_whom, created_ms from script_version where script_id = $1 order by version desc";
        Ok(sqlx::query_as(select).bind(id).fetch_all(&self.inner.read).await?)
    }

    /// The runs of a script, the newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn script_runs(&self, id: i64, at_most: i64) -> Result<Vec<ScriptRun>, StoreError> {
        let select = sqlx::AssertSqlSafe(format!("{RUN} where script_id = $1 order by run_id desc limit $2"));
        Ok(sqlx::query_as(select).bind(id).bind(at_most).fetch_all(&self.inner.read).await?)
    }

    /// The newest run of every script that has one, by the script's number.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn last_script_runs(&self) -> Result<Vec<(i64, ScriptRun)>, StoreError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            script_id: i64,
            #[sqlx(flatten)]
            run: ScriptRun,
        }
        let select = RUN.replacen("select ", "select script_id, ", 1);
        let select = format!("{select} where run_id in (select max(run_id) from script_run group by script_id)");
        let rows: Vec<Row> = sqlx::query_as(sqlx::AssertSqlSafe(select)).fetch_all(&self.inner.read).await?;
        Ok(rows.into_iter().map(|row| (row.script_id, row.run)).collect())
    }

    /// Claims a due time: true for one panel alone, once, and never for one that is not after the last.
    ///
    /// # Errors
    /// When the database fails: nobody has it then, or only this panel may have.
    pub async fn claim_due(&self, id: i64, due_ms: i64) -> Result<bool, StoreError> {
        let claim = "update script set due_ms = $1 where script_id = $2 and since_ms < $1 and (due_ms is null or due_ms < $1)";
        let claim = sqlx::query(claim).bind(due_ms).bind(id).execute(&self.inner.write).await?;
        Ok(claim.rows_affected() == 1)
    }

    /// Begins a run, unless another one goes on, up to `busy_until_ms` at the latest: a run that did not end by then was interrupted. What
    /// happened begins one once, whatever became of that.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn begin_run(&self, id: i64, run: &ScriptRun, busy_until_ms: i64) -> Result<Begun, StoreError> {
        let mut change = self.begin_write().await?;
        if let Some(news_id) = run.news_id {
            // Only one panel begins runs; where two take themselves for it, one waits here for the other.
            sqlx::query("update script set version = version where script_id = $1").bind(id).execute(&mut *change).await?;
            let before = sqlx::query_scalar("select count(*) from script_run where script_id = $1 and news_id = $2").bind(id).bind(news_id);
            let before: i64 = before.fetch_one(&mut *change).await?;
            if before > 0 {
                return Ok(Begun::Before);
            }
        }
        let claim = "update script set busy_until_ms = $1 where script_id = $2 and (busy_until_ms is null or busy_until_ms <= $3)";
        let claim = sqlx::query(claim).bind(busy_until_ms).bind(id).bind(run.started_ms).execute(&mut *change).await?;
        if claim.rows_affected() == 0 {
            return Ok(Begun::Busy);
        }
        interrupt(&mut change, id).await?;
        let number = insert_run(&mut change, id, run).await?;
        change.commit().await?;
        Ok(Begun::Run(number))
    }

    /// Ends a run with what came of it: another one may begin.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end_run(&self, id: i64, run: &ScriptRun) -> Result<(), StoreError> {
        let mut change = self.begin_write().await?;
        let update = "update script_run set took_ms = $1, outcome = $2, output = $3, changed = $4, error_line = $5, error_column = $6, \
                      error_message = $7 where run_id = $8 and outcome = 'running'";
        let update = sqlx::query(update).bind(run.took_ms).bind(&run.outcome).bind(&run.output).bind(&run.changed);
        let update = update.bind(run.error_line).bind(run.error_column).bind(run.error_message.as_deref()).bind(run.id);
        // After it was given up for interrupted, another one may be busy.
        if update.execute(&mut *change).await?.rows_affected() == 1 {
            sqlx::query("update script set busy_until_ms = null where script_id = $1").bind(id).execute(&mut *change).await?;
        }
        Ok(change.commit().await?)
    }

    /// Notes a run that was not made.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn note_run(&self, id: i64, run: &ScriptRun) -> Result<(), StoreError> {
        let mut change = self.begin_write().await?;
        insert_run(&mut change, id, run).await?;
        Ok(change.commit().await?)
    }

    /// Marks runs whose panel ended before them, and answers how many there were.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn interrupt_runs(&self, now_ms: i64) -> Result<u64, StoreError> {
        let mut change = self.begin_write().await?;
        sqlx::query("update script set busy_until_ms = null where busy_until_ms <= $1").bind(now_ms).execute(&mut *change).await?;
        let update = "update script_run set outcome = 'interrupted' where outcome = 'running' and script_id in \
                      (select script_id from script where busy_until_ms is null)";
        let interrupted = sqlx::query(update).execute(&mut *change).await?.rows_affected();
        change.commit().await?;
        Ok(interrupted)
    }
}

async fn script_of(change: &mut AnyConnection, name: &str) -> Result<StoredScript, StoreError> {
    let select = sqlx::query_as(sqlx::AssertSqlSafe(format!("{SCRIPT} where name = $1"))).bind(name);
    select.fetch_optional(change).await?.ok_or_else(|| StoreError::Missing(format!("the script {name}")))
}

async fn add_version(
    change: &mut AnyConnection,
    id: i64,
    version: i64,
    (source, schedule, by): (&str, &str, &str),
    now_ms: i64,
) -> Result<(), StoreError> {
    let insert = "insert into script_version (script_id, version, source, schedule, by_whom, created_ms) values ($1, $2, $3, $4, $5, $6)";
    sqlx::query(insert).bind(id).bind(version).bind(source).bind(schedule).bind(by).bind(now_ms).execute(change).await?;
    Ok(())
}

/// Whatever runs of a script that is not busy was interrupted.
async fn interrupt(change: &mut AnyConnection, id: i64) -> Result<(), StoreError> {
    let update = "update script_run set outcome = 'interrupted' where script_id = $1 and outcome = 'running'";
    sqlx::query(update).bind(id).execute(change).await?;
    Ok(())
}

/// Adds a run, and forgets those that are too old.
async fn insert_run(change: &mut AnyConnection, id: i64, run: &ScriptRun) -> Result<i64, StoreError> {
    let insert = "insert into script_run (script_id, version, started_ms, took_ms, began_by, by_whom, outcome, output, changed, error_message, \
                  news_id) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) returning run_id";
    let insert = sqlx::query_scalar(insert).bind(id).bind(run.version).bind(run.started_ms).bind(run.took_ms);
    let insert = insert.bind(&run.began_by).bind(&run.by_whom).bind(&run.outcome).bind(&run.output).bind(&run.changed);
    let number: i64 = insert.bind(run.error_message.as_deref()).bind(run.news_id).fetch_one(&mut *change).await?;
    let old = "delete from script_run where script_id = $1 and run_id <= \
               (select run_id from script_run where script_id = $1 order by run_id desc limit 1 offset $2)";
    sqlx::query(old).bind(id).bind(KEPT_RUNS).execute(change).await?;
    Ok(number)
}
