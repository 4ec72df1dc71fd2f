//! A box whose names are HTML, formulas, control characters, ten thousand bytes long, or a hundred times too many.

use app::{
    links,
    matching::{Query, word_of},
};
use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json};

use crate::{
    events::Events,
    fake_box::FakeBox,
    support::{Start, TestPanel},
};

/// What a page may never hold: each would be read as a tag.
const TAGS: [&str; 4] = ["<script>alert", "<svg onload", "<img src=x", "<b onclick"];

/// Names that hurt whoever takes them for anything but text.
fn names() -> Vec<String> {
    let short = [
        "script:<script>alert(1)</script>",
        "script:<svg onload=alert(1)>",
        "<img src=x onerror=alert(1)>:x",
        "script:</code></th></tr></table><b onclick=alert(1)>",
        "script:\"' onmouseover='alert(1)' x=\"",
        "script:&lt;b&gt;&amp;",
        "script:%3Cb%3E%00%0d%0a",
        "script:a/../../b?c#d",
        "=cmd|' /C calc'!A0:x",
        "+1+1:x",
        "-1-1:x",
        "@SUM(1):x",
        "\t=1:x",
        "\u{ff1d}1:x",
        "'script:apostrophe",
        "script:a,b;\"c\"",
        "script:cr\rlf\ncrlf\r\nend",
        "script:x\n\nevent: box\ndata: {}\n\n",
        "script:\u{1b}[31mred\u{7}\u{8}\u{9b}2J",
        "script:\u{202e}gnp.exe\u{2066}",
        "script:\u{2028}\u{2029}\u{feff}\u{ad}",
        "script:\u{fffd}",
        "script:\\u0000\\",
        "script:x\"} 1\ntickmark_box_up{box=\"other\"} 0",
        "*",
        "all",
        "*:*",
        "script:",
        "script:*",
        " script: spaces ",
        "=core:x",
        "core:x",
        ":x",
        "x",
    ];
    let long = ["x", "<", "\"", "é", "\u{202e}", " "].map(|one| format!("long:{}", one.repeat(10_000 / one.len())));
    short.into_iter().map(str::to_owned).chain(long).collect()
}

fn ticked(statistics: &Value) -> Vec<String> {
    let all = statistics["statistics"].as_array().unwrap().iter();
    all.filter(|one| one["ticked"] == true).map(|one| one["name"].as_str().unwrap().to_owned()).collect()
}

fn query(name: &str) -> String {
    links::with_query("", &[("box", "bad"), ("name", name)])
}

/// A panel beside such a box.
async fn panel(names: &[String]) -> (TestPanel, FakeBox) {
    let statistics: Vec<(&str, i64)> = names.iter().map(String::as_str).zip(1..).collect();
    let bad = FakeBox::start(&statistics).await;
    let panel = Start::new().signed_in().await;
    panel.add_box("bad", &bad.url()).await;
    panel.until("/cp/api/v1/boxes/bad", |one| one["statistics"] == names.len()).await;
    (panel, bad)
}

async fn text(panel: &TestPanel, path: &str) -> String {
    let answer = panel.ask(Method::GET, path, None).await;
    assert_eq!(answer.status(), StatusCode::OK, "{path:.200}");
    answer.text().await.unwrap()
}

#[tokio::test]
async fn each_name_is_ticked_charted_and_exported_as_itself_alone() {
    let names = names();
    let (panel, _bad) = panel(&names).await;
    let mut on = Vec::new();
    for name in &names {
        panel.send(Method::PUT, &links::tick("bad", name), json!(null), StatusCode::NO_CONTENT).await;
        on.push(name.clone());
        on.sort();
        let mut found = ticked(&panel.get("/cp/api/v1/boxes/bad/statistics").await);
        // In which order people count is not at stake here.
        found.sort();
        assert_eq!(found, on, "{:?}", word_of(name));
    }
    let ticks = panel.get("/cp/api/v1/boxes/bad/ticks").await;
    let told: Vec<&str> = ticks["items"].as_array().unwrap().iter().map(|tick| tick["name"].as_str().unwrap()).collect();
    assert!(
        names.iter().map(String::as_str).eq(told) && ticks["items"].as_array().unwrap().iter().all(|tick| tick["seen"] == true),
        "{ticks}"
    );
    for (name, value) in names.iter().zip(1..) {
        let path = format!("/cp/api/v1/series{}&mode=value", query(name));
        panel.until(&path, |series| series["columns"]["last"][0] == json!(value)).await;
        let svg = text(&panel, &format!("/cp/api/v1/chart.svg{}", query(name))).await;
        assert!(TAGS.iter().all(|tag| !svg.contains(tag)), "{svg}");
        resvg::usvg::Tree::from_str(&svg, &resvg::usvg::Options::default()).unwrap_or_else(|error| panic!("{name:?}: {error}"));
        let link = links::chart_of("bad", name);
        let page = text(&panel, &link).await;
        assert_eq!(page.matches("<figure").count(), 1, "{link:.200}");
        check_page(&page);
        let link = links::statistic("bad", name);
        let page = text(&panel, &link).await;
        assert_eq!(page.matches("<figure").count(), 1, "{link:.200}");
        assert!(page.len() < 4 << 20, "{}", page.len());
        check_page(&page);
    }
    for name in &names {
        panel.send(Method::DELETE, &links::tick("bad", name), json!(null), StatusCode::NO_CONTENT).await;
        on.retain(|other| other != name);
        let mut found = ticked(&panel.get("/cp/api/v1/boxes/bad/statistics").await);
        // In which order people count is not at stake here.
        found.sort();
        assert_eq!(found, on, "{:?}", word_of(name));
    }
}

/// Text stays text, and nothing acts unseen where it is shown.
fn check_page(page: &str) {
    for tag in TAGS {
        assert!(!page.contains(tag), "{tag} in {page}");
    }
    let mut shown = page;
    while let Some(begin) = shown.find("<code") {
        let (code, rest) = shown[begin..].split_once("</code>").unwrap();
        assert!(!code.contains(|c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')), "{code:?}");
        shown = rest;
    }
}

#[tokio::test]
async fn an_export_is_read_back_and_runs_nothing() {
    let names = names();
    let (panel, _bad) = panel(&names).await;
    panel.send(Method::POST, "/cp/api/v1/boxes/bad/ticks", json!({"match": ["all"]}), StatusCode::OK).await;
    for (name, value) in names.iter().zip(1..) {
        panel.until(&format!("/cp/api/v1/series{}&mode=value", query(name)), |series| series["columns"]["last"][0] == json!(value)).await;
        let answer = panel.ask(Method::GET, &format!("/cp/api/v1/export{}", query(name)), None).await;
        let file = answer.headers()[header::CONTENT_DISPOSITION].to_str().unwrap().to_owned();
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        let file = file.strip_prefix("attachment; filename=\"").and_then(|rest| rest.strip_suffix(".csv\"")).unwrap();
        assert!(file.len() <= 200 && file.chars().all(plain), "{file}");
        let csv = answer.text().await.unwrap();
        let cell = &cells(&csv)[1][2];
        assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '\u{ff1d}']), "{cell:?}");
        let read = cell.strip_prefix('\'').unwrap_or(cell);
        assert_eq!(read, name);
        assert_eq!(cells(&csv)[1][3], value.to_string());
    }
}

/// The rows of a CSV file.
fn cells(csv: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut cell, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut letters = csv.chars().peekable();
    while let Some(c) = letters.next() {
        match c {
            '"' if quoted && letters.next_if_eq(&'"').is_some() => cell.push('"'),
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut cell)),
            '\n' if !quoted => {
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            c => cell.push(c),
        }
    }
    rows
}

#[tokio::test]
async fn pages_streams_and_metrics_hold_them_as_text() {
    let names = names();
    let (panel, _bad) = panel(&names).await;
    panel.send(Method::POST, "/cp/api/v1/boxes/bad/ticks", json!({"match": ["all"]}), StatusCode::OK).await;
    check_page(&text(&panel, "/cp/overview").await);
    panel.send(Method::POST, "/cp/api/v1/boxes/bad/ticks", json!({"match": ["all"], "ticked": false}), StatusCode::OK).await;
    let page = text(&panel, "/cp?box=bad").await;
    check_page(&page);
    assert_eq!(page.matches("<tr data-name=").count(), names.len());
    assert_eq!(page.matches("<details class=\"whole\">").count(), 6);
    // Ten thousand bytes six times, some of them long as references, in a few places each.
    assert!(page.len() < 4 << 20, "{}", page.len());
    // A search for one finds it alone.
    let found = text(&panel, &links::realtime("bad", &app::matching::quoted("script:*"), "all")).await;
    assert_eq!(found.matches("<tr data-name=").count(), 1);

    let mut events = Events::open(&panel, "/cp/events?box=bad").await;
    let snapshot = events.until("values", |_| true).await;
    let mut told: Vec<&str> = snapshot["statistics"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    let mut all: Vec<&str> = names.iter().map(String::as_str).collect();
    told.sort_unstable();
    all.sort_unstable();
    assert_eq!(told, all);
    let search = Query::search("long:");
    let mut events = Events::open(&panel, "/cp/events?box=bad&match=long:").await;
    let snapshot = events.until("values", |_| true).await;
    let told = snapshot["statistics"].as_array().unwrap();
    assert!(told.len() == 6 && told.iter().all(|one| search.matches(one["name"].as_str().unwrap())));

    let metrics = text(&panel, "/metrics").await;
    let lines: Vec<&str> = metrics.split('\n').filter(|line| line.starts_with("tickmark_statistic{")).collect();
    assert_eq!(lines.len(), names.len());
    assert!(lines.iter().all(|line| line.rsplit_once("\"} ").is_some_and(|(_, value)| value.parse::<i64>().is_ok())), "{lines:?}");
    assert_eq!(metrics.lines().filter(|line| line.starts_with("tickmark_box_up{box=\"other\"")).count(), 0);
}

#[tokio::test]
async fn a_form_without_javascript_ticks_names_with_line_breaks() {
    let names = ["script:cr\rlf\ncrlf\r\nend", "script:\n", "script:x"].map(str::to_owned);
    let (panel, _bad) = panel(&names).await;
    // Browsers send every line break of a form as CR LF.
    let sent = ["script:cr\r\nlf\r\ncrlf\r\nend", "script:\r\n"];
    panel.form("/cp/ticks", &[("box", "bad"), ("on", sent[0]), ("on", sent[1])]).await;
    assert_eq!(ticked(&panel.get("/cp/api/v1/boxes/bad/statistics").await), [names[1].as_str(), &names[0]]);
    panel.form("/cp/kind", &[("box", "bad"), ("name", sent[1]), ("kind", "gauge")]).await;
    let statistics = panel.get("/cp/api/v1/boxes/bad/statistics?match=all").await;
    let kind = statistics["statistics"].as_array().unwrap().iter().find(|one| one["name"] == names[1].as_str()).unwrap();
    assert_eq!(kind["kind"], "gauge");
    panel.form("/cp/ticks", &[("box", "bad"), ("was", sent[0]), ("was", sent[1]), ("on", sent[1])]).await;
    assert_eq!(ticked(&panel.get("/cp/api/v1/boxes/bad/statistics").await), [names[1].as_str()]);
}

#[tokio::test]
async fn very_many_statistics_are_bounded_where_they_must_be() {
    const COUNT: usize = 15_000;
    let names: Vec<String> = (0..COUNT).map(|n| format!("group{}:name_{n:06}", n % 100)).collect();
    let (panel, bad) = panel(&names).await;
    let page = text(&panel, "/cp?box=bad").await;
    let rows = page.matches("<tr data-name=").count();
    assert!((1_000..=2_000).contains(&rows), "{rows}");
    assert!(page.contains(&format!("{rows} rows are shown, {} more match", COUNT - rows)), "says how many more there are");
    let found = text(&panel, "/cp?box=bad&match=group7:").await;
    assert_eq!(found.matches("<tr data-name=").count(), COUNT / 100);

    let mut events = Events::open(&panel, "/cp/events?box=bad").await;
    let snapshot = events.until("values", |_| true).await;
    let told = snapshot["statistics"].as_array().unwrap().len();
    assert!((2_000..=10_000).contains(&told) && snapshot["left_out"] == COUNT - told, "{told} told, {} left out", snapshot["left_out"]);
    // What changes is told wherever it stands.
    bad.set(&names[COUNT - 1], -7);
    let changed = |data: &Value| data["statistics"].as_array().unwrap().iter().any(|one| one["name"] == names[COUNT - 1].as_str());
    events.until("values", |data| data["snapshot"] == false && changed(data)).await;

    let statistics = panel.get("/cp/api/v1/boxes/bad/statistics").await;
    assert_eq!(statistics["statistics"].as_array().unwrap().len(), COUNT);
    let recorded = panel.send(Method::POST, "/cp/api/v1/boxes/bad/ticks", json!({"match": ["all"]}), StatusCode::OK).await;
    assert_eq!(recorded["recorded"], COUNT);
    let path = format!("/cp/api/v1/series{}&mode=value", query(&names[COUNT - 1]));
    panel.until(&path, |series| series["columns"]["last"][0] == json!(-7)).await;
    let charts = text(&panel, "/cp/charts?box=bad").await;
    assert!(charts.matches("<figure").count() <= 400 && charts.contains("more match"));
}
