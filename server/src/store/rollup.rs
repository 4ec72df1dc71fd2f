//! Roll-ups as readers get them: buckets in the order of time, and the steps that need to be looked at. It must not know how they were
//! stored.

use app::model::{Gap, Number};

use super::roll::{Buckets, GAP_INTERVALS, MarkedStep, Record, Records, Rolled};
use super::steps::{Amount, Steps};
use super::tier::Tier;

/// What a series did over a span, in buckets.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rollup {
    /// The tier whose buckets they are.
    pub tier: Option<Tier>,
    /// In the order of time; those without samples are not there.
    pub buckets: Vec<Bucket>,
    /// Steps that no bucket has: those that marks lie in, and those from one stored piece to the next, in the order of recording.
    /// None crosses a gap.
    pub steps: Vec<MarkedStep>,
    /// Spans that the clock ran through more than once.
    pub repeated: Vec<(i64, i64)>,
    /// Where stored bytes are damaged, and what of them: samples are missing there.
    pub damaged: Vec<Gap>,
}

/// What a series did in a bucket.
#[derive(Clone, Debug, PartialEq)]
pub struct Bucket {
    /// Its start, epoch milliseconds.
    pub start_ms: i64,
    /// Its first and last sample, epoch milliseconds.
    pub first_ms: i64,
    /// See `first_ms`.
    pub last_ms: i64,
    /// The longest interval the box was polled at, milliseconds.
    pub interval_ms: i64,
    /// Its samples.
    pub samples: i64,
    /// Its values; none where the box gave none.
    pub values: Option<Summary>,
    /// The steps to its samples that go up or nowhere.
    pub rises: Rates,
    /// Those that go down.
    pub falls: Rates,
    /// All steps, of what is so often both that it is not kept which were which.
    pub mixed: Rates,
}

/// Values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Summary {
    /// The first of them, and so on.
    pub first: Number,
    /// See `first`.
    pub last: Number,
    /// See `first`.
    pub min: Number,
    /// See `first`.
    pub max: Number,
    /// How many there are.
    pub count: i64,
    /// What they are on average; none where that is not kept: of what grew and never fell.
    pub mean: Option<f64>,
}

/// Steps, as increases a second.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rates {
    /// How many there are.
    pub count: i64,
    /// By how much all of them.
    pub increase: f64,
    /// How long all of them took, milliseconds.
    pub took_ms: i64,
    /// The lowest rate.
    pub least: f64,
    /// The highest.
    pub most: f64,
}

/// One stored piece, rolled up: a span, or the head.
pub(super) struct Part {
    pub(super) buckets: Buckets,
    pub(super) rolled: Rolled,
}

/// The end of a piece: when, at which interval, and the value.
type End = (i64, i64, Option<Number>);

impl Rollup {
    /// Of pieces in the order of recording; of buckets only those that touch `from_ms..to_ms`.
    pub(super) fn of(parts: &[Part], tier: Tier, from_ms: i64, to_ms: i64) -> Self {
        let bucket_ms = tier.bucket_ms().max(1);
        let mut rollup = Self { tier: Some(tier), ..Self::default() };
        let mut before: Option<End> = None;
        for Part { buckets, rolled } in parts {
            let Some((first, last)) = rolled.ends(buckets) else { continue };
            if let Some((at_ms, interval_ms, value)) = before {
                let longest_ms = interval_ms.max(first.1).saturating_mul(GAP_INTERVALS);
                if first.0 < at_ms {
                    rollup.repeated.push((first.0, at_ms));
                } else if let (Some(before), Some(value)) = (value, first.2)
                    && first.0.saturating_sub(at_ms) <= longest_ms
                {
                    rollup.steps.push(MarkedStep { from_ms: at_ms, before, to_ms: first.0, value });
                }
            }
            rollup.steps.extend(&rolled.marked);
            let touches = |bucket: &Bucket| bucket.last_ms >= from_ms && bucket.first_ms < to_ms;
            rollup.buckets.extend(rolled.buckets(buckets, bucket_ms).into_iter().filter(touches));
            before = Some(last);
        }
        rollup.steps.retain(|step| (from_ms..to_ms).contains(&step.to_ms));
        rollup.buckets.sort_by_key(|bucket| bucket.start_ms);
        rollup.buckets.dedup_by(|next, bucket| {
            let same = next.start_ms == bucket.start_ms;
            if same {
                bucket.join(next);
            }
            same
        });
        rollup
    }

    /// The samples of all buckets.
    #[must_use]
    pub fn samples(&self) -> i64 {
        self.buckets.iter().map(|bucket| bucket.samples).sum()
    }
}

impl Rolled {
    /// Its first and last sample.
    fn ends(&self, buckets: &Buckets) -> Option<(End, End)> {
        match &self.records {
            Records::Ints(records) => ends(records, buckets, self.begins_known, self.ends_known),
            Records::Floats(records) => ends(records, buckets, self.begins_known, self.ends_known),
        }
    }

    /// Its buckets, by a start that may be that of a coarser tier.
    fn buckets(&self, buckets: &Buckets, bucket_ms: i64) -> Vec<Bucket> {
        match &self.records {
            Records::Ints(records) => self.told(records, buckets, bucket_ms),
            Records::Floats(records) => self.told(records, buckets, bucket_ms),
        }
    }

    fn told<T: Amount>(&self, records: &[Record<T>], buckets: &Buckets, bucket_ms: i64) -> Vec<Bucket> {
        records.iter().enumerate().filter_map(|(place, record)| self.bucket(record, buckets, place, bucket_ms)).collect()
    }

    fn bucket<T: Amount>(&self, record: &Record<T>, buckets: &Buckets, place: usize, bucket_ms: i64) -> Option<Bucket> {
        if record.samples == 0 {
            return None;
        }
        let start_ms = buckets.start_ms[place];
        let count = record.samples - record.unknown;
        let mean = || record.first.as_f64() + record.excess.as_f64() / count.as_f64();
        let values = record.is_known().then(|| Summary {
            first: record.first.number(),
            last: record.last.number(),
            min: record.min.number(),
            max: record.max.number(),
            count,
            mean: (self.sums || record.min == record.max).then(mean),
        });
        let steps = Rates::of(&record.rises);
        let (rises, mixed) = if self.apart { (steps, Rates::default()) } else { (Rates::default(), steps) };
        Some(Bucket {
            start_ms: start_ms - start_ms.rem_euclid(bucket_ms),
            first_ms: record.first_ms,
            last_ms: record.last_ms,
            interval_ms: buckets.interval_ms[place],
            samples: record.samples,
            values,
            rises,
            falls: Rates::of(&record.falls),
            mixed,
        })
    }
}

fn ends<T: Amount>(records: &[Record<T>], buckets: &Buckets, begins_known: bool, ends_known: bool) -> Option<(End, End)> {
    let first = records.iter().position(|record| record.samples > 0)?;
    let last = records.iter().rposition(|record| record.samples > 0)?;
    let begin = (records[first].first_ms, buckets.interval_ms[first], begins_known.then(|| records[first].first.number()));
    Some((begin, (records[last].last_ms, buckets.interval_ms[last], ends_known.then(|| records[last].last.number()))))
}

impl Bucket {
    /// Adds what was recorded after it.
    fn join(&mut self, other: &Self) {
        self.values = match (self.values, other.values) {
            (Some(values), Some(more)) => Some(if other.first_ms < self.first_ms { more.then(values) } else { values.then(more) }),
            (values, more) => values.or(more),
        };
        self.first_ms = self.first_ms.min(other.first_ms);
        self.last_ms = self.last_ms.max(other.last_ms);
        self.interval_ms = self.interval_ms.max(other.interval_ms);
        self.samples += other.samples;
        self.rises = self.rises.and(other.rises);
        self.falls = self.falls.and(other.falls);
        self.mixed = self.mixed.and(other.mixed);
    }
}

impl Summary {
    /// These values and then others.
    #[must_use]
    pub fn then(self, other: Self) -> Self {
        let lower = other.min.as_f64() < self.min.as_f64();
        let higher = other.max.as_f64() > self.max.as_f64();
        let count = self.count + other.count;
        // As an increase over one of them, which loses least where values are large.
        let mean = self.mean.zip(other.mean).map(|(mean, more)| mean + (more - mean) * (other.count.as_f64() / count.as_f64()));
        Self {
            first: self.first,
            last: other.last,
            min: if lower { other.min } else { self.min },
            max: if higher { other.max } else { self.max },
            count,
            mean,
        }
    }
}

impl Rates {
    /// Of one step.
    #[must_use]
    pub fn of_one(increase: f64, took_ms: i64) -> Self {
        let rate = increase * 1_000.0 / took_ms.as_f64();
        Self { count: 1, increase, took_ms, least: rate, most: rate }
    }

    fn of<T: Amount>(steps: &Steps<T>) -> Self {
        if steps.count == 0 {
            return Self::default();
        }
        let (least, most) = (steps.least.rate(), steps.most.rate());
        Self { count: steps.count, increase: steps.increase.as_f64(), took_ms: steps.took_ms, least, most }
    }

    /// These steps and others.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        if self.count == 0 || other.count == 0 {
            return if self.count == 0 { other } else { self };
        }
        Self {
            count: self.count + other.count,
            increase: self.increase + other.increase,
            took_ms: self.took_ms + other.took_ms,
            least: self.least.min(other.least),
            most: self.most.max(other.most),
        }
    }

    /// The increase a second of all of them; none where there are none.
    #[must_use]
    pub fn mean(self) -> Option<f64> {
        (self.count > 0).then(|| self.increase * 1_000.0 / self.took_ms.as_f64())
    }
}
