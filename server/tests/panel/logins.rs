//! A login that somebody typed into the address of a box: it becomes user and password, and nowhere stays in the address.

use axum::http::HeaderMap;
use base64::{Engine, engine::general_purpose::STANDARD};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Start, TestPanel};

/// What no page, answer or file may hold.
const WORD: &str = "swordfish-4711";

/// An OpenSIPS that wants this user and password; where it is.
async fn guarded() -> String {
    let answer = async |headers: HeaderMap, body: String| {
        let wanted = format!("Basic {}", STANDARD.encode(format!("op:{WORD}")));
        if headers.get("authorization").is_none_or(|told| *told != *wanted) {
            return (StatusCode::UNAUTHORIZED, String::new());
        }
        let ask: Value = serde_json::from_str(&body).unwrap();
        let result = match ask["method"].as_str() {
            Some("version") => json!({"Server": "OpenSIPS (4.0.1 (x86_64/linux))"}),
            _ => json!({"core:timestamp": 80, "core:rcv_requests": 5}),
        };
        (StatusCode::OK, json!({"jsonrpc": "2.0", "result": result, "id": ask["id"]}).to_string())
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move { axum::serve(listener, axum::Router::new().route("/mi", axum::routing::post(answer))).await });
    address
}

/// The box is up, and is told with its user and without its password.
async fn is_known(panel: &TestPanel, name: &str, address: &str) {
    let one = panel.until(&format!("/cp/api/v1/boxes/{name}"), |one| one["state"] == "up").await;
    let told = (&one["address"], &one["user"], &one["has_password"]);
    assert_eq!(told, (&json!(format!("http://{address}/mi")), &json!("op"), &json!(true)), "{one}");
    let page = panel.ask(Method::GET, &format!("/cp/boxes?edit={name}"), None).await.text().await.unwrap();
    assert!(!page.contains(WORD) && page.contains(&format!("http://{address}/mi")), "{page}");
}

#[tokio::test]
async fn it_is_taken_out_wherever_an_address_is_given() {
    let address = guarded().await;
    let typed = format!("http://op:{WORD}@{address}/mi");
    let file = format!("[[box]]\nname = 'sip0'\naddress = '{typed}'\n");
    let panel = Start::new().with_file(&file).signed_in().await;
    is_known(&panel, "sip0", &address).await;

    let report = panel.send(Method::POST, "/cp/api/v1/boxes/probe", json!({"address": typed}), StatusCode::OK).await;
    assert_eq!((&report["kind"], &report["address"]), (&json!("opensips"), &json!(format!("http://{address}/mi"))), "{report}");
    panel.send(Method::POST, "/cp/api/v1/boxes", json!({"name": "sip1", "address": typed}), StatusCode::CREATED).await;
    is_known(&panel, "sip1", &address).await;

    let fields = [("name", "sip2"), ("address", &typed), ("kind", "opensips"), ("do", "add")];
    assert_eq!(panel.form("/cp/boxes", &fields).await.status(), StatusCode::SEE_OTHER);
    is_known(&panel, "sip2", &address).await;

    let without = json!({"name": "sip3", "address": format!("http://{address}/mi"), "kind": "opensips"});
    panel.send(Method::POST, "/cp/api/v1/boxes", without, StatusCode::CREATED).await;
    panel.until("/cp/api/v1/boxes/sip3", |one| one["state"] == "down").await;
    panel.send(Method::PATCH, "/cp/api/v1/boxes/sip3", json!({"address": typed}), StatusCode::OK).await;
    is_known(&panel, "sip3", &address).await;
    // The same by the form, where the other fields are as they were.
    let fields = [("box", "sip3"), ("name", "sip3"), ("address", &typed), ("kind", "opensips"), ("user", "op"), ("interval", "1s")];
    assert_eq!(panel.form("/cp/boxes/edit", &fields).await.status(), StatusCode::SEE_OTHER);
    is_known(&panel, "sip3", &address).await;

    let folder = panel.stop().await;
    let files = std::fs::read_dir(folder.folder()).unwrap().map(|file| file.unwrap().path());
    for file in files.filter(|path| !path.ends_with("tickmark.toml")) {
        let bytes = std::fs::read(&file).unwrap();
        assert!(!bytes.windows(WORD.len()).any(|part| part == WORD.as_bytes()), "{}", file.display());
    }
}

#[tokio::test]
async fn two_that_differ_are_refused_and_a_page_drawn_again_holds_no_password() {
    let panel = Start::new().signed_in().await;
    let address = guarded().await;
    let typed = format!("http://op:{WORD}@{address}/mi");
    for (other, field) in [(("user", "other"), "user"), (("password", "other"), "password")] {
        let body = json!({"name": "sip1", "address": typed, "kind": "opensips", other.0: other.1});
        let problem = panel.send(Method::POST, "/cp/api/v1/boxes", body, StatusCode::BAD_REQUEST).await;
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.starts_with(&format!("{field}: the address ")) && detail.contains("give one of the two"), "{problem}");
        assert!(!problem.to_string().contains(WORD), "{problem}");
        let body = json!({"address": typed, other.0: other.1});
        let problem = panel.send(Method::POST, "/cp/api/v1/boxes/probe", body, StatusCode::BAD_REQUEST).await;
        assert!(problem["detail"].as_str().unwrap().starts_with(field) && !problem.to_string().contains(WORD), "{problem}");
    }
    // A name that is wrong, an address that is wrong, a box that was found: the user is in its field, the password is to be typed again.
    let slip = format!("ftp://op:{WORD}@{address}/mi");
    for (name, typed, press, has_user) in
        [("1", &typed, "add", true), ("sip1", &slip, "add", false), ("sip1", &slip, "probe", false), ("sip1", &typed, "probe", true)]
    {
        let page = panel.form("/cp/boxes", &[("name", name), ("address", typed), ("do", press)]).await.text().await.unwrap();
        assert!(!page.contains(WORD) && page.contains("Type the password again"), "{name} {press}: {page}");
        assert_eq!(page.contains("value=\"op\""), has_user, "{name} {press}");
        assert!(page.contains(&format!("://{address}/mi\"")), "{name} {press}");
    }
    assert_eq!(panel.get("/cp/api/v1/boxes").await["items"].as_array().unwrap().len(), 1);
}
