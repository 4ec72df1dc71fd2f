//! Boxes that are asked by datagrams, over UDP and unix sockets: what is lost, late, twice, from elsewhere or for another.

use std::{path::Path, time::Duration};

use app::model::{BoxKind, Number, Verdict};
use server::source::{Source, Target, probe};
use tempfile::TempDir;

use super::{
    PATIENT,
    local::{Back, DatagramServer, back},
    value,
};

/// Long enough for an answer that comes, and short enough to be waited for.
const SHORT: Duration = Duration::from_millis(300);

fn recorded(path: &str) -> Vec<u8> {
    let file = format!("{}/tests/captures/{path}.resp", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&file).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn json(question: &str) -> serde_json::Value {
    let json: serde_json::Value = serde_json::from_str(question).unwrap_or_default();
    assert!(!json.is_array() && (json.is_null() || json["method"].is_string()), "this crashes the server");
    json
}

fn result(question: &str, result: &str) -> Vec<u8> {
    format!(r#"{{"jsonrpc":"2.0","result":{result},"id":{}}}"#, json(question)["id"]).into_bytes()
}

/// OpenSIPS 4.0.1 as it was recorded.
fn opensips_4(question: &str) -> Vec<Back> {
    match json(question)["method"].as_str() {
        Some("get_statistics") => {
            let text = String::from_utf8(recorded("opensips-4.0/dgram_get_all")).unwrap();
            let whole = &text[text.find("{\"shmem").unwrap()..text.rfind(",\"id\":").unwrap()];
            back(result(question, whole))
        }
        Some("version") => back(result(question, r#"{"Server":"OpenSIPS (4.0.1 (x86_64/linux))"}"#)),
        Some(_) => {
            back(format!(r#"{{"jsonrpc":"2.0","error":{{"code":-32601,"message":"Method not found"}},"id":{}}}"#, json(question)["id"]))
        }
        None => back(recorded("opensips-4.0/dgram_2x_text")),
    }
}

/// OpenSIPS 2.4.11 as it was recorded.
fn opensips_2(question: &str) -> Vec<Back> {
    back(match question {
        ":get_statistics:\nall\n" => recorded("opensips-2.4/fifo_get_all"),
        ":version:\n" => recorded("opensips-2.4/fifo_version"),
        ":list_statistics:\n" => recorded("opensips-2.4/dgram_list"),
        _ => recorded("opensips-2.4/dgram_jsonrpc"),
    })
}

fn kamailio(question: &str) -> Vec<Back> {
    match json(question)["method"].as_str() {
        Some("stats.fetchn") => back(result(question, r#"{"core.rcv_requests":34}"#)),
        Some("core.version") => back(result(question, r#""kamailio 5.6.3 (x86_64/linux) ""#)),
        Some("core.uptime") => back(result(question, r#"{"uptime":81}"#)),
        Some(_) => {
            back(format!(r#"{{"jsonrpc":"2.0","error":{{"code":-32601,"message":"Method not found"}},"id":{}}}"#, json(question)["id"]))
        }
        None => Vec::new(),
    }
}

fn source(kind: BoxKind, server: &DatagramServer, time_limit: Duration) -> Source {
    Source::new(Target { kind, address: server.address.parse().unwrap(), user: None, password: None, time_limit }).unwrap()
}

#[track_caller]
fn is_tidy(folder: &Path) {
    let left: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| name == "socket"), "{left:?}");
}

type Script = fn(&str) -> Vec<Back>;
const SERVERS: [(Script, BoxKind, Verdict, &str); 3] = [
    (opensips_4, BoxKind::Opensips, Verdict::Opensips, "OpenSIPS 4.0.1"),
    (opensips_2, BoxKind::Opensips2, Verdict::Opensips, "OpenSIPS 2.4.11"),
    (kamailio, BoxKind::Kamailio, Verdict::Kamailio, "Kamailio 5.6.3"),
];

#[tokio::test]
async fn every_dialect_is_polled_and_found() {
    for (script, kind, verdict, name) in SERVERS {
        let folder = TempDir::new().unwrap();
        for server in [DatagramServer::udp(script).await, DatagramServer::unix(folder.path(), script)] {
            let mut source = source(kind, &server, PATIENT);
            let answer = source.poll().await.unwrap();
            let (name_of, expect) = if kind == BoxKind::Kamailio { ("core:rcv_requests", 34) } else { ("shmem:total_size", 67_108_864) };
            assert_eq!(value(&answer, name_of), Ok(Number::Int(expect)));
            assert!(answer.started_at_ms.is_some());
            assert_eq!(source.server().await.unwrap(), name);
            let report = probe(&server.address, None, None).await;
            assert_eq!((report.verdict, report.kind, report.server.as_deref()), (verdict, Some(kind), Some(name)), "{}", report.message);
        }
        is_tidy(folder.path());
    }
}

/// Whatever else comes, the answer that is taken is the server's own to this question.
#[tokio::test]
async fn what_is_not_the_answer_is_passed_over() {
    let wrong = |question: &str, id: i64| {
        let id = json(question)["id"].as_i64().unwrap() ^ id;
        format!(r#"{{"jsonrpc":"2.0","result":{{"core:timestamp":5,"shmem:total_size":666666}},"id":{id}}}"#).into_bytes()
    };
    let spoofed = move |question: &str| {
        let forged = Back { text: wrong(question, 0), is_spoofed: true };
        [vec![forged], opensips_4(question)].concat_all()
    };
    let others = move |question: &str| [back(wrong(question, 1)), back("noise"), back(""), opensips_4(question)].concat_all();
    let twice = |question: &str| [opensips_4(question), opensips_4(question), opensips_4(question)].concat_all();
    let folder = TempDir::new().unwrap();
    let servers = [
        DatagramServer::udp(spoofed).await,
        DatagramServer::udp(others).await,
        DatagramServer::udp(twice).await,
        DatagramServer::unix(folder.path(), others),
    ];
    for server in servers {
        let mut source = source(BoxKind::Opensips, &server, PATIENT);
        for _ in 0..3 {
            let answer = source.poll().await.unwrap();
            assert_eq!(value(&answer, "shmem:total_size"), Ok(Number::Int(67_108_864)));
        }
    }
    is_tidy(folder.path());
}

/// Puts the datagrams of several one after the other.
trait ConcatAll {
    fn concat_all(self) -> Vec<Back>;
}

impl<const N: usize> ConcatAll for [Vec<Back>; N] {
    fn concat_all(self) -> Vec<Back> {
        self.into_iter().flatten().collect()
    }
}

#[tokio::test]
async fn every_bad_answer_fails_in_its_way() {
    let cut = |question: &str| {
        let mut whole = opensips_4(question).remove(0).text;
        whole.truncate(100);
        back(whole)
    };
    type Script = Box<dyn Fn(&str) -> Vec<Back> + Send + Sync>;
    let ways: [(&str, Script); 5] = [
        ("timeout", Box::new(|_| Vec::new())),
        ("timeout", Box::new(cut)),
        ("timeout", Box::new(|question| vec![Back { text: opensips_4(question).remove(0).text, is_spoofed: true }])),
        ("protocol", Box::new(|_| back(recorded("opensips-4.0/dgram_malformed")))),
        ("protocol", Box::new(|_| back("500 Internal error"))),
    ];
    for (expect, way) in ways {
        let server = DatagramServer::udp(way).await;
        let limit = if expect == "timeout" { SHORT } else { PATIENT };
        let error = source(BoxKind::Opensips, &server, limit).poll().await.unwrap_err();
        assert_eq!(error.kind(), expect, "{error}");
    }
}

#[tokio::test]
async fn nobody_there() {
    let free = std::net::UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let folder = TempDir::new().unwrap();
    let gone = folder.path().join("socket");
    drop(std::os::unix::net::UnixDatagram::bind(&gone).unwrap());
    let addresses = [
        (format!("udp://{free}"), "by UDP"),
        (format!("unix:{0}/socket?reply_dir={0}", folder.path().display()), "no server reads it"),
        (format!("unix:{0}/nowhere?reply_dir={0}", folder.path().display()), "it is not there"),
        (format!("unix:{0}/socket?reply_dir={0}/nowhere", folder.path().display()), "reply_dir"),
    ];
    for (address, expect) in addresses {
        let target = |address: &str| Target {
            kind: BoxKind::Opensips,
            address: address.parse().unwrap(),
            user: None,
            password: None,
            time_limit: PATIENT,
        };
        let error = Source::new(target(&address)).unwrap().poll().await.unwrap_err();
        assert_eq!(error.kind(), "unreachable", "{error}");
        assert!(error.to_string().contains(expect), "{error}");
        assert_eq!(probe(&address, None, None).await.verdict, Verdict::Unreachable);
    }
    is_tidy(folder.path());
}
