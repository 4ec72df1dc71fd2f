//! Setting counters to zero, on servers that behave as the recordings say: they take names without groups, say OK to what they do not
//! do, and answer nothing else than the truth when they are read again.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use app::model::{BoxKind, Kind};
use server::source::{Refused, Resetting, Source};

use super::{
    local::{Command, FifoServer, Framing, Reply},
    replay::{Action, Replay, Request, ok},
    source, source_with,
};

/// A statistic of a server.
#[derive(Clone)]
struct Statistic {
    full: String,
    value: i64,
    /// Whether a reset has an effect.
    yields: bool,
}

/// What a server has, in the order in which it was registered.
#[derive(Clone, Default)]
struct Registered(Arc<Mutex<Vec<Statistic>>>);

impl Registered {
    fn of(statistics: &[(&str, i64, bool)]) -> Self {
        let statistics = statistics.iter().map(|&(full, value, yields)| Statistic { full: full.to_owned(), value, yields });
        Self(Arc::new(Mutex::new(statistics.collect())))
    }

    /// The places that an argument reaches: a group's, all, or the first of a name.
    fn reach(&self, word: &str) -> Vec<usize> {
        let statistics = self.0.lock().unwrap();
        let split = |place: &usize| statistics[*place].full.split_once(':').unwrap();
        let mut places = 0..statistics.len();
        match word.strip_suffix(':') {
            _ if word == "all" => places.collect(),
            Some(group) => places.filter(|place| split(place).0 == group).collect(),
            None => places.find(|place| split(place).1 == word).into_iter().collect(),
        }
    }

    /// Names and values that arguments reach.
    fn get(&self, words: &[String]) -> Vec<(String, i64)> {
        let places: Vec<usize> = words.iter().flat_map(|word| self.reach(word)).collect();
        let statistics = self.0.lock().unwrap();
        places.into_iter().map(|place| (statistics[place].full.clone(), statistics[place].value)).collect()
    }

    /// Sets to zero what yields; says whether any was found. Groups and "all" are not taken.
    fn reset(&self, words: &[String]) -> bool {
        let single = words.iter().filter(|word| !word.ends_with(':') && *word != "all");
        let places: Vec<usize> = single.flat_map(|word| self.reach(word)).collect();
        let mut statistics = self.0.lock().unwrap();
        for &place in places.iter().filter(|&&place| statistics[place].yields).collect::<Vec<_>>() {
            statistics[place].value = 0;
        }
        !places.is_empty()
    }

    fn value(&self, full: &str) -> i64 {
        self.0.lock().unwrap().iter().find(|one| one.full == full).unwrap().value
    }

    /// As OpenSIPS 4.0.1.
    fn opensips(&self, request: &Request) -> Action {
        let words: Vec<String> = serde_json::from_value(request.json()["params"]["statistics"].clone()).unwrap_or_default();
        match request.method().as_str() {
            "get_statistics" => {
                let pairs = self.get(&words).into_iter().map(|(name, value)| (name, value.into()));
                request.result(&serde_json::Value::Object(pairs.collect()).to_string())
            }
            "reset_statistics" if self.reset(&words) => request.recorded("opensips-4.0/reset_incremental"),
            "reset_statistics" => request.recorded("opensips-4.0/reset_group"),
            "uptime" => request.recorded("opensips-4.0/cmd_uptime"),
            _ => request.recorded("opensips-4.0/unknown_method"),
        }
    }
}

fn kind(full: &str) -> Kind {
    if full.contains("level") || full.contains("size") && full.starts_with("shmem") { Kind::Gauge } else { Kind::Counter }
}

/// Resets as the panel and the command line do.
async fn reset(source: &mut Source, names: &[&str]) -> (Vec<String>, Vec<(String, String)>) {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut resetting = Resetting::new(&source.poll().await.unwrap(), &names, kind);
    while resetting.goes_on() {
        source.reset(&mut resetting).await;
        match source.poll().await {
            Ok(answer) => drop(resetting.check(&answer)),
            Err(error) => resetting.give_up(&error.to_string()),
        }
    }
    let (reset, refused) = resetting.end();
    (reset, refused.into_iter().map(|Refused { name, reason }| (name, reason)).collect())
}

#[track_caller]
fn check_reason(refused: &[(String, String)], name: &str, part: &str) {
    let reason = refused.iter().find(|(refused, _)| refused == name).map(|(_, reason)| reason.as_str());
    assert!(reason.is_some_and(|reason| reason.contains(part)), "{name}: {reason:?}");
}

#[tokio::test]
async fn a_reset_is_what_was_read_again_and_no_other_statistic_is_touched() {
    let registered = Registered::of(&[
        ("shmem:total_size", 67_108_864, true),
        ("core:rcv_requests", 6_540, true),
        ("packet:count", 12_784, true),
        ("packet:total_size", 4_866_637, true),
        ("dialog:level", 20, false),
        ("script:keep_me", 7, false),
        ("script:negative", -5, true),
        ("script:zero", 0, true),
    ]);
    let answering = registered.clone();
    let server = Replay::start(move |request| answering.opensips(request)).await;
    let mut source = source(BoxKind::Opensips, &server, "/mi");
    let names = [
        "core:rcv_requests",
        "packet:count",
        "packet:total_size",
        "dialog:level",
        "script:keep_me",
        "script:negative",
        "script:zero",
        "core:nothing",
        "rcv_requests",
        "core:rcv_requests",
    ];
    let (reset, refused) = reset(&mut source, &names).await;
    assert_eq!(reset, ["core:rcv_requests", "packet:count", "script:negative", "script:zero"]);
    assert_eq!(refused.len(), 5, "{refused:?}");
    check_reason(&refused, "packet:total_size", "total_size alone reaches shmem:total_size");
    check_reason(&refused, "dialog:level", "gauge");
    check_reason(&refused, "script:keep_me", "still 7");
    check_reason(&refused, "core:nothing", "no such statistic");
    check_reason(&refused, "rcv_requests", "no such statistic");
    assert_eq!(registered.value("shmem:total_size"), 67_108_864);
    assert_eq!(registered.value("packet:total_size"), 4_866_637);
    assert_eq!(registered.value("core:rcv_requests"), 0);
}

#[tokio::test]
async fn many_are_told_in_requests_that_the_server_takes() {
    let names: Vec<String> = (0..300).map(|number| format!("group_{}:a_long_name_of_a_statistic_{number}", number % 7)).collect();
    let statistics: Vec<_> = names.iter().map(|name| (name.as_str(), 5, true)).collect();
    let registered = Registered::of(&statistics);
    let answering = registered.clone();
    let server = Replay::start(move |request| {
        assert!(request.body.len() <= 1024, "{}", request.body);
        answering.opensips(request)
    })
    .await;
    let mut source = source(BoxKind::Opensips, &server, "/mi");
    let words: Vec<&str> = names.iter().map(String::as_str).collect();
    let (reset, refused) = reset(&mut source, &words).await;
    assert_eq!((reset, refused), (names.clone(), vec![]));
    assert!(names.iter().all(|name| registered.value(name) == 0));
}

#[tokio::test]
async fn what_cannot_be_said_is_refused() {
    let long = format!("script:{}", "x".repeat(2_000));
    let registered = Registered::of(&[("script:all", 1, true), ("script:a:", 1, true), ("script:", 1, true), (&long, 1, true)]);
    let answering = registered.clone();
    let server = Replay::start(move |request| answering.opensips(request)).await;
    let mut source = source(BoxKind::Opensips, &server, "/mi");
    let (reset, refused) = reset(&mut source, &["script:all", "script:a:", "script:", &long]).await;
    assert_eq!(reset, [] as [&str; 0]);
    for name in ["script:all", "script:a:", "script:", &long] {
        check_reason(&refused, name, "cannot be said");
    }
    assert!(!server.methods().contains(&"reset_statistics".to_owned()), "{:?}", server.methods());
}

#[tokio::test]
async fn an_answer_that_is_lost_is_found_by_reading_again() {
    for does_it in [true, false] {
        let registered = Registered::of(&[("core:rcv_requests", 50, true), ("core:rcv_replies", 60, true)]);
        let answering = registered.clone();
        let server = Replay::start(move |request| {
            if request.method() != "reset_statistics" {
                return answering.opensips(request);
            }
            if does_it {
                drop(answering.opensips(request));
            }
            Action::Silence
        })
        .await;
        let mut source = source_with(BoxKind::Opensips, &server, "/mi", None, Duration::from_millis(300));
        let (reset, refused) = reset(&mut source, &["core:rcv_requests"]).await;
        if does_it {
            assert_eq!((reset, refused), (vec!["core:rcv_requests".to_owned()], vec![]));
        } else {
            assert_eq!(reset, [] as [&str; 0]);
            check_reason(&refused, "core:rcv_requests", "still 50");
        }
    }
}

#[tokio::test]
async fn a_server_that_refuses_says_why() {
    let registered = Registered::of(&[("core:rcv_requests", 50, true)]);
    let server = Replay::start(move |request| match request.method().as_str() {
        "reset_statistics" => request.recorded("opensips-4.0/unknown_method"),
        _ => registered.opensips(request),
    })
    .await;
    let mut source = source(BoxKind::Opensips, &server, "/mi");
    let (_, refused) = reset(&mut source, &["core:rcv_requests"]).await;
    check_reason(&refused, "core:rcv_requests", "Method not found");
}

#[tokio::test]
async fn opensips_2_by_http_and_by_fifo() {
    let registered = Registered::of(&[("script:script_counter", 9, true), ("script:b c", 8, true)]);
    let answering = registered.clone();
    let server = Replay::start(move |request| {
        let (path, query) = request.line.split_once('?').unwrap_or((&request.line, ""));
        let words: Vec<String> = query.trim_start_matches("params=").split(',').map(|word| word.replace("%20", " ")).collect();
        let words: Vec<String> = words.into_iter().map(|word| word.replace("%5F", "_").replace("%3A", ":")).collect();
        match path {
            "GET /json/get_statistics" => {
                let pairs = answering.get(&words).into_iter().map(|(name, value)| (name, value.to_string().into()));
                ok(&serde_json::Value::Object(pairs.collect()).to_string())
            }
            "GET /json/reset_statistics" if answering.reset(&words) => request.recorded_last("opensips-2.4/json_reset"),
            "GET /json/reset_statistics" => request.recorded_last("opensips-2.4/json_reset_unknown"),
            _ => request.recorded_last("opensips-2.4/json_cmd_uptime"),
        }
    })
    .await;
    let both = ["script:script_counter", "script:b c"];
    let expect = (both.map(str::to_owned).to_vec(), vec![]);
    assert_eq!(reset(&mut source(BoxKind::Opensips2, &server, "/json"), &both).await, expect);

    let registered = Registered::of(&[("script:script_counter", 9, true), ("script:b c", 8, true)]);
    let folder = tempfile::tempdir().unwrap();
    let recorded = |name: &str| std::fs::read(format!("{}/tests/captures/opensips-2.4/{name}.resp", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let (done, unknown, uptime) = (recorded("fifo_reset"), recorded("fifo_reset_unknown"), recorded("fifo_uptime"));
    let _server = FifoServer::start(folder.path(), Framing::Text, move |command: &Command| match command.method.as_str() {
        "get_statistics" => {
            let lines = registered.get(&command.arguments).into_iter().map(|(name, value)| format!("{name}:: {value}\n"));
            Reply::Text(format!("200 OK\n{}\n", lines.collect::<String>()).into_bytes())
        }
        "reset_statistics" if registered.reset(&command.arguments) => Reply::Text(done.clone()),
        "reset_statistics" => Reply::Text(unknown.clone()),
        _ => Reply::Text(uptime.clone()),
    });
    let address = format!("fifo:{0}/fifo?reply_dir={0}&dialect=2", folder.path().display());
    let target = server::source::Target {
        kind: BoxKind::Opensips2,
        address: address.parse().unwrap(),
        user: None,
        password: None,
        time_limit: super::PATIENT,
    };
    assert_eq!(reset(&mut Source::new(target).unwrap(), &both).await, expect);
}

#[tokio::test]
async fn metrics_are_only_read() {
    let server = Replay::start(super::wires::metrics).await;
    let mut source = super::wires::at(BoxKind::Prometheus, &format!("prometheus+http://{}/metrics", server.address));
    let answer = source.poll().await.unwrap();
    let name = answer.names.iter().find(|name| kind(name) == Kind::Counter).unwrap().to_string();
    let (_, refused) = reset(&mut source, &[&name]).await;
    check_reason(&refused, &name, "only read");
}
