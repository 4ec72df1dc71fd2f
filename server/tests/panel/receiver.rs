//! Programs that are told something: they note what came, and answer as they are told.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, Method, StatusCode, Uri},
};
use serde_json::Value;
use tokio::{net::TcpListener, sync::mpsc};

use crate::support::LIMIT;

/// One request.
pub(crate) struct Came {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Came {
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.header("content-type"), "application/json");
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// Such a program, on loopback.
pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    came: mpsc::UnboundedReceiver<Came>,
}

type Shared = (mpsc::UnboundedSender<Came>, Arc<Mutex<Vec<u16>>>);

impl Receiver {
    /// One that takes everything.
    pub(crate) async fn start() -> Self {
        Self::answering(&[]).await
    }

    /// One that answers so at first, and takes everything afterwards.
    pub(crate) async fn answering(answers: &[u16]) -> Self {
        let (tell, came) = mpsc::unbounded_channel();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let answers = Arc::new(Mutex::new(answers.iter().rev().copied().collect()));
        let router = Router::new().fallback(take).with_state((tell, answers));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, came }
    }

    pub(crate) fn url(&self, rest: &str) -> String {
        format!("http://{}/{rest}", self.address)
    }

    /// What comes next.
    pub(crate) async fn next(&mut self) -> Came {
        tokio::time::timeout(LIMIT, self.came.recv()).await.expect("something comes").unwrap()
    }

    /// What came and was not asked for yet.
    pub(crate) fn so_far(&mut self) -> usize {
        self.came.len()
    }
}

async fn take(
    State((tell, answers)): State<Shared>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, &'static str) {
    tell.send(Came { method, path: uri.to_string(), headers, body }).unwrap();
    let status = answers.lock().unwrap().pop().unwrap_or(200);
    (StatusCode::from_u16(status).unwrap(), if status == 200 { "ok" } else { "not now" })
}
