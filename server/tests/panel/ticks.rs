//! `/cp/api/v1/boxes/{box}/ticks` and the form that does the same.

use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json};

use crate::{fake_box::FakeBox, support::Start};

fn ticked(statistics: &Value) -> Vec<&str> {
    let all = statistics["statistics"].as_array().unwrap().iter();
    all.filter(|one| one["ticked"] == true).map(|one| one["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn what_is_on_the_screen_is_recorded_at_once_with_the_time_of_its_poll() {
    // An hour between polls: whatever is recorded soon is not from the next poll.
    let panel = Start::new().signed_in().await;
    let sip1 = FakeBox::start(&[("core:rcv_requests", 5), ("dialog:active_dialogs", 9)]).await;
    let body = json!({"name": "sip1", "address": sip1.url(), "kind": "opensips", "interval": "1h"});
    panel.send(Method::POST, "/cp/api/v1/boxes", body, StatusCode::CREATED).await;
    let shown = panel.until("/cp/api/v1/boxes/sip1/statistics", |value| value["at"].is_i64()).await;
    for name in ["core:rcv_requests", "dialog:active_dialogs"] {
        panel.send(Method::PUT, &format!("/cp/api/v1/boxes/sip1/ticks/{name}"), json!(null), StatusCode::NO_CONTENT).await;
        let series = panel.get(&format!("/cp/api/v1/series?box=sip1&name={name}&mode=value")).await;
        assert_eq!(series["columns"]["t"], json!([shown["at"]]), "{series}");
    }
    // The second one at the same poll lies at the same instant: neither is moved nor lost.
    let series = panel.get("/cp/api/v1/series?box=sip1&name=core:rcv_requests&mode=value").await;
    assert_eq!(series["columns"]["last"], json!([5]));
}

#[tokio::test]
async fn ticks_stand_over_a_restart_and_record() {
    let panel = Start::new().signed_in().await;
    let sip1 = FakeBox::start(&[("core:rcv_requests", 5), ("dialog:active_dialogs", 9)]).await;
    panel.add_box("sip1", &sip1.url()).await;
    panel.until("/cp/api/v1/boxes/sip1", |one| one["state"] == "up").await;
    panel.send(Method::PUT, "/cp/api/v1/boxes/sip1/ticks/dialog%3Aactive_dialogs", json!(null), StatusCode::NO_CONTENT).await;
    let path = "/cp/api/v1/series?box=sip1&name=dialog:active_dialogs&span=1h";
    panel.until(path, |series| series["columns"]["t"].as_array().unwrap().len() >= 3).await;
    let panel = Start::again(panel.stop().await).signed_in().await;
    assert_eq!(ticked(&panel.until("/cp/api/v1/boxes/sip1/statistics", |value| value["at"].is_i64()).await), ["dialog:active_dialogs"]);
    let before = panel.get(path).await["columns"]["t"].as_array().unwrap().len();
    assert!(before >= 3);
    panel.until(path, |series| series["columns"]["t"].as_array().unwrap().len() > before).await;
}

#[tokio::test]
async fn a_pattern_stands_for_statistics_that_appear_later() {
    let panel = Start::new().signed_in().await;
    let sip1 = FakeBox::start(&[("core:rcv_requests", 5)]).await;
    panel.add_box("sip1", &sip1.url()).await;
    panel.until("/cp/api/v1/boxes/sip1", |one| one["state"] == "up").await;
    let path = "/cp/api/v1/boxes/sip1/ticks";
    assert_eq!(panel.send(Method::POST, path, json!({"match": ["method:", "script:later"]}), StatusCode::OK).await["recorded"], 0);
    let ticks = panel.get(path).await;
    assert_eq!(ticks["items"][0], json!({"name": "method:", "pattern": true, "seen": false, "except": []}));
    assert_eq!(ticks["items"][1], json!({"name": "script:later", "pattern": false, "seen": false, "except": []}));
    sip1.set("method:INVITE", 1);
    let statistics = panel.until("/cp/api/v1/boxes/sip1/statistics", |value| !ticked(value).is_empty()).await;
    assert_eq!(ticked(&statistics), ["method:INVITE"]);
    panel.until("/cp/api/v1/series?box=sip1&name=method:INVITE&mode=value", |series| series["columns"]["last"][0] == 1).await;
    panel.send(Method::DELETE, "/cp/api/v1/boxes/sip1/ticks/method%3AINVITE", json!(null), StatusCode::NO_CONTENT).await;
    assert_eq!(panel.get(path).await["items"][0]["except"], json!(["method:INVITE"]));
    assert!(ticked(&panel.get("/cp/api/v1/boxes/sip1/statistics").await).is_empty());
}

#[tokio::test]
async fn the_form_ticks_what_is_checked_and_unticks_what_was() {
    let panel = Start::new().signed_in().await;
    panel.until("/cp/api/v1/boxes/tickmark", |one| one["state"] == "up").await;
    let answer = panel
        .form(
            "/cp/ticks",
            &[("box", "tickmark"), ("return", "/cp?box=tickmark&match=panel"), ("on", "panel:uptime"), ("on", "panel:requests")],
        )
        .await;
    assert_eq!(
        (answer.status(), answer.headers()[header::LOCATION].to_str().unwrap()),
        (StatusCode::SEE_OTHER, "/cp?box=tickmark&match=panel")
    );
    assert_eq!(ticked(&panel.get("/cp/api/v1/boxes/tickmark/statistics").await), ["panel:requests", "panel:uptime"]);
    let fields = [
        ("box", "tickmark"),
        ("return", "//evil.example"),
        ("was", "panel:uptime"),
        ("was", "panel:requests"),
        ("on", "panel:requests"),
        ("on", "host:load_1m"),
    ];
    let answer = panel.form("/cp/ticks", &fields).await;
    assert_eq!(answer.headers()[header::LOCATION], "/cp");
    assert_eq!(ticked(&panel.get("/cp/api/v1/boxes/tickmark/statistics").await), ["host:load_1m", "panel:requests"]);
    panel.form("/cp/ticks", &[("box", "tickmark"), ("untick", "panel:")]).await;
    panel.form("/cp/ticks", &[("box", "tickmark"), ("tick", "disk:")]).await;
    assert_eq!(ticked(&panel.get("/cp/api/v1/boxes/tickmark/statistics").await), ["disk:free", "disk:total", "host:load_1m"]);
}
