use axum::{Router, body::Body, middleware::from_fn, routing::any};
use tower::ServiceExt as _;

use super::*;
use crate::auth::token::Scope;

fn token(scope: Scope) -> Caller {
    Caller::Token { name: "t".to_owned(), scope }
}

fn account() -> Caller {
    Caller::Account { id: 1, name: "admin".to_owned(), scope: Scope::Admin, taste: Box::default() }
}

fn judged(method: &Method, path: &str, caller: Option<&Caller>) -> Result<(), Refusal> {
    judge(method, &path.parse().unwrap(), &HeaderMap::new(), caller)
}

#[test]
fn only_these_are_open() {
    for path in
        ["/healthz", "/readyz", "/cp/login", "/cp/setup", "/cp/assets/tickmark.css", "/cp/setup?token=x", "/cp/alerts/picture/1.png?sig=x"]
    {
        assert_eq!(judged(&Method::GET, path, None), Ok(()), "{path}");
    }
    for path in ["/cp/login", "/cp/setup", "/cp/theme", "/cp/api/v1/login"] {
        assert_eq!(judged(&Method::POST, path, None), Ok(()), "{path}");
    }
}

#[test]
fn everything_else_is_shut_to_the_unknown() {
    let pages = [
        "/",
        "/cp",
        "/cp/",
        "/cp/charts",
        "/cp/alerts",
        "/cp/alerts/picture",
        "/cp/alerts/picturex/1.png",
        "/cp/boxes",
        "/cp/users",
        "/cp/login/",
        "/cp/loginx",
        "/cp/assets",
        "/healthz/x",
        "/cp/%61pi/v1/me",
    ];
    for path in pages {
        assert!(matches!(judged(&Method::GET, path, None), Err(Refusal::Login(_))), "{path}");
        assert_eq!(judged(&Method::POST, path, None), Err(Refusal::LoginAgain(None)), "{path}");
    }
    let tools = [
        "/metrics",
        "/cp/events",
        "/cp/events?box=x",
        "/cp/api",
        "/cp/api/v1/me",
        "/cp/api/v1/openapi.json",
        "/cp/api/v1/nothing",
        "/cp/api/v9",
    ];
    for path in tools {
        for method in [Method::GET, Method::HEAD, Method::POST, Method::OPTIONS] {
            assert_eq!(judged(&method, path, None), Err(Refusal::Unknown), "{path}");
        }
    }
    assert_eq!(judged(&Method::GET, "/cp/api/v1/login", None), Err(Refusal::Unknown));
}

#[test]
fn an_account_may_do_all() {
    for path in ["/cp", "/cp/nothing", "/cp/api/v1/boxes", "/cp/api/v1/nothing", "/metrics", "/cp/events"] {
        for method in [Method::GET, Method::POST, Method::PUT, Method::DELETE] {
            assert_eq!(judged(&method, path, Some(&account())), Ok(()), "{path}");
        }
    }
}

#[test]
fn a_token_may_what_its_scope_covers() {
    #[track_caller]
    fn check(method: &Method, path: &str, expect: Option<Right>) {
        for scope in Scope::ALL {
            let may = expect.is_none_or(|right| scope.allows(right));
            let judged = judged(method, path, Some(&token(scope)));
            assert_eq!(judged.is_ok(), may, "{method} {path} {scope:?}");
        }
        assert_eq!(right_for(method, path), expect, "{method} {path}");
    }
    let (get, post, put, patch, delete) = (Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE);
    check(&get, "/cp/api/v1/me", None);
    check(&post, "/cp/api/v1/logout", None);
    check(&post, "/cp/logout", None);
    check(&get, "/cp/api/v1/boxes", Some(Right::Read));
    check(&get, "/cp/events", Some(Right::Read));
    check(&get, "/metrics", Some(Right::Read));
    check(&get, "/cp/api/v1/boxes/sip1/ticks", Some(Right::Read));
    check(&post, "/cp/api/v1/boxes/sip1/refresh", Some(Right::Read));
    check(&post, "/cp/refresh", Some(Right::Read));
    check(&put, "/cp/api/v1/boxes/sip1/ticks/core%3Arcv_requests", Some(Right::Tick));
    check(&delete, "/cp/api/v1/boxes/sip1/ticks/core%3Arcv_requests", Some(Right::Tick));
    check(&post, "/cp/api/v1/boxes/sip1/ticks", Some(Right::Tick));
    check(&patch, "/cp/api/v1/boxes/sip1/statistics/core%3Arcv_requests", Some(Right::Tick));
    check(&post, "/cp/ticks", Some(Right::Tick));
    check(&post, "/cp/kind", Some(Right::Tick));
    check(&post, "/cp/api/v1/boxes/tickmark/update", Some(Right::Push));
    check(&post, "/cp/push", Some(Right::Push));
    check(&Method::DELETE, "/cp/api/v1/boxes/tickmark/statistics/a:b", Some(Right::Push));
    check(&post, "/cp/api/v1/boxes", Some(Right::Admin));
    check(&post, "/cp/api/v1/boxes/probe", Some(Right::Admin));
    check(&delete, "/cp/api/v1/boxes/sip1", Some(Right::Admin));
    check(&patch, "/cp/api/v1/boxes/sip1", Some(Right::Admin));
    check(&post, "/cp/api/v1/boxes/sip1/reset", Some(Right::Admin));
    check(&post, "/cp/boxes", Some(Right::Admin));
    check(&post, "/cp/nothing", Some(Right::Admin));
}

#[test]
fn writes_from_another_site_are_refused_at_every_door() {
    let headers: HeaderMap =
        [(header::ORIGIN, "http://evil.example".parse().unwrap()), (header::HOST, "panel".parse().unwrap())].into_iter().collect();
    for path in ["/cp/login", "/cp/setup", "/cp/api/v1/login", "/cp/ticks", "/cp/api/v1/boxes", "/cp/nothing"] {
        for caller in [None, Some(&account())] {
            let judged = judge(&Method::POST, &path.parse().unwrap(), &headers, caller);
            assert_eq!(judged, Err(Refusal::CrossSite(CrossSite::OtherOrigin)), "{path}");
        }
    }
}

#[test]
fn a_form_without_a_session_leads_back_to_its_page() {
    let from = |referer: &'static str| {
        let headers = [(header::REFERER, HeaderValue::from_static(referer))].into_iter().collect();
        judge(&Method::POST, &Uri::from_static("/cp/ticks"), &headers, None)
    };
    assert_eq!(from("http://panel/cp?box=sip1"), Err(Refusal::LoginAgain(Some("/cp?box=sip1".to_owned()))));
    assert_eq!(from("http://panel/elsewhere"), Err(Refusal::LoginAgain(None)));
    assert_eq!(judged(&Method::POST, "/cp/logout", None), Err(Refusal::Login(None)));
}

#[test]
fn the_api_reads_no_forms() {
    let headers: HeaderMap = [(header::CONTENT_TYPE, "application/x-www-form-urlencoded".parse().unwrap())].into_iter().collect();
    let judged = |path: &str| judge(&Method::POST, &path.parse().unwrap(), &headers, Some(&account()));
    assert_eq!(judged("/cp/api/v1/login"), Err(Refusal::FormBody));
    assert_eq!(judged("/cp/api/v1/boxes"), Err(Refusal::FormBody));
    assert_eq!(judged("/cp/ticks"), Ok(()));
}

#[test]
fn after_the_login_one_comes_back_to_the_panel_only() {
    for good in ["/cp", "/cp/", "/cp/charts?span=24h&match=a//b", "/cp?box=sip1", "/cp/boxes?edit=sip1#x"] {
        assert_eq!(local_next(good), Some(good));
    }
    let long = format!("/cp?{}", "x".repeat(MAX_NEXT_LEN));
    let bad = [
        "",
        "/",
        "cp",
        "//evil.example",
        "/\\evil.example",
        "https://evil.example/cp",
        "/cpx",
        "/cp@evil.example",
        "/cp//evil.example",
        "/cp/../x",
        "/cp/%2e%2e/x",
        "/cp/\\evil",
        "/cp/%5cevil",
        "/cp/x\r\nset-cookie: a=b",
        "/cp/%0d%0a",
        "/cp/%ff",
        "/cp/login",
        "/cp/setup?token=x",
        "/cp/api/v1/me",
        "/cp/events",
        "/metrics",
        &long,
    ];
    for bad in bad {
        assert_eq!(local_next(bad), None, "{bad}");
    }
}

/// A panel of two routes whose caller is named by a header, as no store is needed to see the door work.
fn panel() -> Router {
    async fn shut(request: Request, next: Next) -> Response {
        let caller = request.headers().contains_key("x-known").then(account);
        let judged = judge(request.method(), request.uri(), request.headers(), caller.as_ref());
        let mut request = request;
        if let Some(caller) = caller {
            request.extensions_mut().insert(caller);
        }
        match judged {
            Ok(()) => next.run(request).await,
            Err(refusal) => refusal.into_response(),
        }
    }
    let who = |caller: Caller| async move { format!("{caller:?}") };
    Router::new().route("/cp/charts", any(who)).route("/healthz", any(|| async { "ok" })).layer(from_fn(shut))
}

async fn ask(method: Method, path: &str, known: bool) -> Response {
    let mut request = Request::builder().method(method).uri(path);
    if known {
        request = request.header("x-known", "1");
    }
    panel().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
}

#[tokio::test]
async fn people_are_sent_to_the_login_and_back() {
    let response = ask(Method::GET, "/cp/charts?span=24h&match=dialog:", false).await;
    assert_eq!(response.status(), StatusCode::SEE_OTHER);
    assert_eq!(response.headers()[header::LOCATION], "/cp/login?next=/cp/charts%3Fspan%3D24h%26match%3Ddialog%3A");
    let response = ask(Method::POST, "/cp/charts", false).await;
    assert_eq!(response.headers()[header::LOCATION], "/cp/login?again=1");
    assert_eq!(ask(Method::GET, "/cp/nothing", false).await.status(), StatusCode::SEE_OTHER);
    assert_eq!(ask(Method::GET, "/cp/nothing", true).await.status(), StatusCode::NOT_FOUND);
    assert_eq!(ask(Method::GET, "/healthz", false).await.status(), StatusCode::OK);
    assert_eq!(ask(Method::GET, "/cp/charts", true).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn tools_get_a_problem_that_says_what_to_send() {
    let response = ask(Method::GET, "/cp/api/v1/nothing", false).await;
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(response.headers()[header::WWW_AUTHENTICATE], "Bearer realm=\"tickmark\"");
    assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json");
    let body = axum::body::to_bytes(response.into_body(), 1000).await.unwrap();
    assert!(String::from_utf8_lossy(&body).contains("tickmark token create"));
}
