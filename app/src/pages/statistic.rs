//! A statistic's own page: its value, its chart, what happened to it, why it is recorded, and what is worth a look beside it. Its rows are
//! those of Realtime Statistics, its chart is that of Statistics Charts, and their islands keep both true.

mod about;

use leptos::prelude::*;

use super::{
    charts,
    frame::{self, switch},
    pills::pills,
    realtime::{self, rows},
};
use crate::{
    islands::{charts::LiveCharts, realtime::RealtimeLive},
    links,
    matching::quoted_word,
    model::{BoxState, Frame, Mode, NearView, Processes, SPANS, StatisticPage, split_name},
    shown::{short, visible},
};

/// Draws it.
pub(super) fn page(frame: &Frame, page: &StatisticPage) -> AnyView {
    let name = &page.current.name;
    let pills = pills(&page.chart.boxes, Some(name), None, &|other| {
        // Where there is no such statistic, there is the box.
        if page.also_on.iter().any(|one| one == other) {
            Address { box_name: other, ..Address::of(page) }.link()
        } else {
            links::realtime(other, "", "all")
        }
    });
    view! {
        {pills}
        <main id="main" class="statistic" data-events=page.events.clone()>
            {frame::notices(frame)} {head(page)} {realtime::banner(&page.current)}
            <div class="columns">
                <div class="main">{form(frame, page)}</div>
                <aside aria-label="About it">{about::about(frame, page)} {about::marks(page)}</aside>
            </div>
            <RealtimeLive />
            <LiveCharts />
        </main>
    }
    .into_any()
}

/// What this page shows, as its address says it.
#[derive(Clone, Copy)]
struct Address<'a> {
    box_name: &'a str,
    name: &'a str,
    span: &'a str,
    usual: &'a str,
    mode: &'a str,
}

impl<'a> Address<'a> {
    fn of(page: &'a StatisticPage) -> Self {
        Self {
            box_name: &page.current.name,
            name: &page.row.name,
            span: &page.chart.span,
            usual: &page.chart.usual_span,
            mode: page.chart.mode.map_or("", Mode::as_str),
        }
    }

    fn link(self) -> String {
        let span = if self.span == self.usual { "" } else { self.span };
        links::with_query(&links::statistic(self.box_name, self.name), &[("span", span), ("mode", self.mode)])
    }
}

/// The whole of a group on Realtime Statistics; none where its name would be read as something else.
fn group_link(box_name: &str, group: &str) -> Option<String> {
    let plain = !group.is_empty() && !group.starts_with('=') && !group.contains('*') && group.trim() == group;
    plain.then(|| links::realtime(box_name, &quoted_word(&format!("{group}:")), "all"))
}

/// Where one is, what this is, what it means, and how the box does.
fn head(page: &StatisticPage) -> AnyView {
    let (group, own) = split_name(&page.row.name);
    let box_name = &page.current.name;
    let group = (!group.is_empty()).then(|| {
        let text = short(group).into_owned();
        let crumb = match group_link(box_name, group) {
            Some(to) => view! { <a href=to>{text}</a> }.into_any(),
            None => view! { <span>{text}</span> }.into_any(),
        };
        view! { <span aria-hidden="true">"›"</span> {crumb} }
    });
    let meaning = (!page.row.description.is_empty()).then(|| view! { <p class="meaning">{page.row.description.clone()}</p> });
    view! {
        <div class="headline">
            <nav class="crumbs" aria-label="Where this is">
                <a href=links::realtime(box_name, "", "all")>{box_name.clone()}</a>
                {group}
            </nav>
            <h1 title=visible(&page.row.name).into_owned()>
                <code>{short(own).into_owned()}</code>
                <span class="vh">{format!(" of {box_name}")}</span>
            </h1>
            {realtime::state(&page.current)} {meaning} {charts::whole_name(&page.row.name)}
        </div>
    }
    .into_any()
}

/// The statistic itself, its chart, and others: all that can be ticked is in one form.
fn form(frame: &Frame, page: &StatisticPage) -> AnyView {
    let stale = if page.current.state == BoxState::Up { "" } else { "stale" };
    let untold = (!page.recorded).then(|| {
        view! {
            <p class="note good untold">
                <b>"Tick it to record it. "</b>
                "From then on its values are kept, and drawn below."
            </p>
        }
    });
    view! {
        <form id="rows" class=stale method="post" action="/cp/ticks" autocomplete="off">
            <input type="hidden" name="box" value=page.current.name.clone() />
            <input type="hidden" name="return" value=frame.here.clone() />
            <button hidden>"Save ticks"</button>
            <div inner_html=rows::ICONS hidden></div>
            <section class="card now" aria-label="Now" inner_html=rows::alone(&page.current.name, &page.row)></section>
            {untold}
            {graph(frame, page)}
            {page.near.iter().map(|near| self::near(&page.current.name, near)).collect_view()}
            {frame::save_by_hand()}
        </form>
    }
    .into_any()
}

fn graph(frame: &Frame, page: &StatisticPage) -> AnyView {
    let Some(chart) = page.chart.charts.first() else { return ().into_any() };
    let at = Address::of(page);
    let spans = SPANS.iter().map(|(span, _)| (Address { span, ..at }.link(), (*span).to_owned(), page.chart.span == *span));
    let mode = |mode: &'static str, text: &str| (Address { mode, ..at }.link(), text.to_owned(), at.mode == mode);
    let modes = vec![mode("", "by kind"), mode("rate", "rate"), mode("value", "value")];
    let alone = charts::alone(&page.chart, chart, at.mode);
    view! {
        <section class="card graph" aria-label="Chart">
            <div class="over">
                {switch("Span", spans.collect())} {switch("Rate or value", modes)} {charts::looked_at(page.chart.range, at.link())}
                {charts::acts(alone.clone(), &short(&chart.name))}
            </div>
            {charts::figure(frame, &page.chart, chart)}
            <footer>
                <p class="about">{charts::mode_words(chart.mode)} {unit_words(&chart.unit, chart.mode)}</p>
                <a class="ghost" href=alone>"alone" <span class="vh">": this chart"</span></a>
                {charts::files(&page.chart, chart)}
            </footer>
        </section>
    }
    .into_any()
}

fn unit_words(unit: &str, mode: Mode) -> Option<String> {
    (mode == Mode::Value && !unit.is_empty()).then(|| format!(", in {unit}"))
}

/// Others that are worth a look, as rows.
fn near(box_name: &str, near: &NearView) -> AnyView {
    let all = near.all.clone().map(|(to, count)| {
        view! {
            <span class="acts">
                <a class="ghost" href=to>{format!("all {count}")} <span class="vh">" of its group"</span></a>
            </span>
        }
    });
    view! {
        <details class="group" open>
            <summary>
                <h2 class="plain">{near.title.clone()}</h2>
                <span class="count">{near.rows.len()}</span>
            </summary>
            {all}
            <div inner_html=rows::table(rows::PLAIN_HEAD, &near.title, &rows::body(box_name, &near.rows, &Processes::default()))></div>
        </details>
    }
    .into_any()
}
