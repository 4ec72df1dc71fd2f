//! Boxes: the list with what can be done to each, and the form to add or edit one.

mod certificates;
mod form;
mod hints;
mod list;
mod push;

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
    // The form stands first while it is what one came for: to change a box, or to put right what was wrong.
    let busy = page.editing.is_some() || page.probe.is_some() || !page.form.errors.is_empty();
    let (first, last) = if busy { (form::form(page), list::list(page)) } else { (list::list(page), form::form(page)) };
    view! {
        <main id="main" class="sheet">
            <h1 class="vh">"Boxes"</h1>
            {frame::notices(frame)} {removing} {first} {last} {push::form(&page.push)} {hints::hints()} <BoxesLive />
        </main>
    }
    .into_any()
}

/// Asks before a box goes: its history is kept or deleted by the button that is pressed, never by default.
fn removal(one: &BoxView) -> AnyView {
    let recorded = match one.recorded {
        0 => "None of its statistics is recorded now; what was recorded earlier is its history.".to_owned(),
        1 => "One of its statistics is recorded now.".to_owned(),
        many => format!("{many} of its statistics are recorded now."),
    };
    view! {
        <section class="card ask" aria-labelledby="ask-title" tabindex="-1" autofocus>
            <h2 id="ask-title">{format!("Remove {}?", one.name)}</h2>
            <p>{format!("It will not be asked any more. {recorded} What is to become of its history?")}</p>
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
