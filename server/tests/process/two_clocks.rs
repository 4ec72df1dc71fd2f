//! Two panels on one PostgreSQL whose clocks differ by five seconds: boxes go from one to the other and back, no sample takes another's place,
//! and the history says what happened.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{
    clock::faketime,
    panels::{Stage, all_recorded, boxes},
    served::{Served, command},
    watcher::{Told, Watcher},
};

/// By so much one clock is ahead.
const AHEAD_MS: i64 = 5_000;
/// The counter that each box raises by one at each poll.
const COUNTER: &str = "core:polls";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn boxes_that_go_between_panels_whose_clocks_differ_lose_no_sample() {
    let Some(library) = faketime() else { return };
    let (_boxes, names) = boxes(3).await;
    // With the built-in one there are four.
    let Some(mut stage) = Stage::new(&names, "200ms").await else { return };
    let right = stage.panel();
    stage.until_shared(&[4]).await;
    let mut told = Told::default();
    let mut at_right = Watcher::open(&right, COUNTER).await;
    all_recorded(&mut at_right, &mut told, &names).await;

    let mut program = command(stage.folder.path(), &[]);
    program.env("LD_PRELOAD", library).env("FAKETIME", "+5").env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    let ahead = Served::start_as(program);
    // Nobody is given up for a clock that is ahead: that goes by the server's.
    stage.until_shared(&[2, 2]).await;
    let mut at_ahead = Watcher::open(&ahead, COUNTER).await;
    all_recorded(&mut at_ahead, &mut told, &names).await;
    all_recorded(&mut at_right, &mut told, &names).await;
    stage.until_shared(&[2, 2]).await;

    // All go to the one that is ahead …
    end(right, at_right, &mut told).await;
    stage.until_shared(&[4]).await;
    all_recorded(&mut at_ahead, &mut told, &names).await;
    all_recorded(&mut at_ahead, &mut told, &names).await;
    // … and back, to times that were recorded already.
    let right = stage.panel();
    stage.until_shared(&[2, 2]).await;
    end(ahead, at_ahead, &mut told).await;
    stage.until_shared(&[4]).await;
    let mut at_right = Watcher::open(&right, COUNTER).await;
    for _ in 0..3 {
        all_recorded(&mut at_right, &mut told, &names).await;
    }

    let to = told.recorded.iter().map(|(_, at)| *at).max().unwrap() + 60_000;
    let mut causes = Vec::new();
    for (name, _) in &names {
        let path = format!("/cp/api/v1/series?box={name}&name={COUNTER}&from={}&to={to}&points=10000&mode=value", to - 600_000);
        let (status, series) = at_right.get(&path).await;
        assert_eq!(status, 200, "{series}");
        let series: Value = serde_json::from_str(&series).unwrap();
        causes.extend(series["resets"].as_array().unwrap().iter().map(|mark| mark["cause"].as_str().unwrap().to_owned()));
    }
    assert!(causes.iter().any(|cause| cause == "clock"), "times that repeat are marked: {causes:?}");
    end(right, at_right, &mut told).await;

    let stored = stage.stored().await;
    let mut found = 0;
    for (name, all) in &stored {
        let mut by_time: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
        for &(at, value) in all {
            by_time.entry(at).or_default().push(value);
        }
        // Each poll once, in the order in which they were made, whatever the clocks said.
        assert!(all.is_sorted_by(|one, next| one.1 < next.1), "{name}: {all:?}");
        let steps_back = all.windows(2).filter(|pair| pair[1].0 < pair[0].0).count();
        let back = all.windows(2).map(|pair| pair[0].0 - pair[1].0).max().unwrap_or_default();
        assert!(steps_back <= 2 && back <= AHEAD_MS, "{name} stepped back {steps_back} times, {back} ms at most");
        for (_, at) in told.recorded.iter().filter(|(box_name, _)| box_name == name) {
            let values = by_time.get(at).unwrap_or_else(|| panic!("{name} at {at} was said to be recorded"));
            if let Some(value) = told.values.get(&(name.clone(), *at)) {
                assert!(values.contains(value), "{name} at {at}: {values:?}, and {value} was shown");
            }
            found += 1;
        }
    }
    println!("{found} said to be recorded and found, {} stored", stored.values().map(Vec::len).sum::<usize>());
}

/// Ends a panel in good order, and hears what it says until then.
async fn end(mut panel: Served, mut watcher: Watcher, told: &mut Told) {
    panel.signal("TERM");
    assert!(panel.child.wait().unwrap().success());
    while watcher.hear(told).await {}
}
