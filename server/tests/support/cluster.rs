//! A PostgreSQL that a test has to itself, so that it may be stopped and started: `.ci/postgres.sh` makes it, and removes it when the
//! test ends, in whatever way it ends.

use std::{
    io::{BufRead, BufReader},
    process::{Child, ChildStdin, Command, Stdio},
};

use sqlx::{Connection, Executor, PgConnection};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../.ci/postgres.sh");
/// What the script ends with where the server's programs are not installed.
const NOT_INSTALLED: i32 = 69;

/// A server that runs, or is stopped.
pub(crate) struct Cluster {
    child: Child,
    /// The cluster lasts until this is closed.
    until: Option<ChildStdin>,
    /// Its database `postgres`, by its socket, as the user who may do everything.
    url: String,
    /// The file with the issuer of its certificate.
    authority: String,
    control: String,
    standby: String,
}

impl Cluster {
    /// None where the server's programs are not installed.
    pub(crate) fn start() -> Option<Self> {
        let say =
            r#"printf '%s\n' "$TEST_POSTGRES" "$TEST_POSTGRES_CA" "$TEST_POSTGRES_CTL" "$TEST_POSTGRES_STANDBY"; read -r end || true"#;
        let mut command = Command::new(SCRIPT);
        command.args(["sh", "-c", say]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let (Some(url), Some(authority), Some(control), Some(standby)) = (said.next(), said.next(), said.next(), said.next()) else {
            assert_eq!(child.wait().unwrap().code(), Some(NOT_INSTALLED), "the cluster did not start");
            return None;
        };
        Some(Self { until: child.stdin.take(), child, url, authority, control, standby })
    }

    /// A database on it, by its socket.
    pub(crate) fn url(&self, database: &str) -> String {
        self.url.replace("/postgres?", &format!("/{database}?"))
    }

    /// A database on it, by TCP, with TLS that checks the server.
    pub(crate) fn tls_url(&self, login: &str, database: &str) -> String {
        let (server, _) = self.url.split_once("/postgres?").unwrap();
        let server = server.replace("tickmark@", &format!("{login}@"));
        format!("{server}/{database}?sslmode=verify-full&sslrootcert={}", self.authority)
    }

    /// Tells it something.
    pub(crate) async fn tell(&self, statement: &'static str) {
        let mut connection = PgConnection::connect(&self.url).await.unwrap();
        connection.execute(statement).await.unwrap();
        connection.close().await.unwrap();
    }

    /// Where it is by TCP.
    pub(crate) fn port(&self) -> u16 {
        let (_, after) = self.url.split_once("@localhost:").unwrap();
        after.split('/').next().unwrap().parse().unwrap()
    }

    /// Makes a second server that follows this one, and without which this one commits nothing; says where it is by TCP.
    pub(crate) async fn follow(&self) -> u16 {
        let output = Command::new(&self.standby).stdin(Stdio::null()).stderr(Stdio::inherit()).output().unwrap();
        assert!(output.status.success(), "the standby did not start");
        let port = String::from_utf8(output.stdout).unwrap().trim().parse().unwrap();
        self.tell("alter system set synchronous_standby_names = '*'").await;
        self.tell("select pg_reload_conf()").await;
        port
    }

    /// Makes the second server the one that takes writes; returns when it does.
    pub(crate) fn promote(&self) {
        Self::command(&format!("{}-ctl", self.standby), &["promote"]);
    }

    /// `start`, `stop` or `restart`, and how; returns when that is done.
    pub(crate) fn control(&self, words: &[&str]) {
        Self::command(&self.control, words);
    }

    fn command(program: &str, words: &[&str]) {
        // The server keeps what it inherits: nobody may wait for the end of that.
        let mut command = Command::new(program);
        command.args(words).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        assert!(command.status().unwrap().success(), "{words:?}");
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.until.take());
        // The script has removed it by then; how its command ended is all the same.
        let _ = self.child.wait();
    }
}
