//! What the desk refuses, as problems.

use axum::http::StatusCode;

use crate::{
    auth::{AuthError, PeopleError},
    desk::DeskError,
    problem::{Problem, problem},
    scripts::ScriptError,
    store::{StoreError, Trouble},
};

impl From<DeskError> for Problem {
    fn from(error: DeskError) -> Self {
        let (status, title) = match &error {
            DeskError::Invalid { .. } => (StatusCode::BAD_REQUEST, "The question is not right"),
            DeskError::NotFound(_) => (StatusCode::NOT_FOUND, "Not found"),
            DeskError::Taken(_) => (StatusCode::CONFLICT, "The name is taken"),
            DeskError::ReadOnly(_) => (StatusCode::FORBIDDEN, "Read-only"),
            DeskError::Full(_) => (StatusCode::CONFLICT, "Too many"),
            DeskError::Paused(_) => (StatusCode::CONFLICT, "The box is paused"),
            DeskError::NoAnswer(_) => (StatusCode::BAD_GATEWAY, "The box gives no answer"),
            DeskError::Store(error) => return failed(error),
        };
        let detail = match &error {
            DeskError::Invalid { field, message } => format!("{field}: {message}"),
            other => other.to_string(),
        };
        problem(status, title, detail)
    }
}

impl From<PeopleError> for Problem {
    fn from(error: PeopleError) -> Self {
        match error {
            PeopleError::Invalid { field, message } => {
                problem(StatusCode::BAD_REQUEST, "The question is not right", format!("{field}: {message}"))
            }
            PeopleError::Refused(message) => problem(StatusCode::FORBIDDEN, "Not allowed", message),
            PeopleError::Failed(error) => error.into(),
        }
    }
}

impl From<ScriptError> for Problem {
    fn from(error: ScriptError) -> Self {
        let (status, title) = match &error {
            ScriptError::Invalid { .. } => (StatusCode::BAD_REQUEST, "The question is not right"),
            ScriptError::Syntax(_) => (StatusCode::BAD_REQUEST, "The script cannot be read"),
            ScriptError::NotFound(_) => (StatusCode::NOT_FOUND, "Not found"),
            ScriptError::Taken(_) => (StatusCode::CONFLICT, "The name is taken"),
            ScriptError::Full => (StatusCode::CONFLICT, "Too many"),
            ScriptError::Busy(_) => (StatusCode::CONFLICT, "It is running"),
            ScriptError::Store(error) => return failed(error),
        };
        let mut told = problem(status, title, error.to_string());
        if let ScriptError::Syntax(fault) = &error {
            (told.line, told.column) = (fault.line, fault.column);
        }
        told
    }
}

impl From<AuthError> for Problem {
    fn from(error: AuthError) -> Self {
        if let AuthError::Store(error) = &error {
            return failed(error);
        }
        tracing::error!(%error, "the door failed");
        problem(StatusCode::SERVICE_UNAVAILABLE, "Not now", "the database does not answer: try again, and see the panel's log")
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        failed(&error)
    }
}

/// The store's own failure: logged here with its reason, told without it.
fn failed(error: &StoreError) -> Problem {
    if let StoreError::Unwritable(trouble) = error {
        // The store has logged it once; it is the same for every request until it ends.
        let detail = format!("Nothing was changed, {trouble}. Then try again.");
        let title = if matches!(trouble, Trouble::Lost(_)) { "The database cannot be reached" } else { "The database cannot be written" };
        return problem(StatusCode::SERVICE_UNAVAILABLE, title, detail);
    }
    tracing::error!(%error, "the store failed");
    let detail = "the database did not do it: see the panel's log, then try again";
    problem(StatusCode::INTERNAL_SERVER_ERROR, "The database failed", detail.to_owned())
}
