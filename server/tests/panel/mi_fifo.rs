//! The FIFO of the management interface, as `opensipsctl` and its successors use it, and as it is misused.

use std::{
    fs,
    os::unix::fs::{FileTypeExt, PermissionsExt},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use rustix::fs::{CWD, FileType, Mode, mknodat};
use server::{config::ServeFlags, serve::Panel};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::unix::pipe,
    time::timeout,
};

use crate::support::{LIMIT, Start, TestPanel, mi_at};

static NUMBER: AtomicU32 = AtomicU32::new(0);

struct Fifo {
    panel: TestPanel,
    folder: tempfile::TempDir,
}

fn flags(path: &Path) -> ServeFlags {
    ServeFlags { mi_fifo: Some(path.display().to_string()), ..mi_at("off") }
}

fn make(path: &Path) {
    mknodat(CWD, path, FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
}

/// A reply FIFO that is open for reading, and goes when it is dropped.
struct Reply {
    name: String,
    path: PathBuf,
    reader: pipe::Receiver,
}

impl Reply {
    fn new() -> Self {
        let name = format!("tickmark_test_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let path = Path::new("/tmp").join(&name);
        make(&path);
        let reader = pipe::OpenOptions::new().open_receiver(&path).unwrap();
        Self { name, path, reader }
    }

    /// What is written until the writer goes.
    async fn read(mut self) -> String {
        let mut text = String::new();
        let reading = async {
            // Before a writer is there, it looks like the end.
            while text.is_empty() {
                self.reader.readable().await.unwrap();
                self.reader.read_to_string(&mut text).await.unwrap();
                tokio::task::yield_now().await;
            }
        };
        timeout(LIMIT, reading).await.expect("an answer");
        text
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

impl Fifo {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let panel = Start::new().with_mi_flags(flags(&folder.path().join("fifo"))).open().await;
        Self { panel, folder }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("fifo")
    }

    async fn write(&self, text: &[u8]) {
        let mut writer = pipe::OpenOptions::new().open_sender(self.path()).unwrap();
        writer.write_all(text).await.unwrap();
    }

    /// Asks with JSON-RPC.
    async fn ask(&self, method: &str, params: &str) -> String {
        let reply = Reply::new();
        self.write(format!(":{}:{{\"jsonrpc\":\"2.0\",\"method\":\"{method}\",\"params\":{params},\"id\":\"7\"}}", reply.name).as_bytes())
            .await;
        reply.read().await
    }

    /// Asks as 2.x did.
    async fn ask_old(&self, command: &str, words: &[&str]) -> String {
        let reply = Reply::new();
        let words: String = words.iter().map(|word| format!("{word}\n")).collect();
        self.write(format!(":{command}:{}\n{words}\n", reply.name).as_bytes()).await;
        reply.read().await
    }
}

#[tokio::test]
async fn both_framings() {
    let fifo = Fifo::start().await;
    let found = fs::symlink_metadata(fifo.path()).unwrap();
    assert!(found.file_type().is_fifo() && found.permissions().mode() & 0o007 == 0, "{:o}", found.permissions().mode());
    assert_eq!(fifo.ask("update_stat", r#"["dialog:active_dialogs","=20"]"#).await, r#"{"jsonrpc":"2.0","result":"OK","id":"7"}"#);
    let told = r#"{"jsonrpc":"2.0","result":{"dialog:active_dialogs":20},"id":"7"}"#;
    assert_eq!(fifo.ask("get_statistics", r#"[["active_dialogs"]]"#).await, told);
    assert_eq!(fifo.ask_old("get_statistics", &["active_dialogs", "nope"]).await, "200 OK\ndialog:active_dialogs:: 20\n\n");
    assert_eq!(fifo.ask_old("get_statistics", &["nope"]).await, "404 Statistics Not Found\n\n");
    assert_eq!(fifo.ask_old("nosuch", &[]).await, "500 command 'nosuch' not available\n");
    let path = fifo.path();
    fifo.panel.stop().await;
    assert!(!path.exists());
}

#[tokio::test]
async fn who_misuses_it_harms_nobody_else() {
    let fifo = Fifo::start().await;
    let file = Path::new("/tmp").join(format!("tickmark_test_file_{}", std::process::id()));
    fs::write(&file, "mine").unwrap();
    let named = file.file_name().unwrap().to_string_lossy();
    let version = r#"{"jsonrpc":"2.0","method":"version","id":1}"#;
    for bad in [
        // Nobody reads the answer; it would go into a file; it would leave the folder.
        format!(":nobody_reads_this:{version}"),
        format!(":{named}:{version}"),
        format!(":../tmp/{named}:{version}"),
        // No whole request.
        ":uptime:x\n".to_owned(),
        r#":x:{"jsonrpc":"2.0","method":"#.to_owned() + "\n",
        "\n".to_owned(),
        "\u{0}\u{0}:::{}{}{\n".to_owned(),
        "x".repeat(70_000) + "\n",
    ] {
        fifo.write(bad.as_bytes()).await;
        let answer = fifo.ask_old("version", &[]).await;
        assert!(answer.starts_with("200 OK\nServer:: Tickmark"), "after {bad:.40}: {answer}");
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
    fs::remove_file(&file).unwrap();
}

#[tokio::test]
async fn a_request_whose_rest_does_not_come_is_given_up() {
    let fifo = Fifo::start().await;
    fifo.write(br#":x:{"jsonrpc":"2.0","method":"#).await;
    // Taken for the rest of the one before until that is given up.
    let asking = async {
        loop {
            let reply = Reply::new();
            fifo.write(format!(":{}:{{\"jsonrpc\":\"2.0\",\"method\":\"version\",\"id\":1}}", reply.name).as_bytes()).await;
            if timeout(Duration::from_millis(1_500), reply.read()).await.is_ok() {
                return;
            }
        }
    };
    timeout(LIMIT, asking).await.expect("it is answered in the end");
}

#[tokio::test]
async fn what_is_in_its_place_is_left_alone_or_taken_over() {
    let folder = tempfile::tempdir().unwrap();
    let (file, read, stale) = (folder.path().join("file"), folder.path().join("read"), folder.path().join("stale"));
    fs::write(&file, "mine").unwrap();
    make(&read);
    let _reader = pipe::OpenOptions::new().open_receiver(&read).unwrap();
    for (path, why) in
        [(&file, "it is no FIFO"), (&read, "another program reads it already"), (&folder.path().join("no/where"), "No such file")]
    {
        let start = Start::new().with_mi_flags(flags(path));
        let Err(error) = Panel::start(start.config()).await else { panic!("{}", path.display()) };
        let said = error.to_string();
        assert!(said.contains(why) && said.contains(&path.display().to_string()) && said.contains("--mi-fifo"), "{said}");
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
    make(&stale);
    let start = Start::new().with_mi_flags(flags(&stale));
    drop(Panel::start(start.config()).await.unwrap());
    assert!(!stale.exists(), "it is left behind");
}
