//! The points of a spark line as the stream tells them: a letter each, since a line of 18 pixels shows no more.

use serde::{Deserialize, Serialize};

/// The letters from the lowest to the highest point.
const LEVELS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
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

impl Spark {
    /// Points as letters; none where there are no points.
    #[must_use]
    pub fn of(points: impl ExactSizeIterator<Item = Option<f32>> + Clone) -> Option<Self> {
        if points.len() == 0 {
            return None;
        }
        let known = points.clone().flatten().filter(|point| point.is_finite());
        let low = known.clone().reduce(f32::min).unwrap_or_default();
        let high = known.reduce(f32::max).unwrap_or_default();
        let top = LEVELS.len() - 1;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of 63, rounded")]
        let letter = |point: f32| {
            let share = (f64::from(point) - f64::from(low)) / (f64::from(high) - f64::from(low)).max(f64::MIN_POSITIVE);
            LEVELS.get((share * top as f64).round() as usize).map_or(NOTHING, |letter| char::from(*letter))
        };
        let points = points.map(|point| point.filter(|point| point.is_finite()).map_or(NOTHING, letter)).collect();
        Some(Self { low, high, points })
    }

    /// The points again, as near as the letters tell.
    #[must_use]
    pub fn points(&self) -> Vec<Option<f32>> {
        let (low, high) = (f64::from(self.low), f64::from(self.high));
        let top = LEVELS.len() - 1;
        #[expect(clippy::cast_possible_truncation, reason = "between two such floats")]
        let point = |letter: u8| {
            let level = LEVELS.iter().position(|known| *known == letter)?;
            Some((low + (high - low) * (level as f64 / top as f64)) as f32)
        };
        self.points.bytes().map(point).collect()
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
