//! Days that are over become one span, and mean what they meant.

use super::*;

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// A box with two series, a day of which is sealed hour by hour.
async fn a_day(store: &Store) -> (i64, Vec<SeriesId>) {
    let id = store.add_box(&spec("a"), 1).await.unwrap();
    let series = store.series_ids(id, &["s:steady", "s:later"]).await.unwrap();
    for hour in 0..24 {
        let polls = (0..60).map(|minute| {
            let at_ms = hour * HOUR_MS + minute * 60_000;
            let mut values = vec![(series[0], Some(Number::Int(at_ms / 1_000)))];
            // Not ticked before noon.
            values.extend((hour >= 12).then_some((series[1], Some(Number::Int(7)))));
            PollRecord { interval_ms: 60_000, ..poll(id, at_ms, &values) }
        });
        record_all(store, polls.collect()).await;
        seal_all(store).await;
    }
    (id, series)
}

/// The rows of a table that are of samples themselves.
async fn count(store: &Store, table: &str) -> i64 {
    of_tier(store, table, Tier::Raw).await
}

async fn of_tier(store: &Store, table: &str, tier: Tier) -> i64 {
    let select = format!("select count(*) from {table} where tier = {}", tier.number());
    sqlx::query_scalar(sqlx::AssertSqlSafe(select)).fetch_one(&store.inner.read).await.unwrap()
}

#[tokio::test]
async fn a_day_that_is_over_is_one_span() {
    let store = memory().await;
    let (_, series) = a_day(&store).await;
    assert_eq!((count(&store, "span").await, count(&store, "chunk").await), (24, 36));
    let before = [everything(&store, series[0]).await, everything(&store, series[1]).await];
    assert!(!store.merge_due(DAY_MS + HOUR_MS).await.unwrap(), "what was recorded late may not be sealed yet");
    assert!(store.merge_due(DAY_MS + 2 * HOUR_MS).await.unwrap());
    assert!(!store.merge_due(i64::MAX).await.unwrap(), "once is enough");
    assert_eq!((count(&store, "span").await, count(&store, "chunk").await), (1, 2));
    assert_eq!((of_tier(&store, "span", Tier::Hours).await, of_tier(&store, "chunk", Tier::Hours).await), (1, 2));
    assert_eq!(of_tier(&store, "span", Tier::Minutes).await, 0, "a poll a minute is its own roll-up");
    assert_eq!([everything(&store, series[0]).await, everything(&store, series[1]).await], before);
    let noon = store.samples(series[1], 12 * HOUR_MS, 12 * HOUR_MS + 60_001).await.unwrap();
    assert_eq!(ints(&noon), [(12 * HOUR_MS, 7), (12 * HOUR_MS + 60_000, 7)]);
    assert_eq!(store.check(|_| {}).await.unwrap().faults, [""; 0]);
}

/// The bytes of all samples.
async fn bytes(store: &Store) -> i64 {
    let select = format!("select sum(length(payload)) from chunk where tier = {}", Tier::Raw.number());
    sqlx::query_scalar(sqlx::AssertSqlSafe(select)).fetch_one(&store.inner.read).await.unwrap()
}

#[tokio::test]
async fn a_day_whose_hours_are_unlike_is_one_for_all_that_is_beside_its_samples() {
    let store = memory().await;
    let id = store.add_box(&spec("a"), 1).await.unwrap();
    let series = store.series_ids(id, &["s:unlike"]).await.unwrap();
    let mut noise = 1_u64;
    for hour in 0..24 {
        let polls = (0..600).map(|poll_number| {
            noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            // As many bits as the hour says: one look at all of them packs them worse than a look at each hour.
            let value = i64::try_from(noise >> (63 - hour * 2 / 3)).unwrap();
            poll(id, hour * HOUR_MS + poll_number * 6_000, &[(series[0], Some(Number::Int(value)))])
        });
        record_all(&store, polls.collect()).await;
        seal_all(&store).await;
    }
    let (before, samples) = (bytes(&store).await, everything(&store, series[0]).await);
    assert!(store.merge_due(i64::MAX).await.unwrap());
    assert_eq!((count(&store, "span").await, count(&store, "chunk").await), (1, 1));
    assert!(bytes(&store).await > before, "the samples by themselves do not become smaller: {} of {before}", bytes(&store).await);
    assert_eq!(everything(&store, series[0]).await, samples);
}

#[tokio::test]
async fn what_is_in_the_head_is_waited_for() {
    let store = memory().await;
    let (id, series) = a_day(&store).await;
    record_all(&store, counting(id, series[0], [DAY_MS - 1], 5)).await;
    assert!(!store.merge_due(i64::MAX).await.unwrap());
    seal_all(&store).await;
    merge_all(&store).await;
    assert_eq!(count(&store, "span").await, 1);
}

#[tokio::test]
async fn a_clock_that_was_set_back_keeps_the_order_of_recording() {
    let store = memory().await;
    let (id, series) = a_day(&store).await;
    // Tomorrow, then today once more, then on.
    for times in [[DAY_MS + 5, DAY_MS + 10], [5 * HOUR_MS, 5 * HOUR_MS + 1], [6 * HOUR_MS, 6 * HOUR_MS + 1], [DAY_MS + 7, DAY_MS + 8]] {
        record_all(&store, counting(id, series[0], times, 1)).await;
        seal_all(&store).await;
    }
    let before = everything(&store, series[0]).await;
    merge_all(&store).await;
    assert_eq!(everything(&store, series[0]).await, before);
    // The day before, tomorrow, the two hours of the clock that was set back, and the rest.
    assert_eq!(count(&store, "span").await, 4);
    assert_eq!(store.check(|_| {}).await.unwrap().faults, [""; 0]);
}

#[tokio::test]
async fn damage_leaves_a_day_as_it_is() {
    let store = memory().await;
    let (_, series) = a_day(&store).await;
    let damage = "update chunk set payload = $3 where series_id = $1 and start_ms = $2";
    sqlx::query(damage).bind(series[0].0).bind(3 * HOUR_MS).bind(vec![0]).execute(&store.inner.write).await.unwrap();
    merge_all(&store).await;
    assert_eq!((count(&store, "span").await, count(&store, "chunk").await), (24, 36));
    assert_eq!(store.check(|_| {}).await.unwrap().faults.len(), 1);
    assert!(store.samples(series[0], 5 * HOUR_MS, 9 * HOUR_MS).await.is_ok(), "the rest can be read as before");
}

#[tokio::test]
async fn room_that_is_free_goes_back_to_the_disk() {
    if is_on_server() {
        return;
    }
    let place = Place::new();
    let store = place.open().await;
    let id = store.add_box(&spec("a"), 1).await.unwrap();
    let insert = "insert into head (box_id, seq, at_ms, interval_ms, layout_id, is_key, total_bytes, payload) \
                  values ($1, $2, 0, 1, $3, 1, 0, zeroblob(1000000))";
    let layout: i64 = sqlx::query_scalar("insert into layout (box_id, series) values ($1, x'00') returning layout_id")
        .bind(id)
        .fetch_one(&store.inner.write)
        .await
        .unwrap();
    for seq in 1..=20 {
        sqlx::query(insert).bind(id).bind(seq).bind(layout).execute(&store.inner.write).await.unwrap();
    }
    sqlx::query("delete from head").execute(&store.inner.write).await.unwrap();
    while store.give_back(0).await.unwrap() {}
    assert!(!store.give_back(0).await.unwrap(), "it ends");
    store.close().await;
    let bytes = std::fs::metadata(place.path()).unwrap().len();
    assert!(bytes < 8 << 20, "{bytes} bytes are left of twenty millions");
}
