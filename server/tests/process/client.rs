//! `tickmark get|list|reset|watch`, as scripts and people at a terminal use them.

use std::{
    io::{Read, Write},
    process::{Command, Output, Stdio},
};

use serde_json::{Value, json};

use crate::{
    fake_box::FakeBox,
    served::{BINARY, run, text},
};

const COUNTER: &str = "core:rcv_requests";

async fn server() -> FakeBox {
    FakeBox::start(&[(COUNTER, 500), ("core:kept", 7), ("dialog:active_dialogs", 3)]).await
}

/// Runs a command against a server that this process is.
async fn ask(server: &FakeBox, command: &str, words: &[&str]) -> Output {
    let url = server.url();
    let arguments: Vec<String> = [command, &url, "--kind", "opensips"].iter().chain(words).map(|&word| word.to_owned()).collect();
    let running = tokio::task::spawn_blocking(move || {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        run(&std::env::temp_dir(), &arguments)
    });
    running.await.unwrap()
}

fn parsed(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scripts_read_json_and_exit_codes() {
    let server = server().await;
    let got = ask(&server, "get", &["core:", "active_dialogs", "--json"]).await;
    assert!(got.status.success());
    assert_eq!(parsed(&got), json!({COUNTER: 500, "core:kept": 7, "dialog:active_dialogs": 3}));
    let listed = ask(&server, "list", &["--json"]).await;
    assert_eq!(parsed(&listed), json!({COUNTER: "counter", "core:kept": "counter", "dialog:active_dialogs": "gauge"}));
    let unknown = ask(&server, "get", &["no_such", "core:kept"]).await;
    assert_eq!((unknown.status.code(), text(&unknown.stdout).as_str()), (Some(1), "core:kept = 7\n"));
    assert!(text(&unknown.stderr).contains("no statistic \"no_such\""), "{}", text(&unknown.stderr));
    server.silence(true);
    assert_eq!(ask(&server, "get", &[]).await.status.code(), Some(1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reset_says_what_became_of_each() {
    let server = server().await;
    let unnamed = ask(&server, "reset", &[]).await;
    assert_eq!(unnamed.status.code(), Some(2));
    assert!(text(&unnamed.stderr).contains("name what is to be reset"), "{}", text(&unnamed.stderr));
    let done = ask(&server, "reset", &["rcv_requests"]).await;
    assert_eq!((done.status.code(), text(&done.stdout).as_str()), (Some(0), "core:rcv_requests was set to zero\n"));
    let done = ask(&server, "reset", &["core:", "active_dialogs", "no_such", "--json"]).await;
    assert_eq!(done.status.code(), Some(1));
    let report = parsed(&done);
    assert_eq!(report["reset"], json!([COUNTER]));
    let refused: Vec<&str> = report["refused"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(refused, ["dialog:active_dialogs", "core:kept", "no_such"]);
}

/// Watches in a terminal of its own until it has painted changes, then presses Ctrl-C.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watch_repaints_its_terminal_and_gives_it_back() {
    let server = server().await;
    server.count_polls("core:polls");
    // Without `exec` Ctrl-C would reach a shell as well, and its end be seen in the watch's place.
    let watch = format!("exec '{BINARY}' watch '{}' core: --kind opensips --every 200ms", server.url());
    let watching = tokio::task::spawn_blocking(move || {
        let mut script = Command::new("script");
        script.args(["--quiet", "--return", "--flush", "--command", &watch, "/dev/null"]).env("TERM", "xterm");
        let mut child = script.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (mut stdin, mut stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let (mut seen, mut bytes) = (Vec::new(), [0; 4096]);
        let painted = |seen: &[u8]| String::from_utf8_lossy(seen).matches('▲').count();
        while painted(&seen) < 3 {
            let length = stdout.read(&mut bytes).unwrap();
            assert_ne!(length, 0, "it ended: {}", text(&seen));
            seen.extend(&bytes[..length]);
        }
        stdin.write_all(b"\x03").unwrap();
        stdout.read_to_end(&mut seen).unwrap();
        (child.wait().unwrap().code(), text(&seen))
    });
    let (code, seen) = tokio::time::timeout(crate::watcher::LIMIT, watching).await.expect("it paints and ends").unwrap();
    assert_eq!(code, Some(0), "{seen}");
    let (screen, after) = seen.rsplit_once("\x1b[?1049l").unwrap();
    assert!(screen.contains("\x1b[?1049h") && screen.contains("3 statistics, 1 of them changed") && screen.contains("/s"), "{seen}");
    assert!(screen.contains("\x1b[1mcore:polls"), "what changed stands out: {seen}");
    assert!(after.contains("core:rcv_requests = 500"), "what was seen last stays: {after}");
}
