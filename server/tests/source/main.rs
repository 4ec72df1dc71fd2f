//! The source against servers that answer with recorded bytes, and against every way in which a server can hurt its client.

#![expect(clippy::unwrap_used, reason = "a test may panic, also in what it calls")]

mod bad;
mod corpora;
mod datagrams;
mod faults;
mod fifos;
mod hostile;
mod local;
mod probe;
mod real;
mod replay;
mod resets;
mod tls;
mod wires;

use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use app::model::{BoxKind, Kind, Number, split_name};
use replay::{Action, Replay, Request};
use server::catalogue;
use server::source::{Answer, Reading, Secret, Source, Target, Unknown};

/// Long enough never to be reached where an answer is expected.
const PATIENT: Duration = Duration::from_secs(60);

fn source(kind: BoxKind, server: &Replay, path: &str) -> Source {
    source_with(kind, server, path, None, PATIENT)
}

fn source_with(kind: BoxKind, server: &Replay, path: &str, login: Option<(&str, &str)>, time_limit: Duration) -> Source {
    Source::new(Target {
        kind,
        address: format!("http://{}{path}", server.address).parse().unwrap(),
        user: login.map(|(user, _)| user.to_owned()),
        password: login.map(|(_, password)| Secret(password.to_owned())),
        time_limit,
    })
    .unwrap()
}

#[track_caller]
fn value(answer: &Answer, name: &str) -> Reading {
    answer.values[answer.names.iter().position(|known| &**known == name).unwrap()]
}

fn now_ms() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

/// OpenSIPS 4.0.1 as it was recorded.
fn opensips(request: &Request) -> Action {
    if !request.line.starts_with("POST /mi") {
        return request.recorded("opensips-4.0/path_unknown");
    }
    match request.method().as_str() {
        "get_statistics" => request.recorded("opensips-4.0/get_all_named"),
        "list_statistics" => request.recorded("opensips-4.0/list_all"),
        "version" => request.recorded("opensips-4.0/cmd_version"),
        "uptime" => request.recorded("opensips-4.0/cmd_uptime"),
        _ => request.recorded("opensips-4.0/unknown_method"),
    }
}

/// Kamailio 5.6.3 as it was recorded.
fn kamailio(request: &Request) -> Action {
    if !request.line.starts_with("POST /RPC") {
        return request.recorded("kamailio-5.6/get_notfound");
    }
    match request.method().as_str() {
        "stats.fetchn" => request.recorded("kamailio-5.6/fetchn_all"),
        "core.uptime" => request.recorded("kamailio-5.6/core_uptime"),
        "core.version" => request.recorded("kamailio-5.6/core_version"),
        _ => request.recorded("kamailio-5.6/unknown_method"),
    }
}

#[tokio::test]
async fn opensips_is_polled() {
    let server = Replay::start(opensips).await;
    let mut source = source(BoxKind::Opensips, &server, "/mi");
    let before = now_ms();
    let first = source.poll().await.unwrap();
    let second = source.poll().await.unwrap();

    assert!((before..=now_ms()).contains(&first.at_ms) && first.at_ms <= second.at_ms);
    assert_eq!(first.started_at_ms, Some(first.at_ms - 80_000));
    assert_eq!((first.names.len(), first.values.len()), (187, 187));
    assert_eq!(value(&first, "core:rcv_requests"), Ok(Number::Int(6523)));
    assert_eq!(value(&first, "dynamic:negative_stat"), Err(Unknown::Inexact));
    assert!(Arc::ptr_eq(&first.names, &second.names));

    let seen = server.seen();
    assert_eq!(server.methods(), ["get_statistics", "get_statistics"], "nothing else is asked at a poll");
    assert!(seen.iter().all(|request| request.connection == 0 && request.body.len() < 1024 && request.line == "POST /mi"));
    assert_eq!(seen[0].header("content-type"), Some("application/json"));
    assert_eq!((seen[0].json()["id"].as_i64(), seen[1].json()["id"].as_i64()), (Some(1), Some(2)));
}

#[tokio::test]
async fn opensips_tells_kinds_and_version() {
    let server = Replay::start(opensips).await;
    let mut source = source(BoxKind::Opensips, &server, "/mi");
    // In a task of its own, as the sampler has it.
    let (name, kinds) = tokio::spawn(async move { (source.server().await, source.kinds().await) }).await.unwrap();
    assert_eq!(name.unwrap(), "OpenSIPS 4.0.1");
    let kinds = kinds.unwrap();
    assert_eq!(kinds.len(), 187);
    assert!(kinds.contains(&("core:rcv_requests".into(), Kind::Counter)));
    assert!(kinds.contains(&("dialog:active_dialogs".into(), Kind::Gauge)));
}

#[tokio::test]
async fn kamailio_is_polled() {
    let server = Replay::start(kamailio).await;
    let mut source = source(BoxKind::Kamailio, &server, "/RPC");
    let answer = source.poll().await.unwrap();
    assert_eq!(value(&answer, "script:packet_count"), Ok(Number::Int(800)));
    let started = answer.started_at_ms.unwrap();
    assert!((answer.at_ms - 1_495_000..=now_ms() - 1_495_000).contains(&started));
    assert_eq!(source.server().await.unwrap(), "Kamailio 5.6.3");
    assert!(source.kinds().await.unwrap().is_empty());
    assert_eq!(server.methods(), ["stats.fetchn", "core.uptime", "core.version"]);
    assert!(server.seen().iter().all(|request| request.connection == 0));
}

#[tokio::test]
async fn every_name_of_a_recorded_kamailio_is_in_the_catalogue() {
    for capture in ["kamailio-5.6/fetchn_all", "kamailio-5.6/fetchn_registered"] {
        let server = Replay::start(move |request| match request.method().as_str() {
            "stats.fetchn" => request.recorded(capture),
            _ => kamailio(request),
        })
        .await;
        let answer = source(BoxKind::Kamailio, &server, "/RPC").poll().await.unwrap();
        let known = |full: &str| {
            let (group, name) = split_name(full);
            catalogue::lookup(BoxKind::Kamailio, group, name).is_some()
        };
        let unknown: Vec<_> = answer.names.iter().filter(|full| !known(full)).collect();
        assert!(answer.names.len() > 150 && unknown.is_empty(), "{capture}: {unknown:?}");
    }
}

#[tokio::test]
async fn an_uptime_that_is_refused_is_not_asked_again() {
    let server = Replay::start(|request| match request.method().as_str() {
        "core.uptime" => request.recorded("kamailio-5.6/unknown_method"),
        _ => kamailio(request),
    })
    .await;
    let mut source = source(BoxKind::Kamailio, &server, "/RPC");
    assert_eq!(source.poll().await.unwrap().started_at_ms, None);
    assert_eq!(source.poll().await.unwrap().started_at_ms, None);
    assert_eq!(server.methods(), ["stats.fetchn", "core.uptime", "stats.fetchn"]);
}

#[tokio::test]
async fn an_uptime_that_does_not_come_costs_no_values() {
    let server = Replay::start(|request| match request.method().as_str() {
        "core.uptime" => Action::Silence,
        _ => kamailio(request),
    })
    .await;
    let mut source = source_with(BoxKind::Kamailio, &server, "/RPC", None, Duration::from_millis(500));
    let answer = source.poll().await.unwrap();
    assert_eq!((answer.started_at_ms, answer.values.len()), (None, answer.names.len()));
}

#[tokio::test]
async fn opensips_without_its_timestamp_is_asked_for_the_uptime() {
    let server = Replay::start(|request| match request.method().as_str() {
        "get_statistics" => request.result(r#"{"shmem:total_size":1}"#),
        _ => opensips(request),
    })
    .await;
    let answer = source(BoxKind::Opensips, &server, "/mi").poll().await.unwrap();
    let started = answer.started_at_ms.unwrap();
    assert!((answer.at_ms - 81_000..=now_ms() - 81_000).contains(&started));
}

#[tokio::test]
async fn what_two_groups_call_the_same_is_asked_by_group() {
    let server = Replay::start(|request| match request.json()["params"]["statistics"][0].as_str() {
        Some("all") => request.result(r#"{"a:b:c":1,"core:timestamp":5,"a:b:c":2,"z:x:y":3,"z:x:y":4}"#),
        Some("a:") => request.result(r#"{"a:b:c":1}"#),
        Some("z:") => request.result("{}"),
        other => panic!("{other:?}"),
    })
    .await;
    let answer = source(BoxKind::Opensips, &server, "/mi").poll().await.unwrap();
    assert_eq!(answer.values, [Ok(Number::Int(1)), Ok(Number::Int(5)), Err(Unknown::Ambiguous)]);
    assert_eq!(answer.started_at_ms, Some(answer.at_ms - 5000));
    assert_eq!(server.seen().len(), 3);
}

#[tokio::test]
async fn kamailio_tells_negative_values_with_all_digits() {
    // Recorded from a real one: -10 by `stats.fetchn` and by `stats.fetch`.
    let server = Replay::start(|request| match request.method().as_str() {
        "stats.fetchn" => request.result(r#"{"core.x":1,"script.keep_me":18446744073709551616}"#),
        "stats.fetch" if request.json()["params"][0] == "script:" => request.result(r#"{"script.keep_me":"18446744073709551606"}"#),
        _ => kamailio(request),
    })
    .await;
    let answer = source(BoxKind::Kamailio, &server, "/RPC").poll().await.unwrap();
    assert_eq!(value(&answer, "script:keep_me"), Ok(Number::Int(-10)));
}

#[tokio::test]
async fn no_statistics_is_an_answer() {
    let server = Replay::start(|request| match request.method().as_str() {
        "get_statistics" => request.recorded("opensips-4.0/reset_unknown"),
        _ => opensips(request),
    })
    .await;
    assert!(source(BoxKind::Opensips, &server, "/mi").poll().await.unwrap().names.is_empty());
}

#[tokio::test]
async fn a_password() {
    let server = Replay::start(|request| match request.header("authorization") {
        Some("Basic YWRtaW46czNjcmV0") => request.recorded("opensips-4.0/auth_ok_pretty"),
        _ => request.recorded("opensips-4.0/auth_none"),
    })
    .await;
    let with = |login| source_with(BoxKind::Opensips, &server, "/mi", login, PATIENT);
    assert_eq!(with(None).server().await.unwrap_err().kind(), "password");
    let error = with(Some(("admin", "wrong"))).poll().await.unwrap_err();
    assert_eq!(error.kind(), "password");
    assert!(!error.to_string().contains("wrong"));
    assert_eq!(with(Some(("admin", "s3cret"))).server().await.unwrap(), "OpenSIPS 4.0.1");
}
