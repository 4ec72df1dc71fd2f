//! The rows of one group as one string of HTML: several times as quick as a view for each. Knows nothing of what is around them.

mod family;
mod head;

pub(in crate::pages) use self::head::{PLAIN_HEAD, head};
use super::{
    super::escape::{push_shown, push_text, push_whole},
    families,
};
use crate::{
    course, format, links,
    matching::quoted,
    model::{Kind, Processes, RowView, split_name},
    shown::short,
};

/// A server cannot be told to reset a longer name: OpenSIPS takes requests of 1024 bytes.
const MAX_RESET_BYTES: usize = 1024;

/// So many rows are one part of a table: the browser leaves a part alone that nobody sees.
const PART_ROWS: usize = 40;
/// Values of so many characters have room without being asked for; see the style.
const SHORT_VALUE: usize = 11;
/// Longer ones take the room of the longest number.
const LONG_VALUE: usize = 16;

/// The table of a group under this head; `group` is its label, `body` are its rows.
pub(in crate::pages) fn table(head: &str, group: &str, body: &str) -> String {
    let mut out = String::with_capacity(256 + head.len() + body.len());
    // The first part says how wide values are, as all of them do; the head goes by it too.
    let first = body.split_once('>').map_or("", |(tag, _)| tag);
    let width = [" longest", " long"].into_iter().find(|width| first.contains(width)).unwrap_or_default();
    out.push_str(r#"<table class="rows"#);
    out.push_str(width);
    out.push_str(r#"" aria-label="Statistics of "#);
    push_text(&mut out, group);
    out.push_str(r#"">"#);
    out.push_str(head);
    out.push_str(body);
    out.push_str("</table>");
    out
}

/// The rows of a group, in parts; then what it has once per process, folded.
pub(in crate::pages) fn body(box_name: &str, rows: &[RowView], processes: &Processes) -> String {
    let mut out = String::with_capacity(512 + rows.len() * 1_280);
    let (plain, families) = families::split(rows);
    let length = rows.iter().filter_map(|row| Some(format::value(row.value?, &row.unit).chars().count())).max().unwrap_or_default();
    let width = match length {
        0..=SHORT_VALUE => "",
        _ if length <= LONG_VALUE => " long",
        _ => " longest",
    };
    for part in plain.chunks(PART_ROWS) {
        out.push_str(r#"<tbody class="part"#);
        out.push_str(width);
        out.push_str(r#"">"#);
        for row in part {
            push_row(&mut out, box_name, row, None);
        }
        out.push_str("</tbody>");
    }
    for family in &families {
        family::push(&mut out, box_name, family, width, processes);
    }
    out
}

/// A row that stands by itself, of a statistic that is named above it already.
pub(in crate::pages) fn alone(box_name: &str, row: &RowView) -> String {
    let mut out = String::with_capacity(2_048);
    out.push_str(concat!(
        r#"<table class="rows own" aria-label="This statistic"><thead class="vh"><tr><th scope="col">Recorded</th>"#,
        r#"<th scope="col">Value</th><th scope="col">Per second</th><th scope="col">Course</th><th scope="col">Reset</th></tr></thead><tbody>"#
    ));
    push_begin(&mut out, row, false);
    push_tick(&mut out, &row.name, row.ticked);
    push_value(&mut out, row);
    push_rate(&mut out, row);
    push_spark(&mut out, &row.spark);
    out.push_str(r#"<td class="act">"#);
    push_reset(&mut out, box_name, row);
    out.push_str("</td></tr></tbody></table>");
    out
}

/// `process`: what the process is that the row is of, where it is of one; empty where that is not known.
fn push_row(out: &mut String, box_name: &str, row: &RowView, process: Option<&str>) {
    push_begin(out, row, process.is_some());
    push_tick(out, &row.name, row.ticked);
    push_name(out, box_name, row, process.unwrap_or(&row.description));
    push_spark(out, &row.spark);
    push_value(out, row);
    push_rate(out, row);
    push_links(out, box_name, row);
    out.push_str("</tr>");
}

fn push_begin(out: &mut String, row: &RowView, is_member: bool) {
    let classes = [(row.ticked, "on"), (row.moved, "moved"), (is_member, "member")];
    let classes: Vec<&str> = classes.into_iter().filter(|(is, _)| *is).map(|(_, class)| class).collect();
    out.push_str(r#"<tr data-name=""#);
    push_text(out, &row.name);
    out.push_str(r#"" data-kind=""#);
    out.push_str(row.kind.as_str());
    out.push_str(r#"" class=""#);
    out.push_str(&classes.join(" "));
    out.push_str(r#"">"#);
}

fn push_rate(out: &mut String, row: &RowView) {
    out.push_str(r#"<td class="num rate">"#);
    if let Some(rate) = row.rate.filter(|_| row.kind == Kind::Counter) {
        push_text(out, &format::rate(rate));
    }
    out.push_str("</td>");
}

/// The check box, and for a ticked row the field that says so to the form.
pub(super) fn push_tick(out: &mut String, name: &str, ticked: bool) {
    out.push_str(r#"<td class="tick"><input type="checkbox" name="on" value=""#);
    push_text(out, name);
    out.push_str(r#"" aria-label="record "#);
    push_text(out, &short(name));
    out.push('"');
    if ticked {
        out.push_str(r#" checked><input type="hidden" name="was" value=""#);
        push_text(out, name);
        out.push('"');
    }
    out.push_str("></td>");
}

fn push_name(out: &mut String, box_name: &str, row: &RowView, words: &str) {
    let (_, name) = split_name(&row.name);
    out.push_str(r#"<th scope="row" class="name" title=""#);
    push_shown(out, &row.name);
    if !row.description.is_empty() {
        out.push_str(": ");
        push_text(out, &row.description);
    }
    out.push_str(r#""><code><a href=""#);
    push_text(out, &links::statistic(box_name, &row.name));
    out.push_str(r#"">"#);
    push_text(out, &short(name));
    out.push_str("</a></code>");
    push_whole(out, &row.name);
    push_meaning(out, words);
    out.push_str("</th>");
}

fn push_meaning(out: &mut String, words: &str) {
    if !words.is_empty() {
        out.push_str(" <small>");
        push_shown(out, words);
        out.push_str("</small>");
    }
}

/// The course of the newest points, and what the island needs to go on from there; see [`course`].
fn push_spark(out: &mut String, points: &[Option<f32>]) {
    out.push_str(r#"<td class="spark"><svg viewBox=""#);
    out.push_str(course::VIEW_BOX);
    out.push_str(r#"" aria-hidden="true"><path data-ends=""#);
    if !points.is_empty() {
        out.push_str(&course::range(points));
    }
    out.push_str(r#"" d=""#);
    course::push(out, points);
    out.push_str(r#""/></svg></td>"#);
}

/// The value and its unit; an unknown one says why, also to those who see no tips.
fn push_value(out: &mut String, row: &RowView) {
    out.push_str(r#"<td data-unit=""#);
    push_text(out, &row.unit);
    let mut unit = row.unit.as_str();
    let reading = row.value.and_then(|value| format::reading(value, unit));
    if let Some(value) = row.value {
        out.push_str(r#"" class="num val"><b"#);
        if let Some(reading) = &reading {
            out.push_str(r#" title=""#);
            push_text(out, reading);
            out.push('"');
        }
        out.push('>');
        let text = format::value(value, &row.unit);
        // A percent sign belongs to the number.
        if text.ends_with('%') {
            unit = "";
        }
        push_text(out, &text);
        out.push_str("</b>");
    } else {
        let reason = row.reason.as_deref().unwrap_or("the box did not say a value");
        out.push_str(r#"" class="num val unknown" title=""#);
        push_text(out, reason);
        out.push_str(r#""><b>unknown</b><span class="vh">: "#);
        push_text(out, reason);
        out.push_str("</span>");
    }
    out.push_str(r#"<span class="unit">"#);
    push_text(out, reading.as_deref().unwrap_or(unit));
    out.push_str("</span></td>");
}

/// To the chart, which is there for every row and shown for the ticked ones, so that ticking only changes a class; and for a counter to
/// the question whether it is to be set to zero.
fn push_links(out: &mut String, box_name: &str, row: &RowView) {
    let name = short(&row.name);
    out.push_str(r#"<td class="act"><a class="ico" href=""#);
    push_text(out, &links::chart_of(box_name, &row.name));
    out.push_str(r#"" title="Chart" aria-label="chart of "#);
    push_text(out, &name);
    out.push_str(r##""><svg aria-hidden="true"><use href="#icon-chart"/></svg></a>"##);
    push_reset(out, box_name, row);
    out.push_str("</td>");
}

/// To the question whether it is to be set to zero, where that can be.
fn push_reset(out: &mut String, box_name: &str, row: &RowView) {
    if row.kind == Kind::Counter && row.name.len() <= MAX_RESET_BYTES {
        let name = short(&row.name);
        out.push_str(r#"<a class="ico zero" href=""#);
        push_text(out, &links::reset(box_name, &quoted(&row.name)));
        out.push_str(r#"" title="Reset…" aria-label="reset "#);
        push_text(out, &name);
        out.push_str(r##""><svg aria-hidden="true"><use href="#icon-zero"/></svg></a>"##);
    }
}

/// The icons that each row shows, once for all.
pub(in crate::pages) const ICONS: &str = concat!(
    r#"<svg aria-hidden="true"><symbol id="icon-chart" viewBox="0 0 20 20">"#,
    r#"<path d="M3 3v14h14M6 12l3.5-4 3 2.5L17 5"/></symbol><symbol id="icon-zero" viewBox="0 0 20 20">"#,
    r#"<path d="M4 10a6 6 0 1 0 1.9-4.4M4 3.5v3.5h3.5"/><path d="M10 8.4c1 0 1.5.7 1.5 1.9S11 12.2 10 12.2s-1.5-.7-1.5-1.9.5-1.9 1.5-1.9z" stroke-width="1.5"/></symbol></svg>"#
);

/// Rows for ticks without a statistic.
pub(super) fn unseen(names: &[String]) -> String {
    let mut out = String::with_capacity(names.len() * 384);
    out.push_str(concat!(
        r#"<table class="rows" aria-label="Ticked, not seen yet"><thead class="vh"><tr><th scope="col">Recorded</th>"#,
        r#"<th scope="col">Statistic</th></tr></thead><tbody>"#
    ));
    for name in names {
        out.push_str(r#"<tr class="on" data-name=""#);
        push_text(&mut out, name);
        out.push_str(r#"">"#);
        push_tick(&mut out, name, true);
        out.push_str(r#"<th scope="row" class="name" title=""#);
        push_shown(&mut out, name);
        out.push_str(r#""><code>"#);
        push_text(&mut out, &short(name));
        out.push_str("</code>");
        push_whole(&mut out, name);
        out.push_str("</th></tr>");
    }
    out.push_str("</tbody></table>");
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Number;

    fn table(box_name: &str, group: &str, rows: &[RowView]) -> String {
        super::table(PLAIN_HEAD, group, &body(box_name, rows, &Processes::default()))
    }

    fn row(name: &str) -> RowView {
        RowView {
            name: name.to_owned(),
            value: Some(Number::Int(12)),
            rate: Some(3.0),
            kind: Kind::Counter,
            unit: "requests".to_owned(),
            ticked: false,
            moved: false,
            description: "What it means.".to_owned(),
            reason: None,
            spark: vec![Some(1.0), None, Some(2.0)],
        }
    }

    #[test]
    fn a_row_can_be_ticked_by_a_form() {
        let html = table("sip1", "core", &[RowView { ticked: true, ..row("core:rcv") }]);
        assert!(html.contains(r#"<input type="checkbox" name="on" value="core:rcv" aria-label="record core:rcv" checked>"#), "{html}");
        assert!(html.contains(r#"<input type="hidden" name="was" value="core:rcv">"#), "{html}");
        assert!(!table("sip1", "core", &[row("core:rcv")]).contains("was"));
    }

    #[test]
    fn any_name_stays_text() {
        let html = table("sip1", "<g>", &[row("<g>:\"><script>alert('1')</script>")]);
        assert!(!html.contains("<script"), "{html}");
        assert!(!html.contains("<g>"), "{html}");
        assert!(html.contains("data-name=\"&lt;g&gt;:&quot;&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;\""), "{html}");
    }

    #[test]
    fn what_acts_unseen_is_seen_and_the_name_stays_itself() {
        let html = table("sip1", "g", &[row("g:\u{202e}a\r\u{1b}")]);
        assert!(html.contains("<code><a href=\"/cp/boxes/sip1/g:%E2%80%AEa%0D%1B\">⟨U+202E⟩a␍␛</a></code>"), "{html}");
        assert!(html.contains("value=\"g:\u{202e}a&#13;\u{1b}\" aria-label=\"record g:⟨U+202E⟩a␍␛\""), "{html}");
        assert!(!html.contains("<details"), "{html}");
    }

    #[test]
    fn a_long_name_is_shown_shortened_with_the_whole_one_at_hand() {
        let name = format!("g:{}", "<".repeat(10_000));
        let html = table("sip1", "g", &[RowView { ticked: true, ..row(&name) }]);
        let whole = "&lt;".repeat(10_000);
        assert!(html.contains(&format!("<summary>whole name</summary><code tabindex=\"0\">g:{whole}</code></details>")));
        assert!(html.contains(&format!("title=\"g:{whole}: What it means.\"")));
        // What repeats it is bounded: three fields, two places to read it, and two links.
        assert_eq!(html.matches(&whole).count(), 5);
        assert!(html.len() < 5 * whole.len() + 2 * 10_000 * "%3C".len() + 4_000, "{}", html.len());
    }

    #[test]
    fn an_unknown_value_says_why() {
        let html = table("sip1", "core", &[RowView { value: None, reason: Some("a \"big\" number".into()), ..row("core:x") }]);
        assert!(html.contains("title=\"a &quot;big&quot; number\""), "{html}");
        assert!(html.contains("<b>unknown</b><span class=\"vh\">: a &quot;big&quot; number</span>"), "{html}");
    }

    #[test]
    fn large_bytes_are_exact_and_can_be_read() {
        let bytes = |value| table("b", "g", &[RowView { value: Some(Number::Int(value)), unit: "bytes".to_owned(), ..row("g:x") }]);
        let large = bytes(17_073_741_824);
        assert!(
            large.contains("<b title=\"≈ 15.9 GiB\">17\u{2009}073\u{2009}741\u{2009}824</b><span class=\"unit\">≈ 15.9 GiB</span>"),
            "{large}"
        );
        assert!(bytes(4096).contains("<b>4\u{2009}096</b><span class=\"unit\">bytes</span>"));
    }

    #[test]
    fn only_counters_have_a_rate() {
        assert!(table("b", "g", &[row("g:x")]).contains("/s</td>"));
        assert!(!table("b", "g", &[RowView { kind: Kind::Gauge, ..row("g:x") }]).contains("/s</td>"));
    }
}
