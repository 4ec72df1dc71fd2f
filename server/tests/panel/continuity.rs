//! What happens between two polls of a box: it moves, it is slow, it restarts while nobody looks.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    fake_box::{FakeBox, LONG_AGO},
    support::{Start, TestPanel},
};

const RATES: &str = "/cp/api/v1/series?box=sip1&name=core:rcv_requests&span=1h";

async fn recording(value: i64) -> (TestPanel, FakeBox) {
    let panel = Start::new().signed_in().await;
    let sip1 = FakeBox::start(&[("core:rcv_requests", value)]).await;
    panel.add_box("sip1", &sip1.url()).await;
    panel.send(Method::PUT, "/cp/api/v1/boxes/sip1/ticks/core%3Arcv_requests", json!(null), StatusCode::NO_CONTENT).await;
    panel.until(RATES, |series| samples(series) >= 3).await;
    (panel, sip1)
}

fn samples(series: &Value) -> usize {
    series["columns"]["t"].as_array().unwrap().len()
}

fn causes(series: &Value) -> Vec<&str> {
    series["resets"].as_array().unwrap().iter().map(|reset| reset["cause"].as_str().unwrap()).collect()
}

fn rates(series: &Value) -> Vec<f64> {
    series["columns"]["max"].as_array().unwrap().iter().filter_map(Value::as_f64).collect()
}

#[tokio::test]
async fn another_servers_numbers_are_no_increase_of_this_ones() {
    let (panel, _sip1) = recording(100).await;
    let other = FakeBox::start(&[("core:rcv_requests", 5_000_000)]).await;
    panel.send(Method::PATCH, "/cp/api/v1/boxes/sip1", json!({"address": other.url()}), StatusCode::OK).await;
    let moved = panel.until(RATES, |series| !causes(series).is_empty()).await;
    let before = samples(&moved);
    let series = panel.until(RATES, |series| samples(series) > before + 3).await;
    assert_eq!(causes(&series), ["moved"]);
    assert!(rates(&series).iter().all(|rate| *rate == 0.0), "{series}");
    let live = panel.get("/cp/api/v1/boxes/sip1/statistics").await;
    assert_eq!((&live["statistics"][0]["value"], &live["statistics"][0]["rate"]), (&json!(5_000_000), &json!(0.0)));
}

/// The panel is not told that the address was given to another server. What gives that one away is its start: it ran already while the one
/// before still answered. One that started later is not told apart from a restart, and one that does not say when it started from nothing.
#[tokio::test]
async fn another_servers_numbers_at_the_same_address_are_no_increase_either() {
    // It runs for longer than the one before, or not as long.
    for (uptime, value) in [(LONG_AGO * 2, 5_000_000), (LONG_AGO / 2, 5_000_000), (LONG_AGO * 2, 50), (LONG_AGO / 2, 50)] {
        let (panel, sip1) = recording(100).await;
        // On a busy machine too it is to say when it started: a poll takes no longer than its interval.
        panel.send(Method::PATCH, "/cp/api/v1/boxes/sip1", json!({"interval": "1s"}), StatusCode::OK).await;
        // Between two answers, as what is set meanwhile must be of one poll.
        sip1.silence(true);
        panel.until("/cp/api/v1/boxes/sip1", |one| one["state"] == "down").await;
        sip1.become_another(uptime);
        sip1.set("core:rcv_requests", value);
        sip1.silence(false);
        let moved = panel.until(RATES, |series| !causes(series).is_empty()).await;
        let before = samples(&moved);
        let series = panel.until(RATES, |series| samples(series) > before + 1).await;
        assert_eq!(causes(&series), ["moved"], "{uptime:?} {value}");
        assert!(rates(&series).iter().all(|rate| *rate == 0.0), "{series}");
        // Where a poll was late, there is no rate until the next one.
        let is_still = |live: &Value| (&live["statistics"][0]["value"], &live["statistics"][0]["rate"]) == (&json!(value), &json!(0.0));
        panel.until("/cp/api/v1/boxes/sip1/statistics", is_still).await;
    }
}

#[tokio::test]
async fn a_poll_that_takes_longer_than_the_interval_is_counted_and_leaves_a_gap_with_its_reason() {
    let (panel, sip1) = recording(100).await;
    let other = FakeBox::start(&[]).await;
    other.count_polls("core:polls");
    panel.add_box("sip2", &other.url()).await;
    let polls = "/cp/api/v1/boxes/sip2/statistics";
    let asked = |value: &Value| value["statistics"][0]["value"].as_i64().unwrap_or_default();
    let begun = asked(&panel.until(polls, |value| asked(value) > 0).await);
    sip1.hold(true);
    // The other box is asked at the same interval: it tells how many due times have passed.
    panel.until(polls, |value| asked(value) > begun + 6).await;
    sip1.hold(false);
    let slow =
        |series: &Value| series["gaps"].as_array().unwrap().iter().any(|gap| gap["reason"] == "a poll took longer than the interval");
    panel.until(RATES, slow).await;
    let overruns = panel.get("/cp/api/v1/boxes/tickmark/statistics?match=polls:failed_overrun").await;
    assert!(overruns["statistics"][0]["value"].as_i64().is_some(), "{overruns}");
    panel
        .until("/cp/api/v1/boxes/tickmark/statistics?match=polls:failed_overrun", |value| {
            value["statistics"][0]["value"].as_i64() > Some(2)
        })
        .await;
}

#[tokio::test]
async fn a_restart_while_the_panel_was_down_is_a_restart() {
    let (panel, sip1) = recording(1_000_000).await;
    let folder = panel.stop().await;
    sip1.restart();
    sip1.set("core:rcv_requests", 7);
    let panel = Start::again(folder).signed_in().await;
    let series = panel.until(RATES, |series| !causes(series).is_empty()).await;
    assert_eq!(causes(&series), ["restart"]);
    assert!(rates(&series).iter().all(|rate| *rate < 100.0), "{series}");
}

#[tokio::test]
async fn a_panel_that_starts_again_makes_up_no_restart() {
    let (panel, _sip1) = recording(1_000_000).await;
    let panel = Start::again(panel.stop().await).signed_in().await;
    let before = samples(&panel.get(RATES).await);
    let series = panel.until(RATES, |series| samples(series) > before + 2).await;
    assert_eq!(causes(&series), [""; 0]);
}

#[tokio::test]
async fn a_password_is_not_sent_to_another_server() {
    let panel = Start::new().signed_in().await;
    let (one, other) = (FakeBox::start(&[]).await, FakeBox::start(&[]).await);
    let body = json!({"name": "sip1", "address": one.url(), "kind": "opensips", "user": "op", "password": "secret word"});
    panel.send(Method::POST, "/cp/api/v1/boxes", body, StatusCode::CREATED).await;
    let change = json!({"address": other.url()});
    let refused = panel.send(Method::PATCH, "/cp/api/v1/boxes/sip1", change, StatusCode::BAD_REQUEST).await;
    assert!(refused["detail"].as_str().unwrap().starts_with("password: "), "{refused}");
    let change = json!({"address": other.url(), "password": "secret word"});
    panel.send(Method::PATCH, "/cp/api/v1/boxes/sip1", change, StatusCode::OK).await;
    // Another path of the same server is the same server.
    let change = json!({"address": format!("{}2", other.url())});
    panel.send(Method::PATCH, "/cp/api/v1/boxes/sip1", change, StatusCode::OK).await;
}
