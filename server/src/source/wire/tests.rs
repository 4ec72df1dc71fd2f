use app::model::Kind;
use proptest::prelude::*;

use super::*;

fn reply(pairs: &[(&str, &str)], id: i32) -> String {
    let pairs: Vec<_> = pairs.iter().map(|(name, value)| format!("{}:{value}", serde_json::to_string(name).unwrap())).collect();
    format!(r#"{{"jsonrpc":"2.0","result":{{{}}},"id":{id}}}"#, pairs.join(","))
}

fn ask(body: &str, id: i32, memory: &mut Memory) -> Vec<Reading> {
    let mut values = Vec::new();
    statistics(body.as_bytes(), id, memory, &mut values).unwrap();
    values
}

fn by_name(memory: &Memory, values: &[Reading], name: &str) -> Reading {
    let names = memory.names();
    values[names.iter().position(|known| &**known == name).unwrap_or_else(|| panic!("no {name}"))]
}

/// Whether the quick way read it.
fn quickly(body: &str, id: i32, memory: &Memory) -> bool {
    recognise(body.as_bytes(), id, memory, &mut Vec::new()).is_some()
}

/// The body of a recorded answer.
macro_rules! capture {
    ($path:literal) => {{
        let whole: &str = include_str!(concat!("../../../tests/captures/", $path));
        whole.split_once("\r\n\r\n").unwrap().1
    }};
}

#[test]
fn a_recorded_opensips() {
    let mut memory = Memory::new(Dialect::Opensips);
    let body = capture!("opensips-4.0/get_all_named.resp");
    let values = ask(body, 1, &mut memory);
    let names = memory.names();
    assert_eq!((names.len(), values.len()), (187, 187));
    assert_eq!(by_name(&memory, &values, "core:rcv_requests"), Ok(Number::Int(6523)));
    assert_eq!(by_name(&memory, &values, "shmem:total_size"), Ok(Number::Int(67_108_864)));
    assert_eq!(by_name(&memory, &values, "packet:total_size"), Ok(Number::Int(2_496_020)));
    assert_eq!(by_name(&memory, &values, "dynamic:negative_stat"), Err(Unknown::Inexact));
    assert_eq!(memory.uptime_ms(&values, 0), Some(80_000));

    assert!(quickly(body, 1, &memory));
    let again = ask(body, 1, &mut memory);
    assert_eq!(again, values);
    assert!(Arc::ptr_eq(&names, &memory.names()));
}

#[test]
fn a_recorded_kamailio() {
    let mut memory = Memory::new(Dialect::Kamailio);
    let body = capture!("kamailio-5.6/fetchn_all.resp");
    let values = ask(body, 19, &mut memory);
    assert_eq!(by_name(&memory, &values, "script:packet_count"), Ok(Number::Int(800)));
    assert!(memory.names().iter().all(|name| name.contains(':') && !name.contains('.')));
    assert!(quickly(body, 19, &memory));
    // Strings, as `stats.fetch` writes them, are read as well.
    let strings = ask(capture!("kamailio-5.6/fetch_all.resp"), 14, &mut memory);
    assert_eq!(strings.len(), values.len());
    assert!(strings.iter().all(Result::is_ok));
}

#[test]
fn a_pretty_answer_with_odd_names() {
    let mut memory = Memory::new(Dialect::Opensips);
    let body = capture!("opensips-4.0/big_values.resp");
    let values = ask(body, 1, &mut memory);
    let names = memory.names();
    assert_eq!(by_name(&memory, &values, "dynamic:big_1e13"), Ok(Number::Int(10_000_000_000_000)));
    assert_eq!(by_name(&memory, &values, "dynamic:minus_one"), Err(Unknown::Inexact));
    assert_eq!(by_name(&memory, &values, "dynamic:weird name/with \"quotes\""), Ok(Number::Int(3)));
    assert_eq!(by_name(&memory, &values, "dynamic:utf8_é"), Ok(Number::Int(4)));
    assert_eq!(memory.uptime_ms(&values, 0), None);
    assert!(!quickly(body, 1, &memory));
    ask(body, 1, &mut memory);
    assert!(Arc::ptr_eq(&names, &memory.names()), "the same names by the slow way are the same names");
}

#[test]
fn names_twice() {
    let mut memory = Memory::new(Dialect::Opensips);
    let values = ask(capture!("opensips-4.0/get_duplicates.resp"), 19, &mut memory);
    assert_eq!(values.len(), 12);
    assert_eq!(by_name(&memory, &values, "core:rcv_requests"), Ok(Number::Int(6529)));

    let body = reply(&[("a:b:c", "1"), ("x", "2"), ("a:b:c", "3"), ("x", "2")], 1);
    let values = ask(&body, 1, &mut memory);
    assert_eq!(values, [Err(Unknown::Ambiguous), Ok(Number::Int(2))]);
    assert_eq!(ask(&body, 1, &mut memory), values, "also when they are remembered");
    let two = reply(&[("a:b:c", "1"), ("d:e", "5"), ("d:e", "6")], 2);
    let some = some(two.as_bytes(), Dialect::Opensips, Question::Groups(&[]), 2).unwrap();
    assert_eq!(some, [("a:b:c".into(), Ok(Number::Int(1))), ("d:e".into(), Err(Unknown::Ambiguous))]);
}

#[test]
fn two_spellings_of_one_name() {
    let mut memory = Memory::new(Dialect::Kamailio);
    let values = ask(&reply(&[("a.b.c", "1"), ("a:b.c", "2"), ("plain", "3")], 1), 1, &mut memory);
    let names = memory.names();
    assert_eq!(names.iter().map(|name| &**name).collect::<Vec<_>>(), ["a:b.c", "a:b:c", "plain"]);
    assert_eq!(values, [1, 2, 3].map(|value| Ok(Number::Int(value))));
}

#[test]
fn statistics_that_appear_later() {
    let mut memory = Memory::new(Dialect::Opensips);
    ask(&reply(&[("a:x", "1")], 1), 1, &mut memory);
    let before = memory.names();
    let values = ask(&reply(&[("a:x", "1"), ("a:y", "2")], 2), 2, &mut memory);
    assert_eq!(values.len(), 2);
    assert_eq!((before.len(), memory.names().len()), (1, 2));
    assert_eq!(ask(&reply(&[], 3), 3, &mut memory), []);
    assert_eq!(memory.names().len(), 0);
}

#[test]
fn the_quick_way_checks_everything() {
    let mut memory = Memory::new(Dialect::Opensips);
    let good = reply(&[("a:x", "1"), ("a:y", "-2"), ("a:z", "1.5e3")], 7);
    ask(&good, 7, &mut memory);
    assert!(quickly(&good, 7, &memory));
    assert!(quickly(&format!("{good}\r\n \t"), 7, &memory));
    for (from, to) in [
        ("\"id\":7", "\"id\":8"),
        ("\"id\":7", "\"id\":07"),
        ("\"id\":7", "\"id\":"),
        ("\"id\":7", "\"id\":7,\"error\":{}"),
        ("\"id\":7}", "\"id\":7}}"),
        ("\"id\":7}", "\"id\":7"),
        (":1,", ":01,"),
        (":1,", ":,"),
        (":1,", ":1.,"),
        (":1,", ":1 2,"),
        (":1,", ":\"1\","),
        (":1,", ":null,"),
        (":-2,", ":--2,"),
        (":-2,", ":- 2,"),
        ("a:x", "a:w"),
        ("\"a:y\":-2,", ""),
        (",\"a:y\"", ",,\"a:y\""),
        ("2.0", "1.0"),
    ] {
        let changed = good.replacen(from, to, 1);
        assert_ne!(changed, good);
        assert!(!quickly(&changed, 7, &memory), "{changed}");
    }
}

#[test]
fn names_that_are_no_utf8_hide_nothing() {
    let mut memory = Memory::new(Dialect::Opensips);
    let mut body = reply(&[("a:x", "1"), ("a:caf#", "2")], 1).into_bytes();
    let place = body.iter().position(|&byte| byte == b'#').unwrap();
    body[place] = 0xe9;
    let mut values = Vec::new();
    statistics(&body, 1, &mut memory, &mut values).unwrap();
    assert_eq!(&*memory.names()[1], "a:caf\u{fffd}");
    assert_eq!(values, [Ok(Number::Int(1)), Ok(Number::Int(2))]);
}

#[test]
fn a_name_beyond_the_bound_costs_itself_alone() {
    let mut memory = Memory::new(Dialect::Opensips);
    let longest = format!("a:{}", "x".repeat(crate::source::MAX_NAME_BYTES - 2));
    let long = format!("{longest}x");
    let values = ask(&reply(&[("a:x", "1"), (&longest, "2"), (&long, "3"), (&format!("{long}y"), "4")], 1), 1, &mut memory);
    assert_eq!(values, [Ok(Number::Int(1)), Ok(Number::Int(2))]);
    let sentence = memory.left_out().unwrap();
    assert!(sentence.starts_with("2 statistics are left out") && sentence.len() < 400, "{sentence}");
    ask(&reply(&[("a:x", "1"), (&longest, "2")], 2), 2, &mut memory);
    assert_eq!(memory.left_out(), None);
}

#[test]
fn too_many_names_are_refused() {
    let mut memory = Memory::new(Dialect::Opensips);
    let many: Vec<_> = (0..=envelope::MAX_NAMES).map(|n| format!("\"a:{n}\":1")).collect();
    let body = format!(r#"{{"jsonrpc":"2.0","result":{{{}}},"id":1}}"#, many.join(","));
    let error = statistics(body.as_bytes(), 1, &mut memory, &mut Vec::new()).unwrap_err();
    assert!(matches!(error, WireError::TooLarge(_)), "{error}");
}

#[test]
fn an_answer_to_something_else_has_no_numbers() {
    let mut memory = Memory::new(Dialect::Opensips);
    for body in
        [capture!("opensips-4.0/list_all.resp"), capture!("opensips-4.0/cmd_uptime.resp"), capture!("opensips-4.0/cmd_version.resp")]
    {
        let id = body.rsplit_once("\"id\":").unwrap().1.trim_matches(|c: char| !c.is_ascii_digit()).parse().unwrap();
        let error = statistics(body.as_bytes(), id, &mut memory, &mut Vec::new()).unwrap_err();
        assert!(error.to_string().contains("none of its values is a number"), "{error}");
    }
}

#[test]
fn a_name_with_nul_is_one_that_pages_and_databases_can_hold() {
    let mut memory = Memory::new(Dialect::Kamailio);
    let body = reply(&[("a\0.b\0", "1"), ("a.b", "2")], 1);
    let values = ask(&body, 1, &mut memory);
    assert_eq!(&*memory.names()[0], "a\u{fffd}:b\u{fffd}");
    assert_eq!(values, [Ok(Number::Int(1)), Ok(Number::Int(2))]);
    assert!(quickly(&body, 1, &memory));
}

#[test]
fn what_is_no_kind_is_no_kind() {
    let body = br#"{"jsonrpc":"2.0","result":{"a:x":"incremental","a:y":["incremental"],"a:z":{"b":1},"a:w":null,"a:v":"non-incremental"},"id":1}"#;
    assert_eq!(kinds(body, Dialect::Opensips, 1).unwrap(), [("a:x".into(), Kind::Counter), ("a:v".into(), Kind::Gauge)]);
}

#[test]
fn recorded_kinds_and_uptimes() {
    let kinds: HashMap<_, _> =
        kinds(capture!("opensips-4.0/list_all.resp").as_bytes(), Dialect::Opensips, 36).unwrap().into_iter().collect();
    assert_eq!(kinds.len(), 187);
    assert_eq!(kinds["core:rcv_requests"], Kind::Counter);
    assert_eq!(kinds["shmem:total_size"], Kind::Gauge);
    assert_eq!(uptime_s(capture!("opensips-4.0/cmd_uptime.resp").as_bytes(), Dialect::Opensips, 58), Some(81));
    assert_eq!(uptime_s(capture!("kamailio-5.6/core_uptime.resp").as_bytes(), Dialect::Kamailio, 30), Some(1495));
    assert_eq!(uptime_s(br#"{"result":{"Up time":"x"},"id":1}"#, Dialect::Opensips, 1), None);
    assert_eq!(uptime_s(br#"{"result":{"uptime":5},"id":2}"#, Dialect::Opensips, 1), None);
}

/// Names with all that hurts: quotes, backslashes, control characters, commas, braces, colons.
fn name() -> impl Strategy<Value = String> {
    prop_oneof!["[a-c]:[a-c]", "\\PC{0,12}", "[\"\\\\,{}:\n\u{1}é/ ]{0,6}"]
}

/// What may stand where a value stands, right or wrong.
fn written() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<i64>().prop_map(|n| n.to_string()),
        any::<u64>().prop_map(|n| n.to_string()),
        any::<f64>().prop_filter("JSON has no others", |n| n.is_finite()).prop_map(|n| format!("{n:e}")),
        any::<u64>().prop_map(|n| format!("\"{n}\"")),
        "-?[0-9]{1,22}(\\.[0-9]{1,3})?([eE][+-]?[0-9]{1,2})?",
        "[-+0-9.eE \\]\\[\"truenl]{0,6}",
        Just("1.844674e+19".to_owned()),
        Just("-0".to_owned()),
    ]
}

fn space() -> impl Strategy<Value = String> {
    prop_oneof![4 => Just(String::new()), 1 => "[ \t\r\n]{1,2}"]
}

proptest! {
    /// Whatever the quick way accepts, serde_json reads the same; what it does not accept costs nothing but time.
    #[test]
    fn both_ways_agree(
        names in proptest::collection::vec(name(), 0..6),
        values in proptest::collection::vec((written(), space(), space()), 6),
        other in proptest::option::weighted(0.2, (0_usize..6, name())),
        tail in space(),
        id in prop_oneof![4 => Just(7_i32), 1 => any::<i32>()],
        kamailio in any::<bool>(),
    ) {
        let kind = if kamailio { Dialect::Kamailio } else { Dialect::Opensips };
        let mut memory = Memory::new(kind);
        let first: Vec<_> = names.iter().map(|name| (name.as_str(), "1")).collect();
        ask(&reply(&first, 1), 1, &mut memory);

        let mut second = names.clone();
        if let Some((at, name)) = other
            && at < second.len()
        {
            second[at] = name;
        }
        let pairs: Vec<_> = second.iter().zip(&values).map(|(name, (value, before, after))| {
            format!("{}:{before}{value}{after}", serde_json::to_string(name).unwrap())
        }).collect();
        let body = format!(r#"{{"jsonrpc":"2.0","result":{{{}}},"id":{id}}}{tail}"#, pairs.join(","));

        let mut quick = Vec::new();
        let accepted = recognise(body.as_bytes(), 7, &memory, &mut quick).is_some();
        let mut slow = Vec::new();
        match read(body.as_bytes(), kind, Question::All, 7, &mut slow) {
            Ok(Some(read)) if accepted => {
                prop_assert_eq!(&*memory.names(), &*read.full);
                prop_assert_eq!(quick, slow);
            }
            Ok(_) => {}
            Err(error) => prop_assert!(!accepted, "{} was accepted: {}", body, error),
        }
    }

    /// No bytes at all make it panic.
    #[test]
    fn arbitrary_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..200), cut in 0_usize..100) {
        let mut memory = Memory::new(Dialect::Opensips);
        let good = reply(&[("a:x", "1"), ("a:y", "1.5")], 7);
        ask(&good, 7, &mut memory);
        let mut values = Vec::new();
        let _ = statistics(&bytes, 7, &mut memory, &mut values);
        let mut mixed = good.as_bytes()[..cut.min(good.len())].to_vec();
        mixed.extend(bytes);
        let _ = statistics(&mixed, 7, &mut memory, &mut values);
    }
}
