//! When a value is as it must not be. Pure: the value, what it was, and whether the alert fires already, are passed in.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Verdict;
use crate::config::parse_duration;

/// How long after its start a box counts as restarted.
const RESTARTED_MS: i64 = 5 * 60_000;
/// The longest time that a condition looks back, a day but for comparisons.
const MAX_WITHIN_MS: i64 = 24 * 3_600_000;

/// What must not be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Condition {
    /// The value is above a bound.
    Above {
        /// The bound.
        threshold: f64,
        /// It fires until the value is not above this any more; left out: the bound.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        clear: Option<f64>,
    },
    /// The value is below a bound.
    Below {
        /// The bound.
        threshold: f64,
        /// It fires until the value is not below this any more; left out: the bound.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        clear: Option<f64>,
    },
    /// The value is below one bound or above the other.
    Outside {
        /// The lower bound.
        low: f64,
        /// The upper bound.
        high: f64,
        /// It fires until the value is so far within the bounds.
        #[serde(default)]
        margin: f64,
    },
    /// The value changed by so much, up or down.
    Changed {
        /// By so much at least.
        by: f64,
        /// Within such a time: `5m`.
        within: String,
    },
    /// There is no value, for as long as the alert must hold.
    NoData,
    /// The box gives no answer.
    BoxDown,
    /// The box started less than five minutes ago.
    Restarted,
    /// The value differs from what it was so long ago, as the mean of ten minutes around that.
    Compared {
        /// `24h` for yesterday, `7d` for last week.
        ago: String,
        /// By more than so many percent above it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        above: Option<f64>,
        /// By more than so many percent below it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        below: Option<f64>,
    },
}

/// What a condition looks at.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    /// The value; NaN where there is none.
    pub value: f64,
    /// Whether the box gave an answer.
    pub is_up: bool,
    /// How long ago the box started, where it says so.
    pub up_ms: Option<i64>,
    /// The smallest and the largest value within the time that the condition names.
    pub range: Option<(f64, f64)>,
    /// What it was so long ago as the condition names.
    pub before: Option<f64>,
}

impl Condition {
    /// Whether it needs a formula.
    #[must_use]
    pub fn is_of_value(&self) -> bool {
        !matches!(self, Self::BoxDown | Self::Restarted)
    }

    /// How long it remembers values, in milliseconds.
    #[must_use]
    pub fn within_ms(&self) -> Option<i64> {
        match self {
            Self::Changed { within, .. } => duration_ms(within),
            _ => None,
        }
    }

    /// How long ago it compares with, in milliseconds.
    #[must_use]
    pub fn ago_ms(&self) -> Option<i64> {
        match self {
            Self::Compared { ago, .. } => duration_ms(ago),
            _ => None,
        }
    }

    /// Whether all of it can be.
    ///
    /// # Errors
    /// A sentence: what is wrong.
    pub fn check(&self) -> Result<(), String> {
        let finite = |number: f64| if number.is_finite() { Ok(()) } else { Err("bounds are finite numbers".to_owned()) };
        match self {
            Self::Above { threshold, clear } => {
                finite(*threshold)?;
                finite(clear.unwrap_or_default())?;
                if clear.is_some_and(|clear| clear > *threshold) { Err("clear is at most the threshold".into()) } else { Ok(()) }
            }
            Self::Below { threshold, clear } => {
                finite(*threshold)?;
                finite(clear.unwrap_or_default())?;
                if clear.is_some_and(|clear| clear < *threshold) { Err("clear is at least the threshold".into()) } else { Ok(()) }
            }
            Self::Outside { low, high, margin } => {
                [*low, *high, *margin].into_iter().try_for_each(finite)?;
                let fits = low < high && *margin >= 0.0 && 2.0 * margin < high - low;
                if fits { Ok(()) } else { Err("low is below high, and the margin less than half of what lies between".into()) }
            }
            Self::Changed { by, within } => {
                finite(*by)?;
                let fits = duration_ms(within).is_some_and(|ms| (1_000..=MAX_WITHIN_MS).contains(&ms));
                if *by > 0.0 && fits { Ok(()) } else { Err("by is above 0, and within is 1s to 24h, such as 5m".into()) }
            }
            Self::Compared { ago, above, below } => {
                [above, below].into_iter().flatten().copied().try_for_each(finite)?;
                if !duration_ms(ago).is_some_and(|ms| (3_600_000..=366 * 24 * 3_600_000).contains(&ms)) {
                    return Err("ago is 1h to 366d, such as 24h or 7d".into());
                }
                let fits = |percent: &Option<f64>| percent.is_none_or(|percent| percent > 0.0);
                let is_some = above.is_some() || below.is_some();
                if is_some && fits(above) && fits(below) { Ok(()) } else { Err("above or below is a percentage over 0".into()) }
            }
            Self::NoData | Self::BoxDown | Self::Restarted => Ok(()),
        }
    }

    /// Whether it is so. `fires`: it was, long enough.
    #[must_use]
    pub fn judge(&self, seen: Seen, fires: bool) -> Verdict {
        let value = seen.value;
        let known = |broken: bool| if broken { Verdict::Broken } else { Verdict::Fine };
        match self {
            Self::BoxDown => known(!seen.is_up),
            Self::NoData => known(value.is_nan()),
            Self::Restarted => match seen.up_ms {
                _ if !seen.is_up => Verdict::Unknown,
                Some(up_ms) => known((0..RESTARTED_MS).contains(&up_ms)),
                None => Verdict::Unknown,
            },
            _ if value.is_nan() => Verdict::Unknown,
            Self::Above { threshold, clear } => known(value > if fires { clear.unwrap_or(*threshold) } else { *threshold }),
            Self::Below { threshold, clear } => known(value < if fires { clear.unwrap_or(*threshold) } else { *threshold }),
            Self::Outside { low, high, margin } => {
                let margin = if fires { *margin } else { 0.0 };
                known(value < low + margin || value > high - margin)
            }
            Self::Changed { by, .. } => match seen.range {
                Some((lowest, highest)) => known(value - lowest >= *by || highest - value >= *by),
                None => Verdict::Unknown,
            },
            Self::Compared { above, below, .. } => match seen.before {
                Some(before) => {
                    let is_above = above.is_some_and(|percent| value > before + before.abs() * percent / 100.0);
                    known(is_above || below.is_some_and(|percent| value < before - before.abs() * percent / 100.0))
                }
                None => Verdict::Unknown,
            },
        }
    }

    /// Above and below which value it is so, where that is always the same.
    #[must_use]
    pub fn bounds(&self) -> (Option<f64>, Option<f64>) {
        match self {
            Self::Above { threshold, .. } => (Some(*threshold), None),
            Self::Below { threshold, .. } => (None, Some(*threshold)),
            Self::Outside { low, high, .. } => (Some(*high), Some(*low)),
            _ => (None, None),
        }
    }

    /// In words: `above 90`.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Above { threshold, .. } => format!("above {threshold}"),
            Self::Below { threshold, .. } => format!("below {threshold}"),
            Self::Outside { low, high, .. } => format!("outside {low} to {high}"),
            Self::Changed { by, within } => format!("changed by {by} within {within}"),
            Self::NoData => "without a value".to_owned(),
            Self::BoxDown => "no answer".to_owned(),
            Self::Restarted => "restarted".to_owned(),
            Self::Compared { ago, above, below } => {
                let part = |percent: &Option<f64>, word: &str| percent.map(|percent| format!("{percent} % {word}"));
                let parts: Vec<String> = part(above, "above").into_iter().chain(part(below, "below")).collect();
                format!("{} what it was {ago} before", parts.join(" or "))
            }
        }
    }
}

/// A time such as `5m` or `7d`, in milliseconds.
pub(super) fn duration_ms(text: &str) -> Option<i64> {
    parse_duration(text).ok().and_then(|time| i64::try_from(time.as_millis()).ok())
}

/// What a condition says of a point of a history, which has a smallest and a largest value. `past` are the points up to this one.
#[must_use]
pub fn judge_point(condition: &Condition, (low, high): (f64, f64), past: &[(i64, f64, f64)], before: Option<f64>, fires: bool) -> Verdict {
    let range = condition.within_ms().and_then(|within_ms| {
        let now_ms = past.last()?.0;
        let within = past.iter().rev().take_while(|(at_ms, ..)| *at_ms >= now_ms - within_ms).filter(|(_, low, _)| !low.is_nan());
        within.map(|&(_, low, high)| (low, high)).reduce(|one, other| (one.0.min(other.0), one.1.max(other.1)))
    });
    let judge = |value: f64| condition.judge(Seen { value, is_up: true, up_ms: None, range, before }, fires);
    match (judge(low), judge(high)) {
        (Verdict::Broken, _) | (_, Verdict::Broken) => Verdict::Broken,
        (Verdict::Unknown, _) | (_, Verdict::Unknown) => Verdict::Unknown,
        _ => Verdict::Fine,
    }
}
