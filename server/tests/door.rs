//! The door over a real store: the first start, the setup link, logins, sessions, tokens, and what the configuration file declares.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::{
    net::{IpAddr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use app::model::{BoxKind, Origin};
use axum::{
    Router,
    body::Body,
    http::{HeaderMap, HeaderValue, Request, StatusCode, Uri, header},
    middleware::from_fn_with_state,
    routing::get,
};
use serde_json::json;
use server::{
    auth::{Auth, Caller, LoginError, SESSION_LIFETIME_MS, Scope, SetupError, guard, hash_secret, new_token},
    config::{Provided, ProvidedBox, ProvidedPassword, ProvidedUser},
    provision::provision,
    source::Secret,
    store::{Store, Token},
    vault::Vault,
};
use tokio::net::TcpListener;
use tower::ServiceExt as _;

const LISTEN: &str = "127.0.0.1:8888";

async fn auth() -> (Store, Auth) {
    let store = Store::open("sqlite::memory:").await.unwrap();
    (store.clone(), Auth::new(store))
}

fn secret(text: &str) -> Secret {
    Secret(text.to_owned())
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// The headers of a browser that got this cookie.
fn with_cookie(set_cookie: &HeaderValue) -> HeaderMap {
    let pair = set_cookie.to_str().unwrap().split(';').next().unwrap();
    [(header::COOKIE, pair.parse().unwrap())].into_iter().collect()
}

fn with_token(token: &Secret) -> HeaderMap {
    [(header::AUTHORIZATION, format!("Bearer {}", token.0).parse().unwrap())].into_iter().collect()
}

/// An auth with the account `admin`.
async fn with_admin() -> (Store, Auth) {
    let (store, auth) = auth().await;
    let link = auth.first_start(Some(&secret("correct horse")), ("http", LISTEN.parse().unwrap()), 0).await.unwrap();
    assert_eq!(link, None);
    (store, auth)
}

#[tokio::test]
async fn the_setup_link_works_once() {
    let (store, auth) = auth().await;
    let first = auth.first_start(None, ("http", LISTEN.parse().unwrap()), 0).await.unwrap().unwrap();
    let link = auth.first_start(None, ("http", LISTEN.parse().unwrap()), 0).await.unwrap().unwrap();
    let token = |link: &str| link.split_once("http://127.0.0.1:8888/cp/setup?token=").unwrap().1.to_owned();
    let (older, token) = (token(&first), token(&link));
    let none = HeaderMap::new();
    let good = secret("correct horse");
    for bad in ["", "x", &older] {
        assert!(matches!(auth.setup(&none, bad, "admin", &good, 0).await, Err(SetupError::BadToken)), "{bad}");
    }
    assert!(matches!(auth.setup(&none, &token, "a b", &good, 0).await, Err(SetupError::Name(_))));
    assert!(matches!(auth.setup(&none, &token, "admin", &secret("short"), 0).await, Err(SetupError::Failed(_))));
    assert!(auth.setup_allowed(&token).await.unwrap());

    let cookie = auth.setup(&none, &token, "admin", &good, 0).await.unwrap();
    let caller = auth.caller(&with_cookie(&cookie.header()), 1).await.unwrap().unwrap();
    assert_eq!(caller.name(), "admin");
    assert!(matches!(auth.setup(&none, &token, "second", &good, 0).await, Err(SetupError::BadToken)));
    assert_eq!(auth.first_start(None, ("http", LISTEN.parse().unwrap()), 0).await.unwrap(), None);
    assert_eq!(store.accounts().await.unwrap().len(), 1);
}

#[tokio::test]
async fn an_account_from_elsewhere_ends_the_setup_link() {
    let (store, auth) = auth().await;
    let link = auth.first_start(None, ("http", LISTEN.parse().unwrap()), 0).await.unwrap().unwrap();
    store.add_account("anna", "x", 0).await.unwrap();
    let token = link.rsplit_once('=').unwrap().1;
    assert!(!auth.setup_allowed(token).await.unwrap());
}

#[tokio::test]
async fn a_login_begins_a_session_and_ends_the_one_before() {
    let (_, auth) = with_admin().await;
    let login = async |headers: &HeaderMap, password: &str| auth.login(headers, ip("10.0.0.1"), "admin", &secret(password), 0).await;
    assert!(matches!(login(&HeaderMap::new(), "wrong horse").await, Err(LoginError::Wrong)));
    let first = with_cookie(&login(&HeaderMap::new(), "correct horse").await.unwrap().header());
    assert!(auth.caller(&first, 1).await.unwrap().is_some());
    let second = with_cookie(&login(&first, "correct horse").await.unwrap().header());
    assert_ne!(first, second);
    assert_eq!(auth.caller(&first, 1).await.unwrap(), None);
    assert!(auth.caller(&second, SESSION_LIFETIME_MS - 1).await.unwrap().is_some());
    assert_eq!(auth.caller(&second, SESSION_LIFETIME_MS + 1).await.unwrap(), None);
    auth.logout(&second).await.unwrap();
    assert_eq!(auth.caller(&second, 1).await.unwrap(), None);
}

#[tokio::test]
async fn guessing_is_slowed_by_address_and_locks_nobody_else_out() {
    let (_, auth) = with_admin().await;
    let none = HeaderMap::new();
    let login = async |from: &str, user: &str, password: &str| auth.login(&none, ip(from), user, &secret(password), 0).await;
    for user in ["admin", "admin", "nobody", "admin", "nobody"] {
        assert!(matches!(login("10.0.0.1", user, "wrong horse").await, Err(LoginError::Wrong)));
    }
    assert!(matches!(login("10.0.0.1", "admin", "correct horse").await, Err(LoginError::Wait(_))));
    assert!(login("10.0.0.2", "admin", "correct horse").await.is_ok());
    assert!(auth.login(&none, ip("10.0.0.1"), "admin", &secret("correct horse"), 1_000).await.is_ok());
}

#[tokio::test]
async fn strangers_at_its_address_do_not_delay_a_browser_that_signed_in_before() {
    let (store, auth) = with_admin().await;
    let none = HeaderMap::new();
    let login =
        async |auth: &Auth, headers: &HeaderMap, password: &str| auth.login(headers, ip("10.0.0.1"), "admin", &secret(password), 0).await;
    login(&auth, &none, "correct horse").await.unwrap();
    let known = with_cookie(&auth.device_cookie(&none, "admin").await.unwrap());
    assert_eq!(auth.device_cookie(&known, "admin").await, None);
    // It is known after a new start, too.
    let auth = Auth::new(store);
    for _ in 0..5 {
        assert!(matches!(login(&auth, &none, "wrong horse").await, Err(LoginError::Wrong)));
    }
    assert!(matches!(login(&auth, &none, "correct horse").await, Err(LoginError::Wait(_))));
    assert!(login(&auth, &known, "correct horse").await.is_ok());
    for _ in 0..5 {
        assert!(matches!(login(&auth, &known, "wrong horse").await, Err(LoginError::Wrong)));
    }
    assert!(matches!(login(&auth, &known, "correct horse").await, Err(LoginError::Wait(_))));
}

#[tokio::test]
async fn tokens_are_known_until_they_are_revoked() {
    let (store, auth) = with_admin().await;
    let made = new_token().unwrap();
    let token = Token { name: "grafana".to_owned(), scope: "read".to_owned(), created_ms: 0 };
    store.add_token(&token, &hash_secret(&made.0)).await.unwrap();
    let expect = Caller::Token { name: "grafana".to_owned(), scope: Scope::Read };
    assert_eq!(auth.caller(&with_token(&made), 1).await.unwrap(), Some(expect));
    assert_eq!(auth.caller(&with_token(&new_token().unwrap()), 1).await.unwrap(), None);
    // A bad token is not made good by a session beside it.
    let cookie = auth.login(&HeaderMap::new(), ip("10.0.0.1"), "admin", &secret("correct horse"), 0).await.unwrap();
    let mut both = with_cookie(&cookie.header());
    both.extend(with_token(&new_token().unwrap()));
    assert_eq!(auth.caller(&both, 1).await.unwrap(), None);
    store.revoke_token("grafana").await.unwrap();
    assert_eq!(auth.caller(&with_token(&made), 1).await.unwrap(), None);
}

#[tokio::test]
async fn a_changed_password_ends_the_sessions() {
    let (store, auth) = with_admin().await;
    let cookie = auth.login(&HeaderMap::new(), ip("10.0.0.1"), "admin", &secret("correct horse"), 0).await.unwrap();
    let hash = auth.passwords().hash(&secret("another horse")).await.unwrap();
    store.set_password("admin", &hash).await.unwrap();
    assert_eq!(auth.caller(&with_cookie(&cookie.header()), 1).await.unwrap(), None);
}

#[tokio::test]
async fn the_guard_knows_callers() {
    let (store, auth) = with_admin().await;
    let made = new_token().unwrap();
    let token = Token { name: "grafana".to_owned(), scope: "read".to_owned(), created_ms: 0 };
    store.add_token(&token, &hash_secret(&made.0)).await.unwrap();
    let who = get(async |caller: Caller| caller.name().to_owned()).post(async || "done");
    let panel = Router::new().route("/cp/api/v1/boxes", who).layer(from_fn_with_state(Arc::new(auth), guard));
    let ask = async |method: &str, token: Option<&Secret>| {
        let mut request = Request::builder().method(method).uri("/cp/api/v1/boxes");
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {}", token.0));
        }
        panel.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap().status()
    };
    assert_eq!(ask("GET", None).await, StatusCode::UNAUTHORIZED);
    assert_eq!(ask("GET", Some(&secret("tmk_x"))).await, StatusCode::UNAUTHORIZED);
    assert_eq!(ask("GET", Some(&made)).await, StatusCode::OK);
    assert_eq!(ask("POST", Some(&made)).await, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn what_the_file_declares_is_provided_once_and_taken_away_again() {
    let (store, auth) = auth().await;
    let vault = Vault::in_memory().unwrap();
    let provided = Provided {
        boxes: vec![ProvidedBox {
            name: "sip1".to_owned(),
            address: "http://10.0.0.5:8888/mi".parse().unwrap(),
            kind: Some(BoxKind::Opensips),
            interval: None,
            user: None,
            password: Some(secret("s3cret")),
            labels: [("site".to_owned(), "north".to_owned())].into(),
            paused: false,
            ticks: Some(vec!["dialog:".to_owned()]),
        }],
        users: vec![ProvidedUser {
            name: "anna".to_owned(),
            password: ProvidedPassword::Plain(secret("correct horse")),
            scope: Scope::Admin,
        }],
        ..Provided::default()
    };
    let provide = async |provided: &Provided| provision(&store, auth.passwords(), &vault, provided, 0).await.unwrap();
    assert!(provide(&provided).await.notices.is_empty());
    let boxes = async || store.boxes().await.unwrap().into_iter().filter(|stored| stored.spec.origin == Origin::Config).collect::<Vec<_>>();
    let before = boxes().await;
    let revision = store.revision().await.unwrap();
    let cookie = auth.login(&HeaderMap::new(), ip("10.0.0.1"), "anna", &secret("correct horse"), 0).await.unwrap();
    provide(&provided).await;
    assert_eq!((boxes().await, store.revision().await.unwrap()), (before.clone(), revision), "a second start changes nothing");
    assert!(auth.caller(&with_cookie(&cookie.header()), 1).await.unwrap().is_some());
    assert_eq!(store.ticks(before[0].id).await.unwrap()[0].pattern, "dialog:");
    // Without its ticks, but with the box.
    let bare = ProvidedBox { ticks: None, ..provided.boxes[0].clone() };
    provide(&Provided { boxes: vec![bare], ..provided.clone() }).await;
    assert_eq!((boxes().await, store.ticks(before[0].id).await.unwrap()), (before, Vec::new()));
    provide(&Provided::default()).await;
    assert_eq!(boxes().await, []);
}

#[tokio::test]
async fn accounts_leave_with_the_file_and_those_of_the_panel_stay() {
    let (store, auth) = with_admin().await;
    let vault = Vault::in_memory().unwrap();
    let provide = async |users: &[(&str, &str)]| {
        let user = |&(name, password): &(&str, &str)| ProvidedUser {
            name: name.to_owned(),
            password: ProvidedPassword::Plain(secret(password)),
            scope: Scope::Admin,
        };
        let provided = Provided { users: users.iter().map(user).collect(), ..Provided::default() };
        provision(&store, auth.passwords(), &vault, &provided, 0).await.unwrap();
    };
    let login = async |user: &str, password: &str| auth.login(&HeaderMap::new(), ip("10.0.0.1"), user, &secret(password), 0).await;
    let names = async || store.accounts().await.unwrap().into_iter().map(|account| (account.name, account.origin)).collect::<Vec<_>>();
    store.add_account("bob", &auth.passwords().hash(&secret("bob's own horse")).await.unwrap(), 0).await.unwrap();
    let bob = with_cookie(&login("bob", "bob's own horse").await.unwrap().header());
    provide(&[("anna", "correct horse"), ("bob", "bob's own horse")]).await;
    let (panel, file) = (Origin::Panel, Origin::Config);
    assert_eq!(names().await, [("admin".to_owned(), panel), ("anna".to_owned(), file), ("bob".to_owned(), file)]);
    assert!(auth.caller(&bob, 1).await.unwrap().is_some(), "the same password ends no session");
    let anna = with_cookie(&login("anna", "correct horse").await.unwrap().header());
    provide(&[("bob", "another horse")]).await;
    assert_eq!(names().await, [("admin".to_owned(), panel), ("bob".to_owned(), file)]);
    assert_eq!((auth.caller(&anna, 1).await.unwrap(), auth.caller(&bob, 1).await.unwrap()), (None, None));
    assert!(matches!(login("anna", "correct horse").await, Err(LoginError::Wrong)));
    provide(&[]).await;
    assert_eq!(names().await, [("admin".to_owned(), panel)]);
    assert!(login("admin", "correct horse").await.is_ok());
}

/// A Kamailio that is asleep at first, and how often it was asked.
#[derive(Clone, Default)]
struct Sleeper {
    awake: Arc<AtomicBool>,
    asked: Arc<AtomicUsize>,
}

impl Sleeper {
    async fn start(&self) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let this = self.clone();
        let router = Router::new().fallback(async move |uri: Uri, body: String| this.answer(uri.path(), &body));
        tokio::spawn(async move { axum::serve(listener, router).await });
        address
    }

    fn answer(&self, path: &str, body: &str) -> (StatusCode, String) {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let ask: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
        let result = match ask["method"].as_str() {
            _ if !self.awake.load(Ordering::Relaxed) => return (StatusCode::SERVICE_UNAVAILABLE, String::new()),
            _ if path != "/RPC" => return (StatusCode::NOT_FOUND, String::new()),
            Some("core.version") => json!("kamailio 5.6.3 (x86_64/linux)"),
            Some("stats.fetchn") => json!({"core.rcv_requests": 1}),
            _ => return (StatusCode::INTERNAL_SERVER_ERROR, String::new()),
        };
        (StatusCode::OK, json!({"jsonrpc": "2.0", "result": result, "id": ask["id"]}).to_string())
    }
}

#[tokio::test]
async fn a_guess_is_asked_again_at_each_start_and_what_was_found_is_not() {
    let (store, auth) = auth().await;
    let vault = Vault::in_memory().unwrap();
    let kamailio = Sleeper::default();
    let address = kamailio.start().await;
    let provide = async |path: &str, kind: Option<BoxKind>| {
        let wanted = ProvidedBox {
            name: "kam1".to_owned(),
            address: format!("http://{address}{path}").parse().unwrap(),
            kind,
            interval: None,
            user: None,
            password: None,
            labels: [].into(),
            paused: false,
            ticks: None,
        };
        let done = provision(&store, auth.passwords(), &vault, &Provided { boxes: vec![wanted], ..Provided::default() }, 0).await.unwrap();
        let spec = store.boxes().await.unwrap().remove(0).spec;
        let path = spec.address.strip_prefix(&format!("http://{address}")).unwrap().to_owned();
        (spec.kind, path, done.guesses.len(), kamailio.asked.swap(0, Ordering::Relaxed) > 0)
    };
    let (guessed, found) = ((BoxKind::Opensips, "/".to_owned(), 1, true), (BoxKind::Kamailio, "/RPC".to_owned(), 0));
    assert_eq!(provide("/", None).await, guessed);
    let revision = store.revision().await.unwrap();
    assert_eq!((provide("/", None).await, store.revision().await.unwrap()), (guessed, revision), "a second guess changes nothing");
    kamailio.awake.store(true, Ordering::Relaxed);
    assert_eq!(provide("/", None).await, (found.0, found.1.clone(), 0, true));
    kamailio.awake.store(false, Ordering::Relaxed);
    assert_eq!(provide("/", None).await, (found.0, found.1, 0, false), "what was found stays, also while the box is down");
    // The address that was found begins with this one, and yet it is another.
    assert_eq!(provide("/R", None).await, (BoxKind::Opensips, "/R".to_owned(), 1, true));
    // What the file said is no finding.
    assert_eq!(provide("/RPC", Some(BoxKind::Kamailio)).await, (BoxKind::Kamailio, "/RPC".to_owned(), 0, false));
    assert_eq!(provide("/RPC", None).await, (BoxKind::Opensips, "/RPC".to_owned(), 1, true));
}
