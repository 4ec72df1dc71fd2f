//! `/cp/api/v1/chart` and its pictures: several statistics of several boxes, together and as shares, with real numbers.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    fake_box::FakeBox,
    support::{Start, TestPanel},
};

const SIP1: [(&str, i64); 5] = [
    ("dialog:active_dialogs", 9),
    ("shm:active_used", 25),
    ("shm:active_total", 200),
    ("core:rcv_requests", 1_000),
    ("core:timestamp", 500),
];

/// Two boxes with history, and a statistic of the first that is zero.
async fn two_boxes() -> (TestPanel, FakeBox, FakeBox) {
    let panel = Start::new().signed_in().await;
    let (sip1, sip2) = (FakeBox::start(&SIP1).await, FakeBox::start(&[("dialog:active_dialogs", 5), ("zero:active", 0)]).await);
    for (name, fake) in [("sip1", &sip1), ("sip2", &sip2)] {
        panel.add_box(name, &fake.url()).await;
        panel.until(&format!("/cp/api/v1/boxes/{name}"), |one| one["state"] == "up").await;
        let words = json!({"match": ["dialog:", "shm:", "core:rcv_*", "zero:"]});
        panel.send(Method::POST, &format!("/cp/api/v1/boxes/{name}/ticks"), words, StatusCode::OK).await;
    }
    (panel, sip1, sip2)
}

fn known(column: &Value) -> Vec<f64> {
    column.as_array().unwrap().iter().filter_map(Value::as_f64).collect()
}

/// The means of a line, once it has so many.
async fn means(panel: &TestPanel, query: &str, count: usize) -> Value {
    let path = format!("/cp/api/v1/chart?{query}&span=1m");
    panel.until(&path, |chart| known(&chart["lines"][0]["columns"]["mean"]).len() >= count).await
}

#[tokio::test]
async fn a_chart_of_several_is_a_table_too() {
    let (panel, _sip1, _sip2) = two_boxes().await;
    let chart = "chart=sip1/dialog:active_dialogs+sip2/dialog:active_dialogs+.title%3DCalls";
    means(&panel, chart, 3).await;
    let answer = panel.ask(Method::GET, &format!("/cp/api/v1/chart.csv?{chart}&span=1m"), None).await;
    assert_eq!(answer.headers()["content-type"], "text/csv; charset=utf-8");
    assert_eq!(answer.headers()["content-disposition"], "attachment; filename=\"chart-Calls.csv\"");
    let csv = answer.text().await.unwrap();
    let (head, rows) = csv.split_once('\n').unwrap();
    assert_eq!(head, "time,sip1/dialog:active_dialogs,sip2/dialog:active_dialogs");
    let cells: Vec<Vec<&str>> = rows.lines().map(|row| row.split(',').skip(1).collect()).collect();
    assert!(cells.iter().all(|cells| cells.len() == 2), "{csv}");
    assert!(cells.iter().any(|cells| cells[0] == "9") && cells.iter().any(|cells| cells[1] == "5"), "{csv}");
    let times: Vec<&str> = rows.lines().filter_map(|row| row.split(',').next()).collect();
    assert!(times.is_sorted() && times.iter().all(|time| time.ends_with('Z')), "{csv}");
    panel.send(Method::GET, "/cp/api/v1/chart.csv?chart=.fast", Value::Null, StatusCode::BAD_REQUEST).await;
}

#[tokio::test]
async fn what_boxes_come_to_is_told_and_where_one_is_missing() {
    let (panel, _sip1, sip2) = two_boxes().await;
    for (how, want) in [("sum", 14.0), ("average", 7.0), ("maximum", 9.0)] {
        let chart = means(&panel, &format!("chart=dialog:active_dialogs+.{how}"), 3).await;
        let line = &chart["lines"][0];
        assert!(known(&line["columns"]["mean"]).iter().all(|mean| (mean - want).abs() < 1e-9), "{how}: {line}");
        assert_eq!(line["name"], format!("{how} of dialog:active_dialogs over 2 boxes"));
        assert_eq!((chart["lines"].as_array().unwrap().len(), &line["box"], &line["unit"]), (1, &json!(""), &json!("dialogs")));
    }
    sip2.silence(true);
    let told = |gap: &Value| {
        let reason = gap["reason"].as_str().unwrap();
        reason.starts_with("sip2: ") && reason.contains("500") && reason.ends_with("1 of 2 known")
    };
    let sum = "/cp/api/v1/chart?chart=dialog:active_dialogs+.sum&span=1m";
    let chart = panel.until(sum, |chart| chart["gaps"].as_array().unwrap().iter().any(told)).await;
    assert!(known(&chart["lines"][0]["columns"]["mean"]).iter().all(|mean| (mean - 14.0).abs() < 1e-9), "never a smaller sum: {chart}");
}

#[tokio::test]
async fn lines_of_several_boxes_are_one_chart() {
    let (panel, ..) = two_boxes().await;
    let chart = means(&panel, "box=sip1&chart=dialog:active_dialogs+sip2/dialog:*+shm:active_used", 2).await;
    let lines: Vec<(&str, &str)> =
        chart["lines"].as_array().unwrap().iter().map(|line| (line["box"].as_str().unwrap(), line["name"].as_str().unwrap())).collect();
    assert_eq!(lines, [("sip1", "dialog:active_dialogs"), ("sip2", "dialog:active_dialogs"), ("sip1", "shm:active_used")]);
    // Two axes, as the units differ.
    let svg = panel.ask(
        Method::GET,
        "/cp/api/v1/chart.svg?chart=sip1/dialog:active_dialogs+sip2/dialog:*+sip1/shm:active_used&theme=light",
        None,
    );
    let svg = svg.await.text().await.unwrap();
    assert!(svg.contains("sip2 · dialog:active_dialogs") && svg.contains("sip1 · shm:active_used (right)"), "{svg}");
    let stacked = means(&panel, "chart=dialog:active_dialogs+.stacked", 3).await;
    assert_eq!(stacked["lines"][0]["columns"]["t"], stacked["lines"][1]["columns"]["t"]);
}

#[tokio::test]
async fn a_share_is_of_another_statistic_and_by_zero_there_is_none() {
    let (panel, ..) = two_boxes().await;
    let path = "/cp/api/v1/series?box=sip1&name=shm:active_used&mode=percent&of=shm:active_total&span=1m";
    let series = panel.until(path, |series| known(&series["columns"]["last"]).len() >= 2).await;
    assert!(known(&series["columns"]["last"]).iter().all(|share| (share - 12.5).abs() < 1e-9), "{series}");
    assert_eq!((&series["unit"], &series["of"], &series["total"]), (&json!("percent"), &json!("shm:active_total"), &Value::Null));
    let none = "/cp/api/v1/series?box=sip2&name=dialog:active_dialogs&mode=percent&of=zero:active&span=1m";
    let series = panel.until(none, |series| !series["gaps"].as_array().unwrap().is_empty()).await;
    assert_eq!(known(&series["columns"]["last"]), [0.0; 0]);
    assert!(series["gaps"][0]["reason"].as_str().unwrap().contains("the whole is zero"), "{series}");
}

#[tokio::test]
async fn an_increase_is_of_whole_stretches() {
    let (panel, sip1, _sip2) = two_boxes().await;
    let path = "/cp/api/v1/series?box=sip1&name=core:rcv_requests&mode=increase&span=1m&points=30";
    panel.until(path, |series| !known(&series["columns"]["mean"]).is_empty()).await;
    sip1.set("core:rcv_requests", 1_250);
    let grown = |series: &Value| (known(&series["columns"]["mean"]).iter().sum::<f64>() - 250.0).abs() < 1e-9;
    let series = panel.until(path, grown).await;
    assert_eq!((&series["every_ms"], &series["total"], &series["unit"]), (&json!(2_000), &json!(250), &json!("requests")));
    assert!(series["columns"]["t"].as_array().unwrap().iter().all(|t| t.as_i64().unwrap() % 2_000 == 0));
    let svg = panel
        .ask(Method::GET, "/cp/api/v1/chart.svg?box=sip1&name=core:rcv_requests&mode=increase&span=1m", None)
        .await
        .text()
        .await
        .unwrap();
    assert!(svg.contains(", increase each "), "{svg}");
}

#[tokio::test]
async fn pictures_are_as_large_as_screens_and_what_is_wrong_is_said() {
    let (panel, ..) = two_boxes().await;
    let size = |bytes: &[u8]| [16, 20].map(|at| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()));
    for (query, want) in [
        ("width=1920&height=1080&density=2", [3840, 2160]),
        ("width=3840&height=2160", [3840, 2160]),
        ("width=4096&height=300&theme=dark", [8192, 600]),
        ("width=400&height=200", [800, 400]),
    ] {
        let path = format!("/cp/api/v1/chart.png?chart=dialog:active_dialogs+.sum+.log+.title%3DCalls&span=1h&{query}");
        let answer = panel.ask(Method::GET, &path, None).await;
        assert_eq!(answer.status(), StatusCode::OK, "{query}");
        assert_eq!(size(&answer.bytes().await.unwrap()), want, "{query}");
    }
    for (query, says) in [
        ("chart=dialog:active_dialogs+.fast", "after the dot"),
        ("chart=dialog:active_dialogs&mode=rate", "mode is said within chart"),
        ("box=sip1&name=dialog:active_dialogs&mode=percent", "say which"),
        ("box=sip1&name=dialog:active_dialogs&combine=all", "none, stacked, sum, average and maximum"),
        ("box=sip1&name=dialog:active_dialogs&combine=stacked&scale=log", "choose one of both"),
        ("chart=dialog:active_dialogs&compare=24h", "compare goes with one line"),
        ("chart=dialog:active_dialogs&width=4096&height=4096&density=2", "too large"),
        ("chart=dialog:active_dialogs&width=5000", "from 120 to 4096"),
    ] {
        let answer = panel.send(Method::GET, &format!("/cp/api/v1/chart.png?{query}"), json!(null), StatusCode::BAD_REQUEST).await;
        assert!(answer["detail"].as_str().unwrap().contains(says), "{query}: {answer}");
    }
    for query in ["chart=no:such", "box=nobody&chart=dialog:", "chart=nobody/a:b", "box=sip1&name=no:such"] {
        panel.send(Method::GET, &format!("/cp/api/v1/chart?{query}"), json!(null), StatusCode::NOT_FOUND).await;
    }
    let wrong = panel.send(Method::GET, "/cp/api/v1/series?box=sip1&name=a:b&of=c:d", json!(null), StatusCode::BAD_REQUEST).await;
    assert!(wrong["detail"].as_str().unwrap().contains("mode=percent"));
}
