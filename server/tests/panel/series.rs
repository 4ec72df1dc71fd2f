//! `/cp/api/v1/series`, pictures, export, kinds, restarts.

use std::time::Duration;

use app::model::{BoxKind, Number};
use futures::future::join_all;
use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json};
use server::store::{BoxSpec, PollRecord, QUEUE_POLLS, Store};

use crate::{
    fake_box::FakeBox,
    support::{Start, TestPanel},
};

async fn recorded(name: &str) -> (TestPanel, FakeBox) {
    let panel = Start::new().signed_in().await;
    let sip1 = FakeBox::start(&[("core:rcv_requests", 1_000_000), ("dialog:active_dialogs", 9), ("core:timestamp", 500)]).await;
    panel.add_box("sip1", &sip1.url()).await;
    panel.until("/cp/api/v1/boxes/sip1", |one| one["state"] == "up").await;
    panel.send(Method::PUT, &format!("/cp/api/v1/boxes/sip1/ticks/{name}"), json!(null), StatusCode::NO_CONTENT).await;
    (panel, sip1)
}

fn samples(series: &Value) -> usize {
    series["columns"]["t"].as_array().unwrap().len()
}

#[tokio::test]
async fn a_restart_is_marked_and_its_increase_is_the_new_value() {
    let (panel, sip1) = recorded("core:rcv_requests").await;
    let path = "/cp/api/v1/series?box=sip1&name=core:rcv_requests&span=1h";
    panel.until(path, |series| samples(series) >= 3).await;
    sip1.set("core:timestamp", 1);
    sip1.set("core:rcv_requests", 7);
    let series = panel.until(path, |series| !series["resets"].as_array().unwrap().is_empty()).await;
    assert_eq!(series["resets"][0]["cause"], "restart");
    assert_eq!((series["mode"].as_str(), series["unit"].as_str()), (Some("rate"), Some("requests/s")));
    for rate in series["columns"]["max"].as_array().unwrap() {
        let rate = rate.as_f64().unwrap_or_default();
        assert!((0.0..1_000.0).contains(&rate), "a restart gives no wild rate: {series}");
    }
}

#[tokio::test]
async fn an_outage_is_a_gap_with_its_reason() {
    let (panel, sip1) = recorded("dialog:active_dialogs").await;
    let path = "/cp/api/v1/series?box=sip1&name=dialog:active_dialogs&span=1h&mode=value";
    panel.until(path, |series| samples(series) >= 2).await;
    sip1.silence(true);
    // On a busy machine other gaps may come before it.
    let outage = |series: &Value| {
        let gaps = series["gaps"].as_array().unwrap().iter();
        let is_it = |gap: &&Value| {
            gap["to"].as_i64() > gap["from"].as_i64().map(|from| from + 1_000) && gap["reason"].as_str().unwrap().contains("500")
        };
        gaps.filter(is_it).map(|gap| gap["reason"].as_str().unwrap().to_owned()).next()
    };
    let down = panel.until(path, |series| outage(series).is_some()).await;
    let reason = outage(&down).unwrap();
    let before = samples(&down);
    sip1.silence(false);
    let up = panel.until(path, |series| samples(series) > before + 2).await;
    assert!(up["gaps"].as_array().unwrap().iter().any(|gap| gap["reason"] == reason), "{up}");
}

#[tokio::test]
async fn a_span_longer_than_points_comes_in_equal_buckets() {
    let (panel, _sip1) = recorded("dialog:active_dialogs").await;
    let path = "/cp/api/v1/series?box=sip1&name=dialog:active_dialogs&span=10s&mode=value";
    panel.until(path, |series| samples(series) > 5).await;
    let series = panel.get(&format!("{path}&points=4")).await;
    let times: Vec<i64> = series["columns"]["t"].as_array().unwrap().iter().map(|t| t.as_i64().unwrap()).collect();
    assert_eq!(times.len(), 4);
    assert!(times.windows(2).all(|two| two[1] - two[0] == 2_500), "{times:?}");
    assert_eq!(series["columns"]["mean"][3].as_f64(), Some(9.0));
    let wrong = panel.send(Method::GET, &format!("{path}&points=0"), json!(null), StatusCode::BAD_REQUEST).await;
    assert!(wrong["detail"].as_str().unwrap().contains("points"));
    let wrong =
        panel.send(Method::GET, &format!("{path}&to=5").replace("&span=10s", "&from=5"), json!(null), StatusCode::BAD_REQUEST).await;
    assert_eq!(wrong["detail"], "from: must lie before to");
    panel.send(Method::GET, "/cp/api/v1/series?box=sip1&name=no:such", json!(null), StatusCode::NOT_FOUND).await;
    panel.send(Method::GET, "/cp/api/v1/series?box=nobody&name=no:such", json!(null), StatusCode::NOT_FOUND).await;
}

#[tokio::test]
async fn a_young_history_that_is_fitted_has_all_its_points() {
    let (panel, _sip1) = recorded("dialog:active_dialogs").await;
    let path = "/cp/api/v1/series?box=sip1&name=dialog:active_dialogs&span=24h&points=4&mode=value";
    panel.until("/cp/api/v1/series?box=sip1&name=dialog:active_dialogs&mode=value", |series| samples(series) > 5).await;
    let whole = panel.get(path).await;
    assert_eq!(samples(&whole), 4, "a day in four");
    let fitted = panel.get(&format!("{path}&fit=true")).await;
    let length = |series: &Value| series["to"].as_i64().unwrap() - series["from"].as_i64().unwrap();
    assert_eq!(length(&whole), 24 * 3_600_000);
    assert!(length(&fitted) < 12 * 3_600_000, "{fitted}");
    assert_eq!((samples(&fitted), &fitted["columns"]["t"][0]), (4, &fitted["from"]));
    panel.send(Method::GET, &format!("{path}&fit=perhaps"), json!(null), StatusCode::BAD_REQUEST).await;
}

#[tokio::test]
async fn pictures_and_exports_are_what_they_say() {
    let (panel, _sip1) = recorded("dialog:active_dialogs").await;
    panel.until("/cp/api/v1/series?box=sip1&name=dialog:active_dialogs", |series| samples(series) >= 3).await;
    let query = "box=sip1&name=dialog:active_dialogs&span=1h";
    let svg = panel.ask(Method::GET, &format!("/cp/api/v1/chart.svg?{query}"), None).await;
    assert_eq!(svg.headers()[header::CONTENT_TYPE], "image/svg+xml");
    assert!(svg.text().await.unwrap().starts_with("<svg"));
    let png = panel.ask(Method::GET, &format!("/cp/api/v1/chart.png?{query}&theme=dark&width=400&height=200"), None).await;
    assert_eq!((png.status(), png.headers()[header::CONTENT_TYPE].to_str().unwrap()), (StatusCode::OK, "image/png"));
    assert_eq!(&png.bytes().await.unwrap()[..4], b"\x89PNG");
    let csv = panel.ask(Method::GET, &format!("/cp/api/v1/export?{query}&format=csv"), None).await.text().await.unwrap();
    let rows: Vec<&str> = csv.lines().collect();
    assert_eq!(rows[0], "time,box,name,value");
    assert!(rows.len() >= 4 && rows[1].ends_with(",sip1,dialog:active_dialogs,9"), "{csv}");
    let id = panel.get("/cp/api/v1/boxes/sip1").await["id"].to_string();
    let by_number = query.replace("sip1", &id);
    let by_number = panel.ask(Method::GET, &format!("/cp/api/v1/export?{by_number}"), None).await;
    assert!(by_number.headers()[header::CONTENT_DISPOSITION].to_str().unwrap().contains("sip1-dialog"));
    assert!(by_number.text().await.unwrap().contains(",sip1,dialog:active_dialogs,9\n"));
    let metrics = panel.ask(Method::GET, "/metrics", None).await.text().await.unwrap();
    assert!(metrics.contains("tickmark_statistic{box=\"sip1\",group=\"dialog\",name=\"active_dialogs\"} 9\n"), "{metrics}");
    assert!(metrics.contains("tickmark_box_up{box=\"sip1\"} 1\n") && metrics.contains("tickmark_panel_requests_total "));
}

#[tokio::test]
async fn a_picture_of_several_says_which_is_which_and_each_in_its_own_way() {
    let (panel, sip1) = recorded("core:rcv_requests").await;
    panel.send(Method::PUT, "/cp/api/v1/boxes/sip1/ticks/dialog:active_dialogs", json!(null), StatusCode::NO_CONTENT).await;
    sip1.set("core:rcv_requests", 1_000_500);
    for name in ["core:rcv_requests", "dialog:active_dialogs"] {
        panel.until(&format!("/cp/api/v1/series?box=sip1&name={name}"), |series| samples(series) >= 3).await;
    }
    let path = "/cp/api/v1/chart.svg?box=sip1&name=core:rcv_requests&name=dialog:active_dialogs&theme=light";
    let svg = panel.ask(Method::GET, path, None).await.text().await.unwrap();
    // The gauge is not made a derivative by the counter before it.
    assert!(svg.contains("; dialog:active_dialogs: now 9, min 9, mean 9, max 9\""), "{svg}");
    assert!(svg.contains(">core:rcv_requests\u{a0}") && svg.contains(">dialog:active_dialogs (right)\u{a0}"), "{svg}");
    assert!(svg.contains("/s\u{a0}"), "the counter is a rate: {svg}");
    assert!(svg.contains("stroke-dasharray"), "the second line differs by more than its colour: {svg}");
    let svg = panel.ask(Method::GET, &format!("{path}&mode=value"), None).await.text().await.unwrap();
    assert!(svg.contains("now 1\u{2009}000\u{2009}500"), "{svg}");
}

#[tokio::test]
async fn a_corrected_kind_holds() {
    let (panel, sip1) = recorded("core:rcv_requests").await;
    let path = "/cp/api/v1/boxes/sip1/statistics?match=core:rcv_requests";
    sip1.set("core:rcv_requests", 1_000_001);
    panel.until(path, |value| value["statistics"][0]["rate"].is_f64()).await;
    panel
        .send(Method::PATCH, "/cp/api/v1/boxes/sip1/statistics/core%3Arcv_requests", json!({"kind": "gauge"}), StatusCode::NO_CONTENT)
        .await;
    panel.until(path, |value| value["statistics"][0]["kind"] == "gauge" && value["statistics"][0]["rate"].is_null()).await;
    panel.send(Method::PATCH, "/cp/api/v1/boxes/sip1/statistics/no%3Asuch", json!({"kind": "gauge"}), StatusCode::NOT_FOUND).await;
    let panel = Start::again(panel.stop().await).every(Duration::from_secs(1)).signed_in().await;
    let value = panel.until(path, |value| value["at"].is_i64()).await;
    assert_eq!(value["statistics"][0]["kind"], "gauge");
}

/// A box that was removed from the network long ago, with three hours of one second; in the middle of them a burst of one second.
async fn with_long_history() -> (TestPanel, i64) {
    let start = Start::new();
    let config = start.config();
    let store = Store::open(config.database.url()).await.unwrap();
    let spec = BoxSpec { interval_ms: Some(1_000), paused: true, ..BoxSpec::new("old", BoxKind::Opensips, "http://127.0.0.1:9/mi") };
    let box_id = store.add_box(&spec, 1).await.unwrap();
    let series = store.series_ids(box_id, &["core:rcv_requests"]).await.unwrap()[0];
    // Ten days ago, at a full hour: none of it is so old that it would go.
    let begin_ms = (chrono::Utc::now().timestamp_millis() / 3_600_000 - 240) * 3_600_000;
    let polls = (0..3 * 3_600_i64).map(|second| {
        let value = Some(Number::Int(second * 10 + if second >= 5_400 { 700 } else { 0 }));
        let at_ms = begin_ms + second * 1_000;
        PollRecord {
            box_id,
            at_ms,
            interval_ms: 1_000,
            values: vec![(series, value)],
            marks: Vec::new(),
            started_ms: None,
            generation: None,
        }
    });
    let polls: Vec<PollRecord> = polls.collect();
    for some in polls.chunks(QUEUE_POLLS / 2) {
        for recorded in join_all(some.iter().map(|poll| store.record(poll.clone()))).await {
            recorded.unwrap();
        }
    }
    while store.seal_due(i64::MAX).await.unwrap() {}
    while store.merge_due(i64::MAX).await.unwrap() {}
    store.close().await;
    (start.signed_in().await, begin_ms)
}

#[tokio::test]
async fn a_long_span_is_drawn_from_minutes_and_hours_and_says_so() {
    let (panel, begin_ms) = with_long_history().await;
    for (days, points, tier, buckets) in [(7, 2_000, "minute", 36), (300, 2_000, "hour", 1), (1, 20_000, "raw", 10_799)] {
        let to = begin_ms + days * 86_400_000;
        let path = format!("/cp/api/v1/series?box=old&name=core:rcv_requests&from={begin_ms}&to={to}&points={points}");
        let series = panel.get(&path).await;
        let known = series["columns"]["max"].as_array().unwrap().iter().filter(|max| max.is_number()).count();
        assert_eq!(series["tier"], tier);
        assert!((buckets..=buckets + 3).contains(&known), "{days} days: {known}");
        let highest = series["columns"]["max"].as_array().unwrap().iter().filter_map(Value::as_f64).fold(0.0, f64::max);
        assert!((highest - 710.0).abs() < 1e-9, "the burst is seen: {highest}");
        let lowest = series["columns"]["min"].as_array().unwrap().iter().filter_map(Value::as_f64).fold(f64::INFINITY, f64::min);
        assert!((lowest - 10.0).abs() < 1e-9, "{lowest}");
    }
    let year = panel.ask(Method::GET, "/cp/charts?span=1y&box=old", None).await;
    assert_eq!(year.status(), StatusCode::OK);
}

#[tokio::test]
async fn samples_are_exported_as_openmetrics() {
    let (panel, begin_ms) = with_long_history().await;
    let path = format!("/cp/api/v1/export?box=old&name=core:rcv_requests&from={begin_ms}&to={}&format=", begin_ms + 86_400_000);
    let answer = panel.ask(Method::GET, &format!("{path}openmetrics"), None).await;
    assert_eq!(answer.status(), StatusCode::OK);
    let of = |name| answer.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(of(header::CONTENT_TYPE), "application/openmetrics-text; version=1.0.0; charset=utf-8");
    assert_eq!(of(header::CONTENT_DISPOSITION), "attachment; filename=\"old-core_rcv_requests.txt\"");
    let text = answer.text().await.unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 3 * 3_600 + 2);
    assert_eq!(lines[..2], ["# TYPE core:rcv_requests counter", &format!("core:rcv_requests 0 {}", begin_ms / 1_000)]);
    assert!(text.ends_with(&format!("core:rcv_requests 108690 {}\n# EOF\n", begin_ms / 1_000 + 10_799)), "{text}");
    let refused = panel.ask(Method::GET, &format!("{path}xml"), None).await;
    assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
}
