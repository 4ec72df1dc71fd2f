use app::chart::{Chart, Line, Palette, draw};
use app::model::{Columns, Gap, Mode, Number, Reset, ResetCause};
use proptest::prelude::*;

use super::*;

fn square(side: u32) -> String {
    format!(
        "<svg xmlns='http://www.w3.org/2000/svg' width='{side}' height='{side}'><rect width='100%' height='100%' fill='#0b6e69'/></svg>"
    )
}

/// Width and height as the header of a PNG tells them.
fn size(png: &[u8]) -> (u32, u32) {
    assert_eq!(&png[..8], b"\x89PNG\r\n\x1a\n");
    let number = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().unwrap());
    (number(16), number(20))
}

#[test]
fn scale_multiplies_pixels() {
    assert_eq!(size(&render(&square(10), 1.0).unwrap()), (10, 10));
    assert_eq!(size(&render(&square(10), 2.0).unwrap()), (20, 20));
}

#[test]
fn too_large_is_refused() {
    assert_eq!(render(&square(5000), 1.0), Err(PngError::TooLarge { width: 5000, height: 5000 }));
    assert_eq!(render(&square(10), 1e9).map(|_| ()), Err(PngError::TooLarge { width: u32::MAX, height: u32::MAX }));
    assert_eq!(size(&render(&square(10), f32::NAN).unwrap()), (1, 1));
    assert_eq!(render(&" ".repeat(SVG_MAX_BYTES + 1), 1.0), Err(PngError::TooLong(SVG_MAX_BYTES + 1)));
}

#[test]
fn what_is_no_svg_is_said() {
    assert!(matches!(render("<html/>", 1.0), Err(PngError::Unreadable(_))));
}

#[test]
fn text_is_drawn() {
    let with = |text: &str| {
        render(&format!("<svg xmlns='http://www.w3.org/2000/svg' width='40' height='20'><text y='15'>{text}</text></svg>"), 1.0).unwrap()
    };
    assert_ne!(with("x"), with(""));
}

fn number() -> impl Strategy<Value = Option<Number>> {
    prop_oneof![
        Just(None),
        any::<i64>().prop_map(|v| Some(Number::Int(v))),
        any::<f64>().prop_map(|v| Some(Number::Float(v))),
        (0_i64..5).prop_map(|v| Some(Number::Int(v))),
        Just(Some(Number::Float(f64::NEG_INFINITY))),
    ]
}

prop_compose! {
    /// Columns of any numbers, also of unequal lengths.
    fn columns()(
        t in prop::collection::vec(prop_oneof![any::<i64>(), 0_i64..10_000], 0..40),
        first in prop::collection::vec(number(), 0..40),
        min in prop::collection::vec(number(), 0..40),
        max in prop::collection::vec(number(), 0..40),
        last in prop::collection::vec(number(), 0..40),
    ) -> Columns {
        Columns { t, mean: first.clone(), first, min, max, last }
    }
}

fn instant() -> impl Strategy<Value = i64> {
    prop_oneof![any::<i64>(), 0_i64..10_000]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn any_chart_can_be_drawn(
        (one, two, lines) in (columns(), columns(), 0_usize..4),
        (from_ms, to_ms, width, height) in (instant(), instant(), 0_u32..300, 0_u32..160),
        (label, unit, reason) in (any::<String>(), "(|bytes|percent|x/s|bytes/s|\\PC*)", any::<String>()),
        (gap_from, gap_to, at, offset) in (instant(), instant(), instant(), any::<i64>()),
        palette in prop::sample::select(vec![Palette::Page, Palette::Light, Palette::Dark, Palette::Auto]),
        (rate, with_facts) in (any::<bool>(), any::<bool>()),
    ) {
        let gaps = [Gap { from: gap_from, to: gap_to, reason: reason.clone() }];
        let line = |columns| Line { label: &label, columns, gaps: &gaps, unit: &unit };
        let lines = [line(&one), line(&two), line(&one)][..lines].to_vec();
        let svg = draw(&Chart {
            before: None,
            how: app::chart::How::default(),
            lines: &lines,
            gaps: &gaps,
            resets: &[Reset { at, cause: ResetCause::Person, by: Some(reason) }],
            from_ms, to_ms, unit: &unit, width, height, palette, zone: "UTC", with_facts,
            mode: if rate { Mode::Rate } else { Mode::Value },
            offset_ms: &move |_| offset,
        });
        prop_assert!(svg.len() < 300_000);
        let document = resvg::usvg::roxmltree::Document::parse(&svg).map_err(|e| TestCaseError::fail(format!("{e}: {svg}")))?;
        let label = document.root_element().attribute("aria-label").unwrap_or_default();
        prop_assert!(!label.is_empty());
        for node in document.descendants() {
            for attribute in node.attributes() {
                let odd = attribute.name() != "aria-label" && (attribute.value().contains("NaN") || attribute.value().contains("inf"));
                prop_assert!(!odd, "{svg}");
            }
        }
        prop_assert!(!svg.contains("#0101") && !svg.contains("#0102"), "{svg}");
        if matches!(palette, Palette::Light | Palette::Dark) {
            prop_assert!(render(&svg, 1.0).is_ok());
        }
    }
}
