//! Boxes as pills with their state: the choice of a box on the pages that show one. Knows no page.

use leptos::prelude::*;

use crate::{model::BoxView, wording};

/// One pill for each box; `href` says where it leads.
pub(super) fn pills(boxes: &[BoxView], current: Option<&str>, all: Option<String>, href: &dyn Fn(&str) -> String) -> AnyView {
    let all = all.map(|to| view! { <a class="box" href=to aria-current=current.is_none().then_some("true")>"all boxes"</a> });
    let pills = boxes
        .iter()
        .map(|one| {
            let (class, word) = wording::state_look(one.state);
            let chosen = (current == Some(one.name.as_str())).then_some("true");
            view! {
                <a class="box" href=href(&one.name) aria-current=chosen title=one.reason.as_deref().map(wording::sentence) data-box=one.name.clone() data-id=one.id data-state=wording::state_key(one.state)>
                    <span class=class></span>
                    <span data-name>{one.name.clone()}</span>
                    <span class=wording::state_word_class(one.state)>" · " {word}</span>
                </a>
            }
        })
        .collect_view();
    view! { <nav class="boxes" aria-label="Boxes">{all} {pills}</nav> }.into_any()
}
