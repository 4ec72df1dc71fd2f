//! Equal buckets of first, min, max, mean, last: M4, by which a line at this width is drawn exactly and no spike is lost.
//! (Jugel and others, "M4: A Visualization-Oriented Time Series Data Aggregation", VLDB 2014.)

use std::ops::Range;

use app::model::{Columns, Number};

use super::{Span, drawable, line::Line};

/// What a bucket has seen. Integers and floats are kept apart, so that the loop compares without branches and sums exactly.
struct Bucket {
    first: Number,
    last: Number,
    ints: u64,
    int_min: i64,
    int_max: i64,
    int_sum: i128,
    floats: u64,
    float_min: f64,
    float_max: f64,
    float_sum: f64,
}

/// At most `span.points` buckets over the whole span; those without values are null. The samples `range` lie within the span.
pub(super) fn buckets(at_ms: &[i64], line: &Line<'_>, range: Range<usize>, span: Span) -> Columns {
    let mut columns = Columns::default();
    let mut sample = range.start;
    for (start_ms, next_ms) in span.buckets() {
        let inside = at_ms[sample..range.end].iter().take_while(|&&at| at < next_ms).count();
        push(&mut columns, start_ms, Bucket::of(line, sample..sample + inside).as_ref());
        sample += inside;
    }
    columns
}

impl Bucket {
    const EMPTY: Self = Self {
        first: Number::Int(0),
        last: Number::Int(0),
        ints: 0,
        int_min: i64::MAX,
        int_max: i64::MIN,
        int_sum: 0,
        floats: 0,
        float_min: f64::INFINITY,
        float_max: f64::NEG_INFINITY,
        float_sum: 0.0,
    };

    fn of(line: &Line<'_>, range: Range<usize>) -> Option<Self> {
        let first = range.clone().find_map(|sample| line.get(sample))?;
        let last = range.clone().rev().find_map(|sample| line.get(sample))?;
        let mut bucket = Self { first, last, ..Self::EMPTY };
        match line {
            Line::Ints(ints) => ints[range].iter().for_each(|&int| bucket.int(int)),
            Line::Rates(rates) => rates[range].iter().for_each(|&rate| bucket.float(rate)),
            Line::Steps(steps) => steps.for_each(range, |rate| bucket.float(rate)),
            Line::Numbers(numbers) => bucket.numbers(&numbers[range]),
            Line::Grown(grown) => bucket.numbers(&grown[range]),
        }
        Some(bucket)
    }

    fn numbers(&mut self, numbers: &[Option<Number>]) {
        for &number in numbers {
            match drawable(number) {
                Some(Number::Int(int)) => self.int(int),
                Some(Number::Float(float)) => self.float(float),
                None => {}
            }
        }
    }

    #[inline]
    fn int(&mut self, int: i64) {
        self.ints += 1;
        self.int_min = self.int_min.min(int);
        self.int_max = self.int_max.max(int);
        self.int_sum += i128::from(int);
    }

    /// Takes no notice of what is no number.
    #[inline]
    fn float(&mut self, float: f64) {
        let is_number = !float.is_nan();
        self.floats += u64::from(is_number);
        self.float_min = self.float_min.min(float);
        self.float_max = self.float_max.max(float);
        self.float_sum += if is_number { float } else { 0.0 };
    }

    fn min(&self) -> Number {
        let (int, float) = (Number::Int(self.int_min), Number::Float(self.float_min));
        if self.floats == 0 || (self.ints > 0 && int.as_f64() <= self.float_min) { int } else { float }
    }

    fn max(&self) -> Number {
        let (int, float) = (Number::Int(self.int_max), Number::Float(self.float_max));
        if self.floats == 0 || (self.ints > 0 && int.as_f64() >= self.float_max) { int } else { float }
    }

    #[expect(clippy::cast_precision_loss, reason = "a mean is a float")]
    fn mean(&self) -> Number {
        Number::Float((self.int_sum as f64 + self.float_sum) / (self.ints + self.floats) as f64)
    }
}

fn push(columns: &mut Columns, start_ms: i64, bucket: Option<&Bucket>) {
    columns.t.push(start_ms);
    columns.first.push(bucket.map(|bucket| bucket.first));
    columns.min.push(bucket.map(Bucket::min));
    columns.max.push(bucket.map(Bucket::max));
    columns.mean.push(bucket.map(Bucket::mean));
    columns.last.push(bucket.map(|bucket| bucket.last));
}
