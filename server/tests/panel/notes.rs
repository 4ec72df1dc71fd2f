//! Notes: written on instants and spans, found again, on every chart of the box.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Start, TestPanel};

const NOTES: &str = "/cp/api/v1/boxes/tickmark/notes";

async fn write(panel: &TestPanel, body: Value, expect: StatusCode) -> Value {
    panel.send(Method::POST, NOTES, body, expect).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_note_is_kept_found_and_drawn() {
    let panel = Start::new().signed_in().await;
    let at = chrono::Utc::now().timestamp_millis() - 60_000;
    let one = write(&panel, json!({"from": at, "text": " <b>Carrier</b> B is 100 % down "}), StatusCode::CREATED).await;
    assert_eq!((&one["from"], &one["to"], &one["by"]), (&json!(at), &json!(at), &json!("admin")));
    assert_eq!(one["text"], "<b>Carrier</b> B is 100 % down");
    let long = json!({"from": "2026-01-01T00:00:00Z", "to": "2026-01-02T00:00:00Z", "text": "upgrade_4"});
    let other = write(&panel, long, StatusCode::CREATED).await;
    let found = async |query: &str| {
        let answer = panel.get(&format!("{NOTES}?{query}")).await;
        answer["items"].as_array().unwrap().iter().map(|note| note["id"].clone()).collect::<Vec<_>>()
    };
    let (one_id, other_id) = (one["id"].clone(), other["id"].clone());
    assert_eq!(found("").await, [one_id.clone(), other_id.clone()], "the newest first");
    assert_eq!(found("match=CARRIER").await, std::slice::from_ref(&one_id));
    assert_eq!(found("match=100%20%25").await, std::slice::from_ref(&one_id));
    assert_eq!(found("match=e_4").await, std::slice::from_ref(&other_id));
    assert_eq!(found("match=e%254").await, [Value::Null; 0], "what it looks for stands for itself");
    assert_eq!(found("from=2026-01-01T12:00:00Z&to=2026-01-01T13:00:00Z").await, std::slice::from_ref(&other_id), "a span reaches over it");
    let series = panel.get("/cp/api/v1/series?box=tickmark&name=panel:requests&span=1h").await;
    assert_eq!(series["notes"], json!([one]));
    let page = panel.ask(Method::GET, "/cp/notes?box=tickmark&match=carrier", None).await.text().await.unwrap();
    assert!(page.contains("&lt;b&gt;Carrier&lt;/b&gt; B is 100 % down") && !page.contains("upgrade_4"), "{page}");

    let changed = json!({"from": at, "to": at + 5_000, "text": "Carrier B was down"});
    let path = format!("{NOTES}/{one_id}");
    panel.send(Method::PUT, &path, changed, StatusCode::OK).await;
    let series = panel.get("/cp/api/v1/series?box=tickmark&name=panel:requests&span=1h").await;
    assert_eq!((&series["notes"][0]["to"], &series["notes"][0]["text"]), (&json!(at + 5_000), &json!("Carrier B was down")));
    panel.send(Method::DELETE, &path, Value::Null, StatusCode::NO_CONTENT).await;
    panel.send(Method::DELETE, &path, Value::Null, StatusCode::NOT_FOUND).await;
    assert_eq!(found("").await, [other_id]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_note_says_so() {
    let panel = Start::new().signed_in().await;
    for (body, reason) in [
        (json!({"from": 1, "text": "  "}), "text: is missing"),
        (json!({"from": 5, "to": 4, "text": "x"}), "to: lies before from"),
        (json!({"from": "noon", "text": "x"}), "from is \"noon\"; allowed are RFC 3339"),
        (json!({"from": 1, "text": "x".repeat(501)}), "more than 500 letters"),
    ] {
        let problem = write(&panel, body, StatusCode::BAD_REQUEST).await;
        assert!(problem["detail"].as_str().unwrap().contains(reason), "{problem}");
    }
    let refused = panel.form("/cp/notes", &[("do", "write"), ("box", "tickmark"), ("from", ""), ("to", ""), ("text", "kept")]).await;
    assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let page = refused.text().await.unwrap();
    assert!(page.contains("Is missing: say when") && page.contains("value=\"kept\""), "{page}");
    let written = panel.form("/cp/notes", &[("do", "write"), ("box", "tickmark"), ("from", "2026-03-01T10:00"), ("text", "noted")]).await;
    assert_eq!(written.status(), StatusCode::SEE_OTHER);
    let notes = panel.get(NOTES).await;
    assert_eq!(notes["items"][0]["from"], 1_772_359_200_000_i64);
}
