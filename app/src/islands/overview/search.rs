//! Finding boxes as one types: among the tiles of the page where it has them all; else the form asks the server.

use std::{cell::RefCell, rc::Rc, time::Duration};

use leptos::{
    leptos_dom::helpers::TimeoutHandle,
    prelude::{set_timeout_with_handle, window},
};
use web_sys::{Event, Url};

use super::live::Page;
use crate::{
    islands::{dom, find},
    tile,
};

/// How long typing must rest before it is said how much was found.
const QUIET: Duration = Duration::from_millis(800);

/// Begins to listen to the search.
pub(super) fn listen(page: &Rc<Page>) {
    let is_whole = dom::one("#tiles").is_some_and(|tiles| tiles.has_attribute("data-whole"));
    let Some(field) = find::field().filter(|_| is_whole) else { return };
    find::clear_by_button(&field);
    let waiting: Rc<RefCell<Option<TimeoutHandle>>> = Rc::default();
    let page = page.clone();
    let target = field.clone();
    dom::on::<Event>(&target, "input", move |_| {
        write_address(&field.value());
        let count = apply(&page);
        let handle = set_timeout_with_handle(move || dom::hear(&tile::found(count)), QUIET);
        if let Some(earlier) = waiting.replace(handle.ok()) {
            earlier.clear();
        }
    });
}

/// Hides the tiles that the search does not find; answers how many it does.
pub(super) fn apply(page: &Page) -> usize {
    let text = find::field().map(|field| field.value()).unwrap_or_default();
    let mut count = 0;
    for one in page.tiles.borrow().iter() {
        let is_found = tile::finds(&text, &one.words, one.state);
        count += usize::from(is_found);
        if one.element.has_attribute("hidden") == is_found {
            dom::show(&one.element, is_found);
        }
    }
    if let Some(nothing) = dom::one("#nothing") {
        dom::show(&nothing, count == 0);
    }
    count
}

/// The address follows the search, and so does every link and form that comes back here.
fn write_address(text: &str) {
    let location = window().location();
    let Some(here) = location.href().ok().and_then(|here| Url::new(&here).ok()) else { return };
    let with_search = |url: &Url| {
        if text.is_empty() {
            url.search_params().delete("match");
        } else {
            url.search_params().set("match", text);
        }
        format!("{}{}", url.pathname(), url.search())
    };
    let path = with_search(&here);
    find::say_where(&path);
    for choice in dom::all("nav.switch a") {
        let to = choice.get_attribute("href").and_then(|href| Url::new_with_base(&href, &here.href()).ok());
        if let Some(to) = to {
            let _ = choice.set_attribute("href", &with_search(&to));
        }
    }
}
