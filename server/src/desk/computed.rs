//! The history of derived statistics, as it is drawn: computed when it is read.

use std::sync::Arc;

use app::model::{Gap, Kind, Mode, Series};

use super::{
    Desk, DeskError, SeriesAsk,
    computing::{Computed, Computing},
    reading::MAX_POINTS,
};
use crate::{
    board::{Definition, unbound_reason},
    history::{self, NO_VALUE, NOT_RECORDED, Span},
    store::Samples,
};

/// Why there is a gap where the formula comes to nothing.
const NOT_COMPUTED: &str = "the formula has no value: an input has none, or its divisor is 0";

impl Desk {
    /// Computes of the boxes as they are now.
    pub(super) fn computing(&self) -> Computing<'_> {
        Computing { board: &self.board, store: &self.store }
    }

    /// The definition of a derived statistic; none where the name is that of another.
    pub(super) fn derived_of(&self, box_name: &str, full: &str) -> Result<Option<Arc<Definition>>, DeskError> {
        let entry = self.entry(box_name)?;
        let found = entry.lock().derived(full);
        Ok(found)
    }

    /// Columns of a derived statistic.
    pub(super) async fn computed(&self, ask: &SeriesAsk, definition: &Definition) -> Result<Series, DeskError> {
        let computing = self.computing();
        let question = computing.question(&ask.box_name, definition).await?;
        let span = Span { from_ms: ask.from_ms, to_ms: ask.to_ms, points: ask.points, mode: Mode::Value };
        let gaps = computing.gaps_of(&question, span).await?;
        let Computed { samples, resets, tier, of_means, unrecorded } = computing.compute(&question, span).await?;
        let points = if of_means { samples.at_ms.len().max(1) } else { ask.points };
        let mut drawn = history::columns_on(ask.grid, &samples, &gaps, &resets, Kind::Gauge, Span { points, ..span });
        let reason = question.bound.as_ref().err().map(|unbound| unbound_reason(&definition.formula, unbound));
        for gap in drawn.gaps.iter_mut().filter(|gap| gap.reason == NO_VALUE) {
            let within = |times: &[i64]| times.partition_point(|at| *at < gap.to) - times.partition_point(|at| *at <= gap.from);
            let other = if 2 * within(&unrecorded) > within(&samples.at_ms) { NOT_RECORDED } else { NOT_COMPUTED };
            gap.reason = covers(&gaps, gap).map_or(other, |of_box| &of_box.reason).to_owned();
        }
        if let Some(reason) = reason {
            drawn.gaps = vec![Gap { from: ask.from_ms, to: ask.to_ms, reason }];
        }
        let box_id = self.entry(&question.box_name)?.lock().stored.id;
        let notes = self.store.notes_in(box_id, ask.from_ms, ask.to_ms).await?;
        let told = (Mode::Value, definition.unit.as_str());
        let alerts = self.alert_marks(&question.box_name, &ask.name, told, (ask.from_ms, ask.to_ms)).await?;
        Ok(Series {
            box_name: question.box_name,
            name: ask.name.clone(),
            mode: Mode::Value,
            of: None,
            every_ms: None,
            unit: definition.unit.clone(),
            from: ask.from_ms,
            to: ask.to_ms,
            tier: tier.as_str().into(),
            columns: drawn.columns,
            gaps: drawn.gaps,
            total: None,
            resets: drawn.resets,
            notes,
            alerts,
            of_means,
        })
    }

    /// What a derived statistic comes to, at each sample of its inputs where they are of one box and kept, else at even times.
    pub(super) async fn computed_samples(
        &self,
        box_name: &str,
        definition: &Definition,
        from_ms: i64,
        to_ms: i64,
    ) -> Result<Samples, DeskError> {
        let computing = self.computing();
        let question = computing.question(box_name, definition).await?;
        let span = Span { from_ms, to_ms, points: MAX_POINTS, mode: Mode::Value };
        let Computed { samples, .. } = computing.compute(&question, span).await?;
        let mut within = Samples::default();
        for (place, (at_ms, value)) in samples.iter().enumerate().filter(|(_, (at_ms, _))| (from_ms..to_ms).contains(at_ms)) {
            within.push(at_ms, value, samples.interval_ms(place));
        }
        Ok(within)
    }
}

/// The gap of a box that is most of this one.
fn covers<'a>(gaps: &'a [Gap], gap: &Gap) -> Option<&'a Gap> {
    gaps.iter().find(|of_box| 2 * (of_box.to.min(gap.to) - of_box.from.max(gap.from)) > gap.to - gap.from)
}
