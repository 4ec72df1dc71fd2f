//! When something of a box began anew, for those that roll up: at which instants, and nothing more.

use std::collections::HashMap;

use super::types::SeriesId;
use super::{Store, StoreError};

/// The marks of a box in a span.
#[derive(Debug, Default)]
pub(super) struct Marks {
    /// Those of the whole box, in the order of time.
    of_box: Vec<i64>,
    /// Those of one series and those of the box together.
    of_series: HashMap<SeriesId, Vec<i64>>,
}

impl Marks {
    fn of_rows(rows: &[(Option<i64>, i64)]) -> Self {
        let of_box: Vec<i64> = rows.iter().filter(|(series, _)| series.is_none()).map(|&(_, at_ms)| at_ms).collect();
        let mut of_series: HashMap<SeriesId, Vec<i64>> = HashMap::new();
        for (series, at_ms) in rows.iter().filter_map(|&(series, at_ms)| Some((series?, at_ms))) {
            of_series.entry(SeriesId(series)).or_insert_with(|| of_box.clone()).push(at_ms);
        }
        of_series.values_mut().for_each(|all| all.sort_unstable());
        Self { of_box, of_series }
    }

    /// Those that concern a series, in the order of time.
    pub(super) fn of(&self, series: SeriesId) -> &[i64] {
        self.of_series.get(&series).unwrap_or(&self.of_box)
    }
}

impl Store {
    /// The marks of a box from one instant to another, both included.
    pub(super) async fn marks_of(&self, box_id: i64, from_ms: i64, to_ms: i64) -> Result<Marks, StoreError> {
        let select = "select series_id, at_ms from mark where box_id = $1 and at_ms between $2 and $3 order by at_ms";
        let rows: Vec<(Option<i64>, i64)> =
            sqlx::query_as(select).bind(box_id).bind(from_ms).bind(to_ms).fetch_all(&self.inner.read).await?;
        Ok(Marks::of_rows(&rows))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_series_has_those_of_its_box_too() {
        let marks = Marks::of_rows(&[(Some(1), 10), (None, 20), (Some(1), 30)]);
        assert_eq!(marks.of(SeriesId(1)), [10, 20, 30]);
        assert_eq!(marks.of(SeriesId(2)), [20]);
    }
}
