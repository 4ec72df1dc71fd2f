//! Schedules of scripts on several panels: one runs what is due, another takes that over when it dies, and no due time is run twice.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use server::store::{ScriptRun, Store};

use crate::{
    panels::{Stage, boxes},
    served::Served,
    watcher::LIMIT,
};

/// The runs that ended by themselves, the oldest first.
async fn runs(store: &Store) -> Vec<ScriptRun> {
    let id = store.script("tick").await.unwrap().unwrap().id;
    let mut runs = store.script_runs(id, 200).await.unwrap();
    runs.retain(|run| run.outcome == "ok");
    runs.reverse();
    runs
}

/// Waits until so many more ran.
async fn until_ran(store: &Store, more: usize) -> Vec<ScriptRun> {
    let (before, began) = (runs(store).await.len(), Instant::now());
    loop {
        let now = runs(store).await;
        if now.len() >= before + more {
            return now;
        }
        assert!(began.elapsed() < LIMIT, "{before} runs, and {} now", now.len());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_schedules_of_a_dead_panel_go_on_at_another() {
    let (_boxes, names) = boxes(1).await;
    let Some(mut stage) = Stage::new(&names, "1s").await else { return };
    let store = stage.store().await;
    store.add_script("tick", "print(event.due)", "every 1s", "ann", server::clock::now_ms()).await.unwrap();
    let panels: Vec<Served> = vec![stage.panel(), stage.panel()];
    stage.until_shared(&[1, 1]).await;
    until_ran(&store, 3).await;

    // Whoever polls the panel's own box runs scripts: it dies amid them.
    let own = stage.polls("tickmark").await;
    let (dead, mut others): (Vec<Served>, Vec<Served>) = panels.into_iter().partition(|panel| own.contains(&panel.address));
    let [mut dead] = <[Served; 1]>::try_from(dead).ok().unwrap();
    dead.signal("KILL");
    dead.child.wait().unwrap();
    let killed_ms = server::clock::now_ms();
    stage.until_shared(&[2]).await;
    let all = until_ran(&store, 3).await;
    assert!(all.last().unwrap().started_ms > killed_ms);
    // What was missed meanwhile ran once, for the last of it.
    let due: Vec<&str> = all.iter().map(|run| run.output.trim()).collect();
    assert_eq!(due.iter().collect::<BTreeSet<_>>().len(), due.len(), "no due time is run twice: {due:?}");
    assert!(due.is_sorted_by_key(|due| due.parse::<i64>().unwrap()), "{due:?}");

    let mut other = others.remove(0);
    other.signal("TERM");
    assert!(other.child.wait().unwrap().success());
    store.close().await;
}
