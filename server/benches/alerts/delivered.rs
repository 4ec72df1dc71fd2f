//! From the sample that breaks a rule to the webhook that is told of it: a whole panel, boxes on loopback that break rules at all times.

use std::{
    fmt::Write as _,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{Router, extract::State, routing::post};
use server::{
    clock,
    config::{CommonFlags, Environment, ServeConfig, ServeFlags},
    serve::Panel,
};
use tokio::net::TcpListener;

use fake_box::FakeBox;

#[path = "../../tests/panel/fake_box.rs"]
#[expect(dead_code, reason = "tests ask more of it")]
mod fake_box;

const BOXES: usize = 50;
const ROUNDS: usize = 8;
/// Rules break so far from each other.
const APART: Duration = Duration::from_millis(23);
const LEVEL: &str = "dialog:active_dialogs";

/// What came.
#[derive(Clone, Default)]
struct Came {
    /// From the sample to the arrival, of each that fired, in milliseconds.
    took_ms: Arc<Mutex<Vec<i64>>>,
    resolved: Arc<AtomicUsize>,
}

async fn take(State(came): State<Came>, body: String) {
    let now_ms = clock::now_ms();
    let message: serde_json::Value = serde_json::from_str(&body).unwrap();
    for alert in message["alerts"].as_array().unwrap() {
        if alert["resolved"] == true {
            came.resolved.fetch_add(1, Ordering::Relaxed);
        } else {
            came.took_ms.lock().unwrap().push(now_ms - alert["fired"].as_i64().unwrap());
        }
    }
}

/// Measures and prints it.
pub(super) fn measure() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let mut took_ms = runtime.block_on(fire());
    took_ms.sort_unstable();
    let (median, late, last) = (took_ms[took_ms.len() / 2], took_ms[took_ms.len() * 99 / 100], took_ms[took_ms.len() - 1]);
    println!(
        "alerts  {} firings of {BOXES} boxes at 1 s, from the sample that breaks a rule to the delivered webhook: {median} ms in the median, \
         {late} ms at the 99th percentile, {last} ms at most",
        took_ms.len()
    );
}

async fn fire() -> Vec<i64> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let hook = listener.local_addr().unwrap();
    let came = Came::default();
    let router = Router::new().fallback(post(take)).with_state(came.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let mut file = format!("[[destination]]\nname = 'hook'\nkind = 'webhook'\nurl = 'http://{hook}/'\n");
    let _ = writeln!(file, "[[alert]]\nname = 'calls'\nformula = '{{{LEVEL}}}'\ncondition = {{ kind = 'above', threshold = 50 }}");
    let mut boxes = Vec::new();
    for number in 0..BOXES {
        let one = FakeBox::start(&[(LEVEL, 3)]).await;
        let _ = writeln!(
            file,
            "[[box]]\nname = 'sip{number}'\nkind = 'opensips'\naddress = '{}'\ninterval = '1s'\nticks = ['dialog:']",
            one.url()
        );
        boxes.push(one);
    }
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(path("tickmark.toml"), file).unwrap();
    let flags = ServeFlags { listen: Some("127.0.0.1:0".into()), mi_listen: Some("off".into()), ..ServeFlags::default() };
    let database = Some(format!("sqlite:{}", path("tickmark.db")));
    let common = CommonFlags { database, config: Some(path("tickmark.toml")), key_file: Some(path("tickmark.key")) };
    let panel = Panel::start(ServeConfig::load(&flags, &common, &Environment::default()).unwrap()).await.unwrap();
    let stop = panel.stopper();
    let serving = tokio::spawn(panel.serve());
    for round in 1..=ROUNDS {
        for (level, is_over) in [(60, false), (3, true)] {
            for one in &boxes {
                one.set(LEVEL, level);
                tokio::time::sleep(APART).await;
            }
            let count = || if is_over { came.resolved.load(Ordering::Relaxed) } else { came.took_ms.lock().unwrap().len() };
            while count() < round * BOXES {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }
    stop.cancel();
    serving.await.unwrap().unwrap();
    came.took_ms.lock().unwrap().clone()
}
