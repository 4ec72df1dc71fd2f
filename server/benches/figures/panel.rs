//! The panel itself, the program as it is released, in a process of its own with a folder of its own.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::{
    Outcome,
    client::{Client, get},
};

/// The program that is measured.
const PROGRAM: &str = env!("CARGO_BIN_EXE_tickmark");
/// The password of `admin`.
pub(crate) const PASSWORD: &str = "correct horse battery";
/// What must come comes within this.
const LIMIT: Duration = Duration::from_secs(60);

/// A running panel; it ends with this.
pub(crate) struct Panel {
    child: Child,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// The header that lets a tool in.
    pub(crate) header: String,
    /// From the start of its process until it said so.
    pub(crate) took: Duration,
    folder: Option<TempDir>,
}

/// The database in the folder of a panel.
pub(crate) fn database(folder: &Path) -> String {
    format!("sqlite:{}", folder.join("tickmark.db").display())
}

impl Panel {
    /// Starts it with this configuration in a folder that goes with it.
    pub(crate) fn start(folder: TempDir, config: &str, interval: &str) -> Outcome<Self> {
        let mut panel = Self::start_in(folder.path(), config, interval)?;
        panel.folder = Some(folder);
        Ok(panel)
    }

    /// Starts it with this configuration, over what is in the folder.
    pub(crate) fn start_in(folder: &Path, config: &str, interval: &str) -> Outcome<Self> {
        let (database, file) = (database(folder), folder.join("tickmark.toml"));
        fs::write(&file, config)?;
        // It is started there again and again, and each name can be taken once.
        static STARTS: AtomicUsize = AtomicUsize::new(0);
        let name = format!("bench{}", STARTS.fetch_add(1, Ordering::Relaxed));
        let mut token = command(&["token", "create", &name, "--scope", "admin", "--database", &database]);
        let token = token.stderr(Stdio::null()).output()?;
        let token = String::from_utf8(token.stdout)?;
        let arguments = ["--listen", "127.0.0.1:0", "--database", &database, "--interval", interval];
        let mut serve = command(&arguments);
        serve.arg("--config").arg(&file).env("TICKMARK_ADMIN_PASSWORD", PASSWORD).env("TICKMARK_LOG_FILTER", "off");
        let begun = Instant::now();
        let mut child = serve.stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().ok_or("no output")?).read_line(&mut line)?;
        let address = line.split("http://").nth(1).and_then(|rest| rest.split('/').next());
        let address = address.ok_or("the panel did not say where it is")?.parse()?;
        let header = format!("Authorization: Bearer {}\r\n", token.trim());
        Ok(Self { child, address, header, took: begun.elapsed(), folder: None })
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Asks once more, as a tool does, until the answer of a path has what must be in it.
    pub(crate) fn until(&self, path: &str, is_there: impl Fn(&str) -> bool) -> Outcome<()> {
        self.until_with(&self.header, path, is_there)
    }

    /// The same as whom the header names.
    pub(crate) fn until_with(&self, header: &str, path: &str, is_there: impl Fn(&str) -> bool) -> Outcome<()> {
        let begun = Instant::now();
        let mut client = Client::connect(self.address)?;
        while begun.elapsed() < LIMIT {
            client.ask(&get(path, header))?;
            if is_there(&String::from_utf8_lossy(&client.body)) {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Err(format!("{path} never became what it must").into())
    }
}

impl Drop for Panel {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        drop(self.folder.take());
    }
}

/// The program, without what would configure it behind our back.
pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(PROGRAM);
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("TICKMARK_")) {
        command.env_remove(name);
    }
    command.args(arguments);
    command
}
