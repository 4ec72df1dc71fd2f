//! `/cp/api/v1/boxes` and the page Boxes.

use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::{
    fake_box::FakeBox,
    support::{Start, TestPanel},
};

#[tokio::test]
async fn the_built_in_box_shows_moving_numbers_at_once() {
    let panel = Start::new().signed_in().await;
    let path = "/cp/api/v1/boxes/tickmark/statistics?match=panel:,host:";
    let value = panel.until(path, |value| value["statistics"].as_array().unwrap().len() > 10).await;
    let names: Vec<&str> = value["statistics"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert!(names.contains(&"host:memory_used") && names.contains(&"panel:requests"), "{names:?}");
    assert!(value["at"].is_i64() && value["age_ms"].is_i64());
    let requests = |value: &serde_json::Value| {
        value["statistics"].as_array().unwrap().iter().find(|one| one["name"] == "panel:requests").unwrap()["value"].as_i64().unwrap()
    };
    let first = requests(&value);
    panel.until(path, |value| requests(value) > first).await;
}

#[tokio::test]
async fn a_box_is_added_asked_changed_paused_and_removed() {
    let panel = Start::new().signed_in().await;
    let sip1 = FakeBox::start(&[("core:rcv_requests", 5), ("core:timestamp", 81)]).await;
    let body = json!({"name": "sip1", "address": sip1.url(), "interval": "200ms", "labels": {"site": "fra"}, "user": "op", "password": "secret word"});
    let added = panel.send(Method::POST, "/cp/api/v1/boxes", body.clone(), StatusCode::CREATED).await;
    assert_eq!((added["kind"].as_str(), added["has_password"].as_bool()), (Some("opensips"), Some(true)));
    assert!(!added.to_string().contains("secret word"));
    let up = panel.until("/cp/api/v1/boxes/sip1", |one| one["state"] == "up" && one["server"].is_string()).await;
    assert_eq!((up["server"].as_str(), up["statistics"].as_i64()), (Some("OpenSIPS 4.0.1"), Some(2)));
    panel.send(Method::POST, "/cp/api/v1/boxes", body, StatusCode::CONFLICT).await;

    let changed = panel.send(Method::PATCH, "/cp/api/v1/boxes/sip1", json!({"interval": "1s", "paused": true}), StatusCode::OK).await;
    assert_eq!((changed["interval"].as_str(), changed["state"].as_str()), (Some("1s"), Some("paused")));
    let paused = panel.send(Method::POST, "/cp/api/v1/boxes/sip1/refresh", json!(null), StatusCode::CONFLICT).await;
    assert_eq!(paused["detail"], "sip1 is paused: resume it to ask it");
    panel.send(Method::PATCH, "/cp/api/v1/boxes/sip1", json!({"paused": false}), StatusCode::OK).await;
    panel.send(Method::POST, "/cp/api/v1/boxes/sip1/refresh", json!(null), StatusCode::OK).await;

    let wrong = panel.send(Method::DELETE, "/cp/api/v1/boxes/sip1?history=yes", json!(null), StatusCode::BAD_REQUEST).await;
    assert!(wrong["detail"].as_str().unwrap().contains("keep and delete"));
    panel.send(Method::DELETE, "/cp/api/v1/boxes/sip1?history=keep", json!(null), StatusCode::NO_CONTENT).await;
    panel.send(Method::GET, "/cp/api/v1/boxes/sip1", json!(null), StatusCode::NOT_FOUND).await;
    panel.send(Method::DELETE, "/cp/api/v1/boxes/tickmark?history=keep", json!(null), StatusCode::FORBIDDEN).await;
}

#[tokio::test]
async fn a_removed_box_keeps_its_history_unless_it_is_said_otherwise() {
    let panel = Start::new().signed_in().await;
    let sip1 = FakeBox::start(&[("core:rcv_requests", 5)]).await;
    for query in ["?history=delete", ""] {
        panel.add_box("sip1", &sip1.url()).await;
        panel.until("/cp/api/v1/boxes/sip1", |one| one["state"] == "up").await;
        panel.send(Method::PUT, "/cp/api/v1/boxes/sip1/ticks/core:rcv_requests", json!(null), StatusCode::NO_CONTENT).await;
        panel.send(Method::DELETE, &format!("/cp/api/v1/boxes/sip1{query}"), json!(null), StatusCode::NO_CONTENT).await;
    }
    let folder = panel.stop().await;
    let store = server::store::Store::open(&folder.url()).await.unwrap();
    let report = store.check(|_| {}).await.unwrap();
    assert_eq!(report.series, 1, "only what was not to be deleted is there");
    store.close().await;
}

#[tokio::test]
async fn wrong_fields_are_named() {
    let panel = Start::new().signed_in().await;
    let cases = [
        (json!({"name": "1sip", "address": "http://127.0.0.1:1/mi", "kind": "opensips"}), "name"),
        (json!({"name": "probe", "address": "http://127.0.0.1:1/mi", "kind": "opensips"}), "name"),
        (json!({"name": "sip1", "address": "ftp://127.0.0.1", "kind": "opensips"}), "address"),
        (json!({"name": "sip1", "address": "http://127.0.0.1:1/mi", "kind": "asterisk"}), "kind"),
        (json!({"name": "sip1", "address": "http://127.0.0.1:1/mi", "kind": "tickmark"}), "kind"),
        (json!({"name": "sip1", "address": "prometheus+http://127.0.0.1:1/metrics", "kind": "opensips"}), "kind"),
        (json!({"name": "sip1", "address": "fifo:/tmp/f?dialect=2", "kind": "kamailio"}), "kind"),
        (json!({"name": "sip1", "address": "fifo:tmp/f", "kind": "opensips"}), "address"),
        (json!({"name": "sip1", "address": "https://127.0.0.1:1/mi#verify=on", "kind": "opensips"}), "address"),
        (json!({"name": "sip1", "address": "http://127.0.0.1:1/mi", "kind": "opensips", "interval": "10ms"}), "interval"),
        (json!({"name": "sip1", "address": "http://127.0.0.1:1/mi", "kind": "opensips", "intervall": "10s"}), "intervall"),
        (json!({"name": "sip1", "address": "http://127.0.0.1:1/mi"}), "address"),
    ];
    for (body, field) in cases {
        let problem = panel.send(Method::POST, "/cp/api/v1/boxes", body.clone(), StatusCode::BAD_REQUEST).await;
        assert!(problem["detail"].as_str().unwrap().contains(field), "{body}: {problem}");
    }
    assert_eq!(panel.get("/cp/api/v1/boxes").await["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_probe_says_what_an_address_is() {
    let panel = Start::new().signed_in().await;
    let sip1 = FakeBox::start(&[("core:rcv_requests", 5)]).await;
    let report = panel.send(Method::POST, "/cp/api/v1/boxes/probe", json!({"address": sip1.address.to_string()}), StatusCode::OK).await;
    assert_eq!((report["verdict"].as_str(), report["kind"].as_str()), (Some("opensips"), Some("opensips")));
    assert_eq!((report["server"].as_str(), report["statistics"].as_i64()), (Some("OpenSIPS 4.0.1"), Some(1)));
    assert_eq!(report["address"].as_str(), Some(sip1.url().as_str()));
    let nobody = panel.send(Method::POST, "/cp/api/v1/boxes/probe", json!({"address": "http://127.0.0.1:1/mi"}), StatusCode::OK).await;
    assert_eq!(nobody["verdict"], "unreachable");
    let other = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = other.local_addr().unwrap().to_string();
    tokio::spawn(async move { axum::serve(other, axum::Router::new()).await });
    let other = panel.send(Method::POST, "/cp/api/v1/boxes/probe", json!({"address": address}), StatusCode::OK).await;
    assert_eq!(other["verdict"], "not_sip");
}

#[tokio::test]
async fn a_dead_box_keeps_its_last_values_and_says_why() {
    let panel = Start::new().signed_in().await;
    let sip1 = FakeBox::start(&[("core:rcv_requests", 5)]).await;
    panel.add_box("sip1", &sip1.url()).await;
    panel.until("/cp/api/v1/boxes/sip1", |one| one["state"] == "up").await;
    sip1.silence(true);
    let down = panel.until("/cp/api/v1/boxes/sip1", |one| one["state"] == "down").await;
    assert!(down["reason"].as_str().unwrap().contains("500"), "{down}");
    let statistics = panel.get("/cp/api/v1/boxes/sip1/statistics").await;
    assert_eq!(statistics["statistics"][0]["value"], 5);
    let page = panel.ask(Method::GET, "/cp?box=sip1", None).await.text().await.unwrap();
    assert!(page.contains("500"), "the page says why");
    sip1.silence(false);
    panel.until("/cp/api/v1/boxes/sip1", |one| one["state"] == "up" && one["reason"].is_null()).await;
}

#[tokio::test]
async fn a_password_is_stored_sealed() {
    let panel = Start::new().signed_in().await;
    let sip1 = FakeBox::start(&[("core:rcv_requests", 5)]).await;
    let body = json!({"name": "sip1", "address": sip1.url(), "kind": "opensips", "user": "op", "password": "swordfish-4711"});
    panel.send(Method::POST, "/cp/api/v1/boxes", body, StatusCode::CREATED).await;
    let folder = panel.stop().await;
    for file in std::fs::read_dir(folder.folder()).unwrap() {
        let path = file.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        assert!(!bytes.windows(14).any(|part| part == b"swordfish-4711"), "{}", path.display());
    }
    let key = std::fs::metadata(folder.folder().join("tickmark.key")).unwrap();
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&key.permissions()) & 0o777, 0o600);
    let panel: TestPanel = Start::again(folder).signed_in().await;
    panel.until("/cp/api/v1/boxes/sip1", |one| one["state"] == "up").await;
}

#[tokio::test]
async fn what_a_box_of_the_file_is_is_found_out_when_it_first_answers() {
    let sip1 = FakeBox::start(&[("core:rcv_requests", 5)]).await;
    sip1.silence(true);
    let file = format!("[[box]]\nname = 'sip1'\naddress = '{}'\n", sip1.address);
    let panel = Start::new().with_file(&file).signed_in().await;
    let path = "/cp/api/v1/boxes/sip1";
    assert_eq!(panel.get(path).await["address"], format!("http://{}/", sip1.address));
    panel.until(path, |one| one["state"] == "down").await;
    sip1.silence(false);
    let found = panel.until(path, |one| one["state"] == "up").await;
    assert_eq!((&found["address"], &found["kind"], &found["origin"]), (&json!(sip1.url()), &json!("opensips"), &json!("config")));
}
