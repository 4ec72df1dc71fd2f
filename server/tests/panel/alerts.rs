//! `/cp/api/v1/alerts` and `/cp/api/v1/destinations`: from the value that breaks a rule to the message.

use std::time::{Duration, Instant};

use axum::{Router, extract::State, http::HeaderMap, routing::post};
use hmac::{Hmac, KeyInit, Mac};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::sync::mpsc;

use crate::{
    fake_box::FakeBox,
    support::{LIMIT, Start, TestPanel},
};

const ALERTS: &str = "/cp/api/v1/alerts";
const FIRING: &str = "/cp/api/v1/alerts/firing";
const DESTINATIONS: &str = "/cp/api/v1/destinations";
const LEVEL: &str = "dialog:active_dialogs";

/// A program that takes what is posted to it.
struct Receiver {
    url: String,
    taken: mpsc::UnboundedReceiver<(HeaderMap, String)>,
}

impl Receiver {
    /// One that answers with a status.
    async fn answering(status: StatusCode) -> Self {
        let (tell, taken) = mpsc::unbounded_channel();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let take = move |State(tell): State<mpsc::UnboundedSender<(HeaderMap, String)>>, headers: HeaderMap, body: String| async move {
            tell.send((headers, body)).unwrap();
            status
        };
        let router = Router::new().fallback(post(take)).with_state(tell);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, taken }
    }

    async fn start() -> Self {
        Self::answering(StatusCode::OK).await
    }

    async fn next(&mut self) -> (HeaderMap, Value) {
        let (headers, body) = tokio::time::timeout(LIMIT, self.taken.recv()).await.expect("a message comes").unwrap();
        let timestamp = headers["x-tickmark-timestamp"].to_str().unwrap();
        let mut mac = Hmac::<Sha256>::new_from_slice(b"s3cret").unwrap();
        mac.update(format!("{timestamp}.{body}").as_bytes());
        let expect: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(headers["x-tickmark-signature"], format!("sha256={expect}"));
        (headers, serde_json::from_str(&body).unwrap())
    }
}

async fn with_box(start: Start) -> (TestPanel, FakeBox) {
    let panel = start.signed_in().await;
    let sip1 = FakeBox::start(&[(LEVEL, 3), ("core:rcv_requests", 100)]).await;
    panel.add_box("sip1", &sip1.url()).await;
    panel.until("/cp/api/v1/boxes/sip1", |one| one["state"] == "up").await;
    (panel, sip1)
}

async fn webhook(panel: &TestPanel, name: &str, url: &str) {
    let body = json!({"name": name, "kind": "webhook", "url": url, "secret": "s3cret"});
    panel.send(Method::POST, DESTINATIONS, body, StatusCode::CREATED).await;
}

fn too_many(name: &str) -> Value {
    json!({"name": name, "formula": format!("{{{LEVEL}}}"), "condition": {"kind": "above", "threshold": 50, "clear": 40},
           "severity": "critical", "text": "{value} calls on {box}", "boxes": {"names": ["sip1"]}})
}

fn count(all: &Value) -> usize {
    all["items"].as_array().unwrap().len()
}

#[tokio::test]
async fn what_breaks_a_rule_is_told_signed_and_told_again_when_it_is_over() {
    let (panel, sip1) = with_box(Start::new()).await;
    let mut hook = Receiver::start().await;
    webhook(&panel, "ops", &hook.url).await;
    panel.send(Method::POST, ALERTS, too_many("calls"), StatusCode::CREATED).await;
    assert_eq!(count(&panel.get(FIRING).await), 0);
    let begun = Instant::now();
    sip1.set(LEVEL, 51);
    let (headers, told) = hook.next().await;
    println!("from the value to the message: {:?}", begun.elapsed());
    let alert = &told["alerts"][0];
    assert_eq!((&alert["rule"], &alert["box"], &alert["severity"]), (&json!("calls"), &json!("sip1"), &json!("critical")));
    assert_eq!((&alert["text"], &alert["value"], &alert["resolved"]), (&json!("51 calls on sip1"), &json!(51.0), &json!(false)));
    assert!(alert["link"].as_str().unwrap().ends_with("/cp/boxes/sip1/dialog:active_dialogs"), "{alert}");

    assert!(!headers["idempotency-key"].is_empty());

    let firing = panel.until(FIRING, |all| count(all) == 1).await;
    assert_eq!((&firing["items"][0]["text"], &firing["items"][0]["silenced"]), (&json!("51 calls on sip1"), &json!(false)));
    // Between the bounds it fires on.
    sip1.set(LEVEL, 45);
    sip1.set("core:rcv_requests", 101);
    panel.until("/cp/api/v1/boxes/sip1/statistics?match=core:", |all| all["statistics"][0]["value"] == 101).await;
    assert_eq!(count(&panel.get(FIRING).await), 1);
    sip1.set(LEVEL, 40);
    let (_, told) = hook.next().await;
    assert_eq!((&told["alerts"][0]["resolved"], &told["alerts"][0]["id"]), (&json!(true), &firing["items"][0]["id"]));
    assert_eq!(count(&panel.until(FIRING, |all| count(all) == 0).await), 0);
    let history = panel.get("/cp/api/v1/alerts/history").await;
    assert!(history["items"][0]["ended"].as_i64() > history["items"][0]["fired"].as_i64(), "{history}");
    let log = panel
        .until("/cp/api/v1/destinations/ops/deliveries", |log| {
            log["items"].as_array().unwrap().iter().all(|one| one["state"] == "delivered")
        })
        .await;
    assert_eq!(count(&log), 2);
}

#[tokio::test]
async fn a_restart_loses_nothing_and_tells_nothing_twice() {
    let (panel, sip1) = with_box(Start::new()).await;
    let mut hook = Receiver::start().await;
    webhook(&panel, "ops", &hook.url).await;
    panel.send(Method::POST, ALERTS, too_many("calls"), StatusCode::CREATED).await;
    sip1.set(LEVEL, 60);
    let (_, told) = hook.next().await;
    let id = told["alerts"][0]["id"].clone();
    let panel = Start::again(panel.stop().await).signed_in().await;
    panel.until("/cp/api/v1/boxes/sip1", |one| one["state"] == "up").await;
    let firing = panel.get(FIRING).await;
    assert_eq!((count(&firing), &firing["items"][0]["id"]), (1, &id));
    sip1.set(LEVEL, 1);
    // What comes next is its end, and not its begin once more.
    let (_, told) = hook.next().await;
    assert_eq!((&told["alerts"][0]["resolved"], &told["alerts"][0]["id"]), (&json!(true), &id));
}

#[tokio::test]
async fn a_box_that_is_silent_is_told_and_who_is_silenced_is_not() {
    let (panel, sip1) = with_box(Start::new()).await;
    let mut hook = Receiver::start().await;
    webhook(&panel, "ops", &hook.url).await;
    for name in ["down", "quiet"] {
        let rule = json!({"name": name, "condition": {"kind": "box_down"}, "boxes": {"names": ["sip1"]}});
        panel.send(Method::POST, ALERTS, rule, StatusCode::CREATED).await;
    }
    panel.send(Method::POST, "/cp/api/v1/alerts/quiet/silence", json!({"for": "1h"}), StatusCode::NO_CONTENT).await;
    sip1.silence(true);
    let (_, told) = hook.next().await;
    assert_eq!(told["alerts"].as_array().unwrap().len(), 1, "{told}");
    assert_eq!(told["alerts"][0]["rule"], "down");
    let firing = panel.until(FIRING, |all| count(all) == 2).await;
    let quiet = firing["items"].as_array().unwrap().iter().find(|one| one["rule"] == "quiet").unwrap();
    assert_eq!(quiet["silenced"], true);
    let done = panel.send(Method::POST, "/cp/api/v1/alerts/down/acknowledge", json!({}), StatusCode::OK).await;
    assert_eq!(done["acknowledged"], 1);
    let firing = panel.get(FIRING).await;
    assert!(firing["items"].as_array().unwrap().iter().any(|one| one["acknowledged_by"] == "admin"), "{firing}");
    sip1.silence(false);
    let (_, told) = hook.next().await;
    assert_eq!((&told["alerts"][0]["rule"], &told["alerts"][0]["resolved"]), (&json!("down"), &json!(true)));
}

#[tokio::test]
async fn it_must_hold_and_what_waits_is_shown() {
    let (panel, sip1) = with_box(Start::new()).await;
    let mut rule = too_many("calls");
    rule["hold"] = json!("1h");
    panel.send(Method::POST, ALERTS, rule, StatusCode::CREATED).await;
    sip1.set(LEVEL, 60);
    let waiting = |all: &Value| all["pending"].as_array().unwrap().len();
    let all = panel.until(FIRING, |all| waiting(all) == 1).await;
    assert_eq!((&all["pending"][0]["rule"], &all["pending"][0]["box"]), (&json!("calls"), &json!("sip1")));
    sip1.set(LEVEL, 1);
    panel.until(FIRING, |all| waiting(all) == 0).await;
    panel.send(Method::DELETE, "/cp/api/v1/alerts/calls", Value::Null, StatusCode::NO_CONTENT).await;
    assert_eq!(count(&panel.get(ALERTS).await), 0);
}

#[tokio::test]
async fn a_destination_that_fails_is_tried_again_and_shown_and_keeps_its_secret() {
    let (panel, sip1) = with_box(Start::new()).await;
    let mut broken = Receiver::answering(StatusCode::SERVICE_UNAVAILABLE).await;
    let mut refusing = Receiver::answering(StatusCode::BAD_REQUEST).await;
    webhook(&panel, "broken", &broken.url).await;
    webhook(&panel, "refusing", &refusing.url).await;
    panel.send(Method::POST, ALERTS, too_many("calls"), StatusCode::CREATED).await;
    sip1.set(LEVEL, 60);
    let (first, _) = broken.next().await;
    let (again, _) = broken.next().await;
    assert_eq!(first["idempotency-key"], again["idempotency-key"], "whoever gets it twice knows");
    refusing.next().await;
    let failed = panel.until("/cp/api/v1/destinations/refusing", |one| one["newest"]["state"] == "failed").await;
    assert!(failed["newest"]["reason"].as_str().unwrap().contains("400"), "{failed}");
    let waiting = panel.get("/cp/api/v1/destinations/broken").await;
    assert_eq!((&waiting["newest"]["state"], &waiting["has_secret"]), (&json!("waiting"), &json!(true)));
    let tested = panel.send(Method::POST, "/cp/api/v1/destinations/broken/test", Value::Null, StatusCode::OK).await;
    assert!(tested["ok"] == false && tested["reason"].as_str().unwrap().contains("503"), "{tested}");
    for path in [DESTINATIONS, "/cp/api/v1/destinations/broken", "/cp/api/v1/destinations/broken/deliveries"] {
        assert!(!panel.get(path).await.to_string().contains("s3cret"), "{path}");
    }
    // Where it would go elsewhere, the secret is asked for again.
    let elsewhere = json!({"kind": "webhook", "url": "http://127.0.0.1:1/"});
    let refused = panel.send(Method::PUT, "/cp/api/v1/destinations/broken", elsewhere, StatusCode::BAD_REQUEST).await;
    assert!(refused["detail"].as_str().unwrap().contains("secret"), "{refused}");
}

#[tokio::test]
async fn what_is_refused_says_why() {
    let (panel, _sip1) = with_box(Start::new()).await;
    panel.send(Method::POST, ALERTS, too_many("calls"), StatusCode::CREATED).await;
    for (change, status, part) in [
        (json!({}), StatusCode::CONFLICT, "exists already"),
        (json!({"name": "firing"}), StatusCode::BAD_REQUEST, "name:"),
        (json!({"name": "x", "formula": "{a:b"}), StatusCode::BAD_REQUEST, "formula: this brace is not closed"),
        (json!({"name": "x", "condition": {"kind": "above", "threshold": 1, "clear": 2}}), StatusCode::BAD_REQUEST, "condition:"),
        (json!({"name": "x", "destinations": ["nowhere"]}), StatusCode::BAD_REQUEST, "no destination"),
        (json!({"name": "x", "hold": "soon"}), StatusCode::BAD_REQUEST, "hold:"),
    ] {
        let mut rule = too_many("calls");
        change.as_object().unwrap().iter().for_each(|(key, value)| rule[key] = value.clone());
        let problem = panel.send(Method::POST, ALERTS, rule, status).await;
        assert!(problem["detail"].as_str().unwrap().contains(part), "{problem}");
    }
    panel.send(Method::GET, "/cp/api/v1/alerts/none", Value::Null, StatusCode::NOT_FOUND).await;
    for destination in [
        json!({"name": "x", "kind": "webhook", "url": "file:///etc/passwd"}),
        json!({"name": "x", "kind": "slack"}),
        json!({"name": "x", "kind": "mail", "server": "mail.example", "from": "nobody", "to": "a@b.example"}),
        json!({"name": "x", "kind": "mail", "server": "mail.example", "tls": "none", "user": "u", "from": "a@b.example", "to": "a@b.example"}),
    ] {
        panel.send(Method::POST, DESTINATIONS, destination, StatusCode::BAD_REQUEST).await;
    }
}

#[tokio::test]
async fn a_week_that_was_recorded_says_when_it_would_have_fired() {
    let (panel, sip1) = with_box(Start::new()).await;
    panel.send(Method::PUT, &format!("/cp/api/v1/boxes/sip1/ticks/{LEVEL}"), Value::Null, StatusCode::NO_CONTENT).await;
    sip1.set(LEVEL, 70);
    let series = format!("/cp/api/v1/series?box=sip1&name={LEVEL}&span=1h&mode=value");
    panel.until(&series, |series| series["columns"]["max"].as_array().unwrap().iter().any(|max| *max == 70)).await;
    let mut rule = too_many("x");
    rule.as_object_mut().unwrap().remove("name");
    let ask = json!({"box": "sip1", "rule": rule});
    let would = panel.send(Method::POST, "/cp/api/v1/alerts/preview", ask, StatusCode::OK).await;
    assert_eq!((count(&would), &would["items"][0]["value"]), (1, &json!(70.0)), "{would}");
}

#[tokio::test]
async fn of_two_panels_one_tells() {
    let (first, sip1) = with_box(Start::new()).await;
    if first.database().on_server().is_none() {
        return;
    }
    let second = first.beside().await;
    let mut hook = Receiver::start().await;
    webhook(&first, "ops", &hook.url).await;
    first.send(Method::POST, ALERTS, too_many("calls"), StatusCode::CREATED).await;
    second.until(ALERTS, |all| count(all) == 1).await;
    sip1.set(LEVEL, 60);
    let (_, told) = hook.next().await;
    assert_eq!(told["alerts"][0]["resolved"], false);
    for panel in [&first, &second] {
        panel.until(FIRING, |all| count(all) == 1).await;
    }
    sip1.set(LEVEL, 1);
    let (_, told) = hook.next().await;
    assert_eq!(told["alerts"][0]["resolved"], true, "and nothing came twice between");
    first.until(FIRING, |all| count(all) == 0).await;
    assert!(tokio::time::timeout(Duration::from_millis(1), hook.taken.recv()).await.is_err());
}

#[tokio::test]
async fn the_page_writes_rules_tells_what_fires_and_takes_ready_made_ones() {
    let (panel, sip1) = with_box(Start::new()).await;
    let hook = Receiver::start().await;
    let told =
        panel.form("/cp/alerts", &[("do", "tell"), ("name", "ops"), ("kind", "webhook"), ("url", &hook.url), ("secret", "s3cret")]).await;
    assert_eq!(told.status(), StatusCode::SEE_OTHER);
    let tested = panel.form("/cp/alerts", &[("do", "test"), ("name", "ops")]).await;
    assert!(tested.headers()["set-cookie"].to_str().unwrap().contains("took"));
    let formula = format!("{{{LEVEL}}}");
    let fields =
        [("name", "calls"), ("formula", formula.as_str()), ("condition", "above"), ("bound", "50"), ("boxes", "sip1"), ("box", "sip1")];
    let wrong = panel.form("/cp/alerts", &[&fields[..], &[("do", "save"), ("hold", "soon")]].concat()).await;
    assert_eq!(wrong.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.text().await.unwrap().contains("30s, 5m or 4h"));
    let previewed = panel.form("/cp/alerts", &[&fields[..], &[("do", "preview")]].concat()).await;
    assert!(previewed.text().await.unwrap().contains("Nothing can be said of the last week"));
    let saved = panel.form("/cp/alerts", &[&fields[..], &[("do", "save")]].concat()).await;
    assert_eq!(saved.status(), StatusCode::SEE_OTHER);
    sip1.set(LEVEL, 60);
    panel.until(FIRING, |all| count(all) == 1).await;
    for page in ["/cp/alerts", "/cp", "/cp/boxes"] {
        let text = panel.until_text(page, |text| text.contains("class=\"badge\"")).await;
        assert!(!text.contains("s3cret"), "{page}");
    }
    let silenced = panel.form("/cp/alerts", &[("do", "silence"), ("name", "calls"), ("box", "sip1")]).await;
    assert_eq!(silenced.status(), StatusCode::SEE_OTHER);
    assert_eq!(panel.get(FIRING).await["items"][0]["silenced"], true);
    panel.form("/cp/alerts", &[("do", "ready"), ("box", "sip1")]).await;
    let names: Vec<String> =
        panel.get(ALERTS).await["items"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect();
    assert!(names.contains(&"shm_low".to_owned()) && names.contains(&"box_silent".to_owned()), "{names:?}");
    let edited = panel.ask(Method::GET, "/cp/alerts?edit=registrations_drop", None).await.text().await.unwrap();
    assert!(edited.contains("Change registrations_drop") && edited.contains("compared_below"));
}
