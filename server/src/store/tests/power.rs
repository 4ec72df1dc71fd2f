//! A power loss, as far as it can be staged with files: what the system had not written yet is missing, half there or wrong. SQLite's
//! alone: a server sees to its files itself.

use std::path::{Path, PathBuf};

use super::*;

/// As SQLite's pages are here.
const PAGE_BYTES: usize = 16_384;
/// So many times each loss is staged, unless `TICKMARK_SOAK_LOSSES` says otherwise.
const LOSSES: u64 = 24;

/// Numbers without a pattern, the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }
}

fn losses() -> u64 {
    std::env::var("TICKMARK_SOAK_LOSSES").map_or(LOSSES, |text| text.parse().unwrap())
}

/// The log beside a file.
fn log_of(path: &Path) -> PathBuf {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    log.into()
}

/// A history of which some is in the file, some in the log, some sealed: its file and log at an instant, before and after the log was
/// written into the file; and the times of all that was recorded.
struct History {
    before: Vec<u8>,
    after: Vec<u8>,
    log: Vec<u8>,
    /// What was there for good before the last of the log.
    safe: usize,
    recorded: Vec<i64>,
}

async fn history() -> History {
    let place = Place::new();
    let store = place.open().await;
    let id = store.add_box(&spec("a"), 1).await.unwrap();
    let names: Vec<String> = (0..200).map(|number| format!("core:{number}")).collect();
    let series = store.series_ids(id, &names.iter().map(|name| &**name).collect::<Vec<_>>()).await.unwrap();
    let recorded: Vec<i64> = (1..=120).map(|n| n * 10_000).collect();
    let polls: Vec<PollRecord> = recorded
        .iter()
        .map(|&at| poll(id, at, &series.iter().map(|&series| (series, Some(Number::Int(at + series.0)))).collect::<Vec<_>>()))
        .collect();
    record_all(&store, polls[..40].to_vec()).await;
    store.sync().await.unwrap();
    // One commit each.
    for (number, poll) in polls[40..].iter().enumerate() {
        store.record(poll.clone()).await.unwrap();
        if number % 30 == 20 {
            seal_all(&store).await;
        }
    }
    let (before, log) = (std::fs::read(place.path()).unwrap(), std::fs::read(log_of(&place.path())).unwrap());
    store.sync().await.unwrap();
    let after = std::fs::read(place.path()).unwrap();
    store.close().await;
    History { before, after, log, safe: 40, recorded }
}

/// The times that are found when a file and its log are opened after the loss; they are right, and nothing is damaged.
async fn found(file: &[u8], log: &[u8]) -> Vec<i64> {
    let place = Place::new();
    std::fs::write(place.path(), file).unwrap();
    std::fs::write(log_of(&place.path()), log).unwrap();
    let store = place.open().await;
    assert_eq!(store.check(|_| {}).await.unwrap().faults, [""; 0]);
    let mut times = None;
    let id = store.boxes().await.unwrap()[0].id;
    for (series, _) in store.series_of(id).await.unwrap() {
        let samples = everything(&store, series).await;
        assert!(ints(&samples).iter().all(|&(at, value)| value == at + series.0));
        assert!(times.is_none_or(|times: Vec<i64>| times == samples.at_ms), "a poll is there by half");
        times = Some(samples.at_ms);
    }
    store.close().await;
    times.unwrap_or_default()
}

#[tokio::test]
async fn a_log_that_ends_anywhere_loses_only_the_last_commits() {
    if is_on_server() {
        return;
    }
    let history = history().await;
    let (mut dice, mut fewest) = (Dice(1), usize::MAX);
    for round in 0..losses() {
        let cut = dice.below(history.log.len() + 1);
        let mut log = history.log[..cut].to_vec();
        match round % 3 {
            // The file ends there; or has its length, but nothing, or something else, where nothing was written yet.
            0 => {}
            1 => log.resize(history.log.len(), 0),
            _ => log.extend((cut..history.log.len()).map(|_| u8::try_from(dice.below(256)).unwrap())),
        }
        let times = found(&history.before, &log).await;
        assert!(times.len() >= history.safe && history.recorded.starts_with(&times), "cut at {cut}: {times:?}");
        fewest = fewest.min(times.len());
    }
    assert!(fewest < history.recorded.len(), "nothing was lost: nothing was staged");
    assert_eq!(found(&history.before, &history.log).await, history.recorded);
    println!("{} losses of the log's end staged: {} polls recorded, {fewest} found at least", losses(), history.recorded.len());
}

#[tokio::test]
async fn a_file_of_which_some_pages_were_written_loses_nothing() {
    if is_on_server() {
        return;
    }
    let history = history().await;
    assert_ne!(history.before, history.after);
    let pages = history.after.len().div_ceil(PAGE_BYTES);
    let mut dice = Dice(2);
    for _ in 0..losses() {
        let mut file = history.before.clone();
        for page in (0..pages).filter(|_| dice.below(2) == 0).collect::<Vec<_>>() {
            let (start, end) = (page * PAGE_BYTES, ((page + 1) * PAGE_BYTES).min(history.after.len()));
            // A page may itself be written by half.
            let end = if dice.below(4) == 0 { start + (end - start) / 2 } else { end };
            file.resize(file.len().max(end), 0);
            file[start..end].copy_from_slice(&history.after[start..end]);
        }
        assert_eq!(found(&file, &history.log).await, history.recorded);
    }
    println!("{} losses amid a checkpoint staged: all {} polls found each time", losses(), history.recorded.len());
}
