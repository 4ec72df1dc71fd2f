//! Where the head of a box goes on: what the last row said, so that the next one is a difference to it. It must not know when rows are
//! committed.

use std::collections::HashMap;

use app::model::Number;
use sqlx::AnyConnection;

use super::StoreError;
use super::cell::Cell;
use super::insert::{Row, missing_box};
use super::lease::Leases;
use super::row::{RowHead, decode_layout, encode_layout, encode_row};
use super::types::{PollRecord, SeriesId};

/// Of each box that was recorded since the start.
pub(super) type Tails = HashMap<i64, Tail>;

/// Where the head of a box goes on.
pub(super) struct Tail {
    /// The first number of the lease that it is of.
    first_seq: Option<i64>,
    seq: i64,
    total_bytes: i64,
    layouts: Vec<(i64, Vec<SeriesId>)>,
    /// The layout of the last row, by its place in `layouts`.
    current: Option<usize>,
    /// What the last row said; empty: the next one is a key.
    cells: Vec<Cell>,
}

impl Tail {
    /// Whether the last row has the layout of these values.
    fn fits(&self, poll: &PollRecord) -> bool {
        self.current.is_some_and(|place| same_series(&self.layouts[place].1, &poll.values))
    }

    /// Takes the layout of these values for the next row.
    pub(super) async fn fit(&mut self, connection: &mut AnyConnection, poll: &PollRecord) -> Result<(), StoreError> {
        if !self.fits(poll) {
            let place = layout_place(connection, self, poll.box_id, &poll.values).await?;
            self.current = Some(place);
            self.cells.clear();
        }
        Ok(())
    }

    /// Whether it is of the lease whose polls are numbered from there on.
    pub(super) fn is_of(&self, first_seq: Option<i64>) -> bool {
        self.first_seq == first_seq
    }

    /// The next row, in the layout that is the current one.
    pub(super) fn next(&mut self, poll: &PollRecord) -> Row {
        self.seq += 1;
        let layout_id = self.current.map_or(0, |place| self.layouts[place].0);
        let head = RowHead { seq: self.seq, at_ms: poll.at_ms, interval_ms: poll.interval_ms, layout_id, is_key: self.cells.is_empty() };
        self.cells.resize(poll.values.len(), Cell::default());
        let payload = encode_row(&head, &mut self.cells, &poll.values);
        self.total_bytes = self.total_bytes.saturating_add(i64::try_from(payload.len()).unwrap_or(i64::MAX));
        Row { box_id: poll.box_id, head, total_bytes: self.total_bytes, payload }
    }
}

/// Whether a poll has nothing but values, of the same series as the one before.
pub(super) fn goes_on(tails: &Tails, poll: &PollRecord) -> bool {
    poll.marks.is_empty() && poll.started_ms.is_none() && tails.get(&poll.box_id).is_some_and(|tail| tail.fits(poll))
}

fn same_series(layout: &[SeriesId], values: &[(SeriesId, Option<Number>)]) -> bool {
    layout.iter().eq(values.iter().map(|(series, _)| series))
}

/// Goes on where an earlier process, or a sealing, stopped.
pub(super) async fn load_tail(connection: &mut AnyConnection, box_id: i64, leases: &Leases) -> Result<Tail, StoreError> {
    let last = "select seq, total_bytes from head where box_id = $1 order by seq desc limit 1";
    let last: Option<(i64, i64)> = sqlx::query_as(last).bind(box_id).fetch_optional(&mut *connection).await?;
    let (seq, total_bytes) = match last {
        Some(last) => last,
        None => {
            let sealed = sqlx::query_scalar("select sealed_seq from box where box_id = $1").bind(box_id);
            let sealed: Option<i64> = sealed.fetch_optional(&mut *connection).await?;
            (sealed.ok_or_else(|| StoreError::Missing(format!("box {box_id}")))?, 0)
        }
    };
    // Numbers before that are those of panels that polled it before.
    let first_seq = leases.first_seq(box_id);
    let seq = first_seq.map_or(seq, |first| seq.max(first - 1));
    let rows: Vec<(i64, Vec<u8>)> =
        sqlx::query_as("select layout_id, series from layout where box_id = $1").bind(box_id).fetch_all(connection).await?;
    let layouts = rows.into_iter().filter_map(|(id, bytes)| Some((id, decode_layout(&bytes).ok()?))).collect();
    Ok(Tail { first_seq, seq, total_bytes, layouts, current: None, cells: Vec::new() })
}

/// The place of the layout that these values have, which is not the current one; made when it is not there yet.
async fn layout_place(
    connection: &mut AnyConnection,
    tail: &mut Tail,
    box_id: i64,
    values: &[(SeriesId, Option<Number>)],
) -> Result<usize, StoreError> {
    if let Some(place) = tail.layouts.iter().position(|(_, layout)| same_series(layout, values)) {
        return Ok(place);
    }
    let series: Vec<SeriesId> = values.iter().map(|(series, _)| *series).collect();
    let known: Vec<i64> = sqlx::query_scalar("select series_id from series where box_id = $1 order by series_id")
        .bind(box_id)
        .fetch_all(&mut *connection)
        .await?;
    if let Some(unknown) = series.iter().find(|id| known.binary_search(&id.0).is_err()) {
        return Err(StoreError::Missing(format!("series {} of box {box_id}", unknown.0)));
    }
    let insert = "insert into layout (box_id, series) values ($1, $2) returning layout_id";
    let insert = sqlx::query_scalar(insert).bind(box_id).bind(encode_layout(&series));
    let layout_id: i64 = insert.fetch_one(connection).await.map_err(|error| missing_box(error, box_id))?;
    tail.layouts.push((layout_id, series));
    Ok(tail.layouts.len() - 1)
}
