//! Errors of the API are `application/problem+json`, whatever went wrong.

use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::Start;

async fn problem(answer: reqwest::Response, expect: StatusCode) -> String {
    let (status, url) = (answer.status(), answer.url().to_string());
    let media = answer.headers()[header::CONTENT_TYPE].to_str().unwrap().to_owned();
    let text = answer.text().await.unwrap();
    assert_eq!((status, media.as_str()), (expect, "application/problem+json"), "{url}: {text}");
    let problem: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(problem["status"], expect.as_u16(), "{url}");
    problem["detail"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_path_that_is_no_text_is_refused_in_a_sentence() {
    let panel = Start::new().signed_in().await;
    let cases = [
        (Method::GET, "boxes/%FF", json!(null)),
        (Method::GET, "boxes/%FF/statistics", json!(null)),
        (Method::PUT, "boxes/tickmark/ticks/%FF", json!(null)),
        (Method::DELETE, "boxes/%FF/ticks/a", json!(null)),
        (Method::PATCH, "boxes/tickmark/statistics/%FF", json!({"kind": "gauge"})),
    ];
    for (method, path, body) in cases {
        let answer = panel.ask(method, &format!("/cp/api/v1/{path}"), Some(&body).filter(|body| !body.is_null())).await;
        let detail = problem(answer, StatusCode::BAD_REQUEST).await;
        assert!(detail.contains("%FF") && detail.contains("UTF-8"), "{detail}");
    }
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_in_a_sentence() {
    let panel = Start::new().signed_in().await;
    let large = "x".repeat(1024 * 1024);
    let body = json!({"match": [large]});
    let answer = panel.ask(Method::POST, "/cp/api/v1/boxes/tickmark/ticks", Some(&body)).await;
    assert!(problem(answer, StatusCode::PAYLOAD_TOO_LARGE).await.contains("less than 1024 KiB"));
    // A person sees a page.
    let answer = panel.form("/cp/kind", &[("box", "tickmark"), ("name", &large)]).await;
    assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);
    assert!(answer.text().await.unwrap().contains("Too much at once"));
}

#[tokio::test]
async fn who_may_is_decided_before_a_large_body_is_read() {
    let panel = Start::new().open().await;
    let mut connection = tokio::net::TcpStream::connect(panel.address).await.unwrap();
    let head = "POST /cp/api/v1/boxes HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9000000\r\n\r\n";
    connection.write_all(head.as_bytes()).await.unwrap();
    let mut start = [0; 12];
    connection.read_exact(&mut start).await.unwrap();
    assert_eq!(std::str::from_utf8(&start).unwrap(), "HTTP/1.1 401");
}
