//! The samples of one series as readers get them: eight bytes a time, eight a value where all are whole numbers, as nearly always. They
//! must not know how they were stored.

use app::model::{Gap, Number};

/// The samples of one series, in the order of their recording.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Samples {
    /// Times, epoch milliseconds. They grow, but for where a clock was set back.
    pub at_ms: Vec<i64>,
    /// A value each; none where the box gave none.
    pub values: Values,
    /// The intervals the box was polled at: from which sample on, and milliseconds. The first run begins with the first sample.
    pub intervals: Vec<(usize, i64)>,
    /// Where stored bytes are damaged, and what of them: samples are missing there.
    pub damaged: Vec<Gap>,
}

impl Samples {
    /// None yet, and room for so many.
    pub(super) fn with_room_for(samples: usize) -> Self {
        Self { at_ms: Vec::with_capacity(samples), values: Values::Ints(Vec::with_capacity(samples)), ..Self::default() }
    }

    /// Adds one that was recorded after the others.
    pub fn push(&mut self, at_ms: i64, value: Option<Number>, interval_ms: i64) {
        self.interval_from_here(interval_ms);
        self.at_ms.push(at_ms);
        self.values.push(value);
    }

    /// Tells the interval of the samples that come next.
    pub(super) fn interval_from_here(&mut self, interval_ms: i64) {
        if self.intervals.last().is_none_or(|&(_, last)| last != interval_ms) {
            self.intervals.push((self.at_ms.len(), interval_ms));
        }
    }

    /// Times and values, one after the other.
    pub fn iter(&self) -> impl Iterator<Item = (i64, Option<Number>)> {
        self.at_ms.iter().copied().zip(self.values.iter())
    }

    /// The interval at a sample, milliseconds.
    #[must_use]
    pub fn interval_ms(&self, sample: usize) -> i64 {
        let run = self.intervals.partition_point(|&(from, _)| from <= sample);
        run.checked_sub(1).map_or(0, |run| self.intervals[run].1)
    }

    /// These samples in another order: `order` says which comes first, and so on.
    #[must_use]
    pub fn in_order(&self, order: &[usize]) -> Self {
        let mut samples = Self { damaged: self.damaged.clone(), ..Self::default() };
        for &i in order {
            samples.push(self.at_ms[i], self.values.get(i), self.interval_ms(i));
        }
        samples
    }
}

/// Values, as compact as they can be: `Numbers` holds at least one that is not a whole number.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// Each known and whole.
    Ints(Vec<i64>),
    /// Whatever they are.
    Numbers(Vec<Option<Number>>),
}

impl Default for Values {
    fn default() -> Self {
        Self::Ints(Vec::new())
    }
}

impl Values {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Ints(ints) => ints.len(),
            Self::Numbers(numbers) => numbers.len(),
        }
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One of them.
    #[must_use]
    pub fn get(&self, place: usize) -> Option<Number> {
        match self {
            Self::Ints(ints) => ints.get(place).copied().map(Number::Int),
            Self::Numbers(numbers) => numbers.get(place).copied().flatten(),
        }
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = Option<Number>> {
        (0..self.len()).map(|place| self.get(place))
    }

    /// Adds one.
    pub fn push(&mut self, value: Option<Number>) {
        match (&mut *self, value) {
            (Self::Ints(ints), Some(Number::Int(int))) => ints.push(int),
            (Self::Numbers(numbers), value) => numbers.push(value),
            (Self::Ints(ints), value) => {
                let ints = ints.iter().map(|&int| Some(Number::Int(int)));
                *self = Self::Numbers(ints.chain([value]).collect());
            }
        }
    }

    /// Adds whole numbers.
    pub(super) fn extend(&mut self, more: &[i64]) {
        match self {
            Self::Ints(ints) => ints.extend_from_slice(more),
            Self::Numbers(numbers) => numbers.extend(more.iter().map(|&int| Some(Number::Int(int)))),
        }
    }
}

impl FromIterator<Option<Number>> for Values {
    fn from_iter<I: IntoIterator<Item = Option<Number>>>(values: I) -> Self {
        let mut all = Self::default();
        values.into_iter().for_each(|value| all.push(value));
        all
    }
}
