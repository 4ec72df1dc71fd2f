//! The steps from one sample to the next, as a roll-up keeps them: how many, how far, how quickly at least and at most. It must not know
//! what they are stepping in, nor SQL.

use app::model::Number;

/// A number that is rolled up.
pub(super) trait Amount: Copy + Default + PartialOrd + std::ops::Add<Output = Self> + std::ops::Sub<Output = Self> {
    fn of(number: Number) -> Option<Self>;
    fn number(self) -> Number;
    fn as_f64(self) -> f64;
}

impl Amount for i64 {
    fn of(number: Number) -> Option<Self> {
        match number {
            Number::Int(int) => Some(int),
            Number::Float(_) => None,
        }
    }

    fn number(self) -> Number {
        Number::Int(self)
    }

    #[expect(clippy::cast_precision_loss, reason = "a rate is a float")]
    fn as_f64(self) -> f64 {
        self as f64
    }
}

impl Amount for f64 {
    /// What is not finite is not drawn, and has no sum.
    fn of(number: Number) -> Option<Self> {
        Some(number.as_f64()).filter(|float| float.is_finite())
    }

    fn number(self) -> Number {
        Number::Float(self)
    }

    fn as_f64(self) -> f64 {
        self
    }
}

/// From one sample to the next.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Step<T> {
    pub(super) increase: T,
    pub(super) took_ms: i64,
}

/// Some steps together.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Steps<T> {
    pub(super) count: i64,
    pub(super) increase: T,
    pub(super) took_ms: i64,
    /// The one with the lowest rate, and the one with the highest.
    pub(super) least: Step<T>,
    pub(super) most: Step<T>,
}

impl<T: Amount> Steps<T> {
    /// These steps and those that fall.
    pub(super) fn and(self, falls: Self) -> Self {
        if self.count == 0 || falls.count == 0 {
            return if self.count == 0 { falls } else { self };
        }
        Self {
            count: self.count + falls.count,
            increase: self.increase + falls.increase,
            took_ms: self.took_ms + falls.took_ms,
            least: falls.least,
            most: self.most,
        }
    }
}

/// Steps while they are added, with the rates of the lowest and the highest, since a division takes as long as all else.
pub(super) struct Gathered<T> {
    pub(super) steps: Steps<T>,
    least: f64,
    most: f64,
}

impl<T: Amount> Gathered<T> {
    pub(super) fn on(steps: Steps<T>) -> Self {
        let rate = |step: Step<T>, none| if steps.count == 0 { none } else { step.rate() };
        Self { steps, least: rate(steps.least, f64::INFINITY), most: rate(steps.most, f64::NEG_INFINITY) }
    }

    #[inline]
    pub(super) fn add(&mut self, step: Step<T>) {
        self.steps.count += 1;
        self.steps.increase = self.steps.increase + step.increase;
        self.steps.took_ms += step.took_ms;
        let rate = step.rate();
        if rate < self.least {
            (self.least, self.steps.least) = (rate, step);
        }
        if rate > self.most {
            (self.most, self.steps.most) = (rate, step);
        }
    }
}

impl<T: Amount> Step<T> {
    /// The increase a second.
    #[expect(clippy::cast_precision_loss, reason = "milliseconds between two polls")]
    #[inline]
    pub(super) fn rate(self) -> f64 {
        self.increase.as_f64() * 1_000.0 / self.took_ms as f64
    }
}
