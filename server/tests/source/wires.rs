//! The dialects beside JSON-RPC that go over HTTP, against recorded answers: OpenSIPS 2.x's JSON, XML-RPC, and metrics.

use app::model::{BoxKind, Kind, Number};
use server::source::{Source, Target, Unknown};

use super::{
    PATIENT, now_ms,
    replay::{Action, Replay, Request, ok},
    source, value,
};

/// OpenSIPS 2.4.11 as it was recorded.
pub(super) fn opensips_2_4(request: &Request) -> Action {
    match request.line.as_str() {
        "GET /json/get_statistics?params=all" => request.recorded_last("opensips-2.4/json_get_all"),
        "GET /json/list_statistics" => request.recorded_last("opensips-2.4/json_list"),
        "GET /json/uptime" => request.recorded_last("opensips-2.4/json_cmd_uptime"),
        "GET /json/version" => request.recorded_last("opensips-2.4/json_cmd_version"),
        "POST /mi" => request.recorded_last("opensips-2.4/json_post_jsonrpc_to_mi"),
        "POST /json" => request.recorded_last("opensips-2.4/json_post_json"),
        line if line.starts_with("GET /json/get_statistics") => request.recorded_last("opensips-2.4/json_get_unknown"),
        line if line.starts_with("GET /json/") => request.recorded_last("opensips-2.4/json_unknown_cmd"),
        _ => request.recorded_last("opensips-2.4/bad_root"),
    }
}

/// The method of an XML-RPC call.
fn called(request: &Request) -> &str {
    request.body.split("<methodName>").nth(1).and_then(|rest| rest.split('<').next()).unwrap_or_default()
}

/// OpenSIPS 2.4.11 with mi_xmlrpc_ng alone; its version is as 4.0.1 writes such an answer.
pub(super) fn xml_rpc_2_4(request: &Request) -> Action {
    match (request.line.as_str(), called(request)) {
        ("POST /RPC2", "get_statistics") => request.recorded("opensips-2.4/xmlrpc_get_multi"),
        ("POST /RPC2", "list_statistics") => request.recorded("opensips-2.4/xmlrpc_list"),
        ("POST /RPC2", "version") => ok(
            "<methodResponse><params><param><value><struct><member><name>Server</name><value>OpenSIPS (2.4.11 (x86_64/linux))</value></member></struct></value></param></params></methodResponse>",
        ),
        ("POST /RPC2", _) => request.recorded("opensips-2.4/xmlrpc_unknown_cmd"),
        _ => request.recorded_last("opensips-2.4/bad_root"),
    }
}

/// The metrics of OpenSIPS 4.0.1.
pub(super) fn metrics(request: &Request) -> Action {
    match request.line.as_str() {
        "GET /metrics" => request.recorded_last("opensips-4.0/get_metrics"),
        _ => request.recorded_last("opensips-2.4/bad_root"),
    }
}

pub(super) fn at(kind: BoxKind, address: &str) -> Source {
    Source::new(Target { kind, address: address.parse().unwrap(), user: None, password: None, time_limit: PATIENT }).unwrap()
}

#[tokio::test]
async fn opensips_2_4_is_polled() {
    let server = Replay::start(opensips_2_4).await;
    let mut source = source(BoxKind::Opensips2, &server, "/json");
    let first = source.poll().await.unwrap();
    assert_eq!((first.names.len(), first.values.len()), (181, 181));
    assert_eq!(value(&first, "shmem:total_size"), Ok(Number::Int(67_108_864)));
    assert_eq!(value(&first, "dynamic:negative_stat"), Ok(Number::Int(-5)));
    assert_eq!(value(&first, "dynamic:big_6e9"), Ok(Number::Int(6_000_000_000)));
    assert_eq!(first.started_at_ms, Some(first.at_ms - 67_000));
    let second = source.poll().await.unwrap();
    assert!(std::sync::Arc::ptr_eq(&first.names, &second.names));
    assert_eq!(source.server().await.unwrap(), "OpenSIPS 2.4.11");
    let kinds = source.kinds().await.unwrap();
    assert!(kinds.contains(&("core:rcv_requests".into(), Kind::Counter)) && kinds.contains(&("dialog:active_dialogs".into(), Kind::Gauge)));
    assert!(server.seen().iter().all(|request| request.line.starts_with("GET /json/") && request.body.is_empty()));
}

#[tokio::test]
async fn errors_of_opensips_2_4_come_with_status_200() {
    let server = Replay::start(|request| request.recorded_last("opensips-2.4/json_unknown_cmd")).await;
    let error = source(BoxKind::Opensips2, &server, "/json").poll().await.unwrap_err();
    assert_eq!(error.kind(), "protocol");
    assert!(error.to_string().contains("Command not found (error 500)"), "{error}");
    let server = Replay::start(|request| request.recorded_last("opensips-2.4/json_get_unknown")).await;
    assert!(source(BoxKind::Opensips2, &server, "/json").poll().await.unwrap().names.is_empty());
}

#[tokio::test]
async fn what_two_groups_of_a_2_4_call_the_same_is_asked_by_group() {
    let server = Replay::start(|request| match request.line.as_str() {
        "GET /json/get_statistics?params=all" => ok(r#"{"a b:c": "1", "core:timestamp": "5", "a b:c": "2"}"#),
        "GET /json/get_statistics?params=a%20b%3A" => ok(r#"{"a b:c": "1"}"#),
        other => panic!("{other}"),
    })
    .await;
    let answer = source(BoxKind::Opensips2, &server, "/json").poll().await.unwrap();
    assert_eq!(answer.values, [Ok(Number::Int(1)), Ok(Number::Int(5))]);
}

#[tokio::test]
async fn xml_rpc_is_polled() {
    let server = Replay::start(xml_rpc_2_4).await;
    let mut source = at(BoxKind::Opensips2, &format!("xmlrpc+http://{}/RPC2", server.address));
    let answer = source.poll().await.unwrap();
    assert_eq!(value(&answer, "dialog:processed_dialogs"), Ok(Number::Int(30)));
    assert_eq!(source.kinds().await.unwrap().len(), 181);
    assert_eq!(source.server().await.unwrap(), "OpenSIPS 2.4.11");
    let seen = server.seen();
    assert!(seen.iter().all(|request| request.header("content-type") == Some("text/xml")));
    assert!(seen[0].body.contains("<params><param><value><string>all</string></value></param></params>"), "{}", seen[0].body);
}

#[tokio::test]
async fn xml_rpc_of_4_0_wants_names_in_an_array() {
    let server = Replay::start(|request| match called(request) {
        "get_statistics" if request.body.contains("<array><data><value>") => request.recorded("opensips-4.0/xmlrpc40_get_array"),
        "get_statistics" => request.recorded("opensips-4.0/xmlrpc40_get"),
        _ => request.recorded("opensips-4.0/xmlrpc40_uptime"),
    })
    .await;
    let address = format!("xmlrpc+http://{}/RPC2", server.address);
    let answer = at(BoxKind::Opensips, &address).poll().await.unwrap();
    assert_eq!(value(&answer, "dialog:active_dialogs"), Ok(Number::Int(10)));
    let started = answer.started_at_ms.unwrap();
    assert!((answer.at_ms - 556_000..=now_ms() - 556_000).contains(&started), "the uptime is asked a moment later");
    let error = at(BoxKind::Opensips2, &address).poll().await.unwrap_err();
    assert!(error.to_string().contains("invalid method parameters"), "{error}");
}

#[tokio::test]
async fn metrics_are_polled() {
    let server = Replay::start(metrics).await;
    let mut source = at(BoxKind::Prometheus, &format!("prometheus+http://{}/metrics", server.address));
    let answer = source.poll().await.unwrap();
    assert_eq!(answer.left_out, None);
    assert_eq!(value(&answer, r#"opensips:total_size{group="shmem"}"#), Ok(Number::Int(67_108_864)));
    assert_eq!(value(&answer, r#"opensips:byes_ok{group="series window=60 slots=6"}"#), Ok(Number::Int(100)));
    assert_eq!(answer.started_at_ms, Some(answer.at_ms - 113_000));
    let kinds = source.kinds().await.unwrap();
    assert_eq!(kinds.len(), answer.names.len());
    assert!(kinds.contains(&(r#"opensips:script_counter{group="script"}"#.into(), Kind::Counter)));
    assert!(kinds.contains(&(r#"opensips:script_gauge{group="script"}"#.into(), Kind::Gauge)));
    assert!(server.seen().iter().all(|request| request.header("accept").is_some_and(|types| types.contains("text/plain"))));
}

#[tokio::test]
async fn metrics_without_types_and_with_times() {
    let server = Replay::start(|request| request.recorded("kamailio-5.6/metrics")).await;
    let answer = at(BoxKind::Prometheus, &format!("prometheus+http://{}/metrics", server.address)).poll().await.unwrap();
    assert_eq!(value(&answer, "kamailio:core_drop_replies"), Ok(Number::Int(0)));
    assert_eq!((answer.left_out, answer.started_at_ms), (None, None));
}

#[tokio::test]
async fn the_start_of_an_exporter() {
    let started_s = now_ms() / 1000 - 1000;
    let text = format!("process_start_time_seconds {started_s}.5\nx_y{{a=\"1\"}} 1\nx_y{{a=\"1\"}} 2\n");
    let server = Replay::start(move |_| ok(&text)).await;
    let answer = at(BoxKind::Prometheus, &format!("prometheus+http://{}/metrics", server.address)).poll().await.unwrap();
    assert_eq!(answer.started_at_ms, Some(started_s * 1000 + 500));
    assert_eq!(value(&answer, r#"x:y{a="1"}"#), Err(Unknown::Ambiguous));
}

/// Every dialect fails in the same ways, whatever it is made of.
#[tokio::test]
async fn hazards_of_every_dialect() {
    let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let bomb = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 10\r\n\r\n\u{1f}\u{b}\u{8}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{3}";
    let chunk = [b"10000\r\n".as_slice(), &[b'<'; 0x10000], b"\r\n"].concat();
    type Way = Box<dyn Fn() -> Action + Send + Sync>;
    let ways: [(&str, Way); 8] = [
        ("too_large", Box::new(move || Action::Flood(head.into(), chunk.clone()))),
        ("too_large", Box::new(|| Action::Last("HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n{".into()))),
        ("timeout", Box::new(move || Action::Answer(format!("{head}1\r\n{{\r\n")))),
        ("timeout", Box::new(|| Action::Drip("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n".into(), b'<'))),
        ("timeout", Box::new(|| Action::Silence)),
        ("closed", Box::new(move || Action::Reset(format!("{head}5\r\n{{\"a")))),
        ("protocol", Box::new(move || Action::Answer(bomb.into()))),
        ("protocol", Box::new(|| ok("<html>Hi</html>\n"))),
    ];
    for (expect, way) in ways {
        let server = Replay::start(move |_| way()).await;
        for (kind, scheme) in [(BoxKind::Opensips2, ""), (BoxKind::Opensips, "xmlrpc+"), (BoxKind::Prometheus, "prometheus+")] {
            let time_limit = if expect == "timeout" { std::time::Duration::from_millis(300) } else { PATIENT };
            let address = format!("{scheme}http://{}/x", server.address).parse().unwrap();
            let mut source = Source::new(Target { kind, address, user: None, password: None, time_limit }).unwrap();
            let error = source.poll().await.unwrap_err();
            assert_eq!(error.kind(), expect, "{kind:?}: {error}");
        }
    }
}

/// An answer that is cut at any byte is no answer: never a wrong number.
#[tokio::test]
async fn cut_at_any_byte() {
    let xml = "<methodResponse><params><param><value><struct><member><name>a:b</name><value>512</value></member></struct></value></param></params></methodResponse>";
    for (kind, scheme, whole) in [
        (BoxKind::Opensips2, "", r#"{"a:b": "512", "a:c": "1024"}"#),
        (BoxKind::Opensips2, "xmlrpc+", xml),
        (BoxKind::Prometheus, "prometheus+", "# TYPE a_b gauge\na_b 512\na_c 1024\n"),
    ] {
        let cut = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let at_byte = std::sync::Arc::clone(&cut);
        let server = Replay::start(move |_| {
            let at_byte = at_byte.load(std::sync::atomic::Ordering::Relaxed);
            // Ended by closing, as HTTP/1.0 does: nothing else says that it is not whole.
            Action::Last(format!("HTTP/1.0 200 OK\r\n\r\n{}", &whole[..at_byte]))
        })
        .await;
        let mut source = at(kind, &format!("{scheme}http://{}/x", server.address));
        for at_byte in 0..=whole.len() {
            cut.store(at_byte, std::sync::atomic::Ordering::Relaxed);
            if let Ok(answer) = source.poll().await {
                let told = answer.names.iter().zip(&answer.values);
                let right = told.into_iter().all(|(name, value)| *value == Ok(Number::Int(if name.ends_with('b') { 512 } else { 1024 })));
                assert!(right, "{}", &whole[..at_byte]);
            }
        }
    }
}
