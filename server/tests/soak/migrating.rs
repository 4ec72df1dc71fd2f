//! An older schema that is being brought up to date when the process is killed.

use std::{path::Path, process::Stdio, time::Duration};

use server::store::Store;
use sqlx::migrate::Migrator;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::Command,
};

use crate::{
    database::{TestDatabase, is_on_server},
    dice::Dice,
    kills,
};

/// Names the database, in the process to kill.
const DATABASE: &str = "TICKMARK_TEST_SOAK_MIGRATE";
/// How many are killed.
const KILLS: &str = "TICKMARK_SOAK_MIGRATIONS";
/// Rows of an older database.
const GAPS: i64 = 3_000;
/// A process is killed within this time after it began.
const WITHIN: Duration = Duration::from_millis(60);

/// The process to kill.
#[tokio::test]
async fn opens_until_killed() {
    let Ok(database) = std::env::var(DATABASE) else { return };
    println!("\nopening");
    drop(Store::open(&database).await.unwrap());
    println!("\nopened");
    std::future::pending::<()>().await;
}

/// A database of the first version, with something in it.
async fn old_database() -> TestDatabase {
    let kept = TestDatabase::new();
    let folder = if is_on_server() { "postgres" } else { "sqlite" };
    let mut migrator = Migrator::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations").join(folder)).await.unwrap();
    let first = migrator.iter().map(|one| one.version).min().unwrap();
    migrator.migrations.to_mut().retain(|one| one.version == first);
    sqlx::any::install_default_drivers();
    let url = if is_on_server() { kept.url() } else { format!("{}?mode=rwc", kept.url()) };
    let pool = sqlx::any::AnyPoolOptions::new().max_connections(1).connect(&url).await.unwrap();
    migrator.run(&pool).await.unwrap();
    let old = "insert into box (box_id, name, address, kind, labels, paused, origin, created_ms) \
               values (7, 'old', 'http://127.0.0.1:1/mi', 'opensips', '{}', 0, 'panel', 1)";
    sqlx::query(old).execute(&pool).await.unwrap();
    let mut change = pool.begin().await.unwrap();
    for number in 0..GAPS {
        let gap = sqlx::query("insert into gap (box_id, from_ms, to_ms, reason) values (7, $1, $2, 'paused')");
        gap.bind(number * 10).bind(number * 10 + 5).execute(&mut *change).await.unwrap();
    }
    change.commit().await.unwrap();
    pool.close().await;
    kept
}

#[tokio::test]
async fn an_older_schema_is_brought_up_to_date_through_kill_9() {
    let (kills, mut dice) = (kills(KILLS, 6), Dice::new());
    let mut amid = 0;
    for _ in 0..kills {
        let kept = old_database().await;
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "migrating::opens_until_killed", "--nocapture"])
            .env(DATABASE, kept.url())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        while lines.next_line().await.unwrap().unwrap() != "opening" {}
        tokio::time::sleep(dice.time_below(WITHIN)).await;
        child.kill().await.unwrap();
        let mut was_open = false;
        while let Some(line) = lines.next_line().await.unwrap() {
            was_open |= line == "opened";
        }
        amid += usize::from(!was_open);
        let store = Store::open(&kept.url()).await.unwrap();
        assert_eq!(store.boxes().await.unwrap()[0].spec.name, "old");
        assert_eq!(store.gaps(7, 0, GAPS * 10).await.unwrap().len(), usize::try_from(GAPS).unwrap());
        assert_eq!(store.check(|_| {}).await.unwrap().faults, [""; 0]);
        store.close().await;
    }
    println!("{kills} kills around a migration, {amid} of them before it had ended: all is there");
}
