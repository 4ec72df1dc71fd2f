//! Spans that a gesture leads to: narrower, wider, earlier, later. It knows shares of a plot's width, no pixels and no page.

use super::time::FARTHEST_MS;

/// The shortest span that is looked at: some samples at 200 ms.
const SHORTEST_MS: i64 = 2_000;
/// The longest.
const LONGEST_MS: i64 = 20 * 366 * 86_400_000;

/// A span of time, epoch milliseconds.
pub type Span = (i64, i64);

/// The span between two places in it, given as shares of its width; none where that is no span to speak of.
#[must_use]
pub fn between(span: Span, one: f64, other: f64) -> Option<Span> {
    let (start, end) = (one.min(other).clamp(0.0, 1.0), one.max(other).clamp(0.0, 1.0));
    (end > start).then(|| sane((instant(span, start), instant(span, end))))
}

/// The span that much later: a share of one is a whole width.
#[must_use]
pub fn moved(span: Span, share: f64) -> Span {
    let by = instant((0, span.1.saturating_sub(span.0)), share);
    sane((span.0.saturating_add(by), span.1.saturating_add(by)))
}

/// The span that many times as wide, in which the instant at `anchor` stays in its place.
#[must_use]
pub fn scaled(span: Span, times: f64, anchor: f64) -> Span {
    let (anchor, times) = (anchor.clamp(0.0, 1.0), times.clamp(0.001, 1000.0));
    sane((instant(span, anchor - anchor * times), instant(span, anchor + (1.0 - anchor) * times)))
}

/// The instant at a share of a span's width.
#[must_use]
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "spans are far below what a float can count")]
pub fn instant(span: Span, share: f64) -> i64 {
    span.0.saturating_add((span.1.saturating_sub(span.0) as f64 * share).round() as i64)
}

/// Where an instant lies in a span, as a share of its width.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "spans are far below what a float can count")]
pub fn share(span: Span, at: i64) -> f64 {
    at.saturating_sub(span.0) as f64 / span.1.saturating_sub(span.0).max(1) as f64
}

/// Neither too short nor too long, around the same middle, and within what a calendar can tell.
fn sane((from, to): Span) -> Span {
    let length = to.saturating_sub(from).clamp(SHORTEST_MS, LONGEST_MS);
    let middle = from.saturating_add(to.saturating_sub(from) / 2);
    let from = middle.saturating_sub(length / 2).clamp(-FARTHEST_MS, FARTHEST_MS - length);
    (from, from + length)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Span = (1_000_000_000_000, 1_000_003_600_000);

    #[test]
    fn a_selection_is_looked_at_whichever_way_it_was_drawn() {
        assert_eq!(between(HOUR, 0.25, 0.75), Some((1_000_000_900_000, 1_000_002_700_000)));
        assert_eq!(between(HOUR, 0.75, 0.25), between(HOUR, 0.25, 0.75));
        // Beyond the plot there is nothing to select.
        assert_eq!(between(HOUR, -3.0, 0.5), Some((HOUR.0, 1_000_001_800_000)));
        assert_eq!(between(HOUR, 1.2, 1.4), None);
    }

    #[test]
    fn what_is_moved_keeps_its_width() {
        assert_eq!(moved(HOUR, 0.5), (HOUR.0 + 1_800_000, HOUR.1 + 1_800_000));
        assert_eq!(moved(moved(HOUR, 0.3), -0.3), HOUR);
    }

    #[test]
    fn the_anchor_stays_in_its_place() {
        for anchor in [0.0, 0.2, 0.5, 1.0] {
            let at = instant(HOUR, anchor);
            for times in [0.5, 2.0] {
                let span = scaled(HOUR, times, anchor);
                assert!((instant(span, anchor) - at).abs() <= 1, "{anchor} {times}");
            }
        }
    }

    #[test]
    fn no_span_is_too_short_too_long_or_out_of_time() {
        let (from, to) = scaled((0, 4_000), 0.001, 0.5);
        assert_eq!(to - from, SHORTEST_MS);
        let mut span = HOUR;
        for _ in 0..9 {
            span = scaled(span, 1000.0, 0.0);
        }
        assert_eq!(span.1 - span.0, LONGEST_MS);
        let (from, to) = moved((FARTHEST_MS - 1_000_000, FARTHEST_MS), 1e9);
        assert!(from < to && to <= FARTHEST_MS);
    }
}
