use app::model::Number;

use super::*;
use crate::store::BoxSpec;

fn stored() -> StoredBox {
    let spec = BoxSpec { interval_ms: Some(1_000), ..BoxSpec::new("sip1", BoxKind::Opensips, "http://127.0.0.1:1/mi") };
    StoredBox { id: 7, spec }
}

struct Box {
    now: BoxNow,
    start: Instant,
    names: Arc<[Arc<str>]>,
}

impl Box {
    fn new() -> Self {
        let mut now = BoxNow::new(stored(), Rules::default(), Vec::new(), 10_000);
        let planned = now.plan_kinds(vec![("a:count".into(), Kind::Counter), ("a:level".into(), Kind::Gauge)]);
        now.set_kinds(planned());
        Self { now, start: Instant::now(), names: Arc::new([]) }
    }

    fn answer(&mut self, second: u64, up_since_s: i64, values: &[(&str, i64)]) -> Applied {
        let at_ms = 1_000_000 + i64::try_from(second).unwrap() * 1_000;
        // The same names are the same list, as a source gives them.
        if !self.names.iter().map(AsRef::as_ref).eq(values.iter().map(|&(name, _)| name)) {
            self.names = values.iter().map(|&(name, _)| Arc::from(name)).collect();
        }
        let answer = Answer {
            at_ms,
            took: Duration::from_millis(1),
            started_at_ms: Some(up_since_s * 1_000),
            names: Arc::clone(&self.names),
            values: values.iter().map(|&(_, value)| Ok(Number::Int(value))).collect(),
            left_out: None,
        };
        self.now.apply(&answer, None, self.start + Duration::from_secs(second))
    }
}

#[test]
fn rates_are_of_counters_and_move_with_their_names() {
    let mut sip1 = Box::new();
    sip1.answer(0, 0, &[("a:count", 10), ("a:level", 5)]);
    assert_eq!(sip1.now.rates, [None, None]);
    assert_eq!(sip1.now.moved, [false, false]);
    let applied = sip1.answer(1, 0, &[("a:level", 6), ("a:count", 14), ("b:new", 1)]);
    assert!(applied.new_names);
    assert_eq!(sip1.now.rates, [None, Some(4.0), None]);
    assert_eq!(sip1.now.moved, [true, true, false]);
}

#[test]
fn what_was_pushed_goes_on_when_the_panel_begins_anew() {
    let mut own = Box::new();
    own.now.stored.spec.kind = BoxKind::Tickmark;
    let planned = own.now.plan_kinds(vec![("calls:failed".into(), Kind::Counter)]);
    own.now.set_kinds(planned());
    own.answer(0, 0, &[("panel:requests", 1_000), ("calls:failed", 1_000), ("panel:restarts", 4)]);
    let applied = own.answer(2, 1_001, &[("panel:requests", 6), ("calls:failed", 1_006), ("panel:restarts", 5)]);
    assert!(applied.restarted);
    assert_eq!(own.now.rates, [Some(3.0), Some(3.0), Some(0.5)]);
}

#[test]
fn a_restart_gives_the_new_value_as_increase_and_a_drop_gives_none() {
    let mut sip1 = Box::new();
    sip1.answer(0, 0, &[("a:count", 1_000)]);
    let applied = sip1.answer(2, 1_001, &[("a:count", 6)]);
    assert!(applied.restarted);
    assert_eq!(sip1.now.rates, [Some(3.0)]);
    let applied = sip1.answer(3, 1_001, &[("a:count", 5)]);
    assert!(!applied.restarted);
    assert_eq!(applied.dropped, [Arc::from("a:count")]);
    assert_eq!(sip1.now.rates, [None]);
}

#[test]
fn another_server_at_the_same_address_gives_neither_increase_nor_drop() {
    for (started, value) in [(-5_000, 5_000_000), (-5_000, 5), (900, 5_000_000), (900, 5)] {
        let mut sip1 = Box::new();
        sip1.answer(0, 0, &[("a:count", 1_000)]);
        let applied = sip1.answer(2, started, &[("a:count", value)]);
        assert_eq!((applied.restarted, applied.is_other, applied.dropped), (false, true, vec![]));
        assert_eq!(sip1.now.rates, [None]);
        assert!(!sip1.answer(3, started, &[("a:count", value + 1)]).is_other);
        assert_eq!(sip1.now.rates, [Some(1.0)]);
    }
}

#[test]
fn a_failure_keeps_the_values_and_says_why() {
    let mut sip1 = Box::new();
    sip1.answer(0, 0, &[("a:count", 1)]);
    let changes = sip1.now.changes;
    sip1.now.fail("no answer".into());
    assert_eq!((sip1.now.state, sip1.now.values.len()), (BoxState::Down, 1));
    assert_eq!(sip1.now.changes, changes + 1);
    sip1.now.fail("no answer".into());
    assert_eq!(sip1.now.changes, changes + 1, "the same failure again is no change");
    sip1.answer(1, 0, &[("a:count", 1)]);
    assert_eq!((sip1.now.state, sip1.now.reason.clone()), (BoxState::Up, None));
}

#[test]
fn a_corrected_kind_wins_over_what_the_box_says() {
    let mut sip1 = Box::new();
    sip1.now.redescribe(stored(), Rules::default(), vec![("a:count".into(), Kind::Gauge)], 10_000);
    sip1.answer(0, 0, &[("a:count", 1)]);
    sip1.answer(1, 0, &[("a:count", 2)]);
    assert_eq!(sip1.now.rates, [None]);
}

#[test]
fn a_spark_line_is_bounded() {
    let mut sip1 = Box::new();
    for second in 0..100 {
        sip1.answer(second, 0, &[("a:count", 3), ("a:level", 9)]);
    }
    assert_eq!(sip1.now.spark(1), [Some(9.0); crate::board::SPARK_POINTS]);
    assert_eq!(sip1.now.spark(0), [Some(0.0); crate::board::SPARK_POINTS]);
}

#[test]
fn rules_worked_out_on_an_older_answer_hold_for_the_newest() {
    let mut sip1 = Box::new();
    sip1.answer(0, 0, &[("a:count", 1)]);
    let before = Arc::clone(&sip1.now.layout);
    let rules = rules(&["a:", "b:later"]);
    let layout = before.with_rules(BoxKind::Opensips, Arc::clone(&rules));
    assert_eq!(layout.unseen, ["b:later"]);
    sip1.answer(1, 0, &[("a:count", 2), ("a:level", 1), ("b:later", 1)]);
    sip1.now.set_rules(rules, layout);
    let ticked: Vec<_> = sip1.now.ticked().map(|(full, place)| (full.to_string(), place)).collect();
    assert_eq!(ticked, [("a:count".to_owned(), 0), ("a:level".to_owned(), 1), ("b:later".to_owned(), 2)]);
    assert_eq!(sip1.now.unseen(), Vec::<String>::new());
}

fn rules(words: &[&str]) -> Arc<Rules> {
    let mut rules = Rules::default();
    rules.tick(words).unwrap();
    Arc::new(rules)
}

#[test]
fn what_changed_while_an_answer_was_planned_holds() {
    let mut sip1 = Box::new();
    sip1.answer(0, 0, &[("a:count", 1)]);
    let names: Arc<[Arc<str>]> = ["a:count", "a:level"].map(Arc::from).into();
    let answer = Answer {
        at_ms: 1_001_000,
        took: Duration::from_millis(1),
        started_at_ms: None,
        names,
        values: vec![Ok(Number::Int(2)), Ok(Number::Int(3))],
        left_out: None,
    };
    let planned = sip1.now.plan(&answer).unwrap()();
    let kinds = sip1.now.plan_kinds(vec![("a:count".into(), Kind::Gauge)])();
    let rules = rules(&["a:level"]);
    let layout = sip1.now.layout.with_rules(BoxKind::Opensips, Arc::clone(&rules));
    sip1.now.set_rules(rules, layout);
    sip1.now.set_kinds(kinds);
    sip1.now.apply(&answer, Some(planned), sip1.start + Duration::from_secs(1));
    assert_eq!(sip1.now.ticked().collect::<Vec<_>>(), [(&Arc::from("a:level"), 1)]);
    assert_eq!(sip1.now.layout.slots[0].kind, Kind::Gauge);
    assert_eq!(sip1.now.changed_at, [2, 2]);
    assert!(sip1.now.plan(&answer).is_none(), "its names are known");
}

#[test]
fn what_did_not_change_is_not_looked_up_anew() {
    let mut sip1 = Box::new();
    sip1.answer(0, 0, &[("a:count", 1), ("a:level", 1)]);
    let layout = Arc::clone(&sip1.now.layout);
    sip1.now.redescribe(stored(), Rules::default(), Vec::new(), 10_000);
    assert!(Arc::ptr_eq(&layout, &sip1.now.layout));
    sip1.answer(1, 0, &[("a:count", 1), ("a:level", 2)]);
    sip1.answer(2, 0, &[("a:count", 1), ("a:level", 2)]);
    // The rate of the counter was nothing at first; the level moved once.
    assert_eq!(sip1.now.changed_at, [2, 2]);
}
