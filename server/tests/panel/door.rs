//! What answers without a session, and what guards writes.

use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json};

use crate::support::{PASSWORD, Start, TestPanel};

#[tokio::test]
async fn nothing_but_the_door_answers_without_a_session() {
    let panel = Start::new().open().await;
    for path in ["/healthz", "/readyz", "/cp/login"] {
        assert_eq!(panel.ask(Method::GET, path, None).await.status(), StatusCode::OK, "{path}");
    }
    for path in ["/cp", "/cp/charts", "/cp/boxes", "/cp/boxes?edit=x", "/cp/nothing"] {
        let answer = panel.ask(Method::GET, path, None).await;
        assert_eq!(answer.status(), StatusCode::SEE_OTHER, "{path}");
        assert!(answer.headers()[header::LOCATION].to_str().unwrap().starts_with("/cp/login"), "{path}");
    }
    let api = ["boxes", "boxes/nobody", "me", "openapi.json", "series", "chart.svg", "chart.png", "export", "nothing"];
    let paths = api.map(|path| format!("/cp/api/v1/{path}"));
    for path in paths.iter().map(String::as_str).chain(["/metrics", "/cp/events"]) {
        let answer = panel.ask(Method::GET, path, None).await;
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{path}");
        assert_eq!(answer.headers()[header::CONTENT_TYPE], "application/problem+json", "{path}");
    }
    let answer = panel.ask(Method::PUT, "/cp/api/v1/boxes/tickmark/ticks/panel%3Auptime", None).await;
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn every_operation_that_needs_no_session_says_so_and_no_other_does() {
    let panel = Start::new().signed_in().await;
    let description = panel.get("/cp/api/v1/openapi.json").await;
    let mut open = Vec::new();
    // Receivers of messages have a signed address of one picture.
    let picture = "/cp/alerts/picture/{file}";
    for (path, methods) in description["paths"].as_object().unwrap() {
        assert!(path.starts_with("/cp/api/v1/") || path == picture, "{path}");
        for (method, operation) in methods.as_object().unwrap() {
            if operation["security"] == json!([]) || operation["security"] == json!([{}]) {
                open.push(format!("{method} {path}"));
            }
        }
    }
    open.sort();
    assert_eq!(open, [format!("get {picture}"), "post /cp/api/v1/login".to_owned()]);
    assert_eq!(description["paths"]["/cp/api/v1/login"]["post"]["security"], json!([]));
}

#[tokio::test]
async fn the_setup_link_works_once() {
    let panel = Start::new().without_password().open().await;
    let link = panel.setup_link.clone().unwrap();
    let path = &link[link.find("/cp/setup").unwrap()..];
    let page = panel.ask(Method::GET, path, None).await.text().await.unwrap();
    assert!(page.contains("name=\"again\""), "{page}");
    let wrong = panel.ask(Method::GET, "/cp/setup?token=guess", None).await.text().await.unwrap();
    assert!(!wrong.contains("name=\"again\""));
    let token = path.split('=').nth(1).unwrap();
    let fields = [("token", token), ("user", "admin"), ("password", PASSWORD), ("again", PASSWORD)];
    let done = panel.form("/cp/setup", &fields).await;
    assert_eq!((done.status(), done.headers()[header::LOCATION].to_str().unwrap()), (StatusCode::SEE_OTHER, "/cp"));
    let again = panel.form("/cp/setup", &[("token", token), ("user", "eve"), ("password", PASSWORD), ("again", PASSWORD)]).await;
    assert!(!again.headers().get_all(header::SET_COOKIE).iter().any(|cookie| cookie.to_str().unwrap().contains("tickmark_session=")));
    let body = json!({"user": "eve", "password": PASSWORD});
    assert_eq!(panel.ask(Method::POST, "/cp/api/v1/login", Some(&body)).await.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(
        panel.ask(Method::POST, "/cp/api/v1/login", Some(&json!({"user": "admin", "password": PASSWORD}))).await.status(),
        StatusCode::OK
    );
}

#[tokio::test]
async fn a_session_is_renewed_at_login_and_gone_after_logout() {
    let mut panel = Start::new().signed_in().await;
    let first = panel.cookie().to_owned();
    panel.sign_in().await;
    assert_ne!(first, panel.cookie());
    let old = TestPanel::client().get(panel.url("/cp/api/v1/me")).header(header::COOKIE, &first).send().await.unwrap();
    assert_eq!(old.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(panel.get("/cp/api/v1/me").await["name"], "admin");
    panel.send(Method::POST, "/cp/api/v1/logout", json!({}), StatusCode::NO_CONTENT).await;
    assert_eq!(panel.ask(Method::GET, "/cp/api/v1/me", None).await.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn writes_of_other_sites_are_refused() {
    let panel = Start::new().signed_in().await;
    let path = "/cp/api/v1/boxes/tickmark/ticks/panel%3Auptime";
    let evil = [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")];
    for (name, value) in evil {
        let request = TestPanel::client().put(panel.url(path)).header(header::COOKIE, panel.cookie()).header(name, value);
        assert_eq!(request.send().await.unwrap().status(), StatusCode::FORBIDDEN, "{name}: {value}");
        let form = TestPanel::client().post(panel.url("/cp/ticks")).header(header::COOKIE, panel.cookie()).header(name, value);
        let form = form.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded").body("box=tickmark&on=panel:uptime");
        assert_eq!(form.send().await.unwrap().status(), StatusCode::FORBIDDEN, "{name}: {value}");
    }
    assert_eq!(panel.get("/cp/api/v1/boxes/tickmark/ticks").await["items"], json!([]));
}

#[tokio::test]
async fn pages_run_no_script_but_their_own() {
    let panel = Start::new().signed_in().await;
    for path in ["/cp", "/cp/charts", "/cp/boxes"] {
        let answer = panel.ask(Method::GET, path, None).await;
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        let policy = answer.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap().to_owned();
        assert!(policy.contains("default-src 'none'") && policy.contains("'nonce-") && !policy.contains("unsafe-inline"), "{policy}");
        let html = answer.text().await.unwrap();
        assert!(html.starts_with("<!DOCTYPE html>"), "{path}");
        assert!(!html.contains(" style=\"") && !html.contains(" onclick="), "{path}");
    }
    let missing = panel.ask(Method::GET, "/cp/nothing", None).await;
    assert_eq!(missing.status(), StatusCode::NOT_FOUND);
    for (path, to) in [("/", "/cp"), ("/cp/", "/cp")] {
        let answer = panel.ask(Method::GET, path, None).await;
        assert!(answer.status().is_redirection(), "{path}");
        assert_eq!(answer.headers()[header::LOCATION], to, "{path}");
    }
}

#[tokio::test]
async fn a_login_brings_a_session_and_a_cookie_to_be_known_by() {
    let panel = Start::new().open().await;
    let by_form = panel.form("/cp/login", &[("user", "admin"), ("password", PASSWORD)]).await;
    let by_api = panel.ask(Method::POST, "/cp/api/v1/login", Some(&json!({"user": "admin", "password": PASSWORD}))).await;
    for answer in [by_form, by_api] {
        let cookies: Vec<&str> = answer.headers().get_all(header::SET_COOKIE).iter().map(|cookie| cookie.to_str().unwrap()).collect();
        assert!(cookies[0].starts_with("tickmark_session=") && cookies[1].starts_with("tickmark_device="), "{cookies:?}");
        assert_eq!(cookies.len(), 2);
    }
}

#[tokio::test]
async fn tries_are_slowed_down_and_say_how_long() {
    let panel = Start::new().open().await;
    let body = json!({"user": "admin", "password": "wrong wrong wrong"});
    let mut last: Value = Value::Null;
    let mut status = StatusCode::UNAUTHORIZED;
    for _ in 0..20 {
        let answer = panel.ask(Method::POST, "/cp/api/v1/login", Some(&body)).await;
        status = answer.status();
        last = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        if status == StatusCode::TOO_MANY_REQUESTS {
            break;
        }
        assert_eq!(status, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(status, StatusCode::TOO_MANY_REQUESTS, "{last}");
}

#[tokio::test]
async fn the_password_of_admin_holds_beside_the_accounts_of_the_file() {
    let panel = Start::new().with_file("[[user]]\nname = 'ann'\npassword = 'battery of a horse'").open().await;
    for (user, password) in [("admin", PASSWORD), ("ann", "battery of a horse")] {
        let body = json!({"user": user, "password": password});
        assert_eq!(panel.ask(Method::POST, "/cp/api/v1/login", Some(&body)).await.status(), StatusCode::OK, "{user}");
    }
}
