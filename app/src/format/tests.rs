use proptest::prelude::*;

use super::*;

fn table(rows: &[(String, &str)]) {
    for (got, want) in rows {
        assert_eq!(got, want);
    }
}

#[test]
fn an_instant_of_a_field() {
    assert_eq!(for_field(1_764_244_800_000), "2025-11-27T12:00:00");
}

#[test]
fn values_are_exact_and_parted() {
    table(&[
        (value(Number::Int(0), ""), "0"),
        (value(Number::Int(999), ""), "999"),
        (value(Number::Int(10_661_087), ""), "10\u{2009}661\u{2009}087"),
        (value(Number::Int(-1234), ""), "−1\u{2009}234"),
        (value(Number::Int(i64::MIN), ""), "−9\u{2009}223\u{2009}372\u{2009}036\u{2009}854\u{2009}775\u{2009}808"),
        (value(Number::Int(63_963_136), "bytes"), "63\u{2009}963\u{2009}136"),
        (value(Number::Float(5.9), "percent"), "5.9\u{2009}%"),
        (value(Number::Float(0.123_456), ""), "0.123"),
        (value(Number::Float(0.001), ""), "0.001"),
        (value(Number::Float(0.000_1), ""), "0.0001"),
        (value(Number::Float(0.1), ""), "0.1"),
        (value(Number::Float(0.999_9), ""), "1"),
        (value(Number::Float(10.05), ""), "10.1"),
        (value(Number::Float(12.5), ""), "12.5"),
        (value(Number::Float(1234.56), ""), "1\u{2009}235"),
        (value(Number::Float(2.0), ""), "2"),
        (value(Number::Float(-0.0), ""), "0"),
        (value(Number::Float(f64::NAN), ""), "–"),
        (value(Number::Float(1e300), ""), "1.000e300"),
    ]);
}

#[test]
fn large_bytes_have_a_reading() {
    let of = |bytes: i64, unit| reading(Number::Int(bytes), unit);
    assert_eq!(of(1 << 30, "bytes").as_deref(), Some("≈ 1 GiB"));
    assert_eq!(of(17_073_741_824, "bytes").as_deref(), Some("≈ 15.9 GiB"));
    assert_eq!(of(-(5 << 40), "bytes").as_deref(), Some("≈ −5 TiB"));
    assert_eq!(of(i64::MAX, "bytes").as_deref(), Some("≈ 8 EiB"));
    assert_eq!(of((1 << 30) - 1, "bytes"), None);
    assert_eq!(of(1 << 40, "requests"), None);
    assert_eq!(of(1 << 40, ""), None);
}

#[test]
fn rates_carry_a_sign() {
    table(&[
        (rate(184.0), "+184/s"),
        (rate(-3.0), "−3/s"),
        (rate(0.4), "+0.4/s"),
        (rate(0.0), "+0/s"),
        (rate(1840.4), "+1\u{2009}840/s"),
        (rate(f64::INFINITY), "–"),
    ]);
}

#[test]
fn ages_use_their_largest_unit() {
    table(&[
        (age(2_000), "2 s"),
        (age(59_999), "59 s"),
        (age(180_000), "3 min"),
        (age(5 * 3_600_000), "5 h"),
        (age(4 * DAY_MS), "4 d"),
        (age(-7), "0 s"),
    ]);
}

#[test]
fn axes_are_short() {
    table(&[
        (short(1600.0, ""), "1.6k"),
        (short(0.0, ""), "0"),
        (short(999.99, ""), "1k"),
        (short(200.0, "requests/s"), "200/s"),
        (short(61.0 * 1_048_576.0, "bytes"), "61 MiB"),
        (short(1023.9, "bytes"), "1 KiB"),
        (short(1536.0, "bytes/s"), "1.5 KiB/s"),
        (short(0.0, "bytes"), "0"),
        (short(12.0, "percent"), "12 %"),
        (short(-2500.0, ""), "−2.5k"),
        (short(0.025, ""), "0.025"),
        (short(f64::NAN, ""), "–"),
    ]);
}

#[test]
fn instants_are_civil() {
    table(&[
        (utc(0), "1970-01-01 00:00:00 UTC"),
        (utc(1_795_453_960_000), "2026-11-23 17:12:40 UTC"),
        (utc(951_782_400_000), "2000-02-29 00:00:00 UTC"),
        (utc(-1), "1969-12-31 23:59:59 UTC"),
        (day(1_795_453_960_000), "23 Nov"),
        (weekday(1_795_453_960_000).to_owned(), "Mon"),
    ]);
}

proptest! {
    #[test]
    fn any_number_can_be_written(v: f64, whole: i64, unit in "(|bytes|percent|x/s|bytes/s)") {
        for text in [short(v, &unit), value(Number::Float(v), &unit), fact(Number::Int(whole), &unit), rate(v)] {
            prop_assert!(!text.is_empty() && text.chars().count() < 40, "{text}");
        }
    }

    #[test]
    fn days_follow_each_other(days in -1_000_000_i64..1_000_000) {
        let (today, tomorrow) = (civil(days), civil(days + 1));
        prop_assert!(tomorrow > today);
        prop_assert!((1..=12).contains(&today.1) && (1..=31).contains(&today.2));
    }
}

#[test]
fn numbers_are_written_as_one_likes_them() {
    let written = |numbers| {
        with_numbers(numbers, || {
            let values = [value(Number::Int(-1_234_567), ""), value(Number::Float(0.5), "percent"), rate(1840.4), rate(12.3)];
            let shorts = [short(1234.0, ""), short(1.5e30, ""), fact(Number::Int(1_600_000), "bytes"), value(Number::Float(2.5e15), "")];
            [values, shorts].concat().join(" | ")
        })
    };
    let thin = '\u{2009}';
    let cases = [
        (Numbers::Spaces, "−1_234_567 | 0.5_% | +1_840/s | +12.3/s | 1.23k | 1.5e12E | 1.53 MiB | 2.500e15"),
        (Numbers::Commas, "−1,234,567 | 0.5_% | +1,840/s | +12.3/s | 1.23k | 1.5e12E | 1.53 MiB | 2.500e15"),
        (Numbers::SpacesComma, "−1_234_567 | 0,5_% | +1_840/s | +12,3/s | 1,23k | 1,5e12E | 1,53 MiB | 2,500e15"),
        (Numbers::DotsComma, "−1.234.567 | 0,5_% | +1.840/s | +12,3/s | 1,23k | 1,5e12E | 1,53 MiB | 2,500e15"),
        (Numbers::Plain, "−1234567 | 0.5_% | +1840/s | +12.3/s | 1.23k | 1.5e12E | 1.53 MiB | 2.500e15"),
    ];
    for (numbers, want) in cases {
        assert_eq!(written(numbers), want.replace('_', &thin.to_string()), "{numbers:?}");
        assert_eq!(with_numbers(numbers, || bare(&value(Number::Int(1_234_567), ""))), "1234567");
        assert_eq!(with_numbers(numbers, || bare(&value(Number::Float(12.5), ""))), "12.5");
        assert_eq!(Numbers::parse(numbers.as_str()), numbers);
    }
    assert_eq!(numbers(), Numbers::Spaces, "what was before comes back");
    assert_eq!(Numbers::parse("roman"), Numbers::Spaces);
}
