//! History of other programs: it comes in once, in whatever order and beside whatever was recorded.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

const NAMES: [&str; 3] = ["core:a", "core:b", "load:c-1"];

/// By series and time.
type Model = BTreeMap<(usize, i64), Option<Number>>;

async fn bring(store: &Store, box_id: i64, rows: &[(usize, i64, Option<Number>)]) -> Brought {
    let mut incoming = Incoming::new().unwrap();
    for &(place, at_ms, value) in rows {
        incoming.push(box_id, NAMES[place], at_ms, value).unwrap();
    }
    store.bring_in(&mut incoming, 100 * DAY_MS, |_| {}).await.unwrap()
}

/// What is read of each series, in the order of reading: that of time.
async fn read(store: &Store, box_id: i64) -> Model {
    let mut model = Model::new();
    for (place, name) in NAMES.iter().enumerate() {
        let Some(series) = store.series_id(box_id, name).await.unwrap() else { continue };
        let samples = everything(store, series).await;
        assert!(samples.damaged.is_empty() && samples.at_ms.is_sorted_by(|one, next| one < next), "{name}");
        model.extend(samples.iter().map(|(at_ms, value)| ((place, at_ms), value)));
        for tier in [Tier::Minutes, Tier::Hours] {
            let rollup = store.rollup(series, i64::MIN / 2, i64::MAX / 2, tier).await.unwrap();
            assert_eq!(usize::try_from(rollup.samples()).unwrap(), samples.at_ms.len(), "{name}");
            assert!(rollup.repeated.is_empty() && rollup.damaged.is_empty(), "{name}");
        }
    }
    assert_eq!(store.check(|_| {}).await.unwrap().faults, [""; 0]);
    model
}

async fn with_box() -> (Kept, i64) {
    let store = memory().await;
    let box_id = store.add_box(&spec("sip1"), 1).await.unwrap();
    (store, box_id)
}

fn rows(place: usize, times: impl Iterator<Item = i64>) -> Vec<(usize, i64, Option<Number>)> {
    times.map(|at_ms| (place, at_ms, Some(Number::Int(at_ms / 1_000)))).collect()
}

#[tokio::test]
async fn it_comes_in_once_in_whatever_order() {
    let (store, box_id) = with_box().await;
    let mut all = [rows(0, (0..4_000).map(|n| n * 60_000)), rows(1, (0..4_000).map(|n| n * 60_000 + 5_000))].concat();
    all.extend([(2, 7, None), (2, 8, Some(Number::Float(-0.0))), (2, DAY_MS, Some(Number::Float(f64::INFINITY)))]);
    all.reverse();
    assert_eq!(bring(&store, box_id, &all).await, Brought { added: 8_003, known: 0 });
    let model: Model = all.iter().map(|&(place, at_ms, value)| ((place, at_ms), value)).collect();
    assert!(read(&store, box_id).await == model);
    assert_eq!(bring(&store, box_id, &all).await, Brought { added: 0, known: 8_003 });
    assert!(read(&store, box_id).await == model);
    // Steps are rates, as the rhythm of each series is known.
    let series = store.series_id(box_id, NAMES[1]).await.unwrap().unwrap();
    let hours = store.rollup(series, 0, 4_000 * 60_000, Tier::Hours).await.unwrap();
    assert!(hours.buckets.iter().all(|bucket| bucket.rises.count + 1 >= bucket.samples), "no step is taken for a gap");
    assert_eq!(store.last_known(box_id).await.unwrap(), None, "nothing was polled");
    merge_all(&store).await;
    assert!(read(&store, box_id).await == model);
}

#[tokio::test]
async fn what_came_twice_or_is_there_is_not_taken_again() {
    let (store, box_id) = with_box().await;
    let (one, two) = (Some(Number::Int(1)), Some(Number::Int(2)));
    assert_eq!(bring(&store, box_id, &[(0, 5, one), (0, 5, two), (1, 5, two)]).await, Brought { added: 2, known: 1 });
    assert_eq!(bring(&store, box_id, &[(0, 5, two), (0, 6, two)]).await, Brought { added: 1, known: 1 });
    assert_eq!(read(&store, box_id).await, Model::from([((0, 5), one), ((0, 6), two), ((1, 5), two)]));
}

#[tokio::test]
async fn it_lies_before_between_and_within_what_was_recorded() {
    let (store, box_id) = with_box().await;
    let series = store.series_ids(box_id, &NAMES[..1]).await.unwrap()[0];
    let hour = 3_600_000;
    // Two stretches of an evening and the night after, and one that is not sealed.
    for from in [DAY_MS - 2 * hour, DAY_MS + hour] {
        record_all(&store, counting(box_id, series, (0..360).map(|n| from + n * 10_000), 1)).await;
        seal_all(&store).await;
    }
    record_all(&store, counting(box_id, series, (0..10).map(|n| DAY_MS + 5 * hour + n * 10_000), 1)).await;
    let mut model = read(&store, box_id).await;
    let more = [rows(0, (0..2 * 1_440).map(|n| n * 60_000 + 30_000)), rows(1, (0..2 * 1_440).map(|n| n * 60_000))].concat();
    let known = more.iter().filter(|(place, at_ms, _)| model.contains_key(&(*place, *at_ms))).count() as u64;
    assert_eq!(bring(&store, box_id, &more).await, Brought { added: 4 * 1_440 - known, known });
    for &(place, at_ms, value) in &more {
        model.entry((place, at_ms)).or_insert(value);
    }
    assert!(read(&store, box_id).await == model);
    assert_eq!(bring(&store, box_id, &more).await.added, 0);
    // Recording goes on, and is sealed and merged.
    record_all(&store, counting(box_id, series, (0..10).map(|n| 3 * DAY_MS + n * 10_000), 1)).await;
    model.extend((0..10).map(|n| ((0, 3 * DAY_MS + n * 10_000), Some(Number::Int(n + 1)))));
    assert!(read(&store, box_id).await == model);
    seal_all(&store).await;
    merge_all(&store).await;
    assert!(read(&store, box_id).await == model);
    assert_eq!(bring(&store, box_id, &more).await.added, 0);
    assert_eq!(store.last_known(box_id).await.unwrap().unwrap().at_ms, 3 * DAY_MS + 90_000);
}

#[tokio::test]
async fn what_is_only_rolled_up_any_more_does_not_come_back() {
    let (store, box_id) = with_box().await;
    let all = rows(0, (0..3_600).map(|n| n * 1_000));
    bring(&store, box_id, &all).await;
    let keep = [Some(crate::store::retention::Kept::For(DAY_MS)), None, None];
    store.set_retention(&KeepRule { box_id: None, pattern: None, keep }).await.unwrap();
    while store.retain_due(100 * DAY_MS).await.unwrap() {}
    let series = store.series_id(box_id, NAMES[0]).await.unwrap().unwrap();
    assert!(everything(&store, series).await.at_ms.is_empty(), "samples of one second went");
    assert_eq!(bring(&store, box_id, &all).await, Brought { added: 0, known: 3_600 });
    assert_eq!(store.rollup(series, 0, DAY_MS, Tier::Minutes).await.unwrap().samples(), 3_600);
}

/// What is ticked at a poll and how long after the one before it comes; none: all is sealed here.
type Step = Option<(usize, i64)>;

/// Recorded polls, and what is brought in after them, at few instants so that they meet.
fn history() -> impl Strategy<Value = (Vec<Step>, Vec<Vec<(usize, i64)>>)> {
    let poll = prop_oneof![6 => (1_usize..8, 1_i64..5_000).prop_map(Some), 1 => Just(None)];
    let brought = prop::collection::vec((0_usize..3, 0_i64..60_000), 0..60);
    (prop::collection::vec(poll, 0..30), prop::collection::vec(brought, 1..4))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: if is_on_server() { 8 } else { 24 }, ..ProptestConfig::default() })]

    /// Whatever was recorded and is brought in, each instant of each series has what came first.
    #[test]
    fn everything_is_read_in_the_order_of_time((recorded, brought) in history()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (store, box_id) = with_box().await;
            let series = store.series_ids(box_id, &NAMES).await.unwrap();
            let (mut model, mut at_ms) = (Model::new(), DAY_MS - 30_000);
            let mut polls = Vec::new();
            for one in recorded {
                let Some((of, step)) = one else {
                    record_all(&store, std::mem::take(&mut polls)).await;
                    seal_all(&store).await;
                    continue;
                };
                at_ms += step;
                let value = Some(Number::Int(at_ms));
                let ticked: Vec<usize> = (0..NAMES.len()).filter(|place| of & (1 << place) != 0).collect();
                polls.push(poll(box_id, at_ms, &ticked.iter().map(|&place| (series[place], value)).collect::<Vec<_>>()));
                model.extend(ticked.iter().map(|&place| ((place, at_ms), value)));
            }
            record_all(&store, polls).await;
            for some in brought {
                let rows: Vec<_> = some.iter().map(|&(place, at)| (place, DAY_MS - 30_000 + at, Some(Number::Float(0.5)))).collect();
                let before = model.len();
                for &(place, at_ms, value) in &rows {
                    model.entry((place, at_ms)).or_insert(value);
                }
                assert_eq!(bring(&store, box_id, &rows).await.added, (model.len() - before) as u64);
                assert!(read(&store, box_id).await == model);
            }
            seal_all(&store).await;
            merge_all(&store).await;
            assert!(read(&store, box_id).await == model);
            store.close().await;
        });
    }
}
