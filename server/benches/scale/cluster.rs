//! A PostgreSQL of its own, by `.ci/postgres.sh`, that writes to the disk what it says is written; it goes with this.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, ChildStdin, Command, Stdio},
};

use sqlx::{Connection as _, Executor as _, PgConnection};

use crate::Outcome;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../.ci/postgres.sh");

/// A running server.
pub(crate) struct Cluster {
    child: Child,
    until: Option<ChildStdin>,
    url: String,
}

impl Cluster {
    /// None where the server's programs are not installed.
    pub(crate) async fn start() -> Outcome<Option<Self>> {
        let mut command = Command::new(SCRIPT);
        command.args(["sh", "-c", r#"printf '%s\n' "$TEST_POSTGRES"; read -r end || true"#]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let mut url = String::new();
        BufReader::new(child.stdout.take().ok_or("no output")?).read_line(&mut url)?;
        if url.is_empty() {
            child.wait()?;
            return Ok(None);
        }
        let cluster = Self { until: child.stdin.take(), child, url: url.trim().to_owned() };
        let mut connection = PgConnection::connect(&cluster.url).await?;
        // For tests it is told not to; what is said to be durable here is.
        for statement in ["alter system set fsync = on", "alter system set full_page_writes = on", "select pg_reload_conf()"] {
            connection.execute(statement).await?;
        }
        connection.execute("create database panel").await?;
        connection.close().await?;
        Ok(Some(cluster))
    }

    /// An empty database on it, by its socket.
    pub(crate) fn database(&self) -> String {
        self.url.replace("/postgres?", "/panel?")
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.until.take());
        let _ = self.child.wait();
    }
}
