//! A panel for tests, and questions to it.

use std::{net::SocketAddr, time::Duration};

use reqwest::{Method, Response, StatusCode, header};
use serde_json::Value;
use server::{
    auth::{hash_secret, new_token},
    config::{CommonFlags, Environment, ServeConfig, ServeFlags, format_duration},
    serve::{Panel, ServeError},
    store::{Store, Token},
};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

#[path = "../support/database.rs"]
pub(crate) mod database;

pub(crate) use database::TestDatabase;

/// The password of `admin` in tests.
pub(crate) const PASSWORD: &str = "correct horse battery";
/// Waiting for something that must come takes at most this long, on however slow a machine.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// A running panel.
pub(crate) struct TestPanel {
    pub(crate) address: SocketAddr,
    /// Where its management interface is.
    pub(crate) mi: Option<SocketAddr>,
    pub(crate) setup_link: Option<String>,
    kept: Option<TestDatabase>,
    stop: CancellationToken,
    serving: Option<JoinHandle<Result<(), ServeError>>>,
    cookie: Option<String>,
}

/// How a panel is started.
pub(crate) struct Start {
    kept: TestDatabase,
    password: Option<&'static str>,
    interval: Duration,
    file: Option<String>,
    mi: ServeFlags,
}

impl Start {
    pub(crate) fn new() -> Self {
        Self { kept: TestDatabase::new(), password: Some(PASSWORD), interval: Duration::from_millis(200), file: None, mi: mi_at("off") }
    }

    /// With the database of a panel that ran before.
    pub(crate) fn again(kept: TestDatabase) -> Self {
        Self { kept, ..Self::new() }
    }

    pub(crate) fn without_password(mut self) -> Self {
        self.password = None;
        self
    }

    pub(crate) fn every(mut self, interval: Duration) -> Self {
        self.interval = interval;
        self
    }

    /// With a management interface, on a port that is free.
    pub(crate) fn with_mi(mut self) -> Self {
        self.mi = mi_at("127.0.0.1:0");
        self
    }

    /// With a management interface as these flags say.
    pub(crate) fn with_mi_flags(mut self, flags: ServeFlags) -> Self {
        self.mi = flags;
        self
    }

    /// With a configuration file.
    pub(crate) fn with_file(mut self, text: &str) -> Self {
        self.file = Some(text.to_owned());
        self
    }

    pub(crate) fn config(&self) -> ServeConfig {
        let file = self.file.as_ref().map(|text| {
            let path = self.kept.folder().join("tickmark.toml");
            std::fs::write(&path, text).unwrap();
            path.display().to_string()
        });
        let key_file = self.kept.folder().join("tickmark.key").display().to_string();
        let interval = Some(format_duration(self.interval));
        let flags = ServeFlags { listen: Some("127.0.0.1:0".into()), interval, ..self.mi.clone() };
        let common = CommonFlags { database: Some(self.kept.url()), config: file, key_file: Some(key_file) };
        let password: Environment = self.password.map(|password| ("TICKMARK_ADMIN_PASSWORD", password)).into_iter().collect();
        ServeConfig::load(&flags, &common, &password).unwrap()
    }

    /// A panel that nobody is signed in to.
    pub(crate) async fn open(self) -> TestPanel {
        let panel = Panel::start(self.config()).await.unwrap();
        let (address, mi, stop) = (panel.address(), panel.mi_address(), panel.stopper());
        let setup_link = panel.setup_link().map(str::to_owned);
        let serving = Some(tokio::spawn(panel.serve()));
        TestPanel { address, mi, setup_link, kept: Some(self.kept), stop, serving, cookie: None }
    }

    /// A panel with `admin` signed in.
    pub(crate) async fn signed_in(self) -> TestPanel {
        let mut panel = self.open().await;
        panel.sign_in().await;
        panel
    }
}

/// A management interface on an address, or `off`.
pub(crate) fn mi_at(address: &str) -> ServeFlags {
    ServeFlags { mi_listen: Some(address.to_owned()), ..ServeFlags::default() }
}

impl TestPanel {
    /// Signs `admin` in; later questions carry the session.
    pub(crate) async fn sign_in(&mut self) {
        let body = serde_json::json!({"user": "admin", "password": PASSWORD});
        let answer = self.ask(Method::POST, "/cp/api/v1/login", Some(&body)).await;
        assert_eq!(answer.status(), StatusCode::OK);
        let cookie = answer.headers()[header::SET_COOKIE].to_str().unwrap();
        self.cookie = Some(cookie.split(';').next().unwrap().to_owned());
    }

    /// Later questions carry no session.
    pub(crate) fn sign_out(&mut self) {
        self.cookie = None;
    }

    pub(crate) fn cookie(&self) -> &str {
        self.cookie.as_deref().unwrap()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// A client that follows nothing, so that tests see what the panel says.
    pub(crate) fn client() -> reqwest::Client {
        // Another test of this process may have installed it already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        // A stream of events may go on for longer, as long as something comes.
        reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).read_timeout(LIMIT).build().unwrap()
    }

    pub(crate) async fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> Response {
        let mut request = Self::client().request(method, self.url(path));
        if let Some(cookie) = &self.cookie {
            request = request.header(header::COOKIE, cookie);
        }
        if let Some(body) = body {
            request = request.header(header::CONTENT_TYPE, "application/json").body(body.to_string());
        }
        request.send().await.unwrap()
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        let answer = self.ask(Method::GET, path, None).await;
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert_eq!(status, StatusCode::OK, "{path}: {text}");
        serde_json::from_str(&text).unwrap()
    }

    /// Sends JSON and expects a status; answers the body, which may be empty.
    pub(crate) async fn send(&self, method: Method, path: &str, body: Value, expect: StatusCode) -> Value {
        let body = (!body.is_null()).then_some(body);
        let answer = self.ask(method, path, body.as_ref()).await;
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert_eq!(status, expect, "{path}: {text}");
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }

    /// Posts a form as a page of this panel does.
    pub(crate) async fn form(&self, path: &str, fields: &[(&str, &str)]) -> Response {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let mut request = Self::client().post(self.url(path)).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        request = request.header(header::ORIGIN, self.url(""));
        if let Some(cookie) = &self.cookie {
            request = request.header(header::COOKIE, cookie);
        }
        request.body(body).send().await.unwrap()
    }

    /// Adds a box of kind OpenSIPS.
    pub(crate) async fn add_box(&self, name: &str, address: &str) {
        let body = serde_json::json!({"name": name, "address": address, "kind": "opensips", "interval": "200ms"});
        self.send(Method::POST, "/cp/api/v1/boxes", body, StatusCode::CREATED).await;
    }

    /// Asks again until what must come has come.
    pub(crate) async fn until(&self, path: &str, is_there: impl Fn(&Value) -> bool) -> Value {
        let mut turns = tokio::time::interval(Duration::from_millis(50));
        let waiting = async {
            loop {
                turns.tick().await;
                let value = self.get(path).await;
                if is_there(&value) {
                    return value;
                }
            }
        };
        match tokio::time::timeout(LIMIT, waiting).await {
            Ok(value) => value,
            Err(_) => panic!("{path} never became what it must: {}", self.get(path).await),
        }
    }

    /// A new token for tools, named like its scope.
    pub(crate) async fn token(&self, scope: &str) -> String {
        let secret = new_token().unwrap();
        let store = Store::open(&self.database().url()).await.unwrap();
        let token = Token { name: scope.to_owned(), scope: scope.to_owned(), created_ms: 1 };
        store.add_token(&token, &hash_secret(&secret.0)).await.unwrap();
        store.close().await;
        secret.0
    }

    /// Another panel that shares its database, with `admin` signed in.
    pub(crate) async fn beside(&self) -> Self {
        let folder = self.database().folder().join("beside");
        std::fs::create_dir_all(&folder).unwrap();
        let key_file = folder.join("tickmark.key");
        std::fs::copy(self.database().folder().join("tickmark.key"), &key_file).unwrap();
        let flags = ServeFlags { listen: Some("127.0.0.1:0".into()), interval: Some("200ms".into()), ..mi_at("off") };
        let key_file = Some(key_file.display().to_string());
        let common = CommonFlags { database: Some(self.database().url()), config: None, key_file };
        let panel = Panel::start(ServeConfig::load(&flags, &common, &Environment::default()).unwrap()).await.unwrap();
        let (address, stop) = (panel.address(), panel.stopper());
        let serving = Some(tokio::spawn(panel.serve()));
        let mut beside = Self { address, mi: None, setup_link: None, kept: None, stop, serving, cookie: None };
        beside.sign_in().await;
        beside
    }

    /// Its database, and a folder beside it.
    pub(crate) fn database(&self) -> &TestDatabase {
        self.kept.as_ref().unwrap()
    }

    /// Asks for a text again until it says what it must.
    pub(crate) async fn until_text(&self, path: &str, is_there: impl Fn(&str) -> bool) -> String {
        let mut turns = tokio::time::interval(Duration::from_millis(50));
        let waiting = async {
            loop {
                turns.tick().await;
                let text = self.ask(Method::GET, path, None).await.text().await.unwrap();
                if is_there(&text) {
                    return text;
                }
            }
        };
        tokio::time::timeout(LIMIT, waiting).await.unwrap_or_else(|_| panic!("{path} never said what it must"))
    }

    /// Stops the panel as a signal does; its database stays for the next.
    pub(crate) async fn stop(mut self) -> TestDatabase {
        self.stop.cancel();
        if let Some(serving) = self.serving.take() {
            tokio::time::timeout(LIMIT, serving).await.expect("the panel ends").unwrap().unwrap();
        }
        self.kept.take().unwrap()
    }
}

impl Drop for TestPanel {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}
