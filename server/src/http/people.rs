//! Whoever opens a page gets a page, also when something went wrong: problems are what tools read. Knows no page's content.

use app::{
    format, links,
    model::{MessagePage, Page, Tab},
};
use axum::{
    body::to_bytes,
    extract::{Request, State},
    http::{HeaderMap, Method, StatusCode, Uri, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use serde::Deserialize;

use super::{App, Shared, render};
use crate::{auth::Caller, problem::problem};

/// The longest problem that is read.
const MAX_PROBLEM_BYTES: usize = 64 * 1024;
/// What tools ask; all else is for people.
const FOR_TOOLS: [&str; 7] = ["/cp/api", links::PICTURES, "/cp/events", "/cp/assets", "/metrics", "/healthz", "/readyz"];

/// What a problem says to people.
#[derive(Deserialize)]
struct Told {
    title: String,
    detail: String,
}

/// Draws a page in place of what is no page, where a person asked.
pub(super) async fn pages(State(app): State<Shared>, request: Request, next: Next) -> Response {
    if is_for_tools(request.uri().path()) {
        return next.run(request).await;
    }
    let (method, uri, headers) = (request.method().clone(), request.uri().clone(), request.headers().clone());
    let response = next.run(request).await;
    let failed = response.status().is_client_error() || response.status().is_server_error();
    let html = response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    if failed && !html { draw(&app, &method, &uri, &headers, response).await } else { response }
}

/// Has numbers written as whoever asks likes them, in all that is drawn for them: pages, what forms answer, and pictures.
pub(super) async fn numbers(request: Request, next: Next) -> Response {
    let numbers = request.extensions().get::<Caller>().map(Caller::numbers).unwrap_or_default();
    let mut answer = std::pin::pin!(next.run(request));
    // A request may be taken up by another thread each time it goes on.
    std::future::poll_fn(|context| format::with_numbers(numbers, || answer.as_mut().poll(context))).await
}

/// A handler that broke is a fault of the program, and still an answer.
pub(super) fn broken(_: Box<dyn std::any::Any + Send>) -> Response {
    let detail = "This is a fault of the panel. Its log says more; trying again may help.";
    problem(StatusCode::INTERNAL_SERVER_ERROR, "Something went wrong", detail).into_response()
}

fn is_for_tools(path: &str) -> bool {
    FOR_TOOLS.iter().any(|tools| path.strip_prefix(tools).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
}

async fn draw(app: &App, method: &Method, uri: &Uri, headers: &HeaderMap, response: Response) -> Response {
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, MAX_PROBLEM_BYTES).await.unwrap_or_default();
    let (title, text) = words(parts.status, serde_json::from_slice(&body).ok());
    // A page that failed can be asked for again; a form cannot, without what was typed.
    let here = if *method == Method::GET { uri.clone() } else { Uri::from_static("/cp") };
    let frame = render::frame(Tab::None, parts.extensions.get::<Caller>(), headers, &here);
    let page = Page::Message(MessagePage { status: parts.status.as_u16(), title, text, next: None });
    let mut drawn = render::page(app, frame, page, render::request_for(&here.to_string())).await;
    for (name, value) in &parts.headers {
        let own = [header::CONTENT_TYPE, header::CONTENT_LENGTH, header::CACHE_CONTROL].contains(name);
        if !own {
            drawn.headers_mut().append(name, value.clone());
        }
    }
    drawn
}

/// The heading and the sentence for a status, where nothing better was told.
fn words(status: StatusCode, told: Option<Told>) -> (String, String) {
    let own = match status {
        StatusCode::METHOD_NOT_ALLOWED => {
            ("Nothing to open here", "This address only takes what a form of the panel sends. The tabs above lead to the pages.")
        }
        StatusCode::PAYLOAD_TOO_LARGE => {
            ("Too much at once", "What was sent is larger than any form of this panel. Go back and send less.")
        }
        _ => match told {
            Some(told) => return (capital(&told.title), app::wording::sentence(&told.detail)),
            None => ("This did not work", "The panel could not do what was asked. Its log says more; going back usually helps."),
        },
    };
    (own.0.to_owned(), own.1.to_owned())
}

fn capital(title: &str) -> String {
    let mut letters = title.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tools_keep_their_problems() {
        for path in ["/cp/api/v1/boxes", "/cp/api", "/cp/events", "/metrics", "/readyz", "/cp/assets/x.css", "/cp/alerts/picture/1.png"] {
            assert!(is_for_tools(path), "{path}");
        }
        for path in ["/cp", "/cp/apix", "/cp/boxes", "/cp/alerts", "/cp/login", "/"] {
            assert!(!is_for_tools(path), "{path}");
        }
    }

    #[test]
    fn words_for_people() {
        let told = |title: &str, detail: &str| Some(Told { title: title.to_owned(), detail: detail.to_owned() });
        assert_eq!(words(StatusCode::FORBIDDEN, told("not allowed", "it is not")), ("Not allowed".to_owned(), "It is not.".to_owned()));
        assert_eq!(words(StatusCode::METHOD_NOT_ALLOWED, told("Not like this", "see the API")).0, "Nothing to open here");
        assert_eq!(words(StatusCode::BAD_GATEWAY, None).0, "This did not work");
    }
}
