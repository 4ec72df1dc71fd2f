//! What rules did on polls that came late gets its place beside what was kept meanwhile, once.

use super::*;

/// The number of the panel that has the box, where several share the database.
async fn store_with_box(place: &Place) -> (Store, i64) {
    let store = place.open().await;
    let id = store.add_box(&spec("a"), 1).await.unwrap();
    if store.is_shared() {
        assert!(store.claim_share().await.unwrap());
        let name = PanelName { url: "http://one/cp".to_owned(), identity: "one".to_owned() };
        store.take_turn(&name).await.unwrap();
    }
    (store, id)
}

fn alert(since_ms: i64, fired_ms: i64, ended_ms: Option<i64>) -> LateAlert {
    let (rule, severity, message) = ("calls".to_owned(), "critical".to_owned(), "51 calls".to_owned());
    LateAlert { rule, severity, message, value: Some(51.0), since_ms, fired_ms, ended_ms, is_known: false, told: true }
}

/// Keeps what came late; answers what is new: when it fired, when it was over, and whether it is new itself.
async fn keep(store: &Store, late: LateAlerts) -> Vec<(i64, Option<i64>, bool)> {
    let new = store.keep_late_alerts(&late, |_| ToTell::default(), 1_000).await.unwrap();
    new.into_iter().map(|late| (late.event.fired_ms, late.event.ended_ms, late.is_new)).collect()
}

/// All of the history, the oldest first: since when, fired, over.
async fn history(store: &Store) -> Vec<(i64, i64, Option<i64>)> {
    let mut all: Vec<_> = store.alert_events(0, i64::MAX, 100).await.unwrap();
    all.sort_by_key(|event| event.fired_ms);
    all.into_iter().map(|event| (event.since_ms, event.fired_ms, event.ended_ms)).collect()
}

async fn step(store: &Store, box_id: i64, to: StepTo, at_ms: i64) {
    let step = AlertStep { rule: "calls".to_owned(), box_id, to, at_ms };
    store.keep_alert_steps(&[step], |_| ToTell::default(), at_ms).await.unwrap();
}

fn firing(since_ms: i64) -> StepTo {
    let (box_name, severity, message) = ("a".to_owned(), "critical".to_owned(), "60 calls".to_owned());
    StepTo::Firing { since_ms, box_name, severity, message, value: Some(60.0), told: true }
}

#[tokio::test]
async fn what_was_over_by_then_is_in_the_history_once() {
    let place = Place::new();
    let (store, box_id) = store_with_box(&place).await;
    let late = |alerts: Vec<LateAlert>| LateAlerts { box_id, box_name: "a".to_owned(), alerts, last_ms: 400, ..LateAlerts::default() };
    let two = late(vec![alert(100, 110, Some(150)), alert(200, 200, Some(210))]);
    assert_eq!(keep(&store, two.clone()).await, [(110, Some(150), true), (200, Some(210), true)]);
    assert_eq!(keep(&store, two).await, [], "it comes again");
    // One that was not over when these polls end, after which nobody polled.
    assert_eq!(keep(&store, late(vec![alert(300, 330, None)])).await, [(330, Some(400), true)]);
    // What came before it began is not known, and nothing fired.
    assert_eq!(keep(&store, late(vec![LateAlert { is_known: true, ..alert(20, 20, Some(30)) }])).await, []);
    assert_eq!(history(&store).await, [(100, 110, Some(150)), (200, 200, Some(210)), (300, 330, Some(400))]);
    assert_eq!(store.alert_turns(box_id).await.unwrap(), []);
    store.close().await;
}

#[tokio::test]
async fn what_went_on_where_another_panel_looked_is_one_alert_that_began_earlier() {
    let place = Place::new();
    let (store, box_id) = store_with_box(&place).await;
    let series = store.series_ids(box_id, &["core:x"]).await.unwrap()[0];
    let generation = store.is_shared().then(|| store.lease(box_id).unwrap());
    let polls = counting(box_id, series, [500, 510], 0).into_iter();
    record_all(&store, polls.map(|poll| PollRecord { generation, ..poll }).collect()).await;
    // Whoever has the box looked at it first at 500.
    step(&store, box_id, firing(500), 510).await;
    let late = |alerts: Vec<LateAlert>| LateAlerts { box_id, box_name: "a".to_owned(), alerts, last_ms: 400, ..LateAlerts::default() };
    assert_eq!(keep(&store, late(vec![alert(350, 360, None)])).await, [], "it was told");
    assert_eq!(history(&store).await, [(350, 360, None)]);
    assert_eq!(store.alert_turns(box_id).await.unwrap().len(), 1);
    // One that began before, and was seen to be over only then, was over earlier.
    step(&store, box_id, StepTo::Fine, 900).await;
    assert_eq!(store.alert_turns_at(box_id, 600).await.unwrap(), [("calls".to_owned(), 350, true)]);
    let known = LateAlerts { last_ms: 800, ..late(vec![LateAlert { is_known: true, ..alert(350, 350, Some(700)) }]) };
    assert_eq!(keep(&store, known).await, []);
    assert_eq!(history(&store).await, [(350, 360, Some(700))]);
    assert_eq!(store.alert_turns_at(box_id, 701).await.unwrap(), []);
    store.close().await;
}

#[tokio::test]
async fn what_another_panel_saw_begin_soon_after_is_what_was_not_over_by_then() {
    let place = Place::new();
    let (store, box_id) = store_with_box(&place).await;
    step(&store, box_id, firing(430), 430).await;
    let late = |within_ms: i64, alert: LateAlert| LateAlerts {
        box_id,
        box_name: "a".to_owned(),
        alerts: vec![alert],
        last_ms: 400,
        within_ms,
        ..LateAlerts::default()
    };
    assert_eq!(keep(&store, late(30, alert(350, 360, None))).await, [], "it was told");
    assert_eq!(history(&store).await, [(350, 360, None)]);
    // What was over is over, and another one began.
    assert_eq!(keep(&store, late(30, alert(330, 330, Some(340)))).await, [(330, Some(340), true)]);
    store.close().await;
}

#[tokio::test]
async fn where_the_panel_goes_on_so_do_its_alerts() {
    let place = Place::new();
    let (store, box_id) = store_with_box(&place).await;
    step(&store, box_id, firing(90), 100).await;
    let late = |alerts: Vec<LateAlert>, pending: &[(&str, Option<i64>)]| LateAlerts {
        box_id,
        box_name: "a".to_owned(),
        alerts,
        pending: pending.iter().map(|(rule, since_ms)| ((*rule).to_owned(), *since_ms)).collect(),
        last_ms: 400,
        goes_on: true,
        within_ms: 0,
    };
    // What fired before is over, and fires again; another one is broken since then.
    let first = late(
        vec![LateAlert { is_known: true, ..alert(90, 90, Some(150)) }, alert(300, 310, None)],
        &[("calls", None), ("load", Some(390))],
    );
    assert_eq!(keep(&store, first.clone()).await, [(100, Some(150), false), (310, None, true)]);
    let turns = |turns: Vec<AlertTurn>| {
        let mut turns: Vec<_> = turns.into_iter().map(|turn| (turn.rule, turn.since_ms, turn.fires)).collect();
        turns.sort();
        turns
    };
    let stands = [("calls".to_owned(), 300, true), ("load".to_owned(), 390, false)];
    assert_eq!(turns(store.alert_turns(box_id).await.unwrap()), stands);
    // The same once more, as after an end in between.
    assert_eq!(keep(&store, first).await, []);
    assert_eq!(turns(store.alert_turns(box_id).await.unwrap()), stands);
    assert_eq!(keep(&store, late(Vec::new(), &[("load", None)])).await, []);
    assert_eq!(turns(store.alert_turns(box_id).await.unwrap()), stands[..1]);
    assert_eq!(history(&store).await, [(90, 100, Some(150)), (300, 310, None)]);
    store.close().await;
}
