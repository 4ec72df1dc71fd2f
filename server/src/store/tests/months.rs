//! On a server the history lies in months, and the room of what is deleted returns. What is asked of parts is left out on SQLite.

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

use super::database::is_on_server;
use super::transfer::{dump, file_of, import, panel};
use super::*;
use crate::store::dialect::Dialect;
use crate::store::open::migrations;
use crate::store::read::chunks_of;
use crate::store::retention::Kept;
use crate::store::transfer::tables::TABLES;

/// The first days of the months of 2024, epoch milliseconds, from January on.
const MONTHS: [i64; 5] = [1_704_067_200_000, 1_706_745_600_000, 1_709_251_200_000, 1_711_929_600_000, 1_714_521_600_000];

/// A box with an hour of one-second polls in each of four months, sealed and merged.
async fn four_months(store: &Store, name: &str) -> (i64, SeriesId) {
    let id = store.add_box(&spec(name), 1).await.unwrap();
    let series = store.series_ids(id, &["core:x"]).await.unwrap()[0];
    for month_ms in &MONTHS[..4] {
        let value = |second: i64| vec![(series, Some(Number::Int(second * 7 % 13)))];
        let polls = (0..3_600).map(|second| PollRecord { interval_ms: 1_000, ..poll(id, month_ms + second * 1_000, &value(second)) });
        record_all(store, polls.collect()).await;
        seal_all(store).await;
    }
    merge_all(store).await;
    (id, series)
}

/// A box of which no minutes and hours are worth it, with a poll in each of four months.
async fn slow(store: &Store) -> SeriesId {
    let id = store.add_box(&spec("slow"), 1).await.unwrap();
    let series = store.series_ids(id, &["core:x"]).await.unwrap()[0];
    record_all(store, counting(id, series, MONTHS[..4].iter().copied(), 1)).await;
    seal_all(store).await;
    merge_all(store).await;
    series
}

/// The months of chunks that are there, as their names say.
async fn parts(store: &Store) -> Vec<String> {
    let names = "select relname::text from pg_class where relispartition and relkind = 'r' and relname like 'chunk%' \
                 and relnamespace = (select oid from pg_namespace where nspname = current_schema()) order by 1";
    let names: Vec<String> = sqlx::query_scalar(names).fetch_all(&store.inner.read).await.unwrap();
    names.into_iter().map(|name| name.trim_start_matches("chunk_").to_owned()).collect()
}

/// The bytes that spans and chunks take on the disk.
async fn room(store: &Store) -> i64 {
    let room = "select coalesce(sum(pg_total_relation_size(oid)), 0)::bigint from pg_class where relispartition and relkind = 'r'";
    sqlx::query_scalar(room).fetch_one(&store.inner.read).await.unwrap()
}

async fn keep(store: &Store, raw: i64, minutes: i64) {
    let keep = [Some(Kept::For(raw * DAY_MS)), Some(Kept::For(minutes * DAY_MS)), None];
    store.set_retention(&KeepRule { box_id: None, pattern: None, keep }).await.unwrap();
}

#[tokio::test]
async fn months_of_which_nothing_is_kept_go_whole() {
    if !is_on_server() {
        return;
    }
    let store = memory().await;
    let (id, series) = four_months(&store, "a").await;
    let all: Vec<String> =
        ["hour", "minute", "raw"].iter().flat_map(|tier| (1..=4).map(move |month| format!("{tier}_2024_{month:02}"))).collect();
    assert_eq!(parts(&store).await, all);
    let (before, size) = (room(&store).await, store.stats().await.unwrap().size_bytes);
    // Samples of January and February, minutes of January. Rows that are deleted one by one would still be where they were.
    keep(&store, 40, 70).await;
    let retention = store.retention().await.unwrap();
    assert!(store.would_free(&retention, MONTHS[4]).await.unwrap()[..2].iter().all(|&bytes| bytes > 0));
    store.drop_old_months(&retention, MONTHS[4] - 10 * DAY_MS).await.unwrap();
    let gone = ["minute_2024_01", "raw_2024_01", "raw_2024_02"];
    assert_eq!(parts(&store).await, all.iter().filter(|name| !gone.contains(&&***name)).cloned().collect::<Vec<_>>());
    assert!(room(&store).await < before && store.stats().await.unwrap().size_bytes < size);
    assert_eq!(everything(&store, series).await.at_ms[0], MONTHS[2]);
    assert!(store.are_samples_gone(series, MONTHS[0], MONTHS[1]).await.unwrap());
    let rollup = store.rollup(series, MONTHS[0], MONTHS[4], Tier::Minutes).await.unwrap();
    assert_eq!((rollup.tier, rollup.samples()), (Some(Tier::Hours), 14_400), "hours stand in where minutes are gone");
    assert_eq!(
        store.usage(MONTHS[4]).await.unwrap().iter().map(|usage| usage.from_ms).collect::<Vec<_>>(),
        [MONTHS[2], MONTHS[1], MONTHS[0]]
    );
    assert_eq!(store.check(|_| {}).await.unwrap().faults, [""; 0]);
    // What is stored there again finds its place.
    record_all(&store, counting(id, series, (0..10).map(|n| MONTHS[0] + n * 1_000), 1)).await;
    seal_all(&store).await;
    assert_eq!(everything(&store, series).await.at_ms.len(), 7_210);
}

#[tokio::test]
async fn a_month_of_which_something_is_kept_stays() {
    let store = memory().await;
    let (id, series) = four_months(&store, "a").await;
    let slow = slow(&store).await;
    keep(&store, 40, 70).await;
    while store.retain_due(MONTHS[4] - 10 * DAY_MS).await.unwrap() {}
    while store.give_back(MONTHS[4]).await.unwrap() {}
    // Its samples are all there is: they stand for hours.
    assert_eq!(everything(&store, slow).await.at_ms, MONTHS[..4]);
    assert_eq!(everything(&store, series).await.at_ms[0], MONTHS[3], "the other one's go row by row");
    let samples_of_all = KeepRule { box_id: Some(id), pattern: None, keep: [Some(Kept::Ever), None, None] };
    store.set_retention(&samples_of_all).await.unwrap();
    while store.retain_due(MONTHS[4] + 30 * DAY_MS).await.unwrap() {}
    assert_eq!(everything(&store, series).await.at_ms[0], MONTHS[3]);
    assert_eq!(store.check(|_| {}).await.unwrap().faults, [""; 0]);
    if is_on_server() {
        assert!(parts(&store).await.contains(&"raw_2024_01".to_owned()));
        assert!(!parts(&store).await.contains(&"minute_2024_01".to_owned()), "nothing is left of it");
    }
}

#[test]
fn the_longest_of_all_rules_holds_for_a_whole_month() {
    let of = |days: i64| Some(Kept::For(days * DAY_MS));
    let rule = |box_id, keep| KeepRule { box_id, pattern: None, keep };
    let longest = |rules: &[KeepRule]| Retention { rules: rules.to_vec() }.longest().0.map(|keep| keep.map(|ms| ms / DAY_MS));
    assert_eq!(longest(&[]), [Some(90), Some(730), None]);
    assert_eq!(longest(&[rule(None, [of(7), None, of(800)])]), [Some(7), Some(730), Some(800)]);
    assert_eq!(longest(&[rule(None, [of(7), None, None]), rule(Some(1), [of(9), of(9), None])]), [Some(9), Some(730), None]);
    assert_eq!(longest(&[rule(Some(1), [Some(Kept::Ever), of(800), None])]), [None, Some(800), None]);
}

#[tokio::test]
async fn the_room_of_a_box_that_goes_with_its_history_returns() {
    if !is_on_server() {
        return;
    }
    let store = memory().await;
    let ((a, large), (b, small)) = (four_months(&store, "a").await, four_months(&store, "b").await);
    let make_large = "update chunk set payload = decode(repeat(md5(random()::text), 1 << 17), 'hex') where series_id = $1 and tier = 0";
    sqlx::query(make_large).bind(large.0).execute(&store.inner.write).await.unwrap();
    sqlx::query("update span set bytes = 1 << 21 where box_id = $1 and tier = 0").bind(a).execute(&store.inner.write).await.unwrap();
    let before = everything(&store, small).await;
    let all = room(&store).await;
    assert!(all > 4 << 21);
    store.give_back(MONTHS[4] + 30 * DAY_MS).await.unwrap();
    assert_eq!(room(&store).await, all, "all of it is in use");
    store.remove_box(a, true, MONTHS[4]).await.unwrap();
    // The server itself may be at one of them.
    let mut now_ms = MONTHS[4] + 30 * DAY_MS;
    while room(&store).await > 2 << 20 {
        store.give_back(now_ms).await.unwrap();
        now_ms += DAY_MS;
    }
    assert_eq!(everything(&store, small).await, before);
    assert_eq!(store.check(|_| {}).await.unwrap().faults, [""; 0]);
    store.remove_box(b, true, MONTHS[4]).await.unwrap();
    while room(&store).await > 0 {
        store.give_back(now_ms).await.unwrap();
        now_ms += DAY_MS;
    }
    assert_eq!(parts(&store).await, [""; 0]);
}

#[tokio::test]
async fn who_reads_for_long_is_in_nobodys_way() {
    if !is_on_server() {
        return;
    }
    let place = Place::new();
    let store = place.open().await;
    let (id, series) = four_months(&store, "a").await;
    let mut reader = PgConnection::connect(&place.url()).await.unwrap();
    let mut view = reader.begin_with("begin isolation level repeatable read read only").await.unwrap();
    let seen: i64 = sqlx::query_scalar("select count(*) from span, chunk").fetch_one(&mut *view).await.unwrap();
    // A month that nobody has seen yet.
    record_all(&store, counting(id, series, (0..10).map(|n| MONTHS[4] + n * 1_000), 1)).await;
    seal_all(&store).await;
    assert!(parts(&store).await.contains(&"raw_2024_05".to_owned()));
    // What is dropped waits for the reader, and nobody for that.
    keep(&store, 40, 70).await;
    assert!(store.retain_due(MONTHS[4] - 10 * DAY_MS).await.unwrap());
    store.give_back(MONTHS[4]).await.unwrap();
    assert!(parts(&store).await.contains(&"raw_2024_01".to_owned()));
    assert_eq!(everything(&store, series).await.at_ms[0], MONTHS[3], "its rows are gone");
    assert_eq!(sqlx::query_scalar::<_, i64>("select count(*) from span, chunk").fetch_one(&mut *view).await.unwrap(), seen);
    view.commit().await.unwrap();
    store.give_back(MONTHS[4] + 5_000).await.unwrap();
    assert!(!parts(&store).await.contains(&"raw_2024_01".to_owned()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_panels_store_the_first_of_a_month_at_once() {
    let place = Place::new();
    let one = place.open().await;
    let other = if is_on_server() { place.open().await } else { one.clone() };
    let mut all = Vec::new();
    for (store, name) in [(&one, "a"), (&other, "b")] {
        let id = store.add_box(&spec(name), 1).await.unwrap();
        let series = store.series_ids(id, &["core:x"]).await.unwrap()[0];
        let times = (0..36).flat_map(|month| (0..20).map(move |n| MONTHS[0] + month * 31 * DAY_MS + n * 1_000));
        record_all(store, counting(id, series, times, 1)).await;
        all.push((id, series));
    }
    let (a, b) = tokio::join!(one.seal_box(all[0].0), other.seal_box(all[1].0));
    a.and(b).unwrap();
    for (_, series) in &all {
        assert_eq!(everything(&one, *series).await.at_ms.len(), 36 * 20);
    }
    assert_eq!(one.check(|_| {}).await.unwrap().faults, [""; 0]);
}

#[tokio::test]
async fn far_off_times_have_their_place() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::new();
    let store = place.open().await;
    let id = store.add_box(&spec("a"), 1).await.unwrap();
    let series = store.series_ids(id, &["core:x"]).await.unwrap()[0];
    let starts = [-60_000_000_000_000, -3 * DAY_MS, 0, 4_102_444_800_000, 7_258_118_395_000, 200_000_000_000_000];
    let times: Vec<i64> = starts.iter().flat_map(|start| (0..20).map(move |n| start + n * 1_000)).collect();
    record_all(&store, counting(id, series, times.iter().copied(), 1)).await;
    seal_all(&store).await;
    assert_eq!(everything(&store, series).await.at_ms, times);
    if is_on_server() {
        let raw: Vec<String> = parts(&store).await.into_iter().filter(|name| name.starts_with("raw")).collect();
        assert_eq!(raw, ["raw_1970_01", "raw_2100_01", "raw_2199_12", "raw_early", "raw_late"]);
    }
    merge_all(&store).await;
    assert_eq!(store.check(|_| {}).await.unwrap().faults, [""; 0]);
    let moved = folder.path().join("moved");
    store.export(&moved, |_| {}).await.unwrap();
    let there = Place::new();
    import(&moved, &there.url()).await.unwrap();
    assert_eq!(everything(&there.open().await, series).await.at_ms, times);
    store.remove_box(id, true, 1).await.unwrap();
    while store.give_back(1).await.unwrap() {}
    if is_on_server() {
        assert_eq!(parts(&store).await, [""; 0]);
    }
}

/// Whether a database has a column.
async fn has_column(old: &mut sqlx::AnyConnection, table: &str, column: &str) -> bool {
    old.execute(AssertSqlSafe(format!("select {column} from {table} where 1 = 0"))).await.is_ok()
}

#[tokio::test]
async fn history_that_is_there_is_moved_into_months() {
    let folder = tempfile::tempdir().unwrap();
    let (from, series) = panel(&file_of(&folder, "from.db")).await;
    // As the version before had it.
    let place = Place::new();
    let url = if is_on_server() {
        place.url()
    } else {
        format!("sqlite:{}?mode=rwc", place.path().display().to_string().replace('%', "%25").replace('#', "%23"))
    };
    let pool = sqlx::any::AnyPoolOptions::new().max_connections(1).connect(&url).await.unwrap();
    let dialect = if is_on_server() { Dialect::Postgres } else { Dialect::Sqlite };
    let before = migrations(dialect).iter().filter(|one| one.version <= 6).cloned().collect();
    sqlx::migrate::Migrator::with_migrations(before).run(&pool).await.unwrap();
    let mut old = pool.acquire().await.unwrap();
    let mut view = from.begin_read().await.unwrap();
    let mut later = Vec::new();
    for table in TABLES {
        let mut rows = Vec::new();
        let each = table.each_row(&mut view, table.columns, |row| {
            rows.push(row.to_vec());
            Ok(())
        });
        each.await.unwrap();
        let mut known = Vec::new();
        for (place, (column, _)) in table.columns.iter().enumerate() {
            if has_column(&mut old, table.name, column).await {
                known.push(place);
            }
        }
        if known.is_empty() {
            later.push((table, rows));
            continue;
        }
        let columns: Vec<_> = known.iter().map(|&place| table.columns[place]).collect();
        let rows: Vec<Vec<_>> = rows.iter().map(|row| known.iter().map(|&place| row[place].clone()).collect()).collect();
        for some in rows.chunks(50) {
            table.insert(&mut old, &columns, some).await.unwrap();
        }
    }
    if is_on_server() {
        old.execute("insert into span select box_id, tier, -9, seq, end_ms, polls, payload, bytes from span limit 1").await.unwrap();
        old.execute(
            "insert into chunk select series_id, tier, 1 + (10::bigint ^ 15)::bigint, seq, end_ms, samples, payload from chunk limit 1",
        )
        .await
        .unwrap();
    }
    drop(old);
    pool.close().await;
    let store = place.open().await;
    for (table, rows) in later {
        assert!(!rows.is_empty(), "{} is to be tried as well", table.name);
        let mut change = store.begin_write().await.unwrap();
        table.insert(&mut change, table.columns, &rows).await.unwrap();
        change.commit().await.unwrap();
    }
    if is_on_server() {
        let months = parts(&store).await;
        assert!(months.iter().any(|name| name.ends_with("early")) && months.iter().any(|name| name.ends_with("late")), "{months:?}");
        for far in ["delete from span where start_ms = -9", "delete from chunk where start_ms > 1000000000000000"] {
            assert_eq!(sqlx::query(far).execute(&store.inner.write).await.unwrap().rows_affected(), 1);
        }
    }
    assert_eq!(dump(&store).await, dump(&from).await);
    assert_eq!(everything(&store, series[0]).await, everything(&from, series[0]).await);
    assert_eq!(store.check(|_| {}).await.unwrap().faults, [""; 0]);
    assert!(sqlx::query("delete from box").execute(&store.inner.write).await.is_err(), "what refers to it still does");
}

#[tokio::test]
async fn of_other_months_nothing_is_looked_at() {
    if !is_on_server() {
        return;
    }
    let store = memory().await;
    let id = store.add_box(&spec("a"), 1).await.unwrap();
    let series = store.series_ids(id, &["core:x"]).await.unwrap()[0];
    let times = (0..36).flat_map(|month| (0..20).map(move |n| MONTHS[0] + month * 31 * DAY_MS + n * 1_000));
    record_all(&store, counting(id, series, times, 1)).await;
    seal_all(&store).await;
    assert!(parts(&store).await.len() >= 72);
    let plan = async |question: &str| {
        let values = [id, series.0, MONTHS[3] + DAY_MS, MONTHS[3] + 2 * DAY_MS];
        let asked =
            (1..).zip(values).fold(question.to_owned(), |asked, (place, value)| asked.replace(&format!("${place}"), &value.to_string()));
        let plan: Vec<String> = sqlx::query_scalar(AssertSqlSafe(format!("explain {asked}"))).fetch_all(&store.inner.read).await.unwrap();
        let plan = plan.join("\n");
        assert!(plan.contains("_2024_04"), "{plan}");
        assert_eq!(plan.matches("_20").count(), plan.matches("_2024_04").count(), "{plan}");
    };
    plan(&chunks_of(Tier::Raw, &[])).await;
    plan(&chunks_of(Tier::Minutes, &[Tier::Raw])).await;
    plan(
        "select chunk.payload from series join chunk on chunk.series_id = series.series_id where series.box_id = $1 and chunk.tier = 0 \
          and chunk.start_ms = $3 and chunk.seq = 1",
    )
    .await;
    plan(
        "delete from chunk where tier = 0 and start_ms = $3 and seq = 1 and series_id in (select series_id from series where box_id = $1)",
    )
    .await;
}
