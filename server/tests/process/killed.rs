//! `kill -9` at random instants under polls every 200 ms, some of them while heads are sealed: whatever was said to be recorded is
//! there, and is right. SIGTERM under the same load loses nothing at all.

use std::{collections::HashMap, fmt::Write as _, path::Path, time::Duration};

use app::model::Number;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use server::store::{PollRecord, SeriesId, Store};

use crate::{
    fake_box::FakeBox,
    served::{Served, run, text},
    watcher::{Told, Watcher},
};

/// Processes that are killed one after the other, unless `TICKMARK_SOAK_PANELS` says otherwise.
const KILLS: usize = 24;
/// Processes that are ended in good order.
const ENDS: usize = 4;
/// Boxes that are asked at once.
const BOXES: usize = 4;
/// The counter that each box raises by one at each poll: a value belongs to one poll alone.
const COUNTER: &str = "core:polls";
/// Old polls that are put into a head before some starts, so that the process begins by sealing it.
const OLD_POLLS: i64 = 400;
/// Series of such a head.
const OLD_SERIES: usize = 150;

struct Stage {
    folder: tempfile::TempDir,
}

impl Stage {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut config = String::new();
        for number in 0..BOXES {
            let one = FakeBox::start(&[]).await;
            one.count_polls(COUNTER);
            let address = one.url();
            writeln!(config, "[[box]]\nname = \"box{number}\"\nkind = \"opensips\"\naddress = \"{address}\"").unwrap();
            writeln!(config, "interval = \"200ms\"\nticks = [\"core:\"]").unwrap();
        }
        std::fs::write(folder.path().join("tickmark.toml"), config).unwrap();
        Self { folder }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    async fn open(&self) -> Store {
        Store::open(&format!("sqlite:{}", self.path().join("tickmark.db").display())).await.unwrap()
    }

    /// Puts old polls of many series into the head of the first box: the next start seals them at once.
    async fn put_old_polls(&self, round: usize) {
        let store = self.open().await;
        let id = store.boxes().await.unwrap().iter().find(|one| one.spec.name == "box0").unwrap().id;
        let names: Vec<String> = (0..OLD_SERIES).map(|number| format!("old:{number}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let series = store.series_ids(id, &names).await.unwrap();
        let start_ms = 1_600_000_000_000 + i64::try_from(round).unwrap() * 1_000_000;
        let polls = (0..OLD_POLLS).map(|number| PollRecord {
            box_id: id,
            at_ms: start_ms + number * 1_000,
            interval_ms: 1_000,
            values: series.iter().map(|series| (*series, Some(Number::Int(number * series.0)))).collect(),
            marks: Vec::new(),
            started_ms: None,
            generation: None,
        });
        for done in futures::future::join_all(polls.map(|poll| store.record(poll))).await {
            done.unwrap();
        }
        store.close().await;
    }

    /// All samples of the counters that are stored, by box.
    async fn stored(&self) -> HashMap<String, HashMap<i64, Vec<i64>>> {
        let store = self.open().await;
        let mut all = HashMap::new();
        for one in store.boxes().await.unwrap() {
            let series: Vec<(SeriesId, String)> = store.series_of(one.id).await.unwrap();
            let Some((series, _)) = series.into_iter().find(|(_, name)| name == COUNTER) else { continue };
            let samples = store.samples(series, i64::MIN, i64::MAX).await.unwrap();
            let mut by_time: HashMap<i64, Vec<i64>> = HashMap::new();
            for (at, value) in samples.iter() {
                if let Some(Number::Int(value)) = value {
                    by_time.entry(at).or_default().push(value);
                }
            }
            all.insert(one.spec.name, by_time);
        }
        store.close().await;
        all
    }

    fn check(&self) {
        let check = run(self.path(), &["check"]);
        assert!(check.status.success(), "{}{}", text(&check.stdout), text(&check.stderr));
    }
}

/// A random number of milliseconds.
fn some_ms(runner: &mut TestRunner, below: u64) -> Duration {
    Duration::from_millis((0..below).new_tree(runner).unwrap().current())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_said_to_be_recorded_survives_kill_9() {
    let stage = Stage::new().await;
    let mut runner = TestRunner::default();
    let mut told = Told::default();
    let kills = std::env::var("TICKMARK_SOAK_PANELS").map_or(KILLS, |text| text.parse().unwrap());
    for round in 0..kills {
        if round % 2 == 1 {
            stage.put_old_polls(round).await;
        }
        let mut panel = Served::start_set_up(stage.path(), &[]);
        let mut watcher = Watcher::open(&panel, COUNTER).await;
        // While it seals what is old, or some polls later.
        let time = some_ms(&mut runner, if round % 2 == 1 { 300 } else { 1_500 });
        watcher.listen(&mut told, time).await;
        panel.signal("KILL");
        panel.child.wait().unwrap();
        // What was sent before the end was said.
        watcher.listen(&mut told, Duration::from_secs(30)).await;
        stage.check();
    }
    let stored = stage.stored().await;
    assert!(told.recorded.len() > kills, "{} recorded", told.recorded.len());
    for (name, at) in &told.recorded {
        let found = stored[name].get(at);
        assert!(found.is_some(), "{name} at {at} was said to be recorded and is not there");
        if let Some(value) = told.values.get(&(name.clone(), *at)) {
            assert_eq!(found, Some(&vec![*value]), "{name} at {at}");
        }
    }
    println!("{kills} kills, {} samples said to be recorded, all found", told.recorded.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signal_under_load_loses_nothing() {
    let stage = Stage::new().await;
    let mut runner = TestRunner::default();
    let mut told = Told::default();
    for _ in 0..ENDS {
        let mut panel = Served::start_set_up(stage.path(), &[]);
        let mut watcher = Watcher::open(&panel, COUNTER).await;
        let time = some_ms(&mut runner, 1_500);
        watcher.listen(&mut told, time).await;
        panel.signal("TERM");
        assert!(panel.child.wait().unwrap().success());
        watcher.listen(&mut told, Duration::from_secs(30)).await;
    }
    let stored = stage.stored().await;
    assert!(told.values.len() > ENDS, "{} values", told.values.len());
    for ((name, at), value) in &told.values {
        assert_eq!(stored[name].get(at), Some(&vec![*value]), "{name} at {at} was shown and is not recorded");
    }
    let answered: usize = stored.values().flat_map(HashMap::values).map(Vec::len).sum();
    println!("{} values shown, {answered} stored", told.values.len());
    stage.check();
}
