//! A box whose numbers a test sets: it answers as a captured OpenSIPS 4.0.1 does.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use axum::{Router, extract::State, http::header, response::IntoResponse, routing::post};
use serde_json::{Value, json};
use tokio::sync::watch;

/// What it will say.
#[derive(Clone)]
pub(crate) struct FakeBox {
    pub(crate) address: SocketAddr,
    says: Arc<Mutex<Says>>,
    held: watch::Sender<bool>,
}

struct Says {
    statistics: Vec<(String, Value)>,
    silent: bool,
    polls: u64,
    /// A counter that says how often the box was asked.
    polls_as: Option<String>,
    /// When it started, as it says.
    started: Instant,
}

impl FakeBox {
    pub(crate) async fn start(statistics: &[(&str, i64)]) -> Self {
        let statistics = statistics.iter().map(|&(name, value)| (name.to_owned(), json!(value))).collect();
        let says = Arc::new(Mutex::new(Says { statistics, silent: false, polls: 0, polls_as: None, started: long_ago() }));
        let held = watch::Sender::new(false);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().route("/mi", post(answer)).with_state((Arc::clone(&says), held.subscribe()));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, says, held }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/mi", self.address)
    }

    pub(crate) fn set(&self, name: &str, value: i64) {
        let mut says = self.says.lock().unwrap();
        match says.statistics.iter_mut().find(|(known, _)| known == name) {
            Some((_, old)) => *old = json!(value),
            None => says.statistics.push((name.to_owned(), json!(value))),
        }
    }

    /// Tells how often it was asked, by a counter of this name: each poll has a value of its own.
    pub(crate) fn count_polls(&self, name: &str) {
        self.says.lock().unwrap().polls_as = Some(name.to_owned());
    }

    /// How often it was asked for statistics.
    pub(crate) fn polls(&self) -> u64 {
        self.says.lock().unwrap().polls
    }

    /// It takes requests, and answers them once this is over.
    pub(crate) fn hold(&self, held: bool) {
        self.held.send_replace(held);
    }

    /// It says that it has just started.
    pub(crate) fn restart(&self) {
        self.says.lock().unwrap().started = Instant::now();
    }

    /// Another server has the address from now on, which runs for so long.
    pub(crate) fn become_another(&self, uptime: Duration) {
        self.says.lock().unwrap().started = Instant::now().checked_sub(uptime).unwrap();
    }

    /// From now on it answers 500, as a server that is going down does.
    pub(crate) fn silence(&self, silent: bool) {
        self.says.lock().unwrap().silent = silent;
    }
}

/// How long a server has been running that has been so for a while.
pub(crate) const LONG_AGO: Duration = Duration::from_secs(1_000);

fn long_ago() -> Instant {
    Instant::now().checked_sub(LONG_AGO).unwrap()
}

async fn answer(State((says, mut held)): State<(Arc<Mutex<Says>>, watch::Receiver<bool>)>, body: String) -> axum::response::Response {
    let ask: Value = serde_json::from_str(&body).unwrap();
    // Its other end lives as long as the test.
    let _ = held.wait_for(|held| !held).await;
    let mut says = says.lock().unwrap();
    if says.silent {
        return axum::http::StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    let result = match ask["method"].as_str().unwrap() {
        "get_statistics" => {
            says.polls += 1;
            let counted = says.polls_as.clone().map(|name| (name, json!(says.polls)));
            let all = says.statistics.iter().cloned().chain(counted);
            let names = named(&ask);
            Value::Object(all.filter(|(full, _)| names.iter().any(|name| reaches(name, full))).collect())
        }
        "reset_statistics" => {
            let names = named(&ask);
            for (_, value) in
                says.statistics.iter_mut().filter(|(full, _)| !full.contains("kept") && names.iter().any(|name| reaches(name, full)))
            {
                *value = json!(0);
            }
            json!("OK")
        }
        "list_statistics" => {
            let names = says.statistics.iter().map(|(name, _)| name).chain(&says.polls_as);
            Value::Object(names.map(|name| (name.clone(), kind(name))).collect())
        }
        "version" => json!({"Server": "OpenSIPS (4.0.1 (x86_64/linux))"}),
        "uptime" => {
            json!({"Now": "Mon Nov 23 10:00:00 2026", "Up since": "Mon Nov 23 09:58:39 2026", "Up time": format!("{} [sec]", says.started.elapsed().as_secs())})
        }
        "ps" => {
            json!({"Processes": [{"ID": 0, "PID": 11, "Type": "attendant"}, {"ID": 1, "PID": 12, "Type": "SIP receiver udp:127.0.0.1:5060"}]})
        }
        other => panic!("nobody asked an OpenSIPS for {other} yet"),
    };
    let reply = json!({"jsonrpc": "2.0", "result": result, "id": ask["id"]});
    ([(header::CONTENT_TYPE, "application/json")], reply.to_string()).into_response()
}

fn named(ask: &Value) -> Vec<&str> {
    ask["params"]["statistics"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect()
}

/// Whether an argument means a statistic.
fn reaches(word: &str, full: &str) -> bool {
    let (group, name) = full.split_once(':').unwrap_or(("", full));
    word == "all" || word == name || word.strip_suffix(':') == Some(group)
}

fn kind(name: &str) -> Value {
    json!(if name.contains("active") || name.contains("timestamp") { "non-incremental" } else { "incremental" })
}
