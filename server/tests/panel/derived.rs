//! `/cp/api/v1/derived`, and derived statistics wherever others are.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    fake_box::FakeBox,
    support::{Start, TestPanel},
};

const DERIVED: &str = "/cp/api/v1/derived";
const CHECK: &str = "/cp/api/v1/derived/check";

/// A panel and a box: 250 of 1,000 are free.
async fn with_box() -> (TestPanel, FakeBox) {
    let panel = Start::new().signed_in().await;
    let sip1 = FakeBox::start(&[
        ("shmem:free_size", 250),
        ("shmem:total_size", 1_000),
        ("core:rcv_requests", 100),
        ("pkmem:1-used_size", 30),
        ("pkmem:1-total_size", 50),
        ("pkmem:2-used_size", 45),
        ("pkmem:2-total_size", 50),
    ])
    .await;
    panel.add_box("sip1", &sip1.url()).await;
    panel.until("/cp/api/v1/boxes/sip1", |one| one["state"] == "up").await;
    (panel, sip1)
}

async fn define(panel: &TestPanel, name: &str, formula: &str) -> Value {
    let body = json!({"name": name, "formula": formula, "unit": "percent", "meaning": "as the test says"});
    panel.send(Method::POST, DERIVED, body, StatusCode::CREATED).await
}

fn statistic<'a>(all: &'a Value, name: &str) -> &'a Value {
    all["statistics"].as_array().unwrap().iter().find(|one| one["name"] == name).unwrap_or(&Value::Null)
}

async fn ticked(panel: &TestPanel, box_name: &str) -> Vec<String> {
    let all = panel.get(&format!("/cp/api/v1/boxes/{box_name}/statistics")).await;
    let ticked = all["statistics"].as_array().unwrap().iter().filter(|one| one["ticked"] == true);
    ticked.map(|one| one["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn one_is_shown_ticked_charted_and_exported_as_any_other() {
    let (panel, sip1) = with_box().await;
    let made = define(&panel, "free", "100 * {shmem:free_size} / {shmem:total_size}").await;
    assert_eq!((&made["statistic"], &made["boxes"]), (&json!("derived:free"), &json!(["sip1"])));
    let all = panel.until("/cp/api/v1/boxes/sip1/statistics", |all| !statistic(all, "derived:free").is_null()).await;
    let free = statistic(&all, "derived:free");
    assert_eq!((&free["value"], &free["unit"], &free["kind"]), (&json!(25.0), &json!("percent"), &json!("gauge")));
    assert_eq!(free["description"], "as the test says");

    let tick = "/cp/api/v1/boxes/sip1/ticks/derived:free";
    panel.send(Method::PUT, tick, Value::Null, StatusCode::NO_CONTENT).await;
    assert_eq!(ticked(&panel, "sip1").await, ["derived:free", "shmem:free_size", "shmem:total_size"]);
    let path = "/cp/api/v1/series?box=sip1&name=derived:free&span=1h";
    let last = |series: &Value| series["columns"]["last"].as_array().unwrap().last().and_then(Value::as_f64);
    panel.until(path, |series| last(series) == Some(25.0)).await;
    sip1.set("shmem:free_size", 400);
    let series = panel.until(path, |series| last(series) == Some(40.0)).await;
    assert_eq!((&series["mode"], &series["tier"], &series["unit"]), (&json!("value"), &json!("raw"), &json!("percent")));
    assert!(series["of_means"].is_null(), "sample by sample: {series}");

    let csv = panel.ask(Method::GET, "/cp/api/v1/export?box=sip1&name=derived:free&span=1h", None).await.text().await.unwrap();
    assert!(csv.contains(",sip1,derived:free,25\n") && csv.contains(",sip1,derived:free,40\n"), "{csv}");
    let svg = panel.ask(Method::GET, "/cp/api/v1/chart.svg?box=sip1&name=derived:free&span=1h", None).await;
    assert_eq!(svg.status(), StatusCode::OK);
    for page in ["/cp/boxes/sip1/derived:free", "/cp/charts?box=sip1", "/cp?box=sip1", "/cp/derived"] {
        let text = panel.ask(Method::GET, page, None).await.text().await.unwrap();
        assert!(text.contains("derived:free"), "{page}");
    }

    // What is recorded for it alone is not unticked by itself; with its own tick it stays when the derived one goes.
    let input = "/cp/api/v1/boxes/sip1/ticks/shmem:free_size";
    let refused = panel.send(Method::DELETE, input, Value::Null, StatusCode::FORBIDDEN).await;
    assert!(refused["detail"].as_str().unwrap().contains("derived:free is ticked"), "{refused}");
    panel.send(Method::PUT, input, Value::Null, StatusCode::NO_CONTENT).await;
    panel.send(Method::DELETE, tick, Value::Null, StatusCode::NO_CONTENT).await;
    assert_eq!(ticked(&panel, "sip1").await, ["shmem:free_size"]);
}

#[tokio::test]
async fn no_value_is_no_zero_and_has_its_reason() {
    let (panel, sip1) = with_box().await;
    define(&panel, "ratio", "{shmem:total_size} / {shmem:free_size}").await;
    sip1.set("shmem:free_size", 0);
    let is_none = |all: &Value| statistic(all, "derived:ratio")["reason"].is_string();
    let all = panel.until("/cp/api/v1/boxes/sip1/statistics", is_none).await;
    let ratio = statistic(&all, "derived:ratio");
    assert_eq!((&ratio["value"], &ratio["reason"]), (&Value::Null, &json!("its divisor is 0 (the / at character 20)")));
    panel.send(Method::PUT, "/cp/api/v1/boxes/sip1/ticks/derived:ratio", Value::Null, StatusCode::NO_CONTENT).await;
    let path = "/cp/api/v1/series?box=sip1&name=derived:ratio&span=1h";
    let has_gap = |series: &Value| series["gaps"].as_array().unwrap().iter().any(|gap| gap["reason"].as_str().unwrap().contains("divisor"));
    let series = panel.until(path, has_gap).await;
    assert!(series["columns"]["last"].as_array().unwrap().iter().all(Value::is_null), "{series}");
}

#[tokio::test]
async fn a_formula_is_tried_before_it_is_kept() {
    let (panel, _sip1) = with_box().await;
    let check = async |formula: &str| panel.send(Method::POST, CHECK, json!({"formula": formula, "box": "sip1"}), StatusCode::OK).await;
    let worst = check("max(100 * {pkmem:*-used_size} / {pkmem:*-total_size})").await;
    assert_eq!((&worst["ok"], &worst["value"]), (&json!(true), &json!(90.0)));
    assert_eq!(worst["uses"], json!(["pkmem:*-used_size", "pkmem:*-total_size"]));
    let wrong = check("100 * {shmem:free_size} /").await;
    assert_eq!((&wrong["ok"], &wrong["error"]["at"]), (&json!(false), &json!(25)));
    let unknown = check("1 + {core:free_size}").await;
    assert_eq!(unknown["error"]["at"], 4);
    assert!(unknown["says"].as_str().unwrap().contains("did you mean {shmem:free_size}?"), "{unknown}");
    assert_eq!(worst["says"], "It comes to 90 on sip1 now.");
    let share = json!({"formula": "100 * {shmem:free_size} / {shmem:total_size}", "box": "sip1", "unit": "percent"});
    assert_eq!(panel.send(Method::POST, CHECK, share, StatusCode::OK).await["says"], "It comes to 25 % on sip1 now.");
    assert!(unknown["error"]["message"].as_str().unwrap().contains("did you mean {shmem:free_size}?"), "{unknown}");
    panel.send(Method::PATCH, "/cp/api/v1/boxes/sip1/statistics/shmem:free_size", json!({"kind": "gauge"}), StatusCode::NO_CONTENT).await;
    let level = check("rate({shmem:free_size})").await;
    assert!(level["error"]["message"].as_str().unwrap().contains("shows a level"), "{level}");
    let read = panel.send(Method::POST, CHECK, json!({"formula": "{a:b}"}), StatusCode::OK).await;
    assert_eq!((&read["ok"], &read["value"]), (&json!(true), &Value::Null));
    assert_eq!(read["says"], "It can be computed.");
    panel.send(Method::POST, CHECK, json!({"formula": "1", "box": "nobody"}), StatusCode::NOT_FOUND).await;
    for hostile in ["(".repeat(100_000), "-".repeat(4_000), "{".repeat(4_000), "é\u{202e}\0".repeat(500)] {
        assert_eq!(check(&hostile).await["ok"], false);
    }
}

#[tokio::test]
async fn what_is_refused_says_why() {
    let (panel, sip1) = with_box().await;
    define(&panel, "one", "{shmem:free_size}").await;
    sip1.set("derived:own", 7);
    panel.until("/cp/api/v1/boxes/sip1/statistics", |all| statistic(all, "derived:own")["value"] == 7).await;
    for (name, formula, status, part) in [
        ("one", "1", StatusCode::CONFLICT, "exists already"),
        ("own", "1", StatusCode::CONFLICT, "tells a statistic derived:own itself"),
        ("check", "1", StatusCode::BAD_REQUEST, "name:"),
        ("a b", "1", StatusCode::BAD_REQUEST, "name:"),
        ("two", "1 +", StatusCode::BAD_REQUEST, "formula: the formula ends here"),
        ("two", "{derived:one}", StatusCode::BAD_REQUEST, "no derived ones"),
    ] {
        let problem = panel.send(Method::POST, DERIVED, json!({"name": name, "formula": formula}), status).await;
        assert!(problem["detail"].as_str().unwrap().contains(part), "{problem}");
    }
    panel.send(Method::GET, "/cp/api/v1/derived/none", Value::Null, StatusCode::NOT_FOUND).await;
    let changed = panel.send(Method::PUT, "/cp/api/v1/derived/one", json!({"formula": "2 * {shmem:free_size}"}), StatusCode::OK).await;
    assert_eq!(changed["formula"], "2 * {shmem:free_size}");
    panel.until("/cp/api/v1/boxes/sip1/statistics", |all| statistic(all, "derived:one")["value"] == 500.0).await;
    panel.send(Method::DELETE, "/cp/api/v1/derived/one", Value::Null, StatusCode::NO_CONTENT).await;
    panel.until("/cp/api/v1/boxes/sip1/statistics", |all| statistic(all, "derived:one").is_null()).await;
}

#[tokio::test]
async fn one_over_boxes_is_shown_by_the_panel_and_has_none_while_a_box_is_silent() {
    let (panel, sip1) = with_box().await;
    let sip2 = FakeBox::start(&[("shmem:free_size", 50)]).await;
    panel.add_box("sip2", &sip2.url()).await;
    panel.until("/cp/api/v1/boxes/sip2", |one| one["state"] == "up").await;
    define(&panel, "all", "sum({*/shmem:free_size})").await;
    let own = "/cp/api/v1/boxes/tickmark/statistics";
    panel.until(own, |all| statistic(all, "derived:all")["value"] == 300.0).await;
    assert!(statistic(&panel.get("/cp/api/v1/boxes/sip1/statistics").await, "derived:all").is_null());
    panel.send(Method::PUT, "/cp/api/v1/boxes/tickmark/ticks/derived:all", Value::Null, StatusCode::NO_CONTENT).await;
    assert_eq!(ticked(&panel, "sip1").await, ["shmem:free_size"]);
    assert_eq!(ticked(&panel, "sip2").await, ["shmem:free_size"]);
    let path = "/cp/api/v1/series?box=tickmark&name=derived:all&span=10s";
    let has = |series: &Value| series["columns"]["mean"].as_array().unwrap().iter().any(|mean| *mean == 300.0);
    let series = panel.until(path, has).await;
    assert_eq!(series["of_means"], true);
    let means = series["columns"]["mean"].as_array().unwrap().iter().filter(|mean| !mean.is_null());
    assert!(means.clone().all(|mean| *mean == 300.0), "never a part of the sum: {series}");
    sip1.silence(true);
    let all = panel.until(own, |all| statistic(all, "derived:all")["value"].is_null()).await;
    assert_eq!(statistic(&all, "derived:all")["reason"], "{sip1/shmem:free_size} has no value");
}

#[tokio::test]
async fn the_file_has_some_that_are_read_only() {
    let file = "[[derived]]\nname = \"free\"\nformula = \"{shmem:free_size}\"\nunit = \"bytes\"\n";
    let panel = Start::new().with_file(file).signed_in().await;
    let one = panel.get("/cp/api/v1/derived/free").await;
    assert_eq!((&one["origin"], &one["unit"]), (&json!("config"), &json!("bytes")));
    let refused = panel.send(Method::DELETE, "/cp/api/v1/derived/free", Value::Null, StatusCode::FORBIDDEN).await;
    assert!(refused["detail"].as_str().unwrap().contains("configuration file"), "{refused}");
    panel.send(Method::POST, DERIVED, json!({"name": "mine", "formula": "1"}), StatusCode::CREATED).await;
    let panel = Start::again(panel.stop().await).with_file("").signed_in().await;
    let all = panel.get(DERIVED).await;
    let names: Vec<&str> = all["items"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["mine"]);
}

#[tokio::test]
async fn the_page_tries_keeps_and_takes_ready_made_ones() {
    let (panel, _sip1) = with_box().await;
    let wrong = panel.form("/cp/derived", &[("do", "check"), ("box", "sip1"), ("formula", "1 + {a:b} !"), ("name", "")]).await;
    assert_eq!(wrong.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.text().await.unwrap().contains("an alert does"));
    let tried = panel.form("/cp/derived", &[("do", "check"), ("box", "sip1"), ("formula", "{shmem:free_size} * 2"), ("name", "")]).await;
    assert!(tried.text().await.unwrap().contains("It comes to 500"));
    let ready = panel.form("/cp/derived", &[("do", "ready"), ("box", "sip1"), ("id", "shm_free_percent")]).await;
    assert_eq!(ready.status(), StatusCode::SEE_OTHER);
    assert_eq!(ticked(&panel, "sip1").await, ["derived:shm_free_percent", "shmem:free_size", "shmem:total_size"]);
    let page = panel.ask(Method::GET, "/cp/derived?box=sip1", None).await.text().await.unwrap();
    assert!(page.contains("25") && page.contains("Fullest process"), "{page}");
}

#[tokio::test]
async fn who_may_read_may_try_and_not_define() {
    let (panel, _sip1) = with_box().await;
    let token = panel.token("read").await;
    let ask = async |path: &str| {
        let request = TestPanel::client().post(panel.url(path)).bearer_auth(&token).header("content-type", "application/json");
        request
            .body(r#"{"formula": "1", "name": "x"}"#.replace(r#", "name": "x""#, if path == CHECK { "" } else { r#", "name": "x""# }))
            .send()
            .await
            .unwrap()
            .status()
    };
    assert_eq!(ask(CHECK).await, StatusCode::OK);
    assert_eq!(ask(DERIVED).await, StatusCode::FORBIDDEN);
}
