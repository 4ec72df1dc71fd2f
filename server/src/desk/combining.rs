//! Several series into one: their sum, mean or largest at each point of the grid that they share. Where one of them is missing there is no
//! value, and a gap says which: never a smaller sum.

use app::{
    chart,
    model::{AlertMark, ChartLines, Columns, Combine, Gap, Note, Number, Reset, Series},
    shown::short,
};

use super::charting::{adds_up, common_gaps};
use crate::history::NOT_RECORDED;

/// The lines of a chart, put together as it is wanted: one line for all of a unit, or all of them.
pub(super) fn together(lines: Vec<Series>, how: Combine) -> ChartLines {
    let mut resets: Vec<Reset> = lines.iter().flat_map(|line| line.resets.iter().cloned()).collect();
    resets.sort_by_key(|reset| reset.at);
    // Those of a whole box come with each of its series.
    resets.dedup();
    let mut notes: Vec<Note> = lines.iter().flat_map(|line| line.notes.iter().cloned()).collect();
    notes.sort_by_key(|note| (note.from, note.id));
    notes.dedup();
    let alerts = alerts_of(&lines, how);
    let gaps = match how {
        Combine::None => common_gaps(&lines),
        _ => by_unit(&lines).iter().flat_map(|members| combined(members, Combine::Sum).gaps).collect(),
    };
    let lines = match how {
        Combine::None | Combine::Stacked => lines,
        how => by_unit(&lines).iter().map(|members| combined(members, how)).collect(),
    };
    ChartLines { lines, gaps, resets, notes, alerts }
}

/// What rules say of the lines: one of several boxes is told once, and no bound of one line is one of what several come to.
fn alerts_of(lines: &[Series], how: Combine) -> Vec<AlertMark> {
    let mut alerts: Vec<AlertMark> = Vec::new();
    for mut alert in lines.iter().flat_map(|line| line.alerts.iter().cloned()) {
        if how != Combine::None {
            (alert.above, alert.below) = (None, None);
        }
        match alerts.iter_mut().find(|known| known.rule == alert.rule && known.unit == alert.unit) {
            Some(known) => {
                known.fired.extend(alert.fired);
                known.fired.sort_by_key(|span| (span.from, span.to));
                known.fired.dedup();
            }
            None => alerts.push(alert),
        }
    }
    alerts
}

/// What has the same unit is put together, in the order of what comes first.
fn by_unit(lines: &[Series]) -> Vec<Vec<&Series>> {
    let mut groups: Vec<Vec<&Series>> = Vec::new();
    for line in lines {
        match groups.iter_mut().find(|group| group.iter().all(|one| one.unit == line.unit)) {
            Some(group) => group.push(line),
            None => groups.push(vec![line]),
        }
    }
    groups
}

/// One series of several, which have the same points and unit.
fn combined(members: &[&Series], how: Combine) -> Series {
    let Some(first) = members.first() else { unreachable!("a group has a member") };
    let labels = chart::labels(members);
    let ends: Vec<Option<(usize, usize)>> = members.iter().map(|one| known_ends(&one.columns)).collect();
    let last_known = ends.iter().flatten().map(|&(_, last)| last).max();
    let mut columns = Columns::default();
    let mut gaps: Vec<Gap> = Vec::new();
    for (point, &at) in first.columns.t.iter().enumerate() {
        let end = first.columns.t.get(point + 1).copied().unwrap_or(first.to).max(at);
        let missing = |place: usize| missing(members[place], ends[place], point, (at, end));
        // What comes after all that is known is no gap: it is yet to come.
        let out: Vec<(usize, &str)> = match last_known {
            Some(last) if point <= last => (0..members.len()).filter_map(|place| Some((place, missing(place)?))).collect(),
            _ => Vec::new(),
        };
        let values = || members.iter().map(|one| value(&one.columns, point));
        let known = out.is_empty().then(|| values().collect::<Option<Vec<Number>>>()).flatten();
        let one = known.as_deref().and_then(|known| of(known, how));
        let most = (how == Combine::Maximum && one.is_some())
            .then(|| largest(members.iter().filter_map(|one| one.columns.max.get(point).copied().flatten())))
            .flatten();
        columns.t.push(at);
        for column in [&mut columns.first, &mut columns.min, &mut columns.mean, &mut columns.last] {
            column.push(one);
        }
        columns.max.push(most.or(one));
        if let Some(&(place, reason)) = out.first() {
            let reason = format!("{}: {reason}; {} of {} known", short(&labels[place]), members.len() - out.len(), members.len());
            match gaps.last_mut() {
                Some(last) if last.to == at && last.reason == reason => last.to = end,
                _ => gaps.push(Gap { from: at, to: end, reason }),
            }
        }
    }
    let total = (how == Combine::Sum).then(|| members.iter().map(|one| one.total).collect::<Option<Vec<Number>>>()).flatten();
    let word = match how {
        Combine::Average => "average",
        Combine::Maximum => "maximum",
        _ => "sum",
    };
    let same = |pick: fn(&Series) -> &str| members.iter().all(|one| pick(one) == pick(first)).then(|| pick(first).to_owned());
    let what = same(|one| &one.name)
        .map_or_else(|| format!("{} statistics", members.len()), |name| format!("{name} over {} boxes", members.len()));
    Series {
        box_name: same(|one| &one.box_name).unwrap_or_default(),
        name: if members.len() == 1 { first.name.clone() } else { format!("{word} of {what}") },
        columns,
        gaps,
        total: total.and_then(|totals| sum(&totals)),
        resets: Vec::new(),
        ..(*first).clone()
    }
}

/// The number that stands for a point.
fn value(columns: &Columns, point: usize) -> Option<Number> {
    let of = |column: &[Option<Number>]| column.get(point).copied().flatten();
    of(&columns.mean).or_else(|| of(&columns.last))
}

/// The first and the last point that are known.
fn known_ends(columns: &Columns) -> Option<(usize, usize)> {
    let mut known = (0..columns.t.len()).filter(|&point| value(columns, point).is_some());
    let first = known.next()?;
    Some((first, known.next_back().unwrap_or(first)))
}

/// Why a series is missing at a point, if it is: a point between two others that has no sample, and no gap over it, is only asked for more
/// closely than the box is.
fn missing(series: &Series, ends: Option<(usize, usize)>, point: usize, (from, to): (i64, i64)) -> Option<&str> {
    let is_known = value(&series.columns, point).is_some();
    if is_known && !adds_up(series.mode) {
        return None;
    }
    if let Some(gap) = series.gaps.iter().find(|gap| gap.from < to && gap.to > from) {
        return Some(&gap.reason);
    }
    let inside = ends.is_some_and(|(first, last)| (first..=last + 1).contains(&point));
    (!is_known && !inside).then_some(NOT_RECORDED)
}

fn of(known: &[Number], how: Combine) -> Option<Number> {
    match how {
        Combine::Maximum => largest(known.iter().copied()),
        Combine::Average => {
            #[expect(clippy::cast_precision_loss, reason = "there are a hundred at most")]
            let mean = sum(known)?.as_f64() / known.len() as f64;
            Some(Number::Float(mean))
        }
        _ => sum(known),
    }
}

/// Exact where all are whole and the sum is too.
fn sum(known: &[Number]) -> Option<Number> {
    let whole = known.iter().try_fold(0_i64, |sum, number| match number {
        Number::Int(int) => sum.checked_add(*int),
        Number::Float(_) => None,
    });
    let float = || known.iter().map(|number| number.as_f64()).sum::<f64>();
    if known.is_empty() { None } else { Some(whole.map_or_else(|| Number::Float(float()), Number::Int)) }
}

fn largest(known: impl Iterator<Item = Number>) -> Option<Number> {
    known.reduce(|one, other| if other.as_f64() > one.as_f64() { other } else { one })
}

#[cfg(test)]
mod tests {
    use app::model::Mode;

    use super::*;

    const POINT_MS: i64 = 20_000;

    /// `10 _ 15`: a point each twenty seconds.
    fn series(box_name: &str, text: &str, gaps: &[(i64, i64, &str)]) -> Series {
        let column: Vec<Option<Number>> = text.split_whitespace().map(|word| word.parse().ok().map(Number::Int)).collect();
        let t: Vec<i64> = (0..).map(|point| point * POINT_MS).take(column.len()).collect();
        let columns = Columns { first: column.clone(), min: column.clone(), max: column.clone(), mean: column.clone(), last: column, t };
        Series {
            box_name: box_name.into(),
            name: "dialog:active_dialogs".into(),
            mode: Mode::Value,
            of: None,
            every_ms: None,
            unit: "calls".into(),
            from: 0,
            to: i64::try_from(columns.t.len()).unwrap() * POINT_MS,
            tier: "raw".into(),
            columns,
            gaps: gaps.iter().map(|&(from, to, reason)| Gap { from, to, reason: reason.into() }).collect(),
            total: Some(Number::Int(3)),
            resets: Vec::new(),
            notes: Vec::new(),
            alerts: Vec::new(),
            of_means: false,
        }
    }

    fn text(column: &[Option<Number>]) -> String {
        let word = |number: &Option<Number>| number.map_or("_".into(), |number| number.as_f64().to_string());
        column.iter().map(word).collect::<Vec<_>>().join(" ")
    }

    #[track_caller]
    fn check(how: Combine, members: &[Series], expect: &str, gaps: &[(i64, i64, &str)]) {
        let lines = together(members.to_vec(), how);
        assert_eq!(text(&lines.lines[0].columns.mean), expect);
        let gaps: Vec<Gap> = gaps.iter().map(|&(from, to, reason)| Gap { from, to, reason: reason.into() }).collect();
        assert_eq!(lines.lines[0].gaps, gaps);
        assert_eq!(lines.gaps, gaps);
    }

    #[test]
    fn a_sum_is_of_all_or_there_is_none_and_it_is_said() {
        let (one, two) = (series("sip1", "1 2 3 4", &[]), series("sip2", "10 20 30 40", &[]));
        check(Combine::Sum, &[one.clone(), two.clone()], "11 22 33 44", &[]);
        check(Combine::Average, &[one.clone(), two], "5.5 11 16.5 22", &[]);
        let down = series("sip2", "10 _ _ 40", &[(30_000, 60_000, "connection refused")]);
        check(Combine::Sum, &[one.clone(), down.clone()], "11 _ _ 44", &[(20_000, 60_000, "sip2: connection refused; 1 of 2 known")]);
        // One that is not there at all, or not yet, or no more.
        let late = series("sip3", "_ _ 300 _", &[]);
        check(
            Combine::Maximum,
            &[one, down, late],
            "_ _ _ _",
            &[
                (0, 20_000, "sip3: not recorded; 2 of 3 known"),
                (20_000, 40_000, "sip2: connection refused; 1 of 3 known"),
                (40_000, 60_000, "sip2: connection refused; 2 of 3 known"),
            ],
        );
    }

    #[test]
    fn a_point_that_nothing_was_asked_for_is_no_gap() {
        let (often, seldom) = (series("sip1", "1 2 3 4 5", &[]), series("sip2", "10 _ 30 40 _", &[]));
        check(Combine::Sum, &[often, seldom], "11 _ 33 44 _", &[]);
    }

    #[test]
    fn an_increase_that_is_not_known_whole_is_in_no_sum() {
        let grown = |text, gaps: &[(i64, i64, &str)]| Series { mode: Mode::Increase, ..series("sip1", text, gaps) };
        let other = Series { box_name: "sip2".into(), ..grown("10 20 30", &[]) };
        let told = [(20_000, 40_000, "sip1: timeout; 1 of 2 known")];
        check(Combine::Sum, &[grown("1 2 3", &[(25_000, 30_000, "timeout")]), other], "11 _ 33", &told);
    }

    #[test]
    fn what_has_another_unit_is_another_line() {
        let bytes = Series { unit: "bytes".into(), name: "shmem:used_size".into(), ..series("sip1", "7 8", &[]) };
        let lines = together(vec![series("sip1", "1 2", &[]), bytes, series("sip2", "1 9", &[])], Combine::Sum).lines;
        let told: Vec<_> = lines.iter().map(|line| (line.name.as_str(), line.box_name.as_str(), text(&line.columns.mean))).collect();
        assert_eq!(told, [("sum of dialog:active_dialogs over 2 boxes", "", "2 11".into()), ("shmem:used_size", "sip1", "7 8".into())]);
        assert_eq!((lines[0].total, lines[1].total), (Some(Number::Int(6)), Some(Number::Int(3))));
    }

    #[test]
    fn a_stack_has_gaps_where_its_sum_has_none() {
        let (one, two) = (series("sip1", "1 2 3", &[]), series("sip2", "1 _ 3", &[(10_000, 50_000, "timeout")]));
        let lines = together(vec![one, two], Combine::Stacked);
        assert_eq!(lines.lines.len(), 2);
        assert_eq!(lines.gaps, [Gap { from: 20_000, to: 40_000, reason: "sip2: timeout; 1 of 2 known".into() }]);
    }

    #[test]
    fn whole_numbers_add_up_exactly() {
        assert_eq!(sum(&[Number::Int(i64::MAX - 1), Number::Int(1)]), Some(Number::Int(i64::MAX)));
        assert_eq!(sum(&[Number::Int(i64::MAX), Number::Int(1)]), Some(Number::Float(i64::MAX as f64)));
        assert_eq!(sum(&[]), None);
    }
}
