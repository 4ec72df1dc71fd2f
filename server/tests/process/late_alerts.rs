//! What an alert did while the server was away to the panel's end: it is in the history with its true times, and told once, also where another panel took the box meanwhile.

use std::{collections::BTreeMap, fs, path::Path};

use app::model::Number;
use serde_json::{Value, json};
use server::store::Store;
use sqlx::{Connection as _, PgConnection};

use crate::{
    cluster::Cluster,
    fake_box::FakeBox,
    postgres::{COUNTER, Failover, cluster, goes_on},
    served::Served,
    watcher::{Told, Watcher, until},
};

const HISTORY: &str = "/cp/api/v1/alerts/history?span=1h";
const DELIVERIES: &str = "/cp/api/v1/destinations/ops/deliveries";
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
pub(crate) async fn items(watcher: &Watcher, path: &str, is_so: impl Fn(&[Value]) -> bool) -> Vec<Value> {
    until(&format!("what {path} must say"), async || {
        let all = get(watcher, path).await;
        let mut all = all["items"].as_array().unwrap().clone();
        all.reverse();
        is_so(&all).then_some(all)
    })
    .await
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
    let folder = folder(&one, &format!("database = \"{database}\""), "");

    // It fires and is over, while nothing can be kept.
    let mut told = Told::default();
    let mut panel = Served::start_set_up(folder.path(), &[]);
    let mut watcher = Watcher::open(&panel, COUNTER).await;
    watcher.until(&mut told, "some samples", |told| told.recorded.len() >= 5).await;
    cut_off(&cluster, &mut watcher, &mut told).await;
    for level in [51, 3] {
        one.set(LEVEL, level);
        answers(&mut watcher, &mut told).await;
    }
    (panel, watcher) = killed(panel, &cluster, folder.path(), &mut told).await;
    let fired = items(&watcher, HISTORY, |all| !all.is_empty()).await;
    let broken = at(&database, 51).await;
    assert_eq!((&fired[0]["since"], &fired[0]["fired"]), (&json!(broken[0]), &json!(broken[0])), "{fired:?}");
    let well = at(&database, 3).await.into_iter().find(|at_ms| *at_ms > broken[0]).unwrap();
    assert_eq!((&fired[0]["ended"], &fired[0]["text"], fired.len()), (&json!(well), &json!("51 calls on sip1"), 1), "{fired:?}");
    items(&watcher, DELIVERIES, |all| all.len() == 1).await;

    // It fires, and goes on firing when the panel is there again.
    cut_off(&cluster, &mut watcher, &mut told).await;
    one.set(LEVEL, 52);
    answers(&mut watcher, &mut told).await;
    (panel, watcher) = killed(panel, &cluster, folder.path(), &mut told).await;
    let fired = items(&watcher, "/cp/api/v1/alerts/firing", |all| !all.is_empty()).await;
    assert_eq!((&fired[0]["fired"], fired.len()), (&json!(at(&database, 52).await[0]), 1), "{fired:?}");
    items(&watcher, DELIVERIES, |all| all.len() == 2).await;
    one.set(LEVEL, 3);
    let all = items(&watcher, HISTORY, |all| all.iter().all(|one| !one["ended"].is_null())).await;
    assert_eq!((&all[1]["id"], all.len()), (&fired[0]["id"], 2), "{all:?}");
    items(&watcher, DELIVERIES, |all| all.len() == 3).await;
    panel.signal("TERM");
    assert!(panel.child.wait().unwrap().success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rule_over_all_boxes_is_put_to_what_was_left_of_them() {
    let Some(cluster) = cluster().await else { return };
    let (one, other) = (FakeBox::start(&[(LEVEL, 3)]).await, FakeBox::start(&[(LEVEL, 40)]).await);
    one.count_polls(COUNTER);
    let database = cluster.url("tm");
    let rule = format!("[[alert]]\nname = \"all\"\nformula = \"sum({{*/{LEVEL}}})\"\ncondition = {{ kind = \"above\", threshold = 50 }}\n");
    let behind = format!("{rule}{}", lines("sip2", &other));
    let folder = folder(&one, &format!("database = \"{database}\""), &behind);
    let mut told = Told::default();
    let panel = Served::start_set_up(folder.path(), &[]);
    let mut watcher = Watcher::open(&panel, COUNTER).await;
    let has_both = |told: &Told| ["sip1", "sip2"].iter().all(|name| told.recorded.iter().filter(|(of, _)| of == name).count() >= 5);
    watcher.until(&mut told, "some samples", has_both).await;
    cut_off(&cluster, &mut watcher, &mut told).await;
    for level in [20, 4] {
        one.set(LEVEL, level);
        answers(&mut watcher, &mut told).await;
    }
    let (mut panel, watcher) = killed(panel, &cluster, folder.path(), &mut told).await;
    let fired = items(&watcher, HISTORY, |all| !all.is_empty()).await;
    let (broken, well) = (at(&database, 20).await, at(&database, 4).await[0]);
    let [since, ended] = ["since", "ended"].map(|field| fired[0][field].as_i64().unwrap());
    assert!(broken[0] <= since && since < well && well <= ended, "{fired:?} {broken:?} {well}");
    assert_eq!((&fired[0]["rule"], &fired[0]["box"], fired.len()), (&json!("all"), &json!("tickmark"), 1), "{fired:?}");
    items(&watcher, DELIVERIES, |all| all.len() == 1).await;
    panel.signal("TERM");
    assert!(panel.child.wait().unwrap().success());
}

/// Each panel has its own way to the server, so that one alone can be cut off.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_panel_saw_before_another_one_took_the_box_is_told_once() {
    let Some(cluster) = cluster().await else { return };
    cluster.tell("create role tick login password 's3cret'; alter database tm owner to tick").await;
    let one = FakeBox::start(&[(LEVEL, 3)]).await;
    one.count_polls(COUNTER);
    let folder = folder(&one, "", "");
    let url = |port: u16| format!("postgres://tick:s3cret@127.0.0.1:{port}/tm?sslmode=require");
    let database = url(cluster.port());
    let mut panels = Vec::new();
    for _ in 0..2 {
        let way = Failover::start(cluster.port()).await;
        let panel = Served::start_set_up(folder.path(), &["--database", &url(way.port)]);
        panels.push((panel, way));
    }
    let mut connection = PgConnection::connect(&database).await.unwrap();
    until_polled(&mut connection, |by| by.len() == 2).await;

    let has_box = |by: &BTreeMap<String, String>, panel: &Served| by["sip1"].contains(&panel.address);
    let by = until_polled(&mut connection, |by| by.len() == 2 && by["sip1"] != by["tickmark"]).await;
    let place = panels.iter().position(|(panel, _)| has_box(&by, panel)).unwrap();
    let (cut, other) = (panels.remove(place), panels.remove(0));
    let mut told = Told::default();
    let mut watcher = Watcher::open(&cut.0, COUNTER).await;
    watcher.until(&mut told, "some samples", |told| told.recorded.len() >= 3).await;
    // It fires where nothing can be kept, and goes on where the other panel looks.
    cut.1.lead_to(1);
    one.set(LEVEL, 51);
    answers(&mut watcher, &mut told).await;
    let shown = *told.values.keys().map(|(_, at_ms)| at_ms).max().unwrap();
    until_polled(&mut connection, |by| has_box(by, &other.0)).await;
    let beside = Watcher::open(&other.0, COUNTER).await;
    items(&beside, "/cp/api/v1/alerts/firing", |all| all.len() == 1).await;
    items(&beside, DELIVERIES, |all| all.len() == 1).await;
    cut.1.lead_to(cluster.port());
    let fired = until("an alert that began when it did", async || {
        let broken = at(&database, 51).await;
        let fired = items(&beside, HISTORY, |_| true).await;
        (broken.contains(&shown) && fired[0]["since"] == json!(broken[0])).then_some(fired)
    })
    .await;
    assert_eq!((fired.len(), &fired[0]["ended"]), (1, &Value::Null), "{fired:?}");
    one.set(LEVEL, 3);
    let all = items(&beside, HISTORY, |all| all.iter().all(|one| !one["ended"].is_null())).await;
    assert_eq!(all.len(), 1, "{all:?}");
    // Once both have ended nothing more is told: that it fired, and that it is over.
    for (mut panel, _) in [cut, other] {
        panel.signal("TERM");
        assert!(panel.child.wait().unwrap().success());
    }
    let told: i64 = sqlx::query_scalar("select count(*) from delivery").fetch_one(&mut connection).await.unwrap();
    assert_eq!(told, 2);
}

/// Waits until boxes are polled so: the address of a panel, by the name of the box.
async fn until_polled(connection: &mut PgConnection, is_so: impl Fn(&BTreeMap<String, String>) -> bool) -> BTreeMap<String, String> {
    until("boxes that are shared so", async || {
        let select = "select name, url from panel join lease on lease.panel_id = panel.panel_id join box on box.box_id = lease.box_id";
        let rows: Vec<(String, String)> = sqlx::query_as(select).fetch_all(&mut *connection).await.unwrap();
        let by = rows.into_iter().collect();
        is_so(&by).then_some(by)
    })
    .await
}

/// The server is away, and the panel knows.
async fn cut_off(cluster: &Cluster, watcher: &mut Watcher, told: &mut Told) {
    cluster.control(&["stop", "--mode=immediate"]);
    watcher.until(told, "the word that the server is away", |told| told.fault.is_some()).await;
}

/// The panel is killed, and starts again once the server is there.
async fn killed(mut panel: Served, cluster: &Cluster, folder: &Path, told: &mut Told) -> (Served, Watcher) {
    panel.signal("KILL");
    panel.child.wait().unwrap();
    cluster.control(&["start"]);
    told.fault = None;
    let panel = Served::start_set_up(folder, &[]);
    let mut watcher = Watcher::open(&panel, COUNTER).await;
    goes_on(&mut watcher, told).await;
    (panel, watcher)
}

/// A folder whose configuration file has a box, an alert that somebody is told of, and what comes before and behind these.
fn folder(one: &FakeBox, before: &str, behind: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let config = format!(
        "{before}\n{}[[destination]]\nname = \"ops\"\nkind = \"webhook\"\nurl = \"http://127.0.0.1:1/hook\"\n\
         [[alert]]\nname = \"calls\"\nformula = \"{{{LEVEL}}}\"\ncondition = {{ kind = \"above\", threshold = 50 }}\n\
         text = \"{{value}} calls on {{box}}\"\n{behind}",
        lines("sip1", one)
    );
    fs::write(folder.path().join("tickmark.toml"), config).unwrap();
    folder
}

/// A box in the configuration file.
fn lines(name: &str, one: &FakeBox) -> String {
    let address = one.url();
    let what = format!("name = \"{name}\"\nkind = \"opensips\"\naddress = \"{address}\"\ninterval = \"200ms\"\n");
    format!("[[box]]\n{what}ticks = [\"core:\", \"dialog:\"]\n")
}
