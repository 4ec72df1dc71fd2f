//! Statistics that scripts and people push, from the push to the chart.

use app::model::BoxKind;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    fake_box::FakeBox,
    support::{Start, TestPanel},
};

const UPDATE: &str = "/cp/api/v1/boxes/tickmark/update";
const STATISTICS: &str = "/cp/api/v1/boxes/tickmark/statistics";

async fn push(panel: &TestPanel, body: Value) {
    panel.send(Method::POST, UPDATE, body, StatusCode::NO_CONTENT).await;
}

/// A statistic on the page, once the box was asked.
async fn shown(panel: &TestPanel, full: &str, value: i64) -> Value {
    let path = format!("{STATISTICS}?match={full}");
    let all = panel.until(&path, |all| all["statistics"][0]["value"] == value).await;
    all["statistics"][0].clone()
}

#[tokio::test]
async fn what_is_pushed_ticks_charts_and_exports() {
    let panel = Start::new().signed_in().await;
    push(&panel, json!({"name": "calls:failed", "by": 5})).await;
    push(&panel, json!({"name": "calls:failed", "by": -2})).await;
    push(&panel, json!({"name": "room:heat", "to": 21})).await;
    push(&panel, json!({"name": "room:opened", "to": 7, "kind": "counter"})).await;
    assert_eq!(shown(&panel, "calls:failed", 3).await["ticked"], false);
    // Kinds are known from the poll after that which names it.
    for (full, kind) in [("calls:failed", "counter"), ("room:heat", "gauge"), ("room:opened", "counter")] {
        panel.until(&format!("{STATISTICS}?match={full}"), |all| all["statistics"][0]["kind"] == kind).await;
    }
    panel.send(Method::PUT, "/cp/api/v1/boxes/tickmark/ticks/room%3Aheat", json!(null), StatusCode::NO_CONTENT).await;
    push(&panel, json!({"name": "room:heat", "to": -3})).await;
    let last = |series: &Value| series["columns"]["last"].as_array().unwrap().iter().flat_map(Value::as_i64).collect::<Vec<_>>();
    panel.until("/cp/api/v1/series?box=tickmark&name=room:heat&span=1h", |series| last(series).contains(&-3)).await;
    let chart = panel.ask(Method::GET, "/cp/api/v1/chart.svg?box=tickmark&name=room:heat&span=1h", None).await;
    assert_eq!(chart.status(), StatusCode::OK);
    let export = panel.ask(Method::GET, "/cp/api/v1/export?box=tickmark&name=room:heat&span=1h&format=csv", None).await;
    assert!(export.text().await.unwrap().contains("-3"));
}

#[tokio::test]
async fn names_of_any_kind_leave_the_metrics_readable() {
    let panel = Start::new().signed_in().await;
    push(&panel, json!({"name": "a b:\"é\" x{}", "to": 4})).await;
    let line = "tickmark_statistic{box=\"tickmark\",group=\"a b\",name=\"\\\"é\\\" x{}\"} 4";
    let text = panel.until_text("/metrics", |text| text.contains(line)).await;
    assert!(text.contains("\ntickmark_panel_restarts_total 0\n"), "{text}");
}

#[tokio::test]
async fn what_is_refused_says_why() {
    let panel = Start::new().signed_in().await;
    let sip1 = FakeBox::start(&[("core:rcv_requests", 5)]).await;
    panel.add_box("sip1", &sip1.url()).await;
    let long = "x".repeat(10_000);
    for (path, body, status, part) in [
        (UPDATE, json!({"name": "a:b"}), StatusCode::BAD_REQUEST, "by or to is needed"),
        (UPDATE, json!({"name": "a:b", "by": 1, "to": 1}), StatusCode::BAD_REQUEST, "by or to is needed"),
        (UPDATE, json!({"name": "a:b", "by": 0.5}), StatusCode::BAD_REQUEST, "by"),
        (UPDATE, json!({"name": "a:", "by": 1}), StatusCode::BAD_REQUEST, "name: a statistic is named group:name"),
        (UPDATE, json!({"name": "a:b\nc", "by": 1}), StatusCode::BAD_REQUEST, "control characters"),
        (UPDATE, json!({"name": long, "by": 1}), StatusCode::BAD_REQUEST, "at most 255"),
        (UPDATE, json!({"name": "panel:requests", "by": 1}), StatusCode::FORBIDDEN, "panel's own"),
        ("/cp/api/v1/boxes/sip1/update", json!({"name": "a:b", "by": 1}), StatusCode::FORBIDDEN, "pushed to the box tickmark"),
        ("/cp/api/v1/boxes/nobody/update", json!({"name": "a:b", "by": 1}), StatusCode::NOT_FOUND, "nobody"),
    ] {
        let problem = panel.send(Method::POST, path, body, status).await;
        assert!(problem["detail"].as_str().unwrap().contains(part), "{problem}");
    }
    push(&panel, json!({"name": "a:b", "to": i64::MAX})).await;
    let problem = panel.send(Method::POST, UPDATE, json!({"name": "a:b", "by": 1}), StatusCode::BAD_REQUEST).await;
    assert!(problem["detail"].as_str().unwrap().contains("64 bits"), "{problem}");
    shown(&panel, "a:b", i64::MAX).await;
}

#[tokio::test]
async fn a_token_of_scope_push_pushes_and_does_nothing_else() {
    let panel = Start::new().signed_in().await;
    let token = panel.token("push").await;
    let ask = async |method: Method, path: &str, body: Value| {
        let request = TestPanel::client().request(method, panel.url(path)).bearer_auth(&token);
        request.header("content-type", "application/json").body(body.to_string()).send().await.unwrap().status()
    };
    assert_eq!(ask(Method::POST, UPDATE, json!({"name": "a:b", "by": 1})).await, StatusCode::NO_CONTENT);
    shown(&panel, "a:b", 1).await;
    assert_eq!(ask(Method::GET, STATISTICS, json!(null)).await, StatusCode::FORBIDDEN);
    assert_eq!(ask(Method::POST, "/cp/api/v1/boxes/tickmark/ticks", json!({"match": ["a:"]})).await, StatusCode::FORBIDDEN);
    assert_eq!(ask(Method::DELETE, "/cp/api/v1/boxes/tickmark/statistics/a%3Ab", json!(null)).await, StatusCode::NO_CONTENT);
    panel.until(&format!("{STATISTICS}?match=a:b"), |all| all["statistics"].as_array().unwrap().is_empty()).await;
    assert_eq!(ask(Method::DELETE, "/cp/api/v1/boxes/tickmark/statistics/a%3Ab", json!(null)).await, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn people_push_by_a_form() {
    // So seldom that only the form can have the box asked.
    let panel = Start::new().every(std::time::Duration::from_secs(3_600)).signed_in().await;
    let form = async |fields: &[(&str, &str)]| {
        let answer = panel.form("/cp/push", &[fields, &[("return", "/cp/boxes")]].concat()).await;
        assert_eq!(answer.status(), StatusCode::SEE_OTHER);
        let told = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
        percent_encoding::percent_decode_str(&told).decode_utf8().unwrap().into_owned()
    };
    let told = form(&[("name", "room:heat"), ("value", "=21")]).await;
    assert!(told.contains("notice room:heat is 21 now"), "{told}");
    let all = panel.get(&format!("{STATISTICS}?match=room:heat")).await;
    assert_eq!(all["statistics"][0]["value"], 21);
    // Refused, what was typed is still there, with what is wrong beside its field.
    for (fields, wrong, expect) in [
        ([("name", "room:heat"), ("value", "hot"), ("do", "")], "value", "+1, -4 or =7"),
        ([("name", "room:heat"), ("value", "+9223372036854775807"), ("do", "")], "value", "64"),
        ([("name", "panel:requests"), ("value", "+1"), ("do", "")], "name", "panel"),
        ([("name", "room:cold"), ("value", ""), ("do", "remove")], "name", "room:cold"),
    ] {
        let answer = panel.form("/cp/push", &fields).await;
        assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY);
        let page = answer.text().await.unwrap();
        let (_, problem) = page.split_once(&format!("id=\"pe-{wrong}\"")).unwrap_or_else(|| panic!("{fields:?}: {page}"));
        assert!(problem[..problem.find('<').unwrap()].contains(expect), "{fields:?}: {page}");
        for (field, typed) in &fields[..2] {
            let (_, input) = page.split_once(&format!("id=\"p-{field}\"")).unwrap();
            assert!(input[..input.find('>').unwrap()].contains(&format!("value=\"{typed}\"")), "{fields:?}: {page}");
        }
    }
    assert_eq!(panel.get(&format!("{STATISTICS}?match=room:heat")).await["statistics"][0]["value"], 21);
    let told = form(&[("name", "room:heat"), ("value", ""), ("do", "remove")]).await;
    assert!(told.contains("notice room:heat is removed"), "{told}");
    let all = panel.get(&format!("{STATISTICS}?match=room:heat")).await;
    assert_eq!(all["statistics"], json!([]));
    let page = panel.ask(Method::GET, "/cp/boxes", None).await.text().await.unwrap();
    assert!(page.contains("action=\"/cp/push\""));
}

#[tokio::test]
async fn a_reset_is_marked_and_what_came_after_it_is_the_increase() {
    // So seldom that reset and pushes lie between two polls.
    let panel = Start::new().every(std::time::Duration::from_secs(3_600)).signed_in().await;
    // The first one comes by itself, and would lie anywhere.
    panel.until("/cp/api/v1/boxes/tickmark", |one| one["state"] == "up").await;
    let poll = async || {
        panel.send(Method::POST, "/cp/api/v1/boxes/tickmark/refresh", json!(null), StatusCode::OK).await;
    };
    push(&panel, json!({"name": "calls:failed", "by": 100})).await;
    push(&panel, json!({"name": "room:heat", "to": 100})).await;
    poll().await;
    panel.send(Method::POST, "/cp/api/v1/boxes/tickmark/ticks", json!({"match": ["calls:", "room:"]}), StatusCode::OK).await;
    poll().await;
    for (name, by) in [("calls:failed", 150), ("room:heat", 1)] {
        push(&panel, json!({"name": name, "to": 0})).await;
        push(&panel, json!({"name": name, "by": by})).await;
    }
    poll().await;
    let path = "/cp/api/v1/series?box=tickmark&span=1h&mode=value&name=";
    // The mark may be stored before the poll that saw the reset.
    let calls = panel
        .until(&format!("{path}calls:failed"), |series| {
            !series["resets"].as_array().unwrap().is_empty() && series["columns"]["last"].as_array().unwrap().last() == Some(&json!(150))
        })
        .await;
    assert_eq!((calls["resets"].as_array().unwrap().len(), &calls["resets"][0]["cause"]), (1, &json!("person")));
    let (t, values) = (&calls["columns"]["t"], &calls["columns"]["last"]);
    let (polls, seconds) = (values.as_array().unwrap().len(), |place: usize| t[place].as_f64().unwrap() / 1e3);
    assert_eq!((&values[polls - 2], &values[polls - 1]), (&json!(100), &json!(150)));
    let rates = panel.get("/cp/api/v1/series?box=tickmark&span=1h&mode=rate&name=calls:failed").await;
    let rate = rates["columns"]["last"][polls - 1].as_f64().unwrap();
    let increase = rate * (seconds(polls - 1) - seconds(polls - 2));
    assert!((increase - 150.0).abs() < 0.5, "{increase}");
    assert_eq!(panel.get(&format!("{path}room:heat")).await["resets"], json!([]));
}

#[tokio::test]
async fn a_clean_restart_loses_nothing_and_is_no_increase() {
    let panel = Start::new().signed_in().await;
    push(&panel, json!({"name": "calls:failed", "by": 1_000_000})).await;
    push(&panel, json!({"name": "room:heat", "to": -5})).await;
    for full in ["calls:failed", "panel:requests"] {
        panel.send(Method::POST, "/cp/api/v1/boxes/tickmark/ticks", json!({"match": [full]}), StatusCode::OK).await;
    }
    let path = |full: &str| format!("/cp/api/v1/series?box=tickmark&name={full}&span=1h&mode=rate");
    let drawn = |series: &Value| series["columns"]["max"].as_array().unwrap().iter().flat_map(Value::as_f64).collect::<Vec<_>>();
    panel.until(&path("calls:failed"), |series| !drawn(series).is_empty()).await;
    push(&panel, json!({"name": "calls:failed", "by": 1})).await;
    // A start that moves by less is none.
    panel.until(&format!("{STATISTICS}?match=panel:uptime"), |all| all["statistics"][0]["value"].as_i64() > Some(4)).await;
    let folder = panel.stop().await;

    let panel = Start::again(folder).signed_in().await;
    shown(&panel, "calls:failed", 1_000_001).await;
    shown(&panel, "room:heat", -5).await;
    shown(&panel, "panel:restarts", 1).await;
    push(&panel, json!({"name": "calls:failed", "by": 1})).await;
    let restarted = panel.until(&path("panel:requests"), |series| series["resets"][0]["cause"] == "restart").await;
    assert!(!drawn(&restarted).is_empty());
    shown(&panel, "calls:failed", 1_000_002).await;
    let pushed = panel.until(&path("calls:failed"), |series| drawn(series).len() > 3).await;
    assert_eq!(pushed["resets"], json!([]));
    assert!(drawn(&pushed).iter().all(|rate| *rate < 1_000.0), "{pushed}");
    assert_eq!(panel.get("/cp/api/v1/boxes/tickmark").await["kind"], json!(BoxKind::Tickmark));
}
