//! Boxes whose servers hang: they have their FIFO or socket open, and neither read nor answer.

use std::{net::UdpSocket, os::fd::OwnedFd, os::unix::net::UnixDatagram, path::PathBuf};

use reqwest::{Method, StatusCode};
use rustix::fs::{CWD, FileType, Mode, OFlags, mknodat};
use serde_json::json;
use tempfile::TempDir;

use crate::{FAILURES, replay::Replay, support::TestPanel};

/// So many of each.
const EACH: usize = 20;

/// Servers that hang.
pub(crate) struct Stuck {
    folder: TempDir,
    fifos: Vec<OwnedFd>,
    udp: Vec<UdpSocket>,
    /// Held open.
    _unix: Vec<UnixDatagram>,
}

impl Stuck {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let fifo = |index| {
            let path = folder.path().join(format!("fifo{index}"));
            mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
            rustix::fs::open(&path, OFlags::RDWR | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty()).unwrap()
        };
        let fifos = (0..EACH).map(fifo).collect();
        let udp = (0..EACH).map(|_| UdpSocket::bind("127.0.0.1:0").unwrap()).collect();
        let _unix = (0..EACH).map(|index| UnixDatagram::bind(folder.path().join(format!("socket{index}"))).unwrap()).collect();
        Self { folder, fifos, udp, _unix }
    }

    fn addresses(&self) -> Vec<String> {
        let folder = self.folder.path().display();
        let fifos = (0..EACH).map(|index| format!("fifo:{folder}/fifo{index}?reply_dir={folder}"));
        let unix = (0..EACH).map(|index| format!("unix:{folder}/socket{index}?reply_dir={folder}"));
        let udp = self.udp.iter().map(|socket| format!("udp://{}", socket.local_addr().unwrap()));
        fifos.chain(unix).chain(udp).collect()
    }

    /// All of them are asked and fail, and another box beside them is asked as if they were not there.
    pub(crate) async fn round(&self, panel: &TestPanel, good: &Replay) {
        let add = async |name: &str, address: &str| {
            let body = json!({"name": name, "address": address, "kind": "opensips", "interval": "1s"});
            panel.send(Method::POST, "/cp/api/v1/boxes", body, StatusCode::CREATED).await;
        };
        add("good", &format!("http://{}/mi", good.address)).await;
        let names: Vec<String> = (0..3 * EACH).map(|index| format!("stuck{index}")).collect();
        for (name, address) in names.iter().zip(self.addresses()) {
            add(name, &address).await;
        }
        let all_failed = |metrics: &str| names.iter().all(|name| polls(metrics, name, "failed") >= FAILURES);
        let metrics = panel.until_text("/metrics", all_failed).await;
        assert!(names.iter().all(|name| polls(&metrics, name, "answered") == 0), "{metrics}");
        // By datagrams each poll lasts until the time limit, which is longer than the interval: who waits for them is asked no more often.
        let slowest = names[EACH..].iter().map(|name| polls(&metrics, name, "failed")).min();
        assert!(Some(polls(&metrics, "good", "answered")) > slowest, "{metrics}");
        assert_eq!(polls(&metrics, "good", "failed"), 0, "{metrics}");
        for name in names.iter().map(String::as_str).chain(["good"]) {
            panel.send(Method::DELETE, &format!("/cp/api/v1/boxes/{name}?history=delete"), json!(null), StatusCode::NO_CONTENT).await;
        }
    }

    /// Files for answers that were not removed.
    pub(crate) fn left(&self) -> Vec<PathBuf> {
        let is_own = |path: &PathBuf| {
            let name = path.file_name().unwrap().to_str().unwrap();
            !name.starts_with("fifo") && !name.starts_with("socket")
        };
        std::fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap().path()).filter(is_own).collect()
    }

    /// How many questions each finds in its FIFO when it goes on.
    pub(crate) fn questions(&self) -> Vec<usize> {
        let mut buffer = vec![0; 1 << 16];
        let mut count = |fifo| {
            let read = rustix::io::read(fifo, &mut buffer).unwrap();
            buffer[..read].windows(10).filter(|part| part == b":tickmark_").count()
        };
        self.fifos.iter().map(&mut count).collect()
    }
}

/// How many polls of a box ended in this way.
fn polls(metrics: &str, name: &str, outcome: &str) -> u64 {
    let begin = format!("tickmark_box_polls_total{{box=\"{name}\",outcome=\"{outcome}\"}} ");
    metrics.lines().find_map(|line| line.strip_prefix(&begin)).map_or(0, |count| count.parse().unwrap())
}
