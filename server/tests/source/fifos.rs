//! Boxes that are asked over FIFOs: both framings of OpenSIPS and Kamailio's, and every way in which that can go wrong.

use std::{path::Path, time::Duration};

use app::model::{BoxKind, Kind, Number, Verdict};
use server::source::{Source, Target, probe};
use tempfile::TempDir;

use super::{
    PATIENT,
    local::{Command, FifoServer, Framing, Reply, make_fifo},
    value,
};

/// Long enough for an answer that comes, and short enough to be waited for.
const SHORT: Duration = Duration::from_millis(300);

fn recorded(path: &str) -> Vec<u8> {
    let file = format!("{}/tests/captures/{path}.resp", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&file).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// A recorded answer of JSON-RPC with another id.
fn with_id(path: &str, id: i64) -> Vec<u8> {
    let text = String::from_utf8(recorded(path)).unwrap();
    format!("{}\"id\":{id}}}", &text[..text.rfind("\"id\":").unwrap()]).into_bytes()
}

fn result(command: &Command, result: &str) -> Reply {
    Reply::Text(format!(r#"{{"jsonrpc":"2.0","result":{result},"id":{}}}"#, command.id).into_bytes())
}

/// OpenSIPS 2.4.11 as it was recorded.
fn opensips_2(command: &Command) -> Reply {
    Reply::Text(match (command.method.as_str(), command.arguments.first().map(String::as_str)) {
        ("get_statistics", Some("all")) => recorded("opensips-2.4/fifo_get_all"),
        ("get_statistics", _) => recorded("opensips-2.4/fifo_unknown"),
        ("list_statistics", _) => recorded("opensips-2.4/fifo_list"),
        ("uptime", _) => recorded("opensips-2.4/fifo_uptime"),
        ("version", _) => recorded("opensips-2.4/fifo_version"),
        _ => recorded("opensips-2.4/fifo_unknown_cmd"),
    })
}

/// OpenSIPS 4.0.1 as it was recorded.
fn opensips_4(command: &Command) -> Reply {
    match command.method.as_str() {
        "get_statistics" => Reply::Text(with_id("opensips-4.0/fifo_get_all", command.id)),
        "list_statistics" => Reply::Text(with_id("opensips-4.0/fifo_list", command.id)),
        "version" => result(command, r#"{"Server":"OpenSIPS (4.0.1 (x86_64/linux))"}"#),
        _ => Reply::Never,
    }
}

/// A Kamailio.
fn kamailio(command: &Command) -> Reply {
    match command.method.as_str() {
        "stats.fetchn" => result(command, r#"{"core.rcv_requests":34}"#),
        "core.version" => result(command, r#""kamailio 5.6.3 (x86_64/linux) ""#),
        "core.uptime" => result(command, r#"{"uptime":81}"#),
        _ => Reply::Never,
    }
}

fn source(kind: BoxKind, folder: &Path, time_limit: Duration) -> Source {
    let address = format!("fifo:{0}/fifo?reply_dir={0}", folder.display()).parse().unwrap();
    Source::new(Target { kind, address, user: None, password: None, time_limit }).unwrap()
}

/// Nothing but the server's FIFO is in the folder.
#[track_caller]
fn is_tidy(folder: &TempDir) {
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| name == "fifo" || name == "target"), "{left:?}");
}

#[tokio::test]
async fn opensips_4_is_polled() {
    let folder = TempDir::new().unwrap();
    let server = FifoServer::start(folder.path(), Framing::Json, opensips_4);
    let mut source = source(BoxKind::Opensips, folder.path(), PATIENT);
    let first = source.poll().await.unwrap();
    let second = source.poll().await.unwrap();
    assert!(first.names.len() > 150 && std::sync::Arc::ptr_eq(&first.names, &second.names));
    assert_eq!(value(&first, "shmem:total_size"), Ok(Number::Int(67_108_864)));
    assert_eq!(source.server().await.unwrap(), "OpenSIPS 4.0.1");
    assert!(source.kinds().await.unwrap().contains(&("core:rcv_requests".into(), Kind::Counter)));
    let seen = server.seen();
    assert_eq!(
        seen.iter().map(|command| command.method.as_str()).collect::<Vec<_>>(),
        ["get_statistics", "get_statistics", "version", "list_statistics"]
    );
    assert!(seen[0].id != seen[1].id && seen[0].reply != seen[1].reply, "neither is guessed from the last one");
    assert!(seen.iter().all(|command| command.reply.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')));
    assert_eq!(server.late(), 0);
    is_tidy(&folder);
}

#[tokio::test]
async fn opensips_2_4_is_polled() {
    let folder = TempDir::new().unwrap();
    let server = FifoServer::start(folder.path(), Framing::Text, opensips_2);
    let mut source = source(BoxKind::Opensips2, folder.path(), PATIENT);
    let answer = source.poll().await.unwrap();
    assert_eq!(value(&answer, "shmem:total_size"), Ok(Number::Int(67_108_864)));
    assert_eq!(answer.started_at_ms, Some(answer.at_ms - 67_000));
    assert_eq!(source.server().await.unwrap(), "OpenSIPS 2.4.11");
    assert!(source.kinds().await.unwrap().contains(&("dialog:active_dialogs".into(), Kind::Gauge)));
    assert_eq!((server.seen().len(), server.late()), (3, 0));
    is_tidy(&folder);
}

#[tokio::test]
async fn kamailio_is_polled() {
    let folder = TempDir::new().unwrap();
    let server = FifoServer::start(folder.path(), Framing::Kamailio, kamailio);
    let answer = source(BoxKind::Kamailio, folder.path(), PATIENT).poll().await.unwrap();
    assert_eq!(value(&answer, "core:rcv_requests"), Ok(Number::Int(34)));
    assert!(answer.started_at_ms.is_some());
    assert_eq!(server.late(), 0);
    is_tidy(&folder);
}

/// Without a word about the dialect: what is found, and that the server serves whoever comes next.
#[tokio::test]
async fn a_probe_finds_the_dialect_and_leaves_the_server_well() {
    type Script = fn(&Command) -> Reply;
    let servers: [(Framing, Script, BoxKind, Verdict, &str); 3] = [
        (Framing::Text, opensips_2, BoxKind::Opensips2, Verdict::Opensips, "OpenSIPS 2.4.11"),
        (Framing::Json, opensips_4, BoxKind::Opensips, Verdict::Opensips, "OpenSIPS 4.0.1"),
        (Framing::Kamailio, kamailio, BoxKind::Kamailio, Verdict::Kamailio, "Kamailio 5.6.3"),
    ];
    for (framing, script, kind, verdict, name) in servers {
        let folder = TempDir::new().unwrap();
        let server = FifoServer::start(folder.path(), framing, script);
        let address = format!("fifo:{0}/fifo?reply_dir={0}", folder.path().display());
        let report = probe(&address, None, None).await;
        assert_eq!((report.verdict, report.kind, report.server.as_deref()), (verdict, Some(kind), Some(name)), "{}", report.message);
        assert_eq!(report.address, address);
        assert!(report.statistics.is_some_and(|count| count > 0), "{}", report.message);
        source(kind, folder.path(), PATIENT).poll().await.unwrap();
        assert_eq!(server.late(), 0, "every reply had its reader");
        is_tidy(&folder);
    }
}

/// The recording's hazard itself, so that the order of the probe is no accident: JSON first wedges OpenSIPS 2.x for the next client.
#[tokio::test]
async fn json_wedges_opensips_2_for_the_next_client() {
    let folder = TempDir::new().unwrap();
    let _server = FifoServer::start(folder.path(), Framing::Text, opensips_2);
    assert_eq!(source(BoxKind::Opensips, folder.path(), SHORT).poll().await.unwrap_err().kind(), "timeout");
    assert_eq!(source(BoxKind::Opensips2, folder.path(), SHORT).poll().await.unwrap_err().kind(), "timeout");
    is_tidy(&folder);
}

#[tokio::test]
async fn a_dialect_in_the_address_is_asked_alone() {
    let folder = TempDir::new().unwrap();
    let server = FifoServer::start(folder.path(), Framing::Json, opensips_4);
    let report = probe(&format!("fifo:{0}/fifo?reply_dir={0}&dialect=4", folder.path().display()), None, None).await;
    assert_eq!(report.kind, Some(BoxKind::Opensips), "{}", report.message);
    assert_eq!(server.seen().len(), 2);
}

#[track_caller]
fn unreachable(error: &server::source::SourceError, expect: &str) {
    assert_eq!(error.kind(), "unreachable", "{error}");
    assert!(error.to_string().contains(expect), "{error}");
}

#[tokio::test]
async fn what_is_not_the_servers_fifo() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("fifo");
    let mut source = source(BoxKind::Opensips, folder.path(), PATIENT);
    unreachable(&source.poll().await.unwrap_err(), "it is not there");

    make_fifo(&path);
    unreachable(&source.poll().await.unwrap_err(), "no server reads it");

    std::fs::rename(&path, folder.path().join("target")).unwrap();
    let _server = tokio::net::unix::pipe::OpenOptions::new().read_write(true).open_receiver(folder.path().join("target")).unwrap();
    std::os::unix::fs::symlink("target", &path).unwrap();
    unreachable(&source.poll().await.unwrap_err(), "it is a link");

    std::fs::remove_file(&path).unwrap();
    std::fs::write(&path, "precious").unwrap();
    unreachable(&source.poll().await.unwrap_err(), "is no FIFO");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "precious");
    is_tidy(&folder);
}

#[tokio::test]
async fn a_server_that_reads_nothing_more() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("fifo");
    make_fifo(&path);
    let flags = rustix::fs::OFlags::RDWR | rustix::fs::OFlags::NONBLOCK;
    let hanging = rustix::fs::open(&path, flags, rustix::fs::Mode::empty()).unwrap();
    while rustix::io::write(&hanging, &[b'x'; 4096]).is_ok() {}
    unreachable(&source(BoxKind::Opensips, folder.path(), PATIENT).poll().await.unwrap_err(), "the server does not read its FIFO");
    is_tidy(&folder);
}

/// A server that hangs and goes on finds one question of ours, however often it was asked meanwhile, and answers the next.
#[tokio::test]
async fn questions_do_not_heap_up_before_a_server_that_hangs() {
    let folder = TempDir::new().unwrap();
    let server = FifoServer::stopped(folder.path(), Framing::Json, opensips_4);
    let mut source = source(BoxKind::Opensips, folder.path(), Duration::from_secs(2));
    assert_eq!(source.poll().await.unwrap_err().kind(), "timeout", "the first lies there unread");
    for _ in 0..3 {
        unreachable(&source.poll().await.unwrap_err(), "the server does not read its FIFO");
    }
    let others = (0..20).map(|_| async { self::source(BoxKind::Opensips, folder.path(), PATIENT).poll().await.unwrap_err() });
    for error in futures::future::join_all(others).await {
        unreachable(&error, "the server does not read its FIFO");
    }
    is_tidy(&folder);
    server.go_on();
    source.poll().await.unwrap();
    assert_eq!((server.seen().len(), server.late()), (2, 1), "the one that was given up, and the one that was answered");
    is_tidy(&folder);
}

/// Something of another client may lie in the FIFO for a moment: the server reads it, and the question is asked.
#[tokio::test]
async fn a_server_that_is_slow_to_read_is_waited_for() {
    let folder = TempDir::new().unwrap();
    let server = FifoServer::stopped(folder.path(), Framing::Json, opensips_4);
    let other = rustix::fs::open(folder.path().join("fifo"), rustix::fs::OFlags::WRONLY, rustix::fs::Mode::empty()).unwrap();
    rustix::io::write(&other, b"noise").unwrap();
    let mut source = source(BoxKind::Opensips, folder.path(), PATIENT);
    let asked = tokio::spawn(async move { source.poll().await.map(|answer| answer.names.len()) });
    tokio::task::yield_now().await;
    server.go_on();
    assert!(asked.await.unwrap().unwrap() > 150);
    is_tidy(&folder);
}

#[tokio::test]
async fn no_folder_for_answers() {
    let folder = TempDir::new().unwrap();
    let _server = FifoServer::start(folder.path(), Framing::Json, opensips_4);
    let address = format!("fifo:{0}/fifo?reply_dir={0}/nowhere", folder.path().display()).parse().unwrap();
    let target = Target { kind: BoxKind::Opensips, address, user: None, password: None, time_limit: PATIENT };
    unreachable(&Source::new(target).unwrap().poll().await.unwrap_err(), "reply_dir");
}

/// How many files this process has open.
fn open_files() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

#[tokio::test]
async fn every_bad_answer_fails_in_its_way_and_leaves_nothing() {
    let good = |command: &Command| with_id("opensips-4.0/fifo_get_all", command.id);
    type Script = Box<dyn Fn(&Command) -> Reply + Send + Sync>;
    let ways: [(&str, &str, Script); 9] = [
        ("never", "timeout", Box::new(|_| Reply::Never)),
        ("keeps its end open", "timeout", Box::new(move |command| Reply::Held(good(command)))),
        ("stalls in the middle", "timeout", Box::new(move |command| Reply::Held(good(command)[..100].to_vec()))),
        ("breaks off", "timeout", Box::new(move |command| Reply::Text(good(command)[..100].to_vec()))),
        ("another's answer", "timeout", Box::new(|command| Reply::Text(with_id("opensips-4.0/fifo_get_all", command.id ^ 1)))),
        ("noise before it", "timeout", Box::new(move |command| Reply::Text([b"noise".to_vec(), good(command)].concat()))),
        ("noise after it", "timeout", Box::new(move |command| Reply::Text([good(command), b"noise".to_vec()].concat()))),
        ("without an end", "too_large", Box::new(|_| Reply::Flood(vec![b' '; 65_536]))),
        (
            "an error",
            "protocol",
            Box::new(|command| {
                Reply::Text(
                    format!(r#"{{"jsonrpc":"2.0","error":{{"code":-32602,"message":"Invalid params"}},"id":{}}}"#, command.id).into_bytes(),
                )
            }),
        ),
    ];
    for (how, expect, script) in ways {
        let folder = TempDir::new().unwrap();
        let server = FifoServer::start(folder.path(), Framing::Json, script);
        let limit = if expect == "timeout" { SHORT } else { PATIENT };
        let mut source = source(BoxKind::Opensips, folder.path(), limit);
        let before = open_files();
        for _ in 0..3 {
            let error = source.poll().await.unwrap_err();
            assert_eq!(error.kind(), expect, "{how}: {error}");
        }
        // What the server keeps open is its own.
        let held = if matches!(how, "keeps its end open" | "stalls in the middle") { 3 } else { 0 };
        assert!(open_files() <= before + held, "{how}");
        drop(server);
        is_tidy(&folder);
    }
}

#[tokio::test]
async fn a_text_that_is_cut_at_any_byte_is_no_answer() {
    const WHOLE: &str = "200 OK\na:b:: 512\na:c:: 1024\n\n";
    let folder = TempDir::new().unwrap();
    let cut = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let at = std::sync::Arc::clone(&cut);
    let _server = FifoServer::start(folder.path(), Framing::Text, move |_| {
        Reply::Text(WHOLE.as_bytes()[..at.load(std::sync::atomic::Ordering::Relaxed)].to_vec())
    });
    let mut source = source(BoxKind::Opensips2, folder.path(), Duration::from_millis(100));
    for at in 0..WHOLE.len() {
        cut.store(at, std::sync::atomic::Ordering::Relaxed);
        if let Ok(answer) = source.poll().await {
            panic!("{:?}: {:?}", &WHOLE[..at], answer.names);
        }
    }
    is_tidy(&folder);
}

/// Somebody else opens our FIFO before the server does: an answer that is given is the right one.
#[tokio::test]
async fn another_writer_is_first() {
    for (noise, must_answer) in [("", true), ("noise", false), (r#"{"jsonrpc":"2.0","result":{"shmem:total_size":666666},"id":1}"#, false)]
    {
        let folder = TempDir::new().unwrap();
        let _server = FifoServer::start(folder.path(), Framing::Json, move |command| {
            Reply::After(noise.into(), with_id("opensips-4.0/fifo_get_all", command.id))
        });
        let mut source = source(BoxKind::Opensips, folder.path(), if must_answer { PATIENT } else { SHORT });
        for _ in 0..5 {
            match source.poll().await {
                Ok(answer) => assert_eq!(value(&answer, "shmem:total_size"), Ok(Number::Int(67_108_864))),
                // What both wrote can be in one piece for whoever reads.
                Err(error) => assert!(!must_answer && error.kind() == "timeout", "{noise}: {error}"),
            }
        }
        is_tidy(&folder);
    }
}

#[tokio::test]
async fn a_poll_that_is_given_up_leaves_nothing() {
    let folder = TempDir::new().unwrap();
    let _server = FifoServer::start(folder.path(), Framing::Json, |_| Reply::Never);
    let mut source = source(BoxKind::Opensips, folder.path(), PATIENT);
    let before = open_files();
    assert!(tokio::time::timeout(SHORT, source.poll()).await.is_err());
    assert_eq!(open_files(), before);
    is_tidy(&folder);
}
