//! A whole database through a file: from SQLite to whatever the tests run on, and back, row by row the same.

use std::path::Path;

use app::model::{Kind, Note, ResetCause};
use sqlx::AssertSqlSafe;
use tempfile::TempDir;

use super::*;
use crate::store::dialect::Dialect;
use crate::store::retention::Kept;
use crate::store::sets::ChartSet;
use crate::store::transfer::tables::TABLES;

/// A file of SQLite, whatever the tests run on.
pub(super) fn file_of(folder: &TempDir, name: &str) -> String {
    format!("sqlite:{}", folder.path().join(name).display())
}

/// A panel with something in every table.
pub(super) async fn panel(url: &str) -> (Store, Vec<SeriesId>) {
    let store = Store::open(url).await.unwrap();
    let a = store.add_box(&spec("a"), 1).await.unwrap();
    let b = store.add_box(&BoxSpec { interval_ms: None, user: None, password_sealed: None, ..spec("Zürich") }, 2).await.unwrap();
    let gone = store.add_box(&spec("gone"), 3).await.unwrap();
    store.set_found_for(a, Some("10.0.0.5:8888")).await.unwrap();
    let tick = TickRule { pattern: "core:".to_owned(), except: false, origin: Origin::Config };
    store.replace_ticks(a, &[tick.clone(), TickRule { pattern: "core:x".to_owned(), except: true, ..tick }]).await.unwrap();
    store.set_kind(a, "core:x", Some(Kind::Counter)).await.unwrap();
    store.set_retention(&KeepRule { box_id: None, pattern: None, keep: [Some(Kept::For(7)), None, Some(Kept::Ever)] }).await.unwrap();
    store
        .set_retention(&KeepRule { box_id: Some(a), pattern: Some("core:".to_owned()), keep: [None, Some(Kept::Ever), None] })
        .await
        .unwrap();
    store.save_custom(&[Custom { name: "app:n".to_owned(), kind: Kind::Gauge, value: -5 }], &[]).await.unwrap();
    let (formula, unit, meaning) = ("100 * {ä:b}".to_owned(), "percent".to_owned(), String::new());
    store.add_derived(&StoredDerived { name: "d".to_owned(), formula, unit, meaning, origin: Origin::Panel }, 8).await.unwrap();
    alerts(&store, a).await;
    let note = Note { id: 0, from: 5, to: 9, text: "ü moved".to_owned(), by: "ann".to_owned() };
    store.add_note(a, &note, 8).await.unwrap();
    let charts = vec!["ä:b c:d .rate".parse().unwrap()];
    store.add_set(&ChartSet { name: "Früh".to_owned(), pinned: true, charts, by: "ann".to_owned() }, 8).await.unwrap();
    store.count_start().await.unwrap();
    scripts::fill(&store).await;
    let ann = store.add_account("ann", "$argon2id$x", 4).await.unwrap();
    store.add_session(&[1, 0, 255], ann, 5, 6).await.unwrap();
    store.add_token(&Token { name: "t".to_owned(), scope: "read".to_owned(), created_ms: 7 }, &[0, 1]).await.unwrap();
    let long = format!("s:{}", "ü".repeat(4_000));
    let series = store.series_ids(a, &["core:x", &long]).await.unwrap();
    let other = store.series_ids(b, &["core:x"]).await.unwrap()[0];
    let float = |n: i64| (n % 5 != 0).then_some(Number::Float(0.1 + f64::from(i32::try_from(n).unwrap())));
    let two = |n: i64| poll(a, n * 1_000, &[(series[0], Some(Number::Int(n))), (series[1], float(n))]);
    for hours in [0..3_000, 90_000..93_000] {
        record_all(&store, hours.map(two).collect()).await;
        seal_all(&store).await;
    }
    merge_all(&store).await;
    record_all(&store, (200_000..201_500).map(two).collect()).await;
    record_all(&store, counting(b, other, (0..1_500).map(|n| n * 1_000), 1)).await;
    let mark = |at_ms| Mark { series: (at_ms % 2 == 0).then_some(series[0]), at_ms, cause: ResetCause::Restart, by: None };
    store.record(PollRecord { marks: (0..5_000).map(mark).collect(), started_ms: Some(-1), ..poll(a, 1, &[]) }).await.unwrap();
    // No version writes them, and an old one may have.
    let gap = sqlx::query("insert into gap (box_id, from_ms, to_ms, reason) values ($1, 1, 2, 'timeout')").bind(a);
    gap.execute(&store.inner.write).await.unwrap();
    store.remove_box(gone, false, 9).await.unwrap();
    (store, series)
}

/// A rule that fired and told of it, a silence, and a message on its way.
async fn alerts(store: &Store, box_id: i64) {
    let rule = StoredRule { name: "down".to_owned(), body: "{}".to_owned(), origin: Origin::Panel };
    store.add_alert_rule(&rule, 8).await.unwrap();
    let (name, body) = ("hook".to_owned(), "{}".to_owned());
    let destination = StoredDestination { name, body, secret_sealed: Some(vec![0, 255]), origin: Origin::Config };
    store.add_destination(&destination, 8).await.unwrap();
    let to = StepTo::Firing {
        since_ms: 5,
        box_name: "a".to_owned(),
        severity: "critical".to_owned(),
        message: "ä".to_owned(),
        value: Some(0.1),
        told: true,
    };
    let step = AlertStep { rule: "down".to_owned(), box_id, to, at_ms: 9 };
    let deliveries = vec![NewDelivery { destination: "hook".to_owned(), body: "{}".to_owned(), wait_ms: 0 }];
    let tell = |_: &[KeptStep]| ToTell { deliveries, ..ToTell::default() };
    store.keep_alert_steps(&[step], tell, 9).await.unwrap();
    let silence = Silence { silence_id: 0, rule: "down".to_owned(), box_id: None, from_ms: 1, to_ms: None, by_whom: None };
    store.silence(&silence, false).await.unwrap();
}

/// Every row of every table that is moved.
pub(super) async fn dump(store: &Store) -> Vec<String> {
    let mut rows = Vec::new();
    let mut view = store.begin_read().await.unwrap();
    for table in TABLES {
        let before = rows.len();
        let each = table.each_row(&mut view, table.columns, |row| {
            rows.push(format!("{} {row:?}", table.name));
            Ok(())
        });
        each.await.unwrap();
        assert!(rows.len() > before, "{} is to be tried as well", table.name);
    }
    rows
}

/// Brings a file into another database.
pub(super) async fn import(path: &Path, url: &str) -> Result<Imported, StoreError> {
    let file = ExportFile::open(path, |_| {})?;
    let store = Store::open_to_import(url).await?;
    assert!(store.claim_alone().await?);
    let mut told = Vec::new();
    let imported = store.import(&file, |step, part| told.push((step == ImportStep::Comparing, part))).await;
    assert!(told.is_sorted_by(|a, b| a <= b), "{told:?}");
    store.close().await;
    imported
}

#[track_caller]
fn check_refused<T: std::fmt::Debug>(result: Result<T, StoreError>, words: &[&str]) {
    let said = result.unwrap_err().to_string();
    assert!(words.iter().all(|word| said.contains(word)), "{said}");
}

#[tokio::test]
async fn a_panel_goes_there_and_back_row_by_row() {
    let folder = tempfile::tempdir().unwrap();
    let (from, series) = panel(&file_of(&folder, "from.db")).await;
    let (out, back) = (folder.path().join("out"), folder.path().join("back"));
    let mut told = Vec::new();
    let exported = from.export(&out, |part| told.push(part)).await.unwrap();
    assert!(told.is_sorted() && told.first() == Some(&0.0) && told.last() == Some(&1.0), "{told:?}");
    assert_eq!((exported.boxes, exported.series, exported.head_rows), (3, 3, 3_000));
    check_refused(from.export(&out, |_| {}).await, &["out is there already"]);

    let place = Place::new();
    assert_eq!(import(&out, &place.url()).await.unwrap(), Imported::Whole(exported));
    assert_eq!(import(&out, &place.url()).await.unwrap(), Imported::Before, "nothing is there twice");
    let there = place.open().await;
    there.export(&back, |_| {}).await.unwrap();
    check_refused(import(&back, &file_of(&folder, "from.db")).await, &["holds boxes (a, Zürich, gone) already", "--database"]);
    check_refused(import(&folder.path().join("nowhere"), "sqlite::memory:").await, &["cannot read", "nowhere"]);
    let url = file_of(&folder, "again.db");
    assert_eq!(import(&back, &url).await.unwrap(), Imported::Whole(exported));
    let again = Store::open(&url).await.unwrap();

    let rows = dump(&from).await;
    for store in [&there, &again] {
        assert_eq!(dump(store).await, rows);
        assert_eq!(store.check(|_| {}).await.unwrap().faults, [""; 0]);
        assert_eq!(everything(store, series[1]).await, everything(&from, series[1]).await);
        // A panel goes on there: numbers are given that nobody has.
        let id = store.add_box(&spec("new"), 10).await.unwrap();
        assert_eq!(id, 4);
        let new = store.series_ids(id, &["core:x"]).await.unwrap()[0];
        record_all(store, counting(id, new, (0..10).map(|n| n * 10), 1)).await;
        let both = [(series[0], Some(Number::Int(1))), (series[1], None)];
        record_all(store, vec![poll(1, 300_000_000, &both)]).await;
        seal_all(store).await;
        assert_eq!(store.check(|_| {}).await.unwrap().faults, [""; 0]);
    }
}

#[tokio::test]
async fn every_table_and_column_is_moved() {
    let store = memory().await;
    let columns = match store.inner.dialect {
        Dialect::Sqlite => {
            "select cast(tables.name as text), cast(columns.name as text) from sqlite_master as tables, pragma_table_info(tables.name) \
             as columns where tables.type = 'table' and tables.name not like 'sqlite_%'"
        }
        Dialect::Postgres => {
            // Months are parts of what is moved as a whole.
            "select table_name::text, column_name::text from information_schema.columns where table_schema = current_schema() \
             and not (select relispartition from pg_class where oid = format('%I.%I', table_schema, table_name)::regclass)"
        }
    };
    let columns: Vec<(String, String)> = sqlx::query_as(columns).fetch_all(&store.inner.read).await.unwrap();
    // What counts changes, or tells which panels share this database, is not of another's.
    let stays = ["revision", "_sqlx_migrations", "panel", "lease", "live"];
    let moved = columns.into_iter().filter(|(table, _)| !stays.contains(&&**table));
    let mut moved: Vec<(String, String)> = moved.collect();
    let known = TABLES.iter().flat_map(|table| table.columns.iter().map(|(column, _)| (table.name.to_owned(), (*column).to_owned())));
    let mut known: Vec<(String, String)> = known.collect();
    moved.sort();
    known.sort();
    assert_eq!(moved, known);
}

#[tokio::test]
async fn an_export_beside_a_panel_is_of_one_instant() {
    let place = Place::new();
    let store = place.open().await;
    let id = store.add_box(&spec("a"), 1).await.unwrap();
    let series = store.series_ids(id, &["core:x"]).await.unwrap()[0];
    record_all(&store, counting(id, series, (0..2_000).map(|n| n * 1_000), 1)).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("moved");
    // What an interrupted one left is begun anew.
    std::fs::write(folder.path().join("moved.part"), "half").unwrap();
    let panel = store.clone();
    let (exported, ()) = tokio::join!(store.export(&file, |_| {}), async {
        seal_all(&panel).await;
        record_all(&panel, counting(id, series, (2_000..2_500).map(|n| n * 1_000), 2_001)).await;
    });
    let exported = exported.unwrap();
    assert!(!folder.path().join("moved.part").exists());
    let url = file_of(&folder, "there.db");
    assert_eq!(import(&file, &url).await.unwrap(), Imported::Whole(exported));
    let there = Store::open(&url).await.unwrap();
    assert_eq!(there.check(|_| {}).await.unwrap().faults, [""; 0]);
    let (all, some) = (ints(&everything(&store, series).await), ints(&everything(&there, series).await));
    assert!(some.len() >= 2_000 && all.starts_with(&some), "{} of {}", some.len(), all.len());
}

#[tokio::test]
async fn what_was_imported_by_half_is_not_used() {
    let place = Place::new();
    let store = place.open().await;
    store.set_setting("import", Some("ab 7")).await.unwrap();
    store.close().await;
    check_refused(place.open_result().await.map(|_| ()), &["an import into this database has not ended", "run the same tickmark import"]);
    let folder = tempfile::tempdir().unwrap();
    let (from, _) = panel(&file_of(&folder, "from.db")).await;
    let file = folder.path().join("moved");
    from.export(&file, |_| {}).await.unwrap();
    check_refused(import(&file, &place.url()).await, &["the import of another file", "has not ended"]);
}

#[tokio::test]
async fn what_another_wrote_meanwhile_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let (from, _) = panel(&file_of(&folder, "from.db")).await;
    let path = folder.path().join("moved");
    from.export(&path, |_| {}).await.unwrap();
    let place = Place::new();
    let store = Store::open_to_import(&place.url()).await.unwrap();
    let file = ExportFile::open(&path, |_| {}).unwrap();
    // It fails at the last table, as the row is there already, and goes on when that is gone.
    let in_the_way = "insert into gap (box_id, from_ms, to_ms, reason) values (1, 77, 78, 'x')";
    let far = sqlx::query_scalar("select setting_value from setting where setting_key = 'import'");
    let stopped = {
        let trigger = match store.inner.dialect {
            Dialect::Sqlite => "create trigger stop before insert on chunk begin select raise(abort, 'stopped'); end",
            Dialect::Postgres => "alter table chunk add constraint stop check (false)",
        };
        sqlx::query(trigger).execute(&store.inner.write).await.unwrap();
        store.import(&file, |_, _| {}).await
    };
    check_refused(stopped, &["the database failed"]);
    let far: String = far.fetch_one(&store.inner.read).await.unwrap();
    assert!(!far.ends_with("done"), "{far}");
    let go_on = match store.inner.dialect {
        Dialect::Sqlite => "drop trigger stop",
        Dialect::Postgres => "alter table chunk drop constraint stop",
    };
    for statement in [go_on, in_the_way] {
        sqlx::query(AssertSqlSafe(statement)).execute(&store.inner.write).await.unwrap();
    }
    check_refused(store.import(&file, |_, _| {}).await, &["damaged: the table gap has not what the file has (2 rows of 1)"]);
    sqlx::query("delete from gap where from_ms = 77").execute(&store.inner.write).await.unwrap();
    let imported = store.import(&file, |_, _| {}).await.unwrap();
    assert!(matches!(imported, Imported::Whole(_)), "{imported:?}");
    assert_eq!(dump(&store).await, dump(&from).await);
}
