//! Polls that come late, and rules over more than the box that they are of: what is not known is no number.

use app::model::{BoxKind, Origin};
use tokio::sync::Notify;

use super::{super::Condition, *};
use crate::{
    board::Board,
    provision,
    store::{BoxSpec, PollRecord, Store, StoredRule, TickRule},
};

/// A day at its begin, and how often boxes are asked.
const BEGIN_MS: i64 = 20_000 * 86_400_000;
const STEP_MS: i64 = 10_000;
const DAY_MS: i64 = 86_400_000;
const NAME: &str = "core:x";

/// Alerts over a database of their own.
struct Scene {
    alerts: Alerts,
    boxes: BTreeMap<&'static str, i64>,
    _folder: tempfile::TempDir,
}

impl Scene {
    /// With these boxes, and what of each is ticked.
    async fn new(boxes: &[(&'static str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&format!("sqlite:{}", folder.path().join("late.db").display())).await.unwrap();
        provision::builtin(&store, 1).await.unwrap();
        let mut ids = BTreeMap::new();
        for &(name, ticks) in boxes {
            let spec = BoxSpec { interval_ms: Some(STEP_MS), ..BoxSpec::new(name, BoxKind::Opensips, format!("http://{name}/mi")) };
            let id = store.add_box(&spec, 1).await.unwrap();
            let rule = |word: &str| TickRule { pattern: word.to_owned(), except: false, origin: Origin::Panel };
            store.replace_ticks(id, &ticks.split_whitespace().map(rule).collect::<Vec<_>>()).await.unwrap();
            ids.insert(name, id);
        }
        let (watching, _) = Watching::new();
        let alerts =
            Alerts { store, board: Arc::new(Board::new(STEP_MS)), watching, url: "http://p/cp".to_owned(), wake: Arc::new(Notify::new()) };
        Self { alerts, boxes: ids, _folder: folder }
    }

    async fn rule(&self, name: &str, formula: &str, condition: Condition) {
        let rule = serde_json::json!({"formula": formula, "condition": condition});
        let stored = StoredRule { name: name.to_owned(), body: rule.to_string(), origin: Origin::Panel };
        self.alerts.store.add_alert_rule(&stored, 1).await.unwrap();
    }

    /// Records what a box said: `10 _ 15`, a sample each ten seconds; where there is none, it gave no answer.
    async fn recorded(&self, box_name: &str, from_ms: i64, text: &str) {
        let (store, box_id) = (&self.alerts.store, self.boxes[box_name]);
        let series = store.series_ids(box_id, &[NAME]).await.unwrap()[0];
        let mut last_ms = None;
        for (at_ms, value) in samples(from_ms, text) {
            let values = vec![(series, Some(value))];
            let poll = PollRecord { box_id, at_ms, interval_ms: STEP_MS, values, marks: Vec::new(), started_ms: None, generation: None };
            store.record(poll).await.unwrap();
            if let Some(last_ms) = last_ms.replace(at_ms).filter(|last_ms| at_ms - last_ms > STEP_MS) {
                store.record_gap(box_id, last_ms, at_ms, "timeout").await.unwrap();
            }
        }
    }

    /// Puts the rules to what a box said, which is recorded; answers what they did: from which sample of it, to which.
    async fn judged(&self, box_name: &str, from_ms: i64, text: &str) -> Vec<(String, String, i64, Option<i64>)> {
        let names: Arc<[Arc<str>]> = Arc::new([NAME.into()]);
        let kept: Vec<(i64, [Option<Number>; 1])> = samples(from_ms, text).map(|(at_ms, value)| (at_ms, [Some(value)])).collect();
        let polls: Vec<LatePoll<'_>> =
            kept.iter().map(|(at_ms, values)| LatePoll { at_ms: *at_ms, started_ms: None, names: &names, values }).collect();
        // They may come again.
        for _ in 0..2 {
            let late = [LateBox { box_id: self.boxes[box_name], polls: polls.clone() }];
            self.alerts.judge_late(&late, false).await.unwrap();
        }
        let mut all = self.alerts.store.alert_events(0, i64::MAX, 100).await.unwrap();
        all.sort_by_key(|event| (event.fired_ms, event.rule.clone()));
        let place = |at_ms: i64| (at_ms - from_ms) / STEP_MS;
        all.into_iter().map(|event| (event.rule, event.box_name, place(event.fired_ms), event.ended_ms.map(place))).collect()
    }
}

fn samples(from_ms: i64, text: &str) -> impl Iterator<Item = (i64, Number)> {
    let values = text.split_whitespace().map(|word| word.parse().ok().map(Number::Int));
    (0..).zip(values).filter_map(move |(place, value)| Some((from_ms + place * STEP_MS, value?)))
}

fn above(threshold: f64) -> Condition {
    Condition::Above { threshold, clear: None }
}

fn did(rule: &str, box_name: &str, fired: i64, ended: i64) -> (String, String, i64, Option<i64>) {
    (rule.to_owned(), box_name.to_owned(), fired, Some(ended))
}

#[tokio::test]
async fn a_rule_over_two_boxes_takes_what_the_other_had_then_from_its_history() {
    let scene = Scene::new(&[("sip1", "core:"), ("sip2", "core:x")]).await;
    scene.rule("both", "{sip1/core:x} + {sip2/core:x}", above(100.0)).await;
    scene.rule("absent", "{sip1/core:x} + {sip2/core:x}", Condition::NoData).await;
    // A little before the other, always.
    scene.recorded("sip2", BEGIN_MS - 4_000, "10 50 50 10 10 _ _ _ 10 50 _ _ _ 10").await;
    let late = "60 60 60 60 200 200 900 900 60 60 60 60 60 60";
    scene.recorded("sip1", BEGIN_MS, late).await;
    // While the other gave no answer nothing begins, and what fired goes on.
    let expect = [did("both", "tickmark", 1, 3), did("both", "tickmark", 4, 8), did("both", "tickmark", 9, 13)];
    assert_eq!(scene.judged("sip1", BEGIN_MS, late).await, expect);
}

#[tokio::test]
async fn nothing_begins_where_the_other_box_was_not_recorded() {
    let scene = Scene::new(&[("sip1", "core:"), ("sip2", "core:x")]).await;
    scene.rule("both", "{sip1/core:x} + {sip2/core:x}", above(100.0)).await;
    scene.rule("growth", "rate({sip2/core:x}) + {sip1/core:x}", above(100.0)).await;
    // Its history ends; what it had last is not what it had then.
    scene.recorded("sip2", BEGIN_MS - 4_000, "10").await;
    let late = "60 900 900 60";
    scene.recorded("sip1", BEGIN_MS, late).await;
    assert_eq!(scene.judged("sip1", BEGIN_MS, late).await, []);
}

#[tokio::test]
async fn a_pattern_of_boxes_is_told_where_each_records_what_it_may_have() {
    for (ticks, expect) in [("core:", vec![did("all", "tickmark", 1, 2)]), ("dialog:", vec![])] {
        let scene = Scene::new(&[("sip1", "core:"), ("sip2", ticks)]).await;
        scene.rule("all", "sum({*/core:x})", above(100.0)).await;
        // A box that records it has none of it in its history: it does not have it. Of one that does not, nobody can say.
        let late = "60 101 60";
        scene.recorded("sip1", BEGIN_MS, late).await;
        assert_eq!(scene.judged("sip1", BEGIN_MS, late).await, expect, "{ticks}");
    }
}

#[tokio::test]
async fn a_pattern_of_statistics_is_told_where_its_group_is_recorded_as_a_whole() {
    for (ticks, expect) in [("core:", vec![did("all", "sip1", 1, 2)]), ("core:x", vec![])] {
        let scene = Scene::new(&[("sip1", ticks)]).await;
        scene.rule("all", "max({core:*})", above(100.0)).await;
        let late = "60 101 60";
        scene.recorded("sip1", BEGIN_MS, late).await;
        assert_eq!(scene.judged("sip1", BEGIN_MS, late).await, expect, "{ticks}");
    }
}

#[tokio::test]
async fn a_rule_that_compares_takes_the_day_before_from_the_history() {
    let scene = Scene::new(&[("sip1", "core:"), ("sip2", "core:")]).await;
    let compared = |above| Condition::Compared { ago: "24h".to_owned(), above: Some(above), below: None };
    scene.rule("more", "{core:x}", compared(50.0)).await;
    scene.rule("sum", "{sip1/core:x} + {sip2/core:x}", compared(100.0)).await;
    // Ten minutes of the day before, around what comes late; the other box has nothing then.
    scene.recorded("sip1", BEGIN_MS - DAY_MS - 300_000, &"100 ".repeat(60)).await;
    let late = "140 151 151 150 140";
    scene.recorded("sip2", BEGIN_MS - 4_000, &"500 ".repeat(6)).await;
    scene.recorded("sip1", BEGIN_MS, late).await;
    assert_eq!(scene.judged("sip1", BEGIN_MS, late).await, [did("more", "sip1", 1, 3)]);
    // An hour later it has nothing of the day before.
    let later_ms = BEGIN_MS + 3_600_000;
    scene.recorded("sip1", later_ms, "900 900").await;
    assert_eq!(scene.judged("sip1", later_ms, "900 900").await.len(), 1);

    let scene = Scene::new(&[("sip1", "core:"), ("sip2", "core:")]).await;
    scene.rule("sum", "{sip1/core:x} + {sip2/core:x}", compared(100.0)).await;
    for one in ["sip1", "sip2"] {
        scene.recorded(one, BEGIN_MS - DAY_MS - 300_000, &"100 ".repeat(60)).await;
    }
    scene.recorded("sip2", BEGIN_MS - 4_000, &"300 ".repeat(6)).await;
    scene.recorded("sip1", BEGIN_MS, "100 101 101 100 100").await;
    assert_eq!(scene.judged("sip1", BEGIN_MS, "100 101 101 100 100").await, [did("sum", "tickmark", 1, 3)]);
}
