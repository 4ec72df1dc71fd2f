//! A span of one series, in columns.

use std::{slice, sync::Arc};

use app::model::Series;
use axum::{Json, extract::State};

use super::{Ask, charts};
use crate::{
    clock,
    desk::{MAX_POINTS, SeriesAsk},
    http::App,
    problem::Problem,
};

/// Points when none are asked for: about one a pixel.
const DEFAULT_POINTS: u32 = 1_200;

/// The question that a query string asks of one statistic.
pub(super) fn read(ask: &Ask, name: &str, default_points: u32) -> Result<SeriesAsk, Problem> {
    let (from_ms, to_ms) = ask.span(clock::now_ms())?;
    let most = u32::try_from(MAX_POINTS).unwrap_or(u32::MAX);
    let points = ask.number("points", default_points, 1..=most)? as usize;
    Ok(SeriesAsk { box_name: ask.need("box")?.to_owned(), name: name.to_owned(), from_ms, to_ms, points, mode: ask.mode()? })
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
    ("mode" = Option<app::model::Mode>, Query, description = "`value` or `rate`; counters as rate when left out")),
    responses((status = 200, body = Series), (status = 404, description = "No such box or statistic")))]
pub(super) async fn series(State(app): State<Arc<App>>, ask: Ask) -> Result<Json<Series>, Problem> {
    let mut question = read(&ask, ask.need("name")?, DEFAULT_POINTS)?;
    let fit = ask.flag("fit")?;
    let mut series = app.desk.series(&question).await?;
    if let Some(begins) = charts::begins_late(slice::from_ref(&series)).filter(|_| fit) {
        question.from_ms = begins;
        series = app.desk.series(&question).await?;
    }
    Ok(Json(series))
}
