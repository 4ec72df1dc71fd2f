//! Equal buckets of first, min, max, mean, last: M4, by which a line at this width is drawn exactly and no spike is lost.
//! (Jugel and others, "M4: A Visualization-Oriented Time Series Data Aggregation", VLDB 2014.)

use app::model::{Columns, Number};

use super::{Span, drawable};

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

/// At most `span.points` buckets over the whole span; those without values are null. The values lie within the span.
pub(super) fn buckets(at_ms: &[i64], values: &[Option<Number>], span: Span) -> Columns {
    let points = i64::try_from(span.points).unwrap_or(i64::MAX);
    let length_ms = span.to_ms.saturating_sub(span.from_ms);
    if points == 0 || length_ms <= 0 {
        return Columns::default();
    }
    let width_ms = length_ms / points + i64::from(length_ms % points != 0);
    let mut columns = Columns::default();
    let (mut rest_at, mut rest) = (at_ms, values);
    let mut start_ms = span.from_ms;
    while start_ms < span.to_ms {
        let next_ms = start_ms.saturating_add(width_ms).min(span.to_ms);
        let inside = rest_at.iter().take_while(|&&at| at < next_ms).count();
        let (bucket, after) = rest.split_at(inside);
        push(&mut columns, start_ms, Bucket::of(bucket).as_ref());
        (rest_at, rest) = (&rest_at[inside..], after);
        start_ms = next_ms;
    }
    columns
}

impl Bucket {
    fn of(values: &[Option<Number>]) -> Option<Self> {
        let first = values.iter().find_map(|value| drawable(*value))?;
        let last = values.iter().rev().find_map(|value| drawable(*value))?;
        let mut bucket = Self {
            first,
            last,
            ints: 0,
            int_min: i64::MAX,
            int_max: i64::MIN,
            int_sum: 0,
            floats: 0,
            float_min: f64::INFINITY,
            float_max: f64::NEG_INFINITY,
            float_sum: 0.0,
        };
        for value in values {
            match *value {
                Some(Number::Int(int)) => {
                    bucket.ints += 1;
                    bucket.int_min = bucket.int_min.min(int);
                    bucket.int_max = bucket.int_max.max(int);
                    bucket.int_sum += i128::from(int);
                }
                Some(Number::Float(float)) if float.is_finite() => {
                    bucket.floats += 1;
                    bucket.float_min = bucket.float_min.min(float);
                    bucket.float_max = bucket.float_max.max(float);
                    bucket.float_sum += float;
                }
                _ => {}
            }
        }
        Some(bucket)
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
