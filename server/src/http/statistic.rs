//! What a statistic's own page shows, taken from the board and the store; nothing here waits for a box.

use std::time::Instant;

use app::{
    links,
    matching::{Pattern, quoted},
    model::{
        Axis, ChartsPage, Gap, MarkView, Mode, NearView, Page, Reset, RowView, Scale, StatisticPage, Tab, Ticked, is_span, split_name,
    },
    shown::short,
};
use axum::{
    extract::{Request, State},
    response::Response,
};

use super::{App, Shared, pages, render, rows::Room};
use crate::{
    api::{Ask, Path},
    auth::Caller,
    board::{BoxNow, Entry},
    catalogue, clock,
    config::parse_duration,
    problem::Problem,
    store::SeriesId,
};

/// So many others are shown that are worth watching with it.
const MAX_WITH: usize = 12;
/// So many others of its group are shown: those around it.
const MAX_AROUND: usize = 16;
/// So many things that happened are listed.
const MAX_MARKS: usize = 50;
/// The stream is asked for what is here by its names, as far as these have so many bytes.
const MAX_WORDS: usize = 8 << 10;

/// A statistic's own page.
pub(super) async fn statistic(
    State(app): State<Shared>,
    caller: Caller,
    Path((box_name, name)): Path<(String, String)>,
    ask: Ask,
    request: Request,
) -> Result<Response, Problem> {
    let Some(entry) = app.desk.board.find(&box_name) else {
        return Ok(pages::no_such_box(&app, &caller, request, &box_name).await);
    };
    let Some((name, series)) = find(&app, &entry, name).await? else {
        let current = entry.lock().stored.spec.name.clone();
        return Ok(no_such_statistic(&app, &caller, request, &current).await);
    };
    let frame = render::frame(Tab::None, Some(&caller), request.headers(), request.uri());
    let usual_span = caller.taste().span().to_owned();
    let span = ask.get("span").filter(|span| is_span(span)).unwrap_or(&usual_span).to_owned();
    let range = ask.range()?;
    let mode = ask.mode().unwrap_or_default().filter(|mode| *mode != Mode::Percent);
    let (marks, marks_left_out) = match series {
        Some(series) => happened(&app, &entry, series, range.unwrap_or_else(|| until_now(&span))).await?,
        None => (Vec::new(), 0),
    };
    let (boxes, also_on) = (app.boxes(), also_on(&app, &name));
    let page = {
        let now = entry.lock();
        let charts = vec![pages::chart(&now, name.clone(), mode)];
        let chart = ChartsPage {
            boxes,
            current: None,
            usual_span,
            span,
            range,
            mode,
            compare: None,
            search: String::new(),
            scale: Scale::Linear,
            axis: Axis::Auto,
            composed: Vec::new(),
            names: Vec::new(),
            charts,
            left_out: 0,
        };
        let near = near(&now, &name);
        StatisticPage {
            current: now.view(Instant::now()),
            also_on,
            row: row(&now, &name),
            ticked: ticked(&now, &name),
            recorded: series.is_some() || now.derived(&name).is_some(),
            chart,
            marks,
            marks_left_out,
            sets: sets(&now, &name),
            events: events(now.stored.id, &name, &near),
            near,
        }
    };
    Ok(render::page(&app, frame, Page::Statistic(Box::new(page)), request).await)
}

/// The full name and the series of what an address names: a statistic that the box has, or had, or that is ticked by its name. `=` before
/// a name takes it as it is, where there is none of the whole.
async fn find(app: &App, entry: &Entry, name: String) -> Result<Option<(String, Option<SeriesId>)>, Problem> {
    let bare = name.strip_prefix('=').map(str::to_owned);
    for name in std::iter::once(name).chain(bare) {
        let (id, is_known) = {
            let now = entry.lock();
            let is_ticked = now.rules.names_one(&name) && now.rules.ticked(&name);
            (now.stored.id, now.layout.place(&name).is_some() || is_ticked || now.derived(&name).is_some())
        };
        let series = app.store.series_id(id, &name).await?;
        if is_known || series.is_some() {
            return Ok(Some((name, series)));
        }
    }
    Ok(None)
}

async fn no_such_statistic(app: &App, caller: &Caller, request: Request, box_name: &str) -> Response {
    let text = format!(
        "{box_name} has no such statistic: it was never seen there, and is not ticked. Realtime Statistics lists those that it has."
    );
    let words = format!("Statistics of {box_name}");
    let next = Some((words.as_str(), links::realtime(box_name, "", "all")));
    pages::message(app, caller, request, 404, "No such statistic", text, next).await
}

/// The boxes whose newest answer names it.
fn also_on(app: &App, name: &str) -> Vec<String> {
    let has = |entry: &std::sync::Arc<Entry>| {
        let now = entry.lock();
        now.layout.place(name).map(|_| now.stored.spec.name.clone())
    };
    app.desk.board.all().iter().filter_map(has).collect()
}

/// Its row, also when the newest answer does not name it.
fn row(now: &BoxNow, name: &str) -> RowView {
    if let Some(place) = now.layout.place(name) {
        return now.row(place);
    }
    let (kind, unit, description) = now.meaning(name);
    let reason = match now.moment {
        Some(_) => "the box does not name it now",
        None => "the box has not answered yet",
    };
    RowView {
        name: name.to_owned(),
        value: None,
        rate: None,
        kind,
        unit: unit.into_owned(),
        ticked: now.rules.ticked(name),
        moved: false,
        description: description.into_owned(),
        reason: Some(reason.to_owned()),
        spark: Vec::new(),
    }
}

/// Why it is recorded, or why not.
fn ticked(now: &BoxNow, name: &str) -> Ticked {
    let mut patterns = Vec::new();
    for rule in now.rules.list() {
        let pattern = Pattern::parse(&rule.pattern);
        match pattern.exact() {
            Some(exact) if exact == name && !rule.except => return Ticked::ByName(rule.origin),
            None if pattern.matches(name) => patterns.push((rule.pattern, rule.origin)),
            _ => {}
        }
    }
    if patterns.is_empty() && now.layout.records(name) && now.derived(name).is_none() {
        // What is recorded for others has the tick of those.
        let of = now.layout.recorded_for(name).map_or_else(|| "a derived statistic of several boxes".to_owned(), ToString::to_string);
        return Ticked::ByPatterns(vec![(of, app::model::Origin::Panel)]);
    }
    match (patterns.is_empty(), now.rules.ticked(name)) {
        (true, _) => Ticked::No,
        (false, true) => Ticked::ByPatterns(patterns),
        (false, false) => Ticked::Excepted(patterns.into_iter().map(|(word, _)| word).collect()),
    }
}

/// The instants of a span that ends now.
fn until_now(span: &str) -> (i64, i64) {
    let now_ms = clock::now_ms();
    let span_ms = parse_duration(span).ok().and_then(|span| i64::try_from(span.as_millis()).ok()).unwrap_or_default();
    (now_ms - span_ms, now_ms)
}

/// What happened in a span, the newest first, and how much more there was.
async fn happened(app: &App, entry: &Entry, series: SeriesId, (from_ms, to_ms): (i64, i64)) -> Result<(Vec<MarkView>, usize), Problem> {
    let id = entry.lock().stored.id;
    let gap = |Gap { from, to, reason }: Gap| MarkView::Gap { from: from.max(from_ms), to, reason };
    let reset = |Reset { at, cause, by }: Reset| MarkView::Reset { at, cause, by };
    let mut marks: Vec<MarkView> = app.store.gaps(id, from_ms, to_ms).await?.into_iter().map(gap).collect();
    marks.extend(app.store.resets(id, series, from_ms, to_ms).await?.into_iter().map(reset));
    marks.sort_by_key(|mark| std::cmp::Reverse(mark.at()));
    let left_out = marks.len().saturating_sub(MAX_MARKS);
    marks.truncate(MAX_MARKS);
    Ok((marks, left_out))
}

/// The chart sets that it belongs to.
fn sets(now: &BoxNow, name: &str) -> Vec<(String, String)> {
    catalogue::sets_of(now.stored.spec.kind, name).map(|set| (set.name.clone(), set.title.clone())).collect()
}

/// Others of the box: those that the catalogue has watched with it, then those around it in its group.
fn near(now: &BoxNow, name: &str) -> Vec<NearView> {
    let mut room = Room::of(MAX_WITH + MAX_AROUND);
    let with = with(now, name, &mut room);
    let (group, _) = split_name(name);
    let members: Vec<usize> = in_order(now).filter(|place| split_name(&now.layout.names[*place]).0 == group).collect();
    let own = members.iter().position(|place| *now.layout.names[*place] == *name);
    let shown = |place: &&usize| *now.layout.names[**place] != *name && !with.contains(place);
    // As many before it as behind it, where there are as many.
    let before = own.unwrap_or_default();
    let begin = before.saturating_sub(MAX_AROUND / 2).min(members.len().saturating_sub(MAX_AROUND + 1));
    let around = members.iter().skip(begin).take(MAX_AROUND + 1).filter(shown).filter(|place| room.take(1, &now.layout.names[**place]));
    let around: Vec<RowView> = around.map(|&place| now.row(place)).collect();
    let all = (members.len() > around.len() + 1)
        .then(|| (links::realtime(&now.stored.spec.name, &app::matching::quoted_word(&format!("{group}:")), "all"), members.len()));
    let group = if group.is_empty() { "Others without a group".to_owned() } else { format!("Others of {}", short(group)) };
    let with = with.into_iter().map(|place| now.row(place)).collect();
    let views =
        [NearView { title: "Worth watching with it".to_owned(), rows: with, all: None }, NearView { title: group, rows: around, all }];
    views.into_iter().filter(|view| !view.rows.is_empty()).collect()
}

/// The places of what the catalogue has watched with it: by itself, or in a chart of its sets.
fn with(now: &BoxNow, name: &str, room: &mut Room) -> Vec<usize> {
    let kind = now.stored.spec.kind;
    let (group, own) = split_name(name);
    let words = catalogue::lookup(kind, group, own).map_or("", |known| known.watch_with);
    let own: Vec<Pattern> = words.split(',').filter(|word| !word.is_empty()).map(Pattern::parse).collect();
    let of_sets = catalogue::sets_of(kind, name).flat_map(|set| set.statistics.iter().map(|(_, pattern)| pattern));
    let mut places: Vec<usize> = Vec::new();
    let derived = now.layout.derived.iter().find(|derived| *derived.definition.full == *name);
    for place in derived.into_iter().flat_map(|derived| derived.inputs()) {
        if !places.contains(&place) && places.len() < MAX_WITH && room.take(1, &now.layout.names[place]) {
            places.push(place);
        }
    }
    for pattern in own.iter().chain(of_sets) {
        let found: Vec<usize> = match pattern.exact() {
            Some(full) => now.layout.place(full).into_iter().collect(),
            None => in_order(now).filter(|place| pattern.matches(&now.layout.names[*place])).take(MAX_WITH).collect(),
        };
        for place in found {
            let full = &now.layout.names[place];
            if **full != *name && !places.contains(&place) && places.len() < MAX_WITH && room.take(1, full) {
                places.push(place);
            }
        }
    }
    places
}

fn in_order(now: &BoxNow) -> impl Iterator<Item = usize> {
    now.layout.sorted.iter().map(|&place| place as usize)
}

/// The stream that brings what is here and no more; of very long names only the first.
fn events(id: i64, name: &str, near: &[NearView]) -> String {
    let mut words = quoted(name);
    for row in near.iter().flat_map(|near| &near.rows) {
        let word = quoted(&row.name);
        if words.len() + word.len() < MAX_WORDS {
            words.push(' ');
            words.push_str(&word);
        }
    }
    links::with_query("/cp/events", &[("box", &id.to_string()), ("match", &words)])
}
