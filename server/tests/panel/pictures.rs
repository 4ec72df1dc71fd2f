//! Pictures of alerts by their signed addresses: shown to whoever has one, and to nobody else.

use reqwest::{Method, Response, StatusCode, header};
use serde_json::{Value, json};
use server::{
    alerts::{Message, Pictures, Told},
    store::Store,
};

use crate::{
    fake_box::FakeBox,
    receiver::Receiver,
    support::{Start, TestPanel},
};

const ALERTS: &str = "/cp/api/v1/alerts";
const DESTINATIONS: &str = "/cp/api/v1/destinations";
const LEVEL: &str = "dialog:active_dialogs";
const PUBLIC: &str = "https://panel.example.org";
const WEEK_MS: i64 = 7 * 24 * 3_600_000;

/// A panel with a box that has this statistic, which is recorded, a rule that 51 of it breaks, and a webhook.
async fn panel(start: Start, name: &str, receiver: &Receiver) -> (TestPanel, FakeBox) {
    let panel = start.signed_in().await;
    let sip1 = FakeBox::start(&[(name, 3)]).await;
    panel.add_box("sip1", &sip1.url()).await;
    panel.until("/cp/api/v1/boxes/sip1", |one| one["state"] == "up").await;
    panel.send(Method::PUT, &app::links::tick("sip1", name), Value::Null, StatusCode::NO_CONTENT).await;
    let webhook = json!({"name": "ops", "kind": "webhook", "url": receiver.url("hook")});
    panel.send(Method::POST, DESTINATIONS, webhook, StatusCode::CREATED).await;
    let plain = |letter: char| letter.is_ascii_alphanumeric() || letter == ':';
    let escaped: String = name.chars().flat_map(|letter| [(!plain(letter)).then_some('\\'), Some(letter)]).flatten().collect();
    let rule = json!({"name": "calls", "formula": format!("{{{escaped}}}"), "condition": {"kind": "above", "threshold": 50},
        "boxes": {"names": ["sip1"]}});
    panel.send(Method::POST, ALERTS, rule, StatusCode::CREATED).await;
    (panel, sip1)
}

fn public() -> Start {
    Start::new().with_file(&format!("public_url = '{PUBLIC}'"))
}

/// The path of an address.
fn path(address: &str) -> &str {
    address.strip_prefix(PUBLIC).unwrap()
}

/// What somebody without an account is answered.
async fn ask(panel: &TestPanel, method: Method, path: &str) -> Response {
    TestPanel::client().request(method, panel.url(path)).send().await.unwrap()
}

/// It is a picture, and nothing else comes with it.
async fn is_shown(answer: Response) {
    assert_eq!(answer.status(), StatusCode::OK);
    let headers = answer.headers().clone();
    let text = |name: header::HeaderName| headers.get(name).map_or("", |value| value.to_str().unwrap());
    assert_eq!((text(header::CONTENT_TYPE), text(header::X_CONTENT_TYPE_OPTIONS)), ("image/png", "nosniff"));
    assert_eq!(text(header::CACHE_CONTROL), "private, max-age=3600");
    assert_eq!(text(header::SET_COOKIE), "");
    assert!(answer.bytes().await.unwrap().starts_with(b"\x89PNG\r\n\x1a\n"));
}

/// It is a sentence for tools.
async fn is_refused(answer: Response, status: StatusCode, says: &str) {
    assert_eq!(answer.status(), status, "{}", answer.url());
    assert_eq!(answer.headers()[header::CONTENT_TYPE], "application/problem+json");
    assert_eq!(answer.headers()[header::CACHE_CONTROL], "no-store");
    let problem: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    assert!(problem["detail"].as_str().unwrap().contains(says), "{problem}");
}

/// An address of this panel for the picture of an alert as it was told at an instant.
async fn made(panel: &TestPanel, event_id: i64, name: &str, at_ms: i64) -> String {
    let store = Store::open(&panel.database().url()).await.unwrap();
    let pictures = Pictures::open(&store, Some(format!("{PUBLIC}/cp"))).await.unwrap();
    store.close().await;
    let told = Told { id: event_id, chart: Some(name.to_owned()), ..Message::test("", 0).alerts.remove(0) };
    pictures.address(&told, at_ms).unwrap()
}

#[tokio::test]
async fn a_picture_is_shown_to_whoever_has_its_address() {
    let mut receiver = Receiver::start().await;
    let (panel, sip1) = panel(public(), LEVEL, &receiver).await;
    sip1.set(LEVEL, 51);
    let fires = receiver.next().await.json();
    let address = fires["alerts"][0]["picture"].as_str().unwrap();
    is_shown(ask(&panel, Method::GET, path(address)).await).await;
    assert_eq!(ask(&panel, Method::HEAD, path(address)).await.status(), StatusCode::OK);
    // It is for reading alone, and not for what lies around it.
    assert_eq!(ask(&panel, Method::POST, path(address)).await.status(), StatusCode::SEE_OTHER);
    assert_eq!(ask(&panel, Method::GET, "/cp/alerts/picture").await.status(), StatusCode::SEE_OTHER);
    let event_id = fires["alerts"][0]["id"].as_i64().unwrap();
    let now_ms = fires["alerts"][0]["fired"].as_i64().unwrap();
    // The box may be called otherwise by then.
    panel.send(Method::PATCH, "/cp/api/v1/boxes/sip1", json!({"name": "sip9"}), StatusCode::OK).await;
    is_shown(ask(&panel, Method::GET, path(&made(&panel, event_id, LEVEL, now_ms - 1).await)).await).await;
    let gone = made(&panel, event_id, "dialog:gone", now_ms).await;
    is_refused(ask(&panel, Method::GET, path(&gone)).await, StatusCode::NOT_FOUND, "dialog:gone").await;
    panel.send(Method::DELETE, "/cp/api/v1/boxes/sip9", Value::Null, StatusCode::NO_CONTENT).await;
    let removed = made(&panel, event_id, LEVEL, now_ms - 2).await;
    is_refused(ask(&panel, Method::GET, path(&removed)).await, StatusCode::NOT_FOUND, "was removed").await;
}

#[tokio::test]
async fn another_address_and_one_whose_time_is_over_show_nothing() {
    let mut receiver = Receiver::start().await;
    let (panel, sip1) = panel(public(), LEVEL, &receiver).await;
    sip1.set(LEVEL, 51);
    let fires = receiver.next().await.json();
    let right = path(fires["alerts"][0]["picture"].as_str().unwrap()).to_owned();
    let (event_id, fired_ms) = (fires["alerts"][0]["id"].as_i64().unwrap(), fires["alerts"][0]["fired"].as_i64().unwrap());
    let until = right.split_once("until=").unwrap().1.split('&').next().unwrap();
    let later = (until.parse::<i64>().unwrap() + 1).to_string();
    let unsigned = right.split_once("&sig=").unwrap().0;
    let others = [
        right.replace(&format!("/{event_id}.png"), &format!("/{}.png", event_id + 1)),
        right.replace(".png", ".svg"),
        right.replace(".png", ""),
        right.replace(LEVEL, "core:rcv_requests"),
        right.replace(until, &later),
        right.replace("&to=", "&to=1"),
        unsigned.to_owned(),
        format!("{unsigned}&sig="),
        format!("{unsigned}&sig={}", "A".repeat(43)),
        format!("{right}A"),
        right.to_lowercase(),
        "/cp/alerts/picture/1.png".to_owned(),
        "/cp/alerts/picture/..%2f..%2fusers.png".to_owned(),
    ];
    for other in others {
        is_refused(ask(&panel, Method::GET, &other).await, StatusCode::NOT_FOUND, "").await;
    }
    let over = made(&panel, event_id, LEVEL, fired_ms - WEEK_MS).await;
    is_refused(ask(&panel, Method::GET, path(&over)).await, StatusCode::GONE, "for a week").await;
    // Signed, but of nothing that there was.
    let nobodys = made(&panel, event_id + 1_000, LEVEL, fired_ms).await;
    is_refused(ask(&panel, Method::GET, path(&nobodys)).await, StatusCode::NOT_FOUND, "").await;
}

/// Nobody outside would find it: nothing is said of it but on the page.
#[tokio::test]
async fn without_an_address_for_everybody_no_picture_has_one() {
    let mut receiver = Receiver::start().await;
    let (panel, sip1) = panel(Start::new(), LEVEL, &receiver).await;
    let slack = json!({"name": "chat", "kind": "slack", "secret": receiver.url("slack")});
    panel.send(Method::POST, DESTINATIONS, slack, StatusCode::CREATED).await;
    sip1.set(LEVEL, 51);
    for _ in 0..2 {
        let came = receiver.next().await;
        let body = came.json();
        match came.path.as_str() {
            "/hook" => assert_eq!((&body["alerts"][0]["picture"], &body["alerts"][0]["chart"]), (&Value::Null, &json!(LEVEL))),
            _ => assert_eq!(body["attachments"][0].get("image_url"), None),
        }
    }
    let says = "They are told without it, as this panel has no";
    assert!(panel.until_text("/cp/alerts", |text| text.contains("id=\"destinations\"")).await.contains(says));
    let with = public().signed_in().await;
    with.send(Method::POST, DESTINATIONS, json!({"name": "x", "kind": "slack", "secret": "http://127.0.0.1:9/"}), StatusCode::CREATED)
        .await;
    assert!(!with.until_text("/cp/alerts", |text| text.contains("id=\"destinations\"")).await.contains(says));
}

#[tokio::test]
async fn names_that_hurt_are_in_the_address_as_themselves() {
    for name in [
        "script:<script>alert(1)</script>",
        "script:\"' onmouseover='alert(1)' x=\"",
        "script:a/../../b?c#d&sig=x&to=0",
        "script:%3Cb%3E%00%0d%0a",
        "script:cr\rlf\ncrlf\r\nend",
        "script:\u{202e}gnp.exe\u{2066}é",
    ] {
        let mut receiver = Receiver::start().await;
        let (panel, sip1) = panel(public(), name, &receiver).await;
        sip1.set(name, 51);
        let fires = receiver.next().await.json();
        assert_eq!(fires["alerts"][0]["chart"], name);
        let address = fires["alerts"][0]["picture"].as_str().unwrap();
        assert!(address.bytes().all(|byte| byte.is_ascii_graphic() && !b"<>\"'\\".contains(&byte)), "{address}");
        is_shown(ask(&panel, Method::GET, path(address)).await).await;
    }
}

/// Receivers would refuse the whole message.
#[tokio::test]
async fn a_name_that_no_address_holds_goes_without_a_picture() {
    let name = format!("long:{}", "x".repeat(3_000));
    let mut receiver = Receiver::start().await;
    let (_panel, sip1) = panel(public(), &name, &receiver).await;
    sip1.set(&name, 51);
    let fires = receiver.next().await.json();
    assert_eq!((&fires["alerts"][0]["picture"], &fires["alerts"][0]["chart"]), (&Value::Null, &json!(name)));
}

/// Each has a key file of its own; what signs is in the database.
#[tokio::test]
async fn every_panel_of_a_database_shows_the_pictures_of_all() {
    let mut receiver = Receiver::start().await;
    let start = public();
    let (first, sip1) = panel(start, LEVEL, &receiver).await;
    if first.database().on_server().is_none() {
        return;
    }
    let second = first.beside().await;
    sip1.set(LEVEL, 51);
    let fires = receiver.next().await.json();
    // Whichever of them sent it: the second has no address for everybody, and makes none.
    let (event_id, fired_ms) = (fires["alerts"][0]["id"].as_i64().unwrap(), fires["alerts"][0]["fired"].as_i64().unwrap());
    let address = made(&first, event_id, LEVEL, fired_ms).await;
    for panel in [&first, &second] {
        is_shown(ask(panel, Method::GET, path(&address)).await).await;
    }
}
