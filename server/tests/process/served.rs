//! A panel in a process of its own.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Output, Stdio},
};

/// The program under test.
pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_tickmark");
/// The password of `admin`, where one is given.
pub(crate) const PASSWORD: &str = "correct horse battery";

/// A command of the program, in a folder.
pub(crate) fn command(folder: &Path, arguments: &[&str]) -> Command {
    quiet(Command::new(BINARY), folder, arguments)
}

/// Runs a command of the program to its end.
pub(crate) fn run(folder: &Path, arguments: &[&str]) -> Output {
    command(folder, arguments).output().unwrap()
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn quiet(mut command: Command, folder: &Path, arguments: &[&str]) -> Command {
    command.current_dir(folder).args(arguments).env_clear().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // Its port is the same for all: only a test of it says where.
    command.env("TICKMARK_MI_LISTEN", "off");
    command
}

/// A panel in a process of its own.
pub(crate) struct Served {
    pub(crate) child: Child,
    pub(crate) address: String,
    pub(crate) lines: Vec<String>,
}

impl Served {
    /// Starts it and waits for its setup link.
    pub(crate) fn start(folder: &Path, arguments: &[&str]) -> Self {
        Self::wait_for(command(folder, arguments), "Set it up: ")
    }

    /// Starts it with `admin` there already.
    pub(crate) fn start_set_up(folder: &Path, arguments: &[&str]) -> Self {
        Self::start_as(command(folder, arguments))
    }

    /// Starts it through another program, which must become it.
    pub(crate) fn start_through(mut command: Command, folder: &Path) -> Self {
        let path = std::env::var_os("PATH").unwrap_or_default();
        command = quiet(command, folder, &[]);
        command.env("PATH", path).env("TICKMARK_ADMIN_PASSWORD", PASSWORD);
        Self::wait_for_as_is(command, "Tickmark is at ")
    }

    /// Starts what a test has made ready, with `admin` there already.
    pub(crate) fn start_as(mut command: Command) -> Self {
        command.env("TICKMARK_ADMIN_PASSWORD", PASSWORD);
        Self::wait_for(command, "Tickmark is at ")
    }

    fn wait_for(mut command: Command, line: &str) -> Self {
        command.args(["--listen", "127.0.0.1:0"]);
        Self::wait_for_as_is(command, line)
    }

    fn wait_for_as_is(mut command: Command, last: &str) -> Self {
        let mut child = command.stderr(Stdio::inherit()).spawn().unwrap();
        let mut lines = Vec::new();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        loop {
            let mut line = String::new();
            assert_ne!(out.read_line(&mut line).unwrap(), 0, "the panel ended: {lines:?}");
            lines.push(line.trim_end().to_owned());
            if lines.iter().any(|line| line.contains(last)) {
                break;
            }
        }
        let address = lines[0].strip_prefix("Tickmark is at http://").unwrap().strip_suffix("/cp").unwrap().to_owned();
        Self { child, address, lines }
    }

    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It has ended already, in a test that passes.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
