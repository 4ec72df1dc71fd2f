//! Alerts while the database cannot be written: what they do then is kept and told once it can, with its true times.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::{AnyConnection, Connection, Executor};

use crate::{
    fake_box::FakeBox,
    receiver::Receiver,
    support::{Start, database::is_on_server},
};

const LEVEL: &str = "dialog:active_dialogs";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_fires_and_is_over_meanwhile_is_kept_and_told_once() {
    let panel = Start::new().signed_in().await;
    let mut receiver = Receiver::start().await;
    let sip1 = FakeBox::start(&[(LEVEL, 3)]).await;
    panel.add_box("sip1", &sip1.url()).await;
    panel.until("/cp/api/v1/boxes/sip1", |one| one["state"] == "up").await;
    panel.send(Method::PUT, &format!("/cp/api/v1/boxes/sip1/ticks/{LEVEL}"), Value::Null, StatusCode::NO_CONTENT).await;
    let webhook = json!({"name": "ops", "kind": "webhook", "url": receiver.url("hook")});
    panel.send(Method::POST, "/cp/api/v1/destinations", webhook, StatusCode::CREATED).await;
    let rule = json!({"name": "calls", "formula": format!("{{{LEVEL}}}"), "condition": {"kind": "above", "threshold": 50}});
    panel.send(Method::POST, "/cp/api/v1/alerts", rule, StatusCode::CREATED).await;

    sqlx::any::install_default_drivers();
    let mut other = AnyConnection::connect(&panel.database().url()).await.unwrap();
    let hold = if is_on_server() { "begin; lock table alert_state, head in access exclusive mode" } else { "begin immediate" };
    other.execute(hold).await.unwrap();
    for level in [51, 4] {
        sip1.set(LEVEL, level);
        let path = format!("/cp/api/v1/boxes/sip1/statistics?match={LEVEL}");
        panel.until(&path, |all| all["statistics"][0]["value"] == level).await;
    }
    assert_eq!(receiver.so_far(), 0);
    other.execute("rollback").await.unwrap();

    let mut told = Vec::new();
    while told.len() < 2 {
        told.extend(receiver.next().await.json()["alerts"].as_array().unwrap().clone());
    }
    let history = panel.get("/cp/api/v1/alerts/history?span=1h").await;
    let all = history["items"].as_array().unwrap();
    assert_eq!(all.len(), 1, "{history}");
    // When it was polled, and not when that could be kept.
    let is_recorded = |series: &Value| series["columns"]["last"].as_array().unwrap().contains(&json!(4));
    let series = panel.until(&format!("/cp/api/v1/series?box=sip1&name={LEVEL}&mode=value&span=1h"), is_recorded).await;
    let first = |level: i64| {
        let place = series["columns"]["last"].as_array().unwrap().iter().position(|value| *value == json!(level)).unwrap();
        series["columns"]["t"][place].clone()
    };
    assert_eq!((&all[0]["since"], &all[0]["fired"], &all[0]["ended"]), (&first(51), &first(51), &first(4)));
    let resolved: Vec<&Value> = told.iter().map(|one| &one["resolved"]).collect();
    assert_eq!(resolved, [&json!(false), &json!(true)].as_slice(), "{told:?}");
    assert!(told.iter().all(|one| one["id"] == all[0]["id"] && one["fired"] == all[0]["fired"]), "{told:?}");
    let log = panel.get("/cp/api/v1/destinations/ops/deliveries").await;
    assert!(log["items"].as_array().unwrap().len() <= 2, "{log}");
}
