//! Several panels on one PostgreSQL: each box is polled by one of them, and whatever becomes of a panel, what was said to be recorded is
//! there, once.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    time::{Duration, Instant},
};

use app::model::Number;
use server::store::Store;
use sqlx::{Connection, PgConnection};

use crate::{
    cluster::Cluster,
    fake_box::FakeBox,
    left_out::left_out,
    served::Served,
    watcher::{LIMIT, Told, Watcher},
};

/// The counter that each box raises by one at each poll: a value belongs to one poll alone.
const COUNTER: &str = "core:polls";

/// Panels that share boxes.
pub(crate) struct Stage {
    cluster: Cluster,
    pub(crate) folder: tempfile::TempDir,
    connection: PgConnection,
}

impl Stage {
    /// With these boxes, each at the address of one that counts its polls.
    pub(crate) async fn new(boxes: &[(String, String)], interval: &str) -> Option<Self> {
        let Some(cluster) = Cluster::start() else {
            left_out("PostgreSQL's server is not installed");
            return None;
        };
        cluster.tell("create database tm").await;
        let folder = tempfile::tempdir().unwrap();
        let mut config = format!("database = \"{}\"\n", cluster.url("tm"));
        for (name, address) in boxes {
            let _ = writeln!(
                config,
                "[[box]]\nname = \"{name}\"\nkind = \"opensips\"\naddress = \"{address}\"\ninterval = \"{interval}\"\nticks = [\"core:\"]"
            );
        }
        fs::write(folder.path().join("tickmark.toml"), config).unwrap();
        let connection = PgConnection::connect(&cluster.url("tm")).await.unwrap();
        Some(Self { cluster, folder, connection })
    }

    pub(crate) fn panel(&self) -> Served {
        Served::start_set_up(self.folder.path(), &[])
    }

    /// Its database.
    pub(crate) async fn store(&self) -> Store {
        Store::open(&self.cluster.url("tm")).await.unwrap()
    }

    /// The address of the panel that polls a box.
    pub(crate) async fn polls(&mut self, box_name: &str) -> String {
        let select =
            "select url from panel join lease on lease.panel_id = panel.panel_id join box on box.box_id = lease.box_id where name = $1";
        sqlx::query_scalar(select).bind(box_name).fetch_one(&mut self.connection).await.unwrap()
    }

    /// How many boxes each panel polls, by its address.
    async fn shares(&mut self) -> BTreeMap<String, i64> {
        let count = "select url, count(box_id) from panel left join lease on lease.panel_id = panel.panel_id group by url";
        let rows: Vec<(String, i64)> = sqlx::query_as(count).fetch_all(&mut self.connection).await.unwrap();
        rows.into_iter().collect()
    }

    /// Waits until the panels have these shares, in whatever order.
    pub(crate) async fn until_shared(&mut self, expected: &[i64]) -> BTreeMap<String, i64> {
        let began = Instant::now();
        loop {
            let shares = self.shares().await;
            let mut counts: Vec<i64> = shares.values().copied().collect();
            counts.sort_unstable();
            if counts == expected {
                return shares;
            }
            assert!(began.elapsed() < LIMIT, "{shares:?} never became {expected:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Every sample of each box, in the order of its recording.
    pub(crate) async fn stored(&self) -> BTreeMap<String, Vec<(i64, i64)>> {
        let store = Store::open(&self.cluster.url("tm")).await.unwrap();
        let mut all = BTreeMap::new();
        for one in store.boxes().await.unwrap().into_iter().filter(|one| one.spec.name.starts_with("sip")) {
            let Some((series, _)) = store.series_of(one.id).await.unwrap().into_iter().find(|(_, name)| name == COUNTER) else { continue };
            let samples = store.samples(series, i64::MIN, i64::MAX).await.unwrap();
            assert!(samples.damaged.is_empty());
            let value = |value| if let Some(Number::Int(value)) = value { value } else { panic!("{value:?} is no count") };
            all.insert(one.spec.name, samples.iter().map(|(at, number)| (at, value(number))).collect());
        }
        assert_eq!(store.check(|_| {}).await.unwrap().faults, [""; 0]);
        store.close().await;
        all
    }
}

/// Boxes that count how often they are polled.
pub(crate) async fn boxes(count: usize) -> (Vec<FakeBox>, Vec<(String, String)>) {
    let mut all = Vec::new();
    for _ in 0..count {
        let one = FakeBox::start(&[]).await;
        one.count_polls(COUNTER);
        all.push(one);
    }
    let named = all.iter().enumerate().map(|(number, one)| (format!("sip{number}"), one.url())).collect();
    (all, named)
}

/// Waits until each box was recorded anew, as this panel shows it.
pub(crate) async fn all_recorded(watcher: &mut Watcher, told: &mut Told, names: &[(String, String)]) {
    let before = told.recorded.len();
    watcher
        .until(told, "samples of each box", |told| {
            let seen: BTreeSet<&str> = told.recorded[before..].iter().map(|(name, _)| &**name).collect();
            names.iter().all(|(name, _)| seen.contains(&**name))
        })
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panel_that_is_killed_and_one_that_is_stopped_cost_nothing_that_was_recorded() {
    let (_boxes, names) = boxes(5).await;
    // With the built-in one there are six.
    let Some(mut stage) = Stage::new(&names, "200ms").await else { return };
    let first = stage.panel();
    stage.until_shared(&[6]).await;
    let (mut killed, mut stopped) = (stage.panel(), stage.panel());
    stage.until_shared(&[2, 2, 2]).await;
    let mut told = Told::default();
    // Each shows what all of them poll.
    let mut watchers = Vec::new();
    for panel in [&first, &killed, &stopped] {
        let mut watcher = Watcher::open(panel, COUNTER).await;
        all_recorded(&mut watcher, &mut told, &names).await;
        watchers.push(watcher);
    }
    let [mut at_first, mut at_killed, mut at_stopped] = <[Watcher; 3]>::try_from(watchers).ok().unwrap();

    let began = Instant::now();
    killed.signal("KILL");
    killed.child.wait().unwrap();
    stopped.signal("STOP");
    while at_killed.hear(&mut told).await {}
    let (address, _) = (first.address.clone(), stage.until_shared(&[6]).await);
    let took = began.elapsed();
    all_recorded(&mut at_first, &mut told, &names).await;
    assert!(stage.shares().await.keys().all(|url| url.contains(&address)));

    // It wakes, finds that it was given up, and begins anew.
    stopped.signal("CONT");
    stage.until_shared(&[3, 3]).await;
    all_recorded(&mut at_stopped, &mut told, &names).await;
    all_recorded(&mut at_first, &mut told, &names).await;
    // One that ends in good order leaves its boxes at once.
    stopped.signal("TERM");
    assert!(stopped.child.wait().unwrap().success());
    while at_stopped.hear(&mut told).await {}
    stage.until_shared(&[6]).await;
    all_recorded(&mut at_first, &mut told, &names).await;
    let mut first = first;
    first.signal("TERM");
    assert!(first.child.wait().unwrap().success());
    while at_first.hear(&mut told).await {}

    let stored = stage.stored().await;
    let mut found = 0;
    for (name, all) in &stored {
        let by_time: BTreeMap<i64, i64> = all.iter().copied().collect();
        assert_eq!(by_time.len(), all.len(), "no sample of {name} is there twice");
        let by_value: BTreeSet<i64> = all.iter().map(|&(_, value)| value).collect();
        assert_eq!(by_value.len(), all.len(), "no poll of {name} was recorded twice");
        for (_, at) in told.recorded.iter().filter(|(box_name, _)| box_name == name) {
            assert!(by_time.contains_key(at), "{name} at {at} was said to be recorded");
            found += 1;
        }
    }
    assert_eq!(stored.len(), names.len());
    let all: usize = stored.values().map(Vec::len).sum();
    println!("{found} said to be recorded and found, {all} stored; the boxes of two dead panels were taken after {} ms", took.as_millis());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_boxes_are_shared_evenly_and_changes_are_seen_by_all() {
    let (_boxes, names) = boxes(1).await;
    let address = &names[0].1;
    let named: Vec<(String, String)> = (0..99).map(|number| (format!("sip{number}"), address.clone())).collect();
    let Some(mut stage) = Stage::new(&named, "10s").await else { return };
    let (first, second, third) = (stage.panel(), stage.panel(), stage.panel());
    stage.until_shared(&[33, 33, 34]).await;
    // A box that is added at one is polled by one of them, and all show it.
    let at_first = Watcher::open(&first, COUNTER).await;
    let added = at_first.post("/cp/api/v1/boxes", &serde_json::json!({"name": "added", "address": address, "kind": "opensips"})).await;
    assert_eq!(added.0, 201, "{}", added.1);
    stage.until_shared(&[33, 34, 34]).await;
    for panel in [&second, &third] {
        let watcher = Watcher::open(panel, COUNTER).await;
        let began = Instant::now();
        loop {
            let (_, said) = watcher.get("/cp/api/v1/boxes/added").await;
            if said.contains("\"state\":\"up\"") {
                break;
            }
            assert!(began.elapsed() < LIMIT, "{said}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    for mut panel in [first, second, third] {
        panel.signal("TERM");
        assert!(panel.child.wait().unwrap().success());
    }
}
