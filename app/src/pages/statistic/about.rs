//! What is known of a statistic, in a list: why it is recorded, kind, unit, where else it is; and what happened to it.

use leptos::prelude::*;

use super::super::charts;
use crate::{
    format, links,
    model::{Frame, MarkView, Origin, ResetCause, StatisticPage, Ticked},
    shown::{short, visible},
    wording::sentence,
};

/// So many other boxes are named.
const NAMED: usize = 12;

/// Why it is recorded, what it is, where else it is.
pub(super) fn about(frame: &Frame, page: &StatisticPage) -> AnyView {
    let row = &page.row;
    let unit = (!row.unit.is_empty()).then(|| view! { <div><dt>"Unit"</dt><dd>{row.unit.clone()}</dd></div> });
    let sets = (!page.sets.is_empty()).then(|| {
        let sets = page.sets.iter().map(|(set, chart)| view! { <span class="line">{format!("{set}: {chart}")}</span> }).collect_view();
        view! { <div><dt>"Chart sets"</dt><dd>{sets}</dd></div> }
    });
    // Between links a comma, so that each is seen as one.
    let others: Vec<&String> = page.also_on.iter().filter(|name| **name != page.current.name).collect();
    let elsewhere = (!others.is_empty()).then(|| {
        let more = others.len().saturating_sub(NAMED);
        let named = others.iter().take(NAMED).enumerate().map(|(place, name)| {
            let comma = (place > 0).then_some(", ");
            view! { {comma} <a href=links::statistic(name, &row.name)>{(*name).clone()}</a> }
        });
        view! {
            <div>
                <dt>"Also on"</dt>
                <dd>{named.collect_view()} {(more > 0).then(|| format!(", and {more} more"))}</dd>
            </div>
        }
    });
    view! {
        <section class="card about-it">
            <h2>"About it"</h2>
            <dl>
                <div><dt>"Name"</dt><dd><code>{short(&row.name).into_owned()}</code></dd></div>
                <div><dt>"Recorded"</dt><dd id="ticked-by">{ticked(page)}</dd></div>
                <div><dt>"Kind"</dt><dd>{charts::kind(frame, &page.current.name, &row.name, row.kind)}</dd></div>
                {unit} {sets} {elsewhere} {derive(&row.name, &page.current.name)}
            </dl>
        </section>
    }
    .into_any()
}

/// Where a derived one is changed, and where others are computed from this one.
fn derive(name: &str, box_name: &str) -> AnyView {
    if let Some(own) = name.strip_prefix("derived:") {
        let change = links::with_query(links::DERIVED, &[("edit", own), ("box", box_name)]);
        return view! { <div><dt>"Computed"</dt><dd><a href=change>"By its formula"</a></dd></div> }.into_any();
    }
    let escaped: String = name.chars().flat_map(|c| matches!(c, '*' | '\\' | '{' | '}').then_some('\\').into_iter().chain([c])).collect();
    let own_box = if name.split(':').next().is_some_and(|group| group.contains('/')) { "/" } else { "" };
    let compute = links::with_query(links::DERIVED, &[("formula", &format!("{{{own_box}{escaped}}}")), ("box", box_name)]);
    view! { <div><dt>"Compute with it"</dt><dd><a href=compute>"Write a formula"</a></dd></div> }.into_any()
}

/// Why it is recorded, or why not.
fn ticked(page: &StatisticPage) -> AnyView {
    let code = |word: &str| view! { <code>{short(word).into_owned()}</code> };
    match &page.ticked {
        Ticked::No if page.recorded => view! { "No longer: it was unticked. What was recorded stays." }.into_any(),
        Ticked::No => view! { "No: nothing ticks it." }.into_any(),
        Ticked::ByName(origin) => view! { "Yes, by its own tick, " {made(*origin)} "." }.into_any(),
        Ticked::ByPatterns(patterns) => {
            let words = patterns.iter().enumerate().map(|(place, (word, origin))| {
                let and = (place > 0).then_some(", and ");
                view! { {and} "by " {code(word)} ", " {made(*origin)} }
            });
            view! { "Yes, " {words.collect_view()} "." }.into_any()
        }
        Ticked::Excepted(patterns) => {
            let words = patterns.iter().enumerate().map(|(place, word)| {
                let and = (place > 0).then_some(" and ");
                view! { {and} {code(word)} }
            });
            view! { "No: it was unticked, though " {words.collect_view()} " would record it." }.into_any()
        }
    }
}

/// Where a tick comes from, hence where it can be changed.
fn made(origin: Origin) -> &'static str {
    match origin {
        Origin::Panel => "made in the panel",
        Origin::Config => "made by the configuration file",
        Origin::Builtin => "built in",
    }
}

/// What happened in the span of the chart, the newest first.
pub(super) fn marks(page: &StatisticPage) -> AnyView {
    let list = page.marks.iter().map(|mark| {
        let (shape, text) = words(mark);
        view! {
            <li>
                {time(mark.at())}
                <span class=shape aria-hidden="true"></span>
                <span class="what">{text}</span>
            </li>
        }
    });
    let more = (page.marks_left_out > 0).then(|| {
        view! { <p class="muted">{format!("The newest are shown; before them there were {} more.", page.marks_left_out)}</p> }
    });
    let content = if page.marks.is_empty() {
        let text = if page.recorded { "Nothing: no gap, no restart, no reset." } else { "Nothing is recorded of it yet." };
        view! { <p class="muted">{text}</p> }.into_any()
    } else {
        view! { <ol class="marks">{list.collect_view()}</ol> {more} }.into_any()
    };
    let span = page.chart.range.map_or_else(|| page.chart.span.clone(), |(from, to)| format::age(to - from));
    view! {
        <section class="card happened" id="happened">
            <h2>"What happened" <span class="count">{format!("{span} · ")} <span data-times>"times in UTC"</span></span></h2>
            {content}
        </section>
    }
    .into_any()
}

/// An instant, which the frame's island makes local.
fn time(at: i64) -> impl IntoView + use<> {
    let utc = format::utc(at);
    view! { <time datetime=utc.replace(" UTC", "Z") data-ms=at.to_string() data-clock title=utc>{format::day_and_clock(at)}</time> }
}

/// The shape of a mark, and what it says.
fn words(mark: &MarkView) -> (&'static str, String) {
    match mark {
        MarkView::Gap { from, to, reason } => ("bar", format!("No values for {}: {}", format::age(to - from), sentence(&visible(reason)))),
        MarkView::Reset { cause, by, .. } => {
            let by = by.as_deref().map(|by| short(by).into_owned());
            let text = match (cause, by) {
                (ResetCause::Restart, _) => "The box restarted.".to_owned(),
                (ResetCause::Drop, _) => "It fell, for a reason that was not seen.".to_owned(),
                (ResetCause::Moved, _) => "Another server answers from here on.".to_owned(),
                (ResetCause::Clock, _) => "The panel's clock was set back.".to_owned(),
                (ResetCause::Person, Some(by)) => format!("Set to zero by {by}."),
                (ResetCause::Person, None) => "Set to zero by somebody.".to_owned(),
                (ResetCause::Schedule, _) => "Set to zero by a schedule.".to_owned(),
            };
            ("stroke", text)
        }
    }
}
