//! What is recorded of a box.

use std::{collections::HashSet, sync::Arc};

use app::matching::Pattern;
use axum::{Json, extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Body, Path, ask::wrong};
use crate::{desk::Word, http::App, problem::Problem};

/// One tick.
#[derive(Serialize, ToSchema)]
pub(super) struct Tick {
    /// A full name, or a pattern that stands.
    name: String,
    /// Whether it is a pattern.
    pattern: bool,
    /// Whether the box has named such a statistic yet.
    seen: bool,
    /// Names that the pattern matches and that are not recorded.
    except: Vec<String>,
}

/// The ticks of a box, in the order they were made.
#[derive(Serialize, ToSchema)]
pub(super) struct Ticks {
    items: Vec<Tick>,
}

/// Words to tick or untick.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TickMatching {
    /// Names and patterns: `dialog:`, `rcv_*`, `core:rcv_requests`; at most 256 with `*`. `=` before a name takes it as it is: `=script:a*b`.
    #[serde(rename = "match")]
    words: Vec<String>,
    /// Whether to tick (the default) or to untick.
    #[serde(default = "yes")]
    ticked: bool,
}

fn yes() -> bool {
    true
}

/// What is recorded then.
#[derive(Serialize, ToSchema)]
pub(super) struct Recorded {
    /// How many statistics that the box has now.
    recorded: usize,
}

/// What is ticked of a box.
#[utoipa::path(get, path = "/boxes/{box}/ticks", tag = "ticks", params(("box" = String, Path, description = "Name or number")),
    responses((status = 200, body = Ticks), (status = 404, description = "No such box")))]
pub(super) async fn list(State(app): State<Arc<App>>, Path(name): Path<String>) -> Result<Json<Ticks>, Problem> {
    let (rules, unseen) = app.desk.ticks(&name)?;
    let unseen: HashSet<&str> = unseen.iter().map(String::as_str).collect();
    let except: Vec<&str> = rules.iter().filter(|rule| rule.except).map(|rule| rule.pattern.as_str()).collect();
    let except: Vec<Pattern> = except.into_iter().map(Pattern::parse).collect();
    let except: Vec<&str> = except.iter().filter_map(Pattern::exact).collect();
    let tick = |word: &str| {
        let pattern = Pattern::parse(word);
        let is_pattern = !pattern.is_exact();
        let except = except.iter().filter(|full| is_pattern && pattern.matches(full)).map(|&full| full.to_owned()).collect();
        let seen = !unseen.contains(pattern.exact().unwrap_or(word));
        Tick { name: pattern.exact().unwrap_or(word).to_owned(), pattern: is_pattern, seen, except }
    };
    Ok(Json(Ticks { items: rules.iter().filter(|rule| !rule.except).map(|rule| tick(&rule.pattern)).collect() }))
}

/// Ticks a statistic or a pattern; the value on the screen is recorded at once.
#[utoipa::path(put, path = "/boxes/{box}/ticks/{name}", tag = "ticks", params(("box" = String, Path, description = "Name or number"),
    ("name" = String, Path, description = "`group:name` or a pattern, percent-encoded; a name not seen yet is accepted")),
    responses((status = 204, description = "Ticked"), (status = 404, description = "No such box")))]
pub(super) async fn tick(State(app): State<Arc<App>>, Path((name, word)): Path<(String, String)>) -> Result<StatusCode, Problem> {
    app.desk.tick(&name, &[Word::Name(&word)], true).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Unticks a statistic or a pattern; what was recorded stays.
#[utoipa::path(delete, path = "/boxes/{box}/ticks/{name}", tag = "ticks", params(("box" = String, Path, description = "Name or number"),
    ("name" = String, Path, description = "`group:name` or a pattern, percent-encoded")),
    responses((status = 204, description = "Unticked"), (status = 404, description = "No such box")))]
pub(super) async fn untick(State(app): State<Arc<App>>, Path((name, word)): Path<(String, String)>) -> Result<StatusCode, Problem> {
    app.desk.tick(&name, &[Word::Name(&word)], false).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ticks, or unticks, all that match; patterns stand for members that appear later.
#[utoipa::path(post, path = "/boxes/{box}/ticks", tag = "ticks", params(("box" = String, Path, description = "Name or number")),
    request_body = TickMatching, responses((status = 200, body = Recorded), (status = 404, description = "No such box")))]
pub(super) async fn tick_matching(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    Body(ask): Body<TickMatching>,
) -> Result<Json<Recorded>, Problem> {
    if ask.words.is_empty() {
        return Err(wrong("match", "needs at least one name or pattern, such as [\"dialog:\"]"));
    }
    let words: Vec<Word<'_>> = ask.words.iter().map(|word| Word::Pattern(word)).collect();
    Ok(Json(Recorded { recorded: app.desk.tick(&name, &words, ask.ticked).await? }))
}
