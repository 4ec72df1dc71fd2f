//! What a formula over several boxes came to at instants that are past, by what is recorded of each: the newest sample of each by then, as
//! the board has it. Where one is not known, neither is the whole.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::Arc,
};

use app::model::{Gap, Kind, Mode};

use super::recorded::{Recorded, names};
use crate::{
    formula::{Bound, Formula, Known, NONE},
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
    box_id: i64,
    series: SeriesId,
    kind: Kind,
    rate: bool,
    interval_ms: i64,
}

/// A box that is named, and the series of it that are.
struct Source {
    box_id: i64,
    name: String,
    interval_ms: i64,
    names: Vec<Arc<str>>,
    series: Vec<SeriesId>,
    kinds: Vec<Kind>,
}

impl Stored {
    /// Finds it; none where something that is named was never recorded.
    pub(super) async fn find(recorded: &Recorded, store: &Store, formula: &Formula) -> Result<Option<Self>, StoreError> {
        let (mut sources, mut own) = (Vec::new(), None);
        for entry in recorded.board.all() {
            let wanted: Vec<_> = formula.references().iter().filter(|reference| names(reference, &entry)).collect();
            if wanted.is_empty() {
                continue;
            }
            let (box_id, name, interval, is_builtin) = {
                let now = entry.lock();
                (now.stored.id, now.stored.spec.name.clone(), now.interval, now.is_builtin())
            };
            let mut found: Vec<(Arc<str>, SeriesId)> = Vec::new();
            for (series, full) in store.series_of(box_id).await? {
                if wanted.iter().any(|reference| reference.name.matches(&full)) {
                    found.push((full.into(), series));
                }
            }
            found.sort_unstable_by(|one, other| one.0.cmp(&other.0));
            let kinds = {
                let now = entry.lock();
                found.iter().map(|(full, _)| now.kind_of(full)).collect()
            };
            own = own.or(is_builtin.then_some(sources.len()));
            let (names, series) = found.into_iter().unzip();
            let interval_ms = i64::try_from(interval.as_millis()).unwrap_or(i64::MAX);
            sources.push(Source { box_id, name, interval_ms, names, series, kinds });
        }
        let places: Vec<_> =
            sources.iter().map(|source| |full: &str| source.names.binary_search_by(|name| (**name).cmp(full)).ok()).collect();
        let known = sources.iter().zip(&places).map(|(source, place)| Known { box_name: &source.name, names: &source.names, place });
        let Ok(bound) = formula.bind(&known.collect::<Vec<_>>(), own) else { return Ok(None) };
        let input = |input: &crate::formula::Input| {
            let Source { box_id, interval_ms, series, kinds, .. } = &sources[input.of];
            let (box_id, interval_ms) = (*box_id, *interval_ms);
            Input { box_id, series: series[input.place], kind: kinds[input.place], rate: input.rate, interval_ms }
        };
        let inputs = bound.inputs.iter().map(input).collect();
        Ok(Some(Self { bound, inputs }))
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
            let of_box = match gaps.entry(input.box_id) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(new) => new.insert(store.gaps(input.box_id, first_ms, last_ms.saturating_add(1)).await?),
            };
            columns.push(input.at(store, of_box, instants).await?);
        }
        Ok((0..instants.len()).map(|row| self.bound.value(&|input: usize| columns[input][row])).collect())
    }
}

impl Input {
    async fn at(&self, store: &Store, gaps: &[Gap], instants: &[i64]) -> Result<Vec<f64>, StoreError> {
        let (Some(&first_ms), Some(&last_ms)) = (instants.first(), instants.last()) else { return Ok(Vec::new()) };
        let lookback_ms = history::lookback_ms(self.interval_ms);
        // The sample by then, and the one before it, of which its rate is.
        let (from_ms, to_ms) = (first_ms.saturating_sub(2 * lookback_ms), last_ms.saturating_add(lookback_ms));
        let samples = store.samples(self.series, from_ms, to_ms).await?;
        if (self.rate && self.kind == Kind::Gauge) || !samples.at_ms.is_sorted() {
            // Of a clock that was set back nobody can say which sample was the newest by then.
            return Ok(vec![NONE; instants.len()]);
        }
        let marks = if self.rate { store.resets(self.box_id, self.series, from_ms, to_ms).await? } else { Vec::new() };
        let each = history::each(&samples, &marks, self.kind, if self.rate { Mode::Rate } else { Mode::Value });
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
