use std::{collections::HashMap, sync::Arc};

use proptest::prelude::*;

use super::{Bound, Cause, Formula, Inputs, Known, MAX_BYTES, MAX_DEPTH, NONE, Why};

/// A box, its statistics, and their places.
type Named = (String, Vec<Arc<str>>, HashMap<String, usize>);

/// Statistics of boxes with their values, as `box/name value`; those without a box are of `own`.
struct Boxes {
    boxes: Vec<Named>,
    values: Vec<Vec<f64>>,
}

impl Boxes {
    fn of(statistics: &[(&str, f64)]) -> Self {
        let mut boxes = Self { boxes: Vec::new(), values: Vec::new() };
        for &(name, value) in statistics {
            let (box_name, name) = name.split_once('/').unwrap_or(("own", name));
            let place = boxes.boxes.iter().position(|(known, ..)| known == box_name).unwrap_or_else(|| {
                boxes.boxes.push((box_name.to_owned(), Vec::new(), HashMap::new()));
                boxes.values.push(Vec::new());
                boxes.boxes.len() - 1
            });
            let (_, names, places) = &mut boxes.boxes[place];
            places.insert(name.to_owned(), names.len());
            names.push(name.into());
            boxes.values[place].push(value);
        }
        boxes
    }

    fn bind(&self, text: &str) -> Result<Bound, super::Unbound> {
        let finders: Vec<_> = self.boxes.iter().map(|(_, _, places)| |name: &str| places.get(name).copied()).collect();
        let known = self.boxes.iter().zip(&finders).map(|((box_name, names, _), place)| Known { box_name, names, place });
        Formula::parse(text).unwrap().bind(&known.collect::<Vec<_>>(), self.boxes.iter().position(|(name, ..)| name == "own"))
    }

    fn value(&self, text: &str) -> f64 {
        let bound = self.bind(text).unwrap();
        bound.value(&|input: usize| self.values[bound.inputs[input].of][bound.inputs[input].place])
    }

    fn why(&self, text: &str) -> Option<Why> {
        let bound = self.bind(text).unwrap();
        bound.why(&|input: usize| self.values[bound.inputs[input].of][bound.inputs[input].place])
    }
}

#[track_caller]
fn comes_to(text: &str, expect: f64) {
    let boxes = Boxes::of(&[("a:two", 2.0), ("a:three", 3.0), ("a:none", NONE), ("a:zero", 0.0)]);
    let value = boxes.value(text);
    assert!(value == expect || value.is_nan() && expect.is_nan(), "{text} is {value}");
}

#[track_caller]
fn is_wrong(text: &str, at: usize, says: &str) {
    let error = Formula::parse(text).unwrap_err();
    assert!(error.at == at && error.message.contains(says), "{text}: {error:?}");
}

#[test]
fn arithmetic_as_people_know_it() {
    comes_to("1 + 2 * 3", 7.0);
    comes_to("(1 + 2) * 3", 9.0);
    comes_to("7 - 2 - 1", 4.0);
    comes_to("12 / 3 / 2", 2.0);
    comes_to("-2 * -3", 6.0);
    comes_to("2 - -1", 3.0);
    comes_to("  1.5e1\t+ 0.25 ", 15.25);
    comes_to("100 * {a:two} / {a:three}", 200.0 / 3.0);
    comes_to("max(1, {a:three}, 2) + min(4,{a:two}) + sum(1,2,3) + avg(1,2)", 3.0 + 2.0 + 6.0 + 1.5);
}

#[test]
fn no_value_where_an_input_has_none_or_the_divisor_is_0() {
    comes_to("{a:none} + 1", NONE);
    comes_to("0 * {a:none}", NONE);
    comes_to("max({a:none}, 1)", NONE);
    comes_to("{a:two} / {a:zero}", NONE);
    comes_to("{a:zero} / {a:zero}", NONE);
    comes_to("1e308 * 10", NONE);
    comes_to("0 * (1 / {a:zero})", NONE);
    comes_to("{a:zero} / {a:two}", 0.0);
}

#[test]
fn why_there_is_none() {
    let boxes = Boxes::of(&[("a:none", NONE), ("a:zero", 0.0), ("a:one", 1.0)]);
    assert_eq!(boxes.why("{a:one} + {a:none}"), Some(Why::Missing(1)));
    assert_eq!(boxes.why("{a:one} / {a:zero}"), Some(Why::Zero(8)));
    assert_eq!(boxes.why("sum(1, 1e308 * 10)"), Some(Why::TooLarge(13)));
    assert_eq!(boxes.why("{a:one}"), None);
}

/// The processes of an OpenSIPS: 100·30/50 = 60, 100·45/50 = 90; the third has no total and is no pair.
#[test]
fn patterns_are_paired_by_what_their_stars_stand_for() {
    let boxes = Boxes::of(&[
        ("pkmem:1-used", 30.0),
        ("pkmem:2-used", 45.0),
        ("pkmem:3-used", 50.0),
        ("pkmem:2-total", 50.0),
        ("pkmem:1-total", 50.0),
        ("load:load-proc-1", 7.0),
        ("load:load-proc-12", 9.0),
        ("load:load", 50.0),
    ]);
    assert_eq!(boxes.value("max(100 * {pkmem:*-used} / {pkmem:*-total})"), 90.0);
    assert_eq!(boxes.value("sum({pkmem:*-total} - {pkmem:*-used}, 1)"), 20.0 + 5.0 + 1.0);
    assert_eq!(boxes.value("max({load:load-proc-*})"), 9.0);
    assert_eq!(boxes.value("avg({load:load-proc-*} / {load:load})"), (7.0 / 50.0 + 9.0 / 50.0) / 2.0);
    assert_eq!(boxes.value("max(min({pkmem:*-used}), {pkmem:*-total})"), 50.0);
    assert_eq!(boxes.bind("max({tm:*})").unwrap_err().cause, Cause::NoMatch);
    assert_eq!(boxes.bind("max({pkmem:*-used} / {load:load-proc-*x})").unwrap_err().reference, 1);
    assert_eq!(boxes.bind("{pkmem:9}").unwrap_err().cause, Cause::NoStatistic);
}

#[test]
fn sums_over_boxes() {
    let boxes = Boxes::of(&[
        ("tickmark:up", 1.0),
        ("sip1/core:rcv", 10.0),
        ("sip1/core:err", 1.0),
        ("sip2/core:rcv", 30.0),
        ("sip2/core:err", 6.0),
        ("edge/core:rcv", 5.0),
    ]);
    assert_eq!(boxes.value("sum({*/core:rcv})"), 45.0);
    assert_eq!(boxes.value("sum({sip*/core:rcv}) / {sip2/core:rcv} + {tickmark:up}"), 40.0 / 30.0 + 1.0);
    assert_eq!(boxes.value("max({*/core:err} / {*/core:rcv})"), 0.2);
    assert_eq!(boxes.value("sum({*/core:*})"), 52.0);
    assert_eq!(boxes.bind("{sip3/core:rcv}").unwrap_err().cause, Cause::NoBox);
    assert!(Formula::parse("sum({*/core:rcv})").unwrap().is_across());
    assert!(!Formula::parse("{core:rcv}").unwrap().is_across());
}

#[test]
fn names_hold_any_character() {
    let names = [r#"http:requests{code="200",path="/a"}"#, "my/group:x", "a:b/c", "a:*", "a:}", r"a:\", "up", "é:ü 1"];
    let written = [r#"http:requests{code="200",path="/a"}"#, "/my/group:x", "a:b/c", r"a:\*", r"a:\}", r"a:\\", "up", "é:ü 1"];
    for (name, text) in names.iter().zip(written) {
        let formula = Formula::parse(&format!("1 + {{{text}}}")).unwrap();
        assert_eq!(formula.references()[0].name.exact().as_deref(), Some(*name), "{text}");
        assert!(!formula.is_across(), "{text}");
    }
    let of_boxes = Formula::parse("{sip1/a/b:c}").unwrap();
    assert_eq!(of_boxes.references()[0].boxes.as_ref().and_then(super::Glob::exact).as_deref(), Some("sip1"));
    assert_eq!(of_boxes.references()[0].name.exact().as_deref(), Some("a/b:c"));
}

#[test]
fn errors_point_at_the_character() {
    is_wrong("", 0, "the formula ends here");
    is_wrong("1 +", 3, "the formula ends here");
    is_wrong("1 + * 2", 4, "expected a number");
    is_wrong("(1 + 2", 0, "not closed");
    is_wrong("1 + 2)", 5, "closes none");
    is_wrong("{core:x", 0, "not closed");
    is_wrong("1 + {}", 4, "a name stands between");
    is_wrong("1 {a:b}", 2, "expected one of");
    is_wrong("é + {a:b} ! 2", 0, "functions are");
    is_wrong("{é:ü} ! 2", 6, "an alert does");
    is_wrong("median({a:*})", 0, "functions are");
    is_wrong("core:rcv_requests + 1", 0, "write {core:rcv_requests}");
    is_wrong("rate(1)", 5, "rate() is of one statistic");
    is_wrong("rate({a:b}", 4, "not closed");
    is_wrong("rate({a:b}, 2)", 10, "or )");
    is_wrong("{a:*} + 1", 0, "put the term into max()");
    is_wrong("1 + {*/a:b}", 4, "put the term into max()");
    is_wrong("sum({a:*} / {a:*-*})", 12, "cannot be paired with {a:*}");
    is_wrong("sum({a:*} / {*/a:*})", 12, "cannot be paired");
    is_wrong("1.2.3", 0, "no number");
    is_wrong(".5", 0, "begins with a digit");
    is_wrong("1e999", 0, "too large");
    is_wrong("{derived:x}", 0, "no derived ones");
    is_wrong("{a:\nb}", 3, "control characters");
    is_wrong("sum()", 4, "expected a number");
}

#[test]
fn hostile_formulas_are_refused_soon() {
    is_wrong(&"(".repeat(MAX_DEPTH + 10), MAX_DEPTH, "deep");
    is_wrong(&"-".repeat(MAX_DEPTH + 10), MAX_DEPTH, "deep");
    is_wrong(&"max(".repeat(MAX_DEPTH + 10), 4 * MAX_DEPTH, "deep");
    is_wrong(&"1+".repeat(MAX_BYTES / 2), 512, "terms");
    is_wrong(&"x".repeat(100_000), 0, "at most 4096 bytes");
    is_wrong(&"{".repeat(MAX_BYTES), 0, "not closed");
    is_wrong("\u{202e}1", 0, "expected a number");
    let widest = vec!["1"; 256].join("+");
    assert!(Formula::parse(&widest).is_ok());
}

#[test]
fn what_did_not_exist_is_left_out_of_functions() {
    struct Some2;
    impl Inputs for Some2 {
        fn value(&self, input: usize) -> f64 {
            [1.0, NONE, 4.0][input]
        }
        fn is_absent(&self, input: usize) -> bool {
            input == 1
        }
    }
    let boxes = Boxes::of(&[("a:1", 0.0), ("a:2", 0.0), ("a:3", 0.0)]);
    assert_eq!(boxes.bind("sum({a:*})").unwrap().value(&Some2), 5.0);
    assert_eq!(boxes.bind("avg({a:*})").unwrap().value(&Some2), 2.5);
    assert!(boxes.bind("{a:1} + {a:2}").unwrap().value(&Some2).is_nan());
}

#[test]
fn every_ready_made_one_can_be_read() {
    for one in crate::catalogue::derived() {
        let formula = Formula::parse(&one.formula).unwrap();
        assert!(!formula.is_across() && !formula.references().is_empty(), "{}", one.id);
    }
    assert_eq!(crate::catalogue::derived().len(), 17);
}

proptest! {
    #[test]
    fn no_text_panics(text in ".{0,60}") {
        let _ = Formula::parse(&text);
    }

    #[test]
    fn nothing_like_a_formula_panics(words in prop::collection::vec(prop::sample::select(vec![
        "(", ")", "{a:b}", "{*/a:*}", "max(", "rate(", ",", "+", "-", "*", "/", "1", "2.5", "{", "}", "\\", " ", "é"]), 0..40)) {
        let text = words.concat();
        match Formula::parse(&text) {
            Ok(formula) => drop(formula.bind(&[], None)),
            Err(error) => prop_assert!(error.at <= text.chars().count()),
        }
    }
}
