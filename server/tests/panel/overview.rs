//! `/cp/overview`, and what its stream tells.

use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json};

use crate::{
    events::Events,
    fake_box::FakeBox,
    support::{Start, TestPanel},
};

async fn page(panel: &TestPanel, query: &str) -> String {
    let answer = panel.ask(Method::GET, &format!("/cp/overview{query}"), None).await;
    assert_eq!(answer.status(), StatusCode::OK);
    answer.text().await.unwrap()
}

/// The names of the boxes in the order of their tiles; those that are hidden are left out.
fn shown(html: &str) -> Vec<&str> {
    let tiles = html.split("<li class=\"tile").skip(1).map(|tile| tile.split_once('>').unwrap().0);
    let seen = tiles.filter(|tile| !tile.ends_with(" hidden"));
    seen.map(|tile| tile.split_once("data-box=\"").unwrap().1.split_once('"').unwrap().0).collect()
}

fn tile<'a>(html: &'a str, name: &str) -> &'a str {
    let begin = html.find(&format!("data-box=\"{name}\"")).unwrap_or_else(|| panic!("{name} in {html}"));
    html[begin..].split_once("</li>").unwrap().0
}

const STATISTICS: [(&str, i64); 6] = [
    ("core:rcv_requests", 500),
    ("dialog:active_dialogs", 7),
    ("shmem:total_size", 1_000),
    ("shmem:used_size", 250),
    ("script:other", 1),
    ("script:ticked", 3),
];

#[tokio::test]
async fn every_box_has_its_tile_and_problems_come_first() {
    let panel = Start::new().signed_in().await;
    let (well, ill) = (FakeBox::start(&STATISTICS).await, FakeBox::start(&STATISTICS).await);
    panel.add_box("well", &well.url()).await;
    panel.add_box("ill", &ill.url()).await;
    panel.add_box("resting", &well.url()).await;
    for name in ["well", "ill", "resting"] {
        panel.until(&format!("/cp/api/v1/boxes/{name}"), |one| one["state"] == "up").await;
    }
    panel.send(Method::PATCH, "/cp/api/v1/boxes/resting", json!({"paused": true}), StatusCode::OK).await;
    panel.send(Method::PUT, "/cp/api/v1/boxes/well/ticks/script:ticked", json!(null), StatusCode::NO_CONTENT).await;
    ill.silence(true);
    panel.until("/cp/api/v1/boxes/ill", |one| one["state"] == "down").await;

    let html = page(&panel, "").await;
    assert_eq!(shown(&html), ["ill", "resting", "tickmark", "well"]);
    assert_eq!(shown(&page(&panel, "?sort=name").await), ["ill", "resting", "tickmark", "well"]);
    assert!(tile(&html, "ill").contains("no answer") && tile(&html, "ill").contains("class=\"why\" title="));
    assert!(tile(&html, "resting").contains("paused"));
    let well = tile(&html, "well");
    let names: Vec<&str> = well.split("data-name=\"").skip(1).map(|rest| rest.split_once('"').unwrap().0).collect();
    assert_eq!(names, ["core:rcv_requests", "dialog:active_dialogs", "shmem:used_size", "script:ticked"]);
    assert!(well.contains(">shared memory</dt>") && well.contains("href=\"/cp?box=well\""), "{well}");
    // What a search finds, by name, state, and word by word.
    for (search, expect) in
        [("wel", vec!["well"]), ("NO%20answer", vec!["ill"]), ("opensips%20paused", vec!["resting"]), ("nobody", vec![])]
    {
        let html = page(&panel, &format!("?match={search}")).await;
        assert_eq!(shown(&html), expect, "{search}");
        let nothing = html.split("<p ").find(|part| part.contains("id=\"nothing\"")).unwrap().split_once('>').unwrap().0;
        assert_eq!(nothing.contains(" hidden"), !expect.is_empty(), "{nothing}");
    }
}

#[tokio::test]
async fn the_stream_tells_of_each_box_what_its_tile_shows() {
    let panel = Start::new().signed_in().await;
    let sip1 = FakeBox::start(&STATISTICS).await;
    panel.add_box("sip1", &sip1.url()).await;
    panel.until("/cp/api/v1/boxes/sip1", |one| one["state"] == "up").await;
    let mut events = Events::open(&panel, "/cp/events?show=overview").await;
    let told = |data: &Value| -> Vec<String> {
        let all = data["statistics"].as_array().unwrap().iter();
        let mut names: Vec<String> = all.map(|one| one["name"].as_str().unwrap().to_owned()).collect();
        names.sort_unstable();
        names
    };
    let snapshot = events.until("values", |data| data["box"] == "sip1").await;
    assert_eq!(snapshot["snapshot"], true);
    assert_eq!(told(&snapshot), ["core:rcv_requests", "dialog:active_dialogs", "shmem:total_size", "shmem:used_size"]);
    sip1.set("script:other", 99);
    sip1.set("dialog:active_dialogs", 8);
    let change = events.until("values", |data| data["box"] == "sip1" && told(data).contains(&"dialog:active_dialogs".to_owned())).await;
    assert_eq!((change["snapshot"].as_bool(), told(&change).contains(&"script:other".to_owned())), (Some(false), false));
    // Once something is ticked that has room, the tile is another one: all of it is told anew.
    panel.send(Method::PUT, "/cp/api/v1/boxes/sip1/ticks/script:other", json!(null), StatusCode::NO_CONTENT).await;
    let again = events.until("values", |data| data["box"] == "sip1" && data["snapshot"] == true).await;
    assert_eq!(told(&again).len(), 5);
}

#[tokio::test]
async fn a_hundred_boxes_are_one_page_of_lines() {
    let panel = Start::new().signed_in().await;
    let sip = FakeBox::start(&STATISTICS).await;
    for number in 1..=100 {
        let body = json!({"name": format!("sip{number}"), "address": sip.url(), "kind": "opensips", "interval": "1h"});
        panel.send(Method::POST, "/cp/api/v1/boxes", body, StatusCode::CREATED).await;
    }
    let html = page(&panel, "").await;
    assert_eq!(shown(&html).len(), 101);
    assert!(html.contains("class=\"tiles lines\"") && html.len() < 400_000, "{}", html.len());
    assert_eq!(shown(&page(&panel, "?sort=name&match=sip").await)[..3], ["sip1", "sip2", "sip3"]);
    assert!(page(&panel, "?size=tiles").await.contains("class=\"tiles\""));
}

#[tokio::test]
async fn nobody_sees_it_without_a_session() {
    let panel = Start::new().open().await;
    for path in ["/cp/overview?sort=name", "/cp/boxes/tickmark/host:load_1m"] {
        let answer = panel.ask(Method::GET, path, None).await;
        assert_eq!(answer.status(), StatusCode::SEE_OTHER);
        assert!(answer.headers()[header::LOCATION].to_str().unwrap().starts_with("/cp/login?next=/cp/"), "{:?}", answer.headers());
    }
}
