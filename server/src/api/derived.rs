//! Derived statistics: list, add, look at, change, remove, try.

use std::sync::Arc;

use app::model::Origin;
use axum::{Json, extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Body, Path};
use crate::{
    board::full_name,
    desk::{DerivedInput, DerivedView},
    http::App,
    problem::Problem,
};

/// A statistic that is computed from others.
#[derive(Serialize, ToSchema)]
pub(super) struct Derived {
    /// Its name, without the group.
    name: String,
    /// Its name as statistics have it: `derived:NAME`.
    statistic: String,
    /// What it is computed by.
    formula: String,
    /// The unit; empty: none.
    unit: String,
    /// What it means.
    meaning: String,
    /// `panel`, or `config`: the configuration file has it, and it is read-only here.
    origin: Origin,
    /// The boxes that have it now. One whose formula names boxes is had by `tickmark`.
    boxes: Vec<String>,
}

/// All of them, in the order of their names.
#[derive(Serialize, ToSchema)]
pub(super) struct AllDerived {
    items: Vec<Derived>,
}

/// A new one.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewDerived {
    /// 1 to 64 of `A-Z a-z 0-9 _ - .`, and not `check`.
    name: String,
    /// Arithmetic over statistics in braces: `100 * {shmem:free_size} / {shmem:total_size}`, `rate({core:err_requests})`,
    /// `max({load:load-proc-*})`, `sum({*/dialog:active_dialogs})` over boxes.
    formula: String,
    /// Such as `percent`.
    unit: Option<String>,
    /// A sentence.
    meaning: Option<String>,
}

/// What one shall be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DerivedChange {
    /// What it is computed by.
    formula: String,
    /// The unit; left out: none.
    unit: Option<String>,
    /// A sentence; left out: none.
    meaning: Option<String>,
}

/// A formula to try.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct FormulaAsk {
    /// The formula.
    formula: String,
    /// The box whose values it is put to; left out: it is only read, unless it names boxes.
    #[serde(rename = "box")]
    box_name: Option<String>,
    /// The unit of what it comes to, for `says`.
    unit: Option<String>,
}

/// What came of trying a formula.
#[derive(Serialize, ToSchema)]
pub(super) struct Tried {
    /// Whether nothing is wrong with it.
    ok: bool,
    /// What it comes to now; `null`: nothing, or no box was asked for.
    value: Option<f64>,
    /// Why it comes to nothing.
    reason: Option<String>,
    /// The statistics that it names, as they are written.
    uses: Vec<String>,
    /// All that as a sentence for people.
    says: String,
    /// What is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Wrong>,
}

/// What is wrong with a formula.
#[derive(Serialize, ToSchema)]
pub(super) struct Wrong {
    /// The character, counted from 0.
    at: usize,
    /// A sentence.
    message: String,
}

fn shown(view: DerivedView) -> Derived {
    let DerivedView { stored, boxes } = view;
    let statistic = full_name(&stored.name).to_string();
    Derived {
        statistic,
        name: stored.name,
        formula: stored.formula,
        unit: stored.unit,
        meaning: stored.meaning,
        origin: stored.origin,
        boxes,
    }
}

/// Statistics that are computed from others.
#[utoipa::path(get, path = "/derived", tag = "derived", responses((status = 200, body = AllDerived)))]
pub(super) async fn list(State(app): State<Arc<App>>) -> Result<Json<AllDerived>, Problem> {
    Ok(Json(AllDerived { items: app.desk.derived().await?.into_iter().map(shown).collect() }))
}

/// Defines one. Every box that has what its formula names shows it as `derived:NAME`, where it is ticked and charted as others are; ticking
/// it records what it names. What it comes to is computed when it is read, over the whole history of its inputs.
#[utoipa::path(post, path = "/derived", tag = "derived", request_body = NewDerived, responses(
    (status = 201, body = Derived), (status = 409, description = "The name is taken")))]
pub(super) async fn add(State(app): State<Arc<App>>, Body(new): Body<NewDerived>) -> Result<(StatusCode, Json<Derived>), Problem> {
    let NewDerived { name, formula, unit, meaning } = new;
    let input = DerivedInput { name, formula, unit: unit.unwrap_or_default(), meaning: meaning.unwrap_or_default() };
    app.desk.add_derived(&input).await?;
    Ok((StatusCode::CREATED, Json(shown(app.desk.derived_named(&input.name).await?))))
}

/// One of them.
#[utoipa::path(get, path = "/derived/{name}", tag = "derived", params(("name" = String, Path, description = "Without the group")),
    responses((status = 200, body = Derived), (status = 404, description = "No such derived statistic")))]
pub(super) async fn get(State(app): State<Arc<App>>, Path(name): Path<String>) -> Result<Json<Derived>, Problem> {
    Ok(Json(shown(app.desk.derived_named(&name).await?)))
}

/// Changes what one is; its name and its ticks stay.
#[utoipa::path(put, path = "/derived/{name}", tag = "derived", params(("name" = String, Path, description = "Without the group")),
    request_body = DerivedChange, responses((status = 200, body = Derived), (status = 404, description = "No such derived statistic")))]
pub(super) async fn change(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    Body(change): Body<DerivedChange>,
) -> Result<Json<Derived>, Problem> {
    let DerivedChange { formula, unit, meaning } = change;
    app.desk.derived_named(&name).await?;
    let input = DerivedInput { name, formula, unit: unit.unwrap_or_default(), meaning: meaning.unwrap_or_default() };
    app.desk.change_derived(&input).await?;
    Ok(Json(shown(app.desk.derived_named(&input.name).await?)))
}

/// Removes one with its ticks; what was recorded for it stays.
#[utoipa::path(delete, path = "/derived/{name}", tag = "derived", params(("name" = String, Path, description = "Without the group")),
    responses((status = 204, description = "Removed"), (status = 404, description = "No such derived statistic")))]
pub(super) async fn remove(State(app): State<Arc<App>>, Path(name): Path<String>) -> Result<StatusCode, Problem> {
    app.desk.remove_derived(&name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Tries a formula; nothing is changed.
#[utoipa::path(post, path = "/derived/check", tag = "derived", request_body = FormulaAsk, responses(
    (status = 200, body = Tried), (status = 404, description = "No such box")))]
pub(super) async fn check(State(app): State<Arc<App>>, Body(ask): Body<FormulaAsk>) -> Result<Json<Tried>, Problem> {
    let checked = app.desk.check_formula(&ask.formula, ask.box_name.as_deref())?;
    let says = match &checked.error {
        Some(error) => app::wording::sentence(&error.to_string()),
        None => checked.comes_to(ask.box_name.as_deref().unwrap_or_default(), ask.unit.as_deref().unwrap_or_default()),
    };
    let error = checked.error.map(|error| Wrong { at: error.at, message: error.message });
    Ok(Json(Tried { ok: error.is_none(), value: checked.value, reason: checked.reason, uses: checked.uses, says, error }))
}
