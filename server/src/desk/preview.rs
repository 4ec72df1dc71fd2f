//! What rules would have done: in the last week, and what they compare with.

use app::model::{Gap, Number, Series};

use super::{Desk, DeskError, SeriesAsk};
use crate::{
    alerts::{Condition, Phase, Rule, Turn, judge_point},
    board::Definition,
    clock,
    formula::Formula,
    sampler::is_not_of_the_box,
};

/// The preview looks at so many points of the last week: one a minute.
const PREVIEW_POINTS: usize = 7 * 24 * 60;
/// So long back the preview looks.
const PREVIEW_MS: i64 = 7 * 24 * 3_600_000;

/// When a rule would have fired.
#[derive(Clone, Debug, Default)]
pub struct Preview {
    /// From when to when, with the value by which.
    pub spans: Vec<(i64, i64, Option<f64>)>,
    /// Why nothing can be said.
    pub reason: Option<String>,
    /// What the rule looked at, where it looks at a value.
    pub series: Option<Series>,
}

impl Desk {
    /// When a rule would have fired on a box in the last week, as far as its history tells.
    ///
    /// # Errors
    /// When there is no such box or a field is wrong.
    pub async fn preview(&self, rule: &Rule, box_name: &str) -> Result<Preview, DeskError> {
        rule.check("tried").map_err(|(field, message)| DeskError::invalid(field, message))?;
        let now_ms = clock::now_ms();
        let from_ms = now_ms - PREVIEW_MS;
        if !rule.condition.is_of_value() {
            return self.preview_of_box(rule, box_name, from_ms, now_ms).await;
        }
        let formula = self.looked_at(&rule.formula).await?;
        let asked = if formula.is_across() { crate::config::BUILTIN_BOX } else { box_name };
        let definition = Definition::new("preview", formula, "", "");
        let ask = |from_ms: i64, to_ms: i64| SeriesAsk {
            box_name: asked.to_owned(),
            name: "derived:preview".to_owned(),
            from_ms,
            to_ms,
            points: PREVIEW_POINTS,
            ..SeriesAsk::default()
        };
        let series = self.computed(&ask(from_ms, now_ms), &definition).await?;
        let ago_ms = rule.condition.ago_ms();
        let before = match ago_ms {
            Some(ago_ms) => Some(self.computed(&ask(from_ms - ago_ms, now_ms - ago_ms), &definition).await?),
            None => None,
        };
        let columns = &series.columns;
        let float = |column: &[Option<Number>], point: usize| column[point].map_or(f64::NAN, Number::as_f64);
        let (mut turn, mut spans, mut past) = (Turn::default(), Vec::<(i64, i64, Option<f64>)>::new(), Vec::new());
        for (point, &at_ms) in columns.t.iter().enumerate() {
            let (low, high) = (float(&columns.min, point), float(&columns.max, point));
            let earlier = before.as_ref().and_then(|before| mean_at(before, at_ms - ago_ms.unwrap_or_default()));
            past.push((at_ms, low, high));
            let verdict = judge_point(&rule.condition, (low, high), &past, earlier, turn.phase == Phase::Firing);
            let after = turn.next(verdict, at_ms, rule.hold_ms());
            if after.phase == Phase::Firing && turn.phase != Phase::Firing {
                let value = if matches!(rule.condition, Condition::Below { .. }) { low } else { high };
                spans.push((at_ms, now_ms, (!value.is_nan()).then_some(value)));
            } else if turn.phase == Phase::Firing
                && after.phase != Phase::Firing
                && let Some(last) = spans.last_mut()
            {
                last.1 = at_ms;
            }
            turn = after;
        }
        let nothing = columns.last.iter().all(Option::is_none);
        let reason = nothing.then(|| {
            series.gaps.first().map_or_else(|| "nothing of it was recorded in the last week".to_owned(), |gap| gap.reason.clone())
        });
        let reason = reason.filter(|_| !matches!(rule.condition, Condition::NoData));
        Ok(Preview { spans, reason, series: Some(series) })
    }

    /// The gaps of a box are when it gave no answer.
    async fn preview_of_box(&self, rule: &Rule, box_name: &str, from_ms: i64, now_ms: i64) -> Result<Preview, DeskError> {
        let id = self.entry(box_name)?.lock().stored.id;
        if rule.condition != Condition::BoxDown {
            return Ok(Preview { reason: Some("restarts are marked on the charts".to_owned()), ..Preview::default() });
        }
        let gaps = self.store.gaps(id, from_ms, now_ms).await?;
        let is_silent = |gap: &Gap| !is_not_of_the_box(&gap.reason) && gap.to - gap.from >= rule.hold_ms();
        let spans = gaps.into_iter().filter(is_silent).map(|gap| (gap.from + rule.hold_ms(), gap.to, None));
        Ok(Preview { spans: spans.collect(), ..Preview::default() })
    }

    /// What a formula came to around an instant; none where that is not known.
    pub(crate) async fn mean_around(&self, formula: &Formula, box_id: i64, at_ms: i64, half_ms: i64) -> Option<f64> {
        let definition = Definition::new("before", formula.clone(), "", "");
        let computing = self.computing();
        let question = computing.question(&self.name_of(box_id), &definition).await.ok()?;
        computing.mean_around(&question, at_ms, half_ms).await.ok()?
    }
}

/// The mean of the point in which an instant lies, and of five before and after it.
fn mean_at(series: &Series, at_ms: i64) -> Option<f64> {
    let place = series.columns.t.partition_point(|&start| start <= at_ms);
    let around = place.saturating_sub(6)..(place + 5).min(series.columns.t.len());
    let known: Vec<f64> = series.columns.mean[around].iter().flatten().map(|mean| mean.as_f64()).collect();
    #[expect(clippy::cast_precision_loss, reason = "eleven at most")]
    let mean = known.iter().sum::<f64>() / known.len() as f64;
    (!known.is_empty()).then_some(mean)
}
