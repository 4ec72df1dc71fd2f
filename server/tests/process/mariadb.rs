//! A MariaDB that a test has to itself: in a folder of its own, reached by its socket alone, gone when the test ends.

use std::{
    io::{BufRead, BufReader, Write},
    path::PathBuf,
    process::{Child, Command, Output, Stdio},
};

use tempfile::TempDir;

/// A server that runs.
pub(crate) struct Mariadb {
    child: Child,
    folder: TempDir,
}

impl Mariadb {
    /// None where its programs are not installed.
    pub(crate) fn start() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let data = format!("--datadir={}", folder.path().join("data").display());
        let user = format!("--user={}", String::from_utf8(Command::new("id").arg("-un").output().unwrap().stdout).unwrap().trim());
        let made = Command::new("mariadb-install-db")
            .args(["--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db", &data, &user])
            .output()
            .ok()?;
        assert!(made.status.success(), "{made:?}");
        let server = ["mariadbd", "/usr/sbin/mariadbd"].into_iter().find_map(|program| {
            let socket = format!("--socket={}", folder.path().join("socket").display());
            let mut command = Command::new(program);
            command.args(["--no-defaults", "--skip-networking", "--innodb-flush-log-at-trx-commit=0", &data, &user, &socket]);
            command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().ok()
        });
        let mut child = server?;
        let mut said = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        assert!(said.any(|line| line.contains("ready for connections")), "the server did not start");
        // Nobody may wait for what it says later.
        std::thread::spawn(move || said.for_each(drop));
        Some(Self { child, folder })
    }

    /// Its client, as `mysql --batch`, with these words and this text to read.
    pub(crate) fn client(&self, words: &[&str], text: &str) -> Output {
        let mut child = Command::new("mariadb")
            .args(["--no-defaults", "--batch", "--user=root", &format!("--socket={}", self.socket().display())])
            .args(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("socket")
    }
}

impl Drop for Mariadb {
    fn drop(&mut self) {
        // It has nothing that would have to be kept.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
