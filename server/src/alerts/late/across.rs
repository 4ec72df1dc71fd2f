//! What a formula over several boxes came to at instants that are past, by what is recorded of each: the newest sample of each by then, as
//! the board has it. Where one is not known, neither is the whole.

use std::collections::{HashMap, hash_map::Entry};

use app::model::Gap;

use super::recorded::{Recorded, known};
use crate::{
    board::Definition,
    config::BUILTIN_BOX,
    desk::{StoredInput, each},
    formula::{Bound, Formula, NONE},
    history,
    store::{Samples, SeriesId, Store, StoreError},
};

/// So many values are held at once.
const MAX_VALUES: usize = 1_000_000;
/// So long a time is read at once, milliseconds: what is sealed at once.
const MAX_READ_MS: i64 = 3_600_000;

/// A poll is so much of its interval later than due at most.
const LATER: i64 = 10;

/// A formula, and where what it names is recorded.
pub(super) struct Stored {
    bound: Bound,
    /// Of each input of the formula.
    inputs: Vec<Input>,
}

struct Input {
    stored: StoredInput,
    series: SeriesId,
    rate: bool,
}

impl Stored {
    /// Finds it; none where something that is named was never recorded.
    pub(super) async fn find(recorded: &Recorded, formula: &Formula) -> Result<Option<Self>, StoreError> {
        let definition = Definition::new("late", formula.clone(), "", "");
        let Some(question) = known(recorded.computing().question(BUILTIN_BOX, &definition).await)? else { return Ok(None) };
        let Ok(bound) = &question.bound else { return Ok(None) };
        let input = |input: &crate::formula::Input| {
            let stored = question.stored(*input);
            Some(Input { series: stored.series?, stored, rate: input.rate })
        };
        let inputs: Option<Vec<Input>> = bound.inputs.iter().map(input).collect();
        Ok(inputs.map(|inputs| Self { bound: bound.clone(), inputs }))
    }

    /// Parts of instants, each of which is asked for at once.
    pub(super) fn parts<'a>(&self, instants: &'a [i64]) -> impl Iterator<Item = &'a [i64]> + use<'a> {
        let most = (MAX_VALUES / self.inputs.len().max(1)).max(1);
        let mut rest = instants;
        std::iter::from_fn(move || {
            let end_ms = rest.first()?.saturating_add(MAX_READ_MS);
            let (part, others) = rest.split_at(rest.partition_point(|at_ms| *at_ms < end_ms).min(most));
            rest = others;
            Some(part)
        })
    }

    /// What it came to at some instants, in their order; NaN where that is not known.
    pub(super) async fn at(&self, store: &Store, instants: &[i64]) -> Result<Vec<f64>, StoreError> {
        let (Some(&first_ms), Some(&last_ms)) = (instants.first(), instants.last()) else { return Ok(Vec::new()) };
        let mut gaps: HashMap<i64, Vec<Gap>> = HashMap::new();
        let mut columns = Vec::with_capacity(self.inputs.len());
        for input in &self.inputs {
            let of_box = match gaps.entry(input.stored.box_id) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(new) => new.insert(store.gaps(input.stored.box_id, first_ms, last_ms.saturating_add(1)).await?),
            };
            columns.push(input.at(store, of_box, instants).await?);
        }
        Ok((0..instants.len()).map(|row| self.bound.value(&|input: usize| columns[input][row])).collect())
    }
}

impl Input {
    async fn at(&self, store: &Store, gaps: &[Gap], instants: &[i64]) -> Result<Vec<f64>, StoreError> {
        let (Some(&first_ms), Some(&last_ms)) = (instants.first(), instants.last()) else { return Ok(Vec::new()) };
        let lookback_ms = history::lookback_ms(self.stored.interval_ms);
        // The sample by then, and the one before it, of which its rate is.
        let (from_ms, to_ms) = (first_ms.saturating_sub(2 * lookback_ms), last_ms.saturating_add(lookback_ms));
        let samples = store.samples(self.series, from_ms, to_ms).await?;
        if !samples.at_ms.is_sorted() {
            // Of a clock that was set back nobody can say which sample was the newest by then.
            return Ok(vec![NONE; instants.len()]);
        }
        let marks = if self.rate { store.resets(self.stored.box_id, self.series, from_ms, to_ms).await? } else { Vec::new() };
        let each = each(&samples, &marks, self.stored.kind, self.rate);
        let value = |&at_ms: &i64| by(&samples, gaps, at_ms).map_or(NONE, |place| each[place].1);
        Ok(instants.iter().map(value).collect())
    }
}

/// The place of the newest sample by an instant, as long as the next one is not overdue, or is known to have come and nothing in between.
fn by(samples: &Samples, gaps: &[Gap], at_ms: i64) -> Option<usize> {
    let place = samples.at_ms.partition_point(|at| *at <= at_ms).checked_sub(1)?;
    let (from_ms, interval_ms) = (samples.at_ms[place], samples.interval_ms(place));
    if at_ms - from_ms <= interval_ms + interval_ms / LATER {
        return Some(place);
    }
    let next_ms = samples.at_ms.get(place + 1)?;
    // A gap that begins before a sample was told by a panel that did not know of that.
    let is_in = |gap: &Gap| from_ms <= gap.from && gap.from < at_ms && at_ms < gap.to;
    let is_known = next_ms - from_ms <= history::lookback_ms(interval_ms) && !gaps.iter().chain(&samples.damaged).any(is_in);
    is_known.then_some(place)
}
