//! The management interface, asked as OpenSIPS's tools, scripts and attackers ask it.

use std::{net::SocketAddr, time::Duration};

use reqwest::{Response, StatusCode, header};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, UdpSocket},
    time::timeout,
};

use crate::support::{LIMIT, Start, TestPanel, mi_at};
use server::{config::ServeFlags, serve::Panel};

struct Mi {
    panel: TestPanel,
    address: SocketAddr,
}

impl Mi {
    async fn start() -> Self {
        Self::of(Start::new().with_mi()).await
    }

    async fn of(start: Start) -> Self {
        let panel = start.open().await;
        let address = panel.mi.expect("it listens");
        Self { panel, address }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    async fn post(&self, body: impl Into<reqwest::Body>) -> Response {
        TestPanel::client().post(self.url("/mi")).header(header::CONTENT_TYPE, "application/json").body(body).send().await.unwrap()
    }

    async fn ask(&self, method: &str, params: Value) -> Value {
        let body = json!({"jsonrpc": "2.0", "method": method, "params": params, "id": 1}).to_string();
        let answer = self.post(body).await;
        assert_eq!(answer.status(), StatusCode::OK);
        serde_json::from_str(&answer.text().await.unwrap()).unwrap()
    }

    async fn get(&self, path: &str) -> (StatusCode, String) {
        let answer = TestPanel::client().get(self.url(path)).send().await.unwrap();
        (answer.status(), answer.text().await.unwrap())
    }

    /// Sends bytes as they are and reads what comes back until the end of the connection.
    async fn raw(&self, bytes: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        let mut answer = Vec::new();
        timeout(LIMIT, stream.read_to_end(&mut answer)).await.expect("it ends").unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    }
}

#[tokio::test]
async fn what_a_script_pushes_is_told_to_every_kind_of_client() {
    let mi = Mi::start().await;
    let done = mi.ask("update_stat", json!({"name": "active_dialogs", "value": "=3"})).await;
    assert_eq!(done, json!({"jsonrpc": "2.0", "result": "OK", "id": 1}));
    let told = mi.ask("get_statistics", json!({"statistics": ["active_dialogs"]})).await;
    assert_eq!(told["result"], json!({"dynamic:active_dialogs": 3}));
    let json = mi.get("/json/get_statistics?params=active_dialogs").await;
    assert_eq!(json, (StatusCode::OK, r#"{"dynamic:active_dialogs": "3"}"#.to_owned()));
    let (_, both) = mi.get("/json/get_statistics?params=active_dialogs%2Cpanel%3Auptime").await;
    assert!(both.contains(r#""panel:uptime": ""#), "{both}");
    let (_, xml) = mi.get("/xml/get_statistics?params=dynamic:").await;
    assert!(xml.ends_with("<reply>\n<value name=\"dynamic:active_dialogs\">3</value>\n</reply>\n"), "{xml}");
    let all = mi.ask("statistics:get", json!([["all"]])).await;
    assert!(all["result"]["host:memory_total"].as_i64().unwrap() > 0, "{all}");
}

#[tokio::test]
async fn status_codes_are_those_of_opensips() {
    let mi = Mi::start().await;
    let version = r#"{"jsonrpc":"2.0","method":"version","id":1}"#;
    for path in ["/mi", "/mi/", "/mi/x", "/mi?x=1"] {
        let client = TestPanel::client();
        let answer = client.post(mi.url(path)).header(header::CONTENT_TYPE, "application/json; charset=utf-8").body(version).send();
        assert_eq!(answer.await.unwrap().status(), StatusCode::OK, "{path}");
    }
    assert_eq!(mi.post(r#"{"jsonrpc":"2.0","method":"version"}"#).await.status(), StatusCode::ACCEPTED);
    assert_eq!(mi.post("").await.status(), StatusCode::BAD_REQUEST);
    assert_eq!(mi.get("/mi").await.0, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(mi.get("/").await.0, StatusCode::BAD_REQUEST);
    assert_eq!(mi.get("/nope/x").await.0, StatusCode::BAD_REQUEST);
    for method in ["PUT", "DELETE", "OPTIONS", "HEAD"] {
        let method = method.parse().unwrap();
        let status = TestPanel::client().request(method, mi.url("/mi")).send().await.unwrap().status();
        assert_eq!(status, StatusCode::NOT_ACCEPTABLE);
    }
    for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/octet-stream"] {
        let answer = TestPanel::client().post(mi.url("/mi")).header(header::CONTENT_TYPE, kind).body(version).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{kind}");
    }
    let posted = TestPanel::client().post(mi.url("/json/version")).send().await.unwrap().text().await.unwrap();
    assert_eq!(posted, r#"{"error": {"code": 406, "message": "Unexpected method"}}"#);
    assert_eq!(mi.get("/json").await.1, r#"{"error": {"code": 500, "message": "Internal server error"}}"#);
    assert_eq!(mi.get("/json/nosuch").await.1, r#"{"error": {"code": 500, "message": "Command not found"}}"#);
}

#[tokio::test]
async fn a_get_changes_nothing_unless_that_is_switched_on() {
    let reading = Mi::start().await;
    reading.ask("update_stat", json!(["a:b", "+5"])).await;
    let (_, refused) = reading.get("/json/reset_statistics?params=a:b").await;
    assert!(refused.contains(r#""code": 403"#) && refused.contains("--mi-get write"), "{refused}");
    assert_eq!(reading.get("/json/get_statistics?params=a:b").await.1, r#"{"a:b": "5"}"#);
    let flags = ServeFlags { mi_get: Some("write".to_owned()), ..mi_at("127.0.0.1:0") };
    let writing = Mi::of(Start::new().with_mi_flags(flags)).await;
    assert_eq!(writing.get("/json/update_stat?params=a:b,+5").await.1, "");
    assert_eq!(writing.get("/json/update_stat?params=a:b,%2B5").await.1, "");
    assert_eq!(writing.get("/json/get_statistics?params=a:b").await.1, r#"{"a:b": "10"}"#);
    assert_eq!(writing.get("/json/reset_statistics?params=a:b").await.1, "");
    assert_eq!(writing.get("/json/get_statistics?params=a:b").await.1, r#"{"a:b": "0"}"#);
}

#[tokio::test]
async fn calls_are_spread_over_gateways_by_many_clients_at_once() {
    const CLIENTS: i64 = 64;
    const PICKS: i64 = 15;
    let mi = Mi::start().await;
    let gateways = json!({"pattern": "load_%u", "destinations": ["sip:a", "sip:b", "sip:c"], "weights": [1, 1, 1]});
    assert_eq!(mi.ask("ds_select", gateways.clone()).await["result"], json!({"destination": "sip:a", "load": 1}));
    let body = json!({"jsonrpc": "2.0", "method": "ds_select", "params": gateways, "id": 1}).to_string();
    let connections = TestPanel::client();
    let client = async || {
        for _ in 0..PICKS {
            let asking = connections.post(mi.url("/mi")).header(header::CONTENT_TYPE, "application/json").body(body.clone());
            let answer = asking.send().await.unwrap().text().await.unwrap();
            assert!(answer.contains(r#""result":{"destination":"sip:"#), "{answer}");
        }
    };
    futures::future::join_all((0..CLIENTS).map(|_| client())).await;
    let told = mi.ask("get_statistics", json!([["script:"]])).await;
    let loads = ["sip:a", "sip:b", "sip:c"].map(|gateway| told["result"][format!("script:load_{gateway}")].as_i64().unwrap());
    assert_eq!(loads.iter().sum::<i64>(), CLIENTS * PICKS + 1);
    assert!(loads.iter().max().unwrap() - loads.iter().min().unwrap() <= 1, "{loads:?}");
    let release = json!({"pattern": "load_%u", "destination": "sip:b"});
    assert_eq!(mi.ask("ds_release", release).await["result"], json!({"destination": "sip:b", "load": loads[1] - 1}));
    let never = mi.ask("ds_release", json!(["load_%u", "sip:d"])).await;
    assert!(never["error"]["data"].as_str().unwrap().starts_with("sip:d was never picked"), "{never}");
}

#[tokio::test]
async fn a_get_picks_only_where_it_may_change_something() {
    let reading = Mi::start().await;
    assert!(reading.get("/json/ds_select?params=load_%u,sip:a").await.1.contains("--mi-get write"));
    let flags = ServeFlags { mi_get: Some("write".to_owned()), ..mi_at("127.0.0.1:0") };
    let writing = Mi::of(Start::new().with_mi_flags(flags)).await;
    // The percent sign as it is, and as it should be.
    for (pattern, gateway) in [("load_%u", "sip:a"), ("load_%25u", "sip:b")] {
        let (_, picked) = writing.get(&format!("/json/ds_select?params={pattern},sip:a,sip:b,weights=2/1")).await;
        assert_eq!(picked, format!(r#"{{"destination": "{gateway}", "load": "1"}}"#));
    }
    assert_eq!(writing.get("/json/ds_release?params=load_%u,sip:a").await.1, r#"{"destination": "sip:a", "load": "0"}"#);
    assert_eq!(writing.get("/json/ds_release_all?params=load_%u").await.1, r#"{"released": "2"}"#);
}

#[tokio::test]
async fn a_page_in_a_browser_cannot_reach_it() {
    let mi = Mi::start().await;
    for (name, value) in [("origin", "http://evil.example"), ("sec-fetch-site", "cross-site"), ("host", "evil.example:8081")] {
        let get = TestPanel::client().get(mi.url("/json/version")).header(name, value).send().await.unwrap();
        assert_eq!(get.status(), StatusCode::FORBIDDEN, "{name}");
        let post = TestPanel::client().post(mi.url("/mi")).header(header::CONTENT_TYPE, "application/json").header(name, value);
        let post = post.body(r#"{"jsonrpc":"2.0","method":"update_stat","params":["a:b","+1"],"id":1}"#).send().await.unwrap();
        assert_eq!(post.status(), StatusCode::FORBIDDEN, "{name}");
    }
    assert_eq!(mi.ask("get_statistics", json!([["a:b"]])).await["result"], json!({}));
}

#[tokio::test]
async fn where_there_is_a_token_it_must_be_told() {
    const TOKEN: &str = "s3cret-and-long-enough";
    let mi = Mi::of(Start::new().with_mi().with_file(&format!("mi_token = '{TOKEN}'"))).await;
    let ask = || TestPanel::client().get(mi.url("/json/version"));
    let refused = ask().send().await.unwrap();
    assert_eq!(
        (refused.status(), &refused.headers()[header::WWW_AUTHENTICATE]),
        (StatusCode::UNAUTHORIZED, &"Basic realm=\"Tickmark MI\"".parse().unwrap())
    );
    assert_eq!(ask().bearer_auth("s3cret-and-long-enougH").send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
    assert_eq!(ask().bearer_auth(TOKEN).send().await.unwrap().status(), StatusCode::OK);
    assert_eq!(ask().basic_auth("opensips", Some(TOKEN)).send().await.unwrap().status(), StatusCode::OK);
    // Datagrams have no place for it.
    UdpSocket::bind(mi.address).await.unwrap();
}

#[tokio::test]
async fn datagrams_of_both_dialects() {
    let mi = Mi::start().await;
    mi.ask("update_stat", json!(["dialog:active_dialogs", "=20"])).await;
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.connect(mi.address).await.unwrap();
    let mut buffer = vec![0; 65_536];
    for (question, expect) in [
        (
            r#"{"jsonrpc":"2.0","method":"get_statistics","params":[["active_dialogs"]],"id":1}"#,
            r#"{"jsonrpc":"2.0","result":{"dialog:active_dialogs":20},"id":1}"#,
        ),
        (":get_statistics:\nactive_dialogs\n", "200 OK\ndialog:active_dialogs:: 20\n\n"),
        (":get_statistics:\nnope\n", "404 Statistics Not Found\n\n"),
        (":nosuch:\n", "500 command not available\n"),
        (r#"{"jsonrpc""#, "400 Parse_error"),
    ] {
        // Neither an answer to something else nor a notification is answered.
        for silent in ["400 Parse_error", r#"{"jsonrpc":"2.0","result":{},"id":1}"#, r#"{"jsonrpc":"2.0","method":"version"}"#, "", "\u{0}"]
        {
            socket.send(silent.as_bytes()).await.unwrap();
        }
        socket.send(question.as_bytes()).await.unwrap();
        let bytes = timeout(LIMIT, socket.recv(&mut buffer)).await.expect("an answer").unwrap();
        assert_eq!(String::from_utf8_lossy(&buffer[..bytes]), expect);
    }
}

#[tokio::test]
async fn an_answer_that_fits_into_no_datagram_is_an_error() {
    let mi = Mi::start().await;
    for batch in 0..4 {
        let name = |number| format!("a:{}{batch}_{number}", "x".repeat(200));
        let push = |number| json!({"jsonrpc": "2.0", "method": "update_stat", "params": [name(number), "+1"]});
        let pushed = mi.post(Value::Array((0..100).map(push).collect()).to_string()).await;
        assert_eq!(pushed.status(), StatusCode::ACCEPTED);
    }
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.send_to(br#"{"jsonrpc":"2.0","method":"get_statistics","params":[["a:"]],"id":1}"#, mi.address).await.unwrap();
    let mut buffer = [0; 64];
    let bytes = timeout(LIMIT, socket.recv(&mut buffer)).await.expect("an answer").unwrap();
    assert_eq!(&buffer[..bytes], b"500 Internal error");
}

#[tokio::test]
async fn bad_requests_get_errors_and_nothing_is_lost() {
    let mi = Mi::start().await;
    mi.ask("update_stat", json!(["a:b", "=7"])).await;
    let million = format!(r#"{{"jsonrpc":"2.0","method":"get_statistics","params":[[{}"x"]],"id":1}}"#, "\"a\",".repeat(1_000_000));
    assert_eq!(mi.post(million).await.status(), StatusCode::BAD_REQUEST);
    let fits = format!(r#"{{"jsonrpc":"2.0","method":"get_statistics","params":[[{}"a:b"]],"id":1}}"#, "\"a\",".repeat(200_000));
    assert_eq!(mi.post(fits).await.text().await.unwrap(), r#"{"jsonrpc":"2.0","result":{"a:b":7},"id":1}"#);
    let long = "x".repeat(10_000);
    assert_eq!(mi.ask("get_statistics", json!([[long]])).await["result"], json!({}));
    assert_eq!(mi.ask("update_stat", json!([long, "+1"])).await["error"]["code"], -32_602);
    assert_eq!(mi.ask("update_stat", json!(["a:b", "+9223372036854775807"])).await["error"]["code"], -32_602);
    let answer = mi.post(&b"{\"jsonrpc\":\"2.0\",\"method\":\"\xff\xfe\",\"id\":1}"[..]).await.text().await.unwrap();
    assert!(answer.contains("-32700"), "{answer}");
    assert!(mi.get("/json/get_statistics?params=%ff").await.1.contains(r#""code": 400"#));
    assert!(mi.get(&format!("/json/{}", "x".repeat(5_000))).await.1.contains("Command not found"));
    for junk in ["\0\0\0\0\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "POST /mi HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n"]
    {
        let answer = mi.raw(junk.as_bytes()).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{junk:?}: {answer}");
    }
    assert_eq!(mi.ask("get_statistics", json!([["a:"]])).await["result"], json!({"a:b": 7}));
}

#[tokio::test]
async fn connections_that_say_nothing_do_not_end_it() {
    let mi = Mi::start().await;
    let mut silent = Vec::new();
    for _ in 0..60 {
        silent.push(TcpStream::connect(mi.address).await.unwrap());
    }
    mi.ask("update_stat", json!(["a:b", "=7"])).await;
    // Beyond the bound the next one waits until others are let go.
    for _ in 0..20 {
        silent.push(TcpStream::connect(mi.address).await.unwrap());
    }
    assert_eq!(mi.ask("get_statistics", json!([["a:b"]])).await["result"], json!({"a:b": 7}));
    // A panel that is stopped does not wait for them.
    timeout(Duration::from_secs(5), mi.panel.stop()).await.expect("it ends");
}

#[tokio::test]
async fn a_port_that_is_taken_is_said_and_stops_only_who_asked_for_it() {
    let other = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let taken = other.local_addr().unwrap();
    let start = Start::new().with_mi_flags(mi_at(&taken.to_string()));
    let Err(error) = Panel::start(start.config()).await else { panic!("it is taken") };
    let said = error.to_string();
    for part in [&taken.to_string(), "another program listens there already", "--mi-listen"] {
        assert!(said.contains(part), "{said}");
    }
    let start = Start::new().with_mi();
    let mut config = start.config();
    config.mi.listen = server::config::MiAddress::Default(taken);
    let panel = Panel::start(config).await.unwrap();
    assert_eq!(panel.mi_address(), None);
}
