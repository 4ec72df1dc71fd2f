//! HTTPS: certificates are checked, and can be told.

use std::sync::Arc;

use app::model::BoxKind;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use server::source::{Source, Target};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsAcceptor;

use super::{PATIENT, opensips, replay::Replay, source};

/// Set for the second run of this program, which trusts the certificate in `SSL_CERT_FILE`: a process cannot change its own
/// environment safely.
const ADDRESS: &str = "TICKMARK_TEST_TLS_ADDRESS";

/// A server's half of TLS with a certificate of its own, and that certificate.
fn acceptor() -> (TlsAcceptor, String) {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    (TlsAcceptor::from(Arc::new(config)), made.cert.pem())
}

fn over_tls(address: &str) -> Source {
    let address = format!("https://{address}/mi").parse().unwrap();
    Source::new(Target { kind: BoxKind::Opensips, address, user: None, password: None, time_limit: PATIENT }).unwrap()
}

#[tokio::test]
async fn a_certificate_nobody_trusts() {
    let (tls, _) = acceptor();
    let server = Replay::start_tls(tls, opensips).await;
    let error = over_tls(&server.address.to_string()).poll().await.unwrap_err();
    assert_eq!(error.kind(), "tls", "{error}");
    assert!(error.to_string().contains("SSL_CERT_FILE"), "{error}");
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn a_certificate_that_is_named_in_ssl_cert_file() {
    let (tls, pem) = acceptor();
    let server = Replay::start_tls(tls, opensips).await;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), pem).unwrap();
    let second = tokio::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "tls::polls_the_address_in_the_environment", "--nocapture"])
        .env("SSL_CERT_FILE", file.path())
        .env_remove("SSL_CERT_DIR")
        .env(ADDRESS, server.address.to_string())
        .output()
        .await
        .unwrap();
    assert!(second.status.success(), "{}", String::from_utf8_lossy(&second.stdout));
    assert_eq!(server.methods(), ["get_statistics"]);
}

#[tokio::test]
async fn polls_the_address_in_the_environment() {
    let Ok(address) = std::env::var(ADDRESS) else { return };
    over_tls(&address).poll().await.unwrap();
}

#[tokio::test]
async fn https_where_http_is_spoken() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (error, ()) = tokio::join!(async { over_tls(&address).poll().await.unwrap_err() }, async {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.read_u8().await.unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").await.unwrap();
    });
    assert_eq!(error.kind(), "tls", "{error}");
    assert!(error.to_string().contains("http://"), "{error}");
}

#[tokio::test]
async fn http_where_https_is_spoken() {
    let (tls, _) = acceptor();
    let server = Replay::start_tls(tls, opensips).await;
    let error = source(BoxKind::Opensips, &server, "/mi").poll().await.unwrap_err();
    assert_eq!(error.kind(), "closed", "{error}");
    assert!(error.to_string().contains("https://"), "{error}");
}
