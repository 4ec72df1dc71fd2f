//! HTTPS: certificates are checked, and can be told.

use std::sync::Arc;

use app::model::BoxKind;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use server::source::{Source, Target, probe};
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

/// A server that wants to see a certificate by the same issuer as its own, the panel's certificate with its key, and the issuer.
fn mutual() -> (TlsAcceptor, [String; 3]) {
    let issuer_key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let issuer_cert = params.self_signed(&issuer_key).unwrap();
    let issuer = rcgen::Issuer::from_params(&params, &issuer_key);
    let issued = |name: &str| {
        let key = rcgen::KeyPair::generate().unwrap();
        (rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &issuer).unwrap(), key)
    };
    let ((server, server_key), (client, client_key)) = (issued("127.0.0.1"), issued("panel"));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut roots = rustls::RootCertStore::empty();
    roots.add(issuer_cert.der().clone()).unwrap();
    let verifier = rustls::server::WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider)).build().unwrap();
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier)
        .with_single_cert(vec![server.der().clone()], PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(server_key.serialize_der())))
        .unwrap();
    (TlsAcceptor::from(Arc::new(config)), [client.pem(), client_key.serialize_pem(), issuer_cert.pem()])
}

#[tokio::test]
async fn a_private_issuer_and_a_certificate_of_the_panel() {
    let (tls, [cert, key, ca]) = mutual();
    let server = Replay::start_tls(tls, opensips).await;
    let folder = tempfile::TempDir::new().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let (both, ca, cert, key) = (file("both", &format!("{cert}{key}")), file("ca", &ca), file("cert", &cert), file("key", &key));
    let at = |behind: &str| {
        let address = format!("https://{}/mi#{behind}", server.address).parse().unwrap();
        Source::new(Target { kind: BoxKind::Opensips, address, user: None, password: None, time_limit: PATIENT })
    };
    for behind in [format!("ca={ca}&cert={cert}&key={key}"), format!("ca={ca}&cert={both}")] {
        assert_eq!(at(&behind).unwrap().poll().await.unwrap().left_out, None, "{behind}");
    }
    let report = probe(&format!("https://{}#ca={ca}&cert={both}", server.address), None, None).await;
    assert_eq!(report.address, format!("https://{}/mi#ca={ca}&cert={both}", server.address), "{}", report.message);
    // The panel shows nothing, so the server closes; the other way round nothing is sent.
    assert!(matches!(at(&format!("ca={ca}")).unwrap().poll().await.unwrap_err().kind(), "tls" | "closed"));
    assert_eq!(at(&format!("cert={both}")).unwrap().poll().await.unwrap_err().kind(), "tls");

    for (behind, expect) in [
        (format!("ca={ca}.gone"), "cannot be read"),
        (format!("ca={key}"), "holds no certificate"),
        (format!("ca={ca}&cert={cert}"), "holds no certificate with its key"),
    ] {
        let error = at(&behind).err().unwrap().to_string();
        assert!(error.contains(expect) && !error.contains("PRIVATE"), "{behind}: {error}");
    }
}

#[tokio::test]
async fn a_certificate_that_is_not_checked_is_said_loudly() {
    let (tls, _) = acceptor();
    let server = Replay::start_tls(tls, opensips).await;
    let address = format!("https://{}/mi#verify=off", server.address).parse().unwrap();
    let target = Target { kind: BoxKind::Opensips, address, user: None, password: None, time_limit: PATIENT };
    let answer = Source::new(target).unwrap().poll().await.unwrap();
    assert!(answer.left_out.unwrap().contains("not checked"));
}
