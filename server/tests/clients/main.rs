//! OpenSIPS's own tools on the management interface: `opensips-cli` and `opensips-mi`, as PyPI has them, and `wget`. They are installed into
//! the target folder, once; where that cannot be done the tests fail.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test ends where something is not as it must be")]

#[path = "../panel/support.rs"]
#[expect(dead_code, reason = "other tests need more of it")]
mod support;

use std::{
    path::{Path, PathBuf},
    process::Stdio,
};

use serde_json::{Value, json};
use server::config::ServeFlags;
use support::{LIMIT, Start, TestPanel, mi_at};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::Command,
    sync::OnceCell,
    time::timeout,
};

/// Pinned, so that a new release cannot turn a good commit bad.
const PACKAGES: [&str; 2] = ["opensipscli==0.4.1", "opensips==0.1.11"];

/// Where the tools are. Threads of one process share the installing; tests that are processes of their own find it done.
async fn tools() -> PathBuf {
    static TOOLS: OnceCell<PathBuf> = OnceCell::const_new();
    let tools = TOOLS.get_or_init(|| async {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("clients-{}", PACKAGES.join("-").replace("==", "-")));
        if !folder.join("bin/opensips-cli").exists() {
            let making = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
            let venv = making.path().join("venv");
            run(Command::new("python3").args(["-m", "venv"]).arg(&venv)).await;
            let mut pip = Command::new(venv.join("bin/python3"));
            run(pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]).args(PACKAGES)).await;
            // Another test may have been quicker; what is there is whole.
            let _ = std::fs::rename(&venv, &folder);
        }
        folder.join("bin/python3")
    });
    tools.await.clone()
}

/// Runs a program to its end; answers what it printed.
async fn run(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).kill_on_drop(true).output();
    let output = timeout(LIMIT * 5, output).await.expect("it ends").unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{command:?}: {}{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

/// A panel, and the tools that ask it.
struct Stage {
    panel: TestPanel,
    python: PathBuf,
    folder: tempfile::TempDir,
}

/// How a tool reaches the panel.
#[derive(Clone, Copy, Debug)]
enum By {
    Http,
    Fifo,
}

impl Stage {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let fifo = folder.path().join("fifo").display().to_string();
        let flags = ServeFlags { mi_fifo: Some(fifo), ..mi_at("127.0.0.1:0") };
        Self { panel: Start::new().with_mi_flags(flags).open().await, python: tools().await, folder }
    }

    fn fifo(&self) -> String {
        self.folder.path().join("fifo").display().to_string()
    }

    /// A program of a Python package. Called by its file, as its first line names the folder in which it was installed.
    fn tool(&self, name: &str) -> Command {
        let mut command = Command::new(&self.python);
        command.arg(self.python.with_file_name(name)).current_dir(self.folder.path());
        // It keeps a history at home, and prints through a terminal's program.
        command.env("HOME", self.folder.path()).env("TERM", "dumb").env("PYTHONUNBUFFERED", "1");
        command
    }

    fn cli(&self, by: By, words: &[&str]) -> Command {
        let mut command = self.tool("opensips-cli");
        match by {
            By::Http => {
                let url = format!("url=http://{}/mi", self.panel.mi.unwrap());
                command.args(["-o", "communication_type=http", "-o", &url]);
            }
            By::Fifo => {
                let file = format!("fifo_file={}", self.fifo());
                command.args(["-o", "communication_type=fifo", "-o", &file]);
            }
        }
        command.arg("-x").args(words);
        command
    }

    /// What `opensips-cli mi` prints, which is JSON.
    async fn mi(&self, by: By, words: &[&str]) -> Value {
        let printed = run(&mut self.cli(by, &[&["mi"], words].concat())).await;
        serde_json::from_str(&printed).unwrap_or_else(|error| panic!("{by:?} {words:?}: {error}: {printed}"))
    }
}

#[tokio::test]
async fn opensips_cli_over_http_and_the_fifo() {
    let stage = Stage::new().await;
    for by in [By::Http, By::Fifo] {
        assert_eq!(stage.mi(by, &["update_stat", "dialog:active_dialogs", "=20"]).await, "OK");
        assert_eq!(stage.mi(by, &["update_stat", "name=dialog:processed_dialogs", "value=+7"]).await, "OK");
        let all = stage.mi(by, &["get_statistics", "all"]).await;
        assert_eq!((&all["dialog:active_dialogs"], &all["panel:restarts"]), (&json!(20), &json!(0)));
        assert!(all["host:memory_total"].as_u64().unwrap() > 0, "{all}");
        let group = stage.mi(by, &["get_statistics", "dialog:"]).await;
        assert_eq!(group, json!({"dialog:active_dialogs": 20, "dialog:processed_dialogs": 7}));
        let several = stage.mi(by, &["get_statistics", "active_dialogs", "dialog:processed_dialogs", "nope"]).await;
        assert_eq!(several, group);
        let kinds = stage.mi(by, &["list_statistics", "dialog:"]).await;
        assert_eq!(kinds, json!({"dialog:active_dialogs": "non-incremental", "dialog:processed_dialogs": "incremental"}));
        assert!(stage.mi(by, &["list_statistics"]).await["host:load_1m"] == "non-incremental");
        assert_eq!(stage.mi(by, &["reset_statistics", "processed_dialogs"]).await, "OK");
        assert_eq!(stage.mi(by, &["statistics:get", "processed_dialogs"]).await, json!({"dialog:processed_dialogs": 0}));
        assert!(stage.mi(by, &["which"]).await.as_array().unwrap().contains(&json!("get_statistics")));
        assert!(stage.mi(by, &["uptime"]).await["Up time"].as_str().unwrap().ends_with(" [sec]"));
        assert_eq!(stage.mi(by, &["ps"]).await["Processes"][0]["PID"], std::process::id());
        assert_eq!(stage.mi(by, &["remove_stat", "dialog:processed_dialogs"]).await, "OK");
        assert_eq!(stage.mi(by, &["reset_all_statistics"]).await, "OK");
    }
}

#[tokio::test]
async fn opensips_cli_says_what_was_wrong() {
    let stage = Stage::new().await;
    for by in [By::Http, By::Fifo] {
        for (words, part) in [
            (&["mi", "reset_statistics", "nope"][..], "404: Statistics Not Found"),
            (&["mi", "update_stat", "panel:requests", "+1"], "403: Forbidden (panel:requests is the panel's own statistic"),
            (&["mi", "update_stat", "a:b", "x"], "-32602: Invalid params"),
            (&["mi", "get_statistics"], "-32602: Invalid params (Too few or too many parameters)"),
            (&["mi", "nosuch"], "no command 'nosuch' in module 'mi'"),
        ] {
            let output = timeout(LIMIT, stage.cli(by, words).stdin(Stdio::null()).output()).await.expect("it ends").unwrap();
            let told = String::from_utf8_lossy(&output.stderr) + String::from_utf8_lossy(&output.stdout);
            assert!(told.contains(part), "{by:?} {words:?}: {told}");
        }
    }
}

#[tokio::test]
async fn opensips_cli_diagnoses_as_far_as_there_are_statistics() {
    let stage = Stage::new().await;
    for (name, value) in [("total_size", "=67108864"), ("real_used_size", "=7277768"), ("max_used_size", "=8941784")] {
        stage.mi(By::Fifo, &["update_stat", &format!("shmem:{name}"), value]).await;
    }
    for (what, line) in [("memory", "Current Usage: 6.9MB / 64.0MB (10%)"), ("load", "OpenSIPS Processing Status")] {
        let mut command = stage.cli(By::Http, &["diagnose", what]);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut printed = Vec::new();
        let reading = async {
            while let Some(text) = lines.next_line().await.unwrap() {
                let found = text.contains(line);
                printed.push(text);
                if found {
                    return true;
                }
            }
            false
        };
        assert!(timeout(LIMIT, reading).await.expect("it prints"), "{what}: {printed:?}");
        child.kill().await.unwrap();
    }
}

#[tokio::test]
async fn opensips_mi_by_each_of_its_ways() {
    let stage = Stage::new().await;
    stage.mi(By::Http, &["update_stat", "active_dialogs", "=20"]).await;
    let port = stage.panel.mi.unwrap().port().to_string();
    for way in [&["-t", "http", "-p", &port][..], &["-t", "fifo", "-f", &stage.fifo()], &["-t", "datagram", "-p", &port, "-dt", "10"]] {
        let printed = run(stage.tool("opensips-mi").args(way).args(["-s", "active_dialogs"])).await;
        assert_eq!(serde_json::from_str::<Value>(&printed).unwrap(), json!({"dynamic:active_dialogs": 20}), "{way:?}");
    }
}

#[tokio::test]
async fn wget_as_the_manuals_of_opensips_2_have_it() {
    let stage = Stage::new().await;
    stage.mi(By::Fifo, &["update_stat", "active_dialogs", "=20"]).await;
    let url = format!("http://localhost:{}/json/get_statistics?params=active_dialogs", stage.panel.mi.unwrap().port());
    assert_eq!(run(Command::new("wget").args(["-qO", "-", &url])).await, r#"{"dynamic:active_dialogs": "20"}"#);
}
