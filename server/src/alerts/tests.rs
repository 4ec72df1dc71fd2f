//! Rules and what becomes of them, without a box and without a store.

use super::{Boxes, Condition, Message, Phase, Rule, Severity, Told, Turn, Verdict, condition::Seen, judge_point};

fn seen(value: f64) -> Seen {
    Seen { value, is_up: true, up_ms: Some(3_600_000), range: None, before: None }
}

#[track_caller]
fn check(condition: &Condition, value: f64, fires: bool, expect: Verdict) {
    assert_eq!(condition.judge(seen(value), fires), expect, "{condition:?} of {value}");
}

#[test]
fn bounds_and_what_it_takes_to_be_well_again() {
    let above = Condition::Above { threshold: 90.0, clear: Some(80.0) };
    check(&above, 90.0, false, Verdict::Fine);
    check(&above, 90.5, false, Verdict::Broken);
    check(&above, 85.0, true, Verdict::Broken);
    check(&above, 80.0, true, Verdict::Fine);
    check(&above, f64::NAN, true, Verdict::Unknown);
    let below = Condition::Below { threshold: 10.0, clear: Some(15.0) };
    check(&below, 9.0, false, Verdict::Broken);
    check(&below, 12.0, false, Verdict::Fine);
    check(&below, 12.0, true, Verdict::Broken);
    let outside = Condition::Outside { low: 1.0, high: 5.0, margin: 1.0 };
    check(&outside, 5.0, false, Verdict::Fine);
    check(&outside, 0.5, false, Verdict::Broken);
    check(&outside, 4.5, true, Verdict::Broken);
    check(&outside, 3.0, true, Verdict::Fine);
}

#[test]
fn what_is_of_the_box_or_of_the_past() {
    check(&Condition::NoData, f64::NAN, false, Verdict::Broken);
    check(&Condition::NoData, 0.0, false, Verdict::Fine);
    assert_eq!(Condition::BoxDown.judge(Seen { is_up: false, ..seen(f64::NAN) }, false), Verdict::Broken);
    assert_eq!(Condition::Restarted.judge(Seen { up_ms: Some(60_000), ..seen(0.0) }, false), Verdict::Broken);
    assert_eq!(Condition::Restarted.judge(seen(0.0), true), Verdict::Fine);
    let changed = Condition::Changed { by: 10.0, within: "5m".to_owned() };
    assert_eq!(changed.judge(Seen { range: Some((5.0, 8.0)), ..seen(15.0) }, false), Verdict::Broken);
    assert_eq!(changed.judge(Seen { range: Some((5.0, 8.0)), ..seen(14.0) }, false), Verdict::Fine);
    assert_eq!(changed.judge(Seen { range: Some((5.0, 30.0)), ..seen(14.0) }, false), Verdict::Broken, "it fell");
    let compared = Condition::Compared { ago: "24h".to_owned(), above: Some(50.0), below: Some(50.0) };
    assert_eq!(compared.judge(Seen { before: Some(100.0), ..seen(151.0) }, false), Verdict::Broken);
    assert_eq!(compared.judge(Seen { before: Some(100.0), ..seen(150.0) }, false), Verdict::Fine);
    assert_eq!(compared.judge(Seen { before: Some(100.0), ..seen(49.0) }, false), Verdict::Broken);
    assert_eq!(compared.judge(seen(49.0), false), Verdict::Unknown);
}

#[test]
fn it_fires_once_it_was_broken_for_long_enough() {
    let mut turn = Turn::default();
    let mut next = |verdict: Verdict, at_ms: i64| {
        turn = turn.next(verdict, at_ms, 30_000);
        (turn.phase, turn.since_ms)
    };
    assert_eq!(next(Verdict::Fine, 0), (Phase::Fine, 0));
    assert_eq!(next(Verdict::Broken, 1_000), (Phase::Pending, 1_000));
    assert_eq!(next(Verdict::Broken, 30_000), (Phase::Pending, 1_000));
    assert_eq!(next(Verdict::Unknown, 30_500), (Phase::Fine, 0), "nobody knows that it went on");
    assert_eq!(next(Verdict::Broken, 31_000), (Phase::Pending, 31_000));
    assert_eq!(next(Verdict::Broken, 61_000), (Phase::Firing, 31_000));
    assert_eq!(next(Verdict::Unknown, 62_000), (Phase::Firing, 31_000), "what fires goes on until it is known to be well");
    assert_eq!(next(Verdict::Fine, 63_000), (Phase::Fine, 0));
    assert_eq!(Turn::default().next(Verdict::Broken, 5, 0).phase, Phase::Firing, "where it need not hold");
}

#[test]
fn a_point_of_a_history_is_broken_when_any_of_it_is() {
    let above = Condition::Above { threshold: 9.0, clear: None };
    assert_eq!(judge_point(&above, (1.0, 10.0), &[], None, false), Verdict::Broken);
    assert_eq!(judge_point(&above, (1.0, 8.0), &[], None, false), Verdict::Fine);
    assert_eq!(judge_point(&above, (f64::NAN, f64::NAN), &[], None, false), Verdict::Unknown);
    let changed = Condition::Changed { by: 5.0, within: "1m".to_owned() };
    let past = [(0, 1.0, 1.0), (60_000, 7.0, 7.0)];
    assert_eq!(judge_point(&changed, (7.0, 7.0), &past, None, false), Verdict::Broken);
}

fn rule(condition: Condition) -> Rule {
    Rule {
        formula: "{a:b}".to_owned(),
        condition,
        hold: String::new(),
        severity: Severity::Warning,
        boxes: Boxes::default(),
        text: String::new(),
        destinations: Vec::new(),
        repeat: String::new(),
        silences: Vec::new(),
        paused: false,
    }
}

#[test]
fn what_a_rule_may_not_say_is_named() {
    let good = rule(Condition::Above { threshold: 1.0, clear: None });
    assert_eq!(good.check("ok"), Ok(()));
    let field = |rule: Rule, name: &str| rule.check(name).unwrap_err().0;
    assert_eq!(field(good.clone(), "firing"), "name");
    assert_eq!(field(Rule { formula: String::new(), ..good.clone() }, "x"), "formula");
    assert_eq!(field(Rule { formula: "1 +".to_owned(), ..good.clone() }, "x"), "formula");
    assert_eq!(field(Rule { hold: "long".to_owned(), ..good.clone() }, "x"), "hold");
    assert_eq!(field(Rule { repeat: "1s".to_owned(), ..good }, "x"), "repeat");
    assert_eq!(field(rule(Condition::BoxDown), "x"), "formula");
    for wrong in [
        Condition::Above { threshold: f64::NAN, clear: None },
        Condition::Above { threshold: 1.0, clear: Some(2.0) },
        Condition::Outside { low: 2.0, high: 1.0, margin: 0.0 },
        Condition::Changed { by: 0.0, within: "5m".to_owned() },
        Condition::Changed { by: 1.0, within: "ever".to_owned() },
        Condition::Compared { ago: "24h".to_owned(), above: None, below: None },
    ] {
        assert_eq!(field(rule(wrong), "x"), "condition");
    }
}

#[test]
fn boxes_are_chosen_by_name_and_by_label() {
    let labels = [("site".to_owned(), "fra".to_owned())].into();
    assert!(Boxes::default().are("sip1", &labels));
    assert!(Boxes { names: vec!["sip1".to_owned()], ..Boxes::default() }.are("sip1", &labels));
    assert!(!Boxes { names: vec!["sip2".to_owned()], ..Boxes::default() }.are("sip1", &labels));
    assert!(Boxes { labels: [("site".to_owned(), "fra".to_owned())].into(), ..Boxes::default() }.are("sip1", &labels));
    assert!(!Boxes { labels: [("site".to_owned(), "ber".to_owned())].into(), ..Boxes::default() }.are("sip1", &labels));
}

#[test]
fn a_message_says_what_it_is_of() {
    let told = Told {
        id: 1,
        rule: "load".to_owned(),
        box_name: "sip1".to_owned(),
        severity: Severity::Critical,
        resolved: false,
        value: Some(91.0),
        text: "load on sip1 is 91".to_owned(),
        since: 0,
        fired: 0,
        ended: None,
        link: "http://panel/cp".to_owned(),
        chart: None,
        picture: None,
        again: false,
        notice: false,
    };
    let one = Message { panel: String::new(), alerts: vec![told.clone()] };
    assert_eq!(one.title(), "[critical] firing: load on sip1 is 91");
    let two = Message { alerts: vec![told.clone(), Told { resolved: true, severity: Severity::Info, ..told }], ..one };
    assert_eq!((two.title().as_str(), two.severity()), ("1 alerts fire, 1 are over", Severity::Critical));
}
