//! The points of a spark line as they are told: by one of 64 levels each, since a line of 18 pixels shows no more. The stream has a letter
//! for each level; how a page has them, [`crate::course`] knows.

use serde::{Deserialize, Serialize};

/// The letters from the lowest to the highest point.
const LEVELS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
/// The highest level.
pub const TOP_LEVEL: usize = LEVELS.len() - 1;
/// So many points a spark line has.
pub const SPARK_POINTS: usize = 40;
/// The letter of a point without a value.
const NOTHING: char = '.';

/// The latest points of a spark line, oldest first. As JSON, `[low, high, points]`: there are as many as statistics.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "(f32, f32, String)", into = "(f32, f32, String)")]
pub struct Spark {
    /// The lowest of them.
    pub low: f32,
    /// The highest.
    pub high: f32,
    /// A letter a point: `A` is `low`, then `B` to `Z`, `a` to `z`, `0` to `9` and `-` in even steps, and `_` is `high`; `.` has no value.
    pub points: String,
}

impl From<(f32, f32, String)> for Spark {
    fn from((low, high, points): (f32, f32, String)) -> Self {
        Self { low, high, points }
    }
}

impl From<Spark> for (f32, f32, String) {
    fn from(spark: Spark) -> Self {
        (spark.low, spark.high, spark.points)
    }
}

/// The lowest and the highest of points; nothing is known of none.
#[must_use]
pub fn ends(points: impl Iterator<Item = Option<f32>>) -> (f32, f32) {
    let mut known = points.flatten().filter(|point| point.is_finite());
    let first = known.next().unwrap_or_default();
    known.fold((first, first), |(low, high), point| (low.min(point), high.max(point)))
}

/// The level of a point between two ends, from 0 to [`TOP_LEVEL`].
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of 63, rounded")]
#[must_use]
pub fn level(point: Option<f32>, (low, high): (f32, f32)) -> Option<usize> {
    let point = point.filter(|point| point.is_finite())?;
    let share = (f64::from(point) - f64::from(low)) / (f64::from(high) - f64::from(low)).max(f64::MIN_POSITIVE);
    Some((share * TOP_LEVEL as f64).round() as usize)
}

/// The point of a level between two ends.
#[expect(clippy::cast_possible_truncation, reason = "between two such floats")]
#[must_use]
pub fn of_level(level: usize, (low, high): (f32, f32)) -> f32 {
    (f64::from(low) + (f64::from(high) - f64::from(low)) * (level as f64 / TOP_LEVEL as f64)) as f32
}

impl Spark {
    /// Points as letters; none where there are no points.
    #[must_use]
    pub fn of(points: impl ExactSizeIterator<Item = Option<f32>> + Clone) -> Option<Self> {
        if points.len() == 0 {
            return None;
        }
        let (low, high) = ends(points.clone());
        let letter = |level: usize| LEVELS.get(level).map(|letter| char::from(*letter));
        let points = points.map(|point| level(point, (low, high)).and_then(letter).unwrap_or(NOTHING)).collect();
        Some(Self { low, high, points })
    }

    /// The points again, as near as the letters tell.
    #[must_use]
    pub fn points(&self) -> Vec<Option<f32>> {
        let level = |letter: u8| LEVELS.iter().position(|known| *known == letter);
        self.points.bytes().map(|letter| level(letter).map(|level| of_level(level, (self.low, self.high)))).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(points: &[Option<f32>]) -> Spark {
        Spark::of(points.iter().copied()).unwrap()
    }

    #[test]
    fn a_letter_a_point() {
        let spark = of(&[Some(10.0), None, Some(73.0), Some(11.0), Some(f32::NAN)]);
        assert_eq!(spark, Spark { low: 10.0, high: 73.0, points: "A._B.".to_owned() });
        assert_eq!(spark.points(), [Some(10.0), None, Some(73.0), Some(11.0), None]);
        assert_eq!(Spark::of([].into_iter()), None);
    }

    #[test]
    fn what_stands_still_is_exact() {
        assert_eq!(of(&[Some(63_963_136.0); 3]).points(), [Some(63_963_136.0); 3]);
        assert_eq!(of(&[None, None]).points(), [None, None]);
    }

    proptest! {
        /// Half a step off at most, the ends exactly, and nothing appears or is lost.
        #[test]
        fn points_come_back(points in prop::collection::vec(prop::option::of(prop::num::f32::NORMAL | prop::num::f32::ZERO), 1..50)) {
            let spark = of(&points);
            let back = spark.points();
            prop_assert_eq!(back.len(), points.len());
            let step = (f64::from(spark.high) - f64::from(spark.low)) / 63.0;
            for (back, point) in back.iter().zip(&points) {
                prop_assert_eq!(back.is_some(), point.is_some());
                if let (Some(back), Some(point)) = (back, point) {
                    prop_assert!((f64::from(*back) - f64::from(*point)).abs() <= step * 0.5001, "{} for {}", back, point);
                    prop_assert!((*point != spark.low && *point != spark.high) || back == point);
                }
            }
        }
    }
}
