//! A chart that somebody put together: what is in it, how it is drawn, and the ways to change both, all of which stand in the address.

use leptos::prelude::*;

use super::{Address, PICTURE, PICTURE_ALONE, PICTURE_NARROW, PNG, when};
use crate::{
    links,
    matching::quoted_word,
    model::{Axis, ChartSpec, ChartsPage, Combine, Composed, Frame, Mode, Scale, Theme, Wanted},
    shown::short,
};

/// The list of names that fields offer.
pub(super) const NAMES: &str = "recorded-names";
/// The size of a PNG that fills a screen, in CSS pixels; its own are twice as many.
const SCREEN: (u32, u32) = (1920, 1080);

/// The card of the chart at a place of the page.
pub(super) fn card(frame: &Frame, page: &ChartsPage, place: usize, chart: &Composed) -> AnyView {
    let spec = match &chart.spec {
        Ok(spec) => spec,
        Err(why) => {
            let rest = changed(page, place, None);
            return view! {
                <article class="card composed">
                    <header><h2>"A chart that cannot be drawn"</h2></header>
                    <p class="chart-error">{why.clone()}</p>
                    <p><code>{short(&chart.text).into_owned()}</code></p>
                    <footer><a class="ghost" href=rest>"remove"</a></footer>
                </article>
            }
            .into_any();
        }
    };
    let title = title(spec);
    view! {
        <article class="card composed">
            <header>
                <h2>{title.clone()}</h2>
                <span class="muted">{said(spec)}</span>
                {super::acts(alone_link(page, spec), &title)}
            </header>
            <figure
                class="chart"
                data-query=query(page, spec)
                data-name=title.clone()
                data-span=page.span.clone()
                data-range=page.range.map(|(from, to)| format!("from={from}&to={to}"))
                data-compare=page.compare.clone()
                data-scale=spec.scale.as_str()
                data-axis=spec.axis.as_str()
                data-combine=spec.combine.as_str()
                data-mode=spec.mode.map(Mode::as_str)
            >
                <div class="facts"></div>
                {pictures(frame, page, spec, &title)}
            </figure>
            {parts(page, place, spec)}
            <footer>
                {add(page, place, &chart.text)} {how(page, place, spec)} {alone(page, spec)}
                <a class="ghost" href=csv(page, spec) download>"CSV" <span class="vh">" of " {title.clone()}</span></a>
                <a class="ghost" href=picture("svg", page, spec, PNG, None)>"SVG" <span class="vh">" of " {title.clone()}</span></a>
                <a class="ghost" href=picture("png", page, spec, SCREEN, Some(Theme::Light)) download>"PNG" <span class="vh">" of " {title}</span></a>
            </footer>
        </article>
    }
    .into_any()
}

/// What stands above it.
fn title(spec: &ChartSpec) -> String {
    match spec.statistics.as_slice() {
        _ if !spec.title.is_empty() => short(&spec.title).into_owned(),
        [one] => short(&one.to_string()).into_owned(),
        many => format!("{} statistics", many.len()),
    }
}

/// How it is drawn, in words.
fn said(spec: &ChartSpec) -> String {
    let mode = match (spec.mode, &spec.of) {
        (Some(Mode::Percent), Some(of)) => format!("share of {}", short(of)),
        (Some(mode), _) => super::mode_words(mode).to_owned(),
        (None, _) => String::new(),
    };
    let together = if spec.combine == Combine::None { "" } else { spec.combine.as_str() };
    let scale = if spec.scale == Scale::Log { "logarithmic" } else { "" };
    let axis = match spec.axis {
        Axis::Auto => "",
        Axis::Zero => "from zero",
        Axis::Fitted => "fitted",
    };
    [mode.as_str(), together, scale, axis].into_iter().filter(|words| !words.is_empty()).collect::<Vec<_>>().join(" · ")
}

/// The page with another chart at a place, or without that one.
fn changed(page: &ChartsPage, place: usize, chart: Option<ChartSpec>) -> String {
    let mut charts = page.composed.clone();
    match chart {
        Some(chart) if place < charts.len() => charts[place] = Composed::of(chart),
        Some(chart) => charts.push(Composed::of(chart)),
        None => drop(charts.remove(place)),
    }
    Address { charts: &charts, ..Address::of(page) }.link()
}

/// The question for its lines.
fn query(page: &ChartsPage, spec: &ChartSpec) -> String {
    links::with_chart(&links::with_query("", &[("box", page.current.as_deref().unwrap_or_default())]), &spec.to_string())
}

fn picture(format: &str, page: &ChartsPage, spec: &ChartSpec, (width, height): (u32, u32), theme: Option<Theme>) -> String {
    let (width, height) = (width.to_string(), height.to_string());
    let compare = page.compare.as_deref().filter(|_| spec.combine.is_one_line()).unwrap_or_default();
    let path = format!("{}/chart.{format}{}", links::API, query(page, spec));
    let size =
        links::with_query("", &[("compare", compare), ("width", &width), ("height", &height), ("theme", theme.map_or("", Theme::as_str))]);
    links::with_span(&format!("{path}&{}", size.trim_start_matches('?')), page.range, &page.span)
}

/// What is drawn, as a table of the same points.
fn csv(page: &ChartsPage, spec: &ChartSpec) -> String {
    links::with_span(&format!("{}/chart.csv{}", links::API, query(page, spec)), page.range, &page.span)
}

fn pictures(frame: &Frame, page: &ChartsPage, spec: &ChartSpec, title: &str) -> AnyView {
    let alt = format!("Chart of {title}: {}", when(page));
    let alone = page.composed.len() == 1;
    let wide = if alone { PICTURE_ALONE } else { PICTURE };
    let source = |media: &'static str, size: (u32, u32)| {
        view! { <source media=media srcset=picture("svg", page, spec, size, Some(frame.theme)) width=size.0.to_string() height=size.1.to_string() /> }
    };
    // The legend stands above the plot: a little higher.
    let taller = |(width, height): (u32, u32)| (width, height + 40);
    view! {
        <picture>
            {source("(max-width: 480px)", taller(PICTURE_NARROW))} {alone.then(|| source("(max-width: 1000px)", taller(PICTURE)))}
            <img
                loading="lazy"
                decoding="async"
                src=picture("svg", page, spec, taller(wide), Some(frame.theme))
                alt=alt
                width=wide.0.to_string()
                height=taller(wide).1.to_string()
            />
        </picture>
    }
    .into_any()
}

/// What is in it, each with a way out of it.
fn parts(page: &ChartsPage, place: usize, spec: &ChartSpec) -> AnyView {
    let removable = spec.statistics.len() > 1;
    let part = |(index, wanted): (usize, &Wanted)| {
        let name = short(&wanted.to_string()).into_owned();
        let without = removable.then(|| changed(page, place, Some(spec.clone().without(index))));
        view! {
            <li draggable="true" data-word=quoted_word(&wanted.to_string())>
                <span>{name.clone()}</span>
                {without.map(|href| view! { <a href=href aria-label=format!("Take {name} out of this chart") title="Take it out">"×"</a> })}
            </li>
        }
    };
    view! { <ul class="parts">{spec.statistics.iter().enumerate().map(part).collect_view()}</ul> }.into_any()
}

/// The fields that bring back the page as it is, for a form that changes the chart at a place.
fn kept(page: &ChartsPage, place: usize, text: &str) -> AnyView {
    let at = Address::of(page);
    let mut texts: Vec<String> = page.composed.iter().map(|one| one.text.clone()).collect();
    if texts.is_empty() {
        texts.push(text.to_owned());
    }
    let charts = texts.into_iter().map(|text| view! { <input type="hidden" name="chart" value=text /> }).collect_view();
    let (from, to) = at.range.map(|(from, to)| (from.to_string(), to.to_string())).unzip();
    let span = if at.range.is_some() || at.span == at.usual { "" } else { at.span };
    let rest = [
        ("box", at.box_name.to_owned()),
        ("compare", at.compare.to_owned()),
        ("span", span.to_owned()),
        ("from", from.unwrap_or_default()),
        ("to", to.unwrap_or_default()),
        ("place", place.to_string()),
    ];
    let rest = rest.into_iter().filter(|(_, value)| !value.is_empty());
    let rest = rest.map(|(name, value)| view! { <input type="hidden" name=name value=value /> }).collect_view();
    view! { {charts} {rest} }.into_any()
}

/// A field that brings another statistic into a chart.
pub(super) fn add(page: &ChartsPage, place: usize, text: &str) -> AnyView {
    view! {
        <details class="custom add">
            <summary class="ghost">"add"</summary>
            <form class="menu" method="get" action=links::CHARTS>
                {kept(page, place, text)} <p>"Another statistic in this chart, or a pattern, of this box or any:"</p>
                <input
                    type="text"
                    name="add"
                    list=NAMES
                    required
                    placeholder="sip2/core:rcv_*"
                    aria-label="Statistic to add to this chart"
                    autocomplete="off"
                    autocapitalize="none"
                    spellcheck="false"
                />
                <button class="btn main">"Add"</button>
            </form>
        </details>
    }
    .into_any()
}

/// How it is drawn, to choose.
fn how(page: &ChartsPage, place: usize, spec: &ChartSpec) -> AnyView {
    let link = |spec: ChartSpec, text: &'static str, chosen: bool| {
        view! { <a href=changed(page, place, Some(spec)) aria-current=chosen.then_some("true")>{text}</a> }
    };
    let modes = [(None, "by kind"), (Some(Mode::Value), "value"), (Some(Mode::Rate), "rate"), (Some(Mode::Increase), "increase")];
    let modes = modes.map(|(mode, text)| link(ChartSpec { mode, of: None, ..spec.clone() }, text, spec.mode == mode));
    let together = [
        (Combine::None, "lines"),
        (Combine::Stacked, "stacked"),
        (Combine::Sum, "sum"),
        (Combine::Average, "average"),
        (Combine::Maximum, "maximum"),
    ];
    let together = together.map(|(combine, text)| {
        let scale = if combine == Combine::Stacked { Scale::Linear } else { spec.scale };
        link(ChartSpec { combine, scale, ..spec.clone() }, text, spec.combine == combine)
    });
    let scales = [(Scale::Linear, "linear"), (Scale::Log, "logarithmic")].map(|(scale, text)| {
        let combine = if scale == Scale::Log && spec.combine == Combine::Stacked { Combine::None } else { spec.combine };
        link(ChartSpec { scale, combine, ..spec.clone() }, text, spec.scale == scale)
    });
    let axes = [(Axis::Auto, "as it fits"), (Axis::Zero, "from zero"), (Axis::Fitted, "fitted")];
    let axes = axes.map(|(axis, text)| link(ChartSpec { axis, ..spec.clone() }, text, spec.axis == axis));
    let of = spec.of.clone().unwrap_or_default();
    view! {
        <details class="custom how">
            <summary class="ghost">"how" <span class="vh">" it is drawn"</span></summary>
            <div class="menu">
                {choices("Numbers", modes.collect_view())} {choices("Together", together.collect_view())}
                {choices("Scale", scales.collect_view())} {choices("Axis", axes.collect_view())}
                <form method="get" action=links::CHARTS>
                    {kept(page, place, &spec.to_string())}
                    <label>
                        "Share of "
                        <input type="text" name="of" value=of required placeholder="shmem:total_size" autocomplete="off" autocapitalize="none" spellcheck="false" />
                    </label>
                    <button class="btn">"Show shares"</button>
                </form>
            </div>
        </details>
    }
    .into_any()
}

/// Links of which one is chosen, with what they choose.
pub(super) fn choices(what: &'static str, links: impl IntoView + 'static) -> AnyView {
    view! { <div class="choices" role="group" aria-label=what><span>{what}</span> {links}</div> }.into_any()
}

/// The page of this chart alone, where it is not.
fn alone(page: &ChartsPage, spec: &ChartSpec) -> Option<impl IntoView + use<>> {
    let href = alone_link(page, spec);
    (page.composed.len() > 1).then(|| view! { <a class="ghost" href=href>"alone"</a> })
}

fn alone_link(page: &ChartsPage, spec: &ChartSpec) -> String {
    let charts = [Composed::of(spec.clone())];
    Address { charts: &charts, ..Address::of(page) }.link()
}

/// The names that fields offer.
pub(super) fn names(page: &ChartsPage) -> AnyView {
    let names = page.names.iter().map(|name| view! { <option value=name.clone()></option> }).collect_view();
    view! { <datalist id=NAMES>{names}</datalist> }.into_any()
}
