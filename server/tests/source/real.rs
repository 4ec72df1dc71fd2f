//! A real Kamailio (Debian's package), over each of the ways in which it is asked.

use std::process::Stdio;

use app::model::{BoxKind, Kind, Number, Verdict};
use server::source::{Resetting, Source, Target, probe};
use tempfile::TempDir;
use tokio::process::{Child, Command};

use super::{PATIENT, value};

/// Kamailio lies where only administrators look.
const PATH: &str = "/usr/sbin/kamailio";

/// A running Kamailio; it ends when this is dropped.
struct Kamailio {
    folder: TempDir,
    rpc_port: u16,
    process: Child,
}

impl Drop for Kamailio {
    /// By a signal that lets it end its children.
    fn drop(&mut self) {
        let process = self.process.id().and_then(|id| rustix::process::Pid::from_raw(i32::try_from(id).ok()?));
        if let Some(process) = process {
            rustix::process::kill_process(process, rustix::process::Signal::TERM).unwrap();
        }
    }
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Kamailio {
    async fn start() -> Self {
        Self::start_with(|text| text).await
    }

    /// With another configuration; `addresses()[0]` must answer.
    async fn start_with(configure: impl FnOnce(String) -> String) -> Self {
        assert!(std::path::Path::new(PATH).exists(), "{PATH} is not there: install Debian's package kamailio");
        let folder = TempDir::new().unwrap();
        let rpc_port = free_port();
        let text = std::fs::read_to_string(format!("{}/tests/kamailio/kamailio.cfg", env!("CARGO_MANIFEST_DIR"))).unwrap();
        let text = text.replace("FOLDER", folder.path().to_str().unwrap()).replace("RPC_PORT", &rpc_port.to_string());
        let text = text.replace("SIP_PORT", &free_port().to_string()).replace("UAS_PORT", &free_port().to_string());
        let text = configure(text);
        let config = folder.path().join("kamailio.cfg");
        std::fs::write(&config, text).unwrap();
        let mut command = Command::new(PATH);
        command.arg("-f").arg(&config).arg("-Y").arg(folder.path()).arg("-w").arg(folder.path()).args(["-DD", "-E", "-m", "64", "-M", "8"]);
        let process = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let started = Self { folder, rpc_port, process };
        let begun = std::time::Instant::now();
        while probe(&started.addresses()[0], None, None).await.kind.is_none() {
            assert!(begun.elapsed() < PATIENT, "Kamailio does not start");
            tokio::task::yield_now().await;
        }
        started
    }

    fn addresses(&self) -> [String; 3] {
        let folder = self.folder.path().display();
        [
            format!("http://127.0.0.1:{}/RPC", self.rpc_port),
            format!("fifo:{folder}/rpc.fifo?reply_dir={folder}"),
            format!("unix:{folder}/rpc.sock?reply_dir={folder}"),
        ]
    }

    fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder.path()).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

/// It has one socket for datagrams: by UDP it is another Kamailio.
#[tokio::test]
async fn a_real_kamailio_is_found_and_polled_by_udp() {
    let port = std::net::UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let parameter = |value: &str| format!("modparam(\"jsonrpcs\", \"dgram_socket\", \"{value}\")");
    let kamailio = Kamailio::start_with(|text| {
        let line = text.lines().find(|line| line.contains("dgram_socket")).unwrap().to_owned();
        text.replace(&line, &parameter(&format!("udp:127.0.0.1:{port}")))
    })
    .await;
    is_found_and_polled(&format!("udp://127.0.0.1:{port}")).await;
    drop(kamailio);
}

/// The address is that of a Kamailio; how many statistics it has at each of three polls.
async fn is_found_and_polled(address: &str) -> Vec<usize> {
    let report = probe(address, None, None).await;
    assert_eq!((report.verdict, report.kind), (Verdict::Kamailio, Some(BoxKind::Kamailio)), "{address}: {}", report.message);
    assert!(report.server.is_some_and(|name| name.starts_with("Kamailio ")), "{address}");
    let target = Target { kind: BoxKind::Kamailio, address: address.parse().unwrap(), user: None, password: None, time_limit: PATIENT };
    let mut source = Source::new(target).unwrap();
    let mut counts = Vec::new();
    for _ in 0..3 {
        let answer = source.poll().await.unwrap();
        assert_eq!(value(&answer, "shmem:total_size"), Ok(Number::Int(67_108_864)), "{address}");
        assert!(answer.started_at_ms.is_some(), "{address}");
        counts.push(answer.names.len());
    }
    counts
}

#[tokio::test]
async fn a_real_kamailio_is_found_and_polled_every_way() {
    let kamailio = Kamailio::start().await;
    let before = kamailio.files();
    let mut counts = Vec::new();
    for address in kamailio.addresses() {
        counts.extend(is_found_and_polled(&address).await);
    }
    assert!(counts[0] > 100 && counts.iter().all(|count| *count == counts[0]), "{counts:?}");
    assert_eq!(kamailio.files(), before, "nothing is left behind");
}

#[tokio::test]
async fn a_real_kamailio_is_reset_every_way() {
    const NAME: &str = "core:rcv_requests";
    let kamailio = Kamailio::start().await;
    let at = |address: &str| {
        let target = Target { kind: BoxKind::Kamailio, address: address.parse().unwrap(), user: None, password: None, time_limit: PATIENT };
        Source::new(target).unwrap()
    };
    // Each question over HTTP is a request that Kamailio counts.
    let mut http = at(&kamailio.addresses()[0]);
    for address in kamailio.addresses() {
        while value(&http.poll().await.unwrap(), NAME).unwrap().as_f64() < 20.0 {}
        let mut source = at(&address);
        let kind = |full: &str| if full.starts_with("core:") { Kind::Counter } else { Kind::Gauge };
        let names = [NAME, "shmem:total_size", "core:nothing"].map(str::to_owned);
        let mut resetting = Resetting::new(&source.poll().await.unwrap(), &names, kind);
        source.reset(&mut resetting).await;
        let done = resetting.check(&source.poll().await.unwrap());
        assert_eq!(done.iter().map(|name| &**name).collect::<Vec<_>>(), [NAME], "{address}");
        let (reset, refused) = resetting.end();
        assert_eq!(reset, [NAME]);
        assert_eq!(refused.iter().map(|refused| refused.name.as_str()).collect::<Vec<_>>(), ["shmem:total_size", "core:nothing"]);
        assert!(value(&http.poll().await.unwrap(), NAME).unwrap().as_f64() < 20.0, "{address}");
    }
}
