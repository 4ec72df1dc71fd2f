//! A disk that fills up while the panel records: it stays up, says so, keeps what it can, counts what it must drop, and goes on by itself.
//! One that fills up while a panel is moved: what was written counts once there is room.
//! The disk is a small tmpfs in a mount namespace of the panel's own, which ends with it.

use std::{fs, io::Write as _, path::PathBuf, process::Command};

use app::model::ResetCause;
use server::store::{Mark, PollRecord, Store};

use crate::{
    fake_box::FakeBox,
    left_out::left_out,
    served::{BINARY, Served, text},
    watcher::{Told, Watcher},
};

/// The counter that the box raises by one at each poll.
const COUNTER: &str = "core:polls";

/// Starts the panel with its database on a tmpfs of this size; the path is where this process sees it. None where this user may not mount.
async fn start(folder: &tempfile::TempDir, size: &str, config: &str) -> Option<(Served, PathBuf)> {
    fs::write(folder.path().join("tickmark.toml"), config).unwrap();
    let disk = folder.path().join("disk");
    fs::create_dir(&disk).unwrap();
    let mount = format!("mount -t tmpfs -o size={size} tmpfs '{}'", disk.display());
    let unshare = |script: &str| {
        let mut command = Command::new("unshare");
        // A user that is not root becomes root of a user namespace, where it may mount.
        command.args(["--user", "--map-root-user", "--mount", "sh", "-c", script]);
        command
    };
    if !unshare(&mount).status().is_ok_and(|status| status.success()) {
        left_out("this user may not make a mount namespace");
        return None;
    }
    let script = format!("{mount} && exec '{BINARY}' --listen 127.0.0.1:0 --database sqlite:disk/tickmark.db");
    let panel = Served::start_through(unshare(&script), folder.path());
    let seen = PathBuf::from(format!("/proc/{}/root{}", panel.child.id(), disk.display()));
    Some((panel, seen))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_is_said_and_what_was_answered_meanwhile_is_recorded_afterwards() {
    let one = FakeBox::start(&[]).await;
    one.count_polls(COUNTER);
    let folder = tempfile::tempdir().unwrap();
    let address = one.url();
    let config =
        format!("[[box]]\nname = \"sip1\"\nkind = \"opensips\"\naddress = \"{address}\"\ninterval = \"200ms\"\nticks = [\"core:\"]\n");
    let Some((mut panel, disk)) = start(&folder, "4m", &config).await else { return };
    let mut told = Told::default();
    let mut watcher = Watcher::open(&panel, COUNTER).await;
    watcher.until(&mut told, "a first sample", |told| !told.recorded.is_empty()).await;

    let filler = disk.join("filler");
    let mut file = fs::File::create(&filler).unwrap();
    while file.write_all(&[0; 4096]).is_ok() {}
    drop(file);
    watcher.until(&mut told, "the word that the disk is full", |told| told.fault.is_some()).await;
    let fault = told.fault.clone().unwrap();
    assert!(fault.contains("is full") && fault.contains("make room"), "{fault}");
    let (status, text) = watcher.get("/readyz").await;
    assert!(status == 503 && text.contains("is full"), "{status} {text}");
    for page in ["/cp", "/cp?box=sip1", "/cp/charts", "/cp/boxes"] {
        let (status, text) = watcher.get(page).await;
        assert!(status == 200 && text.contains("make room on it"), "{page}: {status} {text}");
    }
    // It goes on asking and showing.
    let values = told.values.len();
    watcher.until(&mut told, "more values while the disk is full", |told| told.values.len() >= values + 5).await;

    fs::remove_file(&filler).unwrap();
    watcher.until(&mut told, "the word that all is well", |told| told.fault.is_none()).await;
    let last = told.recorded.len();
    watcher.until(&mut told, "samples after the fault", |told| told.recorded.len() > last + 2).await;
    assert_eq!(watcher.get("/readyz").await.0, 200);
    let newest = told.recorded.iter().map(|(_, at)| *at).max().unwrap();
    let (status, series) = watcher.get("/cp/api/v1/series?box=sip1&name=core:polls&mode=value&span=1h").await;
    assert_eq!(status, 200);
    let series: serde_json::Value = serde_json::from_str(&series).unwrap();
    let times = series["columns"]["t"].as_array().unwrap();
    for ((_, at), value) in told.values.iter().filter(|((name, at), _)| name == "sip1" && *at <= newest) {
        let place = times.iter().position(|time| time.as_i64() == Some(*at));
        assert!(place.is_some_and(|place| series["columns"]["last"][place] == *value), "{at} was shown and is not recorded: {series}");
    }
    panel.signal("TERM");
    assert!(panel.child.wait().unwrap().success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panel_is_moved_once_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("disk")).unwrap();
    let store = Store::open(&format!("sqlite:{}", folder.path().join("tickmark.db").display())).await.unwrap();
    server::provision::builtin(&store, 1).await.unwrap();
    let box_id = store.boxes().await.unwrap()[0].id;
    let mark = |at_ms| Mark { series: None, at_ms, cause: ResetCause::Restart, by: Some("a name of some length".repeat(4)) };
    let marks = (0..40_000).map(mark).collect();
    store
        .record(PollRecord { box_id, at_ms: 1, interval_ms: 1_000, values: Vec::new(), marks, started_ms: None, generation: None })
        .await
        .unwrap();
    store.close().await;
    let script = format!(
        "mount -t tmpfs -o size=2m tmpfs disk || exit 9
         '{BINARY}' export moved || exit 1
         '{BINARY}' export disk/moved && exit 2
         # What is not whole does not stay.
         test -z \"$(ls -A disk)\" || exit 6
         # Room for the tables, and not for what is in them.
         mount -o remount,size=4m disk || exit 9
         '{BINARY}' import moved --database sqlite:disk/there.db && exit 3
         mount -o remount,size=64m disk || exit 9
         '{BINARY}' import moved --database sqlite:disk/there.db || exit 4
         '{BINARY}' check --database sqlite:disk/there.db || exit 5"
    );
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "--mount", "sh", "-c", &script]).current_dir(folder.path());
    let Ok(done) = command.output() else { return left_out("there is no unshare") };
    let (out, told) = (text(&done.stdout), text(&done.stderr));
    if matches!(done.status.code(), Some(9)) || told.contains("unshare failed") {
        return left_out("this user may not make a mount namespace");
    }
    assert!(done.status.success(), "{out}{told}");
    assert!(told.contains("cannot write disk/moved: No space left"), "{told}");
    assert!(told.contains("is full") && told.contains("run the same import again, and it goes on where it stopped"), "{told}");
    assert!(out.contains("disk/there.db holds all of moved"), "{out}");
}
