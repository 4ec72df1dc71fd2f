//! The panel over HTTPS.

use std::sync::Arc;

use reqwest::{StatusCode, header};
use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject};
use server::{config::ServeFlags, serve::Panel};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::TlsConnector;

use crate::support::{LIMIT, PASSWORD, Start, mi_at};

/// A certificate for 127.0.0.1 in a folder, and how a panel is started with it.
fn with_certificate(folder: &std::path::Path) -> (String, ServeFlags) {
    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned(), "localhost".to_owned()]).unwrap();
    let (cert, key) = (folder.join("cert.pem"), folder.join("key.pem"));
    std::fs::write(&cert, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let path = |path: &std::path::Path| Some(path.display().to_string());
    (made.cert.pem(), ServeFlags { tls_cert: path(&cert), tls_key: path(&key), ..mi_at("off") })
}

fn client(pem: &str) -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let trusted = reqwest::Certificate::from_pem(pem.as_bytes()).unwrap();
    reqwest::Client::builder().tls_certs_only([trusted]).redirect(reqwest::redirect::Policy::none()).timeout(LIMIT).build().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn people_sign_in_over_https_and_the_session_stays_there() {
    let folder = tempfile::tempdir().unwrap();
    let (pem, flags) = with_certificate(folder.path());
    let panel = Start::new().with_mi_flags(flags).open().await;
    let (client, at) = (client(&pem), format!("https://{}", panel.address));
    let login = client.post(format!("{at}/cp/api/v1/login")).header(header::CONTENT_TYPE, "application/json");
    let login = login.header(header::ORIGIN, &at).body(format!(r#"{{"user":"admin","password":"{PASSWORD}"}}"#)).send().await.unwrap();
    assert_eq!(login.status(), StatusCode::OK);
    let cookie = login.headers()[header::SET_COOKIE].to_str().unwrap().to_owned();
    assert!(cookie.contains("; Secure"), "{cookie}");
    let session = cookie.split(';').next().unwrap();
    let page = client.get(format!("{at}/cp")).header(header::COOKIE, session).send().await.unwrap();
    assert_eq!(page.status(), StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_setup_link_says_https() {
    let folder = tempfile::tempdir().unwrap();
    let (_, flags) = with_certificate(folder.path());
    let panel = Start::new().without_password().with_mi_flags(flags).open().await;
    let link = panel.setup_link.clone().unwrap();
    assert!(link.starts_with(&format!("https://{}/cp/setup?token=", panel.address)), "{link}");
}

#[tokio::test(flavor = "multi_thread")]
async fn http_2_is_spoken_with_whoever_can() {
    let folder = tempfile::tempdir().unwrap();
    let (pem, flags) = with_certificate(folder.path());
    let panel = Start::new().with_mi_flags(flags).open().await;
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let mut config = config.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let stream = TcpStream::connect(panel.address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(b"h2".as_slice()));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_speaks_plain_http_is_told_and_who_says_nothing_delays_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let (pem, flags) = with_certificate(folder.path());
    let panel = Start::new().with_mi_flags(flags).open().await;
    // They hold their connections, and never shake hands.
    let mut silent = Vec::new();
    for _ in 0..20 {
        silent.push(TcpStream::connect(panel.address).await.unwrap());
    }
    let mut plain = TcpStream::connect(panel.address).await.unwrap();
    plain.write_all(b"GET /cp HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    plain.shutdown().await.unwrap();
    let mut text = String::new();
    tokio::time::timeout(LIMIT, plain.read_to_string(&mut text)).await.unwrap().unwrap();
    assert!(text.starts_with("HTTP/1.1 400 ") && text.contains("write https:// in the address"), "{text}");
    let health = client(&pem).get(format!("https://{}/healthz", panel.address)).send().await.unwrap();
    assert_eq!(health.status(), StatusCode::OK);
    drop(silent);
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_are_wrong_are_said_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let (_, flags) = with_certificate(folder.path());
    std::fs::write(folder.path().join("key.pem"), "nothing").unwrap();
    let start = Start::new().with_mi_flags(flags);
    let error = Panel::start(start.config()).await.err().unwrap().to_string();
    assert!(error.contains("the private key of --tls-key cannot be read from") && error.contains("key.pem"), "{error}");
}
