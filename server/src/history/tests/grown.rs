//! Increases over stretches, and shares.

use super::*;

/// The increases over stretches of 20 s.
#[track_caller]
fn check_increase(input: &str, kind: Kind, resets: &[Reset], expect: &str) {
    let span = in_stretches(Span { from_ms: 0, to_ms: 75_000, points: 9, mode: Mode::Increase }, 20_000);
    let history = columns(&series(input), &[], resets, kind, span);
    assert_eq!(history.columns.t, [0, 20_000, 40_000, 60_000]);
    assert_eq!(text(&history.columns.mean), expect);
    assert_eq!(history.columns.max, history.columns.mean);
}

#[test]
fn an_increase_is_that_of_all_steps_that_end_in_its_stretch() {
    check_increase("10 20 50 60 60 61 70 90", Kind::Counter, &[], "10 40 1 29");
    check_increase("10 20 . . . 61 70 90", Kind::Counter, &[], "10 _ _ 29");
    check_increase("10 20 50 _ 60 61 70 90", Kind::Counter, &[], "10 30 1 29");
    check_increase("90 100 104 4 6", Kind::Counter, &[mark(25_000, ResetCause::Restart)], "10 8 2 _");
    // What falls for no known reason did not grow; a gauge may grow by less than nothing.
    check_increase("90 100 104 4 6", Kind::Counter, &[], "10 4 2 _");
    check_increase("9 8 8 5 7 9 1.5", Kind::Gauge, &[], "-1 -3 4 -7.5");
    check_increase("9223372036854775800 9223372036854775807", Kind::Counter, &[], "7 _ _ _");
}

#[test]
fn increases_add_up_to_the_total_wherever_stretches_lie() {
    let samples = series("5 8 8 20 . . . . . 100 101 3 4 4 9");
    let marks = [mark(105_000, ResetCause::Person)];
    for stretch in [10_000, 20_000, 30_000, 70_000, 1_000_000] {
        let span = in_stretches(Span { mode: Mode::Increase, ..whole(Mode::Increase) }, stretch);
        let history = columns(&samples, &[], &marks, Kind::Counter, span);
        let sum: f64 = history.columns.mean.iter().flatten().map(|n| n.as_f64()).sum();
        assert_eq!(history.total, Some(Number::Int(15 + 1 + 3 + 6)), "{stretch}");
        assert!((sum - 25.0).abs() < 1e-9, "{stretch}: {sum}");
    }
}

#[test]
fn a_clock_set_back_loses_no_increase() {
    let samples = series_at(&[0, 10, 20, 30, 5, 15, 25, 35], "100 110 120 130 140 150 160 170");
    let span = in_stretches(Span { from_ms: 0, to_ms: 40_000, points: 9, mode: Mode::Increase }, 20_000);
    let history = columns(&samples, &[], &[mark(5_000, ResetCause::Clock)], Kind::Counter, span);
    assert_eq!(text(&history.columns.mean), "20 40");
}

#[test]
fn stretches_are_those_that_people_count_in() {
    assert_eq!([0, 1_001, 61_000, 3_600_000].map(stretch_ms), [1_000, 2_000, 120_000, 3_600_000]);
    assert_eq!(stretch_ms(2_419_200_001), 2 * 2_419_200_000);
    let span = in_stretches(Span { from_ms: -1, to_ms: 3_600_001, points: 7, mode: Mode::Increase }, 3_600_000);
    assert_eq!((span.from_ms, span.to_ms, span.points, span.width_ms()), (-3_600_000, 7_200_000, 3, 3_600_000));
}

#[track_caller]
fn check_share(part: (&str, Kind), whole: (&str, Kind), expect: &str, gaps: &[Gap]) {
    let (one, all) = (series(part.0), series(whole.0));
    let side = |stored, kind| Side { stored, resets: &[], kind };
    let history = shares(&side(&one, part.1), &side(&all, whole.1), &[], super::whole(Mode::Percent), Grid::Samples);
    assert_eq!(text(&history.columns.last), expect);
    assert_eq!(history.gaps, gaps);
}

#[test]
fn a_share_is_of_the_same_instant() {
    let (gauge, counter) = (Kind::Gauge, Kind::Counter);
    check_share(("25 50 3", gauge), ("100 200 4", gauge), "25.0 25.0 75.0", &[]);
    // Of counters, what grew of what grew.
    check_share(("0 5 5 6", counter), ("10 20 30 34", counter), "_ 50.0 0.0 25.0", &[]);
    // By zero there is no share, and it is said; nor where one of both is unknown, or was not polled.
    check_share(("1 1 1", gauge), ("2 0 4", gauge), "50.0 _ 25.0", &[gap(0, 20_000, NO_SHARE)]);
    check_share(("0 0 1 2", counter), ("5 5 9 13", counter), "_ _ 25.0 25.0", &[gap(0, 20_000, NO_SHARE)]);
    check_share(("1 _ 1", gauge), ("2 2 4", gauge), "50.0 _ 25.0", &[gap(0, 20_000, NO_SHARE)]);
    check_share(("1 1 1 1", gauge), (". 2 . 4", gauge), "50.0 25.0", &[]);
    check_share(("1 2", gauge), ("", gauge), "", &[]);
    // A share may be more than all.
    check_share(("9 -9", gauge), ("3 3", gauge), "300.0 -300.0", &[]);
}

#[test]
fn shares_in_buckets_lose_no_spike() {
    let (one, all) = (series("1 1 8 1 1 1"), series("10 10 10 10 10 10"));
    let side = |stored| Side { stored, resets: &[], kind: Kind::Gauge };
    let span = Span { from_ms: 0, to_ms: 60_000, points: 2, mode: Mode::Percent };
    let columns = shares(&side(&one), &side(&all), &[], span, Grid::Equal).columns;
    assert_eq!((text(&columns.max), text(&columns.min)), ("80.0 10.0".to_owned(), "10.0 10.0".to_owned()));
    assert_eq!(columns.t, [0, 30_000]);
}

#[test]
fn an_equal_grid_has_all_its_points() {
    let span = Span { from_ms: 0, to_ms: 40_000, points: 4, mode: Mode::Value };
    let history = columns_on(Grid::Equal, &series("1 2 . 4"), &[], &[], Kind::Gauge, span);
    assert_eq!((history.columns.t, text(&history.columns.mean)), (vec![0, 10_000, 20_000, 30_000], "1.0 2.0 _ 4.0".to_owned()));
}
