//! What runs in a process of its own, so that its work is not counted with the panel's: a box that answers, and a bare web server.
//! Each tells its port in a line, and ends when its standard input does.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::SocketAddr,
    process::{Child, ChildStdin, Command, Stdio},
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::header,
    response::IntoResponse,
    routing::{get, post},
};

use crate::{
    Outcome,
    traffic::{self, Traffic},
};

/// The word that begins the arguments of such a process.
pub(crate) const ROLE: &str = "role";

/// Such a process, from outside; it ends with this.
pub(crate) struct Role {
    child: Child,
    stdin: Option<ChildStdin>,
    /// Where it answers.
    pub(crate) address: SocketAddr,
}

impl Role {
    /// A box of so many statistics, which move with each question.
    pub(crate) fn a_box(statistics: usize) -> Outcome<Self> {
        Self::start("box", statistics)
    }

    /// A web server that does nothing: `/` answers two letters, `/page` so many bytes.
    pub(crate) fn bare(page_bytes: usize) -> Outcome<Self> {
        Self::start("bare", page_bytes)
    }

    /// What plays a role of a name, of some size.
    pub(crate) fn start(name: &str, size: usize) -> Outcome<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args([ROLE, name, &size.to_string()]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn()?;
        let stdin = child.stdin.take();
        let mut line = String::new();
        BufReader::new(child.stdout.take().ok_or("no output")?).read_line(&mut line)?;
        Ok(Self { child, stdin, address: line.trim().parse()? })
    }
}

impl Drop for Role {
    fn drop(&mut self) {
        drop(self.stdin.take());
        let _ = self.child.wait();
    }
}

/// Plays the role that the arguments name, if they name one.
pub(crate) async fn play(arguments: &[String]) -> Option<Outcome<()>> {
    let [word, name, size] = arguments else { return None };
    let size = size.parse().ok().filter(|_| word == ROLE)?;
    let router = match name.as_str() {
        "box" => {
            let says = Says { names: traffic::names(size), traffic: Traffic::new(size), polls: 0, began: Instant::now() };
            Router::new().route("/mi", post(answer)).route("/polls", get(polls)).with_state(Arc::new(Mutex::new(says)))
        }
        _ => {
            let page = Bytes::from(vec![b'x'; size]);
            Router::new().route("/", get(|| async { "ok" })).route("/page", get(|| async move { page }))
        }
    };
    Some(serve(router).await)
}

async fn serve(router: Router) -> Outcome<()> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    std::io::stdout().flush()?;
    let until_closed = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
    tokio::select! {
        served = axum::serve(listener, router).into_future() => Ok(served?),
        _ = until_closed => Ok(()),
    }
}

/// What the box will say.
struct Says {
    names: Vec<String>,
    traffic: Traffic,
    polls: u64,
    began: Instant,
}

type Shared = Arc<Mutex<Says>>;

async fn polls(State(says): State<Shared>) -> String {
    says.lock().unwrap_or_else(PoisonError::into_inner).polls.to_string()
}

async fn answer(State(says): State<Shared>, body: String) -> impl IntoResponse {
    let word = |key: &str| body.split_once(key).map_or("", |(_, rest)| rest.split([',', '}', '"']).next().unwrap_or_default());
    let id = word("\"id\":");
    let mut says = says.lock().unwrap_or_else(PoisonError::into_inner);
    let reply = match word("\"method\":\"") {
        "get_statistics" => {
            says.polls += 1;
            let Says { names, traffic, began, .. } = &mut *says;
            traffic::reply(names, traffic.next(), began.elapsed().as_secs(), id)
        }
        "list_statistics" => traffic::kinds(&says.names, &says.traffic, id),
        "version" => format!(r#"{{"jsonrpc":"2.0","result":{{"Server":"OpenSIPS (4.0.1 (x86_64/linux))"}},"id":{id}}}"#),
        "uptime" => format!(r#"{{"jsonrpc":"2.0","result":{{"Up time":"81 [sec]"}},"id":{id}}}"#),
        _ => format!(r#"{{"jsonrpc":"2.0","result":{{}},"id":{id}}}"#),
    };
    ([(header::CONTENT_TYPE, "application/json")], reply)
}
