//! Ten thousand bad polls, and boxes that hang over FIFOs and datagrams; then everything that could be left behind is counted:
//! descriptors, tasks, memory, files. Alone in its binary, so that nothing else moves the counts.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test ends where something is not as it must be")]

#[path = "../source/bad.rs"]
mod bad;
#[path = "../source/replay.rs"]
#[expect(dead_code, reason = "what servers have seen is looked at elsewhere")]
mod replay;
mod stuck;
#[path = "../panel/support.rs"]
#[expect(dead_code, reason = "not every question is asked here")]
mod support;

use std::{path::PathBuf, time::Duration};

use app::model::BoxKind;
use peak_alloc::PeakAlloc;
use reqwest::{Method, StatusCode};
use serde_json::json;
use server::source::{Source, Target};
use tokio::{runtime::Handle, task::JoinSet};

use bad::BAD;
use replay::Replay;
use stuck::Stuck;
use support::{LIMIT, Start, TestPanel};

#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

/// So many polls in all, in two equal halves.
const POLLS: usize = 10_000;
/// Of those that read up to the largest answer so many in a half: each takes a while.
const FLOODS: usize = 8;
/// The time limit of a poll that lasts until it has passed.
const SOON: Duration = Duration::from_millis(10);
/// What the heap may differ by: what the runtime and its threads keep for themselves.
const HEAP_NOISE: usize = 128 << 10;
/// What a panel may open meanwhile and keep, such as connections to its database: less than one for each bad box.
const SLACK: usize = 16;
/// Each bad box of the panel fails so often in a round.
const FAILURES: u64 = 3;

/// What may be left behind.
#[derive(Clone, Copy, Debug)]
struct Left {
    descriptors: usize,
    tasks: usize,
}

fn left() -> Left {
    Left { descriptors: std::fs::read_dir("/proc/self/fd").unwrap().count(), tasks: Handle::current().metrics().num_alive_tasks() }
}

/// Waits until no more is there than was at first, and some slack.
async fn settled(first: Left, slack: usize) {
    let mut turns = tokio::time::interval(Duration::from_millis(10));
    let waiting = async {
        while left().descriptors > first.descriptors + slack || left().tasks > first.tasks + slack {
            turns.tick().await;
        }
    };
    if tokio::time::timeout(LIMIT, waiting).await.is_err() {
        panic!("left behind: {:?}, at first {first:?}", left());
    }
}

/// Half of the polls, each source with its own server; they end with it. Answers how many polls there were.
async fn half(servers: &[Replay]) -> usize {
    let floods = BAD.iter().filter(|bad| is_flood(bad.how)).count();
    let others = BAD.len() - floods;
    let share = (POLLS / 2 - floods * FLOODS).div_ceil(others);
    let mut polling = JoinSet::new();
    for (bad, server) in BAD.iter().zip(servers) {
        let polls = if is_flood(bad.how) { FLOODS } else { share };
        let time_limit = if bad.kind == "timeout" { SOON } else { LIMIT };
        let target = Target {
            kind: BoxKind::Opensips,
            address: format!("http://{}/mi", server.address).parse().unwrap(),
            user: None,
            password: None,
            time_limit,
        };
        polling.spawn(async move {
            let mut source = Source::new(target).unwrap();
            for _ in 0..polls {
                source.poll().await.expect_err(bad.how);
            }
            polls
        });
    }
    polling.join_all().await.into_iter().sum()
}

fn is_flood(how: &str) -> bool {
    how.starts_with("floods")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_polls_leave_nothing_behind() {
    let mut servers = Vec::new();
    for bad in BAD {
        servers.push(Replay::start(bad.script).await);
    }
    let first = left();
    let mut polls = half(&servers).await;
    settled(first, 0).await;
    let heap = HEAP.current_usage();
    polls += half(&servers).await;
    settled(first, 0).await;
    let after = HEAP.current_usage();
    assert!(polls >= POLLS, "{polls}");
    assert!(after <= heap + HEAP_NOISE, "{heap} bytes after half of the polls, {after} after all");

    // The same through the sampler, the board and the store.
    let panel = Start::new().signed_in().await;
    panel.until("/cp/api/v1/boxes/tickmark", |one| one["state"] == "up").await;
    let first = left();
    round(&panel, &servers).await;
    settled(first, SLACK).await;
    let heap = HEAP.current_usage();
    round(&panel, &servers).await;
    settled(first, SLACK).await;
    let after = HEAP.current_usage();
    assert!(after <= heap + 4 * HEAP_NOISE, "{heap} bytes after a round of bad boxes, {after} after another");
    stuck_boxes(&panel).await;
}

async fn stuck_boxes(panel: &TestPanel) {
    let stuck = Stuck::start();
    let good = Replay::start(|request| match request.method().as_str() {
        "get_statistics" => request.result(r#"{"core:timestamp":80,"core:rcv_requests":5}"#),
        "list_statistics" => request.recorded("opensips-4.0/list_all"),
        _ => request.recorded("opensips-4.0/cmd_version"),
    })
    .await;
    let first = left();
    stuck.round(panel, &good).await;
    settled(first, SLACK).await;
    assert_eq!(stuck.left(), Vec::<PathBuf>::new());
    assert!(stuck.questions().iter().all(|count| *count == 1), "{:?}", stuck.questions());
}

/// Every bad box is added, ticked, polled some times, and removed with its history.
async fn round(panel: &TestPanel, servers: &[Replay]) {
    let name = |index: usize| format!("bad{index}");
    for (index, server) in servers.iter().enumerate() {
        panel.add_box(&name(index), &format!("http://{}/mi", server.address)).await;
        let path = format!("/cp/api/v1/boxes/{}/ticks", name(index));
        panel.send(Method::POST, &path, json!({"match": ["all"]}), StatusCode::OK).await;
    }
    for index in 0..servers.len() {
        let count = format!("tickmark_box_polls_total{{box=\"{}\",outcome=\"failed\"}} ", name(index));
        let enough = |text: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(&count));
            line.is_some_and(|failed| failed.parse::<u64>().unwrap() >= FAILURES)
        };
        panel.until_text("/metrics", enough).await;
    }
    for index in 0..servers.len() {
        let path = format!("/cp/api/v1/boxes/{}?history=delete", name(index));
        panel.send(Method::DELETE, &path, json!(null), StatusCode::NO_CONTENT).await;
    }
}
