//! Scripts, their runs, and what they send.

use super::*;

/// A script with all that belongs to it, the same in whatever database.
pub(super) async fn fill(store: &Store) {
    store.add_script("tally", "1", "every 10m", "ann", 5).await.unwrap();
    store.change_script("tally", "2 // ü", "every 10m", "token x", 6).await.unwrap();
    let id = store.script("tally").await.unwrap().unwrap().id;
    assert!(store.claim_due(id, 600_000).await.unwrap());
    let run = store.begin_run(id, &begun(7), 99).await.unwrap().run().unwrap();
    let failed = ScriptRun { error_line: Some(3), error_column: Some(4), error_message: Some("no".to_owned()), ..ended(run, "failed") };
    store.end_run(id, &failed).await.unwrap();
    store.send_later(&outgoing("http://10.0.0.5/x", 8)).await.unwrap();
    store.add_script("told", "1", "on alert", "ann", 5).await.unwrap();
    assert_eq!(store.acknowledge("down", None, "ann", 9).await.unwrap(), 1);
}

fn begun(started_ms: i64) -> ScriptRun {
    ScriptRun {
        version: 2,
        started_ms,
        began_by: "due".to_owned(),
        by_whom: "every 10m".to_owned(),
        outcome: "running".to_owned(),
        changed: "[]".to_owned(),
        ..ScriptRun::default()
    }
}

fn ended(id: i64, outcome: &str) -> ScriptRun {
    ScriptRun { id, took_ms: Some(12), outcome: outcome.to_owned(), output: "said".to_owned(), changed: "[1]".to_owned(), ..begun(7) }
}

fn outgoing(url: &str, created_ms: i64) -> Outgoing {
    Outgoing {
        id: 0,
        script_name: "tally".to_owned(),
        line: Some(2),
        idempotency_key: format!("key {created_ms}"),
        url: url.to_owned(),
        content_type: "application/json".to_owned(),
        body: "{}".to_owned(),
        created_ms,
        attempts: 0,
        next_ms: None,
        outcome: String::new(),
        answer: String::new(),
    }
}

#[tokio::test]
async fn every_version_is_kept_up_to_a_bound() {
    let store = memory().await;
    store.add_script("a", "one", "", "ann", 1).await.unwrap();
    assert!(matches!(store.add_script("a", "two", "", "ann", 1).await, Err(StoreError::Taken(name)) if name == "a script named a"));
    store.change_script("a", "one", "", "ben", 2).await.unwrap();
    store.change_script("a", "two", "every 1h", "ben", 3).await.unwrap();
    let script = store.script("a").await.unwrap().unwrap();
    assert_eq!((script.version, script.source.as_str(), script.schedule.as_str(), script.since_ms), (2, "two", "every 1h", 3));
    let versions = store.script_versions(script.id).await.unwrap();
    assert_eq!((versions.len(), versions[0].by_whom.as_str(), versions[1].source.as_str()), (2, "ben", "one"));
    for number in 0..KEPT_VERSIONS {
        store.change_script("a", &format!("{number}"), "every 1h", "ben", 4).await.unwrap();
    }
    let versions = store.script_versions(script.id).await.unwrap();
    assert_eq!((versions.len() as i64, versions.last().unwrap().version), (KEPT_VERSIONS, 3));
    assert_eq!(store.script("a").await.unwrap().unwrap().since_ms, 3, "the schedule is the same");
    store.remove_script("a").await.unwrap();
    assert!(matches!(store.change_script("a", "", "", "ben", 5).await, Err(StoreError::Missing(_))));
    assert_eq!(store.scripts().await.unwrap(), []);
}

#[tokio::test]
async fn a_due_time_is_claimed_once_however_many_want_it() {
    let place = Place::new();
    let stores = [place.open().await, place.open().await];
    stores[0].add_script("a", "", "every 1s", "ann", 1_000).await.unwrap();
    let id = stores[1].script("a").await.unwrap().unwrap().id;
    assert!(!stores[0].claim_due(id, 1_000).await.unwrap(), "it was due before there was a script");
    for due in [2_000, 3_000, 3_001] {
        let claims = futures::future::join_all((0..16).map(|turn| stores[turn % 2].claim_due(id, due))).await;
        assert_eq!(claims.into_iter().filter(|claim| *claim.as_ref().unwrap()).count(), 1, "{due}");
    }
    assert!(!stores[1].claim_due(id, 2_500).await.unwrap(), "a later one was claimed");
}

#[tokio::test]
async fn runs_do_not_overlap_and_one_that_is_cut_off_does_not_block_for_ever() {
    let store = memory().await;
    store.add_script("a", "", "", "ann", 1).await.unwrap();
    let id = store.script("a").await.unwrap().unwrap().id;
    let first = store.begin_run(id, &begun(1_000), 31_000).await.unwrap().run().unwrap();
    assert_eq!(store.begin_run(id, &begun(30_999), 60_000).await.unwrap(), Begun::Busy);
    store.end_run(id, &ended(first, "ok")).await.unwrap();
    let second = store.begin_run(id, &begun(2_000), 32_000).await.unwrap().run().unwrap();
    assert_eq!(store.interrupt_runs(31_999).await.unwrap(), 0);
    let third = store.begin_run(id, &begun(32_000), 62_000).await.unwrap().run().unwrap();
    // The second comes to its end after all: it is late, and nobody else is let in by it.
    store.end_run(id, &ended(second, "ok")).await.unwrap();
    assert_eq!(store.begin_run(id, &begun(40_000), 70_000).await.unwrap(), Begun::Busy);
    assert_eq!(store.interrupt_runs(62_000).await.unwrap(), 1);
    let outcomes: Vec<String> = store.script_runs(id, 9).await.unwrap().into_iter().map(|run| run.outcome).collect();
    assert_eq!(outcomes, ["interrupted", "interrupted", "ok"]);
    assert_eq!(store.last_script_runs().await.unwrap()[0].1.id, third);
    for _ in 0..KEPT_RUNS {
        store.note_run(id, &ended(0, "skipped")).await.unwrap();
    }
    let runs = store.script_runs(id, 999).await.unwrap();
    assert!(runs.len() as i64 == KEPT_RUNS && runs.iter().all(|run| run.outcome == "skipped"));
}

#[tokio::test]
async fn what_happened_begins_a_run_once_and_what_a_box_did_is_noted_once() {
    let place = Place::new();
    let stores = [place.open().await, place.open().await];
    stores[0].add_script("down", "", "on box_down a", "ann", 1).await.unwrap();
    stores[0].add_script("alert", "", "on alert", "ann", 1).await.unwrap();
    let box_id = stores[0].add_box(&spec("a"), 1).await.unwrap();
    let seen = |state: &str| BoxSeen { state: state.to_owned(), started_ms: Some(5), address: "x".to_owned() };
    let news = |what: &str| BoxNews { what: what.to_owned(), box_name: "a".to_owned(), text: "timeout".to_owned() };
    assert!(stores[0].see_box(box_id, &BoxSeen::default(), &seen("up"), &[]).await.unwrap());
    assert_eq!(stores[1].boxes_seen().await.unwrap(), [(box_id, seen("up"))].into());
    let (down, up) = (seen("down"), seen("up"));
    // Nobody waits for the other thing that happened.
    let all = [news("box_down"), news("restart")];
    let see = futures::future::join_all((0..8).map(|turn| stores[turn % 2].see_box(box_id, &up, &down, &all))).await;
    assert_eq!(see.into_iter().filter(|ours| *ours.as_ref().unwrap()).count(), 1);
    let (news_id, noted) = stores[1].oldest_news().await.unwrap().unwrap();
    assert_eq!(noted, News::Box(news("box_down")));

    let id = stores[0].script("down").await.unwrap().unwrap().id;
    let run = ScriptRun { news_id: Some(news_id), ..begun(1_000) };
    let begun_all = futures::future::join_all((0..8).map(|turn| stores[turn % 2].begin_run(id, &run, 31_000))).await;
    let begun_all: Vec<Begun> = begun_all.into_iter().map(Result::unwrap).collect();
    assert_eq!(begun_all.iter().filter(|begun| begun.run().is_some()).count(), 1, "{begun_all:?}");
    // Its panel was killed: it was interrupted, and does not begin again.
    stores[1].interrupt_runs(i64::MAX).await.unwrap();
    assert_eq!(stores[1].begin_run(id, &run, 31_000).await.unwrap(), Begun::Before);
    let other = stores[0].script("alert").await.unwrap().unwrap().id;
    assert!(stores[1].begin_run(other, &run, 31_000).await.unwrap().run().is_some(), "of another script it does");
    stores[1].settle_news(news_id).await.unwrap();
    assert_eq!(stores[0].oldest_news().await.unwrap(), None);
}

#[tokio::test]
async fn what_is_sent_is_taken_by_one_and_comes_again_until_it_is_settled() {
    let place = Place::new();
    let stores = [place.open().await, place.open().await];
    for created in [10, 11, 12] {
        stores[0].send_later(&outgoing("http://a/", created)).await.unwrap();
    }
    assert_eq!(stores[1].next_outgoing_ms().await.unwrap(), Some(10));
    let takes = futures::future::join_all((0..8).map(|turn| stores[turn % 2].take_outgoing(11, 1_011, 5))).await;
    let mut taken: Vec<(String, i64)> =
        takes.into_iter().flat_map(|taken| taken.unwrap()).map(|one| (one.idempotency_key, one.attempts)).collect();
    taken.sort();
    assert_eq!(taken, [("key 10".to_owned(), 1), ("key 11".to_owned(), 1)]);
    // Nobody said what came of them.
    let again = stores[1].take_outgoing(1_011, 2_011, 5).await.unwrap();
    assert_eq!(again.iter().map(|one| one.attempts).collect::<Vec<_>>(), [1, 2, 2]);
    stores[0].settle_outgoing(again[0].id, "delivered", "HTTP 204", None, 1_020).await.unwrap();
    stores[0].settle_outgoing(again[1].id, "waiting", "no answer", Some(5_000), 1_020).await.unwrap();
    let left: Vec<_> = stores[1].outgoing(9).await.unwrap().into_iter().map(|one| (one.outcome, one.next_ms)).collect();
    assert_eq!(left.iter().filter(|(outcome, next)| outcome == "delivered" && next.is_none()).count(), 1);
    assert_eq!(stores[1].next_outgoing_ms().await.unwrap(), Some(2_011));
}
