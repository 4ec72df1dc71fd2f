use super::*;
use crate::model::{AlertMark, Fired, Note, Number, ResetCause};

/// 2026-11-23T08:00:00Z.
const START: i64 = 1_795_420_800_000;
const STEP: i64 = 10_000;

/// `10 12 _ 15`: a sample every ten seconds, `_` where there is none.
fn series(text: &str) -> Columns {
    let column: Vec<Option<Number>> = text.split_whitespace().map(|word| word.parse().ok().map(Number::Int)).collect();
    let t = (0..).map(|index| START + index * STEP).take(column.len()).collect();
    Columns { t, first: column.clone(), min: column.clone(), max: column.clone(), mean: column.clone(), last: column }
}

fn line<'a>(label: &'a str, columns: &'a Columns) -> Line<'a> {
    Line { label, columns, gaps: &[], unit: "" }
}

fn chart<'a>(lines: &'a [Line<'a>], palette: Palette) -> Chart<'a> {
    Chart {
        lines,
        gaps: &[],
        resets: &[],
        from_ms: START,
        to_ms: START + 100_000,
        mode: Mode::Value,
        how: How::default(),
        unit: "",
        width: 320,
        height: 120,
        palette,
        offset_ms: &|_| 2 * 3_600_000,
        zone: "",
        before: None,
        with_facts: false,
    }
}

/// One element a line: what changed can be read.
fn lines_of(svg: &str) -> String {
    svg.replace("><", ">\n<")
}

#[test]
fn a_line_in_a_page() {
    let columns = series("10 12 11 15 9 14 20 18 17 16 12");
    let lines = [line("core:rcv_requests", &columns)];
    insta::assert_snapshot!(lines_of(&draw(&chart(&lines, Palette::Page))));
}

#[test]
fn what_words_say_of_colours_stays_words() {
    let columns = series("10 12 _ _ _ _ _ _ 3 4 5");
    // What stands for colours and for parts while a picture is drawn.
    let reason = "#010101 #010201 #010302";
    let gaps = [Gap { from: START + 10_000, to: START + 80_000, reason: reason.to_owned() }];
    let lines = [Line { gaps: &gaps, ..line("core:requests", &columns) }];
    for palette in [Palette::Page, Palette::Auto, Palette::Light, Palette::Dark] {
        let svg = draw(&Chart { gaps: &gaps, width: 1200, ..chart(&lines, palette) });
        // Once where the gap is, apart from the summary.
        let drawn = svg.split_once("</title>").map_or(svg.split_once('>').unwrap().1, |(_, drawn)| drawn);
        assert!(drawn.contains(reason), "{palette:?}: {svg}");
    }
}

#[test]
fn gaps_resets_and_lone_samples_in_an_image() {
    let columns = series("10 12 _ _ _ _ 8 _ 3 4 5");
    let gaps = [Gap { from: START + 10_000, to: START + 60_000, reason: "no <answer>".to_owned() }];
    let lines = [Line { gaps: &gaps, unit: "requests/s", ..line("core:<odd> & \"name\"", &columns) }];
    let resets = [Reset { at: START + 80_000, cause: ResetCause::Restart, by: None }];
    let chart = Chart {
        gaps: &gaps,
        resets: &resets,
        zone: "EET",
        with_facts: true,
        mode: Mode::Rate,
        unit: "requests/s",
        ..chart(&lines, Palette::Light)
    };
    insta::assert_snapshot!(lines_of(&draw(&chart)));
}

#[test]
fn two_lines_follow_the_system() {
    let (one, two) = (series("1 2 3"), series("3 2 1"));
    let lines = [line("one", &one), line("two", &two)];
    insta::assert_snapshot!(lines_of(&draw(&chart(&lines, Palette::Auto))));
}

#[test]
fn where_nothing_is_to_draw_it_is_said() {
    let say = |text: &str, mode| {
        let columns = series(text);
        let lines = [line("x", &columns)];
        draw(&Chart { mode, ..chart(&lines, Palette::Page) })
    };
    for (text, mode, want) in [
        ("", Mode::Value, "no samples in this span"),
        ("_", Mode::Rate, "waiting for the second sample"),
        ("_ _", Mode::Value, "no values in this span"),
    ] {
        let svg = say(text, mode);
        assert!(svg.contains(&format!(">{want}</text>")), "{svg}");
    }
    assert!(!say("7", Mode::Value).contains("span</text>"));
    assert!(say("7", Mode::Value).contains("<circle "));
}

#[test]
fn a_spike_between_pixels_is_drawn() {
    // Ten samples for each pixel, and one of them is high.
    let mut columns = series(&"1 ".repeat(3000));
    for column in [&mut columns.first, &mut columns.min, &mut columns.max, &mut columns.last] {
        column[1234] = Some(Number::Int(1000));
    }
    let lines = [line("x", &columns)];
    let svg = draw(&Chart { to_ms: START + 3000 * STEP, ..chart(&lines, Palette::Page) });
    let points = svg.split("stroke-width=\"14\" points=\"").nth(1).unwrap().split('"').next().unwrap();
    let highest = points.split_whitespace().filter_map(|point| point.split_once(',')?.1.parse::<i32>().ok()).min();
    assert_eq!(highest, Some(TOP * UNITS));
    assert!(points.split_whitespace().count() < 300 * 4, "a picture does not grow with its samples");
}

#[test]
fn a_bucket_between_two_samples_is_no_hole() {
    let columns = series("1 _ 2 _ _ 3 4");
    let circles_and_lines = |gaps: &[Gap], resets: &[Reset]| {
        let lines = [Line { gaps, ..line("x", &columns) }];
        let svg = draw(&Chart { gaps, resets, ..chart(&lines, Palette::Page) });
        (svg.matches("<circle ").count(), svg.matches("stroke-width=\"14\"").count())
    };
    assert_eq!(circles_and_lines(&[], &[]), (0, 1), "one line through all");
    let gap = Gap { from: START + 21_000, to: START + 50_500, reason: "no answer".to_owned() };
    assert_eq!(circles_and_lines(&[gap], &[]), (0, 2), "broken by the gap, whose ends lie within buckets");
    let reset = Reset { at: START + 15_000, cause: ResetCause::Drop, by: None };
    assert_eq!(circles_and_lines(&[], &[reset]), (1, 1), "broken by a drop, which has no rate");
}

#[test]
fn facts_are_exact() {
    let columns = series("5 _ 9223372036854775807 9223372036854775806 _");
    let facts = facts(&columns).unwrap();
    assert_eq!((facts.now, facts.min, facts.max), (Number::Int(i64::MAX - 1), Number::Int(5), Number::Int(i64::MAX)));
    assert!((facts.mean - 6.15e18).abs() < 1e16, "{}", facts.mean);
    assert_eq!(super::facts(&series("_ _")), None);
}

#[test]
fn facts_that_a_narrow_picture_does_not_hold_lose_the_mean() {
    let columns = series("3355443 3355443 7098859");
    let lines = [line("x", &columns)];
    let told = |width| {
        let svg = draw(&Chart { width, unit: "bytes", with_facts: true, ..chart(&lines, Palette::Light) });
        svg.split("<text").nth(1).unwrap().split(['>', '<']).nth(1).unwrap().replace('\u{a0}', "")
    };
    assert_eq!(told(640), "now 6.77 MiB min 3.2 MiB mean 4.39 MiB max 6.77 MiB");
    assert_eq!(told(240), "now 6.77 MiB min 3.2 MiB max 6.77 MiB");
}

#[test]
fn sizes_are_bounded() {
    let columns = series("1 2");
    let lines = [line("x", &columns)];
    let svg = draw(&Chart { width: 0, height: u32::MAX, ..chart(&lines, Palette::Page) });
    assert!(svg.contains("width=\"120\" height=\"4096\""), "{svg}");
}

#[test]
fn the_colours_are_those_of_the_look() {
    let look = include_str!("../../../style/00-tokens.css");
    for token in palette::TOKENS {
        for colour in [token.light, token.dark] {
            assert!(look.contains(&format!("--{}: {colour};", token.name)), "{}: {colour}", token.name);
        }
    }
}

#[test]
fn lines_are_told_apart_without_their_colours() {
    let columns = series("1 2 3");
    let lines: Vec<Line<'_>> = (0..12).map(|_| line("x", &columns)).collect();
    let svg = draw(&Chart { with_facts: false, ..chart(&lines, Palette::Light) });
    let strokes: Vec<&str> = svg.split("<polyline fill=\"none\" ").filter(|part| part.contains("stroke-width=\"14\"")).collect();
    let looks: Vec<&str> = strokes.iter().map(|stroke| stroke.split(" stroke-width").next().unwrap()).collect();
    assert_eq!(looks.len(), 12);
    assert_eq!(looks[0], "stroke=\"#0b6e69\"");
    let dash = |look: &str| look.split("dasharray=").nth(1).unwrap_or_default().to_owned();
    let distinct = |looks: &[String]| looks.iter().collect::<std::collections::HashSet<_>>().len();
    assert_eq!(distinct(&looks.iter().map(|look| (*look).to_owned()).collect::<Vec<_>>()), 12, "{looks:?}");
    assert_eq!(distinct(&looks[..6].iter().map(|look| dash(look)).collect::<Vec<_>>()), 6, "{looks:?}");
}

#[test]
fn each_line_has_gaps_of_its_own() {
    let columns = series("1 2 3 4");
    let gaps = [Gap { from: START, to: START + 30_000, reason: "not recorded".to_owned() }];
    let lines = [line("one", &columns), Line { gaps: &gaps, ..line("two", &columns) }];
    let svg = draw(&chart(&lines, Palette::Light));
    let of_line = |color: &str| svg.matches(&format!("<polyline fill=\"none\" stroke=\"{color}\"")).count();
    assert_eq!((of_line("#0b6e69"), of_line("#b35900")), (1, 0), "{svg}");
    assert!(!svg.contains("not recorded"));
}

#[test]
fn what_was_before_is_drawn_faintly_behind_and_told() {
    let (now, then) = (series("10 12 11 15"), series("30 40 35 31"));
    let lines = [line("core:rcv_requests", &now)];
    let alone = draw(&chart(&lines, Palette::Light));
    let before = Some(Line { label: "a day before", ..line("", &then) });
    let both = draw(&Chart { before, with_facts: true, width: 640, ..chart(&lines, Palette::Light) });
    assert!(both.contains("; a day before: min 30, mean 34, max 40"), "{both}");
    assert!(both.contains("faint: a day before"), "{both}");
    // Behind: it comes first. The axis has room for it.
    let place = |svg: &str, what: &str| svg.find(what).unwrap_or_else(|| panic!("{what} is not in {svg}"));
    assert!(place(&both, "opacity=\"0.4\"") < both.rfind("<polyline").unwrap(), "{both}");
    assert!(both.contains(">40<") && !alone.contains(">40<"), "{both}");
}

#[test]
fn rules_of_alerts_are_bands_and_the_spans_in_which_they_fired() {
    let columns = series("10 12 11 15 9 14 20 18 17 16 12");
    let mark = |rule: &str, above: Option<f64>, fired: &[(i64, i64)]| AlertMark {
        rule: rule.to_owned(),
        unit: String::new(),
        above,
        below: None,
        fired: fired.iter().map(|&(from, to)| Fired { from: START + from, to: START + to }).collect(),
    };
    let alerts = [mark("<b>high", Some(16.0), &[(60_000, 80_000)]), mark("far", Some(9_000.0), &[]), mark("before", None, &[(-9_000, -1)])];
    let lines = [line("a:b", &columns)];
    let with = |how: How<'_>| draw(&Chart { width: 640, how, ..chart(&lines, Palette::Page) });
    let svg = with(How { alerts: &alerts, ..How::default() });
    let filled = |svg: &str, opacity: &str| svg.matches(&format!("opacity=\"{opacity}\" fill=\"var(--warn)\"")).count();
    assert_eq!((filled(&svg, "0.06"), filled(&svg, "0.09")), (1, 1), "a band, and a span: {svg}");
    assert!(svg.contains("&lt;b&gt;high") && !svg.contains("far") && !svg.contains(">before<"), "{svg}");
    assert!(svg.contains("; &lt;b&gt;high fired 1 ×"), "{svg}");
    // What lies upon each other is nowhere where a bound of one of it is.
    let stacked = with(How { alerts: &alerts, stacked: true, ..How::default() });
    assert_eq!((filled(&stacked, "0.06"), filled(&stacked, "0.09")), (0, 1));
}

#[test]
fn notes_stand_at_their_instants_and_over_their_spans() {
    let columns = series("10 12 11 15 9 14 20 18 17 16 12");
    let note =
        |from: i64, to: i64, text: &str| Note { id: 1, from: START + from, to: START + to, text: text.to_owned(), by: "ann".to_owned() };
    let notes = [note(20_000, 20_000, "<b>Carrier</b>"), note(60_000, 90_000, "campaign"), note(500_000, 600_000, "elsewhere")];
    let lines = [line("a:b", &columns)];
    let svg = draw(&Chart { width: 640, how: How { notes: &notes, ..How::default() }, ..chart(&lines, Palette::Page) });
    assert!(svg.contains("&lt;b&gt;Carrier&lt;/b&gt;") && svg.contains("campaign") && !svg.contains("elsewhere"), "{svg}");
    let (ends, bars) = (svg.matches("stroke=\"var(--s3)\"").count(), svg.matches("fill=\"var(--s3)\"").count());
    assert_eq!((ends, bars), (3, 4), "a line and a flag, two lines and a bar, and two words: {svg}");
}
