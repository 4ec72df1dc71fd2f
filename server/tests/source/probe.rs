//! What an address is found to be.

use app::model::{BoxKind, ProbeReport, Verdict};
use server::source::{Secret, probe};

use super::{
    kamailio, opensips,
    replay::{Action, Replay},
    wires::{metrics, opensips_2_4, xml_rpc_2_4},
};

async fn ask(server: &Replay, path: &str) -> ProbeReport {
    probe(&format!("http://{}{path}", server.address), None, None).await
}

#[tokio::test]
async fn an_opensips() {
    let server = Replay::start(opensips).await;
    let with_path = ask(&server, "/mi").await;
    assert_eq!(with_path.verdict, Verdict::Opensips, "{}", with_path.message);
    assert_eq!((with_path.kind, with_path.server.as_deref()), (Some(BoxKind::Opensips), Some("OpenSIPS 4.0.1")));
    assert_eq!(with_path.statistics, Some(187));
    assert_eq!(with_path.address, format!("http://{}/mi", server.address));
    assert_eq!(ask(&server, "").await, with_path);
    assert_eq!(probe(&server.address.to_string(), None, None).await, with_path);
}

#[tokio::test]
async fn a_kamailio() {
    let server = Replay::start(kamailio).await;
    let report = ask(&server, "").await;
    assert_eq!(report.verdict, Verdict::Kamailio, "{}", report.message);
    assert_eq!((report.kind, report.server.as_deref()), (Some(BoxKind::Kamailio), Some("Kamailio 5.6.3")));
    assert!(report.statistics.is_some_and(|count| count > 100), "{}", report.message);
    assert_eq!(report.address, format!("http://{}/RPC", server.address));
}

#[tokio::test]
async fn a_wrong_path() {
    let server = Replay::start(opensips).await;
    let report = ask(&server, "/nope").await;
    assert_eq!(report.verdict, Verdict::WrongPath);
    assert_eq!(report.address, format!("http://{}/mi", server.address));
    assert!(report.message.contains("answers at /mi, not at /nope"), "{}", report.message);

    let server = Replay::start(kamailio).await;
    let report = ask(&server, "/mi").await;
    assert_eq!((report.verdict, report.kind), (Verdict::WrongPath, Some(BoxKind::Kamailio)));
    assert!(report.message.contains("answers at /RPC, not at /mi"), "{}", report.message);
}

#[tokio::test]
async fn a_sip_server_whose_path_is_unusual() {
    let server = Replay::start(|request| request.recorded("opensips-4.0/path_unknown")).await;
    let report = ask(&server, "").await;
    assert_eq!((report.verdict, report.kind), (Verdict::WrongPath, None), "{}", report.message);
    let server = Replay::start(|request| request.recorded("kamailio-5.6/get_notfound")).await;
    let report = ask(&server, "/rpc2").await;
    assert_eq!(report.verdict, Verdict::WrongPath);
    assert!(report.message.contains("jsonrpc_dispatch"), "{}", report.message);
}

#[tokio::test]
async fn a_password_is_wanted() {
    let server = Replay::start(|request| match request.header("authorization") {
        Some("Basic YWRtaW46czNjcmV0") => opensips(request),
        _ => request.recorded("opensips-4.0/auth_none"),
    })
    .await;
    let address = server.address.to_string();
    assert_eq!(probe(&address, None, None).await.verdict, Verdict::NeedsPassword);
    let secret = |text: &str| Secret(text.to_owned());
    assert_eq!(probe(&address, Some("admin"), Some(&secret("other"))).await.verdict, Verdict::NeedsPassword);
    assert_eq!(probe(&address, Some("admin"), Some(&secret("s3cret"))).await.verdict, Verdict::Opensips);
}

#[tokio::test]
async fn an_opensips_2_4() {
    let server = Replay::start(opensips_2_4).await;
    for (path, verdict) in [("", Verdict::Opensips), ("/json", Verdict::Opensips), ("/mi", Verdict::WrongPath)] {
        let report = ask(&server, path).await;
        assert_eq!((report.verdict, report.kind), (verdict, Some(BoxKind::Opensips2)), "{path}: {}", report.message);
        assert_eq!(report.address, format!("http://{}/json", server.address));
        assert_eq!((report.server.as_deref(), report.statistics), (Some("OpenSIPS 2.4.11"), Some(181)), "{}", report.message);
    }
}

#[tokio::test]
async fn an_opensips_with_xml_rpc_alone() {
    let server = Replay::start(xml_rpc_2_4).await;
    for address in [server.address.to_string(), format!("xmlrpc+http://{}/RPC2", server.address)] {
        let report = probe(&address, None, None).await;
        assert_eq!((report.verdict, report.kind), (Verdict::Opensips, Some(BoxKind::Opensips2)), "{}", report.message);
        assert_eq!(report.address, format!("xmlrpc+http://{}/RPC2", server.address));
    }
}

#[tokio::test]
async fn an_exporter() {
    let server = Replay::start(metrics).await;
    let address = format!("prometheus+http://{}/metrics", server.address);
    for typed in [server.address.to_string(), format!("{}/metrics", server.address), address.clone()] {
        let report = probe(&typed, None, None).await;
        assert_eq!((report.verdict, report.kind), (Verdict::Prometheus, Some(BoxKind::Prometheus)), "{}", report.message);
        assert_eq!(report.address, address);
        assert!(report.statistics.is_some_and(|count| count > 100));
    }
}

#[tokio::test]
async fn no_sip_server() {
    let page = "HTTP/1.1 200 OK\r\nServer: nginx\r\nContent-Type: text/html\r\nContent-Length: 15\r\n\r\n<html>Hi</html>";
    let server = Replay::start(move |_| Action::Answer(page.into())).await;
    assert_eq!(ask(&server, "").await.verdict, Verdict::NotSip);
    let server = Replay::start(|_| Action::Answer("HTTP/1.1 404 Not Found\r\nServer: nginx\r\nContent-Length: 0\r\n\r\n".into())).await;
    let report = ask(&server, "/mi").await;
    assert_eq!(report.verdict, Verdict::NotSip);
    assert!(report.kind.is_none() && report.statistics.is_none());
}

#[tokio::test]
async fn what_is_known_is_told_although_the_rest_is_silent() {
    let server = Replay::start(|request| match request.line.split(' ').next() {
        Some("POST") => request.recorded_last("opensips-2.4/bad_root"),
        _ => Action::Silence,
    })
    .await;
    let report = ask(&server, "/mi").await;
    assert_eq!(report.verdict, Verdict::WrongPath);
    assert!(report.message.contains("the HTTP server of an OpenSIPS"), "{}", report.message);
}

#[tokio::test]
async fn nothing_there() {
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let report = probe(&format!("http://{free}/mi"), None, None).await;
    assert_eq!(report.verdict, Verdict::Unreachable);
    assert_eq!(report.address, format!("http://{free}/mi"));
}

#[tokio::test]
async fn no_address() {
    let report = probe("ftp://sip1", None, None).await;
    assert_eq!(report.verdict, Verdict::Unreachable);
    assert!(report.message.contains("http://"), "{}", report.message);
    let report = probe("http://admin:s3cret@sip1/mi", None, None).await;
    assert!(!format!("{report:?}").contains("s3cret"), "the address is shown without its password");
}
