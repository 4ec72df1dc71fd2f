//! What formulas came to, by what is stored of their inputs. Where samples themselves are read and all inputs are of one box, sample by
//! sample; else point by point, of the means of the inputs in it. It must not know what is drawn of it, nor who asks.

use std::{collections::HashMap, sync::Arc};

use app::model::{Columns, Gap, Kind, Mode, Number, Reset};

use super::{
    DeskError, entry,
    reading::{Stored, stored},
};
use crate::{
    board::{Board, Definition, Entry},
    formula::{Bound, Input, Inputs, Known, NONE, Unbound},
    history::{self, Grid, Span},
    store::{Samples, SeriesId, Store, Tier},
};

/// Values that are held at once to compute sample by sample; beyond, points are computed from means.
const MAX_VALUES: usize = 4_000_000;

/// Computes of the boxes of a board what is stored of them.
#[derive(Clone, Copy)]
pub(crate) struct Computing<'a> {
    /// The boxes.
    pub(crate) board: &'a Board,
    /// What is stored.
    pub(crate) store: &'a Store,
}

/// A box that a formula names, and what is stored of it.
struct Source {
    entry: Arc<Entry>,
    id: i64,
    name: String,
    interval_ms: i64,
    names: Vec<Arc<str>>,
    series: HashMap<Arc<str>, SeriesId>,
}

/// A formula, and where its inputs are stored.
pub(crate) struct Question<'a> {
    pub(super) definition: &'a Definition,
    sources: Vec<Source>,
    /// The formula over what there is, or why it cannot be computed of that.
    pub(crate) bound: Result<Bound, Unbound>,
    pub(super) box_name: String,
}

/// Where an input of a formula is stored.
pub(crate) struct StoredInput {
    /// Its box.
    pub(crate) box_id: i64,
    /// How often that is asked, milliseconds.
    pub(crate) interval_ms: i64,
    /// Its kind.
    pub(crate) kind: Kind,
    /// Its series; none where it was never recorded.
    pub(crate) series: Option<SeriesId>,
}

/// What a formula comes to.
pub(super) struct Computed {
    pub(super) samples: Samples,
    /// What happened meanwhile.
    pub(super) resets: Vec<Reset>,
    /// What it was made of.
    pub(super) tier: Tier,
    /// Whether of the means of points.
    pub(super) of_means: bool,
    /// The points of which no input is known.
    pub(super) unrecorded: Vec<i64>,
}

/// The values of one input at common times.
struct Column {
    values: Vec<f64>,
    /// From the first to the last that is known: what lies beyond did not exist, where it is one of many of its box.
    known: Option<(usize, usize)>,
    can_be_absent: bool,
}

/// The inputs at one of the common times.
struct At<'a> {
    columns: &'a [Column],
    row: usize,
}

impl Inputs for At<'_> {
    fn value(&self, input: usize) -> f64 {
        self.columns[input].values[self.row]
    }

    fn is_absent(&self, input: usize) -> bool {
        let column = &self.columns[input];
        column.can_be_absent && column.known.is_none_or(|(first, last)| !(first..=last).contains(&self.row))
    }
}

impl Column {
    fn new(values: Vec<f64>, can_be_absent: bool) -> Self {
        let is_known = |value: &f64| !value.is_nan();
        let known = values.iter().position(is_known).zip(values.iter().rposition(is_known));
        Self { values, known, can_be_absent }
    }
}

impl Question<'_> {
    /// Where one of the inputs is stored.
    pub(crate) fn stored(&self, input: Input) -> StoredInput {
        let source = &self.sources[input.of];
        let name = &source.names[input.place];
        let kind = source.entry.lock().kind_of(name);
        StoredInput { box_id: source.id, interval_ms: source.interval_ms, kind, series: source.series.get(name).copied() }
    }
}

impl Computing<'_> {
    /// Finds what a formula names, and where that is stored.
    ///
    /// # Errors
    /// When there is no such box, or the store fails.
    pub(crate) async fn question<'q>(&self, box_name: &str, definition: &'q Definition) -> Result<Question<'q>, DeskError> {
        let own = entry(self.board, box_name)?;
        let own_id = own.lock().stored.id;
        let references = definition.formula.references();
        let entries = if definition.formula.is_across() { self.board.all() } else { vec![own] };
        let (mut sources, mut box_name) = (Vec::new(), String::new());
        for entry in entries {
            let (id, name, interval_ms, layout) = {
                let now = entry.lock();
                (now.stored.id, now.stored.spec.name.clone(), now.interval_ms(), Arc::clone(&now.layout))
            };
            if id == own_id {
                box_name.clone_from(&name);
            }
            let here = |boxes: &Option<crate::formula::Glob>| boxes.as_ref().map_or(id == own_id, |boxes| boxes.matches(&name));
            let wanted: Vec<_> = references.iter().filter(|reference| here(&reference.boxes)).collect();
            let is_wanted = |full: &str| wanted.iter().any(|reference| reference.name.matches(full));
            let stored = if wanted.is_empty() { Vec::new() } else { self.store.series_of(id).await? };
            let stored = stored.into_iter().filter(|(_, full)| is_wanted(full));
            let series: HashMap<Arc<str>, SeriesId> = stored.map(|(series, full)| (full.into(), series)).collect();
            let mut names: Vec<Arc<str>> = layout.asked.iter().filter(|full| is_wanted(full)).cloned().collect();
            names.extend(series.keys().cloned());
            names.sort_unstable();
            names.dedup();
            sources.push(Source { entry, id, name, interval_ms, names, series });
        }
        let places: Vec<_> =
            sources.iter().map(|source| |full: &str| source.names.binary_search_by(|name| (**name).cmp(full)).ok()).collect();
        let known = sources.iter().zip(&places).map(|(source, place)| Known { box_name: &source.name, names: &source.names, place });
        let known: Vec<Known<'_>> = known.collect();
        let bound = definition.formula.bind(&known, sources.iter().position(|source| source.id == own_id));
        Ok(Question { definition, sources, bound, box_name })
    }

    /// What a formula came to around an instant; none where that is not known.
    ///
    /// # Errors
    /// When the store fails.
    pub(crate) async fn mean_around(&self, question: &Question<'_>, at_ms: i64, half_ms: i64) -> Result<Option<f64>, DeskError> {
        let span = Span { from_ms: at_ms - half_ms, to_ms: at_ms + half_ms, points: 1, mode: Mode::Value };
        let gaps = self.gaps_of(question, span).await?;
        let Computed { samples, resets, .. } = self.compute(question, span).await?;
        let drawn = history::columns_on(Grid::Samples, &samples, &gaps, &resets, Kind::Gauge, span);
        Ok(drawn.columns.mean.iter().flatten().next().map(|mean| mean.as_f64()))
    }

    /// The gaps of the boxes that the formula names.
    pub(super) async fn gaps_of(&self, question: &Question<'_>, span: Span) -> Result<Vec<Gap>, DeskError> {
        let mut gaps = Vec::new();
        for source in question.sources.iter().filter(|source| !source.names.is_empty()) {
            let of_box = self.store.gaps(source.id, span.from_ms, span.to_ms).await?;
            let told = |gap: Gap| match question.sources.len() {
                1 => gap,
                _ => Gap { reason: format!("{}: {}", source.name, gap.reason), ..gap },
            };
            gaps.extend(of_box.into_iter().map(told));
        }
        gaps.sort_by_key(|gap| gap.from);
        Ok(gaps)
    }

    /// What it comes to.
    pub(super) async fn compute(&self, question: &Question<'_>, span: Span) -> Result<Computed, DeskError> {
        let nothing =
            Computed { samples: Samples::default(), resets: Vec::new(), tier: Tier::Raw, of_means: false, unrecorded: Vec::new() };
        let Ok(bound) = &question.bound else { return Ok(nothing) };
        let mut resets = Vec::new();
        if !question.definition.formula.is_across()
            && let Some(samples) = self.by_sample(question, bound, span, &mut resets).await?
        {
            return Ok(Computed { samples, resets: sorted(resets), ..nothing });
        }
        resets.clear();
        let (samples, tier, unrecorded) = self.by_point(question, bound, span, &mut resets).await?;
        Ok(Computed { samples, resets: sorted(resets), tier, of_means: true, unrecorded })
    }

    /// Sample by sample; none where samples of an input are gone or too many.
    async fn by_sample(
        &self,
        question: &Question<'_>,
        bound: &Bound,
        span: Span,
        resets: &mut Vec<Reset>,
    ) -> Result<Option<Samples>, DeskError> {
        let (mut all, mut values) = (Vec::with_capacity(bound.inputs.len()), 0);
        let mut times: Vec<i64> = Vec::new();
        let mut shape = Samples::default();
        for &input in &bound.inputs {
            let (stored, kind, marks) = self.input(question, input, span).await?;
            let Stored::Samples(samples) = stored else { return Ok(None) };
            values += samples.at_ms.len();
            if values > MAX_VALUES {
                return Ok(None);
            }
            let each = each(&samples, &marks, kind, input.rate);
            resets.extend(marks);
            if times.len() != each.len() || times.iter().zip(&each).any(|(at, (other, _))| at != other) {
                times.extend(each.iter().map(|(at, _)| at));
                times.sort_unstable();
                times.dedup();
            }
            if shape.at_ms.len() < samples.at_ms.len() {
                shape = samples;
            }
            all.push(each);
        }
        let patterns: Vec<bool> = bound.inputs.iter().map(|input| is_one_of_many(question, *input)).collect();
        let columns: Vec<Column> = all.iter().zip(patterns).map(|(each, many)| Column::new(aligned(&times, each), many)).collect();
        let mut computed = Samples::default();
        for (row, &at_ms) in times.iter().enumerate() {
            let near = shape.at_ms.partition_point(|&at| at < at_ms).min(shape.at_ms.len().saturating_sub(1));
            computed.push(at_ms, number(bound.value(&At { columns: &columns, row })), shape.interval_ms(near));
        }
        Ok(Some(computed))
    }

    /// Point by point, of means.
    async fn by_point(
        &self,
        question: &Question<'_>,
        bound: &Bound,
        span: Span,
        resets: &mut Vec<Reset>,
    ) -> Result<(Samples, Tier, Vec<i64>), DeskError> {
        let mut tier = Tier::for_width(span.width_ms());
        let mut width_ms = span.width_ms().max(tier.bucket_ms());
        if question.definition.formula.is_across() {
            // Boxes are asked at different instants: each point has one of each.
            let longest = bound.inputs.iter().map(|input| question.sources[input.of].interval_ms).max().unwrap_or_default();
            width_ms = width_ms.max(longest.saturating_mul(2));
        }
        let length_ms = span.to_ms - span.from_ms;
        let points = usize::try_from(length_ms / width_ms.max(1)).unwrap_or(usize::MAX).clamp(1, span.points.max(1));
        let grid = Span { points, ..span };
        let times: Vec<i64> = grid.starts().collect();
        let mut columns = Vec::with_capacity(bound.inputs.len());
        for &input in &bound.inputs {
            let mode = if input.rate { Mode::Rate } else { Mode::Value };
            let (stored, kind, marks) = self.input(question, input, grid).await?;
            tier = tier.max(stored.tier());
            let drawn = match &stored {
                _ if input.rate && kind == Kind::Gauge => history::History::default(),
                Stored::Samples(samples) => history::even_columns(samples, &[], &marks, kind, Span { mode, ..grid }),
                Stored::Rollup(rollup) => history::columns_of_rollup(rollup, &[], &marks, kind, Span { mode, ..grid }),
            };
            columns.push(Column::new(on_grid(&times, &drawn.columns), is_one_of_many(question, input)));
            resets.extend(marks);
        }
        let (mut computed, mut unrecorded) = (Samples::default(), Vec::new());
        for (row, &at_ms) in times.iter().enumerate() {
            computed.push(at_ms, number(bound.value(&At { columns: &columns, row })), grid.width_ms());
            if columns.iter().all(|column| column.values[row].is_nan()) {
                unrecorded.push(at_ms);
            }
        }
        Ok((computed, tier, unrecorded))
    }

    /// What is stored of an input, its kind, and its marks.
    async fn input(&self, question: &Question<'_>, input: Input, span: Span) -> Result<(Stored, Kind, Vec<Reset>), DeskError> {
        let StoredInput { box_id, interval_ms, kind, series } = question.stored(input);
        let Some(series) = series else { return Ok((Stored::Samples(Samples::default()), kind, Vec::new())) };
        let from_ms = span.from_ms.saturating_sub(history::lookback_ms(interval_ms));
        let stored = stored(self.store, series, from_ms, span).await?;
        for gap in stored.damaged() {
            let name = &*question.sources[input.of].names[input.place];
            tracing::error!(name, reason = gap.reason, "stored samples are damaged and left out");
        }
        let marks = self.store.resets(box_id, series, from_ms, span.to_ms).await?;
        Ok((stored, kind, marks))
    }
}

/// What each sample says; a rate is one of counters alone.
pub(crate) fn each(samples: &Samples, resets: &[Reset], kind: Kind, rate: bool) -> Vec<(i64, f64)> {
    let mode = if rate { Mode::Rate } else { Mode::Value };
    let mut each = history::each(samples, resets, kind, mode);
    if rate && kind == Kind::Gauge {
        each.iter_mut().for_each(|(_, value)| *value = NONE);
    }
    each
}

/// Whether an input is one of those that a pattern matches, of its own box: those come and go, such as processes do.
fn is_one_of_many(question: &Question<'_>, input: Input) -> bool {
    let reference = &question.definition.formula.references()[input.reference];
    reference.name.is_pattern() && !question.definition.formula.is_across()
}

/// The values at common times; both are in their order.
fn aligned(times: &[i64], each: &[(i64, f64)]) -> Vec<f64> {
    let mut rest = each.iter().peekable();
    let at = |&at: &i64| {
        while rest.next_if(|(other, _)| *other < at).is_some() {}
        rest.peek().filter(|(other, _)| *other == at).map_or(NONE, |(_, value)| *value)
    };
    times.iter().map(at).collect()
}

/// The means of columns at the points of a grid, which are theirs or lie in theirs. What only grows has no mean: its last value stands.
fn on_grid(times: &[i64], columns: &Columns) -> Vec<f64> {
    let value = |point: usize| columns.mean[point].or(columns.last[point]).map_or(NONE, Number::as_f64);
    let at = |at: &i64| columns.t.partition_point(|start| start <= at).checked_sub(1).map_or(NONE, value);
    times.iter().map(at).collect()
}

fn number(value: f64) -> Option<Number> {
    (!value.is_nan()).then_some(Number::Float(value))
}

fn sorted(mut resets: Vec<Reset>) -> Vec<Reset> {
    resets.sort_by_key(|reset| reset.at);
    resets.dedup();
    resets
}
