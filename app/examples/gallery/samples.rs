//! Invented models for every state of every page.

use std::collections::BTreeMap;

use app::model::{
    Axis, BoxForm, BoxKind, BoxState, BoxView, BoxesPage, ChartView, ChartsPage, Choice, Closely, FiringLine, FiringNow, Frame, GroupView,
    Kind, LoginPage, May, MessagePage, Mode, Number, Origin, Page, ProbeReport, PushForm, RealtimePage, RowView, Scale, SetupPage, Tab,
    Taste, Theme, Verdict,
};

/// Every page with a name for its file.
pub(crate) fn all() -> Vec<(&'static str, Frame, Page)> {
    let signed_in = |tab| frame(tab, Some("admin"));
    let real = |page| (signed_in(Tab::Realtime), Page::Realtime(page));
    let mut pages = Vec::new();
    let mut add = |name, (frame, page)| pages.push((name, frame, page));
    add("realtime", real(realtime()));
    add("realtime-first", real(RealtimePage { counts: (22, 0, 7), groups: unticked().into(), ..realtime() }));
    add("realtime-search", real(searched()));
    add("realtime-down", real(RealtimePage { current: Some(boxes().remove(3)), ..realtime() }));
    add("realtime-nothing", real(RealtimePage { groups: [].into(), search: "xyz <b>".into(), ..realtime() }));
    add("realtime-waiting", real(blank(BoxState::Waiting)));
    add("realtime-never", real(blank(BoxState::Down)));
    add(
        "realtime-odd",
        real(RealtimePage {
            groups: [odd()].into(),
            unseen: vec!["script:later".into(), "method:PUBLISH".into()],
            left_out: 412,
            ..realtime()
        }),
    );
    add("charts", (signed_in(Tab::Charts), Page::Charts(charts())));
    add("charts-empty", (signed_in(Tab::Charts), Page::Charts(ChartsPage { charts: vec![], ..charts() })));
    let on_boxes = |page| (signed_in(Tab::Boxes), Page::Boxes(page));
    add("boxes", on_boxes(boxes_page()));
    add("boxes-probe", on_boxes(probed()));
    add("boxes-wrong", on_boxes(wrong()));
    add("boxes-edit", on_boxes(editing()));
    add("boxes-remove", on_boxes(BoxesPage { removing: Some(boxes().remove(1)), ..boxes_page() }));
    add("login", (frame(Tab::None, None), Page::Login(LoginPage { next: "/cp".into(), ..LoginPage::default() })));
    let error = Some("That user and password do not belong together. Try again.".to_owned());
    add("login-wrong", (frame(Tab::None, None), Page::Login(LoginPage { user: "admin".into(), error, ..LoginPage::default() })));
    add("setup", (frame(Tab::None, None), Page::Setup(SetupPage { user: "admin".into(), allowed: true, ..SetupPage::default() })));
    add("setup-not", (frame(Tab::None, None), Page::Setup(SetupPage::default())));
    let lost =
        MessagePage { status: 404, title: "There is no such page".into(), text: "The address may have a typing error.".into(), next: None };
    add("message", (signed_in(Tab::None), Page::Message(lost)));
    pages
}

fn frame(tab: Tab, user: Option<&str>) -> Frame {
    let (here, user, taste) = ("/cp?box=sip1".into(), user.map(str::to_owned), Taste::default());
    let may = May { tick: true, admin: true };
    Frame { tab, user, may, theme: Theme::Auto, here, notice: None, alert: None, fault: None, firing: firing(), taste }
}

fn firing() -> FiringNow {
    let line = |severity: &str, rule: &str, text: &str| FiringLine {
        severity: severity.into(),
        text: text.into(),
        rule: rule.into(),
        box_name: "sip1".into(),
    };
    let newest = vec![line("critical", "shm_low", "8 % left on sip1"), line("info", "<b>calls", "51 calls on sip1")];
    FiringNow { count: 2, is_critical: true, newest }
}

fn one_box(name: &str, kind: BoxKind, state: BoxState) -> BoxView {
    BoxView {
        id: 1,
        name: name.to_owned(),
        address: "http://10.0.0.5:8888/mi".into(),
        kind,
        interval: "10s".into(),
        labels: BTreeMap::new(),
        paused: state == BoxState::Paused,
        origin: Origin::Panel,
        user: None,
        has_password: false,
        state,
        server: Some("OpenSIPS 4.0.1".into()),
        statistics: 187,
        recorded: 8,
        started_at: Some(1_764_000_000_000 - 72_339_000),
        at: Some(1_764_000_000_000),
        age_ms: Some(2_000),
        reason: None,
        notice: None,
    }
}

fn boxes() -> Vec<BoxView> {
    let builtin = BoxView {
        address: "built in".into(),
        origin: Origin::Builtin,
        server: Some("Tickmark 0.1.0".into()),
        statistics: 61,
        recorded: 3,
        ..one_box("tickmark", BoxKind::Tickmark, BoxState::Up)
    };
    let mut labelled = one_box("sip1", BoxKind::Opensips, BoxState::Up);
    labelled.labels = [("site".to_owned(), "fra".to_owned()), ("role".to_owned(), "edge".to_owned())].into();
    let kamailio = BoxView {
        origin: Origin::Config,
        server: Some("kamailio 5.6.3".into()),
        address: "http://10.0.0.9:5060/RPC".into(),
        ..one_box("kamailio-edge", BoxKind::Kamailio, BoxState::Up)
    };
    let down = BoxView {
        reason: Some("The connection to 10.0.0.7:8888 was refused: check that OpenSIPS runs and that mi_http listens there.".into()),
        age_ms: Some(184_000),
        ..one_box("sbc-lab", BoxKind::Opensips, BoxState::Down)
    };
    let paused = BoxView { age_ms: Some(7_200_000), ..one_box("old-pbx", BoxKind::Opensips, BoxState::Paused) };
    let waiting = BoxView {
        server: None,
        at: None,
        age_ms: None,
        statistics: 0,
        recorded: 0,
        ..one_box("new", BoxKind::Opensips, BoxState::Waiting)
    };
    vec![builtin, labelled, kamailio, down, paused, waiting]
}

fn row(name: &str, value: i64, rate: Option<f64>, unit: &str, ticked: bool, description: &str) -> RowView {
    let moves = rate.is_some_and(|rate| rate > 0.0);
    let spark =
        (0..30u8).map(|i| Some(if moves || rate.is_none() { (f32::from(i) * 0.7).sin() + f32::from(i % 5) * 0.2 } else { 0.0 })).collect();
    RowView {
        name: name.to_owned(),
        value: Some(Number::Int(value)),
        rate,
        kind: if rate.is_some() { Kind::Counter } else { Kind::Gauge },
        unit: unit.to_owned(),
        ticked,
        moved: moves,
        description: description.to_owned(),
        reason: None,
        spark,
    }
}

fn group(name: &str, rows: Vec<RowView>) -> GroupView {
    GroupView {
        name: name.to_owned(),
        total: rows.len(),
        recorded: rows.iter().filter(|row| row.ticked).count(),
        rows,
        processes: Default::default(),
        table: Default::default(),
    }
}

fn groups() -> Vec<GroupView> {
    let core = vec![
        row(
            "core:rcv_requests",
            10_661_087,
            Some(184.0),
            "requests",
            true,
            "Every SIP request that reached the server, whatever happened to it next.",
        ),
        row("core:rcv_replies", 4_340_331, Some(97.0), "replies", true, "Every SIP reply that came back to the server from downstream."),
        row("core:fwd_requests", 72_033, Some(0.0), "requests", false, "Requests relayed onward without transaction state."),
        row("core:fwd_replies", 0, Some(0.0), "replies", false, "Replies passed upstream by plain stateless forwarding."),
        row("core:drop_requests", 12_502, Some(0.0), "requests", true, "Requests that ended here."),
        row("core:err_requests", 292, Some(0.0), "requests", false, "Requests too broken to process."),
        row("core:bad_URIs_rcvd", 467, Some(0.0), "URIs", false, "SIP addresses that failed to parse."),
        row("core:unsupported_methods", 26_007, Some(3.0), "requests", false, "Requests with a method that is not known."),
        row("core:timestamp", 72_339, None, "seconds", false, "Seconds since the server started."),
    ];
    let dialog = vec![
        row("dialog:active_dialogs", 1_318, None, "calls", true, "Calls in progress."),
        row("dialog:early_dialogs", 41, None, "calls", true, "Calls that ring."),
        row("dialog:processed_dialogs", 918_204, Some(12.0), "calls", false, "Calls since the start."),
        row("dialog:expired_dialogs", 77, Some(0.0), "calls", false, "Calls cut by their time limit."),
        row("dialog:failed_dialogs", 88_213, Some(1.0), "calls", false, "Calls that failed."),
    ];
    let shmem = vec![
        row("shmem:total_size", 1_073_741_824, None, "bytes", false, "Size of the shared memory."),
        row("shmem:used_size", 61_786_192, None, "bytes", true, "Shared memory in use."),
        row("shmem:real_used_size", 65_621_992, None, "bytes", false, "Shared memory in use with what it costs to manage."),
        row("shmem:max_used_size", 177_122_288, None, "bytes", false, "The most that was ever in use."),
        row("shmem:fragments", 42_568, None, "fragments", false, "Free pieces."),
    ];
    let method = vec![
        row("method:INVITE", 918_411, Some(12.0), "", false, ""),
        row("method:OPTIONS", 5_120_933, Some(121.0), "", true, ""),
        row("method:REGISTER", 3_312_045, Some(51.0), "", false, ""),
    ];
    vec![group("core", core), group("dialog", dialog), group("shmem", shmem), group("method", method)]
}

fn unticked() -> Vec<GroupView> {
    let mut groups = groups();
    for group in &mut groups {
        group.recorded = 0;
        group.rows.iter_mut().for_each(|row| row.ticked = false);
    }
    groups
}

fn realtime() -> RealtimePage {
    RealtimePage {
        boxes: boxes(),
        current: Some(boxes().remove(1)),
        search: String::new(),
        choice: Choice::default(),
        still: 4,
        counts: (187, 8, 9),
        groups: groups().into(),
        unseen: vec![],
        unseen_left_out: 0,
        left_out: 0,
        resetting: None,
        pinned: [].into(),
        closely: Closely::No,
    }
}

fn searched() -> RealtimePage {
    let mut groups = groups();
    for group in &mut groups {
        group.rows.retain(|row| row.name.contains("requ"));
    }
    groups.retain(|group| !group.rows.is_empty());
    RealtimePage { groups: groups.into(), search: "requ".into(), ..realtime() }
}

fn blank(state: BoxState) -> RealtimePage {
    let reason = (state == BoxState::Down).then(|| "The connection to 10.0.0.7:8888 was refused.".to_owned());
    let current = BoxView { state, reason, at: None, age_ms: None, server: None, ..boxes().remove(3) };
    RealtimePage { current: Some(current), counts: (0, 0, 0), groups: [].into(), ..realtime() }
}

fn odd() -> GroupView {
    let long = "a_name_that_goes_on_and_on_and_on_as_some_scripts_like_to_make_them_for_every_carrier_and_route";
    let unknown =
        RowView { value: None, rate: None, reason: Some("it is too large to be exact".into()), ..row("s:wrapped", 0, None, "", true, "") };
    let rows = vec![
        row("s:<b>\"quoted\" & 'odd'</b>", 1, Some(1.0), "", true, "A name with marks of HTML."),
        row("s:  leading and  double  spaces", i64::MIN, Some(-3.0), "", false, ""),
        row("s:\u{202e}right-to-left ünïcödé ✓", i64::MAX, Some(1e9), "a-very-long-unit", false, "Its unit is long."),
        row(&format!("s:{long}"), 5, Some(0.0), "", true, &"A very long sentence that goes on. ".repeat(6)),
        unknown,
    ];
    group("s", rows)
}

fn charts() -> ChartsPage {
    let chart = |name: &str, mode, kind, unit: &str| ChartView {
        box_name: "sip1".into(),
        name: name.into(),
        kind,
        mode,
        unit: unit.into(),
        description: "Every SIP request that reached the server, whatever happened to it next.".into(),
    };
    ChartsPage {
        boxes: boxes(),
        current: Some("sip1".into()),
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
        charts: vec![
            chart("core:rcv_requests", Mode::Rate, Kind::Counter, "requests/s"),
            chart("dialog:active_dialogs", Mode::Value, Kind::Gauge, "calls"),
            chart("shmem:used_size", Mode::Value, Kind::Gauge, "bytes"),
            chart("method:OPTIONS", Mode::Rate, Kind::Counter, "/s"),
        ],
        left_out: 0,
    }
}

fn boxes_page() -> BoxesPage {
    let form = BoxForm { interval: "10s".into(), ..BoxForm::default() };
    BoxesPage {
        boxes: boxes(),
        form,
        editing: None,
        removing: None,
        probe: None,
        push: PushForm::default(),
        default_interval: "10s".into(),
    }
}

fn probed() -> BoxesPage {
    let address = "http://10.0.0.5:8888/mi".to_owned();
    let probe = ProbeReport {
        address: address.clone(),
        verdict: Verdict::Opensips,
        kind: Some(BoxKind::Opensips),
        server: Some("OpenSIPS 4.0.1".into()),
        statistics: Some(187),
        message: "It answers JSON-RPC at this address.".into(),
    };
    BoxesPage { form: BoxForm { address, interval: "10s".into(), ..BoxForm::default() }, probe: Some(probe), ..boxes_page() }
}

fn wrong() -> BoxesPage {
    let form = BoxForm {
        name: "9 lives".into(),
        address: "ftp://10.0.0.5".into(),
        interval: "2h".into(),
        errors: vec![
            ("name", "A name begins with a letter and holds letters, digits, and . _ - only.".into()),
            ("address", "An address begins with http:// or https://.".into()),
            ("interval", "An interval is from 200ms to 1h, such as 10s.".into()),
        ],
        ..BoxForm::default()
    };
    let probe = ProbeReport {
        address: "http://10.0.0.5".into(),
        verdict: Verdict::Unreachable,
        kind: None,
        server: None,
        statistics: None,
        message: "Nothing answers at 10.0.0.5:80: check the address, and that mi_http listens there.".into(),
    };
    BoxesPage { form, probe: Some(probe), ..boxes_page() }
}

fn editing() -> BoxesPage {
    let mut page = boxes_page();
    page.boxes[1].has_password = true;
    page.form = BoxForm {
        name: "sip1".into(),
        address: "http://10.0.0.5:8888/mi".into(),
        kind: "opensips".into(),
        interval: "10s".into(),
        user: "panel".into(),
        ..page.form
    };
    page.editing = Some("sip1".into());
    page
}
