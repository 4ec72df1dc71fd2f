//! Chart sets: put together, kept in order, moved as a file, and the catalogue's for a box.

use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json};

use crate::{
    fake_box::FakeBox,
    support::{Start, TestPanel},
};

const SETS: &str = "/cp/api/v1/sets";
const MORNING: &str = "core:rcv_requests core:rcv_replies .rate .title=Received";

async fn names(panel: &TestPanel) -> Vec<String> {
    let sets = panel.get(SETS).await;
    sets["items"].as_array().unwrap().iter().map(|set| set["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_set_is_kept_ordered_and_moved_as_a_file() {
    let panel = Start::new().signed_in().await;
    let made = panel.send(Method::POST, SETS, json!({"name": "Morning", "charts": [MORNING, "", "dialog:"]}), StatusCode::CREATED).await;
    assert_eq!(made, json!({"name": "Morning", "pinned": false, "charts": [MORNING, "dialog:"], "by": "admin"}));
    panel.send(Method::POST, SETS, json!({"name": "Evening", "charts": ["tm:"]}), StatusCode::CREATED).await;
    panel.send(Method::POST, SETS, json!({"name": "Evening", "charts": ["tm:"]}), StatusCode::CONFLICT).await;
    for (charts, reason) in [
        (json!([]), "names no chart"),
        (json!(["core:a", "core:b .sideways"]), "line 2: .sideways says nothing known"),
        (json!([".rate"]), "line 1: a chart shows at least one statistic"),
    ] {
        let problem = panel.send(Method::POST, SETS, json!({"name": "x", "charts": charts}), StatusCode::BAD_REQUEST).await;
        assert!(problem["detail"].as_str().unwrap().contains(reason), "{problem}");
    }
    let form = async |what: &str, of: &str| panel.form("/cp/sets", &[("do", what), ("of", of), ("box", "tickmark")]).await.status();
    assert_eq!(form("up", "Evening").await, StatusCode::SEE_OTHER);
    assert_eq!(form("duplicate", "Morning").await, StatusCode::SEE_OTHER);
    assert_eq!(form("pin", "Evening").await, StatusCode::SEE_OTHER);
    assert_eq!(names(&panel).await, ["Evening", "Morning", "Morning (2)"]);
    assert_eq!(panel.get(&format!("{SETS}/Evening")).await["pinned"], true);
    // As far as somebody drags it.
    let moved =
        async |by: &str| panel.form("/cp/sets", &[("do", "move"), ("of", "Evening"), ("by", by), ("box", "tickmark")]).await.status();
    assert_eq!(moved("-2").await, StatusCode::SEE_OTHER);
    assert_eq!(names(&panel).await, ["Morning", "Morning (2)", "Evening"]);
    assert_eq!(moved("2").await, StatusCode::SEE_OTHER);
    assert_eq!(moved("far").await, StatusCode::SEE_OTHER);
    assert_eq!(names(&panel).await, ["Evening", "Morning", "Morning (2)"]);
    let start = panel.ask(Method::GET, "/cp?box=tickmark", None).await.text().await.unwrap();
    assert!(start.contains("/cp/sets/Evening"), "the start page leads to it");
    let open = panel.ask(Method::GET, "/cp/sets/Morning?box=tickmark", None).await;
    assert_eq!(open.status(), StatusCode::SEE_OTHER);
    let leads = open.headers()[header::LOCATION].to_str().unwrap();
    assert_eq!(leads, "/cp/charts?box=tickmark&chart=core:rcv_requests+core:rcv_replies+.rate+.title%3DReceived&chart=dialog:");

    let file = panel.ask(Method::GET, "/cp/api/v1/sets.toml", None).await.text().await.unwrap();
    for name in names(&panel).await {
        panel.send(Method::DELETE, &format!("{SETS}/{}", name.replace(' ', "%20")), Value::Null, StatusCode::NO_CONTENT).await;
    }
    let taken = panel.send(Method::POST, "/cp/api/v1/sets.toml", json!({"toml": file}), StatusCode::OK).await;
    assert_eq!((taken, names(&panel).await), (json!({"sets": 3}), vec!["Evening".into(), "Morning".into(), "Morning (2)".into()]));
    let wrong = file.replace(".rate", ".fast");
    let problem = panel.send(Method::POST, "/cp/api/v1/sets.toml", json!({"toml": wrong}), StatusCode::BAD_REQUEST).await;
    assert!(problem["detail"].as_str().unwrap().contains(".fast says nothing known"), "{problem}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ready_made_set_is_one_click() {
    let fake = FakeBox::start(&[("core:rcv_requests", 5), ("core:rcv_replies", 4), ("dialog:active_dialogs", 1)]).await;
    let panel = Start::new().signed_in().await;
    panel.add_box("sip1", &fake.url()).await;
    panel.until("/cp/api/v1/boxes/sip1", |one| one["state"] == "up").await;
    let page = panel.ask(Method::GET, "/cp/sets?box=sip1", None).await.text().await.unwrap();
    assert!(page.contains("SIP traffic") && page.contains("Record and open"), "{page}");
    let clicked = panel.form("/cp/sets", &[("do", "ready"), ("box", "sip1"), ("id", "sip-traffic")]).await;
    assert_eq!(clicked.status(), StatusCode::SEE_OTHER);
    let leads = clicked.headers()[header::LOCATION].to_str().unwrap().to_owned();
    assert!(leads.starts_with("/cp/charts?box=sip1&chart=core:rcv_requests+core:rcv_replies+.rate"), "{leads}");
    let ticks = panel.get("/cp/api/v1/boxes/sip1/ticks").await;
    let ticked = ticks["items"].as_array().unwrap().iter().any(|tick| tick["name"] == "core:rcv_requests");
    assert!(ticked, "{ticks}");
    let charts = panel.ask(Method::GET, &leads, None).await;
    assert_eq!(charts.status(), StatusCode::OK);
}
