//! What a chart asks the panel for, and what it makes of the answers. What was recorded since it was loaded is joined to it: what is there
//! already is neither asked for nor worked out again.

use super::{Card, shown};
use crate::chart::tail::{self, Tail};
use crate::chart::zoom::Span;
use crate::format;
use crate::islands::browser;
use crate::links;
use crate::model::{ChartLines, Mode};

/// The shortest time between two requests of one chart, in milliseconds.
const PERIOD_MIN_MS: f64 = 1000.0;
/// A bar of an increase is so wide, in pixels, air included.
const BAR_PX: u32 = 8;
/// After so many times the whole is loaded: notes may have been written further back, and sums of rates are no longer exact.
const JOINS_MAX: u32 = 60;

/// What a request is for.
#[derive(Clone, Copy)]
pub(super) enum Asking {
    /// All of it, of a span.
    Whole(Option<Span>),
    /// What was before.
    Before,
    /// What came since.
    Tail(Tail),
}

impl Card {
    /// The request that brings it up to date.
    pub(in crate::islands::charts) fn ask(&mut self, now_ms: i64) -> String {
        self.loading = true;
        // A chart that was put together says its mode itself.
        let mode = if self.composed { "" } else { self.mode.map_or("", Mode::as_str) };
        let path = format!("{}/{}{}", links::API, if self.composed { "chart" } else { "series" }, self.query);
        let url = |fit: &str, points: u32, range: Option<Span>, span: &str| {
            let how = links::with_query("", &[("fit", fit), ("points", &points.max(1).to_string()), ("mode", mode)]);
            links::with_span(&format!("{path}&{}", how.trim_start_matches('?')), range, span)
        };
        if let (true, Some(series), Some(by_ms)) = (self.before_wanted, &self.series, self.compare_ms) {
            let span = (series.from - by_ms, series.to - by_ms);
            (self.before_wanted, self.asking) = (false, Asking::Before);
            return url("", self.points(), Some(span), "");
        }
        self.stale = false;
        if let Some(tail) = self.tail(now_ms) {
            self.asking = Asking::Tail(tail);
            return url("", tail.points, Some((tail.from_ms, tail.to_ms)), "");
        }
        self.asking = Asking::Whole(self.range);
        self.loaded_width = self.width();
        // A span that somebody chose is drawn as it is, also where little of it is known.
        url(if self.range.is_some() { "" } else { "true" }, self.points(), self.range, &self.span)
    }

    /// Whether what is on its way is to be joined to what is there.
    pub(in crate::islands::charts) fn is_joining(&self) -> bool {
        matches!(self.asking, Asking::Tail(_))
    }

    /// It is asked for again later: somebody points at an instant now.
    pub(in crate::islands::charts) fn put_off(&mut self) {
        (self.loading, self.stale) = (false, true);
    }

    /// So many pixels a point has.
    fn per_point(&self) -> u32 {
        if self.mode == Some(Mode::Increase) { BAR_PX } else { 1 }
    }

    /// Takes what was loaded; the next request waits until a pixel's worth of time has passed.
    #[expect(clippy::cast_precision_loss, reason = "spans are far below what a float can count")]
    pub(in crate::islands::charts) fn take(&mut self, mut answer: ChartLines, now_ms: f64) {
        self.loading = false;
        if answer.lines.is_empty() {
            return;
        }
        match (self.asking, self.compare_ms) {
            (Asking::Before, Some(by_ms)) => {
                self.dirty = true;
                self.before = Some(answer.lines.remove(0).later(by_ms));
                self.not_before_ms = self.next_ms;
                return;
            }
            // What was asked for before somebody looked elsewhere.
            (Asking::Tail(_), _) if self.whole_wanted => return,
            (Asking::Tail(tail), _) => self.join(answer, tail),
            (asked, _) => {
                let series = answer.lines.remove(0);
                (self.series, self.others) = (Some(series), answer);
                // Somebody may look elsewhere meanwhile.
                (self.whole_wanted, self.joins) = (!matches!(asked, Asking::Whole(range) if range == self.range), 0);
                // What it is compared with comes at once.
                self.before_wanted = self.compare_ms.is_some();
                self.dirty = true;
            }
        }
        if let Some(series) = &self.series {
            let (from, to) = shown(series, self.range);
            self.next_ms = now_ms + ((to - from) as f64 / f64::from(self.loaded_width.max(1))).max(PERIOD_MIN_MS);
        }
        self.not_before_ms = if self.before_wanted { now_ms } else { self.next_ms };
        self.failures = 0;
        self.message("");
    }

    /// Says what went wrong; what was drawn stays. That nobody answers at all is said once, above the page.
    pub(in crate::islands::charts) fn fail(&mut self, failure: &browser::Failure, pause_ms: f64) {
        self.loading = false;
        self.stale = true;
        if !matches!(failure.status, 0 | 401) {
            self.message(&format!("{} It is tried again in {}.", failure.text, format::age(pause_ms as i64)));
        }
    }

    /// What there is to ask for at this instant beyond what is there; none: it is to be loaded whole.
    fn tail(&self, now_ms: i64) -> Option<Tail> {
        let keeps = !self.whole_wanted && self.joins < JOINS_MAX && self.compare_ms.is_none() && self.width() == self.loaded_width;
        if !keeps || !self.grows() {
            return None;
        }
        tail::next(&self.lines(), self.points(), now_ms)
    }

    /// Joins what came. Where it is of other lines, the whole is loaded next.
    fn join(&mut self, mut came: ChartLines, tail: Tail) {
        let is_same = {
            let lines = self.lines();
            let names = lines.iter().map(|line| (&line.box_name, &line.name, line.mode));
            names.eq(came.lines.iter().map(|line| (&line.box_name, &line.name, line.mode)))
        };
        let Some(first) = self.series.as_mut().filter(|_| is_same) else {
            (self.whole_wanted, self.stale) = (true, true);
            return;
        };
        let begin_ms = tail::span_ms(&self.span).map_or(first.from, |span| tail.to_ms - span).max(first.from);
        for (line, came) in std::iter::once(first).chain(&mut self.others.lines).zip(came.lines.drain(..)) {
            tail::join(line, came, tail, begin_ms);
        }
        tail::join_gaps(&mut self.others.gaps, came.gaps, tail.from_ms, begin_ms);
        tail::join_resets(&mut self.others.resets, came.resets, tail.from_ms, begin_ms);
        self.others.notes.retain(|note| note.to >= begin_ms && !came.notes.contains(note));
        self.others.notes.extend(came.notes);
        tail::join_alerts(&mut self.others.alerts, came.alerts, tail.from_ms, begin_ms);
        self.joins += 1;
        self.dirty = true;
    }

    /// So many points it is asked for with.
    fn points(&self) -> u32 {
        self.loaded_width / self.per_point()
    }
}
