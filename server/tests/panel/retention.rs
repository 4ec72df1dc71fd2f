//! How long history is kept: by the API and by the page's form.

use reqwest::{Method, StatusCode, header};
use serde_json::json;

use crate::support::Start;

const PATH: &str = "/cp/api/v1/retention";

#[tokio::test]
async fn rules_are_set_told_and_removed() {
    let panel = Start::new().signed_in().await;
    let fresh = panel.get(PATH).await;
    assert_eq!(fresh["items"], json!([]));
    assert_eq!(fresh["default"], json!({"box": null, "match": null, "raw": "90d", "minute": "2y", "hour": "ever"}));
    let rule = json!({"box": "tickmark", "match": "host:", "raw": "7d", "hour": "1y"});
    panel.send(Method::PUT, PATH, rule.clone(), StatusCode::NO_CONTENT).await;
    let told = panel.get(PATH).await;
    assert_eq!(told["items"], json!([{"box": "tickmark", "match": "host:", "raw": "7d", "minute": null, "hour": "1y"}]));
    let freed = panel.send(Method::POST, &format!("{PATH}/preview"), json!({"raw": "2d"}), StatusCode::OK).await;
    assert_eq!(freed, json!({"raw": 0, "minute": 0, "hour": 0}), "nothing is as old");
    panel.send(Method::PUT, PATH, json!({"box": "tickmark", "match": "host:"}), StatusCode::NO_CONTENT).await;
    assert_eq!(panel.get(PATH).await["items"], json!([]));
    for (wrong, why) in [
        (json!({"raw": "soon"}), "raw: \"soon\" is no duration"),
        (json!({"minute": "5m"}), "minute: \"5m\" is too short: 2d and more"),
        (json!({"match": "a: b:", "raw": "7d"}), "match: \"a: b:\" is more than one"),
    ] {
        let refused = panel.send(Method::PUT, PATH, wrong, StatusCode::BAD_REQUEST).await;
        assert!(refused["detail"].as_str().unwrap().starts_with(why), "{refused}");
    }
    panel.send(Method::PUT, PATH, json!({"box": "nobody", "raw": "7d"}), StatusCode::NOT_FOUND).await;
    for scope in ["read", "tick", "push"] {
        let token = panel.token(scope).await;
        assert_eq!(put(&panel.url(PATH), &token).await, StatusCode::FORBIDDEN, "{scope}");
    }
}

async fn put(url: &str, token: &str) -> StatusCode {
    let client = crate::support::TestPanel::client();
    let put = client.put(url).header(header::AUTHORIZATION, format!("Bearer {token}")).header(header::CONTENT_TYPE, "application/json");
    put.body(json!({"raw": "7d"}).to_string()).send().await.unwrap().status()
}

#[tokio::test]
async fn the_form_says_what_goes_before_anything_does() {
    let panel = Start::new().signed_in().await;
    let asked =
        panel.form("/cp/settings", &[("box", ""), ("match", ""), ("raw", "30d"), ("minute", ""), ("hour", ""), ("do", "preview")]).await;
    assert_eq!(asked.status(), StatusCode::OK);
    let html = asked.text().await.unwrap();
    assert!(html.contains("Nothing goes by this now.") && html.contains("Keep it so"), "{html}");
    assert_eq!(panel.get(PATH).await["items"], json!([]), "it only asked");
    let wrong = panel.form("/cp/settings", &[("match", "core:"), ("raw", "long"), ("do", "set")]).await;
    assert_eq!(wrong.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let html = wrong.text().await.unwrap();
    assert!(html.contains("aria-invalid=\"true\"") && html.contains("value=\"core:\"") && html.contains("value=\"long\""), "{html}");
    let set = panel.form("/cp/settings", &[("raw", "30d"), ("do", "set")]).await;
    assert_eq!(set.status(), StatusCode::SEE_OTHER);
    assert_eq!(panel.get(PATH).await["items"][0]["raw"], "30d");
    let page = panel.ask(Method::GET, "/cp/settings?change=yes", None).await.text().await.unwrap();
    assert!(page.contains("value=\"30d\""), "{page}");
}
