use super::*;
use crate::model::{Mode, ResetCause};

/// A series of these points, each 10 ms long and from 0 on.
fn series(values: &[i64]) -> Series {
    points((0..).step_by(10).zip(values).map(|(t, value)| (t, *value)).collect())
}

fn points(points: Vec<(i64, i64)>) -> Series {
    let column: Vec<Option<Number>> = points.iter().map(|(_, value)| Some(Number::Int(*value))).collect();
    let t: Vec<i64> = points.into_iter().map(|(t, _)| t).collect();
    let (from, to) = (t.first().copied().unwrap_or(0), t.last().map_or(0, |t| t + 10));
    Series {
        box_name: "sip1".to_owned(),
        name: "a:b".to_owned(),
        mode: Mode::Rate,
        of: None,
        every_ms: None,
        unit: String::new(),
        from,
        to,
        tier: "raw".to_owned(),
        columns: Columns { t, first: column.clone(), min: column.clone(), max: column.clone(), mean: column.clone(), last: column },
        gaps: Vec::new(),
        total: None,
        resets: Vec::new(),
        notes: Vec::new(),
        alerts: Vec::new(),
        of_means: false,
    }
}

fn values(series: &Series) -> Vec<(i64, i64)> {
    let value = |number: &Option<Number>| if let Some(Number::Int(int)) = number { *int } else { -1 };
    series.columns.t.iter().copied().zip(series.columns.last.iter().map(value)).collect()
}

#[test]
fn whole_points_are_asked_for_from_the_last_one_on() {
    let line = series(&[1, 2, 3]);
    assert_eq!(next(&[&line], 3, 29), None, "the last one is not over");
    assert_eq!(next(&[&line], 3, 45), Some(Tail { from_ms: 20, to_ms: 40, points: 2 }));
    assert_eq!(next(&[&line, &series(&[4, 5, 6])], 3, 45), Some(Tail { from_ms: 20, to_ms: 40, points: 2 }));
    // Lines of different points, increases, and what would be all of it, are loaded whole.
    assert_eq!(next(&[&line, &series(&[4, 5])], 3, 45), None);
    assert_eq!(next(&[&Series { every_ms: Some(10), ..series(&[1, 2, 3]) }], 3, 45), None);
    assert_eq!(next(&[&line], 3, 90), None);
    assert_eq!(next(&[&series(&[])], 3, 45), None);
    assert_eq!(next(&[], 3, 45), None);
}

#[test]
fn samples_are_asked_for_up_to_now() {
    let line = Series { from: 0, to: 40, ..points(vec![(1, 5), (12, 6), (23, 7)]) };
    assert_eq!(next(&[&line], 20, 45), Some(Tail { from_ms: 23, to_ms: 45, points: 20 }));
    let grown = Series { from: 0, to: 40, ..points((0..30).map(|i| (i, i)).collect()) };
    assert_eq!(next(&[&grown], 20, 45), None, "too many by now");
}

#[test]
fn what_came_is_joined_and_what_is_there_stays() {
    let mut line = series(&[1, 2, 3]);
    line.resets = vec![Reset { at: 3, cause: ResetCause::Drop, by: None }, Reset { at: 12, cause: ResetCause::Drop, by: None }];
    let mut came = points(vec![(20, 9), (30, 4)]);
    came.resets = vec![Reset { at: 31, cause: ResetCause::Drop, by: None }];
    join(&mut line, came, Tail { from_ms: 20, to_ms: 40, points: 2 }, 10);
    assert_eq!(values(&line), [(10, 2), (20, 9), (30, 4)]);
    assert_eq!((line.from, line.to), (10, 40));
    assert_eq!(line.resets.iter().map(|reset| reset.at).collect::<Vec<_>>(), [12, 31]);
    // A young history begins where it did.
    join(&mut line, points(vec![(30, 5), (40, 6)]), Tail { from_ms: 30, to_ms: 50, points: 2 }, -500);
    assert_eq!(values(&line), [(10, 2), (20, 9), (30, 5), (40, 6)]);
    assert_eq!(line.from, 10);
}

#[test]
fn a_gap_that_goes_on_is_one() {
    let gap = |from, to, reason: &str| Gap { from, to, reason: reason.to_owned() };
    let mut gaps = vec![gap(0, 5, "a"), gap(12, 30, "b")];
    join_gaps(&mut gaps, vec![gap(20, 35, "b"), gap(38, 40, "c")], 20, 10);
    assert_eq!(gaps, [gap(12, 35, "b"), gap(38, 40, "c")]);
    // One of which no more is told is over.
    let mut gaps = vec![gap(12, 15, "b"), gap(25, 28, "now known")];
    join_gaps(&mut gaps, vec![gap(21, 24, "c")], 20, 0);
    assert_eq!(gaps, [gap(12, 15, "b"), gap(21, 24, "c")]);
}

#[test]
fn the_total_follows() {
    // 100 a second for 3 s.
    let mut line = points((0..3).map(|i| (i * 1000, 100)).collect());
    line.to = 3000;
    line.total = Some(Number::Int(300));
    let mut came = points(vec![(2000, 100), (3000, 400)]);
    came.total = Some(Number::Int(500));
    join(&mut line, came, Tail { from_ms: 2000, to_ms: 4000, points: 2 }, 1000);
    assert_eq!(line.total, Some(Number::Int(600)));
}

#[test]
fn spans_have_lengths() {
    assert_eq!((span_ms("24h"), span_ms("7d"), span_ms("1y")), (Some(86_400_000), Some(7 * 86_400_000), Some(31_536_000_000)));
    assert_eq!((span_ms(""), span_ms("h"), span_ms("9999999999999y"), span_ms("2é")), (None, None, None, None));
}

#[test]
fn a_rule_that_fires_on_fires_once_and_its_bound_is_the_new_one() {
    let mark = |above: f64, fired: &[(i64, i64)]| AlertMark {
        rule: "busy".to_owned(),
        unit: String::new(),
        above: Some(above),
        below: None,
        fired: fired.iter().map(|&(from, to)| Fired { from, to }).collect(),
    };
    let joined = |known: &[(i64, i64)], came: &[(i64, i64)]| {
        let mut alerts = vec![mark(1.0, known)];
        join_alerts(&mut alerts, vec![mark(2.0, came)], 100, 20);
        assert_eq!((alerts.len(), alerts[0].above), (1, Some(2.0)));
        alerts[0].fired.iter().map(|fired| (fired.from, fired.to)).collect::<Vec<_>>()
    };
    assert_eq!(joined(&[(0, 10), (30, 40), (90, 105)], &[(90, 120)]), [(30, 40), (90, 120)], "it goes on");
    assert_eq!(joined(&[(90, 105)], &[]), [(90, 100)], "it ended where the new part begins");
    assert_eq!(joined(&[(30, 40)], &[(110, 120)]), [(30, 40), (110, 120)]);
    let mut removed = vec![mark(1.0, &[(30, 40)])];
    join_alerts(&mut removed, Vec::new(), 100, 20);
    assert!(removed.is_empty());
}
