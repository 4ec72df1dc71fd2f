//! Counters that people and tools set to zero, from the button to the mark on the chart.

use app::model::BoxKind;
use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json};

use crate::{
    fake_box::FakeBox,
    support::{Start, TestPanel},
};

const RESET: &str = "/cp/api/v1/boxes/sip1/reset";
const COUNTER: &str = "core:rcv_requests";

/// A panel that records all of a box.
async fn recording() -> (TestPanel, FakeBox) {
    let panel = Start::new().signed_in().await;
    let sip1 = FakeBox::start(&[(COUNTER, 500), ("core:kept", 7), ("dialog:active_dialogs", 3)]).await;
    panel.add_box("sip1", &sip1.url()).await;
    panel.until("/cp/api/v1/boxes/sip1/statistics", |all| all["statistics"][2]["kind"] == "gauge").await;
    panel.send(Method::POST, "/cp/api/v1/boxes/sip1/ticks", json!({"match": ["all"]}), StatusCode::OK).await;
    panel.until(&series("value"), |series| known(series).contains(&500.0)).await;
    (panel, sip1)
}

fn series(mode: &str) -> String {
    format!("/cp/api/v1/series?box=sip1&name={COUNTER}&mode={mode}&span=1h")
}

fn known(series: &Value) -> Vec<f64> {
    series["columns"]["last"].as_array().unwrap().iter().filter_map(Value::as_f64).collect()
}

#[tokio::test]
async fn what_is_reset_is_read_again_and_marked_with_who_did_it() {
    let (panel, _sip1) = recording().await;
    let names = json!({"statistics": [COUNTER, "core:kept", "dialog:active_dialogs", "core:nothing"]});
    let done = panel.send(Method::POST, RESET, names, StatusCode::OK).await;
    assert_eq!(done["reset"], json!([COUNTER]));
    let refused: Vec<&str> = done["refused"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(refused, ["core:kept", "dialog:active_dialogs", "core:nothing"]);
    assert!(done["refused"].as_array().unwrap().iter().all(|one| !one["reason"].as_str().unwrap().is_empty()), "{done}");

    let value = panel.until(&series("value"), |series| known(series).last() == Some(&0.0)).await;
    let marks = value["resets"].as_array().unwrap();
    assert_eq!(
        marks.iter().map(|mark| (&mark["cause"], &mark["by"])).collect::<Vec<_>>(),
        [(&json!("person"), &json!("admin"))],
        "{value}"
    );
    // From 500 to 0 it did not fall by 500: it began anew.
    let rate = panel.get(&series("rate")).await;
    assert!(known(&rate).iter().all(|rate| *rate >= 0.0), "{rate}");
    let kept = panel.get("/cp/api/v1/series?box=sip1&name=core:kept&mode=value&span=1h").await;
    assert_eq!(kept["resets"], json!([]), "nothing became of it: {kept}");
}

#[tokio::test]
async fn what_is_refused_says_why() {
    let (panel, sip1) = recording().await;
    let many: Vec<String> = (0..1_001).map(|number| format!("core:{number}")).collect();
    for (path, body, status, part) in [
        (RESET, json!({"statistics": []}), StatusCode::BAD_REQUEST, "at least one"),
        (RESET, json!({"statistics": many}), StatusCode::BAD_REQUEST, "at most 1000"),
        (RESET, json!({"statistics": COUNTER}), StatusCode::BAD_REQUEST, "statistics"),
        ("/cp/api/v1/boxes/nobody/reset", json!({"statistics": [COUNTER]}), StatusCode::NOT_FOUND, "nobody"),
    ] {
        let problem = panel.send(Method::POST, path, body, status).await;
        assert!(problem["detail"].as_str().unwrap().contains(part), "{problem}");
    }
    sip1.silence(true);
    panel.send(Method::POST, RESET, json!({"statistics": [COUNTER]}), StatusCode::BAD_GATEWAY).await;
    panel.send(Method::PATCH, "/cp/api/v1/boxes/sip1", json!({"paused": true}), StatusCode::OK).await;
    panel.send(Method::POST, RESET, json!({"statistics": [COUNTER]}), StatusCode::CONFLICT).await;
}

#[tokio::test]
async fn only_who_may_and_never_by_looking() {
    let (panel, _sip1) = recording().await;
    let body = json!({"statistics": [COUNTER]});
    for scope in ["read", "tick", "push"] {
        let answer = TestPanel::client().post(panel.url(RESET)).bearer_auth(panel.token(scope).await);
        let answer = answer.header(header::CONTENT_TYPE, "application/json").body(body.to_string()).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{scope}");
    }
    for path in
        [RESET.to_owned(), "/cp/reset".to_owned(), format!("/cp/reset?box=sip1&name={COUNTER}"), format!("/cp?box=sip1&reset={COUNTER}")]
    {
        let _ = panel.ask(Method::GET, &path, None).await;
    }
    let other_site = TestPanel::client().post(panel.url("/cp/reset")).header(header::COOKIE, panel.cookie());
    let other_site =
        other_site.header(header::ORIGIN, "https://evil.example").header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    let other_site = other_site.body(format!("box=sip1&name={COUNTER}")).send().await.unwrap();
    assert_eq!(other_site.status(), StatusCode::FORBIDDEN);
    panel.send(Method::POST, "/cp/api/v1/boxes/sip1/refresh", json!(null), StatusCode::OK).await;
    assert_eq!(panel.get("/cp/api/v1/boxes/sip1/statistics?match=core:rcv_requests").await["statistics"][0]["value"], 500);

    // A token is told from an account of the same name.
    let answer = TestPanel::client().post(panel.url(RESET)).bearer_auth(panel.token("admin").await);
    let answer = answer.header(header::CONTENT_TYPE, "application/json").body(body.to_string()).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    panel.until(&series("value"), |series| series["resets"][0]["by"] == "token admin").await;
}

#[tokio::test]
async fn a_page_asks_before_and_tells_after() {
    let (panel, _sip1) = recording().await;
    let page = panel.ask(Method::GET, "/cp?box=sip1&reset=core:%20dialog:", None).await.text().await.unwrap();
    assert!(page.contains("Set 2 counters of sip1 to zero?") && page.contains("One gauge matches as well"), "{page}");
    assert!(page.contains(r#"name="name" value="core:kept""#) && !page.contains(r#"name="name" value="dialog:active_dialogs""#), "{page}");
    let answer = panel.form("/cp/reset", &[("box", "sip1"), ("name", COUNTER), ("return", "/cp?box=sip1&match=core:")]).await;
    assert_eq!(
        (answer.status(), answer.headers()[header::LOCATION].to_str().unwrap()),
        (StatusCode::SEE_OTHER, "/cp?box=sip1&match=core:")
    );
    let notice = answer.headers()[header::SET_COOKIE].to_str().unwrap().replace("%20", " ").replace("%5F", "_").replace("%3A", ":");
    assert!(notice.contains("notice core:rcv_requests of sip1 was set to zero"), "{notice}");
    let answer = panel.form("/cp/reset", &[("box", "sip1"), ("name", "core:kept"), ("return", "/cp?box=sip1")]).await;
    let alert = answer.headers()[header::SET_COOKIE].to_str().unwrap().replace("%20", " ");
    assert!(alert.contains("alert Nothing of sip1 was set to zero") && alert.contains("still 7"), "{alert}");
    let page = panel.ask(Method::GET, "/cp?box=sip1&reset=dialog:", None).await.text().await.unwrap();
    assert!(page.contains("There is nothing to reset") && !page.contains(r#"action="/cp/reset""#), "{page}");
}

#[tokio::test]
async fn the_panels_own_counters_are_reset_too() {
    let panel = Start::new().signed_in().await;
    let path = format!("/cp/api/v1/boxes/{}", BoxKind::Tickmark.as_str());
    panel.send(Method::POST, &format!("{path}/update"), json!({"name": "calls:failed", "by": 90}), StatusCode::NO_CONTENT).await;
    panel.send(Method::PUT, &format!("{path}/ticks/calls:failed"), json!(null), StatusCode::NO_CONTENT).await;
    panel.until(&format!("{path}/statistics?match=calls:failed"), |all| all["statistics"][0]["kind"] == "counter").await;
    let names = json!({"statistics": ["calls:failed", "panel:restarts", "host:load_1m"]});
    let done = panel.send(Method::POST, &format!("{path}/reset"), names, StatusCode::OK).await;
    assert_eq!(done["reset"], json!(["calls:failed"]), "{done}");
    assert_eq!(done["refused"].as_array().unwrap().len(), 2, "{done}");
    let marked = "/cp/api/v1/series?box=tickmark&name=calls:failed&mode=value&span=1h";
    panel.until(marked, |series| series["resets"][0]["by"] == "admin").await;
}
