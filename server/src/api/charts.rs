//! Charts of several statistics: as columns, and as pictures for pages without JavaScript, mails and wikis.

use std::sync::Arc;

use app::{
    chart::{self, Chart, How, Line, Palette},
    format,
    model::{Axis, CHART_STATISTICS_MAX, ChartLines, ChartSpec, Combine, Mode, Scale, Series, SpecError, Wanted},
};
use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::IntoResponse,
};

use super::{Ask, ask::wrong, series::DEFAULT_POINTS};
use crate::{
    alerts::Draw,
    clock,
    config::parse_duration,
    desk::{ChartAsk, Desk, MAX_POINTS, shown_of},
    http::App,
    png,
    problem::{Problem, problem},
};

/// Pictures are drawn at up to this size.
const MAX_WIDTH: u32 = chart::MAX_WIDTH;
const MAX_HEIGHT: u32 = chart::MAX_HEIGHT;
/// A bar of an increase is so wide, in pixels, air included.
const BAR_PX: u32 = 8;
/// The size of a picture in a message.
const MESSAGE: (u32, u32) = (720, 240);
/// The most pixels of a PNG for one of the drawing.
const MAX_DENSITY: u32 = 4;

/// What a chart shows, and over which span.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it describes what is read field by field")]
pub(super) struct ChartQuery {
    /// The whole chart as one text: statistics and patterns with spaces between, a box and a slash before those of another box than `box`,
    /// and words after a dot for all below, such as `core:rcv_* sip2/core:rcv_requests .rate .stacked ".title=SIP traffic"`. A statistic
    /// whose name has a slash has one before it: `/path:a/b`.
    chart: Option<String>,
    /// Name or number; with `chart`, of what names no box, and all boxes when left out.
    r#box: Option<String>,
    /// Instead of `chart`: `group:name`; may repeat for several lines.
    name: Option<Vec<String>>,
    /// RFC 3339 or epoch milliseconds.
    from: Option<String>,
    /// RFC 3339 or epoch milliseconds; now when left out.
    to: Option<String>,
    /// Instead of `from`: `1h`, `24h`, `7d`; `24h` when left out.
    span: Option<String>,
    /// At most so many points a line; one a pixel when left out.
    points: Option<u32>,
    /// `value`, `rate`, `increase` (over stretches of time that fit the span) or `percent` (of what `of` names); when left out each line
    /// as a rate or a value by its own kind.
    mode: Option<Mode>,
    /// With `mode=percent`: the statistic of the same box that these are shares of. Of counters, their rates are compared.
    of: Option<String>,
    /// `none`, `stacked`, `sum`, `average` or `maximum`: what several come to together, unit by unit. Where one of them is missing, there is
    /// no value, and a gap says which.
    combine: Option<Combine>,
    /// `linear` or `log`.
    scale: Option<Scale>,
    /// Where the axis begins: `auto`, `zero` or `fitted`.
    axis: Option<Axis>,
}

/// How a picture of it is drawn.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it describes what is read field by field")]
pub(super) struct PictureQuery {
    /// `1h`, `24h`, `7d`: what one line did so long before is drawn faintly behind.
    compare: Option<String>,
    /// Pixels, 720 when left out, 4096 at most.
    width: Option<u32>,
    /// Pixels, 240 when left out, 4096 at most.
    height: Option<u32>,
    /// `auto` (which a PNG takes for `light`), `light` or `dark`.
    theme: Option<String>,
    /// Of a PNG: its pixels for each of the drawing, 1 to 4, so that 1920 by 1080 fill a screen of 3840 by 2160. When left out 2, or 1
    /// where that is too large.
    density: Option<u32>,
}

/// The chart that a query string describes.
pub(super) fn spec(ask: &Ask) -> Result<ChartSpec, Problem> {
    let refused = |SpecError(why): SpecError| wrong("chart", &format!("cannot be drawn: {why}"));
    if let Some(text) = ask.get("chart") {
        return match ["name", "mode", "of", "combine", "scale", "axis"].into_iter().find(|name| ask.get(name).is_some()) {
            Some(other) => Err(wrong(other, "is said within chart, where chart is given")),
            None => text.parse().map_err(refused),
        };
    }
    let count = ask.all("name").count();
    if count == 0 || count > CHART_STATISTICS_MAX {
        return Err(wrong("name", &format!("must be given, 1 to {CHART_STATISTICS_MAX} times")));
    }
    let box_name = ask.need("box")?;
    let spec = ChartSpec {
        title: String::new(),
        statistics: ask.all("name").map(|name| Wanted::one(box_name, name)).collect(),
        mode: ask.mode()?,
        of: ask.get("of").map(str::to_owned),
        combine: ask.choice("combine", &Combine::ALL, Combine::as_str)?,
        scale: ask.choice("scale", &Scale::ALL, Scale::as_str)?,
        axis: ask.choice("axis", &Axis::ALL, Axis::as_str)?,
    };
    spec.check().map_err(refused)?;
    Ok(spec)
}

/// The question for its columns.
pub(super) fn question(ask: &Ask, spec: &ChartSpec, default_points: u32, fit: bool) -> Result<ChartAsk, Problem> {
    let (from_ms, to_ms) = ask.span(clock::now_ms())?;
    let most = u32::try_from(MAX_POINTS).unwrap_or(u32::MAX);
    let default = if spec.mode == Some(Mode::Increase) { (default_points / BAR_PX).max(1) } else { default_points };
    let points = ask.number("points", default, 1..=most)? as usize;
    Ok(ChartAsk { box_name: ask.get("box").map(str::to_owned), from_ms, to_ms, points, fit })
}

/// A chart of one or several statistics, in columns.
#[utoipa::path(get, path = "/chart", tag = "history", params(ChartQuery,
    ("fit" = Option<bool>, Query, description = "`true`: where less than half of the span is known, only what is known, as charts are drawn")),
    responses((status = 200, body = ChartLines), (status = 404, description = "No such box or statistic")))]
pub(super) async fn lines(State(app): State<Arc<App>>, ask: Ask) -> Result<Json<ChartLines>, Problem> {
    let spec = spec(&ask)?;
    let question = question(&ask, &spec, DEFAULT_POINTS, ask.flag("fit")?)?;
    Ok(Json(app.desk.chart(&spec, &question).await?))
}

/// Draws what a query string describes.
async fn draw(desk: &Desk, ask: &Ask, (width, height): (u32, u32), palette: Palette) -> Result<String, Problem> {
    let spec = spec(ask)?;
    let question = question(ask, &spec, width, true)?;
    let lines = desk.chart(&spec, &question).await?;
    let before = match (ask.get("compare"), lines.lines.as_slice()) {
        (None, _) => None,
        (Some(word), [line]) => {
            let by_ms = duration(word)?;
            let (from_ms, to_ms) = (line.from.saturating_sub(by_ms), line.to.saturating_sub(by_ms));
            let asked = ChartAsk { from_ms, to_ms, fit: false, ..question };
            let before = desk.chart(&spec, &asked).await?.lines.into_iter().next();
            before.map(|before| (before.later(by_ms), format::before(by_ms)))
        }
        (Some(_), _) => return Err(wrong("compare", "goes with one line: one name, or what several come to together")),
    };
    // Drawing is a millisecond of work at most, bounded by the width.
    Ok(picture(&spec, &lines, before.as_ref(), (width, height), palette))
}

fn size(ask: &Ask) -> Result<(u32, u32), Problem> {
    Ok((ask.number("width", 720, 120..=MAX_WIDTH)?, ask.number("height", 240, 80..=MAX_HEIGHT)?))
}

/// How long before, `1h` or `7d`.
fn duration(word: &str) -> Result<i64, Problem> {
    let by = parse_duration(word).map_err(|message| wrong("compare", &message))?;
    i64::try_from(by.as_millis()).ok().filter(|&ms| ms > 0).ok_or_else(|| wrong("compare", "is longer than zero, such as 24h"))
}

fn picture(spec: &ChartSpec, all: &ChartLines, before: Option<&(Series, String)>, size: (u32, u32), palette: Palette) -> String {
    let Some((first, others)) = all.lines.split_first() else { return String::new() };
    let labels = chart::labels(&all.lines.iter().collect::<Vec<_>>());
    let lines: Vec<Line<'_>> = all.lines.iter().zip(&labels).map(|(series, label)| line(series, label)).collect();
    let (from_ms, to_ms) = shown_of(&all.lines);
    chart::draw(&Chart {
        lines: &lines,
        before: before.map(|(series, label)| line(series, label)),
        gaps: &all.gaps,
        resets: &all.resets,
        from_ms,
        to_ms,
        // Where they differ each axis goes by its unit, and the legend says each.
        mode: if others.iter().all(|one| one.mode == first.mode) { first.mode } else { Mode::Value },
        how: How {
            title: &spec.title,
            scale: spec.scale,
            axis: spec.axis,
            stacked: spec.combine == Combine::Stacked,
            every_ms: first.every_ms,
            notes: &all.notes,
            alerts: &all.alerts,
            ..How::default()
        },
        unit: &first.unit,
        width: size.0,
        height: size.1,
        palette,
        offset_ms: &|_| 0,
        zone: "UTC",
        with_facts: true,
    })
}

fn line<'a>(series: &'a Series, label: &'a str) -> Line<'a> {
    Line { label, columns: &series.columns, gaps: &series.gaps, unit: &series.unit }
}

/// A chart as SVG, with its numbers written in it; times are UTC.
#[utoipa::path(get, path = "/chart.svg", tag = "history", params(ChartQuery, PictureQuery),
    responses((status = 200, body = String, content_type = "image/svg+xml"), (status = 404, description = "No such box or statistic")))]
pub(super) async fn svg(State(app): State<Arc<App>>, ask: Ask) -> Result<impl IntoResponse, Problem> {
    let palette = match ask.get("theme") {
        None | Some("auto") => Palette::Auto,
        Some("light") => Palette::Light,
        Some("dark") => Palette::Dark,
        Some(other) => return Err(wrong("theme", &format!("is {other:?}; allowed are auto, light and dark"))),
    };
    let svg = draw(&app.desk, &ask, size(&ask)?, palette).await?;
    // The picture carries its own style sheet; it must not run or load anything.
    let policy = "default-src 'none'; style-src 'unsafe-inline'";
    Ok(([(header::CONTENT_TYPE, "image/svg+xml"), (header::CONTENT_SECURITY_POLICY, policy), (header::CACHE_CONTROL, "no-cache")], svg))
}

/// A chart as PNG; times are UTC.
#[utoipa::path(get, path = "/chart.png", tag = "history", params(ChartQuery, PictureQuery),
    responses((status = 200, body = [u8], content_type = "image/png"), (status = 404, description = "No such box or statistic")))]
pub(super) async fn png(State(app): State<Arc<App>>, ask: Ask) -> Result<impl IntoResponse, Problem> {
    let palette = match ask.get("theme") {
        None | Some("auto" | "light") => Palette::Light,
        Some("dark") => Palette::Dark,
        Some(other) => return Err(wrong("theme", &format!("is {other:?}; allowed are light and dark"))),
    };
    let (width, height) = size(&ask)?;
    let density = density(&ask, width, height)?;
    let svg = draw(&app.desk, &ask, (width, height), palette).await?;
    // One picture at a time: each takes some 15 ms of a core and tens of megabytes.
    let _turn = app.painting.lock().await;
    let bytes = render(svg, density).await?;
    Ok(([(header::CONTENT_TYPE, "image/png"), (header::CACHE_CONTROL, "no-cache")], bytes))
}

/// Draws charts for messages.
pub fn drawing(desk: Arc<Desk>) -> Draw {
    Arc::new(move |box_name: String, name: String, to_ms: i64| {
        let desk = Arc::clone(&desk);
        Box::pin(async move { for_message(&desk, &box_name, &name, to_ms).await.ok() })
    })
}

/// The chart of a message as PNG: a statistic, in the three hours before an instant.
pub(super) async fn for_message(desk: &Desk, box_name: &str, name: &str, to_ms: i64) -> Result<Vec<u8>, Problem> {
    let query = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("box", box_name), ("name", name), ("span", "3h"), ("to", &to_ms.to_string())])
        .finish();
    let svg = draw(desk, &Ask::parse(&query), MESSAGE, Palette::Light).await?;
    render(svg, 1.0).await
}

async fn render(svg: String, density: f32) -> Result<Vec<u8>, Problem> {
    let drawn = tokio::task::spawn_blocking(move || png::render(&svg, density)).await;
    let failed = |detail: String| problem(StatusCode::INTERNAL_SERVER_ERROR, "The picture could not be drawn", detail);
    drawn.map_err(|error| failed(error.to_string()))?.map_err(|error| failed(error.to_string()))
}

/// The pixels of a picture for each of the drawing.
fn density(ask: &Ask, width: u32, height: u32) -> Result<f32, Problem> {
    let fits = |density: u32| {
        let (width, height) = (width * density, height * density);
        width.max(height) <= png::SIDE_MAX_PX && u64::from(width) * u64::from(height) <= png::AREA_MAX_PX
    };
    let density = ask.number("density", if fits(2) { 2 } else { 1 }, 1..=MAX_DENSITY)?;
    if !fits(density) {
        let text =
            format!("of {density} makes a picture of {}×{} pixels, which is too large: ask for less", width * density, height * density);
        return Err(wrong("density", &text));
    }
    // At most four.
    Ok(u16::try_from(density).map_or(1.0, f32::from))
}
