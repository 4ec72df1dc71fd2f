//! The panel on PostgreSQL: its history is there when it starts again, it says what keeps it from starting, and a server that goes away
//! under sampling costs no sample.

use std::{collections::BTreeMap, fs, path::Path};

use app::model::Number;
use server::store::Store;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::watch,
};

use crate::{
    cluster::Cluster,
    fake_box::FakeBox,
    left_out::left_out,
    served::{Served, run, text},
    watcher::{Told, Watcher},
};

/// The counter that the box raises by one at each poll: a value belongs to one poll alone.
pub(crate) const COUNTER: &str = "core:polls";

/// A server with a database `tm`.
pub(crate) async fn cluster() -> Option<Cluster> {
    let Some(cluster) = Cluster::start() else {
        left_out("PostgreSQL's server is not installed");
        return None;
    };
    cluster.tell("create database tm").await;
    Some(cluster)
}

/// A folder whose configuration file has a box and a database.
pub(crate) fn folder(one: &FakeBox, database: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let address = one.url();
    let config = format!(
        "database = \"{database}\"\n[[box]]\nname = \"sip1\"\nkind = \"opensips\"\naddress = \"{address}\"\ninterval = \"200ms\"\n\
         ticks = [\"core:\"]\n"
    );
    fs::write(folder.path().join("tickmark.toml"), config).unwrap();
    folder
}

/// Every sample of the counter that is stored, in the order of its recording.
pub(crate) async fn stored(database: &str) -> Vec<(i64, i64)> {
    let store = Store::open(database).await.unwrap();
    let id = store.boxes().await.unwrap().into_iter().find(|one| one.spec.name == "sip1").unwrap().id;
    let (series, _) = store.series_of(id).await.unwrap().into_iter().find(|(_, name)| name == COUNTER).unwrap();
    let samples = store.samples(series, i64::MIN, i64::MAX).await.unwrap();
    assert!(samples.damaged.is_empty());
    let value = |value| if let Some(Number::Int(value)) = value { value } else { panic!("{value:?} is no count") };
    let all = samples.iter().map(|(at, number)| (at, value(number))).collect();
    assert_eq!(store.check(|_| {}).await.unwrap().faults, [""; 0]);
    store.close().await;
    all
}

/// All that was shown is stored, once, and so is all that was said to be recorded.
pub(crate) fn accounted_for(told: &Told, stored: &[(i64, i64)]) {
    let by_time: BTreeMap<i64, i64> = stored.iter().copied().collect();
    assert_eq!(by_time.len(), stored.len(), "no sample is there twice");
    for ((name, at), value) in told.values.iter().filter(|((name, _), _)| name == "sip1") {
        assert_eq!(by_time.get(at), Some(value), "{name} at {at} was shown");
    }
    for (_, at) in told.recorded.iter().filter(|(name, _)| name == "sip1") {
        assert!(by_time.contains_key(at), "{at} was said to be recorded");
    }
}

#[track_caller]
fn check_refused(folder: &Path, arguments: &[&str], words: &[&str]) {
    let output = run(folder, arguments);
    let said = text(&output.stderr);
    assert!(!output.status.success() && !said.contains("s3cret"), "{said}");
    for word in words {
        assert!(said.contains(word), "{word} is not in: {said}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_starts_again_with_what_was_recorded() {
    let Some(cluster) = cluster().await else { return };
    let one = FakeBox::start(&[]).await;
    one.count_polls(COUNTER);
    cluster.tell("create role tick login password 's3cret'; alter database tm owner to tick").await;
    let database = cluster.tls_url("tick:s3cret", "tm");
    let folder = folder(&one, &database);
    let mut told = Told::default();
    for signal in ["TERM", "KILL", "TERM"] {
        let mut panel = Served::start_set_up(folder.path(), &[]);
        let mut watcher = Watcher::open(&panel, COUNTER).await;
        let before = told.recorded.len();
        watcher.until(&mut told, "some samples", |told| told.recorded.len() >= before + 5).await;
        let beside = run(folder.path(), &["box", "list"]);
        assert!(text(&beside.stdout).contains("sip1"), "{}", text(&beside.stderr));
        panel.signal(signal);
        panel.child.wait().unwrap();
        while watcher.hear(&mut told).await {}
    }
    // What was shown last before a kill may not have been recorded any more.
    let Told { values, recorded, .. } = &mut told;
    values.retain(|key, _| recorded.contains(key));
    let stored = stored(&database).await;
    accounted_for(&told, &stored);
    println!("{} samples said to be recorded, {} stored", told.recorded.len(), stored.len());
    let check = run(folder.path(), &["check"]);
    assert!(check.status.success(), "{}{}", text(&check.stdout), text(&check.stderr));
    check_refused(folder.path(), &["backup", "copy.db"], &["pg_dump", "pg_restore"]);
    moved(&cluster, folder.path(), &stored).await;
}

/// It goes to SQLite and to another database of the server with all that is stored; not into one that a panel uses.
async fn moved(cluster: &Cluster, folder: &Path, all: &[(i64, i64)]) {
    let mut panel = Served::start_set_up(folder, &[]);
    let exported = run(folder, &["export", "moved"]);
    assert!(exported.status.success(), "{exported:?}");
    check_refused(folder, &["import", "moved"], &["another Tickmark serves", "tm at localhost", "stop it first"]);
    panel.signal("TERM");
    panel.child.wait().unwrap();
    check_refused(folder, &["import", "moved"], &["this database holds boxes", "sip1", "createdb"]);
    cluster.tell("create database other").await;
    for database in [format!("sqlite:{}", folder.join("there.db").display()), cluster.url("other")] {
        let imported = run(folder, &["import", "moved", "--database", &database]);
        assert!(imported.status.success(), "{imported:?}");
        assert!(stored(&database).await.starts_with(all));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_keeps_it_from_starting_is_said() {
    let Some(cluster) = cluster().await else { return };
    cluster.tell("create role tick login password 's3cret'").await;
    let folder = tempfile::tempdir().unwrap();
    let check = |database: &str, words: &[&str]| check_refused(folder.path(), &["serve", "--database", database], words);
    check(&cluster.tls_url("tick:wr0ng", "tm"), &["tm at localhost", "refuses to let tickmark in", "user and password"]);
    check(&cluster.tls_url("tick:s3cret", "other"), &["no such database", "createdb --owner=tick other"]);
    check(&cluster.tls_url("tick:s3cret", "tm"), &["permission denied", "grant create, usage on schema public to tick"]);
    cluster.control(&["stop"]);
    check(&cluster.tls_url("tick:s3cret", "tm"), &["cannot reach", "tm at localhost", "start the server"]);
    check(&cluster.url("tm"), &["cannot reach", "start the server"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_goes_away_under_sampling_costs_nothing() {
    let Some(cluster) = cluster().await else { return };
    let one = FakeBox::start(&[]).await;
    one.count_polls(COUNTER);
    let folder = folder(&one, &cluster.url("tm"));
    let panel = Served::start_set_up(folder.path(), &[]);
    let mut told = Told::default();
    let mut watcher = Watcher::open(&panel, COUNTER).await;
    watcher.until(&mut told, "a first sample", |told| !told.recorded.is_empty()).await;

    cluster.control(&["stop", "--mode=fast"]);
    watcher.until(&mut told, "the word that the server is away", |told| told.fault.is_some()).await;
    let fault = told.fault.clone().unwrap();
    assert!(fault.contains("the database cannot be reached") && fault.contains("see to its server"), "{fault}");
    let (status, said) = watcher.get("/readyz").await;
    assert!(status == 503 && said.contains("cannot be reached"), "{status} {said}");
    // Whoever is signed in goes on watching; history alone is missing.
    for (page, expected) in [("/cp", 200), ("/cp?box=sip1", 200), ("/cp/boxes", 200), ("/cp/charts", 503)] {
        let (status, said) = watcher.get(page).await;
        assert!(status == expected && said.contains("cannot be reached"), "{page}: {status} {said}");
    }
    let values = told.values.len();
    watcher.until(&mut told, "values while the server is away", |told| told.values.len() >= values + 10).await;
    cluster.control(&["start"]);
    goes_on(&mut watcher, &mut told).await;

    // Started again: in good order, and as after a crash.
    for mode in ["--mode=fast", "--mode=immediate", "--mode=immediate"] {
        cluster.control(&["restart", mode]);
        goes_on(&mut watcher, &mut told).await;
    }
    ends_with_all(panel, watcher, told, &cluster.url("tm")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_standby_that_is_promoted_under_sampling_costs_nothing() {
    let Some(cluster) = cluster().await else { return };
    cluster.tell("create role tick login password 's3cret'; alter database tm owner to tick").await;
    let (standby, address) = (cluster.follow().await, Failover::start(cluster.port()).await);
    let one = FakeBox::start(&[]).await;
    one.count_polls(COUNTER);
    let database = format!("postgres://tick:s3cret@127.0.0.1:{}/tm?sslmode=require", address.port);
    let folder = folder(&one, &database);
    let panel = Served::start_set_up(folder.path(), &[]);
    let mut told = Told::default();
    let mut watcher = Watcher::open(&panel, COUNTER).await;
    watcher.until(&mut told, "some samples", |told| told.recorded.len() >= 5).await;

    cluster.control(&["stop", "--mode=immediate"]);
    watcher.until(&mut told, "the word that the server is away", |told| told.fault.is_some()).await;
    // Before it is promoted it takes no writes.
    address.lead_to(standby);
    let values = told.values.len();
    watcher.until(&mut told, "values while nothing is written", |told| told.values.len() >= values + 10).await;
    cluster.promote();
    goes_on(&mut watcher, &mut told).await;

    ends_with_all(panel, watcher, told, &database).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_takes_no_writes_or_does_not_answer_costs_nothing() {
    let Some(cluster) = cluster().await else { return };
    cluster.tell("create role tick login password 's3cret'; alter database tm owner to tick").await;
    let address = Failover::start(cluster.port()).await;
    let one = FakeBox::start(&[]).await;
    one.count_polls(COUNTER);
    let database = format!("postgres://tick:s3cret@127.0.0.1:{}/tm?sslmode=require", address.port);
    let folder = folder(&one, &database);
    let panel = Served::start_set_up(folder.path(), &[]);
    let mut told = Told::default();
    let mut watcher = Watcher::open(&panel, COUNTER).await;
    watcher.until(&mut told, "some samples", |told| told.recorded.len() >= 5).await;

    cluster.tell("alter system set default_transaction_read_only = on").await;
    cluster.tell("select pg_reload_conf()").await;
    watcher.until(&mut told, "the word that nothing can be written", |told| told.fault.is_some()).await;
    assert!(told.fault.as_deref().unwrap().contains("read-only"), "{:?}", told.fault);
    let values = told.values.len();
    watcher.until(&mut told, "values while nothing is written", |told| told.values.len() >= values + 10).await;
    cluster.tell("alter system reset default_transaction_read_only").await;
    cluster.tell("select pg_reload_conf()").await;
    goes_on(&mut watcher, &mut told).await;

    // It is connected, and no byte comes.
    address.hold(true);
    watcher.until(&mut told, "the word that the server does not answer", |told| told.fault.is_some()).await;
    // What was asked of it may have happened: it is asked before that comes again.
    address.hold(false);
    goes_on(&mut watcher, &mut told).await;

    ends_with_all(panel, watcher, told, &database).await;
}

/// An address that leads to one server or another, or holds back what comes from there.
pub(crate) struct Failover {
    pub(crate) port: u16,
    leads_to: watch::Sender<u16>,
    held: watch::Sender<bool>,
}

impl Failover {
    pub(crate) async fn start(first: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (port, leads_to) = (listener.local_addr().unwrap().port(), watch::Sender::new(first));
        let (held, target) = (watch::Sender::new(false), leads_to.subscribe());
        let holding = held.subscribe();
        tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                let (mut target, holding) = (target.clone(), holding.clone());
                tokio::spawn(async move {
                    let to = *target.borrow_and_update();
                    let Ok(server) = TcpStream::connect(("127.0.0.1", to)).await else { return };
                    tokio::select! {
                        // It leads elsewhere: what is open ends.
                        _ = target.changed() => {}
                        () = pass_on(client, server, holding) => {}
                    }
                });
            }
        });
        Self { port, leads_to, held }
    }

    pub(crate) fn lead_to(&self, port: u16) {
        self.leads_to.send_replace(port);
    }

    fn hold(&self, held: bool) {
        self.held.send_replace(held);
    }
}

/// Passes on what both say, until one is gone; what the server says may be held back.
async fn pass_on(client: TcpStream, server: TcpStream, mut holding: watch::Receiver<bool>) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let back = async {
        let mut bytes = vec![0; 16 << 10];
        while let Ok(count @ 1..) = from_server.read(&mut bytes).await {
            if holding.wait_for(|held| !held).await.is_err() || to_client.write_all(&bytes[..count]).await.is_err() {
                return;
            }
        }
    };
    tokio::select! {
        _ = tokio::io::copy(&mut from_client, &mut to_server) => {}
        () = back => {}
    }
}

/// Ends in good order with every poll stored: all that was shown, and none between.
pub(crate) async fn ends_with_all(mut panel: Served, mut watcher: Watcher, mut told: Told, database: &str) {
    panel.signal("TERM");
    assert!(panel.child.wait().unwrap().success());
    while watcher.hear(&mut told).await {}
    let stored = stored(database).await;
    accounted_for(&told, &stored);
    // The box counts its polls: none is missing in between.
    assert!(stored.is_sorted_by(|one, next| next.1 == one.1 + 1), "{stored:?}");
    println!("{} values shown, {} said to be recorded, {} stored", told.values.len(), told.recorded.len(), stored.len());
}

/// It records again, by itself, all that was shown so far.
pub(crate) async fn goes_on(watcher: &mut Watcher, told: &mut Told) {
    let shown = told.values.keys().filter(|(name, _)| name == "sip1").map(|(_, at)| *at).max().unwrap();
    let is_recorded = |told: &Told| told.recorded.iter().any(|(name, at)| name == "sip1" && *at > shown);
    watcher.until(told, "samples after the server came back", |told| is_recorded(told) && told.fault.is_none()).await;
    assert_eq!(watcher.get("/readyz").await.0, 200);
}
