//! What happens to a box or an alert runs scripts once, also where the panel is killed between the two, amid a run, or before it happens.

use std::fs;

use server::store::{ScriptRun, Store};
use sqlx::{Connection as _, PgConnection};
use tokio::net::TcpListener;

use crate::{
    fake_box::FakeBox,
    postgres::{COUNTER, cluster},
    served::Served,
    watcher::{LIMIT, Told, Watcher, until},
};

const LEVEL: &str = "dialog:active_dialogs";
const LEVEL_OF_ALERT: i64 = 51;

/// A folder whose configuration file has a box and an alert.
fn folder(one: &FakeBox, lines: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let config = format!(
        "{lines}\n[[box]]\nname = \"sip1\"\nkind = \"opensips\"\naddress = \"{}\"\ninterval = \"200ms\"\nticks = [\"core:\"]\n\
         [[alert]]\nname = \"calls\"\nformula = \"{{{LEVEL}}}\"\ncondition = {{ kind = \"above\", threshold = 50 }}\n",
        one.url()
    );
    fs::write(folder.path().join("tickmark.toml"), config).unwrap();
    folder
}

async fn add(store: &Store, name: &str, source: &str, schedule: &str) {
    store.add_script(name, source, schedule, "ann", server::clock::now_ms()).await.unwrap();
}

/// Outcome and output of each run of a script, the oldest first, once the last one has this outcome and output.
async fn runs(store: &Store, name: &str, last: (&str, &str)) -> Vec<(String, String)> {
    let id = store.script(name).await.unwrap().unwrap().id;
    until(&format!("{name}: {last:?}"), async || {
        let told = |run: ScriptRun| (run.outcome, run.output.trim().to_owned());
        let mut all: Vec<_> = store.script_runs(id, 200).await.unwrap().into_iter().map(told).collect();
        all.reverse();
        all.last().is_some_and(|(outcome, output)| (&**outcome, &**output) == last).then_some(all)
    })
    .await
}

/// The box answers, and that is noted.
async fn until_up(panel: &Served, store: &Store) {
    let (mut told, mut watcher) = (Told::default(), Watcher::open(panel, COUNTER).await);
    watcher.until(&mut told, "some samples", |told| told.recorded.len() >= 2).await;
    let id = store.boxes().await.unwrap().into_iter().find(|one| one.spec.name == "sip1").unwrap().id;
    let is_up = async || store.boxes_seen().await.unwrap().get(&id).is_some_and(|seen| seen.state == "up").then_some(());
    until("the box is noted to be up", is_up).await;
}

fn kill(mut panel: Served) {
    panel.signal("KILL");
    panel.child.wait().unwrap();
}

fn said(outcomes: &[(&str, &str)]) -> Vec<(String, String)> {
    outcomes.iter().map(|&(outcome, output)| (outcome.to_owned(), output.to_owned())).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panel_that_is_killed_between_what_happens_and_its_script_runs_it_once() {
    let Some(cluster) = cluster().await else { return };
    let one = FakeBox::start(&[(LEVEL, 3)]).await;
    one.count_polls(COUNTER);
    let database = cluster.url("tm");
    let folder = folder(&one, &format!("database = \"{database}\""));
    let mut panel = Served::start_set_up(folder.path(), &[]);
    let store = Store::open(&database).await.unwrap();
    add(&store, "told", "print(event.state)", "on alert").await;
    add(&store, "down", "print(event.what)", "on box_down").await;
    add(&store, "up", "print(event.what)", "on box_up sip1").await;
    until_up(&panel, &store).await;

    let mut holder = PgConnection::connect(&database).await.unwrap();
    let mut looker = PgConnection::connect(&database).await.unwrap();
    for script in ["told", "down"] {
        // No run can begin: whoever wants to waits, and is killed.
        let mut held = holder.begin().await.unwrap();
        sqlx::query("lock table script_run in share mode").execute(&mut *held).await.unwrap();
        if script == "told" {
            one.set(LEVEL, LEVEL_OF_ALERT);
        } else {
            one.silence(true);
        }
        until("what happened is noted, and its run is about to begin", async || {
            let noted = "select count(*) from alert_news where exists (select 1 from pg_locks \
                         where relation = 'script_run'::regclass and not granted)";
            let noted: i64 = sqlx::query_scalar(noted).fetch_one(&mut looker).await.unwrap();
            (noted > 0).then_some(())
        })
        .await;
        kill(panel);
        held.rollback().await.unwrap();
        panel = Served::start_set_up(folder.path(), &[]);
        let expect = if script == "told" { "firing" } else { "box_down" };
        assert_eq!(runs(&store, script, ("ok", expect)).await, said(&[("ok", expect)]));
        // What comes next comes after it, and it does not come again.
        one.set(LEVEL, 3);
        one.silence(false);
        if script == "told" {
            assert_eq!(runs(&store, "told", ("ok", "resolved")).await, said(&[("ok", "firing"), ("ok", "resolved")]));
        } else {
            assert_eq!(runs(&store, "up", ("ok", "box_up")).await, said(&[("ok", "box_up")]));
            assert_eq!(runs(&store, "down", ("ok", "box_down")).await.len(), 1);
        }
    }
    panel.signal("TERM");
    assert!(panel.child.wait().unwrap().success());
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_amid_which_the_panel_is_killed_is_not_repeated_and_what_happens_meanwhile_is_seen_afterwards() {
    let one = FakeBox::start(&[(LEVEL, 3)]).await;
    one.count_polls(COUNTER);
    // It is asked, and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = silent.local_addr().unwrap().port();
    let folder = folder(&one, "script_hosts = \"127.0.0.1\"");
    let panel = Served::start_set_up(folder.path(), &[]);
    let store = Store::open(&format!("sqlite:{}", folder.path().join("tickmark.db").display())).await.unwrap();
    let asks = format!("if event.state == \"firing\" {{ http_get(\"http://127.0.0.1:{port}/\"); }} print(event.state)");
    add(&store, "told", &asks, "on alert").await;
    add(&store, "down", "print(event.what)", "on box_down").await;
    until_up(&panel, &store).await;
    one.set(LEVEL, LEVEL_OF_ALERT);
    let _asked = tokio::time::timeout(LIMIT, silent.accept()).await.unwrap().unwrap();
    kill(panel);
    let panel = Served::start_set_up(folder.path(), &[]);
    until_up(&panel, &store).await;
    one.set(LEVEL, 3);
    let all = runs(&store, "told", ("ok", "resolved")).await;
    assert_eq!(all, said(&[("interrupted", ""), ("ok", "resolved")]));

    kill(panel);
    one.silence(true);
    let mut panel = Served::start_set_up(folder.path(), &[]);
    assert_eq!(runs(&store, "down", ("ok", "box_down")).await, said(&[("ok", "box_down")]));
    panel.signal("TERM");
    assert!(panel.child.wait().unwrap().success());
    store.close().await;
}
