//! Reading series: what charts, the API and exports ask.

use app::{
    model::{Gap, Kind, Mode, Reset, Series},
    shown::short,
};

use super::{Desk, DeskError};
use crate::{
    history::{self, Grid, History, Side, Span},
    store::{Rollup, Samples, SeriesId, Store, StoreError, Tier},
};

/// At most so many points in one answer: more than any screen has pixels.
pub const MAX_POINTS: usize = 100_000;
/// So many series are read at once: a long span of a short interval takes a core and some hundred megabytes while it is.
pub(super) const READERS: usize = 2;
/// At most so long a span, so that one question cannot read for minutes: ten years.
const MAX_SPAN_MS: i64 = 3_660 * 24 * 3_600 * 1_000;

/// A question for a series.
#[derive(Clone, Debug, Default)]
pub struct SeriesAsk {
    /// The box, by name or number.
    pub box_name: String,
    /// The full name of the statistic.
    pub name: String,
    /// The start, epoch milliseconds.
    pub from_ms: i64,
    /// The end, epoch milliseconds.
    pub to_ms: i64,
    /// At most so many points.
    pub points: usize,
    /// Values, rates, increases or shares; none: values or rates, as the kind says.
    pub mode: Option<Mode>,
    /// The statistic of the same box that it is a share of, in the mode [`Mode::Percent`].
    pub of: Option<String>,
    /// Where points lie.
    pub grid: Grid,
    /// No stretch that an increase is told of is shorter, milliseconds.
    pub least_ms: i64,
}

/// One series, found.
pub(super) struct Found {
    box_id: i64,
    box_name: String,
    series: Option<SeriesId>,
    kind: Kind,
    unit: String,
    pub(super) interval_ms: i64,
}

/// What is stored of a series over a span.
pub(super) enum Stored {
    Samples(Samples),
    Rollup(Rollup),
}

impl Stored {
    pub(super) fn tier(&self) -> Tier {
        match self {
            Self::Samples(_) => Tier::Raw,
            Self::Rollup(rollup) => rollup.tier.unwrap_or(Tier::Raw),
        }
    }

    pub(super) fn damaged(&self) -> &[Gap] {
        match self {
            Self::Samples(samples) => &samples.damaged,
            Self::Rollup(rollup) => &rollup.damaged,
        }
    }
}

/// What was read of a series.
struct Read {
    stored: Stored,
    resets: Vec<Reset>,
}

impl Read {
    fn side<'a, T>(&'a self, stored: &'a T, kind: Kind) -> Side<'a, T> {
        Side { stored, resets: &self.resets, kind }
    }
}

impl Desk {
    /// Columns, gaps and resets of a series over a span.
    ///
    /// # Errors
    /// When there is no such box or statistic, or the span is wrong.
    pub async fn series(&self, ask: &SeriesAsk) -> Result<Series, DeskError> {
        check_span(ask.from_ms, ask.to_ms)?;
        let _turn = self.reading.acquire().await;
        if ask.points == 0 || ask.points > MAX_POINTS {
            return Err(DeskError::invalid("points", format!("points is 1 to {MAX_POINTS}")));
        }
        if let Some(definition) = self.derived_of(&ask.box_name, &ask.name)? {
            return self.computed(ask, &definition).await;
        }
        let found = self.find_series(&ask.box_name, &ask.name).await?;
        let mode = ask.mode.unwrap_or(if found.kind == Kind::Counter { Mode::Rate } else { Mode::Value });
        let mut span = Span { from_ms: ask.from_ms, to_ms: ask.to_ms, points: ask.points, mode };
        if mode == Mode::Increase {
            span = self.in_stretches(&found, span, ask.least_ms).await?;
        }
        let mut gaps = self.store.gaps(found.box_id, span.from_ms, span.to_ms).await?;
        let read = self.read(&found, span, None).await?;
        gaps.extend(read.stored.damaged().iter().map(|gap| damaged(gap, ask)));
        gaps.sort_by_key(|gap| gap.from);
        let (drawn, tier) = if mode == Mode::Percent {
            let of = ask.of.as_deref().ok_or_else(|| DeskError::invalid("of", "names the statistic that it is a share of"))?;
            self.share(&found, read, of, &gaps, span, ask.grid).await?
        } else {
            let drawn = match &read.stored {
                Stored::Samples(samples) => history::columns_on(ask.grid, samples, &gaps, &read.resets, found.kind, span),
                Stored::Rollup(rollup) => history::columns_of_rollup(rollup, &gaps, &read.resets, found.kind, span),
            };
            (drawn, read.stored.tier())
        };
        let unit = unit_of(mode, &found.unit);
        let notes = self.store.notes_in(found.box_id, span.from_ms, span.to_ms).await?;
        let alerts = self.alert_marks(&found.box_name, &ask.name, (mode, &unit), (span.from_ms, span.to_ms)).await?;
        let every_ms = match drawn.columns.t.as_slice() {
            [first, second, ..] => Some(second - first),
            _ => Some(span.width_ms()),
        };
        Ok(Series {
            box_name: found.box_name,
            name: ask.name.clone(),
            mode,
            of: ask.of.clone().filter(|_| mode == Mode::Percent),
            every_ms: every_ms.filter(|_| mode == Mode::Increase),
            unit,
            from: span.from_ms,
            to: ask.to_ms,
            tier: tier.as_str().into(),
            columns: drawn.columns,
            gaps: drawn.gaps,
            total: drawn.total,
            resets: drawn.resets,
            notes,
            alerts,
            of_means: false,
        })
    }

    /// What is stored of a series over a span, with its marks; in a tier that is not finer than `tier`.
    async fn read(&self, found: &Found, span: Span, tier: Option<Tier>) -> Result<Read, StoreError> {
        let Some(series) = found.series else { return Ok(Read { stored: Stored::Samples(Samples::default()), resets: Vec::new() }) };
        let from_ms = span.from_ms.saturating_sub(history::lookback_ms(found.interval_ms));
        let stored = match tier {
            Some(tier) => Stored::Rollup(self.store.rollup(series, from_ms, span.to_ms, tier).await?),
            None => stored(&self.store, series, from_ms, span).await?,
        };
        Ok(Read { stored, resets: self.store.resets(found.box_id, series, from_ms, span.to_ms).await? })
    }

    /// The span in stretches that people count in, none shorter than what is kept of it.
    async fn in_stretches(&self, found: &Found, span: Span, least_ms: i64) -> Result<Span, StoreError> {
        let mut least_ms = span.width_ms().max(found.interval_ms).max(least_ms);
        if let Some(series) = found.series
            && self.store.are_samples_gone(series, span.from_ms, span.to_ms).await?
        {
            least_ms = least_ms.max(Tier::Minutes.bucket_ms());
        }
        Ok(history::in_stretches(span, history::stretch_ms(least_ms)))
    }

    /// What it is of another statistic of its box, in percent, from one tier of both.
    async fn share(&self, found: &Found, part: Read, of: &str, gaps: &[Gap], span: Span, grid: Grid) -> Result<(History, Tier), DeskError> {
        let other = self.find_series(&found.box_name, of).await?;
        let mut part = part;
        let mut whole = self.read(&other, span, None).await?;
        let tier = part.stored.tier().max(whole.stored.tier());
        // What is coarser decides; what was read finer is read again.
        for (read, found) in [(&mut part, found), (&mut whole, &other)] {
            if read.stored.tier() != tier {
                *read = self.read(found, span, Some(tier)).await?;
            }
        }
        let drawn = match (&part.stored, &whole.stored) {
            (Stored::Samples(one), Stored::Samples(all)) => {
                history::shares(&part.side(one, found.kind), &whole.side(all, other.kind), gaps, span, grid)
            }
            (Stored::Rollup(one), Stored::Rollup(all)) => {
                history::shares_of_rollups(&part.side(one, found.kind), &whole.side(all, other.kind), gaps, span)
            }
            // One of both has nothing at all.
            _ => History::default(),
        };
        Ok((drawn, tier))
    }

    /// The samples themselves.
    ///
    /// # Errors
    /// As [`Self::series`].
    pub async fn samples(&self, box_name: &str, name: &str, from_ms: i64, to_ms: i64) -> Result<Samples, DeskError> {
        check_span(from_ms, to_ms)?;
        if let Some(definition) = self.derived_of(box_name, name)? {
            return self.computed_samples(box_name, &definition, from_ms, to_ms).await;
        }
        let found = self.find_series(box_name, name).await?;
        match found.series {
            Some(series) => {
                let samples = self.store.samples(series, from_ms, to_ms).await?;
                // Whoever takes samples away would not see that some are missing.
                match samples.damaged.first() {
                    Some(gap) => Err(StoreError::Damaged(format!("{}; tickmark check tells all that is", gap.reason)).into()),
                    None => Ok(samples),
                }
            }
            None => Ok(Samples::default()),
        }
    }

    pub(super) async fn find_series(&self, box_name: &str, name: &str) -> Result<Found, DeskError> {
        let entry = self.entry(box_name)?;
        let (box_id, box_name, (kind, unit, _), known, interval_ms) = {
            let now = entry.lock();
            let known = now.layout.place(name).is_some() || now.rules.ticked(name);
            (now.stored.id, now.stored.spec.name.clone(), now.meaning(name), known, now.interval_ms())
        };
        let series = self.store.series_id(box_id, name).await?;
        if series.is_none() && !known {
            let name = short(name);
            return Err(DeskError::NotFound(format!(
                "the box {box_name} has no statistic {name:?}: it was never seen and is not ticked. GET boxes/{box_name}/statistics lists those it has"
            )));
        }
        Ok(Found { box_id, box_name, series, kind, unit: unit.into_owned(), interval_ms })
    }
}

/// What is stored of a series: the samples, or the coarsest roll-up that has two points of its own in each that is drawn.
pub(super) async fn stored(store: &Store, series: SeriesId, from_ms: i64, span: Span) -> Result<Stored, StoreError> {
    let mut tier = Tier::for_width(span.width_ms());
    let are_gone = store.are_samples_gone(series, span.from_ms, span.to_ms).await?;
    if tier != Tier::Raw || are_gone {
        if tier == Tier::Raw {
            tier = Tier::Minutes;
        }
        let rollup = store.rollup(series, from_ms, span.to_ms, tier).await?;
        // As many points as there are samples show each of them, where they are there.
        if are_gone || usize::try_from(rollup.samples()).is_ok_and(|samples| samples > span.points) {
            return Ok(Stored::Rollup(rollup));
        }
    }
    Ok(Stored::Samples(store.samples(series, from_ms, span.to_ms).await?))
}

/// A gap where stored samples cannot be read, as the charts tell it.
fn damaged(gap: &Gap, ask: &SeriesAsk) -> Gap {
    tracing::error!(name = ask.name, reason = gap.reason, "stored samples are damaged and left out");
    Gap { reason: format!("stored samples are damaged: {}", gap.reason), ..*gap }
}

/// The unit of what is drawn in a mode.
#[must_use]
pub fn unit_of(mode: Mode, unit: &str) -> String {
    match mode {
        Mode::Rate => format!("{unit}/s"),
        Mode::Percent => "percent".to_owned(),
        Mode::Value | Mode::Increase => unit.to_owned(),
    }
}

fn check_span(from_ms: i64, to_ms: i64) -> Result<(), DeskError> {
    if from_ms >= to_ms {
        return Err(DeskError::invalid("from", "must lie before to"));
    }
    if to_ms.saturating_sub(from_ms) > MAX_SPAN_MS {
        return Err(DeskError::invalid("from", "at most ten years can be asked at once"));
    }
    Ok(())
}
