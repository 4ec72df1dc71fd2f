//! The newest points of a box's spark lines, in one piece: a poll writes one row of it. A line each would take thrice the memory, and a
//! poll of many boxes would wait for that memory at every statistic. It must not know what the points are of.

pub use app::model::SPARK_POINTS;

/// The newest points of each line.
#[derive(Clone, Debug, Default)]
pub struct Sparks {
    /// Rows, one a poll, each with a point of every line; NaN is none.
    points: Vec<f32>,
    /// The place of the oldest row.
    oldest: usize,
    /// How many points each line has: one that came later has less of them than there are rows.
    lengths: Vec<usize>,
}

impl Sparks {
    /// How many lines there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lengths.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lengths.is_empty()
    }

    fn rows(&self) -> usize {
        self.points.len().checked_div(self.len()).unwrap_or_default()
    }

    /// The points of a line, oldest first.
    pub fn line(&self, place: usize) -> impl ExactSizeIterator<Item = Option<f32>> + Clone {
        let (rows, width) = (self.rows(), self.len());
        let length = self.lengths.get(place).map_or(0, |length| (*length).min(rows));
        (rows - length..rows).map(move |row| {
            let point = self.points[(self.oldest + row) % rows * width + place];
            (!point.is_nan()).then_some(point)
        })
    }

    /// Adds a point to every line; further ones are left out.
    pub(super) fn push(&mut self, points: impl Iterator<Item = Option<f64>>) {
        let (rows, width) = (self.rows(), self.len());
        #[expect(clippy::cast_possible_truncation, reason = "a spark line is 18 pixels high")]
        let row = points.chain(std::iter::repeat(None)).take(width).map(|point| point.map_or(f32::NAN, |point| point as f32));
        if rows < SPARK_POINTS {
            self.points.reserve_exact(width);
            self.points.extend(row);
        } else {
            let begin = self.oldest * width;
            self.points[begin..begin + width].iter_mut().zip(row).for_each(|(point, new)| *point = new);
            self.oldest = (self.oldest + 1) % rows;
        }
        for length in &mut self.lengths {
            *length = (*length + 1).min(SPARK_POINTS);
        }
    }

    /// Lines in another order: each goes on with the one at a place of these, or begins.
    pub(super) fn moved(&self, places: impl ExactSizeIterator<Item = Option<usize>>) -> Self {
        let places: Vec<Option<usize>> = places.map(|place| place.filter(|place| *place < self.len())).collect();
        let lengths: Vec<usize> = places.iter().map(|place| place.map_or(0, |place| self.lengths[place])).collect();
        let (rows, width) = (self.rows(), self.len());
        // Where nothing goes on, nothing need be kept.
        let kept = lengths.iter().copied().max().unwrap_or_default().min(rows);
        let mut points = Vec::with_capacity(kept * places.len());
        for row in rows - kept..rows {
            let row = &self.points[(self.oldest + row) % rows * width..][..width];
            points.extend(places.iter().map(|place| place.map_or(f32::NAN, |place| row[place])));
        }
        Self { points, oldest: 0, lengths }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use proptest::prelude::*;

    use super::*;

    /// What happens to spark lines.
    #[derive(Clone, Debug)]
    enum Happens {
        Poll(Vec<Option<f64>>),
        NewNames(Vec<Option<usize>>),
    }

    fn happens() -> impl Strategy<Value = Happens> {
        prop_oneof![
            9 => prop::collection::vec(prop::option::of(-9..9_i32), 6).prop_map(|points| {
                Happens::Poll(points.into_iter().map(|point| point.map(f64::from)).collect())
            }),
            1 => prop::collection::vec(prop::option::of(0..8_usize), 0..6).prop_map(Happens::NewNames),
        ]
    }

    proptest! {
        /// They are what a queue for each line would be.
        #[test]
        fn each_line_is_a_bounded_queue(happens in prop::collection::vec(happens(), 0..200)) {
            let (mut sparks, mut queues) = (Sparks::default(), Vec::<VecDeque<Option<f32>>>::new());
            for one in happens {
                match one {
                    Happens::Poll(points) => {
                        sparks.push(points.iter().copied());
                        for (queue, point) in queues.iter_mut().zip(points) {
                            #[expect(clippy::cast_possible_truncation, reason = "small")]
                            queue.push_back(point.map(|point| point as f32));
                            if queue.len() > SPARK_POINTS {
                                queue.pop_front();
                            }
                        }
                    }
                    Happens::NewNames(places) => {
                        sparks = sparks.moved(places.iter().copied());
                        queues = places.iter().map(|place| place.and_then(|place| queues.get(place)).cloned().unwrap_or_default()).collect();
                    }
                }
                prop_assert_eq!(sparks.len(), queues.len());
                for (place, queue) in queues.iter().enumerate() {
                    let line = sparks.line(place);
                    prop_assert_eq!(line.len(), queue.len());
                    prop_assert_eq!(&line.collect::<VecDeque<_>>(), queue);
                }
            }
            prop_assert_eq!(sparks.line(99).len(), 0);
        }
    }
}
