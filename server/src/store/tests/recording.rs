//! Polls in, samples out: exact, in order, across sealing, restarts, clocks that step, and another process's eyes.

use app::model::{Gap, Reset, ResetCause};
use proptest::prelude::*;

use super::*;
use crate::store::cell::tests::{any_value, bits};

/// A box with series named `s:0`, `s:1` …
async fn with_series(store: &Store, count: usize) -> (i64, Vec<SeriesId>) {
    let id = store.add_box(&spec("a"), 1).await.unwrap();
    let names: Vec<String> = (0..count).map(|i| format!("s:{i}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let series = store.series_ids(id, &names).await.unwrap();
    assert_eq!(store.series_ids(id, &names).await.unwrap(), series);
    (id, series)
}

/// The last poll of a box, its statistics by name.
async fn last_of(store: &Store, id: i64) -> Option<(i64, Vec<(String, Option<Number>)>)> {
    let last = store.last_known(id).await.unwrap()?;
    Some((last.at_ms, last.values.into_iter().map(|(name, value)| (name.to_string(), value)).collect()))
}

/// What each poll ticks and says of four series, and what happens before it.
#[derive(Clone, Debug)]
struct Step {
    ticked: [bool; 4],
    values: Vec<Option<Number>>,
    wait_ms: i64,
    seal: bool,
}

fn any_step() -> impl Strategy<Value = Step> {
    let ticked = prop_oneof![6 => Just([true; 4]), 1 => any::<[bool; 4]>()];
    let wait_ms = prop_oneof![6 => 1_i64..20_000, 1 => 1_i64..30_000_000];
    (ticked, prop::collection::vec(any_value(), 4), wait_ms, prop::bool::weighted(0.05)).prop_map(|(ticked, values, wait_ms, seal)| Step {
        ticked,
        values,
        wait_ms,
        seal,
    })
}

async fn play(steps: &[Step], start_ms: i64) {
    let store = Store::open("sqlite::memory:").await.unwrap();
    let (id, series) = with_series(&store, 4).await;
    let mut expected = vec![Vec::new(); 4];
    let mut at_ms = start_ms;
    let mut polls = Vec::new();
    for step in steps {
        if step.seal {
            record_all(&store, std::mem::take(&mut polls)).await;
            seal_all(&store).await;
        }
        let mut values = Vec::new();
        for i in (0..4).filter(|&i| step.ticked[i]) {
            values.push((series[i], step.values[i]));
            expected[i].push((at_ms, bits(step.values[i])));
        }
        polls.push(poll(id, at_ms, &values));
        at_ms += step.wait_ms;
    }
    record_all(&store, polls).await;
    // From chunks and head, and then from chunks that are merged.
    for turn in ["recorded", "merged"] {
        if turn == "merged" {
            seal_all(&store).await;
            merge_all(&store).await;
        }
        for (series, expected) in series.iter().zip(&expected) {
            let samples = everything(&store, *series).await;
            let got: Vec<_> = samples.iter().map(|(at_ms, value)| (at_ms, bits(value))).collect();
            assert_eq!(&got, expected, "{turn}");
        }
        let report = store.check(|_| {}).await.unwrap();
        assert_eq!(report.faults, [""; 0], "{turn}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn samples_come_back_exactly(steps in prop::collection::vec(any_step(), 1..80), start_ms in -100_000_i64..2_000_000_000_000) {
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(play(&steps, start_ms));
    }
}

#[tokio::test]
async fn chunks_and_head_are_read_as_one() {
    let place = Place::new();
    let store = place.open().await;
    let (id, series) = with_series(&store, 1).await;
    record_all(&store, counting(id, series[0], (0..100).map(|i| i * 10), 0)).await;
    seal_all(&store).await;
    record_all(&store, counting(id, series[0], (100..150).map(|i| i * 10), 100)).await;
    let expected: Vec<(i64, i64)> = (0..150).map(|i| (i * 10, i)).collect();
    assert_eq!(ints(&everything(&store, series[0]).await), expected);
    for (from, to) in [(0, 1_500), (5, 995), (990, 1_010), (1_000, 1_001), (1_400, 9_999), (-5, 0), (1_491, 2_000), (500, 400)] {
        let inside: Vec<(i64, i64)> = expected.iter().copied().filter(|(at, _)| (from..to).contains(at)).collect();
        assert_eq!(ints(&store.samples(series[0], from, to).await.unwrap()), inside, "{from}..{to}");
    }
    assert_eq!(everything(&store, series[0]).await.intervals, [(0, 10_000)]);
    assert_eq!(store.samples(SeriesId(999), 0, 9).await.unwrap(), Samples::default());
    let report = store.check(|_| {}).await.unwrap();
    let expected = CheckReport { series: 1, chunks: 2, chunk_samples: 100, head_rows: 50, head_samples: 50, faults: Vec::new() };
    assert_eq!(report, expected);
    assert_eq!(store.stats().await.unwrap().chunks_sealed, 2, "the samples and their minutes");
}

#[tokio::test]
async fn what_was_answered_is_there_after_a_drop_without_close() {
    let place = Place::new();
    let store = place.open().await;
    let (id, series) = with_series(&store, 1).await;
    record_all(&store, counting(id, series[0], [10, 20], 1)).await;
    drop(store);
    let store = place.open().await;
    record_all(&store, counting(id, series[0], [30, 40], 3)).await;
    let expected = [(10, 1), (20, 2), (30, 3), (40, 4)];
    assert_eq!(ints(&everything(&store, series[0]).await), expected);
    assert_eq!(last_of(&store, id).await, Some((40, vec![("s:0".to_owned(), Some(Number::Int(4)))])));
    seal_all(&store).await;
    assert_eq!(last_of(&store, id).await, Some((40, vec![("s:0".to_owned(), Some(Number::Int(4)))])));
    drop(store);
    let store = place.open().await;
    record_all(&store, counting(id, series[0], [50], 5)).await;
    assert_eq!(ints(&everything(&store, series[0]).await)[2..], [(30, 3), (40, 4), (50, 5)]);
    assert_eq!(last_of(&store, 99).await, None);
}

#[tokio::test]
async fn closing_commits_what_waits() {
    let place = Place::new();
    let store = place.open().await;
    let (id, series) = with_series(&store, 1).await;
    let waiting: Vec<_> = counting(id, series[0], [10, 20, 30], 1).into_iter().map(|poll| store.record(poll)).collect();
    let (results, ()) = tokio::join!(futures::future::join_all(waiting), store.close());
    assert!(results.iter().all(Result::is_ok));
    assert_eq!(ints(&everything(&place.open().await, series[0]).await), [(10, 1), (20, 2), (30, 3)]);
}

#[tokio::test]
async fn polls_share_a_transaction_and_a_bad_one_fails_alone() {
    let store = memory().await;
    let (id, series) = with_series(&store, 2).await;
    let before = store.stats().await.unwrap().commits;
    record_all(&store, counting(id, series[0], (0..20).map(|i| i * 10), 0)).await;
    assert_eq!(store.stats().await.unwrap().commits - before, 1);
    let bad = poll(id, 500, &[(SeriesId(999), None)]);
    let worse = poll(77, 500, &[(series[0], None)]);
    let good = counting(id, series[0], [510, 520], 20);
    let results = futures::future::join_all([good[0].clone(), bad, worse, good[1].clone()].map(|poll| store.record(poll))).await;
    assert!(matches!(&results[..], [Ok(()), Err(StoreError::Missing(_)), Err(StoreError::Missing(_)), Ok(())]), "{results:?}");
    assert_eq!(ints(&store.samples(series[0], 190, 999).await.unwrap()), [(190, 19), (510, 20), (520, 21)]);
}

#[tokio::test]
async fn too_many_waiting_polls_are_dropped_and_counted() {
    let store = memory().await;
    let (id, series) = with_series(&store, 1).await;
    let polls = counting(id, series[0], (0..).map(|i| i * 10).take(QUEUE_POLLS + 100), 0);
    // The runtime of a test has one thread: all are sent before the writer wakes.
    let results = futures::future::join_all(polls.into_iter().map(|poll| store.record(poll))).await;
    let full = results.iter().filter(|result| matches!(result, Err(StoreError::Full))).count();
    assert_eq!(full, 100);
    let stats = store.stats().await.unwrap();
    assert_eq!((stats.dropped_polls, stats.samples, stats.queue_depth), (100, QUEUE_POLLS as u64, 0));
}

#[tokio::test]
async fn where_a_clock_was_set_back_no_sample_takes_anothers_place() {
    let store = memory().await;
    let (id, series) = with_series(&store, 1).await;
    record_all(&store, counting(id, series[0], [100, 200, 300, 400, 500], 1)).await;
    record_all(&store, counting(id, series[0], [200, 250, 350], 6)).await;
    let mut expected = vec![(100, 1), (200, 2), (300, 3), (400, 4), (500, 5), (200, 6), (250, 7), (350, 8)];
    let within = [(300, 3), (400, 4), (250, 7), (350, 8)];
    assert_eq!(ints(&everything(&store, series[0]).await), expected);
    assert_eq!(ints(&store.samples(series[0], 250, 450).await.unwrap()), within);
    seal_all(&store).await;
    assert_eq!(ints(&everything(&store, series[0]).await), expected);
    assert_eq!(ints(&store.samples(series[0], 250, 450).await.unwrap()), within);
    record_all(&store, counting(id, series[0], [100, 600], 9)).await;
    expected.extend([(100, 9), (600, 10)]);
    assert_eq!(ints(&everything(&store, series[0]).await), expected);
    seal_all(&store).await;
    assert_eq!(ints(&everything(&store, series[0]).await), expected);
    assert_eq!(store.check(|_| {}).await.unwrap().faults, [""; 0]);
}

#[tokio::test]
async fn the_same_sample_twice_is_one() {
    let store = memory().await;
    let (id, series) = with_series(&store, 1).await;
    record_all(&store, counting(id, series[0], [100, 200], 1)).await;
    record_all(&store, counting(id, series[0], [200, 300], 2)).await;
    assert_eq!(ints(&everything(&store, series[0]).await), [(100, 1), (200, 2), (300, 3)]);
    seal_all(&store).await;
    assert_eq!(ints(&everything(&store, series[0]).await), [(100, 1), (200, 2), (300, 3)]);
}

#[tokio::test]
async fn a_clock_that_leaps_corrupts_nothing() {
    let store = memory().await;
    let (id, series) = with_series(&store, 1).await;
    let far = 2_000_000_000_000;
    record_all(&store, counting(id, series[0], [1_000, far, far + 10, 2_000, 3_000, 100_000_000, i64::MAX - 1, i64::MIN, 4_000], 1)).await;
    let expected = [(1_000, 1), (far, 2), (far + 10, 3), (2_000, 4), (3_000, 5), (100_000_000, 6), (i64::MIN, 8), (4_000, 9)];
    assert_eq!(ints(&store.samples(series[0], i64::MIN, far + 11).await.unwrap()), expected);
    seal_all(&store).await;
    assert_eq!(ints(&store.samples(series[0], i64::MIN, far + 11).await.unwrap()), expected);
    assert_eq!(store.check(|_| {}).await.unwrap().faults, [""; 0]);
}

#[tokio::test]
async fn a_head_is_sealed_when_it_is_an_hour_old_and_its_turn_has_come() {
    let store = memory().await;
    let (id, series) = with_series(&store, 1).await;
    let start = 1_700_000_000_000;
    record_all(&store, counting(id, series[0], [start, start + 10_000], 1)).await;
    assert!(!store.seal_due(start + 3_599_000).await.unwrap());
    assert_eq!(store.stats().await.unwrap().chunks_sealed, 0);
    assert!(!store.seal_due(start + 4_200_000).await.unwrap());
    assert_eq!(store.stats().await.unwrap().chunks_sealed, 1);
    assert!(!store.seal_due(start + 4_200_000).await.unwrap());
}

#[tokio::test]
async fn one_box_is_sealed_a_call() {
    let store = memory().await;
    for name in ["a", "b"] {
        let id = store.add_box(&spec(name), 1).await.unwrap();
        let series = store.series_ids(id, &["s:0"]).await.unwrap()[0];
        record_all(&store, counting(id, series, [1], 1)).await;
    }
    assert!(store.seal_due(i64::MAX).await.unwrap());
    assert!(!store.seal_due(i64::MAX).await.unwrap());
}

#[tokio::test]
async fn recording_goes_on_while_heads_are_sealed() {
    let place = Place::new();
    let store = place.open().await;
    let (id, series) = with_series(&store, 2).await;
    for round in 0..10 {
        let polls = counting(id, series[0], (0..50).map(|i| (round * 50 + i) * 10), round * 50);
        let (_, sealed) = tokio::join!(record_all(&store, polls), store.seal_due(i64::MAX));
        sealed.unwrap();
    }
    let expected: Vec<(i64, i64)> = (0..500).map(|i| (i * 10, i)).collect();
    assert_eq!(ints(&everything(&store, series[0]).await), expected);
    assert_eq!(store.check(|_| {}).await.unwrap().faults, [""; 0]);
}

#[tokio::test]
async fn another_process_reads_beside_the_panel() {
    let place = Place::new();
    let (panel, tool) = (place.open().await, place.open().await);
    let (id, series) = with_series(&panel, 1).await;
    let mut expected = Vec::new();
    for round in 0..4 {
        let times = (0..5).map(|i| (round * 5 + i) * 10);
        record_all(&panel, counting(id, series[0], times.clone(), round * 5)).await;
        expected.extend(times.map(|at| (at, at / 10)));
        assert_eq!(ints(&everything(&tool, series[0]).await), expected);
        if round % 2 == 1 {
            seal_all(&panel).await;
            assert_eq!(ints(&everything(&tool, series[0]).await), expected);
        }
        tool.replace_ticks(id, &[TickRule { pattern: format!("s:{round}"), except: false, origin: Origin::Panel }]).await.unwrap();
    }
}

#[tokio::test]
async fn what_is_no_number_is_unknown_and_a_series_counts_once() {
    let store = memory().await;
    let (id, series) = with_series(&store, 2).await;
    let values = [(series[1], Some(Number::Float(f64::NAN))), (series[0], Some(Number::Int(1))), (series[1], Some(Number::Int(2)))];
    store.record(poll(id, 10, &values)).await.unwrap();
    assert_eq!(everything(&store, series[0]).await.values, Values::Ints(vec![1]));
    assert_eq!(everything(&store, series[1]).await.values, Values::Numbers(vec![None]));
}

#[tokio::test]
async fn gaps_grow_and_marks_are_found() {
    let store = memory().await;
    let (id, series) = with_series(&store, 2).await;
    store.record_gap(id, 100, 110, "timeout").await.unwrap();
    store.record_gap(id, 100, 150, "refused").await.unwrap();
    store.record_gap(id, 300, 400, "paused").await.unwrap();
    let gap = |from, to, reason: &str| Gap { from, to, reason: reason.to_owned() };
    assert_eq!(store.gaps(id, 0, 1_000).await.unwrap(), [gap(100, 150, "refused"), gap(300, 400, "paused")]);
    assert_eq!(store.gaps(id, 140, 300).await.unwrap(), [gap(100, 150, "refused")]);
    assert!(store.record_gap(99, 1, 2, "x").await.is_err());
    let mark = |series, at_ms, cause, by: Option<&str>| Mark { series, at_ms, cause, by: by.map(str::to_owned) };
    let marks = vec![
        mark(None, 20, ResetCause::Restart, None),
        mark(Some(series[0]), 30, ResetCause::Person, Some("ada")),
        mark(Some(series[1]), 25, ResetCause::Drop, None),
    ];
    store.record(PollRecord { marks, ..poll(id, 30, &[]) }).await.unwrap();
    let reset = |at, cause, by: Option<&str>| Reset { at, cause, by: by.map(str::to_owned) };
    let expected = [reset(20, ResetCause::Restart, None), reset(30, ResetCause::Person, Some("ada"))];
    assert_eq!(store.resets(id, series[0], 0, 100).await.unwrap(), expected);
    assert_eq!(store.resets(id, series[0], 20, 30).await.unwrap(), expected[..1]);
}
