//! History as OpenMetrics: out of a panel, into Prometheus's own tool, and back.

use std::{
    collections::BTreeMap,
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

use app::model::{BoxKind, Kind, Number};
use futures::future::join_all;
use server::store::{BoxSpec, PollRecord, SeriesId, Store};

use crate::{
    left_out::left_out,
    served::{Served, command, run, text},
};

/// Names of every sort, and the kinds that were corrected.
const NAMES: [(&str, Option<Kind>); 6] = [
    ("core:rcv_requests", None),
    ("load:load-proc-3", None),
    ("http:requests_total{code=\"200\",method=\"GET\"}", Some(Kind::Counter)),
    ("http:requests_total{code=\"5\\\"00\",method=\"GET\"}", Some(Kind::Counter)),
    ("script:say \"a\\b\" é", Some(Kind::Gauge)),
    ("x", None),
];
const POLLS: i64 = 500;
/// 2026-11-20, a quarter to midnight: the samples lie in two days.
const BEGIN_MS: i64 = 1_795_218_300_250;

/// By name, what is stored: times and values, floats by their bits.
type All = BTreeMap<String, Vec<(i64, Option<String>)>>;

fn spec(name: &str) -> BoxSpec {
    BoxSpec { interval_ms: Some(10_000), paused: true, ..BoxSpec::new(name, BoxKind::Opensips, "http://127.0.0.1:9/mi") }
}

async fn open(folder: &Path) -> Store {
    Store::open(&format!("sqlite:{}", folder.join("tickmark.db").display())).await.unwrap()
}

/// A value of every sort.
fn value(poll: i64, place: usize) -> Option<Number> {
    match (poll % 50, place) {
        (3, _) => None,
        (7, 1) => Some(Number::Float(5.0)),
        (8, 1) => Some(Number::Float(-0.0)),
        (9, 1) => Some(Number::Float(f64::INFINITY)),
        (10, 1) => Some(Number::Float(1e300)),
        (_, 1) => Some(Number::from(0.1)),
        (11, 4) => Some(Number::Int(i64::MIN)),
        (12, 4) => Some(Number::Int(i64::MAX - 1)),
        _ => Some(Number::Int(poll * 7)),
    }
}

/// A box of whose samples most are sealed and some are not.
async fn recorded(folder: &Path) -> Store {
    let store = open(folder).await;
    let box_id = store.add_box(&spec("sip1"), 1).await.unwrap();
    let names: Vec<&str> = NAMES.iter().map(|(name, _)| *name).collect();
    let series = store.series_ids(box_id, &names).await.unwrap();
    for (name, kind) in NAMES {
        store.set_kind(box_id, name, kind).await.unwrap();
    }
    let polls = (0..POLLS).map(|poll| {
        let values = series.iter().enumerate().map(|(place, &series)| (series, value(poll, place))).collect();
        let at_ms = BEGIN_MS + poll * 10_000 + poll % 3;
        PollRecord { box_id, at_ms, interval_ms: 10_000, values, marks: Vec::new(), started_ms: None, generation: None }
    });
    let polls: Vec<PollRecord> = polls.collect();
    let (sealed, head) = polls.split_at(polls.len() - 20);
    for some in [sealed, head] {
        for recorded in join_all(some.iter().map(|poll| store.record(poll.clone()))).await {
            recorded.unwrap();
        }
        if some.len() > 20 {
            while store.seal_due(i64::MAX).await.unwrap() {}
        }
    }
    store
}

async fn all(store: &Store, name: &str) -> All {
    let boxes = store.boxes().await.unwrap();
    let box_id = boxes.iter().find(|stored| stored.spec.name == name).unwrap().id;
    let mut all = All::new();
    for (series, name) in store.series_of(box_id).await.unwrap() {
        all.insert(name, samples(store, series).await);
    }
    all
}

async fn samples(store: &Store, series: SeriesId) -> Vec<(i64, Option<String>)> {
    let samples = store.samples(series, i64::MIN, i64::MAX).await.unwrap();
    samples.iter().map(|(at_ms, value)| (at_ms, value.map(|value| format!("{value:?}")))).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn promtool_reads_what_is_exported() {
    let folder = tempfile::tempdir().unwrap();
    let store = recorded(folder.path()).await;
    let ours = all(&store, "sip1").await;
    store.close().await;
    let done = run(folder.path(), &["export", "openmetrics", "--box", "sip1", "history"]);
    assert!(done.status.success() && text(&done.stdout).contains("history holds 3000 samples of 6 series"), "{done:?}");
    let said = run(folder.path(), &["export", "openmetrics", "--box", "sip1"]);
    assert_eq!(said.stdout, std::fs::read(folder.path().join("history")).unwrap());
    let promtool = |words: &[&str]| Command::new("promtool").args(words).current_dir(folder.path()).output();
    let Ok(made) = promtool(&["tsdb", "create-blocks-from", "openmetrics", "history", "blocks"]) else {
        return left_out("promtool, of the package prometheus, is not installed");
    };
    assert!(made.status.success(), "{made:?}");
    // It reads no blocks without a log beside them.
    std::fs::create_dir(folder.path().join("blocks/wal")).unwrap();
    let dumped = promtool(&["tsdb", "dump", "blocks"]).unwrap();
    assert!(dumped.status.success(), "{dumped:?}");
    let dumped = text(&dumped.stdout);
    for (name, labels) in [
        ("core:rcv_requests", "{__name__=\"core:rcv_requests\"} "),
        ("load:load-proc-3", "{__name__=\"tickmark_value\", group=\"load\", name=\"load-proc-3\"} "),
        (NAMES[3].0, "{__name__=\"http:requests_total\", code=\"5\\\"00\", method=\"GET\"} "),
        ("x", "{__name__=\"tickmark_value\", name=\"x\"} "),
    ] {
        let theirs = dumped.lines().filter_map(|line| line.strip_prefix(labels)).map(|line| line.split_once(' ').unwrap());
        let mut theirs: Vec<(i64, f64)> = theirs.map(|(value, at)| (at.parse().unwrap(), value.parse().unwrap())).collect();
        theirs.sort_by_key(|(at_ms, _)| *at_ms);
        let ours = ours[name].iter().map(|(at_ms, value)| {
            let digits = value.as_deref().map(|value| value.trim_start_matches(|c| c != '(').trim_matches(['(', ')']));
            (*at_ms, digits.map_or(f64::NAN, |digits| digits.parse().unwrap()))
        });
        let bits =
            |all: Vec<(i64, f64)>| all.into_iter().map(|(at, value)| (at, (!value.is_nan()).then(|| value.to_bits()))).collect::<Vec<_>>();
        assert_eq!(bits(theirs), bits(ours.collect()), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_exported_comes_back_equal_sample_by_sample() {
    let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = recorded(folder.path()).await;
    let ours = all(&store, "sip1").await;
    store.close().await;
    assert!(run(folder.path(), &["export", "openmetrics", "--box", "sip1", "history"]).status.success());
    let file = folder.path().join("history");
    let import = |file: &str| run(other.path(), &["import", "openmetrics", "--box", "sip2", file]);
    let store = open(other.path()).await;
    store.add_box(&spec("sip1"), 1).await.unwrap();
    let refused = import(file.to_str().unwrap());
    assert!(text(&refused.stderr).contains("there is no box \"sip2\""), "{refused:?}");
    let box_id = store.add_box(&spec("sip2"), 1).await.unwrap();
    for said in ["3000 samples were imported; 0 were there", "0 samples were imported; 3000 were there"] {
        let done = import(file.to_str().unwrap());
        assert!(done.status.success() && text(&done.stdout).contains(said), "{done:?}");
        assert!(text(&done.stderr).contains("imported 100 %") && !text(&done.stderr).contains("cut off"), "{done:?}");
        assert_eq!(all(&store, "sip2").await, ours);
    }
    let kinds: BTreeMap<_, _> = store.kinds(box_id).await.unwrap().into_iter().collect();
    let corrected = NAMES.iter().filter_map(|(name, kind)| Some(((*name).to_owned(), (*kind)?)));
    // What nobody knows is taken for a counter anyway.
    assert_eq!(kinds, corrected.filter(|(_, kind)| *kind == Kind::Gauge).collect());
    store.close().await;
    let again = run(other.path(), &["export", "openmetrics", "--box", "sip2"]);
    let lines = |bytes: &[u8]| text(bytes).lines().filter(|line| !line.starts_with("# TYPE")).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(lines(&again.stdout), lines(&std::fs::read(file).unwrap()));
    assert!(run(other.path(), &["check"]).status.success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_that_is_wrong_is_named_and_can_be_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    store.add_box(&spec("sip1"), 1).await.unwrap();
    let import = |words: &[&str]| {
        let mut command = command(folder.path(), &[&["import", "openmetrics", "--box", "sip1", "-"], words].concat());
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(b"a:b 1 1\na:b abc 2\na:b \xff 3\na:b 4 4\n").unwrap();
        child.wait_with_output().unwrap()
    };
    let refused = import(&[]);
    let said = text(&refused.stderr);
    assert_eq!(refused.status.code(), Some(1), "{said}");
    assert!(said.contains("line 2 of -: the value \"abc\" is not a number; correct or delete it") && said.contains("--skip-bad"), "{said}");
    let done = import(&["--skip-bad"]);
    let said = text(&done.stderr);
    assert!(done.status.success() && said.contains("left out: line 3 of -") && said.contains("it may be cut off"), "{said}");
    assert!(text(&done.stdout).contains("2 samples were imported; 0 were there already.\n2 lines were left out."), "{done:?}");
    assert_eq!(all(&store, "sip1").await["a:b"].len(), 2);
    store.close().await;
}

#[test]
fn a_running_panel_keeps_imports_off() {
    let folder = tempfile::tempdir().unwrap();
    let mut panel = Served::start(folder.path(), &[]);
    let refused = run(folder.path(), &["import", "openmetrics", "--box", "tickmark", "/dev/null"]);
    assert!(!refused.status.success() && text(&refused.stderr).contains("tickmark.db"), "{refused:?}");
    panel.signal("TERM");
    panel.child.wait().unwrap();
}
