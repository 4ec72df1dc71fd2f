//! `/cp/boxes/{box}/{group:name}`.

use app::links;
use reqwest::{Method, Response, StatusCode};
use serde_json::json;

use crate::{
    fake_box::FakeBox,
    support::{Start, TestPanel},
};

const COUNTER: &str = "core:rcv_requests";

async fn panel() -> (TestPanel, FakeBox) {
    let panel = Start::new().signed_in().await;
    let sip1 = FakeBox::start(&[
        (COUNTER, 500),
        ("core:rcv_replies", 5),
        ("core:fwd_requests", 1),
        ("core:err_requests", 0),
        ("dialog:active_dialogs", 7),
        ("script:a/b", 1),
    ])
    .await;
    panel.add_box("sip1", &sip1.url()).await;
    panel.until("/cp/api/v1/boxes/sip1/statistics", |all| all["statistics"][4]["kind"] == "gauge").await;
    (panel, sip1)
}

async fn ask(panel: &TestPanel, path: &str) -> Response {
    panel.ask(Method::GET, path, None).await
}

async fn text(panel: &TestPanel, path: &str) -> String {
    let answer = ask(panel, path).await;
    assert_eq!(answer.status(), StatusCode::OK, "{path:.200}");
    answer.text().await.unwrap()
}

fn words(html: &str) -> String {
    html.split('<').filter_map(|part| part.split_once('>').map(|(_, text)| text)).collect()
}

#[tokio::test]
async fn it_says_what_is_known_of_it() {
    let (panel, _sip1) = panel().await;
    let html = text(&panel, "/cp/boxes/sip1/core:rcv_requests").await;
    let said = words(&html);
    for part in ["No: nothing ticks it.", "Tick it to record it.", "SIP traffic: Received", "Worth watching with it", "Others of core"] {
        assert!(said.contains(part), "{part} in {said}");
    }
    for name in ["core:rcv_replies", "core:fwd_requests"] {
        assert!(html.contains(&format!("<tr data-name=\"{name}\"")), "{name} in {html}");
    }
    assert!(!html.contains("<tr data-name=\"dialog:active_dialogs\""));
    assert!(html.contains("data-span=\"24h\"") && html.contains("data-mode=\"rate\""));
    // Other spans, and drawn as a value.
    let html = text(&panel, "/cp/boxes/sip1/core:rcv_requests?span=7d&mode=value").await;
    assert!(html.contains("data-span=\"7d\"") && html.contains("data-mode=\"value\""));
    // By the number of the box, and with the colon encoded.
    let id = panel.get("/cp/api/v1/boxes/sip1").await["id"].clone();
    assert!(text(&panel, &format!("/cp/boxes/{id}/core%3Arcv_requests")).await.contains("<code>rcv_requests</code>"));
    // Its rows lead here.
    assert!(text(&panel, "/cp?box=sip1").await.contains("href=\"/cp/boxes/sip1/script:a%2Fb\">a/b</a>"));
    assert!(text(&panel, "/cp/boxes/sip1/script:a%2Fb").await.contains("<code>a/b</code>"));
}

#[tokio::test]
async fn its_span_is_the_one_that_was_chosen_else_the_persons_own() {
    let (panel, _sip1) = panel().await;
    panel.send(Method::PATCH, "/cp/api/v1/me/settings", json!({"span": "7d"}), StatusCode::OK).await;
    let path = "/cp/boxes/sip1/core:rcv_requests";
    let html = text(&panel, path).await;
    assert!(html.contains("data-span=\"7d\""), "{html}");
    assert!(html.contains(&format!("href=\"{path}?span=24h\"")) && html.contains(&format!("href=\"{path}\"")), "its own is left out");
    let html = text(&panel, &format!("{path}?span=1h")).await;
    assert!(html.contains("data-span=\"1h\"") && html.contains(&format!("href=\"{path}?span=1h&amp;mode=value\"")), "{html}");
    // From one instant to another, with the way back.
    let html = text(&panel, &format!("{path}?from=1000&to=61000")).await;
    assert!(html.contains("data-range=\"from=1000&amp;to=61000\""), "{html}");
    assert!(words(&html).contains("1 Jan 00:00:01 to 00:01:01 · 1 min UTC"), "{html}");
}

#[tokio::test]
async fn why_it_is_recorded_is_said() {
    let (panel, _sip1) = panel().await;
    let path = "/cp/boxes/sip1/core:rcv_requests";
    let form = [("box", "sip1"), ("return", path), ("on", COUNTER)];
    let back = panel.form("/cp/ticks", &form).await;
    assert_eq!(back.headers()["location"], path);
    assert!(words(&text(&panel, path).await).contains("Yes, by its own tick, made in the panel."));
    panel.send(Method::DELETE, &links::tick("sip1", COUNTER), json!(null), StatusCode::NO_CONTENT).await;
    panel.until_text(path, |html| words(html).contains("No longer: it was unticked.")).await;
    panel.send(Method::POST, "/cp/api/v1/boxes/sip1/ticks", json!({"match": ["core:", "rcv_*"]}), StatusCode::OK).await;
    assert!(words(&text(&panel, path).await).contains("Yes, by core:, made in the panel, and by rcv_*, made in the panel."));
    panel.send(Method::DELETE, &links::tick("sip1", COUNTER), json!(null), StatusCode::NO_CONTENT).await;
    assert!(words(&text(&panel, path).await).contains("No: it was unticked, though core: and rcv_* would record it."));
}

#[tokio::test]
async fn what_happened_is_listed_with_who_did_it() {
    let (panel, sip1) = panel().await;
    let path = "/cp/boxes/sip1/core:rcv_requests";
    panel.send(Method::PUT, &links::tick("sip1", COUNTER), json!(null), StatusCode::NO_CONTENT).await;
    panel.until_text(path, |html| words(html).contains("Nothing: no gap, no restart, no reset.")).await;
    panel.send(Method::POST, "/cp/api/v1/boxes/sip1/reset", json!({"statistics": [COUNTER]}), StatusCode::OK).await;
    panel.until_text(path, |html| words(html).contains("Set to zero by admin.")).await;
    sip1.silence(true);
    panel.until_text(path, |html| words(html).contains("No values for ")).await;
    sip1.silence(false);
    sip1.restart();
    panel.until_text(path, |html| words(html).contains("The box restarted.")).await;
}

#[tokio::test]
async fn a_tick_that_waits_for_its_statistic_has_a_page_and_nothing_else_has() {
    let (panel, _sip1) = panel().await;
    panel.send(Method::PUT, &links::tick("sip1", "script:later"), json!(null), StatusCode::NO_CONTENT).await;
    let html = text(&panel, "/cp/boxes/sip1/script:later").await;
    assert!(words(&html).contains("the box does not name it now"), "{html}");
    for (path, title, next) in [
        ("/cp/boxes/sip1/core:nothing", "No such statistic", "href=\"/cp?box=sip1\" class=\"btn main\">Statistics of sip1</a>"),
        ("/cp/boxes/sip1/%3Cb%3E", "No such statistic", "href=\"/cp?box=sip1\" class=\"btn main\">Statistics of sip1</a>"),
        ("/cp/boxes/nobody/core:rcv_requests", "No such box", "href=\"/cp/boxes\" class=\"btn main\">Boxes</a>"),
        ("/cp/boxes/sip1/core:rcv_requests/more", "Nothing here", "href=\"/cp\" class=\"btn\">To Realtime Statistics</a>"),
    ] {
        let answer = ask(&panel, path).await;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{path}");
        let html = answer.text().await.unwrap();
        assert!(html.contains(title) && html.contains(next), "{html}");
    }
    // Tools are told where it is listed.
    let problem = ask(&panel, "/cp/api/v1/series?box=sip1&name=core:nothing").await.text().await.unwrap();
    assert!(problem.contains("GET boxes/sip1/statistics lists those it has"), "{problem}");
    assert_eq!(ask(&panel, "/cp/boxes/sip1/%FF").await.status(), StatusCode::BAD_REQUEST);
}
