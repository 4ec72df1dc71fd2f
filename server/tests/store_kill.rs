//! What the store has answered for survives `kill -9`, also while it seals and merges, and an import goes on after one. The tests run
//! themselves again as the process to kill.

#![expect(clippy::unwrap_used, reason = "a test ends where something fails, in its helpers too")]

use std::ffi::OsStr;
use std::process::Stdio;

use app::model::{Number, ResetCause};
use server::store::{Brought, ExportFile, ImportStep, Imported, Incoming, Mark, PollRecord, SeriesId, Store};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::Command;

#[path = "support/database.rs"]
#[expect(dead_code, reason = "other tests need more of it")]
mod database;

#[path = "support/one_box.rs"]
mod one_box;

use database::TestDatabase;
use one_box::one_box;

/// Names the database, in the process to kill.
const DATABASE: &str = "TICKMARK_TEST_KILL_DATABASE";
/// Names the file to import, in the process to kill.
const FILE: &str = "TICKMARK_TEST_KILL_FILE";
/// Processes that are killed one after the other.
const ROUNDS: usize = 6;
/// Series of the box: enough that sealing takes a while.
const SERIES: usize = 50;
/// Polls that are under way at once.
const POLLS: i64 = 20;
/// Between two polls: so many that days are over, and merged, all the time.
const STEP_MS: i64 = 900_000;

/// How many polls are stored; each must be whole, and in its place.
async fn stored(store: &Store, series: &[SeriesId]) -> i64 {
    let mut counts = Vec::new();
    for (i, series) in (0..).zip(series) {
        let samples = store.samples(*series, i64::MIN, i64::MAX).await.unwrap();
        for (n, (at, value)) in (0..).zip(samples.iter()) {
            assert_eq!((at, value), (n * STEP_MS, Some(Number::Int(n * i))));
        }
        counts.push(i64::try_from(samples.at_ms.len()).unwrap());
    }
    assert!(counts.iter().all(|count| *count == counts[0]), "{counts:?}");
    counts[0]
}

/// The process to kill: records and seals without end, and says how many polls were answered for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_until_killed() {
    let Ok(database) = std::env::var(DATABASE) else { return };
    let store = Store::open(&database).await.unwrap();
    // On a server, what the process before was about to write is over then.
    assert!(store.claim_alone().await.unwrap());
    let (box_id, series) = one_box(&store, SERIES).await;
    let mut next = stored(&store, &series).await;
    let sealing = store.clone();
    tokio::spawn(async move {
        loop {
            sealing.seal_due(i64::MAX).await.unwrap();
        }
    });
    let merging = store.clone();
    tokio::spawn(async move {
        loop {
            if !merging.merge_due(i64::MAX).await.unwrap() {
                tokio::task::yield_now().await;
            }
        }
    });
    loop {
        let polls = (next..next + POLLS).map(|n| PollRecord {
            box_id,
            at_ms: n * STEP_MS,
            interval_ms: STEP_MS,
            values: (0..).zip(&series).map(|(i, series)| (*series, Some(Number::Int(n * i)))).collect(),
            marks: Vec::new(),
            started_ms: None,
            generation: None,
        });
        for result in futures::future::join_all(polls.map(|poll| store.record(poll))).await {
            result.unwrap();
        }
        next += POLLS;
        println!("\nanswered {next}");
    }
}

#[tokio::test]
async fn what_was_answered_survives_kill_9() {
    let kept = TestDatabase::new();
    let database = kept.url();
    for round in 0..ROUNDS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "records_until_killed", "--nocapture"])
            .env(DATABASE, &database)
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut answered = 0;
        let mut heard = 0;
        while heard < 2 + round
            && let Some(line) = lines.next_line().await.unwrap()
        {
            if let Some(count) = line.strip_prefix("answered ") {
                answered = count.parse().unwrap();
                heard += 1;
            }
        }
        child.kill().await.unwrap();
        assert_eq!(heard, 2 + round, "the process ended by itself");
        let store = Store::open(&database).await.unwrap();
        let (_, series) = one_box(&store, SERIES).await;
        let found = stored(&store, &series).await;
        assert!(found >= answered, "{found} of {answered}");
        assert_eq!(store.check(|_| {}).await.unwrap().faults, [""; 0]);
        store.close().await;
    }
}

/// Marks of the box that is moved: more than what goes into one transaction of an import, several times.
const MARKS: i64 = 16_000;

/// The process to kill: imports, and after each step says so and waits to be told to go on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn imports_until_killed() {
    let (Ok(database), Ok(file)) = (std::env::var(DATABASE), std::env::var(FILE)) else { return };
    let file = ExportFile::open(file.as_ref(), |_| {}).unwrap();
    let store = Store::open_to_import(&database).await.unwrap();
    assert!(store.claim_alone().await.unwrap());
    let told = |step, part| {
        if step == ImportStep::Writing {
            println!("\nimported {part}");
            std::io::stdin().read_line(&mut String::new()).unwrap();
        }
    };
    store.import(&file, told).await.unwrap();
}

#[tokio::test]
async fn an_import_goes_on_after_kill_9() {
    let (from, there) = (TestDatabase::new(), TestDatabase::new());
    let store = Store::open(&from.url()).await.unwrap();
    let (box_id, series) = one_box(&store, SERIES).await;
    let mark = |at_ms| Mark { series: None, at_ms, cause: ResetCause::Restart, by: None };
    let poll = |n: i64| PollRecord {
        box_id,
        at_ms: n * STEP_MS,
        interval_ms: STEP_MS,
        values: (0..).zip(&series).map(|(i, series)| (*series, Some(Number::Int(n * i)))).collect(),
        marks: if n == 0 { (0..MARKS).map(mark).collect() } else { Vec::new() },
        started_ms: None,
        generation: None,
    };
    for polls in [0..150, 150..200] {
        while store.seal_due(i64::MAX).await.unwrap() {}
        for result in futures::future::join_all(polls.map(|n| store.record(poll(n)))).await {
            result.unwrap();
        }
    }
    let path = from.folder().join("moved");
    let exported = store.export(&path, |_| {}).await.unwrap();
    let mut far = 0.0;
    for steps in [1, 2, 1] {
        let told =
            killed_amid("imports_until_killed", &[(DATABASE, there.url().as_ref()), (FILE, path.as_ref())], "imported ", steps).await;
        for part in told {
            let part: f64 = part.parse().unwrap();
            assert!(part > far, "{part} was there already: {far}");
            far = part;
        }
        if let Ok(half) = Store::open(&there.url()).await {
            panic!("a panel must not use it: {:?}", half.boxes().await);
        }
    }
    let file = ExportFile::open(&path, |_| {}).unwrap();
    let half = Store::open_to_import(&there.url()).await.unwrap();
    assert!(half.claim_alone().await.unwrap());
    // Which compares each row.
    assert_eq!(half.import(&file, |_, _| {}).await.unwrap(), Imported::Whole(exported));
    half.close().await;
    let whole = Store::open(&there.url()).await.unwrap();
    assert_eq!(stored(&whole, &series).await, 200);
    assert_eq!(whole.check(|_| {}).await.unwrap().faults, [""; 0]);
}

/// Runs a test of this program as a process, which says how far it is and waits to be told to go on; kills it amid the step after so many.
/// What it said, each.
async fn killed_amid(test: &str, environment: &[(&str, &OsStr)], prefix: &str, steps: usize) -> Vec<String> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .envs(environment.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut go_on = child.stdin.take().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut told = Vec::new();
    while told.len() < steps {
        let line = lines.next_line().await.unwrap().unwrap();
        if let Some(step) = line.strip_prefix(prefix) {
            told.push(step.to_owned());
            go_on.write_all(b"\n").await.unwrap();
        }
    }
    child.kill().await.unwrap();
    told
}

/// Polls that are brought in: of some days.
const BROUGHT: i64 = 500;

async fn bring_all(store: &Store, box_id: i64, told: impl FnMut(f64)) -> Brought {
    let mut incoming = Incoming::new().unwrap();
    for n in (0..BROUGHT).rev() {
        for i in 0..SERIES {
            let value = Some(Number::Int(n * i64::try_from(i).unwrap()));
            incoming.push(box_id, &format!("s:{i}"), n * STEP_MS, value).unwrap();
        }
    }
    store.bring_in(&mut incoming, BROUGHT * STEP_MS, told).await.unwrap()
}

/// The process to kill: brings history in, and after each slice says so and waits to be told to go on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn brings_in_until_killed() {
    let Ok(database) = std::env::var(DATABASE) else { return };
    let store = Store::open(&database).await.unwrap();
    assert!(store.claim_alone().await.unwrap());
    let (box_id, _) = one_box(&store, SERIES).await;
    let told = |part| {
        println!("\nbrought {part}");
        std::io::stdin().read_line(&mut String::new()).unwrap();
    };
    bring_all(&store, box_id, told).await;
}

#[tokio::test]
async fn history_of_other_programs_goes_on_after_kill_9() {
    let kept = TestDatabase::new();
    let database = kept.url();
    for slices in 1..4 {
        killed_amid("brings_in_until_killed", &[(DATABASE, database.as_ref())], "brought ", slices).await;
    }
    let store = Store::open(&database).await.unwrap();
    assert!(store.claim_alone().await.unwrap());
    let (box_id, series) = one_box(&store, SERIES).await;
    let before = stored(&store, &series).await;
    assert!((1..BROUGHT).contains(&before), "{before}");
    let all = |polls: i64| u64::try_from(polls).unwrap() * SERIES as u64;
    let brought = bring_all(&store, box_id, |_| {}).await;
    assert_eq!(brought, Brought { added: all(BROUGHT - before), known: all(before) });
    assert_eq!(stored(&store, &series).await, BROUGHT);
    assert_eq!(store.check(|_| {}).await.unwrap().faults, [""; 0]);
    store.close().await;
}
