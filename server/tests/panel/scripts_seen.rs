//! Scripts on their page, and what they see of boxes.

use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::{
    fake_box::FakeBox,
    scripts::{SCRIPTS, path},
    support::{Start, TestPanel},
};

#[tokio::test]
async fn the_page_does_all_of_it_without_javascript() {
    let panel = Start::new().signed_in().await;
    let text = async |path: &str| panel.ask(Method::GET, path, None).await.text().await.unwrap();
    assert!(text("/cp/scripts").await.contains("There are no scripts yet"));
    assert!(text("/cp/scripts?new=yes").await.contains("New script"));
    let wrong =
        panel.form("/cp/scripts", &[("do", "save"), ("name", "a"), ("source", "let x = 1;\r\nlet y = ;"), ("schedule", "every x")]).await;
    assert_eq!(wrong.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let html = wrong.text().await.unwrap();
    assert!(html.contains("The time of every is wrong") && html.contains("let y = ;"), "{html}");
    let wrong = panel.form("/cp/scripts", &[("do", "save"), ("name", "a"), ("source", "let x = 1;\r\nlet y = ;"), ("schedule", "")]).await;
    let html = wrong.text().await.unwrap();
    assert!(html.contains("Line 2, column 9") && html.contains("class=\"where\""), "{html}");
    let dry = panel.form("/cp/scripts", &[("do", "dry"), ("name", "a"), ("source", "update_stat(\"a:b\", 2)"), ("schedule", "")]).await;
    let html = dry.text().await.unwrap();
    assert!(html.contains("The dry run came to its end") && html.contains("update_stat a:b: – → 2"), "{html}");
    assert_eq!(panel.get(SCRIPTS).await, json!({"items": []}));
    let saved = panel
        .form("/cp/scripts", &[("do", "save"), ("name", "a"), ("source", "update_stat(\"a:b\", 2);\r\nprint(1)"), ("schedule", "every 7d")])
        .await;
    assert_eq!(saved.status(), StatusCode::SEE_OTHER);
    assert_eq!(panel.get(&path("a")).await["source"], "update_stat(\"a:b\", 2);\nprint(1)");
    let run = panel.form("/cp/scripts/a", &[("do", "run"), ("source", "1 / 0"), ("schedule", "every 7d")]).await;
    let html = run.text().await.unwrap();
    assert!(html.contains("The run failed") && html.contains("Line 1, column 3"), "{html}");
    let html = text("/cp/scripts/a?version=1").await;
    assert!(html.contains("This is version 1.") && html.contains("print(1)"), "{html}");
    assert!(text("/cp/scripts/a?remove=yes").await.contains("Remove a?"));
    let hosts = panel.form("/cp/scripts", &[("do", "hosts"), ("hosts", "http://x/")]).await;
    assert!(hosts.text().await.unwrap().contains("is no host"));
    panel.form("/cp/scripts", &[("do", "hosts"), ("hosts", "hooks.example")]).await;
    assert!(text("/cp/scripts").await.contains("value=\"hooks.example\""));
    panel.form("/cp/scripts/a", &[("do", "remove")]).await;
    assert_eq!(panel.ask(Method::GET, "/cp/scripts/a", None).await.status(), StatusCode::NOT_FOUND);
    // Who may only read sees it, and changes nothing.
    let token = panel.token("read").await;
    let client = TestPanel::client();
    let page = client.get(panel.url("/cp/scripts")).bearer_auth(&token).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("Ready to add") && !page.contains("value=\"ready\""), "{page}");
}

#[tokio::test]
async fn what_happens_to_a_box_runs_what_waits_for_it() {
    let panel = Start::new().signed_in().await;
    let sip1 = FakeBox::start(&[("core:rcv_requests", 5), ("dialog:active_dialogs", 3), ("tm:kept", 4)]).await;
    panel.add_box("sip1", &sip1.url()).await;
    panel.until("/cp/api/v1/boxes/sip1", |one| one["state"] == "up").await;
    panel.script("down", "print(`${event.what} ${event.box}`); notify(\"critical\", event.text)", Some("on box_down")).await;
    panel.script("other", "1", Some("on box_down sip2")).await;
    panel.script("up", "print(event.what)", Some("on box_up sip1")).await;
    panel.script("restarted", "print(event.what)", Some("on restart")).await;
    sip1.silence(true);
    let down = panel.until(&path("down/runs"), |runs| runs["items"][0]["outcome"] == "ok").await;
    let run = &down["items"][0];
    assert_eq!((&run["output"], &run["by"]), (&json!("box_down sip1\n"), &json!("box_down sip1")));
    assert_eq!(run["changed"][0]["what"], "notify");
    sip1.restart();
    sip1.silence(false);
    panel.until(&path("up/runs"), |runs| runs["items"][0]["outcome"] == "ok").await;
    panel.until(&path("restarted/runs"), |runs| runs["items"][0]["output"] == "restart\n").await;
    assert_eq!(panel.get(&path("other/runs")).await, json!({"items": []}));
}

#[tokio::test]
async fn statistics_of_boxes_are_read_and_reset() {
    let panel = Start::new().signed_in().await;
    let sip1 = FakeBox::start(&[("core:rcv_requests", 5), ("dialog:active_dialogs", 3), ("tm:kept", 4)]).await;
    panel.add_box("sip1", &sip1.url()).await;
    panel.until("/cp/api/v1/boxes/sip1", |one| one["state"] == "up").await;
    let read = panel.once("print(stat(\"dialog:active_dialogs\")); print(stat(\"sip1\", \"rcv_requests\")); for s in stat_iter(\"core\") { print(s.bare + s.box) }");
    assert_eq!(read.await["output"], "3\n5\nrcv_requestssip1\n");
    panel.script("reset", "reset_stat(\"sip1\", [\"core:rcv_requests\"])", None).await;
    let changed = json!([{"what": "reset_stat", "box": "sip1", "name": "core:rcv_requests", "from": 5, "to": 0}]);
    assert_eq!(panel.run("reset", json!({"dry": true})).await["changed"], changed);
    assert_eq!(panel.once("print(stat(\"sip1\", \"core:rcv_requests\"))").await["output"], "5\n");
    assert_eq!(panel.run("reset", json!({})).await["changed"], changed);
    panel.until("/cp/api/v1/boxes/sip1/statistics?match=core:", |all| all["statistics"][0]["value"] == 0).await;
    let refused = panel.once("reset_stat(\"sip1\", \"tm:kept\")").await;
    assert!(refused["error"]["message"].as_str().unwrap().contains("tm:kept of sip1 was not set to zero"), "{refused}");
    let sip2 = FakeBox::start(&[("core:rcv_requests", 7)]).await;
    panel.add_box("sip2", &sip2.url()).await;
    panel.until("/cp/api/v1/boxes/sip2", |one| one["state"] == "up").await;
    let both = panel.once("stat(\"core:rcv_requests\")").await;
    assert!(both["error"]["message"].as_str().unwrap().contains("2 boxes have core:rcv_requests (sip1, sip2): say which"), "{both}");
}
