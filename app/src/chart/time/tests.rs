use proptest::prelude::*;

use super::*;

/// 2026-10-25T00:00:00Z: an hour later clocks go back in Europe.
const AUTUMN: i64 = 1_792_886_400_000;
/// 2026-03-29T00:00:00Z: an hour later they go forward.
const SPRING: i64 = 1_774_742_400_000;

/// Bucharest around its two changes: two hours in winter, three in summer.
fn bucharest(at: i64) -> i64 {
    if (SPRING + HOUR..AUTUMN + HOUR).contains(&at) { 3 * HOUR } else { 2 * HOUR }
}

fn axis(from: i64, span: i64, width: i32, offset: &dyn Fn(i64) -> i64) -> Vec<String> {
    TimeAxis::new(from, from + span, offset, 44, width - 8, width).ticks.into_iter().map(|(_, label)| label).collect()
}

#[test]
fn a_day_has_local_hours_and_its_date() {
    let from = 1_795_417_860_000;
    // A label that would leave the picture, here 09:00, is left out.
    assert_eq!(axis(from, DAY_MS, 640, &|_| 2 * HOUR), ["12:00", "15:00", "18:00", "21:00", "24 Nov", "03:00", "06:00"]);
    assert_eq!(axis(from, DAY_MS, 320, &|_| 2 * HOUR), ["12:00", "18:00", "24 Nov", "06:00"]);
    assert_eq!(axis(from, DAY_MS, 640, &|_| 19_800_000)[..2], ["15:00", "18:00"]);
}

#[test]
fn spans_have_their_steps() {
    let from = 1_795_417_860_000;
    assert_eq!(axis(from, 20 * SECOND, 640, &|_| 0), ["07:11:00", "07:11:05", "07:11:10", "07:11:15"]);
    assert_eq!(axis(from, 7 * DAY_MS, 640, &|_| 0).len(), 7);
    assert_eq!(axis(from, 30 * DAY_MS, 640, &|_| 0), ["Mon 30 Nov", "Mon 7 Dec", "Mon 14 Dec", "Mon 21 Dec"]);
    assert_eq!(axis(from, 730 * DAY_MS, 640, &|_| 0).first().map(String::as_str), Some("2027-01"));
}

#[test]
fn ticks_stay_at_round_times_when_clocks_change() {
    // The day is 25 hours long, and the labels are those of any other day.
    assert_eq!(axis(AUTUMN - 9 * HOUR, DAY_MS, 640, &bucharest), ["18:00", "21:00", "25 Oct", "03:00", "06:00", "09:00", "12:00", "15:00"]);
    assert_eq!(axis(SPRING - 8 * HOUR, DAY_MS, 640, &bucharest), ["18:00", "21:00", "29 Mar", "06:00", "09:00", "12:00", "15:00", "18:00"]);
    // Across the hour itself: in spring it is not there, in autumn twice.
    assert_eq!(axis(SPRING, 3 * HOUR, 400, &bucharest), ["02:00", "04:00", "05:00"]);
    assert_eq!(axis(AUTUMN, 3 * HOUR, 400, &bucharest), ["03:00", "03:00", "04:00"]);
}

#[test]
fn a_young_series_gets_a_narrow_axis() {
    assert_eq!(time_range(0, DAY_MS, Some(DAY_MS - 20_000)), (DAY_MS - 20_000, DAY_MS));
    assert_eq!(time_range(0, DAY_MS, Some(DAY_MS - 1000)), (DAY_MS - YOUNG_MS, DAY_MS));
    assert_eq!(time_range(0, DAY_MS, Some(DAY_MS / 4)), (0, DAY_MS));
    assert_eq!(time_range(0, DAY_MS, None), (0, DAY_MS));
    assert_eq!(time_range(5, 5, None), (5, 1005));
}

#[test]
fn only_the_gap_before_the_first_value_counts() {
    let columns = Columns { t: vec![1_000_000, 2_000_000], last: vec![None, Some(1.into())], ..Columns::default() };
    let gap = |from, to| Gap { from, to, reason: String::new() };
    assert_eq!(first_known(&columns, &[]), Some(2_000_000));
    assert_eq!(first_known(&columns, &[gap(100_000, 200_000)]), Some(2_000_000));
    assert_eq!(first_known(&columns, &[gap(1_200_000, 2_000_000)]), Some(1_200_000));
    assert_eq!(first_known(&Columns::default(), &[gap(0, 5)]), None);
}

proptest! {
    #[test]
    fn ticks_are_in_order_inside_and_few(from: i64, to: i64, width in 120_i32..2000, offset: i64) {
        let (from, to) = sane(from, to);
        let ticks = TimeAxis::new(from, to, &|_| offset, 44, width - 8, width).ticks;
        prop_assert!(ticks.windows(2).all(|pair| pair[0].0 < pair[1].0));
        prop_assert!(ticks.iter().all(|(at, label)| (from..=to).contains(at) && !label.is_empty()));
        prop_assert!(ticks.len() <= usize::try_from(width / 50).unwrap() + 2);
    }
}
