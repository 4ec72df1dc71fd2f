//! Recording, sealing, merging, rolling up, deleting and giving room back, all at once, in simulated time that runs thousands of times as
//! fast as time does.

use std::{collections::BTreeMap, process::Stdio, time::Duration};

use app::model::Number;
use server::store::{KeepRule, Kept, PollRecord, SeriesId, Store, Tier};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::Command,
    sync::watch,
};

use crate::{database::TestDatabase, dice::Dice, kills, one_box::one_box};

/// Names the database, in the process to kill.
const DATABASE: &str = "TICKMARK_TEST_SOAK_DATABASE";
/// How many are killed.
const KILLS: &str = "TICKMARK_SOAK_KILLS";
/// Series of the box.
const SERIES: usize = 12;
/// Simulated time between two polls.
const STEP_MS: i64 = 20_000;
/// Polls that are under way at once.
const POLLS: i64 = 480;
const DAY_MS: i64 = 86_400_000;
/// Samples are kept so long, minutes so long, and hours for ever.
const KEPT: [Kept; 3] = [Kept::For(DAY_MS), Kept::For(2 * DAY_MS), Kept::Ever];
/// What the process to kill does beside recording.
const PHASES: [&str; 4] = ["seal", "merge", "delete", "space"];
/// A phase is killed within this time after it begins.
const WITHIN: Duration = Duration::from_millis(12);

/// Values that grow and fall, each of one instant alone within its day.
fn value(poll: i64, series: i64) -> i64 {
    poll * (series + 1) - poll % 3 * 7
}

async fn the_box(store: &Store) -> (i64, Vec<SeriesId>) {
    let (id, series) = one_box(store, SERIES).await;
    if store.retention().await.unwrap().rules.is_empty() {
        store.set_retention(&KeepRule { box_id: Some(id), pattern: None, keep: KEPT.map(Some) }).await.unwrap();
    }
    (id, series)
}

/// Polls that are there, in all: each of them is in the hours, each young one as it was recorded.
async fn found(store: &Store, series: &[SeriesId]) -> i64 {
    let mut all = Vec::new();
    for (number, series) in (0..).zip(series) {
        let hours = store.rollup(*series, i64::MIN, i64::MAX, Tier::Hours).await.unwrap();
        assert!(hours.damaged.is_empty());
        let count = hours.samples();
        let samples = store.samples(*series, i64::MIN, i64::MAX).await.unwrap();
        assert!(samples.damaged.is_empty());
        let first = count - i64::try_from(samples.at_ms.len()).unwrap();
        for (poll, (at, found)) in (first..).zip(samples.iter()) {
            assert_eq!((at, found), (poll * STEP_MS, Some(Number::Int(value(poll, number)))), "series {number} of {count}");
        }
        // Deletion comes once a day, and goes by whole spans: what is kept is there at least.
        let Kept::For(kept_ms) = KEPT[0] else { unreachable!("samples are not kept for ever") };
        assert!(first == 0 || (count - first) * STEP_MS >= kept_ms, "{first} to {count}: less than what is kept");
        for bucket in &hours.buckets {
            let polls = (bucket.first_ms / STEP_MS)..=(bucket.last_ms / STEP_MS);
            let summary = bucket.values.unwrap();
            let values = || polls.clone().map(|poll| value(poll, number));
            assert_eq!(bucket.samples, polls.clone().count() as i64, "an hour has each of its polls once");
            let ends = (values().next(), values().next_back(), values().min(), values().max());
            let told = [summary.first, summary.last, summary.min, summary.max].map(|number| match number {
                Number::Int(int) => Some(int),
                Number::Float(_) => None,
            });
            assert_eq!(told, [ends.0, ends.1, ends.2, ends.3]);
        }
        all.push(count);
    }
    assert!(all.iter().all(|count| *count == all[0]), "{all:?}");
    all[0]
}

/// One phase, again and again: whenever time went on, until there is nothing more to do.
async fn keep_on(phase: &'static str, mut now_ms: watch::Receiver<i64>, mut work: impl AsyncFnMut(i64) -> bool) {
    while now_ms.changed().await.is_ok() {
        println!("\nbegin {phase}");
        let now_ms = *now_ms.borrow();
        while work(now_ms).await {}
        println!("\nend {phase}");
    }
}

/// The process to kill: keeps a history without end, and says how many polls were answered for, and what it is at.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keeps_until_killed() {
    let Ok(database) = std::env::var(DATABASE) else { return };
    let store = Store::open(&database).await.unwrap();
    // On a server, what the process before was about to write is over then.
    assert!(store.claim_alone().await.unwrap());
    let (box_id, series) = the_box(&store).await;
    let mut next = found(&store, &series).await;
    let now_ms = watch::Sender::new(next * STEP_MS);
    let of = store.clone();
    // What is a quarter of an hour old is sealed, so that there is much of it.
    tokio::spawn(keep_on("seal", now_ms.subscribe(), async move |now| of.seal_due(now + 45 * 60_000).await.unwrap()));
    let of = store.clone();
    tokio::spawn(keep_on("merge", now_ms.subscribe(), async move |now| of.merge_due(now).await.unwrap()));
    let of = store.clone();
    tokio::spawn(keep_on("delete", now_ms.subscribe(), async move |now| of.retain_due(now).await.unwrap()));
    let of = store.clone();
    tokio::spawn(keep_on("space", now_ms.subscribe(), async move |now| of.give_back(now).await.unwrap()));
    loop {
        let polls = (next..next + POLLS).map(|poll| PollRecord {
            box_id,
            at_ms: poll * STEP_MS,
            interval_ms: STEP_MS,
            values: (0..).zip(&series).map(|(number, series)| (*series, Some(Number::Int(value(poll, number))))).collect(),
            marks: Vec::new(),
            started_ms: None,
            generation: None,
        });
        for result in futures::future::join_all(polls.map(|poll| store.record(poll))).await {
            result.unwrap();
        }
        next += POLLS;
        println!("\nanswered {next}");
        now_ms.send_replace(next * STEP_MS);
    }
}

/// What a process said before it was killed.
#[derive(Default)]
struct Said {
    answered: i64,
    /// What it was at.
    open: BTreeMap<String, bool>,
}

impl Said {
    /// Says whether this phase began with that line.
    fn hear(&mut self, line: &str, phase: &str) -> bool {
        match line.split_once(' ') {
            Some(("answered", count)) => self.answered = count.parse().unwrap(),
            Some(("begin", begun)) => {
                self.open.insert(begun.to_owned(), true);
                return begun == phase && self.answered > 0;
            }
            Some(("end", ended)) => {
                self.open.insert(ended.to_owned(), false);
            }
            _ => {}
        }
        false
    }
}

#[tokio::test]
async fn a_history_survives_kill_9_in_every_phase() {
    let (kills, mut dice) = (kills(KILLS, 16), Dice::new());
    let kept = TestDatabase::new();
    let database = kept.url();
    let mut amid: BTreeMap<String, usize> = BTreeMap::new();
    let (mut acknowledged, mut in_all) = (0, 0);
    for round in 0..kills {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "keeping::keeps_until_killed", "--nocapture"])
            .env(DATABASE, &database)
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let phase = PHASES[round % PHASES.len()];
        let (mut said, mut begun, wanted) = (Said::default(), 0, 1 + dice.below(8));
        while begun < wanted {
            let line = lines.next_line().await.unwrap().unwrap_or_else(|| panic!("the process ended by itself, at {in_all} polls"));
            begun += u64::from(said.hear(&line, phase));
        }
        tokio::time::sleep(dice.time_below(WITHIN)).await;
        child.kill().await.unwrap();
        // What it said before is heard still.
        while let Some(line) = lines.next_line().await.unwrap() {
            said.hear(&line, phase);
        }
        for (phase, _) in said.open.iter().filter(|(_, is_open)| **is_open) {
            *amid.entry(phase.clone()).or_default() += 1;
        }
        let store = Store::open(&database).await.unwrap();
        let (_, series) = the_box(&store).await;
        in_all = found(&store, &series).await;
        acknowledged = acknowledged.max(said.answered);
        assert!(in_all >= acknowledged, "{in_all} polls of {acknowledged}");
        assert_eq!(store.check(|_| {}).await.unwrap().faults, [""; 0]);
        store.close().await;
        if (round + 1) % 20 == 0 {
            eprintln!("{} of {kills} killed, {:.1} simulated days", round + 1, in_all as f64 * STEP_MS as f64 / DAY_MS as f64);
        }
    }
    let hours = in_all * STEP_MS / 3_600_000;
    let samples = |polls: i64| polls * i64::try_from(SERIES).unwrap();
    println!("{kills} kills over {hours} simulated hours, amid: {amid:?}");
    println!("{} samples acknowledged, {} found, each in its place", samples(acknowledged), samples(in_all));
}
