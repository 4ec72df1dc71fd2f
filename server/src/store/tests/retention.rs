//! What is older than it is kept goes, tier by tier, and its room is given back.

use super::*;
use crate::store::retention::Kept;

const DAY_MS: i64 = 86_400_000;
const DAYS: i64 = 10;

/// Ten days of two series: one hour of one-second polls a day, sealed and merged.
async fn ten_days(store: &Store) -> (i64, Vec<SeriesId>) {
    let id = store.add_box(&spec("a"), 1).await.unwrap();
    let series = store.series_ids(id, &["core:x", "tm:y"]).await.unwrap();
    for day in 0..DAYS {
        let values = |second: i64| vec![(series[0], Some(Number::Int(second * 7 % 13))), (series[1], Some(Number::Int(second)))];
        let polls = (0..3_600).map(|second| PollRecord { interval_ms: 1_000, ..poll(id, day * DAY_MS + second * 1_000, &values(second)) });
        record_all(store, polls.collect()).await;
        seal_all(store).await;
    }
    merge_all(store).await;
    (id, series)
}

/// The days that a tier of a series has.
async fn days(store: &Store, series: SeriesId, tier: Tier) -> Vec<i64> {
    let select = "select start_ms from chunk where series_id = $1 and tier = $2 order by start_ms";
    let starts: Vec<i64> = sqlx::query_scalar(select).bind(series.0).bind(tier.number()).fetch_all(&store.inner.read).await.unwrap();
    starts.into_iter().map(|start| start / DAY_MS).collect()
}

fn rule(box_id: Option<i64>, pattern: Option<&str>, keep: [Option<Kept>; 3]) -> KeepRule {
    KeepRule { box_id, pattern: pattern.map(str::to_owned), keep }
}

const fn days_of(days: i64) -> Option<Kept> {
    Some(Kept::For(days * DAY_MS))
}

#[tokio::test]
async fn each_tier_goes_in_its_time_and_charts_go_on() {
    let store = memory().await;
    let (id, series) = ten_days(&store).await;
    let now_ms = DAYS * DAY_MS;
    assert!(store.retain_due(now_ms).await.unwrap());
    assert!(!store.retain_due(now_ms).await.unwrap(), "once a day");
    assert_eq!(days(&store, series[0], Tier::Raw).await.len(), 10, "nothing is old yet");

    store.set_retention(&rule(None, None, [days_of(3), days_of(6), None])).await.unwrap();
    store.set_retention(&rule(Some(id), Some("tm:"), [Some(Kept::Ever), None, None])).await.unwrap();
    let retention = store.retention().await.unwrap();
    let before = store.usage(now_ms).await.unwrap();
    let frees = store.would_free(&retention, now_ms).await.unwrap();
    assert!(store.retain_due(now_ms).await.unwrap(), "a changed rule is looked at at once");
    let after = store.usage(now_ms).await.unwrap();
    for tier in 0..3 {
        let freed = before[tier].bytes - after[tier].bytes;
        // The poll times of a day go with the last series that has it.
        assert!(freed >= frees[tier] && freed - frees[tier] <= before[tier].bytes / 2, "{tier}: {freed} of {frees:?}");
    }
    assert_eq!(days(&store, series[0], Tier::Raw).await, [7, 8, 9]);
    assert_eq!(days(&store, series[0], Tier::Minutes).await, [4, 5, 6, 7, 8, 9]);
    assert_eq!(days(&store, series[0], Tier::Hours).await.len(), 10);
    assert_eq!(days(&store, series[1], Tier::Raw).await.len(), 10);
    assert_eq!(store.check(|_| {}).await.unwrap().faults, [""; 0]);

    assert!(store.are_samples_gone(series[0], 0, DAY_MS).await.unwrap());
    assert!(!store.are_samples_gone(series[0], 8 * DAY_MS, now_ms).await.unwrap());
    assert!(!store.are_samples_gone(series[1], 0, DAY_MS).await.unwrap());
    let rollup = store.rollup(series[0], 0, now_ms, Tier::Minutes).await.unwrap();
    assert_eq!((rollup.tier, rollup.samples()), (Some(Tier::Hours), 36_000), "hours stand in where minutes are gone");
    let rollup = store.rollup(series[0], 4 * DAY_MS, now_ms, Tier::Minutes).await.unwrap();
    assert_eq!((rollup.tier, rollup.buckets.len()), (Some(Tier::Minutes), 360));
}

#[tokio::test]
async fn what_is_not_rolled_up_is_kept_as_long_as_what_it_stands_for() {
    let store = memory().await;
    let id = store.add_box(&spec("a"), 1).await.unwrap();
    let series = store.series_ids(id, &["core:x"]).await.unwrap()[0];
    // An hour between polls: samples are all there is.
    record_all(&store, counting(id, series, (0..240).map(|hour| hour * 3_600_000), 1)).await;
    seal_all(&store).await;
    merge_all(&store).await;
    let now_ms = DAYS * DAY_MS;
    store.set_retention(&rule(None, None, [days_of(1), days_of(2), None])).await.unwrap();
    store.retain_due(now_ms).await.unwrap();
    assert_eq!(everything(&store, series).await.at_ms.len(), 240, "hours are for ever");
    store.set_retention(&rule(None, None, [days_of(1), days_of(2), days_of(5)])).await.unwrap();
    record_gap_of(&store, id).await;
    store.retain_due(now_ms).await.unwrap();
    let first = everything(&store, series).await.at_ms[0];
    assert!((4 * DAY_MS..=5 * DAY_MS).contains(&first), "{first}");
    assert!(store.gaps(id, 0, DAY_MS).await.unwrap().is_empty(), "gaps of what is gone go too");
}

async fn record_gap_of(store: &Store, id: i64) {
    store.record_gap(id, 0, 1, "timeout").await.unwrap();
    store.record_gap(id, 9 * DAY_MS, 9 * DAY_MS + 1, "timeout").await.unwrap();
}

#[tokio::test]
async fn a_rule_is_replaced_and_removed() {
    let store = memory().await;
    let first = rule(None, Some("core:"), [days_of(1), None, Some(Kept::Ever)]);
    store.set_retention(&first).await.unwrap();
    let second = KeepRule { keep: [None, days_of(2), None], ..first.clone() };
    store.set_retention(&second).await.unwrap();
    assert_eq!(store.retention().await.unwrap().rules, [second]);
    store.set_retention(&KeepRule { keep: [None; 3], ..first }).await.unwrap();
    assert!(store.retention().await.unwrap().rules.is_empty());
    assert!(store.set_retention(&rule(Some(99), None, [days_of(1), None, None])).await.is_err(), "there is no such box");
}

#[tokio::test]
async fn what_is_not_merged_stays() {
    let store = memory().await;
    let id = store.add_box(&spec("a"), 1).await.unwrap();
    let series = store.series_ids(id, &["core:x"]).await.unwrap()[0];
    let polls =
        (0..3_600).map(|second| PollRecord { interval_ms: 1_000, ..poll(id, second * 1_000, &[(series, Some(Number::Int(second)))]) });
    record_all(&store, polls.collect()).await;
    seal_all(&store).await;
    store.set_retention(&rule(None, None, [days_of(2), days_of(2), None])).await.unwrap();
    let now_ms = 100 * DAY_MS;
    store.retain_due(now_ms).await.unwrap();
    assert_eq!(days(&store, series, Tier::Raw).await, [0], "its hours are yet to be made");
    merge_all(&store).await;
    store.retain_due(now_ms + 2 * DAY_MS).await.unwrap();
    assert_eq!((days(&store, series, Tier::Raw).await, days(&store, series, Tier::Hours).await), (vec![], vec![0]));
}
