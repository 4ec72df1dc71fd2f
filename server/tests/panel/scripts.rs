//! Scripts: by the API and by the clock, with a real receiver on loopback, and hostile ones.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, StatusCode as Status, Uri},
    response::{IntoResponse, Redirect, Response},
};
use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::Notify, time::timeout};

use crate::support::{LIMIT, Start, TestPanel};

pub(crate) const SCRIPTS: &str = "/cp/api/v1/scripts";
const UPDATE: &str = "/cp/api/v1/boxes/tickmark/update";

pub(crate) fn path(rest: &str) -> String {
    format!("{SCRIPTS}/{rest}")
}

impl TestPanel {
    pub(crate) async fn script(&self, name: &str, source: &str, schedule: Option<&str>) {
        let body = json!({"name": name, "source": source, "schedule": schedule});
        self.send(Method::POST, SCRIPTS, body, StatusCode::CREATED).await;
    }

    pub(crate) async fn run(&self, name: &str, body: Value) -> Value {
        self.send(Method::POST, &path(&format!("{name}/run")), body, StatusCode::OK).await
    }

    /// Runs a script that is new, and is removed afterwards.
    pub(crate) async fn once(&self, source: &str) -> Value {
        self.script("once", source, None).await;
        let done = self.run("once", json!({})).await;
        self.send(Method::DELETE, &path("once"), Value::Null, StatusCode::NO_CONTENT).await;
        done
    }

    pub(crate) async fn count(&self, name: &str, by: i64) {
        self.send(Method::POST, UPDATE, json!({"name": name, "by": by}), StatusCode::NO_CONTENT).await;
    }
}

/// Notes what is posted to it, and answers as it is told.
#[derive(Clone)]
struct Receiver {
    address: SocketAddr,
    got: Arc<Mutex<Vec<(String, HeaderMap, String)>>>,
    answers: Arc<Mutex<Vec<u16>>>,
    came: Arc<Notify>,
}

impl Receiver {
    async fn start(answers: &[u16]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let receiver = Self {
            address: listener.local_addr().unwrap(),
            got: Arc::default(),
            answers: Arc::new(Mutex::new(answers.iter().rev().copied().collect())),
            came: Arc::default(),
        };
        let router = Router::new().fallback(receive).with_state(receiver.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        receiver
    }

    fn url(&self, rest: &str) -> String {
        format!("http://{}/{rest}", self.address)
    }

    /// Waits until so much came.
    async fn until(&self, count: usize) -> Vec<(String, HeaderMap, String)> {
        let waiting = async {
            loop {
                let came = self.came.notified();
                let got = self.got.lock().unwrap().clone();
                if got.len() >= count {
                    return got;
                }
                came.await;
            }
        };
        timeout(LIMIT, waiting).await.expect("it comes")
    }
}

async fn receive(State(receiver): State<Receiver>, uri: Uri, headers: HeaderMap, body: String) -> Response {
    receiver.got.lock().unwrap().push((uri.path().to_owned(), headers, body));
    receiver.came.notify_waiters();
    receiver.came.notify_one();
    match uri.path() {
        "/json" => ([(header::CONTENT_TYPE, "application/json")], r#"{"a":[1,2.5]}"#).into_response(),
        "/elsewhere" => Redirect::temporary("/json").into_response(),
        "/large" => "x".repeat(2 << 20).into_response(),
        _ => {
            let status = receiver.answers.lock().unwrap().pop().unwrap_or(204);
            Status::from_u16(status).unwrap().into_response()
        }
    }
}

async fn reaching(receiver: &Receiver) -> TestPanel {
    Start::new().with_file(&format!("script_hosts = '{}'", receiver.address)).signed_in().await
}

#[tokio::test]
async fn scripts_are_kept_with_their_versions() {
    let panel = Start::new().signed_in().await;
    assert_eq!(panel.get(SCRIPTS).await, json!({"items": []}));
    let body = json!({"name": "tally", "source": "print(1)", "schedule": "every 86400"});
    let added = panel.send(Method::POST, SCRIPTS, body.clone(), StatusCode::CREATED).await;
    assert_eq!((&added["schedule"], &added["version"], &added["versions"][0]["by"]), (&json!("every 24h"), &json!(1), &json!("admin")));
    assert_eq!(added["next_due"].as_i64().unwrap() % 86_400_000, 0);
    panel.send(Method::POST, SCRIPTS, body, StatusCode::CONFLICT).await;
    let put = panel.send(Method::PUT, &path("tally"), json!({"source": "print(2)"}), StatusCode::OK).await;
    assert_eq!((&put["version"], &put["schedule"]), (&json!(2), &json!("every 24h")));
    let put = panel.send(Method::PUT, &path("tally"), json!({"schedule": null}), StatusCode::OK).await;
    assert_eq!((&put["source"], &put["schedule"], &put["next_due"]), (&json!("print(2)"), &Value::Null, &Value::Null));
    assert_eq!(put["versions"].as_array().unwrap().len(), 3);
    assert_eq!(panel.run("tally", json!({})).await, json!({"ok": true, "output": "2\n", "changed": []}));
    let listed = panel.get(SCRIPTS).await;
    assert_eq!((&listed["items"][0]["name"], &listed["items"][0]["last_run"]["outcome"]), (&json!("tally"), &json!("ok")));
    panel.send(Method::DELETE, &path("tally"), Value::Null, StatusCode::NO_CONTENT).await;
    for (method, rest) in [(Method::GET, "tally"), (Method::DELETE, "tally"), (Method::POST, "tally/run"), (Method::GET, "tally/runs")] {
        panel.send(method, &path(rest), Value::Null, StatusCode::NOT_FOUND).await;
    }
}

#[tokio::test]
async fn what_is_wrong_is_named_with_its_place() {
    let panel = Start::new().signed_in().await;
    let refused = panel.send(Method::POST, SCRIPTS, json!({"name": "a", "source": "let x = 1;\nlet y = ;"}), StatusCode::BAD_REQUEST).await;
    assert_eq!((&refused["line"], &refused["column"]), (&json!(2), &json!(9)));
    assert!(refused["detail"].as_str().unwrap().starts_with("source: line 2, column 9: "), "{refused}");
    for (body, part) in [
        (json!({"name": "1", "source": ""}), "name: \"1\" is no name for a script"),
        (json!({"name": "a", "source": "", "schedule": "cron 61 * * * *"}), "schedule: the cron expression"),
        (json!({"name": "a", "source": "", "schedule": "cron 0 0 * * * Nowhere"}), "is no time zone"),
        (json!({"name": "a", "source": "", "schedule": "every x"}), "schedule: the time of every"),
        (json!({"name": "a", "source": "\0"}), "code 0"),
        (json!({"name": "a"}), "source"),
    ] {
        let refused = panel.send(Method::POST, SCRIPTS, body, StatusCode::BAD_REQUEST).await;
        assert!(refused["detail"].as_str().unwrap().contains(part), "{refused}");
    }
    for scope in ["read", "tick", "push"] {
        let token = panel.token(scope).await;
        let post = TestPanel::client().post(panel.url(SCRIPTS)).bearer_auth(token).header(header::CONTENT_TYPE, "application/json");
        let status = post.body(json!({"name": "a", "source": ""}).to_string()).send().await.unwrap().status();
        assert_eq!(status, StatusCode::FORBIDDEN, "{scope}");
    }
    assert_eq!(panel.get(SCRIPTS).await, json!({"items": []}));
}

#[tokio::test]
async fn statistics_are_read_counted_and_reset() {
    let panel = Start::new().signed_in().await;
    panel.until("/cp/api/v1/boxes/tickmark", |one| one["state"] == "up").await;
    panel.count("method:INVITE", 5).await;
    panel.count("method:BYE", 2).await;
    let source = r#"
        update_stat("method:INVITE", +1);
        update_stat("made:here", +3);
        set_stat("room:heat", 20.6);
        let sum = 0;
        for s in stat_iter("method") { sum += s.value; print(`${s.name} ${s.value}`); }
        print(sum + stat("made:here"));
        reset_stat("method:BYE");
        print(to_json(#{ heat: stat("tickmark", "room:heat"), bye: stat("method:BYE"), up: stat("panel:uptime") >= 0 }));
        print(parse_json("[1, {\"a\": null}]"));
        xlog("L_INFO", "done", 7);
    "#;
    panel.script("words", source, None).await;
    let dry = panel.run("words", json!({"dry": true})).await;
    let told = "method:INVITE 6\nmethod:BYE 2\n11\n{\"bye\":0,\"heat\":21,\"up\":true}\n[1, #{\"a\": ()}]\ndone 7\n";
    assert_eq!((&dry["ok"], &dry["output"]), (&json!(true), &json!(told)), "{dry}");
    let changed = json!([
        {"what": "update_stat", "name": "method:INVITE", "from": 5, "to": 6},
        {"what": "update_stat", "name": "made:here", "to": 3},
        {"what": "set_stat", "name": "room:heat", "to": 21},
        {"what": "reset_stat", "name": "method:BYE", "from": 2, "to": 0},
    ]);
    assert_eq!(dry["changed"], changed);
    let untouched = panel.once("print(stat(\"method:INVITE\")); print(stat_or(\"made:here\", \"none\"))").await;
    assert_eq!(untouched["output"], "5\nnone\n");
    assert_eq!(panel.get(&path("words/runs")).await, json!({"items": []}), "a dry run is none");
    let run = panel.run("words", json!({})).await;
    assert_eq!((&run["output"], &run["changed"]), (&json!(told), &changed));
    let runs = panel.get(&path("words/runs")).await;
    let last = &runs["items"][0];
    assert_eq!((&last["outcome"], &last["began_by"], &last["by"]), (&json!("ok"), &json!("api"), &json!("admin")));
    assert_eq!((&last["changed"], &last["output"]), (&changed, &json!(told)));
    let again = panel.once("print(stat(\"method:INVITE\")); print(stat(\"method:BYE\"))").await;
    assert_eq!(again["output"], "6\n0\n");
}

#[tokio::test]
async fn gateways_are_picked_and_let_go() {
    let panel = Start::new().signed_in().await;
    let source = r#"
        let gateways = ["sip:a", "sip:b"];
        for i in 0..3 { print(pick("load_%u", gateways, [2, 1])); }
        print(release("load_%u", "sip:a"));
    "#;
    panel.script("pick", source, None).await;
    let dry = panel.run("pick", json!({"dry": true})).await;
    assert_eq!(dry["output"], "sip:a\nsip:b\nsip:a\n1\n", "{dry}");
    assert_eq!(panel.run("pick", json!({})).await["output"], dry["output"]);
    assert_eq!(panel.run("pick", json!({"dry": true})).await["output"], "sip:a\nsip:a\nsip:b\n2\n");
}

#[tokio::test]
async fn whatever_goes_wrong_is_told_with_its_line_and_disturbs_nothing() {
    let panel = Start::new().signed_in().await;
    for (source, line, part) in [
        ("let a = 1;\nlet b = a / 0;", 2, "Division by zero"),
        ("loop { }", 1, "does a loop end"),
        ("fn f() { f() }\nf();", 2, "deep"),
        ("let a = \"xxxxxxxx\";\nloop { a += a; }", 2, "too large"),
        ("stat(\"no:such\")", 1, "there is no statistic no:such"),
        ("stat(\"nobody\", \"a:b\")", 1, "there is no box \"nobody\""),
        ("\nreset_stat(\"no:such\")", 2, "there is no statistic no:such"),
        ("update_stat(\"panel:requests\", 1)", 1, "the panel's own"),
        ("http_post(\"http://192.0.2.1/\", 1)", 1, "may not reach 192.0.2.1"),
        ("http_get(\"file:///etc/passwd\")", 1, "is not spoken here"),
        ("xlog(\"L_LOUD\", 1)", 1, "is no level"),
        ("notify(\"loud\", 1)", 1, "is no severity"),
        ("release(\"load_%u\", \"sip:a\")", 1, "never picked"),
    ] {
        let done = panel.once(source).await;
        assert_eq!((&done["ok"], &done["error"]["line"]), (&json!(false), &json!(line)), "{done}");
        assert!(done["error"]["message"].as_str().unwrap().contains(part), "{done}");
    }
    let long = panel.once("for i in 0..100000 { print(\"a line that is long enough\"); }").await;
    let output = long["output"].as_str().unwrap();
    assert!(output.len() < 66_000 && output.ends_with("what follows is left out"), "{}", output.len());
}

#[tokio::test]
async fn the_daily_tally_goes_out_before_it_begins_again() {
    let receiver = Receiver::start(&[500, 302, 204]).await;
    let panel = reaching(&receiver).await;
    panel.count("method:INVITE", 5).await;
    panel.count("packet:in", 7).await;
    let ready = server::scripts::READY.iter().find(|ready| ready.name == "daily_stat_push").unwrap();
    let source = ready.source.replace("http://127.0.0.1:9000/daily", &receiver.url("daily"));
    panel.script(ready.name, &source, Some(ready.schedule)).await;
    let done = panel.run(ready.name, json!({})).await;
    assert_eq!(done["ok"], true, "{done}");
    assert_eq!(done["changed"].as_array().unwrap().len(), 3);
    // It is refused twice, and sent again each time.
    let got = receiver.until(3).await;
    let keys: Vec<_> = got.iter().map(|(_, headers, _)| headers["idempotency-key"].clone()).collect();
    assert!(keys[0] == keys[1] && keys[1] == keys[2]);
    assert_eq!(got[0].1[header::CONTENT_TYPE], "application/json");
    let document: Value = serde_json::from_str(&got[2].2).unwrap();
    assert_eq!((&document["method"], &document["packet"]), (&json!({"INVITE": 5}), &json!({"in": 7})));
    assert_eq!(panel.once("print(stat(\"method:INVITE\") + stat(\"packet:in\"))").await["output"], "0\n");
}

#[tokio::test]
async fn what_was_posted_is_delivered_after_a_restart() {
    let receiver = Receiver::start(&[]).await;
    let file = "script_hosts = 'localhost'";
    let panel = Start::new().with_file(file).signed_in().await;
    // Nobody listens there yet.
    let later = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = later.local_addr().unwrap().port();
    drop(later);
    let done = panel.once(&format!("http_post(\"http://localhost:{port}/late\", \"text\")")).await;
    assert_eq!(done["ok"], true, "{done}");
    let kept = panel.stop().await;
    let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
    let router = Router::new().fallback(receive).with_state(receiver.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let _panel = Start::again(kept).with_file(file).open().await;
    let got = receiver.until(1).await;
    assert_eq!((got[0].0.as_str(), got[0].2.as_str()), ("/late", "text"));
    assert_eq!(got[0].1[header::CONTENT_TYPE], "text/plain; charset=utf-8");
}

#[tokio::test]
async fn answers_have_bounds_and_lead_nowhere_else() {
    let receiver = Receiver::start(&[]).await;
    let panel = reaching(&receiver).await;
    let got = panel.once(&format!("let a = http_get(\"{}\"); print(a.status); print(a.json.a[1])", receiver.url("json"))).await;
    assert_eq!(got["output"], "200\n2.5\n", "{got}");
    let got = panel.once(&format!("print(http_get(\"{}\").status)", receiver.url("elsewhere"))).await;
    assert_eq!(got["output"], "307\n", "{got}");
    assert!(receiver.got.lock().unwrap().iter().filter(|(path, ..)| path == "/json").count() == 1);
    let large = panel.once(&format!("http_get(\"{}\")", receiver.url("large"))).await;
    assert!(large["error"]["message"].as_str().unwrap().contains("more than 512 KiB"), "{large}");
    let hosts = "/cp/api/v1/script-hosts";
    let set = panel.send(Method::PUT, hosts, json!({"hosts": ["Hooks.example:443", "10.0.0.5"]}), StatusCode::OK).await;
    assert_eq!(set, json!({"hosts": ["hooks.example:443", "10.0.0.5"], "configured": [receiver.address.to_string()]}));
    let refused = panel.send(Method::PUT, hosts, json!({"hosts": ["http://x/"]}), StatusCode::BAD_REQUEST).await;
    assert!(refused["detail"].as_str().unwrap().contains("is no host"), "{refused}");
}

#[tokio::test]
async fn the_clock_runs_each_due_time_once() {
    let panel = Start::new().signed_in().await;
    panel.script("tick", "update_stat(\"ticks:all\", 1); print(event.due)", Some("every 1s")).await;
    let ran = |runs: &Value| runs["items"].as_array().unwrap().iter().filter(|run| run["outcome"] == "ok").count();
    let runs = panel.until(&path("tick/runs"), |runs| ran(runs) >= 3).await;
    let due: Vec<&str> = runs["items"].as_array().unwrap().iter().filter_map(|run| run["output"].as_str()).collect();
    let mut apart = due.clone();
    apart.dedup();
    assert_eq!(due, apart);
    assert!(runs["items"].as_array().unwrap().iter().all(|run| run["began_by"] == "due" && run["by"] == "every 1s"), "{runs}");
}

#[tokio::test]
async fn runs_of_one_script_do_not_overlap() {
    let panel = Start::new().signed_in().await;
    panel.script("slow", "let n = 0; while n < 100000 { n += 1; } print(n)", None).await;
    let run = || panel.ask(Method::POST, "/cp/api/v1/scripts/slow/run", None);
    let answers = futures::future::join_all((0..4).map(|_| run())).await;
    let statuses: Vec<StatusCode> = answers.iter().map(reqwest::Response::status).collect();
    assert!(statuses.contains(&StatusCode::OK) && statuses.iter().all(|status| matches!(status.as_u16(), 200 | 409)), "{statuses:?}");
    let runs = panel.get(&path("slow/runs")).await;
    assert_eq!(runs["items"].as_array().unwrap().len(), statuses.iter().filter(|status| **status == StatusCode::OK).count());
}

#[tokio::test]
async fn every_ready_one_is_added_by_one_click_and_comes_to_its_end() {
    let receiver = Receiver::start(&[]).await;
    let panel = reaching(&receiver).await;
    panel.until("/cp/api/v1/boxes/tickmark", |one| one["state"] == "up").await;
    panel.count("calls:ended", 4).await;
    panel.count("calls:seconds", 90).await;
    panel.send(Method::PUT, "/cp/api/v1/boxes/tickmark/ticks/panel:requests", Value::Null, StatusCode::NO_CONTENT).await;
    for ready in server::scripts::READY {
        let added = panel.form("/cp/scripts", &[("do", "ready"), ("name", ready.name)]).await;
        assert_eq!(
            (added.status(), added.headers()[header::LOCATION].to_str().unwrap()),
            (StatusCode::SEE_OTHER, &*format!("/cp/scripts/{}", ready.name))
        );
        let script = panel.get(&path(ready.name)).await;
        let source = script["source"].as_str().unwrap().replace("http://127.0.0.1:9000", &receiver.url("got"));
        panel.send(Method::PUT, &path(ready.name), json!({"source": source, "schedule": null}), StatusCode::OK).await;
        let done = panel.run(ready.name, json!({"dry": true})).await;
        assert_eq!(done["ok"], true, "{}: {done}", ready.name);
    }
    let durations = panel.run("call_durations", json!({})).await;
    assert_eq!(durations["ok"], true, "{durations}");
    let mean = panel.once("print(stat(\"calls:mean_seconds\")); print(stat(\"calls:ended_last_hour\"))").await;
    // 22.5 is rounded.
    assert_eq!(mean["output"], "23\n4\n");
    let heartbeat = panel.run("heartbeat", json!({})).await;
    assert_eq!(heartbeat["ok"], true, "{heartbeat}");
    let (_, _, body) = receiver.until(1).await.remove(0);
    assert!(serde_json::from_str::<Value>(&body).unwrap()["uptime"].is_i64(), "{body}");
    let report = panel.run("weekly_report", json!({})).await;
    assert_eq!(report["ok"], true, "{report}");
    let (_, headers, csv) = receiver.until(2).await.remove(1);
    assert!(csv.starts_with("box,statistic,lowest,mean,highest,total\ntickmark,panel:requests,"), "{csv}");
    assert_eq!(headers[header::CONTENT_TYPE], "text/csv");
    let grown = |done: &Value| done["changed"].as_array().unwrap().iter().any(|change| change["name"] == "today:requests");
    // Not before something of it is recorded.
    let waiting = async {
        while !grown(&panel.run("growth_today", json!({})).await) {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    timeout(LIMIT, waiting).await.expect("it grows");
    // sip1 is no box here: it is said, and the others go on.
    assert!(panel.run("nightly_reset", json!({})).await["output"].as_str().unwrap().starts_with("sip1: there is no box"));
}
