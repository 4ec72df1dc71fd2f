//! A span of one series, in columns.

use std::{slice, sync::Arc};

use app::model::{Mode, Series};
use axum::{Json, extract::State};

use super::{Ask, ask::wrong};
use crate::{
    clock,
    desk::{MAX_POINTS, SeriesAsk, begins_late},
    history::Grid,
    http::App,
    problem::Problem,
};

/// Points when none are asked for: about one a pixel.
pub(super) const DEFAULT_POINTS: u32 = 1_200;

/// The question that a query string asks of one statistic.
fn read(ask: &Ask, name: &str) -> Result<SeriesAsk, Problem> {
    let (from_ms, to_ms) = ask.span(clock::now_ms())?;
    let most = u32::try_from(MAX_POINTS).unwrap_or(u32::MAX);
    let points = ask.number("points", DEFAULT_POINTS, 1..=most)? as usize;
    let (mode, of) = (ask.mode()?, ask.get("of").map(str::to_owned));
    if of.is_some() != (mode == Some(Mode::Percent)) {
        return Err(wrong("of", "names the statistic of the same box that this is a share of, and goes with mode=percent"));
    }
    let (box_name, name) = (ask.need("box")?.to_owned(), name.to_owned());
    Ok(SeriesAsk { box_name, name, from_ms, to_ms, points, mode, of, grid: Grid::Samples, least_ms: 0 })
}

/// A span of one series. No more samples than `points`: the samples themselves; else equal buckets, `t` their start.
#[utoipa::path(get, path = "/series", tag = "history", params(
    ("box" = String, Query, description = "Name or number"),
    ("name" = String, Query, description = "`group:name`"),
    ("from" = Option<String>, Query, description = "RFC 3339 or epoch milliseconds"),
    ("to" = Option<String>, Query, description = "RFC 3339 or epoch milliseconds; now when left out"),
    ("span" = Option<String>, Query, description = "Instead of `from`: `1h`, `24h`, `7d`; `24h` when left out"),
    ("points" = Option<u32>, Query, description = "At most so many, 1,200 when left out"),
    ("fit" = Option<bool>, Query, description = "`true`: where less than half of the span is known, only what is known, as charts are drawn; the answer's `from` says from when"),
    ("mode" = Option<Mode>, Query, description = "`value`, `rate`, `increase` or `percent`; counters as rate, gauges as value when left out. `increase` is over stretches that people count in, such as 15 minutes, at least as long as a point: each bucket is one, from `t` on for `every_ms`"),
    ("of" = Option<String>, Query, description = "With `mode=percent`: the statistic of the same box that it is a share of, counters by their rates. By zero there is no share")),
    responses((status = 200, body = Series), (status = 404, description = "No such box or statistic")))]
pub(super) async fn series(State(app): State<Arc<App>>, ask: Ask) -> Result<Json<Series>, Problem> {
    let mut question = read(&ask, ask.need("name")?)?;
    let fit = ask.flag("fit")?;
    let mut series = app.desk.series(&question).await?;
    if let Some(begins) = begins_late(slice::from_ref(&series)).filter(|_| fit) {
        question.from_ms = begins;
        series = app.desk.series(&question).await?;
    }
    Ok(Json(series))
}
