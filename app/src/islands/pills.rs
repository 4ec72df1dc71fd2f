//! The pills of the boxes, kept true by `box` events, and what is said when one changes. Knows no rows and no charts.

use crate::{islands::dom, reading::BoxNews, wording};

/// A box that is gone leaves no pill behind.
pub(super) fn removed(name: &str) {
    for pill in dom::all("nav.boxes a[data-box]").iter().filter(|pill| pill.get_attribute("data-box").as_deref() == Some(name)) {
        pill.remove();
    }
    dom::hear(&wording::removed_news(name));
}

/// Writes how a box does into its pill, and says it where it changed.
pub(super) fn update(news: &BoxNews) {
    let pills = dom::all("nav.boxes a[data-box]");
    let Some(pill) = pills.iter().find(|pill| pill.get_attribute("data-box").as_deref() == Some(&news.name)) else { return };
    let key = wording::state_key(news.state);
    let before = pill.get_attribute("data-state");
    let reason = news.reason.as_deref().map(wording::sentence).unwrap_or_default();
    let _ = pill.set_attribute("title", &reason);
    if before.as_deref() == Some(key) {
        return;
    }
    let _ = pill.set_attribute("data-state", key);
    let (dot, word) = wording::state_look(news.state);
    let spans = dom::all_in(pill, "span");
    if let [mark, label, ..] = spans.as_slice() {
        mark.set_class_name(dot);
        label.set_class_name(wording::state_word_class(news.state));
        dom::write(label, &format!(" · {word}"));
    }
    dom::hear(&wording::state_news(&news.name, news.state, news.reason.as_deref()));
}
