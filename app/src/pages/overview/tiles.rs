//! The tiles as one string of HTML: a hundred are drawn in the time that a few views take. Knows nothing of what is around them.

use super::super::escape::push_text;
use crate::{
    course, format, links,
    model::{BoxState, BoxView, NumberView, TileView, split_name},
    shown::{short, visible},
    tile, wording,
};

/// All of them, in their order.
pub(super) fn tiles(all: &[TileView]) -> String {
    let mut out = String::with_capacity(all.len() * 2_048);
    for one in all {
        push_tile(&mut out, one);
    }
    out
}

fn push_tile(out: &mut String, one: &TileView) {
    let view = &one.view;
    let stale = if view.state == BoxState::Up { "" } else { " stale" };
    out.push_str(r#"<li class="tile"#);
    out.push_str(stale);
    push_attribute(out, "data-id", &view.id.to_string());
    push_attribute_after(out, "data-box", &view.name);
    push_attribute_after(out, "data-state", wording::state_key(view.state));
    push_attribute_after(out, "data-rank", &tile::rank(view.state, view.notice.is_some()).to_string());
    push_attribute_after(out, "data-words", &tile::words(view));
    if let Some(age) = view.age_ms {
        push_attribute_after(out, "data-age-ms", &age.to_string());
    }
    out.push_str(if one.found { ">" } else { " hidden>" });
    push_head(out, view);
    push_why(out, view);
    push_numbers(out, one);
    out.push_str("</li>");
}

/// Ends the attribute before and begins another, whose end is open.
fn push_attribute(out: &mut String, name: &str, value: &str) {
    out.push_str("\" ");
    out.push_str(name);
    out.push_str("=\"");
    push_text(out, value);
    out.push('"');
}

fn push_attribute_after(out: &mut String, name: &str, value: &str) {
    out.push(' ');
    out.push_str(name);
    out.push_str("=\"");
    push_text(out, value);
    out.push('"');
}

/// The name, which leads to the box; its state in shape and word; how old its answer is.
fn push_head(out: &mut String, view: &BoxView) {
    let (dot, word) = wording::state_look(view.state);
    out.push_str("<h2><a href=\"");
    push_text(out, &links::realtime(&view.name, "", "all"));
    out.push_str("\"><span class=\"");
    out.push_str(dot);
    out.push_str("\"></span><span class=\"who\">");
    push_text(out, &view.name);
    out.push_str("</span></a></h2><p class=\"how\"><span data-word>");
    out.push_str(tile_word(view.state, word));
    out.push_str("</span><span class=\"vh\"> </span><span data-age>");
    if let Some(age) = view.age_ms {
        push_text(out, &age_words(age));
    }
    out.push_str("</span></p>");
}

/// A box that answers says so by the age of its answer.
fn tile_word(state: BoxState, word: &'static str) -> &'static str {
    if state == BoxState::Up { "" } else { word }
}

fn age_words(age_ms: i64) -> String {
    format!("{} ago", format::age(age_ms))
}

/// What is wrong, in a sentence; its tip has all of it.
fn push_why(out: &mut String, view: &BoxView) {
    let why = view.reason.as_deref().or(view.notice.as_deref()).map(wording::sentence);
    match why {
        Some(why) => {
            out.push_str("<p class=\"why\" title=\"");
            push_text(out, &visible(&why));
            out.push_str("\">");
            push_text(out, &visible(&why));
        }
        None => out.push_str("<p class=\"why\" hidden>"),
    }
    out.push_str("</p>");
}

fn push_numbers(out: &mut String, one: &TileView) {
    if one.numbers.is_empty() {
        out.push_str("<p class=\"none\">");
        push_text(out, &nothing(&one.view));
        out.push_str("</p>");
        return;
    }
    out.push_str("<dl>");
    for number in &one.numbers {
        push_number(out, number);
    }
    out.push_str("</dl>");
}

/// What a tile without numbers says instead.
fn nothing(view: &BoxView) -> String {
    match (view.state, view.statistics) {
        (BoxState::Waiting, 0) => "Its numbers show with its first answer.".to_owned(),
        (BoxState::Paused, 0) => "It has not been asked yet.".to_owned(),
        (BoxState::Down, 0) => "It has never answered.".to_owned(),
        (_, 0) => "It has no statistics.".to_owned(),
        (_, 1) => "It has one statistic, which stands still.".to_owned(),
        (_, many) => format!("It has {many} statistics. None is recorded, and none moves."),
    }
}

fn push_number(out: &mut String, number: &NumberView) {
    let row = &number.row;
    out.push_str("<div data-name=\"");
    push_text(out, &row.name);
    push_attribute(out, "data-kind", row.kind.as_str());
    push_attribute_after(out, "data-unit", &row.unit);
    if let Some((whole, value)) = &number.of {
        push_attribute_after(out, "data-of", whole);
        if let Some(value) = value {
            push_attribute_after(out, "data-whole", &value.as_f64().to_string());
        }
    }
    out.push_str("><dt title=\"");
    push_text(out, &short(&row.name));
    if !row.description.is_empty() {
        out.push_str(": ");
        push_text(out, &row.description);
    }
    out.push_str("\">");
    if number.label.is_empty() {
        out.push_str("<code>");
        push_text(out, &short(split_name(&row.name).1));
        out.push_str("</code>");
    } else {
        push_text(out, number.label);
    }
    out.push_str("</dt><dd><span class=\"spark\"><svg viewBox=\"");
    out.push_str(course::VIEW_BOX);
    out.push_str("\" aria-hidden=\"true\"><path d=\"");
    course::push(out, &row.spark);
    out.push_str("\"/></svg></span><span class=\"val");
    let of = number.of.as_ref().map(|(_, value)| *value);
    match tile::number(row.kind, &row.unit, row.value, row.rate, of) {
        Some(told) => {
            push_attribute(out, "title", &told.more);
            out.push_str("><b>");
            push_text(out, &told.text);
            // For a reason, should there be no value later.
            out.push_str("</b><span class=\"vh\"></span>");
        }
        None => {
            let why = tile::missing(row.kind, row.value, of.is_some(), row.reason.as_deref());
            out.push_str(" unknown");
            push_attribute(out, "title", &why);
            out.push_str("><b>unknown</b><span class=\"vh\">: ");
            push_text(out, &why);
            out.push_str("</span>");
        }
    }
    out.push_str("</span></dd></div>");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{BoxKind, Kind, Number, Origin, RowView};

    fn a_box(state: BoxState) -> BoxView {
        BoxView {
            id: 7,
            name: "sip1".into(),
            address: "http://10.0.0.5:8888/mi?a=\"b".into(),
            kind: BoxKind::Opensips,
            interval: "10s".into(),
            labels: [("site".to_owned(), "<fra>".to_owned())].into(),
            paused: false,
            origin: Origin::Panel,
            user: None,
            has_password: false,
            state,
            server: None,
            statistics: 2,
            recorded: 1,
            started_at: None,
            at: Some(0),
            age_ms: Some(180_000),
            reason: None,
            notice: None,
        }
    }

    fn number(name: &str, value: Option<Number>) -> NumberView {
        let row = RowView {
            name: name.into(),
            value,
            rate: Some(184.0),
            kind: Kind::Counter,
            unit: "requests".into(),
            ticked: false,
            moved: false,
            description: "What it means.".into(),
            reason: Some("the box gave no number".into()),
            spark: vec![Some(1.0), Some(2.0)],
        };
        NumberView { label: "", row, of: None }
    }

    fn drawn(view: BoxView, numbers: Vec<NumberView>, found: bool) -> String {
        tiles(&[TileView { view, numbers, found }])
    }

    #[test]
    fn a_tile_says_who_how_since_when_and_how_much() {
        let html = drawn(a_box(BoxState::Up), vec![number("core:rcv", Some(Number::Int(5)))], true);
        for part in [
            "<li class=\"tile\" data-id=\"7\" data-box=\"sip1\" data-state=\"up\" data-rank=\"4\"",
            "<a href=\"/cp?box=sip1\"><span class=\"dot\"></span><span class=\"who\">sip1</span></a>",
            "<span data-age>3 min ago</span>",
            "<dt title=\"core:rcv: What it means.\"><code>rcv</code></dt>",
            "<span class=\"val\" title=\"5 requests\"><b>184/s</b><span class=\"vh\"></span></span>",
            "<path d=\"M304 63l8-63\"/>",
        ] {
            assert!(html.contains(part), "{part} in {html}");
        }
        assert!(!html.contains("<fra>") && !html.contains("\"b\n"), "{html}");
        assert!(drawn(a_box(BoxState::Up), Vec::new(), false).contains(" hidden><h2>"));
    }

    #[test]
    fn a_box_in_trouble_says_so_in_words() {
        let view = BoxView { reason: Some("the connection was refused".into()), ..a_box(BoxState::Down) };
        let html = drawn(view, vec![number("core:rcv", None)], true);
        for part in [
            "class=\"tile stale\"",
            "data-rank=\"0\"",
            "<span class=\"dot down\"></span>",
            "<span data-word>no answer</span>",
            ">The connection was refused.</p>",
            "title=\"the box gave no number\"><b>unknown</b><span class=\"vh\">: the box gave no number</span>",
        ] {
            assert!(html.contains(part), "{part} in {html}");
        }
        assert!(drawn(a_box(BoxState::Waiting), Vec::new(), true).contains("None is recorded, and none moves."));
    }

    #[test]
    fn any_name_stays_text_and_short() {
        let html = drawn(a_box(BoxState::Up), vec![number("g:<b>\r\u{202e}", None), number(&"x".repeat(10_000), None)], true);
        assert!(!html.contains("<b>\r") && html.contains("<code>&lt;b&gt;␍⟨U+202E⟩</code>"), "{html}");
        // Whole once, for the stream to be matched with.
        assert_eq!(html.matches(&"x".repeat(10_000)).count(), 1);
    }
}
