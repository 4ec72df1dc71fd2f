//! Whole pages: what each has to have, whatever it shows.

use leptos::prelude::*;

use super::shell;
use crate::model::{
    Axis, BoxForm, BoxKind, BoxState, BoxView, BoxesPage, ChartView, ChartsPage, Choice, Closely, FiringNow, Frame, GroupView, KeepForm,
    KeepRow, Kind, LoginPage, MarkView, May, MessagePage, Mode, NearView, Number, NumberView, Order, Origin, OverviewPage, Page, PushForm,
    RealtimePage, ResetCause, RowView, RunRow, Scale, ScriptForm, ScriptPage, ScriptRow, ScriptsPage, SettingsPage, SetupPage, Size,
    StatisticPage, Tab, Taste, Theme, Ticked, TileView, UsageRow,
};

fn render(page: Page) -> String {
    let frame = Frame {
        tab: Tab::Realtime,
        user: Some("admin".into()),
        may: May { tick: true, admin: true },
        theme: Theme::Dark,
        here: "/cp?box=sip1".into(),
        notice: None,
        alert: Some("<i>alert</i>".into()),
        fault: None,
        taste: Taste::default(),
        firing: FiringNow::default(),
    };
    Owner::new().with(|| {
        provide_context(frame);
        provide_context(page);
        shell(LeptosOptions::builder().output_name("tickmark").site_pkg_dir("assets").build()).into_view().to_html()
    })
}

fn one_box() -> BoxView {
    BoxView {
        id: 1,
        name: "sip1".into(),
        address: "http://10.0.0.5:8888/mi".into(),
        kind: BoxKind::Opensips,
        interval: "10s".into(),
        labels: std::collections::BTreeMap::new(),
        paused: false,
        origin: Origin::Panel,
        user: None,
        has_password: false,
        state: BoxState::Down,
        server: None,
        statistics: 2,
        recorded: 1,
        started_at: None,
        at: Some(0),
        age_ms: Some(180_000),
        reason: Some("The connection was refused.".into()),
        notice: None,
    }
}

fn row(name: &str, ticked: bool) -> RowView {
    RowView {
        name: name.into(),
        value: Some(Number::Int(1)),
        rate: None,
        kind: Kind::Gauge,
        unit: String::new(),
        ticked,
        moved: false,
        description: String::new(),
        reason: None,
        spark: vec![],
    }
}

fn realtime(search: &str) -> RealtimePage {
    let rows = vec![row("core:a_one", true), row("core:a_two", false)];
    RealtimePage {
        boxes: vec![one_box()],
        current: Some(one_box()),
        search: search.into(),
        choice: Choice::default(),
        still: 0,
        counts: (2, 1, 0),
        groups: [GroupView { name: "core".into(), total: 2, recorded: 1, rows, processes: Default::default(), table: Default::default() }]
            .into(),
        unseen: vec!["core:later".into()],
        unseen_left_out: 0,
        left_out: 0,
        resetting: None,
        pinned: [].into(),
        closely: Closely::No,
    }
}

fn boxes() -> BoxesPage {
    let errors = vec![("name", "It is taken.".to_owned())];
    let form = BoxForm { name: "sip1".into(), errors, ..BoxForm::default() };
    BoxesPage {
        boxes: vec![one_box()],
        form,
        editing: None,
        removing: Some(one_box()),
        probe: None,
        push: PushForm { name: "a\"b".into(), value: "hot".into(), wrong: Some(("value", "It is none.".into())) },
        default_interval: "10s".into(),
    }
}

fn charts() -> ChartsPage {
    let chart = ChartView {
        box_name: "sip1".into(),
        name: "core:a&b".into(),
        kind: Kind::Gauge,
        mode: Mode::Value,
        unit: "bytes".into(),
        description: String::new(),
    };
    ChartsPage {
        boxes: vec![one_box()],
        current: None,
        usual_span: "24h".into(),
        span: "24h".into(),
        range: None,
        compare: None,
        mode: None,
        search: String::new(),
        scale: Scale::Linear,
        axis: Axis::Auto,
        composed: Vec::new(),
        names: Vec::new(),
        charts: vec![chart],
        left_out: 0,
    }
}

fn overview() -> OverviewPage {
    let number = NumberView { label: "calls", row: row("dialog:active_dialogs", false), of: None };
    let well = TileView {
        view: BoxView { id: 2, name: "sip2".into(), state: BoxState::Up, reason: None, ..one_box() },
        numbers: vec![],
        found: false,
    };
    OverviewPage {
        tiles: vec![TileView { view: one_box(), numbers: vec![number], found: true }, well],
        search: "no answer".into(),
        order: Order::Problems,
        size: Size::Lines,
        usual_size: Size::Tiles,
        left_out: 3,
        whole: true,
    }
}

fn statistic(name: &str) -> StatisticPage {
    let mut chart = charts();
    chart.charts[0].name = name.into();
    let marks = vec![
        MarkView::Reset { at: 1_800_000_000_000, cause: ResetCause::Person, by: Some("<b>admin".into()) },
        MarkView::Gap { from: 1_799_999_000_000, to: 1_799_999_180_000, reason: "the box did not answer".into() },
    ];
    let boxes = vec![one_box(), BoxView { id: 2, name: "sip2".into(), ..one_box() }, BoxView { id: 3, name: "sip3".into(), ..one_box() }];
    StatisticPage {
        current: one_box(),
        also_on: vec!["sip1".into(), "sip3".into()],
        row: RowView { description: "What it means.".into(), ..row(name, true) },
        ticked: Ticked::ByPatterns(vec![("core:".into(), Origin::Config)]),
        recorded: true,
        chart: ChartsPage { boxes, span: "1h".into(), ..chart },
        marks,
        marks_left_out: 2,
        sets: vec![("SIP traffic".into(), "Received".into())],
        near: vec![NearView { title: "Others of core".into(), rows: vec![row("core:next", false)], all: Some(("/cp?x".into(), 9)) }],
        events: "/cp/events?box=1&match=x".into(),
    }
}

#[test]
fn the_overview_says_what_is_wrong_and_keeps_its_choices_in_its_links() {
    let html = render(Page::Overview(overview()));
    assert!(html.contains("1 no answer · 1 answering"), "{html}");
    assert!(html.contains("1 boxes are shown, 3 more match"), "{html}");
    assert!(tag(&html, "ul", "id=\"tiles\"").contains("class=\"tiles lines\""), "{html}");
    assert!(html.contains("/cp/overview?sort=name&amp;size=lines&amp;match=no%20answer"), "{html}");
    assert!(html.contains(">The connection was refused.</p>"), "{html}");
    assert_eq!(html.matches("<li class=\"tile").count(), 2);
}

#[test]
fn a_statistic_says_why_it_is_recorded_and_what_happened() {
    let html = render(Page::Statistic(Box::new(statistic("core:a&b"))));
    // The same figure that Statistics Charts has.
    assert_eq!(html.matches("<figure").count(), 1);
    assert!(html.contains("chart.svg?box=sip1&amp;name=core:a%26b&amp;mode=") && html.contains("&amp;span=1h"), "{html}");
    let text: String = html.split('<').filter_map(|part| part.split_once('>').map(|(_, text)| text)).collect();
    for part in
        ["Yes, by core:, made by the configuration file.", "Set to zero by &lt;b&gt;admin.", "No values for 3 min: The box did not answer."]
    {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert!(html.contains("there were 2 more") && html.contains("SIP traffic: Received") && html.contains("What it means."), "{html}");
    // The same statistic on another box, and the box itself where that has none.
    assert!(tag(&html, "a", "data-box=\"sip3\"").contains("/cp/boxes/sip3/core:a%26b?span=1h"), "{html}");
    assert!(tag(&html, "a", "data-box=\"sip2\"").contains("href=\"/cp?box=sip2\""), "{html}");
    assert!(html.contains("href=\"/cp/boxes/sip1/core:next\""), "{html}");
}

#[test]
fn a_statistic_of_any_name_stays_text() {
    for name in ["<script>alert(1)</script>:x", "g:\"><img src=x>", "g:\r\n\u{202e}\0", &format!("g:{}", "<".repeat(10_000))] {
        let html = render(Page::Statistic(Box::new(statistic(name))));
        for bad in ["<script>alert", "<img src=x", "g:\"><"] {
            assert!(!html.contains(bad), "{bad} for {name:.40}");
        }
        assert!(!html.contains(&"<".repeat(3)) && html.len() < 1 << 20, "{}", html.len());
    }
}

fn settings() -> SettingsPage {
    let rule =
        KeepRow { box_name: "sip1".into(), pattern: "core:".into(), keep: ["30d".into(), String::new(), "ever".into()], is_default: false };
    let usage = UsageRow { box_name: "sip1".into(), bytes: [3_000_000, 0, 7], from_ms: [Some(0), None, Some(1)], bytes_a_day: Some(5_000) };
    SettingsPage {
        boxes: vec!["sip1".into()],
        rules: vec![rule.clone()],
        usage: vec![usage],
        file_bytes: 4_000_000,
        form: KeepForm { rule, errors: Vec::new(), frees: Some([2_000_000, 0, 0]) },
    }
}

#[test]
fn a_rule_says_what_it_frees_before_it_holds() {
    let html = render(Page::Settings(settings()));
    assert!(html.contains("This deletes 1.91 MiB of samples, for good. Nothing is deleted yet."), "{html}");
    assert!(tag(&html, "button", "Keep it so").contains("value=\"set\""), "{html}");
    assert!(html.contains("as below") && html.contains("for ever") && html.contains("2.86 MiB"), "{html}");
}

fn scripts() -> ScriptsPage {
    let run = RunRow { outcome: "failed".into(), error: Some("line 2, column 3: no".into()), took_ms: Some(7), ..RunRow::default() };
    let row = ScriptRow { name: "tally".into(), schedule: "every 1h".into(), next_ms: Some(60_000), last: Some(run) };
    ScriptsPage { scripts: vec![row], hosts: "<i>alert".into(), may_write: true, now_ms: 1_000, ..ScriptsPage::default() }
}

fn script() -> ScriptPage {
    let form = ScriptForm {
        name: "tally".into(),
        source: "let a = 1;\n\tlet <i>alert = ;\n</textarea>".into(),
        errors: vec![("source", "line 2, column 6: it is wrong".into())],
        place: Some((2, 6)),
        ..ScriptForm::default()
    };
    ScriptPage { form, version: 1, may_write: true, now_ms: 1_000, ..ScriptPage::default() }
}

#[test]
fn a_script_shows_where_it_is_wrong() {
    let html = render(Page::Script(script()));
    assert!(html.contains("Line 2, column 6: it is wrong."), "{html}");
    assert!(html.contains("    2  \tlet &lt;i&gt;alert = ;"), "{html}");
    assert!(html.contains(&format!("       \t{}", " ".repeat(4))), "the mark stands below its column: {html}");
    assert_eq!(html.matches("</textarea>").count(), 1, "what it says stays within: {html}");
    let viewer = render(Page::Script(ScriptPage { may_write: false, ..script() }));
    assert!(!viewer.contains("value=\"save\"") && tag(&viewer, "textarea", "id=\"s-source\"").contains("readonly"), "{viewer}");
}

#[test]
fn every_page_has_one_heading_its_assets_and_no_inline_style() {
    let pages = [
        Page::Realtime(realtime("")),
        Page::Charts(charts()),
        Page::Overview(overview()),
        Page::Statistic(Box::new(statistic("core:a_one"))),
        Page::Boxes(boxes()),
        Page::Scripts(scripts()),
        Page::Script(script()),
        Page::Settings(settings()),
        Page::Login(LoginPage::default()),
        Page::Setup(SetupPage::default()),
        Page::Message(MessagePage { status: 404, title: "None".into(), text: "Gone.".into(), next: None }),
    ];
    for page in pages {
        let html = render(page);
        assert_eq!(html.matches("<h1").count(), 1, "{html}");
        assert_eq!(html.matches("<main").count(), 1, "{html}");
        // The policy of the server forbids them.
        assert!(!html.contains(" style="), "{html}");
        for asset in ["/cp/assets/tickmark.css", "/cp/assets/mark.svg", "/cp/assets/tickmark.js", "/cp/assets/tickmark_bg.wasm"] {
            assert!(html.contains(asset), "{asset} in {html}");
        }
        assert!(html.contains("data-theme=\"dark\""), "{html}");
        assert!(html.contains("&lt;i&gt;alert"), "{html}");
    }
}

/// The opening tag that stands before or around a text.
#[track_caller]
fn tag<'a>(html: &'a str, name: &str, text: &str) -> &'a str {
    let at = html.find(text).unwrap_or_else(|| panic!("{text} in {html}"));
    let start = html[..at].rfind(&format!("<{name} ")).unwrap();
    &html[start..=start + html[start..].find('>').unwrap()]
}

#[test]
fn what_a_search_shows_can_be_ticked_at_once() {
    let html = render(Page::Realtime(realtime("a_")));
    let tick = tag(&html, "button", "Tick all 2 that match");
    assert!(tick.contains("value=\"*a_*\"") && !tick.contains("hidden"), "{tick}");
    let html = render(Page::Realtime(realtime("")));
    assert!(tag(&html, "p", "class=\"matching\"").contains(" hidden"));
}

#[test]
fn a_box_that_does_not_answer_says_since_when_and_why() {
    let html = render(Page::Realtime(realtime("")));
    assert!(html.contains("No answer for 3"), "{html}");
    assert!(tag(&html, "form", "id=\"rows\"").contains("class=\"stale"));
    assert!(html.contains("Ticked, not seen yet"), "{html}");
}

#[test]
fn a_wrong_field_says_so_where_it_is() {
    let html = render(Page::Boxes(boxes()));
    assert!(html.contains("aria-invalid=\"true\""), "{html}");
    assert!(tag(&html, "p", "It is taken.").contains("id=\"e-name\""));
    assert!(tag(&html, "p", "It is none.").contains("id=\"pe-value\""));
    assert!(tag(&html, "input", "id=\"p-value\"").contains("value=\"hot\""), "{html}");
    assert!(tag(&html, "input", "id=\"p-name\"").contains("value=\"a&quot;b\""), "{html}");
    assert!(html.contains("name=\"history\" value=\"keep\"") && html.contains("name=\"history\" value=\"delete\""), "{html}");
}

#[test]
fn a_chart_is_a_picture_first() {
    let html = render(Page::Charts(charts()));
    let picture =
        "/cp/api/v1/chart.svg?box=sip1&amp;name=core:a%26b&amp;mode=value&amp;width=680&amp;height=200&amp;theme=dark&amp;span=24h";
    assert!(html.contains(picture), "{html}");
    assert!(html.contains("<img loading=\"lazy\""), "{html}");
}

#[test]
fn a_chart_that_was_put_together_says_how_it_can_be_changed() {
    let read = |text: &str| crate::model::Composed::read(text);
    let page = ChartsPage { composed: vec![read("sip1/core:a&b sip2/x:* .stacked"), read("a:b .fast")], charts: vec![], ..charts() };
    let html = render(Page::Charts(page));
    for part in [
        // Its picture, without the one statistic, drawn another way, and without the chart that cannot be drawn.
        "chart.svg?chart=sip1/core:a%26b+sip2/x:*+.stacked&amp;width=",
        "href=\"/cp/charts?chart=sip2/x:*+.stacked&amp;chart=a:b+.fast\"",
        "href=\"/cp/charts?chart=sip1/core:a%26b+sip2/x:*+.sum&amp;chart=a:b+.fast\"",
        "href=\"/cp/charts?chart=sip1/core:a%26b+sip2/x:*+.log&amp;chart=a:b+.fast\"",
        "href=\"/cp/charts?chart=sip1/core:a%26b+sip2/x:*+.stacked\"",
        ".fast says nothing known",
        "2 statistics",
    ] {
        assert!(html.contains(part), "{part} is not in {html}");
    }
}
