use std::sync::Arc;

use app::model::BoxKind;

use super::*;
use crate::source::Unknown;

fn answer(at_ms: i64, readings: &[(&str, Reading)]) -> Answer {
    Answer {
        at_ms,
        took: Duration::ZERO,
        started_at_ms: None,
        names: readings.iter().map(|(name, _)| Arc::from(*name)).collect(),
        values: readings.iter().map(|(_, reading)| *reading).collect(),
        left_out: None,
    }
}

fn kinds() -> Kinds {
    let said = [("core:count", Kind::Counter), ("core:level", Kind::Gauge)];
    Kinds { said: said.map(|(name, kind)| (name.into(), kind)).into(), system: BoxKind::Opensips }
}

#[test]
fn changes_and_rates() {
    let (mut seen, kinds) = (Seen::default(), kinds());
    let mut take = |at_ms, count, level| {
        seen.take(&answer(at_ms, &[("core:count", count), ("core:level", level)]), &[], &kinds);
        seen.rows.iter().map(|row| (row.change, row.rate)).collect::<Vec<_>>()
    };
    let int = |value| Ok(Number::Int(value));
    assert_eq!(take(0, int(10), int(5)), [(Change::New, None), (Change::New, None)]);
    assert_eq!(take(200, int(12), int(4)), [(Change::Up, Some(10.0)), (Change::Down, None)]);
    assert_eq!(take(400, int(12), Err(Unknown::NotANumber)), [(Change::None, Some(5.0)), (Change::Other, None)]);
    // Somebody reset it: no growth across that.
    assert_eq!(take(600, int(0), int(1)), [(Change::Down, None), (Change::Other, None)]);
    assert_eq!(take(800, int(1), int(1)), [(Change::Up, Some(5.0)), (Change::None, None)]);
}

#[test]
fn a_rate_looks_back_a_second_and_no_further() {
    let mut values = VecDeque::new();
    let rates: Vec<_> = (0..=10).map(|step| grown(&mut values, step * 200, Number::Int(if step < 5 { 0 } else { 7 }))).collect();
    assert_eq!(rates[5], Some(7.0));
    assert_eq!(rates[9], Some(7.0));
    assert_eq!(rates[10], Some(0.0), "what grew is longer ago");
    assert_eq!(values.len(), 6);
    let mut values = VecDeque::new();
    assert_eq!([0, 5_000, 10_000].map(|at| grown(&mut values, at, Number::Int(at))), [None, Some(1000.0), Some(1000.0)]);
}

#[test]
fn only_what_changed_is_written() {
    let (mut seen, kinds) = (Seen::default(), kinds());
    let mut written = |at_ms, count, as_json| {
        seen.take(&answer(at_ms, &[("core:count", Ok(Number::Int(count))), ("core:level", Err(Unknown::NotTold))]), &[], &kinds);
        let mut out = Vec::new();
        write_changes(&seen, at_ms, as_json, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    };
    assert_eq!(written(1_000, 1, false), "-- 1970-01-01 00:00:01 UTC\ncore:count = 1\ncore:level = ? (this system does not tell it)\n");
    assert_eq!(written(2_000, 1, false), "");
    assert_eq!(written(3_000, 3, true), "{\"at\":3000,\"rates\":{\"core:count\":2.0},\"values\":{\"core:count\":3}}\n");
}
