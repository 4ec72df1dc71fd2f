use proptest::prelude::*;

use super::*;
use crate::links;

fn read(text: &str) -> ChartSpec {
    text.parse().unwrap()
}

#[track_caller]
fn survives(spec: &ChartSpec) {
    assert_eq!(read(&spec.to_string()), *spec, "{spec}");
    // In an address, as browsers and servers read it.
    let address = links::with_charts("/cp/charts", std::slice::from_ref(spec));
    let (_, query) = address.split_once("?chart=").unwrap();
    let bytes = query.replace('+', " ");
    let decoded = percent_decoded(&bytes);
    assert_eq!(read(&decoded), *spec, "{address}");
    assert!(address.bytes().all(|c| c.is_ascii_graphic() && !b"\"<>#&".contains(&c)), "{address}");
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, more @ ..] = rest {
        if *first == b'%' {
            bytes.push(u8::from_str_radix(std::str::from_utf8(&more[..2]).unwrap(), 16).unwrap());
            rest = &more[2..];
        } else {
            bytes.push(*first);
            rest = more;
        }
    }
    String::from_utf8(bytes).unwrap()
}

#[test]
fn a_chart_is_written_as_people_write_it() {
    let spec = read("core:rcv_requests, sip2/core:rcv_* .rate .stacked \".title=SIP traffic\"");
    assert_eq!(spec.title, "SIP traffic");
    assert_eq!((spec.mode, spec.combine), (Some(Mode::Rate), Combine::Stacked));
    assert_eq!(spec.statistics[0], Wanted { box_name: None, word: "core:rcv_requests".into() });
    assert_eq!(spec.statistics[1], Wanted { box_name: Some("sip2".into()), word: "core:rcv_*".into() });
    assert_eq!(spec.to_string(), "core:rcv_requests sip2/core:rcv_* .rate .stacked \".title=SIP traffic\"");
    assert_eq!(
        links::with_charts("/cp/charts", &[spec, ChartSpec::one("sip1", "dialog:active_dialogs")]),
        "/cp/charts?chart=core:rcv_requests+sip2/core:rcv_*+.rate+.stacked+%22.title%3DSIP+traffic%22&chart=sip1/dialog:active_dialogs"
    );
    let share = read("shmem:used_size .of=shmem:total_size .fitted .log");
    assert_eq!((share.mode, share.axis, share.scale), (Some(Mode::Percent), Axis::Fitted, Scale::Log));
    assert_eq!(share.to_string(), "shmem:used_size .percent .of=shmem:total_size .log .fitted");
}

#[test]
fn hostile_names_stay_what_they_are() {
    let names = [
        "a:b",
        "a/b:c",
        ".rate",
        ".x:y",
        "=x",
        "x",
        "*",
        "x:*",
        "my group:a, b",
        "x:say \"hi\"",
        " x:y ",
        "x:\t",
        "/",
        "/a:b",
        "é:ß",
        "x:a&chart=b",
        "x:#?%41+",
        "sip1/x:y",
        "http:requests_total{code=\"200\",method=\"GET\"}",
        "x:\r\n",
        ".title=x",
        "\0:\u{7f}",
    ];
    for name in names {
        for spec in [
            ChartSpec::one("sip1", name),
            ChartSpec { statistics: vec![Wanted { box_name: None, ..Wanted::one("", name) }], title: name.into(), ..ChartSpec::default() },
            ChartSpec { mode: Some(Mode::Percent), of: Some(name.into()), ..ChartSpec::one("sip1", "a:b") },
        ] {
            survives(&spec);
            assert!(spec.statistics[0].pattern().is_exact(), "{name}");
        }
        let all = ChartSpec { statistics: names[..11].iter().map(|name| Wanted::one("sip1", name)).collect(), ..ChartSpec::default() };
        survives(&all.with(Wanted { box_name: None, word: matching::word_of(name).into_owned() }));
    }
}

#[test]
fn what_cannot_be_drawn_is_refused_with_what_to_do() {
    for (text, says) in [
        ("", "at least one statistic"),
        (".rate", "at least one statistic"),
        ("a:b .fast", "after the dot"),
        ("a:b .percent", ".of=shmem:total_size"),
        ("a:b .of=", ".of=shmem:total_size"),
        ("a:b .of=c:d .rate", "leave out of"),
        ("a:b .stacked .log", "choose one of both"),
        ("a b!/c:d", "at most"),
        ("b!/c:d", "no name of a box"),
        ("sip1/", "names no statistic"),
    ] {
        let text = if says == "at most" { "a:b ".repeat(13) } else { text.to_owned() };
        let error = text.parse::<ChartSpec>().unwrap_err();
        assert!(error.0.contains(says), "{text}: {error}");
    }
}

#[test]
fn files_hold_it_as_text_and_words() {
    let spec = read("core:rcv_* sip2/x:y .of=a:b .sum .fitted .title=T");
    let text = serde_json::to_string(&spec).unwrap();
    assert_eq!(text, r#"{"title":"T","statistics":["core:rcv_*","sip2/x:y"],"mode":"percent","of":"a:b","combine":"sum","axis":"fitted"}"#);
    assert_eq!(serde_json::from_str::<ChartSpec>(&text).unwrap(), spec);
    assert!(serde_json::from_str::<ChartSpec>(r#"{"statistics":["a!/b"]}"#).is_err());
    assert!(serde_json::from_str::<ChartSpec>(r#"{"statistics":["a:b"],"colour":"red"}"#).is_err());
}

proptest! {
    #[test]
    fn any_chart_survives_its_text(
        names in prop::collection::vec((prop::option::of("[A-Za-z][A-Za-z0-9_.-]{0,6}"), "\\PC{1,12}|[ -~]{1,9}"), 1..12),
        title in "\\PC{0,20}",
        choices in (0_usize..5, 0_usize..2, 0_usize..3, 0_usize..5),
    ) {
        let statistics = names.iter().map(|(box_name, name)| Wanted { box_name: box_name.clone(), word: matching::word_of(name).into_owned() });
        let modes = [None, Some(Mode::Value), Some(Mode::Rate), Some(Mode::Increase), Some(Mode::Percent)];
        let mode = modes[choices.3];
        let of = (mode == Some(Mode::Percent)).then(|| names[0].1.clone());
        let scale = if choices.0 == 1 { Scale::Linear } else { Scale::ALL[choices.1] };
        let spec = ChartSpec { title, statistics: statistics.collect(), mode, of, combine: Combine::ALL[choices.0], scale, axis: Axis::ALL[choices.2] };
        survives(&spec);
    }
}
