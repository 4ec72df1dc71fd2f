//! Prometheus as Debian has it, for the same work: it scrapes the same boxes, and answers of the same samples.

use std::{
    fmt::Write as _,
    fs,
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::{
    Outcome,
    client::{Client, get},
    panel, process,
};

const PROGRAM: &str = "prometheus";
const TOOL: &str = "promtool";
/// It is there within this.
const LIMIT: Duration = Duration::from_secs(60);

/// A running one; it ends with this.
pub(crate) struct Prometheus {
    child: Child,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    _folder: TempDir,
}

/// Why there is nothing to compare with, if there is none.
pub(crate) fn is_missing() -> Option<&'static str> {
    let is_there = |program| Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    (!is_there(PROGRAM) || !is_there(TOOL)).then_some("Prometheus is not installed")
}

impl Prometheus {
    /// One that scrapes so many boxes each second.
    pub(crate) fn scraping(fleet: SocketAddr, boxes: usize) -> Outcome<Self> {
        let mut config =
            "global:\n  scrape_interval: 1s\n  scrape_timeout: 1s\nscrape_configs:\n- job_name: sip\n  static_configs:\n".to_owned();
        for number in 1..=boxes {
            writeln!(config, "  - targets: ['{fleet}']\n    labels: {{__metrics_path__: /{number}/metrics, instance: sip{number}}}")?;
        }
        Self::start(tempfile::tempdir()?, "data", &config)
    }

    /// One over blocks in a folder, which scrapes nothing.
    pub(crate) fn over(folder: TempDir, blocks: &str) -> Outcome<Self> {
        Self::start(folder, blocks, "global:\n  scrape_interval: 1m\n")
    }

    fn start(folder: TempDir, data: &str, config: &str) -> Outcome<Self> {
        let file = folder.path().join("prometheus.yml");
        fs::write(&file, config)?;
        let address = SocketAddr::from(([127, 0, 0, 1], process::free_port()?));
        let mut command = Command::new(PROGRAM);
        command.arg(format!("--config.file={}", file.display()));
        command.arg(format!("--storage.tsdb.path={}", folder.path().join(data).display()));
        command.args(["--storage.tsdb.retention.time=100y", "--log.level=error"]).arg(format!("--web.listen-address={address}"));
        let child = command.stdout(Stdio::null()).spawn()?;
        let prometheus = Self { child, address, _folder: folder };
        let begun = Instant::now();
        while begun.elapsed() < LIMIT {
            let ready = Client::connect(address).and_then(|mut client| client.ask(&get("/-/ready", "")));
            if ready.is_ok() {
                return Ok(prometheus);
            }
            thread::sleep(Duration::from_millis(100));
        }
        Err("Prometheus did not begin".into())
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Makes blocks of all that a box of a panel recorded, in a folder named `blocks`; says how many bytes they are.
pub(crate) fn blocks_of(database: &Path, box_name: &str, folder: &Path) -> Outcome<u64> {
    let url = format!("sqlite:{}", database.display());
    let mut export = panel::command(&["export", "openmetrics", "--box", box_name, "history", "--database", &url]);
    run(export.current_dir(folder))?;
    run(Command::new(TOOL).args(["tsdb", "create-blocks-from", "openmetrics", "history", "blocks"]).current_dir(folder))?;
    fs::remove_file(folder.join("history"))?;
    let mut bytes = 0;
    let mut folders = vec![folder.join("blocks")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let (entry, about) = entry.and_then(|entry| Ok((entry.path(), entry.metadata()?)))?;
            if about.is_dir() { folders.push(entry) } else { bytes += about.len() }
        }
    }
    // It reads no blocks without a log beside them.
    fs::create_dir(folder.join("blocks/wal"))?;
    Ok(bytes)
}

fn run(command: &mut Command) -> Outcome<()> {
    let done = command.output()?;
    if done.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&done.stderr).into()) }
}
