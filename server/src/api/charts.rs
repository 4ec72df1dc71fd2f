//! Charts as pictures, for pages without JavaScript, mails and wikis.

use std::sync::Arc;

use app::{
    chart::{self, Chart, Line, Palette},
    format,
    model::{Gap, Mode, Series},
};
use axum::{
    extract::State,
    http::{StatusCode, header},
    response::IntoResponse,
};

use super::{Ask, ask::wrong, series};
use crate::{
    alerts::Draw,
    config::parse_duration,
    desk::{Desk, SeriesAsk},
    history::NOT_RECORDED,
    http::App,
    png,
    problem::{Problem, problem},
};

/// So many lines one chart can have.
const MAX_LINES: usize = 12;
/// Pictures are drawn at up to this size.
const MAX_WIDTH: u32 = 4_000;
const MAX_HEIGHT: u32 = 2_000;

/// Draws the statistics that a query string names.
async fn draw(desk: &Desk, ask: &Ask, palette: Palette) -> Result<String, Problem> {
    let width = ask.number("width", 720, 120..=MAX_WIDTH)?;
    let height = ask.number("height", 240, 80..=MAX_HEIGHT)?;
    let names: Vec<&str> = ask.all("name").collect();
    if names.is_empty() || names.len() > MAX_LINES {
        return Err(wrong("name", &format!("must be given, 1 to {MAX_LINES} times")));
    }
    let mut questions: Vec<SeriesAsk> = names.iter().map(|name| series::read(ask, name, width)).collect::<Result<_, _>>()?;
    let mut lines = read_all(desk, &questions).await?;
    if let Some(begins) = begins_late(&lines) {
        for question in &mut questions {
            question.from_ms = begins;
        }
        lines = read_all(desk, &questions).await?;
    }
    let before = match (ask.get("compare"), questions.as_slice()) {
        (None, _) => None,
        (Some(word), [question]) => {
            let by_ms = duration(word)?;
            let (from_ms, to_ms) = (question.from_ms.saturating_sub(by_ms), question.to_ms.saturating_sub(by_ms));
            let asked = SeriesAsk { from_ms, to_ms, ..question.clone() };
            Some((desk.series(&asked).await?.later(by_ms), format::before(by_ms)))
        }
        (Some(_), _) => return Err(wrong("compare", "goes with one name")),
    };
    // Drawing is a millisecond of work at most, bounded by the width.
    Ok(picture(&lines, before.as_ref(), (width, height), palette))
}

async fn read_all(desk: &Desk, questions: &[SeriesAsk]) -> Result<Vec<Series>, Problem> {
    let mut lines = Vec::with_capacity(questions.len());
    for question in questions {
        lines.push(desk.series(question).await?);
    }
    Ok(lines)
}

/// Where a young history begins, which is drawn from there on: asked again from there, its points fill the width.
pub(super) fn begins_late(series: &[Series]) -> Option<i64> {
    let asked = series.first()?.from;
    Some(range(series).0).filter(|begins| *begins > asked)
}

/// The time axis: the span, or what there is of it when the history is young.
fn range(series: &[Series]) -> (i64, i64) {
    let first_known = series.iter().filter_map(|one| chart::first_known(&one.columns, &one.gaps)).min();
    series.first().map_or((0, 0), |first| chart::time_range(first.from, first.to, first_known))
}

/// How long before, `1h` or `7d`.
fn duration(word: &str) -> Result<i64, Problem> {
    let by = parse_duration(word).map_err(|message| wrong("compare", &message))?;
    i64::try_from(by.as_millis()).ok().filter(|&ms| ms > 0).ok_or_else(|| wrong("compare", "is longer than zero, such as 24h"))
}

fn picture(series: &[Series], before: Option<&(Series, String)>, (width, height): (u32, u32), palette: Palette) -> String {
    let Some((first, others)) = series.split_first() else { return String::new() };
    let lines: Vec<Line<'_>> = series.iter().map(line).collect();
    let (from_ms, to_ms) = range(series);
    // Those of the whole box come with each series.
    let mut resets: Vec<_> = series.iter().flat_map(|one| one.resets.iter().cloned()).collect();
    resets.sort_by_key(|reset| reset.at);
    resets.dedup();
    chart::draw(&Chart {
        lines: &lines,
        before: before.map(|(series, label)| Line { label, ..line(series) }),
        gaps: &others.iter().fold(first.gaps.clone(), |gaps, one| common(&gaps, &one.gaps)),
        resets: &resets,
        from_ms,
        to_ms,
        // Numbers of different kinds share an axis that says none of their units; the legend says each.
        mode: if others.iter().all(|one| one.mode == first.mode) { first.mode } else { Mode::Value },
        unit: if others.iter().all(|one| one.unit == first.unit) { &first.unit } else { "" },
        width,
        height,
        palette,
        offset_ms: &|_| 0,
        zone: "UTC",
        with_facts: true,
    })
}

fn line(series: &Series) -> Line<'_> {
    Line { label: &series.name, columns: &series.columns, gaps: &series.gaps, unit: &series.unit }
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

/// A chart as SVG, with its numbers written in it; times are UTC.
#[utoipa::path(get, path = "/chart.svg", tag = "history", params(
    ("box" = String, Query, description = "Name or number"),
    ("name" = Vec<String>, Query, description = "`group:name`; may repeat for several lines, each as a rate or a value by its own kind"),
    ("from" = Option<String>, Query, description = "RFC 3339 or epoch milliseconds"),
    ("to" = Option<String>, Query, description = "RFC 3339 or epoch milliseconds; now when left out"),
    ("span" = Option<String>, Query, description = "Instead of `from`: `1h`, `24h`, `7d`; `24h` when left out"),
    ("points" = Option<u32>, Query, description = "At most so many points a line; one a pixel when left out"),
    ("mode" = Option<Mode>, Query, description = "`value` or `rate`; counters as rate when left out"),
    ("compare" = Option<String>, Query, description = "`1h`, `24h`, `7d`: what one statistic did so long before is drawn faintly behind"),
    ("width" = Option<u32>, Query, description = "Pixels, 720 when left out"), ("height" = Option<u32>, Query, description = "Pixels, 240 when left out"),
    ("theme" = Option<String>, Query, description = "`auto`, `light` or `dark`")),
    responses((status = 200, body = String, content_type = "image/svg+xml"), (status = 404, description = "No such box or statistic")))]
pub(super) async fn svg(State(app): State<Arc<App>>, ask: Ask) -> Result<impl IntoResponse, Problem> {
    let palette = match ask.get("theme") {
        None | Some("auto") => Palette::Auto,
        Some("light") => Palette::Light,
        Some("dark") => Palette::Dark,
        Some(other) => return Err(wrong("theme", &format!("is {other:?}; allowed are auto, light and dark"))),
    };
    let svg = draw(&app.desk, &ask, palette).await?;
    // The picture carries its own style sheet; it must not run or load anything.
    let policy = "default-src 'none'; style-src 'unsafe-inline'";
    Ok(([(header::CONTENT_TYPE, "image/svg+xml"), (header::CONTENT_SECURITY_POLICY, policy), (header::CACHE_CONTROL, "no-cache")], svg))
}

/// A chart as PNG; times are UTC.
#[utoipa::path(get, path = "/chart.png", tag = "history", params(
    ("box" = String, Query, description = "Name or number"),
    ("name" = Vec<String>, Query, description = "`group:name`; may repeat for several lines, each as a rate or a value by its own kind"),
    ("from" = Option<String>, Query, description = "RFC 3339 or epoch milliseconds"),
    ("to" = Option<String>, Query, description = "RFC 3339 or epoch milliseconds; now when left out"),
    ("span" = Option<String>, Query, description = "Instead of `from`: `1h`, `24h`, `7d`; `24h` when left out"),
    ("points" = Option<u32>, Query, description = "At most so many points a line; one a pixel when left out"),
    ("mode" = Option<Mode>, Query, description = "`value` or `rate`; counters as rate when left out"),
    ("compare" = Option<String>, Query, description = "`1h`, `24h`, `7d`: what one statistic did so long before is drawn faintly behind"),
    ("width" = Option<u32>, Query, description = "Pixels, 720 when left out"), ("height" = Option<u32>, Query, description = "Pixels, 240 when left out"),
    ("theme" = Option<String>, Query, description = "`light` (also for `auto`) or `dark`")),
    responses((status = 200, body = [u8], content_type = "image/png"), (status = 404, description = "No such box or statistic")))]
pub(super) async fn png(State(app): State<Arc<App>>, ask: Ask) -> Result<impl IntoResponse, Problem> {
    let palette = match ask.get("theme") {
        None | Some("auto" | "light") => Palette::Light,
        Some("dark") => Palette::Dark,
        Some(other) => return Err(wrong("theme", &format!("is {other:?}; allowed are light and dark"))),
    };
    let svg = draw(&app.desk, &ask, palette).await?;
    // One picture at a time: each takes some 15 ms of a core and tens of megabytes.
    let _turn = app.painting.lock().await;
    let drawn = tokio::task::spawn_blocking(move || png::render(&svg, 2.0)).await;
    let failed = |detail: String| problem(StatusCode::INTERNAL_SERVER_ERROR, "The picture could not be drawn", detail);
    let bytes = drawn.map_err(|error| failed(error.to_string()))?.map_err(|error| failed(error.to_string()))?;
    Ok(([(header::CONTENT_TYPE, "image/png"), (header::CACHE_CONTROL, "no-cache")], bytes))
}

/// Draws charts for messages: the last three hours of a statistic.
pub fn drawing(desk: Arc<Desk>) -> Draw {
    Arc::new(move |box_name: String, name: String| {
        let desk = Arc::clone(&desk);
        Box::pin(async move {
            let query = url::form_urlencoded::Serializer::new(String::new())
                .extend_pairs([("box", box_name.as_str()), ("name", &name), ("span", "3h"), ("width", "720"), ("height", "240")])
                .finish();
            let svg = draw(&desk, &Ask::parse(&query), Palette::Light).await.ok()?;
            tokio::task::spawn_blocking(move || png::render(&svg, 1.0)).await.ok()?.ok()
        })
    })
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
