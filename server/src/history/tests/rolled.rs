//! What is drawn of roll-ups is what is drawn of the samples that they came from.

use app::model::BoxKind;

use super::*;
use crate::store::{BoxSpec, Mark, PollRecord, QUEUE_POLLS, Rollup, Store, Tier};

const SECOND_MS: i64 = 1_000;

/// One series in a database, and what is stored of it.
struct Stored {
    samples: Samples,
    /// Of each tier that is rolled up.
    rollups: Vec<Rollup>,
    resets: Vec<Reset>,
}

fn a_box() -> BoxSpec {
    BoxSpec { interval_ms: Some(SECOND_MS), ..BoxSpec::new("a", BoxKind::Opensips, "http://127.0.0.1:8888/mi") }
}

/// Records values a second apart from 0 on, `None` where there was no poll; `sealed`: after so many they are sealed, and merged in the end.
async fn stored(values: &[Option<Option<Number>>], marks: &[(i64, ResetCause)], sealed: &[usize]) -> Stored {
    let store = Store::open("sqlite::memory:").await.unwrap();
    let id = store.add_box(&a_box(), 0).await.unwrap();
    let series = store.series_ids(id, &["s:x"]).await.unwrap()[0];
    let mut waiting = Vec::new();
    for (second, value) in (0..).zip(values) {
        if let Some(value) = value {
            let at_ms = second * SECOND_MS;
            let of_poll = marks.iter().filter(|(at, _)| *at == second);
            let marks = of_poll.map(|&(_, cause)| Mark { series: None, at_ms, cause, by: None }).collect();
            let values = vec![(series, *value)];
            waiting.push(PollRecord { box_id: id, at_ms, interval_ms: SECOND_MS, values, marks, started_ms: None, generation: None });
        }
        let is_sealed = sealed.contains(&usize::try_from(second).unwrap());
        if is_sealed || waiting.len() >= QUEUE_POLLS / 2 {
            record(&store, &mut waiting).await;
        }
        while is_sealed && store.seal_due(i64::MAX).await.unwrap() {}
    }
    record(&store, &mut waiting).await;
    if sealed.len() > 2 {
        while store.seal_due(i64::MAX).await.unwrap() {}
        while store.merge_due(i64::MAX).await.unwrap() {}
    }
    let (from_ms, to_ms) = (i64::MIN, i64::MAX);
    let mut rollups = Vec::new();
    for tier in Tier::ROLLED {
        let rollup = store.rollup(series, from_ms, to_ms, tier).await.unwrap();
        assert_eq!(rollup.tier, Some(tier));
        rollups.push(rollup);
    }
    let samples = store.samples(series, from_ms, to_ms).await.unwrap();
    Stored { samples, rollups, resets: store.resets(id, series, from_ms, to_ms).await.unwrap() }
}

/// Records polls at once, so that they share transactions.
async fn record(store: &Store, polls: &mut Vec<PollRecord>) {
    for recorded in futures::future::join_all(polls.drain(..).map(|poll| store.record(poll))).await {
        recorded.unwrap();
    }
}

/// Columns as numbers, so that an integer and the float of the same value are one.
fn floats(column: &[Option<Number>]) -> Vec<Option<f64>> {
    column.iter().map(|number| number.map(Number::as_f64)).collect()
}

fn near(one: &[Option<Number>], other: &[Option<Number>]) -> bool {
    one.len() == other.len()
        && floats(one).iter().zip(floats(other)).all(|pair| match pair {
            (None, None) => true,
            (Some(one), Some(other)) => (one - other).abs() <= 1e-9 * one.abs().max(other.abs()).max(1.0),
            _ => false,
        })
}

fn number() -> impl Strategy<Value = Option<Option<Number>>> {
    prop_oneof![
        40 => (0_i64..30).prop_map(|int| Some(Some(Number::Int(int)))),
        1 => (-1_000_000_000_000_i64..1_000_000_000_000).prop_map(|int| Some(Some(Number::Int(int)))),
        1 => Just(Some(None)),
        1 => Just(None),
    ]
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn a_rollup_says_what_its_samples_say(
        values in prop::collection::vec(number(), 200..700),
        marks in prop::collection::vec((0_i64..900, 0_usize..3), 0..4),
        sealed in prop::collection::vec(0_usize..900, 0..5),
        shape in (any::<bool>(), any::<bool>(), any::<bool>()),
    ) {
        let (grows, is_counter, is_rate) = shape;
        let mut values = values;
        if grows {
            // A counter, mostly.
            let mut sum = 0_i64;
            for value in &mut values {
                if let Some(Some(Number::Int(int))) = value {
                    sum = sum.saturating_add(*int);
                    *int = sum;
                }
            }
        }
        let causes = [ResetCause::Restart, ResetCause::Moved, ResetCause::Drop];
        let marks: Vec<_> = marks.into_iter().map(|(second, cause)| (second, causes[cause])).collect();
        let Stored { samples, rollups, resets } = runtime().block_on(stored(&values, &marks, &sealed));
        let rollup = &rollups[0];
        prop_assert_eq!(usize::try_from(rollup.samples()).unwrap(), samples.at_ms.len());
        let kind = if is_counter && grows { Kind::Counter } else { Kind::Gauge };
        let mode = if is_rate { Mode::Rate } else { Mode::Value };
        // Points of whole minutes, so that both can say the same.
        let span = Span { from_ms: 0, to_ms: 900 * SECOND_MS, points: 5, mode };
        let (of_samples, of_rollup) = (columns(&samples, &[], &resets, kind, span), columns_of_rollup(rollup, &[], &resets, kind, span));
        let is_told = of_rollup.total.is_some() || rollup.buckets.iter().all(|bucket| bucket.mixed.count == 0);
        prop_assert!(!is_told || same_total(of_rollup.total, of_samples.total), "total {:?} {:?}", of_rollup.total, of_samples.total);
        if kind == Kind::Counter && rollup.buckets.len() > span.points && rollup.buckets.iter().all(|bucket| bucket.mixed.count == 0) {
            let span = Span { mode: Mode::Increase, ..span };
            let grown = [columns(&samples, &[], &resets, kind, span), columns_of_rollup(rollup, &[], &resets, kind, span)];
            let [of_samples, of_rollup] = grown.map(|history| history.columns.mean);
            prop_assert!(near(&of_rollup, &of_samples), "increase\n{:?}\n{:?}", of_rollup, of_samples);
        }
        let (of_samples, of_rollup) = (of_samples.columns, of_rollup.columns);
        if rollup.buckets.len() > span.points {
            prop_assert_eq!(&of_rollup.t, &of_samples.t);
            // What fell so often that it is not kept which steps went down has no rate as a counter, and says so.
            let told = rollup.buckets.iter().any(|bucket| bucket.mixed.count > 0) && kind == Kind::Counter && is_rate;
            let known = |column: &[Option<Number>]| -> Vec<_> {
                column.iter().zip(&of_rollup.max).map(|(number, max)| number.filter(|_| max.is_some() || !told)).collect()
            };
            prop_assert!(near(&of_rollup.min, &known(&of_samples.min)), "min\n{:?}\n{:?}", of_rollup.min, of_samples.min);
            prop_assert!(near(&of_rollup.max, &known(&of_samples.max)), "max\n{:?}\n{:?}", of_rollup.max, of_samples.max);
            if !is_rate {
                // Where it is kept.
                let kept: Vec<_> = of_samples.mean.iter().zip(&of_rollup.mean).map(|(mean, kept)| mean.filter(|_| kept.is_some())).collect();
                prop_assert!(near(&of_rollup.mean, &kept), "mean\n{:?}\n{:?}", of_rollup.mean, of_samples.mean);
                prop_assert!(grows || of_rollup.mean.iter().flatten().count() == of_samples.mean.iter().flatten().count());
                prop_assert!(near(&of_rollup.first, &of_samples.first), "first\n{:?}\n{:?}", of_rollup.first, of_samples.first);
                prop_assert!(near(&of_rollup.last, &of_samples.last), "last\n{:?}\n{:?}", of_rollup.last, of_samples.last);
            }
        }
    }
}

/// A counter that grows by one a second, and by 5,000 in one of them.
#[test]
fn a_burst_of_a_second_is_seen_at_every_zoom_and_in_both_modes() {
    let hours = 5;
    let burst = 2 * 3_600 + 1_234;
    let counter: Vec<_> =
        (0..hours * 3_600).map(|second| Some(Some(Number::Int(second + if second >= burst { 5_000 } else { 0 })))).collect();
    let gauge: Vec<_> = (0..hours * 3_600).map(|second| Some(Some(Number::Int(if second == burst { 77 } else { 3 })))).collect();
    let sealed: Vec<usize> = (1..hours).map(|hour| usize::try_from(hour * 3_600).unwrap()).collect();
    let growing = runtime().block_on(stored(&counter, &[], &sealed));
    let level = runtime().block_on(stored(&gauge, &[], &sealed));
    for points in [1, 2, 7] {
        let highest = |stored: &Stored, kind, mode| {
            let span = Span { from_ms: 0, to_ms: hours * 3_600_000, points, mode };
            let of_rollups = stored.rollups.iter().map(|rollup| columns_of_rollup(rollup, &[], &stored.resets, kind, span));
            let drawn = of_rollups.chain([columns(&stored.samples, &[], &stored.resets, kind, span)]);
            let highest =
                |drawn: History| drawn.columns.max.iter().flatten().map(|number| number.as_f64()).fold(f64::NEG_INFINITY, f64::max);
            drawn.map(highest).collect::<Vec<f64>>()
        };
        assert_eq!(highest(&growing, Kind::Counter, Mode::Rate), [5_001.0; 3]);
        assert_eq!(highest(&level, Kind::Gauge, Mode::Value), [77.0; 3]);
        assert_eq!(highest(&level, Kind::Gauge, Mode::Rate), [74.0; 3]);
    }
}

#[test]
fn gaps_and_drops_are_told_of_rollups_too() {
    let mut values: Vec<_> = (0..1_200).map(|second| Some(Some(Number::Int(second)))).collect();
    values[300..600].fill(None);
    values[700..].iter_mut().enumerate().for_each(|(second, value)| *value = Some(Some(Number::Int(i64::try_from(second).unwrap()))));
    values[960..1_020].fill(Some(None));
    let Stored { rollups, resets, .. } = runtime().block_on(stored(&values, &[], &[650, 800, 1_100]));
    let span = Span { from_ms: 0, to_ms: 1_200 * SECOND_MS, points: 4, mode: Mode::Rate };
    let drawn = columns_of_rollup(&rollups[0], &[gap(299_000, 600_000, "timeout")], &resets, Kind::Counter, span);
    assert_eq!(drawn.gaps, [gap(299_000, 600_000, "timeout"), gap(960_000, 1_019_000, NO_VALUE)]);
    // The bucket ends at 719 s.
    assert_eq!(drawn.resets, [mark(719_000, ResetCause::Drop)]);
    assert_eq!(drawn.columns.max.iter().flatten().map(|number| number.as_f64()).fold(0.0, f64::max), 1.0, "no rate across either");
}
