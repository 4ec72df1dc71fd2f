//! Looking closely: what is shown is asked many times a second, as long as somebody looks, and the recording does not notice.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    events::Events,
    fake_box::FakeBox,
    support::{LIMIT, Start, TestPanel},
};

/// Counts what the box is asked, so that no two answers are the same.
const POLLS: &str = "core:polls";

/// A box that is recorded as seldom as can be.
async fn recording() -> (TestPanel, FakeBox) {
    let panel = Start::new().signed_in().await;
    let sip1 = FakeBox::start(&[("core:rcv_requests", 5), ("dialog:active_dialogs", 3)]).await;
    sip1.count_polls(POLLS);
    let body = json!({"name": "sip1", "address": sip1.url(), "kind": "opensips", "interval": "1h"});
    panel.send(Method::POST, "/cp/api/v1/boxes", body, StatusCode::CREATED).await;
    panel.until("/cp/api/v1/boxes/sip1/statistics", |all| all["statistics"][1]["kind"] == "counter").await;
    panel.send(Method::POST, "/cp/api/v1/boxes/sip1/ticks", json!({"match": ["core:"]}), StatusCode::OK).await;
    panel.send(Method::POST, "/cp/api/v1/boxes/sip1/refresh", json!(null), StatusCode::OK).await;
    (panel, sip1)
}

fn value(values: &Value, name: &str) -> Option<i64> {
    values["statistics"].as_array().unwrap().iter().find(|one| one["name"] == name)?["value"].as_i64()
}

async fn samples(panel: &TestPanel) -> usize {
    let series = panel.get(&format!("/cp/api/v1/series?box=sip1&name={POLLS}&mode=value&span=1h")).await;
    series["columns"]["t"].as_array().unwrap().len()
}

#[tokio::test]
async fn what_is_shown_is_asked_while_somebody_looks_and_the_recording_stays_as_it_is() {
    let (panel, sip1) = recording().await;
    // What was shown when it was ticked is recorded, and then what was answered last.
    let shown = panel.get(&format!("/cp/api/v1/boxes/sip1/statistics?match={POLLS}")).await["statistics"][0]["value"].clone();
    panel
        .until(&format!("/cp/api/v1/series?box=sip1&name={POLLS}&mode=value&span=1h"), |series| {
            series["columns"]["last"].as_array().unwrap().last() == Some(&shown)
        })
        .await;
    let (recorded, answered) = (samples(&panel).await, "tickmark_box_polls_total{box=\"sip1\",outcome=\"answered\"} 2\n");
    assert!(panel.until_text("/metrics", |text| text.contains("sip1")).await.contains(answered));

    let mut events = Events::open(&panel, "/cp/events?box=sip1&match=core:&every=200ms").await;
    let mut other = Events::open(&panel, "/cp/events?box=sip1&match=core:&every=200ms").await;
    let mut seen = Vec::new();
    while seen.len() < 5 {
        let values = events.until("values", |_| true).await;
        assert_eq!(value(&values, "dialog:active_dialogs"), None, "{values}");
        seen.extend(value(&values, POLLS));
    }
    assert!(seen.windows(2).all(|pair| pair[0] < pair[1]), "{seen:?}");
    // A rate needs two of them.
    let rated = events
        .until("values", |values| {
            values["statistics"].as_array().unwrap().iter().any(|one| one["name"] == POLLS && one["rate"].as_f64() > Some(0.0))
        })
        .await;
    assert_eq!(rated["box"], "sip1");
    other.until("values", |values| value(values, POLLS).is_some()).await;
    assert_eq!(samples(&panel).await, recorded);
    assert!(panel.until_text("/metrics", |text| text.contains("sip1")).await.contains(answered));

    // It is said at once when it answers no more, long before it would be asked for the recording.
    sip1.silence(true);
    let down = events.until("box", |told| told["name"] == "sip1" && told["state"] == "down").await;
    assert!(down["reason"].as_str().unwrap().contains("500"), "{down}");
    sip1.silence(false);
    events.until("box", |told| told["name"] == "sip1" && told["state"] == "up").await;

    drop((events, other));
    let ended = async {
        loop {
            let before = sip1.polls();
            tokio::time::sleep(Duration::from_secs(1)).await;
            if sip1.polls() == before {
                return;
            }
        }
    };
    tokio::time::timeout(LIMIT, ended).await.expect("nobody looks, and it is not asked any more");
}

#[tokio::test]
async fn the_panel_itself_and_what_cannot_be_looked_at_closely() {
    let (panel, sip1) = recording().await;
    let mut own = Events::open(&panel, "/cp/events?box=tickmark&match=panel:requests&every=200ms").await;
    for _ in 0..3 {
        panel.get("/cp/api/v1/me").await;
        own.until("values", |values| value(values, "panel:requests").is_some()).await;
    }
    // Slower than it is recorded, or no time at all: as if nothing had been said.
    let asked = sip1.polls();
    for every in ["2h", "soon", "1ms"] {
        let mut events = Events::open(&panel, &format!("/cp/events?box=sip1&every={every}")).await;
        let values = events.until("values", |_| true).await;
        assert_eq!(value(&values, "dialog:active_dialogs"), Some(3), "{every}");
    }
    assert_eq!(sip1.polls(), asked);
    let page = |path: &'static str| async { panel.ask(Method::GET, path, None).await.text().await.unwrap() };
    assert!(page("/cp?box=sip1").await.contains("every=200ms"));
    let close = page("/cp?box=sip1&match=core:&every=200ms").await;
    assert!(close.contains("Every 200 ms") && close.contains(r#"data-every="200ms""#), "{close}");
    panel.send(Method::PATCH, "/cp/api/v1/boxes/sip1", json!({"paused": true}), StatusCode::OK).await;
    assert!(!page("/cp?box=sip1").await.contains("every=200ms"));
}
