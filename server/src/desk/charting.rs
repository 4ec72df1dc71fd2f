//! A chart of several statistics: which they are, and what each of them has over a span. What they come to together is `combining`'s.

use app::{
    chart,
    model::{ChartLines, ChartSpec, Combine, Gap, Mode, Series, Wanted},
};

use super::{Desk, DeskError, SeriesAsk, combining};
use crate::{
    board::{BoxNow, by_name},
    history::{Grid, NOT_RECORDED},
    store::SeriesId,
};

/// So many lines one chart can have.
pub const MAX_LINES: usize = 12;
/// So many statistics can become one line.
const MAX_MEMBERS: usize = 100;
/// A point of what is put together is so many intervals long, at least: each box has a sample in it, whenever it is polled.
const INTERVALS_A_POINT: i64 = 2;
/// So often is asked anew where points of several series do not lie at the same times.
const MAX_TRIES: usize = 4;

/// A question for a chart.
#[derive(Clone, Debug)]
pub struct ChartAsk {
    /// The box of what names none, by name or number; none: all boxes.
    pub box_name: Option<String>,
    /// The start, epoch milliseconds.
    pub from_ms: i64,
    /// The end, epoch milliseconds.
    pub to_ms: i64,
    /// At most so many points a line.
    pub points: usize,
    /// Whether what is known is all there is to show, where less than half of the span is known.
    pub fit: bool,
}

impl Desk {
    /// The lines of a chart over a span.
    ///
    /// # Errors
    /// When nothing is found that it names, there is too much of it, or the span is wrong.
    pub async fn chart(&self, spec: &ChartSpec, ask: &ChartAsk) -> Result<ChartLines, DeskError> {
        let named = self.named_by(spec, ask.box_name.as_deref()).await?;
        let together = spec.combine != Combine::None;
        let mut points = ask.points;
        if together {
            let mut interval_ms = 1;
            for (box_name, name) in &named {
                interval_ms = interval_ms.max(self.find_series(box_name, name).await?.interval_ms);
            }
            let most = ask.to_ms.saturating_sub(ask.from_ms) / interval_ms.saturating_mul(INTERVALS_A_POINT);
            points = points.min(usize::try_from(most).unwrap_or(usize::MAX)).max(1);
        }
        let question = |(box_name, name): &(String, String)| SeriesAsk {
            box_name: box_name.clone(),
            name: name.clone(),
            from_ms: ask.from_ms,
            to_ms: ask.to_ms,
            points,
            mode: spec.mode,
            of: spec.of.clone(),
            grid: if together { Grid::Equal } else { Grid::Samples },
            least_ms: 0,
        };
        let mut questions: Vec<SeriesAsk> = named.iter().map(question).collect();
        let mut lines = self.read_all(&mut questions).await?;
        if ask.fit
            && let Some(begins) = begins_late(&lines)
        {
            questions.iter_mut().for_each(|question| question.from_ms = begins);
            lines = self.read_all(&mut questions).await?;
        }
        Ok(combining::together(lines, spec.combine))
    }

    /// Reads them all; what lies on an equal grid lies on the same.
    async fn read_all(&self, questions: &mut [SeriesAsk]) -> Result<Vec<Series>, DeskError> {
        for _ in 0..MAX_TRIES {
            let mut lines = Vec::with_capacity(questions.len());
            for question in questions.iter() {
                lines.push(self.series(question).await?);
            }
            let is_same = |lines: &[Series]| lines.windows(2).all(|two| two[0].columns.t == two[1].columns.t);
            if questions.iter().all(|question| question.grid == Grid::Samples) || is_same(&lines) {
                return Ok(lines);
            }
            // Of some only what is coarser is kept: then all are as coarse.
            let points = lines.iter().map(|line| line.columns.t.len()).filter(|&len| len > 0).min().unwrap_or(1);
            let least_ms = lines.iter().filter_map(|line| line.every_ms).max().unwrap_or_default();
            for question in questions.iter_mut() {
                (question.points, question.least_ms) = (points, least_ms);
            }
        }
        Err(DeskError::invalid("span", "too little is kept of some of these to put them together: choose another span"))
    }

    /// The box and the full name of each statistic that a chart names.
    async fn named_by(&self, spec: &ChartSpec, page_box: Option<&str>) -> Result<Vec<(String, String)>, DeskError> {
        let mut named: Vec<(String, String)> = Vec::new();
        for wanted in &spec.statistics {
            let of_box = wanted.box_name.as_deref().or(page_box);
            match (of_box, wanted.pattern().exact()) {
                // Whether it is there is seen when it is read.
                (Some(box_name), Some(full)) => {
                    let box_name = self.entry(box_name)?.lock().stored.spec.name.clone();
                    named.push((box_name, full.to_owned()));
                }
                _ => named.extend(self.recorded_as(wanted, of_box).await?),
            }
        }
        let mut seen = std::collections::HashSet::new();
        named.retain(|one| seen.insert(one.clone()));
        let most = if spec.combine.is_one_line() { MAX_MEMBERS } else { MAX_LINES };
        match named.len() {
            0 => Err(DeskError::NotFound(format!("nothing that is recorded is called {spec}: tick it, or write another name"))),
            many if many > most => {
                let than = if spec.combine.is_one_line() { "become one line" } else { "be lines of a chart" };
                Err(DeskError::invalid("chart", format!("names {many} statistics, and {most} can {than}: name fewer, or their sum")))
            }
            _ => Ok(named),
        }
    }

    /// What is recorded and matches.
    async fn recorded_as(&self, wanted: &Wanted, of_box: Option<&str>) -> Result<Vec<(String, String)>, DeskError> {
        let entries = match of_box {
            Some(name) => vec![self.entry(name)?],
            None => self.board.all().to_vec(),
        };
        let pattern = wanted.pattern();
        let mut named = Vec::new();
        for entry in entries {
            let id = entry.lock().stored.id;
            let recorded = self.store.series_of(id).await?;
            let now = entry.lock();
            let names = charted(&now, recorded).into_iter().filter(|name| pattern.matches(name));
            named.extend(names.map(|name| (now.stored.spec.name.clone(), name)));
        }
        Ok(named)
    }
}

/// What is recorded of a box: ticked statistics of the newest answer, those that were recorded before and that the box does not name
/// now, and ticked names that it never had.
#[must_use]
pub fn charted(now: &BoxNow, recorded: Vec<(SeriesId, String)>) -> Vec<String> {
    let mut names: Vec<String> = now.ticked().map(|(name, _)| name.to_string()).collect();
    names.extend(recorded.into_iter().map(|(_, name)| name).filter(|name| now.rules.ticked(name)));
    names.extend(now.rules.names().map(str::to_owned));
    let derived = now.layout.names.iter().zip(&now.layout.slots).skip(now.layout.asked.len());
    names.extend(derived.filter(|(_, slot)| slot.ticked).map(|(name, _)| name.to_string()));
    names.sort_unstable_by(|one, other| by_name(one, other));
    names.dedup();
    names
}

/// Where a young history begins, which is drawn from there on: asked again from there, its points fill the width.
#[must_use]
pub fn begins_late(series: &[Series]) -> Option<i64> {
    let asked = series.first()?.from;
    Some(shown_of(series).0).filter(|begins| *begins > asked)
}

/// The time axis: the span, or what there is of it when the history is young.
#[must_use]
pub fn shown_of(series: &[Series]) -> (i64, i64) {
    let first_known = series.iter().filter_map(|one| chart::first_known(&one.columns, &one.gaps)).min();
    series.first().map_or((0, 0), |first| chart::time_range(first.from, first.to, first_known))
}

/// Where none of the lines has values.
pub(super) fn common_gaps(lines: &[Series]) -> Vec<Gap> {
    let Some((first, others)) = lines.split_first() else { return Vec::new() };
    others.iter().fold(first.gaps.clone(), |gaps, one| common(&gaps, &one.gaps))
}

/// Where neither of two lines has values; both come in the order of their starts.
fn common(ours: &[Gap], theirs: &[Gap]) -> Vec<Gap> {
    let (mut ours, mut theirs) = (ours.iter().peekable(), theirs.iter().peekable());
    let mut gaps = Vec::new();
    while let (Some(our), Some(their)) = (ours.peek(), theirs.peek()) {
        let (from, to) = (our.from.max(their.from), our.to.min(their.to));
        if from < to {
            let told = if our.reason == NOT_RECORDED { their } else { our };
            gaps.push(Gap { from, to, reason: told.reason.clone() });
        }
        if our.to <= their.to {
            ours.next()
        } else {
            theirs.next()
        };
    }
    gaps
}

/// Whether what is told of each point is a sum over its time: then a point that is not known whole is not known.
pub(super) fn adds_up(mode: Mode) -> bool {
    mode == Mode::Increase
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_of_several_lines_is_where_none_has_values() {
        let gap = |from, to, reason: &str| Gap { from, to, reason: reason.to_owned() };
        let ours = [gap(0, 10, NOT_RECORDED), gap(20, 30, "timeout"), gap(40, 60, "refused")];
        let theirs = [gap(5, 22, "paused"), gap(25, 26, NOT_RECORDED), gap(50, 70, "refused")];
        let expect = [gap(5, 10, "paused"), gap(20, 22, "timeout"), gap(25, 26, "timeout"), gap(50, 60, "refused")];
        assert_eq!(common(&ours, &theirs), expect);
        assert_eq!(common(&ours, &[]), []);
    }
}
