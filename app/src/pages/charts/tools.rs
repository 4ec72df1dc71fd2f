//! Above the charts: which span, how they are drawn, what they are compared with, and which of them.

use leptos::prelude::*;

use super::{Address, composed};
use crate::{
    format, links,
    model::{Axis, COMPARED, ChartsPage, SPANS, Scale},
    pages::frame::{search, switch},
};

/// Draws them.
pub(super) fn tools(page: &ChartsPage) -> AnyView {
    let at = Address::of(page);
    let spans =
        SPANS.iter().map(|(span, _)| (Address { span, range: None, ..at }.link(), (*span).to_owned(), page.span == *span)).collect();
    let mode = |mode: &'static str, text: &str| (Address { mode, ..at }.link(), text.to_owned(), at.mode == mode);
    let modes = vec![mode("", "by kind"), mode("rate", "rate"), mode("increase", "increase"), mode("value", "value")];
    let is_composed = !page.composed.is_empty();
    let clear = Address { search: "", ..at }.link();
    let (from, to) = at.range.map(|(from, to)| (from.to_string(), to.to_string())).unzip();
    let span = if at.range.is_some() { "" } else { at.span };
    let of_span = [("span", span), ("from", from.as_deref().unwrap_or_default()), ("to", to.as_deref().unwrap_or_default())];
    let how = [("box", at.box_name), ("mode", at.mode), ("scale", at.scale()), ("axis", at.axis()), ("compare", at.compare)];
    let hidden = [how.as_slice(), &of_span].concat();
    // Each chart that somebody put together says of itself how it is drawn, and no search leaves it out.
    let all = is_composed.then(|| view! { <a class="btn" href=Address { charts: &[], ..at }.link()>"All charts"</a> });
    let chosen = (!is_composed).then(|| view! { {switch("Rate or value", modes)} {axes(at)} });
    let find = (!is_composed).then(|| search(links::CHARTS, "Find charts", &page.search, &hidden, clear));
    view! {
        <div class="tools">
            {switch("Span", spans)} {custom(at)} {chosen} {compare(at)} {more(at)} {find} {all}
            <div class="state" id="live">
                <span class="pulse" hidden></span>
                <span data-live hidden></span>
                " "
                <span data-zone>"times in UTC"</span>
            </div>
            {looked_at(at.range, Address { range: None, ..at }.link())}
        </div>
    }
    .into_any()
}

/// Any other span, by its two ends. Its island takes and shows them in local time.
fn custom(at: Address<'_>) -> AnyView {
    let (from, to) = at.range.map(|(from, to)| (format::for_field(from), format::for_field(to))).unzip();
    let class = if at.range.is_some() { "ghost chosen" } else { "ghost" };
    let hidden = [
        ("box", at.box_name),
        ("mode", at.mode),
        ("scale", at.scale()),
        ("axis", at.axis()),
        ("compare", at.compare),
        ("match", at.search),
    ];
    let charts = at.charts.iter().map(|chart| ("chart", chart.text.as_str()));
    let hidden = hidden.into_iter().chain(charts).filter(|(_, value)| !value.is_empty());
    let hidden = hidden.map(|(name, value)| view! { <input type="hidden" name=name value=value.to_owned() /> }).collect_view();
    view! {
        <details class="custom" data-custom>
            <summary class=class>"custom"</summary>
            <form class="menu" method="get" action=links::CHARTS>
                {hidden} <label>"From " <input type="datetime-local" name="from" step="1" required value=from /></label>
                <label>"To " <input type="datetime-local" name="to" step="1" required value=to /></label>
                <p class="muted" data-custom-zone>"Times in UTC"</p> <button class="btn main">"Show"</button>
            </form>
        </details>
    }
    .into_any()
}

/// How values lie on the axes of all charts.
fn axes(at: Address<'_>) -> AnyView {
    let is_usual = at.scale == Scale::default() && at.axis == Axis::default();
    let class = if is_usual { "ghost" } else { "ghost chosen" };
    let link = |at: Address<'_>, text: &'static str, chosen: bool| {
        view! { <a href=at.link() aria-current=chosen.then_some("true")>{text}</a> }
    };
    let scales = [(Scale::Linear, "linear"), (Scale::Log, "logarithmic")];
    let scales = scales.map(|(scale, text)| link(Address { scale, ..at }, text, at.scale == scale)).collect_view();
    let axes = [(Axis::Auto, "as it fits"), (Axis::Zero, "from zero"), (Axis::Fitted, "fitted")];
    let axes = axes.map(|(axis, text)| link(Address { axis, ..at }, text, at.axis == axis)).collect_view();
    view! {
        <details class="custom how">
            <summary class=class>"axis"</summary>
            <div class="menu">{composed::choices("Scale", scales)} {composed::choices("Axis", axes)}</div>
        </details>
    }
    .into_any()
}

/// What was some time before, drawn faintly behind what is.
fn compare(at: Address<'_>) -> AnyView {
    let chosen = COMPARED.iter().find(|(word, _)| *word == at.compare);
    let class = if chosen.is_some() { "ghost chosen" } else { "ghost" };
    let summary = chosen.map_or_else(|| "compare".to_owned(), |&(_, ms)| format!("with {}", format::before(ms)));
    let choices = COMPARED.iter().map(|&(word, ms)| (word, format::before(ms)));
    let links = std::iter::once(("", "nothing".to_owned())).chain(choices).map(|(word, words)| {
        let href = Address { compare: word, ..at }.link();
        view! { <a href=href aria-current=(at.compare == word).then_some("true")>{words}</a> }
    });
    view! {
        <details class="custom">
            <summary class=class>{summary}</summary>
            <div class="menu">{links.collect_view()}</div>
        </details>
    }
    .into_any()
}

/// Where charts are kept, and what was noted on them.
fn more(at: Address<'_>) -> AnyView {
    let of_box = |path: &str| links::with_query(path, &[("box", at.box_name)]);
    let keep = (!at.charts.is_empty()).then(|| {
        let link = at.charts.iter().fold(of_box(links::SETS), |link, chart| links::with_chart(&link, &chart.text));
        view! { <a href=link>"Keep these as a set"</a> }
    });
    view! {
        <details class="custom">
            <summary class="ghost">"more"</summary>
            <div class="menu">{keep} <a href=of_box(links::SETS)>"Chart sets"</a> <a href=links::notes(at.box_name, "")>"Notes"</a></div>
        </details>
    }
    .into_any()
}

/// The span that is looked at, where that is not one up to now, and the way back.
pub(in crate::pages) fn looked_at(range: Option<(i64, i64)>, live: String) -> AnyView {
    let words = range.map(|(from, to)| format!("{} UTC", format::span(from, to, true))).unwrap_or_default();
    view! {
        <div class="looked-at" data-looked-at hidden=range.is_none()>
            <b data-looked-at-words>{words}</b>
            <a class="btn" href=live data-live-again>"Live"</a>
        </div>
    }
    .into_any()
}
