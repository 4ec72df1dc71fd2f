//! Alerts by e-mail, to a server that speaks TLS from the begin, with a certificate of a private issuer.

use std::sync::Arc;

use rcgen::{CertificateParams, KeyPair};
use reqwest::{Method, StatusCode};
use serde_json::json;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpListener,
    sync::mpsc,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
    },
};

use crate::support::{LIMIT, Start};

/// A mail server: its port, its certificate, and what it is given.
async fn mail_server() -> (u16, String, mpsc::UnboundedReceiver<String>) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["localhost".to_owned()]).unwrap().self_signed(&key).unwrap();
    let chain = vec![certificate.der().clone()];
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (tell, taken) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, tell) = (acceptor.clone(), tell.clone());
            tokio::spawn(async move {
                let Ok(stream) = acceptor.accept(stream).await else { return };
                let _ = serve(BufReader::new(stream), &tell).await;
            });
        }
    });
    (port, certificate.pem(), taken)
}

/// One conversation, as RFC 5321 has it.
async fn serve<S: tokio::io::AsyncBufRead + tokio::io::AsyncWrite + Unpin>(
    mut stream: S,
    tell: &mpsc::UnboundedSender<String>,
) -> std::io::Result<()> {
    stream.write_all(b"220 localhost ESMTP\r\n").await?;
    let (mut mail, mut in_data) = (String::new(), false);
    let mut line = String::new();
    loop {
        line.clear();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        mail.push_str(&line);
        let word = line.get(..4).unwrap_or_default().to_ascii_uppercase();
        let answer = match (in_data, word.as_str()) {
            (true, _) if line == ".\r\n" => {
                in_data = false;
                tell.send(std::mem::take(&mut mail)).unwrap();
                "250 taken\r\n"
            }
            (true, _) => continue,
            (false, "EHLO") => "250-localhost\r\n250-8BITMIME\r\n250 AUTH PLAIN LOGIN\r\n",
            (false, "AUTH") => "235 welcome\r\n",
            (false, "DATA") => {
                in_data = true;
                "354 go on\r\n"
            }
            (false, "QUIT") => "221 bye\r\n",
            (false, _) => "250 ok\r\n",
        };
        stream.write_all(answer.as_bytes()).await?;
        stream.flush().await?;
    }
}

#[tokio::test]
async fn a_mail_goes_out_by_tls_and_only_to_whom_it_trusts() {
    let panel = Start::new().signed_in().await;
    let (port, pem, mut taken) = mail_server().await;
    let ca = panel.database().folder().join("ca.pem");
    std::fs::write(&ca, pem).unwrap();
    let mail = json!({"name": "post", "kind": "mail", "server": format!("localhost:{port}"), "tls": "tls", "user": "panel", "secret": "s3cret",
                      "from": "Panel <panel@example.org>", "to": "ops@example.org, boss@example.org"});
    panel.send(Method::POST, "/cp/api/v1/destinations", mail.clone(), StatusCode::CREATED).await;
    let tested = panel.send(Method::POST, "/cp/api/v1/destinations/post/test", json!(null), StatusCode::OK).await;
    assert_eq!(tested["ok"], false, "nobody vouches for it: {tested}");
    assert!(taken.try_recv().is_err());

    let mut trusted = mail;
    trusted.as_object_mut().unwrap().remove("name");
    trusted["ca"] = json!(ca.display().to_string());
    panel.send(Method::PUT, "/cp/api/v1/destinations/post", trusted, StatusCode::OK).await;
    let tested = panel.send(Method::POST, "/cp/api/v1/destinations/post/test", json!(null), StatusCode::OK).await;
    assert_eq!(tested["ok"], true, "{tested}");
    let conversation = tokio::time::timeout(LIMIT, taken.recv()).await.unwrap().unwrap();
    for part in [
        "MAIL FROM:<panel@example.org>",
        "RCPT TO:<ops@example.org>",
        "RCPT TO:<boss@example.org>",
        "Subject: [info] firing",
        "nothing is wrong",
    ] {
        assert!(conversation.contains(part), "{part}: {conversation}");
    }
}
