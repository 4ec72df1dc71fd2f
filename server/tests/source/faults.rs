//! How a server can hurt its client.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use app::model::BoxKind;
use server::source::{Source, Target, probe};

use super::{
    opensips,
    replay::{Action, BlackHole, Replay, Request, ok},
    source, source_with,
};

/// Polls a server of this behaviour once; it must fail in this way, in a sentence.
async fn check(script: impl Fn(&Request) -> Action + Send + Sync + 'static, kind: &str) -> String {
    let server = Replay::start(script).await;
    let error = source(BoxKind::Opensips, &server, "/mi").poll().await.unwrap_err();
    assert_eq!(error.kind(), kind, "{error}");
    error.to_string()
}

#[tokio::test]
async fn refusals_whose_bodies_never_end() {
    // These announce chunks and never send the last one: the limit of a minute would pass.
    check(|request| request.recorded("opensips-4.0/get_mi"), "status").await;
    check(|request| request.recorded("opensips-4.0/empty_body"), "wrong_path").await;
    check(|request| request.recorded("opensips-4.0/no_id_notification"), "protocol").await;
    let sentence = check(|request| request.recorded("opensips-4.0/tls_get_all_bufsize4096"), "status").await;
    assert!(sentence.contains("buf_size"), "{sentence}");
}

#[tokio::test]
async fn a_connection_with_an_unread_body_is_dropped() {
    let refused = AtomicUsize::new(0);
    let server = Replay::start(move |request| match refused.fetch_add(1, Ordering::Relaxed) {
        0 => request.recorded("opensips-4.0/tls_get_all_bufsize4096"),
        _ => opensips(request),
    })
    .await;
    let mut source = source(BoxKind::Opensips, &server, "/mi");
    source.poll().await.unwrap_err();
    source.poll().await.unwrap();
    assert_eq!(server.seen().iter().map(|request| request.connection).collect::<Vec<_>>(), [0, 1]);
}

#[tokio::test]
async fn a_wrong_path() {
    let sentence = check(|request| request.recorded("opensips-4.0/path_unknown"), "wrong_path").await;
    assert!(sentence.contains("/mi"), "{sentence}");
}

#[tokio::test]
async fn what_is_no_answer() {
    check(|_| ok(""), "protocol").await;
    check(|_| ok("<html></html>"), "protocol").await;
    check(|_| ok("{\"jsonrpc\":"), "protocol").await;
    check(|request| request.result("\"OK\""), "protocol").await;
    check(|request| request.result("[1]"), "protocol").await;
    check(|request| request.recorded("opensips-2.4/json_post_jsonrpc_to_mi"), "protocol").await;
    check(|request| request.recorded("opensips-2.4/json_post_json"), "protocol").await;
    check(|request| request.recorded("opensips-4.0/unknown_method"), "protocol").await;
    check(|request| request.recorded("opensips-4.0/malformed_json"), "protocol").await;
    check(|_| Action::Last("not HTTP at all\r\n\r\n".into()), "closed").await;
}

#[tokio::test]
async fn another_requests_answer() {
    let sentence = check(|_| ok(r#"{"jsonrpc":"2.0","result":{"a:b":1},"id":2147483647}"#), "protocol").await;
    assert!(sentence.contains("another request"), "{sentence}");
}

#[tokio::test]
async fn a_server_that_never_answers() {
    let limit = Duration::from_millis(50);
    let server = Replay::start(|_| Action::Silence).await;
    let mut source = source_with(BoxKind::Opensips, &server, "/mi", None, limit);
    assert_eq!(source.poll().await.unwrap_err().kind(), "timeout");
    assert_eq!(source.kinds().await.unwrap_err().kind(), "timeout");
    assert_eq!(source.server().await.unwrap_err().kind(), "timeout");
}

#[tokio::test]
async fn a_server_that_never_ends_its_answer() {
    let server = Replay::start(|_| Action::Answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n".into())).await;
    let mut source = source_with(BoxKind::Opensips, &server, "/mi", None, Duration::from_millis(50));
    assert_eq!(source.poll().await.unwrap_err().kind(), "timeout");
}

#[tokio::test]
async fn an_answer_that_breaks_off() {
    let half = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{\"jsonrpc\":\"2.0\",\"result\":{\"core:rcv";
    check(move |_| Action::Last(half.into()), "closed").await;
}

#[tokio::test]
async fn a_first_request_that_is_not_answered_is_not_repeated() {
    let server = Replay::start(|_| Action::Last(String::new())).await;
    let error = source(BoxKind::Opensips, &server, "/mi").poll().await.unwrap_err();
    assert_eq!(error.kind(), "closed", "{error}");
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn an_idle_connection_that_was_closed_is_made_anew_once() {
    // The first connection answers once and is closed at the next request, as if it had been closed while that was under way.
    let server = Replay::start(|request| match (request.connection, request.json()["id"].as_i64()) {
        (0, Some(2)) => Action::Last(String::new()),
        _ => opensips(request),
    })
    .await;
    let mut source = source(BoxKind::Opensips, &server, "/mi");
    source.poll().await.unwrap();
    source.poll().await.unwrap();
    assert_eq!(server.seen().iter().map(|request| request.connection).collect::<Vec<_>>(), [0, 0, 1]);
}

#[tokio::test]
async fn a_server_that_keeps_closing_is_asked_twice_at_most() {
    let server = Replay::start(|request| match request.json()["id"].as_i64() {
        Some(1) => opensips(request),
        _ => Action::Last(String::new()),
    })
    .await;
    let mut source = source(BoxKind::Opensips, &server, "/mi");
    source.poll().await.unwrap();
    assert_eq!(source.poll().await.unwrap_err().kind(), "closed");
    assert_eq!(server.seen().len(), 3);
}

#[tokio::test]
async fn a_server_that_closes_after_each_answer_is_polled_all_the_same() {
    let server = Replay::start(|request| match opensips(request) {
        Action::Answer(bytes) => Action::Last(bytes),
        other => other,
    })
    .await;
    let mut source = source(BoxKind::Opensips, &server, "/mi");
    for _ in 0..5 {
        source.poll().await.unwrap();
    }
}

#[tokio::test]
async fn a_server_that_is_gone() {
    let server = Replay::start(opensips).await;
    let mut source = source(BoxKind::Opensips, &server, "/mi");
    source.poll().await.unwrap();
    let before = server.address;
    drop(server);
    // The server's task ends at its next step; only then is its port free.
    while tokio::net::TcpStream::connect(before).await.is_ok() {
        tokio::task::yield_now().await;
    }
    let error = source.poll().await.unwrap_err();
    assert_eq!(error.kind(), "unreachable", "{error}");
    assert!(error.to_string().contains("check host and port"), "{error}");
}

#[tokio::test]
async fn a_host_that_takes_no_connection_is_not_one_that_never_answers() {
    let hole = BlackHole::dig().await;
    let target = Target {
        kind: BoxKind::Opensips,
        address: format!("http://{}/mi", hole.address).parse().unwrap(),
        user: None,
        password: None,
        time_limit: Duration::from_millis(400),
    };
    let error = Source::new(target).unwrap().poll().await.unwrap_err();
    assert_eq!(error.kind(), "unreachable", "{error}");
    let report = probe(&hole.address.to_string(), None, None).await;
    assert!(report.message.contains("check the address, its network and firewall"), "{}", report.message);
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let other = Replay::start(move |request| {
        count.fetch_add(1, Ordering::Relaxed);
        opensips(request)
    })
    .await;
    let elsewhere = other.address;
    for status in ["301 Moved", "302 Found", "307 Temporary", "308 Permanent"] {
        let answer = format!("HTTP/1.1 {status}\r\nLocation: http://{elsewhere}/mi\r\nContent-Length: 0\r\n\r\n");
        check(move |_| Action::Answer(answer.clone()), "status").await;
    }
    assert_eq!(asked.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn answers_without_bounds() {
    check(|_| Action::Answer("HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n{".into()), "too_large").await;
    let chunk = [b"10000\r\n".as_slice(), &[b' '; 0x10000], b"\r\n"].concat();
    let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    check(move |_| Action::Flood(head.into(), chunk.clone()), "too_large").await;
    check(|_| Action::Flood("HTTP/1.1 200 OK\r\n".into(), b"X: y\r\n".to_vec()), "closed").await;
}
