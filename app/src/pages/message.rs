//! A page that only says something: not found, or a fault.

use leptos::prelude::*;

use super::frame;
use crate::{
    links,
    model::{Frame, MessagePage},
};

/// Draws it.
pub(super) fn page(frame: &Frame, page: MessagePage) -> AnyView {
    let back = if frame.user.is_some() { "To Realtime Statistics" } else { "To the sign-in" };
    // What failed this time may work the next.
    let again = (page.status >= 500).then(|| view! { <a class="btn main" href=frame.here.clone()>"Try again"</a> });
    let next = page.next.map(|(words, to)| view! { <a class="btn main" href=to>{words}</a> });
    view! {
        <main id="main" class="door">
            {frame::notices(frame)} <section class="card">
                <p class="status">{page.status}</p>
                <h1>{page.title}</h1>
                <p>{page.text}</p>
                <p class="buttons">
                    {again} {next} <a class="btn" href=links::REALTIME>{back}</a>
                </p>
            </section>
        </main>
    }
    .into_any()
}
