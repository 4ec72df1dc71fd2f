//! The course of a statistic as a path of SVG, and back: what a page draws is also what the browser goes on from, so that nothing is told
//! twice. A page has thousands of points: each is told by how far it is from the one before, which takes few bytes, and fewer compressed.

use crate::model::{
    SPARK_POINTS,
    spark::{TOP_LEVEL, ends, level, of_level},
};

/// What the path is drawn in: a step to the right is eight units, a level one. Around the levels the stroke has its room.
pub const VIEW_BOX: &str = "0 -3.6 312 70.2";
/// From point to point.
const STEP: usize = 8;
/// How far below the highest level one lies that does not move.
const FLAT: usize = 51;

/// Adds the path of the newest points, oldest first, the last at the right edge. Gaps break it, and what does not move lies low.
pub fn push(path: &mut String, points: &[Option<f32>]) {
    let points = newest(points);
    let ends = ends(points.iter().copied());
    let is_flat = ends.0 >= ends.1;
    let down = |point: Option<f32>| level(point, ends).map(|level| if is_flat { FLAT } else { TOP_LEVEL - level });
    let mut before = None;
    let mut flat = 0;
    for (index, point) in (SPARK_POINTS - points.len()..).zip(points) {
        let now = down(*point);
        if now.is_some() && now == before {
            flat += STEP;
            continue;
        }
        finish(path, &mut flat);
        match (before, now) {
            (Some(before), Some(now)) => {
                push_whole(path, 'l', STEP);
                push_whole(path, if now < before { '-' } else { ' ' }, now.abs_diff(before));
            }
            (None, Some(now)) => {
                push_whole(path, 'M', index * STEP);
                push_whole(path, ' ', now);
                if points.get(index + 1 + points.len() - SPARK_POINTS).is_none_or(|next| down(*next).is_none()) {
                    // A stroke of no length draws nothing: a lone point gets a short one.
                    path.push_str("h-4");
                }
            }
            (_, None) => {}
        }
        before = now;
    }
    finish(path, &mut flat);
}

/// The path by itself.
#[must_use]
pub fn path(points: &[Option<f32>]) -> String {
    let mut path = String::with_capacity(points.len() * 5);
    push(&mut path, points);
    path
}

/// What a page says beside the path so that its points can be read: their ends, or the one value that all have.
#[must_use]
pub fn range(points: &[Option<f32>]) -> String {
    let (low, high) = ends(newest(points).iter().copied());
    if low < high { format!("{low} {high}") } else { low.to_string() }
}

/// The points of a path between these ends, as near as its levels tell: as many as a line has, of which those that were not yet have no
/// value. What cannot be read is left out.
#[must_use]
pub fn points(path: &str, ends: (f32, f32)) -> Vec<Option<f32>> {
    let whole = |text: &str| text.parse::<usize>().unwrap_or_default();
    let mut points = Vec::with_capacity(SPARK_POINTS);
    let mut down = 0;
    let mut rest = path;
    while let Some(told) = rest.get(1..) {
        let (numbers, later) = told.split_at(told.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(told.len()));
        let mut times = 1;
        if rest.starts_with('h') {
            // The short stroke of a lone point is no step.
            times = (whole(numbers) / STEP).min(SPARK_POINTS);
        } else if let Some((x, y)) = numbers.split_once(' ').filter(|_| rest.starts_with('M')) {
            points.resize((whole(x) / STEP).min(SPARK_POINTS), None);
            down = whole(y);
        } else if let Some(up) = numbers.split_once('-').map(|(_, up)| up) {
            down = down.saturating_sub(whole(up));
        } else if let Some((_, by)) = numbers.split_once(' ') {
            down = down.saturating_add(whole(by));
        }
        let point = of_level(TOP_LEVEL.saturating_sub(down), ends);
        points.resize(points.len() + times, Some(point));
        rest = later;
    }
    points.resize(SPARK_POINTS, None);
    points
}

fn newest(points: &[Option<f32>]) -> &[Option<f32>] {
    &points[points.len().saturating_sub(SPARK_POINTS)..]
}

fn finish(path: &mut String, flat: &mut usize) {
    if *flat > 0 {
        push_whole(path, 'h', *flat);
    }
    *flat = 0;
}

/// Adds a number below a thousand behind a word: a page has thousands of them, and to format each would take as long as all else of it.
fn push_whole(path: &mut String, word: char, number: usize) {
    #[expect(clippy::cast_possible_truncation, reason = "a digit")]
    let digit = |number: usize| char::from(b'0' + (number % 10) as u8);
    path.push(word);
    if number >= 100 {
        path.push(digit(number / 100));
    }
    if number >= 10 {
        path.push(digit(number / 10));
    }
    path.push(digit(number));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::Spark;

    /// A line at its beginning: what comes before has no value.
    fn check(points: &[Option<f32>], drawn: &str) {
        assert_eq!(path(points), drawn, "{points:?}");
    }

    #[test]
    fn a_course_is_drawn_from_the_right_edge_and_breaks_at_gaps() {
        check(&[], "");
        check(&[Some(f32::NAN), None], "");
        check(&[Some(1.0)], "M312 51h-4");
        check(&[Some(1.0), Some(1.0)], "M304 51h8");
        check(&[Some(0.0), None, Some(1.0), Some(0.0)], "M288 63h-4M304 0l8 63");
        check(&[Some(0.0), Some(0.0), Some(0.0), Some(2.0), Some(2.0), None], "M272 63h16l8-63h8");
        check(&[Some(0.3), Some(0.0), Some(1.0)], "M296 44l8 19l8-63");
        let mut many = vec![Some(7.0); SPARK_POINTS + 3];
        check(&many, "M0 51h312");
        many[SPARK_POINTS] = Some(8.0);
        check(&many, "M0 63h288l8-63l8 63h8");
    }

    #[test]
    fn a_page_says_the_ends() {
        assert_eq!(range(&[Some(-1.5), None, Some(63_963_136.0)]), "-1.5 63963136");
        assert_eq!(range(&[Some(5.0); 3]), "5");
        assert_eq!(range(&[None]), "0");
    }

    proptest! {
        /// What a page shows is what a snapshot tells: where both have the same points, nobody sees which it was.
        #[test]
        fn a_course_is_read_back(
            known in prop::collection::vec(prop::option::of(prop_oneof![(0..4_i8).prop_map(f32::from), prop::num::f32::NORMAL]), 0..50),
        ) {
            let told = range(&known);
            let ends: Vec<f32> = told.split(' ').map(|end| end.parse().unwrap()).collect();
            let back = points(&path(&known), (ends[0], ends[ends.len() - 1]));
            let newest = &known[known.len().saturating_sub(SPARK_POINTS)..];
            let spark = Spark::of(newest.iter().copied()).map(|spark| spark.points()).unwrap_or_default();
            let before = vec![None; SPARK_POINTS - spark.len()];
            prop_assert_eq!(&back, &[before, spark].concat());
            // And drawn again it is the same.
            prop_assert_eq!(path(&back), path(&known));
        }

        #[test]
        fn any_text_is_read_without_harm(text in "[Mlh0-9 .-]{0,200}|.{0,60}") {
            prop_assert_eq!(points(&text, (0.0, 1.0)).len(), SPARK_POINTS);
        }
    }
}
