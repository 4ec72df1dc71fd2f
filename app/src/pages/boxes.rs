//! Boxes: the list with what can be done to each, and the form to add or edit one.

mod form;
mod list;

use leptos::prelude::*;

use super::frame;
use crate::{
    islands::boxes::BoxesLive,
    links,
    model::{BoxView, BoxesPage, Frame},
};

/// Draws it.
pub(super) fn page(frame: &Frame, page: &BoxesPage) -> AnyView {
    let removing = page.removing.as_ref().map(removal);
    view! {
        <main id="main" class="sheet">
            <h1 class="vh">"Boxes"</h1>
            {frame::notices(frame)} {removing} {list::list(page)} {form::form(page)} {form::hints()} <BoxesLive />
        </main>
    }
    .into_any()
}

/// Asks before a box goes: its history is kept or deleted by the button that is pressed, never by default.
fn removal(one: &BoxView) -> AnyView {
    let recorded = match one.recorded {
        0 => "None of its statistics is recorded now; what was recorded earlier counts as history too.".to_owned(),
        1 => "One of its statistics is recorded.".to_owned(),
        many => format!("{many} of its statistics are recorded."),
    };
    view! {
        <section class="card ask" aria-labelledby="ask-title" data-focus tabindex="-1">
            <h2 id="ask-title">{format!("Remove {}?", one.name)}</h2>
            <p>{format!("It is no longer asked. {recorded} What is to become of its history?")}</p>
            <form method="post" action="/cp/boxes/remove" class="buttons">
                <input type="hidden" name="box" value=one.name.clone() />
                <input type="hidden" name="return" value=return_to() />
                <button class="btn" name="history" value="keep">"Remove, keep its history"</button>
                <button class="btn danger" name="history" value="delete">"Remove and delete its history"</button>
                <a class="ghost" href=links::BOXES>"Cancel"</a>
            </form>
        </section>
    }
    .into_any()
}

/// Where a form of this page comes back to: the list, not the question or the form that it answers.
fn return_to() -> &'static str {
    links::BOXES
}
