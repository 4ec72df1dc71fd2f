//! What an alert did while the server was away to the panel's end: it is in the history with its true times, and told once.

use std::fs;

use app::model::Number;
use serde_json::{Value, json};
use server::store::Store;

use crate::{
    fake_box::FakeBox,
    postgres::{COUNTER, cluster, goes_on},
    served::Served,
    watcher::{LIMIT, Told, Watcher},
};

const LEVEL: &str = "dialog:active_dialogs";

/// When the level was such, by what is stored: the times of its polls.
async fn at(database: &str, level: i64) -> Vec<i64> {
    let store = Store::open(database).await.unwrap();
    let id = store.boxes().await.unwrap().into_iter().find(|one| one.spec.name == "sip1").unwrap().id;
    let (series, _) = store.series_of(id).await.unwrap().into_iter().find(|(_, name)| name == LEVEL).unwrap();
    let samples = store.samples(series, i64::MIN, i64::MAX).await.unwrap();
    store.close().await;
    samples.iter().filter(|(_, value)| *value == Some(Number::Int(level))).map(|(at_ms, _)| at_ms).collect()
}

async fn get(watcher: &Watcher, path: &str) -> Value {
    let (status, text) = watcher.get(path).await;
    assert_eq!(status, 200, "{text}");
    serde_json::from_str(&text).unwrap()
}

/// Asks until there are so many, the oldest first.
async fn items(watcher: &Watcher, path: &str, is_so: impl Fn(&[Value]) -> bool) -> Vec<Value> {
    let asking = async {
        loop {
            let all = get(watcher, path).await;
            let mut all = all["items"].as_array().unwrap().clone();
            all.reverse();
            if is_so(&all) {
                return all;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(LIMIT, asking).await.unwrap_or_else(|_| panic!("{path} never said what it must"))
}

/// Some answers, while the server is away.
async fn answers(watcher: &mut Watcher, told: &mut Told) {
    let values = told.values.len();
    watcher.until(told, "values while the server is away", |told| told.values.len() >= values + 5).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_alerts_did_while_the_server_was_away_is_known_after_the_panel_was_killed() {
    let Some(cluster) = cluster().await else { return };
    let one = FakeBox::start(&[(LEVEL, 3)]).await;
    one.count_polls(COUNTER);
    let database = cluster.url("tm");
    let folder = tempfile::tempdir().unwrap();
    let config = format!(
        "database = \"{database}\"\n[[box]]\nname = \"sip1\"\nkind = \"opensips\"\naddress = \"{}\"\ninterval = \"200ms\"\n\
         ticks = [\"core:\", \"dialog:\"]\n[[destination]]\nname = \"ops\"\nkind = \"webhook\"\nurl = \"http://127.0.0.1:1/hook\"\n\
         [[alert]]\nname = \"calls\"\nformula = \"{{{LEVEL}}}\"\ncondition = {{ kind = \"above\", threshold = 50 }}\n\
         text = \"{{value}} calls on {{box}}\"\n",
        one.url()
    );
    fs::write(folder.path().join("tickmark.toml"), config).unwrap();
    let (history, deliveries) = ("/cp/api/v1/alerts/history?span=1h", "/cp/api/v1/destinations/ops/deliveries");

    // It fires and is over, while nothing can be kept.
    let mut told = Told::default();
    let mut panel = Served::start_set_up(folder.path(), &[]);
    let mut watcher = Watcher::open(&panel, COUNTER).await;
    watcher.until(&mut told, "some samples", |told| told.recorded.len() >= 5).await;
    for level in [51, 3] {
        if level == 51 {
            cluster.control(&["stop", "--mode=immediate"]);
            watcher.until(&mut told, "the word that the server is away", |told| told.fault.is_some()).await;
        }
        one.set(LEVEL, level);
        answers(&mut watcher, &mut told).await;
    }
    panel.signal("KILL");
    panel.child.wait().unwrap();
    cluster.control(&["start"]);
    told.fault = None;
    panel = Served::start_set_up(folder.path(), &[]);
    watcher = Watcher::open(&panel, COUNTER).await;
    goes_on(&mut watcher, &mut told).await;
    let fired = items(&watcher, history, |all| !all.is_empty()).await;
    let broken = at(&database, 51).await;
    assert_eq!((&fired[0]["since"], &fired[0]["fired"]), (&json!(broken[0]), &json!(broken[0])), "{fired:?}");
    let well = at(&database, 3).await.into_iter().find(|at_ms| *at_ms > broken[0]).unwrap();
    assert_eq!((&fired[0]["ended"], &fired[0]["text"], fired.len()), (&json!(well), &json!("51 calls on sip1"), 1), "{fired:?}");
    items(&watcher, deliveries, |all| all.len() == 1).await;

    // It fires, and goes on firing when the panel is there again.
    cluster.control(&["stop", "--mode=immediate"]);
    watcher.until(&mut told, "the word that the server is away", |told| told.fault.is_some()).await;
    one.set(LEVEL, 52);
    answers(&mut watcher, &mut told).await;
    panel.signal("KILL");
    panel.child.wait().unwrap();
    cluster.control(&["start"]);
    told.fault = None;
    panel = Served::start_set_up(folder.path(), &[]);
    watcher = Watcher::open(&panel, COUNTER).await;
    goes_on(&mut watcher, &mut told).await;
    let fired = items(&watcher, "/cp/api/v1/alerts/firing", |all| !all.is_empty()).await;
    assert_eq!((&fired[0]["fired"], fired.len()), (&json!(at(&database, 52).await[0]), 1), "{fired:?}");
    items(&watcher, deliveries, |all| all.len() == 2).await;
    one.set(LEVEL, 3);
    let all = items(&watcher, history, |all| all.iter().all(|one| !one["ended"].is_null())).await;
    assert_eq!((&all[1]["id"], all.len()), (&fired[0]["id"], 2), "{all:?}");
    items(&watcher, deliveries, |all| all.len() == 3).await;
    panel.signal("TERM");
    assert!(panel.child.wait().unwrap().success());
}
