//! The host's clock is set back an hour and forward a day while the panel records: no sample takes another's place, and the history
//! says what happened. Debian's `faketime` sets the clock of the one process.

use std::{fs, path::Path};

use serde_json::Value;

use crate::{
    fake_box::FakeBox,
    left_out::left_out,
    served::{Served, command, text},
    watcher::{Told, Watcher},
};

/// The counter that the box raises by one at each poll.
const COUNTER: &str = "core:polls";
const HOUR_MS: i64 = 3_600_000;

/// The library that lies about the time; none where it is not installed.
pub(crate) fn faketime() -> Option<String> {
    let folders = ["/usr/lib/x86_64-linux-gnu/faketime", "/usr/lib/aarch64-linux-gnu/faketime"];
    let library = folders.map(|folder| format!("{folder}/libfaketimeMT.so.1")).into_iter().find(|path| Path::new(path).exists());
    if library.is_none() {
        left_out("the package faketime is not installed");
    }
    library
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_steps_hides_no_sample_and_the_history_says_so() {
    let Some(library) = faketime() else { return };
    let one = FakeBox::start(&[]).await;
    one.count_polls(COUNTER);
    let folder = tempfile::tempdir().unwrap();
    let address = one.url();
    let config =
        format!("[[box]]\nname = \"sip1\"\nkind = \"opensips\"\naddress = \"{address}\"\ninterval = \"200ms\"\nticks = [\"core:\"]\n");
    fs::write(folder.path().join("tickmark.toml"), config).unwrap();
    let clock = folder.path().join("clock");
    let set = |offset: &str| {
        // In one step, so that no half of it is read.
        fs::write(folder.path().join("clock.new"), offset).unwrap();
        fs::rename(folder.path().join("clock.new"), &clock).unwrap();
    };
    set("+0");
    let mut program = command(folder.path(), &[]);
    program.env("LD_PRELOAD", library).env("FAKETIME_TIMESTAMP_FILE", &clock).env("FAKETIME_NO_CACHE", "1");
    program.env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    let mut panel = Served::start_as(program);
    let mut told = Told::default();
    let mut watcher = Watcher::open(&panel, COUNTER).await;
    watcher.until(&mut told, "samples", |told| told.recorded.len() > 5).await;
    let first = told.recorded.iter().map(|(_, at)| *at).max().unwrap();

    set("-3600");
    watcher
        .until(&mut told, "samples an hour ago", |told| told.recorded.iter().filter(|(_, at)| *at < first - HOUR_MS / 2).count() > 5)
        .await;
    set("+86400");
    watcher
        .until(&mut told, "samples of tomorrow", |told| told.recorded.iter().filter(|(_, at)| *at > first + 23 * HOUR_MS).count() > 5)
        .await;

    let (from, to) = (first - 2 * HOUR_MS, first + 25 * HOUR_MS);
    let path = format!("/cp/api/v1/series?box=sip1&name={COUNTER}&from={from}&to={to}&points=10000");
    let (status, series) = watcher.get(&format!("{path}&mode=value")).await;
    assert_eq!(status, 200, "{series}");
    let series: Value = serde_json::from_str(&series).unwrap();
    let columns = &series["columns"];
    let stored: Vec<(i64, i64)> = columns["t"]
        .as_array()
        .unwrap()
        .iter()
        .zip(columns["last"].as_array().unwrap())
        .filter_map(|(at, value)| Some((at.as_i64()?, value.as_i64()?)))
        .collect();
    assert!(stored.is_sorted_by_key(|(at, _)| *at));
    let newest = told.recorded.last().unwrap().1;
    for ((_, at), value) in told.values.iter().filter(|((name, at), _)| name == "sip1" && *at <= newest) {
        assert!(stored.contains(&(*at, *value)), "{value} at {at} is not there: {stored:?}");
    }
    let marks: Vec<&Value> = series["resets"].as_array().unwrap().iter().map(|mark| &mark["cause"]).collect();
    assert_eq!(marks, ["clock"]);
    let gaps = series["gaps"].as_array().unwrap();
    let forward = |gap: &Value| gap["reason"].as_str().unwrap().contains("clock was set forward by 25h");
    assert!(gaps.iter().any(forward), "{gaps:?}");

    // Counted up by one each 200 ms or a little more: no step of the clock makes a rate of it.
    let (_, rates) = watcher.get(&format!("{path}&mode=rate")).await;
    let rates: Value = serde_json::from_str(&rates).unwrap();
    let rates: Vec<f64> = rates["columns"]["last"].as_array().unwrap().iter().filter_map(Value::as_f64).collect();
    assert!(!rates.is_empty() && rates.iter().all(|rate| (0.0..=30.0).contains(rate)), "{rates:?}");

    let (_, picture) =
        watcher.get(&format!("/cp/api/v1/chart.svg?box=sip1&name={COUNTER}&from={}&to={}", first - 2 * HOUR_MS, first + HOUR_MS)).await;
    assert!(picture.contains("clock set back"), "{picture}");
    panel.signal("TERM");
    assert!(panel.child.wait().unwrap().success());
    let check = crate::served::run(folder.path(), &["check"]);
    assert!(check.status.success(), "{}", text(&check.stdout));
}
