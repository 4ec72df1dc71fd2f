//! What each page shows, taken from the board; nothing here waits for a box.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use app::{
    links,
    matching::Query,
    model::{
        Axis, BoxForm, BoxesPage, COMPARED, ChartView, ChartsPage, Choice, Closely, Hide, Kind, LoginPage, MessagePage, Mode, Origin, Page,
        PushForm, RealtimePage, ResetQuestion, Scale, SetupPage, Show, Sort, Tab, is_span,
    },
};
use axum::{
    extract::{Request, State},
    http::{HeaderMap, Uri, header},
    response::{IntoResponse, Redirect, Response},
};

use super::{App, Shared, box_fields, compose, render, rows::Room};
use crate::{
    api::Ask,
    auth::Caller,
    board::BoxNow,
    config::format_duration,
    desk::{MAX_RESETS, charted, unit_of},
    live,
    problem::{Problem, problem},
    store::BoxSpec,
};

/// A page has so many charts: beyond, a search finds the rest.
const MAX_CHARTS: usize = 400;
/// A page lists so many ticks that the box has nothing for.
const MAX_UNSEEN: usize = 200;
/// How often is asked what is looked at closely.
const CLOSELY: Duration = Duration::from_millis(200);

/// Realtime Statistics.
pub(super) async fn realtime(State(app): State<Shared>, caller: Caller, ask: Ask, request: Request) -> Result<Response, Problem> {
    let frame = render::frame(Tab::Realtime, Some(&caller), request.headers(), request.uri());
    let boxes = app.boxes();
    let chosen = ask.get("box").map(str::to_owned).or_else(|| first_choice(&boxes));
    let entry = chosen.as_deref().and_then(|name| app.desk.board.find(name));
    let word = |name: &str| ask.get(name).unwrap_or_default();
    let choice = Choice { show: Show::parse(word("show")), hide: Hide::parse(word("hide")), sort: Sort::parse(word("sort")) };
    let search = ask.get("match").unwrap_or_default().to_owned();
    let Some(entry) = entry else {
        if let Some(name) = ask.get("box") {
            return Ok(no_such_box(&app, &caller, request, name).await);
        }
        let page = RealtimePage {
            boxes,
            current: None,
            search,
            choice,
            counts: (0, 0, 0),
            still: 0,
            groups: Arc::default(),
            unseen: Vec::new(),
            unseen_left_out: 0,
            left_out: 0,
            resetting: None,
            closely: Closely::No,
            pinned: app.desk.board.pinned(),
        };
        return Ok(render::page(&app, frame, Page::Realtime(page), request).await);
    };
    let page = {
        let now = entry.lock();
        let (groups, left_out) = app.rows.of(&now, &search, choice);
        let counts = (now.layout.slots.len(), now.layout.ticked.len(), now.moved.iter().filter(|&&moved| moved).count());
        let still = (0..now.values.len()).filter(|&place| now.never_moved(place)).count();
        let (unseen, unseen_left_out) = unseen(&now);
        let current = Some(now.view(Instant::now()));
        let resetting = ask.get("reset").map(|words| resetting(&now, words, request.headers()));
        let closely = closely(&now, &ask);
        let pinned = app.desk.board.pinned();
        RealtimePage {
            boxes,
            current,
            search,
            choice,
            counts,
            still,
            groups,
            unseen,
            unseen_left_out,
            left_out,
            resetting,
            closely,
            pinned,
        }
    };
    Ok(render::page(&app, frame, Page::Realtime(page), request).await)
}

/// Whether what is shown is looked at closely, or could be.
fn closely(now: &BoxNow, ask: &Ask) -> Closely {
    let shown = live::Shown::asked(ask);
    if let Some((_, every)) = live::closely(now, &shown, ask) {
        return Closely::On(format_duration(every));
    }
    if now.interval > CLOSELY && live::can_be_close(now, &shown) { Closely::Offered(format_duration(CLOSELY)) } else { Closely::No }
}

/// What words would set to zero. It leads back to where it was asked for.
fn resetting(now: &BoxNow, words: &str, headers: &HeaderMap) -> ResetQuestion {
    let query = Query::parse(words);
    let matching = now.layout.sorted.iter().map(|&place| place as usize).filter(|&place| query.matches(&now.layout.names[place]));
    let (counters, gauges): (Vec<_>, Vec<_>) = matching.partition(|&place| now.layout.slots[place].kind == Kind::Counter);
    let named: Vec<String> = counters.iter().take(MAX_RESETS).map(|&place| now.layout.names[place].to_string()).collect();
    let here = links::realtime(&now.stored.spec.name, "", "all");
    // Nothing else is known of a search that somebody typed; a page that asks already is no place to come back to.
    let from = headers.get(header::REFERER).and_then(|from| from.to_str().ok()?.parse::<Uri>().ok());
    let from = from.and_then(|from| from.path_and_query().map(ToString::to_string));
    let own = links::statistics_of(&now.stored.spec.name);
    let is_of_box = |from: &String| (from.starts_with(&here) || from.starts_with(&own)) && !from.contains("&reset=");
    let back = from.filter(|from| is_of_box(from) && render::is_local(from)).unwrap_or(here);
    ResetQuestion { left_out: counters.len() - named.len(), counters: named, gauges: gauges.len(), back }
}

/// A SIP server, if there is one; else the panel itself.
fn first_choice(boxes: &[app::model::BoxView]) -> Option<String> {
    let sip = boxes.iter().find(|one| one.kind != app::model::BoxKind::Tickmark && !one.paused);
    sip.or_else(|| boxes.first()).map(|one| one.name.clone())
}

/// Ticks that the box has nothing for now, and how many more there are.
fn unseen(now: &BoxNow) -> (Vec<String>, usize) {
    let mut unseen = now.unseen();
    let mut room = Room::of(MAX_UNSEEN);
    let shown = unseen.iter().take_while(|word| room.take(1, word)).count();
    let left_out = unseen.len() - shown;
    unseen.truncate(shown);
    (unseen, left_out)
}

/// Statistics Charts.
pub(super) async fn charts(State(app): State<Shared>, caller: Caller, ask: Ask, request: Request) -> Result<Response, Problem> {
    if let Some(to) = compose::changed(&ask)? {
        return Ok(Redirect::to(&to).into_response());
    }
    let frame = render::frame(Tab::Charts, Some(&caller), request.headers(), request.uri());
    let usual_span = caller.taste().span().to_owned();
    let span = ask.get("span").filter(|span| is_span(span)).unwrap_or(&usual_span).to_owned();
    let range = ask.range()?;
    let compare = ask.get("compare").filter(|word| COMPARED.iter().any(|(known, _)| known == word)).map(str::to_owned);
    // A share is one of something, which only a chart of its own can say.
    let mode = ask.mode().unwrap_or_default().filter(|mode| *mode != Mode::Percent);
    let scale = ask.choice("scale", &Scale::ALL, Scale::as_str).unwrap_or_default();
    let axis = ask.choice("axis", &Axis::ALL, Axis::as_str).unwrap_or_default();
    let composed = compose::read(&ask);
    let search = ask.get("match").unwrap_or_default().to_owned();
    let chosen = ask.get("box").map(|name| (name, app.desk.board.find(name)));
    if let Some((name, None)) = &chosen {
        return Ok(no_such_box(&app, &caller, request, name).await);
    }
    let current = chosen.and_then(|(_, entry)| entry).map(|entry| entry.lock().stored.spec.name.clone());
    let query = Query::search(&search);
    let (mut charts, mut left_out) = (Vec::new(), 0);
    let mut room = Room::of(MAX_CHARTS);
    let mut names = compose::Names::new();
    for entry in app.desk.board.all() {
        // Of a box that is not shown nothing need be read.
        if current.as_ref().is_some_and(|name| *name != entry.lock().stored.spec.name) {
            continue;
        }
        let id = entry.lock().stored.id;
        let recorded = app.store.series_of(id).await?;
        let now = entry.lock();
        for name in charted(&now, recorded) {
            names.add(&now.stored.spec.name, &name);
            if !composed.is_empty() || !query.matches(&name) {
                continue;
            }
            if room.take(1, &name) {
                charts.push(chart(&now, name, mode));
            } else {
                left_out += 1;
            }
        }
    }
    let (boxes, names) = (app.boxes(), names.take());
    let page =
        ChartsPage { boxes, current, span, usual_span, range, mode, compare, search, scale, axis, composed, names, charts, left_out };
    Ok(render::page(&app, frame, Page::Charts(page), request).await)
}

pub(super) fn chart(now: &BoxNow, name: String, mode: Option<Mode>) -> ChartView {
    let (kind, unit, description) = now.meaning(&name);
    // What is derived has values alone: its formula says whether rates are in them.
    let mode = mode.filter(|_| now.derived(&name).is_none());
    let mode = mode.unwrap_or(if kind == Kind::Counter { Mode::Rate } else { Mode::Value });
    ChartView {
        box_name: now.stored.spec.name.clone(),
        name,
        kind,
        mode,
        unit: unit_of(mode, &unit),
        description: description.into_owned(),
    }
}

/// Boxes.
pub(super) async fn boxes(State(app): State<Shared>, caller: Caller, ask: Ask, request: Request) -> Result<Response, Problem> {
    let frame = render::frame(Tab::Boxes, Some(&caller), request.headers(), request.uri());
    let boxes = app.boxes();
    let editing = ask.get("edit").and_then(|name| boxes.iter().find(|one| one.name == name && one.origin != Origin::Config));
    let form = editing.map(|one| form_of(one, app.own_interval(&one.name))).unwrap_or_default();
    let removing = ask.get("remove").and_then(|name| boxes.iter().find(|one| one.name == name)).cloned();
    let editing = editing.map(|one| one.name.clone());
    let page = BoxesPage { editing, removing, ..app.boxes_page(form) };
    Ok(render::page(&app, frame, Page::Boxes(page), request).await)
}

/// The form as the box is; `interval` is its own, empty when it has none.
fn form_of(one: &app::model::BoxView, interval: String) -> BoxForm {
    let (address, certificates) = box_fields::address_apart(&one.address);
    let labels: Vec<String> = one.labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
    BoxForm {
        name: one.name.clone(),
        address,
        certificates,
        kind: one.kind.as_str().to_owned(),
        interval,
        user: one.user.clone().unwrap_or_default(),
        labels: labels.join(", "),
        errors: Vec::new(),
    }
}

/// Login.
pub(super) async fn login(State(app): State<Shared>, ask: Ask, request: Request) -> Result<Response, Problem> {
    let page = LoginPage {
        user: String::new(),
        next: ask.get("next").filter(|next| render::is_local(next)).unwrap_or("/cp").to_owned(),
        error: None,
        again: ask.get("again").is_some(),
        needs_setup: app.auth.needs_setup().await?,
    };
    let frame = render::frame(Tab::None, None, request.headers(), request.uri());
    Ok(render::page(&app, frame, Page::Login(page), request).await)
}

/// Setup, by the link of the first start.
pub(super) async fn setup(State(app): State<Shared>, ask: Ask, request: Request) -> Result<Response, Problem> {
    let token = ask.get("token").unwrap_or_default().to_owned();
    let allowed = app.auth.setup_allowed(&token).await?;
    if !allowed && !app.auth.needs_setup().await? {
        return Ok(Redirect::to("/cp/login").into_response());
    }
    let frame = render::frame(Tab::None, None, request.headers(), request.uri());
    let page = SetupPage { token, user: "admin".into(), error: None, allowed };
    Ok(render::page(&app, frame, Page::Setup(page), request).await)
}

/// Nothing is there: a page for people, a problem for tools.
pub(super) async fn not_found(State(app): State<Shared>, uri: Uri, headers: HeaderMap, caller: Caller, request: Request) -> Response {
    if uri.path().starts_with("/cp/api/") {
        let detail = format!("there is nothing at {}: /cp/api/v1/openapi.json lists what there is", uri.path());
        return problem(axum::http::StatusCode::NOT_FOUND, "Not found", detail).into_response();
    }
    drop(headers);
    let text = "There is nothing at this address. The tabs above lead to everything there is.".to_owned();
    message(&app, &caller, request, 404, "Nothing here", text, None).await
}

pub(super) async fn no_such_box(app: &App, caller: &Caller, request: Request, name: &str) -> Response {
    let text = format!("There is no box named {name}: it may have been removed, or have another name now. Boxes lists them all.");
    message(app, caller, request, 404, "No such box", text, Some(("Boxes", links::BOXES.to_owned()))).await
}

/// A page that only says something, and where that leads: the words of a link, and its address.
pub(super) async fn message(
    app: &App,
    caller: &Caller,
    request: Request,
    status: u16,
    title: &str,
    text: String,
    next: Option<(&str, String)>,
) -> Response {
    let frame = render::frame(Tab::None, Some(caller), request.headers(), request.uri());
    let page = MessagePage { status, title: title.to_owned(), text, next: next.map(|(words, to)| (words.to_owned(), to)) };
    render::page(app, frame, Page::Message(page), request).await
}

impl App {
    /// All boxes with their states.
    pub(super) fn boxes(&self) -> Vec<app::model::BoxView> {
        let now = Instant::now();
        self.desk.board.all().iter().map(|entry| entry.lock().view(now)).collect()
    }

    /// The page Boxes with this form.
    pub(super) fn boxes_page(&self, form: BoxForm) -> BoxesPage {
        BoxesPage {
            boxes: self.boxes(),
            form,
            editing: None,
            removing: None,
            probe: None,
            push: PushForm::default(),
            default_interval: self.default_interval(),
        }
    }

    /// How often a box is asked that has no interval of its own.
    pub(super) fn default_interval(&self) -> String {
        written(self.desk.board.default_interval_ms())
    }

    /// The interval that a box has of its own, as its form shows it; empty when it has none.
    fn own_interval(&self, name: &str) -> String {
        self.desk.board.find(name).map(|entry| own_interval(&entry.lock().stored.spec)).unwrap_or_default()
    }
}

/// The interval that a box has of its own, as its form shows it; empty when it has none.
pub(super) fn own_interval(spec: &BoxSpec) -> String {
    spec.interval_ms.map(written).unwrap_or_default()
}

fn written(interval_ms: i64) -> String {
    format_duration(Duration::from_millis(u64::try_from(interval_ms).unwrap_or_default()))
}
