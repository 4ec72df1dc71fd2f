use std::fmt::Debug;

use proptest::prelude::*;

use super::*;
use crate::model::{AlertMark, BoxKind, BoxView, Fired, Numbers, Origin};

/// What the server writes is read as it was.
#[track_caller]
fn comes_through<T: Read + serde::Serialize + PartialEq + Debug>(told: &T) {
    assert_eq!(read::<T>(&serde_json::to_string(told).unwrap()).as_ref(), Some(told));
}

fn numbers() -> impl Strategy<Value = Option<Number>> {
    let number = prop_oneof![
        any::<i64>().prop_map(Number::Int),
        prop::num::f64::NORMAL.prop_map(Number::Float),
        Just(Number::Float(5.0)),
        Just(Number::Int((1 << 53) + 1)),
    ];
    prop::option::of(number)
}

proptest! {
    #[test]
    fn live_values_come_through(value in numbers(), rate in prop::option::of(prop::num::f64::NORMAL), name in any::<String>(), snapshot: bool, left_out: u16, missed: u8) {
        let spark = Spark::of([Some(1.5), None, Some(0.1)].into_iter()).filter(|_| snapshot || missed > 1);
        let statistics = vec![LiveStatistic { name, value, rate, spark }];
        comes_through(&LiveValues { box_name: "sip1".to_owned(), at: 1_700_000_000_123, snapshot, left_out: left_out.into(), missed: missed.into(), statistics });
    }

    #[test]
    fn columns_come_through(values in prop::collection::vec(numbers(), 0..20)) {
        let column = || values.clone();
        let columns = Columns {
            t: (0..).take(values.len()).collect(),
            first: column(),
            min: column(),
            max: column(),
            mean: column(),
            last: column(),
        };
        comes_through(&series(columns));
    }
}

proptest! {
    /// What a page writes is read so that it is written the same again, whole numbers exactly.
    #[test]
    fn what_is_written_is_read(value in numbers(), unit in prop_oneof![Just(""), Just("percent"), Just("bytes")], style in 0..Numbers::ALL.len()) {
        format::with_numbers(Numbers::ALL[style], || {
            let Some(value) = value else { return Ok(()) };
            let text = format::value(value, unit);
            let read = written(&text);
            prop_assert_eq!(read.map(|read| format::value(read, unit)), Some(text));
            if matches!(value, Number::Int(_)) {
                prop_assert_eq!(read, Some(value));
            }
            Ok(())
        })?;
    }
}

#[test]
fn what_is_not_known_is_read_as_that() {
    assert_eq!(written("unknown"), None);
}

fn series(columns: Columns) -> Series {
    let causes = [ResetCause::Restart, ResetCause::Drop, ResetCause::Person, ResetCause::Schedule, ResetCause::Clock, ResetCause::Moved];
    Series {
        box_name: "sip1".to_owned(),
        name: "core:\"rcv\"\n".to_owned(),
        mode: Mode::Rate,
        of: None,
        every_ms: Some(60_000),
        unit: "bytes/s".to_owned(),
        from: i64::MIN,
        to: i64::MAX,
        tier: "raw".to_owned(),
        total: Some(Number::Int(12)),
        of_means: false,
        columns,
        gaps: vec![Gap { from: 1, to: 2, reason: "no answer".to_owned() }],
        resets: causes.into_iter().map(|cause| Reset { at: 5, cause, by: Some("ann".to_owned()) }).collect(),
        alerts: vec![AlertMark {
            rule: "calls".to_owned(),
            unit: "calls".to_owned(),
            above: Some(1.5),
            below: None,
            fired: vec![Fired { from: 3, to: 9 }],
        }],
        notes: vec![Note { id: 4, from: 1, to: 2, text: "the carrier \"changed\"".to_owned(), by: "ann".to_owned() }],
    }
}

#[test]
fn every_word_comes_through() {
    comes_through(&Removed { box_name: "sip1".to_owned() });
    comes_through(&Recorded { box_name: "sip1".to_owned(), at: 7 });
    comes_through(&Fault { message: None });
    comes_through(&Fault { message: Some("The disk is full.".to_owned()) });
    comes_through(&Series { mode: Mode::Value, resets: Vec::new(), ..series(Columns::default()) });
    let verdicts =
        [Verdict::Opensips, Verdict::Kamailio, Verdict::NotSip, Verdict::Unreachable, Verdict::WrongPath, Verdict::NeedsPassword];
    for (verdict, kind) in verdicts.into_iter().zip([BoxKind::Opensips, BoxKind::Kamailio, BoxKind::Tickmark].into_iter().cycle()) {
        let (address, message) = ("http://127.0.0.1:8888/mi".to_owned(), "It answers.".to_owned());
        comes_through(&ProbeReport { address, verdict, kind: Some(kind), server: None, statistics: Some(187), message });
    }
}

fn view(state: BoxState) -> BoxView {
    BoxView {
        id: 3,
        name: "sip1".to_owned(),
        address: "http://127.0.0.1:8888/mi".to_owned(),
        kind: BoxKind::Opensips,
        interval: "10s".to_owned(),
        labels: [("site".to_owned(), "fra".to_owned())].into(),
        paused: false,
        origin: Origin::Panel,
        user: None,
        has_password: true,
        state,
        server: Some("OpenSIPS 4.0.1".to_owned()),
        statistics: 187,
        recorded: 4,
        started_at: Some(1),
        at: Some(1_700_000_000_123),
        age_ms: None,
        reason: Some("it is busy".to_owned()),
        notice: None,
    }
}

#[test]
fn of_a_box_its_state_is_read() {
    for state in [BoxState::Waiting, BoxState::Up, BoxState::Down, BoxState::Paused] {
        let json = serde_json::to_string(&view(state)).unwrap();
        let news = BoxNews {
            id: 3,
            name: "sip1".to_owned(),
            interval: "10s".to_owned(),
            state,
            statistics: 187,
            recorded: 4,
            started_at: Some(1),
            at: Some(1_700_000_000_123),
            age_ms: None,
            reason: Some("it is busy".to_owned()),
            notice: None,
        };
        assert_eq!(read::<BoxNews>(&json).as_ref(), Some(&news));
        assert_eq!(read::<BoxList>(&format!("{{\"items\":[{json},{json}]}}")).map(|list| list.0), Some(vec![news.clone(), news]));
    }
}

#[test]
fn what_is_of_another_kind_is_not_read() {
    let json = serde_json::to_value(view(BoxState::Up)).unwrap();
    for key in ["id", "name", "interval", "state", "statistics", "recorded"] {
        let mut without = json.clone();
        without.as_object_mut().unwrap().remove(key);
        assert_eq!(read::<BoxNews>(&without.to_string()), None, "without {key}");
    }
    let mut other = json;
    other["at"] = "soon".into();
    assert_eq!(read::<BoxNews>(&other.to_string()), None);
    assert_eq!(read::<LiveValues>(r#"{"box":"a","at":1,"snapshot":true,"statistics":[{"name":"x:y","value":"5","rate":null}]}"#), None);
    assert_eq!(read::<Problem>(r#"{"title":"Not found"}"#).map(|problem| problem.0), None);
    assert_eq!(read::<Problem>(r#"{"detail":"no such box"}"#).map(|problem| problem.0).as_deref(), Some("no such box"));
}
