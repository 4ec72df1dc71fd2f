//! Watches a panel's stream, as a page does, and keeps what it was told.

use std::{collections::BTreeMap, time::Duration};

use reqwest::{Response, StatusCode, header};
use serde_json::Value;

use crate::served::{PASSWORD, Served};

/// Waiting for something that must come takes at most this long, on however slow a machine.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// Waits until something is so that nothing tells of: it is looked at again and again.
pub(crate) async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let waiting = async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(LIMIT, waiting).await.unwrap_or_else(|_| panic!("in vain waited for: {what}"))
}

/// What a panel has said of the statistic that a test follows.
#[derive(Default)]
pub(crate) struct Told {
    /// The values, by box and time of the poll.
    pub(crate) values: BTreeMap<(String, i64), i64>,
    /// Box and time of what was said to be recorded.
    pub(crate) recorded: Vec<(String, i64)>,
    /// The newest word on why nothing is recorded.
    pub(crate) fault: Option<String>,
}

/// A stream that is open.
pub(crate) struct Watcher {
    client: reqwest::Client,
    address: String,
    cookie: String,
    stream: Response,
    text: String,
    statistic: &'static str,
}

impl Watcher {
    /// Signs in and opens the stream.
    pub(crate) async fn open(panel: &Served, statistic: &'static str) -> Self {
        // Another test of this process may have installed it already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let address = panel.address.clone();
        let body = serde_json::json!({"user": "admin", "password": PASSWORD}).to_string();
        let login = client.post(format!("http://{address}/cp/api/v1/login")).header(header::CONTENT_TYPE, "application/json").body(body);
        let login = login.send().await.unwrap();
        assert_eq!(login.status(), StatusCode::OK);
        let cookie = login.headers()[header::SET_COOKIE].to_str().unwrap().split(';').next().unwrap().to_owned();
        let stream = client.get(format!("http://{address}/cp/events")).header(header::COOKIE, &cookie).send().await.unwrap();
        assert_eq!(stream.status(), StatusCode::OK);
        Self { client, address, cookie, stream, text: String::new(), statistic }
    }

    /// Asks the panel for a path; the status and the text.
    pub(crate) async fn get(&self, path: &str) -> (StatusCode, String) {
        let answer = self.client.get(format!("http://{}{path}", self.address)).header(header::COOKIE, &self.cookie).send().await.unwrap();
        (answer.status(), answer.text().await.unwrap())
    }

    /// Sends the panel JSON; the status and the text.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> (StatusCode, String) {
        let post = self.client.post(format!("http://{}{path}", self.address)).header(header::COOKIE, &self.cookie);
        let answer = post.header(header::CONTENT_TYPE, "application/json").body(body.to_string()).send().await.unwrap();
        (answer.status(), answer.text().await.unwrap())
    }

    /// Takes the next part of the stream; says whether there was one.
    pub(crate) async fn hear(&mut self, told: &mut Told) -> bool {
        let Ok(Some(part)) = self.stream.chunk().await else { return false };
        self.text.push_str(std::str::from_utf8(&part).unwrap());
        while let Some(end) = self.text.find("\n\n") {
            let event: String = self.text.drain(..end + 2).collect();
            let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).map(str::trim).unwrap_or_default();
            let data: Value = serde_json::from_str(field("data:")).unwrap();
            let name = || data["box"].as_str().unwrap().to_owned();
            match field("event:") {
                "values" => {
                    let statistics = data["statistics"].as_array().unwrap();
                    if let Some(one) = statistics.iter().find(|one| one["name"] == self.statistic)
                        && let Some(value) = one["value"].as_i64()
                    {
                        told.values.insert((name(), data["at"].as_i64().unwrap()), value);
                    }
                }
                "recorded" => told.recorded.push((name(), data["at"].as_i64().unwrap())),
                "fault" => told.fault = data["message"].as_str().map(str::to_owned),
                _ => {}
            }
        }
        true
    }

    /// Listens until something is so.
    pub(crate) async fn until(&mut self, told: &mut Told, what: &str, is_so: impl Fn(&Told) -> bool) {
        let waiting = async {
            while !is_so(told) {
                assert!(self.hear(told).await, "the stream ended before {what}");
            }
        };
        tokio::time::timeout(LIMIT, waiting).await.unwrap_or_else(|_| panic!("in vain waited for: {what}"));
    }

    /// Listens for a while, or until the stream ends.
    pub(crate) async fn listen(&mut self, told: &mut Told, time: Duration) {
        let listening = async { while self.hear(told).await {} };
        // That it is over is what was waited for.
        let _ = tokio::time::timeout(time, listening).await;
    }
}
