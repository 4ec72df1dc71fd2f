//! The tiers of the history: samples themselves, and what they come to in a minute and in an hour. It must not know SQL.

/// A tier. The coarser, the greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tier {
    /// The samples themselves.
    Raw,
    /// Roll-ups of a minute.
    Minutes,
    /// Roll-ups of an hour.
    Hours,
}

impl Tier {
    /// All of them, the finest first.
    pub const ALL: [Self; 3] = [Self::Raw, Self::Minutes, Self::Hours];
    /// Those that are rolled up.
    pub const ROLLED: [Self; 2] = [Self::Minutes, Self::Hours];

    /// The word of the API and of the settings.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Minutes => "minute",
            Self::Hours => "hour",
        }
    }

    /// The length of a bucket, milliseconds; 0 where there are none.
    #[must_use]
    pub const fn bucket_ms(self) -> i64 {
        match self {
            Self::Raw => 0,
            Self::Minutes => 60_000,
            Self::Hours => 3_600_000,
        }
    }

    /// The coarsest tier that still has two buckets in so many milliseconds.
    #[must_use]
    pub fn for_width(width_ms: i64) -> Self {
        Self::ALL.into_iter().rev().find(|tier| tier.bucket_ms().saturating_mul(2) <= width_ms).unwrap_or(Self::Raw)
    }

    /// The number that samples are stored under.
    pub(super) const RAW: i64 = Self::Raw.number();

    /// The number it is stored under.
    pub(super) const fn number(self) -> i64 {
        match self {
            Self::Raw => 0,
            Self::Minutes => 1,
            Self::Hours => 2,
        }
    }

    /// The tier that is stored under a number.
    pub(super) fn of_number(number: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|tier| tier.number() == number)
    }

    /// All tiers in the order in which they stand in for this one: what is finer serves without loss, the nearest first.
    pub(super) fn preferred(self) -> impl Iterator<Item = Self> {
        let finer = Self::ALL.into_iter().rev().filter(move |tier| *tier <= self);
        finer.chain(Self::ALL.into_iter().filter(move |tier| *tier > self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_coarsest_with_two_points_a_pixel() {
        assert_eq!([0, 119_999, 120_000, 7_199_999, 7_200_000].map(Tier::for_width), {
            [Tier::Raw, Tier::Raw, Tier::Minutes, Tier::Minutes, Tier::Hours]
        });
        assert_eq!(Tier::Minutes.preferred().collect::<Vec<_>>(), [Tier::Minutes, Tier::Raw, Tier::Hours]);
    }
}
