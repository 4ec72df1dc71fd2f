//! The head of one box in memory, turned from rows into a packed column per series, so that reading one series does not decode all.
//! It is made from stored rows alone and can be made again at any time. It must not know SQL.

use std::collections::HashMap;

use app::model::Number;

use super::bytes::{Damage, Decoded, Reader};
use super::cell::Cell;
use super::chunk::{Column, Times};
use super::row::{RowHead, decode_row};
use super::types::SeriesId;

/// The rows of one box that are not sealed yet.
#[derive(Default)]
pub(super) struct Head {
    /// The number of the first row.
    pub(super) first_seq: i64,
    /// The number of the last row.
    pub(super) last_seq: i64,
    /// What did not decode, each with its place.
    pub(super) faults: Vec<HeadFault>,
    seqs: Vec<i64>,
    at_ms: Vec<i64>,
    interval_ms: Vec<i64>,
    columns: Vec<HeadColumn>,
    places: HashMap<SeriesId, usize>,
    layouts: HashMap<i64, Vec<usize>>,
    /// The layout and the cells of the last row; none after a row that did not decode.
    chain: Option<(i64, Vec<Cell>)>,
    values: Vec<Option<Number>>,
}

/// A row that did not decode.
#[derive(Clone, Debug)]
pub(super) struct HeadFault {
    /// Its time, as far as that can be believed.
    pub(super) at_ms: i64,
    pub(super) interval_ms: i64,
    pub(super) why: String,
}

/// The time of a poll, and what it said.
pub(super) type Poll = (i64, Vec<(SeriesId, Option<Number>)>);

/// One series: its values packed one behind the other, and which polls they are of.
#[derive(Default)]
struct HeadColumn {
    last: Option<Number>,
    bytes: Vec<u8>,
    cell: Cell,
    runs: Vec<Run>,
}

/// Neighbouring polls that have a value.
#[derive(Clone, Copy)]
struct Run {
    start: usize,
    end: usize,
}

/// Neighbouring polls whose times grow: normally all; a clock that steps back begins another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stretch {
    /// The first poll.
    pub(super) start: usize,
    /// Behind the last poll.
    pub(super) end: usize,
}

impl Head {
    /// Tells which series a layout has; rows may name it from now on.
    pub(super) fn learn_layout(&mut self, layout_id: i64, series: &[SeriesId]) {
        let places = series.iter().map(|id| {
            *self.places.entry(*id).or_insert_with(|| {
                self.columns.push(HeadColumn::default());
                self.columns.len() - 1
            })
        });
        let places = places.collect();
        self.layouts.insert(layout_id, places);
    }

    /// Whether a layout is known.
    pub(super) fn knows_layout(&self, layout_id: i64) -> bool {
        self.layouts.contains_key(&layout_id)
    }

    /// The polls it holds.
    pub(super) fn polls(&self) -> usize {
        self.at_ms.len()
    }

    /// The earliest and the latest time; the clock may have been set back in between.
    pub(super) fn within(&self) -> Option<(i64, i64)> {
        Some((*self.at_ms.iter().min()?, *self.at_ms.iter().max()?))
    }

    /// Whether these are its first and its last row.
    pub(super) fn is_at(&self, first_seq: Option<i64>, last_seq: Option<i64>) -> bool {
        let ours = (self.last_seq != 0).then_some((self.first_seq, self.last_seq));
        ours == first_seq.zip(last_seq)
    }

    /// The samples it holds.
    pub(super) fn samples(&self) -> usize {
        self.columns.iter().flat_map(|column| &column.runs).map(|run| run.end - run.start).sum()
    }

    /// The time of the last poll, and what it said: it may have come in parts of the same time.
    pub(super) fn last(&self) -> Option<Poll> {
        let &at_ms = self.at_ms.last()?;
        let first = self.at_ms.iter().rposition(|&at| at != at_ms).map_or(0, |before| before + 1);
        let told = self.places.iter().map(|(&series, &place)| (series, &self.columns[place]));
        let values = told.filter(|(_, column)| column.runs.last().is_some_and(|run| run.end > first));
        Some((at_ms, values.map(|(series, column)| (series, column.last)).collect()))
    }

    /// The series it holds.
    pub(super) fn series(&self) -> impl Iterator<Item = SeriesId> {
        self.places.keys().copied()
    }

    /// The number of a poll.
    pub(super) fn seq(&self, poll: usize) -> Option<i64> {
        self.seqs.get(poll).copied()
    }

    /// How many polls have a number up to `seq`.
    pub(super) fn polls_up_to(&self, seq: i64) -> usize {
        self.seqs.partition_point(|&other| other <= seq)
    }

    /// Adds the next row. One that does not decode is noted, and with it those that build on it.
    pub(super) fn push(&mut self, row: &RowHead, payload: &[u8]) {
        if self.last_seq == 0 {
            self.first_seq = row.seq;
        }
        self.last_seq = row.seq;
        if let Err(Damage(why)) = self.try_push(row, payload) {
            self.chain = None;
            let why = format!("row {} of the head: {why}", row.seq);
            self.faults.push(HeadFault { at_ms: row.at_ms, interval_ms: row.interval_ms, why });
        }
    }

    fn try_push(&mut self, row: &RowHead, payload: &[u8]) -> Decoded<()> {
        let places = self.layouts.get(&row.layout_id).ok_or(Damage("its layout is missing or damaged"))?;
        let mut cells = match self.chain.take() {
            _ if row.is_key => vec![Cell::default(); places.len()],
            Some((layout_id, cells)) if layout_id == row.layout_id => cells,
            _ => return Err(Damage("the row it builds on is missing or damaged")),
        };
        decode_row(row, payload, &mut cells, &mut self.values)?;
        let poll = self.at_ms.len();
        for (&place, &value) in places.iter().zip(&self.values) {
            self.columns[place].push(poll, value);
        }
        self.seqs.push(row.seq);
        self.at_ms.push(row.at_ms);
        self.interval_ms.push(row.interval_ms);
        self.chain = Some((row.layout_id, cells));
        Ok(())
    }

    /// The stretches of growing times among the first `polls` polls, none longer than the bounds given.
    pub(super) fn stretches(&self, polls: usize, max_polls: usize, max_span_ms: i64) -> Vec<Stretch> {
        let mut stretches: Vec<Stretch> = Vec::new();
        for (poll, &at) in self.at_ms.iter().enumerate().take(polls) {
            match stretches.last_mut() {
                Some(last)
                    if at > self.at_ms[poll - 1]
                        && poll - last.start < max_polls
                        && at.saturating_sub(self.at_ms[last.start]) < max_span_ms =>
                {
                    last.end = poll + 1;
                }
                _ => stretches.push(Stretch { start: poll, end: poll + 1 }),
            }
        }
        stretches
    }

    /// The times of a stretch.
    pub(super) fn times(&self, stretch: Stretch) -> Times {
        Times::new(self.at_ms[stretch.start..stretch.end].to_vec(), &self.interval_ms[stretch.start..stretch.end])
    }

    /// What the first `polls` polls said of a series.
    pub(super) fn column(&self, series: SeriesId, polls: usize) -> Decoded<Column> {
        let mut column = Column::default();
        if let Some(&place) = self.places.get(&series) {
            let stored = &self.columns[place];
            let mut reader = Reader::new(&stored.bytes);
            let mut cell = Cell::default();
            for run in &stored.runs {
                column.push_absent(run.start.min(polls) - column.polls());
                for _ in run.start.min(polls)..run.end.min(polls) {
                    column.push(cell.get(&mut reader)?);
                }
            }
        }
        column.push_absent(polls - column.polls());
        Ok(column)
    }
}

impl HeadColumn {
    fn push(&mut self, poll: usize, value: Option<Number>) {
        self.cell.put(&mut self.bytes, value);
        self.last = value;
        match self.runs.last_mut() {
            Some(run) if run.end == poll => run.end += 1,
            _ => self.runs.push(Run { start: poll, end: poll + 1 }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::row::encode_row;

    fn row(seq: i64, at_ms: i64, layout_id: i64, is_key: bool) -> RowHead {
        RowHead { seq, at_ms, interval_ms: 10, layout_id, is_key }
    }

    /// Rows of one series with the values 1, 2, 3 …; each is a difference to the one before.
    fn head(times: &[i64], damaged: &[usize], keys: &[usize]) -> Head {
        let mut head = Head::default();
        head.learn_layout(1, &[SeriesId(5)]);
        let mut cells = [Cell::default()];
        for (i, &at) in times.iter().enumerate() {
            let is_key = i == 0 || keys.contains(&i);
            if is_key {
                cells = [Cell::default()];
            }
            let value = i64::try_from(i).unwrap() + 1;
            let row = row(value, at, 1, is_key);
            let mut payload = encode_row(&row, &mut cells, &[(SeriesId(5), Some(Number::Int(value)))]);
            if damaged.contains(&i) {
                payload[4] ^= 1;
            }
            head.push(&row, &payload);
        }
        head
    }

    fn values(head: &Head) -> Vec<i64> {
        let mut values = Vec::new();
        head.column(SeriesId(5), head.polls()).unwrap().for_each(0..head.polls(), |_, value| match value {
            Some(Number::Int(int)) => values.push(int),
            other => panic!("{other:?}"),
        });
        values
    }

    #[test]
    fn damage_ends_at_the_next_key() {
        let head = head(&[10, 20, 30, 40, 50], &[1], &[3]);
        assert_eq!(values(&head), [1, 4, 5]);
        assert_eq!(
            head.faults.iter().map(|fault| fault.why.as_str()).collect::<Vec<_>>(),
            ["row 2 of the head: the check sum is wrong", "row 3 of the head: the row it builds on is missing or damaged"]
        );
        assert_eq!((head.first_seq, head.last_seq), (1, 5));
    }

    #[test]
    fn a_step_back_and_a_bound_begin_a_stretch() {
        let head = head(&[10, 20, 15, 16, 17, 5_000], &[], &[]);
        let stretches = |polls, max, span| head.stretches(polls, max, span).iter().map(|s| (s.start, s.end)).collect::<Vec<_>>();
        assert_eq!(stretches(6, 100, 10_000), [(0, 2), (2, 6)]);
        assert_eq!(stretches(6, 2, 10_000), [(0, 2), (2, 4), (4, 6)]);
        assert_eq!(stretches(6, 100, 1_000), [(0, 2), (2, 5), (5, 6)]);
        assert_eq!(stretches(3, 100, 1_000), [(0, 2), (2, 3)]);
    }

    #[test]
    fn a_series_that_came_later_is_absent_before() {
        let mut head = head(&[10, 20], &[], &[]);
        head.learn_layout(2, &[SeriesId(5), SeriesId(6)]);
        let row = row(3, 30, 2, true);
        let payload = encode_row(&row, &mut [Cell::default(); 2], &[(SeriesId(5), None), (SeriesId(6), Some(Number::Float(0.5)))]);
        head.push(&row, &payload);
        let mut got = Vec::new();
        head.column(SeriesId(6), 3).unwrap().for_each(0..3, |poll, value| got.push((poll, value)));
        assert_eq!(got, [(2, Some(Number::Float(0.5)))]);
        assert_eq!(head.samples(), 4);
        assert_eq!(head.column(SeriesId(5), 2).unwrap().samples(), 2);
    }
}
