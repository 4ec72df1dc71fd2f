use super::*;
use crate::chart::{Line, Palette};
use crate::model::{Columns, Mode, Number};

fn columns(value: i64) -> Columns {
    let column = vec![Some(Number::Int(value))];
    Columns { t: vec![5], first: column.clone(), min: column.clone(), max: column.clone(), mean: column.clone(), last: column }
}

/// The words of each row.
fn rows(lines: &[Line<'_>], width: u32, height: u32) -> Vec<String> {
    let chart = Chart {
        lines,
        gaps: &[],
        resets: &[],
        from_ms: 0,
        to_ms: 10,
        mode: Mode::Value,
        how: crate::chart::How::default(),
        unit: "",
        width,
        height,
        palette: Palette::Light,
        offset_ms: &|_| 0,
        zone: "",
        before: None,
        with_facts: true,
    };
    let legend = Legend::of(&chart, i32::try_from(width).unwrap(), i32::try_from(height).unwrap(), 0);
    for entry in &legend.entries {
        assert!(entry.end() <= i32::try_from(width).unwrap() - RIGHT, "{entry:?}");
    }
    let row =
        |row| legend.entries.iter().filter(|entry| entry.row == row).map(|entry| entry.text.replace('\u{a0}', "")).collect::<Vec<_>>();
    (0..legend.rows()).map(|number| row(number).join(" | ")).collect()
}

fn many<'a>(labels: &'a [String], columns: &'a Columns) -> Vec<Line<'a>> {
    labels.iter().map(|label| Line { label, columns, gaps: &[], unit: "" }).collect()
}

#[test]
fn each_line_says_its_numbers_in_its_unit() {
    let (percent, bytes, rate, none) = (columns(12), columns(3 << 30), columns(184), Columns::default());
    let lines = [
        Line { label: "host:cpu_used", columns: &percent, gaps: &[], unit: "%" },
        Line { label: "host:memory_used", columns: &bytes, gaps: &[], unit: "bytes" },
        Line { label: "core:rcv_requests", columns: &rate, gaps: &[], unit: "requests/s" },
        Line { label: "script:later", columns: &none, gaps: &[], unit: "" },
    ];
    let expect = [
        "host:cpu_used now 12\u{2009}% min 12\u{2009}% mean 12\u{2009}% max 12\u{2009}%",
        "host:memory_used (right) now 3 GiB min 3 GiB mean 3 GiB max 3 GiB",
        "core:rcv_requests (right) now 184/s min 184/s mean 184/s max 184/s",
        "script:later (right) no values",
    ];
    assert_eq!(rows(&lines, 560, 240), expect);
    assert_eq!(rows(&lines[..1], 560, 240), Vec::<String>::new());
}

#[test]
fn it_says_less_where_there_is_less_room() {
    let one = columns(7);
    let labels: Vec<String> = (1..=12).map(|n| format!("load:proc-{n}")).collect();
    let lines = many(&labels, &one);
    assert_eq!(rows(&lines[..2], 720, 240), ["load:proc-1 now 7 min 7 mean 7 max 7 | load:proc-2 now 7 min 7 mean 7 max 7"]);
    assert_eq!(rows(&lines, 720, 240)[0], "load:proc-1 now 7 | load:proc-2 now 7 | load:proc-3 now 7 | load:proc-4 now 7");
    let names = ["load:proc-1 | load:proc-2 | load:proc-3 | load:proc-4", "load:proc-5 | load:proc-6 | load:proc-7 | and 5 more"];
    assert_eq!(rows(&lines, 560, 120), names);
    assert_eq!(rows(&lines, 120, 80), ["12 lines"]);
}

#[test]
fn a_name_of_any_length_fits() {
    let one = columns(7);
    let labels = ["x".repeat(16_000), "y:\u{202e}\n".to_owned()];
    let rows = rows(&many(&labels, &one), 300, 200);
    assert!(rows[0].starts_with("xxx") && rows[0].ends_with('…'), "{rows:?}");
    assert_eq!(rows.len(), 2);
}
