//! A database that cannot be written for a while: the panel stays up, says so, and records afterwards what was answered meanwhile.

use std::{path::Path, process::Command};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::{Connection, SqliteConnection};

use crate::{
    events::Events,
    fake_box::FakeBox,
    left_out::left_out,
    support::{
        Start, TestPanel,
        database::{ask_server, is_on_server},
    },
};

/// The counter that the box raises by one at each poll.
const COUNTER: &str = "core:polls";

/// A panel that records a box, and its stream.
async fn recording() -> (TestPanel, FakeBox, Events) {
    let panel = Start::new().signed_in().await;
    let one = FakeBox::start(&[]).await;
    one.count_polls(COUNTER);
    panel.add_box("sip1", &one.url()).await;
    panel.send(Method::PUT, "/cp/api/v1/boxes/sip1/ticks/core%3Apolls", json!(null), StatusCode::NO_CONTENT).await;
    let mut events = Events::open(&panel, "/cp/events?box=sip1").await;
    events.until("recorded", |_| true).await;
    (panel, one, events)
}

/// The fault is on every page and in `/readyz`, and a write is refused with the reason.
async fn is_said(panel: &TestPanel, words: &str) {
    for page in ["/cp", "/cp?box=sip1", "/cp/charts", "/cp/boxes"] {
        let text = panel.ask(Method::GET, page, None).await.text().await.unwrap();
        assert!(text.contains(words), "{page}: {text}");
    }
    let ready = panel.ask(Method::GET, "/readyz", None).await;
    assert_eq!(ready.status(), StatusCode::SERVICE_UNAVAILABLE);
    let text = ready.text().await.unwrap();
    assert!(text.contains(words), "{text}");
    let refused = panel.send(Method::PUT, "/cp/api/v1/boxes/sip1/ticks/core%3Aother", json!(null), StatusCode::SERVICE_UNAVAILABLE).await;
    assert!(refused["detail"].as_str().unwrap().contains(words), "{refused}");
}

/// Every value that the stream shows from now on, up to a fifth one, by the time of its poll.
async fn shown(events: &mut Events) -> Vec<(i64, i64)> {
    let mut shown = Vec::new();
    while shown.len() < 5 {
        let data = events.until("values", |data| !data["statistics"].as_array().unwrap().is_empty()).await;
        shown.push((data["at"].as_i64().unwrap(), data["statistics"][0]["value"].as_i64().unwrap()));
    }
    shown
}

/// The fault has ended: all that was shown meanwhile is recorded.
async fn is_over(panel: &TestPanel, events: &mut Events, shown: &[(i64, i64)]) {
    events.until("fault", |data| data["message"].is_null()).await;
    let last = shown.last().unwrap().0;
    events.until("recorded", |data| data["at"].as_i64().unwrap() > last).await;
    let series = panel.get("/cp/api/v1/series?box=sip1&name=core:polls&mode=value").await;
    let times = series["columns"]["t"].as_array().unwrap();
    for (at, value) in shown {
        let place = times.iter().position(|time| time == at).unwrap_or_else(|| panic!("{at} is not recorded"));
        assert_eq!(series["columns"]["last"][place], json!(value));
    }
    assert_eq!(series["gaps"], json!([]));
    assert_eq!(panel.ask(Method::GET, "/readyz", None).await.status(), StatusCode::OK);
    let page = panel.ask(Method::GET, "/cp?box=sip1", None).await.text().await.unwrap();
    assert!(!page.contains("Nothing is recorded"), "{page}");
    let own = panel.get("/cp/api/v1/boxes/tickmark/statistics?match=polls:lost").await;
    assert_eq!(own["statistics"][0]["value"], json!(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_locked_database_is_said_and_waited_for() {
    if is_on_server() {
        return;
    }
    let (panel, _box, mut events) = recording().await;
    let mut other = SqliteConnection::connect(&panel.database().url()).await.unwrap();
    let held = other.begin_with("begin immediate").await.unwrap();
    let fault = events.until("fault", |data| data["message"].is_string()).await;
    assert!(fault["message"].as_str().unwrap().contains("another program holds the database"), "{fault}");
    let shown = shown(&mut events).await;
    is_said(&panel, "another program holds the database").await;
    held.rollback().await.unwrap();
    is_over(&panel, &mut events, &shown).await;
}

/// Files that nobody may write, not even who has them open; writable again when this is dropped.
struct Immutable<'a>(&'a Path);

impl<'a> Immutable<'a> {
    /// None where the file system, or this user, cannot.
    fn make(database: &'a Path) -> Option<Self> {
        let files = Self(database);
        if files.set("+i") {
            return Some(files);
        }
        left_out("this user or this file system cannot make files immutable");
        None
    }

    fn set(&self, flag: &str) -> bool {
        let log = format!("{}-wal", self.0.display());
        Command::new("chattr").arg(flag).arg(self.0).arg(log).status().is_ok_and(|status| status.success())
    }
}

impl Drop for Immutable<'_> {
    fn drop(&mut self) {
        self.set("-i");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_only_file_is_said_and_waited_for() {
    if is_on_server() {
        return;
    }
    let (panel, _box, mut events) = recording().await;
    let database = panel.database().path();
    let Some(immutable) = Immutable::make(&database) else { return };
    let fault = events.until("fault", |data| data["message"].is_string()).await;
    assert!(fault["message"].as_str().unwrap().contains("may not be written"), "{fault}");
    let shown = shown(&mut events).await;
    is_said(&panel, "may not be written").await;
    drop(immutable);
    is_over(&panel, &mut events, &shown).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_away_is_said_and_waited_for() {
    if !is_on_server() {
        return;
    }
    let (panel, _box, mut events) = recording().await;
    let name = panel.database().on_server().unwrap();
    ask_server(&format!("alter database {name} allow_connections false"));
    ask_server(&format!("select pg_terminate_backend(pid) from pg_stat_activity where datname = '{name}'"));
    let fault = events.until("fault", |data| data["message"].is_string()).await;
    assert!(fault["message"].as_str().unwrap().contains("the database cannot be reached"), "{fault}");
    let shown = shown(&mut events).await;
    let ready = panel.ask(Method::GET, "/readyz", None).await;
    assert_eq!(ready.status(), StatusCode::SERVICE_UNAVAILABLE);
    ask_server(&format!("alter database {name} allow_connections true"));
    is_over(&panel, &mut events, &shown).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panel_that_starts_again_shows_what_was_recorded_last() {
    let (panel, one, mut events) = recording().await;
    one.silence(true);
    events.until("box", |data| data["state"] == "down").await;
    let before: Value = panel.get("/cp/api/v1/boxes/sip1/statistics").await;
    drop(events);
    let panel = {
        let mut again = Start::again(panel.stop().await).open().await;
        again.sign_in().await;
        again
    };
    let after = panel.until("/cp/api/v1/boxes/sip1", |one| one["state"] == "down").await;
    assert_eq!(after["at"], before["at"], "{after}");
    let after = panel.get("/cp/api/v1/boxes/sip1/statistics").await;
    assert_eq!(after["statistics"][0]["value"], before["statistics"][0]["value"]);
    assert!(after["age_ms"].as_i64().unwrap() >= before["age_ms"].as_i64().unwrap());
    let page = panel.ask(Method::GET, "/cp?box=sip1", None).await.text().await.unwrap();
    assert!(page.contains("last known") && !page.contains("never answered"), "{page}");
    let charts = panel.ask(Method::GET, "/cp/charts?box=sip1", None).await.text().await.unwrap();
    assert!(charts.contains(COUNTER), "{charts}");
}
