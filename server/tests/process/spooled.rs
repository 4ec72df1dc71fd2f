//! A server that is away when the panel ends, however that ends: what boxes answered meanwhile waits in files beside the key, and is
//! recorded, once, when the panel begins again.

use std::{collections::BTreeSet, fs, path::Path};

use crate::{
    cluster::Cluster,
    fake_box::FakeBox,
    postgres::{COUNTER, accounted_for, cluster, folder, goes_on, stored},
    served::{Served, run, text},
    watcher::{Told, Watcher},
};

/// The files in which something waits.
fn waiting(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.contains(".spool-")).collect()
}

/// A panel whose server goes away, and which answers ten times after that.
async fn cut_off(cluster: &Cluster, folder: &Path, told: &mut Told) -> (Served, Watcher) {
    let panel = Served::start_set_up(folder, &[]);
    let mut watcher = Watcher::open(&panel, COUNTER).await;
    let before = told.recorded.len();
    watcher.until(told, "some samples", |told| told.recorded.len() >= before + 5).await;
    cluster.control(&["stop", "--mode=immediate"]);
    watcher.until(told, "the word that the server is away", |told| told.fault.is_some()).await;
    let values = told.values.len();
    watcher.until(told, "values while the server is away", |told| told.values.len() >= values + 10).await;
    (panel, watcher)
}

/// Ends it by a signal. What it showed last may not have been put into its file any more when that was `KILL`.
async fn end(mut panel: Served, mut watcher: Watcher, signal: &str, told: &mut Told) {
    panel.signal(signal);
    panel.child.wait().unwrap();
    while watcher.hear(told).await {}
    // The next one has its own word on that.
    told.fault = None;
    if signal == "KILL" {
        told.values.pop_last();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_when_the_panel_is_killed_is_recorded_at_its_next_start() {
    let Some(cluster) = cluster().await else { return };
    let one = FakeBox::start(&[]).await;
    one.count_polls(COUNTER);
    let database = cluster.url("tm");
    let folder = folder(&one, &database);
    let mut told = Told::default();
    for signal in ["KILL", "TERM", "KILL"] {
        let (panel, watcher) = cut_off(&cluster, folder.path(), &mut told).await;
        end(panel, watcher, signal, &mut told).await;
        assert!(!waiting(folder.path()).is_empty());
        // Its server is away still: it does not begin, and nothing is lost by the try.
        let refused = run(folder.path(), &["serve", "--listen", "127.0.0.1:0"]);
        assert!(!refused.status.success() && text(&refused.stderr).contains("cannot reach"), "{}", text(&refused.stderr));
        assert!(!waiting(folder.path()).is_empty());
        cluster.control(&["start"]);
    }
    // It is killed again as it brings what waits, or just after; a file that is there once more brings nothing twice.
    let kept: Vec<(String, Vec<u8>)> =
        waiting(folder.path()).into_iter().map(|name| (name.clone(), fs::read(folder.path().join(name)).unwrap())).collect();
    for _ in 0..2 {
        let panel = Served::start_set_up(folder.path(), &[]);
        let watcher = Watcher::open(&panel, COUNTER).await;
        end(panel, watcher, "KILL", &mut told).await;
        for (name, bytes) in &kept {
            fs::write(folder.path().join(name), bytes).unwrap();
        }
    }
    let mut panel = Served::start_set_up(folder.path(), &[]);
    let mut watcher = Watcher::open(&panel, COUNTER).await;
    goes_on(&mut watcher, &mut told).await;
    assert_eq!(waiting(folder.path()), [""; 0], "nothing waits any more");
    panel.signal("TERM");
    assert!(panel.child.wait().unwrap().success());
    while watcher.hear(&mut told).await {}
    let stored = stored(&database).await;
    accounted_for(&told, &stored);
    let values: BTreeSet<i64> = stored.iter().map(|&(_, value)| value).collect();
    assert_eq!(values.len(), stored.len(), "no poll is there twice");
    assert!(stored.is_sorted(), "each has its place");
    println!("{} values shown, {} said to be recorded, {} stored", told.values.len(), told.recorded.len(), stored.len());
}
