//! Boxes that stall, drip, flood and reset, beside one that does not.

use std::sync::atomic::{AtomicU64, Ordering};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    bad::{BAD, NAME, WRONG},
    events::Events,
    fake_box::FakeBox,
    replay::Replay,
    support::{Start, TestPanel},
};

/// So many samples of the good box are waited for.
const SAMPLES: usize = 3;
/// How often it is asked: so seldom that a busy machine is not what delays it, and far more often than the others are stuck in turn.
const GOOD_EVERY: &str = "5s";

/// How many polls of a box ended in this way.
fn polls(metrics: &str, name: &str, outcome: &str) -> u64 {
    let begin = format!("tickmark_box_polls_total{{box=\"{name}\",outcome=\"{outcome}\"}} ");
    metrics.lines().find_map(|line| line.strip_prefix(&begin)).map_or(0, |count| count.parse().unwrap())
}

async fn add(panel: &TestPanel, name: &str, address: &str, interval: &str) {
    let body = json!({"name": name, "address": address, "kind": "opensips", "interval": interval});
    panel.send(Method::POST, "/cp/api/v1/boxes", body, StatusCode::CREATED).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_good_box_is_polled_at_its_phase_whatever_the_others_do() {
    let panel = Start::new().signed_in().await;
    let mut servers = Vec::new();
    for (index, bad) in BAD.iter().enumerate() {
        let server = Replay::start(bad.script).await;
        // Shorter than what they stall: each is always stuck in a poll. Floods are work even for this machine alone.
        let interval = if bad.how.starts_with("floods") { "1s" } else { "200ms" };
        add(&panel, &format!("bad{index}"), &format!("http://{}/mi", server.address), interval).await;
        servers.push(server);
    }
    let good = FakeBox::start(&[(NAME, 5), ("core:timestamp", 100)]).await;
    add(&panel, "good", &good.url(), GOOD_EVERY).await;
    panel.send(Method::PUT, &format!("/cp/api/v1/boxes/good/ticks/{NAME}"), json!(null), StatusCode::NO_CONTENT).await;
    let mut events = Events::open(&panel, "/cp/events?box=good").await;
    let mut recorded: Vec<i64> = Vec::new();
    while recorded.len() < SAMPLES {
        let at = events.until("recorded", |_| true).await["at"].as_i64().unwrap();
        assert!(recorded.last().is_none_or(|last| *last < at), "{recorded:?}, then {at}");
        recorded.push(at);
    }
    let all_failed = |metrics: &str| (0..BAD.len()).all(|index| polls(metrics, &format!("bad{index}"), "failed") > 0);
    let metrics = panel.until_text("/metrics", all_failed).await;
    assert!((0..BAD.len()).all(|index| polls(&metrics, &format!("bad{index}"), "answered") == 0), "{metrics}");
    assert_eq!((polls(&metrics, "good", "failed"), polls(&metrics, "good", "overrun")), (0, 0), "{metrics}");
    assert!(polls(&metrics, "good", "answered") >= SAMPLES as u64);
    let series = panel.get(&format!("/cp/api/v1/series?box=good&name={NAME}&mode=value&span=1h")).await;
    let times: Vec<i64> = series["columns"]["t"].as_array().unwrap().iter().map(|at| at.as_i64().unwrap()).collect();
    assert!(recorded.iter().all(|at| times.contains(at)), "{recorded:?} in {times:?}");
    assert!(series["columns"]["last"].as_array().unwrap().iter().all(|value| *value == json!(5)), "{series}");
    assert_eq!(series["gaps"], json!([]), "{series}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn between_bad_answers_nothing_but_the_truth_is_stored() {
    let panel = Start::new().signed_in().await;
    let mut servers = Vec::new();
    for (index, bad) in BAD.iter().enumerate().filter(|(_, bad)| !bad.how.starts_with("floods")) {
        let turns = AtomicU64::new(0);
        let script = bad.script;
        // Every other answer is good.
        let server = Replay::start(move |request| match (request.method().as_str(), turns.fetch_add(1, Ordering::Relaxed) % 2) {
            ("get_statistics", 1) => script(request),
            ("get_statistics", _) => request.result(&format!(r#"{{"core:timestamp":80,"{NAME}":42}}"#)),
            ("list_statistics", _) => request.recorded("opensips-4.0/list_all"),
            _ => request.recorded("opensips-4.0/cmd_version"),
        })
        .await;
        let name = format!("box{index}");
        panel.add_box(&name, &format!("http://{}/mi", server.address)).await;
        panel.send(Method::POST, &format!("/cp/api/v1/boxes/{name}/ticks"), json!({"match": ["all"]}), StatusCode::OK).await;
        servers.push((name, server));
    }
    let mut gaps = 0;
    for (name, _) in &servers {
        let path = format!("/cp/api/v1/series?box={name}&name={NAME}&mode=value&span=1h");
        let series = panel.until(&path, |series| series["columns"]["t"].as_array().unwrap().len() >= 3).await;
        let known: Vec<&Value> = series["columns"]["last"].as_array().unwrap().iter().filter(|value| !value.is_null()).collect();
        assert!(!known.is_empty() && known.iter().all(|value| **value == json!(42)), "{name}: {series}");
        assert!(!series.to_string().contains(&WRONG.to_string()), "{name}: {series}");
        for gap in series["gaps"].as_array().unwrap() {
            assert!(gap["reason"].as_str().is_some_and(|reason| !reason.is_empty()), "{name}: {series}");
            gaps += 1;
        }
        // And nothing else is there than what was asked for.
        let statistics = panel.get(&format!("/cp/api/v1/boxes/{name}/statistics")).await;
        let names: Vec<&str> = statistics["statistics"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
        assert_eq!(names, [NAME, "core:timestamp"], "{name}");
    }
    assert!(gaps > 0, "what was bad is a gap");
}
