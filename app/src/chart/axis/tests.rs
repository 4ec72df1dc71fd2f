use super::*;

fn axis(values: &[Number], mode: Mode, unit: &str, height: i32, marked: bool) -> (f64, f64, String) {
    let column: Vec<_> = values.iter().copied().map(Some).collect();
    let columns = Columns { t: vec![0; column.len()], min: column.clone(), max: column, ..Columns::default() };
    let whole = mode == Mode::Value && is_whole(&columns.max);
    let extent = Extent::of_columns(std::iter::once(&columns));
    let axis = ValueAxis::of(&Asked { extent, whole, mode, unit, height, marked, scale: Scale::Linear, begins: Axis::Auto });
    let labels: Vec<_> = axis.ticks.iter().map(|(_, label)| label.as_str()).collect();
    (axis.low, axis.high, labels.join(" "))
}

fn labels(values: &[f64], mode: Mode, unit: &str) -> String {
    let numbers: Vec<_> = values.iter().copied().map(Number::Float).collect();
    axis(&numbers, mode, unit, 168, false).2
}

#[test]
fn ticks_by_unit() {
    for (values, mode, unit, want) in [
        ([22.0, 196.0], Mode::Rate, "requests/s", "0 50 100 150 200/s"),
        ([300.0, 1466.0], Mode::Value, "", "0 500 1k 1.5k"),
        ([3.0, 97.0], Mode::Value, "percent", "0 25 % 50 % 75 % 100 %"),
        ([5.4, 16.5], Mode::Value, "percent", "0 5 % 10 % 15 %"),
        ([1e6, 64e6], Mode::Value, "bytes", "0 16 MiB 32 MiB 48 MiB 64 MiB"),
        ([0.0, 3000.0], Mode::Rate, "bytes/s", "0 1 KiB/s 2 KiB/s 3 KiB/s"),
        ([0.0, 0.0], Mode::Rate, "requests/s", "0 0.25 0.5 0.75 1/s"),
        ([-4.0, 4.0], Mode::Value, "", "−4 −2 0 2 4"),
        ([0.0, 1e300], Mode::Value, "", "0 2.5e281E 5.0e281E 7.5e281E 1.0e282E"),
    ] {
        assert_eq!(labels(&values, mode, unit), want, "{values:?} {unit}");
    }
}

#[test]
fn a_level_far_from_zero_is_drawn_without_it_and_its_ticks_differ() {
    assert_eq!(labels(&[10_661_087.0, 10_700_000.0], Mode::Value, ""), "10.66M 10.67M 10.68M 10.69M 10.7M");
    assert_eq!(labels(&[1e9, 1e9 + 3.0], Mode::Value, ""), "1G 1.000000001G 1.000000002G 1.000000003G");
    // A rate always shows its zero.
    assert!(labels(&[995.0, 1000.0], Mode::Rate, "x/s").starts_with("0 "));
    // What does not move at all has nothing to look closer at.
    assert!(labels(&[42.0, 42.0], Mode::Value, "").starts_with("0 "));
}

#[test]
fn whole_numbers_have_whole_ticks() {
    assert_eq!(axis(&[Number::Int(0), Number::Int(1)], Mode::Value, "", 168, false).2, "0 1");
    assert_eq!(axis(&[Number::Int(0), Number::Int(2)], Mode::Value, "", 168, false).2, "0 1 2");
}

#[test]
fn marks_have_room_above_the_line() {
    let (_, high, _) = axis(&[Number::Float(200.0)], Mode::Rate, "x/s", 160, true);
    assert!(high >= 220.0, "{high}");
}

#[test]
fn values_without_an_end_are_left_out() {
    assert_eq!(labels(&[f64::NAN, f64::INFINITY], Mode::Value, ""), "");
    assert_eq!(labels(&[f64::NAN, 4.0], Mode::Value, ""), "0 1 2 3 4");
}

#[track_caller]
fn asked(values: &[f64], scale: Scale, begins: Axis, unit: &str, want: &str) -> ValueAxis {
    let column: Vec<_> = values.iter().copied().map(|v| Some(Number::Float(v))).collect();
    let columns = Columns { t: vec![0; column.len()], min: column.clone(), max: column, ..Columns::default() };
    let extent = Extent::of_columns(std::iter::once(&columns));
    let axis = ValueAxis::of(&Asked { extent, whole: false, mode: Mode::Rate, unit, height: 168, marked: false, scale, begins });
    let labels: Vec<_> = axis.ticks.iter().map(|(_, label)| label.as_str()).collect();
    assert_eq!(labels.join(" "), want);
    axis
}

#[test]
fn an_axis_of_equal_ratios_goes_from_power_to_power() {
    let axis = asked(&[0.0, 3.0, 9_000.0], Scale::Log, Axis::Auto, "requests/s", "1 10 100 1k 10k/s");
    let places = [0.0, -5.0, 1.0, 10.0, 1_000.0, 10_000.0].map(|v| axis.place(v));
    for (place, want) in places.into_iter().zip([0.0, 0.0, 0.0, 0.25, 0.75, 1.0]) {
        assert!((place - want).abs() < 1e-9, "{place} {want}");
    }
    assert_eq!(axis.baseline(), Some(0.0));
    asked(&[15.0, 70.0], Scale::Log, Axis::Zero, "", "10 20 50 100");
    asked(&[1e-3, 0.9e9], Scale::Log, Axis::Auto, "", "0.001 1 1k 1M 1G");
    asked(&[1_000.0, 5e6], Scale::Log, Axis::Auto, "bytes", "256 B 4 KiB 64 KiB 1 MiB 16 MiB");
    // Without a value above zero there are no ratios.
    asked(&[0.0, -2.0], Scale::Log, Axis::Auto, "", "\u{2212}2 \u{2212}1.5 \u{2212}1 \u{2212}0.5 0");
}

#[test]
fn an_axis_begins_where_it_is_told_to() {
    asked(&[95.0, 97.0], Scale::Linear, Axis::Fitted, "", "95 95.5 96 96.5 97");
    asked(&[95.0, 96.0], Scale::Linear, Axis::Zero, "", "0 25 50 75 100");
    // Of one level alone there is nothing to fit to.
    asked(&[95.0, 95.0], Scale::Linear, Axis::Fitted, "", "0 25 50 75 100");
}
