//! History out of the tables of OpenSIPS Control Panel, in MariaDB and in PostgreSQL.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    io::Write as _,
    path::Path,
    process::{Command, Output, Stdio},
};

use app::model::Number;
use server::store::Store;

use crate::{
    cluster::Cluster,
    left_out::left_out,
    mariadb::Mariadb,
    served::{command, run, text},
};

/// The tables as OpenSIPS Control Panel 9 makes them in MySQL.
const MYSQL: &str = "create database ocp character set latin1; use ocp;
    create table ocp_monitored_stats (name varchar(64) not null, box_id mediumint(8) unsigned not null default '0', primary key (name, box_id));
    create table ocp_monitoring_stats (name varchar(64) not null, time int(11) not null, value varchar(64) not null default '0',
        box_id mediumint(8) unsigned not null default '0', primary key (name, time, box_id));
    create table ocp_boxes_config (id bigint(20) unsigned not null auto_increment, name varchar(64) not null default '',
        mi_conn varchar(64) default null, monit_conn varchar(64) default null, monit_user varchar(64) default null,
        monit_pass varchar(64) default null, monit_ssl varchar(5) default null, smonitcharts varchar(5) default null,
        assoc_id varchar(10) default '-1', `desc` varchar(128) not null default '', primary key (id), unique key name_key (name));";
/// And in PostgreSQL.
const POSTGRES: &str = "create table ocp_monitored_stats (name text primary key not null, box_id integer not null default '0');
    create table ocp_monitoring_stats (name text not null, time integer not null, value text not null default '0',
        box_id integer not null default '0');
    create table ocp_boxes_config (id integer primary key, mi_conn text default null, monit_conn text default null,
        monit_user text default null, monit_pass text default null, monit_ssl smallint not null default 0,
        \"desc\" text not null default '', smonitcharts smallint null default 1, assoc_id integer default '-1');";
/// All of them, as tables that follow one another.
const SELECT: &str = "select * from ocp_boxes_config; select * from ocp_monitored_stats; select * from ocp_monitoring_stats;";

const NAMES: [&str; 4] = ["core:rcv_requests", "load:load-proc-3", "tm:\\x", "shmem:used_size"];
/// A minute apart, over three days.
const MINUTES: i64 = 4_000;
/// Epoch seconds.
const BEGIN: i64 = 1_795_000_020;

fn value(minute: i64, place: usize) -> i64 {
    match (minute % 100, place) {
        (7, 3) => i64::MAX,
        (_, 3) => 4_000_000_000 - minute,
        (_, place) => minute * 17 + i64::try_from(place).unwrap(),
    }
}

/// What the tables hold, as SQL; `escape` is what stands for a backslash.
fn rows(escape: &str) -> String {
    let mut sql = String::from(
        "insert into ocp_boxes_config (id, mi_conn, \"desc\") values (1, 'json:127.0.0.1:9/mi', 'Default box'), (4, 'fifo:/tmp/x_fifo', '');\n",
    );
    for (place, name) in NAMES.iter().enumerate() {
        let (name, box_id) = (name.replace('\\', escape), if place == 3 { 4 } else { 1 });
        if place != 1 {
            let _ = writeln!(sql, "insert into ocp_monitored_stats (name, box_id) values ('{name}', {box_id});");
        }
        let all: Vec<String> =
            (0..MINUTES).map(|minute| format!("('{name}', {}, '{}', {box_id})", BEGIN + minute * 60, value(minute, place))).collect();
        let _ = writeln!(sql, "insert into ocp_monitoring_stats (name, time, value, box_id) values {};", all.join(", "));
    }
    sql
}

/// A database with the box of the first of theirs.
async fn with_box(folder: &Path) {
    let store = Store::open(&format!("sqlite:{}", folder.join("tickmark.db").display())).await.unwrap();
    store.close().await;
    let added = run(folder, &["box", "add", "sip1", "http://127.0.0.1:9/mi", "--kind", "opensips", "--paused"]);
    assert!(added.status.success(), "{added:?}");
}

fn import(folder: &Path, words: &[&str], lines: &[u8]) -> Output {
    let mut child = command(folder, &[&["import", "ocp"], words].concat()).stdin(Stdio::piped()).spawn().unwrap();
    // It may have refused an earlier line.
    let _ = child.stdin.take().unwrap().write_all(lines);
    child.wait_with_output().unwrap()
}

/// All of it is there, once.
async fn compare(folder: &Path) {
    let store = Store::open(&format!("sqlite:{}", folder.join("tickmark.db").display())).await.unwrap();
    let boxes: BTreeMap<String, i64> = store.boxes().await.unwrap().into_iter().map(|stored| (stored.spec.name, stored.id)).collect();
    for (place, name) in NAMES.iter().enumerate() {
        let box_id = boxes[if place == 3 { "ocp-4" } else { "sip1" }];
        let series = store.series_id(box_id, name).await.unwrap().unwrap();
        let samples: Vec<_> = store.samples(series, i64::MIN, i64::MAX).await.unwrap().iter().collect();
        let expect = (0..MINUTES).map(|minute| ((BEGIN + minute * 60) * 1_000, Some(Number::Int(value(minute, place)))));
        assert!(samples == expect.collect::<Vec<_>>(), "{name}: {} samples", samples.len());
        let ticked = store.ticks(box_id).await.unwrap().iter().any(|rule| rule.pattern == *name);
        assert_eq!(ticked, place != 1, "{name}");
    }
    assert_eq!(store.check(|_| {}).await.unwrap().faults, [""; 0]);
    store.close().await;
}

const DONE: [&str; 2] = ["16000 samples were imported; 0 were there already.", "0 samples were imported; 16000 were there already."];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_mysql_prints_comes_in() {
    let Some(mariadb) = Mariadb::start() else { return left_out("MariaDB's server is not installed") };
    let made = mariadb.client(&[], MYSQL);
    assert!(made.status.success(), "{made:?}");
    let filled = mariadb.client(
        &["ocp"],
        &rows("\\\\")
            .replace("\"desc\"", "`desc`")
            .replace("(id, mi_conn", "(id, name, mi_conn")
            .replace("(1, 'json", "(1, 'first', 'json")
            .replace("(4, 'fifo", "(4, '', 'fifo"),
    );
    assert!(filled.status.success(), "{filled:?}");
    let printed = mariadb.client(&["ocp", "-e", SELECT], "");
    assert!(printed.status.success(), "{printed:?}");
    let folder = tempfile::tempdir().unwrap();
    with_box(folder.path()).await;
    for said in DONE {
        let done = import(folder.path(), &[], &printed.stdout);
        assert!(done.status.success() && text(&done.stdout).contains(said), "{done:?}");
        assert!(text(&done.stdout).contains("Their box 1 is sip1 here."), "{done:?}");
        compare(folder.path()).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_postgresql_has_comes_in_directly_and_as_psql_prints_it() {
    let Some(cluster) = Cluster::start() else { return left_out("PostgreSQL's server is not installed") };
    cluster.tell("create database ocp").await;
    let url = cluster.url("ocp");
    let psql = |words: &[&str], sql: &str| {
        let mut child = Command::new("psql")
            .args(["-X", "-q", "-v", "ON_ERROR_STOP=1", &url])
            .args(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(sql.as_bytes()).unwrap();
        let done = child.wait_with_output().unwrap();
        assert!(done.status.success(), "{}", text(&done.stdout));
        done.stdout
    };
    psql(&[], POSTGRES);
    psql(&[], &rows("\\"));
    let printed = psql(&["-A", "-F", "\t"], SELECT);
    let (direct, piped) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for folder in [&direct, &piped] {
        with_box(folder.path()).await;
    }
    for said in DONE {
        let done = run(direct.path(), &["import", "ocp", &url]);
        assert!(done.status.success() && text(&done.stdout).contains(said), "{done:?}");
        compare(direct.path()).await;
        let done = import(piped.path(), &["-"], &printed);
        assert!(done.status.success() && text(&done.stdout).contains(said), "{done:?}");
        compare(piped.path()).await;
    }
    cluster.tell("create database empty").await;
    let refused = run(direct.path(), &["import", "ocp", &cluster.url("empty")]);
    assert!(text(&refused.stderr).contains("has no table ocp_monitoring_stats"), "{refused:?}");
}

#[tokio::test]
async fn a_row_that_is_wrong_is_named() {
    let folder = tempfile::tempdir().unwrap();
    with_box(folder.path()).await;
    let rows = b"name\ttime\tvalue\tbox_id\ncore:a\t60\t1\t0\ncore:a\t120\t\t0\ncore:a\t180\t3\t0\n";
    let refused = import(folder.path(), &[], rows);
    assert!(text(&refused.stderr).contains("line 2 of -: its box_id 0 is in no row of ocp_boxes_config"), "{refused:?}");
    let refused = import(folder.path(), &["--box", "0=sip1"], rows);
    assert!(text(&refused.stderr).contains("line 3 of -: the value \"\" of core:a is not a number"), "{refused:?}");
    let done = import(folder.path(), &["--box", "0=sip1", "--skip-bad"], rows);
    assert!(text(&done.stdout).contains("2 samples were imported; 0 were there already.\n1 lines were left out."), "{done:?}");
}
