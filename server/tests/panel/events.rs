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

/// What a page shows is not told again: its stream begins with what changed since.
#[tokio::test]
async fn who_has_an_answer_is_told_what_changed_since() {
    let panel = Start::new().signed_in().await;
    let sip1 = FakeBox::start(&[("core:rcv_requests", 5), ("dialog:active_dialogs", 9)]).await;
    // Once it is known, it is asked when this test says so.
    let body = json!({"name": "sip1", "address": sip1.url(), "kind": "opensips", "interval": "1h"});
    panel.send(Method::POST, "/cp/api/v1/boxes", body, StatusCode::CREATED).await;
    panel.until("/cp/api/v1/boxes/sip1/statistics", |all| all["statistics"][0]["kind"] == "counter").await;
    let refresh = async || assert_eq!(panel.ask(Method::POST, "/cp/api/v1/boxes/sip1/refresh", None).await.status(), StatusCode::OK);
    refresh().await;
    let page = panel.ask(Method::GET, "/cp?box=sip1", None).await.text().await.unwrap();
    let at = page.split_once("data-at=\"").unwrap().1.split_once('"').unwrap().0.to_owned();
    let from = format!("/cp/events?box=sip1&have={at}");

    // Nothing of it comes again: what comes is what changed, as it happens.
    let mut up_to_date = Events::open(&panel, &from).await;
    up_to_date.until("build", |_| true).await;
    sip1.set("dialog:active_dialogs", 10);
    refresh().await;
    let next = up_to_date
        .until("values", |data| {
            assert_eq!(data["snapshot"], false, "{data}");
            events_value(data, "dialog:active_dialogs").is_some()
        })
        .await;
    assert_eq!((&next["missed"], events_value(&next, "dialog:active_dialogs")), (&Value::Null, Some(json!(10))));

    sip1.set("dialog:active_dialogs", 12);
    refresh().await;
    let missed = Events::open(&panel, &from).await.until("values", |_| true).await;
    assert_eq!((&missed["snapshot"], &missed["missed"]), (&json!(false), &json!(2)));
    let told = missed["statistics"].as_array().unwrap().iter().find(|one| one["name"] == "dialog:active_dialogs").unwrap();
    assert_eq!((&told["value"], &told["spark"]), (&json!(12), &json!([10.0, 12.0, "A_"])));

    // A browser that connects again by itself says what it heard last, beside what it asked at first.
    let heard = next["at"].to_string();
    let again =
        TestPanel::client().get(panel.url(&from)).header("cookie", panel.cookie()).header("last-event-id", heard).send().await.unwrap();
    let again = Events { answer: again, bytes: Vec::new() }.until("values", |_| true).await;
    assert_eq!((&again["snapshot"], &again["missed"]), (&json!(false), &json!(1)));

    // What the panel does not know any more, or never knew, is no answer to go on from; nor are the values of other groups, looked at closely.
    for unknown in ["have=12", "have=x", "have=", &format!("have={at}&every=200ms&match=dialog:")] {
        let first = Events::open(&panel, &format!("/cp/events?box=sip1&{unknown}")).await.until("values", |_| true).await;
        assert_eq!(first["snapshot"], true, "{unknown}");
    }
    sip1.set("dialog:processed_dialogs", 1);
    refresh().await;
    let renamed = Events::open(&panel, &from).await.until("values", |_| true).await;
    assert_eq!((&renamed["snapshot"], renamed["statistics"].as_array().unwrap().len()), (&json!(true), 3));
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
