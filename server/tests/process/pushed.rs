//! `kill -9` at random instants while scripts push: at most a second of it is lost, and never what was recorded.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use app::model::Number;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use reqwest::{StatusCode, header};
use serde_json::{Value, json};
use server::{
    auth::{hash_secret, new_token},
    store::{Store, Token},
};

use crate::served::{Served, run};

const KILLS: usize = 8;
const NAME: &str = "calls:pushed";
/// What may be lost.
const LOSS: Duration = Duration::from_secs(1);

struct Stage {
    folder: tempfile::TempDir,
    token: String,
    client: reqwest::Client,
}

impl Stage {
    async fn new() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let stage = Self { folder: tempfile::tempdir().unwrap(), token: new_token().unwrap().0, client: reqwest::Client::new() };
        let store = stage.open().await;
        let token = Token { name: "script".to_owned(), scope: "admin".to_owned(), created_ms: 1 };
        store.add_token(&token, &hash_secret(&stage.token)).await.unwrap();
        store.close().await;
        stage
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    async fn open(&self) -> Store {
        Store::open(&format!("sqlite:{}", self.path().join("tickmark.db").display())).await.unwrap()
    }

    async fn send(&self, panel: &Served, method: reqwest::Method, path: &str, body: Value) -> reqwest::Result<StatusCode> {
        let request = self.client.request(method, format!("http://{}/cp/api/v1/boxes/tickmark/{path}", panel.address));
        let request = request.bearer_auth(&self.token).header(header::CONTENT_TYPE, "application/json").body(body.to_string());
        Ok(request.send().await?.status())
    }

    async fn push(&self, panel: &Served) {
        let status = self.send(panel, reqwest::Method::POST, "update", json!({"name": NAME, "by": 1})).await.unwrap();
        assert_eq!(status, StatusCode::NO_CONTENT);
    }

    /// What is kept, and the largest sample that is recorded.
    async fn kept(&self) -> (i64, i64) {
        let store = self.open().await;
        let kept = store.custom().await.unwrap().into_iter().find(|one| one.name == NAME).map_or(0, |one| one.value);
        let own = store.boxes().await.unwrap().iter().find(|one| one.spec.name == "tickmark").unwrap().id;
        let mut recorded = 0;
        for (series, name) in store.series_of(own).await.unwrap() {
            if name == NAME {
                let samples = store.samples(series, i64::MIN, i64::MAX).await.unwrap();
                let values = samples.iter().filter_map(|(_, value)| if let Some(Number::Int(value)) = value { Some(value) } else { None });
                recorded = values.max().unwrap_or(0);
            }
        }
        store.close().await;
        (kept, recorded)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_panel_loses_a_second_at_most_and_nothing_that_was_recorded() {
    let stage = Stage::new().await;
    let mut runner = TestRunner::default();
    let (mut pushed, mut recorded_at_all) = (0, 0);
    for _ in 0..KILLS {
        let mut panel = Served::start_set_up(stage.path(), &["--interval", "200ms"]);
        let status = stage.send(&panel, reqwest::Method::PUT, &format!("ticks/{NAME}"), json!(null)).await.unwrap();
        assert_eq!(status, StatusCode::NO_CONTENT);
        // When each push was answered, and what was pushed in all by then.
        let mut answered = vec![(Instant::now(), pushed)];
        let until = Instant::now() + Duration::from_millis((300..2_500_u64).new_tree(&mut runner).unwrap().current());
        while Instant::now() < until {
            stage.push(&panel).await;
            pushed += 1;
            answered.push((Instant::now(), pushed));
        }
        panel.signal("KILL");
        let killed = Instant::now();
        panel.child.wait().unwrap();
        let (kept, recorded) = stage.kept().await;
        let safe = answered.iter().rev().find(|(at, _)| *at + LOSS < killed).map_or(answered[0].1, |(_, count)| *count);
        assert!((safe..=pushed).contains(&kept), "{kept} kept; {safe} were pushed a second before the end, {pushed} in all");
        assert!(kept >= recorded, "{kept} kept, {recorded} recorded");
        recorded_at_all = recorded;
        pushed = kept;
    }
    assert!(recorded_at_all > 0);
    let check = run(stage.path(), &["check"]);
    assert!(check.status.success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panel_that_is_ended_in_good_order_loses_no_push() {
    let stage = Stage::new().await;
    let mut pushed = 0;
    for _ in 0..3 {
        let mut panel = Served::start_set_up(stage.path(), &["--interval", "1h"]);
        for _ in 0..50 {
            stage.push(&panel).await;
            pushed += 1;
        }
        panel.signal("TERM");
        assert!(panel.child.wait().unwrap().success());
        assert_eq!(stage.kept().await.0, pushed);
    }
}
