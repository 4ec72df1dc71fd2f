//! Series as text: one sample each ten seconds from 0, `_` unknown, `.` none at all.

use app::model::ResetCause;
use proptest::prelude::*;

use super::*;

const STEP_MS: i64 = 10_000;

fn series(text: &str) -> Samples {
    let mut samples = Samples::default();
    for (i, word) in (0..).zip(text.split_whitespace()) {
        if word == "." {
            continue;
        }
        let value = match word {
            "_" => None,
            word if word.contains('.') => Some(Number::Float(word.parse().unwrap())),
            word => Some(Number::Int(word.parse().unwrap())),
        };
        samples.push(i * STEP_MS, value, STEP_MS);
    }
    samples
}

fn text(column: &[Option<Number>]) -> String {
    let word = |value: &Option<Number>| match value {
        None => "_".to_owned(),
        Some(Number::Int(int)) => int.to_string(),
        Some(Number::Float(float)) => format!("{float:?}"),
    };
    column.iter().map(word).collect::<Vec<_>>().join(" ")
}

fn whole(mode: Mode) -> Span {
    Span { from_ms: 0, to_ms: 1_000_000, points: 1_000, mode }
}

fn mark(at: i64, cause: ResetCause) -> Reset {
    Reset { at, cause, by: None }
}

fn gap(from: i64, to: i64, reason: &str) -> Gap {
    Gap { from, to, reason: reason.to_owned() }
}

#[track_caller]
fn check_rate(input: &str, kind: Kind, resets: &[Reset], expect: &str, drops: &[i64]) {
    let history = columns(&series(input), &[], resets, kind, whole(Mode::Rate));
    assert_eq!(text(&history.columns.last), expect);
    let found: Vec<i64> = history.resets.iter().filter(|reset| reset.cause == ResetCause::Drop).map(|reset| reset.at).collect();
    assert_eq!(found, drops);
}

#[track_caller]
fn check_gaps(input: &str, box_gaps: &[Gap], span: Span, expect: &[Gap]) {
    assert_eq!(columns(&series(input), box_gaps, &[], Kind::Gauge, span).gaps, expect);
}

/// Whether two totals say the same, as far as floats can tell.
fn same_total(one: Option<Number>, other: Option<Number>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => (one.as_f64() - other.as_f64()).abs() <= 1e-9 * one.as_f64().abs().max(1.0),
        (one, other) => one == other,
    }
}

#[track_caller]
fn check_total(input: &str, resets: &[Reset], expect: Option<Number>) {
    assert_eq!(columns(&series(input), &[], resets, Kind::Counter, whole(Mode::Rate)).total, expect);
}

#[test]
fn a_total_is_what_a_counter_grew_by() {
    check_total("5 8 8 20", &[], Some(Number::Int(15)));
    // Across a restart it begins anew; a fall that nobody explains is left out, and so is what lies in a gap.
    check_total("90 100 4 6", &[mark(15_000, ResetCause::Restart)], Some(Number::Int(10 + 4 + 2)));
    check_total("90 100 4 6", &[], Some(Number::Int(10 + 2)));
    check_total("1 3 . . . . . . 90 91", &[], Some(Number::Int(2 + 1)));
    check_total("1 3 _ 90 91", &[], Some(Number::Int(2 + 1)));
    check_total("0.5 1.75", &[], Some(Number::Float(1.25)));
    check_total("7", &[], None);
    check_total("", &[], None);
    // Of what is no counter, and of values, there is none.
    assert_eq!(columns(&series("1 2"), &[], &[], Kind::Gauge, whole(Mode::Rate)).total, None);
    assert_eq!(columns(&series("1 2"), &[], &[], Kind::Counter, whole(Mode::Value)).total, None);
}

#[test]
fn values_are_the_samples_themselves() {
    let history = columns(&series("10 12 _ 1.5"), &[], &[], Kind::Gauge, whole(Mode::Value));
    assert_eq!(history.columns.t, [0, 10_000, 20_000, 30_000]);
    for column in [&history.columns.first, &history.columns.min, &history.columns.max, &history.columns.mean, &history.columns.last] {
        assert_eq!(text(column), "10 12 _ 1.5");
    }
    assert_eq!(history.gaps, [gap(10_000, 30_000, NO_VALUE)]);
}

#[test]
fn rates_of_counters() {
    check_rate("10 20 50", Kind::Counter, &[], "_ 1.0 3.0", &[]);
    check_rate("10 10 _ 30 40", Kind::Counter, &[], "_ 0.0 _ _ 1.0", &[]);
    check_rate("10", Kind::Counter, &[], "_", &[]);
    check_rate("", Kind::Counter, &[], "", &[]);
    // Exact where floats are not: a difference of one at the end of the range.
    check_rate("9223372036854775806 9223372036854775807", Kind::Counter, &[], "_ 0.1", &[]);
    check_rate("-9223372036854775808 9223372036854775807", Kind::Counter, &[], "_ 1.8446744073709553e18", &[]);
}

#[test]
fn the_increase_across_a_known_reset_is_the_new_value() {
    check_rate("100 110 30 40", Kind::Counter, &[mark(20_000, ResetCause::Restart)], "_ 1.0 3.0 1.0", &[]);
    check_rate("100 110 30 40", Kind::Counter, &[mark(15_000, ResetCause::Person)], "_ 1.0 3.0 1.0", &[]);
    check_rate("100 110 130 40", Kind::Counter, &[mark(20_000, ResetCause::Schedule)], "_ 1.0 13.0 _", &[30_000]);
    let both = [mark(20_000, ResetCause::Drop), mark(20_000, ResetCause::Restart)];
    check_rate("100 110 30 40", Kind::Counter, &both, "_ 1.0 3.0 1.0", &[20_000]);
    // One that was seen with the sample before does not count again.
    check_rate("100 20 30", Kind::Counter, &[mark(10_000, ResetCause::Restart)], "_ 2.0 1.0", &[]);
}

#[test]
fn a_box_that_moved_gives_no_rate_at_that_step() {
    check_rate("100 110 1000 1010", Kind::Counter, &[mark(20_000, ResetCause::Moved)], "_ 1.0 _ 1.0", &[]);
    check_rate("100 110 30 40", Kind::Gauge, &[mark(20_000, ResetCause::Moved)], "_ 1.0 _ 1.0", &[]);
}

#[test]
fn any_other_drop_gives_no_rate_and_a_mark() {
    check_rate("100 110 30 40", Kind::Counter, &[], "_ 1.0 _ 1.0", &[20_000]);
    check_rate("100 110 30 40", Kind::Counter, &[mark(20_000, ResetCause::Drop)], "_ 1.0 _ 1.0", &[20_000]);
    let value = columns(&series("100 30"), &[], &[], Kind::Counter, whole(Mode::Value));
    assert_eq!(value.resets, [mark(10_000, ResetCause::Drop)]);
}

#[test]
fn gauges_go_down_too() {
    check_rate("100 110 30", Kind::Gauge, &[], "_ 1.0 -8.0", &[]);
    check_rate("1.5 0.5", Kind::Gauge, &[], "_ -0.1", &[]);
}

#[test]
fn no_rate_across_more_than_three_intervals() {
    check_rate("10 . . 40", Kind::Counter, &[], "_ 1.0", &[]);
    check_rate("10 . . . 50 60", Kind::Counter, &[], "_ _ 1.0", &[]);
}

#[test]
fn the_sample_before_the_span_gives_the_first_rate() {
    let span = Span { from_ms: 10_000, to_ms: 30_000, points: 10, mode: Mode::Rate };
    let history = columns(&series("10 20 50 60"), &[], &[], Kind::Counter, span);
    assert_eq!((history.columns.t, text(&history.columns.last).as_str()), (vec![10_000, 20_000], "1.0 3.0"));
    assert_eq!(lookback_ms(10_000), 30_000);
}

#[test]
fn samples_are_told_as_they_are_and_gaps_beside_them() {
    let history = columns(&series("1 . . . 2"), &[], &[], Kind::Gauge, whole(Mode::Value));
    assert_eq!((history.columns.t, text(&history.columns.last).as_str()), (vec![0, 40_000], "1 2"));
    assert_eq!(history.gaps, [gap(0, 40_000, NOT_RECORDED)]);
}

#[test]
fn gaps_have_the_reason_that_covers_most() {
    let reasons = [gap(0, 5_000, "timeout"), gap(5_000, 45_000, "refused"), gap(45_000, 46_000, "closed")];
    check_gaps("1 . . . . 2", &reasons, whole(Mode::Value), &[gap(0, 50_000, "refused")]);
    check_gaps("1 . . . . 2", &[], whole(Mode::Value), &[gap(0, 50_000, NOT_RECORDED)]);
    check_gaps("1 . . 2", &[gap(1, 29_999, "short")], whole(Mode::Value), &[]);
}

#[test]
fn gaps_at_the_ends_are_those_of_the_box() {
    let span = Span { from_ms: 0, to_ms: 100_000, points: 10, mode: Mode::Value };
    check_gaps("1 2", &[gap(15_000, 90_000, "down")], span, &[gap(15_000, 90_000, "down")]);
    check_gaps("1 2", &[gap(5_000, 200_000, "down")], span, &[gap(10_000, 100_000, "down")]);
    check_gaps(". . . . . 2", &[gap(-9, 45_000, "down")], span, &[gap(0, 45_000, "down")]);
    check_gaps("", &[gap(-9, 45_000, "down")], span, &[gap(0, 45_000, "down")]);
    check_gaps("1 2", &[], span, &[]);
}

#[test]
fn unknown_values_and_a_pause_are_two_gaps() {
    let expect = [gap(0, 10_000, NO_VALUE), gap(10_000, 60_000, NOT_RECORDED), gap(60_000, 70_000, NO_VALUE)];
    check_gaps("1 _ . . . . _ 2", &[], whole(Mode::Value), &expect);
}

#[test]
fn more_samples_than_points_become_buckets() {
    let span = Span { from_ms: 0, to_ms: 80_000, points: 4, mode: Mode::Value };
    let history = columns(&series("5 9 1.5 _ . . 3 3"), &[], &[], Kind::Gauge, span);
    let columns = history.columns;
    assert_eq!(columns.t, [0, 20_000, 40_000, 60_000]);
    assert_eq!(text(&columns.first), "5 1.5 _ 3");
    assert_eq!(text(&columns.min), "5 1.5 _ 3");
    assert_eq!(text(&columns.max), "9 1.5 _ 3");
    assert_eq!(text(&columns.mean), "7.0 1.5 _ 3.0");
    assert_eq!(text(&columns.last), "9 1.5 _ 3");
}

/// Series as text at times of their own, in the order of recording.
fn series_at(times_s: &[i64], text: &str) -> Samples {
    let mut samples = series(text);
    samples.at_ms = times_s.iter().map(|at| at * 1_000).collect();
    samples
}

#[test]
fn a_clock_set_back_hides_no_sample_and_makes_up_no_rate() {
    let samples = series_at(&[0, 10, 20, 30, 5, 15, 25, 35], "100 110 120 130 140 150 160 170");
    let value = columns(&samples, &[], &[mark(5_000, ResetCause::Clock)], Kind::Counter, whole(Mode::Value));
    assert_eq!(value.columns.t, [0, 5_000, 10_000, 15_000, 20_000, 25_000, 30_000, 35_000]);
    assert_eq!(text(&value.columns.last), "100 140 110 150 120 160 130 170");
    assert_eq!(value.resets, [mark(5_000, ResetCause::Clock)]);
    let rate = columns(&samples, &[], &[mark(5_000, ResetCause::Clock)], Kind::Counter, whole(Mode::Rate));
    assert_eq!(text(&rate.columns.last), "_ _ 1.0 1.0 1.0 1.0 1.0 1.0");
}

#[test]
fn a_mark_in_a_time_that_ran_twice_gives_no_rate() {
    let samples = series_at(&[0, 10, 20, 30, 5, 15, 25, 35, 45], "100 110 5 15 25 35 45 55 65");
    let rate = columns(&samples, &[], &[mark(20_000, ResetCause::Restart)], Kind::Counter, whole(Mode::Rate));
    assert_eq!(text(&rate.columns.last), "_ _ 1.0 1.0 _ _ 1.0 1.0 1.0");
    assert_eq!(rate.resets, [mark(20_000, ResetCause::Restart)]);
}

#[test]
fn infinity_is_not_drawn() {
    let mut samples = series("1 2 3");
    samples.values = [Some(Number::Int(1)), Some(Number::Float(f64::INFINITY)), Some(Number::Int(3))].into_iter().collect();
    let history = columns(&samples, &[], &[], Kind::Gauge, whole(Mode::Value));
    assert_eq!(text(&history.columns.max), "1 _ 3");
    assert_eq!(history.gaps, [gap(0, 20_000, NO_VALUE)]);
}

proptest! {
    // Whole numbers have a way of their own, which must say the same.
    #[test]
    fn whole_numbers_are_drawn_as_any(
        values in prop::collection::vec((prop_oneof![9 => -50_i64..1_000, 1 => any::<i64>()], 0_i64..6, prop::bool::weighted(0.02)), 0..200),
        marks in prop::collection::vec((0_i64..2_000_000, 0_usize..5), 0..6),
        shape in (prop::bool::ANY, prop::bool::ANY, prop_oneof![Just(20_usize), Just(1_000)]),
    ) {
        let (mut at_ms, mut samples) = (0, Samples::default());
        for (value, skipped, back) in values {
            at_ms += if back { -70_000 } else { STEP_MS * (1 + skipped.saturating_sub(3)) };
            samples.push(at_ms, Some(Number::Int(value)), STEP_MS * (1 + skipped / 5));
        }
        let causes = [ResetCause::Restart, ResetCause::Drop, ResetCause::Person, ResetCause::Clock, ResetCause::Moved];
        let mut resets: Vec<Reset> = marks.into_iter().map(|(at, cause)| mark(at - at % 5_000, causes[cause])).collect();
        resets.sort_by_key(|reset| reset.at);
        let any = Samples { values: crate::store::Values::Numbers(samples.values.iter().collect()), ..samples.clone() };
        let (counter, rate, points) = shape;
        let kind = if counter { Kind::Counter } else { Kind::Gauge };
        let span = Span { from_ms: -500_000, to_ms: 2_500_000, points, mode: if rate { Mode::Rate } else { Mode::Value } };
        let (mut of_ints, mut of_any) = (columns(&samples, &[], &resets, kind, span), columns(&any, &[], &resets, kind, span));
        prop_assert!(same_total(of_ints.total.take(), of_any.total.take()));
        prop_assert_eq!(of_ints, of_any);
    }

    #[test]
    fn buckets_lose_nothing(values in prop::collection::vec(-1_000_i64..1_000, 1..300), points in 1_usize..50, from in 0_i64..100_000) {
        let samples = series(&values.iter().map(i64::to_string).collect::<Vec<_>>().join(" "));
        let span = Span { from_ms: from, to_ms: from + 777_777, points, mode: Mode::Value };
        let columns = columns(&samples, &[], &[], Kind::Gauge, span).columns;
        let inside: Vec<i64> = samples.at_ms.iter().zip(&values).filter(|(at, _)| (from..from + 777_777).contains(*at)).map(|(_, v)| *v).collect();
        prop_assert!(columns.t.len() <= points);
        prop_assert!(columns.t.is_sorted_by(|a, b| a < b));
        let ints = |column: &[Option<Number>]| column.iter().flatten().map(|number| match number { Number::Int(int) => *int, Number::Float(_) => i64::MIN }).collect::<Vec<_>>();
        prop_assert_eq!(ints(&columns.min).into_iter().min(), inside.iter().copied().min());
        prop_assert_eq!(ints(&columns.max).into_iter().max(), inside.iter().copied().max());
        prop_assert_eq!(ints(&columns.first).first().copied(), inside.first().copied());
        prop_assert_eq!(ints(&columns.last).last().copied(), inside.last().copied());
    }
}

mod grown;
mod rolled;
