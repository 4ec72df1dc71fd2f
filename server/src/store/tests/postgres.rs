//! What is PostgreSQL's alone: refusals, one panel, connections that are cut. Left out where the tests have no server.

use std::sync::atomic::{AtomicBool, Ordering};

use sqlx::{Connection, Executor, PgConnection};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixStream};

use super::database::{ask_server, server, url_on_server};
use super::*;

#[track_caller]
fn check_refused(result: Result<Store, StoreError>, words: &[&str]) {
    let Err(StoreError::Open(text)) = result else { panic!("opened, or another error: {:?}", result.err()) };
    assert!(!text.contains("s3cret"), "{text}");
    for word in words {
        assert!(text.contains(word), "{word} is not in: {text}");
    }
}

/// Ends every connection to a database.
async fn cut(place: &Place) {
    let name = place.database.on_server().unwrap();
    let mut other = PgConnection::connect(&server().unwrap()).await.unwrap();
    let end = "select pg_terminate_backend(pid) from pg_stat_activity where datname = $1";
    sqlx::query(end).bind(name).execute(&mut other).await.unwrap();
}

#[tokio::test]
async fn what_cannot_be_reached_says_what_to_do() {
    check_refused(Store::open("postgres://tick:s3cret@127.0.0.1:1/x").await, &["cannot reach", "x at 127.0.0.1:1", "start the server"]);
    check_refused(Store::open("postgres:///x?host=/nowhere").await, &["cannot reach", "x at /nowhere", "?host="]);
    check_refused(Store::open("postgres://db/x?sslmode=verify-full&sslrootcert=/nowhere/ca.pem").await, &["cannot read /nowhere/ca.pem"]);
}

#[tokio::test]
async fn what_the_server_refuses_says_what_to_do() {
    if !is_on_server() {
        return;
    }
    check_refused(Store::open(&url_on_server("not_there")).await, &["no such database", "createdb --owner=tickmark not_there"]);
    let place = Place::new();
    let name = place.database.on_server().unwrap();
    // Who may sign in and nothing else, as PostgreSQL 15 has it for everybody.
    let role = format!("poor_{name}");
    ask_server(&format!("create role {role} login password 's3cret'"));
    let mut owner = PgConnection::connect(&place.url()).await.unwrap();
    owner.execute("revoke create on schema public from public").await.unwrap();
    let as_poor = place.url().replace("tickmark@", &format!("{role}:s3cret@"));
    check_refused(Store::open(&as_poor).await, &["permission denied", "grant create", &role]);
    check_refused(Store::open(&tls_url(&place, &role, "wr0ng")).await, &["refuses to let tickmark in", "password", "pg_hba.conf"]);
    ask_server(&format!("drop role {role}"));
}

/// The database over TCP, with TLS that checks the server against the private issuer.
fn tls_url(place: &Place, user: &str, password: &str) -> String {
    let authority = std::env::var("TEST_POSTGRES_CA").unwrap();
    let url = place.url();
    let (address, _) = url.split_once("?host=").unwrap();
    let address = address.replace("tickmark@", &format!("{user}:{password}@"));
    format!("{address}?sslmode=verify-full&sslrootcert={authority}")
}

#[tokio::test]
async fn tls_with_a_private_issuer() {
    if !is_on_server() {
        return;
    }
    let place = Place::new();
    let name = place.database.on_server().unwrap();
    let role = format!("owner_{name}");
    ask_server(&format!("create role {role} login password 's3cret'"));
    ask_server(&format!("alter database {name} owner to {role}"));
    let url = tls_url(&place, &role, "s3cret");
    let store = Store::open(&url).await.unwrap();
    let id = store.add_box(&spec("a"), 1).await.unwrap();
    let series = store.series_ids(id, &["core:x"]).await.unwrap()[0];
    record_all(&store, counting(id, series, [10, 20, 30], 1)).await;
    assert_eq!(everything(&store, series).await.at_ms, [10, 20, 30]);
    let is_secret = "select count(*) from pg_stat_ssl join pg_stat_activity using (pid) where ssl and usename = $1";
    let secret: i64 = sqlx::query_scalar(is_secret).bind(&role).fetch_one(&store.inner.read).await.unwrap();
    assert!(secret >= 2, "{secret}");
    store.close().await;
    // The certificate is for localhost, and no public issuer made it.
    check_refused(Store::open(&url.replace("localhost", "127.0.0.1")).await, &["TLS", "sslrootcert"]);
    let (unchecked, _) = url.split_once("&sslrootcert").unwrap();
    check_refused(Store::open(unchecked).await, &["TLS", "sslrootcert"]);
    check_refused(Store::open(&url.replace("verify-full", "disable")).await, &["refuses to let tickmark in"]);
    ask_server(&format!("drop database {name} with (force)"));
    ask_server(&format!("drop role {role}"));
}

#[tokio::test]
async fn an_encoding_that_cannot_hold_every_name_is_refused() {
    if !is_on_server() {
        return;
    }
    let name = format!("latin_{}", std::process::id());
    ask_server(&format!("create database {name} template template0 encoding 'LATIN1' locale 'C'"));
    check_refused(Store::open(&url_on_server(&name)).await, &["LATIN1", "UTF8"]);
    ask_server(&format!("drop database {name} with (force)"));
}

#[tokio::test]
async fn long_names_are_kept_apart() {
    let store = memory().await;
    let id = store.add_box(&spec("a"), 1).await.unwrap();
    // Random letters do not become shorter by packing: no index takes them as they are.
    let mut state = 1_u64;
    let mut letter = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        char::from(b'!' + u8::try_from(state >> 58).unwrap())
    };
    let long: String = (0..16_000).map(|_| letter()).collect();
    let names = [format!("{long}a"), format!("{long}b")];
    let ids = store.series_ids(id, &[&*names[0], &*names[1]]).await.unwrap();
    assert_ne!(ids[0], ids[1]);
    assert_eq!(store.series_ids(id, &[&*names[1], &*names[0]]).await.unwrap(), [ids[1], ids[0]]);
    for kind in [app::model::Kind::Gauge, app::model::Kind::Counter] {
        store.set_kind(id, &names[0], Some(kind)).await.unwrap();
        assert_eq!(store.kinds(id).await.unwrap(), [(names[0].clone(), kind)]);
    }
    let rule = TickRule { pattern: names[0].clone(), except: false, origin: Origin::Panel };
    store.replace_ticks(id, &[rule.clone(), rule.clone()]).await.unwrap();
    assert_eq!(store.ticks(id).await.unwrap(), [rule]);
}

/// How a panel of a test is known.
fn panel(name: &str) -> PanelName {
    PanelName { url: format!("http://{name}/cp"), identity: name.to_owned() }
}

#[tokio::test]
async fn polls_of_an_older_lease_are_refused_and_taken_in_late() {
    if !is_on_server() {
        return;
    }
    let place = Place::new();
    let (one, other) = (place.open().await, place.open().await);
    assert!(one.claim_share().await.unwrap() && other.claim_share().await.unwrap());
    let id = one.add_box(&spec("a"), 1).await.unwrap();
    let series = one.series_ids(id, &["core:x"]).await.unwrap()[0];
    let polled = |generation: i64, at: std::ops::Range<i64>| {
        let polls = counting(id, series, at.map(|n| n * 10_000), 0).into_iter();
        polls.map(move |poll| PollRecord { generation: Some(generation), ..poll }).collect::<Vec<_>>()
    };
    let first = one.take_turn(&panel("one")).await.unwrap();
    assert_eq!(first.held, [(id, 1)].into());
    record_all(&one, polled(1, 0..10)).await;

    // It is stopped for long: the other one takes its box.
    let mut ask = PgConnection::connect(&place.url()).await.unwrap();
    ask.execute("update panel set seen_ms = 0").await.unwrap();
    let turn = other.take_turn(&panel("other")).await.unwrap();
    assert_eq!((turn.held, turn.panels.len()), ([(id, 2)].into(), 1));
    record_all(&other, polled(2, 20..30)).await;
    let late = polled(1, 8..15);
    let refused = async |poll: &PollRecord| {
        let result = one.record(poll.clone()).await;
        // Its session was ended; and the one that it makes anew writes nothing.
        assert!(matches!(result, Err(StoreError::Superseded | StoreError::Unwritable(_))), "{result:?}");
    };
    refused(&late[3]).await;
    // It begins anew, and has its share of boxes; this one is not among them.
    let turn = one.take_turn(&panel("one")).await.unwrap();
    assert_eq!((turn.held, turn.panels.len(), turn.polled_by[&id] > 0), ([].into(), 2, true));
    refused(&late[3]).await;
    assert!(matches!(one.record(late[3].clone()).await, Err(StoreError::Superseded)));

    assert!(!one.record_late(late.clone()).await.unwrap(), "what was before is not sealed");
    while other.seal_due(300_000).await.unwrap() {}
    assert!(one.record_late(late.clone()).await.unwrap() && one.record_late(late).await.unwrap());
    let all = |ranges: &[std::ops::Range<i64>]| ranges.iter().cloned().flatten().map(|n| n * 10_000).collect::<Vec<_>>();
    assert_eq!(everything(&one, series).await.at_ms, all(&[0..15, 20..30]));
    assert_eq!(everything(&other, series).await.at_ms, all(&[0..15, 20..30]));

    // Its day was merged meanwhile, and is merged anew.
    record_all(&other, polled(2, 30..31)).await;
    let later = 3 * DAY_MS;
    while other.seal_due(later).await.unwrap() {}
    while other.merge_due(later).await.unwrap() {}
    let spans = "select count(*) from span where tier = 0";
    assert_eq!(sqlx::query_scalar::<_, i64>(spans).fetch_one(&mut ask).await.unwrap(), 1);
    assert!(one.record_late(polled(1, 16..19)).await.unwrap());
    assert_eq!(sqlx::query_scalar::<_, i64>(spans).fetch_one(&mut ask).await.unwrap(), 3);
    assert_eq!(everything(&one, series).await.at_ms, all(&[0..15, 16..19, 20..31]));
    while other.merge_due(later).await.unwrap() {}
    assert_eq!(sqlx::query_scalar::<_, i64>(spans).fetch_one(&mut ask).await.unwrap(), 1);
    assert_eq!(everything(&one, series).await.at_ms, all(&[0..15, 16..19, 20..31]));
    assert_eq!(one.check(|_| {}).await.unwrap().faults, [""; 0]);
}

#[tokio::test]
async fn one_panel_alone() {
    if !is_on_server() {
        return;
    }
    let place = Place::new();
    let (one, other) = (place.open().await, place.open().await);
    assert!(one.claim_alone().await.unwrap());
    assert!(!other.claim_alone().await.unwrap(), "one has it");
    // Commands beside the panel write all the same.
    other.add_box(&spec("a"), 1).await.unwrap();
    one.close().await;
    assert!(other.claim_alone().await.unwrap(), "one is gone");
}

#[tokio::test]
async fn a_panel_whose_claim_is_taken_over_writes_nothing() {
    if !is_on_server() {
        return;
    }
    let place = Place::new();
    let (one, other) = (place.open().await, place.open().await);
    assert!(one.claim_alone().await.unwrap());
    let id = one.add_box(&spec("a"), 1).await.unwrap();
    // Its connections are cut, and another one is quicker.
    let taking = tokio::spawn({
        let other = other.clone();
        async move { other.claim_alone().await }
    });
    let waits = "select count(*) from pg_locks join pg_database on pg_database.oid = database where locktype = 'advisory' and not granted \
                 and datname = $1";
    let mut asking = PgConnection::connect(&server().unwrap()).await.unwrap();
    while sqlx::query_scalar::<_, i64>(waits).bind(place.database.on_server()).fetch_one(&mut asking).await.unwrap() == 0 {
        tokio::task::yield_now().await;
    }
    let process = "select pid::bigint from pg_locks where locktype = 'advisory' and granted \
                   and database = (select oid from pg_database where datname = $1)";
    let process: i64 = sqlx::query_scalar(process).bind(place.database.on_server()).fetch_one(&mut asking).await.unwrap();
    sqlx::query("select pg_terminate_backend($1::integer)").bind(process).execute(&mut asking).await.unwrap();
    assert!(taking.await.unwrap().unwrap());
    let result = one.add_box(&spec("b"), 2).await;
    assert!(matches!(result, Err(StoreError::Unwritable(Trouble::Standby))), "{result:?}");
    assert_eq!(*one.trouble().borrow(), Some(Trouble::Taken));
    // Reading goes on.
    assert_eq!(one.boxes().await.unwrap()[0].id, id);
    // When the other one has ended, this one has it again.
    other.close().await;
    one.probe_trouble().await;
    one.add_box(&spec("b"), 3).await.unwrap();
}

#[tokio::test]
async fn a_server_that_starts_again_is_hardly_noticed() {
    if !is_on_server() {
        return;
    }
    let place = Place::new();
    let store = place.open().await;
    assert!(store.claim_alone().await.unwrap());
    let id = store.add_box(&spec("a"), 1).await.unwrap();
    let series = store.series_ids(id, &["core:x"]).await.unwrap()[0];
    let polls = counting(id, series, (0..40).map(|n| n * 10), 0);
    for some in polls.chunks(10) {
        cut(&place).await;
        for poll in some {
            // Whoever records tries again, as the sampler does.
            while let Err(error) = store.record(poll.clone()).await {
                assert!(matches!(error, StoreError::Unwritable(Trouble::Lost(_))), "{error:?}");
            }
        }
        assert_eq!(store.boxes().await.map_or(1, |boxes| boxes.len()), 1);
    }
    assert_eq!(ints(&everything(&store, series).await), (0..40).map(|n| (n * 10, n)).collect::<Vec<_>>());
    assert_eq!(*store.trouble().borrow(), None);
}

#[tokio::test]
async fn what_is_read_only_is_said_and_passes() {
    if !is_on_server() {
        return;
    }
    let place = Place::new();
    let name = place.database.on_server().unwrap();
    let store = place.open().await;
    let id = store.add_box(&spec("a"), 1).await.unwrap();
    let series = store.series_ids(id, &["core:x"]).await.unwrap()[0];
    ask_server(&format!("alter database {name} set default_transaction_read_only = on"));
    cut(&place).await;
    let poll = counting(id, series, [10], 1).remove(0);
    let refused = loop {
        match store.record(poll.clone()).await {
            Err(StoreError::Unwritable(Trouble::Lost(_))) => {}
            other => break other,
        }
    };
    assert!(matches!(refused, Err(StoreError::Unwritable(Trouble::Standby))), "{refused:?}");
    assert_eq!(*store.trouble().borrow(), Some(Trouble::Standby));
    check_refused(place.open_result().await, &["takes no writes", "standby"]);
    ask_server(&format!("alter database {name} reset default_transaction_read_only"));
    cut(&place).await;
    while store.record(poll.clone()).await.is_err() {}
    assert_eq!(ints(&everything(&store, series).await), [(10, 1)]);
    assert_eq!(*store.trouble().borrow(), None);
}

/// Carries bytes between the store and the server, until answers are to be lost.
struct Wire {
    port: u16,
    /// Set: the next answer to more than a question whether anybody is there is lost, and the connection with it.
    loses: Arc<AtomicBool>,
}

/// The bytes of such a question: a lone Sync.
const SYNC_BYTES: usize = 5;

impl Wire {
    async fn new() -> Self {
        let server = url::Url::parse(&server().unwrap()).unwrap();
        let folder = server.query_pairs().find(|(key, _)| key == "host").unwrap().1.into_owned();
        let socket = format!("{folder}/.s.PGSQL.{}", server.port().unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let loses = Arc::new(AtomicBool::new(false));
        let wire = Self { port, loses: Arc::clone(&loses) };
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let far = UnixStream::connect(&socket).await.unwrap();
                tokio::spawn(carry(near, far, Arc::clone(&loses)));
            }
        });
        wire
    }
}

async fn carry(mut near: TcpStream, mut far: UnixStream, loses: Arc<AtomicBool>) {
    let (mut asked, mut answered) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    let mut last = 0;
    loop {
        tokio::select! {
            read = near.read(&mut asked) => {
                let Ok(length @ 1..) = read else { return };
                last = length;
                if far.write_all(&asked[..length]).await.is_err() { return }
            }
            read = far.read(&mut answered) => {
                let Ok(length @ 1..) = read else { return };
                let is_lost = last > SYNC_BYTES && loses.swap(false, Ordering::Relaxed);
                if is_lost || near.write_all(&answered[..length]).await.is_err() { return }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_whose_answer_is_lost_is_stored_once() {
    if !is_on_server() {
        return;
    }
    let place = Place::new();
    let wire = Wire::new().await;
    let name = place.database.on_server().unwrap();
    let store = Store::open(&format!("postgres://tickmark@127.0.0.1:{}/{name}?sslmode=disable", wire.port)).await.unwrap();
    assert!(store.claim_alone().await.unwrap());
    let id = store.add_box(&spec("a"), 1).await.unwrap();
    let series = store.series_ids(id, &["core:x"]).await.unwrap()[0];
    let mut next = 0;
    let mut polls = |count: i64| {
        let from = next;
        next += count;
        counting(id, series, (from..next).map(|n| n * 10), from)
    };
    // One is a statement that the connection knows: its answer is that of the commit. Three together are a statement that it does not
    // know: what is lost is only that it was understood.
    for (together, lands) in [(1, true), (3, false), (1, true), (3, false)] {
        record_all(&store, polls(1)).await;
        record_all(&store, polls(1)).await;
        let some = polls(together);
        wire.loses.store(true, Ordering::Relaxed);
        for result in futures::future::join_all(some.iter().map(|poll| store.record(poll.clone()))).await {
            assert!(matches!(result, Err(StoreError::Unwritable(Trouble::Lost(_)))), "{result:?}");
        }
        let last = some.last().unwrap().at_ms;
        let there = sqlx::query_scalar("select count(*) from head where at_ms = $1").bind(last);
        let there: i64 = there.fetch_one(&store.inner.read).await.unwrap();
        assert_eq!(there, i64::from(lands));
        for poll in &some {
            store.record(poll.clone()).await.unwrap();
        }
        assert_eq!(*store.trouble().borrow(), None);
    }
    let expected: Vec<_> = (0..next).map(|n| (n * 10, n)).collect();
    assert_eq!(ints(&everything(&store, series).await), expected);
    let rows: i64 = sqlx::query_scalar("select count(*) from head").fetch_one(&store.inner.read).await.unwrap();
    assert_eq!(rows, next, "no row twice");
    assert_eq!(store.check(|_| {}).await.unwrap().faults, [""; 0]);
}
