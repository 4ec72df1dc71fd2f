//! Setting counters to zero: the links to it, and the question that stands before it. A link changes nothing.

use leptos::prelude::*;

use crate::{
    links,
    model::{BoxView, ResetQuestion},
    shown::short,
};

/// So many names are told without being asked for.
const NAMED: usize = 6;

/// The icon of the rows.
const ICON: &str = r##"<use href="#icon-zero"/>"##;

/// The link for a whole group.
pub(super) fn group_link(box_name: &str, label: &str, words: &str) -> impl IntoView + use<> {
    let title = format!("Reset the counters of {label}…");
    view! {
        <a class="ico zero" href=links::reset(box_name, words) title=title.clone() aria-label=title>
            <svg aria-hidden="true" inner_html=ICON></svg>
        </a>
    }
}

/// Asks before it is done, and says how many and which.
pub(super) fn question(current: &BoxView, question: &ResetQuestion) -> AnyView {
    let count = question.counters.len();
    let heading = match (count, question.left_out) {
        (0, _) => "There is nothing to reset".to_owned(),
        (_, 1..) => "Too many to reset at once".to_owned(),
        (1, _) => format!("Set {} of {} to zero?", short(&question.counters[0]), current.name),
        _ => format!("Set {} counters of {} to zero?", count, current.name),
    };
    let text = match (count, question.left_out) {
        (0, _) => match question.gauges {
            0 => format!("Nothing on {} matches any more.", current.name),
            _ => "What matches are gauges. They show a level, and only counters can be set to zero.".to_owned(),
        },
        (_, left_out @ 1..) => {
            format!("{} counters match, and {} are reset at most. Narrow the search, or reset group by group.", count + left_out, count)
        }
        _ => {
            let them = if count == 1 { "it" } else { "them" };
            let charts = if count == 1 { "its chart is" } else { "their charts are" };
            format!(
                "The server itself sets {them} to zero, for everybody who reads {them}. What is recorded stays, and {charts} marked with the \
                 reset and your name."
            )
        }
    };
    let stay = (count > 0 && question.left_out == 0 && question.gauges > 0).then(|| match question.gauges {
        1 => " One gauge matches as well and stays as it is.".to_owned(),
        many => format!(" {many} gauges match as well and stay as they are."),
    });
    let back = question.back.clone();
    let answer = if count > 0 && question.left_out == 0 { form(current, question).into_any() } else { close(back, "Back").into_any() };
    view! {
        <section class="card ask" aria-labelledby="ask-title" tabindex="-1" autofocus>
            <h2 id="ask-title">{heading}</h2>
            <p>{text} {stay}</p>
            {answer}
        </section>
    }
    .into_any()
}

fn form(current: &BoxView, question: &ResetQuestion) -> impl IntoView + use<> {
    let counters = &question.counters;
    let names = || counters.iter().map(|name| view! { <li><code>{short(name).into_owned()}</code></li> }).collect_view();
    let which = match counters.len() {
        1 => None,
        2..=NAMED => Some(view! { <ul class="names">{names()}</ul> }.into_any()),
        _ => Some(view! { <details><summary>"Which"</summary><ul class="names">{names()}</ul></details> }.into_any()),
    };
    let press = match counters.len() {
        1 => "Reset it".to_owned(),
        many => format!("Reset {many} counters"),
    };
    view! {
        {which}
        <form method="post" action="/cp/reset" class="buttons">
            <input type="hidden" name="box" value=current.name.clone() />
            <input type="hidden" name="return" value=question.back.clone() />
            {counters.iter().map(|name| view! { <input type="hidden" name="name" value=name.clone() /> }).collect_view()}
            <button class="btn danger">{press}</button>
            {close(question.back.clone(), "Cancel")}
        </form>
    }
}

fn close(back: String, word: &'static str) -> impl IntoView + use<> {
    view! { <a class="ghost" href=back>{word}</a> }
}
