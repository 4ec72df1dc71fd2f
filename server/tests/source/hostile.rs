//! Servers that mean ill, or are so broken that one could think so.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use app::model::{BoxKind, Number};

use super::{
    PATIENT,
    bad::{BAD, NAME, WRONG},
    opensips,
    replay::{Action, Replay, ok},
    source, source_with, value,
};

/// Passes soon; whatever lasts until then is a timeout.
const SOON: Duration = Duration::from_millis(60);

#[tokio::test]
async fn every_bad_answer_fails_in_its_way() {
    for bad in BAD {
        let server = Replay::start(bad.script).await;
        let limit = if bad.kind == "timeout" { SOON } else { PATIENT };
        let mut source = source_with(BoxKind::Opensips, &server, "/mi", None, limit);
        for poll in 0..2 {
            let error = source.poll().await.expect_err(bad.how);
            assert_eq!(error.kind(), bad.kind, "{}, poll {poll}: {error}", bad.how);
            let sentence = error.to_string();
            assert!(sentence.len() < 600 && !sentence.contains(char::is_control), "{}: {sentence:?}", bad.how);
            assert!(!sentence.contains(&WRONG.to_string()), "{}: {sentence}", bad.how);
        }
        // Nothing is asked for compressed: what unpacks to more than it is cannot come.
        assert!(server.seen().iter().all(|request| request.header("accept-encoding").is_none()));
    }
}

/// A way to frame a body in HTTP.
type Framing = fn(&str) -> String;

const FRAMINGS: [Framing; 3] = [
    |body| format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()),
    |body| format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n", body.len()),
    |body| format!("HTTP/1.0 200 OK\r\n\r\n{body}"),
];

/// A recorded answer, with another id.
fn recorded(id: usize) -> String {
    let whole = include_str!("../captures/opensips-4.0/get_duplicates.resp");
    whole.split_once("\r\n\r\n").unwrap().1.trim_end().replace("\"id\":19", &format!("\"id\":{id}"))
}

#[tokio::test]
async fn an_answer_cut_at_any_byte_is_no_answer() {
    for framing in FRAMINGS {
        for reset in [false, true] {
            // The id counts the polls: it is where the answer is cut.
            let server = Replay::start(move |request| {
                let id = usize::try_from(request.json()["id"].as_i64().unwrap()).unwrap();
                let mut part = framing(&recorded(id));
                part.truncate(id - 1);
                if reset { Action::Reset(part) } else { Action::Last(part) }
            })
            .await;
            let mut source = source(BoxKind::Opensips, &server, "/mi");
            for id in 1.. {
                let answered = source.poll().await;
                if id - 1 < framing(&recorded(id)).len() {
                    let answer = answered.map(|answer| answer.values);
                    assert!(answer.is_err(), "cut after {} bytes, reset {reset}: {answer:?}", id - 1);
                } else {
                    // Whole, but for how the connection ends.
                    assert!(reset || value(&answered.unwrap(), NAME) == Ok(Number::Int(6529)));
                    break;
                }
            }
        }
    }
}

#[tokio::test]
async fn a_connection_that_lags_behind_is_given_up() {
    // On the first connection each answer is that of the request before, as after a stray answer.
    let server = Replay::start(|request| match (request.connection, request.json()["id"].as_i64().unwrap()) {
        (0, id) => ok(&format!(r#"{{"jsonrpc":"2.0","result":{{"core:timestamp":80,"{NAME}":{WRONG}}},"id":{}}}"#, id - 1)),
        _ => opensips(request),
    })
    .await;
    let mut source = source(BoxKind::Opensips, &server, "/mi");
    assert_eq!(source.poll().await.unwrap_err().kind(), "protocol");
    assert_eq!(value(&source.poll().await.unwrap(), NAME), Ok(Number::Int(6523)));
    assert_eq!(server.seen().iter().map(|request| request.connection).collect::<Vec<_>>(), [0, 1]);
}

#[tokio::test]
async fn an_answer_that_nobody_asked_for_is_not_taken() {
    // After each answer comes another one, of an earlier request.
    let server = Replay::start(|request| {
        let Action::Answer(answer) = opensips(request) else { unreachable!() };
        let Action::Answer(stray) = request.result(&format!(r#"{{"core:timestamp":80,"{NAME}":{WRONG}}}"#)) else { unreachable!() };
        Action::Answer(format!("{answer}{stray}"))
    })
    .await;
    let mut source = source(BoxKind::Opensips, &server, "/mi");
    let mut answered = 0;
    for _ in 0..50 {
        // It may spoil the next answer; it must not be taken for it.
        if let Ok(answer) = source.poll().await {
            assert_eq!(value(&answer, NAME), Ok(Number::Int(6523)));
            answered += 1;
        }
    }
    assert!(answered > 0);
}

#[tokio::test]
async fn what_is_not_kept_may_be_of_any_size() {
    let many = vec!["[0,{\"a\":0}]"; 100_000].join(",");
    let bodies = [
        format!(r#"{{"jsonrpc":"2.0","result":{{"{NAME}":1}},"id":[{many}]}}"#),
        format!(r#"{{"jsonrpc":"2.0","result":{{"{NAME}":[{many}]}},"id":1}}"#),
        format!(r#"{{"other":[{many}],"result":[{many}],"id":1}}"#),
    ];
    for body in bodies {
        let server = Replay::start(move |_| ok(&body)).await;
        assert_eq!(source(BoxKind::Opensips, &server, "/mi").poll().await.unwrap_err().kind(), "protocol");
    }
    // A name and a time are short: the rest of such an answer is not even read.
    let server = Replay::start(move |request| request.result(&format!(r#"{{"Server":"OpenSIPS (4.0.1)","more":[{many}]}}"#))).await;
    assert_eq!(source(BoxKind::Opensips, &server, "/mi").server().await.unwrap_err().kind(), "too_large");
}

#[tokio::test]
async fn a_very_large_answer_is_read_like_any_other() {
    const COUNT: usize = 50_000;
    let polls = AtomicUsize::new(0);
    let server = Replay::start(move |request| {
        let poll = polls.fetch_add(1, Ordering::Relaxed);
        let pairs: Vec<String> = (0..COUNT).map(|n| format!("\"g{}:name_{n}\":{}", n % 50, n + poll)).collect();
        request.result(&format!("{{\"core:timestamp\":80,{}}}", pairs.join(",")))
    })
    .await;
    let mut source = source(BoxKind::Opensips, &server, "/mi");
    let first = source.poll().await.unwrap();
    let second = source.poll().await.unwrap();
    assert_eq!((first.values.len(), second.values[COUNT]), (COUNT + 1, Ok(Number::Int(i64::try_from(COUNT).unwrap()))));
    assert!(std::sync::Arc::ptr_eq(&first.names, &second.names));
}

#[tokio::test]
async fn a_name_beyond_the_bound_is_said_and_costs_nothing_else() {
    let server = Replay::start(|request| {
        let long = "x".repeat(20_000);
        request.result(&format!(r#"{{"core:timestamp":80,"script:{long}":{WRONG},"{NAME}":1}}"#))
    })
    .await;
    let answer = source(BoxKind::Opensips, &server, "/mi").poll().await.unwrap();
    assert_eq!(answer.names.iter().map(|name| &**name).collect::<Vec<_>>(), ["core:timestamp", NAME]);
    assert!(answer.left_out.unwrap().contains("script:xxx"));
}
