//! Bytes changed behind the store's back: found and named, never a panic, never in the way of other boxes.

use super::*;

/// Two boxes with a chunk and a head each.
async fn prepared(place: &Place) -> (Store, i64, SeriesId, SeriesId) {
    let store = place.open().await;
    let (a, b) = (store.add_box(&spec("a"), 1).await.unwrap(), store.add_box(&spec("b"), 1).await.unwrap());
    let (one, other) = (store.series_ids(a, &["s:0"]).await.unwrap()[0], store.series_ids(b, &["s:0"]).await.unwrap()[0]);
    for (id, series) in [(a, one), (b, other)] {
        record_all(&store, counting(id, series, (0..100).map(|i| i * 10), 0)).await;
    }
    seal_all(&store).await;
    for (id, series) in [(a, one), (b, other)] {
        record_all(&store, counting(id, series, (100..110).map(|i| i * 10), 0)).await;
    }
    assert_eq!(store.check(|_| {}).await.unwrap().faults, [""; 0]);
    (store, a, one, other)
}

#[track_caller]
fn check_damaged(result: Result<Samples, StoreError>, word: &str, others: usize) {
    let samples = result.unwrap();
    assert!(samples.damaged.iter().any(|gap| gap.reason.contains(word) && gap.from < gap.to), "{:?}", samples.damaged);
    assert_eq!(samples.at_ms.len(), others, "what is not damaged is read");
}

async fn faults(store: &Store) -> Vec<String> {
    store.check(|_| {}).await.unwrap().faults
}

#[tokio::test]
async fn a_damaged_chunk_is_found() {
    let place = Place::new();
    let (store, id, one, other) = prepared(&place).await;
    let payload = sqlx::query_scalar("select payload from chunk where series_id = $1").bind(one.0);
    let mut payload: Vec<u8> = payload.fetch_one(&store.inner.read).await.unwrap();
    payload[6] = 0xff;
    let damage = sqlx::query("update chunk set payload = $2 where series_id = $1").bind(one.0).bind(payload);
    damage.execute(&store.inner.write).await.unwrap();
    check_damaged(store.samples(one, 0, 2_000).await, "the chunk of series", 10);
    assert_eq!(ints(&store.samples(one, 1_000, 2_000).await.unwrap()).len(), 10);
    assert_eq!(everything(&store, other).await.at_ms.len(), 110);
    let mut told = Vec::new();
    let report = store.check(|part| told.push(part)).await.unwrap();
    let fault = |tier| format!("the chunk of {tier} of s:0 of box {id} that begins at 0: the check sum is wrong");
    assert_eq!(report.faults, ["samples", "minutes"].map(fault));
    assert_eq!((report.series, report.chunks, report.chunk_samples, report.head_rows), (2, 4, 100, 20));
    assert!(told.is_sorted() && told.first() == Some(&0.0) && told.last() == Some(&1.0), "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sealing_under_way_is_no_fault() {
    let place = Place::new();
    let store = place.open().await;
    let id = store.add_box(&spec("a"), 1).await.unwrap();
    let series = store.series_ids(id, &["s:0", "s:1"]).await.unwrap();
    let both = |at: i64| poll(id, at, &[(series[0], Some(Number::Int(at))), (series[1], Some(Number::Int(at)))]);
    record_all(&store, (0..100).map(|i| both(i * 10)).collect()).await;
    // A panel seals while the first series is checked and the second is yet to come.
    let panel = place.open().await;
    let mut sealed = 0;
    let report = store.check(|part| {
        if sealed == 0 && part > 0.0 {
            tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(seal_all(&panel)));
            sealed += 1;
        }
    });
    let report = report.await.unwrap();
    assert_eq!((sealed, report.faults), (1, Vec::<String>::new()));
    assert_eq!((report.head_samples, report.chunk_samples), (200, 0), "all of it is as it was when the check began");
    assert_eq!(everything(&store, series[1]).await.at_ms.len(), 100);
    assert_eq!(store.check(|_| {}).await.unwrap().chunk_samples, 200);
}

#[tokio::test]
async fn wrong_counts_and_missing_spans_are_found() {
    let place = Place::new();
    let (store, id, one, _) = prepared(&place).await;
    sqlx::query("update chunk set samples = 99 where series_id = $1").bind(one.0).execute(&store.inner.write).await.unwrap();
    assert!(faults(&store).await[0].contains("more or fewer samples"));
    sqlx::query("update span set end_ms = 5 where box_id = $1").bind(id).execute(&store.inner.write).await.unwrap();
    assert!(faults(&store).await[0].contains("its times are not those"));
    sqlx::query("update span set payload = $2 where box_id = $1").bind(id).bind(Vec::new()).execute(&store.inner.write).await.unwrap();
    assert!(faults(&store).await[0].contains("too short"));
    sqlx::query("delete from span where box_id = $1").bind(id).execute(&store.inner.write).await.unwrap();
    assert!(faults(&store).await[0].contains("its span is missing"));
    check_damaged(store.samples(one, 0, 2_000).await, "its span is missing", 10);
}

#[tokio::test]
async fn a_damaged_head_row_is_found_and_does_not_stop_the_sealing() {
    let place = Place::new();
    let (store, id, one, other) = prepared(&place).await;
    let damage = "update head set at_ms = at_ms + 1 where box_id = $1 and seq = 105";
    sqlx::query(damage).bind(id).execute(&store.inner.write).await.unwrap();
    // Another process, or this one after a start: what is in memory is not yet damaged.
    drop(store);
    let store = place.open().await;
    check_damaged(store.samples(one, 0, 2_000).await, "row 105 of the head: the check sum is wrong", 104);
    let found = faults(&store).await;
    assert_eq!(found.len(), 6, "{found:?}");
    assert_eq!(found[0], format!("box {id}, row 105 of the head: the check sum is wrong"));
    seal_all(&store).await;
    assert_eq!(ints(&everything(&store, one).await).len(), 104);
    assert_eq!(ints(&everything(&store, other).await).len(), 110);
    assert_eq!(faults(&store).await, [""; 0]);
}

#[tokio::test]
async fn a_damaged_layout_is_found() {
    let place = Place::new();
    let (store, id, one, _) = prepared(&place).await;
    sqlx::query("update layout set series = $2 where box_id = $1")
        .bind(id)
        .bind(vec![0, 0x11, 0x22, 0x33])
        .execute(&store.inner.write)
        .await
        .unwrap();
    drop(store);
    let store = place.open().await;
    check_damaged(store.samples(one, 0, 2_000).await, "its layout is missing or damaged", 100);
    record_all(&store, counting(id, one, [5_000], 7)).await;
    seal_all(&store).await;
    assert_eq!(ints(&everything(&store, one).await).last(), Some(&(5_000, 7)));
}

#[tokio::test]
async fn a_file_with_holes_is_reported() {
    if is_on_server() {
        return;
    }
    let place = Place::new();
    let (store, ..) = prepared(&place).await;
    store.close().await;
    let mut bytes = std::fs::read(place.path()).unwrap();
    for page in bytes.chunks_mut(16_384).skip(1) {
        if page[0] == 10 || page[0] == 13 {
            page[8..300].fill(0xff);
        }
    }
    std::fs::write(place.path(), bytes).unwrap();
    // Opening may already refuse, reading may fail; nothing panics, and nobody says that all is well.
    if let Ok(store) = place.open_result().await
        && let Ok(report) = store.check(|_| {}).await
    {
        assert!(!report.faults.is_empty());
    }
}

/// Flips bits of a chunk, or of a span.
async fn flip(store: &Store, table: &str, key: &str, id: i64, tier: Tier) {
    let read = format!("select payload from {table} where {key} = $1 and tier = $2");
    let payload = sqlx::query_scalar(sqlx::AssertSqlSafe(read)).bind(id).bind(tier.number());
    let mut payload: Vec<u8> = payload.fetch_one(&store.inner.read).await.unwrap();
    payload[6] ^= 0xff;
    let write = format!("update {table} set payload = $3 where {key} = $1 and tier = $2");
    let write = sqlx::query(sqlx::AssertSqlSafe(write)).bind(id).bind(tier.number()).bind(payload);
    write.execute(&store.inner.write).await.unwrap();
}

#[tokio::test]
async fn damaged_roll_ups_are_mended_and_damaged_samples_left() {
    let place = Place::new();
    let (store, id, one, other) = prepared(&place).await;
    let before = store.rollup(one, 0, 1_000, Tier::Minutes).await.unwrap();
    flip(&store, "chunk", "series_id", one.0, Tier::Minutes).await;
    flip(&store, "chunk", "series_id", other.0, Tier::Raw).await;
    let samples = store.rollup(one, 0, 1_000, Tier::Minutes).await.unwrap();
    assert_eq!((samples.samples(), &samples.damaged), (before.samples(), &before.damaged), "charts go on from the samples");
    assert_eq!(faults(&store).await.len(), 2);
    assert_eq!(store.repair().await.unwrap(), [format!("the chunk of minutes of s:0 of box {id} that begins at 0")]);
    assert_eq!(store.rollup(one, 0, 1_000, Tier::Minutes).await.unwrap(), before);
    let left = faults(&store).await;
    assert!(left.len() == 1 && left[0].starts_with("the chunk of samples of s:0"), "{left:?}");
    flip(&store, "span", "box_id", id, Tier::Minutes).await;
    assert_eq!(faults(&store).await.len(), 3, "the span, its chunk, and the samples");
    assert_eq!(store.repair().await.unwrap(), [format!("the span of minutes of box {id} that begins at 0")]);
    assert_eq!(faults(&store).await, left);
    assert_eq!(store.repair().await.unwrap(), [""; 0], "once is enough");
}
