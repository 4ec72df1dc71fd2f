//! The pills of the boxes, kept true by the stream: it begins with all boxes, and tells which are added, renamed, removed or changed.
//! Knows no rows and no charts.

use std::cell::RefCell;

use wasm_bindgen::JsCast;
use web_sys::Element;

use crate::{islands::dom, links, model::Removed, reading, reading::BoxNews, wording};

const PILLS: &str = "nav.boxes a[data-box]";

thread_local! {
    /// The boxes that the stream told of since it was opened.
    static TOLD: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// The number of a box, by which a stream follows it through any name; its name where it has no pill.
pub(super) fn id_of(name: &str) -> String {
    pill("data-box", name).and_then(|pill| pill.get_attribute("data-id")).unwrap_or_else(|| name.to_owned())
}

fn pill(attribute: &str, value: &str) -> Option<Element> {
    dom::all(PILLS).into_iter().find(|pill| pill.get_attribute(attribute).as_deref() == Some(value))
}

/// A stream was opened, which begins with all boxes.
pub(super) fn begin() {
    TOLD.with_borrow_mut(Vec::clear);
}

/// The stream has told all boxes: answers the names of those that are gone, whose pills go too.
pub(super) fn complete() -> Vec<String> {
    let is_gone = |pill: &Element| TOLD.with_borrow(|told| !told.iter().any(|id| pill.get_attribute("data-id").as_ref() == Some(id)));
    let gone = dom::all(PILLS).into_iter().filter(is_gone).filter_map(|pill| pill.get_attribute("data-box"));
    gone.inspect(|name| remove(name)).collect()
}

/// Takes a `removed` event: answers the name of the box that is gone.
pub(super) fn removed(data: &str) -> Option<String> {
    let Removed { box_name } = reading::read(data)?;
    remove(&box_name);
    Some(box_name)
}

/// A box that is gone leaves no pill behind.
fn remove(name: &str) {
    // Where two islands follow one stream, the first of them says it.
    if let Some(pill) = pill("data-box", name) {
        pill.remove();
        dom::hear(&wording::removed_news(name));
    }
}

/// Writes how a box does into its pill, and says it where it changed. Answers the name that the box had before, if it has another now.
pub(super) fn update(news: &BoxNews) -> Option<String> {
    let id = news.id.to_string();
    let known = pill("data-id", &id);
    TOLD.with_borrow_mut(|told| {
        if !told.contains(&id) {
            told.push(id);
        }
    });
    let pill = known.or_else(|| add(news))?;
    write_state(&pill, news);
    let before = pill.get_attribute("data-box").filter(|before| *before != news.name)?;
    name(&pill, &before, &news.name);
    dom::hear(&wording::renamed_news(&before, &news.name));
    Some(before)
}

/// Leads to a box that has another name now: to the page that its pill leads to when it was chosen there, else to this page anew.
pub(super) fn follow(renamed: &str) {
    let location = leptos::prelude::window().location();
    let chosen = pill("data-box", renamed).filter(|pill| pill.has_attribute("aria-current")).and_then(|pill| pill.get_attribute("href"));
    let led = match chosen {
        Some(href) => location.replace(&href),
        None => location.reload(),
    };
    debug_assert!(led.is_ok());
}

/// A pill for a new box: like another one, in the order of their numbers, as pages have them.
fn add(news: &BoxNews) -> Option<Element> {
    let all = dom::all(PILLS);
    let model = all.first()?;
    let pill: Element = model.clone_node_with_deep(true).ok()?.dyn_into().ok()?;
    pill.remove_attribute("aria-current").ok()?;
    pill.remove_attribute("data-state").ok()?;
    pill.set_attribute("data-id", &news.id.to_string()).ok()?;
    name(&pill, &model.get_attribute("data-box")?, &news.name);
    let is_later = |id: String| id.parse().is_ok_and(|id: i64| id > news.id);
    let after = all.iter().find(|other| other.get_attribute("data-id").is_some_and(is_later));
    model.parent_element()?.insert_before(&pill, after.map(|after| after.as_ref())).ok()?;
    Some(pill)
}

/// Gives a pill another name, and an address with it.
fn name(pill: &Element, before: &str, now: &str) {
    let _ = pill.set_attribute("data-box", now);
    if let Some(place) = dom::all_in(pill, "[data-name]").first() {
        dom::write(place, now);
    }
    let part = |name: &str| links::with_query("", &[("box", name)]);
    let href = pill.get_attribute("href").unwrap_or_default();
    let href = href.replacen(&part(before), &part(now), 1).replacen(&links::statistics_of(before), &links::statistics_of(now), 1);
    let _ = pill.set_attribute("href", &href);
}

fn write_state(pill: &Element, news: &BoxNews) {
    let key = wording::state_key(news.state);
    let reason = news.reason.as_deref().map(wording::sentence).unwrap_or_default();
    let _ = pill.set_attribute("title", &reason);
    let before = pill.get_attribute("data-state");
    if before.as_deref() == Some(key) {
        return;
    }
    let _ = pill.set_attribute("data-state", key);
    let (dot, word) = wording::state_look(news.state);
    if let [mark, _, label] = dom::all_in(pill, "span").as_slice() {
        mark.set_class_name(dot);
        label.set_class_name(wording::state_word_class(news.state));
        dom::write(label, &format!(" · {word}"));
    }
    // Of a new box that is news enough.
    dom::hear(&match before {
        Some(_) => wording::state_news(&news.name, news.state, news.reason.as_deref()),
        None => wording::added_news(&news.name),
    });
}
