//! Where alerts and scripts meet: what an alert does runs scripts, and what a script says goes to the destinations of alerts.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    fake_box::FakeBox,
    receiver::Receiver,
    scripts::path,
    support::{Start, TestPanel},
};

const ALERTS: &str = "/cp/api/v1/alerts";
const DESTINATIONS: &str = "/cp/api/v1/destinations";
const LEVEL: &str = "dialog:active_dialogs";

async fn webhook(panel: &TestPanel, name: &str, url: &str) {
    let body = json!({"name": name, "kind": "webhook", "url": url});
    panel.send(Method::POST, DESTINATIONS, body, StatusCode::CREATED).await;
}

fn too_many(hold: &str) -> Value {
    json!({"name": "calls", "formula": format!("{{{LEVEL}}}"), "condition": {"kind": "above", "threshold": 50}, "hold": hold,
           "severity": "critical", "text": "{value} calls on {box}", "boxes": {"names": ["sip1"]}})
}

/// The outputs of the runs of a script, the oldest first, once there are so many.
async fn outputs(panel: &TestPanel, script: &str, count: usize) -> Vec<Value> {
    let ended = |runs: &Value| {
        let runs = runs["items"].as_array().unwrap();
        runs.len() >= count && runs.iter().all(|run| run["outcome"] != "running")
    };
    let runs = panel.until(&path(&format!("{script}/runs")), ended).await;
    runs["items"].as_array().unwrap().iter().rev().map(|run| run["output"].clone()).collect()
}

#[tokio::test]
async fn whatever_an_alert_does_runs_scripts_once_and_in_order() {
    let panel = Start::new().signed_in().await;
    let sip1 = FakeBox::start(&[(LEVEL, 3)]).await;
    panel.add_box("sip1", &sip1.url()).await;
    panel.until("/cp/api/v1/boxes/sip1", |one| one["state"] == "up").await;
    let source = "print(`${event.alert} ${event.box} ${event.state} ${event.severity} ${event.value} ${event.text}`)";
    panel.script("told", source, Some("on alert")).await;
    panel.script("elsewhere", source, Some("on alert other")).await;
    panel.send(Method::POST, ALERTS, too_many("300ms"), StatusCode::CREATED).await;
    sip1.set(LEVEL, 51);
    outputs(&panel, "told", 2).await;
    panel.send(Method::POST, &format!("{ALERTS}/calls/acknowledge"), json!({}), StatusCode::OK).await;
    outputs(&panel, "told", 3).await;
    sip1.set(LEVEL, 4);
    let said = outputs(&panel, "told", 4).await;
    assert_eq!(
        said,
        [
            "calls sip1 pending critical 51.0 51 calls on sip1\n",
            "calls sip1 firing critical 51.0 51 calls on sip1\n",
            "calls sip1 acknowledged critical 51.0 51 calls on sip1\n",
            "calls sip1 resolved critical 51.0 51 calls on sip1\n"
        ]
    );
    let runs = panel.get(&path("told/runs")).await;
    assert_eq!(
        (&runs["items"][0]["began_by"], &runs["items"][0]["by"]),
        (&json!("event"), &json!("alert calls on sip1: resolved")),
        "{runs}"
    );
    assert_eq!(panel.get(&path("elsewhere/runs")).await["items"], json!([]));
}

#[tokio::test]
async fn of_two_panels_one_runs_what_waits_for_an_alert() {
    let first = Start::new().signed_in().await;
    if first.database().on_server().is_none() {
        return;
    }
    let second = first.beside().await;
    let sip1 = FakeBox::start(&[(LEVEL, 3)]).await;
    first.add_box("sip1", &sip1.url()).await;
    for panel in [&first, &second] {
        panel.until("/cp/api/v1/boxes/sip1", |one| one["state"] == "up").await;
    }
    first.script("told", "print(event.state)", Some("on alert")).await;
    first.send(Method::POST, ALERTS, too_many(""), StatusCode::CREATED).await;
    for round in 1..=3 {
        sip1.set(LEVEL, 51);
        outputs(&first, "told", 2 * round - 1).await;
        sip1.set(LEVEL, 4);
        let said = outputs(&second, "told", 2 * round).await;
        assert_eq!(said, ["firing\n", "resolved\n"].repeat(round));
    }
}

#[tokio::test]
async fn what_a_script_says_goes_to_the_destinations_until_it_arrives() {
    let panel = Start::new().with_file("public_url = 'https://panel.example.org/'").signed_in().await;
    let (mut ops, mut boss) = (Receiver::answering(&[503]).await, Receiver::start().await);
    webhook(&panel, "ops", &ops.url("hook")).await;
    webhook(&panel, "boss", &boss.url("hook")).await;
    let paused = json!({"name": "paused", "kind": "webhook", "url": boss.url("paused"), "paused": true});
    panel.send(Method::POST, DESTINATIONS, paused, StatusCode::CREATED).await;
    panel.script("tally", "notify(\"warning\", `${1 + 1} of them`)", None).await;
    // Dry, nobody is told.
    let dry = panel.run("tally", json!({"dry": true})).await;
    assert_eq!(dry["changed"], json!([{"what": "notify", "name": "2 of them"}]));
    assert_eq!(panel.run("tally", json!({})).await["ok"], true);
    let (first, again) = (ops.next().await, ops.next().await);
    assert_eq!(first.header("idempotency-key"), again.header("idempotency-key"));
    let told = &again.json()["alerts"][0];
    for (key, value) in [
        ("rule", json!("tally")),
        ("text", json!("2 of them")),
        ("severity", json!("warning")),
        ("notice", json!(true)),
        ("link", json!("https://panel.example.org/cp/scripts/tally")),
    ] {
        assert_eq!(told[key], value, "{told}");
    }
    assert_eq!(boss.next().await.json()["alerts"][0]["text"], "2 of them");
    let log = |state: &'static str| move |log: &Value| log["items"][0]["state"] == state;
    let log = panel.until(&format!("{DESTINATIONS}/ops/deliveries"), log("delivered")).await;
    assert_eq!((log["items"].as_array().unwrap().len(), &log["items"][0]["tries"]), (1, &json!(1)));
    assert_eq!(panel.get(&format!("{DESTINATIONS}/paused/deliveries")).await["items"], json!([]));

    assert_eq!(panel.once("notify(\"critical\", \"for one\", \"boss\")").await["ok"], true);
    let told = boss.next().await.json();
    assert_eq!(told["alerts"][0]["text"], "for one");
    assert_eq!((ops.so_far(), boss.so_far()), (0, 0));
    for (source, why) in [
        ("notify(\"critical\", \"x\", \"nobody\")", "there is no destination \"nobody\""),
        ("notify(\"loud\", \"x\")", "\"loud\" is no severity"),
        ("for i in 0..101 { notify(\"info\", \"x\", \"paused\"); }", "a run may notify 100 times"),
    ] {
        let done = panel.once(source).await;
        assert!(done["error"]["message"].as_str().unwrap().contains(why), "{done}");
        assert_eq!(done["error"]["line"], 1, "{done}");
    }
    let page = panel.until_text("/cp/alerts", |text| text.contains("[warning] notice: 2 of them")).await;
    assert!(page.contains("arrived"));
}

#[tokio::test]
async fn messages_link_to_the_address_that_people_know() {
    let panel = Start::new().with_file("public_url = 'https://panel.example.org/tick'").signed_in().await;
    let sip1 = FakeBox::start(&[(LEVEL, 60)]).await;
    panel.add_box("sip1", &sip1.url()).await;
    let mut hook = Receiver::start().await;
    webhook(&panel, "ops", &hook.url("hook")).await;
    panel.send(Method::POST, &format!("{DESTINATIONS}/ops/test"), Value::Null, StatusCode::OK).await;
    let told = hook.next().await.json();
    assert_eq!(
        (&told["panel"], &told["alerts"][0]["link"]),
        (&json!("https://panel.example.org/tick/cp"), &json!("https://panel.example.org/tick/cp/alerts"))
    );
    panel.send(Method::POST, ALERTS, too_many(""), StatusCode::CREATED).await;
    let told = hook.next().await.json();
    assert_eq!(told["alerts"][0]["link"], "https://panel.example.org/tick/cp/boxes/sip1/dialog:active_dialogs");
}
