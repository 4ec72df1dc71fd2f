//! Boxes, ticks, kinds, accounts, sessions, tokens, settings, and the revision that counts their changes.

use std::collections::BTreeMap;

use app::model::Kind;

use super::*;

fn rule(pattern: &str, except: bool) -> TickRule {
    TickRule { pattern: pattern.to_owned(), except, origin: Origin::Panel }
}

#[tokio::test]
async fn boxes_are_kept_as_they_are() {
    let store = memory().await;
    let full = spec("a");
    let bare = BoxSpec {
        interval_ms: None,
        labels: BTreeMap::new(),
        paused: true,
        origin: Origin::Config,
        kind: BoxKind::Kamailio,
        user: None,
        password_sealed: None,
        ..spec("b")
    };
    let (a, b) = (store.add_box(&full, 1).await.unwrap(), store.add_box(&bare, 2).await.unwrap());
    let boxes = store.boxes().await.unwrap();
    assert_eq!(boxes, [StoredBox { id: a, spec: full.clone() }, StoredBox { id: b, spec: bare.clone() }]);
    store.change_box(a, &BoxSpec { name: "c".to_owned(), ..bare.clone() }).await.unwrap();
    assert_eq!(store.boxes().await.unwrap()[0].spec.name, "c");
    assert!(matches!(store.add_box(&bare, 3).await, Err(StoreError::Taken(_))));
    assert!(matches!(store.change_box(a, &bare).await, Err(StoreError::Taken(_))));
    assert!(matches!(store.change_box(99, &full).await, Err(StoreError::Missing(_))));
    assert!(matches!(store.remove_box(99, true, 4).await, Err(StoreError::Missing(_))));
}

#[tokio::test]
async fn a_removed_box_is_revived_under_its_number_with_its_history() {
    let place = Place::new();
    let store = place.open().await;
    let id = store.add_box(&spec("a"), 1).await.unwrap();
    let series = store.series_ids(id, &["core:x"]).await.unwrap()[0];
    record_all(&store, counting(id, series, [10, 20], 1)).await;
    store.replace_ticks(id, &[rule("core:x", false)]).await.unwrap();
    store.remove_box(id, false, 30).await.unwrap();
    assert!(store.boxes().await.unwrap().is_empty());
    assert!(matches!(store.replace_ticks(id, &[]).await, Err(StoreError::Missing(_))));
    let again = BoxSpec { paused: true, ..spec("a") };
    assert_eq!(store.add_box(&again, 40).await.unwrap(), id);
    assert_eq!(store.boxes().await.unwrap(), [StoredBox { id, spec: again }]);
    assert!(store.ticks(id).await.unwrap().is_empty());
    assert_eq!(store.series_ids(id, &["core:x"]).await.unwrap(), [series]);
    record_all(&store, counting(id, series, [50], 3)).await;
    assert_eq!(ints(&everything(&store, series).await), [(10, 1), (20, 2), (50, 3)]);
}

#[tokio::test]
async fn a_box_removed_with_its_history_leaves_nothing() {
    let place = Place::new();
    let store = place.open().await;
    let (id, other) = (store.add_box(&spec("a"), 1).await.unwrap(), store.add_box(&spec("b"), 1).await.unwrap());
    let series = store.series_ids(id, &["core:x", "core:y"]).await.unwrap();
    let kept = store.series_ids(other, &["core:x"]).await.unwrap()[0];
    record_all(&store, counting(id, series[0], [10, 20], 1)).await;
    record_all(&store, counting(other, kept, [10, 20], 1)).await;
    seal_all(&store).await;
    record_all(&store, counting(id, series[1], [30], 1)).await;
    store.record_gap(id, 1, 2, "timeout").await.unwrap();
    store.set_kind(id, "core:x", Some(Kind::Gauge)).await.unwrap();
    store.replace_ticks(id, &[rule("core:", false)]).await.unwrap();
    let marks = vec![Mark { series: Some(series[0]), at_ms: 5, cause: app::model::ResetCause::Person, by: Some("op".to_owned()) }];
    store.record(PollRecord { marks, ..poll(id, 40, &[]) }).await.unwrap();
    store.remove_box(id, true, 50).await.unwrap();
    let mut left = 0;
    for count in [
        "select count(*) from head where box_id = $1",
        "select count(*) from layout where box_id = $1",
        "select count(*) from span where box_id = $1",
        "select count(*) from series where box_id = $1",
        "select count(*) from gap where box_id = $1",
        "select count(*) from mark where box_id = $1",
        "select count(*) from kind where box_id = $1",
        "select count(*) from tick where box_id = $1",
        "select count(*) from box where box_id = $1",
    ] {
        left += sqlx::query_scalar::<_, i64>(count).bind(id).fetch_one(&store.inner.read).await.unwrap();
    }
    let chunks: i64 = sqlx::query_scalar("select count(*) from chunk").fetch_one(&store.inner.read).await.unwrap();
    assert_eq!((left, chunks), (0, 1));
    assert_eq!(everything(&store, series[0]).await, Samples::default());
    assert!(matches!(store.record(counting(id, series[0], [60], 1).remove(0)).await, Err(StoreError::Missing(_))));
    assert_ne!(store.add_box(&spec("a"), 70).await.unwrap(), id);
    assert_eq!(ints(&everything(&store, kept).await), [(10, 1), (20, 2)]);
    assert_eq!(store.check(|_| {}).await.unwrap().faults, [""; 0]);
}

#[tokio::test]
async fn a_deletion_that_was_interrupted_is_ended_at_the_next_start() {
    let place = Place::new();
    let store = place.open().await;
    let id = store.add_box(&spec("a"), 1).await.unwrap();
    let series = store.series_ids(id, &["core:x"]).await.unwrap()[0];
    record_all(&store, counting(id, series, [10], 1)).await;
    sqlx::query("update box set purging = 1, removed_ms = 5").execute(&store.inner.write).await.unwrap();
    store.close().await;
    let store = place.open().await;
    let boxes: i64 = sqlx::query_scalar("select count(*) from box").fetch_one(&store.inner.read).await.unwrap();
    assert_eq!(boxes, 0);
}

#[tokio::test]
async fn ticks_keep_their_order_and_kinds_their_correction() {
    let store = memory().await;
    let id = store.add_box(&spec("a"), 1).await.unwrap();
    let file = TickRule { origin: Origin::Config, ..rule("dialog:", false) };
    let rules = [file, rule("core:rcv_*", false), rule("core:rcv_x", true), rule("core:rcv_x", false)];
    store.replace_ticks(id, &rules).await.unwrap();
    assert_eq!(store.ticks(id).await.unwrap(), rules);
    store.replace_ticks(id, &[rules[1].clone(), rules[1].clone()]).await.unwrap();
    assert_eq!(store.ticks(id).await.unwrap(), rules[1..2]);
    store.replace_ticks(id, &rules[1..]).await.unwrap();
    assert_eq!(store.ticks(id).await.unwrap(), rules[1..]);
    store.set_kind(id, "a:b", Some(Kind::Gauge)).await.unwrap();
    store.set_kind(id, "a:b", Some(Kind::Counter)).await.unwrap();
    store.set_kind(id, "a:c", Some(Kind::Gauge)).await.unwrap();
    store.set_kind(id, "a:c", None).await.unwrap();
    assert_eq!(store.kinds(id).await.unwrap(), [("a:b".to_owned(), Kind::Counter)]);
    assert!(matches!(store.set_kind(9, "a:b", None).await, Err(StoreError::Missing(_))));
}

#[tokio::test]
async fn accounts_and_their_sessions() {
    let store = memory().await;
    let id = store.add_account("ada", "hash1", 1).await.unwrap();
    assert!(matches!(store.add_account("ada", "hash2", 1).await, Err(StoreError::Taken(_))));
    store.add_session(b"one", id, 10, 100).await.unwrap();
    let ada = Account {
        id,
        name: "ada".to_owned(),
        password_hash: "hash1".to_owned(),
        origin: Origin::Panel,
        scope: "admin".to_owned(),
        taste: "{}".to_owned(),
    };
    assert_eq!(store.session(b"one", 99).await.unwrap(), Some(ada.clone()));
    assert_eq!(store.session(b"one", 100).await.unwrap(), None);
    assert_eq!(store.account("ada").await.unwrap(), Some(ada.clone()));
    assert_eq!(store.account("bob").await.unwrap(), None);
    store.add_session(b"two", id, 20, 200).await.unwrap();
    store.remove_session(b"two").await.unwrap();
    assert_eq!(store.session(b"two", 20).await.unwrap(), None);
    store.set_account_origin("ada", Origin::Config).await.unwrap();
    let ada = Account { origin: Origin::Config, ..ada };
    assert_eq!(store.session(b"one", 20).await.unwrap(), Some(ada.clone()));
    assert!(matches!(store.set_account_origin("bob", Origin::Config).await, Err(StoreError::Missing(_))));
    store.set_password("ada", "hash3").await.unwrap();
    assert_eq!(store.session(b"one", 20).await.unwrap(), None);
    assert_eq!(store.accounts().await.unwrap(), [Account { password_hash: "hash3".to_owned(), ..ada }]);
    store.add_session(b"three", id, 20, 200).await.unwrap();
    store.remove_account("ada").await.unwrap();
    assert_eq!(store.session(b"three", 20).await.unwrap(), None);
    assert!(matches!(store.remove_account("ada").await, Err(StoreError::Missing(_))));
    assert!(matches!(store.set_password("ada", "x").await, Err(StoreError::Missing(_))));
}

#[tokio::test]
async fn tokens_and_settings() {
    let store = memory().await;
    let token = Token { name: "grafana".to_owned(), scope: "read".to_owned(), created_ms: 5 };
    store.add_token(&token, b"hash").await.unwrap();
    assert!(matches!(store.add_token(&token, b"other").await, Err(StoreError::Taken(_))));
    assert_eq!(store.token(b"hash").await.unwrap(), Some(token.clone()));
    assert_eq!(store.token(b"hush").await.unwrap(), None);
    assert_eq!(store.tokens().await.unwrap(), [token]);
    store.revoke_token("grafana").await.unwrap();
    assert!(matches!(store.revoke_token("grafana").await, Err(StoreError::Missing(_))));
    assert_eq!(store.setting("setup").await.unwrap(), None);
    store.set_setting("setup", Some("x")).await.unwrap();
    store.set_setting("setup", Some("y")).await.unwrap();
    assert_eq!(store.setting("setup").await.unwrap().as_deref(), Some("y"));
    store.set_setting("setup", None).await.unwrap();
    assert_eq!(store.setting("setup").await.unwrap(), None);
}

#[tokio::test]
async fn another_process_notices_each_change() {
    let place = Place::new();
    let (panel, tool) = (place.open().await, place.open().await);
    let mut seen = panel.revision().await.unwrap();
    let id = tool.add_box(&spec("a"), 1).await.unwrap();
    let token = Token { name: "t".to_owned(), scope: "read".to_owned(), created_ms: 1 };
    let mut moved = async || {
        let now = panel.revision().await.unwrap();
        std::mem::replace(&mut seen, now) < now
    };
    assert!(moved().await);
    tool.change_box(id, &spec("b")).await.unwrap();
    assert!(moved().await);
    tool.replace_ticks(id, &[rule("core:", false)]).await.unwrap();
    assert!(moved().await);
    tool.set_kind(id, "a:b", None).await.unwrap();
    assert!(moved().await);
    tool.add_account("ada", "h", 1).await.unwrap();
    assert!(moved().await);
    tool.add_token(&token, b"h").await.unwrap();
    assert!(moved().await);
    assert!(tool.add_box(&spec("b"), 1).await.is_err());
    assert!(!moved().await, "what failed is no change");
    tool.remove_box(id, false, 2).await.unwrap();
    assert!(moved().await);
    assert!(panel.boxes().await.unwrap().is_empty());
}
