//! Searching as one types: among the rows of the page when it holds them all, else by asking the server for the page anew.

use std::{cell::RefCell, rc::Rc, time::Duration};

use leptos::{
    leptos_dom::helpers::TimeoutHandle,
    prelude::{document, set_timeout_with_handle},
    task::spawn_local,
};
use wasm_bindgen::JsCast;
use web_sys::{Element, Event, HtmlElement};

use super::{folds, live::Page, ticks};
use crate::{
    islands::{browser, dom, find},
    links,
    matching::Query,
};

/// How long typing must rest before the server is asked.
const REST: Duration = Duration::from_millis(250);
/// How long typing must rest before it is said how much was found.
const QUIET: Duration = Duration::from_millis(800);

/// Links to this page in another state, or for another box; those of heads come with the rows.
const ELSEWHERE: &str = ".tools nav a, .toggle, #closely a, nav.boxes a[data-box]";

/// Whether all rows of the present choice are in the page.
pub(super) fn whole() -> bool {
    dom::one("#rows").is_some_and(|rows| rows.has_attribute("data-whole"))
}

/// Whether every statistic of the box is in the page.
pub(super) fn shows_everything() -> bool {
    whole() && dom::one("#rows[data-everything]").is_some()
}

/// The stream of this page: of the whole box when all its rows are here, else of what the page shows; from the answer on that it shows.
pub(super) fn events_url(box_id: &str) -> String {
    let told = |what: &str| dom::one("#rows").and_then(|rows| rows.get_attribute(what)).unwrap_or_default();
    let of_box = links::with_query("/cp/events", &[("box", box_id), ("every", &told("data-every")), ("have", &told("data-at"))]);
    let here = dom::one("#rows input[name=return]").and_then(|field| field.get_attribute("value")).unwrap_or_default();
    match here.split_once('?') {
        // The page's own words, percent-encoded already. The first of two boxes counts.
        Some((_, query)) if !whole() => format!("{of_box}&{query}"),
        _ => of_box,
    }
}

/// Begins to listen to the search.
pub(super) fn listen(page: &Rc<Page>) {
    if let Some(closely) = dom::one("#closely") {
        dom::show(&closely, true);
    }
    if let Some(rows) = dom::one("#rows") {
        let this = page.clone();
        dom::on::<Event>(&rows, "click", move |event| {
            if let Some(head) = dom::origin(&event, "thead a") {
                event.prevent_default();
                sort(&this, &head);
            }
        });
    }
    let Some(field) = find::field() else { return };
    find::clear_by_button(&field);
    let waiting: Rc<RefCell<Option<TimeoutHandle>>> = Rc::default();
    let this = page.clone();
    let target = field.clone();
    dom::on::<Event>(&target, "input", move |_| {
        let text = field.value();
        write_address(&this.box_name, &text);
        let later = this.clone();
        let handle = if whole() {
            let count = filter(&this, &text);
            set_timeout_with_handle(move || dom::hear(&crate::wording::found(count)), QUIET)
        } else {
            set_timeout_with_handle(move || reload(&later), REST)
        };
        if let Some(earlier) = waiting.replace(handle.ok()) {
            earlier.clear();
        }
    });
}

/// Hides what does not match; answers how many do.
fn filter(page: &Page, text: &str) -> usize {
    let query = Query::search(text);
    let rows = page.rows.borrow();
    for row in rows.iter() {
        dom::show(&row.element, query.matches(&row.name));
    }
    for around in dom::all("#rows .family, #rows details[data-group], .half") {
        let shows = around.query_selector("tr:not([hidden])[data-name]").is_ok_and(|row| row.is_some());
        dom::show(&around, shows);
    }
    let shown = rows.iter().filter(|row| !row.element.has_attribute("hidden"));
    let count = shown.clone().count();
    let searching = !text.trim().is_empty();
    if let Some(form) = dom::one("#rows") {
        let _ = form.class_list().toggle_with_force("searching", searching);
    }
    if let Some(nothing) = dom::one("#nothing") {
        dom::show(&nothing, searching && count == 0);
    }
    let words = if searching { Query::standing(text, shown.clone().map(|row| row.name.as_str())) } else { String::new() };
    let counters = shown.clone().any(|row| row.element.get_attribute("data-kind").as_deref() == Some("counter"));
    let on = shown.filter(|row| row.element.class_list().contains("on")).count();
    offer(&words, count, on);
    if let Some(reset) = dom::one("#rows .matching a") {
        let _ = reset.set_attribute("href", &links::reset(&page.box_name, &words));
        dom::show(&reset, counters);
    }
    count
}

/// The buttons for all that the search shows.
fn offer(words: &str, count: usize, on: usize) {
    let Some(place) = dom::one("#rows .matching") else { return };
    dom::show(&place, !words.is_empty() && count > 0);
    for button in dom::all_in(&place, "button") {
        let _ = button.set_attribute("value", words);
        if button.get_attribute("name").as_deref() == Some("tick") {
            dom::write(&button, &crate::wording::tick_matching(count));
            dom::show(&button, on < count);
        } else {
            dom::show(&button, on > 0);
        }
    }
}

/// The address follows the search, and so does every link and form that comes back here.
fn write_address(box_name: &str, text: &str) {
    // What was asked before something was to be reset is not asked again.
    let here = links::with_word(&find::here(), "reset", "");
    let here = links::with_word(&here, "box", box_name);
    find::say_where(&links::with_word(&here, "match", text));
    follow("match", text);
}

/// Every link to this page in another state, or for another box, goes on with this word.
fn follow(key: &str, word: &str) {
    for link in dom::all(ELSEWHERE) {
        if let Some(to) = link.get_attribute("href") {
            let _ = link.set_attribute("href", &links::with_word(&to, key, word));
        }
    }
}

/// Goes to what a head leads to: the server sorts, by its newest answer, and rows then stay where they are.
fn sort(page: &Rc<Page>, head: &Element) {
    let Some(to) = head.get_attribute("href") else { return };
    let places = || dom::all("#rows thead a");
    let place = places().iter().position(|other| other == head);
    find::say_where(&to);
    let word = to.split(['?', '&']).find_map(|pair| pair.strip_prefix("sort=")).unwrap_or_default();
    follow("sort", word);
    let stay = move || {
        let head = place.and_then(|place| places().into_iter().nth(place));
        if let Some(head) = head.and_then(|head| head.dyn_into::<HtmlElement>().ok()) {
            let _ = head.focus();
        }
    };
    reload_then(page, stay);
}

/// Fetches this page as its search now says and takes over its rows.
pub(super) fn reload(page: &Rc<Page>) {
    reload_then(page, || {});
}

fn reload_then(page: &Rc<Page>, then: impl FnOnce() + 'static) {
    let page = page.clone();
    let url = find::here();
    spawn_local(async move {
        match browser::request("GET", &url, None).await {
            // An answer to what is no longer asked is too late.
            Ok(html) if find::here() == url => {
                take_over(&html);
                page.replaced();
                ticks::write_counts();
                dom::hear(&crate::wording::found(page.rows.borrow().iter().count()));
                then();
            }
            Ok(_) => {}
            Err(why) => dom::say(&why.text, true),
        }
    });
}

/// The rows of another state of this page. Its HTML comes from this server, escaped as any page of it.
fn take_over(html: &str) {
    let Ok(page) = document().create_element("div") else { return };
    page.set_inner_html(html);
    let found = |selector: &str| page.query_selector(selector).ok().flatten();
    let copy = |old: &Element, new: &Element, attribute: &str| {
        let _ = match new.get_attribute(attribute) {
            Some(value) => old.set_attribute(attribute, &value),
            None => old.remove_attribute(attribute),
        };
    };
    if let (Some(old), Some(new)) = (dom::one("#rows"), found("#rows")) {
        old.set_inner_html(&new.inner_html());
        folds::apply(&old);
        copy(&old, &new, "class");
        copy(&old, &new, "data-whole");
        copy(&old, &new, "data-every");
        copy(&old, &new, "data-at");
        copy(&old, &new, "data-everything");
    }
    if let (Some(old), Some(new)) = (dom::one("#closely"), found("#closely")) {
        old.set_inner_html(&new.inner_html());
    }
    for selector in ["main nav.switch", ".toggles", "#banner"] {
        if let (Some(old), Some(new)) = (dom::one(selector), found(selector)) {
            old.set_inner_html(&new.inner_html());
            copy(&old, &new, "hidden");
        }
    }
}
