//! Every kind of destination, against a program that notes what comes: the bytes are as the public documents of each ask for them.

use axum::http::Method as Asked;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    fake_box::FakeBox,
    receiver::{Came, Receiver},
    support::{Start, TestPanel},
};

const ALERTS: &str = "/cp/api/v1/alerts";
const DESTINATIONS: &str = "/cp/api/v1/destinations";
const LEVEL: &str = "dialog:active_dialogs";
const LINK: &str = "https://panel.example.org/cp/boxes/sip1/dialog:active_dialogs";
const SAYS: &str = "51 calls <on> sip1 & more";
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";
/// What the picture shows.
const SHOWN: &str = "dialog:active_dialogs of sip1";

/// A panel with a box whose level is recorded, a rule that it breaks at 51, and one destination.
async fn panel(destination: Value) -> (TestPanel, FakeBox) {
    let panel = Start::new().with_file("public_url = 'https://panel.example.org'").signed_in().await;
    let sip1 = FakeBox::start(&[(LEVEL, 3)]).await;
    panel.add_box("sip1", &sip1.url()).await;
    panel.until("/cp/api/v1/boxes/sip1", |one| one["state"] == "up").await;
    panel.send(Method::PUT, &format!("/cp/api/v1/boxes/sip1/ticks/{LEVEL}"), Value::Null, StatusCode::NO_CONTENT).await;
    let mut named = destination;
    named["name"] = json!("ops");
    panel.send(Method::POST, DESTINATIONS, named, StatusCode::CREATED).await;
    let rule = json!({"name": "calls", "formula": format!("{{{LEVEL}}}"), "condition": {"kind": "above", "threshold": 50},
        "severity": "critical", "text": "{value} calls <on> {box} & more", "boxes": {"names": ["sip1"]}});
    panel.send(Method::POST, ALERTS, rule, StatusCode::CREATED).await;
    (panel, sip1)
}

/// What comes when it fires, and when it is over.
async fn both(destination: Value, receiver: &mut Receiver) -> (Came, Came) {
    let (panel, sip1) = panel(destination).await;
    sip1.set(LEVEL, 51);
    let fires = receiver.next().await;
    sip1.set(LEVEL, 4);
    let is_over = receiver.next().await;
    for came in [&fires, &is_over] {
        assert_eq!(came.method, Asked::POST);
        assert!(came.header("user-agent").starts_with("tickmark/"), "{}", came.header("user-agent"));
    }
    let arrived = |log: &Value| log["items"].as_array().unwrap().iter().all(|one| one["state"] == "delivered");
    let log = panel.until(&format!("{DESTINATIONS}/ops/deliveries"), arrived).await;
    assert_eq!(log["items"].as_array().unwrap().len(), 2);
    (fires, is_over)
}

/// The address of the picture of an alert, as the panel signs it.
#[track_caller]
fn picture(address: &Value) -> Value {
    let text = address.as_str().unwrap();
    let (file, query) = text.strip_prefix("https://panel.example.org/cp/alerts/picture/").unwrap().split_once('?').unwrap();
    assert!(file.strip_suffix(".png").unwrap().parse::<i64>().is_ok(), "{text}");
    let names: Vec<&str> = query.split('&').map(|pair| pair.split_once('=').unwrap().0).collect();
    assert_eq!(names, ["name", "to", "until", "sig"], "{text}");
    assert!(query.starts_with(&format!("name={LEVEL}&")) && text.len() < 300, "{text}");
    address.clone()
}

#[tokio::test]
async fn a_webhook_is_told_all_of_it() {
    let mut receiver = Receiver::start().await;
    let (fires, is_over) = both(json!({"kind": "webhook", "url": receiver.url("hook?a=b")}), &mut receiver).await;
    assert_eq!(fires.path, "/hook?a=b");
    assert_ne!(fires.header("idempotency-key"), is_over.header("idempotency-key"));
    assert_eq!(fires.header("x-tickmark-signature"), "", "without a secret nothing is signed");
    let (first, last) = (fires.json(), is_over.json());
    assert_eq!(first["panel"], "https://panel.example.org/cp");
    let alert = &first["alerts"][0];
    for (key, value) in [
        ("rule", json!("calls")),
        ("box", json!("sip1")),
        ("severity", json!("critical")),
        ("resolved", json!(false)),
        ("value", json!(51.0)),
        ("text", json!(SAYS)),
        ("ended", Value::Null),
        ("link", json!(LINK)),
        ("chart", json!(LEVEL)),
        ("picture", picture(&alert["picture"])),
        ("again", json!(false)),
    ] {
        assert_eq!(alert[key], value, "{alert}");
    }
    assert_ne!(picture(&last["alerts"][0]["picture"]), alert["picture"], "it shows the end as well");
    assert_eq!((&last["alerts"][0]["resolved"], &last["alerts"][0]["id"]), (&json!(true), &alert["id"]));
    assert!(last["alerts"][0]["ended"].as_i64() > alert["fired"].as_i64());
}

/// Slack and Mattermost take the same: text with `&`, `<` and `>` escaped, links as `<address|words>`, and a colour.
#[tokio::test]
async fn slack_and_mattermost_are_told_in_their_markup() {
    for kind in ["slack", "mattermost"] {
        let mut receiver = Receiver::start().await;
        let (fires, is_over) = both(json!({"kind": kind, "secret": receiver.url("services/T0/B0/x")}), &mut receiver).await;
        assert_eq!(fires.path, "/services/T0/B0/x");
        let title = "[critical] firing: 51 calls &lt;on&gt; sip1 &amp; more";
        let text = format!("{title} <{LINK}|open>\n");
        let fires = fires.json();
        let picture = picture(&fires["attachments"][0]["image_url"]);
        let attachment = json!({"color": "#c62828", "text": text, "fallback": title, "image_url": picture});
        assert_eq!(fires, json!({"text": title, "attachments": [attachment]}));
        assert_eq!(is_over.json()["attachments"][0]["color"], "#2e7d32");
        assert!(is_over.json()["text"].as_str().unwrap().starts_with("[critical] resolved: "));
    }
}

/// A workflow of Teams takes a message with one adaptive card.
#[tokio::test]
async fn teams_is_told_by_a_card() {
    let mut receiver = Receiver::start().await;
    let (fires, _) = both(json!({"kind": "teams", "secret": receiver.url("workflows/x?sig=y")}), &mut receiver).await;
    assert_eq!(fires.path, "/workflows/x?sig=y");
    let line = format!("[critical] firing: {SAYS}");
    let fires = fires.json();
    let image = picture(&fires["attachments"][0]["content"]["body"][1]["url"]);
    let content = json!({
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard", "version": "1.4",
        "msteams": {"width": "Full"},
        "body": [
            {"type": "TextBlock", "weight": "bolder", "wrap": true, "text": line},
            {"type": "Image", "url": image, "altText": SHOWN, "msteams": {"allowExpand": true}},
        ],
        "actions": [{"type": "Action.OpenUrl", "title": "Open", "url": LINK}],
    });
    let attachment = json!({"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": null, "content": content});
    assert_eq!(fires, json!({"type": "message", "attachments": [attachment]}));
}

/// The Bot API's `sendPhoto` by a form in parts, and `sendMessage` by JSON where there is no picture.
#[tokio::test]
async fn telegram_is_sent_the_picture_with_words() {
    let mut receiver = Receiver::start().await;
    let telegram = json!({"kind": "telegram", "url": receiver.url(""), "secret": "123:abc", "to": "-1001"});
    let (panel, sip1) = panel(telegram).await;
    let tested = panel.send(Method::POST, &format!("{DESTINATIONS}/ops/test"), Value::Null, StatusCode::OK).await;
    assert_eq!(tested["ok"], true, "{tested}");
    let came = receiver.next().await;
    assert_eq!((came.method, came.path.as_str()), (Asked::POST, "/bot123:abc/sendMessage"));
    let body: Value = serde_json::from_slice(&came.body).unwrap();
    assert_eq!((&body["chat_id"], &body["link_preview_options"]), (&json!("-1001"), &json!({"is_disabled": true})));
    assert!(body["text"].as_str().unwrap().starts_with("[info] firing: This is a test"), "{body}");
    sip1.set(LEVEL, 51);
    let came = receiver.next().await;
    assert_eq!(came.path, "/bot123:abc/sendPhoto");
    let boundary = came.header("content-type").strip_prefix("multipart/form-data; boundary=").unwrap().to_owned();
    let parts = parts_of(&came.body, &boundary);
    assert_eq!(parts[0], ("Content-Disposition: form-data; name=\"chat_id\"".to_owned(), b"-1001".to_vec()));
    let caption = format!("[critical] firing: {SAYS}\n{LINK}\n");
    assert_eq!(parts[1], ("Content-Disposition: form-data; name=\"caption\"".to_owned(), caption.into_bytes()));
    assert!(parts[2].0.starts_with("Content-Disposition: form-data; name=\"photo\"; filename=\"chart.png\""), "{}", parts[2].0);
    assert!(parts[2].0.ends_with("Content-Type: image/png") && parts[2].1.starts_with(PNG));
    assert_eq!(parts.len(), 3);
}

/// The parts of a form, as RFC 7578 has it: head and content.
fn parts_of(body: &[u8], boundary: &str) -> Vec<(String, Vec<u8>)> {
    let split = |bytes: &[u8], by: &[u8]| -> Option<(Vec<u8>, Vec<u8>)> {
        let at = bytes.windows(by.len()).position(|window| window == by)?;
        Some((bytes[..at].to_vec(), bytes[at + by.len()..].to_vec()))
    };
    let (mut parts, mut rest) = (Vec::new(), split(body, format!("--{boundary}\r\n").as_bytes()).unwrap().1);
    loop {
        let (part, after) = split(&rest, format!("\r\n--{boundary}").as_bytes()).unwrap();
        let (head, content) = split(&part, b"\r\n\r\n").unwrap();
        parts.push((String::from_utf8(head).unwrap(), content));
        if after == b"--\r\n" {
            return parts;
        }
        rest = after.strip_prefix(b"\r\n").unwrap().to_vec();
    }
}

/// The picture is the body, and the words are headers, encoded as RFC 2047 says.
#[tokio::test]
async fn ntfy_is_sent_the_picture_with_words_in_headers() {
    let mut receiver = Receiver::start().await;
    let ntfy = json!({"kind": "ntfy", "url": receiver.url("calls"), "secret": "tk_abc"});
    let (fires, is_over) = both(ntfy, &mut receiver).await;
    assert_eq!((fires.path.as_str(), fires.header("authorization")), ("/calls", "Bearer tk_abc"));
    assert_eq!((fires.header("priority"), fires.header("click"), fires.header("filename")), ("5", LINK, "chart.png"));
    let word = |text: &str| {
        use base64::{Engine, engine::general_purpose::STANDARD};
        let inner = text.strip_prefix("=?UTF-8?B?").and_then(|text| text.strip_suffix("?=")).unwrap();
        String::from_utf8(STANDARD.decode(inner).unwrap()).unwrap()
    };
    assert_eq!(word(fires.header("title")), format!("[critical] firing: {SAYS}"));
    assert_eq!(word(fires.header("message")), format!("[critical] firing: {SAYS}\n{LINK}\n"));
    assert!(fires.body.starts_with(PNG));
    assert!(word(is_over.header("title")).starts_with("[critical] resolved: "));
}

/// Events API v2: one event begins an incident, and another with the same key resolves it.
#[tokio::test]
async fn pagerduty_is_told_by_events_of_one_key() {
    let mut receiver = Receiver::start().await;
    let pagerduty = json!({"kind": "pagerduty", "url": receiver.url("v2/enqueue"), "secret": "R0UTE"});
    let (fires, is_over) = both(pagerduty, &mut receiver).await;
    assert_eq!(fires.path, "/v2/enqueue");
    let (fires, is_over) = (fires.json(), is_over.json());
    assert_eq!(
        (&fires["routing_key"], &fires["event_action"], &is_over["event_action"]),
        (&json!("R0UTE"), &json!("trigger"), &json!("resolve"))
    );
    let key = fires["dedup_key"].as_str().unwrap();
    assert!(key.len() <= 255 && is_over["dedup_key"] == key, "{key}");
    assert_eq!(fires["links"], json!([{"href": LINK, "text": "Tickmark"}]));
    assert_eq!(fires["images"], json!([{"src": picture(&fires["images"][0]["src"]), "href": LINK, "alt": LEVEL}]));
    let payload = &fires["payload"];
    for (field, value) in [
        ("summary", json!(SAYS)),
        ("source", json!("sip1")),
        ("severity", json!("critical")),
        ("component", json!("calls")),
        ("custom_details", json!({"value": 51.0})),
    ] {
        assert_eq!(payload[field], value, "{payload}");
    }
    assert!(chrono::DateTime::parse_from_rfc3339(payload["timestamp"].as_str().unwrap()).is_ok());
}

/// API v2: a list of alerts, known by their labels.
#[tokio::test]
async fn alertmanager_is_told_by_its_list() {
    let mut receiver = Receiver::start().await;
    let (fires, is_over) = both(json!({"kind": "alertmanager", "url": receiver.url("")}), &mut receiver).await;
    assert_eq!(fires.path, "/api/v2/alerts");
    let (fires, is_over) = (fires.json(), is_over.json());
    let labels = json!({"alertname": "calls", "instance": "sip1", "severity": "critical", "job": "tickmark"});
    assert_eq!((&fires[0]["labels"], &is_over[0]["labels"]), (&labels, &labels));
    let image = picture(&fires[0]["annotations"]["image"]);
    assert_eq!(fires[0]["annotations"], json!({"summary": SAYS, "value": "51", "image": image}));
    assert_eq!(fires[0]["generatorURL"], LINK);
    let time = |of: &Value, name: &str| chrono::DateTime::parse_from_rfc3339(of[0][name].as_str().unwrap()).unwrap();
    assert_eq!(time(&fires, "startsAt"), time(&is_over, "startsAt"));
    // It goes on until it is told that it does not.
    assert!(time(&fires, "endsAt") > time(&fires, "startsAt") + chrono::Duration::days(1));
    assert!(time(&is_over, "endsAt") > time(&is_over, "startsAt") && time(&is_over, "endsAt") <= chrono::Utc::now());
    assert_eq!(fires.as_array().unwrap().len(), 1);
}

/// What is too much now is tried again, with what waits behind it; what is wrong is given up. Both are shown.
#[tokio::test]
async fn what_is_refused_is_tried_again_or_given_up_and_shown() {
    let mut receiver = Receiver::answering(&[429, 200, 400]).await;
    let (panel, sip1) = panel(json!({"kind": "slack", "secret": receiver.url("services/x")})).await;
    sip1.set(LEVEL, 51);
    let (first, again) = (receiver.next().await, receiver.next().await);
    assert_eq!(first.body, again.body);
    let deliveries = format!("{DESTINATIONS}/ops/deliveries");
    let log = panel.until(&deliveries, |log| log["items"][0]["state"] == "delivered").await;
    assert_eq!((&log["items"][0]["tries"], &log["items"][0]["reason"]), (&json!(1), &Value::Null));
    sip1.set(LEVEL, 4);
    receiver.next().await;
    let log = panel.until(&deliveries, |log| log["items"][0]["state"] == "failed").await;
    assert!(log["items"][0]["reason"].as_str().unwrap().contains("400 Bad Request: not now"), "{log}");
    let page = panel.until_text("/cp/alerts", |text| text.contains("given up: it answered 400")).await;
    // The address is the secret.
    assert!(!page.contains("services/x") && !log.to_string().contains("services/x"));
}

/// Where nobody listens, the page says so, and that it is tried again.
#[tokio::test]
async fn where_nobody_listens_it_is_shown_and_tried_again() {
    let gone = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = gone.local_addr().unwrap();
    drop(gone);
    let (panel, sip1) = panel(json!({"kind": "teams", "secret": format!("http://{address}/secret")})).await;
    sip1.set(LEVEL, 51);
    let tried = |one: &Value| one["newest"]["tries"].as_i64() > Some(0);
    let shown = panel.until(&format!("{DESTINATIONS}/ops"), tried).await;
    assert_eq!(
        (&shown["newest"]["state"], &shown["failing"]["id"], &shown["waiting"]),
        (&json!("waiting"), &shown["newest"]["id"], &json!(1))
    );
    assert!(shown["newest"]["due"].as_i64() > shown["newest"]["made"].as_i64());
    let page = panel.until_text("/cp/alerts", |text| text.contains("fails: tried")).await;
    assert!(page.contains("Connection refused") && !page.contains("/secret"));
}

/// By its policy, what comes within a time is one message, and each part of it is in the log.
#[tokio::test]
async fn what_comes_within_a_time_is_told_together() {
    let mut receiver = Receiver::answering(&[503]).await;
    let destination = json!({"kind": "webhook", "url": receiver.url("hook"), "together": "5s"});
    let (panel, sip1) = panel(destination).await;
    let second =
        json!({"name": "later", "formula": format!("{{{LEVEL}}}"), "condition": {"kind": "above", "threshold": 50}, "hold": "500ms"});
    panel.send(Method::POST, ALERTS, second, StatusCode::CREATED).await;
    sip1.set(LEVEL, 51);
    let (refused, taken) = (receiver.next().await, receiver.next().await);
    assert_eq!(refused.header("idempotency-key"), taken.header("idempotency-key"));
    let rules: Vec<Value> = taken.json()["alerts"].as_array().unwrap().iter().map(|alert| alert["rule"].clone()).collect();
    assert_eq!(rules, [json!("calls"), json!("later")]);
    let arrived = |log: &Value| log["items"].as_array().unwrap().iter().all(|one| one["state"] == "delivered" && one["tries"] == 1);
    let log = panel.until(&format!("{DESTINATIONS}/ops/deliveries"), arrived).await;
    assert_eq!(log["items"].as_array().unwrap().len(), 2);
    let wrong = json!({"name": "x", "kind": "webhook", "url": receiver.url(""), "together": "2h"});
    let refused = panel.send(Method::POST, DESTINATIONS, wrong, StatusCode::BAD_REQUEST).await;
    assert!(refused["detail"].as_str().unwrap().contains("no time of at most 1h"), "{refused}");
}
