//! What an error looks like to a tool: `application/problem+json` (RFC 9457) with a sentence a person can act on.

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

/// One error as it is answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Problem {
    /// The HTTP status.
    pub status: u16,
    /// What kind of error it is, in a few words that stay the same.
    pub title: String,
    /// What is wrong and what to do, in a sentence.
    pub detail: String,
    /// Where a script is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// And at which column.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<usize>,
    /// Headers to send along, such as `Retry-After`.
    #[serde(skip)]
    #[schema(ignore)]
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// An error with its status, a short title and a sentence.
#[must_use]
pub fn problem(status: StatusCode, title: impl Into<String>, detail: impl Into<String>) -> Problem {
    Problem { status: status.as_u16(), title: title.into(), detail: detail.into(), line: None, column: None, headers: Vec::new() }
}

impl Problem {
    /// Sends a header along.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        // Three plain fields cannot fail to be written; were it otherwise, the status would still tell.
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response.headers_mut().extend(self.headers);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_is_problem_json() {
        let response = problem(StatusCode::NOT_FOUND, "no such box", "There is no box \"x\".")
            .with_header(header::RETRY_AFTER, HeaderValue::from_static("3"))
            .into_response();
        assert_eq!(response.status(), StatusCode::NOT_FOUND);
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json");
        assert_eq!(response.headers()[header::RETRY_AFTER], "3");
        let body = axum::body::to_bytes(response.into_body(), 1000).await.unwrap();
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
        let expect = serde_json::json!({"status": 404, "title": "no such box", "detail": "There is no box \"x\"."});
        assert_eq!(body, expect);
    }
}
