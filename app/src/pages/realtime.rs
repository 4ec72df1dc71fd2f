//! Realtime Statistics: every statistic of a box with its newest value and a check box. Ticking is one form around all rows.

mod families;
mod picks;
mod reset;
pub(super) mod rows;
mod states;
mod tools;
mod view;

use leptos::prelude::*;

pub(super) use self::{states::banner, tools::state};
use super::{frame, pills::pills};
use crate::{
    islands::realtime::RealtimeLive,
    links,
    matching::{Query, quoted, quoted_word},
    model::{BoxState, BoxView, Choice, Frame, GroupView, Kind, RealtimePage, Show},
    shown::{short, visible},
    wording,
};

/// What is around the rows of a group takes the room of so many.
const GROUP_HEIGHT: usize = 3;

/// Draws it.
pub(super) fn page(frame: &Frame, page: &RealtimePage) -> AnyView {
    let heading = match &page.current {
        Some(current) => format!("Realtime Statistics of {}", current.name),
        None => "Realtime Statistics".to_owned(),
    };
    let chosen = page.current.as_ref().map(|current| current.name.as_str());
    let pills = pills(&page.boxes, chosen, None, &|name| address(page, name));
    let question = page.current.as_ref().zip(page.resetting.as_ref()).map(|(current, question)| reset::question(current, question));
    let content = match &page.current {
        Some(current) => view! {
            {tools::tools(frame, page, current)}
            {pinned(page, current)} {banner(current)} {states::notice(current)}
            <p class="fresh"><a class="btn" id="new" href=frame.here.clone() hidden></a></p>
            {rows_form(frame, page, current)}
            <RealtimeLive />
        }
        .into_any(),
        None => states::no_box().into_any(),
    };
    view! {
        {pills}
        <main id="main">
            <h1 class="vh">{heading}</h1>
            {frame::notices(frame)}
            {question}
            {content}
        </main>
    }
    .into_any()
}

/// The chart sets that somebody wants at hand.
fn pinned(page: &RealtimePage, current: &BoxView) -> Option<AnyView> {
    if page.pinned.is_empty() {
        return None;
    }
    let sets = page.pinned.iter().map(|name| view! { <a href=links::set(&current.name, name)>{name.clone()}</a> }).collect_view();
    Some(view! { <nav class="pinned" aria-label="Chart sets"><span>"Charts"</span> {sets}</nav> }.into_any())
}

/// The form around all rows. Its first button is the one that Enter presses: it saves the check boxes and nothing else.
fn rows_form(frame: &Frame, page: &RealtimePage, current: &BoxView) -> AnyView {
    // What was the last answer of a box that answers no more is shown, but not as if it were true now.
    let class = match current.state {
        BoxState::Down | BoxState::Paused | BoxState::Waiting => "stale",
        BoxState::Up => "",
    };
    let class = if page.search.is_empty() { class.to_owned() } else { format!("{class} searching") };
    let everything = page.choice.is_everything();
    // Whether all rows of this choice are in the page, so that the island may search among them itself.
    let whole = page.search.is_empty() && page.left_out == 0;
    view! {
        <form
            id="rows"
            class=class
            method="post"
            action="/cp/ticks"
            autocomplete="off"
            data-whole=whole.then_some("true")
            data-show=if everything { Show::All } else { page.choice.show }.as_str()
            data-everything=everything.then_some("true")
            data-density=frame.taste.density.as_str()
            data-without=frame.taste.without()
            data-every=page.closely.every().to_owned()
            data-at=current.at.map(|at| at.to_string())
        >
            <input type="hidden" name="box" value=current.name.clone() />
            <input type="hidden" name="return" value=frame.here.clone() />
            <button hidden>"Save ticks"</button>
            {states::hint(page)}
            {tick_matching(&current.name, page)}
            <p class="note" id="nothing" hidden>"Nothing matches. Try a part of a name, or dialog: for a whole group."</p>
            <div inner_html=rows::ICONS hidden></div>
            {groups(page, current)}
            {states::empty(page, current)}
            {states::left_out(page)}
            {frame::save_by_hand()} {picks::bar()}
        </form>
    }
    .into_any()
}

/// The page of a box, with the same words otherwise.
fn address(page: &RealtimePage, box_name: &str) -> String {
    let Choice { show, hide, sort } = page.choice;
    let here = links::realtime(box_name, &page.search, show.as_str());
    links::with_word(&links::with_word(&here, "hide", hide.as_str()), "sort", &sort.word())
}

/// The same, looked at as closely as it is.
fn here(page: &RealtimePage, current: &BoxView) -> String {
    links::with_word(&address(page, &current.name), "every", page.closely.every())
}

/// The groups in four parts of about the same height, each beside or below the one before. The browser could part them itself, but
/// then has to lay all of them out anew whenever a number changes.
fn groups(page: &RealtimePage, current: &BoxView) -> AnyView {
    let head = rows::head(&here(page, current), page.choice.sort);
    let heights: Vec<usize> = page.groups.iter().map(height).collect();
    let total = heights.iter().sum::<usize>().max(1);
    let mut above = 0;
    let mut parts: [Vec<AnyView>; 4] = Default::default();
    for (group, height) in page.groups.iter().zip(heights) {
        // By where its middle lies.
        let part = (2 * above + height) * parts.len() / (2 * total);
        parts[part.min(3)].push(self::group(&current.name, group, page.choice, &head));
        above += height;
    }
    parts[3].extend(unseen(page).map(|unseen| unseen.into_any()));
    if parts.iter().all(Vec::is_empty) {
        return ().into_any();
    }
    let [first, second, third, fourth] = parts;
    let half = |one: Vec<AnyView>, other: Vec<AnyView>| {
        view! {
            <div class="half">
                <div>{one}</div>
                <div>{other}</div>
            </div>
        }
    };
    view! { <div class="groups">{half(first, second)} {half(third, fourth)}</div> }.into_any()
}

/// About as many rows as a group is high.
fn height(group: &GroupView) -> usize {
    let (plain, families) = families::split(&group.rows);
    GROUP_HEIGHT + plain.len() + families.len()
}

/// One group. Where only some of its rows are chosen, there are no buttons for all of it: they would do more than is seen.
fn group(box_name: &str, group: &GroupView, choice: Choice, head: &str) -> AnyView {
    let label = if group.name.is_empty() { "(no group)".to_owned() } else { short(&group.name).into_owned() };
    let word = group_words(group);
    let total = group.total;
    let shown = group.rows.iter().filter(|row| row.ticked).count();
    let all = format!("Record all of {label}, also what appears in it later");
    let none = format!("Record nothing of {label} any more; what is recorded stays");
    let table = rows::table(head, &label, group.table.get_or_init(|| rows::body(box_name, &group.rows, &group.processes)));
    let of = || view! { <span class="vh">" of " {label.clone()}</span> };
    let zero = group.rows.iter().any(|row| row.kind == Kind::Counter).then(|| reset::group_link(box_name, &label, &word));
    let some = if (1..total).contains(&group.recorded) { "group some" } else { "group" };
    let acts = choice.is_everything().then(|| {
        view! {
            <span class="acts">
                <button class="ghost" name="tick" value=word.clone() title=all hidden={group.recorded == total}>"tick all" {of()}</button>
                <button class="ghost" name="untick" value=word.clone() title=none hidden={group.recorded == 0}>"untick all" {of()}</button>
                {zero}
            </span>
        }
    });
    view! {
        <details
            class=some
            open
            data-group=group.name.clone()
            data-total=total.to_string()
            data-elsewhere=(group.recorded - shown).to_string()
        >
            <summary>
                <h2 title=visible(&group.name).into_owned()>{label.clone()}</h2>
                <span class="count">{wording::group_count(total, group.recorded)}</span>
            </summary>
            {acts}
            <div inner_html=table></div>
        </details>
    }
    .into_any()
}

/// The words that tick a group: its pattern, which stands for later members too; the names themselves where its name would be read as
/// something else.
fn group_words(group: &GroupView) -> String {
    let pattern = format!("{}:", group.name);
    let plain = !group.name.is_empty() && !group.name.starts_with('=') && !group.name.contains('*') && group.name.trim() == group.name;
    if plain { quoted_word(&pattern) } else { group.rows.iter().map(|row| quoted(&row.name)).collect::<Vec<_>>().join(" ") }
}

/// Buttons for all that a search shows. They are there without a search too, hidden: the island shows them as one types.
fn tick_matching(box_name: &str, page: &RealtimePage) -> AnyView {
    let rows = page.groups.iter().flat_map(|group| &group.rows);
    let (total, ticked) = rows.clone().fold((0, 0), |(total, ticked), row| (total + 1, ticked + usize::from(row.ticked)));
    let hidden = page.search.is_empty() || total == 0;
    let words = if hidden { String::new() } else { Query::standing(&page.search, rows.map(|row| row.name.as_str())) };
    let counters = page.groups.iter().flat_map(|group| &group.rows).any(|row| row.kind == Kind::Counter);
    let names = || page.groups.iter().flat_map(|group| &group.rows).map(|row| row.name.as_str());
    // Where the words stand for names that are not on this page, all of them are meant.
    let all = if Query::stands_for_names(&page.search, names()) { total } else { total + page.left_out };
    view! {
        <p class="matching" hidden=hidden>
            <button class="btn" name="tick" value=words.clone() hidden={ticked >= all}>{wording::tick_matching(all)}</button>
            <button class="btn" name="untick" value=words.clone() hidden={ticked == 0}>"Untick them"</button>
            <a class="btn" href=links::reset(box_name, &words) hidden={!counters}>"Reset them…"</a>
        </p>
    }
    .into_any()
}

/// Ticks whose statistic has not been seen yet.
fn unseen(page: &RealtimePage) -> Option<impl IntoView + use<>> {
    if page.unseen.is_empty() || page.choice.hide.gone {
        return None;
    }
    Some(view! {
        <details class="group unseen" open>
            <summary>
                <h2 class="plain">"Ticked, not seen yet"</h2>
                <span class="count">{page.unseen.len() + page.unseen_left_out}</span>
            </summary>
            <p class="hint">"The box does not report these now. Each is recorded from the moment it appears."</p>
            {(page.unseen_left_out > 0).then(|| view! { <p class="hint">{format!("The first are shown, {} more are ticked.", page.unseen_left_out)}</p> })}
            <div inner_html=rows::unseen(&page.unseen)></div>
        </details>
    })
}
