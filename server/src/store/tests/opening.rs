//! Opening, refusing, reopening.

use super::super::open::migrations;
use super::*;

#[track_caller]
fn check_refused(result: Result<Store, StoreError>, words: &[&str]) {
    let Err(StoreError::Open(text)) = result else { panic!("opened, or another error") };
    for word in words {
        assert!(text.contains(word), "{word} is not in: {text}");
    }
}

#[tokio::test]
async fn what_cannot_be_opened_says_what_to_do() {
    let place = Place::new();
    let folder = place.database.folder();
    check_refused(Store::open("mysql://localhost").await, &["no kind of database", "sqlite:PATH"]);
    check_refused(Store::open("sqlite:").await, &["names no file"]);
    let missing = format!("sqlite:{}/not/there.db", folder.display());
    check_refused(Store::open(&missing).await, &["/not does not exist", "make it"]);
    check_refused(Store::open(&format!("sqlite:{}", folder.display())).await, &["is a folder"]);
    let text = folder.join("notes.txt");
    std::fs::write(&text, "These are my notes, not a database. ".repeat(100)).unwrap();
    check_refused(Store::open(&format!("sqlite:{}", text.display())).await, &["notes.txt is not a database"]);
}

#[tokio::test]
async fn the_parameters_of_a_url_are_no_part_of_the_files_name() {
    if is_on_server() {
        return;
    }
    let place = Place::new();
    Store::open(&format!("{}?mode=rwc", place.url())).await.unwrap().close().await;
    assert!(place.path().exists());
    let names = std::fs::read_dir(place.database.folder()).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(names.into_iter().all(|name| !name.to_string_lossy().contains('?')));
    check_refused(Store::open(&format!("{}?mode=ro", place.url())).await, &["parameters", "write no more than sqlite:"]);
}

#[tokio::test]
async fn a_newer_schema_is_refused() {
    let place = Place::new();
    let store = place.open().await;
    let newer = "insert into _sqlx_migrations (version, description, success, checksum, execution_time) values (9999, 'x', '1', '00', 0)";
    sqlx::query(newer).execute(&store.inner.write).await.unwrap();
    store.close().await;
    check_refused(Store::open(&place.url()).await, &["newer Tickmark", "9999", "run that version"]);
}

#[tokio::test]
async fn another_programs_database_is_left_alone() {
    let place = Place::new();
    let store = place.open().await;
    sqlx::query("drop table _sqlx_migrations").execute(&store.inner.write).await.unwrap();
    store.close().await;
    check_refused(Store::open(&place.url()).await, &["another program"]);
}

#[tokio::test]
async fn a_file_that_is_removed_is_noticed_before_anything_is_said_to_be_recorded() {
    if is_on_server() {
        return;
    }
    let place = Place::new();
    let store = place.open().await;
    let id = store.add_box(&spec("a"), 1).await.unwrap();
    let series = store.series_ids(id, &["core:x"]).await.unwrap()[0];
    let polls = counting(id, series, (1..=4).map(|n| n * 10_000), 1);
    store.record(polls[0].clone()).await.unwrap();
    let (path, aside) = (place.path(), place.database.folder().join("aside.db"));
    for other in [None, Some("another file")] {
        std::fs::rename(&path, &aside).unwrap();
        other.into_iter().for_each(|text| std::fs::write(&path, text).unwrap());
        for poll in &polls[1..] {
            assert!(matches!(store.record(poll.clone()).await, Err(StoreError::Unwritable(Trouble::Removed))));
        }
        assert!(store.add_box(&spec("b"), 1).await.is_err());
        store.probe_trouble().await;
        let trouble = store.trouble().borrow().clone();
        assert_eq!(trouble, Some(Trouble::Removed));
        assert!(trouble.unwrap().to_string().contains("put it back"));
        std::fs::rename(&aside, &path).unwrap();
        store.probe_trouble().await;
        assert_eq!(*store.trouble().borrow(), None);
    }
    record_all(&store, polls[1..].to_vec()).await;
    assert_eq!(everything(&store, series).await.at_ms, [10_000, 20_000, 30_000, 40_000]);
}

/// Each schema that was released is brought up to date with what is in it.
#[tokio::test]
async fn an_older_schema_is_brought_up_to_date() {
    let place = Place::new();
    let store = place.open().await;
    let dialect = store.inner.dialect;
    store.close().await;
    let newest = migrations(dialect).iter().map(|one| one.version).max().unwrap();
    for version in migrations(dialect).iter().map(|one| one.version).filter(|&version| version < newest) {
        let place = Place::new();
        let released: Vec<_> = migrations(dialect).iter().filter(|one| one.version <= version).cloned().collect();
        sqlx::any::install_default_drivers();
        let url = if is_on_server() { place.database.url() } else { format!("{}?mode=rwc", place.database.url()) };
        let pool = sqlx::any::AnyPoolOptions::new().max_connections(1).connect(&url).await.unwrap();
        sqlx::migrate::Migrator::with_migrations(released).run(&pool).await.unwrap();
        let old = [
            "insert into box (box_id, name, address, kind, labels, paused, origin, created_ms) \
             values (7, 'old', 'http://127.0.0.1:1/mi', 'opensips', '{}', 0, 'panel', 1)",
            "insert into tick (box_id, pattern, is_exception, origin) values (7, 'core:', 0, 'panel')",
            "insert into series (series_id, box_id, name) values (9, 7, 'core:x')",
            "insert into gap (box_id, from_ms, to_ms, reason) values (7, 5, 6, 'paused')",
        ];
        for statement in old {
            sqlx::query(statement).execute(&pool).await.unwrap();
        }
        pool.close().await;

        let store = Store::open(&place.database.url()).await.unwrap();
        assert_eq!(store.boxes().await.unwrap()[0].spec.name, "old", "from {version}");
        assert_eq!(store.ticks(7).await.unwrap()[0].pattern, "core:");
        assert_eq!(store.gaps(7, 0, 10).await.unwrap().len(), 1);
        record_all(&store, counting(7, SeriesId(9), [10_000, 20_000], 1)).await;
        seal_all(&store).await;
        assert_eq!(everything(&store, SeriesId(9)).await.at_ms, [10_000, 20_000]);
        assert_eq!(store.check(|_| {}).await.unwrap().faults, [""; 0]);
    }
}

#[tokio::test]
async fn a_closed_store_says_so() {
    let place = Place::new();
    let store = place.open().await;
    store.close().await;
    store.close().await;
    assert!(matches!(store.record(poll(1, 1, &[])).await, Err(StoreError::Closed)));
    assert!(matches!(store.boxes().await, Err(StoreError::Closed)));
    assert!(matches!(store.ping().await, Err(StoreError::Closed)));
}

#[tokio::test]
async fn a_database_in_memory_works_and_is_alone() {
    let (one, other) = (Store::open("sqlite::memory:").await.unwrap(), Store::open("sqlite::memory:").await.unwrap());
    let id = one.add_box(&spec("a"), 1).await.unwrap();
    let series = one.series_ids(id, &["core:x"]).await.unwrap()[0];
    record_all(&one, counting(id, series, [10, 20, 30], 1)).await;
    seal_all(&one).await;
    assert_eq!(ints(&everything(&one, series).await), [(10, 1), (20, 2), (30, 3)]);
    assert!(other.boxes().await.unwrap().is_empty());
    one.ping().await.unwrap();
    assert_eq!(one.stats().await.unwrap().samples, 3);
}

#[tokio::test]
async fn the_file_has_large_pages_and_a_log() {
    if is_on_server() {
        return;
    }
    let place = Place::new();
    let store = place.open().await;
    let page: i64 = sqlx::query_scalar("pragma page_size").fetch_one(&store.inner.read).await.unwrap();
    let journal: String = sqlx::query_scalar("pragma journal_mode").fetch_one(&store.inner.read).await.unwrap();
    let keys: i64 = sqlx::query_scalar("pragma foreign_keys").fetch_one(&store.inner.write).await.unwrap();
    let sync: i64 = sqlx::query_scalar("pragma synchronous").fetch_one(&store.inner.write).await.unwrap();
    assert_eq!((page, journal.as_str(), keys, sync), (16_384, "wal", 1, 1));
    assert!(store.stats().await.unwrap().size_bytes > 16_384);
}
