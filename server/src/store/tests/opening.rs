//! Opening, refusing, reopening.

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
