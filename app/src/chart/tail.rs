//! The live edge of a chart: which points came since it was loaded, and joining them to those that are there, which stay as they are. Pure.

use crate::model::{AlertMark, Columns, Fired, Gap, Number, Reset, Series};

/// The points to ask for. They begin where the last one that is there begins, which may not have been whole, and lie on the same grid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tail {
    /// The start of the first, epoch milliseconds.
    pub from_ms: i64,
    /// The end of the last.
    pub to_ms: i64,
    /// So many.
    pub points: u32,
}

/// A chart that grew by more than this share of its points is loaded whole: its points are no longer as wide as a pixel.
const GREW_BY: usize = 4;

/// How long a span is, such as `24h`.
#[must_use]
pub fn span_ms(word: &str) -> Option<i64> {
    let unit = word.chars().last()?;
    let unit_ms = match unit {
        's' => 1_000,
        'm' => 60_000,
        'h' => 3_600_000,
        'd' => 86_400_000,
        'y' => 365 * 86_400_000,
        _ => return None,
    };
    word.strip_suffix(unit)?.parse::<i64>().ok()?.checked_mul(unit_ms)
}

/// How long a point of a series is that was asked for with so many.
fn width_ms(series: &Series, points: u32) -> i64 {
    let length = series.to.saturating_sub(series.from).max(1);
    let points = i64::from(points.max(1));
    length / points + i64::from(length % points != 0)
}

/// Whether its points are the samples themselves, and no stretches of time.
fn is_of_samples(series: &Series, width_ms: i64) -> bool {
    let t = &series.columns.t;
    t.first() != Some(&series.from) || t.windows(2).any(|pair| pair[1] - pair[0] != width_ms)
}

/// What there is to ask for at this instant; none where nothing is whole yet, or where all of it is better loaded anew.
#[must_use]
pub fn next(lines: &[&Series], points: u32, now_ms: i64) -> Option<Tail> {
    let first = lines.first()?;
    let width = width_ms(first, points);
    let of_samples = lines.iter().any(|line| is_of_samples(line, width));
    // Points that do not lie on each other are not joined to others.
    let is_even = lines.iter().all(|line| line.columns.t == first.columns.t && (line.from, line.to) == (first.from, first.to));
    let last = *first.columns.t.last()?;
    let most = points as usize + points as usize / GREW_BY;
    if !is_even || first.every_ms.is_some() || first.columns.t.len() > most {
        return None;
    }
    let (from_ms, to_ms) = if of_samples { (last, now_ms) } else { (last, last + (now_ms - last) / width * width) };
    let wanted = if of_samples { points } else { u32::try_from((to_ms - from_ms) / width).unwrap_or(0) };
    (to_ms > from_ms && to_ms > first.to - width && wanted > 0 && wanted <= points).then_some(Tail { from_ms, to_ms, points: wanted })
}

/// Joins what came to what is there. From then on the series begins at `begin_ms`, where that is later than where it did.
pub fn join(line: &mut Series, came: Series, tail: Tail, begin_ms: i64) {
    let begin_ms = begin_ms.max(line.from);
    line.total = line.total.map(|total| {
        let counted = came.total.map_or(0.0, Number::as_f64);
        let gone = grown(line, line.from, begin_ms) + grown(line, tail.from_ms, line.to);
        number_like(total, total.as_f64() + counted - gone)
    });
    let (head, rest) = (line.columns.t.partition_point(|t| *t < begin_ms), line.columns.t.partition_point(|t| *t < tail.from_ms));
    let rest = rest.max(head);
    let join = |old: &mut Vec<Option<Number>>, new: Vec<Option<Number>>| {
        old.truncate(rest);
        old.drain(..head);
        old.extend(new);
    };
    let Columns { t, first, min, max, mean, last } = came.columns;
    line.columns.t.truncate(rest);
    line.columns.t.drain(..head);
    line.columns.t.extend(t);
    let columns = &mut line.columns;
    for (old, new) in [
        (&mut columns.first, first),
        (&mut columns.min, min),
        (&mut columns.max, max),
        (&mut columns.mean, mean),
        (&mut columns.last, last),
    ] {
        join(old, new);
    }
    join_gaps(&mut line.gaps, came.gaps, tail.from_ms, begin_ms);
    join_resets(&mut line.resets, came.resets, tail.from_ms, begin_ms);
    line.from = begin_ms;
    line.to = tail.to_ms;
}

/// Joins gaps: one that went on goes on.
pub fn join_gaps(gaps: &mut Vec<Gap>, came: Vec<Gap>, from_ms: i64, begin_ms: i64) {
    gaps.retain(|gap| gap.to > begin_ms && gap.from < from_ms);
    for gap in came {
        match gaps.last_mut().filter(|last| last.to >= from_ms && gap.from <= from_ms) {
            Some(last) => *last = Gap { from: last.from, ..gap },
            None => gaps.push(gap),
        }
    }
}

/// Joins resets.
pub fn join_resets(resets: &mut Vec<Reset>, came: Vec<Reset>, from_ms: i64, begin_ms: i64) {
    resets.retain(|reset| reset.at >= begin_ms && reset.at < from_ms);
    resets.extend(came);
}

/// Joins what rules say: their bounds are as they came, and what fired on goes on.
pub fn join_alerts(alerts: &mut Vec<AlertMark>, came: Vec<AlertMark>, from_ms: i64, begin_ms: i64) {
    let before = std::mem::replace(alerts, came);
    for mark in alerts {
        let known = before.iter().find(|known| known.rule == mark.rule).map(|known| known.fired.as_slice()).unwrap_or_default();
        let known = known.iter().filter(|fired| fired.to > begin_ms && fired.from < from_ms);
        // Of one that fired still it was not known until when.
        let mut fired: Vec<Fired> = known.map(|fired| Fired { from: fired.from, to: fired.to.min(from_ms) }).collect();
        for one in mark.fired.drain(..) {
            match fired.last_mut().filter(|last| last.to >= from_ms && one.from <= from_ms) {
                Some(last) => last.to = one.to,
                None => fired.push(one),
            }
        }
        mark.fired = fired;
    }
}

/// About how much a counter grew between two instants, by its rates.
fn grown(line: &Series, from_ms: i64, to_ms: i64) -> f64 {
    let t = &line.columns.t;
    let ends = t.iter().skip(1).copied().chain([line.to]);
    let points = t.iter().zip(ends).zip(&line.columns.mean);
    let of_point = |((start, end), mean): ((&i64, i64), &Option<Number>)| {
        let inside = end.min(to_ms) - (*start).max(from_ms);
        #[expect(clippy::cast_precision_loss, reason = "spans are far below what a float can count")]
        let seconds = inside.max(0) as f64 / 1000.0;
        mean.map_or(0.0, |mean| mean.as_f64() * seconds)
    };
    points.map(of_point).sum()
}

/// A number of the same sort.
fn number_like(model: Number, value: f64) -> Number {
    match model {
        #[expect(clippy::cast_possible_truncation, reason = "it was a whole number, and is near to one")]
        Number::Int(_) => Number::Int(value.round().max(0.0) as i64),
        Number::Float(_) => Number::Float(value),
    }
}

#[cfg(test)]
mod tests;
