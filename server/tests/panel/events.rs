//! `/cp/events`.

use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json};

use crate::{
    fake_box::FakeBox,
    support::{LIMIT, Start, TestPanel},
};

/// Reads a stream event by event.
pub(crate) struct Events {
    answer: reqwest::Response,
    bytes: Vec<u8>,
}

impl Events {
    pub(crate) async fn open(panel: &TestPanel, path: &str) -> Self {
        let answer = panel.ask(Method::GET, path, None).await;
        assert_eq!(answer.status(), StatusCode::OK);
        assert!(answer.headers()[header::CONTENT_TYPE].to_str().unwrap().starts_with("text/event-stream"));
        assert!(!answer.headers().contains_key(header::CONTENT_ENCODING));
        Self { answer, bytes: Vec::new() }
    }

    /// The next event's name and data; none at the end.
    pub(crate) async fn next(&mut self) -> Option<(String, Value)> {
        loop {
            if let Some(end) = self.bytes.windows(2).position(|two| two == b"\n\n") {
                let event = String::from_utf8(self.bytes.drain(..end + 2).collect()).unwrap();
                let field =
                    |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).map(str::trim).unwrap_or_default().to_owned();
                return Some((field("event:"), serde_json::from_str(&field("data:")).unwrap()));
            }
            let part = tokio::time::timeout(LIMIT, self.answer.chunk()).await.expect("the stream says something").ok()??;
            self.bytes.extend_from_slice(&part);
        }
    }

    pub(crate) async fn until(&mut self, name: &str, is_it: impl Fn(&Value) -> bool) -> Value {
        loop {
            let (event, data) = self.next().await.expect("the stream goes on");
            if event == name && is_it(&data) {
                return data;
            }
        }
    }
}

#[tokio::test]
async fn a_snapshot_first_then_what_changed_then_what_was_recorded() {
    let panel = Start::new().signed_in().await;
    let sip1 = FakeBox::start(&[("core:rcv_requests", 5), ("dialog:active_dialogs", 9)]).await;
    panel.add_box("sip1", &sip1.url()).await;
    panel.until("/cp/api/v1/boxes/sip1", |one| one["state"] == "up").await;
    let mut events = Events::open(&panel, "/cp/events?box=sip1").await;
    events.until("box", |data| data["name"] == "sip1").await;
    let (name, snapshot) = events.next().await.unwrap();
    assert_eq!((name.as_str(), snapshot["box"].as_str(), snapshot["snapshot"].as_bool()), ("values", Some("sip1"), Some(true)));
    assert_eq!(snapshot["statistics"].as_array().unwrap().len(), 2);
    sip1.set("dialog:active_dialogs", 10);
    let change = events.until("values", |data| !data["statistics"].as_array().unwrap().is_empty() && data["snapshot"] == false).await;
    let active = events_value(&change, "dialog:active_dialogs");
    let change =
        if active.is_some() { change } else { events.until("values", |data| events_value(data, "dialog:active_dialogs").is_some()).await };
    assert_eq!(events_value(&change, "dialog:active_dialogs"), Some(json!(10)));

    panel.send(Method::PUT, "/cp/api/v1/boxes/sip1/ticks/dialog%3Aactive_dialogs", json!(null), StatusCode::NO_CONTENT).await;
    let recorded = events.until("recorded", |_| true).await;
    assert_eq!(recorded["box"], "sip1");
    let series = panel.get("/cp/api/v1/series?box=sip1&name=dialog:active_dialogs&mode=value").await;
    assert!(series["columns"]["t"].as_array().unwrap().contains(&recorded["at"]), "recorded means committed");

    sip1.silence(true);
    let down = events.until("box", |data| data["state"] == "down").await;
    assert!(down["reason"].is_string());
}

fn events_value(data: &Value, name: &str) -> Option<Value> {
    data["statistics"].as_array()?.iter().find(|one| one["name"] == name).map(|one| one["value"].clone())
}

#[tokio::test]
async fn every_stream_tells_which_build_answers() {
    let panel = Start::new().signed_in().await;
    let first = Events::open(&panel, "/cp/events").await.until("build", |data| data["id"].is_string()).await;
    let second = Events::open(&panel, "/cp/events").await.until("build", |_| true).await;
    assert_eq!(first, second);
}

#[tokio::test]
async fn streams_end_when_the_panel_stops() {
    let panel = Start::new().signed_in().await;
    let mut events = Events::open(&panel, "/cp/events").await;
    assert!(events.next().await.is_some());
    panel.stop().await;
    while events.next().await.is_some() {}
}

#[tokio::test]
async fn a_removed_box_is_told_and_ends_its_own_stream() {
    let panel = Start::new().signed_in().await;
    let (sip1, sip2) = (FakeBox::start(&[("core:rcv_requests", 5)]).await, FakeBox::start(&[("core:rcv_requests", 6)]).await);
    panel.add_box("sip1", &sip1.url()).await;
    panel.add_box("sip2", &sip2.url()).await;
    panel.until("/cp/api/v1/boxes/sip2", |one| one["state"] == "up").await;
    panel.until("/cp/api/v1/boxes/sip1", |one| one["state"] == "up").await;
    let mut own = Events::open(&panel, "/cp/events?box=sip1").await;
    let mut all = Events::open(&panel, "/cp/events").await;
    own.until("values", |data| data["box"] == "sip1").await;
    all.until("values", |data| data["box"] == "sip1").await;
    // Of other boxes a stream of one tells the state alone.
    sip2.silence(true);
    own.until("box", |data| data["name"] == "sip2" && data["state"] == "down").await;
    panel.send(Method::DELETE, "/cp/api/v1/boxes/sip1?history=keep", json!(null), StatusCode::NO_CONTENT).await;
    assert_eq!(own.until("removed", |_| true).await, json!({"box": "sip1"}));
    assert_eq!(own.next().await, None);
    assert_eq!(all.until("removed", |_| true).await, json!({"box": "sip1"}));
    assert!(all.next().await.is_some());
}

#[tokio::test]
async fn a_stream_begins_with_all_boxes_and_follows_one_through_its_names() {
    let panel = Start::new().signed_in().await;
    let (sip1, sip2) = (FakeBox::start(&[("core:rcv_requests", 5)]).await, FakeBox::start(&[("core:rcv_requests", 6)]).await);
    panel.add_box("sip1", &sip1.url()).await;
    panel.add_box("sip2", &sip2.url()).await;
    panel.until("/cp/api/v1/boxes/sip1", |one| one["state"] == "up").await;
    let id = panel.get("/cp/api/v1/boxes/sip1").await["id"].clone();
    let mut events = Events::open(&panel, &format!("/cp/events?box={id}")).await;
    let mut names = Vec::new();
    for _ in 0..3 {
        names.push(events.until("box", |_| true).await["name"].as_str().unwrap_or_default().to_owned());
    }
    names.sort_unstable();
    assert_eq!(names, ["sip1", "sip2", "tickmark"]);
    panel.send(Method::PATCH, "/cp/api/v1/boxes/sip1", json!({"name": "core1"}), StatusCode::OK).await;
    let renamed = events.until("box", |data| data["name"] == "core1").await;
    assert_eq!(renamed["id"], id);
    assert_eq!(events.until("values", |_| true).await["box"], "core1");
}

#[tokio::test]
async fn a_stream_ends_for_whom_has_left() {
    let panel = Start::new().signed_in().await;
    let mut events = Events::open(&panel, "/cp/events").await;
    assert!(events.next().await.is_some());
    panel.send(Method::POST, "/cp/api/v1/logout", json!(null), StatusCode::NO_CONTENT).await;
    while events.next().await.is_some() {}
}
