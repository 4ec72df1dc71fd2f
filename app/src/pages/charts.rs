//! Statistics Charts: a card for each ticked statistic. The pictures are images of `chart.svg`; the island draws in their place.

mod acts;
mod composed;
mod tools;

use leptos::prelude::*;

use super::{frame, pills::pills};
pub(super) use acts::acts;
pub(super) use tools::looked_at;

use crate::{
    format,
    islands::charts::LiveCharts,
    links,
    matching::{quoted, quoted_word},
    model::{Axis, ChartSpec, ChartView, ChartsPage, Composed, Frame, Kind, Mode, SPANS, Scale, Theme, Wanted},
    shown::{is_long, short, visible},
};

/// The size of a picture in CSS pixels; the page scales it to its card.
const PICTURE: (u32, u32) = (680, 200);
/// The size of a picture that has the page to itself.
const PICTURE_ALONE: (u32, u32) = (1240, 360);
/// The size of a picture on a phone, where the wide one would be drawn too small to read.
const PICTURE_NARROW: (u32, u32) = (320, 190);
/// The size of the PNG to keep.
const PNG: (u32, u32) = (1200, 360);

/// Draws it.
pub(super) fn page(frame: &Frame, page: &ChartsPage) -> AnyView {
    let heading = match &page.current {
        Some(name) => format!("Statistics Charts of {name}"),
        None => "Statistics Charts".to_owned(),
    };
    let at = Address::of(page);
    let pills = pills(&page.boxes, page.current.as_deref(), Some(Address { box_name: "", ..at }.link()), &|name| {
        Address { box_name: name, ..at }.link()
    });
    let composed = page.composed.iter().enumerate().map(|(place, chart)| composed::card(frame, page, place, chart)).collect_view();
    let cards = page.charts.iter().map(|chart| card(frame, page, chart)).collect_view();
    let class = if page.charts.len() + page.composed.len() == 1 { "cards one" } else { "cards" };
    let left_out = (page.left_out > 0).then(|| {
        let text = format!("{} charts are shown, {} more match: choose a box or narrow the search.", page.charts.len(), page.left_out);
        view! { <p class="note">{text}</p> }
    });
    view! {
        {pills}
        <main id="main">
            <h1 class="vh">{heading}</h1>
            {frame::notices(frame)} {tools::tools(page)} <div class=class>{composed} {cards}</div> {empty(page)} {left_out} {composed::names(page)}
            <LiveCharts />
        </main>
    }
    .into_any()
}

/// What this page shows, as its address says it.
#[derive(Clone, Copy)]
struct Address<'a> {
    box_name: &'a str,
    search: &'a str,
    span: &'a str,
    usual: &'a str,
    range: Option<(i64, i64)>,
    mode: &'a str,
    compare: &'a str,
    scale: Scale,
    axis: Axis,
    charts: &'a [Composed],
}

impl<'a> Address<'a> {
    fn of(page: &'a ChartsPage) -> Self {
        Self {
            box_name: page.current.as_deref().unwrap_or_default(),
            search: &page.search,
            span: &page.span,
            usual: &page.usual_span,
            range: page.range,
            mode: page.mode.map_or("", Mode::as_str),
            compare: page.compare.as_deref().unwrap_or_default(),
            scale: page.scale,
            axis: page.axis,
            charts: &page.composed,
        }
    }

    /// The word for the scale, where it is not as usual.
    fn scale(&self) -> &'static str {
        if self.scale == Scale::default() { "" } else { self.scale.as_str() }
    }

    /// The word for the axis, where it is not as usual.
    fn axis(&self) -> &'static str {
        if self.axis == Axis::default() { "" } else { self.axis.as_str() }
    }

    fn link(self) -> String {
        let span = if self.span == self.usual { "" } else { self.span };
        let pairs = [
            ("box", self.box_name),
            ("mode", self.mode),
            ("scale", self.scale()),
            ("axis", self.axis()),
            ("compare", self.compare),
            ("match", self.search),
        ];
        let link = links::with_query(links::CHARTS, &pairs);
        let link = self.charts.iter().fold(link, |link, chart| links::with_chart(&link, &chart.text));
        links::with_span(&link, self.range, span)
    }
}

fn card(frame: &Frame, page: &ChartsPage, chart: &ChartView) -> AnyView {
    let unit = (chart.mode == Mode::Value && !chart.unit.is_empty()).then(|| format!(" in {}", chart.unit));
    let name = short(&chart.name);
    view! {
        <article class="card">
            <header>
                <h2 draggable="true" data-word=word(&chart.box_name, &chart.name)>
                    <a draggable="false" href=links::statistic(&chart.box_name, &chart.name) title=format!("{}: all there is to know", visible(&chart.name))>
                        {name.clone().into_owned()}
                    </a>
                </h2>
                <span class="muted">{chart.box_name.clone()} " · " {mode_words(chart.mode)} {unit}</span>
                {whole_name(&chart.name)} {acts(alone(page, chart, page.mode.map_or("", Mode::as_str)), &name)}
            </header>
            {figure(frame, page, chart)}
            {footer(frame, page, chart)}
        </article>
    }
    .into_any()
}

/// What brings a statistic into a chart that somebody puts together.
fn word(box_name: &str, name: &str) -> String {
    quoted_word(&Wanted::one(box_name, name).to_string())
}

/// The chart itself, which its island takes over.
pub(super) fn figure(frame: &Frame, page: &ChartsPage, chart: &ChartView) -> AnyView {
    view! {
        <figure
            class="chart"
            data-box=chart.box_name.clone()
            data-name=chart.name.clone()
            data-query=links::with_query("", &[("box", &chart.box_name), ("name", &chart.name)])
            data-mode=chart.mode.as_str()
            data-unit=chart.unit.clone()
            data-span=page.span.clone()
            data-range=page.range.map(|(from, to)| format!("from={from}&to={to}"))
            data-kind=chart.kind.as_str()
            data-compare=page.compare.clone()
            data-scale=page.scale.as_str()
            data-axis=page.axis.as_str()
        >
            <div class="facts"></div>
            {pictures(frame, page, chart, mode_words(chart.mode))}
        </figure>
    }
    .into_any()
}

/// What is drawn of a statistic, in words.
pub(super) fn mode_words(mode: Mode) -> &'static str {
    match mode {
        Mode::Rate => "rate per second",
        Mode::Increase => "increase",
        Mode::Percent => "share",
        Mode::Value => "value",
    }
}

/// The chart as images, each for windows of up to some width; the last is for all others.
fn pictures(frame: &Frame, page: &ChartsPage, chart: &ChartView, mode_words: &str) -> AnyView {
    let alt = format!("Chart of {} of {}: {mode_words}, {}", short(&chart.name), chart.box_name, when(page));
    let source = |media: &'static str, size: (u32, u32)| {
        let picture = picture("svg", page, chart, size, Some(frame.theme));
        view! { <source media=media srcset=picture width=size.0.to_string() height=size.1.to_string() /> }
    };
    let alone = page.charts.len() == 1;
    let size = if alone { PICTURE_ALONE } else { PICTURE };
    view! {
        <picture>
            {source("(max-width: 480px)", PICTURE_NARROW)} {alone.then(|| source("(max-width: 1000px)", PICTURE))}
            <img
                loading="lazy"
                decoding="async"
                src=picture("svg", page, chart, size, Some(frame.theme))
                alt=alt
                width=size.0.to_string()
                height=size.1.to_string()
            />
        </picture>
    }
    .into_any()
}

/// Which span a page shows, in words.
fn when(page: &ChartsPage) -> String {
    let of_range = page.range.map(|(from, to)| format!("{} UTC", format::span(from, to, true)));
    let span_words = SPANS.iter().find(|(span, _)| *span == page.span).map_or(page.span.as_str(), |(_, words)| words);
    of_range.unwrap_or_else(|| format!("last {span_words}"))
}

/// The page of one chart alone.
pub(super) fn alone(page: &ChartsPage, chart: &ChartView, mode: &str) -> String {
    Address { box_name: &chart.box_name, search: &quoted(&chart.name), mode, ..Address::of(page) }.link()
}

/// The whole of a name that the heading shortens.
pub(super) fn whole_name(name: &str) -> Option<impl IntoView + use<>> {
    let whole = visible(name).into_owned();
    is_long(name).then(|| view! { <details class="whole"><summary>"whole name"</summary><code tabindex="0">{whole}</code></details> })
}

/// The same statistic alone, drawn the other way.
fn other_mode(page: &ChartsPage, chart: &ChartView) -> impl IntoView + use<> {
    let (mode, text) = match chart.mode {
        Mode::Rate => ("value", "as value"),
        Mode::Value | Mode::Increase | Mode::Percent => ("rate", "as rate"),
    };
    view! { <a class="ghost" href=alone(page, chart, mode)>{text} <span class="vh">" of " {short(&chart.name).into_owned()}</span></a> }
}

fn picture(format: &str, page: &ChartsPage, chart: &ChartView, (width, height): (u32, u32), theme: Option<Theme>) -> String {
    let (width, height) = (width.to_string(), height.to_string());
    let picture = links::with_query(
        &format!("{}/chart.{format}", links::API),
        &[
            ("box", chart.box_name.as_str()),
            ("name", &chart.name),
            ("mode", chart.mode.as_str()),
            ("scale", Address::of(page).scale()),
            ("axis", Address::of(page).axis()),
            ("compare", page.compare.as_deref().unwrap_or_default()),
            ("width", &width),
            ("height", &height),
            ("theme", theme.map_or("", Theme::as_str)),
        ],
    );
    links::with_span(&picture, page.range, &page.span)
}

fn footer(frame: &Frame, page: &ChartsPage, chart: &ChartView) -> AnyView {
    let name = short(&chart.name).into_owned();
    view! {
        <footer>
            <p class="about">{chart.description.clone()}</p>
            {kind(frame, &chart.box_name, &chart.name, chart.kind)} {other_mode(page, chart)}
            {composed::add(page, 0, &ChartSpec { mode: page.mode, scale: page.scale, axis: page.axis, ..ChartSpec::one(&chart.box_name, &chart.name) }.to_string())}
            <a class="ghost" href=alone(page, chart, page.mode.map_or("", Mode::as_str))>"alone" <span class="vh">": " {name}</span></a>
            {files(page, chart)}
        </footer>
    }
    .into_any()
}

/// The chart to keep: its samples, and a picture.
pub(super) fn files(page: &ChartsPage, chart: &ChartView) -> impl IntoView + use<> {
    let name = short(&chart.name).into_owned();
    let csv = links::with_query(&format!("{}/export", links::API), &[("box", &chart.box_name), ("name", &chart.name), ("format", "csv")]);
    let csv = links::with_span(&csv, page.range, &page.span);
    view! {
        <a class="ghost" href=csv download>"CSV" <span class="vh">" of " {name.clone()}</span></a>
        <a class="ghost" href=picture("png", page, chart, PNG, Some(Theme::Light)) download>"PNG" <span class="vh">" of " {name}</span></a>
    }
}

/// What the statistic is taken for, and a way to correct it.
pub(super) fn kind(frame: &Frame, box_name: &str, name: &str, is: Kind) -> AnyView {
    let choice = |kind: Kind, label: &'static str| {
        let pressed = if is == kind { "true" } else { "false" };
        view! { <button name="kind" value=kind.as_str() aria-pressed=pressed>{label}</button> }
    };
    view! {
        <details class="kind">
            <summary class="ghost">{is.as_str()} <span class="vh">": kind of " {short(name).into_owned()}</span></summary>
            <form class="menu" method="post" action="/cp/kind">
                <input type="hidden" name="box" value=box_name.to_owned() />
                <input type="hidden" name="name" value=name.to_owned() />
                <input type="hidden" name="return" value=frame.here.clone() />
                <p>"What is it?"</p>
                {choice(Kind::Counter, "A counter: it counts up")} {choice(Kind::Gauge, "A gauge: it goes up and down")}
                <button name="kind" value="auto">"As the box says"</button>
            </form>
        </details>
    }
    .into_any()
}

fn empty(page: &ChartsPage) -> Option<impl IntoView + use<>> {
    if !page.charts.is_empty() || !page.composed.is_empty() {
        return None;
    }
    let at = Address::of(page);
    let to = links::realtime(at.box_name, "", "all");
    Some(if page.search.is_empty() {
        let title = match &page.current {
            Some(name) => format!("Nothing of {name} is recorded yet: tick a statistic"),
            None => "Nothing is recorded yet: tick a statistic".to_owned(),
        };
        view! {
            <section class="empty">
                <h2>{title}</h2>
                <p>"Each statistic that is ticked on Realtime Statistics gets its chart here, from its second value on."</p>
                <a class="btn main" href=to>"Open Realtime Statistics"</a>
            </section>
        }
        .into_any()
    } else {
        view! {
            <section class="empty">
                <h2>{format!("No recorded statistic matches “{}”", page.search)}</h2>
                <p>"Charts are drawn of ticked statistics only. It may be there, but not be ticked."</p>
                <p class="buttons">
                    <a class="btn" href=Address { search: "", ..at }.link()>"Show all charts"</a>
                    <a class="btn" href=links::realtime(at.box_name, &page.search, "all")>"Find it on Realtime Statistics"</a>
                </p>
            </section>
        }
        .into_any()
    })
}
